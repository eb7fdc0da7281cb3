"""The check of lstm_gradient: its results, compared with finite differences and with what typical mistakes give."""

from typing import Any, Callable, Dict

import numpy as np

from charrnn.system.tensorflow import tf

from . import lstm_step, words
from .answer import items, need
from .lstm_step import Step
from .tensors import close, compare

# What typical mistakes have in place of the gradient of the kernel, by what to say to them. back is the gradient of c'
# and kernel_of makes of a gradient of the sums f that of the kernel, kernel_of_one from one row alone.
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


def by_differences(step: Step, grad_h: np.ndarray, change: float = 1e-6) -> np.ndarray:
    """Return the gradient of sum(grad_h · h') for the forget gate's kernel, from small changes of each number."""

    def loss(kernel: np.ndarray) -> float:
        _, h = lstm_step.solution(step.x, step.c, step.h, kernel, step.bias)
        return (grad_h * h).sum()

    size = step.c.shape[1]
    gradient = np.empty([len(step.kernel), size])  # [C + L, L]
    for row, column in np.ndindex(*gradient.shape):
        above = step.kernel.copy()
        above[row, 2 * size + column] += change
        below = step.kernel.copy()
        below[row, 2 * size + column] -= change
        gradient[row, column] = (loss(above) - loss(below)) / (2 * change)
    return gradient


def examine(answer: Callable) -> None:
    """Compare the gradient for two sets of sizes."""
    for step in lstm_step.trials():
        grad_h = np.random.RandomState(9).normal(size=step.h.shape)
        copies = [array.copy() for array in (*step, grad_h)]
        gradient, grad_old_c = items(answer, copies, ["gradient", "grad_old_c"])
        for array in (gradient, grad_old_c):
            need(
                isinstance(array, np.ndarray),
                f"It should return arrays, not {words.describe(array)}: this exercise "
                "is in NumPy alone.",
            )
        expected = by_differences(step, grad_h)
        _, expected_old_c = solution(*step, grad_h)
        need(
            not (close(gradient, expected_old_c) and close(grad_old_c, expected)),
            "The two results are swapped: the order is gradient, grad_old_c.",
        )
        _examine_shape(gradient, expected, step)
        _compare(gradient, expected, step, grad_h)
        need(
            grad_old_c.shape == expected_old_c.shape,
            f"grad_old_c should be [N, L] = {words.brackets(expected_old_c.shape)}, as c is, but it is "
            f"{words.brackets(grad_old_c.shape)}: nothing is added up, since each sequence has its own memory.",
        )
        need(
            close(grad_old_c, expected_old_c),
            "grad_old_c should be the gradient of c' times f, unit by unit: c' = f · c + i · g.",
        )


def _examine_shape(gradient: np.ndarray, expected: np.ndarray, step: Step) -> None:
    rows, size = expected.shape
    without_h = ": the gate reads x and h, so rows are np.hstack([x, h])"
    # in this order: a later one counts where two shapes are alike
    reasons = {
        (
            size,
        ): ": a sum over the rows alone is the gradient of the bias. That of the kernel is the product rows.T @ "
        "grad_z, which adds up the rows",
        step.c.shape: ": this is the gradient of the sums. The kernel's is the product rows.T @ grad_z",
        (size, rows): ": transpose it, rows.T @ grad_z",
        step.kernel.shape: ": return the part of the forget gate alone",
        (step.x.shape[1], size): without_h,
        (size, size): without_h,
    }
    need(
        gradient.shape == expected.shape,
        f"The gradient should be [C + L, L] = {words.brackets(expected.shape)}, as the part of "
        f"kernel is, but it is {words.brackets(gradient.shape)}{reasons.get(gradient.shape, '')}.",
    )


def _compare(gradient: np.ndarray, expected: np.ndarray, step: Step, grad_h: np.ndarray) -> None:
    need(
        not close(gradient, by_differences(step, np.ones_like(grad_h))),
        "grad_h is not used: the chain begins with it.",
    )
    compare(
        gradient,
        expected,
        "It is not what finite differences give, (loss(w + step) - loss(w - step)) / (2 · step).",
        MISTAKES,
        **_names(step, grad_h),
    )


def _names(step: Step, grad_h: np.ndarray) -> Dict[str, Any]:
    """Return the names that the expressions of the mistakes have."""
    rows = np.hstack([step.x, step.h])
    c = step.c
    i, g, f, o = np.split(rows @ step.kernel + step.bias, 4, axis=1)
    i = _sigmoid(i)
    g = np.tanh(g)
    f0 = _sigmoid(f)
    f = _sigmoid(f + 1)
    o = _sigmoid(o)
    new = f * c + i * g
    return dict(
        rows=rows,
        c=c,
        h=step.h,
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


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
