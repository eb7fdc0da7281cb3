"""The forward and the backward pass compared with ``dynamic_rnn`` and with NumPy in float64."""
import numpy as np
import pytest

from charrnn.fused import unroll
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"

slow = pytest.mark.slow
CASES = {  # N, M, L, C, layers, threads, rows times steps of a piece
    "one piece": (3, 4, 5, 6, 1, 1, 500),
    "shards of 1 and 2 rows, pieces of 4 and 2 steps": (3, 4, 5, 6, 1, 2, 4),
    "shards of 2 and 3 rows, a shorter last piece": (5, 7, 4, 3, 2, 4, 6),
    "3 shards, pieces of a single step": (7, 6, 2, 5, 3, 8, 2),
    "as many layers as threads": (2, 8, 3, 4, 3, 3, 6),
    "more threads than rows": (2, 3, 4, 5, 1, 9, 500),
    "a single row": (1, 5, 3, 4, 2, 4, 2),
    "a single step": (4, 1, 3, 2, 2, 4, 500),
    "a single unit": (3, 5, 1, 4, 2, 4, 3),
}
QUICK = ["shards of 1 and 2 rows, pieces of 4 and 2 steps", "shards of 2 and 3 rows, a shorter last piece"]


def problem(n, m, size, num_classes, layers):
    """Draw weights by name, x, y and a state that is not zero."""
    random = np.random.RandomState(0)
    weights = {"softmax/Variable": random.randn(size, num_classes), "softmax/Variable_1": random.randn(num_classes)}
    for layer in range(layers):
        below = size if layer else num_classes
        weights[KERNEL.format(layer)] = random.randn(below + size, 4 * size) / np.sqrt(below + size)
        weights[BIAS.format(layer)] = random.randn(4 * size)
    x, y = random.randint(0, num_classes, (2, n, m))
    state = [tuple(random.randn(2, n, size).astype(np.float32)) for _ in range(layers)]
    return {name: value.astype(np.float32) for name, value in weights.items()}, x, y, state


def load(session, weights):
    for variable in tf.trainable_variables():
        variable.load(weights[variable.op.name], session)


def results(model, weights, x, y, state, keep_prob=1.0, extra=None):
    """Return the loss, the final state, and the gradients of the loss for the weights and the initial state."""
    variables = tf.trainable_variables()
    parts = [part for layer in model.initial_state for part in layer]
    gradients = tf.gradients(model.loss, variables + parts)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load(session, weights)
        loss, final, found = session.run(
            [model.loss, model.final_state, gradients],
            {model.inputs: x, model.targets: y, model.keep_prob: keep_prob,
             model.initial_state: tuple(state), **(extra or {})})
    names = [variable.op.name for variable in variables] + [f"initial {k}" for k in range(len(parts))]
    return dict(zip(names, found), loss=loss, **{
        f"final {k}": part for k, part in enumerate(part for layer in final for part in layer)})


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(weights, x, y, state, masks=None):
    """Compute the same as ``results`` in float64 with NumPy. masks: for each layer [M, N, L], 1 / keep_prob or 0."""
    weights = {name: value.astype(np.float64) for name, value in weights.items()}
    (n, m), layers = x.shape, len(state)
    weight, bias = weights["softmax/Variable"], weights["softmax/Variable_1"]
    size, num_classes = weight.shape
    masks = np.ones((layers, m, n, size)) if masks is None else masks
    state = [[part.astype(np.float64) for part in layer] for layer in state]
    grads = {name: np.zeros_like(value) for name, value in weights.items()}
    tape, loss, d_tops = [], 0.0, []
    for t in range(m):
        below, steps = np.eye(num_classes)[x[:, t]], []
        for layer in range(layers):
            c, h = state[layer]
            joined = np.concatenate([below, h], 1)
            i, j, f, o = np.split(joined @ weights[KERNEL.format(layer)] + weights[BIAS.format(layer)], 4, 1)
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
            d_joined = d_gates @ weights[KERNEL.format(layer)].T
            d_above = d_joined[:, :-size]
            d_state[layer] = [dc * f, d_joined[:, -size:]]
    for name, ends in [("final", state), ("initial", d_state)]:
        grads.update({f"{name} {k}": part for k, part in enumerate(part for layer in ends for part in layer)})
    return dict(grads, loss=loss)


def errors(found, expected):
    """Return the largest difference of each result, divided by the largest number of the expected one."""
    assert sorted(found) == sorted(expected)
    for name in found:
        assert np.shape(found[name]) == np.shape(expected[name]), name
    return {name: np.abs(found[name] - expected[name]).max() / max(np.abs(expected[name]).max(), 1e-3)
            for name in found}


@pytest.mark.parametrize("case", [name if name in QUICK else pytest.param(name, marks=slow) for name in CASES])
def test_results_and_gradients_equal_numpys(monkeypatch, case):
    n, m, size, num_classes, layers, threads, piece = CASES[case]
    monkeypatch.setattr(unroll, "PIECE_ROWS", piece)
    given = problem(n, m, size, num_classes, layers)
    model = CharRNN(num_classes, n, m, size, layers, fused=True, threads=threads)
    assert max(errors(results(model, *given), reference(*given)).values()) < 5e-6


def test_results_and_gradients_equal_those_of_dynamic_rnn():
    n, m, size, num_classes, layers = 3, 5, 4, 6, 2
    given = problem(n, m, size, num_classes, layers)
    found, expected = (results(CharRNN(num_classes, n, m, size, layers, fused=fused), *given)
                       for fused in (True, False))
    assert max(errors(found, expected).values()) < 5e-6


@slow
def test_error_is_no_larger_than_that_of_dynamic_rnn():
    """Compared with NumPy, at a size where rounding errors add up."""
    given = problem(20, 40, 32, 11, 2)
    exact = reference(*given)

    def error(**options):
        found = results(CharRNN(11, 20, 40, 32, 2, **options), *given)
        return np.sqrt(np.mean([each ** 2 for each in errors(found, exact).values()]))

    ours, theirs = error(fused=True, threads=4), error()
    assert ours < 1e-5
    assert ours <= 1.25 * theirs


@pytest.mark.parametrize("threads", [4, pytest.param(1, marks=slow)])
def test_dropout_and_its_gradient_equal_numpys_with_the_same_masks(monkeypatch, threads):
    monkeypatch.setattr(unroll, "PIECE_ROWS", 7)  # several pieces
    n, m, size, num_classes, layers = 5, 4, 3, 6, 2
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(9)
        masks = session.run(unroll._draw_masks((m, n, size), [0.6] * layers, tf.constant(17)))
    given = problem(n, m, size, num_classes, layers)
    model = CharRNN(num_classes, n, m, size, layers, seed=9, fused=True, threads=threads)
    found = results(model, *given, keep_prob=0.6, extra=model.mask_feed(17))
    assert max(errors(found, reference(*given, masks=masks)).values()) < 5e-6


def test_two_gradients_in_one_run():
    """The tape can be read twice: for the gradients and for the step of the optimizer."""
    weights, x, y, state = problem(3, 4, 5, 6, 2)
    model = CharRNN(6, 3, 4, 5, 2, fused=True)
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([gradients, model.optimizer], {
            model.inputs: x, model.targets: y, model.keep_prob: 1.0, model.initial_state: tuple(state)})


@slow
def test_gradient_of_the_final_state():
    weights, x, y, state = problem(3, 4, 5, 6, 2)
    found = []
    for fused in (False, True):
        model = CharRNN(6, 3, 4, 5, 2, fused=fused, threads=4)
        total = sum(tf.reduce_sum(part * weight) for layer in model.final_state
                    for part, weight in zip(layer, (0.5, 2.0)))
        kernels = [variable for variable in tf.trainable_variables() if "kernel" in variable.name]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            load(session, weights)
            found.append(session.run(tf.gradients(total, kernels), {
                model.inputs: x, model.keep_prob: 1.0, model.initial_state: tuple(state)}))
    for theirs, ours in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
