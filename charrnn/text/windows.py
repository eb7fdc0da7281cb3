"""The windows of a text: all its runs of some characters, told apart by hashes. NumPy only."""

from typing import Optional, Sequence

import numpy as np

from charrnn.data import code_points

# of the polynomial hash, modulo 2^32; the prime of FNV-1
MULTIPLIER = 16_777_619
_MODULUS = 2**32
# what uint16 holds
MOST_COUNTED = 65_535


class Windows:
    """The windows of a text.

    Two windows may have one hash, at less than 1 in 1,000 for a text of two million characters. Where the text is at
    hand, it decides.

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
        points = code_points(text).astype(np.uint32)
        hashed = np.zeros(max(0, len(points) - length + 1), np.uint32)
        for offset in range(length):
            hashed *= np.uint32(MULTIPLIER)
            hashed += points[offset : offset + len(hashed)]
        hashes, counts = np.unique(hashed, return_counts=True)
        return cls(
            length, hashes, np.minimum(counts, MOST_COUNTED).astype(np.uint16), len(text), text
        )

    def following(self, before: str, chars: Sequence[str], points: np.ndarray) -> np.ndarray:
        """Return how often the text has each window of some characters and one more, integers [C].

        Args:
            before: the characters, one fewer than a window has.
            chars: those of which one follows, C.
            points: their code points, uint32 [C].
        """
        hashed = 0
        for char in before:
            hashed = (hashed * MULTIPLIER + ord(char)) % _MODULUS
        hashed = hashed * MULTIPLIER % _MODULUS
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
