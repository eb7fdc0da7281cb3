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


GRAPHS = """
import glob, shutil, threading, warnings
if len(sys.argv) > 3:
    sys.modules["tf_keras"] = None  # as if it were not installed
text, folder = open(sys.argv[1]).read(), sys.argv[2]
small = dict(lstm_size=3, num_steps=5, batch_size=2, epochs=1, seed=1, quiet=True)
filters = list(warnings.filters)

def call(function):
    fit()
    try:
        print("good", function() is None)
    except (ImportError, ValueError) as error:
        print(type(error).__name__, error)
    fit()
    assert tensorflow.executing_eagerly() and "TF_USE_LEGACY_KERAS" not in os.environ and warnings.filters == filters

def streamed():
    for char in open_model(folder + "/gru").stream("the ", 3, seed=1):
        fit()

def in_threads():
    model, texts = open_model(folder + "/gru"), []
    threads = [threading.Thread(target=lambda: texts.append(model.write("the ", 9, seed=1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 8 and len(set(texts)) == 1

call(lambda: train_model(text, folder, **{**small, "lstm_size": 0}))
call(lambda: train_model(text, folder, **small))
call(lambda: train_model(text, folder + "/gru", cell="gru", **small))
call(lambda: open_model(sys.argv[3] if len(sys.argv) > 3 else folder + "/gru", sorted(set(text))).write("the ", 9, n=2))
if len(sys.argv) == 3:
    call(streamed)
    call(in_threads)
    call(lambda: train_model(None, folder + "/gru", resume=True, epochs=2, quiet=True))
"""


@needs_eager_mode
def test_keras_trains_before_between_and_after_what_needs_a_graph(text_file, tmp_path):
    """Also in the midst of a stream."""
    status, out, err = run_python("-c", KERAS + GRAPHS, text_file, tmp_path / "run")
    assert (status, out.splitlines()[1:]) == (0, ["good False"] * 3 + ["good True"] * 2 + ["good False"]), out + err
    assert out.startswith("ValueError lstm_size must be") and "eager" not in err and "deprecated" not in err


@needs_eager_mode
def test_keras_trains_after_a_call_for_which_the_cells_are_missing(text_file, tmp_path):
    gated = make_network(tmp_path, CHARS, 3, 2, "gru").name
    status, out, err = run_python("-c", KERAS + GRAPHS, text_file, tmp_path / "run", gated)
    lines = out.splitlines()
    assert status == 0 and len(lines) == 4, err
    assert all("needs the package tf_keras" in line for line in lines[1:])


@needs_eager_mode
@pytest.mark.parametrize("call", ["from charrnn import CharRNN", "from charrnn.system.tensorflow import tf"])
def test_what_is_used_after_a_call_of_the_notebooks_parts_says_that_eager_mode_ends(text_file, tmp_path, call):
    """Also after a training, which has imported them."""
    status, out, err = run_python("-c", KERAS + f"""
train_model(open(sys.argv[1]).read(), sys.argv[2], lstm_size=3, num_steps=5, batch_size=2, epochs=1, quiet=True)
{call}
from charrnn import CharRNN
print(CharRNN(4, 2, 3, 5).loss.shape, tensorflow.executing_eagerly())""", text_file, tmp_path / "run")
    assert (status, out) == (0, "() False\n"), err
    assert err.count("charrnn: TensorFlow's eager mode is off in this process from now on") == 1


def test_threads_that_open_models_leave_the_warnings_of_the_program():
    status, out, err = run_python("-c", """
import sys, threading, warnings
from charrnn import open_model
sys.setswitchinterval(1e-6)
filters = list(warnings.filters)
for _ in range(4):
    threads = [threading.Thread(target=open_model, args=["anna"]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == filters
warnings.warn("mine")
""")
    assert status == 0 and "UserWarning: mine" in err, err


SERVER = """
import http.server, sys, threading, urllib.parse, urllib.request
from charrnn import open_model
model = open_model("anna")
characters = set(model.vocabulary)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        pieces = model.stream(given["prime"], 60, seed=int(given["seed"]), unknown="nearest",
                              allow=lambda text: characters - set(given["without"]))
        self.send_response(200)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece.encode())

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

def ask(seed, without):
    query = urllib.parse.urlencode({"prime": "Café ", "seed": seed, "without": without})
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/?{query}") as answer:
        texts[seed] = answer.read().decode()

texts = {}
threads = [threading.Thread(target=ask, args=item) for item in enumerate("aeiourst")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for seed, without in enumerate("aeiourst"):
    assert texts[seed] == model.write("Cafe ", 60, seed=seed, allow=lambda text: characters - {without})
    assert len(texts[seed]) == 65 and without not in texts[seed][5:]
print(len(set(texts.values())))
"""


def test_a_server_answers_eight_streams_at_once():
    assert run_python("-c", SERVER) == (0, "8\n", "")


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
