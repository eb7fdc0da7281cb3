"""Ctrl-C while a command starts: it must end the command, even where an exception would be lost.

Python raises KeyboardInterrupt in whatever code is running. While NumPy and TensorFlow are imported, or a graph is
built, this may be a call from their C code, which drops the exception, and the command would continue. So during this
time the signal ends the process at once, as it does for a program in C. Nothing has been written by then. In a program
that uses charrnn, the exception is raised after the import, or when the graph is built.
"""
import contextlib
import signal
import threading
from typing import Any, Iterator, List

_in_command = False


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once, until :func:`raise_on_interrupt` is called."""
    _replace(signal.default_int_handler, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt in a command, as is usual in Python, unless the caller ignores it."""
    global _in_command
    _in_command = True
    _replace(signal.SIG_DFL, signal.default_int_handler)


@contextlib.contextmanager
def not_lost() -> Iterator[None]:
    """Let Ctrl-C end a command at once within a block, and another program after it. Other handlers are kept."""
    noted: List[int] = []
    handler = signal.SIG_DFL if _in_command else lambda number, frame: noted.append(number)
    is_replaced = _replace(signal.default_int_handler, handler)
    try:
        yield
    finally:
        if is_replaced:
            _replace(handler, signal.default_int_handler)
    if noted:
        raise KeyboardInterrupt


def _replace(usual: Any, handler: Any) -> bool:
    """Replace the usual handler of Ctrl-C by another, in the main thread only. Return whether it was replaced."""
    is_possible = signal.getsignal(signal.SIGINT) is usual and threading.current_thread() is threading.main_thread()
    if is_possible:
        signal.signal(signal.SIGINT, handler)
    return is_possible
