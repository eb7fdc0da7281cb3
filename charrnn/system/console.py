"""Shared parts of the scripts: argument parsing, errors, exit statuses, standard input and TensorFlow's output."""
import argparse
import logging
import os
import sys
from typing import Callable, Iterable, NoReturn, Optional, Sequence


class Parser(argparse.ArgumentParser):
    """An argument parser that raises ValueError instead of exiting, so that all errors are reported alike."""

    def error(self, message: str) -> NoReturn:
        """Raise ValueError with the message and a reference to ``--help``."""
        raise ValueError(f"{message} (see {self.prog} --help)")


def run_main(body: Callable[[argparse.Namespace], Optional[int]], parser: Parser,
             argv: Optional[Sequence[str]] = None) -> int:
    """Parse the arguments of a script, run its body and return its exit status.

    Args:
        body: function of the parsed arguments that returns the exit status, or None for 0.
        parser: the script's Parser.
        argv: the arguments, or None for those of the process.

    Returns:
        The status that the body returns. 2, after one line on standard error, for invalid input (ValueError), a
        system error (OSError), or if TensorFlow is needed but not installed. 130 after Ctrl-C. 141 (128 + SIGPIPE)
        if the reader of standard output has closed it.
    """
    for name, mode in [("stdin", "r"), ("stdout", "w"), ("stderr", "w")]:
        if getattr(sys, name) is None:  # the process was started without this stream
            setattr(sys, name, open(os.devnull, mode))
    if hasattr(sys.stdout, "reconfigure"):
        # UTF-8 in any locale; characters that UTF-8 cannot encode are escaped instead of raising an error
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        args = parser.parse_args(argv)
        quiet_tensorflow()
        status = body(args) or 0
        sys.stdout.flush()  # raises BrokenPipeError here rather than at exit
        return status
    except BrokenPipeError:
        drop_output()
        return 141
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("tensorflow", "tqdm"):
            raise
        print(f"{parser.prog}: error: this needs TensorFlow 1.15, which is not installed here and has no wheel "
              "for Python 3.8 or newer: use Python 3.7, as the README describes. Exported models (.npz) work "
              "without TensorFlow in charrnn-sample, charrnn-evaluate and charrnn-score", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130


def drop_output() -> None:
    """Discard all further standard output, after its reader has closed it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_standard_input() -> str:
    """Read standard input as UTF-8 text with universal newlines.

    Raises:
        ValueError: it is not UTF-8.
    """
    try:
        content = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeError as error:
        raise ValueError(f"standard input is not UTF-8 text ({error})")
    return content.replace("\r\n", "\n").replace("\r", "\n")


def print_skipped(lines: Iterable[str]) -> None:
    """Print on standard error why checkpoints were skipped."""
    for line in lines:
        print(f"skipped: {line}", file=sys.stderr)


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's own log messages, but no warnings of other code. Call it before importing TensorFlow.

    Messages of the C++ runtime (processor features, the search for a GPU) are disabled unless TF_CPP_MIN_LOG_LEVEL
    is set. Of the Python messages only those about deprecated functions are suppressed, which every TensorFlow 1.x
    program causes.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logger = logging.getLogger("tensorflow")
    if _drop_deprecations not in logger.filters:
        logger.addFilter(_drop_deprecations)


def _drop_deprecations(record: logging.LogRecord) -> bool:
    return "is deprecated" not in record.getMessage()
