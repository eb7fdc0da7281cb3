"""Evaluating a network while it is trained, on the texts that are held out."""

import contextlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.run import Progress, Run
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.model_file import open_model
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import Sampler, choose_settings, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.job import Job

ROWS = 32  # pieces of the held-out text that are read in parallel


@dataclass(frozen=True)
class Evaluation:
    """An evaluation on the held-out text, and the best so far. The losses are in nats per character.

    Attributes:
        step: number of updates done; 0 if there was no evaluation.
        loss: the validation loss.
        best_step: the step of the lowest loss; 0 if there was no evaluation.
        best_loss: that loss.
        since_best: number of evaluations since then.
    """

    step: int = 0
    loss: float = math.inf
    best_step: int = 0
    best_loss: float = math.inf
    since_best: int = 0

    @property
    def is_best(self) -> bool:
        """Whether this evaluation has the lowest loss."""
        return self.best_step == self.step > 0

    def followed_by(self, step: int, loss: float) -> "Evaluation":
        """Return the next evaluation."""
        if loss < self.best_loss:
            return Evaluation(step, loss, step, loss)
        return replace(self, step=step, loss=loss, since_best=self.since_best + 1)


@dataclass
class Evaluator:
    """Evaluates the network of a run, in a graph and a session of its own, which are made when they are first used.

    Attributes:
        job: the plan of the run.
        model: the network.
        session: the tf.Session that has its variables.
        processes: those that share the held-out text.
        last: the last Evaluation. Its best one is the best that has a checkpoint.
    """

    job: Job
    model: TrainingGraph
    session: Any
    processes: Processes
    last: Evaluation
    _graph: Optional[GraphEngine] = None

    def close(self) -> None:
        """Close the session."""
        if self._graph:
            self._graph.close()

    def _engine(self) -> GraphEngine:
        """Return an engine with the current weights or their running averages. Each call returns the same engine."""
        hyper = self.job.hyperparameters
        if not self._graph:
            self._graph = GraphEngine(
                self.job.record.vocabulary,
                hyper.lstm_size,
                hyper.num_layers,
                hyper.cell,
                self.job.threads,
            )
        self._graph.load(self.model.weights(self.session))
        return self._graph

    def measure(self, step: int) -> Evaluation:
        """Evaluate on the held-out text after a step. The processes share the text."""
        share = self.processes.rank, self.processes.size
        # 0 in the rows of the other processes
        nats = surprisal(self._engine(), self.job.held_out, ROWS, share)
        loss = sum(self.processes.gather(float(np.mean(nats, dtype=np.float64))))
        self.last = self.last.followed_by(step, loss)
        return self.last

    def progress(self, step: int, state: Any, epoch_losses: List[float]) -> Progress:
        """Return the progress of the run after a step, with the state of the rows of all processes."""
        states = self.processes.gather(self.model.as_array(state))
        return Progress(
            step,
            np.concatenate(states, axis=2),
            np.array(epoch_losses, np.float32),
            self.last.best_step,
            self.last.best_loss,
            self.last.since_best,
        )

    def keep_best(self, step: int, loss: float) -> None:
        """Take an earlier evaluation for the best, because the last best one could not be saved."""
        self.last = replace(self.last, best_step=step, best_loss=loss)

    def test(self, run: Run, step: int) -> Tuple[float, str]:
        """Return the loss on the test text, and the checkpoint that has it: the best one, or else the last."""
        engine = self._engine()
        best = run.record.best
        name = run.name(step)
        if best and best != name:
            with contextlib.suppress(CheckpointError):  # it is damaged
                engine.load(open_model(Path(run.folder) / best).weights)
                name = best
        return float(np.mean(surprisal(engine, self.job.test, ROWS), dtype=np.float64)), name

    def sample(self, step: int) -> str:
        """Return the text that ``charrnn-sample`` writes with the step as its seed.

        That of a list has lines with all first letters.
        """
        vocabulary = self.job.record.vocabulary
        of_lines = self.job.of_lines
        prime = "\n" if of_lines else default_prime(vocabulary, self.job.record)
        settings = choose_settings(len(vocabulary), of_lines=of_lines)
        engine = (
            self._engine()
            if self.job.hyperparameters.cell != "lstm"
            else Model("", vocabulary, self.model.weights(self.session)).engine()
        )
        (sample,), interrupted = Sampler(engine).write(
            prime, self.job.options.sample_length, settings, step
        )
        if interrupted:
            raise KeyboardInterrupt
        return (prime + sample.text).lstrip("\n")
