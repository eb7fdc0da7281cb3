"""Characters that a model never saw: named, skipped, or replaced by what it has. No TensorFlow."""
import unicodedata

CHOICES = ("error", "skip", "nearest")

# What unicodedata does not decompose: quotes, dashes and the like, with what is tried for each, in order.
_NEAREST = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u00b4": "'", "`": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
    "\u00df": "ss", "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o", "\u00d8": "O",
    "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\t": " ", "\r": "\n",
}


def resolve(text, vocabulary, how, name="the text"):
    """Make a text one of a vocabulary's characters.

    Args:
        text: str.
        vocabulary: a Vocabulary.
        how: ``error``, ``skip`` (leave them out) or ``nearest`` (letters without their accents, plain quotes
            and dashes, the other case).
        name: what an error calls the text.

    Returns:
        (text, notes): the text, and a line that says what was done, or "" for nothing.

    Raises:
        ValueError: how is ``error`` and a character is unknown, or ``nearest`` and one has nothing near.

    >>> from charrnn.data import Vocabulary
    >>> resolve("caf\u00e9", Vocabulary("acef"), "nearest")
    ('cafe', "in the text '\u00e9' became 'e'")
    """
    found = vocabulary.unknown(text)
    if not found:
        return text, ""
    if how == "skip":
        return (text.translate({ord(char): None for char in found}),
                "left out of {}: {}".format(name, ", ".join(map(repr, found))))
    nearest = {char: _nearest(char, vocabulary) for char in found} if how == "nearest" else dict.fromkeys(found)
    _refuse([char for char in found if nearest[char] is None], text, name)
    return (text.translate({ord(char): near for char, near in nearest.items()}),
            "in {} {}".format(name, ", ".join("{!r} became {!r}".format(*each) for each in nearest.items())))


def check_known(text, vocabulary, name="the text"):
    """Raise ValueError if a text has characters that a vocabulary lacks, and name them with their places."""
    _refuse(vocabulary.unknown(text), text, name)


def leave_out_unknown(text, vocabulary):
    """Leave out of a text the characters that a vocabulary lacks.

    Returns:
        (kept, left_out): the text without them, and a dict from each of them to how often it was there.

    >>> from charrnn.data import Vocabulary
    >>> leave_out_unknown("naïve café", Vocabulary(" acefnv"))
    ('nave caf', {'ï': 1, 'é': 1})
    """
    unknown = vocabulary.unknown(text)
    left_out = {char: text.count(char) for char in unknown}
    return text.translate({ord(char): None for char in unknown}), left_out


def _refuse(chars, text, name):
    if chars:
        raise ValueError("{} has characters that the model never saw: {}{}".format(
            name, ", ".join("{!r} ({})".format(char, _place(text, char)) for char in chars[:10]),
            " and {:,} more".format(len(chars) - 10) if len(chars) > 10 else ""))


def _nearest(char, vocabulary):
    """Return the nearest that the vocabulary has for a character; None for nothing."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", char) if not unicodedata.combining(each))
    plain = "".join(_NEAREST.get(each, each) for each in plain)
    for near in (plain, plain.swapcase()):
        if near and not vocabulary.unknown(near):
            return near
    return None


def _place(text, char):
    """Return where a character first stands in a text."""
    index = text.index(char)
    return "line {:,}, column {:,}".format(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
