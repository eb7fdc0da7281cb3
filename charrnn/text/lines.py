"""The lines of a text: how they are shuffled, and if they are plainly a list, a table, or prose broken into lines."""

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
# share of the rows of a table that have as many cells as its first one
LEAST_EQUAL = 0.9
# A column of text has at least WORDS_OF_TEXT words in LEAST_TEXT of its cells.
WORDS_OF_TEXT = 4
LEAST_TEXT = 0.5
DELIMITERS = ",;\t"
RULE = (
    f"at least {LEAST_LINES} lines, none over {LONGEST_LINE} characters, nine of ten distinct, hardly one that "
    "goes on in the next or names a speaker"
)
# the ends of a line that goes on in the next, and, besides spaces, the beginnings of one that goes on from the last
_OPEN_ENDS = tuple(",;:，；：、—–-")
_DASHES = ("—", "–")
_FIRST_LETTER = re.compile(r"[\W\d_]*([^\W\d_])")
# the name of a column; the first one may have none
_COLUMN = re.compile(r"(?:[^\W\d][\w ()./-]{0,30})?")
# the name before a colon or a >, perhaps after the time of day
_SPEAKER = re.compile(r"[\W\d_]*([^\W\d_][^:：<>]{0,30})(?:[:>]\s|：)")


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
    return not is_prose(lines)


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


def is_prose(lines: List[str]) -> bool:
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
