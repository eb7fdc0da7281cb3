"""The training script: in process, as a process, stopped, resumed, and given bad input."""
import contextlib
import csv
import fcntl
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoints, evaluate, sample, train
from charrnn.data import Vocabulary, get_batches, split
from charrnn.model import CharRNN
from charrnn.system import files
from charrnn.text import corpus
from charrnn.training import trainer
from charrnn.training.hyperparameters import CELLS

LINE = re.compile(r"epoch (\d+)/(\d+)  step (\d+)/(\d+)  loss (\d+\.\d{4})  \d+\.\d{4} s/batch")


def run(text_file, folder, *flags):
    return train.main([str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(folder), *flags])


def losses_of(folder):
    """The losses of the last epoch so far, as the newest checkpoint keeps them."""
    prefix = checkpoints.newest_intact(folder)[0]
    return checkpoints.read_progress(prefix, (2, 2, 2, 5)).epoch_losses


def weights_of(folder):
    reader = tf.train.NewCheckpointReader(checkpoints.newest_intact(folder)[0])
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def history_of(folder):
    """The rows of history.csv but for the speed, which is never the same: dicts from name to str."""
    with open(str(folder / "history.csv"), newline="") as file:
        return [{name: value for name, value in row.items() if name != "characters_per_second"}
                for row in csv.DictReader(file)]


def assert_same_run(folder, expected):
    """The same weights, optimizer's slots, progress and history, to the last bit."""
    ours, theirs = weights_of(folder), weights_of(expected)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    progress, expected_progress = (
        np.load(checkpoints.newest_intact(each)[0] + ".progress.npz") for each in (folder, expected))
    for name in checkpoints.Progress._fields:
        np.testing.assert_array_equal(progress[name], expected_progress[name], err_msg=name)
    assert history_of(folder) == history_of(expected)
    assert checkpoints.read_run(folder).best == checkpoints.read_run(expected).best


def test_what_it_says(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--epochs", "2", "--sample-length", "12") == 0
    out, err = capsys.readouterr()
    lines = out.split("\n")
    assert lines[:5] == [
        "text     {}, 1,040 characters, 14 distinct".format(text_file),
        "windows  173 an epoch of 2 x 3, 2 characters left over",
        "network  2 layers of 5 units, 704 parameters",
        "steps    346 in 2 epochs, seed 7",
        "folder   {}, a checkpoint every 100 steps".format(tmp_path / "run")]
    steps = [LINE.fullmatch(line).groups() for line in lines if LINE.fullmatch(line)]
    assert [(int(epoch), int(step)) for epoch, _, step, _, _ in steps] == [
        (1, 50), (1, 100), (1, 150), (2, 200), (2, 250), (2, 300), (2, 346)]
    assert {(epochs, total) for _, epochs, _, total, _ in steps} == {("2", "346")}
    saved = re.findall("saved (.*)", out)
    assert [os.path.basename(path) for path in saved] == [
        "i100_l5.ckpt", "i200_l5.ckpt", "i300_l5.ckpt", "i346_l5.ckpt"]
    # the end of an epoch is said, whether a line for its last step is due or not
    assert [line[:9] for line in lines if "mean loss" in line] == ["epoch 1/2", "epoch 2/2"]
    assert "epoch 2/2  mean loss {:.4f}".format(np.mean(losses_of(tmp_path / "run"))) in lines
    prime = "\n"  # this text has no "T", so not "The "
    samples = out.split("-" * 70 + "\n")[1::2]
    assert all(sample.startswith(prime) and len(sample) == 1 + 12 + 1 for sample in samples)
    assert len(samples) == 4 and err == ""


def test_it_learns(text_file, tmp_path):
    assert run(text_file, tmp_path / "run", "--learning-rate", "0.02", "--keep-prob", "1", "--lstm-size", "20",
               "--num-steps", "7", "--epochs", "8", "--sample-length", "0") == 0
    progress = checkpoints.read_progress(checkpoints.newest_intact(tmp_path / "run")[0], (2, 2, 2, 20))
    assert progress.epoch_losses[-20:].mean() < 0.5  # it began near ln 14 = 2.64


def test_it_does_what_the_loop_of_the_notebook_does(text_file, tmp_path):
    """The same losses as a plain loop: state zeroed once an epoch, fed back window by window."""
    assert run(text_file, tmp_path / "run", "--keep-prob", "1", "--epochs", "2", "--sample-length", "0",
               "--no-fused", "--learning-rate", "0.002", "--grad-clip", "0.1") == 0
    encoded = Vocabulary.from_text(TEXT).encode(TEXT)
    model = CharRNN(14, 2, 3, 5, 2, 0.002, 0.1, seed=7)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(2):
            state, losses = session.run(model.initial_state), []
            for x, y in get_batches(encoded, 2, 3):
                loss, state, _ = session.run(
                    [model.loss, model.final_state, model.optimizer],
                    {model.inputs: x, model.targets: y, model.keep_prob: 1, model.initial_state: state})
                losses.append(loss)
    np.testing.assert_array_equal(losses_of(tmp_path / "run"), losses)


def test_dropout_is_on_in_training(text_file, tmp_path):
    """From the same weights, the first loss differs by what was dropped."""
    first = []
    for keep_prob in ("1", "0.5"):
        assert run(text_file, tmp_path / keep_prob, "--keep-prob", keep_prob, "--sample-length", "0") == 0
        first.append(losses_of(tmp_path / keep_prob)[0])
    assert first[0] != first[1] and first[0] == pytest.approx(first[1], abs=0.1)


class Interrupt:
    """Stands for the trainer's signals: asks it to stop after a number of steps."""

    noted = contextlib.nullcontext

    def __init__(self, after):
        self.left = after

    @property
    def signal(self):
        self.left -= 1  # it is asked once a step
        return signal.SIGTERM if self.left <= 0 else None


@pytest.mark.parametrize("stops, graph", [
    pytest.param([1], [], marks=pytest.mark.slow), pytest.param([172], [], marks=pytest.mark.slow),
    pytest.param([173], [], marks=pytest.mark.slow), pytest.param([174], [], marks=pytest.mark.slow),
    pytest.param([40, 100, 33, 60], [], marks=pytest.mark.slow),
    pytest.param([40, 140], ["--no-fused", "--keep-prob", "1"], marks=pytest.mark.slow),
    ([20, 105], ["--val-fraction", "0.25", "--eval-every-n", "20", "--average-decay", "0.9",
                 "--schedule", "cosine", "--warmup-steps", "30"]),
    pytest.param([55, 85], ["--val-fraction", "0.25", "--cell", "gru", "--keep-prob", "1"], marks=pytest.mark.slow),
    pytest.param([70], ["--cell", "rnn", "--keep-prob", "1", "--optimizer", "rmsprop"], marks=pytest.mark.slow)])
def test_a_resumed_run_is_the_run_that_was_not_stopped(text_file, tmp_path, monkeypatch, capsys, stops, graph):
    """To the last bit: step, epoch, place in the text, LSTM state, weights, Adam, the fused graph's masks.

    Nor is anything evaluated because of a stop, which would change the history, the best and an early end.
    """
    flags = ["--epochs", "2", "--sample-length", "0", *graph]
    assert run(text_file, tmp_path / "whole", *flags) == 0
    resume, step = [], 0
    for after in stops:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(trainer, "_StopRequests", lambda after=after: Interrupt(after))
            assert run(text_file, tmp_path / "parts", *flags, *resume) == 128 + signal.SIGTERM
        out = capsys.readouterr().out
        assert "resumed  after step {},".format(step) in out or not resume
        resume, step = ["--resume"], step + after
        assert (tmp_path / "parts" / "i{}_l5.ckpt.index".format(step)).exists()
        assert "stopped by SIGTERM after step {};".format(step) in out
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "parts"), "--sample-length", "0"]) == 0
    with np.load(checkpoints.newest_intact(tmp_path / "whole")[0] + ".progress.npz") as progress:
        epoch_mean = "epoch 2/2  mean loss {:.4f}".format(np.mean(progress["epoch_losses"]))
    assert epoch_mean in capsys.readouterr().out
    assert_same_run(tmp_path / "parts", tmp_path / "whole")


def test_a_run_whose_list_of_checkpoints_is_lost_is_not_begun_again(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    (tmp_path / "run" / "checkpoint").unlink()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]) == 0
    assert "resumed  after step 173, 0 to go" in capsys.readouterr().out


@pytest.mark.parametrize("suffix, damage, message", [
    (".index", lambda path: path.unlink(), "{} is gone"),
    (".data-00000-of-00001", lambda path: path.write_bytes(path.read_bytes()[:-1]), "{} is not as it was saved"),
    (".progress.npz", lambda path: path.write_bytes(b""), "{} is not as it was saved")])
def test_a_newest_checkpoint_that_is_gone_or_damaged_is_skipped(
        trained, tmp_path, capsys, suffix, damage, message):
    """It is said, the one before is gone on from, and what comes out is the run that was not damaged."""
    folder = tmp_path / "run"
    shutil.copytree(str(trained), str(folder))
    damage(folder / ("i173_l5.ckpt" + suffix))
    assert train.main(["--resume", "--checkpoint-dir", str(folder), "--sample-length", "0"]) == 0
    out, err = capsys.readouterr()
    assert "skipped  {} is not whole: {}".format(
        folder / "i173_l5.ckpt", message.format("i173_l5.ckpt" + suffix)) in out.splitlines()
    assert "resumed  after step 100, 73 to go" in out and err == ""
    checkpoints.verify(str(folder / "i173_l5.ckpt"))
    assert_same_run(folder, trained)


def test_a_run_without_a_whole_checkpoint_is_not_begun_again(trained, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(str(trained), str(folder))
    for path in folder.glob("*.index"):
        path.unlink()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert train.main(["--resume", "--checkpoint-dir", str(folder), "--sample-length", "0"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "there is no whole checkpoint in" in err
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_old_checkpoints_go_and_the_list_has_no_folders(text_file, tmp_path):
    assert run(text_file, tmp_path / "run", "--save-every-n", "40", "--sample-length", "0",
               "--max-to-keep", "2") == 0
    assert sorted(path.name for path in (tmp_path / "run").glob("*.index")) == [
        "i160_l5.ckpt.index", "i173_l5.ckpt.index"]
    assert "/" not in (tmp_path / "run" / "checkpoint").read_text()


def test_samples_are_of_the_checkpoint_and_leave_the_callers_generator_alone(text_file, tmp_path, capsys):
    """Each is what the saved checkpoint writes with the step as its seed."""
    from charrnn.checkpoints import open_checkpoint
    from charrnn.engines.sampler import Sampler
    np.random.seed(0)
    expected_draw = np.random.RandomState(0).random_sample()
    assert run(text_file, tmp_path / "run", "--learning-rate", "0.05", "--keep-prob", "1") == 0
    assert np.random.random_sample() == expected_draw
    samples = capsys.readouterr().out.split("-" * 70 + "\n")[1::2]
    for step, text in zip((100, 173), samples):
        sampler = Sampler(open_checkpoint(tmp_path / "run" / "i{}_l5.ckpt".format(step)))
        pieces = sampler.generate("\n", 200, rngs=[np.random.RandomState(step)])
        assert text == "\n" + "".join(piece for piece, in pieces) + "\n"
        sampler.close()
    assert len(samples) == 2 and samples[0] != samples[1]


def test_a_loss_that_is_not_finite_ends_the_run(text_file, tmp_path, capsys):
    """No checkpoint is made of it, and the run can be gone on with from the one before."""
    assert run(text_file, tmp_path / "run", "--learning-rate", "1e300") == 2
    out, err = capsys.readouterr()
    assert re.search(r"at step [23] the loss is (nan|inf) and the norm of the gradients (nan|inf)", err)
    assert "--learning-rate (now 1e+300)" in err and "--grad-clip (now 5)" in err and err.count("\n") == 1
    assert "saved" not in out and not list((tmp_path / "run").glob("*.ckpt.*"))
    assert run(text_file, tmp_path / "late", "--sample-length", "0") == 0
    resume = ["--resume", "--checkpoint-dir", str(tmp_path / "late"), "--epochs", "2", "--sample-length", "0"]
    capsys.readouterr()
    assert train.main([*resume, "--learning-rate", "1e300"]) == 2
    assert re.search("at step 17[56] the loss is", capsys.readouterr().err)
    assert checkpoints.newest_intact(tmp_path / "late") == (str(tmp_path / "late" / "i173_l5.ckpt"), [])
    assert train.main([*resume, "--learning-rate", "0.01"]) == 0


def test_gradients_that_are_not_finite_end_the_run(text_file, tmp_path, monkeypatch, capsys):
    """Though the loss still is: the weights are lost already."""
    usual = CharRNN.__init__

    def init(self, *args, **kwargs):
        usual(self, *args, **kwargs)
        self.gradient_norm = tf.constant(np.inf)

    monkeypatch.setattr(CharRNN, "__init__", init)
    assert run(text_file, tmp_path / "run") == 2
    err = capsys.readouterr().err
    assert re.search(r"at step 1 the loss is 2\.\d+ and the norm of the gradients inf: training ends", err)
    assert not list((tmp_path / "run").glob("*.ckpt.*"))


def test_the_encoding_is_heeded(tmp_path, capsys):
    path = tmp_path / "latin"
    path.write_bytes((TEXT + "\xe9").encode("latin-1"))
    assert run(path, tmp_path / "run", "--encoding", "latin-1", "--sample-length", "0") == 0
    assert checkpoints.read_run(tmp_path / "run").vocabulary.chars[-1] == "\xe9"
    capsys.readouterr()
    flags = ["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    assert train.main(flags) == 0  # the encoding is that of the run
    assert train.main([*flags, "--encoding", "cp1252"]) == 2
    assert "the encoding latin-1" in capsys.readouterr().err


def test_resuming_says_so_and_may_go_further(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    (tmp_path / "run").rename(tmp_path / "moved")
    capsys.readouterr()
    flags = ["--resume", "--checkpoint-dir", str(tmp_path / "moved"), "--sample-length", "0"]
    assert train.main(flags) == 0
    assert "resumed  after step 173, 0 to go" in capsys.readouterr().out
    assert train.main([*flags, "--epochs", "2", "--learning-rate", "0.002"]) == 0
    assert "resumed  after step 173, 173 to go" in capsys.readouterr().out
    hyperparameters = checkpoints.read_run(tmp_path / "moved").hyperparameters
    assert (hyperparameters["epochs"], hyperparameters["learning_rate"]) == (2, 0.002)
    names = [os.path.basename(path) for path in checkpoints.list_checkpoints(tmp_path / "moved")]
    assert names == ["i100_l5.ckpt", "i173_l5.ckpt", "i200_l5.ckpt", "i300_l5.ckpt", "i346_l5.ckpt"]


def test_resuming_a_run_that_was_stopped_before_its_first_checkpoint(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    for path in [*(tmp_path / "run").glob("*.ckpt*"), tmp_path / "run" / "checkpoint"]:
        path.unlink()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]) == 0
    assert "resumed  after step 0, 173 to go" in capsys.readouterr().out
    assert [row["step"] for row in history_of(tmp_path / "run")] == ["50", "100", "150", "173"]


@pytest.mark.parametrize("flags, message", [
    (["--batch-size", "3"], "batch_size 2, which --resume cannot change to 3"),
    (["--seed", "8"], "seed 7, which --resume cannot change to 8"),
    (["--cell", "gru"], "cell lstm, which --resume cannot change to gru"),
    (["--optimizer", "rmsprop"], "optimizer adam, which --resume cannot change to rmsprop"),
    (["--average-decay", "0.5"], "average_decay 0.0, which --resume cannot change to 0.5"),
    (["--val-fraction", "0.5"], "val_fraction 0.0, which --resume cannot change to 0.5"),
    (["--preset", "quick"], "--preset is for a new run"),
    (["--init-from", "checkpoints"], "--init-from is for a new run"),
    (["--dry-run"], "--dry-run is for a new run"),
    (["python"], "was trained on"),
    (["--epochs", "0"], "epochs")])
def test_resume_refuses(trained, capsys, flags, message):
    before = sorted(path.stat().st_mtime_ns for path in trained.iterdir())
    assert train.main([*flags, "--resume", "--checkpoint-dir", str(trained)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err
    assert sorted(path.stat().st_mtime_ns for path in trained.iterdir()) == before


def test_resume_with_no_run_or_with_a_notebooks(trained, tmp_path, capsys):
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path)]) == 2
    assert "there is no run in" in capsys.readouterr().err


@pytest.mark.parametrize("name, message", [
    ("missing.txt", "No such file"), ("", "Is a directory"), ("empty", "is empty"), ("binary", "--encoding"),
    ("one", "one distinct character"), ("\0", "cannot read the text"),
    ("short", "what fits: batch_size at most 1 with num_steps 3"),
    ("shorter", "batch_size 1 with num_steps at most 2")])
def test_bad_texts(tmp_path, capsys, name, message):
    contents = {"empty": b"", "binary": b"\xff\xd8\xff\xe0", "one": b"aaaaaaaaaa", "short": b"abcab",
                "shorter": b"ab"}
    if name in contents:
        (tmp_path / name).write_bytes(contents[name])
    assert run(tmp_path / name, tmp_path / "run", "--batch-size", "5") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-train: error: ")
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flags", [
    ["--batch-size", "0"], ["--num-steps", "-1"], ["--lstm-size", "0"], ["--lstm-size", "ten"],
    ["--lstm-size", "10000000"], ["--num-layers", "0"], ["--learning-rate", "0"], ["--learning-rate", "nan"],
    ["--learning-rate", "inf"], ["--keep-prob", "0"], ["--keep-prob", "1.01"], ["--grad-clip", "-5"],
    ["--epochs", "0"], ["--print-every-n", "0"], ["--save-every-n", "0"], ["--sample-length", "-1"],
    ["--seed", "-1"], ["--seed", "2147483648"], ["--threads", "0"], ["--encoding", "klingon"],
    ["--cell", "gruu"], ["--optimizer", "sgd"], ["--schedule", "step"], ["--preset", "unheard-of"],
    ["--decay", "0"], ["--warmup-steps", "-1"], ["--input-keep-prob", "0"], ["--average-decay", "1"],
    ["--val-fraction", "1"], ["--val-fraction", "-0.1"], ["--val-fraction", "0.001"], ["--eval-every-n", "5"],
    ["--early-stop", "2"], ["--max-to-keep", "0"],
    ["--encoding", ""], ["--unheard-of"], ["--num-layers", "1" + 400 * "0"]])
def test_bad_flags(text_file, tmp_path, capsys, flags):
    assert run(text_file, tmp_path / "run", *flags) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert flags[0].strip("-").replace("-", "_") in err.replace("-", "_")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_another_run(text_file, trained, capsys):
    assert run(text_file, trained) == 2
    err = capsys.readouterr().err
    assert "--resume" in err and "--checkpoint-dir" in err and err.count("\n") == 1


def test_a_folder_that_cannot_be_written(text_file, tmp_path, capsys):
    for folder in (text_file, text_file / "inside a file"):
        assert run(text_file, folder) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1
        assert "the folder {} cannot be written".format(folder) in err
    assert run(text_file, tmp_path / "a[1]") == 2
    assert "cannot be the name" in capsys.readouterr().err


def test_an_empty_name_is_not_the_default(tmp_path, capsys):
    assert train.main(["", "--checkpoint-dir", str(tmp_path / "run")]) == 2
    assert "cannot read the text '.'" in capsys.readouterr().err


def test_a_text_from_a_pipe(tmp_path):
    """It can be read only once, and its SHA-256 is that of what was read."""
    os.mkfifo(str(tmp_path / "pipe"))
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(TEXT))
    writer.start()
    text = corpus.read(str(tmp_path / "pipe"))
    writer.join()
    assert text.text == TEXT and text.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


@pytest.mark.slow
def test_a_terminal_shows_a_bar(text_file, tmp_path):
    """Loss, characters, speed and time left; after a resume the bar begins where the run does."""
    command = [sys.executable, "-m", "charrnn.train"]
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    bars = []
    for arguments in (flags, ["--resume", *flags[-4:], "--epochs", "2"]):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 30, 120, 0, 0))
        with subprocess.Popen([*command, *arguments], stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # how Linux says that the other end is closed
                    break
            assert process.wait(120) == 0
        os.close(ours)
        bars.append([bar for bar in re.split("[\r\n]", shown.decode()) if "characters/s" in bar])
    assert all("loss " in bar and re.search(r"\d\d:\d\d<", bar) for bar in bars[0][1:])
    assert "1.04k/1.04k" in bars[0][-1] and "2.08k/2.08k" in bars[1][-1]
    assert "1.04k/2.08k" in bars[1][0]


def test_the_second_signal_ends_it_at_once():
    stop = trainer._StopRequests()
    with stop.noted():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 1)


def test_signals_are_given_back_and_those_switched_off_stay_so():
    """nohup switches SIGHUP off."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    usual = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = trainer._StopRequests()
        with stop.noted():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.signal is None
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.signal == signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, usual[signal.SIGHUP])
    assert {number: signal.getsignal(number) for number in numbers} == usual


def test_the_fused_graph_and_the_notebooks_train_alike(text_file, tmp_path):
    """One goes on from the other's checkpoint; without dropout their losses agree to rounding."""
    flags = ["--keep-prob", "1", "--sample-length", "0"]
    assert run(text_file, tmp_path / "run", *flags, "--no-fused") == 0
    shutil.copytree(str(tmp_path / "run"), str(tmp_path / "other"))
    resume = ["--resume", "--epochs", "2", "--sample-length", "0", "--checkpoint-dir"]
    assert train.main([*resume, str(tmp_path / "run")]) == 0
    assert checkpoints.read_run(tmp_path / "run").hyperparameters["fused"] is False  # as it was begun
    run_file = tmp_path / "other" / "run.json"
    run_file.write_text(run_file.read_text().replace('"fused": false', '"fused": true'))
    assert train.main([*resume, str(tmp_path / "other"), "--threads", "1"]) == 0
    np.testing.assert_allclose(losses_of(tmp_path / "other"), losses_of(tmp_path / "run"), atol=1e-4)


def test_a_seed_that_was_chosen_is_written_down(text_file, tmp_path, capsys):
    flags = SMALL_FLAGS[:-2]
    flags += ["--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    assert train.main([str(text_file), *flags]) == 0
    seed = checkpoints.read_run(tmp_path / "run").hyperparameters["seed"]
    assert "in 1 epochs, seed {}\n".format(seed) in capsys.readouterr().out


def test_help_is_for_people(capsys):
    with pytest.raises(SystemExit) as end:
        train.main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    for part in ["default: 512", "default: anna", "default: checkpoints", "optimisation:", "examples:"]:
        assert part in out


def test_importing_does_not_import_tensorflow():
    code = ("import sys, charrnn, charrnn.train, charrnn.sample; assert 'tensorflow' not in sys.modules; "
            "charrnn.CharRNN; assert 'tensorflow' in sys.modules; charrnn.nothing")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert b"has no attribute 'nothing'" in done.stderr


@pytest.mark.parametrize("number", [
    signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_process_that_is_stopped_saves_and_goes_on(text_file, tmp_path, number):
    """As users run it: quiet, stopped by a signal in the middle, and resumed to its end."""
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "charrnn.train"]
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(folder), "--epochs", "100000"]
    # a process inherits what is ignored, as under nohup
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)) as process:
        while "step 50/" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (128 + number, "")
    stopped = re.search("stopped by {} after step ([0-9,]+);".format(number.name), out).group(1)
    assert "charrnn-train --resume --checkpoint-dir {}".format(folder) in out
    assert checkpoints.newest_intact(folder) == (str(folder / "i{}_l5.ckpt".format(stopped.replace(",", ""))), [])
    if number == signal.SIGHUP:
        return  # from here on it is as with the others
    done = subprocess.run([*command, "--resume", "--checkpoint-dir", str(folder), "--epochs", "5"],
                          capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert "resumed  after step {},".format(stopped) in done.stdout and "step 865/865" in done.stdout


def test_a_reader_that_goes_away(text_file, tmp_path):
    """As with ``charrnn-train | head -1``: it ends soon, without a traceback, and the checkpoint is saved."""
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "charrnn.train", str(text_file), *SMALL_FLAGS, "--print-every-n", "1",
               "--checkpoint-dir", str(folder), "--epochs", "100000"]
    done = subprocess.run(["bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash", *command],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
    assert done.stdout.startswith("text ") and done.stdout.count("\n") == 1
    prefix, skipped = checkpoints.newest_intact(folder)
    assert skipped == [] and 0 < checkpoints.read_progress(prefix, (2, 2, 2, 5)).step < 100000
    assert train.main(["--resume", "--checkpoint-dir", str(folder), "--epochs", "1", "--sample-length", "0"]) == 0


def test_the_users_own_warnings_are_heard():
    code = ("from charrnn.system import console; console.quiet_tensorflow(); import warnings, charrnn\n"
            "charrnn.CharRNN(3); import tensorflow.compat.v1 as tf; tf.logging.warning('mine')\n"
            "warnings.warn('mine too'); tf.Session().close()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    lines = done.stderr.strip().split("\n")
    assert done.stdout == "" and len(lines) == 2, done.stderr
    assert "mine" in lines[0] and "mine too" in lines[1]


def test_texts_by_name(tmp_path, capsys, monkeypatch):
    """A known text is asked for by name and never swapped for another."""
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert train.main(["anna", "--checkpoint-dir", "run"]) == 2
    assert "'anna' can be had nowhere: not at data/anna.txt" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert train.main([]) == 2
    assert corpus.PYTHON not in corpus.KNOWN_TEXTS


@pytest.mark.parametrize("flags", [
    ["--cell", "gru", "--optimizer", "rmsprop", "--average-decay", "0.9", "--val-fraction", "0.3"],
    pytest.param(["--cell", "rnn", "--input-keep-prob", "0.9"], marks=pytest.mark.slow),
    pytest.param(["--cell", "gru"], marks=pytest.mark.slow), pytest.param(["--cell", "rnn"], marks=pytest.mark.slow),
    pytest.param(["--optimizer", "rmsprop"], marks=pytest.mark.slow),
    pytest.param(["--cell", "layer-norm-lstm"], marks=pytest.mark.slow),
    pytest.param(["--cell", "nas"], marks=pytest.mark.slow)])
def test_kinds_of_network(text_file, tmp_path, capsys, flags):
    """Each trains, and can be sampled from, evaluated and resumed."""
    folder = str(tmp_path / "run")
    assert run(text_file, folder, "--lstm-size", "20", "--num-steps", "7", "--epochs", "5", "--learning-rate", "0.01",
               "--keep-prob", "1", "--sample-length", "0", "--print-every-n", "1", "--no-summaries", *flags) == 0
    out, err = capsys.readouterr()
    losses = [float(row["loss"]) for row in history_of(tmp_path / "run")]
    first, last = np.mean(losses[:10]), np.mean(losses[-30:])
    assert len(losses) == (5 * 52 if "--val-fraction" in flags else 5 * 74) and last < first - 0.7 and err == ""
    assert ("unrolled by dynamic_rnn" in out) == (flags[0] != "--optimizer")
    kind = flags[1] if flags[0] == "--cell" else "lstm"
    assert checkpoints.open_checkpoint(folder).cell == kind
    assert ("20 units, " in out) == (kind == "lstm") and (" of kind " + kind in out) == (kind != "lstm")
    assert sample.main([folder, "--length", "30", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert len(out) == len("\n") + 30 + 1 and not Vocabulary.from_text(TEXT).unknown(out)
    assert evaluate.main([folder, str(text_file)]) == 0
    nats = float(re.search("^this model +([0-9.]+) ", capsys.readouterr().out, re.MULTILINE).group(1))
    assert nats < first - 0.6
    assert train.main(["--resume", "--checkpoint-dir", folder, "--epochs", "6", "--sample-length", "0",
                       "--no-summaries"]) == 0
    losses = [float(row["loss"]) for row in history_of(tmp_path / "run")]
    assert np.mean(losses[-30:]) < last + 0.1


def test_all_kinds_of_cells_are_tried():
    tried = [param for mark in test_kinds_of_network.pytestmark for param in mark.args[1]]
    flags = [list(getattr(param, "values", [param])[0]) for param in tried]
    assert {each[1] for each in flags if each[0] == "--cell"} | {"lstm"} == set(CELLS)


def test_dropout_on_inputs_is_on_in_training(text_file, tmp_path):
    first = []
    for keep_prob in ("1", "0.5"):
        assert run(text_file, tmp_path / keep_prob, "--input-keep-prob", keep_prob, "--keep-prob", "1", "--no-fused",
                   "--sample-length", "0", "--no-summaries") == 0
        first.append(losses_of(tmp_path / keep_prob)[0])
    assert first[0] != first[1] and first[0] == pytest.approx(first[1], abs=0.1)


def test_the_schedule_is_followed(text_file, tmp_path):
    """Adam's first step moves a weight by the rate itself, so a warm-up over 4 steps makes it a quarter."""
    flags = ["--keep-prob", "1", "--learning-rate", "0.02", "--print-every-n", "1", "--save-every-n", "1",
             "--num-steps", "130", "--sample-length", "0", "--no-summaries"]  # 4 steps
    assert run(text_file, tmp_path / "constant", *flags) == 0
    assert run(text_file, tmp_path / "linear", *flags, "--epochs", "2", "--schedule", "linear",
               "--warmup-steps", "4") == 0
    CharRNN(14, 2, 3, 5, 2, seed=7, fused=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(tf.trainable_variables("softmax/Variable_1")[0])
    for name, rate in (("constant", 0.02), ("linear", 0.005)):
        reader = tf.train.NewCheckpointReader(str(tmp_path / name / "i1_l5.ckpt"))
        moved = np.abs(reader.get_tensor("softmax/Variable_1") - before)
        np.testing.assert_allclose(moved, rate, rtol=1e-3)
    assert [float(row["learning_rate"]) for row in history_of(tmp_path / "linear")] == pytest.approx(
        [0.005, 0.01, 0.015, 0.02, 0.02, 0.015, 0.01, 0.005])


def overfitting_text(path):
    """A text whose end, held out, goes on in another way than its beginning: learning it by heart does harm."""
    random = np.random.RandomState(3)
    path.write_text(TEXT[:780] + "".join(random.choice(list("\n ,.acdehmnost"), 260)))
    return path


VALIDATED = ["--val-fraction", "0.25", "--keep-prob", "1", "--learning-rate", "0.02", "--lstm-size", "9",
             "--save-every-n", "100", "--eval-every-n", "15", "--epochs", "3", "--sample-length", "0"]


def test_early_stop_and_the_best(tmp_path, capsys):
    """It ends after so many evaluations in a row that are no better; the best is known and kept."""
    text, folder = overfitting_text(tmp_path / "text"), tmp_path / "run"
    assert run(text, folder, *VALIDATED, "--early-stop", "3", "--max-to-keep", "1") == 0
    out, err = capsys.readouterr()
    assert "held out the last 260 characters, evaluated every 15 steps and at each checkpoint" in out
    losses = {int(row["step"]): float(row["val_loss"]) for row in history_of(folder) if row["val_loss"]}
    steps = sorted(losses)
    best, last = min(losses, key=losses.get), steps[-1]
    assert steps == [step for step in range(1, last + 1) if step % 15 == 0 or step % 100 == 0]
    assert steps.index(last) == steps.index(best) + 3 and 0 < best < last < 390
    assert "ended early after step {}: 3 evaluations without improvement since step {}".format(last, best) in out
    assert "step {}/390  validation loss {:.4f}, the best so far".format(best, losses[best]) in out
    assert "step {}/390  validation loss {:.4f}, the best {:.4f} at step {}".format(
        last, losses[last], losses[best], best) in out
    assert err == "" and checkpoints.read_run(folder).best == "i{}_l9.ckpt".format(best)
    names = [os.path.basename(prefix) for prefix in checkpoints.list_checkpoints(folder)]
    assert names == ["i{}_l9.ckpt".format(step) for step in (best, last)]
    resume = ["--resume", "--checkpoint-dir", str(folder), "--sample-length", "0"]
    assert train.main(resume) == 0
    assert "ended early, 3 evaluations without improvement" in capsys.readouterr().out
    assert [os.path.basename(prefix) for prefix in checkpoints.list_checkpoints(folder)] == names
    assert train.main([*resume, "--early-stop", "0", "--max-to-keep", "2"]) == 0
    assert "step 390/390" in capsys.readouterr().out
    names = [os.path.basename(prefix) for prefix in checkpoints.list_checkpoints(folder)]
    assert names == ["i{}_l9.ckpt".format(step) for step in (best, 300, 390)]


@pytest.mark.slow
def test_a_stop_among_evaluations_changes_nothing(tmp_path, monkeypatch, capsys):
    """Not even where the early end is near: the run ends at the step where the one without a stop ends."""
    text = overfitting_text(tmp_path / "text")
    flags = [*VALIDATED, "--early-stop", "3"]
    assert run(text, tmp_path / "whole", *flags) == 0
    last = int(re.search("ended early after step ([0-9]+)", capsys.readouterr().out).group(1))
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_StopRequests", lambda: Interrupt(last - 20))  # between two evaluations
        assert run(text, tmp_path / "parts", *flags) == 128 + signal.SIGTERM
    assert (tmp_path / "parts" / "i{}_l9.ckpt.json".format(last - 20)).exists()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "parts"), "--sample-length", "0"]) == 0
    assert_same_run(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_a_best_that_could_not_be_saved_is_not_named(tmp_path, monkeypatch, capsys):
    """What run.json names as the best is there, after the run and after it was resumed."""
    text, folder, usual = overfitting_text(tmp_path / "text"), tmp_path / "run", checkpoints.save
    assert run(text, tmp_path / "usual", *VALIDATED, "--early-stop", "3") == 0
    best = checkpoints.read_run(tmp_path / "usual").best

    def save(session, saver, folder, lstm_size, progress, *args):
        if best == "i{}_l9.ckpt".format(progress.step):
            raise OSError("no space")
        return usual(session, saver, folder, lstm_size, progress, *args)

    monkeypatch.setattr(checkpoints, "save", save)
    assert run(text, folder, *VALIDATED, "--max-to-keep", "1") == 0
    checkpoints.open_checkpoint(folder, best=True)
    assert train.main(["--resume", "--checkpoint-dir", str(folder), "--sample-length", "0"]) == 0
    checkpoints.open_checkpoint(folder, best=True)


def test_the_validation_loss_is_of_the_running_averages(tmp_path):
    """It is what the evaluator says of the averages in the checkpoint, and not of the weights beside them."""
    text, folder = overfitting_text(tmp_path / "text"), tmp_path / "run"
    assert run(text, folder, *VALIDATED, "--average-decay", "0.95", "--no-summaries") == 0
    _, held_out = split(Vocabulary.from_text(text.read_text()).encode(text.read_text()), 0.25)
    weights = weights_of(folder)
    averages = {name[:-len(checkpoints.AVERAGE)]: value for name, value in weights.items()
                if name.endswith(checkpoints.AVERAGE)}
    assert len(averages) == 6
    found = []
    for values in (averages, weights):
        evaluator = evaluate.Evaluator(14, 9, 2)
        evaluator.load(values)
        found.append(evaluator.nats(held_out).mean(dtype=np.float64))
        evaluator.close()
    row = history_of(folder)[-1]
    assert float(row["val_loss"]) == pytest.approx(found[0], abs=1e-5) != pytest.approx(found[1], abs=1e-3)
    assert float(row["val_bits_per_character"]) == pytest.approx(found[0] / np.log(2), abs=1e-5)


def test_evaluation_by_the_way_changes_nothing_in_training(text_file, tmp_path):
    losses = []
    for every in ("0", "30"):
        assert run(text_file, tmp_path / every, "--val-fraction", "0.2", "--eval-every-n", every,
                   "--sample-length", "0", "--no-summaries") == 0
        losses.append(losses_of(tmp_path / every))
    np.testing.assert_array_equal(*losses)


def test_a_folder_that_another_process_trains_in(text_file, trained, tmp_path, capsys):
    """Refused with nothing changed, a new run and a resumed one; afterwards the lock is free."""
    folder = tmp_path / "run"
    shutil.copytree(str(trained), str(folder))
    (tmp_path / "new").mkdir()
    resume = ["--resume", "--checkpoint-dir", str(folder), "--epochs", "2", "--sample-length", "0"]
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    with files.locked(folder / ".lock"), files.locked(tmp_path / "new" / ".lock"):
        for done in (lambda: train.main(resume), lambda: run(text_file, tmp_path / "new")):
            assert done() == 2
            out, err = capsys.readouterr()
            assert out == "" and err.count("\n") == 1 and "is being trained in by another process" in err
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".lock"]
    assert train.main(resume) == 0
    assert run(text_file, tmp_path / "new", "--sample-length", "0") == 0
    with files.locked(folder / ".lock"):
        pass


def test_a_dry_run_writes_nothing(text_file, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run(text_file, "run", "--dry-run", "--val-fraction", "0.3", "--cell", "gru") == 0
    out, err = capsys.readouterr()
    assert err == "" and sorted(tmp_path.rglob("*")) == before
    for line in ["held out the last 312 characters, evaluated at each checkpoint",
                 "windows  121 an epoch of 2 x 3, 2 characters left over", "steps    121 in 1 epochs, seed 7"]:
        assert line in out.splitlines()
    assert re.search(r"^memory   [0-9,]+ MB$", out, re.MULTILINE)
    assert re.search(r"^time     0\.\d{4} s/batch, \d+ s for all steps", out, re.MULTILINE)
    assert run(text_file, trained, "--dry-run") == 2
    assert "holds another run" in capsys.readouterr().err
    assert run(text_file, "run", "--dry-run", "--keep-prob", "7") == 2


def test_a_run_file_whose_hyperparameters_were_edited(trained, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(str(trained), str(folder))
    record = json.loads((folder / "run.json").read_text())
    for change, message in [({"lstm_size": "5"}, "lstm_size must be a whole number above 0, not '5'"),
                            ({"unheard_of": 1}, "does not know: 'unheard_of'"),
                            ({"cell": "gruu"}, "cell must be one of")]:
        changed = dict(record, hyperparameters=dict(record["hyperparameters"], **change))
        (folder / "run.json").write_text(json.dumps(changed))
        assert train.main(["--resume", "--checkpoint-dir", str(folder)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and message in err


def test_presets(text_file, tmp_path):
    """Flags given besides count."""
    assert train.main([str(text_file), "--preset", "exercise", "--checkpoint-dir", str(tmp_path / "run"),
                       "--epochs", "1", "--lstm-size", "6", "--sample-length", "0", "--no-summaries"]) == 0
    hyper = checkpoints.read_run(tmp_path / "run").hyperparameters
    names = ["batch_size", "num_steps", "lstm_size", "learning_rate", "epochs", "keep_prob"]
    assert [hyper[name] for name in names] == [10, 50, 6, 0.01, 1, 0.5]


def test_a_save_that_fails_ends_only_the_last(text_file, tmp_path, monkeypatch, capsys):
    """A full disk on the way is said, and training goes on; at the end it is an error."""
    usual, failing = checkpoints.save, [100]

    def save(session, saver, folder, lstm_size, progress, *args):
        if progress.step in failing:
            raise OSError("the checkpoint i{} could not be saved: No space left on device".format(progress.step))
        return usual(session, saver, folder, lstm_size, progress, *args)

    monkeypatch.setattr(checkpoints, "save", save)
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    out, err = capsys.readouterr()
    assert err == ("charrnn-train: the checkpoint i100 could not be saved: No space left on device; the earlier "
                   "checkpoints stand, and training goes on\n")
    assert out.count("saved ") == 1 and "step 173/173" in out
    failing.append(173)
    assert run(text_file, tmp_path / "other", "--sample-length", "0") == 2
    assert "charrnn-train: error: the checkpoint i173 could not be saved" in capsys.readouterr().err
