"""The forward and the backward pass of one shard: some rows of the batch through all layers.

This is the inner part of :mod:`charrnn.fused.unroll`, which explains the method and the letters for shapes.

On processors that have instructions for bfloat16, a product takes about half the time. Its operands and its result are
rounded to bfloat16, so the sum of a piece, which a product computes, is rounded too. Sums over pieces are float32: the
gradients of the weights. So are the state c, the loss, the weights and the optimizer's averages.
"""

from dataclasses import dataclass
from typing import Any, List, NamedTuple

from charrnn.system.tensorflow import tf

# In bfloat16, up to this number of characters, a product with one-hot rows is faster than adding rows.
MOST_ONE_HOT_CHARACTERS = 128


def product(a, b, precision="float32", *, transpose_a=False, transpose_b=False):
    """Multiply two matrices.

    Args:
        a, b: float32 or bfloat16; they are cast to the precision unless they have it.
        precision: ``float32`` or ``bfloat16``, of the operands.
        transpose_a, transpose_b: multiply the transposed matrix instead.

    Returns:
        A float32 matrix. In bfloat16, its sums are rounded to 8 significant bits.
    """
    a = tf.cast(a, precision)
    b = tf.cast(b, precision)
    sums = tf.matmul(a, b, transpose_a, transpose_b)
    return tf.cast(sums, tf.float32)


class Layer(NamedTuple):
    """The weights of a layer, or their gradients.

    Attributes:
        inputs: [I, 4L], for the layer's input. Gradients of the first layer have only the rows of the ids in the
            window: [U, 4L], or an IndexedSlices of them.
        recurrent: [L, 4L], for the layer's own h.
        bias: [4L]. It is added to the gates as it is, so that of a BasicLSTMCell needs the forget bias in it.
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
        """M."""
        return self.ids.shape[0].value

    @property
    def n_pieces(self):
        """The last piece may be shorter than the others."""
        return -(-self.n_steps // self.piece_steps)

    def span(self, k):
        """Return the first step of piece k and the step after its last."""
        begin = k * self.piece_steps
        end = tf.minimum((k + 1) * self.piece_steps, self.n_steps)
        return begin, end

    def drop(self, index, values, begin, end):
        """Apply the mask of the layer with this index to values [S, R, L] of the steps from begin to end."""
        mask = self.masks[index]
        if mask is None:
            return values
        dropped = tf.cast(values, tf.float32) * mask[begin:end]
        return tf.cast(dropped, values.dtype)


class _Tape(NamedTuple):
    """The values of a layer's forward pass that its backward pass needs.

    All but the flow are handles of TensorArrays.

    Attributes:
        i, j, f, o: the gates after their functions, [R, L] for each step.
        tanh_c: [R, L] for each step.
        c, h: the state, [R, L] each. Element t is the state before step t, so there is one more than there are steps.
            h has the shard's precision.
        dropped: the outputs after dropout, [S, R, L] for each piece, in the shard's precision.
        flow: a scalar, the result of the last write. A read takes it, so that it waits for all writes.
    """

    i: Any
    j: Any
    f: Any
    o: Any
    tanh_c: Any
    c: Any
    h: Any
    dropped: Any
    flow: Any


def _array(size, precision="float32", read_once=False):
    """Return the handle of a TensorArray. Unless it is read once, its elements stay in memory until the step ends."""
    array = tf.raw_ops.TensorArrayV3(size=size, dtype=precision, clear_after_read=read_once)
    return array.handle


def _write(array, index, value, flow):
    return tf.raw_ops.TensorArrayWriteV3(handle=array, index=index, value=value, flow_in=flow)


def _read(array, index, flow, shape, precision="float32"):
    value = tf.raw_ops.TensorArrayReadV3(handle=array, index=index, flow_in=flow, dtype=precision)
    value.set_shape(shape)
    return value


def _read_range(array, begin, end, *, flow, shape, precision):
    """Return the elements from begin to end, [end - begin] + shape."""
    return tf.raw_ops.TensorArrayGatherV3(
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
    """Return a tape with the state before the window, c and h, [R, L] each."""
    n_steps = shard.n_steps
    n_states = n_steps + 1
    tape = _Tape(
        i=_array(n_steps),
        j=_array(n_steps),
        f=_array(n_steps),
        o=_array(n_steps),
        tanh_c=_array(n_steps),
        c=_array(n_states),
        h=_array(n_states, shard.precision),
        dropped=_array(shard.n_pieces, shard.precision),
        flow=tf.zeros([]),
    )
    flow = _write(tape.c, 0, c, tape.flow)
    flow = _write(tape.h, 0, h, flow)
    return tape._replace(flow=flow)


class _Operands(NamedTuple):
    """The weights of a layer as the forward pass multiplies them, cast to the precision once for all steps.

    Attributes:
        inputs, recurrent, bias: as in Layer. Those for the ids stay float32: their rows are gathered and added.
        is_transposed: whether ``recurrent`` is [4L, L]. In bfloat16, its product with few rows is faster so.
    """

    inputs: Any
    recurrent: Any
    bias: Any
    is_transposed: bool


def _operands(layers, precision):
    """Return the operands of each layer."""
    is_transposed = precision == "bfloat16"
    operands = []
    for index, layer in enumerate(layers):
        inputs = layer.inputs
        if index > 0:
            inputs = tf.cast(inputs, precision)
        recurrent = tf.cast(layer.recurrent, precision)
        if is_transposed:
            recurrent = tf.transpose(recurrent)
        operands.append(_Operands(inputs, recurrent, layer.bias, is_transposed))
    return operands


def _first_gate_inputs(layer, ids):
    """Return a function from a step to the share of the first layer's gates [R, 4L] that comes from the ids [M, R].

    A one-hot row times a matrix is one of its rows.
    """
    # the bias is added to all rows at once, or, if they are more than the ids in the window, to those of each step
    n_characters = layer.inputs.shape[0].value
    if n_characters > ids.shape.num_elements():
        return lambda t: tf.gather(layer.inputs, ids[t]) + layer.bias
    with_bias = layer.inputs + layer.bias  # [C, 4L]
    return lambda t: tf.gather(with_bias, ids[t])


def _gate_inputs(layer, below, begin, n_rows, precision):
    """Return a function from a step to the share of the gates [R, 4L] that comes from the layer below.

    ``below`` has its outputs [S, R, L] of the piece that starts with the step ``begin``.
    """
    size = layer.bias.shape[0].value // 4
    flat = tf.reshape(below, [-1, size])  # [S·R, L]
    gates = product(flat, layer.inputs, precision)  # [S·R, 4L]
    gates = tf.nn.bias_add(gates, layer.bias)
    gates = tf.reshape(gates, [-1, n_rows, 4 * size])  # [S, R, 4L]
    return lambda t: gates[t - begin]


def _forward_piece(layer, tape, input_at, begin, end, state, flow):
    """Run a layer over the steps of a piece, and write its tape. Return the state after it, and the tape's flow.

    ``input_at`` is a function from a step to the share of the gates [R, 4L] that comes from the input. The layer is
    one of :func:`_operands`, in the precision that h has.
    """
    c, h = state
    precision = h.dtype.name

    def step(t, c, h, flow):
        gates = product(h, layer.recurrent, precision, transpose_b=layer.is_transposed)
        gates += input_at(t)  # [R, 4L]
        i, j, f, o = tf.split(gates, 4, axis=1)  # [R, L] each

        i = tf.sigmoid(i)
        j = tf.tanh(j)
        f = tf.sigmoid(f)
        o = tf.sigmoid(o)
        c = c * f + i * j
        tanh_c = tf.tanh(c)
        h = tf.cast(tanh_c * o, precision)

        # each write takes the flow of the one before it, so the last flow waits for all writes
        flow = _write(tape.i, t, i, flow)
        flow = _write(tape.j, t, j, flow)
        flow = _write(tape.f, t, f, flow)
        flow = _write(tape.o, t, o, flow)
        flow = _write(tape.tanh_c, t, tanh_c, flow)

        # the state after this step is the one before the next
        next_t = t + 1
        flow = _write(tape.c, next_t, c, flow)
        flow = _write(tape.h, next_t, h, flow)
        return next_t, c, h, flow

    _, c, h, flow = _loop(lambda t, *_: t < end, step, (begin, c, h, flow))
    return (c, h), flow


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
    precision = shard.precision
    operands = _operands(layers, precision)
    state = [(c, tf.cast(h, precision)) for c, h in state]
    first_input_at = _first_gate_inputs(layers[0], shard.ids)
    tapes = [_new_tape(shard, c, h) for c, h in state]
    _, first_h = state[0]
    element = first_h.shape.as_list()  # [R, L]
    n_rows, _ = element

    def run_piece(k, state, flows):
        begin, end = shard.span(k)
        state = list(state)
        # of each layer's tape, which itself keeps the flow from before the loop
        flows = list(flows)
        below = None
        for index, (layer, tape) in enumerate(zip(operands, tapes)):
            if below is None:
                input_at = first_input_at
            else:
                input_at = _gate_inputs(
                    layer, below, begin=begin, n_rows=n_rows, precision=precision
                )
            state[index], flows[index] = _forward_piece(
                layer=layer,
                tape=tape,
                input_at=input_at,
                begin=begin,
                end=end,
                state=state[index],
                flow=flows[index],
            )

            # the outputs are the states after the steps
            outputs = _read_range(
                tape.h,
                begin + 1,
                end + 1,
                flow=flows[index],
                shape=element,
                precision=precision,
            )
            below = shard.drop(index, outputs, begin, end)  # [S, R, L]
            flows[index] = _write(tape.dropped, k, below, flows[index])
        return k + 1, state, flows

    # Each layer works on another piece, and one more piece is begun. Still more would only take memory.
    _, state, flows = _loop(
        lambda k, *_: k < shard.n_pieces,
        run_piece,
        (0, state, [tape.flow for tape in tapes]),
        parallel_iterations=len(layers) + 1,
    )
    tapes = [tape._replace(flow=flow) for tape, flow in zip(tapes, flows)]

    top = tapes[-1]
    outputs, _ = tf.raw_ops.TensorArrayConcatV3(  # [M, R, L]
        handle=top.dropped, flow_in=top.flow, dtype=precision, element_shape_except0=element
    )
    state = [(c, tf.cast(h, tf.float32)) for c, h in state]
    return outputs, state, tapes


def _backward_piece(recurrent_transposed, tape, d_outputs, begin, end, d_state):
    """Run a layer backwards over a piece, and return the gradients (dc, dh) of the state before it and of its gates.

    Those of the gates, [S·R, 4L], are for their values before the functions. ``d_outputs`` [S, R, L] is the gradient of
    the outputs before dropout, and ``d_state`` that of the state after the piece. The transposed weights [4L, L] have
    the precision of products.
    """
    dc, dh = d_state
    n_rows, size = dc.shape.as_list()
    precision = recurrent_transposed.dtype.name
    d_gates_array = _array(end - begin, precision, read_once=True)

    def read(array, t):
        return _read(array, t, tape.flow, [n_rows, size])

    def step(t, dc, dh, flow):
        i = read(tape.i, t)
        j = read(tape.j, t)
        f = read(tape.f, t)
        o = read(tape.o, t)
        tanh_c = read(tape.tanh_c, t)
        c_before = read(tape.c, t)

        # TensorFlow's own gradients of tanh and the sigmoid take the values of the function, not its arguments
        dh += d_outputs[t - begin]
        dc += tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
        d_i = tf.raw_ops.SigmoidGrad(y=i, dy=dc * j)
        d_j = tf.raw_ops.TanhGrad(y=j, dy=dc * i)
        d_f = tf.raw_ops.SigmoidGrad(y=f, dy=dc * c_before)
        d_o = tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c)
        d_gates = tf.concat([d_i, d_j, d_f, d_o], axis=1)  # [R, 4L]
        d_gates = tf.cast(d_gates, precision)
        flow = _write(d_gates_array, t - begin, d_gates, flow)
        return t - 1, dc * f, product(d_gates, recurrent_transposed, precision), flow

    _, dc, dh, flow = _loop(lambda t, *_: t >= begin, step, (end - 1, dc, dh, tf.zeros([])))
    d_gates = _read_range(  # [S, R, 4L]
        d_gates_array, 0, end - begin, flow=flow, shape=[n_rows, 4 * size], precision=precision
    )
    return (dc, dh), tf.reshape(d_gates, [-1, 4 * size])


class _UsedRows(NamedTuple):
    """The rows of the first layer's input weights that a window uses.

    Attributes:
        ids: int32 [U], in order: those in the window, or all C.
        places: int32 [M, R], the place of each id of the window among them.
        are_all: whether they are all C, so that U is static, and :func:`_add_rows` uses a product.
    """

    ids: Any
    places: Any
    are_all: bool


def _used_rows(ids, num_classes, precision):
    """Return the rows that the ids [M, R] use. With few characters in bfloat16, they are all."""
    if precision == "bfloat16" and num_classes <= MOST_ONE_HOT_CHARACTERS:
        return _UsedRows(tf.range(num_classes), ids, are_all=True)

    flat = tf.reshape(ids, [-1])
    distinct, _ = tf.unique(flat)
    # searchsorted needs them sorted
    used = tf.sort(distinct)
    places = tf.searchsorted(used, flat)
    return _UsedRows(used, tf.reshape(places, ids.shape), are_all=False)


def _add_rows(total, places, rows, are_all):
    """Add rows [S·R, 4L] at their places, int32 [S, R], in a total [U, 4L].

    Where U are all characters, the product of a one-hot matrix with the rows is the fastest. Otherwise the rows with
    the same place are added first. Then only their places in the total are changed, so that the time does not grow with
    the number of characters.
    """
    if are_all:
        n_used = total.shape[0].value
        precision = rows.dtype.name
        one_hot = tf.one_hot(tf.reshape(places, [-1]), n_used, dtype=precision)  # [S·R, U]
        return total + product(one_hot, rows, precision, transpose_a=True)

    rows = tf.cast(rows, tf.float32)
    distinct, numbers = tf.unique(tf.reshape(places, [-1]))
    sums = tf.unsorted_segment_sum(rows, numbers, tf.size(distinct))
    return tf.tensor_scatter_nd_add(total, distinct[:, tf.newaxis], sums)


def _add_gradients(total, used, steps, below, h_before, d_gates):
    """Return the float32 gradients of a layer with a piece's share added, from ``d_gates`` [S·R, 4L].

    ``below`` is the dropped outputs [S, R, L] of the layer below. In the first layer it is None, ``total.inputs`` has
    the rows [U, 4L] that are ``used``, a _UsedRows, of which a slice of ``steps`` has the places, and the bias is left
    to :func:`backward`.
    """
    size = total.recurrent.shape[0].value
    precision = d_gates.dtype.name
    flat = tf.reshape(h_before, [-1, size])  # [S·R, L]
    recurrent = total.recurrent + product(flat, d_gates, precision, transpose_a=True)  # [L, 4L]
    if below is None:
        inputs = _add_rows(total.inputs, used.places[steps], d_gates, used.are_all)  # [U, 4L]
        return Layer(inputs, recurrent, total.bias)

    flat = tf.reshape(below, [-1, size])  # [S·R, L]
    d_inputs = product(flat, d_gates, precision, transpose_a=True)  # [L, 4L]
    # a product with ones is faster than a sum over rows
    ones = tf.ones([1, tf.shape(d_gates)[0]], precision)
    d_bias = tf.reshape(product(ones, d_gates, precision), [4 * size])
    return Layer(total.inputs + d_inputs, recurrent, total.bias + d_bias)


def _transposed(weights, precision):
    """Return matrices of weights [L, 4L] in the precision and transposed, [4L, L] each, once for all steps."""
    return [tf.transpose(tf.cast(matrix, precision)) for matrix in weights]


def backward(shard, layers, tapes, d_flat_outputs, d_state):
    """Compute the gradients of :func:`forward`.

    Args:
        shard, layers: as for :func:`forward`.
        tapes: from :func:`forward`.
        d_flat_outputs: [N·M, L], the gradient of the flat outputs of the batch.
        d_state: for each layer (dc, dh), [R, L] each, the gradient of the state after the window.

    Returns:
        (d_state, d_layers): the gradient of the state before the window, and a Layer of gradients for each layer.
        In that of the first layer, ``inputs`` is an IndexedSlices of the rows whose ids are in the window.
    """
    precision = shard.precision
    recurrent_transposed = _transposed([layer.recurrent for layer in layers], precision)
    inputs_transposed = _transposed([layer.inputs for layer in layers[1:]], precision)
    _, first_dh = d_state[0]
    element = first_dh.shape.as_list()  # [R, L]
    num_classes = layers[0].inputs.shape[0].value
    used = _used_rows(shard.ids, num_classes, precision)

    def run_piece(k, d_state, totals):
        begin, end = shard.span(k)
        d_state = list(d_state)
        totals = list(totals)
        d_dropped = tf.gather(d_flat_outputs, shard.flat_positions[begin:end])  # [S, R, L]
        for index in reversed(range(len(layers))):
            tape = tapes[index]
            d_state[index], d_gates = _backward_piece(
                recurrent_transposed=recurrent_transposed[index],
                tape=tape,
                d_outputs=shard.drop(index, d_dropped, begin, end),
                begin=begin,
                end=end,
                d_state=d_state[index],
            )

            h_before = _read_range(
                tape.h, begin, end, flow=tape.flow, shape=element, precision=precision
            )
            if index == 0:
                below = None
            else:
                tape_below = tapes[index - 1]
                below = _read(
                    tape_below.dropped,
                    index=k,
                    flow=tape_below.flow,
                    shape=[None, *element],
                    precision=precision,
                )
                # the gradient of the outputs of the layer below, the next one here
                d_dropped = product(d_gates, inputs_transposed[index - 1], precision)
                d_dropped = tf.reshape(d_dropped, [-1, *element])  # [S, R, L]

            totals[index] = _add_gradients(
                totals[index],
                used=used,
                steps=slice(begin, end),
                below=below,
                h_before=h_before,
                d_gates=d_gates,
            )
        return k - 1, d_state, totals

    zeros = []
    for layer in layers:
        zeros.append(Layer(*[tf.zeros(values.shape) for values in layer]))
    # the rows of the first layer wait for the end of the forward pass, so that they are not in memory before it
    with tf.control_dependencies([d_flat_outputs]):
        n_used = num_classes if used.are_all else tf.size(used.ids)
        first_inputs = tf.zeros([n_used, layers[0].bias.shape[0]])  # [U, 4L]
    zeros[0] = zeros[0]._replace(inputs=first_inputs)

    _, d_state, totals = _loop(
        lambda k, *_: k >= 0,
        run_piece,
        (shard.n_pieces - 1, d_state, zeros),
        parallel_iterations=len(layers) + 1,
    )

    # the bias was added once to each row, so its gradient is the sum of theirs
    d_rows = totals[0].inputs
    d_first = totals[0]._replace(
        inputs=tf.IndexedSlices(d_rows, used.ids), bias=tf.reduce_sum(d_rows, axis=0)
    )
    return d_state, [d_first, *totals[1:]]
