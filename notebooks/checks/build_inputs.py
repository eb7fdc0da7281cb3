"""The check of build_inputs: three placeholders, their kinds, names, types and shapes."""
from typing import Any, Callable, Dict, List

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, Wrong, items, need

HINTS = (
    "A placeholder needs a type, a shape and a name: tf.placeholder(dtype, shape, name=...). Ids are whole "
    "numbers; keep_prob is a single number, so its shape is [], or is left out.",
    "The type of ids is tf.int32 and their shape [batch_size, num_steps]. The type of keep_prob is tf.float32. "
    "The names in the graph are those in the docstring.",
    "This is the first; make targets in the same way:\n"
    "    inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name=\"inputs\")\n"
    "keep_prob takes tf.float32 and no shape.",
)
NAMES = ["inputs", "targets", "keep_prob"]


def examine(answer: Callable) -> None:
    """Check the placeholders for two pairs of sizes."""
    random = np.random.RandomState(8)
    for n, m in [(2, 3)] + [tuple(random.permutation(np.arange(4, 9))[:2].tolist())]:
        tf.reset_default_graph()
        with Locals(answer) as seen:
            made = items(answer, (n, m), NAMES)
        for name, tensor in zip(NAMES, made):
            need(isinstance(tensor, tf.Tensor) and _source(tensor) in ("Placeholder", "PlaceholderWithDefault"),
                 f"{name} should be a placeholder, not {_kind(tensor)}.")
            need(not hasattr(tensor, "_keras_history"), f"{name} is a Keras input: make it with tf.placeholder.")
            need(tensor.graph is tf.get_default_graph(), f"{name} is in another graph: make and reset no graph here.")
        need(made[0] is not made[1],
             "inputs and targets are the same placeholder, so both would be fed the same ids: make one for each.")
        _examine_names(made, seen.values)
        for name, tensor in zip(NAMES, made):
            kind = tf.float32 if name == "keep_prob" else tf.int32
            need(tensor.dtype == kind, f"{name} should be {kind.name}, but it is {tensor.dtype.name}.")
        for name, tensor in zip(NAMES[:2], made):
            _examine_shape(name, tensor.shape, n, m)
        _examine_scalar(made[2])


def _source(tensor: tf.Tensor) -> str:
    """Return the type of the operation that a tensor comes from, tf.identity not counted."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation.type


def _kind(value: Any) -> str:
    if isinstance(value, tf.Tensor) and value.op.type == "Const":
        return "a constant, which has a fixed value"
    return words.describe(value)


def _examine_names(made: List[tf.Tensor], local: Dict[str, Any]) -> None:
    found = [tensor.op.name for tensor in made]
    if sorted(found) == sorted(NAMES) and found != NAMES:
        if _misnamed(local, made):
            raise Wrong("The names in the graph are swapped: " + words.listing(
                f"{name} is made with name={one!r}" for name, one in zip(NAMES, found) if name != one) + ".")
        raise Wrong(f"The order should be inputs, targets, keep_prob, but it returns {', '.join(found)}.")
    for name, one in zip(NAMES, found):
        if one == name:
            continue
        message = f"{name} is named {one!r} in the graph"
        if one.endswith("/" + name):
            raise Wrong(f"{message}: it is made inside a scope, which puts its own name in front. Leave the scope "
                        "out.")
        if one.startswith(name + "_") and one[len(name) + 1:].isdigit():
            raise Wrong(f"{message}: there is another node named {name!r} already. Make each placeholder once.")
        raise Wrong(f"{message}: give it name={name!r}, so that other code can find it in the graph by that name.")


def _misnamed(local: Dict[str, Any], made: List[tf.Tensor]) -> bool:
    """Tell exchanged names from an exchanged order, by the reader's variables or else by the order of making."""
    mine = {name: local[name] for name in NAMES if isinstance(local.get(name), tf.Tensor)}
    if mine:
        return any(tensor.op.name != name for name, tensor in mine.items())
    return [tensor.op._id for tensor in made] == sorted(tensor.op._id for tensor in made)


def _examine_shape(name: str, shape: tf.TensorShape, n: int, m: int) -> None:
    found = words.brackets(shape)
    if found == str([n, m]):
        return
    message = f"{name} should have the shape [N, M] = [{n}, {m}] for batch_size = {n} and num_steps = {m}, but it "
    if shape.ndims is None:
        raise Wrong(message + "has none: give tf.placeholder the shape [batch_size, num_steps].")
    need(found != str([m, n]), message + f"is {found}: the axes are swapped.")
    need(None not in shape.as_list(), message + f"is {found}: give both sizes.")
    need(found != "[2, 3]", message + "is [2, 3] again: use the arguments, not fixed numbers.")
    raise Wrong(message + f"is {found}.")


def _examine_scalar(keep_prob: tf.Tensor) -> None:
    need(keep_prob.shape.ndims in (None, 0),
         f"keep_prob should be a scalar, a single number, but its shape is {words.brackets(keep_prob.shape)}: "
         "leave the shape out, or give [].")
