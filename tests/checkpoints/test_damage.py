"""Damaged run folders: a checkpoint is opened as it was saved, or refused in one line."""

import itertools
import shutil
from dataclasses import asdict, astuple, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import NEWEST, OLDER, resume, script, times_of

from charrnn.checkpoints.find import find, newest_intact
from charrnn.checkpoints.progress import read_progress
from charrnn.checkpoints.record import CheckpointError, read_run, read_signed, signed, write_run
from charrnn.engines.opening import open_model
from charrnn.sample import sample

SUFFIXES = (".index", ".data-00000-of-00001", ".meta", ".npz", ".progress.npz", ".json")
DAMAGES = list(itertools.product(SUFFIXES, ["missing", "half", "a bit", "the older one's"]))
DAMAGES.remove((".meta", "the older one's"))  # the graphs in both are the same


@pytest.fixture(scope="module")
def models(trained):
    """The models in the checkpoints of the trained run, as model_bytes, by name."""
    return {name: model_bytes(open_model(trained / name)) for name in (OLDER, NEWEST)}


@pytest.fixture(scope="module")
def progresses(trained):
    """The progress in these checkpoints, as progress_bytes, by name."""
    return {name: progress_bytes(trained / name) for name in (OLDER, NEWEST)}


def model_bytes(model):
    weights = {name: values.tobytes() for name, values in model.weights.items()}
    return model.vocabulary.chars, weights


def progress_bytes(prefix):
    progress = read_progress(str(prefix))
    values = {**asdict(progress), "best": astuple(progress.best)}
    return {name: np.asarray(value).tobytes() for name, value in values.items()}


def check_skipped(skipped, name):
    """Check that a line says which checkpoint was skipped, if another than the newest was opened."""
    assert len(skipped) == (1 if name == OLDER else 0)
    for line in skipped:
        assert NEWEST in line
        assert "\n" not in line


def opened_to_sample(run, models):
    """Open a damaged run for sampling; return the name of the checkpoint."""
    model = open_model(run)
    name = Path(model.name).name
    assert model_bytes(model) == models[name]
    check_skipped(model.skipped, name)
    return name


def opened_to_resume(run, progresses):
    """Open a damaged run for resuming; return the name of the checkpoint."""
    checkpoint = newest_intact(run)
    name = Path(checkpoint.prefix).name
    assert progress_bytes(checkpoint.prefix) == progresses[name]
    check_skipped(checkpoint.skipped, name)
    return name


def damage(path, kind):
    """Damage a file of the newest checkpoint, or of the run."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.unlink()
    if kind == "half":
        path.write_bytes(content[:middle])
    elif kind == "a bit":
        flipped = bytes([content[middle] ^ 16])
        path.write_bytes(content[:middle] + flipped + content[middle + 1 :])
    elif kind == "the older one's":
        shutil.copyfile(str(path).replace(NEWEST, OLDER), str(path))


@pytest.mark.parametrize("suffix, kind", DAMAGES)
def test_the_older_checkpoint_is_resumed_whichever_file_of_the_newest_is_damaged(
    run_copy, progresses, suffix, kind
):
    damage(run_copy / (NEWEST + suffix), kind)
    assert opened_to_resume(run_copy, progresses) == OLDER
    with pytest.raises(CheckpointError, match=f"{NEWEST} is damaged: "):
        find(run_copy / NEWEST)


@pytest.mark.parametrize("suffix, kind", DAMAGES)
def test_sampling_minds_only_damage_of_the_weights_and_the_record(run_copy, models, suffix, kind):
    """It reads no other file."""
    damage(run_copy / (NEWEST + suffix), kind)
    expected = OLDER if suffix in (".npz", ".json") else NEWEST
    assert opened_to_sample(run_copy, models) == expected


def test_a_checkpoint_with_the_name_of_another_step_is_refused(run_copy):
    for path in run_copy.glob(f"{OLDER}.*"):
        shutil.copy(str(path), str(path).replace(OLDER, "i999_l5.ckpt"))
    message = "i999_l5.ckpt.json: it is the record of another checkpoint"
    with pytest.raises(CheckpointError, match=message):
        open_model(run_copy / "i999_l5.ckpt")
    checkpoint = newest_intact(run_copy)
    assert checkpoint.prefix == str(run_copy / NEWEST)
    assert len(checkpoint.skipped) == 1


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
def test_files_that_resuming_does_not_need_are_made_anew(
    trained, run_copy, models, progresses, capsys, kind
):
    names = ["run.json", "history.csv", "checkpoint"]
    for name in names:
        damage(run_copy / name, kind)

    assert resume(run_copy) == 0
    assert "resumed  after step 43, 0 to go" in capsys.readouterr().out
    for name in names:
        assert (run_copy / name).read_bytes() == (trained / name).read_bytes()
    assert opened_to_sample(run_copy, models) == NEWEST
    assert opened_to_resume(run_copy, progresses) == NEWEST


@pytest.mark.parametrize(
    "names, kind, message",
    [
        ([f"{OLDER}.index", f"{NEWEST}.index"], "missing", "there is no intact checkpoint in"),
        ([f"{OLDER}.json", f"{NEWEST}.json"], "missing", "there is no intact checkpoint in"),
        (["text.txt"], "missing", "text.txt, cannot be read"),
        (["text.txt"], "a bit", "text.txt, has changed"),
    ],
)
def test_what_cannot_be_resumed_is_refused_in_a_line_and_not_started_again(
    run_copy, capsys, names, kind, message
):
    run = read_run(run_copy)
    write_run(run_copy, replace(run, text_name="a text that is lost, too"))
    for name in names:
        damage(run_copy / name, kind)
    before = times_of(run_copy)

    assert resume(run_copy, "--epochs", "2") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("charrnn-train: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert times_of(run_copy) == before


def test_where_a_folder_stands_for_the_history_nothing_is_written(run_copy, capsys):
    """The record of the run would have more epochs."""
    (run_copy / "history.csv").unlink()
    (run_copy / "history.csv").mkdir()
    before = times_of(run_copy)
    assert resume(run_copy, "--epochs", "2") == 2
    assert "history.csv is a folder, where the run needs a file" in capsys.readouterr().err
    assert times_of(run_copy) == before


@pytest.mark.parametrize("kind", ["missing", "a bit"])
def test_the_text_that_a_run_names_takes_the_place_of_the_one_that_it_has_lost(
    trained, run_copy, kind
):
    damage(run_copy / "text.txt", kind)
    assert resume(run_copy) == 0
    assert (run_copy / "text.txt").read_bytes() == (trained / "text.txt").read_bytes()


@pytest.mark.parametrize("change", ["no files", "no weights", "no pairs", "another file"])
def test_a_record_with_odd_files_is_damaged(run_copy, models, change):
    """Its SHA-256 fits."""
    path = run_copy / f"{NEWEST}.json"
    content = read_signed(path)
    recorded = content["files"]
    if change == "no files":
        recorded.clear()
    elif change == "no weights":
        del recorded[".npz"]
    elif change == "no pairs":
        recorded[".npz"] = 7
    else:
        recorded["/../x"] = recorded[".npz"]
    path.write_bytes(signed(content))

    assert opened_to_sample(run_copy, models) == OLDER
    assert newest_intact(run_copy).prefix == str(run_copy / OLDER)


def test_progress_of_another_kind_is_refused(tmp_path):
    """A later version may save another kind."""
    np.savez(str(tmp_path / "i3_l5.ckpt.progress.npz"), step=3, lr=0.1)
    message = "cannot be used to resume: its progress cannot be read"
    with pytest.raises(CheckpointError, match=message):
        read_progress(str(tmp_path / "i3_l5.ckpt"))
