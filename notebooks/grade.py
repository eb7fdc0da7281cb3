"""Grade the notebooks that students handed in.

``python notebooks/grade.py FOLDER`` runs the exercise cells of each notebook in the folder, and in the folders in it,
in a process of its own with a limit of time, memory and output, and without the network where the system allows it. It
writes ``grades.csv`` and ``grades.html`` into the folder: for each student and exercise whether it is right, was tried,
was skipped or is empty, what the check says, and how many hints were used. A student is named by the notebook's file,
or by its folder where that holds nothing else.

The limits stop mistakes. They do not make a program safe that means harm: grade on a machine, or as a user, that holds
nothing but the notebooks.
"""
import argparse
import ast
import contextlib
import csv
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402

NAMES = ("get_batches", "build_inputs", "lstm_step", "lstm_gradient", "build_lstm", "build_output", "build_loss",
         "build_optimizer", "CharRNN", "hyperparameters", "run_epoch", "evaluate", "repairs", "pick_top_n",
         "generate_ids", "pick_at_temperature", "quiz")
CHECKS = dict({name: f"check_{name}" for name in NAMES}, CharRNN="check_char_rnn")
FIELDS = ("student", "exercise", "result", "points", "hints", "attempts", "message")
TEXT_SIZE, VOCABULARY = 1_786_700, 83  # of the text whose hyperparameters are judged
MEGABYTES, WRITTEN = 6000, 50  # of memory, and of any file that a notebook writes
MARKS = {"right": "#2b7354", "tried": "#b3540a", "skipped": "#6a4ba3", "empty": "#66727f"}


def code_cells(path: Path) -> List[str]:
    """Return the code of a notebook's cells, without the lines that only IPython understands.

    Raises:
        ValueError: it is no notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no notebook: {error!r}")
    return [re.sub(r"(?m)^[ \t]*[%!].*$", "", source) for source in sources]


def exercise_cells(sources: List[str]) -> Dict[str, str]:
    """Return the cell of each exercise: the last one that calls its check."""
    return {name: source for name in NAMES for source in sources if f"checks.{CHECKS[name]}(" in source}


def own_definitions(sources: List[str]) -> List[str]:
    """Return the cells that a student has added and that only import and define something."""
    known = {form(cell["text"]) for cell in generate.all_cells() if cell["kind"] == "code" for form in (
        generate.blank, generate.solved)} | set(exercise_cells(sources).values())
    return [source for source in sources if source.strip() and source not in known and _defines(source)]


def _defines(source: str) -> bool:
    with contextlib.suppress(SyntaxError, ValueError):
        return all(isinstance(one, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
                   for one in ast.parse(source).body)
    return False


class Nothing:
    """Stands for the module checks while a cell runs: only ``skip`` does something."""

    def __init__(self, skip: Any) -> None:
        self.skip = skip

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def grade_here(path: Path, report: Path, seconds: float) -> None:
    """Run the exercise cells of a notebook in this process, and write after each what was found, as JSON."""
    import resource
    for what, most in [(resource.RLIMIT_DATA, MEGABYTES), (resource.RLIMIT_FSIZE, WRITTEN)]:
        resource.setrlimit(what, (most << 20, most << 20))
    import linecache
    from functools import partial
    from itertools import islice

    import checks
    import numpy as np
    from checks import verdict
    from checks.progress import progress

    from charrnn.system.tensorflow import tf

    verdict.TIME_LIMIT = seconds
    sources = code_cells(path)
    cells, blank = exercise_cells(sources), {cell["id"]: generate.blank(cell["text"]) for cell in generate.all_cells()}
    scope = {"np": np, "tf": tf, "islice": islice, "partial": partial, "edge": TEXT_SIZE, "vocab": range(VOCABULARY),
             "checks": Nothing(checks.skip), "__name__": "__main__"}

    def run(name: str, source: str) -> None:
        filename = f"<{name}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), scope)

    programs = next(cell["text"] for cell in generate.all_cells() if cell["id"] == "programs")
    for source in [*own_definitions(sources), programs.split("\n\n\nif checks.")[0] + "\n"]:
        with contextlib.suppress(Exception):
            verdict.in_own_thread(run, "a cell with definitions", source)
    found = {}
    for name in NAMES:
        source, message = cells.get(name, ""), ""
        if source.split() == blank[name].split() or not source:
            found[name] = ("empty", "")
            continue
        try:
            verdict.in_own_thread(run, name, source)
            _check(checks, name, scope)
        except (Exception, SystemExit) as error:
            message = f"The cell raised {type(error).__name__}: {str(error)[:500]}"
        known = progress.of(name)
        result = "skipped" if known["skipped"] else "right" if known["right"] and not message else "tried"
        found[name] = (result, message or known["message"])
        _write(report, found)
    _write(report, found)


def _write(report: Path, found: Dict[str, Any]) -> None:
    partial = report.with_suffix(".partial")
    partial.write_text(json.dumps(found), encoding="utf-8")
    os.replace(str(partial), str(report))


def _check(checks: Any, name: str, scope: Dict[str, Any]) -> None:
    """Let the check of an exercise look at what its cell has defined."""
    check, get = getattr(checks, CHECKS[name]), scope.get
    if name == "repairs":
        check({get(f"program_{letter}"): get(f"repair_{letter}") for letter in "abc"})
    elif name == "quiz":
        check(**{f"q{number}": get(f"q{number}") for number in range(1, 9)})
    elif name == "hyperparameters":
        names = "batch_size num_steps lstm_size num_layers learning_rate keep_prob epochs".split()
        check(TEXT_SIZE, VOCABULARY, **{one: get(one) for one in names})
    else:
        check(get(name))


def without_network() -> List[str]:
    """Return what to put in front of a command so that it has no network, or nothing where that is not allowed."""
    prefix = ["unshare", "--map-root-user", "--net"]
    with contextlib.suppress(OSError):
        if subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            return prefix
    return []


def grade(path: Path, prefix: List[str], minutes: float, seconds: float) -> Dict[str, Any]:
    """Grade a notebook in a process of its own; return (result, message) by exercise."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [*prefix, sys.executable, str(Path(__file__).resolve()), "--one", str(path), str(report), "--seconds",
                   str(seconds)]
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", HOME=folder))
        timer = threading.Timer(60 * minutes, _kill, [process])
        timer.start()
        said = b""
        for line in process.stdout:  # of which only the end is kept
            said = (said + line)[-300:]
        process.wait()
        timer.cancel()
        found = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
    ended = (f"Not graded: the process was stopped after {minutes:g} minutes." if process.returncode == -9 else
             f"Not graded: the process ended early. {said.decode(errors='replace')}")
    whole = len(found) == len(NAMES)
    return {name: found.get(name, ("empty", "") if whole else ("tried", ended)) for name in NAMES}


def _kill(process: Any) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)


def rows_of(path: Path, folder: Path, found: Dict[str, Any], points: Dict[str, float]) -> List[Dict[str, Any]]:
    """Return the rows of a notebook, with what its student's file of progress tells."""
    alone = path.parent != folder and len(list(path.parent.glob("*.ipynb"))) == 1
    kept = [path.with_suffix(".progress.json")] + ([path.parent / "progress.json"] if alone else [])
    progress: Dict[str, Any] = {}
    for one in kept:
        with contextlib.suppress(OSError, ValueError, TypeError):
            progress = dict(json.loads(one.read_text(encoding="utf-8")))
    return [{"student": path.parent.name if alone else path.stem, "exercise": name, "result": result,
             "points": points.get(name, 1) if result == "right" else 0, "message": message,
             **{what: progress.get(name, {}).get(what, "") for what in ("hints", "attempts")}}
            for name, (result, message) in found.items()]


def write_tables(rows: List[Dict[str, Any]], folder: Path) -> None:
    """Write all rows as CSV, and as a page with a line for each student."""
    with open(str(folder / "grades.csv"), "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for row in rows:  # a cell that begins so would be a formula
            writer.writerow({what: f"'{value}" if str(value)[:1] in tuple("=+-@") else value
                             for what, value in row.items()})
    students = {row["student"]: [one for one in rows if one["student"] == row["student"]] for row in rows}
    lines = ["<!doctype html><html lang=en><meta charset=utf-8><title>Grades</title><style>body{font:15px sans-serif}"
             "td,th{border:1px solid #ccc;padding:4px;vertical-align:top;font-size:13px}table{border-collapse:collapse}"
             "</style><h1>Grades</h1><table><tr><th>student<th>points"]
    lines += [f"<th>{name}" for name in NAMES]
    for student, some in students.items():
        lines.append(f"<tr><th>{html.escape(student)}<td>{sum(row['points'] for row in some):g}")
        for row in some:
            hints = f" ({row['hints']} hints)" if row["hints"] else ""
            lines.append(f"<td style='color:{MARKS[row['result']]}'>{row['result']}{hints}")
            if row["message"] and row["result"] == "tried":
                lines.append(f"<details><summary>why</summary>{html.escape(str(row['message']))}</details>")
    (folder / "grades.html").write_text("\n".join([*lines, "</table></html>"]), encoding="utf-8")


def main(argv: Optional[List[str]] = None) -> int:
    """Grade a folder of notebooks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="holds the notebooks, or a folder for each student")
    parser.add_argument("--course", type=Path, help="JSON with {\"points\": {\"get_batches\": 3}}; else 1 for each")
    parser.add_argument("--minutes", type=float, default=5, help="for a notebook (default 5)")
    parser.add_argument("--seconds", type=float, default=30, help="of computing, for an exercise (default 30)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time (default: cores)")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        grade_here(*args.one, seconds=args.seconds)
        return 0
    if not args.folder or not args.folder.is_dir():
        parser.error(f"there is no folder {args.folder}")
    paths = sorted(path.resolve() for path in args.folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not paths:
        parser.error(f"there is no notebook in {args.folder}")
    points = json.loads(args.course.read_text(encoding="utf-8")).get("points", {}) if args.course else {}
    prefix = without_network()
    if not prefix:
        print("The network cannot be cut off here: the notebooks could use it.")
    with ThreadPoolExecutor(args.jobs) as pool:
        found = pool.map(lambda path: grade(path, prefix, args.minutes, args.seconds), paths)
        rows: List[Dict[str, Any]] = []
        for number, (path, one) in enumerate(zip(paths, found), start=1):
            rows += rows_of(path, args.folder.resolve(), one, points)
            right = sum(result == "right" for result, _ in one.values())
            print(f"{number} of {len(paths)}: {path.relative_to(args.folder.resolve())}, {right} of {len(NAMES)} right")
    write_tables(rows, args.folder)
    print(f"wrote {args.folder / 'grades.csv'} and grades.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
