"""docs/lstm.py, the whole algorithm in one file: it trains and draws as the package does."""

import copy
import re

import numpy as np
import pytest
from conftest import TEXT
from reference import load, lstm, variable_names

from charrnn.data import Vocabulary, get_batches
from charrnn.sample import pick_top_n

IDS = Vocabulary.from_text(TEXT).encode(TEXT)
NUM_CLASSES = IDS.max() + 1


def test_its_windows_are_those_of_the_package():
    ours = list(lstm.get_batches(IDS, 3, 7))
    np.testing.assert_array_equal(ours, list(get_batches(IDS, 3, 7)))


def test_its_losses_are_those_of_the_graph():
    """20 steps of two layers without dropout, the state carried, the gradients clipped."""
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf

    n = 3
    m = 7
    layers = 2
    rate = 0.01
    clip = 0.3
    weights = lstm.initial_weights(NUM_CLASSES, 5, layers, np.random.RandomState(4))
    state = lstm.zero_state(weights, n)
    zeros = [np.zeros_like(value) for value in weights]
    averages = [zeros, copy.deepcopy(zeros)]
    model = CharRNN(
        NUM_CLASSES,
        batch_size=n,
        num_steps=m,
        lstm_size=5,
        num_layers=layers,
        learning_rate=rate,
        grad_clip=clip,
    )
    windows = list(lstm.get_batches(IDS, n, m))

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load(session, dict(zip(variable_names(layers), weights)))
        new_state = session.run(model.initial_state)
        for step in range(20):
            x, y = windows[step]
            probabilities, state, tape = lstm.forward(weights, x, state)
            expected = lstm.mean_loss(probabilities, y)
            gradients, _ = lstm.backward(weights, probabilities, y=y, tape=tape)
            lstm.adam(weights, gradients, averages, t=step + 1, learning_rate=rate, grad_clip=clip)

            feed = {
                model.inputs: x,
                model.targets: y,
                model.keep_prob: 1,
                model.initial_state: new_state,
            }
            loss, new_state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)
            assert abs(loss - expected) < 1e-5, step
    assert expected < np.log(NUM_CLASSES) - 0.3


def test_it_draws_as_the_notebook_does():
    weights = lstm.initial_weights(14, 5, 2, np.random.RandomState(4))
    ids = lstm.write(weights, [3, 1], 30, np.random.RandomState(2))

    rng = np.random.RandomState(2)
    state = lstm.zero_state(weights, 1)
    expected = [3, 1]
    for position in range(31):
        x = np.array([[expected[position]]])
        probabilities, state, _ = lstm.forward(weights, x, state)
        # the first prediction is of the second character of the prime
        if position > 0:
            expected.append(pick_top_n(probabilities[0], 14, rng=rng))
    assert ids == expected


def test_it_trains_and_writes(tmp_path, capsys):
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    lstm.main(tmp_path / "text", n=2, m=5, lstm_size=4, epochs=1)
    first, second, mean, *text = capsys.readouterr().out.splitlines()
    assert first.startswith("epoch 1, step 50, loss 2.")
    assert second.startswith("epoch 1, step 100, loss 2.")
    assert mean.startswith("epoch 1, mean loss 2.")
    assert len("\n".join(text)) == 1 + 200


def test_it_says_what_pairs_of_characters_reach():
    """In aabab, a is followed by a once and by b twice, and b by a."""
    expected = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 4
    assert lstm.loss_of_pairs(np.array([0, 0, 1, 0, 1]), 2) == pytest.approx(expected)


def test_a_text_that_fills_no_window_is_too_short(tmp_path):
    (tmp_path / "text").write_text("abc" * 266, encoding="utf-8")
    with pytest.raises(SystemExit, match="has 798 characters: at least 800 are needed"):
        lstm.main(tmp_path / "text")


def test_a_text_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SystemExit, match="txet cannot be read: No such file or directory"):
        lstm.main(tmp_path / "txet")


def differences(said):
    return [float(number) for number in re.findall(r"difference (\S+)", said)]


def test_its_check_finds_all_gradients_right(capsys):
    lstm.check()
    largest = differences(capsys.readouterr().out)
    assert len(largest) == 6
    assert max(largest) < 1e-8


def test_its_check_finds_a_gradient_that_is_wrong(capsys, monkeypatch):
    step_back = lstm.step_back

    def without_the_way_along_c(*args):
        d_x, d_c, d_h, d_kernel, d_bias = step_back(*args)
        return d_x, 0 * d_c, d_h, d_kernel, d_bias

    monkeypatch.setattr(lstm, "step_back", without_the_way_along_c)
    lstm.check()
    assert max(differences(capsys.readouterr().out)) > 1e-4
