"""The check of run_epoch: what it feeds, asks for and yields in each window, compared with what the solution does."""

from itertools import islice
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from charrnn.system.tensorflow import tf
from charrnn.system.words import plural

from . import words
from .answer import Locals, Wrong, call, exception, expect, need, still_none
from .sessions import PLACEHOLDERS, Run, Session, compare_states, examine_session, network
from .tensors import close

WINDOWS = 4
LIMIT = WINDOWS + 3  # yields that are taken from the generator


class Outcome(NamedTuple):
    """What an epoch did: its runs that ask for or feed more than a state, what it yielded, and the weights after it.

    ``order`` has for each yield the number of updates before it.
    """

    runs: List[Run]
    yields: List[Any]
    order: List[int]
    weights: np.ndarray


def examine(answer: Callable) -> Optional[str]:
    """Run an epoch of a few windows; return a remark on a right answer, or None."""
    examine_session(answer)
    with Session(network()) as session:
        right = _outcome(_solution, session, 1.0)
        with Locals(answer) as seen:
            found = _outcome(answer, session, 1.0)
        if any(one is None for one in found.yields):
            need(
                not any({"loss", "optimizer"} <= run.asked for run in found.runs),
                "It yields None, which session.run gives for model.optimizer: keep the loss under a name of its own.",
            )
            still_none(
                {name: seen.values[name] for name in ("state", "loss") if name in seen.values}
            )
        _compare(found, right)
        _examine_second(answer, session)
    if len(found.runs) > WINDOWS:
        return (
            "(One remark: it calls session.run more than once for a window, which takes more time. A single call "
            "can ask for all three.)"
        )
    return None


def _solution(session: Any, model: Any, batches: Any, keep_prob: float) -> Iterator[Any]:
    state = session.run(model.initial_state)
    for x, y in batches:
        feed = {
            model.inputs: x,
            model.targets: y,
            model.keep_prob: keep_prob,
            model.initial_state: state,
        }
        loss, state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)
        yield loss


def _outcome(answer: Callable, session: Session, keep_prob: float, epochs: int = 1) -> Outcome:
    """Return what the last epoch of an answer did."""
    session.begin()
    for _ in range(epochs):
        session.runs = []
        yields = []
        order = []
        for one in islice(_losses(answer, session, keep_prob), LIMIT):
            yields.append(one)
            order.append(sum("optimizer" in run.asked for run in session.runs))
    runs = [run for run in session.runs if run.fed or run.asked - {"initial_state"}]
    return Outcome(runs, yields, order, session.weights())


def _losses(answer: Callable, session: Session, keep_prob: float) -> Iterator[Any]:
    """Yield what the answer yields; an exception becomes a Wrong."""
    result = call(answer, session, session.noted, iter(windows(WINDOWS)), keep_prob)
    need(
        hasattr(result, "__next__"),
        f"It returns {words.describe(result)}, in place of a generator: yield the loss of each window, in the loop.",
    )
    try:
        yield from result
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"It raised {exception(error, answer)}") from None


def windows(number: int) -> List[Any]:
    """Return some windows of random ids, for the network of the checks."""
    random = np.random.RandomState(4)
    return [tuple(random.randint(0, 7, size=[2, 3, 5]).astype(np.int32)) for _ in range(number)]


def _compare(found: Outcome, right: Outcome) -> None:
    """Raise Wrong where an epoch first differs from what it should be."""
    for one in found.yields:
        need(
            not isinstance(one, (tf.Tensor, tf.Variable)),
            "It yields a tensor, model.loss: yield the number that session.run returned for it.",
        )
        need(
            isinstance(one, (float, np.floating, np.ndarray)) and np.ndim(one) == 0,
            f"It should yield the loss of each window, a number, not {words.describe(one)}.",
        )
    updates = [run for run in found.runs if "optimizer" in run.asked]
    known = [run.values["inputs"].tolist() for run in right.runs]
    trained = [
        str(known.index(x)) if x in known else "?"
        for x in (run.values["inputs"].tolist() for run in updates)
    ]
    expect(
        len(trained) == WINDOWS and "?" in trained or trained == list("0123"),
        "The weights should be updated, by model.optimizer, once in each of the windows 0, 1, 2, 3, in this order. "
        f"It does {plural(len(trained), 'update')}{', in the windows ' if trained else ''}{', '.join(trained)}."
        + (
            ""
            if found.runs
            else " The loop runs nothing: batches gives its pairs only once. Is it read before, as "
            "list(batches) does?"
        ),
    )
    for place, (run, expected) in enumerate(zip(updates, right.runs)):
        for name in PLACEHOLDERS:
            value = expected.values[name]
            fed = run.values[name]
            due = (
                f"the argument keep_prob, here {value:g},"
                if name == "keep_prob"
                else f"{named(value, right.runs)},"
            )
            expect(
                close(fed, value),
                f"In window {place} model.{name} should be fed {due} but it is "
                f"fed {named(fed, right.runs)}.",
            )
        due = right.runs[place].values["initial_state"]
        carried = close(run.values["initial_state"], due)
        own = "final_state" in updates[max(0, place - 1)].asked
        others = [
            one for one in found.runs if one is not run and "final_state" in one.asked and place
        ]
        need(
            carried or not any(close(one.values.get("initial_state"), due) for one in others),
            f"The state goes through window {place - 1} twice: it is advanced again by a further call. One call gives "
            "loss, state and update.",
        )
        need(
            carried or own or not others,
            "final_state comes from another call than the update, which has other weights, or another dropout. One "
            "call gives loss, state and update.",
        )
        compare_states(run, right.runs, place, "window")
    expect(
        found.order == right.order,
        "It should yield one loss in each window, after its update, but it yields "
        f"{plural(len(found.yields), 'time')}, after {', '.join(map(str, found.order))} updates.",
    )
    for place, (one, value) in enumerate(zip(found.yields, right.yields)):
        expect(
            close(one, value),
            f"The loss of window {place} should be {value:.4f}, what session.run returns for model.loss in "
            f"the call with the update, but it is {float(one):.4f}: yield the loss of this window alone, as it is.",
        )
    expect(
        close(found.weights, right.weights),
        "Something besides model.optimizer changes the weights: one update for each window is all there should be.",
    )


def named(value: np.ndarray, right: Sequence[Run]) -> str:
    """Say of which window a fed value is, or show it."""
    known = [
        f"the {what} of window {number}"
        for number, run in enumerate(right)
        for name, what in (("inputs", "x"), ("targets", "y"))
        if close(value, run.values[name])
    ]
    return (
        known[0]
        if known
        else f"{value:.4g}"
        if not np.ndim(value)
        else f"{value[0].tolist()} in its first row"
    )


def _examine_second(answer: Callable, session: Session) -> None:
    """Check a second epoch, and another keep_prob."""
    found = _outcome(answer, session, 0.25)
    first = found.runs[0]
    updates = [run for run in found.runs if "optimizer" in run.asked]
    need(
        close(first.values["keep_prob"], 0.25),
        f"model.keep_prob should be fed the argument keep_prob, here 0.25, but it is fed "
        f"{first.values['keep_prob']:.4g}. It is the probability to keep a unit, and training drops some.",
    )
    need(
        all(
            close(one, run.loss) and close(following.values["initial_state"], run.final)
            for one, run, following in zip(found.yields, updates, updates[1:])
        ),
        "The loss or the state comes from another call than the update, which has another dropout, or other weights. "
        "One call gives loss, state and update.",
    )
    second = _outcome(answer, session, 1.0, epochs=2).runs[0]
    need(
        not second.values["initial_state"].any(),
        "A second epoch begins with the state of the first one's end: the text starts over, so set the state to zeros "
        "inside the function, before the loop.",
    )
