"""Training on several processes: real runs with MPI."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import numpy as np
import pytest
from conftest import TENSORFLOW_1, assert_same_run, process_environment, weights_of

from charrnn.checkpoints.find import newest_intact
from charrnn.commands import train
from charrnn.text import corpus

HERE = Path(__file__).resolve().parent
MPIEXEC = Path(sys.executable).with_name("mpiexec")
PATIENCE = 250  # seconds to wait for a run
FLAGS = (
    "--batch-size 6 --num-steps 3 --lstm-size 5 --seed 7 --learning-rate 0.001 --save-every-n 60 "
    "--print-every-n 10 --sample-length 0 --no-summaries"
).split()
WITHOUT_END = "--epochs 100000 --save-every-n 200 --learning-rate 0.0001".split()

pytestmark = [
    pytest.mark.slow,  # .ci/run runs them in addition to the quick tests
    pytest.mark.skipif(
        not MPIEXEC.exists(), reason="there is no mpiexec: pip install -e '.[distributed]'"
    ),
]


def on(*processes):
    """Return the command that runs Python with the arguments of each process."""
    command = [str(MPIEXEC)]
    for arguments in processes:
        # a colon parts the processes
        if len(command) > 1:
            command.append(":")
        command += ["-n", "1", sys.executable, *map(str, arguments)]
    return command


def training(size, flags, folder, threads=(1, 1, 1)):
    """Return the command that trains on some processes, each with a number of threads."""
    command = ["-m", "charrnn", "train", *flags, "--checkpoint-dir", folder]
    return on(*[[*command, "--threads", n] for n in threads[:size]])


def run(command, status=0, stdin=None):
    """Run a command, and return what it prints."""
    done = subprocess.run(
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        env=process_environment(),
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def assert_near(folder, expected, within=1e-5):
    """Check that two runs are at the same place, with weights, state and losses that differ by rounding only."""
    ours = weights_of(folder)
    theirs = weights_of(expected)
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=0, atol=within, err_msg=name)
    ours = progress_of(folder)
    theirs = progress_of(expected)
    for name in ("step", "best_step", "best_loss", "epoch_losses", "lstm_state"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=within, atol=within, err_msg=name)


def progress_of(folder):
    """Return what the newest checkpoint says of how far the run is."""
    return np.load(newest_intact(folder).prefix + ".progress.npz")


VALIDATED = "--val-fraction 0.2 --eval-every-n 30"
CASES = {
    "averages and validation": f"{VALIDATED} --average-decay 0.9 --keep-prob 0.5 --epochs 2",
    "recurrent dropout": "--recurrent-keep-prob 0.7 --optimizer rmsprop --epochs 2",
    "gru": "--no-fused --cell gru --keep-prob 1 --epochs 2",
    "early stop": f"{VALIDATED} --early-stop 1 --epochs 2",
    "another model": "--init-from RUN --epochs 2",
    "a list": "--preset auto --precision float32 --epochs 2 --early-stop 0",
    "16,327 characters": "--batch-size 2 --num-steps 500 --epochs 2",
}
if not TENSORFLOW_1:
    CASES["bfloat16"] = "--precision bfloat16 --epochs 2"


def write_text_of(name, path):
    """Write the text of a case, where it is another than that of text_file."""
    if name == "16,327 characters":
        path.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 16327))), encoding="utf-8")
    elif name == "a list":
        lines = corpus.read("names").text.splitlines(True)
        path.write_text("".join(lines[:300]))
    elif name == "early stop":  # what is held out becomes ever less probable
        path.write_text("abc " * 200 + "xyz\n" * 50)


@pytest.mark.parametrize("name", CASES)
def test_the_result_is_that_of_one_process(text_file, trained, tmp_path, name):
    """Also if the text is standard input, and the numbers of threads differ. Only the first process prints."""
    write_text_of(name, text_file)
    flags = FLAGS + CASES[name].replace("RUN", str(trained)).split()
    alone = tmp_path / "alone"
    together = tmp_path / "together"
    assert train.main([str(text_file), *flags, "--checkpoint-dir", str(alone)]) == 0
    output = run(
        training(2, ["-", *flags], folder=together, threads=[2, 1]),
        stdin=text_file.read_text(encoding="utf-8"),
    )

    assert_near(together, alone, within=5e-3 if name == "bfloat16" else 1e-5)
    assert (together / "text.txt").read_bytes() == (alone / "text.txt").read_bytes()
    assert ("\norder " in output) == (name == "a list")
    assert output.count("steps  ") == 1
    assert output.count("finished ") == 1


def test_a_run_resumes_on_any_number_of_processes(text_file, tmp_path):
    alone = tmp_path / "alone"
    several = tmp_path / "several"

    begin = [str(text_file), *FLAGS]
    begin += "--optimizer rmsprop --grad-clip 0.1 --print-every-n 19".split()
    resume = ["--resume"]

    assert train.main([*begin, "--epochs", "3", "--checkpoint-dir", str(alone)]) == 0
    # 57 steps make an epoch
    for epochs, size, flags in [(1, 2, begin), (2, 3, resume), (3, 1, resume)]:
        run(training(size, [*flags, "--epochs", epochs], folder=several))
    assert_near(several, alone)


def test_resuming_is_exact(text_file, tmp_path):
    expected = tmp_path / "uninterrupted"
    run(training(2, [text_file, *FLAGS, "--epochs", "2"], folder=expected))
    folder = Path(shutil.copytree(str(expected), str(tmp_path / "run")))
    for path in folder.glob("i114_*"):
        path.unlink()

    run(training(2, ["--resume"], folder=folder))
    assert_same_run(folder, expected)


def test_what_processes_exchange():
    """Threads are shared by processes of the same cores."""
    output = run(on(*[[HERE / "exchange.py"]] * 3))
    # two of them may be in a line
    exchanged = [json.loads(text) for text in re.findall("{[^}]*}", output)]
    exchanged.sort(key=lambda of_process: of_process["rank"])

    assert len(exchanged) == 3
    for rank, of_process in enumerate(exchanged):
        assert of_process == {
            "rank": rank,
            "gathered": [0, 10, 20],
            "signals": [SIGTERM, None],
            "first": 5,
            "own cores": 4,
            "common cores": 2,
        }


@pytest.mark.parametrize(
    "flags, message",
    [
        (["TEXT", "--epoch"], "unrecognized arguments: --epoch"),
        (
            ["TEXT", "--batch-size", "7"],
            "batch_size 7 cannot be divided by 2 processes: choose a multiple of 2",
        ),
        (["-"], "standard input is empty"),
    ],
)
def test_a_wrong_argument_is_one_line(text_file, tmp_path, flags, message):
    flags = [str(text_file) if flag == "TEXT" else flag for flag in flags]
    command = training(2, [*flags, *FLAGS[2:]], folder=tmp_path / "run")
    (line,) = run(command, status=2, stdin="").splitlines()
    assert line.startswith("charrnn-train: error: ")
    assert message in line
    assert not (tmp_path / "run").exists()


class Background:
    """A run in the background, on two processes."""

    def __init__(self, folder, text, **variables):
        """Start the run, and wait until it trains."""
        self._log = folder / "log"
        self._folder = str(folder / "run")
        command = training(2, [text, *FLAGS, *WITHOUT_END], folder=self._folder)
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=process_environment(**variables)
            )
        self.wait_for(" step 10/")

    def wait_for(self, words):
        """Wait until words are printed."""
        deadline = time.monotonic() + PATIENCE
        while words not in self._log.read_text():
            assert time.monotonic() < deadline, self._log.read_text()
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.1)

    def pid(self, rank):
        """Return the process id of a process of the run, or None if it has ended."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                arguments = (folder / "cmdline").read_text().split("\0")
                environment = (folder / "environ").read_text()
                if self._folder in arguments and f"PMI_RANK={rank}\0" in environment:
                    return int(folder.name)
        return None

    def end(self, status):
        """Wait for the end, and return what was printed and the name of the newest checkpoint, which is intact."""
        assert self.process.wait(timeout=PATIENCE) == status, self._log.read_text()
        newest = newest_intact(self._folder)
        assert newest.skipped == ()
        return self._log.read_text(), Path(newest.prefix).name


@pytest.mark.parametrize("rank, number", [(None, SIGTERM), (None, SIGINT), (1, SIGTERM)])
def test_a_signal_ends_all_processes_after_a_checkpoint(text_file, tmp_path, rank, number):
    """To mpiexec or to one process. The terminal sends SIGINT after Ctrl-C."""
    running = Background(tmp_path, text_file)
    pid = running.process.pid if rank is None else running.pid(rank)
    os.kill(pid, number)

    output, name = running.end(128 + number)
    (step,) = re.findall(
        f"stopped by {number.name} after step ([0-9,]+); the checkpoint is saved. To resume: "
        ".*mpiexec -n 2 .*--resume",
        output,
    )
    assert name == f"i{step.replace(',', '')}_l5.ckpt"


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_run(text_file, tmp_path, rank):
    running = Background(tmp_path, text_file)
    running.wait_for(" step 210/")  # after a checkpoint
    os.kill(running.pid(rank), SIGKILL)
    running.end(9)


@pytest.mark.parametrize("kind", ["KeyError", "ValueError"])
def test_an_exception_in_one_process_ends_all(kind):
    output = run(on(*[[HERE / "exchange.py", kind]] * 2), status=2)
    assert re.search("charrnn-train: process 1 failed, so training stops. To resume ", output)
    assert output.count("Traceback") == 1
    assert output.count(f"{kind}: 1") == 1


def test_after_head_the_checkpoints_are_intact(text_file, tmp_path):
    folder = tmp_path / "run"
    command = training(2, [text_file, *FLAGS, "--save-every-n", "20"], folder=folder)
    output = run(["sh", "-c", "\"$@\" | sed '/ step 50.*/q'", "sh", *command])
    assert " step 50/" in output
    assert newest_intact(folder).skipped == ()
