"""What a file or a page has in place of a text, so that guards work without it: hashes of its windows and its words.

They are no encryption: who knows a piece of the text can find out how it goes on. As bytes they are numbers in base
128, each with its lowest digit first, where a digit that another follows has 128 added:

- how many characters the text has;
- for each of ``copied``, ``near`` and ``repeated``: the length of the windows, and their list; then the list of how
  often the text has each of ``repeated``;
- the list of ``words``, and that of ``beginnings``.

A list is its length, and its numbers. Of hashes, which are sorted, these are the first, and then the difference from
the one before. ``charrnn/pages/shared/hashes.js`` reads and writes them too.
"""

from typing import Iterable, List, NamedTuple

import numpy as np

from charrnn.text import lexicon
from charrnn.text.windows import MOST_COUNTED, Windows

# The lengths of windows that a file has. A copy is one of WINDOW characters in novelty.py.
COPIED = 20
REPEATED = 14
# A copy may be unavoidable this many characters before it is complete: the rest of a long word.
REST_OF_A_WORD = 8
# bytes of hashes that are read
MOST_BYTES = 4_000_000
# digits of a number below 2^35
_MOST_DIGITS = 5
_DAMAGED = "its hashes of a text are damaged"


class Hashes(NamedTuple):
    """The hashes of a text.

    Attributes:
        copied: all windows of COPIED characters.
        near: those of the windows within words with which such a copy begins.
        repeated: the windows of REPEATED characters that the text has at least twice.
        own: its words that its language's list lacks.
    """

    copied: Windows
    near: Windows
    repeated: Windows
    own: lexicon.Hashed

    @classmethod
    def of(cls, text: str, words_of_language: Iterable[str]) -> "Hashes":
        """Hash a text, with the frequent words of its language."""
        of_language = lexicon.hashed(words_of_language)
        of_text = lexicon.hashed(lexicon.forms_of(text))
        own = lexicon.Hashed(
            of_text.words - of_language.words, of_text.beginnings - of_language.beginnings
        )
        return cls(
            copied=Windows.of(text, COPIED),
            near=Windows.within_words(text, near_of(COPIED)),
            repeated=Windows.repeated(text, REPEATED),
            own=own,
        )

    def packed(self) -> bytes:
        """Return the hashes as bytes."""
        numbers = [self.copied.n_characters]
        for windows in (self.copied, self.near, self.repeated):
            numbers.append(windows.length)
            numbers += _list_of(windows.hashes)
        numbers += [len(self.repeated.counts), *self.repeated.counts.tolist()]
        for hashes in (self.own.words, self.own.beginnings):
            numbers += _list_of(np.array(sorted(hashes), np.int64))
        return _as_digits(np.array(numbers, np.int64))


def near_of(no_copy: int) -> int:
    """Return with how many characters a copy of some characters begins."""
    return max(1, no_copy - REST_OF_A_WORD)


def read_hashes(content: bytes) -> Hashes:
    """Read what :meth:`Hashes.packed` made.

    Raises:
        ValueError: it is something else.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(_DAMAGED)
    reader = _Reader(_as_numbers(content))
    n_characters = reader.number()
    windows = []
    for _ in range(3):
        length = reader.number()
        hashes = reader.hashes()
        counts = np.ones(len(hashes), np.uint16)
        windows.append(Windows(length, hashes, counts, n_characters))
    copied, near, repeated = windows

    counts = reader.list()
    if len(counts) != len(repeated.hashes) or counts.max(initial=0) > MOST_COUNTED:
        raise ValueError(_DAMAGED)
    repeated.counts = counts.astype(np.uint16)
    words = set(reader.hashes().tolist())
    beginnings = set(reader.hashes().tolist())
    reader.end()
    if 0 in (n_characters, copied.length, near.length, repeated.length):
        raise ValueError(_DAMAGED)
    return Hashes(copied, near, repeated, lexicon.Hashed(words, beginnings))


class _Reader:
    """What takes numbers, one after the other."""

    def __init__(self, numbers: np.ndarray) -> None:
        self._numbers = numbers
        self._place = 0

    def number(self) -> int:
        """Return the next number."""
        [number] = self._take(1)
        return int(number)

    def list(self) -> np.ndarray:
        """Return a list, whose length comes first."""
        return self._take(self.number())

    def hashes(self) -> np.ndarray:
        """Return hashes, uint32, sorted, each once."""
        differences = self.list()
        hashes = np.cumsum(differences)
        # Differences are below 2^35, and there are fewer than 2^22 of them.
        if (differences[1:] == 0).any() or hashes.max(initial=0) >= 2**32:
            raise ValueError(_DAMAGED)
        return hashes.astype(np.uint32)

    def end(self) -> None:
        """Raise ValueError if there are more numbers."""
        if self._place < len(self._numbers):
            raise ValueError(_DAMAGED)

    def _take(self, count: int) -> np.ndarray:
        taken = self._numbers[self._place : self._place + count]
        if len(taken) < count:
            raise ValueError(_DAMAGED)
        self._place += count
        return taken


def _list_of(hashes: np.ndarray) -> List[int]:
    """Return the numbers of a list of sorted hashes."""
    differences = np.diff(hashes.astype(np.int64), prepend=0)
    return [len(hashes), *differences.tolist()]


def _as_digits(numbers: np.ndarray) -> bytes:
    """Return numbers in base 128."""
    lengths = np.ones(len(numbers), np.int64)
    for place in range(1, _MOST_DIGITS):
        lengths += numbers >= 1 << 7 * place
    starts = np.cumsum(lengths) - lengths
    digits = np.zeros(lengths.sum(), np.uint8)
    for place in range(_MOST_DIGITS):
        has_place = lengths > place
        has_more = lengths[has_place] > place + 1
        digit = numbers[has_place] >> 7 * place & 127
        digits[starts[has_place] + place] = digit + 128 * has_more
    return digits.tobytes()


def _as_numbers(content: bytes) -> np.ndarray:
    """Return the numbers of digits in base 128, int64."""
    digits = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(digits < 128)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    # what follows the last number
    left = len(digits) - ends.max(initial=-1) - 1
    if left or not len(digits) or (ends - starts).max() >= _MOST_DIGITS:
        raise ValueError(_DAMAGED)

    numbers = np.zeros(len(ends), np.int64)
    for place in range(_MOST_DIGITS):
        has_place = ends - starts >= place
        digit = digits[starts[has_place] + place] & 127
        numbers[has_place] += digit.astype(np.int64) << 7 * place
    return numbers
