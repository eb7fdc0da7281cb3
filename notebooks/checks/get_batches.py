"""The check of get_batches: windows of random ids, compared with what the typical mistakes would give."""
import inspect
from itertools import islice
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn import data

from . import words
from .answer import Locals, Wrong, exception, need, still_none

HINTS = (
    "One window of one row needs M ids, so one window of N rows needs N·M. Divide the number of ids by that, "
    "without a remainder, for the number of windows. Cut the array to that many whole windows before you reshape "
    "it.",
    "n_windows = len(arr) // (batch_size * n_steps). The rows: arr[:n_windows * batch_size * n_steps], reshaped "
    "with reshape((batch_size, -1)). The window x that begins at column start is rows[:, start:start + n_steps].",
    "y begins as zeros. In the last window there is one column less to put into it:\n"
    "    y = np.zeros_like(x)\n"
    "    following = rows[:, start + 1:start + n_steps + 1]\n"
    "    y[:, :following.shape[1]] = ...",
)
LIMIT = 99  # batches that are taken from a generator before it counts as endless
_STUBS = ("n_windows", "rows", "x", "y")


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


def trials() -> List[Trial]:
    """Make the texts, the first two small, then others of random sizes, exact multiples of N·M among them."""
    random = np.random.RandomState(3)

    def trial(n: int, m: int, k: int, tail: int) -> Trial:
        return Trial(random.permutation(np.arange(1, n * m * k + tail + 1)).astype(np.int32), n, m)

    sizes = [(random.randint(2, 6), random.randint(2, 7), random.randint(1, 6)) for _ in range(6)]
    return ([trial(2, 3, 5, 4), trial(3, 2, 4, 0)]
            + [trial(n, m, k, random.randint(0, n * m)) for n, m, k in sizes] + [trial(4, 3, 1, 0)])


def examine(answer: Callable) -> Optional[str]:
    """Try the generator on each text; return a remark on a right answer, or None."""
    first, *others = trials()
    _examine_trial(answer, first)
    for trial in others:
        try:
            _examine_trial(answer, trial)
        except Wrong as wrong:
            raise Wrong(f"Right for {len(first.ids)} ids with N = {first.n} and M = {first.m}, but not always. "
                        f"{wrong}")
    _examine_short(answer, first)
    wide = first._replace(ids=first.ids.astype(np.int64))
    if any(array.dtype != np.int64 for batch in _collect(answer, wide) for array in batch):
        return "(One remark: the dtype is fixed, so that ids of another type than int32 would not keep theirs.)"
    return None


def _examine_short(answer: Callable, trial: Trial) -> None:
    """A text shorter than N·M yields nothing."""
    length = trial.n * trial.m - 1
    short = f"A text shorter than N·M (tried: {length} ids, N = {trial.n}, M = {trial.m}) should yield nothing"
    try:
        found = list(islice(answer(trial.ids[:length].copy(), trial.n, trial.m), LIMIT))
    except Exception as error:
        raise Wrong(f"{short}, and it raised {exception(error, answer)}")
    need(not found, f"{short}, and it yields {words.count(len(found), 'pair')}.")


def _examine_trial(answer: Callable, trial: Trial) -> None:
    batches = _collect(answer, trial)
    _examine_arrays(batches, trial)
    expected = list(data.get_batches(trial.ids, trial.n, trial.m))
    _examine_count([x for x, _ in batches], [x for x, _ in expected], trial)
    xs, ys = (np.array(part) for part in zip(*batches))
    expected_xs, expected_ys = (np.array(part) for part in zip(*expected))
    _examine_x(xs, expected_xs, expected_ys, trial)
    _examine_y(xs, ys, expected_ys, trial)


def _collect(answer: Callable, trial: Trial) -> List[Tuple[np.ndarray, np.ndarray]]:
    """Return copies of the pairs that the reader's generator yields, at most LIMIT of them."""
    ids, shared = trial.ids.copy(), False
    copies: List[Tuple[Any, Any]] = []

    def read(arr: np.ndarray, batch_size: int, n_steps: int) -> Any:
        nonlocal shared
        result = answer(arr, batch_size, n_steps)
        _examine_kind(result)
        for batch in islice(result, LIMIT):
            x, y = _pair(batch)
            shared = shared or x is y
            copies.append((np.array(x) if isinstance(x, np.ndarray) else x,
                           np.array(y) if isinstance(y, np.ndarray) else y))

    with Locals(answer) as seen:
        try:
            read(ids, trial.n, trial.m)
        except Wrong:
            still_none({name: seen.values.get(name, name) for name in _STUBS})
            raise
        except Exception as error:
            still_none({name: seen.values.get(name, name) for name in _STUBS})
            raise Wrong(_raised(error, answer, trial))
    if not copies:
        still_none({name: seen.values.get(name, name) for name in _STUBS})
    need((ids == trial.ids).all(),
         "It writes into x, and so into arr, since x is a view of it and no copy: make y an array of its own, "
         "for example y = np.zeros_like(x).")
    need(not shared, "x and y are the same array, so what is written into y changes x: make y an array of its "
                     "own, for example y = np.zeros_like(x).")
    return copies


def _raised(error: Exception, answer: Callable, trial: Trial) -> str:
    message = (f"Called with (an int32 array [{len(trial.ids)}], {trial.n}, {trial.m}) it raised "
               f"{exception(error, answer)}")
    if "reshape" in str(error):
        message += ("\nOnly N·M·K ids make whole rows, with K = len(arr) // (N·M): cut arr to those before the "
                    "reshape (and mind the brackets: a // b * c is (a // b) * c).")
    return message


def _examine_kind(result: Any) -> None:
    need(result is not None, "It returns None: it should be a generator, with yield x, y in its loop.")
    need(not (isinstance(result, tuple) and len(result) == 2),
         "It returns the first pair and ends: use yield x, y in place of return, and the loop continues.")
    need(inspect.isgenerator(result) or hasattr(result, "__next__"),
         f"It returns {words.describe(result)}: it should be a generator, which makes one pair at a time with "
         "yield x, y.")


def _pair(batch: Any) -> Any:
    need(isinstance(batch, (tuple, list, np.ndarray)) and len(batch) == 2 and np.ndim(batch[0]) != 1,
         f"It should yield pairs x, y, not {words.describe(batch)}.")
    still_none({"x": batch[0], "y": batch[1]})
    return batch


def _examine_arrays(batches: List, trial: Trial) -> None:
    """Check that all are arrays [N, M] of the dtype of arr."""
    need(batches, f"It yields nothing. {trial} there are {len(trial.ids)} // (N·M) = {trial.k} windows.")
    shape = (trial.n, trial.m)
    for place, batch in enumerate(batches):
        for name, array in zip("xy", batch):
            need(isinstance(array, np.ndarray), f"{name} should be an array, not {words.describe(array)}.")
            if array.shape != shape:
                raise Wrong(_explain_shape(name, array.shape, place, trial))
            need(array.dtype == trial.ids.dtype,
                 f"{name} should keep the dtype of arr, {trial.ids.dtype}, and it is {array.dtype}"
                 + (": np.zeros makes floats, np.zeros_like(x) does not." if array.dtype.kind == "f" else "."))


def _explain_shape(name: str, found: Tuple[int, ...], place: int, trial: Trial) -> str:
    n, m, k = trial.n, trial.m, trial.k
    message = f"{name} should be [N, M] = [{n}, {m}], and in window {place} it is {words.brackets(found)}"
    if found == (m, n):
        return message + ": the axes are swapped."
    if found == (n, m - 1) and name == "y":
        return message + ": where no next column follows, y is filled up with zeros."
    if place >= k:
        return (message + f": there are only K = len(arr) // (N·M) = {k} windows, and what does not fill one is "
                          "dropped. "
                "(Mind the brackets: a // b * c is (a // b) * c.)")
    return message + "."


def _examine_count(xs: List[np.ndarray], expected: List[np.ndarray], trial: Trial) -> None:
    found, k = len(xs), len(expected)
    if found == k:
        return
    number = "windows without end" if found == LIMIT else words.count(found, "window")
    message = f"{trial} it yields {number}, and there are {len(trial.ids)} // (N·M) = {k}: "

    def same(some: List[np.ndarray], others: List[np.ndarray]) -> bool:
        return len(some) == len(others) and all((x == other).all() for x, other in zip(some, others))

    if found > 1 and (xs[1][:, :-1] == xs[0][:, 1:]).all():
        raise Wrong(message + "the window moves by one column at a time; it should move by M.")
    if found > 1 and (xs[1] == xs[0]).all():
        raise Wrong(message + "the window does not move.")
    if found == 1 and k > 2:
        raise Wrong(message + ("the yield stands after the loop; it belongs into "
                               "it." if same(xs, expected[-1:]) else
                               "the loop ends after its first round."))
    shorter = [x for x, _ in data.get_batches(trial.ids[:trial.n * trial.m * found], trial.n, trial.m)]
    if found == k - 1 and (same(xs, expected[:-1]) or same(xs, shorter)):
        exact = (f" (A text of exactly K·N·M ids has K windows, so {len(trial.ids)} // {trial.n * trial.m}, "
                 "without taking 1 off.)" if k * trial.n * trial.m == len(trial.ids) else "")
        raise Wrong(f"{message}the last window is missing. It counts too, though no next column follows "
                    f"it.{exact}")
    if same(xs, expected[1:]):
        raise Wrong(message + "the first window is missing.")
    raise Wrong(message + ("too many." if found > k else "too few."))


def _examine_x(xs: np.ndarray, expected: np.ndarray, expected_ys: np.ndarray, trial: Trial) -> None:
    if (xs == expected).all():
        return
    n, m, k = trial.n, trial.m, trial.k
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
    raise Wrong(f"{trial}, window {place}, row {row}, column {column} of x should be arr[{number}], and it is "
                + (f"arr[{int(found[0])}]." if len(found) else f"{xs[place, row, column]}."))


def _examine_y(xs: np.ndarray, ys: np.ndarray, expected: np.ndarray, trial: Trial) -> None:
    if (ys == expected).all():
        return
    need(not (ys == xs).all(), "y is the same as x: it should be x one character later.")
    need(not (ys[:, :, :-1] == xs[:, :, :-1] + 1).all(),
         "y is x + 1, the id plus one. It should be x one character later: the id of the character that follows "
         "in the text, whatever number that is.")
    need(not (ys[:, :, 1:] == xs[:, :, :-1]).all(),
         "y is shifted the wrong way: it should be x one character LATER, so that y[:, 0] is x[:, 1].")
    need(not (ys[:, :-1] == xs[:, 1:]).all(), "y is shifted by a row: it should be shifted by a column.")
    if (ys[:, :, :-1] != expected[:, :, :-1]).any():
        _explain_inner_columns(xs, ys, expected, trial)
    _explain_last_column(xs, ys[:, :, -1], expected[:, :, -1], trial)


def _explain_inner_columns(xs: np.ndarray, ys: np.ndarray, expected: np.ndarray, trial: Trial) -> None:
    need(not (trial.k > 1 and (ys[:-1] == xs[1:]).all()),
         "y is the next window: it should be the same window one column later.")
    need(not (trial.m > 2 and (ys[:, :, :-2] == xs[:, :, 2:]).all()),
         "y is shifted by two columns: it should be one character later.")
    need(not (ys[:-1] == expected[:-1]).all() or trial.k == 1,
         "y of the last window should have 0 in its last column only; the columns before follow x.")
    place, row, column = np.argwhere(ys != expected)[0]
    raise Wrong(f"{trial}, y of window {place} should be {expected[place].tolist()} where x is "
                f"{xs[place].tolist()}, and it is {ys[place].tolist()}.")


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
    message = f"{trial}, the last column of y in the last window must be 0, since no column follows it, and it is "
    starts = xs[0][:, 0]
    text = np.append(trial.ids, -1)[[int(np.flatnonzero(trial.ids == one)) + 1 for one in xs[-1][:, -1]]]
    reasons = [(starts, "the beginning of the same row (np.roll puts it there)"),
               (np.roll(starts, -1), "the beginning of the next row"), (text, "the id that follows in the text"),
               (last[-2] if several else None, "that of the window before: make a new y for each window"),
               (xs[-1][:, -1], "the last column of x again")]
    for wrong, reason in reasons:
        need(wrong is None or not (last[-1] == wrong).all(), message + reason + ".")
    raise Wrong(message + f"{last[-1].tolist()}.")
