"""The network in NumPy, in float64, with its gradients; and the same results from a graph."""

import importlib.util

import numpy as np
from conftest import ROOT

from charrnn.system.tensorflow import tf

spec = importlib.util.spec_from_file_location("lstm", str(ROOT / "docs" / "lstm.py"))
lstm = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lstm)

KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"


def problem(n, m, size, num_classes, layers):
    """Draw weights by name, x, y and a state that is not zero."""
    random = np.random.RandomState(0)
    weights = {
        "softmax/Variable": random.randn(size, num_classes),
        "softmax/Variable_1": random.randn(num_classes),
    }
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
            {
                model.inputs: x,
                model.targets: y,
                model.keep_prob: keep_prob,
                model.initial_state: tuple(state),
                **(extra or {}),
            },
        )
    names = [variable.op.name for variable in variables] + [
        f"initial {k}" for k in range(len(parts))
    ]
    return dict(
        zip(names, found),
        prediction=prediction,
        loss=loss,
        **{f"final {k}": part for k, part in enumerate(part for layer in final for part in layer)},
    )


def reference(weights, x, y, state, masks=None):
    """Compute the same as ``results`` in float64. masks: for each layer [M, N, L], 1 / keep_prob or 0."""
    layers = len(state)
    names = [name.format(layer) for layer in range(layers) for name in (KERNEL, BIAS)] + [
        "softmax/Variable",
        "softmax/Variable_1",
    ]
    values = [weights[name].astype(np.float64) for name in names]
    masks = np.ones((layers, x.shape[1], 1, 1)) if masks is None else masks
    state = [tuple(part.astype(np.float64) for part in layer) for layer in state]
    probabilities, final, tape = lstm.forward(values, x, state, masks)
    gradients, initial = lstm.backward(values, probabilities, y, tape, masks)
    found = dict(
        zip(names, gradients),
        loss=lstm.mean_loss(probabilities, y),
        prediction=probabilities.swapaxes(0, 1).reshape(x.size, -1),
    )  # [N·M, C]
    for name, ends in [("final", final), ("initial", initial)]:
        found.update(
            {f"{name} {k}": part for k, part in enumerate(part for layer in ends for part in layer)}
        )
    return found


def errors(found, expected):
    """Return the largest difference of each result, divided by the largest number of the expected one."""
    assert sorted(found) == sorted(expected)
    for name in found:
        assert np.shape(found[name]) == np.shape(expected[name]), name
    return {
        name: np.abs(found[name] - expected[name]).max() / max(np.abs(expected[name]).max(), 1e-3)
        for name in found
    }
