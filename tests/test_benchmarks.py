"""The benchmarks run and report. No time is asserted."""
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT


def run(name, *arguments, status=0):
    """Run a program of the benchmarks; return its output and errors."""
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / name), *map(str, arguments)], capture_output=True,
                          text=True, timeout=1700)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    """The interpreters may be named by relative paths, although the commands run in another folder."""
    path, other = tmp_path / "figures.json", os.path.relpath(sys.executable)
    output, errors = run("bench.py", "small", "generation", "commands", "--rounds", 1, "--seconds", 0.1, "--json", path,
                         "--tensorflow-python", other, "--numpy-python", other)
    record = json.loads(path.read_text())
    assert errors == "" and {"notebook", "fused", "floor"} <= set(record["small"])
    assert {"sample", "checkpoint", "npz"} <= set(record["commands"])
    for figure in record["small"].values():
        assert 0 < figure["least"] <= figure["seconds"] <= figure["greatest"]
    for name in [*record["small"], *record["generation"]]:
        assert f"| {name} |" in output


def test_bench_refuses_an_unknown_part():
    assert "no such part: everything" in run("bench.py", "everything", status=2)[1]
