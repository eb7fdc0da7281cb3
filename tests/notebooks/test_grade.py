"""The grader: a class of 25, each with another thing that students do, in real processes."""

import csv
import json
import os
import subprocess
import sys

import pytest
from answers import FOLDER, generate

CELLS = {cell["id"]: cell for cell in generate.all_cells() if cell["kind"] == "code"}
GOOD = {name: generate.solved(cell["text"]) for name, cell in CELLS.items()}
BLANK = {name: generate.blank(cell["text"]) for name, cell in CELLS.items()}
FIRST = "n_windows = len(arr) // (batch_size * n_steps)"
FORGED = (
    "import os\n    for i in range(3, 40):\n        try: os.write(i, b'[\"<script>\", 1]')\n"
    "        except OSError: pass\n    os._exit(0)\n    rows ="
)
DIGITS = 401 * "9"


def first(line):
    """Return the solved cell of get_batches with lines at the beginning of the function."""
    return GOOD["get_batches"].replace(FIRST, line.replace("\n", "\n    ") + f"\n    {FIRST}")


# By student: the results of get_batches and lstm_step, words of the table, and the cells; a solved lstm_step follows.
CLASS = {
    "whole": ("right right", "the given solution", list(GOOD.values())),
    "blank": ("empty right", "", [BLANK["get_batches"] + "\n\n"]),
    "good": ("right right", "", [first("pass"), GOOD["programs"], GOOD["repairs"], GOOD["quiz"]]),
    "helpers": (
        "right right",
        "",
        [
            "from math import floor",
            "def windows(n, k):\n    return floor(n / k)",
            GOOD["get_batches"].replace(
                FIRST, "n_windows = windows(len(arr), batch_size * n_steps)"
            ),
        ],
    ),
    "swapped": (
        "tried right",
        "x and y are swapped",
        [GOOD["get_batches"].replace("yield x, y", "yield y, x")],
    ),
    "broken": (
        "tried right",
        "not valid Python: Synta",
        [GOOD["get_batches"].replace("yield x, y", "yield x y")],
    ),
    "nested": (
        "tried right",
        "not valid Python",
        ["get_batches = " + 9999 * "(" + "1" + 9999 * ")"],
    ),
    "magics": (
        "right right",
        "",
        ["%matplotlib inline\nt = !ls", "%%time\n" + first("pass") + "\ntf.one_hot?"],
    ),
    "trains": (
        "right right",
        "",
        [first("pass"), "while True: run_epoch(no_session)", "while_true = run_epoch(1, 2)"],
    ),
    "twice": (
        "right right",
        "",
        [GOOD["get_batches"].replace("yield x", "yield 1"), first("pass")],
    ),
    "above": (
        "right right",
        "",
        ["LIMIT = 7", first("assert LIMIT == 7"), "total = sum(1 for _ in iter(int, 1))"],
    ),
    "unchecked": ("right right", "", [first("pass").split("\n\n\nchecks")[0]]),
    "Ann/mine": ("right right", "'Ann/mine'", [first("len(text)")]),
    "=Eve/mine": ("skipped right", "", ['get_batches = checks.skip("lstm_step")']),
    "endless": ("tried right", "did not finish within 60", [first("while True: pass")]),
    "large": ("tried right", "MemoryError", [first("np.ones((60_000, 60_000))")]),
    "loud": (
        "right right",
        "",
        [first("for i in range(9_000): print(i)\nsys.stdout.write(9 ** 7 * 'x')")],
    ),
    "full": ("tried right", "File too large", [first("open('full', 'w').write(10 ** 8 * 'x')")]),
    "leaves": (
        "tried right",
        "ended the process, with the status 3",
        [first("import os; os._exit(3)")],
    ),
    "starts": (
        "right right",
        "",
        [first("import subprocess; subprocess.Popen(['sleep', '4321'])")],
    ),
    "deletes": (
        "right right",
        "",
        ["import os, shutil\ngone = shutil.rmtree(os.getcwd())", first("pass")],
    ),
    "script": (
        "tried right",
        "<script>alert(1)",
        [first("raise ValueError('<script>alert(1)</script>')")],
    ),
    "forged": (
        "right right",
        "with the status 0",
        [first("pass"), GOOD["lstm_gradient"].replace("rows =", FORGED)],
    ),
    "digits": ("right right", "", [first("pass")]),
    "no UTF-\udcff": ("right right", "", [first("pass")]),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of the table by (student, exercise), what was printed, and the folder."""
    folder = tmp_path_factory.mktemp("class")
    for name, (_, _, cells) in CLASS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.ipynb").write_text(
            json.dumps(
                {
                    "cells": [
                        {"cell_type": "code", "source": source}
                        for source in cells + [GOOD["lstm_step"]] * (name != "whole")
                    ]
                }
            )
        )
    # the whole folder
    (folder / "Ann/Anna_KaRNNa_Solution.ipynb").write_text((folder / "whole.ipynb").read_text())
    (folder / "text.ipynb").write_text("[]")
    os.mkfifo(str(folder / "pipe.ipynb"))
    (folder / "=Eve/progress.json").write_text('{"get_batches": {"hints": 2, "attempts": 7}}')
    (folder / "progress.json").write_text(
        f'{{"get_batches": {{"hints": {DIGITS}, "attempts": {DIGITS}}}}}'
    )
    (folder / "course").write_text('{"points": {"get_batches": 3}}')
    done = subprocess.run(
        [sys.executable, str(FOLDER / "grade.py"), ".", "--course=course", "--jobs=3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=str(folder),
    )
    assert done.returncode == 0, done.stdout
    assert subprocess.run(["pgrep", "-f", "sleep 4321"]).returncode == 1
    with open(str(folder / "grades.csv"), encoding="utf-8-sig") as file:
        return (
            {(row["student"], row["exercise"]): row for row in csv.DictReader(file)},
            done.stdout,
            folder,
        )


@pytest.mark.slow
def test_a_class_is_graded(graded):
    rows, printed, folder = graded
    students = {name: name.replace("=", "'=").replace("\udcff", "\\udcff") for name in CLASS}
    assert {
        name: f"{rows[shown, 'get_batches']['result']} {rows[shown, 'lstm_step']['result']}"
        for name, shown in students.items()
    } == {name: results for name, (results, _, _) in CLASS.items()}
    assert [row["result"] for (student, _), row in rows.items() if student == "whole"] == 15 * [
        "right"
    ]
    assert rows["good", "repairs"]["result"] == rows["good", "quiz"]["result"] == "right"
    assert {rows[name, ""]["result"] for name in ("text", "pipe")} == {"not graded"}
    assert [
        rows["'=Eve/mine", "get_batches"][what] for what in ("points", "attempts", "hints")
    ] == ["0", "7", "2"]
    assert [rows["digits", "get_batches"][what] for what in ("points", "attempts", "hints")] == [
        "3",
        "",
        "",
    ]
    assert "docs/teaching.md" in printed and "of 28: no UTF-\\udcff, 4 points" in printed


@pytest.mark.slow
def test_the_table_says_why_and_runs_no_script(graded):
    rows, _, folder = graded
    page = (folder / "grades.html").read_text()
    assert not [
        name
        for name, (_, words, _) in CLASS.items()
        if words not in str([row for (student, _), row in rows.items() if student == name])
    ]
    assert "points of 17" in page and "<small>7 / 2<" in page and "&lt;script&gt;alert(1)" in page
    assert "<script" not in page and "default-src 'none'" in page and DIGITS not in page


def test_a_solution_that_was_given_is_named(tmp_path, capsys):
    import grade

    (tmp_path / generate.SOLUTION.name).write_text(
        generate.SOLUTION.read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert grade.main([str(tmp_path)]) == 0
    assert (
        "1 of 1: Anna_KaRNNa_Solution, the solution as it was given, is not graded"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "argv, said",
    [
        (["nowhere"], "no notebook"),
        ([str(FOLDER), "--course=nowhere"], "nowhere is not a regular file"),
        (
            [str(FOLDER), "--course=wrong.json"],
            "there is no exercise get_batch: they are get_batches, lstm_step",
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
