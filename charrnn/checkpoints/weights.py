"""Read a checkpoint's sizes and weights, and put weights into a graph."""
import re

from charrnn.checkpoints.record import CheckpointError

# What a kind of cell is called in the names of its variables.
CELL_SCOPES = {"lstm": "basic_lstm_cell", "gru": "gru_cell", "rnn": "basic_rnn_cell",
               "layer-norm-lstm": "layer_norm_basic_lstm_cell", "nas": "nas_cell"}
AVERAGE = "/ExponentialMovingAverage"  # how the name of a variable's running average ends


def network_sizes(prefix):
    """Return C, L, the number of layers and the kind of cell, read off a checkpoint's variables."""
    import tensorflow.compat.v1 as tf

    try:
        shapes = tf.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
    except tf.errors.OpError as error:
        raise CheckpointError("the checkpoint {} cannot be read: {}".format(prefix, reason(error)))
    try:
        lstm_size, num_classes = shapes["softmax/Variable"]
    except (KeyError, ValueError):
        raise CheckpointError("{} is not a checkpoint of this network: it has no matrix softmax/Variable".format(
            prefix))
    layers = {re.match(r"rnn/multi_rnn_cell/cell_(\d+)/([^/]+)/", name) for name in shapes} - {None}
    scopes = {found.group(2) for found in layers}
    num_layers = len({found.group(1) for found in layers})
    cells = [cell for cell, scope in CELL_SCOPES.items() if scopes == {scope}]
    if not cells:
        raise CheckpointError("{} is not a checkpoint of this network: it has no LSTM layer".format(prefix))
    for layer in range(num_layers if cells == ["lstm"] else 0):
        kernel = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel".format(layer)
        expected = [(num_classes if layer == 0 else lstm_size) + lstm_size, 4 * lstm_size]
        if shapes.get(kernel) != expected:
            raise CheckpointError("{} is not a checkpoint of this network: {} has shape {}, not {}".format(
                prefix, kernel, shapes.get(kernel), expected))
    return num_classes, lstm_size, num_layers, cells[0]


def read_weights(prefix):
    """Read a checkpoint's weights; where it has running averages of them, those.

    Args:
        prefix: the prefix of a checkpoint that was opened.

    Returns:
        A dict from the name of a trainable variable to its values.

    Raises:
        CheckpointError: it is damaged.
    """
    import tensorflow.compat.v1 as tf

    try:
        reader = tf.train.NewCheckpointReader(prefix)
        there = reader.get_variable_to_shape_map()
        names = [name for name in there if re.match("rnn/|softmax/", name)
                 and not re.search(r"/(Adam|Adam_1|RMSProp|RMSProp_1|ExponentialMovingAverage)$", name)]
        return {name: reader.get_tensor(name + AVERAGE if name + AVERAGE in there else name) for name in names}
    except tf.errors.OpError as error:
        raise CheckpointError("the checkpoint {} cannot be read: {}".format(prefix, reason(error)))


def load_weights(session, prefix):
    """Give the trainable variables of a session's graph the weights of a checkpoint.

    Raises:
        CheckpointError: it is damaged, or of another network.
    """
    import tensorflow.compat.v1 as tf

    weights = read_weights(prefix)
    with session.graph.as_default():
        for variable in tf.trainable_variables():
            try:
                variable.load(weights[variable.op.name], session)
            except KeyError:
                raise CheckpointError("{} is of another network: it has no {}".format(prefix, variable.op.name))
            except ValueError as error:
                raise CheckpointError("{} is of another network: {}: {}".format(prefix, variable.op.name, error))


def restore(session, saver, prefix):
    """Restore variables from a checkpoint.

    Args:
        session: a tf.Session.
        saver: a Saver of the variables wanted.
        prefix: the checkpoint's prefix.

    Raises:
        CheckpointError: it is missing or damaged, or has other variables or shapes.
    """
    import tensorflow.compat.v1 as tf

    try:
        saver.restore(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise CheckpointError("the checkpoint {} cannot be restored: {}".format(prefix, reason(error)))


def reason(error):
    """Return the line of a TensorFlow error that says what is wrong, without its advice and traces."""
    message = getattr(error, "message", str(error))
    return message.split("Original error:")[-1].strip().split("\n")[0]
