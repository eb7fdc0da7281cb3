"""charrnn-runs: the table of runs, JSON and CSV."""

import csv
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import NEWEST, change_hyperparameters, columns

import charrnn
from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import runs
from charrnn.system import files
from charrnn.system.tensorflow import tf

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


def test_csv_has_the_losses_with_all_digits(folder, as_json, capsys):
    assert runs.main(["--csv", str(folder)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    expected = as_json(folder)
    assert [row["run"] for row in rows] == [row["run"] for row in expected]
    assert float(rows[0]["best"]) == expected[0]["best"]
    assert rows[-1]["best"] == ""
    assert int(rows[0]["lstm_size"]) == expected[0]["hyperparameters"]["lstm_size"]


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


def test_json_has_the_sizes_and_the_versions(folder, validated, as_json):
    of_validated, of_plain = as_json(folder)
    assert of_validated["lengths"] == {"training": 780, "held_out": 260, "test": 0}
    assert of_plain["lengths"] == {"training": 1040, "held_out": 0, "test": 0}
    # 2 layers of 4 gates of 5 units, and the output of 14 characters
    layers = (14 + 5 + 1) * 4 * 5 + (5 + 5 + 1) * 4 * 5
    assert of_plain["parameters"] == layers + (5 + 1) * 14
    assert of_plain["versions"] == {"charrnn": charrnn.__version__, "tensorflow": tf.__version__}


@pytest.mark.parametrize("are_empty", [False, True])
def test_a_run_of_which_less_is_left_has_less(plain, as_json, are_empty):
    """Without a record of its own, and whose weights are not there, or in a file that is empty."""
    (plain / "run.json").unlink()
    for path in plain.glob("*.ckpt.npz"):
        path.unlink()
        if are_empty:
            path.touch()
    (of_plain,) = as_json(plain)
    assert of_plain["parameters"] is None
    assert of_plain["versions"] == {"charrnn": None, "tensorflow": None}


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


def seeded(run, folder, seed, losses, *, keep_prob=0.5, step=43):
    """Copy a run of 43 steps with another seed, as it is after some steps on a machine with as many cores.

    Args:
        losses: the validation losses after 12, 24, 36 and 43 steps. The loss was 2 more, the test loss is 1 more.
    """
    ignored = shutil.ignore_patterns(f"{NEWEST}*") if step < 43 else None
    shutil.copytree(str(run), str(folder), ignore=ignored)
    change_hyperparameters(folder, seed=seed, threads=seed, keep_prob=keep_prob)
    test_loss = losses[-1] + 1 if step == 43 else None
    record.write_run(folder, replace(record.read_run(folder), test_loss=test_loss))

    rows = []
    for measured_at, loss in zip((12, 24, 36, 43), losses):
        if measured_at <= step:
            rows.append(f"{measured_at},1,{loss + 2},,{loss},,,,100\n")
    (folder / "history.csv").write_text(HISTORY + "".join(rows))


@pytest.fixture
def settings(trained, tmp_path):
    """A folder with three seeds of two settings, of which one seed was interrupted, and one is there twice."""
    seeded(trained, tmp_path / "a1", 1, (4, 3, 2, 1.0))
    seeded(trained, tmp_path / "a2", 2, (4, 3, 2, 1.5))
    seeded(trained, tmp_path / "a3", 3, (6, 5, 4, 3), step=25)
    seeded(trained, tmp_path / "b1", 1, (5, 4, 3, 2.0), keep_prob=0.8)
    seeded(trained, tmp_path / "b2", 2, (5, 4, 3, 2.1), keep_prob=0.8)
    seeded(trained, tmp_path / "b3", 3, (5, 4, 3, 2.5), keep_prob=0.8)
    seeded(trained, tmp_path / "b3-copy", 3, (5, 4, 3, 2.5), keep_prob=0.8, step=25)
    return tmp_path


def test_the_mean_of_a_setting_is_of_the_runs_that_have_ended(settings, compared):
    """It says of how many it is, and in what the settings differ."""
    lines, _ = compared(settings)
    head, *rows = map(columns, lines)
    names = [Path(row[0]).name for row in rows[:7]]
    assert names == ["a1", "a2", "b1", "b2", "b3", "b3-copy", "a3"]

    means = [dict(zip(head, row)) for row in rows[7:]]
    assert [mean["run"] for mean in means] == ["mean, keep_prob 0.5", "mean, keep_prob 0.8"]
    assert [mean["seed"] for mean in means] == ["2 of 3 seeds", "3 seeds"]
    assert [mean["loss"] for mean in means] == ["3.2500\u00b10.3536", "4.2000\u00b10.2646"]
    assert [mean["best"] for mean in means] == ["1.2500\u00b10.3536", "2.2000\u00b10.2646"]
    assert [mean["bits"] for mean in means] == ["1.8034\u00b10.5101", "3.1739\u00b10.3817"]
    assert [mean["test"] for mean in means] == ["2.2500\u00b10.3536", "3.2000\u00b10.2646"]


def test_json_has_the_means_after_the_runs(settings, as_json):
    *rows, first, second = as_json(settings)
    assert len(rows) == 7
    not_ended = [Path(row["run"]).name for row in rows if not row["ended"]]
    assert not_ended == ["b3-copy", "a3"]
    assert "run" not in first
    assert first["runs"] == [str(settings / "a1"), str(settings / "a2")]
    assert first["seeds"] == [1, 2]
    assert first["seeds_not_ended"] == [3]
    assert second["seeds"] == [1, 2, 3]
    assert second["seeds_not_ended"] == []


def test_json_has_the_settings_and_losses_of_the_means(settings, as_json):
    *_, first, second = as_json(settings)
    assert first["setting"] == "keep_prob 0.5"
    assert second["hyperparameters"]["keep_prob"] == 0.8
    assert first["best"] == 1.25
    assert first["best_deviation"] == pytest.approx(0.125**0.5)
    assert second["test_bits"] == pytest.approx(3.2 / np.log(2))


def test_runs_that_stopped_early_count_and_one_that_goes_on_does_not(
    stopped_early, tmp_path, compared
):
    for seed in (1, 2, 3):
        run = Path(shutil.copytree(str(stopped_early), str(tmp_path / str(seed))))
        change_hyperparameters(run, seed=seed)
    with open(str(tmp_path / "3" / "history.csv"), "a") as history:
        history.write("90,3,,,0.1,,,,\n")  # better than all before
    lines, _ = compared(tmp_path)
    assert re.search(r"^mean  .*  2 of 3 seeds  .*\u00b10.0000", lines[-1])


def test_a_folder_without_runs_is_named(folder, validated, compared):
    lines, err = compared(validated, folder / "valid")
    assert columns(lines[1])[0] == str(validated)
    assert err == f"skipped: there is no run in {folder}/valid\n"


def test_a_damaged_run_is_named_and_left_out(folder, plain, validated, compared):
    run = record.read_run(plain)
    record.write_run(plain, replace(run, text_name="a text that is lost, too"))
    (plain / "text.txt").write_text("other")
    (_, *rows), err = compared(folder)
    assert [place_of(row) for row in rows] == [str(validated)]
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
    (head, row), _ = compared(plain)
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
