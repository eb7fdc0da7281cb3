"""The lines of a text: how they are shuffled, how they begin, if they are a list, a chat or a table, and markup."""

import csv
import io
import re
from collections import Counter
from typing import List, Optional, Sequence

import numpy as np

LEAST_LINES = 200
# characters of a line
LONGEST_LINE = 100
# share of the lines of a list that differ from all lines before them
LEAST_DISTINCT = 0.9
# At most this share of a list's lines may be unlike the others.
FEW = 0.05
# Prose that was broken into lines has a width of at least NARROWEST characters, which SHARE_IN_WIDTH of its lines do
# not exceed. A full line lacks up to LACKING of them. More than LEAST_FULL of the lines are full.
NARROWEST = 40
SHARE_IN_WIDTH = 0.9
LACKING = 8
LEAST_FULL = 0.5
# characters at the start of a text that are examined
EXAMINED = 200_000
RULE = (
    f"at least {LEAST_LINES} lines, none over {LONGEST_LINE} characters, nine of ten distinct, hardly one that "
    "goes on in the next or names a speaker"
)
# the ends of a line that goes on in the next, and, besides spaces, the beginnings of one that goes on from the last
_OPEN_ENDS = tuple(",;:，；：、—–-")
_DASHES = ("—", "–")
_FIRST_LETTER = re.compile(r"[\W\d_]*([^\W\d_])")
# the name before a colon or a >, perhaps after the time of day
_SPEAKER = re.compile(r"[\W\d_]*([^\W\d_][^:：<>]{0,30})(?:[:>]\s|：)")
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
# share of the lines of a chat that begin with a time and a name; the others go on in a message
LEAST_TIMED = 0.5
# share of the rows of a table that have as many cells as its first one
LEAST_EQUAL = 0.9
# A column of text has at least WORDS_OF_TEXT words in LEAST_TEXT of its cells.
WORDS_OF_TEXT = 4
LEAST_TEXT = 0.5
DELIMITERS = ",;\t"
# three blanks or more inside a line, and the share of the characters of a text with columns that are in such runs
_BLANKS = re.compile(r"(?<=\S) {3,}(?=\S)")
LEAST_BLANKS = 0.02
# 12/31/24, 9:15 PM - Ann: or [31.12.24, 21:15:02] Ann: or [21:15] <ann>
_TIME_AND_NAME = re.compile(
    r"\W{0,2}"
    # the day, perhaps with a word such as "at"
    r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}[.,]{0,2}[T\s](?:[^\W\d_]{1,4}\s)?)?"
    # the time of day
    r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
    # the name
    r"\W{1,6}(?P<name>[^:<>\n]{1,40})[:>]\s"
)
# the head of a note in YAML, between two lines of ---: names with values, and what goes on below them
_HEAD = re.compile(r"^---\n(?:\w[\w -]*:.*\n|[ \t-].*\n)+?---$", re.MULTILINE)
# names that programs for notes write there
_NAME_IN_HEAD = re.compile(
    r"^(?:aliases|author|categories|created|date|draft|id|layout|modified|tags|title|updated)\s*:",
    re.MULTILINE | re.IGNORECASE,
)
# the name of a column; the first one may have none
_COLUMN = re.compile(r"(?:[^\W\d][\w ()./-]{0,30})?")


def items_of(text: str) -> List[str]:
    r"""Divide a text into its lines, each with the blank lines after it. Only ``\n`` ends a line.

    >>> items_of("Anna\n\nBoris\n")
    ['Anna\n\n', 'Boris\n']
    """
    return re.split(r"(?<=\n)(?=[^\S\n]*\S)", text)


def shuffled(text: str) -> str:
    """Shuffle the lines of a text, each with the blank lines after it, in an order that is always the same.

    A line end is added to a text that does not end with one.
    """
    if not text.endswith("\n"):
        text += "\n"
    items = items_of(text)
    order = np.random.RandomState(0).random_sample(len(items)).argsort(kind="stable")
    return "".join([items[index] for index in order])


def is_list(text: str) -> bool:
    """Return whether a text is plainly a list, by RULE.

    A line and the next belong together if the first ends with a comma, a semicolon, a colon or a dash, if the second
    begins with a space or a dash, or if other blank lines are between them than between most. In prose, all do.
    """
    items = items_of(text[:EXAMINED])
    if len(text) > EXAMINED:
        # the last one may be cut off
        items.pop()
    items = [item for item in items if item.strip()]
    lines = [item.rstrip() for item in items]

    if len(lines) < LEAST_LINES:
        return False
    if max(map(len, lines)) > LONGEST_LINE:
        return False
    if len(set(lines)) < LEAST_DISTINCT * len(lines):
        return False
    if _count_exceptions(items, lines) > FEW * len(lines):
        return False
    return not _is_prose(lines)


def _count_exceptions(items: List[str], lines: List[str]) -> int:
    """Return how many lines belong to the one before or after, or are a turn of somebody who speaks more than twice."""
    # not of the last line, which is no exception, since nothing is known of what follows it
    line_ends = [item.count("\n") for item in items[:-1]]
    [(usual, _)] = Counter(line_ends).most_common(1)
    speakers = [_speaker_of(line) for line in lines]
    turns = Counter(speakers)

    exceptions = 0
    for count, line, speaker in zip(line_ends, lines, speakers):
        goes_on = count != usual or line.endswith(_OPEN_ENDS)
        is_continued = line[0].isspace() or line.startswith(_DASHES)
        is_turn = speaker is not None and turns[speaker] > 2
        if goes_on or is_continued or is_turn:
            exceptions += 1
    return exceptions


def _speaker_of(line: str) -> Optional[str]:
    match = _SPEAKER.match(line)
    return match.group(1) if match else None


def _is_prose(lines: List[str]) -> bool:
    """Return whether lines are those of a text that was broken at some width.

    Most are nearly full, and, in a script with two cases, some begin with a small letter and some with a capital.
    """
    lengths = sorted(map(len, lines))
    width = lengths[int(SHARE_IN_WIDTH * len(lines))]
    if width < NARROWEST:
        return False
    full = sum(length >= width - LACKING for length in lengths)
    if full <= LEAST_FULL * len(lines):
        return False

    small = 0
    capital = 0
    for line in lines:
        match = _FIRST_LETTER.match(line)
        if match and match.group(1).islower():
            small += 1
        elif match and match.group(1).isupper():
            capital += 1

    # Some scripts, such as Chinese, have no cases. Their text is prose if its lines are full.
    few = FEW * len(lines)
    has_cases = small + capital > few
    has_both = min(small, capital) > few
    return has_both or not has_cases


def beginning_of(text: str, own: bool = False) -> Optional[str]:
    r"""Return what a text begins with by default: what most of its paragraphs begin with, see :func:`beginnings_of`.

    Args:
        text: the text.
        own: True for a text that is to sound like this one, and not like the one that the network learned before: it
            never begins with "The ", which all English texts have. Otherwise None, which stands for "The ", if that is
            frequent.

    >>> beginning_of("Suppe mit Ei\nSalat\nSuppe mit Brot\n12:30 Anna: ja\n")
    'Suppe '
    >>> beginning_of("200 g Mehl\n50 g Butter\nBacken und essen\n")
    '\n'
    >>> beginning_of("The cat sat.\nGwen dug.\nThe bees sat.\n", own=True)
    'Gwen '
    >>> beginning_of("\n" * EXAMINED + "Suppe mit Ei\n")
    """
    the = "The "
    if text.count(the) * CHARACTERS_PER_THE >= len(text) and not own:
        return None
    for beginning in beginnings_of(text):
        if beginning != the:
            return beginning
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
    examined = text[:EXAMINED]
    if not examined.strip():
        return []
    starts = _starts(examined)
    of_several_words = [start for start in starts if len(start[:LONGEST_LINE].split()) > 1]
    first_words = filter(None, map(_first_word, of_several_words))
    counts = Counter(first_words)
    if 2 * sum(counts.values()) < len(of_several_words):
        has_paragraphs = len(_BLANK_LINES.findall(examined)) >= LEAST_PARAGRAPHS
        return ["\n\n" if has_paragraphs else "\n"]
    return [f"{word} " for word, _ in counts.most_common()]


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
    if _is_prose(lines):
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


def markup_of(text: str) -> str:
    """Return the markup language of a text, by its beginning; "" for none.

    >>> markup_of("<!DOCTYPE html>\\n<title>A page</title>")
    'HTML'
    """
    beginning = text[:100].lstrip().lower()
    if beginning.startswith("{\\rtf"):
        return "RTF"
    if beginning.startswith(("<!doctype html", "<html")):
        return "HTML"
    return ""


def has_heads(text: str) -> bool:
    r"""Return whether a text has heads in YAML, as programs for notes write them: at its beginning, or several.

    >>> has_heads("---\ntitle: Tea\ntags:\n  - food\n---\nBoil it.\n"), has_heads("---\nGwen: tea\n---\n")
    (True, False)
    """
    heads = []
    for match in _HEAD.finditer(text[:EXAMINED]):
        if _NAME_IN_HEAD.search(match.group()):
            heads.append(match.start())
    return len(heads) > 1 or heads == [0]


def is_chat(text: str) -> bool:
    r"""Return whether a text is a chat with a time and a name, perhaps a day too, at the head of most lines.

    A name counts if it occurs more than twice.

    >>> is_chat("12/31/24, 9:15 PM - Ann: hello\n[21:16] <ann> you?\n[21:17] <ann> me\n")
    False
    >>> is_chat("12/31/24, 9:15 PM - ann: hello\n[21:16] <ann> you?\n[21:17] <ann> me\n")
    True
    """
    lines = [line for line in text[:EXAMINED].split("\n") if line.strip()]
    matches = filter(None, map(_TIME_AND_NAME.match, lines))
    counts = Counter(match.group("name") for match in matches)
    turns = sum(count for count in counts.values() if count > 2)
    return turns > LEAST_TIMED * len(lines)


def has_columns(text: str) -> bool:
    r"""Return whether runs of blanks inside the lines make columns of a text.

    >>> has_columns("flour      500 g\neggs         2\n"), has_columns("def a():\n    return 1\n")
    (True, False)
    """
    examined = text[:EXAMINED]
    blanks = sum(len(run) for run in _BLANKS.findall(examined))
    return blanks >= LEAST_BLANKS * len(examined) > 0


def is_table(text: str) -> bool:
    r"""Return whether a text is a table, such as a CSV file, whose first row names its columns, one of them of text.

    >>> is_table("id,text\n7,so it is done at last\n8,and\n")
    True
    """
    examined = text[:EXAMINED]
    return any(_is_table_with(examined, delimiter) for delimiter in DELIMITERS)


def _is_table_with(text: str, delimiter: str) -> bool:
    """Return whether a text is a table whose cells a delimiter separates."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in reader if row]
    except csv.Error:
        return False
    if len(rows) < 2:
        return False
    columns, *others = rows
    is_named = len(columns) > 1 and len(set(columns)) == len(columns)
    if not is_named or not all(map(_COLUMN.fullmatch, columns)):
        return False

    equal = [row for row in others if len(row) == len(columns)]
    if len(equal) < LEAST_EQUAL * len(others):
        return False
    return any(_is_of_text(cells) for cells in zip(*equal))


def _is_of_text(cells: Sequence[str]) -> bool:
    """Return whether the cells of a column are texts."""
    of_text = [cell for cell in cells if len(cell.split()) >= WORDS_OF_TEXT]
    return len(of_text) >= LEAST_TEXT * len(cells)
