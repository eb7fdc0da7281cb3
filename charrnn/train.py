"""Training: the notebook's loop, and :func:`train_model`, which prepares a run and calls it.

The command ``charrnn-train`` is in :mod:`charrnn.commands.train`; ``python -m charrnn.train`` runs it too.
"""

import contextlib
import itertools
import math
import runpy
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.run import Progress, Run, read_history
from charrnn.data import StrPath, get_batches
from charrnn.engines.model_file import open_model
from charrnn.engines.opened_model import Model
from charrnn.hyperparameters import learning_rate_at
from charrnn.system import terminal, words
from charrnn.system.interrupts import StopRequests
from charrnn.text import corpus
from charrnn.training.distributed import CommonError, Processes
from charrnn.training.job import Job, plan_job
from charrnn.training.options import Options

if TYPE_CHECKING:
    from charrnn.training.display import Display
    from charrnn.training.evaluation import Evaluation, Evaluator
    from charrnn.training.graph import TrainingGraph


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
        test_loss: the loss on the test text in nats per character; None if there is none, or the run was stopped.
    """

    folder: StrPath
    model: Model
    best: Optional[Model]
    losses: np.ndarray
    history: Dict[str, np.ndarray]
    stopped_by: Optional[signal.Signals] = None
    test_loss: Optional[float] = None

    def __repr__(self) -> str:
        last = f", the last loss {self.losses[-1]:.4f}" if len(self.losses) else ""
        return f"<TrainedRun {self.folder}: {words.plural(len(self.losses), 'step')}{last}>"


def train_model(
    text: Union[StrPath, corpus.Text, None],
    checkpoint_dir: Optional[StrPath] = None,
    *,
    preset: Optional[str] = None,
    resume: bool = False,
    init_from: Union[StrPath, Model, None] = None,
    sample_length: int = 200,
    threads: Optional[int] = None,
    summaries: bool = True,
    quiet: bool = False,
    minutes: Optional[float] = None,
    **hyperparameters: Any,
) -> TrainedRun:
    """Train a network on a text, and save checkpoints. This resets the default graph.

    On Ctrl-C, SIGTERM, SIGHUP or a closed standard output, the current step is finished, a checkpoint is saved, and
    training ends. A second signal ends it at once.

    Args:
        text: the path of a text in UTF-8, a known name such as ``anna``, or a text itself: a str that has a line end.
            None to resume a run with its own text.
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
        hyperparameters: fields of :class:`charrnn.hyperparameters.Hyperparameters`, which change those of
            the preset or of the run that is resumed.

    Raises:
        ValueError: a value is out of range, the text is too short, the folder holds another run or one that is being
            trained, or it has no run to resume. Nothing is written then. Also if the loss becomes infinite or NaN.
        OSError: the folder cannot be written.

    Source: notebook, "training".

    >>> run = train_model("my.txt", "checkpoints/mine", lstm_size=128, epochs=3)  # doctest: +SKIP
    """
    options = Options(
        resume, preset, sample_length, threads, summaries, quiet, minutes, in_python=True
    )
    model = open_model(init_from) if isinstance(init_from, (str, Path)) else init_from
    given = _as_text(text)
    for source in (given, model):
        if source and not quiet:
            terminal.print_skipped(source.skipped)
    with terminal.tensorflow_quieted():
        job = plan_job(given, hyperparameters, checkpoint_dir, options, model)
        folder, losses, stopped_by = train_job(job, Processes())
    run = record.read_run(folder)
    best = open_model(folder, best=True) if run.best else None
    return TrainedRun(
        folder, open_model(folder), best, losses, read_history(folder), stopped_by, run.test_loss
    )


def _as_text(text: Union[StrPath, corpus.Text, None]) -> Optional[corpus.Text]:
    """Return a text that is given by its path, its name or itself."""
    if text is None or isinstance(text, corpus.Text):
        return text
    if not isinstance(text, (str, Path)):
        raise ValueError(f"text must be a str or a path, not {type(text).__name__}")
    if isinstance(text, str) and "\n" in text:
        return corpus.Text("a text in memory", text)
    return corpus.read(text)


def train_job(
    job: Job, processes: Processes
) -> Tuple[StrPath, np.ndarray, Optional[signal.Signals]]:
    """Do a job, together with other processes.

    Return the run folder, the losses, and the signal that ended it early or None.
    """
    # not above, because these imports take a second
    from charrnn.system.tensorflow import forget_gradients, tf
    from charrnn.training.display import Display
    from charrnn.training.evaluation import Evaluation, Evaluator
    from charrnn.training.graph import TrainingGraph, initial_weights

    hyper = job.hyperparameters
    stop = StopRequests()
    model = TrainingGraph(len(job.record.vocabulary), hyper, processes, job.threads, job.seed_given)
    forget_gradients(tf.get_default_graph())
    display = Display(job, model.n_parameters, stop, job.options.quiet or processes.rank > 0)
    with tf.Session(config=model.config) as sess, contextlib.closing(
        Run(job.record, job.folder, sess)
    ) as run:
        sess.run(tf.global_variables_initializer())
        model.set_weights(sess, initial_weights(model.shapes, hyper.seed or 0))
        progress = processes.from_first(begin, job, model, run, display)
        processes.synchronize(sess)
        last = Evaluation(
            best_step=progress.best_step,
            best_loss=progress.best_loss,
            since_best=progress.evals_since_best,
        )
        losses: List[float] = []
        stopped_by: Optional[signal.Signals] = None
        with contextlib.closing(Evaluator(job, model, sess, processes, last)) as evaluator:
            if not ends_early(job, last):
                with display.bar(progress.step), stop.listening():
                    losses, stopped_by = train_epochs(
                        job, model, run, evaluator, display, stop, processes, progress
                    )
            processes.from_first(
                end, job, run, evaluator, display, progress.step + len(losses), stopped_by
            )
        # wait for the others: a launcher may end all processes when one has ended
        processes.gather(None)
    return job.folder, np.array(losses, np.float32), stopped_by


def train_epochs(
    job: Job,
    model: "TrainingGraph",
    run: Run,
    evaluator: "Evaluator",
    display: "Display",
    stop: StopRequests,
    processes: Processes,
    progress: Progress,
) -> Tuple[List[float], Optional[signal.Signals]]:
    """Train until the last epoch, an early stop or a signal. This is the notebook's loop.

    Args:
        job: the plan of the run.
        model: the network. It has what CharRNN has, and the feed of a step has what the notebook does not feed: the
            learning rate and the seed of the dropout masks.
        run: the run folder, and the session that has the values of the variables.
        evaluator: evaluates on the held-out text.
        display: prints.
        stop: what asks to stop.
        processes: those that share a batch. ``model.rows`` are the rows that this one trains on.
        progress: what was done before this call. In a new epoch, training starts from the zero state.

    Returns:
        (losses, stopped_by): the loss of each step that was done, and the signal or None.

    Source: notebook, "training".
    """
    hyper = job.hyperparameters
    n_windows = job.n_windows
    total_steps = job.total_steps
    rows = model.rows
    step: int = progress.step
    losses: List[float] = []
    epoch_losses: List[float] = list(progress.epoch_losses)
    new_state = model.from_array(progress.lstm_state[:, :, rows])
    for epoch in range(step // n_windows, hyper.epochs):
        done = step % n_windows  # more than 0 in the epoch in which a run was resumed
        if done == 0:
            new_state = run.session.run(model.initial_state)
            epoch_losses = []
        for x, y in itertools.islice(
            get_batches(job.training, hyper.batch_size, hyper.num_steps), done, None
        ):
            start = time.perf_counter()
            feed = {
                model.inputs: x[rows],
                model.targets: y[rows],
                model.keep_prob: hyper.keep_prob,
                model.initial_state: new_state,
                **model.of_step(step, n_windows),
            }
            loss, norm, new_state, _ = run.session.run(
                [model.loss, model.gradient_norm, model.final_state, model.optimizer],
                feed_dict=feed,
            )
            seconds: float = time.perf_counter() - start
            measured: Dict[str, float] = {}
            step += 1
            losses.append(loss)
            epoch_losses.append(loss)
            check_step(job, run, step, loss, norm)
            display.advance(loss)
            if step % hyper.print_every_n == 0 or step == total_steps:
                display.step(step, loss, seconds)
                measured = figures_of_step(job, step, loss, norm, seconds)

            # Now and then: the mean of an epoch, an evaluation, the end, a checkpoint
            if step % n_windows == 0:
                display.epoch(epoch + 1, np.mean(epoch_losses))
            saving = step % hyper.save_every_n == 0 or step == total_steps
            if len(job.held_out) and (
                saving or hyper.eval_every_n and step % hyper.eval_every_n == 0
            ):
                found = evaluate(job, run, evaluator, display, step)
                measured["val_loss"] = found.loss
                saving |= found.is_best
            run.add(step, epoch + 1, **measured)
            stopped_by = processes.agree(stop.signal)
            last = bool(stopped_by or step == total_steps or ends_early(job, evaluator.last))
            if saving or last:
                progress = evaluator.progress(step, new_state, epoch_losses)
                evaluator.keep_best(
                    *processes.from_first(save, job, model, run, evaluator, display, progress, last)
                )
            if last:
                return losses, stopped_by
    return losses, None


# ---- now and then ----------------------------------------------------------------------------------------------------


def begin(job: Job, model: "TrainingGraph", run: Run, display: "Display") -> Progress:
    """Begin a run or restore it. Print the plan."""
    from charrnn.training.transfer import extended_weights

    sess = run.session
    if job.init_from:
        model.set_weights(
            sess, extended_weights(job.init_from, job.record.vocabulary, model.weights(sess))
        )
    zeros = model.as_array(sess.run(model.initial_state))[:, :, :1]
    fresh = Progress(
        0, np.repeat(zeros, job.hyperparameters.batch_size, axis=2), np.zeros(0, np.float32)
    )
    progress = run.begin(job.text, fresh, job.options.resume, job.options.summaries)
    display.skipped(run.skipped)
    display.plan()
    if job.options.resume:
        display.resumed(progress.step, run.restored)
    elif job.init_from:  # saved at once, because a resumed run could not make these weights again
        display.saved(run.save(progress, model.weights(sess), display.warn))
    return progress


def ends_early(job: Job, last: "Evaluation") -> bool:
    """Return whether there were too many evaluations without improvement."""
    return 0 < job.hyperparameters.early_stop <= last.since_best


def diverged(job: Job, run: Run, step: int, what: str) -> CommonError:
    """Return the error for a step after which training cannot continue."""
    remedy = (
        "Earlier checkpoints are intact: resume from the last one"
        if run.has_checkpoint
        else "There is no checkpoint yet: resume from the beginning"
    )
    hyper = job.hyperparameters
    return CommonError(
        f"at step {step} {what}, so training stops. {remedy} with a lower learning_rate (now "
        f"{hyper.learning_rate:g}) or grad_clip (now {hyper.grad_clip:g})"
    )


def check_step(job: Job, run: Run, step: int, loss: float, norm: float) -> None:
    """Raise ValueError if a step has made the loss or the norm of the gradients infinite or NaN."""
    if not math.isfinite(loss) or not math.isfinite(norm):
        raise diverged(
            job, run, step, f"the loss is {loss} and the norm of the gradients is {norm}"
        )


def figures_of_step(
    job: Job, step: int, loss: float, norm: float, seconds: float
) -> Dict[str, float]:
    """Return what history.csv has of a step."""
    hyper = job.hyperparameters
    return dict(
        loss=float(loss),
        gradient_norm=float(norm),
        learning_rate=learning_rate_at(hyper, step - 1, job.n_windows),
        characters_per_second=hyper.batch_size * hyper.num_steps / seconds,
    )


def evaluate(
    job: Job, run: Run, evaluator: "Evaluator", display: "Display", step: int
) -> "Evaluation":
    """Evaluate on the held-out text. Raise ValueError if the loss is infinite or NaN."""
    found = evaluator.measure(step)
    if not math.isfinite(found.loss):
        raise diverged(job, run, step, f"the validation loss is {found.loss}")
    display.validation(found)
    return found


def save(
    job: Job,
    model: "TrainingGraph",
    run: Run,
    evaluator: "Evaluator",
    display: "Display",
    progress: Progress,
    last: bool,
) -> Tuple[int, float]:
    """Save a checkpoint, and write a sample. A failure is a warning, unless this is the last checkpoint.

    Return the step and the loss of the best evaluation that has a checkpoint.
    """
    if not run.has_finite_weights():
        raise diverged(
            job, run, progress.step, "the weights are not finite, or too large to be used"
        )
    try:
        display.saved(run.save(progress, model.weights(run.session), display.warn))
        if job.options.sample_length:
            display.sample(evaluator.sample(progress.step))
    except OSError as error:
        if last:
            raise
        display.not_saved(error, run.has_checkpoint)
    return run.saved.best_step, run.saved.best_loss


def end(
    job: Job,
    run: Run,
    evaluator: "Evaluator",
    display: "Display",
    step: int,
    stopped_by: Optional[signal.Signals],
) -> None:
    """Evaluate on the test text if there is one, and print how the run has ended."""
    is_early = ends_early(job, evaluator.last) and step < job.total_steps
    if is_early:
        display.ended_early(step, evaluator.last)
    if stopped_by:
        display.stopped(stopped_by.name, step)
        return
    if len(job.test):
        loss, name = evaluator.test(run, step)
        display.test(loss, name)
        run.add_test_loss(loss)
    display.finished(step, "early_stop" if is_early else "epochs")


if __name__ == "__main__":
    runpy.run_module("charrnn.commands.train", run_name="__main__", alter_sys=True)
