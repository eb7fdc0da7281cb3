"""Quotation marks while a direction is held: they close only what is open. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import re
from typing import Dict, Mapping, Set

import numpy as np

from charrnn.data import Vocabulary
from charrnn.text import features

# A quotation mark closes after a letter, a digit or one of these, and opens after a space. Elsewhere it does either.
BEFORE_CLOSING = ".,;:!?\u2026"
_MARK = re.compile(f"[{''.join(features.FAMILIES)}]")
# Below this strength, which is halfway, a direction is held outside.
HELD_INSIDE = 0.5


class PairedQuotes:
    """No quotation mark that closes what none has opened in the paragraph.

    A network that is held inside quotation marks would close them again and again, and open none. Held outside, it
    opens none.
    """

    def __init__(self, vocabulary: Vocabulary, steer: Mapping[str, float]) -> None:
        """Prepare to write while directions are held at some strengths."""
        self._size = len(vocabulary)
        self._families: Dict[int, str] = {}
        for index, char in enumerate(vocabulary.chars):
            if char in features.FAMILIES:
                self._families[index] = features.FAMILIES[char]
        self._may_open = steer.get(features.QUOTATION, HELD_INSIDE) >= HELD_INSIDE

    def allowed(self, text: str) -> np.ndarray:
        """Return which characters may follow a text, bool [C]."""
        open_families = _open_families(text)
        last = text[-1:]
        may_open = self._may_open and not _is_before_closing(last)
        allowed = np.ones(self._size, bool)
        for index, family in self._families.items():
            is_apostrophe = family in features.APOSTROPHES and last.isalnum()
            allowed[index] = family in open_families or may_open or is_apostrophe
        return allowed


def _is_before_closing(char: str) -> bool:
    """Return whether a quotation mark closes after a character; "" is the beginning of a text."""
    return char.isalnum() or (char != "" and char in BEFORE_CLOSING)


def _open_families(text: str) -> Set[str]:
    """Return the families of quotation marks that are open in the last paragraph of a text."""
    open_families: Set[str] = set()
    paragraph = text[text.rfind("\n\n") + 1 :]
    for mark in _MARK.finditer(paragraph):
        family = features.FAMILIES[mark.group()]
        before = paragraph[mark.start() - 1 : mark.start()]
        after = paragraph[mark.end() : mark.end() + 1]
        if family in features.APOSTROPHES and before.isalnum() and after.isalnum():
            continue
        closes = family in open_families and not before.isspace()
        if closes:
            open_families.remove(family)
        elif not _is_before_closing(before):
            open_families.add(family)
    return open_families
