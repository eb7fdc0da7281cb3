"""The check of evaluate: what it feeds and asks for in each window, and the mean that it returns."""

from typing import Any, Callable

import numpy as np

from charrnn.system.words import plural

from . import words
from .answer import Locals, call, expect, need, still_none
from .run_epoch import named, windows
from .sessions import PLACEHOLDERS, Session, compare_states, examine_session, network
from .tensors import close

WINDOWS = 5


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
        right = _outcome(solution, session)
        with Locals(answer) as seen:
            found = _outcome(answer, session)
        (result, runs, weights) = found
        losses = [run.loss for run in right[1]]
        if result is None:
            still_none(
                {
                    name: seen.values[name]
                    for name in ("mean_loss", "loss", "losses")
                    if name in seen.values
                }
            )
        need(
            result is not None,
            "It returns None: it should end with return and the mean of the losses.",
        )
        need(
            not any("optimizer" in run.asked for run in runs) and close(weights, right[2]),
            "It trains on the text that is to be held out: do not ask for model.optimizer.",
        )
        need(
            not hasattr(result, "__next__"),
            "It is a generator: collect the losses in a list, and return their mean, "
            "without yield.",
        )
        need(
            isinstance(result, (float, np.floating, np.ndarray)) and np.ndim(result) == 0,
            f"It should return the mean loss, a number, not {words.describe(result)}.",
        )
        _compare_runs(runs, right[1])
        n, m = session.noted.inputs.shape.as_list()
        reasons = {
            "the sum of the losses": np.sum(losses),
            "the loss of the last window": losses[-1],
            **{
                f"the {what} divided by {size}: divide their sum by the number of windows": total
                / count
                for what, total in [("sum", np.sum(losses)), ("mean", np.mean(losses))]
                for size, count in [
                    ("N, as len(x) is", n),
                    ("N·M", n * m),
                    ("the last number of enumerate", WINDOWS - 1),
                ]
            },
            "the loss of the first window": losses[0],
            "the exponential of the mean": np.exp(np.mean(losses)),
            "the median": np.median(losses),
        }
        came = next((f", {name}" for name, value in reasons.items() if close(result, value)), "")
        expect(
            close(result, np.mean(losses)),
            f"The result should be {np.mean(losses):.4f}, the mean of the losses of "
            f"all windows, but it is {float(result):.4f}{came}.",
        )


def _outcome(function: Callable, session: Session) -> Any:
    """Return the result, the runs that feed something, and the weights afterwards."""
    session.begin()
    result = call(function, session, session.noted, iter(windows(WINDOWS)))
    if hasattr(result, "__next__"):
        call(list, result)
    return result, [run for run in session.runs if run.fed], session.weights()


def _compare_runs(runs: Any, right: Any) -> None:
    expect(
        len(runs) == WINDOWS or len(runs) == 2 * WINDOWS,
        f"session.run should be called once for each of the {WINDOWS} windows, but it is called "
        f"{plural(len(runs), 'time')}: is the return inside the loop?",
    )
    for place, expected in enumerate(right):
        run = runs[place * len(runs) // WINDOWS]
        for name in PLACEHOLDERS:
            need(name in run.values, f"In window {place} model.{name} is not fed.")
            value = expected.values[name]
            fed = run.values[name]
            need(
                close(fed, value) or name != "keep_prob",
                f"Dropout is on: it is for training only, so feed model.keep_prob: 1.0, not {np.ravel(fed)[0]:g}.",
            )
            expect(
                close(fed, value),
                f"In window {place} model.{name} should be fed {named(value, right)}, but it is "
                f"fed {named(fed, right)}.",
            )
        compare_states(run, right, place, "window")
