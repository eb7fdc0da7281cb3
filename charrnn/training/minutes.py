"""A run that ends after some minutes: its sizes and its epochs, from the time that a step takes on this machine.

More units learn more from each character, but take more time for it. So the size is the largest one that can still read
the text often enough, and then the text is read as often as the time allows.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.data import count_windows
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.tensorflow import use_own_threads
from charrnn.system.words import plural
from charrnn.training.presets import FEW_STEPS, PRESETS

# units, at least, and of the network that is timed to choose the size
LEAST_SIZE = 128
# A character takes longer by this power of the units.
GROWTH = 1.6
# With so many units for each epoch, a network has a low loss for its time (docs/log.md).
UNITS_OF_EPOCH = 56
# seconds to time each network, once it is built, and the least steps
SECONDS_TO_TIME = 0.5
STEPS_TO_TIME = 4
# characters of a text that can use more epochs than those of the preset auto, and how many times as many
LONG_TEXT = 500_000
MORE_EPOCHS = 3
# checkpoints at most; a short run has one in two minutes, and one at the end
MOST_CHECKPOINTS = 20
# A message names a time that is enough even if the run is 1.1 times as slow as expected.
MARGIN = 1.1

# What takes time besides training, in seconds. The evaluator builds a second network.
SECONDS_OF_EVALUATOR = 1.5
SECONDS_OF_CHECKPOINT = 0.5
SECONDS_OF_SAMPLED_CHARACTER = 1 / 3000
# An evaluation takes, for each character that it reads, this part of the time of training on it.
COST_OF_EVALUATION = 0.5
# characters that an evaluation reads in addition: 500 for each of its 32 rows
CHARACTERS_BEFORE = 16_000

# The more units and epochs, the nearer the values are to those of BEST.
QUICK = Hyperparameters(**PRESETS["quick"])
BEST = Hyperparameters(**PRESETS["best"])


class Timing(NamedTuple):
    """What a network takes: the seconds until its first step is done, and those for a character that it trains on."""

    start: float
    character: float


@dataclass(frozen=True)
class Wish:
    """A run that is to take some minutes.

    Attributes:
        planned: the hyperparameters that it would have if no time were given.
        lengths: the characters to train on, to evaluate on, and to evaluate on once at the end.
        fixed: the names of the values that stay.
        minutes: the time that it is to take.
    """

    planned: Hyperparameters
    lengths: Tuple[int, ...]
    fixed: Tuple[str, ...]
    minutes: float

    @property
    def most_epochs(self) -> int:
        """The epochs from which on more time is of no use."""
        if sum(self.lengths) > LONG_TEXT:
            return MORE_EPOCHS * self.planned.epochs
        return self.planned.epochs

    @property
    def sizes(self) -> range:
        """The numbers of units to choose from."""
        size = self.planned.lstm_size
        if "lstm_size" in self.fixed:
            return range(size, size + 1)
        return range(min(LEAST_SIZE, size), size + 1, 8)

    def steps(self, hyper: Hyperparameters) -> int:
        """Return the steps of all epochs."""
        windows = count_windows(self.lengths[0], hyper.batch_size, hyper.num_steps)
        return windows * hyper.epochs

    def hyperparameters(self, size: int, epochs: int) -> Hyperparameters:
        """Return what a network of a size is trained with in some epochs."""
        planned = self.planned
        is_planned = size == planned.lstm_size and epochs == planned.epochs
        if is_planned and planned.epochs == self.most_epochs:
            return planned

        # Shorter windows make more steps.
        num_steps = planned.num_steps
        if "num_steps" not in self.fixed:
            most = 64 if epochs < 20 else 100
            num_steps = min(num_steps, most)
        hyper = replace(planned, lstm_size=size, epochs=epochs, num_steps=num_steps)
        steps = self.steps(hyper)
        checkpoints = min(epochs, MOST_CHECKPOINTS, 1 + self.minutes // 2)

        # More units and more epochs on the same text need more dropout. It depends on the distance to the most of
        # them. That of QUICK to BEST is 1.
        largest = BEST if self.most_epochs > planned.epochs else planned
        most_effort = largest.lstm_size * largest.epochs
        quick_to_best = (BEST.lstm_size * BEST.epochs) / (QUICK.lstm_size * QUICK.epochs)
        distance = math.log(most_effort / (size * epochs)) / math.log(quick_to_best)
        keep_prob = largest.keep_prob + distance * (QUICK.keep_prob - BEST.keep_prob)
        recurrent = 1.0
        if planned.unrolls_fused:
            # This dropout falls 1.75 times as fast: it is none at 1 / 1.75 of the way from BEST to QUICK.
            fall = distance * 1.75 * (1 - BEST.recurrent_keep_prob)
            least = largest.recurrent_keep_prob
            recurrent = _rounded(least + fall, least, 1)

        # With this exponent, the rate of BEST becomes that of QUICK at the size of QUICK.
        learning_rate = planned.learning_rate * (planned.lstm_size / size) ** 1.2
        values: Dict[str, Any] = dict(
            keep_prob=_rounded(keep_prob, largest.keep_prob, 0.95),
            recurrent_keep_prob=recurrent,
            learning_rate=_rounded(learning_rate, 0, QUICK.learning_rate),
            # With larger gradients or without a warm-up, such a rate leads some seeds astray at first.
            grad_clip=QUICK.grad_clip,
            warmup_steps=min(QUICK.warmup_steps, steps // 6),
            # The averages are over about a twentieth of the steps.
            average_decay=_rounded(1 - 20 / max(1, steps), 0.99, 0.998),
            save_every_n=max(1, math.ceil(steps / checkpoints)),
        )
        free = {name: value for name, value in values.items() if name not in self.fixed}
        return replace(hyper, **free)

    def seconds(self, hyper: Hyperparameters, timing: Timing) -> float:
        """Return the time that a run takes, by what its network takes."""
        steps = self.steps(hyper)
        checkpoints = math.ceil(steps / hyper.save_every_n)
        evaluations = checkpoints
        if hyper.eval_every_n:
            evaluations += steps // hyper.eval_every_n

        _, held_out, test = self.lengths
        trained = steps * hyper.batch_size * hyper.num_steps
        evaluated = 0
        if held_out:
            evaluated += evaluations * (held_out + CHARACTERS_BEFORE)
        if test:
            evaluated += test + CHARACTERS_BEFORE
        sample = SECONDS_OF_SAMPLED_CHARACTER * hyper.sample_length
        return (
            timing.start
            + SECONDS_OF_EVALUATOR
            + checkpoints * (SECONDS_OF_CHECKPOINT + sample)
            + timing.character * (trained + COST_OF_EVALUATION * evaluated)
        )

    def epochs(self, size: int, timing: Timing, used: float) -> int:
        """Return how many epochs a network of a size has time for; 0 if these are too few steps to learn from."""
        least_steps = min(FEW_STEPS, self.steps(self.planned))
        for epochs in range(self.most_epochs, 0, -1):
            hyper = self.hyperparameters(size, epochs)
            if self.seconds(hyper, timing) + used > 60 * self.minutes:
                continue
            if self.steps(hyper) >= least_steps:
                return epochs
            break
        return 0

    def size(self, timing: Timing, used: float) -> int:
        """Return the largest size that has time for enough epochs, by the timing of the smallest; if none has, that."""
        largest = self.sizes[0]
        for size in self.sizes:
            slower = (size / self.sizes[0]) ** GROWTH
            scaled = Timing(timing.start, slower * timing.character)
            enough = min(size / UNITS_OF_EPOCH, self.most_epochs)
            if self.epochs(size, scaled, used) >= enough:
                largest = size
        return largest

    def in_words(self, hyper: Hyperparameters, seconds: float) -> str:
        """Say what was chosen."""
        is_largest = hyper.lstm_size == self.sizes[-1] and hyper.epochs == self.most_epochs
        needed = seconds / 60
        more = ""
        if is_largest and needed < self.minutes - 0.05:
            more = f", more than the text can use (about {needed:.1f})"
        minutes = f"{self.minutes:g} minutes"
        if self.minutes == 1:
            minutes = "1 minute"
        layers = f"{plural(hyper.num_layers, 'layer')} of {hyper.lstm_size:,}"
        return f"{minutes}{more}: {layers}, {plural(hyper.epochs, 'epoch')}"


def fitted(
    wish: Wish, time_network: Callable[..., Timing], started: float
) -> Tuple[Hyperparameters, str]:
    """Return the hyperparameters with which a run ends in time, and a sentence about them.

    Args:
        wish: the run.
        time_network: called with ``hyper=``, it times a network with these hyperparameters.
        started: the reading of time.perf_counter() when the time began.

    Raises:
        ValueError: the time is too short.
    """
    # What a character takes hardly depends on the number of epochs.
    smallest = wish.sizes[0]
    timing = time_network(hyper=wish.hyperparameters(smallest, epochs=1))
    used = time.perf_counter() - started
    time_to_time_again = timing.start + SECONDS_TO_TIME
    size = wish.size(timing, used + time_to_time_again)
    if size > smallest:
        timing = time_network(hyper=wish.hyperparameters(size, epochs=1))
        used = time.perf_counter() - started

    epochs = wish.epochs(size, timing, used)
    if not epochs:
        raise ValueError(
            f"minutes {wish.minutes:g} is too short to learn from this text on this machine: it takes at least "
            f"{_least(wish, size, timing, used):g}"
        )
    hyper = wish.hyperparameters(size, epochs)
    return hyper, wish.in_words(hyper, used + wish.seconds(hyper, timing))


def in_time(wish: Wish, time_network: Callable[..., Timing], started: float) -> Optional[str]:
    """Return a sentence about a run with the hyperparameters that are planned; None if it takes too long.

    The arguments are those of :func:`fitted`.
    """
    timing = time_network(hyper=wish.planned)
    used = time.perf_counter() - started
    seconds = used + wish.seconds(wish.planned, timing)
    if seconds > 60 * wish.minutes:
        return None
    return wish.in_words(wish.planned, seconds)


def _least(wish: Wish, size: int, timing: Timing, used: float) -> float:
    """Return the least minutes, a multiple of 0.1, in which a run ends that is a tenth slower than expected."""
    slower = Timing(MARGIN * timing.start, MARGIN * timing.character)
    while not wish.epochs(size, slower, used):
        wish = replace(wish, minutes=(int(10 * wish.minutes) + 1) / 10)
    return wish.minutes


def _rounded(value: float, least: float, most: float) -> float:
    return round(min(most, max(least, value)), 4)


def time_network(hyper: Hyperparameters, num_classes: int, threads: int, in_order: bool) -> Timing:
    """Build the network of a run, and train it for about SECONDS_TO_TIME."""
    # Not above, because they import TensorFlow.
    from charrnn.system.tensorflow import forget_gradients, tf
    from charrnn.training.distributed import Processes
    from charrnn.training.graph import TrainingGraph

    start = time.perf_counter()
    model = TrainingGraph(num_classes, hyper, Processes(), threads=threads, in_order=in_order)
    forget_gradients(tf.get_default_graph())
    use_own_threads(model.config)
    ends = step_ends(model, hyper, SECONDS_TO_TIME)
    seconds_of_step = float(np.median(np.diff(ends)))
    return Timing(ends[0] - start, seconds_of_step / (hyper.batch_size * hyper.num_steps))


def step_ends(model: Any, hyper: Hyperparameters, seconds: float = 0) -> List[float]:
    """Train a new network, a TrainingGraph, for STEPS_TO_TIME or more. Return the time at the end of each step.

    Args:
        model: the network.
        hyper: its hyperparameters.
        seconds: how long to train after the first step, if that is longer.
    """
    from charrnn.system.tensorflow import tf

    window = np.ones(model.inputs.shape.as_list(), np.int32)
    feed = {model.inputs: window, model.targets: window, model.keep_prob: hyper.keep_prob}
    ends: List[float] = []
    with tf.Session(config=model.config) as sess:
        sess.run(tf.global_variables_initializer())
        while len(ends) < STEPS_TO_TIME or ends[-1] < ends[0] + seconds:
            sess.run([model.loss, model.gradient_norm, model.final_state, model.optimizer], feed)
            ends.append(time.perf_counter())
    return ends
