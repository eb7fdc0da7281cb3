"""The launcher of a process, and what is said if MPI cannot be used."""

import contextlib
import re

import pytest
from conftest import run_python

from charrnn.commands import sample, train
from charrnn.system import mpi

OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "2"}
VARIABLES = [
    *["PMI_SIZE", "PMI_RANK"],
    *["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
    *["SLURM_STEP_NUM_TASKS", "SLURM_PROCID"],
]


@pytest.mark.parametrize(
    "variables, launch",
    [
        ({}, mpi.Launch()),
        ({"PMI_SIZE": "4", "PMI_RANK": "3"}, mpi.Launch(4, 3, "mpiexec")),
        (OPEN_MPI, mpi.Launch(3, 2, "mpiexec")),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, mpi.Launch()),
        ({"SLURM_NTASKS": "8"}, mpi.Launch()),  # in the script of a job, before srun
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}, mpi.Launch(8, 5, "srun")),
        # mpiexec started by srun, one a host
        (
            {
                "SLURM_STEP_NUM_TASKS": "2",
                "SLURM_PROCID": "1",
                "PMI_SIZE": "4",
                "PMI_RANK": "3",
            },
            mpi.Launch(4, 3, "mpiexec"),
        ),
    ],
)
def test_the_launcher_is_known_by_its_variables(monkeypatch, variables, launch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert mpi.launch() == launch


def train_as(rank, folder):
    """Run charrnn-train as a launcher starts one of two processes. Return its status and what it prints."""
    status, out, err = run_python(
        *["-m", "charrnn", "train", "anna"],
        cwd=str(folder),
        variables={"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": rank},
    )
    return status, out + err


@pytest.mark.parametrize(
    "module, message",
    [
        (
            "raise ImportError('there is none')",
            r"mpi4py cannot be used here \(there is none\): install it",
        ),
        (
            "class MPI:\n class COMM_WORLD:\n  size = 1",
            "mpiexec started 2 processes, but mpi4py sees 1",
        ),
    ],
    ids=["no mpi4py", "another MPI"],
)
def test_without_mpi_the_first_process_says_so_in_a_line(tmp_path, module, message):
    (tmp_path / "mpi4py.py").write_text(module)
    status, output = train_as("0", tmp_path)
    assert status == 2
    assert re.fullmatch(f".*{message}.*\n", output)


def test_without_mpi_the_others_end_in_silence(tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('there is none')")
    assert train_as("1", tmp_path) == (2, "")


@pytest.mark.parametrize(
    "command, flag, spoken",
    [(train, "--help", False), (train, "--nosuch", False), (sample, "--nosuch", True)],
)
def test_of_several_processes_only_the_first_one_speaks_where_they_train(
    monkeypatch, capsys, command, flag, spoken
):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    with contextlib.suppress(SystemExit):
        command.main([flag])
    assert bool("".join(capsys.readouterr())) == spoken


def test_a_wrong_flag_ends_the_others_with_the_status_of_the_first(monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    with pytest.raises(SystemExit, match=r"^2$"):
        train.main(["--nosuch"])
