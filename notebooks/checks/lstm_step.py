"""The check of lstm_step: its two results, compared with NumPy and with what typical mistakes give."""

from typing import Any, Callable, Dict, Iterator, NamedTuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Unexplained, call, need, still_none
from .tensors import close, compare, recognize

# What typical mistakes give, [2, N, L], by what to say to them. z are the sums, with bias, and p0 to p3 their parts;
# cell(i, g, f, o) does a step with gates; s is the sigmoid, t is tanh.
MISTAKES = words.mistakes("lstm_step")


class Step(NamedTuple):
    """What a step is given: the input, the state before it, and the weights."""

    x: np.ndarray  # [N, C]
    c: np.ndarray  # [N, L]
    h: np.ndarray  # [N, L]
    kernel: np.ndarray  # [C + L, 4·L]
    bias: np.ndarray  # [4·L]


def solution(x, c, h, kernel, bias):
    """Do one step for x [N, C], c and h [N, L], kernel [C + L, 4·L]; return c, h."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    i, g, f, o = np.split(np.hstack([x, h]) @ kernel + bias, 4, axis=1)  # each [N, L]
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


def trials() -> Iterator[Step]:
    """Yield random steps of two sets of sizes."""
    for seed, (n, size, num_classes) in enumerate([(2, 4, 3), (5, 3, 7)]):
        random = np.random.RandomState(seed)
        yield Step(
            x=random.normal(size=(n, num_classes)),
            c=random.normal(size=(n, size)),
            h=random.normal(size=(n, size)),
            kernel=random.normal(size=(num_classes + size, 4 * size)),
            bias=random.normal(size=(4 * size,)),
        )


def examine(answer: Callable) -> None:
    """Compare a step for two sets of sizes."""
    for step in trials():
        copies = [array.copy() for array in step]
        results = call(answer, *copies)
        need(results is not None, "It returns None: it should end with return c, h, the new ones.")
        need(
            isinstance(results, (tuple, list)) and len(results) == 2,
            f"It should return two things, c and h, not {words.describe(results)}.",
        )
        named = dict(zip(("c", "h"), results))
        still_none(named)
        for name, array in named.items():
            need(
                isinstance(array, np.ndarray),
                f"The new {name} should be an array, not {words.describe(array)}: this "
                "exercise is in NumPy alone.",
            )
            need(
                array.shape == step.c.shape,
                f"The new {name} should be [N, L] = {words.brackets(step.c.shape)}, but it is "
                f"{words.brackets(array.shape)}.",
            )
        pairs = zip(step._fields, copies, step)
        changed = [name for name, copy, array in pairs if not np.array_equal(copy, array)]
        need(
            not changed,
            f"It changes {', '.join(changed)}, which it was given: an operation such as c = f * c + i * g makes a new "
            "array, but c *= or c[:] = does not.",
        )
        _compare(answer, np.array(results), step)


def _compare(answer: Callable, actual: np.ndarray, step: Step) -> None:
    """Compare the new c and h, [2, N, L], with the right ones."""
    expected = np.array(solution(*step))
    c = step.c
    h = step.h
    need(not close(actual[::-1], expected), "The two results are swapped: the order is c, h.")
    need(
        not close(actual[0], c) or not close(actual[1], h),
        "It returns the old c and h: return the new ones.",
    )

    def cell(i: Any, g: Any, f: Any, o: Any, old: Any = c) -> tf.Tensor:
        new = f * old + i * g
        return tf.stack([new, o * tf.tanh(new)])

    if not close(actual, expected):
        recognize(
            actual,
            MISTAKES,
            cell=cell,
            s=tf.sigmoid,
            t=tf.tanh,
            c=c,
            h=h,
            new=expected[0],
            **_parts_of_sums(step),
        )
        _examine_parts(answer, actual, step)
    for name, array, right in zip(("memory c", "output h"), actual, expected):
        compare(array, right, f"The new {name} is not what the formulas give.")

    if actual.dtype != expected.dtype:
        raise Unexplained(
            f"The results should keep the type of c, {expected.dtype}, but theirs is {actual.dtype}."
        )


def _examine_parts(answer: Callable, actual: np.ndarray, step: Step) -> None:
    """Find the part of the formulas in which a fault is that no typical mistake gives."""
    c, h = actual
    parts = _parts_of_sums(step)
    right_c, _ = solution(*step)
    of_c = "" if close(c, right_c) else _fault_of_memory(answer, c, step, parts["p2"])
    of_h = ""
    output = 1 / (1 + np.exp(-parts["p3"])) * np.tanh(c)
    if not close(h, output):
        of_h = "h' is not o · tanh(c'), with o the sigmoid of its sums."
        gate = np.clip(h / np.tanh(c), 1e-9, 1 - 1e-9)
        added = np.log(gate / (1 - gate)) - parts["p3"]
        for name, memory in (("new", c), ("old", step.c)):
            if close(added, memory):
                of_h = f"The output gate has the {name} memory in it, as with peepholes: it is the sigmoid of o."
    found = " And another: ".join(filter(None, [of_c, of_h]))
    need(not found, found)


def _fault_of_memory(answer: Callable, c: np.ndarray, step: Step, forget: np.ndarray) -> str:
    """Say what is wrong with a new memory c; forget are the sums f."""
    right_c, _ = solution(*step)
    empty = step._replace(c=np.zeros_like(step.c))
    right_input, _ = solution(*empty)
    of_input, _ = np.array(call(answer, *empty))
    of_twice, _ = np.array(call(answer, *step._replace(c=2 * step.c)))
    if not close(of_twice - of_input, 2 * (c - of_input)):
        return (
            "The gates have the memory c in them, as in a cell with peepholes, or c goes through another function: a "
            "gate is made of x and h alone, and c is multiplied by the forget gate."
        )
    if close(of_input, right_input):
        gate = np.clip((c - of_input) / step.c, 1e-9, 1 - 1e-9)
        added = np.log(gate / (1 - gate)) - forget
        mean = abs(round(float(added.mean()), 4))
        if np.allclose(added, mean, rtol=0, atol=1e-3):
            return f"The forget gate is the sigmoid of f + {mean:g}: it should be that of f + 1."
        return (
            "What the input adds is right, i · g, but what is kept of c is not: the forget gate is the sigmoid of "
            "f + 1."
        )
    if close(c - of_input, right_c - right_input):
        return (
            "What is kept of c is right, but what the input adds is not: the product of i, through the sigmoid, and "
            "g, through tanh."
        )
    return (
        "Both are wrong, what is kept of c and what the input adds. So the fault is in the sums, np.hstack([x, h]) @ "
        "kernel + bias, or in their parts i, g, f, o, or there are several: c' is sigmoid(f + 1) · c + sigmoid(i) · "
        "tanh(g)."
    )


def _parts_of_sums(step: Step) -> Dict[str, np.ndarray]:
    """Return the sums of the four gates, p0 to p3, and those that typical mistakes give."""
    x, c, h, kernel, bias = step
    sums = {
        "p": np.hstack([x, h]) @ kernel + bias,
        "q": np.hstack([x, h]) @ kernel,
        "v": np.hstack([x, c]) @ kernel + bias,
        "r": np.hstack([h, x]) @ kernel + bias,
        "u": np.hstack([x, h]) @ (kernel + bias),
        "w": x @ kernel[: x.shape[1]] + h @ kernel[: h.shape[1]] + bias,
    }

    parts = {}
    for name, z in sums.items():
        for number, part in enumerate(np.split(z, 4, axis=1)):
            parts[f"{name}{number}"] = part
    return parts
