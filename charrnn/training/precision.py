"""The precision auto: the faster one on this machine."""
from typing import Optional, Tuple

from charrnn.system.tensorflow import is_version_1, session_config

LEAST_SPEEDUP = 1.1  # of products in bfloat16, from which on the precision auto takes it


def faster_precision(threads: int, fused: bool) -> Tuple[str, Optional[float]]:
    """Return the precision that is faster on this machine, and how many times as fast bfloat16 multiplies.

    With TensorFlow 1.15, nothing is measured, and the second is None.

    Args:
        threads: the threads to measure with.
        fused: whether the network is unrolled fused.
    """
    if is_version_1():
        return "float32", None
    from charrnn.fused.passes import bfloat16_speedup  # not above, because it imports TensorFlow
    config = session_config(threads, fused)
    config.use_per_session_threads = True  # so that training can have others
    speedup = bfloat16_speedup(config)
    return "bfloat16" if speedup >= LEAST_SPEEDUP else "float32", speedup
