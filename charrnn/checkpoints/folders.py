"""The folders of runs, also of those without a name.

The first run without a name goes to ``checkpoints``, as in the notebook, the next ones to
``checkpoints/2``, ``checkpoints/3`` and so on.
"""
import contextlib
import os
import re
from pathlib import Path
from typing import IO, List, Optional

from charrnn.checkpoints.record import LOCK_FILE, TEXT_FILE, CheckpointError, check_unused, is_run
from charrnn.data import StrPath
from charrnn.system import errors, files

FIRST = "checkpoints"


def run_folder(named: Optional[StrPath], resume: bool) -> StrPath:
    """Return the folder of a run: the one that is named, or else the newest to resume, or the next one for a new run.

    Raises:
        CheckpointError: the path that is named is a file, one that TensorFlow cannot write to, or, for a new run, the
            folder of another one.
    """
    if named is not None:
        _check_name(str(named))
        if Path(named).is_file():
            raise CheckpointError(f"{named} is a file: checkpoint_dir must be the name of a folder")
        if not resume:
            check_unused(named)
        return named
    if resume:
        return next((str(folder) for folder in _folders() if is_run(folder)), FIRST)
    return _unused_folder()


def reserve(folder: StrPath, resume: bool) -> IO[str]:
    """Reserve a run folder for the training of this process. The folder is made if necessary.

    Args:
        folder: the run folder.
        resume: whether it may hold a run.

    Returns:
        The lock, a file to be closed, that no other process can have.

    Raises:
        CheckpointError: the folder holds another run, or another process trains in it.
        OSError: it cannot be written.
    """
    if not resume:  # before the folder is made or locked: it may be of another program
        check_unused(folder)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        files.flush(Path(folder).parent)  # so that the folder is there after a loss of power
        lock = files.lock(Path(folder) / LOCK_FILE)
    except BlockingIOError:
        raise CheckpointError(f"another process is training in {folder}")
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be written: {errors.reason(error)}")
    try:
        if not resume:
            check_unused(folder)  # again: another process may have trained in it in the meantime
    except CheckpointError:
        lock.close()
        raise
    return lock


def _unused_folder() -> str:
    """Return the folder that a new run without a name takes."""
    newest = _folders()[0]
    with contextlib.suppress(CheckpointError):
        check_unused(newest)
        if not (newest / TEXT_FILE).exists():  # of a run that was killed when it began
            return str(newest)
    return str(Path(FIRST) / str(2 if newest == Path(FIRST) else int(newest.name) + 1))


def _check_name(path: str) -> None:
    r"""Raise CheckpointError if TensorFlow cannot write to a path, such as one with ``*?[\``, its signs of patterns."""
    if not path:
        raise CheckpointError("the path of the run folder is empty")
    refused = set(path) & set("*?[" if os.sep == "\\" else "*?[\\")
    if refused:
        raise CheckpointError(f"{path!r} cannot be the path of a run folder: TensorFlow does not support "
                              f"{' or '.join(sorted(refused))} in paths")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise CheckpointError(f"{path!r} cannot be the path of a run folder: TensorFlow needs a path in UTF-8")


def newest_with_checkpoint() -> Optional[str]:
    """Return the newest folder without a name that has a checkpoint, of this package or the notebook, or None."""
    return next((str(folder) for folder in _folders()
                 if (folder / "checkpoint").exists() or any(folder.glob("*.ckpt.json"))), None)


def _folders() -> List[Path]:
    """Return ``checkpoints`` and the numbered folders in it, the newest first."""
    numbers = [int(path.name) for path in Path(FIRST).glob("*") if re.fullmatch(r"[2-9]|[1-9]\d{1,8}", path.name)]
    return [*(Path(FIRST) / str(number) for number in sorted(numbers, reverse=True)), Path(FIRST)]
