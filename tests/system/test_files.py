"""Atomic writes and locks."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.system import files


def test_a_file_is_created_and_replaced(tmp_path):
    for content in (b"old", b"new"):
        files.write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert os.listdir(str(tmp_path)) == ["file"]


@pytest.mark.parametrize(
    "number, raised",
    [(errno.EINVAL, contextlib.nullcontext()), (errno.EIO, pytest.raises(OSError, match="failed"))],
)
def test_a_folder_that_cannot_be_flushed_is_an_error_unless_no_folder_can(
    tmp_path, monkeypatch, number, raised
):
    def fail(descriptor):
        raise OSError(number, "failed")

    monkeypatch.setattr(os, "fsync", fail)
    with raised:
        files.flush(tmp_path)


def test_a_lock_cannot_be_held_twice(tmp_path):
    lock = files.lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError, match=r"another process holds the lock .*lock"):
        files.lock(tmp_path / "lock")
    lock.close()
    files.lock(tmp_path / "lock").close()


@pytest.mark.skipif(sys.platform == "win32", reason="no child inherits a file on Windows")
def test_a_lock_is_given_up_though_a_child_has_inherited_its_file(tmp_path):
    command = [sys.executable, "-c", "input()"]
    with contextlib.closing(files.lock(tmp_path / "lock")) as lock:
        child = subprocess.Popen(command, stdin=-1, pass_fds=[lock.fileno()])
        try:
            files.unlock(lock)
            files.lock(tmp_path / "lock").close()
        finally:
            child.communicate(b"\n")


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """A folder with a link to a link to a file, which is not there yet: link, folder/other and folder/file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(Path("folder") / "other")
    (tmp_path / "folder" / "other").symlink_to("file")
    return tmp_path


@pytest.mark.parametrize("exists", [False, True])
def test_a_link_that_a_user_names_stays_a_link(linked, exists):
    if exists:
        (linked / "folder" / "file").write_bytes(b"old")
    files.write_atomically(files.target_of("link"), b"new")
    assert (linked / "link").is_symlink()
    assert (linked / "folder" / "file").read_bytes() == b"new"
    assert sorted(os.listdir("folder")) == ["file", "other"]


def test_a_link_where_a_file_of_ours_should_be_is_replaced(linked):
    """What it points to stays."""
    (linked / "folder" / "file").write_bytes(b"theirs")
    files.write_atomically("link", b"ours")
    assert not (linked / "link").is_symlink()
    assert (linked / "folder" / "file").read_bytes() == b"theirs"


@pytest.mark.parametrize("name", ["pipe", "link", "device", "."])
def test_what_is_not_a_file_is_not_replaced(tmp_path, name):
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    with pytest.raises(OSError, match="it is a folder or a device, not a file"):
        files.target_of(tmp_path / name)


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as for any user but root
    with pytest.raises(OSError, match="the file is read-only"):
        files.target_of(tmp_path / "file")


def test_a_file_keeps_its_mode(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "file").chmod(0o640)
    files.write_atomically(tmp_path / "file", b"new")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
