"""The text that a model was trained on, and which paths are models."""
from dataclasses import replace

import pytest
from conftest import TEXT

from charrnn.engines import loading
from charrnn.engines.loading import training_text
from charrnn.engines.opened_model import open_model


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
