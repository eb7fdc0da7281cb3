"""run.json, the names in a run folder, and what a run's fingerprint depends on."""
import json
import math
from dataclasses import replace

import pytest

import charrnn
from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Run
from charrnn.data import Vocabulary

RUN = Run({"lstm_size": 3, "num_layers": 1, "seed": None}, Vocabulary("ab"), "name", "f00", "utf-8")


def test_the_run_file_is_readable_and_complete(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert record["format"] == 1
    assert record["charrnn"] == charrnn.__version__
    assert record["vocabulary"] == "\n ,.acdehmnost"
    assert record["hyperparameters"]["lstm_size"] == 5
    assert record["text"]["name"].endswith("small.txt")
    assert len(record["text"]["sha256"]) == 64
    assert record["text"]["sizes"] == {record["text"]["name"]: 1040}


@pytest.mark.parametrize("run", [
    RUN, replace(RUN, vocabulary=Vocabulary(sorted('é"\\\n\u2028\ud800\U0001f600')), text_encoding="latin-1"),
    replace(RUN, text_sizes={"a": 1, "folder/b": 10 ** 12}), replace(RUN, text_sizes={}),
    replace(RUN, best="i7_l3.ckpt", init_from="other/i9_l3.ckpt",
            hyperparameters={"cell": "gru", "fused": True, "decay": 0.5})])
def test_a_run_is_read_as_it_was_written(tmp_path, run):
    checkpoints.write_run(tmp_path / "new" / "folder", run)
    assert checkpoints.read_run(tmp_path / "new" / "folder") == run


@pytest.mark.parametrize("change, message", [
    (lambda record: dict(record, format=2), "it has format 2, but .* reads format 1"),
    (lambda record: {"vocabulary": "ab"}, "no entry 'format'"),
    (lambda record: {"format": 1}, "no entry 'text'"),
    (lambda record: {name: value for name, value in record.items() if name != "best"}, "no entry 'best'"),
    (lambda record: [record], "wrong type"),
    (lambda record: dict(record, text="anna"), "wrong type"),
    (lambda record: dict(record, vocabulary=7), "wrong type"),
    (lambda record: dict(record, text=dict(record["text"], sizes=[5])), "the sizes of its text are invalid"),
    (lambda record: dict(record, text=dict(record["text"], sizes={"a": 5.0})), "the sizes of its text are invalid"),
    (lambda record: dict(record, vocabulary="ba"), "vocabulary"),
    (lambda record: dict(record, hyperparameters={"lstm_size": [5]}), r"its lstm_size is \[5\]"),
    (lambda record: dict(record, hyperparameters={"epochs": 10 ** 400}), "its epochs is 1(0){49}$"),
    (lambda record: dict(record, hyperparameters={"decay": math.nan}), "its decay is nan"),
    *((lambda record, value=value: dict(record, hyperparameters={"val_fraction": value, "test_fraction": 0.5}),
       f"held out are {value} and 0.5") for value in (-1, 1, 0.5, True, "0.1", None)),
    (lambda record: dict(record, text=dict(record["text"], name="a\0b")), "null character"),
    (lambda record: dict(record, best="../i100_l5.ckpt"), "its best is '../i100_l5.ckpt'"),
    (lambda record: dict(record, best="i100_l5.ckpt.index"), "its best is "),
    (lambda record: dict(record, best=100), "its best is 100"),
    (lambda record: dict(record, init_from=5), "its init_from is 5")])
def test_an_invalid_record_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        checkpoints.run_from_record(change(checkpoints.record_of(RUN)))


def test_an_invalid_run_file_is_refused(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(dict(checkpoints.record_of(RUN), format=2)))
    with pytest.raises(CheckpointError, match=r"run.json cannot be used: it has format 2"):
        checkpoints.read_run(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100000], ids=lambda content: repr(content[:9]))
def test_a_damaged_run_file_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="run.json is damaged"):
        checkpoints.read_run(tmp_path)


def test_a_folder_without_a_run_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no run in .*run.json does not exist"):
        checkpoints.read_run(tmp_path)


def test_a_run_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="the folder .*/file/run cannot be written: "):
        checkpoints.write_run(tmp_path / "file" / "run", RUN)


def test_checkpoints_have_the_notebooks_names():
    assert checkpoints.checkpoint_prefix("checkpoints", 200, 512) == "checkpoints/i200_l512.ckpt"


def test_the_files_of_a_run_folder(trained):
    others = {"run.json", "checkpoint", ".lock", "history.csv", "summaries"}
    assert {path.name for path in trained.iterdir()} == others | {
        name + suffix for name in ("i100_l5.ckpt", "i173_l5.ckpt")
        for suffix in (".index", ".meta", ".data-00000-of-00001", ".progress.npz", ".json")}


@pytest.mark.parametrize("name, advice", [
    ("run.json", "continue it with charrnn-train --resume --checkpoint-dir"),
    ("checkpoint", "start from its weights with --init-from and --vocab-from"),  # the notebook's has no run.json
    ("i1_l5.ckpt.index", "start from its weights with --init-from and --vocab-from")])
def test_a_folder_with_a_file_of_a_run_is_not_unused(tmp_path, name, advice):
    checkpoints.check_unused(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(CheckpointError, match=f"holds another run: {advice}.*--checkpoint-dir"):
        checkpoints.check_unused(tmp_path)


def test_a_missing_folder_is_unused(tmp_path):
    checkpoints.check_unused(tmp_path / "missing")


@pytest.mark.parametrize("name", ["a*", "a?", "a[1]", "a\\b", "a\udcff"])
def test_a_path_that_tensorflow_does_not_support_is_refused(tmp_path, name):
    for function in (checkpoints.check_name, checkpoints.check_unused, checkpoints.open_checkpoint):
        with pytest.raises(CheckpointError, match="cannot be the path of a checkpoint"):
            function(tmp_path / name)


@pytest.mark.parametrize("change", [
    {"vocabulary": Vocabulary("ac")}, {"text_sha256": "f01"}, {"text_encoding": "latin-1"},
    *({"hyperparameters": dict(RUN.hyperparameters, **{name: 9})} for name in checkpoints.IMMUTABLE)])
def test_the_fingerprint_depends_on_all_that_a_resumed_run_cannot_change(change):
    assert checkpoints.fingerprint(replace(RUN, **change)) != checkpoints.fingerprint(RUN)


def test_the_fingerprint_of_a_run_from_before_the_test_fraction_is_unchanged():
    older = "3128720f57cde864d2be6851ee5205cd0f5a4bf561e6b878d75f3d848e674bc6"
    for hyperparameters in (RUN.hyperparameters, dict(RUN.hyperparameters, test_fraction=0.0)):
        assert checkpoints.fingerprint(replace(RUN, hyperparameters=hyperparameters)) == older


@pytest.mark.parametrize("change", [
    {"text_name": "moved"}, {"best": "i7_l3.ckpt"}, {"hyperparameters": dict(RUN.hyperparameters, epochs=9)}])
def test_the_fingerprint_does_not_depend_on_the_rest(change):
    assert checkpoints.fingerprint(replace(RUN, **change)) == checkpoints.fingerprint(RUN)
