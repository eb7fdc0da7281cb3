"""The network in NumPy: the graph's numbers, the same texts, and files that are not what they should be."""
import io
import json
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from conftest import graph_probabilities, make_network

from charrnn.checkpoints import CheckpointError
from charrnn.engines.decoding import softmax
from charrnn.engines.numpy_lstm import FEW_ROWS, NumpyLSTM
from charrnn.engines.sampler import Sampler
from charrnn.export import export_npz

CHARS = "\n ,.acdehmnost"


def both(folder, num_layers, gain=0.6, lstm_size=13):
    """Return a network as a Checkpoint and as an exported model."""
    checkpoint = make_network(folder, CHARS, lstm_size, num_layers, gain=gain)
    export_npz(checkpoint, folder / "model.npz")
    return checkpoint, NumpyLSTM(folder / "model.npz")


# ---- the same numbers -------------------------------------------------------------------------------------

@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_predictions_are_the_graphs_along_ten_thousand_characters(tmp_path, num_layers):
    """Within 1e-5, the state carried from the first to the last."""
    checkpoint, model = both(tmp_path, num_layers)
    assert (model.num_layers, model.lstm_size, model.vocabulary.chars) == (num_layers, 13, tuple(CHARS))
    ids = np.random.RandomState(1).randint(len(CHARS), size=10000)
    expected = graph_probabilities(checkpoint, ids[np.newaxis], 1700)[0]
    assert expected.max(axis=1).std() > 0.02  # they differ from place to place
    state, found = model.zero_state(), []
    for index in ids:
        logits, state = model.read([index], state)
        found.append(softmax(logits)[0])
    assert np.abs(np.array(found) - expected).max() < 1e-5


def test_rows_are_read_side_by_side(tmp_path):
    """Several texts at once end in the logits that each ends in alone, which are the graph's."""
    checkpoint, model = both(tmp_path, 2)
    ids = np.random.RandomState(2).randint(len(CHARS), size=(3, 61))
    expected = graph_probabilities(checkpoint, ids, 25)
    _, together = model.surprises(ids[:, :-2], ids[:, 1:-1], model.zero_state(3))
    nats, _ = model.surprises(ids[:, -2:-1], ids[:, -1:], together)
    for row in range(3):
        logits, state = model.read(ids[row, :-1], model.zero_state())
        assert np.abs(softmax(logits)[0] - expected[row, -2]).max() < 1e-5
        assert nats[row, 0] == pytest.approx(-np.log(softmax(logits)[0, ids[row, -1]]), abs=1e-5)
        logits, _ = model.read(ids[row, -1:], state)
        assert np.abs(softmax(logits)[0] - expected[row, -1]).max() < 1e-5


@pytest.mark.parametrize("rows", [3, FEW_ROWS + 3])
def test_surprises_are_those_of_the_targets(tmp_path, rows):
    checkpoint, model = both(tmp_path, 2)
    ids = np.random.RandomState(3).randint(len(CHARS), size=(rows, 41))
    expected = np.log(graph_probabilities(checkpoint, ids[:, :-1], 40))
    nats, state = model.surprises(ids[:, :17], ids[:, 1:18], model.zero_state(rows))
    rest, _ = model.surprises(ids[:, 17:-1], ids[:, 18:], state)
    found = np.concatenate([nats, rest], axis=1)
    assert found.dtype == np.float32
    assert found == pytest.approx(-np.take_along_axis(expected, ids[:, 1:, np.newaxis], axis=2)[..., 0], abs=2e-5)


@pytest.mark.parametrize("num_layers", [1, 3])
def test_the_same_seed_writes_the_same_text(tmp_path, num_layers):
    texts = []
    for model in both(tmp_path, num_layers):
        sampler = Sampler(model)
        rngs = [np.random.RandomState(9)]
        texts.append("".join(piece for piece, in sampler.generate("the ", 400, 9, rngs=rngs)))
        sampler.close()
    assert texts[0] == texts[1] and len(set(texts[0])) > 5


def test_large_weights_are_no_trouble(tmp_path):
    """Gates that are shut or open altogether, whose exponentials pass the largest float32."""
    _, model = both(tmp_path, 2, gain=200.0)
    logits, state = model.read(range(5), model.zero_state())
    assert np.isfinite(logits).all() and all(np.abs(h).max() <= 1 for _, h in state)
    ids = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 6], [1, 1, 1]])
    nats, _ = model.surprises(ids[:, :-1], ids[:, 1:], model.zero_state(4))
    assert np.isfinite(nats).all() and (nats >= 0).all()


def test_it_says_which_run_it_comes_from(exported, trained, tmp_path):
    model = NumpyLSTM(exported)
    assert (model.name, model.skipped) == (str(exported), ())
    assert model.run.hyperparameters["lstm_size"] == model.lstm_size == 5
    assert model.run.text_name == str(trained.parent / "small.txt")
    _, unnamed = both(tmp_path, 1)
    assert unnamed.run is None


# ---- damaged files ----------------------------------------------------------------------------------------

def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def packed(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # names that are there twice
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


def changed(content, name, function):
    """Return the file with a member's array replaced by a function of it."""
    return packed([(each, npy(function(np.load(io.BytesIO(data)))) if each == name else data)
                   for each, data in unpacked(content)])


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
    """Where names, sizes and places are, at the end of the file."""
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
    """NumPy would unpickle it, which runs whatever the file says."""
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
                   for each, data in unpacked(content)])


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
                   for each, data in unpacked(content)])


def sizes_in_the_directory(content, random):
    """Claims of the zip directory, for one field of one member or of the whole."""
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
    return packed(unpacked(content) + [("kernel_2.npy", bomb)], kind)


def numbers_that_are_none(content, random):
    value = one_of(random, [np.nan, np.inf, -np.inf])

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
    record = one_of(random, texts).encode("utf-8", "surrogatepass")
    return changed(content, "about.npy", lambda array: np.frombuffer(record, np.uint8))


def another_vocabulary(content, random):
    return changed(content, "vocabulary.npy", one_of(random, [
        lambda array: array[::-1], lambda array: array + np.uint32(0x110000), lambda array: array * np.uint32(0),
        lambda array: array[:-1], lambda array: np.zeros(0, np.uint32)]))


def another_format(content, random):
    value = one_of(random, [np.int64(0), np.int64(2), np.int64(-1), np.float32(np.nan), np.array([1, 1])])
    return changed(content, "format.npy", lambda array: value)


# the first may hit what is not read, and leave the model as it was; the others must be refused
KINDS = [bytes_flipped, bytes_flipped_in_the_directory, sizes_in_the_directory, cut, grown, a_member_twice,
         emptied, a_member_missing, a_member_renamed, two_members_swapped, wrong_dtype, wrong_shape,
         an_array_of_objects, a_header_that_claims_much, a_header_of_another_kind, compressed,
         numbers_that_are_none, another_record, another_vocabulary, another_format]
HARMLESS = 6


def weights(model):
    return [model.vocabulary.chars, model.run, model._softmax.tolist(), model._softmax_bias.tolist(),
            [[None if part is None else part.tolist() for part in layer] for layer in model._layers]]


def hold_against(path, seed, content, whole):
    """Damage the file in the seed's way; check that it is refused in a line, or that the model is the same."""
    kind = seed % len(KINDS)
    damaged = KINDS[kind](content, np.random.RandomState(seed))
    path.write_bytes(damaged)
    tracemalloc.start()
    try:
        found = weights(NumpyLSTM(path))
    except CheckpointError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert kind < HARMLESS and found == whole, KINDS[kind].__name__
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # a name of the directory may say that a header is long; the lists of the comparison are a few hundred kilobytes
    assert peak < 10 * len(damaged) + 1000000, KINDS[kind].__name__


@pytest.fixture(scope="module")
def whole(exported):
    """The bytes of a model, and what is in it."""
    return exported.read_bytes(), weights(NumpyLSTM(exported))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", range(len(KINDS)), ids=lambda kind: KINDS[kind].__name__)
def test_damaged_files(whole, tmp_path, kind):
    for round_of_all in range(3):
        hold_against(tmp_path / "damaged.npz", kind + round_of_all * len(KINDS), *whole)


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(len(KINDS)), ids=lambda kind: KINDS[kind].__name__)
def test_many_damaged_files(whole, tmp_path, kind):
    """1,000 of them."""
    for round_of_all in range(1000 // len(KINDS)):
        hold_against(tmp_path / "damaged.npz", kind + round_of_all * len(KINDS), *whole)


def test_any_flipped_bit_of_the_weights_is_noticed(whole, tmp_path):
    """By the checksum that the zip file has of each member."""
    content, _ = whole
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
            with pytest.raises(CheckpointError, match="Bad CRC-32 for file '{}'".format(name)):
                NumpyLSTM(path)


def test_a_member_that_is_there_twice_with_other_weights_is_no_model(whole, tmp_path):
    content, _ = whole
    other = changed(content, "softmax_bias.npy", lambda array: array + 1)
    twice = packed(unpacked(content) + [member for member in unpacked(other) if member[0] == "softmax_bias.npy"])
    (tmp_path / "twice.npz").write_bytes(twice)
    with pytest.raises(CheckpointError):
        NumpyLSTM(tmp_path / "twice.npz")


@pytest.mark.parametrize("name, message", [
    ("missing.npz", "No such file"), ("folder.npz", "Is a directory"), ("a\x00b.npz", "null"),
    ("text.npz", "not a zip")])
def test_what_is_no_file_of_a_model(tmp_path, name, message):
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "text.npz").write_text("the cat", encoding="utf-8")
    with pytest.raises(CheckpointError, match=message) as caught:
        NumpyLSTM(tmp_path / name)
    assert str(caught.value).startswith("the model {} cannot be read: ".format(tmp_path / name))


@pytest.mark.parametrize("header", ["(" * 2000, "{" + "'a': {" * 600, "{[]: 1}"],
                         ids=["many brackets", "many dicts", "a key that is a list"])
def test_a_process_says_one_line(whole, tmp_path, header):
    """And the parser of the interpreter says none of its own."""
    import subprocess
    import sys

    from conftest import process_environment
    content, _ = whole
    (tmp_path / "m.npz").write_bytes(packed([
        (name, with_header(header) if name == "kernel_0.npy" else data) for name, data in unpacked(content)]))
    done = subprocess.run([sys.executable, "-m", "charrnn.sample", "m.npz"], cwd=str(tmp_path), capture_output=True,
                          env=process_environment(), timeout=120)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"charrnn-sample: error: "), done.stderr
