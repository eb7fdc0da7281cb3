"""The check of generate_ids: what it feeds to the network and draws, compared with what typical mistakes do."""
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from charrnn.system.tensorflow import tf

from . import words
from .answer import Locals, Wrong, call, need, still_none
from .sessions import Run, Session, advised, network, same_runs, same_values
from .tensors import close

HINTS = (
    "Reading a character is always the same: feed it with keep_prob 1 and the state, and get the predictions for the "
    "next one and the new state. The prime is read with this, and so is each character that was drawn.",
    "Feed model.inputs: [[i]], model.keep_prob: 1.0 and model.initial_state: state. Ask for [model.prediction, "
    "model.final_state]. After the last character of the prime, preds is the prediction for the first new one: draw "
    "from it before anything else is fed.",
    "A function inside helps:\n"
    "    def read(i, state):\n"
    "        feed = {model.inputs: [[i]], model.keep_prob: 1.0,\n"
    "                model.initial_state: state}\n"
    "        return session.run([model.prediction, model.final_state], feed)\n"
    "First read every id of the prime; then draw; then n_samples times read ids[-1] and draw.",
)
STATE = "state = session.run(model.initial_state)"
PRIME = "for i in prime_ids:"
PRIME_FEED = "feed = {model.inputs: [[i]], model.keep_prob: 1.0, model.initial_state: state}"
PRIME_RUN = "preds, state = session.run([model.prediction, model.final_state], feed)  # prime"
FIRST = "ids.append(pick(preds, vocab_size))  # first"
LOOP = "for _ in range(n_samples):"
FEED = "feed = {model.inputs: [[ids[-1]]], model.keep_prob: 1.0, model.initial_state: state}"
RUN = "preds, state = session.run([model.prediction, model.final_state], feed)  # drawn"
NEXT = "ids.append(pick(preds, vocab_size))  # next"
SOLUTION = f"""
def generate_ids(session, model, prime_ids, n_samples, vocab_size, pick):
    ids = list(prime_ids)
    {STATE}
    {PRIME}
        {PRIME_FEED}
        {PRIME_RUN}
    {FIRST}
    {LOOP}
        {FEED}
        {RUN}
        {NEXT}
    return ids
"""
_UNFED = [(line, line.replace(", model.initial_state: state", "")) for line in (PRIME_FEED, FEED)]
_LOST = [(line, line.replace("preds, state", "preds, _")) for line in (PRIME_RUN, RUN)]
_ZEROS = [(line, f"{STATE}\n        {line}") for line in (PRIME_FEED, FEED)]
_ARGMAX = [(line, "ids.append(int(np.argmax(preds)))") for line in (FIRST, NEXT)]
_LOGITS = [(line, line.replace("model.prediction", "model.logits")) for line in (PRIME_RUN, RUN)]
# What typical mistakes have in place of pieces of the solution, by what to say to them: for each a list of replacements
# that are made together. A test puts each of them into the solution.
MISTAKES = {
    "The state is not fed, so that the network has forgotten everything at each character: add model.initial_state: "
    "state to the feed.": [_UNFED, _UNFED[1:]],
    "The state is not fed while the prime is read: add model.initial_state: state to the feed.": [_UNFED[:1]],
    "Every character is fed with a state of zeros. What session.run returns for model.final_state should be stored in "
    "state; and state is set to zeros once, at the beginning.": [_LOST, _ZEROS, _LOST[:1] + _ZEROS[1:]],
    "While the prime is read, every character is fed with a state of zeros: store what session.run returns for "
    "model.final_state in state.": [_LOST[:1], _ZEROS[:1]],
    "After the prime the state no longer changes, or is zeros again: store what session.run returns for "
    "model.final_state in state, for drawn characters too.": [_LOST[1:], _ZEROS[1:]],
    "The state is set to zeros after the prime, so that what was read is forgotten: keep it.":
        [[(FIRST, f"{FIRST}\n    {STATE}")]],
    "The last character of the prime is fed twice: its prediction is there after the prime was read. Draw from it "
    "first, then feed what was drawn.":
        [[(FIRST, "pass"), (LOOP, "for _ in range(n_samples + 1):")], [(FIRST, "pass")],
         [(FIRST, f"{FEED}\n    {RUN}\n    {FIRST}")]],
    "The prime is not read, only its last character: feed all of it, one character after the other, and carry the "
    "state.": [[(PRIME, "for i in prime_ids[-1:]:")]],
    "The prime is not read, only its first character: feed all of it, one character after the other, and carry the "
    "state.": [[(PRIME, "for i in prime_ids[:1]:")]],
    "The last character of the prime is not read before the first draw: feed all of it.":
        [[(PRIME, "for i in prime_ids[:-1]:")]],
    "The first character of the prime is not read: feed all of it.": [[(PRIME, "for i in prime_ids[1:]:")]],
    "The prime is read backwards.": [[(PRIME, "for i in prime_ids[::-1]:")]],
    "The most probable character is taken (argmax), so that the text would soon repeat itself: draw with "
    "pick(preds, vocab_size).": [_ARGMAX, _ARGMAX[:1], _ARGMAX[1:]],
    "The drawn characters are not fed back: the last character of the prime is fed again and again.":
        [[(FEED, PRIME_FEED)]],
    "The character before the last one is fed: feed ids[-1].": [[(FEED, FEED.replace("ids[-1]", "ids[-2]"))]],
    "The first character is fed again and again: feed the last one, ids[-1].":
        [[(FEED, FEED.replace("ids[-1]", "ids[0]"))]],
    "What is fed is the most probable character, and what is drawn is another one: feed what was drawn.":
        [[(FEED, FEED.replace("ids[-1]", "int(np.argmax(preds))"))]],
    "What is fed is drawn anew, and is not in the text: feed ids[-1], which is.":
        [[(FEED, FEED.replace("ids[-1]", "pick(preds, vocab_size)"))]],
    "Every character is drawn from the same predictions, those after the prime: a new character needs new ones.":
        [[(RUN, RUN.replace("preds, state", "_, state"))]],
    "One character is missing: there should be n_samples + 1 new ones, one drawn after the prime and one for each that "
    "is fed back.": [[(LOOP, "for _ in range(n_samples - 1):")], [(FIRST, "first = pick(preds, vocab_size)"),
                                                                 (FEED, FEED.replace("ids[-1]", "(ids + [first])[-1] "
                                                                                     "if len(ids) == len(prime_ids) "
                                                                                     "else ids[-1]"))]],
    "There is one character too many: n_samples + 1 new ones, one drawn after the prime and one for each that is fed "
    "back.": [[(LOOP, "for _ in range(n_samples + 1):")]],
    "The prime is missing from the result: it should be the prime and the new ids.":
        [[("return ids", "return ids[len(prime_ids):]")]],
    "The new ids are missing from the result: it is only the prime.": [[("return ids", "return list(prime_ids)")]],
    "Characters are drawn while the prime is read: what follows there is known. Draw after its last character.":
        [[(PRIME_RUN, f"{PRIME_RUN}\n        {FIRST}"), (f"    {FIRST}\n    {LOOP}", f"    {LOOP}")],
         [(PRIME_RUN, f"{PRIME_RUN}\n        pick(preds, vocab_size)")]],
    "pick is given the logits: it needs probabilities, model.prediction.": [_LOGITS, _LOGITS[:1], _LOGITS[1:]],
    "pick is given the place of a character in another way: its arguments are the predictions and vocab_size.":
        [[(line, line.replace("vocab_size", f"{wrong}")) for line in (FIRST, NEXT)] for wrong in ("5", "len(ids)")],
    "The state is asked for in model.initial_state, which comes back as it was fed: ask for model.final_state.":
        [[(line, line.replace("model.final_state", "model.initial_state")) for line in (PRIME_RUN, RUN)]],
}
ADVICE = {  # on exceptions
    "Cannot feed value": "The network reads one character of one sequence at a time: feed [[i]].",
    "feed a value for placeholder": "The feed needs inputs and keep_prob, and what is asked for should be "
                                    "model.prediction and model.final_state only.",
    "uninitialized": "Use the session that is given.", "different graph": "Use the arguments session and model.",
}
PRIME_IDS, DRAWN = (3, 1, 4, 2), (5, 0, 6, 1, 3, 2, 4, 0, 5, 6, 1, 3)
TRIALS = [(PRIME_IDS, 3), (PRIME_IDS[:1], 2), (PRIME_IDS, 0)]


class Outcome(NamedTuple):
    """What writing did: its runs that feed something, what pick was given, and what was returned."""

    runs: List[Run]
    picked: List[Any]
    result: List[Any]
    changed: bool


def examine(answer: Callable) -> Optional[str]:
    """Write after several primes; return a remark on a right answer, or None."""
    with Session(network(sampling=True)) as session:
        return _examine(answer, session)


def _examine(answer: Callable, session: Session) -> Optional[str]:
    remark = None
    for prime, n_samples in TRIALS:
        right = _outcome(_solution([]), session, prime, n_samples)
        found = _outcome(answer, session, prime, n_samples)
        for run in found.runs:
            need(close(run.values.get("keep_prob", 1.0), 1.0),
                 "Dropout is on: it is for training only, so feed model.keep_prob: 1.0, not "
                 f"{run.values.get('keep_prob'):g}.")
        if not _right(found, right):
            _name_mistake(found, session, prime, n_samples)
            raise Wrong(f"For a prime of {words.count(len(prime), 'id')} and n_samples = {n_samples}: "
                        + _difference(found, right))
        if found.changed:
            remark = "(One remark: it changes the list prime_ids that it was given. list(prime_ids) makes a copy.)"
        elif len(found.runs) > len(right.runs) + 1:
            remark = ("(One remark: it calls session.run more than once for a character, which takes more time. A "
                      "single call can ask for predictions and state.)")
    return remark


def _solution(pieces: Sequence) -> Callable:
    source = SOLUTION
    for old, new in pieces:
        source = source.replace(old, new)
    scope = {"np": np, "tf": tf}
    exec(source, scope)
    return scope["generate_ids"]


def _outcome(answer: Callable, session: Session, prime: Sequence[int], n_samples: int) -> Outcome:
    """Return what an answer does; a pick that draws DRAWN stands for pick_top_n."""
    picked, given = [], list(prime)

    def pick(preds: Any, vocab_size: int) -> int:
        picked.append((np.array(preds).ravel(), vocab_size))
        return DRAWN[(len(picked) - 1) % len(DRAWN)]

    session.begin()
    with Locals(answer) as seen:
        try:
            result = call(answer, session, session.noted, given, n_samples, 7, pick)
        except Wrong as wrong:
            still_none({name: seen.values[name] for name in ("preds", "ids") if name in seen.values})
            raise Wrong(advised(str(wrong), ADVICE)) from None
    if result is None:
        still_none({name: seen.values[name] for name in ("preds", "ids") if name in seen.values} or {"ids": None})
        raise Wrong("It returns None: it should end with return ids.")
    need(isinstance(result, (list, tuple, np.ndarray)),
         f"It should return a list of ids, not {words.describe(result)}"
         + (": the next function makes the text." if isinstance(result, str) else "."))
    need(not any("optimizer" in run.asked for run in session.runs), "It trains the network: do not ask for optimizer.")
    return Outcome([run for run in session.runs if run.fed], picked, list(result), given != list(prime))


def _right(found: Outcome, right: Outcome) -> bool:
    """Tell whether what was fed, drawn and returned is right; a call may be made twice, and one at the end be left."""
    runs = [run for place, run in enumerate(found.runs)
            if not place or not _same_feed(run, found.runs[place - 1])]
    return (len(right.runs) <= len(runs) <= len(right.runs) + 1 and all(map(_same_feed, runs, right.runs))
            and _same_picks(found, right) and _same_result(found, right))


def _same_feed(one: Run, other: Run) -> bool:
    names = ("inputs", "keep_prob", "initial_state")
    return same_values(*(run._replace(values={name: run.values.get(name, ()) for name in names})
                         for run in (one, other)))


def _same_picks(one: Outcome, other: Outcome) -> bool:
    return len(one.picked) == len(other.picked) and all(
        close(preds, others) and np.array_equal(size, other_size)
        for (preds, size), (others, other_size) in zip(one.picked, other.picked))


def _same_result(one: Outcome, other: Outcome) -> bool:
    return len(one.result) == len(other.result) and all(map(np.array_equal, one.result, other.result))


def _name_mistake(found: Outcome, session: Session, prime: Sequence[int], n_samples: int) -> None:
    """Raise Wrong where a typical mistake has the same outcome."""
    for message, sources in MISTAKES.items():
        for pieces in sources:
            wrong = _outcome(_solution(pieces), session, prime, n_samples)
            need(not (same_runs(found.runs, wrong.runs) and _same_picks(found, wrong) and _same_result(found, wrong)),
                 message)


def _difference(found: Outcome, right: Outcome) -> str:
    """Say where an outcome first differs from what it should be."""
    number = len(right.runs) - len(right.picked) + 1  # ids of the prime
    for place, (run, expected) in enumerate(zip(found.runs, right.runs)):
        where = f"id {place} of the prime" if place < number else f"drawn id {place - number}"
        for name, what in [("inputs", f"model.inputs should be fed {where}"),
                           ("keep_prob", "model.keep_prob should be fed 1.0"),
                           ("initial_state", "model.initial_state should be fed the state after the id before"
                            if place else "model.initial_state should be fed zeros at the beginning")]:
            if not close(run.values.get(name, ()), expected.values[name]):
                said = f", but it is fed {run.values[name].ravel().tolist()}" if name in run.fed and name != (
                    "initial_state") else ", but it is fed another one" if name in run.fed else ", but it is not fed"
                return f"in call {place}, with {where}, {what}{said}."
    if len(found.picked) != len(right.picked):
        return (f"pick should be called {words.count(len(right.picked), 'time')}, once after the prime and once after "
                f"each id that is fed back, but it is called {words.count(len(found.picked), 'time')}.")
    if not _same_picks(found, right):
        return "pick should be given the predictions after the id that was fed last, as they are, and vocab_size."
    if not _same_result(found, right):
        return f"it should return {right.result}, the prime and what pick drew, but it returns {found.result}."
    return (f"it feeds {words.count(len(found.runs), 'id')}, but should feed {len(right.runs)}: the prime, and each of "
            "n_samples drawn ids.")
