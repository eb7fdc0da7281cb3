"""The surprisal of each character of a text, in one row and in several."""

from unittest import mock

import numpy as np
import pytest
from conftest import graph_probabilities

from charrnn.engines import surprisal as module
from charrnn.engines.surprisal import surprisal

LENGTHS = [2, 3, 99, 100, 101, 250]  # around the 100 steps of a window
IDS = np.random.RandomState(1).randint(0, 14, 1300)


@pytest.fixture(scope="module")
def expected(network):
    """Minus the logarithm of the probability of each character, from the cells over the text at once."""
    probabilities = graph_probabilities(network, IDS[np.newaxis, :-1], len(IDS))[0]
    return -np.log(probabilities[np.arange(len(IDS) - 1), IDS[1:]].astype(np.float64))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_character_has_the_surprisal_that_the_cells_give_it(engines, expected, rows, length):
    """Also in several rows, if each can read all that comes before."""
    nats = surprisal(engines[0], IDS[:length], rows)
    assert nats.dtype == np.float32 and nats.shape == (length - 1,)
    np.testing.assert_allclose(nats, expected[: length - 1], atol=2e-5)
    assert length == 2 or nats.std() > 0.1  # or nothing was tested


@pytest.mark.parametrize(
    "length, shapes", [(20, [(1, 100)]), (51, [(2, 100)]), (1300, 6 * [(50, 100)])]
)
def test_a_row_measures_25_characters_or_more_and_reads_500_before_them(engines, length, shapes):
    with mock.patch.object(engines[0], "surprisal", wraps=engines[0].surprisal) as read:
        surprisal(engines[0], IDS[:length], 50)
    assert [call[0][0].shape for call in read.call_args_list] == shapes


@pytest.mark.parametrize("warm_up", [0, 1, 37])
def test_rows_cover_every_character_once(engines, network, monkeypatch, warm_up):
    """If the surprisal depends on the character alone, each place has that of its own, whatever its row."""
    engine = engines[0]
    weights = network.weights
    bias = weights["softmax/Variable_1"].astype(np.float64)
    of_a_character = np.log(np.exp(bias).sum()) - bias
    monkeypatch.setattr(module, "WARM_UP", warm_up)
    engine.load({name: value * (name == "softmax/Variable_1") for name, value in weights.items()})
    try:
        for length in [*range(2, 12), 100, 101, 301, 302, 303, 304, 450, 1300]:
            nats = surprisal(engine, IDS[:length], 3)
            np.testing.assert_allclose(
                nats, of_a_character[IDS[1:length]], atol=1e-5, err_msg=str(length)
            )
    finally:
        engine.load(weights)
