"""Records, the text in the run folder, and the files in it."""

import json
from dataclasses import replace

import pytest
from conftest import NEWEST, OLDER

import charrnn
from charrnn.checkpoints import record
from charrnn.checkpoints.record import CheckpointError
from charrnn.data import Vocabulary
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import files

RUN = record.RunRecord(Hyperparameters(seed=7), Vocabulary("ab"), "name", "f00")


def test_the_files_of_a_run_folder(trained):
    from charrnn.system.tensorflow import tf

    names = {"run.json", "text.txt", "checkpoint", ".lock", "history.csv", "summaries"}
    suffixes = (".index", ".meta", ".data-00000-of-00001", ".npz", ".progress.npz", ".json")
    for checkpoint in (OLDER, NEWEST):
        names.update(checkpoint + suffix for suffix in suffixes)
    assert {path.name for path in trained.iterdir()} == names
    content = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert content["charrnn"] == charrnn.__version__
    assert content["tensorflow"] == tf.__version__
    assert content["vocabulary"] == "\n ,.acdehmnost"
    assert content["hyperparameters"]["lstm_size"] == 5
    assert content["text"]["name"].endswith("small.txt")
    assert "/" not in (trained / "checkpoint").read_text()  # so that the folder can be moved


@pytest.mark.parametrize(
    "run",
    [
        replace(
            RUN, vocabulary=Vocabulary(sorted('é"\\\n\u2028\ud800\U0001f600')), text_name="a\ud800"
        ),
        replace(RUN, best="i7_l3.ckpt", init_from="other/i9_l3.ckpt", beginning="Er "),
        replace(RUN, init_from="anna", init_from_sha256="f00"),
    ],
)
def test_a_run_is_read_as_it_was_written(tmp_path, run):
    record.write_run(tmp_path, run)
    assert record.read_run(tmp_path) == run


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda content: content[:-2], "it is damaged"),
        (lambda content: b"\xff\xfe", "it is damaged"),
        (lambda content: b"[]", "it is damaged"),
        (lambda content: b'{"a":' * 100000, "it is damaged"),
        (lambda content: b"{}", "it has changed"),
        (lambda content: content.replace(b'"seed": 7', b'"seed": 8'), "it has changed"),
    ],
)
def test_a_damaged_run_file_is_refused(tmp_path, change, message):
    record.write_run(tmp_path, RUN)
    path = tmp_path / "run.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CheckpointError, match=f"run.json cannot be used: {message}"):
        record.read_run(tmp_path)


@pytest.mark.parametrize(
    "name, value",
    [
        ("best", 5),
        ("best", []),
        ("best", "../i7_l3.ckpt"),
        ("init_from", 5),
        ("init_from", []),
        ("init_from", 0),
        ("init_from_sha256", 5),
        ("beginning", 5),
        ("beginning", []),
        ("tensorflow", 2),
        ("test_loss", ""),
        ("test_loss", 1e39),
    ],
)
def test_a_record_that_somebody_crafted_describes_no_run(name, value):
    """The other places of a record are in tests/test_hostile_files.py."""
    content = {**record.as_json(RUN), name: value}
    with pytest.raises(ValueError, match="does not describe a run"):
        record.from_json(content)


@pytest.mark.parametrize("missing", ["run", "files"])
def test_a_record_that_lacks_a_part_does_not_serve_in_place_of_a_lost_run_json(tmp_path, missing):
    """Its SHA-256 is right."""
    content = {"name": "i7_l3.ckpt", "files": {}, "run": record.as_json(RUN)}
    del content[missing]
    (tmp_path / "i7_l3.ckpt.json").write_bytes(record.signed(content))
    with pytest.raises(CheckpointError, match="there is no run in"):
        record.read_run(tmp_path)


@pytest.mark.parametrize("text", ["a\r\nb\n", "\ud800\u2028é", ""])
def test_the_text_of_a_run_is_read_as_it_was_written(tmp_path, text):
    (tmp_path / "text.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
    run = replace(RUN, text_sha256=files.text_sha256(text), folder=str(tmp_path))
    assert run.text() == text
