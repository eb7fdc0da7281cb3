"""Runs that start from another model's weights: rows for the characters of the text, and nothing else changed."""

import re
import shutil

import numpy as np
import pytest
from conftest import (
    CHARS,
    NEWEST,
    TEXT,
    assert_same_run,
    initialize,
    interrupted_at,
    make_network,
    resume,
    training_graph,
)

from charrnn.checkpoints import record
from charrnn.checkpoints.run import Run
from charrnn.commands import train
from charrnn.data import Vocabulary
from charrnn.engines.model_file import open_model
from charrnn.system.tensorflow import tf
from charrnn.train import train_model
from charrnn.training import transfer

OTHER = "A cat: one, two! And the hats.\n" * 30  # without d, m; with A, :, w, !
SAME_SIZE = (
    "A cat, the hat on. oh she!\n"  # as many characters as TEXT has, without d, m; with A, !
)
KERNELS = {
    "lstm": ["basic_lstm_cell/kernel"],
    "gru": ["gru_cell/gates/kernel", "gru_cell/candidate/kernel"],
    "rnn": ["basic_rnn_cell/kernel"],
}


def fresh_weights(num_classes, cell="lstm"):
    """The initial weights of a new network."""
    training_graph(num_classes, 2, 3, 5, 3, cell=cell)
    with tf.Session() as session:
        initialize(session, seed=7)
        return {variable.op.name: session.run(variable) for variable in tf.trainable_variables()}


def by_characters(old, new, before, after):
    """Return what a character has in old, where before has it, or else in new, for each character of after.

    The first axis of both is that of characters.
    """
    rows = []
    for char in after:
        if char in before:
            rows.append(old[before.index(char)])
        else:
            rows.append(new[after.index(char)])
    return np.array(rows)


def numpy_transfer(old, fresh, before, after, cell):
    """Extended weights by hand, character by character."""
    first_kernels = ["rnn/multi_rnn_cell/cell_0/" + name for name in KERNELS[cell]]
    expected = {}
    for name, values in fresh.items():
        if name in first_kernels:
            others = old[name][len(before) :]  # of the layer's own outputs
            rows = by_characters(old[name], values, before, after)
            expected[name] = np.concatenate([rows, others])
        elif name.startswith("softmax/"):
            expected[name] = by_characters(old[name].T, values.T, before, after).T
        else:
            expected[name] = old[name]
    return expected


@pytest.mark.parametrize(
    "cell",
    [
        "lstm",
        pytest.param("gru", marks=pytest.mark.slow),
        pytest.param("rnn", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("text", [OTHER, SAME_SIZE])
def test_rows_are_added_and_left_out_and_the_others_are_unchanged(tmp_path, cell, text):
    """Bit for bit. The second text has as many characters as the model, but others."""
    model = make_network(tmp_path, CHARS, 5, 3, cell)
    vocabulary = Vocabulary.from_text(text)
    before = list(model.vocabulary.chars)
    after = list(vocabulary.chars)
    assert set(after) - set(before)
    assert set(before) - set(after)

    fresh = fresh_weights(len(after), cell)
    transferred = transfer.transferred_weights(model, vocabulary, fresh)
    expected = numpy_transfer(model.weights, fresh, before=before, after=after, cell=cell)
    assert set(transferred) == set(fresh) == set(expected)
    for name, values in transferred.items():
        assert values.shape == fresh[name].shape
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


SKIPPED = (
    "skipped: .*picture is not a text file.*\nskipped: .* is damaged: .*\ntrain_model: the reports "
    "cannot be written: summaries for TensorBoard are no longer written: No space left on device\n"
)


@pytest.mark.parametrize("quiet, expected", [(False, SKIPPED), (True, "")])
def test_what_a_run_does_not_start_from_is_named(
    run_copy, tmp_path, monkeypatch, capsys, quiet, expected
):
    """Damaged checkpoints, files that are not text, and reports that fail, unless the function is to be quiet."""

    def fail(*args):
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(tf.summary.FileWriter, "add_summary", fail)
    (run_copy / f"{NEWEST}.npz").write_bytes(b"damaged")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "other").write_text(OTHER)
    (tmp_path / "texts" / "picture").write_bytes(b"\0")
    run = train_model(
        tmp_path / "texts",
        tmp_path / "new",
        preset="auto",
        init_from=run_copy,
        epochs=1,
        num_steps=9,
        save_every_n=99,
        sample_length=0,
        quiet=quiet,
    )
    assert re.fullmatch(expected, capsys.readouterr().err)
    assert run.model.lstm_size == 5  # that of the other model, also with the preset auto


@pytest.fixture
def model(tmp_path):
    """A model of one layer of 4 units in a file."""
    make_network(tmp_path, CHARS, 4, 1).save(tmp_path / "model.npz")
    return open_model(tmp_path / "model.npz")


@pytest.fixture
def command(model, tmp_path):
    """The arguments of a run from that model, without its folder."""
    (tmp_path / "other").write_text(OTHER)
    flags = (
        "--batch-size 2 --num-steps 100 --epochs 1 --seed 3 --sample-length 0 --average-decay 0.9"
    )
    return [
        *[str(tmp_path / "other"), *flags.split()],
        *["--init-from", model.name, "--checkpoint-dir"],
    ]


def test_a_run_from_another_model(model, command, tmp_path, monkeypatch, capsys):
    """It has the other model's sizes and the characters of its text, and when it is resumed, its own weights.

    If it is interrupted before it has saved them, it cannot be resumed.
    """
    folder = tmp_path / "run"
    whole = tmp_path / "whole"
    assert train.main([*command, str(whole)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"start    {model.name}" in lines
    assert "weights  new ones for '!', ':', 'A', 'w'" in lines
    run = record.read_run(whole)
    hyper = run.hyperparameters
    assert (hyper.lstm_size, hyper.num_layers, hyper.cell) == (4, 1, "lstm")
    assert run.vocabulary == Vocabulary.from_text(OTHER)
    assert run.init_from == model.name
    first_biases = open_model(whole / "i0_l4.ckpt").biases
    for ours, theirs in zip(first_biases, model.biases):
        np.testing.assert_array_equal(ours, theirs)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", interrupted_at(None, 1))
        assert train.main([*command, str(folder)]) == 130
    assert resume(folder) == 2
    assert train.main([*command, str(folder)]) == 2
    shutil.rmtree(str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(Run, "tidy", interrupted_at(None, 1))
        assert train.main([*command, str(folder)]) == 130
    assert resume(folder) == 0
    assert_same_run(folder, whole)

    for path in [*folder.glob("*.ckpt.*"), folder / "checkpoint"]:
        path.unlink()
    capsys.readouterr()
    assert resume(folder) == 2
    assert "there is no checkpoint in" in capsys.readouterr().err


@pytest.fixture(scope="module")
def notebook_folder(notebook, tmp_path_factory):
    """The folder of checkpoints that the notebook's CharRNN and its Saver leave."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook.CharRNN(len(CHARS), 2, 3, 5, 2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(folder / "i156_l5.ckpt"))
    return str(folder)


def test_a_model_of_the_notebook_needs_its_text(notebook_folder, tmp_path, capsys):
    """Which a command and a program are told in their own words."""
    folder = tmp_path / "run"
    (tmp_path / "text").write_text(TEXT)
    (tmp_path / "wrong").write_text("other characters")
    flags = [str(tmp_path / "text"), "--checkpoint-dir", str(folder)]
    flags += ["--init-from", notebook_folder]

    unnamed = "or name that text with --vocab-from TEXT"
    wrong = "14 distinct characters, but the vocabulary"
    for more, message in [([], unnamed), (["--vocab-from", str(tmp_path / "wrong")], wrong)]:
        assert train.main([*flags, *more]) == 2
        assert message in capsys.readouterr().err
        assert not folder.exists()

    with pytest.raises(ValueError, match=r"vocabulary=sorted\(set\(text\)\)"):
        train_model(OTHER, folder, init_from=notebook_folder)

    model = open_model(notebook_folder, Vocabulary.from_text(TEXT))
    run = train_model(
        OTHER,
        folder,
        init_from=model,
        batch_size=2,
        num_steps=100,
        epochs=1,
        sample_length=0,
        summaries=False,
        quiet=True,
    )
    assert run.model.run.init_from == model.name


def test_a_folder_of_the_notebook_cannot_be_resumed_but_started_from(notebook_folder, capsys):
    assert resume(notebook_folder) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "like a folder of the notebook" in err
    with pytest.raises(
        ValueError,
        match=r"init_from=open_model\(path, sorted\(set\(text\)\)\), or --init-from and --vocab-from TEXT$",
    ):
        train_model(None, notebook_folder, resume=True)
