"""The script charrnn-export: models of one file, SavedModels, and errors."""

import shutil

import numpy as np
import pytest
from conftest import CHARS, graph_probabilities, make_network

from charrnn.commands import export
from charrnn.engines.opening import open_model
from charrnn.system.tensorflow import tf


@pytest.mark.parametrize("cell, num_layers, parts", [("lstm", 2, 4), ("gru", 3, 3)])
def test_a_saved_model_gives_the_graphs_numbers(tmp_path, cell, num_layers, parts):
    """For windows of any shape, with the state carried from call to call."""
    checkpoint = make_network(tmp_path, CHARS, 5, num_layers, cell)
    export.export_saved_model(checkpoint, tmp_path / "served")
    ids = np.random.RandomState(1).randint(len(CHARS), size=(3, 10))
    windows = []
    with tf.Graph().as_default(), tf.Session() as session:
        loaded = tf.saved_model.load(session, ["serve"], str(tmp_path / "served"))
        signature = loaded.signature_def["serving_default"]
        inputs = signature.inputs
        assert inputs["state"].tensor_shape.dim[0].size == parts
        outputs = [signature.outputs[name].name for name in ("probabilities", "state")]
        state = np.zeros((parts, 3, 5), np.float32)
        for start, end in [(0, 4), (4, 8), (8, 10)]:
            feed = {inputs["ids"].name: ids[:, start:end], inputs["state"].name: state}
            probabilities, state = session.run(outputs, feed)
            assert probabilities.shape == (3, end - start, 14)
            assert state.shape == (parts, 3, 5)
            windows.append(probabilities)
    expected = graph_probabilities(checkpoint, ids, 10)
    assert np.concatenate(windows, axis=1) == pytest.approx(expected, abs=1e-6)
    assert (tmp_path / "served" / "assets" / "vocabulary.txt").read_bytes() == CHARS.encode()
    assert not list(tmp_path.glob("*.tmp"))


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
