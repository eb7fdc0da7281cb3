"""The benchmark runs and reports. No time is asserted."""
import json
import subprocess
import sys

import pytest
from conftest import ROOT

BENCH = str(ROOT / "benchmarks" / "bench.py")


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    path = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, BENCH, "small", "generation", "--rounds", "1", "--seconds", "0.1", "--json", str(path),
         "--numpy-python", sys.executable], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(path.read_text())
    assert set(record["small"]) == {"notebook", "fused", "floor"}
    assert len(record["generation"]) == 10
    for part in ("small", "generation"):
        for name, figure in record[part].items():
            assert figure["least"] <= figure["seconds"] <= figure["greatest"] and figure["megabytes"] > 50
            assert f"| {name} |" in done.stdout


def test_bench_refuses_an_unknown_part():
    done = subprocess.run([sys.executable, BENCH, "everything"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "no such part: everything" in done.stderr
