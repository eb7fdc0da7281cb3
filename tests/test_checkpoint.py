"""The run folder: what it says, what it refuses, and damage."""
import json
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import charrnn
from charrnn import checkpoint
from charrnn.checkpoint import CheckpointError, Progress, Run
from charrnn.data import Vocabulary

LAST = "i173_l5.ckpt"  # of the trained run: 1,040 // (2 x 3) = 173 windows


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the trained run, free to be damaged."""
    return shutil.copytree(str(trained), str(tmp_path / "run")) and tmp_path / "run"


def test_run_file_is_readable_and_complete(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert record["format"] == 1
    assert record["charrnn"] == charrnn.__version__
    assert record["vocabulary"] == "\n ,.acdehmnost"
    assert record["hyperparameters"]["lstm_size"] == 5
    assert record["text"]["name"].endswith("small.txt")
    assert len(record["text"]["sha256"]) == 64


def test_run_survives_writing_and_reading(tmp_path):
    vocabulary = Vocabulary(sorted('é"\\\n\u2028\U0001f600'))
    run = Run({"lstm_size": 3, "num_layers": 1, "seed": None}, vocabulary, "name", "f00", "latin-1")
    checkpoint.write_run(tmp_path / "new" / "folder", run)
    assert checkpoint.read_run(tmp_path / "new" / "folder") == run


@pytest.mark.parametrize("change, message", [
    (lambda record: dict(record, format=2), "has format 2"),
    (lambda record: {"vocabulary": "ab"}, "KeyError: 'format'"),
    (lambda record: {"format": 1}, "KeyError"),
    (lambda record: [record], "TypeError"),
    (lambda record: dict(record, vocabulary="ba"), "ValueError: a vocabulary is sorted"),
    (lambda record: dict(record, vocabulary=7), "TypeError"),
    (lambda record: dict(record, hyperparameters={"lstm_size": "5"}), "lstm_size is '5'"),
    (lambda record: dict(record, text="anna"), "TypeError")])
def test_edited_run_file(run, change, message):
    path = run / "run.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read_run(run)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100000])
def test_damaged_run_file(run, content):
    (run / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.read_run(run)


def test_names(trained):
    assert checkpoint.checkpoint_prefix("checkpoints", 200, 512) == "checkpoints/i200_l512.ckpt"
    assert {path.name for path in trained.iterdir()} == {"run.json", "checkpoint"} | {
        name + suffix for name in ("i100_l5.ckpt", LAST)
        for suffix in (".index", ".meta", ".data-00000-of-00001", ".progress.npz")}


def test_a_folder_that_was_moved(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "renamed"
    run.rename(moved)
    found = checkpoint.open_checkpoint(moved)
    assert found.prefix == str(moved / "i173_l5.ckpt")
    assert (found.lstm_size, found.num_layers, len(found.vocabulary)) == (5, 2, 14)


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001", ".progress.npz"])
def test_a_checkpoint_by_any_of_its_files(trained, suffix):
    found = checkpoint.open_checkpoint(str(trained / "i100_l5.ckpt") + suffix)
    assert found.prefix == str(trained / "i100_l5.ckpt")


def test_a_folder_with_a_run_is_not_unused(run, tmp_path):
    for name in ["run.json", "checkpoint"]:
        with pytest.raises(CheckpointError, match="--resume.*--checkpoint-dir"):
            checkpoint.check_unused(run)
        (run / name).unlink()
    with pytest.raises(CheckpointError, match="another run"):
        checkpoint.check_unused(run)  # the checkpoints themselves
    checkpoint.check_unused(tmp_path / "nothing here")


def test_nothing_to_open(tmp_path):
    for path in [tmp_path, tmp_path / "missing", tmp_path / "i5_l5.ckpt"]:
        with pytest.raises(CheckpointError, match="there is no"):
            checkpoint.open_checkpoint(path)


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\xff\xfe"])
def test_a_list_of_checkpoints_that_is_lost(run, content):
    """Then they are found by their names, in the order of their steps."""
    (run / "checkpoint").unlink()
    if content is not None:
        (run / "checkpoint").write_bytes(content)
    names = ["i100_l5.ckpt", LAST]
    assert checkpoint.list_checkpoints(run) == [str(run / name) for name in names]


def test_a_list_that_names_another_folder(run):
    """Only the names count: as when a notebook's folder was moved."""
    (run / "checkpoint").write_text("".join(
        'all_model_checkpoint_paths: "{}"\n'.format(name) for name in ["/somewhere/else/" + LAST, "i100_l5.ckpt"]))
    assert checkpoint.list_checkpoints(run) == [str(run / LAST), str(run / "i100_l5.ckpt")]


def test_a_newest_checkpoint_that_is_gone(run):
    (run / (LAST + ".index")).unlink()
    with pytest.raises(CheckpointError, match="i173_l5.ckpt, the newest .*, is gone; there is still .*i100"):
        checkpoint.open_checkpoint(run)


@pytest.mark.parametrize("name", ["a*", "a?", "a[1]", "a\\b", "a\udcff"])
def test_names_that_tensorflow_takes_for_patterns(tmp_path, name):
    for refuse in (checkpoint.check_unused, checkpoint.open_checkpoint):
        with pytest.raises(CheckpointError, match="cannot be the name"):
            refuse(tmp_path / name)


def test_no_vocabulary_or_another(run):
    with pytest.raises(CheckpointError, match="14 distinct characters, but the vocabulary given has 2"):
        checkpoint.open_checkpoint(run, Vocabulary("ab"))
    (run / "run.json").unlink()
    with pytest.raises(CheckpointError, match="--vocab-from"):
        checkpoint.open_checkpoint(run)
    vocabulary = Vocabulary("\n ,.acdehmnost")
    assert checkpoint.open_checkpoint(run, vocabulary).vocabulary is vocabulary


def save_variables(folder, **shapes):
    """Save a checkpoint of zeros; a double underscore in a name stands for a slash."""
    with tf.Graph().as_default(), tf.Session() as session:
        for name, shape in shapes.items():
            tf.Variable(tf.zeros(shape), name=name.replace("__", "/"))
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, str(folder / "i1_l3.ckpt"))


@pytest.mark.parametrize("shapes, message", [
    ({"other": [2, 3]}, "no matrix softmax/Variable"),
    ({"softmax__Variable": [3]}, "no matrix softmax/Variable"),
    ({"softmax__Variable": [3, 2]}, "no LSTM layer"),
    ({"softmax__Variable": [3, 2], "rnn__multi_rnn_cell__cell_0__basic_lstm_cell__kernel": [4, 12]},
     r"kernel has shape \[4, 12\], not \[5, 12\]")])
def test_checkpoints_of_other_networks(tmp_path, shapes, message):
    prefix = save_variables(tmp_path, **shapes)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.open_checkpoint(prefix, Vocabulary("ab"))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip file at all", None])
def test_damaged_progress(run, content):
    path = run / "i173_l5.ckpt.progress.npz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be resumed from"):
        checkpoint.read_progress(str(run / "i173_l5.ckpt"), (2, 2, 2, 5))


def test_progress(run):
    prefix = str(run / "i173_l5.ckpt")
    progress = checkpoint.read_progress(prefix, (2, 2, 2, 5))
    assert progress.step == 173 and len(progress.epoch_losses) == 173
    with pytest.raises(CheckpointError, match=r"\(2, 2, 2, 5\), not \(2, 2, 3, 5\)"):
        checkpoint.read_progress(prefix, (2, 2, 3, 5))
    shutil.copy(str(run / "i100_l5.ckpt.progress.npz"), prefix + ".progress.npz")
    with pytest.raises(CheckpointError, match="progress is that of step 100"):
        checkpoint.read_progress(prefix, (2, 2, 2, 5))


def test_a_pickle_is_not_read(run):
    path = str(run / "i173_l5.ckpt.progress.npz")
    np.savez(path, step=1, lstm_state=np.array([{}], object), epoch_losses=np.zeros(1))
    with pytest.raises(CheckpointError, match="allow_pickle"):
        checkpoint.read_progress(path[:-len(".progress.npz")], (2, 2, 2, 5))


def test_old_checkpoints_are_forgotten_with_their_progress(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.zeros(1))
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(max_to_keep=2, save_relative_paths=True)
        for step in (1, 2, 3):
            checkpoint.save(session, saver, tmp_path, 5, Progress(step, np.zeros((1, 2, 1, 5)), np.zeros(step)))
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == [
        "i2_l5.ckpt.progress.npz", "i3_l5.ckpt.progress.npz"]
    assert checkpoint.latest_checkpoint(tmp_path).endswith("i3_l5.ckpt")


def test_saving_where_there_is_no_folder(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.zeros(1))
        session.run(tf.global_variables_initializer())
        with pytest.raises(OSError):
            checkpoint.save(session, tf.train.Saver(), tmp_path / "missing", 5,
                            Progress(1, np.zeros((1, 2, 1, 5)), np.zeros(1)))
