"""The softmax and its loss for many characters, computed for a slice of the rows at a time.

With thousands of characters, the logits [N·M, C] are the largest array of a step. Here a while loop runs over slices of
the rows. Each pass of the loop computes the loss of a slice and its gradients, so the logits of as many slices are in
memory as there are threads. The products are the same as without slices: no logits are computed twice.

Letters for shapes as in :mod:`charrnn.data`, P for the N·M rows of a window, and R rows of a slice.
"""

from charrnn.fused.passes import product
from charrnn.system.tensorflow import tf

# Logits of a slice, at most 28 MiB: glibc keeps blocks of this size and uses them again, see session_config in
# charrnn.system.tensorflow. With 16,327 characters a slice has 449 rows, enough for fast products.
SLICE_LOGITS = 7 * 2**20


def rows_of_slice(num_classes):
    """Return R, the rows of a slice for C characters, at least 1.

    >>> [rows_of_slice(num_classes) for num_classes in (83, 16_327, 10_000_000)]
    [88434, 449, 1]
    """
    return max(1, SLICE_LOGITS // num_classes)


def _over_slices(outputs, num_classes, threads, body, values):
    """Run ``body(slice_of, k, *values)`` for each slice k of outputs [P, L], as many at once as there are threads.

    The body returns new values, and ``slice_of`` is a function that returns the slice of an array. Return the last
    values.
    """
    n_rows = _count_rows(outputs)
    slice_rows = rows_of_slice(num_classes)

    def run_slice(k, *values):
        def slice_of(array):
            return array[k * slice_rows : tf.minimum((k + 1) * slice_rows, n_rows)]

        return (k + 1, *body(slice_of, k, *values))

    _, *values = tf.while_loop(
        lambda k, *_: k * slice_rows < n_rows,
        run_slice,
        (0, *values),
        back_prop=False,
        parallel_iterations=threads,
    )
    return values


def _count_rows(array):
    """Return the number of rows of an array, a tensor."""
    shape = tf.shape(array)
    return shape[0]


def _new_arrays(outputs, num_classes, *row_shapes):
    """Return TensorArrays of float32, one for each of the shapes of a row, with an element [R, ...] for each slice."""
    n_rows = _count_rows(outputs)
    n_slices = -(-n_rows // rows_of_slice(num_classes))
    arrays = []
    for row_shape in row_shapes:
        array = tf.TensorArray(
            tf.float32, n_slices, element_shape=[None, *row_shape], infer_shape=False
        )
        arrays.append(array)
    return arrays


def _new_zeros(shape):
    """Return zeros of a large shape without a constant, which TensorFlow would keep for the life of a session."""
    return tf.raw_ops.Empty(shape=shape, dtype=tf.float32, init=True)


def surprisals(outputs, weights, bias, targets, threads=1):
    """Compute the surprisal of each target, without a gradient.

    Args:
        outputs: float32 [P, L], of the last layer.
        weights: float32 [L, C].
        bias: float32 [C].
        targets: int32 [P], ids in [0, C).
        threads: number of threads.

    Returns:
        float32 [P], in nats.
    """
    num_classes = bias.shape[0].value

    def body(slice_of, k, nats):
        logits = tf.nn.xw_plus_b(slice_of(outputs), weights, bias)  # [R, C]
        nats_of_slice = tf.nn.sparse_softmax_cross_entropy_with_logits(  # [R]
            labels=slice_of(targets), logits=logits
        )
        return [nats.write(k, nats_of_slice)]

    [nats] = _over_slices(
        outputs=outputs,
        num_classes=num_classes,
        threads=threads,
        body=body,
        values=_new_arrays(outputs, num_classes, []),
    )
    return nats.concat()


def mean_surprisal(outputs, weights, bias, targets, threads=1, precision="float32"):
    """Average the surprisal of all targets, with a gradient of its own.

    The gradients are computed in the same pass as the loss, even if only the loss is fetched.

    Args: as for :func:`surprisals`; precision as for :func:`charrnn.fused.passes.product`.

    Returns:
        float32 scalar, in nats per character.

    Source: the gradient in the forward pass is that of Hsu et al. 2024 (arXiv:2410.10989).
    """
    num_classes = bias.shape[0].value
    lstm_size = outputs.shape[1].value

    @tf.custom_gradient
    def mean_with_gradient(outputs, weights, bias):
        # in the precision, once for all slices
        operand = tf.cast(weights, precision)

        def body(slice_of, k, nats, d_outputs, d_weights, d_bias):
            rows = tf.cast(slice_of(outputs), precision)  # [R, L]
            logits = tf.nn.bias_add(product(rows, operand, precision), bias)  # [R, C]
            nats_of_slice, d_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(  # [R], [R, C]
                features=logits, labels=slice_of(targets)
            )
            d_logits = tf.cast(d_logits, precision)
            # a product with ones is faster than a sum over rows
            ones = tf.ones([1, _count_rows(rows)], precision)

            nats = nats.write(k, nats_of_slice)
            d_rows = product(d_logits, operand, precision, transpose_b=True)  # [R, L]
            d_outputs = d_outputs.write(k, d_rows)
            d_weights += product(rows, d_logits, precision, transpose_a=True)  # [L, C]
            d_bias += product(ones, d_logits, precision)  # [1, C]
            return nats, d_outputs, d_weights, d_bias

        arrays = _new_arrays(outputs, num_classes, [], [lstm_size])
        zeros = [_new_zeros([lstm_size, num_classes]), _new_zeros([1, num_classes])]
        nats, d_outputs, d_weights, d_bias = _over_slices(
            outputs=outputs,
            num_classes=num_classes,
            threads=threads,
            body=body,
            values=[*arrays, *zeros],
        )
        # not in the gradient, which may be called again: a TensorArray can be read only once
        d_outputs = d_outputs.concat()  # [P, L]

        def gradient(d_loss):
            n_rows = tf.cast(_count_rows(outputs), tf.float32)
            scale = d_loss / n_rows
            return d_outputs * scale, d_weights * scale, d_bias[0] * scale

        return tf.reduce_mean(nats.concat()), gradient

    return mean_with_gradient(outputs, weights, bias)
