"""The network in NumPy, in float64, with its gradients; and the same results from a graph."""

import importlib.util

import numpy as np
from conftest import ROOT

spec = importlib.util.spec_from_file_location("lstm", str(ROOT / "docs" / "lstm.py"))
lstm = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lstm)

KERNEL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
BIAS = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias"


def variable_names(num_layers):
    """Return the names of the variables, in the order of the weights of docs/lstm.py."""
    names = []
    for layer in range(num_layers):
        names += [KERNEL.format(layer), BIAS.format(layer)]
    return [*names, "softmax/Variable", "softmax/Variable_1"]


def problem(num_classes, batch_size, num_steps, lstm_size, num_layers):
    """Draw weights by name, x, y and a state that is not zero."""
    random = np.random.RandomState(0)
    weights = {
        "softmax/Variable": random.randn(lstm_size, num_classes),
        "softmax/Variable_1": random.randn(num_classes),
    }
    below = num_classes
    for layer in range(num_layers):
        kernel = random.randn(below + lstm_size, 4 * lstm_size) / np.sqrt(below + lstm_size)
        weights[KERNEL.format(layer)] = kernel
        weights[BIAS.format(layer)] = random.randn(4 * lstm_size)
        below = lstm_size
    weights = {name: value.astype(np.float32) for name, value in weights.items()}

    x, y = random.randint(0, num_classes, (2, batch_size, num_steps))
    state = []
    for _ in range(num_layers):
        c, h = random.randn(2, batch_size, lstm_size).astype(np.float32)
        state.append((c, h))
    return weights, x, y, state


def load(session, weights):
    from charrnn.system.tensorflow import tf

    for variable in tf.trainable_variables():
        variable.load(weights[variable.op.name], session)


def results(model, weights, x, y, state, keep_prob=1.0, extra=None):
    """Return the predictions, the loss, the final state, and the gradients for the weights and the initial state.

    Args:
        extra: what else is fed.
    """
    from charrnn.system.tensorflow import tf

    variables = tf.trainable_variables()
    initial_parts = tf.nest.flatten(model.initial_state)
    feed = {
        model.inputs: x,
        model.targets: y,
        model.keep_prob: keep_prob,
        model.initial_state: tuple(state),
        **(extra or {}),
    }
    fetched = {
        "prediction": model.prediction,
        "loss": model.loss,
        "final": tf.nest.flatten(model.final_state),
        "gradients": tf.gradients(model.loss, variables + initial_parts),
    }

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load(session, weights)
        values = session.run(fetched, feed)

    names = [variable.op.name for variable in variables]
    return {
        "prediction": values["prediction"],
        "loss": values["loss"],
        **numbered("final", values["final"]),
        **dict(zip(names, values["gradients"])),
        **numbered("initial", values["gradients"][len(names) :]),
    }


def reference(weights, x, y, state, masks=None):
    """Compute the same as ``results`` in float64. masks: for each layer [M, N, L], 1 / keep_prob or 0."""
    from charrnn.system.tensorflow import tf

    names = variable_names(len(state))
    values = [weights[name].astype(np.float64) for name in names]
    state = [(c.astype(np.float64), h.astype(np.float64)) for c, h in state]
    probabilities, final, tape = lstm.forward(values, x, state, masks)
    gradients, initial = lstm.backward(values, probabilities, y=y, tape=tape, masks=masks)
    return {
        "prediction": probabilities.swapaxes(0, 1).reshape(x.size, -1),  # [N·M, C]
        "loss": lstm.mean_loss(probabilities, y),
        **dict(zip(names, gradients)),
        **numbered("final", tf.nest.flatten(final)),
        **numbered("initial", tf.nest.flatten(initial)),
    }


def numbered(name, parts):
    """Return the parts of a state by the name of the state and their number."""
    return {f"{name} {number}": part for number, part in enumerate(parts)}


def largest_error(actual, expected):
    """Return the largest difference of any result, each divided by the largest number of the expected result."""
    assert sorted(actual) == sorted(expected)
    largest = 0.0
    for name, values in expected.items():
        assert np.shape(actual[name]) == np.shape(values), name
        error = np.abs(actual[name] - values).max() / max(np.abs(values).max(), 1e-3)
        largest = max(largest, error)
    return largest
