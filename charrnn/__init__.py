"""A character-wise LSTM language model in TensorFlow 1.15 or 2, a port of the course notebook "Anna KaRNNa".

The parts of the notebook are available here: ``load_text``, ``Vocabulary`` and ``get_batches`` of
:mod:`charrnn.data`; ``build_inputs``, ``build_lstm``, ``build_output``, ``build_loss``, ``build_optimizer`` and
``CharRNN`` of :mod:`charrnn.model`; ``pick_top_n`` of :mod:`charrnn.sample`. ``quiet_tensorflow`` suppresses
TensorFlow's own messages. ``train_model`` trains a model, ``open_model`` opens one that was trained, and
``compare_runs`` compares runs. NumPy and TensorFlow are imported when a name that needs them is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

from charrnn.system.machine import choose_kernels
from charrnn.version import __version__

# The modules of the names; those that are missing here are in charrnn.model.
_MODULES = {
    "Vocabulary": "charrnn.data",
    "get_batches": "charrnn.data",
    "load_text": "charrnn.data",
    "pick_top_n": "charrnn.sample",
    "quiet_tensorflow": "charrnn.system.terminal",
    "train_model": "charrnn.train",
    "open_model": "charrnn.engines.opening",
    "compare_runs": "charrnn.commands.runs",
}
__all__ = [
    "Vocabulary",
    "get_batches",
    "load_text",
    "build_inputs",
    "build_lstm",
    "build_output",
    "build_loss",
    "build_optimizer",
    "CharRNN",
    "pick_top_n",
    "quiet_tensorflow",
    "train_model",
    "open_model",
    "compare_runs",
]

choose_kernels()


if TYPE_CHECKING:  # for editors and mypy
    from charrnn.commands.runs import compare_runs
    from charrnn.data import Vocabulary, get_batches, load_text
    from charrnn.engines.opening import open_model
    from charrnn.model import (
        CharRNN,
        build_inputs,
        build_loss,
        build_lstm,
        build_optimizer,
        build_output,
    )
    from charrnn.sample import pick_top_n
    from charrnn.system.terminal import quiet_tensorflow
    from charrnn.train import train_model
else:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'charrnn' has no attribute {name!r}")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        # The parts of the notebook's graph need eager mode off, which the first use of tf does.
        import_module("charrnn.system.tensorflow").tf  # noqa: B018
        return getattr(import_module("charrnn.model"), name)


def __dir__() -> List[str]:
    return sorted([*globals(), *__all__])
