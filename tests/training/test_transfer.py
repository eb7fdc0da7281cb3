"""Runs that start from another model's weights: rows for the characters of the text, and nothing else changed."""

import re
import shutil
from pathlib import Path

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
    with_output,
)
from pages.small_pages import random_network

from charrnn.checkpoints import record
from charrnn.checkpoints.run import RunFolder
from charrnn.commands import train
from charrnn.data import Vocabulary
from charrnn.engines.opening import open_model
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


def fresh_weights(chars, cell):
    """The weights of a new network, those of another seed than the model's."""
    if cell == "lstm":
        return random_network(chars, 5, 3, seed=7).weights
    training_graph(len(chars), 2, 3, 5, 3, cell=cell)
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
@pytest.mark.parametrize("text", [OTHER, SAME_SIZE], ids=["other", "same size"])
def test_rows_are_added_and_left_out_and_the_others_are_unchanged(tmp_path, cell, text):
    """They are equal to the last bit. The second text has as many characters as the model, but others."""
    if cell == "lstm":
        model = random_network(CHARS, 5, 3)
    else:
        model = make_network(tmp_path, CHARS, 5, 3, cell)
    vocabulary = Vocabulary.from_text(text)
    before = list(model.vocabulary.chars)
    after = list(vocabulary.chars)
    assert set(after) - set(before)
    assert set(before) - set(after)

    fresh = fresh_weights(after, cell)
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


@pytest.fixture
def mixed_texts(tmp_path):
    """A folder with a text and a file that is none."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "other").write_text(OTHER)
    (folder / "picture").write_bytes(b"\0")
    return folder


def test_what_a_run_does_not_start_from_is_named(
    run_copy, mixed_texts, tmp_path, monkeypatch, capsys
):
    """Damaged checkpoints, files that are not text, and reports that fail."""

    def fail(*args):
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(tf.summary.FileWriter, "add_summary", fail)
    (run_copy / f"{NEWEST}.npz").write_bytes(b"damaged")
    train_model(
        mixed_texts,
        tmp_path / "new",
        init_from=run_copy,
        batch_size=2,
        num_steps=50,
        epochs=1,
        threads=1,
        sample_length=0,
    )
    assert re.fullmatch(SKIPPED, capsys.readouterr().err)


def test_a_quiet_run_does_not_name_it(run_copy, mixed_texts, tmp_path, capsys):
    """The plan comes after that, and is refused here."""
    (run_copy / f"{NEWEST}.npz").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="at least about 2,000 are needed to learn from"):
        train_model(mixed_texts, tmp_path / "new", init_from=run_copy, batch_size=5_000, quiet=True)
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of one layer of 4 units in a file."""
    path = tmp_path_factory.mktemp("model") / "model.npz"
    random_network(CHARS, 4, 1).save(path)
    return open_model(path)


@pytest.fixture(scope="module")
def command(model, tmp_path_factory):
    """The arguments of a run from that model, without its folder."""
    text = tmp_path_factory.mktemp("text") / "other"
    text.write_text(OTHER)
    flags = (
        "--batch-size 2 --num-steps 100 --epochs 1 --seed 3 --sample-length 0 --average-decay 0.9"
    )
    return [str(text), *flags.split(), "--init-from", model.name, "--checkpoint-dir"]


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    """The folder of a run from that model, and what it printed. Not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    status, out = with_output(train.main, [*command, str(folder)])
    assert status == 0
    return folder, out


def interrupted_run(command, folder, function):
    """Start a run from that model, interrupt it in a function of RunFolder, and return its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, function, interrupted_at(None, 1))
        assert train.main([*command, str(folder)]) == 130
    return folder


@pytest.fixture(scope="module")
def interrupted(command, tmp_path_factory):
    """The folder of such a run that has not saved its first checkpoint. Not to be changed."""
    return interrupted_run(command, tmp_path_factory.mktemp("interrupted") / "run", "save")


def test_the_plan_names_the_model_and_the_characters_that_it_does_not_know(model, whole):
    _, out = whole
    assert f"\nstart    {model.name}\nweights  new ones for '!', ':', 'A', 'w'\n" in out


def test_a_run_from_a_model_has_its_sizes(whole):
    folder, _ = whole
    hyper = record.read_run(folder).hyperparameters
    assert (hyper.lstm_size, hyper.num_layers, hyper.cell) == (4, 1, "lstm")


def test_a_run_from_a_model_has_the_characters_of_its_text(whole):
    folder, _ = whole
    assert record.read_run(folder).vocabulary == Vocabulary.from_text(OTHER)


def test_the_record_of_a_run_names_its_model(model, whole):
    folder, _ = whole
    assert record.read_run(folder).init_from == model.name


def test_the_first_checkpoint_of_a_run_from_a_model_has_its_weights(model, whole):
    folder, _ = whole
    for ours, theirs in zip(open_model(folder / "i0_l4.ckpt").biases, model.biases):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_has_not_saved_the_weights_of_its_model_cannot_be_resumed(interrupted, capsys):
    assert resume(interrupted) == 2
    assert f"there is no run in {interrupted}" in capsys.readouterr().err


def test_a_run_from_a_model_is_resumed_from_the_weights_that_it_has_saved(command, whole, tmp_path):
    """This one was interrupted after its first checkpoint, before old ones were removed."""
    expected, _ = whole
    folder = interrupted_run(command, tmp_path / "run", "tidy")
    assert resume(folder) == 0
    assert_same_run(folder, expected)


def test_a_run_from_a_model_that_lost_its_checkpoints_cannot_be_resumed(whole, tmp_path, capsys):
    """Its first weights were in them."""
    first, _ = whole
    gone = shutil.ignore_patterns("*.ckpt.*", "checkpoint")
    folder = shutil.copytree(str(first), str(tmp_path / "run"), ignore=gone)
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


@pytest.mark.parametrize(
    "flags, message",
    [
        ([], "or name that text with --vocab-from TEXT"),
        (["--vocab-from", "wrong"], "14 distinct characters, but the vocabulary"),
    ],
    ids=["not named", "wrong"],
)
def test_a_model_of_the_notebook_needs_its_text(
    notebook_folder, tmp_path, monkeypatch, capsys, flags, message
):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text(TEXT)
    Path("wrong").write_text("other characters")
    command = ["text", "--checkpoint-dir", "run", "--init-from", notebook_folder]
    assert train.main([*command, *flags]) == 2
    assert message in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_program_is_told_how_to_give_the_vocabulary(notebook_folder, tmp_path):
    with pytest.raises(ValueError, match=r"vocabulary=sorted\(set\(text\)\)"):
        train_model(OTHER, tmp_path / "run", init_from=notebook_folder)


def test_a_run_begins_with_a_model_of_the_notebook(notebook_folder, tmp_path):
    model = open_model(notebook_folder, Vocabulary.from_text(TEXT))
    run = train_model(
        OTHER,
        tmp_path / "run",
        init_from=model,
        batch_size=2,
        num_steps=100,
        epochs=1,
        threads=1,
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
