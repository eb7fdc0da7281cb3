"""Pages of networks that are not trained, and what a page holds."""

import contextlib
import json
import re
from unittest import mock

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.trained_model import Model, lstm_weights
from charrnn.pages import page_texts, webpage

# Characters that mean something in HTML, JavaScript or a template, or that a browser treats in its own way.
HOSTILE = "".join(
    sorted(
        set(
            "</script><!--\"'&`\\{{data}}=(;)alert1\x00\x01\t\n\x0b\x1b\x7f\u0301\u2028\u202e\ufeff"
            "\ud800\U0001f600\U000e0041"
        )
    )
)

# what a reader knows that has neither a text nor words
UNREAD = {"training": "", "words": None, "ofLines": False}


def random_network(chars, lstm_size=6, num_layers=2, gain=1.0, seed=3):
    """Return a model of random weights that comes from no run."""
    random = np.random.RandomState(seed)

    def weights(*shape):
        return (gain * random.standard_normal(shape)).astype(np.float32)

    classes = len(chars)
    size = lstm_size
    inputs = [classes] + [size] * (num_layers - 1)
    kernels = [weights(inputs_of_layer + size, 4 * size) for inputs_of_layer in inputs]
    biases = [weights(4 * size) for _ in inputs]
    made = lstm_weights(kernels, weights(size, classes))

    forget_bias = np.repeat(np.array([0, 0, 1, 0], np.float32), size)  # which the cell adds
    for layer, bias in enumerate(biases):
        made[f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/bias"] = bias - forget_bias
    made["softmax/Variable_1"] = weights(classes)
    return Model("random.npz", Vocabulary(chars), made)


@contextlib.contextmanager
def sooner_written():
    """Pages have a shorter text, where the network writes it."""
    with mock.patch.object(page_texts, "WRITTEN", 1500):
        yield


def export_random(model, path, **options):
    """Write the page of a network that comes from no run."""
    with sooner_written():
        return webpage.export_page(model, path, **options)


def content_of(path):
    return path.read_text(encoding="utf-8")


def data_of(path):
    """Return the data that a page holds for its views."""
    return json.loads(script_of(content_of(path), "data"))


def entry_of(path, name):
    """Return an entry of the data that a page holds for its views."""
    return data_of(path)[name]


def fact_of(path, name):
    """Return a fact that a page tells of its network."""
    facts = dict(entry_of(path, "facts"))
    return facts[name]


def script_of(content, name):
    """Return the source of the script of a page with an id."""
    return re.search(f'id="{name}">(.*?)</script>', content, re.DOTALL).group(1)
