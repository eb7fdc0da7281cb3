"""The benchmarks run and report. No time is asserted."""
import json
import subprocess
import sys

import pytest
from conftest import ROOT, history_of


def run(name, *arguments, status=0):
    """Run a program of the benchmarks; return its output and errors."""
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / name), *map(str, arguments)], capture_output=True,
                          text=True, timeout=1700)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
def test_bench_measures_and_reports(tmp_path):
    path = tmp_path / "figures.json"
    output, errors = run("bench.py", "small", "generation", "commands", "--rounds", 1, "--seconds", 0.1, "--json", path,
                         "--tensorflow-python", sys.executable)
    record = json.loads(path.read_text())
    assert errors == "" and {"notebook", "fused", "floor"} <= set(record["small"])
    assert {"sample", "checkpoint", "npz"} <= set(record["commands"])
    for figure in record["small"].values():
        assert 0 < figure["least"] <= figure["seconds"] <= figure["greatest"]
    for name in [*record["small"], *record["generation"]]:
        assert f"| {name} |" in output


def test_bench_refuses_an_unknown_part():
    assert "no such part: everything" in run("bench.py", "everything", status=2)[1]


def test_the_curves_of_runs_next_to_recorded_losses(tmp_path):
    """A table of the means of the epochs, and a picture. Of an epoch that was printed twice, the last counts."""
    rows = [f"{step},{(step + 1) // 2},{loss}\n" for step, loss in enumerate([4.0, 2.0, 3.0, 1.5, 1.0, 2.5], 1)]
    (tmp_path / "recorded.csv").write_text("step,epoch,loss\n" + "".join(rows))
    (tmp_path / "one.log").write_text(
        "epoch 1/3  step 1/1,006  loss 4.2500  1.0845 s/batch\nepoch 1/3  mean loss 3.5000\n"
        "epoch 1/3  mean loss 2.9000\nepoch 2/3  mean loss 2.3000\n")
    (tmp_path / "two.log").write_text("epoch 1/3  mean loss 2.8000\n")
    output, _ = run("curve.py", tmp_path / "recorded.csv", tmp_path / "one.log", tmp_path / "two.log", "--output",
                    tmp_path / "curve.png")
    assert output.splitlines() == [
        "| epoch | recorded | one | two |", "|---|---|---|---|",
        "| 1 | 3.0000 | 2.9000 | 2.8000 |", "| 2 | 2.2500 | 2.3000 |  |", "| 3 | 1.7500 |  |  |"]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_every_run_has_a_curve(tmp_path):
    """Also if there are more runs than colours."""
    (tmp_path / "recorded.csv").write_text("step,epoch,loss\n1,1,4.0\n")
    pictures = []
    for count in (3, 4):
        logs = [tmp_path / f"{name}.log" for name in "abcd"[:count]]
        for log in logs:
            log.write_text("epoch 1/1  mean loss 2.5000\n")
        run("curve.py", tmp_path / "recorded.csv", *logs, "--output", tmp_path / "curve.png")
        pictures.append((tmp_path / "curve.png").read_bytes())
    assert pictures[0] != pictures[1]


def test_the_curves_of_runs_in_two_precisions(stopped_early, tmp_path):
    losses = [float(row["val_loss"]) for row in history_of(stopped_early) if row["val_loss"]]
    output, _ = run("precisions.py", "--runs", "held out", stopped_early, "--output", tmp_path / "curves.png")
    assert f"{stopped_early}, float32: {losses[-1]:.4f} at step" in output and f"least {min(losses):.4f}" in output
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
