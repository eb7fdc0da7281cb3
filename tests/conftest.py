"""What the tests share: a quiet TensorFlow, the solution notebook's definitions, and a small trained run."""
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from charrnn import console

console.quiet_tensorflow()

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "notebooks" / "Anna_KaRNNa_Solution.ipynb"

# Small sizes, all different, so that a swapped axis fails.
TEXT = "the cat sat on the mat, and the hat sat on the cat.\n" * 20
SMALL = {"batch_size": 2, "num_steps": 3, "lstm_size": 5, "num_layers": 2}
SMALL_FLAGS = ["--batch-size", "2", "--num-steps", "3", "--lstm-size", "5", "--num-layers", "2",
               "--epochs", "1", "--print-every-n", "50", "--save-every-n", "100", "--seed", "7"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """No test may reach out: an address that is not a file is refused at once."""
    import urllib.request
    from urllib.error import URLError
    usual = urllib.request.urlopen

    def refuse(address, *args, **kwargs):
        if not str(address).startswith("file:"):
            raise URLError("no network in tests")
        return usual(address, *args, **kwargs)

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture
def text_file(tmp_path):
    """A small text with CRLF line ends, as anna.txt has them."""
    path = tmp_path / "small.txt"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    return path


@pytest.fixture(scope="session")
def anna():
    """The text of anna.txt, where it lies on this machine."""
    from charrnn import corpus, data
    folders = [ROOT / "data", Path(os.environ.get("CHARRNN_DATA") or ROOT / "data")]
    found = [folder / "anna.txt" for folder in folders if (folder / "anna.txt").is_file()]
    if not found:
        pytest.skip("anna.txt is neither in data/ nor in CHARRNN_DATA")
    assert corpus.find("anna", data_dir=found[0].parent) == found[0]
    return data.load_text(found[0])


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder that holds a small training run of the script, and its text beside it. Not to be changed."""
    from charrnn import train
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "small.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert train.main([str(path), *SMALL_FLAGS, "--checkpoint-dir", str(folder / "run"),
                       "--sample-length", "0"]) == 0
    return folder / "run"


@pytest.fixture(scope="session")
def notebook():
    """The definitions of the solution notebook, run as they stand there."""
    import tensorflow.compat.v1 as tf
    cells = json.loads(SOLUTION.read_text(encoding="utf-8"))["cells"]
    names = ["get_batches", "build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer",
             "CharRNN", "pick_top_n", "sample"]
    scope = {"np": np, "tf": tf, "num_layers": 2, "checks": _NoChecks()}
    for cell in cells:
        if set(names) & set(cell["metadata"].get("tags", [])):
            exec("".join(cell["source"]), scope)
    return SimpleNamespace(scope=scope, **{name: scope[name] for name in names})


class _NoChecks:
    """Stands for the notebooks' checks, which the tests of the notebooks run."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: True
