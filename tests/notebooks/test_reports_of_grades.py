"""What the grader writes on marks: the table by student, the class list, the page of predictions, feedback."""

import csv
import json
import unicodedata
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
    assert report.notes()[:2] == [
        "Handed in nothing: Ray, Bob; Zed, Zoe.",
        "Not in the class list: somebody.",
    ]


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
    with pytest.raises(ValueError, match="has no column 'ID': between commas there are 'a', 'b'"):
        report_of_class("a,b\n1,2\n", "ID")


@pytest.mark.parametrize("by", ["a", None])
def test_a_class_list_with_semicolons_is_refused_with_what_to_do(by, report_of_class):
    with pytest.raises(
        ValueError, match=r"has semicolons .* as it was downloaded, or save it with"
    ):
        report_of_class("a;b\n1;2\n", by)


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


def test_a_file_that_was_not_graded_is_explained_in_the_worksheet(report_of_class, tmp_path):
    report = report_of_class(WORKSHEET, "Full name")
    report.add(notebook("Ann Lee_5_file/mine"), {"": ("not graded", "It is damaged.")})
    _, ann, _ = by_student(tmp_path)
    assert ann[2] == ""
    assert ann[4] == "Anna KaRNNa: not graded<br><br>? this file: not graded<br>It is damaged.<br>"


def test_a_class_list_with_a_grade_of_school_keeps_it(report_of_class, tmp_path):
    report = report_of_class("Name,Grade\nAnn Lee,9\nBob Ray,10\n")
    report.add(notebook("Ann Lee/mine"), marks())
    assert by_student(tmp_path) == [
        ["Name", "Grade", "Anna KaRNNa"],
        ["Ann Lee", "9", "16"],
        ["Bob Ray", "10", ""],
    ]


GERMAN = (
    "ID,Vollständiger Name,Status,Bewertung,Bestwertung,Geändert,Feedback als Kommentar\n"
    'Teilnehmer/in5,Ann Lee,Abgegeben,,"50,00",-,\nTeilnehmer/in6,Bob Ray,Abgegeben,,"50,00",-,\n'
)


@pytest.fixture
def filled_in_german(report_of_class, tmp_path):
    """The line of Ann, with 1 of 16 points, in a worksheet in German, and what is said of the columns."""
    report = report_of_class(GERMAN, "Vollständiger Name")
    report.add(
        notebook("Ann Lee_5_assignsubmission_file/mine"),
        marks(CharRNN="tried", get_batches="tried"),
    )
    head, ann, _ = by_student(tmp_path)
    return dict(zip(head, ann)), report.notes()[-1]


def test_a_worksheet_in_another_language_is_filled_in_its_own_columns(filled_in_german):
    line, _ = filled_in_german
    assert line["Bewertung"] == "3,12"  # 50 / 16
    assert line["Feedback als Kommentar"].startswith("Anna KaRNNa: 1 of 16 points<br>")
    assert "Anna KaRNNa" not in line


def test_it_is_said_which_columns_of_a_worksheet_were_filled(filled_in_german):
    _, said = filled_in_german
    assert said == (
        "The class list is taken for a grading worksheet of Moodle: the grades are in its column 'Bewertung', with "
        "the scale of 'Bestwertung', and the feedback is in 'Feedback als Kommentar'."
    )


def test_it_is_said_why_the_points_are_in_a_new_column(report_of_class):
    said = report_of_class("login\nann\n").notes()[-1]
    assert said.startswith("The points are in a new column, 'Anna KaRNNa', because the class list")
    assert "name its columns 'Grade', 'Maximum grade' and 'Feedback comments'" in said


def test_a_worksheet_without_comments_keeps_its_dates(report_of_class, tmp_path):
    without = GERMAN.replace(",Feedback als Kommentar", "").replace(",-,", ",-")
    report = report_of_class(without, "Vollständiger Name")
    report.add(notebook("Ann Lee_5_assignsubmission_file/mine"), marks())
    assert by_student(tmp_path)[1][3:] == ["50", "50,00", "-"]


def test_another_grading_replaces_the_comments_of_a_worksheet_in_another_language(
    report_of_class, tmp_path
):
    paths = [f"{name}_assignsubmission_file/mine" for name in ("Ann Lee_5", "Bob Ray_6")]
    table = GERMAN
    for wrong in ("get_batches", "CharRNN"):
        report = report_of_class(table, "Vollständiger Name")
        report.add(notebook(paths[0]), marks(**{wrong: "tried"}))
        report.add(notebook(paths[1]), marks(**{wrong: "tried", "lstm_step": "tried"}))
        table = (tmp_path / "grades-by-student.csv").read_text(encoding="utf-8-sig")
    _, ann, bob = by_student(tmp_path)
    assert ann[-1].startswith("Anna KaRNNa: 4 of 16 points<br>")
    assert bob[-1].startswith("Anna KaRNNa: 3 of 16 points<br>")


TWINS = WORKSHEET.replace("Bob Ray", "Ann Lee")


@pytest.mark.parametrize("by", ["Full name", "Identifier"])
def test_two_students_of_one_name_are_told_apart_by_their_number(by, report_of_class, tmp_path):
    report = report_of_class(TWINS, by)
    report.add(notebook("Ann Lee_6_assignsubmission_file/mine"), marks())
    report.add(notebook("Ann Lee_5_assignsubmission_file/mine"), marks(CharRNN="tried"))
    _, first, second = by_student(tmp_path)
    assert (first[2], second[2]) == ("25", "100")
    assert "4 of 16 points" in first[4]


def test_a_number_finds_a_student_whose_group_stands_before_the_name(report_of_class, tmp_path):
    report = report_of_class(WORKSHEET, "Full name")
    report.add(notebook("Group A-Ann Lee_5_assignsubmission_file_/mine"), marks())
    _, ann, bob = by_student(tmp_path)
    assert (ann[2], bob[2]) == ("100", "")


def test_of_two_students_of_one_name_it_is_said_which_handed_in_nothing(report_of_class):
    report = report_of_class(TWINS, "Full name")
    report.add(notebook("Ann Lee_6_assignsubmission_file/mine"), marks())
    assert report.notes()[0] == "Handed in nothing: Ann Lee (Participant 5)."


def test_two_students_of_one_name_have_no_grade_where_nothing_tells_them_apart(
    report_of_class, tmp_path
):
    report = report_of_class(TWINS, "Full name")
    report.add(notebook("Ann Lee/mine"), marks())
    _, first, second = by_student(tmp_path)
    assert [first[2], first[4], second[2], second[4]] == 4 * [""]
    assert report.notes()[0].startswith(
        "Several students have the name Ann Lee, and nothing tells them apart. So no grade was filled in from "
        "Ann Lee/mine: do it by hand"
    )


@pytest.mark.parametrize(
    "path", ["Ann Lee_5_file/Bob Ray", "Ann Lee/5_6_assignsubmission_file/mine", "Ann Lee_Bob/x"]
)
def test_the_name_that_comes_first_in_the_path_counts(path, report_of_class, tmp_path):
    report = report_of_class("name\nBob Ray\nBob\nAnn Lee\n")
    report.add(notebook(path), marks())
    assert by_student(tmp_path)[1:] == [["Bob Ray", ""], ["Bob", ""], ["Ann Lee", "16"]]


def test_of_two_names_in_one_place_the_longer_counts(report_of_class, tmp_path):
    report = report_of_class("login\nann\nann_lee\n")
    report.add(notebook("ann_lee/mine"), marks())
    assert by_student(tmp_path)[1:] == [["ann", ""], ["ann_lee", "16"]]


def test_a_name_whose_accents_are_characters_of_their_own_is_found(report_of_class, tmp_path):
    report = report_of_class("name\nJörg Weiß\n")
    report.add(notebook(unicodedata.normalize("NFD", "Jörg Weiß_5_file/mine")), marks())
    assert by_student(tmp_path)[1] == ["Jörg Weiß", "16"]


def page_of(report, *students):
    for student in students:
        report.add(notebook(student), marks())
    return (report.folder / "grades.html").read_text(encoding="utf-8")


# where names are hidden
HIDDEN = (
    "Identifier,Status,Grade,Maximum grade,Feedback comments\n"
    "Participant 5,Submitted for grading,,100.00,\nParticipant 6,No submission,,100.00,\n"
    "Participant 7,No submission,,100.00,\n"
)


@pytest.mark.parametrize("n_students", [1, 2, 3])
def test_the_page_has_no_status_for_a_name(n_students, report_of_class):
    lines = HIDDEN.splitlines(keepends=True)
    report = report_of_class("".join(lines[: n_students + 1]), "Identifier")
    page = page_of(report, "Participant_5_assignsubmission_file/mine")
    assert "<th class=student>Participant 5<td>16" in page


# as Moodle makes it: with the status before the grade
WITH_STATUS = WORKSHEET.replace("name,", "name,Status,").replace(",,", ",No submission,,")


def test_who_handed_in_nothing_has_the_name_that_the_page_would_have(report_of_class):
    report = report_of_class(WITH_STATUS, "Identifier")
    assert report.notes()[0] == "Handed in nothing: Ann Lee; Bob Ray."


@pytest.mark.parametrize("by", ["Full name", "Identifier"])
def test_the_page_has_the_names_of_the_class_list(by, report_of_class):
    page = page_of(report_of_class(WITH_STATUS, by), "Ann Lee_5_assignsubmission_file/mine")
    assert "<th class=student>Ann Lee<td>16" in page
    assert "assignsubmission" not in page


def test_the_page_has_the_paths_of_those_who_have_one_name(report_of_class):
    paths = [f"Ann Lee_{number}_assignsubmission_file/mine" for number in (5, 6)]
    page = page_of(report_of_class(TWINS, "Full name"), *paths)
    assert "Ann Lee_<wbr>5_<wbr>assignsubmission_<wbr>file/<wbr>mine<td>16" in page


def test_who_wrote_something_is_counted_under_a_word_of_its_own(report):
    page = page_of(report, "ann")
    assert "<th>right<th>not empty<th>" in page
    assert "<th>lstm_step<td>1<td>1<td>1<td>" in page


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
