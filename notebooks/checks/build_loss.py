"""The check of build_loss: its number and gradient, compared with NumPy and with what typical mistakes give."""

from fractions import Fraction
from typing import Any, Callable
from unittest import mock

import numpy as np

from charrnn.engines.decoding import softmax
from charrnn.system.tensorflow import tf

from . import words
from .answer import Wrong, need, returned
from .tensors import close, recognize, same

# What typical mistakes return in place of tf.reduce_mean(losses), by what to say to them. The names are those of the
# solution, and mean_loss. A test puts each of them into the solution.
MISTAKES = words.mistakes("build_loss")

NAMED = ("softmax_cross_entropy_with_logits", "sparse_softmax_cross_entropy_with_logits")
SWAPPED = "Labels and logits are swapped: labels are the one-hot targets, logits the logits."
ONE_HOT = (
    "sparse_softmax_cross_entropy_with_logits takes the ids as labels, tf.reshape(targets, [-1]), not one-hot targets. "
    "These belong to tf.nn.softmax_cross_entropy_with_logits."
)
# a logit; the probability of a character whose logit is 100 lower is 0 in float32
SURE = 100.0
# units of the network of further trials
SIZE = 4


def examine(answer: Callable) -> None:
    """Check the loss for two sets of sizes."""
    random = np.random.RandomState(1)  # no step's loss is both the first and the smallest
    other_sizes = random.permutation(np.arange(3, 9)).tolist()
    for n, m, size, num_classes in [(2, 3, 4, 5), other_sizes[:4]]:
        logits = (2 * random.normal(size=[n * m, num_classes])).astype(np.float32)
        targets = random.randint(0, num_classes, size=[n, m]).astype(np.int32)
        # the last id and the first one occur
        targets[0, 0] = num_classes - 1
        targets[0, 1] = 0
        loss = _run(answer, logits, targets, size)
        need(
            loss.shape == (),
            f"The loss should be a single number, of the shape [], but its shape is {words.brackets(loss.shape)}: "
            "take the mean over all N·M steps.",
        )
        _examine_loss(answer, loss, logits, targets, size)
        _examine_sure_logits(answer, targets, size, num_classes)


def _run(answer: Callable, values: np.ndarray, targets: np.ndarray, size: int) -> np.ndarray:
    """Return the loss for logits and targets."""
    num_classes = values.shape[1]
    tf.reset_default_graph()
    logits = tf.constant(values)
    weights = tf.Variable(tf.ones([size, num_classes]), name="weights")
    functions = {name: _with_names(name, logits) for name in NAMED}

    with mock.patch.multiple(tf.nn, **functions):
        loss = returned(answer, (logits, tf.constant(targets), num_classes), ["loss"])
    need(isinstance(loss, tf.Tensor), f"The loss should be a tensor, not {words.describe(loss)}.")
    need(loss.dtype == tf.float32, f"The loss should be float32, but it is {loss.dtype.name}.")

    of_logits, of_weights = tf.gradients(loss, [logits, weights])
    need(
        of_logits is not None,
        "No gradient flows from the loss to the logits, so nothing could be learned. (Counting right answers, as the "
        "accuracy does, has no gradient.) Use the cross-entropy.",
    )
    need(
        of_weights is None,
        "The weights are a part of the loss, as in a penalty for large weights (L2 regularization): leave that "
        "out. The loss is the cross-entropy alone.",
    )

    with tf.Session() as session:
        return session.run(loss)


def _with_names(name: str, outputs: tf.Tensor) -> Callable:
    """Return a function of tf.nn that accepts arguments with names only, and not the outputs of a network as labels."""
    function = getattr(tf.nn, name)

    def named(*args: Any, **kwargs: Any) -> Any:
        need(
            not args,
            "Write labels= and logits= in front of the arguments of the cross-entropy: without their names "
            "they are easily swapped, and TensorFlow 1.15 does not accept them.",
        )
        need(not _follows(kwargs.get("labels"), outputs), SWAPPED)
        need(not name.startswith("sparse") or not _is_for_each_class(**kwargs), ONE_HOT)
        return function(**kwargs)

    return named


def _follows(labels: Any, outputs: tf.Tensor) -> bool:
    """Tell whether labels are made of the outputs of a network, and differentiable."""
    is_float = isinstance(labels, tf.Tensor) and labels.dtype.is_floating
    return is_float and tf.gradients(labels, outputs)[0] is not None


def _is_for_each_class(labels: Any = None, logits: Any = None, **_: Any) -> bool:
    """Tell whether labels have as many numbers as logits, as one-hot targets have."""
    sizes = []
    for value in (labels, logits):
        sizes.append(value.shape.num_elements() if isinstance(value, tf.Tensor) else None)
    return sizes[0] is not None and sizes[0] == sizes[1]


def _examine_loss(
    answer: Callable, loss: np.ndarray, logits: np.ndarray, targets: np.ndarray, size: int
) -> None:
    """Check the loss of usual logits; a wrong one is compared with what the typical mistakes give."""
    need(
        np.isfinite(loss),
        "The loss is not a number: take the logarithm of the softmax, not of the logits. "
        "tf.nn.softmax_cross_entropy_with_logits does both.",
    )

    num_classes = logits.shape[1]
    steps = targets.size
    losses = -np.log(softmax(logits)[np.arange(steps), targets.ravel()])  # [N·M], in nats
    mean = losses.mean()

    need(
        not same(loss, -mean),
        "The minus sign is missing: the logarithm of a probability is negative, and the loss is minus its mean.",
    )
    # a factor counts only where it is made of the sizes, not where it comes about by chance
    times = Fraction(float(loss / mean)).limit_denominator(20)
    factors = abs(times.numerator * times.denominator)
    if times not in (0, 1) and (steps * size * num_classes) ** 4 % factors == 0:
        need(
            not same(loss, float(times) * mean),
            f"The loss is {times} times what it should be: take the mean over all N·M steps, which is their sum, "
            "divided by N·M and by nothing else.",
        )
    if close(loss, mean):
        return
    recognize(
        loss,
        MISTAKES,
        logits=logits,
        targets=targets,
        num_classes=num_classes,
        losses=losses,
        labels=_one_hot(targets, num_classes),
        mean_loss=mean_loss,
    )
    _examine_kind(answer, loss, mean, logits, targets)


def _examine_kind(
    answer: Callable, loss: np.ndarray, mean: float, logits: np.ndarray, targets: np.ndarray
) -> None:
    """Find what kind of fault a loss has that no typical mistake gives: in the mean, or in the loss of a step."""
    order = np.arange(targets.size)[::-1]
    turned_targets = targets.ravel()[order].reshape(targets.shape)
    turned = _run(answer, logits[order], turned_targets, SIZE)
    need(
        close(turned, loss),
        "The loss depends on the order of the steps: each of the N·M steps counts alike, tf.reduce_mean(losses), and "
        "the target of a step belongs to its own logits.",
    )

    # the first step, and the one with the largest loss, which something clipped makes smaller
    of_steps = -np.log(softmax(logits)[np.arange(targets.size), targets.ravel()])
    for step in (0, int(of_steps.argmax())):
        alike = np.repeat(logits[step : step + 1], targets.size, axis=0)
        of_step = of_steps[step]
        of_alike = _run(answer, alike, np.full_like(targets, targets.ravel()[step]), SIZE)
        if not close(of_alike, of_step):
            break
    need(
        not close(of_alike, of_step),
        f"Where all steps have the same loss, {of_step:.4g}, it is right, but otherwise it is not their mean: take "
        "tf.reduce_mean of all of them, neither the median nor the mean of some.",
    )
    added = float(of_alike - of_step)
    need(
        not close(added, loss - mean),
        f"{added:.4g} is added to the mean: return the mean itself.",
    )
    raise Wrong(
        f"The loss of each step is changed: where all steps have the same loss, {of_step:.4g}, it is {of_alike:.4g}. "
        "Is something clipped or smoothed, or does it go through another function before the mean? Take the "
        "cross-entropy of the logits as it is."
    )


def _examine_sure_logits(
    answer: Callable, targets: np.ndarray, size: int, num_classes: int
) -> None:
    """Check the loss of a network that is sure of the right characters, and of one that is sure of others."""
    sure = SURE * _one_hot(targets, num_classes)
    right = float(_run(answer, sure, targets, size))
    wrong = float(_run(answer, np.roll(sure, 1, axis=1), targets, size))
    need(
        close(wrong, SURE) and abs(right) < 1e-4,
        f"Where the network is sure of a character, the loss should be 0 if that character comes and {SURE:g} if "
        f"another comes, but it is {right:.4g} and {wrong:.4g}. Is something clipped, smoothed or added? (inf and "
        "nan come from the logarithm of 0.) Give the logits as they are to "
        "tf.nn.softmax_cross_entropy_with_logits.",
    )


def _one_hot(targets: np.ndarray, num_classes: int) -> np.ndarray:
    return np.eye(num_classes, dtype=np.float32)[targets.ravel()]  # [N·M, C]


def mean_loss(one_hot: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean softmax cross-entropy with one-hot targets."""
    labels = tf.reshape(one_hot, logits.shape)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))
