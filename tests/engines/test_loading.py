"""Opening models by their path, and finding the text that they were trained on."""
import importlib.util
import os
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS, TEXT, make_network, script

from charrnn.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from charrnn.data import Vocabulary
from charrnn.engines.decoding import Settings
from charrnn.engines.graph import GraphEngine
from charrnn.engines.loading import divide, load_engine, open_model, training_text
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import Sampler, write
from charrnn.engines.surprisal import surprisal
from charrnn.text.corpus import Text


def test_a_run_is_opened_as_a_checkpoint(trained):
    model = open_model(trained)
    assert isinstance(model, Checkpoint) and model == open_checkpoint(trained)


@pytest.mark.parametrize("texts, characters, engine", [
    (1, 0, NumpyLSTM), (1, 10 ** 9, NumpyLSTM), (2, 35_999, NumpyLSTM), (2, 36_000, GraphEngine),
    (8, 14_999, NumpyLSTM), (8, 15_000, GraphEngine), (64, 14_999, NumpyLSTM), (64, 15_000, GraphEngine)])
def test_a_checkpoint_runs_in_the_graph_where_many_texts_are_long(trained, texts, characters, engine):
    made = load_engine(open_model(trained), texts, characters)
    assert isinstance(made, engine) and made.vocabulary == open_model(trained).vocabulary
    made.close()


def test_without_tensorflow_a_checkpoint_runs_in_numpy(trained, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert isinstance(load_engine(open_model(trained), 64, 10 ** 9), NumpyLSTM)


def test_other_cells_run_in_the_graph(tmp_path):
    made = load_engine(make_network(tmp_path, CHARS, 3, 1, "gru"))
    assert isinstance(made, GraphEngine)
    made.close()


def test_an_exported_model_runs_in_numpy(exported):
    model = open_model(exported)
    assert isinstance(model, ExportedModel) and isinstance(load_engine(model), NumpyLSTM)


def test_best_is_for_the_folder_of_a_run(exported):
    with pytest.raises(CheckpointError, match="--best needs the folder of a run"):
        open_model(exported, best=True)


def test_both_know_their_run(trained, exported, tmp_path):
    assert open_model(trained).run == open_model(exported).run
    network = make_network(tmp_path, CHARS, 3, 1)
    export_npz(network, tmp_path / "m.npz")
    assert network.run is open_model(tmp_path / "m.npz").run is None


def test_weights_of_another_network_name_the_checkpoint(trained):
    model = replace(open_model(trained), lstm_size=6)
    for size in (0, 10 ** 9):
        with pytest.raises(CheckpointError, match="i173_l5.ckpt cannot be used: .* of another network"):
            load_engine(model, 8, size)


@pytest.mark.parametrize("gain", [1e31, 1e38, np.inf])
def test_weights_that_overflow_are_one_line(tmp_path, gain):
    with pytest.raises(CheckpointError, match=r"cannot be used: .* not finite, or larger than 1e\+30$"):
        load_engine(make_network(tmp_path, CHARS, 3, 2, gain=gain))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_largest_weights_give_numbers(tmp_path):
    """The network takes the sums of products of weights, divided by the least temperature."""
    path = tmp_path / "m.npz"
    export_npz(make_network(tmp_path, CHARS, 3, 2, gain=3e29), path)
    engine = load_engine(open_model(path))
    written, _ = write(Sampler(engine, 3), "the", 60, Settings(temperature=0.001), seed=4)
    assert all(np.isfinite(each.log_probabilities).all() for each in written)
    assert np.isfinite(surprisal(engine, engine.vocabulary.encode(TEXT[:150]))).all()


def test_the_training_text_of_a_run(trained):
    run = open_model(trained).run
    assert training_text(run) == (TEXT, "", "", run.text_sha256)
    divided = replace(run, hyperparameters=dict(run.hyperparameters, val_fraction=0.5, test_fraction=0.25))
    assert training_text(divided)[:3] == (TEXT[:260], TEXT[260:780], TEXT[780:])
    older = dict(run.hyperparameters, val_fraction=0.5)
    del older["test_fraction"]
    assert training_text(replace(run, hyperparameters=older))[:3] == (TEXT[:520], TEXT[520:], "")


def test_a_training_text_that_has_changed_is_an_error(trained):
    run = open_model(trained).run
    with pytest.raises(ValueError, match="has changed"):
        training_text(replace(run, text_sha256="0" * 64))
    assert training_text(replace(run, text_sha256="0" * 64), trained.parent / "small.txt")[0] == TEXT


def test_a_model_without_a_run_needs_the_name_of_its_text(trained):
    with pytest.raises(ValueError, match="--train-text"):
        training_text(None)
    assert training_text(None, trained.parent / "small.txt")[:3] == (TEXT, "", "")


def test_the_training_text_of_a_model_from_standard_input_is_not_waited_for(trained, monkeypatch):
    run = replace(open_model(trained).run, text_name="-")
    parts = {"names": ["a", "-"], "separator": "", "files": {}}
    monkeypatch.setattr(sys, "stdin", None)
    for each in (run, replace(run, text_name="a, -", text_parts=parts)):
        with pytest.raises(ValueError, match="was trained on standard input: name its text with --train-text"):
            training_text(each)


@pytest.fixture
def hostile(trained, tmp_path, monkeypatch):
    """A model whose training text is a pipe that nobody writes to, which fails the test when it is opened."""
    from charrnn import data
    run = replace(open_model(trained).run, text_name=str(tmp_path / "pipe"), text_sizes=None)
    os.mkfifo(run.text_name)
    export_npz(replace(open_checkpoint(trained), run=run), tmp_path / "hostile.npz")
    usual = data.read_bytes
    monkeypatch.setattr(data, "read_bytes", lambda path: pytest.fail("the pipe was opened")
                        if str(path) == run.text_name else usual(path))
    return tmp_path / "hostile.npz"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize("name, argv, status", [
    ("evaluate", ["{model}", "{text}"], 0), ("evaluate", ["--held-out", "{model}"], 2),
    ("sample", ["{model}", "--novelty", "--length", "9"], 2), ("inspect", ["{model}"], 2),
    ("export", ["{model}", "{model}.html"], 0)])
def test_no_script_opens_a_pipe_that_a_model_names(hostile, trained, capsys, name, argv, status):
    argv = [each.format(model=hostile, text=trained.parent / "small.txt") for each in argv]
    assert script(name).main(argv) == status
    out, err = capsys.readouterr()
    assert "is not a regular file, so it is not opened" in out + err or name == "export"
    if name in ("evaluate", "sample"):
        assert script(name).main(
            [*argv, "--train-text", str(trained.parent / "small.txt")]) == (2 if "--held-out" in argv else 0)


def test_a_run_folder_may_have_the_name_of_an_exported_model(trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / "run.npz"))
    assert open_model(tmp_path / "run.npz").prefix == str(tmp_path / "run.npz" / "i173_l5.ckpt")


def test_an_exported_model_has_its_own_vocabulary(exported):
    assert open_model(exported, Vocabulary(CHARS)).vocabulary == Vocabulary(CHARS)
    with pytest.raises(CheckpointError, match="records its vocabulary of 14 .* leave --vocab-from out"):
        open_model(exported, Vocabulary(CHARS[1:]))


def test_nothing_is_held_out_of_another_text(trained):
    run = replace(open_model(trained).run, hyperparameters={"val_fraction": 0.5})
    text = Text("x", TEXT, run.text_sha256, "utf-8")
    assert len(divide(text, run).held_out) == len(TEXT) // 2
    assert divide(replace(text, sha256="f00"), run).training == TEXT
