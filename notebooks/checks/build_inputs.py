"""The check of build_inputs: three placeholders, their kinds, names, types and shapes."""
from typing import Callable, List

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import items, need

NAMES = ["inputs", "targets", "keep_prob"]


def examine(answer: Callable) -> None:
    """Check the placeholders for two pairs of sizes."""
    random = np.random.RandomState(8)
    for n, m in [(2, 3)] + [tuple(random.permutation(np.arange(4, 9))[:2].tolist())]:
        tf.reset_default_graph()
        made = items(answer, (n, m), NAMES)
        for name, tensor in zip(NAMES, made):
            need(isinstance(tensor, tf.Tensor) and _source(tensor).type in ("Placeholder", "PlaceholderWithDefault")
                 and not hasattr(tensor, "_keras_history"),
                 f"{name} should be a placeholder, made with tf.placeholder, not {words.describe(tensor)}.")
            need(tensor.graph is tf.get_default_graph(), f"{name} is in another graph: make and reset no graph here.")
        need(_source(made[0]) is not _source(made[1]),
             "inputs and targets are the same placeholder, so both would be fed the same ids: make one for each.")
        _examine_names([tensor.op.name for tensor in made])
        for name, tensor, kind in zip(NAMES, made, (tf.int32, tf.int32, tf.float32)):
            need(tensor.dtype == kind, f"{name} should be {kind.name}, but it is {tensor.dtype.name}.")
            if name == "keep_prob":
                need(tensor.shape.ndims in (None, 0),
                     f"keep_prob should be a scalar, a single number, but its shape is {words.brackets(tensor.shape)}: "
                     "leave the shape out, or give [].")
            else:
                _examine_shape(name, words.brackets(tensor.shape), n, m)


def _source(tensor: tf.Tensor) -> tf.Operation:
    """Return the operation that a tensor comes from, tf.identity not counted."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _examine_names(found: List[str]) -> None:
    need(sorted(found) != sorted(NAMES) or found == NAMES,
         f"By their names in the graph, the three are {', '.join(found)}; the order should be {', '.join(NAMES)}. "
         "Exchange what is returned, or name=.")
    for name, one in zip(NAMES, found):
        need(one == name,
             f"{name} is named {one!r} in the graph: give it name={name!r}. (A scope puts its own name in front, and a "
             "second placeholder of the same name gets a number: leave both out.)")


def _examine_shape(name: str, found: str, n: int, m: int) -> None:
    reason = {str([m, n]): ": the axes are swapped", str([n * m]): ": keep N rows and M columns, without a product",
              "[2, 3]": " again: use the arguments, not fixed numbers"}
    need(found == str([n, m]),
         f"{name} should be [batch_size, num_steps] = [{n}, {m}], but it is {found}{reason.get(found, '')}.")
