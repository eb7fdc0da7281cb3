"""Character-wise LSTM language model in TensorFlow 1.15, ported from the "Anna KaRNNa" course notebook.

The names of the notebook are here: ``get_batches`` from :mod:`charrnn.data`; ``build_inputs``,
``build_lstm``, ``build_output``, ``build_loss``, ``build_optimizer`` and ``CharRNN`` from
:mod:`charrnn.model`. NumPy and TensorFlow are imported when one that needs them is first used, not before.
"""
from importlib import import_module

from charrnn.system.machine import choose_kernels
from charrnn.version import __version__

_MODULES = dict(
    dict.fromkeys(["Vocabulary", "get_batches", "load_text"], "charrnn.data"),
    **dict.fromkeys(["build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer", "CharRNN"],
                    "charrnn.model"))
__all__ = list(_MODULES)

choose_kernels()


def __getattr__(name):
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError("module 'charrnn' has no attribute {!r}".format(name))


def __dir__():
    return sorted(list(globals()) + __all__)
