"""Files that are whole or not there, and a lock."""
import contextlib
import os
import re
from pathlib import Path


def write_atomically(path, data):
    """Write a file so that its name never stands for half of it, whatever happens on the way.

    Args:
        path: the file to make or replace. Its folder must exist.
        data: bytes.

    Raises:
        OSError: it cannot be written. What stood there before still does, and nothing is left behind.
    """
    path = Path(path)
    temporary = path.with_name("{}.{}.tmp".format(path.name, os.getpid()))
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


def remove_leftovers(path):
    """Remove what :func:`write_atomically` leaves beside a path when its process is killed."""
    path = Path(path)
    for found in path.parent.glob("*.tmp"):
        if re.fullmatch(re.escape(path.name) + r"\.\d+\.tmp", found.name):
            found.unlink()


def flush(path):
    """Have the system write a file, or the names in a folder, to the disk."""
    if os.name == "nt" and os.path.isdir(str(path)):
        return  # Windows has no such thing for folders
    descriptor = os.open(str(path), os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path):
    """Hold a lock; it ends with the block or with the process, however that ends. The file stays.

    Args:
        path: the lock's file, made if need be. Its folder must exist.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file cannot be made.
    """
    with open(str(path), "a") as file:
        try:
            if os.name == "nt":
                import msvcrt
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BlockingIOError("{} is held by another process".format(path))
        yield
