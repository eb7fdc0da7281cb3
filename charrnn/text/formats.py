"""What a text plainly is besides prose: markup, notes, a chat, columns or a table. These are guesses."""

import csv
import io
import re
from collections import Counter
from typing import Sequence

from charrnn.text.lines import EXAMINED

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
