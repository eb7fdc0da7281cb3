"""The script charrnn-export: models of one file, and errors."""

import shutil

import numpy as np
import pytest
from conftest import CHARS, make_network

from charrnn.commands import export
from charrnn.engines.opening import open_model


def test_matrices_can_be_stored_in_half_the_space(trained, tmp_path, monkeypatch):
    """The newest run is the default. Biases are exact."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(trained), "checkpoints")
    assert export.main(["half.npz", "--weights", "float16"]) == 0
    exact = open_model(trained).weights
    for name, values in open_model("half.npz").weights.items():
        expected = exact[name]
        if expected.ndim == 2:
            expected = expected.astype(np.float16).astype(np.float32)
        assert values.dtype == np.float32, name
        np.testing.assert_array_equal(values, expected, err_msg=name)


def test_what_float16_cannot_hold_is_refused(tmp_path):
    large = make_network(tmp_path, CHARS, 5, 2, gain=1e5)
    with pytest.raises(ValueError, match="too large for float16"):
        large.save(tmp_path / "large.npz", "float16")
