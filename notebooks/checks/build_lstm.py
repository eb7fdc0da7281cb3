"""The check of build_lstm: the layers one by one, the zero state, and the numbers of the stack."""

import dis
from typing import Any, Callable, List, NamedTuple, Tuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf
from charrnn.system.words import plural

from . import words
from .answer import all_code, items, need
from .tensors import close

rnn_cell = tf.nn.rnn_cell


class Sizes(NamedTuple):
    """What build_lstm is given besides keep_prob, in its order."""

    lstm_size: int
    num_layers: int
    batch_size: int


def examine(answer: Callable) -> None:
    """Check stacks of two sizes: their structure, their zero state, and what they compute."""
    random = np.random.RandomState(4)
    others = Sizes(
        lstm_size=random.randint(8, 12),
        num_layers=1 + random.randint(2),
        batch_size=random.randint(3, 6),
    )

    for sizes in (Sizes(lstm_size=4, num_layers=3, batch_size=2), others):
        tf.reset_default_graph()
        keep_prob = tf.placeholder(tf.float32, name="keep_prob")
        cell, state = items(answer, (*sizes, keep_prob), ["cell", "initial_state"])
        need(
            not _reads_rnn_cell_of_tf(answer),
            "tf.rnn_cell is there in some versions of TensorFlow only: use tf.nn.rnn_cell.",
        )
        need(
            isinstance(cell, rnn_cell.RNNCell) or not isinstance(state, rnn_cell.RNNCell),
            "The order should be cell, initial_state, but it returns the state first.",
        )
        _examine_stack(cell, sizes, keep_prob)
        _examine_zero_state(state, sizes)
        _examine_numbers(cell, state, sizes, keep_prob)


def _reads_rnn_cell_of_tf(answer: Callable) -> bool:
    """Tell whether an answer has tf.rnn_cell, which is tf and then rnn_cell in its compiled code."""
    names = []
    for code in all_code(answer):
        names += [instruction.argval for instruction in dis.get_instructions(code)]
    return ("tf", "rnn_cell") in zip(names, names[1:])


def _examine_stack(cell: Any, sizes: Sizes, keep_prob: tf.Tensor) -> None:
    need(
        not isinstance(getattr(cell, "cell", None), rnn_cell.MultiRNNCell),
        "The dropout is around the whole stack: wrap each layer in a DropoutWrapper of its own.",
    )
    need(
        isinstance(cell, rnn_cell.MultiRNNCell),
        f"The cell should be a MultiRNNCell of layers, each in a DropoutWrapper, not {_kind(cell)}.",
    )

    layers = list(cell._cells)
    units = [getattr(layer, "output_size", None) for layer in layers]
    need(
        units != sizes.lstm_size * [sizes.num_layers],
        "lstm_size and num_layers are swapped: a layer has lstm_size units, and there are num_layers layers.",
    )
    need(
        len(layers) == sizes.num_layers,
        f"The stack should have {plural(sizes.num_layers, 'layer')}, num_layers, but it has "
        f"{plural(len(layers), 'layer')}.",
    )

    for number, layer in enumerate(layers, start=1):
        need(
            isinstance(layer, rnn_cell.DropoutWrapper),
            f"Layer {number} should be a DropoutWrapper around a BasicLSTMCell, but it is {_kind(layer)}.",
        )
        _examine_dropout(layer, keep_prob)
        _examine_cell(layer.cell, sizes.lstm_size)

    need(
        len({id(layer.cell) for layer in layers}) == sizes.num_layers,
        "The same BasicLSTMCell is in the stack more than once, so the layers would have to share its weights: "
        "[cell] * num_layers repeats ONE cell, and so does a cell that is made outside the function or loop. Make a "
        "new one for each layer, where its DropoutWrapper is made.",
    )
    need(cell._state_is_tuple, "The MultiRNNCell has state_is_tuple=False: leave it at True.")


def _kind(cell: Any) -> str:
    """Describe a cell, and say where one of the right name but of another module should come from."""
    cell_class = getattr(rnn_cell, type(cell).__name__, object)
    if isinstance(cell, cell_class):
        return words.describe(cell)
    return f"{words.describe(cell)} of another module: write tf.nn.rnn_cell, and import nothing"


def _examine_dropout(layer: Any, keep_prob: tf.Tensor) -> None:
    """Check that dropout keeps a unit of the output, and only of that, with the probability that is fed."""
    need(
        layer._input_keep_prob == layer._state_keep_prob == 1.0
        and not layer._variational_recurrent,
        "The dropout should be on a layer's output, and nowhere else: give the wrapper output_keep_prob=keep_prob "
        "and no other argument. (A second argument without a name is input_keep_prob.)",
    )

    probability = tf.convert_to_tensor(layer._output_keep_prob, tf.float32)
    with tf.Session() as session:
        for fed in (0.25, 0.875):
            kept = session.run(probability, {keep_prob: fed})
            need(
                close(kept, fed),
                f"The dropout keeps a unit with the probability {kept:g} where keep_prob is {fed:g}. output_keep_prob "
                "is the probability to KEEP a unit: give it the tensor keep_prob.",
            )


def _examine_cell(cell: Any, lstm_size: int) -> None:
    need(
        isinstance(cell, rnn_cell.BasicLSTMCell),
        f"Inside the dropout there should be a BasicLSTMCell, not {_kind(cell)}.",
    )
    need(
        cell.output_size == lstm_size,
        f"lstm_size = {lstm_size} should give {lstm_size} units, but a layer has {cell.output_size}.",
    )

    forget_bias = words.describe(cell._forget_bias)
    need(
        forget_bias == "1.0" and str(cell._state_is_tuple) == "True",
        f"A BasicLSTMCell has {forget_bias} as its forget_bias, and state_is_tuple={cell._state_is_tuple}: give it "
        "lstm_size only. keep_prob belongs in the DropoutWrapper.",
    )


def _examine_zero_state(state: Any, sizes: Sizes) -> None:
    expected = words.article(f"float32 tensor {[sizes.batch_size, sizes.lstm_size]}")
    n_tensors = 2 * sizes.num_layers
    tensors = tf.nest.flatten(state)
    described = [words.describe(tensor) for tensor in tensors]
    layers = []
    if type(state) is tuple:
        layers = [part for part in state if isinstance(part, rnn_cell.LSTMStateTuple)]

    actual = words.describe(state)
    if not layers:
        actual += " alone"
    if isinstance(state, tuple):
        actual += f": {', '.join(described)}"
    of_units = words.article(f"float32 tensor {[sizes.lstm_size, sizes.lstm_size]}")
    need(
        described != n_tensors * [of_units],
        "zero_state is given lstm_size, but it takes batch_size: the state has a row for each of the N rows of a "
        "batch. The cell knows its units.",
    )
    need(
        len(layers) == sizes.num_layers and described == n_tensors * [expected],
        "initial_state should be what cell.zero_state(batch_size, tf.float32) of the MultiRNNCell returns, c and h "
        f"for each of {plural(sizes.num_layers, 'layer')}, {expected}, but it is {actual}.",
    )

    with tf.Session() as session:
        values = session.run(state)
    need(not np.any(values), "initial_state should be all zeros, but it is not.")
    need(
        len({id(tensor) for tensor in tensors}) == n_tensors,
        "The same tensor of zeros stands in several places of initial_state. Feeding one of them would feed all: take "
        "cell.zero_state(batch_size, tf.float32), which makes one for each.",
    )


def _examine_numbers(cell: Any, state: Any, sizes: Sizes, keep_prob: tf.Tensor) -> None:
    """Compare with the package's stack of the same weights."""
    random = np.random.RandomState(2)
    inputs = random.normal(size=[sizes.batch_size, 3, 7]).astype(np.float32)
    names, actual = _run(cell, state, inputs, keep_prob)
    with tf.Graph().as_default():
        keep_prob = tf.placeholder(tf.float32)
        cell, state = model.build_lstm(*sizes, keep_prob)
        expected_names, expected = _run(cell, state, inputs, keep_prob)

    need(
        names == expected_names,
        f"The variables of the stack should be named {expected_names[0]} and so on, but they are named "
        f"{names[0]}: leave out name=.",
    )
    need(
        all(map(close, actual, expected)),
        "The stack does not compute what BasicLSTMCells compute: give them lstm_size only, and leave all other "
        "arguments, such as activation and state_is_tuple, at their defaults.",
    )


def _run(
    cell: Any, state: Any, inputs: np.ndarray, keep_prob: tf.Tensor
) -> Tuple[List[str], List[np.ndarray]]:
    """Unroll a stack over inputs, [N, M, C], with numbers of a fixed seed as weights.

    Returns:
        The names of its variables; its outputs, and c and h of each layer.
    """
    outputs, final_state = tf.nn.dynamic_rnn(cell, tf.constant(inputs), initial_state=state)
    variables = tf.trainable_variables()
    random = np.random.RandomState(1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)
        values = session.run([outputs, final_state], {keep_prob: 1.0})
    return [variable.op.name for variable in variables], tf.nest.flatten(values)
