"""The check of build_loss: its number and gradient, compared with NumPy and with what typical mistakes give."""
from typing import Any, Callable, List, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import need, single
from .tensors import close, cross_entropies, softmax

HINTS = (
    "The logits have one row for each step, [N·M, C]. Bring the targets into the same shape: one-hot first, then "
    "a reshape. Then there is a function for the cross-entropy of each row, and one for the mean.",
    "one_hot = tf.one_hot(targets, num_classes) is [N, M, C]; tf.reshape(one_hot, logits.shape) has the rows in "
    "the order of the logits. The cross-entropy takes labels= and logits=, the logits as they are, without a "
    "softmax.",
    "The last two lines, where labels are the reshaped one-hot targets:\n"
    "    losses = tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)\n"
    "    loss = tf.reduce_mean(losses)",
)


SURE = 100.0  # a logit; the probability of a character whose logit is 100 lower is 0 in float32


def examine(answer: Callable) -> None:
    """Check the loss for two sets of sizes."""
    random = np.random.RandomState(1)  # no step's loss is both the first and the smallest
    for n, m, size, num_classes in [(2, 3, 4, 5)] + [tuple(random.permutation(np.arange(3, 9))[:4].tolist())]:
        values = (2 * random.normal(size=[n * m, num_classes])).astype(np.float32)
        ids = random.randint(0, num_classes, size=[n, m]).astype(np.int32)
        ids[0, :2] = num_classes - 1, 0
        number, gradient = _run(answer, values, ids, size)
        _examine_number(number, values, ids, size)
        sure = SURE * np.eye(num_classes, dtype=np.float32)[ids.ravel()]
        right, wrong = (float(_run(answer, np.roll(sure, shift, axis=1), ids, size)[0]) for shift in (0, 1))
        smoothing = right / SURE * num_classes / (num_classes - 1)
        need(not (smoothing > 1e-6 and close(wrong, SURE * (1 - smoothing / num_classes))),
             f"The one-hot targets are smoothed by {smoothing:.2g}: leave them as they are, with a single 1.")
        mean = cross_entropies(values, ids).mean()
        need(close(number, mean),
             f"On a small example the loss should be {mean:.4f}, the mean softmax cross-entropy with the one-hot "
             f"targets, but it is {number:.4f}.")
        _examine_gradient(gradient, values, ids)
        _examine_sure(right, wrong)


def _run(answer: Callable, values: np.ndarray, ids: np.ndarray, size: int) -> Tuple[np.ndarray, Any]:
    """Return the loss for logits and targets, and its gradient with respect to the logits, or None."""
    tf.reset_default_graph()
    logits, weights = tf.constant(values), tf.Variable(tf.ones([size, values.shape[1]]), name="weights")
    loss = single(answer, (logits, tf.constant(ids), size, values.shape[1]), "loss")
    need(isinstance(loss, tf.Tensor), f"The loss should be a tensor, not {words.describe(loss)}.")
    need(loss.dtype == tf.float32, f"The loss should be float32, but it is {loss.dtype.name}.")
    gradients, direct = tf.gradients(loss, [logits, weights])
    need(direct is None,
         "The weights are a part of the loss, as in a penalty for large weights (L2 regularization): leave that "
         "out. The loss is the cross-entropy alone.")
    with tf.Session() as session:
        return session.run(loss), session.run(gradients) if gradients is not None else None


def _examine_sure(right: float, wrong: float) -> None:
    """Check the losses for logits of SURE at the character that came, and at another one; 0 elsewhere."""
    need(np.isfinite(right + wrong),
         f"Where a probability is almost 0 the loss is {wrong}, because the softmax is rounded to 0, and 0 has no "
         "logarithm. Give the logits to tf.nn.softmax_cross_entropy_with_logits_v2, which does both in one step.")
    need(close(wrong, SURE),
         f"Where the network is sure and wrong the loss should be {SURE:.4g}, but it is {wrong:.4g}: the "
         "probabilities or logits are clipped, or a small number is added before the logarithm. Then nothing is "
         "learned from such steps. Give the logits as they are to tf.nn.softmax_cross_entropy_with_logits_v2.")
    need(abs(right) < 1e-4, f"Where the network is sure and right the loss should be 0, but it is {right:.4g}.")


def _examine_number(number: np.ndarray, values: np.ndarray, ids: np.ndarray, size: int) -> None:
    each = cross_entropies(values, ids)
    need(number.shape != each.shape and number.shape != ids.shape or number.size == 1 and number.shape == (),
         f"The loss is {words.brackets(number.shape)}, one number for each step: take the mean of them.")
    need(number.shape != values.shape,
         f"The loss is {words.brackets(number.shape)}, one number for each step and character: add up the "
         "characters and take the mean over the steps.")
    need(number.shape not in [ids.shape[:1], ids.shape[1:]],
         f"The loss is {words.brackets(number.shape)}, one number for each "
         f"{'sequence' if number.shape == ids.shape[:1] else 'place in the window'}: take the mean over all N·M steps.")
    need(number.shape == (), f"The loss should be a scalar, [], but it is {words.brackets(number.shape)}.")
    if close(number, each.mean()):
        return
    for wrong, message in _typical(values, ids, each, size):
        need(not np.isclose(number, wrong, rtol=1e-5, atol=1e-6), message)


def _typical(values: np.ndarray, ids: np.ndarray, each: np.ndarray, size: int) -> List[Tuple[float, str]]:
    """Return what typical mistakes give, and what to say to each."""
    (n, m), num_classes = ids.shape, values.shape[1]
    mean, probabilities = each.mean(), softmax(values)
    one_hot = np.eye(num_classes, dtype=np.float32)[ids.ravel()]
    twice = cross_entropies(probabilities, ids).mean()
    exchanged = -(softmax(one_hot) * 0 + values * np.log(softmax(one_hot))).sum(axis=1).mean()
    binary = np.maximum(values, 0) - values * one_hot + np.log1p(np.exp(-np.abs(values)))
    kept = ids.ravel() != 0
    in_rows = each.reshape(ids.shape)
    logarithms = np.log(probabilities)
    along_axis = [-(np.moveaxis(one_hot.reshape((n, m, -1)), 2, axis).reshape(values.shape) * logarithms).sum(1).mean()
                  for axis in (0, 1)]
    mean_of_steps = "it should be their mean over all N·M steps."
    too_high, too_low = (f"The targets are one too {way}: id k has its 1 at place k of the one-hot vector, counted "
                         "from 0. Give tf.one_hot the targets unchanged." for way in ("high", "low"))
    sigmoid = ("This is the sigmoid cross-entropy, for separate yes/no questions: use the softmax cross-entropy, for "
               "one choice among C characters.")
    return [
        (each.sum(), "The loss is the sum over the steps: it should be their mean."),
        (each.sum() / n, f"The loss is the sum over the steps divided by N: {mean_of_steps}"),
        (each.sum() / m, f"The loss is the sum over the steps divided by M: {mean_of_steps}"),
        (mean / num_classes, "The loss is divided by C as well: add up the characters of a step (only one of them "
                             "counts), and take the mean over the steps alone."),
        (mean / (n * m), "The loss is divided by the number of steps twice: the mean does it once."),
        (mean * num_classes, "The loss is multiplied by C: take the mean over the steps."),
        (-mean, "The loss has the wrong sign: it is MINUS the logarithm of a probability."),
        (mean / np.log(2), "The loss is in bits: it should be in nats, with the natural logarithm."),
        (mean / np.log(10), "The loss has the logarithm to the base 10: it should be in nats, with the natural "
                            "one."),
        (np.exp(mean), "This is the perplexity, the exponential of the loss: return the loss itself."),
        (twice, "A softmax is taken twice: the cross-entropy takes the logits as they are, with its own softmax."),
        (cross_entropies(values, values.argmax(axis=1)).mean(),
         "The labels are the most probable characters: they should be the targets."),
        (-(one_hot * np.log(softmax(values.T).T)).sum(axis=0).mean(),
         "The softmax runs down the columns: it should run along each row, the last axis."),
        (cross_entropies(values, ids.T).mean(),
         "The targets are transposed: reshape them row by row, like the logits."),
        (exchanged, "Labels and logits are swapped: labels are the one-hot targets, logits the logits."),
        (binary.mean(), sigmoid),
        (binary.sum(axis=1).mean(), sigmoid),
        (((probabilities - one_hot) ** 2).mean(), "This is a mean squared error: the loss is a cross-entropy."),
        (((probabilities - one_hot) ** 2).sum(axis=1).mean(), "This is a squared error: the loss is a "
                                                              "cross-entropy."),
        (((values - one_hot) ** 2).mean(), "This is a mean squared error: the loss is a cross-entropy."),
        ((values.argmax(axis=1) == ids.ravel()).mean(), "This is the share of right guesses: the loss is a "
                                                        "cross-entropy."),
        (-probabilities[np.arange(n * m), ids.ravel()].mean(),
         "The logarithm is missing: the cross-entropy is minus the LOGARITHM of the probability."),
        (cross_entropies(values, (ids + 1) % num_classes).mean(), too_high),
        (np.where(ids.ravel() + 1 < num_classes, cross_entropies(values, (ids + 1) % num_classes), 0).mean(),
         too_high),
        (np.where(ids.ravel() > 0, cross_entropies(values, (ids - 1) % num_classes), 0).mean(),
         too_low),
        (cross_entropies(values, np.roll(ids, -1, axis=1)).mean(),
         "The targets are shifted once more: they are one character later already."),
        *((wrong, "The one-hot targets have their characters along another axis: leave out axis=, so that the last "
                  "axis has the C characters, before the reshape.") for wrong in along_axis),
        (mean / size, "The loss is divided by lstm_size, which has no part in it: take the mean over the steps."),
        (-logarithms.mean(), "The targets are missing: only the probability of the character that really came counts."),
        (-logarithms.sum(axis=1).mean(),
         "The targets are missing: only the probability of the character that really came counts."),
        (in_rows[:, 1:].mean(), "The first step of each row is left out: take the mean over all N·M steps."),
        (each[1:].mean(), "The first step is left out: take the mean over all N·M steps."),
        (each[-1], "This is the loss of the last step alone: take the mean over all N·M steps."),
        (np.median(each), "This is the median of the losses of the steps: take their mean."),
        ((each ** 2).mean(), "The losses are squared: take the mean of them as they are."),
        (np.log(mean), "The logarithm of the loss is taken once more: return the loss itself."),
        (mean / 2, "The loss is half of what it should be."),
        (each[kept].mean(), "Steps whose target is 0 are left out: 0 is the id of a character like any other."),
        (each[kept].sum() / each.size, "Steps whose target is 0 count as 0: it is the id of a character like any "
                                       "other."),
        (in_rows[:, -1].mean(), "Only the last step of each row counts: take the mean over all N·M steps."),
        (in_rows[:, :-1].mean(), "The last step of each row is left out: take the mean over all N·M steps."),
        (each.max(), "This is the largest of the losses of the steps: take their mean."),
        (each.min(), "This is the smallest of the losses of the steps: take their mean."),
        (each[0], "This is the loss of the first step alone: take the mean over all N·M steps."),
    ]


def _examine_gradient(gradient: Any, values: np.ndarray, ids: np.ndarray) -> None:
    """Check that the loss can be trained on: its gradient with respect to the logits."""
    need(gradient is not None,
         "The number is right, but no gradient flows from the loss to the logits, so nothing could be learned.")
    one_hot = np.eye(values.shape[1])[ids.ravel()]
    need(close(gradient, (softmax(values) - one_hot) / ids.size),
         "The number is right, but its gradient with respect to the logits is not, so the network would learn "
         "something else.")
