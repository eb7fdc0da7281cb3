"""What ``import tensorflow`` is while a program for TensorFlow 1 runs on TensorFlow 2, and how this begins and ends."""

import atexit
import contextlib
import importlib.abc
import sys
import warnings
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from charrnn.old import missing
from charrnn.system import terminal
from charrnn.system.tensorflow import NEWEST, TESTED, graphs, graphs_left, is_version_1

# Parts of TensorFlow 1 that TensorFlow 2 lacks, and the modules of this room that stand for them. None is a part that
# has other parts only, or nothing: then the error is for each of its names.
PARTS = {
    "tensorflow.contrib": None,
    "tensorflow.contrib.data": None,
    "tensorflow.contrib.framework": "framework",
    "tensorflow.contrib.layers": "layers",
    "tensorflow.contrib.legacy_seq2seq": "legacy_seq2seq",
    "tensorflow.contrib.rnn": "rnn",
    "tensorflow.contrib.seq2seq": "seq2seq",
    "tensorflow.contrib.training": None,
    "tensorflow.examples": None,
    "tensorflow.examples.tutorials": None,
    "tensorflow.examples.tutorials.mnist": None,
    "tensorflow.examples.tutorials.mnist.input_data": "mnist",
}
# Names that NumPy removed in 1.24 and 2.0. A NumPy that has one keeps its own.
REMOVED_FROM_NUMPY = {
    "bool": bool,
    "complex": complex,
    "float": float,
    "int": int,
    "object": object,
    "str": str,
    "unicode": str,
    "Inf": np.inf,
    "Infinity": np.inf,
    "NaN": np.nan,
    "PINF": np.inf,
    "NINF": -np.inf,
    "complex_": np.complex128,
    "float_": np.float64,
    "string_": np.bytes_,
    "unicode_": np.str_,
}
# where tf_keras has layers, and where a part of TensorFlow 2 and tf_slim look for them
LAYERS = "tf_keras.src.legacy_tf_layers"
LAYERS_ELSEWHERE = "tf_keras.legacy_tf_layers"
# what ends the use of version 1, if it is installed
_installed: Optional[contextlib.ExitStack] = None


def install() -> None:
    """Let ``import tensorflow`` be the interface of version 1 until :func:`uninstall`. Once is enough.

    Raises:
        TensorFlowError: TensorFlow is missing, or its version is not supported.
    """
    global _installed
    if _installed is None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_version_1())
            _installed = stack.pop_all()
        # while TensorFlow is still whole
        atexit.register(uninstall)


def uninstall() -> None:
    """Leave the process as it was before :func:`install`."""
    global _installed
    if _installed is not None:
        ending = _installed
        _installed = None
        atexit.unregister(uninstall)
        ending.close()


@contextlib.contextmanager
def _version_1() -> Iterator[None]:
    """Let ``import tensorflow`` be the interface of version 1 within a block."""
    with graphs():
        # TensorFlow 1.15 has all of it.
        if is_version_1():
            yield
            return
        from charrnn.system.tensorflow import tf

        _warn_of_new_version(tf.__version__)
        parts = _parts()
        # TensorFlow 2.15 has it.
        if not hasattr(tf, "estimator"):
            parts["tensorflow.estimator"] = _Part("tensorflow.estimator")
        finder = _Finder(parts)
        with contextlib.ExitStack() as stack:
            stack.enter_context(graphs_left())
            stack.callback(_forget_modules, dict(sys.modules))
            sys.modules.update(parts)
            sys.modules["tensorflow"] = tf
            sys.modules["tensorflow.keras"] = tf.keras
            _set(tf, "contrib", parts["tensorflow.contrib"], stack)
            if "tensorflow.estimator" in parts:
                _set(tf, "estimator", parts["tensorflow.estimator"], stack)
            # so that tf.compat.v1.placeholder works as well
            _set(tf.compat, "v1", tf, stack)

            _set_names_for_slim(tf, stack)

            sys.meta_path.insert(0, finder)
            stack.callback(sys.meta_path.remove, finder)

            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message="`tf.layers.* is deprecated")
            for name, value in REMOVED_FROM_NUMPY.items():
                if name not in vars(np):
                    _set(np, name, value, stack)
            yield


def _set(module: Any, name: str, value: Any, stack: contextlib.ExitStack) -> None:
    """Set an attribute of a module, until a stack is closed."""
    if name in vars(module):
        stack.callback(setattr, module, name, vars(module)[name])
    else:
        stack.callback(delattr, module, name)
    setattr(module, name, value)


def _set_names_for_slim(tf: Any, stack: contextlib.ExitStack) -> None:
    """Set what the package tf_slim needs of TensorFlow and tf_keras, under the names that it uses."""
    ops = sys.modules["tensorflow.python.framework.ops"]

    for name, value in (("Tensor", tf.Tensor), ("IndexedSlices", tf.IndexedSlices)):
        if not hasattr(ops, name):
            _set(ops, name, value, stack)
    for name, module in list(sys.modules.items()):
        if name.startswith(LAYERS):
            sys.modules.setdefault(name.replace(LAYERS, LAYERS_ELSEWHERE), module)


def _warn_of_new_version(version: str) -> None:
    major, minor, *_ = version.split(".")
    if (int(major), int(minor)) > NEWEST:
        terminal.print_note(
            f"charrnn: old programs were tried on {TESTED}, and not on {version}, which is installed here"
        )


def _parts() -> Dict[str, ModuleType]:
    """Return what stands for each part, by its name. A part is an attribute of the part above it."""
    parts: Dict[str, ModuleType] = {}
    for name, ours in PARTS.items():
        part = _Part(name)
        if ours is not None:
            module = importlib.import_module(f"charrnn.old.{ours}")
            for public in module.__all__:
                setattr(part, public, getattr(module, public))
        parts[name] = part

        above, _, last = name.rpartition(".")
        if above in parts:
            setattr(parts[above], last, part)
    return parts


class _Part(ModuleType):
    """A part of TensorFlow 1. For a name that it lacks, the error says what to write instead."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # so that Python asks the finder for what is below it
        self.__path__: List[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(missing.message(f"{self.__name__}.{name}"))


def first_missing(name: str) -> Optional[str]:
    """Return the beginning of a name up to the first part of it that nothing stands for; None if all is there."""
    beginning, *rest = name.split(".")
    module = sys.modules.get(beginning)
    for last in rest:
        beginning = f"{beginning}.{last}"
        if isinstance(module, _Part) and not hasattr(module, last):
            return beginning
        module = getattr(module, last, None)
    return None


class _Finder(importlib.abc.MetaPathFinder):
    """It raises an error for a part that is imported and that nothing stands for."""

    def __init__(self, parts: Dict[str, ModuleType]) -> None:
        self._parts = parts

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        above, _, _ = name.rpartition(".")
        if above in self._parts:
            raise ImportError(missing.message(name), name=name)


def _forget_modules(before: Dict[str, ModuleType]) -> None:
    """Put the modules of TensorFlow back that were there before, and forget those of version 1."""
    for name, module in list(sys.modules.items()):
        begins_so = name.startswith(("tensorflow.keras", LAYERS_ELSEWHERE))
        is_of_version_1 = isinstance(module, _Part) or begins_so
        if name == "tensorflow" or is_of_version_1:
            del sys.modules[name]
    for name, module in before.items():
        sys.modules.setdefault(name, module)
