"""Ctrl-C while a command starts: it must end the command, even where an exception would be lost.

Python raises KeyboardInterrupt in whatever code is running. While NumPy is imported, this may be a call from its C
code, which drops the exception, and the command would continue. So during this time the signal ends the process at
once, as it does for a program in C. Nothing has been written by then.
"""
import signal
import threading
from typing import Any


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once, until :func:`raise_on_interrupt` is called."""
    _replace(signal.default_int_handler, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt in a command, as is usual in Python, unless the caller ignores it."""
    _replace(signal.SIG_DFL, signal.default_int_handler)


def _replace(usual: Any, handler: Any) -> None:
    """Replace the usual handler of Ctrl-C by another, in the main thread only."""
    if signal.getsignal(signal.SIGINT) is usual and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
