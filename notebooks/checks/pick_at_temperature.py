"""The check of pick_at_temperature: how often it draws each id, at several temperatures."""

from typing import Callable, Optional

import numpy as np

from charrnn.engines.decoding import softmax

from . import words
from .answer import Unexplained, Wrong, names_in, need
from .pick_top_n import CHANGED, DRAWS, NOISE, SHARES_BY_ID, alike, draws, exponential, normalized

# What typical mistakes make of probabilities p at the temperature t, by what to say to them. The shares are these
# values, divided by their sum.
MISTAKES = words.mistakes("pick_at_temperature")
# two likely ids, one a little likelier: only a low temperature tells them apart
NEARLY_ALIKE = np.array([0.4775, 0.4635, *7 * [0.059 / 7]])
# exponents, as shares of 1 / temperature, that are looked for
EXPONENTS = np.exp(np.linspace(-2.5, 2.5, 101))
# what is expected so many times among all draws is drawn at least once, almost surely
SURELY_DRAWN = 12
# the share of an id that is hardly drawn
RARE = 0.03


def solution(preds, vocab_size, temperature=1.0):
    """Draw an id from all C, at a temperature."""
    p = np.array(preds, dtype=float).ravel() ** (1 / temperature)
    p /= p.sum()
    return int(np.random.choice(vocab_size, p=p))


def examine(answer: Callable) -> Optional[str]:
    """Draw often at each temperature; return a remark on a right answer, or None."""
    p = SHARES_BY_ID
    shape = (1, p.size)
    least = p.min()
    one_impossible = np.where(p == least, 0, p) / (1 - least)

    remark = None
    for temperature, preds in [
        (0.25, p),
        (2.0, p),
        (0.5, np.roll(p, 3)),
        (None, p),
        (0.5, one_impossible),
        (0.02, p),
    ]:
        arguments = () if temperature is None else (temperature,)
        actual, changed = draws(answer, preds, shape, *arguments)
        if changed:
            remark = CHANGED
        _compare(actual, preds, temperature, answer)

    for temperature, preds in ((1.0, _one_likely(0.0045)), (4.0, _one_likely(1e-6))):
        actual, _ = draws(answer, preds, shape, temperature)
        _compare(actual, preds, temperature, answer)

    actual, _ = draws(answer, NEARLY_ALIKE, shape, 0.02)
    if not alike(actual, normalized(NEARLY_ALIKE**50)):
        raise Wrong(
            "At temperature 0.02 it draws as at a higher one: is there a least temperature, as in "
            "max(temperature, 0.1), or is something added to it? Any temperature above 0 counts as it is."
        )

    even = np.full(p.size, 1 / p.size)
    try:
        actual, _ = draws(answer, even, shape, 0.01)
        _compare(actual, even, 0.01, answer)
    except Wrong:
        raise Wrong(
            "At temperature 0.01, with which the notebook begins, probabilities to the power of 100 are too "
            "small for float32, which makes 0 of all of them, and their sum is 0. Take float64 from the "
            "beginning: np.array(preds, dtype=float)."
        )
    return remark


def _one_likely(others: float) -> np.ndarray:
    """Return probabilities of which all but one are small."""
    p = np.full(SHARES_BY_ID.size, others)
    p[2] = 1 - others * (p.size - 1)
    return p


def _compare(
    actual: np.ndarray, p: np.ndarray, temperature: Optional[float], answer: Callable
) -> None:
    """Raise Wrong where the shares of the ids are not those of probabilities p at a temperature."""
    t = temperature or 1.0
    powers = p ** (1 / t)
    expected = normalized(powers)
    is_never_drawn = (actual == 0) & (expected * DRAWS >= SURELY_DRAWN)
    if alike(actual, expected) and not is_never_drawn.any():
        return

    where = f"At temperature = {t:g}"
    if temperature is None:
        where = "At the default temperature, 1"
    need(
        "log1p" not in names_in(answer),
        "np.log1p(p) is the logarithm of 1 + p: take that of p, np.log(p), or p ** (1 / temperature).",
    )
    if exponential(answer):
        need(
            not alike(actual, softmax(powers)) and not alike(actual, softmax(expected)),
            "A softmax follows p ** (1 / temperature): divide by the sum in its place.",
        )
    _recognize(answer)
    high, _ = draws(answer, SHARES_BY_ID, (1, p.size), 2.0)
    need(
        not is_never_drawn.any() or high.max() == 1,
        f"{where} some ids are never drawn that should be. Is p rounded, or 0 where it is below a limit? "
        "Here all C can be drawn, each with its probability.",
    )
    need(
        actual.max() < 1 or t < 0.1,
        f"{where} it always draws the same id: draw with np.random.choice and p=p, and "
        "set no seed inside.",
    )
    is_tiny = p < 1e-5
    need(
        not is_tiny.any() or actual[is_tiny].sum() < expected[is_tiny].sum(),
        f"{where} ids of tiny probabilities are drawn too often. Is something added to p, or p clipped, before its "
        "logarithm or power? The logarithm of 0 is -inf, and its exponential 0 again.",
    )
    # An exponent that fits two sets of probabilities. Where something is added to p, none does.
    other = _one_likely(0.0002)
    arguments = () if temperature is None else (temperature,)
    of_other, _ = draws(answer, other, (1, p.size), *arguments)
    fits = []
    for share in EXPONENTS:
        is_first_alike = alike(actual, normalized(p ** (share / t)))
        if is_first_alike and alike(of_other, normalized(other ** (share / t))):
            fits.append(share)
    if fits and not 0.95 < np.median(fits) < 1.05:
        raise Wrong(
            f"{where} each p is raised to the power of about {np.median(fits) / t:.2g}, in place of 1 / temperature, "
            f"which is {1 / t:.4g}: is the temperature changed before it is used, or used twice?"
        )
    is_rare = expected < RARE
    need(
        actual[is_rare].sum() < expected[is_rare].sum() + NOISE,
        f"{where} ids of small probabilities are drawn too often: is something added to p, or p mixed with an even "
        "share, before or after its power? Take p as it is.",
    )
    worst = int(np.abs(actual - expected).argmax())
    raise Unexplained(
        f"{where} id {worst} of probability {p[worst]:.2f} should be drawn in {100 * expected[worst]:.0f}% "
        f"of the cases, but it is in {100 * actual[worst]:.0f}%: each p becomes p ** (1 / temperature), "
        "divided by the sum of all."
    )


def _recognize(answer: Callable) -> None:
    """Raise Wrong where the shares of the ids are what a typical mistake gives, at a low and at a high temperature."""
    p = SHARES_BY_ID
    low, _ = draws(answer, p, (1, p.size), 0.25)
    high, _ = draws(answer, p, (1, p.size), 2.0)
    for message, sources in MISTAKES.items():
        for source in sources:
            is_low_alike = alike(low, _shares(source, 0.25))
            need(not (is_low_alike and alike(high, _shares(source, 2.0))), message)


def _shares(source: str, t: float) -> np.ndarray:
    """Return the shares that the expression of a mistake gives at a temperature."""
    return normalized(eval(source, {"np": np, "softmax": softmax, "p": SHARES_BY_ID, "t": t}))
