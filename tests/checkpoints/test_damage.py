"""Damaged run folders: a checkpoint is opened as it was saved, or refused in one line."""
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import TEXT
from conftest import resume as resume_run

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError
from charrnn.checkpoints.record import read_signed, signed
from charrnn.engines.model import open_model

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"
OF_NEWEST = [NEWEST + end for end in (".index", ".data-00000-of-00001", ".meta", ".npz", ".progress.npz", ".json")]


@pytest.fixture(scope="module")
def saved(trained):
    """By name, the model and the progress in the checkpoints of the trained run."""
    return {name: (model_of(open_model(trained / name)), progress_of(trained / name)) for name in (OLDER, NEWEST)}


def model_of(model):
    return [model.vocabulary.chars, *((name, values.tobytes()) for name, values in model.weights.items())]


def progress_of(prefix):
    progress = asdict(checkpoints.read_progress(str(prefix)))
    return [(name, np.asarray(value).tobytes()) for name, value in progress.items()]


def check(run, saved):
    """Open a damaged run for sampling and for resuming; return the names of the checkpoints or "refused"."""
    opened = []
    for function in (lambda: open_model(run), lambda: checkpoints.newest_intact(run)):
        try:
            found = function()
        except CheckpointError as error:
            assert len(str(error).splitlines()) == 1
            opened.append("refused")
            continue
        name = Path(getattr(found, "prefix", "") or found.name).name
        assert (progress_of(run / name) if hasattr(found, "prefix") else model_of(found)) in saved[name]
        assert all(NEWEST in line and len(line.splitlines()) == 1 for line in found.skipped)
        assert (name == OLDER) == bool(found.skipped) or NEWEST not in (run / "checkpoint").read_text("latin-1")
        opened.append(name)
    return opened


def damage(path, kind):
    """Damage a file of the newest checkpoint, or of the run."""
    content, middle = path.read_bytes(), path.stat().st_size // 2
    path.unlink()
    if kind == "a folder":
        path.mkdir()
    elif kind == "a FIFO":  # whoever reads it waits for a writer
        os.mkfifo(str(path))
    elif kind == "the older one's":
        shutil.copyfile(str(path).replace(NEWEST, OLDER), str(path))
    elif kind != "missing":
        flipped = content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1:]
        path.write_bytes({"empty": b"", "half": content[:middle], "a bit": flipped, "longer": content + b"\0",
                          "zeros": bytes(len(content))}[kind])


KINDS = ("missing", "empty", "half", "a bit", "longer", "zeros", "a folder", "a FIFO", "the older one's")


@pytest.mark.parametrize("name, kind", [(name, kind) for name in OF_NEWEST for kind in KINDS
                                        # the graphs in both are the same, and spaces at the end change no record
                                        if (name, kind) != (NEWEST + ".meta", "the older one's")])
def test_the_older_checkpoint_is_opened_whichever_file_of_the_newest_is_damaged(run_copy, saved, name, kind):
    """Sampling reads the weights and the record only, so it does not mind the other files."""
    damage(run_copy / name, kind)
    assert check(run_copy, saved) == [OLDER if name.endswith((".ckpt.npz", ".json")) else NEWEST, OLDER]


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 9))])
def test_random_bits(run_copy, saved, block):
    """Of any file. Where it is one of the run or the list, the newest checkpoint is opened."""
    names = [*OF_NEWEST, "run.json", "text.txt", "checkpoint", "history.csv"]
    before = checkpoints.read_run(run_copy)
    for number in range(60):
        random = np.random.RandomState([block, number])
        path = run_copy / names[number % len(names)]
        content = path.read_bytes()
        damaged = bytearray(content)
        for place in random.randint(8 * len(content), size=random.choice([1, 1, 2, 50])):
            damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        opened, read = check(run_copy, saved), checkpoints.read_run(run_copy)
        if path.name in OF_NEWEST and bytes(damaged) != content and path.suffix != ".json":  # spaces of it may differ
            assert opened[1] == OLDER, (block, number)
        assert "refused" not in opened and read == before, (block, number)
        path.write_bytes(content)


# Resuming


def resume(run, capfd, *flags):
    """Resume a run whose last epoch is complete; return the status, the output and the lines on standard error."""
    capfd.readouterr()
    status = resume_run(run, *flags)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return status, out, err.splitlines()


def check_refused(run, capfd, message):
    before = {path: path.read_bytes() for path in run.glob("*.ckpt.*")}
    status, _, err = resume(run, capfd)
    assert status == 2 and len(err) == 1 and err[0].startswith("charrnn-train: error: ") and message in err[0], err
    assert {path: path.read_bytes() for path in run.glob("*.ckpt.*")} == before


def test_a_run_without_any_record_is_refused(run_copy, capfd):
    """It must not count as a run without checkpoints, which would start again and overwrite them."""
    for name in (OLDER, NEWEST):
        (run_copy / (name + ".json")).unlink()
    check_refused(run_copy, capfd, "there is no intact checkpoint in")


@pytest.mark.parametrize("kind", ["missing", "half"])
@pytest.mark.parametrize("name", ["run.json", "history.csv", "checkpoint"])
def test_a_file_that_resuming_does_not_need_is_made_anew(trained, run_copy, saved, capfd, name, kind):
    damage(run_copy / name, kind)
    status, out, err = resume(run_copy, capfd)
    assert (status, err) == (0, []) and "resumed  after step 173, 0 to go" in out
    assert (run_copy / name).read_bytes() == (trained / name).read_bytes() and check(run_copy, saved) == 2 * [NEWEST]


@pytest.mark.parametrize("kind, message", [("missing", "cannot be read"), ("a bit", "has changed")])
def test_a_run_whose_text_is_lost_or_changed_resumes_with_the_original(trained, run_copy, capfd, kind, message):
    damage(run_copy / "text.txt", kind)
    check_refused(run_copy, capfd, f"text.txt, {message}")
    assert resume(run_copy, capfd, str(trained.parent / "small.txt"))[0] == 0
    assert (run_copy / "text.txt").read_text() == TEXT


def test_training_repeats_what_a_damaged_checkpoint_has_lost(run_copy, saved, capfd):
    """And what a kill has left undone when the record was moved is done."""
    damage(run_copy / (NEWEST + ".progress.npz"), "half")
    (run_copy / "checkpoint").unlink()
    status, out, _ = resume(run_copy, capfd, "--max-to-keep", "1")
    assert status == 0 and "resumed  after step 100" in out and out.count("skipped  ") == 1
    assert model_of(open_model(run_copy)) == saved[NEWEST][0] and not (run_copy / f"{OLDER}.index").exists()


@pytest.mark.parametrize("name, value", [
    ("num_layers", 100000), ("lstm_size", 100000), ("batch_size", 10 ** 18), ("num_steps", [3]), ("epochs", "1"),
    ("seed", -1), ("cell", ["lstm"]), ("learning_rate", None), ("extra\n", 1), ("max_to_keep", 10 ** 400)])
def test_a_crafted_record_is_refused_in_a_line(run_copy, capfd, name, value):
    """Or skipped. No time or memory is spent on a network that its weights do not have."""
    for path in [run_copy / f"{NEWEST}.json", run_copy / f"{OLDER}.json"]:
        record = read_signed(path)
        record["run"]["hyperparameters"][name] = value
        path.write_bytes(signed(record))
    check_refused(run_copy, capfd, "")
