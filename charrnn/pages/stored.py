"""Which models a page can hold, and their weights there: matrices rounded to float16 or int8, as base64 in JSON."""

import base64
from dataclasses import replace
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from charrnn.checkpoints.weights import as_int8
from charrnn.data import StrPath
from charrnn.engines.cells import initial_weights
from charrnn.engines.trained_model import Model, lstm_weights
from charrnn.system import files

WEIGHTS = ("float16", "int8")


def target_of_page(model: Model, path: StrPath) -> str:
    """Return the file to write a model's page to. Raise ValueError if the model or the name is not one of a page."""
    if model.cell != "lstm":
        raise ValueError(
            f"only a model of lstm cells can be a page, and {model.name} has {model.cell}"
        )
    target = files.target_of(path)
    # No file of a run or model ends so.
    if not target.lower().endswith(".html"):
        raise ValueError(f"{str(path)!r} cannot be the name of a page: it must end in .html")
    return target


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
        if self.scales is None:
            return decoded
        return decoded * self.scales[:, np.newaxis]


def store(model: Model, weights: str) -> Dict[str, Stored]:
    """Return the arrays of a model as the page holds them, see ``charrnn/pages/shared/engine.js``.

    Args:
        model: the model.
        weights: type of the matrices, one of WEIGHTS. Biases are always float32.

    Raises:
        ValueError: a weight is too large for float16.
    """
    stored = {}
    rounded = _as_float16 if weights == "float16" else _as_int8
    for name, matrix in _matrices(model).items():
        stored[name] = rounded(matrix)
    for layer, bias in enumerate(model.biases):
        stored[f"bias_{layer}"] = Stored(bias)
    stored["softmax_bias"] = Stored(model.softmax_bias)
    return stored


def _matrices(model: Model) -> Dict[str, np.ndarray]:
    """Return the matrices, which the page multiplies row by row. Of the first kernel, the table is for characters."""
    first, *others = model.kernels
    matrices = {
        "table": first[: -model.lstm_size],
        "softmax_kernel": model.softmax_kernel.T,
        "kernel_0": first[-model.lstm_size :].T,
    }
    for layer, kernel in enumerate(others, start=1):
        matrices[f"kernel_{layer}"] = kernel.T
    return matrices


def _as_float16(matrix: np.ndarray) -> Stored:
    if np.abs(matrix).max() > np.finfo(np.float16).max:
        raise ValueError("a weight is too large for float16: use int8")
    return Stored(matrix.astype(np.float16))


def _as_int8(matrix: np.ndarray) -> Stored:
    rounded = as_int8(matrix, axis=1)
    return Stored(rounded.values, rounded.scales[:, 0])


def stored_model(model: Model, stored: Dict[str, Stored]) -> Model:
    """Return a model with the weights that the page computes with."""
    arrays = {name: array.decoded() for name, array in stored.items()}
    kernels = [arrays[f"kernel_{layer}"].T for layer in range(model.num_layers)]
    kernels[0] = np.concatenate([arrays["table"], kernels[0]])
    softmax_kernel = np.ascontiguousarray(arrays["softmax_kernel"].T)
    weights = lstm_weights(kernels, softmax_kernel)
    # Biases are not rounded.
    biases = {name: values for name, values in model.weights.items() if values.ndim == 1}
    weights.update(biases)
    return replace(model, weights=weights)


def untrained_model(model: Model) -> Model:
    """Return a model of the same sizes with the weights that a training begins with, always the same."""
    shapes = {name: values.shape for name, values in model.weights.items()}
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    weights.update(initial_weights(shapes, seed=0))
    return replace(model, weights=weights)


def network_data(model: Model, stored: Dict[str, Stored]) -> Dict[str, Any]:
    """Return what the constructor of Network in ``charrnn/pages/shared/engine.js`` takes.

    Args:
        model: the model.
        stored: its arrays.
    """
    return {
        "arrays": {name: _encoded(array) for name, array in stored.items()},
        "numLayers": model.num_layers,
        "lstmSize": model.lstm_size,
    }


def reader_data(model: Model, with_text: bool) -> Dict[str, Any]:
    """Return what the constructor of Reader in ``charrnn/pages/shared/judge.js`` takes, see Reader in Python.

    Args:
        model: the model.
        with_text: whether the training text may be in a page. A long one is in none.
    """
    training = (model.carried_text() if with_text else None) or ""
    return {
        "training": training,
        "words": model.known_words(training),
        "ofLines": model.is_of_lines,
    }


def _encoded(stored: Stored) -> Dict[str, Any]:
    encoded = {
        "type": stored.values.dtype.name,
        "shape": stored.values.shape,
        "data": _base64(stored.values),
    }
    if stored.scales is not None:
        encoded["scales"] = _base64(stored.scales)
    return encoded


def _base64(values: np.ndarray) -> str:
    little_endian = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(little_endian.tobytes()).decode("ascii")
