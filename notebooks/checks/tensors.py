"""Numbers to compare with: equality up to rounding, the first difference, and what typical mistakes give."""

from typing import Any, Dict, List, Optional

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Unexplained, need


def close(a: Any, b: Any) -> bool:
    """Compare shapes and numbers, up to rounding."""
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-3, atol=1e-5)


def same(a: Any, b: Any) -> bool:
    """Compare shapes and numbers more closely, so that no other mistake gives the same by chance."""
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-5, atol=1e-6)


def compare(
    actual: Any,
    expected: Any,
    otherwise: str,
    mistakes: Optional[Dict[str, List[str]]] = None,
    **names: Any,
) -> None:
    """Raise Wrong where a result is not right.

    Args:
        actual: the reader's result.
        expected: what it should be.
        otherwise: what to say where it equals what no typical mistake gives.
        mistakes: expressions for what typical mistakes give, by what to say to them.
        names: the names in the expressions besides tf and np; arrays are tensors there, in lists too.
    """
    if close(actual, expected):
        return
    if mistakes:
        recognize(actual, mistakes, **names)
    raise Unexplained(f"{otherwise} {difference(actual, expected)}")


def recognize(actual: Any, mistakes: Dict[str, List[str]], **names: Any) -> None:
    """Raise Wrong where a result is what a typical mistake gives; the arguments are those of compare."""
    for message, results in _evaluated(mistakes, names).items():
        need(not any(same(actual, result) for result in results), message)


def _evaluated(mistakes: Dict[str, List[str]], names: Dict[str, Any]) -> Dict[str, List[Any]]:
    """Return what the expressions of mistakes give."""
    with tf.Graph().as_default(), tf.Session() as session:
        scope = tf.nest.map_structure(_as_tensor, names)
        scope.update(tf=tf, np=np)
        tensors = {}
        for message, sources in mistakes.items():
            tensors[message] = [eval(source, scope) for source in sources]
        return session.run(tensors)


def _as_tensor(value: Any) -> Any:
    return tf.constant(value) if isinstance(value, np.ndarray) else value


def difference(actual: Any, expected: Any) -> str:
    """Say what was expected and what came, at the first place where they differ.

    >>> difference(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.5, 4.0]]))
    'The first difference is at [1, 0]: 3.5 was expected, and 3 came.'
    >>> difference(3.0, 1.5), difference(np.zeros([2]), 1.5)
    ('1.5 was expected, and 3 came.', 'The shape [] was expected, and [2] came.')
    """
    actual = np.asarray(actual, float)
    expected = np.asarray(expected, float)
    if actual.shape != expected.shape:
        return f"The shape {words.brackets(expected.shape)} was expected, and {words.brackets(actual.shape)} came."
    if not actual.ndim:
        return f"{expected:.5g} was expected, and {actual:.5g} came."

    differs = ~np.isclose(actual, expected, rtol=1e-3, atol=1e-5)
    first, *_ = np.argwhere(differs)
    place = tuple(first)
    return (
        f"The first difference is at {words.brackets(place)}: {expected[place]:.5g} was expected, "
        f"and {actual[place]:.5g} came."
    )
