"""What the units of a network track: their activations over a text, compared with the text's features. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`: S parts of the state, L units of a layer. In addition, F features.

A unit is named by its layer, its part and its number, ``2/c/317``: part c is the memory of an LSTM cell and part h its
output; layers and units are counted from 1. A memory is shown as tanh(c), which is what the cell lets out of it, so all
values lie between -1 and 1.
"""
import re
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from charrnn.engines import Engine
from charrnn.inspection import features

CHARACTERS = 50000  # how much of a text is read to measure the units
CHUNK = 1000  # characters that are read in one call of the engine
LEAST_CORRELATION = 0.3  # below this, a unit tracks nothing that has a name here
LEAST_OFTEN = 0.001  # how often, for each character of the text, a feature occurs at least that is a discovery
CLEAR = 0.5  # from this correlation on, a unit is said to know what it tracks
LEAST_ABOVE = 0.2  # what a discovery has above the best unit of an untrained network


class Unit(NamedTuple):
    """A unit: its part of the state, in [0, S), its column, in [0, L), and the name of the part, such as "2/c"."""

    part: int
    column: int
    part_name: str

    def __str__(self):
        return f"{self.part_name}/{self.column + 1}"


class Tracking(NamedTuple):
    """A unit and the feature that it tracks, with their correlation in [-1, 1] on the second half of the text."""

    unit: Unit
    feature: str
    correlation: float


def _weakness(tracking: Tracking) -> float:
    return -abs(tracking.correlation)


@dataclass(frozen=True)
class Measured:
    """The units of a network, measured on a text.

    Attributes:
        parts: names of the S parts of the state.
        features: names of the F features that occur in the text.
        chosen_by: float32 [F, S, L], correlations on the first half of the text. The units are chosen by them.
        correlations: float32 [F, S, L], correlations on the second half of the text. They are reported.
        deviation: float32 [S, L], each unit's standard deviation on the second half.
        shown: int8 [T - T // 2, S, L], the values on the second half, times 127.
        length: characters of the text.
        times: how often each of the F features ends or falls in the text.
    """

    parts: Tuple[str, ...]
    features: Tuple[str, ...]
    chosen_by: np.ndarray
    correlations: np.ndarray
    deviation: np.ndarray
    shown: np.ndarray
    length: int
    times: Tuple[int, ...]

    def unit(self, name: str) -> Unit:
        """Return the unit with a name such as "2/c/317".

        Raises:
            ValueError: there is no such unit.
        """
        match = re.fullmatch(r"(\d+/\w)/(\d+)", name)
        size = self.deviation.shape[1]
        if not match or match.group(1) not in self.parts or not 1 <= int(match.group(2)) <= size:
            raise ValueError(f"there is no unit {name!r}: units are named by layer, part and number, from "
                             f"{self.parts[0]}/1 to {self.parts[-1]}/{size}")
        return Unit(self.parts.index(match.group(1)), int(match.group(2)) - 1, match.group(1))

    def tracked_by(self, unit: Unit) -> List[Tracking]:
        """Return how a unit is correlated with each feature, the strongest first."""
        trackings = [Tracking(unit, name, float(self.correlations[feature, unit.part, unit.column]))
                     for feature, name in enumerate(self.features)]
        return sorted(trackings, key=_weakness)

    def best(self, count: int, least: float = LEAST_CORRELATION) -> List[List[Tracking]]:
        """Return for each feature the units that track it best.

        Args:
            count: units for each feature, at most.
            least: the lowest correlation, as absolute value, that counts.

        Returns:
            A list for each feature that has such units; the feature that is tracked best comes first.
        """
        groups = []
        for feature, name in enumerate(self.features):
            trackings = [Tracking(unit, name, float(self.correlations[feature, unit.part, unit.column]))
                         for unit in self._choose(np.abs(self.chosen_by[feature]), count)]
            strong = (tracking for tracking in trackings if abs(tracking.correlation) >= least)
            groups.append(sorted(strong, key=_weakness))
        return sorted(filter(None, groups), key=lambda group: _weakness(group[0]))

    def tracked(self) -> Tuple[np.ndarray, np.ndarray]:
        """Return what each unit tracks best: the feature's place in `features`, or -1; and the correlation, [S, L]."""
        if not self.features:
            return np.full(self.deviation.shape, -1), np.zeros(self.deviation.shape, np.float32)
        best = np.abs(self.chosen_by).argmax(axis=0)
        correlations = np.take_along_axis(self.correlations, best[np.newaxis], axis=0)[0]
        return np.where(np.abs(correlations) >= LEAST_CORRELATION, best, -1), correlations

    def discoveries(self, untrained: "Measured") -> List[Tuple[Tracking, float]]:
        """Return the units that have learned to track something, the best one for each feature.

        The characters themselves, which a unit does not have to remember, are no discoveries, and neither is what the
        text hardly has, or what an untrained network tracks nearly as well.

        Args:
            untrained: a network of the same sizes that was not trained, measured on the same text.

        Returns:
            Each unit, for the feature that it tracks best, and the correlation of the best untrained one, as absolute
            value. The highest correlation comes first. Quotation counts if its correlation is CLEAR.
        """
        by_chance = {group[0].feature: abs(group[0].correlation) for group in untrained.best(1, least=0)}
        often = {name for name, times in zip(self.features, self.times) if times >= LEAST_OFTEN * self.length}
        discovered: Dict[Unit, Tuple[Tracking, float]] = {}
        for tracking, *_ in self.best(1):
            chance, claim = by_chance.get(tracking.feature, 0.0), features.BY_NAME[tracking.feature].claim
            least = max(chance + LEAST_ABOVE, CLEAR if tracking.feature == features.QUOTATION else 0)
            if claim and tracking.feature in often and abs(tracking.correlation) >= least:
                discovered.setdefault(tracking.unit, (tracking, chance))  # a unit counts for what it tracks best
        return list(discovered.values())

    def limits(self) -> Tuple[np.ndarray, np.ndarray]:
        """Return between which values, as in `shown`, each unit is nearly always: two arrays [S, L]."""
        edge = len(self.shown) // 200
        ordered = np.sort(self.shown, axis=0)
        return ordered[edge], ordered[-1 - edge]

    def expressive(self, count: int) -> List[Unit]:
        """Return the units that vary most among those that track no feature."""
        tracks_nothing = np.abs(self.correlations).max(axis=0, initial=0) < LEAST_CORRELATION
        return self._choose(np.where(tracks_nothing, self.deviation, 0), count)

    def _choose(self, values: np.ndarray, count: int) -> List[Unit]:
        """Return the units with the largest values [S, L] above zero. Of c and h of a cell, only the larger counts."""
        chosen: Dict[Tuple[str, int], Unit] = {}
        for place in np.argsort(-values, axis=None, kind="stable"):
            part, column = divmod(int(place), values.shape[1])
            if len(chosen) == count or not values[part, column] > 0:
                break
            chosen.setdefault((self.parts[part].split("/")[0], column), Unit(part, column, self.parts[part]))
        return list(chosen.values())


def part_names(num_layers: int, parts: int) -> Tuple[str, ...]:
    """Return the names of the S parts of a state.

    >>> part_names(2, 4)
    ('1/c', '1/h', '2/c', '2/h')
    """
    letters = "ch" if parts == 2 * num_layers else "h"  # gru and rnn have h alone
    return tuple(f"{layer}/{letter}" for layer in range(1, num_layers + 1) for letter in letters)


def activations(engine: Engine, ids: np.ndarray, parts: Tuple[str, ...],
                progress: Callable[[Sequence[int]], Iterable[int]] = iter) -> Iterator[np.ndarray]:
    """Yield the activations of all units as they are shown, float32 [T, S, L], for CHUNK characters at a time.

    Args:
        engine: an Engine.
        ids: int array of the text's ids.
        parts: names of the parts, from :func:`part_names`.
        progress: wraps the loop over the windows, to show a progress bar.
    """
    state, memories = engine.zero_state(), [place for place, name in enumerate(parts) if name.endswith("c")]
    for start in progress(range(0, len(ids), CHUNK)):
        states, state = engine.activations(ids[start:start + CHUNK], state)
        shown = states.copy()  # the state may be a view of it
        shown[:, memories] = np.tanh(states[:, memories])
        yield shown


def measure(engine: Engine, text: str, num_layers: int,
            progress: Callable[[Sequence[int]], Iterable[int]] = iter) -> Measured:
    """Measure what the units of a network track in a text.

    Args:
        engine: an Engine.
        text: at least two characters, all in the engine's vocabulary; 50,000 are enough.
        num_layers: number of layers.
        progress: wraps the loop over the windows, to show a progress bar.
    """
    occurring, middle = features.measure(text), len(text) // 2
    table = np.reshape([*occurring.values()], (len(occurring), len(text))).astype(np.float64)  # [F, T]
    table = np.concatenate([_standardized(table[:, :middle]), _standardized(table[:, middle:])], axis=1)
    zero = engine.zero_state()
    names, num_units = part_names(num_layers, len(zero)), zero[:, 0].size
    products = np.zeros((2, len(occurring), num_units))  # of features and units, in each half of the text
    sums, squares = np.zeros((2, num_units)), np.zeros((2, num_units))  # of units, in each half
    shown, start = [], 0
    for piece in activations(engine, engine.vocabulary.encode(text), names, progress):
        piece, values = piece.reshape(len(piece), -1), table[:, start:start + len(piece)]  # [T, S·L], [F, T]
        edge = min(max(middle - start, 0), len(piece))  # where the second half begins in this piece
        for half, part in enumerate((slice(0, edge), slice(edge, None))):
            products[half] += values[:, part] @ piece[part]
            sums[half] += piece[part].sum(axis=0, dtype=np.float64)
            squares[half] += np.einsum("tu,tu->u", piece[part], piece[part], dtype=np.float64)
        shown.append(np.rint(127 * piece[edge:]).astype(np.int8))
        start += len(piece)
    counts = np.array([[middle], [len(text) - middle]])
    deviations = np.sqrt(np.maximum(squares / counts - (sums / counts) ** 2, 0))  # rounding could make it negative
    varying = np.where(deviations > 3e-8, deviations, np.inf)  # the correlations of units that do not vary are 0
    shape = (len(names), zero.shape[-1])
    chosen_by, correlations = (products / (counts * varying)[:, np.newaxis]).astype(np.float32).reshape(2, -1, *shape)
    return Measured(names, tuple(occurring), chosen_by, correlations, deviations[1].astype(np.float32).reshape(shape),
                    np.concatenate(shown).reshape(-1, *shape), len(text),
                    tuple(int((np.diff(values) < 0).sum()) for values in occurring.values()))


def _standardized(values: np.ndarray) -> np.ndarray:
    """Return values [F, T] less their mean, divided by their standard deviation; 0 where they do not vary."""
    centered = values - values.mean(axis=1, keepdims=True)
    return centered / np.maximum(centered.std(axis=1, keepdims=True), 1e-9)
