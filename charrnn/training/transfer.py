"""What a run takes over from the model that it starts from."""

from typing import Any, Dict

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines.trained_model import Model

# the hyperparameters that a run must share with the model that it starts from
OF_NETWORK = ("lstm_size", "num_layers", "cell")


def network_of(model: Model) -> Dict[str, Any]:
    """Return the hyperparameters of OF_NETWORK that a model has, by their names."""
    return {name: getattr(model, name) for name in OF_NETWORK}


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
    for name, fresh_values in fresh.items():
        old = model.weights[name]
        new = fresh_values.copy()
        is_first_kernel = "/cell_0/" in name and name.endswith("/kernel")
        if name.startswith("softmax/"):
            # The last axis of the softmax's weights and of its bias is that of characters.
            new[..., new_ids] = old[..., old_ids]
        elif is_first_kernel:
            # First come the rows of the characters, then those of the layer's own outputs.
            new[new_ids] = old[old_ids]
            new[len(vocabulary) :] = old[len(model.vocabulary) :]
        else:
            new = old
        transferred[name] = new
    return transferred
