"""Damaged run folders: a checkpoint is opened as it was saved, or refused in one line."""
import copy
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from charrnn import checkpoints, train

OLDER, NEWEST = "i100_l5.ckpt", "i173_l5.ckpt"
STATE_SHAPE = (2, 2, 2, 5)
BINARY = [NEWEST + suffix for suffix in (".index", ".data-00000-of-00001", ".meta", ".progress.npz")]
TEXTS = [NEWEST + ".json", "run.json", "checkpoint", "history.csv"]
# Values that may replace others in a JSON file.
VALUES = [None, True, False, 0, 1, -1, 2, 3.5, 10 ** 12, 10 ** 400, 1e308, float("nan"), float("inf"), "", "a",
          "5", "i100_l5.ckpt", "../i100_l5.ckpt", "\x00", "\ud800", "é\n\u2028", "x" * 300, [], ["a"], [[]], {},
          {"a": 1}, {"": None}, [["batch_size", 2]]]
BLOCKS, BLOCK = 24, 50  # of variants in the slow test


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def saved(trained):
    """The vocabulary of the trained run, and by name the weights and progress of its checkpoints."""
    return {"vocabulary": checkpoints.read_run(trained).vocabulary.chars,
            **{name: (_weights(trained / name), _progress(trained / name)) for name in (OLDER, NEWEST)}}


def _weights(prefix):
    return {name: (str(values.dtype), values.shape, values.tobytes())
            for name, values in checkpoints.read_weights(str(prefix)).items()}


def _progress(prefix):
    progress = dataclasses.asdict(checkpoints.read_progress(str(prefix), STATE_SHAPE))
    return {name: np.asarray(value).tobytes() for name, value in progress.items()}


# Kinds of damage


def damage_bytes(rng, path, other):
    """Damage a file as a disk, an incomplete copy or a mix-up may do. Return a description."""
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
    return f"{kind} from {start} to {end} of {len(content)}"


def damage_json(rng, path):
    """Edit a JSON file at a random place. Return a description that begins with the kind and the key."""
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
        text = ['{"format": 1', "null", "1e999", "-0", '"\\ud800"', "\ufeff{}", "{} {}", "9" * 5000,
                "{'format': 1}", path.read_text(encoding="utf-8") * 2][rng.randint(10)]
    else:
        value = VALUES[rng.randint(len(VALUES))]
        if kind == "added":
            key = value if isinstance(value, str) else str(value)
        shown, holder[key] = repr(value)[:80], copy.deepcopy(value)
    if text is None:
        top = holders[0][0]
        text = json.dumps(top["top"]) if "top" in top else ""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return f"{kind} {key} {shown}"


def _places(record):
    """Return every (holder, key) within a record."""
    if not isinstance(record, dict):
        return []
    return [(record, key) for key in record] + [place for value in record.values() for place in _places(value)]


def damage(rng, run):
    """Damage one or two files of a run. Return a description."""
    words = []
    for _ in range(1 + (rng.random_sample() < 0.15)):
        name = (BINARY + TEXTS)[rng.randint(len(BINARY + TEXTS))]
        path = run / name
        other = run / (name.replace(NEWEST, OLDER) if NEWEST in name else NEWEST + ".json")
        if not path.is_file():
            continue  # it is already damaged
        if name.endswith(".json") and rng.random_sample() < 0.7:
            try:
                words.append(f"{name}: {damage_json(rng, path)}")
            except (ValueError, RecursionError):
                continue
        elif path.stat().st_size:
            words.append(f"{name}: {damage_bytes(rng, path, other)}")
    return "; ".join(words)


# Opening


def check_line(error):
    assert str(error).strip() and len(str(error).splitlines()) == 1, repr(str(error))


def check_skipped(prefix, skipped):
    """Check that the newest checkpoint is named if it was skipped, unless no trace of it is left."""
    folder = Path(prefix).parent
    skipped = [line for line in skipped if "so its copy in " not in line]  # that is about run.json
    if Path(prefix).name == NEWEST:
        assert not skipped
    elif skipped or (folder / (NEWEST + ".json")).exists() or NEWEST in _read_list(folder):
        assert len(skipped) == 1 and NEWEST in skipped[0] and len(skipped[0].splitlines()) == 1


def _read_list(folder):
    try:
        return (folder / "checkpoint").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def check(run, saved):
    """Open a damaged run for sampling and for resuming; return for each the opened checkpoint or "refused"."""
    opened = []
    try:
        found = checkpoints.open_checkpoint(run)
        weights = _weights(found.prefix)
    except ValueError as error:
        check_line(error)
        opened.append("refused")
    else:
        name = Path(found.prefix).name
        assert weights == saved[name][0] and found.vocabulary.chars == saved["vocabulary"]
        assert (found.lstm_size, found.num_layers, found.cell) == (5, 2, "lstm")
        check_skipped(found.prefix, found.skipped)
        opened.append(name)
    try:
        prefix, skipped = checkpoints.newest_intact(run)
        progress = _progress(prefix)
    except ValueError as error:
        check_line(error)
        opened.append("refused")
    else:
        assert progress == saved[Path(prefix).name][1]
        check_skipped(prefix, skipped)
        opened.append(Path(prefix).name)
    try:
        assert checkpoints.read_run(run).vocabulary.chars == saved["vocabulary"] or opened == ["refused"] * 2
    except ValueError as error:
        check_line(error)
        assert opened[0] == "refused"
    return opened


def restore_copy(trained, run):
    shutil.rmtree(str(run))
    shutil.copytree(str(trained), str(run))


def check_variants(trained, run, saved, block, number):
    """Check a number of random variants; return the set of outcomes."""
    outcomes = set()
    for each in range(number):
        rng = np.random.RandomState([block, each])
        restore_copy(trained, run)
        words = damage(rng, run)
        try:
            outcome = tuple(check(run, saved))
            assert "refused" not in outcome or "run.json: " in words  # because the older checkpoint is intact
            outcomes.add(outcome)
        except Exception as error:  # name the variant, whatever the error is
            raise AssertionError(f"variant {block}, {each}: {words}: {type(error).__name__}: {error}") from error
    return outcomes


def test_an_undamaged_run_is_opened(run_copy, saved):
    assert check(run_copy, saved) == [NEWEST, NEWEST]


@pytest.mark.slow
def test_some_random_damage(trained, run_copy, saved):
    outcomes = check_variants(trained, run_copy, saved, 0, 60)
    assert {(OLDER, OLDER), (NEWEST, NEWEST), ("refused", "refused")} <= outcomes


@pytest.mark.slow
@pytest.mark.parametrize("block", range(1, BLOCKS + 1))
def test_much_random_damage(trained, run_copy, saved, block):
    assert len(check_variants(trained, run_copy, saved, block, BLOCK)) > 1


def damage_in_a_way(path, kind):
    """Damage one file of the newest checkpoint."""
    content = path.read_bytes()
    path.unlink()
    if kind == "a folder":
        path.mkdir()
    elif kind == "the older one's":
        shutil.copyfile(str(path).replace(NEWEST, OLDER), str(path))
    elif kind == "a bit" and path.suffix == ".json":
        path.write_bytes(content.replace(b'"bytes": ', b'"bytes": 1', 1))
    elif kind != "missing":
        flipped = content[:-9] + bytes([content[-9] ^ 16]) + content[-8:]
        path.write_bytes({"empty": b"", "half": content[:len(content) // 2], "a bit": flipped}[kind])


@pytest.mark.parametrize("name, kind", [
    (name, kind) for name in [*BINARY, NEWEST + ".json"]
    for kind in ("missing", "empty", "half", "a bit", "a folder", "the older one's")
    if (name, kind) != (NEWEST + ".meta", "the older one's")])  # the graphs in both are the same
def test_the_older_checkpoint_is_opened_whichever_file_of_the_newest_is_damaged(run_copy, saved, name, kind):
    damage_in_a_way(run_copy / name, kind)
    assert check(run_copy, saved) == [OLDER, OLDER]


# Resuming with charrnn-train


def edit(run, change):
    path = run / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_bytes(json.dumps(record).encode("utf-8", "surrogatepass"))


def resume(run, capfd):
    """Resume a run whose last epoch is complete; return the status, the output and the lines on standard error."""
    capfd.readouterr()
    status = train.main(["--resume", "--checkpoint-dir", str(run), "--sample-length", "0"])
    out, err = capfd.readouterr()
    return status, out, err.splitlines()


def check_refused(run, capfd):
    """Check that a run is refused in one line."""
    status, _, err = resume(run, capfd)
    assert status == 2 and len(err) == 1 and err[0].startswith("charrnn-train: error: "), err


def check_resumed(run, saved, capfd):
    """Check that a run is refused in one line, or ends with the weights that were saved; return the status."""
    status, out, err = resume(run, capfd)
    if status == 2:
        assert len(err) == 1 and err[0].startswith("charrnn-train: error: "), err
    else:
        assert (status, err) == (0, [])
        assert checkpoints.read_run(run).vocabulary.chars == saved["vocabulary"]
        assert _weights(run / NEWEST) == saved[NEWEST][0] and _progress(run / NEWEST) == saved[NEWEST][1]
        lines = [line for line in out.splitlines() if line.startswith("skipped") and "so its copy in " not in line]
        assert bool(lines) == ("resumed  after step 100" in out)
        assert lines or "resumed  after step 173, 0 to go" in out
    return status


def test_a_run_without_any_record_is_refused(run_copy, capfd):
    """It must not count as a run without checkpoints, which would start again and overwrite them."""
    for name in (OLDER, NEWEST):
        (run_copy / (name + ".json")).unlink()
    before = {path.name: path.read_bytes() for path in run_copy.glob("*.ckpt.*")}
    check_refused(run_copy, capfd)
    assert before == {path.name: path.read_bytes() for path in run_copy.glob("*.ckpt.*")}


@pytest.mark.parametrize("change", [
    lambda record: record.update(vocabulary="".join(sorted(record["vocabulary"].replace("a", "b")))),
    lambda record: record["text"].update(sha256="0" * 64),
    lambda record: record["hyperparameters"].pop("seed"),
    lambda record: record["hyperparameters"].update(lstm_size=10 ** 30),
    lambda record: record["hyperparameters"].update({"a\nb": 1}),
    slow(lambda record: record.update(vocabulary=record["vocabulary"][:-1])),
    slow(lambda record: record.update(vocabulary=record["vocabulary"] + "z")),
    slow(lambda record: record["text"].update(encoding="utf-16")),
    slow(lambda record: record["text"].update(encoding="\x00")),
    slow(lambda record: record["text"].update(encoding=None)),
    slow(lambda record: record["text"].update(name="nowhere.txt")),
    slow(lambda record: record.update(hyperparameters={})),
    slow(lambda record: record["hyperparameters"].update(num_layers=10 ** 30)),
    slow(lambda record: record["hyperparameters"].update(batch_size=10 ** 30)),
    slow(lambda record: record["hyperparameters"].update(epochs=1e30)),
    slow(lambda record: record["hyperparameters"].update(print_every_n="50")),
    slow(lambda record: record["hyperparameters"].update(extra=1))])
def test_an_invalid_change_of_the_run_file_is_refused(run_copy, capfd, change):
    edit(run_copy, change)
    check_refused(run_copy, capfd)


@pytest.mark.parametrize("content", [
    None, b"", b"{}", slow(b'{"format": 1, "vocabulary": "ba"}'), slow(b'{"format": 1'), slow(b"null"),
    slow(b"[" * 100000), slow(b"\xff")],
    ids=lambda value: repr(value)[:20])
def test_a_run_file_that_is_lost_or_damaged_is_restored_from_its_copy(run_copy, saved, capfd, content):
    before = checkpoints.read_run(run_copy)
    (run_copy / "run.json").unlink()
    if content is not None:
        (run_copy / "run.json").write_bytes(content)
    status, out, err = resume(run_copy, capfd)
    assert (status, err) == (0, []) and "run.json is " in out and "resumed  after step 173" in out
    assert checkpoints.find_run(run_copy) == (before, None) and _weights(run_copy / NEWEST) == saved[NEWEST][0]


@pytest.mark.parametrize("change", [
    lambda record: record.update(best=[]), slow(lambda record: record.update(best=NEWEST + "x")),
    slow(lambda record: record["text"].update(name="\x00")),
    slow(lambda record: record["hyperparameters"].update(learning_rate=10 ** 400)),
    slow(lambda record: record["hyperparameters"].update(grad_clip=10 ** 400)),
    slow(lambda record: record["hyperparameters"].update(learning_rate=float("nan"))),
    slow(lambda record: record["hyperparameters"].update(keep_prob=float("inf"))),
    slow(lambda record: record["hyperparameters"].update(seed=[7]))])
def test_a_run_file_with_an_impossible_value_is_restored_from_its_copy(run_copy, capfd, change):
    before = checkpoints.read_run(run_copy)
    edit(run_copy, change)
    assert resume(run_copy, capfd)[0] == 0
    assert checkpoints.find_run(run_copy) == (before, None)


@pytest.mark.parametrize("name, value", [
    ("batch_size", 3), slow("num_steps", 2), slow("lstm_size", 6), slow("num_layers", 3), slow("seed", 8),
    slow("cell", "gru"), slow("optimizer", "rmsprop"), slow("average_decay", 0.9), slow("val_fraction", 0.05)])
def test_an_immutable_hyperparameter_cannot_be_changed_in_the_run_file(run_copy, capfd, name, value):
    """The fingerprint in each record differs then, as test_record.py shows for every one."""
    edit(run_copy, lambda record: record["hyperparameters"].update({name: value, "epochs": 2}))
    check_refused(run_copy, capfd)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["warmup_steps", "eval_every_n", "early_stop", "max_to_keep", "save_every_n"])
def test_huge_numbers_with_steps_left_cause_no_traceback(run_copy, capfd, name):
    edit(run_copy, lambda record: record["hyperparameters"].update({name: 10 ** 400, "epochs": 2}))
    status, _, err = resume(run_copy, capfd)
    assert (status, err) == (0, []) or (status, len(err)) == (2, 1)


@pytest.mark.parametrize("change", [
    lambda record: record["hyperparameters"].update(print_every_n=10 ** 15),
    slow(lambda record: record["hyperparameters"].update(save_every_n=10 ** 15)),
    slow(lambda record: record["hyperparameters"].update(max_to_keep=10 ** 15)),
    slow(lambda record: record.update(charrnn="99")),
    slow(lambda record: record.update(best=OLDER)),
    slow(lambda record: record.update(more=[]))])
def test_a_harmless_change_of_the_run_file_is_accepted(run_copy, saved, capfd, change):
    edit(run_copy, change)
    assert check_resumed(run_copy, saved, capfd) == 0


@pytest.mark.parametrize("name, content", [
    ("history.csv", None), ("checkpoint", b"\xff" * 100), slow(".lock", None),
    slow("history.csv", b"\xff\xfe\x00"), slow("history.csv", b""), slow("history.csv", b"\x00" * 500),
    slow("history.csv", "step\n²,1,,,,,,,\n".encode()),
    slow("history.csv", b"step\n" + b"9" * 10000 + b",1,,,,,,,\n"),
    slow("checkpoint", None), slow("checkpoint", b""),
    slow("checkpoint", b'model_checkpoint_path: "../elsewhere"\nall_model_checkpoint_paths: "../elsewhere"\n'),
    slow(".lock", b"garbage")], ids=lambda value: repr(value)[:30])
def test_files_that_resuming_does_not_need(run_copy, saved, capfd, name, content):
    (run_copy / name).unlink()
    if content is not None:
        (run_copy / name).write_bytes(content)
    assert check_resumed(run_copy, saved, capfd) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["history.csv", "checkpoint", ".lock", ".saving", "summaries"])
@pytest.mark.parametrize("kind", ["a folder", "a file"])
def test_a_folder_in_place_of_a_file_or_a_file_in_place_of_a_folder(run_copy, saved, capfd, name, kind):
    path = run_copy / name
    if path.is_dir():
        shutil.rmtree(str(path))
    elif path.exists():
        path.unlink()
    if kind == "a folder":
        (path / "within").mkdir(parents=True)
    else:
        path.write_bytes(b"?")
    check_resumed(run_copy, saved, capfd)


def test_training_repeats_what_a_damaged_checkpoint_has_lost(run_copy, saved, capfd):
    path = run_copy / (NEWEST + ".progress.npz")
    path.write_bytes(path.read_bytes()[:-1])
    assert check_resumed(run_copy, saved, capfd) == 0
    assert checkpoints.newest_intact(run_copy) == (str(run_copy / NEWEST), [])


@pytest.mark.slow
@pytest.mark.parametrize("block", range(4))
def test_resuming_after_random_edits_of_the_run_file(trained, run_copy, saved, capfd, block):
    """Except for those that a user may make in order to train differently."""
    allowed = {"epochs", "learning_rate", "keep_prob", "grad_clip", "schedule", "warmup_steps", "decay", "fused",
               "input_keep_prob", "eval_every_n", "early_stop"}
    statuses = []
    for each in range(25):
        rng = np.random.RandomState([1000 + block, each])
        restore_copy(trained, run_copy)
        words = damage_json(rng, run_copy / "run.json")
        if words.split(" ")[1] in allowed:
            continue
        try:
            statuses.append(check_resumed(run_copy, saved, capfd))
        except Exception as error:
            raise AssertionError(f"variant {block}, {each}: {words}") from error
    assert 2 in statuses and len(statuses) > 10
