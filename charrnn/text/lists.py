"""The lines of a text: which texts are lists, how the lines of a list are shuffled, and how a text usually begins."""

import re
from collections import Counter
from typing import List, Optional

import numpy as np

LEAST_LINES = 200
# characters of a line
LONGEST_LINE = 100
# Prose that was broken into lines has lines of at least NARROWEST characters. A full line lacks up to LACKING of them.
NARROWEST = 40
LACKING = 8
# share of the lines that may be unlike those of a list
EXCEPTIONS = 0.05
# characters in which there is at most one "The " if a text begins otherwise than the notebook's
RARE = 10_000
# characters at the start of a text that are looked at
LOOK = 200_000
RULE = (
    f"at least {LEAST_LINES} lines, none over {LONGEST_LINE} characters, nine of ten distinct, hardly one that "
    "goes on in the next or names a speaker"
)
_CONTINUES = re.compile(r"\s|[—–]|.*[,;:，；：、—–-]$")
_SENTENCE_END = re.compile(r"[.!?…][\"'“”’»)]*\s+|\n\s*\n")
_FIRST_LETTER = re.compile(r"[\W\d_]*([^\W\d_])")
_QUANTITY = re.compile(r"\d+(?:[.,/]\d+)?")
# a word without digits and signs of a format, perhaps with a punctuation mark behind it
_TYPED = re.compile(r"[^\W\d_][^\d\s,.;:/\\<>(){}\[\]|=#@*_&%$\"]*[,.;:!?，：]?")
# perhaps after the time of day
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
    items = items_of(text if text.endswith("\n") else text + "\n")
    order = np.random.RandomState(0).random_sample(len(items)).argsort(kind="stable")
    return "".join([items[index] for index in order])


def is_list(text: str) -> bool:
    """Return whether a text is plainly a list, by RULE.

    A line goes on in the next if it ends with a comma, begins with a space, or has other blank lines after it than
    most; and all do in prose.
    """
    items = items_of(text[:LOOK])
    if len(text) > LOOK:
        items.pop()  # is cut off
    items = [item for item in items if item.strip()]
    lines = [item.rstrip() for item in items]

    if len(lines) < LEAST_LINES:
        return False
    if max(map(len, lines)) > LONGEST_LINE:
        return False
    if len(set(lines)) < 0.9 * len(lines):
        return False
    return _count_exceptions(items, lines) <= EXCEPTIONS * len(lines) and not _is_prose(lines)


def _count_exceptions(items: List[str], lines: List[str]) -> int:
    """Return how many lines go on in the next, or are a turn of somebody who speaks more than twice."""
    line_ends = [item.count("\n") for item in items[:-1]]
    [(usual, _)] = Counter(line_ends).most_common(1)
    speakers = [_speaker_of(line) for line in lines]
    turns = Counter(speakers)

    exceptions = 0
    for count, line, speaker in zip(line_ends, lines, speakers):
        goes_on = count != usual or _CONTINUES.match(line)
        is_turn = speaker is not None and turns[speaker] > 2
        if goes_on or is_turn:
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
    width = lengths[int(0.9 * len(lines))]
    full = sum(length >= width - LACKING for length in lengths)
    if width < NARROWEST or full <= 0.5 * len(lines):
        return False

    small = 0
    capital = 0
    for line in lines:
        match = _FIRST_LETTER.match(line)
        if match and match.group(1).islower():
            small += 1
        elif match and match.group(1).isupper():
            capital += 1
    has_one_case = min(small, capital) <= EXCEPTIONS * len(lines) < small + capital
    return not has_one_case


def beginning_of(text: str) -> Optional[str]:
    r"""Return the most frequent word at the start of the lines of a text, or in prose of its sentences, and a space.

    None if there is one "The ", with which the notebook begins, in RARE characters, or if no space follows any word.
    A line end if most of the lines begin with what nobody would type, such as a number of grams or a sign of a format.

    >>> beginning_of("Suppe mit Ei\nSalat\nSuppe mit Brot\n12:30 Anna: ja\n")
    'Suppe '
    >>> beginning_of("200 g Mehl\n50 g Butter\nBacken und essen\n")
    '\n'
    """
    if text.count("The ") * RARE >= len(text) or not text.strip():
        return None
    starts = [line for line in text[:LOOK].split("\n") if line.strip()]
    if _is_prose(starts):
        starts = re.split(_SENTENCE_END, text[:LOOK])

    of_several_words = [start for start in starts if len(start[:LONGEST_LINE].split()) > 1]
    if not of_several_words:
        return None
    first_words = Counter(filter(None, map(_first_word, of_several_words)))
    if 2 * sum(first_words.values()) < len(of_several_words):
        return "\n"
    [(word, _)] = first_words.most_common(1)
    return f"{word} "


def _first_word(start: str) -> Optional[str]:
    """Return the first word with a letter, perhaps after the time of day; None if no person would begin with it."""
    before_another = start[:LONGEST_LINE].split()[:-1]
    for word in before_another:
        if _QUANTITY.fullmatch(word):
            return None
        if any(map(str.isalpha, word)):
            return word if _TYPED.fullmatch(word) else None
    return None
