"""Activations: the state after each character, alike in both engines."""
import numpy as np
import pytest
from conftest import graph_engine, make_network

from charrnn.engines.model import open_model, write_npz
from charrnn.engines.numpy_lstm import NumpyLSTM

IDS = [1, 0, 2, 2, 1, 3, 0]  # T = 7, C = 4


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """A graph and a NumPy engine of the same random weights: two layers of L = 5 units."""
    folder = tmp_path_factory.mktemp("activations")
    checkpoint = make_network(folder, "abcd", 5, 2)
    write_npz(checkpoint, folder / "random.npz")
    graph = graph_engine(checkpoint)
    yield graph, NumpyLSTM(open_model(folder / "random.npz"))
    graph.close()


@pytest.mark.parametrize("which", [0, 1])
def test_activations_are_the_state_after_each_character(engines, which):
    engine = engines[which]
    found, state = engine.activations(IDS, engine.zero_state())
    assert found.shape == (7, 4, 5) and found.dtype == np.float32
    for length in range(1, 8):
        _, expected = engine.read(IDS[:length], engine.zero_state())
        np.testing.assert_allclose(found[length - 1], expected[:, 0], atol=1e-6)
    np.testing.assert_array_equal(state[:, 0], found[-1])


def test_both_engines_have_the_same_activations(engines):
    graph, numpy = [engine.activations(IDS, engine.zero_state())[0] for engine in engines]
    np.testing.assert_allclose(graph, numpy, atol=1e-6)


def test_activations_continue_from_a_state(engines):
    for engine in engines:
        together, _ = engine.activations(IDS, engine.zero_state())
        _, state = engine.activations(IDS[:3], engine.zero_state())
        np.testing.assert_allclose(engine.activations(IDS[3:], state)[0], together[3:], atol=1e-6)


def test_cells_without_a_memory_have_one_part_a_layer(tmp_path):
    engine = graph_engine(make_network(tmp_path, "abcd", 5, 3, cell="gru"))
    assert engine.activations(IDS, engine.zero_state())[0].shape == (7, 3, 5)
    engine.close()
