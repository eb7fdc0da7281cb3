"""What changes texts while they are written, and the first of its kind: what a caller allows. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import math
from typing import Callable, Collection, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from charrnn.data import Vocabulary

# What may follow a text: characters, factors for their probabilities, or None for everything.
Allowed = Union[None, Collection[str], Mapping[str, float]]
Texts = Sequence[Optional[str]]
Allow = Callable[[str], Allowed]


class Processor:
    """Something that changes texts while they are written, such as a contrast or a held direction.

    It is what Hugging Face's ``LogitsProcessor`` is, and follows what is drawn besides. A processor changes what it has
    to, and leaves the rest as it is here.
    """

    def begin(self, prime: str, rows: int, after_last: bool) -> None:
        """Begin texts with a prime.

        Args:
            prime: what they begin with.
            rows: B, the number of texts.
            after_last: whether the prime goes on after what was drawn last. Otherwise they are new texts.
        """

    def process(self, logits: np.ndarray, own: np.ndarray, texts: Texts) -> np.ndarray:
        """Return the logits to draw from.

        Args:
            logits: float32 [B, C], as the processors before this one have left them.
            own: float32 [B, C], those of the network.
            texts: the B texts so far, with their beginnings; None for one that has ended.

        Returns:
            float32 [B, C]. A character of -inf is not drawn. A text ends where all are -inf.
        """
        return logits

    def follow(
        self, ids: np.ndarray, logits: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Follow what was drawn, ids [B]. Return the network's logits [B, C] and state [S, B, L] after it."""
        return logits, state

    def of_rows(self, rows: Sequence[int]) -> "Processor":
        """Return a copy that goes on with some of the texts, by their rows, which may repeat.

        Without a state of its own, it is the processor itself.
        """
        return self


class Allowing(Processor):
    """Leaves the characters that a function allows after each text, see :meth:`Model.write`."""

    def __init__(self, vocabulary: Vocabulary, allow: Allow) -> None:
        self._vocabulary = vocabulary
        self._allow = allow

    def process(self, logits: np.ndarray, own: np.ndarray, texts: Texts) -> np.ndarray:
        logits = logits.copy()
        for row, text in enumerate(texts):
            if text is None:
                continue
            allowed = self._allow(text)
            if allowed is None:
                continue
            factors = self._factors(allowed)
            with np.errstate(divide="ignore"):
                logits[row] += np.log(factors)
        return logits

    def _factors(self, allowed: Union[Collection[str], Mapping[str, float]]) -> np.ndarray:
        """Return the factor for the probability of each character, float64 [C]."""
        chars = self._vocabulary.chars
        if not isinstance(allowed, Mapping):
            return np.array([char in allowed for char in chars], np.float64)
        for char, factor in allowed.items():
            if not 0 <= factor < math.inf:
                raise ValueError(
                    f"allow must return finite factors of at least 0, not {factor!r} for {char!r}"
                )
        return np.array([allowed.get(char, 0) for char in chars], np.float64)
