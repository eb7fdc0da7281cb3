"""charrnn-runs: the table of runs, JSON, and the line that trains a run like one."""

import csv
import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import change_hyperparameters, columns

import charrnn
from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import runs, train
from charrnn.system import files

HISTORY = (
    "step,epoch,loss,bits_per_character,val_loss,val_bits_per_character,learning_rate,"
    "gradient_norm,characters_per_second\n"
)


def place_of(row):
    """Return the folder of a run in the table."""
    place, *_ = columns(row)
    return place


def change_text(folder, text):
    """Let a run have another text, with the same name."""
    run = record.read_run(folder)
    (folder / "text.txt").write_text(text)
    record.write_run(folder, replace(run, text_sha256=files.text_sha256(text)))


@pytest.fixture
def plain(trained, tmp_path):
    """A run of 43 steps without validation, in a folder of a folder."""
    return Path(shutil.copytree(str(trained), str(tmp_path / "deep" / "plain")))


@pytest.fixture
def validated(stopped_early, tmp_path):
    return Path(shutil.copytree(str(stopped_early), str(tmp_path / "validated")))


@pytest.fixture
def folder(plain, validated, tmp_path):
    """A folder with these two runs, and other things."""
    (tmp_path / "other").mkdir()
    return tmp_path


@pytest.fixture
def compared(capsys):
    """A function that compares the runs in some folders; returns the lines of the table, and the notes."""

    def run(*folders):
        assert runs.main([str(folder) for folder in folders]) == 0
        out, err = capsys.readouterr()
        return out.splitlines(), err

    return run


@pytest.fixture
def as_json(capsys):
    """A function that returns the JSON on the runs in some folders. NaN is not JSON."""

    def run(*folders):
        assert runs.main(["--json", *map(str, folders)]) == 0
        return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    return run


def test_the_table_has_all_runs(folder, plain, validated, compared):
    (head, first, second), _ = compared(folder)
    assert columns(head)[:3] == ["run", "text", "start"]
    assert place_of(first) == str(validated)
    assert re.search(r"  20\d\d-\d\d-\d\d \d\d:\d\d$", first)
    assert place_of(second) == str(plain)
    for value in ("2 x 5 lstm", "2 x 12", "43 of 43"):
        assert value in columns(second)


def test_the_runs_on_a_text_stand_together_the_best_first(folder, plain, compared):
    better = shutil.copytree(str(plain), str(folder / "z"))
    with open(os.path.join(better, "history.csv"), "a") as history:
        history.write("43,1,0.01,,0.001,,,,\n")  # better than all
    (_, *rows), _ = compared(folder)
    places = [os.path.relpath(place_of(row), str(folder)) for row in rows]
    assert places == ["validated", "z", "deep/plain"]


def test_in_python_runs_are_compared_as_in_json(folder, plain, as_json):
    assert charrnn.compare_runs(folder) == as_json(folder)
    assert charrnn.compare_runs([str(plain)]) == as_json(plain)


def test_json_has_how_far_a_run_is(folder, validated, as_json):
    of_validated, of_plain = as_json(folder, validated)
    assert of_validated["steps"] == 3 * (780 // 24)
    assert f"i{of_validated['step']}_l9" in newest_intact(validated)[0]
    assert of_plain["step"] == 43
    assert of_plain["steps"] == 43
    assert of_plain["hyperparameters"]["lstm_size"] == 5


def test_a_run_that_has_done_more_steps_than_it_takes_has_ended(plain, as_json):
    """As after it was resumed with fewer epochs. Here its epoch becomes shorter."""
    change_hyperparameters(plain, num_steps=13)
    (of_plain,) = as_json(plain)
    assert of_plain["step"] > of_plain["steps"]
    assert of_plain["ended"]


def test_json_has_the_sizes(folder, as_json):
    of_validated, of_plain = as_json(folder)
    assert of_validated["lengths"] == {"training": 780, "held_out": 260, "test": 0}
    assert of_plain["lengths"] == {"training": 1040, "held_out": 0, "test": 0}


def test_json_has_the_numbers_of_the_history(folder, plain, validated, as_json):
    of_validated, of_plain = as_json(folder)
    with open(str(validated / "history.csv"), newline="") as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file) if row["val_loss"]]
    assert of_validated["best"] == min(losses)
    assert of_plain["best"] is None
    with open(str(plain / "history.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert of_plain["loss"] == float(rows[-1]["loss"])
    speeds = [float(row["characters_per_second"]) for row in rows]
    assert of_plain["characters_per_second"] == pytest.approx(np.median(speeds))
    assert len(set(speeds)) > 2


def test_a_run_that_stopped_early_has_ended_and_one_that_goes_on_has_not(validated, as_json):
    (stopped,) = as_json(validated)
    assert stopped["ended"]
    with open(str(validated / "history.csv"), "a") as history:
        history.write("90,3,,,0.1,,,,\n")  # better than all before
    (goes_on,) = as_json(validated)
    assert not goes_on["ended"]


def arguments_in(line):
    """Return the arguments of charrnn-train in the line that is printed of a single run."""
    intro, typed = line.split(": ", 1)
    assert intro == "To train a run like it"
    name, *arguments = shlex.split(typed)
    assert name == "charrnn-train"
    return arguments


def without_threads(run):
    return replace(run, hyperparameters=replace(run.hyperparameters, threads=None))


def test_the_line_of_a_single_run_trains_one_with_an_equal_record(trained, tmp_path, compared):
    (_, _, line), _ = compared(trained)
    arguments = arguments_in(line)
    assert "--threads" not in arguments
    assert train.main([*arguments, "--checkpoint-dir", str(tmp_path / "like")]) == 0
    like = record.read_run(tmp_path / "like")
    assert without_threads(like) == without_threads(record.read_run(trained))


def test_the_line_has_each_flag_that_is_not_the_default(run_copy, compared, planned):
    change_hyperparameters(
        run_copy,
        fused=False,
        summaries=False,
        learning_rate=1 / 300,
        schedule="cosine",
        val_fraction=0.1,
        early_stop=2,
    )
    (_, _, line), _ = compared(run_copy)
    assert train.main(arguments_in(line)) == 0
    (job,) = planned
    assert without_threads(job.record) == without_threads(record.read_run(run_copy))


def test_of_several_runs_no_line_is_printed(folder, compared):
    lines, _ = compared(folder)
    assert len(lines) == 3
    assert "charrnn-train" not in lines[-1]


def test_a_folder_without_runs_is_named(folder, validated, compared):
    lines, err = compared(validated, folder / "valid")
    assert columns(lines[1])[0] == str(validated)
    assert err == f"skipped: there is no run in {folder}/valid\n"


def test_a_damaged_run_is_named_and_left_out(folder, plain, validated, compared):
    run = record.read_run(plain)
    record.write_run(plain, replace(run, text_name="a text that is lost, too"))
    (plain / "text.txt").write_text("other")
    (_, row, _), err = compared(folder)
    assert place_of(row) == str(validated)
    assert f"skipped: {plain}" in err


@pytest.mark.parametrize("left", ["all but the end", "nothing", "another head"])
def test_a_history_that_was_cut_off_has_the_rows_that_are_whole(plain, compared, left):
    """A crash, a loss of power or a full disk may leave such a file."""
    path = plain / "history.csv"
    content = path.read_text()
    loss_of_last_whole_row = "{:.4f}".format(float(content.splitlines()[-2].split(",")[2]))
    cut_off, expected = {
        "all but the end": (content[:-40], loss_of_last_whole_row),
        "nothing": ("", "-"),
        "another head": ("step,loss\n1,2\n", "-"),
    }[left]
    path.write_text(cut_off)
    (head, row, _), _ = compared(plain)
    assert columns(row)[columns(head).index("loss")] == expected


@pytest.fixture
def with_strange_rows(folder, validated):
    """A folder with a run in whose history are a word, a byte that is no text, and numbers that are too large."""
    with open(str(validated / "history.csv"), "ab") as history:
        history.write(
            b"9,1,much,,,,,,\n\xff\n9,1,1e999,,,,,,\n9,1,,,-1e308,,,,\n999,1,0.25,,,,,,\n"
        )
    return folder


def test_rows_with_something_else_in_them_are_left_out(with_strange_rows, plain, compared):
    """The other rows and runs are still there."""
    (_, first, second), _ = compared(with_strange_rows)
    assert "0.2500" in columns(first)
    assert place_of(second) == str(plain)
