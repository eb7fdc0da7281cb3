"""The timer of training steps."""
import itertools

import pytest

from charrnn.training import timing


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows 0, 1, 2 ... seconds."""
    monkeypatch.setattr(timing.time, "perf_counter", itertools.count().__next__)


def test_a_lap_is_the_seconds_per_step_since_the_last(clock):
    timer = timing.StepTimer(10)  # at 0 s
    assert timer.lap(12) == 0.5  # at 1 s
    assert timer.lap(16) == 0.25  # at 2 s


def test_a_pause_is_not_counted(clock):
    timer = timing.StepTimer(0)  # at 0 s
    with timer.paused():  # from 1 s to 2 s
        pass
    assert timer.lap(1) == 2  # at 3 s
