"""The page's engine in JavaScript, run by node, against the NumPy engine with the same rounded weights."""
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT
from pages import random_network

from charrnn.engines import decoding
from charrnn.engines.decoding import Settings
from charrnn.engines.exported import read_npz
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.inspection.stored import WEIGHTS, network_data, store, stored_model
from charrnn.inspection.webpage import SOURCES

HERE = Path(__file__).resolve().parent
SETTINGS = [Settings(0.8, 5, 0.9), Settings(1.0, 14, 0.5), Settings(1.7, 3, 1.0), Settings(1.0, 14, 1.0)]
LENGTH = 5000
DRAWN = 300
SMALLEST = 1e-30  # what is less probable than this may be zero in float32

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def both(tmp_path, model, weights, texts):
    """Read texts, each from a zero state, with node and with NumPy, and draw a text after the last one.

    Returns:
        (answer, probabilities, expected, engine, logits, state): what node wrote, the probabilities of both [T, C], and
        NumPy's engine where it ends.
    """
    stored = store(model, weights)
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    request.write_text(json.dumps({
        "model": network_data(model, stored), "texts": [text.tolist() for text in texts], "seed": 7,
        "length": DRAWN, "settings": [{"temperature": each.temperature, "topN": each.top_n, "topP": each.top_p}
                                      for each in SETTINGS]}))
    subprocess.run(["node", str(HERE / "run_engine.js"), str(request), str(answer)], check=True)
    found = np.fromfile(str(answer) + ".f32", np.float32).reshape(-1, len(model.vocabulary))
    engine, logits = NumpyLSTM(stored_model(model, stored)), []
    for text in texts:
        state = engine.zero_state()
        for index in text:
            after, state = engine.read([index], state)
            logits.append(after[0])
    return json.loads(answer.read_text()), found, engine, np.array(logits), state


def assert_equal_engines(tmp_path, model, weights, texts, same_text=True):
    answer, found, engine, logits, state = both(tmp_path, model, weights, texts)
    np.testing.assert_allclose(found, decoding.softmax(logits), atol=1e-4)
    for settings, kept in zip(SETTINGS, answer["kept"]):
        for after, ids in zip(logits[::5], kept[::5]):
            powers = powers_of(after, settings)
            assert [index for index in ids if powers[index] > SMALLEST] == kept_ids(powers, settings)
    if same_text:
        uniforms = np.random.RandomState(7).random_sample((DRAWN, 1))
        drawn, *_ = engine.draw(logits[-1:], state, uniforms, SETTINGS[0])
        assert answer["drawn"] == drawn[:, 0].tolist()


def powers_of(logits, settings):
    return np.exp((logits - logits.max()).astype(np.float64) / settings.temperature)


def kept_ids(powers, settings):
    """Return the ids that settings keep, by their definition."""
    kept, share = [], 0
    candidates = sorted(range(len(powers)), key=lambda index: -powers[index])[:settings.top_n]
    for index in candidates:
        if share < settings.top_p * powers[candidates].sum():
            kept.append(index)
            share += powers[index]
    return sorted(index for index in kept if powers[index] > SMALLEST)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_trained_network_in_node_equals_numpy(tmp_path, exported, weights):
    model = read_npz(exported)
    ids = model.vocabulary.encode((TEXT * 5)[:LENGTH])
    assert_equal_engines(tmp_path, model, weights, [ids])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_large_random_weights_in_node_equal_numpy(tmp_path, weights):
    """Standard deviation 1, at which the gates saturate."""
    ids = np.random.RandomState(8).randint(len(CHARS), size=LENGTH)
    assert_equal_engines(tmp_path, random_network(CHARS, 16, gain=1.0), weights, [ids])


def test_larger_random_weights_equal_numpy_over_short_texts(tmp_path):
    """With these weights the smallest difference in rounding grows from character to character, in any two engines."""
    texts = np.random.RandomState(8).randint(len(CHARS), size=(LENGTH // 5, 5))
    assert_equal_engines(tmp_path, random_network(CHARS, 16, gain=3.0), "float16", texts, same_text=False)


@pytest.mark.slow
@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_published_model_in_node_equals_numpy(tmp_path, weights, anna):
    path = ROOT / "checkpoints" / "anna.npz"
    if not path.is_file():
        pytest.skip("there is no checkpoints/anna.npz")
    model = read_npz(path)
    assert_equal_engines(tmp_path, model, weights, [model.vocabulary.encode(anna[-LENGTH:])])


@pytest.mark.parametrize("seed", [0, 1, 2 ** 32 - 1])
def test_seeds_mean_the_same_as_in_numpy(seed):
    script = ("const { RandomState } = require(process.argv[1]);"
              "const random = new RandomState(Number(process.argv[2]));"
              "console.log(JSON.stringify(Array.from({ length: 1300 }, () => random.randomSample())))")
    found = subprocess.run(["node", "-e", script, str(SOURCES / "decoding.js"), str(seed)], check=True,
                           stdout=subprocess.PIPE)
    assert json.loads(found.stdout) == np.random.RandomState(seed).random_sample(1300).tolist()


def test_every_half_precision_number_is_decoded():
    script = ("const { halfValue } = require(process.argv[1]);"
              "console.log(JSON.stringify(Array.from({ length: 65536 }, (_, bits) => halfValue(bits))))")
    found = subprocess.run(["node", "-e", script, str(SOURCES / "engine.js")], check=True, stdout=subprocess.PIPE)
    expected = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
    finite = np.isfinite(expected)  # no weight is stored that is not
    np.testing.assert_array_equal(np.array(json.loads(found.stdout), np.float64)[finite], expected[finite])


def test_pure_functions_of_the_page():
    """The tests that node runs itself."""
    files = sorted(str(path) for path in HERE.glob("*.test.js"))
    found = subprocess.run(["node", "--test", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert found.returncode == 0, found.stdout.decode()
