"""The words that a text may have: its own, and the frequent ones of its language."""

import re
from collections import Counter
from typing import Counter as Counts
from typing import FrozenSet, Iterable, List, NamedTuple, Optional, Set

from charrnn.text.windows import hash_of, longer_hash

APOSTROPHES = "'’"
# A word, with digits and apostrophes in it.
_TOKEN = re.compile(r"[^\W_](?:[^\W_]|['’])*")
_POSSESSIVE = ("'s", "’s")
# What may stand between the end of a sentence and the word that begins the next.
_BEFORE_A_SENTENCE = " \t\"'“”‘’«»„()[]*_—–-"
_ENDS = ".!?…:;\n"
# occurrences in a text from which on a word is frequent
LEAST_COUNT = 5
# A word is listed in lower case if at least this share of its occurrences are.
LEAST_LOWER = 0.1
# Bytes of a list of words. Those of a language have a tenth of it.
MOST_BYTES = 4_000_000
_OF_LZMA = b"\xfd7zXZ\0"
# of memory, to unpack it
_MOST_MEMORY = 2**27
_DAMAGED = "its list of words is damaged"


def forms_of(text: str) -> FrozenSet[str]:
    """Return the words of a text, as they are written there; of "the cat's", also "cat"."""
    words = {word.rstrip(APOSTROPHES) for word in _TOKEN.findall(text)}
    stems = {word[:-2] for word in words if word.endswith(_POSSESSIVE)}
    return frozenset(words | stems)


def frequent_words(text: str, most: int) -> List[str]:
    """Return the most frequent words of a text, sorted: in lower case, or, such as names, with a capital.

    Args:
        text: a long one.
        most: how many words.
    """
    counts = Counter(word.rstrip(APOSTROPHES) for word in _TOKEN.findall(text))
    by_lower: Counts[str] = Counter()
    for word, count in counts.items():
        if not any(map(str.isdigit, word)):
            by_lower[word.lower()] += count

    words = []
    for word, count in by_lower.most_common(most):
        if count < LEAST_COUNT:
            break
        is_lower = counts[word] >= LEAST_LOWER * count
        words.append(word if is_lower else word[:1].upper() + word[1:])
    return sorted(words)


def pack(words: Iterable[str]) -> bytes:
    """Return words compressed, for a file."""
    # not above, because Python may have been built without it
    import lzma

    return lzma.compress("\n".join(words).encode("utf-8"), preset=9)


def unpack(content: bytes) -> List[str]:
    """Return the words of :func:`pack`, or of a list that is not compressed: the pages write such a one.

    Raises:
        ValueError: it is no list of words, or one of more than MOST_BYTES.
    """
    import lzma

    try:
        if content.startswith(_OF_LZMA):
            reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
            content = reader.decompress(content, MOST_BYTES)
            if not reader.eof:
                raise ValueError(_DAMAGED)
        words = content.decode("utf-8")
    except (lzma.LZMAError, UnicodeDecodeError):
        raise ValueError(_DAMAGED)
    return words.split("\n")


class Hashed(NamedTuple):
    """Words by their hashes.

    Attributes:
        words: the hash of each.
        beginnings: those of all their beginnings, and of the words.
    """

    words: Set[int]
    beginnings: Set[int]


def hashed(words: Iterable[str]) -> Hashed:
    """Hash words and their beginnings."""
    whole = set()
    beginnings = set()
    for word in words:
        hash_so_far = 0
        for char in word:
            hash_so_far = longer_hash(hash_so_far, char)
            beginnings.add(hash_so_far)
        whole.add(hash_so_far)
    return Hashed(whole, beginnings)


class Lexicon:
    """Known words, and how a text may go on inside of one.

    A word is written as it is known, or with a capital at the beginning of a sentence or line. Words are known by their
    hashes, so that a file need not have those of its text.
    """

    def __init__(self, words: Iterable[str], others: Optional[Hashed] = None) -> None:
        """Know some words, and others by their hashes."""
        self._words, self._beginnings = hashed(words)
        if others is not None:
            self._words |= others.words
            self._beginnings |= others.beginnings

    def __len__(self) -> int:
        return len(self._words)

    def allows(self, part: str, begins_sentence: bool, char: str) -> bool:
        """Return whether a character may follow the part of a word, see :func:`part_of`, or "" between words."""
        if char.isalnum() or (part and char in APOSTROPHES):
            longer = part + char
            if self._is_in(self._beginnings, longer, begins_sentence) or longer.isdigit():
                return True
            # An apostrophe may be a closing quotation mark.
            return char in APOSTROPHES and self._is_word(part, begins_sentence)
        return not part or self._is_word(part, begins_sentence)

    def _is_word(self, part: str, begins_sentence: bool) -> bool:
        word = part.rstrip(APOSTROPHES)
        return word.isdigit() or self._is_in(self._words, word, begins_sentence)

    @staticmethod
    def _is_in(known: Set[int], part: str, begins_sentence: bool) -> bool:
        if hash_of(part) in known:
            return True
        return begins_sentence and hash_of(part[:1].lower() + part[1:]) in known


def part_of(text: str) -> str:
    """Return the word at the end of a text, as far as it is written; "" if the text ends between words.

    >>> part_of("the cat's"), part_of("the cat "), part_of("'the"), part_of("")
    ("cat's", '', 'the', '')
    """
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in APOSTROPHES):
        start -= 1
    return text[start:].lstrip(APOSTROPHES)


def begins_sentence(text: str, part: str) -> bool:
    """Return whether the word at the end of a text begins a sentence or a line.

    >>> begins_sentence("He came. The", "The"), begins_sentence("He came, the", "the")
    (True, False)
    """
    before = text[: len(text) - len(part)].rstrip(_BEFORE_A_SENTENCE)
    return not before or before[-1] in _ENDS
