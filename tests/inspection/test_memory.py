"""How far back a network remembers."""

import numpy as np
import pytest
from conftest import TEXT

from charrnn.engines.opening import open_model
from charrnn.inspection import memory
from charrnn.text.baselines import ngram_nats


@pytest.fixture
def engine(exported):
    return open_model(exported).engine()


def logits_after(engine, ids):
    """Return the logits [C] of a network that has read only these characters."""
    [logits], _ = engine.read(ids, engine.zero_state())
    return logits


def test_the_bits_after_some_letters_are_those_of_a_network_that_read_only_these(
    engine, monkeypatch
):
    """The same characters for each number of letters, from all of the text."""
    monkeypatch.setattr(memory, "PLACES", 40)
    ids = engine.vocabulary.encode(TEXT)
    bits_after = memory.bits_after(engine, ids)
    assert list(bits_after) == [1, 2, 5, 10, 20, 50, 100, 200]

    places = np.unique(np.linspace(200, len(TEXT) - 1, 40).astype(int))
    for count, bits in bits_after.items():
        logits = np.stack([logits_after(engine, ids[place - count : place]) for place in places])
        shares = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))  # [B, C]
        share_of_next = shares[range(len(places)), ids[places]]
        assert bits == pytest.approx(-np.log2(share_of_next).mean(), abs=1e-4)


@pytest.mark.parametrize("length, counts", [(1, []), (2, [1]), (60, [1, 2, 5, 10, 20, 50])])
def test_a_short_text_has_fewer(engine, length, counts):
    bits_after = memory.bits_after(engine, engine.vocabulary.encode(TEXT[:length]))
    assert list(bits_after) == counts


def test_the_bits_of_pairs_are_those_of_the_same_characters(engine):
    """By counts of pairs, mixed as in the baselines."""
    learned = engine.vocabulary.encode(TEXT[:500])
    ids = engine.vocabulary.encode(TEXT)
    classes = len(engine.vocabulary)
    nats = ngram_nats(learned, ids, classes, order=1)
    places = np.unique(np.linspace(200, len(TEXT) - 1, 500).astype(int))
    expected = nats[places - 1].mean() / np.log(2)
    assert memory.bits_of_pairs(learned, ids, classes) == pytest.approx(expected)
