"""What a network writes while a unit is clamped at a value, and which words tell such texts apart. NumPy only."""
import itertools
import re
from typing import Any, Counter, Dict, List, Optional, Sequence

import numpy as np

from charrnn.engines.decoding import Settings
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.opened_model import Model
from charrnn.inspection import features
from charrnn.inspection.units import Unit

SEEDS = range(1, 33)  # of the texts; words are chosen in the first half of them, and counted in the second
LENGTH = 300  # characters of each
MOST_WORDS = 4  # that are named for one end
LEAST_TELLING = 3.0  # standard deviations by which a word is more frequent at one end than at the other
_SHUT = 1e4  # what a gate adds to be open, or with a minus shut, whatever comes


def write(model: Model, prime: str, settings: Settings, unit: Optional[Unit] = None, value: float = 0) -> List[str]:
    """Return a text of LENGTH characters after a beginning, without it, for each of SEEDS.

    Args:
        model: a model of lstm cells.
        prime: the beginning.
        settings: how to draw.
        unit: a unit that is clamped at a value from the first drawn character on. None for none.
        value: as it is shown, between -1 and 1, where it stays a little away from the two, as on the page.
    """
    engine = model.engine()
    logits, state = engine.read(model.vocabulary.encode(prime), engine.zero_state())
    logits, state = np.repeat(logits, len(SEEDS), axis=0), np.repeat(state, len(SEEDS), axis=1)  # [B, C], [S, B, L]
    if unit is not None:  # its memory is kept, nothing gets in, and an output is all of it
        layer, is_output = divmod(unit.part, 2)
        biases = model.biases  # a new list each time, so it can be changed
        gates = biases[layer].reshape(4, -1)  # i, j, f, o
        gates[[0, 2], unit.column] = -_SHUT, _SHUT
        gates[3, unit.column] += _SHUT * is_output
        state[2 * layer, :, unit.column] = np.arctanh(np.clip(value, -0.99, 0.99).round(2))
        engine = NumpyLSTM(model.vocabulary, model.kernels, biases, model.softmax_kernel, model.softmax_bias)
    uniforms = np.stack([np.random.RandomState(seed).random_sample(LENGTH) for seed in SEEDS], axis=1)
    return [model.vocabulary.decode(ids) for ids in engine.draw(logits, state, uniforms, settings)[0].T]


def _stem(word: str) -> str:
    return re.split("['\u2019]", word)[0]


def counted(texts: Sequence[str]) -> Counter[str]:
    """Return how often each word is in some texts, in small letters: "I'm" counts for "i'm" and for "i".

    A word that the end of a text cuts is left out.

    >>> sorted(counted(["He'd said he w", "I"]).items())
    [('he', 2), ("he'd", 1), ('said', 1)]
    """
    words = (word.lower() for text in texts for word in features.words(text + "x")[:-1])
    return Counter(form for word in words for form in {word, _stem(word)})


def compare(low: Sequence[str], free: Sequence[str], high: Sequence[str]) -> Optional[Dict[str, Any]]:
    """Return which words tell texts apart that were written with a unit clamped low, free, and clamped high.

    The words are chosen in the first half of the texts, and counted in the second.

    Returns:
        ``words``, the words for the two ends: first the two that most often follow the same words, so that one stands
        where the other one would; then the most telling. ``counts``, how often they occur: for low, free and high a
        number for each end. ``texts``, the number of texts in each of these counts. None if no word tells them apart.
    """
    half = len(low) // 2
    first, last = (counted(texts[:half]) for texts in (low, high))
    said = [features.words("\n".join(texts)) for texts in (low, high)]
    forms = {word.lower(): word for word, _ in Counter(said[0] + said[1]).most_common()[::-1]}  # the most usual one
    telling = {word: (last[word] - first[word]) / np.sqrt(max(1, last[word] + first[word])) for word in forms
               if _stem(word) == word or _stem(word) not in forms}
    ordered = sorted(telling, key=lambda word: (telling[word], word))
    words = [[word for word in ordered[:MOST_WORDS] if telling[word] <= -LEAST_TELLING],
             [word for word in ordered[:-MOST_WORDS - 1:-1] if telling[word] >= LEAST_TELLING]]
    counts = [[sum(counted(texts[half:])[word] for word in chosen) for chosen in words] for texts in (low, free, high)]
    if not all(words) or counts[0][0] <= counts[2][0] or counts[2][1] <= counts[0][1]:
        return None
    before = [Counter((b.lower(), a.lower()) for a, b in zip(spoken, spoken[1:])) for spoken in said]

    def alike(pair):  # how often the same word stands before the two
        return sum(min(n, before[1][pair[1], other]) for (word, other), n in before[0].items() if word == pair[0])
    pair = max(itertools.product(*words), key=alike)
    words = [sorted(chosen, key=lambda word: word not in pair) for chosen in words]
    return {"words": [[forms[word] for word in chosen] for chosen in words], "counts": counts, "texts": half}
