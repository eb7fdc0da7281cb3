"""How sessions use the machine's cores."""
import os

import tensorflow.compat.v1 as tf


def count_threads(threads=None):
    """Return the number of threads to use: the one given, or the cores that this process may use."""
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def session_config(threads=None):
    """Return the tf.ConfigProto for graphs that bring work for each core: operations of one thread, side by side."""
    return tf.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=count_threads(threads))
