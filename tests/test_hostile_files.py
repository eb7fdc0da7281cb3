"""Files that may be another person's cost time and memory in proportion to their size, whatever is in them."""

import gzip
import itertools
import json
import math
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, npy, run_python, script, signed_npz

from charrnn.checkpoints import record
from charrnn.checkpoints.weights import packed
from charrnn.data import Vocabulary
from charrnn.engines.opened_model import lstm_weights
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import files
from charrnn.text import corpus

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the memory is limited as on Linux"
)
MEMBER = {"about.npy": npy(np.frombuffer(json.dumps({"vocabulary": "ab"}).encode(), np.uint8))}


def read(cases):
    """Read files in one process. Return what each was refused with, None for those that were opened.

    Args:
        cases: pairs of a name in tests/limited_reader.py and a path.
    """
    status, out, err = run_python(
        ROOT / "tests" / "limited_reader.py",
        json.dumps([(kind, str(path)) for kind, path in cases]),
    )
    found = [json.loads(line) for line in out.splitlines()]
    assert status == 0, f"{cases[len(found)]} ended the process: {err[-500:]}"
    assert not err
    return found


def check_refused(kind, paths):
    """Check that files are refused in one line, and not because the memory did not suffice."""
    assert len(paths) >= 20
    for message in read([(kind, path) for path in paths]):
        assert (
            message
            and "\n" not in message
            and not {"MemoryError", "allocate"} & set(message.split())
        ), message


# Models


def compressed(content, method):
    return signed_npz({**MEMBER, "x.npy": content}, method)


def crafted_archives():
    """Return the contents of .npz files whose arrays are damaged or larger than the file."""
    header = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"
    zeros = npy(np.zeros(3 << 20, np.uint8))
    arrays = [
        header % shape
        for shape in (
            b"10000000000,",
            b"4294967296, 4294967296",
            b"0, 0, 99",
            b"-1,",
            b"9" * 99,
            b"1, " * 33,
            b"(" * 50,
            b"",
        )
    ]
    arrays += [
        each[:8] + len(each[10:]).to_bytes(2, "little") + each[10:]
        for each in (
            header % (b"9" * 60_000),
            header % (b"(" * 60_000),
            header % (b"-" * 60_000 + b"1"),
        )
    ]
    arrays += [
        b"\x93NUMPY\x02\x00" + (500_000).to_bytes(4, "little") + fill * 500_000
        for fill in (b"9", b"(", b"-")
    ]
    arrays += [npy(np.zeros(5, kind)) for kind in ("V0", "O", "f4,f4")]
    # of which some versions of NumPy warn
    arrays += [(header % b"5,").replace(b"<f4", b"1f4") + bytes(20)]
    found = [signed_npz({**MEMBER, "x.npy": content}) for content in arrays]
    found += [
        compressed(zeros, method)
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ]
    found += [signed_npz({**MEMBER, "softmax/Variable": b"no array"})]
    found += [
        signed_npz({**MEMBER, **{f"{number}.npy": npy(np.zeros(0)) for number in range(1000)}})
    ]
    return found


def test_models(tmp_path):
    cells = {
        f"{name}": npy(np.zeros(shape, np.float32))
        for name, shape in (("softmax/Variable.npy", (1, 2)), ("softmax/Variable_1.npy", (2,)))
    }
    many = {
        f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/kernel.npy": npy(
            np.zeros((2, 4), np.float32)
        )
        for layer in range(300)
    }
    (tmp_path / "many.npz").write_bytes(signed_npz({**MEMBER, **cells, **many}))
    for number, content in enumerate(crafted_archives()):
        (tmp_path / f"{number}.npz").write_bytes(content)
    check_refused("model", sorted(tmp_path.glob("*.npz")))


# Texts


def test_texts(tmp_path):
    bomb = gzip.compress(bytes(3 << 20))
    spaced = gzip.compress(b"the cat sat on the mat\n" * 200_000)
    contents = [
        bomb,
        bomb * 3,
        spaced[:-9],
        bomb[:-9],
        b"\x1f\x8b",
        bomb[:10] + b"\xff" * 9999,
        gzip.compress(b""),
        b"",
        b"\0" * 9999,
        b"\xff" * 9999,
        b"a\0" * 9999,
        b"\xff\xfe" + b"\xd8" * 9999,
        b"\xff\xfe\0\0" + b"\xff" * 9999,
        b"ac" * 200_000,
    ]
    several = "".join(map(chr, itertools.chain(range(0x3000, 0xD000), range(0x10000, 0x30000))))
    contents += [(several * times).encode() for times in (1, 2)] + [
        gzip.compress(each) for each in contents[:4]
    ]
    for number, content in enumerate(contents):
        (tmp_path / f"{number:02}").write_bytes(content)
    check_refused("text", sorted(tmp_path.iterdir()))


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
    places = [(good, name) for name in good]
    places += [(good[part], name) for part in ("text", "hyperparameters") for name in good[part]]
    for values, name in places:
        usual = values[name]
        for value in VALUES:
            values[name] = value
            yield json.loads(json.dumps(good))
        values[name] = usual


def test_records(tmp_path, capsys):
    """Each is used or refused in one line, by each command, and hides no other."""
    text = corpus.read("names").text
    for number, crafted in enumerate(crafted_records(text)):
        folder = tmp_path / "runs" / f"{number:03}"
        folder.mkdir(parents=True)
        for name, content in (
            ("run.json", record.signed(crafted)),
            ("text.txt", text.encode()),
            ("history.csv", b""),
        ):
            (folder / name).write_bytes(content)
    assert script("runs").main([str(tmp_path)]) == 0
    head, *lines = "".join(capsys.readouterr()).splitlines()
    runs = [
        re.match(r"(?:skipped: )?.*?/runs/(\d+)", line)
        for line in lines
        if not line.startswith("mean ")
    ]
    assert sorted(int(found.group(1)) for found in runs) == list(
        range(number + 1)
    ) and head.startswith("run ")


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("evaluate", ["--held-out", "--characters"]),
        ("sample", ["--novelty", "--length", "5"]),
        ("inspect", ["--characters", "50"]),
        ("export", ["o.npz"]),
    ],
)
def test_records_of_models(tmp_path, monkeypatch, capsys, name, arguments):
    monkeypatch.chdir(tmp_path)
    text = corpus.read("names").text
    random = np.random.RandomState(1)
    size = len(set(text))
    path = tmp_path / "m.npz"
    weights = lstm_weights(
        [random.normal(size=(size + 3, 12)).astype(np.float32)],
        random.normal(size=(3, size)).astype(np.float32),
    )
    refused = 0
    for crafted in itertools.islice(crafted_records(text), 0, None, 5):
        path.write_bytes(packed(weights, crafted))
        status = script(name).main([str(path), *arguments])
        out, err = capsys.readouterr()
        assert (
            status == 0 or status == 2 and not out and re.fullmatch("charrnn-.*: error: .+\n", err)
        ), crafted
        refused += bool(status)
    assert refused > 30
