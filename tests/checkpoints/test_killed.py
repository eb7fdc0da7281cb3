"""Training that is killed, a disk that is full, and two trainings in one folder."""
import errno
import functools
import gc
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from kill_training import FLAGS, TEXT, Killer, differences, outcome

from charrnn import checkpoints, train
from charrnn.training.trainer import Trainer

# Fewer steps than in kill_training: 46 an epoch, 92 in all, a checkpoint at least every 10.
SHORT = TEXT[:306]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The path of a short text."""
    path = tmp_path_factory.mktemp("text") / "short.txt"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def alone(text, tmp_path_factory):
    """What a run on the short text comes to that nothing befalls."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert train.main(flags(text, folder)) == 0
    return outcome(folder)


def flags(text, folder, *others):
    return [str(text), *FLAGS, "--checkpoint-dir", str(folder), *others]


def resume(folder, *others):
    return train.main(["--resume", "--checkpoint-dir", str(folder), "--sample-length", "0", *others])


def after_steps(monkeypatch, actions):
    """Have something done in the training of this process after some of its steps: {step: function}."""
    usual = Trainer._train_step

    def train_step(self, x, y):
        done = usual(self, x, y)
        actions.pop(self._step, int)()
        return done

    monkeypatch.setattr(Trainer, "_train_step", train_step)


# Killed


@pytest.mark.slow
def test_killed_again_and_again(tmp_path):
    """Real processes, killed at random moments, half of them while they save."""
    done = subprocess.run([sys.executable, str(Path(__file__).resolve().with_name("kill_training.py")),
                           "--kills", "8", "--seed", "3"], cwd=str(tmp_path), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    found = re.search(r"^8 kills, (\d+) of them .* 0 differences$", done.stdout, re.MULTILINE)
    assert found and int(found.group(1)) >= 1, done.stdout


def test_killing_notices_a_difference(tmp_path):
    """What compares the runs must itself be able to fail."""
    same, other = {"best": "i1_l5.ckpt", "variable a": 1}, {"best": "i2_l5.ckpt", "variable a": 2}
    assert differences(same, dict(same)) == []
    assert differences(same, other) == ["best differs: i2_l5.ckpt instead of i1_l5.ckpt", "variable a differs"]
    killer = Killer(tmp_path, random.Random(0))
    for name in ("run.json", "i5_l5.ckpt.json"):
        (tmp_path / name).write_text("{}")
    killer._look_into(tmp_path)
    assert len(killer.differences) == 1 and "there is no whole checkpoint" in killer.differences[0]


class Moments:
    """Keeps a copy of a run folder as it is before each change to its files: what a kill then would leave."""

    def __init__(self, run, copies, monkeypatch):
        self._run, self._copies, self.folders = run, copies, []
        for owner, name in [(os, "replace"), (os, "fsync"), (shutil, "rmtree"), (np, "savez"),
                            (pathlib.Path, "unlink"), (pathlib.Path, "mkdir"), (tf.train.Saver, "save")]:
            monkeypatch.setattr(owner, name, self._noting(getattr(owner, name), name))

    def _noting(self, usual, name):
        def noted(*args, **kwargs):
            if self._run.exists():
                self.folders.append(self._copies / "{:04d}_{}".format(len(self.folders), name))
                shutil.copytree(str(self._run), str(self.folders[-1]))
            return usual(*args, **kwargs)
        return noted


@pytest.fixture(scope="module")
def moments(text, tmp_path_factory):
    """Folders, each as a kill at one moment of a run would leave it, from the first to the last."""
    folder = tmp_path_factory.mktemp("moments")
    (folder / "copies").mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        noted = Moments(folder / "run", folder / "copies", monkeypatch)
        assert train.main(flags(text, folder / "run", "--max-to-keep", "1")) == 0
    return noted.folders


def _steps(folder):
    return {int(path.name.split("_")[0][1:]) for path in folder.glob("i*.ckpt.json")}


@pytest.mark.slow
def test_at_each_moment_the_newest_checkpoint_and_the_best_can_be_opened(moments):
    """And they are never older than the newest of the moment before."""
    assert len(moments) > 200 and len({name.name.split("_")[1] for name in moments}) == 7
    newest = 0
    for folder in moments:
        if not (folder / checkpoints.RUN_FILE).exists():
            assert not newest
            continue
        try:
            prefix, skipped = checkpoints.newest_intact(folder)
        except checkpoints.NoCheckpointError:
            assert not newest, folder
            continue
        step = int(Path(prefix).name.split("_")[0][1:])
        assert step >= newest and step == max(_steps(folder)) and not skipped, folder
        newest = step
        assert checkpoints.read_weights(checkpoints.open_checkpoint(folder).prefix)
        assert checkpoints.read_progress(prefix, (2, 2, 2, 5)).step == step
    assert newest == 92


def test_at_each_moment_the_best_checkpoint_can_be_opened(moments):
    named = [folder for folder in moments if (folder / checkpoints.RUN_FILE).exists()
             and checkpoints.read_run(folder).best]
    assert len(named) > 100
    for folder in named:
        checkpoints.open_checkpoint(folder, best=True)


def _resumes_to(folder, expected, copy):
    shutil.copytree(str(folder), str(copy))
    assert resume(copy) == 0
    assert differences(expected, outcome(copy)) == [], folder


def test_at_some_moments_a_kill_changes_nothing(moments, alone, tmp_path):
    """In the middle of moving a checkpoint into place, and of forgetting one."""
    replaced = [folder for folder in moments if folder.name.endswith("_replace")]
    unlinked = [folder for folder in moments if folder.name.endswith("_unlink")]
    for folder in (replaced[len(replaced) // 2], unlinked[-3]):
        _resumes_to(folder, alone, tmp_path / folder.name)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_at_every_moment_a_kill_changes_nothing(moments, alone, tmp_path, part):
    """From the first file to the second checkpoint, and around one in the middle that forgets an older one."""
    unlinked = [number for number, folder in enumerate(moments) if folder.name.endswith("_unlink")]
    middle = unlinked[len(unlinked) // 2]
    chosen = [folder for folder in moments[:40] + moments[middle - 25:middle + 15]
              if (folder / checkpoints.RUN_FILE).exists()]
    for folder in chosen[part::4]:
        _resumes_to(folder, alone, tmp_path / folder.name)


def test_killed_before_the_first_checkpoint(text, alone, tmp_path, monkeypatch):
    """Then a resumed run begins anew, and comes to the same."""
    with monkeypatch.context() as patch:
        after_steps(patch, {5: _interrupt})
        assert train.main(flags(text, tmp_path / "run")) == 130
    assert resume(tmp_path / "run") == 0
    assert differences(alone, outcome(tmp_path / "run")) == []


@pytest.mark.slow
def test_killed_before_the_first_checkpoint_of_a_run_from_other_weights(text, tmp_path, monkeypatch, capfd):
    """It is not taken up with random ones: it comes to the same, or it is refused."""
    assert train.main(flags(text, tmp_path / "first", "--epochs", "1")) == 0
    init = ["--init-from", str(tmp_path / "first")]
    assert train.main(flags(text, tmp_path / "alone", *init)) == 0
    with monkeypatch.context() as patch:
        after_steps(patch, {5: _interrupt})
        assert train.main(flags(text, tmp_path / "run", *init)) == 130
    said(capfd)
    if resume(tmp_path / "run") == 2:
        assert len(said(capfd)) == 1
    else:
        assert differences(outcome(tmp_path / "alone"), outcome(tmp_path / "run")) == []


def _interrupt():
    raise KeyboardInterrupt


# A full disk


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, with an empty run folder's place on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk can be mounted only by root on Linux")
    try:
        yield Disk(folder)
    finally:
        if subprocess.run(["umount", str(folder)], stderr=subprocess.PIPE).returncode:
            subprocess.run(["umount", "-l", str(folder)], check=True)


class Disk:
    """A disk that can be filled and freed."""

    def __init__(self, folder):
        self.run, self._ballast = folder / "run", folder / "ballast"

    def fill(self, room=0):
        """Leave no more than a number of bytes."""
        with open(str(self._ballast), "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)) == 1 << 16:
                    pass
                while file.write(b"x"):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - room))

    def free(self):
        self._ballast.unlink()

    def names(self):
        """The names of all files, without the event files."""
        return {str(path.relative_to(self.run)) for path in self.run.rglob("*") if "summaries" not in path.parts}


def said(capfd):
    """The lines on standard error, with what is said only when an object goes."""
    gc.collect()
    return capfd.readouterr().err.splitlines()


@pytest.mark.parametrize("flags_added", [[], pytest.param(["--eval-every-n", "0"], marks=pytest.mark.slow)])
def test_a_save_that_fails_on_the_way(text, alone, disk, tmp_path, monkeypatch, capfd, flags_added):
    """It is said in a line, earlier checkpoints stand, nothing of it is left, and the next one is saved."""
    seen = {}

    def look(when):
        seen[when] = (disk.names(), _steps(disk.run))
        for step in _steps(disk.run):
            checkpoints.verify(str(disk.run / "i{}_l5.ckpt".format(step)))

    after_steps(monkeypatch, {46: lambda: (look("before"), disk.fill()), 64: lambda: (look("full"), disk.free())})
    assert train.main(flags(text, disk.run, *flags_added)) == 0
    err = said(capfd)
    failed = [int(re.search(r"i(\d+)_l5", line).group(1)) for line in err if "could not be saved" in line]
    assert {50, 60} <= set(failed) and all(46 < step < 64 for step in failed)
    for line in err:
        assert re.fullmatch(r"charrnn-train: (the checkpoint \S+/run/i\d+_l5\.ckpt could not be saved: .*; the earlier "
                            r"checkpoints stand, and training goes on|the history cannot be written: .*)", line), line
    assert seen["full"] == seen["before"]
    assert checkpoints.STAGE not in disk.names()
    if not flags_added:
        expected = dict(alone)
    else:
        assert train.main(flags(text, tmp_path / "run", *flags_added)) == 0
        expected = outcome(tmp_path / "run")
    found = outcome(disk.run)
    for each in (expected, found):
        each.pop("history")  # what could not be written down is missing there
    assert differences(expected, found) == []


def test_the_best_checkpoint_after_saves_that_failed(text, alone, disk, monkeypatch):
    """What run.json names as the best is there at each step, also where the best could not be saved."""
    failures = []

    def look():
        best = checkpoints.read_run(disk.run).best
        try:
            if best:
                checkpoints.open_checkpoint(disk.run, best=True)
        except checkpoints.CheckpointError as error:
            failures.append(str(error))

    actions = {step: look for step in range(1, 93)}
    actions[21], actions[25] = disk.fill, disk.free
    after_steps(monkeypatch, actions)
    assert train.main(flags(text, disk.run)) == 0
    look()
    assert alone["best"] == "i21_l5.ckpt"  # so that this is what could not be saved
    assert not failures
    assert resume(disk.run) == 0
    look()
    assert not failures and checkpoints.read_run(disk.run).best


@pytest.mark.slow
def test_a_full_disk_at_the_last_save(text, alone, disk, monkeypatch, capfd):
    """It ends with a line and status 2; when there is room again, the run is taken up and comes to the same."""
    after_steps(monkeypatch, {92: disk.fill})
    assert train.main(flags(text, disk.run)) == 2
    err = said(capfd)
    assert len(err) == 1 and re.match(
        r"charrnn-train: error: the checkpoint \S+/run/i92_l5\.ckpt could not be saved: ", err[0]), err
    assert not [name for name in disk.names() if name.startswith((checkpoints.STAGE, "i92"))]
    assert resume(disk.run) == 2  # still full
    err = said(capfd)
    assert len(err) == 1 and "the folder" in err[0] and "cannot be written: No space left on device" in err[0], err
    disk.free()
    assert resume(disk.run) == 0
    assert differences(alone, outcome(disk.run)) == []


@pytest.mark.slow
def test_a_disk_too_full_for_the_reports(text, alone, disk, monkeypatch, capfd):
    """Neither the history nor the event files, with samples in them, end a training."""
    many = ["--print-every-n", "1", "--save-every-n", "300", "--eval-every-n", "0", "--sample-length", "400"]
    after_steps(monkeypatch, {2: disk.fill, 85: disk.free})
    assert train.main(flags(text, disk.run, *many)) == 0
    err = said(capfd)
    assert err and {re.sub(r".*: ", "", line) for line in err} == {"No space left on device"}, err
    assert {line.split(": ")[1] for line in err} == {"the history cannot be written"}
    found = outcome(disk.run)
    assert [name for name in alone if name.startswith("variable") and alone[name] != found[name]] == []
    capfd.readouterr()
    assert resume(disk.run) == 0


@pytest.mark.slow
def test_summaries_on_a_full_disk(text, disk, monkeypatch, capfd):
    """Event files are flushed at each checkpoint; that it fails is said at most."""
    from charrnn.training import reports
    usual = reports.Reports.flush

    def flush(self):
        disk.fill()
        try:
            usual(self)
        finally:
            disk.free()

    monkeypatch.setattr(reports.Reports, "flush", flush)
    assert train.main(flags(text, disk.run, "--sample-length", "3000", "--eval-every-n", "0")) == 0
    for line in said(capfd):
        assert line.startswith("charrnn-train: "), line


@pytest.mark.slow
def test_a_save_with_any_room(disk, tmp_path, monkeypatch, capfd):
    """It is whole, or it is said that it failed and the folder is as it was; never in between."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    found, before = {}, {}

    def between(step):
        """Look at what the save of the step before has come to, and leave another room for the next one."""
        if step > 1:
            disk.free()
            found[step - 1] = step - 1 in _steps(disk.run)
            if not found[step - 1]:
                assert disk.names() == before["names"]
        if step > 2:
            assert not checkpoints.newest_intact(disk.run)[1]
            assert checkpoints.read_weights(checkpoints.open_checkpoint(disk.run).prefix)
        before["names"] = disk.names()
        disk.fill(1 << 20 if step < 3 else 4096 * step)

    after_steps(monkeypatch, {step: functools.partial(between, step) for step in range(1, 157)})
    status = train.main(flags(path, disk.run, "--eval-every-n", "0", "--save-every-n", "1", "--print-every-n", "1000"))
    failed = {int(re.search(r"/i(\d+)_l5.ckpt could not be saved: ", line).group(1)) for line in said(capfd)}
    assert failed - {156} == {step for step, there in found.items() if not there}
    assert status == (2 if 156 in failed else 0) and 10 < len(failed) < 146


# Two trainings


def _process(folder, *arguments):
    return subprocess.Popen([sys.executable, "-m", "charrnn.train", *arguments], cwd=str(folder),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


@pytest.mark.slow
def test_two_trainings_in_one_folder(text, alone, tmp_path):
    """The second is told while the first lives; when that was killed, it goes on where that one was."""
    folder = tmp_path / "run"
    resumed = ["--resume", "--checkpoint-dir", str(folder), "--epochs", "2"]
    first = _process(tmp_path, *flags(text, folder, "--epochs", "100000"))
    try:
        until = time.time() + 60
        while not (folder / "i7_l5.ckpt.json").exists() and first.poll() is None and time.time() < until:
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)  # it lives, and gets no further
        second = _process(tmp_path, *resumed)
        out, err = second.communicate(timeout=60)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert (second.returncode, out) == (2, "")
    assert err == "charrnn-train: error: {} is being trained in by another process\n".format(folder)
    third = _process(tmp_path, *resumed)
    out, err = third.communicate(timeout=60)
    assert (third.returncode, err) == (0, ""), err
    assert "skipped" not in out and re.search(r"^resumed  after step [1-9]", out, re.MULTILINE)
    assert differences(alone, outcome(folder)) == []
