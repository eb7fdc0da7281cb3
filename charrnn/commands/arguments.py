"""What commands share: how they parse their arguments, fail and end."""

import argparse
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, List, NoReturn, Optional, Sequence

from charrnn.checkpoints.writing import REPLACED_BY_READER
from charrnn.system import commands_to_type, mpi, terminal, words
from charrnn.system.errors import checked_integer, described, lacks_memory
from charrnn.system.tensorflow import TensorFlowError
from charrnn.version import __version__

# flags of earlier versions, and what is in their place
REPLACED = {
    **{commands_to_type.flag(name): "--best-of" for name in REPLACED_BY_READER},
    "--csv": "--json",
    "--encoding": "saving the text as UTF-8",
    "--format": "the ending of FILE",
    "--init-from": "--best-of",
    "--input-keep-prob": "input_keep_prob of train_model",
    "--no-passage": "--no-text",
    "--separator": "joining the files with it",
    "--vocab-order": "--vocab-from FILE.json",
    "--like": "the line that charrnn-runs prints of a run",
    "--minutes": "Ctrl-C, or timeout -s INT 10m before the command,",
}


class HelpFormatter(argparse.HelpFormatter):
    """A formatter of help pages that never breaks a line inside a flag or a word."""

    def _split_lines(self, text: str, width: int) -> List[str]:
        return textwrap.wrap(
            " ".join(text.split()), width, break_on_hyphens=False, break_long_words=False
        )


class Parser(argparse.ArgumentParser):
    """An argument parser that raises ValueError instead of exiting, so that all errors are reported alike.

    Flags may be written with underscores, as the hyperparameters are in Python: ``--lstm_size``.
    """

    def __init__(self, in_processes: bool = False, **options: Any) -> None:
        """Make a parser.

        Args:
            in_processes: whether a launcher may start the script as several processes. Only the first then speaks.
            options: those of argparse.
        """
        self._is_silent = in_processes and mpi.launch().rank > 0
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **options)
        self.add_argument("--version", action="version", version=f"charrnn {__version__}")

    def parse(self, argv: Optional[Sequence[str]]) -> argparse.Namespace:
        """Parse arguments. Flags and other arguments may be mixed, unless ``--`` is given, which ends the flags."""
        if argv is None:
            argv = sys.argv[1:]
        if "--" in argv:
            end = argv.index("--")
            flags = [_with_dashes(argument) for argument in argv[:end]]
            args, unknown = self.parse_known_args([*flags, *argv[end:]])
        else:
            args, unknown = self.parse_known_intermixed_args(
                [_with_dashes(argument) for argument in argv]
            )
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}", self._instead_of(unknown[0]))
        return args

    # argparse's own drops errors since Python 3.12
    def _print_message(self, message: str, file: Any = None) -> None:
        if not self._is_silent:
            (file or sys.stderr).write(message or "")

    def error(self, message: str, question: str = "") -> NoReturn:
        """Raise ValueError with the message, a reference to ``--help`` and a question about what was meant."""
        if self._is_silent:
            raise SystemExit(2)
        if "expected one argument" in message:
            message += "; a value that begins with a dash is written --flag=-value"
        raise ValueError(f"{message} (see {self.prog} --help){question}")

    def _instead_of(self, argument: str) -> str:
        """Return what is in the place of an unknown argument, or may have been meant by it; "" if nothing is near."""
        flag, _, _ = argument.partition("=")
        replacement = REPLACED.get(flag)
        if replacement:
            return f"; {replacement} is in its place since version 6.0"
        return words.did_you_mean(flag, self._option_string_actions)


def _with_dashes(argument: str) -> str:
    """Return an argument with dashes in place of the underscores of its flag, as in ``--lstm_size=8``."""
    return re.sub(r"^--[\w-]+", lambda match: match.group().replace("_", "-"), argument)


def integer(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """Return a function that reads an integer in a range, as the type of an argument."""

    def read(value: str) -> int:
        try:
            number = int(value) if re.fullmatch(r"[+-]?\d+", value) else value
            return checked_integer("", number, least, most)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).strip())

    return read


def with_line_ends(argument: str) -> str:
    """Return an argument with line ends in place of what a shell can pass on more easily, a backslash and an n."""
    return argument.replace("\\n", "\n")


def check_needs(args: argparse.Namespace, **needed: Sequence[str]) -> None:
    """Raise ValueError if a flag is given without any of those with which it has an effect."""
    in_use = {name for name, value in vars(args).items() if value not in (None, False)}
    for name, others in needed.items():
        if name in in_use and not in_use.intersection(others):
            raise ValueError(
                f"{commands_to_type.flag(name)} needs {' or '.join(map(commands_to_type.flag, others))}"
            )


def run_main(
    body: Callable[[argparse.Namespace], Optional[int]],
    parser: Parser,
    argv: Optional[Sequence[str]] = None,
) -> int:
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
    if hasattr(sys.stdout, "reconfigure"):
        # UTF-8 in any locale; characters that UTF-8 cannot encode are escaped instead of raising an error
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        args = parser.parse(argv)
        _note_other_package()
        terminal.quiet_tensorflow()
        status = body(args) or 0
        # so that BrokenPipeError is raised here rather than at exit
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return 141
    except KeyboardInterrupt:
        terminal.print_note(f"{parser.prog}: interrupted")
        return 130
    except Exception as error:
        is_expected = isinstance(error, (ValueError, OSError, TensorFlowError))
        if not is_expected and not lacks_memory(error):
            raise
        message = described(error).replace("\n", "\\n")
        terminal.print_note(f"{parser.prog}: error: {message}")
        return 2
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                # Python would try once more at its end, print an error and return 120.
                terminal.drop_output(stream)


def _note_other_package() -> None:
    """Print a note if a package that pip calls charrnn owns the same files: version 3.2 or older, or one of PyPI."""
    installed_in = Path(__file__).resolve().parents[2]
    for other in installed_in.glob("charrnn-*.dist-info"):
        terminal.print_note(
            f"{other.stem.replace('-', ' ')} is installed too, and has the same files: type pip uninstall charrnn "
            "karnna, and install karnna again"
        )
