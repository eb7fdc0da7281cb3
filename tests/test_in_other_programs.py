"""The package in another program, which uses TensorFlow in its own way. Each program is a process of its own."""

import json

import pytest
from conftest import CHARS, make_network, needs_tensorflow_2, run_python

pytestmark = pytest.mark.thorough

# Trains a model of Keras 3, which needs the eager mode.
KERAS = """
import os, sys
import numpy as np
import tensorflow

network = tensorflow.keras.Sequential([tensorflow.keras.layers.Dense(1)])
network.compile("sgd", "mse")

def fit():
    network.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)

from charrnn import open_model, quiet_tensorflow, train_model
quiet_tensorflow()
"""


# Writes many texts and two.
WRITING = """
model = open_model(sys.argv[1])
for use in (
    lambda: model.write("the ", 300, n=64, seed=1),
    lambda: model.surprisal("the cat"),
    lambda: model.activations("the cat"),
):
    use()
    fit()
    many = model.write("the ", 300, n=64, seed=1)
    assert many[:2] == model.write("the ", 300, n=2, seed=1)
    fit()
print(tensorflow.executing_eagerly(), os.environ.get("TF_USE_LEGACY_KERAS"))
"""


@pytest.fixture
def run_program(after_tensorflow):
    """A function that runs a program in which Keras can train."""
    return lambda program, *arguments: after_tensorflow(KERAS + program, *arguments)


@needs_tensorflow_2
def test_keras_trains_before_between_and_after_writing(run_program, exported):
    """It also trains after texts for which the graph is faster, so that a command would take the graph."""
    status, out, err = run_program(WRITING, exported)
    assert status == 0, err
    assert out == "True None\n"
    assert "eager" not in err


# Trains, writes and streams, and says how each went.
GRAPHS = """
import warnings
if len(sys.argv) > 3:
    sys.modules["tf_keras"] = None  # as if it were not installed
text = open(sys.argv[1]).read()
folder = sys.argv[2]
small = dict(lstm_size=3, num_steps=5, batch_size=2, epochs=1, seed=1, quiet=True)
filters = list(warnings.filters)

def call(function):
    fit()
    try:
        print("good", function() is None)
    except (ImportError, ValueError) as error:
        print(type(error).__name__, error)
    fit()
    assert tensorflow.executing_eagerly()
    assert "TF_USE_LEGACY_KERAS" not in os.environ
    assert warnings.filters == filters

def streamed():
    for char in open_model(folder + "/gru").stream("the ", 3, seed=1):
        fit()

call(lambda: train_model(text, folder, **{**small, "lstm_size": 0}))
call(lambda: train_model(text, folder, **small))
call(lambda: train_model(text, folder + "/gru", cell="gru", **small))
call(lambda: open_model(sys.argv[3] if len(sys.argv) > 3 else folder + "/gru", sorted(set(text))).write("the ", 9, n=2))
if len(sys.argv) == 3:
    call(streamed)
    call(lambda: train_model(None, folder + "/gru", resume=True, epochs=2, quiet=True))
"""


@pytest.mark.slow
@needs_tensorflow_2
def test_keras_trains_before_between_and_after_what_needs_a_graph(run_program, text_file, tmp_path):
    """It also trains in the midst of a stream."""
    status, out, err = run_program(GRAPHS, text_file, tmp_path / "run")
    assert status == 0, out + err
    refused, *others = out.splitlines()
    assert refused.startswith("ValueError lstm_size must be")
    assert others == ["good False"] * 3 + ["good True", "good False"]
    assert "eager" not in err
    assert "deprecated" not in err


@pytest.mark.slow
@needs_tensorflow_2
def test_keras_trains_after_a_call_for_which_the_cells_are_missing(
    run_program, text_file, tmp_path
):
    gated = make_network(tmp_path, CHARS, 3, 2, "gru").name
    status, out, err = run_program(GRAPHS, text_file, tmp_path / "run", gated)
    assert status == 0, err
    _, *others = out.splitlines()
    assert len(others) == 3
    for line in others:
        assert "needs the package tf_keras" in line


# Uses charrnn first, and only then imports Keras, which trains with two optimizers. Prints what was said meanwhile.
CHARRNN_FIRST = f"""
import json, logging, os, sys
for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_USE_LEGACY_KERAS"):
    os.environ.pop(name, None)
import charrnn
logger = logging.getLogger("tensorflow")
text, folder, gated, chars, errors = sys.argv[1:]
os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
steps = {{}}

def step(name, function):
    before = os.path.getsize(errors)
    function()
    said = open(errors).read()[before:]
    steps[name] = [said, len(logger.filters), os.environ.get("TF_CPP_MIN_LOG_LEVEL")]

def train():
    small = dict(batch_size=2, num_steps=30, lstm_size=5, epochs=1, sample_length=9)
    charrnn.train_model(open(text).read(), folder, val_fraction=0.1, **small)

def use():
    model = charrnn.open_model(gated, chars)
    for seed in (1, 2):
        model.write("the ", 9, seed=seed)
    model.surprisal("the cat")
    model.activations("the cat")

step("training", train)
step("warning", lambda: logger.warning("mine is deprecated"))
step("cells of TensorFlow", use)
{KERAS}
fit()
network.compile("adam", "mse")
fit()
print(json.dumps(steps))
"""


@pytest.fixture(scope="module")
def steps(trained, tmp_path_factory):
    """By the name of a step of that program, what it said, and the filters and the level of the log after it."""
    folder = tmp_path_factory.mktemp("first")
    text = trained.parent / "small.txt"
    gated = make_network(folder, CHARS, 3, 2, "gru").name
    errors = folder / "errors"
    status, out, _ = run_python("-c", CHARRNN_FIRST, text, folder / "run", gated, CHARS, errors)
    assert status == 0, errors.read_text()
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("name", ["training", "cells of TensorFlow"])
def test_what_needs_a_graph_is_quiet_and_leaves_logging_as_it_was(steps, name):
    """Also the first, which imports TensorFlow."""
    assert steps[name] == ["", 0, None]


def test_the_users_own_warnings_are_shown_after_a_training(steps):
    said, _, _ = steps["warning"]
    assert "mine is deprecated" in said


# Trains, then uses a part of the notebook.
PARTS = """
train_model(open(sys.argv[1]).read(), sys.argv[2], lstm_size=3, num_steps=5, batch_size=2, epochs=1, quiet=True)
{statement}
from charrnn import CharRNN
print(CharRNN(4, 2, 3, 5).loss.shape, tensorflow.executing_eagerly())
"""


@needs_tensorflow_2
@pytest.mark.parametrize(
    "statement",
    [
        "from charrnn import CharRNN",
        pytest.param("from charrnn.system.tensorflow import tf", marks=pytest.mark.slow),
    ],
)
def test_what_is_used_after_a_call_of_the_notebooks_parts_says_that_eager_mode_ends(
    run_program, text_file, tmp_path, statement
):
    """A training has imported them before."""
    program = PARTS.format(statement=statement)
    status, out, err = run_program(program, text_file, tmp_path / "run")
    assert status == 0, err
    assert out == "() False\n"
    assert err.count("charrnn: TensorFlow's eager mode is off in this process from now on") == 1
