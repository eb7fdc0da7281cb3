"""Numbers and lists in words, and which name somebody meant who mistyped one."""

import difflib
from typing import Callable, Iterable

# how many items of a list a message names
LISTED = 10


def plural(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "epoch"), plural(2000, "epoch")
    ('1 epoch', '2,000 epochs')
    """
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun}s"


def listed(items: Iterable[str], show: Callable[[str], str] = str) -> str:
    """Return the first ten of some items, each as a function shows it, and how many more there are.

    >>> listed("abc"), listed("abcdefghijkl", str.upper)
    ('a, b, c', 'A, B, C, D, E, F, G, H, I, J and 2 more')
    """
    items = list(items)
    first = ", ".join(map(show, items[:LISTED]))
    if len(items) <= LISTED:
        return first
    return f"{first} and {len(items) - LISTED:,} more"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a question for the end of a message about a mistyped word: the nearest of some names, or "" if none is.

    >>> did_you_mean("lsmt", ["lstm", "gru"]), did_you_mean("rnn", ["lstm", "gru"])
    ('; did you mean lstm?', '')
    """
    # case is no mistake of its own
    by_lower = {name.lower(): name for name in names}
    nearest = difflib.get_close_matches(word.lower(), list(by_lower), n=1)
    return f"; did you mean {by_lower[nearest[0]]}?" if nearest else ""
