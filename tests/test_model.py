"""The graph compared with NumPy and with the cells of the solution notebook."""
import numpy as np
import pytest
from conftest import TENSORFLOW_1
from reference import errors, problem, reference, results, sigmoid

from charrnn import model as models
from charrnn.data import Vocabulary, get_batches
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

N, M, L, C, LAYERS = 3, 4, 6, 5, 2

def small(**options):
    return CharRNN(C, N, M, L, LAYERS, **dict({"seed": 11}, **options))


def window(seed=0):
    return np.random.RandomState(seed).randint(0, C, (2, N, M))


def feed(model, x, y, keep_prob=1.0, state=None):
    values = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob}
    if state is not None:
        values[model.initial_state] = state
    return values


def initialized(model, config=None):
    session = tf.Session(graph=model.loss.graph, config=config)
    with model.loss.graph.as_default():
        session.run(tf.global_variables_initializer())
    return session


def weights_of(session):
    with session.graph.as_default():
        return {variable.op.name: value.astype(np.float64) for variable, value in zip(
            tf.trainable_variables(), session.run(tf.trainable_variables()))}


def test_results_and_gradients_equal_numpys():
    """From a state that is not zero."""
    given = problem(N, M, L, C, LAYERS)
    assert max(errors(results(CharRNN(C, N, M, L, LAYERS), *given), reference(*given)).values()) < 5e-6


def adam(slots, g, step):
    """Return what Adam subtracts from the weights, at a rate of 1."""
    slots["m"] = 0.9 * slots.get("m", 0) + 0.1 * g
    slots["v"] = 0.999 * slots.get("v", 0) + 0.001 * g ** 2
    return np.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step) * slots["m"] / (np.sqrt(slots["v"]) + 1e-8)


def rmsprop(slots, g, step):
    """Return what RMSProp subtracts, whose mean square starts at 1."""
    slots["square"] = 0.95 * slots.get("square", 1) + 0.05 * g ** 2
    return g / np.sqrt(slots["square"] + 1e-10)


@pytest.mark.parametrize("optimizer", [adam, rmsprop])
def test_updates_are_clipped_and_those_of_the_optimizer(optimizer):
    """Two steps, at a rate that is fed."""
    rate, clip = 0.01, 0.05
    model = small(learning_rate=0.7, grad_clip=clip, optimizer=optimizer.__name__)
    variables = tf.trainable_variables()
    gradients, fed = tf.gradients(model.loss, variables), {**feed(model, *window(3)), model.learning_rate: rate}
    slots = [{} for _ in variables]
    with initialized(model) as session:
        expected = [value.astype(np.float64) for value in session.run(variables)]
        for step in (1, 2):
            found = [value.astype(np.float64) for value in session.run(gradients, fed)]
            norm = np.sqrt(sum((each ** 2).sum() for each in found))
            expected = [value - rate * optimizer(each, g * clip / norm, step)
                        for value, each, g in zip(expected, slots, found)]
            before_clipping, _ = session.run([model.gradient_norm, model.optimizer], fed)
            assert before_clipping == pytest.approx(norm, rel=1e-5) and norm > clip
        for one, two in zip(session.run(variables), expected):
            np.testing.assert_allclose(one, two, atol=2e-6)


def test_dropout_drops_and_scales_the_output_only():
    """The final state does not change, and each output is 0 or doubled."""
    tf.reset_default_graph()
    tf.set_random_seed(3)
    inputs, _, keep_prob = models.build_inputs(N, M)
    cell, initial_state = models.build_lstm(50, 1, N, keep_prob)
    outputs, final_state = tf.nn.dynamic_rnn(cell, tf.one_hot(inputs, C), initial_state=initial_state)
    x, _ = window()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        kept, state_kept = session.run([outputs, final_state], {inputs: x, keep_prob: 1.0})
        dropped, state = session.run([outputs, final_state], {inputs: x, keep_prob: 0.5})
    np.testing.assert_array_equal(state, state_kept)
    zero = dropped == 0
    assert 0.35 < zero.mean() < 0.65
    np.testing.assert_allclose(dropped[~zero], 2 * kept[~zero], rtol=1e-6)


def test_output_accepts_a_list():
    """The notebook's concat on axis 1 joins step outputs [N, 1, L] given as a list."""
    tf.reset_default_graph()
    steps = [tf.constant(np.random.RandomState(k).rand(N, 1, L), tf.float32) for k in range(M)]
    predictions, logits = models.build_output(steps, L, C)
    assert predictions.name == "predictions:0"
    assert predictions.shape.as_list() == logits.shape.as_list() == [N * M, C]


def losses_of_seed(seed):
    """Return the losses of a new network without and with dropout."""
    # DropoutWrapper's generator has a state, and steps of the loop that run in parallel race for its numbers
    one_thread = tf.ConfigProto(inter_op_parallelism_threads=1, use_per_session_threads=True)
    x, y = window()
    model = CharRNN(C, N, M, L, 1, seed=seed)
    with initialized(model, one_thread) as session:
        return [session.run(model.loss, feed(model, x, y, keep_prob)) for keep_prob in (1.0, 0.5)]


def test_a_seed_gives_the_same_weights_and_masks():
    first = losses_of_seed(1)
    assert losses_of_seed(1) == first != losses_of_seed(2) and losses_of_seed(None) != losses_of_seed(None)


@pytest.mark.parametrize("cell, total", [("lstm", 115.1125), ("gru", 132.2516), ("rnn", 41.8112)])
def test_a_seed_gives_the_same_weights_on_each_tensorflow(cell, total):
    with initialized(CharRNN(C, N, M, L, LAYERS, seed=11, cell=cell)) as session:
        assert sum(np.abs(value).sum() for value in weights_of(session).values()) == pytest.approx(total, abs=1e-3)


@pytest.mark.skipif(not TENSORFLOW_1, reason="TensorFlow 2 derives other seeds")
@pytest.mark.parametrize("lstm_size, options", [(L, {}), (256, {}), (256, {"num_layers": 3}), (256, {"cell": "gru"}),
                                                (256, {"cell": "rnn"}), (256, {"input_keep_prob": 0.5})])
def test_a_seed_gives_the_weights_that_tensorflow_1_would_give(monkeypatch, lstm_size, options):
    found = []
    for seeds in (models.initial_seeds, lambda *_: []):
        monkeypatch.setattr(models, "initial_seeds", seeds)
        with initialized(CharRNN(50, 25, M, lstm_size, seed=11, **options)) as session:
            found.append(weights_of(session))
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)


def test_seed_1_gives_the_first_loss_of_the_published_run(anna):
    """The run in docs/notebook.md, and that of the known model anna."""
    ids = Vocabulary.from_text(anna).encode(anna)
    x, y = next(get_batches(ids, 100, 100))
    model = CharRNN(83, 100, 100, 512, 2, seed=1, fused=True)
    with initialized(model) as session:
        loss = session.run(model.loss, {**feed(model, x, y, keep_prob=0.5), **model.mask_feed(0)})
    assert loss == pytest.approx(4.4163, abs=1e-4)


@pytest.mark.parametrize("options", [
    {"num_classes": 0}, {"num_steps": -1}, {"learning_rate": 0}, {"grad_clip": -5}, {"learning_rate": float("nan")},
    {"cell": "gruu"}, {"optimizer": "sgd"}, {"threads": 0, "fused": True}])
def test_arguments_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CharRNN(**dict({"num_classes": 3}, **options))


@pytest.fixture(scope="module")
def graphs(notebook):
    """Our graph and the notebook's."""
    return [small().loss.graph, notebook.CharRNN(C, N, M, L, LAYERS).loss.graph]


def test_variables_and_placeholders_have_the_notebooks_names_types_and_shapes(graphs):
    found = []
    for graph in graphs:
        tensors = map(graph.get_tensor_by_name, ["inputs:0", "targets:0", "keep_prob:0", "predictions:0"])
        with graph.as_default():
            found.append([(each.name, each.dtype, str(each.shape)) for each in [*tf.global_variables(), *tensors]])
    assert found[0] == found[1]


def test_all_operations_have_the_notebooks_names_and_types(graphs):
    """Apart from the StopGradient of the labels."""
    ours, theirs = ({each.name: each.type for each in graph.get_operations()} for graph in graphs)
    assert ours == dict(theirs, StopGradient="StopGradient")


CELL = "rnn/multi_rnn_cell/cell_{}/"


def numpy_gru(weights, layer, below, h):
    prefix = CELL.format(layer) + "gru_cell/"
    gates = sigmoid(np.concatenate([below, h], 1) @ weights[prefix + "gates/kernel"] + weights[prefix + "gates/bias"])
    reset, update = gates[:, :h.shape[1]], gates[:, h.shape[1]:]
    candidate = np.tanh(np.concatenate([below, reset * h], 1) @ weights[prefix + "candidate/kernel"]
                        + weights[prefix + "candidate/bias"])
    return update * h + (1 - update) * candidate


def numpy_rnn(weights, layer, below, h):
    prefix = CELL.format(layer) + "basic_rnn_cell/"
    return np.tanh(np.concatenate([below, h], 1) @ weights[prefix + "kernel"] + weights[prefix + "bias"])


@pytest.mark.parametrize("cell, step", [("gru", numpy_gru), ("rnn", numpy_rnn)])
def test_other_cells_equal_numpy(cell, step):
    """From a state that is not zero."""
    model = small(cell=cell)
    x, y = window(4)
    random = np.random.RandomState(6)
    state = [random.uniform(-1, 1, (N, L)).astype(np.float32) for _ in range(LAYERS)]
    assert [part.shape.as_list() for part in model.initial_state] == [[N, L]] * LAYERS
    with initialized(model) as session:
        logits, final_state = session.run([model.logits, model.final_state], feed(model, x, y, state=tuple(state)))
        weights = weights_of(session)
    tops = []
    for column in x.T:
        below = np.eye(C)[column]
        for layer in range(LAYERS):
            below = state[layer] = step(weights, layer, below, state[layer])
        tops.append(below)
    flat = np.stack(tops, 1).reshape(-1, L)
    np.testing.assert_allclose(logits, flat @ weights["softmax/Variable"] + weights["softmax/Variable_1"], atol=1e-6)
    np.testing.assert_allclose(final_state, state, atol=1e-6)


def test_dropout_on_inputs_changes_the_state():
    """Dropout on outputs does not change that of the first layer."""
    x, y = window()
    states = []
    for input_keep_prob in (1.0, 0.5):
        model = small(input_keep_prob=input_keep_prob)
        with initialized(model) as session:
            states.append(session.run(model.final_state[0], feed(model, x, y)))
    assert not np.allclose(*states)


@pytest.mark.parametrize("optimizer, fused", [
    ("adam", True), pytest.param("adam", False, marks=pytest.mark.slow), ("rmsprop", False),
    pytest.param("rmsprop", True, marks=pytest.mark.slow)])
def test_running_averages_equal_numpy(optimizer, fused):
    """They start at the initial weights, and include the weights after each update."""
    rate = {"adam": 0.1, "rmsprop": 5}[optimizer]  # the first steps of RMSProp are small
    model = small(average_decay=0.8, learning_rate=rate, optimizer=optimizer, fused=fused)
    variables = tf.trainable_variables()
    by_name = {variable.op.name: variable for variable in tf.global_variables()}
    averages = [by_name[variable.op.name + "/ExponentialMovingAverage"] for variable in variables]
    with initialized(model) as session:
        expected = [value.astype(np.float64) for value in session.run(variables)]
        for step in range(4):
            session.run(model.optimizer, feed(model, *window(step)))
            values = session.run(variables)
            expected = [0.8 * average + 0.2 * value for average, value in zip(expected, values)]
            for variable, average, found, value in zip(variables, expected, session.run(averages), values):
                np.testing.assert_allclose(found, average, atol=1e-6, err_msg=variable.op.name)
                assert np.abs(found - value).max() > 1e-3


def train(model, session, start, stop):
    """Return the losses of some steps, the state carried from one to the next."""
    state, losses = None, []
    for step in range(start, stop):
        loss, state, _ = session.run([model.loss, model.final_state, model.optimizer],
                                     feed(model, *window(step), state=state))
        losses.append(loss)
    return losses


def losses_after_restoring(prefix, build):
    """Return the losses of steps after a checkpoint in a new graph."""
    model = build()
    with tf.Session() as session:
        tf.train.Saver().restore(session, prefix)
        return train(model, session, 5, 10)


@pytest.mark.parametrize("saved_by_notebook", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_training_from_the_same_checkpoint_equals_the_notebooks(notebook, tmp_path, saved_by_notebook):
    """The slots of Adam included, whichever of the two saved it."""
    def theirs():
        return notebook.CharRNN(C, N, M, L, LAYERS, learning_rate=0.01)

    def ours():
        return small(learning_rate=0.01)

    first = theirs() if saved_by_notebook else ours()
    with initialized(first) as session:
        train(first, session, 0, 5)
        prefix = tf.train.Saver().save(session, str(tmp_path / "i5_l6.ckpt"))
    assert losses_after_restoring(prefix, ours) == losses_after_restoring(prefix, theirs)
