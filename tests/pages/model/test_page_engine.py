"""The page's engine, run by node, against NumPy with the same rounded weights."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT

from charrnn.checkpoints.writing import Writing
from charrnn.engines import decoding
from charrnn.engines.opening import open_model
from charrnn.inspection import steered
from charrnn.pages.assembly import SOURCES, source_of
from charrnn.pages.stored import WEIGHTS, network_data, reader_data, store, stored_model
from charrnn.text import features, lexicon
from charrnn.text.corpus import Text
from pages.small_pages import random_network

HERE = Path(__file__).resolve().parent
SETTINGS = [
    Writing(0.8, 5, 0.9),
    Writing(1.0, 14, 0.5),
    Writing(1.7, 3, 1.0),
    Writing(1.0, 14, 1.0),
]
LENGTH = 1000
DRAWN = 400
KERNEL = SOURCES / "shared" / "kernel.wasm"
WAT2WASM = ROOT / ".tools" / "node_modules" / ".bin" / "wat2wasm"

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def run_in_node(folder, model, stored, ids, **more):
    """Read a text in node, and draw texts after it with each of SETTINGS.

    ``more`` is in the request as well.

    Returns:
        The probabilities [T, C] after each character, the activations [T, S·L] as the page has them, and the ids of
        the texts that were drawn.
    """
    settings = [
        {"temperature": setting.temperature, "top_n": setting.top_n, "top_p": setting.top_p}
        for setting in SETTINGS
    ]
    request = {
        "model": network_data(model, stored),
        "ids": ids.tolist(),
        "seeds": [7],
        "length": DRAWN,
        "kernel": source_of("kernel.wasm"),
        "settings": settings,
        **more,
    }
    (folder / "request.json").write_text(json.dumps(request))
    answer = folder / "answer.json"
    subprocess.run(
        ["node", str(HERE / "run_engine.js"), str(folder / "request.json"), str(answer)],
        check=True,
    )
    probabilities = np.fromfile(f"{answer}.f32", np.float32).reshape(len(ids), -1)
    shown = np.fromfile(f"{answer}.i8", np.int8).reshape(len(ids), -1)
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
    np.testing.assert_allclose(
        shown.reshape(activations.shape), 127 * activations, atol=2 if is_rough else 0.51
    )

    if not is_rough:
        uniforms = np.random.RandomState(7).random_sample((DRAWN, 1))
        for setting, text in zip(SETTINGS, texts):
            drawn = []
            logits, next_state = after, state
            for uniform in uniforms:
                index = decoding.draw_ids(logits, uniform, setting)
                logits, next_state = engine.feed(index, next_state)
                drawn.append(index.item())
            assert text == drawn, setting


@pytest.mark.parametrize("weights", WEIGHTS)
def test_node_equals_numpy_with_trained_weights(tmp_path, model, weights):
    ids = model.vocabulary.encode((TEXT * 5)[:LENGTH])
    assert_equal_engines(tmp_path, model, weights, ids)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_node_equals_numpy_where_the_gates_saturate(tmp_path, weights):
    """With weights of standard deviation 1. The kernel fills up the 18 units to 24."""
    ids = np.random.RandomState(8).randint(len(CHARS), size=LENGTH)
    assert_equal_engines(tmp_path, random_network(CHARS, 18), weights, ids)


def equal_letters(folder, model, weights, length, steer=None):
    """Return how many letters node writes as Python does after a beginning, with each of 32 seeds.

    ``steer`` is a dict from a direction of the model to where it is held; None for none.
    """
    held = {}
    for name, strength in (steer or {}).items():
        told = steered.ToldDirection(name, model.directions()[name], (-0.5, 1.5), None, {}, {}, {})
        held = {
            "directions": [told.as_json()],
            "chars": model.vocabulary.chars,
            "strength": strength,
        }
    settings = {"temperature": 0.5, "top_n": 5, "top_p": 1}
    prime = "the "
    _, _, drawn = run_in_node(
        folder,
        model,
        store(model, weights),
        model.vocabulary.encode(prime),
        settings=[settings],
        seeds=list(range(1, 33)),
        length=length,
        **held,
    )
    expected = model.write(prime, length, n=32, temperature=0.5, top_n=5, seed=1, steer=steer)
    counts = []
    for ids, text in zip(drawn, expected):
        of_python = model.vocabulary.encode(text[len(prime) :])
        differing = np.flatnonzero(of_python != ids)
        counts.append(int(min(differing, default=length)))
    return counts


def test_node_writes_with_the_reader_as_python_does(tmp_path):
    model = replace(
        random_network(CHARS, 6, 2, gain=0.8, seed=6),
        words=lexicon.pack(["a", "at", "hot", "moth", "the", "those"]),
        train_text=Text("small", TEXT),
    )
    _, _, drawn = run_in_node(
        tmp_path,
        model,
        store(model, "float16"),
        model.vocabulary.encode("the "),
        settings=[{"temperature": 0.7, "top_n": 14, "top_p": 0.8, "best_of": 4}],
        seeds=list(range(1, 33)),
        length=60,
        chars=model.vocabulary.chars,
        reader=reader_data(model, with_text=True),
    )
    texts = ["the " + model.vocabulary.decode(ids) for ids in drawn]

    def same(best_of):
        how = {"temperature": 0.7, "top_p": 0.8, "best_of": best_of}
        expected = model.write("the ", 60, n=32, seed=1, **how)
        return sum(text == of_python for text, of_python in zip(texts, expected))

    assert same(4) >= 24
    assert same(12) <= 16
    assert same(1) <= 16


@pytest.mark.parametrize("strength", [-0.5, 1.5])
def test_node_holds_a_direction_as_python_does(tmp_path, strength):
    # random letters, in which a small random network knows what the last one was
    letters = "".join(np.random.RandomState(1).choice(list("acdehmnost    "), 5000))
    network = random_network(CHARS, 17, gain=0.7, seed=7)
    # Directions are held between words, so it writes spaces.
    network.weights["softmax/Variable_1"][CHARS.index(" ")] += 1
    network = stored_model(network, store(network, "float16"))
    network.train_text = Text("letters", letters)
    steer = {"after a space or line end": strength}
    assert equal_letters(tmp_path, network, "float16", 100, steer).count(100) >= 30
    [held] = network.write("the ", 100, n=1, temperature=0.5, top_n=5, seed=1, steer=steer)
    [free] = network.write("the ", 100, n=1, temperature=0.5, top_n=5, seed=1)
    assert held != free


@pytest.mark.slow
@pytest.mark.parametrize("steer", [None, {features.QUOTATION: 1.5}], ids=["free", "held"])
def test_in_float16_the_page_of_anna_writes_as_python_does(tmp_path, anna, steer):
    assert equal_letters(tmp_path, open_model("anna"), "float16", 100, steer).count(100) >= 30


@pytest.mark.slow
def test_in_int8_half_of_the_texts_of_anna_are_those_of_python_for_as_long_as_is_said(tmp_path):
    """As docs/inside.md says."""
    equal = equal_letters(tmp_path, open_model("anna"), "int8", 200)
    page = (ROOT / "docs" / "inside.md").read_text(encoding="utf-8")
    said = re.search(
        "half of 32 texts of `anna` differ from it after ([0-9]+) characters",
        " ".join(page.split()),
    )
    assert np.median(equal) == pytest.approx(int(said.group(1)), abs=10)


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


@pytest.mark.parametrize(
    "entry", ["page.js", "worker.js", "learn.js", "learner.js", "yours.js", "lesson.js"]
)
def test_the_modules_of_a_page_share_no_name(entry):
    """Each page has one script of all its modules, in which node finds names that two of them have."""
    done = subprocess.run(
        ["node", "--check", "--input-type=module"],
        input=source_of(entry).encode(),
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stderr.decode()
