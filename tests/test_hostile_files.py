"""Files that may be another person's cost time and memory in proportion to their size, whatever is in them."""
import gzip
import io
import itertools
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from conftest import NEWEST, OLDER, ROOT, npy, process_environment, signed_npz

from charrnn.checkpoints import Progress, record
from charrnn.checkpoints.record import signed

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory is limited as on Linux")
MEMBER = {"about.npy": npy(np.frombuffer(json.dumps({"vocabulary": "ab"}).encode(), np.uint8))}


def read(cases):
    """Read files in one process. Return what each was refused with, None for those that were opened.

    Args:
        cases: pairs of a name in tests/limited_reader.py and a path.
    """
    done = subprocess.run([sys.executable, str(ROOT / "tests" / "limited_reader.py"), json.dumps(
        [(kind, str(path)) for kind, path in cases])], capture_output=True, env=process_environment(), timeout=600)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{cases[len(found)]} ended the process: {done.stderr.decode()[-500:]}"
    assert not done.stderr
    return found


def check_refused(kind, paths):
    """Check that files are refused in one line, and not because the memory did not suffice."""
    assert len(paths) >= 20
    for message in read([(kind, path) for path in paths]):
        assert message and "\n" not in message and not {"MemoryError", "allocate"} & set(message.split()), message


# TensorFlow's list


def test_lists(tmp_path):
    start, end = 'all_model_checkpoint_paths: "', '"\n'
    contents = [start + name + end for name in (
        "/" * 20_000, "/" * 1_000_000, "\\" * 1_000_000, "a/" * 500_000, "../" * 300_000, "\0" * 100_000,
        "x" * 1_000_000, "i" + "1" * 1_000_000 + "_l5.ckpt", "i1_l" + "1" * 1_000_000 + ".ckpt", '"' * 1_000_000,
        "é" * 100_000)]
    contents += [(start + name + end) * 3_000 for name in ("a", "i1_l5.ckpt", "/a", "..", "/" * 99)]
    contents += [start * 30_000, end * 100_000, "\n" * 1_000_000, "\x85" * 100_000, "model_checkpoint_path: " * 9999]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "checkpoint").write_text(content, encoding="utf-8")
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "checkpoint").write_text("".join(f"{start}{number}{end}" for number in range(3_000)))
    for number in range(3_000):
        (tmp_path / "many" / f"file{number}").touch()
    check_refused("list", sorted(tmp_path.iterdir()))


# The index of a checkpoint of the notebook


def varint(value):
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def masked_crc(content):
    """As the definition of CRC-32C has it, bit by bit."""
    crc = 0xffffffff
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def block(items):
    """Return a block of items (bytes shared with the name before, the others, value), its restarts and its trailer."""
    content = b"".join(varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value
                       for shared, rest, value in items) + bytes(4) + (1).to_bytes(4, "little")
    return content + b"\0" + masked_crc(content + b"\0").to_bytes(4, "little")


def table(items, times=1):
    """Return an index with one block of items, which is listed a number of times."""
    data = block(items)
    place = varint(0) + varint(len(data) - 5)
    index = block([(0, b"z", place)] * times)
    places = bytes(2) + varint(len(data)) + varint(len(index) - 5)
    return data + index + places.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def entry(shape, size, offset=0, dtype=1, crc=0):
    axes = b"".join(b"\x12" + varint(len(axis)) + axis for axis in (b"\x08" + varint(length) for length in shape))
    fields = b"\x08" + varint(dtype) + b"\x12" + varint(len(axes)) + axes
    return fields + b"\x20" + varint(offset) + b"\x28" + varint(size) + b"\x35" + crc.to_bytes(4, "little")


KERNEL, SOFTMAX = b"rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel", b"softmax/Variable"
DATA = bytes(100_000)
MANY = [(0, b"rnn/%05d" % number, entry([25_000], len(DATA), crc=crc))
        for crc in [masked_crc(DATA)] for number in range(3000)]


def test_indexes(tmp_path):
    huge = [(0, KERNEL, entry(shape, size)) for shape, size in (
        ([1 << 40], 1 << 42), ([1 << 31] * 2, 0), ([1] * 5000, 4), ([1 << 62] * 300, 8), ([250], 1 << 62), ([], 4))]
    tables = [table([each]) for each in huge] + [table(MANY)]  # all tensors in the same bytes
    tables += [table(MANY[:300], times=3000)]
    tables += [table([(0, b"n" * length, b""), *((length, b"%d" % number, b"") for number in range(6000))])
               for length in (295, 20_000)]
    tables += [table(items) for items in (
        [(1 << 60, b"n", b"")], [(0, b"", b"x" * 9)] * 5000, [(0, SOFTMAX, b"\x0a" + varint(1 << 60))])]
    tables += [table([(0, SOFTMAX, value * 9999)]) for value in (b"\x12\x00", b"\xff", b"\x08\x01", b"\x0b")]
    good = table(MANY[:3])
    tables += [good[:-60] + bytes(12) + good[-48:], good[-48:], good[8:], bytes(99) + good[-8:], b"", good * 2]
    for number, content in enumerate(tables):
        (tmp_path / f"i{number + 1}_l5.ckpt.index").write_bytes(content)
        (tmp_path / f"i{number + 1}_l5.ckpt.data-00000-of-00001").write_bytes(DATA)
    check_refused("index", sorted(path.with_suffix("") for path in tmp_path.glob("*.index")))


# Records


def test_records(run_copy, tmp_path):
    path = run_copy / f"{NEWEST}.json"
    text, whole = path.read_text(encoding="utf-8"), record.read_signed(path)
    run, hyper = whole["run"], whole["run"]["hyperparameters"]

    def changed(**values):
        return signed({**whole, "run": {**run, **values}})

    contents = [text.replace('"seed": 7', f'"seed": {number}').encode() for number in (
        "1" * 1_000_000, "-" + "1" * 1_000_000, "1" * 500_000 + "." + "1" * 500_000, "1e" + "9" * 999_999, "[" * 99_999,
        "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" + "[]," * 30_000 + "[]]",
        '"' + "\\u0000" * 99_999 + '"')]
    contents += [changed(hyperparameters={**hyper, name: value}) for name, value in (
        ("val_fraction", "0.5"), ("val_fraction", [0.5]), ("val_fraction", 1e308), ("val_fraction", -1.0),
        ("val_fraction", 10 ** 4000), ("test_fraction", float("nan")), ("test_fraction", {}))]
    contents += [changed(hyperparameters=list(hyper)), changed(hyperparameters=list(hyper.items())),
                 changed(text={"name": [], "sha256": {}}), changed(best=["a"])]
    contents += [signed({**whole, "files": {**whole["files"], **more}}) for more in (
        {f"/{'./' * number}x": [1, ""] for number in range(300)}, {".npz": [0]}, {".npz": None}, {".x": [0, ""]})]
    folders = []
    for number, content in enumerate(contents):
        folders.append(tmp_path / f"run{number}")
        folders[-1].mkdir()
        for name in (f"{NEWEST}.npz", "text.txt"):
            shutil.copy(str(run_copy / name), str(folders[-1]))
        (folders[-1] / path.name).write_bytes(content)
    check_refused("run", folders)
    (run_copy / f"{NEWEST}.progress.npz").unlink()
    (run_copy / f"{NEWEST}.progress.npz").symlink_to("/dev/zero")
    path.write_bytes(signed({**whole, "files": {**whole["files"], ".progress.npz": [0, sha256(b"").hexdigest()]}}))
    (run_copy / f"{OLDER}.json").unlink()
    assert "it is a device or socket, not a file" in read([("list", run_copy)])[0]


# Models and progress


def compressed(content, method):
    return signed_npz({**MEMBER, "x.npy": content}, method)


def crafted_archives():
    """Return the contents of .npz files whose arrays are damaged or larger than the file."""
    header = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"
    zeros = npy(np.zeros(3 << 20, np.uint8))
    arrays = [header % shape for shape in (
        b"10000000000,", b"4294967296, 4294967296", b"0, 0, 99", b"-1,", b"9" * 99, b"1, " * 33, b"(" * 50, b"")]
    arrays += [each[:8] + len(each[10:]).to_bytes(2, "little") + each[10:] for each in (
        header % (b"9" * 60_000), header % (b"(" * 60_000), header % (b"-" * 60_000 + b"1"))]
    arrays += [b"\x93NUMPY\x02\x00" + (500_000).to_bytes(4, "little") + fill * 500_000 for fill in (b"9", b"(", b"-")]
    arrays += [npy(np.zeros(5, kind)) for kind in ("V0", "O", "f4,f4")]
    found = [signed_npz({**MEMBER, "x.npy": content}) for content in arrays]
    found += [compressed(zeros, method) for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]
    found += [signed_npz({**MEMBER, **{f"{number}.npy": npy(np.zeros(0)) for number in range(1000)}})]
    return found


def test_models(tmp_path):
    cells = {f"{name}": npy(np.zeros(shape, np.float32)) for name, shape in (
        ("softmax/Variable.npy", (1, 2)), ("softmax/Variable_1.npy", (2,)))}
    for kind, shape in (("gru_cell/x", ()), ("basic_lstm_cell/kernel", (2, 4))):
        many = {f"rnn/multi_rnn_cell/cell_{layer}/{kind}.npy": npy(np.zeros(shape, np.float32)) for layer in range(300)}
        cells = {**cells, **many}
        (tmp_path / f"many-{kind[:3]}.npz").write_bytes(signed_npz({**MEMBER, **cells}))
    for number, content in enumerate(crafted_archives()):
        (tmp_path / f"{number}.npz").write_bytes(content)
    check_refused("model", sorted(tmp_path.glob("*.npz")))


def test_progress(tmp_path):
    good = asdict(Progress(7, np.zeros((2, 2, 3, 5), np.float32), np.zeros(2, np.float32)))
    paths = []
    for number, content in enumerate(crafted_archives()):
        paths.append(tmp_path / f"i{number}_l5.ckpt")
        (tmp_path / f"i{number}_l5.ckpt.progress.npz").write_bytes(content)
    for number, write in enumerate((np.savez_compressed, np.savez)):
        buffer = io.BytesIO()
        write(buffer, **{**good, "lstm_state": np.zeros((1000, 1000)), "history": np.array(["x" * number])})
        paths.append(tmp_path / f"i{number}_l6.ckpt")
        (tmp_path / f"{paths[-1].name}.progress.npz").write_bytes(buffer.getvalue()[:-number or None])
    check_refused("progress", paths)


# Texts


def test_texts(tmp_path):
    bomb = gzip.compress(bytes(3 << 20))
    spaced = gzip.compress(b"the cat sat on the mat\n" * 200_000)
    contents = [bomb, bomb * 3, spaced[:-9], bomb[:-9], b"\x1f\x8b", bomb[:10] + b"\xff" * 9999,
                gzip.compress(b""), b"", b"\0" * 9999, b"\xff" * 9999, b"a\0" * 9999, b"\xff\xfe" + b"\xd8" * 9999,
                b"\xff\xfe\0\0" + b"\xff" * 9999, b"ac" * 200_000]
    several = "".join(map(chr, itertools.chain(range(0x3000, 0xd000), range(0x10000, 0x30000))))
    contents += [(several * times).encode() for times in (1, 2)] + [gzip.compress(each) for each in contents[:4]]
    for number, content in enumerate(contents):
        (tmp_path / f"{number:02}").write_bytes(content)
    check_refused("text", sorted(tmp_path.iterdir()))
