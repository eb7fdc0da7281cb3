"""The threads and the settings of the sessions that train a network."""
import os
from typing import List, Optional

from charrnn.system.tensorflow import tf

_process: List[int] = []  # the id of the process that has made the first session


def thread_count(threads: Optional[int] = None) -> int:
    """Return the number of threads to use.

    Args:
        threads: at least 1; None for one for each core that the process may use.
    """
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # Linux
    return threads


def session_config(threads: Optional[int] = None, fused: bool = True, precision: str = "float32",
                   own_threads: bool = False) -> tf.ConfigProto:
    """Return the settings of a session.

    With the fused unroll, each operation runs on one thread, and as many operations run in parallel as there are
    threads. TensorFlow creates its threads once in a process, so the settings of the first session hold for all.

    Args:
        threads: as for :func:`thread_count`.
        fused: whether the graph has the fused unroll. Others are fastest with TensorFlow's own settings.
        precision: with ``bfloat16``, TensorFlow 2 rewrites the products of a graph that is not fused. The fused unroll
            has the precision in its graph.
        own_threads: whether the session has threads of its own, so that the next one can have others.

    Raises:
        ValueError: the process was forked from one that has used TensorFlow.
    """
    _process[:] = _process or [os.getpid()]
    if _process != [os.getpid()]:
        raise ValueError("TensorFlow was used before this process was forked, and would wait for ever: start the "
                         "process with the method 'spawn', or use TensorFlow in only one of the two processes")
    if not fused:
        config = tf.ConfigProto(intra_op_parallelism_threads=threads or 0, inter_op_parallelism_threads=threads or 0,
                                use_per_session_threads=own_threads)
        if precision == "bfloat16":
            config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1  # RewriterConfig.ON
        return config
    # glibc returns large freed blocks to the system, and the page faults that follow take a seventh of a small step. It
    # keeps blocks that are not larger than the largest block freed so far, up to 32 MiB. So a block of nearly this size
    # is freed here. Nothing is written to it, so it takes no time and no memory.
    bytes(31 * 1024 * 1024)
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=thread_count(threads),
                          use_per_session_threads=own_threads)
