"""The threads and the session settings of the fused unroll."""
import os

import tensorflow.compat.v1 as tf


def thread_count(threads=None):
    """Return how many threads to use: those asked for, or as many as the process may have cores.

    Args:
        threads: at least 1; None for the cores.

    Raises:
        ValueError: threads is below 1.
    """
    if threads is not None:
        if threads < 1:
            raise ValueError("threads must be at least 1, not {}".format(threads))
        return threads
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def session_config(threads=None):
    """Return the session settings that suit the unrolled graph.

    Each operation runs on one thread, and as many operations side by side as there are threads. Of a
    process the first session's settings hold: TensorFlow makes both pools of threads once.

    Args:
        threads: as for :func:`thread_count`.

    Returns:
        A tf.ConfigProto.

    Raises:
        ValueError: threads is below 1.
    """
    # glibc hands large freed blocks back to the system, and the next step pays for every page of them again
    # (3,000 page faults, a seventh of a small step). It keeps blocks up to the largest that it has seen freed,
    # if that is not above 32 MiB; so free one. Untouched, it costs nothing; elsewhere it does nothing.
    bytes(31 * 1024 * 1024)
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=thread_count(threads))
