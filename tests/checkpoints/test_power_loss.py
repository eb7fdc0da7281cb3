"""A loss of power at any moment of a run: what may be left of its folder is intact, and resumes to the same outcome.

A :class:`Recorder` notes what training does to the folder: files that are moved into it or removed, and what is flushed
with fsync. :func:`states` replays the notes. A file has the content with which it was last flushed, and is empty if it
never was. A folder has the entries with which it was last flushed. Of the entries that changed since then, a file
system may keep any.
"""
import contextlib
import itertools
import os
import pathlib
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import resume
from kill_training import FLAGS, TEXT, differences, outcome

from charrnn import checkpoints, train

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
HISTORY = "history.csv"
KEPT_IN_ALL_WAYS = 5  # changes of which all subsets are tried; of more of them, the first or last, one, or all but one


class Recorder:
    """Notes the changes of a run folder while it is in use as a context.

    Attributes:
        notes: tuples of a kind and its details, in the order of the calls:
            ("flushed file", place, file, content), ("flushed folder", place), ("flushed parent", place),
            ("moved", name, file, content), ("removed", name), ("saved", step). A place is the function that flushes
            and what it flushes; a file is a number.
    """

    def __init__(self, folder):
        self.notes, self._folder, self._parent = [], str(folder), str(Path(str(folder)).parent)
        self._numbers, self._fresh = {}, itertools.count()

    @contextlib.contextmanager
    def __call__(self, monkeypatch):
        """Note what is called in a block."""
        with monkeypatch.context() as patch:
            for owner, name, noting in [(os, "fsync", self._fsync), (os, "replace", self._replace),
                                        (pathlib.Path, "unlink", self._unlink), (checkpoints, "save", self._save)]:
                patch.setattr(owner, name, noting(getattr(owner, name)))
            yield

    def _number(self, path):
        """Return the number of a file, which unlike that of its inode is not used again."""
        return self._numbers.setdefault(os.stat(path).st_ino, next(self._fresh))

    def _forget(self, path):
        if os.path.exists(path):
            self._numbers.pop(os.stat(path).st_ino, None)

    def _fsync(self, usual):
        def fsync(descriptor):
            usual(descriptor)
            path, frame = os.readlink(f"/proc/self/fd/{descriptor}"), sys._getframe(1)
            if frame.f_globals["__name__"] == "charrnn.system.files" and frame.f_code.co_name == "flush":
                frame = frame.f_back
            place = f"{frame.f_globals['__name__']}.{frame.f_code.co_name}"
            if path == self._folder:
                self.notes.append(("flushed folder", place + ": folder"))
            elif path == self._parent:
                self.notes.append(("flushed parent", place + ": parent"))
            elif path.startswith(self._folder) and not os.path.isdir(path):
                self.notes.append(("flushed file", place + ": file", self._number(path), Path(path).read_bytes()))
        return fsync

    def _replace(self, usual):
        def replace(source, target):
            if os.path.dirname(target) == self._folder:
                self._forget(target)
                note = ("moved", os.path.basename(target), self._number(source), Path(source).read_bytes())
                usual(source, target)
                self.notes.append(note)
            else:
                usual(source, target)
        return replace

    def _unlink(self, usual):
        def unlink(path):
            self._forget(str(path))
            usual(path)
            if str(path.parent) == self._folder:
                self.notes.append(("removed", path.name))
        return unlink

    def _save(self, usual):
        def save(*args):
            prefix = usual(*args)
            self.notes.append(("saved", args[4].step))
            return prefix
        return save


def states(notes, ignored=None):
    """Yield what a loss of power after each note may leave: (entries, step).

    The entries are a tuple of (name, content), or None if the folder is lost. The step is that of the newest checkpoint
    that was reported as saved by then. A state is yielded once for each step.

    Args:
        notes: the notes of a Recorder.
        ignored: a place that shall not have flushed anything.
    """
    contents, entries, changes, lasts, step, seen = {}, {}, [], False, 0, set()
    for kind, *details in notes:
        if details[0] == ignored:
            continue
        if kind == "flushed file":
            contents[details[1]] = details[2]
        elif kind == "flushed folder":
            for name, file in changes:
                _change(entries, name, file)
            changes = []
        elif kind == "flushed parent":
            lasts = True
        elif kind == "moved":
            changes.append((details[0], details[1]))
        elif kind == "removed":
            changes.append((details[0], None))
        else:
            step = details[0]
        if not lasts and (None, step) not in seen:
            seen.add((None, step))
            yield None, step
        for kept in _selections(changes):
            found = dict(entries)
            for name, file in kept:
                _change(found, name, file)
            state = tuple(sorted((name, contents.get(file, b"")) for name, file in found.items()))
            if (state, step) not in seen:
                seen.add((state, step))
                yield state, step


def _change(entries, name, file):
    if file is None:
        entries.pop(name, None)
    else:
        entries[name] = file


def _selections(changes):
    """Return the selections of changes that are tried."""
    if len(changes) <= KEPT_IN_ALL_WAYS:
        return [kept for number in range(len(changes) + 1) for kept in itertools.combinations(changes, number)]
    places = range(len(changes))
    return [*(changes[:place] for place in [*places, len(changes)]), *(changes[place:] for place in places),
            *([change] for change in changes), *(changes[:place] + changes[place + 1:] for place in places)]


class Recorded:
    """A run, the notes of its Recorder, and its outcome."""

    def __init__(self, base, monkeypatch):
        text, folder = base / "text.txt", base / "run"
        text.write_text(TEXT[:306], encoding="utf-8")  # 46 steps in an epoch
        recorder = Recorder(folder)
        with recorder(monkeypatch):
            assert train.main([str(text), *FLAGS, "--checkpoint-dir", str(folder), "--no-summaries", "--epochs", "1",
                               "--save-every-n", "12", "--eval-every-n", "0", "--max-to-keep", "1"]) == 0
        self.notes, self.outcome = recorder.notes, outcome(folder)
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


def make_folder(base, state):
    """Make a run folder with a state, in which files with the same content are links to one; return its path."""
    folder = base / "state"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in state:
        made = base / f"content{hash(content)}"
        if not made.exists():
            made.write_bytes(content)
        os.link(str(made), str(folder / name))
    return folder


def problem(recorded, base, state, step):
    """Return what is wrong with a state after a step was reported as saved, or None."""
    if state is None:
        return "the folder is lost" if step else None
    for name, content in state:
        if name != HISTORY and content not in recorded.whole[name]:
            return f"{name} has lost a part"
    folder = make_folder(base, state)
    try:
        found = checkpoints.newest_intact(folder)
        checkpoints.read_text(checkpoints.read_run(folder))
        if found.run.best:
            checkpoints.verify(str(folder / found.run.best))
        progress = checkpoints.read_progress(found.prefix)
        checkpoints.verify(str(folder / f"i{progress.best_step}_l5.ckpt"))
    except checkpoints.CheckpointError as error:
        return str(error) if step else None
    if found.skipped or progress.step < step:
        return f"the newest checkpoint is that of step {progress.step}: {found.skipped}"
    listed = re.findall('^model_checkpoint_path: "(.*)"', dict(state).get("checkpoint", b"").decode(), re.MULTILINE)
    if any(not (folder / f"{name}.index").exists() for name in listed):
        return f"the list names {listed}"
    names = {name for name, _ in state if ".ckpt." in name}
    left = sorted(name for name in names if name.split(".ckpt.")[0] + ".ckpt.json" not in names)
    if any(int(name.split("_")[0][1:]) < progress.step for name in left):
        return f"{left} are left of a checkpoint that was removed"
    return None if progress.history.encode() in dict(state).get(HISTORY, b"") else "the history has lost rows"


def test_whatever_a_loss_of_power_leaves_is_intact(recorded, tmp_path):
    """The newest checkpoint is one that was saved, with the best one, its text, history and TensorFlow's list."""
    tried = list(states(recorded.notes))
    for state, step in tried:
        assert problem(recorded, tmp_path, state, step) is None
    assert len(tried) > 100
    assert [note[1] for note in recorded.notes if note[0] == "saved"] == [12, 24, 36, 46]
    assert any(note[0] == "removed" for note in recorded.notes)


def test_each_flush_is_needed(recorded, tmp_path):
    """Without the flushes of any one place, something can be lost, and the test above notices it."""
    assert len(recorded.places) >= 6
    for place in recorded.places:
        assert any(problem(recorded, tmp_path, state, step) for state, step in states(recorded.notes, place)), place


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_run_resumes_from_whatever_a_loss_of_power_leaves(recorded, tmp_path, part):
    """To the outcome of a run that was not interrupted."""
    left = list(dict.fromkeys(state for state, _ in states(recorded.notes) if state and dict(state).get("run.json")))
    for number, state in enumerate(left[part::4 * max(1, len(left) // 60)]):
        folder = tmp_path / f"copy{number}"
        shutil.copytree(str(make_folder(tmp_path, state)), str(folder))
        assert resume(folder) == 0
        assert differences(recorded.outcome, outcome(folder)) == [], [name for name, _ in state]
        shutil.rmtree(str(folder))
