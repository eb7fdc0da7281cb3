"""The check of the first line: the pairs of neighbouring characters of a sentence, in whatever form they come."""

from itertools import islice
from typing import Any, List, Optional

from . import words
from .answer import Unwritten, Wrong, need

# pairs of an iterable that may never end
LIMIT = 1000


def examine(sentence: str, pairs: Any) -> Optional[str]:
    """Compare the pairs with those of the sentence; return the first and the last ones."""
    need(
        pairs is not None,
        "pairs is None, which is what print returns: write pairs = list(...) without it.",
    )
    need(
        not (isinstance(pairs, dict) and "H" in pairs),
        "A dict keeps only one pair for each first character: write a list of pairs.",
    )
    if isinstance(pairs, (list, tuple, str)) and not pairs:
        raise Unwritten("There are no pairs yet: write the list, in place of the empty one.")
    given = _listed(pairs)
    right = list(zip(sentence, sentence[1:]))
    need(given != right[::-1], "The pairs come in the wrong order: the first one is ('H', 'a').")
    _compare(given, right, sentence)
    first = ", ".join(map(str, right[:3]))
    return f"{len(right)} pairs: {first}, ... {right[-1]}"


def _listed(pairs: Any) -> List[Any]:
    """Return the pairs, as tuples, of any iterable of them."""
    try:
        given = list(islice(pairs, LIMIT))
    except TypeError:
        raise Wrong(
            f"pairs should be a list of pairs, such as [('H', 'a'), ...], not {words.describe(pairs)}."
        )
    listed = []
    for pair in given:
        need(
            isinstance(pair, (tuple, list, str)) or hasattr(pair, "__iter__"),
            f"Each pair has two characters, but {pair!r} is {words.describe(pair)}.",
        )
        listed.append(tuple(pair))
    return listed


def _compare(given: List[Any], right: List[Any], sentence: str) -> None:
    """Raise Wrong where the pairs are not those of the sentence."""
    if given == right:
        return
    surplus = len(given) - len(right)
    if given[: len(right)] == right:
        number = "is one pair" if surplus == 1 else f"are {surplus} pairs"
        raise Wrong(f"There {number} too many: the last character has none after it.")
    need(
        given != right[: len(given)],
        f"The pairs at the end are missing: {len(given)} came, and there are {len(right)}. The last one is "
        f"{right[-1]}.",
    )
    need(
        given != right[1:],
        "The first pair is missing: a sequence begins at place 0.",
    )
    odd = [pair for pair in given if len(pair) != 2]
    if odd:
        raise Wrong(f"Each pair has two characters, but one has {len(odd[0])}: {odd[0]!r}.")
    swapped = [(after, char) for char, after in right]
    need(
        given != swapped,
        "The pairs are the wrong way round: the character first, then the one after it.",
    )
    itself = [(char, char) for char in sentence]
    need(
        given not in (itself, itself[:-1]),
        "Each character is paired with itself: take the sentence from its second character on, sentence[1:], for "
        "the second of each pair.",
    )
    before = [(char, sentence[place - 1]) for place, char in enumerate(sentence)]
    need(
        given not in (before, before[1:]),
        "Each character is paired with the one before it: take the one after it.",
    )
    need(
        given != right[::2] and given != right[1::2],
        "Each character but the last begins a pair, so pairs overlap: ('H', 'a'), ('a', 'p').",
    )
    later = list(zip(sentence, sentence[2:]))
    need(
        given != later,
        "Each character is paired with the one two places later: take the one after it.",
    )
    need(
        len(given) < 3 * len(right),
        "There are far too many pairs: each character is paired with several others. Pair it with the one after it "
        "alone, side by side, as zip does.",
    )
    need(
        given == right or sorted(map(str, given)) != sorted(map(str, right)),
        "These are the right pairs in another order: keep the order of the sentence.",
    )
    small = [tuple(str(char).lower() for char in pair) for pair in right]
    need(
        given != small,
        "The pairs are of another sentence, in small letters: take the sentence as it is.",
    )
    spaces = [pair for pair in right if " " not in pair]
    letters = sentence.replace(" ", "")
    need(
        given not in (spaces, list(zip(letters, letters[1:]))),
        "The pairs with a space are missing: a space is a character as any other.",
    )
    missing = [pair for pair in right if pair not in given]
    if missing and given == _in_order(given, right):
        raise Wrong(
            f"Some pairs are missing, such as {missing[0]}: each character but the last begins one."
        )
    need(
        set(given) - set(right) or len(given) > len(set(right)),
        "They have lost their order, or those that occur again: a list keeps both, a set or a dict does not.",
    )
    need(
        all(isinstance(char, str) and len(char) == 1 for char in given[0]),
        f"The first pair is {given[0]}, which are no characters: the network reads one character after the other.",
    )
    for place, (pair, due) in enumerate(zip(given, right)):
        need(pair == due, f"Pair {place}, counted from 0, should be {due}, but it is {pair}.")


def _in_order(given: List[Any], right: List[Any]) -> List[Any]:
    """Return the pairs that are found in the sentence one after the other, some perhaps left out."""
    found = []
    rest = iter(right)
    for pair in given:
        if pair in rest:
            found.append(pair)
    return found
