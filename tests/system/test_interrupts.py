"""What asks a run to stop."""

import os
import signal

import pytest

import charrnn.train
from charrnn.system.interrupts import StopRequests


@pytest.fixture
def ended():
    """The signals that reach the usual handlers, which only note them here."""
    numbers = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda number, frame: numbers.append(number))
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop(ended, number):
    stop = StopRequests()
    with stop.listening():
        send(number)
    assert stop.signal == number
    assert ended == []


@pytest.mark.parametrize(
    "first, second",
    [
        (signal.SIGTERM, signal.SIGHUP),
        (signal.SIGINT, signal.SIGHUP),
        (signal.SIGHUP, signal.SIGINT),
    ],
    ids=["a shutdown", "Ctrl-C, and the window is closed", "the other way round"],
)
def test_a_second_signal_of_another_kind_does_not_end_the_process(ended, first, second):
    """It still has to save. The first one is what asked for it."""
    stop = StopRequests()
    with stop.listening():
        send(first, second)
    assert stop.signal == first
    assert ended == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_of_one_kind_has_its_usual_effect(ended, number):
    with StopRequests().listening():
        send(number)
        assert ended == []
        send(number)
        assert ended == [number]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_the_caller_ignores_stays_ignored(ended, number):
    """SIGHUP is ignored under nohup."""
    signal.signal(number, signal.SIG_IGN)
    with StopRequests().listening():
        assert signal.getsignal(number) == signal.SIG_IGN
    assert signal.getsignal(number) == signal.SIG_IGN


def test_after_the_block_signals_have_their_usual_effect(ended):
    with StopRequests().listening():
        send(signal.SIGINT)
    send(signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    assert ended == [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_training_of_a_test_passes_a_signal_on_to_pytest(ended, number):
    """After it has stopped, so that a run of tests that is cancelled ends."""
    with charrnn.train.StopRequests().listening():
        send(number)
        assert ended == []
    assert ended == [number]
