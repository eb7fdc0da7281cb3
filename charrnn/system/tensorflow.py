"""The only module that imports TensorFlow: ``tf`` is its interface of version 1, from TensorFlow 1.15 or 2.

TensorFlow is imported when ``tf`` is imported from here, so the other names cost nothing. With TensorFlow 2, this also
turns its eager mode off for the whole process, which then builds graphs as TensorFlow 1 does. A program that has used
TensorFlow before gets a warning on standard error. Within :func:`graphs`, eager mode is off for a while.
"""

import contextlib
import functools
import importlib.util
import logging
import os
import sys
import threading
from types import SimpleNamespace
from typing import Any, Iterator, NamedTuple, Optional, Tuple

from charrnn.system.terminal import drop_deprecations

TESTED = "TensorFlow 1.15 and 2.15 to 2.21"
OLDEST = (2, 15)
NEWEST = (2, 21)
NO_LONGER_EAGER = (
    "charrnn: TensorFlow's eager mode is off in this process from now on, because a graph is needed; "
    "Keras 3 can neither train nor predict in it any more"
)
NO_LONGER_VERSION_2 = (
    "charrnn: TensorFlow 2's resource variables, tensor shapes and control flow are off in this process from now on, "
    "because charrnn's graphs are those of TensorFlow 1"
)
# the variable that makes TensorFlow 2.16 and later use Keras 2
LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
# On Python 3.8, NVIDIA's build is still 1.15. Code that must know asks the imported module: is_version_1.
_EXPECTS_VERSION_2 = sys.version_info >= (3, 8)
_switching = threading.RLock()
# what ``tf`` is, after TensorFlow was imported
_tf: Any = None
# whether a thread is in a block of graphs(), at whose end eager mode is on again
_in_graph_mode = False


class TensorFlowError(ImportError):
    """TensorFlow, or a package that it needs, is missing or of an unsuitable version. The message says what to do."""


def __getattr__(name: str) -> Any:
    """Return ``tf``, in a process that is ready for graphs. Python calls this for names that the module lacks."""
    if name != "tf":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _tf is None or _in_graph_mode or is_eager():
        with _switching:
            _switch_to_graphs()
    return _tf


@contextlib.contextmanager
def graphs() -> Iterator[None]:
    """Let graphs be built and run within a block, without TensorFlow's messages. Leave its settings as they were.

    In a program that uses TensorFlow 2's eager mode, the mode is off in the block, and the default graph is reset. One
    thread at a time is in such a block; others wait for it.
    """
    logger = logging.getLogger("tensorflow")
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # an object of this block alone, since another thread may be in such a block
    own_filter = functools.partial(drop_deprecations)
    logger.addFilter(own_filter)
    try:
        with _graph_mode():
            yield
    finally:
        logger.removeFilter(own_filter)
        if level is None:
            os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)


@contextlib.contextmanager
def _graph_mode() -> Iterator[None]:
    """Let ``tf`` be used within a block, and turn TensorFlow 2's eager mode on again at its end, if it was on."""
    global _in_graph_mode
    if not _in_graph_mode and not is_eager():
        yield
        return
    with _switching:
        # in another block of this thread, or with TensorFlow 1.15, whose eager mode stays off once it is turned off
        if _in_graph_mode or not _EXPECTS_VERSION_2:
            yield
            return
        legacy = os.environ.get(LEGACY_KERAS)
        _in_graph_mode = True
        try:
            # modules that were imported in an earlier block do not ask for it again
            if _tf is not None:
                _switch_to_graphs()
            yield
        finally:
            if _tf is not None and not is_version_1():
                # the next line is refused while the default graph has operations
                _tf.reset_default_graph()
                _tf.enable_v2_behavior()
            # only now, since another thread that sees graphs would not wait for its turn
            _in_graph_mode = False
            _set_legacy_keras(legacy)


@contextlib.contextmanager
def graphs_left() -> Iterator[None]:
    """Leave the graphs that are entered within a block and not left, as by a tf.InteractiveSession of TensorFlow 2."""
    from tensorflow.python.eager import context
    from tensorflow.python.framework import ops

    entered = [ops._default_graph_stack.stack, context.context().context_switches.stack]
    depths = [len(stack) for stack in entered]
    try:
        yield
    finally:
        for stack, depth in zip(entered, depths):
            del stack[depth:]


def is_version_1() -> bool:
    """Return whether this is TensorFlow 1.15, which has ``tf.contrib`` and no bfloat16."""
    tf = _tf or __getattr__("tf")
    return bool(tf.__version__.startswith("1."))


def is_eager() -> bool:
    """Return whether this process uses TensorFlow's eager mode, or will when it first uses TensorFlow 2."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return _EXPECTS_VERSION_2
    return bool(tensorflow.executing_eagerly())


def require_tensorflow() -> None:
    """Check that TensorFlow is installed, without importing it.

    Raises:
        TensorFlowError: it is not.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise TensorFlowError(f"TensorFlow is not installed here: {_how_to_install()}")


def _how_to_install() -> str:
    version = sys.version_info[:2]
    if "CHARRNN_MAKE" in os.environ:
        return f"{os.environ['CHARRNN_MAKE']} venv installs it"
    if version == (3, 7):
        return "pip install . in the folder of charrnn installs TensorFlow 1.15"
    if (3, 10) <= version <= (3, 13):
        return 'pip install ".[tensorflow]" in the folder of charrnn installs TensorFlow 2'
    return f"use Python 3.10 to 3.13, or 3.7; Python {version[0]}.{version[1]} has no TensorFlow that charrnn supports"


def _set_legacy_keras(value: Optional[str]) -> None:
    os.environ.pop(LEGACY_KERAS, None)
    if value is not None:
        os.environ[LEGACY_KERAS] = value


def _switch_to_graphs() -> None:
    """Import TensorFlow and turn its eager mode off. It stays on if an error is raised."""
    global _tf
    require_tensorflow()
    was_used = "tensorflow" in sys.modules
    legacy_keras = _legacy_keras_of_cells()
    with _without_messages():
        tf = _imported(was_used, legacy_keras)
        is_version_2 = _checked_version(tf.__version__) >= OLDEST
        _set_legacy_keras(legacy_keras)
        cell = _lstm_cell(tf)
        modes = _Modes()
        if was_used:
            modes = _modes_of(tf, is_version_2)

        if _in_graph_mode:
            # This creates TensorFlow's context, which remembers in which mode it began. Keras needs that later.
            tf.config.get_soft_device_placement()
        if modes.is_eager or is_version_2:
            tf.disable_v2_behavior()

    if is_version_2:
        # At each construction of a cell, its module warns that Keras has another one, and it has no other warning.
        vars(sys.modules[cell.__module__])["warnings"] = SimpleNamespace(
            warn=lambda *args, **options: None
        )
    else:
        # so that tf.compat.v1.placeholder works as well, as it does with TensorFlow 2
        tf.compat.v1 = tf
        # It is imported when it is used, which takes seconds.
        tf.contrib = sys.modules.get("tensorflow.contrib")
    _tf = tf

    # Within graphs(), all of this is on again at its end.
    if _in_graph_mode:
        return
    if modes.is_eager:
        print(NO_LONGER_EAGER, file=sys.stderr)
    elif modes.has_resource_variables:
        print(NO_LONGER_VERSION_2, file=sys.stderr)


def _legacy_keras_of_cells() -> Optional[str]:
    """Return the value of LEGACY_KERAS with which TensorFlow has LSTM cells, those of Keras 2, if it is installed."""
    if importlib.util.find_spec("tf_keras"):
        return "1"
    return os.environ.get(LEGACY_KERAS)


def _imported(was_used: bool, legacy_keras: Optional[str]) -> Any:
    """Import TensorFlow's interface of version 1. If it was not used before, this chooses its mode and its Keras."""
    if not was_used:
        # set in processes that TensorFlow 2 has started; 1.15 would be eager
        os.environ.pop("TF2_BEHAVIOR", None)
    if not was_used and not _in_graph_mode:
        # for all imports of tensorflow.keras
        _set_legacy_keras(legacy_keras)
    import tensorflow.compat.v1 as tf

    return tf


def _checked_version(version: str) -> Tuple[int, int]:
    """Return the first two numbers of a version. Raise TensorFlowError if it is not supported."""
    major, minor, *_ = version.split(".")
    number = (int(major), int(minor))
    if number != (1, 15) and number < OLDEST:
        raise TensorFlowError(
            f"charrnn does not support TensorFlow {version}, only {TESTED}: {_how_to_install()}"
        )
    return number


def _lstm_cell(tf: Any) -> Any:
    """Return the class of LSTM cells. Raise TensorFlowError if they are missing, because Keras 2 is."""
    try:
        return tf.nn.rnn_cell.BasicLSTMCell
    except (ImportError, AttributeError) as error:
        raise TensorFlowError(_without_cells(tf.__version__, error))


class _Modes(NamedTuple):
    """What is on in a program that has used TensorFlow before, and may need it when it is turned off.

    Attributes:
        is_eager: the eager mode.
        has_resource_variables: the resource variables of TensorFlow 2, and with them its shapes and control flow.
    """

    is_eager: bool = False
    has_resource_variables: bool = False


def _modes_of(tf: Any, is_version_2: bool) -> _Modes:
    has_resource_variables = is_version_2 and tf.resource_variables_enabled()
    return _Modes(tf.executing_eagerly(), has_resource_variables)


def _without_cells(version: str, error: Exception) -> str:
    if importlib.util.find_spec("tf_keras") is None:
        minor = ".".join(version.split(".")[:2])
        return f"TensorFlow {version} needs the package tf_keras for LSTM cells: pip install tf_keras~={minor}.0"
    return f"charrnn does not support TensorFlow {version}, only {TESTED} ({str(error).splitlines()[0]})"


@contextlib.contextmanager
def _without_messages() -> Iterator[None]:
    """Discard what TensorFlow 2 writes to standard error within a block, unless TF_CPP_MIN_LOG_LEVEL is 0 or 1.

    Its import writes to the file descriptor before it reads any setting.
    """
    asks_for_messages = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1")
    if asks_for_messages or not _EXPECTS_VERSION_2:
        yield
        return
    with contextlib.ExitStack() as stack:
        # of a standard error that is closed
        with contextlib.suppress(OSError):
            kept = os.dup(2)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), 2)
        yield


def session_config(threads: int, fused: bool = True, precision: str = "float32") -> Any:
    """Return the settings of a session, a tf.ConfigProto.

    With the fused unroll, each operation runs on one thread, and as many operations run in parallel as there are
    threads. The settings of the first session of a process hold for all, but see :func:`use_own_threads`.

    Args:
        threads: at least 1.
        fused: whether the graph has the fused unroll. Other graphs are fastest if each operation has all threads.
        precision: with ``bfloat16``, TensorFlow 2 rewrites the products of a graph that is not fused. The fused unroll
            has the precision in its graph.
    """
    tf = __getattr__("tf")
    if fused:
        _keep_freed_blocks()
        return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=threads)
    config = tf.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
    )
    if precision == "bfloat16":
        # RewriterConfig.ON
        config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1
    return config


def use_own_threads(config: Any) -> None:
    """Let the session with these settings create threads of its own.

    Otherwise the first session of a process creates the threads of all later ones, such as that of a training.
    """
    config.use_per_session_threads = True


def _keep_freed_blocks() -> None:
    """Let glibc keep the blocks of memory that a step frees for the next step.

    It returns large freed blocks to the system, and the page faults that follow take a seventh of a small step. But it
    keeps blocks that are not larger than the largest block freed so far, up to 32 MiB.
    """
    # A block of nearly this size, freed at once. Nothing is written to it, so it takes no time and no memory.
    bytes(31 * 1024 * 1024)


def set_variable(variable: Any, value: Any, session: Any) -> None:
    """Set a variable in a session. ``Variable.load`` does the same, but TensorFlow 2 calls it deprecated."""
    session.run(variable.initializer, {variable.initializer.inputs[1]: value})


def forget_gradients(graph: Any) -> None:
    """Remove a graph's functions of ``tf.custom_gradient`` from TensorFlow, after the gradients are in the graph.

    TensorFlow registers them for the life of the process, and each keeps its whole graph in memory.
    """
    from tensorflow.python.framework import ops

    registered = ops._gradient_registry._registry
    for operation in graph.get_operations():
        if "_gradient_op_type" in operation.node_def.attr:
            registered.pop(operation.get_attr("_gradient_op_type").decode(), None)


def contrib_rnn() -> Any:
    """Return ``tf.contrib.rnn``, which only TensorFlow 1.15 has."""
    # not above, because it is slow to import
    from tensorflow.contrib import rnn

    return rnn
