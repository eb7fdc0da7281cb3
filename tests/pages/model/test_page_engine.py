"""The page's engine, run by node, against NumPy with the same rounded weights."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT

from charrnn.engines import decoding
from charrnn.engines.decoding import Settings
from charrnn.pages.assembly import SOURCES, source_of
from charrnn.pages.stored import WEIGHTS, network_data, store, stored_model
from pages.small_pages import random_network

HERE = Path(__file__).resolve().parent
SETTINGS = [
    Settings(0.8, 5, 0.9),
    Settings(1.0, 14, 0.5),
    Settings(1.7, 3, 1.0),
    Settings(1.0, 14, 1.0),
]
LENGTH = 1000
DRAWN = 400
KERNEL = SOURCES / "shared" / "kernel.wasm"
WAT2WASM = ROOT / ".tools" / "node_modules" / ".bin" / "wat2wasm"

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def run_in_node(folder, model, stored, ids):
    """Read a text in node, and draw texts after it with each of SETTINGS.

    Returns:
        The probabilities [T, C] after each character, the activations [T, S, L] as the page has them, and the ids of
        the texts that were drawn.
    """
    settings = [
        {"temperature": setting.temperature, "topN": setting.top_n, "topP": setting.top_p}
        for setting in SETTINGS
    ]
    request = {
        "model": network_data(model, stored),
        "ids": ids.tolist(),
        "seed": 7,
        "length": DRAWN,
        "kernel": source_of("kernel.wasm"),
        "settings": settings,
    }
    (folder / "request.json").write_text(json.dumps(request))
    answer = folder / "answer.json"
    subprocess.run(
        ["node", str(HERE / "run_engine.js"), str(folder / "request.json"), str(answer)],
        check=True,
    )
    probabilities = np.fromfile(f"{answer}.f32", np.float32).reshape(len(ids), -1)
    shown = np.fromfile(f"{answer}.i8", np.int8).reshape(len(ids), 2 * model.num_layers, -1)
    return probabilities, shown, json.loads(answer.read_text())


def assert_equal_engines(folder, model, weights, ids):
    """Compare what node computes with what NumPy computes.

    Weights in int8 are multiplied with numbers of 16 bits: the texts are others sooner or later.
    """
    is_rough = weights == "int8"
    stored = store(model, weights)
    probabilities, shown, texts = run_in_node(folder, model, stored, ids)

    engine = stored_model(model, stored).engine()
    logits = []
    states = []
    state = engine.zero_state()
    for index in ids:
        after, state = engine.read([index], state)
        logits.append(after[0])
        states.append(state[:, 0].copy())  # [S, L]
    expected = decoding.softmax(np.array(logits))
    np.testing.assert_allclose(probabilities, expected, atol=5e-3 if is_rough else 1e-4)
    activations = np.array(states)  # [T, S, L]
    activations[:, ::2] = np.tanh(activations[:, ::2])
    np.testing.assert_allclose(shown, 127 * activations, atol=2 if is_rough else 0.51)

    if not is_rough:
        uniforms = np.random.RandomState(7).random_sample((DRAWN, 1))
        for setting, text in zip(SETTINGS, texts):
            drawn, *_ = engine.generate(after, state, uniforms, setting)
            assert text == drawn[:, 0].tolist(), setting


@pytest.mark.parametrize("weights", WEIGHTS)
def test_node_equals_numpy_with_trained_weights(tmp_path, model, weights):
    ids = model.vocabulary.encode((TEXT * 5)[:LENGTH])
    assert_equal_engines(tmp_path, model, weights, ids)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_node_equals_numpy_where_the_gates_saturate(tmp_path, weights):
    """With weights of standard deviation 1. The kernel fills up the 18 units to 24."""
    ids = np.random.RandomState(8).randint(len(CHARS), size=LENGTH)
    assert_equal_engines(tmp_path, random_network(CHARS, 18), weights, ids)


def test_the_kernel_is_that_of_its_source(tmp_path):
    """Where `make kernel` or `make lint` has fetched wabt."""
    if not WAT2WASM.exists():
        pytest.skip("wat2wasm is not in .tools: make kernel")
    made = tmp_path / "kernel.wasm"
    subprocess.run(
        [str(WAT2WASM), str(KERNEL.with_suffix(".wat")), "-o", str(made)],
        check=True,
    )
    assert made.read_bytes() == KERNEL.read_bytes(), "run make kernel"


def test_pure_functions_of_the_pages():
    """The tests that node runs itself."""
    files = sorted(str(path) for path in HERE.parent.glob("*/*.test.js"))
    done = subprocess.run(
        ["node", "--test", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("entry", ["page.js", "worker.js", "learn.js", "learner.js"])
def test_the_modules_of_a_page_share_no_name(entry):
    """Each page has one script of all its modules, in which node finds names that two of them have."""
    done = subprocess.run(
        ["node", "--check", "--input-type=module"],
        input=source_of(entry).encode(),
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stderr.decode()
