"""The surprisal of each character of a text, measured by an engine. NumPy only."""

import math
from typing import Callable, Iterable, NamedTuple, Sequence, Tuple

import numpy as np

from charrnn.engines import Engine

# characters that a row reads before the first that it measures
WARM_UP = 500
# characters that a row measures; with fewer, it would mostly read its WARM_UP
LEAST_PIECE = 25
# steps of one call of the engine, at most
WINDOW = 100


def surprisal(
    engine: Engine,
    ids: np.ndarray,
    rows: int = 1,
    share: Tuple[int, int] = (0, 1),
    warm_up: int = WARM_UP,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> np.ndarray:
    """Measure the surprisal of each character of a text but the first, which has no context.

    Args:
        engine: the network.
        ids: integer array [T], T at least 2.
        rows: pieces of the text that are read in parallel, at least 1. With 1, the state is carried from the start
            of the text to its end. With more, the text is read faster, and each row first reads some characters before
            those that it measures. A short text is read in fewer rows, of at least LEAST_PIECE characters.
        share: (rank, size) where several processes measure some of the rows each.
        warm_up: characters that a row reads before those that it measures.
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
    n_pieces = max(1, min(rows, count // LEAST_PIECE))
    # the characters that a row reads
    length = math.ceil(count / n_pieces)
    if n_pieces > 1:
        length = min(count, length + warm_up)
    rank, size = share
    pieces = [_piece(count, number, n_pieces, length) for number in range(rank, n_pieces, size)]

    # All processes have as many rows, so that they read the same number of windows.
    n_rows = math.ceil(n_pieces / size)
    # All windows have as many steps, because TensorFlow builds a graph for each shape.
    n_windows = math.ceil(length / WINDOW)
    steps = math.ceil(length / n_windows)
    state = engine.zero_state(n_rows)
    nats = np.zeros(count, np.float32)
    for begin in progress(range(0, length, steps)):
        end = min(begin + steps, length)
        window = np.zeros((n_rows, steps + 1), np.int32)
        for row, piece in enumerate(pieces):
            read = ids[piece.read_from + begin : piece.read_from + end + 1]
            window[row, : len(read)] = read
        measured, state = engine.surprisal(window[:, :-1], window[:, 1:], state)  # [rows, steps]

        for row, piece in enumerate(pieces):
            offset = piece.read_from + begin
            low = max(piece.measured_from, offset)
            high = min(piece.end, piece.read_from + end)
            if low < high:
                nats[low:high] = measured[row, low - offset : high - offset]
    return nats


class _Piece(NamedTuple):
    """Where a row begins to read, begins to measure, and ends, as places in the surprisal of the whole text."""

    read_from: int
    measured_from: int
    end: int


def _piece(count: int, number: int, n_pieces: int, length: int) -> _Piece:
    end = count * (number + 1) // n_pieces
    return _Piece(read_from=max(0, end - length), measured_from=count * number // n_pieces, end=end)
