"""Starting a run from another model's weights, with the rows of its new characters added."""
from typing import NamedTuple

import numpy as np

from charrnn.checkpoints import Checkpoint, read_weights
from charrnn.data import Vocabulary


class Transfer(NamedTuple):
    """Another model, and the vocabulary of the run that starts from it.

    Attributes:
        checkpoint: the other model's Checkpoint.
        vocabulary: its characters and those of the new text.
    """

    checkpoint: Checkpoint
    vocabulary: Vocabulary

    @property
    def new_characters(self):
        """The characters that the other model never saw."""
        return self.checkpoint.vocabulary.unknown("".join(self.vocabulary.chars))

    def weights(self, fresh):
        """Return the other model's weights, grown to the vocabulary.

        Args:
            fresh: dict from name to the values of a new network, which new characters begin with.

        Returns:
            A dict from the same names to values of the same shapes.
        """
        old = read_weights(self.checkpoint.prefix)
        return {name: self._grown(name, old[name], values) for name, values in fresh.items()}

    def _grown(self, name, old, fresh):
        if old.shape == fresh.shape:
            return old
        # characters are the last axis of the softmax and its bias, and the first rows of the first layer's kernels
        axis = -1 if name.startswith("softmax/") else 0
        old, grown = np.moveaxis(old, axis, 0), np.moveaxis(fresh.copy(), axis, 0)
        before = self.checkpoint.vocabulary
        grown[self.vocabulary.encode("".join(before.chars))] = old[:len(before)]
        grown[len(self.vocabulary):] = old[len(before):]
        return np.moveaxis(grown, 0, axis)


def plan(checkpoint, text):
    """Return the Transfer from a Checkpoint to a text, a str."""
    joined = "".join(checkpoint.vocabulary.chars) + "".join(Vocabulary.from_text(text).chars)
    return Transfer(checkpoint, Vocabulary.from_text(joined))
