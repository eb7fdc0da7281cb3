"""Training: the notebook's loop, and :func:`train_model`, which prepares a run and calls it.

The command ``charrnn-train`` is in :mod:`charrnn.commands.train`; ``python -m charrnn.train`` runs it too.
"""
import contextlib
import itertools
import runpy
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import Progress
from charrnn.data import StrPath, get_batches
from charrnn.engines.opened_model import Model, open_model
from charrnn.system import console
from charrnn.text import corpus
from charrnn.training import transfer
from charrnn.training.distributed import Processes
from charrnn.training.hyperparameters import NAMES, Hyperparameters
from charrnn.training.job import Job, Options, plan_job, run_to_resume


class TrainedRun(NamedTuple):
    """A run that has ended.

    Attributes:
        model: its newest checkpoint.
        losses: float32 array, the loss of each step that was done, in nats per character.
        stopped_by: the signal that ended the training early, or None.
    """

    model: Model
    losses: np.ndarray
    stopped_by: Optional[signal.Signals] = None


def train_model(text: Union[StrPath, corpus.Text, None], checkpoint_dir: Optional[StrPath] = None, *,
                resume: bool = False, init_from: Union[StrPath, Model, None] = None, sample_length: int = 200,
                threads: Optional[int] = None, summaries: bool = True, quiet: bool = False,
                **hyperparameters: Any) -> TrainedRun:
    """Train a network on a text, and save checkpoints. This resets the default graph.

    On Ctrl-C, SIGTERM, SIGHUP or a closed standard output, the current step is finished, a checkpoint is saved, and
    training ends. A second signal ends it at once.

    Args:
        text: the path of a text in UTF-8, a known name such as ``anna``, or a text itself: a str with a line end in
            it, for example from :func:`charrnn.data.load_text`. None to resume a run with its own text.
        checkpoint_dir: the run folder. None for ``checkpoints``, or, if that holds another run, ``checkpoints/2`` and
            so on; to resume, the newest of these.
        resume: continue the run in that folder.
        init_from: a model, its path or its name, for a new run. The initial weights and the sizes are taken from it.
            The text may have other characters. A checkpoint of the notebook needs
            :func:`charrnn.engines.opened_model.open_model`, which takes its vocabulary.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: print nothing, not even a warning that a checkpoint could not be saved.
        hyperparameters: fields of :class:`charrnn.training.hyperparameters.Hyperparameters`, the notebook's recipe
            where they are not given, or the values of the run that is resumed.

    Returns:
        A TrainedRun.

    Raises:
        ValueError: a value is out of range, the text is too short, the folder holds another run or one that is being
            trained, or it has no run to resume. Nothing is written then. Also if the loss becomes infinite or NaN.
        OSError: the folder cannot be written.

    Source: notebook, "training".

    >>> run = train_model("my.txt", "checkpoints/mine", lstm_size=128, epochs=3)  # doctest: +SKIP
    """
    unknown = sorted(set(hyperparameters) - set(NAMES))
    if unknown:
        raise ValueError(f"there is no hyperparameter {', '.join(unknown)}: there are {', '.join(NAMES)}")
    folder = checkpoints.run_folder(checkpoint_dir, resume)
    model = open_model(init_from) if isinstance(init_from, (str, Path)) else init_from
    base = transfer.network_of(model) if model else {}
    if resume:
        base = run_to_resume(folder).hyperparameters
    given = _as_text(text)
    for each in (given, model):
        if each and not quiet:
            console.print_skipped(each.skipped)
    job = plan_job(given, Hyperparameters(**{**base, **hyperparameters}), folder, Options(
        resume, sample_length, threads, summaries, quiet), model)
    losses, stopped_by = train_job(job, Processes())
    return TrainedRun(open_model(folder), losses, stopped_by)


def _as_text(text: Union[StrPath, corpus.Text, None]) -> Optional[corpus.Text]:
    """Return a text that is given by its path, its name or itself."""
    if text is None or isinstance(text, corpus.Text):
        return text
    return corpus.Text("a text in memory", text) if isinstance(text, str) and "\n" in text else corpus.read(text)


def train_job(job: Job, processes: Processes) -> Tuple[np.ndarray, Optional[signal.Signals]]:
    """Do a job, together with other processes. Return the losses, and the signal that ended it early or None."""
    from charrnn.training.trainer import Trainer  # not above, because it imports TensorFlow
    with contextlib.closing(Trainer(job, processes)) as trainer:
        progress = trainer.begin()
        losses: List[float] = []
        stopped_by = None
        if not trainer.ends_early(progress):
            with trainer.display.bar(progress.step), trainer.stop.listening():
                progress, losses, stopped_by = train_epochs(trainer, progress, processes)
        trainer.end(progress, stopped_by)
    return np.array(losses, np.float32), stopped_by


def train_epochs(trainer: Any, progress: Progress,
                 processes: Processes) -> Tuple[Progress, List[float], Optional[signal.Signals]]:
    """Train until the last epoch, an early stop or a signal. This is the notebook's loop.

    Args:
        trainer: a :class:`charrnn.training.trainer.Trainer`, which prints, evaluates and saves. Its ``network`` is a
            :class:`charrnn.training.network.Network`, whose method ``step`` makes the session call. Its ``rows`` are
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
