"""What a training run prints: the plan, its lines, and the progress bar."""

import io
import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import losses_of, train_small

from charrnn.checkpoints.record import RunRecord
from charrnn.data import Vocabulary
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.commands_to_type import quoted
from charrnn.system.interrupts import StopRequests
from charrnn.text.lines import is_list
from charrnn.training.display import Display
from charrnn.training.job import Job
from charrnn.training.start import Start

HYPER = Hyperparameters(batch_size=2, num_steps=3, lstm_size=5, epochs=4, save_every_n=1000, seed=7)
LINE = re.compile(r"epoch (\d+)/(\d+)  step (\d+)/(\d+)  loss \d+\.\d{4}  \d+\.\d{4} s/batch")


def display_of(
    n_training=1040,
    n_held_out=0,
    n_test=0,
    folder="my folder",
    init_from=None,
    in_python=False,
    **hyper,
):
    """Return the display of a run on parts of a text of 1,040 characters."""
    record = RunRecord(replace(HYPER, **hyper), Vocabulary("abc"), "my text", "f00")
    job = Job(
        record=record,
        folder=folder,
        text="a" * 1040,
        is_list=False,
        start=Start(init_from),
        training=np.zeros(n_training, np.int8),
        held_out=np.zeros(n_held_out, np.int8),
        test=np.zeros(n_test, np.int8),
    )
    return Display(job, 704, StopRequests(), in_python=in_python)


@pytest.fixture
def display():
    return display_of()


def test_the_plan_names_the_text_the_windows_the_network_and_the_steps(display, capsys):
    display.plan()
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(
        "text     my text, 1,040 characters, 3 distinct\nwindows  173 of 2 x 3 per"
    )
    assert "network  2 layers of 5 units, 704 parameters" in out
    assert "steps    692 in 4 epochs, seed 7\n" in out


@pytest.mark.parametrize(
    "text, is_said",
    [("a" * 6_999, True), ("\n".join(map(str, range(1_000))), False), ("a" * 7_000, False)],
    ids=["short", "list", "long"],
)
def test_the_plan_of_a_short_text_says_what_predicts_it_better(display, capsys, text, is_said):
    """A list is none: the network predicts it better than n-gram counts."""
    display.job = replace(display.job, text=text, is_list=is_list(text))
    display.plan()
    out = capsys.readouterr().out
    assert ("n-gram counts often predict better than a network" in out) == is_said


@pytest.mark.parametrize(
    "length, is_unlike, share",
    [
        (19_999, True, "most"),
        (20_000, True, "about half"),
        (100_000, True, ""),
        (19_999, False, ""),
    ],
)
def test_the_plan_of_a_text_in_another_language_says_what_to_expect(
    display, capsys, length, is_unlike, share
):
    start = Start(reason="because anna predicts it badly", is_unlike=is_unlike)
    display.job = replace(display.job, text="a" * length, start=start)
    display.plan()
    said = re.findall("learns little: (.*) of its longer words will be", capsys.readouterr().out)
    assert "".join(said) == share


def test_the_plan_of_a_text_of_several_files_says_how_many(display, capsys):
    display.job = replace(display.job, n_files=3)
    display.plan()
    assert capsys.readouterr().out.startswith("text     my text, 3 files, 1,040 characters, 3 dist")


@pytest.mark.parametrize(
    "folder, job, is_said",
    [
        ("checkpoints/2", {}, True),
        ("checkpoints/12", {}, True),
        ("checkpoints/2", dict(resumes=True), False),
        ("checkpoints", {}, False),
    ],
)
def test_the_plan_says_why_a_run_goes_to_a_folder_with_a_number(capsys, folder, job, is_said):
    display = display_of(folder=folder)
    display.job = replace(display.job, names_folder=False, **job)
    display.plan()
    out = capsys.readouterr().out
    why = ", because the folder before it holds another run (checkpoint_dir names another folder), a checkpoint every"
    assert (why in out) == is_said
    assert f"\nfolder   {folder}, " in out


@pytest.mark.parametrize(
    "name, n_held_out, is_said", [("anna", 20, True), ("anna", 0, False), ("my text", 20, False)]
)
def test_the_plan_says_that_anna_ends_with_a_licence(capsys, name, n_held_out, is_said):
    """The licence is of interest where the end of the text is held out."""
    display = display_of(1040 - n_held_out, n_held_out)
    display.job = replace(display.job, record=replace(display.job.record, text_name=name))
    display.plan()
    said = "the last 19,072 characters are Project Gutenberg's licence, not the novel"
    assert (said in capsys.readouterr().out) == is_said


@pytest.mark.parametrize("chars, weights", [("ac", "\nweights  new ones for 'b'\n"), ("abcd", "")])
def test_the_plan_of_a_run_with_other_texts_cells_and_weights(capsys, chars, weights):
    model = SimpleNamespace(name="other.ckpt", vocabulary=Vocabulary(chars))
    display_of(730, 30, 280, init_from=model, cell="gru", eval_every_n=15).plan()
    out = capsys.readouterr().out
    for part in (
        "held out the last 30 characters before the test text",
        "test     the last 280 characters",
        "gru units",
        f"\nstart    other.ckpt{weights or chr(10)}",
    ):
        assert part in out


@pytest.mark.parametrize(
    "settings, differs",
    [
        ({}, False),
        ({"cell": "gru"}, True),
        ({"fused": False}, True),
        ({"fused": False, "keep_prob": 1}, False),
    ],
)
def test_the_plan_of_a_resumed_run_says_if_dropout_has_other_masks(capsys, settings, differs):
    display_of(**settings).resumed(100)
    assert ("dropout  its masks are others" in capsys.readouterr().out) == differs


@pytest.mark.parametrize(
    "so_far, said",
    [
        (None, ""),
        (2, ""),
        (
            3,
            "threads  2, and 3 so far, so the result is not bit for bit that of an uninterrupted run\n",
        ),
    ],
    ids=["not known", "the same", "others"],
)
def test_the_plan_of_a_resumed_run_says_if_it_has_other_threads(capsys, so_far, said):
    display = display_of(threads=2)
    display.job = replace(display.job, threads_so_far=so_far)
    display.resumed(100)
    assert capsys.readouterr().out == f"resumed  after step 100, 592 to go\n{said}"


def test_more_epochs_raise_the_learning_rate_again(capsys):
    """The schedule has ended at 0, so the last line of the run says it."""
    display_of(schedule="linear").finished(692, ends_early=False)
    out = capsys.readouterr().out
    assert "\nTo train longer, and raise the learning rate again: " in out


@pytest.mark.parametrize(
    "step, ends_early, flags",
    [
        (692, False, "--epochs 8"),
        (500, True, "--early-stop 0"),
        (692, True, "--epochs 8 --early-stop 0"),
        # four epochs were asked for after six were done
        (1038, False, "--epochs 12"),
    ],
)
def test_the_last_line_names_what_ended_the_run(capsys, step, ends_early, flags):
    display_of().finished(step, ends_early)
    assert capsys.readouterr().out.endswith(f" --checkpoint-dir 'my folder' {flags}\n")


@pytest.mark.parametrize(
    "make, cell, page",
    [
        ("", "lstm", "charrnn-export 'my $run' mine.html"),
        ("make TENSORFLOW=2", "lstm", "make TENSORFLOW=2 page MODEL='my $$run'"),
        ("", "gru", None),
    ],
)
def test_the_end_offers_the_page_of_cells_that_can_be_one(capsys, monkeypatch, make, cell, page):
    monkeypatch.setenv("CHARRNN_MAKE", make)
    display_of(folder="my $run", cell=cell).finished(692, ends_early=False)
    offered = re.findall("\nAs a web page: (.*)\n", capsys.readouterr().out)
    assert offered == ([page] if page else [])


def test_with_make_the_model_alone_is_written_by_its_python(capsys, monkeypatch):
    """There is no target for it."""
    monkeypatch.setenv("CHARRNN_MAKE", "make")
    display = display_of(1000, 40)
    display.job = replace(display.job, record=replace(display.job.record, init_from="anna"))
    display.finished(692, ends_early=False)
    python = quoted(os.path.relpath(sys.executable))
    alone = f"rest of the folder: {python} -m charrnn export 'my folder' mine.npz\n"
    assert alone in capsys.readouterr().out


class Full(io.StringIO):
    """A file on a disk that is full until it has room."""

    has_room = False

    def flush(self):
        if not self.has_room:
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("in_python, program", [(False, "charrnn-train"), (True, "train_model")])
def test_a_warning_names_what_was_called(capsys, in_python, program):
    display = display_of(in_python=in_python)
    display.warn("the folder is away")
    assert capsys.readouterr().err == f"{program}: the folder is away\n"


def test_a_quiet_run_warns_of_nothing(capsys):
    display = Display(display_of().job, 704, StopRequests(), quiet=True)
    display.warn("the folder is away")
    assert capsys.readouterr().err == ""


def test_a_full_disk_under_the_output_is_a_warning(display, capsys, monkeypatch):
    """There is one until a line can be written again."""
    out = Full()
    monkeypatch.setattr(sys, "stdout", out)
    for has_room in (False, False, True, False):
        out.has_room = has_room
        display.step(1, 1.0, 1.0)
    err = capsys.readouterr().err
    assert err.count("standard output cannot be written: No space left on device") == 2


def test_the_output_of_a_run(text_file, tmp_path, capsys, monkeypatch):
    """Lines, checkpoints, samples and ends of epochs are printed when they are due. A terminal shows a bar."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    sizes = "--epochs 2 --sample-length 12 --num-steps 20 --num-layers 1"
    flags = f"{sizes} --print-every-n 15 --save-every-n 20"
    assert train_small(text_file, tmp_path / "run", *flags.split()) == 0
    out, err = capsys.readouterr()

    # the bar is drawn again and again: "\rloss 2.6391   1%|  | 1/52 ...", and a line goes up for what is printed
    bars = [bar for bar in re.split(r"[\r\n]|\x1b\[A", err) if bar.strip()]
    for bar in bars:
        assert "%|" in bar
    assert re.search(r"loss \d\.\d{4} 100%\|.*\| 52/52 ", bars[-1])

    lines = out.splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    steps = [match.groups() for match in matches if match]
    assert steps == [
        ("1", "2", "15", "52"),
        ("2", "2", "30", "52"),
        ("2", "2", "45", "52"),
        ("2", "2", "52", "52"),
    ]
    saved = [os.path.basename(path) for path in re.findall("saved (.*)", out)]
    assert saved == ["i20_l5.ckpt", "i40_l5.ckpt", "i52_l5.ckpt"]
    # whether or not the last step of the epoch has a line
    assert [line[:9] for line in lines if "mean loss" in line] == ["epoch 1/2", "epoch 2/2"]
    assert f"epoch 2/2  mean loss {losses_of(tmp_path / 'run').mean():.4f}" in lines

    # a sample stands between two rules
    parts = out.split("-" * 70 + "\n")
    samples = parts[1::2]
    assert len(samples) == 3
    for sample in samples:
        # the text has no "T", so the prime is not "The "
        assert sample.startswith("the ")
        assert len(sample) == len("the ") + 12 + len("\n")


class Reader(io.StringIO):
    """A pipe whose reader, such as head, leaves after a line with some words."""

    def flush(self):
        if "step 20/" in self.getvalue():
            raise BrokenPipeError


def test_a_reader_that_leaves_is_told_on_standard_error(text_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Reader())
    flags = "--num-steps 10 --print-every-n 10 --num-layers 1"
    assert train_small(text_file, tmp_path / "run", *flags.split()) == 141
    assert capsys.readouterr().err == (
        "charrnn-train: stopped by SIGPIPE after step 20; the checkpoint is saved. To resume: charrnn-train --resume "
        f"--checkpoint-dir {quoted(tmp_path / 'run')}\n"
    )
