"""The cells of a network in TensorFlow, which is imported when they are built."""

from typing import Any

from charrnn.hyperparameters import CELLS


def build_stack(
    name: str, lstm_size: int, num_layers: int, keep_prob: Any = 1.0, input_keep_prob: float = 1.0
) -> Any:
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

    kind = CELLS[name]
    module = tf.nn.rnn_cell
    if kind.contrib:
        if not is_version_1():
            raise ValueError(
                f"the cell {name} is part of tf.contrib, which TensorFlow 2 does not have: use TensorFlow "
                "1.15 on Python 3.7, or the cell lstm, gru or rnn"
            )
        module = contrib_rnn()
    cell_class = getattr(module, kind.class_name)

    layers = []
    for _ in range(num_layers):
        cell = cell_class(lstm_size)
        layers.append(tf.nn.rnn_cell.DropoutWrapper(cell, input_keep_prob, keep_prob))
    return tf.nn.rnn_cell.MultiRNNCell(layers)
