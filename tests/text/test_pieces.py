"""The words and the windows of a text."""

import numpy as np
import pytest

from charrnn.text import pieces

CHINESE = "\u5929\u5730\u7384\u9ec4\u5b87"


@pytest.mark.parametrize(
    "text, words",
    [
        ("The CAT, the hat; a mat.", "the cat the hat a mat"),
        ("Anna's cat’s mat's' 'hats'", "anna cat mat hats"),
        ("don't, I’ve, s's", "don't i’ve s"),
        ("the 3rd of 12 a1 no_2", "the rd of a1 no_2"),
        ("caf\u00e9 na\u00efve \u0416\u0443\u043a", "caf\u00e9 na\u00efve \u0436\u0443\u043a"),
        (" '' 12 _ -- \n", ""),
    ],
)
def test_words_are_in_lower_case_and_without_an_s_of_possession(text, words):
    assert pieces.words(text) == words.split()


@pytest.mark.parametrize(
    "before, text, words",
    [
        ("the wat", "er is", "water is"),
        ("the water", " is", "is"),
        ("the water ", "is", "is"),
        ("the cat", "'s hat", "cat hat"),
        ("the cat", "", ""),
        ("in 3", "rd is", "rd is"),
        ("", "the", "the"),
    ],
)
def test_the_first_word_that_follows_a_text_may_begin_there(before, text, words):
    assert pieces.words_after(before, text) == words.split()


@pytest.mark.parametrize(
    "text, rest",
    [
        ("the cat sa", "the cat "),
        ("the cat's", "the "),
        ("the cat.", "the cat."),
        ("the cat\n", "the cat\n"),
        (CHINESE, CHINESE),
        ("", ""),
    ],
)
def test_a_text_without_its_cut_word(text, rest):
    """Where no spaces stand between words, none is cut off."""
    assert pieces.without_cut_word(text) == rest


@pytest.mark.parametrize(
    "text, is_of_words",
    [
        ('The cat sat: "on the mat, and on the hat!"', True),
        ("def f(x):\n    return {x: [x + 1]}\n", False),
        (CHINESE, False),
        ("a " * 50, True),
        ("a " * 48 + ".(((", True),
        ("a " * 48 + "((((", False),
        ("a" * 19 + " ", True),
        ("a" * 20 + " ", False),
    ],
)
def test_a_text_of_words_has_spaces_and_few_signs_of_programs(text, is_of_words):
    """At least one space of 20 characters, and at most 3 signs of 100."""
    assert pieces.is_of_words(text) == is_of_words


@pytest.mark.parametrize("length", [1, 3, 20])
@pytest.mark.parametrize("chars", ["ab", "a\u00e9\u5929\ud800\U0001f600\U0010ffff "])
def test_windows_are_found_as_in_a_set(length, chars):
    random = np.random.RandomState(length)

    def draw(size):
        return "".join(chars[index] for index in random.randint(len(chars), size=size))

    found = []
    for size in (0, 2, length, 300):
        text = draw(size)
        other = draw(40) + text[10:50] + draw(length)
        in_text = set(pieces.windows(text, length))
        expected = [window in in_text for window in pieces.windows(other, length)]
        assert pieces.Windows(text, length).are_in(other) == expected
        found += expected
    assert set(found) == {False, True}


def test_windows_of_one_hash_are_compared(monkeypatch):
    """Here all of them have the same."""
    monkeypatch.setattr(pieces, "_MULTIPLIER", np.uint32(0))
    monkeypatch.setattr(pieces, "code_points", lambda text: np.zeros(len(text), np.uint32))
    assert pieces.Windows("the cat", 3).are_in("a cat") == [False, True, True]
