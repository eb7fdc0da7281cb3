"""Resumed runs: equal to uninterrupted ones, refused where they cannot be, and robust to lost or damaged files."""

import os
import re
import shutil
import signal
from dataclasses import asdict

import pytest
from conftest import (
    StopAfter,
    assert_same_run,
    history_of,
    interrupted_at,
    needs_tensorflow_2,
    resume,
    train_small,
)

from charrnn import train
from charrnn.checkpoints import record
from charrnn.checkpoints.find import list_checkpoints
from charrnn.checkpoints.record import read_signed, signed

SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "stops, flags",
    [
        # also right before, at and after the end of an epoch
        pytest.param([1, 171, 1, 1, 60], [], marks=SLOW),
        pytest.param([40, 140], ["--no-fused", "--keep-prob", "1"], marks=SLOW),
        (
            [60],
            [
                "--val-fraction",
                "0.25",
                "--eval-every-n",
                "40",
                "--average-decay",
                "0.9",
                "--schedule",
                "cosine",
                "--recurrent-keep-prob",
                "0.6",
                "--warmup-steps",
                "30",
                "--num-steps",
                "7",
                "--num-layers",
                "1",
            ],
        ),
        pytest.param(
            [10],
            ["--precision", "bfloat16", "--threads", "2", "--num-steps", "50"],
            marks=needs_tensorflow_2,
        ),
        pytest.param(
            [55, 85],
            [
                "--val-fraction",
                "0.25",
                "--cell",
                "gru",
                "--keep-prob",
                "1",
                "--optimizer",
                "rmsprop",
            ],
            marks=SLOW,
        ),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    text_file, tmp_path, monkeypatch, capsys, stops, flags
):
    """To the last bit: step, place in the text, LSTM state, weights, optimizer, dropout masks, evaluations."""
    flags = ["--epochs", "2", *flags]
    assert train_small(text_file, tmp_path / "uninterrupted", *flags) == 0
    step = 0
    folder = tmp_path / "parts"
    for after in stops:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("charrnn.train.StopRequests", lambda after=after: StopAfter(after))
            status = resume(folder) if step else train_small(text_file, folder, *flags)
        assert status == 128 + signal.SIGTERM
        out = capsys.readouterr().out
        assert f"resumed  after step {step}," in out or not step
        step += after
        assert f"stopped by SIGTERM after step {step};" in out
        assert (folder / f"i{step}_l5.ckpt.index").exists()
    assert resume(folder) == 0
    assert_same_run(folder, tmp_path / "uninterrupted")


def test_a_run_that_ended_early_stays_ended(stopped_early, tmp_path, capsys):
    """Unless it is resumed with another --early-stop. The best, and the evaluations since then, still count."""
    folder = tmp_path / "run"
    shutil.copytree(str(stopped_early), str(folder))
    names = list_checkpoints(folder)
    assert resume(folder) == 0
    assert re.search(
        "^ended early after step [0-9]+: 3 evaluations", capsys.readouterr().out, re.MULTILINE
    )
    assert list_checkpoints(folder) == names
    best = record.step_of(record.read_run(folder).best)
    assert resume(folder, "--early-stop", "4") == 0
    out = capsys.readouterr().out
    assert (
        re.search(f"validation loss .*, the best .* at step {best}\n", out)
        and out.count("validation loss") == 1
    )
    assert f": 4 evaluations without improvement since step {best}\n" in out


def test_a_finished_run_can_be_continued_with_other_settings(run_copy, monkeypatch, capsys):
    """They are kept if the run is killed before its next checkpoint. Its text is not written again."""
    written = (run_copy / "text.txt").stat()
    with monkeypatch.context() as patch:
        patch.setattr(train, "check_step", interrupted_at(train.check_step, 5))
        assert resume(run_copy, "--epochs", "2", "--learning-rate", "0.002") == 130
    assert (
        "resumed  after step 173, 173 to go\nrate     the learning rate rises from 0.001 "
        in capsys.readouterr().out
    )
    assert resume(run_copy) == 0
    assert (run_copy / "text.txt").stat().st_ino == written.st_ino
    assert float(history_of(run_copy)[-1]["learning_rate"]) == 0.002
    hyper = record.read_run(run_copy).hyperparameters
    assert (hyper.epochs, hyper.learning_rate) == (2, 0.002)
    assert [os.path.basename(path) for path in list_checkpoints(run_copy)] == [
        "i100_l5.ckpt",
        "i173_l5.ckpt",
        "i200_l5.ckpt",
        "i300_l5.ckpt",
        "i346_l5.ckpt",
    ]


def test_a_run_may_be_older_than_a_hyperparameter_but_not_newer(run_copy, monkeypatch, capsys):
    """Also older than one that a resumed run may not change. The precision auto is the one that the run has."""
    monkeypatch.setattr("charrnn.training.job.faster_precision", None)  # nothing is measured again
    before = record.read_run(run_copy)
    older = {
        name: value
        for name, value in asdict(before.hyperparameters).items()
        if name != "average_decay"
    }
    for changed, status in ({**older, "novel": 1}, 2), (older, 0):
        for path in [run_copy / "run.json", *run_copy.glob("*.ckpt.json")]:
            content = read_signed(path)
            content.get("run", content)["hyperparameters"] = changed
            path.write_bytes(signed(content))
        assert resume(run_copy, "--precision", "auto") == status
    assert record.read_run(run_copy) == before
    assert (
        "has hyperparameters that this version of charrnn does not know: 'novel'\n"
        in capsys.readouterr().err
    )


def test_a_run_that_was_stopped_before_its_first_checkpoint_starts_again(trained, run_copy, capsys):
    for path in [*run_copy.glob("*.ckpt*"), run_copy / "checkpoint"]:
        path.unlink()
    assert resume(run_copy) == 0
    assert "resumed  after step 0, 173 to go" in capsys.readouterr().out
    assert_same_run(run_copy, trained)
