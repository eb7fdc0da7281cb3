"""The engine in TensorFlow: its loop, its windows of any shape, the other cells, and new weights."""
import dataclasses

import numpy as np
import pytest
from conftest import CHARS, graph_engine, graph_probabilities, make_network, needs_contrib, texts_of

from charrnn.engines import graph_engine as graph_module
from charrnn.engines.decoding import Settings, draw
from charrnn.engines.sampler import CHUNK
from charrnn.sample import sample
from charrnn.system.tensorflow import tf


@pytest.fixture
def engine(network):
    """A GraphEngine in which nothing has been built yet."""
    made = graph_engine(network)
    yield made
    made.close()


def test_a_draw_in_the_graph_is_the_draw_in_numpy():
    """For rows of large and of small differences, and for numbers that are exactly on an edge."""
    random = np.random.RandomState(8)
    logits = random.standard_normal((400, 11)).astype(np.float32) * random.choice([0.3, 2, 12], (400, 1))
    logits = logits.astype(np.float32)
    uniforms = random.random_sample(400)
    with tf.Graph().as_default(), tf.Session() as session:
        places = Settings(tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, []))
        given, numbers = tf.placeholder(tf.float32, [None, None]), tf.placeholder(tf.float64, [None, 1])
        drawn = [graph_module._draw(given, numbers, each) for each in (places, dataclasses.replace(places, top_p=None))]

        def both(logits, uniforms, settings):
            feed = {given: logits, numbers: uniforms[:, np.newaxis]}
            feed.update(zip(vars(places).values(), dataclasses.astuple(settings)))
            return [found.tolist() for found in session.run(drawn, feed)]

        for settings in [Settings(1, 11), Settings(), Settings(0.5, 3), Settings(1.7, 11, 0.9), Settings(1, 4, 0.6),
                         Settings(0.3, 8, 0.99), Settings(1, 1)]:
            with_top_p, without = both(logits, uniforms, settings)
            assert with_top_p == draw(logits, uniforms, settings).tolist()
            if settings.top_p == 1:
                assert without == with_top_p
        edges = np.array([0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2 ** -53])
        quarters = np.repeat(np.log(np.array([[0.25, 1e-45, 0.5, 0.25]], np.float32)), 6, axis=0)
        assert both(quarters, edges, Settings(top_n=4)) == [[0, 0, 2, 2, 3, 3]] * 2
        assert both(quarters, edges, Settings(top_n=1)) == [[2] * 6] * 2


def test_the_loop_in_the_graph_writes_the_characters_of_the_notebooks_loop(network, engine):
    """Also beyond the characters of one call."""
    length = CHUNK + 30
    np.random.seed(4)
    expected = sample(network.name, length - 1, prime="the cat", vocabulary=network.vocabulary)
    assert texts_of(engine, "the cat", length, Settings(top_n=5)) == [expected[len("the cat"):]]


def test_a_long_prime_is_read_in_parts(engine, monkeypatch):
    """The state is carried from part to part, so that the text is the same."""
    prime = "the cat sat on the mat"
    expected = texts_of(engine, prime, 40)
    monkeypatch.setattr(graph_module, "READ_CHUNK", 5)
    assert texts_of(engine, prime, 40) == expected


@pytest.mark.slow
@pytest.mark.parametrize("cell, parts", [("gru", 3), ("rnn", 3), *[
    pytest.param(cell, 6, marks=needs_contrib) for cell in ("nas", "layer-norm-lstm")]])
def test_other_cells(tmp_path, cell, parts):
    """Reading, drawing and surprisal use their state and probabilities."""
    network = make_network(tmp_path, CHARS, 5, 3, cell)
    engine = graph_engine(network)
    ids = np.random.RandomState(2).randint(14, size=(2, 23))
    expected = np.log(graph_probabilities(network, ids[:, :-1], 22))  # [B, T, C]
    nats, state = engine.surprisal(ids[:, :9], ids[:, 1:10], engine.zero_state(2))
    rest, _ = engine.surprisal(ids[:, 9:-1], ids[:, 10:], state)
    assert state.shape == (parts, 2, 5)
    assert np.concatenate([nats, rest], axis=1) == pytest.approx(
        -np.take_along_axis(expected, ids[:, 1:, np.newaxis], 2)[..., 0], abs=1e-5)
    np.random.seed(4)
    assert texts_of(engine, "the", 20) == [
        sample(network.name, 19, prime="the", vocabulary=network.vocabulary)[len("the"):]]
    engine.close()


def test_new_weights_reach_all_that_was_built_before(network, engine):
    """The loop, the windows and the reading."""
    weights = dict(network.weights)
    ids = np.random.RandomState(2).randint(14, size=(1, 10))

    def results():
        nats, _ = engine.surprisal(ids[:, :-1], ids[:, 1:], engine.zero_state())
        return texts_of(engine, "the ", 30), texts_of(engine, "the ", 30, Settings(top_n=9, top_p=0.9)), nats.tolist()

    before = results()
    engine.load({name: -values for name, values in weights.items()})
    after = results()
    assert all(one != other for one, other in zip(before, after))
    engine.load(weights)
    assert results() == before
