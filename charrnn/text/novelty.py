"""How much of a text is copied from a training text: the longest run, and the share of copied windows. NumPy only.

Windows of both texts are compared by polynomial hashes (Karp and Rabin 1987), computed for one piece of the
training text at a time. Windows with equal hashes are then compared character by character.
"""
from dataclasses import dataclass
from typing import Iterator, Tuple

import numpy as np

from charrnn.data import code_points

WINDOW = 20  # characters
_PIECE = 1 << 18  # characters of the training text that are hashed at a time
_BASE = 0x9E3779B1  # odd, so that no character vanishes modulo 2^32
_BITS = 20  # upper bits of a hash that are looked up first


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied from the training text.

    Attributes:
        longest: length of the longest run of characters that occurs in the training text.
        start: position of this run in the text.
        place: position of this run in the training text, in characters.
        share: share of the windows of WINDOW characters that occur in the training text; 0 for a shorter text.
    """

    longest: int
    start: int
    place: int
    share: float


class Reference:
    """A training text that other texts are compared with."""

    def __init__(self, text: str) -> None:
        """Store the training text, in 4 bytes a character."""
        self._points = code_points(text)

    def novelty(self, text: str) -> Novelty:
        """Compare a text with the training text.

        >>> Reference("the cat sat on the mat").novelty("a cat sat here")
        Novelty(longest=9, start=1, place=3, share=0.0)
        """
        sought = code_points(text)
        copied = np.zeros(max(0, len(sought) - WINDOW + 1), bool)
        for _, start in self._matches(sought, WINDOW):
            copied[start] = True
        longest, start, place = self._longest(sought)
        return Novelty(longest, start, place, float(copied.mean()) if len(copied) else 0.0)

    def _longest(self, sought: np.ndarray) -> Tuple[int, int, int]:
        """Return (length, start, place) of the longest run.

        If a run of some length occurs, so do shorter ones. The length is therefore doubled until no run has it,
        and then found by bisection.
        """
        best, low, high = (0, 0, 0), 0, min(len(sought), len(self._points))
        length = WINDOW
        while low < high:
            length = min(length, high)
            found = next(self._matches(sought, length), None)
            if found:
                place, start = found
                low = self._extended(place, start, length, sought)
                best = (low, start, place)
            else:
                high = length - 1
            length = min(2 * low, (low + high + 1) // 2) if low else (high + 1) // 2
            length = max(length, low + 1)
        return best

    def _extended(self, place: int, start: int, length: int, sought: np.ndarray) -> int:
        """Return the length of a match after extending it to the right as far as the texts agree."""
        while (place + length < len(self._points) and start + length < len(sought)
               and self._points[place + length] == sought[start + length]):
            length += 1
        return length

    def _matches(self, sought: np.ndarray, width: int) -> Iterator[Tuple[int, int]]:
        """Yield (place, start) for each window of the text that occurs in the training text, once per start."""
        ranked, which = np.unique(_hashes(sought, width), return_inverse=True)
        if not len(ranked):
            return
        starts = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
        shift = np.uint32(32 - _BITS)
        known = np.zeros(1 << _BITS, bool)
        known[ranked >> shift] = True
        missing = np.ones(len(ranked), bool)  # hashes of which some windows are not yet found
        for begin in range(0, len(self._points) - width + 1, _PIECE):
            here = _hashes(self._points[begin:begin + _PIECE + width - 1], width)
            places = np.flatnonzero(known[here >> shift])
            ranks = np.minimum(np.searchsorted(ranked, here[places]), len(ranked) - 1)
            equal = (ranked[ranks] == here[places]) & missing[ranks]
            for rank, place in zip(ranks[equal], begin + places[equal]):
                if missing[rank]:
                    window = self._points[place:place + width]
                    same = [np.array_equal(window, sought[start:start + width]) for start in starts[rank]]
                    found, starts[rank] = starts[rank][same], starts[rank][np.logical_not(same)]
                    missing[rank] = len(starts[rank])
                    for start in found:
                        yield int(place), int(start)


def _hashes(points: np.ndarray, width: int) -> np.ndarray:
    """Return the hash of each window of a width, uint32 [T - width + 1].

    The hash of 2n characters is the hash of the first n times the base to the power n, plus that of the last n.
    """
    if len(points) < width:
        return np.zeros(0, np.uint32)
    count = len(points) - width + 1
    power, size = points + np.uint32(1), 1  # hashes of `size` characters
    base = _BASE  # the base to the power `size`, modulo 2^32
    done, offset = None, 0
    remaining = width
    while True:
        if remaining & 1:
            part = power[offset:offset + count]
            done = part.copy() if done is None else done * np.uint32(base) + part
            offset += size
        remaining >>= 1
        if not remaining:
            return done * np.uint32(0x85EBCA6B)  # mixes all bits into the upper ones, which are looked up first
        power = power[:-size] * np.uint32(base) + power[size:]
        base = base * base % (1 << 32)
        size *= 2
