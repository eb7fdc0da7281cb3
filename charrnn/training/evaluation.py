"""Evaluating a network while it is trained, on the texts that are held out."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Tuple

import numpy as np

from charrnn.checkpoints.record import CheckpointError
from charrnn.checkpoints.run import RunFolder
from charrnn.checkpoints.weights import Weights
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.opening import open_model
from charrnn.engines.sampler import Sampler, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.engines.trained_model import Model
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.job import Job

# pieces of the held-out text that are read in parallel
ROWS = 32


@dataclass
class Evaluator:
    """Evaluates the network of a run, with an engine that has a graph and a session of its own.

    Attributes:
        job: the plan of the run.
        graph: the network in training.
        session: the tf.Session of the training, which has its variables.
        processes: those that share the held-out text.
    """

    job: Job
    graph: TrainingGraph
    session: Any
    processes: Processes
    # It takes time and memory, so it is made when it is first used.
    _engine: Optional[GraphEngine] = None
    _model: Optional[Model] = None

    def close(self) -> None:
        """Free what evaluation uses, if anything was evaluated."""
        if self._engine:
            self._engine.close()

    def _engine_with(self, weights: Weights) -> GraphEngine:
        """Return the engine, after it has loaded some weights."""
        if not self._engine:
            hyper = self.job.hyperparameters
            self._engine = GraphEngine(
                vocabulary=self.job.record.vocabulary,
                lstm_size=hyper.lstm_size,
                num_layers=hyper.num_layers,
                cell=hyper.cell,
                threads=self.job.threads,
            )

        self._engine.load(weights)
        return self._engine

    def _current_weights(self) -> Weights:
        """Return the weights of the training as it is now, or their running averages."""
        return self.graph.weights(self.session)

    def held_out_loss(self) -> float:
        """Return the loss on the held-out text in nats per character. The processes share the text."""
        share = self.processes.rank, self.processes.size
        engine = self._engine_with(self._current_weights())
        # [T - 1]; 0 for the characters that other processes measure, so the means of all add up to that of the text.
        nats = surprisal(engine, self.job.held_out, ROWS, share)
        mean = float(np.mean(nats, dtype=np.float64))
        return sum(self.processes.gather(mean))

    def test(self, run: RunFolder, step: int) -> Tuple[float, str]:
        """Return the loss on the test text, and the checkpoint that has it: the best one, or else the last.

        It is called in the first process only, which measures the whole text.
        """
        name = run.name(step)
        weights = self._current_weights()
        best = run.record.best
        if best and best != name:
            # The last one serves if the best one is damaged.
            with contextlib.suppress(CheckpointError):
                weights = open_model(Path(run.folder) / best).weights
                name = best

        nats = surprisal(self._engine_with(weights), self.job.test, ROWS)
        return float(np.mean(nats, dtype=np.float64)), name

    def sample(self, step: int) -> str:
        """Return the text that ``charrnn-sample`` writes with the step as its seed.

        It is drawn once, since training waits for it. For a list, it begins a new line, so that the first line can
        begin with any letter.
        """
        job = self.job
        model = self._current_model()
        if job.of_lines:
            prime = "\n"
        else:
            prime = default_prime(model.vocabulary, model.beginning)
        writing = model.writing_with({"best_of": 1}, of_lines=job.of_lines)
        # NumPy writes a single text faster, but has LSTM cells only.
        if model.cell == "lstm":
            engine = model.engine()
        else:
            engine = self._engine_with(model.weights)
        length = job.hyperparameters.sample_length
        (sample,) = Sampler(engine).write(prime, length, writing, seed=step)
        return (prime + sample.text).lstrip("\n")

    def _current_model(self) -> Model:
        """Return the model of the training as it is now. What it writes with besides its weights is kept."""
        weights = self._current_weights()
        if self._model is None:
            run = replace(self.job.record, folder=str(self.job.folder))
            self._model = Model(str(self.job.folder), run.vocabulary, weights, run=run)
        self._model.weights = weights
        return self._model
