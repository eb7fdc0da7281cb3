"""The check of pick_at_temperature: how often it draws each id, at several temperatures."""

from typing import Callable, Optional

import numpy as np

from charrnn.engines.decoding import softmax

from .answer import Unexplained, Wrong, need
from .pick_top_n import CHANGED, IDS, NOISE, SHARES, draws, exponential

# The shares that typical mistakes give, of probabilities p at the temperature t, by what to say to them.
MISTAKES = {
    "All ids are equally likely: the temperature adds to the logarithms, is used as a limit, or 1 // temperature is 0. "
    "Write 1 / temperature.": lambda p, t: np.ones_like(p) / p.size,
    "The temperature is the other way round: p ** (1 / temperature), so that a low one makes likely ids more "
    "likely.": lambda p, t: p**t / (p**t).sum(),
    "The temperature changes nothing: p / temperature, divided by its sum, is p again. Divide the LOGARITHMS of the "
    "probabilities by it, or take p ** (1 / temperature).": lambda p, t: p,
    "The probabilities go through a softmax as if they were logits: they have been through it. Take their logarithms "
    "first.": lambda p, t: softmax(p / t),
    "The logarithms themselves are used as probabilities: np.exp of them are probabilities again.": lambda p, t: (
        np.log(np.maximum(p, 1e-30)) / np.log(np.maximum(p, 1e-30)).sum()
    ),
    "The logarithm and the exponential have different bases: np.log and np.exp belong together.": lambda p, t: (
        p ** (1 / t / np.log(10)) / (p ** (1 / t / np.log(10))).sum()
    ),
    "The logarithm and the exponential have different bases, 2 and e: np.log and np.exp belong "
    "together.": lambda p, t: p ** (1 / t / np.log(2)) / (p ** (1 / t / np.log(2))).sum(),
    "Only the five most probable ids are drawn: here all C can be, each with its probability.": lambda p, t: (
        np.where(p >= np.sort(p)[-5], p ** (1 / t), 0) / (np.sort(p)[-5:] ** (1 / t)).sum()
    ),
}


def solution(preds, vocab_size, temperature=1.0):
    """Draw an id from all C, at a temperature."""
    p = np.array(preds, dtype=float).ravel() ** (1 / temperature)
    p /= p.sum()
    return int(np.random.choice(vocab_size, p=p))


def examine(answer: Callable) -> Optional[str]:
    """Draw often at each temperature; return a remark on a right answer, or None."""
    changed = False
    p = np.array(SHARES)[np.argsort(IDS)]
    gap = np.where(p == p.min(), 0, p) / (1 - p.min())  # one id is impossible
    for temperature, preds in [
        (0.25, p),
        (2.0, p),
        (0.5, np.roll(p, 3)),
        (None, p),
        (0.5, gap),
        (0.02, p),
    ]:
        arguments = () if temperature is None else (temperature,)
        found, changes = draws(answer, preds, (1, p.size), *arguments)
        changed = changed or changes
        _compare(found, preds, temperature, exponential(answer))
    flat = np.full(p.size, 1 / p.size)
    try:
        _compare(draws(answer, flat, (1, p.size), 0.01)[0], flat, 0.01, False)
    except Wrong:
        raise Wrong(
            "At temperature 0.01, with which the notebook begins, probabilities to the power of 100 are too "
            "small for float32, which makes 0 of all of them, and their sum is 0. Take float64 from the "
            "beginning: np.array(preds, dtype=float)."
        )
    return CHANGED if changed else None


def _compare(found: np.ndarray, p: np.ndarray, temperature: Optional[float], powers: bool) -> None:
    t = temperature or 1.0
    right = p ** (1 / t) / (p ** (1 / t)).sum()
    if np.abs(found - right).sum() / 2 <= NOISE:
        return
    where = f"At {'the default temperature, 1' if temperature is None else f'temperature = {t:g}'}"
    need(
        found.max() < 1 or t < 0.1,
        f"{where} it always draws the same id: draw with np.random.choice and p=p, and "
        "set no seed inside.",
    )
    need(
        not powers
        or all(np.abs(found - softmax(one)).sum() / 2 > NOISE for one in (p ** (1 / t), right)),
        "A softmax follows p ** (1 / temperature): divide by the sum in its place.",
    )
    for message, shares in MISTAKES.items():
        need(t == 1 or np.abs(found - shares(p, t)).sum() / 2 > NOISE, message)
    worst = int(np.abs(found - right).argmax())
    raise Unexplained(
        f"{where} id {worst} of probability {p[worst]:.2f} should be drawn in {100 * right[worst]:.0f}% "
        f"of the cases, but it is in {100 * found[worst]:.0f}%: each p becomes p ** (1 / temperature), "
        "divided by the sum of all."
    )
