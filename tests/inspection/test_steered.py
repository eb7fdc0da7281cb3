"""Which directions a page tells: what is said is seen with nearly any seed, from each of three beginnings."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn.engines.directions import Direction
from charrnn.engines.surprisal import surprisal
from charrnn.inspection import differences, discoveries, steered
from charrnn.text.corpus import Text

QUOTES = "inside quotation marks"
BRACKETS = "inside brackets"
VOWELS = "after a vowel"
PRIMES = ["a", "b", "c", "d"]
# Twice as often as three standard deviations need, in the texts of 16 seeds and three beginnings.
TOLD = "he ran and he sat down. "
SPOKEN = "I ran and I sat down. "
FREE = "he ran (and) I sat down. "
# Free texts, in turn: they have more and fewer capitals, and more and fewer letters, than those at the ends.
FREE_TEXTS = (FREE, "he wandered and he sat down. ", "He ran ((and)) I (sat) down I. ")
MOST_SURPRISE = 1.5


def direction_of(correlation):
    return Direction(np.ones(4), np.ones(4), outside=0.0, inside=1.0, correlation=correlation)


class Writer:
    """In place of Trial._write: what is written at each end, and with how many seeds after a beginning it is not."""

    def __init__(self, ends, failing=0, failing_prime="b"):
        self.ends = ends
        self.failing = failing
        self.failing_prime = failing_prime

    def __call__(self, seeds, steer=None):
        written = {}
        for prime in PRIMES[:3]:
            texts = FREE_TEXTS
            if steer:
                [(name, strength)] = steer.items()
                texts = (self.ends[name][strength > 0.5],)
            written[prime] = [texts[seed % len(texts)] for seed in seeds]
            is_counted = seeds is steered.COUNTED
            if steer and is_counted and prime == self.failing_prime:
                written[prime][: self.failing] = [FREE] * self.failing
        return written


@pytest.fixture
def tell(monkeypatch):
    """A function that returns the directions that are told of those that write in some way."""

    def told(writer, directions, text=TOLD + SPOKEN, surprise_of=lambda _: MOST_SURPRISE):
        def surprises(_, written):
            texts = steered._all_of(written)
            if set(texts) == set(FREE_TEXTS):
                return np.linspace(0, MOST_SURPRISE, len(texts))
            return [surprise_of(written)] * len(texts)

        monkeypatch.setattr(steered.Trial, "_write", lambda _, *how: writer(*how))
        monkeypatch.setattr(steered.Trial, "_surprises", surprises)
        model = random_network(CHARS + "b", 2, 1)
        return steered.Trial(model, directions, PRIMES, text).told()

    return told


def test_what_each_beginning_shows_with_28_of_32_seeds_is_told(tell):
    writer = Writer({QUOTES: (TOLD, SPOKEN)}, failing=4)
    [told] = tell(writer, {QUOTES: direction_of(0.9)})
    assert told.name == QUOTES
    assert told.seen == {"a": 32, "b": 28, "c": 32}
    assert told.difference.words == [["he"], ["I"]]
    assert told.difference.texts == 96


@pytest.mark.parametrize("prime", PRIMES[:3])
def test_what_one_beginning_shows_less_often_is_not(tell, prime):
    writer = Writer({QUOTES: (TOLD, SPOKEN)}, failing=5, failing_prime=prime)
    assert tell(writer, {QUOTES: direction_of(0.9)}) == []


def test_an_end_that_free_texts_are_like_is_not_told(tell):
    assert tell(Writer({QUOTES: (FREE, FREE)}), {QUOTES: direction_of(0.9)}) == []


def test_what_is_written_in_no_known_words_is_not_told(tell):
    ends = (TOLD, SPOKEN.replace("down", "dwon").replace("ran", "rna").replace("sat", "sta"))
    assert tell(Writer({QUOTES: ends}), {QUOTES: direction_of(0.9)}) == []
    assert tell(Writer({QUOTES: ends}), {QUOTES: direction_of(0.9)}, text=TOLD + ends[1])


def test_where_letters_give_way_to_signs_it_is_not_told(tell):
    ends = (TOLD, SPOKEN + 6 * "- ")
    assert tell(Writer({QUOTES: ends}), {QUOTES: direction_of(0.9)}) == []


def test_what_differs_most_clearly_is_said(tell):
    """Here there are more brackets than there are words of either end."""
    ends = (TOLD, "I ran (and (I (sat (down. ")
    [told] = tell(Writer({QUOTES: ends}), {QUOTES: direction_of(0.9)})
    assert told.difference.words == []
    assert told.difference.sign == "("


def test_where_words_have_more_capitals_than_in_any_free_text_it_is_not_told(tell):
    ends = (TOLD, "I RAN AND I sat down. ")
    known = f"{TOLD} {ends[1]}"
    assert tell(Writer({QUOTES: ends}), {QUOTES: direction_of(0.9)}, text=known) == []


def test_a_word_is_known_with_a_capital_where_a_sentence_begins_alone(tell):
    directions = {QUOTES: direction_of(0.9)}
    [told] = tell(Writer({QUOTES: (TOLD, "I ran and I sat. Down he sat. ")}), directions)
    assert told.name == QUOTES
    assert tell(Writer({QUOTES: (TOLD, "I ran and I sat Down he sat. ")}), directions) == []


class NotingWriter(Writer):
    """The same, which notes at which ends texts are written to be counted."""

    tried = ()

    def __call__(self, seeds, steer=None):
        if steer and seeds is steered.COUNTED:
            self.tried = [*self.tried, *steer.values()]
        return super().__call__(seeds, steer)


def test_a_direction_is_held_at_the_widest_ends_at_which_texts_surprise_as_free_ones_do(tell):
    """Each end by itself."""
    writer = NotingWriter({QUOTES: (TOLD, SPOKEN)})
    surprises = {-0.5: 1.6, -0.25: 1.5, 1.5: 2.0, 1.25: 1.7, 1.0: 1.4}
    [told] = tell(
        writer,
        {QUOTES: direction_of(0.9)},
        surprise_of=lambda _: surprises[writer.tried[-1]],
    )
    assert told.ends == (-0.25, 1.0)
    assert writer.tried == [-0.5, -0.25, 1.5, 1.25, 1.0]


def test_an_end_that_is_no_text_anywhere_is_not_told(tell):
    writer = Writer({QUOTES: (TOLD, SPOKEN)})
    directions = {QUOTES: direction_of(0.9)}
    assert tell(writer, directions, surprise_of=lambda _: MOST_SURPRISE + 0.01) == []


def test_a_sign_tells_too_and_a_direction_that_words_tell_comes_first(tell):
    ends = {BRACKETS: ("he ran and sat down. ", "he ran (and (sat down. "), QUOTES: (TOLD, SPOKEN)}
    directions = {BRACKETS: direction_of(0.99), QUOTES: direction_of(0.9)}
    first, second = tell(Writer(ends), directions)
    assert first.name == QUOTES
    assert second.difference.words == []
    assert second.difference.sign == "("


def test_what_a_character_is_by_itself_is_not_told(tell):
    assert tell(Writer({VOWELS: (TOLD, SPOKEN)}), {VOWELS: direction_of(0.99)}) == []


def test_what_surprises_is_measured_on_the_letters_after_the_beginning():
    """By a network of which nothing is held."""
    model = random_network(CHARS, 5, 2)
    trial = steered.Trial(model, {}, ["the ", "a"], "cat")
    written = {"the ": ["cat a", "a, he"], "a": [" hat."]}
    expected = []
    for prime, texts in written.items():
        for text in texts:
            nats = surprisal(model.engine(), model.vocabulary.encode(prime + text))
            of_text = zip(nats[len(prime) - 1 :], text)
            expected.append(np.mean([nat for nat, char in of_text if char.isalpha()]))
    assert trial._surprises(written) == pytest.approx(expected, rel=1e-5)


def test_the_texts_are_those_that_are_written_with_steer(monkeypatch):
    """Of each seed, after each beginning."""
    letters = "".join(np.random.RandomState(1).choice(list("acdehmnost    "), 5000))
    model = random_network(CHARS, 17, gain=0.7, seed=7)
    name = "distance since the last space"
    # It is the direction of what has no claim, under the name of what has one.
    direction, *_ = model.directions(letters).values()
    directions = {name: direction}
    model.train_text = Text("letters", letters)
    model.directions().update(directions)
    always = differences.Difference([["a"], ["b"]], [[99, 0], [50, 50], [0, 99]], texts=32)
    monkeypatch.setattr(steered, "differences_between", lambda *_: [replace(always, seen=99)])
    monkeypatch.setattr(differences.Difference, "margin", lambda *_: 1)
    monkeypatch.setattr(steered.Trial, "_are_as_free", lambda *_: True)

    [told] = steered.Trial(model, directions, ["the ", "a"], letters).told()
    assert list(told.low) == ["the ", "a"]
    for texts, strength in zip((told.low, told.high), told.ends):
        for prime, of_prime in texts.items():
            expected = model.write(prime, 200, n=3, seed=1, temperature=0.5, steer={name: strength})
            assert [prime + text for text in of_prime[:3]] == expected


SPEECH = '"No," he said. "Why?" ' * 40
PROGRAM = 'open("a", "b") ' * 40
PLAY = "KATE:\nI go.\n\nTOM:\nStay.\n\n" * 40
FIRST = "first line of a paragraph"


@pytest.mark.parametrize(
    "name, text, ends",
    [
        (QUOTES, SPEECH, ("telling", "talking")),
        (QUOTES, PROGRAM, ("text outside quotes", "text inside quotes")),
        (FIRST, PLAY, ("verse", "names of speakers")),
        (FIRST, SPEECH, ("later lines", "first lines")),
        (BRACKETS, SPEECH, ("text outside brackets", "text inside brackets")),
    ],
)
def test_the_ends_of_a_direction_are_named_by_the_kind_of_text(name, text, ends):
    difference = differences.Difference([["he"], ["I"]], [[9], [5], [1]], texts=16)
    told = steered.ToldDirection(
        name, direction_of(0.9), (-0.5, 1.5), difference, seen={}, low={}, high={}
    )
    assert discoveries.describe_direction(told, text)["ends"] == ends
