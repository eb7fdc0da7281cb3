"""Lines that a model of a list writes: in training, in Python, with the command, and new ones alone."""

import contextlib
import io
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import resume
from list_texts import NAME_LINES

from charrnn import open_model, train_model
from charrnn.checkpoints import record
from charrnn.commands import sample
from charrnn.data import Vocabulary
from charrnn.engines.trained_model import Model, lstm_weights
from charrnn.text.corpus import read

ENGLISH = "".join(NAME_LINES[::4])


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A small model of names."""
    run = train_model(
        ENGLISH,
        tmp_path_factory.mktemp("english") / "run",
        preset="auto",
        lstm_size=48,
        num_layers=1,
        batch_size=4,
        num_steps=25,
        learning_rate=0.01,
        warmup_steps=10,
        epochs=20,
        seed=1,
        early_stop=0,
        val_fraction=0.05,
        save_every_n=9999,
        sample_length=0,
        summaries=False,
        quiet=True,
    )
    return run.model


@pytest.fixture(scope="module")
def folder(english):
    """The folder of its run."""
    return str(Path(english.name).parent)


def first_letters(lines):
    return Counter(line[0] for line in lines if line)


def distance(lines):
    """Return the total variation distance of the first letters of lines from those of the list."""
    drawn = first_letters(lines)
    listed = first_letters(ENGLISH.split("\n"))
    letters = {**drawn, **listed}
    ours = np.array([drawn[letter] for letter in letters])
    theirs = np.array([listed[letter] for letter in letters])
    return abs(ours / ours.sum() - theirs / theirs.sum()).sum() / 2


@pytest.fixture(scope="module")
def lines(english):
    """A thousand lines of that model."""
    return english.write_lines(1000, seed=1)


def test_a_line_has_no_line_end(lines):
    assert not [line for line in lines if not line or "\n" in line]


def test_as_many_lines_are_written_as_were_asked_for(lines):
    assert len(lines) == 1000


def test_lines_have_all_first_letters(lines):
    assert distance(lines) <= 0.15


def test_the_five_most_probable_characters_have_not(english):
    """So the test above can fail."""
    assert distance(english.write_lines(1000, seed=1, top_n=5)) > 0.15


def test_samples_during_training_are_those_of_the_command_and_have_all_first_letters(
    folder, tmp_path, capsys
):
    """The command needs the settings that lines are written with."""
    copy = shutil.copytree(folder, str(tmp_path / "run"))
    assert resume(copy, "--epochs", "21", "--sample-length", "6000") == 0
    _, text, _ = capsys.readouterr().out.split("-" * 70 + "\n")
    assert distance(text.split()) <= 0.15

    checkpoint = Path(open_model(copy).name).name
    seed = record.step_of(checkpoint)
    flags = f"--prime \\n --top-p 0.98 --seed {seed} --length 6000"
    assert sample.main([copy, *flags.split()]) == 0
    assert capsys.readouterr().out == "\n" + text


def test_the_command_writes_the_lines_of_python(english, folder, capsys):
    assert sample.main([folder, *"--lines 30 --seed 5 --length 7".split()]) == 0
    assert capsys.readouterr().out.splitlines() == english.write_lines(30, 7, seed=5)


def test_no_line_is_longer_than_was_asked_for(english):
    assert max(map(len, english.write_lines(30, 7, seed=5))) == 7


def test_a_line_ends_where_the_network_ends_it_or_has_the_length_that_was_asked_for(folder, capsys):
    """Although the drawing may end within the next line."""
    flags = "--lines 50 --seed 5 --length 7 --json"
    assert sample.main([folder, *flags.split()]) == 0
    lines = [written["text"] for written in json.loads(capsys.readouterr().out)["samples"]]
    assert not [line for line in lines if not line.endswith("\n") and len(line) < 7]


@pytest.fixture
def samples(folder, capsys):
    """What --json writes of three lines."""
    flags = "--lines 3 --seed 6 --length 7 --json"
    assert sample.main([folder, *flags.split()]) == 0
    return json.loads(capsys.readouterr().out)["samples"]


def test_json_has_the_same_lines(english, samples):
    lines = english.write_lines(30, 7, seed=5)
    assert [line["text"].strip() for line in samples] == lines[1:4]


def test_json_has_the_seed_of_each_line(samples):
    assert [line["seed"] for line in samples] == [6, 7, 8]


def test_json_has_the_probability_of_each_character(samples):
    """Not of the line end before the first one."""
    for line in samples:
        assert len(line["log_probabilities"]) == len(line["text"]) - 1


# New lines. The training text is one of nine lines that the model writes first, the first with spaces around it.


@pytest.fixture(scope="module")
def drawn(english):
    """Sixty lines that repeat some."""
    lines = english.write_lines(60, seed=5, temperature=0.3)
    assert len(set(lines)) < 60
    return lines


@pytest.fixture(scope="module")
def text(drawn, tmp_path_factory):
    """The path of that text."""
    path = tmp_path_factory.mktemp("text") / "text"
    path.write_text("\n".join([f" {drawn[0]} ", *drawn[2:9]]))
    return path


@pytest.fixture(scope="module")
def flags(folder, text):
    flags = "--lines 60 --seed 5 --temperature 0.3 --train-text"
    return [folder, *flags.split(), str(text)]


@pytest.fixture(scope="module")
def new_lines(flags):
    """The new lines that the command writes, and its line on standard error."""
    out = io.StringIO()
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert sample.main([*flags, "--new"]) == 0
    return out.getvalue().splitlines(), err.getvalue()


def listed_in(drawn):
    return {drawn[0], *drawn[2:9]}


def test_new_lines_are_those_that_are_not_in_the_text(drawn, new_lines):
    lines, _ = new_lines
    new = [line for line in dict.fromkeys(drawn) if line not in listed_in(drawn)]
    assert lines[: len(new)] == new


def test_new_lines_are_not_repeated(new_lines):
    lines, _ = new_lines
    assert len(set(lines)) == 60


def test_python_writes_the_same_new_lines(english, text, new_lines):
    lines, _ = new_lines
    named = replace(english, train_text=read(text))
    assert named.write_lines(60, seed=5, temperature=0.3, new=True) == lines


def test_the_command_says_how_many_lines_it_left_out(drawn, new_lines):
    _, err = new_lines
    pattern = r"left out (\d+) lines of the training text, or repeated\n"
    left_out = re.match(pattern, err).group(1)
    assert int(left_out) >= 60 - len(set(drawn) - listed_in(drawn))


def test_no_new_line_is_in_the_text(flags, capsys):
    assert sample.main([*flags, "--new", "--novelty"]) == 0
    *_, novelty = capsys.readouterr().out.splitlines()
    assert novelty.startswith("novelty: 0 of 60 lines are in")


def test_novelty_counts_the_lines_of_the_text(drawn, flags, capsys):
    assert sample.main([*flags, "--novelty"]) == 0
    count = sum(line in listed_in(drawn) for line in drawn)
    ending = f"novelty: {count} of 60 lines are in the training text\n"
    assert capsys.readouterr().out.endswith(ending)


def test_new_lines_of_a_run_are_not_in_its_own_text(english):
    lines = english.write_lines(60, seed=5, temperature=0.3, new=True)
    assert not set(lines) & set(ENGLISH.split())


def test_new_lines_need_a_text(exported):
    with pytest.raises(
        ValueError, match="no training text with it: name the text with --train-text"
    ):
        replace(open_model(exported), run=None, text=None).write_lines(4, new=True)


def test_a_model_that_repeats_itself_gives_up(folder, capsys):
    """After 20 times as many lines as were asked for."""
    flags = "--lines 4 --temperature 0 --length 9 --new"
    assert sample.main([folder, *flags.split()]) == 0
    pattern = r"left out (79|80) lines .*, so that there are [01] of 4 lines\n"
    assert re.search(pattern, capsys.readouterr().err)


def test_lines_that_ctrl_c_prevents_are_not_said_to_be_left_out(folder, capsys, interrupt_text):
    interrupt_text(3)
    flags = "--lines 4 --temperature 0 --length 9 --new"
    assert sample.main([folder, *flags.split()]) == 130
    err = capsys.readouterr().err
    assert "of the training text, or repeated\n" in err
    assert "so that" not in err


# A model that writes nothing but line ends


@pytest.fixture
def blank():
    weights = lstm_weights([np.zeros((5, 12), np.float32)], np.zeros((3, 2), np.float32))
    weights["softmax/Variable_1"] = np.array([9, 0], np.float32)
    return Model("blank", Vocabulary("\na"), weights)


def test_blank_lines_do_not_count(blank):
    assert blank.write_lines(4, temperature=0) == []


def test_lines_of_no_characters_are_none(english):
    assert english.write_lines(4, 0, seed=1) == []


def test_a_line_ends_before_blank_lines_of_spaces():
    """The network draws line ends, spaces and letters alike."""
    weights = lstm_weights([np.zeros((6, 12), np.float32)], np.zeros((3, 3), np.float32))
    spaced = Model("spaced", Vocabulary("\n a"), weights)
    lines = spaced.write_lines(50, seed=1)
    assert len(lines) == 50
    assert not [line for line in lines if "a" not in line or "\n" in line]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_command_says_that_lines_are_blank(blank, tmp_path, capsys, flags):
    blank.save(tmp_path / "m.npz")
    arguments = [str(tmp_path / "m.npz"), "--lines", "4", "--temperature", "0"]
    assert sample.main([*arguments, *flags]) == 0
    expected = "there are 0 of 4 lines, because the others that were drawn are blank\n"
    assert capsys.readouterr().err == expected


def test_blank_lines_are_not_said_to_be_left_out(blank, tmp_path, capsys):
    blank.save(tmp_path / "m.npz")
    (tmp_path / "text.txt").write_text("a\na\n")
    new = ["--new", "--train-text", str(tmp_path / "text.txt")]
    flags = ["--lines", "4", "--temperature", "0", *new]
    assert sample.main([str(tmp_path / "m.npz"), *flags]) == 0
    err = capsys.readouterr().err
    assert err.startswith("left out 0 lines of the training text, or repeated\n")
    assert err.endswith("there are 0 of 4 lines, because the others that were drawn are blank\n")
