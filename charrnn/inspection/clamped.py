"""What a network writes while a unit is clamped at a value, and what tells such texts apart. NumPy only."""

import itertools
import re
from dataclasses import dataclass
from typing import Any, Counter, Dict, List, Optional, Sequence

import numpy as np

from charrnn.engines.decoding import Settings
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.trained_model import Model
from charrnn.inspection.units import Unit
from charrnn.text import features

# Seeds of the texts; words are chosen in the first half of them, and counted in the second.
SEEDS = range(1, 33)
# characters of each text
LENGTH = 300

# How many words are named for one end, at most.
MOST_WORDS = 4
# By how many standard deviations each is more frequent there, at least.
LEAST_TELLING = 3.0
# Share of all line ends that one end must have, so that a reader sees it without counting.
LEAST_SHARE_OF_LINE_ENDS = 0.85


@dataclass(frozen=True)
class Comparison:
    """What tells texts apart that were written with a unit clamped low, free, and clamped high: words or line ends.

    Attributes:
        words: the words for the two ends: first the two that most often follow the same words, so that one stands
            where the other one would; then the most telling. Empty for line ends.
        counts: how often they occur: for low, free and high a number for the words of each end, or one number for the
            line ends.
        texts: the number of texts in each of these counts.
    """

    words: List[List[str]]
    counts: List[List[int]]
    texts: int

    @property
    def of_line_ends(self) -> bool:
        """Whether line ends tell the texts apart, and not words."""
        return not self.words

    @property
    def clearness(self) -> float:
        """By how many standard deviations the two ends differ in what is counted: the least of these."""
        at_low, _, at_high = self.counts
        return min(abs(_difference(low, high)) for low, high in zip(at_low, at_high))

    def as_json(self) -> Dict[str, Any]:
        """Return what the page reads."""
        return {"words": self.words or None, "counts": self.counts, "texts": self.texts}


# The bias of a gate that is open whatever the network reads; with a minus, of one that is shut.
_ALWAYS = 1e4


def write(
    model: Model, prime: str, settings: Settings, unit: Optional[Unit] = None, value: float = 0
) -> List[str]:
    """Return a text of LENGTH characters after a beginning, without it, for each of SEEDS.

    Args:
        model: a model of lstm cells.
        prime: the beginning.
        settings: how to draw.
        unit: a unit that is clamped at a value from the first drawn character on. None for none.
        value: the value to show, in [-1, 1]. As on the page, it is rounded to two decimals and kept within ±0.99.
    """
    engine = model.engine()
    logits, state = engine.read(model.vocabulary.encode(prime), engine.zero_state())
    logits = np.repeat(logits, len(SEEDS), axis=0)  # [B, C]
    state = np.repeat(state, len(SEEDS), axis=1)  # [S, B, L]
    if unit is not None:
        layer = unit.part // 2
        shown = np.clip(value, -0.99, 0.99).round(2)
        state[2 * layer, :, unit.column] = np.arctanh(shown)
        engine = _with_clamped_gates(model, unit)
    rngs = [np.random.RandomState(seed) for seed in SEEDS]
    uniforms = np.stack([rng.random_sample(LENGTH) for rng in rngs], axis=1)  # [T, B]
    drawn, *_ = engine.generate(logits, state, uniforms, settings)
    return [model.vocabulary.decode(ids) for ids in drawn.T]


def _with_clamped_gates(model: Model, unit: Unit) -> NumpyLSTM:
    """Return an engine that keeps the memory of a unit as it is. If the unit is an output, it shows all its memory."""
    layer, is_output = divmod(unit.part, 2)
    # The model makes new arrays each time, so they may be changed.
    biases = model.biases
    gates = biases[layer].reshape(4, -1)  # i, j, f, o
    # Shut the input gate and open the forget gate, so that the memory stays.
    gates[0, unit.column] = -_ALWAYS
    gates[2, unit.column] = _ALWAYS
    if is_output:
        # Open the output gate, so that the output is the tanh of the memory.
        gates[3, unit.column] += _ALWAYS
    return NumpyLSTM(
        vocabulary=model.vocabulary,
        kernels=model.kernels,
        biases=biases,
        softmax_kernel=model.softmax_kernel,
        softmax_bias=model.softmax_bias,
    )


def _stem(word: str) -> str:
    """Return a word without an apostrophe and what follows it, such as "i" of "i'm"."""
    return re.sub("['\u2019].*", "", word)


def counted(texts: Sequence[str]) -> Counter[str]:
    """Return how often each word is in some texts, in small letters: "I'm" counts for "i'm" and for "i".

    A word that the end of a text cuts is left out.

    >>> sorted(counted(["He'd said he w", "I"]).items())
    [('he', 2), ("he'd", 1), ('said', 1)]
    """
    counts = Counter[str]()
    for text in texts:
        # With a letter more, the last word is the one that was cut, or this letter alone.
        *whole, _ = features.words(text + "x")
        for word in whole:
            counts.update({word.lower(), _stem(word.lower())})
    return counts


def compare(low: Sequence[str], free: Sequence[str], high: Sequence[str]) -> Optional[Comparison]:
    """Return what tells texts apart that were written with a unit clamped low, free, and clamped high.

    These are words or line ends, whichever differ more clearly. They are chosen in the first half of the texts, and
    counted in the second. None if nothing tells them apart.
    """
    comparisons = [_compare_words(low, free, high), _compare_line_ends(low, free, high)]
    telling = [comparison for comparison in comparisons if comparison is not None]
    if not telling:
        return None
    return max(telling, key=lambda comparison: comparison.clearness)


def seen(low: str, high: str, comparison: Comparison) -> int:
    """Return how clearly two texts, written at the two ends, show what a comparison says; below 1, they do not.

    Of line ends, it is how many more the text has that should have more of them. Of words, each text should have its
    own words more often than it has those of the other, and more often than the other has them: it is the smallest of
    these differences. They are taken of all words, and of the first word of each end, which a sentence names.
    """
    if comparison.of_line_ends:
        [counted_low], _, [counted_high] = comparison.counts
        more_at_high = _line_ends([high]) - _line_ends([low])
        return more_at_high if counted_high > counted_low else -more_at_high

    low_words, high_words = comparison.words
    margins = []
    for of_low, of_high in [(low_words, high_words), (low_words[:1], high_words[:1])]:
        own_in_low = _times(of_low, low)
        own_in_high = _times(of_high, high)
        others_in_low = _times(of_high, low)
        others_in_high = _times(of_low, high)
        most_of_others = max(others_in_low, others_in_high)
        margins.append(min(own_in_low, own_in_high) - most_of_others)
    return min(margins)


def _times(chosen: Sequence[str], text: str) -> int:
    """Return how often some words are in a text."""
    counts = counted([text])
    return sum(counts[word.lower()] for word in chosen)


def _difference(low: int, high: int) -> float:
    """Return by how many standard deviations a count is higher at the high end."""
    return float((high - low) / np.sqrt(max(1, low + high)))


def _compare_line_ends(
    low: Sequence[str], free: Sequence[str], high: Sequence[str]
) -> Optional[Comparison]:
    """Return how often lines end, as :func:`compare` does; None if that does not tell the texts apart."""
    half = len(low) // 2
    chosen_by = _difference(_line_ends(low[:half]), _line_ends(high[:half]))
    counts = [_line_ends(texts[half:]) for texts in (low, free, high)]
    at_low, _, at_high = counts
    counted_difference = _difference(at_low, at_high)

    is_chosen = abs(chosen_by) >= LEAST_TELLING
    is_same_end = chosen_by * counted_difference > 0
    is_seen = max(at_low, at_high) >= LEAST_SHARE_OF_LINE_ENDS * (at_low + at_high)
    if is_chosen and is_same_end and is_seen:
        return Comparison(words=[], counts=[[count] for count in counts], texts=half)
    return None


def _line_ends(texts: Sequence[str]) -> int:
    return sum(text.count("\n") for text in texts)


def _compare_words(
    low: Sequence[str], free: Sequence[str], high: Sequence[str]
) -> Optional[Comparison]:
    """Return which words tell texts apart, as :func:`compare` does; None if none does."""
    half = len(low) // 2
    said_low = features.words("\n".join(low))
    said_high = features.words("\n".join(high))
    usual_forms = _usual_forms(said_low + said_high)

    telling = _telling(usual_forms, counted(low[:half]), counted(high[:half]))
    ordered = sorted(telling, key=lambda word: (telling[word], word))
    low_words = [word for word in ordered[:MOST_WORDS] if telling[word] <= -LEAST_TELLING]
    high_words = [word for word in ordered[::-1][:MOST_WORDS] if telling[word] >= LEAST_TELLING]
    if not low_words or not high_words:
        return None

    counts = []
    for texts in (low, free, high):
        times = counted(texts[half:])
        times_of_low = sum(times[word] for word in low_words)
        times_of_high = sum(times[word] for word in high_words)
        counts.append([times_of_low, times_of_high])
    at_low, _, at_high = counts
    if at_low[0] <= at_high[0] or at_high[1] <= at_low[1]:
        return None

    pair = _most_alike(low_words, high_words, low=_pairs(said_low), high=_pairs(said_high))
    words = []
    for chosen in (low_words, high_words):
        first_the_pair = sorted(chosen, key=lambda word: word not in pair)
        words.append([usual_forms[word] for word in first_the_pair])
    return Comparison(words, counts, texts=half)


def _usual_forms(said: List[str]) -> Dict[str, str]:
    """Return how each word is written most often, by the word in small letters, such as "Anna" by "anna"."""
    most_usual_first = Counter(said).most_common()
    return {word.lower(): word for word, _ in reversed(most_usual_first)}


def _telling(words: Dict[str, str], low: Counter[str], high: Counter[str]) -> Dict[str, float]:
    """Return how much more frequent each word is at the high end than at the low end, in standard deviations."""
    telling = {}
    for word in words:
        stem = _stem(word)
        if stem == word or stem not in words:
            telling[word] = _difference(low[word], high[word])
    return telling


def _pairs(said: List[str]) -> Counter:
    """Count the pairs of a word and the one before it, in this order, in small letters."""
    lower = [word.lower() for word in said]
    return Counter(zip(lower[1:], lower))


def _most_alike(low_words: List[str], high_words: List[str], low: Counter, high: Counter) -> tuple:
    """Return the two words before which the same words stand most often."""

    def alike(pair: tuple) -> int:
        low_word, high_word = pair
        common = 0
        for (word, before), count in low.items():
            if word == low_word:
                common += min(count, high[high_word, before])
        return common

    return max(itertools.product(low_words, high_words), key=alike)
