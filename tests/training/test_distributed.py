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
FLAGS = [
    "--batch-size",
    "6",
    "--num-steps",
    "3",
    "--lstm-size",
    "5",
    "--seed",
    "7",
    "--learning-rate",
    "0.001",
    "--save-every-n",
    "60",
    "--print-every-n",
    "10",
    "--sample-length",
    "0",
    "--no-summaries",
]
LONG = ["--epochs", "100000", "--save-every-n", "200", "--learning-rate", "0.0001"]
VALIDATED = ["--val-fraction", "0.2", "--eval-every-n", "30", "--epochs", "2"]

pytestmark = [
    pytest.mark.slow,  # .ci/run runs them in addition to the quick tests
    pytest.mark.skipif(
        not MPIEXEC.exists(), reason="there is no mpiexec: pip install -e '.[distributed]'"
    ),
]


def on(*processes):
    """Return the command that runs Python with the arguments of each process."""
    parts = [[":", "-n", "1", sys.executable, *map(str, arguments)] for arguments in processes]
    return [str(MPIEXEC), *sum(parts, [])[1:]]


def training(size, *flags, threads=(1, 1, 1)):
    """Return the command that trains on some processes, each with a number of threads."""
    return on(*[["-m", "charrnn", "train", *flags, "--threads", each] for each in threads[:size]])


def run(command, status=0, given=None):
    """Run a command, and return what it prints."""
    done = subprocess.run(
        command,
        input=given,
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
    found, other = (
        np.load(newest_intact(each).prefix + ".progress.npz") for each in (folder, expected)
    )
    for name in ("step", "best_step", "best_loss", "epoch_losses", "lstm_state"):
        np.testing.assert_allclose(found[name], other[name], rtol=within, atol=within, err_msg=name)


CASES = {
    "averages and validation": (VALIDATED + ["--average-decay", "0.9", "--keep-prob", "0.5"], 1e-5),
    "recurrent dropout": (
        ["--recurrent-keep-prob", "0.7", "--optimizer", "rmsprop", "--epochs", "2"],
        1e-5,
    ),
    "gru": (["--no-fused", "--cell", "gru", "--keep-prob", "1", "--epochs", "2"], 1e-5),
    "early stop": (VALIDATED + ["--early-stop", "1"], 1e-5),
    "another model": (["--init-from", "RUN", "--epochs", "2"], 1e-5),
    "a list": (
        ["--preset", "auto", "--precision", "float32", "--epochs", "2", "--early-stop", "0"],
        1e-5,
    ),
    "16,327 characters": (["--batch-size", "2", "--num-steps", "500", "--epochs", "2"], 1e-5),
    **({} if TENSORFLOW_1 else {"bfloat16": (["--precision", "bfloat16", "--epochs", "2"], 5e-3)}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_result_is_that_of_one_process(text_file, trained, tmp_path, name):
    """Also if the text is standard input, and the numbers of threads differ. Only the first process prints."""
    flags, within = CASES[name]
    if name == "16,327 characters":
        text_file.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 16327))), encoding="utf-8")
    if name == "a list":
        text_file.write_text("".join(corpus.read("names").text.splitlines(True)[:300]))
    if name == "early stop":  # what is held out becomes ever less probable
        text_file.write_text("abc " * 200 + "xyz\n" * 50)
    flags = [*FLAGS, *(str(trained) if flag == "RUN" else flag for flag in flags)]
    assert train.main([str(text_file), *flags, "--checkpoint-dir", str(tmp_path / "one")]) == 0
    output = run(
        training(2, "-", *flags, "--checkpoint-dir", tmp_path / "two", threads=[2, 1]),
        given=text_file.read_text(encoding="utf-8"),
    )
    assert_near(tmp_path / "two", tmp_path / "one", within)
    assert (tmp_path / "two" / "text.txt").read_bytes() == (
        tmp_path / "one" / "text.txt"
    ).read_bytes()
    assert ("\norder " in output) == (name == "a list")
    assert output.count("steps  ") == output.count("finished ") == 1


def test_a_run_resumes_on_any_number_of_processes(text_file, tmp_path):
    flags = [
        text_file,
        *FLAGS,
        "--optimizer",
        "rmsprop",
        "--grad-clip",
        "0.1",
        "--print-every-n",
        "19",
    ]
    assert (
        train.main([*map(str, flags), "--epochs", "3", "--checkpoint-dir", str(tmp_path / "one")])
        == 0
    )
    for epochs, size in [(1, 2), (2, 3), (3, 1)]:  # 57 steps make an epoch
        given = ["--resume", "--sample-length", "0"] if epochs > 1 else flags
        run(training(size, *given, "--epochs", epochs, "--checkpoint-dir", tmp_path / "several"))
    assert_near(tmp_path / "several", tmp_path / "one")


def test_resuming_is_exact(text_file, tmp_path):
    run(
        training(
            2, text_file, *FLAGS, "--epochs", "2", "--checkpoint-dir", tmp_path / "uninterrupted"
        )
    )
    shutil.copytree(str(tmp_path / "uninterrupted"), str(tmp_path / "run"))
    for path in (tmp_path / "run").glob("i114_*"):
        path.unlink()
    run(training(2, "--resume", "--sample-length", "0", "--checkpoint-dir", tmp_path / "run"))
    assert_same_run(tmp_path / "run", tmp_path / "uninterrupted")


def test_what_processes_exchange():
    """Threads are shared by processes of the same cores."""
    # two of them may be in a line
    printed = re.findall("{[^}]*}", run(on(*[[HERE / "exchange.py"]] * 3)))
    for rank, found in enumerate(sorted(map(json.loads, printed), key=lambda found: found["rank"])):
        assert found == {
            "rank": rank,
            "gathered": [0, 10, 20],
            "signals": [SIGTERM, None],
            "first": 5,
            "own cores": 4,
            "common cores": 2,
        }


def test_a_wrong_argument_is_one_line(text_file, tmp_path):
    for flags, message in [
        ([text_file, "--epoch"], "unrecognized arguments: --epoch"),
        (
            [text_file, "--batch-size", "7"],
            "batch_size 7 cannot be divided by 2 processes: choose a multiple of 2",
        ),
        (["-"], "standard input is empty"),
    ]:
        output = run(
            training(2, *flags, *FLAGS[2:], "--checkpoint-dir", tmp_path / "run"),
            status=2,
            given="",
        )
        (line,) = output.splitlines()
        assert line.startswith("charrnn-train: error: ") and message in line
    assert not (tmp_path / "run").exists()


class Background:
    """A run in the background, on two processes."""

    def __init__(self, folder, text, **variables):
        """Start the run, and wait until it trains."""
        self._log = folder / "log"
        self._folder = str(folder / "run")
        command = training(2, text, *FLAGS, *LONG, "--checkpoint-dir", self._folder)
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=process_environment(**variables)
            )
        self.wait_for(" step 10/")

    def wait_for(self, words):
        """Wait until words are printed."""
        deadline = time.monotonic() + PATIENCE
        while words not in self._log.read_text():
            assert time.monotonic() < deadline and self.process.poll() is None, (
                self._log.read_text()
            )
            time.sleep(0.1)

    def pid(self, rank):
        """Return the process id of a process of the run, or None if it has ended."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                called = (folder / "cmdline").read_text().split("\0")
                if (
                    self._folder in called
                    and f"PMI_RANK={rank}\0" in (folder / "environ").read_text()
                ):
                    return int(folder.name)
        return None

    def end(self, status):
        """Wait for the end, and return what was printed and the name of the newest checkpoint, which is intact."""
        assert self.process.wait(timeout=PATIENCE) == status, self._log.read_text()
        found = newest_intact(self._folder)
        assert found.skipped == ()
        return self._log.read_text(), Path(found.prefix).name


@pytest.mark.parametrize("rank, number", [(None, SIGTERM), (None, SIGINT), (1, SIGTERM)])
def test_a_signal_ends_all_processes_after_a_checkpoint(text_file, tmp_path, rank, number):
    """To mpiexec or to one process. The terminal sends SIGINT after Ctrl-C."""
    running = Background(tmp_path, text_file)
    os.kill(running.process.pid if rank is None else running.pid(rank), number)
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
    assert output.count("Traceback") == output.count(f"{kind}: 1") == 1


def test_after_head_the_checkpoints_are_intact(text_file, tmp_path):
    command = training(
        2, text_file, *FLAGS, "--save-every-n", "20", "--checkpoint-dir", tmp_path / "run"
    )
    assert " step 50/" in run(["sh", "-c", "\"$@\" | sed '/ step 50.*/q'", "sh", *command])
    assert newest_intact(tmp_path / "run").skipped == ()
