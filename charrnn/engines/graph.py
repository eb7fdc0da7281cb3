"""Generation inside the graph: the prime read as one window, then a loop that draws and feeds back.

The stack of cells is the one that :func:`charrnn.model.build_lstm` makes, with the same variables. The loop
runs it for B texts at once, as rows of one batch, and draws as ``np.random.choice`` does: from uniform numbers
that NumPy's generator gave, by the inverse of the cumulative distribution in id order. So it writes the text
that feeding one character at a time writes, at a fraction of the cost.

Letters for shapes as in :mod:`charrnn.data`; besides, B texts (``num_samples``) and T steps of one call.
"""
from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from charrnn import checkpoints
from charrnn.fused.session import session_config
from charrnn.model import build_lstm, build_output

PRIME_CHUNK = 1000  # characters of a prime that are read at once, which bounds the memory


class Generator:
    """A checkpoint's network in a graph and a session of its own, for one text or several at once.

    It has the methods of :class:`charrnn.engines.numpy_lstm.NumpyLSTM`, which says what they take and return. A state is
    what the stack of cells makes of it, float32 [1, L] or [B, L] each.
    """

    def __init__(self, checkpoint, num_samples=1, nucleus=False):
        """Build the graph and take the checkpoint's weights.

        Args:
            checkpoint: a Checkpoint.
            num_samples: B, texts at once.
            nucleus: whether there will be settings with ``top_p`` below 1, which costs a little in each step.

        Raises:
            CheckpointError: the checkpoint is damaged.
        """
        num_classes, lstm_size = len(checkpoint.vocabulary), checkpoint.lstm_size
        with tf.Graph().as_default() as graph:
            self._prime = tf.placeholder(tf.int32, [1, None])
            stack, self._prime_state = build_lstm(lstm_size, checkpoint.num_layers, 1, 1.0, cell=checkpoint.cell)
            outputs, self._read_state = tf.nn.dynamic_rnn(  # [1, P, L]
                stack, tf.one_hot(self._prime, num_classes), initial_state=self._prime_state)
            _, self._read_logits = build_output(outputs[:, -1:], lstm_size, num_classes)  # [1, C]
            softmax = [variable.read_value() for variable in tf.trainable_variables("softmax/")]

            self._logits = tf.placeholder(tf.float32, [num_samples, num_classes])
            self._state = tf.nest.map_structure(
                lambda part: tf.placeholder(tf.float32, [num_samples, part.shape[1]]), self._prime_state)
            self._uniforms = tf.placeholder(tf.float64, [None, num_samples])  # [T, B]
            self._settings = _Settings(
                tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, []),
                tf.placeholder(tf.float64, []) if nucleus else None)
            step = _lstm_step(stack) if checkpoint.cell == "lstm" else _any_step(stack, num_classes)
            self._drawn = _loop(step, softmax, self._logits, self._state, self._uniforms, self._settings)
            # lays out the weights for the loop
            self._prepare = tf.local_variables_initializer()
        self._session = tf.Session(graph=graph, config=session_config())
        self.restore(checkpoint.prefix)

    def restore(self, prefix):
        """Take the weights of another checkpoint of the same network.

        Raises:
            CheckpointError: that checkpoint is damaged or of another network.
        """
        checkpoints.load_weights(self._session, prefix)
        self._session.run(self._prepare)

    def zero_state(self):
        """Return the state before a text, of one row."""
        return self._session.run(self._prime_state)

    def read(self, ids, state):
        """Read a text; return the logits after it [1, C], and the state."""
        for start in range(0, len(ids), PRIME_CHUNK):
            feed = {self._prime: [ids[start:start + PRIME_CHUNK]], self._prime_state: state}
            logits, state = self._session.run([self._read_logits, self._read_state], feed_dict=feed)
        return logits, state

    def draw(self, logits, state, uniforms, settings):
        """Draw and feed back; return the ids and their log-probabilities [T, B], and what to go on with."""
        feed = {self._logits: logits, self._state: state, self._uniforms: uniforms,
                self._settings.temperature: settings.temperature,
                self._settings.top_n: min(settings.top_n, logits.shape[1])}
        if self._settings.top_p is not None:
            feed[self._settings.top_p] = settings.top_p
        elif settings.top_p < 1:
            raise ValueError("top_p below 1 needs a graph that was built for it (nucleus=True)")
        return self._session.run(self._drawn, feed_dict=feed)

    def repeated(self, state, rows):
        """Return a state of one row for several rows."""
        return tf.nest.map_structure(lambda part: np.repeat(part, rows, axis=0), state)

    def close(self):
        """Close the session."""
        self._session.close()


class _Settings(NamedTuple):
    """The placeholders of a :class:`charrnn.engines.decoding.Settings`: float32, int32 and float64 or None."""

    temperature: tf.Tensor
    top_n: tf.Tensor
    top_p: tf.Tensor


def _draw(logits, uniforms, settings):
    """Draw an id for each row, as :func:`charrnn.engines.decoding.draw` does.

    Args:
        logits: float32 [B, C].
        uniforms: float64 [B, 1] in [0, 1).
        settings: a _Settings.

    Returns:
        int32 [B].
    """
    prediction = tf.nn.softmax(logits / settings.temperature)  # [B, C]
    largest = tf.nn.top_k(prediction, settings.top_n).values  # [B, n], falling
    if settings.top_p is not None:
        shares = tf.cast(largest, tf.float64)
        before = tf.cumsum(shares, axis=1, exclusive=True)
        enough = before >= settings.top_p * tf.reduce_sum(shares, axis=1, keepdims=True)  # [B, n]
        largest = tf.where(enough, tf.fill(tf.shape(largest), np.inf), largest)
    smallest = tf.reduce_min(largest, axis=1, keepdims=True)  # [B, 1]
    kept = tf.where(prediction >= smallest, prediction, tf.zeros_like(prediction))  # [B, C]
    cumulative = tf.cumsum(tf.cast(kept, tf.float64), axis=1)  # [B, C]
    total = tf.reduce_max(cumulative, axis=1, keepdims=True)  # [B, 1]; the last, but quicker to come by
    # as many as are at most the number: the place where it would be inserted, to the right of its equals
    return tf.reduce_sum(tf.cast(cumulative <= uniforms * total, tf.int32), axis=1)


class _Layer(NamedTuple):
    """A layer's weights, laid out for the loop.

    Attributes:
        inputs: of the first layer [C, 4L], whose rows are the products of the one-hot inputs and the bias;
            of the others [L, 4L].
        recurrent: [L, 4L].
        bias: [4L]; of the first layer zeros.
    """

    inputs: tf.Tensor
    recurrent: tf.Tensor
    bias: tf.Tensor


def _lay_out(stack):
    """Return the _Layer of each cell, in variables of their own that are filled once."""
    layers = []
    for index, wrapper in enumerate(stack._cells):
        lstm = wrapper.wrapped_cell
        kernel, bias = [variable.read_value() for variable in lstm.variables]
        size = lstm.output_size
        # the forget bias, of the third gate
        bias += tf.concat([tf.zeros(2 * size), tf.fill([size], lstm._forget_bias), tf.zeros(size)], 0)  # [4L]
        inputs, recurrent = kernel[:-size], kernel[-size:]
        if index == 0:  # a one-hot row times a matrix is a row of the matrix
            inputs, bias = inputs + bias, tf.zeros_like(bias)
        # local variables, which no checkpoint has
        layers.append(_Layer(*[tf.Variable(value, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
                               for value in (inputs, recurrent, bias)]))
    return layers


def _lstm_step(stack):
    """Return the function of (ids [B], state) that does a step of the layers; it returns [B, L] and the state.

    The products are kept apart by what they wait for: that of a layer's h needs nothing of the step to come, so
    it is made on one core while another makes what the drawn character decides.
    """
    layers = _lay_out(stack)

    def step(ids, state):
        below, next_state = None, []
        for layer, (c, h) in zip(layers, state):
            recurrent = tf.nn.xw_plus_b(h, layer.recurrent, layer.bias)  # [B, 4L]
            inputs = tf.gather(layer.inputs, ids) if below is None else tf.matmul(below, layer.inputs)
            i, j, f, o = tf.split(inputs + recurrent, 4, axis=1)  # [B, L] each
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            below = tf.sigmoid(o) * tf.tanh(c)
            next_state.append(tf.nn.rnn_cell.LSTMStateTuple(c, below))
        return below, tuple(next_state)
    return step


def _any_step(stack, num_classes):
    """Return the same for any kind of cell, by the cells themselves."""
    def step(ids, state):
        with tf.variable_scope("rnn", reuse=True):
            return stack(tf.one_hot(ids, num_classes), state)
    return step


def _loop(step_of_layers, softmax, logits, state, uniforms, settings):
    """Draw and feed back once for each row of ``uniforms``.

    Returns:
        (ids, log_probabilities, logits, state): int32 and float32 [T, B], and what to go on with.
    """
    weights, bias = softmax
    n_steps = tf.shape(uniforms)[0]
    uniforms = uniforms[:, :, tf.newaxis]  # [T, B, 1]

    def body(step, logits, state, drawn, surprises):
        ids = _draw(logits, tf.gather(uniforms, step), settings)  # [B]
        surprise = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)  # [B]
        output, state = step_of_layers(ids, state)  # [B, L]
        logits = tf.nn.xw_plus_b(output, weights, bias)  # [B, C]
        return step + 1, logits, state, drawn.write(step, ids), surprises.write(step, surprise)

    arrays = [tf.TensorArray(dtype, n_steps, element_shape=[logits.shape[0]]) for dtype in (tf.int32, tf.float32)]
    _, logits, state, drawn, surprises = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, logits, state, *arrays), back_prop=False)
    return drawn.stack(), -surprises.stack(), logits, state
