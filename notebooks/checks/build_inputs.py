"""The check of build_inputs, which is given: its placeholders are those that the rest of the notebook needs."""

from typing import Callable

from charrnn.system.tensorflow import tf

from . import words
from .answer import items, need

RIGHT = {
    "inputs:0": "an int32 tensor [2, 3]",
    "targets:0": "an int32 tensor [2, 3]",
    "keep_prob:0": "a float32 tensor of unknown shape",
}


def examine(answer: Callable) -> None:
    """Check the placeholders for N = 2 and M = 3."""
    tf.reset_default_graph()
    made = items(answer, (2, 3), ["inputs", "targets", "keep_prob"])
    found = {getattr(one, "name", "nothing"): words.describe(one) for one in made}
    right, came = (
        ", ".join(f"{name} {kind}" for name, kind in some.items()) for some in (RIGHT, found)
    )
    need(
        came in (right, right.replace("of unknown shape", "[]")),
        f"For N = 2 and M = 3 it should return {right}, but it returns {came}. This function is given: restore its "
        "cell.",
    )
