"""The surprisal of each character of a text, measured by an engine. NumPy only."""

from typing import Callable, Iterable, Sequence, Tuple

import numpy as np

from charrnn.engines import Engine

WARM_UP = 500  # characters that a row reads before the first that it measures
# characters that a row measures at least; with fewer, it would mostly read its WARM_UP
LEAST_PIECE = 25
WINDOW = 100  # steps of one call of the engine


def surprisal(
    engine: Engine,
    ids: np.ndarray,
    rows: int = 1,
    share: Tuple[int, int] = (0, 1),
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> np.ndarray:
    """Measure the surprisal of each character of a text but the first, which has no context.

    Args:
        engine: the network.
        ids: integer array [T], T at least 2.
        rows: pieces of the text that are read in parallel, at least 1. With 1, the state is carried from the start
            of the text to its end. With more, the text is read faster, and each row first reads the WARM_UP characters
            before those that it measures. A short text is read in fewer rows, of at least LEAST_PIECE characters.
        share: (rank, size) where several processes measure some of the rows each.
        progress: wraps the loop over the windows, to show a progress bar.

    Returns:
        float32 [T - 1], minus the natural logarithm of the probability of each character; 0 in the rows that other
        processes measure.

    Raises:
        ValueError: T is below 2.
    """
    if len(ids) < 2:
        raise ValueError(
            f"a text to evaluate needs at least 2 characters that the model knows, not {len(ids)}"
        )
    count = len(ids) - 1
    pieces = max(1, min(rows, count // LEAST_PIECE))
    # each row measures from its edge to the next
    edges = [count * piece // pieces for piece in range(pieces + 1)]
    length = min(count, -(-count // pieces) + (WARM_UP if pieces > 1 else 0))
    rank, size = share
    own = list(range(rank, pieces, size))
    rows = -(-pieces // size)
    starts = [max(0, edges[number + 1] - length) for number in own]
    state = engine.zero_state(rows)
    nats = np.zeros(count, np.float32)
    for begin in progress(range(0, length, WINDOW)):
        end = min(begin + WINDOW, length)
        window = np.zeros((rows, WINDOW + 1), np.int32)
        for row, start in enumerate(starts):
            piece = ids[start + begin : start + end + 1]
            window[row, : len(piece)] = piece
        measured, state = engine.surprisal(window[:, :-1], window[:, 1:], state)  # [rows, WINDOW]
        for row, (number, start) in enumerate(zip(own, starts)):
            low = max(edges[number], start + begin)
            high = min(edges[number + 1], start + end)
            if low < high:
                nats[low:high] = measured[row, low - start - begin : high - start - begin]
    return nats
