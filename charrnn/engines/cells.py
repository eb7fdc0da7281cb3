"""The layers of a network before it is trained: their cells in TensorFlow, and their weights in NumPy."""

from typing import Any, Dict, Tuple

import numpy as np

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


def initial_weights(shapes: Dict[str, Tuple[int, ...]], seed: int) -> Dict[str, np.ndarray]:
    """Draw the initial matrices of a network, with the distributions of the notebook's graph.

    They depend on nothing but the seed and the shapes.

    Args:
        shapes: dict from the name of each variable to its shape. Vectors, such as biases, are left to the graph.
        seed: at least 0.

    Returns:
        A dict from the name of each matrix to float32 values: those of ``softmax/`` from a normal distribution with
        standard deviation 0.1 that is cut at two standard deviations, the others uniform (Glorot and Bengio 2010).

    >>> initial_weights({"kernel": (2, 4), "bias": (4,)}, 7)["kernel"].shape
    (2, 4)
    """
    random = np.random.RandomState(seed)
    matrices = {}
    for name, shape in sorted(shapes.items()):
        if len(shape) != 2:
            continue
        if name.startswith("softmax/"):
            values = 0.1 * _truncated_normal(shape, random)
        else:
            limit = np.sqrt(6 / sum(shape))
            values = random.uniform(-limit, limit, shape)
        matrices[name] = np.float32(values)
    return matrices


def _truncated_normal(shape: Tuple[int, ...], random: np.random.RandomState) -> np.ndarray:
    """Draw from the standard normal distribution. Draw the values beyond 2 again until there are none."""
    values = random.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = random.standard_normal(np.count_nonzero(outside))
        outside = np.abs(values) > 2
    return values
