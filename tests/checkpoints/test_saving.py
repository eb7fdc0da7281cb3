"""Saving checkpoints, removing old ones, and the progress of a run."""
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Progress, Run
from charrnn.data import Vocabulary
from charrnn.system import files
from charrnn.system.tensorflow import tf

RUN = Run({}, Vocabulary("ab"), "name", "f00", "utf-8")


@pytest.fixture
def session():
    """A session with one variable, and its Saver."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.zeros(1))
        session.run(tf.global_variables_initializer())
        yield session, tf.train.Saver(max_to_keep=0)


@pytest.fixture
def folder(tmp_path):
    """A run folder without checkpoints."""
    checkpoints.write_run(tmp_path, RUN)
    return tmp_path


def save(session, folder, step, best_step=0, max_to_keep=100):
    progress = Progress(step, np.zeros((1, 2, 1, 5)), np.zeros(step), best_step)
    best = f"i{best_step}_l5.ckpt" if best_step else None
    return checkpoints.save(*session, folder, 5, progress, replace(RUN, best=best), max_to_keep)


def saved_steps(folder):
    """Return the steps of which a file exists; check that TensorFlow's list has the same."""
    steps = sorted({int(path.name[1:].split("_")[0]) for path in folder.glob("i*")})
    state = tf.train.get_checkpoint_state(str(folder))
    assert list(state.all_model_checkpoint_paths) == [str(folder / f"i{step}_l5.ckpt") for step in steps]
    assert state.model_checkpoint_path == state.all_model_checkpoint_paths[-1]
    return steps


# Saving


def test_a_saved_checkpoint_is_intact_and_the_newest(folder, session):
    assert save(session, folder, 1) == str(folder / "i1_l5.ckpt")
    save(session, folder, 2)
    assert checkpoints.newest_intact(folder) == (str(folder / "i2_l5.ckpt"), [])
    assert not (folder / ".saving").exists()


def test_paths_in_tensorflows_list_are_relative(folder, session):
    save(session, folder, 1)
    assert "/" not in (folder / "checkpoint").read_text()


def test_steps_are_ordered_as_numbers(folder, session):
    for step in (9, 10, 100):
        save(session, folder, step)
    assert saved_steps(folder) == [9, 10, 100]
    assert checkpoints.newest_intact(folder)[0] == str(folder / "i100_l5.ckpt")


def test_the_best_checkpoint_is_written_to_the_run_file(folder, session):
    save(session, folder, 3, best_step=3)
    assert checkpoints.read_run(folder).best == "i3_l5.ckpt"


# Removing old checkpoints


def test_old_checkpoints_are_removed_with_all_their_files(folder, session):
    for step in (1, 2, 3):
        save(session, folder, step, max_to_keep=2)
    assert saved_steps(folder) == [2, 3]


def test_files_of_the_user_are_kept(folder, session):
    save(session, folder, 1)
    names = ["i1_l5.ckpt.npz", "i1_l5.ckpt.notes.json", "i1_l5.ckpt.html"]
    for name in names:
        (folder / name).write_bytes(b"mine")
    (folder / "i1_l5.ckpt.folder").mkdir()
    save(session, folder, 2, max_to_keep=1)
    assert sorted(path.name for path in folder.glob("i1_*")) == sorted([*names, "i1_l5.ckpt.folder"])


def test_the_best_checkpoint_is_kept(folder, session):
    """But not those whose step begins with the same digits."""
    for step in (1, 10, 11, 12, 13):
        save(session, folder, step, best_step=1, max_to_keep=2)
    assert saved_steps(folder) == [1, 12, 13]


def test_the_previous_best_checkpoint_is_removed(folder, session):
    for step in (1, 2, 3):
        save(session, folder, step, best_step=1, max_to_keep=1)
    save(session, folder, 4, best_step=4, max_to_keep=1)
    assert saved_steps(folder) == [4]


def test_damaged_checkpoints_of_later_steps_are_not_counted(folder, session):
    """A run resumed before damaged checkpoints keeps the ones that it saves."""
    for step in (120, 160, 173):
        save(session, folder, step)
    for step in (160, 173):
        (folder / f"i{step}_l5.ckpt.index").write_bytes(b"")
    for step in (125, 130, 135):
        save(session, folder, step, max_to_keep=2)
    prefix, skipped = checkpoints.newest_intact(folder)
    assert Path(prefix).name == "i135_l5.ckpt" and len(skipped) == 2
    assert saved_steps(folder) == [130, 135, 160, 173]


# Files of the folder


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_run_file_that_is_lost_is_written_anew(folder, session, content):
    path = folder / "run.json"
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    save(session, folder, 1)
    assert path.read_bytes() == before


def test_a_run_file_that_has_not_changed_is_not_written(folder, session):
    before = (folder / "run.json").stat()
    save(session, folder, 1)
    assert (folder / "run.json").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("name", ["run.json", "checkpoint"])
def test_a_failure_after_the_checkpoint_is_told_and_repaired(folder, session, monkeypatch, name):
    """The checkpoint is saved then, no older one is removed, and the next save does what could not be done."""
    for step in (1, 2):
        save(session, folder, step, best_step=1, max_to_keep=1)
    usual = files.write_atomically

    def write(path, data):
        if Path(path).name == name:
            no_space()
        usual(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_atomically", write)
        with pytest.raises(checkpoints.NotListedError, match="i3_l5.ckpt is saved, but .*: .*No space left on device"):
            save(session, folder, 3, best_step=3, max_to_keep=1)
    for step in (1, 2, 3):
        checkpoints.verify(str(folder / f"i{step}_l5.ckpt"))
    assert checkpoints.read_run(folder).best == "i1_l5.ckpt"
    save(session, folder, 4, best_step=3, max_to_keep=1)
    assert checkpoints.read_run(folder).best == "i3_l5.ckpt" and saved_steps(folder) == [3, 4]


# Failures


def no_space(*args, **kwargs):
    raise OSError(28, "No space left on device")


def check_failed_save(folder, session):
    """Check that a save fails, and leaves the folder as it was."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OSError, match="i2_l5.ckpt could not be saved: No space left on device"):
        save(session, folder, 2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    checkpoints.verify(str(folder / "i1_l5.ckpt"))


def test_a_failure_in_tensorflow_leaves_the_folder_unchanged(folder, session):
    save(session, folder, 1)
    session[1].save = no_space
    check_failed_save(folder, session)


@pytest.mark.parametrize("fails_at", [1, 2, 3, 6])
def test_a_failure_while_moving_leaves_the_folder_unchanged(folder, session, monkeypatch, fails_at):
    """The first replace writes the record in the stage; the others move the four files and the record."""
    save(session, folder, 1)
    usual, calls = os.replace, []

    def replace_or_fail(*args):
        calls.append(args)
        return (no_space if len(calls) == fails_at else usual)(*args)

    monkeypatch.setattr(os, "replace", replace_or_fail)
    check_failed_save(folder, session)
    assert len(calls) >= fails_at


def test_saving_in_a_missing_folder_fails(tmp_path, session):
    with pytest.raises(OSError):
        save(session, tmp_path / "missing", 1)
    assert not (tmp_path / "missing").exists()


def test_leftovers_of_a_killed_save_are_removed(folder):
    (folder / ".saving").mkdir()
    (folder / ".saving" / "i2_l5.ckpt.index").write_bytes(b"half")
    (folder / "run.json.123.tmp").write_bytes(b"half")
    (folder / "mine.tmp").write_bytes(b"mine")
    checkpoints.remove_leftovers(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["mine.tmp", "run.json"]


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"mine"), lambda path: path.symlink_to(path.parent)])
def test_what_is_in_the_place_of_the_stage_is_an_error_at_once(folder, make):
    make(folder / ".saving")
    with pytest.raises(OSError, match="in the place of a folder for incomplete checkpoints: remove it"):
        checkpoints.remove_leftovers(folder)
    assert os.path.lexists(str(folder / ".saving"))


# Progress


STATE_SHAPE = (2, 2, 2, 5)


def test_progress_is_read_as_it_was_saved(folder, session):
    state = np.arange(20, dtype=np.float32).reshape(1, 2, 2, 5)
    saved = Progress(7, state, np.array([1.5, 2.5], np.float32), 5, 1.25, 3, 4)
    prefix = checkpoints.save(*session, folder, 5, saved, RUN)
    found = checkpoints.read_progress(prefix, state.shape)
    for name in (field.name for field in fields(Progress)):
        np.testing.assert_array_equal(getattr(found, name), getattr(saved, name))


def test_the_progress_file_keeps_its_keys(trained):
    with np.load(str(trained / "i173_l5.ckpt.progress.npz")) as arrays:
        assert set(arrays.files) == {"step", "lstm_state", "epoch_losses", "best_step", "best_loss", "worse",
                                      "history_rows"}


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip file at all", None])
def test_damaged_progress_is_refused(run_copy, content):
    path = run_copy / "i173_l5.ckpt.progress.npz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="ckpt cannot be used to resume: its progress cannot be read"):
        checkpoints.read_progress(str(run_copy / "i173_l5.ckpt"), STATE_SHAPE)


@pytest.mark.parametrize("change, message", [
    ({"step": np.inf}, "cannot be read"), ({"worse": np.inf}, "cannot be read"),
    ({"epoch_losses": np.array(["a"])}, "float32"), ({"lstm_state": np.zeros((2, 2, 2, 5), int)}, "float32")])
def test_progress_of_other_types_is_refused(run_copy, change, message):
    path = str(run_copy / "i173_l5.ckpt.progress.npz")
    with np.load(path) as arrays:
        changed = {**arrays, **change}
    np.savez(path, **changed)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.read_progress(str(run_copy / "i173_l5.ckpt"), STATE_SHAPE)


def test_progress_with_a_pickle_is_refused(tmp_path):
    np.savez(str(tmp_path / "i1_l5.ckpt.progress.npz"), step=1, lstm_state=np.array([{}], object))
    with pytest.raises(CheckpointError, match="allow_pickle"):
        checkpoints.read_progress(str(tmp_path / "i1_l5.ckpt"), STATE_SHAPE)


def test_progress_of_another_shape_is_refused(trained):
    with pytest.raises(CheckpointError, match=r"LSTM state has shape \(2, 2, 2, 5\), not \(2, 2, 3, 5\)"):
        checkpoints.read_progress(str(trained / "i173_l5.ckpt"), (2, 2, 3, 5))


def test_progress_of_another_step_is_refused(run_copy):
    prefix = str(run_copy / "i173_l5.ckpt")
    shutil.copy(str(run_copy / "i100_l5.ckpt.progress.npz"), prefix + ".progress.npz")
    with pytest.raises(CheckpointError, match="its progress is that of step 100"):
        checkpoints.read_progress(prefix, STATE_SHAPE)
