"""Measure whether this machine multiplies faster in bfloat16 than in float32."""

import time
from typing import Any, Dict, List

from charrnn.fused.passes import product
from charrnn.system.tensorflow import tf


def bfloat16_speedup(config: Any) -> float:
    """Measure how many times as fast this machine multiplies in bfloat16 as in float32. It takes about 0.3 s.

    The products are those of a step of the recipe's layers, [100, 512] x [512, 2048].

    Args:
        config: the tf.ConfigProto of the session that measures. With
            :func:`charrnn.system.tensorflow.use_own_threads`, a later session can have another number of threads.
    """
    seconds: Dict[str, List[float]] = {"float32": [], "bfloat16": []}
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        # fed, so that TensorFlow cannot compute the products while it prepares the graph
        value = tf.placeholder(tf.float32, [])
        products = {precision: _products_to_time(value, precision) for precision in seconds}
        # The first run prepares the graph.
        for _ in range(3):
            for precision, entries in products.items():
                started = time.perf_counter()
                session.run(entries, {value: 0.1})
                seconds[precision].append(time.perf_counter() - started)
    return min(seconds["float32"]) / min(seconds["bfloat16"])


def _products_to_time(value: Any, precision: str) -> List[Any]:
    """Return an entry of each of 8 products, so that a session that fetches them computes the products."""
    weights = tf.cast(tf.fill([512, 2048], value), precision)
    entries = []
    for k in range(8):
        # other rows for each product, since TensorFlow computes equal products once
        rows = tf.fill([100, 512], value + k)
        matrix = product(rows, weights, precision)
        entries.append(matrix[0, 0])
    return entries
