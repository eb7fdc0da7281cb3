"""How much of a text is copied, compared with an exhaustive search."""

import numpy as np
import pytest

from charrnn.text.novelty import WINDOW, Novelty, compare


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


def test_random_texts():
    found = []
    for seed in range(200):
        text, training = random_texts(seed)
        copied = compare(text, training)
        windows = [
            text[start : start + WINDOW] in training for start in range(len(text) - WINDOW + 1)
        ]
        assert copied.longest == longest_of(text, training)
        whole = bool(text) and text in training  # of a text that is shorter than a window
        assert copied.share == pytest.approx(float(np.mean(windows) if windows else whole))
        assert (
            text[copied.start : copied.start + copied.longest]
            == training[copied.place : copied.place + copied.longest]
        )
        found.append(copied)
    assert len({each.longest for each in found}) > 30 and any(0 < each.share < 1 for each in found)


def test_only_the_beginning_of_a_long_text_is_compared():
    """Here b is the last character of the beginning, and c is not in it."""
    assert compare("a" * 9_999 + "bc", "bc").longest == 1
    assert compare("bc", "a" * 9_999_999 + "bc").longest == 1


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
def test_small_texts(text, training, expected):
    assert compare(text, training) == Novelty(*expected)
