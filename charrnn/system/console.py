"""What every script's ``main`` shares: how it parses, fails and keeps TensorFlow quiet."""
import argparse
import logging
import os
import sys

from charrnn.system.machine import peak_memory  # noqa: F401  transition


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are a ValueError, so that they end like every other."""

    def error(self, message):
        """Raise ValueError with the complaint and where help is."""
        raise ValueError("{} (see {} --help)".format(message, self.prog))


def run_main(body, parser, argv=None):
    """Parse the arguments, run a script's body on them, and return the script's exit status.

    Args:
        body: function of the parsed arguments; returns the exit status, or None for 0.
        parser: a Parser.
        argv: list of arguments, or None for the process's own.

    Returns:
        The body's status; 2 after one line on standard error where the caller's input was at fault
        (ValueError), the system refused (OSError) or TensorFlow is wanted and not there; 130 after Ctrl-C;
        141 where the reader of our output went away (128 + SIGPIPE).
    """
    for name, mode in [("stdin", "r"), ("stdout", "w"), ("stderr", "w")]:
        if getattr(sys, name) is None:  # the process was started without one
            setattr(sys, name, open(os.devnull, mode))
    if hasattr(sys.stdout, "reconfigure"):
        # UTF-8 whatever the locale says; what UTF-8 lacks is shown by its code, and ends nothing
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        args = parser.parse_args(argv)
        quiet_tensorflow()
        status = body(args) or 0
        sys.stdout.flush()  # so that a reader who went away is noticed here
        return status
    except BrokenPipeError:
        drop_output()
        return 141
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("tensorflow", "tqdm"):
            raise
        print("{}: error: this needs TensorFlow 1.15, which is not installed here and has no wheel for Python 3.8 or "
              "newer: use Python 3.7 (the README's set-up). Without it, models that charrnn-export has written (.npz) "
              "can be sampled from and evaluated".format(parser.prog), file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print("{}: error: {}".format(parser.prog, error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("{}: interrupted".format(parser.prog), file=sys.stderr)
        return 130


def drop_output():
    """Let what is still to be written to standard output, whose reader went away, go into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_standard_input():
    """Return what standard input has, read as UTF-8, with universal newlines; ValueError where it is not UTF-8."""
    try:
        content = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeError as error:
        raise ValueError("standard input is not UTF-8 text ({})".format(error))
    return content.replace("\r\n", "\n").replace("\r", "\n")


def print_skipped(lines):
    """Print on standard error what was passed over on the way to a checkpoint."""
    for line in lines:
        print("skipped: " + line, file=sys.stderr)


def quiet_tensorflow():
    """Silence TensorFlow's chatter, and only that: the user's own warnings still come through.

    Must be called before TensorFlow is first imported. The C++ side's lines (processor features, the
    search for a GPU) are switched off unless TF_CPP_MIN_LOG_LEVEL is already set; of the Python side's,
    those about deprecated functions, which every TensorFlow 1.x program makes.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logger = logging.getLogger("tensorflow")
    if _drop_deprecations not in logger.filters:
        logger.addFilter(_drop_deprecations)


def _drop_deprecations(record):
    return "is deprecated" not in record.getMessage()


# transition
run = run_main
read_input = read_standard_input
say_skipped = print_skipped
