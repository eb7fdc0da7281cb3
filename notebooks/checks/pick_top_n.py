"""The check of pick_top_n: which ids it draws, and how often."""

from typing import Any, Callable, Optional, Tuple

import numpy as np

from charrnn.engines.decoding import softmax
from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, Unexplained, all_code, call, expect, need, still_none

SHARES = [0.40, 0.20, 0.10, 0.09, 0.07, 0.05, 0.04, 0.03, 0.02]  # of the ids, in the order of IDS
IDS = [5, 1, 6, 3, 8, 0, 7, 2, 4]
C = len(IDS)
DRAWS = 3000
# half the sum of the differences between shares of DRAWS and the right ones is smaller, almost
# surely
NOISE = 0.05


def examine(answer: Callable) -> Optional[str]:
    """Draw often, with several top_n; return a remark on a right answer, or None."""
    changed = False
    preds = np.array(SHARES)[np.argsort(IDS)]
    for top_n, shape in [
        (3, (1, C)),
        (4, (1, C)),
        (3, (C,)),
        (1, (1, C)),
        (C, (1, C)),
        (None, (1, C)),
    ]:
        shares, changes = draws(answer, preds, shape, *(() if top_n is None else (top_n,)))
        changed = changed or changes
        _compare(shares, top_n, exponential(answer))
    other = draws(answer, preds[::-1], (1, C), 1)[0]
    need(
        other[C - 1 - IDS[0]] == 1,
        "With other predictions it draws as before: draw from preds, not from fixed ids.",
    )
    return CHANGED if changed else None


CHANGED = (
    "(One remark: it changes preds, the array that it was given. np.array(preds) makes a copy.)"
)


def draws(
    answer: Callable, preds: np.ndarray, shape: Any, *arguments: Any
) -> Tuple[np.ndarray, bool]:
    """Return the share of each id among many draws, and whether the predictions were changed.

    The state of NumPy's random numbers is the same afterwards.
    """
    names = {name for code in all_code(answer) for name in code.co_names}
    need(
        not names & {"seed", "RandomState", "default_rng", "set_state"},
        "It sets the seed of the random numbers in each call, so that every draw is the same: leave that out. The "
        "notebook sets it once, before a text is written.",
    )
    before = np.random.get_state()
    np.random.seed(1)
    try:
        counts = np.zeros(C)
        changed = False
        preds = preds.astype(np.float32).reshape(shape)
        for number in range(DRAWS):
            given = preds.copy()
            counts[_drawn(answer, given, number, *arguments)] += 1
            changed = changed or not np.array_equal(given, preds)
        return counts / DRAWS, changed
    finally:
        np.random.set_state(before)


def _drawn(answer: Callable, preds: np.ndarray, number: int, *arguments: Any) -> int:
    """Return what an answer draws once, after a number of draws."""
    one = call(answer, preds, C, *arguments)
    need(
        one is not None or not number,
        "It sometimes returns None: each way through it should end with return i.",
    )
    if one is None:
        with Locals(answer) as seen:
            call(answer, preds, C)
        still_none({name: seen.values[name] for name in ("p", "i") if name in seen.values})
    need(one is not None, "It returns None: it should end with return and the id.")
    need(
        not isinstance(one, (tf.Tensor, tf.Variable)),
        "It returns a tensor, but preds are numbers, and so is the id: use NumPy here, np.argsort and "
        "np.random.choice.",
    )
    need(
        np.ndim(one) == 0,
        f"It should return one id, a number, not {words.describe(one)}"
        + (
            ": take its element [0]."
            if np.size(one) == 1
            else ": the id is what np.random.choice draws with p=p."
        ),
    )
    need(
        isinstance(one, (int, np.integer)) and not isinstance(one, bool),
        f"It should return an id, an int, not {words.describe(one)}"
        + (
            ": int(...) makes one of it."
            if isinstance(one, (float, np.floating)) and one == int(one)
            else ": is it the probability?"
            if isinstance(one, (float, np.floating))
            else "."
        ),
    )
    need(0 <= one < C, f"It should return an id below vocab_size = {C}, but it returned {one}.")
    return int(one)


def exponential(answer: Callable) -> bool:
    """Tell whether an answer takes an exponential, but no logarithm before it."""
    names = {name for code in all_code(answer) for name in code.co_names}
    return bool(names & {"exp", "softmax"}) and not names & {"log", "log2", "log10"}


def _compare(found: np.ndarray, top_n: Optional[int], powers: bool) -> None:
    """Raise Wrong where the ids that are drawn, or their shares, are not right."""
    number = top_n or 5
    right = np.zeros(C)
    right[IDS[:number]] = SHARES[:number]
    right /= right.sum()
    ids = np.flatnonzero(right).tolist()
    others = np.flatnonzero(found).tolist()
    need(
        others != IDS[:1] or number == 1,
        "It always returns the most probable id, so that the text would soon repeat itself: draw with "
        "np.random.choice and the probabilities p.",
    )
    p = np.array(SHARES)[np.argsort(IDS)] * (right > 0)
    need(
        not powers
        or all(
            np.abs(found - softmax(np.where(p > 0, one, rest))).sum() / 2 > NOISE
            for one in (p, right)
            for rest in (0.0, -np.inf)
        ),
        "There is a softmax too many: preds are probabilities already. Divide those that are left by their sum.",
    )
    where = f"With {'the default top_n = 5' if top_n is None else f'top_n = {top_n}'} of {C} ids"
    need(
        number == C or np.abs(found - 1 / C).sum() / 2 > NOISE,
        f"{where}, all {C} are drawn equally often: give np.random.choice the probabilities, p=p.",
    )
    expect(
        ids == others,
        f"{where}, the most probable ids are {ids}, and only these should be drawn, but {others} are: set all other "
        "probabilities to zero. np.argsort gives the ids from the least to the most probable."
        + (
            " Do you return a place among the most probable, not an id?"
            if others == [*range(number)]
            else ""
        ),
    )
    if np.abs(found - right).sum() / 2 > NOISE:
        equal = np.abs(found - (right > 0) / number).sum() / 2 < NOISE
        need(
            not equal,
            f"{where}, all {number} are drawn equally often: give np.random.choice their probabilities, "
            "p=p.",
        )
        worst = int(np.abs(found - right).argmax())
        raise Unexplained(
            f"{where}, id {worst} should be drawn in {100 * right[worst]:.0f}% of the cases, but it is "
            f"in {100 * found[worst]:.0f}%: draw each with its probability, divided by the sum of those "
            "that are left."
        )
