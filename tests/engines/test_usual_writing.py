"""What a run writes with if nothing else is said, that all its faces do, and what its files have for it."""

import contextlib
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import TEXT, with_output

from charrnn import open_model, train_model
from charrnn.checkpoints import record
from charrnn.checkpoints.weights import packed, read_packed
from charrnn.checkpoints.writing import START_WRITING, Writing
from charrnn.commands import export
from charrnn.commands import sample as sampling
from charrnn.engines.trained_model import LONGEST_CARRIED
from charrnn.text import lexicon
from charrnn.text.corpus import Text

SMALL = dict(batch_size=2, num_steps=6, lstm_size=5, epochs=2, save_every_n=20, summaries=False)
WORDS = ["at", "hot", "moth", "the", "those"]
PAGE = "The moth has sat on the hot mat; those cats are at home, and the den is not.\n" * 14
# what version 5.0 recorded for a run that began with a model
OF_5_0 = dict(
    contrast=0.4,
    temperature=1.0,
    top_p=0.92,
    no_copy=20,
    no_repeat=14,
    known_words=True,
    best_of=4,
)
WITHOUT_TEXT = "sentences are chosen without the training text: "


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("usual")


@pytest.fixture(scope="module")
def language(folder):
    """A model of a language, with its words."""
    run = train_model(Text("novels", PAGE + TEXT), folder / "language", **SMALL, seed=1, quiet=True)
    path = folder / "language.npz"
    replace(run.model, words=lexicon.pack(WORDS)).save(path)
    return open_model(path)


@pytest.fixture(scope="module")
def run(folder, language):
    """The folder of a run that began with it, and what it printed."""
    path = folder / "run"
    _, output = with_output(
        train_model,
        Text("mine", TEXT),
        path,
        init_from=language,
        sample_length=40,
        val_fraction=0.1,
        seed=2,
        **SMALL,
    )
    return path, output


@pytest.fixture
def model(run):
    path, _ = run
    return open_model(path)


def rerecorded(model, **changes):
    """Return a model with another record of its run."""
    return replace(model, run=replace(model.run, **changes))


def written(model, **how):
    """Return a text, which is the same for two models that write in the same way."""
    return model.write("the ", 120, seed=3, **how)


def test_a_run_that_begins_with_a_model_records_how_it_writes(run, language, folder):
    """And it keeps the words of the language."""
    path, _ = run
    assert json.loads((path / "run.json").read_text())["writing"] == START_WRITING
    assert lexicon.unpack((path / "words.xz").read_bytes()) == WORDS
    assert not (path / "start.npz").exists()
    assert language.run.writing == {}

    wordless = replace(language, words=None)
    how = dict(SMALL, seed=1, quiet=True)
    begun = train_model(Text("b", TEXT), folder / "b", init_from=wordless, **how)
    assert begun.model.run.writing == START_WRITING
    assert begun.model.listed_words() is None
    assert len(begun.model.write("the ", 20)) == 24
    begun = train_model(Text("c", TEXT), folder / "c", init_from=language, shuffle="lines", **how)
    assert begun.model.run.writing == {}


def test_write_and_stream_write_so(model):
    expected = written(model, plain=True, **START_WRITING)
    assert expected != written(model, plain=True)
    assert written(model) == expected
    assert "".join(model.stream("the ", 120, seed=3)) == expected


def test_plain_is_as_the_notebook_writes(model):
    plain = written(model, plain=True)
    assert plain == written(rerecorded(model, writing={}))
    assert plain == written(model, plain=True, temperature=1.0, top_n=5)


@pytest.mark.parametrize("how", [{"temperature": 0.4}, {"best_of": 1}, {"top_n": 2}])
def test_a_keyword_replaces_one_value(model, how):
    assert written(model, **how) == written(model, plain=True, **{**START_WRITING, **how})
    assert written(model, **how) != written(model)


def test_the_command_writes_so(run, model, capsys):
    path, _ = run
    flags = [str(path), "--prime", "the ", "--length", "120", "--seed", "3"]
    assert sampling.main(flags) == 0
    assert capsys.readouterr().out == written(model) + "\n"
    assert sampling.main([*flags, "--plain"]) == 0
    assert capsys.readouterr().out == written(model, plain=True) + "\n"
    assert sampling.main([*flags, "--json", "--best-of", "2"]) == 0
    in_json = json.loads(capsys.readouterr().out)
    expected = dict(START_WRITING, best_of=2)
    assert {name: in_json[name] for name in expected} == expected
    assert in_json["samples"][0]["text"] == written(model, best_of=2)


def test_a_conversation_writes_so(run, model, monkeypatch, capsys):
    path, _ = run
    monkeypatch.setattr("sys.stdin", io.StringIO("the \n"))
    assert sampling.main([str(path), "--interactive", "--length", "50", "--seed", "3"]) == 0
    assert model.write("the ", 50, seed=3) in capsys.readouterr().out


def test_the_samples_of_the_training_are_drawn_once(run, model):
    """Training waits for them."""
    _, output = run
    steps = [int(step) for step in re.findall(r"i(\d+)_l5.ckpt\n", output)]
    step = record.step_of(model.name.rpartition("/")[2])
    assert step == max(steps)
    assert model.write(length=40, seed=step, best_of=1).lstrip("\n") in output
    assert model.write(length=40, seed=step).lstrip("\n") not in output


def test_lines_are_drawn_as_before(model):
    lines = model.write_lines(3, 20, seed=1)
    assert lines == rerecorded(model, writing={}).write_lines(3, 20, seed=1)
    assert lines != model.write_lines(3, 20, seed=1, best_of=3)


# Runs and files of older versions


def test_runs_of_versions_that_recorded_nothing_write_so_if_they_began_with_a_model(model):
    assert written(rerecorded(model, writing=None)) == written(model)
    plain = written(model, plain=True)
    assert written(rerecorded(model, writing=None, init_from=None)) == plain
    hyper = replace(model.run.hyperparameters, shuffle="lines")
    assert written(rerecorded(model, writing=None, hyperparameters=hyper)) == plain


@pytest.mark.parametrize(
    "writing, read",
    [
        (OF_5_0, START_WRITING),
        (dict(OF_5_0, temperature=0.5), dict(START_WRITING, temperature=0.5)),
        ({"no_copy": "20"}, {"best_of": 12}),
        ({"known_words": False, "best_of": 1}, {"best_of": 12}),
        ({"temperature": 0.5, "best_of": 4}, {"temperature": 0.5, "best_of": 4}),
        ({"temperature": 0.5, "of_version_9": 1}, {"temperature": 0.5}),
        ({}, {}),
        (None, None),
        ({"temperature": -1}, ValueError),
        ({"best_of": 99}, ValueError),
        ([1], ValueError),
    ],
)
def test_a_record_is_read_as_this_version_writes_it(model, writing, read):
    """The reader is in the place of what 5.0 had. What only a newer version knows is left out; no value is wrong."""
    content = {**record.as_json(model.run), "writing": writing}
    expectation = pytest.raises(ValueError) if read is ValueError else contextlib.nullcontext()
    with expectation:
        assert record.from_json(content).writing == read
        assert Writing().changed(read or {})


def test_a_run_folder_of_5_0_writes_with_the_words_of_the_model_in_it(
    run, model, language, tmp_path
):
    old = Path(shutil.copytree(str(run[0]), str(tmp_path / "old")))
    (old / "words.xz").unlink()
    assert open_model(old).listed_words() is None
    language.save(old / "start.npz", "int8")
    for path in old.glob("*.ckpt.json"):
        content = record.read_signed(path)
        content["run"]["writing"] = OF_5_0
        path.write_bytes(record.signed(content))
    record.write_run(old, replace(model.run, writing=OF_5_0))
    opened = open_model(old)
    assert opened.listed_words() == WORDS
    assert written(opened) == written(model)


def test_a_file_of_5_0_is_opened_without_its_hashes(model, tmp_path, capsys):
    """It does not have the text, and says so once."""
    weights = {**model.weights, "hashes": np.frombuffer(b"\xff\1\2", np.uint8)}
    about = record.as_json(replace(model.run, writing=OF_5_0))
    (tmp_path / "old.npz").write_bytes(packed(weights, about, lexicon.pack(WORDS)))
    old = open_model(tmp_path / "old.npz")
    assert list(old.weights) == list(model.weights)
    capsys.readouterr()
    text = written(old)
    assert written(old) == text != written(model)
    assert capsys.readouterr().err.count(WITHOUT_TEXT) == 1
    assert text == written(replace(model, run=None), **START_WRITING)


# What a file has


@pytest.mark.parametrize("flags, has_text", [([], True), (["--no-text"], False)])
def test_an_exported_model_writes_what_the_run_writes_if_it_has_the_text(
    run, model, tmp_path, capsys, flags, has_text
):
    """It is alone in another folder, and has the part of the text that was trained on."""
    target = tmp_path / "mine.npz"
    assert export.main([str(run[0]), str(target), *flags]) == 0
    assert (
        "the training text is in the file: --no-text leaves" in capsys.readouterr().err
    ) == has_text
    alone = open_model(target)
    assert alone.run.folder is None
    assert (alone.text is not None) == has_text
    texts = [written(alone), "\n".join(alone.write("the ", 90, n=2, seed=7))]
    expected = [written(model), "\n".join(model.write("the ", 90, n=2, seed=7))]
    assert (texts == expected) == has_text
    err = capsys.readouterr().err
    assert err.count(WITHOUT_TEXT) == (not has_text)
    assert alone.listed_words() == WORDS
    if has_text:
        assert alone.training_text().training == model.training_text().training
        assert len(alone.training_text().training) < len(TEXT)
        alone.save(tmp_path / "again.npz", "int8")
        assert read_packed(tmp_path / "again.npz")[3:] == read_packed(target)[3:]


@pytest.mark.parametrize(
    "length, is_carried", [(LONGEST_CARRIED, True), (LONGEST_CARRIED + 1, False)]
)
def test_a_long_text_is_not_in_a_file(language, tmp_path, length, is_carried):
    text = (PAGE * 200)[:length]
    replace(language, run=None, train_text=Text("long", text)).save(tmp_path / "mine.npz")
    saved = open_model(tmp_path / "mine.npz")
    assert LONGEST_CARRIED == 200_000
    assert (saved.text is not None) == is_carried
    if is_carried:
        assert saved.training_text().training == text


@pytest.mark.parametrize("content", [b"\xff\xff", lexicon.pack(["the"])[:-5]])
def test_damaged_words_are_refused_and_a_damaged_text_is_left_out(model, content, capsys):
    with pytest.raises(record.CheckpointError, match="its words or its text are damaged"):
        written(replace(model, words=content))
    damaged = replace(model, text=content)
    assert len(written(damaged)) == 124
    assert WITHOUT_TEXT in capsys.readouterr().err
