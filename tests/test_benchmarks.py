"""The benchmark runs and reports. No time is asserted."""
import json
import subprocess
import sys

import pytest
from conftest import ROOT

BENCH = str(ROOT / "benchmarks" / "bench.py")
CURVE = str(ROOT / "benchmarks" / "curve.py")


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    path = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, BENCH, "small", "generation", "commands", "--rounds", "1", "--seconds", "0.1",
         "--json", str(path), "--numpy-python", sys.executable, "--tensorflow-python", sys.executable],
        capture_output=True, text=True, timeout=1700)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(path.read_text())
    assert set(record["small"]) == {variant + of for variant in ("notebook", "fused", "floor")
                                    for of in ("", ", other TensorFlow")}
    assert len(record["generation"]) == 15
    sample = record["commands"].pop("sample")
    assert 0 < sample["least"] <= sample["seconds"] <= sample["greatest"]
    assert set(record["commands"]) == {"checkpoint", "npz", "checkpoint in newer numpy", "npz in newer numpy"}
    for line in ("Shares of the floor, the products alone: notebook 0.", "One text has a limit of ",
                 "the graph is faster than NumPy, its start included: 1 text ", "s to the first characters (",
                 "a sample of 200 characters during training: 0."):
        assert line in done.stdout
    for figure in record["commands"].values():
        assert 0 < figure["least"] <= figure["first"] <= figure["greatest"] and figure["characters_per_second"] > 0
    for part in ("small", "generation"):
        for name, figure in record[part].items():
            assert figure["least"] <= figure["seconds"] <= figure["greatest"]
            assert figure["megabytes"] >= figure["imported"] > 0
            assert f"| {name} |" in done.stdout


def test_bench_refuses_an_unknown_part():
    done = subprocess.run([sys.executable, BENCH, "everything"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "no such part: everything" in done.stderr


def test_the_curve_of_a_run_next_to_recorded_losses(tmp_path):
    """A table of the means of the epochs, and a picture. Of an epoch that was printed twice, the last counts."""
    losses = [4.0, 2.0, 3.0, 1.5, 1.0, 2.5]
    rows = [f"{step},{(step + 1) // 2},{loss}\n" for step, loss in enumerate(losses, 1)]
    (tmp_path / "recorded.csv").write_text("step,epoch,loss\n" + "".join(rows))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "history.csv").write_text("step,epoch,loss,val_loss\n1,1,4.25,\n2,1,,2.5\n3,2,2.75,\n")
    (tmp_path / "log").write_text(
        "epoch 1/3  mean loss 3.5000\nepoch 1/3  mean loss 2.9000\nepoch 1/3  step 2/6  loss 4.0000\n"
        "epoch 2/3  mean loss 2.3000\n")
    done = subprocess.run(
        [sys.executable, CURVE, str(tmp_path / "run"), str(tmp_path / "log"), str(tmp_path / "recorded.csv"),
         "--output", str(tmp_path / "new" / "curve.png")], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:] == [
        "| 1 | 3.0000 | 2.9000 | -0.1000 |", "| 2 | 2.2500 | 2.3000 | +0.0500 |", "| 3 | 1.7500 |  |  |"]
    picture = (tmp_path / "new" / "curve.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and 10_000 < len(picture) < 100_000
