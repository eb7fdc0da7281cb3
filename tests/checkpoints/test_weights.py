"""The weights in files: damaged and crafted .npz files, and what TensorFlow's Saver has written."""
import json
import os
import zipfile

import numpy as np
import pytest
from conftest import NEWEST, npy, signed_npz

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, read_saved, tensor_bundle
from charrnn.system.tensorflow import tf

WEIGHTS = {"rnn/kernel": np.arange(21, dtype=np.float32).reshape(3, 7), "softmax/Variable": np.zeros(5, np.float32)}
ABOUT = {"vocabulary": "\n abé\u2028\ud800\U0001f600"}


@pytest.fixture
def path(tmp_path):
    """A model file that can be read."""
    path = tmp_path / "m.npz"
    path.write_bytes(checkpoints.packed(WEIGHTS, ABOUT))
    return path


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
    for bit in range(0, 8 * len(content), 83):
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
    signed_npz({}), signed_npz({"about.npy": npy(np.frombuffer(b"[]", np.uint8))}), signed_npz({**GOOD, "x.npy": b"x"}),
    signed_npz({**GOOD, "x": b"no array"}), signed_npz({**GOOD, "x.npy": npy(np.array([Trap()], object))}),
    signed_npz({**GOOD, "x.npy": HEADER.ljust(128)}),  # 40 GB, and no data
    signed_npz({**GOOD, "x.npy": npy(np.zeros(1 << 20))}, zipfile.ZIP_DEFLATED)], ids=lambda content: "")
def test_a_crafted_file_is_refused_although_its_checksum_fits(path, content):
    path.write_bytes(content)
    check_refused(path, "")


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


def test_tensors_are_those_that_tensorflow_reads(trained):
    """Of any shape, and of a size that is no power of two."""
    prefix = str(trained / NEWEST)
    reader = tf.train.NewCheckpointReader(prefix)
    entries = tensor_bundle.read_index(prefix)
    assert {name: list(entry.shape) for name, entry in entries.items()} == reader.get_variable_to_shape_map()
    values = list(tensor_bundle.read_tensors(prefix, entries))
    assert len(values) == len(entries) == 3 * 6 + 2  # six variables with two slots each, and the powers of beta
    for name, value in zip(entries, values):
        np.testing.assert_array_equal(value, reader.get_tensor(name))


def test_a_large_tensor_and_an_index_of_many_blocks(tmp_path):
    values = {f"rnn/{'name' * 20}/{number}": np.float32(number) for number in range(200)}
    values["softmax/Variable"] = np.random.RandomState(1).standard_normal((321, 77)).astype(np.float32)
    found = read_saved(save_variables(tmp_path, values))
    assert set(found) == set(values) and all(np.array_equal(found[name], values[name]) for name in values)


def test_a_flipped_bit_in_what_a_saver_has_written_is_noticed_or_does_not_matter(tmp_path):
    prefix = save_variables(tmp_path, {"softmax/Variable": np.arange(9.0, dtype=np.float32), "rnn/a/kernel": 1.0})
    expected, refused = read_saved(prefix), 0
    for path in (tmp_path / "i1_l3.ckpt.index", tmp_path / "i1_l3.ckpt.data-00000-of-00001"):
        content = path.read_bytes()
        for bit in range(0, 8 * len(content), 19):
            damaged = bytearray(content)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bytes(damaged))
            try:
                found = read_saved(prefix)
                assert all(np.array_equal(found[name], values) for name, values in expected.items())
            except CheckpointError as error:
                assert str(error).startswith(f"the checkpoint {prefix} cannot be read: ") and "\n" not in str(error)
                refused += 1
        path.write_bytes(content)
    assert refused > 50


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_missing_file_of_a_saver_is_one_line(tmp_path, suffix):
    prefix = save_variables(tmp_path, {"softmax/Variable": 1.0})
    (tmp_path / f"i1_l3.ckpt{suffix}").unlink()
    with pytest.raises(CheckpointError, match="^the checkpoint .*i1_l3.ckpt cannot be read: No such file"):
        read_saved(prefix)
