"""The check of the hyperparameters: how long a run takes, what it will probably do, and what will not work well."""

from typing import Any, List, NamedTuple

import numpy as np

from charrnn.system.words import plural

from . import words
from .answer import Wrong, need

# Two processor cores do about as many operations in a second, and need so long for what else a step of a layer does.
OPERATIONS = 1e11
SECONDS_A_STEP = 3e-4
# hours
LONG_RUN = 24


class Choice(NamedTuple):
    """A choice of hyperparameters for a text."""

    text_size: int
    num_classes: int
    batch_size: int
    num_steps: int
    lstm_size: int
    num_layers: int
    learning_rate: float
    keep_prob: float
    epochs: int

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        first = (self.num_classes + self.lstm_size + 1) * 4 * self.lstm_size
        others = (self.num_layers - 1) * (2 * self.lstm_size + 1) * 4 * self.lstm_size
        output = (self.lstm_size + 1) * self.num_classes
        return first + others + output

    @property
    def windows(self) -> int:
        """The windows of an epoch."""
        return self.text_size // (self.batch_size * self.num_steps)

    @property
    def steps(self) -> int:
        """The steps of the run."""
        return self.windows * self.epochs

    @property
    def hours(self) -> float:
        """How long a run takes on two cores, roughly: 6 operations for each parameter and character."""
        operations = 6 * self.parameters * self.batch_size * self.num_steps
        seconds = operations / OPERATIONS + SECONDS_A_STEP * self.num_steps * self.num_layers
        return self.steps * seconds / 3600


def examine(text_size: int, num_classes: int, **values: Any) -> str:
    """Check the values; raise Wrong with all the advice there is, or return a summary."""
    for name, value in values.items():
        need(
            isinstance(value, (int, float, np.number)) and not isinstance(value, bool),
            f"{name} should be a number, not {words.describe(value)}.",
        )
        if name not in ("keep_prob", "learning_rate"):
            need(
                isinstance(value, (int, np.integer)) and value >= 1,
                f"{name} should be a whole number of at least 1, not {words.describe(value)}.",
            )

    chosen = Choice(text_size, num_classes, **values)
    need(
        0 < chosen.keep_prob <= 1,
        f"keep_prob is a probability, above 0 and at most 1, not {chosen.keep_prob}.",
    )
    need(
        0 < chosen.learning_rate < 1,
        f"learning_rate should be above 0 and far below 1, such as 0.001, not {chosen.learning_rate}.",
    )
    need(
        chosen.windows,
        f"The text has {text_size:,} characters, fewer than N·M = "
        f"{chosen.batch_size * chosen.num_steps:,}: take a smaller batch_size or num_steps.",
    )

    sentences = advice(chosen)
    if sentences:
        sentences.append(
            f"As it is, the run would take about {duration(chosen.hours)} on two processor cores."
        )
        raise Wrong("\n".join(sentences))
    return (
        f"{chosen.parameters:,} parameters for {text_size:,} characters; {plural(chosen.steps, 'step')} in all, about "
        f"{duration(chosen.hours)} on two processor cores. {outlook(chosen)}"
    )


def duration(hours: float) -> str:
    """Write a time with one or two digits.

    >>> duration(0.001), duration(0.1), duration(2.1), duration(75)
    ('1 minute', '6 minutes', '2 hours', '3 days')
    """
    for unit, size in [("day", 24), ("hour", 1)]:
        if hours >= 1.5 * size:
            return plural(round(hours / size), unit)
    return plural(max(1, round(60 * hours)), "minute")


def advice(chosen: Choice) -> List[str]:
    """Return a sentence for each value that will not work well, with what it would do."""
    text_size = chosen.text_size
    parameters = chosen.parameters
    rate = chosen.learning_rate
    sentences = []
    if rate > 0.005:
        sentences.append(
            f"learning_rate = {rate:g} is high for Adam: short tests survive it, but in a long run the loss "
            "may jump, or hardly fall. Try 0.001 to 0.003."
        )
    if rate < 0.0003:
        sentences.append(
            f"learning_rate = {rate:g} is low: the loss will fall very slowly. Try 0.001 to 0.003."
        )
    if parameters < text_size / 5:
        sentences.append(
            f"{parameters:,} parameters are few for {text_size:,} characters, so the network "
            f"will underfit: take more units, for at least {text_size // 5:,} parameters."
        )
    if parameters > 20 * text_size:
        sentences.append(
            f"{parameters:,} parameters are many for {text_size:,} characters: the network "
            "will learn the text by heart. Take fewer units."
        )
    if chosen.keep_prob < 0.4:
        sentences.append(
            f"keep_prob = {chosen.keep_prob:g} drops most of the units: try 0.5 to 0.9."
        )
    if chosen.keep_prob > 0.9 and parameters > text_size and chosen.epochs >= 10:
        sentences.append(
            f"Without dropout, {parameters:,} parameters that read {text_size:,} characters {chosen.epochs} times will "
            "learn them by heart: the held-out loss will fall for some epochs, then rise. Try keep_prob = 0.5."
        )
    return sentences + _advice_on_batches(chosen) + _advice_on_length(chosen)


def _advice_on_batches(chosen: Choice) -> List[str]:
    """Return what advice() says about the batches, and the layers that read them."""
    sentences = []
    if chosen.num_steps < 25:
        sentences.append(
            f"num_steps = {chosen.num_steps} lets gradients reach back only "
            f"{plural(chosen.num_steps, 'character')}: try 50 or 100."
        )
    if chosen.num_steps > 400:
        sentences.append(
            f"num_steps = {chosen.num_steps} makes few updates, {chosen.windows:,} in an epoch, "
            "and each needs much memory: gradients fade long before they have gone back so far. "
            "The loss will fall slowly. Try 50 to 200."
        )
    if chosen.batch_size < 8:
        sentences.append(
            f"batch_size = {chosen.batch_size} makes the gradient noisy and the run slow: most of "
            "the time goes into starting operations. Try 32 to 100."
        )
    if chosen.num_layers > 3:
        sentences.append(
            f"num_layers = {chosen.num_layers} is more than helps here: two or three layers are usual."
        )
    return sentences


def _advice_on_length(chosen: Choice) -> List[str]:
    """Return what advice() says about how long the run is."""
    sentences = []
    if chosen.steps < 500:
        sentences.append(
            f"Only {plural(chosen.steps, 'step')} in all: too few to learn words. Take more epochs or a "
            "smaller batch_size."
        )
    if chosen.epochs > 100:
        sentences.append(
            f"epochs = {chosen.epochs} is more than helps: the held-out loss stops falling after 20 "
            "to 50 epochs, and then rises, as the network learns the text by heart."
        )
    if chosen.hours > LONG_RUN:
        sentences.append(
            f"The run has {chosen.steps:,} steps, which take days. Take fewer epochs, fewer units, or a "
            "larger batch_size."
        )
    return sentences


def outlook(chosen: Choice) -> str:
    """Say what a run will probably do."""
    if chosen.steps < 1500:
        return "So few steps will teach it words, but hardly any grammar."
    if chosen.epochs < 10:
        further = ", more so with less dropout." if chosen.keep_prob < 0.7 else "."
        return (
            "In so few epochs it will not learn the text by heart: the two losses will stay close together, and "
            f"both would fall further with more epochs{further}"
        )
    if chosen.keep_prob > 0.8:
        return "Watch the held-out loss: with so little dropout it may begin to rise before the last epoch."
    return "The held-out loss should fall until the last epochs: this is a choice for a long run."
