"""Saving checkpoints, removing old ones, and the lock."""

import contextlib
import itertools
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import interrupted_at

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact, verify
from charrnn.checkpoints.record import RunRecord
from charrnn.checkpoints.run import Progress, Run, remove_leftovers
from charrnn.data import Vocabulary
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.tensorflow import tf

RUN = RunRecord(Hyperparameters(lstm_size=5, num_layers=1, seed=7), Vocabulary("ab"), "name", "f00")
STATE = np.arange(30, dtype=np.float32).reshape(1, 2, 3, 5)
SUFFIXES = (".data-00000-of-00001", ".index", ".meta", ".npz", ".progress.npz")


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
    run = Run(RUN, folder, session)
    run.begin("ab", Progress(0, STATE, np.zeros(0, np.float32)), resumes=True, summaries=False)
    return run


def save(session, folder, step, best_step=0, max_to_keep=100, run=None):
    """Save a checkpoint as a process does that trains in a folder, or with its Run."""
    with (
        contextlib.closing(begun(session, folder)) if run is None else contextlib.nullcontext(run)
    ) as run:
        run.record = replace(
            RUN,
            hyperparameters=replace(RUN.hyperparameters, max_to_keep=max_to_keep),
            best=f"i{best_step}_l5.ckpt" if best_step else None,
        )
        progress = Progress(step, STATE, np.zeros(step, np.float32), best_step)
        return run.save(progress, {"kernel": np.zeros((5, 9), np.float32)}, print)


def saved_steps(folder):
    """Return the steps of which a file exists; check that TensorFlow's list has the same."""
    steps = sorted({int(path.name[1:].split("_")[0]) for path in folder.glob("i*")})
    state = tf.train.get_checkpoint_state(str(folder))
    assert list(state.all_model_checkpoint_paths) == [
        str(folder / f"i{step}_l5.ckpt") for step in steps
    ]
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
    assert saved_steps(folder) == [9, 10, 100] and "/" not in (folder / "checkpoint").read_text()
    (folder / "i100_l5.ckpt.json").unlink()
    assert record.read_run(folder) == best and not (folder / ".saving").exists()


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
    others = [
        "run.json.tmp",
        "mine.tmp",
        "i0_l5.ckpt.progress.npz",
        *(f"i7_l5.ckpt{suffix}" for suffix in SUFFIXES),
    ]
    for name in [*names, *others]:
        (folder / name).write_bytes(b"mine")
    (folder / "i1_l5.ckpt.folder").mkdir()
    save(session, folder, 2, max_to_keep=1)
    assert sorted(path.name for path in folder.glob("i1_*")) == sorted(
        [*names, "i1_l5.ckpt.folder"]
    )
    assert all((folder / name).read_bytes() == b"mine" for name in others)


def test_damaged_checkpoints_of_later_steps_are_not_counted(folder, session):
    """A run resumed before damaged checkpoints keeps the ones that it saves."""
    for step in (120, 160, 173):
        save(session, folder, step)
    for step in (160, 173):
        (folder / f"i{step}_l5.ckpt.index").write_bytes(b"")
    for step in (125, 130, 135):
        save(session, folder, step, max_to_keep=2)
    found = newest_intact(folder)
    assert Path(found.prefix).name == "i135_l5.ckpt" and len(found.skipped) == 2
    assert tf.train.latest_checkpoint(str(folder)) == found.prefix
    assert saved_steps(folder) == [130, 135, 160, 173]


def test_a_history_that_is_lost_or_changed_is_written_again(folder, session):
    head = (
        "step,epoch,loss,bits_per_character,val_loss,val_bits_per_character,learning_rate,gradient_norm,"
        "characters_per_second\n"
    )
    with contextlib.closing(begun(session, folder)) as run:
        for number, lose in enumerate((Path.unlink, lambda path: path.write_text("mine")), 1):
            lose(folder / "history.csv")
            run.add(3, 1, loss=0.5)
            save(session, folder, number, run=run)
            assert (
                folder / "history.csv"
            ).read_text() == head + number * f"3,1,0.5,{0.5 / math.log(2)},,,,,\n"


def test_the_summaries_of_a_resumed_run_go_on_after_its_checkpoint(folder, session):
    """TensorBoard keeps what was written of the steps before."""
    save(session, folder, 2)
    with contextlib.closing(Run(RUN, folder, session)) as run:
        run.begin("ab", Progress(0, STATE, np.zeros(0, np.float32)), resumes=True)
        run.add(3, 1, loss=0.5)
    (path,) = (folder / "summaries").iterdir()
    assert [
        event.step
        for event in tf.train.summary_iterator(str(path))
        if event.session_log.status == tf.SessionLog.START
    ] == [3]


# Failures


@pytest.mark.parametrize("write", [Run.tidy, lambda run: run.add_test_loss(1.5)])
def test_neither_the_list_nor_the_test_loss_is_written_into_the_next_run(folder, session, write):
    """Of a folder that was moved after the checkpoint was saved."""
    with contextlib.closing(begun(session, folder)) as run:
        save(session, folder, 1, run=run)
        moved = folder.with_name(folder.name + "-moved")
        folder.rename(moved)
        shutil.copytree(str(moved), str(folder))
        (folder / "run.json").unlink()
        before = content_of(folder)
        with pytest.raises(
            OSError,
            match="cannot save to .*: since training began, the folder was moved or removed",
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


@pytest.mark.parametrize(
    "owner, name", CALLS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_save_that_fails_at_any_call_leaves_the_folder_as_it_was_or_has_saved(
    folder, session, monkeypatch, owner, name
):
    """And the next save does what was left."""
    for step in (1, 2):
        save(session, folder, step, max_to_keep=1)
    run = begun(session, folder)
    usual = getattr(owner, name)
    for fails_at in itertools.count(1):
        step = fails_at + 2
        before = content_of(folder)
        calls = itertools.count(1)
        with monkeypatch.context() as patch:
            patch.setattr(
                owner,
                name,
                lambda *args, calls=calls, at=fails_at, **named: (
                    no_space if next(calls) == at else usual
                )(*args, **named),
            )
            try:
                save(session, folder, step, max_to_keep=1, run=run)
            except OSError as error:
                assert "No space left on device" in str(error)
                if "could not be saved" in str(error):
                    assert content_of(folder) == before
                    verify(str(folder / f"i{step - 1}_l5.ckpt"))
                else:
                    assert newest_intact(folder).prefix.endswith(f"i{step}_l5.ckpt")
        save(session, folder, step, max_to_keep=1, run=run)
        assert (
            saved_steps(folder) == [step]
            and not list(folder.glob("*.tmp"))
            and not (folder / ".saving").exists()
        )
        if next(calls) <= fails_at:
            run.close()
            return  # it was not called so often


def test_a_run_that_has_begun_since_another_was_planned_stays(folder, session):
    """As if two processes had started at once, without a name for their runs."""
    save(session, folder, 1)
    before = content_of(folder)
    with contextlib.closing(Run(RUN, folder, session)) as late:
        with pytest.raises(
            record.CheckpointError, match="holds another run: continue it with resume=True"
        ):
            late.begin("other", Progress(0, STATE, np.zeros(0, np.float32)))
    assert content_of(folder) == before


def test_leftovers_of_a_killed_save_are_removed(folder, session, monkeypatch):
    """After a kill at any moment, of its first files as well."""
    save(session, folder, 1)
    usual = os.replace
    run = begun(session, folder)
    (folder / "run.json.0123456789ab.tmp").write_bytes(b"half")
    for moved in range(1, len(SUFFIXES) + 2):  # the first two are the history, and one in the stage
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "replace", interrupted_at(usual, moved + 2))
            patch.setattr("shutil.rmtree", lambda path: None)
            save(session, folder, 3, run=run)
        assert (folder / ".saving").exists()
        remove_leftovers(folder)
        assert (
            newest_intact(folder).prefix.endswith("i1_l5.ckpt")
            and newest_intact(folder).skipped == ()
        )
        assert not list(folder.glob("*.tmp")) and not (folder / ".saving").exists()
    save(session, folder, 3, run=run)
    run.close()
    assert saved_steps(folder) == [1, 3]
