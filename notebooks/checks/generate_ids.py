"""The check of generate_ids: what it feeds to the network and draws, compared with what the solution does."""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from charrnn.system.words import plural

from . import words
from .answer import Locals, call, expect, need, still_none
from .sessions import Run, Session, compare_states, examine_session, network
from .tensors import close

PRIME_IDS = (3, 1, 4, 2)
DRAWN = (5, 0, 6, 1, 3, 2, 4, 0, 5, 6, 1, 3)
TRIALS = [(PRIME_IDS, 3), (PRIME_IDS[:1], 2), (PRIME_IDS, 0)]


class Outcome(NamedTuple):
    """What writing did: its runs that feed something, what pick was given, and what was returned.

    ``before`` has for each call of pick the number of runs before it.
    """

    runs: List[Run]
    before: List[int]
    picked: List[np.ndarray]
    result: List[Any]
    changed: bool


def examine(answer: Callable) -> Optional[str]:
    """Write after several primes; return a remark on a right answer, or None."""
    remark = None
    examine_session(answer)
    with Session(network(sampling=True)) as session:
        for prime, n_samples in TRIALS:
            right = _outcome(_solution, session, prime, n_samples)
            found = _outcome(answer, session, prime, n_samples)
            _compare(found, right, prime, n_samples)
            if found.changed:
                remark = "(One remark: it changes the list prime_ids that it was given. list(prime_ids) makes a copy.)"
            elif len(found.runs) > len(right.runs) + 1:
                remark = (
                    "(One remark: it calls session.run more than once for a character, which takes more time. A "
                    "single call can ask for predictions and state.)"
                )
    return remark


def _solution(
    session: Any,
    model: Any,
    prime_ids: Sequence[int],
    n_samples: int,
    vocab_size: int,
    pick: Callable,
) -> List[int]:
    ids = list(prime_ids)
    state = session.run(model.initial_state)
    for place in range(len(ids) + n_samples):
        feed = {model.inputs: [[ids[place]]], model.keep_prob: 1.0, model.initial_state: state}
        preds, state = session.run([model.prediction, model.final_state], feed)
        if place >= len(prime_ids) - 1:
            ids.append(pick(preds, vocab_size))
    return ids


def _outcome(answer: Callable, session: Session, prime: Sequence[int], n_samples: int) -> Outcome:
    """Return what an answer does; a pick that draws DRAWN stands for pick_top_n."""
    before = []
    picked = []
    given = list(prime)

    def pick(preds: Any, vocab_size: int) -> int:
        before.append(sum(bool(run.fed) for run in session.runs))
        picked.append(np.append(preds, vocab_size))
        return DRAWN[(len(picked) - 1) % len(DRAWN)]

    session.begin()
    result = None
    with Locals(answer) as seen:
        try:
            result = call(answer, session, session.noted, given, n_samples, 7, pick)
        finally:
            if result is None:
                still_none(
                    {name: seen.values[name] for name in ("preds", "ids") if name in seen.values}
                )
    need(result is not None, "It returns None: it should end with return ids.")
    need(
        isinstance(result, (list, tuple, np.ndarray)),
        f"It should return a list of ids, not {words.describe(result)}"
        + (": the next function makes the text." if isinstance(result, str) else "."),
    )
    return Outcome(
        [run for run in session.runs if run.fed], before, picked, list(result), given != list(prime)
    )


def _compare(found: Outcome, right: Outcome, prime: Sequence[int], n_samples: int) -> None:
    """Raise Wrong where writing first differs from what it should be."""
    where = f"For a prime of {plural(len(prime), 'id')} and n_samples = {n_samples}: "
    need(
        not any("optimizer" in run.asked for run in found.runs),
        "It trains the network: do not ask for optimizer.",
    )
    runs: List[Run] = []
    need(
        not len(found.picked) == 1 < n_samples or len(found.result) < len(prime) + 2,
        "Only the first new id is drawn with pick: draw each of them with pick(preds, vocab_size).",
    )
    for run in found.runs:
        dropped = run.values.get("keep_prob", 1.0)
        need(
            close(dropped, 1.0),
            f"Dropout is on: it is for training only, so feed model.keep_prob: 1.0, not {dropped:g}.",
        )
        # predictions and state may be asked for in two calls
        if not runs or not _same_feed(run, runs[-1]):
            runs.append(run)
    need(
        found.before,
        "pick is never called: draw each new id with pick(preds, vocab_size). (With argmax, the most "
        "probable one, the text would soon repeat itself.)",
    )
    need(
        found.before[0] >= len(prime),
        "A character is drawn before all of the prime was read: feed the prime, one id after the other, then draw.",
    )
    for place, (run, expected) in enumerate(zip(runs, right.runs)):
        what = (
            f"id {place} of the prime" if place < len(prime) else f"drawn id {place - len(prime)}"
        )
        came, due = (one.values.get("inputs", np.empty(0)).tolist() for one in (run, expected))
        need(
            place != len(prime) or came != [[prime[-1]]],
            "The last character of the prime is fed twice: its prediction is there after the prime was read. Draw "
            "from that first, then feed what was drawn, ids[-1].",
        )
        again = place and came == right.runs[place - 1].values["inputs"].tolist()
        expect(
            came == due,
            f"{where}call {place} of session.run should feed {what}, {due}, as model.inputs, but it "
            f"feeds {came}{', the id before it, again: each id is read once' if again else ''}.",
        )
        compare_states(run, right.runs, place, "call")
    expect(
        len(found.picked) == len(right.picked),
        f"{where}pick should be called {plural(len(right.picked), 'time')}, once after the prime and once after "
        f"each id that is fed back, but it is called {plural(len(found.picked), 'time')}. (n_samples is how often a "
        "drawn id is fed back. It does not count the prime.)"
        + (" Is the return inside the loop?" if len(found.picked) == 2 < len(right.picked) else ""),
    )
    expect(
        all(map(close, found.picked, right.picked)),
        "pick should be given model.prediction after the id that was fed last, as it is, and vocab_size.",
    )
    expect(
        list(map(str, found.result)) == list(map(str, right.result)),
        f"{where}it should return {right.result}, the prime and what pick drew, but it returns {found.result}."
        + (
            " (ids begins with the prime already.)"
            if found.result[len(prime) : 2 * len(prime)] == list(prime)
            else ""
        ),
    )


def _same_feed(one: Run, other: Run) -> bool:
    return all(
        np.array_equal(one.values.get(name), other.values.get(name))
        for name in ("inputs", "initial_state")
    )
