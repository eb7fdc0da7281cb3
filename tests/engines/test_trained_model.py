"""One class for a trained model: from a run, a file, or a checkpoint of the notebook."""

import json
import shutil

import numpy as np
import pytest
from conftest import CHARS, NEWEST, make_network, npy, script, signed_npz

from charrnn.checkpoints import record
from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.weights import packed, read_packed
from charrnn.checkpoints.writing import Writing
from charrnn.data import Vocabulary
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.opening import open_model
from charrnn.engines.sampler import Sampler
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import CELLS

CELL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell"


def assert_same_weights(weights, expected):
    assert sorted(weights) == sorted(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(weights[name], values)


def assert_same(model, expected):
    assert model.vocabulary == expected.vocabulary
    assert model.run == expected.run
    assert list(model.weights) == list(expected.weights)
    assert_same_weights(model.weights, expected.weights)


def random_weights(num_classes=14, lstm_size=5, num_layers=2, cell="lstm"):
    """Return weights with the shapes of LSTM layers, under the names of a cell."""
    shapes = {"softmax/Variable": (lstm_size, num_classes), "softmax/Variable_1": (num_classes,)}
    for layer in range(num_layers):
        scope = f"rnn/multi_rnn_cell/cell_{layer}/{CELLS[cell].scope}"
        n_inputs = lstm_size if layer else num_classes
        shapes[f"{scope}/kernel"] = (n_inputs + lstm_size, 4 * lstm_size)
        shapes[f"{scope}/bias"] = (4 * lstm_size,)
    random = np.random.RandomState(5)
    return {
        name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }


# Three sources


def test_a_run_is_opened_at_its_newest_checkpoint(trained):
    model = open_model(trained)
    assert model.name == str(trained / NEWEST)
    assert model.skipped == ()
    assert model.run == record.read_run(trained)
    assert model.num_layers == 2
    assert model.lstm_size == 5
    assert model.cell == "lstm"
    assert model.vocabulary.chars == tuple(CHARS)


def test_a_model_has_the_matrices_of_its_layers(trained):
    model = open_model(trained)
    forget = np.repeat(np.float32([0, 0, 1, 0]), 5)  # the third of i, j, f, o
    assert [kernel.shape for kernel in model.kernels] == [(14 + 5, 20), (5 + 5, 20)]
    for layer, bias in enumerate(model.biases):
        np.testing.assert_array_equal(bias, model.weights[f"{CELL.format(layer)}/bias"] + forget)
    assert model.softmax_kernel.shape == (5, 14)
    assert model.softmax_bias.shape == (14,)


def test_only_the_weights_and_the_record_are_read(run_copy):
    """So sampling needs neither TensorFlow nor the rest of the folder. Of a model with a run, the file is enough."""
    expected = open_model(run_copy)
    for path in run_copy.iterdir():
        if path.is_file() and not path.name.endswith((".json", ".ckpt.npz")):
            path.unlink()
    assert_same(open_model(run_copy), expected)
    alone = run_copy.parent / "alone.npz"
    shutil.copy(str(run_copy / f"{NEWEST}.npz"), str(alone))
    assert_same(open_model(alone), expected)


def test_an_exported_model_is_the_same(trained, exported):
    assert_same(open_model(exported), open_model(trained))


def test_a_model_can_be_written_in_the_place_of_another(exported, tmp_path):
    (tmp_path / "m.npz").write_bytes(b"old")
    open_model(exported).save(tmp_path / "m.npz")
    assert (tmp_path / "m.npz").read_bytes() == exported.read_bytes()


def test_a_checkpoint_of_the_notebook_is_opened_with_a_vocabulary_and_exported(
    trained, bare, tmp_path
):
    model = open_model(bare, Vocabulary(CHARS))
    assert model.run is None
    assert model.name == str(bare / NEWEST)
    assert_same_weights(model.weights, open_model(trained).weights)
    model.save(tmp_path / "m.npz")
    assert_same(open_model(tmp_path / "m.npz"), model)


@pytest.fixture
def with_beginning(exported, tmp_path):
    """A function that writes a model that comes from no run, with a beginning, as the page that learns does."""

    def written(beginning):
        weights, about, *_ = read_packed(exported)
        content = packed(weights, {"vocabulary": about["vocabulary"], "beginning": beginning})
        (tmp_path / "learned.npz").write_bytes(content)
        return tmp_path / "learned.npz"

    return written


def test_a_model_without_a_run_may_have_a_beginning_and_keeps_it(with_beginning, tmp_path):
    open_model(with_beginning("cat sat")).save(tmp_path / "again.npz")
    model = open_model(tmp_path / "again.npz")
    assert model.run is None
    assert model.write(length=5).startswith("cat sat")


def test_a_beginning_that_is_no_text_is_refused(with_beginning):
    with pytest.raises(CheckpointError, match="its beginning is no text"):
        open_model(with_beginning(5))


@pytest.mark.parametrize(
    "name", ["file", "softmax/Variable_2", CELL.format(0) + "/extra", "about/x"]
)
def test_arrays_that_are_no_variables_are_refused(exported, tmp_path, capsys, name):
    """Also one whose name NumPy's savez has for its file."""
    weights, about, *_ = read_packed(exported)
    weights[name] = np.zeros(2, np.float32)
    members = {f"{key}.npy": npy(value) for key, value in weights.items()}
    members["about.npy"] = npy(np.frombuffer(json.dumps(about).encode(), np.uint8))
    (tmp_path / "m.npz").write_bytes(signed_npz(members))

    assert script("export").main([str(tmp_path / "m.npz"), str(tmp_path / "out.npz")]) == 2
    message = f"it is not a model of charrnn: {name} has shape (2,), not None"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("dtype", [None, "float64", "f"])
def test_a_model_is_written_in_three_types_only(exported, tmp_path, dtype):
    with pytest.raises(ValueError, match="dtype must be one of float32, float16, int8, not"):
        open_model(exported).save(tmp_path / "m.npz", dtype)
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.parametrize("name", ["trained", "exported"])
def test_the_recorded_vocabulary_may_be_named(name, request):
    path = request.getfixturevalue(name)
    assert open_model(path, Vocabulary(CHARS)).vocabulary == Vocabulary(CHARS)


@pytest.mark.parametrize("name", ["trained", "exported"])
@pytest.mark.parametrize("chars", ["ab", CHARS[:-1] + "u"])
def test_another_vocabulary_than_the_recorded_one_is_refused(name, chars, request):
    """Also one of the same size, with which the model would write other characters."""
    path = request.getfixturevalue(name)
    with pytest.raises(CheckpointError, match=f"its vocabulary of 14 .* of {len(chars)} differs"):
        open_model(path, Vocabulary(chars))


# Weights of another kind


def changed(name, values):
    return {**random_weights(), name: values}


@pytest.mark.parametrize(
    "weights, message",
    [
        ({}, r"it has no softmax/Variable of shape \[L, C\]"),
        (
            changed("softmax/Variable_1", np.float32(0)),
            r"softmax/Variable_1 has shape \(\), not \(14,\)",
        ),
        (
            changed("softmax/Variable", np.zeros((5, 13), np.float32)),
            "softmax/Variable_1 has shape",
        ),
        (random_weights(lstm_size=0), "it has no softmax/Variable"),
        ({**random_weights(), **random_weights(cell="gru")}, "no layers of a known cell"),
        (
            changed(f"{CELL.format(1)}/kernel", np.zeros((9, 20), np.float32)),
            r"kernel has shape \(9, 20\), not \(10, 20\)",
        ),
        (
            changed(f"{CELL.format(3)}/kernel", np.zeros((10, 20), np.float32)),
            r"cell_2.*/kernel has shape None",
        ),
        (
            random_weights(num_classes=13),
            "it was trained on 13 distinct characters, but the vocabulary has 14",
        ),
        (
            changed("softmax/Variable_1", np.full(14, np.nan, np.float32)),
            r"not finite, or larger than 1e\+30",
        ),
        (
            changed("softmax/Variable_1", np.full(14, -1.1e30, np.float32)),
            r"not finite, or larger than 1e\+30",
        ),
        (
            changed("softmax/Variable_1", np.full(14, 1.1e30, np.float32)),
            r"not finite, or larger than 1e\+30",
        ),
        (
            changed("softmax/Variable_1", np.zeros(14, "i4")),
            "softmax/Variable_1 has weights that are not float32, but int32",
        ),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_weights_of_another_network_are_refused(tmp_path, weights, message):
    (tmp_path / "m.npz").write_bytes(packed(weights, {"vocabulary": CHARS}))
    with pytest.raises(CheckpointError, match=f"m.npz cannot be used: .*{message}"):
        open_model(tmp_path / "m.npz")


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_the_cell_is_known_by_the_names_of_its_variables(cell):
    model = Model("m", Vocabulary(CHARS), random_weights(num_layers=12, cell=cell))
    assert model.cell == cell
    assert model.num_layers == 12
    assert model.lstm_size == 5


def test_a_model_of_another_cell_runs_in_the_graph(tmp_path):
    make_network(tmp_path, CHARS, 3, 2, "gru").save(tmp_path / "m.npz")
    model = open_model(tmp_path / "m.npz")
    assert model.cell == "gru"
    assert isinstance(model.engine(), GraphEngine)


def test_a_model_of_another_cell_writes_what_it_predicts(tmp_path):
    make_network(tmp_path, CHARS, 3, 2, "gru").save(tmp_path / "m.npz")
    model = open_model(tmp_path / "m.npz")
    text = model.write("the ", 3, temperature=0)
    for end in range(4, 7):
        assert text[end] == CHARS[model.next(text[:end]).argmax()]


def test_layers_of_another_cell_are_refused_if_their_sizes_differ():
    model = Model("m", Vocabulary(CHARS), random_weights(cell="gru"))
    message = "it has the weights of another network: there is no .*gru_cell"
    with pytest.raises(ValueError, match=message):
        model.engine()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_largest_weights_give_numbers(tmp_path):
    """The network takes the sums of products of weights, divided by the least temperature."""
    model = make_network(tmp_path, CHARS, 3, 2, gain=1e29)
    samples = Sampler(model.engine(), 3).write("the", 60, Writing(temperature=0.001), seed=4)
    for sample in samples:
        assert np.isfinite(sample.log_probabilities).all()
    assert np.isfinite(model.surprisal("the cat sat on the mat" * 9)).all()
