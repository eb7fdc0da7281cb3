"""Where in a long text numbers of a network are highest. NumPy only.

A number is a weighted sum of the state: a unit, or what the probe of a direction reads. Letters for shapes as in
:mod:`charrnn.engines`. In addition: K numbers.
"""

import math
from typing import Callable, Iterable, List, Mapping, Sequence

import numpy as np

from charrnn.engines import Engine
from charrnn.engines.surprisal import WARM_UP
from charrnn.inspection.units import part_names, unit_named

# pieces of the text that are read in parallel
PIECES_READ = 256
# places of each number, and characters between two of them, at least
PLACES = 5
APART = 1000


def weights_of(name: str, probes: Mapping[str, Sequence[float]], engine: Engine) -> np.ndarray:
    """Return the weight of each part of the state in a number, float32 [S, L].

    Args:
        name: that of a direction, or of a unit such as "2/c/317".
        probes: the probes [D] of the directions, by their names.
        engine: an Engine of lstm cells.
    """
    n_parts, _, size = engine.zero_state().shape
    weights = np.zeros((n_parts, size), np.float32)
    if name in probes:
        # A probe reads the memories of all layers.
        weights[::2] = np.reshape(probes[name], (-1, size))
    else:
        unit = unit_named(name, part_names(n_parts // 2, n_parts), size)
        weights[unit.part, unit.column] = 1
    return weights


def highest_places(
    engine: Engine,
    ids: np.ndarray,
    weights: np.ndarray,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> List[List[int]]:
    """Return for each number the PLACES characters of a text after which it is highest, the highest first.

    Args:
        engine: an Engine.
        ids: integer array [T] of the text's ids.
        weights: float32 [K, S, L], the weight of each part of the state in each number.
        progress: wraps the loop over the steps, to show a progress bar.
    """
    chosen = []
    for values in _readings(engine, ids, weights, progress):
        places: List[int] = []
        while len(places) < PLACES and values.max() > -np.inf:
            place = int(values.argmax())
            places.append(place)
            # The next one is not near it.
            values[max(0, place - APART + 1) : place + APART] = -np.inf
        chosen.append(places)
    return chosen


def _readings(
    engine: Engine,
    ids: np.ndarray,
    weights: np.ndarray,
    progress: Callable[[Sequence[int]], Iterable[int]],
) -> np.ndarray:
    """Return the K numbers after each character of a text, float32 [K, T]."""
    length = math.ceil(len(ids) / PIECES_READ)
    starts = length * np.arange(PIECES_READ)
    readings = np.empty((len(weights), PIECES_READ, length), np.float32)
    state = engine.zero_state(PIECES_READ)
    for step in progress(range(-WARM_UP, length)):
        if step == 0:
            # The first piece has no text before it. The engine needs its state unchanged, so a copy is set to 0.
            state = state.copy()
            state[:, 0] = 0
        places = np.clip(starts + step, 0, len(ids) - 1)
        _, state = engine.feed(ids[places], state)
        if step >= 0:
            readings[:, :, step] = sum(
                of_part @ part.T for of_part, part in zip(weights.transpose(1, 0, 2), state)
            )
    return readings.reshape(len(weights), -1)[:, : len(ids)]
