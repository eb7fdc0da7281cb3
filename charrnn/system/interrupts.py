"""Signals: Ctrl-C while a command starts, and what asks a run to stop.

Python raises KeyboardInterrupt in whatever code is running. While NumPy is imported, this may be a call from its C
code, which drops the exception, and the command would continue. So while a command starts, Ctrl-C ends the process at
once, as it does for a program in C. Nothing has been written by then.
"""

import contextlib
import signal
import threading
from typing import Any, Dict, Iterator, Optional


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once, until :func:`raise_on_interrupt` is called."""
    _replace(signal.default_int_handler, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt in a command, as is usual in Python, unless the caller ignores it."""
    _replace(signal.SIG_DFL, signal.default_int_handler)


def _replace(usual: Any, handler: Any) -> None:
    """Replace the usual handler of Ctrl-C by another, in the main thread only."""
    if signal.getsignal(signal.SIGINT) is usual and _in_main_thread():
        signal.signal(signal.SIGINT, handler)


def _in_main_thread() -> bool:
    """Return whether this is the main thread, the only one that can set handlers."""
    return threading.current_thread() is threading.main_thread()


class StopRequests:
    """Requests to stop a run after the current step.

    Attributes:
        signal: the first signal that asked for it, or None.
    """

    def __init__(self) -> None:
        self.signal: Optional[signal.Signals] = None

    def reader_left(self) -> None:
        """Note that nobody reads the output any more, which is a request to stop too."""
        # Windows has no SIGPIPE.
        self.signal = getattr(signal, "SIGPIPE", signal.SIGTERM)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Note SIGINT, SIGTERM and SIGHUP within a block. The second of one kind has its usual effect.

        A shutdown sends SIGTERM and SIGHUP, so one of each must not end the process before it has saved.
        """
        usual: Dict[int, Any] = {}

        def note(number: int, _frame: Any) -> None:
            self.signal = self.signal or signal.Signals(number)
            signal.signal(number, usual[number])

        # In another thread than the main one, signals keep their usual effect.
        names = ("SIGINT", "SIGTERM", "SIGHUP") if _in_main_thread() else ()
        for name in names:
            # Windows has no SIGHUP.
            number = getattr(signal, name, None)
            # An ignored signal stays ignored: SIGHUP under nohup, SIGINT in the background of a script. A program that
            # Python is embedded in keeps a handler of its own, None here, which could not be set again.
            if number and signal.getsignal(number) not in (signal.SIG_IGN, None):
                usual[number] = signal.getsignal(number)
                signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
