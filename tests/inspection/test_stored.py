"""The weights as a page holds them."""

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn.pages.stored import store, stored_model


@pytest.fixture(scope="module")
def model():
    return random_network(CHARS)


@pytest.mark.parametrize("weights, tolerance", [("float16", 2**-11), ("int8", 1 / 254)])
def test_matrices_are_rounded_as_closely_as_the_type_allows(model, weights, tolerance):
    rounded = stored_model(model, store(model, weights))
    before = [*model.kernels, model.softmax_kernel]
    after = [*rounded.kernels, rounded.softmax_kernel]
    for exact, close in zip(before, after):
        assert np.abs(close - exact).max() <= tolerance * np.abs(exact).max() * 1.01
        assert close.shape == exact.shape
        assert close.dtype == np.float32


@pytest.mark.parametrize("weights", ["float16", "int8"])
def test_biases_are_not_rounded(model, weights):
    rounded = stored_model(model, store(model, weights))
    for before, after in zip(model.biases, rounded.biases):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(model.softmax_bias, rounded.softmax_bias)
