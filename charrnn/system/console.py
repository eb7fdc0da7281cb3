"""Shared parts of the scripts: argument parsing, errors, exit statuses and standard input."""
import argparse
import contextlib
import errno
import logging
import os
import re
import shlex
import sys
import textwrap
from numbers import Integral
from typing import Any, Callable, Iterable, Iterator, List, NoReturn, Optional, Sequence, TextIO

from charrnn.system import mpi
from charrnn.system.tensorflow import TensorFlowError

# What is shown in place of characters that would control a terminal or change the direction of writing.
_VISIBLE = {code: f"^{chr(code ^ 64)}" for code in [*range(32), 127] if chr(code) not in "\n\t"}
_VISIBLE.update({code: f"\\x{code:02x}" for code in range(128, 160)})
_VISIBLE.update({code: f"\\u{code:04x}" for code in [*range(0x202a, 0x202f), *range(0x2066, 0x206a)]})
# What an error is about that has no filename.
_WITHOUT_NAME = {**dict.fromkeys((errno.ENOSPC, errno.EBADF, errno.EFBIG), "standard output"),
                 errno.ENOENT: "the working directory"}
MOST_DIGITS = 18  # of an integer in an argument
LISTED = 10  # how many items of a list a message names


class AdvisedError(ValueError):
    """An error whose advice what to do differs between Python and a command.

    Attributes:
        in_command: the message with the words of a command, where those of Python differ.
    """

    def __init__(self, fact: str, in_python: str = "", in_command: str = "") -> None:
        """Join a fact with the advice."""
        super().__init__(f"{fact}: {in_python}" if in_python else fact)
        self.in_command = f"{fact}: {in_command}" if in_command else ""


class HelpFormatter(argparse.HelpFormatter):
    """A formatter of help pages that never breaks a line inside a flag or a word."""

    def _split_lines(self, text: str, width: int) -> List[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises ValueError instead of exiting, so that all errors are reported alike.

    Flags may be written with underscores, as the hyperparameters are in Python: ``--lstm_size``.
    """

    def __init__(self, in_processes: bool = False, **options: Any) -> None:
        """in_processes: whether a launcher may start the script as several processes, of which the first one speaks."""
        self._is_silent = in_processes and mpi.launch().rank > 0
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **options)
        self.add_argument("--version", action="version", version=f"charrnn {sys.modules['charrnn'].__version__}")

    def parse(self, argv: Optional[Sequence[str]]) -> argparse.Namespace:
        """Parse arguments. Flags and other arguments may be mixed, unless ``--`` is given, which ends the flags."""
        given = sys.argv[1:] if argv is None else list(argv)
        end = given.index("--") if "--" in given else len(given)
        flags = [re.sub(r"^--[\w-]+", lambda flag: str(flag[0]).replace("_", "-"), word) for word in given[:end]]
        return self.parse_args(flags + given[end:]) if "--" in given else self.parse_intermixed_args(flags)

    def _print_message(self, message: str, file: Any = None) -> None:  # argparse's own drops errors since Python 3.12
        if not self._is_silent:
            (file or sys.stderr).write(message or "")

    def exit(self, status: int = 0, message: Optional[str] = None) -> NoReturn:
        """End the process after the help or the version, once they are written."""
        sys.stdout.flush()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """Raise ValueError with the message and a reference to ``--help``."""
        if self._is_silent:
            raise SystemExit(2)
        if "expected one argument" in message:
            message += "; a value that begins with a dash is written --flag=-value"
        raise ValueError(f"{message} (see {self.prog} --help)")


def integer(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """Return a function that reads an integer in a range, as the type of an argument."""
    def read(value: str) -> int:
        if not re.fullmatch(rf"[+-]?\d{{1,{MOST_DIGITS}}}", value) or not least <= int(value) <= (most or int(value)):
            limit = most or (10 ** MOST_DIGITS if len(value) > MOST_DIGITS else None)
            allowed = f"from {least} to {limit}" if limit else f"at least {least}"
            raise argparse.ArgumentTypeError(f"must be an integer, {allowed}, not {value}")
        return int(value)
    return read


def checked_integer(name: str, value: Any, least: int, most: Optional[int] = None) -> int:
    """Return an argument of a function, also a number of NumPy, as an int.

    Raises:
        ValueError: it is no integer, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= (
            int(value) if most is None else most):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be an integer, {allowed}, not {value!r}")
    return int(value)


def require_type(name: str, value: Any, *types: type) -> None:
    """Raise TypeError if an argument of a function is of none of some types."""
    if not isinstance(value, types):
        raise TypeError(f"{name} must be a {' or a '.join(kind.__name__ for kind in types)}, not "
                         f"{type(value).__name__}")


def run_main(body: Callable[[argparse.Namespace], Optional[int]], parser: Parser,
             argv: Optional[Sequence[str]] = None) -> int:
    """Parse the arguments of a script, run its body and return its exit status.

    Args:
        body: function of the parsed arguments that returns the exit status, or None for 0.
        parser: the script's Parser.
        argv: the arguments, or None for those of the process.

    Returns:
        The status that the body returns. 2, after one line on standard error, for invalid input (ValueError), a
        system error (OSError), too little memory, or if TensorFlow is needed but missing. 130 after Ctrl-C. 141
        (128 + SIGPIPE) if the reader of standard output has closed it.
    """
    for name, mode in [("stdin", "r"), ("stdout", "w"), ("stderr", "w")]:
        if getattr(sys, name) is None:  # the process was started without this stream
            setattr(sys, name, open(os.devnull, mode))
        with contextlib.suppress(OSError, AttributeError):  # it is no file, or on Windows
            os.set_blocking(getattr(sys, name).fileno(), True)  # Python loses what a full pipe does not take at once
    if hasattr(sys.stdout, "reconfigure"):
        # UTF-8 in any locale; characters that UTF-8 cannot encode are escaped instead of raising an error
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        args = parser.parse(argv)
        quiet_tensorflow()
        status = body(args) or 0
        sys.stdout.flush()  # raises BrokenPipeError here rather than at exit
        return status
    except BrokenPipeError:
        return 141
    except KeyboardInterrupt:
        print_note(f"{parser.prog}: interrupted")
        return 130
    except Exception as error:
        if not isinstance(error, (ValueError, OSError, TensorFlowError)) and not _lacks_memory(error):
            raise
        message = shortened(described(error)).replace("\n", "\\n")
        print_note(f"{parser.prog}: error: {message}")
        return 2
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # Python would try once more at its end, print an error and return 120
                drop_output(stream)


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's own log messages, but no warnings of other code. Call it before TensorFlow is imported.

    Messages of the C++ runtime (processor features, the search for a GPU) are disabled unless TF_CPP_MIN_LOG_LEVEL
    is set. Of the Python messages, only those about deprecated functions are suppressed, because every program for
    TensorFlow 1 causes them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").addFilter(_drop_deprecations)


@contextlib.contextmanager
def tensorflow_quieted() -> Iterator[None]:
    """Suppress the messages that :func:`quiet_tensorflow` suppresses, and afterwards no more of them than before."""
    logger, level = logging.getLogger("tensorflow"), os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    filters = list(logger.filters)
    quiet_tensorflow()
    try:
        yield
    finally:
        logger.filters[:] = filters
        if level is None:
            os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)


def _drop_deprecations(record: logging.LogRecord) -> bool:
    return "is deprecated" not in record.getMessage()


def shortened(message: str, most: int = 1000) -> str:
    """Return a message without its middle if it is long, for example because of an argument that it repeats."""
    return message if len(message) <= most else f"{message[:most // 2]} [...] {message[-most // 2:]}"


def _lacks_memory(error: Exception) -> bool:
    """Return whether an error is Python's or TensorFlow's for too little memory."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def described(error: Exception) -> str:
    """Return the message of an error. That of a system error has the file that it is about, but no number."""
    if isinstance(error, TensorFlowError):
        return (f"{error}. Without TensorFlow, models of lstm cells work in charrnn-sample, charrnn-evaluate, "
                "charrnn-inspect and charrnn-export (.npz and .html)")
    if _lacks_memory(error):
        cause = reason(error) if str(error) else ""
        return ": ".join(filter(None, ["this machine has too little memory for these arguments", cause]))
    if not isinstance(error, OSError) or not error.strerror:
        return error.in_command if isinstance(error, AdvisedError) and error.in_command else str(error)
    name = error.filename or _WITHOUT_NAME.get(error.errno or 0)
    return f"{name}: {error.strerror}" if name else error.strerror


def reason(error: Any) -> str:
    """Return the cause of an error in one line, without its file and without TensorFlow's advice and stack traces."""
    message = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error) or type(error).__name__
    message = re.split("^Node: .*\n", message.split("Original error:")[-1], flags=re.MULTILINE)[-1]  # of TensorFlow 2
    return re.sub(r"^.*\.tempstate\w*; ", "", message.strip().split("\n")[0])  # the name of a temporary file


def plural(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "epoch"), plural(2000, "epoch")
    ('1 epoch', '2,000 epochs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(items: Iterable[str], show: Callable[[str], str] = str) -> str:
    """Return the first ten of some items, each as a function shows it, and how many more there are.

    >>> listed("abc"), listed("abcdefghijkl", str.upper)
    ('a, b, c', 'A, B, C, D, E, F, G, H, I, J and 2 more')
    """
    every = list(items)
    return ", ".join(map(show, every[:LISTED])) + (
        f" and {len(every) - LISTED:,} more" if len(every) > LISTED else "")


def quoted(path: Any) -> str:
    """Return a path as an argument of a command: quoted for a shell, and never like a flag."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def command(name: str, arguments: str = "") -> str:
    """Return what to type to run a command: a target of make if the process was started by make.

    Args:
        name: ``train`` or ``sample``.
        arguments: the arguments, quoted for a shell.
    """
    make = os.environ.get("CHARRNN_MAKE")  # the command of make, from the Makefile
    if not make:
        return f"charrnn-{name} {arguments}".strip()
    quoted_again = re.sub(r'(["\\`$])', r"\\\1", arguments.replace("$", "$$"))
    return f"{make} {name}" + (f' ARGS="{quoted_again}"' if arguments else "")


def resume_command(folder: Any) -> str:
    """Return the command that resumes the run in a folder, on as many processes as it has now.

    None stands for the newest run.
    """
    place = "" if folder is None else f" --checkpoint-dir {quoted(folder)}"
    started = mpi.launch()
    if started.size > 1 and "CHARRNN_MAKE" in os.environ:
        return command(f"train-distributed NP={started.size}", f"--resume{place}")
    launcher = f"{started.program} -n {started.size} " if started.size > 1 else ""
    return launcher + command("train", f"--resume{place}")


def drop_output(file: TextIO) -> None:
    """Discard all further output to a file, after its reader has closed it."""
    with contextlib.suppress(AttributeError, ValueError):  # it is not a file of the system
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
    text = visible(text) if is_terminal(file) else text
    try:
        file.write(text)
    except UnicodeEncodeError:
        file.write(text.encode(file.encoding, "backslashreplace").decode(file.encoding))
    file.flush()


def visible(text: str) -> str:
    r"""Replace all control characters except line end and tab, so that a text cannot control a terminal.

    >>> visible("\x1b[2Ja\tb\n\x9b\u202e")
    '^[[2Ja\tb\n\\x9b\\u202e'
    """
    return text.translate(_VISIBLE)


def bar(windows: Sequence[int]) -> Iterable[int]:
    """Show in a bar how many windows of a text are read, if standard error is a terminal."""
    try:
        import tqdm
    except ImportError:  # it is needed to train only
        return windows
    return tqdm.tqdm(windows, unit=" windows", leave=False, disable=not is_terminal(sys.stderr))


def print_skipped(lines: Iterable[str]) -> None:
    """Print on standard error why checkpoints, or files of a text, were skipped."""
    for line in lines:
        print_note(f"skipped: {line}")
