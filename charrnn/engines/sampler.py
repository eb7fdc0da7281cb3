"""Continuing a beginning with any engine: one text or several, piece by piece, up to where each is to end."""
from typing import List, NamedTuple

import numpy as np

from charrnn.engines.decoding import Settings
from charrnn.engines.numpy_lstm import NumpyLSTM

PRIME = "The "
CHUNK = 50  # characters drawn before they are shown


def check_prime(prime, vocabulary):
    """Raise ValueError where a prime is empty or has characters that the vocabulary lacks."""
    if not prime:
        raise ValueError("the prime is empty: give at least one character to begin with")
    unknown = vocabulary.unknown(prime)
    if unknown:
        raise ValueError("the prime has characters that the model never saw: {}".format(
            ", ".join(map(repr, unknown))))


def default_prime(vocabulary):
    """Return "The ", or where the vocabulary lacks one of its characters, the vocabulary's first one."""
    return vocabulary.chars[0] if vocabulary.unknown(PRIME) else PRIME


class Sampler:
    """A model ready to continue any beginning, one text or several at once.

    Attributes:
        vocabulary: the Vocabulary of the model.
        num_samples: B, texts written at once.
    """

    def __init__(self, model, num_samples=1, nucleus=False):
        """Take a model; for a checkpoint, build a graph of its own and restore it.

        Args:
            model: a Checkpoint or a NumpyLSTM, from :func:`charrnn.engines.loading.open_model`.
            num_samples: B, at least 1.
            nucleus: whether there will be settings with ``top_p`` below 1.

        Raises:
            ValueError: ``num_samples`` is below 1.
            CheckpointError: the checkpoint is damaged.
        """
        if num_samples < 1:
            raise ValueError("num_samples must be at least 1, not {}".format(num_samples))
        self.vocabulary = model.vocabulary
        self.num_samples = num_samples
        if isinstance(model, NumpyLSTM):
            self._engine = model
        else:
            from charrnn.engines.graph import Generator
            self._engine = Generator(model, num_samples, nucleus)

    def restore(self, prefix):
        """Take the weights of another checkpoint of the same network.

        Raises:
            CheckpointError: that checkpoint is damaged or of another network.
        """
        self._engine.restore(prefix)

    def generate(self, prime, length, top_n=5, *, temperature=1.0, top_p=1.0, rngs=None):
        """Yield pieces of B texts that continue one beginning.

        Args:
            prime: the beginning, at least one character, all of them in the vocabulary.
            length: number of characters to draw, at least 0.
            top_n, temperature, top_p: see :class:`charrnn.engines.decoding.Settings`.
            rngs: B generators, of which each draws one text: RandomStates, or ``np.random``, whose seed is
                the caller's. None for new ones.

        Yields:
            Lists of B strings, all of the same length, at most CHUNK.

        Raises:
            ValueError: the prime is empty or has characters that the model never saw; ``length`` or a
                setting is out of range. Raised when the first piece is asked for.
        """
        for texts, _ in self.generate_scored(prime, length, Settings(temperature, top_n, top_p), rngs):
            yield texts

    def generate_scored(self, prime, length, settings=Settings(), rngs=None):
        """Yield the same with what the network thought of it.

        Args:
            prime, length, rngs: as for :meth:`generate`.
            settings: a drawing.Settings.

        Yields:
            (texts, log_probabilities): lists of B strings, and float32 [T, B], natural logarithms of what the
            network gave each drawn character, before temperature and cuts.
        """
        check_prime(prime, self.vocabulary)
        settings.check()
        if length < 0:
            raise ValueError("length must be at least 0, not {}".format(length))
        if rngs is None:
            rngs = [np.random.RandomState() for _ in range(self.num_samples)]
        engine = self._engine
        logits, state = engine.read(self.vocabulary.encode(prime), engine.zero_state())
        logits, state = np.repeat(logits, self.num_samples, axis=0), engine.repeated(state, self.num_samples)
        for start in range(0, length, CHUNK):
            uniforms = np.stack([rng.random_sample(min(CHUNK, length - start)) for rng in rngs], axis=1)  # [T, B]
            ids, log_probabilities, logits, state = engine.draw(logits, state, uniforms, settings)
            yield [self.vocabulary.decode(column) for column in ids.T], log_probabilities

    def close(self):
        """Close the session, where there is one."""
        self._engine.close()


class Sample(NamedTuple):
    """A text that was written.

    Attributes:
        seed: what it was drawn with.
        text: what was drawn, without the prime.
        log_probabilities: natural logarithms of what the network gave each drawn character.
    """

    seed: int
    text: str
    log_probabilities: List[float]


class _Growing:
    """A sample that is being written, up to where it is to end."""

    def __init__(self, seed, stop, lines):
        self.seed, self._stop, self._lines = seed, stop, lines
        self.text, self.log_probabilities, self.ended = "", [], False

    def add(self, piece, log_probabilities):
        """Add a piece; return what of it was taken."""
        if self.ended:
            return ""
        before, whole = len(self.text), self.text + piece
        ends = [len(whole)]
        if self._stop:
            found = whole.find(self._stop, max(0, before - len(self._stop) + 1))
            ends += [found + len(self._stop)] if found >= 0 else []
        if self._lines and whole.count("\n") >= self._lines:
            ends.append(len("\n".join(whole.split("\n")[:self._lines])) + 1)
        end = min(ends)
        self.ended = len(ends) > 1
        self.text = whole[:end]
        self.log_probabilities += [float(each) for each in log_probabilities[:end - before]]
        return self.text[before:]

    def done(self):
        """Return what was written so far, a Sample."""
        return Sample(self.seed, self.text, self.log_probabilities)


def write(sampler, prime, length, settings, seed, *, stop=None, lines=None, show=None):
    """Write texts, one for each row of a sampler.

    Args:
        sampler: a Sampler.
        prime, length: as for :meth:`Sampler.generate`.
        settings: a drawing.Settings.
        seed: of the first row; the next rows have the numbers that follow.
        stop: a text ends after this string, where it comes.
        lines: a text ends after so many line ends.
        show: function of each piece of the first text, called when it was drawn.

    Returns:
        (samples, interrupted): a list of Sample, and whether Ctrl-C ended them early.
    """
    growing = [_Growing((seed + row) % 2 ** 32, stop, lines) for row in range(sampler.num_samples)]
    rngs = [np.random.RandomState(each.seed) for each in growing]
    interrupted = False
    try:
        for texts, log_probabilities in sampler.generate_scored(prime, length, settings, rngs):
            taken = [each.add(*row) for each, *row in zip(growing, texts, log_probabilities.T)]
            if show:
                show(taken[0])
            if all(each.ended for each in growing):
                break
    except KeyboardInterrupt:
        interrupted = True
    return [each.done() for each in growing], interrupted
