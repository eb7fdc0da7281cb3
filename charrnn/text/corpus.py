"""The known texts, and texts in files.

``python -m charrnn.text.corpus NAME [NAME ...]`` prints the name of the first text that is available. Known texts
are downloaded if necessary.
"""
import argparse
import hashlib
import http.client
import os
import sys
import sysconfig
import tokenize
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple

from charrnn import data
from charrnn.data import StrPath
from charrnn.system import console, files


@dataclass(frozen=True)
class KnownText:
    """A text with a known name: its filename, the SHA-256 of its bytes, and the addresses to download it from."""

    filename: str
    sha256: str
    addresses: Tuple[str, ...]


KNOWN_TEXTS = {
    "anna": KnownText(
        "anna.txt", "568bb39fc78aca98e9db91c4329dcd1aa5ec4c3df3aca2064ce5d6f023ae16c9",
        ("https://raw.githubusercontent.com/udacity/deep-learning/master/intro-to-rnns/anna.txt",
         "https://raw.githubusercontent.com/udacity/deep-learning-v2-pytorch/master/"
         "recurrent-neural-networks/char-rnn/data/anna.txt")),
    "tiny-shakespeare": KnownText(
        "tiny-shakespeare.txt", "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",)),
}
PYTHON = "python"  # a known text that needs no download; see python_source
DOWNLOAD_TIMEOUT = 30  # seconds without a response


@dataclass(frozen=True)
class Text:
    """A training text and its source.

    Attributes:
        name: the known name or path that was requested.
        text: the characters, with universal newlines.
        sha256: hexadecimal SHA-256 of the bytes in the file.
        encoding: the encoding of these bytes.
    """

    name: str
    text: str
    sha256: str
    encoding: str


def read(name: StrPath, encoding: str = "utf-8", data_dir: StrPath = "data") -> Text:
    """Read a text by its known name or its path.

    Args:
        name: ``anna``, ``tiny-shakespeare``, ``python``, or a path.
        encoding: the encoding of a file given by its path. The known texts are UTF-8.
        data_dir: the folder of the known texts.

    Raises:
        ValueError: the text is not available or cannot be read.
    """
    if name == PYTHON:
        text = python_source()
        return Text(PYTHON, text, hashlib.sha256(text.encode("utf-8")).hexdigest(), "utf-8")
    content = data.read_bytes(find(name, data_dir))
    encoding = "utf-8" if name in KNOWN_TEXTS else encoding
    text = data.decode_text(content, encoding, str(name))
    return Text(str(name), text, hashlib.sha256(content).hexdigest(), encoding)


def find(name: StrPath, data_dir: StrPath = "data") -> Path:
    """Return the path of a text, after downloading a known text if necessary.

    A known text is looked for in ``data_dir``, then in the folder named by the environment variable CHARRNN_DATA,
    and otherwise downloaded to ``data_dir``. Any other name is returned as a path.

    Args:
        name: ``anna``, ``tiny-shakespeare``, or a path.
        data_dir: the folder of the known texts, created if a download needs it.

    Raises:
        ValueError: the known text is not available, or a file with its name has other content.
    """
    known = KNOWN_TEXTS.get(name) if isinstance(name, str) else None
    if known is None:
        return Path(name)
    for folder in (data_dir, os.environ.get("CHARRNN_DATA") or data_dir):
        path = Path(folder) / known.filename
        if path.is_file():
            if hashlib.sha256(data.read_bytes(path)).hexdigest() != known.sha256:
                raise ValueError(f"{path} is not the known text {name!r}, whose SHA-256 is {known.sha256}: move "
                                 "the file to download the known text, or use the file by giving its path")
            return path
    return _download(str(name), known, Path(data_dir) / known.filename)


def python_source() -> str:
    """Join the top-level ``*.py`` files of the running interpreter's standard library, sorted by name.

    The few files that are not text in the encoding they declare are left out.

    Raises:
        ValueError: this interpreter has no such files.
    """
    sources = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        try:
            with tokenize.open(str(path)) as file:  # uses the encoding that the file declares
                sources.append(file.read())
        except (OSError, SyntaxError, UnicodeError):
            continue
    if not sources:
        raise ValueError("this Python has no source files of its standard library to train on")
    return "".join(sources)


def _download(name: str, known: KnownText, path: Path) -> Path:
    """Download a known text from the first of its addresses that provides it, and return its path."""
    failures = []
    for address in known.addresses:
        try:
            with urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            failures.append(str(getattr(error, "reason", error)))
            continue
        if hashlib.sha256(content).hexdigest() != known.sha256:
            failures.append(f"unexpected content at {address}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, content)
        return path
    reasons = "; ".join(dict.fromkeys(failures))
    raise ValueError(f"the text {name!r} is neither at {path} nor in the folder named by CHARRNN_DATA, and could "
                     f"not be downloaded ({reasons}): save {known.addresses[0]} as {path}, or name another text")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the name of the first available text; return the exit status, 2 if none is available."""
    parser = console.Parser(
        prog="python -m charrnn.text.corpus", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Print the name of the first text that is available. Known texts are downloaded if necessary.")
    parser.add_argument("names", metavar="NAME", nargs="+",
                        help=f"a known text ({', '.join([*KNOWN_TEXTS, PYTHON])}) or a path")
    return console.run_main(_main, parser, argv)


def _main(args: argparse.Namespace) -> None:
    for name, alternative in zip(args.names, args.names[1:] + [None]):
        try:
            read(name)
        except ValueError as error:
            if alternative is None:
                raise
            print(f"{error}; using {alternative!r} instead", file=sys.stderr)
            continue
        print(name)
        return


if __name__ == "__main__":
    sys.exit(main())
