"""The grader: a class of 30, each with another thing that students do, a third of it hostile, in real processes."""
import csv
import html
import json
import os
import platform
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from answers import FOLDER, WRITTEN, generate

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


LEFT_OVER = """
import subprocess
for command in ("yes", "sleep 400"):
    subprocess.Popen(command.split(), start_new_session=True)
"""
FORKS = "import os, time\nfor _ in range(200):\n    if os.fork() == 0:\n        time.sleep(400)"
BOMB = FORKS.replace("200", "4000")
DELETED = """
import os, shutil
for place in (os.getcwd(), os.environ["HOME"]): shutil.rmtree(place, ignore_errors=True)
"""
FORGED = """
import json, os
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
SOURCE = f"""
import glob, json, re
cells = [text for file in glob.glob({str(FOLDER / "source" / "*.md")!r})
         for text in re.findall("(?s)```python.*?```", open(file).read())]
cells += ["".join(one["source"]) for one in json.load(open({str(generate.SOLUTION)!r}))["cells"]]
exec(next(one for one in cells if "def NAME(" in one).split("checks.")[0])
checks.check_NAME(NAME)
"""
SOURCES = [SOURCE.replace("NAME", name) for name in ("get_batches", "lstm_step")]

# By student: what becomes of get_batches and of lstm_step, and the cells; the hostile ones are below the comment.
CLASS = {
    "whole": ("right right", GOOD_CODE),
    "blank": ("empty empty", [BLANK["get_batches"], BLANK["lstm_step"]]),
    "no cells": ("empty empty", []),
    "good": ("right right", [GOOD[name] for name in ("get_batches", "lstm_step", "programs", "repairs", "quiz")]),
    "helpers": ("right empty", [
        "from math import floor", "def windows(n, k):\n    return floor(n / k)",
        GOOD["get_batches"].replace(FIRST, "n_windows = windows(len(arr), batch_size * n_steps)")]),
    "swapped": ("tried right", [GOOD["get_batches"].replace("yield x, y", "yield y, x"), GOOD["lstm_step"]]),
    "no 1": ("right tried", [GOOD["get_batches"], GOOD["lstm_step"].replace("f + 1", "f")]),
    "begun": ("right tried", [GOOD["get_batches"], BLANK["lstm_step"].replace("c = h", "c = 1\n    h")]),
    "broken": ("tried right", [GOOD["get_batches"].replace("yield x, y", "yield x y"), GOOD["lstm_step"]]),
    "nested": ("tried right", ["get_batches = " + 9999 * "(" + "1" + 9999 * ")", GOOD["lstm_step"]]),
    "timed": ("right right", ["%matplotlib inline\n" + GOOD["get_batches"], "%%time\n" + GOOD["lstm_step"]]),
    "trains": ("right right", [GOOD["get_batches"], GOOD["lstm_step"], "while True: run_epoch(no_such_session)"]),
    "twice": ("right tried", [BLANK["get_batches"] + "1", GOOD["get_batches"], GOOD["lstm_step"],
                              "def lstm_step(*_): return 1\nchecks.check_lstm_step(lstm_step)"]),
    "Ann/Anna_KaRNNa": ("right right", ["LIMIT = 7", first_line("assert LIMIT == 7 and time.time()"),
                                        below("tf.one_hot?\nprint(no_such_name)", "lstm_step")]),
    "Ben/Anna_KaRNNa": ("right right", [GOOD["get_batches"].split("\n\n\nchecks")[0],
                                        "!ls\n" + below("!ls", "lstm_step")]),
    "=Eve/mine": ("tried skipped", [
        first_line("import socket; socket.create_connection(('127.0.0.1', PORT), 2)"),
        'lstm_step = checks.skip("lstm_step")\nchecks.check_lstm_step(lstm_step);']),
    # hostile
    "endless": ("tried right", [first_line("while True: pass"), GOOD["lstm_step"]]),
    "waits": ("right tried", [below("time.sleep(4000)"), below("input()", "lstm_step").replace("return c", "input()")]),
    "large": ("tried right", [first_line("np.ones((60_000, 60_000))"), GOOD["lstm_step"]]),
    "loud": ("right right", [below("for i in range(3_000_000): print(i)"),
                             below("sys.stdout.write(3 * 10 ** 8 * 'x')", "lstm_step")]),
    "leaves": ("right tried", ["import os", below("os._exit(0)", "lstm_step"), GOOD["get_batches"], GOOD["quiz"]]),
    "stops": ("right tried", [below("sys.exit(3)"), GOOD["lstm_step"].replace("return c, h", "quit()")]),
    "leaves something": ("right right", [below(LEFT_OVER), below(FORKS, "lstm_step")]),
    "forks": ("tried right", [below(BOMB), GOOD["lstm_step"]]),
    "deletes": ("right right", [below(DELETED), GOOD["lstm_step"]]),
    "patched": ("tried tried", ["import checks.verdict", below("checks.verdict._judge = lambda *_: (True, '')"),
                                "def lstm_step(*_): return 1"]),
    "NumPy": ("tried tried", [below("np.array_equal = np.allclose = lambda *_, **__: True"),
                              "def lstm_step(*_): return 1, 1"]),
    "forged": ("tried tried", [BLANK["get_batches"] + FORGED, COPIED]),
    "reads": ("tried tried", SOURCES)}
LIMITED = tuple(map(int, re.findall(r"\d+", platform.release())[:2])) >= (6, 14)  # processes of root, too


def students(closed):
    """Return the students whose result is the same on each system that can, or cannot, close a notebook off."""
    without = ("forged", "reads", "forks") if not closed else () if LIMITED else ("forks",)
    return {name: one for name, one in CLASS.items() if name not in without}


@pytest.fixture(scope="module", params=["closed off", "not closed off"])
def graded(request, tmp_path_factory):
    """The students, the rows of the table by (student, exercise), what was printed, and the folder."""
    folder = tmp_path_factory.mktemp("class")
    path, some = os.environ["PATH"], students(request.param == "closed off")
    if request.param == "not closed off":
        (folder / "unshare").write_text("#!/bin/sh\nexit 1\n")
        (folder / "unshare").chmod(0o755)
        path = f"{folder}{os.pathsep}{path}"
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        server.settimeout(0.1)
        port = server.getsockname()[1]
        for name, (_, cells) in some.items():
            (folder / f"{name}.ipynb").parent.mkdir(exist_ok=True)
            text = notebook(*cells).replace("PORT", str(port))
            (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
        for name in ("Ann", "Ben"):  # who handed in the whole folder
            (folder / name / "Anna_KaRNNa_Solution.ipynb").write_text(notebook(*GOOD_CODE), encoding="utf-8")
        (folder / "text.ipynb").write_text("no notebook")
        (folder / "=Eve" / "progress.json").write_text('{"get_batches": {"hints": 2, "attempts": 7}}')
        (folder / "course.json").write_text('{"points": {"get_batches": 3}}')
        done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), str(folder), "--seconds=15", "--minutes=20",
                               "--jobs", "2", "--course", str(folder / "course.json")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=dict(os.environ, PATH=path))
        assert done.returncode == 0, done.stdout
        try:
            server.accept()[0].close()
            reached = True
        except socket.timeout:
            reached = False
    assert reached == ("use the network" in done.stdout)
    with open(str(folder / "grades.csv"), encoding="utf-8-sig") as file:
        rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
    return some, rows, done.stdout, folder


@pytest.mark.slow
def test_a_class_of_thirty_is_graded(graded):
    some, rows, printed, folder = graded
    assert len(rows) == len(some) * (len(WRITTEN) + 2) + 1 and f"{len(some) + 1} of {len(some) + 1}: " in printed

    def results(student, *exercises):
        return " ".join(rows[student.replace("=", "'="), exercise]["result"] for exercise in exercises)

    assert {name: results(name, "get_batches", "lstm_step") for name in some} == {
        name: expected for name, (expected, _) in some.items()}
    assert {results("whole", exercise) for exercise in (*WRITTEN, "repairs", "quiz")} == {"right"}
    assert results("good", "repairs", "quiz", "CharRNN") == "right right empty" and results("leaves", "quiz") == "right"
    assert results("text", "") == "no notebook"
    assert rows["good", "get_batches"]["points"] == "3" and rows["swapped", "get_batches"]["points"] == "0"
    assert (rows["'=Eve/mine", "get_batches"]["hints"], rows["'=Eve/mine", "get_batches"]["attempts"]) == ("2", "7")


@pytest.mark.slow
@pytest.mark.parametrize("student, exercise, said", [
    ("swapped", "get_batches", "x and y are swapped"), ("endless", "get_batches", "did not finish within 15"),
    ("large", "get_batches", "MemoryError"), ("broken", "get_batches", "The cell raised SyntaxError"),
    ("leaves", "lstm_step", "this exercise ended the process"), ("forged", "get_batches", "this exercise ended"),
    ("patched", "get_batches", "it changes checks.verdict._judge"), ("text", "", "This file is no notebook"),
    ("Ann/Anna_KaRNNa", "lstm_step", "NameError: name &#x27;no_such_name&#x27;"),
    ("Ben/Anna_KaRNNa", "get_batches", "found by the name")])
def test_the_table_says_why(graded, student, exercise, said):
    some, rows, _, folder = graded
    if student not in some and student != "text":
        pytest.skip(f"{student} needs a notebook that is closed off")
    assert html.unescape(said) in rows[student, exercise]["message"]
    page = (folder / "grades.html").read_text(encoding="utf-8")
    assert said in page and "<th>=Eve/mine<td>0" in page and "<small>7 / 2</small>" in page
    right, begun = (sum(row["exercise"] == "get_batches" and row["result"] in results for row in rows.values())
                    for results in (["right"], ["right", "tried"]))
    assert "points of 17" in page and f"<tr><th>get_batches<td>3<td>{right}<td>{begun}<td>7<td>2<td>" in page


@pytest.mark.parametrize("argv, said", [
    (["nowhere"], "there is no folder nowhere"), ([str(FOLDER / "assets")], "no notebook"),
    ([str(FOLDER), "--course=nowhere"], "No such file"), ([str(FOLDER), "--course=README.md"], "should be like"),
    ([str(FOLDER), "--course=wrong.json"], "gives points for get_batch, but the exercises are get_batches, lstm_step")])
def test_what_cannot_be_graded_is_refused(argv, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("wrong.json").write_text('{"points": {"get_batch": 3}}')
    Path("README.md").write_text("# Points")
    done = subprocess.run([sys.executable, str(FOLDER / "grade.py"), *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 2 and said in done.stdout and "Traceback" not in done.stdout


def test_each_exercise_is_graded():
    source = (FOLDER / "grade.py").read_text(encoding="utf-8")
    cells = {cell["id"] for cell in generate.all_cells() if "exercise" in cell["tags"]}
    assert cells == {*WRITTEN, "repairs", "quiz"}
    assert all(f'"{name}"' in source for name in cells)
