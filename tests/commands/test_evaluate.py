"""The script charrnn-evaluate: its figures, its texts and its errors."""

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, TEXT, graph_probabilities, history_of

from charrnn.commands import evaluate
from charrnn.data import Vocabulary, split
from charrnn.engines.model_file import open_model
from charrnn.text.baselines import ngram_nats, xz_bits

CHARACTERS = "the hat sat\non, the"


def bits_of(model, text):
    """Return the surprisal in bits of each character but the first, from the probabilities of the cells."""
    checkpoint = open_model(model)
    ids = checkpoint.vocabulary.encode(text)
    probabilities = graph_probabilities(checkpoint, ids[np.newaxis, :-1], len(ids))[0]
    return -np.log2(probabilities[np.arange(len(ids) - 1), ids[1:]])


def nats_of(model, text):
    return bits_of(model, text).mean() * math.log(2)


def table(out):
    """Return the nats of each row of the printed table, by label. Its three figures must agree."""
    rows = {}
    for line in out[out.index("\n\n") :].strip("\n").split("\n")[1:]:
        found = re.fullmatch(r"(.{36}) *(-?\d+\.\d{4}) +(-?\d+\.\d{4}) +(\d+\.\d{3})", line)
        nats, bits, perplexity = map(float, found.groups()[1:])
        assert bits == pytest.approx(nats / math.log(2), abs=2e-4)  # nats are rounded
        assert perplexity == pytest.approx(math.exp(nats), rel=2e-4, abs=1e-3)
        rows[found.group(1).strip()] = nats
    return rows


def evaluated(capsys, *argv):
    """Return what is printed for good arguments."""
    capsys.readouterr()
    assert evaluate.main([str(each) for each in argv]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_figures_are_those_of_the_cells_and_of_the_baselines(trained, tmp_path, capsys):
    text = "the mat\nand the hat sat, on the cat.\n" * 4
    (tmp_path / "text").write_text(text)
    out = evaluated(capsys, trained, tmp_path / "text")
    lines = out.split("\n")
    assert lines[0] == f"model    {trained / 'i173_l5.ckpt'}"
    assert lines[1] == f"text     {tmp_path / 'text'}, 148 characters, 147 of them predicted"
    assert lines[2] == "" and lines[3].split() == ["nats/char", "bits/char", "perplexity"]
    vocabulary = Vocabulary.from_text(TEXT)
    ids = vocabulary.encode(text)
    rows = table(out)
    assert list(rows) == [
        "this model",
        "counts of 5 characters and the next",
        "xz, after the training text",
        "xz, of this text alone",
    ]
    assert list(rows.values()) == pytest.approx(
        [
            nats_of(trained / "i173_l5.ckpt", text),
            ngram_nats(vocabulary.encode(TEXT), ids, 14).mean(),
            xz_bits(text, TEXT) * math.log(2) / 148,
            xz_bits(text) * math.log(2) / 148,
        ],
        abs=1e-4,
    )


def test_each_character_has_the_surprisal_of_the_cells(trained, exported, tmp_path, capsys):
    """With both engines: a line for each character but the first, and the mean, without the comparison."""
    (tmp_path / "text").write_text(CHARACTERS)
    bits = bits_of(trained, CHARACTERS)
    for model in (trained, exported):
        _, characters_of, whole = evaluated(capsys, model, tmp_path / "text", "--characters").split(
            "\n\n"
        )
        assert table("\n\n" + whole) == {
            "this model": pytest.approx(bits.mean() * math.log(2), abs=1e-4)
        }
        head, *lines = characters_of.splitlines()
        assert head.split() == ["character", "log-probability", "bits"]
        found = [re.fullmatch(r" *(\d+)  ('.+?') +(\S+) +(\S+)", line).groups() for line in lines]
        assert [each[:2] for each in found] == [
            (str(place), repr(char)) for place, char in enumerate(CHARACTERS[1:], 2)
        ]
        assert [float(each[2]) for each in found] == pytest.approx(-bits * math.log(2), abs=1e-4)
        assert [float(each[3]) for each in found] == pytest.approx(bits, abs=0.006)


def test_json_has_what_is_printed(trained, tmp_path, capsys):
    (tmp_path / "text").write_text("the Xcat sat\n" * 5)
    rows = table(evaluated(capsys, trained, tmp_path / "text"))
    found = json.loads(evaluated(capsys, trained, tmp_path / "text", "--json"))
    nats = found.pop("nats_per_character")
    assert {"this model": nats, **found.pop("comparison")} == pytest.approx(rows, abs=1e-4)
    assert found.pop("bits_per_character") == pytest.approx(nats / math.log(2))
    assert (found["model"], found["predicted"], found["left_out"]) == (
        str(trained / "i173_l5.ckpt"),
        59,
        5,
    )
    found = json.loads(evaluated(capsys, trained, tmp_path / "text", "--characters", "--json"))
    assert found["characters"] == ("the cat sat\n" * 5)[1:]
    assert (
        np.mean(found["log_probabilities"]) == pytest.approx(-nats)
        and len(found["log_probabilities"]) == 59
    )


def test_unknown_characters_are_counted_and_left_out(trained, tmp_path, capsys):
    (tmp_path / "known").write_text("the cat sat\n" * 5)
    (tmp_path / "text").write_text("thXe cat sXat\n\u00e9" * 5, encoding="utf-8")
    out = evaluated(capsys, trained, tmp_path / "text")
    assert "60 characters, 59 of them predicted" in out
    assert (
        "unknown  left out of the text: 'X', 'é' (15 characters, 20%), so the result is too low\n"
        in out
    )
    assert table(out) == table(evaluated(capsys, trained, tmp_path / "known"))
    lines = (
        evaluated(capsys, trained, tmp_path / "text", "--characters")
        .split("\n\n")[1]
        .splitlines()[1:]
    )
    assert [line.split()[0] for line in lines[:9]] == [
        "2",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "12",
    ]


def test_held_out_and_best(stopped_early, capsys):
    """The figures are the validation losses of the run."""
    losses = {
        int(row["step"]): float(row["val_loss"])
        for row in history_of(stopped_early)
        if row["val_loss"]
    }
    best = min(losses, key=losses.get)
    last = max(losses)
    assert losses[best] < losses[last] - 0.001
    training, held_out, _ = split((stopped_early / "text.txt").read_text(), 0.25)
    vocabulary = Vocabulary.from_text(training)
    baseline = ngram_nats(vocabulary.encode(training), vocabulary.encode(held_out), 14).mean()
    for flags, step in ([], last), (["--best"], best):
        out = evaluated(capsys, "--held-out", *flags, stopped_early)
        assert f"model    {stopped_early / f'i{step}_l9.ckpt'}\n" in out
        assert (
            f"held-out text of {stopped_early.parent / 'text'}, 260 characters, 259 of them predicted"
            in out
        )
        # the run reads it in several rows, each after up to 500 characters, which are all that come before
        assert table(out)["this model"] == pytest.approx(losses[step], abs=1e-4)
        assert table(out)["counts of 5 characters and the next"] == pytest.approx(
            baseline, abs=1e-4
        )
    assert losses[last] == pytest.approx(
        nats_of(stopped_early / f"i{last}_l9.ckpt", held_out), abs=1e-5
    )


def test_without_the_training_text_less_is_compared(trained, tmp_path, capsys):
    folder = Path(shutil.copytree(str(trained), str(tmp_path / "run")))
    (tmp_path / "text").write_text(TEXT[:100])
    for damage, message in [
        (lambda path: path.write_text(TEXT + "!"), "has changed"),
        (Path.unlink, "cannot be read"),
    ]:
        damage(folder / "text.txt")
        out = evaluated(capsys, folder, tmp_path / "text")
        assert list(table(out)) == ["this model", "xz, of this text alone"]
        assert "two lines of the comparison are missing (" in out and message in out
        assert evaluate.main([str(folder), str(tmp_path / "text"), "--json"]) == 0
        out, err = capsys.readouterr()
        assert list(json.loads(out)["comparison"]) == ["xz, of this text alone"] and message in err
    out = evaluated(capsys, folder, tmp_path / "text", "--vocab-from", trained.parent / "small.txt")
    assert table(out) == table(evaluated(capsys, trained, tmp_path / "text"))


def test_another_training_text_is_whole_but_for_unknown_characters(stopped_early, tmp_path, capsys):
    """Nothing is held out of it, as of the one of the run."""
    (tmp_path / "text").write_text(TEXT[30:130])
    (tmp_path / "other").write_text(TEXT[:200] + "XYZ")
    ids = [Vocabulary(CHARS).encode(text) for text in (TEXT[:200], TEXT[30:130])]
    out = evaluated(capsys, stopped_early, tmp_path / "text", "--train-text", tmp_path / "other")
    assert table(out)["counts of 5 characters and the next"] == pytest.approx(
        ngram_nats(*ids, 14).mean(), abs=1e-4
    )


def test_a_text_without_a_character_to_predict_is_an_error(trained, tmp_path, capsys):
    for text, n_known in ("XtZ", 1), ("XYZ", 0):
        (tmp_path / "text").write_text(text)
        assert evaluate.main([str(trained), str(tmp_path / "text")]) == 2
        assert (
            f"at least 2 characters that the model knows, not {n_known}\n"
            in capsys.readouterr().err
        )
    (tmp_path / "text").write_text("Xte")
    assert "2 characters, 1 of them predicted" in evaluated(capsys, trained, tmp_path / "text")
