"""The known models, and the folders of runs for which none was named."""

import shutil
from pathlib import Path

import numpy as np
from conftest import NEWEST, OLDER, ROOT, SMALL_FLAGS

from charrnn.checkpoints import find
from charrnn.commands import train
from charrnn.engines.model_file import open_model


def test_each_file_of_the_package_is_a_known_model_of_the_recipes_size():
    assert sorted(path.name for path in find.MODELS.iterdir()) == [
        f"{name}.npz" for name in find.KNOWN_MODELS
    ]
    for name in find.KNOWN_MODELS:
        model = open_model(name)
        assert (model.name, model.run.text_name, model.lstm_size, model.num_layers) == (
            name,
            name,
            512,
            2,
        )
        assert all(values.dtype == np.float32 for values in model.weights.values())
    assert sum(path.stat().st_size for path in find.MODELS.iterdir()) < 15e6


def test_a_file_or_folder_goes_before_a_known_model(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(trained), "anna")
    assert (
        open_model("anna").name == f"anna/{NEWEST}"
        and open_model(Path("tiny-shakespeare")).lstm_size == 512
    )


def test_a_run_without_a_name_goes_to_the_next_folder(trained, tmp_path, monkeypatch, planned):
    """And the newest is the one that is resumed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()  # as in the checkout
    shutil.copy(str(ROOT / "checkpoints" / "README.md"), "checkpoints")
    shutil.copytree(str(trained), "checkpoints/mine")
    assert [find.run_folder(None, resume) for resume in (False, True)] == [
        "checkpoints",
        "checkpoints",
    ]
    (tmp_path / "checkpoints" / f"{OLDER}.index").touch()  # as the notebook leaves it
    assert find.run_folder(None, False) == "checkpoints/2"
    for number in (9, 10):
        shutil.copytree(str(trained), f"checkpoints/{number}")
    (tmp_path / "checkpoints" / "11").mkdir()
    new = [str(trained.parent / "small.txt"), *SMALL_FLAGS]
    resumed = ["--resume"]
    for arguments in (
        new,
        [*new, "--checkpoint-dir", "x"],
        resumed,
        [*resumed, "--checkpoint-dir", "checkpoints/9"],
    ):
        assert train.main(arguments) == 0
    assert [job.folder for job in planned] == [
        "checkpoints/11",
        "x",
        "checkpoints/10",
        "checkpoints/9",
    ]
