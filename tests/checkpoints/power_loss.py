"""What a loss of power may leave of a run folder.

A :class:`Recorder` notes what training does to the folder: files that are moved into it or removed, and what is flushed
with fsync. :func:`states` replays the notes. A file has the content with which it was last flushed, and is empty if it
never was. A folder has the entries with which it was last flushed. Of the entries that changed since then, a file
system may keep any.
"""
import contextlib
import itertools
import os
import pathlib
import sys
from pathlib import Path

from charrnn import checkpoints

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
        def save(session, saver, folder, lstm_size, progress, *args):
            prefix = usual(session, saver, folder, lstm_size, progress, *args)
            self.notes.append(("saved", progress.step))
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
