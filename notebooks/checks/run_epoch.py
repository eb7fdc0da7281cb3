"""The check of run_epoch: what it feeds, asks for and yields, compared with what typical mistakes do."""
from itertools import islice
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, Wrong, call, exception, need, still_none
from .sessions import Run, Session, advised, network, same_runs, same_values
from .tensors import close

HINTS = (
    "The state is a value that Python holds between two calls of session.run. Before the loop it is what the session "
    "returns for model.initial_state, zeros. In each round it is fed in, and what comes out takes its place.",
    "The feed has four entries: model.inputs, model.targets, model.keep_prob and model.initial_state. One call of "
    "session.run asks for a list of three: model.loss, model.final_state and model.optimizer.",
    "The middle of it:\n"
    "    feed = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob,\n"
    "            model.initial_state: state}\n"
    "    loss, state, _ = session.run([model.loss, model.final_state, ...], feed)\n"
    "Because the second result is stored in state, the next round feeds it.",
)
STATE = "state = session.run(model.initial_state)"
PUT = ", model.initial_state: state}"
FEED = "feed = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob" + PUT
RUN = "loss, state, _ = session.run([model.loss, model.final_state, model.optimizer], feed)"
SOLUTION = f"""
def run_epoch(session, model, batches, keep_prob):
    {STATE}
    for x, y in batches:
        {FEED}
        {RUN}
        yield loss
"""
# What typical mistakes have in place of a piece of the solution, by what to say to them. A test puts each of them into
# the solution.
MISTAKES = {
    "The state is not fed, so that every window begins with zeros: add model.initial_state: state to the feed.":
        [(PUT, "}")],
    "Every window is fed a state of zeros. What session.run returns for model.final_state should be stored in state, "
    "which the next window feeds; and state is set to zeros once, before the loop.":
        [(FEED, f"{STATE}\n        {FEED}"), (RUN, RUN.replace("state, _", "new_state, _")),
         (RUN, f"{RUN}\n        {STATE}")],
    "The state is asked for in model.initial_state, which comes back as it was fed: ask for model.final_state.":
        [(RUN, RUN.replace("model.final_state", "model.initial_state"))],
    "The state is fed in as model.final_state, where it comes out: feed model.initial_state.":
        [(PUT, ", model.final_state: state}")],
    "The update is not asked for, so nothing is learned: add model.optimizer to the list.":
        [(RUN, "loss, state = session.run([model.loss, model.final_state], feed)")],
    "Inputs and targets are swapped: model.inputs is fed x, and model.targets y.":
        [(FEED, FEED.replace("inputs: x", "inputs: y").replace("targets: y", "targets: x"))],
    "The targets are the inputs: model.targets should be fed y.": [(FEED, FEED.replace("targets: y", "targets: x"))],
    "The inputs are the targets: model.inputs should be fed x.": [(FEED, FEED.replace("inputs: x", "inputs: y"))],
    "The update is done with the state after the window: all three, loss, state and update, belong into one call of "
    "session.run.":
        [(RUN, f"loss, state = session.run([model.loss, model.final_state], feed)\n        {FEED}\n"
               "        session.run(model.optimizer, feed)")],
    "The state is computed in another call, after the update, by other weights: ask for loss, state and update in one "
    "call of session.run.":
        [(RUN, "loss, _ = session.run([model.loss, model.optimizer], feed)\n"
               "        state = session.run(model.final_state, feed)"),
         (RUN, "session.run(model.optimizer, feed)\n"
               "        loss, state = session.run([model.loss, model.final_state], feed)")],
    "The loss is computed in another call, after the update: ask for loss, state and update in one call of "
    "session.run.":
        [(RUN, "state, _ = session.run([model.final_state, model.optimizer], feed)\n"
               "        loss = session.run(model.loss, feed)")],
    "Each window is trained on twice: one call of session.run does all.":
        [(RUN, f"{RUN}\n        session.run(model.optimizer, feed)"), (RUN, f"{RUN}\n        {RUN}"),
         (RUN, f"{RUN}\n        {FEED}\n        {RUN}")],
    "It yields the mean of the losses so far, or their sum: yield the loss of each window.":
        [("yield loss", f"losses = [*losses, loss] if 'losses' in locals() else [loss]; yield np.{function}(losses)")
         for function in ("mean", "sum")],
    "It yields only the last loss: the yield belongs into the loop.": [("        yield loss", "    yield loss")],
    "It yields only the first loss: does the loop end after its first round?": [("yield loss", "yield loss; break")],
    "It trains on all windows before it yields the first loss: put yield loss into the loop.":
        [("        yield loss", "        losses = [*losses, loss] if 'losses' in locals() else [loss]\n"
                                "    yield from losses")],
    "The first window is missing: it counts too.": [("in batches:", "in list(batches)[1:]:")],
    "The last window is missing: it counts too.": [("in batches:", "in list(batches)[:-1]:")],
    "The windows come in another order. They should come as they are, since the state continues from one to the next.":
        [("in batches:", "in list(batches)[::-1]:")],
    "Every window is the first one: take x and y from the loop over batches.":
        [("in batches:", "in [one for some in [list(batches)] for one in len(some) * some[:1]]:")],
}
ADVICE = {  # on exceptions
    "uninitialized": "Use the session that is given, not one of your own.",
    "different graph": "Use the arguments session and model, not others of the same name.",
    "feed a value for placeholder": "The feed needs inputs, targets and keep_prob.",
    "Could not flatten": "What is fed as model.initial_state is not a state: it should be what session.run returned, "
                         "first for model.initial_state, then for model.final_state.",
    "cannot be a tf.Tensor": "Feed values, as session.run(model.initial_state) gives them.",
    "SerializeToString": "session.run takes one list of what is asked for, then the feed.",
    "UnboundLocalError: local variable 'state'": "It has no value in the first window.",
    "cannot access local variable 'state'": "It has no value in the first window.",
}
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
    with Session(network()) as session:
        return _examine(answer, session)


def _examine(answer: Callable, session: Session) -> Optional[str]:
    right = _outcome(_solution(), session, 1.0)
    with Locals(answer) as seen:
        found = _outcome(answer, session, 1.0)
    still_none({name: seen.values[name] for name in ("state", "loss") if name in seen.values}
               if any(one is None for one in found.yields) else {})
    _examine_yields(found)
    need(not any("initializer" in run.asked for run in found.runs),
         "The weights are initialized, so that an epoch forgets what the one before has learned: the training loop "
         "does that once, before the first epoch.")
    if not _right(found, right):
        _name_mistake(found, session)
        raise Wrong(_difference(found, right))
    _examine_second(answer, session)
    if len(found.runs) > WINDOWS:
        return ("(One remark: it calls session.run more than once for a window, which takes more time. A single call "
                "can ask for all three.)")
    return None


def _batches() -> List[Tuple[np.ndarray, np.ndarray]]:
    random = np.random.RandomState(4)
    return [tuple(random.randint(0, 7, size=[2, 3, 5]).astype(np.int32)) for _ in range(WINDOWS)]


def _solution(old: str = "", new: str = "") -> Callable:
    scope = {"np": np, "tf": tf}
    exec(SOLUTION.replace(old, new) if old else SOLUTION, scope)
    return scope["run_epoch"]


def _outcome(answer: Callable, session: Session, keep_prob: float, epochs: int = 1) -> Outcome:
    """Return what the last epoch of an answer did."""
    session.begin()
    for _ in range(epochs):
        session.runs, yields, order = [], [], []
        for one in islice(_losses(answer, session, keep_prob), LIMIT):
            yields.append(one)
            order.append(sum("optimizer" in run.asked for run in session.runs))
    runs = [run for run in session.runs if run.fed or run.asked - {"initial_state"}]
    return Outcome(runs, yields, order, session.weights())


def _losses(answer: Callable, session: Session, keep_prob: float) -> Iterator[Any]:
    """Yield what the answer yields; an exception becomes a Wrong."""
    result = call(answer, session, session.noted, iter(_batches()), keep_prob)
    need(hasattr(result, "__next__"),
         f"It returns {words.describe(result)}, in place of a generator: yield the loss of each window, in the loop.")
    try:
        yield from result
    except Exception as error:
        raise Wrong(advised(f"It raised {exception(error, answer)}", ADVICE)) from None


def _examine_yields(found: Outcome) -> None:
    """Check that what it yields are numbers."""
    for one in found.yields:
        need(np.ndim(one) == 0 and isinstance(one, (float, np.floating, np.ndarray)),
             f"It should yield the loss of each window, a number, not {words.describe(one)}.")


def _right(found: Outcome, right: Outcome) -> bool:
    """Tell whether the updates, the losses and the weights are right, however many calls were made."""
    updates = [run for run in found.runs if "optimizer" in run.asked]
    return (len(updates) == WINDOWS and all(map(same_values, updates, right.runs)) and found.order == right.order
            and close(found.yields, right.yields) and close(found.weights, right.weights))


def _name_mistake(found: Outcome, session: Session) -> None:
    """Raise Wrong where a typical mistake has the same outcome."""
    for message, pieces in MISTAKES.items():
        for old, new in pieces:
            wrong = _outcome(_solution(old, new), session, 1.0)
            need(not (same_runs(found.runs, wrong.runs) and found.order == wrong.order
                      and close(found.yields, wrong.yields) and close(found.weights, wrong.weights)), message)


def _difference(found: Outcome, right: Outcome) -> str:
    """Say where an epoch first differs from what it should be."""
    updates = [run for run in found.runs if "optimizer" in run.asked]
    for place, (run, expected) in enumerate(zip(updates, right.runs)):
        for name, value in expected.values.items():
            if name not in run.fed:
                return f"In window {place}, model.{name} is not fed."
            if not close(run.values[name], value):
                return f"In window {place}, {_wrong_feed(name, place, run.values[name], value, right)}"
    if len(updates) != WINDOWS:
        return f"There should be one update for each of {WINDOWS} windows, but there are {len(updates)}."
    if found.order != right.order:
        return (f"It should yield one loss for each window, after its update, but it yields "
                f"{words.count(len(found.yields), 'time')} in {WINDOWS} windows, after {found.order} updates.")
    for place, (one, expected) in enumerate(zip(found.yields, right.yields)):
        if not close(one, expected):
            return (f"The loss of window {place} should be {expected:.4f}, what session.run returns for model.loss in "
                    f"the call with the update, but it is {float(one):.4f}.")
    return "Something besides model.optimizer changes the weights: one update for each window is all there should be."


def _wrong_feed(name: str, place: int, value: np.ndarray, expected: np.ndarray, right: Outcome) -> str:
    if name != "initial_state":
        return f"model.{name} is fed {_short(value)}, but should be fed {_short(expected)}."
    if not place:
        return "the state should be zeros, as session.run(model.initial_state) returns them."
    earlier = [number for number, run in enumerate(right.runs) if close(run.values[name], value)]
    was = (f"it is that before window {earlier[0]}" if earlier else
           "it is zeros" if not value.any() else "it is another one")
    return (f"model.initial_state should be fed the final_state of window {place - 1}, but {was}: store what "
            "session.run returns for model.final_state in state, and feed it as it is.")


def _short(value: np.ndarray) -> str:
    return f"{value:.4g}" if not np.ndim(value) else f"{value[0].tolist()} in its first row"


def _examine_second(answer: Callable, session: Session) -> None:
    """Check a second epoch, and another keep_prob."""
    first = _outcome(answer, session, 0.25).runs[0]
    need(close(first.values["keep_prob"], 0.25),
         f"model.keep_prob should be fed the argument keep_prob, here 0.25, but it is fed "
         f"{first.values['keep_prob']:.4g}. It is the probability to keep a unit, and training drops some.")
    second = _outcome(answer, session, 1.0, epochs=2).runs[0]
    need(not second.values["initial_state"].any(),
         "A second epoch begins with the state of the first one's end: its text begins anew, so set the state to zeros "
         "inside the function, before the loop.")
