"""The check of build_optimizer: what Adam gets, found by its operations, so that names do not matter."""
import re
from typing import Any, Callable, Dict, List, NamedTuple, Set

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Wrong, need, single
from .tensors import close

HINTS = (
    "Three steps: the gradients of the loss with respect to all trainable variables; the same gradients, clipped "
    "by their global norm; an Adam optimizer that applies them.",
    "tf.gradients(loss, tf.trainable_variables()) is a list, in the order of the variables. "
    "tf.clip_by_global_norm(list, grad_clip) returns TWO things: the clipped list and the norm. apply_gradients "
    "takes pairs (gradient, variable).",
    "The middle of it:\n"
    "    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)\n"
    "    adam = tf.train.AdamOptimizer(learning_rate)\n"
    "What adam.apply_gradients(zip(gradients, variables)) returns is the optimizer.",
)


class Update(NamedTuple):
    """What one ApplyAdam operation gets, as numbers."""

    learning_rate: float
    beta1: float
    beta2: float
    epsilon: float
    gradient: np.ndarray


# The gradients of two variables: norms 30 and 40, together NORM. And that of a variable that is not trainable.
GRADIENTS = {"w": np.array([0., 24., 18.]), "v": np.array([32., -24.])}
VALUES = {"w": np.array([1., 2., -1.]), "v": np.array([-2., 1.])}
NORM, FIXED = 50, np.array([7., 7.])

ADAM = ("ApplyAdam", "ResourceApplyAdam")
UPDATES = 3  # that are done


def examine(answer: Callable) -> None:
    """Check one update with three learning rates and limits, with and without need to clip."""
    for learning_rate, grad_clip in [(0.01, 4.0), (0.0625, 100.0), (0.003, 2.0)]:
        tf.reset_default_graph()
        frozen = tf.Variable(tf.ones(2), name="frozen", trainable=False)
        variables = {name: tf.Variable(VALUES[name], name=name, dtype=tf.float32) for name in GRADIENTS}
        loss = tf.reduce_sum(frozen * FIXED.astype(np.float32))
        for name, variable in variables.items():
            loss += tf.reduce_sum(variable * GRADIENTS[name].astype(np.float32))
        try:
            operation = single(answer, (loss, learning_rate, grad_clip), "optimizer")
        except Wrong as wrong:
            raise Wrong(f"{wrong}{_hint(str(wrong))}")
        _examine_kind(operation)
        adams = _adams_of(operation)
        need("frozen" not in adams, "A variable made with trainable=False is trained too: take "
                                    "tf.trainable_variables(), not all global variables.")
        need(set(adams) == set(variables),
             "Not all variables are trained: take tf.trainable_variables(), every one.")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            _examine_numbers(run_updates(session, adams), learning_rate, grad_clip)
            _examine_writes(operation, adams)
            for _ in range(UPDATES):
                session.run(operation)
            _examine_rate(session, adams, learning_rate)
            _examine_values(session.run(variables), learning_rate)


def _hint(raised: str) -> str:
    """Say more about an exception of TensorFlow that does not name its cause."""
    if "OperatorNotAllowedInGraphError" in raised:
        return ("\ntf.clip_by_global_norm returns two things, first the list of clipped gradients, then their norm; "
                "apply_gradients takes one list of pairs, zip(gradients, variables).")
    return ""


def _examine_kind(operation: Any) -> None:
    need(not isinstance(operation, tf.train.Optimizer),
         f"It returns the optimizer itself, {words.describe(operation)}: return the operation that its "
         "apply_gradients gives.")
    need(isinstance(operation, (tf.Operation, tf.Tensor)),
         f"It should return the operation that apply_gradients gives, not {words.describe(operation)}.")


def reachable(operation: Any) -> Set[tf.Operation]:
    """Return the operations that run when this one does."""
    found, waiting = set(), [operation.op if isinstance(operation, tf.Tensor) else operation]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [tensor.op for tensor in one.inputs] + list(one.control_inputs)
    return found


def adam_operations(operation: Any) -> Dict[str, tf.Operation]:
    """Return the ApplyAdam operations that run with an operation, by the name of their variable."""
    return {one.inputs[0].op.name: one for one in reachable(operation) if one.type in ADAM}


def run_updates(session: tf.Session, operations: Dict[str, tf.Operation], feed: Any = None) -> Dict[str, Update]:
    """Evaluate what each ApplyAdam operation gets, without doing the update."""
    fetches = {name: list(one.inputs)[5:10] for name, one in operations.items()}
    return {name: Update(*values) for name, values in session.run(fetches, feed).items()}


def _adams_of(operation: Any) -> Dict[str, tf.Operation]:
    adams = adam_operations(operation)
    kinds = {one.type for one in reachable(operation)}
    applied = sorted(kind for kind in kinds if "Apply" in kind)
    if not adams:
        need(not applied, f"The optimizer is not Adam ({', '.join(applied)}): use tf.train.AdamOptimizer.")
        raise Wrong("The operation that it returns updates nothing with Adam: return what apply_gradients of a "
                    "tf.train.AdamOptimizer gives.")
    need(sum(one.type in ADAM for one in reachable(operation)) == len(adams),
         "A variable is updated more than once: one optimizer, and one apply_gradients, is enough.")
    return adams


def _examine_writes(operation: Any, adams: Dict[str, tf.Operation]) -> None:
    """Check that nothing but plain Adam writes to the weights."""
    need(not any(one.get_attr("use_nesterov") for one in adams.values()),
         "The optimizer is not Adam, but Adam with Nesterov momentum (Nadam): use tf.train.AdamOptimizer.")
    kinds = sorted({one.type for one in reachable(operation) if one not in adams.values() and one.inputs
                    and one.inputs[0].op.name in adams and re.search("Assign|Scatter|Apply", one.type)})
    need(not kinds,
         f"Something besides Adam changes the weights ({', '.join(kinds)}), such as weight decay (AdamW): the "
         "update of tf.train.AdamOptimizer should be the only one.")


def _examine_rate(session: tf.Session, adams: Dict[str, tf.Operation], learning_rate: float) -> None:
    """Check that the learning rate stays the same, also when a counter of steps is far ahead."""
    for variable in tf.global_variables():
        if variable.dtype.is_integer:
            variable.load(10 ** 6, session)
    later = next(iter(run_updates(session, adams).values())).learning_rate
    need(close(later, learning_rate),
         f"Adam's learning rate changes during training, here from {learning_rate:g} to {later:.4g}: give the "
         "optimizer learning_rate itself, without a decay.")


def _examine_values(found: Dict[str, np.ndarray], learning_rate: float) -> None:
    """Check the weights after the updates. For constant gradients each is learning_rate x their sign."""
    right = {name: VALUES[name] - UPDATES * learning_rate * np.sign(one) for name, one in GRADIENTS.items()}
    need(all(np.allclose(found[name], right[name], rtol=0, atol=0.01 * learning_rate) for name in GRADIENTS),
         f"After {UPDATES} updates the weights should be {_rounded(right)}, but they are {_rounded(found)}: the "
         "operation should do one update with Adam and nothing else.")


def _examine_numbers(updates: Dict[str, Update], learning_rate: float, grad_clip: float) -> None:
    update = updates["w"]
    gradients = {name: one.gradient for name, one in updates.items()}
    by_rate = _by_global_norm(GRADIENTS, learning_rate)
    need(not (close(update.learning_rate, grad_clip) and _same(gradients, by_rate)),
         "learning_rate and grad_clip are swapped: Adam takes learning_rate, the clipping grad_clip.")
    _examine_gradients(gradients, learning_rate, grad_clip)
    need(not close(update.learning_rate, grad_clip) and close(update.learning_rate, learning_rate),
         f"Adam's learning rate is {update.learning_rate:.4g}, but learning_rate is {learning_rate:g}"
         + (" (it is grad_clip)" if close(update.learning_rate, grad_clip) else "")
         + ": give the optimizer learning_rate.")
    for name, found, usual in [("beta1", update.beta1, 0.9), ("beta2", update.beta2, 0.999),
                               ("epsilon", update.epsilon, 1e-8)]:
        need(not close(found, grad_clip), f"Adam's {name} is grad_clip: AdamOptimizer takes learning_rate alone.")
        need(np.isclose(found, usual, rtol=1e-3),
             f"Adam's {name} is {found:g}: leave it at its usual value, {usual:g}.")


def _examine_gradients(found: Dict[str, np.ndarray], learning_rate: float, grad_clip: float) -> None:
    """Compare the gradients that Adam gets with the clipped ones, and with what typical mistakes give."""
    right = _by_global_norm(GRADIENTS, grad_clip)

    def same(expected: Dict[str, np.ndarray]) -> bool:
        return _same(found, expected)

    if same(right):
        return
    need(not same({name: -one for name, one in right.items()}),
         "The weights move WITH their gradients, which makes the loss larger: the sign is wrong.")
    if grad_clip >= 50:
        need(same(GRADIENTS),
             f"Gradients with a global norm of {NORM} should stay as they are where grad_clip is {grad_clip:g}, "
             f"but they were changed, to a norm of {_norm(found):.4g}: use grad_clip as the limit, and scale the "
             "gradients only if their global norm is above it.")
    example = f"with a global norm of {NORM} and grad_clip = {grad_clip:g}"
    need(not same(GRADIENTS),
         f"The gradients are not clipped: {example}, Adam got them as they were. Call apply_gradients with "
         "zip(clipped, variables), where clipped is the list that clip_by_global_norm returns. (minimize does not "
         "clip.)")
    for wrong, message in _typical(learning_rate, grad_clip):
        need(not same(wrong), message)
    norm = _norm(found)
    need(not same(_by_global_norm(GRADIENTS, norm)),
         f"{example[0].upper()}{example[1:]} the gradients should shrink to that norm, but Adam got them with a "
         f"norm of {norm:.4g}: clip the gradients of the loss once, with grad_clip as the limit.")
    raise Wrong(f"{example[0].upper()}{example[1:]} the gradients should shrink to {_rounded(right)}, but Adam "
                f"got {_rounded(found)}.")


def _rounded(values: Dict[str, np.ndarray]) -> Dict[str, List[float]]:
    return {name: [float(f"{one:.4g}") for one in values[name]] for name in GRADIENTS}


def _same(found: Dict[str, np.ndarray], expected: Dict[str, np.ndarray]) -> bool:
    return all(close(found[name], expected[name]) for name in expected)


def _by_global_norm(gradients: Dict[str, np.ndarray], limit: float) -> Dict[str, np.ndarray]:
    return {name: one * min(1, limit / _norm(gradients)) for name, one in gradients.items()}


def _norm(gradients: Dict[str, np.ndarray]) -> float:
    return np.sqrt(sum((one ** 2).sum() for one in gradients.values()))


def _typical(learning_rate: float, grad_clip: float) -> List:
    def each(change: Callable) -> Dict[str, np.ndarray]:
        return {name: change(one) for name, one in GRADIENTS.items()}

    def norm(one: np.ndarray) -> float:
        return np.sqrt((one ** 2).sum())

    return [
        (each(lambda one: np.clip(one, -grad_clip, grad_clip)),
         "Each number of the gradients is clipped by itself, which changes the direction of the whole gradient: "
         "clip by the global norm, which scales them all alike."),
        (each(lambda one: one * min(1, grad_clip / norm(one))),
         "Each variable's gradient is clipped by its own norm: clip by the norm of all of them together, "
         "tf.clip_by_global_norm."),
        (each(lambda one: one * min(1, grad_clip / (norm(one) / one.size))),
         "Each variable's gradient is clipped by its own average norm: clip by the norm of all of them together, "
         "tf.clip_by_global_norm."),
        (_by_global_norm(VALUES, grad_clip),
         "The weights are clipped in place of their gradients: clip_by_global_norm takes the list that "
         "tf.gradients returns."),
        (_by_global_norm(GRADIENTS, learning_rate),
         "The gradients are clipped to learning_rate: the limit is grad_clip."),
        (each(lambda one: 0 * one), "The gradients that Adam gets are zero: clip the gradients, not the loss."),
        (each(lambda one: one / grad_clip), "The gradients are divided by grad_clip: that makes small gradients "
                                            "smaller as well. Clip them by their global norm."),
        (each(np.sign), "Only the signs of the gradients are left: clip them by their global norm."),
        (_by_global_norm(GRADIENTS, 5.0), "The gradients are clipped to 5 whatever grad_clip is: use the "
                                          "argument."),
        (_by_global_norm(GRADIENTS, 1.0), "The gradients are clipped to 1 whatever grad_clip is: use the "
                                          "argument."),
    ]
