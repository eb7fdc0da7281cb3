"""The run folder: what it says, what it refuses, and damage."""
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import charrnn
from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Progress, Run
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
    checkpoints.write_run(tmp_path / "new" / "folder", run)
    assert checkpoints.read_run(tmp_path / "new" / "folder") == run
    run = run._replace(best="i7_l3.ckpt", hyperparameters={"cell": "gru", "fused": True, "decay": 0.5})
    checkpoints.write_run(tmp_path / "new" / "folder", run)
    assert checkpoints.read_run(tmp_path / "new" / "folder") == run


@pytest.mark.parametrize("change, message", [
    (lambda record: dict(record, format=2), "has format 2"),
    (lambda record: {"vocabulary": "ab"}, "KeyError: 'format'"),
    (lambda record: {"format": 1}, "KeyError"),
    (lambda record: [record], "TypeError"),
    (lambda record: dict(record, vocabulary="ba"), "ValueError: a vocabulary is sorted"),
    (lambda record: dict(record, vocabulary=7), "TypeError"),
    (lambda record: dict(record, hyperparameters={"lstm_size": [5]}), r"lstm_size is \[5\]"),
    (lambda record: {name: value for name, value in record.items() if name != "best"}, "KeyError: 'best'"),
    (lambda record: dict(record, best="../i100_l5.ckpt"), "best is '../i100_l5.ckpt'"),
    (lambda record: dict(record, best="i100_l5.ckpt.index"), "best is "),
    (lambda record: dict(record, best=100), "best is 100"),
    (lambda record: dict(record, text="anna"), "TypeError")])
def test_edited_run_file(run, change, message):
    path = run / "run.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(CheckpointError, match=message):
        checkpoints.read_run(run)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100000])
def test_damaged_run_file(run, content):
    (run / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.read_run(run)


def test_names(trained):
    assert checkpoints.checkpoint_prefix("checkpoints", 200, 512) == "checkpoints/i200_l512.ckpt"
    others = {"run.json", "checkpoint", ".lock", "history.csv", "summaries"}
    assert {path.name for path in trained.iterdir()} == others | {
        name + suffix for name in ("i100_l5.ckpt", LAST)
        for suffix in (".index", ".meta", ".data-00000-of-00001", ".progress.npz", ".json")}


def test_a_folder_that_was_moved(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "renamed"
    run.rename(moved)
    found = checkpoints.open_checkpoint(moved)
    assert found.prefix == str(moved / "i173_l5.ckpt")
    assert (found.lstm_size, found.num_layers, len(found.vocabulary)) == (5, 2, 14)


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001", ".progress.npz", ".json"])
def test_a_checkpoint_by_any_of_its_files(trained, suffix):
    found = checkpoints.open_checkpoint(str(trained / "i100_l5.ckpt") + suffix)
    assert found.prefix == str(trained / "i100_l5.ckpt")


def test_a_folder_with_a_run_is_not_unused(run, tmp_path):
    for name in ["run.json", "checkpoint"]:
        with pytest.raises(CheckpointError, match="--resume.*--checkpoint-dir"):
            checkpoints.check_unused(run)
        (run / name).unlink()
    with pytest.raises(CheckpointError, match="another run"):
        checkpoints.check_unused(run)  # the checkpoints themselves
    checkpoints.check_unused(tmp_path / "nothing here")


def test_nothing_to_open(tmp_path):
    for path in [tmp_path, tmp_path / "missing", tmp_path / "i5_l5.ckpt"]:
        with pytest.raises(CheckpointError, match="there is no"):
            checkpoints.open_checkpoint(path)


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\xff\xfe"])
def test_a_list_of_checkpoints_that_is_lost(run, content):
    """Then they are found by their names, in the order of their steps."""
    (run / "checkpoint").unlink()
    if content is not None:
        (run / "checkpoint").write_bytes(content)
    names = ["i100_l5.ckpt", LAST]
    assert checkpoints.list_checkpoints(run) == [str(run / name) for name in names]


def test_a_list_that_names_another_folder(run):
    """Only the names count: as when a notebook's folder was moved. A run's own is found by its records."""
    (run / "checkpoint").write_text("".join(
        'all_model_checkpoint_paths: "{}"\n'.format(name) for name in ["/somewhere/else/" + LAST, "i100_l5.ckpt"]))
    assert checkpoints.list_checkpoints(run) == [str(run / "i100_l5.ckpt"), str(run / LAST)]
    (run / "run.json").unlink()
    assert checkpoints.list_checkpoints(run) == [str(run / LAST), str(run / "i100_l5.ckpt")]


SUFFIXES = (".index", ".data-00000-of-00001", ".progress.npz", ".meta")


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    """Change one bit in the middle; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage, message", [
    (lambda path: path.unlink(), "{} is gone"), (cut, "{} is not as it was saved"),
    (flip, "{} is not as it was saved")])
def test_a_newest_checkpoint_that_is_gone_or_damaged(run, suffix, damage, message):
    """It is skipped by name, and the one before it is taken; asked for by itself, it is refused."""
    damage(run / (LAST + suffix))
    found = checkpoints.open_checkpoint(run)
    message = "{} is not whole: {}".format(run / LAST, message.format(LAST + suffix))
    assert (found.prefix, found.skipped) == (str(run / "i100_l5.ckpt"), (message,))
    assert checkpoints.newest_intact(run) == (found.prefix, list(found.skipped))
    with pytest.raises(CheckpointError) as error:
        checkpoints.open_checkpoint(run / LAST)
    assert str(error.value) == message


def test_no_checkpoint_is_whole(run):
    for name in ("i100_l5.ckpt", LAST):
        cut(run / (name + ".index"))
    message = "no whole checkpoint in .*i173.* is not as .*; .*i100.* is not as"
    with pytest.raises(CheckpointError, match=message) as error:
        checkpoints.newest_intact(run)
    assert not isinstance(error.value, checkpoints.NoCheckpointError)


def test_a_checkpoint_without_its_record_does_not_count(run):
    """The record is written last, so that without it a save was cut short, or it was lost where the list has it."""
    (run / (LAST + ".json")).unlink()
    prefix, skipped = checkpoints.newest_intact(run)
    assert prefix == str(run / "i100_l5.ckpt") and "its record i173_l5.ckpt.json cannot be read" in skipped[0]
    with pytest.raises(CheckpointError, match="is not whole: its record i173_l5.ckpt.json cannot be read"):
        checkpoints.open_checkpoint(run / LAST)
    (run / "checkpoint").unlink()
    assert checkpoints.list_checkpoints(run) == [str(run / "i100_l5.ckpt")]
    (run / "i100_l5.ckpt.json").unlink()
    with pytest.raises(checkpoints.NoCheckpointError):
        checkpoints.newest_intact(run)


@pytest.mark.parametrize("content", [
    b"", b"{", b"[" * 100000, b"\xff", b"[]", b'{"format": 1}', b'{"format": 2, "run_sha256": "", "files": {}}',
    b'{"format": 1, "run_sha256": "", "files": {}}', b'{"format": 1, "run_sha256": "", "files": []}'])
def test_damaged_records(run, content):
    (run / (LAST + ".json")).write_bytes(content)
    with pytest.raises(CheckpointError, match="is not whole: its record i173_l5.ckpt.json is damaged"):
        checkpoints.verify(str(run / LAST))
    assert checkpoints.newest_intact(run)[0] == str(run / "i100_l5.ckpt")


def test_a_record_that_names_less_or_more(run):
    path = run / (LAST + ".json")
    record = json.loads(path.read_text())
    for change, message in [(lambda files: files.pop(LAST + ".index"), "damaged"),
                            (lambda files: files.update({"../run/run.json": files[LAST + ".meta"]}), "is damaged")]:
        files = dict(record["files"])
        change(files)
        path.write_text(json.dumps(dict(record, files=files)))
        with pytest.raises(CheckpointError, match=message):
            checkpoints.verify(str(run / LAST))


def test_a_checkpoint_of_another_vocabulary(run):
    """A run.json of the same size, but of other characters: the letters would all be wrong."""
    path = run / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(dict(record, vocabulary="".join(sorted(record["vocabulary"][:-1] + "z")))))
    with pytest.raises(CheckpointError, match="does not belong to the vocabulary"):
        checkpoints.open_checkpoint(run / LAST)


def test_the_best(run):
    with pytest.raises(CheckpointError, match="has no best checkpoint"):
        checkpoints.open_checkpoint(run, best=True)
    checkpoints.write_run(run, checkpoints.read_run(run)._replace(best="i100_l5.ckpt"))
    assert checkpoints.open_checkpoint(run, best=True).prefix == str(run / "i100_l5.ckpt")
    cut(run / "i100_l5.ckpt.meta")
    with pytest.raises(CheckpointError, match="i100_l5.ckpt is not whole"):
        checkpoints.open_checkpoint(run, best=True)


@pytest.mark.parametrize("cell, scope", [
    ("lstm", "basic_lstm_cell"), ("gru", "gru_cell"), ("rnn", "basic_rnn_cell"),
    ("layer-norm-lstm", "layer_norm_basic_lstm_cell"), ("nas", "nas_cell")])
def test_the_kind_of_cell_is_read_off_the_names(tmp_path, cell, scope):
    shapes = {"rnn__multi_rnn_cell__cell_{}__{}__kernel".format(layer, scope): [(2, 3)[layer > 0] + 3, 12]
              for layer in range(4)}
    found = checkpoints.open_checkpoint(save_variables(tmp_path, softmax__Variable=[3, 2], **shapes), Vocabulary("ab"))
    assert (found.cell, found.lstm_size, found.num_layers) == (cell, 3, 4)


def test_weights_are_the_averages_where_there_are_some(tmp_path):
    """And neither the optimizers' slots nor its counters are among them."""
    values = {"softmax/Variable": 1.0, "softmax/Variable/ExponentialMovingAverage": 2.0, "softmax/Variable_1": 3.0,
              "softmax/Variable_1/Adam": 4.0, "softmax/Variable_1/Adam_1": 5.0, "rnn/kernel": 6.0,
              "rnn/kernel/RMSProp": 7.0, "rnn/kernel/RMSProp_1": 8.0, "beta1_power": 9.0}
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in values.items():
            tf.Variable(value, name=name)
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, str(tmp_path / "i1_l3.ckpt"))
    assert checkpoints.read_weights(prefix) == {"softmax/Variable": 2, "softmax/Variable_1": 3, "rnn/kernel": 6}


def test_weights_of_another_network(trained):
    from charrnn.model import CharRNN
    prefix = str(trained / LAST)
    for sizes, message in [((14, 2, 3, 7, 2), "of another network: rnn/.*kernel"),
                           ((14, 2, 3, 5, 3), "has no rnn/.*cell_2")]:
        CharRNN(*sizes)
        with tf.Session() as session, pytest.raises(CheckpointError, match=message):
            checkpoints.load_weights(session, prefix)


@pytest.mark.parametrize("name", ["a*", "a?", "a[1]", "a\\b", "a\udcff"])
def test_names_that_tensorflow_takes_for_patterns(tmp_path, name):
    for refuse in (checkpoints.check_unused, checkpoints.open_checkpoint):
        with pytest.raises(CheckpointError, match="cannot be the name"):
            refuse(tmp_path / name)


def test_no_vocabulary_or_another(run):
    with pytest.raises(CheckpointError, match="14 distinct characters, but the vocabulary given has 2"):
        checkpoints.open_checkpoint(run, Vocabulary("ab"))
    (run / "run.json").unlink()
    with pytest.raises(CheckpointError, match="--vocab-from"):
        checkpoints.open_checkpoint(run)
    vocabulary = Vocabulary("\n ,.acdehmnost")
    assert checkpoints.open_checkpoint(run, vocabulary).vocabulary is vocabulary


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
        checkpoints.open_checkpoint(prefix, Vocabulary("ab"))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip file at all", None])
def test_damaged_progress(run, content):
    path = run / "i173_l5.ckpt.progress.npz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be resumed from"):
        checkpoints.read_progress(str(run / "i173_l5.ckpt"), (2, 2, 2, 5))


def test_progress(run):
    prefix = str(run / "i173_l5.ckpt")
    progress = checkpoints.read_progress(prefix, (2, 2, 2, 5))
    assert progress.step == 173 and len(progress.epoch_losses) == 173
    with pytest.raises(CheckpointError, match=r"\(2, 2, 2, 5\), not \(2, 2, 3, 5\)"):
        checkpoints.read_progress(prefix, (2, 2, 3, 5))
    shutil.copy(str(run / "i100_l5.ckpt.progress.npz"), prefix + ".progress.npz")
    with pytest.raises(CheckpointError, match="progress is that of step 100"):
        checkpoints.read_progress(prefix, (2, 2, 2, 5))


def test_a_pickle_is_not_read(run):
    path = str(run / "i173_l5.ckpt.progress.npz")
    np.savez(path, step=1, lstm_state=np.array([{}], object), epoch_losses=np.zeros(1))
    with pytest.raises(CheckpointError, match="allow_pickle"):
        checkpoints.read_progress(path[:-len(".progress.npz")], (2, 2, 2, 5))


AB = Run({}, Vocabulary("ab"), "name", "f00", "utf-8")


@pytest.fixture
def session():
    """A session with one variable, and its Saver."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.zeros(1))
        session.run(tf.global_variables_initializer())
        yield session, tf.train.Saver(max_to_keep=0)


def save(session, folder, step, best_step=0, max_to_keep=100):
    progress = Progress(step, np.zeros((1, 2, 1, 5)), np.zeros(step), best_step)
    best = "i{}_l5.ckpt".format(best_step) if best_step else None
    return checkpoints.save(*session, folder, 5, progress, AB._replace(best=best), max_to_keep)


@pytest.fixture
def folder(tmp_path):
    checkpoints.write_run(tmp_path, AB)
    return tmp_path


def steps_in(folder):
    """The steps of which there is any file, and those in TensorFlow's list."""
    there = sorted({int(path.name[1:].split("_")[0]) for path in folder.glob("i*")})
    state = tf.train.get_checkpoint_state(str(folder))
    assert state.model_checkpoint_path == state.all_model_checkpoint_paths[-1]
    return there, [int(path.split("/i")[-1].split("_")[0]) for path in state.all_model_checkpoint_paths]


def test_old_checkpoints_are_forgotten_with_all_their_files(folder, session):
    for step in (1, 2, 3):
        assert save(session, folder, step, max_to_keep=2) == str(folder / "i{}_l5.ckpt".format(step))
    assert steps_in(folder) == ([2, 3], [2, 3])
    assert checkpoints.newest_intact(folder) == (str(folder / "i3_l5.ckpt"), [])
    assert "/" not in (folder / "checkpoint").read_text()
    assert not (folder / ".saving").exists()


def test_the_best_is_kept_besides(folder, session):
    """Those with a number that begins like the best one's are not."""
    for step in (1, 10, 11, 12, 13):
        save(session, folder, step, best_step=1, max_to_keep=2)
    assert steps_in(folder) == ([1, 12, 13], [1, 12, 13])
    save(session, folder, 14, best_step=14, max_to_keep=2)
    assert steps_in(folder)[0] == [13, 14]


def test_steps_are_ordered_as_numbers(folder, session):
    for step in (9, 10, 100):
        save(session, folder, step)
    assert checkpoints.newest_intact(folder)[0] == str(folder / "i100_l5.ckpt")
    assert steps_in(folder)[1] == [9, 10, 100]


def no_space(*args, **kwargs):
    raise OSError(28, "No space left on device")


def assert_failed_save_leaves_nothing(folder, session):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OSError, match="i2_l5.ckpt could not be saved: No space left on device"):
        save(session, folder, 2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    checkpoints.verify(str(folder / "i1_l5.ckpt"))


def test_a_save_that_tensorflow_fails_in_leaves_nothing_behind(folder, session):
    save(session, folder, 1)
    session[1].save = no_space
    assert_failed_save_leaves_nothing(folder, session)


@pytest.mark.parametrize("fails_at", [1, 2, 3, 6])
def test_a_save_that_fails_while_it_moves_leaves_nothing_behind(folder, session, monkeypatch, fails_at):
    """The record is put in place in the stage first; then four files are moved, and the record."""
    save(session, folder, 1)
    usual, calls = os.replace, []

    def replace(*args):
        calls.append(args)
        return (no_space if len(calls) == fails_at else usual)(*args)

    monkeypatch.setattr(os, "replace", replace)
    assert_failed_save_leaves_nothing(folder, session)
    assert len(calls) >= fails_at


def test_what_a_killed_save_left_is_removed(folder, session):
    (folder / ".saving").mkdir()
    (folder / ".saving" / "i2_l5.ckpt.index").write_bytes(b"half")
    (folder / "run.json.123.tmp").write_bytes(b"half")
    (folder / "mine.tmp").write_bytes(b"whole")
    checkpoints.remove_leftovers(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["mine.tmp", "run.json"]


def test_saving_where_there_is_no_folder(tmp_path, session):
    with pytest.raises(OSError):
        save(session, tmp_path / "missing", 1)
    assert not (tmp_path / "missing").exists()
