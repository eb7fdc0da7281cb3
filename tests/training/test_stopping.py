"""Requests to stop: signals, and a reader of the output that goes away."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import SMALL_FLAGS, resume, run_python

from charrnn.checkpoints.find import newest_intact
from charrnn.checkpoints.record import step_of
from charrnn.system.commands_to_type import quoted
from charrnn.training.distributed import MPIProcesses

# A module during whose import Ctrl-C is pressed, and which loses the exception, as C code does.
INTERRUPTED_IMPORT = """
import os, runpy, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                signal.sigtimedwait([], 0.1)
            except KeyboardInterrupt:
                pass
sys.meta_path.insert(0, Finder())
from charrnn import __main__ as entry
sys.exit(entry.train(sys.argv[1:]))
"""


def test_ctrl_c_during_an_import_is_not_lost(text_file, tmp_path):
    """It ends the process."""
    status, _, err = run_python(
        "-c", INTERRUPTED_IMPORT, text_file, *SMALL_FLAGS, "--checkpoint-dir", tmp_path / "run"
    )
    assert (status, err) == (-signal.SIGINT, "")


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGPIPE, marks=pytest.mark.slow),
    ],
)
def test_a_process_that_is_stopped_saves_and_can_be_resumed(text_file, tmp_path, number):
    """As users run it: quiet, stopped in the middle by a signal or by a reader that goes away, and resumed to its end.

    Quiet also where the choice of the precision is the first that imports TensorFlow.
    """
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "charrnn", "train", str(text_file), *SMALL_FLAGS]
    command += ["--checkpoint-dir", str(folder)]
    command += "--epochs 100000 --num-steps 30 --precision auto".split()
    # a process inherits what is ignored, as under nohup
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:
        while "step 48/" not in process.stdout.readline():
            assert process.poll() is None
        if number == signal.SIGPIPE:
            process.stdout.close()
            out = process.stderr.read()
            err = ""
        else:
            process.send_signal(number)
            out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (128 + number, "")
    assert f"To resume: charrnn-train --resume --checkpoint-dir {quoted(folder)}" in out

    n_steps = step_of(os.path.basename(newest_intact(folder).prefix))
    assert n_steps >= 48
    n_epochs = n_steps // 17 + 2
    assert resume(folder, "--epochs", str(n_epochs)) == 0


class World:
    """In place of mpi4py's communicator of two processes: the other one answers with a number."""

    rank = 0
    size = 2

    def __init__(self, answer):
        self.answer = answer

    def allgather(self, ours):
        return [ours, self.answer]


@pytest.mark.parametrize(
    "ours, theirs, agreed",
    [
        (None, 0, None),
        (signal.SIGTERM, 0, signal.SIGTERM),
        (None, signal.SIGINT, signal.SIGINT),
    ],
)
def test_several_processes_stop_where_one_is_asked_to(ours, theirs, agreed):
    assert MPIProcesses(World(theirs)).agree(ours) == agreed
