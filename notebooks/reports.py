"""What the grader writes: tables, a page on the class, a page of predictions, and feedback for each student."""

import ast
import csv
import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

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
# the number of a participant, in the path of what Moodle has packed and in the first column of its worksheet
_PACKED = re.compile(r"_(\d+)_assignsubmission_")
_IDENTIFIER = re.compile(r"\D+(\d+)")
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
        owners: the lines of the class list that it can belong to; several where nothing tells two students apart.
    """

    student: str
    rows: List[Row]
    total: Optional[float]
    predictions: Dict[str, str]
    tasks: Dict[str, str]
    feedback: str = ""
    owners: Sequence[Row] = ()

    def called(self, name: str) -> "Graded":
        """Return the same with another name of the student."""
        rows = [{**row, "student": name} for row in self.rows]
        return self._replace(student=name, rows=rows)

    def place_of(self, name: str) -> Optional[int]:
        """Return where a name is a whole part of the path, between "/" and "_". Anna_KaRNNa does not count."""
        pattern = rf"(?:^|[/_]){re.escape(_composed(name))}(?:$|[/_])"
        path = _composed(self.student).replace(generate.EXERCISE.stem, "")
        match = re.search(pattern, path, re.IGNORECASE)
        return match.start() if match else None

    def participant(self) -> str:
        """Return the number that Moodle gives a participant, where it is in the path."""
        match = _PACKED.search(self.student)
        return match.group(1) if match else ""


class Columns(NamedTuple):
    """The columns of a grading worksheet of Moodle for the grades, the points that there are, and the feedback."""

    grade: str
    maximum: str
    comments: Optional[str]


class ClassList:
    """The students of a class, as Moodle or Canvas export them.

    Attributes:
        fields: the columns of the table.
        lines: those of the table, by column.
        by: the column with the name that is in the path of a student's notebook.
        worksheet: the columns for the grades, where it is a grading worksheet of Moodle.
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
        if len(self.fields) == 1 and ";" in self.fields[0]:
            raise ValueError(
                f"{path} has semicolons between its columns, as Excel saves it in some languages: take the file as it "
                "was downloaded, or save it with commas (LibreOffice asks for the field delimiter)"
            )
        if self.by not in self.fields:
            columns = ", ".join(map(repr, self.fields))
            raise ValueError(
                f"{path} has no column {self.by!r}: between commas there are {columns}"
            )
        self.worksheet = self._worksheet()
        self._students = [line for line in self.lines if self._is_student(line)]
        self._distinct = [field for field in self._possible() if _differ(self._students, field)]

    def owners(self, one: Graded) -> List[Row]:
        """Return the lines of the students of whom a notebook can be: one, none, or several with the same name.

        The name that comes first in the path counts, of two there the longer. The number of a participant tells apart
        who has the same name, and finds who is not found by the name.
        """
        of_number = [line for line in self._students if _is_participant(self._first(line), one)]
        if of_number and self.by == self.fields[0]:
            return of_number

        places = []
        for line in self._students:
            place = one.place_of(line[self.by])
            if place is not None:
                places.append((place, -len(_composed(line[self.by])), line))
        if not places:
            return of_number
        first = min((place, length) for place, length, _ in places)
        own = [line for place, length, line in places if (place, length) == first]
        told_apart = [line for line in own if line in of_number]
        return told_apart or own

    def _possible(self) -> List[str]:
        """Return the columns that may have names: in a worksheet of Moodle not the status before the grade."""
        if not self.worksheet:
            return self.fields
        status = self.fields.index(self.worksheet.grade) - 1
        return self.fields[:status]

    def name_of(self, line: Row) -> str:
        """Return the name of a student: the first cell without digits, if that of the column has any.

        Of the other columns only those count in which all students differ, because a status or a group is no name.
        """
        cells = [line[field] or "" for field in (self.by, *self._distinct)]
        names = [cell for cell in cells if cell and not re.search(r"\d", cell)]
        return names[0] if names else cells[0]

    def with_totals(self, graded: List[Graded], most: float) -> List[Row]:
        """Return the lines with the points of each student, the best of several notebooks; none of who has none."""
        lines = []
        for line in self.lines:
            own = [one for one in graded if one.owners == [line]]
            best = max(own, key=_points_or_less, default=None)
            total = best.total if best else None
            if self._first(line) == POSSIBLE:
                total = most
            if self.worksheet:
                lines.append({**line, **_of_worksheet(line, self.worksheet, best, most)})
            else:
                lines.append({**line, TOTAL: _points(total)})
        return lines

    def columns(self) -> List[str]:
        """Return the columns of the table with the points: a worksheet of Moodle has one for them already."""
        return self.fields if self.worksheet else [*self.fields, TOTAL]

    def notes(self, graded: List[Graded]) -> List[str]:
        """Say who handed in nothing, which notebooks are of nobody or of several, and where the grades are."""
        known: List[Row] = []
        strangers = []
        unclear: Dict[str, List[str]] = {}
        for one in graded:
            known.extend(one.owners)
            if not one.owners:
                strangers.append(one.student)
            elif len(one.owners) > 1:
                unclear.setdefault(self.name_of(one.owners[0]), []).append(one.student)

        names = [self.name_of(line) for line in self._students]
        absent = []
        for line, name in zip(self._students, names):
            is_alone = names.count(name) == 1
            if line not in known:
                absent.append(name if is_alone else f"{name} ({self._first(line)})")
        sentences = []
        if absent:
            sentences.append(f"Handed in nothing: {'; '.join(absent)}.")
        if strangers:
            sentences.append(f"Not in the class list: {', '.join(strangers)}.")
        for name, paths in unclear.items():
            sentences.append(
                f"Several students have the name {name}, and nothing tells them apart. So no grade was filled in from "
                f"{', '.join(paths)}: do it by hand, or use --by with a column in which they differ."
            )
        return [*sentences, self._destination()]

    def _destination(self) -> str:
        """Say in which columns the grades are, and why."""
        if self.worksheet is None:
            return (
                f"The points are in a new column, {TOTAL!r}, because the class list is no grading worksheet of Moodle "
                f"that is known. If it is one, name its columns {GRADE!r}, {MAXIMUM!r} and {COMMENTS!r}, and grade "
                "again."
            )
        columns = self.worksheet
        feedback = "nowhere in it"
        if columns.comments:
            feedback = f"in {columns.comments!r}"
        return (
            "The class list is taken for a grading worksheet of Moodle: the grades are in its column "
            f"{columns.grade!r}, with the scale of {columns.maximum!r}, and the feedback is {feedback}."
        )

    def _worksheet(self) -> Optional[Columns]:
        """Return the columns of a worksheet, by their English names or else by where they stand.

        In each language, the first column has the numbers of the participants. The maximum, the same for all, follows
        the grade. The comments are last, empty or from an earlier grading; the dates of the column before are neither.
        """
        if GRADE in self.fields and MAXIMUM in self.fields:
            comments = COMMENTS if COMMENTS in self.fields else None
            return Columns(GRADE, MAXIMUM, comments)
        if not all(_IDENTIFIER.fullmatch(self._first(line)) for line in self.lines):
            return None
        maxima = [field for field in self.fields[2:-1] if self._is_maximum(field)]
        if len(maxima) != 1:
            return None
        [maximum] = maxima
        before = self.fields.index(maximum) - 1
        last = self.fields[-1]
        comments = [line[last] or "" for line in self.lines]
        # after an earlier grading, they are those of the grader
        has_comments = any(cell == "" or cell.startswith(f"{TOTAL}:") for cell in comments)
        return Columns(self.fields[before], maximum, last if has_comments else None)

    def _is_maximum(self, field: str) -> bool:
        """Tell whether a column has the same number above 0 for all."""
        cells = {line[field] for line in self.lines}
        return len(cells) == 1 and _number(cells.pop()) > 0

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
        if self.students:
            one = one._replace(owners=self.students.owners(one))
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

        named = self._named()
        rows_of_page: List[Row] = []
        for one in named:
            rows_of_page.extend(one.rows)
        _write_page(
            self.folder / "grades.html",
            points=[f"{self.most:g}"],
            names=[f"<th class=name>{name}" for name in self.points],
            students=[_line(one) for one in named],
            notes=[f"<p>{html.escape(note)}" for note in notes],
            exercises=[_summary(name, rows, points) for name, points in self.points.items()],
            alike=_alike(rows_of_page),
            messages=[_message(row) for row in rows_of_page if _said(row) or row["answer"]],
        )
        _write_page(
            self.folder / "predictions.html",
            questions=_questions(named),
            tasks=_open_tasks(named),
        )

    def notes(self) -> List[str]:
        """Say what there is to say on the class list."""
        return self.students.notes(self.graded) if self.students else []

    def _named(self) -> List[Graded]:
        """Return the notebooks with the names of their students, where there is a class list that tells them."""
        if self.students is None:
            return self.graded
        names = []
        for one in self.graded:
            has_owner = len(one.owners) == 1
            names.append(self.students.name_of(one.owners[0]) if has_owner else one.student)

        named = []
        for one, name in zip(self.graded, names):
            is_alone = names.count(name) == 1
            named.append(one.called(name) if is_alone else one)
        return named

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


def _of_worksheet(line: Row, columns: Columns, best: Optional[Graded], most: float) -> Row:
    """Return the grade and the comments of a student in Moodle's grading worksheet, in its scale and with its comma."""
    if best is None:
        return {}
    filled = {}
    if columns.comments:
        filled[columns.comments] = html.escape(best.feedback).replace("\n", "<br>")
    if best.total is not None:
        maximum = line.get(columns.maximum) or ""
        grade = best.total
        if most and _number(maximum):
            grade = round(grade * _number(maximum) / most, 2)
        point = "," if "," in maximum else "."
        filled[columns.grade] = f"{grade:g}".replace(".", point)
    return filled


def _points_or_less(one: Graded) -> float:
    """Return the points of a notebook; one that was not graded has less than any."""
    return -1.0 if one.total is None else one.total


def _differ(lines: List[Row], field: str) -> bool:
    """Tell whether a column has another cell in each of several lines."""
    cells = {line[field] for line in lines}
    return len(cells) == len(lines) and len(lines) > 1


def _number(cell: Optional[str]) -> float:
    """Return the number in a cell, also with a comma for the point; 0 where there is none."""
    try:
        return float((cell or "").replace(",", "."))
    except ValueError:
        return 0.0


def _composed(name: str) -> str:
    """Return a name with one character for each letter with its accent, of which some computers make two."""
    return unicodedata.normalize("NFC", name.strip())


def _is_participant(identifier: str, one: Graded) -> bool:
    """Tell whether a notebook has the number of an identifier, such as Participant 101."""
    match = _IDENTIFIER.fullmatch(identifier)
    return bool(match) and match.group(1) == one.participant()


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
    written = [row for row in own if row["result"] not in ("empty", LACKING)]
    n_right = sum(row["result"] == "right" for row in written)
    line = f"<tr><th>{name}<td>{points:g}<td>{n_right}<td>{len(written)}<td>"

    messages = [row["message"] for row in written if row["result"] in ("tried", "begun")]
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
