"""Continuing a prime: seeds, where a text ends, interruptions, and primes that cannot be continued."""

import pytest
from conftest import texts_of

from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import CHUNK, Sampler

ALL = Settings(top_n=14)


@pytest.fixture
def engine(engines):
    return engines[1]


def test_each_row_has_the_text_of_its_own_seed(engine):
    """After the last seed comes 0."""
    alone = [texts_of(engine, "the ", 60, seed=seed)[0] for seed in (2**32 - 2, 2**32 - 1, 0)]
    samples, _ = Sampler(engine, 3).write("the ", 60, Settings(), 2**32 - 2)
    assert [each.text for each in samples] == alone and len(set(alone)) == 3
    assert [each.seed for each in samples] == [2**32 - 2, 2**32 - 1, 0]


def test_a_text_ends_after_a_string(engine):
    """Also where the string spans two pieces, the first of which was shown before, or overlaps with itself."""
    (text,) = texts_of(engine, "the ", 170, ALL, seed=8)
    across = 0
    for start in [0, 1, 30, 47, 48, 49, 50, 51, 97, 99, 100, 149, 165]:
        for width in (1, 2, 4, 5):
            stop = text[start : start + width]
            pieces = []
            end = text.index(stop) + width
            (found,), _ = Sampler(engine).write("the ", 170, ALL, 8, stop=stop, show=pieces.append)
            assert (
                found.text == "".join(pieces) == text[:end] and len(found.log_probabilities) == end
            )
            across += (end - width) // CHUNK != (end - 1) // CHUNK
    assert across >= 5
    (found,), _ = Sampler(engine).write("the ", 170, ALL, 8, stop="hat hat hat cat")
    assert found.text == text


def test_the_most_probable_characters_are_those_of_both_engines(engines):
    """And of any seed."""
    for engine in engines:
        texts = texts_of(engine, "the ", 60, Settings(temperature=0), seed=8, rows=2)
        assert texts == 2 * texts_of(engines[1], "the ", 60, Settings(top_n=1), seed=5)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_string_that_ends_a_text_may_begin_in_the_prime(engine, rows):
    """It ends with the first character that is drawn; a prime that has all of it does not end the text."""
    samples, _ = Sampler(engine, rows).write("the ", 50, Settings(), 3)
    first = samples[0].text[0]
    for stop, length in ((f"the {first}", 1), (f" {first}", 1), ("the ", None)):
        ended = Sampler(engine, rows).write("the ", 50, Settings(), 3, stop=stop)[0][0]
        assert ended.text == samples[0].text[: length or len(ended.text)] and len(ended.text) >= (
            length or 2
        )


@pytest.mark.parametrize("more", ["", "on "])
def test_what_was_drawn_last_is_continued_as_if_it_were_the_beginning(engines, more):
    for engine in engines:
        sampler = Sampler(engine)
        (first,), _ = sampler.write("the ", 9, Settings(), 3)
        (second,), _ = sampler.write(more, 9, Settings(), 5, after_last=True)
        assert [second.text] == texts_of(engine, f"the {first.text}{more}", 9, seed=5)
