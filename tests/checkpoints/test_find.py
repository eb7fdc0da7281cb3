"""Finding and verifying the checkpoints of a folder."""
import errno
import os
import re

import pytest
from conftest import copy_without_records

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, find, list_checkpoints, newest_intact
from charrnn.checkpoints.record import read_signed, signed
from charrnn.engines.model import open_model
from charrnn.system import files

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"  # the trained run has 1,040 // (2 x 3) = 173 windows


def change_record(path, change):
    """Change a record, with the checksum that fits, as somebody who crafts one would."""
    record = read_signed(path)
    change(record)
    path.write_bytes(signed(record))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


# Listing


@pytest.mark.parametrize("content", [
    None, b"", b"garbage", b"\xff\xfe", f'all_model_checkpoint_paths: "/else/{NEWEST}"\n'
    f'all_model_checkpoint_paths: "../{OLDER}"\nall_model_checkpoint_paths: "other"\n'.encode()])
def test_a_runs_checkpoints_are_ordered_by_step_whatever_tensorflows_list_has(run_copy, content):
    (run_copy / "checkpoint").unlink()
    if content is not None:
        (run_copy / "checkpoint").write_bytes(content)
    assert list_checkpoints(run_copy) == [str(run_copy / name) for name in (OLDER, NEWEST)]


@pytest.mark.parametrize("start", ["", "/somewhere/else/", "C:\\\\else\\\\"])
def test_a_notebooks_checkpoints_are_ordered_as_in_its_list(trained, tmp_path, start):
    """Only the names count, because the folder may have been moved since."""
    folder = copy_without_records(trained, tmp_path / "moved")
    (folder / "checkpoint").write_text("".join(
        f'all_model_checkpoint_paths: "{start}{name}"\n' for name in (NEWEST, OLDER)))
    assert list_checkpoints(folder) == [str(folder / NEWEST), str(folder / OLDER)]
    (folder / "checkpoint").unlink()
    assert list_checkpoints(folder) == [str(folder / OLDER), str(folder / NEWEST)]


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(run_copy, monkeypatch):
    def fail(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(PermissionError):
        list_checkpoints(run_copy)


# Verifying


@pytest.mark.parametrize("damage, message", [
    (lambda path: path.unlink(), f"is damaged: {NEWEST}.index cannot be read (No such file or directory)"),
    (cut, f"is damaged: {NEWEST}.index has changed since it was saved")])
def test_a_damaged_newest_checkpoint_is_skipped_and_refused_by_name(run_copy, damage, message):
    damage(run_copy / f"{NEWEST}.index")
    skipped = (f"{run_copy / NEWEST} {message}",)
    assert find(run_copy) == (str(run_copy / OLDER), checkpoints.read_run(run_copy), skipped)
    with pytest.raises(CheckpointError, match=re.escape(message)):
        find(run_copy / NEWEST)
    assert [checkpoints.is_intact(run_copy, name) for name in (OLDER, NEWEST, "i7_l5.ckpt")] == [True, False, False]


@pytest.mark.parametrize("change", [
    lambda record: record.clear(), lambda record: record.pop("run"), lambda record: record.update(run=[]),
    lambda record: record["run"].pop("vocabulary"), lambda record: record["run"]["hyperparameters"].pop("seed"),
    lambda record: record.pop("files"), lambda record: record.update(files=[]),
    *(lambda record, value=value: record["files"].update({".npz": value}) for value in (7, [], [1], [1, 2, 3], "ab")),
    lambda record: record.update(name=OLDER), lambda record: record.update(name=["a\nb"]),
    lambda record: record["files"].update({".x": [1, "f00"]}),
    *(lambda record, name=name, value=value: record["run"]["hyperparameters"].update({name: value})
      for name in ("num_layers", "lstm_size") for value in (100000, 10 ** 4000, "5", [0], None, 1e308))])
def test_a_crafted_record_is_refused_in_a_line_although_its_checksum_fits(run_copy, change):
    change_record(run_copy / f"{NEWEST}.json", change)
    found = find(run_copy)
    assert found.prefix == str(run_copy / OLDER) and found.run == checkpoints.read_run(run_copy)
    assert len(found.skipped) == 1 and "\n" not in found.skipped[0] and len(found.skipped[0]) < 500


# What a path refers to


def test_a_run_folder_can_be_moved(run_copy, tmp_path):
    moved = tmp_path / "renamed"
    run_copy.rename(moved)
    found = find(moved)
    assert (found.prefix, found.run.folder, found.skipped) == (str(moved / NEWEST), str(moved), ())


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001", ".npz", ".progress.npz", ".json"])
def test_a_checkpoint_can_be_named_by_any_of_its_files(trained, suffix):
    assert find(f"{trained / OLDER}{suffix}").prefix == str(trained / OLDER)


@pytest.mark.parametrize("name, message", [
    (".", "there is no checkpoint in"), ("missing", "there is no file or folder"), ("i5_l5.ckpt", "there is no"),
    ("file", "file is neither a run folder nor a checkpoint")])
def test_nothing_to_find(tmp_path, name, message):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match=message):
        find(tmp_path / name)


def test_the_best_checkpoint(run_copy):
    with pytest.raises(CheckpointError, match="has no best checkpoint: it was trained without --val-fraction"):
        find(run_copy, best=True)
    change_record(run_copy / f"{NEWEST}.json", lambda record: record["run"].update(best=OLDER))
    assert find(run_copy, best=True).prefix == str(run_copy / OLDER)
    cut(run_copy / f"{OLDER}.meta")
    with pytest.raises(CheckpointError, match=f"{OLDER} is damaged"):
        find(run_copy, best=True)
    with pytest.raises(CheckpointError, match="--best needs the folder of a run, and .* is no folder"):
        find(run_copy / OLDER, best=True)


def test_a_run_is_known_by_its_run_file_where_its_records_are_lost_or_damaged(run_copy):
    before = checkpoints.read_run(run_copy)
    (run_copy / f"{OLDER}.json").unlink()
    (run_copy / f"{NEWEST}.json").write_bytes(b"{")
    assert checkpoints.read_run(run_copy) == before


def test_a_notebooks_checkpoint_without_its_index_is_refused(trained, tmp_path):
    folder = copy_without_records(trained, tmp_path / "notebook")
    assert newest_intact(folder) == (str(folder / NEWEST), None, ())
    (folder / f"{NEWEST}.index").unlink()
    assert newest_intact(folder).skipped == (f"{folder / NEWEST}.index is missing",)


# Beside a training


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_checkpoint_that_is_removed_while_it_is_opened(run_copy, monkeypatch, suffix):
    """The next one is opened, and nothing is said of the one that has gone."""
    usual = files.read

    def read(path):
        if str(path).endswith(NEWEST + suffix):
            (run_copy / "checkpoint").write_text(f'all_model_checkpoint_paths: "{OLDER}"\n')
            for each in run_copy.glob(f"{NEWEST}.*"):
                each.unlink()
        return usual(path)

    monkeypatch.setattr(files, "read", read)
    model = open_model(run_copy)
    assert (model.name, model.skipped) == (str(run_copy / OLDER), ())
