"""Characters that are not in a model's vocabulary: reported, left out, or replaced. No TensorFlow."""

import unicodedata
from typing import Dict, Optional, Tuple

from charrnn.data import Vocabulary
from charrnn.system import words

CHOICES = ("error", "skip", "nearest")

# Replacements for characters that unicodedata does not decompose, such as quotes and dashes.
_NEAREST = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u201b": "'",
    "\u2032": "'",
    "\u00b4": "'",
    "`": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u201f": '"',
    "\u2033": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2015": "-",
    "\u2212": "-",
    "\u00df": "ss",
    "\u00e6": "ae",
    "\u00c6": "AE",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u0111": "d",
    "\u0110": "D",
    "\t": " ",
    "\r": "\n",
}


def resolve(
    text: str, vocabulary: Vocabulary, unknown: str, name: str = "the text"
) -> Tuple[str, str]:
    """Convert a text to the characters of a vocabulary.

    Args:
        text: the text to convert.
        vocabulary: the vocabulary of the model.
        unknown: what to do with other characters. ``error`` refuses them, and ``skip`` leaves them out. ``nearest``
            replaces them by letters without accents, other quotes and dashes, or the other case, and leaves out those
            that have no replacement.
        name: name of the text in messages.

    Returns:
        (text, note): the converted text, and a line that describes the changes, "" if there are none.

    Raises:
        ValueError: ``unknown`` is none of these, or it is ``error`` and there are such characters.

    >>> resolve("café", Vocabulary("acef"), "nearest")
    ('cafe', "replaced in the text: 'é' by 'e'")
    """
    if unknown not in CHOICES:
        raise ValueError(
            f"unknown must be {', '.join(CHOICES[:-1])} or {CHOICES[-1]}, not {unknown!r}"
        )
    if unknown == "nearest" and vocabulary.unknown(text):
        # A letter and the accent after it become one character.
        text = unicodedata.normalize("NFC", text)

    unknown_chars = vocabulary.unknown(text)
    if not unknown_chars:
        return text, ""
    if unknown == "error":
        places = words.listed(unknown_chars, lambda char: f"{char!r} ({_place(text, char)})")
        raise ValueError(
            f"{name} has characters that are not in the model's vocabulary: {places}; unknown skip leaves them out, "
            "unknown nearest replaces those that it can"
        )

    replacements: Dict[str, Optional[str]] = dict.fromkeys(unknown_chars)
    if unknown == "nearest":
        replacements = {char: _nearest(char, vocabulary) for char in unknown_chars}
    replaced = [f"{char!r} by {near!r}" for char, near in replacements.items() if near]
    left_out = [char for char, near in replacements.items() if not near]

    notes = []
    if replaced:
        notes.append(f"replaced in {name}: {words.listed(replaced)}")
    if left_out:
        notes.append(f"left out of {name}: {words.listed(left_out, repr)}")
    by_code = {ord(char): near for char, near in replacements.items()}
    return text.translate(by_code), "; ".join(notes)


def _nearest(char: str, vocabulary: Vocabulary) -> Optional[str]:
    """Return the replacement of a character in a vocabulary, or None if there is none."""
    decomposed = unicodedata.normalize("NFKD", char)
    letters = [part for part in decomposed if not unicodedata.combining(part)]
    plain = "".join(_NEAREST.get(letter, letter) for letter in letters)

    # Others with the same plain form, as one curly quote for another.
    similar = [other for other, replacement in _NEAREST.items() if replacement == plain]
    for near in (unicodedata.normalize("NFD", char), plain, plain.swapcase(), *similar):
        if near and not vocabulary.unknown(near):
            return near
    return None


def _place(text: str, char: str) -> str:
    """Return the line and column where a character first occurs in a text."""
    index = text.index(char)
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return f"line {line:,}, column {column:,}"
