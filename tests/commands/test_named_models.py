"""The text that a model was trained on, and the order of a vocabulary."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, TEXT, script

from charrnn.checkpoints.text_of_run import training_text
from charrnn.engines.cells import build_stack
from charrnn.engines.opening import open_model
from charrnn.text.corpus import KNOWN_TEXTS, KnownText

ORDER = CHARS[::-1]  # as that of a notebook with vocab = set(text)


def biases_of(chars):
    """Return biases that predict a character by how often it occurs in the text."""
    return [2 * np.log(TEXT.count(char)) for char in chars]


@pytest.fixture(scope="module")
def unsorted(tmp_path_factory):
    """A checkpoint of the notebook that knows how frequent the characters are, in an order that is not sorted."""
    from charrnn.model import build_output
    from charrnn.system.tensorflow import tf

    folder = tmp_path_factory.mktemp("unsorted")
    with tf.Graph().as_default(), tf.Session() as session:
        build_output(tf.one_hot(tf.zeros([1, 2], tf.int32), 5), 5, 14)
        _outputs, _ = tf.nn.dynamic_rnn(
            build_stack("lstm", 5, 1), tf.zeros([1, 2, 14]), dtype=tf.float32
        )
        session.run(tf.global_variables_initializer())
        kernel, bias = tf.trainable_variables("softmax/")
        kernel.load(np.zeros((5, 14)), session)
        bias.load(biases_of(ORDER), session)
        prefix = tf.train.Saver().save(session, str(folder / "i9_l5.ckpt"))
    (folder / "order.json").write_text(json.dumps(list(ORDER)))
    (folder / "text").write_text(TEXT)
    return prefix


@pytest.mark.parametrize("from_python", [True, False])
def test_a_model_keeps_the_order_that_is_given(unsorted, tmp_path, from_python):
    """From Python as any sequence, from the command line as a file; and what is exported keeps it."""
    if from_python:
        model = open_model(unsorted, list(ORDER))
    else:
        # as Notepad of Windows saves it
        (tmp_path / "order.json").write_text(json.dumps(list(ORDER)), encoding="utf-8-sig")
        exported = str(tmp_path / "m.npz")
        order = str(tmp_path / "order.json")
        assert script("export").main([unsorted, exported, "--vocab-from", order]) == 0
        model = open_model(exported)
    assert model.vocabulary.chars == tuple(ORDER)
    assert model.surprisal(TEXT).mean() < np.log(14)


@pytest.mark.parametrize("new", ["", "x"])
def test_a_run_starts_from_weights_in_the_order_that_is_given(unsorted, tmp_path, new):
    """It has an order of its own and the weights that belong to it."""
    (tmp_path / "text").write_text(TEXT + new)
    order = Path(unsorted).with_name("order.json")
    flags = "--epochs 1 --batch-size 2 --num-steps 500 --sample-length 0 --no-summaries".split()
    arguments = [
        str(tmp_path / "text"),
        f"--init-from={unsorted}",
        f"--vocab-from={order}",
        f"--checkpoint-dir={tmp_path / 'run'}",
        *flags,
    ]
    assert script("train").main(arguments) == 0
    model = open_model(tmp_path / "run" / "i0_l5.ckpt")
    assert model.vocabulary.chars == tuple(CHARS + new)
    np.testing.assert_allclose(model.softmax_bias[:14], biases_of(CHARS), rtol=1e-6)


@pytest.mark.parametrize(
    "content", ["{}", "[]", '["a", "a"]', '["ab"]', '"ab"', "[1]", '[["a"]]', "[", ""]
)
def test_a_file_that_is_no_order_is_refused(unsorted, tmp_path, capsys, content):
    (tmp_path / "order.json").write_text(content)
    assert script("sample").main([unsorted, "--vocab-from", str(tmp_path / "order.json")]) == 2
    message = "order.json is not a JSON list of distinct characters in the order of their ids"
    assert message in capsys.readouterr().err


def test_the_training_text_of_a_run_is_in_its_folder(run_copy):
    """So it does not matter what has become of the original."""
    run = open_model(run_copy).run
    assert training_text(replace(run, text_name="nowhere")) == (TEXT, "", "", run.text_sha256)


def test_the_training_text_is_divided_as_in_the_run(trained):
    run = open_model(trained).run
    hyper = replace(run.hyperparameters, val_fraction=0.5, test_fraction=0.25)
    text = training_text(replace(run, hyperparameters=hyper))
    assert text.training == TEXT[:260]
    assert text.held_out == TEXT[260:780]
    assert text.test == TEXT[780:]


@pytest.mark.parametrize("has_record", [False, True])
def test_a_model_outside_of_a_run_folder_needs_the_name_of_its_text(trained, exported, has_record):
    run = open_model(exported).run if has_record else None
    message = "the model has no training text with it: name the text with --train-text"
    with pytest.raises(ValueError, match=message):
        training_text(run)
    assert training_text(run, trained.parent / "small.txt")[:3] == (TEXT, "", "")


def test_a_model_outside_of_a_run_folder_knows_a_known_text(
    trained, exported, tmp_path, monkeypatch, capsys
):
    sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
    monkeypatch.setitem(KNOWN_TEXTS, "known", KnownText("small.txt", sha256, ()))
    monkeypatch.setenv("CHARRNN_DATA", str(trained.parent))
    monkeypatch.chdir(tmp_path)
    model = open_model(exported)
    replace(model, run=replace(model.run, text_name="known")).save("m.npz")
    assert script("sample").main(["m.npz", "--novelty"]) == 0
    assert "\nnovelty: " in capsys.readouterr().out
