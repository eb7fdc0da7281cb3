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
from charrnn.text import corpus, features
from charrnn.text.baselines import ngram_nats
from charrnn.text.lines import shuffled

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent / "shared"
LOAD = SHARED / "load.js"
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
        ["node", str(SHARED / "run_trainer.js"), str(folder)], stderr=subprocess.PIPE
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
@pytest.mark.thorough
def test_it_learns_as_the_notebooks_network_does(tmp_path, num_layers, clip):
    """Fifty updates; the norm of the gradients is above 0.05 and below 5."""
    model = started(num_layers)
    windows = windows_of_text()
    losses_in_node, trained = train_in_node(tmp_path, model, windows, rule={"grad_clip": clip})
    losses, weights = train_in_tensorflow(model, windows, clip)
    np.testing.assert_allclose(losses_in_node, losses, atol=1e-3)
    for name, values in weights.items():
        difference = np.linalg.norm(trained.weights[name] - values)
        assert difference < 1e-2 * np.linalg.norm(values), name
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
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
        f"require('fs').readFileSync(0)); (async () => console.log(JSON.stringify(await {expression})))()"
    )
    answer = subprocess.check_output(["node", "-e", program], input=json.dumps(arguments).encode())
    return json.loads(answer.decode())


# Quotation marks and brackets of several kinds, open and closed, and letters with accents.
MARKS = (
    'At 9, "Well (so) it is," said Éva.\n\n\u201cYes\u201d [and] {no}\t("(open\n\nÀ «la» "mode"\n'
    * 30
)


# the marks of German, of Polish, of Swedish, and of English books
OTHER_MARKS = (
    "\u201eJa (so)\u201c, rief er.\n\n\u00bbNein [nie]\u00ab, sagte sie.\n\n" * 30,
    "Rzek\u0142: \u201etak\u201d (nie).\n\n" * 30,
    "Hon sade: \u201dja\u201d (nej).\n\n" * 30,
    "\u2018It\u2019s (so),\u2019 he said.\n\nShe won\u2019t [go].\n\n" * 30,
)


@pytest.mark.parametrize("text", [MARKS, *OTHER_MARKS])
def test_features_are_those_of_the_package(text):
    values_by_name = answered(
        "FEATURES", "FEATURES.map(([name, , values]) => [name, values(Array.from(a))])", text
    )
    assert len(values_by_name) == 4
    for name, values in values_by_name:
        np.testing.assert_array_equal(values, features.BY_NAME[name].values(text), name)


def test_probes_and_directions_are_those_of_least_squares():
    """Fitted on one text, and measured on another one."""
    random = np.random.RandomState(2)
    texts = ["".join(random.choice(list('ab" \n'), length)) for length in (400, 300)]
    memories = [random.standard_normal((len(text), 6)) for text in texts]
    whole = features.BY_NAME["position in the line"].values("".join(texts))
    values = [whole[:400], whole[400:]]
    for memory, value in zip(memories, values):
        memory[:, 2] += value / 4

    call = (
        "(await directionsOf(propertiesOf(Array.from(a[0].text + a[1].text), [0, 400], [400, 700]).filter("
        "({ name }) => name === b), ...a.map(({ memories }) => memories.map((row) => Float32Array.from(row))),"
        "() => true)).map((found) => "
        "({ ...found, probe: Array.from(found.probe), move: Array.from(found.move) }))"
    )
    sent = [{"text": text, "memories": memory.tolist()} for text, memory in zip(texts, memories)]
    [found] = answered("directionsOf, propertiesOf", call, sent, "position in the line")

    fitted, centered = memories[0], values[0] - values[0].mean()
    rows = fitted - fitted.mean(axis=0)
    probe = np.linalg.solve(rows.T @ rows + 30 * np.eye(6), rows.T @ centered)
    np.testing.assert_allclose(found["probe"], probe, rtol=1e-4)
    correlation = np.corrcoef(memories[1] @ probe, values[1])[0, 1]
    assert found["correlation"] == pytest.approx(correlation, abs=1e-5)

    means = [fitted[is_in].mean(axis=0) for is_in in (centered <= 0, centered > 0)]
    assert [found["outside"], found["inside"]] == pytest.approx(
        [mean @ probe for mean in means], rel=1e-4
    )
    # Moved once, the probe reads 1 more.
    assert np.dot(found["move"], probe) == pytest.approx(1, rel=1e-4)
    direction = means[1] - means[0]
    np.testing.assert_allclose(found["move"], direction / (direction @ probe), rtol=1e-4)


# In node: which characters of a text are inputs or targets in some epochs, and from where on the text is held out.
READ = """
const load = require(LOAD);
const { begun, learnWindow } = load();
const { text, epochs } = JSON.parse(require("fs").readFileSync(0));
(async () => {
  const sizes = { numLayers: 1, lstmSize: 4 };
  const learning = await begun({ text, sizes, seed: 1, kernels: [load.kernel] });
  const read = new Set();
  const { corpus } = learning;
  corpus.ids = corpus.ids.map((_, place) => place);
  learning.trainer.learn = (inputs, targets) => {
    inputs.forEach((place) => read.add(place));
    targets.forEach((place) => read.add(place));
    return 1;
  };
  while (learning.updates < epochs * learning.windows) {
    learnWindow(learning);
  }
  console.log(JSON.stringify({ read: [...read].sort((a, b) => a - b), edge: corpus.edge }));
})();
"""


@pytest.mark.parametrize("length", [1000, 1777, 5003])
def test_all_of_a_text_but_its_last_tenth_is_learned_in_two_epochs(length):
    """Also what does not fill a window in each of the sixteen rows."""
    text = "".join(np.random.RandomState(5).choice(list("ab c"), length))
    request = json.dumps({"text": text, "epochs": 2}).encode()
    program = READ.replace("LOAD", json.dumps(str(LOAD)))
    answer = json.loads(subprocess.check_output(["node", "-e", program], input=request).decode())
    assert answer["read"] == list(range(answer["edge"]))
    assert answer["edge"] == length - length // 10


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


# In node: the correlations of the probes with the properties of a text, before any training and after some steps.
FOUND = """
const load = require(LOAD);
const engine = require(ENGINE);
const { begun, learnWindow, directionsOf } = load();
const { text, sizes, seed, steps } = JSON.parse(require("fs").readFileSync(0));

async function look({ trainer, shown, passage, practised, measuredFrom, properties }) {
  shown.set(trainer.weights);
  const network = new engine.Network(trainer.model(shown), trainer.kernel);
  const [fitted, measured] = [practised, passage].map((ids) => {
    const state = network.zeroState();
    return ids.map((id) => {
      network.step(id, state);
      return state.c.slice();
    });
  });
  const directions = await directionsOf(properties, fitted, measured.slice(measuredFrom), () => true);
  return Object.fromEntries(directions.map(({ name, correlation }) => [name, correlation]));
}

(async () => {
  const learning = await begun({ text, sizes, seed, kernels: [load.kernel] });
  const looks = [await look(learning)];
  for (const step of steps) {
    while (learning.updates < step) {
      learnWindow(learning);
    }
    looks.push(await look(learning));
  }
  console.log(JSON.stringify(looks));
})();
"""


def correlations_at(steps, text, seed):
    """Return the correlations of the probes of the network that the page opens with: before training, and at steps."""
    settings = (PAGES / "learn" / "settings.js").read_text("utf-8")
    size = re.search(r'units: "(\d+)"', settings).group(1)
    request = {
        "text": text,
        "sizes": {"numLayers": 1, "lstmSize": int(size)},
        "seed": seed,
        "steps": steps,
    }
    program = FOUND.replace("LOAD", json.dumps(str(LOAD))).replace(
        "ENGINE", json.dumps(str(ENGINE))
    )
    answer = subprocess.check_output(["node", "-e", program], input=json.dumps(request).encode())
    return json.loads(answer.decode())


def is_found(before, now):
    """Return whether a property is found, by the rule of tracking.js."""
    return now >= 0.5 and now >= before + min(0.2, (1 - before) / 2)


@pytest.mark.parametrize("seed", [57, 1])
@pytest.mark.thorough
def test_the_network_that_the_page_opens_with_finds_the_brackets_and_quotes_of_the_rhyme(seed):
    rhyme = (PAGES / "learn" / "rhyme.txt").read_text("utf-8")
    before, early, late = correlations_at([300, 600], rhyme, seed)
    for name in ("inside quotation marks", "inside brackets"):
        assert is_found(before[name], early[name]), (name, before, early)
        assert is_found(before[name], late[name]), (name, before, late)


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
