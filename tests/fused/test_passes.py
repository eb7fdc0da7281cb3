"""The forward and the backward pass compared with NumPy in float64."""

import pytest
from conftest import training_graph
from reference import largest_error, problem, reference, results

from charrnn.fused import unroll
from charrnn.system.tensorflow import tf

slow = pytest.mark.slow


def sizes(n, m, size, num_classes, layers):
    return dict(
        num_classes=num_classes, batch_size=n, num_steps=m, lstm_size=size, num_layers=layers
    )


# the parameters of sizes(), the threads, and the most rows times steps of a piece
SHARDS = {
    "shards of 1 and 2 rows, pieces of 4 and 2 steps": ((3, 4, 5, 6, 1), 2, 4),
    "3 layers, shards of 2 and 3 rows, a shorter last piece": ((5, 7, 4, 3, 3), 4, 6),
}
SLOW_SHARDS = {
    "3 shards, pieces of a single step": ((7, 6, 2, 5, 3), 8, 2),
    "as many layers as threads": ((2, 8, 3, 4, 3), 3, 6),
    "one piece, more threads than rows": ((2, 3, 4, 5, 1), 9, 500),
    "a single row, step and unit": ((1, 1, 1, 4, 2), 4, 2),
}


@pytest.mark.parametrize(
    "name", [*SHARDS, *(pytest.param(name, marks=slow) for name in SLOW_SHARDS)]
)
def test_results_and_gradients_equal_numpys(monkeypatch, name):
    numbers, threads, piece = {**SHARDS, **SLOW_SHARDS}[name]
    monkeypatch.setattr(unroll, "PIECE_IDS", piece)
    monkeypatch.setattr(unroll, "MIN_PIECES", 1)
    case = problem(**sizes(*numbers))
    model = training_graph(**sizes(*numbers), threads=threads)
    assert largest_error(results(model, *case), reference(*case)) < 5e-6


@pytest.mark.parametrize("threads", [4, pytest.param(1, marks=slow)])
def test_dropout_and_its_gradient_equal_numpys_with_the_same_masks(monkeypatch, threads):
    monkeypatch.setattr(unroll, "PIECE_IDS", 7)  # several pieces, in one shard the last is shorter
    monkeypatch.setattr(unroll, "MIN_PIECES", 1)

    seeds = (9, 17)
    with tf.Graph().as_default(), tf.Session() as session:
        draw = unroll._draw_masks((4, 5, 3), [0.6, 0.6], tf.constant(seeds, tf.int64))
        masks = session.run(draw)

    case = problem(**sizes(5, m=4, size=3, num_classes=6, layers=2))
    model = training_graph(**sizes(5, m=4, size=3, num_classes=6, layers=2), threads=threads)
    actual = results(model, *case, keep_prob=0.6, extra={model.mask_seed: seeds})
    assert largest_error(actual, reference(*case, masks=masks)) < 5e-6
