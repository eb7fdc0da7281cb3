"""The weights of a network in files: a ``.npz`` with its own SHA-256, and what TensorFlow's Saver writes.

The ``.npz`` has an array for each trainable variable, under the variable's name, and the array ``about``, uint8: a JSON
object in UTF-8. This object has the vocabulary and, if the run is known, all that ``run.json`` has. The comment of the
zip file, its last 64 bytes, is the hexadecimal SHA-256 of all bytes before it.
"""

import contextlib
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

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
Weights = Dict[str, np.ndarray]


def packed(weights: Weights, about: Dict[str, Any]) -> bytes:
    """Return weights as the content of a ``.npz`` file.

    Args:
        weights: a dict from the name of each trainable variable to its values.
        about: a dict of JSON types, with at least the ``vocabulary``, a str.
    """
    buffer = io.BytesIO()
    # In ASCII, two halves of a character that follow each other in the vocabulary would be read as one character.
    encoded = json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass")
    np.savez(buffer, about=np.frombuffer(encoded, np.uint8), **weights)

    # The last field of a zip file, of two bytes, is the length of its comment.
    archive = buffer.getvalue()
    content = archive[:-2] + DIGEST.to_bytes(2, "little")
    return content + sha256(content).encode()


def read_packed(path: StrPath) -> Tuple[Weights, Dict[str, Any], str]:
    """Read a file that :func:`packed` made: the weights, the JSON object ``about``, and the SHA-256 of the whole file.

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
            weights = dict(arrays)
        about = weights.pop("about")
        return weights, parsed(about.tobytes()), digest.hexdigest()


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
