"""Finding the checkpoints of a folder."""

from pathlib import Path

import pytest
from conftest import NEWEST, OLDER, copy_without_records

from charrnn.checkpoints.find import find, list_checkpoints, newest_intact
from charrnn.checkpoints.record import CheckpointError
from charrnn.engines.opening import open_model


def listing(*paths):
    """Return TensorFlow's list of the checkpoints of a folder."""
    return "".join(f'all_model_checkpoint_paths: "{path}"\n' for path in paths)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", listing(f"/else/{NEWEST}", f"../{OLDER}").encode()]
)
def test_a_runs_checkpoints_are_ordered_by_step_whatever_tensorflows_list_has(run_copy, content):
    (run_copy / "checkpoint").write_bytes(content)
    assert list_checkpoints(run_copy) == [str(run_copy / OLDER), str(run_copy / NEWEST)]


def test_a_runs_checkpoints_are_ordered_by_step_without_tensorflows_list(run_copy):
    (run_copy / "checkpoint").unlink()
    assert list_checkpoints(run_copy) == [str(run_copy / OLDER), str(run_copy / NEWEST)]


@pytest.mark.parametrize("start", ["", "/somewhere/else/", "C:\\\\else\\\\"])
def test_a_notebooks_checkpoints_are_ordered_as_in_its_list(trained, tmp_path, start):
    """Only the names count, because the folder may have been moved since."""
    folder = copy_without_records(trained, tmp_path / "moved")
    (folder / "checkpoint").write_text(listing(start + NEWEST, start + OLDER))
    assert list_checkpoints(folder) == [str(folder / NEWEST), str(folder / OLDER)]


def test_a_notebooks_checkpoints_without_a_list_are_those_that_have_an_index(bare):
    (bare / "checkpoint").unlink()
    (bare / f"{OLDER}.index").unlink()
    assert list_checkpoints(bare) == [str(bare / NEWEST)]


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_checkpoint_that_lacks_a_file_is_skipped(bare, suffix):
    """A folder whose large files were not published lacks it."""
    (bare / f"{NEWEST}{suffix}").unlink()
    missing = f"{bare / NEWEST}{suffix} is missing"
    assert newest_intact(bare) == (str(bare / OLDER), None, (missing,))


@pytest.mark.parametrize("path", ["", NEWEST, f"{NEWEST}.index"])
def test_without_any_data_file_no_checkpoint_is_opened(bare, path):
    for name in (OLDER, NEWEST):
        (bare / f"{name}.data-00000-of-00001").unlink()
    with pytest.raises(CheckpointError, match=f"{NEWEST}.data-00000-of-00001 is missing"):
        open_model(bare / path)


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
            (run_copy / "checkpoint").write_text(listing(OLDER))
            for file in run_copy.glob(f"{NEWEST}.*"):
                file.unlink()
        return usual(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    model = open_model(run_copy)
    assert model.name == str(run_copy / OLDER)
    assert model.skipped == ()


def test_a_checkpoint_of_another_program_is_found_by_the_name_that_tab_completes(tmp_path):
    for suffix in (".index", ".data-00000-of-00001", ".meta"):
        (tmp_path / f"model.ckpt-90{suffix}").touch()
    assert find(tmp_path / "model.ckpt-90.index").prefix == str(tmp_path / "model.ckpt-90")


def test_a_misspelt_folder_is_told_by_those_beside_it(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(CheckpointError) as caught:
        newest_intact(tmp_path / "mien")
    assert str(caught.value).endswith(f"; did you mean {tmp_path / 'mine'}?")
