"""The weights of a model as a page holds them: matrices rounded to float16, biases in float32, as base64 in JSON."""
import base64
from dataclasses import replace
from typing import Any, Dict

import numpy as np

from charrnn.engines.model import Model, lstm_weights


def store(model: Model) -> Dict[str, np.ndarray]:
    """Return the arrays of a model as the page holds them, see ``charrnn/inspection/page/engine.js``.

    A matrix has the rows that the page multiplies with a vector.

    Raises:
        ValueError: a weight is too large for float16.
    """
    size = model.lstm_size
    matrices = {"table": model.kernels[0][:-size], "softmax_kernel": model.softmax_kernel.T}
    for layer, kernel in enumerate(model.kernels):
        matrices[f"kernel_{layer}"] = (kernel if layer else kernel[-size:]).T
    if max(np.abs(matrix).max() for matrix in matrices.values()) > np.finfo(np.float16).max:
        raise ValueError("a weight is too large for a page, which stores them as float16")
    stored = {name: matrix.astype(np.float16) for name, matrix in matrices.items()}
    stored.update({f"bias_{layer}": bias for layer, bias in enumerate(model.biases)})
    return {**stored, "softmax_bias": model.softmax_bias}


def stored_model(model: Model, stored: Dict[str, np.ndarray]) -> Model:
    """Return a model with the weights that the page computes with."""
    arrays = {name: values.astype(np.float32) for name, values in stored.items()}
    kernels = [arrays[f"kernel_{layer}"].T for layer in range(model.num_layers)]
    kernels[0] = np.concatenate([arrays["table"], kernels[0]])
    rounded = lstm_weights(kernels, np.ascontiguousarray(arrays["softmax_kernel"].T))
    exact = {name: values for name, values in model.weights.items() if values.ndim == 1}  # the biases
    return replace(model, weights={**rounded, **exact})


def network_data(model: Model, stored: Dict[str, np.ndarray]) -> Dict[str, Any]:
    """Return what the constructor of Network in ``charrnn/inspection/page/engine.js`` takes."""
    return {"arrays": {name: _encoded(values) for name, values in stored.items()}, "numLayers": model.num_layers,
            "lstmSize": model.lstm_size}


def _encoded(values: np.ndarray) -> Dict[str, Any]:
    data = base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")
    return {"type": values.dtype.name, "shape": values.shape, "data": data}
