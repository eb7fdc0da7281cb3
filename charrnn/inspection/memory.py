"""How far back a network remembers: what a character costs it after it has read only the last few. NumPy only."""

from typing import Callable, Dict, Iterable, Sequence

import numpy as np

from charrnn.engines import Engine

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
        progress: wraps the loop over them, to show a progress bar.
    """
    fitting = [count for count in LETTERS if count < len(ids)]
    first = max(fitting, default=0)
    places = np.unique(np.linspace(first, len(ids) - 1, PLACES).astype(int))
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
