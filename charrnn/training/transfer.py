"""Start a run from another model's weights, with rows added for new characters."""
from dataclasses import dataclass
from typing import Any, Dict, List

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model
from charrnn.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Transfer:
    """Another model, and the vocabulary of the run that starts from it.

    Attributes:
        model: the other model.
        vocabulary: its characters and those of the new text.
    """

    model: Model
    vocabulary: Vocabulary

    @property
    def new_characters(self) -> List[str]:
        """The characters that the other model was not trained on."""
        return self.model.vocabulary.unknown("".join(self.vocabulary.chars))

    def weights(self, fresh: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Return the other model's weights, extended to the new vocabulary.

        Args:
            fresh: dict from name to the initial values of a new network, used for the new characters.

        Returns:
            A dict from the same names to values of the same shapes.
        """
        old = self.model.weights
        return {name: self._extended(name, old[name], values) for name, values in fresh.items()}

    def _extended(self, name: str, old: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        if old.shape == fresh.shape:  # also of all weights, if there are no new characters
            return old
        # characters are the last axis of the softmax and its bias, and the first rows of the first layer's kernels
        axis = -1 if name.startswith("softmax/") else 0
        old, extended = np.moveaxis(old, axis, 0), np.moveaxis(fresh.copy(), axis, 0)
        known = self.model.vocabulary
        extended[self.vocabulary.encode("".join(known.chars))] = old[:len(known)]
        extended[len(self.vocabulary):] = old[len(known):]
        return np.moveaxis(extended, 0, axis)


def network_of(model: Model) -> Dict[str, Any]:
    """Return the hyperparameters that a run must share with the model that it starts from."""
    return {name: getattr(model, name) for name in ("lstm_size", "num_layers", "cell")}


def plan(model: Model, text: str, hyperparameters: Hyperparameters) -> Transfer:
    """Return the Transfer from a model to a text. Raise ValueError if the networks differ."""
    for name, theirs in network_of(model).items():
        ours = getattr(hyperparameters, name)
        if theirs != ours:
            raise ValueError(f"{model.name} has {name} {theirs}: a run with {name} {ours} "
                             "cannot start from it")
    new = model.vocabulary.unknown("".join(Vocabulary.from_text(text).chars))
    joined = Vocabulary.from_text("".join([*model.vocabulary.chars, *new])) if new else model.vocabulary
    return Transfer(model, joined)
