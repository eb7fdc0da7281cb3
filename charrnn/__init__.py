"""Character-wise LSTM language model in TensorFlow 1.15, ported from the "Anna KaRNNa" course notebook.

The names of the notebook are here: ``get_batches`` from :mod:`charrnn.data`; ``build_inputs``,
``build_lstm``, ``build_output``, ``build_loss``, ``build_optimizer`` and ``CharRNN`` from
:mod:`charrnn.model`. TensorFlow is imported when one of the latter is first used, not before.
"""
from charrnn.data import Vocabulary, get_batches, load_text

__version__ = "0.1.0"

_MODEL_NAMES = ["build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer", "CharRNN"]
__all__ = ["Vocabulary", "get_batches", "load_text"] + _MODEL_NAMES


def __getattr__(name):
    if name in _MODEL_NAMES:
        from charrnn import model
        return getattr(model, name)
    raise AttributeError("module 'charrnn' has no attribute {!r}".format(name))


def __dir__():
    return sorted(list(globals()) + _MODEL_NAMES)
