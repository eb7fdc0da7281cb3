"""The reader: it compares sentences that could come next, as somebody would who knows the training text. NumPy only.

The network draws some sentences plainly. The reader looks at each as a whole, so it needs nothing that works character
by character.
"""

from typing import Dict, Iterable, List, NamedTuple, Optional, Set

from charrnn.text import pieces

# Characters in a row that the text has had already: a fault, unless the training text repeats them as often.
REPEATED = 14
# faults that a word counts which neither the training text nor the language has
UNKNOWN_WORD = 3
# The last characters of a text, whose own words are counted.
NEAR = 500
# nats per character that a sentence loses with all of the own words that the training text has
OWN_WEIGHT = 10.0


class Rank(NamedTuple):
    """How good a sentence is. Of two, the larger rank is that of the better one: its first part that differs decides.

    Attributes:
        has_ended: whether the sentence has its end.
        minus_faults: its faults, times -1.
        expected: the mean of the log-probabilities of its characters, in nats, less what own words it lacks.
    """

    has_ended: bool
    minus_faults: int
    expected: float


class Reader:
    """Ranks sentences that could come next in a text.

    Faults decide: windows of the training text, windows that the text has had already, and unknown words. Then what the
    network expects counts, and how many own words there are: words of the training text that are not frequent in its
    language. Without a training text, no copies are seen and no own words, and words are known that the language has.

    Attributes:
        own_in_training: the share of the words of the training text that are its own.
    """

    def __init__(
        self,
        training: str = "",
        words_of_language: Optional[Iterable[str]] = None,
        of_lines: bool = False,
    ) -> None:
        """Read a training text.

        Args:
            training: the text; "" for none.
            words_of_language: the frequent words of its language; None if they are not known.
            of_lines: whether the text is a list of names or the like, which are no words of a language.
        """
        self._training = training
        self._copied = pieces.Windows(training, pieces.COPIED)
        self._known = set(pieces.words(training))
        self._own: Set[str] = set()
        if words_of_language is not None:
            of_language = set(pieces.words("\n".join(words_of_language)))
            self._own = self._known - of_language
            self._known |= of_language
        knows_words = len(self._known) > 0 and not of_lines
        self._minds_words = knows_words and pieces.is_of_words(training)
        self.own_in_training = self.share_of_own(training)

    def rank(self, before: str, sentence: str, mean: float, has_ended: bool) -> Rank:
        """Return how good a sentence is.

        Args:
            before: the text that it follows.
            sentence: the sentence.
            mean: the mean of the natural logarithms of the probabilities of its characters.
            has_ended: whether it has its end, or was cut.
        """
        faults = self._copies(before, sentence) + self._repetitions(before, sentence)
        faults += UNKNOWN_WORD * len(self.unknown_words(sentence, before))
        lacking = max(0.0, self.own_in_training - self.share_of_own(before[-NEAR:] + sentence))
        return Rank(has_ended, -faults, mean - OWN_WEIGHT * lacking)

    def _copies(self, before: str, sentence: str) -> int:
        """Return how many windows of the training text end in a sentence."""
        return sum(self._copied.are_in(before[-pieces.COPIED + 1 :] + sentence))

    def _repetitions(self, before: str, sentence: str) -> int:
        """Return how many windows that end in a sentence the text has had more often than the training text has them.

        A text may have again what the training text has at least twice: once for each time that a stretch of the
        training text of the same length has it.
        """
        share = len(before + sentence) / max(1, len(self._training))
        had_in_sentence: Dict[str, int] = {}
        repetitions = 0
        for window in pieces.windows(before[-REPEATED + 1 :] + sentence, REPEATED):
            in_sentence = had_in_sentence.get(window, 0)
            had_in_sentence[window] = in_sentence + 1
            had = before.count(window) + in_sentence
            if had == 0:
                continue
            in_training = self._training.count(window)
            allowed = int(in_training * share) if in_training > 1 else 0
            if had > allowed:
                repetitions += 1
        return repetitions

    def unknown_words(self, text: str, before: str = "") -> List[str]:
        """Return the words of a text, after what it follows, that neither the training text nor its language has."""
        if not self._minds_words:
            return []
        return [word for word in pieces.words_after(before, text) if word not in self._known]

    def share_of_own(self, text: str) -> float:
        """Return the share of the words of a text that are the training text's own."""
        words = pieces.words(text)
        return sum(word in self._own for word in words) / max(1, len(words))
