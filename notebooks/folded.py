"""The answer to a question, folded, as both the notebook shows it and the stored outputs of the solution have it."""

import html
import re
import textwrap
from pathlib import Path
from typing import Dict

ANSWERS = Path(__file__).with_name("assets") / "answers.md"
COLUMNS = 86  # of a line of text; the lines of the novel have at most 79
FOLDED = "<details><summary><b>Answer</b> (click to unfold)</summary>{}</details>"


def folded(name: str) -> Dict[str, str]:
    """Return the answer to a question as HTML and as plain text, by MIME type."""
    _, answer = ANSWERS.read_text(encoding="utf-8").split(f"## {name}\n")
    answer, *_ = answer.split("\n## ")
    text = " ".join(answer.split())
    marked = re.sub(r"\*(.*?)\*", r"<em>\1</em>", html.escape(text, quote=False))
    marked = re.sub(r"`(.*?)`", r"<code>\1</code>", marked)
    return {
        "text/html": FOLDED.format(f"<p>{marked}</p>"),
        "text/plain": textwrap.fill(f"Answer: {text}", COLUMNS),
    }
