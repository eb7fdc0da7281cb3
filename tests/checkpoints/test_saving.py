"""Saving checkpoints, removing old ones, and the lock."""

import contextlib
import functools
import itertools
import math
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import interrupted_at

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact, verify
from charrnn.checkpoints.progress import COLUMNS, Best, Progress, read_history
from charrnn.checkpoints.record import RunRecord
from charrnn.checkpoints.run import RunFolder, remove_leftovers
from charrnn.data import Vocabulary
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.tensorflow import tf

RUN = RunRecord(Hyperparameters(lstm_size=5, num_layers=1, seed=7), Vocabulary("ab"), "name", "f00")
STATE = np.arange(30, dtype=np.float32).reshape(1, 2, 3, 5)
FRESH = Progress(0, STATE, np.zeros(0, np.float32))


@pytest.fixture
def session():
    """A session with one variable."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.zeros(1))
        session.run(tf.global_variables_initializer())
        yield session


@pytest.fixture
def folder(tmp_path):
    """A run folder without checkpoints."""
    record.write_run(tmp_path, RUN)
    return tmp_path


def begun(session, folder):
    """Return the Run of a process that trains in a folder."""
    run = RunFolder(RUN, folder, session)
    run.begin("ab", FRESH, resumes=True, summaries=False)
    return run


def save(session, folder, step, best_step=0, max_to_keep=100):
    """Save a checkpoint as a process does that trains in a folder."""
    with contextlib.closing(begun(session, folder)) as run:
        return save_with(run, step, best_step, max_to_keep)


def save_with(run, step, best_step=0, max_to_keep=100):
    """Save a checkpoint with the Run of a process."""
    hyper = replace(RUN.hyperparameters, max_to_keep=max_to_keep)
    best = f"i{best_step}_l5.ckpt" if best_step else None
    run.record = replace(RUN, hyperparameters=hyper, best=best)
    progress = Progress(step, STATE, np.zeros(step, np.float32), Best(best_step))
    return run.save(progress, {"kernel": np.zeros((5, 9), np.float32)}, print)


def saved_steps(folder):
    """Return the steps of which a file exists; check that TensorFlow's list has the same."""
    numbers = re.findall(r"\bi(\d+)_l5\.ckpt", " ".join(os.listdir(str(folder))))
    steps = sorted(set(map(int, numbers)))

    state = tf.train.get_checkpoint_state(str(folder))
    listed = list(state.all_model_checkpoint_paths)
    assert listed == [str(folder / f"i{step}_l5.ckpt") for step in steps]
    return steps


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".saving"}


# Saving


def test_a_saved_checkpoint_is_intact_and_the_newest(folder, session):
    """Steps are ordered as numbers, and the paths in TensorFlow's list are relative."""
    for step in (9, 10, 100):
        assert save(session, folder, step, best_step=9) == str(folder / f"i{step}_l5.ckpt")

    best = replace(RUN, best="i9_l5.ckpt")
    assert newest_intact(folder) == (str(folder / "i100_l5.ckpt"), best, ())
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "i100_l5.ckpt")
    assert saved_steps(folder) == [9, 10, 100]
    assert "/" not in (folder / "checkpoint").read_text()

    (folder / "i100_l5.ckpt.json").unlink()
    assert record.read_run(folder) == best
    assert not (folder / ".saving").exists()


def test_old_checkpoints_are_removed_but_not_the_best(folder, session):
    """Nor those whose step begins with the same digits. What was the best before is removed."""
    for step in (1, 10, 11, 12, 13):
        save(session, folder, step, best_step=1, max_to_keep=2)
    assert saved_steps(folder) == [1, 12, 13]

    save(session, folder, 14, best_step=14, max_to_keep=1)
    assert saved_steps(folder) == [14]


def test_files_of_the_user_are_kept(folder, session):
    """Also those of a notebook, or of a model that was copied into the folder."""
    save(session, folder, 1)
    names = ["i1_l5.ckpt.notes.json", "i1_l5.ckpt.html", "i1_l5.ckpt.npz.txt", "i1_l5.ckpt.data-1"]
    others = ["run.json.tmp", "mine.tmp", "i0_l5.ckpt.progress.npz"]
    others += [f"i7_l5.ckpt{suffix}" for suffix in record.SUFFIXES]
    for name in [*names, *others]:
        (folder / name).write_bytes(b"mine")
    (folder / "i1_l5.ckpt.folder").mkdir()

    save(session, folder, 2, max_to_keep=1)
    left = {path.name for path in folder.glob("i1_*")}
    assert left == {*names, "i1_l5.ckpt.folder"}
    for name in others:
        assert (folder / name).read_bytes() == b"mine"


def test_damaged_checkpoints_of_later_steps_are_not_counted(folder, session):
    """A run resumed before damaged checkpoints keeps the ones that it saves."""
    for step in (120, 160, 173):
        save(session, folder, step)
    for step in (160, 173):
        (folder / f"i{step}_l5.ckpt.index").write_bytes(b"")
    for step in (125, 130, 135):
        save(session, folder, step, max_to_keep=2)

    newest = newest_intact(folder)
    assert Path(newest.prefix).name == "i135_l5.ckpt"
    assert len(newest.skipped) == 2
    assert tf.train.latest_checkpoint(str(folder)) == newest.prefix
    assert saved_steps(folder) == [130, 135, 160, 173]


def test_a_history_that_is_lost_or_changed_is_written_again(folder, session):
    path = folder / "history.csv"
    header = ",".join(COLUMNS) + "\n"
    row = f"3,1,0.5,{0.5 / math.log(2)},,,,,\n"
    with contextlib.closing(begun(session, folder)) as run:
        path.unlink()
        run.add(3, 1, loss=0.5)
        save_with(run, 1)
        assert path.read_text() == header + row

        path.write_text("mine")
        run.add(3, 1, loss=0.5)
        save_with(run, 2)
        assert path.read_text() == header + row + row


def test_what_is_measured_while_the_folder_is_away_is_written_when_it_is_back(folder, session):
    away = folder.with_name("away")
    with contextlib.closing(begun(session, folder)) as run:
        run.add(3, 1, loss=0.5)
        folder.rename(away)
        run.add(4, 1, val_loss=0.25)
        away.rename(folder)
        run.add(5, 1, loss=0.75)
        save_with(run, 5)

    history = read_history(folder)
    assert history["step"].tolist() == [3, 4, 5]
    assert history["val_loss"][1] == 0.25


def test_the_columns_of_the_history(folder, session):
    begun(session, folder).close()
    header = (
        "step,epoch,loss,bits_per_character,val_loss,val_bits_per_character,learning_rate,gradient_norm,"
        "characters_per_second\n"
    )
    assert (folder / "history.csv").read_text() == header


def test_the_summaries_of_a_resumed_run_go_on_after_its_checkpoint(folder, session):
    """TensorBoard keeps what was written of the steps before."""
    save(session, folder, 2)
    with contextlib.closing(RunFolder(RUN, folder, session)) as run:
        run.begin("ab", FRESH, resumes=True)
        run.add(3, 1, loss=0.5)
    (path,) = (folder / "summaries").iterdir()
    starts = [
        event.step
        for event in tf.train.summary_iterator(str(path))
        if event.session_log.status == tf.SessionLog.START
    ]
    assert starts == [3]


# Failures


@pytest.mark.parametrize("write", [RunFolder.tidy, lambda run: run.add_test_loss(1.5)])
def test_neither_the_list_nor_the_test_loss_is_written_into_the_next_run(folder, session, write):
    """The folder was moved after the checkpoint was saved, and a copy is in its place."""
    with contextlib.closing(begun(session, folder)) as run:
        save_with(run, 1)
        moved = folder.with_name(folder.name + "-moved")
        folder.rename(moved)
        shutil.copytree(str(moved), str(folder))
        (folder / "run.json").unlink()

        before = content_of(folder)
        with pytest.raises(
            OSError,
            match=r"cannot save to .*: since training began, the folder was moved or removed",
        ):
            write(run)
        assert content_of(folder) == before


def no_space(*args, **kwargs):
    raise OSError(28, "No space left on device")


CALLS = [
    (os, "replace"),
    (os, "fsync"),
    (os, "rmdir"),
    (Path, "write_bytes"),
    (Path, "mkdir"),
    (Path, "unlink"),
    (tf.train.Saver, "save"),
]


class FailsAt:
    """In place of a function: a call of a number fails, as on a full disk."""

    def __init__(self, function, number):
        self.calls = 0
        self._function = function
        self._number = number

    def __get__(self, owner, _type=None):
        """Be a method, too, if it stands in a class."""
        return self if owner is None else functools.partial(self, owner)

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.calls == self._number:
            return no_space()
        return self._function(*args, **kwargs)


@pytest.mark.parametrize("owner, name", CALLS, ids=[name for _, name in CALLS])
def test_a_save_that_fails_at_any_call_leaves_the_folder_as_it_was_or_has_saved(
    folder, session, monkeypatch, owner, name
):
    """The next save does what was left."""
    for step in (1, 2):
        save(session, folder, step, max_to_keep=1)
    usual = getattr(owner, name)
    with contextlib.closing(begun(session, folder)) as run:
        for number in itertools.count(1):
            step = number + 2
            before = content_of(folder)
            fails = FailsAt(usual, number)
            failure = ""
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, fails)
                try:
                    save_with(run, step, max_to_keep=1)
                except OSError as error:
                    failure = str(error)

            if failure:
                assert "No space left on device" in failure
            if "could not be saved" in failure:
                assert content_of(folder) == before
                verify(str(folder / f"i{step - 1}_l5.ckpt"))
            else:
                assert newest_intact(folder).prefix.endswith(f"i{step}_l5.ckpt")

            save_with(run, step, max_to_keep=1)
            assert saved_steps(folder) == [step]
            assert not list(folder.glob("*.tmp"))
            assert not (folder / ".saving").exists()

            # It was not called so often.
            if fails.calls < number:
                assert number > 1, f"a save never calls {name}"
                return


@pytest.fixture
def small_disk(folder, session, monkeypatch):
    """A run folder on a disk with room for two checkpoints: i1, the best, and i2, which are there."""
    for step in (1, 2):
        save(session, folder, step, best_step=1)
    usual = tf.train.Saver.save

    def save_if_there_is_room(saver, *args, **kwargs):
        if len(list(folder.glob("*.ckpt.json"))) >= 2:
            no_space()
        return usual(saver, *args, **kwargs)

    monkeypatch.setattr(tf.train.Saver, "save", save_if_there_is_room)
    with contextlib.closing(begun(session, folder)) as run:
        run.record = replace(RUN, best="i1_l5.ckpt")
        yield run


def save_on_small_disk(run, step, best_step):
    """Save a checkpoint; return what the run warns of."""
    warnings = []
    progress = Progress(step, STATE, np.zeros(step, np.float32), Best(best_step))
    run.save(progress, {"kernel": np.zeros((5, 9), np.float32)}, warnings.append)
    return warnings


def test_a_full_disk_takes_neither_the_newest_checkpoint_nor_the_best(folder, small_disk):
    with pytest.raises(OSError, match="could not be saved: No space left on device; free some"):
        save_on_small_disk(small_disk, 3, best_step=1)
    assert saved_steps(folder) == [1, 2]
    for step in (1, 2):
        verify(str(folder / f"i{step}_l5.ckpt"))


def test_on_a_full_disk_a_better_checkpoint_takes_the_place_of_the_best(folder, small_disk):
    warnings = save_on_small_disk(small_disk, 3, best_step=3)
    assert saved_steps(folder) == [2, 3]
    assert record.read_run(folder).best == "i3_l5.ckpt"
    assert warnings == ["i1_l5.ckpt is removed, because the disk is full"]


def test_on_a_full_disk_the_oldest_checkpoint_gives_way(folder, small_disk):
    small_disk.record = replace(RUN, best="i2_l5.ckpt")
    save_on_small_disk(small_disk, 3, best_step=2)
    assert saved_steps(folder) == [2, 3]


def test_a_best_checkpoint_that_gave_way_in_vain_is_no_longer_named(
    folder, small_disk, monkeypatch
):
    """Another program has taken its space."""
    monkeypatch.setattr(tf.train.Saver, "save", no_space)
    with pytest.raises(OSError, match="No space left"):
        save_on_small_disk(small_disk, 3, best_step=3)
    assert record.read_run(folder).best is None
    assert small_disk.saved_progress.best == Best()


def test_a_failure_of_another_kind_takes_no_checkpoint(folder, small_disk, monkeypatch):
    def fails(*args, **kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(tf.train.Saver, "save", fails)
    with pytest.raises(OSError, match=r"could not be saved: Input/output error$"):
        save_on_small_disk(small_disk, 3, best_step=3)
    assert saved_steps(folder) == [1, 2]


def test_what_a_run_that_was_killed_has_left_is_removed_when_it_is_resumed(folder, session):
    left = folder / "run.json.0123456789ab.tmp"
    left.write_text("half")
    begun(session, folder).close()
    assert not left.exists()


def test_a_run_that_has_begun_since_another_was_planned_stays(folder, session):
    """Two processes that start at once, without a name for their runs, plan the same folder."""
    save(session, folder, 1)
    before = content_of(folder)
    with contextlib.closing(RunFolder(RUN, folder, session)) as late:
        with pytest.raises(
            record.CheckpointError, match="holds another run: continue it with resume=True"
        ):
            late.begin("other", FRESH)
    assert content_of(folder) == before


def test_leftovers_of_a_killed_save_are_removed(folder, session, monkeypatch):
    """The kill is at any moment, also while the first files are moved."""
    save(session, folder, 1)
    usual = os.replace
    with contextlib.closing(begun(session, folder)) as run:
        (folder / "run.json.0123456789ab.tmp").write_bytes(b"half")
        # the first two that are moved are the history, and one in the stage
        for n_moved in range(3, len(record.SUFFIXES) + 4):
            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", interrupted_at(usual, n_moved))
                patch.setattr("shutil.rmtree", lambda path: None)
                with pytest.raises(KeyboardInterrupt):
                    save_with(run, 3)
            assert (folder / ".saving").exists()

            remove_leftovers(folder)
            newest = newest_intact(folder)
            assert newest.prefix.endswith("i1_l5.ckpt")
            assert newest.skipped == ()
            assert not list(folder.glob("*.tmp"))
            assert not (folder / ".saving").exists()
        save_with(run, 3)
    assert saved_steps(folder) == [1, 3]
