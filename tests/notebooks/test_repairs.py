"""The programs to debug: each is wrong as it stands, and the check knows a repair from a line that repairs nothing."""

import numpy as np
import pytest
from answers import checks, printed, run_cell
from cells import generate

from charrnn.system.tensorflow import tf

RIGHT = {
    "a": "A6: loss, state, _ = session.run(fetches, feed)",
    "b": "B4: ahead[:, :-1] = rows[:, 1:]",
    "c": "C4: losses = cross_entropy(labels=labels, logits=logits)",
}
slow = pytest.mark.slow


def text_of(name):
    """Return the text of a cell, with its solution."""
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == name]
    return generate.solved(cell["text"])


@pytest.fixture(scope="module")
def programs():
    """The programs of the notebook, as its cell defines them."""
    source, _, _ = text_of("programs").partition("\n\n\nif checks.")
    names = {"np": np, "tf": tf}
    run_cell("cell of the programs", source + "\n", names)
    return {letter: names["program_" + letter] for letter in "abc"}


@pytest.fixture
def verdict(programs):
    """Return a function that gets the verdict on repairs."""

    def of(**repairs):
        answers = {programs[letter]: repair for letter, repair in repairs.items()}
        return printed(checks.check_repairs, answers)

    return of


def test_the_solution_repairs_all_three(verdict):
    assert verdict(**RIGHT) == (True, "repairs: right. ")


def test_the_notebook_has_these_repairs():
    source, _, _ = text_of("repairs").partition("\n\nchecks.")
    names = {}
    exec(source, names)
    assert {letter: names["repair_" + letter] for letter in "abc"} == RIGHT


def test_nothing_is_repaired_yet(verdict):
    assert verdict(a=None, b=None, c=None) == (
        False,
        "repairs: not right yet. Still None: repair_a, repair_b, repair_c. ",
    )


@pytest.mark.parametrize(
    "letter, repair",
    [
        ("b", "b4: ahead[:, :-1] = rows[:, 1:]  # one later"),
        ("c", "C2: predictions = logits"),
        ("b", "B4: ahead[:, :rows.shape[1] - 1] = rows[:, 1:]"),
        pytest.param("a", "A7: yield loss; state = new_state", marks=slow),
        pytest.param("a", "A6: loss, state, __ = session.run(fetches, feed)", marks=slow),
    ],
)
def test_other_repairs_are_accepted(verdict, letter, repair):
    right, said = verdict(**{letter: repair})
    assert right, said


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
        (
            "b",
            "B5: ahead[:, :-1] = rows[:, 1:]",
            "your line is right, but B5 is not the number of the one that it is to replace",
        ),
        (
            "c",
            "C9: losses = cross_entropy(labels=labels, logits=logits)",
            "your line is right, but C9 is not the number",
        ),
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
            marks=slow,
        ),
    ],
)
def test_what_repairs_nothing_is_said(verdict, letter, repair, expected):
    other = "c" if letter == "b" else "b"
    right, said = verdict(**{letter: repair, other: RIGHT[other]})
    assert right is False
    assert expected in said
    assert "repaired." in said
