"""What a training run prints: the plan, its lines, and the progress bar."""
import io
import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import SMALL_FLAGS, losses_of, shown_in_terminal, train_small

from charrnn.checkpoints import Run
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
    run = Run({}, Vocabulary("abc"), "my text", "f00")
    return Display(Job(run, replace(HYPER, **hyper), folder, "a" * 1040, Options(), transfer, *parts), 704,
                   StopRequests())


def plan_of(capsys, **changes):
    """Return the lines of a plan, a dict."""
    display_of(**changes).plan()
    return {line[:9].strip(): line[9:] for line in capsys.readouterr().out.splitlines()}


def transfer_of(chars, new):
    return Transfer(SimpleNamespace(name="other.ckpt", vocabulary=Vocabulary(chars)), Vocabulary(new))


@pytest.fixture
def display():
    return display_of()


def test_the_plan(display, capsys):
    display.plan()
    assert capsys.readouterr() == (
        "text     my text, 1,040 characters, 3 distinct\n"
        "windows  173 of 2 x 3 per epoch, 2 characters left over\n"
        "network  2 layers of 5 units, 704 parameters\n"
        "steps    692 in 4 epochs, seed 7\n"
        "folder   my folder, a checkpoint every 1,000 steps\n", "")


@pytest.mark.parametrize("changes, name, line", [
    (dict(n_training=780, n_held_out=260), "held out", "the last 260 characters, evaluated at each checkpoint"),
    (dict(n_training=780, n_held_out=260, eval_every_n=15), "held out",
     "the last 260 characters, evaluated every 15 steps and at each checkpoint"),
    (dict(n_training=760, n_test=280), "test", "the last 280 characters, evaluated once at the end"),
    (dict(n_training=730, n_held_out=30, n_test=280), "held out",
     "the last 30 characters before the test text, evaluated at each checkpoint"),
    (dict(n_training=760, n_test=280), "text", "my text, 1,040 characters, 3 distinct"),
    (dict(fused=False), "network", "2 layers of 5 units, 704 parameters"),
    (dict(cell="gru"), "network", "2 layers of 5 gru units, 704 parameters, unrolled with dynamic_rnn (the fused "
     "unroll supports only lstm without dropout on inputs)"),
    (dict(transfer=transfer_of("abc", "abc")), "weights", "from other.ckpt, which has all characters of the text"),
    (dict(transfer=transfer_of("ac", "abc")), "weights", "from other.ckpt, with new rows for 'b'"),
    (dict(transfer=transfer_of("a", "abcdefghijklmn")), "weights",
     "from other.ckpt, with new rows for 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k' and 3 more")])
def test_a_line_of_the_plan_of_other_runs(capsys, changes, name, line):
    assert plan_of(capsys, **changes)[name] == line


@pytest.mark.parametrize("event, line", [
    (lambda display: display.step(173, 3.17391, 1.20634), "epoch 1/4  step 173/692  loss 3.1739  1.2063 s/batch"),
    (lambda display: display.step(174, 3.17391, 1.20634), "epoch 2/4  step 174/692  loss 3.1739  1.2063 s/batch"),
    (lambda display: display.step(1000, 3.17391, 1.20634), "epoch 6/4  step 1,000/692  loss 3.1739  1.2063 s/batch"),
    (lambda display: display.epoch(2, 1.25), "epoch 2/4  mean loss 1.2500"),
    (lambda display: display.validation(30, 1.5, 1.5, 30),
     "epoch 1/4  step 30/692  validation loss 1.5000, the best so far"),
    (lambda display: display.validation(60, 1.75, 1.5, 30),
     "epoch 1/4  step 60/692  validation loss 1.7500, the best 1.5000 at step 30"),
    (lambda display: display.skipped(["this one"]), "skipped  this one"),
    (lambda display: display.resumed(100), "resumed  after step 100, 592 to go"),
    (lambda display: display.resumed(1000), "resumed  after step 1,000, 0 to go"),
    (lambda display: display.saved("i7_l5.ckpt"), "saved i7_l5.ckpt"),
    (lambda display: display.ended_early(60, 3, 15),
     "ended early after step 60: 3 evaluations without improvement since step 15"),
    (lambda display: display.ended_early(60, 1, 15),
     "ended early after step 60: 1 evaluation without improvement since step 15"),
    (lambda display: display.stopped("SIGINT", 1000), "stopped by SIGINT after step 1,000; the checkpoint is saved. "
     "To resume: charrnn-train --resume --checkpoint-dir 'my folder'"),
    (lambda display: display.sample("a\nb"), "-" * 70 + "\na\nb\n" + "-" * 70)])
def test_the_line_of_an_event(display, capsys, event, line):
    event(display)
    assert capsys.readouterr() == (line + "\n", "")


@pytest.mark.parametrize("n_held_out, folder, arguments", [
    (0, "my folder", " 'my folder'"), (260, "my folder", " 'my folder' --best"), (0, "checkpoints", ""),
    (260, "checkpoints", " --best")])
def test_the_end_names_the_command_that_writes_with_the_best_checkpoint(capsys, n_held_out, folder, arguments):
    display_of(n_held_out=n_held_out, folder=folder).finished(692)
    assert capsys.readouterr().out.startswith(f"finished after step 692. To write text: charrnn-sample{arguments}\n")


def test_the_end_names_the_flag_that_ended_the_run(display, capsys):
    display.finished(692, "--early-stop")
    assert "\nTo train longer, add --early-stop N: " in capsys.readouterr().out


def test_a_sample_does_nothing_to_the_terminal(display, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    display.sample("a\x1b[2J\tb\n\x9b")
    assert capsys.readouterr().out == f"{'-' * 70}\na^[[2J\tb\n\\x9b\n{'-' * 70}\n"


def test_a_warning_names_the_script(display, capsys):
    display.warn("the disk is full")
    assert capsys.readouterr() == ("", "charrnn-train: the disk is full\n")


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


def test_a_warning_that_cannot_be_written_is_dropped(display, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full())
    display.warn("the disk is full")


def test_the_output_of_a_run(text_file, tmp_path, capsys):
    """Lines, checkpoints, samples and ends of epochs are printed when they are due."""
    assert train_small(text_file, tmp_path / "run", "--epochs", "2", "--sample-length", "12") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    steps = [tuple(map(int, LINE.fullmatch(line).groups())) for line in lines if LINE.fullmatch(line)]
    assert steps == [(1, 2, 50, 346), (1, 2, 100, 346), (1, 2, 150, 346), (2, 2, 200, 346), (2, 2, 250, 346),
                     (2, 2, 300, 346), (2, 2, 346, 346)]
    assert [os.path.basename(path) for path in re.findall("saved (.*)", out)] == [
        "i100_l5.ckpt", "i200_l5.ckpt", "i300_l5.ckpt", "i346_l5.ckpt"]
    # whether or not the last step of the epoch has a line
    assert [line[:9] for line in lines if "mean loss" in line] == ["epoch 1/2", "epoch 2/2"]
    assert f"epoch 2/2  mean loss {losses_of(tmp_path / 'run').mean():.4f}" in lines
    samples = out.split("-" * 70 + "\n")[1::2]
    # the text has no "T", so the prime is not "The "
    assert [len(sample) for sample in samples] == 4 * [len("the ") + 12 + len("\n")]
    assert all(sample.startswith("the ") for sample in samples) and err == ""


@pytest.mark.slow
def test_a_terminal_shows_a_bar(text_file, tmp_path):
    """Loss, steps, speed and time left; the bar of a resumed run begins at its step."""
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    bars = []
    for arguments in (flags, ["--resume", *flags[-4:], "--epochs", "2"]):
        shown = shown_in_terminal([sys.executable, "-m", "charrnn.train", *arguments])
        bars.append([bar for bar in re.split("[\r\n]", shown) if "steps/s" in bar])
    assert all("loss " in bar and re.search(r"\d\d:\d\d<", bar) for bar in bars[0][1:])
    assert "173/173" in bars[0][-1] and "346/346" in bars[1][-1]
    assert "173/346" in bars[1][0]
