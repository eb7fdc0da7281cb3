"""What a text begins with, by what its paragraphs, lines or sentences begin with."""

import re
from collections import Counter
from typing import Counter as Counts
from typing import List, Optional

from charrnn.text.lines import EXAMINED, LONGEST_LINE, is_prose

# A text that has "The " at least once in this many characters begins with it, as the notebook does.
CHARACTERS_PER_THE = 10_000
# A text with fewer paragraphs begins as its lines or sentences do.
LEAST_PARAGRAPHS = 5
# paragraphs of a record, on the mean
MOST_PARAGRAPHS = 4
_BLANK_LINES = re.compile(r"\n\s*\n")
# a line of signs alone between records, such as % or ---
_RECORD_END = re.compile(r"^[%*=~#_\u2014-]+$", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…][\"'“”’»)]*\s+|\n\s*\n")
# such as 200, 2.5 or 1/2
_QUANTITY = re.compile(r"\d+(?:[.,/]\d+)?")
# a word without digits and signs of a format, perhaps with a punctuation mark behind it
_TYPED = re.compile(r"[^\W\d_][^\d\s,.;:/\\<>(){}\[\]|=#@*_&%$\"]*[,.;:!?，：]?")


def beginning_of(text: str, own: bool = False) -> Optional[str]:
    r"""Return what a text begins with by default: what most of its paragraphs begin with, see :func:`beginnings_of`.

    Args:
        text: the text.
        own: True for a text that is to sound like this one, and not like the one that the network learned before: it
            begins with "The ", which all English texts have, only where nothing else begins two paragraphs. Otherwise
            None, which stands for "The ", if that is frequent.

    >>> beginning_of("Suppe mit Ei\nSalat\nSuppe mit Brot\n12:30 Anna: ja\n")
    'Suppe '
    >>> beginning_of("200 g Mehl\n50 g Butter\nBacken und essen\n")
    '\n'
    >>> beginning_of("The cat sat.\nGwen dug.\nThe bees sat.\nGwen ran.\nThe end is near.\n", own=True)
    'Gwen '
    >>> beginning_of("Club news\nThe cat sat.\nThe bees sat.\n", own=True)
    >>> beginning_of("\n" * EXAMINED + "Suppe mit Ei\n")
    """
    the = "The "
    if text.count(the) * CHARACTERS_PER_THE >= len(text) and not own:
        return None
    counts = _counted_beginnings(text)
    for beginning, count in counts.most_common():
        if beginning != the:
            # Of what begins one paragraph only, such as a title, a text should not be begun if it has better.
            return None if count < counts[the] and count == 1 else beginning
    return None


def beginnings_of(text: str) -> List[str]:
    r"""Return what the paragraphs of a text begin with, the most frequent first: their first words, each with a space.

    Where there are few paragraphs, the lines count, or in prose that was broken into lines the sentences. A line end
    stands alone if most of them begin with what nobody would type, such as a number of grams, and a blank line where
    these stand between paragraphs. Nothing begins a text of single words.

    >>> beginnings_of("kez: keys\ndom: no\nkez: who\n")
    ['kez: ', 'dom: ']
    >>> beginnings_of(5 * "kez: keys\n\nand: locks\n%\n")
    ['kez: ']
    >>> beginnings_of(9 * "2 March. Rain again.\n\n3 March. None.\n\n")
    ['\n\n']
    """
    return [beginning for beginning, _ in _counted_beginnings(text).most_common()]


def _counted_beginnings(text: str) -> Counts[str]:
    """Return how often each beginning of :func:`beginnings_of` is there."""
    examined = text[:EXAMINED]
    if not examined.strip():
        return Counter()
    starts = _starts(examined)
    of_several_words = [start for start in starts if len(start[:LONGEST_LINE].split()) > 1]
    first_words = filter(None, map(_first_word, of_several_words))
    counts = Counter(first_words)
    if 2 * sum(counts.values()) < len(of_several_words):
        has_paragraphs = len(_BLANK_LINES.findall(examined)) >= LEAST_PARAGRAPHS
        return Counter(["\n\n" if has_paragraphs else "\n"])
    return Counter({f"{word} ": count for word, count in counts.items()})


def _starts(text: str) -> List[str]:
    """Divide a text into its records or paragraphs; if these are few, into lines, or sentences in prose.

    A record may have paragraphs. Where there are many more paragraphs, as in a novel, the signs are not about records.
    """
    records = [part for part in _RECORD_END.split(text) if part.strip()]
    paragraphs = [part for part in _BLANK_LINES.split(text) if part.strip()]
    if len(records) >= max(LEAST_PARAGRAPHS, len(paragraphs) / MOST_PARAGRAPHS):
        return records
    if len(paragraphs) >= LEAST_PARAGRAPHS:
        return paragraphs
    lines = [line for line in text.split("\n") if line.strip()]
    if is_prose(lines):
        return re.split(_SENTENCE_END, text)
    return lines


def _first_word(start: str) -> Optional[str]:
    """Return the first word with a letter, perhaps after the time of day; None if no person would begin with it."""
    before_another = start[:LONGEST_LINE].split()[:-1]
    for word in before_another:
        if _QUANTITY.fullmatch(word):
            return None
        if any(map(str.isalpha, word)):
            return word if _TYPED.fullmatch(word) else None
    return None
