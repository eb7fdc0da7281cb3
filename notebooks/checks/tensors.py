"""Numbers to compare with: a softmax and a cross-entropy in NumPy, and equality up to rounding."""
from typing import Any

import numpy as np


def close(a: Any, b: Any) -> bool:
    """Compare shapes and numbers, up to rounding."""
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-3, atol=1e-5)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits, [..., C], into probabilities."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def cross_entropies(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of the probability of each id, [N·M], in nats."""
    return -np.log(softmax(logits)[np.arange(ids.size), ids.ravel()])
