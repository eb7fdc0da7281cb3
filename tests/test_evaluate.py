"""How well a model predicts a text, held to the network asked character by character; and the script."""
import math
import re
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoints, evaluate, train
from charrnn.data import Vocabulary, split
from charrnn.evaluate import Evaluator
from charrnn.model import CharRNN
from charrnn.text.baselines import ngram_nats, xz_bits

C, L, LAYERS = 7, 5, 2
LENGTHS = [2, 3, 99, 100, 101, 250]  # about one session call's 100 steps
IDS = np.random.RandomState(1).randint(0, C, 1300)


def large_weights(cell="lstm", num_classes=C, lstm_size=L, layers=LAYERS):
    """Weights that make a distribution differ from place to place."""
    CharRNN(num_classes, lstm_size=lstm_size, num_layers=layers, cell=cell)
    random = np.random.RandomState(2)
    return {variable.op.name: random.normal(0, 1, variable.shape.as_list()).astype(np.float32)
            for variable in tf.trainable_variables()}


def one_by_one(weights, ids, cell="lstm"):
    """Minus the log of the probability of each character, from CharRNN with one step at a time, in float64."""
    size, num_classes = weights["softmax/Variable"].shape
    layers = len({name.split("/")[2] for name in weights if name.startswith("rnn/")})
    model = CharRNN(num_classes, lstm_size=size, num_layers=layers, sampling=True, cell=cell)
    nats = []
    with tf.Session() as session:
        for variable in tf.trainable_variables():
            variable.load(weights[variable.op.name], session)
        state = session.run(model.initial_state)
        for now, then in zip(ids, ids[1:]):
            prediction, state = session.run([model.prediction, model.final_state], {
                model.inputs: [[now]], model.keep_prob: 1, model.initial_state: state})
            nats.append(-math.log(prediction[0, then]))
    return np.array(nats)


@pytest.fixture(scope="module")
def expected():
    return one_by_one(large_weights(), IDS)


@pytest.fixture(scope="module")
def evaluators():
    """By their rows."""
    made = {rows: Evaluator(C, L, LAYERS, rows=rows) for rows in (1, 3)}
    for each in made.values():
        each.load(large_weights())
    yield made
    for each in made.values():
        each.close()


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_character_is_as_surprising_as_it_is_one_by_one(evaluators, expected, rows, length):
    """With more rows too, where each can read all that stands before."""
    nats = evaluators[rows].nats(IDS[:length])
    assert nats.dtype == np.float32 and nats.shape == (length - 1,)
    np.testing.assert_allclose(nats, expected[:length - 1], atol=1e-5)
    assert length == 2 or nats.std() > 0.1  # or nothing was tested


def test_the_state_is_carried_to_the_end(evaluators, expected):
    np.testing.assert_allclose(evaluators[1].nats(IDS), expected, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells(cell):
    weights = large_weights(cell)
    evaluator = Evaluator(C, L, LAYERS, cell, rows=2)
    evaluator.load(weights)
    np.testing.assert_allclose(evaluator.nats(IDS[:130]), one_by_one(weights, IDS[:130], cell), atol=1e-5)
    evaluator.close()


def test_rows_are_near_the_sequential(evaluators, expected, monkeypatch):
    """Off by as much as the characters before the 500 would have told; with 2 of them it is far more."""
    near = np.abs(evaluators[3].nats(IDS) - expected)
    assert near.max() < 1e-4
    monkeypatch.setattr(evaluate, "WARM_UP", 2)
    far = np.abs(evaluators[3].nats(IDS) - expected)
    assert far[:433].max() < 1e-5 and far.max() > 1e-2


@pytest.mark.parametrize("warm_up", [0, 1, 37])
def test_rows_cover_every_character_once(evaluators, monkeypatch, warm_up):
    """Where only the character itself counts, each place must hold its own, whatever the row it came from."""
    weights = {name: value * (name == "softmax/Variable_1") for name, value in large_weights().items()}
    bias = weights["softmax/Variable_1"].astype(np.float64)
    surprise = np.log(np.exp(bias).sum()) - bias
    monkeypatch.setattr(evaluate, "WARM_UP", warm_up)
    usual = large_weights()
    evaluators[3].load(weights)
    try:
        for length in [*range(2, 12), 100, 101, 301, 302, 303, 304, 450, 1300]:
            nats = evaluators[3].nats(IDS[:length])
            np.testing.assert_allclose(nats, surprise[IDS[1:length]], atol=1e-5, err_msg=str(length))
    finally:
        evaluators[3].load(usual)


@pytest.mark.parametrize("length", [0, 1])
def test_too_short(evaluators, length):
    with pytest.raises(ValueError, match="at least 2 characters, not {}".format(length)):
        evaluators[1].nats(IDS[:length])


def test_the_weights_of_a_checkpoint(trained):
    prefix = str(trained / "i173_l5.ckpt")
    evaluator = Evaluator(14, 5, 2)
    evaluator.restore(prefix)
    ids = Vocabulary.from_text(TEXT).encode(TEXT[:60])
    found = one_by_one(checkpoints.read_weights(prefix), ids)
    np.testing.assert_allclose(evaluator.nats(ids), found, atol=1e-5)
    evaluator.close()
    evaluator = Evaluator(14, 6, 2)
    with pytest.raises(checkpoints.CheckpointError, match="of another network"):
        evaluator.restore(prefix)
    evaluator.close()


def test_unknown_characters_are_counted_and_left_out():
    vocabulary = Vocabulary("abc")
    assert evaluate.leave_out_unknown("axbyxc\n", vocabulary) == ("abc", {"x": 2, "y": 1, "\n": 1})
    assert evaluate.leave_out_unknown("cab", vocabulary) == ("cab", {})
    assert evaluate.leave_out_unknown("\U0001f600a\ud800", vocabulary) == ("a", {"\U0001f600": 1, "\ud800": 1})


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """A run that holds out a part of its text, with running averages, not to be changed; its best is not its last."""
    folder = tmp_path_factory.mktemp("validated")
    random = np.random.RandomState(3)
    text = TEXT[:780] + "".join(random.choice(list("\n ,.acdehmnost"), 260))
    (folder / "text").write_text(text)
    assert train.main([str(folder / "text"), *SMALL_FLAGS, "--checkpoint-dir", str(folder / "run"), "--epochs", "2",
                       "--val-fraction", "0.25", "--eval-every-n", "15", "--average-decay", "0.9", "--keep-prob", "1",
                       "--learning-rate", "0.02", "--lstm-size", "9", "--sample-length", "0", "--no-summaries"]) == 0
    return folder / "run"


def table(out):
    """The rows of the table that was printed: a dict from label to its three figures, which must agree."""
    rows = {}
    for line in out[out.index("\n\n"):].strip("\n").split("\n")[1:]:
        found = re.fullmatch(r"(.{36}) *(-?\d+\.\d{4}) +(-?\d+\.\d{4}) +(\d+\.\d{3})", line)
        nats, bits, perplexity = map(float, found.groups()[1:])
        assert bits == pytest.approx(nats / math.log(2), abs=2e-4)  # nats are rounded
        assert perplexity == pytest.approx(math.exp(nats), rel=2e-4, abs=1e-3)
        rows[found.group(1).strip()] = nats
    return rows


def evaluated(capsys, *argv):
    """What is printed for arguments that are right."""
    capsys.readouterr()
    assert evaluate.main([str(each) for each in argv]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_text(trained, tmp_path, capsys):
    """The figures are those of the evaluator and of the baselines, after the training text as the run knows it."""
    text = "the mat\nand the hat sat, on the cat.\n" * 4
    (tmp_path / "text").write_text(text)
    out = evaluated(capsys, trained, tmp_path / "text")
    lines = out.split("\n")
    assert lines[0] == "model    {}".format(trained / "i173_l5.ckpt")
    assert lines[1] == "text     {}, 148 characters, 147 of them predicted".format(tmp_path / "text")
    assert lines[2] == "" and lines[3].split() == ["nats/char", "bits/char", "perplexity"]
    vocabulary = Vocabulary.from_text(TEXT)
    ids = vocabulary.encode(text)
    rows = table(out)
    assert list(rows) == ["this model", "counts of 5 characters and the next", "xz, after the training text",
                          "xz, of this text alone"]
    assert list(rows.values()) == pytest.approx([
        one_by_one(checkpoints.read_weights(str(trained / "i173_l5.ckpt")), ids).mean(),
        ngram_nats(vocabulary.encode(TEXT), ids, 14).mean(),
        xz_bits(text, TEXT) * math.log(2) / 148, xz_bits(text) * math.log(2) / 148], abs=1e-4)
    for rows_flag in ("2", "200"):
        other = table(evaluated(capsys, "--rows", rows_flag, trained, tmp_path / "text"))
        assert other == pytest.approx(rows, abs=1e-4)


def test_the_training_text_itself_is_named_as_such(trained, capsys):
    out = evaluated(capsys, trained, trained.parent / "small.txt")
    assert "small.txt, which the model was trained on, 1,040 characters, 1,039 of them predicted" in out


def test_a_checkpoint_by_name_and_the_default_folder(trained, tmp_path, monkeypatch, capsys):
    shutil.copytree(str(trained), str(tmp_path / "checkpoints"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text(TEXT[:50])
    assert "model    checkpoints/i173_l5.ckpt" in evaluated(capsys, "text")
    out = evaluated(capsys, "checkpoints/i100_l5.ckpt.index", "text")
    assert "model    checkpoints/i100_l5.ckpt\n" in out
    (tmp_path / "checkpoints" / "i173_l5.ckpt.index").unlink()
    assert evaluate.main(["text"]) == 0
    out, err = capsys.readouterr()
    assert err == "skipped: checkpoints/i173_l5.ckpt is not whole: i173_l5.ckpt.index is gone\n"
    assert "model    checkpoints/i100_l5.ckpt\n" in out


def test_characters_that_the_model_never_saw(trained, tmp_path, capsys):
    (tmp_path / "known").write_text("the cat sat\n" * 5)
    (tmp_path / "text").write_text("thXe cat sXat\n\u00e9" * 5, encoding="utf-8")
    out = evaluated(capsys, trained, tmp_path / "text")
    assert "60 characters, 59 of them predicted" in out
    assert "unknown  15 more (20%) that the model never saw are left out: 'X' 10 times, 'é' 5 times." in out
    assert table(out) == table(evaluated(capsys, trained, tmp_path / "known"))


def test_held_out_and_best(validated, capsys):
    """The figures are the run's own validation losses, those of the running averages."""
    rows = [line.split(",") for line in (validated / "history.csv").read_text().split()[1:]]
    losses = {int(row[0]): float(row[4]) for row in rows if row[4]}
    best = min(losses, key=losses.get)
    assert 0 < best < max(losses) == 260 and losses[best] < losses[260] - 0.01
    out = evaluated(capsys, "--held-out", validated)
    assert "model    {}\n".format(validated / "i260_l9.ckpt") in out
    assert "text     held out of {}, 260 characters, 259 of them predicted".format(validated.parent / "text") in out
    # the run reads it in several rows, each after up to 500 characters, which is all that stands before
    assert table(out)["this model"] == pytest.approx(losses[260], abs=1e-4)
    training, held_out = split((validated.parent / "text").read_text(), 0.25)
    vocabulary = Vocabulary.from_text(training)
    assert table(out)["counts of 5 characters and the next"] == pytest.approx(
        ngram_nats(vocabulary.encode(training), vocabulary.encode(held_out), 14).mean(), abs=1e-4)
    out = evaluated(capsys, "--held-out", "--best", validated)
    assert "model    {}\n".format(validated / "i{}_l9.ckpt".format(best)) in out
    assert table(out)["this model"] == pytest.approx(losses[best], abs=1e-4)
    averages = checkpoints.read_weights(str(validated / "i260_l9.ckpt"))
    nats = one_by_one(averages, vocabulary.encode(held_out)).mean()
    assert losses[260] == pytest.approx(nats, abs=1e-5)


def test_a_checkpoint_of_the_notebooks_own(trained, tmp_path, capsys):
    """Without run.json, it is told its training text."""
    shutil.copytree(str(trained), str(tmp_path / "bare"))
    (tmp_path / "bare" / "run.json").unlink()
    (tmp_path / "text").write_text(TEXT[:100])
    out = evaluated(capsys, tmp_path / "bare", tmp_path / "text", "--vocab-from", trained.parent / "small.txt")
    assert table(out) == table(evaluated(capsys, trained, tmp_path / "text"))
    assert evaluate.main([str(tmp_path / "bare"), str(tmp_path / "text")]) == 2
    assert "has no run.json beside it" in capsys.readouterr().err


def test_a_training_text_that_is_gone(trained, tmp_path, capsys):
    """Then less is compared; what was held out of it cannot be had at all."""
    shutil.copytree(str(trained.parent), str(tmp_path / "moved"))
    folder = tmp_path / "moved" / "run"
    run = checkpoints.read_run(folder)
    (tmp_path / "moved" / "small.txt").write_text(TEXT + "!")
    (tmp_path / "text").write_text(TEXT[:100])
    for name, message in [(tmp_path / "missing", "cannot read"), (tmp_path / "moved" / "small.txt", "any more")]:
        checkpoints.write_run(folder, run._replace(text_name=str(name)))
        out = evaluated(capsys, folder, tmp_path / "text")
        assert "training the text cannot be had, so less is compared: " in out and message in out
        assert list(table(out)) == ["this model", "xz, of this text alone"]
        assert evaluate.main(["--held-out", str(folder)]) == 2
        assert message in capsys.readouterr().err
    whole = evaluated(capsys, folder, tmp_path / "text", "--vocab-from", trained.parent / "small.txt")
    assert table(whole) == table(evaluated(capsys, trained, tmp_path / "text"))


@pytest.mark.parametrize("argv, message", [
    (["{run}"], "cannot read the text"),  # one place is a TEXT, and a folder is none
    ([], "name a TEXT"),
    (["{run}", "{text}", "{text}"], "name a TEXT"),
    (["--held-out", "{run}", "{text}"], "--held-out takes a MODEL at most"),
    (["--held-out", "{run}"], "has held nothing out"),
    (["--best", "{run}", "{text}"], "has no best checkpoint"),
    (["--rows", "0", "{run}", "{text}"], "--rows must be at least 1, not 0"),
    (["--rows", "x", "{run}", "{text}"], "--rows"),
    (["{run}", "{run}/missing"], "cannot read the text"),
    (["{run}/missing", "{text}"], "there is no file or folder"),
    (["{run}", "{text}", "--encoding", "klingon"], "klingon"),
    (["{run}", "{text}", "--train-text", "nowhere"], "cannot read the text"),
    (["--unheard-of", "{run}", "{text}"], "--unheard-of")])
def test_wrong_input(trained, tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(trained), "checkpoints")
    (tmp_path / "text").write_text(TEXT[:100])
    assert evaluate.main([each.format(run=trained, text=tmp_path / "text") for each in argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-evaluate: error: ") and message in err


@pytest.mark.parametrize("text, count", [("t", 1), ("XYZ", 0), ("XtZ", 1)])
def test_nothing_to_predict(trained, tmp_path, capsys, text, count):
    (tmp_path / "text").write_text(text)
    assert evaluate.main([str(trained), str(tmp_path / "text")]) == 2
    out, err = capsys.readouterr()
    assert "at least 2 characters that the model knows" in err and "has {}".format(count) in err
    assert err.count("\n") == 1
    assert "-1 of them" not in out


def test_help_is_for_people(capsys):
    with pytest.raises(SystemExit) as end:
        evaluate.main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0 and "charrnn-evaluate --held-out --best" in out and "default: 1, which is exact" in out
