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
    found: Any,
    right: Any,
    otherwise: str,
    mistakes: Optional[Dict[str, List[str]]] = None,
    **given: Any,
) -> None:
    """Raise Wrong where a result is not right.

    Args:
        found: the reader's result.
        right: what it should be.
        otherwise: what to say where it equals what no typical mistake gives.
        mistakes: expressions for what typical mistakes give, by what to say to them.
        given: the names in the expressions besides tf and np; arrays are tensors there, in lists too.
    """
    if close(found, right):
        return
    with tf.Graph().as_default(), tf.Session() as session:
        scope = tf.nest.map_structure(
            lambda one: tf.constant(one) if isinstance(one, np.ndarray) else one, given
        )
        scope.update(tf=tf, np=np)
        results = (
            session.run(
                {
                    message: [eval(source, scope) for source in sources]
                    for message, sources in mistakes.items()
                }
            )
            if mistakes
            else {}
        )
        for message, some in results.items():
            need(not any(same(found, one) for one in some), message)
    raise Unexplained(f"{otherwise} {difference(found, right)}")


def difference(found: Any, right: Any) -> str:
    """Say what was expected and what came, at the first place where they differ.

    >>> difference(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.5, 4.0]]))
    'The first difference is at [1, 0]: 3.5 was expected, and 3 came.'
    >>> difference(3.0, 1.5), difference(np.zeros([2]), 1.5)
    ('1.5 was expected, and 3 came.', 'The shape [] was expected, and [2] came.')
    """
    found = np.asarray(found, float)
    right = np.asarray(right, float)
    if found.shape != right.shape:
        return f"The shape {words.brackets(right.shape)} was expected, and {words.brackets(found.shape)} came."
    place = (
        tuple(np.argwhere(~np.isclose(found, right, rtol=1e-3, atol=1e-5))[0]) if found.ndim else ()
    )
    where = f"The first difference is at {words.brackets(place)}: " if place else ""
    return f"{where}{right[place]:.5g} was expected, and {found[place]:.5g} came."
