"""The package in another program, which uses TensorFlow in its own way. Each program is a process of its own."""
import pytest
from conftest import CHARS, TENSORFLOW_1, make_network, run_python

needs_eager_mode = pytest.mark.skipif(TENSORFLOW_1, reason="this is about TensorFlow 2")
# Trains a model of Keras 3, which needs the eager mode.
KERAS = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("TF_USE_LEGACY_KERAS", None)
import numpy as np
import tensorflow

network = tensorflow.keras.Sequential([tensorflow.keras.layers.Dense(1)])
network.compile("sgd", "mse")

def fit():
    network.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)

from charrnn import open_model, quiet_tensorflow, train_model
quiet_tensorflow()
"""


@needs_eager_mode
def test_keras_trains_before_between_and_after_writing(exported):
    """Also where the graph is faster, which a command would take."""
    status, out, err = run_python("-c", KERAS + """
model = open_model(sys.argv[1])
for text in model.write("the ", 300, n=64, seed=1)[:2], model.surprisal("the cat"), model.activations("the cat"):
    fit()
    assert model.write("the ", 300, n=64, seed=1)[:2] == model.write("the ", 300, n=2, seed=1)
    fit()
print(tensorflow.executing_eagerly(), os.environ.get("TF_USE_LEGACY_KERAS"))
""", exported)
    assert (status, out) == (0, "True None\n"), err
    assert "eager" not in err


@needs_eager_mode
@pytest.mark.parametrize("call", [
    "train_model(open(sys.argv[1]).read(), sys.argv[2], lstm_size=3, num_steps=5, batch_size=2, quiet=True)",
    "open_model(sys.argv[3], sorted(set(open(sys.argv[1]).read()))).write('the ', 9)"], ids=["training", "gru"])
def test_what_needs_a_graph_says_that_eager_mode_ends(text_file, tmp_path, call):
    gated = make_network(tmp_path, CHARS, 3, 2, "gru").name
    status, out, err = run_python("-c", KERAS + f"{call}\nprint(tensorflow.executing_eagerly())", text_file,
                                  tmp_path / "run", gated)
    assert (status, out) == (0, "False\n"), err
    assert err.count("charrnn: TensorFlow's eager mode is off in this process from now on") == 1


def test_the_graph_is_used_where_eager_mode_is_off(exported):
    """With TensorFlow 1.15, and after ``tf`` of this package was used. Nothing is said then."""
    status, out, err = run_python("-c", """
import sys
from charrnn import open_model, quiet_tensorflow
quiet_tensorflow()
from charrnn.system.tensorflow import tf
tf.Session
from charrnn.engines.opened_model import NumpyLSTM
NumpyLSTM.draw = None
print(len(open_model(sys.argv[1]).write("the ", 300, n=64, seed=1)))
""", exported)
    assert (status, out) == (0, "64\n"), err
    assert "eager" not in err
