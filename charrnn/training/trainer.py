"""One training run: the notebook's loop, with what is printed, evaluated and saved on the way."""
import contextlib
import itertools
import math
import signal
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Tuple

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError, Progress, Run
from charrnn.data import StrPath, count_windows, get_batches
from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import Sampler, default_prime, default_top_n, write
from charrnn.engines.surprisal import surprisal
from charrnn.system import console, machine
from charrnn.training.current import CurrentNetwork
from charrnn.training.display import Display, Plan
from charrnn.training.distributed import Processes, Silent
from charrnn.training.hyperparameters import Hyperparameters, learning_rate_at
from charrnn.training.network import Network
from charrnn.training.reports import Reports, Row
from charrnn.training.stopping import StopRequests
from charrnn.training.timing import StepTimer
from charrnn.training.transfer import Transfer

EVALUATION_ROWS = 32  # parts of the held-out text that are read in parallel
TRIAL_STEPS = 5
NO_LOSSES = np.zeros(0, np.float32)
NOTHING = np.zeros(0, np.int32)


class Trainer:
    """A run that is started or resumed in its folder, and then trained."""

    def __init__(self, run: Run, hyperparameters: Hyperparameters, training: np.ndarray, held_out: np.ndarray,
                 folder: StrPath, *, test: np.ndarray = NOTHING, sample_length: int = 200,
                 threads: Optional[int] = None, summaries: bool = True, transfer: Optional[Transfer] = None,
                 processes: Optional[Processes] = None,
                 after_best: Optional[Callable[[str], str]] = None) -> None:
        """Build the network in the default graph, and initialize it.

        Args:
            run: the record of the run.
            hyperparameters: its hyperparameters, checked.
            training: int array, the text to train on.
            held_out: int array, the text to evaluate on; empty for none.
            folder: the run folder.
            test: int array, the text to evaluate on once when training has ended; empty for none.
            sample_length: characters to sample at each checkpoint, 0 for none.
            threads: as for CharRNN.
            summaries: whether to write TensorBoard's event files.
            transfer: where to take the initial weights from; None for random ones.
            processes: the processes that share the work; None for this one alone.
            after_best: as for train().
        """
        self._processes = processes or Processes()
        self._run, self._hyper, self._folder = run, hyperparameters, folder
        self._training, self._held_out, self._test = training, held_out, test
        self._sample_length, self._summaries, self._after_best = sample_length, summaries, after_best
        self._threads = self._processes.threads(threads)
        self._rows = slice(*self._processes.rows(hyperparameters.batch_size))
        self._opened = contextlib.ExitStack()
        self._network = Network(len(run.vocabulary), hyperparameters, self._processes, self._threads)
        self._opened.callback(self._network.close)
        self._current = CurrentNetwork(self._network, run.vocabulary, hyperparameters, self._threads)
        self._opened.callback(self._current.close)
        if transfer and self._processes.rank == 0:
            self._network.set_weights(transfer.weights(self._network.weights()))
        self._progress = Progress(0, self._network.zero_state, NO_LOSSES)
        self._saved = self._progress  # as of the newest checkpoint, which the first process notes
        self._plan = Plan(
            run, hyperparameters, folder, n_training=len(training), n_held_out=len(held_out), n_test=len(test),
            n_windows=count_windows(len(training), hyperparameters.batch_size, hyperparameters.num_steps),
            n_parameters=self._network.n_parameters, transfer=transfer)
        self._stop = StopRequests()
        self._display: Any = Display(self._plan, self._stop) if self._processes.rank == 0 else Silent()
        self._reports: Any = Silent()  # in the first process Reports, from start() on

    def close(self) -> None:
        """Close the sessions and files."""
        self._opened.close()

    def start(self, resume: bool) -> None:
        """Resume the run in the folder, or begin a new one there, and print the plan."""
        progress = self._processes.from_first(lambda: self._open_folder(resume))
        self._progress = replace(progress, lstm_state=progress.lstm_state[:, :, self._rows])
        self._processes.synchronize(self._network.session)
        self._display.plan()
        if resume:
            self._display.resumed(self._progress.step)

    def _open_folder(self, resume: bool) -> Progress:
        """Prepare the run folder, restore the run if it is resumed, and return the progress with the whole state."""
        checkpoints.remove_leftovers(self._folder)
        whole = np.repeat(self._network.zero_state[:, :, :1], self._hyper.batch_size, axis=2)  # [num_layers, 2, N, L]
        progress = replace(self._progress, lstm_state=whole)
        if resume:
            progress = self._restore(progress)
        checkpoints.write_run(self._folder, self._run)
        self._reports = Reports(self._folder, progress.step, self._summaries)
        self._opened.callback(self._reports.close)
        self._display.history(progress.history_rows - self._reports.n_rows)
        self._saved = progress
        return progress

    def _restore(self, fresh: Progress) -> Progress:
        """Restore the newest intact checkpoint, if there is one yet, and return its progress."""
        try:
            prefix, skipped = checkpoints.newest_intact(self._folder)
        except checkpoints.NoCheckpointError:
            if self._run.init_from:
                raise CheckpointError(
                    f"the run in {self._folder}, which started from the weights of {self._run.init_from}, was "
                    "stopped before its first checkpoint: start it again in another folder")
            return fresh
        self._display.skipped(skipped)
        progress = checkpoints.read_progress(prefix, fresh.lstm_state.shape)
        checkpoints.restore(self._network.session, self._network.saver, prefix)
        best = self._name(progress.best_step) if progress.best_step else None
        if best and not checkpoints.is_intact(self._folder, best):
            self._display.skipped([f"the best checkpoint {best} is damaged: the next evaluation counts as the best"])
            best, progress = None, replace(progress, best_step=0, best_loss=math.inf)
        self._run = replace(self._run, best=best)
        return progress

    def try_out(self) -> None:
        """Print the plan, and an estimate of memory and time from a few steps; write nothing."""
        self._display.plan()
        times = []
        for x, y in itertools.islice(itertools.cycle(self._windows()), TRIAL_STEPS):
            started = time.perf_counter()
            self._train_step(x, y)
            times.append(time.perf_counter() - started)
        self._display.trial(statistics.median(times), machine.peak_memory())

    def run(self) -> Optional[signal.Signals]:
        """Train to the last epoch, an early end or a signal. Return the signal, or None."""
        with self._display.bar(self._progress.step), self._stop.noted():
            stopped_by = None if self._ends_early() else self._train()
        progress = self._progress
        if self._ends_early():
            self._display.ended_early(progress.step, progress.evals_since_best, progress.best_step)
        if stopped_by:
            self._display.stopped(stopped_by.name, progress.step)
        else:
            if len(self._test):
                self._display.test(*self._processes.from_first(self._evaluate_test))
            early = self._ends_early() and progress.step < self._plan.n_steps
            self._display.finished(progress.step, "--early-stop" if early else "--epochs")
        self._processes.gather(None)  # the launcher ends all processes when one has ended
        return stopped_by

    def _train(self) -> Optional[signal.Signals]:
        """Do the remaining steps as the notebook does; after each, print, evaluate and save what is due."""
        hyper, n_windows, n_steps = self._hyper, self._plan.n_windows, self._plan.n_steps
        self._timer = StepTimer(self._progress.step)
        for epoch in range(self._progress.step // n_windows + 1, hyper.epochs + 1):
            done = self._progress.step % n_windows  # more than 0 in the epoch in which a run was resumed
            if done == 0:
                self._progress = replace(self._progress, lstm_state=self._network.zero_state, epoch_losses=NO_LOSSES)
            for x, y in itertools.islice(self._windows(), done, None):
                loss, norm = self._train_step(x, y)
                self._display.advance(loss)
                step = self._progress.step
                row, at_end = Row(step, epoch), step == n_steps
                saving = at_end or step % hyper.save_every_n == 0
                evaluating = saving or hyper.eval_every_n and step % hyper.eval_every_n == 0
                if at_end or step % hyper.print_every_n == 0:
                    row = self._print_step(row, loss, norm)
                if step % n_windows == 0:
                    self._display.epoch(epoch, np.mean(self._progress.epoch_losses))
                if evaluating and len(self._held_out):
                    row = self._evaluate(row)
                if not row.is_empty:
                    self._try_to_report(self._reports.add, row)
                stopped_by = self._processes.agree(self._stop.signal)
                last = bool(stopped_by or at_end or self._ends_early())
                if saving or last or self._progress.best_step == step:
                    self._save(last)
                if last:
                    return stopped_by
        return None

    def _windows(self) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
        """Yield the windows of an epoch, x and y: the rows [N, M] that this process trains on."""
        for x, y in get_batches(self._training, self._hyper.batch_size, self._hyper.num_steps):
            yield x[self._rows], y[self._rows]

    def _train_step(self, x: np.ndarray, y: np.ndarray) -> Tuple[float, float]:
        """Do one update on the rows of a window, carrying the state. Return the loss and the gradients' norm."""
        progress = self._progress
        loss, norm, state = self._network.step(
            x, y, progress.lstm_state, self._learning_rate(progress.step), progress.step)
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise self._diverged(progress.step + 1, f"the loss is {loss} and the norm of the gradients is {norm}")
        self._progress = replace(progress, step=progress.step + 1, lstm_state=state,
                                 epoch_losses=np.append(progress.epoch_losses, np.float32(loss)))
        return loss, norm

    def _diverged(self, step: int, what: str) -> ValueError:
        """Return the error for a step after which training cannot continue."""
        remedy = ("Earlier checkpoints are intact: continue from the last one" if self._saved.step else
                  "There is no checkpoint yet: begin again")
        return ValueError(
            f"at step {step} {what}, so training stops. {remedy} with --resume and a lower --learning-rate (now "
            f"{self._learning_rate(step - 1):g}) or --grad-clip (now {self._hyper.grad_clip:g})")

    def _learning_rate(self, step: int) -> float:
        return learning_rate_at(self._hyper, step, self._plan.n_windows)

    def _print_step(self, row: Row, loss: float, norm: float) -> Row:
        """Print the notebook's line. Return the row with what was measured."""
        seconds = self._timer.lap(row.step)
        self._display.step(row.step, loss, seconds)
        return row._replace(
            loss=loss, bits_per_character=loss / math.log(2), gradient_norm=norm,
            learning_rate=self._learning_rate(row.step - 1),
            characters_per_second=self._plan.characters_per_step / seconds)

    def _evaluate(self, row: Row) -> Row:
        """Evaluate on the held-out text. Return the row with the loss, and note whether it is the best."""
        with self._timer.paused():
            nats = surprisal(self._current.for_many_rows(), self._held_out, EVALUATION_ROWS, self._processes.share)
            loss = self._processes.total(float(np.mean(nats, dtype=np.float64)))
            progress = self._progress
            if not math.isfinite(loss):
                raise self._diverged(progress.step, f"the validation loss is {loss}")
            if loss < progress.best_loss:
                progress = replace(progress, best_step=progress.step, best_loss=loss, evals_since_best=0)
            else:
                progress = replace(progress, evals_since_best=progress.evals_since_best + 1)
            self._progress = progress
            self._display.validation(progress.step, loss, progress.best_loss, progress.best_step)
        return row._replace(val_loss=loss, val_bits_per_character=loss / math.log(2))

    def _evaluate_test(self) -> Tuple[float, str]:
        """Evaluate the best checkpoint, or else the last, on the test text. Return the loss and the name."""
        best, last = self._run.best, self._name(self._progress.step)
        name = best if best and checkpoints.is_intact(self._folder, best) else last
        engine = self._current.for_many_rows()
        if name != last:
            engine.load(checkpoints.read_weights(str(Path(self._folder) / name)))
        return float(np.mean(surprisal(engine, self._test, EVALUATION_ROWS), dtype=np.float64)), name

    def _ends_early(self) -> bool:
        """Return whether there were too many evaluations without improvement."""
        return bool(self._hyper.early_stop) and self._progress.evals_since_best >= self._hyper.early_stop

    def _save(self, last: bool) -> None:
        """Save a checkpoint with the state of all rows."""
        with self._timer.paused():
            states = self._processes.gather(self._progress.lstm_state)
            progress = replace(self._progress, lstm_state=np.concatenate(states, axis=2))
            best_step, best_loss = self._processes.from_first(lambda: self._write(progress, last))
            self._progress = replace(self._progress, best_step=best_step, best_loss=best_loss)

    def _write(self, progress: Progress, last: bool) -> Tuple[int, float]:
        """Write a checkpoint; if it is not the last, a failure is a warning. Return step and loss of the best saved."""
        if not math.isfinite(self._network.norm()):
            raise self._diverged(progress.step, "the weights are not finite, or too large to be used")
        self._try_to_report(self._reports.flush)  # before the checkpoint that has its rows
        progress = replace(progress, history_rows=self._reports.n_rows)
        prefix = str(Path(self._folder) / self._name(progress.step))
        run = replace(self._run, best=Path(prefix).name) if progress.best_step == progress.step else self._run
        try:
            checkpoints.save(self._network.session, self._network.saver, self._folder, self._hyper.lstm_size,
                             progress, run, self._hyper.max_to_keep)
        except OSError as error:
            if last:
                raise
            self._display.warn(f"{error}; earlier checkpoints are intact, and training continues")
            if not isinstance(error, checkpoints.NotListedError):
                return self._saved.best_step, self._saved.best_loss
        self._run, self._saved = run, progress  # only now, so that the best is always one that was saved
        self._display.saved(prefix)
        self._after_save(prefix, progress)
        return progress.best_step, progress.best_loss

    def _after_save(self, prefix: str, progress: Progress) -> None:
        """Print a sample, and call ``after_best`` if the checkpoint is the best so far or no text is held out."""
        if self._sample_length:
            self._sample()
        if self._after_best and (progress.best_step == progress.step or not len(self._held_out)):
            try:
                self._display.saved(self._after_best(prefix))
            except (OSError, ValueError) as error:
                self._display.warn(f"{console.described(error)}; training continues")

    def _sample(self) -> None:
        """Generate and print the text that ``charrnn-sample`` writes with the step as its seed."""
        step, prime = self._progress.step, default_prime(self._run.vocabulary)
        settings = Settings(top_n=default_top_n(len(self._run.vocabulary)))
        (sample,), interrupted = write(Sampler(self._current.for_one_text()), prime, self._sample_length, settings,
                                      step)
        if interrupted:
            raise KeyboardInterrupt
        self._display.sample(prime + sample.text)
        self._reports.add_sample(prime + sample.text, step)

    def _try_to_report(self, write: Callable[..., None], *args: Row) -> None:
        """Write a report, or print a warning if that fails."""
        try:
            write(*args)
        except OSError as error:
            self._display.warn(f"the history cannot be written: {console.reason(error)}")

    def _name(self, step: int) -> str:
        return checkpoints.checkpoint_prefix("", step, self._hyper.lstm_size)
