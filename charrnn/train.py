"""Training: the notebook's loop, and :func:`train_model`, which prepares a run and calls it.

The command ``charrnn-train`` is in :mod:`charrnn.commands.train`; ``python -m charrnn.train`` runs it too.
"""

import contextlib
import itertools
import math
import runpy
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

import numpy as np

from charrnn.checkpoints.progress import Best, Progress, read_history
from charrnn.checkpoints.record import WORDS_FILE
from charrnn.checkpoints.run import RunFolder
from charrnn.checkpoints.weights import Weights, read_packed
from charrnn.data import StrPath, get_batches
from charrnn.engines.cells import initial_weights
from charrnn.engines.opening import open_model
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import AUTO, learning_rate_at
from charrnn.system import files, terminal, words
from charrnn.system.interrupts import StopRequests
from charrnn.system.tensorflow import graphs
from charrnn.text import corpus
from charrnn.training.distributed import CommonError, Processes, in_first
from charrnn.training.job import Job, plan_job
from charrnn.training.start import NONE

if TYPE_CHECKING:
    from charrnn.training.display import Display
    from charrnn.training.evaluation import Evaluator
    from charrnn.training.graph import TrainingGraph


class UnsavedError(OSError):
    """The last checkpoint of a run cannot be saved.

    Attributes:
        model: the network at the end of the run.
    """

    def __init__(self, message: str, model: Model) -> None:
        super().__init__(message)
        self.model = model


@dataclass(frozen=True, eq=False, repr=False)
class TrainedRun:
    """A run that has ended.

    Attributes:
        folder: its folder.
        model: its newest checkpoint.
        best: the checkpoint with the lowest validation loss; None if nothing was evaluated.
        losses: float32 array, the loss of each step of this call, in nats per character.
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
        done = words.plural(len(self.losses), "step")
        if len(self.losses):
            done += f", the last loss {self.losses[-1]:.4f}"
        return f"<TrainedRun {self.folder}: {done}>"


def train_model(
    text: Union[StrPath, corpus.Text, None],
    checkpoint_dir: Optional[StrPath] = None,
    *,
    preset: Optional[str] = None,
    resume: bool = False,
    init_from: Union[StrPath, Model, None] = None,
    quiet: bool = False,
    **hyperparameters: Any,
) -> TrainedRun:
    """Train a network on a text, and save checkpoints. This resets the default graph.

    On Ctrl-C, SIGTERM or SIGHUP, or when the reader of standard output ends, the current step is finished, a
    checkpoint is saved, and training ends. A second signal ends it at once.

    Args:
        text: the path of a text in UTF-8, a known name such as ``anna``, or a text itself: a str that has a line end.
            None to resume a run with its own text.
        checkpoint_dir: the run folder. None for ``checkpoints``, or, if that holds another run, ``checkpoints/2`` and
            so on; to resume, the newest of these.
        preset: the hyperparameters to start from: ``notebook``, ``exercise``, ``quick``, ``best``, or ``auto``, which
            suits the length of the text.
        resume: continue the run in that folder.
        init_from: a model, its path or its name, for a new run. The initial weights and the sizes are taken from it.
            The text may have other characters. ``auto`` chooses a known model if one suits the text, and ``none``
            begins with random weights. None stands for ``auto`` with the preset ``auto``, otherwise for ``none``.
        quiet: print nothing, not even a warning that a checkpoint could not be saved.
        hyperparameters: fields of :class:`charrnn.hyperparameters.Hyperparameters`, which change those of
            the preset or of the run that is resumed.

    Raises:
        ValueError: a value is out of range, the text is too short, the folder holds another run or one that is being
            trained, or it has no run to resume. Nothing is written then. Also if the loss becomes infinite or NaN.
        OSError: the folder cannot be written. If it is the last checkpoint that cannot be saved, the error has the
            network as its attribute ``model``, and its message names the file into which that was written instead.

    Source: notebook, "training".

    >>> run = train_model("my.txt", "checkpoints/mine", lstm_size=128, epochs=3)  # doctest: +SKIP
    """
    begins_with = _as_model(init_from)
    read_text = _as_text(text)
    if read_text and not quiet:
        terminal.print_skipped(read_text.skipped)
    if isinstance(begins_with, Model) and not quiet:
        terminal.print_skipped(begins_with.skipped)

    with graphs():
        job = plan_job(
            read_text,
            hyperparameters,
            checkpoint_dir,
            resume=resume,
            preset=preset,
            init_from=begins_with,
        )
        losses, stopped_by, run = train_job(job, Processes(), quiet=quiet, in_python=True)

    best = run.record.best
    return TrainedRun(
        folder=run.folder,
        model=_model_of(run, run.name(run.saved_progress.step)),
        best=_model_of(run, best) if best else None,
        losses=losses,
        history=read_history(run.folder),
        stopped_by=stopped_by,
        test_loss=run.record.test_loss,
    )


def _model_of(run: RunFolder, name: str) -> Model:
    """Return the network of a checkpoint that a run has saved or restored."""
    prefix = str(Path(run.folder) / name)
    saved = read_packed(f"{prefix}.npz")
    record = replace(run.record, folder=str(run.folder))
    return Model(prefix, record.vocabulary, saved.weights, run=record, sha256=saved.sha256)


def _as_model(init_from: Union[StrPath, Model, None]) -> Union[Model, str, None]:
    """Return the model of a path or a name. The words auto and none stay."""
    if init_from is None or isinstance(init_from, Model):
        return init_from
    if isinstance(init_from, str) and init_from in (AUTO, NONE):
        return init_from
    return open_model(init_from)


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
    job: Job, processes: Processes, *, quiet: bool = False, in_python: bool = False
) -> Tuple[np.ndarray, Optional[signal.Signals], RunFolder]:
    """Do a job, together with other processes.

    Args:
        quiet: print nothing.
        in_python: what is printed says what to do in Python, not in a shell.

    Returns:
        (losses, stopped_by, run): the loss of each step, the signal that ended the training early or None, and the run
        folder, closed.
    """
    # Not above, because these imports take a second.
    from charrnn.system.tensorflow import forget_gradients, tf
    from charrnn.training.display import Display
    from charrnn.training.evaluation import Evaluator
    from charrnn.training.graph import TrainingGraph

    stop = StopRequests()
    graph = TrainingGraph(
        num_classes=len(job.record.vocabulary),
        hyper=job.hyperparameters,
        processes=processes,
        threads=job.threads,
        in_order=job.in_order,
    )
    # Otherwise TensorFlow would keep this graph in memory for the life of the process.
    forget_gradients(tf.get_default_graph())

    display = Display(
        job, graph.n_parameters, stop, quiet=quiet or processes.rank > 0, in_python=in_python
    )

    with tf.Session(config=graph.config) as sess:
        run = RunFolder(job.record, job.folder, sess)
        evaluator = Evaluator(job, graph, sess, processes)
        with contextlib.closing(run), contextlib.closing(evaluator):
            sess.run(tf.global_variables_initializer())
            graph.set_weights(sess, initial_weights(graph.shapes, graph.seed))

            training = TrainingLoop(
                job=job,
                graph=graph,
                run=run,
                evaluator=evaluator,
                display=display,
                processes=processes,
            )
            progress = training.begin()
            processes.synchronize(sess)
            training.best = progress.best
            losses: List[float] = []
            stopped_by: Optional[signal.Signals] = None
            # A run that has ended early stays ended when it is resumed.
            if not training.ends_early:
                with display.bar(progress.step), stop.listening():
                    losses, stopped_by = train_epochs(training, progress, stop)
            last_step = progress.step + len(losses)
            training.end(last_step, stopped_by)
            # A launcher may end all processes when the first of them has ended.
            processes.wait()
    return np.array(losses, np.float32), stopped_by, run


def train_epochs(
    training: "TrainingLoop", progress: Progress, stop: StopRequests
) -> Tuple[List[float], Optional[signal.Signals]]:
    """Train until the last epoch, an early stop or a signal. This is the notebook's loop.

    ``graph`` has what the notebook's ``model`` has. In addition to the notebook's feed, each step is fed the learning
    rate and the seed of the dropout masks. Of several processes, each trains on its ``rows`` of a batch.

    Args:
        training: the run, and what the loop calls to check, evaluate and save it.
        progress: what was done before this call. In a new epoch, training starts from the zero state.
        stop: what asks to stop.

    Returns:
        (losses, stopped_by): the loss of each step that was done, and the signal or None.

    Source: notebook, "training".
    """
    job = training.job
    graph = training.graph
    sess = training.run.session
    hyper = job.hyperparameters
    rows = graph.rows

    step = progress.step
    losses: List[float] = []
    # Used only if a run is resumed within an epoch, because each epoch sets both anew.
    epoch_losses: List[float] = list(progress.epoch_losses)
    new_state = graph.from_array(progress.lstm_state[:, :, rows])
    for epoch in range(step // job.n_windows, hyper.epochs):
        # More than 0 only in the epoch in which a run was resumed.
        done = step % job.n_windows
        if done == 0:
            new_state = sess.run(graph.initial_state)
            epoch_losses = []

        batches = get_batches(job.training, hyper.batch_size, hyper.num_steps)
        for x, y in itertools.islice(batches, done, None):
            start = time.perf_counter()
            feed = {
                graph.inputs: x[rows],
                graph.targets: y[rows],
                graph.keep_prob: hyper.keep_prob,
                graph.initial_state: new_state,
                **graph.feed_of_step(step, job.n_windows),
            }
            loss, norm, new_state, _ = sess.run(
                [graph.loss, graph.gradient_norm, graph.final_state, graph.optimizer],
                feed_dict=feed,
            )
            seconds = time.perf_counter() - start

            step += 1
            losses.append(loss)
            epoch_losses.append(loss)
            training.check_step(step, loss, norm)
            training.display.advance(loss)

            # Print and measure what is due after this step.
            save_is_due = step % hyper.save_every_n == 0 or step == job.total_steps
            measured: Dict[str, float] = {}
            if step % hyper.print_every_n == 0 or step == job.total_steps:
                training.display.step(step, loss, seconds)
                measured = training.figures(step, loss=loss, norm=norm, seconds=seconds)
            if step % job.n_windows == 0:
                training.display.epoch(epoch + 1, np.mean(epoch_losses))
            # This may change training.best. Every save follows an evaluation, except that at a signal.
            if save_is_due or (hyper.eval_every_n and step % hyper.eval_every_n == 0):
                measured.update(training.evaluate(step))
            if measured:
                training.run.add(step, epoch + 1, **measured)

            # Save what is due, a new best evaluation, and the last step. A signal to one process stops all of them.
            stopped_by = training.processes.agree(stop.signal)
            is_last = bool(stopped_by) or step == job.total_steps or training.ends_early
            if save_is_due or is_last or step == training.best.step:
                training.checkpoint(step, new_state, epoch_losses, is_last)
            if is_last:
                return losses, stopped_by

    # No step was left to do: the run had ended before it was resumed.
    return losses, None


# ---- what the loop calls ---------------------------------------------------------------------------------------------


@dataclass(eq=False)
class TrainingLoop:
    """A run in training: what its loop calls to check, evaluate and save it, and what comes before and after the loop.

    What the first of several processes does alone is marked with :func:`in_first`.

    Attributes:
        job: the plan of the run.
        graph: the network.
        run: the run folder, and the session that has the values of the variables.
        evaluator: measures the loss on the texts that are held out, and samples.
        display: prints.
        processes: those that share a batch. Only the first one writes and prints.
        best: the best evaluation so far.
    """

    job: Job
    graph: "TrainingGraph"
    run: RunFolder
    evaluator: "Evaluator"
    display: "Display"
    processes: Processes
    best: Best = Best()

    @in_first
    def begin(self) -> Progress:
        """Begin the run or restore it. Print the plan."""
        from charrnn.training.transfer import transferred_weights

        job = self.job
        graph = self.graph
        display = self.display
        sess = self.run.session
        if job.start.model:
            fresh_weights = graph.weights(sess)
            weights = transferred_weights(job.start.model, job.record.vocabulary, fresh_weights)
            graph.set_weights(sess, weights)

        # The graph has only the rows of this process, but a checkpoint has the state of the whole batch. All rows start
        # from the same zero state.
        zeros = graph.as_array(sess.run(graph.initial_state))
        batch_size = job.hyperparameters.batch_size
        fresh = Progress(
            step=0,
            lstm_state=np.repeat(zeros[:, :, :1], batch_size, axis=2),  # [num_layers, 2, N, L]
            epoch_losses=np.zeros(0, np.float32),
        )
        progress = self.run.begin(
            job.text, fresh, resumes=job.resumes, summaries=job.hyperparameters.summaries
        )

        display.skipped(self.run.skipped)
        display.plan()
        if job.resumes:
            display.resumed(progress.step)
        elif job.start.model:
            # For the reader, whatever becomes of the file of this model.
            if job.start.model.words is not None:
                files.write_atomically(Path(job.folder) / WORDS_FILE, job.start.model.words)
            # Saved at once, because a resumed run could not make these weights again.
            prefix = self.run.save(progress, graph.weights(sess), display.warn)
            display.saved(prefix)
        return progress

    @property
    def ends_early(self) -> bool:
        """Whether there were too many evaluations without improvement."""
        return 0 < self.job.hyperparameters.early_stop <= self.best.evaluations_since

    def check_step(self, step: int, loss: float, norm: float) -> None:
        """Raise CommonError if a step has made the loss or the norm of the gradients infinite or NaN."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise self._diverged(
                step, f"the loss is {loss} and the norm of the gradients is {norm}"
            )

    def _diverged(self, step: int, what: str) -> CommonError:
        """Return the error for a step after which training cannot continue."""
        hyper = self.job.hyperparameters
        # The first process alone knows whether there is a checkpoint, and it alone prints the error. A run without one
        # can be resumed too: it begins anew.
        remedy = "There is no checkpoint yet: resume from the beginning"
        if self.run.has_checkpoint:
            remedy = "Earlier checkpoints are intact: resume from the last one"
        return CommonError(
            f"at step {step} {what}, so training stops. {remedy} with a lower learning_rate (now "
            f"{hyper.learning_rate:g}) or grad_clip (now {hyper.grad_clip:g})"
        )

    def figures(self, step: int, *, loss: float, norm: float, seconds: float) -> Dict[str, float]:
        """Return what history.csv has of a step."""
        hyper = self.job.hyperparameters
        return dict(
            loss=float(loss),
            gradient_norm=float(norm),
            learning_rate=learning_rate_at(hyper, step - 1, self.job.n_windows),
            characters_per_second=hyper.batch_size * hyper.num_steps / seconds,
        )

    def evaluate(self, step: int) -> Dict[str, float]:
        """Evaluate on the held-out text if there is one, and return what history.csv has of it. This updates ``best``.

        Raise CommonError if the loss is infinite or NaN.
        """
        if not len(self.job.held_out):
            return {}
        loss = self.evaluator.held_out_loss()
        if not math.isfinite(loss):
            raise self._diverged(step, f"the validation loss is {loss}")

        self.best = self.best.after(step, loss)
        self.display.validation(step, loss, self.best)
        return {"val_loss": loss}

    def checkpoint(self, step: int, state: Any, epoch_losses: List[float], is_last: bool) -> None:
        """Save a checkpoint, and print a sample. A failure is a warning, unless this is the last checkpoint."""
        states = self.processes.gather(self.graph.as_array(state))
        progress = Progress(
            step=step,
            lstm_state=np.concatenate(states, axis=2),  # [num_layers, 2, N, L]
            epoch_losses=np.array(epoch_losses, np.float32),
            best=self.best,
        )
        saved_best = self._save(progress, is_last)
        # If the save has failed, forget the new best, since its weights are in no checkpoint, but let early stopping
        # count from it.
        self.best = replace(self.best, step=saved_best.step, loss=saved_best.loss)

    @in_first
    def _save(self, progress: Progress, is_last: bool) -> Best:
        """Save a checkpoint, print a sample, and return the best evaluation that has a checkpoint."""
        run = self.run
        display = self.display
        if not run.has_usable_variables():
            raise self._diverged(
                progress.step, "the weights are not finite, or too large to be used"
            )

        weights = self.graph.weights(run.session)
        try:
            prefix = run.save(progress, weights, display.warn)
        except OSError as error:
            # The checkpoint may be there: what fails then is to list it, or to remove the oldest ones.
            at_risk = progress.step - run.saved_progress.step
            if not is_last:
                display.save_failed(error, at_risk, run.has_checkpoint)
                return run.saved_progress.best
            if not at_risk:
                raise
            raise self._unsaved(error, progress.step, weights)

        display.saved(prefix)
        if self.job.hyperparameters.sample_length:
            display.sample(self.evaluator.sample(progress.step))
        return run.saved_progress.best

    def _unsaved(self, error: OSError, step: int, weights: Weights) -> UnsavedError:
        """Write the network elsewhere, because it has no checkpoint. Return the error that says where."""
        run = self.run
        path = run.save_elsewhere(step, weights)
        message = str(error)
        if run.was_moved and run.has_checkpoint:
            message += (
                ". If it was moved, its checkpoints are intact: to resume from the last one, name its new "
                "place as checkpoint_dir, with resume=True, or --resume"
            )
        name = "the network at the end of the run"
        if path:
            message += f". {self.display.rescued(path, step)}"
            name = str(path)
        model = Model(name, run.record.vocabulary, weights, run=run.record)
        return UnsavedError(message, model)

    @in_first
    def end(self, step: int, stopped_by: Optional[signal.Signals]) -> None:
        """Evaluate on the test text if there is one, and print how the run has ended after a step.

        Raise CommonError if it has learned nothing.
        """
        display = self.display
        ended_early = self.ends_early and step < self.job.total_steps
        if ended_early:
            display.ended_early(step, self.best)
        if stopped_by:
            display.stopped(stopped_by.name, step)
            return

        if len(self.job.test):
            loss, name = self.evaluator.test(self.run, step)
            display.test(loss, name)
            self.run.add_test_loss(loss)
        # Those of the last epoch, or of the part of it that was done before an early stop.
        losses = self.run.saved_progress.epoch_losses
        if len(losses) and display.is_far_above_guessing(losses.mean()):
            rate = self.job.hyperparameters.learning_rate
            raise CommonError(
                f"the run has ended, but its network is of no use: the mean loss of the last epoch is "
                f"{losses.mean():.4g}, far above guessing. Train another one with a lower learning_rate (now {rate:g})"
            )
        display.finished(step, self.ends_early)


if __name__ == "__main__":
    runpy.run_module("charrnn.commands.train", run_name="__main__", alter_sys=True)
