"""The unrolled graph: its names, its dropout masks, its checkpoints, and the networks that it refuses."""

import functools

import numpy as np
import pytest
from conftest import TENSORFLOW_1, training_graph

from charrnn.fused import unroll
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

slow = pytest.mark.slow
N = 3
M = 4
L = 5
C = 6
SIZES = dict(num_classes=C, batch_size=N, num_steps=M, lstm_size=L, num_layers=2)

PRECISIONS = ["float32"] if TENSORFLOW_1 else ["float32", "bfloat16"]


def masks_of(seed, step, shape, keep_prob=0.5, layers=2, precision="float32"):
    """Return the dropout masks of a run's seed and a step."""
    with tf.Graph().as_default(), tf.Session() as session:
        keep = tf.placeholder(tf.float32, [])
        masks = unroll._draw_masks(shape, [keep] * layers, seeds(seed, step), precision)
        return session.run(masks, {keep: keep_prob})


def seeds(seed, step):
    return tf.constant([seed, step], tf.int64)


def assert_mean(values, mean, variance):
    """Check the mean of independent values, within 4 standard deviations."""
    deviation = np.sqrt(variance / values.size)
    assert abs(values.mean() - mean) < 4 * deviation


def assert_share(of_true, share):
    """Check that so large a share of independent bools is true."""
    assert_mean(of_true, share, variance=share * (1 - share))


def test_masks_are_those_of_version_1():
    """So that its runs can be resumed: the seeds of a layer are [seed x layers + layer, step]."""
    masks = masks_of(7, 9, (4, 3, 5))
    for layer, mask in enumerate(masks):
        with tf.Graph().as_default(), tf.Session() as session:
            uniform = tf.random.stateless_uniform([4, 3, 5], [2 * 7 + layer, 9])
            numbers = session.run(uniform)
        np.testing.assert_array_equal(mask, np.where(numbers >= 0.5, 2, 0))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.9])
def test_masks_keep_the_mean(keep_prob, precision):
    for mask in masks_of(1, 2, (51, 41, 31), keep_prob, precision=precision):
        factor = np.float32(1) / np.float32(keep_prob)
        assert set(np.unique(mask)) == {0, factor}
        assert_share(mask > 0, keep_prob)
        assert_mean(mask, 1, variance=1 / keep_prob - 1)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_masks_keep_all_units_with_a_keep_prob_of_1(precision):
    for mask in masks_of(1, 2, (51, 41, 31), keep_prob=1, precision=precision):
        assert set(np.unique(mask)) == {1}


def kernels():
    return [variable for variable in tf.trainable_variables() if "kernel" in variable.name]


def test_recurrent_dropout_is_that_of_the_notebooks_graph_with_dropped_weights():
    """The loss, and the gradients, which are zero where a weight is dropped."""
    step = 3
    random = np.random.RandomState(1)
    x, y = random.randint(0, C, (2, N, M))
    model = training_graph(**SIZES, threads=1, recurrent_keep_prob=0.5)
    ones = [tf.ones(kernel.shape) for kernel in kernels()]
    fetched = [
        model.loss,
        tf.gradients(model.loss, kernels()),
        unroll._drop_recurrent(ones, 0.5, L, seeds(7, step)),
        {variable.name: variable for variable in tf.trainable_variables()},
    ]
    feed = {model.inputs: x, model.targets: y, model.keep_prob: 1, model.mask_seed: (7, step)}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        loss, gradients, masks, weights = session.run(fetched, feed)

    for mask, n_inputs in zip(masks, (C, L)):
        of_inputs = mask[:n_inputs]
        recurrent = mask[n_inputs:]
        assert set(np.unique(of_inputs)) == {1}
        assert set(np.unique(recurrent)) == {0, 2}

    expected = CharRNN(**SIZES)
    for kernel, mask in zip(kernels(), masks):
        weights[kernel.name] = weights[kernel.name] * mask
    with tf.Session() as session:
        for variable in tf.trainable_variables():
            variable.load(weights[variable.name], session)
        expected_loss, of_dropped = session.run(
            [expected.loss, tf.gradients(expected.loss, kernels())],
            {expected.inputs: x, expected.targets: y, expected.keep_prob: 1},
        )

    assert loss == pytest.approx(expected_loss, abs=1e-6)
    for gradient, theirs, mask in zip(gradients, of_dropped, masks):
        np.testing.assert_allclose(gradient, theirs * mask, atol=1e-6)


def masks_of_both_kinds(seed, step):
    """Return the masks of the recurrent weights of two layers, then those of their outputs, of the same shape."""
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = unroll._draw_masks((30, 4 * 30), [tf.constant(0.5)] * 2, seeds(seed, step))
        ones = [tf.ones([30, 4 * 30])] * 2
        recurrent = unroll._drop_recurrent(ones, 0.5, 30, seeds(seed, step))
        return session.run([*recurrent, *outputs])


def test_recurrent_dropout_depends_on_seed_and_step():
    masks = masks_of_both_kinds(1, 2)
    for mask, again in zip(masks, masks_of_both_kinds(1, 2)):
        np.testing.assert_array_equal(mask, again)

    first, *_ = masks
    for seed, step in [(2, 2), (1, 3), (0, 2)]:
        other, *_ = masks_of_both_kinds(seed, step)
        assert_share(first == other, 0.5)


def test_recurrent_dropout_differs_between_layers_and_from_that_of_outputs():
    recurrent_1, recurrent_2, outputs_1, outputs_2 = masks_of_both_kinds(1, 2)
    assert_share(recurrent_1 == recurrent_2, 0.5)
    assert_share(recurrent_1 == outputs_1, 0.5)
    assert_share(recurrent_2 == outputs_2, 0.5)


def names_and_shapes(model):
    """Return the variables of a graph, the names of its placeholders, and the types and shapes of what it has."""
    named = [model.inputs, model.targets, model.keep_prob, model.prediction]
    others = [model.logits, model.loss]
    states = tf.nest.flatten([model.initial_state, model.final_state])
    variables = [(variable.name, str(variable.shape)) for variable in tf.global_variables()]
    names = [tensor.name for tensor in named]
    tensors = [(tensor.dtype, str(tensor.shape)) for tensor in named + others + states]
    return variables, names, tensors


@pytest.mark.parametrize("layers", [2, pytest.param(1, marks=slow), pytest.param(3, marks=slow)])
@pytest.mark.thorough
def test_it_has_the_variables_and_tensors_of_dynamic_rnns_graph(layers):
    sizes = dict(SIZES, num_layers=layers)
    ours = names_and_shapes(training_graph(**sizes, threads=2))
    assert ours == names_and_shapes(CharRNN(**sizes))


@functools.lru_cache(maxsize=None)
def registered_kernels(type_of_operation):
    """Return TensorFlow's kernels, which take a millisecond to find, for the operations of a type."""
    from tensorflow.python.framework import kernels

    return kernels.get_registered_kernels_for_op(type_of_operation).kernel


def has_kernel_for_gpu(operation):
    """Return whether TensorFlow has a kernel for a GPU, or for any device, for an operation and its numbers."""

    def fits(constraint):
        number = operation.get_attr(constraint.name).as_datatype_enum
        return number in constraint.allowed_values.list.type

    for kernel in registered_kernels(operation.type):
        if kernel.device_type in ("GPU", "DEFAULT") and all(map(fits, kernel.constraint)):
            return True
    return False


@pytest.mark.skipif(
    not tf.test.is_built_with_cuda(), reason="this TensorFlow has no kernels for a GPU"
)
@pytest.mark.parametrize("options", [{}, dict(recurrent_keep_prob=0.5, num_classes=40000)])
@pytest.mark.thorough
def test_no_operation_of_training_is_for_the_processor_only(options):
    sizes = dict(num_classes=83, batch_size=100, num_steps=100, lstm_size=16, num_layers=2)
    training_graph(**{**sizes, **options})
    operations = tf.get_default_graph().get_operations()
    without_kernel = [operation for operation in operations if not has_kernel_for_gpu(operation)]
    assert {operation.type for operation in without_kernel} == set()
