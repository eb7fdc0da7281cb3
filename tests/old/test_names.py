"""The names of TensorFlow 1: which are there, what is said of the others, and where the page has them."""

import importlib
import re

import numpy as np
import pytest
from conftest import ROOT, needs_contrib, needs_tensorflow_2

PAGE = (ROOT / "docs" / "old-code.md").read_text(encoding="utf-8")

NAMES_OF_DATA = """
    Counter CsvDataset Dataset FixedLengthRecordDataset Iterator Optional RandomDataset Reducer SqlDataset
    TFRecordDataset TFRecordWriter TextLineDataset bucket_by_sequence_length choose_from_datasets copy_to_device
    dense_to_sparse_batch enumerate_dataset get_next_as_optional get_single_element group_by_reducer group_by_window
    ignore_errors make_batched_features_dataset make_csv_dataset make_saveable_from_iterator map_and_batch
    parallel_interleave parse_example_dataset prefetch_to_device rejection_resample
    sample_from_datasets scan shuffle_and_repeat unbatch unique
""".split()


def cell_of_page(part, before=""):
    """Return what the page has beside a part in its table."""
    (cell,) = re.findall(rf"^\| {before}`{re.escape(part)}` \| (.*) \|$", PAGE, re.MULTILINE)
    return cell


@needs_tensorflow_2
def test_the_page_has_the_names_that_are_there(old_tf):
    """Those of the modules of charrnn."""
    from charrnn.old.interface import PARTS

    for part, sources in PARTS.items():
        for source in sources:
            if source.startswith("charrnn.old.") and part != "tensorflow.contrib.learn":
                names = importlib.import_module(source).__all__
                cell = cell_of_page(part.replace("tensorflow.contrib", "tf.contrib"))
                assert set(names) <= set(re.findall(r"`(\w+)`", cell))


@needs_tensorflow_2
def test_the_page_has_the_parts_that_are_there(old_tf):
    from charrnn.old.interface import PARTS

    for part, sources in PARTS.items():
        if sources:
            assert f"`{part.replace('tensorflow.contrib', 'tf.contrib')}`" in PAGE


@needs_tensorflow_2
def test_the_names_of_the_page_are_there(old_tf):
    for part, cell in re.findall(r"^\| `(tf\.contrib\.[\w.]+)` \| (.*) \|$", PAGE, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", cell):
            assert eval(f"{part}.{name}", {"tf": old_tf})


@needs_tensorflow_2
def test_the_page_has_the_names_of_numpy(old_tf):
    from charrnn.old.removed import OF_NUMPY

    (cell,) = re.findall(r"^\| NumPy, .*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`np\.(\w+)`", cell)) == set(OF_NUMPY)


@needs_tensorflow_2
def test_the_page_has_what_is_not_there(old_tf):
    from charrnn.old.missing import INSTEAD

    for name in INSTEAD:
        short = name.replace("tensorflow.contrib", "contrib").replace("tensorflow.", "tf.")
        assert f"`{short}`" in PAGE


@needs_tensorflow_2
@pytest.mark.parametrize(
    "statement, advice",
    [
        ("from tensorflow.contrib.learn import DNNClassifier", "tf.train and a session"),
        ("from tensorflow.contrib.learn.python.learn.datasets import base", "NumPy"),
        ("from tensorflow.contrib.seq2seq import AttentionWrapper", "there is no way"),
        ("tf.contrib.learn.datasets.load_dataset", "tf.train and a session"),
        ("tf.contrib.crf.crf_log_likelihood", "there is no way"),
        ("tf.contrib.layers.real_valued_column", "there is no way"),
        ("tf.contrib.training.bucket_by_sequence_length", "there is no way"),
        ("tf.contrib.data.batch_and_drop_remainder(3)", "drop_remainder=True"),
    ],
)
def test_what_is_not_there_is_named_with_what_to_write_instead(old_tf, statement, advice):
    with pytest.raises((ImportError, AttributeError)) as raised:
        exec(statement, {"tf": old_tf})
    message = str(raised.value)
    assert message.startswith("charrnn has no tensorflow.contrib.")
    assert advice in message


@needs_tensorflow_2
@pytest.mark.parametrize(
    "statement", ["tf.estimator.RunConfig()", "from tensorflow.estimator import RunConfig"]
)
def test_estimators_are_there_or_named_with_the_versions_that_have_them(old_tf, statement):
    # its own
    if old_tf.__version__.startswith("2.15"):
        exec(statement, {"tf": old_tf})
        return
    with pytest.raises(
        (ImportError, AttributeError), match=r"TensorFlow up to 2\.15 and"
    ) as raised:
        exec(statement, {"tf": old_tf})
    assert str(raised.value).startswith("charrnn has no tensorflow.estimator.RunConfig ")


@needs_tensorflow_2
def test_data_sets_are_those_of_tf_data(old_tf):
    """Names of tf.contrib.data of TensorFlow 1.2 to 1.15."""
    for name in NAMES_OF_DATA:
        assert getattr(old_tf.contrib.data, name)
    assert old_tf.contrib.data.Dataset is old_tf.data.Dataset


@needs_tensorflow_2
def test_what_is_said_to_be_in_tensorflow_is_there(old_tf):
    from charrnn.old.missing import INSTEAD, advice

    used = re.findall(r"\btf(?:\.\w+)+", " ".join(map(advice, INSTEAD)))
    assert len(used) > 10
    for name in used:
        assert eval(name, {"tf": old_tf})


@needs_tensorflow_2
def test_what_tf_slim_needs_is_there(old_tf):
    from tensorflow.python.framework import ops
    from tensorflow.python.layers import normalization

    assert ops.Tensor is old_tf.Tensor
    assert ops.IndexedSlices is old_tf.IndexedSlices
    with old_tf.Graph().as_default():
        assert normalization.BatchNormalization()(old_tf.zeros([2, 3])).shape.as_list() == [2, 3]


@needs_tensorflow_2
def test_the_page_has_the_messages_with_a_hint(old_tf):
    from charrnn.old.missing import HINTS

    _, messages = PAGE.split("\n## Messages\n")
    for part_of_message in HINTS:
        assert part_of_message in messages


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
