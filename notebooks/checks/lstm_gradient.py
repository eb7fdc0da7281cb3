"""The check of lstm_gradient: its results, compared with finite differences and with what typical mistakes give."""

from typing import Callable, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import lstm_step, words
from .answer import expect, items, need
from .tensors import close, compare

# What typical mistakes have in place of the gradient of the kernel, by what to say to them. back is the gradient of c'
# and kernel_of makes of a gradient of the sums f that of the kernel, kernel_of_one from one row alone. A test puts each
# of them into the solution.
MISTAKES = words.mistakes("lstm_gradient")


def solution(x, c, h, kernel, bias, grad_h):
    """Go back from the gradient of h' [N, L] to those of the forget gate's kernel [C + L, L] and of c [N, L]."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    rows = np.hstack([x, h])  # [N, C + L]
    i, g, f, o = np.split(rows @ kernel + bias, 4, axis=1)  # each [N, L]
    i = sigmoid(i)
    g = np.tanh(g)
    f = sigmoid(f + 1)
    o = sigmoid(o)
    new_c = f * c + i * g

    grad_c = grad_h * o * (1 - np.tanh(new_c) ** 2)  # of c'
    grad_f = grad_c * c  # of the gate
    grad_z = grad_f * f * (1 - f)  # of the sums inside its sigmoid
    return rows.T @ grad_z, grad_c * f


def by_differences(
    given: Tuple[np.ndarray, ...], grad_h: np.ndarray, step: float = 1e-6
) -> np.ndarray:
    """Return the gradient of sum(grad_h · h') for the forget gate's kernel, from small changes of each number."""
    x, c, h, kernel, bias = given
    size = c.shape[1]
    gradient = np.empty([len(kernel), size])
    for row, column in np.ndindex(*gradient.shape):
        sums = []
        for change in (step, -step):
            changed = kernel.copy()
            changed[row, 2 * size + column] += change
            sums.append((grad_h * lstm_step.solution(x, c, h, changed, bias)[1]).sum())
        gradient[row, column] = (sums[0] - sums[1]) / (2 * step)
    return gradient


def examine(answer: Callable) -> None:
    """Compare the gradient for two sets of sizes."""
    for place, (n, size, num_classes) in enumerate([(2, 4, 3), (5, 3, 7)]):
        given = lstm_step.trial(place, n, size, num_classes)
        grad_h = np.random.RandomState(9).normal(size=[n, size])
        found, grad_old_c = items(
            answer, (*(one.copy() for one in given), grad_h.copy()), ["gradient", "grad_old_c"]
        )
        for array in (found, grad_old_c):
            need(
                isinstance(array, np.ndarray),
                f"It should return arrays, not {words.describe(array)}: this exercise "
                "is in NumPy alone.",
            )
        right = by_differences(given, grad_h)
        old = solution(*given, grad_h)[1]
        need(
            not (close(found, old) and close(grad_old_c, right)),
            "The two results are swapped: the order is gradient, grad_old_c.",
        )
        shape = found.shape
        reasons = {
            (
                n,
                size,
            ): ": this is the gradient of the sums. The kernel's is the product rows.T @ grad_z",
            right.T.shape: ": transpose it, rows.T @ grad_z",
            (len(right), 4 * size): ": return the part of the forget gate alone",
            (num_classes, size): ": the gate reads x and h, so rows are np.hstack([x, h])",
            (size, size): ": the gate reads x and h, so rows are np.hstack([x, h])",
        }
        need(
            shape == right.shape,
            f"The gradient should be [C + L, L] = {words.brackets(right.shape)}, as the part of "
            f"kernel is, but it is {words.brackets(shape)}{reasons.get(shape, '')}.",
        )
        _compare(found, right, given, grad_h)
        expect(
            close(grad_old_c, old),
            "grad_old_c should be the gradient of c' times f, unit by unit: c' = f · c + i · g.",
        )


def _compare(
    found: np.ndarray, right: np.ndarray, given: Tuple[np.ndarray, ...], grad_h: np.ndarray
) -> None:
    x, c, h, kernel, bias = given
    rows = np.hstack([x, h])
    i, g, f, o = np.split(rows @ kernel + bias, 4, axis=1)
    with np.errstate(over="ignore"):
        i, g, f0, f, o = (1 / (1 + np.exp(-z)) for z in (i, 2 * g, f, f + 1, o))
    g = 2 * g - 1  # tanh
    new = f * c + i * g
    need(
        not close(found, by_differences(given, np.ones_like(grad_h))),
        "grad_h is not used: the chain begins with it.",
    )
    compare(
        found,
        right,
        "It is not what finite differences give, (loss(w + step) - loss(w - step)) / (2 · step).",
        MISTAKES,
        rows=rows,
        c=c,
        h=h,
        i=i,
        g=g,
        f=f,
        f0=f0,
        o=o,
        new=new,
        wrong=f0 * c + i * g,
        grad_h=grad_h,
        back=grad_h * o * (1 - np.tanh(new) ** 2),
        t=tf.tanh,
        s=tf.sigmoid,
        len=lambda tensor: int(tensor.shape[0]),
        kernel_of=lambda grad_z: tf.matmul(tf.constant(rows), grad_z, transpose_a=True),
        kernel_of_one=lambda grad_z, row: rows[row][:, None] * grad_z[row],
    )
