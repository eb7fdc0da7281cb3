"""What the page should write with units held, in float64, and which of its words should be marked."""

import re
from typing import NamedTuple

import numpy as np

from charrnn.inspection import clamped
from charrnn.text import features


class Hold(NamedTuple):
    """From a place of the text on, counted from its beginning, a unit such as 2/c/3 is held at a value; None, none."""

    start: int
    unit: str
    value: float


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class HeldNetwork:
    """A network of LSTM cells, of which one unit can be held."""

    def __init__(self, model):
        self.model = model
        self.memory = np.zeros((model.num_layers, model.lstm_size))
        self.output = np.zeros((model.num_layers, model.lstm_size))

    def read(self, index, hold=None):
        """Read a character, and return the logits [C] of the next."""
        inputs = np.eye(len(self.model.vocabulary))[index]
        for layer in range(self.model.num_layers):
            sums = np.concatenate([inputs, self.output[layer]]) @ self.model.kernels[layer].astype(
                np.float64
            )
            i, j, f, o = np.split(sums + self.model.biases[layer], 4)
            self.memory[layer] = sigmoid(f) * self.memory[layer] + sigmoid(i) * np.tanh(j)
            self.output[layer] = sigmoid(o) * np.tanh(self.memory[layer])
            if hold and hold.unit:
                self._hold(layer, hold, sigmoid(o))
            inputs = self.output[layer]
        return inputs @ self.model.softmax_kernel + self.model.softmax_bias

    def _hold(self, layer, hold, output_gate):
        layer_name, part, number = hold.unit.split("/")
        column = int(number) - 1
        if int(layer_name) != layer + 1:
            return
        if part == "h":
            self.output[layer, column] = hold.value
        else:
            self.output[layer, column] = output_gate[column] * hold.value
            self.memory[layer, column] = np.arctanh(hold.value)


def held_text(model, prime, seed, settings, holds, length):
    """Return what is written after a beginning; of the holds, the last that has begun counts."""
    network = HeldNetwork(model)
    random = np.random.RandomState(seed)
    ids = list(model.vocabulary.encode(prime))
    for index in ids:
        logits = network.read(index)
    for place in range(length):
        powers = np.exp((logits - logits.max()) / settings.temperature)
        least = np.sort(powers)[-settings.top_n]
        powers[powers < least] = 0
        sums = np.cumsum(powers)
        ids.append(int(np.argmax(sums > random.random_sample() * sums[-1])))
        begun = [hold for hold in holds if hold.start <= place]
        logits = network.read(ids[-1], begun[-1] if begun else None)
    return model.vocabulary.decode(ids)


def whole(text, prime):
    """Return a text without the word that its end may cut."""
    return prime + re.sub(r"\w*$", "", text[len(prime) :])


def changed_words(text, before, prime):
    """Return the words after a beginning that are not those of another text in their place, each with its number."""
    others = dict(_numbered_words(before, prime))
    words = _numbered_words(text, prime)
    return [(number, word) for number, word in words if others.get(number) != word]


def _numbered_words(text, prime):
    """Return the words after a beginning, each with its number, without the last one, which may be cut."""
    *words, _ = features.words(text[len(prime) :] + "x")
    return list(enumerate(words))


def compare_letters(*texts_of_ends):
    """In place of clamped.compare, for a network that has learned no words: "t" and "h" tell its texts apart."""
    counts = []
    for texts in texts_of_ends:
        times = clamped.counted(texts)
        counts.append([times["t"], times["h"]])
    return clamped.Comparison([["t"], ["h"]], counts, texts=len(texts_of_ends[0]))
