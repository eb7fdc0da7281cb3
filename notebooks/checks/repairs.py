"""The check of the repairs: each broken program, with the reader's line in it, is examined like a reader's function."""

import inspect
import linecache
import re
from typing import Callable, Dict, Optional

from . import build_loss, get_batches, run_epoch, words
from .answer import Unwritten, Wrong, need

EXAMINE = {"a": run_epoch.examine, "b": get_batches.examine, "c": build_loss.examine}
FAULTY = {"a": "A6", "b": "B4", "c": "C4"}  # a repair in another line is accepted, too, if it works


def examine(repairs: Dict[Callable, Optional[str]]) -> None:
    """Try each repair; raise Wrong with what there is to say about each program."""
    none = [
        f"repair_{program.__name__[-1]}" for program, repair in repairs.items() if repair is None
    ]
    if len(none) == len(repairs):
        raise Unwritten(f"Still None: {', '.join(none)}.")
    said = {
        program.__name__[-1]: f"Still None: repair_{program.__name__[-1]}."
        if repair is None
        else _judged(program, repair)
        for program, repair in repairs.items()
    }
    if any(said.values()):
        raise Wrong(
            "\n".join(
                f"Program {letter.upper()}: {message or 'repaired.'}"
                for letter, message in said.items()
            )
        )


def _judged(program: Callable, repair: str) -> str:
    """Return what is wrong with a repair, or nothing."""
    letter = program.__name__[-1]
    try:
        repaired = _repaired(program, repair)
        EXAMINE[letter](repaired)
    except SyntaxError as error:
        return f"This line is not valid Python: {error.msg}."
    except Wrong as wrong:
        number = str(repair).split(":")[0].split()[-1].upper()
        if str(wrong).startswith(UNUSABLE):
            return str(wrong)[len(UNUSABLE) :]
        if number == FAULTY[letter]:
            return f"{number} is the wrong line, but yours is not right yet. {wrong}"
        return f"{number} is not the wrong line: with yours the program still learns badly, or cannot run."
    return ""


UNUSABLE = "This repair cannot be used: "


def _repaired(program: Callable, repair: str) -> Callable:
    """Return a program with one line replaced."""
    letter = program.__name__[-1]
    form = r"\s*(?:[Ll]ine\s+)?([A-Za-z]\d+)\s*:\s*(.+)"
    found = re.match(form, repair, re.DOTALL) if isinstance(repair, str) else None
    need(
        found,
        f"{UNUSABLE}it should be the number of a line, a colon and the line, such as "
        f'"{letter.upper()}1: ...", not {words.describe(repair)}.',
    )
    number = found.group(1).upper()
    line = found.group(2).strip()
    lines = inspect.getsource(program).splitlines()
    places = [place for place, one in enumerate(lines) if one.rstrip().endswith(f"# {number}")]
    need(places, f"{UNUSABLE}the program has no line {number}.")
    old = lines[places[0]]
    need(line != old.split("  # ")[0].strip(), f"{UNUSABLE}line {number} is as it was.")
    lines[places[0]] = old[: len(old) - len(old.lstrip())] + line
    source = "\n".join(lines) + "\n"
    filename = f"<repaired program {letter.upper()}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = dict(program.__globals__)
    exec(compile(source, filename, "exec"), scope)
    return scope[program.__name__]
