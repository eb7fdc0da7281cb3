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

from charrnn.engines import CHUNK, Engine
from charrnn.text import features

# How many characters of a text are read to measure the units.
CHARACTERS = 50000

# With a lower correlation, a unit tracks nothing that has a name here.
LEAST_CORRELATION = 0.3
# From this correlation on, a unit is said to know what it tracks.
CLEAR = 0.7
# The correlation of a discovery is at least this much above that of the best unit of an untrained network.
LEAST_ABOVE = 0.2
# From this correlation on, a unit that tracks quotation is a discovery.
LEAST_OF_QUOTATION = 0.5
# How often a feature that is discovered ends or falls, for each character of the text.
LEAST_OFTEN = 0.001


class Unit(NamedTuple):
    """A unit: its part of the state, in [0, S), its column, in [0, L), and the name of the part, such as "2/c"."""

    part: int
    column: int
    part_name: str

    def __str__(self) -> str:
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

    def tracked_by(self, unit: Unit) -> List[Tracking]:
        """Return how a unit is correlated with each feature, the strongest first."""
        trackings = [self._tracking(unit, feature) for feature in range(len(self.features))]
        trackings.sort(key=_weakness)
        return trackings

    def _tracking(self, unit: Unit, feature: int) -> Tracking:
        correlation = float(self.correlations[feature, unit.part, unit.column])
        return Tracking(unit, self.features[feature], correlation)

    def best(self, count: int, least: float = LEAST_CORRELATION) -> List[List[Tracking]]:
        """Return for each feature the units that track it best.

        Args:
            count: units for each feature, at most.
            least: the lowest correlation, as absolute value, that counts.

        Returns:
            A list for each feature whose first unit has such a correlation; the feature with the highest one comes
            first. In a list, the unit that was best on the first half comes first, whatever the second half says.
        """
        groups = []
        for feature, chosen_by in enumerate(self.chosen_by):
            chosen = self._choose(np.abs(chosen_by), count)
            trackings = [self._tracking(unit, feature) for unit in chosen]
            strong = [tracking for tracking in trackings if abs(tracking.correlation) >= least]
            # Another unit in place of the first would be chosen on the half on which it is measured.
            if strong and strong[0] is trackings[0]:
                groups.append(strong)
        groups.sort(key=lambda group: _weakness(group[0]))
        return groups

    def tracked(self) -> Tuple[np.ndarray, np.ndarray]:
        """Return what each unit tracks best: the feature's place in `features`, or -1; and the correlation, [S, L]."""
        shape = self.deviation.shape
        if not self.features:
            return np.full(shape, -1), np.zeros(shape, np.float32)
        best = np.abs(self.chosen_by).argmax(axis=0)
        [correlations] = np.take_along_axis(self.correlations, best[np.newaxis], axis=0)
        is_tracked = np.abs(correlations) >= LEAST_CORRELATION
        return np.where(is_tracked, best, -1), correlations

    def discoveries(self, untrained: "Measured") -> List[Tuple[Tracking, float]]:
        """Return the units that have learned to track something, the best one for each feature.

        The characters themselves, which a unit does not have to remember, are no discoveries, and neither is what the
        text hardly has, or what an untrained network tracks nearly as well.

        Args:
            untrained: a network of the same sizes that was not trained, measured on the same text.

        Returns:
            Each unit, for the feature that it tracks best, and the correlation of the best untrained one, as absolute
            value. The highest correlation comes first. Quotation counts from LEAST_OF_QUOTATION on.
        """
        chances = {}
        for tracking, *_ in untrained.best(1, least=0):
            chances[tracking.feature] = abs(tracking.correlation)
        times_of = dict(zip(self.features, self.times))

        discovered: Dict[Unit, Tuple[Tracking, float]] = {}
        for tracking, *_ in self.best(1):
            feature = tracking.feature
            chance = chances.get(feature, 0.0)
            least = chance + LEAST_ABOVE
            if feature == features.QUOTATION:
                least = max(least, LEAST_OF_QUOTATION)
            is_claimed = bool(features.BY_NAME[feature].claim)
            is_frequent = times_of[feature] >= LEAST_OFTEN * self.length
            is_strong = abs(tracking.correlation) >= least
            if is_claimed and is_frequent and is_strong:
                # The best come first: a unit counts for what it tracks best.
                discovered.setdefault(tracking.unit, (tracking, chance))
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
        """Return the units with the largest values [S, L] above zero. Of c and h of a cell, the larger counts."""
        # by layer and column, which c and h of a cell share
        chosen: Dict[Tuple[str, int], Unit] = {}
        for place in np.argsort(-values, axis=None, kind="stable"):
            part, column = divmod(int(place), values.shape[1])
            if len(chosen) == count or not values[part, column] > 0:
                break
            part_name = self.parts[part]
            layer, _ = part_name.split("/")
            chosen.setdefault((layer, column), Unit(part, column, part_name))
        return list(chosen.values())


def part_names(num_layers: int, parts: int) -> Tuple[str, ...]:
    """Return the names of the S parts of a state.

    >>> part_names(2, 4)
    ('1/c', '1/h', '2/c', '2/h')
    """
    # GRU and RNN cells have h alone.
    letters = "ch" if parts == 2 * num_layers else "h"
    names: List[str] = []
    for layer in range(1, num_layers + 1):
        names.extend(f"{layer}/{letter}" for letter in letters)
    return tuple(names)


def unit_named(name: str, parts: Sequence[str], size: int) -> Unit:
    """Return the unit with a name such as "2/c/317".

    Args:
        name: its layer, part and number.
        parts: names of the S parts of the state.
        size: units of a layer, L.

    Raises:
        ValueError: there is no such unit.
    """
    match = re.fullmatch(r"(\d+/\w)/(\d+)", name)
    if match:
        part_name = match.group(1)
        number = int(match.group(2))
        if part_name in parts and 1 <= number <= size:
            return Unit(parts.index(part_name), number - 1, part_name)
    raise ValueError(
        f"there is no unit {name!r}: units are named by layer, part and number, from "
        f"{parts[0]}/1 to {parts[-1]}/{size}"
    )


def activations(
    engine: Engine,
    ids: np.ndarray,
    parts: Tuple[str, ...],
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Iterator[np.ndarray]:
    """Yield the activations of all units as they are shown, float32 [T, S, L], for CHUNK characters at a time.

    Args:
        engine: an Engine.
        ids: int array of the text's ids.
        parts: names of the parts, from :func:`part_names`.
        progress: wraps the loop over the windows, to show a progress bar.
    """
    state = engine.zero_state()
    memories = [place for place, name in enumerate(parts) if name.endswith("c")]
    for start in progress(range(0, len(ids), CHUNK)):
        states, state = engine.activations(ids[start : start + CHUNK], state)
        # The state may be a view of what the engine returns.
        shown = states.copy()
        shown[:, memories] = np.tanh(states[:, memories])
        yield shown


def measure(
    engine: Engine,
    text: str,
    num_layers: int,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Measured:
    """Measure what the units of a network track in a text.

    Args:
        engine: an Engine.
        text: at least two characters, all in the engine's vocabulary; 50,000 are enough.
        num_layers: number of layers.
        progress: wraps the loop over the windows, to show a progress bar.
    """
    occurring = features.occurring_in(text)
    middle = len(text) // 2
    table = _table(list(occurring.values()), len(text), middle)  # [F, T]

    num_parts, _, size = engine.zero_state().shape
    parts = part_names(num_layers, num_parts)
    first = _Half(len(table), num_parts * size)
    second = _Half(len(table), num_parts * size)
    shown = []
    start = 0
    for piece in activations(engine, engine.vocabulary.encode(text), parts, progress):
        piece = piece.reshape(len(piece), -1)  # [T, S·L]
        values = table[:, start : start + len(piece)]  # [F, T]
        # Where the second half begins in this piece.
        edge = min(max(middle - start, 0), len(piece))
        first.add(values[:, :edge], piece[:edge])
        second.add(values[:, edge:], piece[edge:])
        shown.append(np.rint(127 * piece[edge:]).astype(np.int8))
        start += len(piece)

    times = []
    for values in occurring.values():
        ends = np.diff(values) < 0
        times.append(int(ends.sum()))
    shape = (num_parts, size)
    deviations = second.deviations(len(text) - middle).astype(np.float32)
    return Measured(
        parts=parts,
        features=tuple(occurring),
        chosen_by=first.correlations(middle).reshape(-1, *shape),
        correlations=second.correlations(len(text) - middle).reshape(-1, *shape),
        deviation=deviations.reshape(shape),
        shown=np.concatenate(shown).reshape(-1, *shape),
        length=len(text),
        times=tuple(times),
    )


class _Half:
    """Sums over half of a text, from which the correlations of features and units are computed."""

    def __init__(self, num_features: int, num_units: int) -> None:
        self.products = np.zeros((num_features, num_units))
        self.sums = np.zeros(num_units)
        self.squares = np.zeros(num_units)

    def add(self, values: np.ndarray, units: np.ndarray) -> None:
        """Add the standardized features [F, T] and the units [T, S·L] of some characters."""
        self.products += values @ units
        self.sums += units.sum(axis=0, dtype=np.float64)
        self.squares += np.einsum("tu,tu->u", units, units, dtype=np.float64)

    def deviations(self, count: int) -> np.ndarray:
        """Return the standard deviation of each unit over a number of characters, [S·L]."""
        variances = self.squares / count - (self.sums / count) ** 2
        # Rounding could make them negative.
        return np.sqrt(np.maximum(variances, 0))

    def correlations(self, count: int) -> np.ndarray:
        """Return the correlation of each feature and unit, float32 [F, S·L]; 0 of a unit that does not vary."""
        deviations = self.deviations(count)
        varying = np.where(deviations > 3e-8, deviations, np.inf)
        return (self.products / (count * varying)).astype(np.float32)


def _table(columns: List[np.ndarray], length: int, middle: int) -> np.ndarray:
    """Return features [F, T], standardized in each half of the text."""
    table = np.reshape(columns, (len(columns), length)).astype(np.float64)
    first = _standardized(table[:, :middle])
    second = _standardized(table[:, middle:])
    return np.concatenate([first, second], axis=1)


def _standardized(values: np.ndarray) -> np.ndarray:
    """Return values [F, T] less their mean, divided by their standard deviation; 0 where they do not vary."""
    centered = values - values.mean(axis=1, keepdims=True)
    return centered / np.maximum(centered.std(axis=1, keepdims=True), 1e-9)
