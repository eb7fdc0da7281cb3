"""Records, the text in the run folder, and the names in it."""
import json
from dataclasses import asdict, replace

import pytest

import charrnn
from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Run
from charrnn.checkpoints.record import signed
from charrnn.data import Vocabulary
from charrnn.training.hyperparameters import Hyperparameters

RUN = Run(asdict(Hyperparameters(seed=7)), Vocabulary("ab"), "name", "f00")


def test_the_run_file_is_readable_and_complete(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert (record["charrnn"], record["vocabulary"]) == (charrnn.__version__, "\n ,.acdehmnost")
    assert record["hyperparameters"]["lstm_size"] == 5 and record["text"]["name"].endswith("small.txt")
    assert len(record["text"]["sha256"]) == len(record["sha256"]) == 64


def test_the_files_of_a_run_folder(trained):
    others = {"run.json", "text.txt", "checkpoint", ".lock", "history.csv", "summaries"}
    assert {path.name for path in trained.iterdir()} == others | {
        name + suffix for name in ("i100_l5.ckpt", "i173_l5.ckpt")
        for suffix in (".index", ".meta", ".data-00000-of-00001", ".npz", ".progress.npz", ".json")}


@pytest.mark.parametrize("run", [
    RUN, replace(RUN, vocabulary=Vocabulary(sorted('é"\\\n\u2028\ud800\U0001f600')), text_name="a\ud800"),
    replace(RUN, best="i7_l3.ckpt", init_from="other/i9_l3.ckpt")])
def test_a_run_is_read_as_it_was_written(tmp_path, run):
    checkpoints.write_run(tmp_path, run)
    assert checkpoints.read_run(tmp_path) == run


@pytest.mark.parametrize("change, message", [
    *((lambda content, damaged=damaged: damaged, "it is damaged") for damaged in (
        b"", b"{", b"\xff\xfe", b"[]", b"7", b"[" * 100000, b'{"a":' * 100000, b'{"a": 1' + b"0" * 100000 + b"}")),
    (lambda content: content[:-2], "it is damaged"), (lambda content: b"{}", "it has changed"),
    (lambda content: content.replace(b'"ab"', b'"ac"'), "it has changed"),
    (lambda content: content.replace(b'"seed": 7', b'"seed": 8'), "it has changed")])
def test_a_damaged_run_file_is_refused(tmp_path, change, message):
    checkpoints.write_run(tmp_path, RUN)
    path = tmp_path / "run.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CheckpointError, match=f"run.json cannot be used: {message}") as raised:
        checkpoints.read_run(tmp_path)
    assert "\n" not in str(raised.value)


WRONG = [*({name: value} for name in ("hyperparameters", "text") for value in (7, ["a"], {"a": 1}, None)),
         {"vocabulary": 7}, {"vocabulary": "ba"}, {"vocabulary": None}]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: str(change)[-50:])
def test_a_record_that_describes_no_run_is_refused_although_its_checksum_fits(tmp_path, change):
    (tmp_path / "run.json").write_bytes(signed({**checkpoints.record_of(RUN), **change}))
    with pytest.raises(CheckpointError, match="run.json cannot be used: ") as raised:
        checkpoints.read_run(tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name, message", [
    (None, "there is no run in .*run.json: No such file"),
    ("checkpoint", "has checkpoints but no run.json, like a folder of the notebook: .*--init-from .*--vocab-from"),
    ("i1_l5.ckpt.index", "has checkpoints but no run.json")])
def test_a_folder_without_a_run_file_is_refused(tmp_path, name, message):
    if name:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(CheckpointError, match=message):
        checkpoints.read_run(tmp_path)


# The text


@pytest.mark.parametrize("text", ["a\r\nb\n", "\ud800\u2028é", ""])
def test_the_text_of_a_run_is_read_as_it_was_written(tmp_path, text):
    checkpoints.write_text(tmp_path, text)
    run = replace(RUN, text_sha256=checkpoints.text_sha256(text), folder=str(tmp_path))
    assert checkpoints.read_text(run) == text


# Names


@pytest.mark.parametrize("name, advice", [
    ("run.json", "continue it with charrnn-train --resume --checkpoint-dir"),
    ("i1_l5.ckpt.json", "continue it with charrnn-train --resume --checkpoint-dir"),
    ("checkpoint", "start from its weights with --init-from and --vocab-from"),  # the notebook's has no run.json
    ("i1_l5.ckpt.index", "start from its weights with --init-from and --vocab-from")])
def test_a_folder_with_a_file_of_a_run_is_not_unused(tmp_path, name, advice):
    checkpoints.check_unused(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(CheckpointError, match=f"holds another run: {advice}.*--checkpoint-dir"):
        checkpoints.check_unused(tmp_path)


@pytest.mark.parametrize("name, message", [
    *((f"folder/{name}", "cannot be the path of a checkpoint") for name in ("a*", "a?", "a[1]", "a\\b")),
    ("", "is empty")])
def test_a_path_that_cannot_be_used_is_refused(name, message):
    for function in (checkpoints.check_unused, checkpoints.find):
        with pytest.raises(CheckpointError, match=message):
            function(name)
