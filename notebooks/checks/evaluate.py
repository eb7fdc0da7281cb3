"""The check of evaluate: what it feeds and asks for in each window, and the mean that it returns."""

from functools import reduce
from typing import Any, Callable, Iterator, List, NamedTuple, Tuple

import numpy as np

from charrnn.system.words import plural

from . import words
from .answer import Locals, call, expect, need, still_none
from .run_epoch import named, windows
from .sessions import PLACEHOLDERS, Run, Session, compare_states, examine_session, network
from .tensors import close, same

WINDOWS = 5
# the first batches, which are evaluated afterwards
FEWER = 3


class Outcome(NamedTuple):
    """What an evaluation did: its result, the runs that feed something, and the weights afterwards."""

    result: Any
    runs: List[Run]
    weights: np.ndarray


def solution(session, model, batches):
    """Return the mean loss over the batches, without training and without dropout."""
    state = session.run(model.initial_state)
    losses = []
    for x, y in batches:
        feed = {model.inputs: x, model.targets: y, model.keep_prob: 1.0, model.initial_state: state}
        loss, state = session.run([model.loss, model.final_state], feed)
        losses.append(loss)
    return np.mean(losses)


def examine(answer: Callable) -> None:
    """Evaluate a few windows."""
    examine_session(answer)
    with Session(network()) as session:
        expected = _outcome(solution, session)
        with Locals(answer) as local:
            actual = _outcome(answer, session)
        _examine_result(actual, expected, local)
        again = _outcome(answer, session, FEWER)
        _compare_runs(actual.runs, expected.runs)
        n, m = session.noted.inputs.shape.as_list()

    losses = np.array([run.loss for run in expected.runs])
    mean = losses.mean()
    reason = ""
    for name, value in _mistakes(losses, n, m):
        if same(actual.result, value):
            reason = f", {name}."
            break
    if not reason and any("prediction" in run.asked for run in actual.runs):
        reason = ", made of model.prediction, as an accuracy is: what is asked for is model.loss."

    fewer = losses[:FEWER].mean()
    if not reason:
        reason = _kind(float(actual.result), float(again.result), losses, fewer)
    say = expect if reason == "." else need
    say(
        close(actual.result, mean),
        f"The result should be {mean:.4f}, the mean of the losses of "
        f"all windows, but it is {float(actual.result):.4f}{reason}",
    )
    need(
        close(again.result, fewer),
        "It is right when it is called first, but not when it is called again: what the first call has collected is "
        "still there. Make the list anew inside the function, losses = [].",
    )


def _outcome(function: Callable, session: Session, number: int = WINDOWS) -> Outcome:
    """Return what an evaluation of some windows does."""
    session.begin()
    result = call(function, session, session.noted, iter(windows(number)))
    if hasattr(result, "__next__"):
        call(list, result)
    return Outcome(result, [run for run in session.runs if run.fed], session.weights())


def _examine_result(actual: Outcome, expected: Outcome, local: Locals) -> None:
    """Check that nothing was trained, and that the result is a number."""
    result = actual.result
    if result is None:
        still_none(local.among("mean_loss", "loss", "losses"))
    need(
        result is not None,
        "It returns None: it should end with return and the mean of the losses.",
    )

    is_training = any("optimizer" in run.asked for run in actual.runs)
    need(
        not is_training and close(actual.weights, expected.weights),
        "It trains on the text that is to be held out: do not ask for model.optimizer.",
    )
    need(
        not hasattr(result, "__next__"),
        "It is a generator: collect the losses in a list, and return their mean, without yield.",
    )
    need(
        isinstance(result, (float, np.floating, np.ndarray)) and np.ndim(result) == 0,
        f"It should return the mean loss, a number, not {words.describe(result)}.",
    )


def _mistakes(losses: np.ndarray, n: int, m: int) -> Iterator[Tuple[str, float]]:
    """Yield the names of typical mistakes, and what they give; the first that fits counts."""
    yield "the sum of the losses", losses.sum()
    yield "the largest of the losses: take their mean", losses.max()
    yield "the smallest of the losses: take their mean", losses.min()
    yield "the loss of the last window", losses[-1]
    yield "the loss of the last window alone, divided by their number", losses[-1] / WINDOWS
    counts = {"N, as len(x) is": n, "N·M": n * m, "the last number of enumerate": WINDOWS - 1}
    for kind, value in [("sum", losses.sum()), ("mean", losses.mean())]:
        for name, count in counts.items():
            advice = "divide their sum by the number of windows"
            yield f"the {kind} divided by {name}: {advice}", value / count

    yield "the mean without the first window", losses[1:].mean()
    yield "the mean without the last window", losses[:-1].mean()
    half_of_each = (
        "half of the mean so far and half of the next loss, so the last windows count most"
    )
    for values in (losses, [0.0, *losses]):
        yield half_of_each, reduce(_half_of_both, values)
    yield "the loss of the first window", losses[0]
    yield "the exponential of the mean, the perplexity: return the mean", np.exp(losses.mean())
    yield "2 to the power of the mean, as for a loss in bits: return the mean", 2 ** losses.mean()
    yield "minus the mean", -losses.mean()
    yield "their standard deviation: take their mean", losses.std()
    yield "the mean of the exponentials: take that of the losses themselves", np.exp(losses).mean()
    in_bits = "the mean in bits: the losses are in nats already, so divide by no logarithm"
    yield in_bits, losses.mean() / np.log(2)
    yield "the median", np.median(losses)
    used_up = "the sum divided by 0: batches is used up after the loop, so count the windows in it"
    yield used_up, np.inf


def _kind(result: float, again: float, losses: np.ndarray, fewer: float) -> str:
    """Say what kind of a number a result is that no typical mistake gives; again is that of fewer windows."""
    mean = losses.mean()
    if result and not close(result, mean) and same(result / mean, again / fewer):
        return f", {result / mean:.4g} times that: divide the sum by the number of windows alone."
    if 0 < result < losses.min():
        return ", less than each of them: does a running mean begin with 0?"
    if losses.min() < result < losses.max() and not close(result, mean):
        return (
            ", a mean of another kind: do some windows count more than others, or is a root or a logarithm taken? "
            "np.mean(losses) counts all alike."
        )
    if result > losses.max():
        return ", more than each of them: is each loss multiplied by something before the mean?"
    return "."


def _half_of_both(mean: float, loss: float) -> float:
    return (mean + loss) / 2


def _compare_runs(runs: List[Run], expected: List[Run]) -> None:
    need(
        runs,
        "No window is fed to session.run. batches gives its pairs only once: is it read before the loop, as "
        "list(batches) does?",
    )
    if len(runs) == WINDOWS - 1:
        need(
            not np.array_equal(runs[0].values.get("inputs"), expected[1].values["inputs"]),
            "The first window is left out: batches gives each window once, and the loop should read all of them.",
        )
    expect(
        len(runs) in (WINDOWS, 2 * WINDOWS),
        f"session.run should be called once for each of the {WINDOWS} windows, but it is called "
        f"{plural(len(runs), 'time')}: is the return inside the loop?",
    )

    for place, run in enumerate(runs):
        window = place * WINDOWS // len(runs)
        right = expected[window]
        for name in PLACEHOLDERS:
            need(name in run.values, f"In window {window} model.{name} is not fed.")
            value = right.values[name]
            fed = run.values[name]
            need(
                close(fed, value) or name != "keep_prob",
                f"Dropout is on: it is for training only, so feed model.keep_prob: 1.0, not {np.ravel(fed)[0]:g}.",
            )
            expect(
                close(fed, value),
                f"In window {window} model.{name} should be fed {named(value, expected)}, but it is "
                f"fed {named(fed, expected)}.",
            )
        compare_states(run, expected, window, "window")
