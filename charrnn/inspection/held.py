"""What a network writes while a unit is held at a value, and which words tell such texts apart. NumPy only."""
from typing import Any, Counter, Dict, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.engines.decoding import Settings
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.opened_model import Model
from charrnn.inspection import features
from charrnn.inspection.units import Unit

SEEDS = range(1, 49)  # of the texts; words are chosen in the first half of them, and counted in the second
LENGTH = 300  # characters of each
MOST_WORDS = 5  # that are named for one end
LEAST_TELLING = 3.0  # standard deviations by which a word is more frequent at one end than at the other
_SHUT = 1e4  # what a gate adds to be open, or with a minus shut, whatever comes


def write(model: Model, prime: str, settings: Settings, unit: Optional[Unit] = None, value: float = 0) -> List[str]:
    """Return a text of LENGTH characters after a beginning, without it, for each of SEEDS.

    Args:
        model: a model of lstm cells.
        prime: the beginning.
        settings: how to draw.
        unit: a unit that is held at a value from the first drawn character on. None for none.
        value: between -1 and 1, as it is shown.
    """
    biases = [bias.copy() for bias in model.biases]
    engine = NumpyLSTM(model.vocabulary, model.kernels, biases, model.softmax_kernel, model.softmax_bias)
    logits, state = engine.read(model.vocabulary.encode(prime), engine.zero_state())
    logits, state = (np.repeat(each, len(SEEDS), axis=axis) for axis, each in enumerate((logits, state)))
    if unit is not None:  # its memory is kept, nothing gets in, and an output is all of it
        layer, is_output = divmod(unit.part, 2)
        gates = biases[layer].reshape(4, -1)  # i, j, f, o
        gates[[0, 2], unit.column] = -_SHUT, _SHUT
        gates[3, unit.column] += _SHUT * is_output
        state[2 * layer, :, unit.column] = np.arctanh(value)
        engine = NumpyLSTM(model.vocabulary, model.kernels, biases, model.softmax_kernel, model.softmax_bias)
    uniforms = np.stack([np.random.RandomState(seed).random_sample(LENGTH) for seed in SEEDS], axis=1)
    return [model.vocabulary.decode(ids) for ids in engine.draw(logits, state, uniforms, settings)[0].T]


def counted(texts: Sequence[str]) -> Counter[str]:
    """Return how often each word is in some texts, in small letters. A word that the end of a text cuts is left out.

    >>> sorted(counted(["He said he w", "I"]).items())
    [('he', 2), ('said', 1)]
    """
    return Counter(word.lower() for text in texts for word in features.words(text + "x")[:-1])


def compare(low: Sequence[str], free: Sequence[str], high: Sequence[str]) -> Optional[Dict[str, Any]]:
    """Return which words tell texts apart that were written with a unit held at its lowest, free, and at its highest.

    Returns:
        ``words``, the words for each end, the most telling first; ``counts``, how often they are in the texts of the
        second half of the seeds: for low, free and high a number for each list of words; and ``texts``, how many those
        are. None if no word tells the texts apart.
    """
    half = len(SEEDS) // 2
    first, last = (counted(texts[:half]) for texts in (low, high))
    telling = {word: (last[word] - first[word]) / np.sqrt(last[word] + first[word]) for word in {**first, **last}}
    ordered = sorted(telling, key=lambda word: (telling[word], word))
    words = [[word for word in ordered[:MOST_WORDS] if telling[word] <= -LEAST_TELLING],
             [word for word in ordered[:-MOST_WORDS - 1:-1] if telling[word] >= LEAST_TELLING]]
    counts = [[sum(counted(texts[half:])[word] for word in chosen) for chosen in words] for texts in (low, free, high)]
    if not any(words) or counts[0][0] < counts[2][0] or counts[2][1] < counts[0][1]:
        return None
    forms = {word.lower(): word for word in sorted(features.words("\n".join([*low, *high])))}  # small letters come last
    return {"words": [[forms[word] for word in chosen] for chosen in words], "counts": counts, "texts": half}
