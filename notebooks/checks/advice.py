"""What to say about exceptions whose message does not lead to the mistake, and about names that do not exist."""

import re
from difflib import get_close_matches
from operator import attrgetter
from typing import Collection, Dict, List, NamedTuple

from charrnn.system.tensorflow import tf

from . import words


class Advice(NamedTuple):
    """A sentence for exceptions in the functions of some exercises, whose line a pattern matches."""

    exercises: List[str]
    sentence: str
    pattern: str


def _read_advice() -> List[Advice]:
    advice = []
    for heading in words.sections("advice.md"):
        for sentence, patterns in words.mistakes(heading, "advice.md").items():
            advice.append(Advice(heading.split(", "), sentence, "|".join(patterns)))
    return advice


# the first that matches counts
ADVICE = _read_advice()
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
    "cross_entropy": "softmax_cross_entropy_with_logits",
    "cat": "concat",
    "softmax_cross_entropy": "softmax_cross_entropy_with_logits",
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


def advise(line: str, known: Collection[str], exercise: str = "") -> str:
    """Say what to do about an exception, or return an empty string.

    Args:
        line: its type and the line of its message that counts.
        known: the names that the reader's code could have meant by one that is not defined.
        exercise: the name of the reader's function.
    """
    advice = _advice_of_file(line, exercise)
    if advice:
        return advice
    attribute = re.search(
        r"(module '.*'|Tensor'?|Variable'?)(?: object)? has no attribute '(\w+)'", line
    )
    if attribute and attribute.group(2) != "numpy":
        return _tensorflow_name(attribute.group(1), attribute.group(2))

    undefined = re.search(r"name '(\w+)' is not defined|variable '(\w+)' (referenced|where)", line)
    if undefined:
        name = undefined.group(1) or undefined.group(2)
        others = [other for other in known if other != name]
        near = get_close_matches(name, others, n=1, cutoff=0.7)
        if near:
            return f"do you mean {near[0]}?"

    return _advice_of_file(line, "any exercise")


def _advice_of_file(line: str, exercise: str) -> str:
    for advice in ADVICE:
        match = re.search(advice.pattern, line)
        if match and exercise in advice.exercises:
            return match.expand(advice.sentence)
    return ""


def _tensorflow_name(owner: str, name: str) -> str:
    """Say which name of TensorFlow is meant by one that a module or a tensor does not have."""
    is_module = "module" in owner
    if is_module and not re.search("tensorflow|keras", owner):
        return ""
    if name.startswith("_"):
        return ""
    if name == "contrib":
        return CONTRIB
    place = re.search(r"_api\.v2\.(nn|train)'|module 'tensorflow'", owner)
    if place and hasattr(getattr(tf, place.group(1) or "", tf), name):
        return VERSION_1

    meant = _nearest(name)
    if is_module:
        return f"do you mean {meant}?" if meant else ""
    if meant:
        return f"a tensor has nothing of this name: the function is {meant}"
    return "a tensor has nothing of this name"


def _nearest(name: str) -> str:
    """Return the name of TensorFlow that is meant by another, with its module, or an empty string."""
    names: Dict[str, str] = {}
    for module in ("math", "train", "nn.rnn_cell", "nn"):
        for known in dir(attrgetter(module)(tf)):
            names[known] = f"tf.{module}.{known}"
    for known in dir(tf):
        names[known] = f"tf.{known}"

    by_lower_case = {known.lower(): known for known in names}
    similar = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.7)
    candidates = [OTHERS.get(name, name)]
    candidates += [by_lower_case[lower] for lower in similar]

    for candidate in candidates:
        if candidate in names:
            return names[candidate]
    return ""
