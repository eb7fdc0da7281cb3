"""How far back a network remembers."""

import numpy as np
import pytest
from conftest import TEXT

from charrnn.engines.model_file import open_model
from charrnn.inspection import memory


def test_the_bits_after_some_letters_are_those_of_a_network_that_read_only_these(exported):
    """The same characters for each number of letters, from all of the text."""
    engine = open_model(exported).engine()
    ids = engine.vocabulary.encode(TEXT)
    found = memory.bits_after(engine, ids)
    assert list(found) == [1, 2, 5, 10, 20, 50, 100, 200]
    places = np.unique(np.linspace(200, len(TEXT) - 1, 500).astype(int))
    for count, bits in found.items():
        logits = np.concatenate(
            [engine.read(ids[place - count : place], engine.zero_state())[0] for place in places]
        )
        shares = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        assert bits == pytest.approx(
            -np.log2(shares[range(len(places)), ids[places]]).mean(), abs=1e-4
        )


@pytest.mark.parametrize("length, counts", [(1, []), (2, [1]), (60, [1, 2, 5, 10, 20, 50])])
def test_a_short_text_has_fewer(exported, length, counts):
    engine = open_model(exported).engine()
    assert list(memory.bits_after(engine, engine.vocabulary.encode(TEXT[:length]))) == counts
