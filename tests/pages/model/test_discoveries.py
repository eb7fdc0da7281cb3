"""What the page says of its discoveries."""

import numpy as np
import pytest

from charrnn.engines.directions import Direction
from charrnn.inspection import clamped, discoveries, steered, units
from charrnn.text import features
from charrnn.text.corpus import Text
from pages.small_pages import entry_of, export_random, random_network

SPEECH = '"No," he said. "Why?" ' * 40
PROGRAM = 'open("a", "b") ' * 40


@pytest.mark.parametrize(
    "text, ends",
    [(SPEECH, ("narration", "speech")), (PROGRAM, ("outside quotes", "in quotes"))],
    ids=["speech", "a program"],
)
def test_what_stands_in_quotes_has_its_name(text, ends):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), features.QUOTATION, 0.9)
    said = discoveries.describe(tracking, 0.1, None, count=20, text=text)
    assert said["ends"] == ends


@pytest.mark.parametrize(
    "correlation, sentence",
    [
        (0.7, "One of the 20 numbers in this network recognises names."),
        (-0.69, "One of the 20 numbers in this network has an idea of this: inside a name."),
    ],
)
def test_a_weak_number_has_an_idea_and_a_strong_one_knows(correlation, sentence):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", correlation)
    said = discoveries.describe(tracking, 0.1, None, count=20, text=PROGRAM)
    assert said["sentence"] == sentence


GERMAN = "Da ist der Hund im Haus, und der Mann geht ohne Hut. " * 20


@pytest.mark.parametrize("correlation, said", [(0.7, "recognises nouns"), (0.6, "inside a noun")])
def test_in_a_text_whose_nouns_begin_with_a_capital_no_noun_is_called_a_name(correlation, said):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", correlation)
    entry = discoveries.describe(tracking, 0.1, None, count=20, text=GERMAN)
    assert said in entry["sentence"]
    assert entry["ends"] == ("other words", "noun")


@pytest.mark.parametrize(
    "counts, claim",
    [
        ([[2], [83], [163]], "*too soon*, or *never*"),
        ([[163], [83], [2]], "*too soon*, or *never*"),
        ([[12], [83], [163]], "*too soon*, or *hardly ever*"),
        ([[2], [150], [163]], "*in time*, or *never*"),
        ([[110], [206], [262]], "*too soon*, or *too late*"),
        ([[81], [100], [122]], "*sooner*, or *later*"),
    ],
)
def test_what_becomes_of_line_ends_is_said_as_it_was_counted(counts, claim):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), "position in the line", 0.9)
    comparison = clamped.Comparison([], counts, texts=16, seen=11)
    said = discoveries.describe(tracking, 0.1, comparison, count=20, text=PROGRAM)
    assert said["sentence"] == f"Move one of its 20 numbers, and its lines end {claim}."


BY_WORDS = clamped.Comparison([["he", "his"], ["I"]], [[9, 1], [5, 5], [1, 9]], texts=16)


def direction_told(name, comparison=BY_WORDS, text=SPEECH):
    """What is said of a direction that a comparison tells."""
    direction = Direction(np.ones(4), np.ones(4), outside=0.0, inside=1.0, correlation=0.9)
    told = steered.ToldDirection(name, direction, (-0.5, 1.5), comparison, {}, {}, {})
    return discoveries.describe_direction(told, text)


@pytest.mark.parametrize(
    "name, sentence, ends",
    [
        ("inside quotation marks", "Slide from *telling* to *talking*.", ("telling", "talking")),
        ("start of a sentence", "Slide, and it says *I* instead of *he*.", ("“he”", "“I”")),
        ("inside a name", "Slide, and it says *I* instead of *he*.", ("“he”", "“I”")),
    ],
)
def test_the_ends_of_a_direction_are_named_by_what_it_slides_between_or_by_words(
    name, sentence, ends
):
    said = direction_told(name)
    assert said["sentence"] == sentence
    assert said["ends"] == ends


def test_a_direction_of_nouns_that_a_sign_tells_has_nouns_at_its_end():
    by_sign = clamped.Comparison([], [[1], [5], [20]], texts=16, sign="-")
    said = direction_told("inside a name", by_sign, GERMAN)
    assert said["sentence"] == "Slide, and it writes *-* far more often."
    assert said["ends"] == ("other words", "noun")


def test_the_discovery_whose_ends_differ_most_clearly_comes_first(target, monkeypatch):
    found = [
        (units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", 0.95), 0.1),
        (units.Tracking(units.Unit(0, 1, "1/c"), "end of a word", -0.9), 0.1),
        (units.Tracking(units.Unit(0, 2, "1/c"), "line end next", 0.6), 0.1),
    ]
    words = clamped.Comparison([["a"], ["b"]], [[9, 1], [5, 5], [1, 9]], texts=16)
    line_ends = clamped.Comparison([], [[1], [5], [20]], texts=16)
    comparisons = {"1/c/1": None, "1/c/2": words, "1/c/3": line_ends}

    def write(model, prime, settings, unit=None, value=0):
        return [str(unit)] * len(clamped.SEEDS)

    def compare(low, free, high):
        return comparisons[low[0]]

    monkeypatch.setattr(units.Measured, "discoveries", lambda *_: found)
    monkeypatch.setattr(clamped, "write", write)
    monkeypatch.setattr(clamped, "compare", compare)
    text = Text("x", '"abc" abc abc\n' * 90)
    export_random(random_network('\n "abc'), target, text=text)

    assert [discovery["feature"] for discovery in entry_of(target, "discoveries")] == [
        "line end next",
        "end of a word",
        "inside a name",
    ]


def texts_that_show(seed):
    """Return texts for the two ends of a unit, of which those of a seed alone show "I" in place of "he"."""
    low = ["he ran. he sat. he. "] * len(clamped.SEEDS)
    high = ["he ran. I sat. "] * len(clamped.SEEDS)
    high[clamped.SEEDS.index(seed)] = "I ran. I sat. "
    return low, high


def test_each_discovery_has_the_seed_of_texts_that_show_what_is_said(target, monkeypatch):
    """One that nothing tells of has none."""
    found = [
        (units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", 0.9), 0.1),
        (units.Tracking(units.Unit(0, 1, "1/c"), "end of a word", 0.8), 0.1),
        (units.Tracking(units.Unit(0, 2, "1/c"), "line end next", 0.7), 0.1),
    ]
    telling_seeds = {"1/c/1": 5, "1/c/2": 12}

    def write(model, prime, settings, unit=None, value=0):
        if str(unit) not in telling_seeds:
            return ["he ran. "] * len(clamped.SEEDS)
        low, high = texts_that_show(telling_seeds[str(unit)])
        return low if value < 0 else high

    most = np.full((4, 6), 90)
    monkeypatch.setattr(units.Measured, "limits", lambda _: (-most, most))
    monkeypatch.setattr(units.Measured, "discoveries", lambda *_: found)
    monkeypatch.setattr(clamped, "write", write)
    text = Text("x", "he ran. I sat.\n" * 90)
    export_random(random_network("\n .Iaehnrst"), target, text=text)

    assert [discovery["seed"] for discovery in entry_of(target, "discoveries")] == [5, 12, None]
    assert entry_of(target, "opening")["seed"] == 5
