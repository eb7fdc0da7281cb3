"""The checks at the end of the exercises: whether an answer is right, and if not, what is wrong with it.

Each ``check_...`` takes the reader's function or class, tries it on small inputs whose sizes all differ, compares
with what the solution does, prints the verdict and returns True or False. An exception in the reader's code is
reported, not raised. ``hint`` prints the next hint for an exercise.
"""
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

__all__ = ["EXERCISES", "ready", "hint", "check_get_batches", "check_build_inputs", "check_build_lstm",
           "check_build_output", "check_build_loss", "check_build_optimizer", "check_char_rnn",
           "check_run_epoch", "check_pick_top_n", "check_generate_ids", "check_repairs",
           "check_hyperparameters"]

_MODULES = (get_batches, build_inputs, build_lstm, build_output, build_loss, build_optimizer, char_rnn,
            run_epoch, pick_top_n, generate_ids)
_HINTS = dict(zip(EXERCISES, (module.HINTS for module in _MODULES)), hyperparameters=hyperparameters.HINTS,
             repairs=repairs.HINTS)
_given: Dict[str, int] = {}  # by exercise: how many hints were printed


def hint(exercise: Any) -> None:
    """Print the next hint for an exercise: first an idea, last almost the solution.

    Args:
        exercise: its name, for example "build_loss", or the function itself.
    """
    name = getattr(exercise, "__name__", exercise)
    if name not in _HINTS:
        print(words.wrap(f"There are hints for {words.listing(_HINTS)}, for example: checks.hint(\"build_loss\")"))
        return
    hints, number = _HINTS[name], _given.get(name, 0)
    if number == len(hints):
        print(words.wrap(f"There is no further hint for {name}: all {number} are printed again. What remains is "
                         "the solution, in Anna_KaRNNa_Solution.ipynb."))
        for place, one in enumerate(hints, start=1):
            print(words.wrap(f"{place}. {one}"))
        return
    _given[name] = number + 1
    print(words.wrap(f"{name}, hint {number + 1} of {len(hints)}: {hints[number]}"))


def check_get_batches(answer: Callable) -> bool:
    """Check the generator of mini-batches."""
    return report("get_batches", get_batches.examine, answer)


def check_build_inputs(answer: Callable) -> bool:
    """Check the three placeholders."""
    return report("build_inputs", build_inputs.examine, answer)


def check_build_lstm(answer: Callable) -> bool:
    """Check the stack of LSTM layers and its zero state."""
    return report("build_lstm", build_lstm.examine, answer)


def check_build_output(answer: Callable) -> bool:
    """Check the output layer."""
    return report("build_output", build_output.examine, answer)


def check_build_loss(answer: Callable) -> bool:
    """Check the loss."""
    return report("build_loss", build_loss.examine, answer)


def check_build_optimizer(answer: Callable) -> bool:
    """Check one update of the weights."""
    return report("build_optimizer", build_optimizer.examine, answer)


def check_char_rnn(answer: Any) -> bool:
    """Check the network."""
    return report("CharRNN", char_rnn.examine, answer)


def check_run_epoch(answer: Callable) -> bool:
    """Check the training of an epoch."""
    return report("run_epoch", run_epoch.examine, answer)


def check_pick_top_n(answer: Callable) -> bool:
    """Check the drawing of a character."""
    return report("pick_top_n", pick_top_n.examine, answer)


def check_generate_ids(answer: Callable) -> bool:
    """Check the loop that writes."""
    return report("generate_ids", generate_ids.examine, answer)


def check_repairs(answer: Dict[Callable, Optional[str]]) -> bool:
    """Check the repairs of broken programs, each with the line that it replaces."""
    return report("repairs", lambda _: repairs.examine(answer), None)


def check_hyperparameters(text_size: int, num_classes: int, **values: Any) -> bool:
    """Check the hyperparameters for a text of that many characters, that many of them distinct."""
    return report("hyperparameters", lambda _: hyperparameters.examine(text_size, num_classes, **values), None)
