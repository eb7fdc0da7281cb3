"""The reports of a run: history.csv and TensorBoard's event files."""

import csv
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import train_small

from charrnn.checkpoints.progress import Summaries
from charrnn.system.tensorflow import tf


def events(folder):
    """All events of a run's summaries, file by file in the order of their names."""
    read = []
    for path in sorted((folder / "summaries").iterdir()):
        read += tf.train.summary_iterator(str(path))
    return read


def scalars(folder, step):
    """A dict from name to the last value written of a step."""
    written = {}
    for event in events(folder):
        for value in event.summary.value:
            if event.step == step and value.tag != "sample":
                written[value.tag] = value.simple_value
    return written


@pytest.mark.filterwarnings(
    "ignore:inspect.getargspec:DeprecationWarning", "ignore:The 'warn' method"
)
def test_tensorboard_shows_later_steps_of_a_resumed_run_once(tmp_path):
    """It drops what the earlier processes wrote of them, the first of which was killed before its first checkpoint."""
    # after which step it resumed, the steps that it did, and how much their losses are above the step
    processes = [(0, (5, 10), 7), (0, (10, 20, 30), 0), (20, (30,), 20)]
    for number, (resumed_after, steps, more) in enumerate(processes):
        summaries = Summaries(tmp_path, resumed_after)
        for step in steps:
            summaries.add(step, dict(epoch=1, loss=float(step + more)))
        summaries.close()
        path = max((tmp_path / "summaries").iterdir())  # named by the second in which it was made
        path.rename(path.with_name(f"events.out.tfevents.{number:010}.process"))

    starts = [
        event for event in events(tmp_path) if event.session_log.status == tf.SessionLog.START
    ]
    assert [event.step for event in starts] == [1, 1, 21]

    pytest.importorskip(
        "tensorboard", reason="tensorboard is not installed: pip install tensorboard"
    )
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen = EventAccumulator(str(tmp_path / "summaries"))
    seen.Reload()
    losses = [(event.step, event.value) for event in seen.Scalars("loss")]
    assert losses == [(10, 10), (20, 20), (30, 50)]


@pytest.fixture
def rows_and_output(text_file, tmp_path, monkeypatch, capsys):
    """The rows of history.csv of a run in tmp_path / "run", and what it printed. Each step takes a quarter second."""
    folder = tmp_path / "run"
    ticks = itertools.count()
    monkeypatch.setattr("charrnn.train.time", SimpleNamespace(perf_counter=lambda: next(ticks) / 4))
    rates = "--schedule linear --learning-rate 0.01"
    reports = "--val-fraction 0.25 --eval-every-n 10 --print-every-n 15 --sample-length 9"
    flags = f"{rates} {reports} --num-layers 1"
    assert train_small(text_file, folder, *flags.split()) == 0
    with open(str(folder / "history.csv"), newline="") as file:
        return list(csv.DictReader(file)), capsys.readouterr().out


def test_the_reports_of_a_run_agree_with_its_output(rows_and_output, tmp_path):
    rows, out = rows_and_output
    assert [int(row["step"]) for row in rows] == [10, 15, 20, 25, 30, 32]  # 780 // 24 = 32
    assert {row["step"] for row in rows if row["loss"]} == {"15", "30", "32"}
    assert {row["step"] for row in rows if row["val_loss"]} == {"10", "20", "25", "30", "32"}
    for row in rows:
        step = int(row["step"])
        if row["loss"]:
            loss = float(row["loss"])
            assert float(row["bits_per_character"]) == pytest.approx(loss / math.log(2), rel=1e-12)
            assert float(row["learning_rate"]) == pytest.approx(0.01 * (32 - step + 1) / 32)
            assert f"step {step}/32  loss {loss:.4f}  0.2500 s/batch\n" in out
            assert float(row["characters_per_second"]) == 2 * 12 / 0.25
        if row["val_loss"]:
            loss = float(row["val_loss"])
            assert f"step {step}/32  validation loss {loss:.4f}" in out

        written = {}
        for name, value in row.items():
            if value and name != "step":
                written[name] = np.float32(value)
        assert written == scalars(tmp_path / "run", step)
