"""An engine in TensorFlow: the network in a graph and a session of its own.

At first the graph has only what reads text. The surprisal of a window is added when it is first used. For LSTM cells it
uses the fused unroll, which is faster than ``dynamic_rnn``.

Letters for shapes as in :mod:`charrnn.engines`.
"""

from typing import Any, List, NamedTuple

import numpy as np

from charrnn.engines import Engine
from charrnn.engines.cells import build_stack
from charrnn.fused import softmax
from charrnn.fused.unroll import unroll
from charrnn.model import build_output
from charrnn.system.machine import thread_count
from charrnn.system.tensorflow import (
    forget_gradients,
    graphs,
    session_config,
    set_variable,
    tf,
    use_own_threads,
)

# characters that are read in one session call; this limits the memory
READ_CHUNK = 1000


def _state_placeholder(stack, rows):
    """Make a placeholder for a state [S, B, L]."""
    n_parts = len(tf.nest.flatten(stack.state_size))
    return tf.placeholder(tf.float32, [n_parts, rows, stack.output_size], name="state")


def _split(stack, state):
    """Return a state [S, B, L] in the structure that the stack of cells takes."""
    return tf.nest.pack_sequence_as(stack.state_size, tf.unstack(state))


def _joined(state):
    """Return the state of a stack of cells as [S, B, L]."""
    return tf.stack(tf.nest.flatten(state))


class GraphEngine(Engine):
    """A network of any kind of cell in TensorFlow; see :class:`charrnn.engines.Engine`."""

    def __init__(self, vocabulary, lstm_size, num_layers, cell="lstm", threads=None):
        """Build what reads text. The engine can be used after :meth:`load`."""
        self.vocabulary = vocabulary
        self._cell = cell
        self._threads = threads or thread_count()
        self._parts = {}
        num_classes = len(vocabulary)
        with tf.Graph().as_default() as graph:
            self._ids = tf.placeholder(tf.int32, [None, None], name="ids")  # [B, M]
            self._stack = build_stack(cell, lstm_size, num_layers)
            self._state = _state_placeholder(self._stack, None)  # [S, B, L], before the window
            x_one_hot = tf.one_hot(self._ids, num_classes)  # [B, M, C]
            state = _split(self._stack, self._state)
            # [B, M, L]
            self._outputs, state = tf.nn.dynamic_rnn(self._stack, x_one_hot, initial_state=state)
            self._final_state = _joined(state)  # [S, B, L], after the window

            # This makes the variables of the softmax.
            build_output(self._outputs, lstm_size, num_classes)
            self._variables = tf.trainable_variables()
            softmax_variables = tf.trainable_variables("softmax/")
            self._softmax_weights = [variable.read_value() for variable in softmax_variables]

            # What goes on after a text needs the logits after its last character only.
            last_outputs = self._outputs[:, -1]  # [B, L]
            self._last_logits = tf.nn.xw_plus_b(last_outputs, *self._softmax_weights)  # [B, C]
        config = session_config(self._threads)
        use_own_threads(config)
        self._session = tf.Session(graph=graph, config=config)

    def load(self, weights):
        """Set the weights.

        Args:
            weights: a dict from the name of each trainable variable to its values.

        Raises:
            ValueError: they are the weights of another network.
        """
        with self._session.graph.as_default():
            for variable in self._variables:
                name = variable.op.name
                shape = tuple(variable.shape.as_list())
                if name not in weights or np.shape(weights[name]) != shape:
                    raise ValueError(
                        f"it has the weights of another network: there is no {name} of shape {shape}"
                    )
                set_variable(variable, weights[name], self._session)

    def zero_state(self, rows=1):
        n_parts, _, lstm_size = self._state.shape.as_list()
        return np.zeros((n_parts, rows, lstm_size), np.float32)

    def read(self, ids, state):
        fetches = [self._last_logits, self._final_state]
        for start in range(0, len(ids), READ_CHUNK):
            chunk = ids[start : start + READ_CHUNK]
            feed = [(self._ids, [chunk]), (self._state, state)]
            logits, state = self._run(fetches, feed)
        return logits, state

    def feed(self, ids, state):
        feed = [(self._ids, np.reshape(ids, (-1, 1))), (self._state, state)]
        return self._run([self._last_logits, self._final_state], feed)

    def surprisal(self, inputs, targets, state):
        # The fused unroll is built for windows of one shape.
        shape = inputs.shape if self._cell == "lstm" else None
        window = self._part(self._build_window, shape)
        feed = [(window.inputs, inputs), (window.targets, targets), (window.state, state)]
        return self._run(window.results, feed)

    def close(self):
        self._session.close()

    def _run(self, fetches, feed):
        """Run the session with a feed of pairs of a placeholder and its value."""
        # They are no dict: where a program is in eager mode, tensors can be keys of one inside a graph only.
        with self._session.graph.as_default():
            return self._session.run(fetches, dict(feed))

    def _part(self, build, *args):
        """Return what ``build(*args)`` adds to the graph when it is first used."""
        if (build, args) not in self._parts:
            with graphs(), self._session.graph.as_default() as graph:
                self._parts[build, args] = build(*args)
            # TensorFlow would keep the graph for the gradients of the fused unroll, which nobody asks for here.
            forget_gradients(graph)
        return self._parts[build, args]

    def _build_window(self, shape):
        """Build the surprisal of windows of a shape [B, M] with the fused unroll, or of any shape without it."""
        size = self._stack.output_size
        inputs = self._ids
        state = self._state
        outputs = self._outputs  # [B, M, L]
        final_state = self._final_state

        if shape:
            inputs = tf.placeholder(tf.int32, shape)
            state = _state_placeholder(self._stack, shape[0])
            before = _split(self._stack, state)
            num_classes = len(self.vocabulary)
            outputs, after = unroll(self._stack, inputs, num_classes, before, threads=self._threads)
            final_state = _joined(after)

        targets = tf.placeholder(tf.int32, shape or [None, None])
        output_rows = tf.reshape(outputs, [-1, size])  # [B·M, L]
        target_row = tf.reshape(targets, [-1])  # [B·M]
        kernel, bias = self._softmax_weights
        nats = softmax.surprisals(output_rows, kernel, bias, target_row, self._threads)  # [B·M]
        nats = tf.reshape(nats, tf.shape(targets))  # [B, M]
        return _Window(inputs, targets, state, [nats, final_state])


class _Window(NamedTuple):
    """The placeholders for a window, and the results of :meth:`Engine.surprisal`."""

    inputs: Any
    targets: Any
    state: Any
    results: List[Any]
