"""Start a run from another model's weights, with rows added for new characters."""

from typing import Any, Dict

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model


def network_of(model: Model) -> Dict[str, Any]:
    """Return the hyperparameters that a run must share with the model that it starts from."""
    return {name: getattr(model, name) for name in ("lstm_size", "num_layers", "cell")}


def joined_vocabulary(model: Model, text: str) -> Vocabulary:
    """Return the characters of a model and those of the text of a run that starts from it."""
    new = model.vocabulary.unknown(text)
    if not new:
        return model.vocabulary
    return Vocabulary.from_text("".join([*model.vocabulary.chars, *new]))


def extended_weights(
    model: Model, vocabulary: Vocabulary, fresh: Dict[str, np.ndarray]
) -> Dict[str, np.ndarray]:
    """Return a model's weights, extended to another vocabulary.

    Args:
        model: the model.
        vocabulary: its characters and others.
        fresh: dict from name to the initial values of a new network, used for the other characters.

    Returns:
        A dict from the same names to values of the same shapes.
    """
    n_known = len(model.vocabulary)
    known_ids = vocabulary.encode("".join(model.vocabulary.chars))
    extended = {}
    for name, values in fresh.items():
        if model.weights[name].shape == values.shape:
            extended[name] = model.weights[name]
            continue
        # Characters are the last axis of the softmax and its bias, and the first rows of the first layer's kernels.
        # Below these rows are those of the layer's own outputs.
        axis = -1 if name.startswith("softmax/") else 0
        old = np.moveaxis(model.weights[name], axis, 0)
        new = np.moveaxis(values.copy(), axis, 0)
        new[known_ids] = old[:n_known]
        new[len(vocabulary) :] = old[n_known:]
        extended[name] = np.moveaxis(new, 0, axis)
    return extended
