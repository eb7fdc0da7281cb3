"""What a network writes while a direction of its memory is held at two ends, and which directions a page tells.

A direction is told if whoever holds it sees what is said, with any beginning and any seed. NumPy only.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from charrnn.checkpoints.writing import Writing
from charrnn.engines.directions import Direction, Steering
from charrnn.engines.sampler import Sampler
from charrnn.engines.trained_model import Model
from charrnn.inspection.differences import (
    LEAST_TELLING,
    LENGTH,
    Difference,
    differences_between,
)
from charrnn.system import words
from charrnn.text import features, lexicon
from charrnn.text.baselines import mean_of_letters

# of the texts of a page
TEMPERATURE = 0.5
# Where the two ends of a direction may be: half as far again as the means outside and inside, or nearer. On either
# side, it is held at the first of these values at which the network writes as it does freely.
LOW_ENDS = (-0.5, -0.25, 0.0, 0.25)
HIGH_ENDS = (1.5, 1.25, 1.0, 0.75)
# How far to hold, and what is said, is counted in the texts of these seeds; what to say is chosen in those of others.
COUNTED = range(1, 33)
CHOOSING = range(33, 49)
# In how many of the counted texts it must be seen, after each beginning.
LEAST_SEEN = 28
# Beginnings of the texts, at most.
MOST_PRIMES = 3
# How many known words there must be at an end, for one in free texts.
LEAST_KNOWN = 0.99
# Signs that are looked at, beside line ends: the kinds of these in charrnn.text.features.
SIGNS = '.!,"()-'


@dataclass(frozen=True)
class ToldDirection:
    """A direction whose two ends can be told apart in what is written.

    Attributes:
        name: the property of the text.
        direction: what is held.
        ends: where it is held, low and high.
        difference: what tells the ends apart.
        seen: in how many pairs of texts it is seen, by their beginnings.
        low: a text for each of the counted seeds after each beginning, held at the low end.
        high: the same, held at the high end.
    """

    name: str
    direction: Direction
    ends: Tuple[float, float]
    difference: Difference
    seen: Dict[str, int]
    low: Dict[str, List[str]]
    high: Dict[str, List[str]]

    def as_json(self) -> Dict[str, Any]:
        """Return what the page holds the direction with, see setDirections in ``charrnn/pages/shared/engine.js``."""
        direction = self.direction
        per_unit = direction.move / (direction.probe @ direction.move)
        return {
            "name": self.name,
            "probe": _rounded(direction.probe),
            "move": _rounded(per_unit),
            "outside": direction.outside,
            "inside": direction.inside,
            "ends": self.ends,
        }


def _rounded(values: Sequence[float]) -> List[float]:
    """Return numbers with the digits that float32 has."""
    return [float(f"{value:.7g}") for value in values]


class Trial:
    """The directions of a network are tried by writing with each of them.

    Attributes:
        primes: the beginnings of the texts.
    """

    def __init__(
        self,
        model: Model,
        directions: Mapping[str, Direction],
        primes: Sequence[str],
        text: str,
    ) -> None:
        """Prepare to try directions, and write free texts.

        Args:
            model: the model with the weights of the page.
            directions: its directions.
            primes: beginnings, of which MOST_PRIMES are used.
            text: the training text, whose words the network should write, beside those of its language.
        """
        self.primes = primes[:MOST_PRIMES]
        self._model = model
        self._engine = model.engine()
        self._directions = directions
        self._writing = Writing(temperature=TEMPERATURE)
        self._known_words = set(features.words(text))
        self._known_words.update(model.listed_words() or ())
        free = self._write(COUNTED)
        self._free = _all_of(free)
        self._least_known = LEAST_KNOWN * self._share_of_known(self._free)
        measures = self._measures(free)
        self._least = measures.min(axis=1)
        self._most = measures.max(axis=1)

    def told(self) -> List[ToldDirection]:
        """Return the directions that are told: those that words tell come first, and of these what is read best."""
        told = []
        for name in self._directions:
            # What a character is by itself, the network need not remember.
            if features.BY_NAME[name].claim:
                told_direction = self._tried(name)
                if told_direction:
                    told.append(told_direction)
        told.sort(key=lambda direction: not direction.difference.words)
        return told

    def _tried(self, name: str) -> Optional[ToldDirection]:
        """Return a direction with what tells its ends apart; None if it is not told."""
        widest_low = self._widest(name, LOW_ENDS)
        if widest_low is None:
            return None
        widest_high = self._widest(name, HIGH_ENDS)
        if widest_high is None:
            return None
        low_end, low = widest_low
        high_end, high = widest_high

        chosen_low = _all_of(self._write(CHOOSING, {name: low_end}))
        chosen_high = _all_of(self._write(CHOOSING, {name: high_end}))
        chosen_in = (chosen_low, chosen_high)
        counted_in = (_all_of(low), self._free, _all_of(high))
        signs = _signs_of(chosen_low + chosen_high)
        telling = differences_between(chosen_in, counted_in, signs)
        held = []
        for difference in telling:
            seen = {prime: difference.seen_in(low[prime], high[prime]) for prime in self.primes}
            if min(seen.values()) >= LEAST_SEEN and difference.from_free >= LEAST_TELLING:
                told = ToldDirection(
                    name,
                    self._directions[name],
                    ends=(low_end, high_end),
                    difference=difference,
                    seen=seen,
                    low=low,
                    high=high,
                )
                held.append(told)
        if not held:
            return None
        # A reader sees first what differs most clearly.
        return max(held, key=lambda told: told.difference.clearness)

    def _widest(
        self, name: str, ends: Sequence[float]
    ) -> Optional[Tuple[float, Dict[str, List[str]]]]:
        """Return the first of some ends of a direction whose texts are as free ones, and these; None if none is."""
        for end in ends:
            written = self._write(COUNTED, {name: end})
            if self._are_as_free(written):
                return end, written
        return None

    def _are_as_free(self, written: Dict[str, List[str]]) -> bool:
        """Return whether texts have as many known words as free ones, and are on the mean within what these measure."""
        if self._share_of_known(_all_of(written)) < self._least_known:
            return False
        means = self._measures(written).mean(axis=1)
        return bool(np.all(means >= self._least) and np.all(means <= self._most))

    def _measures(self, written: Dict[str, List[str]]) -> np.ndarray:
        """Return of each text the shares of capitals and letters, and its surprise, float64 [3, n]."""
        texts = _all_of(written)
        capitals = [_share_of_capitals(text) for text in texts]
        letters = [_share_of_letters(text) for text in texts]
        return np.array([capitals, letters, self._surprises(written)])

    def _surprises(self, written: Dict[str, List[str]]) -> List[float]:
        """Return the mean nats with which the letters of each text surprise the network while nothing is held."""
        surprises = []
        for prime, texts in written.items():
            ids = np.array([self._model.vocabulary.encode(prime + text) for text in texts])
            state = self._engine.zero_state(len(texts))
            nats, _ = self._engine.surprisal(ids[:, :-1], ids[:, 1:], state)
            for nats_of_text, text in zip(nats, texts):
                surprises.append(mean_of_letters(nats_of_text[len(prime) - 1 :], text))
        return surprises

    def _write(
        self, seeds: Sequence[int], steer: Optional[Mapping[str, float]] = None
    ) -> Dict[str, List[str]]:
        """Return a text for each seed after each beginning, without it."""
        steering = None
        if steer:
            model = self._model
            steering = Steering(
                model.vocabulary,
                self._directions,
                steer,
                model.softmax_kernel,
                model.softmax_bias,
            )
        sampler = Sampler(self._engine, len(seeds), steering=steering)
        written = {}
        for prime in self.primes:
            samples = sampler.write(prime, LENGTH, self._writing, seeds[0])
            written[prime] = [sample.text for sample in samples]
        return written

    def _share_of_known(self, texts: Sequence[str]) -> float:
        """Return how many of the words in texts are known, at the beginning of a sentence but for their capital.

        The last word of each text is left out, which its end may cut.
        """
        said = 0
        known = 0
        for text in texts:
            *spans, _ = features.spans_of_words(text) or [(0, 0)]
            for start, end in spans:
                word = text[start:end]
                said += 1
                if word in self._known_words:
                    known += 1
                elif lexicon.begins_sentence(text[:end], word):
                    known += word[:1].lower() + word[1:] in self._known_words
        return known / max(1, said)


def _share_of_capitals(text: str) -> float:
    """Return how many of the words of a text begin with a capital."""
    words_of_text = features.words(text)
    capitals = [word for word in words_of_text if word[0].isupper()]
    return len(capitals) / max(1, len(words_of_text))


def _share_of_letters(text: str) -> float:
    letters = [char for char in text if char.isalpha()]
    return len(letters) / len(text)


def _all_of(texts: Dict[str, List[str]]) -> List[str]:
    """Return the texts of all beginnings."""
    together: List[str] = []
    for of_prime in texts.values():
        together += of_prime
    return together


def _signs_of(texts: Sequence[str]) -> List[str]:
    """Return the signs in texts, the line end first."""
    signs = {char for char in "".join(texts) if features.kinds(char) in SIGNS}
    return ["\n", *sorted(signs)]


def no_direction_told(primes: Sequence[str]) -> str:
    """Return why a page tells no direction where there are some."""
    beginnings = words.plural(len(primes[:MOST_PRIMES]), "beginning")
    return (
        "Several numbers together were moved as well, but none of these directions changed the text as could be "
        f"said in {LEAST_SEEN} of {len(COUNTED)} texts from each of {beginnings}."
    )
