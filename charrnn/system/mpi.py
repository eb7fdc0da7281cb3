"""The one door to MPI: what the launcher of this process says in the environment, and the connection to the others.

A launcher, such as mpiexec or srun, starts several processes, hands signals on to them, and ends all if one is killed.
"""
import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any, NamedTuple

NO_MPI = ("{} started this process, but mpi4py cannot be used on the host {} ({}): install it there, with "
          "pip install \".[distributed]\", or for the MPI of this cluster")
OTHER_MPI = ("{} started {} processes, but mpi4py sees {}, because it is built for another MPI: use the mpiexec of "
             "that one, or srun --mpi=pmi2")
MISSING = "{}: error: process {} on the host {} has waited {:g} s for the others to start, so training does not begin"
LIMIT = "CHARRNN_EXCHANGE_LIMIT"  # a variable of the environment
LONGEST_LIMIT = 10 ** 7
FAILED = 2  # exit status
GRACE = 3  # seconds in which processes that fail together have all come to that point, or the launcher has ended them

# the number of processes, the number of this one, its number on its host, and the launcher
_LAUNCHERS = [
    ("PMI_SIZE", "PMI_RANK", "MPI_LOCALRANKID", "mpiexec"),  # MPICH and Intel MPI
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "mpiexec"),  # Open MPI
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_LOCALID", "srun"),
    ("PMI_SIZE", "PMI_RANK", "PMI_RANK", "mpiexec")]


class Launch(NamedTuple):
    """How a process was started.

    Attributes:
        size: number of processes that were started together.
        rank: number of this process, from 0.
        local_rank: its number among those on its host.
        program: the launcher, which takes the number of processes as ``-n``; empty if the process was started alone.
    """

    size: int = 1
    rank: int = 0
    local_rank: int = 0
    program: str = ""


def launch() -> Launch:
    """Return how this process was started."""
    for *names, program in _LAUNCHERS:
        if all(os.environ.get(name, "").isdecimal() for name in names):
            size, rank, local_rank = (int(os.environ[name]) for name in names)
            return Launch(size, rank, local_rank, program) if size > 1 else Launch()
    return Launch()


def exchange_limit() -> int:
    """Return the seconds that the environment allows for an exchange between processes, or 0 if it says nothing.

    Raises:
        ValueError: it is not a number.
    """
    value = os.environ.get(LIMIT, "0")
    if not value.isdecimal() or len(value) > 8 or int(value) > LONGEST_LIMIT:
        raise ValueError(f"{LIMIT} must be a number of seconds, at most {LONGEST_LIMIT}, not {value!r:.80}")
    return int(value)


def connect(seconds: float) -> Any:
    """Return mpi4py's communicator of all processes that were started together, once all have called this.

    Args:
        seconds: time in which all must have called it, and somewhat more for later ranks, so that one process prints.
            MPI itself would wait for ever and let no Python run, so a second process watches the time. It prints an
            error and ends this one.

    Raises:
        ValueError: mpi4py is not installed on this host, or is built for another MPI than that of the launcher. The
            first process of each host raises it; the others end silently.
    """
    started = launch()
    patience = seconds * (1 + started.rank / started.size)
    message = MISSING.format("charrnn-train", started.rank, socket.gethostname(), patience)
    guard = start_guard(_WAITS, message, str(patience), str(os.getpid()))
    try:
        from mpi4py import MPI
        if MPI.COMM_WORLD.size != started.size:
            raise ValueError(OTHER_MPI.format(started.program, started.size, MPI.COMM_WORLD.size))
        return MPI.COMM_WORLD
    except (ImportError, RuntimeError, ValueError) as error:
        if started.local_rank:
            raise SystemExit(FAILED)
        raise error if isinstance(error, ValueError) else ValueError(
            NO_MPI.format(started.program, socket.gethostname(), error))
    finally:
        guard.communicate(b"done")


# A program that prints a line and ends a process which says nothing for some seconds. If that is ended, so does this.
_WAITS = """
import os, sys, threading
reading = threading.Thread(target=sys.stdin.read, daemon=True)
reading.start()
reading.join(float(sys.argv[2]))
if reading.is_alive():
    print(sys.argv[1], file=sys.stderr, flush=True)
    os.kill(int(sys.argv[3]), 9)
    os._exit(0)
"""


def start_guard(program: str, *arguments: str) -> Any:
    """Start a Python program that watches this process through its standard input, in a session of its own.

    The signals for this process thus spare it. Write to it, and close its input, to dismiss it.
    """
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", program, *arguments], stdin=subprocess.PIPE,
                            start_new_session=True)


def end_all(world: Any) -> None:
    """End all processes of a communicator, this one in any case."""
    for stream in (sys.stdout, sys.stderr):  # which Python 3.7 buffers, the latter too
        with contextlib.suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
            stream.flush()
    time.sleep(0.5)  # the launcher drops what was printed last if it has not been handed on
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(GRACE)  # MPI may wait for an answer of the launcher, which it does not get if a link is cut
    world.Abort(FAILED)
    os._exit(FAILED)


def is_done(request: Any, seconds: float = math.inf) -> bool:
    """Wait for a request of mpi4py. Return whether it was done within a time.

    MPI's own functions keep a core busy while they wait; this one pauses longer and longer.
    """
    deadline, pause = time.monotonic() + seconds, 1e-6
    while not request.Test():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    return True
