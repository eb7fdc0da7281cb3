"""The weights of a model as a page holds them: matrices rounded to float16 or int8, as base64 in JSON."""
import base64
from dataclasses import replace
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from charrnn.engines.opened_model import Model, lstm_weights

WEIGHTS = ("float16", "int8")


class Stored(NamedTuple):
    """An array as the page holds it.

    Attributes:
        values: float32, float16 or int8. The page multiplies each row of a matrix with a vector.
        scales: float32, for int8 the factor of each row.
    """

    values: np.ndarray
    scales: Optional[np.ndarray] = None

    def decoded(self) -> np.ndarray:
        """Return the float32 array that the page computes with."""
        decoded = self.values.astype(np.float32)
        return decoded if self.scales is None else decoded * self.scales[:, np.newaxis]


def store(model: Model, weights: str) -> Dict[str, Stored]:
    """Return the arrays of a model as the page holds them, see ``charrnn/inspection/page/engine.js``.

    Args:
        model: the model.
        weights: type of the matrices, one of WEIGHTS. Biases are always float32.

    Raises:
        ValueError: a weight is too large for float16.
    """
    size = model.lstm_size
    matrices = {"table": model.kernels[0][:-size], "softmax_kernel": model.softmax_kernel.T}
    for layer, kernel in enumerate(model.kernels):
        matrices[f"kernel_{layer}"] = (kernel if layer else kernel[-size:]).T
    if weights == "float16" and max(np.abs(matrix).max() for matrix in matrices.values()) > np.finfo(np.float16).max:
        raise ValueError("a weight is too large for float16: use int8")
    stored = {name: _rounded(matrix, weights) for name, matrix in matrices.items()}
    stored.update({f"bias_{layer}": Stored(bias) for layer, bias in enumerate(model.biases)})
    return {**stored, "softmax_bias": Stored(model.softmax_bias)}


def _rounded(matrix: np.ndarray, weights: str) -> Stored:
    if weights == "float16":
        return Stored(matrix.astype(np.float16))
    scales = np.maximum(np.abs(matrix).max(axis=1) / np.float32(127), np.finfo(np.float32).tiny)
    return Stored(np.rint(matrix / scales[:, np.newaxis]).astype(np.int8), scales)


def stored_model(model: Model, stored: Dict[str, Stored]) -> Model:
    """Return a model with the weights that the page computes with."""
    arrays = {name: array.decoded() for name, array in stored.items()}
    kernels = [arrays[f"kernel_{layer}"].T for layer in range(model.num_layers)]
    kernels[0] = np.concatenate([arrays["table"], kernels[0]])
    rounded = lstm_weights(kernels, np.ascontiguousarray(arrays["softmax_kernel"].T))
    exact = {name: values for name, values in model.weights.items() if values.ndim == 1}  # the biases
    return replace(model, weights={**rounded, **exact})


def untrained_model(model: Model) -> Model:
    """Return a model of the same sizes with random weights as those that a training begins with, always the same."""
    random = np.random.RandomState(0)

    def uniform(shape):
        limit = np.sqrt(6 / sum(shape))  # Glorot's, the default of TensorFlow
        return random.uniform(-limit, limit, shape).astype(np.float32)
    softmax = 0.1 * random.standard_normal(model.softmax_kernel.shape).astype(np.float32)
    made = lstm_weights([uniform(kernel.shape) for kernel in model.kernels], softmax)
    return replace(model, weights={**{name: np.zeros_like(values) for name, values in model.weights.items()}, **made})


def network_data(model: Model, stored: Dict[str, Stored]) -> Dict[str, Any]:
    """Return what the constructor of Network in ``charrnn/inspection/page/engine.js`` takes."""
    return {"arrays": {name: _encoded(array) for name, array in stored.items()}, "numLayers": model.num_layers,
            "lstmSize": model.lstm_size}


def _encoded(stored: Stored) -> Dict[str, Any]:
    encoded = {"type": stored.values.dtype.name, "shape": stored.values.shape, "data": _base64(stored.values)}
    return encoded if stored.scales is None else {**encoded, "scales": _base64(stored.scales)}


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")
