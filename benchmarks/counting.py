"""Counts of written texts: whose words they have, and how often they repeat themselves."""

from collections import Counter

from charrnn.text import pieces

# characters of a piece of a text without spaces between its words
PIECE = 3
# words of a text of which the different ones are counted
COUNTED_WORDS = 400


def words_of(text):
    """Return how often each word of a text occurs; of a text without spaces between words, each three characters."""
    if not pieces.has_spaces(text):
        return Counter(pieces.windows(text, PIECE))
    return Counter(pieces.words(text))


def whose_words(text, training, others):
    """Return two shares of the words of a text: those that only its training text has, and those that only others have.

    Args:
        text: the text.
        training: the training text.
        others: a set of words, such as the frequent ones of the language.
    """
    words = words_of(text)
    own = set(words_of(training))
    n_own = sum(n for word, n in words.items() if word in own - others)
    n_others = sum(n for word, n in words.items() if word in others - own)
    total = max(1, sum(words.values()))
    return n_own / total, n_others / total


def repeated_phrases(texts):
    """Return the share of the phrases of three words that were there before in the same text."""
    repeated = 0
    total = 0
    for text in texts:
        words = pieces.words(text)
        phrases = list(zip(words, words[1:], words[2:]))
        repeated += len(phrases) - len(set(phrases))
        total += len(phrases)
    return repeated / max(1, total)


def repeated_in_parts(text, length):
    """Return the same share of a text, in parts of a length."""
    parts = [text[start : start + length] for start in range(0, len(text), length)]
    return repeated_phrases(parts)


def different_words(texts):
    """Return of each of some texts how many different words are among its first ones, of as many in each."""
    words = [pieces.words(text) for text in texts]
    counted = min(COUNTED_WORDS, *map(len, words))
    return [len(set(of_text[:counted])) for of_text in words]
