"""A loss of power at any moment of a run: what may be left of its folder is intact, and resumes to the same outcome."""
import csv
import os
import re
import shutil
import sys

import pytest
from conftest import resume
from kill_training import FLAGS, TEXT, differences, outcome
from power_loss import Recorder, states

from charrnn import checkpoints, train

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
STATE_SHAPE = (2, 2, 2, 5)
HISTORY = "history.csv"


class Recorded:
    """A run, the notes of its Recorder, and its outcome."""

    def __init__(self, base, monkeypatch):
        self.text, self.folder = base / "text.txt", base / "run"
        self.text.write_text(TEXT[:306], encoding="utf-8")  # 46 steps in an epoch
        recorder = Recorder(self.folder)
        with recorder(monkeypatch):
            assert train.main([str(self.text), *FLAGS, "--checkpoint-dir", str(self.folder), "--no-summaries",
                               "--epochs", "1", "--save-every-n", "12", "--eval-every-n", "0",
                               "--max-to-keep", "1"]) == 0
        self.notes, self.outcome = recorder.notes, outcome(self.folder)
        self.whole = {}  # by name, what the file had when it was moved into place
        for note in self.notes:
            if note[0] == "moved":
                self.whole.setdefault(note[1], set()).add(note[3])
        self.places = sorted({note[1] for note in self.notes if note[0].startswith("flushed")})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A run with checkpoints after steps 12, 24, 36 and 46, of which the best changes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return Recorded(tmp_path_factory.mktemp("recorded"), monkeypatch)


class Folders:
    """Makes run folders, in which files with the same content are links to one."""

    def __init__(self, base):
        self._base, self._made = base, {}

    def make(self, state):
        """Make a folder with a state; return its path."""
        folder = self._base / "state"
        shutil.rmtree(str(folder), ignore_errors=True)
        folder.mkdir()
        for name, content in state:
            if content not in self._made:
                self._made[content] = self._base / f"content{len(self._made)}"
                self._made[content].write_bytes(content)
            os.link(str(self._made[content]), str(folder / name))
        return folder


def problem(recorded, folders, state, step):
    """Return what is wrong with a state after a step was reported as saved, or None."""
    if state is None:
        return "the folder is lost" if step else None
    for name, content in state:
        if name != HISTORY and content not in recorded.whole[name]:
            return f"{name} has lost a part"
    folder = folders.make(state)
    try:
        prefix, skipped = checkpoints.newest_intact(folder)
        run = checkpoints.read_run(folder)
        if run.best:
            checkpoints.verify(str(folder / run.best))
        progress = checkpoints.read_progress(prefix, STATE_SHAPE)
        checkpoints.verify(str(folder / f"i{progress.best_step}_l5.ckpt"))
    except checkpoints.CheckpointError as error:
        return str(error) if step else None
    if skipped or progress.step < step:
        return f"the newest checkpoint is that of step {progress.step}: {skipped}"
    listed = re.findall('^model_checkpoint_path: "(.*)"', dict(state).get("checkpoint", b"").decode(), re.MULTILINE)
    if any(not (folder / f"{name}.index").exists() for name in listed):
        return f"the list names {listed}"
    names = {name for name, _ in state if ".ckpt." in name}
    left = sorted(name for name in names if name.split(".ckpt.")[0] + ".ckpt.json" not in names)
    if any(int(name.split("_")[0][1:]) < progress.step for name in left):
        return f"{left} are left of a checkpoint that was removed"
    rows = [row for row in csv.reader(dict(state).get(HISTORY, b"").decode().splitlines()) if row[0].isdigit()]
    if len(rows) < progress.history_rows:
        return f"the history has {len(rows)} rows"
    return None


def test_whatever_a_loss_of_power_leaves_is_intact(recorded, tmp_path):
    """The newest checkpoint is one that was saved, with the best one, its history and TensorFlow's list."""
    folders, tried = Folders(tmp_path), 0
    for state, step in states(recorded.notes):
        assert problem(recorded, folders, state, step) is None
        tried += 1
    assert tried > 100
    assert [note[1] for note in recorded.notes if note[0] == "saved"] == [12, 24, 36, 46]
    assert any(note[0] == "removed" for note in recorded.notes)


def test_each_flush_is_needed(recorded, tmp_path):
    """Without the flushes of any one place, something can be lost, and the test above notices it."""
    assert len(recorded.places) >= 6
    for place in recorded.places:
        folders = Folders(tmp_path / place)
        (tmp_path / place).mkdir()
        assert any(problem(recorded, folders, state, step) for state, step in states(recorded.notes, place)), place


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_run_resumes_from_whatever_a_loss_of_power_leaves(recorded, tmp_path, part):
    """To the outcome of a run that was not interrupted."""
    folders = Folders(tmp_path)
    left = list(dict.fromkeys(state for state, _ in states(recorded.notes) if state and dict(state).get("run.json")))
    for number, state in enumerate(left[part::4 * max(1, len(left) // 120)]):
        folder = tmp_path / f"copy{number}"
        shutil.copytree(str(folders.make(state)), str(folder))
        assert resume(folder) == 0
        assert differences(recorded.outcome, outcome(folder)) == [], [name for name, _ in state]
        shutil.rmtree(str(folder))
