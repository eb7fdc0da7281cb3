"""The known texts: finding or fetching them, and knowing them by their SHA-256.

``python -m charrnn.text.corpus NAME [NAME ...]`` prints the first of the known texts that can be had, after
fetching it if need be.
"""
import argparse
import hashlib
import http.client
import os
import sys
import sysconfig
import tokenize
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from charrnn import data
from charrnn.system import console, files


@dataclass(frozen=True)
class KnownText:
    """A text that is known by name: where it can be had, and the SHA-256 of its bytes."""

    filename: str
    sha256: str
    addresses: tuple


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
PYTHON = "python"  # the known text that every machine has; see python_source
DOWNLOAD_TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class Text:
    """A training text and where it came from.

    Attributes:
        name: the known name or the path that was asked for.
        text: the characters, with universal newlines.
        sha256: hexadecimal SHA-256 of the bytes it was read from.
        encoding: the encoding of those bytes.
    """

    name: str
    text: str
    sha256: str
    encoding: str


def read(name, encoding="utf-8", data_dir="data"):
    """Read a text by its known name or its path.

    Args:
        name: ``anna``, ``tiny-shakespeare``, ``python``, or a path.
        encoding: of the bytes of a path; the known texts are UTF-8.
        data_dir: the folder of the known texts.

    Returns:
        A Text.

    Raises:
        ValueError: it cannot be had or read; the message says what to do.
    """
    if name == PYTHON:
        text = python_source()
        return Text(name, text, hashlib.sha256(text.encode("utf-8")).hexdigest(), "utf-8")
    content = data.read_bytes(find(name, data_dir))
    encoding = "utf-8" if name in KNOWN_TEXTS else encoding
    text = data.decode_text(content, encoding, name)
    return Text(str(name), text, hashlib.sha256(content).hexdigest(), encoding)


def find(name, data_dir="data"):
    """Return the path of a text: a known one is looked for, then downloaded; any other name is a path.

    A known text is looked for in ``data_dir``, then in the folder that the environment variable
    CHARRNN_DATA names, then downloaded from its public addresses into ``data_dir``.

    Args:
        name: ``anna``, ``tiny-shakespeare``, or a path.
        data_dir: the folder of the known texts, made when a download needs it.

    Returns:
        A pathlib.Path.

    Raises:
        ValueError: the known text can be had nowhere, or a file with its name has other bytes.
    """
    if name not in KNOWN_TEXTS:
        return Path(name)
    known = KNOWN_TEXTS[name]
    folders = [Path(data_dir)] + [Path(folder) for folder in [os.environ.get("CHARRNN_DATA")] if folder]
    for folder in folders:
        path = folder / known.filename
        if path.is_file():
            if hashlib.sha256(data.read_bytes(path)).hexdigest() != known.sha256:
                raise ValueError(
                    "{} is not the known text {!r}, whose SHA-256 is {}: move it away to have the known "
                    "one, or name it by its path to use it as it is".format(path, name, known.sha256))
            return path
    return _download(name, known, Path(data_dir) / known.filename)


def python_source():
    """Join the top-level ``*.py`` files of the running interpreter's standard library, sorted by name.

    Returns:
        The text, a str, without the few files that are not text in the encoding they declare.

    Raises:
        ValueError: this interpreter has no such files.
    """
    sources = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        try:
            with tokenize.open(str(path)) as file:  # heeds the encoding that the file declares
                sources.append(file.read())
        except (OSError, SyntaxError, UnicodeError):
            continue
    if not sources:
        raise ValueError("this Python has no source of its standard library to train on")
    return "".join(sources)


def _download(name, known, path):
    """Fetch a known text from the first of its addresses that has it, and return its path."""
    failures = []
    for address in known.addresses:
        try:
            with urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            failures.append(str(getattr(error, "reason", error)))
            continue
        if hashlib.sha256(content).hexdigest() != known.sha256:
            failures.append("other bytes than expected at " + address)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, content)
        return path
    raise ValueError(
        "the text {!r} can be had nowhere: not at {}, not in the folder that CHARRNN_DATA names, not by download "
        "({}); fetch {} yourself and put it there, or name another text".format(
            name, path, "; ".join(dict.fromkeys(failures)), known.addresses[0]))


def main(argv=None):
    """Print the first of the named known texts that can be had; return 2 where none can."""
    parser = console.Parser(
        prog="python -m charrnn.text.corpus", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Find or fetch the known texts, and print the name of the first that can be had.")
    parser.add_argument("names", metavar="NAME", nargs="+",
                        help="a known text ({}) or a path".format(", ".join([*KNOWN_TEXTS, PYTHON])))
    return console.run_main(_main, parser, argv)


def _main(args):
    for name, instead in zip(args.names, args.names[1:] + [None]):
        try:
            read(name)
        except ValueError as error:
            if instead is None:
                raise
            print("{}; going on with {!r} instead".format(error, instead), file=sys.stderr)
            continue
        print(name)
        return 0


# transition
Text._replace = KnownText._replace = replace


if __name__ == "__main__":
    sys.exit(main())
