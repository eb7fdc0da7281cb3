"""Files as text: compressed files, byte order marks, and files that are not text."""
import codecs
import gzip
import io
import os
import re
import sys
import zlib
from pathlib import Path
from typing import List

from charrnn import data
from charrnn.data import StrPath
from charrnn.system import machine
from charrnn.system.files import RUN_FILE

BYTE_ORDER_MARKS = (  # UTF-32 first, because its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LARGEST = int(min(machine.total_memory() / 16, sys.maxsize - 1))  # bytes of a text, which a gzip file can hide
PREFIX = 1 << 16  # bytes at the start of a file that are searched for null bytes


def read_document(path: StrPath, encoding: str = "utf-8") -> str:
    """Read a text file, compressed with gzip or not.

    Args:
        path: path of the file.
        encoding: encoding of a file without a byte order mark.

    Returns:
        The text, with universal newlines.

    Raises:
        ValueError: the file cannot be read, is empty or not text, or has another encoding.
    """
    content = data.read_bytes(path, LARGEST + 1)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as file:
                content = data.read_at_most(file, LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}")
    return decode_document(content, encoding, str(path))


def decode_document(content: bytes, encoding: str, name: str) -> str:
    """Decode the bytes of a text file; see :func:`read_document`."""
    if len(content) > LARGEST:
        raise ValueError(f"{name} is larger than {LARGEST // 10 ** 6:,} MB, a sixteenth of this machine's memory, "
                         "and training takes several times the size of a text")
    encoding = next((found for mark, found in BYTE_ORDER_MARKS if content.startswith(mark)), encoding)
    if b"\x00" in content[:PREFIX] and not re.match("utf.?(16|32)", encoding.lower()):
        raise ValueError(f"{name} is a binary file, or UTF-16 text that needs the encoding utf-16-le")
    return data.decode_text(content, encoding, name)


def find_documents(folder: StrPath, skipped: List[str]) -> List[Path]:
    """Return the files in a folder and its subfolders, sorted by path, without hidden files and run folders.

    Args:
        folder: the folder.
        skipped: a list, to which a line is added for each folder that cannot be read.
    """
    found = []
    for place, folders, names in os.walk(str(folder), onerror=lambda error: skipped.append(
            f"cannot read the folder {error.filename!r}: {error.strerror}")):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if RUN_FILE in names:
            folders[:], names = [], []
        found += [Path(place) / name for name in names if not name.startswith(".")]
    return sorted(path for path in found if os.path.isfile(str(path)))
