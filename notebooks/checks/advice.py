"""What to say about exceptions whose message does not lead to the mistake, and about names that do not exist."""

import re
from difflib import get_close_matches
from operator import attrgetter
from typing import Collection

from charrnn.system.tensorflow import tf

from . import words

# (exercises, what to say, pattern of an exception's line); the first that is found counts.
ADVICE = [
    (heading.split(", "), sentence, "|".join(patterns))
    for heading in words.sections("advice.md")
    for sentence, patterns in words.mistakes(heading, "advice.md").items()
]
# What people write for names that TensorFlow does not have.
OTHERS = {
    "int": "int32",
    "float": "float32",
    "double": "float32",
    "mean": "reduce_mean",
    "sum": "reduce_sum",
    "max": "reduce_max",
    "Adam": "AdamOptimizer",
    "dot": "matmul",
    "mm": "matmul",
    "onehot": "one_hot",
    "normal": "truncated_normal",
    "cross_entropy": "softmax_cross_entropy_with_logits_v2",
    "cat": "concat",
    "softmax_cross_entropy": "softmax_cross_entropy_with_logits_v2",
    "concatenate": "concat",
    "view": "reshape",
    "permute": "transpose",
    "astype": "cast",
    "LSTM": "BasicLSTMCell",
    "RNN": "dynamic_rnn",
    "optimizers": "AdamOptimizer",
    "clip_grad_norm_": "clip_by_global_norm",
    "variable": "Variable",
}
CONTRIB = "tf.nn.rnn_cell has the same classes of cells, tf.train has AdamOptimizer"
VERSION_1 = "tf should be tensorflow.compat.v1: run the cell with the imports again, without import tensorflow as tf"


def advise(last: str, known: Collection[str], exercise: str = "") -> str:
    """Say what to do about an exception, or return an empty string.

    Args:
        last: its type and the line of its message that counts.
        known: the names that the reader's code could have meant by one that is not defined.
        exercise: the name of the reader's function.
    """
    attribute = re.search(
        r"(module '.*'|Tensor'?|Variable'?)(?: object)? has no attribute '(\w+)'", last
    )
    if attribute and attribute.group(2) != "numpy":
        return _tensorflow_name(*attribute.groups())
    undefined = re.search(r"name '(\w+)' is not defined|variable '(\w+)' (referenced|where)", last)
    if undefined:
        name = undefined.group(1) or undefined.group(2)
        near = get_close_matches(name, [one for one in known if one != name], 1, 0.7)
        if near:
            return f"do you mean {near[0]}?"
    return next(
        (
            re.search(pattern, last).expand(sentence)
            for names, sentence, pattern in ADVICE
            if (exercise in names or names == ["any exercise"]) and re.search(pattern, last)
        ),
        "",
    )


def _tensorflow_name(owner: str, name: str) -> str:
    """Say which name of TensorFlow is meant by one that a module or a tensor does not have."""
    if "module" in owner and not re.search("tensorflow|keras", owner) or name.startswith("_"):
        return ""
    if name == "contrib":
        return CONTRIB
    where = re.search(r"_api\.v2\.(nn|train)'|module 'tensorflow'", owner)
    if where and hasattr(getattr(tf, where.group(1) or "", tf), name):
        return VERSION_1
    names = {
        one: f"tf.{place}.{one}"
        for place in ("math", "train", "nn.rnn_cell", "nn")
        for one in dir(attrgetter(place)(tf))
    }
    names.update({one: f"tf.{one}" for one in dir(tf)})
    lower = {one.lower(): one for one in names}
    near = [OTHERS.get(name, name)] + [
        lower[one] for one in get_close_matches(name.lower(), lower, 1, 0.7)
    ]
    meant = next((names[one] for one in near if one in names), "")
    if "module" in owner:
        return f"do you mean {meant}?" if meant else ""
    return "a tensor has nothing of this name" + (f": the function is {meant}" if meant else "")
