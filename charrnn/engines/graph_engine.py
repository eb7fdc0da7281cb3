"""An engine in TensorFlow: the network in a graph and a session of its own.

At first the graph has only what reads text. Three more parts are added when they are first used:

- The loop draws characters and feeds them back inside the graph, for B texts at once as rows of one batch. Like
  ``np.random.choice``, it takes uniform numbers from NumPy's generator, and inverts the cumulative distribution in
  the order of the ids. So it writes the same text as feeding one character at a time, but much faster.
- The surprisal of a window. For LSTM cells it uses the fused unroll, which is faster than ``dynamic_rnn``.
- The activations: the state after each character of a text.

Letters for shapes as in :mod:`charrnn.engines`.
"""

from typing import Any, List, NamedTuple, Optional

import numpy as np

from charrnn.engines import Engine
from charrnn.engines.cells import build_stack
from charrnn.engines.decoding import Settings
from charrnn.fused import softmax
from charrnn.fused.unroll import layer_of, unroll
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

            # This makes the variables of the softmax. Its probabilities [B·M, C] are for a SavedModel alone.
            self._prediction, _ = build_output(self._outputs, lstm_size, num_classes)
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

    def save_model(self, folder):
        """Write what reads text as a SavedModel, see :func:`charrnn.commands.export.export_saved_model`.

        Args:
            folder: the folder to create.

        Raises:
            tf.errors.OpError: it cannot be written.
        """
        with self._session.graph.as_default():
            n_rows = tf.shape(self._ids)[0]
            # [B, M, C]
            probabilities = tf.reshape(self._prediction, [n_rows, -1, len(self.vocabulary)])
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
        fetches = [self._last_logits, self._final_state]
        for start in range(0, len(ids), READ_CHUNK):
            chunk = ids[start : start + READ_CHUNK]
            feed = [(self._ids, [chunk]), (self._state, state)]
            logits, state = self._run(fetches, feed)
        return logits, state

    def generate(self, logits, state, uniforms, settings):
        if settings.takes_most_probable:
            # top_n=1 also keeps characters that are as probable. The number 0 draws the first of them.
            settings = Settings(top_n=1)
            uniforms = np.zeros_like(uniforms)
        # Without top_p, a step of the loop is faster.
        loop = self._part(self._build_loop, len(logits), settings.top_p < 1)
        feed = [
            (loop.logits, logits),
            (loop.state, state),
            (loop.uniforms, uniforms),
            (loop.settings.temperature, settings.temperature),
            (loop.settings.top_n, min(settings.top_n, len(self.vocabulary))),
        ]
        if loop.settings.top_p is not None:
            feed.append((loop.settings.top_p, settings.top_p))
        return self._run(loop.results, feed)

    def feed(self, ids, state):
        # A character is read by drawing it: its logit is the largest.
        forced = np.zeros((len(ids), len(self.vocabulary)), np.float32)
        forced[np.arange(len(ids)), ids] = 1
        uniforms = np.zeros((1, len(ids)))
        _, _, logits, state = self.generate(forced, state, uniforms, Settings(top_n=1))
        return logits, state

    def surprisal(self, inputs, targets, state):
        # The fused unroll is built for windows of one shape.
        shape = inputs.shape if self._cell == "lstm" else None
        window = self._part(self._build_window, shape)
        feed = [(window.inputs, inputs), (window.targets, targets), (window.state, state)]
        return self._run(window.results, feed)

    def activations(self, ids, state):
        states = self._part(self._build_activations)  # [T, S, 1, L]
        values = self._run(states, [(self._ids, [ids]), (self._state, state)])
        return values[:, :, 0], values[-1]

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

    def _build_loop(self, rows, with_top_p):
        """Build the loop for a number of rows."""
        stack = self._stack
        num_classes = len(self.vocabulary)
        if self._cell == "lstm":
            step = _lstm_step(stack)
        else:
            step = _any_step(stack, num_classes)

        logits = tf.placeholder(tf.float32, [rows, num_classes])
        state = _state_placeholder(stack, rows)
        uniforms = tf.placeholder(tf.float64, [None, rows])  # [T, B]
        settings = _FedSettings(
            temperature=tf.placeholder(tf.float32, []), top_n=tf.placeholder(tf.int32, [])
        )
        if with_top_p:
            settings = settings._replace(top_p=tf.placeholder(tf.float64, []))

        ids, log_probabilities, final_logits, final_state = _loop(
            step_of_layers=step,
            softmax_weights=self._softmax_weights,
            logits=logits,
            state=_split(stack, state),
            uniforms=uniforms,
            settings=settings,
        )
        return _Loop(
            logits=logits,
            state=state,
            uniforms=uniforms,
            settings=settings,
            results=[ids, log_probabilities, final_logits, _joined(final_state)],
        )

    def _build_activations(self):
        """Build the states [T, S, 1, L] after each of the ids in the first row that is fed to what reads text."""
        step = _any_step(self._stack, len(self.vocabulary))

        def next_state(state, char_id):
            ids = char_id[tf.newaxis]  # [1]
            _, after = step(ids, _split(self._stack, state))
            return _joined(after)

        return tf.scan(next_state, self._ids[0], initializer=self._state, back_prop=False)

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


class _FedSettings(NamedTuple):
    """The placeholders for how to draw, see :class:`charrnn.engines.decoding.Settings`.

    In a loop without ``top_p``, that is None.
    """

    temperature: Any
    top_n: Any
    top_p: Optional[Any] = None


class _Loop(NamedTuple):
    """The placeholders of the loop, those of its settings among them, and the results of :meth:`Engine.generate`."""

    logits: Any
    state: Any
    uniforms: Any
    settings: _FedSettings
    results: List[Any]


class _Window(NamedTuple):
    """The placeholders for a window, and the results of :meth:`Engine.surprisal`."""

    inputs: Any
    targets: Any
    state: Any
    results: List[Any]


def _draw_ids(logits, uniforms, settings):
    """Draw an id for each row, int32 [B], as :func:`charrnn.engines.decoding.draw_ids` does, with uniforms [B, 1]."""
    prediction = tf.nn.softmax(logits / settings.temperature)  # [B, C]

    kept_largest = tf.nn.top_k(prediction, settings.top_n).values  # [B, n], descending
    if settings.top_p is not None:
        # One is left out if those before it have the share top_p already. As infinity it is never the smallest.
        shares = tf.cast(kept_largest, tf.float64)
        before = tf.cumsum(shares, axis=1, exclusive=True)
        sum_of_largest = tf.reduce_sum(shares, axis=1, keepdims=True)  # [B, 1]
        is_left_out = before >= settings.top_p * sum_of_largest  # [B, n]
        infinities = tf.fill(tf.shape(kept_largest), np.inf)
        kept_largest = tf.where(is_left_out, infinities, kept_largest)

    # What is less than the smallest that is kept becomes 0.
    smallest = tf.reduce_min(kept_largest, axis=1, keepdims=True)  # [B, 1]
    kept = tf.where(prediction >= smallest, prediction, tf.zeros_like(prediction))  # [B, C]

    # The id is the number of edges that are at most the uniform number, as np.searchsorted(side="right") counts them.
    cumulative = tf.cumsum(tf.cast(kept, tf.float64), axis=1)  # [B, C]
    # The total is the last value. A slice is slower than the maximum.
    total = tf.reduce_max(cumulative, axis=1, keepdims=True)  # [B, 1]
    return tf.reduce_sum(tf.cast(cumulative <= uniforms * total, tf.int32), axis=1)


def _lstm_step(stack):
    """Return a function of ids [B] and a state that runs one step; it returns the output [B, L] and the state.

    A step has separate products for its input and for h. The product of h needs nothing of the current step, so
    one core computes it while another computes what depends on the drawn character.
    """
    layers = []
    # Each cell is inside the wrapper that applies dropout in the training.
    for wrapper in stack._cells:
        kernel, bias = wrapper.wrapped_cell.variables
        layers.append(layer_of(kernel.read_value(), bias.read_value()))

    def step(ids, state):
        below = None
        next_state = []
        for layer, (c, h) in zip(layers, state):
            recurrent = tf.nn.xw_plus_b(h, layer.recurrent, layer.bias)  # [B, 4L]
            if below is None:
                # A one-hot row times a matrix is a row of the matrix.
                inputs = tf.gather(layer.inputs, ids)
            else:
                inputs = tf.matmul(below, layer.inputs)

            i, j, f, o = tf.split(inputs + recurrent, 4, axis=1)  # [B, L] each
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            below = tf.sigmoid(o) * tf.tanh(c)
            next_state.append(tf.nn.rnn_cell.LSTMStateTuple(c, below))
        return below, tuple(next_state)

    return step


def _any_step(stack, num_classes):
    """Return a function like that of :func:`_lstm_step` for any kind of cell."""

    def step(ids, state):
        # In this scope dynamic_rnn has made the variables of the cells.
        with tf.variable_scope("rnn", reuse=True):
            return stack(tf.one_hot(ids, num_classes), state)

    return step


def _loop(step_of_layers, softmax_weights, logits, state, uniforms, settings):
    """Draw and feed back once for each row of ``uniforms``; see :meth:`charrnn.engines.Engine.generate`."""
    n_steps = tf.shape(uniforms)[0]
    uniforms = uniforms[:, :, tf.newaxis]  # [T, B, 1]

    def body(step, logits, state, drawn, nats):
        ids = _draw_ids(logits, tf.gather(uniforms, step), settings)  # [B]
        surprisal = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)  # [B]
        output, state = step_of_layers(ids, state)  # [B, L]
        logits = tf.nn.xw_plus_b(output, *softmax_weights)  # [B, C]
        return step + 1, logits, state, drawn.write(step, ids), nats.write(step, surprisal)

    row_shape = [logits.shape[0]]
    drawn = tf.TensorArray(tf.int32, n_steps, element_shape=row_shape)
    nats = tf.TensorArray(tf.float32, n_steps, element_shape=row_shape)
    _, logits, state, drawn, nats = tf.while_loop(
        lambda step, *_: step < n_steps, body, (0, logits, state, drawn, nats), back_prop=False
    )
    return drawn.stack(), -nats.stack(), logits, state
