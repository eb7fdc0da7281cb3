"""The check of build_lstm: the layers one by one, the zero state, and the numbers of the stack."""
from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf

from . import words
from .answer import Wrong, items, need
from .tensors import close

HINTS = (
    "Work from the inside out: make a BasicLSTMCell, wrap it in a DropoutWrapper, and give a list of such layers to "
    "one MultiRNNCell. The zero state comes from a method of the MultiRNNCell.",
    "Write a function, or a list comprehension, that makes a NEW BasicLSTMCell(lstm_size) each time and wraps it "
    "with output_keep_prob=keep_prob. The list has num_layers of them.",
    "One layer is\n"
    "    tf.nn.rnn_cell.DropoutWrapper(\n"
    "        tf.nn.rnn_cell.BasicLSTMCell(lstm_size), output_keep_prob=keep_prob)\n"
    "and with a function build_layer() that returns a new one,\n"
    "    cell = tf.nn.rnn_cell.MultiRNNCell([build_layer() for _ in range(num_layers)])\n"
    "The zero state is cell.zero_state(batch_size, tf.float32).",
)
rnn_cell = tf.nn.rnn_cell
C = 7  # numbers at each step that the stack is tried on


def examine(answer: Callable) -> None:
    """Check stacks of two sizes: their structure, their zero state, and what they compute."""
    random = np.random.RandomState(4)
    for size, layers, n in [(4, 3, 2)] + [(random.randint(8, 12), 1 + random.randint(2), random.randint(3, 6))]:
        tf.reset_default_graph()
        keep_prob = tf.placeholder(tf.float32, name="keep_prob")
        cell, state = items(answer, (size, layers, n, keep_prob), ["cell", "initial_state"])
        _examine_order(cell, state)
        _examine_stack(cell, size, layers, keep_prob)
        _examine_zero_state(state, layers, n, size)
        _examine_numbers(cell, state, size, layers, n, keep_prob)


def _examine_order(cell: Any, state: Any) -> None:
    need(not (isinstance(state, rnn_cell.RNNCell) and not isinstance(cell, rnn_cell.RNNCell)),
         "The order should be cell, initial_state, but it returns the state first.")


def _examine_stack(cell: Any, size: int, n_layers: int, keep_prob: tf.Tensor) -> None:
    if isinstance(cell, rnn_cell.DropoutWrapper):
        need(not isinstance(cell.cell, rnn_cell.MultiRNNCell),
             "The dropout is around the whole stack: wrap each layer in a DropoutWrapper of its own.")
        raise Wrong("The cell is a single layer in its DropoutWrapper: make num_layers of them and stack them "
                    "with MultiRNNCell.")
    need(not isinstance(cell, rnn_cell.BasicLSTMCell),
         "The cell is a single BasicLSTMCell: make num_layers of them, each in a DropoutWrapper, and stack them "
         "with MultiRNNCell.")
    need(isinstance(cell, rnn_cell.MultiRNNCell),
         f"The cell should be a MultiRNNCell of the layers, not {words.describe(cell)}.")
    need(cell._state_is_tuple, "The MultiRNNCell has state_is_tuple=False: leave it at True.")
    layers = list(cell._cells)
    need([getattr(layer, "output_size", None) for layer in layers] != size * [n_layers],
         "lstm_size and num_layers are swapped: a layer has lstm_size units, and there are num_layers layers.")
    need(len(layers) == n_layers,
         f"num_layers = {n_layers} should give {words.count(n_layers, 'layer')}, but "
         f"{words.are(len(layers), 'layer')}.")
    inner = [_examine_wrapper(layer, number, keep_prob) for number, layer in enumerate(layers, start=1)]
    need(len({id(layer) for layer in layers}) == len({id(one) for one in inner}) == n_layers,
         "The same cell object is in the stack more than once: [cell] * num_layers repeats ONE cell, whose "
         "weights the layers would have to share. Make a new cell for each layer.")
    for one in inner:
        _examine_cell(one, size)


def _examine_wrapper(layer: Any, number: int, keep_prob: tf.Tensor) -> Any:
    """Check the dropout of a layer; return the cell inside."""
    need(isinstance(layer, rnn_cell.DropoutWrapper),
         f"Layer {number} has no dropout: it is {words.describe(layer)}, but should be a DropoutWrapper around "
         "a BasicLSTMCell." if isinstance(layer, rnn_cell.BasicLSTMCell) else
         f"Layer {number} should be a DropoutWrapper around a BasicLSTMCell, but it is {words.describe(layer)}.")
    output, before, state = layer._output_keep_prob, layer._input_keep_prob, layer._state_keep_prob
    if not _drops(output):
        need(not _drops(before),
             "The dropout is on the layer's input, not on its output: give the wrapper "
             "output_keep_prob=keep_prob. (A second argument without a name is input_keep_prob.)")
        need(not _drops(state),
             "The dropout is on the layer's state, not on its output: give the wrapper "
             "output_keep_prob=keep_prob.")
    _examine_kept(output, keep_prob)
    for name, value in [("input_keep_prob", before), ("state_keep_prob", state)]:
        need(not _drops(value),
             f"The dropout is right on the output, but {name} is set as well: leave it out.")
    need(not layer._variational_recurrent,
         "The dropout has variational_recurrent=True, which drops the same units at every step: leave it out.")
    need(not isinstance(layer.cell, rnn_cell.DropoutWrapper), "A layer has two DropoutWrappers: one is enough.")
    return layer.cell


def _drops(keep_prob: Any) -> bool:
    return isinstance(keep_prob, tf.Tensor) or keep_prob != 1.0


def _examine_kept(kept: Any, keep_prob: tf.Tensor) -> None:
    """Check that dropout on the output keeps a unit with the probability that is fed."""
    found = _values(kept, keep_prob)
    need(found is not None,
         "The dropout's output_keep_prob depends on something other than keep_prob: give it the tensor keep_prob.")
    fed, (low, high) = (0.25, 0.875), found
    if close([low, high], fed):
        return
    need(not close(low, high),
         f"The dropout's output_keep_prob is fixed, at {float(low):g}: it should be the tensor keep_prob, so that "
         "1 can be fed for sampling.")
    need(not close([low, high], [0.75, 0.125]),
         "The dropout keeps a unit with the probability 1 - keep_prob: output_keep_prob is the probability to "
         "KEEP it, so give it keep_prob.")
    place = 0 if not close(low, fed[0]) else 1
    raise Wrong(f"The dropout keeps a unit with the probability {found[place]:g} where keep_prob is {fed[place]:g}: "
                "give output_keep_prob the tensor keep_prob.")


def _values(kept: Any, keep_prob: tf.Tensor) -> Optional[Tuple[float, float]]:
    if not isinstance(kept, tf.Tensor):
        return float(kept), float(kept)
    try:
        with tf.Session() as session:
            low, high = (session.run(kept, {keep_prob: value}) for value in (0.25, 0.875))
        return low, high
    except tf.errors.OpError:
        return None


def _examine_cell(cell: Any, size: int) -> None:
    need(not isinstance(cell, rnn_cell.MultiRNNCell), "There is a MultiRNNCell inside a layer: one around all "
                                                      "layers is enough.")
    need(isinstance(cell, rnn_cell.BasicLSTMCell),
         f"Inside the dropout there should be a BasicLSTMCell, not {words.describe(cell)}.")
    need(cell.output_size == size,
         f"lstm_size = {size} should give {size} units, but a layer has {cell.output_size}.")
    need(cell._state_is_tuple, "A BasicLSTMCell has state_is_tuple=False: leave it at True.")
    need(not isinstance(cell._forget_bias, tf.Tensor),
         "A BasicLSTMCell has a tensor as forget_bias, its second argument: give it lstm_size only. keep_prob belongs "
         "in the DropoutWrapper, output_keep_prob=keep_prob.")
    need(cell._forget_bias == 1.0,
         f"A BasicLSTMCell has forget_bias={cell._forget_bias:g}: leave it at 1, so that a new network remembers.")
    need(cell._activation is tf.tanh or getattr(cell._activation, "__name__", "") == "tanh",
         f"A BasicLSTMCell has another activation, {getattr(cell._activation, '__name__', 'unknown')}: leave it "
         "at tanh.")


def _examine_zero_state(state: Any, n_layers: int, n: int, size: int) -> None:
    need(not callable(state), "initial_state is the method zero_state itself: call it, with (batch_size, tf.float32).")
    _examine_structure(state, n_layers)
    for part in tf.nest.flatten(state):
        need(isinstance(part, tf.Tensor),
             f"initial_state should consist of tensors, but has {words.describe(part)} in it: use "
             "cell.zero_state.")
        need(part.dtype == tf.float32,
             f"initial_state should be float32, but it is {part.dtype.name}: cell.zero_state(batch_size, "
             "tf.float32).")
        need(words.brackets(part.shape) == str([n, size]),
             f"c and h should be [N, L] = [{n}, {size}] for batch_size = {n} and lstm_size = {size}, but "
             f"they are {words.brackets(part.shape)}.")
    need(not any(part.op.type.startswith("Placeholder") for part in tf.nest.flatten(state)),
         "initial_state has a placeholder in it: cell.zero_state makes zeros, and another state can be fed in "
         "their place all the same.")
    with tf.Session() as session:
        values = session.run(state)
    need(not np.any(values), "initial_state should be all zeros, but it is not.")


def _examine_structure(state: Any, n_layers: int) -> None:
    message = ("initial_state should be cell.zero_state(batch_size, tf.float32), a tuple with c and h for each "
               "layer, not ")
    layer = rnn_cell.LSTMStateTuple
    if isinstance(state, layer):
        raise Wrong(message + "the state of a single layer: call zero_state of the MultiRNNCell.")
    need(isinstance(state, tuple) and state, message + words.describe(state) + ".")
    need(all(isinstance(part, layer) for part in state),
         message + f"a tuple of {words.describe(state[0])}.")
    need(len(state) == n_layers,
         f"initial_state should have a part for each of the {words.count(n_layers, 'layer')}, but it has "
         f"{len(state)}.")


def _run(cell: Any, state: Any, inputs: np.ndarray, keep_prob: tf.Tensor) -> Tuple[List[str], Any]:
    """Unroll a stack over inputs, [N, M, C], with numbers of a fixed seed as weights."""
    outputs, after = tf.nn.dynamic_rnn(cell, tf.constant(inputs), initial_state=state)
    variables, random = tf.trainable_variables(), np.random.RandomState(1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)
        return [variable.op.name for variable in variables], session.run([outputs, after], {keep_prob: 1.0})


def _examine_numbers(cell: Any, state: Any, size: int, layers: int, n: int, keep_prob: tf.Tensor) -> None:
    """Compare with the package's stack of the same weights."""
    inputs = np.random.RandomState(2).normal(size=[n, 3, C]).astype(np.float32)
    names, found = _run(cell, state, inputs, keep_prob)
    with tf.Graph().as_default():
        fed = tf.placeholder(tf.float32)
        expected_names, expected = _run(*model.build_lstm(size, layers, n, fed), inputs, fed)
    need(names == expected_names,
         f"The variables of the stack should be named {expected_names[0]} and so on, but they are named "
         f"{names[0]}: leave out name=.")
    need(all(close(ours, theirs) for ours, theirs in zip(tf.nest.flatten(expected), tf.nest.flatten(found))),
         "The stack does not compute what BasicLSTMCells compute: give them lstm_size only, and leave all other "
         "arguments at their defaults.")
