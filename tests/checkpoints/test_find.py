"""Listing, verifying and opening the checkpoints of a run folder."""
import json
from dataclasses import replace

import pytest

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, NoCheckpointError
from charrnn.data import Vocabulary

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"  # the trained run has 1,040 // (2 x 3) = 173 windows


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    """Change one bit in the middle of a file. Its size stays the same."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


# Listing


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\xff\xfe"])
def test_without_tensorflows_list_checkpoints_are_found_by_their_names(run_copy, content):
    (run_copy / "checkpoint").unlink()
    if content is not None:
        (run_copy / "checkpoint").write_bytes(content)
    assert checkpoints.list_checkpoints(run_copy) == [str(run_copy / name) for name in (OLDER, NEWEST)]


def write_foreign_list(folder):
    """Write a list of checkpoints in another folder, the newest first."""
    (folder / "checkpoint").write_text("".join(
        f'all_model_checkpoint_paths: "{name}"\n' for name in [f"/somewhere/else/{NEWEST}", OLDER]))


def test_the_order_of_a_runs_checkpoints_is_that_of_their_steps(run_copy):
    write_foreign_list(run_copy)
    assert checkpoints.list_checkpoints(run_copy) == [str(run_copy / OLDER), str(run_copy / NEWEST)]


def test_the_order_of_a_notebooks_checkpoints_is_that_of_its_list(run_copy):
    """Only the names in the list count, because the folder may have been moved."""
    write_foreign_list(run_copy)
    (run_copy / "run.json").unlink()
    assert checkpoints.list_checkpoints(run_copy) == [str(run_copy / NEWEST), str(run_copy / OLDER)]


# Verifying


@pytest.mark.parametrize("damage, message", [
    (lambda path: path.unlink(), f"is incomplete: {NEWEST}.index is missing"),
    (cut, f"is damaged: {NEWEST}.index has changed since it was saved"),
    (flip, f"is damaged: {NEWEST}.index has changed since it was saved")])
def test_a_damaged_newest_checkpoint_is_skipped(run_copy, damage, message):
    damage(run_copy / f"{NEWEST}.index")
    found = checkpoints.open_checkpoint(run_copy)
    assert (found.prefix, found.skipped) == (str(run_copy / OLDER), (f"{run_copy / NEWEST} {message}",))
    assert checkpoints.newest_intact(run_copy) == (found.prefix, list(found.skipped))


def test_a_damaged_checkpoint_named_by_its_prefix_is_refused(run_copy):
    cut(run_copy / f"{NEWEST}.meta")
    with pytest.raises(CheckpointError, match=f"is damaged: {NEWEST}.meta has changed since it was saved"):
        checkpoints.open_checkpoint(run_copy / NEWEST)


def test_is_intact(run_copy):
    cut(run_copy / f"{NEWEST}.meta")
    intact = [checkpoints.is_intact(run_copy, name) for name in (OLDER, NEWEST, "i7_l5.ckpt")]
    assert intact == [True, False, False]


@pytest.mark.parametrize("opening", [checkpoints.open_checkpoint, checkpoints.newest_intact])
def test_a_folder_without_an_intact_checkpoint_is_refused(run_copy, opening):
    for name in (OLDER, NEWEST):
        cut(run_copy / f"{name}.index")
    with pytest.raises(CheckpointError, match="no intact checkpoint in .*i173.* has changed .*; .*i100") as error:
        opening(run_copy)
    assert not isinstance(error.value, NoCheckpointError)


def test_a_checkpoint_without_its_record_is_incomplete(run_copy):
    """The record is written last: without it the save was interrupted, or the record was lost."""
    (run_copy / f"{NEWEST}.json").unlink()
    prefix, skipped = checkpoints.newest_intact(run_copy)
    assert prefix == str(run_copy / OLDER)
    assert skipped == [f"{run_copy / NEWEST} is incomplete: its record {NEWEST}.json cannot be read "
                       "(No such file or directory)"]
    with pytest.raises(CheckpointError, match=f"is incomplete: its record {NEWEST}.json"):
        checkpoints.open_checkpoint(run_copy / NEWEST)


def test_a_checkpoint_neither_recorded_nor_listed_does_not_exist(run_copy):
    (run_copy / "checkpoint").unlink()
    (run_copy / f"{NEWEST}.json").unlink()
    assert checkpoints.list_checkpoints(run_copy) == [str(run_copy / OLDER)]
    (run_copy / f"{OLDER}.json").unlink()
    with pytest.raises(NoCheckpointError):
        checkpoints.newest_intact(run_copy)


@pytest.mark.parametrize("content", [
    b"", b"{", b"[" * 100000, b"\xff", b"[]", b'{"format": 1}', b'{"format": 2, "run_sha256": "", "files": {}}',
    b'{"format": 1, "run_sha256": "", "files": {}}', b'{"format": 1, "run_sha256": "", "files": []}'],
    ids=lambda content: repr(content[:50]))
def test_a_damaged_record_is_refused(run_copy, content):
    (run_copy / f"{NEWEST}.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"is damaged: its record {NEWEST}.json is invalid"):
        checkpoints.verify(str(run_copy / NEWEST))


@pytest.mark.parametrize("change", [
    lambda files: files.pop(f"{NEWEST}.index"),
    lambda files: files.update({"../run/run.json": files[f"{NEWEST}.meta"]})])
def test_a_record_of_other_files_is_refused(run_copy, change):
    path = run_copy / f"{NEWEST}.json"
    record = json.loads(path.read_text())
    change(record["files"])
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="its record .* is invalid"):
        checkpoints.verify(str(run_copy / NEWEST))


def test_a_checkpoint_of_another_vocabulary_is_refused(run_copy):
    """With a vocabulary of the same size but other characters, the generated text would be wrong."""
    run = checkpoints.read_run(run_copy)
    checkpoints.write_run(run_copy, replace(run, vocabulary=Vocabulary((*run.vocabulary.chars[:-1], "z"))))
    with pytest.raises(CheckpointError, match="not match the vocabulary, text and hyperparameters in .*run.json"):
        checkpoints.open_checkpoint(run_copy / NEWEST)


# Opening


def test_a_run_folder_can_be_moved(run_copy, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "renamed"
    run_copy.rename(moved)
    found = checkpoints.open_checkpoint(moved)
    assert found.prefix == found.name == str(moved / NEWEST)
    assert (found.lstm_size, found.num_layers, len(found.vocabulary)) == (5, 2, 14)


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001", ".progress.npz", ".json"])
def test_a_checkpoint_can_be_named_by_any_of_its_files(trained, suffix):
    assert checkpoints.open_checkpoint(f"{trained / OLDER}{suffix}").prefix == str(trained / OLDER)


@pytest.mark.parametrize("name", [".", "missing", "i5_l5.ckpt"])
def test_nothing_to_open(tmp_path, name):
    with pytest.raises(CheckpointError, match="there is no"):
        checkpoints.open_checkpoint(tmp_path / name)


def test_the_best_checkpoint(run_copy):
    checkpoints.write_run(run_copy, replace(checkpoints.read_run(run_copy), best=OLDER))
    assert checkpoints.open_checkpoint(run_copy, best=True).prefix == str(run_copy / OLDER)


def test_a_run_without_a_best_checkpoint(run_copy):
    with pytest.raises(CheckpointError, match="has no best checkpoint: it was trained without --val-fraction"):
        checkpoints.open_checkpoint(run_copy, best=True)


def test_a_damaged_best_checkpoint_is_refused(run_copy):
    checkpoints.write_run(run_copy, replace(checkpoints.read_run(run_copy), best=OLDER))
    cut(run_copy / f"{OLDER}.meta")
    with pytest.raises(CheckpointError, match=f"{OLDER} is damaged"):
        checkpoints.open_checkpoint(run_copy, best=True)


def test_a_vocabulary_of_another_size_is_refused(trained):
    with pytest.raises(CheckpointError, match="14 distinct characters, but the given vocabulary has 2"):
        checkpoints.open_checkpoint(trained, Vocabulary("ab"))


def test_a_checkpoint_without_a_run_file_needs_a_vocabulary(run_copy):
    (run_copy / "run.json").unlink()
    with pytest.raises(CheckpointError, match="no run.json next to it .*--vocab-from"):
        checkpoints.open_checkpoint(run_copy)
    vocabulary = Vocabulary("\n ,.acdehmnost")
    assert checkpoints.open_checkpoint(run_copy, vocabulary).vocabulary is vocabulary


def test_a_notebooks_checkpoint_without_its_index_is_refused(run_copy):
    (run_copy / "run.json").unlink()
    (run_copy / f"{NEWEST}.index").unlink()
    with pytest.raises(CheckpointError, match=f"{NEWEST}.index is missing"):
        checkpoints.verify(str(run_copy / NEWEST))


def test_run_of(run_copy):
    assert checkpoints.run_of(str(run_copy / NEWEST)) == checkpoints.read_run(run_copy)
    (run_copy / "run.json").unlink()
    assert checkpoints.run_of(str(run_copy / NEWEST)) is None
