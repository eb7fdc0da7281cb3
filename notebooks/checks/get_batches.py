"""The check of get_batches: what it yields for texts of random ids, and how."""

from itertools import islice
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from . import words
from .answer import Locals, Wrong, exception, need, still_none
from .windows import LIMIT, UNSET, Trial, examine_shape, examine_windows


def trials() -> List[Tuple[Trial, str]]:
    """Make texts of random ids, the first one small, and what to say where only this one fails."""
    random = np.random.RandomState(3)

    def trial(n: int, m: int, k: int, tail: int) -> Trial:
        return Trial(random.permutation(np.arange(1, n * m * k + tail + 1)).astype(np.int32), n, m)

    first = trial(2, 3, 5, 4)
    sizes = [(random.randint(2, 6), random.randint(2, 7), random.randint(1, 6)) for _ in range(6)]
    others = [
        trial(3, 2, 4, 0),
        *(trial(n, m, k, random.randint(0, n * m)) for n, m, k in sizes),
        trial(4, 3, 1, 0),
    ]
    repeated = Trial(random.randint(0, 4, size=31).astype(np.int32), 2, 3)
    return [(first, ""), *((one, f"{first} it is right, but not always. ") for one in others)] + [
        (one, f"Right in the other trials, but not {where}. ")
        for one, where in [
            (trial(2, 3, 0, 5), "where a text is shorter than N·M, which should yield nothing"),
            (repeated, "where an id occurs again or is 0: go by places, not by values"),
            (trial(1, 4, 3, 1), "where batch_size is 1"),
            (trial(3, 1, 4, 1), "where n_steps is 1"),
        ]
    ]


def examine(answer: Callable) -> Optional[str]:
    """Try the generator on each text; return a remark on a right answer, or None."""
    for trial, where in trials():
        try:
            _examine_trial(answer, trial)
        except Wrong as wrong:
            raise type(wrong)(where + str(wrong))
    wide = trial._replace(ids=trial.ids.astype(np.int64))
    if any(array.dtype != np.int64 for batch in _collect(answer, wide)[0] for array in batch):
        return "(One remark: the dtype is fixed, so ids of another type than int32 would not keep their type.)"
    return None


def _examine_trial(answer: Callable, trial: Trial) -> None:
    batches, n_windows, again = _collect(answer, trial)
    none = (
        trial.k
        and len(trial.ids) == trial.n * trial.m * trial.k
        and not any(np.size(x) for x, _ in batches)
    )
    need(
        not none,
        "Nothing is left over here, and arr[:-0] is empty: keep arr[:N·M·K], the first N·M·K ids.",
    )
    try:
        examine_windows(batches, trial)
        need(
            not again,
            "It yields the same array each time, filled with other numbers, so a batch changes after it "
            "was yielded: make a new array in each round, as np.zeros_like(x) does.",
        )
    except Wrong as wrong:
        raise type(wrong)(f"{_count(n_windows, trial)}{wrong}")


def _count(n_windows: Any, trial: Trial) -> str:
    """Say that the reader's n_windows is not the number of windows, or return an empty string."""
    wrong = isinstance(n_windows, (int, float)) and n_windows != trial.k
    return (
        f"n_windows is {n_windows}, but K = {len(trial.ids)} // (N·M) = {trial.k}. "
        if wrong
        else ""
    )


def _collect(
    answer: Callable, trial: Trial
) -> Tuple[List[Tuple[np.ndarray, np.ndarray]], Any, bool]:
    """Return copies of the pairs that the reader's generator yields, at most LIMIT, the reader's n_windows, and whether
    the arrays changed after they were yielded."""
    ids = trial.ids.copy()
    shared = False
    error = None
    kept: List[Tuple[Any, Any]] = []
    copies: List[Tuple[Any, Any]] = []
    seen = Locals(answer)
    try:
        with seen:
            result = answer(ids, trial.n, trial.m)
            need(
                hasattr(result, "__next__"),
                f"It returns {words.describe(result)}: it should be a generator, with "
                "yield x, y in its loop in place of a return.",
            )
            _use_memory(trial)
            for batch in islice(result, LIMIT):
                x, y = _pair(batch)
                shared = shared or x is y
                kept.append((x, y))
                copies.append(
                    tuple(one.copy() if isinstance(one, np.ndarray) else one for one in (x, y))
                )
                _use_memory(trial)
    except Exception as raised:
        error = raised
    if error or not copies:
        still_none({name: seen.values.get(name, name) for name in ("n_windows", "rows", "x", "y")})
    if error:
        raise (
            error
            if isinstance(error, Wrong)
            else Wrong(_raised(error, answer, trial, seen.values, len(copies)))
        )
    need(
        ids.shape == trial.ids.shape,
        "It changes the shape of arr: work on a part of it, arr[:...].reshape(...).",
    )
    need(
        (ids == trial.ids).all() and not shared,
        "It writes into x: y is the same array, or x is a view of arr. Make y an array of its own, for example "
        "y = np.zeros_like(x).",
    )
    return (
        copies,
        seen.values.get("n_windows"),
        not all(map(np.array_equal, sum(kept, ()), sum(copies, ()))),
    )


def _use_memory(trial: Trial) -> None:
    """Leave numbers in the memory that np.empty will get."""
    for used in [np.full((trial.n, trial.m), UNSET, trial.ids.dtype) for _ in range(9)]:
        del used


def _raised(
    error: Exception, answer: Callable, trial: Trial, local: Dict[str, Any], place: int
) -> str:
    """Say what was raised in a window; raise Wrong where its cause shows in the reader's variables."""
    if isinstance(local.get("x"), np.ndarray):
        examine_shape("x", local["x"].shape, place, trial)
    if (
        trial.k
        and len(trial.ids) == trial.n * trial.m * trial.k
        and np.size(local.get("rows", 1)) == 0
    ):
        raise Wrong(
            "Nothing is left over here, and arr[:-0] is empty: keep arr[:N·M·K], the first N·M·K ids."
        )
    message = (
        f"{_count(local.get('n_windows'), trial)}Called with (an int32 array [{len(trial.ids)}], {trial.n}, "
        f"{trial.m}) it raised {exception(error, answer)}"
    )
    if "reshape" in str(error):
        message += (
            "\nOnly N·M·K ids make whole rows, with K = len(arr) // (N·M): cut arr to those, then "
            "reshape((batch_size, -1)) makes rows of M·K of them."
        )
    if (isinstance(error, IndexError) or "broadcast" in str(error)) and place == trial.k - 1 > 0:
        message += "\nThis happens in the last window. No column follows it, so the last column of its y stays 0."
    return message


def _pair(batch: Any) -> Any:
    need(
        (isinstance(batch, (tuple, list)) or np.ndim(batch) == 3) and len(batch) == 2,
        f"It should yield pairs x, y, not {words.describe(batch)}.",
    )
    still_none({"x": batch[0], "y": batch[1]})
    return batch
