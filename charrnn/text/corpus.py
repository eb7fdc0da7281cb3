"""Where a training text comes from: the known texts, files, perhaps compressed, folders and standard input."""

import codecs
import contextlib
import gzip
import http.client
import io
import os
import re
import sys
import sysconfig
import tokenize
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

from charrnn import data
from charrnn.data import StrPath
from charrnn.system import errors, files, words

# A run folder is recognised by this file. The files in it are no texts.
RUN_FILE = "run.json"


@dataclass(frozen=True)
class KnownText:
    """A text with a known name: its filename, the SHA-256 of its bytes, and the addresses to download it from.

    The last ``after_the_work`` characters are of another kind than all before, which ``kind_after`` names.
    """

    filename: str
    sha256: str
    addresses: Tuple[str, ...]
    after_the_work: int = 0
    kind_after: str = ""


KNOWN_TEXTS = {
    "anna": KnownText(
        filename="anna.txt",
        sha256="568bb39fc78aca98e9db91c4329dcd1aa5ec4c3df3aca2064ce5d6f023ae16c9",
        addresses=(
            "https://raw.githubusercontent.com/udacity/deep-learning/master/intro-to-rnns/anna.txt",
            "https://raw.githubusercontent.com/udacity/deep-learning-v2-pytorch/master/"
            "recurrent-neural-networks/char-rnn/data/anna.txt",
        ),
        after_the_work=19_072,
        kind_after="Project Gutenberg's licence, not the novel",
    ),
    "tiny-shakespeare": KnownText(
        filename="tiny-shakespeare.txt",
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        addresses=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        ),
    ),
}
# the known texts that need no download: names.txt, and python_source()
LIST_OF_NAMES = "names"
PYTHON = "python"
WITHOUT_DOWNLOAD = (LIST_OF_NAMES, PYTHON)
KNOWN_NAMES = (*KNOWN_TEXTS, *WITHOUT_DOWNLOAD)
STANDARD_INPUT = "-"
# seconds without a response
DOWNLOAD_TIMEOUT = 30
# UTF-32 first, because its mark begins with that of UTF-16
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# bytes at the start of a file that are searched for null bytes
SEARCHED_BYTES = 1 << 16


@dataclass(frozen=True)
class Text:
    """A training text and its source.

    Attributes:
        name: the known name or path that was requested, or "standard input"; several are joined with commas.
        text: the characters, with universal newlines.
        skipped: what was left out of folders: a line for each file that is not text, and for each subfolder that cannot
            be read.
        n_files: number of files and other sources in it.
    """

    name: str
    text: str
    skipped: Tuple[str, ...] = ()
    n_files: int = 1


def is_known(name: str) -> bool:
    """Return whether a name is that of a known text, even if there is a file with this name."""
    return name in KNOWN_TEXTS or name in WITHOUT_DOWNLOAD


def read(names: Union[StrPath, Sequence[StrPath]], encoding: str = "utf-8") -> Text:
    """Read a text from one or several sources, with a line end between files.

    Args:
        names: for each source a known name, the path of a text file, which may be compressed with gzip, a folder for
            the text files in it, or ``-`` for standard input.
        encoding: the encoding of files without a byte order mark; in a folder, of those that are not UTF-8. The known
            texts are UTF-8.

    Raises:
        ValueError: a source is not available or not text.
        OSError: a known text was downloaded, but cannot be saved.
    """
    sources = [names] if isinstance(names, (str, Path)) else names
    texts: List[str] = []
    skipped: List[str] = []
    for source in map(str, sources):
        if os.path.isdir(source) and not is_known(source):
            texts += _read_folder(source, encoding, skipped)
        else:
            texts.append(_read_single(source, encoding))

    name = ", ".join(map(_shown_name, sources))
    if not texts:
        reasons = f" ({'; '.join(skipped[:3])})" if skipped else ""
        raise ValueError(f"there is no text file in {name}{reasons}")
    return Text(name, "\n".join(texts), tuple(skipped), len(texts))


def _shown_name(source: StrPath) -> str:
    return "standard input" if str(source) == STANDARD_INPUT else str(source)


def _read_folder(folder: str, encoding: str, skipped: List[str]) -> List[str]:
    """Read the text files of a folder. A line for each other file is added to ``skipped``."""
    texts = []
    for path in list_files(folder, skipped):
        try:
            texts.append(_read_file_of_folder(path, encoding))
        except ValueError as error:
            skipped.append(str(error))
    return texts


def _read_file_of_folder(path: Path, encoding: str) -> str:
    """Read a file as UTF-8, or else in an encoding."""
    # UTF-8 is tried first, since Latin-1 would read any bytes
    with contextlib.suppress(ValueError):
        return read_file(path)
    return read_file(path, encoding)


def _read_single(name: str, encoding: str) -> str:
    """Read a source that is not a folder."""
    if name == PYTHON:
        return python_source()
    if name == STANDARD_INPUT:
        return decode(sys.stdin.buffer.read(), encoding, "standard input")
    if is_known(name):
        return read_file(find(name), "utf-8")
    if not os.path.exists(name):
        raise ValueError(
            f"cannot read the text {name!r}: there is no such file, and the known texts are "
            f"{', '.join(KNOWN_NAMES)}{_did_you_mean(name)}"
        )
    return read_file(name, encoding)


def _did_you_mean(name: str) -> str:
    """Return a question about a mistyped name of a text: the nearest known name, or file of its folder."""
    folder = os.path.dirname(name)
    names = list(KNOWN_NAMES)
    with contextlib.suppress(OSError, ValueError):
        names += [os.path.join(folder, file_name) for file_name in os.listdir(folder or ".")]
    return words.did_you_mean(name, names)


def read_file(path: StrPath, encoding: str = "utf-8", *, largest: int = -1) -> str:
    """Read a text file, compressed with gzip or not.

    Args:
        path: the file.
        encoding: its encoding if it has no byte order mark.
        largest: bytes to unpack at most; -1 for all.

    Returns:
        The text, with universal newlines.

    Raises:
        ValueError: the file cannot be read, is empty or not text, or has another encoding.
    """
    content = data.read_bytes(path)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(largest)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}")
    return decode(content, encoding, str(path))


def decode(content: bytes, encoding: str, name: str) -> str:
    """Decode the bytes of a text file; see :func:`read_file`."""
    for mark, marked_encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            encoding = marked_encoding
            break
    if b"\x00" in content[:SEARCHED_BYTES] and not re.match("utf.?(16|32)", encoding.lower()):
        beginning = "".join(filter(str.isprintable, content[:4].decode("latin-1")))
        raise ValueError(
            f"{name} is not a text file (it begins with {beginning!r}): save it as plain text, in UTF-8"
        )
    return data.decode_text(content, encoding, name)


def list_files(folder: StrPath, skipped: List[str]) -> List[Path]:
    """Return the files in a folder and its subfolders, sorted by path, without hidden files and run folders.

    Of several links to one file, only the first is returned, and links to folders are not followed. For each folder
    that cannot be read, a line is added to ``skipped``.
    """

    def skip(error: OSError) -> None:
        skipped.append(f"cannot read the folder {error.filename!r}: {error.strerror}")

    paths = []
    for place, folders, names in os.walk(str(folder), onerror=skip):
        # a run folder keeps a copy of its text, which would be read again with each run
        if RUN_FILE in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(place) / name for name in names if not name.startswith(".")]

    # The held-out end may be in a copy of a file that is trained on.
    by_real_path: Dict[str, Path] = {}
    for path in sorted(paths):
        if path.is_file():
            by_real_path.setdefault(os.path.realpath(str(path)), path)
    return list(by_real_path.values())


def find(name: str, data_dir: StrPath = "data") -> Path:
    """Return the path of a text, after downloading a known text if necessary.

    A known text is looked for in ``data_dir``, then in the folder named by the environment variable CHARRNN_DATA,
    and otherwise downloaded to ``data_dir``. Any other name is returned as a path.

    Args:
        name: ``anna`` or ``tiny-shakespeare``, ``names``, a file of the package, or a path.
        data_dir: the folder of the known texts, created if a download needs it. The notebooks have another one.

    Raises:
        ValueError: the known text is not available, or a file with its name has other content.
        OSError: it was downloaded, but cannot be saved.
    """
    if name == LIST_OF_NAMES:
        return Path(__file__).with_name("names.txt")
    known = KNOWN_TEXTS.get(name)
    if known is None:
        return Path(name)

    path = at_hand(name, data_dir)
    if path is None:
        return _download(name, known, Path(data_dir) / known.filename)
    if files.sha256(data.read_bytes(path)) != known.sha256:
        raise ValueError(
            f"{path} is not the known text {name!r}, whose SHA-256 is {known.sha256}: move "
            "the file to download the known text, or use the file by giving its path"
        )
    return path


def at_hand(name: str, data_dir: StrPath = "data") -> Optional[Path]:
    """Return where the file of a text that may be downloaded lies; None if it is not there yet."""
    filename = KNOWN_TEXTS[name].filename
    folders = [data_dir]
    if os.environ.get("CHARRNN_DATA"):
        folders.append(os.environ["CHARRNN_DATA"])
    for folder in folders:
        path = Path(folder) / filename
        if path.is_file():
            return path
    return None


def _download(name: str, known: KnownText, path: Path) -> Path:
    """Download a known text from the first of its addresses that provides it, and return its path."""
    failures = []
    for address in known.addresses:
        try:
            with urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            # an error of urllib has its cause as its reason
            cause = getattr(error, "reason", error)
            failures.append(errors.reason(cause))
            continue
        if files.sha256(content) != known.sha256:
            failures.append(f"unexpected content at {address}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, content)
        return path

    reasons = "; ".join(dict.fromkeys(failures))
    raise ValueError(
        f"the text {name!r} is neither at {path} nor in the folder named by CHARRNN_DATA, and could not be downloaded "
        f"({reasons}): save {known.addresses[0]} as {path}, or take a text that needs no network, "
        f"{LIST_OF_NAMES} or {PYTHON}"
    )


def python_source() -> str:
    """Join the top-level ``*.py`` files of the running interpreter's standard library, sorted by name.

    The few files that are not text in the encoding they declare are left out.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    sources = []
    for path in sorted(folder.glob("*.py")):
        with contextlib.suppress(OSError, SyntaxError, UnicodeError):
            with tokenize.open(str(path)) as file:
                sources.append(file.read())
    return "".join(sources)
