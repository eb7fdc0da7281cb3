"""Texts that are lists, such as names or titles: how they are recognised, and how their lines are shuffled."""
import re
from collections import Counter
from typing import List, Optional

import numpy as np

from charrnn.checkpoints.record import RunRecord, text_sha256

LEAST_LINES = 200
LONGEST_LINE = 100  # characters
NARROWEST = 40  # characters in a line of prose that was broken into lines
EXCEPTIONS = 0.05  # share of the lines that may be unlike those of a list
LOOK = 200_000  # characters at the start of a text that are looked at
RULE = (f"at least {LEAST_LINES} lines, none over {LONGEST_LINE} characters, nine of ten distinct, hardly one that "
        "goes on in the next or names a speaker")
_CONTINUES = re.compile(r"\s|[—–]|.*[,;:，；：、—–-]$")
_SPEAKER = re.compile(r"[\W\d_]*([^\W\d_][^:：<>]{0,30})(?:[:>]\s|：)")  # perhaps after the time of day


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
    items = items_of(text if text.endswith("\n") else text + "\n")
    order = np.random.RandomState(0).random_sample(len(items)).argsort(kind="stable")
    return "".join([items[index] for index in order])


def text_of(run: RunRecord, text: str) -> Optional[str]:
    """Return the text of a run in the order of the run, or None if this is another text.

    Args:
        run: the run.
        text: the text as it was given, or with its lines shuffled.
    """
    sha256 = text_sha256(text)
    if sha256 == (run.shuffled_sha256 or run.text_sha256):
        return text
    return shuffled(text) if sha256 == run.text_sha256 else None


def is_list(text: str) -> bool:
    """Return whether a text is plainly a list, by RULE.

    A line goes on in the next if it ends with a comma, begins with a space, or has other blank lines after it than
    most; and all do if most are as full as those of a text that was broken at some width.
    """
    items = [item for item in items_of(text[:LOOK])[:-1 if len(text) > LOOK else None] if item.strip()]
    lines = [item.rstrip() for item in items]
    if len(lines) < LEAST_LINES or max(map(len, lines)) > LONGEST_LINE or len(set(lines)) < 0.9 * len(lines):
        return False
    width = sorted(map(len, lines))[int(0.9 * len(lines))]
    filled = sum(len(f"{line} {following.split()[0]}") > width for line, following in zip(lines, lines[1:]))
    blank_lines = [item.count("\n") for item in items[:-1]]
    usual = Counter(blank_lines).most_common(1)[0][0]
    speakers = [match.group(1) if match else "" for match in map(_SPEAKER.match, lines)]
    turns = Counter(speakers)
    exceptions = sum(count != usual or bool(_CONTINUES.match(line)) or bool(speaker) and turns[speaker] > 2
                     for count, line, speaker in zip(blank_lines, lines, speakers))
    return exceptions <= EXCEPTIONS * len(lines) and (width < NARROWEST or filled < 0.5 * len(lines))
