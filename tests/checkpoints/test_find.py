"""Listing, verifying and opening the checkpoints of a run folder."""
import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import CHARS, SMALL_FLAGS, process_environment

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, NoCheckpointError, find
from charrnn.data import Vocabulary
from charrnn.system import files

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"  # the trained run has 1,040 // (2 x 3) = 173 windows


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    """Change one bit in the middle of a file. Its size stays the same."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def forget_run(folder):
    """Remove run.json, and the copies of it in records, as in a folder of an older version or of the notebook."""
    (folder / "run.json").unlink()
    for name in (OLDER, NEWEST):
        path = folder / (name + ".json")
        record = json.loads(path.read_text())
        del record["run"]
        path.write_text(json.dumps(record))


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
    forget_run(run_copy)
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


def test_another_vocabulary_than_the_recorded_one_is_refused(trained):
    """Also one of the same size, with which the model would write other characters."""
    vocabulary = Vocabulary(CHARS)
    assert checkpoints.open_checkpoint(trained, vocabulary).vocabulary == vocabulary
    for chars in ("ab", CHARS[:-1] + "u"):
        with pytest.raises(CheckpointError, match=f"its vocabulary of 14 .* of {len(chars)} differs .*--vocab-from"):
            checkpoints.open_checkpoint(trained, Vocabulary(chars))


def test_a_vocabulary_of_another_size_is_refused(run_copy):
    forget_run(run_copy)
    with pytest.raises(CheckpointError, match="14 distinct characters, but the given vocabulary has 2"):
        checkpoints.open_checkpoint(run_copy, Vocabulary("ab"))


@pytest.mark.parametrize("suffix", [".json", ".index"])
def test_a_file_next_to_a_run_folder_is_not_a_checkpoint(run_copy, suffix):
    Path(f"{run_copy}{suffix}").write_bytes(b"{}")
    assert checkpoints.open_checkpoint(run_copy).prefix == checkpoints.newest_intact(run_copy)[0]


def test_a_checkpoint_without_a_run_file_needs_a_vocabulary(run_copy):
    forget_run(run_copy)
    with pytest.raises(CheckpointError, match="no run.json next to it .*--vocab-from"):
        checkpoints.open_checkpoint(run_copy)
    vocabulary = Vocabulary("\n ,.acdehmnost")
    assert checkpoints.open_checkpoint(run_copy, vocabulary).vocabulary is vocabulary


def test_a_notebooks_checkpoint_without_its_index_is_refused(run_copy):
    forget_run(run_copy)
    (run_copy / f"{NEWEST}.index").unlink()
    with pytest.raises(CheckpointError, match=f"{NEWEST}.index is missing"):
        checkpoints.verify(str(run_copy / NEWEST))


def test_run_of(run_copy):
    assert checkpoints.run_of(str(run_copy / NEWEST)) == checkpoints.read_run(run_copy)
    forget_run(run_copy)
    assert checkpoints.run_of(str(run_copy / NEWEST)) is None


# Files that cannot be read


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001", ".meta", ".progress.npz", ".json"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_read_error_of_the_newest_is_named_and_the_older_one_is_opened(run_copy, monkeypatch, suffix, number):
    def failing(usual):
        def read(path):
            if Path(path).name == NEWEST + suffix:
                raise OSError(number, os.strerror(number), str(path))
            return usual(path)
        return read

    monkeypatch.setattr(find, "file_sha256", failing(find.file_sha256))
    monkeypatch.setattr(files, "read", failing(files.read))
    found = checkpoints.open_checkpoint(run_copy)
    assert found.prefix == str(run_copy / OLDER) and len(found.skipped) == 1
    assert NEWEST + suffix in found.skipped[0] and os.strerror(number) in found.skipped[0]


@pytest.mark.parametrize("name", [NEWEST + ".index", NEWEST + ".json", "run.json", "checkpoint"])
def test_a_fifo_in_place_of_a_file_is_not_read(run_copy, name):
    """Whoever reads it waits for a writer."""
    (run_copy / name).unlink()
    os.mkfifo(str(run_copy / name))
    code = "import sys; from charrnn import checkpoints; print(checkpoints.open_checkpoint(sys.argv[1]).skipped)"
    done = subprocess.run([sys.executable, "-c", code, str(run_copy)], stdout=subprocess.PIPE, timeout=600, check=True,
                          env=process_environment())
    assert (name.encode() in done.stdout) == (name != "checkpoint")


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(run_copy, monkeypatch):
    def fail(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(CheckpointError, match="the folder .* cannot be read: Permission denied") as raised:
        checkpoints.list_checkpoints(run_copy)
    assert not isinstance(raised.value, NoCheckpointError)


# The copy of run.json


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"format": 99}'])
def test_the_copy_stands_for_a_run_file_that_is_lost_or_damaged(run_copy, content):
    before = checkpoints.read_run(run_copy)
    (run_copy / "run.json").unlink()
    if content is not None:
        (run_copy / "run.json").write_bytes(content)
    assert checkpoints.read_run(run_copy) == before
    found = checkpoints.open_checkpoint(run_copy)
    assert found.prefix == str(run_copy / NEWEST) and found.run == before
    kind = "missing" if content is None else "damaged"
    assert found.skipped == (f"{run_copy / 'run.json'} is {kind}, so its copy in {NEWEST}.json is used",)


def test_a_copy_that_does_not_have_its_fingerprint_is_not_used(run_copy):
    """Then that of an older record is."""
    (run_copy / "run.json").unlink()
    path = run_copy / (NEWEST + ".json")
    path.write_text(path.read_text().replace("\\n ,.acd", "\\n ,.acx", 1))
    found = checkpoints.open_checkpoint(run_copy)
    assert "".join(found.vocabulary.chars) == "\n ,.acdehmnost" and f"its copy in {OLDER}.json" in found.skipped[0]


def test_records_without_a_copy_are_used_with_the_run_file(run_copy):
    content = (run_copy / "run.json").read_bytes()
    forget_run(run_copy)
    (run_copy / "run.json").write_bytes(content)
    assert checkpoints.open_checkpoint(run_copy).prefix == str(run_copy / NEWEST)
    (run_copy / "run.json").write_bytes(b"{")
    with pytest.raises(CheckpointError, match="run.json is damaged"):
        checkpoints.open_checkpoint(run_copy)


# Beside a training


@pytest.mark.parametrize("function", ["verify", "network_sizes", "read_weights"])
def test_a_checkpoint_that_is_removed_while_it_is_opened(run_copy, monkeypatch, function):
    """The next one is opened, and nothing is said of the one that has gone."""
    usual = getattr(find, function)

    def removing(prefix):
        if prefix.endswith(NEWEST) and Path(prefix + ".json").exists():
            (run_copy / "checkpoint").write_text(f'all_model_checkpoint_paths: "{OLDER}"\n')
            for path in run_copy.glob(f"{NEWEST}.*"):
                path.unlink()
        return usual(prefix)

    monkeypatch.setattr(find, function, removing)
    found = checkpoints.open_checkpoint(run_copy)
    assert (found.prefix, found.skipped) == (str(run_copy / OLDER), ()) and found.weights


@pytest.mark.slow
def test_checkpoints_are_opened_beside_a_training_that_saves_and_removes_them(text_file, tmp_path):
    folder, opened = tmp_path / "run", []
    training = subprocess.Popen(
        [sys.executable, "-m", "charrnn.train", str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(folder),
         "--epochs", "100000", "--save-every-n", "1", "--max-to-keep", "1", "--val-fraction", "0.2",
         "--sample-length", "0"], stdout=subprocess.DEVNULL, env=process_environment())
    try:
        while len(opened) < 300 and training.poll() is None:
            try:
                found = checkpoints.open_checkpoint(folder, best=len(opened) % 3 == 0)
            except CheckpointError:
                assert not opened  # it had no checkpoint yet
                continue
            assert found.weights and not found.skipped
            opened.append(found.prefix)
    finally:
        training.kill()
        training.wait()
    assert len(opened) == 300 and len(set(opened)) > 3


def test_a_file_that_is_no_checkpoint_is_not_said_to_be_missing(tmp_path):
    (tmp_path / "model.npz").write_bytes(b"")
    with pytest.raises(CheckpointError, match="model.npz is neither a run folder nor a checkpoint"):
        checkpoints.open_checkpoint(tmp_path / "model.npz")


def test_the_best_of_a_checkpoint_is_an_error(trained):
    for path in (trained / "i100_l5.ckpt", trained / "i100_l5.ckpt.index"):
        with pytest.raises(CheckpointError, match="--best needs the folder of a run, and .* is no folder"):
            checkpoints.open_checkpoint(path, best=True)


def test_an_empty_path_is_not_this_folder():
    for function in (checkpoints.open_checkpoint, checkpoints.check_unused):
        with pytest.raises(CheckpointError, match="is empty"):
            function("")
