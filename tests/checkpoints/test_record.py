"""Records, the text in the run folder, and the names in it."""

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
from charrnn.text import lines

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
    record.check_unused(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        CheckpointError, match=f"holds another run: {advice}.*; or name another checkpoint_dir$"
    ):
        record.check_unused(tmp_path)


@pytest.mark.parametrize("name", ["text.txt", "history.csv", ".saving"])
def test_a_new_run_does_not_replace_a_file_of_the_user(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(
        CheckpointError,
        match=f"has a {name}, which a new run would replace: move it away, or name another checkpoint_dir$",
    ):
        record.check_unused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name, content",
    [
        ("text.txt", b"another\n"),
        ("history.csv", b"step\n1\n"),
        ("checkpoint", b""),
        ("i0_l5.ckpt.json", b""),
        ("i1_l5.ckpt.index", b""),
        (".lock", None),
    ],
)
@pytest.mark.parametrize("text", ["a\nb\nc\n", lines.shuffled("a\nb\nc\n")])
def test_only_what_an_unfinished_beginning_has_left_is_no_run(tmp_path, name, content, text):
    """Its lock, its text, no row of a history, and files of a checkpoint of step 0 without a record."""
    for left in (".lock", "i0_l5.ckpt.index"):
        (tmp_path / left).write_bytes(b"")
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "history.csv").write_text("step\n")
    (tmp_path / ".saving").mkdir()
    record.check_unused(tmp_path, "a\nb\nc\n")

    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError):
        record.check_unused(tmp_path, "a\nb\nc\n")
