"""Evaluating a network while it is trained, on the texts that are held out."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Tuple

import numpy as np

from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.run import Run
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.model_file import open_model
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import Sampler, choose_settings, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.job import Job

ROWS = 32  # pieces of the held-out text that are read in parallel


@dataclass
class Evaluator:
    """Evaluates the network of a run, in a graph and a session of its own, which are made when they are first used.

    Attributes:
        job: the plan of the run.
        graph: the network.
        session: the tf.Session that has its variables.
        processes: those that share the held-out text.
    """

    job: Job
    graph: TrainingGraph
    session: Any
    processes: Processes
    _opened: Optional[GraphEngine] = None

    def close(self) -> None:
        """Close the session."""
        if self._opened:
            self._opened.close()

    def _engine(self) -> GraphEngine:
        """Return an engine with the current weights or their running averages. Each call returns the same engine."""
        if not self._opened:
            hyper = self.job.hyperparameters
            self._opened = GraphEngine(
                vocabulary=self.job.record.vocabulary,
                lstm_size=hyper.lstm_size,
                num_layers=hyper.num_layers,
                cell=hyper.cell,
                threads=self.job.threads,
            )

        self._opened.load(self.graph.weights(self.session))
        return self._opened

    def measure(self) -> float:
        """Return the loss on the held-out text in nats per character. The processes share the text."""
        share = self.processes.rank, self.processes.size
        # The rows of the other processes are 0, so the means of all add up to that of the text.
        nats = surprisal(self._engine(), self.job.held_out, ROWS, share)
        mean = float(np.mean(nats, dtype=np.float64))
        return sum(self.processes.gather(mean))

    def test(self, run: Run, step: int) -> Tuple[float, str]:
        """Return the loss on the test text, and the checkpoint that has it: the best one, or else the last."""
        engine = self._engine()
        name = run.name(step)
        best = run.record.best
        if best and best != name:
            # The last one serves if the best one is damaged.
            with contextlib.suppress(CheckpointError):
                model = open_model(Path(run.folder) / best)
                engine.load(model.weights)
                name = best

        nats = surprisal(engine, self.job.test, ROWS)
        return float(np.mean(nats, dtype=np.float64)), name

    def sample(self, step: int) -> str:
        """Return the text that ``charrnn-sample`` writes with the step as its seed.

        That of a list has lines with all first letters.
        """
        job = self.job
        vocabulary = job.record.vocabulary
        if job.of_lines:
            prime = "\n"
        else:
            prime = default_prime(vocabulary, job.record)
        settings = choose_settings(len(vocabulary), of_lines=job.of_lines)

        # NumPy writes a single text faster, but has LSTM cells only.
        if job.hyperparameters.cell == "lstm":
            model = Model("", vocabulary, self.graph.weights(self.session))
            engine = model.engine()
        else:
            engine = self._engine()
        samples, interrupted = Sampler(engine).write(
            prime, job.options.sample_length, settings, seed=step
        )
        if interrupted:
            raise KeyboardInterrupt

        (sample,) = samples
        return (prime + sample.text).lstrip("\n")
