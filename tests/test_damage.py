"""Damaged run folders: what is opened is what was saved, or it is refused in one line."""
import copy
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoints, train
from charrnn.checkpoints import IMMUTABLE

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"
STATE = (2, 2, 2, 5)
BINARY = [NEWEST + suffix for suffix in (".index", ".data-00000-of-00001", ".meta", ".progress.npz")]
TEXTS = [NEWEST + ".json", "run.json", "checkpoint", "history.csv"]
# What may stand in a JSON file where something else was meant.
VALUES = [None, True, False, 0, 1, -1, 2, 3.5, 10 ** 12, 10 ** 400, 1e308, float("nan"), float("inf"), "", "a", "5",
          "i100_l5.ckpt", "../i100_l5.ckpt", "\x00", "\ud800", "é\n\u2028", "x" * 300, [], ["a"], [[]], {}, {"a": 1},
          {"": None}, [["batch_size", 2]]]
BLOCKS, BLOCK = 24, 50  # variants of the slow test


@pytest.fixture(scope="module")
def saved(trained):
    """What the checkpoints of the trained run hold: a dict from their names to (weights, progress), as bytes."""
    run = checkpoints.read_run(trained)
    return {"vocabulary": run.vocabulary.chars,
            **{name: (_weights(trained / name), _progress(trained / name)) for name in (OLDER, NEWEST)}}


def _weights(prefix):
    return {name: (str(values.dtype), values.shape, values.tobytes())
            for name, values in checkpoints.read_weights(str(prefix)).items()}


def _progress(prefix):
    progress = dataclasses.asdict(checkpoints.read_progress(str(prefix), STATE))
    return {name: np.asarray(value).tobytes() for name, value in progress.items()}


@pytest.fixture
def run(trained, tmp_path):
    """A folder for a copy of the trained run that is damaged."""
    return Path(shutil.copytree(str(trained), str(tmp_path / "run")))


def renew(trained, run):
    """Make a copy good again."""
    shutil.rmtree(str(run))
    shutil.copytree(str(trained), str(run))


# Kinds of damage


def damage_bytes(rng, path, other):
    """Damage a file as disks, cut copies and mix-ups do; return in words how."""
    content = bytearray(path.read_bytes())
    kind = rng.choice(["flipped", "cut", "emptied", "missing", "noise", "longer", "zeros", "another's", "folder"],
                      p=[0.3, 0.2, 0.05, 0.05, 0.1, 0.1, 0.1, 0.05, 0.05])
    if kind == "missing":
        path.unlink()
        return kind
    if kind == "folder":
        path.unlink()
        path.mkdir()
        return kind
    if kind == "another's":
        shutil.copyfile(str(other), str(path))
        return kind
    start = int(rng.randint(len(content)))
    end = int(rng.randint(start, len(content))) + 1
    if kind == "flipped":
        for _ in range(rng.randint(1, 4)):
            content[rng.randint(len(content))] ^= 1 << rng.randint(8)
    elif kind == "cut":
        del content[start:]
    elif kind == "emptied":
        del content[:]
    elif kind == "noise":
        content[start:end] = rng.bytes(end - start)
    elif kind == "longer":
        content[start:start] = rng.bytes(rng.randint(1, 50))
    elif kind == "zeros":
        content[start:end] = bytes(end - start)
    path.write_bytes(bytes(content))
    return "{} from {} to {} of {}".format(kind, start, end, len(content))


def damage_json(rng, path):
    """Edit a JSON file at a random place; return in words how."""
    record = json.loads(path.read_text(encoding="utf-8"))
    holders = [({"top": record}, "top")] + _places(record)
    holder, key = holders[rng.randint(len(holders))]
    kind = rng.choice(["value", "without", "added", "nested", "raw"], p=[0.6, 0.15, 0.1, 0.05, 0.1])
    text, shown = None, ""
    if kind == "without":
        del holder[key]
    elif kind == "nested":
        text = "[" * int(rng.choice([50, 5000, 100000])) + "]" * 3
    elif kind == "raw":
        text = ['{"format": 1', "null", "1e999", "-0", '"\\ud800"', "\ufeff{}", "{} {}", "9" * 5000, "{'format': 1}",
                path.read_text(encoding="utf-8") * 2][rng.randint(10)]
    else:
        value = VALUES[rng.randint(len(VALUES))]
        if kind == "added":
            key = [value if isinstance(value, str) else str(value)][0]
        shown, holder[key] = repr(value)[:80], copy.deepcopy(value)
    if text is None:
        top = holders[0][0]
        text = json.dumps(top["top"]) if "top" in top else ""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return "{} {} {}".format(kind, key, shown)


def _places(record):
    """Return every (holder, key) within a record."""
    if not isinstance(record, dict):
        return []
    return [(record, key) for key in record] + [place for value in record.values() for place in _places(value)]


def damage(rng, run):
    """Damage one file of a run, or two; return in words what."""
    words = []
    for _ in range(1 + (rng.random_sample() < 0.15)):
        name = (BINARY + TEXTS)[rng.randint(len(BINARY + TEXTS))]
        path = run / name
        other = run / (name.replace(NEWEST, OLDER) if NEWEST in name else NEWEST + ".json")
        if not path.is_file():
            continue  # it was damaged before
        if name.endswith(".json") and rng.random_sample() < 0.7:
            try:
                words.append("{}: {}".format(name, damage_json(rng, path)))
            except (ValueError, RecursionError):
                continue
        elif path.stat().st_size:
            words.append("{}: {}".format(name, damage_bytes(rng, path, other)))
    return "; ".join(words)


# What must come of it


def check_line(error):
    assert str(error).strip() and len(str(error).splitlines()) == 1, repr(str(error))


def check_skipped(prefix, skipped):
    """The newest one is opened, or the older one, and then it is said, unless there is no trace of the newest."""
    folder = Path(prefix).parent
    if Path(prefix).name == NEWEST:
        assert not skipped
    elif skipped or (folder / (NEWEST + ".json")).exists() or NEWEST in _list_of(folder):
        assert len(skipped) == 1 and NEWEST in skipped[0] and len(skipped[0].splitlines()) == 1


def _list_of(folder):
    try:
        return (folder / "checkpoint").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def check(run, saved):
    """Open a damaged run for sampling and for resuming; return in a word what came of it."""
    words = []
    try:
        found = checkpoints.open_checkpoint(run)
        weights = _weights(found.prefix)
    except ValueError as error:
        check_line(error)
        words.append("refused")
    else:
        name = Path(found.prefix).name
        assert weights == saved[name][0] and found.vocabulary.chars == saved["vocabulary"]
        assert (found.lstm_size, found.num_layers, found.cell) == (5, 2, "lstm")
        check_skipped(found.prefix, found.skipped)
        words.append(name)
    try:
        prefix, skipped = checkpoints.newest_intact(run)
        progress = _progress(prefix)
    except ValueError as error:
        check_line(error)
        words.append("refused")
    else:
        assert progress == saved[Path(prefix).name][1]
        check_skipped(prefix, skipped)
        words.append(Path(prefix).name)
    try:
        assert checkpoints.read_run(run).vocabulary.chars == saved["vocabulary"] or words == ["refused"] * 2
    except ValueError as error:
        check_line(error)
        assert words[0] == "refused"
    return words


def check_variants(trained, run, saved, block, number):
    """Make and check some variants; return the set of what came of them."""
    outcomes = set()
    for each in range(number):
        rng = np.random.RandomState([block, each])
        renew(trained, run)
        words = damage(rng, run)
        try:
            outcome = tuple(check(run, saved))
            assert "refused" not in outcome or "run.json: " in words  # for the older one is whole
            outcomes.add(outcome)
        except Exception as error:  # whatever it was, say of which variant
            raise AssertionError("variant {}, {}: {}: {}: {}".format(
                block, each, words, type(error).__name__, error)) from error
    return outcomes


def test_the_run_itself(trained, run, saved):
    assert check(run, saved) == [NEWEST, NEWEST]


def test_some_damage(trained, run, saved):
    assert {(OLDER, OLDER), (NEWEST, NEWEST), ("refused", "refused")} <= check_variants(trained, run, saved, 0, 60)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(1, BLOCKS + 1))
def test_much_damage(trained, run, saved, block):
    assert len(check_variants(trained, run, saved, block, BLOCK)) > 1


@pytest.mark.parametrize("name", BINARY + [NEWEST + ".json"])
@pytest.mark.parametrize("kind", ["missing", "empty", "half", "a bit", "a folder", "the older one's"])
def test_each_file_of_the_newest_checkpoint(run, saved, name, kind):
    """The older one is taken, whichever file was damaged."""
    path = run / name
    content = path.read_bytes()
    path.unlink()
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        flipped = content[:-9] + bytes([content[-9] ^ 16]) + content[-8:]
        path.write_bytes({"empty": b"", "half": content[:len(content) // 2], "a bit": flipped}.get(
            kind, (run / name.replace(NEWEST, OLDER)).read_bytes()))
    if kind == "the older one's" and name.endswith(".meta"):  # the graph is the same one
        return
    if kind == "a bit" and name.endswith(".json"):
        (run / name).write_bytes(content.replace(b'"bytes": ', b'"bytes": 1', 1))
    assert check(run, saved) == [OLDER, OLDER]


def test_all_records_lost(run, capfd):
    """It is refused, and not taken for a run without checkpoints, which would begin anew and write over them."""
    for name in (OLDER, NEWEST):
        (run / (name + ".json")).unlink()
    before = {path.name: path.read_bytes() for path in run.glob("*.ckpt.*")}
    status, _, err = resume(run, capfd)
    assert before == {path.name: path.read_bytes() for path in run.glob("*.ckpt.*")}
    assert status == 2 and len(err) == 1, err


def test_all_checkpoints_damaged(run):
    for name in (OLDER, NEWEST):
        (run / (name + ".data-00000-of-00001")).write_bytes(b"")
    for opening in (checkpoints.open_checkpoint, checkpoints.newest_intact):
        with pytest.raises(checkpoints.CheckpointError, match="no whole checkpoint .*i173_l5.*i100_l5"):
            opening(run)


# Resuming, with all that the script does


def edit(run, change):
    path = run / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_bytes(json.dumps(record).encode("utf-8", "surrogatepass"))


def resume(run, capfd):
    """Resume a run by the script, in an epoch that is over; return its status, output and lines on stderr."""
    capfd.readouterr()
    status = train.main(["--resume", "--checkpoint-dir", str(run), "--sample-length", "0"])
    out, err = capfd.readouterr()
    return status, out, err.splitlines()


def check_resumed(run, saved, capfd):
    """It ends with a line and status 2, or comes to the weights that were saved; return the status."""
    status, out, err = resume(run, capfd)
    if status == 2:
        assert len(err) == 1 and err[0].startswith("charrnn-train: error: "), err
    else:
        assert (status, err) == (0, [])
        assert checkpoints.read_run(run).vocabulary.chars == saved["vocabulary"]
        assert _weights(run / NEWEST) == saved[NEWEST][0] and _progress(run / NEWEST) == saved[NEWEST][1]
        assert ("skipped" in out) == ("resumed  after step 100" in out)
        assert ("skipped" in out) or "resumed  after step 173, 0 to go" in out
    return status


@pytest.mark.parametrize("change", [
    lambda record: record.update(vocabulary=record["vocabulary"][:-1]),
    lambda record: record.update(vocabulary=record["vocabulary"] + "z"),
    lambda record: record.update(vocabulary="".join(sorted(record["vocabulary"].replace("a", "b")))),
    lambda record: record.update(vocabulary=record["vocabulary"][::-1]),
    lambda record: record["text"].update(sha256="0" * 64),
    lambda record: record["text"].update(encoding="utf-16"),
    lambda record: record["text"].update(encoding="\x00"),
    lambda record: record["text"].update(encoding=None),
    lambda record: record["text"].update(name="nowhere.txt"),
    lambda record: record["text"].update(name="\x00"),
    lambda record: record.update(hyperparameters={}),
    lambda record: record["hyperparameters"].pop("seed"),
    lambda record: record["hyperparameters"].update(learning_rate=10 ** 400),
    lambda record: record["hyperparameters"].update(grad_clip=10 ** 400),
    lambda record: record["hyperparameters"].update(learning_rate=float("nan")),
    lambda record: record["hyperparameters"].update(keep_prob=float("inf")),
    lambda record: record["hyperparameters"].update(lstm_size=10 ** 30),
    lambda record: record["hyperparameters"].update(num_layers=10 ** 30),
    lambda record: record["hyperparameters"].update(batch_size=10 ** 30),
    lambda record: record["hyperparameters"].update(epochs=1e30),
    lambda record: record["hyperparameters"].update(print_every_n="50"),
    lambda record: record["hyperparameters"].update(extra=1),
    lambda record: record["hyperparameters"].update({"a\nb": 1}),
    lambda record: record["hyperparameters"].update(seed=[7]),
    lambda record: record.update(best=NEWEST + "x"),
    lambda record: record.update(best=[])])
def test_a_changed_run_file_is_refused(run, capfd, change):
    edit(run, change)
    status, _, err = resume(run, capfd)
    assert status == 2 and len(err) == 1 and err[0].startswith("charrnn-train: error: "), err


@pytest.mark.parametrize("name, value", [
    ("batch_size", 3), ("num_steps", 2), ("lstm_size", 6), ("num_layers", 3), ("seed", 8), ("cell", "gru"),
    ("optimizer", "rmsprop"), ("average_decay", 0.9), ("val_fraction", 0.05)])
def test_what_cannot_be_changed_is_not_changed_in_the_file_either(run, capfd, name, value):
    """The weights, the state and the place in the text hang on them, so the numbers would be others."""
    edit(run, lambda record: record["hyperparameters"].update({name: value, "epochs": 2}))
    status, _, err = resume(run, capfd)
    assert status == 2 and len(err) == 1 and err[0].startswith("charrnn-train: error: "), err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["warmup_steps", "eval_every_n", "early_stop", "max_to_keep", "save_every_n"])
def test_huge_numbers_where_steps_are_left(run, capfd, name):
    edit(run, lambda record: record["hyperparameters"].update({name: 10 ** 400, "epochs": 2}))
    status, _, err = resume(run, capfd)
    assert (status, err) == (0, []) or (status, len(err)) == (2, 1)


def test_all_that_cannot_be_changed_is_tried():
    tried = test_what_cannot_be_changed_is_not_changed_in_the_file_either.pytestmark[0].args[1]
    assert sorted(name for name, _ in tried) == sorted(IMMUTABLE)


@pytest.mark.parametrize("change", [
    lambda record: record["hyperparameters"].update(print_every_n=10 ** 15),
    lambda record: record["hyperparameters"].update(save_every_n=10 ** 15),
    lambda record: record["hyperparameters"].update(max_to_keep=10 ** 15),
    lambda record: record.update(charrnn="99"),
    lambda record: record.update(best=OLDER),
    lambda record: record.update(more=[])])
def test_a_harmless_change_is_accepted(run, saved, capfd, change):
    edit(run, change)
    assert check_resumed(run, saved, capfd) == 0


@pytest.mark.parametrize("name, content", [
    ("history.csv", None), ("history.csv", b""), ("history.csv", b"\xff\xfe\x00"), ("history.csv", b"\x00" * 500),
    ("history.csv", "step\n²,1,,,,,,,\n".encode()), ("history.csv", b"step\n" + b"9" * 10000 + b",1,,,,,,,\n"),
    ("checkpoint", None), ("checkpoint", b""), ("checkpoint", b"\xff" * 100),
    ("checkpoint", b'model_checkpoint_path: "../elsewhere"\nall_model_checkpoint_paths: "../elsewhere"\n'),
    (".lock", None), (".lock", b"garbage")], ids=lambda value: repr(value)[:30])
def test_what_a_resume_can_do_without(run, saved, capfd, name, content):
    (run / name).unlink()
    if content is not None:
        (run / name).write_bytes(content)
    assert check_resumed(run, saved, capfd) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["history.csv", "checkpoint", ".lock", ".saving", "summaries"])
@pytest.mark.parametrize("kind", ["a folder", "a file"])
def test_a_file_where_a_folder_was_or_a_folder_for_a_file(run, saved, capfd, name, kind):
    path = run / name
    if path.is_dir():
        shutil.rmtree(str(path))
    elif path.exists():
        path.unlink()
    if kind == "a folder":
        (path / "within").mkdir(parents=True)
    else:
        path.write_bytes(b"?")
    check_resumed(run, saved, capfd)


def test_a_damaged_newest_checkpoint_is_trained_anew(run, saved, capfd):
    """And said; what comes of it is what was lost."""
    path = run / (NEWEST + ".progress.npz")
    path.write_bytes(path.read_bytes()[:-1])
    assert check_resumed(run, saved, capfd) == 0
    assert checkpoints.newest_intact(run) == (str(run / NEWEST), [])


def test_what_is_saved_after_damaged_checkpoints_is_not_forgotten(tmp_path):
    """Damaged ones with higher steps are not what is kept in its stead."""
    path = tmp_path / "small.txt"
    path.write_text(TEXT, encoding="utf-8")
    folder = tmp_path / "run"
    flags = [*SMALL_FLAGS, "--checkpoint-dir", str(folder), "--sample-length", "0", "--max-to-keep", "3"]
    assert train.main([str(path), *flags, "--save-every-n", "40"]) == 0
    assert len(checkpoints.list_checkpoints(folder)) == 3  # steps 120, 160 and 173
    for step in (160, 173):
        (folder / "i{}_l5.ckpt.index".format(step)).write_bytes(b"")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("charrnn.training.trainer.Trainer._say_step", _interrupt)
        train.main(["--resume", "--checkpoint-dir", str(folder), "--save-every-n", "5", "--print-every-n", "8",
                    "--max-to-keep", "2"])
    assert Path(checkpoints.newest_intact(folder)[0]).name == "i125_l5.ckpt"


def _interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("block", range(4))
def test_resuming_with_a_damaged_run_file(trained, run, saved, capfd, block):
    """Random edits of run.json, but for those places that a user may change and so train on differently."""
    free = {"epochs", "learning_rate", "keep_prob", "grad_clip", "schedule", "warmup_steps", "decay", "fused",
            "input_keep_prob", "eval_every_n", "early_stop"}
    statuses = []
    for each in range(25):
        rng = np.random.RandomState([1000 + block, each])
        renew(trained, run)
        words = damage_json(rng, run / "run.json")
        if words.split(" ")[1] in free:
            continue
        try:
            statuses.append(check_resumed(run, saved, capfd))
        except Exception as error:
            raise AssertionError("{}, {}: {}".format(block, each, words)) from error
    assert 2 in statuses and len(statuses) > 10
