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
from charrnn.checkpoints.run import Run, read_progress
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
            (Run, "save", self._save),
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
            if path in (self._folder, os.path.dirname(self._folder)):
                self.notes.append(("flushed folder" if path == self._folder else "flushed parent",))
            elif path.startswith(self._folder) and not os.path.isdir(path):
                self.notes.append(("flushed file", self._number(path), Path(path).read_bytes()))

        return fsync

    def _replace(self, usual):
        def replace(source, target):
            if os.path.dirname(target) == self._folder:
                self._forget(target)
                self.notes.append(
                    (
                        "moved",
                        os.path.basename(target),
                        self._number(source),
                        Path(source).read_bytes(),
                    )
                )
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
    contents = {}
    entries = {}
    changes = []
    lasts = False
    step = 0
    seen = set()
    for kind, *details in notes:
        if kind == "flushed file":
            contents[details[0]] = details[1]
        elif kind == "flushed folder":
            entries = changed(entries, changes)
            changes = []
        elif kind == "flushed parent":
            lasts = True
        elif kind in ("moved", "removed"):
            changes.append((details[0], details[1] if kind == "moved" else None))
        else:
            step = details[0]
        left = [
            tuple(
                sorted(
                    (name, contents.get(file, b"")) for name, file in changed(entries, kept).items()
                )
            )
            for kept in selections(changes)
        ]
        for state in [*([] if lasts else [None]), *left]:
            if (state, step) not in seen:
                seen.add((state, step))
                yield state, step


def changed(entries, changes):
    """Return the entries of a folder, a dict from name to file, after some changes."""
    found = {**entries, **dict(changes)}
    return {name: file for name, file in found.items() if file is not None}


def selections(changes):
    """Return the selections of changes that are tried."""
    if len(changes) <= KEPT_IN_ALL_WAYS:
        return [
            kept
            for number in range(len(changes) + 1)
            for kept in itertools.combinations(changes, number)
        ]
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
    with pytest.MonkeyPatch.context() as patch:
        recorder = Recorder(run, patch)
        assert (
            train.main(
                [
                    str(write_text(run.parent / "text.txt")),
                    *FLAGS,
                    "--checkpoint-dir",
                    str(run),
                    "--no-summaries",
                    "--epochs",
                    "1",
                    "--save-every-n",
                    "12",
                    "--eval-every-n",
                    "0",
                    "--max-to-keep",
                    "1",
                ]
            )
            == 0
        )
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


def problem(notes, base, state, step):
    """Return what is wrong with a state after a step was reported as saved, or None."""
    if state is None:
        return "the folder is lost" if step else None
    whole = {(note[1], note[3]) for note in notes if note[0] == "moved"}
    lost = [name for name, content in state if name != HISTORY and (name, content) not in whole]
    if lost:
        return f"{lost} have lost a part"
    folder = make_folder(base, state)
    try:
        found = newest_intact(folder)
        record.read_text(record.read_run(folder))
        progress = read_progress(found.prefix)
        for name in [found.run.best or Path(found.prefix).name, f"i{progress.best.step}_l5.ckpt"]:
            verify(str(folder / name))
    except record.CheckpointError as error:
        return str(error) if step else None
    if found.skipped or progress.step < step:
        return f"the newest checkpoint is that of step {progress.step}: {found.skipped}"
    files = dict(state)
    listed = re.findall(
        '^model_checkpoint_path: "(.*)"', files.get("checkpoint", b"").decode(), re.MULTILINE
    )
    if any(f"{name}.index" not in files for name in listed):
        return f"the list names {listed}"
    left = [
        name
        for name in files
        if ".ckpt." in name and name.split(".ckpt.")[0] + ".ckpt.json" not in files
    ]
    if any(int(name.split("_")[0][1:]) < progress.step for name in left):
        return f"{left} are left of a checkpoint that was removed"
    return (
        None
        if progress.history.encode() in files.get(HISTORY, b"")
        else "the history has lost rows"
    )


def test_whatever_a_loss_of_power_leaves_is_intact(notes, tmp_path):
    """The newest checkpoint is one that was saved, with the best one, its text, history and TensorFlow's list."""
    tried = list(states(notes))
    for state, step in tried:
        assert problem(notes, tmp_path, state, step) is None
    assert len(tried) > 100 and [note[1] for note in notes if note[0] == "saved"] == [
        12,
        24,
        36,
        46,
    ]


@pytest.mark.slow
def test_a_run_resumes_from_whatever_a_loss_of_power_leaves(run, notes, tmp_path):
    """To the outcome of a run that was not interrupted."""
    left = list(
        dict.fromkeys(state for state, _ in states(notes) if state and dict(state).get("run.json"))
    )
    for number, state in enumerate(left[:: max(1, len(left) // 12)]):
        folder = Path(
            shutil.copytree(str(make_folder(tmp_path, state)), str(tmp_path / f"copy{number}"))
        )
        assert resume(folder) == 0
        assert_same_run(folder, run)
