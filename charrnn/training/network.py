"""The network of a run: its training graph and the session that holds its weights."""
from dataclasses import replace
from typing import Any, Dict, Optional, Tuple

import numpy as np

from charrnn.checkpoints import AVERAGE
from charrnn.fused.session import session_config
from charrnn.system.tensorflow import OPTIMIZERS, forget_gradients, tf
from charrnn.training.distributed import Processes
from charrnn.training.graph import build_graph, initial_weights
from charrnn.training.hyperparameters import Hyperparameters


class Network:
    """A CharRNN and the session that trains it.

    Attributes:
        session: has the values of its variables.
        saver: saves them.
        zero_state: float32 [num_layers, 2, rows, L], the state at the beginning of an epoch. For cells without c it is
            [num_layers, 1, rows, L].
        n_parameters: number of weights and biases.
    """

    def __init__(self, num_classes: int, hyper: Hyperparameters, processes: Processes,
                 threads: Optional[int] = None, in_order: bool = False) -> None:
        """Build the network in the default graph, with initial weights.

        Args:
            num_classes: size of the vocabulary.
            hyper: the hyperparameters; they have a seed.
            processes: the processes that share a batch.
            threads: threads of this process; None for one for each core.
            in_order: as for :class:`charrnn.training.graph.TrainingGraph`.
        """
        # dynamic_rnn draws the masks for the rows of one process only, so the graph of each needs a seed of its own
        self._seed, self._keep_prob = hyper.seed or 0, hyper.keep_prob
        hyper = replace(hyper, seed=self._seed + processes.rank)
        try:
            self._model = build_graph(
                num_classes, hyper, processes.rows(hyper.batch_size), threads, processes.average, in_order)
        except AssertionError:  # from tf.reset_default_graph()
            raise ValueError("the default graph cannot be reset inside of `with tf.Graph().as_default():`; train "
                             "outside of it")
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
        feed = {model.inputs: x, model.targets: y, model.keep_prob: self._keep_prob,
                model.initial_state: self._as_tuples(state), self._learning_rate: learning_rate}
        mask_seed = getattr(model, "mask_seed", None)
        if mask_seed is not None:
            feed[mask_seed] = self._seed, number
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

    def _as_tuples(self, array: np.ndarray) -> Any:
        """Return a state as the model takes it."""
        return tf.nest.pack_sequence_as(self._model.initial_state, list(array.reshape(-1, *array.shape[2:])))


def _as_array(state: Any) -> np.ndarray:
    """Return a state of the model as one array."""
    return np.array([tf.nest.flatten(layer) for layer in state])
