"""What the page says of its discoveries."""

import numpy as np
import pytest

from charrnn.engines.directions import Direction
from charrnn.inspection import differences, discoveries, steered, units
from charrnn.pages import webpage
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
    said = discoveries.describe(tracking, 0.1, count=20, text=text)
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
    said = discoveries.describe(tracking, 0.1, count=20, text=PROGRAM)
    assert said["sentence"] == sentence


GERMAN = "Da ist der Hund im Haus, und der Mann geht ohne Hut. " * 20


@pytest.mark.parametrize("correlation, said", [(0.7, "recognises nouns"), (0.6, "inside a noun")])
def test_in_a_text_whose_nouns_begin_with_a_capital_no_noun_is_called_a_name(correlation, said):
    tracking = units.Tracking(units.Unit(0, 0, "1/c"), "inside a name", correlation)
    entry = discoveries.describe(tracking, 0.1, count=20, text=GERMAN)
    assert said in entry["sentence"]
    assert entry["ends"] == ("other words", "noun")


BY_WORDS = differences.Difference([["he", "his"], ["I"]], [[9, 1], [5, 5], [1, 9]], texts=16)


def direction_told(name, difference=BY_WORDS, text=SPEECH):
    """What is said of a direction that a difference tells."""
    direction = Direction(np.ones(4), np.ones(4), outside=0.0, inside=1.0, correlation=0.9)
    told = steered.ToldDirection(name, direction, (-0.5, 1.5), difference, {}, {}, {})
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
    by_sign = differences.Difference([], [[1], [5], [20]], texts=16, sign="-")
    said = direction_told("inside a name", by_sign, GERMAN)
    assert said["sentence"] == "Slide, and it writes *-* far more often."
    assert said["ends"] == ("other words", "noun")


def texts_that_show(seed):
    """Return texts for the two ends of a direction, of which those of a seed alone show "I" in place of "he"."""
    low = ["he ran. he sat. he. "] * len(steered.COUNTED)
    high = ["he ran. I sat. "] * len(steered.COUNTED)
    high[steered.COUNTED.index(seed)] = "I ran. I sat. "
    return low, high


def test_each_direction_has_the_seed_of_texts_that_show_what_is_said(target, monkeypatch):
    """A number, which comes later, has none."""
    seeds = {"inside a name": 5, "end of a word": 12}
    direction = Direction(np.ones(12), np.ones(12), outside=0.0, inside=1.0, correlation=0.9)
    unit = (units.Tracking(units.Unit(0, 0, "1/c"), "line end next", 0.7), 0.1)

    def told(trial):
        of_seeds = []
        for name, seed in seeds.items():
            low, high = texts_that_show(seed)
            low = dict.fromkeys(trial.primes, low)
            high = dict.fromkeys(trial.primes, high)
            ends = (-0.5, 1.5)
            of_seeds.append(
                steered.ToldDirection(name, direction, ends, BY_WORDS, {"a": 28}, low, high)
            )
        return of_seeds

    monkeypatch.setattr(webpage, "find_directions", lambda *_: dict.fromkeys(seeds, direction))
    monkeypatch.setattr(steered.Trial, "told", told)
    monkeypatch.setattr(units.Measured, "discoveries", lambda *_: [unit])
    text = Text("x", "he ran. I sat.\n" * 90)
    export_random(random_network("\n .Iaehnrst"), target, text=text)

    discoveries_of_page = entry_of(target, "discoveries")
    assert [discovery["feature"] for discovery in discoveries_of_page] == [*seeds, "line end next"]
    assert [discovery["seed"] for discovery in discoveries_of_page] == [5, 12, None]
    assert entry_of(target, "opening")["seed"] == 5
