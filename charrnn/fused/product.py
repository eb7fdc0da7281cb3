"""Matrix products in the precision of a training run.

On processors that have instructions for bfloat16, a product takes about half the time. Its operands and its result are
rounded to bfloat16. Everything that is summed over many steps is float32: the state c, the loss, the gradients of the
weights, the weights and the optimizer's averages.
"""
from charrnn.system.tensorflow import tf


def product(a, b, precision="float32", *, transpose_a=False, transpose_b=False):
    """Multiply two matrices.

    Args:
        a, b: float32 or bfloat16; they are cast to the precision unless they have it.
        precision: ``float32`` or ``bfloat16``, of the operands.
        transpose_a, transpose_b: multiply the transposed matrix instead.

    Returns:
        A float32 matrix. In bfloat16, its sums are rounded to 8 significant bits.
    """
    return tf.cast(tf.matmul(tf.cast(a, precision), tf.cast(b, precision), transpose_a, transpose_b), tf.float32)
