"""Requests to stop a training run: signals, and an output that nobody reads."""
import contextlib
import signal
import threading
from typing import Any, Dict, Iterator, Optional

from charrnn.system import console

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class StopRequests:
    """Requests to stop a run after the current step.

    Attributes:
        signal: the first signal that asked for it, or None.
        ending: whether a signal has asked for it. From then on no output may wait for its reader.
    """

    def __init__(self) -> None:
        self.signal: Optional[signal.Signals] = None
        self.ending = False

    def reader_left(self) -> None:
        """Note that nobody reads the output any more, which is a request to stop too."""
        self.signal = getattr(signal, "SIGPIPE", signal.SIGTERM)  # Windows has no SIGPIPE

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Note the first SIGINT, SIGTERM or SIGHUP within a block. The second one has its usual effect."""
        usual: Dict[int, Any] = {}

        def note(number: int, _frame: Any) -> None:
            self.signal, self.ending = signal.Signals(number), True
            console.drop_blocked_output()  # so that a write that waits ends, when Python tries it again
            for each, handler in usual.items():
                signal.signal(each, handler)

        # only the main thread can set handlers; in another one, signals keep their usual effect
        for name in SIGNALS if threading.current_thread() is threading.main_thread() else ():
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            # an ignored signal stays ignored: SIGHUP under nohup, SIGINT in the background of a script; and a program
            # that Python is embedded in keeps a handler of its own, None here, which could not be set again
            if number and signal.getsignal(number) not in (signal.SIG_IGN, None):
                usual[number] = signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
