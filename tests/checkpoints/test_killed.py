"""Training that is killed, and a full disk."""

import contextlib
import gc
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from conftest import (
    SMALL_FLAGS,
    TEXT,
    assert_same_run,
    called_after_steps,
    process_environment,
    resume,
)

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import train
from charrnn.engines.opening import open_model

# With dropout, evaluations between checkpoints, and a best checkpoint that is seldom the newest.
OFTEN = (
    "--num-steps 3 --keep-prob 0.5 --learning-rate 0.03 --val-fraction 0.1 --eval-every-n 7 "
    "--epochs 2 --save-every-n 10 --max-to-keep 2 --print-every-n 5"
)
FLAGS = [*SMALL_FLAGS, *OFTEN.split()]
KILLS = int(os.environ.get("CHARRNN_KILLS", 2))  # with each set of flags


def write_text(path, length=306):
    """Write a text of which 276 characters are trained on: 46 steps in an epoch."""
    path.write_text(TEXT[:length], encoding="utf-8")
    return path


# Killed


def assert_can_be_opened(folder):
    """Check that the newest checkpoint of a run is intact, and that the best one is if there is one."""
    try:
        newest = newest_intact(folder)
    except record.NoCheckpointError:
        return  # It was killed before the first one.
    assert newest.skipped == ()
    assert open_model(folder).skipped == ()
    # A checkpoint that is the best is in place a moment before run.json names it.
    if record.read_run(folder).best:
        open_model(folder, best=True)


def wait(process, condition):
    """Wait until a condition holds or a process ends."""
    while process.poll() is None and not condition():
        time.sleep(0.0005)


def is_killed(folder, log, rng, text, flags):
    """Start or resume a run and kill it, every other time while it saves; return False if it ended before."""
    arguments = [str(text), *FLAGS, *flags.split()]
    if (folder / "run.json").exists():
        arguments = ["--resume"]
    arguments += ["--checkpoint-dir", str(folder)]
    command = [sys.executable, "-m", "charrnn", "train", *arguments]
    with open(str(log), "wb") as output, subprocess.Popen(
        command, env=process_environment(), stdout=output, stderr=output
    ) as process:
        wait(process, lambda: b"\nfolder " in log.read_bytes())
        time.sleep(rng.uniform(0, 1.2))
        if rng.random() < 0.5:
            wait(process, (folder / ".saving").exists)
            time.sleep(rng.uniform(0, 0.02))
        process.kill()
        assert process.wait() in (0, -signal.SIGKILL), log.read_text()
    return process.returncode != 0


@pytest.mark.slow
@pytest.mark.timeout(0)  # the number of kills decides how long it takes
@pytest.mark.parametrize(
    "flags",
    [
        "--early-stop 6 --max-to-keep 1",
        "--average-decay 0.9 --schedule cosine --warmup-steps 30 --test-fraction 0.05",
        "--cell gru --keep-prob 1 --optimizer rmsprop",
    ],
)
def test_killed_processes_resume_to_the_same_outcome(tmp_path, flags):
    text = write_text(tmp_path / "text", 520)
    whole = tmp_path / "whole"
    assert train.main([str(text), *FLAGS, *flags.split(), "--checkpoint-dir", str(whole)]) == 0

    rng = random.Random(flags)
    kills = 0
    for run in itertools.count():
        folder = tmp_path / f"run{run}"
        while kills < KILLS and is_killed(folder, tmp_path / "log", rng, text, flags):
            kills += 1
            assert_can_be_opened(folder)
        if folder.exists():
            assert resume(folder) == 0
        assert_same_run(folder, whole)
        assert not list(folder.glob("*.tmp"))
        assert not (folder / ".saving").exists()
        if kills == KILLS:
            break


# A full disk


@pytest.fixture
def disk(tmp_path):
    """The folder of a disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    is_mounted = False
    if sys.platform.startswith("linux"):
        is_mounted = subprocess.run(mounting, capture_output=True).returncode == 0
    if not is_mounted:
        pytest.skip("only root on Linux can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk):
    """Leave no room."""
    with open(str(disk / "ballast"), "wb", buffering=0) as file:
        for size in (1 << 16, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass


@pytest.mark.thorough
def test_training_continues_after_saves_that_failed(disk, tmp_path, capfd):
    """Old checkpoints give way, each in a line, and the newest and the best are always ones that exist."""
    text = write_text(tmp_path / "text")
    flags = "--epochs 1 --no-summaries --seed 2"  # whose best checkpoint is at 46
    arguments = [str(text), *FLAGS, *flags.split(), "--checkpoint-dir"]
    assert train.main([*arguments, str(tmp_path / "whole")]) == 0

    run = disk / "run"

    def change_disk(step):
        if step in (12, 34):
            assert_can_be_opened(run)
        if step == 12:
            fill(disk)
        elif step == 34:
            (disk / "ballast").unlink()

    with called_after_steps(change_disk):
        assert train.main([*arguments, str(run)]) == 0
    # Objects that are deleted may write errors, too.
    gc.collect()
    _, err = capfd.readouterr()
    assert re.search(r"i\d+_l5.ckpt is removed, because the disk is full\n", err)
    message = (
        "could not be saved|cannot be written|because the disk is full|the checkpoint is saved"
    )
    for line in err.splitlines():
        assert re.search(message, line)
    assert_same_run(run, tmp_path / "whole")
