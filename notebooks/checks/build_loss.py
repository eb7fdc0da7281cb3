"""The check of build_loss: its number and gradient, compared with NumPy and with what typical mistakes give."""
from typing import Any, Callable, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Wrong, need, single
from .tensors import close, compare, cross_entropies, name_mistake, softmax

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
    "The loss is not a single number: take the mean over all N·M steps, of which each has one number.":
        ["losses", "tf.reshape(losses, targets.shape)", "-labels * tf.nn.log_softmax(logits)",
         *(f"tf.reduce_mean(tf.reshape(losses, targets.shape), axis={axis})" for axis in (0, 1))],
    "The loss is the sum over the steps: it should be their mean.": ["tf.reduce_sum(losses)"],
    "The loss is divided by the wrong number: take the mean over all N·M steps, and over nothing else.":
        ["tf.reduce_mean(losses) / lstm_size", "tf.reduce_mean(losses) / num_classes",
         "tf.reduce_mean(losses) / int(losses.shape[0])", "tf.reduce_mean(losses) * num_classes",
         *(f"tf.reduce_sum(losses) / int(targets.shape[{axis}])" for axis in (0, 1)),
         *(f"tf.reduce_sum(losses) / (int(targets.shape[{axis}]) * {size})" for axis in (0, 1)
           for size in ("lstm_size", "num_classes")),
         "tf.reduce_sum(losses) / lstm_size", "tf.reduce_sum(losses) / num_classes", "tf.reduce_mean(losses) / 2",
         "tf.reduce_sum(losses) / (lstm_size * num_classes)", "tf.reduce_mean(losses) * lstm_size"],
    "The loss has the wrong sign: it is MINUS the logarithm of a probability.": ["-tf.reduce_mean(losses)"],
    "The loss has another logarithm: it should be in nats, with the natural one.":
        [f"tf.reduce_mean(losses) / float(np.log({base}))" for base in (2, 10)],
    "This is the perplexity, the exponential of the loss: return the loss itself.": ["tf.exp(tf.reduce_mean(losses))"],
    "A softmax is taken twice: the cross-entropy takes the logits as they are, with its own softmax.":
        ["mean_loss(labels, tf.nn.softmax(logits))"],
    "The cross-entropy of Keras takes probabilities, unless it is told otherwise: add from_logits=True, or use "
    "tf.nn.softmax_cross_entropy_with_logits_v2.":
        [f"tf.{mean}({keras})" for mean in ("reduce_mean", "reduce_sum") for keras in (
            "tf.keras.losses.categorical_crossentropy(labels, logits)",
            "tf.keras.losses.sparse_categorical_crossentropy(tf.reshape(targets, [-1]), logits)",
            "tf.keras.losses.binary_crossentropy(labels, logits)")],
    "This counts right or wrong answers, as the accuracy does. It has no gradient, so nothing can be learned from it: "
    "use the cross-entropy.":
        [f"{one}tf.reduce_mean(tf.cast(tf.{equal}(tf.argmax(logits, 1), tf.argmax(labels, 1)), tf.float32))"
         for one, equal in (("", "equal"), ("1 - ", "equal"), ("-", "equal"))],
    "The softmax runs down the columns: it should run along each row, the last axis.":
        ["mean_loss(labels, logits, axis=0)"],
    "Labels and logits are swapped: labels are the one-hot targets, logits the logits.":
        ["mean_loss(logits, labels)"],
    "This is the sigmoid cross-entropy, for separate yes/no questions: use the softmax cross-entropy, for one choice "
    "among C characters.":
        ["tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))",
         "tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)) / int(losses.shape[0])"],
    "This is no cross-entropy, but a squared error, or without the logarithm: it should be minus the LOGARITHM of the "
    "probability of the target.":
        ["tf.reduce_mean((tf.nn.softmax(logits) - labels) ** 2)", "tf.reduce_mean((logits - labels) ** 2)",
         "tf.reduce_mean(tf.reduce_sum((tf.nn.softmax(logits) - labels) ** 2, axis=1))",
         "-tf.reduce_mean(tf.reduce_sum(labels * tf.nn.softmax(logits), axis=1))"],
    "The targets are missing: only the probability of the character that really came counts.":
        ["-tf.reduce_mean(tf.nn.log_softmax(logits))",
         "-tf.reduce_mean(tf.reduce_sum(tf.nn.log_softmax(logits), axis=1))"],
    "The labels are the most probable characters: they should be the targets.":
        ["mean_loss(tf.one_hot(tf.argmax(logits, 1), num_classes), logits)"],
    "The targets are transposed: reshape them row by row, like the logits.":
        ["mean_loss(tf.one_hot(tf.transpose(targets), num_classes), logits)"],
    "The targets are changed: they are one character later already, and ids begin at 0. Give tf.one_hot the targets.":
        [f"mean_loss(tf.one_hot({changed}, num_classes), logits)" for changed in (
            "targets + 1", "(targets + 1) % num_classes", "targets - 1", "tf.roll(targets, -1, axis=1)")],
    "The one-hot targets have their characters along another axis: leave out axis=, so that the last axis has the C "
    "characters, before the reshape.":
        [f"mean_loss(tf.one_hot(targets, num_classes, axis={axis}), logits)" for axis in (0, 1)]
        + ["mean_loss(tf.transpose(tf.one_hot(targets, num_classes)), logits)",
           "mean_loss(tf.transpose(labels), logits)"],
    "The one-hot targets have 0 and 1 exchanged: leave out on_value and off_value.": ["mean_loss(1 - labels, logits)"],
    "Steps whose target is 0 do not count: it is the id of a character like any other.":
        ["tf.reduce_mean(tf.boolean_mask(losses, tf.reshape(targets, [-1]) > 0))",
         "tf.reduce_mean(losses * tf.cast(tf.reshape(targets, [-1]) > 0, tf.float32))"],
    "Not all steps count: take the mean over all N·M steps.":
        ["losses[0]", "losses[-1]", "tf.reduce_mean(losses[1:])", "tf.reduce_max(losses)", "tf.reduce_min(losses)",
         *(f"tf.reduce_mean(tf.reshape(losses, targets.shape)[:, {steps}])" for steps in ("1:", ":-1", "-1"))],
}

SURE = 100.0  # a logit; the probability of a character whose logit is 100 lower is 0 in float32


def examine(answer: Callable) -> None:
    """Check the loss for two sets of sizes."""
    random = np.random.RandomState(1)  # no step's loss is both the first and the smallest
    for n, m, size, num_classes in [(2, 3, 4, 5)] + [tuple(random.permutation(np.arange(3, 9))[:4].tolist())]:
        values = (2 * random.normal(size=[n * m, num_classes])).astype(np.float32)
        ids = random.randint(0, num_classes, size=[n, m]).astype(np.int32)
        ids[0, :2] = num_classes - 1, 0
        number, gradient = _first_run(answer, values, ids, size)
        need(np.array_equal(number, _run(answer, values, ids, size)[0]) or not np.isfinite(number).all(),
             "The loss changes from one run to the next: there is something random in it, such as dropout.")
        _examine_number(number, values, ids, size)
        sure = SURE * np.eye(num_classes, dtype=np.float32)[ids.ravel()]
        right, wrong = (float(_run(answer, np.roll(sure, shift, axis=1), ids, size)[0]) for shift in (0, 1))
        losses = cross_entropies(values, ids)
        need(close(number, losses.mean()) or not close(number, np.clip(losses, right, wrong).mean()),
             f"The loss of a step is never below {abs(right):.3g} or above {wrong:.4g}: is something clipped before "
             "the logarithm? Give the logits as they are to tf.nn.softmax_cross_entropy_with_logits_v2.")
        compare(number, losses.mean(), [], "The loss should be the mean softmax cross-entropy with the one-hot "
                                           "targets: on a small example")
        _examine_gradient(gradient, values, ids)
        _examine_sure(right, wrong)


def _first_run(answer: Callable, values: np.ndarray, ids: np.ndarray, size: int) -> Tuple[np.ndarray, Any]:
    """Run the loss; where that raises, and would not if lstm_size were num_classes, say so."""
    try:
        return _run(answer, values, ids, size)
    except Wrong as wrong:
        try:
            _run(answer, values, ids, values.shape[1])
        except Wrong:
            raise wrong from None
        raise Wrong(f"lstm_size stands where num_classes is meant, the depth of tf.one_hot. {wrong}") from None


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
    need(close(wrong, SURE) and abs(right) < 1e-4,
         f"Where the network is sure of a character the loss should be 0 if that comes and {SURE:g} if another comes, "
         f"but it is {right:.4g} and {wrong:.4g}. Is something clipped, smoothed or added? (inf and nan come "
         "from the logarithm of 0.) Give the logits as they are to tf.nn.softmax_cross_entropy_with_logits_v2.")


def _examine_number(number: np.ndarray, values: np.ndarray, ids: np.ndarray, size: int) -> None:
    """Check the loss of usual logits; a wrong one is compared with what the typical mistakes give."""
    losses, num_classes = cross_entropies(values, ids), values.shape[1]
    if close(number, losses.mean()):
        return
    name_mistake(number, MISTAKES, logits=values, targets=ids, lstm_size=size, num_classes=num_classes,
                 labels=np.eye(num_classes, dtype=np.float32)[ids.ravel()], losses=losses, mean_loss=mean_loss)
    need(np.isfinite(number).all(), "The loss is not a number: the logarithm is that of a probability, so that of the "
                                    "softmax, not of the logits. tf.nn.softmax_cross_entropy_with_logits_v2 does both.")
    need(number.shape == (), f"The loss should be a scalar, [], but it is {words.brackets(number.shape)}.")


def mean_loss(one_hot: tf.Tensor, logits: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Return the mean softmax cross-entropy with one-hot targets."""
    labels = tf.reshape(one_hot, logits.shape)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=axis))


def _examine_gradient(gradient: Any, values: np.ndarray, ids: np.ndarray) -> None:
    """Check that the loss can be trained on: its gradient with respect to the logits."""
    need(gradient is not None,
         "The number is right, but no gradient flows from the loss to the logits, so nothing could be learned.")
    one_hot = np.eye(values.shape[1])[ids.ravel()]
    need(close(gradient, (softmax(values) - one_hot) / ids.size),
         "The number is right, but its gradient with respect to the logits is not, so the network would learn "
         "something else.")
