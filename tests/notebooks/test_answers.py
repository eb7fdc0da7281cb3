"""Wrong and right answers to the exercises: each wrong one is explained, each right one is accepted."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
from answers import (
    CLIPPED,
    EXERCISES,
    FOLDER,
    LOGITS,
    MEAN,
    SOFTMAX,
    answer,
    mean_loss,
    tried,
    verdict,
)
from checks import advice, build_loss, build_optimizer, build_output

WRONG, RIGHT = ({name: tried(name)[place] for name in EXERCISES} for place in (0, 1))


def mistakes(table, old, new):
    """Return the mistakes that a check compares an answer with as wrong answers themselves."""
    return [
        (old, new.format(source), [message])
        for message, sources in table.items()
        for source in sources
    ]


MISTAKES = {
    "build_loss": mistakes(build_loss.MISTAKES, MEAN, "loss = {}"),
    "build_optimizer": mistakes(
        build_optimizer.MISTAKES,
        CLIPPED,
        "gradients = tf.gradients(loss, variables)\n    gradients = {}",
    ),
    "build_output": (
        mistakes(build_output.WRONG_LOGITS, LOGITS, "logits = {}")
        + mistakes(
            build_output.WRONG_PREDICTIONS,
            SOFTMAX,
            "predictions = tf.identity({}, name='predictions')",
        )
    ),
}

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
    return [
        pytest.param(
            name,
            *case,
            id=f"{name}-{place}",
            marks=() if place < quick.get(name, 0) else pytest.mark.slow,
        )
        for name, some in answers.items()
        for place, case in enumerate(some)
    ]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as in a notebook, they are no errors
# one answer does
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize(
    "name, old, new, expected",
    cases({name: some + MISTAKES.get(name, []) for name, some in WRONG.items()}, QUICK),
)
def test_a_wrong_answer_is_explained(name, old, new, expected):
    if "from tensorflow.contrib" in new and sys.version_info >= (3, 8):
        pytest.skip("TensorFlow 2 has no tf.contrib")
    np.random.seed(1)  # some answers draw the order of the windows
    right, said = verdict(name, answer(name, old, new, mean_loss=mean_loss))
    assert right is False
    assert name + ": not right yet. " in said  # after what the answer itself prints
    for part in expected:
        assert part in said


@pytest.mark.parametrize("name, old, new, remark", cases(RIGHT, {"get_batches": 99}))
def test_a_right_answer_is_accepted(name, old, new, remark):
    right, said = verdict(name, answer(name, old, new))
    assert right, said
    assert remark[0] in said if remark else said.endswith(name + ": right. ")


def test_each_message_is_expected_of_an_answer():
    """Twelve characters in a row of each message, at least, are among the words that a test expects."""
    files = [path for path in Path(__file__).parent.rglob("*.*") if path.suffix in (".py", ".txt")]
    expected = " ".join(word for path in files for word in path.read_text(encoding="utf-8").split())
    messages = [[sentence] for _, sentence, _ in advice.ADVICE]
    for path in (FOLDER / "checks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if getattr(getattr(node, "func", None), "id", "") in (
                "need",
                "expect",
                "Wrong",
                "Unexplained",
            ):
                parts = [
                    value for one in ast.walk(node.args[-1]) for _, value in ast.iter_fields(one)
                ]
                messages.append(
                    [
                        " ".join(part.split())
                        for part in parts
                        if isinstance(part, str) and " " in part
                    ]
                )
    assert len(messages) > 200
    assert not [
        parts
        for parts in messages
        if max(map(len, parts), default=0) > 12
        and not any(
            part[place : place + 12] in expected
            for part in parts
            for place in range(len(part) - 11)
        )
    ]
