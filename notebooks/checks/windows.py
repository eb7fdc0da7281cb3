"""What is wrong with windows of random ids: compared with what the typical mistakes would give."""
from typing import Any, List, NamedTuple, Tuple

import numpy as np

from charrnn import data

from . import words
from .answer import Wrong, need

LIMIT = 99  # batches that are taken from a generator before it counts as endless
UNSET = 87654321  # what np.empty finds in the memory during a check


class Trial(NamedTuple):
    """A text of random ids, all different and none 0, and the sizes of its windows."""

    ids: np.ndarray
    n: int
    m: int

    @property
    def k(self) -> int:
        """The number of windows."""
        return len(self.ids) // (self.n * self.m)

    def __str__(self) -> str:
        return f"For {len(self.ids)} ids with N = {self.n} and M = {self.m}"


def explain_n_windows(found: Any, trial: Trial) -> str:
    """Say what is wrong with the reader's number of windows where a typical mistake gave it, or nothing."""
    length, n, m = len(trial.ids), trial.n, trial.m
    if not isinstance(found, (int, np.integer)) or found == trial.k:
        return ""
    message = f"{trial}, n_windows should be {length} // (N·M) = {trial.k}, but it is {found}"
    if found == length // n * m:
        return f"{message}. Mind the brackets: a // b * c is (a // b) * c."
    for wrong, reason in [(length // n, f"{length} // N"), (length // m, f"{length} // M"),
                          (-(-length // (n * m)), "rounded up, and what does not fill a window is dropped"),
                          (length, "the number of ids"), (n * m, "N·M")]:
        if found == wrong:
            return f"{message}: that is {reason}."
    return ""


def explain_step(xs: List[np.ndarray], trial: Trial) -> None:
    """Raise Wrong where the window does not move by M columns."""
    if len(xs) < 2 or any(np.shape(x) != (trial.n, trial.m) for x in xs[:2]):
        return
    first, second = (np.flatnonzero(trial.ids == x[0, 0]) for x in xs[:2])
    step = int(second[0] - first[0]) if len(first) and len(second) else trial.m
    moves = (xs[1][:, :trial.m - step] == xs[0][:, step:]).all() if 0 < step < trial.m else False
    columns = "one column" if step == 1 else f"{step} columns"
    need(not moves, f"The window moves by {columns} at a time; it should move by M = {trial.m}.")


def explain_shape(name: str, found: Tuple[int, ...], place: int, trial: Trial) -> str:
    n, m, k = trial.n, trial.m, trial.k
    message = f"{name} should be [N, M] = [{n}, {m}], but in window {place} it is {words.brackets(found)}"
    if found == (m, n):
        return message + ": the axes are swapped."
    if place >= k:
        return (message + f": there are only K = len(arr) // (N·M) = {k} windows, and what does not fill one is "
                          "dropped.")
    if found == (n, m - 1) and name == "y" and place == k - 1:
        return message + ": the last window has no next column, so the last column of its y should be zeros."
    if name == "x" and found == (n, 0):
        return message + (": the slice is empty. start is the number of a column, 0, M, 2·M ..., so x is "
                          "rows[:, start:start + n_steps].")
    if name == "x" and found == (n, n):
        return message + ": its width is batch_size where n_steps is meant."
    if name == "x" and len(found) == 2 and found[1] == m * k:
        return message + ": cut columns out of the rows, rows[:, start:start + n_steps]."
    return message + "."


def examine_count(xs: List[np.ndarray], expected: List[np.ndarray], trial: Trial) -> None:
    found, k = len(xs), len(expected)
    if found == k:
        return
    number = "windows without end" if found == LIMIT else words.count(found, "window")
    message = f"{trial} it yields {number}, but there are {len(trial.ids)} // (N·M) = {k}: "

    def same(some: List[np.ndarray], others: List[np.ndarray]) -> bool:
        return len(some) == len(others) and all((x == other).all() for x, other in zip(some, others))

    if found > 1 and (xs[1][:, :-1] == xs[0][:, 1:]).all():
        raise Wrong(message + "the window moves by one column at a time; it should move by M.")
    if found > 1 and (xs[1] == xs[0]).all():
        raise Wrong(message + "the window does not move.")
    if found == 1 and k > 2:
        raise Wrong(message + ("the yield is after the loop; move it into the loop." if same(xs, expected[-1:]) else
                               "the loop ends after its first round."))
    shorter = [x for x, _ in data.get_batches(trial.ids[:trial.n * trial.m * found], trial.n, trial.m)]
    if found == k - 1 and (same(xs, expected[:-1]) or same(xs, shorter)):
        exact = (f" (A text of exactly K·N·M ids has K windows: use {len(trial.ids)} // {trial.n * trial.m}, "
                 "and do not subtract 1.)" if k * trial.n * trial.m == len(trial.ids) else "")
        raise Wrong(f"{message}the last window is missing. It counts too, although there is no next "
                    f"column after it.{exact}")
    if same(xs, expected[1:]):
        raise Wrong(message + "the first window is missing.")
    explain_step(xs, trial)
    raise Wrong(message + ("too few." if found < k else
                           "too many. Ids that do not fill a window are dropped, not filled up with zeros."
                           if found == k + 1 else "too many."))


def examine_x(xs: np.ndarray, expected: np.ndarray, expected_ys: np.ndarray, trial: Trial) -> None:
    if (xs == expected).all():
        return
    n, m, k = trial.n, trial.m, trial.k
    need(not (k > 1 and (xs == xs[0]).all()),
         "Every x is the first window: the window should move. Cut it out with rows[:, start:start + n_steps].")
    kept = trial.ids[:n * m * k]
    need(not (xs == expected_ys).all(),
         "x is one character later, as y should be: x itself begins at the first column of the window.")
    rows = trial.ids[:len(trial.ids) // n * n].reshape((n, -1))
    typical = [
        (kept.reshape(xs.shape),
         "The rows do not continue from window to window: each window is the next N·M ids. Lay the kept ids out "
         "as N rows first, then slide a window of M columns over them, so that row r of one window continues in "
         "row r of the next."),
        (np.stack(np.split(kept.reshape((-1, n)).T, k, axis=1)),
         "The ids run down the columns: reshape((batch_size, -1)) lays them out row by row, without a transpose."),
        (np.stack(np.split(rows[:, :m * k], k, axis=1)),
         "Every row but the first begins too late: keep only the first N·M·K ids before the reshape, so that a "
         "row has M·K columns."),
        (np.stack(np.split(trial.ids[-n * m * k:].reshape((n, -1)), k, axis=1)),
         "The beginning of the text is dropped: keep the first N·M·K ids, and drop the end."),
        (np.stack([kept.reshape((n, -1))[:, place:place + m] for place in range(k)]),
         "The window moves by one column at a time; it should move by M."),
        (expected[::-1], "The windows come in the reverse order."),
    ]
    for wrong, message in typical:
        need(not (xs == wrong).all(), message)
    place, row, column = np.argwhere(xs != expected)[0]
    found = np.flatnonzero(trial.ids == xs[place, row, column])
    number = int(np.flatnonzero(trial.ids == expected[place, row, column])[0])
    raise Wrong(f"{trial}, window {place}, row {row}, column {column} of x should be arr[{number}], but it is "
                + (f"arr[{int(found[0])}]." if len(found) else f"{xs[place, row, column]}."))


def examine_y(xs: np.ndarray, ys: np.ndarray, expected: np.ndarray, trial: Trial) -> None:
    if (ys == expected).all():
        return
    need(not (ys == UNSET).any(),
         "y has numbers that were never set: np.empty does not set them, np.zeros_like(x) does.")
    need(not (ys == xs).all(), "y is the same as x: it should be x one character later.")
    need(not (ys[:, :, :-1] == xs[:, :, :-1] + 1).all(),
         "y is x + 1, the id plus one. It should be x one character later: the id of the character that follows "
         "in the text, whatever number that is.")
    need(not (ys[:, :, :-1] == xs[:, :, :-1] - 1).all(),
         "y is x - 1, the id less one. It should be x one character later: the id of the character that follows "
         "in the text, whatever number that is.")
    need(not (ys[:, :, 1:] == xs[:, :, :-1]).all(),
         "y is shifted the wrong way: it should be x one character LATER, so that y[:, 0] is x[:, 1].")
    need(not (ys[:, :-1] == xs[:, 1:]).all(), "y is shifted by a row: it should be shifted by a column.")
    if (ys[:, :, :-1] != expected[:, :, :-1]).any():
        _explain_inner_columns(xs, ys, expected, trial)
    _explain_last_column(xs, ys[:, :, -1], expected[:, :, -1], trial)


def _explain_inner_columns(xs: np.ndarray, ys: np.ndarray, expected: np.ndarray, trial: Trial) -> None:
    need(not (trial.k > 1 and (ys == ys[0]).all()),
         "y is the same in every window: it should move with x. Cut it out from start + 1 on.")
    need(not (trial.k > 1 and (ys[:-1] == xs[1:]).all()),
         "y is the next window: it should be the same window one column later.")
    need(not (trial.m > 2 and (ys[:, :, :-2] == xs[:, :, 2:]).all()),
         "y is shifted by two columns: it should be one character later.")
    need(not (ys[:-1] == expected[:-1]).all() or trial.k == 1,
         "y of the last window should have 0 in its last column only; the columns before follow x.")
    place, row, column = np.argwhere(ys != expected)[0]
    raise Wrong(f"{trial}, y of window {place} should be {expected[place].tolist()} where x is "
                f"{xs[place].tolist()}, but it is {ys[place].tolist()}.")


def _explain_last_column(xs: np.ndarray, last: np.ndarray, expected: np.ndarray, trial: Trial) -> None:
    """Explain a last column of y, [K, N], that is wrong where the columns before it are right."""
    several = trial.k > 1
    need(not (several and (last == xs[:, :, 0]).all()),
         "The last column of y is the first column of the same x: the character that follows is the first of the "
         "NEXT window, in the same row.")
    need(not (several and (last == 0).all()),
         "The last column of y is 0 in every window: only the last window has no next column. In the others the "
         "first column of the next window follows.")
    need(not (several and (last == xs[:, :, -1]).all()),
         "The last column of y is the last column of x again: the first column of the next window follows.")
    need((last[:-1] == expected[:-1]).all(),
         "The last column of y should be the first column of the next window, row by row.")
    message = f"{trial}, the last column of y in the last window must be 0, since no column follows it, but it is "
    starts = xs[0][:, 0]
    text = np.append(trial.ids, -1)[[int(np.flatnonzero(trial.ids == one)[0]) + 1 for one in xs[-1][:, -1]]]
    reasons = [(starts, "the beginning of the same row (np.roll puts it there)"),
               (np.roll(starts, -1), "the beginning of the next row"), (text, "the id that follows in the text"),
               (last[-2] if several else None, "that of the window before: make a new y for each window"),
               (xs[-1][:, -1], "the last column of x again")]
    for wrong, reason in reasons:
        need(wrong is None or not (last[-1] == wrong).all(), message + reason + ".")
    raise Wrong(message + f"{last[-1].tolist()}.")
