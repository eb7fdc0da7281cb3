"""Properties of a text that a network may track, each a number for every character. NumPy only.

Most features of a character depend only on the text up to and including it, which the network has just read. Those with
"next" or "end of" in their name also depend on the next character: a unit that tracks one foresees it. Some features of
names, words in capitals, sentences and paragraphs depend on what follows as well.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Callable, Counter, Dict, List, NamedTuple, Tuple

import numpy as np

# A feature occurs in a text if at least this share of the characters, and at least this many, have a value above zero,
# and as many have a value below the maximum.
LEAST_SHARE = 0.002
LEAST_TIMES = 20

# Families of quotation marks, each named by its first: what a mark of one opens, another mark of it closes.
APOSTROPHES = "'\u2018\u2019\u201a\u201b"
QUOTES = (
    '"\u201c\u201d\u201e\u201f\uff02',
    "\u00ab\u00bb",
    APOSTROPHES,
    "\u2039\u203a",
    "\u300c\u300d",
    "\u300e\u300f",
    "\u301d\u301e\u301f",
    "\uff62\uff63",
)
FAMILIES: Dict[str, str] = {}
for _family in QUOTES:
    FAMILIES.update(dict.fromkeys(_family, _family[0]))

# Names of characters in Unicode: those that end a sentence, and letters of scripts without spaces between words.
_SENTENCE_ENDS = "FULL STOP|QUESTION MARK|EXCLAMATION MARK|DANDA$|KHAN$|SIGN SECTION$"
_UNSPACED = "CJK|IDEO|HIRAGANA|(HALFWIDTH )?KATAKANA|THAI|LAO|KHMER|MYANMAR|TIBETAN"

# Kinds of the letters and signs of a category of Unicode, and of signs that are not of the kind of their category.
_LETTERS = {"Lu": "U", "Lt": "U", "Ll": "l"}
_SIGNS = {"Nd": "0", "Ps": "(", "Pe": ")", "Pi": '"', "Pf": '"'}
_QUOTES = {"'": "'", "\u2019": "'", '"': '"'}
# they join and divide letters
_JOINERS = "\u200c\u200d"

# Patterns of kinds. A sentence begins after what is between it and the one before; a small letter begins none, as in
# "Why?" she asked. A name follows a word or a comma: at the start of a sentence, every word has a capital.
_WORD = "[Ulo][Ulom]*(?:'[Ulo][Ulom]*)*"
_BETWEEN_SENTENCES = r"""(?:\.(?:\s?[)"'])*\s+|![)"']*\s*)(?:[("']\s?)*(?!\s?[("'l])"""
_NAME = "(?:(?<=[Ulom] )|(?<=[Ulom], ))U[Ulom]+(?:'[Ulo][Ulom]*)*"

# A function of a text of T characters. It returns an array [T], of bools or of counts.
Values = Callable[[str], np.ndarray]


class Feature(NamedTuple):
    """A property of a text.

    Attributes:
        name: its name in tables and in the page.
        values: what each character of a text has of it.
        claim: completes "One of the numbers in this network ..." in the page; "" if the feature is the character itself
            that was read, which a number does not have to remember.
        ends: what it is where its values are lowest and highest.
    """

    name: str
    values: Values
    claim: str = ""
    ends: Tuple[str, str] = ("no", "yes")


def occurring_in(text: str) -> Dict[str, np.ndarray]:
    """Return the features that occur in a text: a dict from name to float32 array [T].

    LEAST_SHARE and LEAST_TIMES say when a feature occurs. A feature that is the same as an earlier one in this text is
    left out.

    >>> sorted(occurring_in("one two\\n" * 50))[:3]
    ['after a space or line end', 'after a vowel', 'distance since the last space']
    """
    least = max(LEAST_TIMES, LEAST_SHARE * len(text))
    occurring: Dict[str, np.ndarray] = {}
    for feature in FEATURES:
        values = feature.values(text)
        times_above_zero = np.count_nonzero(values > 0)
        times_below_maximum = np.count_nonzero(values != values.max(initial=0))
        if times_above_zero < least or times_below_maximum < least:
            continue
        if not any(np.array_equal(values, earlier) for earlier in occurring.values()):
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
    name = unicodedata.name(char, "")
    if re.search(_SENTENCE_ENDS, name):
        if "INVERTED" in name:
            return "("
        if re.match("IDEO|FULLW|HALFW", name):
            return "!"
        return "."

    category = unicodedata.category(char)
    if category[0] == "L":
        if re.match(_UNSPACED, name):
            return "i"
        return _LETTERS.get(category, "o")
    if char.isspace():
        return char
    if category[0] == "M" or char in _JOINERS:
        return "m"

    if char in _QUOTES:
        return _QUOTES[char]
    if category in _SIGNS:
        return _SIGNS[category]
    if "COMMA" in name:
        return ","
    return "-"


def words(text: str) -> List[str]:
    """Return the words of a text. Of a script without spaces between words, each letter is one.

    >>> words("Don't go, Anna!")
    ["Don't", 'go', 'Anna']
    """
    return [text[start:end] for start, end in spans_of_words(text)]


def spans_of_words(text: str) -> List[Tuple[int, int]]:
    """Return where each word of a text begins and ends."""
    return [match.span() for match in re.finditer(_WORD + "|i", kinds(text))]


class Mark(NamedTuple):
    """A mark of a family of pairs: whether it may open a pair, and whether it may close what its family opened."""

    family: str
    opens: bool
    closes: bool


def _depths(text: str, marks: Dict[str, Mark], nest: bool) -> np.ndarray:
    """Return for each character in how many open pairs it is, int32 [T]; pairs of one family may nest or may not."""
    depths = np.zeros(len(text), np.int32)
    open_families: List[str] = []
    paragraph_end = "\n\n" if "\n\n" in text else "\n"
    for place, char in enumerate(text):
        mark = marks.get(char)
        if mark is None:
            # The end of a paragraph closes all pairs, for quotes that are never closed.
            if char == "\n" and text.endswith(paragraph_end, 0, place + 1):
                open_families.clear()
        elif mark.family == "'" and _is_inside_word(text, place):
            # It is an apostrophe.
            pass
        elif mark.closes and mark.family in open_families:
            # With a pair, all that was opened inside it is closed.
            last = len(open_families) - 1 - open_families[::-1].index(mark.family)
            del open_families[last:]
        elif mark.opens and (nest or mark.family not in open_families):
            open_families.append(mark.family)
        depths[place] = len(open_families)
    return depths


def _is_inside_word(text: str, place: int) -> bool:
    around = kinds(text)[place - 1 : place + 2]
    return bool(re.match("[Ulom].[Ulom]", around))


def inside(pairs: str, most: int = 1) -> Values:
    """Return a function that counts in how many open pairs of characters each character of a text is.

    Args:
        pairs: opening and closing characters in turn.
        most: the largest depth that is counted.

    >>> inside("()[]")("a (b) [c]").astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 1, 1, 0]
    """
    marks = {}
    for opening, closing in zip(pairs[::2], pairs[1::2]):
        marks[opening] = Mark(family=opening, opens=True, closes=False)
        marks[closing] = Mark(family=opening, opens=False, closes=True)
    return lambda text: np.minimum(_depths(text, marks, nest=True), most)


def in_quotation(text: str) -> np.ndarray:
    """Mark the characters inside quotation marks, as the text itself uses these.

    A mark opens if it mostly stands after a space, as \u00bb does in German, and closes if it mostly stands before one.
    One that does both opens and closes in turn, as in Swedish; one that does neither is used as Unicode says. Those
    that may be apostrophes count if they open more often than the others.

    >>> in_quotation('a "b" \u00bbc\u00ab d').astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0]
    """
    opening, closing = _uses_of_quotes(text)
    opening_apostrophes = sum(opening[char] for char in APOSTROPHES)
    has_apostrophes = 2 * opening_apostrophes <= sum(opening.values())
    marks = {}
    for char, family in FAMILIES.items():
        if has_apostrophes and char in APOSTROPHES:
            continue
        if opening[char] or closing[char]:
            opens = 3 * opening[char] > closing[char]
            closes = 3 * closing[char] > opening[char]
        else:
            category = unicodedata.category(char)
            opens = category not in ("Pf", "Pe")
            closes = category not in ("Pi", "Ps")
        marks[char] = Mark(family, opens, closes)
    return _depths(text, marks, nest=False) > 0


def _uses_of_quotes(text: str) -> Tuple[Counter[str], Counter[str]]:
    """Count how often each quotation mark stands where an opening one does, and where a closing one does."""
    opening = Counter[str]()
    closing = Counter[str]()
    around = f"\n{kinds(text)}\n"
    for place, char in enumerate(text):
        if char in FAMILIES:
            before = around[place]
            after = around[place + 2]
            if before in " \n\t(-" and after not in " \n,.!)":
                opening[char] += 1
            if before not in " \n" and after not in "Ulo0i(":
                closing[char] += 1
    return opening, closing


def is_speech(text: str) -> bool:
    """Return whether what a text has in quotation marks is speech: at least a quarter ends as sentences do.

    >>> is_speech('"No," he said. "Why?"'), is_speech('open("a.txt", "r")')
    (True, False)
    """
    end_of_quotation = last_of(in_quotation)
    ends = np.flatnonzero(end_of_quotation(text))
    signs = kinds(text)
    ends_of_sentences = [end for end in ends if signs[end] in ".!,"]
    return 4 * len(ends_of_sentences) >= max(1, len(ends))


def has_capital_nouns(text: str) -> bool:
    """Return whether more than a tenth of the words of a text would be names, as the nouns of German are.

    >>> has_capital_nouns("Da ist der Hund im Haus."), has_capital_nouns("Here is a dog that I do not know at all.")
    (True, False)
    """
    names = re.findall(_NAME, kinds(text))
    return len(names) > 0.1 * len(words(text))


def is_play(text: str) -> bool:
    """Return whether most paragraphs of a text begin with a line that ends in a colon: the name of who speaks.

    >>> is_play("KATE:\\nI go.\\n\\nTOM:\\nStay.\\n"), is_play("He said:\\nI go.\\n\\nKate\\nwent.\\n\\nSo\\nwe")
    (True, False)
    """
    first_lines = re.findall(r"(?:\A|\n\n)([^\n]+)\n", text)
    with_colon = [line for line in first_lines if line.endswith(":")]
    return len(with_colon) > len(first_lines) / 2


def since(pattern: str) -> Values:
    """Return a function that counts the characters since the last end of a match, or since the text's beginning.

    >>> since(r"\\s")("ab c").tolist()
    [1, 2, 0, 1]
    """

    def values(text: str) -> np.ndarray:
        last = np.zeros(len(text), np.int64)
        for match in re.finditer(pattern, text):
            if match.end():
                last[match.end() - 1] = match.end()
        return np.arange(1, len(text) + 1) - np.maximum.accumulate(last)

    return values


def within(pattern: str, test: Callable[[str], bool] = bool) -> Values:
    """Return a function that marks the characters inside those matches of a pattern that pass a test.

    >>> within("[0-9]+")("at 10:30").astype(int).tolist()
    [0, 0, 0, 1, 1, 0, 1, 1]
    """

    def values(text: str) -> np.ndarray:
        marks = np.zeros(len(text), bool)
        for match in re.finditer(pattern, text):
            if test(match.group()):
                marks[match.start() : match.end()] = True
        return marks

    return values


def of_kinds(values: Values) -> Values:
    """Return a function that computes values from the kinds of the characters of a text.

    >>> of_kinds(within("U"))("At").astype(int).tolist()
    [1, 0]
    """
    return lambda text: values(kinds(text))


def before(values: Values) -> Values:
    """Return a function that marks a character where the next one has a feature.

    >>> before(within("[0-9]"))("at 10").astype(int).tolist()
    [0, 0, 1, 1, 0]
    """

    def values_before(text: str) -> np.ndarray:
        following = values(text)[1:]
        return np.append(following, False)[: len(text)]

    return values_before


def last_of(values: Values) -> Values:
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
        if leading and char == " ":
            width += 1
        elif leading and char == "\t":
            width += 4
        else:
            leading = False
        widths[place] = width
    return widths


_capital = of_kinds(within("U"))
_name = of_kinds(within(_NAME))

QUOTATION = "inside quotation marks"
FEATURES = (
    Feature(
        QUOTATION,
        in_quotation,
        "knows when a quotation mark is open",
        ("outside quotes", "in quotes"),
    ),
    Feature(
        "inside a line that begins with a dash",
        within(r"(?:\A|(?<=\n))(?:[\u2014\u2013]|- )[^\n]*"),
        "knows when a line began with a dash, as speech does in many languages",
        ("other lines", "after a dash"),
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
        of_kinds(since(_BETWEEN_SENTENCES)),
        "measures how long a sentence is",
        ("begun", "long"),
    ),
    Feature(
        "start of a sentence",
        of_kinds(within(f"{_BETWEEN_SENTENCES}(?:{_WORD}|i)")),
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
