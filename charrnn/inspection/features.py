"""What a unit may track: properties of a text, each a number for every character. NumPy only.

Most features of a character depend only on the text up to and including it, which the network has just read. Those with
"next" or "end of" in their name also depend on the next character: a unit that tracks one foresees it. Some features of
names, words in capitals, sentences and paragraphs depend on what follows as well.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Callable, Counter, Dict, List, NamedTuple, Tuple

import numpy as np

# A feature occurs in a text if at least this share of the characters, and at least this many, have a value above zero,
# and as many have a value below the maximum.
LEAST_SHARE = 0.002
LEAST_TIMES = 20

# Families of quotation marks: what a mark of one opens, another mark of it closes. The third is that of the apostrophe.
QUOTES = (
    '"\u201c\u201d\u201e\u201f\uff02',
    "\u00ab\u00bb",
    "'\u2018\u2019\u201a\u201b",
    "\u2039\u203a",
    "\u300c\u300d",
    "\u300e\u300f",
    "\u301d\u301e\u301f",
    "\uff62\uff63",
)


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
    occurring: Dict[str, np.ndarray] = {}
    for feature in FEATURES:
        values = feature.values(text)
        occurs = (
            min(np.count_nonzero(values > 0), np.count_nonzero(values != values.max(initial=0)))
            >= least
        )
        if occurs and not any(np.array_equal(values, earlier) for earlier in occurring.values()):
            occurring[feature.name] = values.astype(np.float32)
    return occurring


@lru_cache(maxsize=2)
def kinds(text: str) -> str:
    """Return a text with a sign for the kind of each character, in any script.

    ``U`` is a capital letter, ``l`` a small one, ``o`` one of a script without these, ``i`` one of a script without
    spaces between words, ``m`` a mark that belongs to a letter, ``0`` a digit, ``.`` what ends a sentence if a space
    follows, ``!`` what always does, ``'`` an apostrophe, ``"`` another quotation mark, ``(`` and ``)`` what opens and
    closes, ``,`` a comma, ``-`` any other sign. Spaces and line ends are themselves.

    >>> kinds("\u00bfNo? It's e\u0301t\u00e9\u3002")
    "(Ul. Ul'l lmll!"
    """
    return text.translate({ord(char): _kind(char) for char in set(text)})


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    name = unicodedata.name(char, "")
    if re.search("FULL STOP|QUESTION MARK|EXCLAMATION MARK|DANDA$|KHAN$|SIGN SECTION$", name):
        return "(" if "INVERTED" in name else "!" if re.match("IDEO|FULLW|HALFW", name) else "."
    if category[0] == "L":
        return (
            "i"
            if re.match(_UNSPACED, name)
            else {"Lu": "U", "Lt": "U", "Ll": "l"}.get(category, "o")
        )
    # the last two join and divide letters
    if char.isspace() or category[0] == "M" or char in "\u200c\u200d":
        return char if char.isspace() else "m"
    return _SIGNS.get(char) or _SIGNS.get(category) or ("," if "COMMA" in name else "-")


def words(text: str) -> List[str]:
    """Return the words of a text. Of a script without spaces between words, each letter is one.

    >>> words("Don't go, Anna!")
    ["Don't", 'go', 'Anna']
    """
    return [text[slice(*match.span())] for match in re.finditer(_WORD + "|i", kinds(text))]


def _depths(text: str, marks: Dict[str, Tuple[Any, bool, bool]], nest: bool) -> np.ndarray:
    """Return for each character of a text in how many open pairs it is, int32 [T].

    For each mark there is its family, whether it may open, and whether it may close what a mark of the family opened. A
    pair may be inside another one of its family if they nest. The end of a paragraph closes all pairs, for quotes that
    are never closed.
    """
    depths = np.zeros(len(text), np.int32)
    # the families of the marks that are open
    opened: List[str] = []
    paragraph = "\n\n" if "\n\n" in text else "\n"
    for place, char in enumerate(text):
        family, opens, closes = marks.get(char, (None, False, False))
        if family == "'" and re.match("[Ulom].[Ulom]", kinds(text)[place - 1 : place + 2]):
            pass  # an apostrophe
        elif closes and family in opened:
            del opened[len(opened) - 1 - opened[::-1].index(family) :]
        elif opens and (nest or family not in opened):
            opened.append(family)
        elif char == "\n" and text.endswith(paragraph, 0, place + 1):
            opened.clear()
        depths[place] = len(opened)
    return depths


def inside(pairs: str, most: int = 1) -> Callable[[str], np.ndarray]:
    """Return a function that counts in how many open pairs of characters each character of a text is.

    Args:
        pairs: opening and closing characters in turn.
        most: the largest depth that is counted.

    >>> inside("()")("a (b) c").astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 0]
    """
    marks = {char: (place // 2, place % 2 == 0, place % 2 == 1) for place, char in enumerate(pairs)}
    return lambda text: np.minimum(_depths(text, marks, nest=True), most)


def quoted(text: str) -> np.ndarray:
    """Mark the characters inside quotation marks, as the text itself uses these.

    A mark opens if it mostly stands after a space, as \u00bb does in German, and closes if it mostly stands before one.
    One that does both opens and closes in turn, as in Swedish; one that does neither is used as Unicode says. Those
    that may be apostrophes count if they open more often than the others.

    >>> quoted('a "b" \u00bbc\u00ab d').astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0]
    """
    around = f"\n{kinds(text)}\n"
    opening = Counter[str]()
    closing = Counter[str]()
    families = {char: family[0] for family in QUOTES for char in family}
    for place, char in enumerate(text):
        if char in families:
            before = around[place]
            after = around[place + 2]
            opening[char] += before in " \n\t(-" and after not in " \n,.!)"
            closing[char] += before not in " \n" and after not in "Ulo0i("
    marks = {}
    for char, family in families.items():
        category = unicodedata.category(char)
        unseen = not opening[char] + closing[char]
        marks[char] = (
            family,
            3 * opening[char] > closing[char] or unseen and category not in ("Pf", "Pe"),
            3 * closing[char] > opening[char] or unseen and category not in ("Pi", "Ps"),
        )
    if 2 * sum(opening[char] for char in QUOTES[2]) <= sum(opening.values()):
        marks = {char: mark for char, mark in marks.items() if char not in QUOTES[2]}
    return _depths(text, marks, nest=False) > 0


def is_speech(text: str) -> bool:
    """Return whether what a text has in quotation marks is speech: at least a quarter ends as sentences do.

    >>> is_speech('"No," he said. "Why?"'), is_speech('open("a.txt", "r")')
    (True, False)
    """
    ends = np.flatnonzero(last_of(quoted)(text))
    return 4 * sum(kinds(text)[end] in ".!," for end in ends) >= max(1, len(ends))


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
                marks[match.start() : match.end()] = True
        return marks

    return values


def of_kinds(values: Callable[[str], np.ndarray]) -> Callable[[str], np.ndarray]:
    """Return a function that computes values from the kinds of the characters of a text.

    >>> of_kinds(within("U"))("At").astype(int).tolist()
    [1, 0]
    """
    return lambda text: values(kinds(text))


def before(values: Callable[[str], np.ndarray]) -> Callable[[str], np.ndarray]:
    """Return a function that marks a character where the next one has a feature.

    >>> before(within("[0-9]"))("at 10").astype(int).tolist()
    [0, 0, 1, 1, 0]
    """
    return lambda text: np.append(values(text)[1:], False)[: len(text)]


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
    widths = np.zeros(len(text), np.int32)
    width = 0
    leading = True
    for place, char in enumerate(text):
        if place and text[place - 1] == "\n":
            width = 0
            leading = True
        if leading and char in " \t":
            width += 4 if char == "\t" else 1
        else:
            leading = False
        widths[place] = width
    return widths


_SIGNS = {"'": "'", "\u2019": "'", '"': '"', "Nd": "0", "Ps": "(", "Pe": ")", "Pi": '"', "Pf": '"'}
# the names of their letters
_UNSPACED = "CJK|IDEO|HIRAGANA|(HALFWIDTH )?KATAKANA|THAI|LAO|KHMER|MYANMAR|TIBETAN"
_WORD = "[Ulo][Ulom]*(?:'[Ulo][Ulom]*)*"  # of kinds, as the patterns below
# from its end to the beginning of the next, which has no small letter: "Why?" she asked
_SENTENCE = r"""(?:\.(?:\s?[)"'])*\s+|![)"']*\s*)(?:[("']\s?)*(?!\s?[("'l])"""
_capital = of_kinds(within("U"))
# a word with a capital that follows a word or a comma: at the start of a sentence every word has one
_name = of_kinds(within("(?:(?<=[Ulom] )|(?<=[Ulom], ))U[Ulom]+(?:'[Ulo][Ulom]*)*"))

QUOTATION = "inside quotation marks"
FEATURES = (
    Feature(
        QUOTATION, quoted, "knows when a quotation mark is open", ("outside quotes", "in quotes")
    ),
    Feature(
        "inside brackets",
        inside("()[]{}"),
        "knows when a bracket is open",
        ("outside", "in brackets"),
    ),
    Feature(
        "depth of brackets", inside("()[]{}", most=9), "counts open brackets", ("none", "many")
    ),
    Feature(
        "position in the line",
        since(r"\n"),
        "counts how far along the line it is",
        ("line start", "far along"),
    ),
    Feature(
        "position in the paragraph",
        since(r"\n\n+"),
        "counts how far into the paragraph it is",
        ("beginning", "far in"),
    ),
    Feature(
        "first line of a paragraph",
        within(r"(?:\A|(?<=\n\n))[^\n]+\n"),
        "knows the first line of a paragraph",
        ("later lines", "first line"),
    ),
    Feature(
        "distance since the last space",
        of_kinds(since(r"\s|i|(?<=[i!])[^Ulo\s]")),
        "measures how long a word is",
        ("word start", "long word"),
    ),
    Feature(
        "position in the sentence",
        of_kinds(since(_SENTENCE)),
        "measures how long a sentence is",
        ("begun", "long"),
    ),
    Feature(
        "start of a sentence",
        of_kinds(within(f"{_SENTENCE}(?:{_WORD}|i)")),
        "notices where a sentence begins",
        ("within", "begins"),
    ),
    Feature(
        "capital letter next",
        before(_capital),
        "sees a capital letter coming",
        ("small letter", "capital next"),
    ),
    Feature("inside a name", _name, "recognises names", ("other words", "name")),
    Feature("end of a name", last_of(_name), "sees where a name ends", ("goes on", "name ends")),
    Feature(
        "end of a word",
        last_of(of_kinds(within(_WORD))),
        "sees the end of a word coming",
        ("goes on", "word ends"),
    ),
    Feature(
        "line end next",
        before(within(r"\n")),
        "sees the end of the line coming",
        ("goes on", "line ends"),
    ),
    Feature(
        "inside a word in capitals",
        of_kinds(within(_WORD, lambda word: "l" not in word and word.count("U") > 1)),
        "knows words in capitals",
        ("other words", "capitals"),
    ),
    Feature("inside a number", within(r"[0-9]+")),
    Feature(
        "inside a comment (after #)",
        within(r"(?<!\S)#[^\n]*"),
        "knows when it writes a comment",
        ("code", "comment"),
    ),
    Feature(
        "indentation of the line",
        indentation,
        "remembers how far the line is indented",
        ("not at all", "far"),
    ),
    Feature("after a space or line end", within(r"\s")),
    Feature("after punctuation", of_kinds(within(r"[^Uloim0\s]"))),
    Feature(
        "after a vowel", within("[aeiouAEIOU\u00e0-\u00e6\u00e8-\u00ef\u00f2-\u00f6\u00f9-\u00fc]")
    ),
    Feature("after a capital letter", _capital),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
