"""The graph of a training run, compared with the notebook's and with NumPy; and the initial weights."""

import numpy as np
import pytest
from conftest import initialize, training_graph
from reference import lstm
from test_model import SIZES, serialized

from charrnn.hyperparameters import OPTIMIZERS, Hyperparameters
from charrnn.system.tensorflow import tf
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph, initial_weights

N = 3
M = 4
L = 6
C = 5
LAYERS = 2
CELL = "rnn/multi_rnn_cell/cell_{}/"


def window(seed=0):
    return np.random.RandomState(seed).randint(0, C, (2, N, M))


def feed(model, x, y, state=None):
    values = {model.inputs: x, model.targets: y, model.keep_prob: 1.0}
    return values if state is None else {**values, model.initial_state: state}


def initialized(model):
    session = tf.Session(graph=model.loss.graph)
    with model.loss.graph.as_default():
        session.run(tf.global_variables_initializer())
    return session


def test_with_the_notebooks_settings_it_is_the_notebooks_graph_byte_for_byte(notebook):
    ours = training_graph(*SIZES[2], fused=False, seed=7, learning_rate=0.02)
    assert serialized(ours) == serialized(
        notebook.CharRNN(*SIZES[2], learning_rate=0.02, grad_clip=5.0, seed=7)
    )


def adam(slots, g, step):
    """Return what Adam subtracts from the weights, at a rate of 1."""
    slots["m"] = 0.9 * slots.get("m", 0) + 0.1 * g
    slots["v"] = 0.999 * slots.get("v", 0) + 0.001 * g**2
    return np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * slots["m"] / (np.sqrt(slots["v"]) + 1e-8)


def rmsprop(slots, g, step):
    """Return what RMSProp subtracts, whose mean square starts at 1."""
    slots["square"] = 0.95 * slots.get("square", 1) + 0.05 * g**2
    return g / np.sqrt(slots["square"] + 1e-10)


@pytest.mark.parametrize("optimizer", [adam, rmsprop])
def test_updates_are_clipped_and_those_of_the_optimizer(optimizer):
    """Two steps, at a rate that is fed, with the norm before clipping."""
    rate = 0.01
    clip = 0.05
    model = training_graph(
        C,
        N,
        M,
        L,
        LAYERS,
        fused=False,
        learning_rate=0.7,
        grad_clip=clip,
        optimizer=optimizer.__name__,
    )
    variables = tf.trainable_variables()
    name = {"adam": "Adam", "rmsprop": "RMSProp"}[optimizer.__name__]
    gradients = tf.gradients(model.loss, variables)
    fed = {**feed(model, *window(3)), f"{name}/learning_rate:0": rate}
    slots = [{} for _ in variables]
    with initialized(model) as session:
        expected = [value.astype(np.float64) for value in session.run(variables)]
        for step in (1, 2):
            found = [value.astype(np.float64) for value in session.run(gradients, fed)]
            norm = np.sqrt(sum((each**2).sum() for each in found))
            expected = [
                value - rate * optimizer(each, g * clip / norm, step)
                for value, each, g in zip(expected, slots, found)
            ]
            before_clipping, _ = session.run(["global_norm/global_norm:0", model.optimizer], fed)
            assert before_clipping == pytest.approx(norm, rel=1e-5) and norm > clip
        for one, two in zip(session.run(variables), expected):
            np.testing.assert_allclose(one, two, atol=2e-6)


def test_each_step_has_dropout_masks_of_its_own():
    model = training_graph(C, N, M, L, LAYERS, seed=7)
    given = {**feed(model, *window()), model.keep_prob: 0.5}
    with initialized(model) as session:
        losses = [
            session.run(model.loss, {**given, **model.of_step(step, 9)}) for step in (0, 1, 0)
        ]
    assert losses[0] == losses[2] != losses[1]


def numpy_gru(weights, layer, below, h):
    prefix = CELL.format(layer) + "gru_cell/"
    gates = (
        np.concatenate([below, h], 1) @ weights[prefix + "gates/kernel"]
        + weights[prefix + "gates/bias"]
    )
    gates = lstm.sigmoid(gates)
    reset = gates[:, : h.shape[1]]
    update = gates[:, h.shape[1] :]
    candidate = np.tanh(
        np.concatenate([below, reset * h], 1) @ weights[prefix + "candidate/kernel"]
        + weights[prefix + "candidate/bias"]
    )
    return update * h + (1 - update) * candidate


def numpy_rnn(weights, layer, below, h):
    prefix = CELL.format(layer) + "basic_rnn_cell/"
    return np.tanh(
        np.concatenate([below, h], 1) @ weights[prefix + "kernel"] + weights[prefix + "bias"]
    )


@pytest.mark.parametrize("cell, step", [("gru", numpy_gru), ("rnn", numpy_rnn)])
def test_other_cells_equal_numpy(cell, step):
    """From a state that is not zero."""
    model = training_graph(C, N, M, L, LAYERS, cell=cell)
    x, y = window(4)
    random = np.random.RandomState(6)
    state = [random.uniform(-1, 1, (N, L)).astype(np.float32) for _ in range(LAYERS)]
    assert [part.shape.as_list() for part in model.initial_state] == [[N, L]] * LAYERS
    with initialized(model) as session:
        logits, final_state = session.run(
            [model.logits, model.final_state], feed(model, x, y, state=tuple(state))
        )
        weights = {
            variable.op.name: value.astype(np.float64)
            for variable, value in zip(
                tf.trainable_variables(), session.run(tf.trainable_variables())
            )
        }
    tops = []
    for column in x.T:
        below = np.eye(C)[column]
        for layer in range(LAYERS):
            below = state[layer] = step(weights, layer, below, state[layer])
        tops.append(below)
    flat = np.stack(tops, 1).reshape(-1, L)
    np.testing.assert_allclose(
        logits, flat @ weights["softmax/Variable"] + weights["softmax/Variable_1"], atol=1e-6
    )
    np.testing.assert_allclose(final_state, state, atol=1e-6)


def test_dropout_on_inputs_changes_the_state():
    """Dropout on outputs does not change that of the first layer."""
    states = []
    for input_keep_prob in (1.0, 0.5):
        model = training_graph(
            C, N, M, L, LAYERS, fused=False, seed=11, input_keep_prob=input_keep_prob
        )
        with initialized(model) as session:
            for variable in tf.trainable_variables():
                variable.load(np.full(variable.shape.as_list(), 0.1), session)
            states.append(session.run(model.final_state[0], feed(model, *window())))
    assert not np.allclose(*states)


@pytest.mark.parametrize(
    "optimizer, fused",
    [
        ("adam", True),
        pytest.param("adam", False, marks=pytest.mark.slow),
        ("rmsprop", False),
        pytest.param("rmsprop", True, marks=pytest.mark.slow),
    ],
)
def test_running_averages_equal_numpy(optimizer, fused):
    """They start at the initial weights, and include the weights after each update."""
    rate = {"adam": 0.1, "rmsprop": 5}[optimizer]  # the first steps of RMSProp are small
    model = training_graph(
        C, N, M, L, LAYERS, average_decay=0.8, learning_rate=rate, optimizer=optimizer, fused=fused
    )
    variables = tf.trainable_variables()
    by_name = {variable.op.name: variable for variable in tf.global_variables()}
    averages = [by_name[variable.op.name + "/ExponentialMovingAverage"] for variable in variables]
    with initialized(model) as session:
        expected = [value.astype(np.float64) for value in session.run(variables)]
        for step in range(4):
            session.run(model.optimizer, feed(model, *window(step)))
            values = session.run(variables)
            expected = [0.8 * average + 0.2 * value for average, value in zip(expected, values)]
            for variable, average, found, value in zip(
                variables, expected, session.run(averages), values
            ):
                np.testing.assert_allclose(found, average, atol=1e-6, err_msg=variable.op.name)
                assert np.abs(found - value).max() > 1e-3


@pytest.mark.parametrize("optimizer, fused", [("adam", True), ("rmsprop", False)])
def test_weight_decay_takes_a_part_of_each_matrix_away_after_the_update(optimizer, fused):
    """And averages are those of the weights after it."""
    found = []
    for options in ({}, {"weight_decay": 0.5, "average_decay": 0.8}):
        model = training_graph(
            C, N, M, L, LAYERS, optimizer=optimizer, fused=fused, seed=7, **options
        )
        with initialized(model) as session:
            before = [variable.eval(session) for variable in tf.trainable_variables()]
            session.run(
                model.optimizer,
                {
                    **feed(model, *window()),
                    model.keep_prob: 1,
                    f"{OPTIMIZERS[optimizer]}/learning_rate:0": 0.3,
                },
            )
            found.append(
                [
                    before,
                    session.run(tf.trainable_variables()),
                    list(model.weights(session).values()),
                ]
            )
    (_, plain, _), (before, decayed, averages) = found
    for old, without, with_decay, average in zip(before, plain, decayed, averages):
        expected = without * (1 - 0.3 * 0.5) if without.ndim == 2 else without
        np.testing.assert_allclose(with_decay, expected, atol=1e-6)
        np.testing.assert_allclose(average, 0.8 * old + 0.2 * with_decay, atol=1e-6)


def test_initial_weights_have_the_distributions_of_the_notebooks(notebook):
    """The largest absolute value and the standard deviation of each matrix are those of the notebook's graph."""
    with initialized(notebook.CharRNN(50, 2, 3, 120, 2)) as session:
        theirs = {variable.op.name: session.run(variable) for variable in tf.trainable_variables()}
    ours = initial_weights({name: value.shape for name, value in theirs.items()}, 7)
    # the biases are zeros
    assert set(ours) == {name for name, value in theirs.items() if value.any()}
    for name, value in ours.items():
        assert value.dtype == np.float32 and value.shape == theirs[name].shape
        for measure in (np.std, lambda values: np.abs(values).max()):
            assert measure(value) == pytest.approx(measure(theirs[name]), rel=0.03)
        assert abs(value.mean()) < 4 * value.std() / np.sqrt(value.size)
        assert len(np.unique(value)) > 0.95 * value.size


def test_initial_weights_depend_on_the_seed_only():
    """A seed gives the same numbers with each NumPy, so on each TensorFlow."""
    shapes = {"softmax/Variable": (3, 4), "kernel": (5, 8), "bias": (8,)}
    drawn = initial_weights(shapes, 1)
    assert list(initial_weights(dict(reversed([*shapes.items()])), 1)["kernel"][0]) == list(
        drawn["kernel"][0]
    )
    assert initial_weights(shapes, 2)["kernel"][0, 0] != drawn["kernel"][0, 0]
    np.testing.assert_allclose(
        [drawn["kernel"][0, 0], drawn["softmax/Variable"][0, 0]], [-0.1127449, 0.0900856], rtol=1e-6
    )


def test_each_process_has_dropout_masks_of_its_own():
    """Also of dynamic_rnn, which draws those of its own rows only."""
    losses = []
    for rank in (0, 1, 1):
        processes = Processes()
        processes.rank = rank
        processes.size = 2
        model = TrainingGraph(
            5, Hyperparameters(4, 3, 7, 1, seed=3, fused=False), processes, in_order=True
        )
        x = [[0, 1, 2], [3, 4, 0]]
        with tf.Session() as session:
            initialize(session, 3)
            losses.append(
                session.run(model.loss, {model.inputs: x, model.targets: x, model.keep_prob: 0.5})
            )
    assert losses[0] != losses[1] == losses[2]
