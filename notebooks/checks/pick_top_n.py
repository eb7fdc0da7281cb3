"""The check of pick_top_n: how often it draws each id, compared with what typical mistakes draw."""
from typing import Any, Callable, List, NamedTuple, Optional

import numpy as np

from . import words
from .answer import Locals, Wrong, call, need, still_none
from .sessions import advised

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
KEEP = "p[np.argsort(p)[:-top_n]] = 0"
DRAW = "np.random.choice(vocab_size, p=p)"
SOLUTION = f"""
def pick_top_n(preds, vocab_size, top_n=5):
    p = np.array(preds).ravel()
    {KEEP}
    p /= p.sum()
    return int({DRAW})
"""
# What typical mistakes have in place of a piece of the solution, by what to say to them. A test puts each of them into
# the solution.
MISTAKES = {
    "It always returns the most probable id, so that the text would soon repeat itself: draw with np.random.choice and "
    "the probabilities p.": [(DRAW, "np.argmax(p)")],
    "All ids are drawn: set the probabilities of all but the top_n largest to zero.": [(KEEP, "pass")],
    "The LEAST probable ids are kept: np.argsort sorts from the smallest to the largest.":
        [(KEEP, "p[np.argsort(p)[top_n:]] = 0"), (KEEP, "p[np.argsort(-p)[:-top_n]] = 0")],
    "The most probable ids are left out: they are what should be kept.":
        [(KEEP, "p[np.argsort(p)[-top_n:]] = 0"), (KEEP, "p[np.argsort(-p)[:top_n]] = 0")],
    "The top_n ids are drawn equally often: give np.random.choice their probabilities, p=p.":
        [(DRAW, "np.random.choice(np.flatnonzero(p))"), (KEEP, f"{KEEP}; p[p > 0] = 1")],
    "All ids are drawn equally often: give np.random.choice the probabilities, p=p.":
        [(DRAW, "np.random.choice(vocab_size)")],
    "The minus is missing: [:-top_n] is all but the last top_n.": [(KEEP, "p[np.argsort(p)[:top_n]] = 0")],
    "One id too few is kept: [:-top_n] is all but the last top_n.":
        [(KEEP, "p[np.argsort(p)[:len(p) - top_n + 1]] = 0")],
    "One id too many is kept: [:-top_n] is all but the last top_n.": [(KEEP, "p[np.argsort(p)[:-top_n - 1]] = 0")],
    "Five ids are kept, whatever top_n is: use the argument.": [(KEEP, "p[np.argsort(p)[:-5]] = 0")],
    "It returns a place among the top_n, not an id: which id has this place?":
        [(DRAW, "np.random.choice(top_n, p=np.sort(p)[::-1][:top_n])"),
         (DRAW, "np.random.choice(top_n, p=np.sort(p)[-top_n:])"),
         (DRAW, "np.random.choice(top_n, p=p[p > 0])")],
    "The ids and their probabilities are in different orders: np.argsort gives ids, np.sort the probabilities.":
        [(DRAW, "np.random.choice(np.argsort(p)[-top_n:], p=np.sort(p)[::-1][:top_n])")],
    "A softmax is taken again: preds are probabilities already.":
        [(KEEP, f"p = np.exp(p); {KEEP}"), (KEEP, f"{KEEP}; p[p > 0] = np.exp(p[p > 0])"),
         (KEEP, f"{KEEP}; p = np.exp(p)")],
    "The first or the last ids of the vocabulary are kept, whatever their probabilities: np.argsort tells which ids "
    "are the most probable.": [(KEEP, "p[top_n:] = 0"), (KEEP, "p[:-top_n] = 0")],
}
ADVICE = {  # on exceptions
    "do not sum to 1": "Divide p by its sum after the small ones are set to zero.",
    "1-dimensional": "preds is [1, C]: np.array(preds).ravel() is [C].",
    "same size": "Give it all C probabilities, with zeros, or the ids that they belong to.",
    "out of bounds": "preds is [1, C]: np.array(preds).ravel() is [C].",
}
SHARES = [0.40, 0.20, 0.10, 0.09, 0.07, 0.05, 0.04, 0.03, 0.02]  # of the ids, in the order of IDS
IDS = [5, 1, 6, 3, 8, 0, 7, 2, 4]
C = len(IDS)
DRAWS = 3000
NOISE = 0.05  # half the sum of the differences between shares of DRAWS and the right ones is smaller, almost surely


class Draws(NamedTuple):
    """The shares of the ids among the draws of an answer, and whether the predictions were changed."""

    shares: np.ndarray
    changed: bool


def examine(answer: Callable) -> Optional[str]:
    """Draw often, with several top_n; return a remark on a right answer, or None."""
    changed = False
    for top_n, shape in [(3, (1, C)), (4, (1, C)), (3, (C,)), (1, (1, C)), (C, (1, C)), (None, (1, C))]:
        found = draws(answer, top_n, shape)
        changed = changed or found.changed
        right = np.array([share if place < (top_n or 5) else 0 for place, share in enumerate(SHARES)])
        right = (right / right.sum())[np.argsort(IDS)]
        if _distance(found.shares, right) > NOISE:
            _name_mistake(found.shares, top_n, shape)
            raise Wrong(_difference(found.shares, right, top_n))
    return ("(One remark: it changes preds, the array that it was given. np.array(preds) makes a copy.)"
            if changed else None)


def draws(answer: Callable, top_n: Optional[int], shape: Any, number: int = DRAWS) -> Draws:
    """Draw with an answer; the state of NumPy's random numbers is the same afterwards."""
    before = np.random.get_state()
    np.random.seed(1)
    try:
        counts, changed = np.zeros(C), False
        preds = np.array(SHARES, np.float32)[np.argsort(IDS)].reshape(shape)
        for _ in range(number):
            given = preds.copy()
            counts[_drawn(answer, given, top_n)] += 1
            changed = changed or not np.array_equal(given, preds)
        return Draws(counts / number, changed)
    finally:
        np.random.set_state(before)


def _drawn(answer: Callable, preds: np.ndarray, top_n: Optional[int]) -> int:
    """Return what an answer draws once."""
    try:
        one = call(answer, preds, C, *(() if top_n is None else (top_n,)))
    except Wrong as wrong:
        raise Wrong(advised(str(wrong), ADVICE)) from None
    if one is None:
        with Locals(answer) as seen:
            call(answer, preds, C)
        still_none({name: seen.values[name] for name in ("p", "i") if name in seen.values})
        raise Wrong("It returns None: it should end with return and the id.")
    need(np.ndim(one) == 0, f"It should return one id, a number, not {words.describe(one)}: take its element [0].")
    need(isinstance(one, (int, np.integer)) and not isinstance(one, bool),
         f"It should return an id, an int, not {words.describe(one)}"
         + (": is it the probability?" if isinstance(one, (float, np.floating)) else "."))
    need(0 <= one < C, f"It should return an id below vocab_size = {C}, but it returned {one}.")
    return int(one)


def _distance(some: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(some - others).sum() / 2)


def _name_mistake(found: np.ndarray, top_n: Optional[int], shape: Any) -> None:
    """Raise Wrong with the typical mistake that draws the same; of several the one that comes nearest."""
    near: List[Any] = []
    for message, pieces in MISTAKES.items():
        for old, new in pieces:
            scope = {"np": np}
            exec(SOLUTION.replace(old, new), scope)
            near.append((_distance(found, draws(scope["pick_top_n"], top_n, shape).shares), len(near), message))
    distance, _, message = min(near)
    need(distance > NOISE, message)


def _difference(found: np.ndarray, right: np.ndarray, top_n: Optional[int]) -> str:
    """Say which id is drawn too often or too rarely."""
    worst = int(np.abs(found - right).argmax())
    kept = "the default top_n = 5" if top_n is None else f"top_n = {top_n}"
    return (f"With {kept} of {C} ids, id {worst} should be drawn in {100 * right[worst]:.0f}% of the cases, but it is "
            f"in {100 * found[worst]:.0f}%: keep the {kept.split()[-1]} most probable ids, and draw one with its "
            "probability divided by the sum of theirs.")
