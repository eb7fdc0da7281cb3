"""A small trained network, and a session that notes what is run on it and what reaches it."""

from typing import Any, Dict, FrozenSet, List, NamedTuple, Sequence

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf

from .answer import Wrong, all_code, expect, need
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
        random = np.random.RandomState(5)
        self.initialize = tf.global_variables_initializer()
        self.values = {
            one.initializer.inputs[1]: random.normal(size=one.shape.as_list()).astype(np.float32)
            for one in tf.trainable_variables()
        }

    def begin(self) -> None:
        """Set all variables to what they are at the beginning, and forget the runs."""
        super().run(self.initialize, self.values)
        self.runs = []

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
        fed = self._among(FED, list(feed_dict or ()))
        probe = {name: getattr(self.noted, name) for name in PLACEHOLDERS if name in fed}
        if len(probe) == len(PLACEHOLDERS):
            probe.update(loss=self.noted.loss, final=self.noted.final_state)
        results, state, values = super().run(
            [fetches, self.noted.initial_state, probe], feed_dict, options, run_metadata
        )
        asked = self._among(ASKED, fetches)
        loss = values.pop("loss", float("nan"))
        final = np.array(values.pop("final", ()))
        self.runs.append(Run(asked, fed, dict(values, initial_state=np.array(state)), loss, final))
        return results

    def weights(self) -> np.ndarray:
        """Return all trainable weights as one vector."""
        return np.concatenate([one.ravel() for one in super().run(tf.trainable_variables())])

    def _among(self, names: Any, structure: Any) -> FrozenSet[str]:
        """Return which attributes of the network, or parts of them, a structure has."""
        found = {
            one if isinstance(one, str) else getattr(one, "name", None)
            for one in tf.nest.flatten(structure)
        }
        parts = {
            name: {part.name for part in tf.nest.flatten(getattr(self.noted, name))}
            for name in names
        }
        return frozenset(name for name in names if found & parts[name])

    def _initializes(self, fetches: Any) -> bool:
        others = [
            one
            for one in tf.nest.flatten(fetches)
            if isinstance(one, tf.Operation) and one is not self.noted.optimizer
        ]
        initializers = {one.initializer for one in tf.global_variables()}
        return any(initializers & reachable(one) for one in others)


def examine_session(answer: Any) -> None:
    """Raise Wrong where code makes a session."""
    need(
        not {"Session", "InteractiveSession"}
        & {name for code in all_code(answer) for name in code.co_names},
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


def compare_states(found: Run, right: Sequence[Run], place: int, unit: str) -> None:
    """Raise Unexplained where a run has another state than it should have, and say which one.

    Args:
        found: the run.
        right: all runs that there should be.
        place: which of them the run should be.
        unit: what a run is called.
    """
    states = [run.values["initial_state"] for run in right]
    names = ["zeros", *(f"the final_state of {unit} {number}" for number in range(len(right)))]
    fed = found.values["initial_state"]
    came = next(
        (f"fed {name}" for name, state in zip(names, states) if close(fed, state)),
        "fed another state",
    )
    due = states[place]
    alike = [number for number in range(len(due)) if close(fed[number], due[number])]
    parts = [name for place, name in enumerate("ch") if close(fed[:, place], due[:, place])]
    came = (came if "initial_state" in found.fed else "not fed") + (
        f" (only layer {alike[0]} is right: carry all layers, c and h of each)"
        if len(alike) == 1 < len(due)
        else f" (only the {parts[0]} of each layer is right: carry both, c and h)"
        if len(parts) == 1
        else ""
    )
    expect(
        close(fed, states[place]),
        f"In {unit} {place} model.initial_state should be fed {names[place]}, but it is {came}. Before the loop the "
        "state is zeros, as session.run returns them for model.initial_state. After that it is what session.run "
        "returned for model.final_state, in the call that gave the other results: store that in state, and feed it.",
    )
