"""What the grader writes on marks: the table by student, the class list, the page of predictions, feedback."""

import csv
import json
import zipfile
from pathlib import Path

import pytest
from handed_in import Notebook
from reports import ClassList, Report

POINTS = {"get_batches": 3.0, "lstm_step": 1.0, "CharRNN": 12.0}
CANVAS = (
    "Student,ID,Section\n    Points Possible,,\n"
    '"Lee, Ann",101,A\n"Ray, Bob",102,A\n"Zed, Zoe",103,A\n'
)
UNFOLD = '\ngiven.unfold("toy-graph", prediction)'


def notebook(student, *cells, **by_id):
    return Notebook(Path("nowhere"), student, digest="", cells=list(cells), by_id=by_id)


def marks(**results):
    """Return marks, in which everything is right that has no other result."""
    return {name: (results.get(name, "right"), f"{name} says.") for name in POINTS}


@pytest.fixture
def report(tmp_path):
    """A report without a class list."""
    return Report(tmp_path, POINTS, None)


@pytest.fixture
def report_of_class(tmp_path):
    """Return a function that makes a report for a class list."""

    def made(table, by=None):
        path = tmp_path / "class.csv"
        path.write_text(table, encoding="utf-8-sig")
        return Report(tmp_path, POINTS, ClassList(path, by))

    return made


def by_student(folder):
    with open(str(folder / "grades-by-student.csv"), encoding="utf-8-sig", newline="") as file:
        return [list(line) for line in csv.reader(file)]


def test_each_student_has_a_line_with_the_points(report, tmp_path):
    report.add(notebook("ann"), marks())
    report.add(notebook("bob"), marks(get_batches="tried"))
    assert by_student(tmp_path) == [
        ["student", "Anna KaRNNa"],
        ["ann", "16"],
        ["bob", "13"],
    ]


def test_a_file_that_was_not_graded_has_no_points(report, tmp_path):
    said = report.add(notebook("ann"), {"": ("not graded", "It is damaged.")})
    assert said == "not graded"
    assert by_student(tmp_path)[1] == ["ann", ""]


def test_an_exercise_that_a_notebook_lacks_costs_nothing(report):
    lacking = marks(lstm_step="not in this notebook", get_batches="tried")
    assert report.add(notebook("ann"), lacking) == "12.8 of 16 points"  # 16 · 12 / 15


def test_a_notebook_that_lacks_all_that_has_points_has_none(tmp_path):
    report = Report(tmp_path, {**dict.fromkeys(POINTS, 0), "lstm_step": 1}, None)
    lacking = marks(lstm_step="not in this notebook")
    assert report.add(notebook("ann"), lacking) == "0 of 1 points"


def test_a_class_list_keeps_its_columns_and_gets_one_more(report_of_class, tmp_path):
    report = report_of_class(CANVAS, "ID")
    report.add(notebook("lee_101_77_Anna_KaRNNa"), marks())
    report.add(notebook("ray_102_78_Anna_KaRNNa"), marks(get_batches="skipped"))
    assert by_student(tmp_path) == [
        ["Student", "ID", "Section", "Anna KaRNNa"],
        ["    Points Possible", "", "", "16"],
        ["Lee, Ann", "101", "A", "16"],
        ["Ray, Bob", "102", "A", "13"],
        ["Zed, Zoe", "103", "A", ""],
    ]


def test_who_handed_in_nothing_is_named(report_of_class):
    report = report_of_class(CANVAS, "ID")
    report.add(notebook("lee_101_77_Anna_KaRNNa"), marks())
    report.add(notebook("somebody"), marks())
    assert report.notes() == ["Handed in nothing: 102, 103.", "Not in the class list: somebody."]


def test_the_page_says_nothing_of_the_others_before_all_are_graded(report_of_class, tmp_path):
    report = report_of_class(CANVAS, "ID")
    report.add(notebook("lee_101_77_Anna_KaRNNa"), marks())
    assert "Handed in nothing" not in (tmp_path / "grades.html").read_text(encoding="utf-8")


def test_the_page_has_the_first_line_of_what_is_said_to_a_right_answer(report, tmp_path):
    report.add(notebook("ann"), {**marks(), "CharRNN": ("right", "One remark.\nReasons.")})
    page = (tmp_path / "grades.html").read_text(encoding="utf-8")
    assert "ann: CharRNN, right</h3><p>One remark.\n<h" in page


def test_a_long_path_can_break_on_the_page(report, tmp_path):
    report.add(notebook("Ann_5_file/mine"), marks())
    page = (tmp_path / "grades.html").read_text(encoding="utf-8")
    assert "Ann_<wbr>5_<wbr>file/<wbr>mine" in page


@pytest.mark.parametrize(
    "path, is_found",
    [
        ("Ann Lee_5_assignsubmission_file/Anna_KaRNNa", True),
        ("ann lee/mine", True),
        ("Joann Lee/mine", False),
        ("Ann Leeds_6_file/mine", False),
    ],
)
def test_a_student_is_found_by_a_whole_part_of_the_path(path, is_found, report_of_class, tmp_path):
    report = report_of_class("Full name,Email\nAnn Lee,ann@x.org\n")
    report.add(notebook(path), marks())
    assert by_student(tmp_path)[1][-1] == ("16" if is_found else "")


def test_a_student_called_anna_does_not_get_the_points_of_others(report_of_class, tmp_path):
    report = report_of_class("login\nanna\nbob\n")
    report.add(notebook("bob/Anna_KaRNNa"), marks())
    assert by_student(tmp_path)[1:] == [["anna", ""], ["bob", "16"]]


def test_of_several_notebooks_of_a_student_the_best_counts(report_of_class, tmp_path):
    report = report_of_class("login\nbob\n")
    report.add(notebook("bob/first"), marks())
    report.add(notebook("bob/second"), marks(get_batches="tried"))
    assert by_student(tmp_path)[1] == ["bob", "16"]


def test_a_class_list_without_the_column_is_refused(report_of_class):
    with pytest.raises(ValueError, match="has no column 'ID': between commas there are 'a;b'"):
        report_of_class("a;b\n1;2\n", "ID")


def test_a_class_list_with_semicolons_is_refused(report_of_class):
    with pytest.raises(ValueError, match="the single column 'a;b': save it with commas"):
        report_of_class("a;b\n1;2\n", None)


def test_feedback_has_the_points_and_what_the_checks_say(report, tmp_path):
    report.add(notebook("Ann/mine"), marks(get_batches="tried"))
    text = (tmp_path / "feedback/Ann/mine.txt").read_text(encoding="utf-8")
    begin = "Anna KaRNNa: 13 of 16 points\n\n✗ get_batches: tried\nget_batches says.\n\n✓ "
    assert text.startswith(begin)


def predictions_page(report, *notebooks):
    report.write()
    for one in notebooks:
        report.add(one, marks())
    return (report.folder / "predictions.html").read_text(encoding="utf-8")


def test_the_page_counts_the_predictions_without_names(report):
    cells = [f"prediction = {value!r}{UNFOLD}" for value in ("<6>", "12", "<6>")]
    notebooks = [notebook(f"student {place}", cell) for place, cell in enumerate(cells)]
    page = predictions_page(report, *notebooks)
    assert "<td><p>&lt;6&gt; <small>(2 times)</small><p>12" in page
    assert "student 0" not in page


def test_the_page_has_the_questions_with_their_answers_folded(report):
    page = predictions_page(report)
    asked = "<th>toy-graph<td>What do the four lines that are printed show?<details><summary>"
    assert asked in page


def test_code_in_a_question_is_code_on_the_page(report):
    assert "begins with the letters <code>Chapter 1</code>." in predictions_page(report)


def test_the_page_has_what_was_written_for_open_tasks(report):
    page = predictions_page(report, notebook("ann", **{"task-unit": "print('<b>')"}))
    assert "<summary>ann</summary><pre>print(&#x27;&lt;b&gt;&#x27;)</pre>" in page


def test_a_mistake_that_is_named_gets_its_share(tmp_path):
    report = Report(tmp_path, POINTS, None, begun=0.5)
    assert report.add(notebook("ann"), marks(get_batches="begun")) == "14.5 of 16 points"


def test_a_share_is_at_most_all_of_the_points(tmp_path):
    with pytest.raises(ValueError, match="the share of the points of a mistake that is named"):
        Report(tmp_path, POINTS, None, begun=50)


WORKSHEET = (
    "Identifier,Full name,Grade,Maximum grade,Feedback comments\n"
    "Participant 5,Ann Lee,,100.00,\nParticipant 6,Bob Ray,,100.00,\n"
)


def test_a_worksheet_of_moodle_is_filled(report_of_class, tmp_path):
    report = report_of_class(WORKSHEET, "Full name")
    report.add(notebook("Ann Lee_5_assignsubmission_file/mine"), marks(CharRNN="tried"))
    head, ann, bob = by_student(tmp_path)
    assert head == ["Identifier", "Full name", "Grade", "Maximum grade", "Feedback comments"]
    assert ann[2] == "25"
    assert ann[4].startswith("Anna KaRNNa: 4 of 16 points<br><br>✓ get_batches: right<br>")
    assert bob[2:] == ["", "100.00", ""]


def test_the_zip_has_the_feedback_under_the_paths_of_the_notebooks(report, tmp_path):
    report.add(notebook("Ann Lee_5_assignsubmission_file/mine"), marks())
    report.write_for_import()
    with zipfile.ZipFile(str(tmp_path / "feedback.zip")) as file:
        (name,) = file.namelist()
        assert name == "Ann Lee_5_assignsubmission_file/mine.txt"
        assert file.read(name).decode().startswith("Anna KaRNNa: 16 of 16 points")


def results(report, *students):
    for student in students:
        report.add(notebook(student), marks(CharRNN="tried"))
    report.write_for_import()
    path = report.folder / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def test_a_single_notebook_has_the_results_that_gradescope_reads(report):
    graded = results(report, "ann")
    assert graded["score"] == 4
    assert graded["tests"][-1] == {
        "name": "CharRNN",
        "score": 0,
        "max_score": 12.0,
        "status": "failed",
        "output": "CharRNN says.",
    }


def test_a_class_has_no_results_for_gradescope(report):
    assert results(report, "ann", "bob") is None


def page_with(report, **code):
    for student, answer in code.items():
        report.add(notebook(student), marks(), {"get_batches": answer})
    return (report.folder / "grades.html").read_text(encoding="utf-8")


def test_the_code_of_an_answer_is_folded_below_its_verdict(report):
    page = page_with(report, ann="x < 1")
    shown = "get_batches says.<details><summary>the code</summary><pre>x &lt; 1</pre></details>"
    assert shown in page


def test_who_wrote_the_same_is_shown_whatever_the_layout(report):
    same = 'def f(x):\n    "Text."\n    return  x  # mine'
    page = page_with(report, ann="def f(x):\n    return x", bob=same, cat="def f(y):\n    return y")
    assert "<th>get_batches<td>2<td>ann, bob" in page


def test_minutes_are_on_the_page(tmp_path, report):
    path = tmp_path / "ann.ipynb"
    times = '{"get_batches": {"first": 1800000000, "last": 1800000300}}'
    path.with_suffix(".progress.json").write_text(times)
    report.add(notebook("ann")._replace(path=path), marks())
    assert "title='get_batches: right, 5 minutes'" in (tmp_path / "grades.html").read_text(
        encoding="utf-8"
    )
