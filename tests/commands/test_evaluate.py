"""The script charrnn-evaluate: its figures, its texts and its errors."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS, NEWEST, TEXT, graph_probabilities, history_of
from pages.small_pages import random_network

from charrnn.checkpoints import record
from charrnn.commands import evaluate
from charrnn.data import Vocabulary, split
from charrnn.engines.opening import open_model
from charrnn.text.baselines import best_ngram_counts

CHARACTERS = "the hat sat\non, the"
# a row of the table: a label, nats, bits and perplexity
ROW = re.compile(r"(.{36}) *(-?\d+\.\d{4}) +(-?\d+\.\d{4}) +(\d+\.\d{3})")
# a character: its place, itself, the log-probability and the bits
CHARACTER = re.compile(r" *(\d+)  ('.+?') +(\S+) +(\S+)")


def nats_of(model, text):
    """Return the surprisal in nats of each character but the first, from the probabilities of the cells."""
    checkpoint = open_model(model)
    ids = checkpoint.vocabulary.encode(text)
    distributions = graph_probabilities(checkpoint, ids[np.newaxis, :-1], len(ids))[0]
    probabilities = distributions[np.arange(len(ids) - 1), ids[1:]]
    return -np.log(probabilities)


def counted(training, text, chars=CHARS):
    """Return the row of the table that the best n-gram counts have: its label, and its nats."""
    vocabulary = Vocabulary(chars)
    counts = best_ngram_counts(vocabulary.encode(training), vocabulary.encode(text), len(chars))
    return f"n-gram counts, best length: {counts.length}", pytest.approx(counts.nats, abs=1e-4)


def table(out):
    """Return the nats of each row of the printed table, by label. Its three figures must agree."""
    rows = {}
    # the table is the last part, after a row of heads
    _, *lines = out.split("\n\n")[-1].splitlines()
    for line in lines:
        label, *figures = ROW.fullmatch(line).groups()
        nats, bits, perplexity = map(float, figures)
        assert bits == pytest.approx(nats / math.log(2), abs=2e-4)  # nats are rounded
        assert perplexity == pytest.approx(math.exp(nats), rel=2e-4, abs=1e-3)
        rows[label.strip()] = nats
    return rows


@pytest.fixture
def evaluated(capsys):
    """A function that runs the script with good arguments, and returns its output."""

    def run(*arguments):
        capsys.readouterr()
        assert evaluate.main([str(argument) for argument in arguments]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return run


def test_a_text_is_read_in_one_row_unless_more_are_asked_for(exported, tmp_path, evaluated):
    path = tmp_path / "text"
    path.write_text(TEXT[:300])
    assert evaluated(exported, path, "--rows", "1") == evaluated(exported, path)


def test_the_figures_are_those_of_the_cells_and_of_the_counts(trained, tmp_path, evaluated):
    text = "the mat\nand the hat sat, on the cat.\n" * 4
    (tmp_path / "text").write_text(text)
    out = evaluated(trained, tmp_path / "text")
    model, name, blank, head, *_ = out.splitlines()
    assert model == f"model    {trained / NEWEST}"
    assert name == f"text     {tmp_path / 'text'}, 148 characters, 147 of them predicted"
    assert blank == ""
    assert head.split() == ["nats/char", "bits/char", "perplexity"]
    of_model = nats_of(trained / NEWEST, text).mean()
    assert list(table(out).items()) == [
        ("this model", pytest.approx(of_model, abs=1e-4)),
        counted(TEXT, text),
    ]


@pytest.mark.parametrize("model", ["trained", "exported"])
def test_each_character_has_the_surprisal_of_the_cells(
    trained, tmp_path, evaluated, request, model
):
    """With both engines: a line for each character but the first, and the mean, without the comparison."""
    (tmp_path / "text").write_text(CHARACTERS)
    nats = nats_of(trained, CHARACTERS)
    place = request.getfixturevalue(model)
    out = evaluated(place, tmp_path / "text", "--characters")
    assert table(out) == {"this model": pytest.approx(nats.mean(), abs=1e-4)}

    _, of_characters, _ = out.split("\n\n")
    head, *lines = of_characters.splitlines()
    assert head.split() == ["character", "log-probability", "bits"]
    matches = [CHARACTER.fullmatch(line) for line in lines]
    assert [int(match.group(1)) for match in matches] == list(range(2, len(CHARACTERS) + 1))
    assert [match.group(2) for match in matches] == [repr(char) for char in CHARACTERS[1:]]
    logarithms = [float(match.group(3)) for match in matches]
    assert logarithms == pytest.approx(-nats, abs=1e-4)
    bits = [float(match.group(4)) for match in matches]
    assert bits == pytest.approx(nats / math.log(2), abs=0.006)


def test_json_has_what_is_printed(trained, tmp_path, evaluated):
    (tmp_path / "text").write_text("the Xcat sat\n" * 5)
    rows = table(evaluated(trained, tmp_path / "text"))
    report = json.loads(evaluated(trained, tmp_path / "text", "--json"))
    nats = report["nats_per_character"]
    figures = [nats, *report["comparison"].values()]
    assert figures == pytest.approx(list(rows.values()), abs=1e-4)
    assert next(iter(report["comparison"])) == "n-gram counts"
    assert f"n-gram counts, best length: {report['ngram_length']}" in rows
    assert report["bits_per_character"] == pytest.approx(nats / math.log(2))
    assert report["model"] == str(trained / NEWEST)
    assert report["predicted"] == 59
    assert report["left_out"] == 5


def test_json_has_the_characters(trained, tmp_path, evaluated):
    (tmp_path / "text").write_text("the Xcat sat\n" * 5)
    report = json.loads(evaluated(trained, tmp_path / "text", "--characters", "--json"))
    assert report["characters"] == ("the cat sat\n" * 5)[1:]
    assert len(report["log_probabilities"]) == 59
    assert np.mean(report["log_probabilities"]) == pytest.approx(-report["nats_per_character"])


def test_unknown_characters_are_counted_and_left_out(trained, tmp_path, evaluated):
    (tmp_path / "known").write_text("the cat sat\n" * 5)
    (tmp_path / "text").write_text("thXe cat sXat\n\u00e9" * 5, encoding="utf-8")
    out = evaluated(trained, tmp_path / "text")
    assert "60 characters, 59 of them predicted" in out
    assert (
        "unknown  left out of the text: 'X', 'é' (15 characters, 20%), so the result is too low\n"
        in out
    )
    assert table(out) == table(evaluated(trained, tmp_path / "known"))


def test_the_places_are_those_in_the_whole_text(trained, tmp_path, evaluated):
    """It has an X in places 3 and 11."""
    (tmp_path / "text").write_text("thXe cat sXat\n")
    out = evaluated(trained, tmp_path / "text", "--characters")
    _, *lines = out.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in lines] == "2 4 5 6 7 8 9 10 12 13 14".split()


@pytest.fixture(scope="module")
def validation_losses(stopped_early):
    """The validation losses of the run by their steps; the best is not the last."""
    losses = {}
    for row in history_of(stopped_early):
        if row["val_loss"]:
            losses[int(row["step"])] = float(row["val_loss"])
    assert min(losses.values()) < losses[max(losses)] - 0.001
    return losses


@pytest.mark.parametrize("flags", [[], ["--best"]])
def test_the_loss_on_the_held_out_text_is_that_of_the_run(
    stopped_early, validation_losses, evaluated, flags
):
    step = min(validation_losses, key=validation_losses.get) if flags else max(validation_losses)
    out = evaluated("--held-out", *flags, stopped_early)
    assert f"model    {stopped_early / f'i{step}_l9.ckpt'}\n" in out
    assert (
        f"held-out text of {stopped_early.parent / 'text'}, 260 characters, 259 of them predicted"
        in out
    )
    rows = table(out)
    # the run reads it in several rows, each after up to 500 characters, which are all that come before
    assert rows["this model"] == pytest.approx(validation_losses[step], abs=1e-4)
    training, held_out, _ = split((stopped_early / "text.txt").read_text(), 0.25)
    label, nats = counted(training, held_out, sorted(set(training)))
    assert rows[label] == nats


def test_the_last_validation_loss_is_that_of_the_cells(stopped_early, validation_losses):
    last = max(validation_losses)
    _, held_out, _ = split((stopped_early / "text.txt").read_text(), 0.25)
    nats = nats_of(stopped_early / f"i{last}_l9.ckpt", held_out)
    assert validation_losses[last] == pytest.approx(nats.mean(), abs=1e-5)


def test_what_is_measured_is_said_before_it_is(trained, tmp_path, monkeypatch, capsys):
    """A long text takes minutes."""

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "surprisal", interrupted)
    (tmp_path / "text").write_text(TEXT[:100])
    assert evaluate.main([str(trained), str(tmp_path / "text")]) == 130
    assert "100 characters, 99 of them predicted\n" in capsys.readouterr().out


@pytest.fixture(params=["has changed", "cannot be read"])
def without_text(request, run_copy):
    """A run whose text is of no use, and why."""
    run = record.read_run(run_copy)
    record.write_run(run_copy, replace(run, text_name="a text that is lost, too"))
    for path in run_copy.glob("*.ckpt.json"):
        content = record.read_signed(path)
        content["run"]["text"]["name"] = "a text that is lost, too"
        path.write_bytes(record.signed(content))
    text = run_copy / "text.txt"
    if request.param == "has changed":
        text.write_text(TEXT + "!")
    else:
        text.unlink()
    return run_copy, request.param


def test_without_the_training_text_nothing_is_compared(without_text, tmp_path, evaluated, capsys):
    run, reason = without_text
    (tmp_path / "text").write_text(TEXT[:100])
    out = evaluated(run, tmp_path / "text")
    assert list(table(out)) == ["this model"]
    assert "without the training text, there are no n-gram counts (" in out
    assert reason in out
    # with JSON, this is said on standard error
    assert evaluate.main([str(run), str(tmp_path / "text"), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["comparison"] == {}
    assert report["ngram_length"] is None
    assert reason in err


def test_the_training_text_may_be_named(without_text, trained, tmp_path, evaluated):
    run, _ = without_text
    (tmp_path / "text").write_text(TEXT[:100])
    out = evaluated(run, tmp_path / "text", "--vocab-from", trained.parent / "small.txt")
    assert table(out) == table(evaluated(trained, tmp_path / "text"))


def test_another_training_text_is_whole_but_for_unknown_characters(
    stopped_early, tmp_path, evaluated
):
    """Nothing is held out of it, as of the one of the run."""
    (tmp_path / "text").write_text(TEXT[30:130])
    (tmp_path / "other").write_text(TEXT[:200] + "XYZ")
    out = evaluated(stopped_early, tmp_path / "text", "--train-text", tmp_path / "other")
    label, nats = counted(TEXT[:200], TEXT[30:130])
    assert table(out)[label] == nats


@pytest.mark.parametrize("text, n_known", [("XtZ", 1), ("XYZ", 0)])
def test_a_text_without_a_character_to_predict_is_an_error(
    trained, tmp_path, capsys, text, n_known
):
    (tmp_path / "text").write_text(text)
    assert evaluate.main([str(trained), str(tmp_path / "text")]) == 2
    message = f"at least 2 characters that the model knows, not {n_known}\n"
    assert message in capsys.readouterr().err


def test_two_known_characters_are_enough(trained, tmp_path, evaluated):
    (tmp_path / "text").write_text("Xte")
    assert "2 characters, 1 of them predicted" in evaluated(trained, tmp_path / "text")


def test_weights_alone_have_no_text_that_was_held_out(tmp_path, capsys):
    random_network("ab").save(tmp_path / "m.npz")
    assert evaluate.main(["--held-out", str(tmp_path / "m.npz")]) == 2
    assert "has no held-out text" in capsys.readouterr().err
