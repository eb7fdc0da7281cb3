"""The weights in files: .npz files, good and damaged, and what TensorFlow's Saver has written."""

import json
import zipfile

import numpy as np
import pytest
from conftest import CHARS, npy, signed_npz

from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.weights import as_int8, packed, read_packed, read_saved, rounded
from charrnn.data import Vocabulary
from charrnn.engines.opening import open_model

WEIGHTS = {
    "rnn/kernel": np.arange(21, dtype=np.float32).reshape(3, 7),
    "softmax/Variable": np.zeros(5, np.float32),
}
ABOUT = {"vocabulary": "\n abé\u2028\ud800\udc00\U0001f600"}  # also the two halves of a character


@pytest.fixture
def path(tmp_path):
    """A model file that can be read."""
    path = tmp_path / "m.npz"
    path.write_bytes(packed(WEIGHTS, ABOUT))
    return path


def test_weights_are_read_as_they_were_written(path):
    weights, about, *_ = read_packed(path)
    assert about == ABOUT
    assert list(weights) == list(WEIGHTS)
    for name, values in WEIGHTS.items():
        np.testing.assert_array_equal(weights[name], values)


def test_numpy_reads_the_file_too(path):
    with np.load(str(path)) as arrays:
        assert list(arrays.files) == ["about", *WEIGHTS]
        about = arrays["about"].tobytes().decode("utf-8", "surrogatepass")
        np.testing.assert_array_equal(arrays["rnn/kernel"], WEIGHTS["rnn/kernel"])
    assert json.loads(about) == ABOUT


def test_other_programs_open_the_file(path):
    with zipfile.ZipFile(str(path)) as archive:
        assert archive.comment == path.read_bytes()[-64:]


MATRIX = np.float32([[0.2, -3], [-0.1, 1.5], [0.15, 0]])


def test_a_matrix_of_int8_has_a_scale_for_each_column(tmp_path):
    """The largest value of a column is exact, the others to half a step of 1/127 of it. Vectors stay as they are."""
    bias = np.float32([0.123456, 5])
    path = tmp_path / "m.npz"
    path.write_bytes(packed(rounded({"kernel": MATRIX, "bias": bias}, "int8"), ABOUT))
    weights, *_ = read_packed(path)
    assert list(weights) == ["kernel", "bias"]
    np.testing.assert_array_equal(weights["bias"], bias)
    np.testing.assert_allclose(weights["kernel"].max(axis=0), [0.2, 1.5], atol=0.012)
    error = np.abs(weights["kernel"] - MATRIX).max(axis=0)
    assert (error <= 1.001 * np.float32([0.2, 3]) / 254).all()


def test_a_column_of_zeros_stays_so():
    zeros = np.zeros((3, 2), np.float32)
    assert not as_int8(zeros, axis=0).decoded().any()


def check_refused(path, message):
    """Check that a file is refused in one short line, which names it."""
    expected = f"^the model .* cannot be read: .*{message}"
    with pytest.raises(CheckpointError, match=expected) as caught:
        read_packed(path)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    assert len(line) < 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content * 2,
        lambda content: content[:300] + bytes([content[300] ^ 4]) + content[301:],
    ],
    ids=["empty", "a byte less", "a byte more", "twice", "a bit"],
)
def test_other_content_is_refused(path, change):
    path.write_bytes(change(path.read_bytes()))
    check_refused(path, "it is damaged, or was not written by charrnn")


class Program:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, path):
        self._path = str(path)

    def __reduce__(self):
        return open, (self._path, "w")


def test_nothing_in_a_file_is_run(tmp_path):
    """An array of objects is a pickle, which can be a program."""
    objects = np.array([Program(tmp_path / "made")], dtype=object)
    about = np.frombuffer(json.dumps(ABOUT).encode(), np.uint8)
    members = {"about.npy": npy(about), "softmax/Variable.npy": npy(objects)}
    (tmp_path / "m.npz").write_bytes(signed_npz(members))
    check_refused(tmp_path / "m.npz", "allow_pickle=False")

    assert not (tmp_path / "made").exists()


def test_a_file_that_unpacks_to_more_than_its_size_is_refused(tmp_path):
    """No file of charrnn is compressed."""
    about = np.frombuffer(json.dumps(ABOUT).encode(), np.uint8)
    members = {"about.npy": npy(about), "softmax/Variable.npy": npy(np.zeros((999, 99)))}
    (tmp_path / "m.npz").write_bytes(signed_npz(members, zipfile.ZIP_DEFLATED))
    check_refused(tmp_path / "m.npz", "it unpacks to more than its size")


def test_a_file_with_an_entry_that_is_no_array_is_damaged(tmp_path):
    about = np.frombuffer(json.dumps(ABOUT).encode(), np.uint8)
    members = {"about.npy": npy(about), "readme.txt": b"hello"}
    (tmp_path / "m.npz").write_bytes(signed_npz(members))
    check_refused(tmp_path / "m.npz", "it is damaged: readme.txt is no array")


# What a Saver has written


def save_variables(folder, values):
    """Save a checkpoint of variables, given by a dict from their names to their initial values."""
    from charrnn.system.tensorflow import tf

    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in values.items():
            tf.Variable(value, name=name)
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, str(folder / "i1_l3.ckpt"))


def test_weights_are_read_without_the_optimizers_variables_and_averages_in_their_place(tmp_path):
    """Before TensorFlow 1.2, the cells had weights and biases, not a kernel and a bias."""
    values = {
        "softmax/Variable": 1.0,
        "softmax/Variable/ExponentialMovingAverage": 2.0,
        "rnn/b/kernel": 3.0,
        "rnn/a/weights": 4.0,
        "rnn/a/biases": 5.0,
        # of optimizers
        "softmax/Variable/Adam": 6.0,
        "softmax/Variable/Adam_1": 6.0,
        "softmax/Variable/RMSProp": 6.0,
        "softmax/Variable/RMSProp_1": 6.0,
        "beta1_power": 6.0,
        "global_step": 6.0,
    }
    prefix = save_variables(tmp_path, values)

    assert read_saved(prefix) == {
        "softmax/Variable": 2,
        "rnn/b/kernel": 3,
        "rnn/a/kernel": 4,
        "rnn/a/bias": 5,
    }


def test_slots_of_any_optimizer_in_the_checkpoint_of_another_program_are_skipped(network, tmp_path):
    """The names of its variables depend on those of the weights only, and not on what is learned."""
    from charrnn.system.tensorflow import tf

    expected = network.weights
    optimizers = [
        tf.train.MomentumOptimizer(0.1, 0.9),
        tf.train.RMSPropOptimizer(0.1, momentum=0.9, centered=True),
        tf.train.FtrlOptimizer(0.1),
        tf.train.AdadeltaOptimizer(0.1),
    ]
    with tf.Graph().as_default(), tf.Session() as session:
        variables = [tf.Variable(value, name=name) for name, value in expected.items()]
        loss = tf.add_n([tf.reduce_sum(variable) for variable in variables])
        global_step = tf.train.get_or_create_global_step()
        for optimizer in optimizers:
            optimizer.minimize(loss, global_step)
        session.run(tf.global_variables_initializer())
        saved = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"), global_step)

    # the weights, eight slots of each, and the step
    assert len(tf.train.list_variables(saved)) == 9 * len(expected) + 1
    weights = open_model(tmp_path, Vocabulary(CHARS)).weights
    assert set(weights) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value)


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_missing_file_of_a_saver_is_one_line(tmp_path, suffix):
    prefix = save_variables(tmp_path, {"softmax/Variable": 1.0})
    (tmp_path / f"i1_l3.ckpt{suffix}").unlink()
    message = "^the checkpoint .*i1_l3.ckpt cannot be read: ."

    with pytest.raises(CheckpointError, match=message) as caught:
        read_saved(prefix)
    assert "\n" not in str(caught.value)
