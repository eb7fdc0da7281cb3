"""The check of build_loss: its number and gradient, compared with NumPy and with what typical mistakes give."""
from fractions import Fraction
from typing import Callable

import numpy as np

from charrnn.engines.decoding import softmax
from charrnn.system.tensorflow import tf

from . import words
from .answer import need, returned
from .tensors import close, compare, same

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
# What typical mistakes return in place of tf.reduce_mean(losses), by what to say to them. The names are those of the
# solution, and mean_loss. A test puts each of them into the solution.
MISTAKES = {
    "The loss has another logarithm: it should be in nats, with the natural one.":
        [f"tf.reduce_mean(losses) / float(np.log({base}))" for base in (2, 10)],
    "The mean, or the loss of each step, goes through an exponential (that is the perplexity) or a square: return the "
    "mean itself.":
        ["tf.exp(tf.reduce_mean(losses))", "tf.reduce_mean(losses) ** 2", "tf.reduce_mean(losses ** 2)",
         "tf.sqrt(tf.reduce_mean(losses))"],
    "A softmax is taken twice: the cross-entropy takes the logits as they are, with its own softmax.":
        ["mean_loss(labels, tf.nn.softmax(logits))"],
    "The cross-entropy of Keras takes probabilities, unless it is told otherwise: add from_logits=True, or use "
    "tf.nn.softmax_cross_entropy_with_logits_v2.":
        ["tf.reduce_mean(tf.keras.losses.categorical_crossentropy(labels, logits))",
         "tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(tf.reshape(targets, [-1]), logits))"],
    "Labels and logits are swapped: labels are the one-hot targets, logits the logits.":
        ["mean_loss(logits, labels)"],
    "This is the sigmoid cross-entropy, for separate yes/no questions: use the softmax cross-entropy, for one choice "
    "among C characters.":
        ["tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))"],
    "This is not a cross-entropy: it is a squared error, or the logarithm is missing. It should be minus the LOGARITHM "
    "of the probability of the target.":
        ["tf.reduce_mean((tf.nn.softmax(logits) - labels) ** 2)", "tf.reduce_mean((logits - labels) ** 2)",
         "-tf.reduce_mean(tf.reduce_sum(labels * tf.nn.softmax(logits), axis=1))"],
    "The targets are changed, or in another order than the logits: give tf.one_hot the targets, and reshape the result "
    "like the logits, without a transpose.":
        ["mean_loss(tf.one_hot(tf.transpose(targets), num_classes), logits)",
         "mean_loss(tf.one_hot(targets, num_classes, axis=1), logits)",
         *(f"mean_loss(tf.one_hot(targets {one}, num_classes), logits)" for one in ("+ 1", "- 1"))],
}

SURE = 100.0  # a logit; the probability of a character whose logit is 100 lower is 0 in float32


def examine(answer: Callable) -> None:
    """Check the loss for two sets of sizes."""
    random = np.random.RandomState(1)  # no step's loss is both the first and the smallest
    for n, m, size, num_classes in [(2, 3, 4, 5)] + [tuple(random.permutation(np.arange(3, 9))[:4].tolist())]:
        values = (2 * random.normal(size=[n * m, num_classes])).astype(np.float32)
        ids = random.randint(0, num_classes, size=[n, m]).astype(np.int32)
        ids[0, :2] = num_classes - 1, 0
        number = _run(answer, values, ids, size)
        need(number.shape == (),
             f"The loss should be a single number, of the shape [], but its shape is {words.brackets(number.shape)}: "
             "take the mean over all N·M steps.")
        _examine_number(number, values, ids, size)
        one_hot = np.eye(num_classes, dtype=np.float32)[ids.ravel()]
        right, wrong = (float(_run(answer, np.roll(SURE * one_hot, shift, axis=1), ids, size)) for shift in (0, 1))
        need(close(wrong, SURE) and abs(right) < 1e-4,
             f"Where the network is sure of a character, the loss should be 0 if that character comes and {SURE:g} if "
             f"another comes, but it is {right:.4g} and {wrong:.4g}. Is something clipped, smoothed or added? (inf and "
             "nan come from the logarithm of 0.) Give the logits as they are to "
             "tf.nn.softmax_cross_entropy_with_logits_v2.")


def _run(answer: Callable, values: np.ndarray, ids: np.ndarray, size: int) -> np.ndarray:
    """Return the loss for logits and targets."""
    tf.reset_default_graph()
    logits, weights = tf.constant(values), tf.Variable(tf.ones([size, values.shape[1]]), name="weights")
    loss = returned(answer, (logits, tf.constant(ids), size, values.shape[1]), ["loss"])
    need(isinstance(loss, tf.Tensor), f"The loss should be a tensor, not {words.describe(loss)}.")
    need(loss.dtype == tf.float32, f"The loss should be float32, but it is {loss.dtype.name}.")
    gradient, direct = tf.gradients(loss, [logits, weights])
    need(gradient is not None,
         "No gradient flows from the loss to the logits, so nothing could be learned. (Counting right answers, as the "
         "accuracy does, has no gradient.) Use the cross-entropy.")
    need(direct is None,
         "The weights are a part of the loss, as in a penalty for large weights (L2 regularization): leave that "
         "out. The loss is the cross-entropy alone.")
    with tf.Session() as session:
        return session.run(loss)


def _examine_number(number: np.ndarray, values: np.ndarray, ids: np.ndarray, size: int) -> None:
    """Check the loss of usual logits; a wrong one is compared with what the typical mistakes give."""
    num_classes = values.shape[1]
    losses = -np.log(softmax(values)[np.arange(ids.size), ids.ravel()])  # [N·M], in nats
    need(np.isfinite(number), "The loss is not a number: take the logarithm of the softmax, not of the logits. "
                              "tf.nn.softmax_cross_entropy_with_logits_v2 does both.")
    times = Fraction(float(number / losses.mean())).limit_denominator(20)
    of_sizes = times and (ids.size * size * num_classes) ** 4 % abs(times.numerator * times.denominator) == 0
    need(times == 1 or not of_sizes or not same(number, float(times) * losses.mean()),
         f"The loss is {times} times what it should be: take the mean over all N·M steps, which is their sum, divided "
         "by N·M and by nothing else. (It is MINUS the logarithm of a probability.)")
    compare(number, losses.mean(),
            "The loss should be the mean softmax cross-entropy with the one-hot targets, of the logits as they are, "
            "without anything clipped or added: on a small example",
            MISTAKES, logits=values, targets=ids, num_classes=num_classes, losses=losses,
            labels=np.eye(num_classes, dtype=np.float32)[ids.ravel()], mean_loss=mean_loss)


def mean_loss(one_hot: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean softmax cross-entropy with one-hot targets."""
    labels = tf.reshape(one_hot, logits.shape)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))
