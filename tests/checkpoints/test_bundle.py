"""The reader of TensorFlow's checkpoint files: TensorFlow's own values, or one error."""
import os
import shutil

import numpy as np
import pytest
from conftest import needs_contrib

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError
from charrnn.checkpoints.bundle import LANE, MOST_DIMENSIONS, Bundle, crc32c
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf

DATA = ".data-00000-of-00001"


def bits_of_crc32c(data):
    """Return the checksum bit by bit, as its definition says."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x82F63B78 * (register & 1)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, LANE - 5, LANE - 4, LANE - 3, LANE + 1, 7 * LANE + 11])
def test_checksums_are_those_of_the_definition(size):
    data = np.random.RandomState(size).bytes(size)
    assert crc32c(data) == bits_of_crc32c(data)


def test_the_published_checksums():
    """Of RFC 3720, appendix B.4."""
    assert [crc32c(data) for data in (bytes(32), b"\xff" * 32, bytes(range(32)), b"123456789")] == [
        0x8A9136AA, 0x62A8AB43, 0x46DD794E, 0xE3069283]


def assert_equals_tensorflow(prefix):
    bundle, reader = Bundle(prefix), tf.train.load_checkpoint(prefix)
    assert {name: list(shape) for name, shape in bundle.shapes.items()} == reader.get_variable_to_shape_map()
    for name in bundle.shapes:
        found, expected = bundle.tensor(name), reader.get_tensor(name)
        assert found.dtype == expected.dtype and found.shape == expected.shape, name
        assert found.tobytes() == expected.tobytes(), name


@pytest.mark.parametrize("cell, options", [
    ("lstm", {"optimizer": "rmsprop", "average_decay": 0.9}),
    *[pytest.param(*each, marks=pytest.mark.slow) for each in (
        ("gru", {}), ("rnn", {"average_decay": 0.5}), ("lstm", {"fused": True}))],
    *[pytest.param(*each, marks=[pytest.mark.slow, needs_contrib]) for each in (
        ("layer-norm-lstm", {"optimizer": "rmsprop"}), ("nas", {}))]])
def test_checkpoints_of_all_networks_are_read_as_tensorflow_reads_them(tmp_path, cell, options):
    CharRNN(7, 2, 3, 5, 4, cell=cell, seed=1, **options)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, str(tmp_path / "i1_l5.ckpt"))
    assert_equals_tensorflow(prefix)


def test_a_checkpoint_of_a_run_is_read_as_tensorflow_reads_it(trained):
    assert_equals_tensorflow(checkpoints.newest_intact(trained)[0])


def test_other_types_in_several_files(tmp_path):
    """Scalars, empty tensors and values of 64 bits, in two data files."""
    values = [np.int64(1 << 40), np.random.RandomState(2).standard_normal((3, 1, 2)), np.zeros((0, 4), np.float32),
              np.arange(5, dtype=np.int32)]
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as session:
        for number, value in enumerate(values):
            with tf.device(f"/cpu:{number % 2}"):
                tf.Variable(value, name=f"v{number}")
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver(sharded=True).save(session, str(tmp_path / "m.ckpt"))
    assert os.path.exists(prefix + ".data-00001-of-00002")
    assert_equals_tensorflow(prefix)


@pytest.fixture
def copy(trained, tmp_path):
    """The prefix of a copy of a checkpoint without its record, to be damaged."""
    prefix = checkpoints.newest_intact(trained)[0]
    for suffix in (".index", DATA):
        shutil.copy(prefix + suffix, str(tmp_path / ("m.ckpt" + suffix)))
    return str(tmp_path / "m.ckpt")


def replace(path, content):
    with open(path, "wb") as file:
        file.write(content)


def refused(prefix):
    """Return the message with which sizes or weights of a checkpoint are refused."""
    with pytest.raises(CheckpointError) as caught:
        checkpoints.weights.network_sizes(prefix)
        checkpoints.read_weights(prefix)
    message = str(caught.value)
    assert message.startswith(f"the checkpoint {prefix} cannot be read: ") and "\n" not in message
    return message


def test_every_truncation_of_an_index_is_refused(copy):
    with open(copy + ".index", "rb") as file:
        content = file.read()
    for size in range(len(content)):
        replace(copy + ".index", content[:size])
        with pytest.raises(ValueError):
            Bundle(copy)
    refused(copy)


def test_flipped_bits_of_an_index_are_refused_or_change_nothing(copy):
    """A bit of every third byte. Only the padding of the footer and an empty block before it are not used."""
    expected = checkpoints.read_weights(copy)
    with open(copy + ".index", "rb") as file:
        content = file.read()
    harmless = 0
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        replace(copy + ".index", changed)
        try:
            found = checkpoints.read_weights(copy)
        except CheckpointError as error:
            assert "cannot be read: " in str(error)
            continue
        harmless += 1
        assert place > len(content) - 100
        assert all(np.array_equal(found[name], value) for name, value in expected.items())
    assert harmless < 20


def test_truncated_and_changed_data_is_refused(copy):
    with open(copy + DATA, "rb") as file:
        content = file.read()
    for size in (0, 1, len(content) // 2):
        replace(copy + DATA, content[:size])
        assert "its data ends before the end of " in refused(copy)
    bundle, random = Bundle(copy), np.random.RandomState(3)
    for name in bundle.shapes:
        entry = bundle._entries[name]
        changed = bytearray(content)
        changed[entry.offset + random.randint(entry.size)] ^= 1 << random.randint(8)
        replace(copy + DATA, changed)
        with pytest.raises(ValueError, match=f"the checksum of {name} is wrong"):
            bundle.tensor(name)


def test_missing_files_and_other_kinds_of_file_are_refused(copy, tmp_path):
    os.remove(copy + DATA)
    assert "No such file" in refused(copy)
    os.mkfifo(str(tmp_path / "pipe"))
    for suffix, other in [(DATA, "/dev/zero"), (DATA, str(tmp_path / "pipe")), (".index", "/dev/zero"),
                          (".index", str(tmp_path / "pipe")), (".index", str(tmp_path / "gone"))]:
        if os.path.lexists(copy + suffix):
            os.remove(copy + suffix)
        os.symlink(other, copy + suffix)
        refused(copy)


# Files that have right checksums, and contents that no checkpoint has


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def item(name, value, shared=0):
    return varint(shared) + varint(len(name)) + varint(len(value)) + name + value


def block(content, kind=0):
    content = content + bytes(4) + b"\x01\0\0\0" + bytes([kind])
    checksum = crc32c(content)
    return content + ((((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little"))


def index_of(*items, kind=0, times=1, further=()):
    """Return an index with one block of items, which is listed a number of times, and a block of further items."""
    data = block(b"".join(items), kind)
    places = [varint(0) + varint(len(data) - 5)] * times
    if further:
        places.append(varint(len(data)) + varint(len(block(b"".join(further))) - 5))
        data += block(b"".join(further))
    listed = block(b"".join(item(bytes([200 + number]), place) for number, place in enumerate(places)))
    footer = varint(0) + varint(0) + varint(len(data)) + varint(len(listed) - 5)
    return data + listed + footer + bytes(40 - len(footer)) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


HEADER = item(b"", b"\x08\x01")
ENTRY = b"\x08\x01\x12\x04\x12\x02\x08\x02\x28\x08"  # float32 [2], 8 bytes at 0


def test_an_index_of_several_blocks(copy):
    replace(copy + ".index", index_of(HEADER, item(b"a", ENTRY), further=[item(b"ab", ENTRY), item(b"c", ENTRY, 1)]))
    assert Bundle(copy).shapes == {"a": (2,), "ab": (2,), "ac": (2,)}
    assert tf.train.load_checkpoint(copy).get_variable_to_shape_map() == {"a": [2], "ab": [2], "ac": [2]}


@pytest.mark.parametrize("content, message", [
    (index_of(HEADER, item(b"softmax/a", ENTRY)), "the checksum of softmax/a is wrong"),
    (index_of(HEADER, item(b"softmax/a", ENTRY), kind=1), "compressed"),
    (index_of(item(b"softmax/a", ENTRY)), "no header"),
    (index_of(item(b"", b"\x08\x01\x10\x01")), "big-endian"),
    (index_of(HEADER, item(b"softmax/b", ENTRY), item(b"softmax/a", ENTRY)), "not in order"),
    (index_of(HEADER, item(b"softmax/a", ENTRY), times=2), "not in order"),
    (index_of(HEADER, item(b"softmax/a", ENTRY), item(b"b", ENTRY, shared=10)), "longer than it can be"),
    (index_of(HEADER, item(b"s" * 1001, ENTRY)), "longer than it can be"),
    (index_of(HEADER, item(b"softmax/a", ENTRY)[:-1]), "longer than it can be"),
    (index_of(HEADER, item(b"softmax/a", ENTRY[:-1])), "does not end"),
    (index_of(HEADER, item(b"softmax/a", b"\x12\x09\x12")), "damaged"),
    (index_of(HEADER, item(b"softmax/a", b"\x13")), "damaged"),
    (index_of(HEADER, item(b"softmax/a", b"\x10\x05")), "damaged"),
    (index_of(HEADER, item(b"softmax/a", ENTRY + b"\x3a\x00")), "several slices"),
    (index_of(HEADER, item(b"softmax/a", ENTRY + b"\x12\x02\x12\x00" * MOST_DIMENSIONS)), "9 dimensions"),
    (index_of(HEADER, item(b"softmax/a", ENTRY[:-1] + b"\x09")), "the entry softmax/a of its index is invalid"),
    (index_of(HEADER, item(b"softmax/a", b"\x08\x07" + ENTRY[2:])), "the entry softmax/a of its index is invalid"),
    (index_of(HEADER, item(b"softmax/a", ENTRY + b"\x18\x01")), "the entry softmax/a of its index is invalid"),
    (index_of(HEADER, item(b"softmax/a", ENTRY + b"\x20\xff\xff\xff\xff\xff\xff\xff\xff\x7f")), "its data ends before"),
    (index_of(HEADER, item(b"softmax/\xff", ENTRY)), "decode"),
    (b"\x80" * 40 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "does not end"),
    (bytes(1 << 21), "its index has 2,097,152 bytes")],
    ids=lambda value: value if isinstance(value, str) else "index")
def test_crafted_files_are_refused(copy, content, message):
    replace(copy + ".index", content)
    with pytest.raises(CheckpointError, match=f"cannot be read: .*{message}"):
        checkpoints.read_weights(copy)
