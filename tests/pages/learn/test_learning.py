"""The network of docs/learn.html, trained by node, against CharRNN; its files against those of charrnn."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS

from charrnn.checkpoints.weights import packed
from charrnn.data import Vocabulary
from charrnn.engines.model_file import open_model
from charrnn.engines.opened_model import Model, lstm_weights
from charrnn.inspection import features, units
from charrnn.text import corpus
from charrnn.text.baselines import ngram_nats
from charrnn.text.lists import shuffled
from charrnn.training.graph import initial_weights

HERE = Path(__file__).resolve().parent
TEXTS = 16
STEPS = 7
SIZE = 10
WINDOWS = 50
RATE = 0.01

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def started(num_layers):
    """Return a model with the weights that a training begins with."""
    classes = len(CHARS)
    kernels = [
        np.zeros(((SIZE if layer else classes) + SIZE, 4 * SIZE), np.float32)
        for layer in range(num_layers)
    ]
    weights = lstm_weights(kernels, np.zeros((SIZE, classes), np.float32))
    drawn = initial_weights({name: values.shape for name, values in weights.items()}, seed=4)
    return Model("start.npz", Vocabulary(CHARS), {**weights, **drawn})


def windows_of_text():
    """Return windows [M, N] of characters, in which some of what follows can be learned, and of those after them."""
    random = np.random.RandomState(5)
    ids = np.cumsum(random.randint(1, 4, (WINDOWS * STEPS + 1, TEXTS)), axis=0) % len(CHARS)
    return [
        (ids[start : start + STEPS], ids[start + 1 : start + STEPS + 1])
        for start in range(0, WINDOWS * STEPS, STEPS)
    ]


def train_in_node(folder, model, windows, **others):
    """Return what run_trainer.js answers, and the model that it trained."""
    model.save(folder / "start.npz")
    (folder / "request.json").write_text(
        json.dumps(
            {
                "steps": STEPS,
                "rate": RATE,
                "windows": [[each.ravel().tolist() for each in window] for window in windows],
                **others,
            }
        )
    )
    subprocess.run(["node", str(HERE / "run_trainer.js"), str(folder)], check=True)
    return json.loads((folder / "answer.json").read_text()), open_model(folder / "end.npz")


def train_in_tensorflow(model, windows, clip):
    """Return the losses of CharRNN on the same windows from the same weights, and its weights afterwards."""
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf

    network = CharRNN(len(CHARS), TEXTS, STEPS, SIZE, model.num_layers, RATE, clip)
    losses = []
    state = None
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        variables = {each.op.name: each for each in tf.trainable_variables()}
        session.run([each.assign(model.weights[name]) for name, each in variables.items()])
        for ids, targets in windows:
            feed = {network.inputs: ids.T, network.targets: targets.T, network.keep_prob: 1.0}
            feed.update({network.initial_state: state} if state else {})
            loss, state, _ = session.run(
                [network.loss, network.final_state, network.optimizer], feed
            )
            losses.append(loss)
        return losses, session.run(variables)


@pytest.mark.parametrize(
    "num_layers, clip", [(1, 5), (2, 5), (2, 0.05)], ids=["one layer", "two layers", "clipped"]
)
def test_it_learns_as_the_notebooks_network_does(tmp_path, num_layers, clip):
    """Fifty updates; the norm of the gradients is above 0.05 and below 5."""
    model = started(num_layers)
    windows = windows_of_text()
    answer, trained = train_in_node(tmp_path, model, windows, gradClip=clip)
    losses, weights = train_in_tensorflow(model, windows, clip)
    np.testing.assert_allclose(answer["losses"], losses, atol=1e-3)
    for name, values in weights.items():
        assert np.linalg.norm(trained.weights[name] - values) < 1e-2 * np.linalg.norm(values), name
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_weights_of_a_file_come_back_as_they_were(tmp_path, dtype):
    started(2).save(tmp_path / "first.npz", dtype)
    model = open_model(tmp_path / "first.npz")
    _, again = train_in_node(tmp_path, model, [])
    for name, values in model.weights.items():
        # a bias loses a bit by its 1
        np.testing.assert_allclose(again.weights[name], values, atol=1e-7)


def packed_with(**others):
    """Return a file with the weights of a network and others, or without those that are None."""
    weights = {**started(1).weights, **others}
    return packed(
        {name: values for name, values in weights.items() if values is not None},
        {"vocabulary": CHARS},
    )


BIAS = "softmax/Variable_1"
WHOLE = packed_with()
REFUSED = {
    "less": (packed_with(**{BIAS: None}), "is missing"),
    "other shapes": (
        packed_with(**{"softmax/Variable": np.zeros((SIZE, 3), np.float32)}),
        "has the shape",
    ),
    "more": (packed_with(extra=np.zeros(2, np.float32)), "is missing"),
    "no numbers": (packed_with(**{BIAS: np.full(len(CHARS), np.nan, np.float32)}), "not finite"),
    "another type": (packed_with(**{BIAS: np.zeros(len(CHARS))}), "TypeError"),
    "cut": (WHOLE[:-1], "damaged"),
    "empty": (b"", "damaged"),
    "changed": (WHOLE[:500] + b"\0" + WHOLE[501:], "damaged"),
}


@pytest.mark.parametrize("content, message", REFUSED.values(), ids=REFUSED)
def test_files_that_are_no_such_network_are_refused(tmp_path, content, message):
    (tmp_path / "start.npz").write_bytes(content)
    (tmp_path / "request.json").write_text(json.dumps({"steps": 1, "windows": []}))
    found = subprocess.run(
        ["node", str(HERE / "run_trainer.js"), str(tmp_path)], stderr=subprocess.PIPE
    )
    assert found.returncode == 1 and message in found.stderr.decode()


def answered(names, expression, *arguments):
    """Return what an expression of functions of the page is in node; the arguments are called a, b ..."""
    program = (
        f"const {{ {names} }} = require('{HERE / 'load.js'}')('{names}'); const [a, b, c] = JSON.parse("
        f"require('fs').readFileSync(0)); console.log(JSON.stringify({expression}))"
    )
    found = subprocess.check_output(["node", "-e", program], input=json.dumps(arguments).encode())
    return json.loads(found.decode())


SAID = (
    'At 9, "Well (so) it is," said Éva.\n\n\u201cYes\u201d [and] {no}\t("(open\n\nÀ «la» "mode"\n'
    * 30
)


def test_features_are_those_of_the_package():
    found = answered(
        "FEATURES", "FEATURES.map(([name, , values]) => [name, values(Array.from(a))])", SAID
    )
    assert len(found) == 5
    for name, values in found:
        np.testing.assert_array_equal(values, features.BY_NAME[name].values(SAID), name)


def test_the_units_are_those_that_the_package_finds():
    """But for the rounding of their values to a 127th."""
    model = started(2)
    text = "".join(np.random.RandomState(2).choice(list(CHARS), 900))
    measured = units.measure(model.engine(), text, 2)
    states = model.activations(text)
    states[:, ::2] = np.tanh(states[:, ::2])
    shown = np.rint(127 * states).astype(int).ravel().tolist()
    found = answered("bestUnits", "bestUnits(Array.from(a), Int8Array.from(b))", text, shown)
    best = {group[0].feature: group[0] for group in measured.best(1, least=0)}
    assert len(found) >= 2
    for each in found:
        expected = best[each["name"]]
        assert each["offset"] == expected.unit.part * SIZE + expected.unit.column
        np.testing.assert_allclose(each["correlation"], expected.correlation, atol=0.02)


def test_the_bigrams_are_those_of_the_package():
    learned = np.random.RandomState(3).randint(9, size=400) // 2
    ids = np.random.RandomState(4).randint(6, size=200)
    found = answered("bigramBits", "bigramBits(a, b, c)", learned.tolist(), ids.tolist(), 6)
    np.testing.assert_allclose(
        found, ngram_nats(learned, ids, 6, order=1).mean() / np.log(2), rtol=1e-9
    )


def test_a_list_is_shuffled_as_in_the_package():
    names = corpus.read("names").text
    found = answered(
        "corpusOf", "(({ ids, chars }) => Array.from(ids, (id) => chars[id]))(corpusOf(a))", names
    )
    assert "".join(found) == shuffled(names) != names


@pytest.mark.slow
def test_in_a_long_text_it_does_not_forget_how_to_begin(tmp_path):
    """With a state that is carried through all of it, the loss from a state of zeros is above 6 after 240 windows."""
    try:
        text = corpus.read("tiny-shakespeare").text
    except ValueError:
        pytest.skip("tiny-shakespeare.txt is neither in data/ nor in CHARRNN_DATA")
    edge = int(0.9 * len(text))
    program = f"""
        const load = require({json.dumps(str(HERE / "load.js"))});
        const {{ begun, learnWindow, variablesOf, packNpz }} = load("begun", "learnWindow", "variablesOf", "packNpz");
        (async () => {{
          const text = require("fs").readFileSync(0, "utf8");
          const sizes = {{ numLayers: 1, lstmSize: 128 }};
          const own = await begun({{ text, sizes, seed: 1, kernels: [load.kernel] }});
          for (let window = 0; window < 270; window++) learnWindow(own);
          const file = await packNpz(variablesOf(own.trainer), {{ vocabulary: own.corpus.chars.join("") }});
          require("fs").writeFileSync({json.dumps(str(tmp_path / "learned.npz"))}, Buffer.from(file));
        }})();"""
    subprocess.run(["node", "-e", program], input=text.encode(), check=True)
    assert open_model(tmp_path / "learned.npz").surprisal(text[edge : edge + 1500])[1:].mean() < 3
