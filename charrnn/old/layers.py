"""``tf.contrib.layers`` for TensorFlow 2: initializers, layers, and penalties for weights.

The variables of a layer have the names of TensorFlow 1, such as ``fully_connected/weights``, so that checkpoints are
read.
"""

import functools
import math

import numpy as np

from charrnn.system.tensorflow import tf

__all__ = [
    "apply_regularization",
    "avg_pool2d",
    "batch_norm",
    "conv2d",
    "conv2d_transpose",
    "convolution2d",
    "convolution2d_transpose",
    "dropout",
    "embed_sequence",
    "flatten",
    "fully_connected",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "linear",
    "max_pool2d",
    "one_hot_encoding",
    "relu",
    "sum_regularizer",
    "variance_scaling_initializer",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]


# Initializers


def variance_scaling_initializer(
    factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32
):
    """Return an initializer of weights whose variance is a factor, divided by a number of units.

    Args:
        factor: the factor.
        mode: FAN_IN for the units that a unit reads, FAN_OUT for those that read it, FAN_AVG for the mean of both.
        uniform: whether the weights are drawn from a uniform distribution, and not from a truncated normal one.
        seed: the seed of the operation.
        dtype: the type of the weights.
    """

    def initialize(shape, dtype=dtype, partition_info=None):
        fans = _fans(shape)
        variance = factor / fans[mode]
        if uniform:
            limit = math.sqrt(3 * variance)
            return tf.random_uniform(shape, -limit, limit, dtype, seed=seed)
        # A normal distribution that is truncated at two deviations has a smaller one.
        deviation = math.sqrt(1.3 * variance)
        return tf.truncated_normal(shape, 0.0, deviation, dtype, seed=seed)

    return initialize


def _fans(shape):
    """Return the number of units that a unit of a layer reads, and of those that read it, and their mean."""
    sizes = [float(size) for size in shape] or [1.0]
    # how many places the kernel of a convolution covers
    places = float(np.prod(sizes[:-2]))
    # A vector of weights has as many units before it as after it.
    fan_in = [*sizes[:1], *sizes][-2] * places
    fan_out = sizes[-1] * places
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2}


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Return an initializer of weights whose variance is 1, divided by the mean of the units before and after."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer
XAVIER = xavier_initializer()
ZEROS = tf.zeros_initializer()
ONES = tf.ones_initializer()


# Layers


def fully_connected(
    inputs,
    num_outputs,
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=XAVIER,
    weights_regularizer=None,
    biases_initializer=ZEROS,
    biases_regularizer=None,
    reuse=None,
    trainable=True,
    scope=None,
):
    """Return inputs [..., size] after a layer that connects all units: [..., num_outputs].

    Args:
        inputs: the inputs.
        num_outputs: how many units the layer has.
        activation_fn: function of the outputs, or None.
        normalizer_fn: a layer such as :func:`batch_norm` in place of the biases.
        normalizer_params: dict of its arguments.
        weights_initializer: initializer of the weights.
        weights_regularizer: penalty for the weights, which goes to the collection of penalties.
        biases_initializer: initializer of the biases, or None for a layer without.
        biases_regularizer: penalty for the biases.
        reuse: whether the variables of the scope are used again.
        trainable: whether the variables are trained.
        scope: the name of the scope of the variables.
    """
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        weights = _variable(
            "weights",
            [int(inputs.shape[-1]), num_outputs],
            inputs.dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            trainable=trainable,
        )
        if inputs.shape.ndims > 2:
            outputs = tf.tensordot(inputs, weights, 1)
        else:
            outputs = tf.matmul(inputs, weights)
        outputs = _with_biases(
            outputs, normalizer_fn, biases_initializer, biases_regularizer, trainable
        )
        return _finished(outputs, normalizer_fn, normalizer_params, activation_fn)


def relu(inputs, num_outputs, **options):
    """Return inputs after :func:`fully_connected` with ReLU."""
    return fully_connected(inputs, num_outputs, tf.nn.relu, **options)


def linear(inputs, num_outputs, **options):
    """Return inputs after :func:`fully_connected` without an activation."""
    return fully_connected(inputs, num_outputs, None, **options)


def conv2d(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format="NHWC",
    rate=1,
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=XAVIER,
    weights_regularizer=None,
    biases_initializer=ZEROS,
    biases_regularizer=None,
    reuse=None,
    trainable=True,
    scope=None,
):
    """Return pictures [batch, height, width, channels] after a convolution: [..., num_outputs].

    Args:
        inputs: the pictures.
        num_outputs: how many channels the outputs have.
        kernel_size: height and width of the kernel, or one number.
        stride: the same of its steps.
        padding: SAME or VALID.
        data_format: NHWC, or NCHW for [batch, channels, height, width].
        rate: the distance of the places of the kernel.
        activation_fn: as in :func:`fully_connected`, like all others.
        normalizer_fn: the same.
        normalizer_params: the same.
        weights_initializer: the same.
        weights_regularizer: the same.
        biases_initializer: the same.
        biases_regularizer: the same.
        reuse: the same.
        trainable: the same.
        scope: the same.
    """
    with tf.variable_scope(scope, "Conv", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        weights = _variable(
            "weights",
            [*_pair(kernel_size), _channels(inputs, data_format), num_outputs],
            inputs.dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            trainable=trainable,
        )
        outputs = tf.nn.conv2d(
            inputs,
            weights,
            strides=_four(stride, data_format),
            padding=padding.upper(),
            data_format=data_format or "NHWC",
            dilations=_four(rate, data_format),
        )
        outputs = _with_biases(
            outputs, normalizer_fn, biases_initializer, biases_regularizer, trainable, data_format
        )
        return _finished(outputs, normalizer_fn, normalizer_params, activation_fn)


def conv2d_transpose(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=XAVIER,
    weights_regularizer=None,
    biases_initializer=ZEROS,
    biases_regularizer=None,
    reuse=None,
    trainable=True,
    scope=None,
):
    """Return pictures [batch, height, width, channels] after a transposed convolution, which makes them larger.

    The arguments are those of :func:`conv2d`.
    """
    with tf.variable_scope(scope, "Conv2d_transpose", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        kernel = _pair(kernel_size)
        strides = _pair(stride)
        weights = _variable(
            "weights",
            [*kernel, num_outputs, _channels(inputs, "NHWC")],
            inputs.dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            trainable=trainable,
        )

        known = inputs.shape.as_list()
        at_run_time = tf.shape(inputs)
        sizes = []
        static_sizes = []
        for axis in (1, 2):
            step = strides[axis - 1]
            added = 0
            if padding.upper() == "VALID":
                added = max(kernel[axis - 1] - step, 0)
            sizes.append(at_run_time[axis] * step + added)
            static_sizes.append(None if known[axis] is None else known[axis] * step + added)

        outputs = tf.nn.conv2d_transpose(
            inputs,
            weights,
            output_shape=tf.stack([at_run_time[0], *sizes, num_outputs]),
            strides=_four(stride, "NHWC"),
            padding=padding.upper(),
        )
        outputs.set_shape([known[0], *static_sizes, num_outputs])
        outputs = _with_biases(
            outputs, normalizer_fn, biases_initializer, biases_regularizer, trainable
        )
        return _finished(outputs, normalizer_fn, normalizer_params, activation_fn)


convolution2d = conv2d
convolution2d_transpose = conv2d_transpose


def max_pool2d(inputs, kernel_size, stride=2, padding="VALID", data_format="NHWC", scope=None):
    """Return the largest value in each window of pictures [batch, height, width, channels]."""
    with tf.name_scope(scope, "MaxPool2D", [inputs]):
        return tf.nn.max_pool(
            inputs,
            _four(kernel_size, data_format),
            _four(stride, data_format),
            padding.upper(),
            data_format,
        )


def avg_pool2d(inputs, kernel_size, stride=2, padding="VALID", data_format="NHWC", scope=None):
    """Return the mean of each window of pictures [batch, height, width, channels]."""
    with tf.name_scope(scope, "AvgPool2D", [inputs]):
        return tf.nn.avg_pool(
            inputs,
            _four(kernel_size, data_format),
            _four(stride, data_format),
            padding.upper(),
            data_format,
        )


def flatten(inputs, scope=None):
    """Return inputs [batch, ...] as [batch, size]."""
    with tf.name_scope(scope, "Flatten", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        batch_size, *sizes = inputs.shape.as_list()
        size = None
        if None not in sizes:
            size = int(np.prod(sizes))
        outputs = tf.reshape(inputs, [tf.shape(inputs)[0], -1 if size is None else size])
        outputs.set_shape([batch_size, size])
        return outputs


def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, scope=None, seed=None):
    """Return inputs of which a share is kept, and divided by it, while a network is trained."""
    with tf.name_scope(scope, "Dropout", [inputs]):
        inputs = tf.convert_to_tensor(inputs)

        def dropped():
            return tf.nn.dropout(inputs, rate=1 - keep_prob, noise_shape=noise_shape, seed=seed)

        if tf.is_tensor(is_training):
            return tf.cond(is_training, dropped, lambda: tf.identity(inputs))
        return dropped() if is_training else inputs


def batch_norm(
    inputs,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    activation_fn=None,
    param_initializers=None,
    param_regularizers=None,
    updates_collections=tf.GraphKeys.UPDATE_OPS,
    is_training=True,
    reuse=None,
    trainable=True,
    fused=None,
    data_format="NHWC",
    scope=None,
):
    """Return inputs [batch, ..., channels] with the mean 0 and the variance 1 in each channel of a batch.

    Args:
        inputs: the inputs.
        decay: what is kept of the moving mean and variance in a step.
        center: whether a trained value, beta, is added to each channel.
        scale: whether each channel is multiplied by another, gamma.
        epsilon: is added to the variance.
        activation_fn: function of the outputs, or None.
        param_initializers: dict of initializers of beta, gamma, moving_mean and moving_variance.
        param_regularizers: dict of penalties for beta and gamma.
        updates_collections: the collection that gets the updates of the moving mean and variance, which the training
            must run. With None, they run whenever the outputs are computed.
        is_training: bool, or a tensor: whether the mean and variance are those of the batch, and not the moving ones.
        reuse: whether the variables of the scope are used again.
        trainable: whether beta and gamma are trained.
        fused: with False, TensorFlow's fused operation is not used; the moving variance is then that of the batch,
            and not an estimate for all of the data. It is used by default for 2 and 4 axes.
        data_format: NHWC, or NCHW for [batch, channels, height, width].
        scope: the name of the scope of the variables.
    """
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        is_fused = fused is not False and inputs.shape.ndims in (2, 4)
        variable = functools.partial(
            _variable_of_norm,
            shape=[_channels(inputs, data_format)],
            dtype=tf.float32 if is_fused else inputs.dtype,
            initializers=param_initializers or {},
            regularizers=param_regularizers or {},
        )
        beta = variable("beta", ZEROS, trainable=trainable, exists=center)
        gamma = variable("gamma", ONES, trainable=trainable, exists=scale)
        moving_mean = variable("moving_mean", ZEROS, trainable=False)
        moving_variance = variable("moving_variance", ONES, trainable=False)

        norm = functools.partial(_plain_norm, inputs, beta, gamma, epsilon)
        if is_fused:
            norm = functools.partial(_fused_norm, inputs, beta, gamma, epsilon, data_format)

        def norm_of_batch():
            return norm(moments=None)

        def norm_of_moving():
            return norm(moments=[tf.identity(moving_mean), tf.identity(moving_variance)])

        if tf.is_tensor(is_training):
            outputs, mean, variance = tf.cond(is_training, norm_of_batch, norm_of_moving)
        elif is_training:
            outputs, mean, variance = norm_of_batch()
        else:
            outputs, mean, variance = norm_of_moving()

        if tf.is_tensor(is_training) or is_training:
            # Where the moving values were used, the updates change nothing.
            update_mean = _moved(moving_mean, mean, decay)
            update_variance = _moved(moving_variance, variance, decay)
            if updates_collections is None:
                with tf.control_dependencies([update_mean, update_variance]):
                    outputs = tf.identity(outputs)
            else:
                tf.add_to_collections(updates_collections, update_mean)
                tf.add_to_collections(updates_collections, update_variance)

        outputs.set_shape(inputs.shape)
        return outputs if activation_fn is None else activation_fn(outputs)


def _variable_of_norm(
    name, initial, *, shape, dtype, initializers, regularizers, trainable, exists=True
):
    """Return a variable of :func:`batch_norm`, or what it begins with, where the layer does without it."""
    if not exists:
        return initial(shape, dtype)
    return _variable(
        name,
        shape,
        dtype,
        initializer=initializers.get(name, initial),
        regularizer=regularizers.get(name),
        trainable=trainable,
    )


def _fused_norm(inputs, beta, gamma, epsilon, data_format, moments):
    """Normalize inputs with TensorFlow's fused operation.

    Returns:
        The outputs; the mean and the variance, which are those of the batch unless ``moments`` gives them. That of the
        batch is an estimate for all of the data.
    """
    pictures = inputs
    if inputs.shape.ndims == 2:
        data_format = "NHWC"
        channels = int(inputs.shape[1])
        pictures = tf.reshape(inputs, [-1, 1, 1, channels])

    norm = functools.partial(
        tf.nn.fused_batch_norm, pictures, gamma, beta, epsilon=epsilon, data_format=data_format
    )
    if moments is None:
        outputs, mean, variance = norm()
    else:
        mean, variance = moments
        outputs, _, _ = norm(mean=mean, variance=variance, is_training=False)
    return tf.reshape(outputs, tf.shape(inputs)), mean, variance


def _plain_norm(inputs, beta, gamma, epsilon, moments):
    """Normalize inputs [..., channels] of any rank, as :func:`_fused_norm` does, with the variance of the batch."""
    if moments is None:
        axes = list(range(inputs.shape.ndims - 1))
        moments = tf.nn.moments(inputs, axes)
    mean, variance = moments
    outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
    return outputs, mean, variance


def _moved(variable, value, decay):
    """Return the operation that moves a variable towards a value."""
    # rounded to float32 for float64, too, as in TensorFlow 1
    share = tf.constant(1 - decay, tf.float32)
    return tf.assign_sub(variable, (variable - value) * tf.cast(share, value.dtype))


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """Return the embeddings [batch, time, embed_dim] of ids [batch, time]. ``unique`` makes no difference to them."""
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        # variables that are used again have their shape
        if None in shape:
            shape = None
        embeddings = _variable(
            "embeddings",
            shape,
            tf.float32,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        return tf.nn.embedding_lookup(embeddings, ids)


def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, scope=None):
    """Return labels [batch] as [batch, num_classes], with another value in the place of each label."""
    with tf.name_scope(scope, "OneHotEncoding", [labels]):
        return tf.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)


def _variable(name, shape, dtype, *, initializer, regularizer, trainable):
    return tf.get_variable(
        name,
        shape,
        dtype.base_dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES],
    )


def _with_biases(outputs, normalizer_fn, initializer, regularizer, trainable, data_format="NHWC"):
    """Return outputs of a layer with its biases, if it has any. A layer with a normalizer has none."""
    if normalizer_fn is not None or initializer is None:
        return outputs
    biases = _variable(
        "biases",
        [_channels(outputs, data_format)],
        outputs.dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
    )
    if outputs.shape.ndims == 4:
        return tf.nn.bias_add(outputs, biases, data_format)
    return outputs + biases


def _finished(outputs, normalizer_fn, normalizer_params, activation_fn):
    """Return the outputs of a layer after its normalizer and its activation, where it has them."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return outputs


def _pair(sizes):
    """Return height and width, for which one number may stand."""
    if isinstance(sizes, int):
        return [sizes, sizes]
    height, width = sizes
    return [height, width]


def _four(sizes, data_format):
    """Return sizes for the four axes of pictures: height and width are given, and the others are 1."""
    if data_format == "NCHW":
        return [1, 1, *_pair(sizes)]
    return [1, *_pair(sizes), 1]


def _channels(inputs, data_format):
    axis = 1 if data_format == "NCHW" else -1
    return int(inputs.shape[axis])


# Penalties for weights


def l1_regularizer(scale, scope=None):
    """Return a function of weights: the sum of their absolute values, multiplied by a factor. 0 stands for none."""

    def penalty(weights):
        with tf.name_scope(scope, "l1_regularizer", [weights]):
            return scale * tf.reduce_sum(tf.abs(weights))

    return _no_penalty if _is_zero(scale) else penalty


def l2_regularizer(scale, scope=None):
    """Return a function of weights: half the sum of their squares, multiplied by a factor. 0 stands for none."""

    def penalty(weights):
        with tf.name_scope(scope, "l2_regularizer", [weights]):
            return scale * tf.nn.l2_loss(weights)

    return _no_penalty if _is_zero(scale) else penalty


def l1_l2_regularizer(scale_l1=1.0, scale_l2=1.0, scope=None):
    """Return a function of weights: the sum of both penalties."""
    both = [l1_regularizer(scale_l1), l2_regularizer(scale_l2)]
    return sum_regularizer(both, scope or "l1_l2_regularizer")


def sum_regularizer(regularizer_list, scope=None):
    """Return a function of weights: the sum of penalties."""

    def penalty(weights):
        with tf.name_scope(scope, "sum_regularizer", [weights]):
            penalties = [regularizer(weights) for regularizer in regularizer_list if regularizer]
            return tf.add_n([value for value in penalties if value is not None])

    return penalty


def apply_regularization(regularizer, weights_list=None):
    """Return the sum of the penalties for weights, by default those of the collection of weights.

    Raises:
        ValueError: there are no weights.
    """
    weights_list = weights_list or tf.get_collection(tf.GraphKeys.WEIGHTS)
    if not weights_list:
        raise ValueError("there are no weights to regularize: give weights_list")
    penalties = [regularizer(weights) for weights in weights_list]
    total = tf.add_n([tf.constant(0.0) if value is None else value for value in penalties])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, total)
    return total


def _is_zero(scale):
    """Return whether a factor is the number 0; it may be a tensor."""
    return isinstance(scale, (int, float)) and scale == 0


def _no_penalty(_weights):
    return None
