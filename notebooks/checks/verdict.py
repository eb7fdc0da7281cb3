"""From an answer to its verdict: examine it in a thread of its own, print what was found, remember it."""

import contextlib
import ctypes
import io
import threading
import time
from typing import Any, Callable, Dict, List, Set, Tuple

from charrnn.system.tensorflow import tf

from . import words
from .answer import (
    Raised,
    Unexplained,
    Unwritten,
    Wrong,
    borrowed,
    exception,
    foreign_name,
    outside_name,
)
from .progress import progress

EXERCISES = (  # in the notebooks' order
    "softmax_layer",
    "get_batches",
    "build_inputs",
    "lstm_step",
    "lstm_gradient",
    "build_lstm",
    "build_output",
    "build_loss",
    "build_optimizer",
    "CharRNN",
    "run_epoch",
    "evaluate",
    "pick_top_n",
    "generate_ids",
    "pick_at_temperature",
)
# what no later exercise uses
ASIDE = ("softmax_layer", "lstm_step", "lstm_gradient", "pick_at_temperature")
# seconds of computing time for one check, which needs about five
TIME_LIMIT = 60
# share of the time that a busy computer leaves at least to a check
WAITING = 0.02
EAGER = (
    "Eager execution is on, and it does not work with the graphs of this notebook: remove the line that "
    "enables it (such as tf.enable_eager_execution()), restart the kernel and run the cells again."
)
# what is shown of what an answer prints
PRINTED_LINES = 10
PRINTED_WIDTH = 88
# by exercise: whether its last check found it right
_right: Dict[str, bool] = {}
# exercises whose solution was given to skip them
_given_away: Set[str] = set()
# what cells said that they need
_reminded: Set[Tuple[str, ...]] = set()


def ready(exercise: str, checkpoints: Any = True) -> bool:
    """Tell whether a cell can run; where not, print what it waits for.

    It needs the exercises up to the given one, but for those aside, and checkpoints, where it is given a list of them.
    Exercises are named once. A further cell that needs the same ones prints a short note.
    """
    needed = [exercise]
    if exercise not in ASIDE:
        before = EXERCISES[: EXERCISES.index(exercise)]
        needed = [name for name in before if name not in ASIDE] + needed
    missing = tuple(name for name in needed if not found_right(name))
    if missing in _reminded:
        print("This cell waits for the same exercises.")
    elif missing:
        sentences = [
            f"This cell needs exercises that no check has found right since the kernel was started: "
            f"{', '.join(missing)}. Solve them or, after a restart, choose Run All Above."
        ]
        for name in missing:
            if name in _given_away:
                sentences.append(
                    f"{name} was skipped, but its check is missing: write checks.check_{name}({name}) below it."
                )
        print(words.wrap(" ".join(sentences)))
        _reminded.add(missing)
    elif not checkpoints:
        print(
            "This cell waits for a training run with at least one checkpoint: run the training first."
        )
    return not missing and bool(checkpoints)


def give_away(name: str) -> None:
    """Note that the solution of an exercise is given, to skip it."""
    _given_away.add(name)


def found_right(name: str) -> bool:
    """Tell whether the last check of an exercise found it right, or it was skipped."""
    return _right.get(name, False)


class Named(str):
    """What is wrong with an answer that runs, and whose mistake the check has recognized."""


class Printed(io.TextIOBase):
    """What an answer prints: the first lines, and how many there were."""

    def __init__(self) -> None:
        self.begin = ""
        self.n_lines = 0

    def write(self, text: str) -> int:
        """Count the lines of a text, and keep its beginning while there is room."""
        self.n_lines += text.count("\n")
        room = 2 * PRINTED_LINES * PRINTED_WIDTH - len(self.begin)
        self.begin += text[: max(0, room)]
        return len(text)

    def __str__(self) -> str:
        first = self.begin.rstrip("\n").split("\n")[:PRINTED_LINES]
        lines = [line[:PRINTED_WIDTH] for line in first]
        rest = self.n_lines - len(lines)
        if rest > 0:
            lines.append(f"(and {rest:,} more lines that your code printed)")
        return "\n".join(lines)


def report(name: str, examine: Callable, answer: Any) -> bool:
    """Examine an answer, print the first lines that it prints and the verdict, and return whether it is right."""
    _given_away.discard(name)
    if getattr(answer, "__name__", "") == "solution" and borrowed(answer) and progress.skipping:
        _right[name] = True
        progress.note(name, skipped=True)
        print(f"{name}: skipped. The given solution is used.")
        return False

    with contextlib.redirect_stdout(Printed()) as printed:
        is_right, message = verdict(name, examine, answer)
    needs_graph = name in EXERCISES and name not in ("softmax_layer", "get_batches")
    if needs_graph and not is_right and in_own_thread(tf.executing_eagerly):
        message = EAGER
    _right[name] = is_right
    attempts = progress.of(name)["attempts"] + 1
    progress.note(
        name,
        attempts=attempts,
        right=is_right,
        skipped=False,
        message=message,
        named=isinstance(message, Named),
        **_times(name),
    )

    if printed.begin:
        print(printed)
    if not is_right:
        print(words.wrap(f"{name}: not right yet. {message}"))
    elif message:
        print(words.wrap(f"{name}: right. {message}"))
    else:
        print(f"{name}: right.")
    return is_right


def _times(name: str) -> Dict[str, float]:
    """Return when an exercise was first tried, and last, until it was right; seconds since 1970."""
    now = round(time.time())
    known = progress.of(name)
    if known["right"]:
        return {}
    return {"first": known.get("first", now), "last": now}


def verdict(name: str, examine: Callable, answer: Any) -> Tuple[bool, str]:
    """Examine an answer in a thread of its own.

    TensorFlow keeps one default graph for each thread, so the reader's graph does not change.

    Returns:
        Whether it is right, and what is wrong with it; of a right answer a remark, or an empty string.
    """
    return in_own_thread(_judge, name, examine, answer)


def _judge(name: str, examine: Callable, answer: Any) -> Tuple[bool, str]:
    try:
        if answer is None and name in EXERCISES:
            raise Unwritten(
                f"{name} is None. checks.skip gives None for an exercise that cannot be skipped: write it."
            )
        if borrowed(answer):
            return False, borrowed(answer)
        return True, examine(answer) or ""
    except Unwritten as unwritten:
        return False, foreign_name(answer) or str(unwritten)
    except Wrong as wrong:
        message = str(wrong)
        is_named = not isinstance(wrong, (Raised, Unexplained))
        if isinstance(wrong, Unexplained) and progress.hints:
            message += f'\nFor the next hint: checks.hint("{name}")'
    except Exception as error:  # the reader's objects can fail in any way when they are used
        is_named = False
        message = f"What it made cannot be used: {exception(error, answer)}"
    message = foreign_name(answer) or outside_name(answer) + message
    return False, Named(message) if is_named else message


def in_own_thread(function: Callable, *args: Any) -> Any:
    """Call a function in a thread of its own and return its result, or stop it when the time is over."""
    results: List[Any] = []
    errors: List[BaseException] = []

    def work() -> None:
        try:
            results.append(function(*args))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        in_time = _ends_in_time(thread)
    finally:  # also when the reader interrupts the cell
        if thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
            )
    if not in_time:
        return False, (
            f"It did not finish within {TIME_LIMIT} seconds: is there a loop that never ends, a list that "
            "grows while a loop reads it, or something that waits, such as time.sleep or input?"
        )
    if results:
        return results[0]
    error = errors[0]
    if isinstance(error, Exception):
        raise error
    return False, f"It ends the program with {type(error).__name__}: use return instead."


def _ends_in_time(thread: threading.Thread) -> bool:
    """Wait for a thread until it ends or the time is over, and tell whether it has ended."""
    clock = time.monotonic()
    computing = time.process_time()
    before = _seconds_in_line(thread)
    while thread.is_alive():
        thread.join(0.2)
        used = time.process_time() - computing
        passed = time.monotonic() - clock
        in_line = _seconds_in_line(thread) - before
        # a busy computer needs more time on the clock, but computes in it or stands in line, other than what waits
        is_waiting = passed >= TIME_LIMIT and used + in_line <= WAITING * passed
        if used >= TIME_LIMIT or is_waiting:
            break
    return not thread.is_alive()


def _seconds_in_line(thread: threading.Thread) -> float:
    """Return how long a thread could have run, but others did: Linux tells, and 0 stands for what is unknown."""
    try:
        with open(f"/proc/self/task/{thread.native_id}/schedstat", encoding="ascii") as file:
            _, waited, _ = file.read().split()
        return int(waited) / 1e9
    except (OSError, ValueError, AttributeError):  # Python 3.7 has no native_id
        return 0.0
