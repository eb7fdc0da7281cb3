"""What every engine does: the same numbers and the same texts, by the same rules."""

import numpy as np
import pytest
from conftest import CHARS, graph_probabilities, texts_of

from charrnn.engines import graph_engine
from charrnn.engines.decoding import Settings, softmax
from charrnn.engines.numpy_lstm import FEW_ROWS

# of the fixture
C = 14
L = 7
S = 6
IDS = np.random.RandomState(2).randint(C, size=(3, 61))


def test_reading_gives_the_probabilities_of_the_cells(network, engines):
    """In one call and in several, with the state carried."""
    expected = graph_probabilities(network, IDS, 25)
    for engine in engines:
        state = engine.zero_state()
        for start, end in [(0, 1), (1, 30), (30, 60)]:
            logits, state = engine.read(IDS[0, start:end], state)
            assert logits.shape == (1, C) and state.shape == (S, 1, L)
            assert softmax(logits)[0] == pytest.approx(expected[0, end - 1], abs=1e-5)


# the products are computed differently from FEW_ROWS on
@pytest.mark.parametrize("rows", [3, FEW_ROWS + 3])
def test_surprisal_of_several_rows(network, engines, rows):
    """Each row's own, with the state carried from window to window."""
    ids = np.random.RandomState(2).randint(C, size=(rows, 61))
    expected = np.log(graph_probabilities(network, ids[:, :-1], 60))
    expected = -np.take_along_axis(expected, ids[:, 1:, np.newaxis], axis=2)[..., 0]
    for engine in engines:
        nats, state = engine.surprisal(ids[:, :17], ids[:, 1:18], engine.zero_state(rows))
        rest, after = engine.surprisal(ids[:, 17:-1], ids[:, 18:], state)
        assert nats.dtype == np.float32 and state.shape == after.shape == (S, rows, L)
        assert np.concatenate([nats, rest], axis=1) == pytest.approx(expected, abs=2e-5)
        assert after[:, 1:2] == pytest.approx(
            engine.read(ids[1, :-1], engine.zero_state())[1], rel=1e-6, abs=1e-5
        )


@pytest.mark.parametrize("settings", [Settings(), Settings(0.7, 6, 0.9), Settings(1.5, 99, 0.4)])
def test_both_engines_write_the_text_that_the_settings_describe(network, engines, settings):
    """One text or three, drawn by hand from the probabilities of the cells, as the documentation says."""
    texts = []
    length = 130
    for rows in (1, 3):
        for engine in engines:
            texts.append(texts_of(engine, "the cat", length, settings, rows=rows))
    assert texts[0] == texts[1] and texts[2] == texts[3] and texts[0][0] == texts[2][0]
    assert [len(text) for text in texts[2]] == [length] * 3
    ids = np.stack([network.vocabulary.encode("the cat" + text) for text in texts[2]])
    # [B, T, C]
    probabilities = graph_probabilities(network, ids[:, :-1], 50)[:, len("the cat") - 1 :]
    for row, seed in enumerate((4, 5, 6)):
        uniforms = np.random.RandomState(seed).random_sample(length)
        for p, uniform, char in zip(probabilities[row].astype(np.float64), uniforms, texts[2][row]):
            p = p ** (1 / settings.temperature)
            order = np.argsort(-p)[: settings.top_n]
            shares = np.cumsum(p[order]) / p[order].sum()
            order = order[: 1 + np.sum(shares < settings.top_p)] if settings.top_p < 1 else order
            kept = np.where(np.isin(np.arange(len(p)), order), p, 0)
            edges = np.cumsum(kept) / kept.sum()
            assert char == CHARS[np.searchsorted(edges, uniform, side="right")]


def test_activations_are_the_state_after_each_character(engines):
    """In one call and in several, with the state carried."""
    together, state = engines[1].activations(IDS[0], engines[1].zero_state())
    assert together.shape == (61, S, L) and together.dtype == np.float32
    np.testing.assert_array_equal(state[:, 0], together[-1])
    for engine in engines:
        for length in (1, 30, 61):
            _, expected = engine.read(IDS[0, :length], engine.zero_state())
            assert together[length - 1] == pytest.approx(expected[:, 0], rel=1e-6, abs=1e-5)
        first, state = engine.activations(IDS[0, :17], engine.zero_state())
        rest, _ = engine.activations(IDS[0, 17:], state)
        assert np.concatenate([first, rest]) == pytest.approx(together, rel=1e-6, abs=1e-5)


def test_a_long_prime_is_read_in_parts(engines, monkeypatch):
    """The state is carried from part to part, so that the text is the same."""
    prime = "the cat sat on the mat"
    monkeypatch.setattr(graph_engine, "READ_CHUNK", 5)
    assert texts_of(engines[0], prime, 40) == texts_of(engines[1], prime, 40)
