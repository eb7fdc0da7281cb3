"""The kinds of cells that a network can be made of. TensorFlow is imported only when a cell is built."""
from typing import Any, NamedTuple

MOST_LAYERS = 32  # with more, the graph takes long to build


class Kind(NamedTuple):
    """A kind of cell.

    Attributes:
        class_name: its class, in ``tf.nn.rnn_cell`` or, for ``contrib``, in ``tf.contrib.rnn``.
        scope: the scope of its variables in a layer.
        contrib: whether only TensorFlow 1.15 has it.
    """

    class_name: str
    scope: str
    contrib: bool = False


# Sources: BasicLSTMCell is the notebook's; the others are of Cho et al. 2014 (arXiv:1406.1078), Elman 1990, Ba et al.
# 2016 (arXiv:1607.06450), and Zoph and Le 2017 (arXiv:1611.01578).
CELLS = {
    "lstm": Kind("BasicLSTMCell", "basic_lstm_cell"),
    "gru": Kind("GRUCell", "gru_cell"),
    "rnn": Kind("BasicRNNCell", "basic_rnn_cell"),
    "layer-norm-lstm": Kind("LayerNormBasicLSTMCell", "layer_norm_basic_lstm_cell", contrib=True),
    "nas": Kind("NASCell", "nas_cell", contrib=True),
}


def build_stack(name: str, lstm_size: int, num_layers: int, keep_prob: Any = 1.0, input_keep_prob: float = 1.0) -> Any:
    """Stack cells of one kind, each with dropout on its output, as the notebook's ``build_lstm`` stacks LSTM cells.

    Args:
        name: one of CELLS.
        lstm_size: L.
        num_layers: number of layers.
        keep_prob: probability of keeping a unit of a cell's output, a number or a float32 scalar tensor.
        input_keep_prob: probability of keeping a unit of a cell's input.

    Returns:
        A ``MultiRNNCell``. Its state is, for each layer, an ``LSTMStateTuple`` of c and h; h alone for ``gru`` and
        ``rnn``.

    Raises:
        ValueError: this TensorFlow does not have the cell.
    """
    from charrnn.system.tensorflow import contrib_rnn, is_version_1, tf
    if CELLS[name].contrib and not is_version_1():
        raise ValueError(f"the cell {name} is part of tf.contrib, which TensorFlow 2 does not have: use TensorFlow "
                         "1.15 on Python 3.7, or the cell lstm, gru or rnn")
    build_cell = getattr(contrib_rnn() if CELLS[name].contrib else tf.nn.rnn_cell, CELLS[name].class_name)
    return tf.nn.rnn_cell.MultiRNNCell([
        tf.nn.rnn_cell.DropoutWrapper(build_cell(lstm_size), input_keep_prob, keep_prob) for _ in range(num_layers)])
