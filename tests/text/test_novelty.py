"""How much of a text is copied, compared with an exhaustive search."""

import numpy as np
import pytest
from conftest import ROOT

from charrnn.text import novelty
from charrnn.text.novelty import Novelty, compare
from charrnn.text.pieces import COPIED

# five short texts by one writer each, none a novel
VOICES = ROOT / "tests" / "data" / "voices"


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


OWN = "Milo ate the leeks. Milo said no. The bucket fell."
OTHER = "The prince said no to the old man"


def test_words_are_told_by_who_uses_them():
    whose = novelty.whose_words(
        "Milo said the PRINCE fell, milo ate xyzzy.", OWN, novelty.words_of(OTHER)
    )
    assert whose.own == pytest.approx(6 / 8)
    assert whose.only_own == pytest.approx(4 / 8)  # Milo twice, fell, ate
    assert whose.only_other == pytest.approx(1 / 8)
    assert whose.neither == pytest.approx(1 / 8)
    assert whose.named_own[0] == "milo"
    assert whose.named_other == ("prince",)


def test_without_another_text_words_are_in_the_training_text_or_not():
    whose = novelty.whose_words("Milo said the prince", OWN)
    assert (whose.own, whose.neither) == (0.75, 0.25)
    assert (whose.only_own, whose.only_other, whose.named_own) == (None, None, ())


def test_the_words_of_a_text_without_spaces_are_pieces_of_three():
    whose = novelty.whose_words("\u5929\u5730\u7384\u9ec4\u5b87", "\u5929\u5730\u7384\u9ec4")
    assert whose.own == pytest.approx(2 / 3)


def test_a_text_without_words_has_none():
    assert novelty.whose_words("", OWN, ["the"]).own == 0


@pytest.mark.parametrize(
    "name, share",
    [
        ("diary", 0.114),
        ("letters", 0.123),
        ("chat", 0.320),
        ("recipes", 0.152),
        ("speech", 0.090),
    ],
)
def test_the_texts_of_other_voices_have_words_that_anna_lacks(anna, name, share):
    """docs/log.md compares what networks write after these texts with these shares."""
    text = (VOICES / f"{name}.txt").read_text(encoding="utf-8")
    of_anna = novelty.words_of(anna)
    assert novelty.whose_words(text, text, of_anna).only_own == pytest.approx(share, abs=0.0006)


def test_variety_counts_in_each_text_and_beside_as_much_of_the_training_text():
    training = "so it is in the end, so it is; what was it all for? " * 3
    texts = ["in the end, and in the end", "in the end"]
    variety = novelty.variety(texts, training)
    assert variety.repeated == pytest.approx(1 / 6)
    assert variety.counted == 10
    assert (variety.different, variety.different_in_training) == (4, 7)
    assert variety.repeated_in_training == 0
    assert novelty.variety(["a" * 150], training).repeated_in_training > 0.5
    assert novelty.variety([""], "").counted == 0
