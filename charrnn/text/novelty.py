"""How much of a text comes from a training text: copied runs and windows, and whose words it has."""

from collections import Counter
from dataclasses import dataclass
from typing import Collection, Iterable, List, Optional, Sequence, Tuple
from typing import Counter as Counts

from charrnn.text import pieces

# Only the beginning of a longer text is compared. So the time is at most some seconds, and the memory 100 MB.
LONGEST_TEXT = 10_000
LONGEST_TRAINING_TEXT = 10_000_000
# words that are named, at most
NAMED = 5
# characters of a piece of a text without spaces between its words
PIECE = 3
# words of a text of which the different ones are counted
COUNTED_WORDS = 400


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


@dataclass(frozen=True)
class Words:
    """Whose words a text has: shares of its words, see :func:`charrnn.text.pieces.words`.

    Attributes:
        own: share of the words that occur in the training text.
        only_own: share of those that other people do not use; None if nothing is known of these.
        only_other: share of those that only other people use; None if nothing is known of them.
        neither: share of those that neither the training text nor other people use.
        named_own, named_other: the most frequent words of these two kinds.
    """

    own: float
    only_own: Optional[float]
    only_other: Optional[float]
    neither: float
    named_own: Tuple[str, ...] = ()
    named_other: Tuple[str, ...] = ()


def whose_words(text: str, training: str, others: Optional[Collection[str]] = None) -> Words:
    """Tell whose words a text has: those of its training text, or other ones of the language.

    Of texts without spaces between words, all pieces of three characters are taken for words.

    Args:
        text: the text, such as one that a model wrote.
        training: the text that it was trained on.
        others: the words of other people, such as the frequent ones of the language; None for none.

    >>> whose_words("Milo said the leeks", "Milo, the leeks", {"said", "the"}).only_own
    0.5
    """
    words = words_of(text)
    in_training = frozenset(words_of(training))
    in_other = frozenset(others or ())
    n_words = max(1, sum(words.values()))
    own = Counter({word: n for word, n in words.items() if word in in_training})
    only_own = Counter({word: n for word, n in own.items() if word not in in_other})
    not_own = words - own
    only_other = Counter({word: n for word, n in not_own.items() if word in in_other})
    neither = not_own - only_other
    has_other = others is not None
    return Words(
        own=sum(own.values()) / n_words,
        only_own=sum(only_own.values()) / n_words if has_other else None,
        only_other=sum(only_other.values()) / n_words if has_other else None,
        neither=sum(neither.values()) / n_words,
        named_own=_most_frequent(only_own) if has_other else (),
        named_other=_most_frequent(only_other),
    )


def words_of(text: str) -> Counts[str]:
    """Return how often each word of a text occurs."""
    if not pieces.has_spaces(text):
        return Counter(pieces.windows(text, PIECE))
    return Counter(pieces.words(text))


def repeated_phrases(texts: Iterable[str]) -> float:
    """Return the share of the phrases of three words, such as "in the end", that were there before in the same text.

    >>> repeated_phrases(["in the end, and in the end", "in the end"])
    0.16666666666666666
    """
    repeated = 0
    total = 0
    for text in texts:
        phrases = _phrases(text)
        repeated += len(phrases) - len(set(phrases))
        total += len(phrases)
    return repeated / max(1, total)


@dataclass(frozen=True)
class Variety:
    """How much texts repeat themselves, beside their training text.

    Attributes:
        repeated: share of the phrases of three words that were there before in the same text.
        repeated_in_training: the same share of the training text, in pieces as long as the longest text.
        different: different words among the first ones.
        different_in_training: the same number of the training text.
        counted: how many first words these are.
    """

    repeated: float
    repeated_in_training: float
    different: int
    different_in_training: int
    counted: int


def variety(texts: Sequence[str], training: str) -> Variety:
    """Tell how much texts repeat themselves, beside their training text.

    >>> variety(["a cat, a cat, a cat"], "the cat sat on a mat")
    Variety(repeated=0.5, repeated_in_training=0.0, different=2, different_in_training=6, counted=6)
    """
    training = training[:LONGEST_TRAINING_TEXT]
    text = "\n".join(texts)
    length = max(1, *map(len, texts))
    parts = [training[start : start + length] for start in range(0, len(training), length)]
    counted = min(len(pieces.words(text)), len(pieces.words(training)), COUNTED_WORDS)
    return Variety(
        repeated=repeated_phrases(texts),
        repeated_in_training=repeated_phrases(parts),
        different=different_words(text, counted),
        different_in_training=different_words(training, counted),
        counted=counted,
    )


def _phrases(text: str) -> List[Tuple[str, ...]]:
    """Return the phrases of three words of a text."""
    words = pieces.words(text)
    return list(zip(words, words[1:], words[2:]))


def different_words(text: str, counted: int = COUNTED_WORDS) -> int:
    """Return how many different words are among the first ones of a text."""
    return len(set(pieces.words(text)[:counted]))


def _most_frequent(words: Counts[str]) -> Tuple[str, ...]:
    return tuple(word for word, _ in words.most_common(NAMED))
