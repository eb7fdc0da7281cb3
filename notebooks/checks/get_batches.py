"""The check of get_batches: what it yields for texts of random ids, and how."""

from itertools import islice
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from . import words
from .answer import Locals, Raised, Wrong, exception, need, still_none
from .windows import LIMIT, UNSET, Batches, Trial, examine_shape, examine_windows

NOTHING_LEFT_OVER = (
    "Nothing is left over here, and arr[:-0] is empty: keep arr[:N·M·K], the first N·M·K ids."
)


class Collected(NamedTuple):
    """What a generator yielded: copies of its pairs, its n_windows, and whether the arrays changed later."""

    batches: Batches
    n_windows: Any
    changed: bool


def trials() -> List[Tuple[Trial, str]]:
    """Make texts of random ids, the first one small, and what to say where only this one fails."""
    random = np.random.RandomState(3)

    def trial(n: int, m: int, k: int, tail: int) -> Trial:
        """Return a text of K windows and some ids more, all of them different."""
        ids = random.permutation(np.arange(1, n * m * k + tail + 1))
        return Trial(ids.astype(np.int32), n, m)

    first = trial(n=2, m=3, k=5, tail=4)
    sizes = [(random.randint(2, 6), random.randint(2, 7), random.randint(1, 6)) for _ in range(6)]
    others = [trial(n=3, m=2, k=4, tail=0)]
    others += [trial(n, m, k, tail=random.randint(0, n * m)) for n, m, k in sizes]
    others.append(trial(n=4, m=3, k=1, tail=0))
    repeated = Trial(random.randint(0, 4, size=31).astype(np.int32), 2, 3)
    special = [
        (
            trial(n=2, m=3, k=0, tail=5),
            "where a text is shorter than N·M, which should yield nothing",
        ),
        (repeated, "where an id occurs again or is 0: go by places, not by values"),
        (trial(n=1, m=4, k=3, tail=1), "where batch_size is 1"),
        (trial(n=3, m=1, k=4, tail=1), "where n_steps is 1"),
    ]
    return [
        (first, ""),
        *((other, f"{first} it is right, but not always. ") for other in others),
        *((other, f"Right in the other trials, but not {where}. ") for other, where in special),
    ]


def examine(answer: Callable) -> Optional[str]:
    """Try the generator on each text; return a remark on a right answer, or None."""
    for trial, where in trials():
        try:
            _examine_trial(answer, trial)
        except Wrong as wrong:
            raise type(wrong)(f"{where}{wrong}")

    wide = trial._replace(ids=trial.ids.astype(np.int64))
    for x, y in _collect(answer, wide).batches:
        if x.dtype != np.int64 or y.dtype != np.int64:
            return "(One remark: the dtype is fixed, so ids of another type than int32 would not keep their type.)"
    return None


def _examine_trial(answer: Callable, trial: Trial) -> None:
    batches, n_windows, changed = _collect(answer, trial)
    if trial.is_full:
        need(any(np.size(x) for x, _ in batches), NOTHING_LEFT_OVER)
    try:
        need(
            not changed,
            "It yields the same array each time, filled with other numbers, so a batch changes after it "
            "was yielded: make a new array in each round, as np.zeros_like(x) does.",
        )
        examine_windows(batches, trial)
    except Wrong as wrong:
        raise type(wrong)(f"{_wrong_count(n_windows, trial)}{wrong}")


def _wrong_count(n_windows: Any, trial: Trial) -> str:
    """Say that the reader's n_windows is not the number of windows, or return an empty string."""
    if not isinstance(n_windows, (int, float)) or n_windows == trial.k:
        return ""
    return f"n_windows is {n_windows}, but K = {len(trial.ids)} // (N·M) = {trial.k}. "


def _collect(answer: Callable, trial: Trial) -> Collected:
    """Return what the reader's generator yields, at most LIMIT pairs."""
    ids = trial.ids.copy()
    yielded: List[Any] = []  # x, y, x, y ...
    copies: List[Any] = []
    error = None
    local = Locals(answer)

    try:
        with local:
            generator = answer(ids, trial.n, trial.m)
            need(
                hasattr(generator, "__next__"),
                f"It returns {words.describe(generator)}: it should be a generator, with "
                "yield x, y in its loop in place of a return.",
            )
            _use_memory(trial)
            for batch in islice(generator, LIMIT):
                _examine_pair(batch)
                yielded.extend(batch)
                copies.extend(map(_copied, batch))
                _use_memory(trial)
    except Exception as raised:
        error = raised

    if error or not copies:
        names = ("n_windows", "rows", "x", "y")
        still_none({name: local.values.get(name, name) for name in names})
    if isinstance(error, Wrong):
        raise error
    if error:
        raise Raised(_raised(error, answer, trial, local, place=len(copies) // 2))
    need(
        ids.shape == trial.ids.shape,
        "It changes the shape of arr: work on a part of it, arr[:...].reshape(...).",
    )

    is_shared = any(x is y for x, y in zip(yielded[::2], yielded[1::2]))
    need(
        not is_shared,
        "x and y are the same array, so what is written into one stands in both: make y an array of its own, for "
        "example y = np.zeros_like(x).",
    )
    need(
        np.array_equal(ids, trial.ids),
        "It writes into arr, of which rows and x are views: make y an array of its own, for example "
        "y = np.zeros_like(x).",
    )
    return Collected(
        batches=list(zip(copies[::2], copies[1::2])),
        n_windows=local.values.get("n_windows"),
        changed=not all(map(np.array_equal, yielded, copies)),
    )


def _copied(array: Any) -> Any:
    return array.copy() if isinstance(array, np.ndarray) else array


def _use_memory(trial: Trial) -> None:
    """Leave numbers in the memory that np.empty will get."""
    used = [np.full((trial.n, trial.m), UNSET, trial.ids.dtype) for _ in range(9)]
    del used


def _raised(error: Exception, answer: Callable, trial: Trial, local: Locals, place: int) -> str:
    """Say what was raised in a window; raise Wrong where its cause shows in the reader's variables."""
    x = local.values.get("x")
    if isinstance(x, np.ndarray):
        examine_shape("x", x.shape, place, trial)
    if trial.is_full:
        need(np.size(local.values.get("rows", 1)), NOTHING_LEFT_OVER)

    message = (
        f"{_wrong_count(local.values.get('n_windows'), trial)}Called with (an int32 array [{len(trial.ids)}], "
        f"{trial.n}, {trial.m}) it raised {exception(error, answer)}"
    )
    if "reshape" in str(error):
        message += (
            "\nOnly N·M·K ids make whole rows, with K = len(arr) // (N·M): cut arr to those, then "
            "reshape((batch_size, -1)) makes rows of M·K of them."
        )
    is_out_of_place = isinstance(error, IndexError) or "broadcast" in str(error)
    if is_out_of_place and place == trial.k - 1 > 0:
        message += "\nThis happens in the last window. No column follows it, so the last column of its y stays 0."
    return message


def _examine_pair(batch: Any) -> None:
    need(
        (isinstance(batch, (tuple, list)) or np.ndim(batch) == 3) and len(batch) == 2,
        f"It should yield pairs x, y, not {words.describe(batch)}.",
    )
    x, y = batch
    still_none({"x": x, "y": y})
