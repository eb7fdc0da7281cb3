"""The check of pick_top_n: which ids it draws, and how often."""

from typing import Any, Callable, List, Optional, Tuple
from unittest import mock

import numpy as np

from charrnn.engines.decoding import softmax
from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, Unexplained, Wrong, call, expect, names_in, need, still_none

# the ids, from the most probable one
IDS = [5, 1, 6, 3, 8, 0, 7, 2, 4]
# their probabilities
SHARES = [0.40, 0.20, 0.10, 0.09, 0.07, 0.05, 0.04, 0.03, 0.02]
SHARES_BY_ID = np.array(SHARES)[np.argsort(IDS)]  # [C]
C = len(IDS)
DRAWS = 3000
# half the sum of the differences between shares of DRAWS and the right ones is smaller, almost surely
NOISE = 0.05
# powers that are looked for in place of the probabilities themselves
POWERS = (1 / 3, 1 / 2, 2, 3)
SEEDED = (
    "It sets the seed of the random numbers in each call, so that every draw is the same: leave that out. The "
    "notebook sets it once, before a text is written."
)
CHANGED = (
    "(One remark: it changes preds, the array that it was given. np.array(preds) makes a copy.)"
)


def examine(answer: Callable) -> Optional[str]:
    """Draw often, with several top_n; return a remark on a right answer, or None."""
    remark = None
    for top_n, shape in [
        (3, (1, C)),
        (4, (1, C)),
        (3, (C,)),
        (1, (1, C)),
        (C, (1, C)),
        (None, (1, C)),
    ]:
        arguments = () if top_n is None else (top_n,)
        actual, changed = draws(answer, SHARES_BY_ID, shape, *arguments)
        if changed:
            remark = CHANGED
        _compare(actual, top_n, exponential(answer))

    shares, _ = draws(answer, SHARES_BY_ID[::-1], (1, C), 1)
    need(
        shares[C - 1 - IDS[0]] == 1,
        "With other predictions it draws as before: draw from preds, not from fixed ids.",
    )
    return remark


def draws(
    answer: Callable, preds: np.ndarray, shape: Any, *arguments: Any
) -> Tuple[np.ndarray, bool]:
    """Return the share of each id among many draws, and whether the predictions were changed.

    The state of NumPy's random numbers is the same afterwards.
    """
    need(not names_in(answer) & {"seed", "RandomState", "set_state"}, SEEDED)
    unseeded = _unseeded(np.random.default_rng)
    before = np.random.get_state()
    np.random.seed(1)
    try:
        counts = np.zeros(C)
        changed = False
        preds = preds.astype(np.float32).reshape(shape)
        with mock.patch.object(np.random, "default_rng", unseeded):
            for number in range(DRAWS):
                copy = preds.copy()
                counts[_drawn(answer, copy, number, *arguments)] += 1
                changed = changed or not np.array_equal(copy, preds)
        return counts / DRAWS, changed
    finally:
        np.random.set_state(before)


def _unseeded(maker: Callable) -> Callable:
    """Return a function that makes a generator of random numbers, but not one with a seed."""

    def unseeded(*seed: Any, **seed_by_name: Any) -> Any:
        need(not seed and not seed_by_name, SEEDED)
        return maker()

    return unseeded


def _drawn(answer: Callable, preds: np.ndarray, number: int, *arguments: Any) -> int:
    """Return what an answer draws once, after a number of draws."""
    drawn = call(answer, preds, C, *arguments)
    need(
        drawn is not None or number == 0,
        "It sometimes returns None: each way through it should end with return i.",
    )

    if drawn is None:
        with Locals(answer) as local:
            call(answer, preds, C)
        still_none(local.among("p", "i"))
    need(drawn is not None, "It returns None: it should end with return and the id.")
    need(
        not isinstance(drawn, (tf.Tensor, tf.Variable)),
        "It returns a tensor, but preds are numbers, and so is the id: use NumPy here, np.argsort and "
        "np.random.choice.",
    )

    if np.ndim(drawn):
        advice = "the id is what np.random.choice draws with p=p."
        if np.size(drawn) == 1:
            advice = "take its element [0]."
        raise Wrong(f"It should return one id, a number, not {words.describe(drawn)}: {advice}")
    if not isinstance(drawn, (int, np.integer)) or isinstance(drawn, bool):
        raise Wrong(
            f"It should return an id, an int, not {words.describe(drawn)}{_advice_on_float(drawn)}"
        )
    need(0 <= drawn < C, f"It should return an id below vocab_size = {C}, but it returned {drawn}.")
    return int(drawn)


def _advice_on_float(drawn: Any) -> str:
    if not isinstance(drawn, (float, np.floating)):
        return "."
    if drawn == int(drawn):
        return ": int(...) makes one of it."
    return ": is it the probability?"


def exponential(answer: Callable) -> bool:
    """Tell whether an answer takes an exponential, but no logarithm before it."""
    names = names_in(answer)
    return bool(names & {"exp", "softmax"}) and not names & {"log", "log2", "log10"}


def normalized(values: np.ndarray) -> np.ndarray:
    """Return values divided by their sum."""
    return values / values.sum()


def alike(shares: np.ndarray, others: np.ndarray) -> bool:
    """Tell whether shares of ids could differ by chance alone."""
    return np.abs(shares - others).sum() / 2 <= NOISE


def _compare(actual: np.ndarray, top_n: Optional[int], is_exponential: bool) -> None:
    """Raise Wrong where the ids that are drawn, or their shares, are not right."""
    number = top_n or 5
    kept = np.zeros(C)
    kept[IDS[:number]] = SHARES[:number]
    expected = normalized(kept)
    ids = np.flatnonzero(actual).tolist()
    need(
        ids != IDS[:1] or number == 1,
        "It always returns the most probable id, so that the text would soon repeat itself: keep the probabilities "
        "of all top_n, and draw with np.random.choice and p=p.",
    )

    if is_exponential:
        need(
            not any(alike(actual, shares) for shares in _after_softmax(kept)),
            "There is a softmax too many: preds are probabilities already. Divide those that are left by their sum.",
        )
    where = f"With top_n = {top_n} of {C} ids"
    if top_n is None:
        where = f"With the default top_n = 5 of {C} ids"
    need(
        number == C or not alike(actual, np.full(C, 1 / C)),
        f"{where}, all {C} are drawn equally often: give np.random.choice the probabilities, p=p.",
    )

    _compare_ids(ids, number, where)
    if alike(actual, expected):
        return

    need(
        not alike(actual, (expected > 0) / number),
        f"{where}, all {number} are drawn equally often: give np.random.choice their probabilities, "
        "p=p.",
    )

    chances = [normalized(kept**power) for power in POWERS]
    need(
        not any(alike(actual, shares) for shares in chances),
        f"{where}, the right ids are drawn, but each with another function of its probability, such as a root or a "
        "square: divide the probabilities themselves by the sum of those that are left.",
    )
    is_flatter = (
        actual.max() < expected.max() - NOISE / 2 and actual[ids].min() > expected[ids].min()
    )
    need(
        not is_flatter,
        f"{where}, the less probable of the ids that are left are drawn too often: is something added to the "
        "probabilities? Divide them as they are by their sum.",
    )
    worst = int(np.abs(actual - expected).argmax())
    raise Unexplained(
        f"{where}, id {worst} should be drawn in {100 * expected[worst]:.0f}% of the cases, but it is "
        f"in {100 * actual[worst]:.0f}%: draw each with its probability, divided by the sum of those "
        "that are left."
    )


def _compare_ids(ids: List[int], number: int, where: str) -> None:
    expected = sorted(IDS[:number])
    question = ""
    if ids == list(range(number)):
        question = " Do you return a place among the most probable, not an id?"
    elif ids == sorted(IDS[:5]):
        question = " Is top_n used? Five ids are drawn, whatever it is."
    need(
        ids != sorted(IDS[-number:]) or number == C,
        f"{where}, the least probable ones are drawn. np.argsort gives the ids from the least to the most "
        "probable: the last top_n are to be kept.",
    )
    need(
        ids != sorted(IDS[number:]),
        f"{where}, the most probable ones are set to zero: it is the others that have to be.",
    )
    need(
        ids != list(range(C - number, C)) or number == C,
        f"{where}, the ids {ids} are drawn, the last places of the array. np.argsort tells which ids are probable.",
    )
    never = sorted(set(range(C)) - set(ids))
    need(
        never not in (IDS[-1:], sorted(IDS[-number:])) or number == C,
        f"{where}, only the least probable are never drawn, {never}: all but the top_n most probable are to be set to "
        "zero, np.argsort(p)[:-top_n].",
    )
    expect(
        ids == expected,
        f"{where}, the most probable ids are {expected}, and only these should be drawn, but {ids} are: set all other "
        f"probabilities to zero. np.argsort gives the ids from the least to the most probable.{question}",
    )


def _after_softmax(kept: np.ndarray) -> List[np.ndarray]:
    """Return what a softmax makes of the probabilities that are kept, with zeros in place of the others, or without."""
    shares = []
    for p in (kept, normalized(kept)):
        shares.append(softmax(p))
        shares.append(softmax(np.where(p > 0, p, -np.inf)))
    return shares
