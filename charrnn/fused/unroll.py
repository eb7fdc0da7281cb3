"""A stack of LSTM cells unrolled for speed, with the variables and the numbers of ``tf.nn.dynamic_rnn``.

It is faster than ``dynamic_rnn`` for these reasons:

- The input of the first layer is a one-hot row. Its product with the kernel is one row of the kernel, which is
  gathered.
- The input of another layer does not depend on that layer's last step. So its product, and in the backward pass
  the products for the weight gradients, are computed for a piece of many steps at once. Only the product of ``h``
  with the recurrent weights is computed at each step. The backward pass transposes these weights once.
- A while loop runs over the pieces of the window, with all layers in its body. A piece of a layer waits only for the
  piece below it and for the last piece of the same layer. So the layers run in parallel, each product on one core,
  which is faster than one product after the other on all cores.
- If there are more cores than layers, the rows of the batch are split into shards, which run in parallel too.
- The dropout masks are drawn for all steps of the window at once.

Letters for shapes as in :mod:`charrnn.data`, and R rows of a shard, S steps of a piece, I inputs of a
layer (C in the first, L in the others).
"""

import numpy as np

from charrnn.fused import passes
from charrnn.system.tensorflow import tf

# Largest number of rows times steps of a piece: large ones make the products fast, small ones fit in the cache.
PIECE_ROWS = 500
# Smallest number of pieces of a long window if layers run in parallel: in the first and the last piece, one runs alone.
MIN_PIECES = 8


def row_ranges(n_rows, n_layers, threads):
    """Split the rows of a batch into shards, so that layers times shards are enough for all threads.

    Args:
        n_rows: N.
        n_layers: number of layers, which run in parallel too.
        threads: number of threads.

    Returns:
        A list of (first row, row after the last), of nearly equal lengths, none empty.

    >>> row_ranges(7, 1, threads=3)
    [(0, 2), (2, 4), (4, 7)]
    """
    n_shards = min(n_rows, -(-threads // n_layers))
    edges = [n_rows * shard // n_shards for shard in range(n_shards + 1)]
    return list(zip(edges[:-1], edges[1:]))


def _piece_steps(n_steps, n_rows, n_layers, threads):
    """Return S, the steps of a piece, for a window of n_steps and a shard of n_rows.

    >>> [_piece_steps(100, n_rows, 2, threads=2) for n_rows in (10, 100, 1000)]
    [12, 5, 1]
    >>> [_piece_steps(100, 10, 1, threads=2), _piece_steps(100, 10, 2, threads=1), _piece_steps(5, 10, 2, threads=2)]
    [50, 50, 1]
    """
    steps = PIECE_ROWS // n_rows
    if n_layers > 1 and threads > 1:
        steps = min(steps, n_steps // MIN_PIECES)
    return max(1, steps)


def _draw_masks(shape, keep_probs, mask_seed, precision="float32"):
    """Draw a dropout mask [M, N, L] for each layer: 1 / keep_prob where a unit is kept, else 0.

    The mask of a layer whose keep_prob is the number 1 is None.
    """
    masks = []
    for layer, keep_prob in enumerate(keep_probs):
        if isinstance(keep_prob, float) and keep_prob == 1:
            masks.append(None)
        else:
            seeds = _layer_seeds(mask_seed, layer, len(keep_probs))
            masks.append(_draw_mask(shape, keep_prob, seeds, precision))
    return masks


def _layer_seeds(mask_seed, layer, n_layers, recurrent=False):
    """Return the two seeds of a mask, int64 [2]: the first differs between the layers, the second is that of the step.

    For recurrent weights, the first is negative, so that their masks are not those of the outputs.
    """
    seed_of_run = mask_seed[0]
    seed_of_step = mask_seed[1]
    seed = seed_of_run * n_layers + layer
    if recurrent:
        seed = -1 - seed
    return tf.stack([seed, seed_of_step])


def _draw_mask(shape, keep_prob, seeds, precision="float32"):
    """Draw a mask from two seeds: 1 / keep_prob with the probability keep_prob, else 0."""
    if precision == "bfloat16":
        return _draw_mask_by_halves(shape, keep_prob, seeds)
    uniform = tf.random.stateless_uniform(shape, seeds)  # in [0, 1)
    return tf.floor(uniform + keep_prob) / keep_prob


def _draw_mask_by_halves(shape, keep_prob, seeds):
    """Draw a mask with one random number for two units, because drawing is a larger part of a step in bfloat16.

    The keep_prob is rounded to a multiple of 2**-16.
    """
    count = tf.TensorShape(shape).num_elements()
    pairs = tf.random.stateless_uniform(
        [(count + 1) // 2], seeds, minval=None, maxval=None, dtype=tf.int32
    )
    halves = tf.reshape(tf.bitcast(pairs, tf.int16), [-1])
    draws = tf.reshape(halves[:count], shape)  # in [-2**15, 2**15)
    n_kept = tf.maximum(tf.round(keep_prob * 2**16), 1)  # of the 2**16 numbers
    largest = tf.cast(n_kept - 2**15 - 1, tf.int16)
    return tf.cast(draws <= largest, tf.float32) / keep_prob


def _drop_recurrent(kernels, keep_prob, size, mask_seed):
    """Apply dropout to the recurrent weights of kernels [I + L, 4L]. All steps of the window have the same mask."""
    dropped = []
    for layer, kernel in enumerate(kernels):
        seeds = _layer_seeds(mask_seed, layer, len(kernels), recurrent=True)
        mask = _draw_mask([size, 4 * size], keep_prob, seeds)
        # not slices, whose gradient is slow
        inputs, recurrent = tf.split(kernel, [kernel.shape[0].value - size, size])
        dropped.append(tf.concat([inputs, recurrent * mask], axis=0))  # [I + L, 4L]
    return dropped


def layer_of(kernel, bias):
    """Return the passes.Layer of a BasicLSTMCell, which adds 1 to the forget gate before its sigmoid.

    Args:
        kernel: float32 tensor [I + L, 4L] of the gates i, j, f, o.
        bias: float32 tensor [4L].
    """
    size = bias.shape[0].value // 4
    forget_bias = np.repeat(np.array([0, 0, 1, 0], np.float32), size)  # [4L]
    return passes.Layer(kernel[:-size], kernel[-size:], bias + forget_bias)


def _gradients_of(shares, kernel):
    """Sum the shards' gradients of a layer, each a passes.Layer, to those of its kernel [I + L, 4L] and bias."""
    inputs = [share.inputs for share in shares]
    recurrent = tf.add_n([share.recurrent for share in shares])
    bias = tf.add_n([share.bias for share in shares])
    if not isinstance(inputs[0], tf.IndexedSlices):
        return tf.concat([tf.add_n(inputs), recurrent], axis=0), bias

    # few of the C rows have a gradient, so a sum of arrays [C, 4L] would take longer
    n_rows = kernel.shape[0].value
    n_inputs = n_rows - recurrent.shape[0].value
    recurrent_rows = tf.range(n_inputs, n_rows)
    d_kernel = tf.scatter_nd(recurrent_rows[:, tf.newaxis], recurrent, kernel.shape)
    for rows in inputs:
        d_kernel = tf.tensor_scatter_nd_add(d_kernel, rows.indices[:, tf.newaxis], rows.values)
    return d_kernel, bias


def _pairs(parts):
    """Return a flat list of c and h of each layer as a list of pairs."""
    return list(zip(parts[::2], parts[1::2]))


def _rows_of(pairs, begin, end):
    """Return some rows of a state, pairs of c and h."""
    return [(c[begin:end], h[begin:end]) for c, h in pairs]


def _joined(states):
    """Join the states of all shards, each a list of pairs of c and h. Return a flat list of arrays [N, L]."""
    parts = []
    for pairs in zip(*states):  # those of a layer in all shards
        parts.append(tf.concat([c for c, _ in pairs], axis=0))
        parts.append(tf.concat([h for _, h in pairs], axis=0))
    return parts


def _differentiable(n_layers, shards, ranges):
    """Return the function that unrolls, with a gradient of its own.

    Its arguments are the kernels, the biases, then c and h of each layer. It returns the outputs [N·M, L], then the
    final c and h of each layer [N, L].
    """

    @tf.custom_gradient
    def unrolled(*values):
        # flat, because a function with a gradient of its own takes and returns tensors only
        kernels = values[:n_layers]
        biases = values[n_layers : 2 * n_layers]
        state = _pairs(values[2 * n_layers :])
        layers = [layer_of(kernel, bias) for kernel, bias in zip(kernels, biases)]

        outputs = []
        states = []
        tapes = []
        for shard, (begin, end) in zip(shards, ranges):
            output, after, tape = passes.forward(shard, layers, _rows_of(state, begin, end))
            outputs.append(output)
            states.append(after)
            tapes.append(tape)

        def gradient(d_outputs, *d_parts):
            d_state = _pairs(d_parts)
            d_states = []
            shares_of_shards = []
            for shard, (begin, end), tape in zip(shards, ranges, tapes):
                d_after = _rows_of(d_state, begin, end)
                d_before, shares = passes.backward(shard, layers, tape, d_outputs, d_after)
                d_states.append(d_before)
                shares_of_shards.append(shares)

            d_kernels = []
            d_biases = []
            for kernel, shares in zip(kernels, zip(*shares_of_shards)):
                d_kernel, d_bias = _gradients_of(shares, kernel)
                d_kernels.append(d_kernel)
                d_biases.append(d_bias)
            return d_kernels + d_biases + _joined(d_states)

        # sorts the outputs of all shards from step by step to row by row
        positions = [shard.flat_positions for shard in shards]
        flat_outputs = tf.cast(tf.dynamic_stitch(positions, outputs), tf.float32)  # [N·M, L]
        return [flat_outputs] + _joined(states), gradient

    return unrolled


def unroll(
    cell,
    inputs,
    num_classes,
    initial_state,
    mask_seed=None,
    threads=1,
    mask_rows=None,
    recurrent_keep_prob=1.0,
    precision="float32",
):
    """Unroll a stack of cells over a window of ids, as ``dynamic_rnn`` does over their one-hot rows.

    The cells create their variables, with the names that they have in ``dynamic_rnn``. An id outside of [0, C) is an
    error here; in ``dynamic_rnn``, its one-hot row would be zeros. There are no second derivatives and no derivative
    with respect to keep_prob.

    Args:
        cell: a MultiRNNCell of DropoutWrappers of BasicLSTMCells. All have the same size, and no other dropout
            than output_keep_prob.
        inputs: int32 [N, M] of static shape.
        num_classes: C.
        initial_state: for each layer an LSTMStateTuple of float32 [N, L].
        mask_seed: int64 [2], the seeds of a run and of a step. Dropout masks depend on them only, not on threads; None
            without dropout.
        threads: number of threads.
        mask_rows: (first, N) if the inputs are rows of a larger batch of N, from the row ``first``. Their masks are
            then those of these rows in the larger batch.
        recurrent_keep_prob: probability of keeping a recurrent weight, a tensor or the number 1 for no such dropout
            (DropConnect, Wan et al. 2013; for LSTMs Merity et al. 2017, arXiv:1708.02182).
        precision: as for :func:`charrnn.fused.passes.product`.

    Returns:
        (outputs, final_state): float32 [N, M, L], and the state after the window, like initial_state.

    Source: Appleyard et al. 2016, arXiv:1604.01946 (joined products, layers in parallel) and Hochreiter and
    Schmidhuber's LSTM with forget gates as in ``BasicLSTMCell``.
    """
    cells = [wrapper.wrapped_cell for wrapper in cell._cells]
    keep_probs = [wrapper._output_keep_prob for wrapper in cell._cells]
    n_rows, n_steps = inputs.shape.as_list()
    size = cell.output_size

    with tf.variable_scope("rnn"):
        # creates the variables; its result is not used
        cell(tf.zeros([n_rows, num_classes]), initial_state)

    with tf.name_scope("fused"):
        ids = tf.transpose(inputs)  # [M, N]
        positions = tf.reshape(tf.range(n_rows * n_steps), [n_rows, n_steps])
        positions = tf.transpose(positions)  # [M, N]

        first, n_drawn = mask_rows or (0, n_rows)
        shape = [n_steps, n_drawn, size]
        masks = _draw_masks(shape, keep_probs, mask_seed, precision)  # [M, N, L] each

        ranges = row_ranges(n_rows, len(cells), threads)
        shards = []
        for begin, end in ranges:
            shard = passes.Shard(
                ids=ids[:, begin:end],
                masks=_columns(masks, first + begin, first + end),
                flat_positions=positions[:, begin:end],
                piece_steps=_piece_steps(n_steps, end - begin, len(cells), threads),
                precision=precision,
            )
            shards.append(shard)

        kernels = [inner.variables[0] for inner in cells]
        biases = [inner.variables[1] for inner in cells]
        if isinstance(recurrent_keep_prob, tf.Tensor) or recurrent_keep_prob != 1:
            kernels = _drop_recurrent(kernels, recurrent_keep_prob, size, mask_seed)

        unrolled = _differentiable(len(cells), shards, ranges)
        outputs, *final_parts = unrolled(*kernels, *biases, *tf.nest.flatten(initial_state))
        final_state = tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in _pairs(final_parts))
        return tf.reshape(outputs, [n_rows, n_steps, size]), final_state


def _columns(masks, begin, end):
    """Return the masks [M, R, L] of some rows; that of a layer without dropout is None."""
    of_rows = []
    for mask in masks:
        if mask is not None:
            mask = mask[:, begin:end]
        of_rows.append(mask)
    return of_rows
