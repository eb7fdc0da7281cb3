"""The graph of the network that a run trains."""

from typing import Any, Callable, Dict, Tuple

import numpy as np

from charrnn.checkpoints.weights import AVERAGE
from charrnn.engines.cells import build_stack
from charrnn.fused.softmax import mean_surprisal, rows_of_slice
from charrnn.fused.unroll import unroll
from charrnn.hyperparameters import OPTIMIZERS, Hyperparameters, learning_rate_at
from charrnn.model import build_inputs, build_loss, build_output
from charrnn.system.tensorflow import session_config, set_variable, tf
from charrnn.training.distributed import Processes

# Elements from which _Adam avoids constants. No variable of a network with the notebook's settings has as many.
LARGE_VARIABLE = 2**22


class TrainingGraph:
    """The network in training, with all hyperparameters: the fused unroll, other cells, more dropout, averages.

    It has the attributes, variables and placeholders of :class:`charrnn.model.CharRNN`, and, with the notebook's
    settings and without ``fused``, the same graph.

    Attributes:
        seed: that of the hyperparameters; 0 if they have none, which is so outside of a run.
        rows: slice of the rows of a batch that this process trains on.
        config: the settings of the session that trains it, a tf.ConfigProto.
        gradient_norm: scalar, the norm of the gradients before they are clipped.
        shapes: a dict from the name of each trainable variable to its shape.
        n_parameters: number of weights and biases.
    """

    def __init__(
        self,
        num_classes: int,
        hyper: Hyperparameters,
        processes: Processes,
        threads: int = 1,
        in_order: bool = False,
    ) -> None:
        """Reset the default graph and build the network in it.

        Where several processes share a batch, N in the shapes is the number of rows of this one. With ``in_order``, the
        iterations of ``dynamic_rnn`` run one after the other. Their random numbers, which are those of dropout, then
        depend on the seed only. Otherwise 32 run at once, in any order, which is faster.
        """
        self._hyper = hyper
        self.seed = hyper.seed or 0
        first, end = processes.rows(hyper.batch_size)
        self.rows = slice(first, end)
        self.config = session_config(threads, hyper.unrolls_fused, hyper.precision)
        tf.reset_default_graph()
        # dynamic_rnn draws the masks for the rows of one process only, so the graph of each needs a seed of its own.
        tf.set_random_seed(self.seed + processes.rank)

        self.inputs, self.targets, self.keep_prob = build_inputs(end - first, hyper.num_steps)
        stack = build_stack(
            hyper.cell,
            lstm_size=hyper.lstm_size,
            num_layers=hyper.num_layers,
            keep_prob=self.keep_prob,
            input_keep_prob=hyper.input_keep_prob,
        )
        self.initial_state = stack.zero_state(end - first, tf.float32)
        if hyper.unrolls_fused:
            outputs, self.final_state = self._unroll_fused(stack, num_classes, threads)
        else:
            parallel_iterations = 1 if in_order else 32
            x_one_hot = tf.one_hot(self.inputs, num_classes)  # [N, M, C]
            outputs, self.final_state = tf.nn.dynamic_rnn(  # [N, M, L]
                stack,
                x_one_hot,
                initial_state=self.initial_state,
                parallel_iterations=parallel_iterations,
            )

        self.prediction, self.logits = build_output(outputs, hyper.lstm_size, num_classes)
        loss = self._build_loss(outputs, num_classes, threads)
        update = _build_update(loss, hyper, processes.average)
        self.optimizer, self.loss, self.gradient_norm = update

        self._learning_rate = _learning_rate(hyper)
        self._trained = {variable.op.name: variable for variable in tf.trainable_variables()}
        self.shapes = {
            name: tuple(variable.shape.as_list()) for name, variable in self._trained.items()
        }
        self.n_parameters = sum(int(np.prod(shape)) for shape in self.shapes.values())

    def _unroll_fused(self, stack: Any, num_classes: int, threads: int) -> Tuple[Any, Any]:
        """Return the outputs [N, M, L] and the final state of the fused unroll."""
        # The masks depend on the run's seed and the steps done. Where these are not fed, they are random.
        random_seeds = tf.random_uniform([2], maxval=tf.int64.max, dtype=tf.int64)
        self.mask_seed = tf.placeholder_with_default(random_seeds, [2], name="mask_seed")
        return unroll(
            stack,
            inputs=self.inputs,
            num_classes=num_classes,
            initial_state=self.initial_state,
            mask_seed=self.mask_seed,
            threads=threads,
            mask_rows=(self.rows.start, self._hyper.batch_size),
            recurrent_keep_prob=self._hyper.recurrent_keep_prob,
            precision=self._hyper.precision,
        )

    def _build_loss(self, outputs: Any, num_classes: int, threads: int) -> Any:
        """Return the mean loss of this process's rows, from outputs [N, M, L]."""
        hyper = self._hyper
        n_rows = self.logits.shape[0].value
        # The fused unroll comes with mean_surprisal, which saves memory by slices of the rows, and computes in
        # bfloat16. Rows that fit in one slice save nothing, so the notebook's loss serves them in float32.
        if not hyper.unrolls_fused or (
            hyper.precision == "float32" and n_rows <= rows_of_slice(num_classes)
        ):
            return build_loss(self.logits, self.targets, hyper.lstm_size, num_classes)

        weights, bias = tf.trainable_variables("softmax/")
        return mean_surprisal(
            outputs=tf.reshape(outputs, [n_rows, -1]),  # [N·M, L]
            weights=weights,
            bias=bias,
            targets=tf.reshape(self.targets, [-1]),  # [N·M]
            threads=threads,
            precision=hyper.precision,
        )

    def feed_of_step(self, step: int, n_windows: int) -> Dict[Any, Any]:
        """Return what the notebook does not feed: the learning rate, and the seed of the dropout masks.

        Args:
            step: number of steps done before.
            n_windows: K, windows in an epoch.
        """
        feed: Dict[Any, Any] = {self._learning_rate: learning_rate_at(self._hyper, step, n_windows)}
        if self._hyper.unrolls_fused:
            feed[self.mask_seed] = self.seed, step
        return feed

    def weights(self, session: Any) -> Dict[str, np.ndarray]:
        """Return the weights by the names of their variables, or their running averages if there are any.

        The graph must be the default one, as in :meth:`set_weights`.
        """
        by_name = {variable.op.name: variable for variable in tf.global_variables()}
        fetched = {
            name: by_name.get(name + AVERAGE, variable) for name, variable in self._trained.items()
        }
        return session.run(fetched)

    def set_weights(self, session: Any, weights: Dict[str, np.ndarray]) -> None:
        """Set weights, and their running averages if there are any."""
        for variable in tf.global_variables():
            name = variable.op.name.replace(AVERAGE, "")
            if name in weights:
                set_variable(variable, weights[name], session)

    def as_array(self, state: Any) -> np.ndarray:
        """Return a state of the network as one array, [num_layers, 2, N, L], or 1 in place of 2 without c."""
        return np.array([tf.nest.flatten(layer) for layer in state])

    def from_array(self, state: np.ndarray) -> Any:
        """Return the state of the network that :meth:`as_array` has made an array."""
        # c and h of each layer, [N, L] each
        parts = state.reshape(-1, *state.shape[2:])
        return tf.nest.pack_sequence_as(self.initial_state, list(parts))


def _learning_rate(hyper: Hyperparameters) -> Any:
    """Return the tensor that the optimizer of the default graph takes the learning rate from."""
    # The optimizer has made it a constant, but any tensor can be fed.
    graph = tf.get_default_graph()
    return graph.get_tensor_by_name(f"{OPTIMIZERS[hyper.optimizer]}/learning_rate:0")


def _build_update(
    loss: Any, hyper: Hyperparameters, over_processes: Callable
) -> Tuple[Any, Any, Any]:
    """Return the operation that does one update, the loss of the whole batch, and the norm of the gradients."""
    variables = tf.trainable_variables()
    *gradients, loss = over_processes([*tf.gradients(loss, variables), loss])
    gradients, norm = tf.clip_by_global_norm(gradients, hyper.grad_clip)

    if hyper.optimizer == "adam":
        optimizer = _Adam(hyper.learning_rate)
    else:
        # The decay is that of older char-RNN programs.
        optimizer = tf.train.RMSPropOptimizer(
            hyper.learning_rate, decay=0.95, name=OPTIMIZERS[hyper.optimizer]
        )
    update = optimizer.apply_gradients(zip(gradients, variables))

    # Weight decay, decoupled from the gradients (Loshchilov and Hutter 2019, arXiv:1711.05101)
    if hyper.weight_decay:
        part = hyper.weight_decay * _learning_rate(hyper)
        matrices = [variable for variable in variables if len(variable.shape) == 2]
        with tf.control_dependencies([update]):
            decays = [matrix.assign_sub(part * matrix.read_value()) for matrix in matrices]
            update = tf.group(*decays)

    # Running averages of the weights (Polyak and Juditsky 1992).
    if hyper.average_decay:
        with tf.control_dependencies([update]):
            update = tf.train.ExponentialMovingAverage(hyper.average_decay).apply(variables)
    return update, loss, norm


class _Adam(tf.train.AdamOptimizer):
    """Adam whose averages of large variables do not start from a constant.

    TensorFlow would keep a constant of that size in memory as long as the session lives.
    """

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        """Create an average; TensorFlow calls it for each variable."""
        if var.shape.num_elements() < LARGE_VARIABLE:
            return super()._zeros_slot(var, slot_name, op_name)

        # AdamOptimizer starts from tf.zeros, which the graph folds into a constant before it runs. These zeros are made
        # when the operation runs.
        def zeros(shape: Any, dtype: Any, partition_info: Any = None) -> Any:
            # init=True: filled with zeros.
            return tf.raw_ops.Empty(shape=shape, dtype=dtype, init=True)

        return self._get_or_make_slot_with_initializer(
            var,
            initializer=zeros,
            shape=var.shape,
            dtype=var.dtype.base_dtype,
            slot_name=slot_name,
            op_name=op_name,
        )
