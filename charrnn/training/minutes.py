"""A run that ends after some minutes: its sizes and its epochs, from the time that a step takes on this machine.

More units learn more from each character, but take more time for it. So the more time there is, the more units are
worth theirs. Of the sizes and epochs that end in time, :func:`fitted` takes those with the lowest loss to expect.
"""
import math
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from charrnn.checkpoints.hyperparameters import Hyperparameters
from charrnn.data import count_windows
from charrnn.system.words import plural
from charrnn.training.presets import FEW_STEPS, PRESETS

TIMED = (128, 256, 512)  # units of the networks that are timed
TIMING, STEPS = 0.5, 4  # seconds for each, once it is built, and at least so many steps
LONG = 500_000  # characters of a text that can use more epochs than those of the preset auto
MORE_EPOCHS = 3  # so many times as many, with dropout on the recurrent weights too
SLOWER = 1.1  # than expected, for the least time that is named
CHECKPOINTS = 20  # at most; one in two minutes, and one at the end
# What else takes time: seconds for the second network, which evaluates, for a checkpoint, and for a character of a
# sample. An evaluation takes, for each character, a part of the time of training on it, and reads some in addition.
EVALUATOR, CHECKPOINT, SAMPLED, EVALUATED, CONTEXT = 1.5, 0.5, 1 / 3000, 0.5, 16_000


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
    return Timing(ends[0] - start, float(np.median(np.diff(ends))) / (hyper.batch_size * hyper.num_steps))


def step_ends(model: Any, hyper: Hyperparameters, seconds: float = 0) -> List[float]:
    """Train a new network, a TrainingGraph, for at least STEPS. Return the time at the end of each step."""
    from charrnn.system.tensorflow import tf
    window, ends = np.ones(model.inputs.shape.as_list(), np.int32), []  # type: np.ndarray, List[float]
    with tf.Session(config=model.config) as sess:
        sess.run(tf.global_variables_initializer())
        feed = {model.inputs: window, model.targets: window, model.keep_prob: hyper.keep_prob}
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
        return self.auto.epochs * (MORE_EPOCHS if sum(self.lengths) > LONG else 1)

    def steps(self, hyper: Hyperparameters) -> int:
        """Return the steps of all epochs."""
        return count_windows(self.lengths[0], hyper.batch_size, hyper.num_steps) * hyper.epochs

    def sizes(self) -> range:
        """Return the numbers of units to choose from."""
        size = self.auto.lstm_size
        return range(size, size + 1) if "lstm_size" in self.fixed else range(min(TIMED[0], size), size + 1, 8)

    def hyperparameters(self, size: int, epochs: int) -> Hyperparameters:
        """Return what a network of a size is trained with in some epochs."""
        if (size, epochs) == (self.auto.lstm_size, self.auto.epochs) == (self.auto.lstm_size, self.most_epochs):
            return self.auto
        n_steps = min(self.auto.num_steps, 64 if epochs < 20 else 100)  # shorter windows make more steps
        steps = self.steps(self._changed(num_steps=n_steps, epochs=epochs))
        # more units and more epochs on the same text need more dropout, and averages over more steps
        quick, best = PRESETS["quick"], Hyperparameters(**PRESETS["best"])
        last = best if self.most_epochs > self.auto.epochs else self.auto
        early = (math.log(last.lstm_size * last.epochs / (size * epochs))  # 0 as in best, 1 as in quick
                 / math.log(best.lstm_size * best.epochs / (quick["lstm_size"] * quick["epochs"])))
        kept = last.keep_prob + (quick["keep_prob"] - best.keep_prob) * early
        recurrent = last.recurrent_keep_prob + 1.75 * (1 - best.recurrent_keep_prob) * early
        rate = self.auto.learning_rate * (self.auto.lstm_size / size) ** 1.2
        return self._changed(
            lstm_size=size, epochs=epochs, num_steps=n_steps, keep_prob=_rounded(kept, last.keep_prob, 0.95),
            recurrent_keep_prob=_rounded(recurrent, last.recurrent_keep_prob, 1) if self.auto.unrolls_fused else 1.0,
            learning_rate=_rounded(rate, 0, quick["learning_rate"]),
            # otherwise such a rate leads some seeds astray at first
            grad_clip=quick["grad_clip"], warmup_steps=min(quick["warmup_steps"], steps // 6),
            average_decay=_rounded(1 - 20 / max(1, steps), 0.99, 0.998),
            save_every_n=max(1, math.ceil(steps / min(epochs, CHECKPOINTS, 1 + self.minutes // 2))))

    def _changed(self, **values: Any) -> Hyperparameters:
        return replace(self.auto, **{name: value for name, value in values.items() if name not in self.fixed})

    def seconds(self, hyper: Hyperparameters, timing: Timing) -> float:
        """Return the time that a run takes."""
        steps, (_, held_out, test) = self.steps(hyper), self.lengths
        checkpoints = math.ceil(steps / hyper.save_every_n)
        evaluations = checkpoints + (steps // hyper.eval_every_n if hyper.eval_every_n else 0)
        read = sum(EVALUATED * (length + CONTEXT) * count for length, count in ((held_out, evaluations), (test, 1))
                   if length)
        return (timing.start + EVALUATOR + checkpoints * (CHECKPOINT + SAMPLED * self.sample_length)
                + timing.character * (read + steps * hyper.batch_size * hyper.num_steps))

    def runs(self, timings: Dict[int, Timing]) -> Iterator[Tuple[float, Hyperparameters]]:
        """Yield the runs that are worth it, of sizes up to the largest that was timed, and the seconds of each."""
        timed, known = np.log(list(timings)), np.log(list(timings.values()))  # [sizes], [sizes, 2]
        for size in (size for size in self.sizes() if size <= max(timings)):
            timing = Timing(*(math.exp(np.interp(math.log(size), timed, column)) for column in known.T))
            for epochs in range(1, self.most_epochs + 1):
                hyper = self.hyperparameters(size, epochs)
                if self.steps(hyper) >= min(FEW_STEPS, self.steps(self.auto)):
                    yield self.seconds(hyper, timing), hyper

    def loss(self, hyper: Hyperparameters) -> float:
        """Return the loss to expect, in nats per character above a constant.

        The factors are estimated from ten sizes and epochs on Tiny Shakespeare, with 128 to 512 units in 3 to 6 epochs.
        The losses were within 0.014 of what they say.
        """
        seen = self.lengths[0] * hyper.epochs / 1e6
        return 0.07 * (224 / hyper.lstm_size) ** 1.9 + 0.1 / seen + 1 / seen ** 3


def _rounded(value: float, least: float, most: float) -> float:
    return round(min(most, max(least, value)), 4)


def _least(choice: Choice, timings: Dict[int, Timing], used: float) -> float:
    """Return the least time in minutes, a multiple of 0.1, in which a run ends that is a tenth slower than expected.

    The more time, the more checkpoints.
    """
    while min(seconds for seconds, _ in choice.runs(timings)) * SLOWER + used > 60 * choice.minutes:
        choice = replace(choice, minutes=(int(10 * choice.minutes) + 1) / 10)
    return choice.minutes


def fitted(choice: Choice, time_one: Callable[[Hyperparameters], Timing],
           started: float) -> Tuple[Hyperparameters, str]:
    """Return the hyperparameters with which a run ends in time, and a sentence about them.

    Args:
        choice: what there is to choose from.
        time_one: a function that times a network.
        started: the reading of time.perf_counter() when the time began.

    Raises:
        ValueError: the time is too short.
    """
    sizes, minutes, timings = choice.sizes(), choice.minutes, {}  # type: range, float, Dict[int, Timing]
    for size in sorted({sizes[0], sizes[-1], *(size for size in TIMED if size in sizes)}):
        timings[size] = time_one(choice.hyperparameters(size, 1))
        runs, used = list(choice.runs(timings)), time.perf_counter() - started
        in_time = [hyper for seconds, hyper in runs if used + seconds <= 60 * minutes]
        if not in_time:
            raise ValueError(f"minutes {minutes:g} is too short to learn from this text on this machine: it takes at "
                             f"least {_least(choice, timings, used):g}")
        best = min(in_time, key=choice.loss)
        if best.lstm_size < size:
            break  # a larger network would learn too slowly
    is_most = (best.lstm_size, best.epochs) == (sizes[-1], choice.most_epochs)
    used += choice.seconds(best, timings[size])
    more = f", more than the text can use (about {used / 60:.1f})" if is_most and used / 60 < minutes - 0.05 else ""
    return best, (f"{minutes:g} minute{'s' * (minutes != 1)}{more}: {plural(best.num_layers, 'layer')} of "
                  f"{best.lstm_size:,}, {plural(best.epochs, 'epoch')}")
