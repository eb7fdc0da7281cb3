"""Training that is killed, and a full disk."""
import contextlib
import gc
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import interrupted_at, resume
from kill_training import FLAGS, TEXT, Killer, differences, outcome, problems_of

from charrnn import checkpoints, train
from charrnn.training.open_run import OpenRun


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The path of a short text: 46 steps in an epoch, 92 in all, a checkpoint at least every 10."""
    path = tmp_path_factory.mktemp("text") / "short.txt"
    path.write_text(TEXT[:306], encoding="utf-8")
    return path


def flags(text, folder, *others):
    return [str(text), *FLAGS, "--checkpoint-dir", str(folder), *others]


def after_steps(monkeypatch, actions):
    """Call functions after certain steps of the training in this process: {step: function}."""
    usual = OpenRun.check

    def check(self, step, *measured):
        usual(self, step, *measured)
        actions.pop(step, int)()

    monkeypatch.setattr(OpenRun, "check", check)


# Killed


@pytest.mark.slow
@pytest.mark.timeout(0)  # the number of kills decides how long it takes
def test_killed_processes_resume_to_the_same_outcome(tmp_path):
    """With each set of options. CHARRNN_KILLS=200 does 200 kills."""
    kills = os.environ.get("CHARRNN_KILLS", "12")
    done = subprocess.run([sys.executable, str(Path(__file__).resolve().with_name("kill_training.py")),
                           "--kills", kills], cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout
    assert re.search(rf"^{kills} kills, [1-9]\d* of them .* 0 differences$", done.stdout, re.MULTILINE), done.stdout


def test_what_killing_is_to_find_is_found(run_copy, tmp_path):
    assert problems_of(run_copy) == [] and differences({"a": 1, "b": 2}, {"a": 1}) == ["b differs: None instead of 2"]
    for path in run_copy.glob("*.npz"):
        path.write_bytes(b"")
    assert len(problems_of(run_copy)) == 1 and "there is no intact checkpoint" in problems_of(run_copy)[0]
    killer = Killer(tmp_path / "refused", random.Random(0), ["--lstm-size", "0"])
    killer.run(1)
    assert killer.counts["differences"] == 1 and "--lstm-size must be" in killer.differences[0]


@pytest.mark.slow
def test_a_run_from_other_weights_is_killed_before_it_has_trained_long(text, tmp_path, monkeypatch):
    """It does not resume with random weights."""
    assert train.main(flags(text, tmp_path / "first", "--epochs", "1")) == 0
    init = ["--init-from", str(tmp_path / "first")]
    assert train.main(flags(text, tmp_path / "whole", *init)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(OpenRun, "check", interrupted_at(OpenRun.check, 5))
        assert train.main(flags(text, tmp_path / "run", *init)) == 130
    assert resume(tmp_path / "run") == 0
    assert differences(outcome(tmp_path / "whole"), outcome(tmp_path / "run")) == []


# A full disk


class Disk:
    """A disk that can be filled and freed, with a place for a run folder."""

    def __init__(self, folder):
        self.run, self._ballast = folder / "run", folder / "ballast"

    def fill(self):
        """Leave no room."""
        with open(str(self._ballast), "wb", buffering=0) as file:
            for size in (1 << 16, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

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
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("only root on Linux can mount a small disk")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_training_continues_after_saves_that_failed(text, disk, tmp_path, monkeypatch, capfd):
    """Each failure is reported in a line, no file of it remains, and the best checkpoint is always one that exists."""
    assert train.main(flags(text, tmp_path / "whole")) == 0
    seen = {}

    def look(when):
        assert problems_of(disk.run) == []
        seen[when] = disk.names()

    after_steps(monkeypatch, {46: lambda: (look("before"), disk.fill()), 64: lambda: (look("full"), disk.free())})
    assert train.main(flags(text, disk.run)) == 0
    gc.collect()  # objects that are deleted may write errors, too
    err = capfd.readouterr().err.splitlines()
    failed = [int(re.search(r"i(\d+)_l5", line).group(1)) for line in err if "could not be saved" in line]
    assert {50, 60} <= set(failed) and all(46 < step < 64 for step in failed)
    for line in err:
        assert re.fullmatch(r"charrnn-train: (the checkpoint \S+/run/i\d+_l5\.ckpt could not be saved: .*; "
                            r"earlier checkpoints are intact, and training continues|"
                            r"the history cannot be written: .*)", line), line
    assert seen["full"] == seen["before"] and checkpoints.STAGE not in disk.names()
    assert differences(outcome(tmp_path / "whole"), outcome(disk.run)) == []
