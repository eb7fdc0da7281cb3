"""Reading what TensorFlow's Saver has written, without TensorFlow. Time and memory are in proportion to the files.

TensorFlow calls the index and the data file of a checkpoint a tensor bundle. The index is a table of LevelDB: blocks of
sorted items, a block that lists these blocks, and a footer. An item is the name of a tensor and a protocol buffer with
its type, its shape and its place in the data file. Every block and every tensor has a CRC-32C.

Source: TensorFlow, ``core/util/tensor_bundle``, ``core/protobuf/tensor_bundle.proto`` and ``core/lib/io/format.cc``.
"""
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from charrnn.system import files

INDEX, DATA = ".index", ".data-00000-of-00001"  # suffixes of the two files
LONGEST_NAME = 300  # bytes; a small index can contain many long names, because names share their beginnings in it
_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48  # bytes
_FLOAT = 1  # float32


class Entry(NamedTuple):
    """An entry of the index: the number of a tensor's type, its shape, its place in the data file and its CRC."""

    dtype: int
    shape: Tuple[int, ...]
    offset: int
    size: int
    crc: int


def read_index(prefix: str) -> Dict[str, Entry]:
    """Read the index of a checkpoint: a dict from the name of each tensor to its Entry.

    Raises:
        OSError: it cannot be read.
        Exception: it is damaged. The exception can be of any kind.
    """
    index = files.read(prefix + INDEX)
    if index[-len(_MAGIC):] != _MAGIC:
        raise ValueError("its index is damaged, or was not written by TensorFlow")
    *_, offset, size = _varints(index[-_FOOTER:], 4)  # the first two are the place of a block that is not used
    found: Dict[str, Entry] = {}
    end = 0
    for _, place in _items(_block(index, offset, size)):
        offset, size = _varints(place, 2)
        if offset < end:
            raise ValueError("the blocks of its index overlap")
        end = offset + size
        found.update((name.decode(), _entry(value)) for name, value in _items(_block(index, offset, size)) if name)
    return found


def read_tensors(prefix: str, entries: Dict[str, Entry]) -> Iterator[np.ndarray]:
    """Yield the values of tensors, float32.

    Args:
        prefix: the prefix of the checkpoint.
        entries: the entries of these tensors, by name.

    Raises:
        OSError: the data file cannot be read.
        Exception: it is damaged, or a tensor has another type. The exception can be of any kind.
    """
    data = files.read(prefix + DATA)
    if sum(entry.size for entry in entries.values()) > len(data):
        raise ValueError("its data file is shorter than its index says")
    for name, entry in entries.items():
        content = data[entry.offset:entry.offset + entry.size]
        if entry.dtype != _FLOAT:
            raise ValueError(f"{name} is not float32")
        if _masked_crc(content) != entry.crc:
            raise ValueError(f"{name} has changed since it was saved")
        yield np.frombuffer(content, "<f4").reshape(entry.shape)


def _block(index: bytes, offset: int, size: int) -> bytes:
    """Return a block of the index. After it come a byte for its compression and a CRC of both."""
    end = offset + size
    if _masked_crc(index[offset:end + 1]) != int.from_bytes(index[end + 1:end + 5], "little"):
        raise ValueError("its index is damaged")
    if index[end]:
        raise ValueError("its index is compressed, which TensorFlow does not do")
    return index[offset:end]


def _items(block: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yield the items of a block. Of each name, only what differs from the name before is stored."""
    n_restarts = int.from_bytes(block[-4:], "little")  # places in the block for a faster search
    place, end, name = 0, len(block) - 4 * (n_restarts + 1), b""
    while place < end:
        shared, place = _varint(block, place)
        differing, place = _varint(block, place)
        size, place = _varint(block, place)
        name = name[:shared] + block[place:place + differing]
        if len(name) > LONGEST_NAME:
            raise ValueError(f"a name in its index is longer than {LONGEST_NAME} bytes")
        place += differing
        yield name, block[place:place + size]
        place += size


def _entry(message: bytes) -> Entry:
    fields = dict(_fields(message))
    shape = tuple(dict(_fields(axis)).get(1, 0) for number, axis in _fields(fields.get(2, b"")) if number == 2)
    if fields.get(3) or 7 in fields:
        raise ValueError("its tensors lie in several files or pieces")
    return Entry(fields.get(1, 0), shape, fields.get(4, 0), fields.get(5, 0), fields.get(6, 0))


def _fields(message: bytes) -> Iterator[Tuple[int, Any]]:
    """Yield the numbers and values of the fields of a protocol buffer."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        if tag & 7 == 0:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        size, place = _varint(message, place) if tag & 7 == 2 else (4, place)
        content = message[place:place + size]
        yield tag >> 3, content if tag & 7 == 2 else int.from_bytes(content, "little")
        place += size


def _varints(content: bytes, count: int) -> List[int]:
    """Return the first integers of some bytes, seven bits to a byte."""
    found, place = [], 0
    for _ in range(count):
        value, place = _varint(content, place)
        found.append(value)
    return found


def _varint(content: bytes, place: int) -> Tuple[int, int]:
    """Return the integer at a place, and the place after it."""
    value, shift = 0, 0
    while shift < 64:
        byte = content[place]
        value, shift, place = value | (byte & 127) << shift, shift + 7, place + 1
        if byte < 128:
            return value, place
    raise ValueError("its index is damaged")


_TABLE = np.arange(256, dtype=np.uint32)  # of CRC-32C, with an entry for each byte
for _ in range(8):
    _TABLE = _TABLE >> 1 ^ np.where(_TABLE & 1, np.uint32(0x82f63b78), np.uint32(0))


def _masked_crc(content: bytes) -> int:
    """Return the CRC-32C of some bytes, as TensorFlow stores it.

    The bytes are cut into rows of equal length. The CRCs of the rows are computed side by side, then joined in pairs.
    """
    n_rows = 1 << len(content).bit_length() // 2
    rows = np.zeros((n_rows, -(-len(content) // n_rows)), np.uint8)  # zeros before the content do not matter
    rows.reshape(-1)[rows.size - len(content):] = np.frombuffer(content, np.uint8)
    rows.reshape(-1)[rows.size - len(content):][:4] ^= 255  # as if the CRC began with all bits set
    crcs, shifted = np.zeros(n_rows, np.uint32), np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in np.ascontiguousarray(rows.T):
        crcs = _TABLE[(crcs ^ column) & 255] ^ crcs >> 8
        shifted = _TABLE[shifted & 255] ^ shifted >> 8  # what each bit of a CRC becomes after a row
    while len(crcs) > 1:
        crcs = _after(shifted, crcs[::2]) ^ crcs[1::2]
        shifted = _after(shifted, shifted)
    crc = int(crcs[0]) ^ 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def _after(shifted: np.ndarray, crcs: np.ndarray) -> np.ndarray:
    """Apply a linear map to CRCs, given what it makes of each bit."""
    bits = crcs[:, np.newaxis] >> np.arange(32, dtype=np.uint32) & 1  # [n, 32]
    return np.bitwise_xor.reduce(bits * shifted, axis=1)
