"""Makes answers to the exercises from the solution, and gets the checks' verdicts on them."""

import ast
import contextlib
import io
import linecache
import re
import textwrap
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import checks
import generate
import numpy as np
from checks import verdict as verdicts

from charrnn.system.tensorflow import tf

# a busy machine may take longer than a reader's, and pytest has a limit of its own
verdicts.TIME_LIMIT = 10**6

EXERCISES = checks.EXERCISES
# Pieces of the solution.
LOGITS = "logits = tf.matmul(rows, weights) + bias"
SOFTMAX = 'predictions = tf.nn.softmax(logits, name="predictions")'
MEAN = "loss = tf.reduce_mean(losses)"
CLIPPED = "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)"


class Tried(NamedTuple):
    """An answer: the solution with another piece in place of one, and words that the verdict must have."""

    old: str
    new: str
    words: List[str]


@lru_cache(maxsize=None)
def solved_sources() -> Dict[str, str]:
    """Return the functions of the solution by exercise, without the calls of the checks."""
    sources = {}
    for cell in generate.all_cells():
        if cell["id"] in EXERCISES:
            source, _, _ = generate.solved(cell["text"]).partition("\n\n\nchecks.")
            sources[cell["id"]] = source + "\n"
    return sources


def tried(name: str) -> Tuple[List[Tried], List[Tried]]:
    """Return the wrong and the right answers of a file in ``tried/``.

    There a blank line follows each answer. Its lines begin with "- " for a piece of the solution, "+ " for what is in
    its place, and "? " for words that the verdict must have: one line for each. Without a piece, all of the body is
    meant, or for CharRNN all of __init__. A right answer with words is right with a remark.
    """
    text = (Path(__file__).parent / "tried" / f"{name}.txt").read_text(encoding="utf-8")
    answers: Dict[str, List[Tried]] = {"== wrong": [], "== right": []}
    for part in text.strip("\n").split("\n\n"):
        if part in answers:
            of_kind = answers[part]
        else:
            lines: Dict[str, List[str]] = {"-": [], "+": [], "?": []}
            for line in part.split("\n"):
                lines[line[0]].append(line[2:])
            of_kind.append(Tried("\n".join(lines["-"]), "\n".join(lines["+"]), lines["?"]))
    return answers["== wrong"], answers["== right"]


def mean_loss(one_hot: Any, logits: Any) -> Any:
    """Return the mean softmax cross-entropy with one-hot targets, which some answers use."""
    labels = tf.reshape(one_hot, logits.shape)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def answer(name: str, old: str = "", new: str = "", **scope: Any) -> Any:
    """Define the functions of the solution, one of them with a piece replaced, each in a cell of its own.

    Args:
        name: the exercise.
        old: the piece, or "" for the body of the function (of CharRNN: of __init__).
        new: what to put in its place; where it is "" as well, the solution stays as it is.
        scope: further global names.

    Returns:
        The function or class.
    """
    names = {"np": np, "tf": tf, **scope}
    for number, (exercise, source) in enumerate(solved_sources().items()):
        if exercise == name and (old or new):
            source = _replaced(source, old, new)
        run_cell(f"cell {number} of {name}", source, names)
    return names[name]


def run_cell(cell: str, source: str, names: Dict[str, Any]) -> None:
    """Run the code of a cell, so that its lines are known as in a notebook."""
    filename = f"<{cell}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), names)


def _replaced(source: str, old: str, new: str) -> str:
    if old:
        assert old in source, f"not in the solution: {old}"
        return source.replace(old, new, 1)
    function = ast.parse(source).body[-1]
    indentation = 4
    if isinstance(function, ast.ClassDef):
        methods = [node for node in function.body if isinstance(node, ast.FunctionDef)]
        function = methods[0]
        indentation = 8

    body = function.body[1:] if ast.get_docstring(function) else function.body
    head = source.splitlines(True)[: body[0].lineno - 1]
    return "".join(head) + textwrap.indent(new, indentation * " ") + "\n"


def check_of(name: str) -> Any:
    """Return the check of an exercise."""
    return checks.check_char_rnn if name == "CharRNN" else getattr(checks, f"check_{name}")


def verdict(name: str, given: Any) -> Tuple[bool, str]:
    """Return what a check returns, and what it prints with all space between words made one blank."""
    return printed(check_of(name), given)


def printed(check: Any, *args: Any, **kwargs: Any) -> Tuple[bool, str]:
    """Return what a check returns, and what it prints with all space between words made one blank."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        is_right = check(*args, **kwargs)
    return is_right, re.sub(r"\s+", " ", output.getvalue())
