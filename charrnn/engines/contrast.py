"""Contrast: a model writes more like its own text, or more like the model that it began with. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import Engine

# A character that is less probable than this share of the most probable one is not drawn.
PLAUSIBLE = 0.02
# The difference of two logarithms counts up to this much.
LARGEST = 2.0


class Contrast:
    """The difference between what a model and the one that it began with expect, while texts are written.

    To the logarithm of the probability of each letter, its difference from the logarithm that the other model gives is
    added, times a strength (contrastive decoding, Li and others 2022, arXiv:2210.15097). Other characters have no
    difference: amplified digits, spaces and quotation marks are repeated without end. Characters that the other model
    does not know have none either. Characters that are, after ``allow``, less probable than PLAUSIBLE times the most
    probable one are not drawn.

    A strength below 0 leads from the model to the other one: all characters that both know have their whole difference,
    so that -1 has the probabilities of the other model.

    Attributes:
        start: the engine of the other model, which several texts may share.
        strength: at least -1, and not 0.
    """

    def __init__(self, vocabulary: Vocabulary, start: Engine, strength: float) -> None:
        """Prepare to write in characters of a vocabulary."""
        self.start = start
        self.strength = strength
        known = start.vocabulary.vocab_to_int
        # The id of each character in the other model; -1 if that does not know it.
        self._ids_of_start = np.array([known.get(char, -1) for char in vocabulary.chars])
        counts = [char in known and (strength < 0 or char.isalpha()) for char in vocabulary.chars]
        self._counts = np.array(counts, np.float32)
        self._vocabulary = vocabulary
        self._logits = np.zeros((1, len(start.vocabulary)), np.float32)
        self._state = start.zero_state()

    def read(self, prime: str, rows: int, after_last: bool) -> None:
        """Read the beginning of some texts, which may follow what was drawn last."""
        if not after_last:
            self._logits = np.zeros((1, len(self.start.vocabulary)), np.float32)
            self._state = self.start.zero_state()
        ids = self._ids_of_start[self._vocabulary.encode(prime)]
        known = ids[ids >= 0]
        if len(known):
            self._logits, self._state = self.start.read(known, self._state[:, :1])
        if len(self._logits) != rows:
            self._logits = np.repeat(self._logits, rows, axis=0)
            self._state = np.repeat(self._state, rows, axis=1)

    def applied(self, own: np.ndarray, weighted: np.ndarray) -> np.ndarray:
        """Return the logits to draw from.

        Args:
            own: float32 [B, C], those of the model.
            weighted: float32 [B, C], the same after ``allow``. What is not plausible among these becomes -inf.
        """
        of_start = _log_softmax(self._logits)[:, self._ids_of_start]  # [B, C]
        difference = (_log_softmax(own) - of_start) * self._counts
        if self.strength < 0:
            return weighted + np.float32(self.strength) * difference
        contrasted = weighted + self.strength * np.clip(difference, -LARGEST, LARGEST)
        least = weighted.max(axis=1, keepdims=True) + np.float32(np.log(PLAUSIBLE))
        return np.where(weighted >= least, contrasted, np.float32(-np.inf)).astype(np.float32)

    def follow(self, ids: np.ndarray) -> None:
        """Read the characters [B] that were drawn, those that the other model knows."""
        ids_of_start = self._ids_of_start[ids]
        is_known = ids_of_start >= 0
        # Where a character is not known, the first one is read in its place, and the result is dropped below.
        logits, state = self.start.feed(np.where(is_known, ids_of_start, 0), self._state)
        if not is_known.all():
            logits = np.where(is_known[:, np.newaxis], logits, self._logits)
            state = np.where(is_known[:, np.newaxis], state, self._state)
        self._logits = logits
        self._state = state


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
