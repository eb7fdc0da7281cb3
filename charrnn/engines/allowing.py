"""What a caller allows to follow a text while it is written. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import math
from typing import Callable, Collection, Mapping, Optional, Sequence, Union

import numpy as np

from charrnn.data import Vocabulary

# What may follow a text: characters, factors for their probabilities, or None for everything.
Allowed = Union[None, Collection[str], Mapping[str, float]]
Allow = Callable[[str], Allowed]


def with_allowed(
    allow: Allow, logits: np.ndarray, texts: Sequence[Optional[str]], vocabulary: Vocabulary
) -> np.ndarray:
    """Return logits [B, C] that leave the characters which a function allows after each text.

    Args:
        allow: the function, see :meth:`charrnn.engines.trained_model.Model.write`.
        logits: float32 [B, C].
        texts: the B texts so far, with their beginnings; None for one that has ended.
        vocabulary: C characters.

    Raises:
        ValueError: a factor is negative or not finite.
    """
    logits = logits.copy()
    for row, text in enumerate(texts):
        if text is None:
            continue
        allowed = allow(text)
        if allowed is None:
            continue
        factors = _factors(allowed, vocabulary)
        with np.errstate(divide="ignore"):
            logits[row] += np.log(factors)
    return logits


def _factors(
    allowed: Union[Collection[str], Mapping[str, float]], vocabulary: Vocabulary
) -> np.ndarray:
    """Return the factor for the probability of each character, float64 [C]."""
    chars = vocabulary.chars
    if not isinstance(allowed, Mapping):
        return np.array([char in allowed for char in chars], np.float64)
    for char, factor in allowed.items():
        if not 0 <= factor < math.inf:
            raise ValueError(
                f"allow must return finite factors of at least 0, not {factor!r} for {char!r}"
            )
    return np.array([allowed.get(char, 0) for char in chars], np.float64)
