"""The engine in NumPy: the numbers of TensorFlow's cells, for any number of layers and rows."""
import numpy as np
import pytest
from conftest import CHARS, graph_probabilities, make_network

from charrnn.engines.decoding import softmax
from charrnn.engines.numpy_lstm import FEW_ROWS, NumpyLSTM
from charrnn.engines.opened_model import open_model, write_npz


def both(folder, num_layers, gain=0.6, lstm_size=13):
    """Return a network as a Checkpoint and as a NumpyLSTM."""
    checkpoint = make_network(folder, CHARS, lstm_size, num_layers, gain=gain)
    write_npz(checkpoint, folder / "model.npz")
    return checkpoint, NumpyLSTM(open_model(folder / "model.npz"))


@pytest.mark.parametrize("num_layers", [1] + [pytest.param(each, marks=pytest.mark.slow) for each in (2, 3)])
def test_predictions_are_the_graphs_along_ten_thousand_characters(tmp_path, num_layers):
    """Within 1e-5, with the state carried from the first to the last."""
    checkpoint, engine = both(tmp_path, num_layers)
    ids = np.random.RandomState(1).randint(len(CHARS), size=10000)
    expected = graph_probabilities(checkpoint, ids[np.newaxis], 1700)[0]
    assert expected.max(axis=1).std() > 0.02  # they differ from place to place
    state, found = engine.zero_state(), []
    for index in ids:
        logits, state = engine.read([index], state)
        found.append(softmax(logits)[0])
    assert np.abs(np.array(found) - expected).max() < 1e-5


def test_surprisal_of_many_rows(tmp_path):
    """The products are computed differently from FEW_ROWS on."""
    (checkpoint, engine), rows = both(tmp_path, 2), FEW_ROWS + 3
    ids = np.random.RandomState(3).randint(len(CHARS), size=(rows, 41))
    expected = np.log(graph_probabilities(checkpoint, ids[:, :-1], 40))
    nats, state = engine.surprisal(ids[:, :17], ids[:, 1:18], engine.zero_state(rows))
    rest, _ = engine.surprisal(ids[:, 17:-1], ids[:, 18:], state)
    found = np.concatenate([nats, rest], axis=1)
    assert found == pytest.approx(-np.take_along_axis(expected, ids[:, 1:, np.newaxis], axis=2)[..., 0], abs=2e-5)
