"""Properties of a text that a unit may track: by hand on short texts, and which ones occur."""

import re
from pathlib import Path

import pytest

from charrnn.inspection import features

VALUES = {feature.name: feature.values for feature in features.FEATURES}


def marks(name, text):
    """Return a feature of two values as a string with an x below each character that has it."""
    return "".join("x" if value else " " for value in VALUES[name](text))


LINES = Path(__file__).with_name("languages.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in LINES if " | " in line and line[0] != "#"])
def test_features_are_those_that_a_person_sees_in_any_language(line):
    _, name, marked = line.replace("\\n", "\n").split(" | ")
    pieces = re.findall(r"([{}]?)([^{}]*)", marked)  # each with what stands before it
    expected = "".join((" x"[brace == "{"]) * len(piece) for brace, piece in pieces)
    assert marks(name, re.sub("[{}]", "", marked)) == expected


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
def test_counts(name, text, expected):
    assert VALUES[name](text).tolist() == expected


@pytest.mark.parametrize("text", ["", "a", "\n\n", "\ud800\x00"])
def test_every_feature_has_a_value_for_each_character(text):
    for feature in features.FEATURES:
        assert feature.values(text).shape == (len(text),), feature.name


def test_features_that_do_not_occur_are_left_out():
    """Also those that never end. Of a count, few characters need to have the largest number."""
    for text in ("one two three.\n" * 40 + "four five six seven\n", '"' + "one two three.\n" * 40):
        found = features.measure(text)
        assert "after a vowel" in found and "position in the line" in found
        assert "inside quotation marks" not in found and "inside a number" not in found


def test_a_feature_that_is_the_same_as_an_earlier_one_is_left_out():
    found = features.measure("a (b c) d\n" * 40)
    assert "inside brackets" in found and "depth of brackets" not in found
    assert "depth of brackets" in features.measure("a (b (c)) d\n" * 40)
