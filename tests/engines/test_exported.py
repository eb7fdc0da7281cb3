"""Exported models: what is in the file, and files that are damaged."""
import io
import json
import os
import re
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from charrnn.engines.exported import checksum, export_npz, is_exported, read_npz
from conftest import CHARS, make_network

from charrnn.checkpoints import CheckpointError, open_checkpoint, read_weights


def test_the_file_has_the_weights_of_the_checkpoint_and_no_pickle(trained, exported):
    weights = read_weights(open_checkpoint(trained).prefix)
    with np.load(str(exported), allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["about", "bias_0", "bias_1", "format", "kernel_0", "kernel_1", "sha256",
                                        "softmax_bias", "softmax_kernel", "vocabulary"]
        assert arrays["format"] == 2
        assert "".join(map(chr, arrays["vocabulary"])) == CHARS
        assert arrays["about"].tobytes().decode().startswith('{"num_layers": 2, "run": {"format": 1, ')
        assert np.array_equal(arrays["softmax_kernel"], weights["softmax/Variable"])
        assert np.array_equal(arrays["softmax_bias"], weights["softmax/Variable_1"])
        for layer, inputs in enumerate([14, 5]):
            scope = f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
            kernel, bias = arrays[f"kernel_{layer}"], arrays[f"bias_{layer}"]
            assert kernel.shape == (inputs + 5, 20) and kernel.dtype == bias.dtype == np.float32
            assert np.array_equal(kernel, weights[f"{scope}/kernel"])
            # the forget gate is the third of i, j, f, o
            assert np.array_equal(bias, weights[f"{scope}/bias"] + np.repeat(np.float32([0, 0, 1, 0]), 5))


def test_the_model_has_what_is_in_the_file(trained, exported):
    model = read_npz(exported)
    assert (model.name, model.skipped) == (str(exported), ())
    assert (model.num_layers, model.lstm_size, model.vocabulary.chars) == (2, 5, tuple(CHARS))
    assert model.run.hyperparameters["lstm_size"] == 5
    assert model.run.text_name == str(trained.parent / "small.txt")
    with np.load(str(exported)) as arrays:
        for layer in range(2):
            assert np.array_equal(model.kernels[layer], arrays[f"kernel_{layer}"])
            assert np.array_equal(model.biases[layer], arrays[f"bias_{layer}"])
        assert np.array_equal(model.softmax_kernel, arrays["softmax_kernel"])
        assert np.array_equal(model.softmax_bias, arrays["softmax_bias"])


def test_a_checkpoint_of_the_notebook_has_no_run(tmp_path):
    export_npz(make_network(tmp_path, CHARS, 3, 1), tmp_path / "m.npz")
    assert read_npz(tmp_path / "m.npz").run is None


def test_an_older_file_is_replaced(trained, exported, tmp_path):
    (tmp_path / "m.npz").write_bytes(b"old")
    export_npz(open_checkpoint(trained), tmp_path / "m.npz")
    assert read_npz(tmp_path / "m.npz").run == read_npz(exported).run


@pytest.mark.parametrize("path, expected", [
    ("m.npz", True), ("folder/m.x.npz", True), ("i9_l5.ckpt.progress.npz", False), ("m.npz.index", False), ("", False)])
def test_exported_models_are_known_by_their_names(path, expected):
    assert is_exported(path) is expected


# ---- damaged files ----------------------------------------------------------------------------------------

def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def signed(members):
    """Return members with the checksum that fits the others, as who crafts a file would, where all can be read."""
    try:
        arrays = {re.sub(r"\.npy$", "", name): np.load(io.BytesIO(data)) for name, data in members}
    except (ValueError, EOFError):
        return members
    right = arrays.pop("sha256", np.zeros(0))
    if right.dtype != np.uint8 or right.shape != (32,):
        return members
    return [(name, npy(checksum(arrays)) if name == "sha256.npy" else data) for name, data in members]


def packed(members, compression=zipfile.ZIP_STORED, sign=True):
    """Return a file of members, with the checksum that fits them if it is to be signed."""
    buffer, members = io.BytesIO(), signed(members) if sign else members
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # duplicate names
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def with_header(header, data=b"", version=b"\x01\x00"):
    """Return a .npy file of any header."""
    header = header.encode("latin-1")
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + length + header + data


def changed(content, name, function, sign=True):
    """Return the file with a member's array replaced by a function of it."""
    return packed([(each, npy(function(np.load(io.BytesIO(data)))) if each == name else data)
                   for each, data in unpacked(content)], sign=sign)


def one_of(random, things):
    return things[random.randint(len(things))]


def a_name(content, random, starts=""):
    return one_of(random, [name for name, _ in unpacked(content) if name.startswith(starts)])


def bytes_flipped(content, random):
    damaged = bytearray(content)
    for _ in range(one_of(random, [1, 1, 1, 5, 100])):
        damaged[random.randint(len(damaged))] ^= 1 << random.randint(8)
    return bytes(damaged)


def bytes_flipped_in_the_directory(content, random):
    """In the directory at the end of the file, which has names, sizes and positions."""
    damaged = bytearray(content)
    start = content.index(b"PK\x01\x02")
    for _ in range(one_of(random, [1, 2, 5])):
        damaged[random.randint(start, len(damaged))] = one_of(random, [0, 1, 127, 128, 255])
    return bytes(damaged)


def cut(content, random):
    start = random.randint(len(content))
    return one_of(random, [content[:start], content[start:], content[:start] + content[start + 7:], b""])


def grown(content, random):
    start = random.randint(len(content))
    return content[:start] + random.bytes(one_of(random, [1, 9, 4000])) + content[start:]


def emptied(content, random):
    name = a_name(content, random)
    return packed([(each, b"" if each == name else data) for each, data in unpacked(content)])


def a_member_missing(content, random):
    name = a_name(content, random)
    return packed([member for member in unpacked(content) if member[0] != name])


def a_member_renamed(content, random):
    name = a_name(content, random)
    other = one_of(random, ["x", "kernel_9.npy", "Kernel_0.npy", "../kernel_0.npy", "b", "a\nb.npy", "\u00e9.npy"])
    return packed([(other if each == name else each, data) for each, data in unpacked(content)])


def a_member_twice(content, random):
    members = unpacked(content)
    return packed(members + [one_of(random, members)])


def two_members_swapped(content, random):
    names, datas = zip(*unpacked(content))
    one, other = names.index("kernel_0.npy"), names.index("kernel_1.npy")
    datas = list(datas)
    datas[one], datas[other] = datas[other], datas[one]
    return packed(list(zip(names, datas)))


def wrong_dtype(content, random):
    kind = one_of(random, ["float64", "float16", "int32", ">f4", "complex64", "bool", "S4", "U2"])
    name = a_name(content, random)
    if np.load(io.BytesIO(dict(unpacked(content))[name])).dtype == kind:
        kind = "float64"
    return changed(content, name, lambda array: array.astype(kind))


def wrong_shape(content, random):
    name = a_name(content, random, one_of(random, ["kernel", "bias", "softmax", "vocabulary", "format"]))
    return changed(content, name, one_of(random, [
        lambda array: array[np.newaxis], lambda array: np.repeat(np.atleast_1d(array), 2, axis=0),
        lambda array: np.zeros((0,) + array.shape[1:], array.dtype), lambda array: np.ravel(array)[:1].reshape(1, 1)]))


def an_array_of_objects(content, random):
    """Unpickling it would run code of the file."""
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("a pickle was run",)

    name, array = a_name(content, random), np.empty(1, object)
    array[0] = Trap()
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return packed([(each, buffer.getvalue() if each == name else data) for each, data in unpacked(content)])


def a_header_that_claims_much(content, random):
    header = "{{'descr': {!r}, 'fortran_order': {}, 'shape': {}}}".format(
        one_of(random, ["<f4", "<u4", "|u1", "<i8", "|O", "<f4,<f4", "V1000000000"]), one_of(random, [True, False, 7]),
        one_of(random, ["(10**9,)", "(1000000000,)", "(100000, 100000)", "(-1,)", "(0, 9999999999)",
                        "(" + "2, " * 60 + ")", "(" + "9" * 3000 + ",)", "(True,)", "(1.5,)", "5", "None", "[3]",
                        "(0,) * 9", "'x'", "()"]))
    name = a_name(content, random, one_of(random, ["kernel", "softmax", "vocabulary", "about"]))
    return packed([(each, with_header(header, data[-40:]) if each == name else data)
                   for each, data in unpacked(content)], sign=False)


def a_header_of_another_kind(content, random):
    header = one_of(random, [
        "", "None", "{}", "[]", "{'descr': '<f4'}", "{[]: 1}", "{{}: 1}", "{1, 2}", "f(", "\x00", "\xff", "'" * 3,
        "__import__('os').abort()", "{'descr': [], 'fortran_order': [], 'shape': []}", "{'shape': 1, 'a': 2, 'b': 3}",
        "{'descr': {}, 'fortran_order': {}, 'shape': ((),)}", "-" * 4000 + "1", "1" * 4090, "{" + "'a': {" * 600,
        "(" * 90 + ")" * 90, "(" * 4000, "[" * 2000 + "]" * 2000, "lambda: 1", "1 if 1 else 2", "b'\\x41'",
        "x" * 70000])
    version = one_of(random, [b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"])
    if len(header) > 65535:
        version = b"\x02\x00"
    name = a_name(content, random)
    return packed([(each, with_header(header, data[80:], version) if each == name else data)
                   for each, data in unpacked(content)], sign=False)


def sizes_in_the_directory(content, random):
    """False sizes and positions in the directory, for one member or for the file."""
    damaged = bytearray(content)
    places = [place for place in range(len(content)) if content.startswith(b"PK\x01\x02", place)]
    fields = [one_of(random, places) + offset for offset in (16, 20, 24, 24, 28, 42)]
    end = content.index(b"PK\x05\x06")
    place = one_of(random, fields + [end + offset for offset in (8, 12, 16)])
    value = one_of(random, [0, 1, 0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, len(content), len(content) + 1])
    damaged[place:place + 4] = struct.pack("<I", value)
    return bytes(damaged)


def compressed(content, random):
    kind = one_of(random, [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    bomb = npy(np.zeros(1 << 21, np.float32))
    return packed(unpacked(content) + [("kernel_2.npy", bomb)], kind, sign=False)


def numbers_that_are_none(content, random):
    value = one_of(random, [np.nan, np.inf, -np.inf, 3e38, -3e38])

    def spoil(array):
        array = array.copy()
        array.flat[random.randint(array.size)] = value
        return array
    return changed(content, a_name(content, random, one_of(random, ["kernel", "bias", "softmax"])), spoil)


def another_record(content, random):
    texts = ["", "{", "nul", "[]", "7", '"x"', "{}", '{"format": 2}', '{"format": 1}', "[" * 5000, "NaN", "\ud800",
             json.dumps({"format": 1, "hyperparameters": 5, "vocabulary": "ab", "text": {}}),
             json.dumps({"format": 1, "hyperparameters": {"a": []}, "vocabulary": "ab", "best": None,
                         "text": {"name": "a", "sha256": "b", "encoding": "c"}})]
    texts += [f'{{"num_layers": 2, "run": {text}}}' for text in texts] + [
        f'{{"num_layers": {number}, "run": null}}' for number in (1, 3, 0, -2, 2.0, True, "null", "[2]", 10 ** 30)]
    record = one_of(random, texts).encode("utf-8", "surrogatepass")
    return changed(content, "about.npy", lambda array: np.frombuffer(record, np.uint8))


def another_vocabulary(content, random):
    return changed(content, "vocabulary.npy", one_of(random, [
        lambda array: array[::-1], lambda array: array + np.uint32(0x110000), lambda array: array * np.uint32(0),
        lambda array: array[:-1], lambda array: np.zeros(0, np.uint32)]))


def another_format(content, random):
    value = one_of(random, [np.int64(0), np.int64(1), np.int64(3), np.int64(-1), np.float32(np.nan), np.array([1, 1])])
    return changed(content, "format.npy", lambda array: value)


# the first ones may change bytes that are not read, and so leave the model as it was; the others must be errors
KINDS = [bytes_flipped, bytes_flipped_in_the_directory, sizes_in_the_directory, cut, grown, a_member_twice,
         emptied, a_member_missing, a_member_renamed, two_members_swapped, wrong_dtype, wrong_shape,
         an_array_of_objects, a_header_that_claims_much, a_header_of_another_kind, compressed,
         numbers_that_are_none, another_record, another_vocabulary, another_format]
HARMLESS = 6


def weights(model):
    return [model.vocabulary.chars, model.run, model.softmax_kernel.tolist(), model.softmax_bias.tolist(),
            [each.tolist() for each in model.kernels + model.biases]]


def check_damaged(path, seed, content, intact):
    """Damage the file as the seed says; check that the error is one line, or that the model is the same."""
    kind = seed % len(KINDS)
    damaged = KINDS[kind](content, np.random.RandomState(seed))
    path.write_bytes(damaged)
    tracemalloc.start()
    try:
        found = weights(read_npz(path))
    except CheckpointError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert kind < HARMLESS and found == intact, KINDS[kind].__name__
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # an entry of the directory may claim a long header; the lists of the comparison are a few hundred kilobytes
    assert peak < 10 * len(damaged) + 1000000, KINDS[kind].__name__


@pytest.fixture(scope="module")
def intact(exported):
    """The bytes of a model, and its weights."""
    return exported.read_bytes(), weights(read_npz(exported))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", range(len(KINDS)), ids=lambda kind: KINDS[kind].__name__)
def test_damaged_files(intact, tmp_path, kind):
    for round_of_all in range(3):
        check_damaged(tmp_path / "damaged.npz", kind + round_of_all * len(KINDS), *intact)


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(len(KINDS)), ids=lambda kind: KINDS[kind].__name__)
def test_many_damaged_files(intact, tmp_path, kind):
    """1,000 of them."""
    for round_of_all in range(1000 // len(KINDS)):
        check_damaged(tmp_path / "damaged.npz", kind + round_of_all * len(KINDS), *intact)


def test_any_flipped_bit_of_the_weights_is_noticed(intact, tmp_path):
    """By the checksum that the zip file has for each member."""
    content, _ = intact
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        places = {info.filename: (info.header_offset, info.file_size) for info in archive.infolist()}
    random, path = np.random.RandomState(4), tmp_path / "flipped.npz"
    for name, (place, size) in sorted(places.items()):
        lengths = struct.unpack("<HH", content[place + 26:place + 30])
        start = place + 30 + sum(lengths)
        for _ in range(10):
            damaged = bytearray(content)
            damaged[start + random.randint(size)] ^= 1 << random.randint(8)
            path.write_bytes(bytes(damaged))
            with pytest.raises(CheckpointError, match=f"Bad CRC-32 for file '{name}'"):
                read_npz(path)


def check_header_bits(content, intact, path, step):
    """Flip every step-th bit of the headers in turn: of the zip file's members, of its directory, of the arrays."""
    data = bytearray(len(content))  # 1 where a byte belongs to an array
    for _, member in unpacked(content):
        array = np.load(io.BytesIO(member)).tobytes()
        start = content.index(member) + len(member) - len(array)
        data[start:start + len(array)] = b"\x01" * len(array)
    bits = [bit for bit in range(8 * len(content)) if not data[bit // 8]]
    for bit in bits[::step]:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        try:
            found = weights(read_npz(path))
        except CheckpointError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert found == intact, f"bit {bit % 8} of byte {bit // 8:,}"
    return len(bits)


def test_a_flipped_bit_of_the_headers_is_refused_or_harmless(intact, tmp_path):
    check_header_bits(*intact, tmp_path / "flipped.npz", 23)


@pytest.mark.slow
def test_every_flipped_bit_of_the_headers_is_refused_or_harmless(intact, tmp_path):
    assert check_header_bits(*intact, tmp_path / "flipped.npz", 1) > 18000


def test_a_layer_that_the_directory_hides_is_noticed(intact, tmp_path):
    """The directory has a bit of a name flipped, or two entries fewer. The rest of the file is a model of one layer."""
    content = intact[0]
    (tmp_path / "m.npz").write_bytes(packed(
        [member for member in unpacked(content) if member[0] not in ("kernel_1.npy", "bias_1.npy")], sign=False))
    with pytest.raises(CheckpointError, match="do not have the SHA-256 that was recorded"):
        read_npz(tmp_path / "m.npz")
    (tmp_path / "m.npz").write_bytes(packed(
        [member for member in unpacked(content) if member[0] not in ("kernel_1.npy", "bias_1.npy")]))
    with pytest.raises(CheckpointError, match="other arrays than a model of 2 layers"):
        read_npz(tmp_path / "m.npz")


@pytest.mark.parametrize("name", ["about", "bias_1", "kernel_0", "softmax_bias", "softmax_kernel", "vocabulary"])
def test_the_checksum_covers_every_array(intact, tmp_path, name):
    def one_bit(array):
        array = array.copy()
        array.view(np.uint8).flat[-1] ^= 1
        return array
    (tmp_path / "m.npz").write_bytes(changed(intact[0], f"{name}.npy", one_bit, sign=False))
    with pytest.raises(CheckpointError, match="do not have the SHA-256 that was recorded"):
        read_npz(tmp_path / "m.npz")


def test_a_model_of_the_format_without_a_checksum_is_refused(intact, tmp_path):
    content = changed(intact[0], "format.npy", lambda array: np.int64(1))
    (tmp_path / "m.npz").write_bytes(packed([each for each in unpacked(content) if each[0] != "sha256.npy"]))
    with pytest.raises(CheckpointError, match="has format 1, and this charrnn reads format 2: export the checkpoint"):
        read_npz(tmp_path / "m.npz")


def test_a_compressed_member_of_the_same_size_is_refused(intact, tmp_path):
    """Its sizes do not show that it is compressed."""
    random = np.random.RandomState(6)
    for _ in range(1000):
        text = random.bytes(random.randint(60, 200)) + bytes(random.randint(40))
        member = zlib.compressobj(9, zlib.DEFLATED, -15)
        if len(member.compress(text) + member.flush()) == len(text):
            break
    (tmp_path / "m.npz").write_bytes(packed([("x.npy", text)], zipfile.ZIP_DEFLATED, sign=False))
    with zipfile.ZipFile(str(tmp_path / "m.npz")) as archive:
        assert archive.infolist()[0].compress_size == archive.infolist()[0].file_size
    with pytest.raises(CheckpointError, match="a member is compressed, or larger than the file"):
        read_npz(tmp_path / "m.npz")


def test_sizes_in_the_directory_are_not_believed(intact, tmp_path):
    """No memory is taken for a member that claims two gigabytes, compressed or not."""
    damaged = bytearray(intact[0])
    place = damaged.index(b"PK\x01\x02")
    damaged[place + 20:place + 28] = struct.pack("<II", 0x7ffffffe, 0x7ffffffe)
    (tmp_path / "m.npz").write_bytes(bytes(damaged))
    with pytest.raises(CheckpointError, match="a member is compressed, or larger than the file"):
        read_npz(tmp_path / "m.npz")


def test_a_duplicate_member_with_other_weights_is_an_error(intact, tmp_path):
    content, _ = intact
    other = changed(content, "softmax_bias.npy", lambda array: array + 1)
    twice = packed(unpacked(content) + [member for member in unpacked(other) if member[0] == "softmax_bias.npy"])
    (tmp_path / "twice.npz").write_bytes(twice)
    with pytest.raises(CheckpointError):
        read_npz(tmp_path / "twice.npz")


@pytest.mark.parametrize("name, message", [
    ("missing.npz", "No such file"), ("folder.npz", "it is a folder, not a file"),
    ("pipe.npz", "it is a FIFO, not a file"), ("a\x00b.npz", "null"),
    ("text.npz", "not a zip")])
def test_other_files_are_an_error(tmp_path, name, message):
    (tmp_path / "folder.npz").mkdir()
    os.mkfifo(str(tmp_path / "pipe.npz"))
    (tmp_path / "text.npz").write_text("the cat", encoding="utf-8")
    with pytest.raises(CheckpointError, match=message) as caught:
        read_npz(tmp_path / name)
    assert str(caught.value).startswith(f"the model {tmp_path / name} cannot be read: ")


@pytest.mark.parametrize("header", ["(" * 2000, "{" + "'a': {" * 600, "{[]: 1}"],
                         ids=["many brackets", "many dicts", "a key that is a list"])
def test_a_process_prints_one_line(intact, tmp_path, header):
    """Python's own parser prints nothing about the header."""
    import subprocess
    import sys

    from conftest import process_environment
    content, _ = intact
    (tmp_path / "m.npz").write_bytes(packed([
        (name, with_header(header) if name == "kernel_0.npy" else data) for name, data in unpacked(content)],
        sign=False))
    done = subprocess.run([sys.executable, "-m", "charrnn.sample", "m.npz"], cwd=str(tmp_path), capture_output=True,
                          env=process_environment(), timeout=600)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"charrnn-sample: error: "), done.stderr
