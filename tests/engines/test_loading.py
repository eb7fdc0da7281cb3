"""The engine that runs a model, the text that it was trained on, and which paths are models."""
from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS, TEXT, make_network

from charrnn.engines import loading
from charrnn.engines.decoding import Settings
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.loading import load_engine, training_text
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.opened_model import open_model
from charrnn.engines.sampler import Sampler, write
from charrnn.engines.surprisal import surprisal


@pytest.mark.parametrize("texts, characters, engine", [
    (1, 0, NumpyLSTM), (1, 10 ** 9, NumpyLSTM), (2, 35_999, NumpyLSTM), (2, 36_000, GraphEngine),
    (8, 14_999, NumpyLSTM), (8, 15_000, GraphEngine), (64, 14_999, NumpyLSTM), (64, 15_000, GraphEngine)])
def test_a_model_runs_in_the_graph_where_many_texts_are_long(trained, texts, characters, engine):
    made = load_engine(open_model(trained), texts, characters)
    assert isinstance(made, engine) and made.vocabulary == open_model(trained).vocabulary
    made.close()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_largest_weights_give_numbers(tmp_path):
    """The network takes the sums of products of weights, divided by the least temperature."""
    engine = load_engine(make_network(tmp_path, CHARS, 3, 2, gain=1e29))
    written, _ = write(Sampler(engine, 3), "the", 60, Settings(temperature=0.001), seed=4)
    assert all(np.isfinite(each.log_probabilities).all() for each in written)
    assert np.isfinite(surprisal(engine, engine.vocabulary.encode(TEXT[:150]))).all()


# The text


def test_the_training_text_of_a_run_is_in_its_folder(run_copy):
    """So it does not matter what has become of the original."""
    run = open_model(run_copy).run
    assert training_text(replace(run, text_name="nowhere")) == (TEXT, "", "", run.text_sha256)
    divided = replace(run, hyperparameters=dict(run.hyperparameters, val_fraction=0.5, test_fraction=0.25))
    assert training_text(divided)[:3] == (TEXT[:260], TEXT[260:780], TEXT[780:])


def test_a_model_outside_of_a_run_folder_needs_the_name_of_its_text(trained, exported):
    for run in (None, open_model(exported).run):
        with pytest.raises(ValueError, match="the model has no training text with it: name the text with --train-text"):
            training_text(run)
        assert training_text(run, trained.parent / "small.txt")[:3] == (TEXT, "", "")


# What a path is


def test_which_paths_are_models(trained):
    for name, expected in ((trained, True), (trained.parent, False), ("x/y.npz", True), ("x/i9_l5.ckpt", True),
                           ("small.txt", False)):
        assert loading.is_model(name) is expected
