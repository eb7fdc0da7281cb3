"""The network of docs/learn.html, trained by node, against CharRNN; its files against those of charrnn."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, known_text

import charrnn
from charrnn.checkpoints.weights import packed
from charrnn.data import Vocabulary
from charrnn.engines.cells import initial_weights
from charrnn.engines.opening import open_model
from charrnn.engines.trained_model import Model, lstm_weights
from charrnn.inspection import units
from charrnn.text import corpus, features
from charrnn.text.baselines import ngram_nats
from charrnn.text.lines import shuffled

HERE = Path(__file__).resolve().parent
LOAD = HERE / "load.js"
PAGES = Path(charrnn.__file__).parent / "pages"
ENGINE = PAGES / "shared" / "engine.js"
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
    inputs = [classes] + [SIZE] * (num_layers - 1)
    kernels = [np.zeros((size + SIZE, 4 * SIZE), np.float32) for size in inputs]
    weights = lstm_weights(kernels, np.zeros((SIZE, classes), np.float32))
    shapes = {name: values.shape for name, values in weights.items()}
    weights.update(initial_weights(shapes, seed=4))
    return Model("start.npz", Vocabulary(CHARS), weights)


def windows_of_text():
    """Return windows [M, N] of characters, in which some of what follows can be learned, and of those after them."""
    random = np.random.RandomState(5)
    strides = random.randint(1, 4, (WINDOWS * STEPS + 1, TEXTS))
    ids = np.cumsum(strides, axis=0) % len(CHARS)
    windows = []
    for start in range(0, WINDOWS * STEPS, STEPS):
        end = start + STEPS
        windows.append((ids[start:end], ids[start + 1 : end + 1]))
    return windows


def run_trainer(folder, **request):
    """Run run_trainer.js on a folder that has the weights, and return its exit status and its errors."""
    (folder / "request.json").write_text(json.dumps({"steps": STEPS, "rate": RATE, **request}))
    done = subprocess.run(
        ["node", str(HERE / "run_trainer.js"), str(folder)], stderr=subprocess.PIPE
    )
    return done.returncode, done.stderr.decode()


def train_in_node(folder, model, windows, **others):
    """Return the losses of a model that node trains, and the trained model."""
    model.save(folder / "start.npz")
    flat = [(ids.ravel().tolist(), targets.ravel().tolist()) for ids, targets in windows]
    status, errors = run_trainer(folder, windows=flat, **others)
    assert status == 0, errors
    answer = json.loads((folder / "answer.json").read_text())
    return answer["losses"], open_model(folder / "end.npz")


def train_in_tensorflow(model, windows, clip):
    """Return the losses of CharRNN on the same windows from the same weights, and its weights afterwards."""
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf

    network = CharRNN(
        num_classes=len(CHARS),
        batch_size=TEXTS,
        num_steps=STEPS,
        lstm_size=SIZE,
        num_layers=model.num_layers,
        learning_rate=RATE,
        grad_clip=clip,
    )
    losses = []
    state = None
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        variables = {variable.op.name: variable for variable in tf.trainable_variables()}
        for name, variable in variables.items():
            variable.load(model.weights[name], session)
        for ids, targets in windows:
            feed = {network.inputs: ids.T, network.targets: targets.T, network.keep_prob: 1.0}
            if state:
                feed[network.initial_state] = state
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
    losses_in_node, trained = train_in_node(tmp_path, model, windows, gradClip=clip)
    losses, weights = train_in_tensorflow(model, windows, clip)
    np.testing.assert_allclose(losses_in_node, losses, atol=1e-3)
    for name, values in weights.items():
        difference = np.linalg.norm(trained.weights[name] - values)
        assert difference < 1e-2 * np.linalg.norm(values), name
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_weights_of_a_file_come_back_as_they_were(tmp_path, dtype):
    started(2).save(tmp_path / "first.npz", dtype)
    model = open_model(tmp_path / "first.npz")
    _, again = train_in_node(tmp_path, model, [])
    for name, values in model.weights.items():
        # A bias loses a bit by its 1.
        np.testing.assert_allclose(again.weights[name], values, atol=1e-7)


def packed_with(**others):
    """Return a file with the weights of a network and others, or without those that are None."""
    weights = {**started(1).weights, **others}
    present = {name: values for name, values in weights.items() if values is not None}
    return packed(present, {"vocabulary": CHARS})


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
    status, errors = run_trainer(tmp_path, windows=[])
    assert status == 1
    assert message in errors


def answered(names, expression, *arguments):
    """Return what an expression of functions of the page is in node; the arguments are called a, b ..."""
    program = (
        f"const {{ {names} }} = require('{LOAD}')('{names}'); const [a, b, c] = JSON.parse("
        f"require('fs').readFileSync(0)); console.log(JSON.stringify({expression}))"
    )
    answer = subprocess.check_output(["node", "-e", program], input=json.dumps(arguments).encode())
    return json.loads(answer.decode())


# Quotation marks and brackets of several kinds, open and closed, and letters with accents.
MARKS = (
    'At 9, "Well (so) it is," said Éva.\n\n\u201cYes\u201d [and] {no}\t("(open\n\nÀ «la» "mode"\n'
    * 30
)


def test_features_are_those_of_the_package():
    values_by_name = answered(
        "FEATURES", "FEATURES.map(([name, , values]) => [name, values(Array.from(a))])", MARKS
    )
    assert len(values_by_name) == 5
    for name, values in values_by_name:
        np.testing.assert_array_equal(values, features.BY_NAME[name].values(MARKS), name)


def test_the_units_are_those_that_the_package_finds():
    """But for the rounding of their values to a 127th."""
    model = started(2)
    text = "".join(np.random.RandomState(2).choice(list(CHARS), 900))
    measured = units.measure(model.engine(), text, 2)
    states = model.activations(text)
    states[:, ::2] = np.tanh(states[:, ::2])
    shown = np.rint(127 * states).astype(int).ravel().tolist()
    best_units = answered("bestUnits", "bestUnits(Array.from(a), Int8Array.from(b))", text, shown)
    assert len(best_units) >= 2
    expected = {tracking.feature: tracking for tracking, *_ in measured.best(1, least=0)}
    for best in best_units:
        tracking = expected[best["name"]]
        assert best["offset"] == tracking.unit.part * SIZE + tracking.unit.column
        np.testing.assert_allclose(best["correlation"], tracking.correlation, atol=0.02)


def test_the_bigrams_are_those_of_the_package():
    learned = np.random.RandomState(3).randint(9, size=400) // 2
    ids = np.random.RandomState(4).randint(6, size=200)
    bits = answered("bigramBits", "bigramBits(a, b, c)", learned.tolist(), ids.tolist(), 6)
    nats = ngram_nats(learned, ids, 6, order=1)
    np.testing.assert_allclose(bits, nats.mean() / np.log(2), rtol=1e-9)


def test_a_list_is_shuffled_as_in_the_package():
    names = corpus.read("names").text
    characters = answered(
        "corpusOf", "(({ ids, chars }) => Array.from(ids, (id) => chars[id]))(corpusOf(a))", names
    )
    assert "".join(characters) == shuffled(names)
    assert shuffled(names) != names


# In node: the correlations of the best units with the properties of a text, before any training and after some steps.
FOUND = """
const load = require(LOAD);
const engine = require(ENGINE);
const { begun, learnWindow, bestUnits } = load();
const { text, sizes, seed, steps } = JSON.parse(require("fs").readFileSync(0));

function look({ trainer, shown, passage, corpus }) {
  shown.set(trainer.weights);
  const network = new engine.Network(trainer.model(shown), trainer.kernel);
  const state = network.zeroState();
  const activations = passage.flatMap((id) => {
    network.step(id, state);
    return Array.from(network.activations(state));
  });
  const characters = passage.map((id) => corpus.chars[id]);
  return bestUnits(characters, Int8Array.from(activations)).map(({ correlation }) => correlation);
}

(async () => {
  const learning = await begun({ text, sizes, seed, kernels: [load.kernel] });
  const looks = [look(learning)];
  for (const step of steps) {
    while (learning.updates < step) {
      learnWindow(learning);
    }
    looks.push(look(learning));
  }
  console.log(JSON.stringify(looks));
})();
"""


def test_a_number_of_the_network_that_the_page_opens_with_follows_the_text_and_goes_on_to():
    """After 300 steps and after 600, by the rule of tracking.js."""
    settings = (PAGES / "learn" / "settings.js").read_text("utf-8")
    size = re.search(r'units: "(\d+)"', settings).group(1)
    seed = re.search(r"let seed = (\d+);", settings).group(1)
    request = {
        "text": (PAGES / "learn" / "rhyme.txt").read_text("utf-8"),
        "sizes": {"numLayers": 1, "lstmSize": int(size)},
        "seed": int(seed),
        "steps": [300, 600],
    }
    program = FOUND.replace("LOAD", json.dumps(str(LOAD))).replace(
        "ENGINE", json.dumps(str(ENGINE))
    )
    answer = subprocess.check_output(["node", "-e", program], input=json.dumps(request).encode())
    before, early, late = np.abs(json.loads(answer.decode()))
    least = np.maximum(0.3, before + 0.2)
    is_lasting = (early >= least) & (late >= least)
    assert is_lasting.any()


@pytest.mark.slow
def test_in_a_long_text_it_does_not_forget_how_to_begin(tmp_path):
    """With a state that is carried through all of it, the loss from a state of zeros is above 6 after 240 windows."""
    text = known_text("tiny-shakespeare")
    edge = int(0.9 * len(text))
    program = f"""
        const load = require({json.dumps(str(LOAD))});
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
    nats = open_model(tmp_path / "learned.npz").surprisal(text[edge : edge + 1500])
    assert nats[1:].mean() < 3
