"""The graph compared with NumPy and with the cells of the solution notebook."""
import numpy as np
import pytest
from conftest import TENSORFLOW_1

from charrnn import model as models
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

N, M, L, C, LAYERS = 3, 4, 6, 5, 2
KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"


def small(**options):
    return CharRNN(C, N, M, L, LAYERS, **dict({"seed": 11}, **options))


def window(seed=0, shape=(N, M)):
    random = np.random.RandomState(seed)
    return random.randint(0, C, shape), random.randint(0, C, shape)


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


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_network(weights, x, state, num_classes=C, layers=LAYERS):
    """Return the logits and the final state of a network over ids [N, M], computed in float64."""
    size = weights["softmax/Variable"].shape[0]
    state = [[c, h] for c, h in state]
    tops = []
    for step in range(x.shape[1]):
        below = np.eye(num_classes)[x[:, step]]  # [N, C]
        for layer in range(layers):
            c, h = state[layer]
            gates = np.concatenate([below, h], 1) @ weights[KERNEL.format(layer)] + weights[BIAS.format(layer)]
            i, j, f, o = (gates[:, k * size:(k + 1) * size] for k in range(4))
            c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
            below = h = sigmoid(o) * np.tanh(c)
            state[layer] = [c, h]
        tops.append(below)
    flat = np.stack(tops, 1).reshape(-1, size)  # [N·M, L], row by row
    return flat @ weights["softmax/Variable"] + weights["softmax/Variable_1"], state


def numpy_loss(logits, targets):
    shifted = logits - logits.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -log_softmax[np.arange(len(logits)), targets.ravel()].mean()


def random_state(seed=5):
    random = np.random.RandomState(seed)
    return tuple(tf.nn.rnn_cell.LSTMStateTuple(*random.uniform(-1, 1, (2, N, L)).astype(np.float32))
                 for _ in range(LAYERS))


def test_forward_pass_equals_numpy():
    model = small()
    x, y = window()
    with initialized(model) as session:
        prediction, logits, loss, final_state = session.run(
            [model.prediction, model.logits, model.loss, model.final_state],
            feed(model, x, y, state=random_state()))
        weights = weights_of(session)
    expected, expected_state = numpy_network(weights, x, random_state())
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    np.testing.assert_allclose(final_state, expected_state, atol=1e-6)
    exponentials = np.exp(expected)
    np.testing.assert_allclose(prediction, exponentials / exponentials.sum(1, keepdims=True), atol=1e-6)
    assert loss == pytest.approx(numpy_loss(expected, y), abs=1e-6)


def test_gradients_equal_numerical_ones():
    """The gradients compared with central differences of the NumPy loss."""
    model = small()
    x, y = window(1)
    variables = tf.trainable_variables()
    gradients = tf.gradients(model.loss, variables)
    with initialized(model) as session:
        found = dict(zip([v.op.name for v in variables], session.run(gradients, feed(model, x, y))))
        weights = weights_of(session)
    zero = np.zeros((LAYERS, 2, N, L))
    for name, gradient in found.items():
        for place in [(0,) * gradient.ndim, tuple(size - 1 for size in gradient.shape)]:
            losses = []
            for change in (1e-5, -1e-5):
                changed = {key: value.copy() for key, value in weights.items()}
                changed[name][place] += change
                losses.append(numpy_loss(numpy_network(changed, x, zero)[0], y))
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-6), (name, place)


def test_state_carried_over_two_windows_is_one_window_twice_as_long():
    x, y = window(2, (N, 2 * M))
    model = small()
    with initialized(model) as session:
        first, state = session.run([model.logits, model.final_state], feed(model, x[:, :M], y[:, :M]))
        second = session.run(model.logits, feed(model, x[:, M:], y[:, M:], state=state))
        weights = weights_of(session)
    both = np.concatenate([part.reshape(N, M, C) for part in (first, second)], 1)
    zero = np.zeros((LAYERS, 2, N, L))
    np.testing.assert_allclose(both.reshape(-1, C), numpy_network(weights, x, zero)[0], atol=1e-6)


def test_update_is_clipped_adam():
    """Two steps of the optimizer compared with Adam in NumPy, where the gradients are clipped."""
    rate, clip = 0.01, 0.05
    model = small(learning_rate=rate, grad_clip=clip)
    x, y = window(3)
    variables = tf.trainable_variables()
    gradients = tf.gradients(model.loss, variables)
    with initialized(model) as session:
        values = [value.astype(np.float64) for value in session.run(variables)]
        m, v = [np.zeros_like(value) for value in values], [np.zeros_like(value) for value in values]
        for step in (1, 2):
            g = [value.astype(np.float64) for value in session.run(gradients, feed(model, x, y))]
            norm = np.sqrt(sum((each ** 2).sum() for each in g))
            assert norm > clip
            for k, each in enumerate(g):
                each = each * clip / norm
                m[k] = 0.9 * m[k] + 0.1 * each
                v[k] = 0.999 * v[k] + 0.001 * each ** 2
                corrected = rate * np.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step)
                values[k] = values[k] - corrected * m[k] / (np.sqrt(v[k]) + 1e-8)
            session.run(model.optimizer, feed(model, x, y))
        for expected, found in zip(values, session.run(variables)):
            np.testing.assert_allclose(found, expected, atol=2e-6)


def test_dropout_drops_and_scales_the_output_only():
    """The final state does not change, and each output is 0 or doubled."""
    inputs, _, keep_prob = fresh_inputs()
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


def fresh_inputs():
    tf.reset_default_graph()
    tf.set_random_seed(3)
    return models.build_inputs(N, M)


def test_inputs_have_the_notebooks_names_types_and_shapes():
    inputs, targets, keep_prob = fresh_inputs()
    assert [(each.name, each.dtype, each.shape.as_list() if each.shape.dims is not None else None)
            for each in (inputs, targets, keep_prob)] == [
        ("inputs:0", tf.int32, [N, M]), ("targets:0", tf.int32, [N, M]), ("keep_prob:0", tf.float32, None)]


def test_each_layer_has_its_own_cell():
    tf.reset_default_graph()
    cell, state = models.build_lstm(L, 3, N, tf.constant(1.0))
    assert isinstance(cell, tf.nn.rnn_cell.MultiRNNCell)
    assert len({id(layer) for layer in cell._cells}) == 3
    assert all(isinstance(layer, tf.nn.rnn_cell.DropoutWrapper) for layer in cell._cells)
    assert [tuple(part.shape.as_list()) for layer in state for part in layer] == [(N, L)] * 6


def test_output_accepts_a_list():
    """The notebook's concat on axis 1 joins step outputs [N, 1, L] given as a list."""
    tf.reset_default_graph()
    steps = [tf.constant(np.random.RandomState(k).rand(N, 1, L), tf.float32) for k in range(M)]
    predictions, logits = models.build_output(steps, L, C)
    assert predictions.name == "predictions:0"
    assert predictions.shape.as_list() == logits.shape.as_list() == [N * M, C]


def test_initial_weights():
    model = CharRNN(50, 2, 3, 200, 1, seed=1)
    with initialized(model) as session:
        weights = weights_of(session)
    softmax = weights["softmax/Variable"]
    assert np.abs(softmax).max() <= 0.2  # truncated at two standard deviations of 0.1
    assert softmax.std() == pytest.approx(0.088, abs=0.003)  # 0.1 x 0.8796, the truncated normal's
    assert not weights["softmax/Variable_1"].any() and not weights[BIAS.format(0)].any()


def test_recipe_has_the_documented_names_shapes_and_size():
    model = CharRNN(83, 100, 100, 512, 2)
    shapes = {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}
    trainable = {KERNEL.format(0): (595, 2048), BIAS.format(0): (2048,), KERNEL.format(1): (1024, 2048),
                 BIAS.format(1): (2048,), "softmax/Variable": (512, 83), "softmax/Variable_1": (83,)}
    expected = dict(trainable, beta1_power=(), beta2_power=())
    for name, shape in trainable.items():
        expected.update({name + "/Adam": shape, name + "/Adam_1": shape})
    assert shapes == expected
    assert sum(np.prod(shape) for shape in trainable.values()) == 3362387
    assert [each.name for each in (model.inputs, model.targets, model.keep_prob, model.prediction)] == [
        "inputs:0", "targets:0", "keep_prob:0", "predictions:0"]
    assert model.loss.shape.as_list() == []


def test_sampling_takes_one_character_at_a_time():
    model = CharRNN(C, 7, 9, L, LAYERS, sampling=True)
    assert model.inputs.shape.as_list() == model.targets.shape.as_list() == [1, 1]
    assert model.initial_state[0].h.shape.as_list() == [1, L]


def losses_of_seed(seed):
    """Return the losses of a new network without and with dropout."""
    # DropoutWrapper's generator has a state, and steps of the loop that run in parallel race for its numbers
    one_thread = tf.ConfigProto(inter_op_parallelism_threads=1, use_per_session_threads=True)
    x, y = window()
    model = CharRNN(C, N, M, L, 1, seed=seed)
    with initialized(model, one_thread) as session:
        return [session.run(model.loss, feed(model, x, y, keep_prob)) for keep_prob in (1.0, 0.5)]


def test_same_seed_gives_the_same_weights_and_masks():
    assert losses_of_seed(1) == losses_of_seed(1)


def test_another_seed_gives_other_weights():
    assert losses_of_seed(1) != losses_of_seed(2)


def test_no_seed_gives_new_weights():
    assert losses_of_seed(None) != losses_of_seed(None)


@pytest.mark.slow
@pytest.mark.skipif(not TENSORFLOW_1, reason="TensorFlow 2 derives other seeds")
@pytest.mark.parametrize("options", [
    dict(options, num_layers=num_layers) for num_layers in (1, 2, 3) for options in [
        {}, {"cell": "gru"}, {"cell": "rnn"}, {"input_keep_prob": 0.5}, {"cell": "gru", "input_keep_prob": 0.5},
        {"fused": True, "threads": 1}, {"fused": True, "threads": 1, "recurrent_keep_prob": 0.5}]])
def test_the_seeds_of_the_initial_weights_are_those_that_tensorflow_1_derives(monkeypatch, options):
    found = []
    for derive in (False, True):
        if derive:
            monkeypatch.setattr(models, "initial_seeds", lambda *args: [])
        with initialized(CharRNN(50, 25, M, L, seed=11, **options)) as session:
            found.append(weights_of(session))
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)


@pytest.mark.parametrize("cell, total", [("lstm", 115.1125), ("gru", 132.2516), ("rnn", 41.8112)])
def test_a_seed_gives_the_same_weights_on_each_tensorflow(cell, total):
    with initialized(CharRNN(C, N, M, L, LAYERS, seed=11, cell=cell)) as session:
        assert sum(np.abs(value).sum() for value in weights_of(session).values()) == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize("options", [
    {"num_classes": 0}, {"batch_size": 0}, {"num_steps": -1}, {"lstm_size": 0}, {"num_layers": 0},
    {"learning_rate": 0}, {"grad_clip": -5}, {"learning_rate": float("nan")}])
def test_arguments_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CharRNN(**dict({"num_classes": 3}, **options))


def graph_of(network):
    """Return the name and shape of each variable, and the tensors that have names."""
    names = ["inputs:0", "targets:0", "keep_prob:0", "predictions:0"]
    graph = network.loss.graph
    with graph.as_default():
        variables = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
    return variables, {name: (graph.get_tensor_by_name(name).dtype, str(graph.get_tensor_by_name(name).shape))
                       for name in names}


def test_graph_equals_the_notebooks(notebook):
    ours = graph_of(small())
    assert graph_of(notebook.CharRNN(C, N, M, L, LAYERS)) == ours


@pytest.mark.parametrize("options", [{}, {"cell": "lstm", "optimizer": "adam", "input_keep_prob": 1.0,
                                          "average_decay": 0.0, "fused": False}])
def test_all_operations_have_the_notebooks_names_and_types(notebook, options):
    """Apart from the StopGradient of the labels."""
    ours = {each.name: each.type for each in small(**options).loss.graph.get_operations()}
    theirs = {each.name: each.type for each in notebook.CharRNN(C, N, M, L, LAYERS).loss.graph.get_operations()}
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


@pytest.mark.parametrize("options, message", [({"cell": "gruu"}, "no cell 'gruu'"),
                                              ({"optimizer": "sgd"}, "no optimizer 'sgd'")])
def test_unknown_kinds_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_dropout_on_inputs_changes_the_state():
    """Dropout on outputs does not change that of the first layer."""
    x, y = window()
    states = []
    for input_keep_prob in (1.0, 0.5):
        model = small(input_keep_prob=input_keep_prob)
        with initialized(model) as session:
            states.append(session.run(model.final_state[0], feed(model, x, y)))
    assert not np.allclose(*states)


def test_update_is_clipped_rmsprop():
    """Two steps compared with RMSProp in NumPy, whose mean square starts at 1."""
    rate, clip = 0.01, 0.05
    model = small(learning_rate=0.7, grad_clip=clip, optimizer="rmsprop")
    x, y = window(3)
    variables = tf.trainable_variables()
    gradients = tf.gradients(model.loss, variables)
    with initialized(model) as session:
        values = [value.astype(np.float64) for value in session.run(variables)]
        square = [np.ones_like(value) for value in values]
        for _ in range(2):
            g = [value.astype(np.float64) for value in session.run(gradients, feed(model, x, y))]
            norm = np.sqrt(sum((each ** 2).sum() for each in g))
            assert norm > clip
            for k, each in enumerate(g):
                square[k] = 0.95 * square[k] + 0.05 * (each * clip / norm) ** 2
                values[k] = values[k] - rate * each * clip / norm / np.sqrt(square[k] + 1e-10)
            fed = feed(model, x, y)
            fed[model.learning_rate] = rate
            found, _ = session.run([model.gradient_norm, model.optimizer], fed)
            assert found == pytest.approx(norm, rel=1e-5)  # before it is clipped
        for expected, found in zip(values, session.run(variables)):
            np.testing.assert_allclose(found, expected, atol=2e-6)


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
