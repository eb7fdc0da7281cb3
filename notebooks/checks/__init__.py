"""The checks at the end of the exercises: whether an answer is right, and if not, what is wrong with it.

Each ``check_...`` takes the reader's function or class, tries it on small inputs whose sizes all differ, compares
with what the solution does, prints the verdict and returns True or False. An exception in the reader's code is
reported, not raised. ``hint`` prints the next hint for an exercise, ``skip`` returns its given solution, and ``ready``
tells which exercises a cell waits for.
"""

import contextlib
import inspect
import os
import sys
from functools import partial
from typing import Any, Callable, Dict, Optional

from charrnn.pages import webpage

from . import (
    build_inputs,
    build_loss,
    build_lstm,
    build_optimizer,
    build_output,
    char_rnn,
    evaluate,
    first_line,
    generate_ids,
    get_batches,
    hyperparameters,
    lstm_gradient,
    lstm_step,
    pick_at_temperature,
    pick_top_n,
    quiz,
    repairs,
    run_epoch,
    softmax_layer,
    words,
)
from .progress import progress
from .verdict import EXERCISES, give_away, ready, report

# Notebooks that were begun with version 3.2 import export_page from its former place.
sys.modules.setdefault("charrnn.inspection.webpage", webpage)

SOLUTION = "Anna_KaRNNa_Solution.ipynb"
HINTS = words.sections("hints.md")
SOLUTIONS = {  # of the exercises that can be skipped
    "softmax_layer": softmax_layer.solution,
    "lstm_step": lstm_step.solution,
    "lstm_gradient": lstm_gradient.solution,
    "evaluate": evaluate.solution,
    "pick_at_temperature": pick_at_temperature.solution,
}

keep = progress.keep
check_softmax_layer = partial(report, "softmax_layer", softmax_layer.examine)
check_get_batches = partial(report, "get_batches", get_batches.examine)
check_build_inputs = partial(report, "build_inputs", build_inputs.examine)
check_lstm_step = partial(report, "lstm_step", lstm_step.examine)
check_lstm_gradient = partial(report, "lstm_gradient", lstm_gradient.examine)
check_build_lstm = partial(report, "build_lstm", build_lstm.examine)
check_build_output = partial(report, "build_output", build_output.examine)
check_build_loss = partial(report, "build_loss", build_loss.examine)
check_build_optimizer = partial(report, "build_optimizer", build_optimizer.examine)
check_char_rnn = partial(report, "CharRNN", char_rnn.examine)
check_run_epoch = partial(report, "run_epoch", run_epoch.examine)
check_evaluate = partial(report, "evaluate", evaluate.examine)
check_pick_top_n = partial(report, "pick_top_n", pick_top_n.examine)
check_generate_ids = partial(report, "generate_ids", generate_ids.examine)
check_pick_at_temperature = partial(report, "pick_at_temperature", pick_at_temperature.examine)


def check_first_line(sentence: str, pairs: Any) -> bool:
    """Check the pairs of neighbouring characters of a sentence."""
    return report("first_line", lambda _: first_line.examine(sentence, pairs), None)


def check_repairs(answer: Dict[Callable, Optional[str]]) -> bool:
    """Check the repairs of broken programs, each with the line that it replaces."""
    return report("repairs", lambda _: repairs.examine(answer), None)


def check_hyperparameters(text_size: int, num_classes: int, **values: Any) -> bool:
    """Check the hyperparameters for a text of that many characters, that many of them distinct."""
    return report(
        "hyperparameters", lambda _: hyperparameters.examine(text_size, num_classes, **values), None
    )


def check_quiz(**answers: Any) -> bool:
    """Check the letters that were chosen in the quiz."""
    return report("quiz", lambda _: quiz.examine(answers), None)


def hint(exercise: Any) -> None:
    """Print the next hint for an exercise: first an idea, last almost the solution.

    Args:
        exercise: its name, for example "build_loss", or the function itself.
    """
    name = getattr(exercise, "__name__", exercise)
    if name not in HINTS:
        names = ", ".join(HINTS)
        print(words.wrap(f'There are hints for {names}, for example: checks.hint("build_loss")'))
        return
    hints = HINTS[name][: progress.hints]
    if not hints:
        print("There are no hints in this course.")
        return

    number = progress.of(name)["hints"]
    if number < len(hints):
        progress.note(name, hints=number + 1)
        print(words.wrap(f"{name}, hint {number + 1} of {len(hints)}: {hints[number]}"))
        return
    first = f"There is no further hint for {name}: all {len(hints)} are printed again."
    if os.path.exists(SOLUTION):
        first += f" What is left is the solution, in {SOLUTION}."
    print(words.wrap("\n".join([first, *hints])))


def skip(exercise: Any) -> Optional[Callable]:
    """Print and return the given solution of an exercise, so that the notebook goes on without the reader's."""
    name = getattr(exercise, "__name__", exercise)
    if not progress.skipping:
        print("No exercise can be skipped in this course.")
        return None
    if name not in SOLUTIONS:
        first = f"{name} cannot be skipped: write it."
        print(words.wrap(f"{first} These can be skipped: {', '.join(SOLUTIONS)}."))
        return None
    give_away(name)
    solution = SOLUTIONS[name]
    # A lesson for students has no source of it.
    with contextlib.suppress(OSError):
        print(inspect.getsource(solution).replace("def solution", f"def {name}"))
    print(f'Use it in place of the function, above its check: {name} = checks.skip("{name}")')
    return solution
