"""What a training run prints: the plan, its lines, and the progress bar."""
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import SMALL_FLAGS, losses_of, train_small

from charrnn.checkpoints import RunRecord
from charrnn.data import Vocabulary
from charrnn.training.display import Display
from charrnn.training.hyperparameters import Hyperparameters
from charrnn.training.job import Job, Options
from charrnn.training.stopping import StopRequests
from charrnn.training.transfer import Transfer

HYPER = Hyperparameters(batch_size=2, num_steps=3, lstm_size=5, epochs=4, save_every_n=1000, seed=7)
LINE = re.compile(r"epoch (\d+)/(\d+)  step (\d+)/(\d+)  loss \d+\.\d{4}  \d+\.\d{4} s/batch")


def display_of(n_training=1040, n_held_out=0, n_test=0, folder="my folder", transfer=None, **hyper):
    """Return the display of a run on parts of a text of 1,040 characters."""
    parts = [np.zeros(length, np.int8) for length in (n_training, n_held_out, n_test)]
    run = RunRecord({}, Vocabulary("abc"), "my text", "f00")
    return Display(Job(run, replace(HYPER, **hyper), folder, "a" * 1040, Options(), transfer, *parts), 704,
                   StopRequests())


@pytest.fixture
def display():
    return display_of()


def test_the_plan(display, capsys):
    display.plan()
    assert capsys.readouterr() == (
        "text     my text, 1,040 characters, 3 distinct\n"
        "windows  173 of 2 x 3 per epoch, 2 characters left over\n"
        "network  2 layers of 5 units, 704 parameters, float32\n"
        "steps    692 in 4 epochs, seed 7\n"
        "folder   my folder, a checkpoint every 1,000 steps\n", "")


def test_the_plan_of_a_run_with_other_texts_cells_and_weights(capsys):
    model = SimpleNamespace(name="other.ckpt", vocabulary=Vocabulary("ac"))
    display_of(730, 30, 280, transfer=Transfer(model, Vocabulary("abc")), cell="gru", eval_every_n=15).plan()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        "held out the last 30 characters before the test text, evaluated every 15 steps and at each checkpoint",
        "test     the last 280 characters, evaluated once at the end"]
    assert "network  2 layers of 5 gru units, 704 parameters, float32, unrolled with dynamic_rnn (the fused" in lines[4]
    assert lines[-1] == "weights  from other.ckpt, with new weights for 'b'"


@pytest.mark.parametrize("event, line", [
    (lambda display: display.step(1000, 3.17391, 1.20634), "epoch 6/4  step 1,000/692  loss 3.1739  1.2063 s/batch"),
    (lambda display: display.validation(30, 1.5, 1.5, 30),
     "epoch 1/4  step 30/692  validation loss 1.5000, the best so far"),
    (lambda display: display.validation(60, 1.75, 1.5, 30),
     "epoch 1/4  step 60/692  validation loss 1.7500, the best 1.5000 at step 30"),
    (lambda display: display.trial(86400 / 692, "1 MB"), "memory   1 MB\n"
     "time     124.8555 s/batch, 1 day, 0:00:00 for all steps, without checkpoints and evaluations"),
    (lambda display: display.trial(1e15, "1 MB"), "memory   1 MB\n"  # longer than a timedelta can be
     "time     1000000000000000.0000 s/batch, 8,009,259,259,259 days, 6:13:20 for all steps, without checkpoints and "
     "evaluations")])
def test_the_line_of_an_event(display, capsys, event, line):
    event(display)
    assert capsys.readouterr() == (line + "\n", "")


def test_a_sample_does_nothing_to_the_terminal(display, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    display.sample("a\x1b[2J\tb\n\x9b")
    assert capsys.readouterr().out == f"{'-' * 70}\na^[[2J\tb\n\\x9b\n{'-' * 70}\n"


class Full(io.StringIO):
    """A file on a disk that is full until it has room."""

    has_room = False

    def flush(self):
        if not self.has_room:
            raise OSError(28, "No space left on device")


def test_a_full_disk_under_the_output_is_a_warning(display, capsys, monkeypatch):
    """There is one until a line can be written again."""
    out = Full()
    monkeypatch.setattr(sys, "stdout", out)
    for has_room in (False, False, True, False):
        out.has_room = has_room
        display.step(1, 1.0, 1.0)
    assert capsys.readouterr().err == 2 * (
        "charrnn-train: standard output cannot be written: No space left on device; training continues\n")


def test_the_output_of_a_run(text_file, tmp_path, capsys):
    """Lines, checkpoints, samples and ends of epochs are printed when they are due."""
    assert train_small(text_file, tmp_path / "run", "--epochs", "2", "--sample-length", "12", "--num-steps", "10",
                       "--print-every-n", "15", "--save-every-n", "30") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    steps = [tuple(map(int, LINE.fullmatch(line).groups())) for line in lines if LINE.fullmatch(line)]
    assert steps == [(1, 2, 15, 104), (1, 2, 30, 104), (1, 2, 45, 104), (2, 2, 60, 104), (2, 2, 75, 104),
                     (2, 2, 90, 104), (2, 2, 104, 104)]
    assert [os.path.basename(path) for path in re.findall("saved (.*)", out)] == [
        "i30_l5.ckpt", "i60_l5.ckpt", "i90_l5.ckpt", "i104_l5.ckpt"]
    # whether or not the last step of the epoch has a line
    assert [line[:9] for line in lines if "mean loss" in line] == ["epoch 1/2", "epoch 2/2"]
    assert f"epoch 2/2  mean loss {losses_of(tmp_path / 'run').mean():.4f}" in lines
    samples = out.split("-" * 70 + "\n")[1::2]
    # the text has no "T", so the prime is not "The "
    assert [len(sample) for sample in samples] == 4 * [len("the ") + 12 + len("\n")]
    assert all(sample.startswith("the ") for sample in samples) and err == ""


def shown_in_terminal(command):
    """Run a command in a terminal of 120 columns, and return what it shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 30, 120, 0, 0))
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # how Linux reports that the other end is closed
                break
        assert process.wait() == 0
    os.close(ours)
    return shown.decode()


@pytest.mark.slow
def test_a_terminal_shows_a_bar(text_file, tmp_path):
    """Loss, steps, speed and time left; the bar of a resumed run begins at its step."""
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    bars = []
    for arguments in (flags, ["--resume", *flags[-4:], "--epochs", "2"]):
        shown = shown_in_terminal([sys.executable, "-m", "charrnn", "train", *arguments])
        bars.append([bar for bar in re.split("[\r\n]", shown) if "steps/s" in bar])
    assert all("loss " in bar and re.search(r"\d\d:\d\d<", bar) for bar in bars[0][1:])
    assert "173/173" in bars[0][-1] and "346/346" in bars[1][-1]
    assert "173/346" in bars[1][0]
