"""Small graphs with each function of tf.contrib that charrnn has, and what is compared of them.

On TensorFlow 1.15, they are built with its own tf.contrib. This writes their numbers to exact.npz, with 1.15::

    python tests/old/exact_cases.py
"""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).with_name("exact.npz")
CASES = {}
# sizes, all different
BATCH = 3
TIME = 4
SIZE = 5
UNITS = 6
CLASSES = 7
HEIGHT = 8
WIDTH = 9


def case(*values):
    """Register a function of tf and a value for each of some values; what it returns are the outputs."""

    def register(function):
        for value in values or [None]:
            name = function.__name__ if value is None else f"{function.__name__}-{value}"
            CASES[name] = (function, value)
        return function

    return register


def numbers(name, *shape):
    """Return numbers from -0.5 to 0.5 that depend on a name, so that each variable has others."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    return random.uniform(-0.5, 0.5, shape)


def given(tf, name, shape, dtype="float32", known=True):
    """Return an input of a graph; its sizes may be unknown while the graph is built, but for the last one."""
    value = numbers(name, *shape).astype(dtype)
    known_shape = list(shape) if known else [None] * (len(shape) - 1) + [shape[-1]]
    return tf.placeholder_with_default(value, known_shape, name=name)


def sequence(tf, known=True, dtype="float32"):
    return given(tf, "sequence", [BATCH, TIME, SIZE], dtype, known)


def pictures(tf, dtype="float32", known=True):
    return given(tf, "pictures", [BATCH, HEIGHT, WIDTH, 2], dtype, known)


# rnn


@case("BasicRNNCell", "BasicLSTMCell", "GRUCell", "LSTMCell")
def cells(tf, kind):
    rnn = tf.contrib.rnn
    cell = getattr(rnn, kind)
    stack = rnn.MultiRNNCell([rnn.DropoutWrapper(cell(UNITS)), rnn.ResidualWrapper(cell(UNITS))])
    return tf.nn.dynamic_rnn(stack, sequence(tf), dtype=tf.float32)


@case()
def static_rnn(tf, _):
    inputs = tf.unstack(sequence(tf), axis=1)
    return tf.contrib.rnn.static_rnn(tf.contrib.rnn.GRUCell(UNITS), inputs, dtype=tf.float32)


@case()
def static_bidirectional_rnn(tf, _):
    rnn = tf.contrib.rnn
    inputs = tf.unstack(sequence(tf), axis=1)
    forwards = rnn.BasicLSTMCell(UNITS)
    backwards = rnn.BasicLSTMCell(UNITS + 1)
    return rnn.static_bidirectional_rnn(forwards, backwards, inputs, dtype=tf.float32)


@case("float32", "float64")
def stack_bidirectional_rnn(tf, dtype):
    rnn = tf.contrib.rnn
    inputs = tf.unstack(sequence(tf, dtype=dtype), axis=1)
    forwards = [rnn.GRUCell(UNITS), rnn.GRUCell(UNITS + 1)]
    backwards = [rnn.GRUCell(UNITS), rnn.GRUCell(UNITS + 2)]
    first = forwards[0].zero_state(BATCH, dtype) + 1
    return rnn.stack_bidirectional_rnn(
        forwards,
        backwards,
        inputs,
        initial_states_fw=[first, forwards[1].zero_state(BATCH, dtype)],
        dtype=tf.as_dtype(dtype),
    )


@case(True, False)
def stack_bidirectional_dynamic_rnn(tf, known):
    rnn = tf.contrib.rnn
    forwards = [rnn.BasicLSTMCell(UNITS), rnn.GRUCell(UNITS + 1)]
    backwards = [rnn.BasicLSTMCell(UNITS), rnn.GRUCell(UNITS + 2)]
    return rnn.stack_bidirectional_dynamic_rnn(
        forwards, backwards, sequence(tf, known), dtype=tf.float32, sequence_length=[4, 2, 3]
    )


@case("none", "relu")
def output_projection(tf, activation):
    rnn = tf.contrib.rnn
    function = tf.nn.relu if activation == "relu" else None
    cell = rnn.OutputProjectionWrapper(rnn.BasicRNNCell(UNITS), CLASSES, activation=function)
    return tf.nn.dynamic_rnn(cell, sequence(tf), dtype=tf.float32)


# layers


@case("xavier", "xavier normal", "FAN_IN", "FAN_OUT", "FAN_AVG", "uniform", "convolution")
def initializers(tf, kind):
    layers = tf.contrib.layers
    shape = [SIZE, UNITS]
    if kind == "xavier":
        initializer = layers.xavier_initializer(seed=3)
    elif kind == "xavier normal":
        initializer = layers.xavier_initializer(uniform=False, seed=3)
    elif kind == "uniform":
        initializer = layers.variance_scaling_initializer(uniform=True, seed=3)
        shape = [UNITS]
    elif kind == "convolution":
        initializer = layers.xavier_initializer_conv2d(seed=3)
        shape = [2, 3, SIZE, UNITS]
    else:
        initializer = layers.variance_scaling_initializer(factor=1.5, mode=kind, seed=3)
    return initializer(shape)


@case("float32", "float64")
def fully_connected(tf, dtype):
    layers = tf.contrib.layers
    inputs = given(tf, "inputs", [BATCH, SIZE], dtype)
    hidden = layers.fully_connected(inputs, UNITS)
    other = layers.fully_connected(inputs, UNITS, tf.nn.tanh, scope="other")
    again = layers.fully_connected(inputs, UNITS, None, reuse=True, scope="other")
    return hidden, other, again


@case(True, False)
def fully_connected_of_sequences(tf, known):
    layers = tf.contrib.layers
    inputs = sequence(tf, known)
    return layers.linear(inputs, UNITS), layers.relu(inputs, UNITS, biases_initializer=None)


@case()
def fully_connected_with_norm(tf, _):
    layers = tf.contrib.layers
    inputs = given(tf, "inputs", [BATCH, SIZE])
    return layers.fully_connected(
        inputs,
        UNITS,
        normalizer_fn=layers.batch_norm,
        normalizer_params={"is_training": True, "scale": True},
        weights_regularizer=layers.l2_regularizer(0.3),
        trainable=False,
    )


@case("SAME", "VALID", "stride", "rate", "float64", "unknown")
def conv2d(tf, kind):
    layers = tf.contrib.layers
    inputs = pictures(tf, "float64" if kind == "float64" else "float32", kind != "unknown")
    options = {"stride": {"stride": [2, 3]}, "rate": {"rate": 2}, "VALID": {"padding": "VALID"}}
    first = layers.conv2d(inputs, UNITS, [3, 2], **options.get(kind, {}))
    return first, layers.convolution2d(first, 4, 2, activation_fn=None, scope="second")


@case("SAME", "VALID", "unknown")
def conv2d_transpose(tf, kind):
    layers = tf.contrib.layers
    inputs = pictures(tf, known=kind != "unknown")
    padding = "VALID" if kind == "VALID" else "SAME"
    return layers.conv2d_transpose(inputs, UNITS, [4, 3], stride=2, padding=padding)


@case("SAME", "VALID")
def pools(tf, padding):
    layers = tf.contrib.layers
    inputs = pictures(tf)
    largest = layers.max_pool2d(inputs, [3, 2], padding=padding)
    return largest, layers.avg_pool2d(inputs, 3, stride=[1, 2], padding=padding)


@case(True, False)
def flatten(tf, known):
    return tf.contrib.layers.flatten(pictures(tf, known=known))


@case()
def dropout(tf, _):
    layers = tf.contrib.layers
    inputs = sequence(tf)
    return layers.dropout(inputs, 0.7, seed=3), layers.dropout(inputs, 0.7, is_training=False)


@case("2", "3", "4", "not fused")
def batch_norm(tf, axes):
    inputs = {
        "2": given(tf, "inputs", [BATCH, SIZE], known=False),
        "3": sequence(tf),
        "4": pictures(tf),
        "not fused": given(tf, "inputs", [BATCH, SIZE], "float64"),
    }[axes]
    is_fused = False if axes == "not fused" else None
    norm = tf.contrib.layers.batch_norm
    trained = norm(inputs, decay=0.7, scale=True, fused=is_fused)
    used = norm(inputs, is_training=False, center=False, fused=is_fused)
    return trained, used


@case(True, False)
def batch_norm_by_a_tensor(tf, is_training):
    flag = tf.placeholder_with_default(is_training, [])
    return tf.contrib.layers.batch_norm(pictures(tf), decay=0.7, epsilon=0.1, is_training=flag)


@case("2", "3", "4")
def batch_norm_with_its_updates(tf, axes):
    """Inputs of 3 axes are normalized by another operation."""
    inputs = {"2": given(tf, "inputs", [BATCH, SIZE]), "3": sequence(tf), "4": pictures(tf)}[axes]
    norm = tf.contrib.layers.batch_norm
    return norm(inputs, 0.7, updates_collections=None, activation_fn=tf.nn.relu, scope="norm")


@case(True, False)
def embed_sequence(tf, known):
    layers = tf.contrib.layers
    ids = tf.placeholder_with_default([[1, 2, 6], [0, 2, 3]], [2, 3] if known else [None, None])
    first = layers.embed_sequence(ids, CLASSES, SIZE, scope="ids")
    again = layers.embed_sequence(ids, CLASSES, SIZE, scope="ids", reuse=True)
    return first, again, layers.embed_sequence(ids, CLASSES, UNITS)


@case("int32", "int64")
def one_hot_encoding(tf, dtype):
    labels = tf.constant([3, 0, 6], dtype)
    return tf.contrib.layers.one_hot_encoding(labels, CLASSES, on_value=2.0)


@case()
def regularizers(tf, _):
    layers = tf.contrib.layers
    penalties = [
        layers.l1_regularizer(0.3),
        layers.l2_regularizer(0.2),
        layers.l1_l2_regularizer(0.3, 0.2),
        layers.sum_regularizer([layers.l1_regularizer(0.4), layers.l2_regularizer(0.0)]),
    ]
    variables = []
    for number, penalty in enumerate(penalties):
        variables.append(tf.get_variable(f"v{number}", [SIZE, UNITS], regularizer=penalty))
    total = layers.apply_regularization(layers.l2_regularizer(0.1), variables)
    tf.add_to_collection(tf.GraphKeys.WEIGHTS, variables[1])
    of_collection = layers.apply_regularization(layers.l1_regularizer(0.1))
    return [total, of_collection, *tf.losses.get_regularization_losses()]


@case()
def layer_norm(tf, _):
    return tf.contrib.layers.layer_norm(sequence(tf))


@case(True, False)
def transposed_convolution(tf, known):
    """That of tf.nn; where the batch size is known of the outputs alone, and nowhere."""
    inputs = pictures(tf, known=False)
    kernel = tf.get_variable("kernel", [2, 3, 4, 2])
    sizes = [BATCH, 2 * HEIGHT, 2 * WIDTH, 4]
    if not known:
        sizes = tf.stack([tf.shape(inputs)[0], *sizes[1:]])
    return tf.nn.conv2d_transpose(inputs, kernel, output_shape=sizes, strides=[1, 2, 2, 1])


# slim and framework


@case()
def arg_scope(tf, _):
    """Layers of tf.contrib.slim and tf.contrib.layers are the same."""
    slim = tf.contrib.slim
    layers = tf.contrib.layers
    penalty = layers.l2_regularizer(0.3)
    # a large epsilon, so that four such layers lose no digits
    norm = {"is_training": True, "updates_collections": None, "epsilon": 0.5}
    with tf.contrib.framework.arg_scope(
        [slim.conv2d, layers.fully_connected],
        weights_regularizer=penalty,
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
    ):
        hidden = slim.repeat(pictures(tf), 2, layers.conv2d, 4, [3, 3], scope="conv")
        hidden = slim.separable_conv2d(hidden, UNITS, 3, depth_multiplier=1)
        outputs = layers.fully_connected(slim.flatten(slim.max_pool2d(hidden, 2)), CLASSES)
    return outputs, slim.losses.softmax_cross_entropy(outputs, tf.one_hot([1, 2, 6], CLASSES))


@case("SGD", "Adam")
def optimize_loss(tf, optimizer):
    outputs = tf.contrib.layers.linear(given(tf, "inputs", [BATCH, SIZE]), UNITS)
    return tf.contrib.layers.optimize_loss(
        tf.reduce_mean(outputs**2),
        tf.contrib.framework.get_or_create_global_step(),
        learning_rate=0.1,
        optimizer=optimizer,
        clip_gradients=1.0,
    )


# seq2seq


def decoder(tf, helper, dtype="float32", layer=True):
    cell = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.BasicLSTMCell(CLASSES)])
    output_layer = tf.layers.Dense(CLASSES, use_bias=False) if layer else None
    state = cell.zero_state(BATCH, dtype)
    return tf.contrib.seq2seq.BasicDecoder(cell, helper, state, output_layer)


@case("plain", "impute", "maximum", "time major", "float64", "unknown", "none")
def decode_in_training(tf, kind):
    dtype = "float64" if kind == "float64" else "float32"
    inputs = sequence(tf, kind != "unknown", dtype)
    lengths = tf.placeholder_with_default([4, 2, 3], [None if kind == "unknown" else BATCH])
    if kind == "none":
        lengths = tf.zeros_like(lengths)
    helper = tf.contrib.seq2seq.TrainingHelper(inputs, lengths)
    return tf.contrib.seq2seq.dynamic_decode(
        decoder(tf, helper, dtype, layer=kind != "plain"),
        impute_finished=kind == "impute",
        maximum_iterations=3 if kind == "maximum" else None,
        output_time_major=kind == "time major",
        scope="answer" if kind == "maximum" else None,
    )


@case(True, False)
def decode_by_time(tf, impute_finished):
    by_time = given(tf, "by_time", [TIME, BATCH, SIZE])
    helper = tf.contrib.seq2seq.TrainingHelper(by_time, [1, 4, 2], time_major=True)
    return tf.contrib.seq2seq.dynamic_decode(decoder(tf, helper), impute_finished=impute_finished)


@case("matrix", "function", "impute")
def decode_greedily(tf, kind):
    table = tf.get_variable("table", [CLASSES, SIZE])
    embedding = table
    if kind == "function":
        embedding = lambda ids: tf.nn.embedding_lookup(table, ids) * 2  # noqa: E731
    start = tf.constant([1, 2, 5])
    helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(embedding, start, 4)
    return tf.contrib.seq2seq.dynamic_decode(
        decoder(tf, helper), maximum_iterations=9, impute_finished=kind == "impute"
    )


@case(None, 0.4)
def decode_by_drawing(tf, temperature):
    table = tf.get_variable("table", [CLASSES, SIZE])
    helper = tf.contrib.seq2seq.SampleEmbeddingHelper(
        table, tf.constant([1, 2, 5]), 4, softmax_temperature=temperature, seed=3
    )
    return tf.contrib.seq2seq.dynamic_decode(decoder(tf, helper), maximum_iterations=9)


@case()
def decode_by_functions(tf, _):
    def initialize():
        return tf.constant([False, False, True]), tf.ones([BATCH, SIZE])

    def sample(time, outputs, state):
        return outputs[:, :2] * 3

    def next_inputs(time, outputs, state, sample_ids):
        return tf.fill([BATCH], time >= 3), tf.concat([sample_ids, outputs[:, :3]], 1), state

    helper = tf.contrib.seq2seq.CustomHelper(initialize, sample, next_inputs, [2], tf.float32)
    return tf.contrib.seq2seq.dynamic_decode(decoder(tf, helper), impute_finished=True)


WAYS = {
    "both": {},
    "time": dict(average_across_batch=False),
    "batch": dict(average_across_timesteps=False),
    "none": dict(average_across_batch=False, average_across_timesteps=False),
    "sums": dict(
        average_across_batch=False,
        average_across_timesteps=False,
        sum_over_batch=True,
        sum_over_timesteps=True,
    ),
    "sum over time": dict(
        average_across_batch=False, average_across_timesteps=False, sum_over_timesteps=True
    ),
    "average and sum": dict(average_across_batch=False, sum_over_batch=True),
    "function": dict(softmax_loss_function=lambda labels, logits: logits[:, 1] * 2),
    "float64": {},
    "unknown": {},
}


@case(*WAYS)
def sequence_loss(tf, way):
    dtype = "float64" if way == "float64" else "float32"
    logits = given(tf, "logits", [BATCH, TIME, CLASSES], dtype, known=way != "unknown")
    targets = tf.constant([[1, 2, 3, 4], [5, 6, 0, 1], [2, 3, 4, 5]])
    weights = tf.constant([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0.5, 0, 0]], dtype)
    return tf.contrib.seq2seq.sequence_loss(logits, targets, weights, **WAYS[way])


# legacy_seq2seq


@case("inputs", "loop", "float64")
def rnn_decoder(tf, kind):
    dtype = "float64" if kind == "float64" else "float32"
    inputs = tf.unstack(sequence(tf, dtype=dtype), axis=1)
    cell = tf.contrib.rnn.BasicLSTMCell(UNITS)
    loop = None
    if kind == "loop":
        loop = lambda output, step: output[:, :SIZE] * step  # noqa: E731
    state = cell.zero_state(BATCH, dtype)
    return tf.contrib.legacy_seq2seq.rnn_decoder(inputs, state, cell, loop, scope="rnnlm")


@case("basic_rnn_seq2seq", "tied_rnn_seq2seq")
def legacy_seq2seq(tf, name):
    function = getattr(tf.contrib.legacy_seq2seq, name)
    encoded = tf.unstack(sequence(tf), axis=1)
    decoded = tf.unstack(given(tf, "decoded", [BATCH, 3, SIZE]), axis=1)
    return function(encoded, decoded, tf.contrib.rnn.GRUCell(UNITS))


def ids_of_steps(tf, count, classes):
    """Return ids [batch] for each of some steps."""
    steps = []
    for step in range(count):
        steps.append(tf.constant([(step + row * 2) % classes for row in range(BATCH)]))
    return steps


@case("read", "fed", "by a tensor", "by another tensor", "projection")
def embedding_rnn_seq2seq(tf, kind):
    """All feed ids back but the first and "by another tensor"."""
    feeds = {"read": False, "fed": True, "projection": True}.get(kind)
    if feeds is None:
        feeds = tf.placeholder_with_default(kind == "by a tensor", [])
    options = {}
    if kind == "projection":
        weights = tf.get_variable("weights", [UNITS, CLASSES])
        options = {"output_projection": (weights, tf.zeros([CLASSES]))}
    return tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
        ids_of_steps(tf, TIME, SIZE),
        ids_of_steps(tf, 3, CLASSES),
        tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.BasicLSTMCell(UNITS)]),
        SIZE,
        CLASSES,
        embedding_size=8,
        feed_previous=feeds,
        **options,
    )


@case("read", "fed", "by a tensor", "heads", "first")
def embedding_attention_seq2seq(tf, kind):
    feeds = {"fed": True, "by a tensor": None}.get(kind, False)
    if feeds is None:
        feeds = tf.placeholder_with_default(True, [])
    return tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(
        ids_of_steps(tf, TIME, SIZE),
        ids_of_steps(tf, 3, CLASSES),
        tf.contrib.rnn.GRUCell(UNITS),
        SIZE,
        CLASSES,
        embedding_size=8,
        num_heads=2 if kind == "heads" else 1,
        feed_previous=feeds,
        initial_state_attention=kind == "first",
    )


@case("mean", "each")
def model_with_buckets(tf, kind):
    def model(encoded, decoded):
        legacy = tf.contrib.legacy_seq2seq
        cell = tf.contrib.rnn.GRUCell(UNITS)
        return legacy.embedding_rnn_seq2seq(encoded, decoded, cell, SIZE, CLASSES, 8)

    weights = [tf.constant([1.0, 0.5, 1.0])] * 3
    return tf.contrib.legacy_seq2seq.model_with_buckets(
        ids_of_steps(tf, TIME, SIZE),
        ids_of_steps(tf, 3, CLASSES),
        ids_of_steps(tf, 3, CLASSES),
        weights,
        [(2, 1), (TIME, 3)],
        model,
        per_example_loss=kind == "each",
    )


@case("both", "time", "batch", "function", "by example")
def legacy_losses(tf, way):
    legacy = tf.contrib.legacy_seq2seq
    logits = tf.unstack(given(tf, "logits", [TIME, BATCH, CLASSES]))
    targets = tf.unstack(tf.constant([[1, 2, 3], [4, 5, 6], [0, 1, 2], [3, 4, 5]]))
    weights = tf.unstack(tf.constant([[1.0, 1, 1], [1, 1, 0.5], [1, 0, 0], [0, 0, 0]]))
    if way == "by example":
        return legacy.sequence_loss_by_example(logits, targets, weights)
    return legacy.sequence_loss(logits, targets, weights, **WAYS[way])


# what is compared


def measure(tf, name):
    """Build a case in a graph of its own. Return its arrays by name, and what is known of the graph as JSON."""
    function, value = CASES[name]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(5)
        outputs = flat(tf, function(tf, value))
        variables = tf.global_variables()
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        floats = [output for output in outputs if output.dtype.is_floating]
        trained = tf.trainable_variables()
        gradients = []
        if trained and floats:
            total = tf.add_n([tf.cast(tf.reduce_sum(output**2), tf.float64) for output in floats])
            gradients = tf.gradients(total, trained)

        for variable in variables:
            value = numbers(variable.op.name, *variable.shape.as_list())
            if variable.op.name.endswith("variance"):
                value += 1
            session.run(variable.initializer, {variable.initializer.inputs[1]: value})

        arrays = {}
        slopes = {}
        for variable, gradient in zip(trained, gradients):
            if gradient is not None:
                slopes[f"gradient of {variable.op.name}"] = dense(tf, gradient, variable)
        results, slopes = session.run([outputs, slopes])
        for number, result in enumerate(results):
            arrays[f"output {number}"] = result
        arrays.update(slopes)
        session.run(updates)
        for variable in variables:
            if "moving" in variable.op.name:
                arrays[f"{variable.op.name} after an update"] = session.run(variable)
        about = {
            "variables": {variable.op.name: variable.shape.as_list() for variable in variables},
            "trained": sorted(variable.op.name for variable in trained),
            "types": [output.dtype.name for output in outputs],
            "shapes": [shape_of(output) for output in outputs],
            "updates": len(updates),
            "penalties": len(tf.losses.get_regularization_losses()),
        }
    return arrays, about


def dense(tf, gradient, variable):
    """Return a gradient as a tensor. That of an embedding has some of its rows only."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, _ = variable.shape.as_list()
    return tf.unsorted_segment_sum(gradient.values, gradient.indices, rows)


def flat(tf, outputs):
    """Return the tensors of nested outputs."""
    if isinstance(outputs, (list, tuple)):
        tensors = []
        for output in outputs:
            tensors.extend(flat(tf, output))
        return tensors
    return [outputs]


def shape_of(tensor):
    return None if tensor.shape.ndims is None else tensor.shape.as_list()


def batches(input_data, folder, options):
    """Return what a data set of made-up files gives in some batches."""
    random = np.random.RandomState(3)
    for part, count in (("train", 11), ("t10k", 4)):
        images = random.randint(0, 256, [count, 2, 3]).astype(np.uint8)
        labels = random.randint(0, 10, count).astype(np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images, 2051)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels, 2049)
    data = input_data.read_data_sets(str(folder), validation_size=3, **options)
    arrays = [data.validation.images, data.validation.labels, data.test.images, data.test.labels]
    for size in (3, 4, 5):
        arrays.extend(data.train.next_batch(size))
    arrays.extend(data.test.next_batch(6, shuffle=False))
    arrays.append(np.array([data.train.num_examples, data.train.epochs_completed]))
    return {f"array {number}": array for number, array in enumerate(arrays)}


def write_idx(path, array, magic):
    """Write an array of bytes as MNIST has them."""
    header = np.array([magic, *array.shape], ">i4").tobytes()
    with gzip.open(str(path), "wb") as file:
        file.write(header + array.tobytes())


OPTIONS = {
    "vectors": dict(seed=4),
    "one hot": dict(seed=4, one_hot=True, reshape=False),
    "bytes": dict(seed=4, dtype="uint8"),
}


def record():
    """Write what TensorFlow 1.15 gives."""
    import tempfile

    import tensorflow as tf
    from tensorflow.examples.tutorials.mnist import input_data

    expected = {}
    values = {"float64": [], "float32": []}

    def add(name, arrays, about):
        # JSON has the names, types and shapes of the arrays, whose numbers follow each other in one array of a type.
        described = []
        for key, array in arrays.items():
            described.append([key, array.dtype.name, list(array.shape)])
            of_type = type_of_values(array.dtype.name)
            values[of_type].append(np.ravel(array).astype(of_type))
        expected[name] = {"arrays": described, "about": about}

    for name in CASES:
        add(name, *measure(tf, name))
    for name, options in OPTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            add(name, batches(input_data, Path(folder), options), None)
    joined = {name: np.concatenate(parts) for name, parts in values.items()}
    np.savez_compressed(str(RECORDED), expected=json.dumps(expected), **joined)


def type_of_values(dtype):
    """Return the type in which the numbers of an array are stored; small integers and bools are float32, too."""
    return "float64" if dtype == "float64" else "float32"


def recorded():
    """Return what TensorFlow 1.15 gave: by the name of a case, its arrays and what is known of its graph."""
    with np.load(str(RECORDED)) as file:
        expected = json.loads(str(file["expected"]))
        values = {name: file[name] for name in ("float64", "float32")}
    cases = {}
    for name, described in expected.items():
        arrays = {}
        for key, dtype, shape in described["arrays"]:
            size = int(np.prod(shape))
            of_type = type_of_values(dtype)
            arrays[key] = values[of_type][:size].astype(dtype).reshape(shape)
            values[of_type] = values[of_type][size:]
        cases[name] = arrays, described["about"]
    return cases


if __name__ == "__main__":
    record()
