"""Grade the notebooks that students handed in.

``python notebooks/grade.py FOLDER`` grades each notebook in the folder and in the folders in it. Its exercise cells run
in a process of their own, with a limit of time, memory and output. Where the system has namespaces, that process has no
network, changes no file, and sees neither the solution nor what others handed in. ``grades.csv`` and ``grades.html`` in
the folder are updated after each notebook: for each student and exercise whether it is right, was tried, was
skipped or is empty, what the check says, and how many attempts and hints it took. A student is named by the notebook's
path below the folder. The solution, as it is shipped, is left out.

An answer and its check are in one process. The page says what a teacher cannot rely on for that.
"""
import argparse
import ast
import contextlib
import csv
import html
import io
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402

from charrnn.system.files import write_atomically  # noqa: E402

NAMES = ("get_batches", "lstm_step", "lstm_gradient", "build_lstm", "build_output", "build_loss", "build_optimizer",
         "CharRNN", "run_epoch", "evaluate", "repairs", "pick_top_n", "generate_ids", "pick_at_temperature", "quiz")
CHECKS = dict({name: f"check_{name}" for name in NAMES}, CharRNN="check_char_rnn")
# What the cell of an exercise defines, where that has another name than the exercise.
DEFINES = {"repairs": ("repair_a", "repair_b", "repair_c"),
           "quiz": tuple(f"q{number}" for number in range(1, 9))}
GIVEN = ("imports", "settings", "load_text", "encode", "build_inputs", "held-out", "programs")  # others rely on them
FIELDS = ("student", "exercise", "result", "points", "hints", "attempts", "message")
MEGABYTES, WRITTEN = 6000, 50  # of memory, and of any file that a notebook writes
PROCESSES = 4000  # of the user in all, which the system does not count for root
MARKS = {"right": "✓", "tried": "✗", "skipped": "»", "empty": "·"}
# What may stand before the message of a check.
NOTES = ("Its cell was found by the name: the line with its check is missing. ",
         "It is the given solution, letter for letter. ")
BELOW = "What it defines was examined; below that: "
GUARDED = ("checks", "charrnn", "numpy", "builtins", "unittest", "__main__")  # packages that a mark depends on
UNSHARE = ["unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh"]
OPEN = ("<li>This system could not close the notebooks off. They could read the solution and whatever else you can "
        "read, and change it{}. Grade on a machine, or as a user, that holds nothing else.")


def code_cells(path: Path) -> List[str]:
    """Return the code of a notebook's cells.

    Raises:
        ValueError: it is no notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"This file is no notebook: {type(error).__name__}: {str(error)[:100]}")


def given_cells() -> Dict[str, Tuple[str, str]]:
    """Return the code cells as they are given, by name: as the exercise notebook has them, and as the solution."""
    return {cell["id"]: (generate.blank(cell["text"]), generate.solved(cell["text"]))
            for cell in generate.all_cells() if cell["kind"] == "code"}


def sort_out(sources: Sequence[str]) -> Tuple[Dict[str, str], List[str], Dict[str, str]]:
    """Find the exercises in a notebook's cells.

    Returns:
        The cell of each exercise that was begun: the last one that calls its check, or else that defines its name; the
        cells that a student has added; and what there is to say about the cell of an exercise.
    """
    given, cells, notes = given_cells(), {}, {}
    known = {form for forms in given.values() for form in forms}
    for name in NAMES:
        blank, solved = (form.split() for form in given[name])
        first = DEFINES.get(name, (name,))[0]
        begun = [source for source in sources if source.split() != blank]
        checked = [source for source in begun if f"checks.{CHECKS[name]}(" in source]
        defined = [source for source in begun if source not in known
                   and re.search(rf"(?m)^(?:def|class)\s+{first}\b|^{first}\b[^=\n(]*=(?!=)", source)]
        if checked or defined:
            cells[name] = (checked or defined)[-1]
            notes[name] = NOTES[0] * (not checked) + NOTES[1] * (cells[name].split() == solved)
    return cells, [source for source in sources if source not in known | set(cells.values())], notes


# In the process of a notebook -------------------------------------------------------------------------------------

class Scope:
    """The names of a notebook, and how its cells are run in them."""

    def __init__(self, given: Dict[str, str], solutions: Dict[str, Any]) -> None:
        self.names: Dict[str, Any] = {"__name__": "__main__"}
        for cell in GIVEN[:5]:
            self.define(cell, given[cell])
        text = 100 * "".join(map(chr, range(33, 116)))  # stands for the novel
        self.run("text", f"text = {text!r}\nvocab, vocab_to_int, int_to_vocab, encoded = encode(text)")
        self.define("held-out", given["held-out"])
        self.names["checks"] = mock.MagicMock(skip=solutions.get, ready=lambda *_: False)

    def run(self, name: str, source: str) -> None:
        """Run a cell."""
        exec(compile(_kept(name, source), f"<{name}>", "exec"), self.names)

    def define(self, name: str, source: str, assign: bool = True) -> None:
        """Run what a cell imports, defines and, if that is wanted, assigns, whatever else is in it or fails."""
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef) + assign * (ast.Assign, ast.AnnAssign)
        with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
            for statement in ast.parse(_kept(name, source)).body:
                module = ast.parse("")
                module.body = [statement] if isinstance(statement, kinds) else []
                with contextlib.suppress(Exception):
                    exec(compile(module, f"<{name}>", "exec"), self.names)


def plain(source: str) -> str:
    """Return a cell without what only IPython understands: magics, commands of the shell, questions.

    >>> plain("tf.one_hot?\\nif x:\\n    !ls")
    'pass\\nif x:\\n    pass'
    """
    with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
        ast.parse(source)
        return source
    if re.match(r"\s*%%(?!time|capture|prun)", source):
        return ""
    return re.sub(r"(?m)^([ \t]*)(?:[%!?].*|[\w.*]+\?{1,2}[ \t]*|[\w, ]+=[ \t]*[%!].*)$", r"\1pass", source)


def _kept(name: str, source: str) -> str:
    """Return a cell without what only IPython understands, kept so that its lines can be shown."""
    import linecache
    source, filename = plain(source), f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    return source


def fingerprint() -> Dict[str, Any]:
    """Return the functions, classes and modules that a mark depends on, by name, and the code of the functions."""
    homes = [(home, vars(module)) for home, module in list(sys.modules.items()) if home.split(".")[0] in GUARDED]
    homes += [(f"{home}.{name}", vars(value)) for home, names in homes if home.startswith("checks")
              for name, value in list(names.items()) if isinstance(value, type)]
    return {f"{home}.{name}": (value, getattr(value, "__code__", None) if isinstance(value, type(plain)) else None)
            for home, names in homes
            for name, value in list(names.items()) if callable(value) or isinstance(value, type(sys))}


def changed(before: Dict[str, Any], look: Callable = fingerprint) -> str:
    """Return the name of something that is not as it was, or an empty string."""
    now = look()
    return next((name for name, (value, code) in before.items()
                 if now.get(name, (None, None))[0] is not value or now[name][1] is not code), "")


def grade_here(report: int) -> None:
    """Grade in this process what standard input tells, and write to a socket how each exercise begins and ends.

    What is written begins with a key that is in no file, so that only this function writes what counts.
    """
    import resource
    job, channel = json.load(sys.stdin), socket.socket(fileno=report)
    key = job.pop("key")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for what, most in [(resource.RLIMIT_DATA, MEGABYTES << 20), (resource.RLIMIT_FSIZE, WRITTEN << 20),
                       (resource.RLIMIT_NPROC, PROCESSES)]:
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, 2 * (most if hard == resource.RLIM_INFINITY else min(most, hard),))

    import checks
    from checks import verdict
    scope, verdict.TIME_LIMIT = Scope(job["given"], checks.SOLUTIONS), job["seconds"]
    if job["closed"]:
        Path("ready").touch()
        while not os.path.exists("go"):
            time.sleep(0.02)
    before, look = fingerprint(), changed
    verdict._right.update(dict.fromkeys(["build_inputs", *job["right"]], True))

    def tell(*what: str) -> None:
        channel.sendall((json.dumps([key, *what]) + "\n").encode())

    tell("begin", "")
    for number, source in enumerate(job["own"], start=1):
        verdict.in_own_thread(scope.define, f"cell {number} of your own", source)
    verdict.in_own_thread(scope.define, "programs", job["given"]["programs"])
    for name, source in job["cells"].items():
        if name not in job["todo"]:
            verdict.in_own_thread(scope.define, name, source, name not in job["ended"])
            continue
        tell("begin", name)
        said = judged(checks, name, source, scope)
        other = look(before)
        if other:
            tell("changed", name, other)
            os._exit(0)
        tell("end", name, *said)


def judged(checks: Any, name: str, source: str, scope: Scope) -> Tuple[str, str]:
    """Run the cell of an exercise, and let its check look at what the cell has defined; return result and message."""
    said, get = None, scope.names.get
    try:
        said = checks.verdict.in_own_thread(scope.run, name, source)
    except Exception as error:
        said = False, f"The cell raised {type(error).__name__}: {str(error)[:500]}"
    names = DEFINES.get(name, (name,))
    if said and all(get(one) is None for one in names):
        return "tried", said[1]
    check, values = getattr(checks, CHECKS[name]), {one: get(one) for one in names}
    arguments = {"repairs": [{get(f"program_{one[-1]}"): line for one, line in values.items()}],
                 "quiz": []}.get(name, values.values())
    right = check(*arguments, **(values if name == "quiz" else {}))
    known = checks.progress.of(name)
    note = f"{BELOW}{said[1]}\n" if said else ""
    if right:
        return "right", note
    return "skipped" if known["skipped"] else "tried", (note + known["message"])[:2000]


# In the grader's process ----------------------------------------------------------------------------------------------

def closing(folder: Path) -> Tuple[List[str], str]:
    """Return what to put in front of a command to close it off, and what to say where that is not possible here."""
    prefix = [*UNSHARE, *map(str, (HERE / "close_off.sh", folder, generate.SOURCE, generate.SOLUTION, HERE / "checks",
                                   HERE.parent / "charrnn"))]
    probe = f": > ready; until [ -e go ]; do sleep 0.1; done; [ ! -w '{HERE}' -a -z \"$(ls -A '{folder}')\" ] || exit 7"
    status = 1  # of unshare where it fails
    with tempfile.TemporaryDirectory() as work, contextlib.suppress(OSError, subprocess.TimeoutExpired):
        status = subprocess.run([*prefix, work, "sh", "-c", probe], stdin=subprocess.DEVNULL, timeout=30,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    more = "" if status == 7 else ", use the network, leave programs running"
    return prefix if status in (0, 7) else [], OPEN.format(more) * (status != 0)


def converse(command: List[str], work: str, job: Dict[str, Any], end: float) -> Tuple[List[Any], str]:
    """Run a process until it ends, whatever it has started, or the time is over; return its reports, its last line."""
    mine, its = socket.socketpair()
    with tempfile.TemporaryFile() as told, mine, its:
        told.write(json.dumps(job).encode())
        told.seek(0)
        process = subprocess.Popen(
            [*command, "--one", str(its.fileno())], cwd=work, stdin=told, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[its.fileno()],
            env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", HOME=work))
        its.close()
        reported, said, over, watched = b"", b"", 0.0, [mine, process.stdout]
        while not over or time.monotonic() < over:  # what is left over may print for ever
            if process.poll() is not None or time.monotonic() > end:
                over = over or time.monotonic() + 1
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, 9)
            ready = select.select(watched, [], [], 0.1)[0]
            for one in ready:
                chunk = os.read(one.fileno(), 1 << 16)
                if not chunk:
                    watched.remove(one)
                elif one is mine:
                    reported += chunk[:(1 << 20) - len(reported)]
                else:
                    said = (said + chunk)[-300:]
            if over and not ready:
                break
        process.stdout.close()
        process.wait()
    reports = []
    for line in reported.split(b"\n"):
        with contextlib.suppress(ValueError, TypeError):
            key, *report = json.loads(line.decode())
            reports += [report] if key == job["key"] else []
    return reports, said.decode(errors="replace").strip().split("\n")[-1]


def grade(path: Path, prefix: List[str], minutes: float, seconds: float) -> Dict[str, Tuple[str, str]]:
    """Grade a notebook in a process of its own, and in a new one after each exercise that ended it.

    Returns:
        (result, message) by exercise; of a file that is no notebook one message, under an empty name.
    """
    try:
        cells, own, notes = sort_out(code_cells(path))
    except ValueError as error:
        return {"": ("no notebook", str(error))}
    given = {name: given_cells()[name][1] for name in GIVEN}
    given["programs"] = given["programs"].split("\n\n\nif checks.")[0] + "\n"
    found: Dict[str, Tuple[str, str]] = {}
    ended: List[str] = []
    end, rest = time.monotonic() + 60 * minutes, ""
    while len(found) < len(cells) and not rest:
        done = len(found)
        job = {"key": os.urandom(16).hex(), "closed": bool(prefix), "cells": cells, "own": own,
               "todo": [name for name in cells if name not in found], "ended": ended, "seconds": seconds,
               "given": given, "right": [name for name, (result, _) in found.items() if result == "right"]}
        work = tempfile.mkdtemp()
        worker = [sys.executable, str(Path(__file__).resolve())]
        reports, said = converse([*prefix, *[work][:len(prefix)], *worker], work, job, end)
        shutil.rmtree(work, ignore_errors=True)
        begun = None
        for what, name, *result in reports:
            begun = name if what == "begin" else None
            if what == "end":
                found[name] = (result[0], (notes[name] + result[1]).strip())
            elif what == "changed":
                found[name] = ("tried", f"No mark: it changes {result[0]}, which the check relies on.")
                ended.append(name)
        if time.monotonic() > end:
            rest = f"Not graded: the process was stopped after {minutes:g} minutes."
        elif begun:
            found[begun] = ("tried", f"No mark: this exercise ended the process. {said}")
            ended.append(begun)
        elif begun == "" and own:  # a cell of the student's own ended it
            own = []
        elif len(found) == done:
            rest = f"Not graded: the process ended early. {said}"
    return {name: found.get(name, ("tried", rest) if name in cells else ("empty", "")) for name in NAMES}


def rows_of(path: Path, folder: Path, found: Dict[str, Tuple[str, str]], points: Dict[str, float],
            alone: bool) -> List[Dict[str, Any]]:
    """Return the rows of a notebook, with what its student's file of progress tells.

    Args:
        alone: whether no other notebook is handed in from its folder, so that ``progress.json`` there belongs to it.
    """
    progress: Dict[str, Any] = {}
    for one in [path.with_suffix(".progress.json")] + ([path.parent / "progress.json"] if alone else []):
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
            progress = dict(json.loads(one.read_text(encoding="utf-8")))
    rows = []
    for name, (result, message) in found.items():
        kept = progress.get(name) if isinstance(progress.get(name), dict) else {}
        counts = {what: kept[what] if isinstance(kept.get(what), int) else "" for what in ("hints", "attempts")}
        rows.append({"student": path.relative_to(folder).with_suffix("").as_posix(), "exercise": name, "result": result,
                     "points": points.get(name, 1) if result == "right" else 0, "message": message, **counts})
    return rows


def write_tables(rows: List[Dict[str, Any]], folder: Path, points: Dict[str, float], lacking: str) -> None:
    """Write all rows as CSV, and as a page with a line for each student and one for each exercise."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, FIELDS)
    writer.writeheader()
    for row in rows:  # a cell that begins so would be a formula
        cells = {**row, "points": f"{row['points']:g}"}
        writer.writerow({what: f"'{one}" if str(one)[:1] in tuple("=+-@") else one for what, one in cells.items()})
    students: Dict[str, List[Dict[str, Any]]] = {}
    for row in rows:
        students.setdefault(row["student"], []).append(row)
    right = Counter(row["exercise"] for row in rows if row["result"] == "right")
    head = [f"<tr><th>student<th class=points>points of {sum(points.get(name, 1) for name in NAMES):g}",
            *(f"<th class=name><div>{name}</div>" for name in NAMES)]
    foot = [f"<tr class=sum><th>how many of {len(students)} are right<td>", *(f"<td>{right[name]}" for name in NAMES)]
    parts = {"students": [*head, *("".join(_line(student, some)) for student, some in students.items()), *foot],
             "exercises": [_summary(name, rows, points.get(name, 1)) for name in NAMES],
             "messages": [_messages(student, some) for student, some in students.items()], "open": [lacking]}
    page = (generate.ASSETS / "grades.html").read_text(encoding="utf-8")
    for name, lines in parts.items():
        page = page.replace("{{" + name + "}}", "\n".join(lines))
    for name, text, encoding in [("grades.csv", table.getvalue(), "utf-8-sig"), ("grades.html", page, "utf-8")]:
        write_atomically(folder / name, text.encode(encoding, "replace"))


def _text(value: Any) -> str:
    return html.escape(str(value).strip())


def _messages(student: str, rows: List[Dict[str, Any]]) -> str:
    """Return what is said to a student's exercises, folded, or an empty string."""
    said = [f"<dt>{row['exercise']}: {row['result']}<dd>{_text(row['message'])}" for row in rows if row["message"]]
    return f"<details><summary>{_text(student)}</summary><dl>{''.join(said)}</dl></details>" * bool(said)


def _line(student: str, rows: List[Dict[str, Any]]) -> Iterator[str]:
    """Yield the cells of a student in the large table; of a file that is no notebook, what is said of it."""
    yield f"<tr><th>{_text(student)}<td>{sum(row['points'] for row in rows):g}"
    for row in rows:
        if row["result"] not in MARKS:
            yield f"<td class=message colspan={len(NAMES)}>{_text(row['message'])}"
            return
        yield f"<td title='{row['exercise']}: {row['result']}'>"
        yield f"<b class={row['result']}>{MARKS[row['result']]}</b>"
        if row["attempts"] != "":
            yield f"<br><small>{row['attempts']} / {row['hints']}</small>"


def _mistake(message: str) -> str:
    """Return the first sentence of what is said of a wrong answer, without the notes before it."""
    wrong = re.sub(f"^({'|'.join(map(re.escape, NOTES))})*({re.escape(BELOW)}.*\n)?", "", message)
    return re.split(r"(?<=[a-z)\]])\. |\n", wrong)[0]


def _summary(name: str, rows: List[Dict[str, Any]], points: float) -> str:
    """Return the line of an exercise in the table by exercise."""
    mine = [row for row in rows if row["exercise"] == name]
    results = Counter(row["result"] for row in mine)
    counts = [[row[what] for row in mine if row[what] != ""] for what in ("attempts", "hints")]
    mistakes = Counter(_mistake(row["message"]) for row in mine if row["result"] == "tried")
    common = [f"{number} of {results['tried']}: {_text(said[:240])}" for said, number in mistakes.most_common(1)]
    return "<td>".join([f"<tr><th>{name}", f"{points:g}", str(results["right"]), str(len(mine) - results["empty"]),
                        *(f"{median(some):g}" if some else "" for some in counts), *(common or [""])])


def main(argv: Optional[List[str]] = None) -> int:
    """Grade a folder of notebooks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="holds the notebooks, at any depth")
    parser.add_argument("--course", type=Path, help="JSON with {\"points\": {\"get_batches\": 3}}; else 1 for each")
    parser.add_argument("--minutes", type=float, default=5, help="for a notebook (default 5)")
    parser.add_argument("--seconds", type=float, default=30, help="of computing, for an exercise (default 30)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time (default: cores)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        grade_here(args.one)
        return 0
    if not args.folder or not args.folder.is_dir():
        parser.error(f"there is no folder {args.folder}")
    folder = args.folder.resolve()
    paths = handed_in(folder)
    if not paths:
        parser.error(f"there is no notebook in {args.folder}")
    try:
        points = points_of(args.course) if args.course else {}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    prefix, lacking = closing(folder)
    if lacking:
        print(lacking[4:])
    beside = Counter(path.parent for path in paths)
    rows: Dict[Path, List[Dict[str, Any]]] = {}
    with ThreadPoolExecutor(args.jobs) as pool:
        begun = {pool.submit(grade, path, prefix, args.minutes, args.seconds): path for path in paths}
        for number, one in enumerate(as_completed(begun), start=1):
            path, found = begun[one], one.result()
            rows[path] = rows_of(path, folder, found, points, beside[path.parent] == 1)
            write_tables([row for path in paths for row in rows.get(path, [])], folder, points, lacking)
            right = sum(result == "right" for result, _ in found.values())
            print(f"{number} of {len(paths)}: {path.relative_to(folder)}, "
                  + (found[""][1] if "" in found else f"{right} of {len(NAMES)} right"), flush=True)
    print(f"wrote {args.folder / 'grades.csv'} and grades.html")
    return 0


def points_of(course: Path) -> Dict[str, float]:
    """Return the points of exercises that a course's settings have.

    Raises:
        OSError: the file cannot be read.
        ValueError: it does not have what it should.
    """
    try:
        points = {name: float(one) for name, one in json.loads(course.read_text("utf-8")).get("points", {}).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f'{course} should be like {{"points": {{"get_batches": 3}}}}: {error}')
    unknown = ", ".join(points.keys() - set(NAMES))
    if unknown:
        raise ValueError(f"{course} gives points for {unknown}, but the exercises are {', '.join(NAMES)}")
    return points


def handed_in(folder: Path) -> List[Path]:
    """Return the notebooks of a folder, without the solution as it is shipped and without hidden files."""
    solution = [solved for _, solved in given_cells().values()]
    paths = []
    for path in sorted(folder.rglob("*.ipynb")):
        shipped = False
        with contextlib.suppress(ValueError):
            shipped = path.name.startswith(generate.SOLUTION.stem) and code_cells(path) == solution
        if not shipped and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            paths.append(path)
    return paths


if __name__ == "__main__":
    sys.exit(main())
