"""charrnn-runs: the table of runs, JSON, and the picture of their curves."""
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import runs


@pytest.fixture
def folder(trained, stopped_early, tmp_path):
    """A folder with two runs, one without validation, and other things."""
    shutil.copytree(str(trained), str(tmp_path / "deep" / "plain"))
    shutil.copytree(str(stopped_early), str(tmp_path / "validated"))
    (tmp_path / "other").mkdir()
    return tmp_path


def test_the_table_has_all_runs(folder, capsys):
    assert runs.main([str(folder)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["run", "text", "network"]
    assert [row.split()[0] for row in rows] == [f"{folder}/validated", f"{folder}/deep/plain"]
    assert re.search(r"  20\d\d-\d\d-\d\d \d\d:\d\d$", rows[0])
    assert "2 x 5 lstm" in rows[1] and "2 x 3" in rows[1] and "173 of 173" in rows[1]


def test_the_runs_on_a_text_stand_together_the_best_first(folder, capsys):
    better = shutil.copytree(str(folder / "deep" / "plain"), str(folder / "z"))
    with open(os.path.join(better, "history.csv"), "a") as history:
        history.write("173,1,0.01,,0.001,,,,\n")  # better than all
    assert runs.main([str(folder)]) == 0
    places = [row.split()[0][len(str(folder)) + 1:] for row in capsys.readouterr().out.splitlines()[1:]]
    assert places == ["validated", "z", "deep/plain"]


def test_json_has_the_numbers_of_the_history(folder, capsys):
    assert runs.main([str(folder), str(folder / "validated"), "--json"]) == 0
    validated, plain = json.loads(capsys.readouterr().out)
    history = [line.split(",") for line in (folder / "validated" / "history.csv").read_text().splitlines()]
    column = history[0].index("val_loss")
    assert validated["best"] == min(float(row[column]) for row in history[1:] if row[column])
    assert validated["steps"] == 3 * (780 // 6) and f"i{validated['step']}_l9" in newest_intact(folder / "validated")[0]
    assert plain["best"] is None and plain["step"] == plain["steps"] == 173
    assert plain["hyperparameters"]["lstm_size"] == 5 and plain["loss"] > 0


def test_seeds_bits_and_the_test_loss(trained, stopped_early, tmp_path, capsys):
    """Runs that differ only in the seed have a row with mean and standard deviation; others do not count."""
    for name, seed, keep_prob, best, test in (
            ("a", 7, 1, 0.2, 1.5), ("b", 8, 1, 0.4, 1.6), ("c", 9, 0.4, 0.1, 2.0), ("copy", 7, 1, 0.2, 1.5)):
        folder = Path(shutil.copytree(str(stopped_early), str(tmp_path / name)))
        run = record.read_run(folder)
        run = replace(run, hyperparameters=replace(run.hyperparameters, seed=seed, keep_prob=keep_prob))
        record.write_run(folder, replace(run, test_loss=test))
        with open(str(folder / "history.csv"), "a") as history:
            history.write(f"250,3,,,{best},,,,\n")
    assert runs.main([str(tmp_path), str(trained)]) == 0
    head, *rows = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    columns = [head.index(name) for name in ("seed", "best", "bits", "test")]
    assert [[row[column] for column in columns] for row in rows] == [
        ["9", "0.1000", "0.1443", "2.0000"], *2 * [["7", "0.2000", "0.2885", "1.5000"]],
        ["8", "0.4000", "0.5771", "1.6000"], ["7", "-", "-", "-"],
        ["2 seeds", "0.3000±0.1414", "0.4328±0.2040", "1.5500±0.0707"]]
    assert runs.main([str(tmp_path / "c"), "--json"]) == 0
    found, = json.loads(capsys.readouterr().out)
    assert (found["test"], found["best"], found["test_bits"]) == (2.0, 0.1, pytest.approx(2.8854, abs=1e-4))


@pytest.mark.parametrize("over, hours", [("steps", 1), ("time", 2 * 3 / 80 / 3600)])
def test_the_picture(folder, over, hours, monkeypatch):
    """Of a run whose speed was 80 characters in a second, where it was measured, and another one."""
    path = folder / "deep" / "plain" / "history.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    speed = head.index("characters_per_second")
    path.write_text("".join(",".join([*row[:speed], each, *row[speed + 1:]]) + "\n" for row, each in zip(
        [head, *rows], ["characters_per_second", "80", "", "80", "80"])))
    shown, usual = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **options: (
        shown.extend(figure.axes[0].lines), usual(figure, *args, **options)))
    assert runs.main([str(folder), "--plot", str(folder / "curves.svg"), "--over", over]) == 0
    assert "</svg>" in (folder / "curves.svg").read_text()
    x, losses = next(line.get_data() for line in shown if line.get_label() == str(path.parent))
    assert x == pytest.approx(np.array([float(row[0]) for row in rows]) * hours)
    assert losses.tolist() == [float(row[head.index("loss")]) for row in rows] and len(shown) == 3


def test_the_picture_has_the_name_that_is_given(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert runs.main([".", "--plot", "curves"]) == 0
    assert (folder / "curves").read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_runs_is_named(folder, capsys):
    assert runs.main([str(folder / "validated"), str(folder / "valid")]) == 0
    out, err = capsys.readouterr()
    assert "validated" in out and err == f"skipped: there is no run in {folder}/valid\n"


def test_a_damaged_run_is_named_and_left_out(folder, capsys):
    (folder / "deep" / "plain" / "text.txt").write_text("other")
    assert runs.main([str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "plain" not in out and "validated" in out and f"skipped: {folder}/deep/plain" in err


def test_a_history_that_was_cut_off_has_the_rows_that_are_whole(folder, capsys):
    """A crash, a loss of power or a full disk may leave such a file."""
    path = folder / "deep" / "plain" / "history.csv"
    content = path.read_text()
    loss = "{:.4f}".format(float(content.splitlines()[-2].split(",")[2]))
    for cut, expected in ((content[:-40], loss), ("", "-"), ("step,loss\n1,2\n", "-")):
        path.write_text(cut)
        assert runs.main([str(path.parent)]) == 0
        out, err = capsys.readouterr()
        assert out.splitlines()[1].split("173 of 173")[1].split()[0] == expected
        assert err == (f"skipped: {path}: not 9 numbers in line {len(cut.splitlines())}\n" if cut else "")


@pytest.mark.parametrize("flags", [[], ["--plot", "x.svg"]])
def test_rows_with_something_else_in_them_are_left_out_and_named(folder, capsys, monkeypatch, flags):
    """Once, and the other rows and runs are still there."""
    monkeypatch.chdir(folder)
    path = folder / "validated" / "history.csv"
    first = len(path.read_text().splitlines()) + 1
    with open(str(path), "ab") as history:
        history.write(b"9,1,much,,,,,,\n\xff\n9,1,1e999,,,,,,\n999,1,0.25,,,,,,\n")
    assert runs.main([str(folder), *flags]) == 0
    out, err = capsys.readouterr()
    assert err == f"skipped: {path}: not 9 numbers in line {first}, {first + 1}, {first + 2}\n"
    assert flags or "0.2500" in out and "plain" in out


def test_a_picture_of_nothing_is_refused(folder, capsys):
    for name in ("validated", "deep/plain"):
        (folder / name / "history.csv").write_text("step\n")
    for over in ("time", "steps"):
        assert runs.main([str(folder), "--plot", str(folder / "x.svg"), "--over", over]) == 2
        assert "nothing was measured yet" in capsys.readouterr().err and not (folder / "x.svg").exists()
