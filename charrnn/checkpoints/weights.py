"""Read the sizes and weights of a checkpoint, and load weights into a graph."""
import re
from typing import Dict, Tuple

import numpy as np

from charrnn.checkpoints.bundle import Bundle
from charrnn.checkpoints.record import CheckpointError
from charrnn.system import console

# Kinds of cell, and the scopes of their variables.
CELL_SCOPES = {"lstm": "basic_lstm_cell", "gru": "gru_cell", "rnn": "basic_rnn_cell",
               "layer-norm-lstm": "layer_norm_basic_lstm_cell", "nas": "nas_cell"}
# So large that no training leads to it, and so small that sums of products of weights do not overflow float32.
LARGEST_WEIGHT = 1e30
AVERAGE = "/ExponentialMovingAverage"  # suffix of the running average of a variable


def network_sizes(prefix: str) -> Tuple[int, int, int, str]:
    """Return C, L, the number of layers and the kind of cell, from the variables of a checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has other variables.
    """
    shapes = _open(prefix).shapes
    try:
        lstm_size, num_classes = shapes["softmax/Variable"]
    except (KeyError, ValueError):
        raise CheckpointError(f"{prefix} is not a checkpoint of this network: it has no matrix softmax/Variable")
    matches = [re.match(r"rnn/multi_rnn_cell/cell_(\d+)/([^/]+)/", name) for name in shapes]
    scopes = {found.group(2) for found in matches if found}
    num_layers = len({found.group(1) for found in matches if found})
    cells = [cell for cell, scope in CELL_SCOPES.items() if scopes == {scope}]
    if not cells:
        raise CheckpointError(f"{prefix} is not a checkpoint of this network: it has no layers of a known cell")
    for layer in range(num_layers if cells == ["lstm"] else 0):
        kernel = f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/kernel"
        expected = (num_classes if layer == 0 else lstm_size) + lstm_size, 4 * lstm_size
        if shapes.get(kernel) != expected:
            raise CheckpointError(f"{prefix} is not a checkpoint of this network: {kernel} has shape "
                                  f"{shapes.get(kernel)}, not {expected}")
    return num_classes, lstm_size, num_layers, cells[0]


def read_weights(prefix: str) -> Dict[str, np.ndarray]:
    """Read the weights of a checkpoint, or their running averages if it has them.

    Args:
        prefix: the prefix of a verified checkpoint.

    Returns:
        A dict from the names of the trainable variables to their values.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has weights that are not finite or too large.
    """
    bundle = _open(prefix)
    names = [name for name in bundle.shapes if re.match("rnn/|softmax/", name)
             and not re.search(r"/(Adam|Adam_1|RMSProp|RMSProp_1|ExponentialMovingAverage)$", name)]
    try:
        weights = {name: bundle.tensor(name + AVERAGE if name + AVERAGE in bundle.shapes else name) for name in names}
    except (ValueError, OSError) as error:
        raise _unreadable(prefix, error)
    for name, value in weights.items():
        if not are_usable(value):
            raise CheckpointError(f"the checkpoint {prefix} cannot be used: {name} has weights that are not finite, or "
                                  f"larger than {LARGEST_WEIGHT:.0e}")
    return weights


def _open(prefix: str) -> Bundle:
    try:
        return Bundle(prefix)
    except (ValueError, OSError) as error:
        raise _unreadable(prefix, error)


def _unreadable(prefix: str, error: Exception) -> CheckpointError:
    return CheckpointError(f"the checkpoint {prefix} cannot be read: {console.reason(error)}")


def are_usable(weights: np.ndarray) -> bool:
    """Return whether all weights of an array are finite and at most LARGEST_WEIGHT."""
    return bool(-LARGEST_WEIGHT <= weights.min(initial=0) and weights.max(initial=0) <= LARGEST_WEIGHT)


def load_weights(session, prefix: str) -> None:
    """Load the weights of a checkpoint into the trainable variables of a session's graph.

    Raises:
        CheckpointError: as for :func:`read_weights`, or the checkpoint is of another network.
    """
    from charrnn.system.tensorflow import tf

    weights = read_weights(prefix)
    with session.graph.as_default():
        for variable in tf.trainable_variables():
            name = variable.op.name
            try:
                variable.load(weights[name], session)
            except KeyError:
                raise CheckpointError(f"{prefix} is of another network: it has no {name}")
            except ValueError as error:
                raise CheckpointError(f"{prefix} is of another network: {name}: {error}")


def restore(session, saver, prefix: str) -> None:
    """Restore the variables of a Saver from a checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has other variables or shapes.
    """
    from charrnn.system.tensorflow import tf

    try:
        saver.restore(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {prefix} cannot be restored: {console.reason(error)}")
