"""How much of a text is copied from a training text: the longest run, and the share of copied windows."""
from dataclasses import dataclass
from typing import Sequence

WINDOW = 20  # characters
# Longer texts are compared up to here only. This bounds the time to about ten seconds, and the memory to 100 MB.
LONGEST_TEXT = 10_000
LONGEST_TRAINING_TEXT = 10_000_000


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied from the training text.

    Attributes:
        longest: length of the longest run of characters that occurs in the training text.
        start: position of this run in the text.
        place: position of this run in the training text, in characters.
        share: share of the windows of WINDOW characters that occur in the training text; 0 for a shorter text.
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
    places = _places(text, training, WINDOW, range(len(training)))
    copied = {training[place:place + WINDOW] for place in places}
    windows = [text[start:start + WINDOW] for start in range(len(text) - WINDOW + 1)]
    share = sum(window in copied for window in windows) / max(1, len(windows))
    low, high = WINDOW, min(len(text), len(training))
    if not places:
        low, high, places = 0, min(WINDOW - 1, high), range(len(training))
    while low < high:  # if a run of some length occurs, so do shorter ones
        width = (low + high + 1) // 2
        longer = _places(text, training, width, places)
        if longer:
            low, places = width, longer
        else:
            high = width - 1
    place = places[0] if low else 0
    return Novelty(low, text.index(training[place:place + low]), place, share)


def _places(text: str, training: str, width: int, places: Sequence[int]) -> Sequence[int]:
    """Return those of some places of the training text where a window begins that occurs in the text."""
    windows = {text[start:start + width] for start in range(len(text) - width + 1)}
    return [place for place in places if training[place:place + width] in windows]
