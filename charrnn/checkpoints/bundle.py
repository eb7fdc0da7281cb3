"""Read TensorFlow's checkpoint files without TensorFlow. NumPy only.

TensorFlow's own reader can crash on damaged files. This one raises ValueError: no size in a file is trusted, and all
that is used has a checksum, CRC-32C in the masked form of LevelDB.

A checkpoint has an index and data files. The index is a table as LevelDB writes it, from names to entries:

- At its end are 48 bytes: the places of two blocks, of which the second lists the blocks of the table, then zeros and
  a magic number. A place is two varints, offset and size.
- After each block come a byte, 0 for no compression, and the checksum of both.
- A block has items, then the places where a name is written in full, 4 bytes each, and their number. An item is three
  varints (bytes of the name shared with the one before, further bytes, bytes of the value), then the further bytes
  and the value.
- An entry is a message of protocol buffers, ``BundleEntryProto``; that of the name "" is a ``BundleHeaderProto``.

Sources: tensorflow/core/util/tensor_bundle, tensorflow/core/protobuf/tensor_bundle.proto, LevelDB's table_format.md.
"""
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, Tuple, Union

import numpy as np

from charrnn.system import files

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes
LARGEST_INDEX = 1 << 20  # bytes; those of this network have one or two thousand
LONGEST_NAME = 1000  # bytes
MOST_DIMENSIONS = 8  # of a tensor
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}  # of tensorflow/core/framework/types.proto
LANE = 512  # bytes, a power of two; the checksums of all lanes of a tensor are computed side by side
POLYNOMIAL = 0x82F63B78  # of CRC-32C, its bits reversed
ALL_ONES = b"\x54\x64\x1f\x64"  # the bytes after which a register of zeros has all bits set, as it has at the start

_Message = Dict[int, List[Union[int, bytes]]]  # the values of each field


class _Entry(NamedTuple):
    """Where a tensor is stored."""

    dtype: int
    shape: Tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


class Bundle:
    """A checkpoint of which tensors are read.

    Attributes:
        shapes: the shape of each tensor by its name, in the order of the index.
    """

    def __init__(self, prefix: str) -> None:
        """Read the index of a checkpoint.

        Raises:
            ValueError: the index is damaged, or has something that this reader does not know.
            OSError: it cannot be read.
        """
        self._prefix = prefix
        files.check_regular(prefix + ".index")
        with open(prefix + ".index", "rb") as file:
            size = _size(file)
            if size > LARGEST_INDEX:
                raise ValueError(f"its index has {size:,} bytes")
            entries = dict(_table(file.read(size)))
        header = _message(entries.pop(b"", b""))
        self._shards = _number(header, 1)
        if self._shards < 1 or _number(header, 2):
            raise ValueError("its index has no header, or is big-endian")
        self._entries = {name.decode(): _entry(value) for name, value in entries.items()}
        self.shapes = {name: entry.shape for name, entry in self._entries.items()}

    def tensor(self, name: str) -> np.ndarray:
        """Read a tensor.

        Raises:
            ValueError: it is damaged, or has a type that this reader does not know.
            OSError: it cannot be read.
            KeyError: there is no such tensor.
        """
        entry = self._entries[name]
        dtype = np.dtype(TYPES.get(entry.dtype, "V0"))
        count = 1
        for side in entry.shape:  # Python's numbers do not overflow
            count *= side
        if not dtype.itemsize or entry.size != count * dtype.itemsize or entry.shard >= self._shards:
            raise ValueError(f"the entry {name} of its index is invalid")
        path = f"{self._prefix}.data-{entry.shard:05d}-of-{self._shards:05d}"
        files.check_regular(path)
        with open(path, "rb") as file:
            if entry.offset + entry.size > _size(file):
                raise ValueError(f"its data ends before the end of {name}")
            file.seek(entry.offset)
            data = file.read(entry.size)
        if _masked_checksum(data) != entry.checksum:
            raise ValueError(f"the checksum of {name} is wrong")
        return np.frombuffer(data, dtype).reshape(entry.shape)


def _size(file: BinaryIO) -> int:
    """Return the size of an open file; raise ValueError for pipes and devices."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{Path(file.name).name} is not a regular file")
    return status.st_size


def _table(content: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yield the names and values of a table in its order."""
    if len(content) < FOOTER or int.from_bytes(content[-8:], "little") != MAGIC:
        raise ValueError("its index does not end with the magic number of a table")
    body, footer = content[:-FOOTER], content[-FOOTER:]
    _, _, at = _place(footer, 0)
    offset, size, _ = _place(footer, at)
    last = None
    for _, place in _items(_block(body, offset, size)):
        offset, size, _ = _place(place, 0)
        for name, value in _items(_block(body, offset, size)):
            if last is not None and name <= last:
                raise ValueError("the names in its index are not in order")
            last = name
            yield name, value


def _block(body: bytes, offset: int, size: int) -> bytes:
    """Return the content of a block, after a check of its checksum."""
    block = body[offset:offset + size + 5]
    if len(block) != size + 5 or _masked_checksum(block[:-4]) != int.from_bytes(block[-4:], "little"):
        raise ValueError("a checksum of its index is wrong")
    if block[-5]:
        raise ValueError("its index is compressed")
    return block[:-5]


def _items(block: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yield the names and values of a block."""
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if len(block) < 4 or end < 0:
        raise ValueError("a block of its index is too short")
    at, name = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        further, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(name) or shared + further > LONGEST_NAME or at + further + length > end:
            raise ValueError("an item of its index is longer than it can be")
        name = name[:shared] + block[at:at + further]
        at += further + length
        yield name, block[at - length:at]


def _place(content: bytes, at: int) -> Tuple[int, int, int]:
    """Return the offset and size of a block, and where their varints end."""
    offset, at = _varint(content, at)
    size, at = _varint(content, at)
    return offset, size, at


def _varint(content: bytes, at: int) -> Tuple[int, int]:
    """Return a varint, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(content):
            break
        value |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return value, at
    raise ValueError("a number in its index does not end")


def _message(content: bytes) -> _Message:
    """Return the fields of a message of protocol buffers."""
    fields: _Message = {}
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        value: Union[int, bytes]
        if key & 7 == 0:
            value, at = _varint(content, at)
        else:
            length = {1: 8, 5: 4}.get(key & 7)
            if key & 7 == 2:
                length, at = _varint(content, at)
            if length is None or at + length > len(content):
                raise ValueError("a message in its index is damaged")
            value, at = content[at:at + length], at + length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _number(message: _Message, field: int) -> int:
    """Return the number in a field, or 0 if there is none."""
    value = message.get(field, [0])[-1]
    return value if isinstance(value, int) else int.from_bytes(value, "little")


def _messages(message: _Message, field: int) -> Iterator[_Message]:
    """Yield the messages in a field."""
    for value in message.get(field, []):
        if isinstance(value, int):
            raise ValueError("a message in its index is damaged")
        yield _message(value)


def _entry(content: bytes) -> _Entry:
    """Return the place of a tensor from its message."""
    entry = _message(content)
    if 7 in entry:
        raise ValueError("it has a variable in several slices")
    shape = tuple(_number(side, 1) for dims in _messages(entry, 2) for side in _messages(dims, 2))
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"it has a variable of {len(shape)} dimensions")
    return _Entry(_number(entry, 1), shape, *(_number(entry, field) for field in (3, 4, 5, 6)))


def _masked_checksum(data: bytes) -> int:
    """Return the checksum of bytes as it is stored."""
    checksum = crc32c(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes.

    They are cut in lanes, whose registers are computed together. A register after two lanes is the exclusive or of
    that of the first, followed by zeros, and that of the second, because it is linear in the bits of the data. Zeros
    before the data do not change it.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    n_lanes = 1
    while n_lanes * LANE < len(data) + len(ALL_ONES):
        n_lanes *= 2
    padded = np.zeros(n_lanes * LANE, np.uint8)
    padded[len(padded) - len(data) - len(ALL_ONES):] = np.frombuffer(ALL_ONES + data, np.uint8)
    registers = _read(np.zeros(n_lanes, np.uint32), padded.view("<u2").reshape(n_lanes, -1).T)
    zeros = _lane_of_zeros()
    while len(registers) > 1:
        registers = _followed(registers[::2], zeros) ^ registers[1::2]
        zeros = _followed(zeros, zeros)
    return int(registers[0]) ^ 0xFFFFFFFF


def _read(registers: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return the registers [n] after each has read its words of two bytes, [steps, n]."""
    table = _words_table()
    for word in np.ascontiguousarray(words):
        registers = registers >> np.uint32(16) ^ table[(registers ^ word) & np.uint32(0xFFFF)]
    return registers


def _followed(registers: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    """Return registers after zeros, given what the zeros turn each single bit of a register into, [32]."""
    after = np.zeros_like(registers)
    for bit, value in enumerate(zeros):
        after ^= (registers >> np.uint32(bit) & np.uint32(1)) * value
    return after


@lru_cache(maxsize=None)
def _lane_of_zeros() -> np.ndarray:
    """Return what a lane of zeros turns each single bit of a register into, uint32 [32]."""
    return _read(np.uint32(1) << np.arange(32, dtype=np.uint32), np.zeros((LANE // 2, 32), np.uint16))


@lru_cache(maxsize=None)
def _words_table() -> np.ndarray:
    """Return what a register of 16 bits, the others 0, becomes after two bytes of zeros, uint32 [65536]."""
    table = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        table = table >> np.uint32(1) ^ (table & np.uint32(1)) * np.uint32(POLYNOMIAL)
    return table
