"""Wrong and right answers to the exercises: each wrong one is explained, each right one is accepted."""

import numpy as np
import pytest
from answers import (
    CLIPPED,
    EXERCISES,
    LOGITS,
    MEAN,
    SOFTMAX,
    Tried,
    answer,
    mean_loss,
    tried,
    verdict,
)
from checks import build_loss, build_optimizer, build_output
from conftest import TENSORFLOW_1

WRONG = {}
RIGHT = {}
for exercise in EXERCISES:
    WRONG[exercise], RIGHT[exercise] = tried(exercise)


def mistakes(table, old, new):
    """Return the mistakes that a check compares an answer with as wrong answers themselves."""
    answers = []
    for message, sources in table.items():
        answers += [Tried(old, new.format(source), [message]) for source in sources]
    return answers


WRONG["build_loss"] += mistakes(build_loss.MISTAKES, MEAN, "loss = {}")
WRONG["build_optimizer"] += mistakes(
    build_optimizer.MISTAKES,
    CLIPPED,
    "gradients = tf.gradients(loss, variables)\n    gradients = {}",
)
WRONG["build_output"] += mistakes(build_output.WRONG_LOGITS, LOGITS, "logits = {}")
WRONG["build_output"] += mistakes(
    build_output.WRONG_PREDICTIONS, SOFTMAX, "predictions = tf.identity({}, name='predictions')"
)

# The first of each exercise are tried in the quick suite too, and all of get_batches, which needs no TensorFlow.
QUICK = {
    "get_batches": 99,
    "build_inputs": 5,
    "build_loss": 3,
    "build_output": 2,
    "build_optimizer": 1,
    "build_lstm": 1,
    "run_epoch": 2,
    "pick_top_n": 1,
    "generate_ids": 2,
}


def cases(answers, quick):
    params = []
    for name, of_exercise in answers.items():
        for place, case in enumerate(of_exercise):
            marks = () if place < quick.get(name, 0) else pytest.mark.slow
            params.append(pytest.param(name, case, id=f"{name}-{place}", marks=marks))
    return params


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as in a notebook, they are no errors
# one answer does
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("name, case", cases(WRONG, QUICK))
def test_a_wrong_answer_is_explained(name, case):
    if "tf.contrib" in case.new and TENSORFLOW_1:
        pytest.skip("this is about TensorFlow 2")
    np.random.seed(1)  # some answers draw the order of the windows
    right, said = verdict(name, answer(name, case.old, case.new, mean_loss=mean_loss))
    assert right is False
    assert name + ": not right yet. " in said  # after what the answer itself prints
    for words in case.words:
        assert words in said


@pytest.mark.parametrize("name, case", cases(RIGHT, {"get_batches": 99}))
def test_a_right_answer_is_accepted(name, case):
    right, said = verdict(name, answer(name, case.old, case.new))
    assert right, said
    if case.words:
        assert case.words[0] in said
    else:
        assert said.endswith(name + ": right. ")
