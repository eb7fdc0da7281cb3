"""Training: :func:`train`, the notebook's loop, and the script ``charrnn-train``, or ``python -m charrnn.train``."""
import argparse
import contextlib
import itertools
import signal
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Progress
from charrnn.commands.train_arguments import make_parser
from charrnn.data import StrPath, get_batches
from charrnn.engines import loading
from charrnn.engines.model import Model, open_model
from charrnn.system import console, machine
from charrnn.system.tensorflow import require_tensorflow
from charrnn.text import corpus
from charrnn.training import transfer
from charrnn.training.distributed import Processes, start_processes
from charrnn.training.hyperparameters import AUTO, NAMES, Hyperparameters, flag, preset
from charrnn.training.job import Job, Options, plan_job, run_to_resume

DRY_RUN_STEPS = 5


class Trained(NamedTuple):
    """A run that has ended.

    Attributes:
        model: its newest checkpoint.
        losses: float32 array, the loss of each step that was done, in nats per character.
        stopped_by: the signal that ended the training early, or None.
    """

    model: Model
    losses: np.ndarray
    stopped_by: Optional[signal.Signals] = None


def train(text: Union[StrPath, corpus.Text, None], checkpoint_dir: Optional[StrPath] = None, *, resume: bool = False,
          init_from: Union[StrPath, Model, None] = None, sample_length: int = 200, threads: Optional[int] = None,
          summaries: bool = True, quiet: bool = False, **hyperparameters: Any) -> Trained:
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
            :func:`charrnn.engines.model.open_model`, which takes its vocabulary.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: print nothing, not even a warning that a checkpoint could not be saved.
        hyperparameters: fields of :class:`charrnn.training.hyperparameters.Hyperparameters`, the notebook's recipe
            where they are not given, or the values of the run that is resumed.

    Returns:
        A Trained.

    Raises:
        ValueError: a value is out of range, the text is too short, the folder holds another run or one that is being
            trained, or it has no run to resume. Nothing is written then. Also if the loss becomes infinite or NaN.
        OSError: the folder cannot be written.

    Source: notebook, "training".

    >>> trained = train("my.txt", "checkpoints/mine", lstm_size=128, epochs=3)  # doctest: +SKIP
    """
    with console.errors_for_python(vocabulary="open_model(path, Vocabulary.from_text(text))"):
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
        losses, stopped_by = run(job, Processes())
        return Trained(open_model(folder), losses, stopped_by)


def _as_text(text: Union[StrPath, corpus.Text, None]) -> Optional[corpus.Text]:
    """Return a text that is given by its path, its name or itself."""
    if text is None or isinstance(text, corpus.Text):
        return text
    return corpus.Text("a text in memory", text) if isinstance(text, str) and "\n" in text else corpus.read(text)


def run(job: Job, processes: Processes) -> Tuple[np.ndarray, Optional[signal.Signals]]:
    """Do a job, together with other processes. Return the losses, and the signal that ended it early or None."""
    from charrnn.training.open_run import OpenRun  # not above, because it imports TensorFlow
    with contextlib.closing(OpenRun(job, processes)) as open_run:
        progress = open_run.begin()
        losses: List[float] = []
        stopped_by = None
        if not open_run.ends_early(progress):
            with open_run.display.bar(progress.step), open_run.stop.listening():
                progress, losses, stopped_by = train_epochs(open_run, progress, processes)
        open_run.end(progress, stopped_by)
    return np.array(losses, np.float32), stopped_by


def train_epochs(open_run: Any, progress: Progress,
                 processes: Processes) -> Tuple[Progress, List[float], Optional[signal.Signals]]:
    """Train until the last epoch, an early stop or a signal. This is the notebook's loop.

    Args:
        open_run: a :class:`charrnn.training.open_run.OpenRun`, which prints, evaluates and saves. Its ``network`` is a
            :class:`charrnn.training.network.Network`, whose method ``step`` makes the session call. Its ``rows`` are
            the rows of a batch that this process trains on; with one process, all.
        progress: what was done before this call. In a new epoch, training starts from the zero state.
        processes: the processes that share each batch.

    Returns:
        (progress, losses, stopped_by): the progress, the loss of each step that was done, and the signal or None.

    Source: notebook, "training".
    """
    job, hyper, network = open_run.job, open_run.job.hyperparameters, open_run.network
    losses: List[float] = []
    for _ in range(progress.step // job.n_windows, hyper.epochs):
        done = progress.step % job.n_windows  # more than 0 in the epoch in which a run was resumed
        if done == 0:
            progress = replace(progress, lstm_state=network.zero_state, epoch_losses=np.zeros(0, np.float32))
        for x, y in itertools.islice(get_batches(job.training, hyper.batch_size, hyper.num_steps), done, None):
            started = time.perf_counter()
            loss, norm, state = network.step(x[open_run.rows], y[open_run.rows], progress.lstm_state,
                                             open_run.learning_rate(progress.step), progress.step)
            seconds = time.perf_counter() - started
            step = progress.step + 1
            at_end = step == job.total_steps
            open_run.check_finite(step, loss, norm)
            progress = replace(progress, step=step, lstm_state=state,
                               epoch_losses=np.append(progress.epoch_losses, np.float32(loss)))
            losses.append(loss)
            open_run.display.advance(loss)
            if at_end or step % hyper.print_every_n == 0:
                open_run.print_step(step, loss, norm, seconds)
            if step % job.n_windows == 0:
                open_run.display.epoch(step // job.n_windows, np.mean(progress.epoch_losses))
            saving = at_end or step % hyper.save_every_n == 0
            if len(job.held_out) and (saving or hyper.eval_every_n and step % hyper.eval_every_n == 0):
                progress = open_run.evaluate(progress)
            open_run.write_history(step)
            stopped_by = processes.agree(open_run.stop.signal)
            last = bool(stopped_by or at_end or open_run.ends_early(progress))
            if saving or last or progress.best_step == step:
                progress = open_run.save(progress, last)
            if last:
                return progress, losses, stopped_by
    return progress, losses, None


def dry_run(job: Job, processes: Processes) -> None:
    """Print the plan, and an estimate of memory and time from a few steps. Nothing is written."""
    from charrnn.training.open_run import OpenRun
    if processes.rank == 0:
        try:
            checkpoints.check_unused(job.folder)
        except CheckpointError as error:
            console.print_note(f"charrnn-train: without --dry-run, this command would be refused: {error}")
    with contextlib.closing(OpenRun(job, processes)) as open_run:
        open_run.display.plan()
        times, hyper, rows, state = [], job.hyperparameters, open_run.rows, open_run.network.zero_state
        windows = itertools.cycle(get_batches(job.training, hyper.batch_size, hyper.num_steps))
        for step, (x, y) in enumerate(itertools.islice(windows, DRY_RUN_STEPS)):
            started = time.perf_counter()
            _, _, state = open_run.network.step(x[rows], y[rows], state, open_run.learning_rate(step), step)
            times.append(time.perf_counter() - started)
        open_run.display.trial(statistics.median(times), machine.peak_memory())


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run ``charrnn-train``. Return its exit status: 0, 2 for bad input, or 128 + the signal that stopped it."""
    return console.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    require_tensorflow()
    processes = start_processes()
    with processes.watched(args.checkpoint_dir):
        job = processes.from_first(lambda: _job(args, processes.size))
        if args.dry_run:
            dry_run(job, processes)
            return 0
        _, stopped_by = run(job, processes)
    return 128 + stopped_by if stopped_by else 0


def _job(args: argparse.Namespace, n_processes: int) -> Job:
    """Return the job that the arguments describe."""
    if args.vocab_from is not None and args.init_from is None:
        raise ValueError("--vocab-from needs --init-from")
    folder = checkpoints.run_folder(args.checkpoint_dir, args.resume)
    values, init_from, text = None, None, None
    if args.resume:
        values = _hyperparameters_to_resume(args, folder)
    if args.init_from is not None:
        init_from = open_model(args.init_from, loading.vocabulary_from(args))
        console.print_skipped(init_from.skipped)
    if args.text or not args.resume:
        text = corpus.read(args.text or ["anna"], args.encoding, separator=args.separator)
        console.print_skipped(text.skipped)
    hyperparameters = _hyperparameters(args, values, init_from, len(text.text) if text else 0)
    options = Options(args.resume, args.sample_length, args.threads, args.summaries)
    return plan_job(text, hyperparameters, folder, options, init_from, n_processes)


def _hyperparameters_to_resume(args: argparse.Namespace, folder: StrPath) -> Dict[str, Any]:
    """Return the hyperparameters of the run that the arguments name. Raise ValueError if it cannot be resumed."""
    for name in ("preset", "dry_run"):
        if getattr(args, name):
            raise ValueError(f"{flag(name)} is for a new run and cannot be combined with --resume")
    for name in args.text:
        if not corpus.is_known(name) and checkpoints.is_run(name):
            raise ValueError(f"{name} is the folder of a run: name it with --checkpoint-dir")
    return run_to_resume(folder).hyperparameters


def _hyperparameters(args: argparse.Namespace, values: Optional[Dict[str, Any]], init_from: Optional[Model],
                     n_characters: int) -> Hyperparameters:
    """Return the hyperparameters of the run to resume or of a preset, changed by the flags that are given."""
    if values is None:
        network = transfer.network_of(init_from) if init_from else {}
        values = preset(args.preset or "notebook", n_characters)
        # auto takes the sizes of the model; those of another preset stay, and plan_job refuses them if they differ
        values = {**values, **network} if args.preset == AUTO else {**network, **values}
    given = {name: getattr(args, name) for name in NAMES if getattr(args, name) is not None}
    hyperparameters = Hyperparameters(**{**values, **given})
    try:
        hyperparameters.check()
    except ValueError as error:
        raise ValueError(f"{error} (with --preset {args.preset})" if args.preset else str(error))
    return hyperparameters


if __name__ == "__main__":
    sys.exit(main())
