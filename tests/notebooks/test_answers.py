"""Wrong and right answers to the exercises: each wrong one is explained, each right one is accepted."""

import ast
from pathlib import Path

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
from cells import FOLDER
from checks import advice, build_loss, build_optimizer, build_output
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
SHORT = 12  # so many characters of a message in a row are among the words that a test expects


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


def messages_of(path):
    """Return the parts of each message with which a module says that something is wrong, and of its constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    for node in ast.walk(tree):
        function = getattr(getattr(node, "func", None), "id", "")
        if function in ("need", "expect", "Wrong", "Unexplained"):
            texts.append(node.args[-1])

    messages = []
    for text in texts:
        parts = []
        for node in ast.walk(text):
            parts += [value for _, value in ast.iter_fields(node) if isinstance(value, str)]
        messages.append([" ".join(part.split()) for part in parts if " " in part])
    return messages


def is_expected(part, expected):
    return any(part[place : place + SHORT] in expected for place in range(len(part) - SHORT + 1))


def test_each_message_is_expected_of_an_answer():
    """Twelve characters in a row of each message, at least, are among the words that a test expects."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in Path(__file__).parent.rglob("*.*")
        if path.suffix in (".py", ".txt")
    ]
    expected = " ".join(" ".join(texts).split())
    messages = [[sentence] for _, sentence, _ in advice.ADVICE]
    for path in (FOLDER / "checks").glob("*.py"):
        messages += messages_of(path)
    assert len(messages) > 200
    long = [parts for parts in messages if max(map(len, parts), default=0) > SHORT]
    assert not [parts for parts in long if not any(is_expected(part, expected) for part in parts)]
