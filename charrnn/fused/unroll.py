"""The stack of LSTM cells unrolled for speed: the variables and the numbers of ``tf.nn.dynamic_rnn``.

Where the time goes in ``dynamic_rnn`` is what is not done here:

- The first layer's input is one character in C, so its product is a row of the kernel, gathered.
- What a layer takes from the layer below does not wait for its own last step, so that product, and in
  the gradient those for the weights, are made for a piece of many steps at once. A step keeps one
  product, ``h`` by the recurrent weights; a step of the gradient one with the same weights, transposed
  once.
- A while loop runs over the pieces of the window with all layers in its body. A layer's next piece
  waits for its own last piece only, so the layers run side by side on different cores, each product on
  one core: two whole products on two cores are quicker than each in turn cut in two. Where there are
  more cores than layers, the rows of the batch are cut in towers besides.
- Dropout masks are drawn for the whole window at once.

Letters for shapes as in :mod:`charrnn.data`, and R rows of a tower, S steps of a piece, I inputs of a
layer (C in the first, L in the others).
"""
import numpy as np
import tensorflow.compat.v1 as tf

from charrnn.fused import passes as _tower
from charrnn.fused.session import thread_count

# Rows times steps of a piece: enough for the products' full speed, few enough for a piece to stay in cache
# and for the layers to start soon after each other. 500 to 2,000 measured alike, 250 some 5% slower.
PIECE_ROWS = 500


def split_rows(n_rows, n_layers, threads=None):
    """Cut the rows of a batch in towers, as many as it takes for layers times towers to fill the threads.

    Args:
        n_rows: N.
        n_layers: number of layers; they run side by side too.
        threads: as for :func:`thread_count`.

    Returns:
        A list of (first row, row after the last), of nearly equal lengths, none empty.
    """
    towers = min(n_rows, -(-thread_count(threads) // n_layers))
    edges = [n_rows * tower // towers for tower in range(towers + 1)]
    return list(zip(edges[:-1], edges[1:]))


def _cells_of(cell):
    """Return the BasicLSTMCells of a stack and the keep_prob of each; ValueError for another kind of stack."""
    rnn_cell = tf.nn.rnn_cell
    if not isinstance(cell, rnn_cell.MultiRNNCell):
        raise ValueError("only a MultiRNNCell can be unrolled here, not {!r}".format(cell))
    cells, keep_probs = [], []
    for number, wrapper in enumerate(cell._cells):
        inner = getattr(wrapper, "wrapped_cell", None)
        if type(wrapper) is not rnn_cell.DropoutWrapper or type(inner) is not rnn_cell.BasicLSTMCell:
            raise ValueError("layer {} must be a DropoutWrapper of a BasicLSTMCell, not {!r} of {!r}".format(
                number, wrapper, inner))
        for found, wanted, name in [
                (inner._activation, tf.tanh, "activation"), (inner._state_is_tuple, True, "state_is_tuple"),
                (inner.output_size, cell.output_size, "num_units"),
                (wrapper._input_keep_prob, 1.0, "input_keep_prob"),
                (wrapper._state_keep_prob, 1.0, "state_keep_prob"),
                (wrapper._variational_recurrent, False, "variational_recurrent")]:
            if found is not wanted and (isinstance(found, tf.Tensor) or found != wanted):
                raise ValueError("layer {} must have {} {!r}, not {!r}".format(number, name, wanted, found))
        cells.append(inner)
        keep_probs.append(wrapper._output_keep_prob)
    return cells, keep_probs


def _masks(shape, keep_probs, mask_seed):
    """Draw a dropout mask [M, N, L] for each layer: 1 / keep_prob where a unit is kept, else 0."""
    masks = []
    for layer, keep_prob in enumerate(keep_probs):
        if isinstance(keep_prob, float) and keep_prob == 1:
            masks.append(None)
            continue
        first = (tf.get_default_graph().seed or 0) * len(keep_probs) + layer
        uniform = tf.random.stateless_uniform(  # in [0, 1)
            shape, tf.stack([tf.constant(first, tf.int64), tf.cast(mask_seed, tf.int64)]))
        masks.append(tf.floor(uniform + keep_prob) / keep_prob)
    return masks


def add_forget_bias(bias, forget_bias=1.0):
    """Add the forget bias of a ``BasicLSTMCell`` to the part of a bias that belongs to the forget gate.

    Args:
        bias: float32 [4L] of the gates i, j, f, o: a NumPy array or a tensor of static shape.
        forget_bias: what the cell adds to the forget gate before its sigmoid.

    Returns:
        A new array or tensor, float32 [4L].

    >>> add_forget_bias(np.zeros(8, np.float32)).tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """
    size = int(bias.shape[0]) // 4
    return bias + np.repeat(np.array([0, 0, forget_bias, 0], np.float32), size)


def _layer_of(cell, kernel, bias):
    """Return the Layer of a BasicLSTMCell: the kernel cut in two, forget_bias added to its gate's bias."""
    size = cell.output_size
    return _tower.Layer(kernel[:-size], kernel[-size:], add_forget_bias(bias, cell._forget_bias))


def _differentiable(cells, towers, bands):
    """Return the function of (kernels, biases, states c and h in turn) that unrolls, with its own gradient.

    It returns the outputs [N·M, L] and the final c and h of each layer, [N, L].
    """
    count = len(cells)

    def pairs(values, begin, end):
        return [(c[begin:end], h[begin:end]) for c, h in zip(values[::2], values[1::2])]

    def joined(states):
        return [tf.concat([state[layer][part] for state in states], axis=0)  # [N, L]
                for layer in range(count) for part in range(2)]

    @tf.custom_gradient
    def unrolled(*values):
        kernels, biases, state = values[:count], values[count:2 * count], values[2 * count:]
        layers = [_layer_of(*each) for each in zip(cells, kernels, biases)]
        outputs, states, tapes, flows = zip(*[
            _tower.run(tower, layers, pairs(state, *band)) for tower, band in zip(towers, bands)])

        def gradient(d_outputs, *d_state):
            d_states, shares = zip(*[
                _tower.run_back(tower, layers, tape, flow, d_outputs, pairs(d_state, *band))
                for tower, band, tape, flow in zip(towers, bands, tapes, flows)])
            sums = [_tower.Layer(*[tf.add_n(each) for each in zip(*layer)]) for layer in zip(*shares)]
            d_kernels = [tf.concat([layer.inputs, layer.recurrent], axis=0) for layer in sums]  # [I + L, 4L]
            return d_kernels + [layer.bias for layer in sums] + joined(d_states)

        # from step by step to row by row, all towers at once
        together = tf.dynamic_stitch([tower.places for tower in towers], outputs)  # [N·M, L]
        return [together] + joined(states), gradient

    return unrolled


def unroll(cell, inputs, num_classes, initial_state, mask_seed, threads=None):
    """Unroll a stack of cells over a window of ids, as ``dynamic_rnn`` does over the ids' one-hot rows.

    The cells make their variables themselves, under the names that they have in ``dynamic_rnn``. An id
    outside of [0, C) is an error here, where a one-hot row would be all zeros. There is no second
    derivative, and none by keep_prob.

    Args:
        cell: a MultiRNNCell of DropoutWrappers, with output_keep_prob at most, of BasicLSTMCells of one size.
        inputs: int32 [N, M] of static shape.
        num_classes: C.
        initial_state: for each layer an LSTMStateTuple of float32 [N, L].
        mask_seed: integer scalar. Dropout masks depend on it and on the graph's seed alone, not on threads.
        threads: as for :func:`thread_count`.

    Returns:
        (outputs, final_state): float32 [N, M, L], and the state after the window, like initial_state.

    Raises:
        ValueError: cell is of another kind, or threads is below 1.

    Source: Appleyard et al. 2016, arXiv:1604.01946 (products joined, layers side by
    side) and Hochreiter and Schmidhuber's LSTM with forget gates as in ``BasicLSTMCell``.
    """
    cells, keep_probs = _cells_of(cell)
    (n_rows, n_steps), size = inputs.shape.as_list(), cell.output_size
    with tf.variable_scope("rnn"):
        cell(tf.zeros([n_rows, num_classes]), initial_state)  # for its variables; what it returns is not used
    with tf.name_scope("fused"):
        ids = tf.transpose(inputs)  # [M, N]
        places = tf.transpose(tf.reshape(tf.range(n_rows * n_steps), [n_rows, n_steps]))  # [M, N]
        masks = _masks([n_steps, n_rows, size], keep_probs, mask_seed)  # [M, N, L] each
        bands = split_rows(n_rows, len(cells), threads)
        towers = [_tower.Tower(ids[:, begin:end], [mask if mask is None else mask[:, begin:end] for mask in masks],
                         places[:, begin:end], max(1, PIECE_ROWS // (end - begin))) for begin, end in bands]
        kernels, biases = zip(*[inner.variables for inner in cells])
        outputs, *state = _differentiable(cells, towers, bands)(
            *kernels, *biases, *[part for layer in initial_state for part in layer])
        state = tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in zip(state[::2], state[1::2]))
        return tf.reshape(outputs, [n_rows, n_steps, size]), state
