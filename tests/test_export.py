"""Models that outlive TensorFlow: the files, what is in them, and the script that writes them."""
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import graph_probabilities, make_network

from charrnn import export
from charrnn.checkpoints import list_checkpoints, open_checkpoint, read_run, read_weights
from charrnn.engines.numpy_lstm import NumpyLSTM

CHARS = "\n ,.acdehmnost"


def test_an_npz_is_read_by_numpy_without_pickles(trained, exported):
    checkpoint = open_checkpoint(trained)
    weights = read_weights(checkpoint.prefix)
    with np.load(str(exported), allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["about", "bias_0", "bias_1", "format", "kernel_0", "kernel_1", "softmax_bias",
                                        "softmax_kernel", "vocabulary"]
        assert arrays["format"] == 1
        assert "".join(map(chr, arrays["vocabulary"])) == CHARS
        assert arrays["about"].tobytes().decode().startswith('{"format": 1, ')
        assert np.array_equal(arrays["softmax_kernel"], weights["softmax/Variable"])
        assert np.array_equal(arrays["softmax_bias"], weights["softmax/Variable_1"])
        for layer, inputs in enumerate([14, 5]):
            scope = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/".format(layer)
            kernel, bias = arrays["kernel_{}".format(layer)], arrays["bias_{}".format(layer)]
            assert kernel.shape == (inputs + 5, 20) and kernel.dtype == bias.dtype == np.float32
            assert np.array_equal(kernel, weights[scope + "kernel"])
            # the forget gate is the third of i, j, f, o
            assert np.array_equal(bias, weights[scope + "bias"] + np.repeat(np.float32([0, 0, 1, 0]), 5))


@pytest.mark.parametrize("cell, num_layers, parts", [("lstm", 2, 4), ("gru", 3, 3)])
def test_a_saved_model_gives_the_graphs_numbers(tmp_path, cell, num_layers, parts):
    """For texts of any number and length, the state carried from call to call."""
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


def test_the_script(trained, tmp_path, capsys):
    prefix = open_checkpoint(trained).prefix
    for arguments in (["m.npz"], ["served", "--format", "saved-model"]):
        target = str(tmp_path / arguments[0])
        assert export.main([str(trained), target, *arguments[1:]]) == 0
        out, err = capsys.readouterr()
        assert err == "" and out.count("\n") == 1
        assert out.startswith("wrote {}: 2 layers of 5 units, 14 characters; its probabilities are those of {} within "
                              .format(target, prefix))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npz", "served"]


def test_an_older_export_is_replaced(trained, exported, tmp_path):
    (tmp_path / "m.npz").write_bytes(b"old")
    export.export_npz(open_checkpoint(trained), tmp_path / "m.npz")
    assert NumpyLSTM(tmp_path / "m.npz").run == NumpyLSTM(exported).run


def test_best_takes_the_checkpoint_with_the_lowest_validation_loss(tmp_path, text_file, capsys):
    from charrnn import train
    run = tmp_path / "run"
    assert train.main([str(text_file), "--batch-size", "2", "--num-steps", "3", "--lstm-size", "4", "--num-layers", "1",
                       "--epochs", "1", "--save-every-n", "20", "--val-fraction", "0.1", "--learning-rate", "0.3",
                       "--seed", "3", "--sample-length", "0", "--no-summaries",
                       "--checkpoint-dir", str(run)]) == 0
    best = str(run / read_run(run).best)
    assert best != list_checkpoints(run)[-1]  # so that the two can be told apart
    capsys.readouterr()
    assert export.main([str(run), str(tmp_path / "best.npz"), "--best"]) == 0
    assert "are those of {} within".format(best) in capsys.readouterr().out
    with np.load(str(tmp_path / "best.npz")) as arrays:
        assert np.array_equal(arrays["kernel_0"],
                              read_weights(best)["rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel"])


def test_a_notebooks_checkpoint_needs_its_text(trained, tmp_path, text_file, capsys):
    shutil.copytree(str(trained), str(tmp_path / "bare"))
    (tmp_path / "bare" / "run.json").unlink()
    arguments = [str(tmp_path / "bare"), str(tmp_path / "m.npz")]
    assert export.main(arguments) == 2
    assert "--vocab-from" in capsys.readouterr().err
    assert export.main([*arguments, "--vocab-from", str(text_file)]) == 0
    assert NumpyLSTM(tmp_path / "m.npz").run is None


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """A network of another kind of cell, as the notebook would have left it."""
    folder = tmp_path_factory.mktemp("gated")
    (folder / "text").write_text(CHARS, encoding="utf-8")
    return make_network(folder, CHARS, 4, 2, "gru")


@pytest.mark.parametrize("arguments, message", [
    (["run", "model.bin"], "ends in .npz, and not in .progress.npz, which 'model.bin'"),
    (["run", "nowhere/m.npz"], "nowhere/m.npz"),
    (["run", "there", "--format", "saved-model"], "there exists"),
    (["run", "text", "--format", "saved-model"], "text exists"),
    (["run", "text/served", "--format", "saved-model"], "text/served"),
    (["missing", "m.npz"], "missing"), (["run", "m.npz", "--best"], "no best checkpoint"),
    (["run", "m.npz", "--format", "onnx"], "onnx"), (["run"], "FILE"),
    (["run", "run/i173_l5.ckpt.progress.npz"], "progress"),
    (["GRU", "m.npz", "--vocab-from", "text"], "has gru: try --format saved-model")])
def test_it_refuses_in_one_line(trained, gated, tmp_path, monkeypatch, capsys, arguments, message):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    (tmp_path / "there").mkdir()
    (tmp_path / "text").write_text(CHARS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = {path: path.is_file() and path.read_bytes() for path in sorted(tmp_path.rglob("*"))}
    assert export.main([gated.prefix if each == "GRU" else each for each in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-export: error: ") and message in err
    assert {path: path.is_file() and path.read_bytes() for path in sorted(tmp_path.rglob("*"))} == before


def test_an_export_that_differs_is_not_passed_over(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export, "_numpy_probabilities", lambda path, ids: np.full((len(ids), 14), 1 / 14))
    assert export.main([str(trained), str(tmp_path / "m.npz")]) == 2
    assert "gives other probabilities" in capsys.readouterr().err
