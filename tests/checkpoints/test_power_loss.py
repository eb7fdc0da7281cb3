"""A loss of power at any moment of a run: what may be left of its folder is intact, and resumes to the same outcome.

A :class:`Recorder` notes what training does to the folder: files that are moved into it or removed, and what is flushed
with fsync. :func:`states` replays the notes. A file has the content with which it was last flushed, and is empty if it
never was. A folder has the entries with which it was last flushed. Of the entries that changed since then, a file
system may keep any.
"""

import itertools
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import assert_same_run, resume
from test_killed import FLAGS, write_text

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact, verify
from charrnn.checkpoints.progress import read_progress
from charrnn.checkpoints.run import RunFolder
from charrnn.commands import train

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
HISTORY = "history.csv"
# changes of which all subsets are tried; of more of them, the first or last, one, or all but one
KEPT_IN_ALL_WAYS = 5


class Recorder:
    """Notes the changes of a run folder.

    Attributes:
        notes: tuples of a kind and its details, in the order of the calls:
            ("flushed file", file, content), ("flushed folder",), ("flushed parent",), ("moved", name, file, content),
            ("removed", name), ("saved", step). A file is a number, which unlike that of an inode is not used again.
    """

    def __init__(self, folder, patch):
        self.notes = []
        self._folder = str(folder)
        self._numbers = {}
        self._fresh = itertools.count()
        for owner, name, noting in [
            (os, "fsync", self._fsync),
            (os, "replace", self._replace),
            (Path, "unlink", self._unlink),
            (RunFolder, "save", self._save),
        ]:
            patch.setattr(owner, name, noting(getattr(owner, name)))

    def _number(self, path):
        return self._numbers.setdefault(os.stat(path).st_ino, next(self._fresh))

    def _forget(self, path):
        if os.path.exists(path):
            self._numbers.pop(os.stat(path).st_ino, None)

    def _fsync(self, usual):
        def fsync(descriptor):
            usual(descriptor)
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            if path == self._folder:
                self.notes.append(("flushed folder",))
            elif path == os.path.dirname(self._folder):
                self.notes.append(("flushed parent",))
            elif path.startswith(self._folder) and not os.path.isdir(path):
                self.notes.append(("flushed file", self._number(path), Path(path).read_bytes()))

        return fsync

    def _replace(self, usual):
        def replace(source, target):
            if os.path.dirname(target) == self._folder:
                self._forget(target)
                name = os.path.basename(target)
                content = Path(source).read_bytes()
                self.notes.append(("moved", name, self._number(source), content))
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
        def save(run, progress, *args):
            prefix = usual(run, progress, *args)
            self.notes.append(("saved", progress.step))
            return prefix

        return save


def states(notes):
    """Yield what a loss of power after each note may leave: (entries, step).

    The entries are a tuple of (name, content), or None if the folder is lost. The step is that of the newest checkpoint
    that was reported as saved by then. A state is yielded once for each step.
    """
    contents = {}  # of the files, with which they were last flushed
    entries = {}  # of the folder, with which it was last flushed: a dict from name to file
    changes = []  # since then: pairs of a name and its file, None if it was removed
    folder_lasts = False
    step = 0
    yielded = set()
    for kind, *details in notes:
        if kind == "flushed file":
            file, content = details
            contents[file] = content
        elif kind == "flushed folder":
            entries = changed(entries, changes)
            changes = []
        elif kind == "flushed parent":
            folder_lasts = True
        elif kind == "moved":
            name, file, _ = details
            changes.append((name, file))
        elif kind == "removed":
            (name,) = details
            changes.append((name, None))
        else:
            (step,) = details

        left = [] if folder_lasts else [None]
        for kept in selections(changes):
            files = changed(entries, kept)
            left.append(tuple(sorted((name, contents.get(files[name], b"")) for name in files)))
        for state in left:
            if (state, step) not in yielded:
                yielded.add((state, step))
                yield state, step


def changed(entries, changes):
    """Return the entries of a folder, a dict from name to file, after some changes."""
    after = {**entries, **dict(changes)}
    return {name: file for name, file in after.items() if file is not None}


def selections(changes):
    """Return the selections of changes that are tried."""
    if len(changes) <= KEPT_IN_ALL_WAYS:
        numbers = range(len(changes) + 1)
        return itertools.chain(*(itertools.combinations(changes, number) for number in numbers))
    places = range(len(changes))
    return [
        *(changes[:place] for place in [*places, len(changes)]),
        *(changes[place:] for place in places),
        *([change] for change in changes),
        *(changes[:place] + changes[place + 1 :] for place in places),
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with checkpoints after steps 12, 24, 36 and 46, of which the best changes."""
    return tmp_path_factory.mktemp("recorded") / "run"


@pytest.fixture(scope="module")
def notes(run):
    """What a Recorder notes of that run."""
    text = write_text(run.parent / "text.txt")
    flags = "--epochs 1 --save-every-n 12 --eval-every-n 0 --max-to-keep 1 --no-summaries"
    arguments = [str(text), *FLAGS, *flags.split(), "--checkpoint-dir", str(run)]
    with pytest.MonkeyPatch.context() as patch:
        recorder = Recorder(run, patch)
        assert train.main(arguments) == 0
    return recorder.notes


def make_folder(base, state):
    """Make a run folder with a state, in which files with the same content are links to one; return its path."""
    folder = base / "state"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir()
    for name, content in state:
        made = base / f"content{hash(content)}"
        if not made.exists():
            made.write_bytes(content)
        os.link(str(made), str(folder / name))
    return folder


def check_whole(state, moved):
    """Check that each file but the history has a content with which it was moved into the folder."""
    for name, content in state:
        if name != HISTORY:
            assert (name, content) in moved, f"{name} has lost a part"


def check_checkpoints(folder, step):
    """Check the checkpoints of a folder after a step was reported as saved. Return the progress of the newest."""
    newest = newest_intact(folder)
    progress = read_progress(newest.prefix)
    record.read_run(folder).text()
    if newest.run.best:
        verify(str(folder / newest.run.best))
    verify(str(folder / f"i{progress.best.step}_l5.ckpt"))
    assert newest.skipped == ()
    assert progress.step >= step
    return progress


def check_files(files, progress):
    """Check the list of checkpoints, what is left of older ones, and the history; files is a dict of contents."""
    listing = files.get("checkpoint", b"").decode()
    for name in re.findall('^model_checkpoint_path: "(.*)"', listing, re.MULTILINE):
        assert f"{name}.index" in files, f"the list names {name}"
    for name in files:
        match = re.match(r"(i(\d+)_l5\.ckpt)\.", name)
        if match and int(match.group(2)) < progress.step:
            assert f"{match.group(1)}.json" in files, f"{name} is left of a checkpoint"
    assert progress.history.encode() in files.get(HISTORY, b""), "the history has lost rows"


def test_whatever_a_loss_of_power_leaves_is_intact(notes, tmp_path):
    """The newest checkpoint is one that was saved, with the best one, its text, history and TensorFlow's list."""
    moved = {(note[1], note[3]) for note in notes if note[0] == "moved"}
    tried = list(states(notes))
    assert len(tried) > 100
    for state, step in tried:
        if state is None:
            assert step == 0, "the folder is lost"
            continue
        check_whole(state, moved)
        folder = make_folder(tmp_path, state)
        try:
            progress = check_checkpoints(folder, step)
        except record.CheckpointError:
            assert step == 0, "a checkpoint is lost"
            continue
        check_files(dict(state), progress)


def test_these_checkpoints_were_saved(notes):
    assert [note[1] for note in notes if note[0] == "saved"] == [12, 24, 36, 46]


@pytest.mark.slow
def test_a_run_resumes_from_whatever_a_loss_of_power_leaves(run, notes, tmp_path):
    """To the outcome of a run that was not interrupted."""
    left = []
    for state, _ in states(notes):
        is_run = state is not None and dict(state).get("run.json")
        if is_run and state not in left:
            left.append(state)
    interval = max(1, len(left) // 12)
    for number, state in enumerate(left[::interval]):
        folder = tmp_path / f"copy{number}"
        shutil.copytree(str(make_folder(tmp_path, state)), str(folder))
        assert resume(folder) == 0
        assert_same_run(folder, run)
