"""The grader: ten notebooks of one class, each with another thing that students do, graded by a real process."""
import csv
import json
import socket
import subprocess
import sys

import pytest
from answers import CHECKS, EXERCISES, FOLDER, generate

GOOD = {cell["id"]: generate.solved(cell["text"]) for cell in generate.all_cells()}
BLANK = {cell["id"]: generate.blank(cell["text"]) for cell in generate.all_cells()}
FIRST = "n_windows = len(arr) // (batch_size * n_steps)"


def notebook(*sources):
    return json.dumps({"cells": [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]})


def first_line(line):
    """Return the solved cell of get_batches with a line at the beginning of the function."""
    return GOOD["get_batches"].replace(FIRST, f"{line}\n    {FIRST}")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of the table by (student, exercise), what was printed, and the folder."""
    folder = tmp_path_factory.mktemp("class")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        server.settimeout(0.1)
        port = server.getsockname()[1]
        for name, cells in {
                "blank": [BLANK["get_batches"], BLANK["lstm_step"]],
                "good": [GOOD["get_batches"], GOOD["lstm_step"], GOOD["programs"], GOOD["repairs"], GOOD["quiz"],
                         GOOD["hyperparameters"]],
                "helpers": ["from math import floor", "def windows(n, k):\n    return floor(n / k)",
                            GOOD["get_batches"].replace(FIRST, "n_windows = windows(len(arr), batch_size * n_steps)")],
                "wrong": [GOOD["get_batches"].replace("yield x, y", "yield y, x"), GOOD["lstm_step"]],
                "endless": [first_line("while True: pass"), GOOD["lstm_step"]],
                "large": [first_line("np.ones((60_000, 60_000))")],
                "loud": ["%matplotlib inline\n" + GOOD["get_batches"] + "\nfor i in range(10 ** 6): print(i)"],
                "broken": [GOOD["get_batches"].replace("yield x, y", "yield x y"), GOOD["lstm_step"]],
                "leaves": [GOOD["get_batches"], "import os\n" + GOOD["lstm_step"] + "\nos._exit(0)"]}.items():
            (folder / f"{name}.ipynb").write_text(notebook(*cells), encoding="utf-8")
        (folder / "=Eve").mkdir()
        line = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        (folder / "=Eve" / "mine.ipynb").write_text(notebook(
            first_line(line), 'lstm_step = checks.skip("lstm_step")\nchecks.check_lstm_step(lstm_step);'))
        (folder / "=Eve" / "progress.json").write_text('{"get_batches": {"hints": 2, "attempts": 7}}')
        (folder / "course.json").write_text('{"points": {"get_batches": 3}}')
        done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), str(folder), "--seconds", "5", "--minutes=9",
                               "--jobs", "2", "--course", str(folder / "course.json")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        try:
            server.accept()
            reached = True
        except socket.timeout:
            reached = False
    assert reached == ("The network cannot be cut off here" in done.stdout)
    with open(str(folder / "grades.csv"), encoding="utf-8-sig") as file:
        return {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}, done.stdout, folder


@pytest.mark.slow
def test_ten_notebooks_are_graded(graded):
    rows, printed, folder = graded
    assert len(rows) == 10 * (len(EXERCISES) + 3) and "10 of 10: " in printed

    def result(student, exercise="get_batches"):
        return rows[student, exercise]["result"]

    assert {exercise for exercise in CHECKS if result("good", exercise) == "right"} == {"get_batches", "lstm_step"}
    for exercise in ("repairs", "quiz", "hyperparameters"):
        assert result("good", exercise) == "right"
    assert result("helpers") == result("leaves") == result("loud") == "right"
    assert result("blank") == result("good", "CharRNN") == "empty"
    assert result("wrong") == result("endless") == result("large") == result("broken") == "tried"
    assert result("wrong", "lstm_step") == result("endless", "lstm_step") == result("broken", "lstm_step") == "right"
    assert result("'=Eve", "lstm_step") == "skipped"
    assert rows["good", "get_batches"]["points"] == "3" and rows["wrong", "get_batches"]["points"] == "0"
    assert (rows["'=Eve", "get_batches"]["hints"], rows["'=Eve", "get_batches"]["attempts"]) == ("2", "7")


@pytest.mark.slow
@pytest.mark.parametrize("student, exercise, said", [
    ("wrong", "get_batches", "x and y are swapped"), ("endless", "get_batches", "did not finish within 5"),
    ("large", "get_batches", "MemoryError"), ("broken", "get_batches", "The cell raised SyntaxError"),
    ("leaves", "lstm_step", "Not graded: the process ended early")])
def test_the_table_says_why(graded, student, exercise, said):
    rows, _, folder = graded
    assert said in rows[student, exercise]["message"]
    page = (folder / "grades.html").read_text(encoding="utf-8")
    assert said in page and "<th>=Eve" in page and "(2 hints)" in page


@pytest.mark.parametrize("argv, said", [
    (["nowhere"], "there is no folder nowhere"), ([str(FOLDER / "assets")], "no notebook")])
def test_a_folder_without_notebooks_is_refused(argv, said):
    done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 2 and said in done.stdout


def test_each_exercise_is_graded():
    source = (FOLDER / "grade.py").read_text(encoding="utf-8")
    cells = {cell["id"] for cell in generate.all_cells() if "exercise" in cell["tags"]}
    assert cells == {*EXERCISES, "repairs", "hyperparameters", "quiz"}
    assert all(f'"{name}"' in source for name in cells)
