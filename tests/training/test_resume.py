"""Resumed runs: equal to uninterrupted ones, refused where they cannot be, and robust to lost or damaged files."""

import os
import re
import shutil
import signal
from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import (
    TENSORFLOW_1,
    StopAfter,
    assert_same_run,
    called_after_steps,
    change_hyperparameters,
    history_of,
    resume,
    train_small,
    with_output,
)

from charrnn.checkpoints import record
from charrnn.checkpoints.find import list_checkpoints
from charrnn.checkpoints.record import read_signed, signed
from charrnn.training.job import plan_job

SLOW = pytest.mark.slow
EVALUATED = (
    "--val-fraction 0.25 --eval-every-n 6 --average-decay 0.9 --schedule cosine --warmup-steps 5 "
    "--recurrent-keep-prob 0.6 --num-steps 40 --num-layers 1 --threads 2"
)
GRU = "--val-fraction 0.25 --cell gru --keep-prob 1 --optimizer rmsprop"
# TensorFlow 1.15 has float32 only.
PRECISION = "float32" if TENSORFLOW_1 else "bfloat16"


@pytest.mark.parametrize(
    "stops, flags",
    [
        # also right before, at and after the end of an epoch
        pytest.param([1, 41, 1, 1, 20], "", marks=SLOW),
        pytest.param([10, 50], "--no-fused --keep-prob 1", marks=SLOW),
        ([10], f"{EVALUATED} --precision {PRECISION}"),
        pytest.param([10], f"{EVALUATED} --precision float32", marks=SLOW),
        pytest.param([15, 25], GRU, marks=SLOW),
    ],
    ids=["ends of epochs", "dynamic_rnn", "evaluated", "evaluated in float32", "gru"],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    text_file, tmp_path, monkeypatch, capsys, stops, flags
):
    """To the last bit: step, place in the text, LSTM state, weights, optimizer, dropout masks, evaluations."""
    flags = ["--epochs", "2", *flags.split()]
    assert train_small(text_file, tmp_path / "uninterrupted", *flags) == 0
    step = 0
    folder = tmp_path / "parts"
    for n_steps in stops:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("charrnn.train.StopRequests", lambda n_steps=n_steps: StopAfter(n_steps))
            if step == 0:
                status = train_small(text_file, folder, *flags)
            else:
                status = resume(folder)
        assert status == 128 + signal.SIGTERM
        out = capsys.readouterr().out
        if step > 0:
            assert f"resumed  after step {step}," in out
        step += n_steps
        assert f"stopped by SIGTERM after step {step};" in out
        assert "\nTo write with what it has learned so far: charrnn-sample " in out
        assert (folder / f"i{step}_l5.ckpt.index").exists()
    assert resume(folder) == 0
    assert_same_run(folder, tmp_path / "uninterrupted")


def test_a_run_that_ended_early_stays_ended(stopped_early, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(str(stopped_early), str(folder))
    names = list_checkpoints(folder)
    assert resume(folder) == 0
    out = capsys.readouterr().out
    assert re.search("^ended early after step [0-9]+: 3 evaluations", out, re.MULTILINE)
    assert list_checkpoints(folder) == names


def test_a_run_that_ended_early_goes_on_with_another_early_stop(stopped_early, tmp_path, capsys):
    """The best, and the evaluations since then, still count."""
    folder = tmp_path / "run"
    shutil.copytree(str(stopped_early), str(folder))
    best = record.step_of(record.read_run(folder).best)
    assert resume(folder, "--early-stop", "4") == 0
    out = capsys.readouterr().out
    assert re.search(f"validation loss .*, the best .* at step {best}\n", out)
    assert out.count("validation loss") == 1
    assert f": 4 evaluations without improvement since step {best}\n" in out


@pytest.fixture(scope="module")
def continued(trained, tmp_path_factory):
    """The folder of a finished run that was continued with other settings, and what was printed first.

    Not to be changed. It was killed before its next checkpoint, and then resumed without flags. The third of what is
    returned is the number of the file that its text was in.
    """
    folder = Path(shutil.copytree(str(trained), str(tmp_path_factory.mktemp("continued") / "run")))
    file_of_text = (folder / "text.txt").stat().st_ino
    flags = ["--epochs", "2", "--learning-rate", "0.002"]

    def interrupt(step):
        if step == 48:
            raise KeyboardInterrupt

    with called_after_steps(interrupt):
        status, out = with_output(resume, folder, *flags)
    assert status == 130
    assert resume(folder) == 0
    return folder, out, file_of_text


def test_a_finished_run_can_be_continued(continued):
    _, out, _ = continued
    assert "resumed  after step 43, 43 to go\n" in out


def test_a_continued_run_saves_checkpoints_at_the_same_steps(continued):
    folder, _, _ = continued
    names = [os.path.basename(path) for path in list_checkpoints(folder)]
    assert names == [f"i{step}_l5.ckpt" for step in (25, 43, 50, 75, 86)]


def test_other_settings_are_kept_if_a_run_is_killed_before_its_next_checkpoint(continued):
    folder, _, _ = continued
    hyper = record.read_run(folder).hyperparameters
    assert (hyper.epochs, hyper.learning_rate) == (2, 0.002)


def test_a_continued_run_is_trained_with_its_other_settings(continued):
    folder, _, _ = continued
    last_row = history_of(folder)[-1]
    assert float(last_row["learning_rate"]) == 0.002


def test_the_text_of_a_resumed_run_is_not_written_again(continued):
    """A disk that is full has no room for it."""
    folder, _, file_of_text = continued
    assert (folder / "text.txt").stat().st_ino == file_of_text


def write_hyperparameters(folder, hyperparameters):
    """Write other hyperparameters into the records of a run."""
    for path in [folder / "run.json", *folder.glob("*.ckpt.json")]:
        content = read_signed(path)
        # that of a checkpoint has the run in it
        run = content.get("run", content)
        run["hyperparameters"] = hyperparameters
        path.write_bytes(signed(content))


def test_a_run_may_be_older_than_a_hyperparameter(run_copy, monkeypatch):
    """It may also be one that cannot be changed. The precision auto is the one that the run has."""
    monkeypatch.setattr("charrnn.training.job.faster_precision", None)  # nothing is measured again
    before = record.read_run(run_copy).hyperparameters
    older = asdict(before)
    del older["average_decay"]
    write_hyperparameters(run_copy, older)
    job = plan_job(None, {"precision": "auto"}, run_copy, resume=True)
    assert job.hyperparameters == before


def test_a_run_may_be_older_than_the_record_of_its_threads(run_copy):
    """It then has as many as this process may use, as in version 3.2."""
    older = asdict(record.read_run(run_copy).hyperparameters)
    for name in ("threads", "sample_length", "summaries"):
        del older[name]
    write_hyperparameters(run_copy, older)
    job = plan_job(None, {}, run_copy, resume=True, threads=5)
    assert job.threads == 5
    assert job.threads_so_far is None


@pytest.mark.parametrize(
    "given, usual, threads",
    [({}, 8, 3), ({}, 2, 2), ({"threads": 4}, 2, 4), ({"threads": None}, 8, 8)],
    ids=["as before", "fewer cores", "another number", "one for each core"],
)
def test_a_resumed_run_has_its_threads_unless_others_are_given(run_copy, given, usual, threads):
    change_hyperparameters(run_copy, threads=3)
    job = plan_job(None, given, run_copy, resume=True, threads=usual)
    assert job.threads == job.hyperparameters.threads == threads
    assert job.threads_so_far == 3


def test_a_resumed_run_has_its_reports_without_their_flags(text_file, tmp_path):
    folder = tmp_path / "run"
    # without samples, too
    assert train_small(text_file, folder, "--no-summaries") == 0
    hyper = plan_job(None, {}, folder, resume=True).hyperparameters
    assert hyper.sample_length == 0
    assert not hyper.summaries


def test_a_run_may_not_be_newer_than_its_hyperparameters(run_copy, capsys):
    newer = {**asdict(record.read_run(run_copy).hyperparameters), "novel": 1}
    write_hyperparameters(run_copy, newer)
    assert resume(run_copy) == 2
    message = "has hyperparameters that this version of charrnn does not know: 'novel'\n"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("batch_size, allowed", [(2, "1 or 2 processes"), (1, "1 process")])
def test_the_numbers_of_processes_that_can_resume_a_run_are_named(run_copy, batch_size, allowed):
    """Those that divide its batch, which cannot be changed."""
    change_hyperparameters(run_copy, batch_size=batch_size)
    message = f"batch_size {batch_size} cannot be divided by 3 processes: a resumed run keeps it, so use {allowed}$"
    with pytest.raises(ValueError, match=message):
        plan_job(None, {}, run_copy, resume=True, n_processes=3)


def test_a_run_that_was_stopped_before_its_first_checkpoint_starts_again(trained, run_copy, capsys):
    for path in [*run_copy.glob("*.ckpt*"), run_copy / "checkpoint"]:
        path.unlink()
    assert resume(run_copy) == 0
    assert "resumed  after step 0, 43 to go" in capsys.readouterr().out
    assert_same_run(run_copy, trained)


def test_a_resumed_run_has_no_preset(run_copy):
    with pytest.raises(ValueError, match="preset is for a new run"):
        plan_job(None, {}, run_copy, resume=True, preset="quick")
