"""An engine in TensorFlow: the network in a graph and a session of its own.

At first the graph has only what reads text. Three more parts are added when they are first used:

- The loop draws characters and feeds them back inside the graph, for B texts at once as rows of one batch. Like
  ``np.random.choice``, it takes uniform numbers from NumPy's generator, and inverts the cumulative distribution in
  the order of the ids. So it writes the same text as feeding one character at a time, but much faster.
- The surprisal of a window. For LSTM cells it uses the fused unroll, which is faster than ``dynamic_rnn``.
- The activations: the state after each character of a text.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import numpy as np

from charrnn.engines import Engine
from charrnn.engines.cells import build_stack
from charrnn.engines.decoding import Settings
from charrnn.fused import softmax
from charrnn.fused.unroll import layer_of, unroll
from charrnn.model import build_output
from charrnn.system.tensorflow import (
    forget_gradients,
    session_config,
    set_variable,
    tf,
    thread_count,
)
from charrnn.system.terminal import tensorflow_quieted

READ_CHUNK = 1000  # characters that are read in one session call; this limits the memory


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
        with tf.Graph().as_default() as graph:
            self._ids = tf.placeholder(tf.int32, [None, None], name="ids")  # [B, M]
            self._stack = build_stack(cell, lstm_size, num_layers)
            self._state = _state_placeholder(self._stack, None)  # [S, B, L], before the window
            x_one_hot = tf.one_hot(self._ids, len(vocabulary))  # [B, M, C]
            self._outputs, final_state = tf.nn.dynamic_rnn(  # [B, M, L]
                self._stack, x_one_hot, initial_state=_split(self._stack, self._state)
            )
            self._final_state = _joined(final_state)  # [S, B, L], after the window
            # [B·M, C]
            self._prediction, _ = build_output(self._outputs, lstm_size, len(vocabulary))
            self._variables = tf.trainable_variables()
            self._softmax = [
                variable.read_value() for variable in tf.trainable_variables("softmax/")
            ]
            self._last_logits = tf.nn.xw_plus_b(self._outputs[:, -1], *self._softmax)  # [B, C]
        self._session = tf.Session(graph=graph, config=session_config(self._threads))

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

    def save_model(self, folder):
        """Write what reads text as a SavedModel, see :func:`charrnn.commands.export.export_saved_model`.

        Args:
            folder: the folder to create.

        Raises:
            tf.errors.OpError: it cannot be written.
        """
        with self._session.graph.as_default():
            probabilities = tf.reshape(  # [B, M, C]
                self._prediction, [tf.shape(self._ids)[0], -1, len(self.vocabulary)]
            )
            tf.saved_model.simple_save(
                self._session,
                str(folder),
                {"ids": self._ids, "state": self._state},
                {"probabilities": probabilities, "state": self._final_state},
            )

    def zero_state(self, rows=1):
        n_parts, _, lstm_size = self._state.shape.as_list()
        return np.zeros((n_parts, rows, lstm_size), np.float32)

    def read(self, ids, state):
        for start in range(0, len(ids), READ_CHUNK):
            logits, state = self._run(
                [self._last_logits, self._final_state],
                [self._ids, self._state],
                [[ids[start : start + READ_CHUNK]], state],
            )
        return logits, state

    def draw(self, logits, state, uniforms, settings):
        if settings.takes_most_probable:
            settings = Settings(top_n=1)
            uniforms = np.zeros_like(uniforms)
        # without top_p, a step of the loop is faster; zip() then leaves the last value out
        placeholders, results = self._part(self._build_loop, len(logits), settings.top_p < 1)
        top_n = min(settings.top_n, logits.shape[1])
        values = logits, state, uniforms, settings.temperature, top_n, settings.top_p
        return self._run(results, placeholders, values)

    def surprisal(self, inputs, targets, state):
        placeholders, results = self._part(
            self._build_window, inputs.shape if self._cell == "lstm" else None
        )
        return self._run(results, placeholders, (inputs, targets, state))

    def activations(self, ids, state):
        states = self._run(
            self._part(self._build_activations), [self._ids, self._state], ([ids], state)
        )
        return states[:, :, 0], states[-1]

    def close(self):
        self._session.close()

    def _run(self, results, placeholders, values):
        # where tensors can be keys, also in a program in eager mode
        with self._session.graph.as_default():
            return self._session.run(results, dict(zip(placeholders, values)))

    def _part(self, build, *args):
        """Return a part of the graph. It is built when it is first used."""
        if (build, args) not in self._parts:
            with tensorflow_quieted(), self._session.graph.as_default() as graph:
                self._parts[build, args] = build(*args)
            forget_gradients(graph)  # of the fused unroll, which are not used here
        return self._parts[build, args]

    def _build_loop(self, rows, with_top_p):
        """Build the loop for a number of rows; return its placeholders, and the results of :meth:`draw`."""
        stack = self._stack
        num_classes = len(self.vocabulary)
        step = _lstm_step(stack) if self._cell == "lstm" else _any_step(stack, num_classes)
        logits = tf.placeholder(tf.float32, [rows, num_classes])
        state = _state_placeholder(stack, rows)
        uniforms = tf.placeholder(tf.float64, [None, rows])  # [T, B]
        settings = Settings(
            tf.placeholder(tf.float32, []),
            tf.placeholder(tf.int32, []),
            tf.placeholder(tf.float64, []) if with_top_p else None,
        )
        ids, log_probabilities, after, final_state = _loop(
            step, self._softmax, logits, _split(stack, state), uniforms, settings
        )
        placeholders = [logits, state, uniforms, settings.temperature, settings.top_n]
        placeholders += [settings.top_p] if with_top_p else []
        return placeholders, [ids, log_probabilities, after, _joined(final_state)]

    def _build_activations(self):
        """Build the states [T, S, 1, L] after each character of a text, from the forward graph's placeholders."""
        step = _any_step(self._stack, len(self.vocabulary))
        return tf.scan(
            lambda state, index: _joined(step(index[tf.newaxis], _split(self._stack, state))[1]),
            self._ids[0],
            initializer=self._state,
            back_prop=False,
        )

    def _build_window(self, shape):
        """Build the surprisal of windows of a shape [B, M] with the fused unroll, or of any shape without it.

        Return its placeholders, and the results of :meth:`surprisal`.
        """
        inputs = self._ids
        state = self._state
        outputs = self._outputs
        final_state = self._final_state
        if shape:
            inputs = tf.placeholder(tf.int32, shape)
            state = _state_placeholder(self._stack, shape[0])
            outputs, after = unroll(
                self._stack,
                inputs,
                len(self.vocabulary),
                _split(self._stack, state),
                threads=self._threads,
            )  # [B, M, L]
            final_state = _joined(after)
        targets = tf.placeholder(tf.int32, shape or [None, None])
        nats = softmax.surprisals(  # [B·M]
            tf.reshape(outputs, [-1, self._stack.output_size]),
            *self._softmax,
            tf.reshape(targets, [-1]),
            self._threads,
        )
        return [inputs, targets, state], [tf.reshape(nats, tf.shape(targets)), final_state]


def _draw(logits, uniforms, settings):
    """Draw an id for each row, int32 [B], as :func:`charrnn.engines.decoding.draw` does, with uniforms [B, 1].

    The Settings are of placeholders; ``top_p`` is None where it is not used.
    """
    prediction = tf.nn.softmax(logits / settings.temperature)  # [B, C]
    largest = tf.nn.top_k(prediction, settings.top_n).values  # [B, n], descending
    if settings.top_p is not None:
        shares = tf.cast(largest, tf.float64)
        before = tf.cumsum(shares, axis=1, exclusive=True)
        enough = before >= settings.top_p * tf.reduce_sum(shares, axis=1, keepdims=True)  # [B, n]
        largest = tf.where(enough, tf.fill(tf.shape(largest), np.inf), largest)
    smallest = tf.reduce_min(largest, axis=1, keepdims=True)  # [B, 1]
    kept = tf.where(prediction >= smallest, prediction, tf.zeros_like(prediction))  # [B, C]
    cumulative = tf.cumsum(tf.cast(kept, tf.float64), axis=1)  # [B, C]
    # [B, 1], the last value; a slice is slower
    total = tf.reduce_max(cumulative, axis=1, keepdims=True)
    # the number of edges that are at most the uniform number, as np.searchsorted(side="right") counts them
    return tf.reduce_sum(tf.cast(cumulative <= uniforms * total, tf.int32), axis=1)


def _lstm_step(stack):
    """Return a function of ids [B] and a state that runs one step; it returns the output [B, L] and the state.

    A step has separate products for its input and for h. The product of h needs nothing of the current step, so
    one core computes it while another computes what depends on the drawn character.
    """
    layers = [
        layer_of(*[variable.read_value() for variable in wrapper.wrapped_cell.variables])
        for wrapper in stack._cells
    ]

    def step(ids, state):
        below = None
        next_state = []
        for layer, (c, h) in zip(layers, state):
            recurrent = tf.nn.xw_plus_b(h, layer.recurrent, layer.bias)  # [B, 4L]
            # a one-hot row times a matrix is a row of the matrix
            inputs = (
                tf.gather(layer.inputs, ids) if below is None else tf.matmul(below, layer.inputs)
            )
            i, j, f, o = tf.split(inputs + recurrent, 4, axis=1)  # [B, L] each
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            below = tf.sigmoid(o) * tf.tanh(c)
            next_state.append(tf.nn.rnn_cell.LSTMStateTuple(c, below))
        return below, tuple(next_state)

    return step


def _any_step(stack, num_classes):
    """Return a function like that of :func:`_lstm_step` for any kind of cell. It calls the cells."""

    def step(ids, state):
        with tf.variable_scope("rnn", reuse=True):
            return stack(tf.one_hot(ids, num_classes), state)

    return step


def _loop(step_of_layers, softmax, logits, state, uniforms, settings):
    """Draw and feed back once for each row of ``uniforms``; see :meth:`charrnn.engines.Engine.draw`."""
    n_steps = tf.shape(uniforms)[0]
    uniforms = uniforms[:, :, tf.newaxis]  # [T, B, 1]

    def body(step, logits, state, drawn, nats):
        ids = _draw(logits, tf.gather(uniforms, step), settings)  # [B]
        surprisal = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)  # [B]
        output, state = step_of_layers(ids, state)  # [B, L]
        logits = tf.nn.xw_plus_b(output, *softmax)  # [B, C]
        return step + 1, logits, state, drawn.write(step, ids), nats.write(step, surprisal)

    arrays = [
        tf.TensorArray(dtype, n_steps, element_shape=[logits.shape[0]])
        for dtype in (tf.int32, tf.float32)
    ]
    _, logits, state, drawn, nats = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, logits, state, *arrays), back_prop=False
    )
    return drawn.stack(), -nats.stack(), logits, state
