"""What a training run is made with: its values, presets and learning-rate schedules, and whether it can be done."""
import math
import numbers
import sys
from typing import NamedTuple, Optional

from charrnn.data import count_windows

CELLS = ("lstm", "gru", "rnn", "layer-norm-lstm", "nas")
OPTIMIZERS = ("adam", "rmsprop")
SCHEDULES = ("constant", "exponential", "linear", "cosine")


class Hyperparameters(NamedTuple):
    """What a run is made with; the defaults are the notebook's recipe.

    Attributes:
        batch_size: N, sequences in a batch.
        num_steps: M, steps in a window, the reach of backpropagation through time.
        lstm_size: L, units in a layer.
        num_layers: layers of cells.
        learning_rate: the optimizer's step size, before the schedule.
        keep_prob: probability of keeping a unit in dropout on a layer's output, above 0, at most 1.
        grad_clip: largest global norm of the gradients.
        epochs: passes over the text.
        print_every_n: steps from one line to the next.
        save_every_n: steps from one checkpoint to the next.
        seed: seed of the weights and of dropout, 0 to 2147483647; None for another one each time.
        fused: whether an LSTM is unrolled by :mod:`charrnn.fused`, with the same numbers but sooner, or
            by ``dynamic_rnn`` as in the notebook.
        cell: one of CELLS.
        optimizer: one of OPTIMIZERS.
        input_keep_prob: probability of keeping a unit in dropout on a layer's input, above 0, at most 1.
        schedule: one of SCHEDULES, see :func:`learning_rate_at`.
        warmup_steps: steps over which the learning rate rises to its full size.
        decay: with the exponential schedule, the factor from one epoch to the next, above 0, at most 1.
        average_decay: decay of the running averages of the weights, which then take the place of the weights in
            evaluation and sampling; at least 0, below 1, 0 for none.
        val_fraction: share of the text, its end, that is held out for validation, at least 0, below 1.
        eval_every_n: steps from one evaluation to the next; 0 for one at each checkpoint.
        early_stop: evaluations without improvement after which training ends; 0 for never.
        max_to_keep: checkpoints that are kept, besides the best.
    """

    batch_size: int = 100
    num_steps: int = 100
    lstm_size: int = 512
    num_layers: int = 2
    learning_rate: float = 0.001
    keep_prob: float = 0.5
    grad_clip: float = 5.0
    epochs: int = 20
    print_every_n: int = 50
    save_every_n: int = 200
    seed: Optional[int] = None
    fused: bool = True
    cell: str = "lstm"
    optimizer: str = "adam"
    input_keep_prob: float = 1.0
    schedule: str = "constant"
    warmup_steps: int = 0
    decay: float = 0.95
    average_decay: float = 0.0
    val_fraction: float = 0.0
    eval_every_n: int = 0
    early_stop: int = 0
    max_to_keep: int = 100

    def check(self):
        """Raise ValueError where a value is out of range, or two contradict each other."""
        for names, kind, fits, wanted in _RANGES:
            for name in names:
                value = getattr(self, name)
                if isinstance(value, bool) or not isinstance(value, kind) or not fits(value):
                    raise ValueError("{} must be {}, not {!r}".format(name, wanted, value))
        for name, choices in [("cell", CELLS), ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES),
                              ("fused", (True, False))]:
            if getattr(self, name) not in choices:
                raise ValueError("{} must be one of {}, not {!r}".format(
                    name, ", ".join(map(str, choices)), getattr(self, name)))
        seed = self.seed
        if seed is not None and not (isinstance(seed, numbers.Integral) and 0 <= seed < 2 ** 31):
            raise ValueError("seed must be a whole number from 0 to 2147483647, not {!r}".format(seed))
        for name in ("eval_every_n", "early_stop"):
            if getattr(self, name) and not self.val_fraction:
                raise ValueError("{} needs a text to evaluate on: hold some out with val_fraction above 0".format(name))

    @property
    def unrolls_fused(self):
        """Whether the fused unroll is wanted and can do it: it is for the plain LSTM, without dropout on inputs."""
        return self.fused and self.cell == "lstm" and self.input_keep_prob == 1


_RANGES = [  # names, kind of number, what fits, the same in words
    (("batch_size", "num_steps", "lstm_size", "num_layers", "epochs", "print_every_n", "save_every_n", "max_to_keep"),
     numbers.Integral, lambda value: 0 < value < 2 ** 63, "a whole number above 0"),
    (("warmup_steps", "eval_every_n", "early_stop"),
     numbers.Integral, lambda value: 0 <= value < 2 ** 63, "a whole number, at least 0"),
    (("learning_rate", "grad_clip"), numbers.Real, lambda value: 0 < value <= sys.float_info.max, "a number above 0"),
    (("keep_prob", "input_keep_prob", "decay"), numbers.Real, lambda value: 0 < value <= 1,
     "a number above 0, at most 1"),
    (("average_decay", "val_fraction"), numbers.Real, lambda value: 0 <= value < 1, "a number from 0 to below 1"),
]

# What a resumed run may not change, for its weights, its state or its place in the text hang on it.
IMMUTABLE = ("batch_size", "num_steps", "lstm_size", "num_layers", "seed", "cell", "optimizer", "average_decay",
         "val_fraction")

PRESETS = {
    "notebook": {},
    "exercise": dict(batch_size=10, num_steps=50, lstm_size=128, learning_rate=0.01),
    # the next two: low validation losses on Tiny Shakespeare, in minutes and in an hour of two cores
    "quick": dict(batch_size=32, num_steps=64, lstm_size=224, learning_rate=0.006, keep_prob=0.85, epochs=4,
                  schedule="linear", warmup_steps=100, average_decay=0.99, val_fraction=0.1, save_every_n=490),
    "best": dict(batch_size=32, learning_rate=0.003, epochs=22, schedule="linear", warmup_steps=200,
                 average_decay=0.998, val_fraction=0.1, save_every_n=313, early_stop=3),
}


def learning_rate_at(hyperparameters, step, n_windows):
    """Return the learning rate of a step.

    In the first ``warmup_steps`` it rises in equal parts. After them it stays (constant), is multiplied by
    ``decay`` at each new epoch (exponential), or falls to 0 at the end of the last epoch in equal parts (linear)
    or along half a period of the cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).

    Args:
        hyperparameters: a Hyperparameters.
        step: steps done before this one.
        n_windows: K, steps in an epoch.

    >>> hyper = Hyperparameters(learning_rate=0.5, epochs=2, schedule="linear", warmup_steps=2)
    >>> [learning_rate_at(hyper, step, 3) for step in range(6)]
    [0.25, 0.5, 0.5, 0.375, 0.25, 0.125]
    """
    hyper = hyperparameters
    if step < hyper.warmup_steps:
        return hyper.learning_rate * (step + 1) / hyper.warmup_steps
    if hyper.schedule == "exponential":
        return hyper.learning_rate * hyper.decay ** (step // n_windows)
    done = min(1.0, (step - hyper.warmup_steps) / max(1, hyper.epochs * n_windows - hyper.warmup_steps))
    if hyper.schedule == "linear":
        return hyper.learning_rate * (1 - done)
    if hyper.schedule == "cosine":
        return hyper.learning_rate * (1 + math.cos(math.pi * done)) / 2
    return hyper.learning_rate


def check_text(n_characters, n_distinct, batch_size, num_steps):
    """Raise ValueError where a text cannot be trained on, saying what would do.

    Args:
        n_characters: length of the text, without what is held out.
        n_distinct: C, its distinct characters.
        batch_size: N.
        num_steps: M.
    """
    if n_distinct < 2:
        raise ValueError("the text has one distinct character only: there is nothing to learn")
    if count_windows(n_characters, batch_size, num_steps):
        return
    fits = ["batch_size at most {} with num_steps {}".format(n_characters // num_steps, num_steps),
            "num_steps at most {} with batch_size {}".format(n_characters // batch_size, batch_size)]
    fits = [fit for fit in fits if "at most 0" not in fit] or [
        "batch_size 1 with num_steps at most {}".format(n_characters)]
    raise ValueError(
        "the text has {:,} characters, too few for one window of {} x {} (batch_size x num_steps, {:,} "
        "characters); what fits: {}".format(
            n_characters, batch_size, num_steps, batch_size * num_steps, ", or ".join(fits)))


def count_parameters(num_classes, lstm_size, num_layers):
    """Return the number of weights and biases of an LSTM network.

    >>> count_parameters(83, 512, 2)
    3362387
    """
    first = (num_classes + lstm_size + 1) * 4 * lstm_size
    others = (num_layers - 1) * (2 * lstm_size + 1) * 4 * lstm_size
    return first + others + (lstm_size + 1) * num_classes


def check_memory(num_classes, hyperparameters, available):
    """Raise ValueError where a training cannot fit in memory, however well it is done.

    The least that it needs: each parameter with its gradient and the optimizer's two averages, and for each
    unit and step of a window the gates, c and h, all float32. The simplest cell has one matrix where the
    LSTM has four.

    Args:
        num_classes: C.
        hyperparameters: a Hyperparameters.
        available: bytes of memory that the machine has.
    """
    hyper = hyperparameters
    share = 1 if hyper.cell == "lstm" else 4
    parameters = count_parameters(num_classes, hyper.lstm_size, hyper.num_layers) // share
    units = hyper.batch_size * hyper.num_steps * hyper.lstm_size * hyper.num_layers // share
    least = 4 * (4 * parameters + 6 * units)
    if least > available:
        raise ValueError(
            "training this network needs at least {:,} MB of memory, and the machine has {:,} MB: make "
            "lstm_size, num_layers, batch_size or num_steps smaller".format(
                least // 10 ** 6, available // 10 ** 6))
