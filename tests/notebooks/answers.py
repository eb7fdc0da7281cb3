"""Makes answers to the exercises from the solution, and gets the checks' verdicts on them."""

import ast
import contextlib
import io
import linecache
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
from conftest import ROOT

from charrnn.system.tensorflow import tf

FOLDER = ROOT / "notebooks"
sys.path.insert(0, str(FOLDER))

import checks  # noqa: E402
import generate  # noqa: E402
from checks import verdict as verdicts  # noqa: E402

# a busy machine may take longer than a reader's, and pytest has a limit of its own
verdicts.TIME_LIMIT = 10**6

EXERCISES = checks.EXERCISES
# which is given, as an example
WRITTEN = tuple(name for name in EXERCISES if name != "build_inputs")
NETWORK = (
    "get_batches",
    "build_inputs",
    "build_lstm",
    "build_output",
    "build_loss",
    "build_optimizer",
    "CharRNN",
)
# Pieces of the solution.
LOGITS = "logits = tf.matmul(rows, weights) + bias"
SOFTMAX = 'predictions = tf.nn.softmax(logits, name="predictions")'
MEAN = "loss = tf.reduce_mean(losses)"
CLIPPED = "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)"
CHECKS = dict({name: "check_" + name for name in EXERCISES}, CharRNN="check_char_rnn")
_SOURCES: Dict[str, str] = {}


def solved_sources() -> Dict[str, str]:
    """Return the functions of the solution by exercise, without the calls of the checks."""
    if not _SOURCES:
        cells = {
            cell["id"]: generate.solved(cell["text"])
            for cell in generate.all_cells()
            if cell["id"] in EXERCISES
        }
        _SOURCES.update(
            {name: text.split("\n\n\nchecks.")[0] + "\n" for name, text in cells.items()}
        )
    return _SOURCES


def tried(name: str) -> Tuple[List[Any], List[Any]]:
    """Return the wrong and the right answers of a file in ``tried/``.

    There a blank line follows each answer. Its lines begin with "- " for a piece of the solution, "+ " for what is in
    its place, and "? " for words that the verdict must have: one line for each. Without a piece, all of the body is
    meant, or for CharRNN all of __init__. A right answer with words is right with a remark.
    """
    found: Dict[str, List[Any]] = {"== wrong": [], "== right": []}
    for part in (
        (Path(__file__).parent / "tried" / f"{name}.txt")
        .read_text(encoding="utf-8")
        .strip("\n")
        .split("\n\n")
    ):
        if part in found:
            some = found[part]
        else:
            lines = {
                mark: [line[2:] for line in part.split("\n") if line[0] == mark] for mark in "-+?"
            }
            some.append(("\n".join(lines["-"]), "\n".join(lines["+"]), lines["?"]))
    return found["== wrong"], found["== right"]


def mean_loss(one_hot: Any, logits: Any) -> Any:
    """Return the mean softmax cross-entropy with one-hot targets, which some answers use."""
    labels = tf.reshape(one_hot, logits.shape)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))


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
    namespace = dict({"np": np, "tf": tf}, **scope)
    for number, (exercise, source) in enumerate(solved_sources().items()):
        if exercise == name and (old or new):
            source = _replaced(source, old, new)
        filename = f"<cell {number} of {name}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def _replaced(source: str, old: str, new: str) -> str:
    if old:
        assert source.count(old) >= 1, f"not in the solution: {old}"
        return source.replace(old, new, 1)
    function = ast.parse(source).body[-1]
    if isinstance(function, ast.ClassDef):
        function = next(one for one in function.body if isinstance(one, ast.FunctionDef))
    head = source.splitlines(True)[: _first_line(function) - 1]
    return (
        "".join(head)
        + textwrap.indent(new, 8 * " " if source.startswith("class") else "    ")
        + "\n"
    )


def _first_line(function: Any) -> int:
    """Return the number of the line where the body begins, after the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[0].lineno


def verdict(name: str, given: Any) -> Tuple[bool, str]:
    """Return what a check returns, and what it prints with all space between words made one blank."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        right = getattr(checks, CHECKS[name])(given)
    return right, re.sub(r"\s+", " ", printed.getvalue())
