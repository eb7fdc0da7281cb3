"""What the page should write with a direction held, in float64, and which of its words should be marked."""

import re
from typing import NamedTuple, Optional

import numpy as np

from charrnn.engines.directions import Direction, Steering
from charrnn.engines.sampler import Sampler
from charrnn.inspection import differences, steered
from charrnn.text import features

# What the small page slides along, and where it is held.
NAME = "start of a sentence"
ENDS = (-0.5, 1.5)


def made_direction(model, seed=2):
    """Return a direction of a model that is too small to have one."""
    random = np.random.RandomState(seed)
    size = model.num_layers * model.lstm_size
    return Direction(
        probe=random.standard_normal(size),
        move=random.standard_normal(size),
        outside=-0.5,
        inside=0.5,
        correlation=0.9,
    )


def texts_at(model, direction, strength, prime, settings, seeds):
    """Return the texts of NumPy for some seeds, in which a direction is held at a strength."""
    steering = Steering(
        model.vocabulary,
        {NAME: direction},
        {NAME: strength},
        model.softmax_kernel,
        model.softmax_bias,
    )
    sampler = Sampler(model.engine(), len(seeds), steering=steering)
    samples = sampler.write(prime, steered.LENGTH, settings, seeds[0])
    return [sample.text for sample in samples]


def made_up(model, direction, primes, settings):
    """Return what is told of a direction of a network that has learned no words: "t" and "h" are counted."""
    low = {}
    high = {}
    for prime in primes:
        low[prime] = texts_at(model, direction, ENDS[0], prime, settings, steered.COUNTED)
        high[prime] = texts_at(model, direction, ENDS[1], prime, settings, steered.COUNTED)
    prime = primes[0]
    counts = []
    for texts in (low[prime], low[prime], high[prime]):
        times = differences.counted(texts)
        counts.append([times["t"], times["h"]])
    difference = differences.Difference([["t"], ["h"]], counts, texts=len(steered.COUNTED))
    return steered.ToldDirection(
        NAME, direction, ENDS, difference, seen={prime: 29}, low=low, high=high
    )


class Hold(NamedTuple):
    """From a place of the text on, counted from its beginning, the direction is held at a strength; None, not."""

    start: int
    strength: Optional[float]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class HeldNetwork:
    """A network of LSTM cells, of which a direction can be held."""

    def __init__(self, model, direction):
        self.model = model
        self.direction = direction
        self.memory = np.zeros((model.num_layers, model.lstm_size))
        self.output = np.zeros((model.num_layers, model.lstm_size))

    def read(self, index, strength=None):
        """Read a character, and return the logits [C] of the next."""
        inputs = np.eye(len(self.model.vocabulary))[index]
        for layer in range(self.model.num_layers):
            sums = np.concatenate([inputs, self.output[layer]]) @ self.model.kernels[layer].astype(
                np.float64
            )
            i, j, f, o = np.split(sums + self.model.biases[layer], 4)
            self.memory[layer] = sigmoid(f) * self.memory[layer] + sigmoid(i) * np.tanh(j)
            self.output[layer] = sigmoid(o) * np.tanh(self.memory[layer])
            inputs = self.output[layer]
        if strength is not None and not self.model.vocabulary.chars[index].isalpha():
            self._hold(strength)
            self.output[-1] = sigmoid(o) * np.tanh(self.memory[-1])
        return self.output[-1] @ self.model.softmax_kernel + self.model.softmax_bias

    def _hold(self, strength):
        direction = self.direction
        target = direction.outside + strength * (direction.inside - direction.outside)
        missing = target - direction.probe @ self.memory.ravel()
        per_unit = direction.move / (direction.probe @ direction.move)
        self.memory += missing * per_unit.reshape(self.memory.shape)


def held_text(model, direction, prime, seed, settings, holds, length):
    """Return what is written after a beginning; of the holds, the last that has begun counts."""
    network = HeldNetwork(model, direction)
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
        logits = network.read(ids[-1], begun[-1].strength if begun else None)
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
