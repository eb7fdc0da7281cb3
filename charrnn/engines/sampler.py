"""Writing with any engine: one text or several, in pieces, until each text ends. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Collection, Iterator, List, Optional, Set, Tuple

import numpy as np

from charrnn.checkpoints.record import RunRecord
from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import Settings
from charrnn.text import unknown

# Beginnings that are tried in order: the notebook's, then a frequent word or character of other scripts.
PRIMES = (
    "The ",
    "the ",
    "\u306e",
    "\u7684",
    "\uc774",
    "\u0438 ",
    "\u03ba\u03b1\u03b9 ",
    "\u0627\u0644",
    "\u05d4",
)
LARGE_VOCABULARY = 200  # characters above which top_n is off by default, as for Chinese
CHUNK = 50  # characters drawn in one call of the engine
MOST_TEXTS = 100_000  # at once
LINES_TOP_P = 0.98  # with fewer characters, the first letters of lines lose their variety
LINES_BEFORE = 3  # that the network writes, blank ones included, before the line that counts
MOST_ROUNDS = 20  # of as many lines as are asked for
SEEDS = 2**32  # NumPy takes seeds below this number
Allow = Callable[[str], Optional[Collection[str]]]


def check_prime(prime: str, vocabulary: Vocabulary, how_unknown: str = "error") -> str:
    """Return a prime in characters of the vocabulary, see :func:`charrnn.text.unknown.resolve`.

    Raises:
        ValueError: it is empty, or all its characters are unknown, or some are and how_unknown is ``error``.
    """
    known, _ = unknown.resolve(prime, vocabulary, how_unknown, "the prime")
    if not known:
        raise ValueError(
            "the model knows no character of the prime"
            if prime
            else "the prime is empty: give at least one character to begin with"
        )
    return known


def default_prime(vocabulary: Vocabulary, run: Optional[RunRecord] = None) -> str:
    """Return the beginning that a run records, or else the first of PRIMES that a vocabulary has, or else its first
    letter, or its first character.

    >>> default_prime(Vocabulary("\\n ab")), default_prime(Vocabulary("\\n!"))
    ('a', '!')
    """
    recorded = run.beginning if run else None
    fitting = [prime for prime in (recorded, *PRIMES) if prime and not vocabulary.unknown(prime)]
    letters = [char for char in vocabulary.chars if char.isalpha()]
    visible = [char for char in vocabulary.chars if char.isprintable() and not char.isspace()]
    return [*fitting, *letters, *visible, *vocabulary.chars][0]


def choose_settings(
    num_classes: int,
    temperature: float = 1.0,
    top_n: Optional[int] = None,
    top_p: Optional[float] = None,
    of_lines: bool = False,
) -> Settings:
    """Return Settings with what suits a vocabulary of C characters where nothing is given.

    That is the notebook's ``top_n`` of 5, or all characters of a large vocabulary or if there is a ``top_p``. For lines
    that are written one by one, it is a ``top_p`` of LINES_TOP_P.

    Raises:
        ValueError: a setting is out of range.
    """
    if of_lines and top_n is None and top_p is None:
        top_p = LINES_TOP_P
    if top_n is None:
        top_n = 5 if top_p is None and num_classes <= LARGE_VOCABULARY else num_classes
    settings = Settings(temperature, top_n, 1.0 if top_p is None else top_p)
    settings.check()
    return settings


def fresh_seed(below: int = SEEDS) -> int:
    """Choose a seed at random, at least 0."""
    return int(np.random.RandomState().randint(below, dtype=np.int64))


@dataclass(frozen=True)
class Sample:
    """A text that was written.

    Attributes:
        seed: the seed that it was drawn with.
        text: the drawn characters, without the prime.
        log_probabilities: the natural logarithm of the probability that the network gave each drawn character,
            float32 [T], before temperature, ``top_n`` and ``top_p``.
    """

    seed: int
    text: str
    log_probabilities: np.ndarray


class Sampler:
    """An engine that writes several texts at once, with the same prime.

    Attributes:
        vocabulary: the characters that the engine knows.
        num_samples: B, texts written at once.
    """

    def __init__(self, engine: Engine, num_samples: int = 1, allow: Optional[Allow] = None):
        """Keep the engine.

        Args:
            engine: the engine.
            num_samples: B.
            allow: a function of a text so far, which returns the characters that may come next; None for all.
        """
        self.vocabulary = engine.vocabulary
        self.num_samples = num_samples
        self._engine = engine
        self._allow = allow
        self._last: Any = (None, engine.zero_state())  # logits and state after what was drawn last

    def write(
        self,
        prime: str,
        length: int,
        settings: Settings,
        seed: int,
        *,
        stop: Optional[str] = None,
        stops: int = 1,
        after_last: bool = False,
        show: Optional[Callable[[str], object]] = None,
    ) -> Tuple[List[Sample], bool]:
        """Write the texts.

        Args:
            prime: the beginning of all texts, see :func:`check_prime`.
            length: characters to draw for each text, at least 0.
            settings: how to draw, in range.
            seed: the seed of the first text. Each further text has the next seed; after SEEDS - 1 comes 0.
            stop: end a text after this string, which may begin in the prime, if it is not empty.
            stops: how often this string comes in a text.
            after_last: continue the text that was drawn before, with its state. The prime may then be empty if there
                is such a text.
            show: called with each piece of the first text, of at most CHUNK characters, when it has been drawn.

        Returns:
            (samples, interrupted): the texts, and whether Ctrl-C ended them early.
        """
        seeds = [(seed + row) % SEEDS for row in range(self.num_samples)]
        texts = [""] * len(seeds)
        interrupted = False
        values = [[np.zeros(0, np.float32)] for _ in seeds]
        try:
            for row, piece, log_probabilities in self._pieces(
                prime, length, settings, seeds, CHUNK, stop, stops, after_last
            ):
                texts[row] += piece
                values[row].append(log_probabilities)
                if show and row == 0:
                    show(piece)
        except KeyboardInterrupt:
            interrupted = True
        return list(map(Sample, seeds, texts, map(np.concatenate, values))), interrupted

    def stream(
        self, prime: str, length: int, settings: Settings, seed: int, stop: Optional[str] = None
    ) -> Iterator[str]:
        """Yield the characters that :meth:`write` draws for the first text, each as it is drawn."""
        return (char for _, char, _ in self._pieces(prime, length, settings, [seed], 1, stop))

    def _pieces(
        self,
        prime: str,
        length: int,
        settings: Settings,
        seeds: List[int],
        steps: int,
        stop: Optional[str],
        stops: int = 1,
        after_last: bool = False,
    ) -> Iterator[Tuple[int, str, np.ndarray]]:
        """Draw the texts, some steps at a time. Yield the row, the characters and the log-probabilities of each piece.

        The arguments are those of :meth:`write`, with a seed for each row.
        """
        engine = self._engine
        rows = len(seeds)
        rngs = [np.random.RandomState(seed) for seed in seeds]
        # left: how often stop is still to come
        texts = [prime] * rows
        left = [stops] * rows
        ended: Set[int] = set()  # rows whose text has ended
        logits, state = self._last if after_last else (None, engine.zero_state())
        if prime:
            logits, state = engine.read(self.vocabulary.encode(prime), state)
            # [B, C], [S, B, L]
            logits = np.repeat(logits, rows, axis=0)
            state = np.repeat(state, rows, axis=1)
        elif logits is None:
            raise ValueError("there is no text to continue yet")
        steps = 1 if self._allow else steps
        for start in range(0, length, steps):
            # [T, B]
            uniforms = np.stack(
                [rng.random_sample(min(steps, length - start)) for rng in rngs], axis=1
            )
            if self._allow:
                logits, closed = _restricted(logits, texts, self.vocabulary, self._allow)
                ended |= closed
            ids, log_probabilities, logits, state = engine.draw(logits, state, uniforms, settings)
            self._last = logits, state
            for row in sorted(set(range(rows)) - ended):
                piece = self.vocabulary.decode(ids[:, row])
                if stop:
                    before = texts[row][1 - len(stop) :] if len(stop) > 1 else ""
                    ends = [
                        match.end() - len(before)
                        for match in re.finditer(re.escape(stop), before + piece)
                    ]
                    if len(ends) >= left[row]:
                        piece = piece[: ends[left[row] - 1]]
                        ended.add(row)
                    left[row] -= len(ends)
                texts[row] += piece
                yield row, piece, log_probabilities[: len(piece), row]
            if len(ended) == rows:
                break

    def write_lines(
        self, length: int, settings: Settings, seed: int, known: Optional[Collection[str]] = None
    ) -> Tuple[List[Sample], int, bool]:
        """Write as many lines as there are texts at once, none of them blank.

        Each text begins with some lines that are not used, because the network has learned what follows other lines,
        but hardly what follows the zero state.

        Args:
            length: characters to draw for each line at most.
            settings: how to draw, in range.
            seed: the seed of the first line that is drawn. Each further line has the next.
            known: lines that are left out. No line is then written twice. None to leave out none.

        Returns:
            (samples, left_out, interrupted): the lines, fewer if MOST_ROUNDS are not enough; the number of lines that
            were left out because they are known or repeated; and whether Ctrl-C ended the writing early.
        """
        kept: List[Sample] = []
        seen = set(known or ())
        left_out = 0
        interrupted = False
        for start in range(0, MOST_ROUNDS * self.num_samples, self.num_samples):
            samples, interrupted = self.write(
                "\n",
                length * (LINES_BEFORE + 1),
                settings,
                seed + start,
                stop="\n",
                stops=LINES_BEFORE + 1,
            )
            for last in (_last_line(sample, length) for sample in samples):
                line = last.text.strip()
                if len(kept) < self.num_samples and line:
                    if known is not None and line in seen:
                        left_out += 1
                    else:
                        kept.append(last)
                        seen.add(line)
            if interrupted or len(kept) == self.num_samples:
                break
        return kept, left_out, interrupted


def _restricted(
    logits: np.ndarray, texts: List[str], vocabulary: Vocabulary, allow: Allow
) -> Tuple[np.ndarray, Set[int]]:
    """Return logits [B, C] with -inf for what may not follow each text, and the rows for which nothing is left."""
    logits = logits.copy()
    ended = set()
    for row, allowed in enumerate(map(allow, texts)):
        if allowed is not None:
            others = [
                index for char, index in vocabulary.vocab_to_int.items() if char not in allowed
            ]
            if len(others) == len(vocabulary):
                ended.add(row)  # its logits stay as they are, since something is drawn in each row
            else:
                logits[row, others] = -np.inf
    return logits, ended


def _last_line(sample: Sample, length: int) -> Sample:
    """Return the last line of a text that is not blank, of some characters at most."""
    start = sample.text.rstrip().rfind("\n") + 1
    place = slice(start, start + length)
    return replace(
        sample, text=sample.text[place], log_probabilities=sample.log_probabilities[place]
    )
