"""Starting from another model's weights: rows for new characters, and nothing else changed."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoints, train
from charrnn.data import Vocabulary
from charrnn.model import CharRNN
from charrnn.text.corpus import Text
from charrnn.training import transfer
from charrnn.training.hyperparameters import Hyperparameters
from charrnn.training.trainer import Trainer

OTHER = "A cat: one, two! And the hats.\n" * 30  # without d, m; with A, :, w, !
NEW = "!:Aw"
KERNELS = {"lstm": ["basic_lstm_cell/kernel"], "gru": ["gru_cell/gates/kernel", "gru_cell/candidate/kernel"],
           "rnn": ["basic_rnn_cell/kernel"]}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A function that trains a small run of a kind of cell, once, and returns its folder."""
    found, folder = {}, tmp_path_factory.mktemp("models")
    (folder / "text").write_text(TEXT)

    def make(cell, *flags):
        key = (cell, *flags)
        if key not in found:
            found[key] = folder / "run{}".format(len(found))
            assert train.main([str(folder / "text"), *SMALL_FLAGS, "--cell", cell, "--checkpoint-dir", str(found[key]),
                               "--num-layers", "3", "--sample-length", "0", "--no-summaries", *flags]) == 0
        return found[key]
    return make


@pytest.fixture
def other_file(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text(OTHER)
    return path


def fresh_weights(num_classes, cell, seed=7):
    """What a new network of these sizes begins with."""
    CharRNN(num_classes, 2, 3, 5, 3, seed=seed, cell=cell)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return {variable.op.name: session.run(variable) for variable in tf.trainable_variables()}


def numpy_transfer(old, fresh, before, after, cell):
    """The same by hand, character by character."""
    expected = {}
    firsts = ["rnn/multi_rnn_cell/cell_0/" + name for name in KERNELS[cell]]
    for name, values in fresh.items():
        grown = old[name].copy()
        if name in firsts:
            rows = [old[name][before.index(char)] if char in before else values[after.index(char)] for char in after]
            grown = np.concatenate([rows, old[name][len(before):]])
        elif name.startswith("softmax/"):
            grown = np.stack([old[name][..., before.index(char)] if char in before
                              else values[..., after.index(char)] for char in after], -1)
        expected[name] = grown
    return expected


@pytest.mark.parametrize("cell", ["lstm", pytest.param("gru", marks=pytest.mark.slow), "rnn"])
def test_rows_are_added_and_the_others_are_untouched(models, cell):
    """Bit for bit; characters that the new text lacks keep theirs."""
    found = checkpoints.open_checkpoint(models(cell))
    moved = transfer.plan(found, OTHER)
    before, after = list(found.vocabulary.chars), list(moved.vocabulary.chars)
    assert sorted(moved.new_characters) == sorted(NEW) and after == sorted(set(TEXT + OTHER))
    old, fresh = checkpoints.read_weights(found.prefix), fresh_weights(len(after), cell)
    grown = moved.weights(fresh)
    expected = numpy_transfer(old, fresh, before, after, cell)
    assert set(grown) == set(fresh) == set(expected)
    for name, values in grown.items():
        assert values.shape == fresh[name].shape and values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
    assert sum(values.size for values in grown.values()) > sum(values.size for values in old.values())


def test_a_text_with_nothing_new_changes_nothing(models):
    found = checkpoints.open_checkpoint(models("lstm"))
    moved = transfer.plan(found, "the cat")
    assert moved.vocabulary == found.vocabulary and moved.new_characters == []
    old = checkpoints.read_weights(found.prefix)
    for name, values in moved.weights(fresh_weights(14, "lstm")).items():
        np.testing.assert_array_equal(values, old[name], err_msg=name)


def test_the_other_model_says_what_it_said(models):
    """With new characters in the vocabulary, the logits of the known ones are the same to the last bit."""
    found = checkpoints.open_checkpoint(models("lstm"))
    moved = transfer.plan(found, OTHER)
    weights, logits = moved.weights(fresh_weights(18, "lstm")), []
    for vocabulary, values in [(found.vocabulary, checkpoints.read_weights(found.prefix)), (moved.vocabulary, weights)]:
        model = CharRNN(len(vocabulary), 1, 7, 5, 3)
        with tf.Session() as session:
            for variable in tf.trainable_variables():
                variable.load(values[variable.op.name], session)
            ids = vocabulary.encode("the mat")
            all_logits = session.run(model.logits, {model.inputs: [ids], model.keep_prob: 1})
        logits.append(all_logits[:, vocabulary.encode("".join(found.vocabulary.chars))])
    np.testing.assert_allclose(*logits, atol=1e-6)


def test_the_trainer_begins_with_them(models, other_file, tmp_path):
    """The weights before the first step, and their running averages where there are some."""
    found = checkpoints.open_checkpoint(models("gru"))
    moved = transfer.plan(found, OTHER)
    hyper = Hyperparameters(batch_size=2, num_steps=3, lstm_size=5, num_layers=3, seed=7, cell="gru", average_decay=0.5)
    run = checkpoints.Run(hyper._asdict(), moved.vocabulary, "other", "f00", "utf-8")
    trainer = Trainer(run, hyper, moved.vocabulary.encode(OTHER), np.zeros(0, np.int32), tmp_path, transfer=moved)
    values = trainer._session.run(trainer._variables)
    trainer.close()
    expected = moved.weights(fresh_weights(18, "gru"))
    for name, value in expected.items():
        np.testing.assert_array_equal(values[name], value, err_msg=name)
        np.testing.assert_array_equal(values[name + "/ExponentialMovingAverage"], value, err_msg=name)
    assert not any(value.any() for name, value in values.items() if name.endswith(("/Adam", "/Adam_1")))


@pytest.mark.parametrize("cell", ["lstm", pytest.param("gru", marks=pytest.mark.slow)])
def test_a_run_from_another_model(models, tmp_path, capsys, cell):
    """The sizes are the other model's without being told; it begins better than one from nothing."""
    other = models(cell, "--learning-rate", "0.02", "--epochs", "3", "--keep-prob", "1")
    (tmp_path / "text").write_text(TEXT.replace(".", "!"))
    flags = [str(tmp_path / "text"), "--batch-size", "2", "--num-steps", "4", "--epochs", "1", "--seed", "8",
             "--keep-prob", "1", "--print-every-n", "1", "--sample-length", "5", "--no-summaries",
             "--learning-rate", "0.0001"]
    capsys.readouterr()
    assert train.main([*flags, "--init-from", str(other), "--checkpoint-dir", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    prefix = checkpoints.newest_intact(other)[0]
    assert "weights  from {}, with new rows for '!' and the others untouched".format(prefix) in out.splitlines()
    hyper = checkpoints.read_run(tmp_path / "run").hyperparameters
    assert (hyper["lstm_size"], hyper["num_layers"], hyper["cell"]) == (5, 3, cell)
    assert checkpoints.read_run(tmp_path / "run").vocabulary == Vocabulary.from_text(TEXT + "!")
    sizes = ["--lstm-size", "5", "--num-layers", "3", "--cell", cell]
    assert train.main([*flags, *sizes, "--checkpoint-dir", str(tmp_path / "fresh")]) == 0
    losses = [np.mean([float(row.split(",")[2]) for row in (tmp_path / name / "history.csv").read_text().split()[1:40]])
              for name in ("run", "fresh")]
    assert losses[0] < losses[1] - 0.1
    capsys.readouterr()
    resume = ["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--epochs", "2", "--sample-length", "0"]
    assert train.main(resume) == 0
    assert "weights  from" not in capsys.readouterr().out


def test_a_text_that_adds_nothing_is_said(models, tmp_path, capsys):
    (tmp_path / "known").write_text("the cat sat.\n" * 9)
    assert train.main([str(tmp_path / "known"), "--init-from", str(models("lstm")), "--batch-size", "2",
                       "--num-steps", "3", "--dry-run", "--checkpoint-dir", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "whose vocabulary has all characters of the text" in out and "3 layers of 5 units" in out
    assert "14 distinct" in out and not (tmp_path / "run").exists()


@pytest.mark.parametrize("flags, message", [
    (["--lstm-size", "6"], "has lstm_size 5, and 6 cannot be started from it"),
    (["--num-layers", "2"], "has num_layers 3, and 2 cannot be started from it"),
    (["--cell", "gru"], "has cell lstm, and gru cannot be started from it"),
    (["--preset", "quick"], "has lstm_size 5, and 224 cannot be started from it"),
    (["--init-from", "nowhere"], "there is no file or folder nowhere")])
def test_what_does_not_agree_is_refused(models, other_file, tmp_path, capsys, flags, message):
    capsys.readouterr()
    other = models("lstm")
    capsys.readouterr()
    assert train.main([str(other_file), "--init-from", str(other), "--checkpoint-dir", str(tmp_path / "run"),
                       *flags]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err
    assert not (tmp_path / "run").exists()


def test_it_is_the_averages_that_are_started_from(models):
    """A model that has running averages is evaluated and sampled with them, so that is what it is."""
    prefix = checkpoints.open_checkpoint(models("lstm", "--average-decay", "0.9")).prefix
    reader = tf.train.NewCheckpointReader(prefix)
    bias = "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias"
    moved = transfer.plan(checkpoints.open_checkpoint(prefix), TEXT)
    found = moved.weights(fresh_weights(14, "lstm"))[bias]
    np.testing.assert_array_equal(found, reader.get_tensor(bias + checkpoints.AVERAGE))
    assert (found != reader.get_tensor(bias)).any()


def test_the_function_takes_a_checkpoint(models, tmp_path):
    hyper = Hyperparameters(batch_size=2, num_steps=3, lstm_size=5, num_layers=3, epochs=1, seed=4)
    found = checkpoints.open_checkpoint(models("lstm"))
    text = Text("other", OTHER, "f00", "utf-8")
    train.train(text, hyper, tmp_path / "run", sample_length=0, summaries=False, init_from=found)
    assert len(checkpoints.open_checkpoint(tmp_path / "run").vocabulary) == 18
    with pytest.raises(ValueError, match="lstm_size"):
        train.train(text, hyper._replace(lstm_size=6), tmp_path / "none", init_from=found)
