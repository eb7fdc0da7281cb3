"""The forward and the backward pass of one shard: some rows of the batch through all layers.

This is the inner part of :mod:`charrnn.fused.unroll`, which explains the method and the letters for shapes.

On processors that have instructions for bfloat16, a product takes about half the time. Its operands and its result are
rounded to bfloat16. Everything that is summed over many steps is float32: the state c, the loss, the gradients of the
weights, the weights and the optimizer's averages.
"""

import time
from dataclasses import dataclass
from typing import Any, List, NamedTuple

from charrnn.system.tensorflow import tf

# Up to this number of characters, a product with one-hot rows in bfloat16 is faster than adding rows.
ONE_HOT_ROWS = 128


def product(a, b, precision="float32", *, transpose_a=False, transpose_b=False):
    """Multiply two matrices.

    Args:
        a, b: float32 or bfloat16; they are cast to the precision unless they have it.
        precision: ``float32`` or ``bfloat16``, of the operands.
        transpose_a, transpose_b: multiply the transposed matrix instead.

    Returns:
        A float32 matrix. In bfloat16, its sums are rounded to 8 significant bits.
    """
    return tf.cast(
        tf.matmul(tf.cast(a, precision), tf.cast(b, precision), transpose_a, transpose_b),
        tf.float32,
    )


def bfloat16_speedup(config):
    """Measure how many times as fast this machine multiplies in bfloat16 as in float32. It takes about 0.3 s.

    The products are those of a step of the recipe's layers, [100, 512] x [512, 2048].

    Args:
        config: the tf.ConfigProto of the session that measures. The process keeps its threads for operations.
    """
    seconds = {"float32": [], "bfloat16": []}
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        value = tf.placeholder(tf.float32, [])
        sums = {}
        for precision in seconds:
            weights = tf.cast(tf.fill([512, 2048], value), precision)
            sums[precision] = [
                product(tf.fill([100, 512], value + k), weights, precision)[0, 0] for k in range(8)
            ]
        for _ in range(3):  # the first prepares the graph
            for precision, results in sums.items():
                started = time.perf_counter()
                session.run(results, {value: 0.1})
                seconds[precision].append(time.perf_counter() - started)
    return min(seconds["float32"]) / min(seconds["bfloat16"])


class Layer(NamedTuple):
    """The weights of a layer, or their gradients.

    Attributes:
        inputs: [I, 4L], the weights of the layer's input.
        recurrent: [L, 4L], the weights of the layer's own h.
        bias: [4L], with the forget bias added.
    """

    inputs: Any
    recurrent: Any
    bias: Any


@dataclass(frozen=True)
class Shard:
    """Some rows of the batch, over all steps of the window.

    Attributes:
        ids: int32 [M, R].
        masks: for each layer a dropout mask [M, R, L], or None.
        flat_positions: int32 [M, R], the row of each step in the flat outputs [N·M] of the batch.
        piece_steps: S, steps of a piece.
        precision: type of the operands of products, such as h: ``float32`` or ``bfloat16``.
    """

    ids: Any
    masks: List[Any]
    flat_positions: Any
    piece_steps: int
    precision: str

    @property
    def n_steps(self):
        """M, steps of the window."""
        return self.ids.shape[0].value

    @property
    def n_pieces(self):
        """Number of pieces of the window."""
        return -(-self.n_steps // self.piece_steps)

    def span(self, k):
        """Return the first step of piece k and the step after its last."""
        return k * self.piece_steps, tf.minimum((k + 1) * self.piece_steps, self.n_steps)

    def drop(self, layer, values, begin, end):
        """Apply the layer's dropout mask to values [S, R, L] of the steps from begin to end, in their own type."""
        mask = self.masks[layer]
        return (
            values
            if mask is None
            else tf.cast(tf.cast(values, tf.float32) * mask[begin:end], values.dtype)
        )


class _Tape(NamedTuple):
    """The values of a layer's forward pass that its backward pass needs, as handles of TensorArrays."""

    i: Any  # the gates after their functions, [R, L] for each step
    j: Any
    f: Any
    o: Any
    tanh_c: Any  # [R, L] for each step
    c: Any  # the state, [R, L] for each step; element 0 is the state before the window
    h: Any  # the same, in the shard's precision
    dropped: Any  # the outputs after dropout, [S, R, L] for each piece, in the shard's precision
    # scalar that each write changes and each read depends on, so that all writes come before it
    flow: Any


def _array(size, precision="float32", read_once=False):
    """Return the handle of a TensorArray. Unless it is read once, its elements stay in memory until the step ends."""
    return tf.raw_ops.TensorArrayV3(size=size, dtype=precision, clear_after_read=read_once)[0]


def _write(array, index, value, flow):
    return tf.raw_ops.TensorArrayWriteV3(handle=array, index=index, value=value, flow_in=flow)


def _read(array, index, flow, shape, precision="float32"):
    value = tf.raw_ops.TensorArrayReadV3(handle=array, index=index, flow_in=flow, dtype=precision)
    value.set_shape(shape)
    return value


def _read_range(array, begin, end, flow, shape, precision):
    return tf.raw_ops.TensorArrayGatherV3(  # [end - begin] + shape
        handle=array,
        indices=tf.range(begin, end),
        flow_in=flow,
        dtype=precision,
        element_shape=shape,
    )


def _loop(condition, body, values, parallel_iterations=10):
    return tf.while_loop(
        condition, body, values, back_prop=False, parallel_iterations=parallel_iterations
    )


def _new_tape(shard, c, h):
    """Return a tape whose states begin with c and h, [R, L] each."""
    steps = shard.n_steps
    states = shard.n_steps + 1
    pieces = shard.n_pieces
    tape = _Tape(
        *[_array(size) for size in (steps, steps, steps, steps, steps, states)],
        *[_array(size, shard.precision) for size in (states, pieces)],
        flow=tf.zeros([]),
    )
    return tape._replace(flow=_write(tape.h, 0, h, _write(tape.c, 0, c, tape.flow)))


def _gate_inputs(layer, below, n_rows, size, precision):
    """Return the share of the gates [S, R, 4L] that comes from the layer below, whose outputs are [S, R, L]."""
    inputs = product(tf.reshape(below, [-1, size]), layer.inputs, precision)  # [S·R, 4L]
    return tf.reshape(tf.nn.bias_add(inputs, layer.bias), [-1, n_rows, 4 * size])


def _forward_piece(layer, tape, input_at, span, c, h, flow):
    """Run a layer over the steps of a piece, and write its tape. Return the state after it, and the tape's flow.

    ``input_at`` is a function from a step to the share of the gates [R, 4L] that comes from the input. The type of h is
    the precision; in bfloat16, the recurrent weights are transposed, [4L, L].
    """

    def step(t, c, h, flow):
        # [R, 4L]
        gates = product(h, layer.recurrent, h.dtype, transpose_b=h.dtype == "bfloat16") + input_at(
            t
        )
        i, j, f, o = tf.split(gates, 4, axis=1)  # [R, L] each
        i = tf.sigmoid(i)
        j = tf.tanh(j)
        f = tf.sigmoid(f)
        o = tf.sigmoid(o)
        c = c * f + i * j
        tanh_c = tf.tanh(c)
        h = tf.cast(tanh_c * o, h.dtype)
        # each write takes the flow of the one before it, so the last flow waits for all of them
        for array, value in zip(
            (tape.i, tape.j, tape.f, tape.o, tape.tanh_c), (i, j, f, o, tanh_c)
        ):
            flow = _write(array, t, value, flow)
        t += 1
        return t, c, h, _write(tape.h, t, h, _write(tape.c, t, c, flow))

    begin, end = span
    return _loop(lambda t, *_: t < end, step, (begin, c, h, flow))[1:]


def forward(shard, layers, state):
    """Run all layers over the window.

    Args:
        shard: the Shard.
        layers: a list of Layer.
        state: for each layer (c, h), [R, L] each, before the window.

    Returns:
        (outputs, state, tapes): [M, R, L] after dropout in the shard's precision, the state after the window, and
        for each layer the tape that :func:`backward` reads.
    """
    first = layers[0]
    precision = shard.precision
    # The operands of products are cast once; the rows of the first layer's inputs are only added. In bfloat16, the
    # product of few rows with transposed weights is faster.
    layers = [
        layer._replace(
            inputs=tf.cast(layer.inputs, precision) if index else layer.inputs,
            recurrent=tf.cast(layer.recurrent, precision),
        )
        for index, layer in enumerate(layers)
    ]
    if precision == "bfloat16":
        layers = [layer._replace(recurrent=tf.transpose(layer.recurrent)) for layer in layers]
    state = [(c, tf.cast(h, precision)) for c, h in state]
    # A one-hot row times a matrix is one of its rows. The bias is added to all of them at once, or to those of each
    # step if there are more characters than steps.
    is_large = first.inputs.shape[0].value > shard.ids.shape.num_elements()
    first_inputs = first.inputs if is_large else first.inputs + first.bias  # [C, 4L]
    tapes = [_new_tape(shard, c, h) for c, h in state]
    element = n_rows, size = state[0][1].shape.as_list()  # [R, L]

    def run_piece(k, state, flows):
        begin, end = span = shard.span(k)
        state = list(state)
        flows = list(flows)
        below = None
        for index, (layer, tape) in enumerate(zip(layers, tapes)):
            # [S, R, 4L]
            inputs = _gate_inputs(layer, below, n_rows, size, precision) if index else None

            def input_at(t, inputs=inputs):  # [R, 4L]
                if inputs is not None:
                    return inputs[t - begin]
                rows = tf.gather(first_inputs, shard.ids[t])
                return rows + first.bias if is_large else rows

            c, h, flow = _forward_piece(layer, tape, input_at, span, *state[index], flows[index])
            state[index] = c, h
            below = shard.drop(
                index, _read_range(tape.h, begin + 1, end + 1, flow, element, precision), begin, end
            )
            flows[index] = _write(tape.dropped, k, below, flow)
        return k + 1, state, flows

    # each layer works on another piece, and one more is begun; still more would take memory
    _, state, flows = _loop(
        lambda k, *_: k < shard.n_pieces,
        run_piece,
        (0, state, [tape.flow for tape in tapes]),
        len(layers) + 1,
    )
    tapes = [tape._replace(flow=flow) for tape, flow in zip(tapes, flows)]
    outputs = tf.raw_ops.TensorArrayConcatV3(  # [M, R, L]
        handle=tapes[-1].dropped,
        flow_in=tapes[-1].flow,
        dtype=precision,
        element_shape_except0=element,
    )[0]
    return outputs, [(c, tf.cast(h, tf.float32)) for c, h in state], tapes


def _backward_piece(recurrent_transposed, tape, d_outputs, span, dc, dh):
    """Return the gradient for the state before a piece and for its gates before their functions [S·R, 4L].

    They are computed from the piece's last step to its first, from those for the outputs before dropout [S, R, L] and
    for the state after the piece. The type of the transposed weights [4L, L] is the precision of products.
    """
    begin, end = span
    n_rows, size = dc.shape.as_list()
    precision = recurrent_transposed.dtype
    gates = _array(end - begin, precision, read_once=True)

    def step(t, dc, dh, written):
        i, j, f, o, tanh_c, c_before = (
            _read(array, t, tape.flow, [n_rows, size])
            for array in (tape.i, tape.j, tape.f, tape.o, tape.tanh_c, tape.c)
        )
        dh += d_outputs[t - begin]
        dc += tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
        # [R, 4L]: TensorFlow's own gradients need the values after the functions only
        d_gates = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=dc * j),
                tf.raw_ops.TanhGrad(y=j, dy=dc * i),
                tf.raw_ops.SigmoidGrad(y=f, dy=dc * c_before),
                tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c),
            ],
            axis=1,
        )
        d_gates = tf.cast(d_gates, precision)
        written = _write(gates, t - begin, d_gates, written)
        return t - 1, dc * f, product(d_gates, recurrent_transposed, precision), written

    _, dc, dh, written = _loop(lambda t, *_: t >= begin, step, (end - 1, dc, dh, tf.zeros([])))
    # [S, R, 4L]
    d_gates = _read_range(gates, 0, end - begin, written, [n_rows, 4 * size], precision)
    return dc, dh, tf.reshape(d_gates, [-1, 4 * size])


def _used_rows(ids, num_classes, precision):
    """Return the distinct ids [U], in order, and the place of each id [M, R] among them.

    With few characters in bfloat16, U is C, so that its shape is static and :func:`_add_rows` uses a product.
    """
    if precision == "bfloat16" and num_classes <= ONE_HOT_ROWS:
        return tf.range(num_classes), ids
    flat = tf.reshape(ids, [-1])
    used = tf.sort(tf.unique(flat)[0])
    return used, tf.reshape(tf.searchsorted(used, flat), ids.shape)


def _add_rows(total, places, rows):
    """Add rows [S·R, 4L] at their places, int32 [S, R], in a total [U, 4L].

    With few characters in bfloat16, the product of a one-hot matrix with the rows is the fastest. Otherwise the rows
    with the same place are added first. Then only their places in the total are changed, so that the time does not grow
    with the number of characters.
    """
    if total.shape[0].value is not None:
        # [S·R, U]
        one_hot = tf.one_hot(tf.reshape(places, [-1]), total.shape[0].value, dtype=rows.dtype)
        return total + product(one_hot, rows, rows.dtype, transpose_a=True)
    rows = tf.cast(rows, tf.float32)
    distinct, numbers = tf.unique(tf.reshape(places, [-1]))
    sums = tf.unsorted_segment_sum(rows, numbers, tf.size(distinct))
    return tf.tensor_scatter_nd_add(total, distinct[:, tf.newaxis], sums)


def _add_gradients(total, places, below, h_before, d_gates):
    """Return the float32 gradients of a layer with a piece's share added, from ``d_gates`` [S·R, 4L].

    In the first layer, ``below`` is None, and the gradients of the inputs are those of the rows [U, 4L] of the window's
    ids, with the row of each id in ``places`` [S, R]. Its bias is left to :func:`backward`.
    """
    size = total.recurrent.shape[0].value
    precision = d_gates.dtype
    # [L, 4L]
    d_recurrent = product(tf.reshape(h_before, [-1, size]), d_gates, precision, transpose_a=True)
    recurrent = total.recurrent + d_recurrent
    if below is None:
        return Layer(_add_rows(total.inputs, places, d_gates), recurrent, total.bias)
    # [L, 4L]
    d_inputs = product(tf.reshape(below, [-1, size]), d_gates, precision, transpose_a=True)
    # a product with ones is faster than a sum over rows
    ones = tf.ones([1, tf.shape(d_gates)[0]], precision)
    d_bias = tf.reshape(product(ones, d_gates, precision), [4 * size])
    return Layer(total.inputs + d_inputs, recurrent, total.bias + d_bias)


def backward(shard, layers, tapes, d_outputs, d_state):
    """Compute the gradients of :func:`forward`.

    Args:
        shard, layers: as for :func:`forward`.
        tapes: from :func:`forward`.
        d_outputs: [N·M, L], the gradient for the flat outputs of the batch.
        d_state: for each layer (dc, dh), [R, L] each, the gradient for the state after the window.

    Returns:
        (d_state, d_layers): the gradient for the state before the window, and a Layer of gradients for each layer.
        In that of the first layer, ``inputs`` is an IndexedSlices of the rows whose ids are in the window.
    """
    precision = shard.precision
    # [4L, L]
    recurrent_transposed = [tf.transpose(tf.cast(layer.recurrent, precision)) for layer in layers]
    # [4L, L]
    inputs_transposed = [None] + [
        tf.transpose(tf.cast(layer.inputs, precision)) for layer in layers[1:]
    ]
    element = d_state[0][1].shape.as_list()  # [R, L]
    used, places = _used_rows(shard.ids, layers[0].inputs.shape[0].value, precision)  # [U], [M, R]

    def run_piece(k, d_state, totals):
        begin, end = span = shard.span(k)
        d_state = list(d_state)
        totals = list(totals)
        d_above = tf.gather(d_outputs, shard.flat_positions[begin:end])  # [S, R, L]
        for index in reversed(range(len(layers))):
            tape = tapes[index]
            below = None
            d_above = shard.drop(index, d_above, begin, end)
            dc, dh, d_gates = _backward_piece(
                recurrent_transposed[index], tape, d_above, span, *d_state[index]
            )
            d_state[index] = dc, dh
            h_before = _read_range(tape.h, begin, end, tape.flow, element, precision)
            if index:
                below = _read(
                    tapes[index - 1].dropped, k, tapes[index - 1].flow, [None] + element, precision
                )
                d_above = product(d_gates, inputs_transposed[index], precision)
                d_above = tf.reshape(d_above, [-1] + element)  # [S, R, L]
            totals[index] = _add_gradients(
                totals[index], places[begin:end], below, h_before, d_gates
            )
        return k - 1, d_state, totals

    zeros = [Layer(*[tf.zeros(values.shape) for values in layer]) for layer in layers]
    with tf.control_dependencies([d_outputs]):  # not in memory before they are needed
        n_used = used.shape[0].value or tf.size(used)
        zeros[0] = zeros[0]._replace(inputs=tf.zeros([n_used, zeros[0].bias.shape[0]]))  # [U, 4L]
    _, d_state, totals = _loop(
        lambda k, *_: k >= 0, run_piece, (shard.n_pieces - 1, d_state, zeros), len(layers) + 1
    )
    # the bias is added once with each row of inputs, so its gradient is the sum of their gradients
    first = totals[0]._replace(
        inputs=tf.IndexedSlices(totals[0].inputs, used),
        bias=tf.reduce_sum(totals[0].inputs, axis=0),
    )
    return d_state, [first] + list(totals[1:])
