"""What is wrong with windows of random ids: the first difference, and where in the text the ids are that came."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn import data
from charrnn.system.words import plural

from . import words
from .answer import Unexplained, Wrong, expect, need

# batches that are taken from a generator before it counts as endless
LIMIT = 99
# what np.empty finds in the memory during a check
UNSET = 87654321
Batches = List[Tuple[np.ndarray, np.ndarray]]


class Trial(NamedTuple):
    """A text of random ids, and the sizes of its windows."""

    ids: np.ndarray
    n: int
    m: int

    @property
    def k(self) -> int:
        """The number of windows."""
        return len(self.ids) // (self.n * self.m)

    @property
    def is_full(self) -> bool:
        """Whether the ids fill windows, and none is left over."""
        return self.k > 0 and len(self.ids) == self.n * self.m * self.k

    def places(self, array: np.ndarray) -> np.ndarray:
        """Return where in the text the ids of an array are, and -1 for what is not in it."""
        place_of = {value: place for place, value in enumerate(self.ids.tolist())}
        places = [place_of.get(value, -1) for value in array.ravel().tolist()]
        return np.array(places, int).reshape(array.shape)

    def __str__(self) -> str:
        return f"For {len(self.ids)} ids with N = {self.n} and M = {self.m}"


def examine_windows(batches: Batches, trial: Trial) -> None:
    """Compare the batches with the right ones; raise Wrong with the first difference."""
    for window, batch in enumerate(batches):
        for name, array in zip("xy", batch):
            need(
                isinstance(array, np.ndarray),
                f"{name} should be an array, not {words.describe(array)}.",
            )
            if array.shape != (trial.n, trial.m):
                # where an earlier window is wrong, it is the cause
                _examine_contents(batches[:window], trial)
                examine_shape(name, array.shape, window, trial)
            _examine_values(name, array, trial)

    if len(batches) > trial.k > 1:
        _examine_surplus(batches, trial)
    _examine_number(batches, trial)
    _examine_contents(batches, trial)


def examine_shape(name: str, shape: Tuple[int, ...], window: int, trial: Trial) -> None:
    """Raise Wrong where an array is not [N, M]."""
    n = trial.n
    m = trial.m
    if shape == (n, m):
        return
    if shape == (m, n):
        reason = "the axes are swapped"
    elif window >= trial.k:
        reason = f"there are only K = len(arr) // (N·M) = {trial.k} windows, and what does not fill one is dropped"
    elif name == "y" and shape == (n, m - 1) and window == trial.k - 1:
        reason = "the last window has no next column, so the last column of its y should be zeros"
    elif shape == (n, m - 1):
        reason = "the slice ends one column too early, since the column behind its colon is not a part of it"
    elif shape == (n, 0):
        reason = "the slice begins beyond the end of the rows. start is the number of a column"
    elif len(shape) == 3:
        reason = (
            "rows should be [N, M·K], by reshape((batch_size, -1)), and ids are made one-hot later, in "
            "the graph"
        )
    else:
        reason = "rows should be [N, M·K], by reshape((batch_size, -1)), and x is rows[:, start:start + n_steps]"
    raise Wrong(
        f"{name} should be [N, M] = [{n}, {m}], but in window {window} it is {words.brackets(shape)}: {reason}."
    )


def _examine_values(name: str, array: np.ndarray, trial: Trial) -> None:
    """Raise Wrong where an array has another type, or numbers that were never set."""
    advice = "."
    if array.dtype.kind == "f":
        advice = ": np.zeros makes floats, np.zeros_like(x) does not."
    need(
        array.dtype == trial.ids.dtype,
        f"{name} should keep the dtype of arr, {trial.ids.dtype}, but it is {array.dtype}{advice}",
    )
    need(
        not (array == UNSET).any(),
        f"{name} has numbers that were never set: np.empty does not set them, np.zeros_like(x) does.",
    )


def _examine_surplus(batches: Batches, trial: Trial) -> None:
    """Raise Wrong where windows overlap, or come again."""
    first, _ = batches[0]
    second, _ = batches[1]
    columns = trial.places(second)[0, 0] - trial.places(first)[0, 0]
    need(
        not 0 < columns < trial.m,
        f"The windows overlap: window 1 begins {plural(columns, 'column')} after "
        f"window 0. It should be n_steps = {trial.m}, the third argument of range.",
    )

    surplus, _ = batches[trial.k]
    need(
        len(batches) < LIMIT and not np.array_equal(surplus, first),
        "It does not stop after the last window: one loop over the columns is all there should be.",
    )


def _examine_number(batches: Batches, trial: Trial) -> None:
    """Raise Wrong where there are more or fewer windows than the text has."""
    number = len(batches)
    if number == trial.k:
        return
    shown = plural(number, "window") if number < LIMIT else "windows without end"
    counts = f"{trial} it yields {shown}, but there are {len(trial.ids)} // (N·M) = {trial.k}: too"
    expect(number < trial.k, f"{counts} many. Ids that do not fill a window are dropped.")

    if number > 1 and len(set(trial.ids.tolist())) == len(trial.ids):
        first, _ = batches[0]
        second, _ = batches[1]
        columns = trial.places(second)[0, 0] - trial.places(first)[0, 0]
        need(
            columns <= trial.m,
            f"The windows leave columns out: window 1 begins {columns} columns after window 0. It should be n_steps = "
            f"{trial.m}, the third argument of range.",
        )
    windows = [x for x, _ in data.get_batches(*trial)]
    if number == 1:
        x, _ = batches[0]
        need(
            not np.array_equal(x, windows[-1]),
            f"{counts} few. It is the last window: does yield x, y stand behind the loop? It belongs into it.",
        )
        need(
            not np.array_equal(x, windows[0]),
            f"{counts} few. It is the first window: does the loop end in its first round, by a return or a break?",
        )
    if number == trial.k - 1 > 0:
        x, _ = batches[0]
        need(
            not np.array_equal(x, windows[1]),
            f"{counts} few. The first window is left out: the loop over the columns begins at 0.",
        )
    expect(
        number != -(-trial.k // trial.m),
        f"{counts} few. The loop goes over columns, of which there are M·K: range(0, n_windows * n_steps, n_steps).",
    )
    expect(
        number != trial.k - 1,
        f"{counts} few. Is the last window left out, or is an id kept for the targets, by N·M + 1 or len(arr) - 1? "
        "The y of the last window ends in a column of zeros.",
    )
    raise Unexplained(f"{counts} few.")


def _examine_contents(batches: Batches, trial: Trial) -> None:
    """Compare windows of the right shape with the right ones; raise Wrong with the first difference."""
    is_distinct = len(set(trial.ids.tolist())) == len(trial.ids)
    for window, ((x, y), (right_x, right_y)) in enumerate(zip(batches, data.get_batches(*trial))):
        if is_distinct:
            need(
                not np.array_equal(x, right_y) or not np.array_equal(y, right_x),
                "x and y are swapped: yield x, y, where y is x one character later.",
            )
        if not np.array_equal(x, right_x):
            if is_distinct:
                _explain_x(x, right_x, window, trial)
            raise Unexplained(_difference("x", x, right_x, window, trial))
        if not np.array_equal(y, right_y):
            if is_distinct:
                _explain_y(y, right_y, x, window, trial)
            raise Unexplained(_difference("y", y, right_y, window, trial))


def _explain_x(x: np.ndarray, right: np.ndarray, window: int, trial: Trial) -> None:
    """Raise Wrong where the places of the ids tell what is wrong with x."""
    places = trial.places(x)
    if trial.n > 1:
        need(
            (np.diff(places.ravel()) != 1).any(),
            "The rows do not continue from window to window. Lay the kept ids out as N rows first, then slide a "
            "window of M columns over them.",
        )
        need(
            (np.diff(places, axis=0) != 1).any(),
            "The ids run down the columns: reshape((batch_size, -1)) lays them out row by row, without a transpose.",
        )

    late = places - trial.places(right)  # by how many characters
    is_all_known = places.min() >= 0
    is_as_late = late.min() == late.max()
    if is_all_known and is_as_late:
        need(
            window > 0 or not 0 < late.min() < trial.m,
            f"The first window begins with arr[{places[0, 0]}], but it should begin with arr[0]: do the rows, and "
            "the loop over their columns, begin at 0?",
        )
        raise Wrong(
            f"In window {window} x begins with arr[{places[0, 0]}], but it should begin with arr[{window * trial.m}]: "
            "a window begins M columns after the one before, the first at column 0. Windows come in the order of the "
            "text, because the state is carried from one to the next."
        )
    need(
        sorted(x.tolist()) != sorted(right.tolist()),
        "The rows come in another order: row 0 holds the first M·K ids of the text, and each row goes on where the "
        "one above it ends.",
    )
    need(
        late[0].any(),
        "Row 0 is right, but another row begins at another place: a row has M·K ids, so keep the first N·M·K ids, no "
        "more and no fewer, before the reshape.",
    )


def _explain_y(y: np.ndarray, right: np.ndarray, x: np.ndarray, window: int, trial: Trial) -> None:
    """Raise Wrong where the ids, or their places, tell what is wrong with the y of a right x."""
    need(
        not np.array_equal(y, x + 1) and not np.array_equal(y, x - 1),
        "y is x + 1 (or x - 1), another id. It should be x one character later: the id that follows in the text.",
    )
    need(
        trial.n == 1 or not np.array_equal(y[:-1], x[1:]),
        "y is x one row later: it should be one COLUMN later, in the same row (axis=1 in NumPy's functions).",
    )

    steps = _usual_distance(y, x, trial)
    if steps not in (None, 1):
        if steps == 0:
            relation = "the same as x"
        elif steps > 0:
            relation = f"x {plural(steps, 'character')} later"
        else:
            relation = f"x {plural(-steps, 'character')} EARLIER"
        raise Wrong(
            f"In window {window} y is {relation}: it should be x one character LATER, so that y[:, 0] is x[:, 1]."
        )
    if np.array_equal(y[:, :-1], right[:, :-1]):
        _explain_last_column(y[:, -1], x, window, trial)


def _usual_distance(y: np.ndarray, x: np.ndarray, trial: Trial) -> Optional[int]:
    """Return how many characters later than x most of y is; None where there is no such number."""
    places = trial.places(y)
    distances = (places - trial.places(x))[places >= 0]
    for distance in set(distances.tolist()):
        if (distances == distance).sum() > y.size / 2:
            return distance
    return None


def _explain_last_column(last: np.ndarray, x: np.ndarray, window: int, trial: Trial) -> None:
    """Raise Wrong: only the last column of y is not right."""
    if not last.any():
        shown = "0"
    elif np.array_equal(last, x[:, 0]):
        shown = "the first column of the same x"
    elif np.array_equal(last, x[:, -1]):
        shown = "the last column of x again"
    else:
        shown = str(last.tolist())
    need(
        window == trial.k - 1,
        f"In window {window} the last column of y should be the first column of the NEXT "
        f"window, but it is {shown}.",
    )

    rows = trial.ids[: trial.n * trial.m * trial.k].reshape((trial.n, -1))
    remark = ""
    if np.array_equal(last, rows[:, 0]):
        remark = " (np.roll takes the beginning of the same row, not the next part of the text.)"
    raise Wrong(
        f"In the last window the last column of y should be 0, but it is {shown}: no column follows it.{remark}"
    )


def _difference(name: str, actual: np.ndarray, right: np.ndarray, window: int, trial: Trial) -> str:
    """Say what should have come and what came, and where in the text the first id is that differs."""
    differing = np.argwhere(actual != right)
    row, column = differing[0]
    return (
        f"{trial}, in window {window} {name} should be {right.tolist()}, but it is {actual.tolist()}. The first "
        f"difference is {name}[{row}, {column}]: it should be {_described(right[row, column], trial)}, but it is "
        f"{_described(actual[row, column], trial)}."
    )


def _described(value: int, trial: Trial) -> str:
    """Return an id, with its place where it is in the text once."""
    places = np.flatnonzero(trial.ids == value)
    if len(places) == 1:
        return f"arr[{places[0]}], which is {value}"
    return str(value)
