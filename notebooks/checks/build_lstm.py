"""The check of build_lstm: the layers one by one, the zero state, and the numbers of the stack."""

import dis
from typing import Any, Callable, List, Tuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf
from charrnn.system.words import plural

from . import words
from .answer import all_code, items, need
from .tensors import close

rnn_cell = tf.nn.rnn_cell


def examine(answer: Callable) -> None:
    """Check stacks of two sizes: their structure, their zero state, and what they compute."""
    random = np.random.RandomState(4)
    for size, layers, n in [(4, 3, 2)] + [
        (random.randint(8, 12), 1 + random.randint(2), random.randint(3, 6))
    ]:
        tf.reset_default_graph()
        keep_prob = tf.placeholder(tf.float32, name="keep_prob")
        cell, state = items(answer, (size, layers, n, keep_prob), ["cell", "initial_state"])
        steps = [step.argval for code in all_code(answer) for step in dis.get_instructions(code)]
        need(
            ("tf", "rnn_cell") not in zip(steps, steps[1:]),
            "tf.rnn_cell is there in some versions of TensorFlow only: use tf.nn.rnn_cell.",
        )
        need(
            isinstance(cell, rnn_cell.RNNCell) or not isinstance(state, rnn_cell.RNNCell),
            "The order should be cell, initial_state, but it returns the state first.",
        )
        _examine_stack(cell, size, layers, keep_prob)
        _examine_zero_state(state, layers, n, size)
        _examine_numbers(cell, state, size, layers, n, keep_prob)


def _examine_stack(cell: Any, size: int, n_layers: int, keep_prob: tf.Tensor) -> None:
    need(
        not isinstance(getattr(cell, "cell", None), rnn_cell.MultiRNNCell),
        "The dropout is around the whole stack: wrap each layer in a DropoutWrapper of its own.",
    )
    need(
        isinstance(cell, rnn_cell.MultiRNNCell),
        f"The cell should be a MultiRNNCell of layers, each in a DropoutWrapper, not {_kind(cell)}.",
    )
    layers = list(cell._cells)
    need(
        [getattr(layer, "output_size", None) for layer in layers] != size * [n_layers],
        "lstm_size and num_layers are swapped: a layer has lstm_size units, and there are num_layers layers.",
    )
    need(
        len(layers) == n_layers,
        f"The stack should have {plural(n_layers, 'layer')}, num_layers, but it has {plural(len(layers), 'layer')}.",
    )
    for number, layer in enumerate(layers, start=1):
        need(
            isinstance(layer, rnn_cell.DropoutWrapper),
            f"Layer {number} should be a DropoutWrapper around a BasicLSTMCell, but it is {_kind(layer)}.",
        )
        _examine_dropout(layer, keep_prob)
        _examine_cell(layer.cell, size)
    need(
        len({id(layer.cell) for layer in layers}) == n_layers,
        "The same BasicLSTMCell is in the stack more than once, so the layers would have to share its weights: "
        "[cell] * num_layers repeats ONE cell, and so does a cell that is made outside the function or loop. Make a "
        "new one for each layer, where its DropoutWrapper is made.",
    )
    need(cell._state_is_tuple, "The MultiRNNCell has state_is_tuple=False: leave it at True.")


def _kind(cell: Any) -> str:
    """Describe a cell, and say where one of the right name but of another module should come from."""
    same = isinstance(cell, getattr(rnn_cell, type(cell).__name__, object))
    return words.describe(cell) + (
        "" if same else " of another module: write tf.nn.rnn_cell, and import nothing"
    )


def _examine_dropout(layer: Any, keep_prob: tf.Tensor) -> None:
    """Check that dropout keeps a unit of the output, and only of that, with the probability that is fed."""
    need(
        layer._input_keep_prob == layer._state_keep_prob == 1.0
        and not layer._variational_recurrent,
        "The dropout should be on a layer's output, and nowhere else: give the wrapper output_keep_prob=keep_prob "
        "and no other argument. (A second argument without a name is input_keep_prob.)",
    )
    with tf.Session() as session:
        for fed in (0.25, 0.875):
            kept = session.run(
                tf.convert_to_tensor(layer._output_keep_prob, tf.float32), {keep_prob: fed}
            )
            need(
                close(kept, fed),
                f"The dropout keeps a unit with the probability {kept:g} where keep_prob is {fed:g}. output_keep_prob "
                "is the probability to KEEP a unit: give it the tensor keep_prob.",
            )


def _examine_cell(cell: Any, size: int) -> None:
    need(
        isinstance(cell, rnn_cell.BasicLSTMCell),
        f"Inside the dropout there should be a BasicLSTMCell, not {_kind(cell)}.",
    )
    need(
        cell.output_size == size,
        f"lstm_size = {size} should give {size} units, but a layer has {cell.output_size}.",
    )
    found = f"{words.describe(cell._forget_bias)} as its forget_bias, and state_is_tuple={cell._state_is_tuple}"
    need(
        found == "1.0 as its forget_bias, and state_is_tuple=True",
        f"A BasicLSTMCell has {found}: give it lstm_size only. keep_prob belongs in the DropoutWrapper.",
    )


def _examine_zero_state(state: Any, n_layers: int, n: int, size: int) -> None:
    part = words.article(f"float32 tensor {[n, size]}")
    found = [words.describe(one) for one in tf.nest.flatten(state)]
    layers = (
        [one for one in state if isinstance(one, rnn_cell.LSTMStateTuple)]
        if type(state) is tuple
        else []
    )
    need(
        len(layers) == n_layers and found == 2 * n_layers * [part],
        "initial_state should be what cell.zero_state(batch_size, tf.float32) of the MultiRNNCell returns, c and h "
        f"for each of {plural(n_layers, 'layer')}, {part}, but it is {words.describe(state)}{' alone' * (not layers)}"
        f"{': ' + ', '.join(found) if isinstance(state, tuple) else ''}.",
    )
    with tf.Session() as session:
        need(not np.any(session.run(state)), "initial_state should be all zeros, but it is not.")
    need(
        len({id(one) for one in tf.nest.flatten(state)}) == 2 * n_layers,
        "The same tensor of zeros stands in several places of initial_state. Feeding one of them would feed all: take "
        "cell.zero_state(batch_size, tf.float32), which makes one for each.",
    )


def _run(cell: Any, state: Any, inputs: np.ndarray, keep_prob: tf.Tensor) -> Tuple[List[str], Any]:
    """Unroll a stack over inputs, [N, M, C], with numbers of a fixed seed as weights."""
    outputs, after = tf.nn.dynamic_rnn(cell, tf.constant(inputs), initial_state=state)
    variables = tf.trainable_variables()
    random = np.random.RandomState(1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)
        return [variable.op.name for variable in variables], session.run(
            [outputs, after], {keep_prob: 1.0}
        )


def _examine_numbers(
    cell: Any, state: Any, size: int, layers: int, n: int, keep_prob: tf.Tensor
) -> None:
    """Compare with the package's stack of the same weights."""
    inputs = np.random.RandomState(2).normal(size=[n, 3, 7]).astype(np.float32)
    names, found = _run(cell, state, inputs, keep_prob)
    with tf.Graph().as_default():
        fed = tf.placeholder(tf.float32)
        expected_names, expected = _run(*model.build_lstm(size, layers, n, fed), inputs, fed)
    need(
        names == expected_names,
        f"The variables of the stack should be named {expected_names[0]} and so on, but they are named "
        f"{names[0]}: leave out name=.",
    )
    need(
        all(
            close(ours, theirs)
            for ours, theirs in zip(tf.nest.flatten(expected), tf.nest.flatten(found))
        ),
        "The stack does not compute what BasicLSTMCells compute: give them lstm_size only, and leave all other "
        "arguments, such as activation and state_is_tuple, at their defaults.",
    )
