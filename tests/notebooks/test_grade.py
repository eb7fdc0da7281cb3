"""The grader: a class of 25, each with another thing that students do, in real processes."""

import csv
import json
import os
import subprocess
import sys
from typing import Dict, List, NamedTuple, Tuple

import pytest
from cells import FOLDER, generate

CELLS = {cell["id"]: cell for cell in generate.all_cells() if cell["kind"] == "code"}
GOOD = {name: generate.solved(cell["text"]) for name, cell in CELLS.items()}
BLANK = {name: generate.blank(cell["text"]) for name, cell in CELLS.items()}
FIRST = "n_windows = len(arr) // (batch_size * n_steps)"
FORGED = (
    "import os\n    for i in range(3, 40):\n        try: os.write(i, b'[\"<script>\", 1]')\n"
    "        except OSError: pass\n    os._exit(0)\n    rows ="
)
DIGITS = 401 * "9"


def first(lines):
    """Return the solved cell of get_batches with lines at the beginning of the function."""
    indented = lines.replace("\n", "\n    ")
    return GOOD["get_batches"].replace(FIRST, f"{indented}\n    {FIRST}")


NETWORK = [
    f"{GOOD[name]}\n# by hand"
    for name in ("build_lstm", "build_output", "build_optimizer", "CharRNN")
]
# How a student writes get_batches
SWAPPED = GOOD["get_batches"].replace("yield x, y", "yield y, x")
INVALID = GOOD["get_batches"].replace("yield x, y", "yield x y")
DEEP = "get_batches = " + 9999 * "(" + "1" + 9999 * ")"
WITH_HELPER = GOOD["get_batches"].replace(
    FIRST, "n_windows = windows(len(arr), batch_size * n_steps)"
)
WRONG = GOOD["get_batches"].replace("yield x", "yield 1")
WITHOUT_CHECK, *_ = first("pass").split("\n\n\nchecks")
RENAMED = (
    first("pass")
    .replace("get_batches", "batches_of")
    .replace("check_batches_of", "check_get_batches")
)
SKIPPED = 'get_batches = checks.skip("lstm_step")'
INDENTED = WITH_HELPER.replace("\n", "\n    ")
PRINTS = "for i in range(9_000): print(i)\nsys.stdout.write(9 ** 7 * 'x')"
REFUSED = "A skip that is refused, or has no name before it, assigns nothing."
SCRIPT = "raise ValueError('<script>alert(1)</script>')"


class Student(NamedTuple):
    """A student of the class.

    Attributes:
        result: of get_batches.
        said: words of the table.
        cells: those of the notebook. The solved lstm_step follows.
    """

    result: str
    said: str
    cells: List[str]


CLASS = {
    "whole": Student("right", "the given solution", list(GOOD.values())),
    "blank": Student("empty", "", [BLANK["get_batches"] + "\n\n"]),
    "good": Student("right", "", [first("pass"), GOOD["programs"], GOOD["repairs"], GOOD["quiz"]]),
    "helpers": Student(
        "right",
        "",
        [
            "from math import floor",
            "def windows(n, k):\n    return floor(n / k)",
            WITH_HELPER,
        ],
    ),
    "inside": Student(
        "right",
        "",
        [
            "try:\n    from math import floor\nexcept ImportError:\n    from math import ceil as floor",
            "with open(os.devnull) as nothing:\n    def windows(n, k):\n        return floor(n / k)",
            f"if nothing.closed:\n    {INDENTED}\nelse:\n    get_batches = None",
        ],
    ),
    "swapped": Student("begun", "x and y are swapped", [SWAPPED]),
    "broken": Student("tried", "not valid Python: Synta", [INVALID]),
    "nested": Student("tried", "not valid Python", [DEEP]),
    "magics": Student(
        "right",
        "",
        ["%matplotlib inline\nt = !ls", f"%%time\n{first('pass')}\ntf.one_hot?"],
    ),
    "trains": Student(
        "right",
        "",
        [first("pass"), "while True: run_epoch(no_session)", "while_true = run_epoch(1, 2)"],
    ),
    "twice": Student("right", "", [WRONG, first("pass")]),
    "above": Student(
        "right",
        "",
        ["LIMIT = 7", first("assert LIMIT == 7"), "total = sum(1 for _ in iter(int, 1))"],
    ),
    "unchecked": Student("right", "", [WITHOUT_CHECK]),
    "renamed": Student(
        "right",
        "It is right, and named batches_of: the cells below need the name get_batches",
        [RENAMED],
    ),
    "Ann/mine": Student("right", "'Ann/mine'", [first("len(text)")]),
    "=Eve/mine": Student("skipped", "", [SKIPPED]),
    "skips": Student("tried", "No cell defines get_batches", ['checks.skip("get_batches")']),
    "one mistake": Student(
        "right",
        "It is right with the build_ functions of the solution. With those of the notebook: It uses build_loss",
        [first("pass"), *NETWORK, GOOD["build_loss"].replace("reduce_mean", "reduce_sum")],
    ),
    "endless": Student("tried", "did not finish within 60", [first("while True: pass")]),
    "large": Student("tried", "MemoryError", [first("np.ones((60_000, 60_000))")]),
    "loud": Student("right", "", [first(PRINTS)]),
    "full": Student("tried", "File too large", [first("open('full', 'w').write(10 ** 8 * 'x')")]),
    "leaves": Student(
        "tried",
        "ended the process, with the status 3",
        [first("import os; os._exit(3)")],
    ),
    "starts": Student(
        "right", "", [first("import subprocess; subprocess.Popen(['sleep', '4321'])")]
    ),
    "deletes": Student(
        "right", "", ["import os, shutil\ngone = shutil.rmtree(os.getcwd())", first("pass")]
    ),
    "script": Student("tried", "<script>alert(1)", [first(SCRIPT)]),
    "forged": Student(
        "right",
        "with the status 0",
        [first("pass"), GOOD["lstm_gradient"].replace("rows =", FORGED)],
    ),
    "digits": Student("right", "", [first("pass")]),
    "no UTF-\udcff": Student("right", "", [first("pass")]),
}


def write_notebook(path, cells):
    path.parent.mkdir(exist_ok=True)
    sources = [{"cell_type": "code", "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": sources}))


class Graded(NamedTuple):
    """A class that was graded.

    Attributes:
        rows: those of the table, by student and exercise.
        printed: what the grader has printed.
        page: grades.html.
    """

    rows: Dict[Tuple[str, str], Dict[str, str]]
    printed: str
    page: str

    def of(self, student):
        """Return the rows of a student, whose name stands in the table as a spreadsheet can show it."""
        name = student.replace("\udcff", "\\udcff")
        if name.startswith("="):
            name = f"'{name}"
        return {exercise: row for (other, exercise), row in self.rows.items() if other == name}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    for name, student in CLASS.items():
        cells = student.cells
        if name != "whole":
            cells = [*cells, GOOD["lstm_step"]]
        write_notebook(folder / f"{name}.ipynb", cells)
    # a solution in a folder that somebody handed in whole
    write_notebook(folder / "Ann/Anna_KaRNNa_Solution.ipynb", CLASS["whole"].cells)
    (folder / "text.ipynb").write_text("[]")
    os.mkfifo(str(folder / "pipe.ipynb"))
    (folder / "=Eve/progress.json").write_text('{"get_batches": {"hints": 2, "attempts": 7}}')
    spoilt = f'{{"get_batches": {{"hints": {DIGITS}, "attempts": {DIGITS}}}}}'
    (folder / "progress.json").write_text(spoilt)
    (folder / "course").write_text('{"points": {"get_batches": 3}}')

    command = [sys.executable, str(FOLDER / "grade.py"), ".", "--course=course", "--jobs=3"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=str(folder),
    )
    assert done.returncode == 0, done.stdout
    with open(str(folder / "grades.csv"), encoding="utf-8-sig") as file:
        rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
    # Python 3.7 prints this line for a program that is nested too deeply.
    printed = done.stdout.replace("s_push: parser stack overflow\n", "")
    return Graded(rows, printed, (folder / "grades.html").read_text())


def test_a_python_without_the_packages_is_told_so(tmp_path):
    command = [sys.executable, "-S", str(FOLDER / "grade.py"), str(tmp_path)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env={})
    assert done.returncode == 1
    assert done.stderr.startswith("grade.py: error: No module named ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASS)
def test_an_answer_gets_its_mark(graded, name):
    assert graded.of(name)["get_batches"]["result"] == CLASS[name].result


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASS)
def test_another_exercise_of_the_notebook_is_graded(graded, name):
    assert graded.of(name)["lstm_step"]["result"] == "right"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CLASS if CLASS[name].said])
def test_the_table_says_why(graded, name):
    assert CLASS[name].said in str(list(graded.of(name).values()))


@pytest.mark.slow
def test_the_solution_is_right(graded):
    assert [row["result"] for row in graded.of("whole").values()] == 16 * ["right"]


@pytest.mark.slow
@pytest.mark.parametrize("exercise, result", [("build_loss", "begun"), ("CharRNN", "right")])
def test_one_mistake_costs_once(graded, exercise, result):
    assert graded.of("one mistake")[exercise]["result"] == result


@pytest.mark.slow
@pytest.mark.parametrize("exercise, is_named", [("lstm_step", True), ("repairs", False)])
def test_a_function_that_was_copied_is_named(graded, exercise, is_named):
    assert ("the given solution" in graded.of("good")[exercise]["message"]) == is_named


@pytest.mark.slow
def test_a_teacher_reads_no_hint_for_the_student(graded):
    assert "checks.hint" not in graded.page


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ["repairs", "quiz"])
def test_what_is_no_function_is_graded(graded, exercise):
    assert graded.of("good")[exercise]["result"] == "right"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text", "pipe"])
def test_a_file_that_is_no_notebook_is_not_graded(graded, name):
    assert graded.of(name)[""]["result"] == "not graded"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, points, attempts, hints",
    [("=Eve/mine", "0", "7", "2"), ("digits", "3", "", "")],
    ids=["progress", "spoilt progress"],
)
def test_points_attempts_and_hints_are_in_the_table(graded, name, points, attempts, hints):
    row = graded.of(name)["get_batches"]
    assert (row["points"], row["attempts"], row["hints"]) == (points, attempts, hints)


@pytest.mark.slow
def test_what_a_student_has_started_is_ended(graded):
    assert subprocess.run(["pgrep", "-f", "sleep 4321"]).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", ["docs/teaching.md", "of 32: no UTF-\\udcff, 4 of 18 points"])
def test_the_grader_prints_a_warning_and_the_points(graded, part):
    assert part in graded.printed


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    ["points of 18", "<small>7 / 2<", "&lt;script&gt;alert(1)", "default-src 'none'"],
)
def test_the_page_has_points_counts_and_messages(graded, part):
    assert part in graded.page


@pytest.mark.slow
@pytest.mark.parametrize("part", ["<script", DIGITS])
def test_the_page_has_nothing_that_students_smuggle_in(graded, part):
    assert part not in graded.page


@pytest.fixture
def marked(monkeypatch):
    """The cells of the notebooks that are graded, of which everything is right."""
    import grade

    notebooks = []

    def all_right(cells, names, jobs):
        notebooks.append(cells)
        return dict.fromkeys(grade.EXERCISES, ("right", ""))

    monkeypatch.setattr(grade, "grade", all_right)
    return notebooks


def test_a_second_grading_does_the_late_notebook_only(tmp_path, marked):
    import grade

    write_notebook(tmp_path / "ann.ipynb", ["x = 1"])
    grade.main([str(tmp_path)])
    write_notebook(tmp_path / "bob.ipynb", ["x = 2"])
    grade.main([str(tmp_path)])
    assert marked == [["x = 1"], ["x = 2"]]
    assert (tmp_path / "grades-by-student.csv").read_text().split()[-2:] == ["ann,16", "bob,16"]


def test_a_notebook_that_has_changed_is_graded_again(tmp_path, marked):
    import grade

    for cell in ("x = 1", "x = 2"):
        write_notebook(tmp_path / "ann.ipynb", [cell])
        grade.main([str(tmp_path)])
    assert marked == [["x = 1"], ["x = 2"]]


def test_a_notebook_whose_time_was_over_is_graded_again(tmp_path, marked):
    import grade

    write_notebook(tmp_path / "ann.ipynb", ["x = 1"])
    grade.main([str(tmp_path)])
    kept = tmp_path / "grades.json"
    over = '"tried", "It is the given solution, letter for letter. No mark: the time was over."'
    kept.write_text(kept.read_text().replace('"right", ""', over, 1))
    grade.main([str(tmp_path)])
    assert marked == [["x = 1"], ["x = 1"]]


def test_the_grader_names_who_handed_in_nothing(tmp_path, marked, capsys):
    import grade

    write_notebook(tmp_path / "ann.ipynb", ["x = 1"])
    (tmp_path / "class.csv").write_text("login,name\nann,Ann\nbob,Bob\n")
    grade.main([str(tmp_path), f"--students={tmp_path / 'class.csv'}"])
    assert "Handed in nothing: bob." in capsys.readouterr().out


def test_the_page_of_a_whole_class_names_who_handed_in_nothing(tmp_path, marked):
    import grade

    write_notebook(tmp_path / "ann.ipynb", ["x = 1"])
    (tmp_path / "class.csv").write_text("login,name\nann,Ann\nbob,Bob\n")
    grade.main([str(tmp_path), f"--students={tmp_path / 'class.csv'}"])
    assert "Handed in nothing: bob." in (tmp_path / "grades.html").read_text(encoding="utf-8")


# what only a notebook of version 3.1 has
EARLIER = 'prediction = 1\ngiven.unfold("gates", prediction)'


@pytest.mark.parametrize(
    "cells, result",
    [
        ([EARLIER], "not in this notebook"),
        (["x = 1"], "empty"),
        ([BLANK["softmax_layer"]], "empty"),
        ([EARLIER, BLANK["softmax_layer"]], "empty"),
    ],
    ids=["begun with version 3.1", "deleted", "blank", "blank and 3.1"],
)
def test_an_exercise_is_lacking_only_where_the_notebook_is_an_earlier_one(cells, result):
    import grade

    marks = grade.grade(cells, names={}, jobs=1)
    assert marks["softmax_layer"] == (result, "")


def test_repairs_that_were_deleted_are_empty():
    import grade

    programs = GOOD["programs"] + "\nan_earlier_version = True"
    marks = grade.grade([programs], names={}, jobs=1)
    assert marks["repairs"] == ("empty", "")


@pytest.mark.parametrize(
    "exercise, answer, skipping, result",
    [
        ("get_batches", SWAPPED, True, "begun"),
        ("get_batches", f"import checks\n{SWAPPED}", True, "begun"),
        ("lstm_step", GOOD["lstm_step"], False, "right"),
        ("lstm_step", GOOD["lstm_step"], True, "skipped"),
    ],
    ids=["no solution to give", "in an earlier notebook", "not in this course", "given"],
)
def test_a_skip_that_is_refused_leaves_the_answer_above_it(
    exercise, answer, skipping, result, monkeypatch
):
    import grade

    monkeypatch.setattr(grade.checks.progress, "exercises", {})
    cells = [answer, f'{exercise} = checks.skip("{exercise}")']
    found, _ = grade.judge(exercise, cells, grade.given_names(skipping))
    assert found == result


def test_a_skip_that_is_refused_is_named_where_there_is_no_answer():
    import grade

    cells = ['get_batches = checks.skip("get_batches")']
    _, said = grade.judge("get_batches", cells, grade.given_names())
    assert said.endswith(f" anything to it. {REFUSED}")


def test_a_skip_of_another_exercise_is_not_called_refused():
    import grade

    cells = [INVALID, 'lstm_step = checks.skip("lstm_step")']
    _, said = grade.judge("get_batches", cells, grade.given_names())
    assert "not valid Python" in said
    assert "skip" not in said


def test_what_is_said_of_several_cells_is_several_sentences():
    import grade

    cells = ["import sys\nx = sys.exit()", 'get_batches = checks.skip("get_batches")']
    _, said = grade.judge("get_batches", cells, grade.given_names())
    assert said.endswith(f"SystemExit: use return instead. {REFUSED}")


def test_another_rule_for_skipping_grades_again(tmp_path, marked):
    import grade

    write_notebook(tmp_path / "ann.ipynb", ["x = 1"])
    (tmp_path / "course.json").write_text('{"skip": false}')
    for course in ([], ["--course", str(tmp_path / "course.json")]):
        grade.main([str(tmp_path), *course])
    assert marked == [["x = 1"], ["x = 1"]]


def test_a_solution_that_was_given_is_named(tmp_path, capsys):
    import grade

    (tmp_path / generate.SOLUTION.name).write_text(
        generate.SOLUTION.read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert grade.main([str(tmp_path)]) == 0
    expected = "1 of 1: Anna_KaRNNa_Solution, it is as it was given, and not graded"
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv, said",
    [
        (["nowhere"], "no notebook"),
        ([str(FOLDER), "--course=nowhere"], "nowhere is not a regular file"),
        (
            [str(FOLDER), "--course=wrong.json"],
            "there is no exercise get_batch: they are softmax_layer, get_batches",
        ),
    ],
)
def test_what_cannot_be_graded_is_refused(argv, said, tmp_path, monkeypatch, capsys):
    import grade

    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.json").write_text('{"points": {"get_batch": 3}}')
    with pytest.raises(SystemExit, match="2"):
        grade.main(argv)
    assert said in capsys.readouterr().err
