"""The graph of a training run, compared with the notebook's and with NumPy; and the initial weights."""

import numpy as np
import pytest
from conftest import initialize, training_graph
from reference import lstm
from test_model import serialized

from charrnn.engines.cells import initial_weights
from charrnn.hyperparameters import OPTIMIZERS, Hyperparameters
from charrnn.system.tensorflow import tf
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph

N = 3
M = 4
L = 6
C = 5
SIZES = dict(num_classes=C, batch_size=N, num_steps=M, lstm_size=L, num_layers=1)
CELL = "rnn/multi_rnn_cell/cell_{}/"


def graph(**options):
    """Return a TrainingGraph of the sizes above, unless others are given, for one thread."""
    return training_graph(**{**SIZES, "threads": 1, **options})


def window(seed=0):
    """Draw x and y, [N, M] each."""
    random = np.random.RandomState(seed)
    return random.randint(0, C, (2, N, M))


def feed(model, x, y):
    return {model.inputs: x, model.targets: y, model.keep_prob: 1.0}


def initialized(model):
    session = tf.Session(graph=model.loss.graph)
    with model.loss.graph.as_default():
        session.run(tf.global_variables_initializer())
    return session


def float64(values):
    return [value.astype(np.float64) for value in values]


def test_with_the_notebooks_settings_it_is_the_notebooks_graph_byte_for_byte(notebook):
    sizes = dict(num_classes=3, batch_size=5, num_steps=1, lstm_size=4, num_layers=3)
    ours = training_graph(**sizes, fused=False, seed=7, learning_rate=0.02)
    theirs = notebook.CharRNN(**sizes, learning_rate=0.02, grad_clip=5.0, seed=7)
    assert serialized(ours) == serialized(theirs)


def adam(slots, g, step):
    """Return what Adam subtracts from the weights, at a rate of 1."""
    m = 0.9 * slots.get("m", 0) + 0.1 * g
    v = 0.999 * slots.get("v", 0) + 0.001 * g**2
    slots.update(m=m, v=v)
    correction = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return correction * m / (np.sqrt(v) + 1e-8)


def rmsprop(slots, g, step):
    """Return what RMSProp subtracts, whose mean square starts at 1."""
    square = 0.95 * slots.get("square", 1) + 0.05 * g**2
    slots.update(square=square)
    return g / np.sqrt(square + 1e-10)


@pytest.mark.parametrize("optimizer", [adam, rmsprop])
def test_updates_are_clipped_and_those_of_the_optimizer(optimizer):
    """Two steps, at a rate that is fed, with the norm before clipping."""
    name = optimizer.__name__
    rate = 0.01
    clip = 0.05
    model = graph(fused=False, learning_rate=0.7, grad_clip=clip, optimizer=name)
    variables = tf.trainable_variables()
    gradients = tf.gradients(model.loss, variables)
    values = {**feed(model, *window(3)), f"{OPTIMIZERS[name]}/learning_rate:0": rate}
    slots = [{} for _ in variables]

    with initialized(model) as session:
        expected = float64(session.run(variables))
        for step in (1, 2):
            d_weights = float64(session.run(gradients, values))
            norm = np.sqrt(sum((g**2).sum() for g in d_weights))
            for weights, of_variable, g in zip(expected, slots, d_weights):
                weights -= rate * optimizer(of_variable, g * clip / norm, step)
            before_clipping, _ = session.run([model.gradient_norm, model.optimizer], values)
            assert before_clipping == pytest.approx(norm, rel=1e-5)
            assert norm > clip
        actual = session.run(variables)

    for weights, right in zip(actual, expected):
        np.testing.assert_allclose(weights, right, atol=2e-6)


def test_adams_averages_of_a_large_variable_do_not_start_from_a_constant():
    """TensorFlow would keep it in memory: 276 MB with 16,327 characters and the sizes of the recipe."""
    model = training_graph(
        num_classes=16_327, batch_size=2, num_steps=3, lstm_size=65, num_layers=1
    )
    assert model.shapes[CELL.format(0) + "basic_lstm_cell/kernel"] == (16_392, 260)

    # what runs is another graph than the one that was built: constants are folded
    run = tf.RunMetadata()
    options = tf.RunOptions(output_partition_graphs=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer(), options=options, run_metadata=run)

    sizes = []
    for node in run.partition_graphs[0].node:
        if node.op == "Const":
            shape = tf.TensorShape(node.attr["value"].tensor.tensor_shape)
            sizes.append(shape.num_elements())
    assert max(sizes) < 16_392 * 260


def test_each_step_has_dropout_masks_of_its_own():
    model = graph(seed=7)
    values = {**feed(model, *window()), model.keep_prob: 0.5}
    losses = []
    with initialized(model) as session:
        for step in (0, 1, 0):
            losses.append(session.run(model.loss, {**values, **model.feed_of_step(step, 9)}))
    assert losses[0] == losses[2]
    assert losses[0] != losses[1]


def numpy_gru(weights, layer, below, h):
    prefix = CELL.format(layer) + "gru_cell/"
    joined = np.concatenate([below, h], 1)
    gates = joined @ weights[prefix + "gates/kernel"] + weights[prefix + "gates/bias"]
    reset, update = np.split(lstm.sigmoid(gates), 2, axis=1)

    joined = np.concatenate([below, reset * h], 1)
    candidate = joined @ weights[prefix + "candidate/kernel"] + weights[prefix + "candidate/bias"]
    return update * h + (1 - update) * np.tanh(candidate)


def numpy_rnn(weights, layer, below, h):
    prefix = CELL.format(layer) + "basic_rnn_cell/"
    joined = np.concatenate([below, h], 1)
    return np.tanh(joined @ weights[prefix + "kernel"] + weights[prefix + "bias"])


@pytest.mark.parametrize("cell, step", [("gru", numpy_gru), ("rnn", numpy_rnn)])
def test_other_cells_equal_numpy(cell, step):
    """The state before the window is not zero."""
    layers = 2
    model = graph(cell=cell, num_layers=layers)
    x, y = window(4)
    random = np.random.RandomState(6)
    state = [random.uniform(-1, 1, (N, L)).astype(np.float32) for _ in range(layers)]
    assert [part.shape.as_list() for part in model.initial_state] == [[N, L]] * layers

    by_name = {variable.op.name: variable for variable in tf.trainable_variables()}
    with initialized(model) as session:
        logits, final_state, weights = session.run(
            [model.logits, model.final_state, by_name],
            {**feed(model, x, y), model.initial_state: tuple(state)},
        )

    weights = {name: value.astype(np.float64) for name, value in weights.items()}
    tops = []
    for column in x.T:
        below = np.eye(C)[column]
        for layer in range(layers):
            state[layer] = step(weights, layer, below, state[layer])
            below = state[layer]
        tops.append(below)

    flat = np.stack(tops, 1).reshape(-1, L)
    expected = flat @ weights["softmax/Variable"] + weights["softmax/Variable_1"]
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    np.testing.assert_allclose(final_state, state, atol=1e-6)


def test_dropout_on_inputs_changes_the_state():
    """It has other masks each time. Dropout on outputs would not change the state of the first layer."""
    model = graph(fused=False, input_keep_prob=0.5)
    with initialized(model) as session:
        states = [session.run(model.final_state[0], feed(model, *window())) for _ in range(2)]
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
    # the first steps of RMSProp are small
    rates = {"adam": 0.1, "rmsprop": 5}
    rate = rates[optimizer]
    model = graph(average_decay=0.8, learning_rate=rate, optimizer=optimizer, fused=fused)
    variables = tf.trainable_variables()

    with initialized(model) as session:
        expected = float64(session.run(variables))
        for step in range(4):
            session.run(model.optimizer, feed(model, *window(step)))
            values = session.run(variables)
            expected = [0.8 * average + 0.2 * value for average, value in zip(expected, values)]
            averages = model.weights(session)
            for variable, right, value in zip(variables, expected, values):
                name = variable.op.name
                np.testing.assert_allclose(averages[name], right, atol=1e-6, err_msg=name)
                assert np.abs(averages[name] - value).max() > 1e-3


def weights_around_an_update(model, optimizer, rate):
    """Return the weights before and after an update at a rate that is fed, and what is saved then."""
    values = {**feed(model, *window()), f"{OPTIMIZERS[optimizer]}/learning_rate:0": rate}
    with initialized(model) as session:
        before = session.run(tf.trainable_variables())
        session.run(model.optimizer, values)
        after = session.run(tf.trainable_variables())
        saved = model.weights(session)
    return before, after, saved.values()


@pytest.mark.parametrize("optimizer, fused", [("adam", True), ("rmsprop", False)])
def test_weight_decay_takes_a_part_of_each_matrix_away_after_the_update(optimizer, fused):
    """The running averages are those of the weights after it."""
    model = graph(optimizer=optimizer, fused=fused, seed=7)
    _, plain, _ = weights_around_an_update(model, optimizer, rate=0.3)

    model = graph(optimizer=optimizer, fused=fused, seed=7, weight_decay=0.5, average_decay=0.8)
    before, decayed, averages = weights_around_an_update(model, optimizer, rate=0.3)

    for old, without, with_decay, average in zip(before, plain, decayed, averages):
        expected = without
        if without.ndim == 2:
            expected = without * (1 - 0.3 * 0.5)
        np.testing.assert_allclose(with_decay, expected, atol=1e-6)
        np.testing.assert_allclose(average, 0.8 * old + 0.2 * with_decay, atol=1e-6)


def test_initial_weights_have_the_distributions_of_the_notebooks(notebook):
    """The largest absolute value and the standard deviation of each matrix are those of the notebook's graph."""
    model = notebook.CharRNN(50, batch_size=2, num_steps=3, lstm_size=120, num_layers=2)
    with initialized(model) as session:
        theirs = {variable.op.name: session.run(variable) for variable in tf.trainable_variables()}
    ours = initial_weights({name: value.shape for name, value in theirs.items()}, 7)

    # the biases are zeros
    assert set(ours) == {name for name, value in theirs.items() if value.any()}
    for name, value in ours.items():
        their_value = theirs[name]
        largest = np.abs(value).max()
        their_largest = np.abs(their_value).max()
        deviation_of_mean = value.std() / np.sqrt(value.size)
        assert value.dtype == np.float32
        assert value.shape == their_value.shape
        assert value.std() == pytest.approx(their_value.std(), rel=0.03)
        assert largest == pytest.approx(their_largest, rel=0.03)
        assert abs(value.mean()) < 4 * deviation_of_mean
        assert len(np.unique(value)) > 0.95 * value.size


def test_initial_weights_depend_on_the_seed_only():
    """A seed gives the same numbers with each NumPy, so on each TensorFlow."""
    shapes = {"softmax/Variable": (3, 4), "kernel": (5, 8), "bias": (8,)}
    matrices = initial_weights(shapes, 1)
    kernel = matrices["kernel"]
    softmax = matrices["softmax/Variable"]
    assert kernel[0, 0] == pytest.approx(-0.1127449, rel=1e-6)
    assert softmax[0, 0] == pytest.approx(0.0900856, rel=1e-6)

    in_another_order = dict(reversed([*shapes.items()]))
    same = initial_weights(in_another_order, 1)
    np.testing.assert_array_equal(same["kernel"], kernel)
    of_another_seed = initial_weights(shapes, 2)
    assert of_another_seed["kernel"][0, 0] != kernel[0, 0]


@pytest.fixture(scope="module")
def losses_of_processes():
    """The losses with dropout in dynamic_rnn of two processes, each in two sessions, [2, 2]."""
    hyper = Hyperparameters(
        batch_size=4, num_steps=40, lstm_size=64, num_layers=1, seed=3, fused=False
    )
    x = np.random.RandomState(1).randint(0, C, (2, 40))
    losses = []
    for rank in (0, 1):
        processes = Processes()
        processes.rank = rank
        processes.size = 2
        model = TrainingGraph(C, hyper, processes, threads=4, in_order=True)
        # Otherwise the first session of this process has fixed the number of threads.
        model.config.use_per_session_threads = True

        values = {**feed(model, x, x), model.keep_prob: 0.5}
        for _ in range(2):
            with tf.Session(config=model.config) as session:
                initialize(session, 3)
                losses.append(session.run(model.loss, values))
    return np.reshape(losses, [2, 2])


def test_dropout_of_dynamic_rnn_in_order_depends_on_the_seed_only(losses_of_processes):
    """Several threads draw its masks in any order otherwise."""
    first, again = losses_of_processes.T
    np.testing.assert_array_equal(first, again)


def test_each_process_has_dropout_masks_of_its_own(losses_of_processes):
    """So it has with dynamic_rnn, which draws the masks of its own rows only."""
    (first, _), (second, _) = losses_of_processes
    assert first != second
