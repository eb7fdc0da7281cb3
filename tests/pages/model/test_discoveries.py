"""What the page says of its discoveries."""

from unittest import mock

import pytest

from charrnn.inspection import clamped, discoveries, features, units
from charrnn.text.corpus import Text
from pages.small_pages import entry_of, export_random, random_network

SPEECH = '"No," he said. "Why?" ' * 40
PROGRAM = 'open("a", "b") ' * 40


@pytest.mark.parametrize(
    "text, correlation, ends",
    [
        (SPEECH, 0.9, ("narration", "speech")),
        (SPEECH, 0.4, ("low", "high")),
        (PROGRAM, 0.9, ("outside quotes", "in quotes")),
    ],
    ids=["speech", "not clear", "a program"],
)
def test_the_ends_of_a_number_have_names_that_are_true(text, correlation, ends):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), features.QUOTATION, correlation)
    said = discoveries.describe(tracking, 0.1, None, count=20, text=text)
    assert said["ends"] == ends


def test_the_strongest_discovery_that_changes_words_comes_first(target):
    found = [
        (units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", 0.95), 0.1),
        (units.Tracking(units.Unit(0, 1, "1/c"), "end of a word", -0.9), 0.1),
        (units.Tracking(units.Unit(0, 2, "1/c"), "line end next", 0.6), 0.1),
    ]
    comparison = {"words": [["a"], ["b"]], "counts": [[9, 1], [5, 5], [1, 9]], "texts": 16}
    compare = mock.Mock(side_effect=[None, comparison, comparison])
    with mock.patch.object(units.Measured, "discoveries", return_value=found), mock.patch.object(
        clamped, "compare", compare
    ):
        text = Text("x", '"abc" abc abc\n' * 90)
        export_random(random_network('\n "abc'), target, text=text)

    assert [discovery["feature"] for discovery in entry_of(target, "discoveries")] == [
        "end of a word",
        "line end next",
        "inside a name",
    ]
