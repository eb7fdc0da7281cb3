"""Text to ids to mini-batches, as in the notebook's first half. NumPy only.

Letters for shapes, here and everywhere in the project: N sequences in a batch (``batch_size``), M steps
in a window (``num_steps``; ``n_steps`` in :func:`get_batches`), C distinct characters (``num_classes``),
L units in a layer (``lstm_size``), K windows in an epoch.
"""
import io

import numpy as np

# Characters encoded at a time: the temporary arrays (4 bytes a character each) stay in the processor's
# cache and do not count beside the text.
_CHUNK = 1 << 16


def load_text(path, encoding="utf-8"):
    r"""Read a text file with universal newlines, so that CRLF and CR become ``\n``.

    Args:
        path: path of the file.
        encoding: name of the encoding of its bytes.

    Returns:
        The text, a str.

    Raises:
        ValueError: the file is missing, unreadable, a folder or empty, its bytes are not text in that
            encoding, or there is no such encoding.

    Source: notebook, "loading and encoding the text".
    """
    return decode_text(read_bytes(path), encoding, path)


def read_bytes(path):
    """Read a file whole.

    Raises:
        ValueError: it is missing, unreadable, a folder or empty.
    """
    try:
        with open(str(path), "rb") as file:
            content = file.read()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ValueError("cannot read the text {!r}: {}".format(
            str(path), getattr(error, "strerror", None) or error))
    if not content:
        raise ValueError("the text {} is empty".format(path))
    return content


def decode_text(content, encoding, name):
    """Turn bytes into text with universal newlines.

    Args:
        content: bytes.
        encoding: name of their encoding.
        name: what an error calls the text.

    Raises:
        ValueError: they are not text in that encoding, or there is no such encoding.
    """
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding=encoding).read()
    except UnicodeError as error:
        raise ValueError("{} is not {} text ({}): name the right one with encoding (--encoding), "
                         "for example latin-1 or cp1252".format(name, encoding, error))
    except (LookupError, TypeError):  # TypeError: an empty name
        raise ValueError("there is no encoding named {!r}: try utf-8, latin-1 or cp1252".format(encoding))


class Vocabulary:
    """The distinct characters of a text, in sorted order; a character's place is its id.

    Attributes:
        chars: tuple of the C characters, ascending by code point (the notebook's ``vocab``).
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

    def __init__(self, chars):
        """Take the characters in id order.

        Args:
            chars: iterable of distinct single characters, ascending by code point.

        Raises:
            ValueError: none, an item that is not one character, a repeated one, or wrong order.
        """
        self.chars = tuple(chars)
        if not self.chars:
            raise ValueError("a vocabulary needs at least one character")
        for char in self.chars:
            if not isinstance(char, str) or len(char) != 1:
                raise ValueError("a vocabulary holds single characters, not {!r}".format(char))
        for before, after in zip(self.chars, self.chars[1:]):
            if before >= after:
                raise ValueError("a vocabulary is sorted and without repeats, but {!r} comes before "
                                 "{!r}".format(before, after))
        self.int_to_vocab = dict(enumerate(self.chars))
        self.vocab_to_int = {char: index for index, char in self.int_to_vocab.items()}
        # ids by code point; -1 where the vocabulary has no such character
        self._ids = np.full(ord(self.chars[-1]) + 1, -1, np.int32)
        self._ids[[ord(char) for char in self.chars]] = np.arange(len(self.chars))

    def __len__(self):
        return len(self.chars)

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.chars == other.chars

    __hash__ = None

    @classmethod
    def from_text(cls, text):
        """Collect the distinct characters of a non-empty text: ``sorted(set(text))`` of the notebook.

        Raises:
            ValueError: the text is empty.
        """
        seen = np.zeros(0x110000, bool)  # one flag for each Unicode code point
        for chunk in _code_points(text):
            seen[chunk] = True
        return cls(map(chr, np.flatnonzero(seen)))

    def unknown(self, text):
        """Return the characters of ``text`` that the vocabulary lacks, in order of first appearance."""
        return [char for char in dict.fromkeys(text) if char not in self.vocab_to_int]

    def encode(self, text):
        """Turn a text into ids.

        Args:
            text: str of T characters.

        Returns:
            int32 array [T] with ids in [0, C).

        Raises:
            ValueError: a character is not in the vocabulary; the message names all such characters.
        """
        encoded = np.empty(len(text), np.int32)
        start = 0
        for chunk in _code_points(text):
            ids = encoded[start:start + len(chunk)]
            np.take(self._ids, chunk, out=ids, mode="clip")
            # a code point past the table was clipped to its last entry, a known character
            if ids.min() < 0 or chunk.max() >= len(self._ids):
                raise ValueError("the vocabulary of {} characters does not have {}".format(
                    len(self), ", ".join(map(repr, self.unknown(text)))))
            start += len(chunk)
        return encoded

    def decode(self, ids):
        """Turn ids in [0, C) into text.

        Raises:
            ValueError: an id is out of range.
        """
        try:
            return "".join([self.int_to_vocab[int(index)] for index in ids])
        except KeyError as error:
            raise ValueError("there is no character with id {}: ids go from 0 to {}".format(
                error, len(self) - 1))


def _code_points(text):
    """Yield the code points of a text as int32 arrays of at most _CHUNK."""
    for start in range(0, len(text), _CHUNK):
        encoded = text[start:start + _CHUNK].encode("utf-32-le", "surrogatepass")
        yield np.frombuffer(encoded, "<i4")


def count_windows(length, batch_size, n_steps):
    """Return K, the number of windows that ``length`` characters give at N x M.

    >>> count_windows(1985223, 100, 100)
    198
    """
    return length // (batch_size * n_steps)


def get_batches(arr, batch_size, n_steps):
    """Yield the K mini-batches of an encoded text.

    The first N·M·K characters are laid out as N rows, and a window of M columns slides over them from
    the left, so that row r of one batch goes on in row r of the next: the LSTM state can be carried over.

    Args:
        arr: integer array [T] of ids.
        batch_size: N, sequences in a batch, at least 1.
        n_steps: M, steps in a window, at least 1.

    Yields:
        (x, y), both [N, M] with the dtype of ``arr``; y is x one character later in the same row. The last
        column of the last window has no next character: there, as in the notebook, y is 0.

    Raises:
        ValueError: ``batch_size`` or ``n_steps`` is below 1 (raised at the first ``next``).

    Source: notebook, "making mini-batches". A text shorter than N·M yields nothing.

    >>> for x, y in get_batches(np.arange(1, 14), batch_size=2, n_steps=3):
    ...     print(x.tolist(), y.tolist())
    [[1, 2, 3], [7, 8, 9]] [[2, 3, 4], [8, 9, 10]]
    [[4, 5, 6], [10, 11, 12]] [[5, 6, 0], [11, 12, 0]]
    """
    if batch_size < 1 or n_steps < 1:
        raise ValueError("batch_size and n_steps must be at least 1, not {} and {}".format(
            batch_size, n_steps))
    n_windows = count_windows(len(arr), batch_size, n_steps)
    rows = arr[:batch_size * n_steps * n_windows].reshape((batch_size, -1))  # [N, M·K]
    for start in range(0, rows.shape[1], n_steps):
        x = rows[:, start:start + n_steps]  # [N, M]
        y = np.zeros_like(x)
        following = rows[:, start + 1:start + n_steps + 1]  # [N, M], or [N, M - 1] in the last window
        y[:, :following.shape[1]] = following
        yield x, y


def split(text, val_fraction):
    """Cut a text in what is trained on and its end, which is held out.

    Args:
        text: a str, or an array [T].
        val_fraction: share of the end, at least 0, below 1.

    Returns:
        (training, held_out): the two parts.

    >>> split("abcdefghij", 0.2)
    ('abcdefgh', 'ij')
    """
    edge = len(text) - int(len(text) * val_fraction)
    return text[:edge], text[edge:]
