"""The softmax and its loss by slices, compared with the notebook's; and training with many characters."""

import numpy as np
import pytest
from conftest import training_graph

from charrnn.fused import softmax
from charrnn.model import build_loss, build_output
from charrnn.system.tensorflow import tf

N = 3
M = 5
L = 4
C = 7
SIZES = dict(num_classes=C, batch_size=N, num_steps=M, lstm_size=L, num_layers=2)


@pytest.fixture
def slices(monkeypatch):
    """Slices of 4 rows, so that a window of 15 has 4 of them, the last of 3 rows."""
    monkeypatch.setattr(softmax, "SLICE_LOGITS", 4 * C + 3)


@pytest.mark.parametrize("threads", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_loss_and_gradients_equal_the_notebooks(slices, threads):
    random = np.random.RandomState(0)
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        outputs = tf.constant(random.randn(N, M, L).astype(np.float32))
        targets = tf.constant(random.randint(0, C, (N, M)), tf.int32)
        _, logits = build_output(outputs, L, C)
        weights, bias = tf.trainable_variables()

        theirs = build_loss(logits, targets, lstm_size=L, num_classes=C)
        ours = softmax.mean_surprisal(
            tf.reshape(outputs, [-1, L]), weights, bias, tf.reshape(targets, [-1]), threads=threads
        )
        tensors = []
        for loss in (ours, theirs):
            tensors.append([loss, *tf.gradients(0.3 * loss, [outputs, weights, bias])])

        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            actual, expected = session.run(tensors)

    for value, right in zip(actual, expected):
        assert value.shape == right.shape
        np.testing.assert_allclose(value, right, rtol=1e-5, atol=1e-7)


def trained(fused):
    """Train for three steps on windows that lack some characters. Return the losses, the norms and all variables."""
    model = training_graph(**SIZES, learning_rate=0.1, grad_clip=0.05, fused=fused, threads=2)
    random = np.random.RandomState(2)
    losses = []
    norms = []

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            variable.load(random.uniform(-1, 1, variable.shape.as_list()), session)

        for chars in (range(C), [5, 2], [2, 6, 0]):
            x, y = random.choice(chars, (2, N, M))
            feed = {model.inputs: x, model.targets: y, model.keep_prob: 1.0}
            loss, norm, _ = session.run([model.loss, model.gradient_norm, model.optimizer], feed)
            losses.append(loss)
            norms.append(norm)
        return [losses, norms, *session.run(tf.global_variables())]


def test_training_equals_the_notebooks(slices):
    """Adam is dense: it also moves the rows of characters that are not in a window."""
    actual = trained(fused=True)
    expected = trained(fused=False)
    assert len(actual) == len(expected)
    for value, right in zip(actual, expected):
        np.testing.assert_allclose(value, right, atol=1e-5)
