"""The check of build_output: its variables, its numbers against NumPy, its names, and how the weights begin."""
from typing import Any, Callable, List

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Wrong, call, items, need
from .tensors import close, name_mistake, softmax

HINTS = (
    "Three steps: make one tensor of the LSTM output and reshape it to rows of L numbers; make the weights and "
    "the bias inside tf.variable_scope(\"softmax\"); multiply, add, and take the softmax.",
    "tf.concat(lstm_output, axis=1), then tf.reshape(..., [-1, in_size]). The variables are tf.Variable(...) of "
    "tf.truncated_normal([in_size, out_size], stddev=0.1) and of tf.zeros(out_size), in this order. Make only "
    "these two inside the scope.",
    "After the with block:\n"
    "    logits = tf.matmul(rows, weights) + bias\n"
    "    predictions = tf.nn.softmax(logits, name=\"predictions\")\n"
    "Return predictions first.",
)
NAMES = ["predictions", "logits"]
# What typical mistakes have in place of tf.matmul(rows, weights) + bias, by what to say to them. The names are those of
# the solution. A test puts each of them into the solution.
WRONG_LOGITS = {
    "The logits have been through the softmax: return x·W + b itself as the logits, and its softmax as the "
    "predictions.": ["tf.nn.softmax(tf.matmul(rows, weights) + bias)"],
    "The bias is not added to the logits.": ["tf.matmul(rows, weights)"],
    "The bias is added twice.": ["tf.matmul(rows, weights) + bias + bias"],
    "The bias is subtracted from the logits: add it.": ["tf.matmul(rows, weights) - bias"],
    "The bias is added to the weights: add it after the product, x·W + b.": ["tf.matmul(rows, weights + bias)"],
    **{f"The logits have been through a {name}: they should be x·W + b itself, without an activation.":
       [f"tf.nn.{name}(tf.matmul(rows, weights) + bias)"] for name in ("relu", "sigmoid", "tanh", "log_softmax")},
    "The rows of the logits come in another order: first all steps of row 0, then those of row 1. Join along axis 1, "
    "and do not transpose.":
        ["tf.matmul(tf.reshape(tf.transpose(joined, [1, 0, 2]), rows.shape), weights) + bias"],
}
# And in place of tf.nn.softmax(logits).
WRONG_PREDICTIONS = {
    "predictions are the logits: take their softmax.": ["logits"],
    "The softmax is taken twice for predictions: once is enough.": ["tf.nn.softmax(tf.nn.softmax(logits))"],
    "The softmax runs down the columns: it should run along each row, the last axis, so that each row sums to 1.":
        ["tf.nn.softmax(logits, axis=0)"],
    "predictions are the sigmoid of the logits: take the softmax.": ["tf.nn.sigmoid(logits)"],
    "predictions are the logarithm of the softmax: take the softmax itself.": ["tf.nn.log_softmax(logits)"],
    "predictions are the exponentials of the logits: the softmax divides them by their sum as well.":
        ["tf.exp(logits)"],
}


def examine(answer: Callable) -> None:
    """Check the layer for two pairs of sizes, then the beginning of the weights, then a list of steps."""
    random = np.random.RandomState(0)
    for n, m, size, num_classes in [(2, 3, 4, 5)] + [tuple(random.permutation(np.arange(3, 9))[:4].tolist())]:
        tf.reset_default_graph()
        values = random.normal(size=[n, m, size]).astype(np.float32)
        given = tf.constant(values)
        try:
            made = items(answer, (given, size, num_classes), NAMES)
        except Wrong:
            _examine_exchanged_sizes(tf.global_variables(), size, num_classes)  # why the product fails
            raise
        _examine_made(made, values, num_classes, given)
    _examine_beginning(answer)
    tf.reset_default_graph()
    steps = [tf.constant(values[:, step]) for step in range(m)]  # M of [N, L]
    try:
        _examine_made(items(answer, (steps, size, num_classes), NAMES), values, num_classes, steps[0])
    except Wrong as wrong:
        raise Wrong(f"Right for one tensor, but not for a list of M tensors [N, L]: {wrong}")


def _examine_made(made: Any, values: np.ndarray, num_classes: int, given: tf.Tensor) -> None:
    for name, tensor in zip(NAMES, made):
        need(isinstance(tensor, tf.Tensor), f"{name} should be a tensor, not {words.describe(tensor)}.")
        need(tensor.dtype == tf.float32, f"{name} should be float32, but it is {tensor.dtype.name}.")
    _examine_variables(tf.global_variables(), values.shape[-1], num_classes)
    _examine_numbers(made, values)
    _examine_name(made[0].op.name)
    _examine_gradients(made[1], given)


def _examine_variables(variables: List[tf.Variable], size: int, num_classes: int) -> None:
    names = [variable.op.name for variable in variables]
    shapes = [words.brackets(variable.shape) for variable in variables]
    need(len(names) == 2,
         f"There should be two variables, the weights and the bias, but {words.are(len(names), 'variable')}"
         f"{': ' + ', '.join(names) if names else ''}. (A tensor alone is not learned: put it into tf.Variable.)")
    need(all(name.startswith("softmax/") for name in names),
         "The variables should be made inside tf.variable_scope('softmax'), but they are named "
         f"{words.listing(names)}.")
    right = [str([size, num_classes]), str([num_classes])]
    need(shapes != right[::-1], "The bias is made before the weights: make the weights first, so that they are "
                                "softmax/Variable and the bias is softmax/Variable_1, as in every checkpoint.")
    need(names == ["softmax/Variable", "softmax/Variable_1"],
         f"The variables are named {words.listing(names)}: made with tf.Variable and without a name of their own, "
         "they are softmax/Variable and softmax/Variable_1, as in every checkpoint.")
    _examine_exchanged_sizes(variables, size, num_classes)
    need(shapes == right,
         f"The weights should be [L, C] = {right[0]} and the bias [C] = {right[1]}, but they are "
         f"{words.listing(shapes)}.")
    for name, variable in zip(["weights", "bias"], variables):
        need(variable in tf.trainable_variables(), f"The {name} cannot be learned: leave trainable at True.")


def _examine_exchanged_sizes(variables: List[tf.Variable], size: int, num_classes: int) -> None:
    need(not any(variable.shape.as_list() == [num_classes, size] for variable in variables),
         f"The weights are [C, L] = {[num_classes, size]}, but should be [L, C] = {[size, num_classes]}: in_size "
         "first, then out_size.")
    need(not any(variable.shape.as_list() == [size] for variable in variables),
         f"The bias is [L] = [{size}], but should be [C] = [{num_classes}]: one number for each character.")


def _examine_numbers(made: List[tf.Tensor], values: np.ndarray) -> None:
    """Compare with NumPy, after giving the bias numbers other than zeros."""
    weights, bias = tf.global_variables()
    given = np.arange(1.0, 1 + bias.shape.num_elements(), dtype=np.float32)
    matrix = np.random.RandomState(1).normal(size=weights.shape.as_list()).astype(np.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())

        def results(matrix: np.ndarray, given: np.ndarray) -> List[np.ndarray]:
            weights.load(matrix, session)
            bias.load(given, session)
            return session.run(list(made))

        predictions, logits = results(matrix, given)
        again = session.run(made[1])
        _, unbiased = results(matrix, 0 * given)
    rows = values.reshape([-1, values.shape[-1]])  # [N·M, L]
    expected = rows @ matrix + given
    shape = words.brackets(expected.shape)
    need(close(np.nan_to_num(logits), np.nan_to_num(again)),
         "The logits change from one run to the next: there is something random in them. Dropout belongs in the "
         "layers of build_lstm only.")
    need(logits.shape != (values.shape[0], expected.shape[1]),
         f"logits should be [N·M, C] = {shape}, one row for each step, but they are "
         f"{words.brackets(logits.shape)}, one for each sequence: take the outputs of all steps, not only the last.")
    need(logits.shape == expected.shape,
         f"logits should be [N·M, C] = {shape}, one row for each step, but they are "
         f"{words.brackets(logits.shape)}: reshape the LSTM output to [N·M, L] before the product.")
    need(predictions.shape == expected.shape,
         f"predictions should be [N·M, C] = {shape}, like the logits, but they are "
         f"{words.brackets(predictions.shape)}.")
    need(not (close(logits, softmax(expected)) and close(predictions, expected)),
         "The two results are swapped: the order is predictions, logits.")
    if not close(logits, expected):
        name_mistake(logits, WRONG_LOGITS, joined=values, rows=rows, weights=matrix, bias=given)
        raise Wrong(_explain_logits(logits, unbiased, expected, rows, matrix))
    _examine_predictions(predictions, logits)


def _explain_logits(logits: np.ndarray, unbiased: np.ndarray, expected: np.ndarray, rows: np.ndarray,
                    matrix: np.ndarray) -> str:
    """Say which part of x·W + b is wrong where the logits are, also in those with a bias of zeros."""
    if close(unbiased, rows @ matrix) or not unbiased.any():
        return "The bias is not used as it should be: add it once, after the product, x·W + b."
    finite = np.isfinite(logits).all() and np.isfinite(unbiased).all()
    if not finite or (np.diff(logits.ravel()[expected.argsort(axis=None)]) > -1e-4).all():
        return "The logits have been through an activation, or multiplied: they should be x·W + b itself."
    if close(rows @ np.linalg.lstsq(rows, unbiased, rcond=None)[0], unbiased):
        return "The weights are changed before the product: it should be x·W, with W the variable as it is."
    found = np.linalg.lstsq(matrix.T, unbiased.T, rcond=None)[0].T
    if not close(found @ matrix, unbiased):
        return "The logits are changed after the product: add the bias, and nothing else."
    if close(np.sort(found, axis=None), np.sort(rows, axis=None)):
        return ("The numbers of the LSTM output come in another order: first all steps of row 0, then those of "
                "row 1. Join along axis 1, reshape to [-1, in_size], and do not transpose or reverse.")
    return ("The numbers of the LSTM output are changed before the product, such as by an activation: only "
            "reshape them to [-1, in_size].")


def _examine_predictions(predictions: np.ndarray, logits: np.ndarray) -> None:
    if close(predictions, softmax(logits)):
        return
    name_mistake(predictions, WRONG_PREDICTIONS, logits=logits)
    need(close(predictions.sum(axis=1), np.ones(len(predictions))),
         "predictions are not the softmax of the logits: the C numbers of a row do not sum to 1.")
    raise Wrong("predictions are not the softmax of the logits.")


def _examine_gradients(logits: tf.Tensor, given: tf.Tensor) -> None:
    """Check that the weights, the bias and the LSTM below can learn."""
    parts = dict(zip(["lstm_output", "the weights", "the bias"], [given] + tf.global_variables()))
    cut = [name for name, one in zip(parts, tf.gradients(logits, list(parts.values()))) if one is None]
    if cut:
        raise Wrong(f"The numbers are right, but no gradient flows from the logits to {words.listing(cut)}, so "
                    "nothing could be learned there: is there a tf.stop_gradient?")


def _examine_name(name: str) -> None:
    need(not name.endswith("/predictions"),
         f"The softmax is named {name!r} in the graph, because it is made inside the scope: the scope is for the "
         "two variables, so make the softmax after it.")
    need(name == "predictions", f"The softmax is named {name!r} in the graph: give it name='predictions'.")


def _examine_beginning(answer: Callable) -> None:
    """Look at the distribution of 60 x 70 new weights."""
    tf.reset_default_graph()
    call(answer, tf.zeros([2, 3, 60]), 60, 70)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights, bias = session.run(tf.global_variables())
    need(not bias.any(), "The bias should begin as zeros, but it does not.")
    need(weights.any(), "The weights begin as zeros: then all gradients below them are zero as well. Let them "
                        "begin as tf.truncated_normal with stddev=0.1.")
    deviation, largest = weights.std(), np.abs(weights).max()
    need(largest <= 0.2 and 0.08 < deviation < 0.096 and abs(weights.mean()) < 0.01,
         "The weights should begin as tf.truncated_normal with stddev=0.1 (none beyond 0.2 either way), but they "
         f"have a mean of {round(float(weights.mean()), 3) + 0:.3f}, a standard deviation of {deviation:.3f} and "
         f"go up to {largest:.2f}"
         + (": that is tf.random_normal, which does not cut off the tails." if 0.095 < deviation < 0.105
            and largest > 0.25 else
            ": stddev is 1 unless given by name, since the second argument is the mean." if largest > 1 else "."))
