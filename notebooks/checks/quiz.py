"""The check of the quiz: a letter for each question, with a reason for each that was chosen."""

from typing import Any, Dict

from . import words
from .answer import Unwritten, Wrong, need

# By question: what is said to each letter; the reason of the right one begins with Yes.
QUESTIONS = words.sections("quiz.md")


def examine(answers: Dict[str, Any]) -> str:
    """Compare each letter; raise Wrong with the reasons, or return what is to be said to right answers."""
    none = [name for name in QUESTIONS if answers.get(name) is None]
    if none:
        raise Unwritten(f"Still None: {', '.join(none)}.")
    said = []
    right = 0
    for name, choices in QUESTIONS.items():
        reasons = {line[0]: line[2:].strip() for line in "\n".join(choices).split("* ") if line}
        letter = str(answers[name]).strip(" ()[].'\"\n").lower()
        need(
            letter in reasons,
            f"{name} should be one of the letters {', '.join(sorted(reasons))}, in quotes, not "
            f"{words.describe(answers[name])}.",
        )
        good = reasons[letter].startswith("Yes")
        right += good
        said.append(f"{name}: {letter} is {'right' if good else 'not right'}. {reasons[letter]}")
    if right < len(QUESTIONS):
        raise Wrong("\n".join([f"{right} of {len(QUESTIONS)}.", *said]))
    return "\n".join(["", *said])
