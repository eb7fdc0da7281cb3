"""The benchmarks run and report. No time is asserted."""
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    """The interpreters may be named by relative paths, although the commands run in another folder."""
    path, other = tmp_path / "figures.json", os.path.relpath(sys.executable)
    done = subprocess.run([
        sys.executable, str(ROOT / "benchmarks" / "bench.py"), "small", "generation", "commands", "--rounds", "1",
        "--seconds", "0.1", "--json", str(path), "--tensorflow-python", other, "--numpy-python", other],
        capture_output=True, text=True, timeout=1700)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(path.read_text())
    assert {"notebook", "fused", "floor"} <= set(record["small"])
    for figure in record["small"].values():
        assert 0 < figure["least"] <= figure["seconds"] <= figure["greatest"]
    assert set(record["commands"]) == {"checkpoint", "npz", "npz in newer numpy", "sample"}
    for name in [*record["small"], *record["generation"]]:
        assert f"| {name} |" in done.stdout
