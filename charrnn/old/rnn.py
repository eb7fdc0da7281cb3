"""What ``tf.contrib.rnn`` has beyond ``tf.nn`` of TensorFlow 2: cells, and functions that unroll layers of them."""

import copy
import math

from charrnn.system.tensorflow import tf

__all__ = [
    "EmbeddingWrapper",
    "MultiRNNCell",
    "OutputProjectionWrapper",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
]


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


class _Wrapper(tf.nn.rnn_cell.RNNCell):
    """A cell in another one, which has its state."""

    def __init__(self, cell, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell = cell

    @property
    def state_size(self):
        """The size of the state."""
        return self._cell.state_size

    @property
    def output_size(self):
        """The size of the output."""
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        """Return the state before the first step."""
        return self._cell.zero_state(batch_size, dtype)


class EmbeddingWrapper(_Wrapper):
    """A cell that reads the embeddings of ids."""

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None, reuse=None):
        super().__init__(cell, reuse)
        self._shape = [embedding_classes, embedding_size]
        self._initializer = initializer

    def call(self, inputs, state):
        """Return the output for ids [batch] or [batch, 1], and the next state."""
        initializer = self._initializer or tf.get_variable_scope().initializer
        if initializer is None:
            # their variance is 1
            initializer = tf.random_uniform_initializer(-math.sqrt(3), math.sqrt(3))
        first, *_ = tf.nest.flatten(state)
        embedding = tf.get_variable("embedding", self._shape, first.dtype, initializer=initializer)
        ids = tf.reshape(inputs, [-1])
        return self._cell(tf.nn.embedding_lookup(embedding, ids), state)


class OutputProjectionWrapper(_Wrapper):
    """A cell whose output goes through a layer without an activation, or with one that is given."""

    def __init__(self, cell, output_size, activation=None, reuse=None):
        super().__init__(cell, reuse)
        self._output_size = output_size
        self._activation = activation

    @property
    def output_size(self):
        """The size of the projected output."""
        return self._output_size

    def call(self, inputs, state):
        """Return the projected output [batch, output_size], and the next state."""
        output, next_state = self._cell(inputs, state)
        projected = linear(output, self._output_size)
        if self._activation is not None:
            projected = self._activation(projected)
        return projected, next_state


def linear(inputs, size):
    """Return inputs [batch, size before] after a layer of the variables ``kernel`` and ``bias``: [batch, size]."""
    kernel = tf.get_variable("kernel", [int(inputs.shape[-1]), size], inputs.dtype)
    bias = tf.get_variable("bias", [size], inputs.dtype, initializer=tf.zeros_initializer())
    return tf.matmul(inputs, kernel) + bias


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
