"""docs/lstm.py, the whole algorithm in one file: it trains and draws as the package does."""

import numpy as np
from conftest import TEXT
from reference import BIAS, KERNEL, lstm

from charrnn.data import Vocabulary, get_batches
from charrnn.model import CharRNN
from charrnn.sample import pick_top_n
from charrnn.system.tensorflow import tf

IDS = Vocabulary.from_text(TEXT).encode(TEXT)


def test_its_windows_are_those_of_the_package():
    for ours, theirs in zip(lstm.get_batches(IDS, 3, 7), get_batches(IDS, 3, 7)):
        np.testing.assert_array_equal(ours, theirs)


def test_its_losses_are_those_of_the_graph():
    """20 steps of two layers without dropout, the state carried, the gradients clipped."""
    n = 3
    m = 7
    num_classes = IDS.max() + 1
    size = 5
    layers = 2
    weights = lstm.initial_weights(num_classes, size, layers, np.random.RandomState(4))
    model = CharRNN(num_classes, n, m, size, layers, learning_rate=0.01, grad_clip=0.3)
    names = [name.format(layer) for layer in range(layers) for name in (KERNEL, BIAS)] + [
        "softmax/Variable",
        "softmax/Variable_1",
    ]
    state = lstm.zero_state(weights, n)
    averages = [[np.zeros_like(value) for value in weights] for _ in range(2)]
    masks = np.ones((layers, m, 1, 1))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for name, value in zip(names, weights):
            variable = next(each for each in tf.trainable_variables() if each.op.name == name)
            variable.load(value.astype(np.float32), session)
        new_state = session.run(model.initial_state)
        for t, (x, y) in zip(range(1, 21), lstm.get_batches(IDS, n, m)):
            probabilities, state, tape = lstm.forward(weights, x, state, masks)
            ours = lstm.mean_loss(probabilities, y)
            lstm.adam(
                weights,
                lstm.backward(weights, probabilities, y, tape, masks)[0],
                averages,
                t,
                0.01,
                0.3,
            )
            feed = {
                model.inputs: x,
                model.targets: y,
                model.keep_prob: 1,
                model.initial_state: new_state,
            }
            loss, new_state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)
            assert abs(loss - ours) < 1e-5, t
    assert t == 20 and ours < np.log(num_classes) - 0.3


def test_it_draws_as_the_notebook_does():
    weights = lstm.initial_weights(14, 5, 2, np.random.RandomState(4))
    ids = lstm.write(weights, [3, 1], 30, np.random.RandomState(2))
    rng = np.random.RandomState(2)
    state = lstm.zero_state(weights, 1)
    drawn = [3, 1]
    for fed in range(31):
        probabilities, state, _ = lstm.forward(
            weights, np.array([drawn[fed : fed + 1]]), state, np.ones((2, 1, 1, 1))
        )
        if fed > 0:
            drawn.append(pick_top_n(probabilities[0], 14, rng=rng))
    assert ids == drawn


def test_it_trains_and_writes(tmp_path, capsys):
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    lstm.main(tmp_path / "text", n=2, m=5, lstm_size=4, epochs=1)
    first, second, *text = capsys.readouterr().out.splitlines()
    assert first.startswith("epoch 1, step 50, loss 2.") and second.startswith(
        "epoch 1, step 100, loss 2."
    )
    assert len("\n".join(text)) == 1 + 200
