"""What tells texts apart that were written with a direction held at its two ends: words or signs. NumPy only."""

import itertools
import re
from dataclasses import dataclass, replace
from typing import Any, Counter, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.text import features

# characters of each text, as many as the page shows
LENGTH = 200

# How many words are named for one end, at most.
MOST_WORDS = 4
# By how many standard deviations each is more frequent there, at least.
LEAST_TELLING = 3.0
# Share of all line ends, or of all signs of a kind, that one end must have: 1.5 times as many as the other.
LEAST_SHARE_OF_SIGNS = 0.6


@dataclass(frozen=True)
class Difference:
    """What tells texts apart that were written with something held low, free, and held high: words or a sign.

    Attributes:
        words: the words for the two ends: first the two that most often follow the same words, so that one stands
            where the other one would; then the most telling. Empty for a sign.
        counts: how often they occur: for low, free and high a number for the words of each end, or one number for the
            sign.
        texts: the number of texts in each of these counts.
        sign: the sign that is counted where there are no words, such as a line end.
        seen: in how many pairs of these texts, with the same seed, each end has more of its own.
    """

    words: List[List[str]]
    counts: List[List[int]]
    texts: int
    sign: str = "\n"
    seen: int = 0

    @property
    def clearness(self) -> float:
        """By how many standard deviations the two ends differ in what is counted: the least of these."""
        at_low, _, at_high = self.counts
        return min(abs(_deviations(low, high)) for low, high in zip(at_low, at_high))

    @property
    def from_free(self) -> float:
        """By how many standard deviations each end differs from free in something that is counted: the lesser of the
        two.
        """
        at_low, free, at_high = self.counts
        of_ends = []
        for at_end in (at_low, at_high):
            of_ends.append(max(abs(_deviations(*pair)) for pair in zip(free, at_end)))
        return min(of_ends)

    @property
    def more_at_high(self) -> bool:
        """Whether the high end has more of the sign."""
        [at_low], _, [at_high] = self.counts
        return at_high > at_low

    def margin(self, low: str, high: str) -> int:
        """Return how clearly two texts, written at the two ends, show the difference: above 0, it is seen.

        Of a sign, it is how many more the text has that should have more of them. Of words, each text should have more
        of its own than the other has of these: it is the smaller of the two differences.
        """
        if not self.words:
            more = high.count(self.sign) - low.count(self.sign)
            return more if self.more_at_high else -more
        low_words, high_words = self.words
        more_of_low = _times(low_words, low) - _times(low_words, high)
        more_of_high = _times(high_words, high) - _times(high_words, low)
        return min(more_of_low, more_of_high)

    def of_first_words(self) -> "Difference":
        """Return the difference in the first word of each end alone, which a sentence names; a sign stays."""
        return replace(self, words=[of_end[:1] for of_end in self.words])

    def seen_in(self, low: Sequence[str], high: Sequence[str]) -> int:
        """Return in how many pairs of texts it is seen."""
        return sum(self.margin(*pair) > 0 for pair in zip(low, high))

    def as_json(self) -> Dict[str, Any]:
        """Return what the page reads."""
        return {
            "words": self.words or None,
            "counts": self.counts,
            "texts": self.texts,
            "sign": self.sign,
            "seen": self.seen,
        }


def _stem(word: str) -> str:
    """Return a word without an apostrophe and what follows it, such as "i" of "i'm"."""
    return re.sub("['\u2019].*", "", word)


def counted(texts: Sequence[str]) -> Counter[str]:
    """Return how often each word is in some texts, as it is written and in small letters: "I'm" counts for "I", too.

    So a word given in small letters, such as "he", stands for "He" as well, and "Sie" of German does not stand for
    "sie". A word that the end of a text cuts is left out.

    >>> sorted(counted(["He'd said he w", "I"]).items())
    [('He', 1), ("He'd", 1), ('he', 2), ("he'd", 1), ('said', 1)]
    """
    counts = Counter[str]()
    for word in _said(texts):
        stem = _stem(word)
        counts.update({word, word.lower(), stem, stem.lower()})
    return counts


def _said(texts: Sequence[str]) -> List[str]:
    """Return the words of some texts, without those that the end of a text cuts."""
    said: List[str] = []
    for text in texts:
        # With a letter more, the last word is the one that was cut, or this letter alone.
        *whole, _ = features.words(text + "x")
        said += whole
    return said


def differences_between(
    chosen_in: Tuple[Sequence[str], Sequence[str]],
    counted_in: Tuple[Sequence[str], Sequence[str], Sequence[str]],
    signs: Iterable[str],
) -> List[Difference]:
    """Return all that tells the texts of two ends apart: words, and then signs, each by itself.

    Args:
        chosen_in: the texts of the low and of the high end in which words and signs are chosen.
        counted_in: texts of the low end, free texts, and texts of the high end, of the same seeds, in which they are
            counted.
        signs: signs that may tell.
    """
    candidates = [_words_between(chosen_in, counted_in)]
    candidates += [_sign_between(sign, chosen_in, counted_in) for sign in signs]
    low, _, high = counted_in
    telling = []
    for difference in candidates:
        if difference is not None:
            telling.append(replace(difference, seen=difference.seen_in(low, high)))
    return telling


def _times(chosen: Sequence[str], text: str) -> int:
    """Return how often some words are in a text."""
    counts = counted([text])
    return sum(counts[word] for word in chosen)


def _deviations(low: int, high: int) -> float:
    """Return by how many standard deviations a count is higher at the high end."""
    return float((high - low) / np.sqrt(max(1, low + high)))


def _sign_between(
    sign: str, chosen_in: Sequence[Sequence[str]], counted_in: Sequence[Sequence[str]]
) -> Optional[Difference]:
    """Return how often a sign occurs, as in :func:`differences_between`; None if that tells nothing apart."""
    chosen_low, chosen_high = [_count(sign, texts) for texts in chosen_in]
    chosen_by = _deviations(chosen_low, chosen_high)
    counts = [_count(sign, texts) for texts in counted_in]
    at_low, _, at_high = counts
    counted_difference = _deviations(at_low, at_high)

    is_chosen = abs(chosen_by) >= LEAST_TELLING
    is_same_end = chosen_by * counted_difference > 0
    is_clear = abs(counted_difference) >= LEAST_TELLING
    is_seen = max(at_low, at_high) >= LEAST_SHARE_OF_SIGNS * (at_low + at_high)
    if is_chosen and is_same_end and is_clear and is_seen:
        texts = len(counted_in[0])
        return Difference(words=[], counts=[[count] for count in counts], texts=texts, sign=sign)
    return None


def _count(sign: str, texts: Sequence[str]) -> int:
    return sum(text.count(sign) for text in texts)


def _words_between(
    chosen_in: Sequence[Sequence[str]], counted_in: Sequence[Sequence[str]]
) -> Optional[Difference]:
    """Return which words tell texts apart, as :func:`differences_between` does; None if none does."""
    low, high = chosen_in
    said_low = _said(low)
    said_high = _said(high)
    named = _usual_forms(said_low + said_high)

    telling = _telling(named, counted(low), counted(high))
    ordered = sorted(telling, key=lambda word: (telling[word], word))
    low_words = [word for word in ordered[:MOST_WORDS] if telling[word] <= -LEAST_TELLING]
    high_words = [word for word in ordered[::-1][:MOST_WORDS] if telling[word] >= LEAST_TELLING]
    if not low_words or not high_words:
        return None

    counts = []
    for texts in counted_in:
        times = counted(texts)
        times_of_low = sum(times[word] for word in low_words)
        times_of_high = sum(times[word] for word in high_words)
        counts.append([times_of_low, times_of_high])
    at_low, _, at_high = counts
    if at_low[0] <= at_high[0] or at_high[1] <= at_low[1]:
        return None

    pair = _most_alike(low_words, high_words, low=_pairs(said_low), high=_pairs(said_high))
    words = [
        sorted(chosen, key=lambda word: word not in pair) for chosen in (low_words, high_words)
    ]
    return Difference(words, counts, texts=len(counted_in[0]))


def _usual_forms(said: List[str]) -> Dict[str, str]:
    """Return how each word is written most often, by the word in small letters, such as "Anna" by "anna"."""
    most_usual_first = Counter(said).most_common()
    return {word.lower(): word for word, _ in reversed(most_usual_first)}


def _telling(named: Dict[str, str], low: Counter[str], high: Counter[str]) -> Dict[str, float]:
    """Return how much more frequent each word is at the high end than at the low end, in standard deviations."""
    telling = {}
    for lower, word in named.items():
        stem = _stem(lower)
        if stem == lower or stem not in named:
            telling[word] = _deviations(low[word], high[word])
    return telling


def _pairs(said: List[str]) -> Counter:
    """Count the pairs of a word and the one before it, in this order, in small letters."""
    lower = [word.lower() for word in said]
    return Counter(zip(lower[1:], lower))


def _most_alike(low_words: List[str], high_words: List[str], low: Counter, high: Counter) -> tuple:
    """Return the two words before which the same words stand most often."""

    def alike(pair: tuple) -> int:
        low_word, high_word = [word.lower() for word in pair]
        common = 0
        for (word, before), count in low.items():
            if word == low_word:
                common += min(count, high[high_word, before])
        return common

    return max(itertools.product(low_words, high_words), key=alike)
