"""A stack of LSTM cells unrolled for speed, with the variables and the numbers of ``tf.nn.dynamic_rnn``.

Only the dropout masks are others: they depend on two seeds and on nothing else. In bfloat16, products are rounded.

The unroll is faster than ``dynamic_rnn`` for these reasons:

- The input of the first layer is a one-hot row. Its product with the kernel is one row of the kernel, which is
  gathered.
- The input of another layer does not depend on that layer's last step. So its product, and in the backward pass
  the products for the weight gradients, are computed for a piece of many steps at once. Only the product of ``h``
  with the recurrent weights is computed at each step. The backward pass transposes these weights once.
- A while loop runs over the pieces of the window, with all layers in its body. A piece of a layer waits only for the
  piece below it and for the last piece of the same layer. So the layers run in parallel, each product on one core,
  which is faster than one product after the other on all cores.
- If there are more threads than layers, the rows of the batch are split into shards, which run in parallel too.
- The dropout masks are drawn for all steps of the window at once.

Letters for shapes as in :mod:`charrnn.data`, and R rows of a shard, S steps of a piece, I inputs of a
layer (C in the first, L in the others).
"""

import numpy as np

from charrnn.fused import passes
from charrnn.system.tensorflow import tf

# Largest number of ids, rows times steps, of a piece; but a piece has at least one step. Large pieces make the products
# fast, small ones fit in the cache.
PIECE_IDS = 500
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
    """Return S, the steps of a piece, for a window of n_steps and a shard of n_rows. There is at least one.

    >>> [_piece_steps(100, n_rows, n_layers=2, threads=2) for n_rows in (10, 100, 1000)]
    [12, 5, 1]
    >>> _piece_steps(5, 10, n_layers=2, threads=2)
    1

    If layers do not run in parallel, a piece can have more steps:

    >>> [_piece_steps(100, 10, n_layers=1, threads=2), _piece_steps(100, 10, n_layers=2, threads=1)]
    [50, 50]
    """
    steps = PIECE_IDS // n_rows
    if n_layers > 1 and threads > 1:
        steps = min(steps, n_steps // MIN_PIECES)
    return max(1, steps)


def _drops(keep_prob):
    """Return whether there is dropout: keep_prob is a tensor, or a number other than 1."""
    return isinstance(keep_prob, tf.Tensor) or keep_prob != 1


def _draw_masks(shape, keep_probs, mask_seed, precision="float32"):
    """Draw a dropout mask [M, N, L] for each layer, or None for a layer without dropout."""
    masks = []
    for index, keep_prob in enumerate(keep_probs):
        mask = None
        if _drops(keep_prob):
            seeds = _layer_seeds(mask_seed, index, len(keep_probs))
            mask = _draw_mask(shape, keep_prob, seeds, precision)
        masks.append(mask)
    return masks


def _rows_of_masks(masks, begin, end):
    """Return the masks [M, R, L] of rows of the batch, or None for a layer without dropout."""
    masks_of_rows = []
    for mask in masks:
        if mask is not None:
            mask = mask[:, begin:end]
        masks_of_rows.append(mask)
    return masks_of_rows


def _layer_seeds(mask_seed, index, n_layers, recurrent=False):
    """Return the two seeds of a mask, int64 [2]: the first differs between the layers, the second is that of the step.

    For recurrent weights, the first is negative, so that their masks are not those of the outputs.
    """
    seed_of_run = mask_seed[0]
    seed_of_step = mask_seed[1]
    seed = seed_of_run * n_layers + index
    if recurrent:
        seed = -1 - seed
    return tf.stack([seed, seed_of_step])


def _draw_mask(shape, keep_prob, seeds, precision="float32"):
    """Draw a mask from two seeds: 1 / keep_prob with the probability keep_prob, else 0."""
    if precision == "bfloat16":
        return _draw_mask_by_halves(shape, keep_prob, seeds)
    # in [0, 1)
    uniform = tf.random.stateless_uniform(shape, seeds)
    return tf.floor(uniform + keep_prob) / keep_prob


def _draw_mask_by_halves(shape, keep_prob, seeds):
    """Draw a mask with one random number for two units, because drawing is a larger part of a step in bfloat16."""
    count = tf.TensorShape(shape).num_elements()
    numbers = tf.random.stateless_uniform(
        [(count + 1) // 2], seeds, minval=None, maxval=None, dtype=tf.int32
    )
    halves = tf.reshape(tf.bitcast(numbers, tf.int16), [-1])
    # in [-2**15, 2**15)
    draws = tf.reshape(halves[:count], shape)

    # A unit is kept if its draw is one of the n_kept smallest of the 2**16 numbers, at least one. So the probability is
    # rounded to a multiple of 2**-16. The factor 1 / keep_prob is not.
    n_kept = tf.maximum(tf.round(keep_prob * 2**16), 1)
    largest_kept = tf.cast(n_kept - 2**15 - 1, tf.int16)
    return tf.cast(draws <= largest_kept, tf.float32) / keep_prob


def _drop_recurrent(kernels, keep_prob, size, mask_seed):
    """Apply dropout to the recurrent weights of kernels [I + L, 4L]. All steps of the window have the same mask."""
    dropped = []
    for index, kernel in enumerate(kernels):
        seeds = _layer_seeds(mask_seed, index, len(kernels), recurrent=True)
        mask = _draw_mask([size, 4 * size], keep_prob, seeds)
        # The gradients of slices are arrays of zeros of the whole kernel's shape. That of a split joins its parts.
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
    # The slices cost nothing: TensorFlow computes no gradient of them, see _differentiable.
    return passes.Layer(inputs=kernel[:-size], recurrent=kernel[-size:], bias=bias + forget_bias)


def _sum_of_shards(d_layers, kernel):
    """Sum the shards' gradients of a layer, each a passes.Layer, to those of its kernel [I + L, 4L] and bias."""
    d_inputs = [d_layer.inputs for d_layer in d_layers]
    d_recurrent = tf.add_n([d_layer.recurrent for d_layer in d_layers])
    d_bias = tf.add_n([d_layer.bias for d_layer in d_layers])
    if not isinstance(d_inputs[0], tf.IndexedSlices):
        return tf.concat([tf.add_n(d_inputs), d_recurrent], axis=0), d_bias

    # few of the C rows have a gradient, so a sum of arrays [C, 4L] would take longer
    n_rows = kernel.shape[0].value
    n_inputs = n_rows - d_recurrent.shape[0].value
    recurrent_rows = tf.range(n_inputs, n_rows)
    d_kernel = tf.scatter_nd(recurrent_rows[:, tf.newaxis], d_recurrent, kernel.shape)
    for rows in d_inputs:
        d_kernel = tf.tensor_scatter_nd_add(d_kernel, rows.indices[:, tf.newaxis], rows.values)
    return d_kernel, d_bias


# A state is a list of (c, h), one pair for each layer. TensorFlow's functions take and return its parts in a flat list.


def _state_of(parts):
    """Return the state with these parts, c and h of each layer."""
    return list(zip(parts[::2], parts[1::2]))


def _rows_of_state(state, begin, end):
    """Return the state [R, L] of rows of the batch."""
    return [(c[begin:end], h[begin:end]) for c, h in state]


def _parts_of_batch(states):
    """Join the states of all shards. Return the parts [N, L]."""
    parts = []
    # the pairs of a layer in all shards
    for pairs in zip(*states):
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
        state = _state_of(values[2 * n_layers :])
        layers = [layer_of(kernel, bias) for kernel, bias in zip(kernels, biases)]

        outputs = []
        states = []
        tapes_of_shards = []
        for shard, (begin, end) in zip(shards, ranges):
            state_before = _rows_of_state(state, begin, end)
            shard_outputs, state_after, tapes = passes.forward(shard, layers, state_before)
            outputs.append(shard_outputs)
            states.append(state_after)
            tapes_of_shards.append(tapes)

        def gradient(d_flat_outputs, *d_parts):
            d_state = _state_of(d_parts)
            d_states = []
            d_layers_of_shards = []
            for shard, (begin, end), tapes in zip(shards, ranges, tapes_of_shards):
                d_state_before, d_layers = passes.backward(
                    shard=shard,
                    layers=layers,
                    tapes=tapes,
                    d_flat_outputs=d_flat_outputs,
                    d_state=_rows_of_state(d_state, begin, end),
                )
                d_states.append(d_state_before)
                d_layers_of_shards.append(d_layers)

            d_kernels = []
            d_biases = []
            for kernel, d_layers in zip(kernels, zip(*d_layers_of_shards)):
                d_kernel, d_bias = _sum_of_shards(d_layers, kernel)
                d_kernels.append(d_kernel)
                d_biases.append(d_bias)
            return d_kernels + d_biases + _parts_of_batch(d_states)

        # each shard's outputs go step by step, [M, R, L]; here they are put row by row
        positions = [shard.flat_positions for shard in shards]
        flat_outputs = tf.cast(tf.dynamic_stitch(positions, outputs), tf.float32)  # [N·M, L]
        return [flat_outputs, *_parts_of_batch(states)], gradient

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
        mask_rows: (first, size) if the inputs are the rows of a larger batch of this size from row ``first`` on. They
            then have the masks of these rows in the larger batch.
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
        # This step creates the variables. Its result is not used: the numbers come from passes.
        cell(tf.zeros([n_rows, num_classes]), initial_state)

    with tf.name_scope("fused"):
        # the steps come first, since the passes go through them
        ids = tf.transpose(inputs)  # [M, N]

        # the row of each step in the flat outputs [N·M, L]
        positions = tf.reshape(tf.range(n_rows * n_steps), [n_rows, n_steps])
        positions = tf.transpose(positions)  # [M, N]

        # drawn for the whole larger batch, so that a row's mask is the same whatever process has it
        first, larger_batch = mask_rows or (0, n_rows)
        shape = [n_steps, larger_batch, size]
        masks = _draw_masks(shape, keep_probs, mask_seed, precision)

        ranges = row_ranges(n_rows, len(cells), threads)
        shards = []
        for begin, end in ranges:
            shard = passes.Shard(
                ids=ids[:, begin:end],
                masks=_rows_of_masks(masks, first + begin, first + end),
                flat_positions=positions[:, begin:end],
                piece_steps=_piece_steps(n_steps, end - begin, len(cells), threads),
                precision=precision,
            )
            shards.append(shard)

        # the variables of a BasicLSTMCell, in this order
        kernels, biases = zip(*[inner.variables for inner in cells])
        if _drops(recurrent_keep_prob):
            kernels = _drop_recurrent(kernels, recurrent_keep_prob, size, mask_seed)

        unrolled = _differentiable(len(cells), shards, ranges)
        outputs, *final_parts = unrolled(*kernels, *biases, *tf.nest.flatten(initial_state))
        final_state = [tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in _state_of(final_parts)]
        return tf.reshape(outputs, [n_rows, n_steps, size]), tuple(final_state)
