"""A tower: the layers of LSTM cells over some rows of a batch, step by step, and their gradient back.

This is the inside of :mod:`charrnn.fused`, which says how it is made and why. Letters for shapes as there.
"""
from typing import Any, List, NamedTuple

import tensorflow.compat.v1 as tf


class Layer(NamedTuple):
    """A layer's weights: from its input [I, 4L], from its h [L, 4L], and the bias [4L], forget_bias in it."""
    inputs: Any
    recurrent: Any
    bias: Any


class Tower(NamedTuple):
    """What a tower has of a window: ids [M, R], a mask [M, R, L] (or None) a layer, where its rows [M, R]
    stand in [N·M], and S."""
    ids: Any
    masks: List[Any]
    places: Any
    piece: int

    @property
    def n_pieces(self):
        """How many pieces the window has."""
        return -(-self.ids.shape[0].value // self.piece)

    def span(self, k):
        """Return the first step of piece k and the step after its last."""
        return k * self.piece, tf.minimum((k + 1) * self.piece, self.ids.shape[0].value)

    def drop(self, layer, values, begin, end):
        """Apply the layer's dropout mask to values [S, R, L] of the steps from begin to end."""
        mask = self.masks[layer]
        return values if mask is None else values * mask[begin:end]


class _Tape(NamedTuple):
    """What a layer's gradient needs of its steps: handles of TensorArrays.

    One element a step: the gates i, j, f, o after their functions, and tanh(c), [R, L] each; c and h, where
    element 0 is the initial state. One element a piece: dropped, the output after dropout [S, R, L]. The
    flow, a scalar, is what a read must wait for, whichever array it reads.
    """
    i: Any
    j: Any
    f: Any
    o: Any
    tanh_c: Any
    c: Any
    h: Any
    dropped: Any


def _array(size):
    return tf.raw_ops.TensorArrayV3(size=size, dtype=tf.float32, clear_after_read=False)[0]


def _write(array, index, value, flow):
    return tf.raw_ops.TensorArrayWriteV3(handle=array, index=index, value=value, flow_in=flow)


def _read(array, index, flow, shape):
    value = tf.raw_ops.TensorArrayReadV3(handle=array, index=index, flow_in=flow, dtype=tf.float32)
    value.set_shape(shape)
    return value


def _read_all(array, begin, end, flow, shape):
    return tf.raw_ops.TensorArrayGatherV3(  # [end - begin] + shape
        handle=array, indices=tf.range(begin, end), flow_in=flow, dtype=tf.float32, element_shape=shape)


def _loop(condition, body, values):
    return tf.while_loop(condition, body, values, back_prop=False)


def _run_piece(layer, tape, input_at, span, c, h, flow):
    """Run a layer over the steps of a piece; return c and h after it, and the tape's flow."""
    def step(t, c, h, flow):
        gates = tf.matmul(h, layer.recurrent) + input_at(t)  # [R, 4L]
        i, j, f, o = tf.split(gates, 4, axis=1)  # [R, L] each
        i, j, f, o = tf.sigmoid(i), tf.tanh(j), tf.sigmoid(f), tf.sigmoid(o)
        c = c * f + i * j
        tanh_c = tf.tanh(c)
        h = tanh_c * o
        for array, value in zip((tape.i, tape.j, tape.f, tape.o, tape.tanh_c), (i, j, f, o, tanh_c)):
            flow = _write(array, t, value, flow)
        t += 1
        return t, c, h, _write(tape.h, t, h, _write(tape.c, t, c, flow))

    begin, end = span
    return _loop(lambda t, *_: t < end, step, (begin, c, h, flow))[1:]


def run(tower, layers, state):
    """Run the layers over a window.

    Args:
        tower: a Tower.
        layers: a list of Layer.
        state: a list of (c, h), [R, L] each.

    Returns:
        (outputs, state, tapes, flows): float32 [M, R, L], the state after the window, a _Tape and a flow a
        layer.
    """
    n_steps, n_rows = tower.ids.shape.as_list()
    size = layers[0].recurrent.shape[0].value
    table = layers[0].inputs + layers[0].bias  # [C, 4L]
    tapes, flows = [], []
    for c, h in state:
        tape = _Tape(*[_array(n_steps) for _ in range(5)], _array(n_steps + 1), _array(n_steps + 1),
                     _array(tower.n_pieces))
        tapes.append(tape)
        flows.append(_write(tape.h, 0, h, _write(tape.c, 0, c, tf.zeros([]))))

    def run_piece(k, state, flows):
        begin, end = span = tower.span(k)
        state, flows, below = list(state), list(flows), None
        for index, (layer, tape) in enumerate(zip(layers, tapes)):
            if index == 0:
                def input_at(t):
                    return tf.gather(table, tower.ids[t])  # [R, 4L]
            else:
                product = tf.matmul(tf.reshape(below, [-1, size]), layer.inputs)  # [S·R, 4L]
                inputs = tf.reshape(tf.nn.bias_add(product, layer.bias), [-1, n_rows, 4 * size])  # [S, R, 4L]

                def input_at(t, inputs=inputs):
                    return inputs[t - begin]  # [R, 4L]
            c, h, flow = _run_piece(layer, tape, input_at, span, *state[index], flows[index])
            state[index] = c, h
            outputs = _read_all(tape.h, begin + 1, end + 1, flow, [n_rows, size])  # [S, R, L]
            below = tower.drop(index, outputs, begin, end)
            flows[index] = _write(tape.dropped, k, below, flow)
        return k + 1, state, flows

    _, state, flows = _loop(lambda k, *_: k < tower.n_pieces, run_piece, (0, state, flows))
    outputs = tf.raw_ops.TensorArrayConcatV3(  # [M, R, L]
        handle=tapes[-1].dropped, flow_in=flows[-1], dtype=tf.float32, element_shape_except0=[n_rows, size])[0]
    return outputs, state, tapes, flows


def _run_piece_back(recurrent_transposed, tape, flow, d_outputs, span, dc, dh):
    """Take the gradient back through the steps of a piece.

    Args:
        recurrent_transposed: [4L, L].
        tape, flow: of the layer.
        d_outputs: [S, R, L], the gradient for the outputs before dropout.
        span: first step of the piece and the step after its last.
        dc, dh: [R, L], the gradient for the state after the piece.

    Returns:
        (dc, dh, d_gates): for the state before the piece, and for the gates before their functions
        [S, R, 4L].
    """
    begin, end = span
    shape = dc.shape.as_list()
    gates = _array(end - begin)

    def step(t, dc, dh, written):
        i, j, f, o, tanh_c, c_before = (_read(array, t, flow, shape) for array in tape[:6])
        dh += d_outputs[t - begin]
        dc += tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
        d_gates = tf.concat([  # [R, 4L]
            tf.raw_ops.SigmoidGrad(y=i, dy=dc * j), tf.raw_ops.TanhGrad(y=j, dy=dc * i),
            tf.raw_ops.SigmoidGrad(y=f, dy=dc * c_before), tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c)], axis=1)
        written = _write(gates, t - begin, d_gates, written)
        return t - 1, dc * f, tf.matmul(d_gates, recurrent_transposed), written

    _, dc, dh, written = _loop(lambda t, *_: t >= begin, step, (end - 1, dc, dh, tf.zeros([])))
    return dc, dh, _read_all(gates, 0, end - begin, written, [shape[0], 4 * shape[1]])


def run_back(tower, layers, tapes, flows, d_outputs, d_state):
    """Take the gradient back through :func:`run`.

    Args:
        tower, layers, tapes, flows: as there.
        d_outputs: [N·M, L], for the outputs of all towers.
        d_state: a list of (dc, dh), [R, L] each, for the state after the window.

    Returns:
        (d_state, d_layers): for the state before the window, and a list of Layer of gradients.
    """
    n_rows, size = tower.ids.shape[1].value, layers[0].recurrent.shape[0].value
    recurrent = [tf.transpose(layer.recurrent) for layer in layers]  # [4L, L]
    inputs = [tf.transpose(layer.inputs) for layer in layers[1:]]  # [4L, L], layer 1 on

    def weight_gradients(index, k, span, d_gates):
        """Return a piece's share of a layer's gradients, from d_gates [S·R, 4L]."""
        begin, end = span
        before = _read_all(tapes[index].h, begin, end, flows[index], [n_rows, size])  # [S, R, L]
        d_recurrent = tf.matmul(tf.reshape(before, [-1, size]), d_gates, transpose_a=True)  # [L, 4L]
        if index == 0:  # each row to its character; all of them make the bias, in the end
            d_inputs = tf.unsorted_segment_sum(  # [C, 4L]
                d_gates, tf.reshape(tower.ids[begin:end], [-1]), layers[0].inputs.shape[0].value)
            return Layer(d_inputs, d_recurrent, tf.zeros([4 * size]))
        below = _read(tapes[index - 1].dropped, k, flows[index - 1], [None, n_rows, size])  # [S, R, L]
        d_inputs = tf.matmul(tf.reshape(below, [-1, size]), d_gates, transpose_a=True)  # [L, 4L]
        ones = tf.ones([1, tf.shape(d_gates)[0]])  # a product with it is quicker than a sum over rows
        return Layer(d_inputs, d_recurrent, tf.reshape(tf.matmul(ones, d_gates), [4 * size]))

    def run_piece(k, d_state, sums):
        span = begin, end = tower.span(k)
        d_state, sums = list(d_state), list(sums)
        above = tf.gather(d_outputs, tower.places[begin:end])  # [S, R, L]
        for index in reversed(range(len(layers))):
            above = tower.drop(index, above, begin, end)
            dc, dh, d_gates = _run_piece_back(
                recurrent[index], tapes[index], flows[index], above, span, *d_state[index])
            d_gates = tf.reshape(d_gates, [-1, 4 * size])  # [S·R, 4L]
            d_state[index] = (dc, dh)
            sums[index] = Layer(*[total + share for total, share in zip(
                sums[index], weight_gradients(index, k, span, d_gates))])
            if index:
                above = tf.reshape(tf.matmul(d_gates, inputs[index - 1]), [-1, n_rows, size])  # [S, R, L]
        return k - 1, d_state, sums

    zeros = [Layer(*[tf.zeros(values.shape) for values in layer]) for layer in layers]
    _, d_state, sums = _loop(lambda k, *_: k >= 0, run_piece, (tower.n_pieces - 1, d_state, zeros))
    first = sums[0]
    return d_state, [first._replace(bias=tf.reduce_sum(first.inputs, axis=0))] + list(sums[1:])
