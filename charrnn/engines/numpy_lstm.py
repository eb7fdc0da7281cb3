"""An exported model, and its network in NumPy alone: no TensorFlow, so it runs on any Python from 3.7 on.

An exported model is one ``.npz`` file without pickles, which :mod:`charrnn.export` writes:

==================  ==========================================================================
``format``          int64 scalar, the format version, 1
``about``           UTF-8 bytes, uint8: JSON of the run, as in ``run.json``
``vocabulary``      uint32 [C], the code points of the characters in id order
``kernel_0`` …      float32 [I + L, 4L] of each layer, I = C for the first and L for the others; gates i, j, f, o
``bias_0`` …        float32 [4L], with the forget bias added
``softmax_kernel``  float32 [L, C]
``softmax_bias``    float32 [C]
==================  ==========================================================================
"""
import io
import json
import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from charrnn.checkpoints import CheckpointError, run_from_record
from charrnn.data import Vocabulary
from charrnn.engines import decoding as drawing

FORMAT_VERSION = 1
LARGEST_HEADER = 4096  # bytes of a .npy header, far more than any that is meant
FEW_ROWS = 8  # up to here a product of the matrix and each row is as fast as one of two matrices, or faster
_HALF = np.array(0.5, np.float32)
# OpenBLAS 0.3.7 (NumPy 1.18) ends a product of matrices with the upper halves of the registers in use, and all
# that is not AVX is two to four times slower until they are cleared. Its products with vectors clear them.
_CLEARS = np.zeros((64, 64), np.float32)


class _Layer(NamedTuple):
    """A layer's weights, its gates in the order i, f, o, j and the first three halved: one tanh serves all.

    Attributes:
        table: of the first layer float32 [C, 4L], the products of the one-hot inputs, and the bias; else None.
        kernel: float32, of the first layer for h alone [4L, L], of the others for input and h [4L, 2L].
        bias: float32 [4L]; it is in the table of the first layer.
    """

    table: Any
    kernel: np.ndarray
    bias: np.ndarray


class NumpyLSTM:
    """An exported model.

    Attributes:
        name: the path that it was read from.
        vocabulary: the Vocabulary.
        run: the checkpoints.Run that it comes from, or None.
        lstm_size: L.
        num_layers: number of layers.
        skipped: nothing, where a Checkpoint says what was passed over on the way to it.
    """

    skipped = ()

    def __init__(self, path):
        """Read a model.

        Args:
            path: of a ``.npz`` file that ``charrnn-export`` wrote.

        Raises:
            CheckpointError: it is missing, damaged, has a pickle inside, or a newer charrnn wrote it.
        """
        arrays = _read_arrays(path)
        try:
            self._take(arrays)
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise CheckpointError("{} is not an exported model, or damaged: {}".format(
                path, "it has no {}".format(error) if isinstance(error, KeyError) else error))
        self.name = str(path)

    def _take(self, arrays):
        if arrays["format"].shape != () or int(arrays["format"]) != FORMAT_VERSION:
            raise ValueError("it has format {}, and this charrnn reads format {}".format(
                arrays["format"], FORMAT_VERSION))
        self.run = None
        record = json.loads(_expect(arrays["about"], np.uint8, None).tobytes().decode("utf-8", "surrogatepass"))
        points = _expect(arrays["vocabulary"], np.uint32, None)
        if points.max(initial=0) > 0x10ffff:
            raise ValueError("its vocabulary has a number that is no character")
        self.vocabulary = Vocabulary(map(chr, points.tolist()))
        if record is not None:
            self.run = run_from_record(record)
        num_classes = len(self.vocabulary)
        self.lstm_size = size = len(arrays["softmax_kernel"])
        softmax = _expect(arrays["softmax_kernel"], np.float32, (size, num_classes))
        self._softmax = np.ascontiguousarray(softmax.T)  # [C, L]
        self._softmax_bias = _expect(arrays["softmax_bias"], np.float32, (num_classes,))
        self.num_layers = (len(arrays) - 5) // 2
        names = {"{}_{}".format(name, layer) for name in ("kernel", "bias") for layer in range(self.num_layers)}
        if not self.num_layers or not size or set(arrays) != names | {
                "format", "about", "vocabulary", "softmax_kernel", "softmax_bias"}:
            raise ValueError("it has not the arrays of a model, but {}".format(", ".join(sorted(arrays))))
        self._layers = []
        for index in range(self.num_layers):
            inputs = size if index else num_classes
            kernel = _regrouped(_expect(arrays["kernel_{}".format(index)], np.float32, (inputs + size, 4 * size)))
            bias = _regrouped(_expect(arrays["bias_{}".format(index)], np.float32, (4 * size,)))
            table = None
            if index == 0:  # a one-hot row times a matrix is a row of the matrix
                table, kernel = kernel[:inputs] + bias, kernel[inputs:]
            self._layers.append(_Layer(table, np.ascontiguousarray(kernel.T), bias))

    def zero_state(self, rows=1):
        """Return the state before a text: a list of (c, h) for each layer, float32 [rows, L] each."""
        return [(np.zeros((rows, self.lstm_size), np.float32), np.zeros((rows, self.lstm_size), np.float32))
                for _ in range(self.num_layers)]

    def step(self, ids, state):
        """Read a character in each row.

        Args:
            ids: int array [B] in [0, C).
            state: the state before it, (c, h) of float32 [B, L] a layer.

        Returns:
            (output, state): float32 [B, L], the last layer's h, and the state after it.
        """
        size, below, after = self.lstm_size, None, []
        for layer, (c, h) in zip(self._layers, state):
            gates = _product(layer.kernel, h if below is None else np.concatenate([below, h], axis=1))  # [B, 4L]
            gates += layer.bias if below is not None else layer.table[ids]
            gates = np.tanh(gates)
            sigmoids = gates[:, :3 * size]
            sigmoids *= _HALF  # sigmoid(x) = (tanh(x / 2) + 1) / 2
            sigmoids += _HALF
            c = sigmoids[:, size:2 * size] * c
            c += sigmoids[:, :size] * gates[:, 3 * size:]
            below = np.tanh(c)
            below *= sigmoids[:, 2 * size:]
            after.append((c, below))
        return below, after

    def logits(self, output):
        """Return the logits [B, C] of the next character after an output [B, L]."""
        return np.add(_product(self._softmax, output), self._softmax_bias, order="C")

    def read(self, ids, state):
        """Read a text; return the logits after it [1, C], and the state.

        Args:
            ids: int array [T], T at least 1.
            state: the state before it, of one row.
        """
        for index in ids:
            output, state = self.step([index], state)
        return self.logits(output), state

    def draw(self, logits, state, uniforms, settings):
        """Draw and feed back.

        Args:
            logits: float32 [B, C], of the first character to draw.
            state: the state that they come from, [B, L] each.
            uniforms: float64 [T, B] in [0, 1), a number for each draw.
            settings: a drawing.Settings.

        Returns:
            (ids, log_probabilities, logits, state): int [T, B] and float32 [T, B], natural logarithms of what
            the network gave the drawn characters, before temperature and cuts; what to go on with.
        """
        drawn = np.empty(uniforms.shape, np.int64)
        expected = np.empty(uniforms.shape + logits.shape[1:], np.float32)  # [T, B, C]
        for step, numbers in enumerate(uniforms):
            expected[step] = logits
            drawn[step] = drawing.draw(logits, numbers, settings)
            output, state = self.step(drawn[step], state)
            logits = self.logits(output)
        return drawn, _log_probabilities(expected, drawn), logits, state

    def surprises(self, inputs, targets, state):
        """Read windows of text.

        Args:
            inputs, targets: int arrays [B, S], each target being the character after its input.
            state: the state before them.

        Returns:
            (nats, state): float32 [B, S], minus the natural logarithms of the targets' probabilities, and the state
            after them.
        """
        expected = np.empty(inputs.shape + (len(self.vocabulary),), np.float32)  # [B, S, C]
        for step in range(inputs.shape[1]):
            output, state = self.step(inputs[:, step], state)
            expected[:, step] = self.logits(output)
        return -_log_probabilities(expected, targets), state

    def repeated(self, state, rows):
        """Return a state of one row for several rows."""
        return [(np.repeat(c, rows, axis=0), np.repeat(h, rows, axis=0)) for c, h in state]

    def close(self):
        """Do nothing: there is no session."""


def _regrouped(weights):
    """Return weights [..., 4L] of the gates i, j, f, o in the order and at the scale of a _Layer."""
    i, j, f, o = np.split(weights, 4, axis=-1)
    return np.concatenate([i / 2, f / 2, o / 2, j], axis=-1)


def _product(matrix, rows):
    """Return the products of [J, I] and each of [B, I], [B, J], the fastest way: a few rows one by one."""
    if len(rows) <= FEW_ROWS:
        return np.matmul(matrix, rows[:, :, np.newaxis])[:, :, 0]
    product = np.dot(matrix, rows.T).T
    np.dot(_CLEARS, _CLEARS[0])
    return product


def _log_probabilities(logits, ids):
    """Return the natural logarithms of the softmax of logits [..., C] at ids [...], float32."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, ids[..., np.newaxis].astype(np.int64), axis=-1)[..., 0]
    return chosen - np.log(np.exp(shifted).sum(axis=-1))


def _expect(array, dtype, shape):
    """Return an array; ValueError where it is of another kind. A shape of None is that of any list."""
    if array.dtype != dtype or (array.shape != shape if shape is not None else array.ndim != 1):
        raise ValueError("an array has {} {}, not {} {}".format(
            array.dtype, array.shape, np.dtype(dtype), "(any,)" if shape is None else shape))
    return array


def _read_arrays(path):
    """Return the arrays of a .npz file. Nothing is allocated that the file does not hold: sizes are not believed."""
    try:
        size = Path(path).stat().st_size
        with zipfile.ZipFile(str(path)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size
                   for member in members) or sum(member.file_size for member in members) > size:
                raise ValueError("a member is compressed, or larger than the file")
            if len({member.filename for member in members}) != len(members):
                raise ValueError("two members have one name")
            return {re.sub(r"\.npy$", "", member.filename): _array(archive.read(member)) for member in members}
    except (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, MemoryError, TypeError, IndexError,
            KeyError, struct.error, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError("the model {} cannot be read: {}".format(
            path, getattr(error, "strerror", None) or str(error) or type(error).__name__))


def _array(content):
    """Return the array of a .npy file's bytes; ValueError for objects, and where header and bytes disagree."""
    stream = io.BytesIO(content)
    if stream.read(6) != b"\x93NUMPY":
        raise ValueError("a member is not a .npy file")
    version = stream.read(2)
    width = {b"\x01\x00": 2, b"\x02\x00": 4}.get(version)
    if width is None:
        raise ValueError("a member is of an unknown .npy version")
    length = int.from_bytes(stream.read(width), "little")
    if length > LARGEST_HEADER:
        raise ValueError("a header of {:,} bytes".format(length))
    header = re.fullmatch(r"\{'descr': '(..\d)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*",
                          stream.read(length).decode("latin-1"))
    if not header:
        raise ValueError("a header is not one of NumPy's")
    if header.group(1) not in ("<f4", "<i8", "<u4", "|u1"):
        raise ValueError("an array of kind {!r}, which no model has".format(header.group(1)))
    dtype, shape = np.dtype(header.group(1)), tuple(int(side) for side in re.findall(r"\d{1,15}", header.group(3)))
    data = content[stream.tell():]
    count = 1
    for side in shape:
        count *= side
    if count * dtype.itemsize != len(data):
        raise ValueError("an array says that it has {:,} bytes, and has {:,}".format(
            count * dtype.itemsize, len(data)))
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if header.group(2) == "True" else "C")
    if dtype.kind == "f" and not math.isfinite(float(np.abs(array).max(initial=0))):
        raise ValueError("an array has numbers that are not finite")
    return array
