"""The check of build_output: its variables, its numbers against NumPy, its names, and how the weights begin."""

from typing import Any, Callable, List

import numpy as np

from charrnn.engines.decoding import softmax
from charrnn.system.tensorflow import tf

from . import words
from .answer import call, items, need
from .tensors import close, compare

NAMES = ["predictions", "logits"]
# What typical mistakes have in place of tf.matmul(rows, weights) + bias, by what to say to them. The names are those of
# the solution. A test puts each of them into the solution.
WRONG_LOGITS = words.mistakes("build_output logits")
# And in place of tf.nn.softmax(logits).
WRONG_PREDICTIONS = words.mistakes("build_output predictions")


def examine(answer: Callable) -> None:
    """Check the layer for two pairs of sizes, then the beginning of the weights."""
    random = np.random.RandomState(0)
    other_sizes = random.permutation(np.arange(3, 9)).tolist()
    for n, m, size, num_classes in [(2, 3, 4, 5), other_sizes[:4]]:
        tf.reset_default_graph()
        lstm_output = random.normal(size=[n, m, size]).astype(np.float32)
        tensors = items(answer, (tf.constant(lstm_output), size, num_classes), NAMES)
        _examine_tensors(tensors, lstm_output, num_classes)
    _examine_beginning(answer)


def _examine_tensors(tensors: Any, lstm_output: np.ndarray, num_classes: int) -> None:
    for name, tensor in zip(NAMES, tensors):
        need(
            isinstance(tensor, tf.Tensor) and tensor.dtype == tf.float32,
            f"{name} should be a float32 tensor, not {words.describe(tensor)}.",
        )

    _examine_variables(lstm_output.shape[-1], num_classes)
    _examine_numbers(tensors, lstm_output)
    name = tensors[0].op.name
    need(
        name == "predictions",
        f"The softmax is named {name!r} in the graph: give it name='predictions', and make it after the "
        "scope, which is for the two variables.",
    )


def _examine_variables(size: int, num_classes: int) -> None:
    variables = tf.global_variables()
    actual = [f"{variable.op.name} {variable.shape.as_list()}" for variable in variables]
    expected = [f"softmax/Variable {[size, num_classes]}", f"softmax/Variable_1 {[num_classes]}"]
    need(
        actual == expected,
        f"The variables should be the weights, [L, C], {expected[0]}, and the bias, [C], {expected[1]}, "
        f"but they are {', '.join(actual) or 'none'}. Make the weights, then the bias, with tf.Variable, inside "
        "tf.variable_scope('softmax') and without names of their own.",
    )

    for name, variable in zip(["weights", "bias"], variables):
        need(
            variable in tf.trainable_variables(),
            f"The {name} cannot be learned: leave trainable at True.",
        )


def _examine_numbers(tensors: List[tf.Tensor], lstm_output: np.ndarray) -> None:
    """Compare with NumPy, after giving the bias numbers other than zeros."""
    weights, bias = tf.global_variables()
    random = np.random.RandomState(1)
    matrix = random.normal(size=weights.shape.as_list()).astype(np.float32)
    vector = np.arange(1.0, 1 + bias.shape.num_elements(), dtype=np.float32)

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights.load(matrix, session)
        bias.load(vector, session)
        predictions, logits = session.run(list(tensors))

    n, m, size = lstm_output.shape
    num_classes = vector.size
    rows = lstm_output.reshape([-1, size])
    expected = rows @ matrix + vector  # [N·M, C]
    reasons = {
        (n, num_classes): " (as of one step only, x[:, -1])",
        (
            m,
            num_classes,
        ): " (as of one sequence only: x[-1] is the last row of the batch, not the last step)",
    }

    for name, values in [("logits", logits), ("predictions", predictions)]:
        need(
            values.shape == expected.shape,
            f"{name} should be [N·M, C] = {words.brackets(expected.shape)}, one row for each step of each sequence, "
            f"but they are {words.brackets(values.shape)}{reasons.get(values.shape, '')}: reshape the outputs of all "
            "steps to [N·M, L] before the product, and take the softmax of the logits.",
        )

    need(
        not (close(logits, softmax(expected)) and close(predictions, expected)),
        "The two results are swapped: the order is predictions, logits.",
    )
    compare(
        logits,
        expected,
        "The logits are not x·W + b: only join and reshape the LSTM output, and change nothing "
        "before or after the product and the sum. Dropout belongs in build_lstm.",
        WRONG_LOGITS,
        joined=lstm_output,
        rows=rows,
        weights=matrix,
        bias=vector,
    )
    compare(
        predictions,
        softmax(logits),
        "predictions are not the softmax of the logits.",
        WRONG_PREDICTIONS,
        logits=logits,
    )


def _examine_beginning(answer: Callable) -> None:
    """Look at the distribution of 60 x 70 new weights."""
    tf.reset_default_graph()
    call(answer, tf.zeros([2, 3, 60]), 60, 70)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights, bias = session.run(tf.global_variables())
    need(not bias.any(), "The bias should begin as zeros, but it does not.")

    mean = abs(weights.mean())
    deviation = weights.std()
    largest = np.abs(weights).max()
    need(
        largest <= 0.2 and 0.08 < deviation < 0.096 and mean < 0.01,
        "The weights should begin as tf.truncated_normal with stddev=0.1, given by name (then none is beyond 0.2), "
        f"but their mean is {mean:.3f}, the deviation {deviation:.3f}, and the largest {largest:.2f}.",
    )
