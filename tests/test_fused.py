"""The fused unroll, held to ``dynamic_rnn`` and to NumPy in float64: the same variables, the same numbers."""
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from charrnn.fused import session
from charrnn.fused import unroll as fused
from charrnn.model import CharRNN, build_lstm

KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"
NAMES = ["inputs:0", "targets:0", "keep_prob:0", "predictions:0"]

# N, M, L, C, layers, threads, rows times steps of a piece
CASES = [
    (3, 4, 5, 6, 1, 1, 500),
    (3, 4, 5, 6, 1, 2, 4),  # towers of 1 and 2 rows; pieces of 4 and 2 steps
    (5, 7, 4, 3, 2, 4, 6),  # towers of 2 and 3 rows; the last piece is shorter
    (7, 6, 2, 5, 3, 8, 2),  # 3 towers; pieces of a single step
    (2, 8, 3, 4, 3, 3, 6),
    (2, 3, 4, 5, 1, 9, 500),  # more threads than rows
    (1, 5, 3, 4, 2, 4, 2),  # a single row
    (4, 1, 3, 2, 2, 4, 500),  # a single step
    (3, 5, 1, 4, 2, 4, 3),  # a single unit
]
IDS = ["N{}-M{}-L{}-C{}-layers{}-threads{}-piece{}".format(*case) for case in CASES]


def weights(size, num_classes, layers, random):
    """Draw all variables, float32, by name."""
    values = {"softmax/Variable": random.randn(size, num_classes), "softmax/Variable_1": random.randn(num_classes)}
    for layer in range(layers):
        below = size if layer else num_classes
        values[KERNEL.format(layer)] = random.randn(below + size, 4 * size) / np.sqrt(below + size)
        values[BIAS.format(layer)] = random.randn(4 * size)
    return {name: value.astype(np.float32) for name, value in values.items()}


def problem(n, m, size, num_classes, layers, seed=0):
    """Draw variables, x, y and a state that is not zero."""
    random = np.random.RandomState(seed)
    values = weights(size, num_classes, layers, random)
    x, y = random.randint(0, num_classes, (2, n, m))
    state = [tuple(random.randn(2, n, size).astype(np.float32)) for _ in range(layers)]
    return values, x, y, state


def load(session, values):
    for variable in tf.trainable_variables():
        variable.load(values[variable.op.name], session)


def results(model, values, x, y, state, keep_prob=1.0, extra=None):
    """Return loss, final state, and the gradients of the loss for the variables and the initial state."""
    variables = tf.trainable_variables()
    parts = [part for layer in model.initial_state for part in layer]
    gradients = tf.gradients(model.loss, variables + parts)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load(session, values)
        loss, final, found = session.run(
            [model.loss, model.final_state, gradients],
            {model.inputs: x, model.targets: y, model.keep_prob: keep_prob,
             model.initial_state: tuple(state), **(extra or {})})
    names = [variable.op.name for variable in variables] + ["initial {}".format(k) for k in range(len(parts))]
    return dict(zip(names, found), loss=loss, **{
        "final {}".format(k): part for k, part in enumerate(part for layer in final for part in layer)})


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(values, x, y, state, masks=None):
    """Do in float64, plainly, what results does. masks: for each layer [M, N, L], 1 / keep_prob or 0."""
    values = {name: value.astype(np.float64) for name, value in values.items()}
    (n, m), layers = x.shape, len(state)
    weight, bias = values["softmax/Variable"], values["softmax/Variable_1"]
    size, num_classes = weight.shape
    masks = np.ones((layers, m, n, size)) if masks is None else masks
    state = [[part.astype(np.float64) for part in layer] for layer in state]
    grads = {name: np.zeros_like(value) for name, value in values.items()}
    tape, loss, d_tops = [], 0.0, []
    for t in range(m):
        below, steps = np.eye(num_classes)[x[:, t]], []
        for layer in range(layers):
            c, h = state[layer]
            joined = np.concatenate([below, h], 1)
            i, j, f, o = np.split(joined @ values[KERNEL.format(layer)] + values[BIAS.format(layer)], 4, 1)
            i, j, f, o = sigmoid(i), np.tanh(j), sigmoid(f + 1), sigmoid(o)
            new_c = c * f + i * j
            new_h = np.tanh(new_c) * o
            steps.append((joined, i, j, f, o, c, np.tanh(new_c)))
            state[layer], below = [new_c, new_h], new_h * masks[layer][t]
        tape.append(steps)
        logits = below @ weight + bias
        logits -= logits.max(1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        loss -= log_p[np.arange(n), y[:, t]].sum() / (n * m)
        d_logits = (np.exp(log_p) - np.eye(num_classes)[y[:, t]]) / (n * m)
        grads["softmax/Variable"] += below.T @ d_logits
        grads["softmax/Variable_1"] += d_logits.sum(0)
        d_tops.append(d_logits @ weight.T)
    d_state = [[np.zeros((n, size)), np.zeros((n, size))] for _ in range(layers)]
    for t in reversed(range(m)):
        d_above = d_tops[t]
        for layer in reversed(range(layers)):
            joined, i, j, f, o, c, tanh_c = tape[t][layer]
            dc, dh = d_state[layer]
            dh = dh + d_above * masks[layer][t]
            dc = dc + dh * o * (1 - tanh_c ** 2)
            d_gates = np.concatenate([dc * j * i * (1 - i), dc * i * (1 - j ** 2), dc * c * f * (1 - f),
                                      dh * tanh_c * o * (1 - o)], 1)
            grads[KERNEL.format(layer)] += joined.T @ d_gates
            grads[BIAS.format(layer)] += d_gates.sum(0)
            d_joined = d_gates @ values[KERNEL.format(layer)].T
            d_above = d_joined[:, :-size]
            d_state[layer] = [dc * f, d_joined[:, -size:]]
    for name, ends in [("final", state), ("initial", d_state)]:
        grads.update({"{} {}".format(name, k): part
                      for k, part in enumerate(part for layer in ends for part in layer)})
    return dict(grads, loss=loss)


def distance(found, wanted):
    """Return the largest difference of each result, by the size of its largest number, at least 1e-3."""
    assert sorted(found) == sorted(wanted)
    for name in found:
        assert np.shape(found[name]) == np.shape(wanted[name]), name
    return {name: np.abs(found[name] - wanted[name]).max() / max(np.abs(wanted[name]).max(), 1e-3)
            for name in found}


@pytest.mark.parametrize("n, m, size, num_classes, layers, threads, piece", CASES, ids=IDS)
def test_equals_dynamic_rnn_and_numpy(monkeypatch, n, m, size, num_classes, layers, threads, piece):
    monkeypatch.setattr(fused, "PIECE_ROWS", piece)
    given = problem(n, m, size, num_classes, layers)
    theirs = results(CharRNN(num_classes, n, m, size, layers), *given)
    ours = results(CharRNN(num_classes, n, m, size, layers, fused=True, threads=threads), *given)
    exact = reference(*given)
    assert max(distance(ours, theirs).values()) < 5e-6
    assert max(distance(ours, exact).values()) < 5e-6
    assert max(distance(theirs, exact).values()) < 5e-6


def test_no_further_from_numpy_than_dynamic_rnn():
    """At a size where rounding adds up, the errors of all results together."""
    given = problem(20, 40, 32, 11, 2)
    exact = reference(*given)

    def error(**options):
        found = results(CharRNN(11, 20, 40, 32, 2, **options), *given)
        return np.sqrt(np.mean([each ** 2 for each in distance(found, exact).values()]))

    ours, theirs = error(fused=True, threads=4), error()
    assert ours < 1e-5
    assert ours <= 1.25 * theirs


@pytest.mark.parametrize("threads", [1, 4])
def test_dropout_and_its_gradient_equal_numpys_with_the_same_masks(threads):
    n, m, size, num_classes, layers = 5, 4, 3, 6, 2
    given = problem(n, m, size, num_classes, layers)
    model = CharRNN(num_classes, n, m, size, layers, seed=9, fused=True, threads=threads)
    masks = drawn(9, 17, (m, n, size), keep_prob=0.6, layers=layers, graph=False)
    found = results(model, *given, keep_prob=0.6, extra=model.mask_feed(17))
    assert max(distance(found, reference(*given, masks=masks)).values()) < 5e-6


def drawn(seed, step, shape, keep_prob=0.5, layers=2, graph=True):
    """Return the masks of a graph's seed and a step."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        keep = tf.placeholder(tf.float32, [])
        return session.run(fused._masks(shape, [keep] * layers, tf.constant(step)), {keep: keep_prob})


@pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.9])
def test_masks_keep_the_mean(keep_prob):
    for mask in drawn(1, 2, (50, 40, 30), keep_prob):
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1) / np.float32(keep_prob)}
        kept = (mask > 0).mean()
        assert abs(kept - keep_prob) < 4 * np.sqrt(keep_prob * (1 - keep_prob) / mask.size)
        assert abs(mask.mean() - 1) < 4 * np.sqrt((1 / keep_prob - 1) / mask.size)


def test_masks_differ_over_steps_rows_units_and_layers():
    one, two = (mask > 0 for mask in drawn(1, 2, (50, 40, 30)))
    for a, b in [(one[0], one[1]), (one[:, 0], one[:, 1]), (one[:, :, 0], one[:, :, 1]), (one, two)]:
        assert abs((a == b).mean() - 0.5) < 4 * 0.5 / np.sqrt(a.size)


def test_masks_depend_on_seed_and_step_alone():
    shape = (3, 4, 5)
    for one, same, other_seed, other_step in zip(
            drawn(1, 2, shape), drawn(1, 2, shape), drawn(2, 2, shape), drawn(1, 3, shape)):
        assert (one == same).all()
        assert (one != other_seed).any() and (one != other_step).any()


def test_no_mask_with_keep_prob_1():
    for mask in drawn(1, 2, (50, 40, 30), 1.0):
        assert (mask == 1).all()
    assert fused._masks((3, 4, 5), [1.0], 0) == [None]


def losses(model, session, steps, n=3, m=4, num_classes=6):
    """Train for some steps, each on a window of its own, with the masks of that step."""
    state, found = None, []
    for step in steps:
        x, y = np.random.RandomState(step).randint(0, num_classes, (2, n, m))
        feed = {model.inputs: x, model.targets: y, model.keep_prob: 0.5, **model.mask_feed(step)}
        if state is not None:
            feed[model.initial_state] = state
        loss, state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)
        found.append(loss)
    return found, state


def test_a_resumed_run_draws_the_masks_of_an_uninterrupted_one(tmp_path):
    def model(threads):
        return CharRNN(6, 3, 4, 5, 2, learning_rate=0.1, seed=7, fused=True, threads=threads)

    whole = model(1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        start = tf.train.Saver().save(session, str(tmp_path / "start"))
        wanted, _ = losses(whole, session, range(3))
        middle = tf.train.Saver().save(session, str(tmp_path / "middle"))
        wanted += losses(whole, session, range(3, 6))[0]
    resumed, found = model(4), []
    with tf.Session() as session:
        for prefix, steps in [(start, range(3)), (middle, range(3, 6))]:
            tf.train.Saver().restore(session, prefix)
            found += losses(resumed, session, steps)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_masks_are_new_each_time_unless_fed():
    model = CharRNN(6, 3, 4, 5, 2, seed=7, fused=True)
    feed = {model.inputs: np.zeros((3, 4)), model.targets: np.zeros((3, 4)), model.keep_prob: 0.5}

    def different(count, **more):
        return len({float(session.run(model.loss, dict(feed, **more))) for _ in range(count)})

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert different(5) == 5
        feed.update(model.mask_feed(3))
        assert different(5) == 1


def test_the_notebooks_graph_has_no_masks_to_feed():
    assert CharRNN(6, 3, 4, 5, 2).mask_feed(3) == {}


def graph_of(model):
    """Return the variables, and the dtype and shape of the tensors with names of their own."""
    graph = model.loss.graph
    named = {name: graph.get_tensor_by_name(name) for name in NAMES}
    return ([(variable.name, variable.shape.as_list()) for variable in tf.global_variables()],
            [variable.name for variable in tf.trainable_variables()],
            {name: (tensor.dtype, str(tensor.shape)) for name, tensor in named.items()},
            [(str(tensor.shape), tensor.dtype) for tensor in (model.logits, model.prediction, model.loss)],
            [[(type(layer), str(layer.c.shape), str(layer.h.shape)) for layer in state]
             for state in (model.initial_state, model.final_state)])


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_graph_has_the_names_and_shapes_of_dynamic_rnns(layers):
    wanted = graph_of(CharRNN(6, 3, 4, 5, layers))
    assert graph_of(CharRNN(6, 3, 4, 5, layers, fused=True, threads=8)) == wanted


@pytest.mark.parametrize("first", [False, pytest.param(True, marks=pytest.mark.slow)],
                         ids=["notebook to fused", "fused to notebook"])
def test_checkpoint_of_one_goes_on_in_the_other(tmp_path, first):
    def run(is_fused, prefix, restore):
        model = CharRNN(6, 3, 4, 5, 2, learning_rate=0.1, seed=3, fused=is_fused, threads=4)
        x, y = np.random.RandomState(1).randint(0, 6, (2, 3, 4))
        with tf.Session() as session:
            saver = tf.train.Saver()
            if restore:
                saver.restore(session, prefix)
            else:
                session.run(tf.global_variables_initializer())
            found = [session.run([model.loss, model.optimizer], {
                model.inputs: x, model.targets: y, model.keep_prob: 1.0})[0] for _ in range(4)]
            if not restore:
                saver.save(session, prefix)
        return found

    prefix = str(tmp_path / "model")
    before = run(first, prefix, False)
    after = run(not first, prefix, True)
    np.testing.assert_allclose(after, run(first, prefix, True), rtol=1e-5)
    assert after[0] < before[-1]


def test_two_gradients_in_one_run():
    """The tape can be read more than once: the gradients and the step of the optimizer in one run."""
    values, x, y, state = problem(3, 4, 5, 6, 2)
    model = CharRNN(6, 3, 4, 5, 2, fused=True)
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([gradients, model.optimizer], {
            model.inputs: x, model.targets: y, model.keep_prob: 1.0, model.initial_state: tuple(state)})


def test_final_state_has_a_gradient_too():
    values, x, y, state = problem(3, 4, 5, 6, 2)
    found = []
    for is_fused in (False, True):
        model = CharRNN(6, 3, 4, 5, 2, fused=is_fused, threads=4)
        total = sum(tf.reduce_sum(part * weight) for layer in model.final_state
                    for part, weight in zip(layer, (0.5, 2.0)))
        kernels = [variable for variable in tf.trainable_variables() if "kernel" in variable.name]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            load(session, values)
            found.append(session.run(tf.gradients(total, kernels), {
                model.inputs: x, model.keep_prob: 1.0, model.initial_state: tuple(state)}))
    for theirs, ours in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_forget_bias_is_the_cells():
    ids = np.array([[1, 0, 2], [2, 2, 1]])
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(5)
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.DropoutWrapper(
            tf.nn.rnn_cell.BasicLSTMCell(4, forget_bias=-0.7))])
        state = cell.zero_state(2, tf.float32)
        wanted, _ = tf.nn.dynamic_rnn(cell, tf.one_hot(ids, 3), initial_state=state)
        with tf.variable_scope("", reuse=True):
            found, _ = fused.unroll(cell, tf.constant(ids), 3, state, 0)
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(*session.run([found, wanted]), rtol=1e-5, atol=1e-7)


def test_sampling_graph():
    model = CharRNN(6, 3, 4, 5, 2, sampling=True, fused=True)
    assert model.inputs.shape.as_list() == [1, 1] and model.prediction.shape.as_list() == [1, 6]


def stack(*wrappers):
    return tf.nn.rnn_cell.MultiRNNCell(list(wrappers))


def lstm(size=4, **options):
    return tf.nn.rnn_cell.BasicLSTMCell(size, **options)


@pytest.mark.parametrize("make, message", [
    (lambda wrap: wrap(lstm()), "MultiRNNCell"),
    (lambda wrap: stack(lstm()), "layer 0 must be a DropoutWrapper of a BasicLSTMCell"),
    (lambda wrap: stack(wrap(lstm()), wrap(tf.nn.rnn_cell.GRUCell(4))), "layer 1 must be a DropoutWrapper"),
    (lambda wrap: stack(wrap(lstm(activation=tf.nn.relu))), "activation"),
    (lambda wrap: stack(wrap(lstm(3)), wrap(lstm(4))), "layer 0 must have num_units 4, not 3"),
    (lambda wrap: stack(wrap(lstm(), input_keep_prob=0.5)), "input_keep_prob 1.0, not 0.5"),
    (lambda wrap: stack(wrap(lstm(), state_keep_prob=tf.constant(0.5) * 1)), "state_keep_prob"),
    (lambda wrap: stack(wrap(lstm(), variational_recurrent=True, dtype=tf.float32, input_size=3)), "variational"),
])
def test_other_stacks_are_refused(make, message):
    with tf.Graph().as_default():
        cell = make(tf.nn.rnn_cell.DropoutWrapper)
        with pytest.raises(ValueError, match=message):
            fused.unroll(cell, tf.zeros([2, 3], tf.int32), 3, cell.zero_state(2, tf.float32), 0)


def test_what_build_lstm_makes_is_taken():
    with tf.Graph().as_default():
        cell, state = build_lstm(4, 2, 3, tf.placeholder(tf.float32))
        outputs, final = fused.unroll(cell, tf.zeros([3, 5], tf.int32), 6, state, 0)
        assert outputs.shape.as_list() == [3, 5, 4]
        assert [part.shape.as_list() for layer in final for part in layer] == [[3, 4]] * 4


def test_session_config():
    config = session.session_config()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert isinstance(config, tf.ConfigProto)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, cores)
    assert session.session_config(3).inter_op_parallelism_threads == 3


@pytest.mark.parametrize("threads", [0, -2])
def test_threads_below_1_are_refused(threads):
    with pytest.raises(ValueError, match="threads must be at least 1, not"):
        session.session_config(threads)
    with pytest.raises(ValueError, match="threads must be at least 1, not"):
        CharRNN(6, 3, 4, 5, 2, fused=True, threads=threads)


def test_threads_follow_the_cores_of_the_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 4, 6}, raising=False)
    assert session.thread_count() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert session.thread_count() == 5


@pytest.mark.parametrize("n_rows, n_layers, threads, lengths", [
    (100, 2, 2, [100]), (100, 1, 2, [50, 50]), (100, 3, 2, [100]), (100, 2, 8, [25] * 4), (7, 1, 3, [2, 2, 3]),
    (2, 1, 5, [1, 1]), (10, 2, 1, [10])])
def test_rows_are_split_evenly(n_rows, n_layers, threads, lengths):
    bands = fused.split_rows(n_rows, n_layers, threads)
    assert [end - begin for begin, end in bands] == lengths
    assert bands[0][0] == 0 and bands[-1][1] == n_rows
    assert all(one[1] == two[0] for one, two in zip(bands, bands[1:]))
