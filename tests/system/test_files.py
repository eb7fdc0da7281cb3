"""Atomic writes and locks."""

import contextlib
import errno
import os
import stat
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
    with pytest.raises(BlockingIOError, match="another process holds the lock .*lock"):
        files.lock(tmp_path / "lock")
    lock.close()
    files.lock(tmp_path / "lock").close()


def test_a_link_that_a_user_names_stays_a_link(tmp_path, monkeypatch):
    """And one that is found where a file of ours should be is replaced, not what it points to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(Path("folder") / "other")
    (tmp_path / "folder" / "other").symlink_to("file")
    for content in (b"new", b"replaced"):
        files.write_atomically(files.target_of("link"), content)
        assert (tmp_path / "link").is_symlink() and (
            tmp_path / "folder" / "file"
        ).read_bytes() == content
    assert sorted(os.listdir("folder")) == ["file", "other"]
    files.write_atomically("link", b"ours")
    assert (
        not (tmp_path / "link").is_symlink()
        and (tmp_path / "folder" / "file").read_bytes() == b"replaced"
    )


def test_what_is_not_a_file_is_not_replaced(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    for name in ("pipe", "link", "device", "."):
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
