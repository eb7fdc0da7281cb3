"""The weights in files: damaged and crafted .npz files, and what TensorFlow's Saver has written."""
import hashlib
import io
import json
import os
import zipfile

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


def signed(members, compression=zipfile.ZIP_STORED):
    """Return a zip file of members, a dict, with the checksum that fits, as somebody who crafts one would."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    content = buffer.getvalue()[:-2] + (64).to_bytes(2, "little")
    return content + hashlib.sha256(content).hexdigest().encode()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


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


def check_refused(path, message):
    with pytest.raises(CheckpointError, match=f"^the model .* cannot be read: .*{message}") as raised:
        checkpoints.read_packed(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 1000


@pytest.mark.parametrize("change", [
    lambda content: b"", lambda content: b"the cat", lambda content: content[:-1], lambda content: content[9:],
    lambda content: content + b"\0", lambda content: content * 2])
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


GOOD = {"about.npy": npy(np.frombuffer(b"{}", np.uint8))}
HEADER = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000,)}"


@pytest.mark.parametrize("content", [
    signed({}), signed({"about.npy": npy(np.frombuffer(b"[]", np.uint8))}), signed({**GOOD, "x.npy": b"x"}),
    signed({**GOOD, "x": b"no array"}), signed({**GOOD, "x.npy": npy(np.array([Trap()], object))}),
    signed({**GOOD, "x.npy": HEADER.ljust(128)}),  # 40 GB, and no data
    signed({**GOOD, "x.npy": npy(np.zeros(1 << 20))}, zipfile.ZIP_DEFLATED)], ids=lambda content: "")
def test_a_crafted_file_is_refused_although_its_checksum_fits(path, content):
    path.write_bytes(content)
    check_refused(path, "it is not a model of charrnn")


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


@pytest.mark.parametrize("suffix, content", [
    (".data-00000-of-00001", None), (".index", b"\xff" * 100)])
def test_damaged_files_of_tensorflow_are_one_line(tmp_path, suffix, content):
    """Whatever TensorFlow does with them, which may end its process."""
    prefix = save_variables(tmp_path, {"softmax/Variable": np.zeros((9, 9)), "rnn/a/kernel": 1.0})
    (tmp_path / f"i1_l3.ckpt{suffix}").unlink()
    if content is not None:
        (tmp_path / f"i1_l3.ckpt{suffix}").write_bytes(content)
    with pytest.raises(CheckpointError, match="^the checkpoint .*i1_l3.ckpt cannot be read: .*$") as raised:
        read_saved(prefix)
    assert "\n" not in str(raised.value)


def test_a_process_that_crashes_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "crashing"))
    (tmp_path / "crashing").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "crashing").chmod(0o755)
    with pytest.raises(CheckpointError, match="^the checkpoint p cannot be read: its files are damaged$"):
        read_saved("p")
