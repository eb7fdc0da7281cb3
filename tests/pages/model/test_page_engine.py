"""The page's engine, run by node, against NumPy with the same rounded weights."""

import base64
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
from charrnn.engines.model_file import open_model
from charrnn.inspection import webpage
from charrnn.inspection.stored import WEIGHTS, network_data, store, stored_model
from charrnn.inspection.webpage import SOURCES

HERE = Path(__file__).resolve().parent
SETTINGS = [
    Settings(0.8, 5, 0.9),
    Settings(1.0, 14, 0.5),
    Settings(1.7, 3, 1.0),
    Settings(1.0, 14, 1.0),
]
LENGTH = 1000
DRAWN = 400
KERNEL = base64.b64encode((SOURCES / "shared" / "kernel.wasm").read_bytes()).decode("ascii")
WAT2WASM = ROOT / ".tools" / "node_modules" / ".bin" / "wat2wasm"

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def assert_equal_engines(tmp_path, model, weights, ids):
    """Read a text, and draw texts after it with each of SETTINGS, with node and with NumPy.

    Weights in int8 are multiplied with numbers of 16 bits: the texts are others sooner or later.
    """
    stored = store(model, weights)
    rough = weights == "int8"
    request = tmp_path / "request.json"
    answer = tmp_path / "answer.json"
    request.write_text(
        json.dumps(
            {
                "model": network_data(model, stored),
                "ids": ids.tolist(),
                "seed": 7,
                "length": DRAWN,
                "kernel": KERNEL,
                "settings": [
                    {"temperature": each.temperature, "topN": each.top_n, "topP": each.top_p}
                    for each in SETTINGS
                ],
            }
        )
    )
    subprocess.run(["node", str(HERE / "run_engine.js"), str(request), str(answer)], check=True)
    engine = stored_model(model, stored).engine()
    logits = []
    states = []
    state = engine.zero_state()
    for index in ids:
        after, state = engine.read([index], state)
        logits.append(after[0])
        states.append(
            np.where([[part % 2] for part in range(len(state))], state[:, 0], np.tanh(state[:, 0]))
        )
    found = np.fromfile(str(answer) + ".f32", np.float32).reshape(-1, len(model.vocabulary))
    np.testing.assert_allclose(
        found, decoding.softmax(np.array(logits)), atol=5e-3 if rough else 1e-4
    )
    shown = np.fromfile(str(answer) + ".i8", np.int8).reshape(len(ids), len(state), -1)
    np.testing.assert_allclose(shown, 127 * np.array(states), atol=2 if rough else 0.51)
    uniforms = np.random.RandomState(7).random_sample((DRAWN, 1))
    for each, drawn in zip(SETTINGS, json.loads(answer.read_text())):
        expected, *_ = engine.generate(after, state, uniforms, each)
        assert drawn == expected[:, 0].tolist() or rough, each


@pytest.mark.parametrize("weights", WEIGHTS)
def test_node_equals_numpy(tmp_path, exported, weights):
    """With trained weights, and with random ones of standard deviation 1, at which the gates saturate."""
    model = open_model(exported)
    assert_equal_engines(tmp_path, model, weights, model.vocabulary.encode((TEXT * 5)[:LENGTH]))
    ids = np.random.RandomState(8).randint(len(CHARS), size=LENGTH)
    # filled up to 24 in the kernel
    assert_equal_engines(tmp_path, random_network(CHARS, 18), weights, ids)


def test_the_kernel_is_that_of_its_source(tmp_path):
    """Where `make kernel` or `make lint` has fetched wabt."""
    if not WAT2WASM.exists():
        pytest.skip("wat2wasm is not in .tools: make kernel")
    subprocess.run(
        [
            str(WAT2WASM),
            str(SOURCES / "shared" / "kernel.wat"),
            "-o",
            str(tmp_path / "kernel.wasm"),
        ],
        check=True,
    )
    assert (tmp_path / "kernel.wasm").read_bytes() == (
        SOURCES / "shared" / "kernel.wasm"
    ).read_bytes(), "run make kernel"


def test_pure_functions_of_the_pages():
    """The tests that node runs itself."""
    files = sorted(str(path) for path in HERE.parent.glob("*/*.test.js"))
    found = subprocess.run(
        ["node", "--test", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert found.returncode == 0, found.stdout.decode()


def test_the_modules_of_a_page_share_no_name():
    """Each page has one script of all its modules, in which node finds names that two of them have."""
    for entry in ("page.js", "worker.js", "learn.js", "learner.js"):
        found = subprocess.run(
            ["node", "--check", "--input-type=module"],
            input=webpage.source_of(entry).encode(),
            stderr=subprocess.PIPE,
        )
        assert found.returncode == 0, (entry, found.stderr.decode())
