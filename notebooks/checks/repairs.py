"""The check of the repairs: each broken program, with the reader's line in it, is examined like a reader's function."""

import inspect
import linecache
import re
from typing import Any, Callable, Dict, Optional, Tuple

from . import build_loss, get_batches, run_epoch, words
from .answer import Unwritten, Wrong, need

EXAMINE = {"A": run_epoch.examine, "B": get_batches.examine, "C": build_loss.examine}
# a repair in another line is accepted, too, if it works
FAULTY = {"A": "A6", "B": "B4", "C": "C4"}
FORM = re.compile(r"\s*(?:[Ll]ine\s+)?([A-Za-z]\d+)\s*:\s*(.+)", re.DOTALL)


class NoRepair(Wrong):
    """A line that cannot be put into a program."""


def examine(repairs: Dict[Callable, Optional[str]]) -> None:
    """Try each repair; raise Wrong with what there is to say about each program."""
    none = [_variable(program) for program, repair in repairs.items() if repair is None]
    if len(none) == len(repairs):
        raise Unwritten(f"Still None: {', '.join(none)}.")

    sentences = []
    n_repaired = 0
    for program, repair in repairs.items():
        if repair is None:
            message = f"Still None: {_variable(program)}."
        else:
            message = _judged(program, repair)
        if not message:
            n_repaired += 1
        sentences.append(f"Program {_letter(program)}: {message or 'repaired.'}")

    if n_repaired < len(repairs):
        raise Wrong("\n".join(sentences))


def _letter(program: Callable) -> str:
    """Return the letter of a program, such as A of program_a."""
    return program.__name__[-1].upper()


def _variable(program: Callable) -> str:
    return f"repair_{program.__name__[-1]}"


def _judged(program: Callable, repair: Any) -> str:
    """Return what is wrong with a repair, or nothing."""
    letter = _letter(program)
    try:
        number, line = _read(repair, letter)
    except Wrong as wrong:  # it cannot be used
        return str(wrong)
    if number != FAULTY[letter] and _works(program, FAULTY[letter], line):
        return (
            f"your line is right, but {number} is not the number of the one that it is to replace."
        )

    try:
        EXAMINE[letter](_repaired(program, number, line))
    except SyntaxError as error:
        return f"This line is not valid Python: {error.msg}."
    except NoRepair as wrong:
        return str(wrong)
    except Wrong as wrong:
        if number == FAULTY[letter]:
            return f"{number} is the wrong line, but yours is not right yet. {wrong}"
        return f"{number} is not the wrong line: with yours the program still learns badly, or cannot run."
    return ""


def _works(program: Callable, number: str, line: str) -> bool:
    """Tell whether a program is right with another line."""
    try:
        EXAMINE[_letter(program)](_repaired(program, number, line))
    except (SyntaxError, Wrong):
        return False
    return True


def _read(repair: Any, letter: str) -> Tuple[str, str]:
    """Return the number and the line of a repair, such as "A1: ..."."""
    match = FORM.match(repair) if isinstance(repair, str) else None
    need(
        match,
        "it should be the number of a line, a colon and the line, such as "
        f'"{letter}1: ...", not {words.describe(repair)}.',
    )
    return match.group(1).upper(), match.group(2).strip()


def _repaired(program: Callable, number: str, line: str) -> Callable:
    """Return a program with one line replaced."""
    lines = inspect.getsource(program).splitlines()
    places = [place for place, old in enumerate(lines) if old.rstrip().endswith(f"# {number}")]
    if not places:
        raise NoRepair(f"the program has no line {number}.")

    place = places[0]
    old, _, _ = lines[place].partition("  # ")
    if line == old.strip():
        raise NoRepair(f"line {number} is as it was.")

    indentation = old[: len(old) - len(old.lstrip())]
    lines[place] = indentation + line

    source = "\n".join(lines) + "\n"
    filename = f"<repaired program {_letter(program)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = dict(program.__globals__)
    exec(compile(source, filename, "exec"), scope)
    return scope[program.__name__]
