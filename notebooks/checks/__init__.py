"""The checks at the end of the exercises: whether an answer is right, and if not, what is wrong with it.

Each ``check_...`` takes the reader's function or class, tries it on small inputs whose sizes all differ, compares
with what the solution does, prints the verdict and returns True or False. An exception in the reader's code is
reported, not raised. ``hint`` prints the next hint for an exercise, ``ready`` tells which ones a cell waits for.
"""
from functools import partial
from typing import Any, Callable, Dict, Optional

from . import (
    build_inputs,
    build_loss,
    build_lstm,
    build_optimizer,
    build_output,
    char_rnn,
    generate_ids,
    get_batches,
    hyperparameters,
    pick_top_n,
    repairs,
    run_epoch,
    words,
)
from .verdict import EXERCISES, ready, report

_MODULES = (get_batches, build_inputs, build_lstm, build_output, build_loss, build_optimizer, char_rnn,
            run_epoch, pick_top_n, generate_ids)
_HINTS = dict(zip(EXERCISES, (module.HINTS for module in _MODULES)), hyperparameters=hyperparameters.HINTS,
              repairs=repairs.HINTS)
_given: Dict[str, int] = {}  # by exercise: how many hints were printed

check_get_batches = partial(report, "get_batches", get_batches.examine)
check_build_inputs = partial(report, "build_inputs", build_inputs.examine)
check_build_lstm = partial(report, "build_lstm", build_lstm.examine)
check_build_output = partial(report, "build_output", build_output.examine)
check_build_loss = partial(report, "build_loss", build_loss.examine)
check_build_optimizer = partial(report, "build_optimizer", build_optimizer.examine)
check_char_rnn = partial(report, "CharRNN", char_rnn.examine)
check_run_epoch = partial(report, "run_epoch", run_epoch.examine)
check_pick_top_n = partial(report, "pick_top_n", pick_top_n.examine)
check_generate_ids = partial(report, "generate_ids", generate_ids.examine)


def check_repairs(answer: Dict[Callable, Optional[str]]) -> bool:
    """Check the repairs of broken programs, each with the line that it replaces."""
    return report("repairs", lambda _: repairs.examine(answer), None)


def check_hyperparameters(text_size: int, num_classes: int, **values: Any) -> bool:
    """Check the hyperparameters for a text of that many characters, that many of them distinct."""
    return report("hyperparameters", lambda _: hyperparameters.examine(text_size, num_classes, **values), None)


def hint(exercise: Any) -> None:
    """Print the next hint for an exercise: first an idea, last almost the solution.

    Args:
        exercise: its name, for example "build_loss", or the function itself.
    """
    name = getattr(exercise, "__name__", exercise)
    if name not in _HINTS:
        print(words.wrap(f"There are hints for {', '.join(_HINTS)}, for example: checks.hint(\"build_loss\")"))
        return
    hints, number = _HINTS[name], _given.get(name, 0)
    if number == len(hints):
        print(words.wrap("\n".join([f"There is no further hint for {name}: all {number} are printed again. What is "
                                    "left is the solution, in Anna_KaRNNa_Solution.ipynb.", *hints])))
        return
    _given[name] = number + 1
    print(words.wrap(f"{name}, hint {number + 1} of {len(hints)}: {hints[number]}"))
