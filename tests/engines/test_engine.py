"""What every engine does: the same numbers and the same texts, by the same rules."""

import numpy as np
import pytest
from conftest import CHARS, graph_probabilities, texts_of

from charrnn.checkpoints.writing import Writing
from charrnn.engines import graph_engine
from charrnn.engines.decoding import softmax
from charrnn.engines.numpy_lstm import FEW_ROWS

# of the fixture network
C = 14
L = 7
S = 6
IDS = np.random.RandomState(2).randint(C, size=(3, 61))


def assert_same_state(state, expected):
    assert state == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_reading_gives_the_probabilities_of_the_cells(network, engines):
    """In one call and in several, with the state carried."""
    expected = graph_probabilities(network, IDS, 25)
    for engine in engines:
        state = engine.zero_state()
        for start, end in [(0, 1), (1, 30), (30, 60)]:
            logits, state = engine.read(IDS[0, start:end], state)
            assert logits.shape == (1, C)
            assert state.shape == (S, 1, L)
            (chances,) = softmax(logits)
            assert chances == pytest.approx(expected[0, end - 1], abs=1e-5)


def test_characters_that_are_fed_are_read(network, engines):
    """One in each row, after the state that the last call returned or after another one."""
    probabilities = graph_probabilities(network, IDS, 25)
    for engine in engines:
        state = engine.zero_state(3)
        for step in range(20):
            logits, next_state = engine.feed(IDS[:, step], state)
            assert softmax(logits) == pytest.approx(probabilities[:, step], abs=1e-5)
            # The same state can be fed once more.
            if step == 9:
                again, _ = engine.feed(IDS[:, step], state)
                np.testing.assert_array_equal(again, logits)
                logits, next_state = engine.feed(IDS[:, step], state)
            state = next_state
        assert state.shape == (S, 3, L)


# The products are computed differently from FEW_ROWS on.
@pytest.mark.parametrize("rows", [3, FEW_ROWS + 3])
def test_surprisal_of_several_rows(network, engines, rows):
    """Each row's own, with the state carried from window to window."""
    ids = np.random.RandomState(2).randint(C, size=(rows, 61))
    inputs = ids[:, :-1]
    targets = ids[:, 1:]
    probabilities = graph_probabilities(network, inputs, 60)  # [B, M, C]
    of_targets = np.take_along_axis(probabilities, targets[:, :, np.newaxis], axis=2)
    expected = -np.log(of_targets.squeeze(2))

    for engine in engines:
        state = engine.zero_state(rows)
        first, state = engine.surprisal(inputs[:, :17], targets[:, :17], state)
        assert first.dtype == np.float32
        assert state.shape == (S, rows, L)
        second, state = engine.surprisal(inputs[:, 17:], targets[:, 17:], state)
        assert state.shape == (S, rows, L)
        nats = np.concatenate([first, second], axis=1)
        assert nats == pytest.approx(expected, abs=2e-5)
        _, state_of_row = engine.read(inputs[1], engine.zero_state())
        assert_same_state(state[:, 1:2], state_of_row)


SETTINGS = [Writing(1, 5, 1), Writing(0.7, 6, 0.9), Writing(1.5, 99, 0.4)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_both_engines_write_the_same_texts(engines, settings):
    """One text, and three, of which the first is the same."""
    single = [texts_of(engine, "the cat", 130, settings) for engine in engines]
    several = [texts_of(engine, "the cat", 130, settings, rows=3) for engine in engines]
    assert single[0] == single[1]
    assert several[0] == several[1]
    assert single[0] == several[0][:1]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_text_is_the_one_that_the_settings_describe(network, engines, settings):
    """Drawn by hand from the probabilities of the cells, as the documentation says."""
    prime = "the cat"
    length = 130
    texts = texts_of(engines[1], prime, length, settings, seed=4, rows=3)

    assert [len(text) for text in texts] == [length] * 3
    ids = np.stack([network.vocabulary.encode(prime + text) for text in texts])
    probabilities = graph_probabilities(network, ids[:, :-1], 50)  # [B, T, C]
    of_drawn = probabilities[:, len(prime) - 1 :].astype(np.float64)
    for row, text in enumerate(texts):
        uniforms = np.random.RandomState(4 + row).random_sample(length)
        for place, char in enumerate(text):
            assert char == draw_by_hand(of_drawn[row, place], uniforms[place], settings)


def draw_by_hand(probabilities, uniform, settings):
    """Draw a character from probabilities [C] with a uniform number."""
    powers = probabilities ** (1 / settings.temperature)
    kept = np.argsort(-powers)[: settings.top_n]
    if settings.top_p < 1:
        shares = np.cumsum(powers[kept]) / powers[kept].sum()
        kept = kept[: 1 + np.sum(shares < settings.top_p)]
    is_kept = np.isin(np.arange(len(powers)), kept)
    edges = np.cumsum(np.where(is_kept, powers, 0))
    return CHARS[np.searchsorted(edges / edges[-1], uniform, side="right")]


def test_activations_are_the_state_after_each_character(engines):
    """In one call and in several, with the state carried."""
    zero_state = engines[1].zero_state()
    together, state = engines[1].activations(IDS[0], zero_state)
    assert together.shape == (61, S, L)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(state[:, 0], together[-1])
    for engine in engines:
        for length in (1, 30, 61):
            _, expected = engine.read(IDS[0, :length], zero_state)
            assert_same_state(together[length - 1], expected[:, 0])
        first, state = engine.activations(IDS[0, :17], zero_state)
        second, _ = engine.activations(IDS[0, 17:], state)
        assert_same_state(np.concatenate([first, second]), together)


def test_a_long_prime_is_read_in_parts(engines, monkeypatch):
    """The state is carried from part to part, so that the text is the same."""
    prime = "the cat sat on the mat"
    monkeypatch.setattr(graph_engine, "READ_CHUNK", 5)
    assert texts_of(engines[0], prime, 40) == texts_of(engines[1], prime, 40)
