"""The frequent words of a language: how they are chosen from a long text, and stored."""

import re
from collections import Counter
from typing import Counter as Counts
from typing import Iterable, List

_APOSTROPHES = "'’"
# A word, with digits and apostrophes in it.
_TOKEN = re.compile(r"[^\W_](?:[^\W_]|['’])*")
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
_DAMAGED = "its words or its text are damaged"


def frequent_words(text: str, most: int) -> List[str]:
    """Return the most frequent words of a text, sorted: in lower case, or, such as names, with a capital.

    Args:
        text: a long one.
        most: how many words.
    """
    counts = Counter(word.rstrip(_APOSTROPHES) for word in _TOKEN.findall(text))
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
    """Return words compressed, for a file. A text is packed as the words that are its lines."""
    # not above, because Python may have been built without it
    import lzma

    return lzma.compress("\n".join(words).encode("utf-8", "surrogatepass"), preset=9)


def unpack(content: bytes) -> List[str]:
    """Return the words of :func:`pack`, or of a list that is not compressed: the pages write such a one.

    Raises:
        ValueError: it is no such list, or one of more than MOST_BYTES.
    """
    import lzma

    try:
        if content.startswith(_OF_LZMA):
            reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
            content = reader.decompress(content, MOST_BYTES)
            if not reader.eof:
                raise ValueError(_DAMAGED)
        words = content.decode("utf-8", "surrogatepass")
    except (lzma.LZMAError, UnicodeDecodeError):
        raise ValueError(_DAMAGED)
    return words.split("\n")


def begins_sentence(text: str, part: str) -> bool:
    """Return whether the word at the end of a text begins a sentence or a line.

    >>> begins_sentence("He came. The", "The"), begins_sentence("He came, the", "the")
    (True, False)
    """
    before = text[: len(text) - len(part)].rstrip(_BEFORE_A_SENTENCE)
    return not before or before[-1] in _ENDS
