"""An engine in NumPy, for LSTM cells. It needs no TensorFlow, and runs on Python 3.7 and later.

Letters for shapes as in :mod:`charrnn.engines`.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import log_probabilities_of

# Up to this number, products of the matrix with each row are faster than a product of two matrices (docs/speed.md).
FEW_ROWS = 3
_ONE = np.array(1, np.float32)
_HALF = np.array(0.5, np.float32)
# After a product of matrices, OpenBLAS 0.3.7 (NumPy 1.18) leaves the upper halves of the registers in use. Code without
# AVX then takes two to four times as long, until a product with a vector clears them.
_CLEARS = np.zeros((64, 64), np.float32)


_NOTHING_FED = (None, None)


class _Layer(NamedTuple):
    """The weights of a layer, for gates in the order o, i, f, j. The first three are halved, so one tanh serves all.

    _Rows has twice the h of each layer. So the weights that are multiplied with h, of this layer or the one below, are
    halved as well.
    """

    # [C, 4L], the products of the one-hot inputs plus the bias; None but for the first layer
    table: Optional[np.ndarray]
    kernel: np.ndarray  # [4L, L] for h in the first layer, [4L, 2L] for input and h in the others
    bias: np.ndarray  # [4L, 1]; the table of the first layer includes it


class _Views(NamedTuple):
    """Views of the arrays of _Rows for one layer. They are made once: making one takes as long as a small product."""

    gates: np.ndarray  # [4L, B], o, i, f and j
    sigmoids: np.ndarray  # [3L, B], the part of gates with o, i and f
    left: np.ndarray  # [2L, B], i and f
    right: np.ndarray  # [2L, B], what they are multiplied with: j and c
    output: np.ndarray  # [L, B], o
    c: np.ndarray  # [L, B]
    # [2L, B], twice the output of the layer below and twice h; [L, B] in the first layer, twice h alone
    inputs: np.ndarray
    h: np.ndarray  # [L, B], twice h


class _Rows:
    """The state of B rows while characters are read, in arrays [L, B] that each step overwrites.

    In memory, c follows the gates, so that one product gives both parts of the next c. The h of a layer follows that of
    the layer below, so that one product serves both. The arrays have 2h in place of h, which saves an operation.
    """

    def __init__(self, state: np.ndarray):
        """Copy a state [S, B, L]."""
        n_parts, rows, size = state.shape
        n_layers = n_parts // 2
        self.sums = np.empty((4 * size, rows), np.float32)
        self.products = np.empty((2 * size, rows), np.float32)
        self.first = self.products[:size]
        self.second = self.products[size:]

        self.layers: List[_Views] = []
        hs = np.empty((n_layers * size, rows), np.float32)
        for layer in range(n_layers):
            # o, i, f, j, c: the product of (i, f) and (j, c) is one call, and so are all sigmoids
            work = np.empty((5 * size, rows), np.float32)
            start = layer * size
            views = _Views(
                gates=work[: 4 * size],
                sigmoids=work[: 3 * size],
                left=work[size : 3 * size],
                right=work[3 * size :],
                output=work[:size],
                c=work[4 * size :],
                inputs=hs[max(0, start - size) : start + size],
                h=hs[start : start + size],
            )
            # the values of the state
            np.copyto(views.c, state[2 * layer].T)
            h = state[2 * layer + 1].T
            np.add(h, h, out=views.h)
            self.layers.append(views)
        self.output = self.layers[-1].h

    def state(self) -> np.ndarray:
        """Return the state [S, B, L]."""
        parts = []
        for views in self.layers:
            parts += [views.c.T, views.h.T * _HALF]
        return np.stack(parts)


class NumpyLSTM(Engine):
    """A network of LSTM cells; see :class:`charrnn.engines.Engine`."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        kernels: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        softmax_kernel: np.ndarray,
        softmax_bias: np.ndarray,
    ):
        """Lay out the weights, which are those of :class:`charrnn.engines.trained_model.Model`."""
        self.vocabulary = vocabulary
        self._size = len(softmax_kernel)
        self._softmax = np.ascontiguousarray(softmax_kernel.T) * _HALF  # [C, L]
        self._softmax_bias = softmax_bias
        # what feed() returned last, and the arrays that hold it
        self._fed: Tuple[Optional[np.ndarray], Optional[_Rows]] = _NOTHING_FED
        # the table of the first layer for several rows, [4L, C]
        self._columns: Optional[np.ndarray] = None

        self._layers: List[_Layer] = []
        for kernel, bias in zip(map(_regrouped, kernels), map(_regrouped, biases)):
            table = None
            if not self._layers:
                # A one-hot row times a matrix is a row of the matrix.
                table = kernel[: -self._size] + bias
                kernel = kernel[-self._size :]
            halved = np.ascontiguousarray(kernel.T) * _HALF
            self._layers.append(_Layer(table, halved, bias[:, np.newaxis]))

    def zero_state(self, rows: int = 1) -> np.ndarray:
        return np.zeros((2 * len(self._layers), rows, self._size), np.float32)

    def read(self, ids: Sequence[int], state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        rows = _Rows(state)
        for index in ids:
            self._step([index], rows)
        logits = np.empty((1, len(self.vocabulary)), np.float32)
        self._write_logits(rows, logits)
        return logits, rows.state()

    def feed(self, ids: np.ndarray, state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        # If the state is the one that the last call returned, its arrays go on. Nobody else has them meanwhile.
        fed_state, rows = self._fed
        self._fed = _NOTHING_FED
        if rows is None or fed_state is not state:
            rows = _Rows(state)
        self._step(ids, rows)
        logits = np.empty((len(ids), len(self.vocabulary)), np.float32)
        self._write_logits(rows, logits)
        state = rows.state()
        self._fed = state, rows
        return logits, state

    def surprisal(
        self, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        rows = _Rows(state)
        n_rows, n_steps = inputs.shape
        all_logits = np.empty((n_steps, n_rows, len(self.vocabulary)), np.float32)  # [M, B, C]
        for ids, logits in zip(inputs.T, all_logits):
            self._step(ids, rows)
            self._write_logits(rows, logits)
        nats = -log_probabilities_of(all_logits, targets.T)  # [M, B]
        return np.ascontiguousarray(nats.T), rows.state()

    def _step(self, ids: Sequence[int], rows: _Rows) -> None:
        """Read a character in each row.

        With t the tanh of the halved gates, sigmoid(x) = (1 + t(x)) / 2, so that 2c' = (1 + t(f)) c + (1 + t(i)) j
        and 2h' = (1 + t(o)) tanh(c').
        """
        sums = rows.sums
        for layer, views in zip(self._layers, rows.layers):
            # Every call writes into an array that is there already.
            _multiply(layer.kernel, views.inputs, sums)
            if layer.table is None:
                np.add(sums, layer.bias, views.gates)
            else:
                np.add(sums, self._looked_up(layer.table, ids), views.gates)

            # twice the sigmoids of o, i and f
            np.tanh(views.gates, views.gates)
            np.add(views.sigmoids, _ONE, views.sigmoids)

            # twice i·j and twice f·c, then c
            np.multiply(views.left, views.right, rows.products)
            np.add(rows.first, rows.second, views.c)
            np.multiply(views.c, _HALF, views.c)

            # twice h, which is also the input of the layer above
            np.tanh(views.c, rows.first)
            np.multiply(rows.first, views.output, views.h)

    def _looked_up(self, table: np.ndarray, ids: Sequence[int]) -> np.ndarray:
        """Return the rows of a table at ids [B] as columns, [4L, B]."""
        if len(ids) == 1:
            return table[ids].T
        if self._columns is None:
            # This is 20 times as fast as transposing 64 rows in each step.
            self._columns = np.ascontiguousarray(table.T)
        return self._columns.take(ids, axis=1)

    def _write_logits(self, rows: _Rows, logits: np.ndarray) -> None:
        """Compute the logits [B, C] of the next character of each row."""
        if len(logits) == 1:
            np.dot(self._softmax, rows.output[:, 0], logits[0])
            np.add(logits, self._softmax_bias, logits)
        else:
            products = np.empty(logits.shape[::-1], np.float32)
            _multiply(self._softmax, rows.output, products)
            np.add(products.T, self._softmax_bias, logits)


def _regrouped(weights: np.ndarray) -> np.ndarray:
    """Return weights [..., 4L] of the gates i, j, f, o in the order and at the scale of a _Layer."""
    i, j, f, o = np.split(weights, 4, axis=-1)
    return np.concatenate([o / 2, i / 2, f / 2, j], axis=-1)


def _multiply(matrix: np.ndarray, columns: np.ndarray, products: np.ndarray) -> None:
    """Compute the products of a matrix [J, I] and columns [I, B], [J, B], in the fastest way for B."""
    if 1 < columns.shape[1] <= FEW_ROWS:
        np.matmul(matrix, columns.T[:, :, np.newaxis], products.T[:, :, np.newaxis])
    else:
        np.dot(matrix, columns, products)
        is_product_of_matrices = columns.shape[1] > 1
        if is_product_of_matrices:
            np.dot(_CLEARS, _CLEARS[0])
