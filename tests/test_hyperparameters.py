"""What a run is made with: ranges, contradictions, presets, schedules, and whether a run can be done."""
import math

import pytest
import tensorflow.compat.v1 as tf

from charrnn.model import CharRNN
from charrnn.training.hyperparameters import (
    CELLS,
    IMMUTABLE,
    OPTIMIZERS,
    PRESETS,
    SCHEDULES,
    Hyperparameters,
    check_memory,
    check_text,
    count_parameters,
    learning_rate_at,
)


def test_the_recipe_is_the_default():
    """The notebook's values, and whatever the notebook does not have is off."""
    assert Hyperparameters() == (
        100, 100, 512, 2, 0.001, 0.5, 5, 20, 50, 200, None, True,
        "lstm", "adam", 1, "constant", 0, 0.95, 0, 0, 0, 0, 100)
    Hyperparameters().check()
    assert Hyperparameters().unrolls_fused


@pytest.mark.parametrize("name, wrong, right", [
    *((name, (0, -1, 2.0, 2.5, "5", None, True), (1, 7, 10 ** 6))
      for name in ("batch_size", "num_steps", "lstm_size", "num_layers", "epochs", "print_every_n", "save_every_n",
                   "max_to_keep")),
    ("warmup_steps", (-1, 0.5, None, False), (0, 1, 9)),
    ("eval_every_n", (-1, 0.5, None, True), (0, 1, 9)),
    ("early_stop", (-1, 0.5, None, True), (0, 1, 9)),
    ("learning_rate", (0, -1, math.inf, math.nan, "1", None, True), (1, 1e-9, 5.5)),
    ("grad_clip", (0, -1, math.inf, math.nan, "1", None, True), (1, 1e-9, 5.5)),
    ("keep_prob", (0, -0.1, 1.01, math.nan, None, True), (1e-9, 0.5, 1, 1.0)),
    ("input_keep_prob", (0, -0.1, 1.01, math.nan, None, True), (1e-9, 0.5, 1, 1.0)),
    ("decay", (0, -0.1, 1.01, math.nan, None, True), (1e-9, 0.5, 1, 1.0)),
    ("average_decay", (-0.1, 1, 1.5, math.nan, None, False), (0, 0.5, 0.9999)),
    ("val_fraction", (-0.1, 1, 1.5, math.nan, None), (0, 0.5, 0.9999)),
    ("seed", (-1, 2 ** 31, 1.5, "7"), (None, 0, 2 ** 31 - 1)),
    ("fused", (None, "yes", 2), (True, False)),
    ("cell", ("LSTM", "", None, 1), CELLS),
    ("optimizer", ("Adam", "sgd", None), OPTIMIZERS),
    ("schedule", ("step", None), SCHEDULES)], ids=lambda value: value if isinstance(value, str) else "")
def test_ranges(name, wrong, right):
    # what needs a text to evaluate on is given one
    beside = {} if name == "val_fraction" else {"val_fraction": 0.1}
    for value in wrong:
        with pytest.raises(ValueError, match="^{} must be .*, not ".format(name)) as error:
            Hyperparameters(**{name: value}, **beside).check()
        assert repr(value) in str(error.value)
    for value in right:
        Hyperparameters(**{name: value}, **beside).check()


def test_all_ranges_are_tested():
    tested = [case[0] for case in test_ranges.pytestmark[0].args[1]]
    assert sorted(tested) == sorted(Hyperparameters._fields)


@pytest.mark.parametrize("name", ["eval_every_n", "early_stop"])
def test_evaluation_needs_a_text_held_out(name):
    with pytest.raises(ValueError, match="{} needs a text to evaluate on.*val_fraction".format(name)):
        Hyperparameters(**{name: 3}).check()
    Hyperparameters(**{name: 3}, val_fraction=0.1).check()


def test_who_unrolls_fused():
    assert [Hyperparameters(**change).unrolls_fused for change in (
        {"fused": False}, {"cell": "gru"}, {"input_keep_prob": 0.9}, {"optimizer": "rmsprop"},
        {"average_decay": 0.9})] == [False, False, False, True, True]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_can_be_trained(name):
    hyper = Hyperparameters(**PRESETS[name])
    hyper.check()
    check_text(10 ** 6, 65, hyper.batch_size, hyper.num_steps)
    check_memory(65, hyper, 4 * 10 ** 9)


def test_the_presets_of_the_notebooks():
    assert Hyperparameters(**PRESETS["notebook"]) == Hyperparameters()
    assert PRESETS["exercise"] == {"batch_size": 10, "num_steps": 50, "lstm_size": 128, "learning_rate": 0.01}


def test_what_a_resumed_run_may_not_change_is_among_the_names():
    assert set(IMMUTABLE) <= set(Hyperparameters._fields)


def rates(n_steps, **options):
    """The rates of the first steps, of epochs of 4 steps each."""
    hyper = Hyperparameters(learning_rate=0.8, epochs=3, **options)
    return [learning_rate_at(hyper, step, 4) for step in range(n_steps)]


# learning rate 0.8, 3 epochs of 4 steps; of the falling ones 12 steps, or 10 after a warm-up of 2
@pytest.mark.parametrize("options, expected", [
    (dict(schedule="constant"), 13 * [0.8]),
    (dict(schedule="constant", warmup_steps=5), [0.16, 0.32, 0.48, 0.64, 0.8] + 8 * [0.8]),
    (dict(schedule="exponential", decay=0.5), 4 * [0.8] + 4 * [0.4] + 4 * [0.2] + [0.1]),
    # the epochs count from the beginning, whatever the warm-up
    (dict(schedule="exponential", decay=0.5, warmup_steps=2), [0.4, 0.8, 0.8, 0.8] + 4 * [0.4] + 4 * [0.2] + [0.1]),
    (dict(schedule="exponential", decay=1.0), 13 * [0.8]),
    (dict(schedule="linear"), [0.8 * left / 12 for left in range(12, 0, -1)] + [0]),
    (dict(schedule="linear", warmup_steps=2),
     [0.4, 0.8, 0.8, 0.72, 0.64, 0.56, 0.48, 0.4, 0.32, 0.24, 0.16, 0.08, 0]),
    # cosines of 0, 30, 60, 90, 120, 150 and 180 degrees at every second step
    (dict(schedule="cosine"), [0.8, None, 0.7464102, None, 0.6, None, 0.4, None, 0.2, None, 0.0535898, None, 0]),
    # of 0, 36, 72, 90, 108, 144 and 180 degrees
    (dict(schedule="cosine", warmup_steps=2),
     [0.4, 0.8, 0.8, None, 0.7236068, None, 0.5236068, 0.4, 0.2763932, None, 0.0763932, None, 0]),
    # a warm-up that is longer than the run
    (dict(schedule="linear", warmup_steps=16), [0.05 * step for step in range(1, 14)]),
    (dict(schedule="cosine", warmup_steps=12), [0.8 * step / 12 for step in range(1, 13)] + [0.8]),
])
def test_schedules(options, expected):
    for step, (found, wanted) in enumerate(zip(rates(13, **options), expected)):
        assert wanted is None or found == pytest.approx(wanted, abs=1e-7), step


def test_all_schedules_are_tested():
    assert {case[0]["schedule"] for case in test_schedules.pytestmark[0].args[1]} == set(SCHEDULES)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_rate_that_falls_never_rises_again(schedule):
    """Not even after the last epoch, where a run with fewer of them is resumed."""
    found = rates(40, schedule=schedule, warmup_steps=3)
    assert all(before >= after >= 0 for before, after in zip(found[3:], found[4:])) and found[-1] == 0


def test_what_a_text_must_have():
    check_text(300, 2, 10, 30)
    with pytest.raises(ValueError, match="batch_size at most 9 with num_steps 30, or num_steps at most 29"):
        check_text(299, 2, 10, 30)
    with pytest.raises(ValueError, match="fits: num_steps at most 2 with batch_size 10$"):
        check_text(20, 2, 10, 30)
    with pytest.raises(ValueError, match="fits: batch_size 1 with num_steps at most 9$"):
        check_text(9, 2, 10, 30)
    with pytest.raises(ValueError, match="one distinct character"):
        check_text(300, 1, 10, 30)


def test_parameters_and_memory():
    CharRNN(7, lstm_size=5, num_layers=3)
    assert count_parameters(7, 5, 3) == sum(
        variable.shape.num_elements() for variable in tf.trainable_variables())
    least = 4 * (4 * 3362387 + 6 * 100 * 100 * 512 * 2)
    check_memory(83, Hyperparameters(), least)
    with pytest.raises(ValueError, match="at least 299 MB"):
        check_memory(83, Hyperparameters(), least - 1)


@pytest.mark.parametrize("cell", CELLS)
def test_no_cell_needs_less_than_it_is_refused_for(cell):
    """What is refused cannot be done: the least is at most what the cell's own variables take, four times over."""
    sizes = dict(batch_size=1, num_steps=1, lstm_size=6, num_layers=2)
    CharRNN(5, 1, 1, 6, 2, cell=cell)
    parameters = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
    available = 4 * (4 * parameters + 6 * 1 * 1 * 6 * 2)
    check_memory(5, Hyperparameters(cell=cell, **sizes), available)
