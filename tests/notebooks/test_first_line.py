"""The first line of the lesson: the pairs of a sentence, in whatever form they come, and what is wrong with them."""

from itertools import zip_longest

import numpy as np
import pytest
from answers import checks, printed, run_cell
from cells import generate

SENTENCE = "Happy families are all alike"
LETTERS = SENTENCE.replace(" ", "")
PAIRS = list(zip(SENTENCE, SENTENCE[1:]))


def verdict(pairs):
    return printed(checks.check_first_line, SENTENCE, pairs)


@pytest.mark.parametrize(
    "pairs",
    [
        PAIRS,
        zip(SENTENCE, SENTENCE[1:]),
        tuple(PAIRS),
        [list(pair) for pair in PAIRS],
        [SENTENCE[place : place + 2] for place in range(len(SENTENCE) - 1)],
        (char + after for char, after in PAIRS),
        np.array(PAIRS),
    ],
    ids=["list", "zip", "tuple", "lists", "two letters", "generator", "array"],
)
def test_pairs_are_right_in_any_form(pairs):
    right, said = verdict(pairs)
    assert right, said
    assert said.startswith("first_line: right. 27 pairs: ('H', 'a'), ('a', 'p'), ('p', 'p'), ... ")


@pytest.mark.parametrize(
    "pairs, said",
    [
        ([], "There are no pairs yet"),
        ([(a, b) for a in SENTENCE for b in SENTENCE], "There are far too many pairs"),
        (sorted(PAIRS), "These are the right pairs in another order"),
        (
            [(word[0], word[1]) for word in SENTENCE.split()],
            "Some pairs are missing, such as ('a', 'p')",
        ),
        (enumerate(SENTENCE), "The first pair is (0, 'H'), which are no characters"),
        (None, "pairs is None, which is what print returns"),
        (dict(PAIRS), "A dict keeps only one pair for each first character"),
        (
            zip(SENTENCE.split(), SENTENCE.split()[1:]),
            "The first pair is ('Happy', 'families'), which are no characters",
        ),
        (7, "pairs should be a list of pairs, such as [('H', 'a'), ...], not 7."),
        ([1, 2], "Each pair has two characters, but 1 is 1."),
        (zip_longest(SENTENCE, SENTENCE[1:]), "one pair too many: the last character has none"),
        ([*PAIRS, ("e", "")], "one pair too many: the last character has none after it"),
        ([*PAIRS, *PAIRS], "There are 27 pairs too many"),
        (PAIRS[:-1], "The pairs at the end are missing: 26 came, and there are 27."),
        (PAIRS[1:], "The first pair is missing: a sequence begins at place 0."),
        (PAIRS[::-1], "The pairs come in the wrong order"),
        (set(PAIRS), "They have lost their order, or those that occur again"),
        (dict.fromkeys(PAIRS), "They have lost their order, or those that occur again"),
        (zip(SENTENCE, SENTENCE[1:], SENTENCE[2:]), "Each pair has two characters, but one has 3"),
        (SENTENCE.split(), "Each pair has two characters, but one has 5"),
        (SENTENCE, "Each pair has two characters, but one has 1"),
        (zip(SENTENCE[1:], SENTENCE), "The pairs are the wrong way round"),
        (zip(SENTENCE, SENTENCE), "Each character is paired with itself"),
        (zip(SENTENCE[1:], SENTENCE), "the character first, then the one after it"),
        ([(c, SENTENCE[i - 1]) for i, c in enumerate(SENTENCE)], "paired with the one before it"),
        (PAIRS[::2], "so pairs overlap"),
        (zip(SENTENCE, SENTENCE[2:]), "the one two places later"),
        (zip(LETTERS, LETTERS[1:]), "The pairs with a space are missing"),
        (
            zip(SENTENCE.lower(), SENTENCE.lower()[1:]),
            "The pairs are of another sentence, in small letters",
        ),
    ],
)
def test_what_is_wrong_with_pairs_is_said(pairs, said):
    right, message = verdict(pairs)
    assert right is False
    assert message.startswith("first_line: not right yet. ")
    assert said in message


def test_the_cell_of_the_solution_is_right(capsys):
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == "first-line"]
    run_cell("first line", generate.solved(cell["text"]), {"checks": checks})
    assert capsys.readouterr().out.startswith("first_line: right. 27 pairs")
