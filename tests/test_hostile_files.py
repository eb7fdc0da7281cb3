"""Files that may be another person's: texts cost time and memory in proportion to their size, and records one line.

No file is opened because a record names it, unless it is the one that the record means.
"""

import gzip
import itertools
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run_python, script

from charrnn.checkpoints import record
from charrnn.checkpoints.weights import packed
from charrnn.data import Vocabulary
from charrnn.engines.trained_model import lstm_weights
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import files
from charrnn.text import corpus, lexicon

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the memory is limited as on Linux"
)

# Texts


BOMB = gzip.compress(bytes(3 << 20))
REPEATED = gzip.compress(b"the cat sat on the mat\n" * 200_000)
LARGE_BLOCKS = [*range(0x3000, 0xD000), *range(0x10000, 0x30000)]
MANY_CHARACTERS = "".join(map(chr, LARGE_BLOCKS))
TEXTS = [
    BOMB,
    BOMB * 3,
    REPEATED[:-9],
    BOMB[:-9],
    b"\x1f\x8b",
    BOMB[:10] + b"\xff" * 9999,
    gzip.compress(b""),
    b"",
    b"\0" * 9999,
    b"\xff" * 9999,
    b"a\0" * 9999,
    b"\xff\xfe" + b"\xd8" * 9999,
    b"\xff\xfe\0\0" + b"\xff" * 9999,
    b"ac" * 200_000,
    MANY_CHARACTERS.encode(),
    (MANY_CHARACTERS * 2).encode(),
    gzip.compress(BOMB),
    gzip.compress(BOMB * 3),
    gzip.compress(REPEATED[:-9]),
    gzip.compress(BOMB[:-9]),
]


def test_a_text_that_is_none_or_too_large_is_refused_in_a_line(tmp_path):
    """And not because the memory did not suffice."""
    paths = []
    for number, content in enumerate(TEXTS):
        path = tmp_path / str(number)
        path.write_bytes(content)
        paths.append(path)

    status, out, err = run_python(ROOT / "tests" / "limited_reader.py", *paths)
    messages = [json.loads(line) for line in out.splitlines()]
    assert status == 0, f"text {len(messages)} ended the process: {err[-500:]}"
    assert err == ""
    assert len(messages) == len(TEXTS)
    for message in messages:
        assert message
        assert "\n" not in message
        assert "MemoryError" not in message
        assert "allocate" not in message


# Records


VALUES = [
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    -0.5,
    math.nan,
    math.inf,
    "",
    "x\0\n",
    "9" * 1000,
    [],
    [[{"a": 1}]],
    {},
]


def crafted_records(text):
    """Yield copies of the record of a run on a text, in each of which one field has another value."""
    run = record.RunRecord(
        Hyperparameters(val_fraction=0.01, test_fraction=0.9, seed=1),
        Vocabulary.from_text(text),
        "names",
        files.text_sha256(text),
        test_loss=1.5,
        beginning="A",
    )
    good = record.as_json(run)
    for part in (good, good["text"], good["hyperparameters"]):
        for name, usual in list(part.items()):
            for value in VALUES:
                part[name] = value
                yield json.loads(json.dumps(good))
            part[name] = usual


def test_a_crafted_record_hides_no_other_run(tmp_path, capsys):
    """charrnn-runs uses each, or refuses it in one line."""
    text = corpus.read("names").text
    names = []
    for number, crafted in enumerate(crafted_records(text)):
        names.append(f"{number:03}")
        folder = tmp_path / "runs" / names[-1]
        folder.mkdir(parents=True)
        (folder / "run.json").write_bytes(record.signed(crafted))
        (folder / "text.txt").write_bytes(text.encode())
        (folder / "history.csv").write_bytes(b"")

    assert script("runs").main([str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert head.startswith("run ")
    lines = [*rows, *err.splitlines()]
    matches = [re.match(r"(?:skipped: )?.*?/runs/(\d+)", line) for line in lines]
    assert sorted(match.group(1) for match in matches) == names


@pytest.fixture
def weights():
    """Those of a small network for the text "names"."""
    num_classes = len(set(corpus.read("names").text))
    random = np.random.RandomState(1)
    kernel = random.normal(size=(num_classes + 3, 12)).astype(np.float32)
    return lstm_weights([kernel], random.normal(size=(3, num_classes)).astype(np.float32))


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("evaluate", ["--held-out", "--characters"]),
        ("sample", ["--novelty", "--length", "5"]),
        ("inspect", ["--characters", "50"]),
        ("export", ["o.npz"]),
    ],
)
def test_a_command_uses_a_model_with_a_crafted_record_or_refuses_it_in_a_line(
    tmp_path, monkeypatch, capsys, weights, name, arguments
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.npz"
    refused = 0
    # 7 steps over 15 values, so that each value is reached in some field
    for crafted in itertools.islice(crafted_records(corpus.read("names").text), 0, None, 7):
        path.write_bytes(packed(weights, crafted))
        status = script(name).main([str(path), *arguments])
        out, err = capsys.readouterr()
        if status != 0:
            assert status == 2, crafted
            assert out == "", crafted
            assert re.fullmatch("charrnn-.*: error: .+\n", err), crafted
            refused += 1

    assert refused > 60


# Files that a record names

TEXT = "the cat sat on the mat\n" * 40
OTHER_TEXT = "another text\n" * 40


def named(folder, kind, content, other):
    """Make what a record names in a folder, and return its path.

    Args:
        kind: what it is.
        content: the content that the record means.
        other: another content of this kind.
    """
    target = folder / "named"
    if kind == "a pipe":
        os.mkfifo(str(target))
    elif kind == "a device":
        return Path("/dev/zero")
    elif kind == "a link to a device":
        target.symlink_to("/dev/zero")
    elif kind == "a link":
        (folder / "linked").write_bytes(content)
        target.symlink_to(folder / "linked")
    elif kind == "a folder":
        target.mkdir()
        (target / "inside").write_bytes(content)
    elif kind == "another file":
        target.write_bytes(other)
    elif kind == "upwards":
        (folder / "below").mkdir()
        (folder / "secret").write_bytes(other)
        return folder / "below" / ".." / "secret"
    elif kind == "standard input":
        return "-"
    return target


NAMED = [
    "a pipe",
    "a device",
    "a link to a device",
    "a link",
    "a folder",
    "another file",
    "upwards",
    "standard input",
    "missing",
]


@pytest.fixture
def run_on():
    """A function that writes a run folder without its text, whose record names a text. It returns the folder."""

    def write(folder, text_name):
        run = record.RunRecord(
            Hyperparameters(seed=1),
            Vocabulary.from_text(TEXT),
            str(text_name),
            files.text_sha256(TEXT),
        )
        folder.mkdir()
        record.write_run(folder, run)
        (folder / "history.csv").write_bytes(b"")
        return folder

    return write


@pytest.mark.parametrize("kind", NAMED)
def test_a_run_without_its_text_reads_nothing_else_that_it_names(tmp_path, capsys, run_on, kind):
    path = named(tmp_path, kind, TEXT.encode(), OTHER_TEXT.encode())
    assert script("runs").main([str(run_on(tmp_path / "run", path))]) == 2
    assert f": name the text that it was trained on, {path}\n" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["a pipe", "a link to a device", "a folder", "another file"])
def test_a_run_reads_no_text_beside_it_that_is_another_one(tmp_path, capsys, run_on, kind):
    folder = run_on(tmp_path / "run", "nowhere.txt")
    named(tmp_path, kind, TEXT.encode(), OTHER_TEXT.encode()).rename(folder / "text.txt")
    assert script("runs").main([str(folder)]) == 2
    assert ": name the text that it was trained on, nowhere.txt\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["my.txt", "my.txt.gz", "below/../my.txt"])
def test_a_run_without_its_text_reads_the_file_that_it_names_if_it_is_the_same(
    tmp_path, monkeypatch, run_on, name
):
    monkeypatch.chdir(tmp_path)
    Path("below").mkdir()
    content = TEXT.encode()
    if name.endswith(".gz"):
        content = gzip.compress(content)
    Path(name).write_bytes(content)
    assert record.read_run(run_on(Path("run"), name)).text() == TEXT


@pytest.mark.parametrize("name", ["my.txt", "my.txt.gz"])
def test_a_file_that_a_record_names_has_a_largest_size(tmp_path, monkeypatch, run_on, name):
    """Also when it is unpacked."""
    content = TEXT.encode()
    if name.endswith(".gz"):
        content = gzip.compress(content)
    (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(record, "LARGEST_NAMED", len(TEXT) - 1)
    with pytest.raises(record.CheckpointError, match="name the text that it was trained on"):
        record.read_run(run_on(tmp_path / "run", tmp_path / name)).text()


# Text and words in a model's file


@pytest.mark.parametrize("best_of", ["1", "3"])
@pytest.mark.parametrize("name", ["words", "text"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\n" * 99_999,
        b"A" * 99_999,
        os.urandom(999),
        lexicon.pack(["A" * 50_000_000]),
        lexicon.pack(["Anna"] * 9_999)[:-9],
        lexicon.pack(["\0\x1b[2J\u202e"] * 99),
    ],
    ids=["empty", "no UTF-8", "line ends", "one letter", "random", "bomb", "cut", "controls"],
)
def test_a_model_with_crafted_text_or_words_writes_or_is_refused_in_a_line(
    tmp_path, weights, capsys, name, content, best_of
):
    vocabulary = "".join(Vocabulary.from_text(corpus.read("names").text).chars)
    path = tmp_path / "crafted.npz"
    contents = {"words": None, "text": b"Anna\nEmma", name: content}
    path.write_bytes(packed(weights, {"vocabulary": vocabulary}, **contents))
    flags = ["--prime", "A", "--length", "30", "--seed", "1", "--best-of", best_of]
    status = script("sample").main([str(path), *flags])
    out, err = capsys.readouterr()
    assert err.count("\n") <= 1
    assert len(out) == {0: 32, 2: 0}[status]
    if best_of == "1":
        assert (status, err) == (0, "")
