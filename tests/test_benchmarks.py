"""The benchmark program runs and reports; no time is asserted."""
import json
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "bench.py"), "small", "generation", "--rounds", "1",
         "--seconds", "0.1", "--json", str(figures), "--numpy-python", sys.executable],
        capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(figures.read_text())
    assert set(record["small"]) == {"notebook", "fused", "floor"}
    assert len(record["generation"]) == 10
    for part in ("small", "generation"):
        for name, figure in record[part].items():
            assert figure["least"] <= figure["seconds"] <= figure["greatest"] and figure["megabytes"] > 50
            assert "| {} |".format(name) in done.stdout


def test_bench_refuses_an_unknown_part():
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "bench.py"), "everything"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no such part: everything" in done.stderr
