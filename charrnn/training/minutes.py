"""A run that ends after some minutes: its sizes and its epochs, from the time that a step takes on this machine.

More units learn more from each character, but take more time for it. So the more time there is, the more units are
worth theirs. Of the sizes and epochs that end in time, :func:`fitted` takes those with the lowest loss to expect.
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

# units of the networks that are timed
SIZES_TO_TIME = (128, 256, 512)
# seconds to time each network, once it is built
SECONDS_TO_TIME = 0.5
# steps to time, at least, for each network
STEPS_TO_TIME = 4
# characters of a text that can use more epochs than those of the preset auto
LONG_TEXT = 500_000
# times as many epochs of such a text, with dropout on the recurrent weights too
MORE_EPOCHS = 3
# checkpoints at most; a short run has one in two minutes, and one at the end
MOST_CHECKPOINTS = 20
# A message names a time that is enough even if the run is 1.1 times as slow as expected.
MARGIN = 1.1

# What takes time besides training, in seconds.
# seconds to build the second network, which evaluates
SECONDS_OF_EVALUATOR = 1.5
SECONDS_OF_CHECKPOINT = 0.5
SECONDS_OF_SAMPLED_CHARACTER = 1 / 3000
# An evaluation takes, for each character that it reads, this part of the time of training on it.
COST_OF_EVALUATION = 0.5
# characters that an evaluation reads in addition: 500 for each of its 32 rows
CHARACTERS_BEFORE = 16_000

# a number, or an array of numbers for many runs
Numbers = Any

# The more units and epochs, the nearer the values are to those of BEST.
QUICK = Hyperparameters(**PRESETS["quick"])
BEST = Hyperparameters(**PRESETS["best"])


class Timing(NamedTuple):
    """What a network takes: the seconds until its first step is done, and those for a character that it trains on."""

    start: Numbers
    character: Numbers


def fitted(
    candidates: "Candidates", time_network: Callable[..., Timing], started: float
) -> Tuple[Hyperparameters, str]:
    """Return the hyperparameters with which a run ends in time, and a sentence about them.

    Args:
        candidates: what there is to choose from.
        time_network: called with ``hyper=``, it times a network with these hyperparameters.
        started: the reading of time.perf_counter() when the time began.

    Raises:
        ValueError: the time is too short.
    """
    sizes = candidates.sizes()
    sizes_to_time = {size for size in SIZES_TO_TIME if size in sizes}
    sizes_to_time |= {sizes[0], sizes[-1]}
    timings: Dict[int, Timing] = {}
    for size in sorted(sizes_to_time):
        # What a character takes hardly depends on the number of epochs.
        hyper = candidates.hyperparameters(size, epochs=1)
        timings[size] = time_network(hyper=hyper)
        used = time.perf_counter() - started
        best = _best_in_time(candidates, timings, used)
        # A larger network would learn too slowly.
        if best.lstm_size < size:
            break

    hyper = candidates.hyperparameters(best.lstm_size, best.epochs)
    timing = _interpolated(timings, best.lstm_size)
    seconds = used + candidates.seconds(best, timing)
    return hyper, _in_words(candidates, hyper, seconds)


def in_time(
    candidates: "Candidates", time_network: Callable[..., Timing], started: float
) -> Optional[str]:
    """Return a sentence about a run with the hyperparameters that are planned; None if it takes too long.

    The arguments are those of :func:`fitted`.
    """
    hyper = candidates.planned
    timing = time_network(hyper=hyper)
    used = time.perf_counter() - started
    run = Candidate(
        lstm_size=hyper.lstm_size,
        epochs=hyper.epochs,
        num_steps=hyper.num_steps,
        save_every_n=hyper.save_every_n,
    )
    seconds = used + candidates.seconds(run, timing)
    if seconds > 60 * candidates.minutes:
        return None
    return _in_words(candidates, hyper, seconds)


def _best_in_time(candidates: "Candidates", timings: Dict[int, Timing], used: float) -> "Candidate":
    """Return the candidate with the lowest loss of those that end in time, after some seconds that are used already."""
    grid, seconds = candidates.with_seconds(timings)
    ends_in_time = seconds <= 60 * candidates.minutes - used  # [S, E]
    if not ends_in_time.any():
        raise ValueError(
            f"minutes {candidates.minutes:g} is too short to learn from this text on this machine: it takes at least "
            f"{_least(candidates, timings, used):g}"
        )
    losses = np.where(ends_in_time, candidates.expected_loss(grid), np.inf)
    row, column = np.unravel_index(losses.argmin(), losses.shape)
    return candidates.candidate(candidates.sizes()[row], epochs=int(column) + 1)


def _least(candidates: "Candidates", timings: Dict[int, Timing], used: float) -> float:
    """Return the least minutes, a multiple of 0.1, in which a run ends that is a tenth slower than expected."""
    # More minutes have more checkpoints, which take time themselves. So each multiple is tried.
    while True:
        _, seconds = candidates.with_seconds(timings)
        if seconds.min() * MARGIN + used <= 60 * candidates.minutes:
            return candidates.minutes
        candidates = replace(candidates, minutes=(int(10 * candidates.minutes) + 1) / 10)


def _in_words(candidates: "Candidates", hyper: Hyperparameters, seconds: float) -> str:
    sizes = candidates.sizes()
    is_largest = hyper.lstm_size == sizes[-1] and hyper.epochs == candidates.most_epochs
    needed = seconds / 60
    more = ""
    if is_largest and needed < candidates.minutes - 0.05:
        more = f", more than the text can use (about {needed:.1f})"
    minutes = f"{candidates.minutes:g} minutes"
    if candidates.minutes == 1:
        minutes = "1 minute"
    layers = f"{plural(hyper.num_layers, 'layer')} of {hyper.lstm_size:,}"
    return f"{minutes}{more}: {layers}, {plural(hyper.epochs, 'epoch')}"


class Candidate(NamedTuple):
    """A size and a number of epochs for a run, and what else its time depends on."""

    lstm_size: Numbers
    epochs: Numbers
    num_steps: Numbers
    save_every_n: Numbers


@dataclass(frozen=True)
class Candidates:
    """The sizes and epochs that there are to choose from, with what they take and what they are worth.

    Attributes:
        planned: the hyperparameters that the run would have if no time were given.
        lengths: the characters to train on, to evaluate on, and to evaluate on once at the end.
        fixed: the names of the values that stay.
        minutes: the time that the run is to take.
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

    def steps(self, epochs: Numbers, num_steps: Numbers) -> Numbers:
        """Return the steps of all epochs."""
        return count_windows(self.lengths[0], self.planned.batch_size, num_steps) * epochs

    def sizes(self) -> range:
        """Return the numbers of units to choose from."""
        size = self.planned.lstm_size
        if "lstm_size" in self.fixed:
            return range(size, size + 1)
        return range(min(SIZES_TO_TIME[0], size), size + 1, 8)

    def candidate(self, size: Numbers, epochs: Numbers) -> Candidate:
        """Return the candidate with a size and a number of epochs."""
        planned = self.planned
        num_steps = planned.num_steps
        if "num_steps" not in self.fixed:
            # Shorter windows make more steps.
            most = np.where(epochs < 20, 64, 100)
            num_steps = np.minimum(num_steps, most)

        save_every_n = planned.save_every_n
        if "save_every_n" not in self.fixed:
            checkpoints = np.minimum(epochs, min(MOST_CHECKPOINTS, 1 + self.minutes // 2))
            save_every_n = np.ceil(self.steps(epochs, num_steps) / checkpoints)
            save_every_n = np.maximum(1, save_every_n).astype(int)

        is_planned = self._is_planned(size, epochs)
        return Candidate(
            lstm_size=size,
            epochs=epochs,
            num_steps=np.where(is_planned, planned.num_steps, num_steps),
            save_every_n=np.where(is_planned, planned.save_every_n, save_every_n),
        )

    def _is_planned(self, size: Numbers, epochs: Numbers) -> Numbers:
        """Return whether this is what is planned: its size and its epochs, and more epochs are of no use."""
        planned = self.planned
        has_most = planned.epochs == self.most_epochs
        return (size == planned.lstm_size) & (epochs == planned.epochs) & has_most

    def hyperparameters(self, size: int, epochs: int) -> Hyperparameters:
        """Return what a network of a size is trained with in some epochs."""
        planned = self.planned
        if self._is_planned(size, epochs):
            return planned

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
            recurrent = largest.recurrent_keep_prob + distance * 1.75 * (
                1 - BEST.recurrent_keep_prob
            )
            recurrent = _rounded(recurrent, largest.recurrent_keep_prob, 1)

        candidate = self.candidate(size, epochs)
        num_steps = int(candidate.num_steps)
        steps = self.steps(epochs, num_steps)
        # With this exponent, the rate of BEST becomes that of QUICK at the size of QUICK.
        learning_rate = planned.learning_rate * (planned.lstm_size / size) ** 1.2
        values: Dict[str, Any] = dict(
            lstm_size=size,
            epochs=epochs,
            num_steps=num_steps,
            keep_prob=_rounded(keep_prob, largest.keep_prob, 0.95),
            recurrent_keep_prob=recurrent,
            learning_rate=_rounded(learning_rate, 0, QUICK.learning_rate),
            # With larger gradients or without a warm-up, such a rate leads some seeds astray at first.
            grad_clip=QUICK.grad_clip,
            warmup_steps=min(QUICK.warmup_steps, steps // 6),
            # The averages are over about a twentieth of the steps.
            average_decay=_rounded(1 - 20 / max(1, steps), 0.99, 0.998),
            save_every_n=int(candidate.save_every_n),
        )
        free = {name: value for name, value in values.items() if name not in self.fixed}
        return replace(planned, **free)

    def seconds(self, candidate: Candidate, timing: Timing) -> Numbers:
        """Return the time that a run takes, by what its network takes."""
        hyper = self.planned
        steps = self.steps(candidate.epochs, candidate.num_steps)
        checkpoints = np.ceil(steps / candidate.save_every_n)
        evaluations = checkpoints
        if hyper.eval_every_n:
            evaluations = checkpoints + steps // hyper.eval_every_n

        _, held_out, test = self.lengths
        trained = steps * hyper.batch_size * candidate.num_steps
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

    def with_seconds(self, timings: Dict[int, Timing]) -> Tuple[Candidate, np.ndarray]:
        """Return all candidates as arrays of S sizes and E epochs, and the seconds [S, E] that they take.

        The time is infinite for those with too few steps to learn from, and for those larger than what was timed.

        Args:
            timings: what networks take, by their sizes.
        """
        sizes = np.array(self.sizes())[:, np.newaxis]  # [S, 1]
        epochs = np.arange(1, self.most_epochs + 1)  # [E]
        grid = self.candidate(sizes, epochs)
        seconds = self.seconds(grid, _interpolated(timings, sizes))

        least_steps = min(FEW_STEPS, self.steps(self.planned.epochs, self.planned.num_steps))
        can_learn = self.steps(epochs, grid.num_steps) >= least_steps
        return grid, np.where(can_learn & (sizes <= max(timings)), seconds, np.inf)

    def expected_loss(self, candidate: Candidate) -> Numbers:
        """Return the loss to expect, in nats per character above a constant.

        The factor of the units, 0.035, is estimated from four documented losses on Tiny Shakespeare: two of 224 units
        and 5 epochs, 256 and 4, 464 and 8. They differ by 0.004 from what it says (the root of the mean square); with
        0.07 by 0.008. The other factors are from ten sizes and epochs, with 128 to 512 units in 3 to 6 epochs.
        """
        seen = self.lengths[0] * candidate.epochs / 1e6
        return 0.035 * (224 / candidate.lstm_size) ** 1.9 + 0.1 / seen + 1 / seen**3


def _interpolated(timings: Dict[int, Timing], size: Numbers) -> Timing:
    """Return what networks take by their sizes, on straight lines between those timed, in logarithmic scales."""
    sizes = np.log(list(timings))
    starts = np.log([timing.start for timing in timings.values()])
    characters = np.log([timing.character for timing in timings.values()])
    place = np.log(size)
    return Timing(
        start=np.exp(np.interp(place, sizes, starts)),
        character=np.exp(np.interp(place, sizes, characters)),
    )


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
