"""Decoding: how a character is drawn from the logits of the network. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

from dataclasses import replace
from typing import Tuple

import numpy as np

from charrnn.checkpoints.writing import LARGE_VOCABULARY, LINES_TOP_P, TOP_N, Writing

# A smaller temperature makes the logits overflow float32.
LEAST_TEMPERATURE = 0.001


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, in float32.

    >>> softmax(np.array([[0, 0, 0, 0], [9, 9, -9000, -9000]], np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0]]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of the softmax over the last axis, float32.

    >>> log_softmax(np.zeros((1, 1), np.float32)).tolist()
    [[0.0]]
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_probabilities_of(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of the softmax of logits [..., C] at ids [...], float32."""
    places = ids[..., np.newaxis].astype(np.int64)  # [..., 1]
    return np.take_along_axis(log_softmax(logits), places, axis=-1).squeeze(-1)


def tops_for_vocabulary(
    writing: Writing, num_classes: int, of_lines: bool = False
) -> Tuple[int, float]:
    """Return ``top_n`` and ``top_p`` for a vocabulary of C characters: what suits it in place of None.

    >>> [tops_for_vocabulary(how, 80) for how in (Writing(), Writing(top_p=0.5))]
    [(5, 1.0), (80, 0.5)]
    >>> tops_for_vocabulary(Writing(), 5000)
    (5000, 1.0)
    """
    top_n = writing.top_n
    top_p = writing.top_p
    if of_lines and top_n is None and top_p is None:
        top_p = LINES_TOP_P

    draws_from_all = top_p is not None or num_classes > LARGE_VOCABULARY
    if top_n is None and draws_from_all:
        top_n = num_classes
    elif top_n is None:
        top_n = TOP_N
    if top_p is None:
        top_p = 1.0
    return top_n, top_p


def for_vocabulary(writing: Writing, num_classes: int, of_lines: bool = False) -> Writing:
    """Return how to write with a ``top_n`` and a ``top_p`` that are not None, see :func:`tops_for_vocabulary`."""
    top_n, top_p = tops_for_vocabulary(writing, num_classes, of_lines)
    return replace(writing, top_n=top_n, top_p=top_p)


def takes_most_probable(writing: Writing) -> bool:
    """Return whether the most probable character is taken, the first of several, without a random number."""
    return writing.temperature < LEAST_TEMPERATURE


def draw_ids(logits: np.ndarray, uniforms: np.ndarray, writing: Writing) -> np.ndarray:
    """Draw an id for each row.

    Like ``np.random.choice``, it inverts the cumulative distribution in the order of the ids.

    Args:
        logits: float32 [B, C].
        uniforms: float64 [B] in [0, 1).
        writing: how to draw.

    Returns:
        Integer array [B].

    >>> logits = np.log(np.array([[0.1, 0.7, 0.2]], np.float32))
    >>> draw_ids(logits, np.array([0.5]), Writing(top_n=2)).tolist()
    [1]
    """
    if takes_most_probable(writing):
        return logits.argmax(axis=1)

    # the softmax up to a factor
    powers = logits / np.float32(writing.temperature)  # [B, C]
    powers -= np.maximum.reduce(powers, axis=1, keepdims=True)
    np.exp(powers, powers)

    # What is less than the smallest that is kept becomes 0.
    top_n, top_p = tops_for_vocabulary(writing, powers.shape[1])
    if top_p < 1:
        powers *= powers >= _smallest_of_top_p(powers, top_n, top_p)
    elif top_n < powers.shape[1]:
        # To part the powers at a place is faster than to sort them.
        place = powers.shape[1] - top_n
        parted = powers.copy()
        parted.partition(place)
        powers *= powers >= parted[:, place : place + 1]

    edges = np.add.accumulate(powers, axis=1, dtype=np.float64)  # [B, C]
    return (edges > uniforms[:, np.newaxis] * edges[:, -1:]).argmax(axis=1)


def _smallest_of_top_p(powers: np.ndarray, top_n: int, top_p: float) -> np.ndarray:
    """Return the smallest power [B, 1] that ``top_n`` and then ``top_p`` keep in each row."""
    ascending = np.sort(powers, axis=1)
    largest = ascending[:, : -top_n - 1 : -1]  # [B, n], descending
    sums = np.cumsum(largest, axis=1, dtype=np.float64)
    is_kept = sums - largest < top_p * sums[:, -1:]
    of_kept = np.where(is_kept, largest, np.inf)
    return of_kept.min(axis=1, keepdims=True)
