"""The names of TensorFlow 1: which are there, what is said of the others, and where the page has them."""

import importlib
import re

import numpy as np
import pytest
from conftest import ROOT, needs_contrib, needs_tensorflow_2

PAGE = (ROOT / "docs" / "old-code.md").read_text(encoding="utf-8")


def cell_of_page(part):
    """Return what the page has beside a part in its table."""
    (cell,) = re.findall(rf"^\| `{re.escape(part)}` \| (.*) \|$", PAGE, re.MULTILINE)
    return cell


@needs_tensorflow_2
def test_the_page_has_the_names_that_are_there(old_tf):
    from charrnn.old.interface import PARTS

    for part, module in PARTS.items():
        if module is not None:
            names = importlib.import_module(f"charrnn.old.{module}").__all__
            cell = cell_of_page(part.replace("tensorflow.contrib", "tf.contrib"))
            assert sorted(re.findall(r"`(\w+)`", cell)) == sorted(names)


@needs_tensorflow_2
def test_the_page_has_the_names_of_numpy(old_tf):
    from charrnn.old.interface import REMOVED_FROM_NUMPY

    (cell,) = re.findall(r"^\| NumPy, .*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`np\.(\w+)`", cell)) == set(REMOVED_FROM_NUMPY)


@needs_tensorflow_2
def test_the_page_has_what_is_not_there(old_tf):
    from charrnn.old.missing import INSTEAD

    for name in INSTEAD:
        assert f"`{name.replace('tensorflow.', '')}`" in PAGE


@needs_tensorflow_2
@pytest.mark.parametrize(
    "statement, advice",
    [
        ("import tensorflow.contrib.slim", "tf_slim"),
        ("from tensorflow.contrib import slim", "tf_slim"),
        ("from tensorflow.contrib.learn import DNNClassifier", "tf.train and a session"),
        ("tf.contrib.training.HParams", "SimpleNamespace"),
        ("from tensorflow.contrib.learn.python.learn.datasets import base", "NumPy"),
        ("from tensorflow.contrib.seq2seq import AttentionWrapper", "there is no way"),
        ("tf.contrib.learn.datasets.load_dataset", "tf.train and a session"),
        ("tf.contrib.crf.crf_log_likelihood", "there is no way"),
        ("tf.contrib.layers.optimize_loss", "AdamOptimizer"),
    ],
)
def test_what_is_not_there_is_named_with_what_to_write_instead(old_tf, statement, advice):
    with pytest.raises((ImportError, AttributeError)) as raised:
        exec(statement, {"tf": old_tf})
    message = str(raised.value)
    assert message.startswith("charrnn has no tensorflow.contrib.")
    assert advice in message


@needs_tensorflow_2
def test_a_part_has_no_other_attributes(old_tf):
    """So that hasattr works, as in programs for several versions."""
    assert not hasattr(old_tf.contrib, "crf")
    assert not hasattr(old_tf.contrib.rnn, "__wrapped__")


@needs_tensorflow_2
@pytest.mark.parametrize("keep_prob", [None, 1.0])
def test_one_cell_given_twice_has_variables_of_its_own(old_tf, keep_prob):
    """The input has another size than the cell."""

    def variables(copies):
        with old_tf.Graph().as_default():
            cells = []
            for _ in range(1 if copies else 2):
                cell = old_tf.contrib.rnn.BasicLSTMCell(5)
                if keep_prob:
                    rate = old_tf.placeholder_with_default(keep_prob, [])
                    cell = old_tf.contrib.rnn.DropoutWrapper(cell, output_keep_prob=rate)
                cells.append(cell)
            stack = old_tf.contrib.rnn.MultiRNNCell(cells * 2 if copies else cells)
            inputs = old_tf.zeros([2, 4, 3])
            outputs, _ = old_tf.nn.dynamic_rnn(stack, inputs, dtype=old_tf.float32)
            assert outputs.shape.as_list() == [2, 4, 5]
            return {
                variable.name: variable.shape.as_list() for variable in old_tf.global_variables()
            }

    expected = variables(copies=False)
    assert variables(copies=True) == expected
    assert len(expected) == 4


@needs_tensorflow_2
def test_files_of_digits_are_not_downloaded(old_tf, tmp_path):
    from tensorflow.examples.tutorials.mnist import input_data

    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte\.gz is missing"):
        input_data.read_data_sets(str(tmp_path))


@needs_tensorflow_2
def test_the_names_that_numpy_removed_are_those_of_numpy_1(old_tf):
    assert np.float is float
    assert np.float_ is np.float64
    assert np.Inf == np.inf


@needs_contrib
def test_the_tf_of_charrnn_has_contrib():
    from charrnn.system.tensorflow import tf

    cell = tf.contrib.rnn.BasicLSTMCell(3)
    assert cell.output_size == 3
