"""Continuing a prime: seeds, where a text ends, interruptions, and primes that cannot be continued."""

import pytest
from conftest import texts_of

from charrnn.checkpoints.writing import Writing
from charrnn.engines.sampler import Sampler
from charrnn.engines.surprisal import surprisal

ALL = Writing(top_n=14)


@pytest.fixture
def engine(engines):
    return engines[1]


def first_of(engine, rows=1, **options):
    """Return the first Sample that an engine writes after "the "."""
    first, *_ = Sampler(engine, rows).write("the ", **options)
    return first


def test_each_row_has_the_text_of_its_own_seed(engine):
    """After the last seed comes 0."""
    seeds = [2**32 - 2, 2**32 - 1, 0]
    texts = [texts_of(engine, "the ", 60, seed=seed) for seed in seeds]
    samples = Sampler(engine, 3).write("the ", 60, Writing(), 2**32 - 2)

    assert [sample.seed for sample in samples] == seeds
    assert [[sample.text] for sample in samples] == texts
    assert len({sample.text for sample in samples}) == 3


# The text has 170 characters.
@pytest.mark.parametrize("start", [0, 1, 30, 47, 48, 49, 50, 51, 97, 99, 100, 149, 165])
@pytest.mark.parametrize("width", [1, 2, 4, 5])
def test_a_text_ends_after_a_string(engine, start, width):
    """Also where a part of the string was shown before, or where it overlaps with itself."""
    (text,) = texts_of(engine, "the ", 170, ALL, seed=8)
    stop = text[start : start + width]
    end = text.index(stop) + width
    sampler = Sampler(engine)
    pieces = list(sampler.pieces("the ", 170, ALL, 8, stop=stop))
    (sample,) = sampler.samples

    assert sample.text == text[:end]
    assert "".join(pieces) == text[:end]
    assert len(sample.log_probabilities) == end


def test_a_string_that_does_not_come_ends_no_text(engine):
    (text,) = texts_of(engine, "the ", 170, ALL, seed=8)
    stop = "hat hat hat cat"
    assert first_of(engine, length=170, writing=ALL, seed=8, stop=stop).text == text


def test_the_most_probable_characters_are_those_of_both_engines(engines):
    """They are those of any seed."""
    (expected,) = texts_of(engines[1], "the ", 60, Writing(top_n=1), seed=5)
    for engine in engines:
        texts = texts_of(engine, "the ", 60, Writing(temperature=0), seed=8, rows=2)
        assert texts == [expected, expected]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_string_that_ends_a_text_may_begin_in_the_prime(engine, rows):
    """It ends with the first character that is drawn."""
    options = dict(rows=rows, length=50, writing=Writing(), seed=3)
    char = first_of(engine, **options).text[0]
    for stop in (f"the {char}", f" {char}"):
        assert first_of(engine, stop=stop, **options).text == char


@pytest.mark.parametrize("rows", [1, 3])
def test_a_prime_that_has_the_whole_string_does_not_end_the_text(engine, rows):
    options = dict(rows=rows, length=50, writing=Writing(), seed=3)
    text = first_of(engine, **options).text
    ended = first_of(engine, stop="the ", **options).text

    assert len(ended) >= 2
    assert text.startswith(ended)


@pytest.mark.parametrize("more", ["", "on "])
def test_what_was_drawn_last_is_continued_as_if_it_were_the_beginning(engines, more):
    for engine in engines:
        sampler = Sampler(engine)
        (first,) = sampler.write("the ", 9, Writing(), 3)
        (second,) = sampler.write(more, 9, Writing(), 5, after_last=True)
        expected = texts_of(engine, f"the {first.text}{more}", 9, seed=5)
        assert [second.text] == expected


@pytest.mark.parametrize("allowed", ["hat", {"h": 3, "a": 0.1, "t": 1}])
def test_log_probabilities_are_the_networks_own_whatever_is_allowed(engines, allowed):
    for engine in engines:
        samples = Sampler(engine, 2, allow=lambda text: allowed).write("the ", 9, ALL, 3)
        for sample in samples:
            ids = engine.vocabulary.encode("the " + sample.text)
            of_drawn = -surprisal(engine, ids)[len("the ") - 1 :]
            assert sample.log_probabilities == pytest.approx(of_drawn, abs=1e-5)
