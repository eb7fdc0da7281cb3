"""How much of a text is copied, compared with an exhaustive search."""

import numpy as np
import pytest

from charrnn.text.novelty import Novelty, compare
from charrnn.text.pieces import COPIED


def random_texts(seed):
    """Return a text and a training text of few or many letters, short or long, with or without copied pieces."""
    random = np.random.RandomState(seed)
    letters = "ab" if seed % 3 == 0 else "abcdefgh\u00e9\U0001f600 \n"

    def draw(length):
        return "".join(letters[index] for index in random.randint(len(letters), size=length))

    training = draw(random.randint(1, 600))
    text = draw(random.randint(0, 150))
    for _ in range(random.randint(0, 3)):
        start = random.randint(len(training))
        text += training[start : start + random.randint(1, 130)] + draw(random.randint(0, 30))
    return text, training


def longest_of(text, training):
    """Return the length of the longest run, by trying each beginning."""
    longest = 0
    for start in range(len(text)):
        while start + longest < len(text) and text[start : start + longest + 1] in training:
            longest += 1
    return longest


def share_of(text, training):
    """Return the share of its windows that are copied, by trying each one."""
    if len(text) < COPIED:
        return float(text != "" and text in training)
    starts = range(len(text) - COPIED + 1)
    return np.mean([text[start : start + COPIED] in training for start in starts])


TEXTS = [random_texts(seed) for seed in range(200)]


def test_the_longest_copied_run_of_random_texts():
    lengths = [compare(text, training).longest for text, training in TEXTS]
    assert lengths == [longest_of(text, training) for text, training in TEXTS]


def test_the_share_of_copied_windows_of_random_texts():
    shares = [compare(text, training).share for text, training in TEXTS]
    assert shares == pytest.approx([share_of(text, training) for text, training in TEXTS])


def test_the_places_of_the_longest_run_have_it():
    for text, training in TEXTS:
        copied = compare(text, training)
        run = text[copied.start : copied.start + copied.longest]
        assert training[copied.place : copied.place + copied.longest] == run


def test_the_random_texts_differ():
    """So the tests above can fail."""
    assert len({longest_of(text, training) for text, training in TEXTS}) > 30
    assert any(0 < share_of(text, training) < 1 for text, training in TEXTS)


@pytest.mark.parametrize(
    "text, training",
    [("a" * 9_999 + "bc", "bc"), ("bc", "a" * 9_999_999 + "bc")],
    ids=["text", "training text"],
)
def test_only_the_beginning_of_a_long_text_is_compared(text, training):
    """Here b is the last character of the beginning, and c is not in it."""
    assert compare(text, training).longest == 1


@pytest.mark.parametrize(
    "text, training, expected",
    [
        ("", "the cat", (0, 0, 0, 0)),
        ("the cat", "", (0, 0, 0, 0)),
        ("xyz", "the cat", (0, 0, 0, 0)),
        ("xxhxx", "the", (1, 2, 1, 0)),
        ("\ud800b", "a\ud800b", (2, 0, 1, 1)),
        ("a" * 300, "a" * 500, (300, 0, 0, 1)),
    ],
)
def test_novelty_is_what_it_is_by_hand(text, training, expected):
    assert compare(text, training) == Novelty(*expected)
