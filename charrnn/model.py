"""The network: the notebook's build functions, in the notebook's order, and the CharRNN graph made of them.

This file is the notebook and nothing else, but for the seed. The graph that :mod:`charrnn.train` builds by default has
more settings, see :mod:`charrnn.training.graph`.

Letters for shapes as in :mod:`charrnn.data`: N sequences, M steps, C characters, L units.
"""

from charrnn.system.tensorflow import tf


def build_inputs(batch_size, num_steps):
    """Create the placeholders for a window of text.

    Args:
        batch_size: N, sequences in a batch.
        num_steps: M, steps in a window.

    Returns:
        (inputs, targets, keep_prob): int32 [N, M], int32 [N, M] and a float32 scalar, the probability
        of keeping a unit in dropout, in (0, 1]. They have these names in the graph.

    Source: notebook, "inputs".
    """
    inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")
    targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    return inputs, targets, keep_prob


def build_lstm(lstm_size, num_layers, batch_size, keep_prob):
    """Stack LSTM cells, each with dropout on its output.

    Args:
        lstm_size: L, units in a layer.
        num_layers: number of layers; each has its own cell.
        batch_size: N, sequences in a batch.
        keep_prob: float32 scalar tensor, the probability of keeping a unit, in (0, 1].

    Returns:
        (cell, initial_state): a ``MultiRNNCell`` and its zero state: for each layer an ``LSTMStateTuple``
        of c and h, float32 [N, L].

    Source: notebook, "LSTM cell". The classes come from ``tf.nn.rnn_cell``. They are the same as those in
    ``tf.contrib.rnn``, which is slow to import.
    """

    def build_layer():
        lstm = tf.nn.rnn_cell.BasicLSTMCell(lstm_size)
        return tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob=keep_prob)

    cell = tf.nn.rnn_cell.MultiRNNCell([build_layer() for _ in range(num_layers)])
    initial_state = cell.zero_state(batch_size, tf.float32)
    return cell, initial_state


def build_output(lstm_output, in_size, out_size):
    """Map the LSTM output of each step to a distribution over the characters.

    Args:
        lstm_output: float32 [N, M, L], or a list of float32 tensors to join along axis 1.
        in_size: L, units in the last layer.
        out_size: C, distinct characters.

    Returns:
        (predictions, logits): float32 [N·M, C] each, row by row, step by step. ``predictions`` is
        the softmax of ``logits`` and has this name in the graph.

    Source: notebook, "output".
    """
    # as in the notebook; a single tensor stays as it is
    joined = tf.concat(lstm_output, axis=1)  # [N, M, L]
    rows = tf.reshape(joined, [-1, in_size])  # [N·M, L]

    with tf.variable_scope("softmax"):
        weights = tf.Variable(tf.truncated_normal([in_size, out_size], stddev=0.1))
        bias = tf.Variable(tf.zeros(out_size))

    logits = tf.matmul(rows, weights) + bias  # [N·M, C]
    predictions = tf.nn.softmax(logits, name="predictions")
    return predictions, logits


def build_loss(logits, targets, lstm_size, num_classes):
    """Average the softmax cross-entropy over all steps of all sequences.

    Args:
        logits: float32 [N·M, C].
        targets: int32 [N, M], ids in [0, C).
        lstm_size: L, not used, as in the notebook.
        num_classes: C, distinct characters.

    Returns:
        float32 scalar, in nats per character.

    Source: notebook, "loss".
    """
    one_hot = tf.one_hot(targets, num_classes)  # [N, M, C]
    labels = tf.reshape(one_hot, logits.shape)  # [N·M, C]
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)  # [N·M]
    return tf.reduce_mean(losses)


def build_optimizer(loss, learning_rate, grad_clip):
    """Clip the gradients of all trainable variables by their global norm and apply them with Adam.

    Args:
        loss: float32 scalar.
        learning_rate: step size.
        grad_clip: largest global norm of the gradients.

    Returns:
        The operation that does one update.

    Source: notebook, "optimizer".
    """
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)
    adam = tf.train.AdamOptimizer(learning_rate)
    return adam.apply_gradients(zip(gradients, variables))


class CharRNN:
    """The graph for training, or with ``sampling=True`` for one character at a time, in a reset default graph.

    Attributes:
        inputs: int32 placeholder [N, M], ids of a window.
        targets: int32 placeholder [N, M], ids one character later.
        keep_prob: float32 scalar placeholder, probability of keeping a unit in dropout.
        initial_state: for each layer an LSTMStateTuple of float32 [N, L]; zeros unless fed.
        final_state: the state after the window, with the same structure.
        prediction: float32 [N·M, C], distribution over the next character.
        logits: float32 [N·M, C].
        loss: float32 scalar, nats per character.
        optimizer: the operation that does one update.

    Source: notebook, "the network".
    """

    def __init__(
        self,
        num_classes,
        batch_size=64,
        num_steps=50,
        lstm_size=128,
        num_layers=2,
        learning_rate=0.001,
        grad_clip=5,
        sampling=False,
        *,
        seed=None,
    ):
        """Reset the default graph and build the network in it.

        Args:
            num_classes: C, distinct characters.
            batch_size: N, sequences in a batch.
            num_steps: M, steps in a window.
            lstm_size: L, units in a layer.
            num_layers: number of LSTM layers.
            learning_rate: step size of Adam.
            grad_clip: largest global norm of the gradients.
            sampling: build for one sequence of one step (N = M = 1), whatever batch_size and num_steps are.
            seed: seed of the graph, which the reset would delete if it were set before; None for new random numbers.
        """
        tf.reset_default_graph()
        tf.set_random_seed(seed)
        n_rows = 1 if sampling else batch_size
        n_steps = 1 if sampling else num_steps

        self.inputs, self.targets, self.keep_prob = build_inputs(n_rows, n_steps)
        cell, self.initial_state = build_lstm(lstm_size, num_layers, n_rows, self.keep_prob)
        x_one_hot = tf.one_hot(self.inputs, num_classes)  # [N, M, C]
        outputs, self.final_state = tf.nn.dynamic_rnn(  # [N, M, L]
            cell, x_one_hot, initial_state=self.initial_state
        )
        self.prediction, self.logits = build_output(outputs, lstm_size, num_classes)
        self.loss = build_loss(self.logits, self.targets, lstm_size, num_classes)
        self.optimizer = build_optimizer(self.loss, learning_rate, grad_clip)
