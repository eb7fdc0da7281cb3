"""An engine in NumPy alone, for exported models. It needs no TensorFlow and runs on any Python from 3.7 on.

Letters for shapes as in :mod:`charrnn.engines`.
"""
from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np

from charrnn.engines import Engine, decoding
from charrnn.engines.decoding import Settings
from charrnn.engines.exported import ExportedModel

FEW_ROWS = 8  # up to here a product of the matrix and each row is as fast as one of two matrices, or faster
_HALF = np.array(0.5, np.float32)
# OpenBLAS 0.3.7 (NumPy 1.18) leaves the upper halves of the registers in use after a product of matrices. Code
# without AVX then runs two to four times slower until they are cleared, which its products with vectors do.
_CLEARS = np.zeros((64, 64), np.float32)

_LayerState = Tuple[np.ndarray, np.ndarray]  # c and h of a layer, float32 [B, L] each


class _Layer(NamedTuple):
    """The weights of a layer. The gates are in the order i, f, o, j, the first three halved: one tanh serves all.

    Attributes:
        table: float32 [C, 4L] in the first layer, the products of the one-hot inputs plus the bias; else None.
        kernel: float32, for h [4L, L] in the first layer, for input and h [4L, 2L] in the others.
        bias: float32 [4L]; the table of the first layer includes it.
    """

    table: Any
    kernel: np.ndarray
    bias: np.ndarray


class NumpyLSTM(Engine):
    """The network of an exported model; see :class:`charrnn.engines.Engine`."""

    def __init__(self, model: ExportedModel):
        """Lay out the weights of a model."""
        self.vocabulary, self._size = model.vocabulary, model.lstm_size
        self._softmax = np.ascontiguousarray(model.softmax_kernel.T)  # [C, L]
        self._softmax_bias = model.softmax_bias
        self._layers: List[_Layer] = []
        for kernel, bias in zip(map(_regrouped, model.kernels), map(_regrouped, model.biases)):
            table = None
            if not self._layers:  # a one-hot row times a matrix is a row of the matrix
                table, kernel = kernel[:-self._size] + bias, kernel[-self._size:]
            self._layers.append(_Layer(table, np.ascontiguousarray(kernel.T), bias))

    def zero_state(self, rows: int = 1) -> np.ndarray:
        return np.zeros((2 * len(self._layers), rows, self._size), np.float32)

    def read(self, ids: Sequence[int], state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        layers = _split(state)
        for index in ids:
            output, layers = self._step([index], layers)
        return self._logits(output), _joined(layers)

    def draw(self, logits: np.ndarray, state: np.ndarray, uniforms: np.ndarray,
             settings: Settings) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        layers = _split(state)
        drawn = np.empty(uniforms.shape, np.int64)
        expected = np.empty(uniforms.shape + logits.shape[1:], np.float32)  # [T, B, C]
        for step, numbers in enumerate(uniforms):
            expected[step] = logits
            drawn[step] = decoding.draw(logits, numbers, settings)
            output, layers = self._step(drawn[step], layers)
            logits = self._logits(output)
        return drawn, _log_probabilities(expected, drawn), logits, _joined(layers)

    def surprisal(self, inputs: np.ndarray, targets: np.ndarray,
                  state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        layers = _split(state)
        expected = np.empty(inputs.shape + (len(self.vocabulary),), np.float32)  # [B, M, C]
        for step in range(inputs.shape[1]):
            output, layers = self._step(inputs[:, step], layers)
            expected[:, step] = self._logits(output)
        return -_log_probabilities(expected, targets), _joined(layers)

    def activations(self, ids: Sequence[int], state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        layers = _split(state)
        found = np.empty((len(ids), len(state), self._size), np.float32)
        for step, index in enumerate(ids):
            _, layers = self._step([index], layers)
            found[step] = _joined(layers)[:, 0]
        return found, _joined(layers)

    def close(self) -> None:
        pass

    def _step(self, ids: Sequence[int], state: List[_LayerState]) -> Tuple[np.ndarray, List[_LayerState]]:
        """Read a character in each row; return h of the last layer [B, L], and the state after it."""
        size, below, after = self._size, None, []
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

    def _logits(self, output: np.ndarray) -> np.ndarray:
        """Return the logits [B, C] of the next character after an output [B, L]."""
        return np.add(_product(self._softmax, output), self._softmax_bias, order="C")


def _split(state: np.ndarray) -> List[_LayerState]:
    """Return c and h of each layer of a state [S, B, L]."""
    return list(zip(state[::2], state[1::2]))


def _joined(layers: List[_LayerState]) -> np.ndarray:
    """Return the state [S, B, L] of c and h of each layer."""
    return np.stack([part for layer in layers for part in layer])


def _regrouped(weights: np.ndarray) -> np.ndarray:
    """Return weights [..., 4L] of the gates i, j, f, o in the order and at the scale of a _Layer."""
    i, j, f, o = np.split(weights, 4, axis=-1)
    return np.concatenate([i / 2, f / 2, o / 2, j], axis=-1)


def _product(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the products of a matrix [J, I] and each row of [B, I], [B, J], in the fastest way for B."""
    if len(rows) <= FEW_ROWS:
        return np.matmul(matrix, rows[:, :, np.newaxis])[:, :, 0]
    product = np.dot(matrix, rows.T).T
    np.dot(_CLEARS, _CLEARS[0])
    return product


def _log_probabilities(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of the softmax of logits [..., C] at ids [...], float32."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, ids[..., np.newaxis].astype(np.int64), axis=-1)[..., 0]
    return chosen - np.log(np.exp(shifted).sum(axis=-1))
