"""How much of a text stands word for word in another: the longest run, and the share of windows. NumPy only.

Windows are found by their polynomial hashes (Karp and Rabin 1987), computed for a piece of the long text at once,
and held against the characters themselves before they count.
"""
from typing import NamedTuple

import numpy as np

WINDOW = 20  # characters
_PIECE = 1 << 18  # characters of the long text at a time
_BASE = 0x9E3779B1  # odd, so that no character is lost modulo 2^32
_BITS = 20  # of a hash that the first look goes by


class Novelty(NamedTuple):
    """What of a text was copied.

    Attributes:
        longest: length of the longest run of characters that stands in the training text.
        start: where it begins in the text.
        place: where it stands in the training text, counted in characters.
        share: share of the text's windows of WINDOW characters that stand there; 0 where it is shorter.
    """

    longest: int
    start: int
    place: int
    share: float


class Reference:
    """A training text that others are held against."""

    def __init__(self, text):
        """Take the text, a str; 4 bytes a character."""
        self._points = _points(text)

    def novelty(self, text):
        """Return the Novelty of a text, a str.

        >>> Reference("the cat sat on the mat").novelty("a cat sat here")
        Novelty(longest=9, start=1, place=3, share=0.0)
        """
        sought = _points(text)
        copied = np.zeros(max(0, len(sought) - WINDOW + 1), bool)
        for _, start in self._matches(sought, WINDOW):
            copied[start] = True
        best = self._longest(sought)
        return Novelty(*best, share=float(copied.mean()) if len(copied) else 0.0)

    def _longest(self, sought):
        """Return (length, start, place) of the longest run.

        Where a run of some length stands, so do shorter ones: the length is doubled until there is none, and then
        the gap is halved.
        """
        best, low, high = (0, 0, 0), 0, min(len(sought), len(self._points))
        length = WINDOW
        while low < high:
            length = min(length, high)
            found = next(self._matches(sought, length), None)
            if found:
                place, start = found
                low = self._grown(place, start, length, sought)
                best = (low, start, place)
            else:
                high = length - 1
            length = min(2 * low, (low + high + 1) // 2) if low else (high + 1) // 2
            length = max(length, low + 1)
        return best

    def _grown(self, place, start, length, sought):
        """Return how far a match goes on to the right."""
        while (place + length < len(self._points) and start + length < len(sought)
               and self._points[place + length] == sought[start + length]):
            length += 1
        return length

    def _matches(self, sought, width):
        """Yield (place, start) for each window of the sought text that stands in the long one, once for each start."""
        hashes = _hashes(sought, width)
        ranked, which = np.unique(hashes, return_inverse=True)
        if not len(ranked):
            return
        starts = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
        shift = np.uint32(32 - _BITS)
        known = np.zeros(1 << _BITS, bool)
        known[ranked >> shift] = True
        missing = np.ones(len(ranked), bool)  # hashes with windows that were not found yet
        for begin in range(0, len(self._points) - width + 1, _PIECE):
            here = _hashes(self._points[begin:begin + _PIECE + width - 1], width)
            places = np.flatnonzero(known[here >> shift])
            ranks = np.minimum(np.searchsorted(ranked, here[places]), len(ranked) - 1)
            met = (ranked[ranks] == here[places]) & missing[ranks]
            for rank, place in zip(ranks[met], begin + places[met]):
                if missing[rank]:
                    window = self._points[place:place + width]
                    same = [np.array_equal(window, sought[start:start + width]) for start in starts[rank]]
                    found, starts[rank] = starts[rank][same], starts[rank][np.logical_not(same)]
                    missing[rank] = len(starts[rank])
                    for start in found:
                        yield int(place), int(start)


def _points(text):
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _hashes(points, width):
    """Return a hash for each window of the given width, uint32 [T - width + 1].

    The hash of 2n characters is that of the first n times the base to the n plus that of the last n.
    """
    if len(points) < width:
        return np.zeros(0, np.uint32)
    count = len(points) - width + 1
    power, size = points + np.uint32(1), 1  # hashes of `size` characters
    base = _BASE  # the base to the `size`, modulo 2^32
    done, offset = None, 0
    remaining = width
    while True:
        if remaining & 1:
            part = power[offset:offset + count]
            done = part.copy() if done is None else done * np.uint32(base) + part
            offset += size
        remaining >>= 1
        if not remaining:
            # spread over the upper bits, which are looked at first
            return done * np.uint32(0x85EBCA6B)
        power = power[:-size] * np.uint32(base) + power[size:]
        base = base * base % (1 << 32)
        size *= 2
