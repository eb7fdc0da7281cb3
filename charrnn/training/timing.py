"""Measure how long a training step takes."""
import contextlib
import time
from typing import Iterator


class StepTimer:
    """Measures the seconds per step between two lines, not counting evaluations and checkpoints."""

    def __init__(self, step: int) -> None:
        """Start after a number of steps."""
        self._step, self._time = step, time.perf_counter()

    def lap(self, step: int) -> float:
        """Return the seconds per step since the last lap."""
        now = time.perf_counter()
        seconds = (now - self._time) / (step - self._step)
        self._step, self._time = step, now
        return seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time that is spent in a block."""
        started = time.perf_counter()
        yield
        self._time += time.perf_counter() - started
