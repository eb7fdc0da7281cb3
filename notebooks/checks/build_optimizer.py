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
# The gradients of two variables, of norms 30 and 40, and their values.
GRADIENTS = np.array([[0, 24, 18], [32, 0, -24]], np.float32)
VALUES = np.array([[1, 2, -1], [-2, 3, 1]], np.float32)
ADAM = ("ApplyAdam", "ResourceApplyAdam")
UPDATES = 3  # that are done


def examine(answer: Callable) -> None:
    """Check some updates with three learning rates and limits, with and without need to clip."""
    for learning_rate, grad_clip in [(0.01, 4.0), (0.0625, 200.0), (0.003, 2.0)]:
        tf.reset_default_graph()
        frozen = tf.Variable(tf.ones(2), name="frozen", trainable=False)
        variables = [tf.Variable(value, name=name) for name, value in zip("wv", VALUES)]
        loss = tf.reduce_sum(frozen) + tf.add_n(
            [
                tf.reduce_sum(one * tf.constant(gradient))
                for one, gradient in zip(variables, GRADIENTS)
            ]
        )
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
            norm = np.linalg.norm(GRADIENTS)
            limit = min(norm, grad_clip)
            found = np.array([updates[name].gradient for name in "wv"])
            compare(
                found,
                GRADIENTS * limit / norm,
                f"With gradients of a global norm of {norm:g} and grad_clip = {grad_clip:g} Adam should get "
                f"gradients of the norm {limit:g}, but theirs is {np.linalg.norm(found):.4g}: clip "
                "those of the loss alone, once, by grad_clip, and keep the order of the variables.",
                MISTAKES,
                gradients=list(GRADIENTS),
                grad_clip=grad_clip,
                variables=list(VALUES),
            )
            _examine_settings(updates["w"], learning_rate, grad_clip)
            for _ in range(UPDATES):
                session.run(operation)
            found = np.array(session.run(variables))
        # where the gradients are constant
        right = VALUES - UPDATES * learning_rate * np.sign(GRADIENTS)
        should, are = (one.astype(float).round(6).tolist() for one in (right, found))
        expect(
            np.allclose(found, right, rtol=0, atol=3e-6 + 1e-4 * learning_rate),
            f"After {UPDATES} updates the weights should be {should}, but they are {are}: do one update with Adam, "
            "with a constant learning rate, and change nothing else, as weight decay does.",
        )


def reachable(*operations: Any) -> Set[tf.Operation]:
    """Return the operations that run when these do."""
    found = set()
    waiting = [one.op if isinstance(one, tf.Tensor) else one for one in operations]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [tensor.op for tensor in one.inputs] + list(one.control_inputs)
    return found


def adam_operations(*operations: Any) -> Dict[str, tf.Operation]:
    """Return the ApplyAdam operations that run with some operations, by the name of their variable."""
    return {one.inputs[0].op.name: one for one in reachable(*operations) if one.type in ADAM}


def run_updates(
    session: tf.Session, operations: Dict[str, tf.Operation], feed: Any = None
) -> Dict[str, Update]:
    """Evaluate what each ApplyAdam operation gets, without doing the update."""
    fetches = {name: list(one.inputs)[5:10] for name, one in operations.items()}
    return {name: Update(*values) for name, values in session.run(fetches, feed).items()}


def _examine_operations(operations: Set[tf.Operation], adams: Dict[str, tf.Operation]) -> None:
    """Check that Adam updates each trainable variable, once, and that nothing else writes to one."""
    others = sorted(
        {one.type for one in operations if "Apply" in one.type and one.type not in ADAM}
    )
    need(
        adams,
        f"It does no update with Adam{': it has ' + ', '.join(others) if others else ''}. Return what "
        "apply_gradients of a tf.train.AdamOptimizer gives.",
    )
    need(
        sorted(adams) == ["v", "w"],
        f"It trains {', '.join(sorted(adams))}, but should train v and w: take all of tf.trainable_variables(), "
        "in one apply_gradients, but no variable made with trainable=False.",
    )
    need(
        sum(one.type in ADAM for one in operations) == len(adams),
        "A variable is updated more than once: one optimizer, and one apply_gradients, is enough.",
    )


def _examine_settings(update: Update, learning_rate: float, grad_clip: float) -> None:
    for name, found, right in [
        ("learning_rate", update.learning_rate, learning_rate),
        ("beta1", update.beta1, 0.9),
        ("beta2", update.beta2, 0.999),
        ("epsilon", update.epsilon, 1e-8),
    ]:
        wrong = "grad_clip" if close(found, grad_clip) else f"{found:.4g}"
        need(
            np.isclose(found, right, rtol=1e-3),
            f"Adam's {name} is {wrong}, but should be {right:g}: "
            "give the optimizer learning_rate itself, without a decay, and nothing else.",
        )
