"""The reports of a run: history.csv and TensorBoard's event files."""

import csv
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import train_small

from charrnn.checkpoints.summaries import Summaries
from charrnn.system.tensorflow import tf


def events(folder):
    """All events of a run's summaries, file by file in the order of their names."""
    return [
        event
        for path in sorted((folder / "summaries").iterdir())
        for event in tf.train.summary_iterator(str(path))
    ]


def scalars(folder):
    """A dict from (name, step) to the last value written."""
    return {
        (value.tag, event.step): value.simple_value
        for event in events(folder)
        for value in event.summary.value
        if value.tag != "sample"
    }


@pytest.mark.filterwarnings(
    "ignore:inspect.getargspec:DeprecationWarning", "ignore:The 'warn' method"
)
def test_tensorboard_shows_later_steps_of_a_resumed_run_once(tmp_path):
    """It drops what the earlier processes wrote of them, the first of which was killed before its first checkpoint."""
    for number, (resumed_after, steps, more) in enumerate(
        [(0, (5, 10), 7), (0, (10, 20, 30), 0), (20, (30,), 20)]
    ):
        written = Summaries(tmp_path, resumed_after)
        for step in steps:
            written.add(step, dict(epoch=1, loss=float(step + more)))
        written.close()
        path = max((tmp_path / "summaries").iterdir())  # named by the second in which it was made
        path.rename(path.with_name(f"events.out.tfevents.{number:010}.process"))
    assert [
        event.step for event in events(tmp_path) if event.session_log.status == tf.SessionLog.START
    ] == [1, 1, 21]
    pytest.importorskip(
        "tensorboard", reason="tensorboard is not installed: pip install tensorboard"
    )
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen = EventAccumulator(str(tmp_path / "summaries"))
    seen.Reload()
    assert [(each.step, each.value) for each in seen.Scalars("loss")] == [
        (10, 10),
        (20, 20),
        (30, 50),
    ]


def test_the_reports_of_a_run_agree_with_its_output(text_file, tmp_path, monkeypatch, capsys):
    """Here each step takes a quarter of a second."""
    folder = tmp_path / "run"
    ticks = itertools.count()
    monkeypatch.setattr("charrnn.train.time", SimpleNamespace(perf_counter=lambda: next(ticks) / 4))
    assert (
        train_small(
            text_file,
            folder,
            "--val-fraction",
            "0.25",
            "--schedule",
            "linear",
            "--learning-rate",
            "0.01",
            "--eval-every-n",
            "40",
            "--sample-length",
            "9",
            "--num-layers",
            "1",
        )
        == 0
    )
    out = capsys.readouterr().out
    with open(str(folder / "history.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [40, 50, 80, 100, 120, 130]  # 780 // 6 = 130
    trained = {row["step"] for row in rows if row["loss"]}
    validated = {row["step"] for row in rows if row["val_loss"]}
    assert (trained, validated) == ({"50", "100", "130"}, {"40", "80", "100", "120", "130"})
    found = scalars(folder)
    for row in rows:
        step = int(row["step"])
        if row["loss"]:
            assert float(row["bits_per_character"]) == pytest.approx(
                float(row["loss"]) / math.log(2), rel=1e-12
            )
            assert float(row["learning_rate"]) == pytest.approx(0.01 * (130 - step + 1) / 130)
            assert (
                "step {}/130  loss {:.4f}  0.2500 s/batch\n".format(step, float(row["loss"])) in out
            )
            assert float(row["characters_per_second"]) == 2 * 3 / 0.25
        if row["val_loss"]:
            assert "step {}/130  validation loss {:.4f}".format(step, float(row["val_loss"])) in out
        written = {
            name: np.float32(value) for name, value in row.items() if value and name != "step"
        }
        assert written == {
            name: np.float32(value) for (name, at), value in found.items() if at == step
        }
