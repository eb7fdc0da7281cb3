"""The surprisal of each character of a text, in one row and in several."""

import numpy as np
import pytest
from conftest import graph_probabilities

from charrnn.engines import Engine
from charrnn.engines import surprisal as module
from charrnn.engines.surprisal import surprisal
from charrnn.text.baselines import mean_of_letters

IDS = np.random.RandomState(1).randint(0, 14, 1300)


@pytest.fixture(scope="module")
def expected(network):
    """Minus the logarithm of the probability of each character, from the cells over the text at once."""
    (probabilities,) = graph_probabilities(network, IDS[np.newaxis, :-1], len(IDS))  # [T - 1, C]
    of_targets = probabilities[np.arange(len(IDS) - 1), IDS[1:]]
    return -np.log(of_targets.astype(np.float64))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", [2, 3, 99, 100, 101, 250])  # around the 100 steps of a window
def test_every_character_has_the_surprisal_that_the_cells_give_it(engines, expected, rows, length):
    """Also in several rows, if each can read all that comes before."""
    nats = surprisal(engines[0], IDS[:length], rows)
    assert nats.dtype == np.float32
    assert nats.shape == (length - 1,)
    np.testing.assert_allclose(nats, expected[: length - 1], atol=2e-5)


def test_these_surprisals_differ(expected):
    for length in (3, 99, 250):
        assert expected[: length - 1].std() > 0.1


class CountingEngine(Engine):
    """An engine for which a character is the more surprising the more characters its row has read."""

    def zero_state(self, rows=1):
        self.rows = rows
        return np.zeros((1, rows, 1), np.float32)

    def surprisal(self, inputs, targets, state):
        n_steps = inputs.shape[1]
        counts = state[0] + np.arange(1, n_steps + 1)  # [B, M]
        return counts, state + n_steps


def test_a_row_reads_500_characters_before_those_that_it_measures():
    """Or all that there are. It does not read the whole text."""
    counts = surprisal(CountingEngine(), IDS, rows=50)
    places = np.arange(1, len(IDS))
    assert (counts >= np.minimum(places, 501)).all()
    assert counts.max() <= 500 + 26


@pytest.mark.parametrize("length, rows", [(20, 1), (50, 1), (51, 2), (1300, 50)])
def test_a_row_measures_25_characters_or_more(length, rows):
    engine = CountingEngine()
    surprisal(engine, IDS[:length], rows=50)
    assert engine.rows == rows


class EchoingEngine(Engine):
    """An engine for which the surprisal of a character is its id."""

    def zero_state(self, rows=1):
        return np.zeros((1, rows, 1), np.float32)

    def surprisal(self, inputs, targets, state):
        return targets.astype(np.float32), state


@pytest.mark.parametrize("warm_up", [0, 1, 37])
@pytest.mark.parametrize("length", [*range(2, 12), 100, 101, 301, 302, 303, 304, 450, 1300])
def test_rows_cover_every_character_once(monkeypatch, warm_up, length):
    """Each place has the surprisal of its own character, whatever its row."""
    monkeypatch.setattr(module, "WARM_UP", warm_up)
    nats = surprisal(EchoingEngine(), IDS[:length], rows=3)
    np.testing.assert_array_equal(nats, IDS[1:length])


@pytest.mark.parametrize("chars, mean", [("a b.", 2), ("1 2.", 2.5), ("\u0434. -", 1)])
def test_the_letters_count_or_all_characters_where_there_is_none(chars, mean):
    assert mean_of_letters(np.array([1, 2, 3, 4], np.float32), chars) == mean
