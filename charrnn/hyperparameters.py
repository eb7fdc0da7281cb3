"""Hyperparameters: what a network is trained with, the ranges, and the learning rate of each step."""

import dataclasses
import math
import numbers
import sys
from dataclasses import dataclass
from typing import Any, Collection, Mapping, NamedTuple, Optional

# With more, the graph takes long to build.
MOST_LAYERS = 32
# With tens of thousands of threads, TensorFlow ends the process.
MOST_THREADS = 1000
# The optimizers, with the names of their operations and variables in the graph. Adam's is that in the notebook's graph.
OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSProp"}


class Cell(NamedTuple):
    """A kind of cell.

    Attributes:
        class_name: its class, in ``tf.nn.rnn_cell`` or, for ``contrib``, in ``tf.contrib.rnn``.
        scope: the scope of its variables in a layer.
        contrib: whether only TensorFlow 1.15 has it.
    """

    class_name: str
    scope: str
    contrib: bool = False


# Sources: BasicLSTMCell is the notebook's; the others are of Cho et al. 2014 (arXiv:1406.1078), Elman 1990, Ba et al.
# 2016 (arXiv:1607.06450), and Zoph and Le 2017 (arXiv:1611.01578).
CELLS = {
    "lstm": Cell("BasicLSTMCell", "basic_lstm_cell"),
    "gru": Cell("GRUCell", "gru_cell"),
    "rnn": Cell("BasicRNNCell", "basic_rnn_cell"),
    "layer-norm-lstm": Cell("LayerNormBasicLSTMCell", "layer_norm_basic_lstm_cell", contrib=True),
    "nas": Cell("NASCell", "nas_cell", contrib=True),
}
# The value of two settings: the preset for the length of the text, and the precision that is faster on the machine.
AUTO = "auto"
# schedules that end at 0
TO_ZERO = ("linear", "cosine")
SCHEDULES = ("constant", "exponential", *TO_ZERO)

# the groups of flags, in the order of the help page
TEXT = "text"
NETWORK = "network"
OPTIMISATION = "optimisation"
SPEED = "speed"
REPORTS = "checkpoints and reports"
# of what can be set in Python only
NO_FLAG = ""
GROUPS = (TEXT, NETWORK, OPTIMISATION, SPEED, REPORTS)

# the largest float below 1
BELOW_1 = 1 - 2**-53
# what TensorFlow and the JSON record can hold
_LARGEST = {int: 2**63 - 1, float: sys.float_info.max}


def setting(
    default: Any,
    group: str,
    meaning: str,
    *,
    least: float = 0,
    most: Optional[float] = None,
    choices: Optional[tuple] = None,
    kind: Optional[type] = None,
    otherwise: str = "",
    resumable: bool = True,
    in_words: str = "",
) -> Any:
    """Declare a field: its default, and what its flag and its check need.

    A number has a range, anything else has choices. Where the default is None, ``kind`` is the type of other values,
    and ``otherwise`` says what None stands for. The flag of a bool turns it off, and ``meaning`` says what that does.
    Where a setting is not ``resumable``, a resumed run cannot change it: its weights, its state or its place in the
    text depend on it. ``in_words`` is the range, where its numbers say it badly.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "group": group,
            "help": meaning,
            "least": least,
            "most": most,
            "choices": choices,
            "kind": kind or type(default),
            "otherwise": otherwise,
            "resumable": resumable,
            "in_words": in_words,
        },
    )


def range_in_words(field: dataclasses.Field) -> str:
    """Return the range of a number's field, such as ``at least 1``."""
    least = field.metadata["least"]
    most = field.metadata["most"]
    if field.metadata["in_words"]:
        return str(field.metadata["in_words"])
    if most is None:
        return f"at least {least}"
    if most == BELOW_1:
        return f"at least {least} and below 1"
    return f"at least {least} and at most {most}"


def _requirement(field: dataclasses.Field) -> str:
    """Return what a field's value must be, in words."""
    choices = field.metadata["choices"]
    if field.metadata["kind"] is dict:
        return "a dict of numbers"
    if choices:
        names = [str(value) for value in choices if value is not None]
        return f"one of {', '.join(names)}"
    noun = "an integer" if field.metadata["kind"] is int else "a number"
    return f"{noun}, {range_in_words(field)}"


def _allows(field: dataclasses.Field, value: Any, *, is_of_run: bool) -> bool:
    """Return whether a field may have a value, which may be that of a run."""
    choices = field.metadata["choices"]
    if choices:
        return value in choices
    if value is None:
        return field.default is None

    kind = field.metadata["kind"]
    if kind is dict:
        return isinstance(value, Mapping) and all(map(_is_finite, value.values()))
    # an integer is a number too; for Python, a bool is an integer
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        return False

    least = field.metadata["least"]
    most = field.metadata["most"]
    if is_of_run:
        # see Checkable.check
        most = None
        if kind is float:
            least = 0
    if most is None:
        most = _LARGEST[kind]
    return least <= value <= most


def _is_finite(value: Any) -> bool:
    """Return whether a value is a number, neither infinite nor NaN."""
    return isinstance(value, numbers.Real) and math.isfinite(value)


@dataclass(frozen=True)
class Checkable:
    """A frozen dataclass whose fields are declared with :func:`setting`.

    A number of NumPy becomes one of Python, which JSON and TensorFlow take.
    """

    def __post_init__(self) -> None:
        for name, value in list(vars(self).items()):
            # A number of NumPy has a shape, which is empty. One of Python has none.
            if getattr(value, "shape", None) == ():
                object.__setattr__(self, name, value.item())

    def check(self, names_of_run: Collection[str] = ()) -> None:
        """Raise ValueError if a value is out of range, of another type, or none of the choices.

        Args:
            names_of_run: names of the fields whose values are those of a run. It may be of another version, which had a
                wider range: their upper bounds do not hold, and numbers that are not integers may go down to 0. An
                integer below its range has no meaning in any version.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not _allows(field, value, is_of_run=field.name in names_of_run):
                raise ValueError(f"{field.name} must be {_requirement(field)}, not {value!r}")


class Contradiction(ValueError):
    """Values that contradict each other; ``names`` has those of the hyperparameters that may be part of it."""

    def __init__(self, message: str, *names: str) -> None:
        super().__init__(message)
        self.names = names


@dataclass(frozen=True)
class Hyperparameters(Checkable):
    """What a network is trained with. The defaults are the notebook's recipe, and switch off what goes beyond it.

    Each field declares its default, the group and help text of its flag, and its range, in which training still works.
    The flag is the name with dashes (``--batch-size``).
    """

    batch_size: int = setting(100, OPTIMISATION, "sequences in a batch", least=1, resumable=False)
    num_steps: int = setting(
        100,
        OPTIMISATION,
        "steps in a window, the reach of backpropagation through time",
        least=1,
        resumable=False,
    )
    lstm_size: int = setting(512, NETWORK, "units in each layer", least=1, resumable=False)
    num_layers: int = setting(
        2, NETWORK, "number of layers", least=1, most=MOST_LAYERS, resumable=False
    )
    # with a smaller one, float32 changes no weight any more
    learning_rate: float = setting(
        0.001, OPTIMISATION, "step size of the optimizer, before the schedule", least=1e-9
    )
    # with a smaller one, hardly anything is kept, and the factor 1 / keep_prob can overflow
    keep_prob: float = setting(
        0.5,
        OPTIMISATION,
        "probability that dropout keeps a unit of a layer's output",
        least=0.01,
        most=1,
    )
    grad_clip: float = setting(
        5.0, OPTIMISATION, "largest global norm of the gradients", least=1e-4, most=1e30
    )
    epochs: int = setting(20, OPTIMISATION, "passes over the text", least=1)
    print_every_n: int = setting(50, REPORTS, "steps between printed lines", least=1)
    save_every_n: int = setting(200, REPORTS, "steps between checkpoints", least=1)
    seed: Optional[int] = setting(
        None,
        OPTIMISATION,
        "seed of the initial weights and of dropout",
        least=0,
        most=2**31 - 1,
        kind=int,
        otherwise="a new one",
        resumable=False,
    )
    # the flag is --no-fused
    fused: bool = setting(
        True,
        SPEED,
        "unroll with TensorFlow's dynamic_rnn, as the notebook does: the same network, but slower and "
        "with other dropout masks. With --seed, the masks are repeatable, and training is slower still",
        choices=(True, False),
    )
    precision: str = setting(
        "float32",
        SPEED,
        "type of the numbers that are multiplied. With TensorFlow 2, bfloat16 is up to 2 times as "
        "fast on some processors, and slower on others; auto measures it and takes the faster one",
        choices=("float32", "bfloat16", AUTO),
    )
    cell: str = setting("lstm", NETWORK, "kind of cell", choices=tuple(CELLS), resumable=False)
    optimizer: str = setting(
        "adam",
        OPTIMISATION,
        "algorithm that applies the gradients",
        choices=tuple(OPTIMIZERS),
        resumable=False,
    )
    input_keep_prob: float = setting(
        1.0,
        NO_FLAG,
        "probability that dropout keeps a unit of a layer's input",
        least=0.01,
        most=1,
    )
    recurrent_keep_prob: float = setting(
        1.0,
        OPTIMISATION,
        "probability that dropout keeps a recurrent weight; the same weights are kept for a whole "
        "window",
        least=0.01,
        most=1,
    )
    weight_decay: float = setting(
        0.0,
        OPTIMISATION,
        "what each step takes away from the matrices of weights, as a multiple of the "
        "learning rate times the weights; 0 for nothing",
        least=0,
        most=10,
    )
    schedule: str = setting(
        "constant",
        OPTIMISATION,
        "how the learning rate falls: not at all, by --decay at each epoch, or to 0 at "
        "the end, linearly or along a cosine",
        choices=SCHEDULES,
    )
    warmup_steps: int = setting(
        0,
        OPTIMISATION,
        "steps in which the learning rate first rises to its full size",
        least=0,
        most=10**6,
    )
    decay: float = setting(
        0.95,
        OPTIMISATION,
        "factor of the learning rate at each epoch, in the exponential schedule",
        least=0.01,
        most=1,
    )
    # with a larger one, float32 changes no average any more
    average_decay: float = setting(
        0.0,
        OPTIMISATION,
        "decay of running averages of the weights, which evaluation and sampling then use; "
        "0 for none",
        least=0,
        most=0.99999,
        resumable=False,
    )
    shuffle: str = setting(
        "none",
        TEXT,
        "what is shuffled before the text is divided: nothing, or its lines, each with the blank lines "
        "after it, in an order that is always the same. The preset auto shuffles the lines of what is plainly a list",
        choices=("none", "lines"),
        resumable=False,
    )
    val_fraction: float = setting(
        0.0,
        TEXT,
        "fraction of the text, at its end, to hold out for validation",
        least=0,
        most=BELOW_1,
        resumable=False,
    )
    test_fraction: float = setting(
        0.0,
        TEXT,
        "fraction of the text, after the validation text, to evaluate once at the end of the run",
        least=0,
        most=BELOW_1,
        resumable=False,
    )
    eval_every_n: int = setting(
        0,
        REPORTS,
        "steps between evaluations on the held-out text; 0 for evaluations at checkpoints only",
    )
    early_stop: int = setting(
        0, OPTIMISATION, "evaluations without improvement after which training ends; 0 for never"
    )
    max_to_keep: int = setting(
        100, REPORTS, "number of checkpoints to keep, in addition to the best", least=1
    )
    sample_length: int = setting(
        200, REPORTS, "characters to sample at each checkpoint; 0 for none"
    )
    summaries: bool = setting(
        True, REPORTS, "do not write event files for TensorBoard", choices=(True, False)
    )
    threads: Optional[int] = setting(
        None,
        SPEED,
        "threads to use",
        least=1,
        most=MOST_THREADS,
        kind=int,
        otherwise="one for each core of the process",
    )

    def check(self, names_of_run: Collection[str] = ()) -> None:
        """Raise ValueError as in :class:`Checkable`, or a Contradiction if two values contradict each other."""
        super().check(names_of_run)

        if self.val_fraction + self.test_fraction >= 1:
            raise Contradiction(
                f"val_fraction {self.val_fraction} and test_fraction {self.test_fraction} "
                "leave no text to train on",
                "val_fraction",
                "test_fraction",
            )
        for name in ("eval_every_n", "early_stop"):
            if getattr(self, name) and not self.val_fraction:
                raise Contradiction(
                    f"{name} needs a held-out text: start a run with val_fraction above 0",
                    "val_fraction",
                    name,
                )

        if self.recurrent_keep_prob != 1 and not self.unrolls_fused:
            raise Contradiction(
                "recurrent_keep_prob needs the fused unroll and the cell lstm, without input_keep_prob",
                "recurrent_keep_prob",
                "fused",
                "cell",
                "input_keep_prob",
            )

    @property
    def unrolls_fused(self) -> bool:
        """Whether the fused unroll is used. It supports the plain LSTM without dropout on inputs."""
        return self.fused and self.cell == "lstm" and self.input_keep_prob == 1


NAMES = tuple(field.name for field in dataclasses.fields(Hyperparameters))
# those that a resumed run cannot change
NOT_RESUMABLE = tuple(
    field.name for field in dataclasses.fields(Hyperparameters) if not field.metadata["resumable"]
)


def learning_rate_at(hyper: Hyperparameters, step: int, n_windows: int) -> float:
    """Return the learning rate of a step.

    It rises linearly in the first ``warmup_steps``. After them it stays the same (constant), is multiplied by
    ``decay`` at the start of each epoch, from the second on (exponential), or falls to 0 at the end of the last epoch
    (linear; cosine: along half a period, Loshchilov and Hutter 2017, arXiv:1608.03983).

    Args:
        hyper: the schedule, learning_rate, warmup_steps, decay and epochs are read.
        step: number of steps done before this one.
        n_windows: K, steps in an epoch.

    >>> hyper = Hyperparameters(learning_rate=0.5, epochs=2, schedule="linear", warmup_steps=2)
    >>> [learning_rate_at(hyper, step, 3) for step in range(6)]
    [0.25, 0.5, 0.5, 0.375, 0.25, 0.125]
    """
    if step < hyper.warmup_steps:
        return hyper.learning_rate * (step + 1) / hyper.warmup_steps
    if hyper.schedule == "constant":
        return hyper.learning_rate
    if hyper.schedule == "exponential":
        # the epochs of the warm-up count too
        epoch = step // n_windows
        return hyper.learning_rate * hyper.decay**epoch

    falling_steps = max(1, hyper.epochs * n_windows - hyper.warmup_steps)
    done = min(1.0, (step - hyper.warmup_steps) / falling_steps)
    if hyper.schedule == "linear":
        return hyper.learning_rate * (1 - done)
    return hyper.learning_rate * (1 + math.cos(math.pi * done)) / 2
