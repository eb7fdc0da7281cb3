"""Directions of the memory: how they are found by probes, and held while a text is written. NumPy only.

Letters for shapes as in :mod:`charrnn.engines`. In addition: D numbers in the memories c of all layers together, P
properties of a text, K directions that are held at once.
"""

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import CHUNK, Engine
from charrnn.engines.quotes import PairedQuotes
from charrnn.text import features

# Characters that are read, at most and at least. The probes are fitted on the first half, and tested on the second.
MOST_CHARACTERS = 16_000
LEAST_CHARACTERS = 4000
# How strongly a probe is kept small (ridge regression).
RIDGE = 300.0
# From this correlation on, on the characters that it was not fitted on, a probe reads a property well.
LEAST_CORRELATION = 0.7
# The kinds of letters, of marks that belong to them, and of apostrophes: see charrnn.text.features.
INSIDE_WORDS = "Ulom'"
# With a larger condition number, directions differ by rounding alone.
MOST_CONDITION = 1e10


@dataclass(frozen=True)
class Direction:
    """The direction in which the memory changes with a property of the text, and the probe that reads the property.

    A property that is counted, such as the position in the line, is inside where it is above its mean.

    Attributes:
        probe: float64 [D]. Its product with the memories is what it reads.
        move: float64 [D], the mean of the memories inside, minus their mean outside.
        outside: the mean of what the probe reads outside.
        inside: the mean of what it reads inside.
        correlation: that of what it reads with the property, on text that it was not fitted on.
    """

    probe: np.ndarray
    move: np.ndarray
    outside: float
    inside: float
    correlation: float


def find_directions(engine: Engine, text: str) -> Dict[str, Direction]:
    """Return the directions of the properties of a text that a linear probe (Alain and Bengio 2016) reads well.

    Args:
        engine: an Engine of lstm cells.
        text: at least LEAST_CHARACTERS characters, all in the engine's vocabulary.

    Returns:
        A dict from the names of properties, see :data:`charrnn.text.features.FEATURES`, to directions. The property
        that is read best comes first.

    Raises:
        ValueError: the text is too short.
    """
    if len(text) < LEAST_CHARACTERS:
        raise ValueError(
            f"directions are found in a text of at least {LEAST_CHARACTERS:,} characters, and this one has "
            f"{len(text):,}"
        )
    text = text[:MOST_CHARACTERS]
    half = len(text) // 2
    properties = features.occurring_in(text)
    names = [name for name, values in properties.items() if np.ptp(values[:half]) > 0]
    values = np.array([properties[name] for name in names], np.float64)
    values = values.reshape(len(names), len(text))  # [P, T]

    memories = _memories_after(engine, text)  # [T, D]
    probes = _fit(memories[:half], values[:, :half])  # [P, D]
    readings = probes @ memories.T  # [P, T]

    directions = {}
    for place, name in enumerate(names):
        correlation = _correlation(readings[place, half:], values[place, half:])
        if correlation >= LEAST_CORRELATION:
            directions[name] = _direction(
                probes[place], memories[:half], values[place, :half], correlation
            )
    best_first = sorted(directions, key=lambda name: -directions[name].correlation)
    return {name: directions[name] for name in best_first}


def _memories_after(engine: Engine, text: str) -> np.ndarray:
    """Return c of all layers after each character of a text, float64 [T, D]."""
    ids = engine.vocabulary.encode(text)
    state = engine.zero_state()
    pieces: List[np.ndarray] = []
    for start in range(0, len(ids), CHUNK):
        states, state = engine.activations(ids[start : start + CHUNK], state)  # [T, S, L]
        memories = states[:, ::2]
        pieces.append(memories.reshape(len(states), -1).astype(np.float64))
    return np.concatenate(pieces)


def _fit(memories: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the ridge regressions [P, D] of properties [P, T] on memories [T, D]."""
    centered = memories - memories.mean(axis=0)
    centered_values = values - values.mean(axis=1, keepdims=True)
    squares = centered.T @ centered + RIDGE * np.eye(centered.shape[1])
    return np.linalg.solve(squares, centered.T @ centered_values.T).T


def _direction(
    probe: np.ndarray, memories: np.ndarray, values: np.ndarray, correlation: float
) -> Direction:
    """Return the direction of a property [T] with a probe [D], from the memories [T, D]."""
    is_inside = values > values.mean()
    inside = memories[is_inside].mean(axis=0)
    outside = memories[~is_inside].mean(axis=0)
    return Direction(
        probe=probe,
        move=inside - outside,
        outside=float(outside @ probe),
        inside=float(inside @ probe),
        correlation=correlation,
    )


def _correlation(readings: np.ndarray, values: np.ndarray) -> float:
    """Return the correlation of two arrays [T]; 0 if one of them does not vary."""
    if np.ptp(readings) == 0 or np.ptp(values) == 0:
        return 0.0
    return float(np.corrcoef(readings, values)[0, 1])


class Steering:
    """Holds directions while texts are written (activation steering, Turner and others 2023, arXiv:2308.10248).

    After each drawn character that is not inside a word, the memories c of all layers are moved along the directions
    until each probe reads its target. The output gate of the top layer stays as it is, so that its h follows its c at
    once. The h of the layers below follows with the next character. A word that has begun is written freely: held
    there, a network writes fewer words that are words. Quotation marks close only what is open.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        directions: Mapping[str, Direction],
        strengths: Mapping[str, float],
        softmax_kernel: np.ndarray,
        softmax_bias: np.ndarray,
    ) -> None:
        """Prepare to hold directions.

        Args:
            vocabulary: the characters of the network.
            directions: those of the network, by the names of their properties.
            strengths: where to hold some of them, by these names: 0 is the mean outside, 1 the mean inside.
            softmax_kernel: float32 [L, C].
            softmax_bias: float32 [C].

        Raises:
            ValueError: the properties go together so closely that their directions are the same.
        """
        held = [directions[name] for name in strengths]
        targets = []
        for direction, strength in zip(held, strengths.values()):
            span = direction.inside - direction.outside
            targets.append(direction.outside + strength * span)
        self._targets = np.array(targets)  # [K]
        self._probes = np.array([direction.probe for direction in held]).T  # [D, K]
        # Row k moves the memories so that probe k reads 1 more, and the other probes the same.
        moves = np.array([direction.move for direction in held])  # [K, D]
        effects = moves @ self._probes  # [K, K]
        if np.linalg.cond(effects) > MOST_CONDITION:
            raise ValueError(
                f"{' and '.join(strengths)} cannot be held together, because they are one direction of the memory: "
                "leave one out"
            )
        self._moves = np.linalg.solve(effects, moves)
        self._are_inside_words = np.array(
            [_is_inside_word(char) for char in vocabulary.chars]
        )  # [C]
        self._softmax_kernel = softmax_kernel
        self._softmax_bias = softmax_bias
        self._quotes = PairedQuotes(vocabulary, strengths)

    def without_wrong_quotes(
        self, logits: np.ndarray, texts: Sequence[Optional[str]]
    ) -> np.ndarray:
        """Return logits [B, C] without the quotation marks that are wrong after each text, None for one that ended.

        Where nothing else is left, they stay.
        """
        logits = logits.copy()
        for row, text in enumerate(texts):
            if text is None:
                continue
            kept = (logits[row] > -np.inf) & self._quotes.allowed(text)
            if kept.any():
                logits[row, ~kept] = -np.inf
        return logits

    def follow(
        self, ids: np.ndarray, logits: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Hold the directions after drawn characters, ids [B]. Return the logits [B, C] and the state [S, B, L]."""
        is_free = self._are_inside_words[ids]  # [B]
        if is_free.all():
            return logits, state
        held_logits, held_state = self._held(state)
        logits = np.where(is_free[:, np.newaxis], logits, held_logits)
        return logits, np.where(is_free[:, np.newaxis], state, held_state)

    def _held(self, state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return the logits [B, C] and the state [S, B, L] with the directions held."""
        n_parts, rows, size = state.shape
        memories = state[::2].transpose(1, 0, 2).reshape(rows, -1)  # [B, D]
        missing = self._targets - memories @ self._probes  # [B, K]
        moved = np.float32(memories + missing @ self._moves)

        # h is the output gate times tanh(c).
        shown = np.tanh(state[-2])  # [B, L]
        output_gate = np.divide(state[-1], shown, out=np.zeros_like(shown), where=shown != 0)
        state = state.copy()
        state[::2] = moved.reshape(rows, n_parts // 2, size).transpose(1, 0, 2)
        state[-1] = output_gate * np.tanh(state[-2])
        return state[-1] @ self._softmax_kernel + self._softmax_bias, state


def _is_inside_word(char: str) -> bool:
    """Return whether a word may go on after a character. In a script without spaces, each letter is a word."""
    return features.kinds(char) in INSIDE_WORDS
