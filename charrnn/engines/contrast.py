"""Contrast: a model writes more like its own text, or more like the model that it began with. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import copy
from typing import Sequence, Tuple

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import log_softmax
from charrnn.engines.processor import Processor, Texts

# A character that is less probable than this share of the most probable one is not drawn.
PLAUSIBLE = 0.02
# The difference of two logarithms counts up to this much.
LARGEST = 2.0


class Contrast(Processor):
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

    def begin(self, prime: str, rows: int, after_last: bool) -> None:
        if not after_last:
            self._logits = np.zeros((1, len(self.start.vocabulary)), np.float32)
            self._state = self.start.zero_state()
        ids = self._ids_of_start[self._vocabulary.encode(prime)]
        known = ids[ids >= 0]
        if len(known):
            self._logits, self._state = self.start.read(known, self._state[:, :1])
        if len(self._logits) != rows:
            self._logits = np.repeat(self._logits[:1], rows, axis=0)
            self._state = np.repeat(self._state[:, :1], rows, axis=1)

    def process(self, logits: np.ndarray, own: np.ndarray, texts: Texts) -> np.ndarray:
        of_start = log_softmax(self._logits)[:, self._ids_of_start]  # [B, C]
        difference = (log_softmax(own) - of_start) * self._counts
        if self.strength < 0:
            return logits + np.float32(self.strength) * difference
        contrasted = logits + self.strength * np.clip(difference, -LARGEST, LARGEST)
        least = logits.max(axis=1, keepdims=True) + np.float32(np.log(PLAUSIBLE))
        return np.where(logits >= least, contrasted, np.float32(-np.inf)).astype(np.float32)

    def follow(
        self, ids: np.ndarray, logits: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        ids_of_start = self._ids_of_start[ids]
        is_known = ids_of_start >= 0
        # Where a character is not known, the first one is read in its place, and the result is dropped below.
        logits_of_start, state_of_start = self.start.feed(
            np.where(is_known, ids_of_start, 0), self._state
        )
        if not is_known.all():
            rows = is_known[:, np.newaxis]
            logits_of_start = np.where(rows, logits_of_start, self._logits)
            state_of_start = np.where(rows, state_of_start, self._state)
        self._logits = logits_of_start
        self._state = state_of_start
        return logits, state

    def of_rows(self, rows: Sequence[int]) -> "Contrast":
        other = copy.copy(self)
        other._logits = self._logits[rows]
        other._state = self._state[:, rows]
        return other
