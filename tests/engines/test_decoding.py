"""Drawing characters: the settings one by one and together."""

import numpy as np
import pytest

from charrnn.checkpoints.writing import Writing
from charrnn.engines.decoding import draw_ids

LOGITS = np.log(np.array([[4, 1, 16]], np.float32))
NUMBERS = 84_000  # uniform numbers that a test draws with


def shares_of(settings, logits=LOGITS):
    """Return how large a part of [0, 1) draws each character: its probability, within 1 / NUMBERS."""
    uniforms = (np.arange(NUMBERS) + 0.5) / NUMBERS
    ids = draw_ids(np.repeat(logits, NUMBERS, axis=0), uniforms, settings)
    return np.bincount(ids, minlength=logits.shape[1]) / NUMBERS


USUAL = Writing()


def drawn(logits, number, writing=USUAL):
    """Return the id that a uniform number draws."""
    return draw_ids(logits, np.array([number]), writing).item()


@pytest.mark.parametrize(
    "settings, weights",
    [
        (Writing(), [4, 1, 16]),
        (Writing(temperature=2), [2, 1, 4]),
        (Writing(temperature=0.5), [16, 1, 256]),
        (Writing(temperature=0.01), [0, 0, 1]),
        (Writing(temperature=1e6), [1, 1, 1]),
        (Writing(temperature=0), [0, 0, 1]),
        (Writing(top_n=1), [0, 0, 1]),
        (Writing(top_n=2), [4, 0, 16]),
        (Writing(top_n=10**12), [4, 1, 16]),
        # 16/21 is 0.762, and 20/21 is 0.952
        (Writing(top_p=0.76), [0, 0, 1]),
        (Writing(top_p=0.77), [4, 0, 16]),
        (Writing(top_p=0.95), [4, 0, 16]),
        (Writing(top_p=0.96), [4, 1, 16]),
        (Writing(top_p=1e-9), [0, 0, 1]),
        # of what top_n leaves: 16/20
        (Writing(top_n=3, top_p=0.79), [4, 0, 16]),
        (Writing(top_n=2, top_p=0.79), [0, 0, 1]),
        (Writing(top_n=2, top_p=0.81), [4, 0, 16]),
        # with the temperature, of the weights 2, 1 and 4: 4/6 is 0.667, and 4/7 is 0.571
        (Writing(temperature=2, top_n=2, top_p=0.67), [2, 0, 4]),
        (Writing(temperature=2, top_p=0.58), [2, 0, 4]),
    ],
)
def test_settings_by_hand(settings, weights):
    expected = np.array(weights) / sum(weights)
    assert shares_of(settings) == pytest.approx(expected, abs=2 / NUMBERS)


@pytest.mark.parametrize(
    "number, expected", [(0, 0), (0.2499, 0), (0.25, 2), (0.7499, 2), (0.75, 3), (1 - 2**-53, 3)]
)
def test_the_edges_of_a_character(number, expected):
    """A number on an edge draws the character after it, and no number draws a character of probability zero."""
    logits = np.log(np.array([[0.25, 1e-45, 0.5, 0.25]], np.float32))
    assert drawn(logits, number) == expected
    assert drawn(logits, number, Writing(top_n=1)) == 2


@pytest.mark.parametrize(
    "settings, name",
    [
        (Writing(temperature=-1), "temperature"),
        (Writing(temperature=float("nan")), "temperature"),
        (Writing(temperature=float("inf")), "temperature"),
        (Writing(temperature=1e39), "temperature"),
        (Writing(top_n=0), "top_n"),
        (Writing(top_p=0), "top_p"),
        (Writing(top_p=1.01), "top_p"),
        (Writing(top_p=float("nan")), "top_p"),
    ],
)
def test_settings_out_of_range_are_an_error(settings, name):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        settings.check()


def test_the_least_temperature_that_draws():
    shares = shares_of(Writing(temperature=0.001), LOGITS / 1000)
    assert shares == pytest.approx(np.array([4, 1, 16]) / 21, abs=1e-4)


@pytest.mark.parametrize("temperature", [1e-3, 1e-38, 1e-300, 0])
def test_small_temperatures_take_the_most_probable(temperature):
    """And of several the first. The logits do not overflow."""
    logits = np.array([[9, -30, 11, 10], [9, 11, -30, 10]], np.float32)
    ids = draw_ids(logits, np.array([0.999, 0]), Writing(temperature))
    assert ids.tolist() == [2, 1]
    assert drawn(np.ones((1, 3), np.float32), 0.999, Writing(temperature=0)) == 0
