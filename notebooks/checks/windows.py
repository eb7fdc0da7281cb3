"""What is wrong with windows of random ids: compared with what the typical mistakes give."""
from itertools import islice
from typing import Any, Callable, List, NamedTuple, Tuple

import numpy as np

from charrnn import data

from . import words
from .answer import Unexplained, need

LIMIT = 99  # batches that are taken from a generator before it counts as endless
UNSET = 87654321  # what np.empty finds in the memory during a check
COUNT = "len(arr) // (batch_size * n_steps)"
ROWS = "arr[:batch_size * n_steps * n_windows].reshape((batch_size, -1))"
LOOP = "range(0, n_windows * n_steps, n_steps)"
X = "rows[:, start:start + n_steps]"
ZEROS = "y = np.zeros_like(x)"
FOLLOWING = "rows[:, start + 1:start + n_steps + 1]"
Y = "y[:, :following.shape[1]] = following"
SOLUTION = f"""
def get_batches(arr, batch_size, n_steps):
    n_windows = {COUNT}
    rows = {ROWS}
    for start in {LOOP}:
        x = {X}
        {ZEROS}
        following = {FOLLOWING}
        {Y}
        yield x, y
"""
# Typical wrong numbers of windows.
WRONG_COUNTS = {
    "len(arr) // batch_size * n_steps": "a // b * c is (a // b) * c. Mind the brackets",
    "len(arr) // batch_size": "that is the length of a row, which n_steps divides as well",
    "-(-len(arr) // (batch_size * n_steps))": "that is rounded up, and what does not fill a window is dropped",
    "len(arr // (batch_size * n_steps))": "the bracket of len closes too late",
    "len(arr) // n_steps": "that is as if there were one row; batch_size divides as well",
}
# What typical mistakes have in place of a piece of the solution, by what to say to them. A test puts each of them into
# the solution.
MISTAKES = {
    "The last window is missing. It counts too, although no column follows it: do not subtract 1.":
        [(COUNT, f"{COUNT} - 1"), (COUNT, "(len(arr) - 1) // (batch_size * n_steps)"),
         (LOOP, "range(0, (n_windows - 1) * n_steps, n_steps)")],
    "The first window is missing: start begins at 0.": [(LOOP, "range(n_steps, n_windows * n_steps, n_steps)")],
    "The window moves by one column at a time, or by batch_size; it should move by M.":
        [(LOOP, f"range({end})") for end in ("n_windows", "(n_windows - 1) * n_steps", "(n_windows - 1) * n_steps + 1",
                                             "n_windows * n_steps", "0, n_windows * n_steps, batch_size")],
    "The loop ends too early: there are K windows, at the columns 0, M, 2·M ... below K·M.":
        [(LOOP, "range(0, n_windows, n_steps)")],
    "The windows come in the reverse order.": [(LOOP, "range((n_windows - 1) * n_steps, -1, -n_steps)")],
    "It yields only once: is the yield after the loop, or does the loop end after its first round?":
        [("    yield x, y", "yield x, y"), ("yield x, y", "yield x, y; break")],
    "Every x is the first window: cut it out with rows[:, start:start + n_steps], which moves.":
        [(X, "rows[:, :n_steps]"), ("yield x, y", f"for _ in range({LIMIT}): yield x, y")],
    "The rows do not continue from window to window. Lay the kept ids out as N rows first, then slide a window of M "
    "columns over them.":
        [(X, "arr[start * batch_size:(start + n_steps) * batch_size].reshape((batch_size, n_steps))")],
    "The ids run down the columns: reshape((batch_size, -1)) lays them out row by row, without a transpose.":
        [(ROWS, "arr[:batch_size * n_steps * n_windows].reshape((-1, batch_size)).T")],
    "Every row but the first begins too late: keep only the first N·M·K ids before the reshape.":
        [(ROWS, "arr[:len(arr) // batch_size * batch_size].reshape((batch_size, -1))")],
    "The columns of a window come in the reverse order: cut them out as they are.":
        [(X, f"{X}[:, ::-1]")],
    "The beginning of the text is dropped: keep the first N·M·K ids, and drop the end.":
        [(ROWS, "arr[len(arr) - batch_size * n_steps * n_windows:].reshape((batch_size, -1))")],
    "x is one character later, as y should be: x itself begins at the first column of the window.":
        [("yield x, y", "yield y, x")],
    "y is x + 1 (or x - 1), another id. It should be x one character later: the id that follows in the text.":
        [(Y, "y = x + 1"), (Y, "y = x + 1 if start < (n_windows - 1) * n_steps else y"), (Y, "y = x - 1")],
    "y is the same as x: it should be x one character later.": [(Y, "y[:] = x")],
    "y is shifted the wrong way, or too far: it should be x one character LATER, so that y[:, 0] is x[:, 1].":
        [(Y, "y[:, 1:] = x[:, :-1]"), (Y, "y = np.roll(x, 1, axis=1)"), (Y, "y = np.roll(x, -1, axis=0)"),
         (FOLLOWING, "rows[:, start + 2:start + n_steps + 2]"),
         (FOLLOWING, "rows[:, start - 1:start + n_steps - 1]")],
    "np.roll without axis= goes on from row to row, and with axis=1 it puts the first column of x at the end, where "
    "the first of the NEXT window belongs.": [(Y, "y = np.roll(x, -1)")],
    "y is the same in every window: it should move with x. Cut it out from start + 1 on.":
        [(FOLLOWING, "rows[:, 1:n_steps + 1]")],
    "y is the next window: it should be the same window one column later.":
        [(FOLLOWING, "rows[:, start + n_steps:start + 2 * n_steps]")],
    "y of the last window should have 0 in its last column only; the columns before follow x.":
        [(Y, "y = following if following.shape == x.shape else y")],
    "The last column of y is the first column of the same x: it should be the first of the NEXT window.":
        [(Y, "y = np.roll(x, -1, axis=1)")],
    "The last column of y is 0 in every window: in all but the last, the first column of the next window follows.":
        [(Y, "y[:, :-1] = x[:, 1:]")],
    "The last column of y is the last column of x again: it should be the first column of the next window, or 0.":
        [(Y, "y[:, :-1] = x[:, 1:]; y[:, -1] = x[:, -1]"), (ZEROS, "y = x.copy()")],
    "The last column of y in the last window must be 0, since no column follows it: neither the beginning of a row, "
    "where np.roll goes on, nor the next id of the text.":
        [(FOLLOWING, "np.roll(rows, -1, axis=1)[:, start:start + n_steps]"),
         (FOLLOWING, "np.roll(rows.ravel(), -1).reshape(rows.shape)[:, start:start + n_steps]"),
         (FOLLOWING, "np.append(arr, 0)[1:rows.size + 1].reshape(rows.shape)[:, start:start + n_steps]")],
}
Batches = List[Tuple[np.ndarray, np.ndarray]]
# What the mistakes change: the later parts are compared where the earlier ones are right.
PARTS: List[Callable[[Batches], List[np.ndarray]]] = [
    lambda batches: [x for x, _ in batches],
    lambda batches: [y[:, :-1] for _, y in batches],
    lambda batches: [y[:, -1:] for _, y in batches[:-1]],
    lambda batches: [y[:, -1:] for _, y in batches[-1:]],
]


class Trial(NamedTuple):
    """A text of random ids, all different and none 0, and the sizes of its windows."""

    ids: np.ndarray
    n: int
    m: int

    @property
    def k(self) -> int:
        """The number of windows."""
        return len(self.ids) // (self.n * self.m)

    def describe(self, value: int) -> str:
        """Say where in the text an id is."""
        place = np.flatnonzero(self.ids == value)
        return f"arr[{place[0]}], which is {value}" if len(place) == 1 else f"{value}"

    def __str__(self) -> str:
        return f"For {len(self.ids)} ids with N = {self.n} and M = {self.m}"


def name_count(found: Any, trial: Trial) -> None:
    """Raise Wrong where the reader's number of windows is what a typical mistake gives."""
    given = {"arr": trial.ids, "batch_size": trial.n, "n_steps": trial.m}
    for wrong, reason in WRONG_COUNTS.items():
        need(not isinstance(found, int) or found == trial.k or found != eval(wrong, dict(given)),
             f"{trial}, n_windows should be {len(trial.ids)} // (N·M) = {trial.k}, but it is {found}: {reason}.")


def examine_windows(batches: Batches, trial: Trial) -> None:
    """Compare the batches with the right ones, part by part, and with what the typical mistakes give."""
    right = list(data.get_batches(*trial))
    for x, y in batches:
        for name, array in zip("xy", (x, y)):
            need(isinstance(array, np.ndarray), f"{name} should be an array, not {words.describe(array)}.")
    _name_mistake(0, batches, right, trial)
    _name_order([x for x, _ in batches], [x for x, _ in right])
    for place, batch in enumerate(batches):
        for name, array in zip("xy", batch):
            examine_shape(name, array.shape, place, trial)
            need(array.dtype == trial.ids.dtype,
                 f"{name} should keep the dtype of arr, {trial.ids.dtype}, but it is {array.dtype}"
                 + (": np.zeros makes floats, np.zeros_like(x) does not." if array.dtype.kind == "f" else "."))
            need(not (array == UNSET).any(),
                 f"{name} has numbers that were never set: np.empty does not set them, np.zeros_like(x) does.")
    number = words.count(len(batches), "window") if len(batches) < LIMIT else "windows without end"
    need(len(batches) == trial.k,
         f"{trial} it yields {number}, but there are {len(trial.ids)} // (N·M) = {trial.k}: too "
         f"{'many. Ids that do not fill a window are dropped' if len(batches) > trial.k else 'few'}.")
    for number in range(1, len(PARTS)):
        _name_mistake(number, batches, right, trial)
    for place, pairs in enumerate(zip(batches, right)):
        for name, found, expected in zip("xy", *pairs):
            if not np.array_equal(found, expected):
                row, column = np.argwhere(found != expected)[0]
                expected_id, found_id = (trial.describe(array[row, column]) for array in (expected, found))
                raise Unexplained(
                    f"{trial}, in window {place} {name} should be {expected.tolist()}, but it is {found.tolist()}. The "
                    f"first difference is {name}[{row}, {column}]: it should be {expected_id}, but it is {found_id}.")


def _name_order(found: List[np.ndarray], right: List[np.ndarray]) -> None:
    """Raise Wrong where the x are right, but the windows or their rows come in another order."""
    if all(map(np.array_equal, found, right)) or [x.shape for x in found] != [x.shape for x in right]:
        return
    windows = [x.tolist() for x in right]
    need(not all(x.tolist() in windows for x in found),
         "The windows come in another order, but row r of each must continue row r of the one before, because the "
         "state is carried from one to the next: go from left to right, without shuffling.")
    need(not all(map(np.array_equal, (np.sort(x, axis=0) for x in found), (np.sort(x, axis=0) for x in right))),
         "The rows come in another order: row 0 holds the first M·K ids of the text, and each row goes on where the "
         "one above it ends.")


def _name_mistake(number: int, batches: Batches, right: Batches, trial: Trial) -> None:
    """Raise Wrong where a part of the batches is the first that is not right, and is as a typical mistake makes it."""
    right_before = all(_same(part, batches, right) for part in PARTS[:number])
    if not trial.k or not right_before or _same(PARTS[number], batches, right):
        return
    for message, pieces in MISTAKES.items():
        for old, new in pieces:
            scope = {"np": np}
            exec(SOLUTION.replace(old, new), scope)
            wrong = list(islice(scope["get_batches"](*trial), LIMIT))
            need(not all(_same(part, wrong, right) for part in PARTS[:number])
                 or not _same(PARTS[number], batches, wrong), message)


def _same(part: Callable, some: Batches, others: Batches) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, part(some), part(others)))


def examine_shape(name: str, found: Tuple[int, ...], place: int, trial: Trial) -> None:
    """Raise Wrong where an array is not [N, M]."""
    n, m, k = trial.n, trial.m, trial.k
    reasons = [
        (found == (m, n), ": the axes are swapped"),
        (found == (n, m, k), ": rows should be [N, M·K], by reshape((batch_size, -1))"),
        (found[:2] == (n, m), ": yield the ids themselves. They are made one-hot later, in the graph"),
        (place >= k, f": there are only K = len(arr) // (N·M) = {k} windows, and what does not fill one is dropped"),
        (name == "y" and found == (n, m - 1),
         ": the last window has no next column, so the last column of its y should be zeros"),
        (found == (n, 0), ": the slice is empty. start is the number of a column, 0, M, 2·M ..., so x is "
                          "rows[:, start:start + n_steps]"),
        (found[:1] == (n,) and len(found) == 2 and place == k - 1 > 0, ": it goes beyond the end of the rows. The "
                                                                     "first window begins at column 0"),
        (found == (n, m + 1), ": it is one column too wide"),
        (found == (n,), ": that is a single column. A slice has a colon, rows[:, start:start + n_steps]"),
        (len(found) == 1, ": its rows are lost (np.append without axis=1 does that)"),
        (found == (n, n), ": its width is batch_size where n_steps is meant"),
        (found[1:] == (m * k,), ": cut columns out of the rows, rows[:, start:start + n_steps]"), (True, "")]
    need(found == (n, m), f"{name} should be [N, M] = [{n}, {m}], but in window {place} it is {words.brackets(found)}"
                          f"{next(reason for holds, reason in reasons if holds)}.")
