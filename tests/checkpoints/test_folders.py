"""The known models, the folders of runs for which none was named, and whether a folder is free for a run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import NEWEST, OLDER, ROOT, SMALL_FLAGS, TEXT

from charrnn.checkpoints import find, record
from charrnn.checkpoints.find import check_unused
from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.run import reserve
from charrnn.commands import sample, train
from charrnn.engines.opening import open_model
from charrnn.system import files
from charrnn.train import train_model


def test_each_file_of_the_package_is_a_known_model_of_the_recipes_size():
    expected = sorted(f"{name}.npz" for name in find.KNOWN_MODELS)
    files_of_models = sorted(find.MODELS.glob("*.npz"))
    assert [path.name for path in files_of_models] == expected
    # 14 MB of anna and tiny-shakespeare, and 50 of those of languages at most
    assert sum(path.stat().st_size for path in files_of_models) < 64e6
    for name in find.KNOWN_MODELS:
        model = open_model(name)
        assert model.name == name
        assert model.run.text_name == name
        assert model.lstm_size == 512
        assert model.num_layers == 2
        for values in model.weights.values():
            assert values.dtype == np.float32


def test_a_file_or_folder_goes_before_a_known_model(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(trained), "anna")
    assert open_model("anna").name == f"anna/{NEWEST}"
    assert open_model(Path("tiny-shakespeare")).lstm_size == 512


def test_the_known_models_are_listed(capsys):
    """A line each, with its language and its loss."""
    assert sample.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(find.KNOWN_MODELS)
    for line, model in zip(lines, find.KNOWN_MODELS.values()):
        assert model.language in line
        assert f"{model.loss:.3f} nats per character" in line


@pytest.fixture
def checkpoints(trained, tmp_path, monkeypatch):
    """The folder checkpoints of a checkout, with a run that has a name. It is in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    shutil.copy(str(ROOT / "checkpoints" / "README.md"), str(folder))
    shutil.copytree(str(trained), str(folder / "mine"))
    return folder


@pytest.mark.parametrize("resume", [False, True])
def test_the_first_run_without_a_name_goes_to_checkpoints(checkpoints, resume):
    assert find.run_folder(None, resume) == "checkpoints"


def test_a_run_without_a_name_goes_beside_those_of_the_notebook(checkpoints):
    (checkpoints / f"{OLDER}.index").touch()
    assert find.run_folder(None, False) == "checkpoints/2"


def test_a_run_without_a_name_goes_to_the_next_folder(trained, checkpoints, planned):
    """The newest is the one that is resumed."""
    for name in ("9", "10"):
        shutil.copytree(str(trained), str(checkpoints / name))
    (checkpoints / "11").mkdir()
    new = [str(trained.parent / "small.txt"), *SMALL_FLAGS]

    assert train.main(new) == 0
    assert train.main([*new, "--checkpoint-dir", "x"]) == 0
    assert train.main(["--resume"]) == 0
    assert train.main(["--resume", "--checkpoint-dir", "checkpoints/9"]) == 0
    folders = [job.folder for job in planned]
    assert folders == ["checkpoints/11", "x", "checkpoints/10", "checkpoints/9"]


def test_the_plan_gives_a_reason_for_a_folder_that_nobody_named(trained, checkpoints, capsys):
    new = [str(trained.parent / "small.txt"), *SMALL_FLAGS, "--dry-run"]
    reason = ", because the folder before it holds another run"
    assert train.main([*new, "--checkpoint-dir", "checkpoints/2"]) == 0
    assert reason not in capsys.readouterr().out
    shutil.copytree(str(trained), str(checkpoints / "2"))
    assert train.main(new) == 0
    assert f"folder   checkpoints/3{reason}" in capsys.readouterr().out


def test_a_run_takes_the_folder_of_one_that_was_killed_when_it_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find.run_folder(None, False) == "checkpoints"
    reserve("checkpoints").close()
    (tmp_path / "checkpoints" / "text.txt").write_text("its text")
    assert find.run_folder(None, False) == "checkpoints"


def test_a_folder_is_looked_at_again_under_its_lock(tmp_path, monkeypatch):
    """Another process trained in it between the look and the lock."""
    small = dict(batch_size=2, num_steps=30, lstm_size=5, num_layers=1, threads=1)
    usual = files.lock

    def late(path):
        (tmp_path / "run" / "run.json").write_text("{}")
        return usual(path)

    monkeypatch.setattr(files, "lock", late)
    with pytest.raises(record.CheckpointError, match="holds another run"):
        train_model(TEXT, tmp_path / "run", quiet=True, **small)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", "run.json"]


@pytest.mark.parametrize(
    "name, advice",
    [
        ("run.json", "continue it with resume=True, or --resume"),
        ("i1_l5.ckpt.json", "continue it with resume=True, or --resume"),
        # the notebook's, which has no run.json
        ("checkpoint", "start a run from its weights with init_from=.*, or --init-from and"),
        ("i1_l5.ckpt.index", "start a run from its weights with init_from=.*, or --init-from and"),
    ],
)
def test_a_folder_with_a_file_of_a_run_is_not_unused(tmp_path, name, advice):
    check_unused(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        CheckpointError, match=f"holds another run: {advice}.*; or name another checkpoint_dir$"
    ):
        check_unused(tmp_path)


@pytest.mark.parametrize("name", ["text.txt", "history.csv", ".saving"])
def test_a_new_run_does_not_replace_a_file_of_the_user(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(
        CheckpointError,
        match=f"has a {name}, which a new run would replace: move it away, or name another checkpoint_dir$",
    ):
        check_unused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name, content",
    [
        ("history.csv", b"step\n1\n"),
        ("checkpoint", b""),
        ("i0_l5.ckpt.json", b""),
        ("i1_l5.ckpt.index", b""),
        (".lock", None),
    ],
)
def test_only_what_an_unfinished_beginning_has_left_is_no_run(tmp_path, name, content):
    """Its lock, its text, no row of a history, and files of a checkpoint of step 0 without a record."""
    for left in (".lock", "i0_l5.ckpt.index"):
        (tmp_path / left).write_bytes(b"")
    (tmp_path / "text.txt").write_text("its text")
    (tmp_path / "history.csv").write_text("step\n")
    (tmp_path / ".saving").mkdir()
    check_unused(tmp_path)

    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError):
        check_unused(tmp_path)
