"""What reaches a terminal: texts and notes without control characters, progress bars, and not TensorFlow's messages."""

import contextlib
import logging
import os
import sys
from typing import Iterable, Optional, Sequence, TextIO

# What is shown in place of characters that would control a terminal or change the direction of writing: all control
# characters except line end and tab, ^[ for escape.
_CONTROLS = sorted({*range(32), 127} - {ord("\n"), ord("\t")})
_DIRECTIONS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_VISIBLE = {code: f"^{chr(code ^ 64)}" for code in _CONTROLS}
_VISIBLE.update({code: f"\\x{code:02x}" for code in range(128, 160)})
_VISIBLE.update({code: f"\\u{code:04x}" for code in _DIRECTIONS})


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's own log messages, but no warnings of other code. Call it before TensorFlow is imported.

    Messages of the C++ runtime (processor features, the search for a GPU) are disabled unless TF_CPP_MIN_LOG_LEVEL
    is set. Of the Python messages, only those about deprecated functions are suppressed, because every program for
    TensorFlow 1 causes them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").addFilter(drop_deprecations)


def drop_deprecations(record: logging.LogRecord) -> bool:
    """Return whether a message of TensorFlow is shown: not if it says that a function is deprecated."""
    return "is deprecated" not in record.getMessage()


def drop_output(file: TextIO) -> None:
    """Discard all further output to a file, after its reader has closed it."""
    # It may be no file of the system.
    with contextlib.suppress(AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def print_note(line: str) -> None:
    """Print a line on standard error. It is dropped if it cannot be written, for example on a full disk."""
    with contextlib.suppress(OSError):
        write(f"{line}\n", sys.stderr)


def is_terminal(file: Optional[TextIO]) -> bool:
    """Return whether a stream is a terminal. It may be None, closed, or an object that can only be written to."""
    try:
        return file.isatty()  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        return False


def write(text: str, file: Optional[TextIO]) -> None:
    """Write a text, with its control characters made visible if the file is a terminal.

    Characters that the encoding of the file does not have are escaped. Nothing is done if there is no file.
    """
    if file is None:
        return
    if is_terminal(file):
        text = text.translate(_VISIBLE)
    try:
        file.write(text)
    except UnicodeEncodeError:
        file.write(text.encode(file.encoding, "backslashreplace").decode(file.encoding))
    # Jupyter shows what is written as it comes, and makes an output of its own of what each flush sends.
    if not type(file).__module__.startswith("ipykernel"):
        file.flush()


def bar(windows: Sequence[int]) -> Iterable[int]:
    """Show in a bar how many windows of a text are read, if standard error is a terminal."""
    # not above, because writing needs none
    import tqdm

    return tqdm.tqdm(windows, unit=" windows", leave=False, disable=not is_terminal(sys.stderr))


def print_skipped(lines: Iterable[str]) -> None:
    """Print on standard error why checkpoints, or files of a text, were skipped."""
    for line in lines:
        print_note(f"skipped: {line}")
