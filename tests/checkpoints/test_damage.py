"""Damaged run folders: a checkpoint is opened as it was saved, or refused in one line."""

import shutil
from dataclasses import asdict, astuple
from pathlib import Path

import numpy as np
import pytest
from conftest import NEWEST, OLDER, resume, script

from charrnn.checkpoints.find import find, newest_intact
from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.run import read_progress
from charrnn.engines.model_file import open_model
from charrnn.sample import sample

OF_NEWEST = [
    NEWEST + end
    for end in (".index", ".data-00000-of-00001", ".meta", ".npz", ".progress.npz", ".json")
]
KINDS = ("missing", "half", "a bit", "the older one's")


@pytest.fixture(scope="module")
def saved(trained):
    """By name, the model and the progress in the checkpoints of the trained run."""
    return {
        name: (model_of(open_model(trained / name)), progress_of(trained / name))
        for name in (OLDER, NEWEST)
    }


def model_of(model):
    return [
        model.vocabulary.chars,
        *((name, values.tobytes()) for name, values in model.weights.items()),
    ]


def progress_of(prefix):
    progress = read_progress(str(prefix))
    values = {**asdict(progress), "best": astuple(progress.best)}
    return [(name, np.asarray(value).tobytes()) for name, value in values.items()]


def opened(run, saved):
    """Open a damaged run for sampling and for resuming; return the names of the checkpoints."""
    model = open_model(run)
    found = newest_intact(run)
    names = [Path(path).name for path in (model.name, found.prefix)]
    assert model_of(model) == saved[names[0]][0] and progress_of(found.prefix) == saved[names[1]][1]
    for name, skipped in zip(names, (model.skipped, found.skipped)):
        assert len(skipped) == (name == OLDER) and all(
            NEWEST in line and "\n" not in line for line in skipped
        )
    return names


def damage(path, kind):
    """Damage a file of the newest checkpoint, or of the run."""
    content = path.read_bytes()
    middle = path.stat().st_size // 2
    path.unlink()
    if kind == "the older one's":
        shutil.copyfile(str(path).replace(NEWEST, OLDER), str(path))
    elif kind != "missing":
        flipped = bytes([content[middle] ^ 16]) + content[middle + 1 :]
        path.write_bytes(content[:middle] + (flipped if kind == "a bit" else b""))


@pytest.mark.parametrize(
    "name, kind",
    [
        (name, kind)
        for name in OF_NEWEST
        for kind in KINDS
        # the graphs in both are the same
        if (name, kind) != (NEWEST + ".meta", "the older one's")
    ],
)
def test_the_older_checkpoint_is_opened_whichever_file_of_the_newest_is_damaged(
    run_copy, saved, name, kind
):
    """Sampling reads the weights and the record only, so it does not mind the other files."""
    damage(run_copy / name, kind)
    assert opened(run_copy, saved) == [
        OLDER if name.endswith((".ckpt.npz", ".json")) else NEWEST,
        OLDER,
    ]
    with pytest.raises(CheckpointError, match=f"{NEWEST} is damaged: "):
        find(run_copy / NEWEST)


def test_a_checkpoint_with_the_name_of_another_step_is_refused(run_copy, saved):
    for path in run_copy.glob(f"{OLDER}.*"):
        shutil.copy(str(path), str(path).replace(OLDER, "i999_l5.ckpt"))
    with pytest.raises(
        CheckpointError, match="i999_l5.ckpt.json: it is the record of another checkpoint"
    ):
        open_model(run_copy / "i999_l5.ckpt")
    found = newest_intact(run_copy)
    assert (Path(found.prefix).name, len(found.skipped)) == (NEWEST, 1)


@pytest.mark.parametrize(
    "write",
    [lambda run: sample(run, 3), lambda run: script("sample").main([str(run)])],
    ids=["Python", "command"],
)
def test_a_damaged_checkpoint_that_is_newer_is_named(run_copy, capsys, write):
    damage(run_copy / f"{NEWEST}.npz", "half")
    write(run_copy)
    assert capsys.readouterr().err.startswith(f"skipped: {run_copy / NEWEST} is damaged: ")


# Resuming


@pytest.mark.parametrize("kind", ["missing", "half"])
def test_files_that_resuming_does_not_need_are_made_anew(trained, run_copy, saved, capsys, kind):
    """What a run that was killed has left is removed."""
    names = ["run.json", "history.csv", "checkpoint"]
    left = run_copy / "run.json.0123456789ab.tmp"
    left.write_text("half")
    for name in names:
        damage(run_copy / name, kind)
    assert resume(run_copy) == 0 and not left.exists()
    assert "resumed  after step 173, 0 to go" in capsys.readouterr().out
    assert [(run_copy / name).read_bytes() for name in names] == [
        (trained / name).read_bytes() for name in names
    ]
    assert opened(run_copy, saved) == 2 * [NEWEST]


@pytest.mark.parametrize(
    "damages, message",
    [
        (
            [(f"{name}.index", "missing") for name in (OLDER, NEWEST)],
            "there is no intact checkpoint in",
        ),
        (
            [(f"{name}.json", "missing") for name in (OLDER, NEWEST)],
            "there is no intact checkpoint in",
        ),
        ([("text.txt", "missing")], "text.txt, cannot be read"),
        ([("text.txt", "a bit")], "text.txt, has changed"),
    ],
)
def test_what_cannot_be_resumed_is_refused_in_a_line_and_not_started_again(
    run_copy, capsys, damages, message
):
    for name, kind in damages:
        damage(run_copy / name, kind)
    before = {path.name: path.stat().st_mtime_ns for path in run_copy.glob("*.ckpt.*")}
    assert resume(run_copy, "--epochs", "2") == 2
    out, err = capsys.readouterr()
    assert (
        out == ""
        and err.startswith("charrnn-train: error: ")
        and err.count("\n") == 1
        and message in err
    )
    assert {path.name: path.stat().st_mtime_ns for path in run_copy.glob("*.ckpt.*")} == before


def test_progress_of_another_kind_is_refused(tmp_path):
    """Such as a later version may save it."""
    np.savez(str(tmp_path / "i3_l5.ckpt.progress.npz"), step=3, lr=0.1)
    with pytest.raises(
        CheckpointError, match="cannot be used to resume: its progress cannot be read"
    ):
        read_progress(str(tmp_path / "i3_l5.ckpt"))
