"""The weights in files: damaged and crafted .npz files, and what TensorFlow's Saver has written."""
import hashlib
import io
import json
import os
import re
import struct
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, read_saved
from charrnn.system.tensorflow import tf

WEIGHTS = {"rnn/kernel": np.arange(21, dtype=np.float32).reshape(3, 7), "softmax/Variable": np.zeros(5, np.float32)}
ABOUT = {"vocabulary": "\n abé\u2028\ud800\U0001f600"}


@pytest.fixture
def path(tmp_path):
    """A model file that can be read."""
    path = tmp_path / "m.npz"
    path.write_bytes(checkpoints.packed(WEIGHTS, ABOUT))
    return path


def check_refused(path, message=""):
    """Check that a file is refused in a line, soon, and without much memory."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = peak_memory(), time.process_time()
    with pytest.raises(CheckpointError, match=f"^the model .* cannot be read: .*{message}") as raised:
        checkpoints.read_packed(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 1000
    assert time.process_time() - started < 10
    assert peak_memory() - before < 30 << 10


def peak_memory():
    """Return the most memory that this process has had, in kilobytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text()).group(1))


def signed(content):
    """Return a zip file with the checksum that fits, as somebody who crafts one would."""
    content = content[:-2] + (64).to_bytes(2, "little")
    return content + hashlib.sha256(content).hexdigest().encode()


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of duplicate names
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def with_header(header, data=b"", version=1):
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + (
        header.encode("latin-1") + data)


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was run",)


def test_weights_are_read_as_they_were_written_and_numpy_reads_them_too(path):
    weights, about = checkpoints.read_packed(path)
    assert about == ABOUT and weights["softmax/Variable"].tolist() == [0] * 5
    np.testing.assert_array_equal(weights["rnn/kernel"], WEIGHTS["rnn/kernel"])
    with np.load(str(path)) as arrays:
        assert list(arrays.files) == ["about", *WEIGHTS]
        assert json.loads(arrays["about"].tobytes().decode()) == ABOUT
        np.testing.assert_array_equal(arrays["rnn/kernel"], WEIGHTS["rnn/kernel"])


def test_a_flipped_bit_anywhere_is_noticed(path):
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 13):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        with pytest.raises(CheckpointError, match="it is damaged, or was not written by charrnn"):
            checkpoints.read_packed(path)


@pytest.mark.parametrize("change", [
    lambda content: b"", lambda content: b"the cat", lambda content: content[:-1], lambda content: content[:70],
    lambda content: content[9:], lambda content: content + b"\0", lambda content: content * 2,
    lambda content: content[:99] + content[98:]])
def test_other_content_is_refused(path, change):
    path.write_bytes(change(path.read_bytes()))
    check_refused(path, "it is damaged, or was not written by charrnn")


@pytest.mark.parametrize("name, message", [
    ("missing.npz", "No such file"), ("folder.npz", "it is a folder, not a file"),
    ("pipe.npz", "it is a FIFO, not a file"), ("a\x00b.npz", "null")])
def test_what_is_not_a_file_is_refused(tmp_path, name, message):
    (tmp_path / "folder.npz").mkdir()
    os.mkfifo(str(tmp_path / "pipe.npz"))
    check_refused(tmp_path / name, message)


MEMBERS = [("about.npy", npy(np.frombuffer(json.dumps(ABOUT).encode(), np.uint8))),
           *((f"{name}.npy", npy(values)) for name, values in WEIGHTS.items())]
BOMB = npy(np.zeros(1 << 24, np.float32))  # 64 MB


def of_about(content):
    return zipped([("about.npy", npy(np.frombuffer(content, np.uint8)))])


@pytest.mark.parametrize("content", [
    b"", b"PK", zipped([]), zipped(MEMBERS)[:-30], zipped(MEMBERS[1:]), zipped(MEMBERS)[9:],
    *(zipped([*MEMBERS, ("x.npy", BOMB)], kind) for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)),
    *(zipped(MEMBERS).replace(b"PK\x01\x02", fields) for fields in (b"PK\x01\x03", b"PK\x01\x02" + b"\xff" * 9)),
    *(of_about(about) for about in (b"", b"{", b"[]", b"7", b"\xff", b"[" * 100000, b'{"a":' * 100000)),
    *(zipped([*MEMBERS, ("x.npy", data)]) for data in (
        b"", b"x", npy(np.array([Trap()], object)), BOMB[:200], with_header(""), with_header("{[]: 1}"),
        with_header("{'descr': '<f4'}"), with_header("__import__('os').abort()"), with_header("x" * 70000, version=2),
        with_header("", version=9), *(with_header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}")
                                      for kind in ("<f4", "|O", "V1000000000", "<f4,<f4") for shape in (
            "(10**9,)", "(1000000000,)", "(100000, 100000)", "(99999999999999,)", "(-1,)", "(True,)", "5", "None"))))],
    ids=lambda content: "")
def test_a_crafted_file_is_refused_although_its_checksum_fits(path, content):
    path.write_bytes(signed(content))
    check_refused(path)


# What a Saver has written


def save_variables(folder, values):
    """Save a checkpoint of variables, given by a dict from their names to their initial values."""
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in values.items():
            tf.Variable(value, name=name)
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, str(folder / "i1_l3.ckpt"))


def test_weights_are_read_without_the_optimizers_variables_and_averages_in_their_place(tmp_path):
    """Before TensorFlow 1.2, the cells had weights and biases, not a kernel and a bias."""
    others = [f"softmax/Variable/{slot}" for slot in ("Adam", "Adam_1", "RMSProp", "RMSProp_1")]
    prefix = save_variables(tmp_path, {
        "softmax/Variable": 1.0, "softmax/Variable/ExponentialMovingAverage": 2.0, "rnn/b/kernel": 3.0,
        "rnn/a/weights": 4.0, "rnn/a/biases": 5.0, **dict.fromkeys([*others, "beta1_power", "global_step"], 6.0)})
    assert read_saved(prefix) == {"softmax/Variable": 2, "rnn/b/kernel": 3, "rnn/a/kernel": 4, "rnn/a/bias": 5}


@pytest.mark.parametrize("suffix, change, message", [
    (".data-00000-of-00001", None, "i1_l3.ckpt.data-00000-of-00001; No such file or directory"),
    (".index", None, ""), (".data-00000-of-00001", lambda content: content[:5], ""),
    (".index", lambda content: content[:40], ""), (".index", lambda content: b"", ""),
    (".index", lambda content: content[:9] + b"\xff" * 30 + content[39:], "")])
def test_damaged_files_of_tensorflow_are_one_line(tmp_path, suffix, change, message):
    """Whatever TensorFlow does with them, which may end its process."""
    prefix = save_variables(tmp_path, {"softmax/Variable": np.zeros((9, 9)), "rnn/a/kernel": 1.0})
    path = tmp_path / f"i1_l3.ckpt{suffix}"
    content = path.read_bytes()
    path.unlink()
    if change:
        path.write_bytes(change(content))
    with pytest.raises(CheckpointError, match=f"^the checkpoint .*i1_l3.ckpt cannot be read: .*{message}$") as raised:
        read_saved(prefix)
    assert "\n" not in str(raised.value)


def test_a_process_that_crashes_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "crashing"))
    (tmp_path / "crashing").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "crashing").chmod(0o755)
    with pytest.raises(CheckpointError, match="^the checkpoint p cannot be read: its files are damaged$"):
        read_saved("p")
