"""A small trained network, and a session that notes what is run on it and what reaches it."""

from typing import Any, Dict, FrozenSet, List, NamedTuple, Sequence

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf

from .answer import Wrong, names_in, need
from .build_optimizer import reachable
from .tensors import close

ASKED = ("loss", "final_state", "optimizer", "initial_state", "prediction")
FED = ("inputs", "targets", "keep_prob", "initial_state")
PLACEHOLDERS = ("inputs", "targets", "keep_prob")


class Run(NamedTuple):
    """One call of ``session.run``.

    Attributes:
        asked: which attributes of the network it asked for.
        fed: which it fed.
        values: the placeholders that were fed, and the initial state, [layers, 2, N, L].
        loss, final: the loss and the final state for what was fed, where all of it was.
    """

    asked: FrozenSet[str]
    fed: FrozenSet[str]
    values: Dict[str, np.ndarray]
    loss: float = float("nan")
    final: Any = None


class Session(tf.Session):
    """A session with random weights that notes its runs."""

    def __init__(self, noted: Any) -> None:
        super().__init__()
        self.noted = noted
        self.before = dict(vars(noted))
        self.runs: List[Run] = []
        self.others: Dict[str, Any] = {}
        self.initialize = tf.global_variables_initializer()
        random = np.random.RandomState(5)
        self.values = {}
        for variable in tf.trainable_variables():
            value = random.normal(size=variable.shape.as_list()).astype(np.float32)
            self.values[variable.initializer.inputs[1]] = value

    def begin(self) -> None:
        """Set all variables to what they are at the beginning, and forget the runs."""
        super().run(self.initialize, self.values)
        self.runs = []
        self.others = {}

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Run, and note what was asked for and what was fed."""
        for name in ASKED + FED:
            if getattr(self.noted, name) is not self.before[name]:
                raise Wrong(
                    f"It assigns to model.{name}, which is a part of the graph and has to stay. Keep the "
                    "values in a variable, such as state, and feed them."
                )

        if self._initializes(fetches):
            raise Wrong(
                "The weights are initialized here, so what was learned is lost: the training loop initializes "
                "them once, before the first epoch."
            )
        asked = self._among(ASKED, fetches)
        keys = list(feed_dict or ())
        fed = self._among(FED, keys)
        need(
            not self._among(("final_state",), keys),
            "It feeds model.final_state, which is a result: feed the state as model.initial_state.",
        )
        self._need_state(feed_dict)

        # further results of the same call, so that the random numbers of dropout are the same
        fetched = {name: getattr(self.noted, name) for name in PLACEHOLDERS if name in fed}
        if len(fetched) == len(PLACEHOLDERS):
            fetched.update(loss=self.noted.loss, final=self.noted.final_state)
        results, state, values = super().run(
            [fetches, self.noted.initial_state, fetched], feed_dict, options, run_metadata
        )
        loss = values.pop("loss", float("nan"))
        final = np.array(values.pop("final", ()))
        values["initial_state"] = np.array(state)
        self.runs.append(Run(asked=asked, fed=fed, values=values, loss=loss, final=final))
        self.others = self._others(fetches, results)
        return results

    def _need_state(self, feed: Any) -> None:
        """Raise Wrong where the state that is fed is another result of the run before."""
        if not isinstance(feed, dict) or self.noted.initial_state not in feed:
            return
        state = feed[self.noted.initial_state]
        for name, result in self.others.items():
            need(
                state is not result,
                f"What is fed as model.initial_state is not a state, but what session.run returned for model.{name}. "
                "Its results come in the order of its list: write the names in front of the = in that order.",
            )

    def _others(self, fetches: Any, results: Any) -> Dict[str, Any]:
        """Return the results that are no states, by the name of the attribute, where a list was asked for."""
        if not isinstance(fetches, (list, tuple)):
            return {}
        others = {}
        for fetch, result in zip(fetches, results):
            for name in self._among(("loss", "optimizer", "prediction"), [fetch]):
                others[name] = result
        return others

    def weights(self) -> np.ndarray:
        """Return all trainable weights as one vector."""
        values = super().run(tf.trainable_variables())
        return np.concatenate([value.ravel() for value in values])

    def _among(self, names: Sequence[str], structure: Any) -> FrozenSet[str]:
        """Return which attributes of the network, or parts of them, a structure has."""
        in_structure = set(map(_name, tf.nest.flatten(structure)))
        present = []
        for name in names:
            parts = tf.nest.flatten(getattr(self.noted, name))
            if in_structure & {part.name for part in parts}:
                present.append(name)
        return frozenset(present)

    def _initializes(self, fetches: Any) -> bool:
        """Tell whether variables are initialized; the optimizer, which is there each time, is not looked at."""
        initializers = {variable.initializer for variable in tf.global_variables()}
        for fetch in tf.nest.flatten(fetches):
            if isinstance(fetch, tf.Operation) and fetch is not self.noted.optimizer:
                if initializers & reachable(fetch):
                    return True
        return False


def _name(fetch: Any) -> Any:
    """Return the name of a tensor or an operation, or one that stands for it."""
    return fetch if isinstance(fetch, str) else getattr(fetch, "name", None)


def examine_session(answer: Any) -> None:
    """Raise Wrong where code makes a session."""
    need(
        not names_in(answer) & {"Session", "InteractiveSession"},
        "It makes a session of its own, whose weights are not the trained ones: use the session that is given, the "
        "argument session.",
    )


def network(sampling: bool = False) -> model.CharRNN:
    """Make a network whose sizes all differ."""
    return model.CharRNN(
        num_classes=7,
        batch_size=3,
        num_steps=5,
        lstm_size=4,
        num_layers=2,
        learning_rate=0.1,
        sampling=sampling,
        seed=1,
    )


def compare_states(run: Run, right: Sequence[Run], place: int, unit: str) -> None:
    """Raise Wrong where a run has another state than it should have, and say which one.

    Args:
        run: the run.
        right: all runs that there should be.
        place: which of them the run should be.
        unit: what a run is called.
    """
    fed = run.values["initial_state"]
    due = right[place].values["initial_state"]  # [layers, 2, N, L]
    names = ["zeros"]
    names += [f"the final_state of {unit} {number}" for number in range(len(right) - 1)]

    actual = "not fed"
    if "initial_state" in run.fed:
        actual = "fed another state"
        for name, other in zip(names, right):
            if close(fed, other.values["initial_state"]):
                actual = f"fed {name}"
                break
    layers = [layer for layer in range(len(due)) if close(fed[layer], due[layer])]
    parts = [part for number, part in enumerate("ch") if close(fed[:, number], due[:, number])]
    if len(layers) == 1 < len(due):
        actual += f" (only layer {layers[0]} is right: carry all layers, c and h of each)"
    elif len(parts) == 1:
        actual += f" (only the {parts[0]} of each layer is right: carry both, c and h)"
    need(
        close(fed, due),
        f"In {unit} {place} model.initial_state should be fed {names[place]}, but it is {actual}. Before the loop the "
        "state is zeros, as session.run returns them for model.initial_state. After that it is what session.run "
        "returned for model.final_state, in the call that gave the other results: store that in state, and feed it.",
    )
