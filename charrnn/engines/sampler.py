"""Writing with any engine: one text or several, in pieces, until each text ends. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import copy
import math
import sys
from dataclasses import dataclass, replace
from typing import (
    Any,
    Callable,
    Collection,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import numpy as np

from charrnn.checkpoints.writing import Writing
from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.allowing import Allow, with_allowed
from charrnn.engines.decoding import draw_ids, log_probabilities_of, takes_most_probable
from charrnn.engines.directions import Steering
from charrnn.engines.reader import Rank, Reader
from charrnn.text.unknown import resolve

# Beginnings that are tried in order: the notebook's, then a frequent word or character of other scripts.
PRIMES = (
    "The ",
    "the ",
    "\u306e",  # Japanese
    "\u7684",  # Chinese
    "\uc774",  # Korean
    "\u0438 ",  # Russian
    "\u03ba\u03b1\u03b9 ",  # Greek
    "\u0627\u0644",  # Arabic
    "\u05d4",  # Hebrew
)
# texts that are written at once
MOST_TEXTS = 100_000
# Lines that are written and dropped before the one that counts. Blank lines are among them.
LINES_BEFORE = 3
# Most rounds of drawing. Each draws as many lines as are asked for.
MOST_ROUNDS = 20
# NumPy takes seeds below this number
SEEDS = 2**32
# Of sentences that are drawn at a time: the characters that end one, and how many characters it has.
SENTENCE_ENDS = tuple(".!?\u2026\u3002\uff01\uff1f\n")
LEAST_SENTENCE = 12
LONGEST_SENTENCE = 160
# When all but one of so many sentences have ended, the others are cut: they would take longer than all the rest.
CUT_ONE_OF = 4
# Sentences are drawn so many times, as long as the best of them has a fault.
ROUNDS = 4
# of a sentence without a character
WORST = Rank(has_ended=False, minus_faults=-sys.maxsize, expected=-math.inf)


def checked_prime(
    prime: str, vocabulary: Vocabulary, unknown: str = "error", name: str = "the prime"
) -> Tuple[str, str]:
    """Return a prime in characters of the vocabulary, and a note, see :func:`charrnn.text.unknown.resolve`.

    Raises:
        ValueError: it is empty, or all its characters are unknown, or some are and ``unknown`` is ``error``.
    """
    known, note = resolve(prime, vocabulary, unknown, name)
    if not prime:
        raise ValueError("the prime is empty: give at least one character to begin with")
    if not known:
        raise ValueError("the model knows no character of the prime")
    return known, note


def default_prime(vocabulary: Vocabulary, beginning: Optional[str] = None) -> str:
    """Return what a text begins with by default, in characters of a vocabulary.

    It is the first of these that the vocabulary has: the beginning that a model records, one of PRIMES, a letter, a
    visible character, any character.

    >>> default_prime(Vocabulary("\\n ab")), default_prime(Vocabulary("\\n!"))
    ('a', '!')
    """
    primes = list(PRIMES)
    if beginning:
        primes.insert(0, beginning)
    for prime in primes:
        if not vocabulary.unknown(prime):
            return prime

    for char in vocabulary.chars:
        if char.isalpha():
            return char
    for char in vocabulary.chars:
        if char.isprintable() and not char.isspace():
            return char
    return vocabulary.chars[0]


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
            float32 [T], before anything else changed it.
    """

    seed: int
    text: str
    log_probabilities: np.ndarray


class Sampler:
    """A writer of several texts at once that begin with the same prime. An engine draws their characters.

    Attributes:
        vocabulary: the characters that the engine knows.
        num_samples: B, texts written at once.
        lines: the lines that :meth:`write_lines` wrote; after Ctrl-C, those that were drawn.
        left_out: how many others it left out, because they are known or repeated.
    """

    def __init__(
        self,
        engine: Engine,
        num_samples: int = 1,
        *,
        allow: Optional[Allow] = None,
        steering: Optional[Steering] = None,
        reader: Callable[[], Reader] = Reader,
    ) -> None:
        """Prepare to write.

        Args:
            engine: draws the characters.
            num_samples: texts to write at once.
            allow: returns what may follow a text, see :meth:`charrnn.engines.trained_model.Model.write`.
            steering: holds directions while the texts are written.
            reader: returns what chooses among the sentences of a writing with ``best_of``; by default one without a
                training text.
        """
        self.vocabulary = engine.vocabulary
        self.num_samples = num_samples
        self.lines: List[Sample] = []
        self.left_out = 0
        self._engine = engine
        self._allow = allow
        self._steering = steering
        self._reader = reader
        self._texts: List[_Draft] = []
        # After what was drawn last, from which a later text may go on.
        self._last = _Continuation(None, engine.zero_state())

    @property
    def samples(self) -> List[Sample]:
        """The texts that were written last, or are being written, as far as they are drawn."""
        return [text.sample() for text in self._texts]

    def write(
        self, prime: str, length: int, writing: Writing, seed: int, **options: Any
    ) -> List[Sample]:
        """Write the texts. The arguments are those of :meth:`pieces`."""
        for _ in self.pieces(prime, length, writing, seed, **options):
            pass
        return self.samples

    def pieces(
        self,
        prime: str,
        length: int,
        writing: Writing,
        seed: int,
        *,
        stop: Optional[str] = None,
        stop_count: int = 1,
        after_last: bool = False,
    ) -> Iterator[str]:
        """Write the texts, character by character. Yield those of the first text when they are drawn.

        Args:
            prime: the beginning of all texts, see :func:`checked_prime`.
            length: characters to draw for each text, at least 0.
            writing: how to draw, in range.
            seed: the seed of the first text. Each further text has the next seed; after SEEDS - 1 comes 0.
            stop: end a text after this string, which may begin in the prime. An empty string ends nothing.
            stop_count: the occurrence of this string at which a text ends: 1 for the first.
            after_last: continue what was drawn before, with its state. The prime may then be empty if there is such a
                text, and must be empty if there are several.
        """
        seeds = [(seed + row) % SEEDS for row in range(self.num_samples)]
        texts = [_Draft(prime, seed, stop, stop_count) for seed in seeds]
        if after_last:
            for text, last in zip(texts, self._texts):
                text.before = last.before + last.text
        self._texts = texts
        self._last = self._read(prime, len(texts), after_last)
        # Where the most probable character is taken, all sentences are the same.
        if writing.best_of > 1 and not takes_most_probable(writing):
            yield from self._best_sentences(texts, length, writing)
            return

        n_shown = 0
        for _ in range(length):
            self._last = self._draw(texts, writing, self._last)
            if texts[0].length > n_shown:
                n_shown += 1
                yield texts[0].text[-1]
            if all(text.has_ended for text in texts):
                break

    def _draw(
        self, texts: Sequence["_Draft"], writing: Writing, before: "_Continuation"
    ) -> "_Continuation":
        """Draw a character of each text that has not ended. Return how they go on after it."""
        logits = before.logits  # [B, C]
        changed = self._changed(logits, texts)  # [B, C]

        uniforms = np.array([text.rng.random_sample() for text in texts])  # [B]
        ids = draw_ids(changed, uniforms, writing)  # [B]
        # The probabilities are those of the network.
        log_probabilities = log_probabilities_of(logits, ids)  # [B]

        # After Ctrl-C meanwhile, a text has no character that was not read.
        after = self._feed(ids, before)
        chars = self.vocabulary.decode(ids)
        for text, char, log_probability in zip(texts, chars, log_probabilities):
            if not text.has_ended:
                text.add(char, log_probability)
        return after

    def _changed(self, logits: np.ndarray, texts: Sequence["_Draft"]) -> np.ndarray:
        """Return the logits to draw from, [B, C]: what is allowed, and where a direction is held what it leaves."""
        if self._allow is None and self._steering is None:
            return logits
        so_far = [None if text.has_ended else text.whole for text in texts]
        changed = logits
        if self._allow is not None:
            changed = with_allowed(self._allow, changed, so_far, self.vocabulary)
        if self._steering is not None:
            changed = self._steering.without_wrong_quotes(changed, so_far)
        return _with_ends(changed, logits, texts)

    def _feed(self, ids: np.ndarray, before: "_Continuation") -> "_Continuation":
        """Read what was drawn, ids [B]. Return how the texts go on after it."""
        logits, state = self._engine.feed(ids, before.state)
        if self._steering is not None:
            logits, state = self._steering.follow(ids, logits, state)
        return _Continuation(logits, state)

    def _best_sentences(
        self, texts: Sequence["_Draft"], length: int, writing: Writing
    ) -> Iterator[str]:
        """Write texts one after the other, sentence by sentence. Yield the characters of the first text."""
        after_prime = self._last
        for row, text in enumerate(texts):
            before = after_prime.of_rows([row])
            while text.length < length and not text.has_ended:
                sentence, after = self._best_of(text, writing, before)
                n_added = 0
                try:
                    for char in text.go_on(sentence, length):
                        n_added += 1
                        if row == 0:
                            yield char
                finally:
                    # It may have been cut by the length, or by whoever asks for no more characters.
                    if n_added < sentence.length:
                        after = self._after_part(sentence, n_added, before)
                    before = self._last = after

    def _after_part(
        self, sentence: "_Draft", n_chars: int, before: "_Continuation"
    ) -> "_Continuation":
        """Return how a text goes on after the first characters of a sentence."""
        after = before
        for index in self.vocabulary.encode(sentence.sample().text[:n_chars]):
            after = self._feed(np.array([index]), after)
        return after

    def _best_of(
        self, text: "_Draft", writing: Writing, before: "_Continuation"
    ) -> Tuple["_Draft", "_Continuation"]:
        """Draw sentences. Return the one that the reader ranks highest, and how the text goes on after it."""
        reader = self._reader()
        # The random numbers of a sentence come from the one that its first character would have.
        seeds = np.random.RandomState(int(SEEDS * text.rng.random_sample()))
        drawn: List[Tuple[Rank, _Draft, _Continuation]] = []
        for _ in range(ROUNDS):
            numbers = seeds.random_sample(writing.best_of)
            sentences = [text.sentence(int(SEEDS * number)) for number in numbers]
            for sentence, after in self._drawn(sentences, writing, before):
                drawn.append((_ranked(reader, text, sentence), sentence, after))
            best_rank, best, after_best = max(drawn, key=_rank_of)
            if best_rank.minus_faults == 0:
                break
        text.rng.random_sample(max(0, best.length - 1))
        return best, after_best

    def _drawn(
        self, sentences: List["_Draft"], writing: Writing, before: "_Continuation"
    ) -> Iterator[Tuple["_Draft", "_Continuation"]]:
        """Draw sentences up to their ends. Yield each when it has ended, and how a text goes on after it."""
        after = before.of_rows([0] * len(sentences))
        most_cut = len(sentences) // CUT_ONE_OF
        for _ in range(LONGEST_SENTENCE):
            after = self._draw(sentences, writing, after)
            going_on = []
            for row, sentence in enumerate(sentences):
                if sentence.has_ended:
                    yield sentence, after.of_rows([row])
                else:
                    going_on.append(row)
            if len(going_on) < len(sentences):
                # Those that have ended cost nothing more.
                sentences = [sentences[row] for row in going_on]
                after = after.of_rows(going_on)
            if len(going_on) <= most_cut:
                break
        for row, sentence in enumerate(sentences):
            yield sentence, after.of_rows([row])

    def _read(self, prime: str, rows: int, after_last: bool) -> "_Continuation":
        """Read the prime. Return how the texts go on after it."""
        logits, state = self._last
        if not after_last:
            logits = None
            state = self._engine.zero_state()
        if prime:
            # The engine reads one text only, after which all rows go on.
            logits, state = self._engine.read(self.vocabulary.encode(prime), state)
            logits, state = np.repeat(logits, rows, axis=0), np.repeat(state, rows, axis=1)
        if logits is None:
            raise ValueError("there is no text to continue yet")
        return _Continuation(logits, state)

    def write_lines(
        self, length: int, writing: Writing, seed: int, known: Optional[Collection[str]] = None
    ) -> List[Sample]:
        """Write as many lines as there are texts at once, none of them blank; fewer if MOST_ROUNDS are not enough.

        For each line, the network first writes LINES_BEFORE others, which are not used: it has learned what follows
        lines, but hardly what follows the zero state. Blank lines at the end do not count.

        Args:
            length: characters to draw for each line at most.
            writing: how to draw, in range.
            seed: the seed of the first line that is drawn. Each further line has the next.
            known: lines that are left out. No line is then written twice. None to leave out none.
        """
        self.lines = []
        self.left_out = 0
        seen = set(known or ())
        for start in range(0, MOST_ROUNDS * self.num_samples, self.num_samples):
            try:
                self.write(
                    "\n",
                    length * (LINES_BEFORE + 1),
                    writing,
                    seed + start,
                    stop="\n",
                    stop_count=LINES_BEFORE + 1,
                )
            finally:
                # After Ctrl-C, what was drawn counts too.
                self._keep_lines(length, None if known is None else seen)
            if len(self.lines) == self.num_samples:
                break
        return self.lines

    def _keep_lines(self, length: int, seen: Optional[Set[str]]) -> None:
        """Keep the last line of each text, until there are enough.

        Lines in ``seen`` are left out, and each line that is kept is added to it. With None, none is left out.
        """
        for sample in self.samples:
            if len(self.lines) == self.num_samples:
                break
            line = _cut_to_last_line(sample, length)
            stripped = line.text.strip()
            if not stripped:
                continue
            if seen is not None and stripped in seen:
                self.left_out += 1
                continue
            self.lines.append(line)
            if seen is not None:
                seen.add(stripped)


class _Continuation(NamedTuple):
    """What texts go on with.

    Attributes:
        logits: float32 [B, C], those of the network; None before a prime was read.
        state: float32 [S, B, L].
    """

    logits: Any
    state: np.ndarray

    def of_rows(self, rows: Sequence[int]) -> "_Continuation":
        """Return that of some of the texts, by their rows, which may repeat."""
        return _Continuation(self.logits[rows], self.state[:, rows])


class _Draft:
    """A text while it is written, up to its end.

    Attributes:
        rng: the generator of its random numbers.
        before: the text that it continues; "" if it continues none.
        text: the prime and what was drawn.
        has_ended: whether nothing may be added any more.
    """

    def __init__(self, prime: str, seed: int, stop: Optional[str], stop_count: int):
        self.rng = np.random.RandomState(seed)
        self.before = ""
        self.text = prime
        self.has_ended = False
        self._prime = prime
        self._seed = seed
        self._log_probabilities: List[float] = []
        self._stop = stop
        self._stops_left = stop_count
        self._is_sentence = False

    @property
    def whole(self) -> str:
        """The text with that which it continues."""
        return self.before + self.text

    @property
    def length(self) -> int:
        """How many characters were drawn."""
        return len(self._log_probabilities)

    def sentence(self, seed: int) -> "_Draft":
        """Return a sentence after this text, which is not a part of it yet."""
        sentence = copy.copy(self)
        sentence.rng = np.random.RandomState(seed)
        sentence._prime = self.text
        sentence._log_probabilities = []
        sentence._is_sentence = True
        return sentence

    def add(self, char: str, log_probability: float) -> None:
        """Add a drawn character, which may end the text."""
        self.text += char
        self._log_probabilities.append(log_probability)
        if self._stop and self.text.endswith(self._stop):
            self._stops_left -= 1
            self.has_ended = self._stops_left == 0
        if self.is_whole:
            self.has_ended = True

    def go_on(self, sentence: "_Draft", length: int) -> Iterator[str]:
        """Add a sentence after this text, which may have so many characters at most. Yield what is added."""
        sample = sentence.sample()
        for char, log_probability in zip(sample.text, sample.log_probabilities):
            if self.length == length:
                return
            self.add(char, log_probability)
            yield char
        # A sentence that has ended without its end is one after which nothing may be drawn.
        self.has_ended = self.has_ended or (sentence.has_ended and not sentence.is_whole)

    @property
    def is_whole(self) -> bool:
        """Whether it is a sentence with its end."""
        is_long_enough = self._is_sentence and self.length >= LEAST_SENTENCE
        return is_long_enough and self.text.endswith(SENTENCE_ENDS)

    def sample(self) -> Sample:
        """Return what was drawn so far."""
        drawn = self.text[len(self._prime) :]
        return Sample(self._seed, drawn, np.array(self._log_probabilities, np.float32))


def _ranked(reader: Reader, text: _Draft, sentence: _Draft) -> Rank:
    """Return how good a sentence after a text is."""
    sample = sentence.sample()
    if not sample.text:
        return WORST
    mean = float(sample.log_probabilities.mean(dtype=np.float64))
    return reader.rank(text.whole, sample.text, mean, sentence.has_ended)


def _rank_of(drawn: Tuple[Rank, _Draft, _Continuation]) -> Rank:
    rank, _, _ = drawn
    return rank


def _with_ends(changed: np.ndarray, own: np.ndarray, texts: Sequence[_Draft]) -> np.ndarray:
    """End the texts for which nothing is left to draw. They keep the network's logits, since each row is drawn."""
    is_over = changed.max(axis=1) == -np.inf  # [B]
    if not is_over.any():
        return changed
    for text, is_over_here in zip(texts, is_over):
        text.has_ended = bool(text.has_ended or is_over_here)
    return np.where(is_over[:, np.newaxis], own, changed)


def _cut_to_last_line(sample: Sample, length: int) -> Sample:
    """Return a sample cut to its last line that is not blank, of at most `length` characters with the line end.

    If the drawing ended within a line, this is the line before, unless there is none. A line of spaces is blank.
    """
    text = sample.text
    whole_lines = text[: text.rfind("\n") + 1]
    if whole_lines.strip():
        text = whole_lines
    start = text.rstrip().rfind("\n") + 1
    chars, line_end, _ = text[start:].partition("\n")
    line = (chars + line_end)[:length]
    log_probabilities = sample.log_probabilities[start : start + len(line)]
    return replace(sample, text=line, log_probabilities=log_probabilities)
