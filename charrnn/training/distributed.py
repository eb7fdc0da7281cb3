"""Training on several processes with MPI: what they exchange. One process exchanges nothing.

Each process trains on some rows of every batch, and carries the state of these rows. The gradients are averaged over
the processes before they are clipped, so all processes do the update that one process would do with the whole batch.
Only the first process, which has rank 0, reads and writes the run folder and prints.

A launcher, such as mpiexec or srun, starts the processes, hands signals on to them, and ends all if one is killed.
"""
import atexit
import contextlib
import math
import os
import signal
import socket
import threading
import time
from typing import Any, Callable, ContextManager, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.data import StrPath
from charrnn.system import console, mpi

RESUME = "so training stops. To resume from the last checkpoint, with any number of processes: {}"
LIMIT = 60  # seconds that an exchange may take
STEPS = 20  # or so many times the longest step, if that is more
ALONE = 60  # and so many times longer, where the others wait for work that one process does
# a program that prints a line if the process that it watches ends without a word
GUARD = "import sys; sys.stdin.read() or print(sys.argv[1], file=sys.stderr)"


class Processes:
    """The processes of a run. This is the form for one process, which does nothing.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
    """

    rank, size = 0, 1

    def rows(self, batch_size: int) -> Tuple[int, int]:
        """Return the first row of the batch that this process trains on, and the row after its last."""
        share = batch_size // self.size
        return self.rank * share, (self.rank + 1) * share

    def threads(self, threads: Optional[int]) -> Optional[int]:
        """Return the number of threads to use, given that of ``--threads``."""
        return threads

    def average(self, tensors: Sequence[Any]) -> List[Any]:
        """Return float32 tensors averaged over the processes, as part of the training graph.

        Call it once for all tensors of a step: two exchanges could happen in another order in each process.
        """
        return list(tensors)

    def synchronize(self, session: Any) -> None:
        """Give all variables of the session's graph the values that they have in the first process.

        Training begins then: if a process is killed later, within :meth:`watched`, a line says how to resume.
        """

    def gather(self, value: Any) -> List[Any]:
        """Return the values of all processes, in the order of their ranks. Each process waits for the others."""
        return [value]

    def agree(self, stop: Optional[signal.Signals]) -> Optional[signal.Signals]:
        """Return the signal that any of the processes has received, or None. It is the same in all of them."""
        return stop

    def from_first(self, function: Callable[[], Any]) -> Any:
        """Call a function in the first process only, and return its result in all.

        If it raises an exception, the first process raises it, and the others end silently.
        """
        return function()

    def watched(self, folder: Optional[StrPath]) -> ContextManager:
        """End all processes if a block raises an exception in one of them.

        If it raises one in all of them, such as that of a loss that is not finite, only the first process raises it.

        Args:
            folder: the run folder, or None for the newest, for the advice how to resume.
        """
        return contextlib.nullcontext()


class MPIProcesses(Processes):
    """The form for several processes that a launcher started."""

    def __init__(self, world: Any, limit: int) -> None:
        """Begin to watch how long exchanges take.

        Args:
            world: mpi4py's communicator of all processes.
            limit: seconds that an exchange may take; 0 for LIMIT, or STEPS times the longest step if that is more.
        """
        self.rank, self.size, self._world, self._limit = world.rank, world.size, world, limit
        self._failures, self._host, self._resume = world.Dup(), socket.gethostname(), ""
        self._deadline, self._patience = math.inf, 0.0  # of the exchange that is under way
        self._last, self._longest = time.monotonic(), 0.0  # the end of the last one; the longest step, in seconds
        self._guard: Any = None
        self._trains = False  # whether there is a run that can be resumed
        threading.Thread(target=self._watch, daemon=True).start()

    def threads(self, threads):
        from charrnn.system.tensorflow import thread_count
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
        # the processes of a host may have the same cores, or each its own
        sharing = sum(host == self._host and bool(cores & theirs) for host, theirs in self.gather((self._host, cores)))
        return threads or max(1, thread_count() // sharing)

    def average(self, tensors):
        from charrnn.system.tensorflow import tf
        whole = [tf.convert_to_tensor(tensor) for tensor in tensors]
        vector = tf.py_func(self._mean, [tf.concat([tf.reshape(tensor, [-1]) for tensor in whole], 0)], tf.float32)
        parts = tf.split(vector, [tensor.shape.num_elements() for tensor in whole])
        return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, whole)]

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """Return float32 [S] averaged over the processes."""
        self._longest = max(self._longest, time.monotonic() - self._last)
        total = np.empty_like(values)
        self._exchange(self._world.Allreduce, values, total)
        return np.divide(total, np.float32(self.size), out=total)

    def synchronize(self, session):
        from charrnn.system.tensorflow import set_variable, tf
        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        for variable, value in zip(variables, self.from_first(lambda: session.run(variables))):
            set_variable(variable, value, session)
        self._trains = True
        if self.rank == 0 and self._resume:
            self._guard = mpi.start_guard(GUARD, f"charrnn-train: a process has ended, {self._resume}")

    def gather(self, value):
        return self._exchange(self._world.allgather, value, factor=ALONE)

    def agree(self, stop):
        number = max(self._exchange(self._world.allgather, int(stop or 0)))
        return signal.Signals(number) if number else None

    def from_first(self, function):
        result, failure = None, None
        try:
            result = None if self.rank else function()
        except Exception as error:
            failure = error
        result, has_failed = self._exchange(self._world.bcast, (result, bool(failure)), factor=ALONE)
        if has_failed:
            raise failure or SystemExit(mpi.FAILED)
        return result

    @contextlib.contextmanager
    def watched(self, folder):
        self._resume = RESUME.format(console.resume_command(folder))
        try:
            yield
        except BaseException:
            if not mpi.is_done(self._failures.Ibarrier(), mpi.GRACE):  # no other process fails
                console.print_note(f"charrnn-train: process {self.rank} on host {self._host} failed, {self._advice()}")
                atexit.register(mpi.end_all, self._world)  # it runs when the error is printed
            elif self.rank:
                raise SystemExit(mpi.FAILED)
            raise
        finally:
            self._dismiss_guard()

    def _advice(self) -> str:
        """Return how to resume, once there is a run."""
        return self._resume if self._trains else "so training does not begin"

    def _dismiss_guard(self) -> None:
        if self._guard:
            self._guard.communicate(b"done")

    def _exchange(self, call: Callable[..., Any], *values: Any, factor: int = 1) -> Any:
        """Call a function in which processes wait for each other. End all if it takes too long or fails.

        Args:
            call: the function.
            values: its arguments.
            factor: how many times as long as usual the wait may be. If above 1, the core is left to others meanwhile.
        """
        self._patience = factor * (self._limit or max(LIMIT, STEPS * self._longest))
        # a little later in each process, so that only one prints
        self._deadline = time.monotonic() + self._patience * (1 + self.rank / self.size)
        try:
            if factor > 1:  # MPI's own wait would take a whole core from the process that works
                mpi.is_done(self._world.Ibarrier())
            return call(*values)
        except RuntimeError as error:  # mpi4py's exceptions are of this kind
            self._give_up(f"cannot reach the others ({console.reason(error)})")
        finally:
            self._deadline, self._last = math.inf, time.monotonic()

    def _watch(self) -> None:
        while time.monotonic() < self._deadline:
            time.sleep(min(1, self._patience / 10 + 0.1))
        self._give_up(f"has waited {self._patience:,.0f} s for the others")

    def _give_up(self, why: str) -> None:
        self._dismiss_guard()
        console.print_note(
            f"charrnn-train: error: process {self.rank} on the host {self._host} {why}, {self._advice()}")
        mpi.end_all(self._world)


def start_processes() -> Processes:
    """Return the processes that this one trains with: those that a launcher started, or itself alone.

    Raises:
        ValueError: as for :func:`charrnn.system.mpi.connect` and :func:`charrnn.system.mpi.exchange_limit`. Of those
            in which the limit is wrong, one process raises it; the others end silently.
    """
    if mpi.launch().size == 1:
        return Processes()
    limit, failure = 0, None
    try:
        limit = mpi.exchange_limit()
    except ValueError as error:  # perhaps in one process only, for which the others would wait
        failure = error
    world = mpi.connect(limit or LIMIT)
    failed = [rank for rank, fails in enumerate(world.allgather(failure is not None)) if fails]
    if failure and failed[0] == world.rank:
        raise failure
    if failed:
        raise SystemExit(mpi.FAILED)
    return MPIProcesses(world, limit)
