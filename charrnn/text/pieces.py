"""The pieces of a text: its words, and its windows, which are all its runs of some characters."""

import re
from typing import List

import numpy as np

from charrnn.data import code_points

# characters in a row that two texts have by no accident
COPIED = 20
# A text with a smaller share of spaces has none between its words, as Chinese has none.
LEAST_SPACES = 0.05
# A text with a larger share of these signs is a program.
SIGNS_OF_PROGRAMS = frozenset("()[]{}<>=_+*/\\|&%#$@^~`;")
MOST_SIGNS = 0.03

_WORD = re.compile(r"[^\W\d_][\w'’]*")
_LAST_WORD = re.compile(r"[^\W\d_][\w'’]*\Z")
_IN_WORD = re.compile(r"[\w'’]")
_APOSTROPHES = "'’"
_POSSESSIVE = re.compile("['’]s$")

# of the polynomial hash, modulo 2^32; the prime of FNV-1
_MULTIPLIER = np.uint32(16_777_619)


def words(text: str) -> List[str]:
    """Return the words of a text in their order, in lower case, each without an 's at its end.

    >>> words("The cat's mat, 3rd 'cat'")
    ['the', 'cat', 'mat', 'rd', 'cat']
    """
    of_text = []
    for word in _WORD.findall(text):
        lower = word.lower().rstrip(_APOSTROPHES)
        of_text.append(_POSSESSIVE.sub("", lower))
    return of_text


def words_after(before: str, text: str) -> List[str]:
    """Return the words of what follows a text, the first one with its beginning there.

    >>> words_after("the wat", "er is cold"), words_after("the water", " is cold")
    (['water', 'is', 'cold'], ['is', 'cold'])
    """
    if not _IN_WORD.match(text):
        return words(text)
    begun = _LAST_WORD.search(before)
    return words(begun.group() + text if begun else text)


def without_cut_word(text: str) -> str:
    """Return a text without the word at its end, which may be cut off; one without spaces between words as it is.

    >>> without_cut_word("The cat sat on the ma")
    'The cat sat on the '
    """
    if not has_spaces(text):
        return text
    return _LAST_WORD.sub("", text)


def has_spaces(text: str) -> bool:
    """Return whether a text has spaces between its words."""
    spaces = sum(map(str.isspace, text))
    return spaces >= LEAST_SPACES * len(text)


def is_of_words(text: str) -> bool:
    """Return whether a text is written in words with spaces between them, and is no program.

    >>> is_of_words("The cat sat."), is_of_words("for (i = 0; i < n; i++) { f(x[i]); }")
    (True, False)
    """
    signs = sum(char in SIGNS_OF_PROGRAMS for char in text)
    return has_spaces(text) and signs <= MOST_SIGNS * len(text)


def windows(text: str, length: int) -> List[str]:
    """Return the windows of a text."""
    return [text[start : start + length] for start in range(len(text) - length + 1)]


class Windows:
    """The windows of a text of any length. They are looked for by their hashes, and then compared."""

    def __init__(self, text: str, length: int) -> None:
        """Hash the windows of a text. This takes 4 bytes a character, and three times as many while it is done."""
        self._text = text
        self._length = length
        self._hashes = np.sort(_hashed(text, length))

    def are_in(self, text: str) -> List[bool]:
        """Return of each window of another text whether this one has it too."""
        hashed = _hashed(text, self._length)
        is_there = np.zeros(len(hashed), bool)
        if len(self._hashes):
            places = np.searchsorted(self._hashes, hashed)
            places = np.minimum(places, len(self._hashes) - 1)
            is_there = self._hashes[places] == hashed
        # Two windows may have one hash.
        for start in np.flatnonzero(is_there):
            is_there[start] = text[start : start + self._length] in self._text
        return is_there.tolist()


def _hashed(text: str, length: int) -> np.ndarray:
    """Return the hash of each window of a text, uint32, in their order."""
    points = code_points(text).astype(np.uint32)
    hashed = np.zeros(max(0, len(points) - length + 1), np.uint32)
    for offset in range(length):
        hashed *= _MULTIPLIER
        hashed += points[offset : offset + len(hashed)]
    return hashed
