"""The weights in files: damaged and crafted .npz files, and what TensorFlow's Saver has written."""

import json
import zipfile

import numpy as np
import pytest
from conftest import CHARS

from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.weights import packed, read_packed, read_saved
from charrnn.data import Vocabulary
from charrnn.engines.model_file import open_model
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

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


def test_weights_are_read_as_they_were_written_and_numpy_reads_them_too(path):
    weights, about = read_packed(path)
    assert about == ABOUT and weights["softmax/Variable"].tolist() == [0] * 5
    np.testing.assert_array_equal(weights["rnn/kernel"], WEIGHTS["rnn/kernel"])
    with np.load(str(path)) as arrays:
        assert list(arrays.files) == ["about", *WEIGHTS]
        assert json.loads(arrays["about"].tobytes().decode("utf-8", "surrogatepass")) == ABOUT
        np.testing.assert_array_equal(arrays["rnn/kernel"], WEIGHTS["rnn/kernel"])
    with zipfile.ZipFile(str(path)) as archive:  # as other programs open it
        assert archive.comment == path.read_bytes()[-64:]


def check_refused(path, message):
    with pytest.raises(
        CheckpointError, match=f"^the model .* cannot be read: .*{message}"
    ) as raised:
        read_packed(path)
    assert (
        str(path) in str(raised.value)
        and "\n" not in str(raised.value)
        and len(str(raised.value)) < 1000
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content * 2,
        lambda content: content[:300] + bytes([content[300] ^ 4]) + content[301:],
    ],
)
def test_other_content_is_refused(path, change):
    path.write_bytes(change(path.read_bytes()))
    check_refused(path, "it is damaged, or was not written by charrnn")


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
    prefix = save_variables(
        tmp_path,
        {
            "softmax/Variable": 1.0,
            "softmax/Variable/ExponentialMovingAverage": 2.0,
            "rnn/b/kernel": 3.0,
            "rnn/a/weights": 4.0,
            "rnn/a/biases": 5.0,
            **dict.fromkeys([*others, "beta1_power", "global_step"], 6.0),
        },
    )
    assert read_saved(prefix) == {
        "softmax/Variable": 2,
        "rnn/b/kernel": 3,
        "rnn/a/kernel": 4,
        "rnn/a/bias": 5,
    }


@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda: tf.train.MomentumOptimizer(0.1, 0.9),
        lambda: tf.train.RMSPropOptimizer(0.1, momentum=0.9, centered=True),
        lambda: tf.train.FtrlOptimizer(0.1),
        lambda: tf.train.AdadeltaOptimizer(0.1),
    ],
)
def test_slots_of_any_optimizer_in_the_checkpoint_of_another_program_are_skipped(
    tmp_path, make_optimizer
):
    model = CharRNN(len(CHARS), batch_size=2, num_steps=3, lstm_size=5)
    trained = tf.trainable_variables()
    make_optimizer().minimize(model.loss, tf.train.get_or_create_global_step())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        saved = tf.train.Saver().save(
            session, str(tmp_path / "model.ckpt"), tf.train.get_global_step()
        )
        expected = session.run({variable.op.name: variable for variable in trained})
    assert len(tf.train.list_variables(saved)) > 2 * len(trained)
    weights = open_model(tmp_path, Vocabulary(CHARS)).weights
    assert set(weights) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value)


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_missing_file_of_a_saver_is_one_line(tmp_path, suffix):
    prefix = save_variables(tmp_path, {"softmax/Variable": 1.0})
    (tmp_path / f"i1_l3.ckpt{suffix}").unlink()
    with pytest.raises(
        CheckpointError, match="^the checkpoint .*i1_l3.ckpt cannot be read: ."
    ) as raised:
        read_saved(prefix)
    assert "\n" not in str(raised.value)
