"""A small trained network, and a session that notes what is run on it and what reaches it."""
from typing import Any, Dict, FrozenSet, List, NamedTuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf

from .build_optimizer import reachable
from .tensors import close

ASKED = ("loss", "final_state", "optimizer", "initial_state", "prediction")
FED = ("inputs", "targets", "keep_prob", "initial_state", "final_state")
PLACEHOLDERS = ("inputs", "targets", "keep_prob")


class Run(NamedTuple):
    """One call of ``session.run``.

    Attributes:
        asked: which attributes of the network it asked for; "initializer" if it initialized a variable.
        fed: which it fed.
        values: the placeholders that were fed, and the initial state, [layers, 2, N, L].
    """

    asked: FrozenSet[str]
    fed: FrozenSet[str]
    values: Dict[str, np.ndarray]


class Session(tf.Session):
    """A session with random weights that notes its runs."""

    def __init__(self, noted: Any) -> None:
        super().__init__()
        self.noted = noted
        self.runs: List[Run] = []
        random = np.random.RandomState(5)
        self.initialize = tf.global_variables_initializer()
        self.values = {one.initializer.inputs[1]: random.normal(size=one.shape.as_list()).astype(np.float32)
                       for one in tf.trainable_variables()}

    def begin(self) -> None:
        """Set all variables to what they are at the beginning, and forget the runs."""
        super().run(self.initialize, self.values)
        self.runs = []

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run, and note what was asked for and what was fed."""
        fed = self._among(FED, list(feed_dict or ()))
        probe = {name: getattr(self.noted, name) for name in PLACEHOLDERS if name in fed}
        results, state, values = super().run([fetches, self.noted.initial_state, probe], feed_dict, options,
                                             run_metadata)
        asked = self._among(ASKED, fetches) | ({"initializer"} if self._initializes(fetches) else set())
        self.runs.append(Run(asked, fed, dict(values, initial_state=np.array(state))))
        return results

    def weights(self) -> np.ndarray:
        """Return all trainable weights as one vector."""
        return np.concatenate([one.ravel() for one in super().run(tf.trainable_variables())])

    def _among(self, names: Any, structure: Any) -> FrozenSet[str]:
        """Return which attributes of the network, or parts of them, a structure has."""
        found = {one if isinstance(one, str) else getattr(one, "name", None) for one in tf.nest.flatten(structure)}
        parts = {name: {part.name for part in tf.nest.flatten(getattr(self.noted, name))} for name in names}
        return frozenset(name for name in names if found & parts[name])

    def _initializes(self, fetches: Any) -> bool:
        others = [one for one in tf.nest.flatten(fetches)
                  if isinstance(one, tf.Operation) and one is not self.noted.optimizer]
        initializers = {one.initializer for one in tf.global_variables()}
        return any(initializers & reachable(one) for one in others)


def network(sampling: bool = False) -> model.CharRNN:
    """Make a network whose sizes all differ."""
    return model.CharRNN(num_classes=7, batch_size=3, num_steps=5, lstm_size=4, num_layers=2, learning_rate=0.1,
                         sampling=sampling, seed=1)


def same_runs(some: List[Run], others: List[Run]) -> bool:
    """Tell whether two lists of runs asked for the same, and were fed the same."""
    return len(some) == len(others) and all(one[:2] == other[:2] and same_values(one, other)
                                            for one, other in zip(some, others))


def same_values(one: Run, other: Run) -> bool:
    """Tell whether the same reached the network in two runs."""
    return one.values.keys() == other.values.keys() and all(close(value, other.values[name])
                                                            for name, value in one.values.items())


def advised(message: str, advice: Dict[str, str]) -> str:
    """Add to a message what to do, where it has the words of a key."""
    return message + "".join(f"\n{sentence}" for words, sentence in advice.items() if words in message)
