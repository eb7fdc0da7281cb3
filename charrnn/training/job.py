"""The plan of a training run. It is checked before anything is written, and is the same in all processes."""

import math
import re
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from charrnn.checkpoints.find import run_folder
from charrnn.checkpoints.record import (
    CheckpointError,
    RunRecord,
    read_run,
)
from charrnn.data import StrPath, Vocabulary, count_windows
from charrnn.engines.sampler import fresh_seed
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import AUTO, NAMES, NOT_RESUMABLE, Hyperparameters
from charrnn.system import files, words
from charrnn.system.machine import thread_count
from charrnn.system.tensorflow import is_version_1, session_config, use_own_threads
from charrnn.text import lines
from charrnn.text.corpus import Text
from charrnn.text.lines import beginning_of
from charrnn.training import minutes, presets, transfer
from charrnn.training.presets import NOT_FUSED, PRESETS, auto_from_model, steps_of_auto
from charrnn.training.start import NONE, Start, choose_start

# hyperparameters that need a validation text
NEED_VALIDATION = ("early_stop", "eval_every_n")
# From this speedup of products on, the precision auto takes bfloat16.
LEAST_SPEEDUP = 1.1
LEAST_MINUTES = 0.01


@dataclass(frozen=True, eq=False)
class Job:
    """The plan of a training run.

    Attributes:
        record: what the run is.
        folder: the run folder.
        text: the whole text, in the order of the run.
        names_folder: whether the user has named the folder.
        resumes: whether it continues a run.
        preset: the name of the preset of a new run; None for the notebook's values.
        start: what the run begins with; nothing for a run that is resumed.
        training, held_out, test: int arrays, the ids to train on, to evaluate on, and to evaluate on once at the end.
        in_order: whether ``dynamic_rnn`` runs its iterations in order, so that the seed alone determines its dropout.
        threads_so_far: the threads that a resumed run had until now; None if that is not known, or for a new run.
        speedup: how many times as fast as in float32 this machine multiplies in bfloat16; None unless it was measured.
        time_in_words: what was chosen for a given time; "" if none was given.
        n_files: number of files in the text.
    """

    record: RunRecord
    folder: StrPath
    text: str
    training: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    start: Start = field(default_factory=Start)
    names_folder: bool = True
    resumes: bool = False
    preset: Optional[str] = None
    in_order: bool = True
    threads_so_far: Optional[int] = None
    speedup: Optional[float] = None
    time_in_words: str = ""
    n_files: int = 1

    @property
    def is_list(self) -> bool:
        """Whether the text is plainly a list."""
        return lines.is_list(self.text)

    @property
    def of_lines(self) -> bool:
        """Whether the text is taken for a list: plainly it is one, or its lines are shuffled."""
        return self.hyperparameters.shuffle == "lines" or self.is_list

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The hyperparameters of the run, from its record."""
        return self.record.hyperparameters

    @property
    def threads(self) -> int:
        """The threads that each process uses."""
        return self.hyperparameters.threads or thread_count()

    @property
    def n_windows(self) -> int:
        """K, windows in an epoch."""
        return self.record.n_windows(len(self.training))

    @property
    def total_steps(self) -> int:
        """Steps of all epochs."""
        return self.record.total_steps(len(self.training))


def plan_job(
    text: Optional[Text],
    overrides: Dict[str, Any],
    folder: Optional[StrPath],
    *,
    resume: bool = False,
    preset: Optional[str] = None,
    minutes: Optional[float] = None,
    init_from: Union[Model, str, None] = None,
    n_processes: int = 1,
    threads: Optional[int] = None,
) -> Job:
    """Plan a run, and check that it can be done. Nothing is written.

    The record of the plan has the threads that it uses. A run that is resumed has as many as before, if this process
    may use so many.

    For the precision ``auto``, the speed of bfloat16 is measured. With ``minutes``, the preset is ``auto``, and
    networks are timed to choose the sizes and epochs. Where the model to begin with is chosen, the known ones read the
    beginning of the text.

    Args:
        text: the training text; None to resume a run with its own text.
        overrides: dict from names of hyperparameters to values. The others are those of the run to resume, or those of
            the preset and the model. A new run without a seed gets one.
        folder: the run folder; None for a new one, or to resume the newest, of those without a name.
        resume: whether to continue the run in the folder.
        preset: the values to start from, a name in PRESETS or AUTO; None for the notebook's.
        minutes: the time that the run is to take, from now to its end; None if its epochs say how long.
        init_from: a model to take the initial weights from, which must have the same cell and sizes; the text may
            have other characters. Or ``auto`` for one that suits the text, or ``none`` for none. None stands for
            ``auto`` with the preset ``auto``, otherwise for ``none``.
        n_processes: the number of processes that share a batch.
        threads: the threads that each of them may use if the hyperparameters have no number.

    Raises:
        ValueError: something is out of range, the text is too short, or the folder has no such run.
    """
    started = time.perf_counter()
    _check_names(overrides)
    names_folder = folder is not None
    folder = run_folder(folder, resume, text.text if text else None)
    threads = threads or thread_count()
    if resume:
        _check_absent(preset=preset, minutes=minutes, init_from=init_from)
        return _resumed_job(text, overrides, folder, n_processes, threads)

    if text is None:
        raise ValueError("there is no text to train on")
    if preset not in (None, *PRESETS, AUTO):
        names = [*PRESETS, AUTO]
        question = words.did_you_mean(str(preset), names)
        raise ValueError(f"preset must be one of {', '.join(names)}, not {preset!r}{question}")
    # What the user has set stays. What is added for a time may change.
    fixed = list(overrides)
    if overrides.get("threads") is None:
        overrides = {**overrides, "threads": threads}
    if minutes is not None:
        _check_minutes(minutes, overrides, preset, n_processes)
        preset = AUTO
        overrides = {"precision": AUTO, "early_stop": 0, **overrides}

    plan = partial(_new_job, text, overrides, folder, names_folder, preset, n_processes)
    start = _start(text, overrides, preset, init_from)
    job = plan(start)
    if minutes is None:
        return job

    # A model that was chosen is left out if a run from it takes longer. One that the user has named stays.
    if start.model and start.reason:
        job_in_time = _in_time(job, minutes, started)
        if job_in_time:
            return job_in_time
        reason = f"because a run from {start.model.name} takes more time"
        job = plan(Start(reason=reason))
    return _fitted(job, minutes, fixed, started)


def _check_names(overrides: Dict[str, Any]) -> None:
    """Raise ValueError for a name that no hyperparameter has."""
    unknown = sorted(set(overrides) - set(NAMES))
    if unknown:
        raise ValueError(
            f"there is no hyperparameter {', '.join(unknown)}: there are {', '.join(NAMES)}"
            f"{words.did_you_mean(unknown[0], NAMES)}"
        )


def _check_absent(**for_a_new_run: Any) -> None:
    """Raise ValueError if something is given that a resumed run cannot have."""
    for name, value in for_a_new_run.items():
        if value is not None:
            raise ValueError(f"{name} is for a new run and cannot be combined with resume")


def _start(
    text: Text,
    overrides: Dict[str, Any],
    preset: Optional[str],
    init_from: Union[Model, str, None],
) -> Start:
    """Return what a new run begins with: the model that is given, or the one that is chosen, if any."""
    if isinstance(init_from, Model):
        return Start(init_from)
    if init_from == NONE or (init_from is None and preset != AUTO):
        return Start()

    # What the run would be without a model. With the preset auto, the model brings the sizes that are not given.
    hyper = _hyperparameters(text, overrides, preset, init_from=None)
    sizes = {}
    for name in transfer.NETWORK:
        if name in overrides or preset != AUTO:
            sizes[name] = getattr(hyper, name)
    return choose_start(text, hyper, sizes)


def _new_job(
    text: Text,
    overrides: Dict[str, Any],
    folder: StrPath,
    names_folder: bool,
    preset: Optional[str],
    n_processes: int,
    start: Start,
) -> Job:
    """Return the job of a new run that begins with a start."""
    hyper = _hyperparameters(text, overrides, preset, start.model)
    # Order makes dynamic_rnn slower, and is of no use if the seed is drawn below: nobody will repeat such a run.
    in_order = hyper.seed is not None
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2**31))
    speedup = None
    if hyper.precision == AUTO:
        precision, speedup = faster_precision(overrides["threads"], hyper.unrolls_fused)
        hyper = replace(hyper, precision=precision)

    record, text = _new_run(text, hyper, start.model)
    return _checked_job(
        record,
        text,
        folder,
        n_processes,
        start=start,
        names_folder=names_folder,
        preset=preset,
        in_order=in_order,
        speedup=speedup,
    )


def _resumed_job(
    text: Optional[Text],
    overrides: Dict[str, Any],
    folder: StrPath,
    n_processes: int,
    threads: int,
) -> Job:
    """Return the job that continues the run in a folder."""
    old = read_run(folder)
    record, text = _resumed_run(old, overrides, text)
    hyper = record.hyperparameters
    # Runs of version 3.2 and before did not record their threads.
    threads_of_run = hyper.threads or threads
    if "threads" not in overrides:
        threads_of_run = min(threads_of_run, threads)
    record = replace(record, hyperparameters=replace(hyper, threads=threads_of_run))

    so_far = old.hyperparameters.threads
    return _checked_job(record, text, folder, n_processes, resumes=True, threads_so_far=so_far)


def _checked_job(
    record: RunRecord,
    text: Text,
    folder: StrPath,
    n_processes: int,
    resumes: bool = False,
    **plan: Any,
) -> Job:
    """Return the job of a run with other attributes, after checking what its text and its processes allow."""
    hyper = record.hyperparameters
    _check_processes(hyper.batch_size, n_processes, resumes=resumes)
    if hyper.precision == "bfloat16" and is_version_1():
        raise ValueError(
            "precision bfloat16 needs TensorFlow 2, on Python 3.10 to 3.13; TensorFlow 1.15 trains in "
            "float32"
        )

    # The ids of a long text take most of the memory, so they have the smallest type.
    dtype = np.min_scalar_type(len(record.vocabulary) - 1)
    ids = record.vocabulary.encode(text.text, dtype)
    training, held_out, test = record.divide(ids)
    _check_sizes(hyper, training, held_out, test)
    return Job(
        record=record,
        folder=folder,
        text=text.text,
        training=training,
        held_out=held_out,
        test=test,
        resumes=resumes,
        n_files=text.n_files,
        **plan,
    )


def faster_precision(threads: int, fused: bool) -> Tuple[str, Optional[float]]:
    """Return the precision that is faster on this machine, and how many times as fast bfloat16 multiplies.

    With TensorFlow 1.15, nothing is measured, and the second is None.

    Args:
        threads: the threads to measure with.
        fused: whether the network is unrolled fused.
    """
    if is_version_1():
        return "float32", None
    # Not above, because it imports TensorFlow.
    from charrnn.fused.speed import bfloat16_speedup

    config = session_config(threads, fused)
    use_own_threads(config)
    speedup = bfloat16_speedup(config)
    if speedup >= LEAST_SPEEDUP:
        return "bfloat16", speedup
    return "float32", speedup


def _check_minutes(
    n_minutes: float, overrides: Dict[str, Any], preset: Optional[str], n_processes: int
) -> None:
    """Raise ValueError for a time that no run can have, or that something contradicts."""
    if not isinstance(n_minutes, (int, float)) or not LEAST_MINUTES <= n_minutes < math.inf:
        raise ValueError(f"minutes must be a number, at least {LEAST_MINUTES}, not {n_minutes!r}")
    contradicts = {
        "epochs": "epochs" in overrides,
        "several processes": n_processes > 1,
        f"the preset {preset}": preset not in (None, AUTO),
    }
    for name, is_set in contradicts.items():
        if is_set:
            raise ValueError(f"minutes cannot be combined with {name}")


def _hyperparameters(
    text: Text, overrides: Dict[str, Any], preset: Optional[str], init_from: Optional[Model]
) -> Hyperparameters:
    """Return the hyperparameters of a new run: those of a preset and a model, with some overridden."""
    values = _values_of_new_run(text, overrides, preset, init_from)
    hyper = Hyperparameters(**{**values, **overrides})
    try:
        hyper.check()
    except ValueError as error:
        named = re.findall(r"\w+", str(error))
        of_preset = []
        for name in set(values).difference(overrides):
            if name in named:
                of_preset.append(f"{name} {values[name]}")
        if not preset or not of_preset:
            raise
        raise ValueError(f"{error}; the preset {preset} sets {', '.join(sorted(of_preset))}")
    return hyper


def _values_of_new_run(
    text: Text, overrides: Dict[str, Any], preset: Optional[str], init_from: Optional[Model]
) -> Dict[str, Any]:
    """Return the values of a preset and a model, by the names of hyperparameters."""
    network = transfer.network_of(init_from) if init_from else {}
    n_characters = len(text.text)
    values = presets.preset(preset, n_characters) if preset else {}
    if overrides.get("val_fraction") == 0:
        # What a preset sets for the validation has nothing to act on.
        values = {name: value for name, value in values.items() if name not in NEED_VALIDATION}
    # Where a preset and the model differ, the preset wins, so that _new_run refuses the model.
    if preset != AUTO:
        return {**network, **values}

    # With auto, the model wins.
    if init_from:
        values = {**auto_from_model(n_characters), **network}
    # The first line of a table has the names of its columns, and stays the first.
    if lines.is_list(text.text) and not lines.is_table(text.text):
        values["shuffle"] = "lines"
    # Dropout on recurrent weights needs the fused unroll. Where that is not used, other dropout takes its place.
    hyper = Hyperparameters(**{**values, **overrides})
    if hyper.recurrent_keep_prob != 1 and not hyper.unrolls_fused:
        values.update(NOT_FUSED)
    return values


def _resumed_run(
    record: RunRecord, overrides: Dict[str, Any], text: Optional[Text]
) -> Tuple[RunRecord, Text]:
    """Return a record with some hyperparameters changed, and its text. Raise ValueError if the run cannot have them."""
    subject = f"the run in {record.folder}"
    old = record.hyperparameters
    hyper = replace(old, **overrides)
    # The others may be out of today's range.
    hyper.check(names_of_run=set(NAMES).difference(overrides))
    if record.unknown:
        names = ", ".join(map(repr, record.unknown))
        raise CheckpointError(
            f"{subject} has hyperparameters that this version of charrnn does not know: {names}"
        )
    if text:
        # None if it is another text.
        content = record.in_order(text.text)
        if content is None:
            raise CheckpointError(
                f"{subject} was trained on another text than {text.name}; without a text, "
                "a resumed run uses the one in that folder"
            )
        own_text = Text(record.text_name, content, text.skipped)
    else:
        own_text = Text(record.text_name, record.text())

    if hyper.precision == AUTO:
        hyper = replace(hyper, precision=old.precision)
    for name in NOT_RESUMABLE:
        if getattr(old, name) != getattr(hyper, name):
            raise CheckpointError(
                f"{subject} has {name} {getattr(old, name)}, which cannot be changed "
                f"to {getattr(hyper, name)}: leave it out, or train another run"
            )
    return replace(record, hyperparameters=hyper), own_text


def _new_run(
    text: Text, hyper: Hyperparameters, init_from: Optional[Model]
) -> Tuple[RunRecord, Text]:
    """Return the record of a new run, and its text in its order. Raise ValueError if it cannot start from the model."""
    sha256 = files.text_sha256(text.text)
    shuffled_sha256 = None
    if hyper.shuffle == "lines":
        text = replace(text, text=lines.shuffled(text.text))
        shuffled_sha256 = files.text_sha256(text.text)

    record = RunRecord(
        hyperparameters=hyper,
        vocabulary=Vocabulary.from_text(text.text),
        text_name=text.name,
        text_sha256=sha256,
        shuffled_sha256=shuffled_sha256,
        # The words "The " would lead the network back to the text that its model has read.
        beginning=beginning_of(text.text, own=init_from is not None),
    )
    if not init_from:
        return record, text

    for name, value in transfer.network_of(init_from).items():
        if value != getattr(hyper, name):
            raise ValueError(
                f"{init_from.name} has {name} {value}: a run with {name} {getattr(hyper, name)} cannot "
                "start from it"
            )
    return replace(record, init_from=init_from.name, init_from_sha256=init_from.sha256), text


def _check_processes(batch_size: int, n_processes: int, resumes: bool) -> None:
    """Raise ValueError if a number of processes cannot share a batch."""
    if batch_size % n_processes == 0:
        return

    advice = f"choose a multiple of {n_processes}"
    if resumes:
        divisors = [number for number in range(1, batch_size + 1) if batch_size % number == 0]
        *smaller, largest = map(str, divisors)
        choice = "1 process"
        if smaller:
            choice = f"{', '.join(smaller)} or {largest} processes"
        advice = f"a resumed run keeps it, so use {choice}"
    raise ValueError(
        f"batch_size {batch_size} cannot be divided by {n_processes} processes: {advice}"
    )


def _check_sizes(
    hyper: Hyperparameters, training: np.ndarray, held_out: np.ndarray, test: np.ndarray
) -> None:
    """Raise ValueError if the text is too short for a run."""
    if len(training) and training.min() == training.max():
        what = "distinct character" if len(training) > 1 else "character"
        raise ValueError(f"the text to train on has only one {what}: there is nothing to learn")

    n_characters = len(training) + len(held_out) + len(test)
    if not count_windows(len(training), hyper.batch_size, hyper.num_steps):
        window = f"{hyper.batch_size} x {hyper.num_steps}"
        advice = "reduce one of them"
        if steps_of_auto(n_characters) > 0:
            advice += ", or take the preset auto"
        raise ValueError(
            f"the text to train on has {len(training):,} characters, too few for one window of {window} (batch_size x "
            f"num_steps, {hyper.batch_size * hyper.num_steps:,} characters): {advice}"
        )
    for name, part in (("val_fraction", held_out), ("test_fraction", test)):
        fraction = getattr(hyper, name)
        if fraction and len(part) < 2:
            raise ValueError(
                f"{name} {fraction} holds out {len(part)} of the text's {n_characters:,} "
                "characters, but at least 2 are needed"
            )


def _in_time(job: Job, n_minutes: float, started: float) -> Optional[Job]:
    """Return a job with what there is to say of its time; None if it does not end in this time."""
    time_in_words = minutes.in_time(_wish(job, n_minutes, fixed=NAMES), _timer(job), started)
    return replace(job, time_in_words=time_in_words) if time_in_words else None


def _fitted(job: Job, n_minutes: float, fixed: List[str], started: float) -> Job:
    """Return a job with the sizes and epochs with which it ends in time. The fixed hyperparameters stay."""
    if job.start.model:
        # What suits a run that begins with a model suits it in fewer epochs, too.
        fixed = [name for name in NAMES if name not in ("epochs", "save_every_n")] + fixed
    wish = _wish(job, n_minutes, fixed)
    hyper, time_in_words = minutes.fitted(wish, _timer(job), started)
    record = replace(job.record, hyperparameters=hyper)
    return replace(job, record=record, time_in_words=time_in_words)


def _wish(job: Job, n_minutes: float, fixed: Sequence[str]) -> minutes.Wish:
    return minutes.Wish(
        planned=job.hyperparameters,
        lengths=(len(job.training), len(job.held_out), len(job.test)),
        fixed=tuple(fixed),
        minutes=n_minutes,
    )


def _timer(job: Job) -> Callable[..., minutes.Timing]:
    """Return what times a network with some hyperparameters for a job."""
    return partial(
        minutes.time_network,
        num_classes=len(job.record.vocabulary),
        threads=job.threads,
        in_order=job.in_order,
    )
