"""Start a run from another model's weights, with rows added for new characters."""
from dataclasses import dataclass
from typing import Any, Dict, List

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.model import Model
from charrnn.training.hyperparameters import Hyperparameters, flag


@dataclass(frozen=True)
class Transfer:
    """Another model, and the vocabulary of the run that starts from it.

    Attributes:
        checkpoint: the other model.
        vocabulary: its characters and those of the new text.
    """

    checkpoint: Model
    vocabulary: Vocabulary

    @property
    def new_characters(self) -> List[str]:
        """The characters that the other model was not trained on."""
        return self.checkpoint.vocabulary.unknown("".join(self.vocabulary.chars))

    def weights(self, fresh: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Return the other model's weights, extended to the new vocabulary.

        Args:
            fresh: dict from name to the initial values of a new network, used for the new characters.

        Returns:
            A dict from the same names to values of the same shapes.
        """
        old = self.checkpoint.weights
        return {name: self._extended(name, old[name], values) for name, values in fresh.items()}

    def _extended(self, name: str, old: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        if old.shape == fresh.shape:
            return old
        # characters are the last axis of the softmax and its bias, and the first rows of the first layer's kernels
        axis = -1 if name.startswith("softmax/") else 0
        old, extended = np.moveaxis(old, axis, 0), np.moveaxis(fresh.copy(), axis, 0)
        known = self.checkpoint.vocabulary
        extended[self.vocabulary.encode("".join(known.chars))] = old[:len(known)]
        extended[len(self.vocabulary):] = old[len(known):]
        return np.moveaxis(extended, 0, axis)


def network_of(checkpoint: Model) -> Dict[str, Any]:
    """Return the hyperparameters that a run must share with the checkpoint that it starts from."""
    return {name: getattr(checkpoint, name) for name in ("lstm_size", "num_layers", "cell")}


def plan(checkpoint: Model, text: str, hyperparameters: Hyperparameters) -> Transfer:
    """Return the Transfer from a checkpoint to a text. Raise ValueError if the networks differ."""
    for name, theirs in network_of(checkpoint).items():
        ours = getattr(hyperparameters, name)
        if theirs != ours:
            raise ValueError(f"{checkpoint.name} has {flag(name)} {theirs}: a run with {flag(name)} {ours} "
                             "cannot start from it")
    joined = "".join(checkpoint.vocabulary.chars) + "".join(Vocabulary.from_text(text).chars)
    return Transfer(checkpoint, Vocabulary.from_text(joined))
