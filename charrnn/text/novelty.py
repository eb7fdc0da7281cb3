"""How much of a text is copied from a training text: the longest run, and the share of copied windows."""
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

WINDOW = 20  # characters
# Only the beginning of a longer text is compared. So the time is at most some seconds, and the memory 100 MB.
LONGEST_TEXT = 10_000
LONGEST_TRAINING_TEXT = 10_000_000


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied from the training text.

    Attributes:
        longest: length of the longest run of characters that occurs in the training text.
        start: position of this run in the text.
        place: position of this run in the training text, in characters.
        share: share of the windows of WINDOW characters that occur in the training text; a shorter text is one window.
    """

    longest: int
    start: int
    place: int
    share: float


def compare(text: str, training: str) -> Novelty:
    """Compare the first LONGEST_TEXT characters of a text with the first LONGEST_TRAINING_TEXT of a training text.

    >>> compare("a cat sat here", "the cat sat on the mat")
    Novelty(longest=9, start=1, place=3, share=0.0)
    """
    text, training = text[:LONGEST_TEXT], training[:LONGEST_TRAINING_TEXT]
    longest, end, copied = 0, 0, set()
    for place, length in enumerate(_lengths(text, training), 1):
        if length > longest:
            longest, end = length, place
        if length >= WINDOW:
            copied.add(training[place - WINDOW:place])
    windows = [text[start:start + WINDOW] for start in range(len(text) - WINDOW + 1)]
    share = sum(window in copied for window in windows) / len(windows) if windows else float(0 < len(text) == longest)
    return Novelty(longest, text.index(training[end - longest:end]), end - longest, share)


def _lengths(text: str, training: str) -> Iterator[int]:
    """Yield for each place in a training text the length of the longest run before it that occurs in a text.

    It follows the suffix automaton of the text (Blumer et al. 1985), in time proportional to the lengths of both. A
    state is the set of places in the text where a run ends. ``follow`` leads to the state of the run with one more
    character. ``link`` leads to the state of the longest suffix of the run that also ends at other places.
    """
    follow, link, length = _suffix_automaton(text)
    state, found = 0, 0
    for char in training:
        while state and char not in follow[state]:
            state = link[state]
            found = length[state]
        if char in follow[state]:
            state, found = follow[state][char], found + 1
        yield found


def _suffix_automaton(text: str) -> Tuple[List[Dict[str, int]], List[int], List[int]]:
    """Return ``follow``, ``link`` and the length of the longest run, for each state."""
    follow: List[Dict[str, int]] = [{}]
    link, length, last = [-1], [0], 0
    for char in text:
        state, new = last, len(follow)
        follow.append({})
        link.append(0)
        length.append(length[last] + 1)
        while state >= 0 and char not in follow[state]:
            follow[state][char] = new
            state = link[state]
        if state >= 0:
            next_state = follow[state][char]
            if length[next_state] > length[state] + 1:  # shorter runs get a state of their own
                follow.append(dict(follow[next_state]))
                link.append(link[next_state])
                length.append(length[state] + 1)
                link[next_state] = len(follow) - 1
                while state >= 0 and follow[state].get(char) == next_state:
                    follow[state][char] = link[next_state]
                    state = link[state]
                next_state = link[next_state]
            link[new] = next_state
        last = new
    return follow, link, length
