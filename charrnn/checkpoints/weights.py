"""The weights of a network in files: a ``.npz`` with its own SHA-256, and what TensorFlow's Saver writes.

The ``.npz`` has an array for each trainable variable, under the variable's name, and ``about``: the UTF-8 bytes of a
JSON object, uint8. This object has the vocabulary, and if the run is known all that ``run.json`` has. The comment of
the zip file, its last 64 bytes, is the hexadecimal SHA-256 of all bytes before it.
"""
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from typing import Any, Dict, Tuple

import numpy as np

from charrnn.checkpoints.record import CheckpointError, parsed
from charrnn.data import StrPath
from charrnn.system import console, files
from charrnn.system.tensorflow import require_tensorflow

AVERAGE = "/ExponentialMovingAverage"  # suffix of the running average of a variable
SLOTS = r"/(Adam|Adam_1|RMSProp|RMSProp_1)$"
DIGEST = 64  # bytes

Weights = Dict[str, np.ndarray]


def packed(weights: Weights, about: Dict[str, Any]) -> bytes:
    """Return weights as the content of a ``.npz`` file.

    Args:
        weights: a dict from the name of each trainable variable to its values.
        about: a dict of JSON types, with at least the ``vocabulary``, a str.
    """
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **weights)
    content = buffer.getvalue()[:-2] + DIGEST.to_bytes(2, "little")  # the last field is the length of the comment
    return content + hashlib.sha256(content).hexdigest().encode()


def unpacked(content: bytes) -> Tuple[Weights, Dict[str, Any]]:
    """Return the weights, and what is said about them, from the content of a ``.npz`` file.

    Raises:
        ValueError: the file is damaged, or of another kind.
    """
    if hashlib.sha256(content[:-DIGEST]).hexdigest().encode() != content[-DIGEST:]:
        raise ValueError("it is damaged, or was not written by charrnn")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > len(content):
                raise ValueError("it is larger than it may be")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        if not all(isinstance(values, np.ndarray) for values in weights.values()):
            raise ValueError("it has something else than arrays")
        return weights, parsed(weights.pop("about").tobytes())
    except Exception as error:  # of many kinds, where somebody has made such a file with another program
        raise ValueError(f"it is not a model of charrnn ({console.reason(error)})")


def read_packed(path: StrPath) -> Tuple[Weights, Dict[str, Any]]:
    """Read a file that :func:`packed` made.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return unpacked(files.read(path))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the model {path} cannot be read: {console.reason(error)}")


def read_saved(prefix: str) -> Weights:
    """Read the weights that a Saver has written, or their running averages if there are any.

    A process of its own does this, because TensorFlow 1.15 can crash on damaged files.

    Args:
        prefix: the prefix of the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        TensorFlowError: TensorFlow is missing.
    """
    require_tensorflow()
    done = subprocess.run(
        [sys.executable, "-m", "charrnn.checkpoints.weights", prefix], stdin=subprocess.DEVNULL, capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)})
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1] if done.returncode > 0 else ""
        raise CheckpointError(f"the checkpoint {prefix} cannot be read: {reason or 'its files are damaged'}")
    return unpacked(done.stdout)[0]


def _read_here(prefix: str) -> Weights:
    """Read the weights of a checkpoint in this process."""
    from charrnn.system.tensorflow import tf
    reader = tf.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    names = [name for name in shapes if re.match("rnn/|softmax/", name) and not re.search(f"{SLOTS}|{AVERAGE}$", name)]
    # until TensorFlow 1.1 the cells named their variables weights and biases
    return {re.sub("/weights$", "/kernel", re.sub("/biases$", "/bias", name)):
            reader.get_tensor(name + AVERAGE if name + AVERAGE in shapes else name) for name in names}


def restore(session: Any, saver: Any, prefix: str) -> None:
    """Restore the variables of a Saver from a checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has other variables or shapes.
    """
    from charrnn.system.tensorflow import tf

    try:
        saver.restore(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {prefix} cannot be restored: {console.reason(error)}")


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(packed(_read_here(sys.argv[1]), {}))
    except Exception as raised:  # of many kinds
        sys.exit(console.reason(raised))
