"""Text to ids to mini-batches: what the notebook does before it builds the network. NumPy only.

Letters for shapes, here and everywhere in the project: N sequences in a batch (``batch_size``), M steps in a window
(``num_steps``; ``n_steps`` in :func:`get_batches`), C distinct characters (``num_classes``), L units in a layer
(``lstm_size``), K windows in an epoch. A window lies over all N sequences, so it has N·M characters.
"""

import io
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Tuple, TypeVar, Union

import numpy as np

# Characters encoded at a time. The temporary arrays, four bytes a character, then fit in the processor's cache
# and need little memory compared with the text.
_CHUNK = 1 << 16

StrPath = Union[str, Path]
# a text, or its ids
Characters = TypeVar("Characters", str, np.ndarray)


def load_text(path: StrPath, encoding: str = "utf-8") -> str:
    r"""Read a text file with universal newlines: CRLF and CR become ``\n``.

    Raises:
        ValueError: the file is missing, unreadable, empty or a folder, its bytes are not text in that
            encoding, or there is no such encoding.

    Source: notebook, "loading and encoding the text".
    """
    return decode_text(read_bytes(path), encoding, str(path))


def read_bytes(path: StrPath) -> bytes:
    """Read the bytes of a text file.

    Raises:
        ValueError: the file is missing, unreadable or a folder.
    """
    try:
        with open(str(path), "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror
    except ValueError as error:
        # The path has a null character in it.
        reason = str(error)
    raise ValueError(f"cannot read the text {str(path)!r}: {reason}")


def decode_text(content: bytes, encoding: str, name: str) -> str:
    """Decode the bytes of a text file with universal newlines. Error messages call the text by its name.

    Raises:
        ValueError: the bytes are not text in that encoding, there is no such encoding, or the text is empty.
    """
    try:
        file = io.TextIOWrapper(io.BytesIO(content), encoding=encoding)
        text = file.read()
    except UnicodeError as error:
        raise ValueError(
            f"{name} is not {encoding} text ({error}): try another encoding, such as encoding='cp1252' of load_text, "
            "or --encoding cp1252; cp1250 is for Polish or Czech, cp1251 for Russian"
        )
    except (LookupError, TypeError):
        # A TypeError is for an empty name.
        raise ValueError(f"there is no encoding named {encoding!r}: try utf-8, latin-1 or cp1252")

    if not text:
        raise ValueError(f"{name} is empty")
    return text


def code_points(text: str) -> np.ndarray:
    """Return the Unicode code points of a text, uint32 [T].

    >>> code_points("aé").tolist()
    [97, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


class Vocabulary:
    """The distinct characters of a text. The index of a character is its id.

    Attributes:
        chars: tuple of the C characters in the order of their ids (``vocab`` in the notebook).
        vocab_to_int: dict from character to id.
        int_to_vocab: dict from id to character.

    >>> vocabulary = Vocabulary.from_text("hello")
    >>> vocabulary.chars
    ('e', 'h', 'l', 'o')
    >>> vocabulary.encode("hole").tolist()
    [1, 3, 2, 0]
    >>> vocabulary.decode([1, 0, 2, 2, 3])
    'hello'
    """

    def __init__(self, chars: Iterable[str]) -> None:
        """Make a vocabulary of characters in the order of their ids.

        Args:
            chars: distinct single characters, in any order that is fixed, so not a set.

        Raises:
            ValueError: there are no characters, an item is not one character, the characters are repeated or have no
                order.
        """
        self.chars = tuple(chars)
        has_order = not isinstance(chars, (set, frozenset))
        if not (self.chars and has_order and _are_distinct_characters(self.chars)):
            raise ValueError(
                "a vocabulary must be a list of distinct characters in the order of their ids; a set has "
                "no order. For a text that is not empty, use Vocabulary.from_text(text)"
            )
        self.int_to_vocab = dict(enumerate(self.chars))
        self.vocab_to_int = {char: index for index, char in self.int_to_vocab.items()}

        # ids by code point; -1 for a character that is not in the vocabulary
        self._ids = np.full(ord(max(self.chars)) + 1, -1, np.int32)
        self._ids[[ord(char) for char in self.chars]] = np.arange(len(self.chars))

    def __repr__(self) -> str:
        beginning = repr("".join(self.chars[:20]))
        if len(self) > 20:
            beginning += "..."
        return f"<Vocabulary of {len(self):,} characters: {beginning}>"

    def __len__(self) -> int:
        return len(self.chars)

    def __iter__(self) -> Iterator[str]:
        return iter(self.chars)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.chars == other.chars

    @classmethod
    def from_text(cls, text: str) -> "Vocabulary":
        """Collect the distinct characters of a text: ``sorted(set(text))`` in the notebook.

        Raises:
            ValueError: the text is empty.
        """
        return cls(sorted(set(text)))

    def unknown(self, text: str) -> List[str]:
        """Return the characters of a text that are not in the vocabulary, in order of first appearance."""
        return [char for char in dict.fromkeys(text) if char not in self.vocab_to_int]

    def encode(self, text: str, dtype: Any = np.int32) -> np.ndarray:
        """Convert a text to ids in [0, C).

        Args:
            text: T characters.
            dtype: an integer type that holds C - 1.

        Returns:
            Array [T] of this type.

        Raises:
            ValueError: characters of the text are not in the vocabulary. The message names them all.
        """
        encoded = np.empty(len(text), dtype)
        for start in range(0, len(text), _CHUNK):
            points = code_points(text[start : start + _CHUNK])
            if points.max() >= len(self._ids):
                raise self._error_of_unknown(text)

            # no code point is clipped; the mode is the fastest one
            ids = np.take(self._ids, points, mode="clip")
            if ids.min() < 0:
                raise self._error_of_unknown(text)
            encoded[start : start + _CHUNK] = ids
        return encoded

    def _error_of_unknown(self, text: str) -> ValueError:
        unknown = ", ".join(map(repr, self.unknown(text)))
        return ValueError(f"the vocabulary of {len(self)} characters does not have {unknown}")

    def decode(self, ids: Iterable[int]) -> str:
        """Convert ids in [0, C) to text.

        Raises:
            ValueError: an id is out of range.
        """
        try:
            return "".join([self.int_to_vocab[int(index)] for index in ids])
        except KeyError as error:
            raise ValueError(
                f"there is no character with id {error}: ids go from 0 to {len(self) - 1}"
            )


def _are_distinct_characters(chars: Tuple[Any, ...]) -> bool:
    if not all(isinstance(char, str) and len(char) == 1 for char in chars):
        return False
    return len(set(chars)) == len(chars)


def split(
    text: Characters, val_fraction: float, test_fraction: float = 0
) -> Tuple[Characters, Characters, Characters]:
    """Split a text, or an array [T], into the parts for training, validation and test, in this order.

    Args:
        text: T characters or ids.
        val_fraction: share of the text for validation, at least 0.
        test_fraction: share of the text for the test, at least 0; both together are below 1.

    >>> split("abcdefghij", 0.2, 0.1)
    ('abcdefg', 'hi', 'j')
    """
    val_end = len(text) - int(len(text) * test_fraction)
    train_end = val_end - int(len(text) * val_fraction)
    return text[:train_end], text[train_end:val_end], text[val_end:]


def count_windows(length: int, batch_size: int, n_steps: int) -> int:
    """Return K, the number of windows of N x M in a text of ``length`` characters. The rest of the text is left out.

    >>> count_windows(1985223, 100, 100)
    198
    """
    return length // (batch_size * n_steps)


def get_batches(
    arr: np.ndarray, batch_size: int, n_steps: int
) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
    """Yield the K mini-batches of an encoded text.

    The first N·M·K ids are laid out as N rows, and a window of M columns moves over them from left to right.
    Row r of a batch continues in row r of the next batch, so the LSTM state can be carried over.

    Args:
        arr: integer array [T] of ids.
        batch_size: N, sequences in a batch, at least 1.
        n_steps: M, steps in a window, at least 1.

    Yields:
        (x, y), both [N, M] with the dtype of ``arr``; y is x one character later in the same row. The last column of
        the last window has no next one in its row. As in the notebook, y is 0 there, although 0 is also the id of a
        character. A text shorter than N·M yields nothing.

    Raises:
        ValueError: ``batch_size`` or ``n_steps`` is below 1 (raised at the first ``next``).

    Source: notebook, "making mini-batches".

    >>> for x, y in get_batches(np.arange(1, 14), batch_size=2, n_steps=3):
    ...     print(x.tolist(), y.tolist())
    [[1, 2, 3], [7, 8, 9]] [[2, 3, 4], [8, 9, 10]]
    [[4, 5, 6], [10, 11, 12]] [[5, 6, 0], [11, 12, 0]]
    """
    if batch_size < 1 or n_steps < 1:
        raise ValueError(
            f"batch_size and n_steps must be at least 1, not {batch_size} and {n_steps}"
        )

    n_windows = count_windows(len(arr), batch_size, n_steps)
    rows = arr[: batch_size * n_steps * n_windows].reshape((batch_size, -1))  # [N, M·K]
    for start in range(0, rows.shape[1], n_steps):
        x = rows[:, start : start + n_steps]  # [N, M]
        y = np.zeros_like(x)
        following = rows[:, start + 1 : start + n_steps + 1]  # [N, M]; M - 1 in the last window
        y[:, : following.shape[1]] = following
        yield x, y
