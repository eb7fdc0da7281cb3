"""The plan of a training run. It is checked before anything is written, and is the same in all processes."""
import contextlib
import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, Optional, Tuple

import numpy as np

from charrnn.checkpoints import folders, record
from charrnn.checkpoints.record import IMMUTABLE, CheckpointError, RunRecord
from charrnn.data import StrPath, Vocabulary, count_windows, split
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import fresh_seed
from charrnn.system import console, machine
from charrnn.system.tensorflow import require_bfloat16
from charrnn.text import lists
from charrnn.text.corpus import Text
from charrnn.training import minutes, transfer
from charrnn.training.hyperparameters import AUTO, NAMES, Hyperparameters, OfPlainNumbers
from charrnn.training.presets import NOT_FUSED, PRESETS, preset, steps_of_auto

MOST_THREADS = 1000  # with tens of thousands, TensorFlow ends the process
LEAST_SPEEDUP = 1.1  # of products in bfloat16, from which on the precision auto takes it


@dataclass(frozen=True)
class Options(OfPlainNumbers):
    """The options of a run that are not hyperparameters.

    Attributes:
        resume: whether to continue the run in the folder.
        preset: the hyperparameters to start from, a name in PRESETS or AUTO; None for the notebook's.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use, 1 to MOST_THREADS; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: whether to print nothing.
        minutes: the time that the run is to take, from its plan to its end; None if its hyperparameters say how long.
        in_python: whether what is printed says what to do in Python, not in a shell.
    """

    resume: bool = False
    preset: Optional[str] = None
    sample_length: int = 200
    threads: Optional[int] = None
    summaries: bool = True
    quiet: bool = False
    minutes: Optional[float] = None
    in_python: bool = False

    def check(self) -> None:
        """Raise ValueError if an option is of another type, or out of range."""
        console.checked_integer("sample_length", self.sample_length, 0)
        console.checked_integer("threads", 1 if self.threads is None else self.threads, 1, MOST_THREADS)
        if self.minutes is not None and not (isinstance(self.minutes, (int, float)) and 0 < self.minutes < math.inf):
            raise ValueError(f"minutes must be a finite number above 0, not {self.minutes!r}")
        if self.preset is not None and self.preset not in (*PRESETS, AUTO):
            raise ValueError(f"there is no preset {self.preset!r}: there are {', '.join([*PRESETS, AUTO])}")


@dataclass(frozen=True, eq=False)
class Job:
    """The plan of a training run.

    Attributes:
        run: the record of the run.
        folder: its folder.
        text: its text.
        options: the Options.
        init_from: the model that the initial weights come from; None for random ones, or to resume.
        training, held_out, test: int arrays, the ids to train on, to evaluate on, and to evaluate on once at the end.
        seed_given: whether the seed was given, and not chosen at random just now.
        speedup: how many times as fast as in float32 this machine multiplies in bfloat16; None unless it was measured.
        time: what was chosen for a given time, in words; "" if none was given.
        is_list: whether the text of a new run is plainly a list.
    """

    run: RunRecord
    folder: StrPath
    text: str
    options: Options
    init_from: Optional[Model]
    training: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    seed_given: bool = True
    speedup: Optional[float] = None
    time: str = ""
    is_list: bool = False

    @property
    def of_lines(self) -> bool:
        """Whether the text is taken for a list: plainly it is one, or its lines are shuffled."""
        is_list = lists.is_list(self.text) if self.options.resume else self.is_list
        return is_list or self.hyperparameters.shuffle == "lines"

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of the record."""
        return Hyperparameters(**self.run.hyperparameters)

    @property
    def n_windows(self) -> int:
        """K, windows in an epoch."""
        hyper = self.hyperparameters
        return count_windows(len(self.training), hyper.batch_size, hyper.num_steps)

    @property
    def total_steps(self) -> int:
        """Steps of all epochs."""
        return self.n_windows * self.hyperparameters.epochs


def plan_job(text: Optional[Text], given: Dict[str, Any], folder: Optional[StrPath], options: Options,
             init_from: Optional[Model] = None, n_processes: int = 1) -> Job:
    """Plan a run, and check that it can be done. Nothing is written.

    Args:
        text: the training text; None to resume a run with its own text.
        given: dict from names of hyperparameters to values. The others are those of the run to resume, or those of the
            preset and the model. A new run without a seed gets one.
        folder: the run folder; None for a new one, or to resume the newest, of those without a name.
        options: the Options.
        init_from: a model to take the initial weights from. It must have the same cell and sizes; the text may have
            other characters.
        n_processes: the number of processes that share a batch.

    With options.minutes, the preset is auto, and networks are timed to choose the sizes and epochs.

    Raises:
        ValueError: something is out of range, the text is too short, or the folder has no such run.
    """
    started, fixed = time.perf_counter(), [*given]
    options.check()
    if options.minutes is not None:
        options, given = _for_minutes(options, given, n_processes)
    folder = folders.run_folder(folder, options.resume)
    old = _run_to_resume(folder) if options.resume else None
    is_list = bool(text and not old and lists.is_list(text.text))
    hyper, speedup = _hyperparameters(text, given, old, options, init_from, is_list), None
    seed_given = hyper.seed is not None
    if hyper.batch_size % n_processes:
        raise ValueError(f"batch_size {hyper.batch_size} cannot be divided by {n_processes} processes: choose a "
                         f"multiple of {n_processes}")
    if old:
        run, text = _resumed_run(old, hyper, text)
    elif text is None:
        raise ValueError("there is no text to train on")
    else:
        if hyper.precision == AUTO:
            hyper, speedup = _with_faster_precision(hyper, options)
        run, text = _new_run(text, hyper, init_from)
    hyper = Hyperparameters(**run.hyperparameters)
    if hyper.precision == "bfloat16":
        require_bfloat16()
    dtype = np.min_scalar_type(len(run.vocabulary) - 1)  # small, since the ids of a long text take most of the memory
    parts = split(run.vocabulary.encode(text.text, dtype), hyper.val_fraction, hyper.test_fraction)
    _check_sizes(run, hyper, *parts)
    job = Job(run, folder, text.text, options, init_from, *parts, seed_given=seed_given, speedup=speedup,
              is_list=is_list)
    fixed += transfer.network_of(init_from) if init_from else ()
    return job if options.minutes is None else minutes.fitted(job, fixed, started)


def _for_minutes(options: Options, given: Dict[str, Any], n_processes: int) -> Tuple[Options, Dict[str, Any]]:
    """Return the options and values of a run that takes some minutes. Raise ValueError if they contradict that."""
    others = {"resume": options.resume, "epochs": "epochs" in given, "several processes": n_processes > 1,
              f"the preset {options.preset}": options.preset not in (None, AUTO)}
    if any(others.values()):
        raise ValueError(f"minutes cannot be combined with {next(filter(others.get, others))}")
    return replace(options, preset=AUTO), {"precision": AUTO, "early_stop": 0, **given}


def _hyperparameters(text: Optional[Text], given: Dict[str, Any], old: Optional[RunRecord], options: Options,
                     init_from: Optional[Model], is_list: bool) -> Hyperparameters:
    """Return the hyperparameters of the run to resume or of a preset, changed by those that are given."""
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise ValueError(f"there is no hyperparameter {', '.join(unknown)}: there are {', '.join(NAMES)}")
    if old:
        for name, value in (("init_from", init_from), ("preset", options.preset)):
            if value is not None:
                raise ValueError(f"{name} is for a new run and cannot be combined with resume")
        values = old.hyperparameters
    else:
        values = preset(options.preset, len(text.text) if text else 0) if options.preset else {}
        network = transfer.network_of(init_from) if init_from else {}
        # auto takes the sizes of the model; those of another preset stay, and are refused if they differ
        values = {**values, **network} if options.preset == AUTO else {**network, **values}
        if options.preset == AUTO and is_list:
            values = {**values, "shuffle": "lines"}
        changed = Hyperparameters(**{**values, **given})
        if options.preset == AUTO and changed.recurrent_keep_prob != 1 and not changed.unrolls_fused:
            values = {**values, **NOT_FUSED}
    hyper = Hyperparameters(**{**values, **given})
    try:
        hyper.check(recorded=set(values) - set(given) if old else ())
    except ValueError as error:
        raise ValueError(f"{error} (with preset {options.preset})" if options.preset else str(error))
    return hyper


def _with_faster_precision(hyper: Hyperparameters, options: Options) -> Tuple[Hyperparameters, Optional[float]]:
    """Return the hyperparameters with the precision that is faster on this machine, and the speedup that was measured.

    With TensorFlow 1.15, nothing is measured.
    """
    speedup = None
    with contextlib.suppress(ValueError):
        require_bfloat16()
        from charrnn.fused.passes import bfloat16_speedup  # not above, because it imports TensorFlow
        from charrnn.system.tensorflow import session_config
        config = session_config(options.threads, hyper.unrolls_fused)
        config.use_per_session_threads = True  # so that training can have others
        speedup = bfloat16_speedup(config)
    return replace(hyper, precision="bfloat16" if (speedup or 0) >= LEAST_SPEEDUP else "float32"), speedup


def _new_run(text: Text, hyper: Hyperparameters, init_from: Optional[Model]) -> Tuple[RunRecord, Text]:
    """Return a new run, and its text in its order. Raise ValueError if it cannot start from that model."""
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2 ** 31))
    sha256, shuffled_sha256 = record.text_sha256(text.text), None
    if hyper.shuffle == "lines":
        text = replace(text, text=lists.shuffled(text.text))
        shuffled_sha256 = record.text_sha256(text.text)
    run = RunRecord(asdict(hyper), Vocabulary.from_text(text.text), text.name, sha256, shuffled_sha256=shuffled_sha256)
    if not init_from:
        return run, text
    for name, value in transfer.network_of(init_from).items():
        if value != getattr(hyper, name):
            raise ValueError(f"{init_from.name} has {name} {value}: a run with {name} {getattr(hyper, name)} cannot "
                             "start from it")
    vocabulary = transfer.joined_vocabulary(init_from, text.text)
    return replace(run, vocabulary=vocabulary, init_from=init_from.name), text


def _resumed_run(run: RunRecord, hyper: Hyperparameters, text: Optional[Text]) -> Tuple[RunRecord, Text]:
    """Return a run with new hyperparameters, and its text. Raise CheckpointError if it cannot have them."""
    old = Hyperparameters(**run.hyperparameters)  # with the default for one that is newer than the run
    if hyper.precision == AUTO:
        hyper = replace(hyper, precision=old.precision)
    content = lists.text_of(run, text.text) if text else record.read_text(run)
    if text and content is None:
        raise CheckpointError(f"the run in {run.folder} was trained on another text than {text.name}; without a text, "
                              "a resumed run uses the one in that folder")
    for name in IMMUTABLE:
        if getattr(old, name) != getattr(hyper, name):
            raise CheckpointError(f"the run in {run.folder} has {name} {getattr(old, name)}, which cannot be changed "
                                  f"to {getattr(hyper, name)}: leave it out, or train another run")
    return replace(run, hyperparameters=asdict(hyper)), Text(run.text_name, content or "", text.skipped if text else ())


def _run_to_resume(folder: StrPath) -> RunRecord:
    """Return the run in a folder. Raise CheckpointError if there is none, or one of a newer version."""
    run = record.read_run(folder)
    unknown = sorted(set(run.hyperparameters) - set(NAMES))
    if unknown:
        raise CheckpointError(f"the run in {folder} has hyperparameters that this version of charrnn does not know: "
                              f"{', '.join(map(repr, unknown))}")
    return run


def _check_sizes(run: RunRecord, hyper: Hyperparameters, training: np.ndarray, held_out: np.ndarray,
                 test: np.ndarray) -> None:
    """Raise ValueError if the text is too short or the memory too small for a run."""
    if len(training) and training.min() == training.max():
        raise ValueError(f"the text to train on has only one {'distinct ' * (len(training) > 1)}character: there is "
                         "nothing to learn")
    n_characters = len(training) + len(held_out) + len(test)
    if not count_windows(len(training), hyper.batch_size, hyper.num_steps):
        raise ValueError(
            f"the text to train on has {len(training):,} characters, too few for one window of {hyper.batch_size} x "
            f"{hyper.num_steps} (batch_size x num_steps, {hyper.batch_size * hyper.num_steps:,} characters): "
            f"reduce one of them{', or take the preset auto' * bool(steps_of_auto(n_characters))}")
    for name, part in (("val_fraction", held_out), ("test_fraction", test)):
        fraction = getattr(hyper, name)
        if fraction and len(part) < 2:
            raise ValueError(f"{name} {fraction} holds out {len(part)} of the text's {n_characters:,} "
                             "characters, but at least 2 are needed")
    check_memory(len(run.vocabulary), hyper, machine.total_memory())


def count_parameters(num_classes: int, lstm_size: int, num_layers: int) -> int:
    """Return the number of weights and biases of an LSTM network.

    >>> count_parameters(83, 512, 2)
    3362387
    """
    first = (num_classes + lstm_size + 1) * 4 * lstm_size
    others = (num_layers - 1) * (2 * lstm_size + 1) * 4 * lstm_size
    return first + others + (lstm_size + 1) * num_classes


def check_memory(num_classes: int, hyper: Hyperparameters, available: float) -> None:
    """Raise ValueError if training cannot fit in memory.

    Training needs at least these float32 numbers: for each parameter its value, its gradient and the optimizer's two
    averages; for each unit and step of a window the four gates, c and h. Without the fused unroll, it also needs the
    logits, the one-hot targets and the gradient of the loss. The simplest cell has a quarter of the LSTM's matrices.

    Args:
        num_classes: C.
        hyper: the hyperparameters.
        available: the machine's memory in bytes.
    """
    share = 1 if hyper.cell == "lstm" else 4
    parameters = count_parameters(num_classes, hyper.lstm_size, hyper.num_layers) // share
    units = hyper.batch_size * hyper.num_steps * hyper.lstm_size * hyper.num_layers // share
    logits = 0 if hyper.unrolls_fused else hyper.batch_size * hyper.num_steps * num_classes
    least = 4 * (4 * parameters + 6 * units + 3 * logits)
    if least > available:
        raise ValueError(
            f"training this network needs at least {least // 10 ** 6:,} MB of memory, but the machine has "
            f"{available // 10 ** 6:,.0f} MB: reduce lstm_size, num_layers, batch_size or num_steps")
