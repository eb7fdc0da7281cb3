"""The check of the hyperparameters: values that cannot work, and advice on those that will not work well."""
from typing import List, Optional

import numpy as np

from . import words
from .answer import Wrong, need

HINTS = (
    "Begin with the learning rate: 0.01 is too much for Adam and a network of this size, 0.001 to 0.003 is "
    "common. Then compare the number of parameters with the number of characters.",
    "A network learns more with more units: 256 in two layers have about half as many parameters as the text has "
    "characters. With so few epochs it will not learn the text by heart, so keep_prob can be near 0.8.",
    "The solution takes\n"
    "    batch_size, num_steps = 50, 50\n"
    "    lstm_size, num_layers = 256, 2\n"
    "    learning_rate, keep_prob = 0.003, 0.8\n"
    "    epochs = 3",
)


def examine(text_size: int, num_classes: int, batch_size: int, num_steps: int, lstm_size: int, num_layers: int,
            learning_rate: float, keep_prob: float, epochs: int) -> Optional[str]:
    """Check the values; raise Wrong with all the advice there is, or return a summary."""
    for name, value in [("batch_size", batch_size), ("num_steps", num_steps), ("lstm_size", lstm_size),
                        ("num_layers", num_layers), ("epochs", epochs)]:
        need(isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1,
             f"{name} should be a whole number of at least 1, not {words.describe(value)}.")
    for name, number in [("keep_prob", keep_prob), ("learning_rate", learning_rate)]:
        need(isinstance(number, (int, float, np.number)) and not isinstance(number, bool),
             f"{name} should be a number, not {words.describe(number)}.")
    need(0 < keep_prob <= 1, f"keep_prob is a probability, above 0 and at most 1, not {keep_prob}.")
    need(0 < learning_rate < 1,
         f"learning_rate should be above 0 and far below 1, such as 0.001, not {learning_rate}.")
    windows = text_size // (batch_size * num_steps)
    need(windows, f"The text has {text_size:,} characters, fewer than N·M = {batch_size * num_steps:,}: take a "
                  "smaller batch_size or num_steps.")
    parameters = count_parameters(num_classes, lstm_size, num_layers)
    found = advice(text_size, parameters, windows * epochs, num_steps, num_layers, learning_rate, keep_prob)
    if found:
        raise Wrong("\n".join(found))
    steps = words.count(windows * epochs, "step")
    return f"{parameters:,} parameters for {text_size:,} characters; {steps} in all."


def count_parameters(num_classes: int, lstm_size: int, num_layers: int) -> int:
    """Count the weights and biases of the network.

    >>> count_parameters(83, 512, 2)
    3362387
    """
    inputs = [num_classes] + (num_layers - 1) * [lstm_size]
    return sum((size + lstm_size + 1) * 4 * lstm_size for size in inputs) + (lstm_size + 1) * num_classes


def advice(text_size: int, parameters: int, steps: int, num_steps: int, num_layers: int, learning_rate: float,
           keep_prob: float) -> List[str]:
    """Return a sentence for each value that will not work well."""
    found = [
        (learning_rate > 0.005, f"learning_rate = {learning_rate:g} is high for Adam: short tests survive it, but in a "
                                "long run the loss may jump, or hardly fall. Try 0.001 to 0.003."),
        (learning_rate < 0.0003, f"learning_rate = {learning_rate:g} is low: the loss will fall very slowly. Try 0.001 "
                                 "to 0.003."),
        (parameters < text_size / 5, f"{parameters:,} parameters are few for {text_size:,} characters, so the network "
                                     f"will underfit: take more units, for at least {text_size // 5:,} parameters."),
        (parameters > 20 * text_size, f"{parameters:,} parameters are many for {text_size:,} characters: the network "
                                      "will learn the text by heart. Take fewer units."),
        (keep_prob < 0.4, f"keep_prob = {keep_prob:g} drops most of the units: try 0.5 to 0.9."),
        (num_steps < 25, f"num_steps = {num_steps} lets gradients reach back only "
                         f"{words.count(num_steps, 'character')}: try 50 or 100."),
        (num_layers > 3, f"num_layers = {num_layers} is more than helps here: two or three layers are usual."),
        (steps < 500, f"Only {words.count(steps, 'step')} in all: too few to learn words. Take more epochs or a "
                      "smaller batch_size."),
        (steps > 500_000, f"The run has {steps:,} steps, which take days. Take fewer epochs, or a larger "
                          "batch_size.")]  # at a quarter of a second each
    return [sentence for holds, sentence in found if holds]
