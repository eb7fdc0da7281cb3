"""The check of softmax_layer: its loss and its gradient, compared with finite differences and typical mistakes."""

from typing import Any, Callable, Dict, Iterator, NamedTuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, items, need
from .tensors import close, compare

# What typical mistakes give, by what to say to them, in the names of the solution; z are the logits, odds their
# exponentials, q the probabilities of the characters that came, and rows makes of a gradient for the logits that of the
# weights. once does so, too, with one row for each character, its last.
WRONG_LOSSES = words.mistakes("softmax_layer, loss")
WRONG_GRADIENTS = words.mistakes("softmax_layer, gradient")


class Pairs(NamedTuple):
    """What a layer is given: its weights, and pairs of characters."""

    weights: np.ndarray  # [C, C]
    x: np.ndarray  # [B]
    y: np.ndarray  # [B]


def solution(weights, x, y):
    """Return the loss of predicting the ids y from the ids x, [B] both, and its gradient [C, C]."""
    one_hot_x = np.eye(len(weights))[x]  # [B, C]
    one_hot_y = np.eye(len(weights))[y]

    odds = np.exp(one_hot_x @ weights)
    p = odds / odds.sum(axis=1, keepdims=True)
    loss = -np.log((p * one_hot_y).sum(axis=1)).mean()

    grad_logits = (p - one_hot_y) / len(x)
    return loss, one_hot_x.T @ grad_logits


def trials() -> Iterator[Pairs]:
    """Yield random weights and pairs of three sets of sizes; the last weights make some probabilities small."""
    for seed, (num_classes, size, scale) in enumerate([(4, 7, 1), (6, 3, 1), (9, 8, 3)]):
        random = np.random.RandomState(seed)
        yield Pairs(
            weights=random.normal(scale=scale, size=(num_classes, num_classes)),
            x=random.randint(num_classes, size=size),
            y=random.randint(num_classes, size=size),
        )


def by_differences(pairs: Pairs, change: float = 1e-6) -> np.ndarray:
    """Return the gradient of the loss for the weights, from small changes of each."""
    gradient = np.empty_like(pairs.weights)  # [C, C]
    for place in np.ndindex(*gradient.shape):
        above = pairs.weights.copy()
        above[place] += change
        below = pairs.weights.copy()
        below[place] -= change
        higher, _ = solution(above, pairs.x, pairs.y)
        lower, _ = solution(below, pairs.x, pairs.y)
        gradient[place] = (higher - lower) / (2 * change)
    return gradient


def examine(answer: Callable) -> None:
    """Compare the loss and the gradient for each set of sizes."""
    for pairs in trials():
        copies = [array.copy() for array in pairs]
        loss, gradient = items(answer, copies, ["loss", "gradient"])
        need(
            all(map(np.array_equal, copies, pairs)),
            "It changes an array that it was given: the weights are changed by the cell that trains.",
        )
        expected, _ = solution(*pairs)
        need(
            not (np.shape(loss) == pairs.weights.shape and close(gradient, expected)),
            "The two results are swapped: the order is loss, gradient.",
        )
        _examine_loss(loss, expected, pairs, answer)
        _examine_gradient(gradient, pairs, answer)


def _examine_loss(loss: Any, expected: float, pairs: Pairs, answer: Callable) -> None:
    need(
        isinstance(loss, (float, np.ndarray, np.number)),
        f"The loss should be a number, not {words.describe(loss)}: this exercise is in NumPy alone.",
    )
    need(
        np.ndim(loss) == 0,
        f"The loss should be one number, but it has the shape {words.brackets(np.shape(loss))}: take the "
        "probability of the character that came, and the mean over the B characters.",
    )
    need(
        not np.isposinf(loss),
        "The loss is infinite: the logarithm gets a 0, such as those of p * one_hot_y. In each row, first take the "
        "probability of the character that came.",
    )
    need(
        np.isfinite(loss),
        "The loss is not a number: the logarithm gets something that is no probability. Each is above 0, an "
        "exponential divided by a sum. Is p changed before the loss is computed?",
    )
    names = _names(pairs)
    if not close(loss, expected):
        _examine_clipping(answer, pairs, names["p"])
    compare(loss, expected, "The loss is not right.", WRONG_LOSSES, **names)


def _examine_gradient(gradient: Any, pairs: Pairs, answer: Callable) -> None:
    need(
        isinstance(gradient, np.ndarray),
        f"The gradient should be an array, not {words.describe(gradient)}: this exercise is in NumPy alone.",
    )
    size = pairs.weights.shape
    per_row = (len(pairs.x), len(pairs.weights))
    reason = ""
    if gradient.shape == per_row:
        reason = ": this is the gradient of the logits. The one of the weights is one_hot_x.T @ grad_logits"
    need(
        gradient.shape == size,
        f"The gradient should be [C, C] = {words.brackets(size)}, as the weights are, but it is "
        f"{words.brackets(gradient.shape)}{reason}.",
    )
    due = by_differences(pairs)
    names = _names(pairs)
    if not close(gradient, due):
        _examine_clipping(answer, pairs, names["p"])
        rest = gradient - due
        share = (rest * pairs.weights).sum() / (pairs.weights**2).sum()
        need(
            not close(rest, share * pairs.weights),
            "The weights themselves are a part of the gradient, as in weight decay: it is that of the loss alone.",
        )
    compare(
        gradient,
        due,
        "The gradient is not what finite differences give, (loss(w + step) - loss(w - step)) / (2 · step).",
        WRONG_GRADIENTS,
        **names,
    )


def _examine_clipping(answer: Callable, pairs: Pairs, right: np.ndarray) -> None:
    """Raise Wrong where the reader's p is the right one, with its small or large numbers cut off."""
    with Locals(answer) as local:
        answer(*(array.copy() for array in pairs))
    p = local.values.get("p")
    if np.shape(p) != right.shape:
        return
    is_clipped = close(p, np.clip(right, np.min(p), np.max(p)))
    need(
        not is_clipped or close(p, right),
        "p is clipped: the loss and the gradient are those of the softmax as it is.",
    )


def _names(pairs: Pairs) -> Dict[str, Any]:
    """Return the names that the expressions of the mistakes have."""
    num_classes = len(pairs.weights)
    x = np.eye(num_classes)[pairs.x]
    y = np.eye(num_classes)[pairs.y]
    z = x @ pairs.weights
    odds = np.exp(z)
    p = odds / odds.sum(axis=1, keepdims=True)
    is_last = [place for place, char in enumerate(pairs.x) if char not in pairs.x[place + 1 :]]
    only_last = np.zeros_like(x)  # the one-hot rows of those that do not come again
    only_last[is_last] = x[is_last]
    return dict(
        weights=pairs.weights,
        x=x,
        y=y,
        z=z,
        odds=odds,
        p=p,
        q=(p * y).sum(axis=1),
        B=float(len(x)),
        C=float(num_classes),
        rows=lambda grad_logits: tf.matmul(tf.constant(x), grad_logits, transpose_a=True),
        once=lambda grad_logits: tf.matmul(tf.constant(only_last), grad_logits, transpose_a=True),
    )
