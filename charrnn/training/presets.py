"""Presets: the hyperparameters that a run can start from."""

import sys
from typing import Any, Dict

from charrnn.data import count_windows
from charrnn.hyperparameters import AUTO, Hyperparameters

PRESETS: Dict[str, dict] = {
    "notebook": {},
    "exercise": dict(batch_size=10, num_steps=50, lstm_size=128, learning_rate=0.01),
    # low validation losses on Tiny Shakespeare, after a few minutes and after one to two hours on two cores
    "quick": dict(
        batch_size=32,
        num_steps=64,
        lstm_size=224,
        learning_rate=0.008,
        keep_prob=0.85,
        grad_clip=0.2,
        epochs=5,
        weight_decay=0.1,
        schedule="linear",
        warmup_steps=300,
        average_decay=0.99,
        val_fraction=0.1,
        save_every_n=490,
    ),
    "best": dict(
        batch_size=32,
        learning_rate=0.003,
        keep_prob=0.7,
        recurrent_keep_prob=0.6,
        grad_clip=0.2,
        epochs=48,
        weight_decay=0.1,
        schedule="linear",
        warmup_steps=300,
        average_decay=0.998,
        val_fraction=0.1,
        save_every_n=313,
        early_stop=3,
    ),
}

# The values of the preset auto, by the largest number of characters that they are for (results: docs/training.md).
_ALL = dict(
    grad_clip=0.2,
    schedule="linear",
    warmup_steps=300,
    average_decay=0.99,
    val_fraction=0.1,
    early_stop=5,
    max_to_keep=3,
)
_SMALL = dict(_ALL, learning_rate=0.006, keep_prob=0.75, recurrent_keep_prob=0.7)
_LARGE = dict(_ALL, learning_rate=0.003, num_steps=100, save_every_n=500)
SIZES: Dict[int, Dict[str, Any]] = {
    13_000: dict(
        _SMALL,
        batch_size=8,
        num_steps=50,
        lstm_size=128,
        epochs=100,
        weight_decay=0.1,
        warmup_steps=150,
    ),
    50_000: dict(
        _SMALL,
        batch_size=8,
        num_steps=50,
        lstm_size=128,
        epochs=40,
        warmup_steps=150,
    ),
    150_000: dict(
        _SMALL,
        batch_size=16,
        num_steps=50,
        lstm_size=128,
        epochs=40,
    ),
    500_000: dict(
        _SMALL,
        batch_size=32,
        num_steps=64,
        lstm_size=256,
        epochs=36,
        weight_decay=0.1,
    ),
    5_000_000: dict(
        _LARGE,
        batch_size=32,
        lstm_size=512,
        epochs=20,
        keep_prob=0.7,
        recurrent_keep_prob=0.75,
        weight_decay=0.1,
    ),
    sys.maxsize: dict(
        _LARGE,
        batch_size=64,
        lstm_size=512,
        epochs=4,
        keep_prob=0.8,
        val_fraction=0.02,
    ),
}
# at least, so that a run can stop early, and the best checkpoint is not the only one
EVALUATIONS = 6
# With fewer characters, unless they are a list, n-gram counts predict better.
FEW_CHARACTERS = 7_000
# what replaces their dropout on recurrent weights where the fused unroll is not used
NOT_FUSED = dict(recurrent_keep_prob=1.0, keep_prob=0.5)
# With fewer steps, a network learns little.
FEW_STEPS = 500


def preset(name: str, n_characters: int) -> Dict[str, Any]:
    """Return the hyperparameters that a preset sets for a text of some length.

    >>> preset("exercise", 20_000)["lstm_size"], preset("auto", 20_000)["num_steps"]
    (128, 50)
    """
    if name != AUTO:
        return PRESETS[name]
    values = next(values for largest, values in SIZES.items() if n_characters <= largest)
    hyper = Hyperparameters(**values)

    save_every_n = max(1, _steps(hyper, n_characters) // EVALUATIONS)
    if save_every_n >= hyper.save_every_n:
        return values
    return {**values, "save_every_n": save_every_n}


def steps_of_auto(n_characters: int) -> int:
    """Return the number of steps that the preset auto makes of a text of some length."""
    return _steps(Hyperparameters(**preset(AUTO, n_characters)), n_characters)


def _steps(hyper: Hyperparameters, n_characters: int) -> int:
    n_training = n_characters - int(n_characters * hyper.val_fraction)
    return count_windows(n_training, hyper.batch_size, hyper.num_steps) * hyper.epochs
