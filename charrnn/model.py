"""The network: each of the notebook's build functions, in its order, and the CharRNN graph they make.

Letters for shapes as in :mod:`charrnn.data`: N sequences, M steps, C characters, L units.
"""
import tensorflow.compat.v1 as tf

from charrnn import fused as _fused


def build_inputs(batch_size, num_steps):
    """Make the placeholders for a window of text.

    Args:
        batch_size: N, sequences in a batch.
        num_steps: M, steps in a window.

    Returns:
        (inputs, targets, keep_prob): int32 [N, M], int32 [N, M] and a float32 scalar, the probability
        of keeping a unit in dropout, in (0, 1]. In the graph they bear these names.

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
        num_layers: number of layers; each has a cell of its own.
        batch_size: N, sequences in a batch.
        keep_prob: float32 scalar tensor, the probability of keeping a unit, in (0, 1].

    Returns:
        (cell, initial_state): a ``MultiRNNCell``, and its zero state: for each layer an ``LSTMStateTuple``
        of c and h, float32 [N, L].

    Source: notebook, "LSTM cell". The classes come from ``tf.nn.rnn_cell``; those in ``tf.contrib.rnn``
    are the same, but slow to import.
    """
    layers = [
        tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicLSTMCell(lstm_size), output_keep_prob=keep_prob)
        for _ in range(num_layers)]
    cell = tf.nn.rnn_cell.MultiRNNCell(layers)
    return cell, cell.zero_state(batch_size, tf.float32)


def build_mask_seed():
    """Make the scalar that dropout masks are drawn from; unless fed, a new one from the graph's generator.

    Returns:
        int64 scalar. In the graph it is ``mask_seed``.
    """
    drawn = tf.random_uniform([], maxval=tf.int64.max, dtype=tf.int64)
    return tf.placeholder_with_default(drawn, [], name="mask_seed")


def build_output(lstm_output, in_size, out_size):
    """Map each step's LSTM output to a distribution over the characters.

    Args:
        lstm_output: float32 [N, M, L], or a list of float32 tensors to be joined along axis 1.
        in_size: L, units in the last layer.
        out_size: C, distinct characters.

    Returns:
        (predictions, logits): float32 [N·M, C] each, row by row, step by step; ``predictions`` is
        the softmax of ``logits`` and bears that name in the graph.

    Source: notebook, "output".
    """
    joined = tf.concat(lstm_output, axis=1)  # [N, M, L]
    flat = tf.reshape(joined, [-1, in_size])  # [N·M, L]
    with tf.variable_scope("softmax"):
        weights = tf.Variable(tf.truncated_normal([in_size, out_size], stddev=0.1))
        bias = tf.Variable(tf.zeros(out_size))
    logits = tf.matmul(flat, weights) + bias  # [N·M, C]
    return tf.nn.softmax(logits, name="predictions"), logits


def build_loss(logits, targets, lstm_size, num_classes):
    """Average the softmax cross-entropy over all steps of all sequences.

    Args:
        logits: float32 [N·M, C].
        targets: int32 [N, M], ids in [0, C).
        lstm_size: L; the notebook takes it and does not use it, and so does this.
        num_classes: C, distinct characters.

    Returns:
        float32 scalar, in nats per character.

    Source: notebook, "loss".
    """
    one_hot = tf.one_hot(targets, num_classes)  # [N, M, C]
    labels = tf.reshape(one_hot, logits.shape)  # [N·M, C]
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(
        labels=tf.stop_gradient(labels), logits=logits))


def build_optimizer(loss, learning_rate, grad_clip):
    """Clip the gradients of all trainable variables by their global norm and apply them with Adam.

    Args:
        loss: float32 scalar.
        learning_rate: Adam's step size.
        grad_clip: largest global norm that the gradients keep (Pascanu et al. 2013, arXiv:1211.5063).

    Returns:
        The operation that does one update.

    Source: notebook, "optimizer".
    """
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)
    return tf.train.AdamOptimizer(learning_rate).apply_gradients(zip(gradients, variables))


class CharRNN:
    """The whole graph, for training or, with ``sampling=True``, for one character at a time.

    Attributes:
        inputs: int32 placeholder [N, M], ids of a window.
        targets: int32 placeholder [N, M], ids one character later.
        keep_prob: float32 scalar placeholder, probability of keeping a unit in dropout.
        initial_state: per layer an LSTMStateTuple of float32 [N, L]; zeros unless fed.
        final_state: the state after the window, same structure.
        prediction: float32 [N·M, C], distribution over the next character.
        logits: float32 [N·M, C].
        loss: float32 scalar, nats per character.
        optimizer: the operation that does one update.

    Source: notebook, "the network".
    """

    def __init__(self, num_classes, batch_size=64, num_steps=50, lstm_size=128, num_layers=2,
                 learning_rate=0.001, grad_clip=5, sampling=False, *, seed=None, fused=False,
                 threads=None):
        """Reset the default graph and build the network in it.

        Args:
            num_classes: C, distinct characters, at least 1.
            batch_size: N, sequences in a batch, at least 1.
            num_steps: M, steps in a window, at least 1.
            lstm_size: L, units in a layer, at least 1.
            num_layers: number of LSTM layers, at least 1.
            learning_rate: Adam's step size, above 0.
            grad_clip: largest global norm of the gradients, above 0.
            sampling: build for one sequence of one step (N = M = 1), whatever the two arguments say.
            seed: seed of the graph, set after the reset: the same one gives the same initial weights
                and dropout masks. None draws new ones.
            fused: unroll with :mod:`charrnn.fused` in place of ``dynamic_rnn``: the same numbers, sooner.
            threads: for fused, the threads to make the graph for; None for as many as there are cores.

        Raises:
            ValueError: an argument is out of range.
        """
        for name, value in [("num_classes", num_classes), ("batch_size", batch_size),
                            ("num_steps", num_steps), ("lstm_size", lstm_size), ("num_layers", num_layers)]:
            if value < 1:
                raise ValueError("{} must be at least 1, not {}".format(name, value))
        for name, value in [("learning_rate", learning_rate), ("grad_clip", grad_clip)]:
            if not value > 0:
                raise ValueError("{} must be above 0, not {}".format(name, value))
        n_rows, n_steps = (1, 1) if sampling else (batch_size, num_steps)

        tf.reset_default_graph()
        tf.set_random_seed(seed)
        self.inputs, self.targets, self.keep_prob = build_inputs(n_rows, n_steps)
        cell, self.initial_state = build_lstm(lstm_size, num_layers, n_rows, self.keep_prob)
        if fused:
            self._mask_seed = build_mask_seed()
            outputs, self.final_state = _fused.unroll(  # [N, M, L]
                cell, self.inputs, num_classes, self.initial_state, self._mask_seed, threads)
        else:
            self._mask_seed = None
            x_one_hot = tf.one_hot(self.inputs, num_classes)  # [N, M, C]
            outputs, self.final_state = tf.nn.dynamic_rnn(  # [N, M, L]
                cell, x_one_hot, initial_state=self.initial_state)
        self.prediction, self.logits = build_output(outputs, lstm_size, num_classes)
        self.loss = build_loss(self.logits, self.targets, lstm_size, num_classes)
        self.optimizer = build_optimizer(self.loss, learning_rate, grad_clip)

    def mask_feed(self, step):
        """Return what to feed for dropout masks that depend on the graph's seed and the step alone.

        Args:
            step: a whole number, the steps of training done before.

        Returns:
            A feed_dict. It is empty where masks come from ``DropoutWrapper``, whose generator cannot be
            told a step.
        """
        return {} if self._mask_seed is None else {self._mask_seed: step}
