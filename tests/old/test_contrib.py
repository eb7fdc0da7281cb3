"""What of tf.contrib is no graph: hyperparameters, words, checkpoints. On TensorFlow 1.15, its own is tested."""

import importlib.util
import inspect
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import TENSORFLOW_1, needs_tensorflow_2

TEXTS = ["the cat's HTMLParser sat", "the dog sat, the end", "dog"]


@pytest.fixture
def hparams(old_tf):
    return old_tf.contrib.training.HParams(
        rate=0.1, units=3, name="relu", deep=False, sizes=[1, 2], none=None
    )


@pytest.mark.parametrize(
    "text, changed",
    [
        ("", {}),
        ("rate=1e-3,units=5", {"rate": 0.001, "units": 5}),
        ("rate=2", {"rate": 2.0}),
        ("name=tanh, deep=true", {"name": "tanh", "deep": True}),
        ("deep=1", {"deep": True}),
        ("deep=False,name=", {"name": ""}),
        ("sizes=[3,4, 5]", {"sizes": [3, 4, 5]}),
        ("sizes=[]", {"sizes": []}),
    ],
)
def test_hyperparameters_are_changed_by_a_text(hparams, text, changed):
    before = hparams.values()
    assert hparams.parse(text) is hparams
    assert hparams.values() == {**before, **changed}


@pytest.mark.parametrize(
    "text",
    [
        "units=2.5",
        "unknown=1",
        "units",
        "units=1,units=2",
        "deep=maybe",
        "sizes=3",
        "units=[1]",
        "sizes=[a]",
        "sizes[0]=3",
    ],
)
def test_a_wrong_text_is_refused(hparams, text):
    with pytest.raises(ValueError):
        hparams.parse(text)


@pytest.mark.parametrize(
    "name, value",
    [
        ("rate", "0.1"),
        ("rate", True),
        ("units", 2.0),
        ("units", [1]),
        ("name", 1),
        ("deep", 1),
        ("sizes", 3),
        ("sizes", [0.5]),
    ],
)
def test_a_value_of_another_type_is_refused(hparams, name, value):
    with pytest.raises(ValueError):
        hparams.set_hparam(name, value)


def test_hyperparameters_are_attributes(hparams):
    hparams.rate = 0.5
    hparams.add_hparam("more", "x")
    hparams.override_from_dict({"units": 7, "rate": 2, "none": 8})
    assert (hparams.rate, hparams.units, hparams.more, hparams.none) == (2.0, 7, "x", 8)
    assert isinstance(hparams.rate, float)
    assert "more" in hparams
    assert "less" not in hparams
    assert hparams.get("units") == 7
    assert hparams.get("less", 4) == 4
    assert hparams.parse_json('{"sizes": [8]}').sizes == [8]
    for wrong in ("rate", "values"):
        with pytest.raises(ValueError, match="reserved"):
            hparams.add_hparam(wrong, 1)
    with pytest.raises(ValueError, match="empty"):
        hparams.add_hparam("nothing", [])


def test_hyperparameters_are_printed(old_tf):
    hparams = old_tf.contrib.training.HParams(b=[1, 2], a="x")
    assert str(hparams) == "b=[1, 2],a=x"
    assert hparams.to_json(sort_keys=True) == '{"a": "x", "b": [1, 2]}'


@pytest.mark.parametrize(
    "options, rows",
    [
        ({}, [[1, 2, 3, 4, 5], [1, 6, 5, 1, 7], [6, 0, 0, 0, 0]]),
        ({"min_frequency": 1}, [[1, 0, 0, 0, 3], [1, 2, 3, 1, 0], [2, 0, 0, 0, 0]]),
        (
            {"tokenizer_fn": lambda texts: (iter(text) for text in texts)},
            [[1, 2, 3, 4, 5], [1, 2, 3, 4, 15], [15, 16, 17, 0, 0]],
        ),
    ],
)
def test_texts_are_ids_of_words(old_tf, options, rows):
    processor = old_tf.contrib.learn.preprocessing.VocabularyProcessor(5, **options)
    ids = list(processor.fit_transform(TEXTS))
    assert [row.tolist() for row in ids] == rows
    assert ids[0].dtype == np.int64


def test_words_are_saved(old_tf, tmp_path):
    preprocessing = old_tf.contrib.learn.preprocessing
    processor = preprocessing.VocabularyProcessor(4)
    processor.fit(TEXTS)
    assert list(processor.reverse([[1, 3, 0]])) == ["the HTML <UNK>"]
    assert processor.vocabulary_._mapping["dog"] == 6
    path = str(tmp_path / "vocab")
    processor.save(path)
    restored = preprocessing.VocabularyProcessor.restore(path)
    assert len(restored.vocabulary_) == len(processor.vocabulary_) == 8
    assert next(restored.transform(["new dog end"])).tolist() == [0, 6, 7, 0]


@needs_tensorflow_2
def test_words_with_a_function_are_not_saved(old_tf, tmp_path):
    processor = old_tf.contrib.learn.preprocessing.VocabularyProcessor(4, tokenizer_fn=list)
    with pytest.raises(ValueError, match="cannot have the tokenizer_fn"):
        processor.save(str(tmp_path / "vocab"))


def test_a_checkpoint_is_read_by_name(old_tf, tmp_path):
    framework = old_tf.contrib.framework
    path = str(tmp_path / "model.ckpt")
    with old_tf.Graph().as_default(), old_tf.Session() as session:
        old_tf.get_variable("x", initializer=[3.0, 4.0])
        session.run(old_tf.global_variables_initializer())
        old_tf.train.Saver().save(session, path)
    assert framework.list_variables(path) == [("x", [2])]
    assert framework.load_variable(path, "x").tolist() == [3, 4]
    assert framework.load_checkpoint(path).get_tensor("x").tolist() == [3, 4]


@pytest.mark.parametrize(
    "statement",
    [
        "from tensorflow.contrib.layers.python.layers import initializers, regularizers, utils",
        "from tensorflow.contrib.layers.python.layers.layers import conv2d",
        "from tensorflow.contrib.framework.python.ops import add_arg_scope, arg_scope",
        "from tensorflow.contrib.rnn.python.ops.core_rnn_cell import EmbeddingWrapper",
        "from tensorflow.contrib.learn.python.learn.datasets.mnist import read_data_sets",
        "from tensorflow.contrib.slim.nets import resnet_v1, vgg",
        "from tensorflow.contrib.slim.python.slim.nets.resnet_v1 import resnet_v1_50",
        "import tensorflow.contrib.slim.nets",
        pytest.param(
            "import tensorflow.examples.tutorials.mnist.input_data as data; data.read_data_sets",
            marks=needs_tensorflow_2,
        ),
        "from tensorflow.contrib.losses import softmax_cross_entropy",
        "from tensorflow.contrib.metrics import streaming_accuracy",
        "from tensorflow.contrib.lookup import index_table_from_tensor",
        "from tensorflow.contrib.tensorboard.plugins import projector; projector.ProjectorConfig",
        "from tensorflow.contrib.keras import layers",
    ],
)
def test_a_part_is_imported_as_old_programs_do(old_tf, statement):
    exec(statement)


def test_tf_slim_finds_what_tensorflow_has_moved(old_tf):
    layers = old_tf.contrib.layers
    with old_tf.Graph().as_default(), old_tf.Session() as session:
        unit = layers.unit_norm(old_tf.constant([[3.0, 4.0]]), dim=1)
        is_training = old_tf.placeholder_with_default(False, [])
        normal = layers.batch_norm(unit, is_training=is_training, fused=False, epsilon=0.0)
        x = old_tf.contrib.framework.global_variable(2.0)
        old_tf.contrib.metrics.auc_using_histogram([True, False], [0.8, 0.1], [0.0, 1.0])
        numbers = old_tf.constant([[1.0], [1.1], [5.0]])
        loss = old_tf.contrib.losses.metric_learning.triplet_semihard_loss([0, 0, 1], numbers)
        session.run(old_tf.global_variables_initializer())
        assert session.run(normal) == pytest.approx(np.array([[0.6, 0.8]]), abs=1e-6)
        assert session.run([x, loss]) == [2, 0]


@needs_tensorflow_2
def test_without_tf_slim_the_error_says_how_to_install_it(old_tf, monkeypatch):
    def find_spec(name, *_):
        if name.split(".")[0] == "tf_slim":
            raise ModuleNotFoundError(name, name="tf_slim")

    for name in [name for name in sys.modules if name.split(".")[0] == "tf_slim"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=find_spec), *sys.meta_path])
    for statement in (
        "tf.contrib.slim.conv2d",
        "from tensorflow.contrib.layers import fully_connected",
        "from tensorflow.contrib.metrics import streaming_mean",
    ):
        with pytest.raises((AttributeError, ImportError), match=r"pip install tf_slim$"):
            exec(statement, {"tf": old_tf})
    assert old_tf.contrib.layers.embed_sequence
    assert old_tf.contrib.training.HParams


@pytest.mark.filterwarnings("ignore:inspect.getargspec")
def test_what_python_and_numpy_have_removed_is_there(old_tf):
    def function(a, b=2, *c, **d):
        return a

    assert tuple(inspect.getargspec(function)) == (["a", "b"], "c", "d", (2,))


@needs_tensorflow_2
def test_an_array_of_unequal_lists_is_one_of_objects(old_tf, tmp_path):
    array = np.array([[1], [2, 3]])
    assert array.dtype == object
    assert array.tolist() == [[1], [2, 3]]
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([[1], [2, 3]], dtype=np.float32)
    assert np.array([1, 2], np.float32).dtype == np.float32
    np.save(str(tmp_path / "lists.npy"), [[1], [2, 3]])


@needs_tensorflow_2
def test_the_eigenvalues_of_scipy_are_where_they_were(old_tf):
    pytest.importorskip("scipy", reason="scipy is not installed: pip install scipy")
    from scipy.sparse.linalg.eigen.arpack import eigsh

    assert callable(eigsh)


def test_tensorflow_1_is_measured_where_it_is_installed(old_tf):
    assert (old_tf.contrib.training.HParams.__module__ == "charrnn.old.hparams") != TENSORFLOW_1
