"""What is wrong with windows of random ids: the first difference, and where in the text the ids are that came."""

from typing import List, NamedTuple, Tuple

import numpy as np

from charrnn import data
from charrnn.system.words import plural

from . import words
from .answer import Unexplained, Wrong, expect, need

LIMIT = 99  # batches that are taken from a generator before it counts as endless
UNSET = 87654321  # what np.empty finds in the memory during a check
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

    def places(self, array: np.ndarray) -> np.ndarray:
        """Return where in the text the ids of an array [N, M] are, and -1 for what is not in it."""
        place_of = {one: place for place, one in enumerate(self.ids.tolist())}
        return np.array([[place_of.get(one, -1) for one in row] for row in array.tolist()])

    def __str__(self) -> str:
        return f"For {len(self.ids)} ids with N = {self.n} and M = {self.m}"


def examine_windows(batches: Batches, trial: Trial) -> None:
    """Compare the batches with the right ones; raise Wrong with the first difference."""
    for place, batch in enumerate(batches):
        for name, array in zip("xy", batch):
            need(
                isinstance(array, np.ndarray),
                f"{name} should be an array, not {words.describe(array)}.",
            )
            if array.shape != (trial.n, trial.m):
                # where an earlier window is wrong, it is the cause
                examine_contents(batches[:place], trial)
            examine_shape(name, array.shape, place, trial)
            need(
                array.dtype == trial.ids.dtype,
                f"{name} should keep the dtype of arr, {trial.ids.dtype}, but it is {array.dtype}"
                + (
                    ": np.zeros makes floats, np.zeros_like(x) does not."
                    if array.dtype.kind == "f"
                    else "."
                ),
            )
            need(
                not (array == UNSET).any(),
                f"{name} has numbers that were never set: np.empty does not set them, np.zeros_like(x) does.",
            )
    number = plural(len(batches), "window") if len(batches) < LIMIT else "windows without end"
    if len(batches) > trial.k > 1:
        columns = trial.places(batches[1][0])[0, 0] - trial.places(batches[0][0])[0, 0]
        need(
            not 0 < columns < trial.m,
            f"The windows overlap: window 1 begins {plural(columns, 'column')} after "
            f"window 0. It should be n_steps = {trial.m}, the third argument of range.",
        )
        need(
            len(batches) < LIMIT and not np.array_equal(batches[trial.k][0], batches[0][0]),
            "It does not stop after the last window: one loop over the columns is all there should be.",
        )
    expect(
        len(batches) == trial.k,
        f"{trial} it yields {number}, but there are {len(trial.ids)} // (N·M) = {trial.k}: too "
        + (
            "many. Ids that do not fill a window are dropped."
            if len(batches) > trial.k
            else "few. The loop goes over columns, of which there are M·K: range(0, n_windows * n_steps, n_steps)."
            if len(batches) == -(-trial.k // trial.m)
            else "few. Is the last window left out? Its y ends in a column of zeros."
            if len(batches) == trial.k - 1
            else "few."
        ),
    )
    examine_contents(batches, trial)


def examine_contents(batches: Batches, trial: Trial) -> None:
    """Compare windows of the right shape with the right ones; raise Wrong with the first difference."""
    distinct = len(set(trial.ids.tolist())) == len(trial.ids)
    for place, (batch, expected) in enumerate(zip(batches, data.get_batches(*trial))):
        need(
            not distinct or not all(map(np.array_equal, batch, expected[::-1])),
            "x and y are swapped: yield x, y, where y is x one character later.",
        )
        for name, name_mistake, found, due in zip("xy", (_name_x, _name_y), batch, expected):
            if not np.array_equal(found, due):
                if distinct:
                    name_mistake(found, due, batch[0], place, trial)
                raise Unexplained(_difference(name, found, due, place, trial))


def _name_x(x: np.ndarray, right: np.ndarray, _: np.ndarray, window: int, trial: Trial) -> None:
    """Raise Wrong where the places of the ids tell what is wrong with x."""
    places = trial.places(x)
    late = places - trial.places(right)
    need(
        trial.n == 1 or (np.diff(places.ravel()) != 1).any(),
        "The rows do not continue from window to window. Lay the kept ids out as N rows first, then slide a window of "
        "M columns over them.",
    )
    need(
        trial.n == 1 or (np.diff(places, axis=0) != 1).any(),
        "The ids run down the columns: reshape((batch_size, -1)) lays them out row by row, without a transpose.",
    )
    need(
        window or late.min() < late.max() or not 0 < late.min() < trial.m or places.min() < 0,
        f"The first window begins with arr[{places[0, 0]}], but it should begin with arr[0]: do the rows, and "
        "the loop over their columns, begin at 0?",
    )
    need(
        late.min() < late.max() or places.min() < 0,
        f"In window {window} x begins with arr[{places[0, 0]}], but it should begin with arr[{window * trial.m}]: a "
        "window begins M columns after the one before, the first at column 0. Windows come in the order of the text, "
        "because the state is carried from one to the next.",
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


def _name_y(y: np.ndarray, right: np.ndarray, x: np.ndarray, window: int, trial: Trial) -> None:
    """Raise Wrong where the ids, or their places, tell what is wrong with the y of a right x."""
    need(
        not any(np.array_equal(y, x + one) for one in (1, -1)),
        "y is x + 1 (or x - 1), another id. It should be x one character later: the id that follows in the text.",
    )
    need(
        trial.n == 1 or not np.array_equal(y[:-1], x[1:]),
        "y is x one row later: it should be one COLUMN later, in the same row (axis=1 in NumPy's functions).",
    )
    places = trial.places(y)
    steps = (places - trial.places(x))[places >= 0]  # how many characters later
    for step in set(steps.tolist()) - {1}:
        what = (
            f"x {plural(abs(step), 'character')} {'later' if step > 0 else 'EARLIER'}"
            if step
            else "the same as x"
        )
        need(
            (steps == step).sum() <= y.size / 2,
            f"In window {window} y is {what}: it should be x one character LATER, so that y[:, 0] is x[:, 1].",
        )
    if np.array_equal(y[:, :-1], right[:, :-1]):
        last = y[:, -1]
        came = (
            "0"
            if not last.any()
            else "the first column of the same x"
            if np.array_equal(last, x[:, 0])
            else "the last column of x again"
            if np.array_equal(last, x[:, -1])
            else str(last.tolist())
        )
        need(
            window == trial.k - 1,
            f"In window {window} the last column of y should be the first column of the NEXT "
            f"window, but it is {came}.",
        )
        rolled = np.array_equal(
            last, trial.ids[: trial.n * trial.m * trial.k].reshape((trial.n, -1))[:, 0]
        )
        raise Wrong(
            f"In the last window the last column of y should be 0, but it is {came}: no column follows it."
            + rolled
            * " (np.roll takes the beginning of the same row, not the next part of the text.)"
        )


def _difference(name: str, found: np.ndarray, right: np.ndarray, window: int, trial: Trial) -> str:
    """Say what should have come and what came, and where in the text the first id is that differs."""
    row, column = np.argwhere(found != right)[0]
    ids = [
        f"arr[{place}], which is {one}"
        if place >= 0 and (trial.ids == one).sum() == 1
        else str(one)
        for one, place in (
            (array[row, column], trial.places(array)[row, column]) for array in (right, found)
        )
    ]
    return (
        f"{trial}, in window {window} {name} should be {right.tolist()}, but it is {found.tolist()}. The first "
        f"difference is {name}[{row}, {column}]: it should be {ids[0]}, but it is {ids[1]}."
    )


def examine_shape(name: str, found: Tuple[int, ...], place: int, trial: Trial) -> None:
    """Raise Wrong where an array is not [N, M]."""
    n = trial.n
    m = trial.m
    k = trial.k
    reasons = [
        (found == (m, n), "the axes are swapped"),
        (
            place >= k,
            f"there are only K = len(arr) // (N·M) = {k} windows, and what does not fill one is dropped",
        ),
        (
            name == "y" and found == (n, m - 1),
            "the last window has no next column, so the last column of its y should be zeros",
        ),
        (
            found == (n, 0),
            "the slice begins beyond the end of the rows. start is the number of a column",
        ),
        (
            len(found) == 3,
            "rows should be [N, M·K], by reshape((batch_size, -1)), and ids are made one-hot later, in "
            "the graph",
        ),
        (
            True,
            "rows should be [N, M·K], by reshape((batch_size, -1)), and x is rows[:, start:start + n_steps]",
        ),
    ]
    need(
        found == (n, m),
        f"{name} should be [N, M] = [{n}, {m}], but in window {place} it is {words.brackets(found)}: "
        f"{next(reason for holds, reason in reasons if holds)}.",
    )
