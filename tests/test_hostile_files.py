"""Files that may be another person's: texts cost time and memory in proportion to their size, and records one line."""

import gzip
import itertools
import json
import math
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
from charrnn.text import corpus

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
    lines = [line for line in [*rows, *err.splitlines()] if not line.startswith("mean ")]
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
