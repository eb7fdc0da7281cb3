"""``tf.contrib.rnn`` for TensorFlow 2: the cells, and the functions that unroll them."""

import copy

from charrnn.system.tensorflow import tf

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "OutputProjectionWrapper",
    "RNNCell",
    "ResidualWrapper",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
]

BasicLSTMCell = tf.nn.rnn_cell.BasicLSTMCell
BasicRNNCell = tf.nn.rnn_cell.BasicRNNCell
DeviceWrapper = tf.nn.rnn_cell.DeviceWrapper
DropoutWrapper = tf.nn.rnn_cell.DropoutWrapper
GRUCell = tf.nn.rnn_cell.GRUCell
LSTMCell = tf.nn.rnn_cell.LSTMCell
LSTMStateTuple = tf.nn.rnn_cell.LSTMStateTuple
RNNCell = tf.nn.rnn_cell.RNNCell
ResidualWrapper = tf.nn.rnn_cell.ResidualWrapper
static_bidirectional_rnn = tf.nn.static_bidirectional_rnn
static_rnn = tf.nn.static_rnn
static_state_saving_rnn = tf.nn.static_state_saving_rnn


class MultiRNNCell(tf.nn.rnn_cell.MultiRNNCell):
    """A stack of cells. One cell may be given several times, as ``[cell] * 2``, and has other variables in each layer.

    It was so in TensorFlow 1.0, for which many programs are written. In 1.15 the layers share their variables, which
    fails where the input has another size than the cell.
    """

    def __init__(self, cells, state_is_tuple=True):
        distinct = []
        for cell in cells:
            if any(cell is other for other in distinct):
                cell = copy.deepcopy(cell)
            distinct.append(cell)
        super().__init__(distinct, state_is_tuple)


class OutputProjectionWrapper(tf.nn.rnn_cell.RNNCell):
    """A cell whose output goes through a layer without an activation, or with one that is given."""

    def __init__(self, cell, output_size, activation=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell = cell
        self._output_size = output_size
        self._activation = activation

    @property
    def state_size(self):
        """The size of the state, which is that of the cell."""
        return self._cell.state_size

    @property
    def output_size(self):
        """The size of the projected output."""
        return self._output_size

    def zero_state(self, batch_size, dtype):
        """Return the state of the cell before the first step."""
        return self._cell.zero_state(batch_size, dtype)

    def call(self, inputs, state):
        """Return the projected output [batch, output_size], and the next state."""
        output, next_state = self._cell(inputs, state)
        shape = [int(output.shape[-1]), self._output_size]
        kernel = tf.get_variable("kernel", shape, output.dtype)
        bias = tf.get_variable(
            "bias", [self._output_size], output.dtype, initializer=tf.zeros_initializer()
        )
        projected = tf.matmul(output, kernel) + bias
        if self._activation is not None:
            projected = self._activation(projected)
        return projected, next_state


def stack_bidirectional_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    scope=None,
):
    """Unroll layers of two cells each, one forwards and one backwards, over a list of inputs [batch, size].

    Returns:
        The outputs of the last layer, a list; the final states of the layers forwards, and backwards.
    """
    states_fw = []
    states_bw = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for layer, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{layer}") as scope_of_layer:
                inputs, state_fw, state_bw = tf.nn.static_bidirectional_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    initial_state_fw=_of_layer(initial_states_fw, layer),
                    initial_state_bw=_of_layer(initial_states_bw, layer),
                    dtype=dtype,
                    sequence_length=sequence_length,
                    scope=scope_of_layer,
                )
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)


def stack_bidirectional_dynamic_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    parallel_iterations=None,
    time_major=False,
    scope=None,
    swap_memory=False,
):
    """Unroll layers of two cells each, one forwards and one backwards, over inputs [batch, time, size].

    Returns:
        The outputs of the last layer [batch, time, 2 * size]; the final states of the layers forwards, and backwards.
    """
    states_fw = []
    states_bw = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for layer, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{layer}"):
                outputs, (state_fw, state_bw) = tf.nn.bidirectional_dynamic_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    sequence_length=sequence_length,
                    initial_state_fw=_of_layer(initial_states_fw, layer),
                    initial_state_bw=_of_layer(initial_states_bw, layer),
                    dtype=dtype,
                    parallel_iterations=parallel_iterations,
                    swap_memory=swap_memory,
                    time_major=time_major,
                )
            inputs = tf.concat(outputs, axis=2)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)


def _of_layer(states, layer):
    return None if states is None else states[layer]
