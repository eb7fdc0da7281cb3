"""The weights of a network in files: a ``.npz`` with its own SHA-256, and what TensorFlow's Saver writes.

The ``.npz`` has an array for each trainable variable, under the variable's name, and the array ``about``, uint8: a JSON
object in UTF-8. This object has the vocabulary and, if the run is known, all that ``run.json`` has. Matrices are
float32, float16 or int8. One of int8 has a further array, with the scale of each column. There may be ``words``, those
of a language, and ``text``, the training text, both compressed, uint8. The comment of the zip file, its last 64 bytes,
is the hexadecimal SHA-256 of all bytes before it.
"""

import contextlib
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Optional

import numpy as np

from charrnn.checkpoints.record import CheckpointError, parsed
from charrnn.data import StrPath
from charrnn.system import errors
from charrnn.system.files import sha256
from charrnn.system.tensorflow import graphs

# suffix of the running average of a variable
AVERAGE = "/ExponentialMovingAverage"
# bytes of a digest
DIGEST = 64
# types of matrices in a file
DTYPES = ("float32", "float16", "int8")
# After the name of a matrix of int8, this names the array of its scales. Version 3.2 shows it when it refuses the file.
SCALES = "/scales of int8, which charrnn 4.0 or later reads,"
# arrays of bytes that a file may have beside weights and ``about``
NO_WEIGHTS = ("words", "text")
# what version 5.0 had in place of the text
OLD_NO_WEIGHTS = "hashes"
Weights = Dict[str, np.ndarray]


class Rounded(NamedTuple):
    """A matrix of int8, and its scales: the factor of each row or column, float32, with an axis of length 1."""

    values: np.ndarray
    scales: np.ndarray

    def decoded(self) -> np.ndarray:
        """Return the float32 matrix."""
        return self.values.astype(np.float32) * self.scales


def as_int8(matrix: np.ndarray, axis: int) -> Rounded:
    """Round a float32 matrix to int8. The largest value along the axis becomes 127 or -127."""
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    scales = np.maximum(largest / np.float32(127), np.finfo(np.float32).tiny)
    return Rounded(np.rint(matrix / scales).astype(np.int8), scales)


def rounded(weights: Weights, dtype: str) -> Weights:
    """Return the arrays of a file for float32 weights: matrices in a type of DTYPES, biases in float32.

    Raises:
        ValueError: there is no such type, or a weight is too large for float16.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    arrays = {}
    for name, values in weights.items():
        # A bias has one axis.
        if values.ndim == 1 or dtype == "float32":
            arrays[name] = values
        elif dtype == "int8":
            matrix = as_int8(values, axis=0)
            arrays[name] = matrix.values
            arrays[name + SCALES] = matrix.scales[0]
        else:
            with np.errstate(over="ignore"):
                arrays[name] = values.astype(np.float16)
            if not np.isfinite(arrays[name]).all():
                raise ValueError("a weight is too large for float16: use float32 or int8")
    return arrays


def _restored(arrays: Weights) -> Weights:
    """Return the float32 weights of the arrays of a file."""
    weights = {}
    for name, values in arrays.items():
        if name.endswith(SCALES):
            continue
        if values.dtype == np.int8:
            values = Rounded(values, arrays[name + SCALES]).decoded()
        elif values.dtype == np.float16:
            values = values.astype(np.float32)
        weights[name] = values
    return weights


class Packed(NamedTuple):
    """What a ``.npz`` file of a model has.

    Attributes:
        weights: float32, by the names of the trainable variables.
        about: a dict of JSON types.
        sha256: hexadecimal SHA-256 of the file.
        words: the frequent words of a language, see :mod:`charrnn.text.lexicon`; None if it has none.
        text: the training text, compressed in the same way; None if it has none.
    """

    weights: Weights
    about: Dict[str, Any]
    sha256: str
    words: Optional[bytes]
    text: Optional[bytes]


def packed(
    weights: Weights,
    about: Dict[str, Any],
    words: Optional[bytes] = None,
    text: Optional[bytes] = None,
) -> bytes:
    """Return weights as the content of a ``.npz`` file.

    Args:
        weights: a dict from the name of each trainable variable to its values, or what :func:`rounded` makes of it.
        about: a dict of JSON types, with at least the ``vocabulary``, a str.
        words, text: as in :class:`Packed`.
    """
    buffer = io.BytesIO()
    # In ASCII, two halves of a character that follow each other in the vocabulary would be read as one character.
    encoded = json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass")
    arrays = {"about": np.frombuffer(encoded, np.uint8), **weights}
    for name, content in zip(NO_WEIGHTS, (words, text)):
        if content is not None:
            arrays[name] = np.frombuffer(content, np.uint8)
    np.savez(buffer, **arrays)

    # The last field of a zip file, of two bytes, is the length of its comment.
    archive = buffer.getvalue()
    content = archive[:-2] + DIGEST.to_bytes(2, "little")
    return content + sha256(content).encode()


def read_packed(path: StrPath) -> Packed:
    """Read a file that :func:`packed` made.

    Nothing in the file is run.

    Raises:
        CheckpointError: the file is missing, damaged, or of another kind.
    """
    with _reading(f"the model {path}"):
        content = Path(path).read_bytes()
        digest = hashlib.sha256(content[:-DIGEST])
        if digest.hexdigest().encode() != content[-DIGEST:]:
            raise ValueError("it is damaged, or was not written by charrnn")
        digest.update(content[-DIGEST:])
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            # A file of charrnn is not compressed. One that somebody has crafted may need much memory.
            n_unpacked = sum(member.file_size for member in arrays.zip.infolist())
            if n_unpacked > len(content):
                raise ValueError("it is damaged: it unpacks to more than its size")
            weights = dict(arrays)
        for name, values in weights.items():
            if not isinstance(values, np.ndarray):
                raise ValueError(f"it is damaged: {name} is no array")
        about = weights.pop("about")
        weights.pop(OLD_NO_WEIGHTS, None)
        contents: Dict[str, Optional[bytes]] = dict.fromkeys(NO_WEIGHTS)
        for name in NO_WEIGHTS:
            if name in weights:
                contents[name] = weights.pop(name).tobytes()
        return Packed(
            weights=_restored(weights),
            about=parsed(about.tobytes()),
            sha256=digest.hexdigest(),
            **contents,
        )


def read_saved(prefix: str) -> Weights:
    """Read the weights that a Saver has written, or their running averages if there are any. It needs TensorFlow.

    Until TensorFlow 1.1, the cells called their variables weights and biases; here they are kernel and bias.

    Args:
        prefix: the prefix of the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        TensorFlowError: TensorFlow is not installed.
    """
    with graphs():
        from charrnn.system.tensorflow import tf

        with _reading(f"the checkpoint {prefix}"):
            reader = tf.train.load_checkpoint(prefix)
            saved = reader.get_variable_to_shape_map()
            weights = {}
            for name in sorted(saved):
                # Averages, and what an optimizer keeps, are named after the variable that they belong to.
                parent, _, _ = name.rpartition("/")
                if parent in saved or not re.match("rnn/|softmax/", name):
                    continue
                to_read = name
                if name + AVERAGE in saved:
                    to_read = name + AVERAGE
                values = reader.get_tensor(to_read)
                name = re.sub("/weights$", "/kernel", name)
                name = re.sub("/biases$", "/bias", name)
                weights[name] = values
            return weights


@contextlib.contextmanager
def _reading(what: str) -> Iterator[None]:
    """Raise CheckpointError in place of any exception that reading a model or checkpoint raises."""
    try:
        yield
    except Exception as error:
        # It is of any kind, if another program has made the file.
        raise CheckpointError(f"{what} cannot be read: {errors.reason(error)}")
