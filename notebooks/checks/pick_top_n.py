"""The check of pick_top_n: which ids it draws, and how often."""
from typing import Any, Callable, Optional, Tuple

import numpy as np

from . import words
from .answer import Locals, Unexplained, call, expect, need, still_none

HINTS = (
    "Work on a copy of the predictions, as a vector [C]. np.argsort gives the ids from the least to the most probable: "
    "all but its last top_n are set to zero. Then the rest is divided by its sum, and np.random.choice draws.",
    "p[np.argsort(p)[:-top_n]] = 0 keeps the top_n largest. After p /= p.sum() the probabilities sum to 1 again.",
    "Nearly all of it:\n"
    "    p = np.array(preds).ravel()\n"
    "    p[np.argsort(p)[:-top_n]] = 0\n"
    "    p /= p.sum()\n"
    "    ... = int(np.random.choice(vocab_size, p=p))",
)
SHARES = [0.40, 0.20, 0.10, 0.09, 0.07, 0.05, 0.04, 0.03, 0.02]  # of the ids, in the order of IDS
IDS = [5, 1, 6, 3, 8, 0, 7, 2, 4]
C = len(IDS)
DRAWS = 3000
NOISE = 0.05  # half the sum of the differences between shares of DRAWS and the right ones is smaller, almost surely


def examine(answer: Callable) -> Optional[str]:
    """Draw often, with several top_n; return a remark on a right answer, or None."""
    changed = False
    for top_n, shape in [(3, (1, C)), (4, (1, C)), (3, (C,)), (1, (1, C)), (C, (1, C)), (None, (1, C))]:
        shares, changes = _draws(answer, top_n, shape)
        changed = changed or changes
        _compare(shares, top_n)
    return ("(One remark: it changes preds, the array that it was given. np.array(preds) makes a copy.)"
            if changed else None)


def _draws(answer: Callable, top_n: Optional[int], shape: Any) -> Tuple[np.ndarray, bool]:
    """Return the share of each id among many draws, and whether the predictions were changed.

    The state of NumPy's random numbers is the same afterwards.
    """
    before = np.random.get_state()
    np.random.seed(1)
    try:
        counts, changed = np.zeros(C), False
        preds = np.array(SHARES, np.float32)[np.argsort(IDS)].reshape(shape)
        for _ in range(DRAWS):
            given = preds.copy()
            counts[_drawn(answer, given, top_n)] += 1
            changed = changed or not np.array_equal(given, preds)
        return counts / DRAWS, changed
    finally:
        np.random.set_state(before)


def _drawn(answer: Callable, preds: np.ndarray, top_n: Optional[int]) -> int:
    """Return what an answer draws once."""
    one = call(answer, preds, C, *(() if top_n is None else (top_n,)))
    if one is None:
        with Locals(answer) as seen:
            call(answer, preds, C)
        still_none({name: seen.values[name] for name in ("p", "i") if name in seen.values})
    need(one is not None, "It returns None: it should end with return and the id.")
    need(np.ndim(one) == 0, f"It should return one id, a number, not {words.describe(one)}: take its element [0].")
    need(isinstance(one, (int, np.integer)) and not isinstance(one, bool),
         f"It should return an id, an int, not {words.describe(one)}"
         + (": is it the probability?" if isinstance(one, (float, np.floating)) else "."))
    need(0 <= one < C, f"It should return an id below vocab_size = {C}, but it returned {one}.")
    return int(one)


def _compare(found: np.ndarray, top_n: Optional[int]) -> None:
    """Raise Wrong where the ids that are drawn, or their shares, are not right."""
    number = top_n or 5
    right = np.zeros(C)
    right[IDS[:number]] = SHARES[:number]
    right /= right.sum()
    ids, others = np.flatnonzero(right).tolist(), np.flatnonzero(found).tolist()
    need(others != IDS[:1] or number == 1,
         "It always returns the most probable id, so that the text would soon repeat itself: draw with "
         "np.random.choice and the probabilities p.")
    where = f"With {'the default top_n = 5' if top_n is None else f'top_n = {top_n}'} of {C} ids"
    expect(ids == others,
           f"{where}, the most probable ids are {ids}, and only these should be drawn, but {others} are: set all other "
           "probabilities to zero. np.argsort gives the ids from the least to the most probable."
           + (" Do you return a place among the most probable, not an id?" if others == [*range(number)] else ""))
    if np.abs(found - right).sum() / 2 > NOISE:
        equal = np.abs(found - (right > 0) / number).sum() / 2 < NOISE
        need(not equal, f"{where}, all {number} are drawn equally often: give np.random.choice their probabilities, "
                        "p=p.")
        worst = int(np.abs(found - right).argmax())
        raise Unexplained(f"{where}, id {worst} should be drawn in {100 * right[worst]:.0f}% of the cases, but it is "
                          f"in {100 * found[worst]:.0f}%: draw each with its probability, divided by the sum of those "
                          "that are left.")
