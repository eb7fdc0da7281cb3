"""Decoding: how a character is drawn from the logits of the network. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import numpy as np

from charrnn.checkpoints.writing import Writing


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
    if writing.takes_most_probable:
        return logits.argmax(axis=1)

    # the softmax up to a factor
    powers = logits / np.float32(writing.temperature)  # [B, C]
    powers -= np.maximum.reduce(powers, axis=1, keepdims=True)
    np.exp(powers, powers)

    # What is less than the smallest that is kept becomes 0.
    top_n, top_p = writing.kept(powers.shape[1])
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
    kept = np.where(is_kept, largest, np.inf)
    return kept.min(axis=1, keepdims=True)
