"""The check of run_epoch: what it feeds, asks for and yields in each window, compared with what the solution does."""

from itertools import islice
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from charrnn.system.tensorflow import tf
from charrnn.system.words import plural

from . import words
from .answer import Locals, Raised, Wrong, call, exception, expect, need, still_none
from .sessions import PLACEHOLDERS, Run, Session, compare_states, examine_session, network
from .tensors import close

WINDOWS = 4
# yields that are taken from the generator
LIMIT = WINDOWS + 3


class Outcome(NamedTuple):
    """What an epoch did: its runs that ask for or feed more than a state, what it yielded, and the weights after it.

    ``order`` has for each yield the number of updates before it.
    """

    runs: List[Run]
    yields: List[Any]
    order: List[int]
    weights: np.ndarray

    @property
    def updates(self) -> List[Run]:
        """The runs that update the weights."""
        return [run for run in self.runs if "optimizer" in run.asked]


def examine(answer: Callable) -> Optional[str]:
    """Run an epoch of a few windows; return a remark on a right answer, or None."""
    examine_session(answer)
    with Session(network()) as session:
        expected = _outcome(_solution, session, 1.0)
        with Locals(answer) as local:
            actual = _outcome(answer, session, 1.0)
        if any(value is None for value in actual.yields):
            need(
                not any({"loss", "optimizer"} <= run.asked for run in actual.runs),
                "It yields None, which session.run gives for model.optimizer: keep the loss under a name of its own, "
                "which has the place of model.loss in the list.",
            )
            still_none(local.among("state", "loss"))
        _compare(actual, expected)
        _examine_second(answer, session)

    if len(actual.runs) > WINDOWS:
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
        for loss in islice(_losses(answer, session, keep_prob), LIMIT):
            yields.append(loss)
            order.append(sum("optimizer" in run.asked for run in session.runs))

    runs = [run for run in session.runs if run.fed or run.asked - {"initial_state"}]
    return Outcome(runs, yields, order, session.weights())


def _losses(answer: Callable, session: Session, keep_prob: float) -> Iterator[Any]:
    """Yield what the answer yields; an exception becomes a Wrong."""
    generator = call(answer, session, session.noted, iter(windows(WINDOWS)), keep_prob)
    need(
        hasattr(generator, "__next__"),
        f"It returns {words.describe(generator)}, in place of a generator: yield the loss of each window, in the loop.",
    )

    try:
        yield from generator
    except Wrong:
        raise
    except Exception as error:
        raise Raised(f"It raised {exception(error, answer)}") from None


def windows(number: int) -> List[Any]:
    """Return some windows of random ids, for the network of the checks."""
    random = np.random.RandomState(4)
    return [tuple(random.randint(0, 7, size=[2, 3, 5]).astype(np.int32)) for _ in range(number)]


def _compare(actual: Outcome, expected: Outcome) -> None:
    """Raise Wrong where an epoch first differs from what it should be."""
    for loss in actual.yields:
        need(
            not isinstance(loss, (tf.Tensor, tf.Variable)),
            "It yields a tensor, model.loss: yield the number that session.run returned for it.",
        )
        need(
            isinstance(loss, (float, np.floating, np.ndarray)) and np.ndim(loss) == 0,
            f"It should yield the loss of each window, a number, not {words.describe(loss)}.",
        )

    _compare_order(actual, expected)
    for window, run in enumerate(actual.updates):
        _compare_feed(run, expected, window)
        _compare_carried(actual, expected, window)
    expect(
        actual.order == expected.order,
        "It should yield one loss in each window, after its update, but it yields "
        f"{plural(len(actual.yields), 'time')}, after {', '.join(map(str, actual.order))} updates.",
    )

    yields = np.array(actual.yields, float)
    losses = np.array(expected.yields, float)
    for kind, values in _changed(losses, len(windows(1)[0][0])):
        need(not close(yields, values), f"It yields {kind}: yield the loss of this window itself.")
    need(
        close(yields, losses) or not np.allclose(yields, losses, rtol=0, atol=0.06),
        "The losses are rounded: yield them as session.run returns them.",
    )
    is_between = (yields > losses.min()) & (yields < losses.max())
    need(
        not close(yields[0], losses[0]) or close(yields, losses) or not is_between[1:].all(),
        "The first loss is right, and each of the others is mixed with those before it: yield the loss of this window "
        "alone.",
    )
    for window, (loss, right) in enumerate(zip(actual.yields, expected.yields)):
        expect(
            close(loss, right),
            f"The loss of window {window} should be {right:.4f}, what session.run returns for model.loss in "
            f"the call with the update, but it is {float(loss):.4f}: yield the loss of this window alone, as it is.",
        )

    expect(
        close(actual.weights, expected.weights),
        "Something besides model.optimizer changes the weights: one update for each window is all there should be.",
    )


def _changed(losses: np.ndarray, n: int) -> Iterator[Tuple[str, np.ndarray]]:
    """Yield what may come in place of the losses, and its values."""
    yield "the exponential of each loss, the perplexity", np.exp(losses)
    yield "2 to the power of each loss, as for a loss in bits", 2**losses
    yield "each loss in bits, though they are in nats", losses / np.log(2)
    yield "minus each loss", -losses
    yield "the mean of the losses so far", np.cumsum(losses) / np.arange(1, len(losses) + 1)
    yield "the sum of the losses so far", np.cumsum(losses)
    yield "each loss, divided by N, as len(x) is", losses / n


def _compare_order(actual: Outcome, expected: Outcome) -> None:
    """Check that each window is trained on once, in order; other values of x are looked at later."""
    known = [run.values["inputs"].tolist() for run in expected.runs]
    trained = []
    for run in actual.updates:
        x = run.values["inputs"].tolist()
        trained.append(str(known.index(x)) if x in known else "?")

    updates = plural(len(trained), "update")
    if trained:
        updates += ", in the windows "
    reason = ""
    if not actual.runs:
        reason = (
            " The loop runs nothing: batches gives its pairs only once. Is it read before, as "
            "list(batches) does?"
        )
    expect(
        trained == list("0123") or (len(trained) == WINDOWS and "?" in trained),
        "The weights should be updated, by model.optimizer, once in each of the windows 0, 1, 2, 3, in this order. "
        f"It does {updates}{', '.join(trained)}.{reason}",
    )


def _compare_feed(run: Run, expected: Outcome, window: int) -> None:
    """Check what is fed besides the state."""
    right = expected.runs[window]
    for name in PLACEHOLDERS:
        value = right.values[name]
        fed = run.values[name]
        due = named(value, expected.runs)
        if name == "keep_prob":
            due = f"the argument keep_prob, here {value:g}"
        need(
            close(fed, value),
            f"In window {window} model.{name} should be fed {due}, but it is "
            f"fed {named(fed, expected.runs)}.",
        )


def _compare_carried(actual: Outcome, expected: Outcome, window: int) -> None:
    """Check the state that is fed, and that it comes from the call with the update."""
    run = actual.updates[window]
    due = expected.runs[window].values["initial_state"]
    before = actual.updates[max(0, window - 1)]
    others = []
    if window > 0:
        others = [
            other for other in actual.runs if other is not run and "final_state" in other.asked
        ]
    if not close(run.values["initial_state"], due):
        need(
            not any(close(other.values.get("initial_state"), due) for other in others),
            f"The state goes through window {window - 1} twice: it is advanced again by a further call. One call gives "
            "loss, state and update.",
        )
        need(
            "final_state" in before.asked or not others,
            "final_state comes from another call than the update, which has other weights, or another dropout. One "
            "call gives loss, state and update.",
        )
    compare_states(run, expected.runs, window, "window")


def named(value: np.ndarray, right: Sequence[Run]) -> str:
    """Say of which window a fed value is, or show it."""
    for window, run in enumerate(right):
        if close(value, run.values["inputs"]):
            return f"the x of window {window}"
        if close(value, run.values["targets"]):
            return f"the y of window {window}"
    if np.ndim(value) == 0:
        return f"{value:.4g}"
    return f"{value[0].tolist()} in its first row"


def _examine_second(answer: Callable, session: Session) -> None:
    """Check a second epoch, and another keep_prob."""
    actual = _outcome(answer, session, 0.25)
    keep_prob = actual.runs[0].values["keep_prob"]
    need(
        close(keep_prob, 0.25),
        f"model.keep_prob should be fed the argument keep_prob, here 0.25, but it is fed "
        f"{keep_prob:.4g}. It is the probability to keep a unit, and training drops some.",
    )

    updates = actual.updates
    for loss, run, following in zip(actual.yields, updates, updates[1:]):
        need(
            close(loss, run.loss) and close(following.values["initial_state"], run.final),
            "The loss or the state comes from another call than the update, which has another dropout, or other "
            "weights. One call gives loss, state and update.",
        )

    second = _outcome(answer, session, 1.0, epochs=2)
    need(
        not second.runs[0].values["initial_state"].any(),
        "A second epoch begins with the state of the first one's end: the text starts over, so set the state to zeros "
        "inside the function, before the loop.",
    )
