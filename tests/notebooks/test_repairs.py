"""The programs to debug: each is wrong as it stands, and the check knows a repair from a line that repairs nothing."""

import contextlib
import io
import linecache
import re

import numpy as np
import pytest
from answers import checks, generate

from charrnn.system.tensorflow import tf

RIGHT = {
    "a": "A6: loss, state, _ = session.run(fetches, feed)",
    "b": "B4: ahead[:, :-1] = rows[:, 1:]",
    "c": "C4: losses = cross_entropy(labels=labels, logits=logits)",
}


@pytest.fixture(scope="module")
def programs():
    """The programs of the notebook, as its cell defines them."""
    (text,) = (cell["text"] for cell in generate.all_cells() if cell["id"] == "programs")
    source = text.split("\n\n\nif checks.")[0] + "\n"
    filename = "<cell of the programs>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = {"np": np, "tf": tf}
    exec(compile(source, filename, "exec"), scope)
    return {letter: scope["program_" + letter] for letter in "abc"}


def verdict(programs, **repairs):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        right = checks.check_repairs(
            {programs[letter]: repair for letter, repair in repairs.items()}
        )
    return right, re.sub(r"\s+", " ", printed.getvalue())


def test_the_solution_repairs_all_three(programs):
    assert verdict(programs, **RIGHT) == (True, "repairs: right. ")
    (cell,) = (cell["text"] for cell in generate.all_cells() if cell["id"] == "repairs")
    scope = {"checks": None}
    exec(generate.solved(cell).split("\n\nchecks.")[0], scope)
    assert {letter: scope["repair_" + letter] for letter in "abc"} == RIGHT


def test_nothing_is_repaired_yet(programs):
    assert verdict(programs, a=None, b=None, c=None) == (
        False,
        "repairs: not right yet. Still None: repair_a, repair_b, repair_c. ",
    )


@pytest.mark.parametrize(
    "letter, repair",
    [
        ("b", "b4: ahead[:, :-1] = rows[:, 1:]  # one later"),
        ("c", "C2: predictions = logits"),
        ("b", "B4: ahead[:, :rows.shape[1] - 1] = rows[:, 1:]"),
        pytest.param("a", "A7: yield loss; state = new_state", marks=pytest.mark.slow),
        pytest.param(
            "a", "A6: loss, state, __ = session.run(fetches, feed)", marks=pytest.mark.slow
        ),
    ],
)
def test_other_repairs_are_accepted(programs, letter, repair):
    assert verdict(programs, **{letter: repair})[0]


@pytest.mark.parametrize(
    "letter, repair, expected",
    [
        (
            "b",
            "B5: for start in range(n_steps, n_windows * n_steps, n_steps):",
            "B5 is not the wrong line",
        ),
        (
            "b",
            "B4: ahead[:, 1:] = rows[:, :-1]",
            "B4 is the wrong line, but yours is not right yet.",
        ),
        ("b", "B4: ahead[:, :-2] = rows[:, 2:]", "line B4 is as it was"),
        ("b", "B9: pass", "has no line B9"),
        ("b", "B4: ahead[:, :-1 = rows[:, 1:]", "This line is not valid Python"),
        ("b", "B4", "the number of a line, a colon"),
        ("b", 4, "the number of a line, a colon"),
        ("b", None, "Still None: repair_b"),
        ("c", "C5: return tf.reduce_sum(losses)", "C5 is not the wrong line"),
        (
            "c",
            "C4: losses = cross_entropy(labels=predictions, logits=logits)",
            "C4 is the wrong line, but yours",
        ),
        pytest.param(
            "a",
            "A1: state = session.run(model.final_state)",
            "A1 is not the wrong line",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_repairs_nothing_is_said(programs, letter, repair, expected):
    other = "c" if letter == "b" else "b"
    right, said = verdict(programs, **{letter: repair, other: RIGHT[other]})
    assert right is False and expected in said and "repaired." in said
