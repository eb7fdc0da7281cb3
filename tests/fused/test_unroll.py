"""The unrolled graph: its names, its dropout masks, its checkpoints, and the networks that it refuses."""

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


PRECISIONS = ["float32"] if TENSORFLOW_1 else ["float32", "bfloat16"]


def drawn(seed, step, shape, keep_prob=0.5, layers=2, precision="float32"):
    """Return the dropout masks of a run's seed and a step."""
    with tf.Graph().as_default(), tf.Session() as session:
        keep = tf.placeholder(tf.float32, [])
        return session.run(
            unroll._draw_masks(shape, [keep] * layers, seeds(seed, step), precision),
            {keep: keep_prob},
        )


def seeds(seed, step):
    return tf.constant([seed, step], tf.int64)


def test_masks_are_those_of_version_1():
    """So that its runs can be resumed: the seeds of a layer are [seed x layers + layer, step]."""
    with tf.Graph().as_default(), tf.Session() as session:
        draws = session.run(
            [tf.random.stateless_uniform([4, 3, 5], [2 * 7 + layer, 9]) for layer in range(2)]
        )
    for mask, draw in zip(drawn(7, 9, (4, 3, 5)), draws):
        np.testing.assert_array_equal(mask, 2 * (draw >= 0.5))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.9])
def test_masks_keep_the_mean(keep_prob, precision):
    for mask in drawn(1, 2, (51, 41, 31), keep_prob, precision=precision):
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1) / np.float32(keep_prob)}
        kept = (mask > 0).mean()
        assert abs(kept - keep_prob) < 4 * np.sqrt(keep_prob * (1 - keep_prob) / mask.size)
        assert abs(mask.mean() - 1) < 4 * np.sqrt((1 / keep_prob - 1) / mask.size)


def test_recurrent_dropout_is_that_of_the_notebooks_graph_with_dropped_weights():
    """The loss, and the gradients, which are zero where a weight is dropped."""
    step, x, y = 3, *np.random.RandomState(1).randint(0, C, (2, N, M))
    model = training_graph(C, N, M, L, 2, threads=1, recurrent_keep_prob=0.5)
    kernels = [variable for variable in tf.trainable_variables() if "kernel" in variable.name]
    ones = [tf.ones(kernel.shape) for kernel in kernels]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        feed = {model.inputs: x, model.targets: y, model.keep_prob: 1, model.mask_seed: (7, step)}
        loss, gradients, masks, weights = session.run(
            [
                model.loss,
                tf.gradients(model.loss, kernels),
                unroll._drop_recurrent(ones, 0.5, L, seeds(7, step)),
                {variable.name: variable for variable in tf.trainable_variables()},
            ],
            feed,
        )
    for mask, inputs in zip(masks, (C, L)):
        assert (mask[:inputs] == 1).all() and set(np.unique(mask[inputs:])) == {0, 2}
    expected = CharRNN(C, N, M, L, 2)
    kernels = [variable for variable in tf.trainable_variables() if "kernel" in variable.name]
    for kernel, mask in zip(kernels, masks):
        weights[kernel.name] = weights[kernel.name] * mask
    with tf.Session() as session:
        for variable in tf.trainable_variables():
            variable.load(weights[variable.name], session)
        feed = {expected.inputs: x, expected.targets: y, expected.keep_prob: 1}
        expected_loss, of_dropped = session.run(
            [expected.loss, tf.gradients(expected.loss, kernels)], feed
        )
    assert loss == pytest.approx(expected_loss, abs=1e-6)
    for gradient, theirs, mask in zip(gradients, of_dropped, masks):
        np.testing.assert_allclose(gradient, theirs * mask, atol=1e-6)


def test_recurrent_dropout_depends_on_seed_and_step_and_differs_from_that_of_outputs():
    def dropped(seed, step):
        with tf.Graph().as_default(), tf.Session() as session:
            outputs = unroll._draw_masks((30, 4 * 30), [tf.constant(0.5)] * 2, seeds(seed, step))
            return session.run(
                [
                    *unroll._drop_recurrent(
                        [tf.ones([30, 4 * 30])] * 2, 0.5, 30, seeds(seed, step)
                    ),
                    *outputs,
                ]
            )

    first = dropped(1, 2)
    same = dropped(1, 2)
    others = [dropped(2, 2), dropped(1, 3), dropped(0, 2)]
    for one, two in zip(first, same):
        assert (one == two).all()
    for one, two in [
        (first[0], first[1]),
        (first[0], first[2]),
        (first[1], first[3]),
        *((first[0], other[0]) for other in others),
    ]:
        assert abs((one == two).mean() - 0.5) < 4 * 0.5 / np.sqrt(one.size)


@pytest.mark.parametrize("layers", [2, pytest.param(1, marks=slow), pytest.param(3, marks=slow)])
def test_it_has_the_variables_and_tensors_of_dynamic_rnns_graph(layers):
    def graph_of(model):
        tensors = [
            model.inputs,
            model.targets,
            model.keep_prob,
            model.prediction,
            model.logits,
            model.loss,
            *tf.nest.flatten([model.initial_state, model.final_state]),
        ]
        return (
            [(variable.name, str(variable.shape)) for variable in tf.global_variables()],
            [tensor.name for tensor in tensors[:4]],
            [(tensor.dtype, str(tensor.shape)) for tensor in tensors],
        )

    assert graph_of(training_graph(C, N, M, L, layers, threads=2)) == graph_of(
        CharRNN(C, N, M, L, layers)
    )


@pytest.mark.skipif(
    not tf.test.is_built_with_cuda(), reason="this TensorFlow has no kernels for a GPU"
)
@pytest.mark.parametrize("options", [{}, {"recurrent_keep_prob": 0.5, "num_classes": 40000}])
def test_no_operation_of_training_is_for_the_processor_only(options):
    """TensorFlow has a kernel for a GPU, or for any device, for each type of operation and of its numbers."""
    from tensorflow.python.framework import kernels

    training_graph(
        **{
            **dict(num_classes=83, batch_size=100, num_steps=100, lstm_size=16, num_layers=2),
            **options,
        }
    )

    def fits(operation, kernel):
        return kernel.device_type in ("GPU", "DEFAULT") and all(
            operation.get_attr(constraint.name).as_datatype_enum
            in constraint.allowed_values.list.type
            for constraint in kernel.constraint
        )

    assert {
        operation.type
        for operation in tf.get_default_graph().get_operations()
        if not any(
            fits(operation, kernel)
            for kernel in kernels.get_registered_kernels_for_op(operation.type).kernel
        )
    } == set()
