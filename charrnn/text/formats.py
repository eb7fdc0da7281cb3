"""Whether a text is a table. This is a guess."""

import csv
import io
import re
from typing import Sequence

from charrnn.text.lines import EXAMINED

# share of the rows of a table that have as many cells as its first one
LEAST_EQUAL = 0.9
# A column of text has at least WORDS_OF_TEXT words in LEAST_TEXT of its cells.
WORDS_OF_TEXT = 4
LEAST_TEXT = 0.5
DELIMITERS = ",;\t"
# the name of a column; the first one may have none
_COLUMN = re.compile(r"(?:[^\W\d][\w ()./-]{0,30})?")


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
