"""The check of the quiz: a letter for each question, with a reason for each that was chosen."""

from typing import Any, Dict, List

from . import words
from .answer import Unwritten, Wrong, need


def _reasons(parts: List[str]) -> Dict[str, str]:
    """Return what is said to each letter of a question, which is "* a Its rows ..." in the file."""
    choices = [choice for choice in "\n".join(parts).split("* ") if choice]
    return {choice[0]: choice[2:].strip() for choice in choices}


# By question and letter; the reason of the right letter begins with Yes.
QUESTIONS = {name: _reasons(parts) for name, parts in words.sections("quiz.md").items()}


def examine(answers: Dict[str, Any]) -> str:
    """Compare each letter; raise Wrong with the reasons, or return what is to be said to right answers."""
    none = [name for name in QUESTIONS if answers.get(name) is None]
    if none:
        raise Unwritten(f"Still None: {', '.join(none)}.")

    sentences = []
    n_right = 0
    for name, reasons in QUESTIONS.items():
        letter = str(answers[name]).strip(" ()[].'\"\n").lower()
        need(
            letter in reasons,
            f"{name} should be one of the letters {', '.join(sorted(reasons))}, in quotes, not "
            f"{words.describe(answers[name])}.",
        )
        is_right = reasons[letter].startswith("Yes")
        if is_right:
            n_right += 1
        verdict = "right" if is_right else "not right"
        sentences.append(f"{name}: {letter} is {verdict}. {reasons[letter]}")

    if n_right < len(QUESTIONS):
        raise Wrong("\n".join([f"{n_right} of {len(QUESTIONS)}.", *sentences]))
    return "\n".join(["", *sentences])
