"""Exported models: one ``.npz`` file without pickles that holds weights, vocabulary and run. NumPy only.

==================  ==========================================================================
``format``          int64 scalar, the format version, 2
``about``           UTF-8 bytes, uint8: JSON of ``num_layers`` and the ``run``, as in ``run.json``, or null
``vocabulary``      uint32 [C], the code points of the characters in id order
``kernel_0`` …      float32 [I + L, 4L] of each layer, I = C for the first and L for the others; gates i, j, f, o
``bias_0`` …        float32 [4L], with the forget bias added
``softmax_kernel``  float32 [L, C]
``softmax_bias``    float32 [C]
``sha256``          uint8 [32], the SHA-256 of all other arrays with their names, see :func:`checksum`
==================  ==========================================================================

The checksum covers what those of the zip file do not: which arrays there are. Format 1 had none and is refused.
"""
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import Checkpoint, CheckpointError, Run
from charrnn.data import StrPath, Vocabulary, code_points
from charrnn.system import console, files

FORMAT_VERSION = 2
LARGEST_HEADER = 4096  # bytes of a .npy header, far more than a model needs


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """An LSTM network as it was exported.

    Attributes:
        name: the path that it was read from.
        vocabulary: C characters.
        run: the run that it comes from; None for a checkpoint of the notebook.
        kernels: for each layer float32 [I + L, 4L], I = C for the first and L for the others; gates i, j, f, o.
        biases: for each layer float32 [4L], with the forget bias added.
        softmax_kernel: float32 [L, C].
        softmax_bias: float32 [C].
        skipped, cell: as for a Checkpoint.
    """

    name: str
    vocabulary: Vocabulary
    run: Optional[Run]
    kernels: Tuple[np.ndarray, ...]
    biases: Tuple[np.ndarray, ...]
    softmax_kernel: np.ndarray
    softmax_bias: np.ndarray
    skipped: Tuple[str, ...] = ()
    cell: str = "lstm"

    @property
    def lstm_size(self) -> int:
        """Return L."""
        return len(self.softmax_kernel)

    @property
    def num_layers(self) -> int:
        """Return the number of layers."""
        return len(self.kernels)


def is_exported(path: StrPath) -> bool:
    """Return whether a path can be an exported model: no folder, and named .npz but not .progress.npz."""
    return str(path).endswith(".npz") and not str(path).endswith(".progress.npz") and not Path(path).is_dir()


def export_npz(checkpoint: Checkpoint, path: StrPath) -> None:
    """Write the weights, vocabulary and run of a checkpoint to one file.

    Args:
        checkpoint: a checkpoint of LSTM cells.
        path: the file to create or replace. Its name ends in ``.npz``.

    Raises:
        ValueError: the name has another ending, or the network has other cells.
        OSError: the file cannot be written.
    """
    if not is_exported(path):
        raise ValueError(f"{str(path)!r} cannot be the name of an exported model: it must end in .npz, but not in "
                         ".progress.npz")
    model = from_checkpoint(checkpoint)
    about = {"num_layers": model.num_layers, "run": checkpoints.record_of(model.run) if model.run else None}
    arrays = {
        "format": np.array(FORMAT_VERSION, np.int64),
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        "vocabulary": code_points("".join(model.vocabulary.chars)),
        "softmax_kernel": model.softmax_kernel,
        "softmax_bias": model.softmax_bias,
    }
    for layer, (kernel, bias) in enumerate(zip(model.kernels, model.biases)):
        arrays[f"kernel_{layer}"], arrays[f"bias_{layer}"] = kernel, bias
    buffer = io.BytesIO()
    np.savez(buffer, sha256=checksum(arrays), **arrays)
    files.write_atomically(path, buffer.getvalue())


def checksum(arrays: Dict[str, np.ndarray]) -> np.ndarray:
    """Return the SHA-256 of arrays with their names, types and shapes, uint8 [32]. Their order has no influence."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(array))
    return np.frombuffer(digest.digest(), np.uint8)


def from_checkpoint(checkpoint: Checkpoint) -> ExportedModel:
    """Return the network of a checkpoint of LSTM cells as it is exported.

    Raises:
        ValueError: the network has other cells.
        CheckpointError: the checkpoint has weights of other shapes.
    """
    if checkpoint.cell != "lstm":
        raise ValueError(f"only models of lstm cells can be exported to .npz or .html, and {checkpoint.prefix} has "
                         f"{checkpoint.cell}: try --format saved-model")
    try:
        return from_weights(checkpoint.name, checkpoint.vocabulary, checkpoint.weights, checkpoint.lstm_size,
                            checkpoint.num_layers, checkpoint.run)
    except ValueError as error:
        raise CheckpointError(f"the checkpoint {checkpoint.prefix} cannot be used: {error}")


def from_weights(name: str, vocabulary: Vocabulary, weights: Dict[str, np.ndarray], lstm_size: int, num_layers: int,
                 run: Optional[Run] = None) -> ExportedModel:
    """Return a network of LSTM cells as it is exported.

    Args:
        name: the name for display.
        vocabulary: C characters.
        weights: a dict from the name of each trainable variable to its values.
        lstm_size: L.
        num_layers: number of layers.
        run: the run that the weights come from, if known.

    Raises:
        ValueError: they are the weights of another network.
    """
    def expect(variable: str, *shape: int) -> np.ndarray:
        if variable not in weights or weights[variable].shape != shape or weights[variable].dtype != np.float32:
            raise ValueError(f"it has the weights of another network, without {variable} of shape {shape}")
        return weights[variable]

    num_classes = len(vocabulary)
    kernels = [expect(f"{_scope(layer)}/kernel", (lstm_size if layer else num_classes) + lstm_size, 4 * lstm_size)
               for layer in range(num_layers)]
    biases = [_with_forget_bias(expect(f"{_scope(layer)}/bias", 4 * lstm_size), 1) for layer in range(num_layers)]
    return ExportedModel(name, vocabulary, run, tuple(kernels), tuple(biases),
                         expect("softmax/Variable", lstm_size, num_classes), expect("softmax/Variable_1", num_classes))


def weights_of(model: ExportedModel) -> Dict[str, np.ndarray]:
    """Return the weights of an exported model by the names of the variables in a checkpoint."""
    weights = {"softmax/Variable": model.softmax_kernel, "softmax/Variable_1": model.softmax_bias}
    for layer, (kernel, bias) in enumerate(zip(model.kernels, model.biases)):
        weights[f"{_scope(layer)}/kernel"] = kernel
        weights[f"{_scope(layer)}/bias"] = _with_forget_bias(bias, -1)
    return weights


def _with_forget_bias(bias: np.ndarray, forget_bias: float) -> np.ndarray:
    """Return a bias [4L] of the gates i, j, f, o with a number added to f, as ``BasicLSTMCell`` adds it."""
    by_gate = np.array([[0], [0], [forget_bias], [0]], np.float32)
    return (bias.reshape(4, -1) + by_gate).reshape(-1)


def _scope(layer: int) -> str:
    return f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell"


def read_npz(path: StrPath) -> ExportedModel:
    """Read a file that :func:`export_npz` wrote.

    Raises:
        CheckpointError: the file is missing or damaged, has a pickle in it, or a newer charrnn wrote it.
    """
    arrays = _read_arrays(path)
    try:
        return _model_of(str(path), _checked(arrays))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path} is not an exported model, or it is damaged: {reason}")


def _checked(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Check the format and the SHA-256 of a file's arrays; return the arrays without ``sha256``."""
    if arrays["format"].shape != () or int(arrays["format"]) != FORMAT_VERSION:
        raise ValueError(f"it has format {arrays['format']}, and this charrnn reads format {FORMAT_VERSION}: export "
                         "the checkpoint again")
    others = {name: array for name, array in arrays.items() if name != "sha256"}
    if not np.array_equal(_expect(arrays["sha256"], np.uint8, (32,)), checksum(others)):
        raise ValueError("its arrays do not have the SHA-256 that was recorded")
    return others


def _model_of(name: str, arrays: Dict[str, np.ndarray]) -> ExportedModel:
    """Check the arrays of a file against each other. Errors of several types mean that they are not a model."""
    about = json.loads(_expect(arrays["about"], np.uint8, None).tobytes().decode("utf-8", "surrogatepass"))
    record, num_layers = about["run"], about["num_layers"]
    points = _expect(arrays["vocabulary"], np.uint32, None)
    if points.max(initial=0) > 0x10ffff:
        raise ValueError("its vocabulary has a number that is not a code point")
    vocabulary = Vocabulary(map(chr, points.tolist()))
    num_classes, size = len(vocabulary), len(arrays["softmax_kernel"])
    names = {"format", "about", "vocabulary", "softmax_kernel", "softmax_bias"}
    if type(num_layers) is not int or not 0 < num_layers <= len(arrays) or not size or set(arrays) != names | {
            f"{part}_{layer}" for part in ("kernel", "bias") for layer in range(num_layers)}:
        raise ValueError(f"it has other arrays than a model of {num_layers!r} layers: {', '.join(sorted(arrays))}")
    kernels = [_expect(arrays[f"kernel_{layer}"], np.float32, ((size if layer else num_classes) + size, 4 * size))
               for layer in range(num_layers)]
    biases = [_expect(arrays[f"bias_{layer}"], np.float32, (4 * size,)) for layer in range(num_layers)]
    return ExportedModel(
        name, vocabulary, None if record is None else checkpoints.run_from_record(record), tuple(kernels),
        tuple(biases), _expect(arrays["softmax_kernel"], np.float32, (size, num_classes)),
        _expect(arrays["softmax_bias"], np.float32, (num_classes,)))


def _expect(array: np.ndarray, dtype: type, shape: Optional[Tuple[int, ...]]) -> np.ndarray:
    """Return an array, or raise ValueError if its type or shape differs. A shape of None allows any length."""
    if array.dtype != dtype or (array.shape != shape if shape is not None else array.ndim != 1):
        raise ValueError(f"an array has {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape or '(any,)'}")
    return array


def _read_arrays(path: StrPath) -> Dict[str, np.ndarray]:
    """Return the arrays of a .npz file. No size in the file is trusted, so a small file takes little memory."""
    try:
        files.check_regular(path)
        size = Path(path).stat().st_size
        with zipfile.ZipFile(str(path)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size
                   for member in members) or sum(member.file_size for member in members) > size:
                raise ValueError("a member is compressed, or larger than the file")
            if len({member.filename for member in members}) != len(members):
                raise ValueError("two members have the same name")
            return {re.sub(r"\.npy$", "", member.filename): _array(archive.read(member)) for member in members}
    except (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, MemoryError, TypeError, IndexError,
            KeyError, struct.error, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(f"the model {path} cannot be read: {console.reason(error)}")


def _array(content: bytes) -> np.ndarray:
    """Return the array of a .npy file's bytes; raise ValueError for objects, or if header and bytes disagree."""
    stream = io.BytesIO(content)
    if stream.read(6) != b"\x93NUMPY":
        raise ValueError("a member is not a .npy file")
    version = stream.read(2)
    width = {b"\x01\x00": 2, b"\x02\x00": 4}.get(version)
    if width is None:
        raise ValueError("a member has an unknown .npy version")
    length = int.from_bytes(stream.read(width), "little")
    if length > LARGEST_HEADER:
        raise ValueError(f"a header has {length:,} bytes")
    header = re.fullmatch(r"\{'descr': '(..\d)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*",
                          stream.read(length).decode("latin-1"))
    if not header:
        raise ValueError("a header was not written by NumPy")
    if header.group(1) not in ("<f4", "<i8", "<u4", "|u1"):
        raise ValueError(f"an array has the type {header.group(1)!r}, which no model has")
    dtype, shape = np.dtype(header.group(1)), tuple(int(side) for side in re.findall(r"\d{1,15}", header.group(3)))
    array = np.frombuffer(content[stream.tell():], dtype).reshape(
        shape, order="F" if header.group(2) == "True" else "C")
    if dtype.kind == "f" and not checkpoints.are_usable(array):
        raise ValueError(f"it has weights that are not finite, or larger than {checkpoints.LARGEST_WEIGHT:.0e}")
    return array
