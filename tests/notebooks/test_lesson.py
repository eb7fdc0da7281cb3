"""The zip file of the lesson: what is in it, and that the notebooks and checks run from it."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "notebooks"))
import lesson

OF_BOTH = {
    "charrnn/model.py",
    "charrnn/models/anna.npz",
    "notebooks/Anna_KaRNNa.ipynb",
    "notebooks/checks/lstm_step.py",
    "notebooks/given.py",
    "setup.py",
}
OF_TEACHERS = {
    "docs/lstm.py",
    "notebooks/Anna_KaRNNa_Port.ipynb",
    "notebooks/Anna_KaRNNa_Solution.ipynb",
    "notebooks/grade.py",
    "notebooks/source/04-batches.md",
}
# answers a check of the copy in the working folder, and skips an exercise
IN_COPY = """
import sys
sys.path[:0] = [".", ".."]
import numpy as np
import checks
from charrnn.text import corpus

assert corpus.__file__.startswith(sys.argv[1])
solution = checks.skip("lstm_step")
checks.check_lstm_step(solution)
checks.check_lstm_step(lambda x, c, h, kernel, bias: (c, h))
for _ in range(9):
    checks.hint("lstm_step")
"""


@pytest.fixture(scope="module", params=["teachers", "students"])
def packed(request, tmp_path_factory):
    """For whom a lesson is, and its file."""
    path = tmp_path_factory.mktemp(request.param) / "lesson.zip"
    assert lesson.main([str(path), "--for", request.param]) == 0
    return request.param, path


def test_the_lesson_has_the_package_with_one_model(packed):
    reader, path = packed
    names = zipfile.ZipFile(str(path)).namelist()
    assert all(name.startswith("charrnn/") for name in names)
    paths = {name.replace("charrnn/", "", 1) for name in names}
    assert OF_BOTH <= paths
    assert [name for name in paths if name.endswith(".npz")] == ["charrnn/models/anna.npz"]
    assert not [name for name in paths if "__pycache__" in name or "/." in name]
    readme = zipfile.ZipFile(str(path)).read("charrnn/README.md").decode()
    # The file has no Makefile.
    assert ("make" in readme) == (reader == "teachers")
    if reader == "teachers":
        assert OF_TEACHERS <= paths
    else:
        assert not OF_TEACHERS & paths
        assert not [name for name in paths if "olution" in name or "Port" in name]


@pytest.mark.slow
def test_the_checks_run_in_the_copy(packed, tmp_path):
    """Those of students have no code of a solution, nor the last hint."""
    reader, path = packed
    zipfile.ZipFile(str(path)).extractall(str(tmp_path))
    folder = tmp_path / "charrnn" / "notebooks"
    environment = {**os.environ, "PYTHONPATH": ""}
    command = [sys.executable, "-c", IN_COPY, str(tmp_path)]
    ran = subprocess.run(
        command, cwd=str(folder), env=environment, stdout=subprocess.PIPE, check=True
    )
    out = ran.stdout.decode()
    is_read = "def lstm_step" in out
    assert is_read == (reader == "teachers")
    assert "lstm_step: skipped. The given solution is used." in out
    assert "lstm_step: not right yet" in out
    n_hints = 3 if reader == "teachers" else 2
    assert f"hint {n_hints} of {n_hints}: " in out
    assert "hint 3 of 2" not in out


def test_a_file_of_rules_is_packed_too(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "course.json").write_text(json.dumps({"hints": 0}))
    monkeypatch.setattr(lesson, "ROOT", tmp_path)
    packed = lesson.packed_files(of_students=True)
    assert packed["notebooks/course.json"] == b'{"hints": 0}'


def test_of_the_checks_of_students_only_the_solutions_are_hidden():
    """The program does the same, and has its other lines."""
    source = "import math\n\n\ndef solution(x):\n    return math.exp(x)\n\n\nONE = solution(0)\n"
    hidden = lesson.without_solutions(source)
    assert "math.exp" not in hidden
    assert hidden.startswith("import math\n\n\n")
    assert hidden.endswith("\n\n\nONE = solution(0)\n")
    names = {}
    exec(hidden, names)
    assert names["ONE"] == 1.0
