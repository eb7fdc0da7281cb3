"""Drawing characters from a distribution: the settings, and what they mean. Every engine does it like this. NumPy only.

Letters for shapes as in :mod:`charrnn.data`; besides, B texts (``num_samples``) and T steps of one call.
"""
from typing import NamedTuple

import numpy as np


class Settings(NamedTuple):
    """How characters are drawn. The temperature comes first, then the cuts, ``top_n`` before ``top_p``.

    Attributes:
        temperature: what the logits are divided by, at least 0.001: below 1 the probable becomes more so.
        top_n: how many of the most probable characters to draw from, at least 1.
        top_p: draw from the fewest of the most probable characters that have this share of what ``top_n`` leaves
            (Holtzman et al. 2020, arXiv:1904.09751), above 0, at most 1.
    """

    temperature: float = 1.0
    top_n: int = 5
    top_p: float = 1.0

    def check(self):
        """Raise ValueError where a value is out of range."""
        if not 0.001 <= self.temperature < np.inf:  # lower, and float32 has no room for the logits
            raise ValueError("temperature must be a number, at least 0.001, not {!r}".format(self.temperature))
        if self.top_n < 1:
            raise ValueError("top_n must be at least 1, not {}".format(self.top_n))
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be above 0, at most 1, not {!r}".format(self.top_p))


def softmax(logits):
    """Return the softmax over the last axis, in float32.

    >>> softmax(np.zeros((1, 4), np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def draw(logits, uniforms, settings):
    """Draw an id for each row: the inverse of the cumulative distribution in id order, as ``np.random.choice`` does.

    Args:
        logits: float32 [B, C].
        uniforms: float64 [B] in [0, 1).
        settings: a Settings.

    Returns:
        int array [B].

    >>> draw(np.log(np.array([[0.1, 0.7, 0.2]], np.float32)), np.array([0.5]), Settings(top_n=2)).tolist()
    [1]
    """
    logits = logits / np.float32(settings.temperature)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # [B, C], the softmax but for a factor
    if settings.top_n < powers.shape[1] or settings.top_p < 1:
        largest = np.sort(powers, axis=1)[:, :-settings.top_n - 1:-1]  # [B, n], falling
        if settings.top_p < 1:
            sums = np.cumsum(largest, axis=1, dtype=np.float64)
            largest = np.where(sums - largest < settings.top_p * sums[:, -1:], largest, np.inf).min(
                axis=1, keepdims=True)
        powers *= powers >= largest[:, -1:]
    sums = np.add.accumulate(powers, axis=1, dtype=np.float64)
    return (sums > uniforms[:, np.newaxis] * sums[:, -1:]).argmax(axis=1)
