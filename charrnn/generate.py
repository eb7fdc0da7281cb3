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

# A layer's units are computed in this many parts, which the threads of the session work on side by side:
# one row of a product is too little to be shared by threads otherwise.
_PARTS = 2


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
    ids, last_prediction, last_state = _loop(
        _split_layers(cell, num_classes), softmax, prediction, state, uniforms, top_n)
    return Generation(prime, prime_state, read_state, read_prediction, prediction, state, uniforms, top_n,
                      ids, last_prediction, last_state)


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
    """A layer's weights in _PARTS parts, each with the four gates of some of the units."""

    inputs: list   # [C, 4L'] with the biases added, of the first layer; [1, 4L'] of the others, the biases
    kernel: list   # [L, 4L'] of the first layer; [2L, 4L'] of the others


def _split_layers(cell, num_classes):
    """Return the _Layer of each cell, its forget bias added to the biases."""
    layers = []
    for index, wrapper in enumerate(cell._cells):
        lstm = wrapper.wrapped_cell
        kernel, bias = lstm.variables
        size = lstm.output_size
        forget = tf.concat([tf.zeros(2 * size), tf.fill([size], lstm._forget_bias), tf.zeros(size)], 0)  # [4L]
        bias = (bias + forget)[tf.newaxis]  # [1, 4L]
        if index == 0:  # a one-hot row times a matrix is a row of the matrix
            inputs, kernel = kernel[:num_classes] + bias, kernel[num_classes:]
        else:
            inputs = bias
        layers.append(_Layer(_split_units(inputs, size), _split_units(kernel, size)))
    return layers


def _split_units(matrix, size):
    """Split a matrix [·, 4L] by units into matrices [·, 4L'], each with all four gates of its units."""
    parts = min(_PARTS, size)
    edges = [size * part // parts for part in range(parts + 1)]
    gates = tf.reshape(matrix, [-1, 4, size])  # [·, 4, L]
    return [tf.reshape(gates[:, :, begin:end], [-1, 4 * (end - begin)])  # [·, 4L']
            for begin, end in zip(edges, edges[1:])]


def _loop(layers, softmax, prediction, state, uniforms, top_n):
    """Draw and feed back once for each row of ``uniforms``; return the ids, the last prediction and state."""
    weights, bias = softmax
    n_steps = tf.shape(uniforms)[0]

    def body(step, prediction, state, drawn):
        ids = draw(prediction, uniforms[step], top_n)  # [B]
        below, next_state = None, []
        for layer, (c, h) in zip(layers, state):
            inputs = [tf.gather(part, ids) for part in layer.inputs] if below is None else layer.inputs
            c, h = _step(layer, inputs, h if below is None else tf.concat([below, h], 1), c)
            next_state.append((c, h))
            below = h
        prediction = tf.nn.softmax(tf.matmul(below, weights) + bias)  # [B, C]
        return step + 1, prediction, next_state, drawn.write(step, ids)

    drawn = tf.TensorArray(tf.int32, n_steps, element_shape=[prediction.shape[0]])
    _, prediction, state, drawn = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, prediction, state, drawn), back_prop=False)
    return drawn.stack(), prediction, state  # [T, B]


def _step(layer, inputs, joined, c):
    """Do one step of a layer in parts; return c and h, float32 [B, L]."""
    cs, hs = [], []
    sizes = [part.shape[1].value // 4 for part in layer.kernel]
    for part, added, c_part in zip(layer.kernel, inputs, tf.split(c, sizes, axis=1)):
        i, j, f, o = tf.split(tf.matmul(joined, part) + added, 4, axis=1)  # [B, L'] each
        c_part = tf.sigmoid(f) * c_part + tf.sigmoid(i) * tf.tanh(j)
        cs.append(c_part)
        hs.append(tf.sigmoid(o) * tf.tanh(c_part))
    return tf.concat(cs, 1), tf.concat(hs, 1)
