"""The notebook's graph, compared with the course's, with the cells of the solution notebook and with NumPy."""

import importlib.util
import json

import numpy as np
import pytest
from conftest import ROOT, TENSORFLOW_1
from reference import largest_error, problem, reference, results

from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

N = 3
M = 4
C = 5
SIZES = dict(num_classes=C, batch_size=N, num_steps=M, lstm_size=6, num_layers=2)


def imported(path):
    """Return the module in a file that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notebook_graphs = imported(ROOT / "tests" / "data" / "notebook_graphs.py")
RECORDED = json.loads(notebook_graphs.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("sampling", [False, True])
@pytest.mark.parametrize("size", notebook_graphs.SIZES)
def test_the_graph_is_that_of_the_course(size, sampling):
    """As recorded with TensorFlow 1.15. With 2, whose graphs differ, as it is built from the same calls."""
    arguments = dict(notebook_graphs.SIZES[size], sampling=sampling)
    if TENSORFLOW_1:
        expected = RECORDED[notebook_graphs.name_of(size, sampling)]
    else:
        expected = notebook_graphs.sha256_of(notebook_graphs.build(**arguments))
    assert notebook_graphs.sha256_of(CharRNN(**arguments).loss.graph) == expected


def serialized(model):
    """Return the graph of a model, with all names, types, attributes and shapes."""
    definition = model.loss.graph.as_graph_def(add_shapes=True)
    return definition.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "parameters",
    [
        dict(SIZES, learning_rate=0.02, grad_clip=3),
        dict(num_classes=83, num_steps=7, lstm_size=9, num_layers=1, sampling=True),
        dict(num_classes=C),
    ],
)
def test_the_graph_is_the_notebooks_byte_for_byte(notebook, parameters):
    """Also with the defaults."""
    ours = serialized(CharRNN(**parameters, seed=7))
    assert ours == serialized(notebook.CharRNN(**parameters, seed=7))


def test_results_and_gradients_equal_numpys():
    """From a state that is not zero."""
    case = problem(**SIZES)
    actual = results(CharRNN(**SIZES), *case)
    assert largest_error(actual, reference(*case)) < 5e-6


def train(model, session, start, stop):
    """Return the losses of some steps, the state carried from one to the next."""
    state = session.run(model.initial_state)
    losses = []
    for step in range(start, stop):
        x, y = np.random.RandomState(step).randint(0, C, (2, N, M))
        feed = {
            model.inputs: x,
            model.targets: y,
            model.keep_prob: 1.0,
            model.initial_state: state,
        }
        loss, state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)
        losses.append(loss)
    return losses


def losses_after_restoring(prefix, build):
    """Return the losses of steps after a checkpoint in a new graph."""
    model = build(**SIZES, learning_rate=0.01)
    with tf.Session() as session:
        tf.train.Saver().restore(session, prefix)
        return train(model, session, 5, 10)


@pytest.mark.parametrize("saved_by_notebook", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_training_from_the_same_checkpoint_equals_the_notebooks(
    notebook, tmp_path, saved_by_notebook
):
    """The slots of Adam included, whichever of the two saved it."""
    build = notebook.CharRNN if saved_by_notebook else CharRNN
    model = build(**SIZES, learning_rate=0.01)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        train(model, session, 0, 5)
        prefix = tf.train.Saver().save(session, str(tmp_path / "i5_l6.ckpt"))

    ours = losses_after_restoring(prefix, CharRNN)
    assert ours == losses_after_restoring(prefix, notebook.CharRNN)
