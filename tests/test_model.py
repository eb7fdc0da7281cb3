"""The notebook's graph, compared with the cells of the solution notebook and with NumPy."""

import numpy as np
import pytest
from reference import largest_error, problem, reference, results

from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

N = 3
M = 4
L = 6
C = 5
LAYERS = 2
SIZES = [(C, N, M, L, LAYERS), (83, 2, 7, 9, 1), (3, 5, 1, 4, 3)]


def serialized(model):
    """Return the graph of a model, with all names, types, attributes and shapes."""
    definition = model.loss.graph.as_graph_def(add_shapes=True)
    return definition.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "sizes, options",
    [(SIZES[0], dict(learning_rate=0.02, grad_clip=3)), (SIZES[1], dict(sampling=True)), ([C], {})],
)
def test_the_graph_is_the_notebooks_byte_for_byte(notebook, sizes, options):
    """Also with the defaults."""
    ours = serialized(CharRNN(*sizes, seed=7, **options))
    assert ours == serialized(notebook.CharRNN(*sizes, seed=7, **options))


def test_results_and_gradients_equal_numpys():
    """From a state that is not zero."""
    case = problem(N, M, size=L, num_classes=C, layers=LAYERS)
    actual = results(CharRNN(*SIZES[0]), *case)
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
    model = build(*SIZES[0], learning_rate=0.01)
    with tf.Session() as session:
        tf.train.Saver().restore(session, prefix)
        return train(model, session, 5, 10)


@pytest.mark.parametrize("saved_by_notebook", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_training_from_the_same_checkpoint_equals_the_notebooks(
    notebook, tmp_path, saved_by_notebook
):
    """The slots of Adam included, whichever of the two saved it."""
    build = notebook.CharRNN if saved_by_notebook else CharRNN
    model = build(*SIZES[0], learning_rate=0.01)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        train(model, session, 0, 5)
        prefix = tf.train.Saver().save(session, str(tmp_path / "i5_l6.ckpt"))
    ours = losses_after_restoring(prefix, CharRNN)
    assert ours == losses_after_restoring(prefix, notebook.CharRNN)
