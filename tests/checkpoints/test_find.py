"""Finding the checkpoints of a folder."""

from pathlib import Path

import pytest
from conftest import NEWEST, OLDER, copy_without_records

from charrnn.checkpoints.find import find, list_checkpoints, newest_intact
from charrnn.checkpoints.record import CheckpointError
from charrnn.engines.model_file import open_model


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"\xff\xfe",
        (
            f'all_model_checkpoint_paths: "/else/{NEWEST}"\nall_model_checkpoint_paths: "../{OLDER}"\n'
        ).encode(),
    ],
)
def test_a_runs_checkpoints_are_ordered_by_step_whatever_tensorflows_list_has(run_copy, content):
    (run_copy / "checkpoint").unlink()
    if content is not None:
        (run_copy / "checkpoint").write_bytes(content)
    assert list_checkpoints(run_copy) == [str(run_copy / name) for name in (OLDER, NEWEST)]


@pytest.mark.parametrize("start", ["", "/somewhere/else/", "C:\\\\else\\\\"])
def test_a_notebooks_checkpoints_are_ordered_as_in_its_list(trained, tmp_path, start):
    """Only the names count, because the folder may have been moved since."""
    folder = copy_without_records(trained, tmp_path / "moved")
    (folder / "checkpoint").write_text(
        "".join(f'all_model_checkpoint_paths: "{start}{name}"\n' for name in (NEWEST, OLDER))
    )
    assert list_checkpoints(folder) == [str(folder / NEWEST), str(folder / OLDER)]
    (folder / f"{OLDER}.index").unlink()
    assert newest_intact(folder) == (
        str(folder / NEWEST),
        None,
        (f"{folder / OLDER}.index is missing",),
    )
    (folder / "checkpoint").unlink()
    assert list_checkpoints(folder) == [str(folder / NEWEST)]


def test_a_checkpoint_without_its_data_file(trained, tmp_path):
    """As in a folder whose large files were not published."""
    folder = copy_without_records(trained, tmp_path / "published")
    (folder / f"{NEWEST}.data-00000-of-00001").unlink()
    missing = f"{folder / NEWEST}.data-00000-of-00001 is missing"
    assert newest_intact(folder) == (str(folder / OLDER), None, (missing,))
    (folder / f"{OLDER}.data-00000-of-00001").unlink()
    for path in (folder, folder / NEWEST, f"{folder / NEWEST}.index"):
        with pytest.raises(CheckpointError, match=missing):
            open_model(path)


@pytest.mark.parametrize(
    "suffix", ["", ".index", ".data-00000-of-00001", ".npz", ".progress.npz", ".json"]
)
def test_a_checkpoint_can_be_named_by_any_of_its_files(trained, suffix):
    assert find(f"{trained / OLDER}{suffix}").prefix == str(trained / OLDER)


def test_a_file_beside_a_run_folder_does_not_stand_for_it(run_copy):
    for suffix in (".json", ".index"):
        run_copy.with_name(run_copy.name + suffix).write_text("{}")
    assert find(run_copy).prefix == str(run_copy / NEWEST)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_checkpoint_that_training_removes_while_it_is_opened(run_copy, monkeypatch, suffix):
    """The next one is opened, and nothing is said of the one that has gone."""
    usual = Path.read_bytes

    def read(path):
        if str(path).endswith(NEWEST + suffix):
            (run_copy / "checkpoint").write_text(f'all_model_checkpoint_paths: "{OLDER}"\n')
            for each in run_copy.glob(f"{NEWEST}.*"):
                each.unlink()
        return usual(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    model = open_model(run_copy)
    assert (model.name, model.skipped) == (str(run_copy / OLDER), ())


def test_a_checkpoint_of_another_program_is_found_by_the_name_that_tab_completes(tmp_path):
    for suffix in (".index", ".data-00000-of-00001", ".meta"):
        (tmp_path / f"model.ckpt-90{suffix}").touch()
    assert find(tmp_path / "model.ckpt-90.index").prefix == str(tmp_path / "model.ckpt-90")
