"""Words for the verdicts: values and shapes described, long messages wrapped between words."""

import textwrap
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from charrnn.system.tensorflow import tf

# as the code cells; Jupyter breaks longer lines in the middle of a word
WIDTH = 88
# begins a line of code
CODE = "    "


def wrap(message: str) -> str:
    """Wrap a message between words. Indented lines, which are code, stay as they are."""
    return "\n".join(_wrapped(line) for line in message.split("\n"))


def _wrapped(line: str) -> str:
    if line.startswith(CODE):
        return line
    return textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def sections(name: str) -> Dict[str, List[str]]:
    """Read a file of texts: by the headings "## ...", the parts between lines of "---".

    Lines that follow each other are one, but for those that are indented, which are code.
    """
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    _, *bodies = text.split("\n## ")
    parts = {}
    for section in bodies:
        heading, _, body = section.partition("\n")
        parts[heading] = [_joined(part.strip("\n").split("\n")) for part in body.split("\n---\n")]
    return parts


def mistakes(heading: str, name: str = "mistakes.md") -> Dict[str, List[str]]:
    """Return the parts of a section as a table: from the text of each to its indented lines."""
    table = {}
    for part in sections(name)[heading]:
        text, *lines = part.split("\n" + CODE)
        table[text] = lines
    return table


def _joined(lines: List[str]) -> str:
    text = lines[0]
    for before, line in zip(lines, lines[1:]):
        is_beside_code = before.startswith(CODE) or line.startswith(CODE)
        text += "\n" if is_beside_code else " "
        text += line
    return text


def article(noun: str) -> str:
    """Put "a" or "an" before a noun.

    >>> [article(noun) for noun in ("int32 array", "uint8 array", "LSTMCell", "MultiRNNCell", "list")]
    ['an int32 array', 'a uint8 array', 'an LSTMCell', 'a MultiRNNCell', 'a list']
    """
    spelled_out = noun[:2].isupper()
    vowels = "AEFHILMNORSX" if spelled_out else "AEIOaeio"
    return f"an {noun}" if noun[0] in vowels else f"a {noun}"


def brackets(shape: Any) -> str:
    """Write a shape in brackets.

    >>> brackets((2, None)), brackets(None)
    ('[2, None]', 'of unknown shape')
    """
    try:
        sizes = tf.TensorShape(shape).as_list()
    except ValueError:
        return "of unknown shape"
    # NumPy 2 shows the types of its integers
    return str([size if size is None else int(size) for size in sizes])


def describe(value: Any) -> str:
    """Describe an argument or a result.

    >>> describe(np.zeros([2, 3], np.int32)), describe(0.5), describe([1, 2]), describe(())
    ('an int32 array [2, 3]', '0.5', 'a list of 2', 'an empty tuple')
    >>> describe((3,))
    'a tuple of 1 (is there a comma at the end of the line?)'
    """
    if isinstance(value, tf.Tensor):
        return article(f"{value.dtype.base_dtype.name} tensor {brackets(value.shape)}")
    if isinstance(value, tf.Variable):
        return article(f"{value.dtype.base_dtype.name} variable {brackets(value.shape)}")
    if isinstance(value, np.ndarray):
        return article(f"{value.dtype} array {brackets(value.shape)}")
    if value is None or isinstance(value, (bool, int, float, str, np.number)):
        return repr(value)

    name = type(value).__name__
    if type(value) not in (list, tuple):
        return article(name)
    if not value:
        return f"an empty {name}"
    if type(value) is tuple and len(value) == 1:
        return "a tuple of 1 (is there a comma at the end of the line?)"
    return article(f"{name} of {len(value)}")
