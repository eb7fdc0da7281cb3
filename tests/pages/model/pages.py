"""What the tests of the page share."""

import hashlib
import json
import re
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model, lstm_weights
from charrnn.inspection import webpage

HOSTILE = "".join(
    sorted(
        set(
            "</script><!--\"'&`\\{{data}}=(;)alert1\x00\x01\t\n\x0b\x1b\x7f\u0301\u2028\u202e\ufeff"
            "\ud800\U0001f600\U000e0041"
        )
    )
)


def random_network(chars, lstm_size=6, num_layers=2, gain=1.0):
    """Return a model of random weights that comes from no run."""
    random = np.random.RandomState(3)

    def weights(*shape):
        return (gain * random.standard_normal(shape)).astype(np.float32)

    classes = len(chars)
    size = lstm_size
    inputs = [classes] + [size] * (num_layers - 1)
    kernels = [weights(each + size, 4 * size) for each in inputs]
    biases = [weights(4 * size) for _ in inputs]
    made = lstm_weights(kernels, weights(size, classes))
    forget = np.repeat(np.array([0, 0, 1, 0], np.float32), size)
    for layer, bias in enumerate(biases):
        # which the cell adds
        made[f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/bias"] = bias - forget
    return Model("random.npz", Vocabulary(chars), {**made, "softmax/Variable_1": weights(classes)})


def with_names(path):
    """Write a copy of a page in which the module is an ordinary script, so that tests reach what its names stand for.

    The script itself is the same, which the policy of the page checks.
    """
    content = path.read_bytes()
    folder = Path(tempfile.gettempdir()) / "charrnn-pages" / hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).write_bytes(
        re.sub(b'<script type="module"( async)?>', b"<script>", content)
    )
    return folder / path.name


def data_of(path):
    """Return the data that a page holds for its views."""
    content = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', content, re.DOTALL).group(1))


def export_random(model, path, **options):
    """Write the page of a network that comes from no run; the text that it writes for it is shorter than usual."""
    with mock.patch.object(webpage, "WRITTEN", 1500):
        return webpage.export_page(model, path, **options)
