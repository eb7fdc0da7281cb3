"""What the grader writes: tables, a page on the class, a page of predictions, and feedback for each student."""

import ast
import csv
import hashlib
import html
import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

import generate
import handed_in
from checks import words
from folded import as_html, folded

from charrnn.system.files import write_atomically

WRITTEN = (
    "grades.csv",
    "grades-by-student.csv",
    "grades.html",
    "predictions.html",
    "feedback/",
    "feedback.zip",
)
FIELDS = ("student", "exercise", "result", "points", "hints", "attempts", "minutes", "message")
# of an exercise that was not there yet when a student began with the notebook: it costs nothing
LACKING = "not in this notebook"
# of a whole file
NOT_GRADED = "not graded"
MARKS = {
    "right": "✓",
    "begun": "◐",
    "tried": "✗",
    "skipped": "»",
    "empty": "·",
    LACKING: "–",
    NOT_GRADED: "?",
}
# the column of the points in the table by student
TOTAL = "Anna KaRNNa"
# begins the line of a Canvas gradebook that is no student's, but has the points that there are
POSSIBLE = "Points Possible"
# the columns of Moodle's grading worksheet that an import changes, and the one with the points that there are
GRADE = "Grade"
COMMENTS = "Feedback comments"
MAXIMUM = "Maximum grade"
_QUESTION = re.compile(r"> \*\*Predict first\.\*\* (.*?)(?:\n\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^### (.*)$", re.MULTILINE)
Row = Dict[str, Any]


class Graded(NamedTuple):
    """A notebook that was graded.

    Attributes:
        student: the path of the notebook, which names the student.
        rows: those of the table by exercise; of a file that could not be graded a single one.
        total: its points; None where it could not be graded.
        predictions: by question.
        tasks: what was written for open tasks, by cell.
        feedback: what the student shall read.
    """

    student: str
    rows: List[Row]
    total: Optional[float]
    predictions: Dict[str, str]
    tasks: Dict[str, str]
    feedback: str = ""

    def has_name(self, name: str) -> bool:
        """Return whether a name is a whole part of the path, between "/" and "_". Anna_KaRNNa does not count."""
        pattern = rf"(?:^|[/_]){re.escape(name)}(?:$|[/_])"
        path = self.student.replace(generate.EXERCISE.stem, "")
        return bool(re.search(pattern, path, re.IGNORECASE))


class ClassList:
    """The students of a class, as Moodle or Canvas export them.

    Attributes:
        fields: the columns of the table.
        lines: those of the table, by column.
        by: the column with the name that is in the path of a student's notebook.
    """

    def __init__(self, path: Path, by: Optional[str]) -> None:
        """Read a table; where no column is given, the first one has the names.

        Raises:
            ValueError: it has no such column.
        """
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            self.lines = list(table)
        self.fields = list(table.fieldnames or [""])
        self.by = by or self.fields[0]
        if self.by not in self.fields:
            columns = ", ".join(map(repr, self.fields))
            raise ValueError(
                f"{path} has no column {self.by!r}: between commas there are {columns}"
            )
        if len(self.fields) == 1 and ";" in self.by:
            raise ValueError(
                f"{path} has the single column {self.by!r}: save it with commas, not with semicolons"
            )

    def names(self) -> List[str]:
        """Return the names of the students."""
        return [line[self.by] for line in self.lines if self._is_student(line)]

    def with_totals(self, graded: List[Graded], most: float) -> List[Row]:
        """Return the lines with the points of each student, the best of several notebooks; none of who has none."""
        lines = []
        for line in self.lines:
            total = None
            best = None
            if self._is_student(line):
                own = [one for one in graded if one.has_name(line[self.by])]
                own = [one for one in own if one.total is not None]
                best = max(own, key=lambda one: one.total or 0, default=None)
                total = best.total if best else None
            elif self._first(line) == POSSIBLE:
                total = most
            if GRADE in self.fields:
                lines.append({**line, **_of_worksheet(line, best, most)})
            else:
                lines.append({**line, TOTAL: _points(total)})
        return lines

    def columns(self) -> List[str]:
        """Return the columns of the table with the points: a worksheet of Moodle has one for them already."""
        return self.fields if GRADE in self.fields else [*self.fields, TOTAL]

    def _is_student(self, line: Row) -> bool:
        return bool(line[self.by]) and self._first(line) != POSSIBLE

    def _first(self, line: Row) -> str:
        return line[self.fields[0]].strip()


class Report:
    """All that is written on the notebooks that were graded.

    Attributes:
        folder: where it is written.
        points: those of each exercise.
        students: the class list, where there is one.
        begun: the share of its points that an answer gets which runs and whose mistake is named.
        graded: the notebooks.
    """

    def __init__(
        self,
        folder: Path,
        points: Dict[str, float],
        students: Optional[ClassList],
        begun: float = 0,
    ) -> None:
        if not 0 <= begun <= 1:
            raise ValueError(
                f'"begun" is the share of the points of a mistake that is named, 0 to 1, not {begun}'
            )
        self.folder = folder
        self.begun = begun
        self.points = points
        self.most = sum(points.values())
        self.students = students
        self.graded: List[Graded] = []

    def add(
        self,
        notebook: handed_in.Notebook,
        marks: Dict[str, Tuple[str, str]],
        answers: Optional[Dict[str, str]] = None,
    ) -> str:
        """Add a notebook with its marks and write everything again; return its points in words.

        Args:
            notebook: what was handed in.
            marks: by exercise.
            answers: the code of the answers, by exercise.
        """
        rows = self._rows(notebook, marks, answers or {})
        is_graded = NOT_GRADED not in [row["result"] for row in rows]
        total = self._total(rows) if is_graded else None
        said = NOT_GRADED
        if total is not None:
            said = f"{total:g} of {self.most:g} points"
        one = Graded(
            student=notebook.student,
            rows=rows,
            total=total,
            predictions=notebook.predictions(),
            tasks=notebook.tasks(),
            feedback=_feedback(rows, said),
        )
        self.graded.append(one)
        self.write()
        _write_feedback(one, self.folder)
        return said

    def write_for_import(self) -> None:
        """Write the feedback as a zip, and what Gradescope takes where a single notebook was graded."""
        with zipfile.ZipFile(self.folder / "feedback.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for one in self.graded:
                name = f"{one.student}.txt".encode("utf-8", "backslashreplace").decode("utf-8")
                file.writestr(name, one.feedback.encode("utf-8", "backslashreplace"))
        if len(self.graded) == 1:
            results = json.dumps(self._of_gradescope(self.graded[0]), indent=1)
            write_atomically(self.folder / "results.json", results.encode())

    def _of_gradescope(self, one: Graded) -> Dict[str, Any]:
        """Return the results of a notebook as Gradescope reads them."""
        tests = []
        for row in one.rows:
            if row["exercise"]:
                test = {
                    "name": row["exercise"],
                    "score": row["points"],
                    "max_score": self.points[row["exercise"]],
                    "status": "passed" if row["result"] == "right" else "failed",
                    "output": row["message"],
                }
                tests.append(test)
        return {"score": one.total or 0, "output": one.feedback, "tests": tests}

    def write(self, notes: Iterable[str] = ()) -> None:
        """Write the tables and the pages; notes is what there is to say on the whole class."""
        rows: List[Row] = []
        for one in self.graded:
            rows.extend(one.rows)
        cells = [_cells(row) for row in rows]
        _write_csv(self.folder / "grades.csv", FIELDS, cells)

        if self.students:
            fields = self.students.columns()
            lines = self.students.with_totals(self.graded, self.most)
        else:
            fields = ["student", TOTAL]
            lines = [
                {"student": _cell(one.student), TOTAL: _points(one.total)} for one in self.graded
            ]
        _write_csv(self.folder / "grades-by-student.csv", fields, lines)

        _write_page(
            self.folder / "grades.html",
            points=[f"{self.most:g}"],
            names=[f"<th class=name>{name}" for name in self.points],
            students=[_line(one) for one in self.graded],
            notes=[f"<p>{html.escape(note)}" for note in notes],
            exercises=[_summary(name, rows, points) for name, points in self.points.items()],
            alike=_alike(rows),
            messages=[_message(row) for row in rows if _said(row) or row["answer"]],
        )
        _write_page(
            self.folder / "predictions.html",
            questions=_questions(self.graded),
            tasks=_open_tasks(self.graded),
        )

    def notes(self) -> List[str]:
        """Say who of the class handed in nothing, and which notebooks are of nobody in the class."""
        if self.students is None:
            return []
        names = self.students.names()
        present = set()
        others = []
        for one in self.graded:
            own_names = [name for name in names if one.has_name(name)]
            present.update(own_names)
            if not own_names:
                others.append(one.student)

        absent = [name for name in names if name not in present]
        sentences = []
        if absent:
            sentences.append(f"Handed in nothing: {', '.join(absent)}.")
        if others:
            sentences.append(f"Not in the class list: {', '.join(others)}.")
        return sentences

    def _rows(
        self,
        notebook: handed_in.Notebook,
        marks: Dict[str, Tuple[str, str]],
        answers: Dict[str, str],
    ) -> List[Row]:
        """Return the rows of a notebook, with what its file of progress tells."""
        hints = handed_in.counts(notebook, "hints")
        attempts = handed_in.counts(notebook, "attempts")
        minutes = handed_in.minutes(notebook)
        shares = {"right": 1, "begun": self.begun}
        rows = []
        for exercise, (result, message) in marks.items():
            points = shares.get(result, 0) * self.points.get(exercise, 0)
            row = {
                "student": notebook.student,
                "exercise": exercise,
                "result": result,
                "message": message,
                "points": points,
                "hints": hints.get(exercise, ""),
                "attempts": attempts.get(exercise, ""),
                "minutes": minutes.get(exercise, ""),
                "answer": answers.get(exercise, ""),
            }
            rows.append(row)
        return rows

    def _total(self, rows: List[Row]) -> float:
        """Return the points of a notebook. Where it lacks an exercise, the others count for more."""
        lacking = [self.points[row["exercise"]] for row in rows if row["result"] == LACKING]
        possible = self.most - sum(lacking)
        if possible == 0:
            return 0.0
        share = self.most / possible
        return round(share * sum(row["points"] for row in rows), 2)


# Files ----------------------------------------------------------------------------------------------------------------


def _write_csv(path: Path, fields: Iterable[str], lines: Iterable[Row]) -> None:
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, list(fields), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    write_atomically(path, table.getvalue().encode("utf-8-sig", "backslashreplace"))


def _points(total: Optional[float]) -> str:
    """Return points as an import takes them; an empty cell leaves a student without any."""
    return "" if total is None else f"{total:g}"


def _cell(value: Any) -> str:
    """Return a cell of a table, which a spreadsheet must not take for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _cells(row: Row) -> Row:
    """Return the cells of the table by exercise."""
    return {name: _cell(row[name]) for name in FIELDS}


def _write_page(path: Path, **parts: List[str]) -> None:
    """Write a page: its template, with the parts in it, below the head that all pages have."""
    page = _filled("page.html", page=[_filled(path.name, **parts)])
    write_atomically(path, page.encode("utf-8", "backslashreplace"))


def _filled(template: str, **parts: List[str]) -> str:
    text = (generate.ASSETS / template).read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: "\n".join(parts[place.group(1)]), text)


def _feedback(rows: List[Row], said: str) -> str:
    """Return what a student shall read."""
    lines = [f"{TOTAL}: {said}"]
    for row in rows:
        exercise = row["exercise"] or "this file"
        lines += ["", f"{MARKS[row['result']]} {exercise}: {row['result']}"]
        if row["message"]:
            lines.append(words.wrap(row["message"]))
    return "\n".join(lines) + "\n"


def _write_feedback(one: Graded, folder: Path) -> None:
    """Write the feedback under the path of the notebook in the folder ``feedback``."""
    path = folder / "feedback" / f"{one.student}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, one.feedback.encode("utf-8", "backslashreplace"))


def _of_worksheet(line: Row, best: Optional[Graded], most: float) -> Row:
    """Return the grade and the comments of a student in Moodle's grading worksheet, in its scale."""
    if best is None or best.total is None:
        return {}
    try:
        scale = float(line[MAXIMUM]) / most
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        scale = 1.0
    comments = html.escape(best.feedback).replace("\n", "<br>")
    return {GRADE: f"{round(scale * best.total, 2):g}", COMMENTS: comments}


# The page of the grades -----------------------------------------------------------------------------------------------


def _said(row: Row) -> str:
    """Return what the page says of an answer; of a right one the first line, without the reasons of a quiz."""
    first, *_ = row["message"].split("\n")
    return first if row["result"] == "right" else row["message"]


def _message(row: Row) -> str:
    student = html.escape(row["student"])
    message = html.escape(_said(row))
    shown = f"<h3>{student}: {row['exercise']}, {row['result']}</h3><p>{message}"
    if row["answer"]:
        code = html.escape(row["answer"])
        shown += f"<details><summary>the code</summary><pre>{code}</pre></details>"
    return shown


def _alike(rows: List[Row]) -> List[str]:
    """Return a line for each exercise and code that several students have, whatever its layout and comments."""
    groups: Dict[Tuple[str, str], List[str]] = {}
    for row in rows:
        tree = _tree(row["answer"])
        if tree:
            groups.setdefault((row["exercise"], tree), []).append(row["student"])
    lines = []
    for (exercise, _), students in groups.items():
        if len(students) > 1:
            names = ", ".join(map(html.escape, students))
            lines.append(f"<tr><th>{exercise}<td>{len(students)}<td>{names}")
    return lines or ["<tr><td>none"]


def _tree(answer: str) -> str:
    """Return a hash of the syntax tree of a cell, without its texts alone on a line; "" of what is no Python."""
    try:
        tree = ast.parse(answer)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)]
    dumped = ast.dump(tree)
    return hashlib.sha256(dumped.encode()).hexdigest() if tree.body else ""


def _is_text(statement: ast.AST) -> bool:
    """Tell whether a statement is a text alone, as a docstring is."""
    if not isinstance(statement, ast.Expr):
        return False
    try:
        return isinstance(ast.literal_eval(statement.value), str)
    except ValueError:
        return False


def _breaking(path: str) -> str:
    """Return a path that a browser breaks behind "/" and "_"."""
    return re.sub("([/_])", r"\1<wbr>", path)


def _line(one: Graded) -> str:
    """Return the line of a student in the large table; of a file that was not graded, with what is said of it."""
    line = f"<tr><th class=student>{_breaking(html.escape(one.student))}<td>"
    if one.total is None:
        [row] = one.rows
        return f"{line}<td class=message colspan=99>{html.escape(row['message'])}"
    line += f"{one.total:g}"
    for row in one.rows:
        result = row["result"]
        counts = f"{row['attempts']} / {row['hints']}".strip("/ ")
        took = f", {row['minutes']} minutes" if row["minutes"] != "" else ""
        line += f"<td title='{row['exercise']}: {result}{took}'>"
        line += f"<b class='{result}'>{MARKS[result]}</b><br><small>{counts}"
    return line


def _summary(name: str, rows: List[Row], points: float) -> str:
    """Return the line of an exercise in the table by exercise, with the first sentence that is said most often."""
    own = [row for row in rows if row["exercise"] == name]
    begun = [row for row in own if row["result"] not in ("empty", LACKING)]
    n_right = sum(row["result"] == "right" for row in begun)
    line = f"<tr><th>{name}<td>{points:g}<td>{n_right}<td>{len(begun)}<td>"

    messages = [row["message"] for row in begun if row["result"] in ("tried", "begun")]
    if not messages:
        return line
    sentences = Counter(_first_sentence(message) for message in messages)
    [(sentence, count)] = sentences.most_common(1)
    return f"{line}{count} of {len(messages)}: {html.escape(sentence[:240])}"


def _first_sentence(message: str) -> str:
    first, *_ = re.split(r"(?<=[a-z)\]])\. |\n", message)
    return first


# The page of the predictions ------------------------------------------------------------------------------------------


def _questions(graded: List[Graded]) -> List[str]:
    """Return a line for each question, with its answer and what the class has predicted, without names."""
    lines = []
    for before, cell in _with_text_before():
        if not cell["id"].startswith("predict-"):
            continue
        name = cell["id"].replace("predict-", "", 1)
        question = _QUESTION.search(before).group(1).replace("\n> ", " ")
        line = f"<tr><th>{name}<td>{as_html(question)}{folded(name)['text/html']}<td>"

        written = [one.predictions[name] for one in graded if name in one.predictions]
        for prediction, number in Counter(written).most_common():
            line += f"<p>{html.escape(prediction)}"
            if number > 1:
                line += f" <small>({number} times)</small>"
        lines.append(line)
    return lines


def _open_tasks(graded: List[Graded]) -> List[str]:
    """Return a line for each open task, with what students have written."""
    lines = []
    for before, cell in _with_text_before():
        if "task" not in cell["tags"]:
            continue
        heading = _HEADING.search(before).group(1)
        line = f"<tr><th>{cell['id']}<td>{html.escape(heading)}<td>"

        for one in graded:
            if cell["id"] in one.tasks:
                line += f"<details><summary>{html.escape(one.student)}</summary>"
                line += f"<pre>{html.escape(one.tasks[cell['id']])}</pre></details>"
        lines.append(line)
    return lines


def _with_text_before() -> Iterable[Tuple[str, Dict[str, Any]]]:
    """Yield each cell of the notebook, with the text of the one before it."""
    cells = generate.all_cells()
    texts = [cell["text"] for cell in cells]
    return zip(texts, cells[1:])
