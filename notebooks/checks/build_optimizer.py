"""The check of build_optimizer: what Adam gets, found by its operations, so that names do not matter."""

from typing import Any, Callable, Dict, NamedTuple, Set

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import expect, need, returned
from .tensors import close, compare


class Update(NamedTuple):
    """What one ApplyAdam operation gets, as numbers."""

    learning_rate: float
    beta1: float
    beta2: float
    epsilon: float
    gradient: np.ndarray


# What typical mistakes have in place of the clipped gradients, by what to say to them; gradients are those of the loss.
# A test puts each of them into the solution.
MISTAKES = words.mistakes("build_optimizer")
# The two variables, their values, and the gradients, which have the norms 30 and 40.
NAMES = "wv"
VALUES = np.array([[1, 2, -1], [-2, 3, 1]], np.float32)
GRADIENTS = np.array([[0, 24, 18], [32, 0, -24]], np.float32)
ADAM = ("ApplyAdam", "ResourceApplyAdam")
# makes gradients so small that no limit clips them
SMALL = np.float32(1e-5)
# parts and multiples of grad_clip that people write
SHARES = (0.1, 0.25, 0.5, 2, 4, 10)
# limits that people write in place of grad_clip
FIXED = (0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 10)
# updates that are made
UPDATES = 3


def examine(answer: Callable) -> None:
    """Check some updates with three learning rates and limits, with and without need to clip."""
    trials = [(0.0625, 300.0, SMALL), (0.01, 3.5, 1.0), (0.0625, 300.0, 1.0), (0.003, 2.25, 1.0)]
    for learning_rate, grad_clip, scale in trials:
        tf.reset_default_graph()
        frozen = tf.Variable(tf.ones(2), name="frozen", trainable=False)
        variables = [tf.Variable(value, name=name) for name, value in zip(NAMES, VALUES)]
        products = [
            tf.reduce_sum(variable * tf.constant(scale * gradient))
            for variable, gradient in zip(variables, GRADIENTS)
        ]
        loss = tf.reduce_sum(frozen) + tf.add_n(products)
        operation = returned(answer, (loss, learning_rate, grad_clip), ["optimizer"])
        need(
            isinstance(operation, (tf.Operation, tf.Tensor)),
            f"It should return the operation that apply_gradients gives, not {words.describe(operation)}.",
        )
        adams = adam_operations(operation)
        _examine_operations(reachable(operation), adams)

        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for variable in tf.global_variables():
                # a counter of steps: the learning rate must not depend on it
                if variable.dtype.is_integer:
                    variable.load(10**6, session)
            updates = run_updates(session, adams)
            if scale == SMALL:
                _examine_small_gradients(updates)
                continue
            _examine_gradients(updates, learning_rate, grad_clip)
            _examine_settings(updates["w"], learning_rate, grad_clip)
            for _ in range(UPDATES):
                session.run(operation)
            _examine_weights(np.array(session.run(variables)), learning_rate)


def reachable(*operations: Any) -> Set[tf.Operation]:
    """Return the operations that run when these do."""
    reached = set()
    waiting = list(operations)
    while waiting:
        operation = waiting.pop()
        if isinstance(operation, tf.Tensor):
            operation = operation.op
        if operation not in reached:
            reached.add(operation)
            waiting += [*operation.inputs, *operation.control_inputs]
    return reached


def adam_operations(*operations: Any) -> Dict[str, tf.Operation]:
    """Return the ApplyAdam operations that run with some operations, by the name of their variable."""
    adams = [operation for operation in reachable(*operations) if operation.type in ADAM]
    return {operation.inputs[0].op.name: operation for operation in adams}


def run_updates(
    session: tf.Session, operations: Dict[str, tf.Operation], feed: Any = None
) -> Dict[str, Update]:
    """Evaluate what each ApplyAdam operation gets, without doing the update."""
    fetches = {name: list(operation.inputs)[5:10] for name, operation in operations.items()}
    return {name: Update(*values) for name, values in session.run(fetches, feed).items()}


def _examine_operations(operations: Set[tf.Operation], adams: Dict[str, tf.Operation]) -> None:
    """Check that Adam updates each trainable variable, once, and that nothing else writes to one."""
    updating = [operation.type for operation in operations if "Apply" in operation.type]
    others = sorted({kind for kind in updating if kind not in ADAM})
    instead = f": it has {', '.join(others)}" if others else ""
    need(
        adams,
        f"It does no update with Adam{instead}. Return what apply_gradients of a tf.train.AdamOptimizer gives.",
    )
    need(
        sorted(adams) == ["v", "w"],
        f"It trains {', '.join(sorted(adams))}, but should train v and w: take all of tf.trainable_variables(), "
        "in one apply_gradients, but no variable made with trainable=False.",
    )
    need(
        len(adams) == sum(kind in ADAM for kind in updating),
        "A variable is updated more than once: one optimizer, and one apply_gradients, is enough.",
    )


def _examine_small_gradients(updates: Dict[str, Update]) -> None:
    """Check that gradients which need no clipping are those of the loss, and no multiple of them."""
    actual = np.array([updates[name].gradient for name in NAMES]) / SMALL
    factor = float(np.sum(actual * GRADIENTS) / np.sum(GRADIENTS**2))
    is_multiple = np.allclose(actual, factor * GRADIENTS, rtol=1e-3, atol=1e-3)
    # A gradient that was scaled up to a limit is so many thousand times as large.
    is_limit = abs(factor) > 1000
    need(
        not is_multiple or is_limit or factor == 0 or np.isclose(abs(factor), 1, rtol=1e-3),
        f"Where nothing is to be clipped, Adam gets {factor:.3g} times the gradients of the loss: take those of the "
        "loss itself, tf.gradients(loss, variables), and multiply and divide nothing.",
    )


def _examine_gradients(updates: Dict[str, Update], learning_rate: float, grad_clip: float) -> None:
    """Compare the gradients that Adam gets with those of the loss, clipped."""
    norm = np.linalg.norm(GRADIENTS)
    limit = min(norm, grad_clip)
    actual = np.array([updates[name].gradient for name in NAMES])
    expected = GRADIENTS * limit / norm
    for whole in (GRADIENTS, expected):
        by_itself = np.clip(whole, actual.min(), actual.max())
        need(
            close(actual, whole) or not actual.any() or not close(actual, by_itself),
            "Each number of the gradients is clipped by itself, which changes the direction of the whole gradient: use "
            "tf.clip_by_global_norm, which scales them all alike.",
        )
    fixed = round(float(np.linalg.norm(actual)), 3)
    is_scaled = close(actual, GRADIENTS * fixed / norm)
    need(
        not is_scaled or not close(fixed, learning_rate),
        "The gradients are clipped to the norm learning_rate: the limit is the argument grad_clip.",
    )
    need(
        not is_scaled or fixed not in FIXED or close(fixed, limit),
        f"The gradients are clipped to a norm of {fixed:g}, whatever grad_clip is: the limit is the argument "
        f"grad_clip, here {grad_clip:g}.",
    )
    share = fixed / grad_clip
    need(
        not is_scaled or close(fixed, limit) or not any(close(share, other) for other in SHARES),
        f"The gradients are clipped to a norm of {fixed:g}, which is {share:g} times grad_clip: the limit is grad_clip "
        "itself.",
    )
    compare(
        actual,
        expected,
        f"With gradients of a global norm of {norm:g} and grad_clip = {grad_clip:g} Adam should get "
        f"gradients of the norm {limit:g}, but theirs is {np.linalg.norm(actual):.4g}: clip "
        "those of the loss alone, once, by grad_clip, and keep the order of the variables.",
        MISTAKES,
        gradients=list(GRADIENTS),
        grad_clip=grad_clip,
        variables=list(VALUES),
    )


def _examine_settings(update: Update, learning_rate: float, grad_clip: float) -> None:
    expected = {"learning_rate": learning_rate, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    for name, value in expected.items():
        actual = getattr(update, name)
        shown = "grad_clip" if close(actual, grad_clip) else f"{actual:.4g}"
        need(
            np.isclose(actual, value, rtol=1e-3),
            f"Adam's {name} is {shown}, but should be {value:g}: "
            "give the optimizer learning_rate itself, without a decay, and nothing else.",
        )


def _examine_weights(weights: np.ndarray, learning_rate: float) -> None:
    """Check the weights after the updates: where the gradients are constant, each changes them by the learning rate."""
    expected = VALUES - UPDATES * learning_rate * np.sign(GRADIENTS)
    expect(
        np.allclose(weights, expected, rtol=0, atol=3e-6 + 1e-4 * learning_rate),
        f"After {UPDATES} updates the weights should be {_rounded(expected)}, but they are {_rounded(weights)}: do "
        "one update with Adam, with a constant learning rate, and change nothing else, as weight decay does.",
    )


def _rounded(weights: np.ndarray) -> Any:
    return weights.astype(float).round(6).tolist()
