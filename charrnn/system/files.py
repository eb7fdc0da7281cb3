"""Atomic and durable writes, and a lock between processes."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
from pathlib import Path
from typing import IO, Union

# the pattern of temporary names
TEMPORARY = f"*.{'[0-9a-f]' * 12}.tmp"


def write_atomically(path: Union[str, Path], content: bytes) -> None:
    """Write a file so that its path never refers to incomplete content, even after a loss of power.

    When this returns, the new content is on the disk. Files that only the old content refers to can then be removed. A
    file keeps its mode. A symbolic link is replaced, see :func:`target_of`.

    Args:
        path: the file to create or replace, in an existing folder.
        content: the new content.

    Raises:
        OSError: the file cannot be written. An existing file is unchanged, and no temporary file remains.
    """
    temporary = temporary_name(path)
    try:
        # "x": not through a link that somebody has put there
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # There may be no file yet, or the file system has no modes.
        with contextlib.suppress(OSError):
            shutil.copymode(str(path), temporary)
        os.replace(temporary, str(path))
    except OSError as error:
        # The error names the file that was asked for, not the temporary one.
        raise OSError(error.errno, error.strerror or str(error), str(path))
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    flush(Path(path).parent)


def read_regular(path: Union[str, Path]) -> bytes:
    """Return the content of a file. A pipe or a device, which may have no end, is not opened.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    if not stat.S_ISREG(os.stat(str(path)).st_mode):
        raise OSError(errno.EINVAL, "it is a folder or a device, not a file", str(path))
    return Path(path).read_bytes()


def target_of(path: Union[str, Path]) -> str:
    """Return the file that a path named by a user refers to, which :func:`write_atomically` can then write.

    For a symbolic link, this is the file that it points to, so that the link is not replaced.

    Raises:
        OSError: there is no folder for the file, or the file is read-only or not a regular file.
    """
    target = os.path.realpath(str(path))
    if os.path.exists(target) and not os.path.isfile(target):
        raise OSError(errno.EINVAL, "it is a folder or a device, not a file", str(path))
    if not os.path.isdir(os.path.dirname(target)):
        raise OSError(errno.ENOENT, "there is no folder for it", str(path))
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, "the file is read-only", str(path))
    return target


def temporary_name(path: Union[str, Path]) -> str:
    """Return a new name next to a path, which fits TEMPORARY. A killed process leaves a file with such a name."""
    # without a slash at its end
    path = Path(path)
    return str(path.with_name(f"{path.name}.{secrets.token_hex(6)}.tmp"))


def flush(path: Union[str, Path]) -> None:
    """Flush the content of a file, or the entries of a folder, to the disk."""
    # Windows cannot flush folders.
    if sys.platform == "win32" and os.path.isdir(str(path)):
        return
    mode = os.O_RDONLY
    if sys.platform == "win32":
        mode = os.O_RDWR
    descriptor = os.open(str(path), mode)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # EINVAL: the file system has no flushing of folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def lock(path: Union[str, Path]) -> IO[str]:
    """Take a lock, which this process holds until the file is closed or the process ends, whichever comes first.

    Its file, in an existing folder, is created if necessary and never removed.

    Raises:
        BlockingIOError: another process holds the lock.
        OSError: the file cannot be created, or is on a file system without locks.
    """
    file = open(str(path), "a")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        # On Windows it is PermissionError.
        if isinstance(error, (BlockingIOError, PermissionError)):
            raise BlockingIOError(f"another process holds the lock {path}")
        raise
    return file


def unlock(lock: IO[str]) -> None:
    """Give up a lock. Closing its file alone would leave it to a child process that has inherited the file."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(lock.fileno(), fcntl.LOCK_UN)
    lock.close()


def is_in_place(lock: IO[str]) -> bool:
    """Return whether a lock is still at its path. It is not if its folder was moved, removed or replaced."""
    try:
        return os.path.samestat(os.stat(lock.name), os.fstat(lock.fileno()))
    except OSError:
        return False


def is_full(error: Exception) -> bool:
    """Return whether an error, perhaps one of TensorFlow, says that there is no space left on a disk."""
    reasons = [os.strerror(errno.ENOSPC)]
    # Windows has no quotas of this kind.
    if hasattr(errno, "EDQUOT"):
        reasons.append(os.strerror(errno.EDQUOT))
    return any(reason in str(error) for reason in reasons)


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of the content of a file."""
    return hashlib.sha256(content).hexdigest()


def text_sha256(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text in UTF-8."""
    return sha256(text.encode("utf-8", "surrogatepass"))
