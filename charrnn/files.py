"""Files that are whole or not there."""
import os
from pathlib import Path


def write_whole(path, data):
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
