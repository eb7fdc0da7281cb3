"""Training on several processes: their shares of the work, errors, and real runs with Horovod."""
import contextlib
import importlib.util
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT, TEXT, assert_same_run, history_of, process_environment, weights_of

from charrnn import checkpoints
from charrnn.commands import train
from charrnn.engines.surprisal import surprisal
from charrnn.system.tensorflow import tf
from charrnn.training import distributed
from charrnn.training.distributed import UNREAD_TIME, HorovodProcesses, OtherProcessFailed

C, N, M, L = 5, 6, 3, 4


def member(rank, size=2):
    """Return a HorovodProcesses without Horovod."""
    processes = object.__new__(HorovodProcesses)
    processes.rank, processes.size = rank, size
    return processes


# Shares


def test_each_process_has_equal_and_contiguous_rows():
    assert [member(rank, 3).rows(6) for rank in range(3)] == [(0, 2), (2, 4), (4, 6)]


@pytest.mark.parametrize("fused, keep_prob", [(True, 0.5), pytest.param(False, 1.0, marks=pytest.mark.slow)])
def test_shares_make_up_the_step_of_the_whole_batch(fused, keep_prob):
    """The same initial weights; the mean of the losses and gradients; the state row by row; and the same masks."""
    random = np.random.RandomState(3)
    x, y = random.randint(0, C, (N, M)), random.randint(0, C, (N, M))

    def results(rows):
        model = training_graph(C, N, M, L, 2, seed=7, fused=fused, threads=1, rows=rows)
        variables = tf.trainable_variables()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            feed = {model.inputs: x[slice(*rows)], model.targets: y[slice(*rows)], model.keep_prob: keep_prob}
            return session.run([variables, [model.loss, *tf.gradients(model.loss, variables)], model.final_state],
                               {**feed, **({model.mask_seed: (7, 3)} if fused else {})})

    weights, means, state = results((0, N))
    parts = [results((0, 3)), results((3, N))]
    for part in parts:
        for found, expected in zip(part[0], weights):
            np.testing.assert_array_equal(found, expected)
    for found, other, expected in zip(parts[0][1], parts[1][1], means):
        np.testing.assert_allclose((found + other) / 2, expected, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([part[2] for part in parts], axis=2), state, atol=1e-6)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("length", [3, 250])
def test_shares_make_up_the_surprisal_of_a_text(engines, length, size):
    ids = np.random.RandomState(2).randint(0, 14, length)
    shares = [surprisal(engines[1], ids, 4, (rank, size)) for rank in range(size)]
    np.testing.assert_allclose(sum(shares), surprisal(engines[1], ids, 4), atol=1e-5)
    assert (np.count_nonzero(shares, axis=0) == 1).all()


# Errors


def test_a_process_that_does_not_start_is_named_after_a_deadline(monkeypatch, capsys):
    """Not before it was said that the others wait for it."""
    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self):
            self.send_response(200)
            self.end_headers()

        def do_GET(self):
            self.send_response(200 if self.path.endswith("/0") else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(distributed, "TOLD_EVERY", 0)
    for name, value in dict(GLOO_RENDEZVOUS_ADDR="127.0.0.1", GLOO_RENDEZVOUS_PORT=server.server_port, RANK=0, SIZE=2,
                            START_TIMEOUT=1).items():
        monkeypatch.setenv(f"HOROVOD_{name}", str(value))
    with pytest.raises(ValueError, match="process 1 of 2 has not started within 1 s"):
        distributed._wait_for_all()
    server.shutdown()
    server.server_close()
    assert "charrnn-train: waiting for process 1 of 2\n" in capsys.readouterr().err


def test_a_launcher_that_cannot_be_reached_is_named(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in dict(GLOO_RENDEZVOUS_ADDR="127.0.0.1", GLOO_RENDEZVOUS_PORT=port, RANK=1, SIZE=2).items():
        monkeypatch.setenv(f"HOROVOD_{name}", str(value))
    with pytest.raises(OSError, match=f"the host {socket.gethostname()} cannot reach horovodrun at 127.0.0.1:{port} "
                                      ".Connection refused.: check the network"):
        distributed._wait_for_all()


def test_a_server_that_is_no_launcher_is_named(monkeypatch):
    def answer():
        connection, _ = other.accept()
        with connection, connection.makefile("rb") as request:
            while request.readline().strip():
                pass
            request.read(len("ready"))
            connection.sendall(b"220 mail\r\n")

    for name, value in dict(GLOO_RENDEZVOUS_ADDR="127.0.0.1", RANK=1, SIZE=2).items():
        monkeypatch.setenv(f"HOROVOD_{name}", str(value))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        monkeypatch.setenv("HOROVOD_GLOO_RENDEZVOUS_PORT", str(other.getsockname()[1]))
        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(OSError, match="cannot reach horovodrun at .* .220 mail.: check the network"):
            distributed._wait_for_all()


def test_the_environment_of_horovodrun_must_be_whole(monkeypatch):
    monkeypatch.delenv("HOROVOD_GLOO_RENDEZVOUS_ADDR", raising=False)
    with pytest.raises(ValueError, match="HOROVOD_GLOO_RENDEZVOUS_ADDR is not: start the processes with horovodrun"):
        distributed._wait_for_all()


def test_standard_input_does_not_pass_horovodrun(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOROVOD_RANK", "0")
    assert train.main(["-", "--checkpoint-dir", str(tmp_path / "run")]) == 2
    assert "horovodrun does not pass on standard input: write the text to a file" in capsys.readouterr().err


def test_an_error_of_all_processes_is_raised_in_the_first(monkeypatch):
    monkeypatch.setattr(distributed, "GRACE", 0)
    monkeypatch.setattr(distributed.signal, "signal", lambda *_: None)
    for rank, kind in [(0, ValueError), (1, OtherProcessFailed)]:
        with pytest.raises(kind):
            with member(rank).watched("folder"):
                raise ValueError("the loss is nan")


def test_the_launchers_sigterm_does_not_interrupt_the_report_of_a_lost_process():
    """It comes while the error is raised through the closing of sessions and files."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    processes = member(0)
    processes._members = [(socket.gethostname(), os.getpid()), (socket.gethostname(), dead.pid)]
    usual = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(OSError, match=f"process 1 .process id {dead.pid}. on the host .* has ended, so training"):
            with processes.watched("folder"):
                try:
                    raise tf.errors.UnknownError(None, None, "Horovod has been shut down")
                finally:
                    os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(OtherProcessFailed):
            with processes.watched("folder"):
                os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, usual)


@pytest.mark.parametrize("found, message", [
    (None, "horovod is not installed on the host two: .*make venv-distributed"),
    (SimpleNamespace(), "the host two has no address for its own name")], ids=["package", "address"])
def test_what_a_host_lacks_is_printed_by_one_of_its_processes(monkeypatch, found, message):
    def unknown(*_):
        raise OSError

    monkeypatch.setattr(distributed, "socket", SimpleNamespace(gethostname=lambda: "two", getaddrinfo=unknown))
    monkeypatch.setitem(sys.modules, "horovod", SimpleNamespace(tensorflow=found))
    monkeypatch.setitem(sys.modules, "horovod.tensorflow", found)
    for name in ("HOROVOD_LOG_LEVEL", "TF_OVERRIDE_GLOBAL_THREADPOOL"):
        monkeypatch.setenv(name, "")  # restored after the test
    monkeypatch.setenv("HOROVOD_SIZE", "4")
    monkeypatch.setenv("HOROVOD_LOCAL_RANK", "0")
    with pytest.raises(ValueError, match=message):
        distributed.start_processes()
    monkeypatch.setenv("HOROVOD_LOCAL_RANK", "1")
    with pytest.raises(OtherProcessFailed):
        distributed.start_processes()


# The output


@pytest.fixture
def pipes():
    """A function that makes a pipe, full or not, and returns the descriptors of its two ends."""
    made = []

    def make(full):
        reading, writing = os.pipe()
        made.extend([open(reading, "rb"), open(writing, "wb")])
        if full:
            os.set_blocking(writing, False)
            with pytest.raises(BlockingIOError):
                while True:
                    os.write(writing, bytes(1 << 16))
            os.set_blocking(writing, True)
        return reading, writing

    yield make
    for file in made:
        file.close()


@pytest.mark.parametrize("own_is_full, output, expected", [
    (False, "gone", (1, True)), (True, "file", (UNREAD_TIME, False)), (True, "unknown", (UNREAD_TIME, False)),
    (True, "slow", None), (False, "file", None), (False, "slow", None)])
def test_an_output_that_nobody_reads_is_told_from_a_slow_reader(monkeypatch, pipes, own_is_full, output, expected):
    """After some seconds, or never; and whether it was the reader of horovodrun's output that has gone."""
    naps, found = [], None

    def nap(seconds):
        naps.append(seconds)
        if sum(naps) > 3 * UNREAD_TIME:
            raise TimeoutError

    monkeypatch.setattr(distributed, "time", SimpleNamespace(sleep=nap))
    _, own = pipes(own_is_full)
    with open(os.devnull, "wb") as file:
        reading, writing = pipes(output == "slow")
        if output == "gone":
            os.dup2(file.fileno(), reading)
        given = {"unknown": None, "file": file.fileno()}.get(output, writing)
        with contextlib.suppress(TimeoutError):
            left = distributed._wait_until_unread(own, given)
            found = sum(naps), left
    assert found == expected


@pytest.mark.parametrize("left", [True, False])
def test_a_line_that_waits_for_a_reader_is_dropped(monkeypatch, pipes, capsys, left):
    """The run stops if the reader of horovodrun's output has gone, and goes on if horovodrun cannot write it."""
    usual = {number: signal.getsignal(number) for number in (
        signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)}
    _, full = pipes(True)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(fileno=lambda: full))
    gone = threading.Event()
    monkeypatch.setattr(distributed, "_wait_until_unread", lambda *_: gone.wait() and left)
    processes = member(0)
    processes._session = SimpleNamespace(run=lambda tensor, feed: feed[processes._number])
    processes._largest, processes._number = "largest", "number"
    try:
        processes._follow_reader()
        assert processes.agree(None) is None
        threading.Timer(0.2, gone.set).start()  # while the next line waits
        assert os.write(full, b"a line") == 6
        assert processes.agree(None) == (signal.SIGPIPE if left else None)
        assert capsys.readouterr().err.count("training continues") == (not left)
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


# Real runs

needs_horovod = pytest.mark.skipif(
    not importlib.util.find_spec("horovod"), reason="Horovod is not installed: make venv-distributed")
FLAGS = ["--batch-size", "6", "--num-steps", "3", "--lstm-size", "5", "--seed", "7", "--learning-rate", "0.01",
         "--save-every-n", "60", "--print-every-n", "10", "--sample-length", "0", "--no-summaries"]
LONG = ["--epochs", "100000", "--save-every-n", "10000000", "--learning-rate", "0.0001"]
PATIENCE = 500  # seconds to wait for a run
# horovodrun without its traceback, as make starts it
LAUNCH = re.search('^horovodrun := -c "(.*)"$', (ROOT / "Makefile").read_text(), re.MULTILINE)[1]


def real(test):
    return pytest.mark.slow(needs_horovod(test))


def command(size, *flags):
    """Return the command that trains on a number of processes, in the foreground of horovodrun if more than one."""
    train = [sys.executable, "-m", "charrnn", "train", *map(str, flags)]
    return train if size == 1 else [sys.executable, "-c", LAUNCH, "-np", str(size), "--gloo", *train]


def run_on(size, *flags, status=0):
    """Train on a number of processes, and return what is printed."""
    done = subprocess.run(command(size, *flags), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=PATIENCE, env=process_environment())
    assert done.returncode == status, done.stdout
    return done.stdout


def assert_near(folder, expected):
    """Check that two runs are at the same place, with weights, state and losses that differ by rounding only."""
    ours, theirs = weights_of(folder), weights_of(expected)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=0, atol=1e-5, err_msg=name)
    found, progress = (np.load(checkpoints.newest_intact(each).prefix + ".progress.npz") for each in (folder, expected))
    for name in set(progress.files) - {"history"}:  # which has the speed
        np.testing.assert_allclose(found[name], progress[name], rtol=1e-4, atol=1e-5, err_msg=name)
    rows, others = history_of(folder), history_of(expected)
    assert [row["step"] for row in rows] == [row["step"] for row in others]
    for name in ("loss", "val_loss", "gradient_norm"):
        assert [float(row[name] or 0) for row in rows] == pytest.approx(
            [float(row[name] or 0) for row in others], abs=1e-5)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text"
    path.write_text(TEXT, encoding="utf-8")
    return path


class Background:
    """A run in the background, and what it prints."""

    def __init__(self, *flags, terminal=False):
        """Start the run, and wait until it trains."""
        environment = process_environment(CHARRNN_TEST=str(time.time()))
        self._mark = f"CHARRNN_TEST={environment['CHARRNN_TEST']}"
        self.output, master, slave = "", *(pty.openpty() if terminal else os.pipe())
        self._process = subprocess.Popen(
            command(2, *flags), stdin=slave if terminal else None, stdout=slave, stderr=slave, env=environment,
            preexec_fn=_new_terminal if terminal else None)
        os.close(slave)
        self.pid, self._terminal, self._reader = self._process.pid, master, threading.Thread(target=self._read)
        self._reader.start()
        self.wait_for(" step 10/")

    def wait_for(self, words):
        """Wait until words are printed."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.output:
            assert time.monotonic() < deadline and self._reader.is_alive(), self.output
            time.sleep(0.1)

    def _read(self):
        while True:
            try:
                found = os.read(self._terminal, 10000)
            except OSError:  # a terminal that is closed
                return
            if not found:
                return
            self.output += found.decode("utf-8", "replace")

    def pids(self):
        """Return the process ids by rank."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().decode().split("\0")
                called = (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            rank = [value[13:] for value in environment if value.startswith("HOROVOD_RANK=")]
            if self._mark in environment and rank and called[1:3] == ["-m", "charrnn", "train"]:
                found[int(rank[0])] = int(folder.name)
        return [found[rank] for rank in sorted(found)]

    def press_ctrl_c(self):
        os.write(self._terminal, b"\x03")

    def end(self):
        """Wait for the end, and return what was printed."""
        self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        return self.output


def _new_terminal():
    import fcntl
    import termios
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@real
@pytest.mark.parametrize("flags", [
    ["--average-decay", "0.9", "--val-fraction", "0.2", "--eval-every-n", "30", "--epochs", "5"],
    ["--no-fused", "--keep-prob", "1", "--epochs", "4"]], ids=["averages", "dynamic_rnn"])
def test_the_result_is_that_of_one_process(text, tmp_path, flags):
    flags = [*FLAGS, "--keep-prob", "0.5", "--learning-rate", "0.001", *flags]
    run_on(1, text, *flags, "--checkpoint-dir", tmp_path / "one")
    output = run_on(2, text, *flags, "--checkpoint-dir", tmp_path / "several")
    assert_near(tmp_path / "several", tmp_path / "one")
    assert int(history_of(tmp_path / "one")[-1]["step"]) >= 200
    assert "[1]<std" not in output  # only the first process prints


@real
def test_a_run_resumes_on_any_number_of_processes(text, tmp_path):
    flags = [*FLAGS, "--learning-rate", "0.001", "--optimizer", "rmsprop", "--grad-clip", "0.1",
             "--print-every-n", "19"]  # 57 steps make an epoch
    run_on(1, text, *flags, "--epochs", "3", "--checkpoint-dir", tmp_path / "one")
    for epochs, size in [(1, 2), (2, 3), (3, 1)]:
        given = ["--resume"] if epochs > 1 else [text, *flags]
        run_on(size, *given, "--sample-length", "0", "--epochs", epochs, "--checkpoint-dir", tmp_path / "several")
    assert_near(tmp_path / "several", tmp_path / "one")


@real
def test_resuming_is_exact(text, tmp_path):
    run_on(2, text, *FLAGS, "--epochs", "2", "--checkpoint-dir", tmp_path / "uninterrupted")
    shutil.copytree(str(tmp_path / "uninterrupted"), str(tmp_path / "run"))
    for path in (tmp_path / "run").glob("i114_*"):
        path.unlink()
    run_on(2, "--resume", "--sample-length", "0", "--checkpoint-dir", tmp_path / "run")
    assert_same_run(tmp_path / "run", tmp_path / "uninterrupted")


@real
@pytest.mark.parametrize("terminal, stop", [
    (True, lambda run: run.press_ctrl_c()), (False, lambda run: os.kill(run.pid, signal.SIGTERM)),
    (False, lambda run: os.kill(run.pids()[1], signal.SIGTERM))], ids=["ctrl-c", "the launcher", "one process"])
def test_a_signal_ends_all_processes_after_a_checkpoint(text, tmp_path, terminal, stop):
    run = Background(text, *FLAGS, *LONG, "--checkpoint-dir", tmp_path / "run", terminal=terminal)
    stop(run)
    output = run.end()
    step, = re.findall("stopped by Ctrl-C or SIGTERM after step ([0-9,]+); the checkpoint is saved. To resume: "
                       ".*horovodrun -np 2 .*--resume", output)
    assert checkpoints.newest_intact(tmp_path / "run").prefix.endswith(f"i{step.replace(',', '')}_l5.ckpt")
    assert "Traceback" not in output


@real
def test_a_reader_of_the_output_that_leaves_ends_all_processes_after_a_checkpoint(text, tmp_path):
    """As in ``horovodrun ... | head``."""
    flags = [text, *FLAGS, *LONG, "--print-every-n", "1", "--checkpoint-dir", tmp_path / "run"]
    with open(str(tmp_path / "errors"), "wb") as errors, subprocess.Popen(
            command(2, *flags), stdout=subprocess.PIPE, stderr=errors, env=process_environment()) as process:
        while b" step 3/" not in process.stdout.readline():
            assert process.poll() is None
        process.stdout.close()
        process.wait(timeout=PATIENCE)
    step, = re.findall("charrnn-train: stopped by SIGPIPE after step ([0-9,]+); the checkpoint is saved",
                       (tmp_path / "errors").read_text())
    assert checkpoints.newest_intact(tmp_path / "run").prefix.endswith(f"i{step.replace(',', '')}_l5.ckpt")


@real
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_is_named_and_the_others_end(text, tmp_path, rank):
    # A process that saves when another is lost has the 5 seconds of horovodrun to end this and to print the error.
    run = Background(text, *FLAGS, *LONG, "--save-every-n", "200", "--checkpoint-dir", tmp_path / "run")
    run.wait_for("saved")
    pid = run.pids()[rank]
    os.kill(pid, signal.SIGKILL)
    output = run.end()
    assert output.count("charrnn-train: error: ") == 1, output
    line, = re.findall("charrnn-train: error: .*", output)
    assert f"process {rank} (process id {pid}) on the host " in line and "--resume" in line
    assert "Traceback" not in output and checkpoints.newest_intact(tmp_path / "run").skipped == ()


@real
def test_errors_are_printed_once(text, tmp_path):
    for flags, message in [
            (["--batch-size", "7"], "--batch-size 7 cannot be divided by 2 processes: choose a multiple of 2"),
            (["--init-from", tmp_path / "none"], "there is no file or folder")]:
        output = run_on(2, text, *FLAGS, *flags, "--checkpoint-dir", tmp_path / "run", status=1)
        assert output.count("charrnn-train: error:") == 1 and message in output
    assert not (tmp_path / "run").exists()


# Two hosts in network namespaces


def _ip(*arguments):
    return subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture
def hosts(tmp_path):
    """Two network namespaces that are connected by a link: pairs of a name and an address."""
    if not (shutil.which("ip") and shutil.which("unshare")):
        pytest.skip("the commands ip and unshare are needed to make two hosts")
    made = [(f"charrnn{os.getpid()}{end}", f"10.213.7.{number}") for number, end in [(1, "a"), (2, "b")]]
    try:
        for name, _ in made:
            if _ip("netns", "add", name).returncode:
                pytest.skip("network namespaces are not permitted here")
        if _ip("link", "add", "charrnn0", "netns", made[0][0], "type", "veth",
               "peer", "name", "charrnn0", "netns", made[1][0]).returncode:
            pytest.skip("links between network namespaces are not permitted here")
        for name, address in made:
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "charrnn0")
            for device in ("lo", "charrnn0"):
                _ip("-n", name, "link", "set", device, "up")
        (tmp_path / "hosts").write_text("".join(f"{address} host{rank}\n" for rank, (_, address) in enumerate(made)))
        yield made
    finally:
        for name, _ in made:
            _ip("netns", "delete", name)


class TwoHosts:
    """A process on each of two hosts, started by hand as horovodrun starts them by ssh."""

    def __init__(self, hosts, names, *flags):
        self._names = str(names)
        inside = ["ip", "netns", "exec", hosts[0][0]]
        self._server = subprocess.Popen(
            [*inside, sys.executable, str(ROOT / "tests" / "training" / "rendezvous.py"),
             ",".join(f"{address}:1" for _, address in hosts)], stdout=subprocess.PIPE, universal_newlines=True)
        port = self._server.stdout.readline().strip()
        self.processes = [self._start(rank, name, address, hosts[0][1], port, flags)
                          for rank, (name, address) in enumerate(hosts)]

    def _start(self, rank, name, address, meeting, port, flags):
        environment = process_environment(
            HOROVOD_HOSTNAME=address, HOROVOD_RANK=str(rank), HOROVOD_SIZE="2", HOROVOD_LOCAL_RANK="0",
            HOROVOD_LOCAL_SIZE="1", HOROVOD_CROSS_RANK=str(rank), HOROVOD_CROSS_SIZE="2", HOROVOD_CONTROLLER="gloo",
            HOROVOD_GLOO_RENDEZVOUS_ADDR=meeting, HOROVOD_GLOO_RENDEZVOUS_PORT=port, HOROVOD_CPU_OPERATIONS="gloo",
            HOROVOD_GLOO_IFACE="charrnn0", PYTHONUNBUFFERED="1")
        return subprocess.Popen(
            ["ip", "netns", "exec", name, "unshare", "--uts", "--mount", "sh", "-c",
             'hostname "$0" && mount --bind "$1" /etc/hosts && shift && exec "$@"', f"host{rank}", self._names,
             sys.executable, "-m", "charrnn", "train", *map(str, flags)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, env=environment)

    def close(self):
        for process in [self._server, *self.processes]:
            process.kill()
            process.wait()
            process.stdout.close()


@real
def test_a_link_that_is_cut_ends_the_run_on_both_hosts(text, tmp_path, hosts):
    run = TwoHosts(hosts, tmp_path / "hosts", text, *FLAGS, *LONG, "--checkpoint-dir", tmp_path / "run")
    try:
        for line in run.processes[0].stdout:
            if " step 10/" in line:
                break
        _ip("-n", hosts[0][0], "link", "set", "charrnn0", "down")
        outputs = [process.communicate(timeout=PATIENCE)[0] for process in run.processes]  # 30 s if nothing else runs
    finally:
        run.close()
    for rank, output in enumerate(outputs):
        line, = re.findall("charrnn-train: error: .*", output)
        assert f"the connection to host{1 - rank} (processes {1 - rank}) was lost" in line and "--resume" in line
