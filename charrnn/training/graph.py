"""The network of a run: its graph, and the session that trains it.

With the notebook's settings, the graph is the notebook's.
"""
from dataclasses import replace
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from charrnn.checkpoints.weights import AVERAGE
from charrnn.engines.cells import build_stack
from charrnn.fused.session import session_config
from charrnn.fused.softmax import mean_surprisal, rows_of_slice
from charrnn.fused.unroll import unroll
from charrnn.model import CharRNN, build_inputs, build_loss, build_output
from charrnn.system import interrupts
from charrnn.system.tensorflow import OPTIMIZERS, forget_gradients, tf
from charrnn.training.distributed import Processes
from charrnn.training.hyperparameters import Hyperparameters

LARGE_VARIABLE = 2 ** 22  # elements from which _Adam avoids constants; no variable of the recipe has as many


class TrainingGraph(CharRNN):
    """CharRNN with all hyperparameters: the fused unroll, other cells and optimizers, more dropout, running averages.

    It has the attributes, variables and placeholders of CharRNN, and with the notebook's settings the same graph.

    Attributes:
        mask_seed: int64 placeholder [2], the run's seed and the number of steps done, on which the dropout masks of the
            fused unroll depend; random in each session call unless it is fed. None without the fused unroll.
    """

    def __init__(self, num_classes: int, hyper: Hyperparameters, rows: Optional[Tuple[int, int]] = None,
                 threads: Optional[int] = None, average: Callable = list, in_order: bool = False) -> None:
        """Reset the default graph and build the network in it.

        Args:
            num_classes: C, distinct characters.
            hyper: the hyperparameters. Their seed is that of the graph.
            rows: where several processes share a batch, the first of its rows that this graph trains on and the row
                after the last; None for all rows. In the shapes, N is then the number of these rows.
            threads: number of threads to build the fused unroll for; None for one for each core.
            average: function that is applied to the list of all gradients and the loss before the gradients are
                clipped. Several processes average over the whole batch with it; the default changes nothing.
            in_order: run the iterations of ``dynamic_rnn`` one after the other. Their random numbers, which are
                those of dropout, then depend on the seed only. Otherwise 32 run at once, in any order, which is faster.
        """
        first, end = rows or (0, hyper.batch_size)
        tf.reset_default_graph()
        tf.set_random_seed(hyper.seed)
        self.inputs, self.targets, self.keep_prob = build_inputs(end - first, hyper.num_steps)
        stack = build_stack(hyper.cell, hyper.lstm_size, hyper.num_layers, self.keep_prob, hyper.input_keep_prob)
        self.initial_state = stack.zero_state(end - first, tf.float32)
        self.mask_seed = None
        if hyper.unrolls_fused:
            drawn = tf.random_uniform([2], maxval=tf.int64.max, dtype=tf.int64)
            self.mask_seed = tf.placeholder_with_default(drawn, [2], name="mask_seed")
            outputs, self.final_state = unroll(  # [N, M, L]
                stack, self.inputs, num_classes, self.initial_state, self.mask_seed, threads, (first, hyper.batch_size),
                hyper.recurrent_keep_prob, hyper.precision)
        else:
            x_one_hot = tf.one_hot(self.inputs, num_classes)  # [N, M, C]
            outputs, self.final_state = tf.nn.dynamic_rnn(
                stack, x_one_hot, initial_state=self.initial_state, parallel_iterations=1 if in_order else 32)
        self.prediction, self.logits = build_output(outputs, hyper.lstm_size, num_classes)
        n_rows = self.logits.shape[0].value
        if hyper.unrolls_fused and (n_rows > rows_of_slice(num_classes) or hyper.precision != "float32"):
            weights, bias = tf.trainable_variables("softmax/")
            loss = mean_surprisal(tf.reshape(outputs, [n_rows, -1]), weights, bias, tf.reshape(self.targets, [-1]),
                                  threads, hyper.precision)
        else:
            loss = build_loss(self.logits, self.targets, hyper.lstm_size, num_classes)
        self.optimizer, self.loss = _build_update(loss, hyper, average)


def _build_update(loss: Any, hyper: Hyperparameters, average: Callable) -> Tuple[Any, Any]:
    """Return the operation that does one update, and the loss of the whole batch."""
    variables = tf.trainable_variables()
    *gradients, loss = average([*tf.gradients(loss, variables), loss])
    gradients, _ = tf.clip_by_global_norm(gradients, hyper.grad_clip)
    if hyper.optimizer == "adam":
        optimizer = _Adam(hyper.learning_rate)
    else:  # with the decay of older char-RNN programs
        optimizer = tf.train.RMSPropOptimizer(hyper.learning_rate, decay=0.95, name=OPTIMIZERS[hyper.optimizer])
    update = optimizer.apply_gradients(zip(gradients, variables))
    if hyper.average_decay:  # Polyak and Juditsky 1992
        with tf.control_dependencies([update]):
            update = tf.train.ExponentialMovingAverage(hyper.average_decay).apply(variables)
    return update, loss


class _Adam(tf.train.AdamOptimizer):
    """Adam whose averages of large variables do not start from a constant.

    TensorFlow would keep a constant of that size in memory as long as the session lives.
    """

    def _zeros_slot(self, var, slot_name, op_name):  # TensorFlow calls it to create each average
        if var.shape.num_elements() < LARGE_VARIABLE:
            return super()._zeros_slot(var, slot_name, op_name)

        def zeros(shape, dtype, partition_info=None):
            return tf.raw_ops.Empty(shape=shape, dtype=dtype, init=True)  # zeros, made when the operation runs

        return self._get_or_make_slot_with_initializer(
            var, zeros, var.shape, var.dtype.base_dtype, slot_name, op_name)


def initial_weights(shapes: Dict[str, Tuple[int, ...]], seed: int) -> Dict[str, np.ndarray]:
    """Draw the initial matrices of a network, with the distributions of the notebook's graph.

    They depend on nothing but the seed and the shapes.

    Args:
        shapes: dict from the name of each variable to its shape. Vectors, such as biases, are left to the graph.
        seed: at least 0.

    Returns:
        A dict from the name of each matrix to float32 values: those of ``softmax/`` from a normal distribution with
        standard deviation 0.1 that is cut at two standard deviations, the others uniform (Glorot and Bengio 2010).

    >>> initial_weights({"kernel": (2, 4), "bias": (4,)}, 7)["kernel"].shape
    (2, 4)
    """
    random, drawn = np.random.RandomState(seed), {}
    for name, shape in sorted(shapes.items()):
        if len(shape) != 2:
            continue
        if name.startswith("softmax/"):
            values = random.standard_normal(shape)
            while (np.abs(values) > 2).any():
                outside = np.abs(values) > 2
                values[outside] = random.standard_normal(np.count_nonzero(outside))
            drawn[name] = np.float32(0.1 * values)
        else:
            limit = np.sqrt(6 / sum(shape))
            drawn[name] = np.float32(random.uniform(-limit, limit, shape))
    return drawn


class Network:
    """A CharRNN and the session that trains it.

    Attributes:
        session: has the values of its variables.
        saver: saves them.
        zero_state: float32 [num_layers, 2, rows, L], the state at the beginning of an epoch. For cells without c it is
            [num_layers, 1, rows, L].
        n_parameters: number of weights and biases.
    """

    @interrupts.not_lost()
    def __init__(self, num_classes: int, hyper: Hyperparameters, processes: Processes,
                 threads: Optional[int] = None, in_order: bool = False) -> None:
        """Build the network in the default graph, with initial weights.

        Args:
            num_classes: size of the vocabulary.
            hyper: the hyperparameters; they have a seed.
            processes: the processes that share a batch.
            threads: threads of this process; None for one for each core.
            in_order: as for :class:`TrainingGraph`.
        """
        # dynamic_rnn draws the masks for the rows of one process only, so the graph of each needs a seed of its own
        self._seed, self._keep_prob = hyper.seed or 0, hyper.keep_prob
        hyper = replace(hyper, seed=self._seed + processes.rank)
        try:
            self._model = TrainingGraph(
                num_classes, hyper, processes.rows(hyper.batch_size), threads, processes.average, in_order)
        except AssertionError:  # from tf.reset_default_graph()
            raise ValueError("the default graph cannot be reset inside of a `with` block of TensorFlow, such as "
                             "tf.Graph().as_default(), tf.Session() or tf.variable_scope(): train outside of it")
        graph = tf.get_default_graph()
        forget_gradients(graph)
        self._learning_rate = graph.get_tensor_by_name(f"{OPTIMIZERS[hyper.optimizer]}/learning_rate:0")
        self._gradient_norm = graph.get_tensor_by_name("global_norm/global_norm:0")  # before clipping
        self._trained = {variable.op.name: variable for variable in tf.trainable_variables()}
        self.n_parameters = sum(variable.shape.num_elements() for variable in self._trained.values())
        self.saver = tf.train.Saver(max_to_keep=0)
        self.session = tf.Session(config=session_config(threads, hyper.unrolls_fused, hyper.precision))
        self.session.run(tf.global_variables_initializer())
        self.set_weights(initial_weights(
            {name: tuple(variable.shape.as_list()) for name, variable in self._trained.items()}, self._seed))
        self._norm = tf.global_norm(tf.global_variables())
        self.zero_state = _as_array(self.session.run(self._model.initial_state))

    def close(self) -> None:
        """Close the session."""
        self.session.close()

    def step(self, x: np.ndarray, y: np.ndarray, state: np.ndarray, learning_rate: float,
             number: int) -> Tuple[float, float, np.ndarray]:
        """Do one update. Return the loss, the norm of the gradients before they are clipped, and the final state.

        Args:
            x: integer array [rows, M], inputs.
            y: integer array [rows, M], targets.
            state: the state before the window, in the form of zero_state.
            learning_rate: the learning rate.
            number: number of steps done before, on which the dropout masks of the fused unroll depend.
        """
        model = self._model
        tuples = tf.nest.pack_sequence_as(model.initial_state, list(state.reshape(-1, *state.shape[2:])))
        feed = {model.inputs: x, model.targets: y, model.keep_prob: self._keep_prob,
                model.initial_state: tuples, self._learning_rate: learning_rate}
        if model.mask_seed is not None:
            feed[model.mask_seed] = self._seed, number
        loss, norm, final_state, _ = self.session.run(
            [model.loss, self._gradient_norm, model.final_state, model.optimizer], feed_dict=feed)
        return float(loss), float(norm), _as_array(final_state)

    def norm(self) -> float:
        """Return the norm of all variables. It is not finite if a value is not finite or too large to be used."""
        return float(self.session.run(self._norm))

    def weights(self) -> Dict[str, np.ndarray]:
        """Return the weights by the names of their variables, or their running averages if there are any."""
        averages = {variable.op.name: variable for variable in tf.global_variables()}
        return self.session.run({name: averages.get(name + AVERAGE, variable)
                                 for name, variable in self._trained.items()})

    def set_weights(self, weights: Dict[str, np.ndarray]) -> None:
        """Set weights, and their running averages if there are any."""
        for variable in tf.global_variables():
            name = variable.op.name.replace(AVERAGE, "")
            if name in weights:
                variable.load(weights[name], self.session)


def _as_array(state: Any) -> np.ndarray:
    """Return a state of the model as one array."""
    return np.array([tf.nest.flatten(layer) for layer in state])
