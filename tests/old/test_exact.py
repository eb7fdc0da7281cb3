"""tf.contrib of charrnn gives the numbers, names and shapes of TensorFlow 1.15's own, which exact.npz has.

On TensorFlow 1.15, its own functions are measured, so that the file is known to be right.
"""

import exact_cases
import numpy as np
import pytest

# by tf_slim; while a program runs, this is silent
pytestmark = pytest.mark.filterwarnings("ignore:`(tf.layers|layer.apply).* is deprecated")


@pytest.fixture(scope="module")
def recorded():
    return exact_cases.recorded()


def assert_close(ours, theirs):
    assert sorted(ours) == sorted(theirs)
    for name, array in theirs.items():
        tolerance = 1e-11 if array.dtype == np.float64 else 2e-6
        np.testing.assert_allclose(ours[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def cases():
    """Return the names of all cases. The first of each function is quick, and the others are slow."""
    seen = set()
    marked = []
    for name, (function, _) in exact_cases.CASES.items():
        marks = [pytest.mark.slow] if function in seen else []
        marked.append(pytest.param(name, marks=marks))
        seen.add(function)
    return marked


@pytest.mark.parametrize("name", cases())
def test_it_is_that_of_tensorflow_1(old_tf, recorded, name):
    expected, expected_about = recorded[name]
    arrays, about = exact_cases.measure(old_tf, name)
    assert about == expected_about
    assert_close(arrays, expected)


@pytest.mark.parametrize("name", exact_cases.OPTIONS)
def test_batches_of_digits_are_those_of_tensorflow_1(old_tf, recorded, tmp_path, name):
    from tensorflow.examples.tutorials.mnist import input_data

    expected, _ = recorded[name]
    assert_close(exact_cases.batches(input_data, tmp_path, exact_cases.OPTIONS[name]), expected)


def test_all_that_was_recorded_is_compared(recorded):
    assert set(recorded) == {*exact_cases.CASES, *exact_cases.OPTIONS}


def test_a_training_helper_reads_sequences_of_one_step(old_tf):
    inputs = [[[1.0, 2.0]], [[3.0, 4.0]]]  # [2, 1, 2]
    with old_tf.Graph().as_default(), old_tf.Session() as session:
        helper = old_tf.contrib.seq2seq.TrainingHelper(inputs, [1, 1])
        _, first = helper.initialize()
        assert session.run(first).tolist() == [[1, 2], [3, 4]]
