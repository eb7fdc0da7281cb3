"""Words for the verdicts: values and shapes described, long messages wrapped between words."""

import textwrap
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from charrnn.system.tensorflow import tf

WIDTH = 88  # as the code cells; Jupyter breaks longer lines in the middle of a word


def wrap(message: str) -> str:
    """Wrap a message between words. Indented lines, which are code, stay as they are."""
    return "\n".join(
        line
        if line.startswith("    ")
        else textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in message.split("\n")
    )


def sections(name: str) -> Dict[str, List[str]]:
    """Read a file of texts: by the headings "## ...", the parts between lines of "---".

    Lines that follow each other are one, but for those that are indented, which are code.
    """
    found = {}
    for section in Path(__file__).with_name(name).read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        found[heading] = [_joined(part.strip("\n").split("\n")) for part in body.split("\n---\n")]
    return found


def mistakes(heading: str, name: str = "mistakes.md") -> Dict[str, List[str]]:
    """Return the parts of a section as a table: from the text of each to its indented lines."""
    parts = [part.split("\n    ") for part in sections(name)[heading]]
    return {text: lines for text, *lines in parts}


def _joined(lines: List[str]) -> str:
    text = lines[0]
    for before, line in zip(lines, lines[1:]):
        text += ("\n" if "    " in (before[:4], line[:4]) else " ") + line
    return text


def article(noun: str) -> str:
    """Put "a" or "an" before a noun.

    >>> [article(noun) for noun in ("int32 array", "uint8 array", "LSTMCell", "MultiRNNCell", "list")]
    ['an int32 array', 'a uint8 array', 'an LSTMCell', 'a MultiRNNCell', 'a list']
    """
    spelled_out = noun[:2].isupper()
    return ("an " if noun[0] in ("AEFHILMNORSX" if spelled_out else "AEIOaeio") else "a ") + noun


def brackets(shape: Any) -> str:
    """Write a shape in brackets.

    >>> brackets((2, None)), brackets(None)
    ('[2, None]', 'of unknown shape')
    """
    try:
        return str(
            [None if size is None else int(size) for size in tf.TensorShape(shape).as_list()]
        )
    except ValueError:
        return "of unknown shape"


def describe(value: Any) -> str:
    """Describe an argument or a result.

    >>> describe(np.zeros([2, 3], np.int32)), describe(0.5), describe([1, 2]), describe(())
    ('an int32 array [2, 3]', '0.5', 'a list of 2', 'an empty tuple')
    >>> describe((3,))
    'a tuple of 1 (is there a comma at the end of the line?)'
    """
    if isinstance(value, (tf.Tensor, tf.Variable)):
        kind = "tensor" if isinstance(value, tf.Tensor) else "variable"
        return article(f"{value.dtype.base_dtype.name} {kind} {brackets(value.shape)}")
    if isinstance(value, np.ndarray):
        return article(f"{value.dtype} array {brackets(value.shape)}")
    if value is None or isinstance(value, (bool, int, float, str, np.number)):
        return repr(value)
    name = type(value).__name__
    if type(value) in (list, tuple):
        comma = (
            " (is there a comma at the end of the line?)"
            if type(value) is tuple and len(value) == 1
            else ""
        )
        return article(f"{name} of {len(value)}{comma}") if value else f"an empty {name}"
    return article(name)
