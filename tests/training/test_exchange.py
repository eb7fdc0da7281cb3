"""What several processes do, in one of them: how long it waits for the others, and its dropout masks."""
import math
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from charrnn.system import mpi
from charrnn.training import distributed
from charrnn.training.distributed import MPIProcesses, Processes
from charrnn.training.graph import Network
from charrnn.training.hyperparameters import Hyperparameters


class World:
    """In place of MPI: the other processes answer after some seconds of a clock that is moved on here."""

    def __init__(self, rank, size):
        self.rank, self.size, self.ended, self.now = rank, size, threading.Event(), 0.0
        self.looked = threading.Semaphore(0)

    def Dup(self):
        return self

    def Ibarrier(self):
        return SimpleNamespace(Test=lambda: True)

    def allgather(self, value):
        """Wait until the processes have looked at the clock twice."""
        while self.looked.acquire(blocking=False):
            pass
        self.now += self.seconds
        for _ in range(2):
            while not (self.looked.acquire(timeout=0.01) or self.ended.is_set()):
                pass
        return [value] * self.size

    def Allreduce(self, values, total):
        total[:] = values * self.size

    def sleep(self, seconds):
        self.looked.release()
        time.sleep(0.001)


@pytest.fixture
def world(monkeypatch):
    """A function that returns a World, whose end does not end this process."""
    made = []

    def make(rank, size):
        made.append(World(rank, size))
        monkeypatch.setattr(mpi, "end_all", lambda found: found.ended.set())
        monkeypatch.setattr(distributed, "time", SimpleNamespace(
            monotonic=lambda: made[-1].now, sleep=lambda seconds: made[-1].sleep(seconds)))
        return made[-1]
    yield make
    made[-1].now = math.inf  # for the thread that looks at the clock
    assert made[-1].ended.wait(60)


@pytest.mark.parametrize("rank, limit, longest, waits", [
    (0, 0, 0, 60), (0, 0, 2.9, 60), (0, 0, 5, 100), (0, 9, 5, 9), (1, 1, 0, 1.25), (3, 1, 0, 1.75)])
@pytest.mark.parametrize("factor, exchange", [(1, lambda processes: processes.agree(None)),
                                              (60, lambda processes: processes.gather(0))])
def test_a_process_waits_for_the_others(world, capsys, rank, limit, longest, waits, factor, exchange):
    """A minute or the time of 20 steps, and an hour where one process works; in each process somewhat longer."""
    others = world(rank, 4)
    processes = MPIProcesses(others, limit)
    others.now += longest
    assert processes._mean(np.ones(3, np.float32)).tolist() == [1, 1, 1]
    for others.seconds, ended in ((waits * factor - 0.01, False), (waits * factor + 0.01, True)):
        exchange(processes)
        assert others.ended.is_set() == ended
    assert f"process {rank} on the host" in capsys.readouterr().err


def test_each_process_has_dropout_masks_of_its_own():
    """Also of dynamic_rnn, which draws those of its own rows only."""
    losses = []
    for rank in (0, 1, 1):
        processes = Processes()
        processes.rank, processes.size = rank, 2
        network = Network(5, Hyperparameters(4, 3, 7, 1, seed=3, keep_prob=0.5, fused=False), processes, in_order=True)
        x = np.array([[0, 1, 2], [3, 4, 0]])
        losses.append(network.step(x, x, network.zero_state, 0.001, 0)[0])
        network.close()
    assert losses[0] != losses[1] == losses[2]
