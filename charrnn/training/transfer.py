"""What a run takes over from the model that it starts from."""

from typing import Any, Dict

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model

# the hyperparameters that a run must share with the model that it starts from
NETWORK = ("lstm_size", "num_layers", "cell")


def network_of(model: Model) -> Dict[str, Any]:
    """Return the hyperparameters of NETWORK that a model has, by their names."""
    return {name: getattr(model, name) for name in NETWORK}


def transferred_weights(
    model: Model, vocabulary: Vocabulary, fresh: Dict[str, np.ndarray]
) -> Dict[str, np.ndarray]:
    """Return a model's weights for another vocabulary.

    What belongs to a character that the vocabulary lacks is left out.

    Args:
        model: the model.
        vocabulary: the characters of the run.
        fresh: the initial values of a new network, by name. Characters that the model lacks keep these.

    Returns:
        A dict from the same names to values of the same shapes.
    """
    known = [char for char in vocabulary.chars if char in model.vocabulary.vocab_to_int]
    new_ids = vocabulary.encode("".join(known))
    old_ids = model.vocabulary.encode("".join(known))
    transferred = {}
    for name, values in fresh.items():
        # Characters are the last axis of the softmax and its bias, and the first rows of the first layer's kernels.
        # Below these rows are those of the layer's own outputs.
        is_first_kernel = "/cell_0/" in name and name.endswith("/kernel")
        if name.startswith("softmax/"):
            axis = -1
        elif is_first_kernel:
            axis = 0
        else:
            transferred[name] = model.weights[name]
            continue

        old = np.moveaxis(model.weights[name], axis, 0)
        new = np.moveaxis(values.copy(), axis, 0)
        new[new_ids] = old[old_ids]
        new[len(vocabulary) :] = old[len(model.vocabulary) :]
        transferred[name] = np.moveaxis(new, 0, axis)
    return transferred
