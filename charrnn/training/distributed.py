"""Training on several processes with Horovod: what they exchange. One process exchanges nothing.

Each process trains on some rows of every batch, and carries the state of these rows. The gradients are averaged over
the processes before they are clipped, so all processes do the update that one process would do with the whole batch.
Only the first process, which has rank 0, reads and writes the run folder and prints.

Source: Sergeev and Del Balso 2018, arXiv:1802.05799.
"""
import contextlib
import http.client
import os
import pickle
import select
import signal
import socket
import stat
import sys
import threading
import time
from typing import Any, Callable, ContextManager, Dict, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.data import StrPath
from charrnn.system import console, machine
from charrnn.training.stopping import SIGNALS

INSTALL = ("Horovod started this process, but the package horovod is not installed on the host {}: install the extra "
           "'distributed' there (make venv-distributed)")
NO_ADDRESS = "the host {} has no address for its own name, which Horovod needs: add the name to /etc/hosts"
UNREACHABLE = ("the host {} cannot reach horovodrun at {}:{} ({}): check the network between the hosts, or "
               "name another one with horovodrun --network-interface")
TIMEOUT = 20  # seconds without a connection after which a process counts as lost
START_TIMEOUT = 120  # seconds in which all processes must have started
TOLD_EVERY = 10  # seconds between lines that say which process is missing
PATIENCE = 3  # seconds in which a killed process disappears from the list of processes
UNREAD_TIME = 60  # seconds of a full pipe to horovodrun after which it counts as no longer read
GRACE = 1  # seconds in which the first process prints an error before the others end and the launcher ends it too
FAILED = 2  # exit status


class OtherProcessFailed(SystemExit):
    """Ends a process silently, because another one prints the error."""


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
        """Return tensors averaged over the processes, as part of the training graph."""
        return list(tensors)

    def synchronize(self, session: Any) -> None:
        """Give all variables of the session's graph the values that they have in the first process."""

    def gather(self, value: Any) -> List[Any]:
        """Return the values of all processes, in the order of their ranks. Each process waits for the others."""
        return [value]

    def agree(self, stop: Optional[signal.Signals]) -> Optional[signal.Signals]:
        """Return the signal that any of the processes has received, or None. It is the same in all of them."""
        return stop

    def cause(self, stop: signal.Signals) -> str:
        """Return what to call a signal that has ended the training."""
        return stop.name

    def from_first(self, function: Callable[[], Any]) -> Any:
        """Call a function in the first process only, and return its result in all.

        If it raises a ValueError or OSError, the first process raises it, and the others end silently.
        """
        return function()

    def watched(self, folder: StrPath) -> ContextManager:
        """End a block with an error that names the lost process if another process is lost in it.

        A ValueError in the block must be the same in all processes; the first one raises it.

        Args:
            folder: the run folder, for the advice how to resume.
        """
        return contextlib.nullcontext()


class HorovodProcesses(Processes):
    """The form for the processes, one or several, that ``horovodrun`` started."""

    _reader_left = False

    def __init__(self) -> None:
        os.environ.setdefault("HOROVOD_GLOO_TIMEOUT_SECONDS", str(TIMEOUT))
        os.environ.setdefault("HOROVOD_LOG_LEVEL", "fatal")  # a lost process is reported by watched()
        # else the settings of the small session below would hold for the training too
        os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")
        from charrnn.system.tensorflow import tf
        hvd = _connected()
        self._hvd, self.rank, self.size, self._local_size = hvd, hvd.rank(), hvd.size(), hvd.local_size()
        with tf.Graph().as_default() as graph:
            self._bytes, self._number = tf.placeholder(tf.uint8, [None]), tf.placeholder(tf.float64, [])
            self._lengths, self._gathered = (
                hvd.allgather(tensor, name=name) for name, tensor in [
                    ("lengths", tf.shape(self._bytes)), ("bytes", self._bytes)])
            self._largest = hvd.allreduce(self._number, op=hvd.Max, name="largest")
        self._session = tf.Session(graph=graph, config=tf.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, use_per_session_threads=True))
        self._members: List[Tuple[str, int]] = self.gather((socket.gethostname(), os.getpid()))
        if self.rank == 0:
            self._follow_reader()

    def threads(self, threads):
        from charrnn.fused.session import thread_count
        return threads or max(1, thread_count() // self._local_size)

    def average(self, tensors):
        return [self._hvd.allreduce(tensor, op=self._hvd.Average) for tensor in tensors]

    def synchronize(self, session):
        from charrnn.system.tensorflow import tf
        with session.graph.as_default():
            session.run(self._hvd.broadcast_variables(tf.global_variables(), root_rank=0))

    def gather(self, value):
        message = np.frombuffer(pickle.dumps(value), np.uint8)  # from a process of this run, so it can be trusted
        lengths, gathered = self._session.run([self._lengths, self._gathered], {self._bytes: message})
        return [pickle.loads(part.tobytes()) for part in np.split(gathered, np.cumsum(lengths)[:-1])]

    def _follow_reader(self) -> None:
        """Drop the output once nobody reads it. After ``horovodrun ... | head``, also ask for an end of training."""
        def follow(main: int) -> None:
            self._reader_left = _wait_until_unread(sys.stdout.fileno(), _output_of_launcher())
            console.drop_output(sys.stdout)
            if not self._reader_left:
                console.print_note("charrnn-train: horovodrun no longer reads what is printed; training continues")
            signal.pthread_kill(main, signal.SIGPIPE)  # it interrupts a line that waits in the full pipe

        signal.signal(signal.SIGPIPE, lambda *_: None)
        threading.Thread(target=follow, args=[threading.get_ident()], daemon=True).start()

    def agree(self, stop):
        stop = stop or (signal.SIGPIPE if self._reader_left else None)
        number = int(self._session.run(self._largest, {self._number: stop or 0}))
        if not number:
            return None
        for name in SIGNALS:  # the launcher may send another one, which must not interrupt the last checkpoint
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        return signal.Signals(number)

    def cause(self, stop):
        return "Ctrl-C or SIGTERM" if stop == signal.SIGTERM else stop.name  # horovodrun sends SIGTERM after Ctrl-C

    def from_first(self, function):
        if self.rank:
            result, has_failed = self.gather(None)[0]
            if has_failed:
                time.sleep(GRACE)
                raise OtherProcessFailed(FAILED)
            return result
        try:
            result = function()
        except (ValueError, OSError):
            self.gather((None, True))
            raise
        return self.gather((result, False))[0][0]

    @contextlib.contextmanager
    def watched(self, folder):
        from charrnn.system.tensorflow import tf

        def end(number: int, _frame: Any) -> None:
            if not isinstance(sys.exc_info()[1], tf.errors.OpError):
                raise OtherProcessFailed(128 + number)

        # The launcher sends SIGTERM to all other processes when one has ended. It must not interrupt the report below,
        # nor the closing of sessions and files on the way to it.
        signal.signal(signal.SIGTERM, end)
        try:
            yield
        except ValueError:  # the same in all processes, such as a loss that is not finite
            if self.rank:
                time.sleep(GRACE)
                raise OtherProcessFailed(FAILED)
            raise
        except tf.errors.OpError as error:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if "Horovod" not in str(error):
                raise
            lost = self._lost()
            host, _ = self._members[self.rank]
            survivors = [rank for rank, member in enumerate(self._members) if member[0] == host and rank not in lost]
            if self.rank != survivors[0]:
                time.sleep(GRACE)
                raise OtherProcessFailed(FAILED)
            raise OSError(f"{self._describe(lost)}, so training stops. To resume from the last checkpoint, on any "
                          f"number of processes: {console.resume_command(folder)}")

    def _lost(self) -> List[int]:
        """Return the ranks of the processes on this host that no longer run."""
        host, deadline = self._members[self.rank][0], time.monotonic() + PATIENCE
        while True:
            lost = [rank for rank, (other, pid) in enumerate(self._members)
                    if other == host and not machine.is_running(pid)]
            if lost or time.monotonic() > deadline:
                return lost
            time.sleep(0.1)

    def _describe(self, lost: Sequence[int]) -> str:
        if lost:
            return "; ".join(f"process {rank} (process id {pid}) on the host {host} has ended"
                             for rank, (host, pid) in enumerate(self._members) if rank in lost)
        own = self._members[self.rank][0]
        others: Dict[str, List[str]] = {}
        for rank, (host, _) in enumerate(self._members):
            if host != own:
                others.setdefault(host, []).append(str(rank))
        named = " or ".join(f"{host} (processes {', '.join(ranks)})" for host, ranks in others.items())
        return f"the connection to {named or 'another process'} was lost"


def _connected() -> Any:
    """Connect the processes, and return Horovod's module.

    Raises:
        ValueError: something is missing on this host. One process of the host raises it; the others end silently.
    """
    host = socket.gethostname()
    try:
        import horovod.tensorflow as hvd
        socket.getaddrinfo(host, None)  # Horovod crashes if the name is unknown
    except (ImportError, OSError) as error:
        if int(os.environ.get("HOROVOD_LOCAL_RANK") or 0):
            raise OtherProcessFailed(FAILED)
        raise ValueError((INSTALL if isinstance(error, ImportError) else NO_ADDRESS).format(host))
    _wait_for_all()
    hvd.init()
    return hvd


def _output_of_launcher() -> Optional[int]:
    """Return a descriptor for the output of the horovodrun that started this process, or None if there is none.

    horovodrun starts each process in a session, whose leader is its child.
    """
    try:
        with open(f"/proc/{os.getsid(0)}/stat", encoding="ascii", errors="replace") as file:
            launcher = file.read().rpartition(")")[2].split()[1]
        return os.open(f"/proc/{launcher}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # not Linux, or a socket, or horovodrun runs on another host
        return None


def _wait_until_unread(own: int, output: Optional[int]) -> bool:
    """Wait until nobody reads what this process prints. Return whether the reader of horovodrun's output has gone.

    A thread of horovodrun reads it, and ends without a word when it cannot write, for example to a full disk.

    Args:
        own: descriptor of the pipe to horovodrun.
        output: descriptor of the output of horovodrun, or None if it is not known.
    """
    poll, full_for = select.poll(), 0
    for descriptor in (own,) if output is None else (own, output):
        poll.register(descriptor, select.POLLOUT)
    is_pipe = output is not None and stat.S_ISFIFO(os.fstat(output).st_mode)
    while full_for < UNREAD_TIME:
        time.sleep(1)
        ready: Dict[Optional[int], int] = dict(poll.poll(0))
        if is_pipe and ready.get(output, 0) & select.POLLERR:
            return True
        is_slow = output is not None and output not in ready  # a reader that waits, such as less
        full_for = 0 if own in ready or is_slow else full_for + 1
    return False


def start_processes() -> Processes:
    """Return the processes that this one trains with: those that ``horovodrun`` started, or itself alone.

    Raises:
        ValueError: Horovod started this process, but is not installed, or the name of this host has no address; or a
            variable of the environment that horovodrun sets is missing.
        OSError: horovodrun cannot be reached.
    """
    return HorovodProcesses() if "HOROVOD_SIZE" in os.environ else Processes()


def _wait_for_all() -> None:
    """Wait until all processes have reached this point, since Horovod waits for them no longer than TIMEOUT.

    Each process reports to the key-value store of horovodrun, in which Horovod finds their addresses afterwards.
    """
    names = [f"HOROVOD_{name}" for name in ("GLOO_RENDEZVOUS_ADDR", "GLOO_RENDEZVOUS_PORT", "RANK", "SIZE")]
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ValueError(f"HOROVOD_SIZE is set, but {missing[0]} is not: start the processes with horovodrun")
    address, port, rank, size = (os.environ[name] for name in names)

    def answer(method: str, key: Any) -> int:
        with contextlib.closing(http.client.HTTPConnection(address, int(port), timeout=TIMEOUT)) as connection:
            try:
                connection.request(method, f"/charrnn/{key}", "ready" if method == "PUT" else None)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                raise OSError(UNREACHABLE.format(socket.gethostname(), address, port, console.reason(error)))

    answer("PUT", rank)
    patience = float(os.environ.get("HOROVOD_START_TIMEOUT") or START_TIMEOUT)
    started, is_first = time.monotonic(), not int(os.environ.get("HOROVOD_LOCAL_RANK") or 0)
    told = started
    for other in range(int(size)):
        while answer("GET", other) != http.HTTPStatus.OK:
            now = time.monotonic()
            if now - started > patience:
                if not is_first:
                    raise OtherProcessFailed(FAILED)
                raise ValueError(f"process {other} of {size} has not started within {patience:.0f} s: see what its "
                                 "host prints, or give it more time with HOROVOD_START_TIMEOUT (seconds)")
            if is_first and now - told > TOLD_EVERY:
                console.print_note(f"charrnn-train: waiting for process {other} of {size}")
                told = now
            time.sleep(0.2)
