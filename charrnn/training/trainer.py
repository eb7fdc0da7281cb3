"""What a run does between two steps of the loop in train.py: it prints, evaluates, writes samples and saves."""
import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints.find import is_intact
from charrnn.checkpoints.run import Progress, Run
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.opened_model import Model, open_model
from charrnn.engines.sampler import Sampler, choose_settings, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.system import errors
from charrnn.system.tensorflow import forget_gradients, session_config, tf
from charrnn.training.display import Display, StopRequests
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.hyperparameters import learning_rate_at
from charrnn.training.job import Job
from charrnn.training.transfer import extended_weights

EVALUATION_ROWS = 32  # pieces of the held-out text that are read in parallel


class Trainer:
    """A run between two steps. Only the first of several processes prints and has a folder.

    Attributes:
        model: the TrainingGraph, in the default graph.
        config: the settings of the session that trains it.
        rows: slice of the rows of a batch that this process trains on.
        display: the Display.
        stop: the StopRequests.
        folder: the run folder.
    """

    def __init__(self, job: Job, processes: Processes) -> None:
        """Build the network in the default graph. Nothing is written yet."""
        hyper = job.hyperparameters
        self._job, self._hyper, self.stop, self._processes = job, hyper, StopRequests(), processes
        self.rows, self.folder = slice(*processes.rows(hyper.batch_size)), job.folder
        self._n_windows, self._total_steps = job.n_windows, job.total_steps  # which a Job computes each time
        self._threads = processes.threads(job.options.threads)
        self.model = TrainingGraph(len(job.run.vocabulary), hyper, processes, self._threads, job.seed_given)
        forget_gradients(tf.get_default_graph())
        self.config = session_config(self._threads, hyper.unrolls_fused, hyper.precision)
        self._saver, self._norm = tf.train.Saver(max_to_keep=0), tf.global_norm(tf.global_variables())
        self.display = Display(job, self.model.n_parameters, self.stop, job.options.quiet or processes.rank > 0)
        self._measured: Dict[str, float] = {}  # at the current step, for the reports
        self._graph: Optional[GraphEngine] = None  # built when first used
        self._run: Any = None  # in the first process, a Run, from begin() on

    def close(self) -> None:
        """Close the files of the run and other sessions than that of the loop. The lock is given up last."""
        for opened in (self._graph, self._run):
            if opened:
                opened.close()

    def begin(self, sess: Any) -> Progress:
        """Begin the run or restore it, in all processes, whose sessions then have the same values."""
        self._sess = sess
        progress = self._processes.from_first(self._begin)
        self._processes.synchronize(sess)
        self.best_step, self._best_loss = progress.best_step, progress.best_loss
        self._evals_since_best = progress.evals_since_best
        return progress

    def _begin(self) -> Progress:
        """Reserve the folder, and begin the run there."""
        job, sess, resumes = self._job, self._sess, self._job.options.resume
        self._run = run = Run(job.run, job.folder, resumes)
        if job.init_from:
            self.model.set_weights(sess, extended_weights(job.init_from, job.run.vocabulary, self.model.weights(sess)))
        zeros = self.model.as_array(sess.run(self.model.initial_state))[:, :, :1]
        fresh = Progress(0, np.repeat(zeros, self._hyper.batch_size, axis=2), np.zeros(0, np.float32))
        progress = run.begin(job.text, fresh, sess, self._saver, job.options.summaries)
        self.display.skipped(run.skipped)
        self.display.plan()
        if resumes:
            self.display.resumed(progress.step, run.restored)
        elif job.init_from:  # saved at once, because a resumed run could not make these weights again
            self._write(progress, last=True)
        return progress

    # ---- after a step ----------------------------------------------------------------------------------------

    def check(self, step: int, loss: float, norm: float) -> None:
        """Raise ValueError if a step has made the loss or the norm of the gradients infinite or NaN."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise self._diverged(step, f"the loss is {loss} and the norm of the gradients is {norm}")
        self.display.advance(loss)

    @property
    def _has_checkpoint(self) -> bool:
        # from another model, a run begins with a checkpoint of step 0
        return bool(self._run and (self._run.saved.step or self._run.record.init_from))

    def _diverged(self, step: int, what: str) -> ValueError:
        """Return the error for a step after which training cannot continue."""
        remedy = ("Earlier checkpoints are intact: resume from the last one" if self._has_checkpoint else
                  "There is no checkpoint yet: resume from the beginning")
        return ValueError(
            f"at step {step} {what}, so training stops. {remedy} with a lower learning_rate (now "
            f"{self._hyper.learning_rate:g}) or grad_clip (now {self._hyper.grad_clip:g})")

    def print_step(self, step: int, loss: float, norm: float, seconds: float) -> None:
        """Print the notebook's line about a step, and keep its figures for the reports."""
        hyper, loss = self._hyper, float(loss)
        self.display.step(step, loss, seconds)
        self._measured.update(
            loss=loss, bits_per_character=loss / math.log(2), gradient_norm=float(norm),
            learning_rate=learning_rate_at(hyper, step - 1, self._n_windows),
            characters_per_second=hyper.batch_size * hyper.num_steps / seconds)

    def evaluate(self, step: int) -> bool:
        """Evaluate on the held-out text, if there is one. Return whether the loss is the lowest so far."""
        if not len(self._job.held_out):
            return False
        share = self._processes.rank, self._processes.size
        nats = surprisal(self._engine(), self._job.held_out, EVALUATION_ROWS, share)
        loss = sum(self._processes.gather(float(np.mean(nats, dtype=np.float64))))  # nats are 0 in rows of the others
        if not math.isfinite(loss):
            raise self._diverged(step, f"the validation loss is {loss}")
        is_best = loss < self._best_loss
        if is_best:
            self.best_step, self._best_loss = step, loss
        self._evals_since_best = 0 if is_best else self._evals_since_best + 1
        self.display.validation(step, loss, self._best_loss, self.best_step)
        self._measured.update(val_loss=loss, val_bits_per_character=loss / math.log(2))
        return is_best

    def end_step(self, step: int) -> Tuple[Any, bool]:
        """Write what was measured. Return the signal to stop, or None, and whether this is the last step."""
        if self._measured and self._run:
            self._run.add(step, epoch=(step - 1) // self._n_windows + 1, **self._measured)
        self._measured = {}
        stopped_by = self._processes.agree(self.stop.signal)
        return stopped_by, bool(stopped_by or step == self._total_steps or self.ends_early)

    def save(self, step: int, state: Any, epoch_losses: List[float], last: bool) -> None:
        """Save a checkpoint with the state of all rows, and write a sample.

        A failure is a warning, unless this is the last checkpoint.
        """
        states = self._processes.gather(self.model.as_array(state))
        progress = Progress(step, np.concatenate(states, axis=2), np.array(epoch_losses, np.float32), self.best_step,
                            self._best_loss, self._evals_since_best)
        # the best evaluation that has a checkpoint
        self.best_step, self._best_loss = self._processes.from_first(lambda: self._write(progress, last))

    def _write(self, progress: Progress, last: bool) -> Tuple[int, float]:
        """Write a checkpoint. Return the step and the loss of the best that is saved."""
        run, step = self._run, progress.step
        if not math.isfinite(self._sess.run(self._norm)):
            raise self._diverged(step, "the weights are not finite, or too large to be used")
        is_saved = False
        try:
            self.display.saved(run.save(progress, self._sess, self._saver, self.model.weights(self._sess),
                                        self.display.warn))
            is_saved = True
            run.tidy()
        except OSError as error:
            if last:
                raise
            so_far = "earlier checkpoints are intact" if self._has_checkpoint else "there is no checkpoint yet"
            self.display.warn(f"{errors.described(error)}; {so_far}, and training continues")
        if is_saved and step and self._job.options.sample_length:
            self._sample(step)
        return run.saved.best_step, run.saved.best_loss

    def _sample(self, step: int) -> None:
        """Generate and print the text that ``charrnn-sample`` writes with the step as its seed.

        That of a list has lines with all first letters.
        """
        vocabulary, of_lines = self._job.run.vocabulary, self._job.of_lines
        prime = "\n" if of_lines else default_prime(vocabulary, self._job.run)
        settings = choose_settings(len(vocabulary), of_lines=of_lines)
        engine = self._engine() if self._hyper.cell != "lstm" else Model(
            "", vocabulary, self.model.weights(self._sess)).engine()
        (sample,), interrupted = Sampler(engine).write(prime, self._job.options.sample_length, settings, step)
        if interrupted:
            raise KeyboardInterrupt
        self.display.sample((prime + sample.text).lstrip("\n"))

    def _engine(self) -> GraphEngine:
        """Return an engine with the current weights or their running averages. Each call returns the same engine."""
        if not self._graph:
            self._graph = GraphEngine(self._job.run.vocabulary, self._hyper.lstm_size, self._hyper.num_layers,
                                      self._hyper.cell, self._threads)
        self._graph.load(self.model.weights(self._sess))
        return self._graph

    # ---- the end ---------------------------------------------------------------------------------------------

    @property
    def ends_early(self) -> bool:
        """Whether there were too many evaluations without improvement."""
        return 0 < self._hyper.early_stop <= self._evals_since_best

    def end(self, step: int, stopped_by: Any) -> None:
        """Evaluate on the test text if there is one, and print how the run has ended."""
        is_early = self.ends_early and step < self._total_steps
        if is_early:
            self.display.ended_early(step, self._evals_since_best, self.best_step)
        if stopped_by:
            self.display.stopped(stopped_by.name, step)
        else:
            if len(self._job.test):
                self._processes.from_first(lambda: self._evaluate_test(step))
            self.display.finished(step, "early_stop" if is_early else "epochs")
        self._processes.gather(None)  # wait for the others: a launcher may end all processes when one has ended

    def _evaluate_test(self, step: int) -> None:
        """Evaluate the best checkpoint, or else the last, on the test text, and print and record the loss."""
        best, last = self._run.record.best, self._run.name(step)
        name = best if best and is_intact(self.folder, best) else last
        engine = self._engine()
        if name != last:
            engine.load(open_model(Path(self.folder) / name).weights)
        loss = float(np.mean(surprisal(engine, self._job.test, EVALUATION_ROWS), dtype=np.float64))
        self.display.test(loss, name)
        self._run.add_test_loss(loss)
