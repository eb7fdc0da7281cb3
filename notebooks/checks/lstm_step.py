"""The check of lstm_step: its two results, compared with NumPy and with what typical mistakes give."""

from typing import Any, Callable, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Unexplained, call, need, still_none
from .tensors import close, compare

# What typical mistakes give, [2, N, L], by what to say to them. z are the sums, with bias, and p0 to p3 their parts;
# cell(i, g, f, o) does a step with gates; s is the sigmoid, t is tanh. A test puts each of them into the solution.
MISTAKES = words.mistakes("lstm_step")


def solution(x, c, h, kernel, bias):
    """Do one step for x [N, C], c and h [N, L], kernel [C + L, 4·L]; return c, h."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    i, g, f, o = np.split(np.hstack([x, h]) @ kernel + bias, 4, axis=1)  # each [N, L]
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


def trial(seed: int, n: int, size: int, num_classes: int) -> Tuple[np.ndarray, ...]:
    """Return random x, c, h, kernel and bias."""
    random = np.random.RandomState(seed)
    shapes = [(n, num_classes), (n, size), (n, size), (num_classes + size, 4 * size), (4 * size,)]
    return tuple(random.normal(size=shape) for shape in shapes)


def examine(answer: Callable) -> None:
    """Compare a step for two sets of sizes."""
    for place, (n, size, num_classes) in enumerate([(2, 4, 3), (5, 3, 7)]):
        given = trial(place, n, size, num_classes)
        copies = tuple(one.copy() for one in given)
        made = call(answer, *copies)
        need(made is not None, "It returns None: it should end with return c, h, the new ones.")
        need(
            isinstance(made, (tuple, list)) and len(made) == 2,
            f"It should return two things, c and h, not {words.describe(made)}.",
        )
        still_none(dict(zip(("c", "h"), made)))
        for name, one in zip(("c", "h"), made):
            need(
                isinstance(one, np.ndarray),
                f"The new {name} should be an array, not {words.describe(one)}: this "
                "exercise is in NumPy alone.",
            )
            need(
                one.shape == (n, size),
                f"The new {name} should be [N, L] = [{n}, {size}], but it is "
                f"{words.brackets(one.shape)}.",
            )
        need(
            all(map(np.array_equal, copies, given)),
            "It changes an array that it was given: write c = f * c + i * g, "
            "which makes a new one, not c *= or c[:] =.",
        )
        _compare(np.array(made), given)


def _compare(found: np.ndarray, given: Tuple[np.ndarray, ...]) -> None:
    x, c, h, kernel, bias = given
    right = np.array(solution(*given))
    need(not close(found[::-1], right), "The two results are swapped: the order is c, h.")
    need(
        not close(found[0], c) or not close(found[1], h),
        "It returns the old c and h: return the new ones.",
    )
    sums = {
        "p": np.hstack([x, h]) @ kernel + bias,
        "q": np.hstack([x, h]) @ kernel,
        "r": np.hstack([h, x]) @ kernel + bias,
        "w": x @ kernel[: x.shape[1]] + h @ kernel[: h.shape[1]] + bias,
    }
    parts = {
        f"{name}{number}": part
        for name, z in sums.items()
        for number, part in enumerate(np.split(z, 4, axis=1))
    }

    def cell(i: Any, g: Any, f: Any, o: Any, old: Any = c) -> tf.Tensor:
        new = f * old + i * g
        return tf.stack([new, o * tf.tanh(new)])

    compare(
        found,
        right,
        f"The new {'memory c' if not close(found[0], right[0]) else 'output h'} is not what the "
        "formulas give.",
        MISTAKES,
        cell=cell,
        s=tf.sigmoid,
        t=tf.tanh,
        c=c,
        h=h,
        new=right[0],
        **parts,
    )
    if found.dtype != right.dtype:
        raise Unexplained(
            f"The results should keep the type of c, {right.dtype}, but theirs is {found.dtype}."
        )
