"""The windows of a text: all its runs of some characters, told apart by hashes. NumPy only."""

from typing import Optional, Sequence

import numpy as np

from charrnn.data import code_points

# of the polynomial hash, modulo 2^32; the prime of FNV-1
MULTIPLIER = 16_777_619
_MODULUS = 2**32
# what uint16 holds
MOST_COUNTED = 65_535
# Of a text of fewer characters, hashes alone count, so that a file which has them in its place gives the same.
LONG_TEXT = 300_000


def hash_of(text: str) -> int:
    """Return the hash of a text, below 2^32.

    >>> hash_of("ab") == (97 * MULTIPLIER + 98) % 2**32
    True
    """
    hashed = 0
    for char in text:
        hashed = longer_hash(hashed, char)
    return hashed


def longer_hash(hashed: int, char: str) -> int:
    """Return the hash of a text with one more character."""
    return (hashed * MULTIPLIER + ord(char)) % _MODULUS


class Windows:
    """The windows of a text.

    Two windows may have one hash, at less than 1 in 1,000 for a text of two million characters, and 1 in 10,000 for one
    of LONG_TEXT. From that length on, the text decides.

    Attributes:
        length: characters of a window.
        hashes: uint32, each once, sorted.
        counts: how often the text has the windows of each hash, uint16, MOST_COUNTED at most.
        n_characters: the length of the text.
    """

    def __init__(
        self,
        length: int,
        hashes: np.ndarray,
        counts: np.ndarray,
        n_characters: int,
        text: Optional[str] = None,
    ) -> None:
        self.length = length
        self.hashes = hashes
        self.counts = counts
        self.n_characters = n_characters
        self._text = text

    @classmethod
    def of(cls, text: str, length: int) -> "Windows":
        """Hash the windows of a text. This takes 6 bytes a character, and more while it is done."""
        return cls._of_hashes(_hashed(text, length), text, length)

    @classmethod
    def within_words(cls, text: str, length: int) -> "Windows":
        """Hash those windows of a text whose last character is in a word that goes on: letters or digits."""
        hashed = _hashed(text, length)
        goes_on = np.zeros(len(hashed), bool)
        is_of_word = _are_of_words(text)
        goes_on[:-1] = is_of_word[length - 1 : -1] & is_of_word[length:]
        return cls._of_hashes(hashed[goes_on], text, length)

    @classmethod
    def repeated(cls, text: str, length: int) -> "Windows":
        """Hash those windows that a text has at least twice."""
        windows = cls.of(text, length)
        again = windows.counts > 1
        windows.hashes = windows.hashes[again]
        windows.counts = windows.counts[again]
        return windows

    @classmethod
    def _of_hashes(cls, hashed: np.ndarray, text: str, length: int) -> "Windows":
        """Return windows of a text by their hashes."""
        hashes, counts = np.unique(hashed, return_counts=True)
        counts = np.minimum(counts, MOST_COUNTED).astype(np.uint16)
        kept_text = None
        if len(text) >= LONG_TEXT:
            kept_text = text
        return cls(length, hashes, counts, len(text), kept_text)

    def following(self, before: str, chars: Sequence[str], points: np.ndarray) -> np.ndarray:
        """Return how often the text has each window of some characters and one more, integers [C].

        Args:
            before: the characters, one fewer than a window has.
            chars: those of which one follows, C.
            points: their code points, uint32 [C].
        """
        hashed = hash_of(before) * MULTIPLIER % _MODULUS
        candidates = points + np.uint32(hashed)
        counts = self._counts_of(candidates)
        if self._text is not None:
            for index in np.flatnonzero(counts):
                if before + chars[index] not in self._text:
                    counts[index] = 0
        return counts

    def _counts_of(self, candidates: np.ndarray) -> np.ndarray:
        if not len(self.hashes):
            return np.zeros(len(candidates), np.int64)
        places = np.searchsorted(self.hashes, candidates)
        places = np.minimum(places, len(self.hashes) - 1)
        is_there = self.hashes[places] == candidates
        return np.where(is_there, self.counts[places], 0)


def _hashed(text: str, length: int) -> np.ndarray:
    """Return the hash of each window of a text, uint32, in their order."""
    points = code_points(text).astype(np.uint32)
    hashed = np.zeros(max(0, len(points) - length + 1), np.uint32)
    for offset in range(length):
        hashed *= np.uint32(MULTIPLIER)
        hashed += points[offset : offset + len(hashed)]
    return hashed


def _are_of_words(text: str) -> np.ndarray:
    """Return which characters of a text are letters or digits, bool [T]."""
    points = code_points(text)
    is_of_word = np.zeros(int(points.max(initial=0)) + 1, bool)
    is_of_word[[ord(char) for char in set(text) if char.isalnum()]] = True
    return is_of_word[points]
