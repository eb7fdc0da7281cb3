"""How far back a network remembers: what a character costs after the last few, beside counts of pairs. NumPy only."""

from typing import Callable, Dict, Iterable, List, Sequence

import numpy as np

from charrnn.engines import Engine
from charrnn.text.baselines import ngram_nats

# How many characters the network reads, and at how many places of a text at most.
LETTERS = (1, 2, 5, 10, 20, 50, 100, 200)
PLACES = 500


def bits_after(
    engine: Engine, ids: np.ndarray, progress: Callable[[Sequence[int]], Iterable[int]] = iter
) -> Dict[int, float]:
    """Return the mean surprisal of a character, in bits, after the network has read only the n before it.

    The characters are the same ones for each n of LETTERS. They lie all over the text. An n is left out if the text is
    not longer.

    Args:
        engine: an Engine.
        ids: integer array of the text's ids.
        progress: wraps the loop over LETTERS, to show a progress bar.
    """
    fitting = _fitting(ids)
    places = _places(ids)
    bits = {}
    for count in progress(fitting):
        state = engine.zero_state(len(places))
        # One step at a time, because the probabilities of all steps may not fit the memory.
        for back in range(count, 0, -1):
            last_read = places - back
            read_ids = ids[last_read, np.newaxis]  # [B, 1]
            next_ids = ids[last_read + 1, np.newaxis]
            nats, state = engine.surprisal(read_ids, next_ids, state)
        bits[count] = float(nats.mean(dtype=np.float64) / np.log(2))
    return bits


def bits_of_pairs(learned: np.ndarray, ids: np.ndarray, num_classes: int) -> float:
    """Return the mean bits of the same characters if each is guessed from the one before, by the pairs of a text.

    Args:
        learned: integer array of the ids of the text in which pairs are counted.
        ids: integer array of the other text's ids, at least two.
        num_classes: C.
    """
    nats = ngram_nats(learned, ids, num_classes, order=1)
    # There is none for the first character.
    return float(nats[_places(ids) - 1].mean() / np.log(2))


def _fitting(ids: np.ndarray) -> List[int]:
    """Return those of LETTERS that a text is longer than."""
    return [count for count in LETTERS if count < len(ids)]


def _places(ids: np.ndarray) -> np.ndarray:
    """Return the places of the characters that are guessed."""
    first = max(_fitting(ids), default=0)
    return np.unique(np.linspace(first, len(ids) - 1, PLACES).astype(int))
