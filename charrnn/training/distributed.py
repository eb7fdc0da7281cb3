"""Training on several processes with MPI: what they exchange. One process exchanges nothing.

Each process trains on some rows of every batch, and carries the state of these rows. The gradients are averaged over
the processes before they are clipped, so all processes do the update that one process would do with the whole batch.
Only the first process, which has rank 0, reads and writes the run folder and prints.
"""

import atexit
import contextlib
import functools
import signal
import socket
import time
from typing import (
    Any,
    Callable,
    ContextManager,
    Iterator,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

import numpy as np

from charrnn.data import StrPath
from charrnn.system import mpi, terminal
from charrnn.system.commands_to_type import resume_command
from charrnn.system.machine import cores, thread_count

Returned = TypeVar("Returned")


class CommonError(ValueError):
    """An error that all processes raise after the same step, such as that of a loss that is not finite."""


class Processes:
    """The processes of a run. This is the form for one process, which does nothing.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
    """

    rank = 0
    size = 1

    def rows(self, batch_size: int) -> Tuple[int, int]:
        """Return the first row of the batch that this process trains on, and the row after its last."""
        share = batch_size // self.size
        return self.rank * share, (self.rank + 1) * share

    def threads(self) -> int:
        """Return the number of cores that each process has to itself. It is the same in all of them."""
        return thread_count()

    def average(self, tensors: Sequence[Any]) -> List[Any]:
        """Return float32 tensors averaged over the processes, as part of the training graph.

        Call it once for all tensors of a step: two exchanges could happen in another order in each process.
        """
        return list(tensors)

    def synchronize(self, session: Any) -> None:
        """Give all variables of the session's graph the values that they have in the first process."""

    def gather(self, value: Any) -> List[Any]:
        """Return the values of all processes, in the order of their ranks. Each process waits for the others."""
        return [value]

    def wait(self) -> None:
        """Wait until all processes have called this."""
        self.gather(None)

    def agree(self, stop: Optional[signal.Signals]) -> Optional[signal.Signals]:
        """Return the signal that any of the processes has received, or None. It is the same in all of them."""
        return stop

    def from_first(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the first process only, and return its result in all.

        If it raises an exception, the first process raises it, and the others end silently.
        """
        return function(*arguments)

    def watched(self, folder: Optional[StrPath]) -> ContextManager:
        """End all processes if a block raises an exception in one of them, which would leave the others waiting.

        Args:
            folder: the run folder, or None for the newest, for the advice how to resume.
        """
        return contextlib.nullcontext()


def in_first(method: Callable[..., Returned]) -> Callable[..., Returned]:
    """Let the first process do a method of an object that has ``processes``, as :meth:`Processes.from_first` does.

    Each process calls the method, and gets what the first one has returned. If that raises an exception, all end.
    """

    @functools.wraps(method)
    def in_each(self: Any, *arguments: Any) -> Any:
        return self.processes.from_first(method, self, *arguments)

    return in_each


class MPIProcesses(Processes):
    """The form for several processes that a launcher started."""

    def __init__(self, world: Any) -> None:
        """Keep mpi4py's communicator of the processes."""
        self.rank = world.rank
        self.size = world.size
        self._world = world
        # Whether all know of a failure, and end.
        self._all_failed = False

    def threads(self) -> int:
        everybody = self.gather((socket.gethostname(), cores()))
        return min(_share_of_cores(host, its_cores, everybody) for host, its_cores in everybody)

    def average(self, tensors: Sequence[Any]) -> List[Any]:
        from charrnn.system.tensorflow import tf

        # one vector of all tensors, so that a step has one exchange
        tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
        vector = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)
        mean = tf.py_func(self._mean, [vector], tf.float32)
        parts = tf.split(mean, [tensor.shape.num_elements() for tensor in tensors])
        return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, tensors)]

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """Return float32 [S] averaged over the processes."""
        total = np.empty_like(values)
        self._world.Allreduce(values, total)
        return np.divide(total, np.float32(self.size), out=total)

    def synchronize(self, session: Any) -> None:
        from charrnn.system.tensorflow import set_variable, tf

        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        values = self.from_first(session.run, variables)
        for variable, value in zip(variables, values):
            set_variable(variable, value, session)

    def gather(self, value: Any) -> List[Any]:
        return self._world.allgather(value)

    def agree(self, stop: Optional[signal.Signals]) -> Optional[signal.Signals]:
        number = max(self.gather(int(stop or 0)))
        if number == 0:
            return None
        return signal.Signals(number)

    def from_first(self, function: Callable[..., Any], *arguments: Any) -> Any:
        value = None
        failure = None
        if self.rank == 0:
            try:
                value = function(*arguments)
            except Exception as error:
                # It is raised after the exchange, in which the others wait.
                failure = error

        # MPI's own functions that wait would take a core from the first process
        arrived = self._world.Ibarrier()
        while not arrived.Test():
            time.sleep(0.001)
        value, self._all_failed = self._world.bcast((value, failure is not None))
        if self._all_failed:
            raise failure or SystemExit(mpi.FAILED)
        return value

    @contextlib.contextmanager
    def watched(self, folder: Optional[StrPath]) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if self._all_failed or isinstance(error, CommonError):
                # the first process alone tells what happened
                if self.rank > 0:
                    raise SystemExit(mpi.FAILED)
                raise
            terminal.print_note(
                f"charrnn-train: process {self.rank} failed, so training stops. To resume from the "
                f"last checkpoint, with any number of processes that divides batch_size: {resume_command(folder)}"
            )
            # This runs when the error is printed.
            atexit.register(mpi.end_all, self._world)
            raise


def connect_processes() -> Processes:
    """Return the processes that this one trains with: those that a launcher started, or itself alone.

    Raises:
        ValueError: as for :func:`charrnn.system.mpi.connect`.
    """
    if mpi.launch().size > 1:
        return MPIProcesses(mpi.connect())
    return Processes()


def _share_of_cores(
    host: str, its_cores: Set[int], everybody: Sequence[Tuple[str, Set[int]]]
) -> int:
    """Return how many of its cores a process has to itself. Processes of a host have the same cores, or others."""
    sharing = 0
    for other_host, other_cores in everybody:
        if other_host == host and not its_cores.isdisjoint(other_cores):
            sharing += 1
    return max(1, len(its_cores) // sharing)
