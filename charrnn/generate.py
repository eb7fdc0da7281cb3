"""Generation inside the graph: the prime read as one window, then a loop that draws and feeds back.

The stack of cells is the one that :func:`charrnn.model.build_lstm` makes, with the same variables. The loop
runs it for B texts at once, as rows of one batch, and draws as ``np.random.choice`` does: from uniform numbers
that NumPy's generator gave, by the inverse of the cumulative distribution in id order. So it writes the text
that feeding one character at a time writes, at a fraction of the cost.

Letters for shapes as in :mod:`charrnn.data`; besides, B texts (``num_samples``) and T steps of one call.
"""
from typing import NamedTuple

import tensorflow.compat.v1 as tf

from charrnn.model import build_lstm, build_output


class Generation(NamedTuple):
    """The graph's ends. A state is a list of (c, h) for each layer, float32 [1, L] or [B, L].

    Attributes:
        prime: int32 placeholder [1, P], ids that are read as one window.
        prime_state: the state before them; zeros unless fed.
        read_state: the state after them, [1, L].
        read_prediction: float32 [1, C], distribution over the next character.
        prediction: float32 placeholder [B, C], distribution over the first character to draw.
        state: placeholders, the state that it came from.
        uniforms: float64 placeholder [T, B] in [0, 1), a number for each draw.
        top_n: int32 scalar placeholder in [1, C], how many of the largest probabilities to draw from.
        ids: int32 [T, B], what was drawn.
        last_prediction: float32 [B, C], distribution after the last of them.
        last_state: the state after it.
        prepare: operation that lays out the weights for the loop; to be run after they were restored.
    """

    prime: tf.Tensor
    prime_state: tuple
    read_state: tuple
    read_prediction: tf.Tensor
    prediction: tf.Tensor
    state: list
    uniforms: tf.Tensor
    top_n: tf.Tensor
    ids: tf.Tensor
    last_prediction: tf.Tensor
    last_state: list
    prepare: tf.Operation


def build_generation(num_classes, lstm_size, num_layers, num_samples=1):
    """Build the graph that generates text, in the default graph.

    Args:
        num_classes: C, distinct characters.
        lstm_size: L, units in a layer.
        num_layers: LSTM layers.
        num_samples: B, texts at once.

    Returns:
        A Generation. The trainable variables are those of the CharRNN of these sizes.
    """
    prime = tf.placeholder(tf.int32, [1, None])
    cell, prime_state = build_lstm(lstm_size, num_layers, 1, 1.0)
    outputs, read_state = tf.nn.dynamic_rnn(  # [1, P, L]
        cell, tf.one_hot(prime, num_classes), initial_state=prime_state)
    read_prediction, _ = build_output(outputs[:, -1:], lstm_size, num_classes)  # [1, C]
    softmax = [variable.read_value() for variable in tf.trainable_variables("softmax/")]

    prediction = tf.placeholder(tf.float32, [num_samples, num_classes])
    state = [(tf.placeholder(tf.float32, [num_samples, lstm_size]),
              tf.placeholder(tf.float32, [num_samples, lstm_size])) for _ in range(num_layers)]
    uniforms = tf.placeholder(tf.float64, [None, num_samples])
    top_n = tf.placeholder(tf.int32, [])
    layers = _lay_out(cell, num_classes, transposed=num_samples == 1)
    ids, last_prediction, last_state = _loop(layers, softmax, prediction, state, uniforms, top_n)
    return Generation(prime, prime_state, read_state, read_prediction, prediction, state, uniforms, top_n,
                      ids, last_prediction, last_state, tf.local_variables_initializer())


def draw(prediction, uniforms, top_n):
    """Draw an id for each row, as :func:`charrnn.sample.pick_top_n` does with the same uniform number.

    Args:
        prediction: float32 [B, C].
        uniforms: float64 [B] in [0, 1).
        top_n: int32 scalar in [1, C].

    Returns:
        int32 [B].
    """
    smallest = tf.nn.top_k(prediction, top_n).values[:, -1:]  # [B, 1]
    kept = tf.where(prediction >= smallest, prediction, tf.zeros_like(prediction))  # [B, C]
    cumulative = tf.cumsum(tf.cast(kept, tf.float64), axis=1)  # [B, C]
    # as many as are at most the number: the place where it would be inserted, to the right of its equals
    below = cumulative <= uniforms[:, tf.newaxis] * cumulative[:, -1:]  # [B, C]
    return tf.reduce_sum(tf.cast(below, tf.int32), axis=1)


class _Layer(NamedTuple):
    """A layer's weights, cut between the gates i, j and f, o: two products keep two cores busy.

    Attributes:
        added: what is added to the products. Of the first layer a pair of [C, 2L], whose rows are the products
            of the one-hot inputs and the biases; of the others a pair of [2L], the biases.
        kernel: pair of [I, 2L], of the first layer for h alone (I = L), of the others for input and h (I = 2L);
            [2L, I] if transposed.
        transposed: whether it is laid out so that a row times the matrix reads it in the order of memory.
    """

    added: list
    kernel: list
    transposed: bool


def _lay_out(cell, num_classes, transposed):
    """Return the _Layer of each cell, in variables of their own that ``prepare`` fills once."""
    layers = []
    for index, wrapper in enumerate(cell._cells):
        lstm = wrapper.wrapped_cell
        kernel, bias = [variable.read_value() for variable in lstm.variables]
        size = lstm.output_size
        # the forget bias, of the third gate
        bias += tf.concat([tf.zeros(2 * size), tf.fill([size], lstm._forget_bias), tf.zeros(size)], 0)  # [4L]
        added = bias
        if index == 0:  # a one-hot row times a matrix is a row of the matrix
            added, kernel = kernel[:num_classes] + bias, kernel[num_classes:]
        halves = tf.split(kernel, 2, axis=1)
        layers.append(_Layer(
            _kept(tf.split(added, 2, axis=-1)),
            _kept([tf.transpose(half) for half in halves] if transposed else halves), transposed))
    return layers


def _kept(values):
    """Return local variables that are initialized with the values; no checkpoint has them."""
    return [tf.Variable(value, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES]) for value in values]


def _loop(layers, softmax, prediction, state, uniforms, top_n):
    """Draw and feed back once for each row of ``uniforms``; return the ids, the last prediction and state."""
    weights, bias = softmax
    n_steps = tf.shape(uniforms)[0]

    def body(step, prediction, state, drawn):
        ids = draw(prediction, uniforms[step], top_n)  # [B]
        below, next_state = None, []
        for layer, (c, h) in zip(layers, state):
            if below is None:
                c, h = _step(layer, [tf.gather(half, ids) for half in layer.added], h, c)
            else:
                c, h = _step(layer, layer.added, tf.concat([below, h], 1), c)
            next_state.append((c, h))
            below = h
        prediction = tf.nn.softmax(tf.matmul(below, weights) + bias)  # [B, C]
        return step + 1, prediction, next_state, drawn.write(step, ids)

    drawn = tf.TensorArray(tf.int32, n_steps, element_shape=[prediction.shape[0]])
    _, prediction, state, drawn = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, prediction, state, drawn), back_prop=False)
    return drawn.stack(), prediction, state  # [T, B]


def _step(layer, added, joined, c):
    """Do one step of a layer from its joined inputs [B, I]; return c and h, float32 [B, L]."""
    (i, j), (f, o) = [
        tf.split(tf.matmul(joined, half, transpose_b=layer.transposed) + more, 2, axis=1)  # [B, L] each
        for half, more in zip(layer.kernel, added)]
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.sigmoid(o) * tf.tanh(c)
