"""Runs that start from another model's weights: rows for new characters, and nothing else changed."""

import re
import shutil

import numpy as np
import pytest
from conftest import (
    CHARS,
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
NEW = "!:Aw"
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


def numpy_transfer(old, fresh, before, after, cell):
    """The same by hand, character by character."""
    expected = {}
    firsts = ["rnn/multi_rnn_cell/cell_0/" + name for name in KERNELS[cell]]
    for name, values in fresh.items():
        grown = old[name].copy()
        if name in firsts:
            rows = [
                old[name][before.index(char)] if char in before else values[after.index(char)]
                for char in after
            ]
            grown = np.concatenate([rows, old[name][len(before) :]])
        elif name.startswith("softmax/"):
            grown = np.stack(
                [
                    old[name][..., before.index(char)]
                    if char in before
                    else values[..., after.index(char)]
                    for char in after
                ],
                -1,
            )
        expected[name] = grown
    return expected


@pytest.mark.parametrize(
    "cell", ["lstm"] + [pytest.param(each, marks=pytest.mark.slow) for each in ("gru", "rnn")]
)
def test_rows_are_added_and_the_others_are_unchanged(tmp_path, cell):
    """Bit for bit. Characters that only the other model has keep their rows."""
    found = make_network(tmp_path, CHARS, 5, 3, cell)
    joined = transfer.joined_vocabulary(found, OTHER)
    before = list(found.vocabulary.chars)
    after = list(joined.chars)
    assert sorted(set(after) - set(before)) == sorted(NEW) and after == sorted(set(TEXT + OTHER))
    old = found.weights
    fresh = fresh_weights(len(after), cell)
    extended = transfer.extended_weights(found, joined, fresh)
    expected = numpy_transfer(old, fresh, before, after, cell)
    assert set(extended) == set(fresh) == set(expected)
    for name, values in extended.items():
        assert values.shape == fresh[name].shape and values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
    assert sum(values.size for values in extended.values()) > sum(
        values.size for values in old.values()
    )


def test_what_a_run_does_not_start_from_is_named(run_copy, tmp_path, monkeypatch, capsys):
    """Damaged checkpoints, files that are not text, and reports that fail, unless the function is to be quiet."""

    def fail(*args):
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(tf.summary.FileWriter, "add_summary", fail)
    (run_copy / "i173_l5.ckpt.npz").write_bytes(b"damaged")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "other").write_text(OTHER)
    (tmp_path / "texts" / "picture").write_bytes(b"\0")
    for quiet in (False, True):
        run = train_model(
            tmp_path / "texts",
            tmp_path / str(quiet),
            preset="auto",
            init_from=run_copy,
            epochs=1,
            num_steps=9,
            sample_length=0,
            quiet=quiet,
        )
        err = capsys.readouterr().err
        assert (
            err == ""
            if quiet
            else re.fullmatch(
                "skipped: .*picture is not a text file.*\nskipped: .* is damaged: .*\ncharrnn-train: the reports "
                "cannot be written: summaries for TensorBoard are no longer written: No space left on device\n",
                err,
            )
        )
        assert run.model.lstm_size == 5  # that of the other model, also with the preset auto


def test_a_run_from_another_model(trained, tmp_path, monkeypatch, capsys):
    """It has the other model's sizes and characters, and when it is resumed, its own weights.

    If it is interrupted before it has saved them, it cannot be resumed.
    """
    (tmp_path / "other").write_text(OTHER)
    command = [
        str(tmp_path / "other"),
        "--batch-size",
        "2",
        "--num-steps",
        "100",
        "--epochs",
        "1",
        "--seed",
        "3",
        "--sample-length",
        "0",
        "--average-decay",
        "0.9",
        "--init-from",
        str(trained),
        "--checkpoint-dir",
    ]
    run = tmp_path / "run"
    prefix = str(trained / "i173_l5.ckpt")
    assert train.main([*command, str(tmp_path / "whole")]) == 0
    whole = record.read_run(tmp_path / "whole")
    assert (
        f"weights  from {prefix}, with new weights for '!', ':', 'A', 'w'"
        in capsys.readouterr().out.splitlines()
    )
    assert [
        getattr(whole.hyperparameters, name) for name in ("lstm_size", "num_layers", "cell")
    ] == [5, 2, "lstm"]
    assert whole.vocabulary == Vocabulary.from_text(TEXT + OTHER) and whole.init_from == prefix
    for ours, theirs in zip(
        open_model(tmp_path / "whole" / "i0_l5.ckpt").biases, open_model(trained).biases
    ):
        np.testing.assert_array_equal(ours, theirs)
    for owner, name, resumed in [(Run, "save", 2), (Run, "tidy", 0)]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted_at(None, 1))
            assert train.main([*command, str(run)]) == 130
        assert resume(run) == resumed
        if resumed:
            assert train.main([*command, str(run)]) == 2
            shutil.rmtree(str(run))
    assert_same_run(run, tmp_path / "whole")
    for path in [*run.glob("*.ckpt.*"), run / "checkpoint"]:
        path.unlink()
    capsys.readouterr()
    assert resume(run) == 2 and "there is no checkpoint in" in capsys.readouterr().err


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
    (tmp_path / "text").write_text(TEXT)
    (tmp_path / "wrong").write_text("other characters")
    flags = [
        str(tmp_path / "text"),
        "--checkpoint-dir",
        str(tmp_path / "run"),
        "--init-from",
        notebook_folder,
    ]
    for more, message in [
        ([], "or name that text with --vocab-from TEXT"),
        (["--vocab-from", str(tmp_path / "wrong")], "14 distinct characters, but the vocabulary"),
    ]:
        assert train.main([*flags, *more]) == 2
        assert message in capsys.readouterr().err and not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match=r"vocabulary=sorted\(set\(text\)\)"):
        train_model(OTHER, tmp_path / "run", init_from=notebook_folder)
    model = open_model(notebook_folder, Vocabulary.from_text(TEXT))
    trained = train_model(
        OTHER,
        tmp_path / "run",
        init_from=model,
        batch_size=2,
        num_steps=100,
        epochs=1,
        sample_length=0,
        summaries=False,
        quiet=True,
    )
    assert trained.model.run.init_from == model.name


def test_a_folder_of_the_notebook_cannot_be_resumed_but_started_from(notebook_folder, capsys):
    assert resume(notebook_folder) == 2
    out, err = capsys.readouterr()
    assert (
        out == ""
        and "like a folder of the notebook" in err
        and "--init-from and --vocab-from TEXT" in err
    )
    with pytest.raises(ValueError, match=r"init_from=open_model\(path, sorted\(set\(text\)\)\)$"):
        train_model(None, notebook_folder, resume=True)
