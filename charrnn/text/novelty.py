"""How much of a text is copied from a training text: its longest run, and its windows."""

from dataclasses import dataclass

from charrnn.text import pieces

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
        share: share of the windows of COPIED characters that occur in the training text; a shorter text is one window.
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
    text = text[:LONGEST_TEXT]
    training = training[:LONGEST_TRAINING_TEXT]
    longest = 0
    place = 0
    # The runs of the text that are one character longer than the longest copied one, but at most a window long. Looking
    # for them in a set first is much faster than in the text.
    size = 1
    runs = set(text)
    for begin in range(len(training)):
        while training[begin : begin + size] in runs:
            longer = training[begin : begin + longest + 1]
            if len(longer) <= longest or longer not in text:
                break
            longest += 1
            place = begin
            if longest < pieces.COPIED:
                size = longest + 1
                runs = set(pieces.windows(text, size))

    share = float(0 < len(text) == longest)
    if len(text) >= pieces.COPIED:
        are_copied = pieces.Windows(training, pieces.COPIED).are_in(text)
        share = sum(are_copied) / len(are_copied)
    start = text.index(training[place : place + longest])
    return Novelty(longest=longest, start=start, place=place, share=share)
