"""Atomic writes, and a lock between processes."""
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import Iterator, Union


def write_atomically(path: Union[str, Path], data: bytes) -> None:
    """Write a file so that its path never refers to incomplete content, even after a crash.

    Args:
        path: the file to create or replace, in an existing folder.
        data: the new content.

    Raises:
        OSError: the file cannot be written. An existing file is unchanged, and no temporary file remains.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(str(temporary), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(temporary), str(path))
    except BaseException:
        if temporary.exists():
            temporary.unlink()
        raise


def remove_leftovers(path: Union[str, Path]) -> None:
    """Remove the temporary files of :func:`write_atomically` that killed processes have left for a path."""
    path = Path(path)
    for found in path.parent.glob("*.tmp"):
        if re.fullmatch(re.escape(path.name) + r"\.\d+\.tmp", found.name):
            found.unlink()


def flush(path: Union[str, Path]) -> None:
    """Flush the content of a file, or the entries of a folder, to the disk."""
    if sys.platform == "win32" and os.path.isdir(str(path)):
        return  # Windows cannot flush folders
    descriptor = os.open(str(path), os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Union[str, Path]) -> Iterator[None]:
    """Hold a lock until the end of the block or of the process, whichever comes first.

    Args:
        path: the lock file, in an existing folder. It is created if necessary and never removed.

    Raises:
        BlockingIOError: another process holds the lock.
        OSError: the file cannot be created.
    """
    with open(str(path), "a") as file:
        try:
            if sys.platform == "win32":
                import msvcrt
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BlockingIOError(f"another process holds the lock {path}")
        yield
