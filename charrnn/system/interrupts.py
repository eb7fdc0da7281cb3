"""Ctrl-C while a script starts: it must end the script, also where an exception would be lost.

Python raises KeyboardInterrupt in whatever is running when the signal is noticed. While NumPy and TensorFlow are
imported this may be a call from their C code, which drops the exception, and the script would continue. So during
this time the signal ends the process at once, as it does for a program in C. Nothing has been written by then.
"""
import contextlib
import os
import signal
import sys
import threading
from typing import Iterator

_is_script = False


def _is_starting() -> bool:
    """Return whether this package is imported in order to run one of its scripts."""
    name = os.path.basename((getattr(sys, "argv", None) or [""])[0])
    return name == "-m" or name.startswith("charrnn-")  # Python's name while it looks for the module, or the command


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once if a script starts, until :func:`raise_on_interrupt` is called."""
    if _is_starting() and signal.getsignal(signal.SIGINT) is signal.default_int_handler and _in_main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt in a script, as usual in Python. It stays ignored if the caller ignores it."""
    global _is_script
    _is_script = True
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL and _in_main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def exiting_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once within a block, if it is a script and nothing else handles Ctrl-C."""
    if not (_is_script and signal.getsignal(signal.SIGINT) is signal.default_int_handler and _in_main_thread()):
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_main_thread() -> bool:
    """Return whether this is the only thread that can set handlers."""
    return threading.current_thread() is threading.main_thread()
