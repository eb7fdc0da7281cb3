"""A run that ends after some minutes: its sizes and its epochs, from the time that a step takes on this machine.

More units learn more from each character, but take more time for it. So the more time there is, the more units are
worth theirs. Of the sizes and epochs that end in time, :func:`fitted` takes those with the lowest loss to expect.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from charrnn.data import count_windows
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.words import plural
from charrnn.training.presets import FEW_STEPS, PRESETS

TIMED = (128, 256, 512)  # units of the networks that are timed
TIMING = 0.5  # seconds for each, once it is built
STEPS = 4  # and at least so many steps
LONG = 500_000  # characters of a text that can use more epochs than those of the preset auto
MORE_EPOCHS = 3  # so many times as many, with dropout on the recurrent weights too
SLOWER = 1.1  # than expected, for the least time that is named
CHECKPOINTS = 20  # at most; one in two minutes, and one at the end

# What else takes time, in seconds
EVALUATOR = 1.5  # the second network, which evaluates
CHECKPOINT = 0.5
SAMPLED = 1 / 3000  # a character of a sample
# An evaluation takes, for each character, a part of the time of training on it, and reads some in addition.
EVALUATED = 0.5
CONTEXT = 16_000

# The more units and epochs, the nearer the values are to those of BEST.
QUICK = Hyperparameters(**PRESETS["quick"])
BEST = Hyperparameters(**PRESETS["best"])


class Timing(NamedTuple):
    """What a network takes: the seconds until its first step is done, and those for a character that it trains on."""

    start: float
    character: float


def time_network(num_classes: int, hyper: Hyperparameters, threads: int, in_order: bool) -> Timing:
    """Build the network of a run, and train it for about TIMING."""
    from charrnn.training.distributed import Processes
    from charrnn.training.graph import TrainingGraph  # not above, because it imports TensorFlow

    start = time.perf_counter()
    model = TrainingGraph(num_classes, hyper, Processes(), threads, in_order)
    model.config.use_per_session_threads = True  # so that training can have others
    ends = step_ends(model, hyper, TIMING)
    seconds_of_step = float(np.median(np.diff(ends)))
    return Timing(ends[0] - start, seconds_of_step / (hyper.batch_size * hyper.num_steps))


def step_ends(model: Any, hyper: Hyperparameters, seconds: float = 0) -> List[float]:
    """Train a new network, a TrainingGraph, for at least STEPS. Return the time at the end of each step."""
    from charrnn.system.tensorflow import tf

    window = np.ones(model.inputs.shape.as_list(), np.int32)
    feed = {model.inputs: window, model.targets: window, model.keep_prob: hyper.keep_prob}
    ends: List[float] = []
    with tf.Session(config=model.config) as sess:
        sess.run(tf.global_variables_initializer())
        while len(ends) < STEPS or ends[-1] < ends[0] + seconds:
            sess.run([model.loss, model.gradient_norm, model.final_state, model.optimizer], feed)
            ends.append(time.perf_counter())
    return ends


class Extent(NamedTuple):
    """What the time of a run and its loss depend on: some of its hyperparameters."""

    lstm_size: int
    epochs: int
    num_steps: int
    save_every_n: int


@dataclass(frozen=True)
class Choice:
    """What there is to choose from.

    Attributes:
        auto: the hyperparameters of the preset auto, with the values that are given.
        lengths: the characters to train on, to evaluate on, and to evaluate on once at the end.
        fixed: the names of the values that stay.
        minutes: the time that the run is to take.
        sample_length: characters to sample at each checkpoint.
    """

    auto: Hyperparameters
    lengths: Tuple[int, ...]
    fixed: Tuple[str, ...]
    minutes: float
    sample_length: int

    @property
    def most_epochs(self) -> int:
        """The epochs from which on more time is of no use."""
        if sum(self.lengths) > LONG:
            return MORE_EPOCHS * self.auto.epochs
        return self.auto.epochs

    def steps(self, epochs: int, num_steps: int) -> int:
        """Return the steps of all epochs."""
        return count_windows(self.lengths[0], self.auto.batch_size, num_steps) * epochs

    def sizes(self) -> range:
        """Return the numbers of units to choose from."""
        size = self.auto.lstm_size
        if "lstm_size" in self.fixed:
            return range(size, size + 1)
        return range(min(TIMED[0], size), size + 1, 8)

    def extent(self, size: int, epochs: int) -> Extent:
        """Return how a network of a size is trained in some epochs, as far as its time depends on it."""
        auto = self.auto
        if self._is_auto(size, epochs):
            return Extent(size, epochs, auto.num_steps, auto.save_every_n)

        num_steps = auto.num_steps
        if "num_steps" not in self.fixed:
            # shorter windows make more steps
            most = 64 if epochs < 20 else 100
            num_steps = min(num_steps, most)

        save_every_n = auto.save_every_n
        if "save_every_n" not in self.fixed:
            checkpoints = min(epochs, CHECKPOINTS, 1 + self.minutes // 2)
            save_every_n = max(1, math.ceil(self.steps(epochs, num_steps) / checkpoints))
        return Extent(size, epochs, num_steps, save_every_n)

    def _is_auto(self, size: int, epochs: int) -> bool:
        """Return whether these are the size and epochs of the preset auto, and more epochs are of no use."""
        auto = self.auto
        return size == auto.lstm_size and epochs == auto.epochs == self.most_epochs

    def hyperparameters(self, size: int, epochs: int) -> Hyperparameters:
        """Return what a network of a size is trained with in some epochs."""
        auto = self.auto
        if self._is_auto(size, epochs):
            return auto

        # More units and more epochs on the same text need more dropout. It depends on the distance to the most of
        # them. That of QUICK to BEST is 1.
        largest = BEST if self.most_epochs > auto.epochs else auto
        most_effort = largest.lstm_size * largest.epochs
        quick_to_best = (BEST.lstm_size * BEST.epochs) / (QUICK.lstm_size * QUICK.epochs)
        distance = math.log(most_effort / (size * epochs)) / math.log(quick_to_best)

        keep_prob = largest.keep_prob + distance * (QUICK.keep_prob - BEST.keep_prob)
        recurrent = 1.0
        if auto.unrolls_fused:
            recurrent = largest.recurrent_keep_prob + distance * 1.75 * (
                1 - BEST.recurrent_keep_prob
            )
            recurrent = _rounded(recurrent, largest.recurrent_keep_prob, 1)

        extent = self.extent(size, epochs)
        steps = self.steps(epochs, extent.num_steps)
        learning_rate = auto.learning_rate * (auto.lstm_size / size) ** 1.2
        values = dict(
            lstm_size=size,
            epochs=epochs,
            num_steps=extent.num_steps,
            keep_prob=_rounded(keep_prob, largest.keep_prob, 0.95),
            recurrent_keep_prob=recurrent,
            learning_rate=_rounded(learning_rate, 0, QUICK.learning_rate),
            # with larger gradients or without a warm-up, such a rate leads some seeds astray at first
            grad_clip=QUICK.grad_clip,
            warmup_steps=min(QUICK.warmup_steps, steps // 6),
            # more steps need averages over more of them
            average_decay=_rounded(1 - 20 / max(1, steps), 0.99, 0.998),
            save_every_n=extent.save_every_n,
        )
        free = {name: value for name, value in values.items() if name not in self.fixed}
        return replace(auto, **free)

    def seconds(self, extent: Extent, timing: Timing) -> float:
        """Return the time that a run takes."""
        hyper = self.auto
        steps = self.steps(extent.epochs, extent.num_steps)
        checkpoints = math.ceil(steps / extent.save_every_n)
        evaluations = checkpoints
        if hyper.eval_every_n:
            evaluations += steps // hyper.eval_every_n

        _, held_out, test = self.lengths
        trained = steps * hyper.batch_size * extent.num_steps
        read = 0
        if held_out:
            read += evaluations * (held_out + CONTEXT)
        if test:
            read += test + CONTEXT
        return (
            timing.start
            + EVALUATOR
            + checkpoints * (CHECKPOINT + SAMPLED * self.sample_length)
            + timing.character * (trained + EVALUATED * read)
        )

    def extents(self, timings: Dict[int, Timing]) -> Iterator[Tuple[float, Extent]]:
        """Yield what is worth it, of sizes up to the largest that was timed, and the seconds that each takes."""
        least_steps = min(FEW_STEPS, self.steps(self.auto.epochs, self.auto.num_steps))
        for size in self.sizes():
            if size > max(timings):
                break
            timing = _between(timings, size)
            for epochs in range(1, self.most_epochs + 1):
                extent = self.extent(size, epochs)
                if self.steps(epochs, extent.num_steps) >= least_steps:
                    yield self.seconds(extent, timing), extent

    def loss(self, extent: Extent) -> float:
        """Return the loss to expect, in nats per character above a constant.

        The factors are estimated from ten sizes and epochs on Tiny Shakespeare, with 128 to 512 units in 3 to 6 epochs.
        The losses were within 0.014 of what they say.
        """
        seen = self.lengths[0] * extent.epochs / 1e6
        return 0.07 * (224 / extent.lstm_size) ** 1.9 + 0.1 / seen + 1 / seen**3


def _between(timings: Dict[int, Timing], size: int) -> Timing:
    """Return what a network of a size takes, by those that were timed, along straight lines on logarithmic scales."""
    sizes = np.log(list(timings))
    starts = np.log([timing.start for timing in timings.values()])
    characters = np.log([timing.character for timing in timings.values()])
    place = math.log(size)
    return Timing(
        math.exp(np.interp(place, sizes, starts)),
        math.exp(np.interp(place, sizes, characters)),
    )


def _rounded(value: float, least: float, most: float) -> float:
    return round(min(most, max(least, value)), 4)


def fitted(
    choice: Choice, time_network_of: Callable[[Hyperparameters], Timing], started: float
) -> Tuple[Hyperparameters, str]:
    """Return the hyperparameters with which a run ends in time, and a sentence about them.

    Args:
        choice: what there is to choose from.
        time_network_of: a function that times a network.
        started: the reading of time.perf_counter() when the time began.

    Raises:
        ValueError: the time is too short.
    """
    sizes = choice.sizes()
    timed = {size for size in TIMED if size in sizes}
    timings: Dict[int, Timing] = {}
    for size in sorted({sizes[0], sizes[-1], *timed}):
        timings[size] = time_network_of(choice.hyperparameters(size, epochs=1))
        used = time.perf_counter() - started
        best = _best_in_time(choice, timings, used)
        if best.lstm_size < size:
            break  # a larger network would learn too slowly

    hyper = choice.hyperparameters(best.lstm_size, best.epochs)
    seconds = used + choice.seconds(best, timings[size])
    return hyper, _in_words(choice, hyper, seconds)


def _best_in_time(choice: Choice, timings: Dict[int, Timing], used: float) -> Extent:
    """Return what has the lowest loss of all that ends in time, after some seconds that are used already."""
    left = 60 * choice.minutes - used
    in_time = [extent for seconds, extent in choice.extents(timings) if seconds <= left]
    if not in_time:
        raise ValueError(
            f"minutes {choice.minutes:g} is too short to learn from this text on this machine: it takes at least "
            f"{_least(choice, timings, used):g}"
        )
    return min(in_time, key=choice.loss)


def _least(choice: Choice, timings: Dict[int, Timing], used: float) -> float:
    """Return the least time in minutes, a multiple of 0.1, in which a run ends that is a tenth slower than expected.

    The more time, the more checkpoints.
    """
    while True:
        shortest = min(seconds for seconds, _ in choice.extents(timings))
        if shortest * SLOWER + used <= 60 * choice.minutes:
            return choice.minutes
        choice = replace(choice, minutes=(int(10 * choice.minutes) + 1) / 10)


def _in_words(choice: Choice, hyper: Hyperparameters, seconds: float) -> str:
    is_largest = hyper.lstm_size == choice.sizes()[-1] and hyper.epochs == choice.most_epochs
    needed = seconds / 60
    more = ""
    if is_largest and needed < choice.minutes - 0.05:
        more = f", more than the text can use (about {needed:.1f})"
    minutes = f"{choice.minutes:g} minute{'' if choice.minutes == 1 else 's'}"
    layers = f"{plural(hyper.num_layers, 'layer')} of {hyper.lstm_size:,}"
    return f"{minutes}{more}: {layers}, {plural(hyper.epochs, 'epoch')}"
