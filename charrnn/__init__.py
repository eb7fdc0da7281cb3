"""A character-wise LSTM language model in TensorFlow 1.15 or 2, a port of the course notebook "Anna KaRNNa".

The parts of the notebook are available here: ``load_text``, ``Vocabulary`` and ``get_batches`` of
:mod:`charrnn.data`; ``build_inputs``, ``build_lstm``, ``build_output``, ``build_loss``, ``build_optimizer`` and
``CharRNN`` of :mod:`charrnn.model`; ``pick_top_n`` of :mod:`charrnn.sample`. ``quiet_tensorflow`` suppresses
TensorFlow's own messages. ``train_model`` trains a model, and ``open_model`` opens one that was trained. NumPy and
TensorFlow are imported when a name that needs them is first used.
"""
from importlib import import_module

from charrnn.system.machine import choose_kernels
from charrnn.version import __version__

_MODULES = dict(
    **dict.fromkeys(["Vocabulary", "get_batches", "load_text"], "charrnn.data"),
    **dict.fromkeys(["build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer", "CharRNN"],
                    "charrnn.model"),
    pick_top_n="charrnn.sample", quiet_tensorflow="charrnn.system.terminal", train_model="charrnn.train",
    open_model="charrnn.engines.opened_model")
__all__ = list(_MODULES)

choose_kernels()


def __getattr__(name):
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'charrnn' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
