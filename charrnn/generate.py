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
    """The graph's ends. A state is what the stack of cells makes of it, float32 [1, L] or [B, L] each.

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
    state: tuple
    uniforms: tf.Tensor
    top_n: tf.Tensor
    ids: tf.Tensor
    last_prediction: tf.Tensor
    last_state: tuple
    prepare: tf.Operation


def build_generation(num_classes, lstm_size, num_layers, num_samples=1, cell="lstm"):
    """Build the graph that generates text, in the default graph.

    Args:
        num_classes: C, distinct characters.
        lstm_size: L, units in a layer.
        num_layers: layers of cells.
        num_samples: B, texts at once.
        cell: kind of cell, see :func:`charrnn.model.build_lstm`.

    Returns:
        A Generation. The trainable variables are those of the CharRNN of these sizes.
    """
    prime = tf.placeholder(tf.int32, [1, None])
    stack, prime_state = build_lstm(lstm_size, num_layers, 1, 1.0, cell=cell)
    outputs, read_state = tf.nn.dynamic_rnn(  # [1, P, L]
        stack, tf.one_hot(prime, num_classes), initial_state=prime_state)
    read_prediction, _ = build_output(outputs[:, -1:], lstm_size, num_classes)  # [1, C]
    softmax = [variable.read_value() for variable in tf.trainable_variables("softmax/")]

    prediction = tf.placeholder(tf.float32, [num_samples, num_classes])
    state = tf.nest.map_structure(
        lambda part: tf.placeholder(tf.float32, [num_samples, part.shape[1]]), prime_state)
    uniforms = tf.placeholder(tf.float64, [None, num_samples])
    top_n = tf.placeholder(tf.int32, [])
    step = _lstm_step(stack) if cell == "lstm" else _any_step(stack, num_classes)
    ids, last_prediction, last_state = _loop(step, softmax, prediction, state, uniforms, top_n)
    return Generation(prime, prime_state, read_state, read_prediction, prediction, state, uniforms, top_n,
                      ids, last_prediction, last_state, tf.local_variables_initializer())


def draw(prediction, uniforms, top_n):
    """Draw an id for each row, as :func:`charrnn.sample.pick_top_n` does with the same uniform number.

    Args:
        prediction: float32 [B, C].
        uniforms: float64 [B, 1] in [0, 1).
        top_n: int32 scalar in [1, C].

    Returns:
        int32 [B].
    """
    smallest = tf.reduce_min(tf.nn.top_k(prediction, top_n).values, axis=1, keepdims=True)  # [B, 1]
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
    """Return the _Layer of each cell, in variables of their own that ``prepare`` fills once."""
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


def _loop(step_of_layers, softmax, prediction, state, uniforms, top_n):
    """Draw and feed back once for each row of ``uniforms``; return the ids, the last prediction and state."""
    weights, bias = softmax
    n_steps = tf.shape(uniforms)[0]
    uniforms = uniforms[:, :, tf.newaxis]  # [T, B, 1]

    def body(step, prediction, state, drawn):
        ids = draw(prediction, tf.gather(uniforms, step), top_n)  # [B]
        output, state = step_of_layers(ids, state)  # [B, L]
        prediction = tf.nn.softmax(tf.nn.xw_plus_b(output, weights, bias))  # [B, C]
        return step + 1, prediction, state, drawn.write(step, ids)

    drawn = tf.TensorArray(tf.int32, n_steps, element_shape=[prediction.shape[0]])
    _, prediction, state, drawn = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, prediction, state, drawn), back_prop=False)
    return drawn.stack(), prediction, state  # [T, B]
