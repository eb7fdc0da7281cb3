"""Where in a text numbers of a network are highest."""

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn.inspection import places

TEXT = "".join(np.random.RandomState(1).choice(list(CHARS), 3000))
PROBE = np.random.RandomState(2).standard_normal(14).tolist()


@pytest.fixture
def engine():
    return random_network(CHARS, 7, gain=0.5).engine()


@pytest.fixture
def weights(engine):
    """Those of a direction and of a unit."""
    names = ("inside brackets", "2/h/6")
    probes = {"inside brackets": PROBE}
    return np.array([places.weights_of(name, probes, engine) for name in names])


def numbers(engine, ids):
    """What the probe reads after each character, and the output of the unit, when one row reads all of the text."""
    states, _ = engine.activations(ids, engine.zero_state())
    memories = states[:, ::2].reshape(len(ids), -1)
    return np.array([memories @ PROBE, states[:, 3, 5]])


def test_the_places_are_the_highest_ones_of_the_whole_text(engine, weights, monkeypatch):
    """Although it is read in pieces. No two are near each other."""
    monkeypatch.setattr(places, "PIECES_READ", 11)
    monkeypatch.setattr(places, "APART", 40)
    ids = engine.vocabulary.encode(TEXT)
    chosen_of_all = places.highest_places(engine, ids, weights)
    for values, chosen in zip(numbers(engine, ids), chosen_of_all):
        assert len(chosen) == 5
        assert values[chosen[0]] == pytest.approx(values.max(), abs=1e-4)
        assert np.diff(values[chosen]).max() < 1e-4
        distances = np.abs(np.subtract.outer(np.arange(len(ids)), chosen)).min(axis=1)
        assert values[distances >= 40].max() < values[chosen[-1]] + 1e-4
        assert np.diff(np.sort(chosen)).min() >= 40


def test_the_first_piece_begins_with_the_text(engine, weights):
    """With the zero state."""
    ids = engine.vocabulary.encode(TEXT[:3])
    expected = numbers(engine, ids).argmax(axis=1)
    assert places.highest_places(engine, ids, weights) == [[place] for place in expected]
