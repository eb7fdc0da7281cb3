"""What one of several processes does: its dropout masks."""
from conftest import initialize

from charrnn.system.tensorflow import tf
from charrnn.training.distributed import Processes
from charrnn.training.graph import TrainingGraph
from charrnn.training.hyperparameters import Hyperparameters


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
