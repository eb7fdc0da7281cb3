"""What one of several processes does: how long it waits for the others, and its dropout masks."""
from unittest import mock

import numpy as np
import pytest
from conftest import initialize

from charrnn.system.tensorflow import tf
from charrnn.training import distributed
from charrnn.training.distributed import MPIProcesses, Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.hyperparameters import Hyperparameters


@pytest.mark.parametrize("rank, limit, longest, waits", [
    (0, 0, 0, 60), (0, 0, 2.9, 60), (0, 0, 5, 100), (0, 9, 5, 9), (1, 1, 0, 1.25), (3, 1, 0, 1.75)])
def test_a_process_waits_for_the_others(monkeypatch, rank, limit, longest, waits):
    """A minute or the time of 20 steps, and an hour where one process works; in each process somewhat longer."""
    clock, world, deadlines = mock.Mock(), mock.Mock(rank=rank, size=4), []
    world.allgather.side_effect = lambda value: [value, deadlines.append(processes._deadline)][:1]
    clock.monotonic.return_value = 7.0
    monkeypatch.setattr(distributed, "time", clock)
    monkeypatch.setattr(distributed, "threading", mock.Mock())  # what watches the clock
    processes = MPIProcesses(world, limit)
    clock.monotonic.return_value += longest
    processes._mean(np.ones(3, np.float32))  # at the end of a step
    processes.agree(None), processes.gather(0)
    assert np.array(deadlines) - 7 - longest == pytest.approx([waits, 60 * waits])


def test_each_process_has_dropout_masks_of_its_own():
    """Also of dynamic_rnn, which draws those of its own rows only."""
    losses = []
    for rank in (0, 1, 1):
        processes = Processes()
        processes.rank, processes.size = rank, 2
        model = TrainingGraph(5, Hyperparameters(4, 3, 7, 1, seed=3, fused=False), processes, in_order=True)
        x = [[0, 1, 2], [3, 4, 0]]
        with tf.Session() as session:
            initialize(session, 3)
            losses.append(session.run(model.loss, {model.inputs: x, model.targets: x, model.keep_prob: 0.5}))
    assert losses[0] != losses[1] == losses[2]
