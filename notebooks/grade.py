"""Grade the notebooks that students handed in.

``python notebooks/grade.py FOLDER`` grades each notebook in the folder and in the folders in it. ``grades.csv`` and
``grades.html`` in the folder are updated after each notebook: for each student and exercise whether it is right, was
tried, was skipped or is empty, what the check says, and how many attempts and hints it took. A student is named by the
notebook's path below the folder. The solution, as it is shipped, is left out.

Each exercise is examined in a process of its own, with limits of time, of memory and of what it writes. Such a process
is a copy of this one, which has imported TensorFlow and the checks already. So nothing in this one may run a session of
TensorFlow, whose threads a copy would lack.

Students' code runs as you: grade where it can read and change nothing else of yours (see docs/teaching.md).
"""

import argparse
import ast
import contextlib
import csv
import html
import io
import itertools
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import checks  # noqa: E402
import generate  # noqa: E402
from checks import verdict  # noqa: E402

from charrnn.system.files import write_atomically  # noqa: E402

CODE = [cell for cell in generate.all_cells() if cell["kind"] == "code"]
SOLVED = {cell["id"]: generate.solved(cell["text"]) for cell in CODE}
EXERCISES = [cell["id"] for cell in CODE if "exercise" in cell["tags"]]
GIVEN = (
    "imports",
    "settings",
    "load_text",
    "encode",
    "build_inputs",
    "text",
    "held-out",
    "loss_of",
    "programs",
)
DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
FIELDS = ("student", "exercise", "result", "points", "hints", "attempts", "message")
# What the page shows for each result. Any other result is that of a whole file.
MARKS = {"right": "✓", "tried": "✗", "skipped": "»", "empty": "·"}
COPIED = "It is the given solution, letter for letter. "
# the result of an exercise, and what there is to say to it
Mark = Tuple[str, str]
# bytes of a process, and of any file that it writes or that a student hands in
MEMORY = 6000 << 20
LARGEST = 50 << 20
# seconds of computing for what a cell defines; a check has as many as in the notebook
SECONDS = 5
# seconds on the clock for a process that does not stop itself
PATIENCE = 600
# the longest message of a check, and of a process
LONGEST_MESSAGE = 2000
LONGEST_REPORT = 3000
# Only IPython understands these lines: magics, commands of the shell, and questions.
_IPYTHON = re.compile(
    r"^([ \t]*)(?:[%!?].*|[\w.*]+\?{1,2}[ \t]*|[\w, ]+=[ \t]*[%!].*)$", re.MULTILINE
)


def check_of(exercise: str) -> Tuple[str, List[str]]:
    """Return the call of a check with which the cell of an exercise ends, and the names that it takes."""
    cell = SOLVED[exercise]
    call = cell[cell.rindex("checks.check_") :]
    _, _, *names = re.findall(r"\w+", call)
    return call, names


def read(path: Path) -> Any:
    """Read a file of JSON that a student made.

    Raises:
        ValueError: it is no regular file, or too large, or not JSON.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is not a regular file of at most {LARGEST >> 20} MB")
    return json.loads(path.read_text(encoding="utf-8"))


# In the process of an exercise ----------------------------------------------------------------------------------------


def plain(source: str) -> str:
    """Return a cell without what only IPython understands."""
    with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
        ast.parse(source)
        return source
    return _IPYTHON.sub(r"\1pass", source)


def define(names: Dict[str, Any], cell: str, source: str) -> Mark:
    """Run what a cell imports, defines and assigns, whatever else is in it or fails."""
    import linecache

    source = plain(source)
    filename = f"<{cell}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return "tried", f"A cell is not valid Python: {type(error).__name__}: {error}. "
    for statement in statements:
        if isinstance(statement, DEFINING):
            module = ast.parse("")
            module.body = [statement]
            with contextlib.suppress(Exception):
                exec(compile(module, filename, "exec"), names)
    return "tried", ""


def given_names() -> Dict[str, Any]:
    """Return the names that the given cells define. Some characters stand for the novel."""
    text = 100 * "".join(map(chr, range(33, 116)))
    encoding = f"text = {text!r}\nvocab, vocab_to_int, int_to_vocab, encoded = encode(text)"
    sources = dict(SOLVED, text=encoding)
    names = {"__name__": "__main__"}
    for cell in GIVEN:
        define(names, cell, sources[cell])
    return dict(names, checks=mock.MagicMock(skip=checks.SOLUTIONS.get))


def judge(exercise: str, cells: List[str], names: Dict[str, Any]) -> Mark:
    """Define what is in the cells of a notebook, and let the check of an exercise look at it."""
    check, taken = check_of(exercise)
    messages = []
    with mock.patch.object(verdict, "TIME_LIMIT", SECONDS):
        for number, cell in enumerate(cells, start=1):
            _, message = verdict.in_own_thread(define, names, f"cell {number}", cell)
            messages.append(message)
    if not any(name in names for name in taken):
        message = f"No cell defines {taken[0]}. {''.join(messages)}"
        return "tried", message[:LONGEST_MESSAGE]

    exec(check, {**dict.fromkeys(taken), **names, "checks": checks})
    progress = checks.progress.of(exercise)
    message = progress["message"][:LONGEST_MESSAGE]
    if progress["right"]:
        return "right", message
    if progress["skipped"]:
        return "skipped", message
    return "tried", message


# In the grader's process ----------------------------------------------------------------------------------------------


class Examination:
    """An exercise that is examined in a process, with a folder of its own.

    Args:
        exercise: its name.
        cells: the cells of the notebook.
        names: those of the given cells.
        others: those that run meanwhile, whose reports it shall not write.
    """

    def __init__(
        self, exercise: str, cells: List[str], names: Dict[str, Any], others: List["Examination"]
    ) -> None:
        self.exercise = exercise
        self.folder = tempfile.mkdtemp()
        self.report = tempfile.TemporaryFile()
        fork = get_context("fork")
        self.process = fork.Process(target=self._run, args=(cells, names, others), daemon=True)
        self.process.start()
        self.end = time.monotonic() + PATIENCE

    def _run(self, cells: List[str], names: Dict[str, Any], others: List["Examination"]) -> None:
        os.setsid()
        os.chdir(self.folder)
        for other in others:
            other.report.close()
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
        for standard in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), standard)
        self.report.write(json.dumps(judge(self.exercise, cells, names)).encode())
        self.report.flush()
        os._exit(0)

    def mark(self) -> Mark:
        """Wait for its end, end what it has started, and return the mark that it reports, if it is one."""
        self.process.join(max(0.0, self.end - time.monotonic()))
        status = self.process.exitcode
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        shutil.rmtree(self.folder, ignore_errors=True)
        with self.report, contextlib.suppress(ValueError, TypeError, RecursionError):
            self.report.seek(0)
            result, message = json.loads(self.report.read(LARGEST))
            if result in MARKS:
                return result, str(message)[:LONGEST_REPORT]
        if status is None:
            return "tried", "No mark: the time was over."
        return "tried", f"No mark: this exercise ended the process, with the status {status}."


def grade(cells: List[str], names: Dict[str, Any], jobs: int) -> Dict[str, Mark]:
    """Examine the exercises of a notebook, some at a time; return the marks by exercise."""
    given = [_without_layout(generate.blank(cell["text"])) for cell in CODE]
    given += [_without_layout(code) for name, code in SOLVED.items() if name not in EXERCISES]
    own = [cell for cell in cells if _without_layout(cell) not in given]

    begun = [exercise for exercise in EXERCISES if _defines("\n".join(own), exercise)]
    marks: Dict[str, Mark] = dict.fromkeys(EXERCISES, ("empty", ""))
    for place in range(0, len(begun), jobs):
        running: List[Examination] = []
        for exercise in begun[place : place + jobs]:
            running.append(Examination(exercise, own, names, running))
        for examination in running:
            result, message = examination.mark()
            if SOLVED[examination.exercise] in cells:
                message = COPIED + message
            marks[examination.exercise] = (result, message)
    return marks


def _without_layout(cell: str) -> str:
    """Return what a cell says, whatever its layout and comments: those of version 3.1 had another one."""
    with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
        return ast.dump(ast.parse(plain(cell)))
    return " ".join(cell.split())


def _defines(source: str, exercise: str) -> bool:
    """Return whether cells define or assign one of the names that a check takes."""
    _, names = check_of(exercise)
    pattern = rf"^(?:def |class )?(?:{'|'.join(names)})\b[^=\n(]*[=(:]"
    return bool(re.search(pattern, source, re.MULTILINE))


def rows_of(
    student: str, marks: Dict[str, Mark], points: Dict[str, float], progress: Path
) -> List[Dict[str, Any]]:
    """Return the rows of a student, with what the file of progress tells."""
    hints = _counts(progress, "hints")
    attempts = _counts(progress, "attempts")
    rows = []
    for exercise, (result, message) in marks.items():
        row = {
            "student": student,
            "exercise": exercise,
            "result": result,
            "message": message,
            "points": points.get(exercise, 0) if result == "right" else 0,
            "hints": hints.get(exercise, ""),
            "attempts": attempts.get(exercise, ""),
        }
        rows.append(row)
    return rows


def _counts(progress: Path, what: str) -> Dict[str, int]:
    """Return by exercise a number that the file of progress has; none if a student spoilt it."""
    with contextlib.suppress(Exception):
        counts = {exercise: entry[what] for exercise, entry in read(progress).items()}
        return {exercise: count for exercise, count in counts.items() if count in range(10**6)}
    return {}


def write_tables(
    students: Dict[str, List[Dict[str, Any]]], folder: Path, points: Dict[str, float]
) -> None:
    """Write the rows of all students as CSV, and as a page with a line for each student and one for each exercise."""
    rows = list(itertools.chain(*students.values()))
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow(_cell(row[name]) for name in FIELDS)
    content = table.getvalue().encode("utf-8-sig", "backslashreplace")
    write_atomically(folder / "grades.csv", content)

    parts = {
        "points": [f"{sum(points.values()):g}"],
        "names": [f"<th class=name>{name}" for name in points],
        "students": [_line(student, own_rows) for student, own_rows in students.items()],
        "exercises": [_summary(name, rows, points[name]) for name in points],
        "messages": [_message(row) for row in rows if row["message"]],
    }
    template = (generate.ASSETS / "grades.html").read_text(encoding="utf-8")
    page = re.sub(r"\{\{(\w+)\}\}", lambda place: "\n".join(parts[place.group(1)]), template)
    write_atomically(folder / "grades.html", page.encode("utf-8", "backslashreplace"))


def _cell(value: Any) -> str:
    """Return a cell of the CSV, which a spreadsheet must not take for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _message(row: Dict[str, Any]) -> str:
    student = html.escape(row["student"])
    message = html.escape(row["message"])
    return f"<h3>{student}: {row['exercise']}, {row['result']}</h3><p>{message}"


def _line(student: str, rows: List[Dict[str, Any]]) -> str:
    """Return the line of a student in the large table; of a file that was not graded, with what is said of it."""
    points = sum(row["points"] for row in rows)
    line = f"<tr><th class=student>{html.escape(student)}<td>{points:g}"
    first, *_ = rows
    if first["result"] not in MARKS:
        return f"{line}<td class=message colspan=99>{html.escape(first['message'])}"
    for row in rows:
        result = row["result"]
        counts = f"{row['attempts']} / {row['hints']}".strip("/ ")
        line += f"<td title='{row['exercise']}: {result}'>"
        line += f"<b class={result}>{MARKS[result]}</b><br><small>{counts}"
    return line


def _summary(name: str, rows: List[Dict[str, Any]], points: float) -> str:
    """Return the line of an exercise in the table by exercise, with the first sentence that is said most often."""
    begun = [row for row in rows if row["exercise"] == name and row["result"] != "empty"]
    n_right = sum(row["result"] == "right" for row in begun)
    line = f"<tr><th>{name}<td>{points:g}<td>{n_right}<td>{len(begun)}<td>"

    messages = [row["message"] for row in begun if row["result"] == "tried"]
    if not messages:
        return line
    sentences = Counter(_first_sentence(message) for message in messages)
    [(sentence, count)] = sentences.most_common(1)
    return f"{line}{count} of {len(messages)}: {html.escape(sentence[:240])}"


def _first_sentence(message: str) -> str:
    first, *_ = re.split(r"(?<=[a-z)\]])\. |\n", message)
    return first


def main(argv: Optional[List[str]] = None) -> int:
    """Grade a folder of notebooks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="holds the notebooks, at any depth")
    parser.add_argument(
        "--course", type=Path, help='JSON with {"points": {"get_batches": 3}}; else 1 for each'
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="exercises at a time (default: cores)"
    )
    args = parser.parse_args(argv)
    sys.stdout.reconfigure(errors="backslashreplace")  # for names that are no UTF-8
    folder = args.folder.resolve()
    students: Dict[str, List[Dict[str, Any]]] = {}
    try:
        points = points_of(args.course)
        paths = find_notebooks(folder)
        if not paths:
            raise ValueError(f"there is no notebook in {args.folder}")
        write_tables(students, folder, points)
    except (OSError, ValueError, TypeError) as error:
        parser.error(str(error))

    *_, warning = __doc__.split("\n\n")
    print(warning)
    names = given_names()
    for number, path in enumerate(paths, start=1):
        student = path.relative_to(folder).with_suffix("").as_posix()
        counted = f"{number} of {len(paths)}: {student},"
        marks = {}
        try:
            cells = code_of(path)
            if cells == list(SOLVED.values()) and path.name.startswith(generate.SOLUTION.stem):
                print(f"{counted} the solution as it was given, is not graded")
                continue
            marks = grade(cells, names, args.jobs)
        except Exception as error:  # of whatever kind: the others are graded
            marks = {"": ("not graded", f"{type(error).__name__}: {str(error)[:200]}")}
        rows = rows_of(student, marks, points, path.with_name("progress.json"))
        students[student] = rows
        write_tables(students, folder, points)
        print(f"{counted} {sum(row['points'] for row in rows):g} points", flush=True)
    print(f"wrote {args.folder / 'grades.csv'} and grades.html")
    return 0


def points_of(course: Optional[Path]) -> Dict[str, float]:
    """Return the points of each exercise, which a file may name; else 1."""
    points: Dict[str, float] = dict.fromkeys(EXERCISES, 1)
    if course:
        points.update(dict(read(course)).get("points", {}))
    unknown = [name for name in points if name not in EXERCISES]
    if unknown:
        raise ValueError(f"there is no exercise {unknown[-1]}: they are {', '.join(EXERCISES)}")
    return points


def find_notebooks(folder: Path) -> List[Path]:
    """Return the notebooks in a folder, at any depth, without those that are hidden or in a hidden folder."""
    paths = []
    for path in sorted(folder.rglob("*.ipynb")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            paths.append(path)
    return paths


def code_of(path: Path) -> List[str]:
    """Return the code cells of a notebook."""
    cells = read(path)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


if __name__ == "__main__":
    sys.exit(main())
