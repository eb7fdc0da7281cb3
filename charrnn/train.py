"""Training: the notebook's loop, and :func:`train_model`, which prepares a run and calls it.

The command ``charrnn-train`` is in :mod:`charrnn.commands.train`; ``python -m charrnn.train`` runs it too.
"""
import contextlib
import itertools
import os
import runpy
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.saving import Progress
from charrnn.data import StrPath, get_batches
from charrnn.engines.opened_model import Model, open_model
from charrnn.system import console
from charrnn.text import corpus
from charrnn.training.distributed import Processes
from charrnn.training.job import Job, Options, plan_job
from charrnn.training.reports import read_history

LONGEST_NAME = 200  # characters of a text without a line end that may be the name of a file


@dataclass(frozen=True, eq=False, repr=False)
class TrainedRun:
    """A run that has ended.

    Attributes:
        folder: its folder.
        model: its newest checkpoint.
        best: the checkpoint with the lowest validation loss; None if nothing was evaluated.
        losses: float32 array, the loss of each step that was done, in nats per character.
        history: dict from each column of ``history.csv``, such as ``val_loss``, to a float array with its rows; NaN
            where nothing was measured.
        stopped_by: the signal that ended the training early, or None.
    """

    folder: StrPath
    model: Model
    best: Optional[Model]
    losses: np.ndarray
    history: Dict[str, np.ndarray]
    stopped_by: Optional[signal.Signals] = None

    def __repr__(self) -> str:
        last = f", the last loss {self.losses[-1]:.4f}" if len(self.losses) else ""
        return f"<TrainedRun {self.folder}: {console.plural(len(self.losses), 'step')}{last}>"


def train_model(text: Union[StrPath, corpus.Text, None], checkpoint_dir: Optional[StrPath] = None, *,
                preset: Optional[str] = None, resume: bool = False, init_from: Union[StrPath, Model, None] = None,
                sample_length: int = 200, threads: Optional[int] = None, summaries: bool = True, quiet: bool = False,
                minutes: Optional[float] = None,
                **hyperparameters: Any) -> TrainedRun:
    """Train a network on a text, and save checkpoints. This resets the default graph.

    On Ctrl-C, SIGTERM, SIGHUP or a closed standard output, the current step is finished, a checkpoint is saved, and
    training ends. A second signal ends it at once.

    Args:
        text: the path of a text in UTF-8, a known name such as ``anna``, or a text itself: a str that has a line end,
            or more than 200 characters and is not the name of a file. None to resume a run with its own text.
        checkpoint_dir: the run folder. None for ``checkpoints``, or, if that holds another run, ``checkpoints/2`` and
            so on; to resume, the newest of these.
        preset: the hyperparameters to start from: ``notebook``, ``exercise``, ``quick``, ``best``, or ``auto``, which
            suits the length of the text.
        resume: continue the run in that folder.
        init_from: a model, its path or its name, for a new run. The initial weights and the sizes are taken from it.
            The text may have other characters.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: print nothing, not even a warning that a checkpoint could not be saved.
        minutes: how long a new run with the preset auto is to take. The sizes and the epochs that are not given are
            chosen by the time that a few networks take on this machine.
        hyperparameters: fields of :class:`charrnn.training.hyperparameters.Hyperparameters`, which change those of the
            preset or of the run that is resumed.

    Raises:
        ValueError: a value is out of range, the text is too short, the folder holds another run or one that is being
            trained, or it has no run to resume. Nothing is written then. Also if the loss becomes infinite or NaN.
        OSError: the folder cannot be written.

    Source: notebook, "training".

    >>> run = train_model("my.txt", "checkpoints/mine", lstm_size=128, epochs=3)  # doctest: +SKIP
    """
    options = Options(resume, preset, sample_length, threads, summaries, quiet, minutes)
    model = open_model(init_from) if isinstance(init_from, (str, Path)) else init_from
    given = _as_text(text)
    for each in (given, model):
        if each and not quiet:
            console.print_skipped(each.skipped)
    job = plan_job(given, hyperparameters, checkpoint_dir, options, model)
    folder, losses, stopped_by = train_job(job, Processes())
    best = open_model(folder, best=True) if record.read_run(folder).best else None
    return TrainedRun(folder, open_model(folder), best, losses, read_history(folder), stopped_by)


def _as_text(text: Union[StrPath, corpus.Text, None]) -> Optional[corpus.Text]:
    """Return a text that is given by its path, its name or itself."""
    if text is None or isinstance(text, corpus.Text):
        return text
    if not isinstance(text, (str, Path)):
        raise ValueError(f"text must be a str or a path, not {type(text).__name__}")
    exists = False
    with contextlib.suppress(ValueError):  # Python 3.7 raises it for what cannot be a name, such as a null character
        exists = os.path.exists(str(text)[:4096])
    if isinstance(text, str) and ("\n" in text or len(text) > LONGEST_NAME and not exists):
        return corpus.Text("a text in memory", text)
    if not corpus.is_known(str(text)) and not exists:
        raise ValueError(f"there is no file {str(text)!r}: the known texts are "
                         f"{', '.join([*corpus.KNOWN_TEXTS, corpus.PYTHON])}, and a text itself needs a line end or "
                         f"more than {LONGEST_NAME} characters")
    return corpus.read(text)


def train_job(job: Job, processes: Processes) -> Tuple[StrPath, np.ndarray, Optional[signal.Signals]]:
    """Do a job, together with other processes.

    Return the run folder, the losses, and the signal that ended it early or None.
    """
    from charrnn.training.trainer import Trainer  # not above, because it imports TensorFlow
    with contextlib.closing(Trainer(job, processes)) as trainer:
        progress = trainer.begin()
        losses: List[float] = []
        stopped_by = None
        if not trainer.ends_early(progress):
            with trainer.display.bar(progress.step), trainer.stop.listening():
                progress, losses, stopped_by = train_epochs(trainer, progress, processes)
        trainer.end(progress, stopped_by)
    return trainer.job.folder, np.array(losses, np.float32), stopped_by


def train_epochs(trainer: Any, progress: Progress,
                 processes: Processes) -> Tuple[Progress, List[float], Optional[signal.Signals]]:
    """Train until the last epoch, an early stop or a signal. This is the notebook's loop.

    Args:
        trainer: a :class:`charrnn.training.trainer.Trainer`, which prints, evaluates and saves. Its ``network`` is a
            :class:`charrnn.training.graph.Network`, whose method ``step`` makes the session call. Its ``rows`` are
            the rows of a batch that this process trains on; with one process, all.
        progress: what was done before this call. In a new epoch, training starts from the zero state.
        processes: the processes that share each batch.

    Returns:
        (progress, losses, stopped_by): the progress, the loss of each step that was done, and the signal or None.

    Source: notebook, "training".
    """
    job, hyper, network = trainer.job, trainer.job.hyperparameters, trainer.network
    losses: List[float] = []
    for _ in range(progress.step // job.n_windows, hyper.epochs):
        done = progress.step % job.n_windows  # more than 0 in the epoch in which a run was resumed
        if done == 0:
            progress = replace(progress, lstm_state=network.zero_state, epoch_losses=np.zeros(0, np.float32))
        for x, y in itertools.islice(get_batches(job.training, hyper.batch_size, hyper.num_steps), done, None):
            started = time.perf_counter()
            loss, norm, state = network.step(x[trainer.rows], y[trainer.rows], progress.lstm_state,
                                             trainer.learning_rate(progress.step), progress.step)
            seconds = time.perf_counter() - started
            step = progress.step + 1
            at_end = step == job.total_steps
            trainer.check_finite(step, loss, norm)
            progress = replace(progress, step=step, lstm_state=state,
                               epoch_losses=np.append(progress.epoch_losses, np.float32(loss)))
            losses.append(loss)
            trainer.display.advance(loss)
            if at_end or step % hyper.print_every_n == 0:
                trainer.print_step(step, loss, norm, seconds)
            if step % job.n_windows == 0:
                trainer.display.epoch(step // job.n_windows, np.mean(progress.epoch_losses))
            saving = at_end or step % hyper.save_every_n == 0
            if len(job.held_out) and (saving or hyper.eval_every_n and step % hyper.eval_every_n == 0):
                progress = trainer.evaluate(progress)
            trainer.write_history(step)
            stopped_by = processes.agree(trainer.stop.signal)
            last = bool(stopped_by or at_end or trainer.ends_early(progress))
            if saving or last or progress.best_step == step:
                progress = trainer.save(progress, last)
            if last:
                return progress, losses, stopped_by
    return progress, losses, None


if __name__ == "__main__":
    runpy.run_module("charrnn.commands.train", run_name="__main__", alter_sys=True)
