"""Properties of a text that a unit may track: by hand on short texts, and which ones occur."""

from pathlib import Path

import pytest

from charrnn.text import features

VALUES = {feature.name: feature.values for feature in features.FEATURES}
LANGUAGES = Path(__file__).with_name("languages.txt").read_text(encoding="utf-8")
LINES = [line for line in LANGUAGES.splitlines() if " | " in line and line[0] != "#"]

NAMES = "one two three.\n" * 40 + "four five six seven\n"  # neither quotation marks nor numbers
NEVER_CLOSED = '"' + "one two three.\n" * 40


def marks(name, text):
    """Return a feature of two values as a string with an x below each character that has it."""
    return "".join("x" if value else " " for value in VALUES[name](text))


def read_marks(marked):
    """Return a text without its braces, and a string with an x below each character that was between them."""
    text = ""
    below = ""
    sign = " "
    for char in marked:
        if char in "{}":
            sign = "x" if char == "{" else " "
        else:
            text += char
            below += sign
    return text, below


@pytest.mark.parametrize("line", LINES)
def test_features_are_those_that_a_person_sees_in_any_language(line):
    _, name, marked = line.replace("\\n", "\n").split(" | ")
    text, expected = read_marks(marked)
    assert marks(name, text) == expected


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("depth of brackets", "((a)", [1, 2, 2, 1]),
        ("position in the line", "ab\ncd", [1, 2, 0, 1, 2]),
        ("position in the paragraph", "a\nb\n\nc", [1, 2, 3, 4, 0, 1]),
        ("distance since the last space", "ab cd", [1, 2, 0, 1, 2]),
        ("position in the sentence", "A b. C", [1, 2, 3, 4, 0, 1]),
        ("indentation of the line", " a\n\tb c", [1, 1, 1, 4, 4, 4, 4]),
    ],
)
def test_features_that_count_have_the_numbers_counted_by_hand(name, text, expected):
    assert VALUES[name](text).tolist() == expected


@pytest.mark.parametrize("text", ["", "a", "\n\n", "\ud800\x00"])
def test_every_feature_has_a_value_for_each_character(text):
    for feature in features.FEATURES:
        assert feature.values(text).shape == (len(text),), feature.name


@pytest.mark.parametrize("text", [NAMES, NEVER_CLOSED], ids=["none", "one that never ends"])
def test_features_that_do_not_occur_are_left_out(text):
    """Of a count, few characters need to have the largest number."""
    occurring = features.occurring_in(text)
    assert {"after a vowel", "position in the line"} <= set(occurring)
    assert not {"inside quotation marks", "inside a number"} & set(occurring)


@pytest.mark.parametrize("n_digits, expected", [(19, False), (20, True)])
def test_a_feature_of_20_characters_occurs(n_digits, expected):
    occurring = features.occurring_in(NAMES + "1 " * n_digits)
    assert ("inside a number" in occurring) == expected


@pytest.mark.parametrize("n_letters, expected", [(19, False), (20, True)])
def test_a_feature_that_20_characters_do_not_have_occurs(n_letters, expected):
    occurring = features.occurring_in("1" * 500 + "a" * n_letters)
    assert ("inside a number" in occurring) == expected


def test_a_feature_that_is_the_same_as_an_earlier_one_is_left_out():
    occurring = features.occurring_in("a (b c) d\n" * 40)
    assert "inside brackets" in occurring
    assert "depth of brackets" not in occurring


def test_the_depth_of_brackets_is_kept_where_they_are_nested():
    assert "depth of brackets" in features.occurring_in("a (b (c)) d\n" * 40)
