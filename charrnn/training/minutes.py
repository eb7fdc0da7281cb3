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
        is_long = sum(self.lengths) > LONG
        return self.auto.epochs * (MORE_EPOCHS if is_long else 1)

    def steps(self, hyper: Hyperparameters) -> int:
        """Return the steps of all epochs."""
        return count_windows(self.lengths[0], hyper.batch_size, hyper.num_steps) * hyper.epochs

    def sizes(self) -> range:
        """Return the numbers of units to choose from."""
        size = self.auto.lstm_size
        if "lstm_size" in self.fixed:
            return range(size, size + 1)
        return range(min(TIMED[0], size), size + 1, 8)

    def hyperparameters(self, size: int, epochs: int) -> Hyperparameters:
        """Return what a network of a size is trained with in some epochs."""
        auto = self.auto
        if size == auto.lstm_size and epochs == auto.epochs == self.most_epochs:
            return auto

        # more units and more epochs on the same text need more dropout, and averages over more steps
        quick = Hyperparameters(**PRESETS["quick"])
        best = Hyperparameters(**PRESETS["best"])
        last = best if self.most_epochs > auto.epochs else auto  # of the most units and epochs
        last_effort = last.lstm_size * last.epochs
        quick_to_best = (best.lstm_size * best.epochs) / (quick.lstm_size * quick.epochs)
        early = math.log(last_effort / (size * epochs)) / math.log(
            quick_to_best
        )  # 0 as in best, 1 as in quick
        keep_prob = last.keep_prob + early * (quick.keep_prob - best.keep_prob)
        if auto.unrolls_fused:
            recurrent = last.recurrent_keep_prob + early * 1.75 * (1 - best.recurrent_keep_prob)
            recurrent = _rounded(recurrent, last.recurrent_keep_prob, 1)
        else:
            recurrent = 1.0

        num_steps = min(
            auto.num_steps, 64 if epochs < 20 else 100
        )  # shorter windows make more steps
        steps = self.steps(self._changed(num_steps=num_steps, epochs=epochs))
        checkpoints = min(epochs, CHECKPOINTS, 1 + self.minutes // 2)
        learning_rate = auto.learning_rate * (auto.lstm_size / size) ** 1.2
        return self._changed(
            lstm_size=size,
            epochs=epochs,
            num_steps=num_steps,
            keep_prob=_rounded(keep_prob, last.keep_prob, 0.95),
            recurrent_keep_prob=recurrent,
            learning_rate=_rounded(learning_rate, 0, quick.learning_rate),
            # otherwise such a rate leads some seeds astray at first
            grad_clip=quick.grad_clip,
            warmup_steps=min(quick.warmup_steps, steps // 6),
            average_decay=_rounded(1 - 20 / max(1, steps), 0.99, 0.998),
            save_every_n=max(1, math.ceil(steps / checkpoints)),
        )

    def _changed(self, **values: Any) -> Hyperparameters:
        free = {name: value for name, value in values.items() if name not in self.fixed}
        return replace(self.auto, **free)

    def seconds(self, hyper: Hyperparameters, timing: Timing) -> float:
        """Return the time that a run takes."""
        steps = self.steps(hyper)
        checkpoints = math.ceil(steps / hyper.save_every_n)
        evaluations = checkpoints
        if hyper.eval_every_n:
            evaluations += steps // hyper.eval_every_n

        _, held_out, test = self.lengths
        trained = steps * hyper.batch_size * hyper.num_steps
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

    def runs(self, timings: Dict[int, Timing]) -> Iterator[Tuple[float, Hyperparameters]]:
        """Yield the runs that are worth it, of sizes up to the largest that was timed, and the seconds of each."""
        least_steps = min(FEW_STEPS, self.steps(self.auto))
        for size in self.sizes():
            if size > max(timings):
                break
            timing = _between(timings, size)
            for epochs in range(1, self.most_epochs + 1):
                hyper = self.hyperparameters(size, epochs)
                if self.steps(hyper) >= least_steps:
                    yield self.seconds(hyper, timing), hyper

    def loss(self, hyper: Hyperparameters) -> float:
        """Return the loss to expect, in nats per character above a constant.

        The factors are estimated from ten sizes and epochs on Tiny Shakespeare, with 128 to 512 units in 3 to 6 epochs.
        The losses were within 0.014 of what they say.
        """
        seen = self.lengths[0] * hyper.epochs / 1e6
        return 0.07 * (224 / hyper.lstm_size) ** 1.9 + 0.1 / seen + 1 / seen**3


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
    choice: Choice, time_one: Callable[[Hyperparameters], Timing], started: float
) -> Tuple[Hyperparameters, str]:
    """Return the hyperparameters with which a run ends in time, and a sentence about them.

    Args:
        choice: what there is to choose from.
        time_one: a function that times a network.
        started: the reading of time.perf_counter() when the time began.

    Raises:
        ValueError: the time is too short.
    """
    sizes = choice.sizes()
    timings: Dict[int, Timing] = {}
    for size in sorted({sizes[0], sizes[-1], *(size for size in TIMED if size in sizes)}):
        timings[size] = time_one(choice.hyperparameters(size, 1))
        used = time.perf_counter() - started
        best = _best_in_time(choice, timings, used)
        if best.lstm_size < size:
            break  # a larger network would learn too slowly
    return best, _in_words(choice, best, used + choice.seconds(best, timings[size]))


def _best_in_time(choice: Choice, timings: Dict[int, Timing], used: float) -> Hyperparameters:
    """Return what has the lowest loss of all that ends in time, after some seconds that are used already."""
    left = 60 * choice.minutes - used
    in_time = [hyper for seconds, hyper in choice.runs(timings) if seconds <= left]
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
        shortest = min(seconds for seconds, _ in choice.runs(timings))
        if shortest * SLOWER + used <= 60 * choice.minutes:
            return choice.minutes
        choice = replace(choice, minutes=(int(10 * choice.minutes) + 1) / 10)


def _in_words(choice: Choice, best: Hyperparameters, seconds: float) -> str:
    is_largest = best.lstm_size == choice.sizes()[-1] and best.epochs == choice.most_epochs
    needed = seconds / 60
    more = ""
    if is_largest and needed < choice.minutes - 0.05:
        more = f", more than the text can use (about {needed:.1f})"
    minutes = f"{choice.minutes:g} minute{'' if choice.minutes == 1 else 's'}"
    layers = f"{plural(best.num_layers, 'layer')} of {best.lstm_size:,}"
    return f"{minutes}{more}: {layers}, {plural(best.epochs, 'epoch')}"
