"""Guards: what may not come next while a text is written. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`.
"""

import re
from typing import Dict, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from charrnn.data import Vocabulary, code_points
from charrnn.engines.processor import Processor, Texts
from charrnn.text import features
from charrnn.text.lexicon import Lexicon, begins_sentence, part_of
from charrnn.text.windows import Windows

# A quotation mark closes after a letter, a digit or one of these, and opens after a space. Elsewhere it does either.
BEFORE_CLOSING = ".,;:!?\u2026"
_MARK = re.compile(f"[{''.join(features.FAMILIES)}]")
# Below this strength, which is halfway, a direction is held outside.
HELD_INSIDE = 0.5


class Guard:
    """Something that a text must not do."""

    def allowed(self, text: str) -> np.ndarray:
        """Return which characters may follow a text, bool [C]."""
        raise NotImplementedError


class Guards(Processor):
    """Leaves the characters that guards allow.

    Where nothing is left that ``allow`` leaves too, the last guard gives way, then the one before it, and so on. So
    guards never end a text.
    """

    def __init__(self, guards: Sequence[Guard]) -> None:
        """Prepare to write with guards, the one that gives way last first."""
        self._guards = tuple(guards)

    def process(self, logits: np.ndarray, own: np.ndarray, texts: Texts) -> np.ndarray:
        logits = logits.copy()
        for row, text in enumerate(texts):
            if text is None:
                continue
            kept = logits[row] > -np.inf  # [C]
            for guard in self._guards:
                narrower = kept & guard.allowed(text)
                if narrower.any():
                    kept = narrower
            logits[row, ~kept] = -np.inf
        return logits


class NoCopy(Guard):
    """No window of the training text."""

    def __init__(self, vocabulary: Vocabulary, windows: Windows, near: Windows) -> None:
        """Prepare to guard windows; ``near`` are shorter ones, with which a copy begins."""
        self._chars = vocabulary.chars
        self._points = code_points("".join(vocabulary.chars)).astype(np.uint32)
        self._windows = windows
        self._near = near

    def allowed(self, text: str) -> np.ndarray:
        before = self._windows.length - 1
        if len(text) < before:
            return np.ones(len(self._chars), bool)
        return self._windows.following(text[len(text) - before :], self._chars, self._points) == 0

    def is_near(self, text: str) -> np.ndarray:
        """Return which characters lead so near to a copy that the word may have to end in one, bool [C]."""
        before = self._near.length - 1
        if len(text) < before:
            return np.zeros(len(self._chars), bool)
        return self._near.following(text[len(text) - before :], self._chars, self._points) > 0


class NoRepeat(Guard):
    """No window that the text has had, unless the training text has it repeatedly, and as often."""

    def __init__(self, vocabulary: Vocabulary, length: int, windows: Windows) -> None:
        """Prepare to guard windows of some characters; ``windows`` are those that the training text has repeatedly."""
        self._ids = vocabulary.vocab_to_int
        self._chars = vocabulary.chars
        self._points = code_points("".join(vocabulary.chars)).astype(np.uint32)
        self._length = length
        self._windows = windows

    def allowed(self, text: str) -> np.ndarray:
        allowed = np.ones(len(self._chars), bool)
        if len(text) < self._length:
            return allowed
        tail = text[len(text) - self._length + 1 :]
        counts = self._counts_after(tail, text)
        if not counts:
            return allowed

        # A text may repeat a window once for each time that a training text of its length has it.
        in_training = self._windows.following(tail, self._chars, self._points)
        share = len(text) / self._windows.n_characters
        for index, count in counts.items():
            if count >= 1 + int(in_training[index] * share):
                allowed[index] = False
        return allowed

    def _counts_after(self, tail: str, text: str) -> Dict[int, int]:
        """Return how often each character has followed some others in a text, by its id."""
        counts: Dict[int, int] = {}
        place = text.find(tail)
        while 0 <= place < len(text) - len(tail):
            index = self._ids[text[place + len(tail)]]
            counts[index] = counts.get(index, 0) + 1
            place = text.find(tail, place + 1)
        return counts


class KnownWords(Guard):
    """Letters along known words only, and ends where a word ends.

    With a guard against copies, a word is not begun that only a copy could end.
    """

    def __init__(
        self, vocabulary: Vocabulary, lexicon: Lexicon, no_copy: Optional[NoCopy] = None
    ) -> None:
        self._chars = vocabulary.chars
        self._lexicon = lexicon
        self._no_copy = no_copy
        # what may follow a part of a word, which comes again and again
        self._masks: Dict[Tuple[str, bool], np.ndarray] = {}

    def allowed(self, text: str) -> np.ndarray:
        allowed = self._along_words(text)
        if self._no_copy is None:
            return allowed

        allowed = allowed & self._no_copy.allowed(text)
        for index in np.flatnonzero(allowed & self._no_copy.is_near(text)):
            char = self._chars[index]
            if char.isalnum() and not self._can_end(text + char, self._no_copy):
                allowed[index] = False
        return allowed

    def _along_words(self, text: str) -> np.ndarray:
        """Return the characters that may follow by the words alone, bool [C]."""
        part = part_of(text)
        is_first = begins_sentence(text, part)
        if (part, is_first) not in self._masks:
            mask = [self._lexicon.allows(part, is_first, char) for char in self._chars]
            self._masks[part, is_first] = np.array(mask, bool)
        return self._masks[part, is_first]

    def _can_end(self, text: str, no_copy: NoCopy) -> bool:
        """Return whether the word at the end of a text can end, or become another one, without a copy."""
        allowed = self._along_words(text) & no_copy.allowed(text)
        is_near = no_copy.is_near(text)
        for index in np.flatnonzero(allowed):
            char = self._chars[index]
            if not char.isalnum() or not is_near[index] or self._can_end(text + char, no_copy):
                return True
        return False


class PairedQuotes(Guard):
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
