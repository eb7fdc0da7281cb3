"""The one door to MPI: what the launcher of this process says in the environment, and the connection to the others.

A launcher, such as mpiexec or srun, starts several processes, hands signals on to them, and ends all if one is killed.
"""

import os
import sys
import time
from typing import Any, NamedTuple

NO_MPI = (
    "{} started this process, but mpi4py cannot be used here ({}): install it, with "
    'pip install ".[distributed]", or for the MPI of this cluster'
)
OTHER_MPI = (
    "{} started {} processes, but mpi4py sees {}, because it is built for another MPI: use the mpiexec of "
    "that one, or srun --mpi=pmi2"
)
# exit status
FAILED = 2

# the number of processes, the number of this one, and the launcher
_LAUNCHERS = [
    ("PMI_SIZE", "PMI_RANK", "mpiexec"),  # MPICH and Intel MPI
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpiexec"),  # Open MPI
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"),
]


class Launch(NamedTuple):
    """How a process was started.

    Attributes:
        size: number of processes that were started together.
        rank: number of this process, from 0.
        program: the launcher, which takes the number of processes as ``-n``; empty if the process was started alone.
    """

    size: int = 1
    rank: int = 0
    program: str = ""


def launch() -> Launch:
    """Return how this process was started."""
    for size_name, rank_name, program in _LAUNCHERS:
        size = os.environ.get(size_name, "")
        rank = os.environ.get(rank_name, "")
        if size.isdecimal() and rank.isdecimal():
            return Launch(int(size), int(rank), program) if int(size) > 1 else Launch()
    return Launch()


def connect() -> Any:
    """Return mpi4py's communicator of all processes that were started together, once all have called this.

    Raises:
        ValueError: mpi4py is not installed, or is built for another MPI than that of the launcher. The first process
            raises it; the others end silently.
    """
    started = launch()
    try:
        from mpi4py import MPI

        if MPI.COMM_WORLD.size != started.size:
            raise ValueError(OTHER_MPI.format(started.program, started.size, MPI.COMM_WORLD.size))
        return MPI.COMM_WORLD
    except (ImportError, RuntimeError, ValueError) as error:
        if started.rank:
            raise SystemExit(FAILED)
        if isinstance(error, ValueError):
            raise
        raise ValueError(NO_MPI.format(started.program, error))


def end_all(world: Any) -> None:
    """End all processes of a communicator, this one in any case."""
    # Python 3.7 buffers both, and mpiexec hands on only what it has read by now.
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(1)
    world.Abort(FAILED)
