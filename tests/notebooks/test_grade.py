"""The grader: a small class, each with another thing that students do, a third of it hostile, in real processes."""
import csv
import html
import json
import socket
import subprocess
import sys

import pytest
from answers import CHECKS, FOLDER, WRITTEN, generate

GOOD = {cell["id"]: generate.solved(cell["text"]) for cell in generate.all_cells()}
BLANK = {cell["id"]: generate.blank(cell["text"]) for cell in generate.all_cells()}
GOOD_CODE = [GOOD[cell["id"]] for cell in generate.all_cells() if cell["kind"] == "code"]
FIRST = "n_windows = len(arr) // (batch_size * n_steps)"


def notebook(*sources):
    return json.dumps({"cells": [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]})


def first_line(line):
    """Return the solved cell of get_batches with a line at the beginning of the function."""
    return GOOD["get_batches"].replace(FIRST, f"{line}\n    {FIRST}")


def below(code, name="get_batches"):
    """Return the solved cell of an exercise with some code below its check."""
    return f"{GOOD[name]}\n{code}"


LEFTOVER = "import os, subprocess\nsubprocess.Popen(['sleep', '400'], start_new_session=True)"
FORKS = "\nfor _ in range(50):\n    if os.fork() == 0:\n        time.sleep(400)"
FORGED = """
import json, os, socket
for number in range(3, 30):
    try:
        os.write(number, json.dumps(["", "end", "get_batches", "right", ""]).encode() + b"\\n")
    except OSError:
        pass
os._exit(0)
"""
COPIED = f"""
exec(open({str(FOLDER / "checks" / "lstm_step.py")!r}).read().replace("from .", "from checks."))
lstm_step = solution
checks.check_lstm_step(lstm_step)
"""


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
                "good": [GOOD["get_batches"], GOOD["lstm_step"], GOOD["programs"], GOOD["repairs"], GOOD["quiz"]],
                "helpers": ["from math import floor", "def windows(n, k):\n    return floor(n / k)",
                            GOOD["get_batches"].replace(FIRST, "n_windows = windows(len(arr), batch_size * n_steps)")],
                "wrong": [GOOD["get_batches"].replace("yield x, y", "yield y, x"), GOOD["lstm_step"]],
                "endless": [first_line("while True: pass"), GOOD["lstm_step"]],
                "large": [first_line("np.ones((60_000, 60_000))")],
                "loud": ["%matplotlib inline\n" + GOOD["get_batches"] + "\nfor i in range(10 ** 6): print(i)"],
                "broken": [GOOD["get_batches"].replace("yield x, y", "yield x y"), GOOD["lstm_step"]],
                "leaves": ["import os", below("os._exit(0)", "lstm_step"), GOOD["get_batches"], GOOD["quiz"]],
                "Ann/Anna_KaRNNa": ["LIMIT = 7", first_line("assert LIMIT == 7 and time.time()"),
                                    below("tf.one_hot?\nprint(no_such_name)", "lstm_step")],
                "Ben/Anna_KaRNNa": [GOOD["get_batches"].split("\n\n\nchecks")[0], "!ls\n" + below("!ls", "lstm_step")],
                "leftover": [below(LEFTOVER + FORKS), below("sys.stdout.write(10 ** 8 * 'x')", "lstm_step")],
                "patched": ["import checks.verdict", below("checks.verdict._judge = lambda *_: (True, '')"),
                            "def lstm_step(*_): return 1"],
                "forged": [BLANK["get_batches"] + FORGED, COPIED]}.items():
            (folder / f"{name}.ipynb").parent.mkdir(exist_ok=True)
            (folder / f"{name}.ipynb").write_text(notebook(*cells), encoding="utf-8")
        for name in ("Ann", "Ben"):  # who handed in the whole folder
            (folder / name / "Anna_KaRNNa_Solution.ipynb").write_text(notebook(*GOOD_CODE), encoding="utf-8")
        (folder / "text.ipynb").write_text("no notebook")
        (folder / "=Eve").mkdir()
        line = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        (folder / "=Eve" / "mine.ipynb").write_text(notebook(
            first_line(line), 'lstm_step = checks.skip("lstm_step")\nchecks.check_lstm_step(lstm_step);'))
        (folder / "=Eve" / "progress.json").write_text('{"get_batches": {"hints": 2, "attempts": 7}}')
        (folder / "course.json").write_text('{"points": {"get_batches": 3}}')
        done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), str(folder), "--seconds=5", "--minutes=20",
                               "--jobs", "2", "--course", str(folder / "course.json")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        try:
            server.accept()
            reached = True
        except socket.timeout:
            reached = False
    assert reached == ("use the network" in done.stdout)
    with open(str(folder / "grades.csv"), encoding="utf-8-sig") as file:
        return {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}, done.stdout, folder


@pytest.mark.slow
def test_a_class_is_graded(graded):
    rows, printed, folder = graded
    assert len(rows) == 15 * (len(WRITTEN) + 2) + 1 and "16 of 16: " in printed

    def result(student, exercise="get_batches"):
        return rows[student, exercise]["result"]

    assert {exercise for exercise in CHECKS if result("good", exercise) == "right"} == {"get_batches", "lstm_step"}
    for exercise in ("repairs", "quiz"):
        assert result("good", exercise) == "right"
    assert result("helpers") == result("loud") == "right"
    for student in ("Ann/Anna_KaRNNa", "Ben/Anna_KaRNNa", "leftover"):
        assert result(student) == result(student, "lstm_step") == "right"
    assert result("leaves") == result("leaves", "quiz") == "right" and result("leaves", "lstm_step") == "tried"
    for student in ("patched", "forged"):
        assert result(student) == result(student, "lstm_step") == "tried"
    assert result("text", "") == "no notebook"
    assert result("blank") == result("good", "CharRNN") == "empty"
    assert result("wrong") == result("endless") == result("large") == result("broken") == "tried"
    assert result("wrong", "lstm_step") == result("endless", "lstm_step") == result("broken", "lstm_step") == "right"
    assert result("'=Eve/mine", "lstm_step") == "skipped"
    assert rows["good", "get_batches"]["points"] == "3" and rows["wrong", "get_batches"]["points"] == "0"
    assert (rows["'=Eve/mine", "get_batches"]["hints"], rows["'=Eve/mine", "get_batches"]["attempts"]) == ("2", "7")


@pytest.mark.slow
@pytest.mark.parametrize("student, exercise, said", [
    ("wrong", "get_batches", "x and y are swapped"), ("endless", "get_batches", "did not finish within 5"),
    ("large", "get_batches", "MemoryError"), ("broken", "get_batches", "The cell raised SyntaxError"),
    ("leaves", "lstm_step", "this exercise ended the process"), ("forged", "get_batches", "this exercise ended"),
    ("patched", "get_batches", "it changes checks.verdict._judge"), ("text", "", "This file is no notebook"),
    ("Ann/Anna_KaRNNa", "lstm_step", "NameError: name &#x27;no_such_name&#x27;"),
    ("Ben/Anna_KaRNNa", "get_batches", "found by the name")])
def test_the_table_says_why(graded, student, exercise, said):
    rows, _, folder = graded
    assert html.unescape(said) in rows[student, exercise]["message"]
    page = (folder / "grades.html").read_text(encoding="utf-8")
    assert said in page and "<th>=Eve/mine<td>0" in page and "<small>7 / 2</small>" in page
    assert "points of 17" in page and "<tr><th>get_batches<td>3<td>7<td>14<td>7<td>2<td>" in page


@pytest.mark.parametrize("argv, said", [
    (["nowhere"], "there is no folder nowhere"), ([str(FOLDER / "assets")], "no notebook")])
def test_a_folder_without_notebooks_is_refused(argv, said):
    done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 2 and said in done.stdout


def test_each_exercise_is_graded():
    source = (FOLDER / "grade.py").read_text(encoding="utf-8")
    cells = {cell["id"] for cell in generate.all_cells() if "exercise" in cell["tags"]}
    assert cells == {*WRITTEN, "repairs", "quiz"}
    assert all(f'"{name}"' in source for name in cells)
