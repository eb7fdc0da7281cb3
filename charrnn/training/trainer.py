"""A run while its network is trained: what the loop in train.py prints, evaluates and saves."""
import contextlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import numpy as np

from charrnn.checkpoints import folders, record, saving
from charrnn.checkpoints.find import is_intact, newest_intact
from charrnn.checkpoints.record import NoCheckpointError
from charrnn.checkpoints.saving import Progress
from charrnn.checkpoints.weights import restore
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.opened_model import Model, open_model
from charrnn.engines.sampler import Sampler, choose_settings, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.system import console
from charrnn.training.display import Display
from charrnn.training.distributed import Processes
from charrnn.training.graph import Network
from charrnn.training.hyperparameters import learning_rate_at
from charrnn.training.job import Job
from charrnn.training.reports import Reports
from charrnn.training.stopping import StopRequests
from charrnn.training.transfer import extended_weights

EVALUATION_ROWS = 32  # pieces of the held-out text that are read in parallel


class Trainer:
    """A run while its network is trained.

    Only the first process prints and writes; in the others, and in a quiet run, the display prints nothing.

    Attributes:
        job: the Job.
        display: the Display.
        network: the Network.
        stop: the StopRequests.
        rows: slice of the rows of a batch that this process trains on.
    """

    def __init__(self, job: Job, processes: Processes) -> None:
        """Build the network in the default graph, and initialize it. Nothing is written yet.

        Args:
            job: the plan of the run.
            processes: the processes that share a batch.
        """
        self.job, self.stop, self._processes = job, StopRequests(), processes
        self._run = job.run
        self._measured: Dict[str, float] = {}  # at the current step, for the history
        self.rows = slice(*processes.rows(job.hyperparameters.batch_size))
        threads = processes.threads(job.options.threads)
        self.network = Network(len(job.run.vocabulary), job.hyperparameters, processes, threads, job.seed_given)
        self._graph: Optional[GraphEngine] = None  # built when first used
        self._threads = threads
        self.display = Display(job, self.network.n_parameters, self.stop, job.options.quiet or processes.rank > 0)
        self._lock: Any = None  # _open_folder() makes a Lock and Reports, in the first process
        self._reports: Any = None
        if job.init_from and processes.rank == 0:
            self.network.set_weights(extended_weights(job.init_from, job.run.vocabulary, self.network.weights()))

    def close(self) -> None:
        """Close the sessions and files."""
        for opened in (self._reports, self._graph, self.network, self._lock):
            if opened:
                opened.close()

    # ---- the folder ------------------------------------------------------------------------------------------

    def begin(self) -> Progress:
        """Begin the run or restore it, in all processes. Return the progress."""
        whole = self._saved = self._processes.from_first(self._open_folder)
        self._processes.synchronize(self.network.session)
        return replace(whole, lstm_state=whole.lstm_state[:, :, self.rows])

    def _open_folder(self) -> Progress:
        """Reserve the folder, and restore the run to resume. Return the progress, with the state of all rows."""
        folder, self._lock = folders.reserve(
            self.job.folder if self.job.is_named else None, self.job.options.resume)
        job = self.job = self.display.job = replace(self.job, folder=folder)
        hyper = job.hyperparameters
        saving.remove_leftovers(job.folder)
        zeros = np.repeat(self.network.zero_state[:, :, :1], hyper.batch_size, axis=2)
        progress = Progress(0, zeros, np.zeros(0, np.float32))
        record.write_text(job.folder, job.text, not job.options.resume)
        if job.options.resume:
            progress = self._restored(progress)
        elif not job.init_from:
            record.write_run(job.folder, self._run)
        self._reports = Reports(job.folder, progress.step, progress.history, job.options.summaries, self._lock.check)
        self._saved = progress
        self.display.plan()
        if job.options.resume:
            self.display.resumed(progress.step)
        elif job.init_from:  # saved at once, because a resumed run could not make these weights again
            self._write(progress, last=True)
        return progress

    def _restored(self, fresh: Progress) -> Progress:
        """Restore the newest intact checkpoint, if there is one yet, and return its progress."""
        try:
            found = newest_intact(self.job.folder)
        except NoCheckpointError:
            if self._run.init_from:
                raise  # the initial weights are lost
            record.write_run(self.job.folder, self._run)
            return fresh
        self.display.skipped(found.skipped)
        progress = saving.read_progress(found.prefix)
        restore(self.network.session, self.network.saver, found.prefix)
        best = self._name(progress.best_step) if progress.best_step else None
        if best and not is_intact(self.job.folder, best):
            self.display.skipped([f"the best checkpoint {best} is damaged: the next evaluation counts as the best"])
            best, progress = None, replace(progress, best_step=0, best_loss=math.inf)
        self._run = replace(self._run, best=best)
        saving.finish_save(self.job.folder, progress.step, self._run, self.job.hyperparameters.max_to_keep)
        return progress

    def _name(self, step: int) -> str:
        return record.checkpoint_prefix("", step, self.job.hyperparameters.lstm_size)

    # ---- after a step ----------------------------------------------------------------------------------------

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, given the number of steps before it."""
        return learning_rate_at(self.job.hyperparameters, step, self.job.n_windows)

    def check_finite(self, step: int, loss: float, norm: float) -> None:
        """Raise ValueError if a step has made the loss or the norm of the gradients infinite or NaN."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise self._diverged(step, f"the loss is {loss} and the norm of the gradients is {norm}")

    def _diverged(self, step: int, what: str) -> ValueError:
        """Return the error for a step after which training cannot continue."""
        has_checkpoint = self._saved.step or self._run.init_from  # from another model, it begins with one of step 0
        remedy = ("Earlier checkpoints are intact: resume from the last one" if has_checkpoint else
                  "There is no checkpoint yet: resume from the beginning")
        hyper = self.job.hyperparameters
        return ValueError(
            f"at step {step} {what}, so training stops. {remedy} with a lower learning_rate (now "
            f"{hyper.learning_rate:g}) or grad_clip (now {hyper.grad_clip:g})")

    def print_step(self, step: int, loss: float, norm: float, seconds: float) -> None:
        """Print the notebook's line about a step, and keep its figures for the history."""
        hyper = self.job.hyperparameters
        self.display.step(step, loss, seconds)
        self._measured.update(
            loss=loss, bits_per_character=loss / math.log(2), gradient_norm=norm,
            learning_rate=self.learning_rate(step - 1),
            characters_per_second=hyper.batch_size * hyper.num_steps / seconds)

    def evaluate(self, progress: Progress) -> Progress:
        """Evaluate on the held-out text, print the loss, and keep it for the history.

        Return the progress, with this step as the best if its loss is the lowest.
        """
        share = self._processes.rank, self._processes.size
        nats = surprisal(self._engine(), self.job.held_out, EVALUATION_ROWS, share)
        loss = sum(self._processes.gather(float(np.mean(nats, dtype=np.float64))))  # nats are 0 in rows of the others
        if not math.isfinite(loss):
            raise self._diverged(progress.step, f"the validation loss is {loss}")
        if loss < progress.best_loss:
            progress = replace(progress, best_step=progress.step, best_loss=loss, evals_since_best=0)
        else:
            progress = replace(progress, evals_since_best=progress.evals_since_best + 1)
        self.display.validation(progress.step, loss, progress.best_loss, progress.best_step)
        self._measured.update(val_loss=loss, val_bits_per_character=loss / math.log(2))
        return progress

    def write_history(self, step: int) -> None:
        """Add what :meth:`print_step` and :meth:`evaluate` have kept to the history, if there is anything."""
        if self._measured and self._reports:
            epoch = (step - 1) // self.job.n_windows + 1
            with contextlib.suppress(OSError):  # the next flush writes it, or raises an error
                self._reports.add(step, epoch=epoch, **self._measured)
        self._measured = {}

    def save(self, progress: Progress, last: bool) -> Progress:
        """Save a checkpoint with the state of all rows. Return the progress; its best evaluation has a checkpoint."""
        states = self._processes.gather(progress.lstm_state)
        whole = replace(progress, lstm_state=np.concatenate(states, axis=2))
        best_step, best_loss = self._processes.from_first(lambda: self._write(whole, last))
        return replace(progress, best_step=best_step, best_loss=best_loss)

    def _write(self, progress: Progress, last: bool) -> Tuple[int, float]:
        """Write a checkpoint. Return the step and the loss of the best that is saved.

        A failure is a warning, unless this is the last checkpoint.
        """
        if not math.isfinite(self.network.norm()):
            raise self._diverged(progress.step, "the weights are not finite, or too large to be used")
        name, hyper = self._name(progress.step), self.job.hyperparameters
        run = replace(self._run, best=name) if progress.best_step == progress.step > 0 else self._run
        try:
            self._lock.check()
            self._flush()
            progress = replace(progress, history=self._reports.history)
            prefix = saving.save(self.network.session, self.network.saver, self.job.folder, hyper.lstm_size,
                                 progress, run, self.network.weights())
            self._run, self._saved = run, progress  # only now, because the save may fail
            self.display.saved(prefix)
            saving.finish_save(self.job.folder, progress.step, run, hyper.max_to_keep)
        except OSError as error:
            if last:
                raise
            self.display.warn(f"{console.described(error)}; earlier checkpoints are intact, and training continues")
        if self._saved is progress and progress.step and self.job.options.sample_length:
            self._sample(progress.step)
        return self._saved.best_step, self._saved.best_loss

    def _flush(self) -> None:
        """Write the reports. A failure is a warning, since the checkpoint has the history too."""
        try:
            self._reports.flush()
        except OSError as error:
            self.display.warn(f"the reports cannot be written: {console.reason(error)}")

    def _sample(self, step: int) -> None:
        """Generate and print the text that ``charrnn-sample`` writes with the step as its seed."""
        vocabulary = self.job.run.vocabulary
        prime, settings = default_prime(vocabulary), choose_settings(len(vocabulary))
        engine = self._engine() if self.job.hyperparameters.cell != "lstm" else Model(
            "", vocabulary, self.network.weights()).engine()
        (sample,), interrupted = Sampler(engine).write(prime, self.job.options.sample_length, settings, step)
        if interrupted:
            raise KeyboardInterrupt
        self.display.sample(prime + sample.text)

    def _engine(self) -> GraphEngine:
        """Return an engine with the current weights or their running averages. Each call returns the same engine."""
        hyper = self.job.hyperparameters
        if not self._graph:
            self._graph = GraphEngine(
                self.job.run.vocabulary, hyper.lstm_size, hyper.num_layers, hyper.cell, self._threads)
        self._graph.load(self.network.weights())
        return self._graph

    # ---- the end ---------------------------------------------------------------------------------------------

    def ends_early(self, progress: Progress) -> bool:
        """Return whether there were too many evaluations without improvement."""
        early_stop = self.job.hyperparameters.early_stop
        return bool(early_stop) and progress.evals_since_best >= early_stop

    def end(self, progress: Progress, stopped_by: Any) -> None:
        """Evaluate on the test text if there is one, and print how the run has ended."""
        early = self.ends_early(progress)
        if early:
            self.display.ended_early(progress.step, progress.evals_since_best, progress.best_step)
        if stopped_by:
            self.display.stopped(stopped_by.name, progress.step)
        else:
            if len(self.job.test):
                self.display.test(*self._processes.from_first(lambda: self._evaluate_test(progress.step)))
            self.display.finished(progress.step, "early_stop" if early and progress.step < self.job.total_steps else
                                  "epochs")
        self._processes.gather(None)  # wait for the others: a launcher may end all processes when one has ended

    def _evaluate_test(self, step: int) -> Tuple[float, str]:
        """Evaluate the best checkpoint, or else the last, on the test text. Return the loss and the name."""
        best, last = self._run.best, self._name(step)
        name = best if best and is_intact(self.job.folder, best) else last
        engine = self._engine()
        if name != last:
            engine.load(open_model(Path(self.job.folder) / name).weights)
        return float(np.mean(surprisal(engine, self.job.test, EVALUATION_ROWS), dtype=np.float64)), name
