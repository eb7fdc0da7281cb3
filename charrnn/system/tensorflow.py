"""The only module that imports TensorFlow: ``tf`` is its interface of version 1, from TensorFlow 1.15 or 2.

TensorFlow is imported when ``tf`` is first used, so the other names here cost nothing. With TensorFlow 2, the import
turns its eager mode off for the whole process, which then builds graphs as TensorFlow 1 does. A program that
has used TensorFlow before gets a warning on standard error.
"""
import contextlib
import importlib.util
import os
import sys
import threading
import warnings
from typing import Any, Iterator

TESTED = "TensorFlow 1.15 and 2.15 to 2.21"
OLDEST = (2, 15)
NO_LONGER_EAGER = ("charrnn: TensorFlow's eager mode is off in this process from now on, because a graph is needed; "
                   "Keras 3 can neither train nor predict in it any more\n")
_importing = threading.RLock()


class TensorFlowError(ImportError):
    """TensorFlow, or a package that it needs, is missing or of an unsuitable version. The message says what to do."""


def __getattr__(name: str) -> Any:
    if name != "tf":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _importing:
        if "tf" not in globals():  # another thread may have imported it meanwhile
            globals()["tf"] = _imported()
    return globals()["tf"]


def is_version_1() -> bool:
    """Return whether this is TensorFlow 1.15, which has ``tf.contrib`` and no bfloat16."""
    return bool(__getattr__("tf").__version__.startswith("1."))


def is_eager() -> bool:
    """Return whether this process uses TensorFlow's eager mode, or will when it first uses TensorFlow 2."""
    if "tensorflow" not in sys.modules:
        return sys.version_info >= (3, 8)
    return bool(sys.modules["tensorflow"].executing_eagerly())


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


def _imported() -> Any:
    """Import TensorFlow, and prepare it for graphs."""
    require_tensorflow()
    was_used = "tensorflow" in sys.modules
    if not was_used:
        os.environ.pop("TF2_BEHAVIOR", None)  # set in processes that TensorFlow 2 has started; 1.15 would be eager
    if importlib.util.find_spec("tf_keras"):  # Keras 2, which has the cells; TensorFlow 2.16 and later have Keras 3
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    with _without_messages():
        import tensorflow.compat.v1 as tf
        version = tf.__version__
        number = tuple(map(int, version.split(".")[:2]))
        if number != (1, 15) and number < OLDEST:
            raise TensorFlowError(f"charrnn does not support TensorFlow {version}, only {TESTED}: {_how_to_install()}")
        was_eager = was_used and tf.executing_eagerly()
        try:
            if was_eager or number >= OLDEST:
                tf.disable_v2_behavior()
            tf.nn.rnn_cell.BasicLSTMCell  # noqa: B018  # raises an error if Keras 2 is missing
        except (ImportError, AttributeError) as error:
            raise TensorFlowError(_without_cells(version, error))
    if number < OLDEST:
        tf.compat.v1 = tf  # so that tf.compat.v1.placeholder works as well, as it does with TensorFlow 2
    if was_eager:
        with contextlib.suppress(AttributeError, OSError, ValueError):  # there is no standard error, or it is closed
            sys.stderr.write(NO_LONGER_EAGER)
    # each construction of a cell warns that Keras has another one
    warnings.filterwarnings("ignore", r"`tf\.nn\.rnn_cell\.\w+` is deprecated", UserWarning)
    return tf


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
    if sys.version_info < (3, 8) or os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2") in ("0", "1"):
        yield
        return
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # standard error is closed
            kept = os.dup(2)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), 2)
        yield


def require_bfloat16() -> None:
    """Check that this TensorFlow can train in bfloat16.

    Raises:
        ValueError: it is 1.15.
    """
    if is_version_1():
        raise ValueError("precision bfloat16 needs TensorFlow 2, on Python 3.10 to 3.13; TensorFlow 1.15 trains in "
                         "float32")


def thread_count() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # Linux


def session_config(threads: int, fused: bool = True, precision: str = "float32") -> Any:
    """Return the settings of a session, a tf.ConfigProto.

    With the fused unroll, each operation runs on one thread, and as many operations run in parallel as there are
    threads. TensorFlow creates its threads once in a process, so the settings of the first session hold for all.

    Args:
        threads: at least 1.
        fused: whether the graph has the fused unroll. Others are fastest where an operation has all threads.
        precision: with ``bfloat16``, TensorFlow 2 rewrites the products of a graph that is not fused. The fused unroll
            has the precision in its graph.
    """
    from charrnn.system.tensorflow import tf
    if not fused:
        config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        if precision == "bfloat16":
            config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1  # RewriterConfig.ON
    else:
        # glibc returns large freed blocks to the system, and the page faults that follow take a seventh of a small
        # step. It keeps blocks that are not larger than the largest block freed so far, up to 32 MiB. So a block of
        # nearly this size is freed here. Nothing is written to it, so it takes no time and no memory.
        bytes(31 * 1024 * 1024)
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=threads)
    return config


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
        if operation.type == "IdentityN" and "_gradient_op_type" in operation.node_def.attr:
            registered.pop(operation.get_attr("_gradient_op_type").decode(), None)


def contrib_rnn() -> Any:
    """Return ``tf.contrib.rnn``, which only TensorFlow 1.15 has."""
    from tensorflow.contrib import rnn  # slow to import
    return rnn
