"""The network in NumPy, in float64, with its gradients; and the same results from a graph."""
import numpy as np

from charrnn.system.tensorflow import tf

KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"


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
    """Return the predictions, the loss, the final state, and the gradients for the weights and the initial state."""
    variables = tf.trainable_variables()
    parts = [part for layer in model.initial_state for part in layer]
    gradients = tf.gradients(model.loss, variables + parts)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load(session, weights)
        prediction, loss, final, found = session.run(
            [model.prediction, model.loss, model.final_state, gradients],
            {model.inputs: x, model.targets: y, model.keep_prob: keep_prob,
             model.initial_state: tuple(state), **(extra or {})})
    names = [variable.op.name for variable in variables] + [f"initial {k}" for k in range(len(parts))]
    return dict(zip(names, found), prediction=prediction, loss=loss, **{
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
    tape, predictions, loss, d_tops = [], [], 0.0, []
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
        predictions.append(np.exp(log_p))
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
    return dict(grads, prediction=np.stack(predictions, 1).reshape(-1, num_classes), loss=loss)  # [N·M, C]


def errors(found, expected):
    """Return the largest difference of each result, divided by the largest number of the expected one."""
    assert sorted(found) == sorted(expected)
    for name in found:
        assert np.shape(found[name]) == np.shape(expected[name]), name
    return {name: np.abs(found[name] - expected[name]).max() / max(np.abs(expected[name]).max(), 1e-3)
            for name in found}
