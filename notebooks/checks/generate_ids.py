"""The check of generate_ids: what it feeds to the network and draws, compared with what the solution does."""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from charrnn.system.words import plural

from . import words
from .answer import Locals, call, expect, need, still_none
from .sessions import Run, Session, compare_states, examine_session, network
from .tensors import close

PRIME_IDS = [3, 1, 4, 2]
DRAWN = (5, 0, 6, 1, 3, 2, 4, 0, 5, 6, 1, 3)


class Trial(NamedTuple):
    """What is to be written: a prime, and how often a drawn id is fed back."""

    prime_ids: List[int]
    n_samples: int

    def __str__(self) -> str:
        return (
            f"For a prime of {plural(len(self.prime_ids), 'id')} and n_samples = {self.n_samples}"
        )


class Outcome(NamedTuple):
    """What writing did: its runs that feed something, what pick was given, and what was returned.

    ``before`` has for each call of pick the number of runs before it.
    """

    runs: List[Run]
    before: List[int]
    picked: List[np.ndarray]
    result: List[Any]
    changed: bool


TRIALS = [Trial(PRIME_IDS, 3), Trial(PRIME_IDS[:1], 2), Trial(PRIME_IDS, 0)]


def examine(answer: Callable) -> Optional[str]:
    """Write after several primes; return a remark on a right answer, or None."""
    remark = None
    examine_session(answer)
    with Session(network(sampling=True)) as session:
        for trial in TRIALS:
            expected = _outcome(_solution, session, trial)
            actual = _outcome(answer, session, trial)
            _compare(actual, expected, trial)
            if actual.changed:
                remark = "(One remark: it changes the list prime_ids that it was given. list(prime_ids) makes a copy.)"
            elif len(actual.runs) > len(expected.runs) + 1:
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


def _outcome(answer: Callable, session: Session, trial: Trial) -> Outcome:
    """Return what an answer does; a pick that draws DRAWN stands for pick_top_n."""
    before = []
    picked = []
    prime_ids = list(trial.prime_ids)

    def pick(preds: Any, vocab_size: int) -> int:
        before.append(sum(bool(run.fed) for run in session.runs))
        drawn = DRAWN[len(picked) % len(DRAWN)]
        picked.append(np.append(preds, vocab_size))
        return drawn

    session.begin()
    result = None
    with Locals(answer) as local:
        try:
            result = call(answer, session, session.noted, prime_ids, trial.n_samples, 7, pick)
        finally:
            if result is None:
                still_none(local.among("preds", "ids"))

    need(result is not None, "It returns None: it should end with return ids.")
    advice = ": the next function makes the text." if isinstance(result, str) else "."
    need(
        isinstance(result, (list, tuple, np.ndarray)),
        f"It should return a list of ids, not {words.describe(result)}{advice}",
    )
    return Outcome(
        runs=[run for run in session.runs if run.fed],
        before=before,
        picked=picked,
        result=list(result),
        changed=prime_ids != trial.prime_ids,
    )


def _compare(actual: Outcome, expected: Outcome, trial: Trial) -> None:
    """Raise Wrong where writing first differs from what it should be."""
    n_prime = len(trial.prime_ids)
    need(
        not any("optimizer" in run.asked for run in actual.runs),
        "It trains the network: do not ask for optimizer.",
    )

    if len(actual.picked) == 1 < trial.n_samples:
        need(
            len(actual.result) < n_prime + 2,
            "Only the first new id is drawn with pick: draw each of them with pick(preds, vocab_size).",
        )
    runs = _without_repetitions(actual.runs)
    need(
        actual.before,
        "pick is never called: draw each of the n_samples + 1 new ids with pick(preds, vocab_size), however long the "
        "prime is. (With argmax, the most probable one, the text would soon repeat itself.)",
    )
    need(
        actual.before[0] >= n_prime,
        "A character is drawn before all of the prime was read: feed the prime, one id after the other, then draw.",
    )
    is_one_missing = len(actual.picked) == len(expected.picked) - 1
    need(
        not is_one_missing or actual.before[0] == n_prime,
        "The first new id is not drawn with pick: draw it from the prediction after the last character of the prime.",
    )
    need(
        actual.before[:2] != [n_prime, n_prime],
        "Two ids are drawn from one prediction: feed each id that was drawn before the next one is drawn.",
    )

    _compare_runs(runs, expected.runs, trial)
    _compare_drawn(actual, expected, trial)


def _without_repetitions(runs: List[Run]) -> List[Run]:
    """Return the first of the runs that feed the same, since predictions and state may be asked for one by one."""
    different: List[Run] = []
    for run in runs:
        keep_prob = run.values.get("keep_prob", 1.0)
        need(
            close(keep_prob, 1.0),
            f"Dropout is on: it is for training only, so feed model.keep_prob: 1.0, not {keep_prob:g}.",
        )
        if not different or not _same_feed(run, different[-1]):
            different.append(run)
    return different


def _same_feed(run: Run, other: Run) -> bool:
    return all(
        np.array_equal(run.values.get(name), other.values.get(name))
        for name in ("inputs", "initial_state")
    )


def _compare_runs(runs: List[Run], expected: List[Run], trial: Trial) -> None:
    """Compare what is fed with what should be."""
    prime_ids = trial.prime_ids
    before = None
    for place, (run, right) in enumerate(zip(runs, expected)):
        fed = run.values.get("inputs", np.empty(0)).tolist()
        due = right.values["inputs"].tolist()
        need(
            place != len(prime_ids) or fed != [[prime_ids[-1]]],
            "The last character of the prime is fed twice: its prediction is there after the prime was read. Draw "
            "from that first, then feed what was drawn, ids[-1].",
        )
        if place < len(prime_ids):
            name = f"id {place} of the prime"
        else:
            name = f"drawn id {place - len(prime_ids)}"
        need(
            place < len(prime_ids) or fed != [[prime_ids[0]]],
            "The first id of the prime is fed again: feed the one that was drawn last, ids[-1].",
        )
        again = ", the id before it, again: each id is read once" if fed == before else ""
        expect(
            fed == due,
            f"{trial}: call {place} of session.run should feed {name}, {due}, as model.inputs, but it "
            f"feeds {fed}{again}.",
        )
        compare_states(run, expected, place, "call")
        before = due


def _compare_drawn(actual: Outcome, expected: Outcome, trial: Trial) -> None:
    """Compare what is drawn and returned with what should be."""
    n_calls = len(actual.picked)
    due = len(expected.picked)
    question = " Is the return inside the loop?" if n_calls == 2 < due else ""
    expect(
        n_calls == due,
        f"{trial}: pick should be called {plural(due, 'time')}, once after the prime and once after "
        f"each id that is fed back, but it is called {plural(n_calls, 'time')}. (n_samples is how often a "
        f"drawn id is fed back. It does not count the prime.){question}",
    )
    expect(
        all(map(close, actual.picked, expected.picked)),
        "pick should be given model.prediction after the id that was fed last, as it is, and vocab_size.",
    )

    n_prime = len(trial.prime_ids)
    result = list(map(str, actual.result))
    right = list(map(str, expected.result))
    need(
        result != right[n_prime:],
        "It returns the new ids alone, without the prime: let ids begin with a copy of it, list(prime_ids).",
    )
    need(result != right[:-1], "The last id that was drawn is not returned: append it, too.")
    need(
        result == right or result != right[::-1],
        "The ids are returned in reverse order: append each at the end.",
    )
    is_prime_twice = actual.result[n_prime : 2 * n_prime] == trial.prime_ids
    remark = " (ids begins with the prime already.)" if is_prime_twice else ""
    expect(
        list(map(str, actual.result)) == list(map(str, expected.result)),
        f"{trial}: it should return {expected.result}, the prime and what pick drew, but it returns {actual.result}."
        f"{remark}",
    )
