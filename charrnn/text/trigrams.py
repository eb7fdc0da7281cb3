"""In which language a text is: by the groups of three letters that are common in it.

After Cavnar and Trenkle, N-Gram-Based Text Categorization (1994). It is cheap, so that it can be asked of each language
before a network reads the text.
"""

from collections import Counter
from typing import Collection, List
from typing import Counter as CounterOf


def trigrams(text: str) -> CounterOf[str]:
    """Count the groups of three letters of a text, in small letters; a space stands for all between two words.

    >>> sorted(trigrams("No, no"))
    [' no', 'no ', 'o n']
    """
    letters = "".join(char if char.isalpha() else " " for char in text.lower())
    words = " ".join(letters.split())
    spaced = f" {words} "
    return Counter(spaced[start : start + 3] for start in range(len(spaced) - 2))


def most_common(text: str, number: int) -> List[str]:
    """Return the most frequent groups of three letters of a text, the most frequent first."""
    return [trigram for trigram, _ in trigrams(text).most_common(number)]


def share_of(common: Collection[str], text: str) -> float:
    """Return how many of the groups of three letters of a text are among common ones, as a share of 1.

    >>> share_of(["no ", "yes"], "No, no")
    0.4
    """
    counted = trigrams(text)
    n_common = sum(counted[trigram] for trigram in common)
    return n_common / max(1, sum(counted.values()))
