"""What a unit may track: properties of a text, each a number for every character. NumPy only.

Most features of a character depend only on the text up to and including it, which the network has just read. Those with
"next" or "end of" in their name also depend on the next character: a unit that tracks one foresees it. Some features of
names, words in capitals, sentences and paragraphs depend on what follows as well.
"""
import re
from typing import Callable, Dict, NamedTuple, Tuple

import numpy as np

# A feature occurs in a text if at least this share of the characters, and at least this many, have a value above zero,
# and as many have a value below the maximum.
LEAST_SHARE = 0.002
LEAST_TIMES = 20


class Feature(NamedTuple):
    """A property of a text.

    Attributes:
        name: its name in tables and in the page.
        values: function of a text of T characters that returns an array [T], of bools or of counts.
        claim: completes "One of the numbers in this network ..." in the page; "" if the feature is the character itself
            that was read, which a number does not have to remember.
        ends: what it is where its values are lowest and highest.
    """

    name: str
    values: Callable[[str], np.ndarray]
    claim: str = ""
    ends: Tuple[str, str] = ("no", "yes")


def measure(text: str) -> Dict[str, np.ndarray]:
    """Return the features that occur in a text: a dict from name to float32 array [T].

    LEAST_SHARE and LEAST_TIMES say when a feature occurs. A feature that is the same as an earlier one in this text is
    left out.

    >>> sorted(measure("one two\\n" * 50))[:3]
    ['after a space or line end', 'after a vowel', 'distance since the last space']
    """
    least = max(LEAST_TIMES, LEAST_SHARE * len(text))
    found: Dict[str, np.ndarray] = {}
    for feature in FEATURES:
        values = feature.values(text)
        occurs = min(np.count_nonzero(values > 0), np.count_nonzero(values != values.max(initial=0))) >= least
        if occurs and not any(np.array_equal(values, earlier) for earlier in found.values()):
            found[feature.name] = values.astype(np.float32)
    return found


def inside(pairs: str, most: int = 1) -> Callable[[str], np.ndarray]:
    """Return a function that counts in how many open pairs of characters each character of a text is.

    The end of a paragraph closes all pairs, for quotes that are never closed.

    Args:
        pairs: opening and closing characters in turn. If the two are the same, the character opens and closes in turn.
        most: the largest depth that is counted.

    >>> inside("()")("a (b) c").astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 0]
    """
    closing = dict(zip(pairs[::2], pairs[1::2]))

    def values(text):
        depths, expected = np.zeros(len(text), np.int32), []
        for place, char in enumerate(text):
            if expected and char == expected[-1]:
                expected.pop()
            elif char in closing:
                expected.append(closing[char])
            elif char == "\n" and text.endswith("\n\n", 0, place + 1):
                expected = []
            depths[place] = min(len(expected), most)
        return depths
    return values


def since(pattern: str) -> Callable[[str], np.ndarray]:
    """Return a function that counts the characters since the last end of a match, or since the text's beginning.

    >>> since(r"\\s")("ab c").tolist()
    [1, 2, 0, 1]
    """
    def values(text):
        last = np.zeros(len(text), np.int64)
        for match in re.finditer(pattern, text):
            if match.end():
                last[match.end() - 1] = match.end()
        return np.arange(1, len(text) + 1) - np.maximum.accumulate(last)
    return values


def within(pattern: str, test: Callable[[str], bool] = bool) -> Callable[[str], np.ndarray]:
    """Return a function that marks the characters inside those matches of a pattern that pass a test.

    >>> within("[0-9]+")("at 10:30").astype(int).tolist()
    [0, 0, 0, 1, 1, 0, 1, 1]
    """
    def values(text):
        marks = np.zeros(len(text), bool)
        for match in re.finditer(pattern, text):
            if test(match.group()):
                marks[match.start():match.end()] = True
        return marks
    return values


def before(values: Callable[[str], np.ndarray]) -> Callable[[str], np.ndarray]:
    """Return a function that marks a character where the next one has a feature.

    >>> before(within("[0-9]"))("at 10").astype(int).tolist()
    [0, 0, 1, 1, 0]
    """
    return lambda text: np.append(values(text)[1:], False)[:len(text)]


def last_of(values: Callable[[str], np.ndarray]) -> Callable[[str], np.ndarray]:
    """Return a function that marks the last character of each stretch in which a feature is true.

    >>> last_of(within("[a-z]+"))("to be").astype(int).tolist()
    [0, 1, 0, 0, 1]
    """
    return lambda text: values(text) & ~before(values)(text)


def indentation(text: str) -> np.ndarray:
    """Return for each character how many spaces its line begins with, as far as it was read. A tab counts as four.

    >>> indentation("a\\n  b\\n").tolist()
    [0, 0, 1, 2, 2, 2]
    """
    found, width, leading = np.zeros(len(text), np.int32), 0, True
    for place, char in enumerate(text):
        if place and text[place - 1] == "\n":
            width, leading = 0, True
        if leading and char in " \t":
            width += 4 if char == "\t" else 1
        else:
            leading = False
        found[place] = width
    return found


_WORD = r"[^\W\d_]+"
_SENTENCE = r"[.!?][\"'\u2019\u201d)]*\s+[\"'\u2018\u201c(]*"  # from its end to the beginning of the next
_capital = within(_WORD[:-1], str.isupper)
# a word with a capital that follows a word or a comma: at the start of a sentence every word has one
_name = within(r"(?:(?<=[^\W\d_] )|(?<=[^\W\d_], ))" + _WORD, lambda word: word[0].isupper() and len(word) > 1)

QUOTATION = "inside quotation marks"
FEATURES = (
    Feature(QUOTATION, inside("\"\"\u201c\u201d\u00ab\u00bb"), "knows when somebody is speaking",
            ("narration", "speech")),
    Feature("inside brackets", inside("()[]{}"), "knows when a bracket is open", ("outside", "in brackets")),
    Feature("depth of brackets", inside("()[]{}", most=9), "counts open brackets", ("none", "many")),
    Feature("position in the line", since(r"\n"), "counts how far along the line it is", ("line start", "far along")),
    Feature("position in the paragraph", since(r"\n\n+"), "counts how far into the paragraph it is",
            ("beginning", "far in")),
    Feature("first line of a paragraph", within(r"(?:\A|(?<=\n\n))[^\n]+\n"), "knows the first line of a paragraph",
            ("later lines", "first line")),
    Feature("distance since the last space", since(r"\s"), "measures how long a word is", ("word start", "long word")),
    Feature("position in the sentence", since(_SENTENCE), "measures how long a sentence is", ("begun", "long")),
    Feature("start of a sentence", within(_SENTENCE + _WORD), "notices where a sentence begins", ("within", "begins")),
    Feature("capital letter next", before(_capital), "sees a capital letter coming", ("small letter", "capital next")),
    Feature("inside a name", _name, "recognises names", ("other words", "name")),
    Feature("end of a name", last_of(_name), "sees where a name ends", ("goes on", "name ends")),
    Feature("end of a word", last_of(within(_WORD)), "sees the end of a word coming", ("goes on", "word ends")),
    Feature("line end next", before(within(r"\n")), "sees the end of the line coming", ("goes on", "line ends")),
    Feature("inside a word in capitals", within(_WORD, lambda word: word.isupper() and len(word) > 1),
            "knows words in capitals", ("other words", "capitals")),
    Feature("inside a number", within(r"[0-9]+")),
    Feature("inside a comment (after #)", within(r"(?<!\S)#[^\n]*"), "knows when it writes a comment",
            ("code", "comment")),
    Feature("indentation of the line", indentation, "remembers how far the line is indented", ("not at all", "far")),
    Feature("after a space or line end", within(r"\s")),
    Feature("after punctuation", within(r"[^\w\s]")),
    Feature("after a vowel", within("[aeiouAEIOU\u00e0-\u00e6\u00e8-\u00ef\u00f2-\u00f6\u00f9-\u00fc]")),
    Feature("after a capital letter", _capital),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
