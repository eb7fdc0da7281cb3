"""What a run writes with if nothing else is said, and that all its faces do."""

import contextlib
import io
import json
import re
from dataclasses import replace

import pytest
from conftest import TEXT, with_output

from charrnn import open_model, train_model
from charrnn.checkpoints import record
from charrnn.checkpoints.writing import START_WRITING, Writing
from charrnn.commands import sample as sampling
from charrnn.text import lexicon
from charrnn.text.corpus import Text

SMALL = dict(batch_size=2, num_steps=6, lstm_size=5, epochs=2, save_every_n=20, summaries=False)
WORDS = ["at", "hot", "moth", "the", "those"]
PAGE = "The moth has sat on the hot mat; those cats are at home, and the den is not.\n" * 14


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
    """A run that began with it, and what it printed."""
    path = folder / "run"
    _, output = with_output(
        train_model,
        Text("mine", TEXT),
        path,
        init_from=language,
        sample_length=40,
        seed=2,
        **SMALL,
    )
    return path, output


@pytest.fixture
def model(run):
    path, _ = run
    return open_model(path)


def recorded(model):
    """Return how the text would be written if each value was given."""
    return dict(plain=True, **START_WRITING)


def rerecorded(model, **changes):
    """Return a model with another record of its run."""
    return replace(model, run=replace(model.run, **changes))


def test_a_run_that_begins_with_a_model_records_how_it_writes(run, model, language, folder):
    path, _ = run
    assert json.loads((path / "run.json").read_text())["writing"] == START_WRITING
    assert language.run.writing == {}

    # without the words of a language, it is not written with known ones
    wordless = replace(language, words=None)
    begun = train_model(
        Text("b", TEXT), folder / "b", init_from=wordless, seed=1, quiet=True, **SMALL
    )
    assert begun.model.run.writing == dict(START_WRITING, known_words=False)
    begun = train_model(
        Text("c", TEXT),
        folder / "c",
        init_from=language,
        shuffle="lines",
        seed=1,
        quiet=True,
        **SMALL,
    )
    assert begun.model.run.writing == {}


def test_write_and_stream_write_so(model):
    expected = model.write("the ", 90, seed=3, **recorded(model))
    assert expected != model.write("the ", 90, seed=3, plain=True)
    assert model.write("the ", 90, seed=3) == expected
    assert "".join(model.stream("the ", 90, seed=3)) == expected


def test_plain_is_as_the_notebook_writes(model):
    plain = model.write("the ", 90, seed=3, plain=True)
    assert plain == rerecorded(model, writing={}).write("the ", 90, seed=3)
    assert plain == model.write("the ", 90, seed=3, plain=True, temperature=1.0, top_n=5)


@pytest.mark.parametrize(
    "how",
    [{"temperature": 0.4}, {"contrast": 0}, {"no_copy": 9}, {"known_words": False}, {"top_n": 2}],
)
def test_a_keyword_replaces_one_value(model, how):
    expected = model.write("the ", 90, seed=3, **{**recorded(model), **how})
    assert model.write("the ", 90, seed=3, **how) == expected


def test_the_command_writes_so(run, model, capsys):
    path, _ = run
    flags = [str(path), "--prime", "the ", "--length", "90", "--seed", "3"]
    assert sampling.main(flags) == 0
    assert capsys.readouterr().out == model.write("the ", 90, seed=3) + "\n"
    assert sampling.main([*flags, "--plain"]) == 0
    assert capsys.readouterr().out == model.write("the ", 90, seed=3, plain=True) + "\n"
    assert sampling.main([*flags, "--json", "--contrast", "0.1"]) == 0
    written = json.loads(capsys.readouterr().out)
    expected = dict(START_WRITING, contrast=0.1)
    assert {name: written[name] for name in expected} == expected
    assert written["samples"][0]["text"] == model.write("the ", 90, seed=3, contrast=0.1)


def test_a_conversation_writes_so(run, model, monkeypatch, capsys):
    path, _ = run
    monkeypatch.setattr("sys.stdin", io.StringIO("the \n"))
    assert sampling.main([str(path), "--interactive", "--length", "50", "--seed", "3"]) == 0
    drawn = model.write("the ", 50, seed=3)
    assert drawn in capsys.readouterr().out


def test_the_samples_of_the_training_are_written_so(run, model):
    _, output = run
    steps = [int(step) for step in re.findall(r"i(\d+)_l5.ckpt\n", output)]
    step = record.step_of(model.name.rpartition("/")[2])
    assert step == max(steps)
    # drawn once, since training waits for them
    assert model.write(length=40, seed=step, best_of=1).lstrip("\n") in output
    assert model.write(length=40, seed=step).lstrip("\n") not in output


def test_lines_are_drawn_as_before(model):
    assert model.write_lines(3, seed=1) == rerecorded(model, writing={}).write_lines(3, seed=1)


def test_runs_of_versions_that_recorded_nothing_write_so_if_they_began_with_a_model(model):
    old = rerecorded(model, writing=None)
    assert old.write("the ", 90, seed=3) == model.write("the ", 90, seed=3)
    alone = replace(rerecorded(model, writing=None, init_from=None), open_start=None)
    assert alone.write("the ", 90, seed=3) == model.write("the ", 90, seed=3, plain=True)
    hyper = replace(model.run.hyperparameters, shuffle="lines")
    of_list = rerecorded(model, writing=None, hyperparameters=hyper)
    assert of_list.write("the ", 90, seed=3) == model.write("the ", 90, seed=3, plain=True)


def test_what_is_not_at_hand_is_left_out_and_said_once(model, capsys):
    def gone():
        raise ValueError("put it there again")

    lacking = replace(model, open_start=gone, words=lexicon.pack(WORDS))
    expected = model.write("the ", 90, seed=3, contrast=0)
    assert lacking.write("the ", 90, seed=3) == expected
    assert lacking.write("the ", 90, seed=3) == expected
    notes = capsys.readouterr().err
    assert notes.count("without contrast: put it there again") == 1
    # who asks for it is told
    with pytest.raises(ValueError, match="put it there again"):
        lacking.write("the ", 9, contrast=0.4)


def test_what_is_not_asked_for_is_not_looked_for(model, capsys):
    def gone():
        raise AssertionError

    lacking = replace(model, open_start=gone, words=lexicon.pack(WORDS))
    lacking.write("the ", 9, contrast=0)
    lacking.write("the ", 9, plain=True)
    lacking.write_lines(1, 9)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "writing, is_readable",
    [
        ({"temperature": 0.5, "of_version_9": 1}, True),
        (None, True),
        ({"temperature": -1}, False),
        ({"no_copy": "20"}, False),
        ([1], False),
    ],
)
def test_a_record_may_name_what_a_newer_version_knows_but_no_wrong_value(
    model, writing, is_readable
):
    content = {**record.as_json(model.run), "writing": writing}
    expectation = contextlib.nullcontext() if is_readable else pytest.raises(ValueError)
    with expectation:
        read = record.from_json(content)
        assert read.writing == ({"temperature": 0.5} if writing else None)
        assert Writing().changed(read.writing or {})
