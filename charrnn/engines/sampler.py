"""Writing with any engine: one text or several, in pieces, until each text ends. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import Settings
from charrnn.text import unknown

# Beginnings that are tried in order: the notebook's, then a frequent word or character of other scripts.
PRIMES = ("The ", "the ", "\u306e", "\u7684", "\uc774", "\u0438", "\u03ba\u03b1\u03b9 ", "\u0627\u0644", "\u05d4")
LARGE_VOCABULARY = 200  # characters above which top_n is off by default, as for Chinese
CHUNK = 50  # characters drawn in one call of the engine
SEEDS = 2 ** 32  # NumPy takes seeds below this number


def check_prime(prime: str, vocabulary: Vocabulary) -> None:
    """Raise ValueError if a prime is empty or has characters that the vocabulary lacks."""
    if not prime:
        raise ValueError("the prime is empty: give at least one character to begin with")
    unknown.resolve(prime, vocabulary, "error", "the prime")


def default_prime(vocabulary: Vocabulary) -> str:
    """Return the first of PRIMES that a vocabulary has, or else its first letter, or its first character.

    >>> default_prime(Vocabulary("\\n ab")), default_prime(Vocabulary("\\n!"))
    ('a', '!')
    """
    fitting = [prime for prime in PRIMES if not vocabulary.unknown(prime)]
    letters = [char for char in vocabulary.chars if char.isalpha()]
    visible = [char for char in vocabulary.chars if char.isprintable() and not char.isspace()]
    return [*fitting, *letters, *visible, *vocabulary.chars][0]


def default_top_n(num_classes: int) -> int:
    """Return the notebook's ``top_n`` of 5, or all characters of a large vocabulary."""
    return 5 if num_classes <= LARGE_VOCABULARY else num_classes


def choose_settings(num_classes: int, temperature: float = 1.0, top_n: Optional[int] = None,
                    top_p: Optional[float] = None) -> Settings:
    """Return Settings with what suits a vocabulary of C characters where nothing is given.

    Raises:
        ValueError: a setting is out of range.
    """
    if top_n is None:
        top_n = default_top_n(num_classes) if top_p is None else num_classes
    settings = Settings(temperature, top_n, 1.0 if top_p is None else top_p)
    settings.check()
    return settings


def fresh_seed(below: int = SEEDS) -> int:
    """Choose a seed at random, at least 0."""
    return int(np.random.RandomState().randint(below, dtype=np.int64))


class Sampler:
    """An engine that writes several texts at once, with the same prime.

    Attributes:
        vocabulary: the characters that the engine knows.
        num_samples: B, texts written at once.
    """

    def __init__(self, engine: Engine, num_samples: int = 1):
        """Keep the engine.

        Args:
            engine: the network.
            num_samples: B, at least 1.
        """
        self.vocabulary, self.num_samples, self._engine = engine.vocabulary, num_samples, engine
        self._last: Optional[Tuple[np.ndarray, np.ndarray]] = None  # logits and state after what was drawn last

    def check_continues(self) -> None:
        """Raise ValueError if nothing was drawn yet that can be continued."""
        if not self._last:
            raise ValueError("there is no text to continue yet")

    def pieces(self, prime: str, length: int, settings: Settings, rngs: Sequence[np.random.RandomState],
               after_last: bool = False) -> Iterator[Tuple[List[str], np.ndarray]]:
        """Yield the texts in pieces of at most CHUNK characters.

        Args:
            prime: the beginning of all texts, see :func:`check_prime`.
            length: characters to draw for each text, at least 0.
            settings: how to draw, in range.
            rngs: B random number generators, one for each text.
            after_last: continue the texts that were drawn before, with their state. The prime may then be empty. If
                there are several texts, it must be.

        Yields:
            (texts, log_probabilities): B strings of equal length T, and for each of their characters the natural
            logarithm of its probability, float32 [T, B], before temperature, ``top_n`` and ``top_p``.

        Raises:
            ValueError: there is no text to continue. It is raised when the first piece is requested.
        """
        if after_last:
            self.check_continues()
        engine, rows = self._engine, self.num_samples
        logits, state = self._last if after_last and self._last else (None, engine.zero_state())
        if prime:
            logits, state = engine.read(self.vocabulary.encode(prime), state)
            logits, state = np.repeat(logits, rows, axis=0), np.repeat(state, rows, axis=1)  # [B, C], [S, B, L]
        for start in range(0, length, CHUNK):
            uniforms = np.stack([rng.random_sample(min(CHUNK, length - start)) for rng in rngs], axis=1)  # [T, B]
            ids, log_probabilities, logits, state = engine.draw(logits, state, uniforms, settings)
            self._last = logits, state
            yield [self.vocabulary.decode(column) for column in ids.T], log_probabilities


@dataclass(frozen=True)
class Sample:
    """A text that was written.

    Attributes:
        seed: the seed that it was drawn with.
        text: the drawn characters, without the prime.
        log_probabilities: the natural logarithm of the probability that the network gave each drawn character.
    """

    seed: int
    text: str
    log_probabilities: List[float]


class _Growing:
    """A sample that is being written."""

    def __init__(self, seed: int, stop: Optional[str], keep: bool, prime: str):
        self.seed, self._stop, self._keep = seed, stop or "", keep
        self.ended = False
        # the last characters, which may be the beginning of the string that ends the text
        self._last = prime[max(0, len(prime) - len(self._stop) + 1):]
        self._pieces: List[str] = []
        self._log_probabilities: List[np.ndarray] = []

    def add(self, piece: str, log_probabilities: np.ndarray) -> str:
        """Append a piece, or its beginning if the text ends in it. Return what was appended."""
        if self.ended:
            return ""
        if self._stop:
            text = self._last + piece
            if self._stop in text:
                piece = text[len(self._last):text.index(self._stop) + len(self._stop)]
                self.ended = True
            self._last = text[max(0, len(text) - len(self._stop) + 1):]
        if self._keep:
            self._pieces.append(piece)
            self._log_probabilities.append(log_probabilities[:len(piece)].copy())
        return piece

    def sample(self) -> Sample:
        """Return what was written so far. Its text is empty if it is not kept."""
        return Sample(self.seed, "".join(self._pieces),
                      [value for each in self._log_probabilities for value in each.tolist()])


def write(sampler: Sampler, prime: str, length: int, settings: Settings, seed: int, *,
          stop: Optional[str] = None, after_last: bool = False, show: Optional[Callable[[str], object]] = None,
          keep: bool = True) -> Tuple[List[Sample], bool]:
    """Write as many texts as the sampler has rows.

    Args:
        sampler: the rows and their engine.
        prime: the beginning of all texts.
        length: characters to draw for each text, at least 0.
        settings: how to draw.
        seed: the seed of the first text. Each further text has the next seed; after SEEDS - 1 comes 0.
        stop: end a text after this string, which may begin in the prime, if it is not empty.
        after_last: as for :meth:`Sampler.pieces`.
        show: called with each piece of the first text when it has been drawn.
        keep: return the texts. Without them, the memory does not grow with the length.

    Returns:
        (samples, interrupted): the texts, and whether Ctrl-C ended them early.

    Raises:
        ValueError: as for :meth:`Sampler.pieces`.
    """
    growing = [_Growing((seed + row) % SEEDS, stop, keep, prime) for row in range(sampler.num_samples)]
    rngs = [np.random.RandomState(each.seed) for each in growing]
    interrupted = False
    try:
        for texts, log_probabilities in sampler.pieces(prime, length, settings, rngs, after_last):
            added = [each.add(*row) for each, *row in zip(growing, texts, log_probabilities.T)]
            if show:
                show(added[0])
            if all(each.ended for each in growing):
                break
    except KeyboardInterrupt:
        interrupted = True
    return [each.sample() for each in growing], interrupted
