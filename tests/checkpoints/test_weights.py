"""The sizes and weights in a checkpoint."""
import numpy as np
import pytest

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError
from charrnn.checkpoints.weights import network_sizes
from charrnn.system.tensorflow import tf


def save_variables(folder, values):
    """Save a checkpoint of variables, given by a dict from their names to their initial values."""
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in values.items():
            tf.Variable(value, name=name)
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, str(folder / "i1_l3.ckpt"))


@pytest.mark.parametrize("cell, scope", [
    ("lstm", "basic_lstm_cell"), ("gru", "gru_cell"), ("rnn", "basic_rnn_cell"),
    ("layer-norm-lstm", "layer_norm_basic_lstm_cell"), ("nas", "nas_cell")])
def test_sizes_and_cell_are_read_from_the_variables(tmp_path, cell, scope):
    prefix = save_variables(tmp_path, {
        "softmax/Variable": np.zeros((3, 2)),
        **{f"rnn/multi_rnn_cell/cell_{layer}/{scope}/kernel": np.zeros(((2, 3)[layer > 0] + 3, 12))
           for layer in range(4)}})
    assert network_sizes(prefix) == (2, 3, 4, cell)


@pytest.mark.parametrize("shapes, message", [
    ({"other": [2, 3]}, "no matrix softmax/Variable"),
    ({"softmax/Variable": [3]}, "no matrix softmax/Variable"),
    ({"softmax/Variable": [3, 2]}, "no layers of a known cell"),
    ({"softmax/Variable": [3, 2], "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel": [4, 12]},
     r"kernel has shape \(4, 12\), not \(5, 12\)")])
def test_a_checkpoint_of_another_kind_of_network_is_refused(tmp_path, shapes, message):
    prefix = save_variables(tmp_path, {name: np.zeros(shape) for name, shape in shapes.items()})
    with pytest.raises(CheckpointError, match=f"is not a checkpoint of this network: .*{message}"):
        network_sizes(prefix)


def test_running_averages_are_read_in_place_of_weights(tmp_path):
    prefix = save_variables(tmp_path, {
        "softmax/Variable": 1.0, "softmax/Variable/ExponentialMovingAverage": 2.0, "rnn/kernel": 3.0})
    assert checkpoints.read_weights(prefix) == {"softmax/Variable": 2, "rnn/kernel": 3}


def test_the_optimizers_variables_are_not_weights(tmp_path):
    slots = ["softmax/Variable/Adam", "softmax/Variable/Adam_1", "rnn/kernel/RMSProp", "rnn/kernel/RMSProp_1",
             "beta1_power"]
    prefix = save_variables(tmp_path, {"softmax/Variable": 1.0, "rnn/kernel": 2.0, **dict.fromkeys(slots, 3.0)})
    assert checkpoints.read_weights(prefix) == {"softmax/Variable": 1, "rnn/kernel": 2}


@pytest.mark.parametrize("lstm_size, num_layers, message", [
    (7, 2, "is of another network: rnn/.*kernel: "), (5, 3, "is of another network: it has no rnn/.*cell_2")])
def test_weights_of_another_network_are_not_loaded(trained, lstm_size, num_layers, message):
    from charrnn.model import CharRNN
    CharRNN(14, 2, 3, lstm_size, num_layers)
    with tf.Session() as session, pytest.raises(CheckpointError, match=message):
        checkpoints.load_weights(session, str(trained / "i173_l5.ckpt"))


def test_other_variables_are_not_restored(tmp_path):
    prefix = save_variables(tmp_path, {"a": 1.0})
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(2.0, name="b")
        with pytest.raises(CheckpointError, match=f"{prefix} cannot be restored: Key b not found"):
            checkpoints.restore(session, tf.train.Saver(), prefix)
