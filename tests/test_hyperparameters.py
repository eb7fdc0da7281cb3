"""Hyperparameters: ranges, contradictions, flags, presets and schedules."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from conftest import TEXT, StopAfter, training_graph

from charrnn.data import count_windows
from charrnn.hyperparameters import CELLS, Hyperparameters, learning_rate_at
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training.job import plan_job
from charrnn.training.presets import preset

slow = pytest.mark.slow


def test_the_recipe_is_the_default():
    """The notebook's values, and whatever the notebook does not have is off."""
    of_notebook = dict(
        batch_size=100,
        num_steps=100,
        lstm_size=512,
        num_layers=2,
        learning_rate=0.001,
        keep_prob=0.5,
        grad_clip=5,
        epochs=20,
        print_every_n=50,
        save_every_n=200,
    )
    off = dict(
        precision="float32",
        cell="lstm",
        optimizer="adam",
        input_keep_prob=1,
        recurrent_keep_prob=1,
        schedule="constant",
        warmup_steps=0,
        average_decay=0,
        weight_decay=0,
        val_fraction=0,
        test_fraction=0,
        early_stop=0,
    )
    # drawn, chosen from others, or without an effect where the others are off
    others = dict(
        seed=None,
        threads=None,
        fused=True,
        shuffle="none",
        decay=0.95,
        eval_every_n=0,
        max_to_keep=100,
        sample_length=200,
        summaries=True,
    )
    hyper = Hyperparameters()
    assert asdict(hyper) == {**of_notebook, **off, **others}
    assert hyper.unrolls_fused
    hyper.check()


RIGHT = {
    "epochs": [1, 10**6],
    "early_stop": [0, 9],
    "learning_rate": [1, 1e-9, 5.5],
    "grad_clip": [1e-4, 5, 1e30],
    "decay": [0.01, 1],
    "average_decay": [0, 0.99999],
    "warmup_steps": [0, 10**6],
    "weight_decay": [0, 0.1, 10],
    "keep_prob": [0.01, 0.5, 1],
    "val_fraction": [0, 0.99999],
    "num_layers": [1, 32],
    "seed": [None, 0, 2**31 - 1],
    "fused": [True, False],
    "cell": CELLS,
}
WRONG = {
    "epochs": [0, 2.0, "5", None, True, 2**63],
    "early_stop": [-1, 0.5, None, False],
    "learning_rate": [0, 1e-10, math.inf, math.nan, "1", None, True, 10**400],
    "grad_clip": [0, 9e-5, 1e38, 3e38, math.inf],
    "decay": [0, 1e-300, 1.01],
    "average_decay": [-0.1, 1, 1 - 1e-9],
    "warmup_steps": [-1, 10**6 + 1],
    "weight_decay": [-0.1, 10.1, math.nan, None, True],
    "keep_prob": [0, -0.1, 1e-45, 1.01, math.nan, None, True],
    "val_fraction": [-0.1, 1, math.nan, None, False],
    "num_layers": [0, 33, 100_000, 2.0],
    "seed": [-1, 2**31, 1.5, "7", True],
    "fused": [None, "yes", 2],
    "cell": ["LSTM", "", None, 1],
}


def check_value(name, value):
    others = {}
    # some values are allowed only with a held-out text
    if name != "val_fraction":
        others["val_fraction"] = 0.1
    hyper = Hyperparameters(**{name: value}, **others)
    hyper.check()


@pytest.mark.parametrize("name", RIGHT)
def test_values_in_range_are_allowed(name):
    for value in RIGHT[name]:
        check_value(name, value)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_refused_by_name(name):
    for value in WRONG[name]:
        with pytest.raises(ValueError, match=f"^{name} must be .*, not ") as error:
            check_value(name, value)
        assert repr(value) in str(error.value)


@pytest.mark.parametrize("fused", [True, pytest.param(False, marks=slow)])
@pytest.mark.parametrize(
    "at_bounds, rate, keep_prob",
    [({"grad_clip": 1e-4, "average_decay": 0.99999}, 0.5, 0.01), ({"grad_clip": 1e30}, 1e-9, 1)],
)
def test_at_the_bounds_training_changes_weights(at_bounds, rate, keep_prob, fused):
    """And averages of them, whose difference to the first weights is small."""
    from charrnn.system.tensorflow import tf

    model = training_graph(
        num_classes=5,
        batch_size=3,
        num_steps=4,
        lstm_size=40,
        num_layers=1,
        fused=fused,
        seed=7,
        **at_bounds,
    )
    random = np.random.RandomState(1)
    x, y = random.randint(0, 5, (2, 3, 4))
    feed = {
        model.inputs: x,
        model.targets: y,
        model.keep_prob: keep_prob,
        "Adam/learning_rate:0": rate,
    }
    trained = tf.trainable_variables()
    for variable in tf.global_variables():
        if variable.op.name.endswith("ExponentialMovingAverage"):
            trained.append(variable)

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(trained)
        for _ in range(5):
            loss, _ = session.run([model.loss, model.optimizer], feed)
        after = session.run(trained)

    assert np.isfinite(loss)
    for old, new in zip(before, after):
        assert (old != new).any()


@pytest.mark.parametrize(
    "name, n_characters, n_steps, loss",
    [
        ("exercise", 20_000, 9, 2.3153),
        ("quick", 200_000, 9, 2.6002),
        ("auto", 10_000, 9, 2.6032),
        pytest.param("auto", 100_000, 9, 2.6172, marks=slow),
        pytest.param("auto", 300_000, 9, 2.6023, marks=slow),
        pytest.param("best", 300_000, 4, 2.6284, marks=slow),
    ],
)
def test_a_preset_trains_as_was_measured(tmp_path, monkeypatch, name, n_characters, n_steps, loss):
    """At its sizes. With another rate, warm-up, size or dropout the loss after some steps is another one."""
    monkeypatch.setattr("charrnn.train.StopRequests", lambda: StopAfter(n_steps))
    text = TEXT * (n_characters // len(TEXT) + 1)
    run = train_model(
        text[:n_characters],
        tmp_path / "run",
        preset=name,
        init_from="none",
        seed=1,
        quiet=True,
        summaries=False,
        sample_length=0,
    )
    assert len(run.losses) == n_steps
    assert run.losses[-1] == pytest.approx(loss, abs=0.002)


def steps_of(hyper, n_characters):
    """Return the steps that a run makes of a text of some length."""
    n_training = n_characters - int(n_characters * hyper.val_fraction)
    return hyper.epochs * count_windows(n_training, hyper.batch_size, hyper.num_steps)


@pytest.mark.parametrize("n_characters", [10_000, 20_000, 200_000, 2_000_000, 6_000_000])
def test_the_preset_auto_gives_enough_steps_to_a_text_of_any_length(n_characters):
    hyper = Hyperparameters(**preset("auto", n_characters))
    hyper.check()

    n_steps = steps_of(hyper, n_characters)
    assert 1000 < n_steps < 17000
    assert hyper.warmup_steps < n_steps / 8
    assert hyper.save_every_n < n_steps / hyper.early_stop


# what a text of a hundredth more characters may change: 128 units become 136, or 14 epochs 13
LARGEST_CHANGE = 1.08


@pytest.fixture(scope="module")
def walk():
    """The hyperparameters and the steps of auto, from 1,000 to 10 million characters in steps of a hundredth."""
    lengths = [round(1_000 * 1.01**number) for number in range(927)]
    assert lengths[-1] > 10_000_000
    hypers = [Hyperparameters(**preset("auto", length)) for length in lengths]
    return hypers, [steps_of(hyper, length) for hyper, length in zip(hypers, lengths)]


def changes(values):
    """Return by which factor each value is larger or smaller than the one before."""
    return [max(pair) / min(pair) for pair in zip(values, values[1:])]


@pytest.mark.parametrize("name", ["lstm_size", "learning_rate", "keep_prob", "recurrent_keep_prob"])
def test_no_value_of_auto_jumps(walk, name):
    hypers, _ = walk
    assert max(changes([getattr(hyper, name) for hyper in hypers])) < LARGEST_CHANGE


def test_the_updates_of_auto_do_not_jump(walk):
    _, steps = walk
    assert max(changes(steps)) < LARGEST_CHANGE


def test_the_characters_that_auto_trains_on_do_not_jump(walk):
    """And so neither does its time."""
    hypers, steps = walk
    trained = [step * hyper.batch_size * hyper.num_steps for hyper, step in zip(hypers, steps)]
    assert max(changes(trained)) < LARGEST_CHANGE


@pytest.mark.parametrize("n_characters", [445, 10**9, 10**12])
def test_the_preset_auto_holds_for_the_shortest_and_for_the_longest_texts(n_characters):
    hyper = Hyperparameters(**preset("auto", n_characters))
    hyper.check()
    assert steps_of(hyper, n_characters) > 0


def test_a_short_text_is_evaluated_often_enough_to_stop_early():
    job = plan_with_auto((TEXT * 2)[:1000])
    assert len(job.held_out) > 0
    assert job.hyperparameters.early_stop > 0
    evaluations = math.ceil(job.total_steps / job.hyperparameters.save_every_n)
    assert evaluations > job.hyperparameters.early_stop


def plan_with_auto(text=TEXT, **hyperparameters):
    """Return the job of a run with the preset auto, in which some hyperparameters are others."""
    return plan_job(Text("a text", text), hyperparameters, "run", preset="auto", init_from="none")


# networks that cannot have dropout on recurrent weights
NOT_FUSED = [dict(cell="gru"), dict(fused=False), dict(input_keep_prob=0.9)]


@pytest.mark.parametrize("others, keep_prob", [({}, 0.5), (dict(keep_prob=0.8), 0.8)])
@pytest.mark.parametrize("network", NOT_FUSED)
def test_the_preset_auto_gives_them_more_dropout_on_outputs_in_its_place(
    network, others, keep_prob
):
    """Unless another is given."""
    hyper = plan_with_auto(**network, **others).hyperparameters
    assert hyper.recurrent_keep_prob == 1
    assert hyper.keep_prob == keep_prob


@pytest.mark.parametrize("network", NOT_FUSED)
def test_dropout_on_their_recurrent_weights_is_refused(network):
    with pytest.raises(ValueError, match="recurrent_keep_prob needs the fused unroll"):
        plan_with_auto(**network, recurrent_keep_prob=0.8)


@pytest.mark.parametrize(
    "preset_name, values, told",
    [
        ("best", dict(cell="gru"), "the preset best sets recurrent_keep_prob 0.6"),
        ("quick", dict(test_fraction=0.95), "the preset quick sets val_fraction 0.1"),
    ],
)
def test_a_contradiction_with_a_preset_names_what_the_preset_sets_and_no_more(
    preset_name, values, told
):
    with pytest.raises(ValueError, match=f"; {told}$"):
        plan_job(Text("a text", TEXT), values, "run", preset=preset_name)


def rates(**options):
    """Return the rates of 3 epochs of 4 steps each, and of the step after them, from 0.8 on."""
    hyper = Hyperparameters(learning_rate=0.8, epochs=3, **options)
    return [learning_rate_at(hyper, step, 4) for step in range(13)]


# of the falling ones 12 steps, or 10 after a warm-up of 2
CONSTANT = [0.16, 0.32, 0.48, 0.64, 0.8] + 8 * [0.8]
# the epochs count from the beginning, whatever the warm-up
EXPONENTIAL = [0.4, 0.8, 0.8, 0.8] + 4 * [0.4] + 4 * [0.2] + [0.1]
LINEAR = [0.8 * left / 12 for left in range(12, -1, -1)]
LINEAR_WARM = [0.4, 0.8, 0.8, 0.72, 0.64, 0.56, 0.48, 0.4, 0.32, 0.24, 0.16, 0.08, 0]
# by step, at cosines of 0, 36, 72, 90, 108, 144 and 180 degrees
COSINE = {
    0: 0.4,
    1: 0.8,
    2: 0.8,
    4: 0.7236068,
    6: 0.5236068,
    7: 0.4,
    8: 0.2763932,
    10: 0.0763932,
    12: 0,
}
# a warm-up that is longer than the run
WARM_UP = [0.05 * step for step in range(1, 14)]


@pytest.mark.parametrize(
    "options, expected",
    [
        (dict(schedule="constant", warmup_steps=5), CONSTANT),
        (dict(schedule="exponential", decay=0.5, warmup_steps=2), EXPONENTIAL),
        (dict(schedule="linear"), LINEAR),
        (dict(schedule="linear", warmup_steps=2), LINEAR_WARM),
        (dict(schedule="linear", warmup_steps=16), WARM_UP),
    ],
)
def test_schedules(options, expected):
    assert rates(**options) == pytest.approx(expected, abs=1e-7)


def test_the_schedule_cosine():
    actual = rates(schedule="cosine", warmup_steps=2)
    for step, expected in COSINE.items():
        assert actual[step] == pytest.approx(expected, abs=1e-7), step


def test_without_a_validation_text_a_preset_sets_nothing_for_it():
    """The preset itself stays as it is."""
    text = Text("a text", "abcdefgh\n" * 9_000)
    hyper = plan_job(text, dict(val_fraction=0), "run", preset="best").hyperparameters
    assert (hyper.early_stop, hyper.eval_every_n) == (0, 0)
    assert plan_job(text, {}, "run", preset="best").hyperparameters.early_stop > 0


def test_the_plan_knows_of_how_many_files_its_text_is():
    text = Text("mixed", "abcdefgh\n" * 9_000, n_files=3)
    assert plan_job(text, {}, "run").n_files == 3
