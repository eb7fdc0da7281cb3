"""Decoding: how a character is drawn from the logits of the network. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

from dataclasses import dataclass

import numpy as np

from charrnn.hyperparameters import Checkable, setting

# A smaller temperature makes the logits overflow float32.
LEAST_TEMPERATURE = 0.001
# top_p must be above 0
LEAST_SHARE = 1e-9
# float32 cannot hold numbers that are much larger
LARGEST_TEMPERATURE = 1e38


@dataclass(frozen=True)
class Settings(Checkable):
    """How characters are drawn. The temperature is applied first, then ``top_n``, then ``top_p``.

    Attributes:
        temperature: divisor of the logits, from 0 to LARGEST_TEMPERATURE. Values below 1 favour probable characters.
            Those below LEAST_TEMPERATURE take the most probable one, the first of several.
        top_n: how many of the most probable characters to draw from, at least 1.
        top_p: draw from the smallest set of most probable characters whose share of the probability that ``top_n``
            leaves is at least this large (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751); above 0, at
            most 1.
    """

    temperature: float = setting(1.0, "", "", least=0, most=LARGEST_TEMPERATURE)
    top_n: int = setting(5, "", "", least=1)
    top_p: float = setting(1.0, "", "", least=LEAST_SHARE, most=1)

    @property
    def takes_most_probable(self) -> bool:
        """Whether the most probable character is taken, without a random number."""
        return self.temperature < LEAST_TEMPERATURE


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, in float32.

    >>> softmax(np.array([[0, 0, 0, 0], [9, 9, -9000, -9000]], np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0]]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_probabilities_of(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of the softmax of logits [..., C] at ids [...], float32.

    >>> log_probabilities_of(np.zeros((1, 1), np.float32), np.array([0])).tolist()
    [0.0]
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    places = ids[..., np.newaxis].astype(np.int64)  # [..., 1]
    chosen = np.take_along_axis(shifted, places, axis=-1).squeeze(-1)
    return chosen - np.log(np.exp(shifted).sum(axis=-1))


def draw_ids(logits: np.ndarray, uniforms: np.ndarray, settings: Settings) -> np.ndarray:
    """Draw an id for each row.

    Like ``np.random.choice``, it inverts the cumulative distribution in the order of the ids.

    Args:
        logits: float32 [B, C].
        uniforms: float64 [B] in [0, 1).
        settings: how to draw.

    Returns:
        Integer array [B].

    >>> logits = np.log(np.array([[0.1, 0.7, 0.2]], np.float32))
    >>> draw_ids(logits, np.array([0.5]), Settings(top_n=2)).tolist()
    [1]
    """
    if settings.takes_most_probable:
        return logits.argmax(axis=1)

    # the softmax up to a factor
    powers = logits / np.float32(settings.temperature)  # [B, C]
    powers -= np.maximum.reduce(powers, axis=1, keepdims=True)
    np.exp(powers, powers)

    # What is less than the smallest that is kept becomes 0.
    if settings.top_p < 1:
        powers *= powers >= _smallest_of_top_p(powers, settings)
    elif settings.top_n < powers.shape[1]:
        # To part the powers at a place is faster than to sort them.
        place = powers.shape[1] - settings.top_n
        parted = powers.copy()
        parted.partition(place)
        powers *= powers >= parted[:, place : place + 1]

    edges = np.add.accumulate(powers, axis=1, dtype=np.float64)  # [B, C]
    return (edges > uniforms[:, np.newaxis] * edges[:, -1:]).argmax(axis=1)


def _smallest_of_top_p(powers: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the smallest power [B, 1] that ``top_n`` and then ``top_p`` keep in each row."""
    ascending = np.sort(powers, axis=1)
    largest = ascending[:, : -settings.top_n - 1 : -1]  # [B, n], descending
    sums = np.cumsum(largest, axis=1, dtype=np.float64)
    is_kept = sums - largest < settings.top_p * sums[:, -1:]
    kept = np.where(is_kept, largest, np.inf)
    return kept.min(axis=1, keepdims=True)
