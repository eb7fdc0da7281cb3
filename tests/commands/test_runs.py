"""charrnn-runs: the table of runs, JSON, and the picture of their curves."""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import TEXT
from matplotlib.figure import Figure

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import runs
from charrnn.system import files


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
    assert [row.split("  ")[0] for row in rows] == [f"{folder}/validated", f"{folder}/deep/plain"]
    assert re.search(r"  20\d\d-\d\d-\d\d \d\d:\d\d$", rows[0])
    assert "2 x 5 lstm" in rows[1] and "2 x 3" in rows[1] and "173 of 173" in rows[1]


def test_the_runs_on_a_text_stand_together_the_best_first(folder, capsys):
    better = shutil.copytree(str(folder / "deep" / "plain"), str(folder / "z"))
    with open(os.path.join(better, "history.csv"), "a") as history:
        history.write("173,1,0.01,,0.001,,,,\n")  # better than all
    assert runs.main([str(folder)]) == 0
    places = [
        row.split("  ")[0][len(str(folder)) + 1 :]
        for row in capsys.readouterr().out.splitlines()[1:]
    ]
    assert places == ["validated", "z", "deep/plain"]


def test_json_has_the_numbers_of_the_history(folder, capsys):
    assert runs.main([str(folder), str(folder / "validated"), "--json"]) == 0
    validated, plain = json.loads(capsys.readouterr().out)
    history = [
        line.split(",") for line in (folder / "validated" / "history.csv").read_text().splitlines()
    ]
    column = history[0].index("val_loss")
    assert validated["best"] == min(float(row[column]) for row in history[1:] if row[column])
    assert (
        validated["steps"] == 3 * (780 // 6)
        and f"i{validated['step']}_l9" in newest_intact(folder / "validated")[0]
    )
    assert plain["best"] is None and plain["step"] == plain["steps"] == 173
    assert plain["hyperparameters"]["lstm_size"] == 5 and plain["loss"] > 0
    rows = (folder / "deep" / "plain" / "history.csv").read_text().splitlines()[1:]
    speeds = [float(row.split(",")[-1]) for row in rows]
    assert (
        plain["characters_per_second"] == pytest.approx(np.median(speeds)) and len(set(speeds)) > 2
    )


def seeded(run, folder, seed, keep_prob, losses, step=173):
    """Copy a run of 173 steps with another seed, as it is after some steps."""
    shutil.copytree(
        str(run), str(folder), ignore=shutil.ignore_patterns("*i173*") if step < 173 else None
    )
    found = record.read_run(folder)
    found = replace(
        found, hyperparameters=replace(found.hyperparameters, seed=seed, keep_prob=keep_prob)
    )
    record.write_run(folder, replace(found, test_loss=losses[-1] + 1 if step == 173 else None))
    (folder / "history.csv").write_text(
        "head\n"
        + "".join(
            f"{place},1,{loss + 2},,{loss},,,,100\n"
            for place, loss in zip((50, 100, 150, 173), losses)
            if place <= step
        )
    )


@pytest.fixture
def settings(trained, tmp_path):
    """A folder with three seeds of two settings, of which one seed was interrupted, and one is there twice."""
    for name, seed, keep_prob, losses, step in (
        ("a1", 1, 0.5, (4, 3, 2, 1.0), 173),
        ("a2", 2, 0.5, (4, 3, 2, 1.5), 173),
        ("a3", 3, 0.5, (6, 5, 4, 3), 100),
        ("b1", 1, 0.8, (5, 4, 3, 2.0), 173),
        ("b2", 2, 0.8, (5, 4, 3, 2.1), 173),
        ("b3", 3, 0.8, (5, 4, 3, 2.5), 173),
        ("b3-copy", 3, 0.8, (5, 4, 3, 2.5), 100),
    ):
        seeded(trained, tmp_path / name, seed, keep_prob, losses, step)
    return tmp_path


def test_the_mean_of_a_setting_is_of_the_runs_that_have_ended(settings, capsys):
    """And says of how many it is, and in what the settings differ."""
    assert runs.main([str(settings)]) == 0
    head, *rows = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    columns = [head.index(name) for name in ("run", "seed", "loss", "best", "bits", "test")]
    assert [Path(row[0]).name for row in rows[:7]] == [
        "a1",
        "a2",
        "b1",
        "b2",
        "b3",
        "b3-copy",
        "a3",
    ]
    assert [[row[column] for column in columns] for row in rows[7:]] == [
        [
            "mean, keep_prob 0.5",
            "2 of 3 seeds",
            "3.2500\u00b10.3536",
            "1.2500\u00b10.3536",
            "1.8034\u00b10.5101",
            "2.2500\u00b10.3536",
        ],
        [
            "mean, keep_prob 0.8",
            "3 seeds",
            "4.2000\u00b10.2646",
            "2.2000\u00b10.2646",
            "3.1739\u00b10.3817",
            "3.2000\u00b10.2646",
        ],
    ]


def test_json_has_the_means_after_the_runs(settings, capsys):
    assert runs.main([str(settings), "--json"]) == 0
    *rows, first, second = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert len(rows) == 7 and [Path(row["run"]).name for row in rows if not row["ended"]] == [
        "b3-copy",
        "a3",
    ]
    assert (
        first["seeds"],
        first["seeds_not_ended"],
        second["seeds"],
        second["seeds_not_ended"],
    ) == ([1, 2], [3], [1, 2, 3], [])
    assert first["runs"] == [str(settings / "a1"), str(settings / "a2")] and "run" not in first
    assert (first["setting"], first["best"], first["best_deviation"]) == (
        "keep_prob 0.5",
        1.25,
        pytest.approx(0.125**0.5),
    )
    assert (
        second["test_bits"] == pytest.approx(3.2 / np.log(2))
        and second["hyperparameters"]["keep_prob"] == 0.8
    )


def test_runs_that_stopped_early_count_and_one_that_goes_on_does_not(
    stopped_early, tmp_path, capsys
):
    for seed in (1, 2, 3):
        folder = Path(shutil.copytree(str(stopped_early), str(tmp_path / str(seed))))
        run = record.read_run(folder)
        record.write_run(
            folder, replace(run, hyperparameters=replace(run.hyperparameters, seed=seed))
        )
    with open(str(folder / "history.csv"), "a") as history:
        history.write("250,3,,,0.1,,,,\n")  # better than all before
    assert runs.main([str(tmp_path)]) == 0
    assert re.search(
        r"^mean  .*  2 of 3 seeds  .*\u00b10.0000", capsys.readouterr().out, re.MULTILINE
    )


@pytest.fixture
def pictures(monkeypatch):
    """The axes of the pictures that are drawn."""
    drawn = []
    usual = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, *args, **options: (
            usual(figure, *args, **options),
            drawn.append(figure.axes[0]),
        ),
    )
    return drawn


def test_the_picture_has_a_mean_and_a_band_for_each_setting(settings, pictures):
    """Where all its runs measured; other runs have lines of their own, and the legend covers none of them."""
    assert runs.main([str(settings), "--plot", str(settings / "curves")]) == 0
    assert (settings / "curves").read_bytes().startswith(b"\x89PNG")
    (axes,) = pictures
    lines = {line.get_label().replace(str(settings), ""): line.get_data() for line in axes.lines}
    labels = [label for label in lines if "validation" not in label]
    assert [label.split(", ")[1:] for label in labels] == [
        ["keep_prob 0.5", "mean of 2 of 3 seeds"],
        ["keep_prob 0.8", "mean of 3 seeds"],
        [],
        [],
    ]
    assert labels[2:] == ["/b3-copy", "/a3"] and len(lines) == 8 and len(axes.collections) == 4
    x, losses = lines[labels[1] + ", validation"]
    assert x.tolist() == [50, 100, 150, 173] and losses == pytest.approx([5, 4, 3, 2.2])
    band = axes.collections[3].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((2.2 - 0.07**0.5, 5))
    assert axes.get_legend().get_window_extent().x0 > axes.get_window_extent().x1


def test_settings_of_one_name_and_runs_without_a_common_step_are_drawn(trained, settings, pictures):
    """Of other texts with the same name; and a mean of runs that have measured nothing."""
    for seed in (1, 2):
        for name in ("a", "c", "d"):
            folder = settings / f"{name}{seed}"
            if name != "a":
                seeded(trained, folder, seed, 0.5, (4, 3, 2, 1.0))
            if name == "d":
                (folder / "history.csv").write_text("head\n")
            run = record.read_run(folder)
            (folder / "text.txt").write_text(TEXT + name)
            record.write_run(folder, replace(run, text_sha256=files.text_sha256(TEXT + name)))
    assert runs.main([str(settings), "--plot", str(settings / "curves.png")]) == 0
    labels = [line.get_label() for line in pictures[0].lines]
    assert sum("mean of 2 seeds" in label for label in labels) == 4
    assert sum("mean of 3 seeds" in label for label in labels) == 2


def test_a_run_with_one_evaluation_has_a_marker(trained, tmp_path, pictures):
    seeded(trained, tmp_path / "a", 1, 0.5, (4, 3))
    (tmp_path / "a" / "history.csv").write_text(
        "head\n50,1,4,,,,,,9\n100,1,3,,,,,,9\n100,1,,,2,,,,\n"
    )
    assert runs.main([str(tmp_path), "--plot", str(tmp_path / "curves.png")]) == 0
    assert [line.get_marker() not in ("", "None") for line in pictures[0].lines] == [False, True]


@pytest.mark.parametrize("over, hours", [("steps", 1), ("time", 2 * 3 / 80 / 3600)])
def test_the_picture(folder, over, hours, pictures):
    """Of a run whose speed was 80 characters in a second, where it was measured, and another one."""
    path = folder / "deep" / "plain" / "history.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    speed = head.index("characters_per_second")
    path.write_text(
        "".join(
            ",".join([*row[:speed], each, *row[speed + 1 :]]) + "\n"
            for row, each in zip([head, *rows], ["characters_per_second", "80", "", "80", "80"])
        )
    )
    assert runs.main([str(folder), "--plot", str(folder / "curves.svg"), "--over", over]) == 0
    picture = (folder / "curves.svg").read_text()
    assert (
        "</svg>" in picture
        and 300 < float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', picture).group(1)) < 400
    )
    shown = pictures[0].lines
    x, losses = next(line.get_data() for line in shown if line.get_label() == str(path.parent))
    assert x == pytest.approx(np.array([float(row[0]) for row in rows]) * hours)
    assert losses.tolist() == [float(row[head.index("loss")]) for row in rows] and len(shown) == 3


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
        assert capsys.readouterr().out.splitlines()[1].split("173 of 173")[1].split()[0] == expected


@pytest.mark.parametrize("flags", [[], ["--plot", "x.svg"]])
def test_rows_with_something_else_in_them_are_left_out(folder, capsys, monkeypatch, flags):
    """The other rows and runs are still there."""
    monkeypatch.chdir(folder)
    with open(str(folder / "validated" / "history.csv"), "ab") as history:
        history.write(
            b"9,1,much,,,,,,\n\xff\n9,1,1e999,,,,,,\n9,1,,,-1e308,,,,\n999,1,0.25,,,,,,\n"
        )
    assert runs.main([str(folder), *flags]) == 0
    out = capsys.readouterr().out
    assert flags or "0.2500" in out and "plain" in out


def test_a_picture_of_nothing_is_refused(folder, capsys):
    for name in ("validated", "deep/plain"):
        (folder / name / "history.csv").write_text("step\n")
    for over in ("time", "steps"):
        assert runs.main([str(folder), "--plot", str(folder / "x.svg"), "--over", over]) == 2
        assert (
            "nothing was measured yet" in capsys.readouterr().err
            and not (folder / "x.svg").exists()
        )
