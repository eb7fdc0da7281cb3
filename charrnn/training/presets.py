"""Presets: the hyperparameters that a run can start from."""

import math
from typing import Any, Dict, List

import numpy as np

from charrnn.data import count_windows
from charrnn.hyperparameters import AUTO

PRESETS: Dict[str, dict] = {
    "notebook": {},
    "exercise": dict(batch_size=10, num_steps=50, lstm_size=128, learning_rate=0.01),
    # The next two have low validation losses on Tiny Shakespeare (docs/log.md).
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

# The values of the preset auto for texts of any length; the others come from a rule (docs/log.md).
_AUTO = dict(
    grad_clip=0.2,
    weight_decay=0.1,
    schedule="linear",
    average_decay=0.99,
    early_stop=5,
    max_to_keep=3,
)
# characters up to which a text is small, and from which on it is large
SMALL = 200_000
LARGE = 2_000_000
# What a run that begins with a model is trained with in place of the values of auto (docs/log.md).
_FROM_MODEL = dict(
    learning_rate=0.002,
    keep_prob=0.75,
    recurrent_keep_prob=0.7,
    early_stop=0,
    # The newest is closest to the text. The best is kept too.
    max_to_keep=1,
)
# Epochs of a run that begins with a model, by the characters of its text, on lines between these (docs/log.md).
START_CHARACTERS = (7_000, 15_000, 40_000, 100_000)
START_EPOCHS = (10, 11, 7, 4)
# If these make fewer steps, a run has more epochs.
LEAST_START_STEPS = 40
# evaluations of a run at least, so that it can stop early, and the best checkpoint is not the only one
EVALUATIONS = 6
# With fewer characters, unless they are a list, n-gram counts predict better (docs/log.md).
FEW_CHARACTERS = 7_000
# what replaces the dropout on recurrent weights of auto where the fused unroll is not used
NOT_FUSED = dict(recurrent_keep_prob=1.0, keep_prob=0.5)
# what a preset sets for the validation text
NEED_VALIDATION = ("early_stop", "eval_every_n")
# With fewer steps, a network learns little.
FEW_STEPS = 500


def preset(name: str, n_characters: int) -> Dict[str, Any]:
    """Return the hyperparameters that a preset sets for a text of some length.

    >>> preset("exercise", 20_000)["lstm_size"], preset("auto", 20_000)["num_steps"]
    (128, 50)
    """
    if name != AUTO:
        return PRESETS[name]
    return _auto(n_characters)


def _auto(n_characters: int) -> Dict[str, Any]:
    """Return the hyperparameters of the preset auto.

    Between two lengths of text that are near each other, nothing changes much.
    """
    # How large the text is, from 0 for a small one to 1 for a large one. With more text, auto drops more of the outputs
    # and less of the recurrent weights.
    size = _between(0, math.log10(max(1, n_characters) / SMALL) / math.log10(LARGE / SMALL), 1)
    # The weights are about 12 times the square of the units: four for each character of the text.
    lstm_size = 8 * round(_between(128, math.sqrt(n_characters / 3), 512) / 8)
    # The longer the text, the more characters an update can have: in more sequences, and in longer windows.
    sequences = _between(8, n_characters / 6_000, 32)
    if n_characters > LARGE:
        sequences = _between(32, 32 * math.sqrt(n_characters / LARGE), 64)
    steps_of_window = _between(50, 5.6 * n_characters**0.2, 100)
    # Two or four processes can share a multiple of four. The length of the windows makes up for the rounding.
    batch_size = 4 * round(sequences / 4)
    num_steps = round(sequences * steps_of_window / batch_size)

    val_fraction = round(_between(0.001, 200_000 / max(1, n_characters), 0.1), 4)
    values = dict(batch_size=batch_size, num_steps=num_steps, val_fraction=val_fraction)
    n_training = _n_training(values, n_characters)
    # A longer text is read fewer times. The characters after the last whole window are left out, which are many in a
    # short text. So the number of updates is fixed, and the epochs follow from it.
    readings = 100 * (12_000 / max(1, n_characters)) ** 0.3
    updates = readings * n_training / (sequences * steps_of_window)
    windows = max(1, _windows(values, n_characters))
    epochs = max(1, round(updates / windows))
    steps = windows * epochs
    return dict(
        _AUTO,
        **values,
        lstm_size=lstm_size,
        # The fewer units, the higher the rate may be. This is the exponent between the presets best and quick.
        learning_rate=round(min(0.006, 0.003 * (512 / lstm_size) ** 1.2), 4),
        keep_prob=round(0.75 - 0.05 * size, 3),
        recurrent_keep_prob=round(0.7 + 0.05 * size, 3),
        epochs=epochs,
        warmup_steps=min(300, steps // 18),
        save_every_n=max(1, min(round(200 + 300 * size), steps // EVALUATIONS)),
    )


def auto_from_model(n_characters: int) -> Dict[str, Any]:
    """Return what the preset auto sets for a run that begins with a model, whose sizes replace those that are here."""
    values = _auto(n_characters)
    windows = max(1, _windows(values, n_characters))
    readings = np.interp(n_characters, START_CHARACTERS, START_EPOCHS)
    epochs = max(round(float(readings)), math.ceil(LEAST_START_STEPS / windows))
    steps = windows * epochs
    values.update(_FROM_MODEL, epochs=epochs)
    values.update(
        warmup_steps=steps // 10,
        # The averages are over about an eighth of the steps, a thousand at most.
        average_decay=round(_between(0, 1 - 8 / steps, 0.999), 3),
        save_every_n=math.ceil(steps / EVALUATIONS),
    )
    return values


def table_from_model(least: int, most: int) -> Dict[str, Any]:
    """Return what :func:`auto_from_model` sets for each length of a text from ``least`` to ``most`` characters.

    ``always`` has the values that no length changes, and ``names`` names the others. ``rows`` has lists of a length and
    the values of ``names``, which hold from that length up to that of the next row. The size of the network is in
    neither: it is that of the model.
    """
    values_of_lengths = {}
    for length in range(least, most + 1):
        values = auto_from_model(length)
        del values["lstm_size"]
        values_of_lengths[length] = values

    first = values_of_lengths[least]
    names = []
    for name in sorted(first):
        if any(values[name] != first[name] for values in values_of_lengths.values()):
            names.append(name)

    rows: List[List[Any]] = []
    for length, values in values_of_lengths.items():
        row = [values[name] for name in names]
        if not rows or rows[-1][1:] != row:
            rows.append([length, *row])
    always = {name: value for name, value in first.items() if name not in names}
    return {"always": always, "names": names, "rows": rows}


def _between(least: float, value: float, most: float) -> float:
    return min(most, max(least, value))


def steps_of_auto(n_characters: int) -> int:
    """Return the number of steps that the preset auto makes of a text of some length."""
    values = _auto(n_characters)
    return _windows(values, n_characters) * int(values["epochs"])


def _windows(values: Dict[str, Any], n_characters: int) -> int:
    """Return the number of windows in an epoch."""
    n_training = _n_training(values, n_characters)
    return count_windows(n_training, values["batch_size"], values["num_steps"])


def _n_training(values: Dict[str, Any], n_characters: int) -> int:
    """Return the number of characters to train on."""
    return n_characters - int(n_characters * values["val_fraction"])
