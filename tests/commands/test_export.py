"""The script charrnn-export: models of one file, SavedModels, and errors."""
import shutil

import numpy as np
import pytest
from conftest import CHARS, graph_probabilities, make_network

from charrnn.commands import export
from charrnn.engines.opened_model import open_model
from charrnn.system.tensorflow import tf


@pytest.mark.parametrize("cell, num_layers, parts", [("lstm", 2, 4), ("gru", 3, 3)])
def test_a_saved_model_gives_the_graphs_numbers(tmp_path, cell, num_layers, parts):
    """For windows of any shape, with the state carried from call to call."""
    checkpoint = make_network(tmp_path, CHARS, 5, num_layers, cell)
    export.export_saved_model(checkpoint, tmp_path / "served")
    ids = np.random.RandomState(1).randint(len(CHARS), size=(3, 10))
    expected = graph_probabilities(checkpoint, ids, 10)
    with tf.Graph().as_default(), tf.Session() as session:
        signature = tf.saved_model.load(session, ["serve"], str(tmp_path / "served")).signature_def["serving_default"]
        state, found = np.zeros((parts, 3, 5), np.float32), []
        assert signature.inputs["state"].tensor_shape.dim[0].size == parts
        outputs = [signature.outputs[name].name for name in ("probabilities", "state")]
        for start, end in [(0, 4), (4, 8), (8, 10)]:
            probabilities, state = session.run(outputs, {
                signature.inputs["ids"].name: ids[:, start:end], signature.inputs["state"].name: state})
            assert probabilities.shape == (3, end - start, 14) and state.shape == (parts, 3, 5)
            found.append(probabilities)
    assert np.concatenate(found, axis=1) == pytest.approx(expected, abs=1e-6)
    assert (tmp_path / "served" / "assets" / "vocabulary.txt").read_bytes() == CHARS.encode()
    assert not list(tmp_path.glob("*.tmp"))


def test_matrices_can_be_stored_in_half_the_space(trained, tmp_path, monkeypatch):
    """The newest run is the default. Biases are exact, and what float16 cannot hold is refused."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(trained), "checkpoints")
    assert export.main(["half.npz", "--weights", "float16"]) == 0
    expected = open_model(trained)
    for name, values in open_model("half.npz").weights.items():
        exact = expected.weights[name]
        rounded = exact.astype(np.float16).astype(np.float32) if exact.ndim == 2 else exact
        assert values.dtype == np.float32 and np.array_equal(values, rounded), name
    large = make_network(tmp_path, CHARS, 5, 2, gain=1e5)
    with pytest.raises(ValueError, match="too large for float16"):
        large.save(tmp_path / "large.npz", "float16")


@pytest.mark.parametrize("arguments, message", [
    (["run", "model.bin"], "model.bin names no format: a FILE ends in .npz"),
    (["run", "nowhere/m.npz"], "nowhere/m.npz: there is no folder"),
    (["run", "folder"], "folder needs --format saved-model"),
    (["EXPORTED", "EXPORTED"], "is the model itself"), (["run", "run/i173_l5.ckpt.npz"], "is the model itself"),
    (["run", "folder", "--format", "saved-model"], "folder exists"), (["missing", "m.npz"], "missing"),
    (["EXPORTED", "m.npz", "--best"], "is not a folder"), (["run", "m.html", "--train-text", "missing"], "missing"),
    (["run", "m.npz", "--weights", "int8"], "--weights int8 is not for the format npz"), ([], "give the FILE to write"),
    (["run", "--weights", "float16"], "run is a model: give both the MODEL and the FILE")])
def test_bad_arguments_are_one_line_and_write_nothing(trained, exported, tmp_path, monkeypatch, capsys, arguments,
                                                      message):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    shutil.copy(str(exported), str(tmp_path / "older.npz"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text(CHARS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = {path: path.is_file() and path.read_bytes() for path in sorted(tmp_path.rglob("*"))}
    assert export.main([str(exported) if each == "EXPORTED" else each for each in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-export: error: ") and message in err
    assert {path: path.is_file() and path.read_bytes() for path in sorted(tmp_path.rglob("*"))} == before
