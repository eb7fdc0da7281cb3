"""The check of build_inputs, which is given: its placeholders are those that the rest of the notebook needs."""

from typing import Callable

from charrnn.system.tensorflow import tf

from . import words
from .answer import items, need

EXPECTED = "inputs:0 an int32 tensor [2, 3], targets:0 an int32 tensor [2, 3], keep_prob:0 a float32 tensor "


def examine(answer: Callable) -> None:
    """Check the placeholders for N = 2 and M = 3."""
    tf.reset_default_graph()
    placeholders = items(answer, (2, 3), ["inputs", "targets", "keep_prob"])
    described = []
    for placeholder in placeholders:
        name = getattr(placeholder, "name", "nothing")
        described.append(f"{name} {words.describe(placeholder)}")
    actual = ", ".join(described)
    need(
        actual in (EXPECTED + "of unknown shape", EXPECTED + "[]"),
        f"For N = 2 and M = 3 it should return {EXPECTED}of unknown shape, but it returns {actual}. This function is "
        "given: restore its cell.",
    )
