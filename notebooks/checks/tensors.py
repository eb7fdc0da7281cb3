"""Numbers to compare with: a softmax and a cross-entropy in NumPy, what mistakes give, and equality up to rounding."""
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from .answer import Wrong, need


def close(a: Any, b: Any) -> bool:
    """Compare shapes and numbers, up to rounding."""
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-3, atol=1e-5)


def same(a: Any, b: Any) -> bool:
    """Compare shapes and numbers more closely, so that no other mistake gives the same by chance."""
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-5, atol=1e-6)


def compare(found: Any, right: Any, typical: Sequence[Tuple[str, Any]], otherwise: str) -> None:
    """Raise Wrong where a result is not right.

    Args:
        found: the reader's result.
        right: what it should be.
        typical: what to say where it equals what a typical mistake gives, and what that gives.
        otherwise: what to say where it equals none of them.
    """
    if not close(found, right):
        for message, wrong in typical:
            need(not same(found, wrong), message)
        raise Wrong(otherwise)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits, [..., C], into probabilities."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def cross_entropies(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of the probability of each id, [N·M], in nats."""
    return -np.log(softmax(logits)[np.arange(ids.size), ids.ravel()])


def name_mistake(found: np.ndarray, mistakes: Dict[str, List[str]], **given: Any) -> None:
    """Raise Wrong where a typical mistake gives the result that was found.

    Args:
        found: the reader's result.
        mistakes: expressions that are wrong, by what to say to them.
        given: the names in the expressions besides tf and np; arrays are tensors there, in lists too.
    """
    with tf.Graph().as_default(), tf.Session() as session:
        scope = tf.nest.map_structure(lambda one: tf.constant(one) if isinstance(one, np.ndarray) else one, given)
        scope.update(tf=tf, np=np)
        pairs = [(message, eval(source, scope)) for message, sources in mistakes.items() for source in sources]
        results = session.run([result for _, result in pairs])
    for (message, _), result in zip(pairs, results):
        need(not same(found, result), message)
