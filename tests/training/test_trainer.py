"""A run while it trains: the loop, dropout, schedules, kinds of networks, validation, samples and failed saves."""

import contextlib
import gc
import io
import itertools
import os
import re
import shlex
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from conftest import (
    CHARS,
    NEWEST,
    OLDER,
    TEXT,
    VALIDATED_FLAGS,
    StopAfter,
    assert_same_arrays,
    called_after_steps,
    history_of,
    initialize,
    losses_of,
    needs_contrib,
    overfitting_text,
    resume,
    train_small,
    weights_of,
    with_output,
)
from pages.small_pages import random_network

from charrnn.checkpoints import record
from charrnn.checkpoints.find import list_checkpoints, newest_intact
from charrnn.checkpoints.run import RunFolder
from charrnn.checkpoints.weights import AVERAGE
from charrnn.commands import evaluate, sample, train
from charrnn.data import Vocabulary, get_batches, split
from charrnn.engines.opening import open_model
from charrnn.engines.surprisal import surprisal
from charrnn.sample import sample as write_text
from charrnn.system.commands_to_type import quoted
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training.job import plan_job

QUIET = ["--no-summaries"]


def names_of(folder):
    return [os.path.basename(prefix) for prefix in list_checkpoints(folder)]


def validation_losses(monkeypatch, losses):
    """Let evaluations have these losses, one after the other, without an engine."""
    left = iter(losses)
    monkeypatch.setattr(
        "charrnn.training.evaluation.surprisal", lambda *args: np.array([next(left)])
    )
    monkeypatch.setattr("charrnn.training.evaluation.GraphEngine", Mock())


def train_with_errors(folder, *flags):
    """Train on a text that lies next to the run folder. Return the exit status, the output and the errors."""
    text = folder.with_name("text")
    text.write_text(TEXT)
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        status, out = with_output(train_small, text, folder, *QUIET, *flags)
    return status, out, err.getvalue()


# The loop


def test_it_does_what_the_loop_of_the_notebook_does(text_file, tmp_path):
    """The losses are those of a plain loop: the state is zero at the start of an epoch, then carried.

    So is what history.csv has of them, in bits too, and the norm of the gradients before they are clipped.
    """
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf

    folder = tmp_path / "run"
    rates = "--learning-rate 0.002 --grad-clip 0.05"
    flags = f"--keep-prob 1 --epochs 2 --num-steps 25 --print-every-n 15 --no-fused {rates}"
    assert train_small(text_file, folder, *QUIET, *flags.split()) == 0

    encoded = Vocabulary.from_text(TEXT).encode(TEXT)
    rows = []
    steps = itertools.count(1)
    model = CharRNN(
        num_classes=14,
        batch_size=2,
        num_steps=25,
        lstm_size=5,
        num_layers=2,
        learning_rate=0.002,
        grad_clip=0.05,
    )
    norm_of_gradients = tf.get_default_graph().get_tensor_by_name("global_norm/global_norm:0")
    fetched = [model.loss, norm_of_gradients, model.final_state, model.optimizer]
    with tf.Session() as session:
        initialize(session, seed=7)
        for epoch in (1, 2):
            state = session.run(model.initial_state)
            losses = []
            for x, y in get_batches(encoded, 2, 25):
                step = next(steps)
                feed = {
                    model.inputs: x,
                    model.targets: y,
                    model.keep_prob: 1,
                    model.initial_state: state,
                }
                loss, norm, state, _ = session.run(fetched, feed)
                losses.append(loss)
                if step in (15, 30, 40):
                    rows.append([step, epoch, loss, loss / np.log(2), norm])

    np.testing.assert_array_equal(losses_of(folder), losses)
    names = ["step", "epoch", "loss", "bits_per_character", "gradient_norm"]
    history = [[float(row[name]) for name in names] for row in history_of(folder)]
    np.testing.assert_allclose(history, rows, 1e-5)
    assert rows[1][:2] == [30, 2]
    assert min(row[4] for row in rows) > 0.05


def test_a_loss_that_is_not_finite_ends_the_run(run_copy, capsys):
    """No checkpoint is made of it, so the run can be resumed from the one before."""
    assert resume(run_copy, "--epochs", "2", "--learning-rate", "1e38") == 2

    err = capsys.readouterr().err
    assert re.search(
        r"at step 4[56] the loss is (nan|inf) and the norm of the gradients is (nan|inf)", err
    )
    assert "Earlier checkpoints are intact" in err
    assert "learning_rate (now 1e+38)" in err
    assert err.count("\n") == 1

    assert names_of(run_copy) == [OLDER, NEWEST]
    assert newest_intact(run_copy).prefix == str(run_copy / NEWEST)


def test_gradients_that_are_not_finite_end_the_run(text_file, tmp_path, capsys):
    """Even if the loss still is finite, because the weights are lost already."""
    model = random_network(CHARS, lstm_size=5)
    # The squares of so large gradients, from which their norm is computed, are infinite.
    model.weights["softmax/Variable"] *= 1e25
    model.save(tmp_path / "large.npz")
    flags = ["--init-from", str(tmp_path / "large.npz")]
    assert train_small(text_file, tmp_path / "run", *QUIET, *flags) == 2
    assert re.search(
        r"at step 1 the loss is \d\.\d+e\+\d\d and the norm of the gradients is inf, so training stops\.",
        capsys.readouterr().err,
    )


def test_a_step_that_makes_the_weights_useless_is_not_saved(text_file, tmp_path, capsys):
    """With this rate, the loss before the first update is finite, and so are its gradients."""
    folder = tmp_path / "run"
    flags = "--learning-rate 1e38 --save-every-n 1 --num-layers 1"
    status = train_small(text_file, folder, *QUIET, *flags.split())

    err = capsys.readouterr().err
    assert status == 2
    assert "at step 1 the weights are not finite, or too large to be used" in err
    assert "There is no checkpoint yet: resume from the beginning with a lower" in err
    assert "learning_rate (now 1e+38)" in err
    assert err.count("\n") == 1
    assert not list(folder.glob("*.ckpt.*"))


def test_a_run_whose_loss_is_far_above_guessing_is_no_success(text_file, tmp_path, capsys):
    """It proposes no text, nor does it when it is resumed."""
    flags = "--learning-rate 1e6 --keep-prob 1".split()
    assert train_small(text_file, tmp_path / "run", *flags) == 2
    assert resume(tmp_path / "run") == 2
    out, err = capsys.readouterr()
    assert "To write" not in out
    said = re.findall(
        "the run has ended, but its network is of no use: the mean loss of the last epoch is .*, far above guessing. "
        "Train another one with a lower learning_rate .now 1e.06.",
        err,
    )
    assert len(said) == 2


def test_an_epoch_whose_loss_is_far_above_guessing_is_told(text_file, tmp_path, capsys):
    """14 distinct characters are guessed with 2.6391."""
    flags = "--learning-rate 1e6 --keep-prob 1".split()
    assert train_small(text_file, tmp_path / "run", *flags) == 2
    assert re.search(
        r"\nepoch 1/1  mean loss \d+\.\d+, far above guessing \(2\.6391\): the learning_rate may be too high\n",
        capsys.readouterr().out,
    )


# Kinds of networks


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell, flags",
    [
        ("gru", "--optimizer rmsprop --average-decay 0.9 --val-fraction 0.3"),
        ("rnn", "--keep-prob 0.9"),
        pytest.param("layer-norm-lstm", "", marks=needs_contrib),
        pytest.param("nas", "", marks=needs_contrib),
    ],
)
def test_each_kind_of_network_learns_and_can_be_used(text_file, tmp_path, capsys, cell, flags):
    """It can be sampled from, evaluated and resumed."""
    folder = tmp_path / "run"
    sizes = "--lstm-size 20 --num-steps 7 --epochs 5"
    flags = f"{sizes} --learning-rate 0.01 --keep-prob 1 --print-every-n 1 {flags} --cell {cell}"
    assert train_small(text_file, folder, *QUIET, *flags.split()) == 0

    losses = [float(row["loss"]) for row in history_of(folder)]
    first = np.mean(losses[:10])
    last = np.mean(losses[-30:])
    assert last < first - 0.6
    assert capsys.readouterr().err == ""
    assert open_model(folder).cell == cell

    assert sample.main([str(folder), "--length", "30", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert len(out) == len("the ") + 30 + 1
    assert not Vocabulary.from_text(TEXT).unknown(out)

    assert evaluate.main([str(folder), str(text_file)]) == 0
    measured = re.search("^this model +([0-9.]+) ", capsys.readouterr().out, re.MULTILINE)
    assert float(measured.group(1)) < first - 0.6

    assert resume(folder, "--epochs", "6", "--no-summaries") == 0
    losses = [float(row["loss"]) for row in history_of(folder)]
    assert np.mean(losses[-30:]) < last + 0.1


# Validation


def test_training_ends_after_evaluations_without_improvement(stopped_early):
    losses = {}
    for row in history_of(stopped_early):
        if row["val_loss"]:
            losses[int(row["step"])] = float(row["val_loss"])
    steps = sorted(losses)
    best = min(losses, key=losses.get)
    last = steps[-1]

    assert steps == [step for step in range(1, last + 1) if step % 4 == 0 or step % 25 == 0]
    assert steps.index(last) == steps.index(best) + 3
    assert 0 < best < last < 96

    assert record.read_run(stopped_early).best == f"i{best}_l9.ckpt"
    # and not those between
    assert names_of(stopped_early) == [f"i{best}_l9.ckpt", f"i{last}_l9.ckpt"]


@pytest.mark.slow
def test_the_validation_loss_is_of_the_running_averages(tmp_path):
    """They are what the run is used with."""
    text = overfitting_text(tmp_path / "text")
    folder = tmp_path / "run"
    flags = "--average-decay 0.95 --epochs 1"
    assert train_small(text, folder, *VALIDATED_FLAGS, *flags.split()) == 0
    model = open_model(folder)
    variables = weights_of(folder)
    for name, values in model.weights.items():
        assert (values != variables[name]).any()

    _, held_out, _ = split(model.vocabulary.encode(text.read_text()), 0.25)
    loss = surprisal(model.engine(), held_out).mean(dtype=np.float64)
    last_row = history_of(folder)[-1]
    assert float(last_row["val_loss"]) == pytest.approx(loss, abs=1e-5)


@pytest.mark.slow
def test_the_test_loss_is_of_the_best_checkpoint_and_printed_once(tmp_path, monkeypatch, capsys):
    """At the end of a run, not when it is stopped; it is what ``charrnn-evaluate --test --best`` measures."""
    text = overfitting_text(tmp_path / "text")
    folder = tmp_path / "run"
    flags = "--val-fraction 0.15 --test-fraction 0.1 --epochs 2"
    with monkeypatch.context() as patch:
        patch.setattr("charrnn.train.StopRequests", lambda: StopAfter(50))
        assert train_small(text, folder, *VALIDATED_FLAGS, *flags.split()) == 128 + 15
    assert "test loss" not in capsys.readouterr().out

    assert resume(folder) == 0
    out = capsys.readouterr().out
    ((loss, name),) = re.findall("^test loss ([0-9.]+), of (.*)$", out, re.MULTILINE)
    run = record.read_run(folder)
    assert name == run.best
    assert name != names_of(folder)[-1]
    assert run.test_loss == pytest.approx(float(loss), abs=1e-4)

    assert evaluate.main(["--test", "--best", str(folder)]) == 0
    out = capsys.readouterr().out
    measured = re.search("104 characters(?s:.*)this model +([0-9.]+)", out)
    assert float(measured.group(1)) == pytest.approx(float(loss), abs=2e-4)


# Checkpoints and samples


@pytest.mark.parametrize(
    "flag, value",
    [("--average-decay", "0.9"), pytest.param("--cell", "gru", marks=pytest.mark.slow)],
)
def test_a_sample_is_what_the_sampling_script_writes(text_file, tmp_path, capsys, flag, value):
    """It is the output of ``charrnn-sample CHECKPOINT --seed STEP``. NumPy's global generator is not used for it."""
    folder = tmp_path / "run"
    np.random.seed(0)
    expected = np.random.RandomState(0).random_sample()
    sizes = "--num-steps 30 --num-layers 1 --save-every-n 9 --sample-length 200"
    flags = f"--learning-rate 0.05 --keep-prob 1 {sizes}"
    assert train_small(text_file, folder, *QUIET, *flags.split(), flag, value) == 0
    assert np.random.random_sample() == expected

    # a sample stands between two rules
    parts = capsys.readouterr().out.split("-" * 70 + "\n")
    samples = parts[1::2]
    for step, text in zip((9, 17), samples):
        checkpoint = folder / f"i{step}_l5.ckpt"
        assert sample.main([str(checkpoint), "--seed", str(step), "--length", "200"]) == 0
        assert text == capsys.readouterr().out
    assert len(samples) == 2
    assert samples[0] != samples[1]

    variables = weights_of(folder)
    suffix = AVERAGE if flag == "--average-decay" else ""
    for name, values in open_model(folder).weights.items():
        np.testing.assert_array_equal(values, variables[name + suffix])


@pytest.fixture(scope="module")
def of_equal_losses(tmp_path_factory):
    """The folder of a run that ended early, as its second validation loss was not lower, and its lines.

    Not to be changed. The losses are 1 and 1, and 5 on the test text.
    """
    folder = tmp_path_factory.mktemp("equal") / "run"
    sizes = "--epochs 2 --num-steps 30 --num-layers 1 --save-every-n 6"
    flags = f"{sizes} --val-fraction 0.25 --test-fraction 0.1 --early-stop 1"
    with pytest.MonkeyPatch.context() as patch:
        validation_losses(patch, [1.0, 1.0, 5.0])
        status, out, _ = train_with_errors(folder, *flags.split())
    assert status == 0
    return folder, out.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "note     22 steps are few to learn from; the preset auto makes 488, or begins with a trained model",
        "epoch 1/2  step 6/22  validation loss 1.0000, the best so far",
        "epoch 2/2  step 12/22  validation loss 1.0000, the best 1.0000 at step 6",
        "ended early after step 12: 1 evaluation without improvement since step 6",
        "test loss 5.0000, of i6_l5.ckpt",
    ],
    ids=["few steps", "the best", "no better", "the end", "the best is tested"],
)
def test_a_run_prints_what_its_losses_lead_to(of_equal_losses, line):
    _, lines = of_equal_losses
    assert line in lines


def test_the_last_lines_of_a_run_with_evaluations_lead_to_its_best_checkpoint(of_equal_losses):
    folder, lines = of_equal_losses
    writing = f"charrnn-sample {quoted(folder)} --best"
    assert f"finished after step 12. To write text: {writing}" in lines


def test_the_last_lines_of_a_run_that_ended_early_turn_the_early_stop_off(of_equal_losses):
    folder, lines = of_equal_losses
    resumption = f"charrnn-train --resume --checkpoint-dir {quoted(folder)} --early-stop 0"
    assert f"To train longer: {resumption}" in lines


@pytest.fixture(scope="module")
def without_its_best(of_equal_losses, tmp_path_factory):
    """The folder of that run, resumed with a damaged best checkpoint, what was printed, and the errors.

    Not to be changed. The validation losses are 2 after step 15, and NaN after step 22.
    """
    first, _ = of_equal_losses
    folder = tmp_path_factory.mktemp("damaged") / "run"
    shutil.copytree(str(first), str(folder))
    (folder / "i6_l5.ckpt.index").unlink()
    flags = "--early-stop 9 --eval-every-n 15 --save-every-n 300 --no-summaries"
    err = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(err):
        validation_losses(patch, [2.0, np.nan])
        status, out = with_output(resume, folder, *flags.split())
    assert status == 2
    return folder, out, err.getvalue()


def test_a_damaged_best_checkpoint_is_named(without_its_best):
    _, out, _ = without_its_best
    assert "the best checkpoint i6_l5.ckpt is damaged" in out


def test_a_damaged_best_checkpoint_does_not_hide_later_ones(without_its_best):
    folder, _, _ = without_its_best
    assert record.read_run(folder).best == "i15_l5.ckpt"


def test_a_resumed_run_has_no_notes_for_a_new_one(without_its_best):
    _, out, _ = without_its_best
    assert "few to learn from" not in out


def test_a_validation_loss_that_is_not_finite_ends_the_run(without_its_best):
    _, _, err = without_its_best
    assert (
        "at step 22 the validation loss is nan, so training stops. Earlier checkpoints are intact"
        in err
    )


def test_a_lost_record_is_read_from_the_newest_checkpoint(without_its_best, tmp_path):
    """It knows the best checkpoint, too."""
    before, _, _ = without_its_best
    folder = tmp_path / "run"
    shutil.copytree(str(before), str(folder))
    run = record.read_run(folder)
    (folder / "run.json").unlink()
    assert record.read_run(folder) == run


def test_a_run_that_reaches_its_end_has_not_ended_early(text_file, tmp_path, monkeypatch, capsys):
    validation_losses(monkeypatch, [1.0, 0.5, 3.0])
    sizes = "--num-steps 100 --num-layers 1 --save-every-n 1"
    flags = f"{sizes} --val-fraction 0.25 --early-stop 1"
    assert train_small(text_file, tmp_path / "run", *QUIET, *flags.split()) == 0
    out = capsys.readouterr().out
    assert "step 3/3  validation loss 3.0000" in out
    assert "--epochs 2" in out
    assert "ended early" not in out


FULL = "No space left on device"


@pytest.fixture(scope="module")
def of_a_full_disk(tmp_path_factory):
    """A run of 17 steps on a disk that is full now and then: its folder, exit status, what was printed, and the errors.

    Not to be changed. Checkpoints are due at every third step. Those of steps 3, 12 and 17, the last one, cannot be
    saved; that of step 6 is saved, but cannot be listed. In the working folder is a file with the name that the network
    would have there.
    """
    usual_save = RunFolder.save
    usual_tidy = RunFolder.tidy

    def save(self, progress, *args):
        if progress.step in (3, 12, 17):
            raise OSError(f"the checkpoint i{progress.step} could not be saved: {FULL}")
        return usual_save(self, progress, *args)

    def tidy(self):
        if self.saved_progress.step == 6:
            raise OSError(f"the list cannot be written: {FULL}")
        usual_tidy(self)

    folder = tmp_path_factory.mktemp("full") / "run"
    flags = "--num-steps 30 --num-layers 1 --save-every-n 3"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "save", save)
        patch.setattr(RunFolder, "tidy", tidy)
        patch.chdir(folder.parent)
        Path("i17_l5.npz").write_bytes(b"mine")
        return (folder, *train_with_errors(folder, *flags.split()))


@pytest.mark.parametrize(
    "failure",
    [
        f"the checkpoint i3 could not be saved: {FULL}; there is no checkpoint yet, 3 steps at risk",
        f"the checkpoint i12 could not be saved: {FULL}; earlier checkpoints are intact, 3 steps at risk",
        f"the list cannot be written: {FULL}; the checkpoint is saved",
    ],
    ids=["none yet", "earlier ones", "not listed"],
)
def test_a_save_that_fails_is_a_warning(of_a_full_disk, failure):
    _, _, _, err = of_a_full_disk
    assert f"charrnn-train: {failure}, and training continues" in err.splitlines()


def test_training_continues_after_a_failed_save(of_a_full_disk):
    _, _, out, _ = of_a_full_disk
    assert "step 17/17" in out


def test_a_failed_last_save_is_an_error(of_a_full_disk):
    _, status, _, err = of_a_full_disk
    assert status == 2
    assert f"charrnn-train: error: the checkpoint i17 could not be saved: {FULL}. " in err


def test_the_network_of_a_failed_last_save_is_in_a_file_that_goes_on(of_a_full_disk, monkeypatch):
    """Not in one that was there before. It is that of the steps since the newest checkpoint, too."""
    folder, _, _, err = of_a_full_disk
    monkeypatch.chdir(folder.parent)
    assert Path("i17_l5.npz").read_bytes() == b"mine"
    command = re.search("To go on from it: charrnn-train (.*)\n", err).group(1)
    assert train.main([*shlex.split(command), "--checkpoint-dir", "next"]) == 0

    at_the_end = open_model("i17_l5-2.npz")
    assert_same_arrays(open_model(Path("next", "i0_l5.ckpt")).weights, at_the_end.weights)
    newest = open_model(folder).weights
    assert any((newest[name] != values).any() for name, values in at_the_end.weights.items())


def test_the_error_of_a_failed_last_save_has_the_network(text_file, tmp_path, monkeypatch):
    """Also where it can be written nowhere."""

    def full(*args):
        raise OSError(28, FULL)

    monkeypatch.setattr(RunFolder, "save", full)
    monkeypatch.setattr(RunFolder, "save_elsewhere", lambda *args: None)
    small = dict(batch_size=2, num_steps=30, lstm_size=5, num_layers=1, epochs=1, quiet=True)
    with pytest.raises(OSError, match=FULL) as raised:
        train_model(text_file, tmp_path / "run", **small)
    assert len(raised.value.model.write("a", 9)) == 10


def test_a_last_checkpoint_that_cannot_be_listed_is_saved_and_needs_no_other_file(
    text_file, tmp_path, monkeypatch
):
    save = RunFolder.save

    def unlisted(*args):
        save(*args)
        raise OSError(28, FULL)

    monkeypatch.setattr(RunFolder, "save", unlisted)
    monkeypatch.setattr(RunFolder, "save_elsewhere", pytest.fail)
    small = dict(batch_size=2, num_steps=30, lstm_size=5, num_layers=1, epochs=1, quiet=True)
    with pytest.raises(OSError, match=FULL):
        train_model(text_file, tmp_path / "run", **small)


def test_a_checkpoint_that_cannot_be_listed_is_listed_by_the_next_save(of_a_full_disk):
    folder, _, _, _ = of_a_full_disk
    listed = (folder / "checkpoint").read_text()
    assert re.findall('all_model_checkpoint_paths: "(.*)"', listed) == [
        "i6_l5.ckpt",
        "i9_l5.ckpt",
        "i15_l5.ckpt",
    ]


# The folder


def content_of(folder):
    """The content of each file in a folder and in those below it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_a_run_whose_folder_was_moved_writes_nothing_into_the_next_one(
    text_file, trained, tmp_path, monkeypatch, capsys
):
    """No checkpoint, history or summary."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "run"

    def move(step):
        if step == 3:
            folder.rename(tmp_path / "moved")
            shutil.copytree(str(trained), str(folder))

    flags = "--num-steps 100 --num-layers 1 --print-every-n 2 --save-every-n 4"
    with called_after_steps(move):
        assert train_small(text_file, folder, *flags.split()) == 2

    assert content_of(folder) == content_of(trained)
    err = capsys.readouterr().err
    message = f"cannot save to {folder}: since training began, the folder was moved"
    assert err.count("\n") == 2
    assert err.count(message) == 2


def test_a_run_whose_folder_is_away_at_the_end_says_how_to_resume_it_there(
    text_file, tmp_path, monkeypatch, capsys
):
    """It can be resumed there."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "run"

    def move(step):
        if step == 4:
            folder.rename(tmp_path / "moved")

    flags = "--num-steps 100 --num-layers 1 --save-every-n 3"
    with called_after_steps(move):
        assert train_small(text_file, folder, *QUIET, *flags.split()) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert (
        "the folder was moved or removed. If it was moved, its checkpoints are intact: to resume from the last one, "
        "name its new place as checkpoint_dir, with resume=True, or --resume. The network is in i5_l5.npz."
    ) in err
    assert resume(tmp_path / "moved") == 0
    assert "resumed  after step 3, 2 to go\n" in capsys.readouterr().out


# Many runs in one process


@pytest.mark.parametrize("seed, in_order", [(7, True), (None, False)])
def test_dynamic_rnn_runs_in_order_where_a_seed_is_given(seed, in_order):
    """Nobody will repeat a run whose seed is drawn."""
    values = dict(batch_size=2, num_steps=9, fused=False, seed=seed)
    assert plan_job(Text("a text", TEXT), values, "run").in_order == in_order


@pytest.mark.slow
@pytest.mark.parametrize("settings", [dict(fused=False), dict(cell="gru")])
def test_a_seed_that_is_given_fixes_the_dropout_of_dynamic_rnn(tmp_path, settings):
    """Several threads run its iterations in any order otherwise."""
    small = dict(
        batch_size=2,
        num_steps=40,
        lstm_size=64,
        num_layers=1,
        epochs=2,
        threads=4,
        seed=7,
        keep_prob=0.5,
        sample_length=0,
        summaries=False,
        quiet=True,
        **settings,
    )
    first = train_model(TEXT, tmp_path / "0", **small)
    second = train_model(TEXT, tmp_path / "1", **small)
    assert first.losses.tolist() == second.losses.tolist()


def resources():
    """Return the memory in MB, the open files and the threads of this process, and the graphs in its memory."""
    from charrnn.system.tensorflow import tf

    gc.collect()
    # such as "123456 7890 ...": all pages of the process, and those in memory
    sizes = Path("/proc/self/statm").read_text().split()
    return (
        int(sizes[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        sum(isinstance(value, tf.Graph) for value in gc.get_objects()),
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
@pytest.mark.parametrize("calls", [1, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("stopped_early")
def test_calls_from_python_keep_nothing(tmp_path, calls):
    """Neither memory nor descriptors, threads or graphs, once a run has made what all use."""
    measured = [resources()]
    for number in range(calls):
        folder = tmp_path / str(number)
        train_model(
            TEXT * 2,
            folder,
            batch_size=2,
            num_steps=500,
            lstm_size=5,
            num_layers=1,
            epochs=1,
            threads=1,
            quiet=True,
            val_fraction=0.5,
        )
        write_text(folder, 20)
        shutil.rmtree(str(folder))
        measured.append(resources())

    memory, *others = zip(*measured[calls // 10 :])
    # A call that keeps its graph keeps 10 MB or more.
    assert memory[-1] - memory[0] < 40
    for values in others:
        assert values[-1] <= values[0], others
