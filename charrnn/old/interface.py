"""What ``import tensorflow`` is while a program for TensorFlow 1 runs on TensorFlow 2, and how this begins and ends."""

import atexit
import contextlib
import functools
import importlib.abc
import importlib.util
import sys
import warnings
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional, Tuple

from charrnn.old import missing, removed
from charrnn.system import terminal
from charrnn.system.tensorflow import NEWEST, TESTED, graphs, graphs_left, is_version_1

# Parts of TensorFlow 1, and one of SciPy, that are gone, and where their names are now: in attributes of tf, or in
# modules. The first that has a name wins. A part without any has other parts only.
PARTS: Dict[str, Tuple[str, ...]] = {
    "tensorflow.contrib": (),
    "tensorflow.contrib.data": ("tf.data.experimental", "tf.data"),
    "tensorflow.contrib.framework": ("tf_slim", "tf.train", "tf"),
    "tensorflow.contrib.keras": ("tf.keras",),
    "tensorflow.contrib.layers": ("charrnn.old.layers", "tf_slim.layers"),
    "tensorflow.contrib.learn": ("charrnn.old.learn", "charrnn.old.mnist"),
    "tensorflow.contrib.learn.preprocessing": ("charrnn.old.learn",),
    "tensorflow.contrib.legacy_seq2seq": ("charrnn.old.legacy_seq2seq",),
    "tensorflow.contrib.lookup": ("tensorflow.python.ops.lookup_ops",),
    "tensorflow.contrib.losses": ("tf_slim.losses",),
    "tensorflow.contrib.metrics": ("tf_slim.metrics",),
    "tensorflow.contrib.rnn": ("charrnn.old.rnn", "tf.nn.rnn_cell", "tf.nn"),
    "tensorflow.contrib.seq2seq": ("charrnn.old.seq2seq",),
    "tensorflow.contrib.slim": ("tf_slim.nets", "tf_slim"),
    "tensorflow.contrib.tensorboard": (),
    "tensorflow.contrib.tensorboard.plugins": (),
    "tensorflow.contrib.tensorboard.plugins.projector": ("tensorboard.plugins.projector",),
    "tensorflow.contrib.training": (
        "charrnn.old.hparams",
        "tf_slim.training.training",
        "tf_slim.training.evaluation",
    ),
    "tensorflow.examples": (),
    "tensorflow.examples.tutorials": (),
    "tensorflow.examples.tutorials.mnist": (),
    "tensorflow.examples.tutorials.mnist.input_data": ("charrnn.old.mnist",),
    "scipy.sparse.linalg.eigen": ("scipy.sparse.linalg",),
    "scipy.sparse.linalg.eigen.arpack": ("scipy.sparse.linalg",),
}
# what stands between the name of a part and those of its files
BELOW = ".python"
# names that tf_slim looks for in modules of TensorFlow, and where tf has them
MOVED = {
    "tensorflow.python.framework.ops": {"Tensor": "Tensor", "IndexedSlices": "IndexedSlices"},
    "tensorflow.python.ops.array_ops": {"stack": "stack", "unstack": "unstack"},
    "tensorflow.python.ops.control_flow_ops": {
        "Assert": "Assert",
        "case": "case",
        "cond": "cond",
        "while_loop": "while_loop",
    },
    "tensorflow.python.ops.variable_scope": {"variable": "Variable"},
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
            parts["tensorflow.estimator"] = _Part("tensorflow.estimator", ())
        finder = _Finder(parts)
        with contextlib.ExitStack() as stack:
            stack.enter_context(graphs_left())
            stack.callback(_forget_modules, dict(sys.modules))
            sys.modules.update(parts)
            sys.modules["tensorflow"] = tf
            sys.modules["tensorflow.keras"] = tf.keras
            for part in ("contrib", "estimator", "examples"):
                if f"tensorflow.{part}" in parts:
                    _set(tf, part, parts[f"tensorflow.{part}"], stack)
            _set(tf.nn, "conv2d_transpose", _with_batch_size(tf.nn.conv2d_transpose), stack)
            # so that tf.compat.v1.placeholder works as well
            _set(tf.compat, "v1", tf, stack)

            _set_names_for_slim(tf, stack)

            sys.meta_path.insert(0, finder)
            stack.callback(sys.meta_path.remove, finder)

            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message="`(tf.layers|layer.apply).* is deprecated")
            for module, names in removed.NAMES.items():
                for name, value in names.items():
                    _set(module, name, value, stack)
            yield


def _set(module: Any, name: str, value: Any, stack: contextlib.ExitStack) -> None:
    """Set an attribute of a module, until a stack is closed."""
    if name in vars(module):
        stack.callback(setattr, module, name, vars(module)[name])
    else:
        stack.callback(delattr, module, name)
    setattr(module, name, value)


def _with_batch_size(conv2d_transpose: Any) -> Any:
    """Return a convolution whose outputs have the batch size of its ``output_shape``, which TensorFlow 2 forgets."""

    @functools.wraps(conv2d_transpose)
    def convolution(*args: Any, **options: Any) -> Any:
        from charrnn.system.tensorflow import tf

        outputs = conv2d_transpose(*args, **options)
        sizes = tf.get_static_value(outputs.op.inputs[0])
        if sizes is not None:
            outputs.set_shape(sizes)
        return outputs

    return convolution


def _set_names_for_slim(tf: Any, stack: contextlib.ExitStack) -> None:
    """Set what the package tf_slim needs of TensorFlow and tf_keras, under the names that it uses."""
    for module_name, names in MOVED.items():
        module = importlib.import_module(module_name)
        for name, name_now in names.items():
            if not hasattr(module, name):
                _set(module, name, getattr(tf, name_now), stack)
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
    for name, sources in PARTS.items():
        parts[name] = _Part(name, sources)
        above, _, last = name.rpartition(".")
        if above in parts:
            setattr(parts[above], last, parts[name])
    return parts


class _Part(ModuleType):
    """A part of TensorFlow 1. For a name that is nowhere, the error says what to write instead."""

    def __init__(self, name: str, sources: Tuple[str, ...]) -> None:
        super().__init__(name)
        self._sources = sources
        # so that Python asks the finder for what is below it
        self.__path__: List[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for source in self._sources:
            try:
                module = _source(source)
            except ModuleNotFoundError as error:
                if error.name != missing.TF_SLIM:
                    raise
                continue
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(missing.message(f"{self.__name__}.{name}"))


def _source(name: str) -> Any:
    """Return a module, or an attribute of tf, such as ``tf.nn``."""
    first, *rest = name.split(".")
    if first != "tf":
        return importlib.import_module(name)
    from charrnn.system.tensorflow import tf

    return functools.reduce(getattr, rest, tf)


def first_missing(name: str) -> Optional[str]:
    """Return the beginning of a name up to the first part of it that nothing stands for; None if all is there."""
    part, _, _ = name.partition(BELOW)
    beginning, *rest = part.split(".")
    module = sys.modules.get(beginning)
    for last in rest:
        beginning = f"{beginning}.{last}"
        if isinstance(module, _Part) and not hasattr(module, last):
            return beginning
        module = getattr(module, last, None)
    return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """It finds the files of a part and the modules in it, and raises an error for what nothing stands for."""

    def __init__(self, parts: Dict[str, ModuleType]) -> None:
        self._parts = parts

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        if self._module(name) is not None:
            return importlib.util.spec_from_loader(name, self)
        above, _, _ = name.rpartition(".")
        if above in self._parts:
            raise ImportError(missing.message(name), name=name)
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = self._module(module.__name__)

    def _module(self, name: str) -> Any:
        """Return a module that is in a part. A file that it lacks has all names of the part."""
        part_name, below, file = name.partition(BELOW)
        above, _, last = name.rpartition(".")
        part = self._parts.get(part_name if below else above)
        if part is None:
            return None
        # A folder, such as python.ops, has the names of its files.
        if not below or file.count(".") > 1:
            inside = getattr(part, last, None)
            if isinstance(inside, ModuleType):
                return inside
        # another one, of which Python makes what is below it an attribute
        return _Part(part.__name__, PARTS[part.__name__]) if below else None


def _forget_modules(before: Dict[str, ModuleType]) -> None:
    """Put the modules of TensorFlow back that were there before, and forget those of version 1."""
    for name, module in list(sys.modules.items()):
        begins_so = name.startswith(("tensorflow.keras", LAYERS_ELSEWHERE, missing.TF_SLIM))
        is_of_version_1 = "contrib" in name or isinstance(module, _Part) or begins_so
        if name == "tensorflow" or is_of_version_1:
            del sys.modules[name]
    for name, module in before.items():
        sys.modules.setdefault(name, module)
