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
    return {
        "text/html": FOLDED.format(f"<p>{as_html(text)}</p>"),
        "text/plain": textwrap.fill(f"Answer: {text}", COLUMNS),
    }


def as_html(text: str) -> str:
    """Return a line of Markdown as HTML, in which *this* is emphasized and `this` is code."""
    escaped = html.escape(text, quote=False)
    emphasized = re.sub(r"\*(.*?)\*", r"<em>\1</em>", escaped)
    return re.sub(r"`(.*?)`", r"<code>\1</code>", emphasized)
