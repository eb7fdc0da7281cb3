"""Training that is killed, a full disk, and two trainings in one folder."""
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
from charrnn.training.trainer import Trainer
from conftest import resume
from kill_training import FLAGS, TEXT, Killer, differences, outcome

from charrnn import checkpoints, train
from charrnn.checkpoints import Run
from charrnn.data import Vocabulary
from charrnn.system.tensorflow import tf

SHORT = TEXT[:306]  # 46 steps in an epoch, 92 in all, a checkpoint at least every 10


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The path of a short text."""
    path = tmp_path_factory.mktemp("text") / "short.txt"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def uninterrupted(text, tmp_path_factory):
    """The outcome of an uninterrupted run on the short text."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert train.main(flags(text, folder)) == 0
    return outcome(folder)


def flags(text, folder, *others):
    return [str(text), *FLAGS, "--checkpoint-dir", str(folder), *others]


def after_steps(monkeypatch, actions):
    """Call functions after certain steps of the training in this process: {step: function}."""
    usual = Trainer._train_step

    def train_step(self, x, y):
        result = usual(self, x, y)
        actions.pop(self._progress.step, int)()
        return result

    monkeypatch.setattr(Trainer, "_train_step", train_step)


def interrupt():
    raise KeyboardInterrupt


# Killed


@pytest.mark.slow
@pytest.mark.timeout(0)  # the number of kills decides how long it takes
def test_killed_processes_resume_to_the_same_outcome(tmp_path):
    """With each set of options. CHARRNN_KILLS=200 does 200 kills."""
    kills = os.environ.get("CHARRNN_KILLS", "12")
    done = subprocess.run([sys.executable, str(Path(__file__).resolve().with_name("kill_training.py")),
                           "--kills", kills, "--seed", "3"], cwd=str(tmp_path), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    found = re.search(rf"^{kills} kills, (\d+) of them .* 0 differences$", done.stdout, re.MULTILINE)
    assert found and int(found.group(1)) >= 1, done.stdout


def test_differences_between_outcomes_are_named():
    outcomes = {"best": "i1_l5.ckpt", "variable a": 1}, {"best": "i2_l5.ckpt", "variable a": 2}
    assert differences(outcomes[0], dict(outcomes[0])) == []
    assert differences(*outcomes) == ["best differs: i2_l5.ckpt instead of i1_l5.ckpt", "variable a differs"]


def test_a_folder_without_an_intact_checkpoint_counts_as_a_difference(tmp_path):
    checkpoints.write_run(tmp_path, Run({}, Vocabulary("ab"), "text", "f00", "utf-8"))
    (tmp_path / "i5_l5.ckpt.json").write_text("{}")
    killer = Killer(tmp_path, random.Random(0))
    killer._check(tmp_path)
    assert len(killer.differences) == 1 and "there is no intact checkpoint" in killer.differences[0]


class Moments:
    """Copies a run folder before each change to its files, as a kill at that moment would leave it."""

    def __init__(self, run, copies, monkeypatch):
        self._run, self._copies, self.folders = run, copies, []
        for owner, name in [(os, "replace"), (os, "fsync"), (shutil, "rmtree"), (np, "savez"),
                            (pathlib.Path, "unlink"), (pathlib.Path, "mkdir"), (tf.train.Saver, "save")]:
            monkeypatch.setattr(owner, name, self._copying(getattr(owner, name), name))

    def _copying(self, usual, name):
        def copying(*args, **kwargs):
            if self._run.exists():
                self.folders.append(self._copies / f"{len(self.folders):04d}_{name}")
                shutil.copytree(str(self._run), str(self.folders[-1]))
            return usual(*args, **kwargs)
        return copying


@pytest.fixture(scope="module")
def moments(text, tmp_path_factory):
    """The copies from Moments of one run, from the first to the last."""
    folder = tmp_path_factory.mktemp("moments")
    (folder / "copies").mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        moments = Moments(folder / "run", folder / "copies", monkeypatch)
        assert train.main(flags(text, folder / "run", "--max-to-keep", "1")) == 0
    return moments.folders


def recorded_steps(folder):
    return {int(path.name.split("_")[0][1:]) for path in folder.glob("i*.ckpt.json")}


@pytest.mark.slow
def test_the_newest_checkpoint_can_be_opened_at_each_moment(moments):
    """It is never older than at the moment before."""
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
        assert step >= newest and step == max(recorded_steps(folder)) and not skipped, folder
        newest = step
        assert checkpoints.read_weights(checkpoints.open_checkpoint(folder).prefix)
        assert checkpoints.read_progress(prefix, (2, 2, 2, 5)).step == step
    assert newest == 92


@pytest.mark.slow
def test_the_best_checkpoint_can_be_opened_at_each_moment(moments):
    with_best = [folder for folder in moments if (folder / checkpoints.RUN_FILE).exists()
                 and checkpoints.read_run(folder).best]
    assert len(with_best) > 100
    for folder in with_best:
        checkpoints.open_checkpoint(folder, best=True)


def check_resumed(folder, expected, copy):
    """Check that a copy of a folder resumes to an outcome."""
    shutil.copytree(str(folder), str(copy))
    assert resume(copy) == 0
    assert differences(expected, outcome(copy)) == [], folder


@pytest.mark.slow
@pytest.mark.parametrize("name, number", [("replace", 0.5), ("unlink", 0.99)])
def test_a_run_resumes_from_the_moving_or_removing_of_a_checkpoint(moments, uninterrupted, tmp_path, name, number):
    folders = [folder for folder in moments if folder.name.endswith(name)]
    check_resumed(folders[int(number * len(folders))], uninterrupted, tmp_path / "copy")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_run_resumes_from_each_moment(moments, uninterrupted, tmp_path, part):
    """From the first file to the second checkpoint, and around the removal of one in the middle."""
    unlinked = [number for number, folder in enumerate(moments) if folder.name.endswith("_unlink")]
    middle = unlinked[len(unlinked) // 2]
    chosen = [folder for folder in moments[:40] + moments[middle - 25:middle + 15]
              if (folder / checkpoints.RUN_FILE).exists()]
    for folder in chosen[part::4]:
        check_resumed(folder, uninterrupted, tmp_path / folder.name)


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_starts_again(text, uninterrupted, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        after_steps(patch, {5: interrupt})
        assert train.main(flags(text, tmp_path / "run")) == 130
    assert resume(tmp_path / "run") == 0
    assert differences(uninterrupted, outcome(tmp_path / "run")) == []


@pytest.mark.slow
def test_a_run_from_other_weights_killed_before_its_first_checkpoint(text, tmp_path, monkeypatch, capfd):
    """It does not resume with random weights: it has the same outcome, or is refused."""
    assert train.main(flags(text, tmp_path / "first", "--epochs", "1")) == 0
    init = ["--init-from", str(tmp_path / "first")]
    assert train.main(flags(text, tmp_path / "uninterrupted", *init)) == 0
    with monkeypatch.context() as patch:
        after_steps(patch, {5: interrupt})
        assert train.main(flags(text, tmp_path / "run", *init)) == 130
    error_lines(capfd)
    if resume(tmp_path / "run") == 2:
        assert len(error_lines(capfd)) == 1
    else:
        assert differences(outcome(tmp_path / "uninterrupted"), outcome(tmp_path / "run")) == []


# A full disk


class Disk:
    """A disk that can be filled and freed, with a place for a run folder."""

    def __init__(self, folder):
        self.run, self._ballast = folder / "run", folder / "ballast"

    def fill(self, room=0):
        """Leave room for no more than a number of bytes."""
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
        """Return the names of all files of the run but the event files."""
        return {str(path.relative_to(self.run)) for path in self.run.rglob("*") if "summaries" not in path.parts}


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root on Linux can mount a small disk")
    try:
        yield Disk(folder)
    finally:
        if subprocess.run(["umount", str(folder)], stderr=subprocess.PIPE).returncode:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def error_lines(capfd):
    """Return the lines on standard error, including those that are written when objects are deleted."""
    gc.collect()
    return capfd.readouterr().err.splitlines()


@pytest.mark.parametrize("flags_added", [[], pytest.param(["--eval-every-n", "0"], marks=pytest.mark.slow)])
def test_training_continues_after_saves_that_failed(text, uninterrupted, disk, tmp_path, monkeypatch, capfd,
                                                    flags_added):
    """Each failure is reported in a line, earlier checkpoints stay intact, and no file of it remains."""
    seen = {}

    def look(when):
        seen[when] = (disk.names(), recorded_steps(disk.run))
        for step in recorded_steps(disk.run):
            checkpoints.verify(str(disk.run / f"i{step}_l5.ckpt"))

    after_steps(monkeypatch, {46: lambda: (look("before"), disk.fill()), 64: lambda: (look("full"), disk.free())})
    assert train.main(flags(text, disk.run, *flags_added)) == 0
    err = error_lines(capfd)
    failed = [int(re.search(r"i(\d+)_l5", line).group(1)) for line in err if "could not be saved" in line]
    assert {50, 60} <= set(failed) and all(46 < step < 64 for step in failed)
    for line in err:
        assert re.fullmatch(r"charrnn-train: (the checkpoint \S+/run/i\d+_l5\.ckpt could not be saved: .*; "
                            r"earlier checkpoints are intact, and training continues|"
                            r"the history cannot be written: .*)", line), line
    assert seen["full"] == seen["before"]
    assert checkpoints.STAGE not in disk.names()
    expected = dict(uninterrupted)
    if flags_added:
        assert train.main(flags(text, tmp_path / "run", *flags_added)) == 0
        expected = outcome(tmp_path / "run")
    found = outcome(disk.run)
    for each in (expected, found):
        each.pop("history")  # without the rows that could not be written
        each.pop("progress history_rows")
    assert differences(expected, found) == []


@pytest.mark.slow
def test_the_best_checkpoint_can_be_opened_after_saves_that_failed(text, disk, monkeypatch, capfd):
    """The best checkpoint according to run.json exists after each step, even if a better one was not saved."""
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
    out, err = capfd.readouterr()
    assert re.search("step 21/92  validation loss .*, the best so far", out) and "i21_l5.ckpt could not be saved" in err
    assert not failures
    assert resume(disk.run) == 0
    look()
    assert not failures and checkpoints.read_run(disk.run).best


@pytest.mark.slow
def test_a_full_disk_at_the_last_save(text, uninterrupted, disk, monkeypatch, capfd):
    """Training ends with a line and status 2. With room again, the run resumes to the same outcome."""
    after_steps(monkeypatch, {92: disk.fill})
    assert train.main(flags(text, disk.run)) == 2
    err = error_lines(capfd)
    assert len(err) == 1 and re.match(
        r"charrnn-train: error: the checkpoint \S+/run/i92_l5\.ckpt could not be saved: ", err[0]), err
    assert not [name for name in disk.names() if name.startswith((checkpoints.STAGE, "i92"))]
    assert resume(disk.run) == 2  # still full
    err = error_lines(capfd)
    assert len(err) == 1 and "the folder" in err[0] and "cannot be written: No space left on device" in err[0], err
    disk.free()
    assert resume(disk.run) == 0
    assert differences(uninterrupted, outcome(disk.run)) == []


@pytest.mark.slow
def test_training_continues_if_reports_cannot_be_written(text, uninterrupted, disk, monkeypatch, capfd):
    """Neither the history nor the event files with their samples."""
    many = ["--print-every-n", "1", "--save-every-n", "300", "--eval-every-n", "0", "--sample-length", "400"]
    after_steps(monkeypatch, {2: disk.fill, 85: disk.free})
    assert train.main(flags(text, disk.run, *many)) == 0
    err = error_lines(capfd)
    assert err and {re.sub(r".*: ", "", line) for line in err} == {"No space left on device"}, err
    assert {line.split(": ")[1] for line in err} == {"the history cannot be written"}
    different = [line for line in differences(uninterrupted, outcome(disk.run)) if line.startswith("variable")]
    assert different == []
    capfd.readouterr()
    assert resume(disk.run) == 0


@pytest.mark.slow
def test_training_continues_if_event_files_cannot_be_flushed(text, disk, monkeypatch, capfd):
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
    for line in error_lines(capfd):
        assert line.startswith("charrnn-train: "), line


@pytest.mark.slow
def test_a_save_with_any_room_succeeds_or_leaves_the_folder_unchanged(disk, tmp_path, monkeypatch, capfd):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    saved, before = {}, {}

    def between(step):
        """Check the outcome of the previous step's save, and leave a different room for the next one."""
        if step > 1:
            disk.free()
            saved[step - 1] = step - 1 in recorded_steps(disk.run)
            if not saved[step - 1]:
                assert disk.names() == before["names"]
        if step > 2:
            assert not checkpoints.newest_intact(disk.run)[1]
            assert checkpoints.read_weights(checkpoints.open_checkpoint(disk.run).prefix)
        before["names"] = disk.names()
        disk.fill(1 << 20 if step < 3 else 4096 * step)

    after_steps(monkeypatch, {step: functools.partial(between, step) for step in range(1, 157)})
    status = train.main(flags(
        path, disk.run, "--eval-every-n", "0", "--save-every-n", "1", "--print-every-n", "1000"))
    matches = [re.search(r"/i(\d+)_l5.ckpt could not be saved: ", line) for line in error_lines(capfd)]
    failed = {int(match.group(1)) for match in matches if match}  # another line if only the list is not written
    assert failed - {156} == {step for step, is_saved in saved.items() if not is_saved}
    assert status == (2 if 156 in failed else 0) and 10 < len(failed) < 146


# Two trainings


def start_process(folder, *arguments):
    return subprocess.Popen([sys.executable, "-m", "charrnn.train", *arguments], cwd=str(folder),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_trainings_in_one_folder(text, uninterrupted, tmp_path):
    """The second is refused while the first one runs. After the first was killed, a third one resumes its run."""
    folder = tmp_path / "run"
    resumed = ["--resume", "--checkpoint-dir", str(folder), "--epochs", "2"]
    first = start_process(tmp_path, *flags(text, folder, "--epochs", "100000"))
    try:
        until = time.time() + 600
        while not (folder / "i7_l5.ckpt.json").exists() and first.poll() is None and time.time() < until:
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)  # it holds the lock, but trains no further
        second = start_process(tmp_path, *resumed)
        out, err = second.communicate(timeout=600)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert (second.returncode, out) == (2, "")
    assert err == f"charrnn-train: error: another process is training in {folder}\n"
    third = start_process(tmp_path, *resumed)
    out, err = third.communicate(timeout=600)
    assert (third.returncode, err) == (0, ""), err
    assert "skipped" not in out and re.search(r"^resumed  after step [1-9]", out, re.MULTILINE)
    assert differences(uninterrupted, outcome(folder)) == []
