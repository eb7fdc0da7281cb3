"""The plan of a training run. It is checked before anything is written, and is the same in all processes."""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from charrnn.checkpoints.find import run_folder
from charrnn.checkpoints.record import (
    CheckpointError,
    RunRecord,
    read_run,
)
from charrnn.checkpoints.writing import START_WRITING
from charrnn.data import StrPath, Vocabulary, count_windows
from charrnn.engines.sampler import fresh_seed
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import (
    AUTO,
    NAMES,
    NOT_RESUMABLE,
    Contradiction,
    Hyperparameters,
)
from charrnn.system import files, words
from charrnn.system.machine import thread_count
from charrnn.system.tensorflow import is_version_1, session_config, use_own_threads
from charrnn.text import lines
from charrnn.text.beginnings import beginning_of
from charrnn.text.corpus import Text
from charrnn.training import presets, transfer
from charrnn.training.presets import PRESETS, steps_of_auto
from charrnn.training.start import NONE, Start, choose_start

# A shorter text is too short to learn from, whatever the settings.
LEAST_CHARACTERS = 2_000
# From this speedup of products on, the precision auto takes bfloat16.
LEAST_SPEEDUP = 1.1

# who sets a hyperparameter
PRESET = "preset"
MODEL = "model"
TEXT = "text"
MACHINE = "machine"
USER = "user"


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
        is_list: whether the text is plainly a list.
        training, held_out, test: int arrays, the ids to train on, to evaluate on, and to evaluate on once at the end.
        in_order: whether ``dynamic_rnn`` runs its iterations in order, so that the seed alone determines its dropout.
        threads_so_far: the threads that a resumed run had until now; None if that is not known, or for a new run.
        speedup: how many times as fast as in float32 this machine multiplies in bfloat16; None unless it was measured.
        n_files: number of files in the text.
    """

    record: RunRecord
    folder: StrPath
    text: str
    is_list: bool
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
    n_files: int = 1

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


@dataclass(frozen=True, eq=False)
class Asked:
    """What a new run is asked to be.

    Attributes:
        user: the hyperparameters that the user has set.
        threads: how many this process may use, where the user has set none.
        preset: the name of a preset; None for the notebook's values.
    """

    user: Mapping[str, Any]
    threads: int
    preset: Optional[str] = None


class Settled(NamedTuple):
    """The hyperparameters of a new run, and who set those that are not the notebook's."""

    hyperparameters: Hyperparameters
    set_by: Dict[str, str]


class Planned(NamedTuple):
    """A run that is planned, before what its text and its processes allow is checked.

    Attributes:
        record: what the run is.
        text: its text, in the order of the run.
        others: other attributes of its :class:`Job`.
    """

    record: RunRecord
    text: Text
    others: Dict[str, Any]


def plan_job(
    text: Optional[Text],
    overrides: Mapping[str, Any],
    folder: Optional[StrPath],
    *,
    resume: bool = False,
    preset: Optional[str] = None,
    init_from: Union[Model, str, None] = None,
    n_processes: int = 1,
    threads: Optional[int] = None,
) -> Job:
    """Plan a run, and check that it can be done. Nothing is written.

    The record of the plan has the threads that it uses. A run that is resumed has as many as before, if this process
    may use so many.

    For the precision ``auto``, the speed of bfloat16 is measured. Where the model to begin with is chosen, the known
    ones read the beginning of the text.

    Args:
        text: the training text; None to resume a run with its own text.
        overrides: dict from names of hyperparameters to values. The others are those of the run to resume, or those of
            the preset and the model. A new run without a seed gets one.
        folder: the run folder; None for a new one, or to resume the newest, of those without a name.
        resume: whether to continue the run in the folder.
        preset: the values to start from, a name in PRESETS or AUTO; None for the notebook's.
        init_from: a model to take the initial weights from, which must have the same cell and sizes; the text may
            have other characters. Or ``auto`` for one that suits the text, or ``none`` for none. None stands for
            ``auto`` with the preset ``auto``, otherwise for ``none``.
        n_processes: the number of processes that share a batch.
        threads: the threads that each of them may use if the hyperparameters have no number.

    Raises:
        ValueError: something is out of range, the text is too short, or the folder has no such run.
    """
    _check_names(overrides)
    names_folder = folder is not None
    folder = run_folder(folder, resume)
    threads = threads or thread_count()
    if resume:
        _check_absent(preset=preset, init_from=init_from)
        planned = _resumed_run(text, overrides, folder, threads)
        return _checked_job(planned, folder, n_processes, resumes=True)

    if text is None:
        raise ValueError("there is no text to train on")
    if preset not in (None, *PRESETS, AUTO):
        names = [*PRESETS, AUTO]
        question = words.did_you_mean(str(preset), names)
        raise ValueError(f"preset must be one of {', '.join(names)}, not {preset!r}{question}")

    asked = Asked(user=overrides, preset=preset, threads=threads)
    planned = _new_run(text, asked, init_from)
    return _checked_job(planned, folder, n_processes, names_folder=names_folder)


def _check_names(overrides: Mapping[str, Any]) -> None:
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


def _new_run(text: Text, asked: Asked, init_from: Union[Model, str, None]) -> Planned:
    """Return a new run on a text, as it was given."""
    is_list = lines.is_list(text.text)
    # The first line of a table has the names of its columns, and stays the first.
    is_loose = is_list and not lines.is_table(text.text)
    sha256 = files.text_sha256(text.text)
    shuffled_sha256 = None
    settled = settle(asked, len(text.text), is_loose)
    if settled.hyperparameters.shuffle == "lines":
        text = replace(text, text=lines.shuffled(text.text))
        shuffled_sha256 = files.text_sha256(text.text)

    start = _start(text, sha256, asked, settled, init_from)
    if start.model:
        settled = settle(asked, len(text.text), is_loose, transfer.network_of(start.model))
    hyper = settled.hyperparameters
    # Order makes dynamic_rnn slower, and is of no use if the seed is drawn below: nobody will repeat such a run.
    in_order = hyper.seed is not None
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2**31))
    speedup = None
    if hyper.precision == AUTO:
        threads = hyper.threads or asked.threads
        precision, speedup = faster_precision(threads, hyper.unrolls_fused)
        hyper = replace(hyper, precision=precision)

    record = RunRecord(
        hyperparameters=hyper,
        vocabulary=Vocabulary.from_text(text.text),
        text_name=text.name,
        text_sha256=sha256,
        shuffled_sha256=shuffled_sha256,
        # The words "The " would lead the network back to the text that its model has read.
        beginning=beginning_of(text.text, own=start.model is not None),
        writing={},
    )
    if start.model:
        record = _from_model(record, start.model, is_list)
    others = dict(
        start=start, preset=asked.preset, in_order=in_order, speedup=speedup, is_list=is_list
    )
    return Planned(record, text, others)


def _start(
    text: Text, sha256: str, asked: Asked, settled: Settled, init_from: Union[Model, str, None]
) -> Start:
    """Return what a new run begins with: the model that is given, or the one that is chosen, if any."""
    if isinstance(init_from, Model):
        return Start(init_from)
    if init_from == NONE or (init_from is None and asked.preset != AUTO):
        return Start()

    # With the preset auto, the model brings the sizes that are not given.
    sizes = {}
    for name in transfer.OF_NETWORK:
        if asked.preset != AUTO or settled.set_by.get(name) == USER:
            sizes[name] = getattr(settled.hyperparameters, name)
    return choose_start(text.text, sha256, settled.hyperparameters, sizes)


def _from_model(record: RunRecord, model: Model, is_list: bool) -> RunRecord:
    """Return the record of a run that begins with a model. Raise ValueError if it cannot."""
    hyper = record.hyperparameters
    for name, value in transfer.network_of(model).items():
        if value != getattr(hyper, name):
            raise ValueError(
                f"{model.name} has {name} {value}: a run with {name} {getattr(hyper, name)} cannot "
                "start from it"
            )
    record = replace(record, init_from=model.name, init_from_sha256=model.sha256)
    # Names and titles are drawn as before.
    if is_list or hyper.shuffle == "lines":
        return record
    return replace(record, writing=START_WRITING)


def settle(
    asked: Asked, n_characters: int, is_loose: bool, network: Optional[Mapping[str, Any]] = None
) -> Settled:
    """Merge all that sets hyperparameters of a new run into its hyperparameters. Of two that set the same, one counts.

    These set some, each in place of those before it: the notebook, the model that the run begins with, the preset, this
    machine, the user. The preset ``auto`` comes before the model, and shuffles the lines of a list.

    Args:
        asked: what the run is asked to be.
        n_characters: the length of its text.
        is_loose: whether each line of the text may stand anywhere.
        network: the sizes of the model that it begins with; None for random weights.

    Raises:
        ValueError: a value is out of range, or two contradict each other.
    """
    of_preset = _values_of(asked.preset, n_characters, begins_with_model=network is not None)
    if asked.user.get("val_fraction") == 0:
        # What a preset sets for the validation has nothing to act on.
        of_preset = {
            name: value for name, value in of_preset.items() if name not in presets.NEED_VALIDATION
        }
    layers = [(MODEL, dict(network or {})), (PRESET, of_preset)]
    if asked.preset == AUTO:
        # The model brings its sizes. With another preset, the preset's stay, and a model of other sizes is refused.
        layers.reverse()
        if is_loose:
            layers.append((TEXT, dict(shuffle="lines")))
    layers.append((MACHINE, dict(threads=asked.threads)))
    of_user = dict(asked.user)
    if of_user.get("threads") is None:
        of_user.pop("threads", None)
    layers.append((USER, of_user))

    values: Dict[str, Any] = {}
    set_by: Dict[str, str] = {}
    for who, of_layer in layers:
        values.update(of_layer)
        set_by.update(dict.fromkeys(of_layer, who))
    hyper = Hyperparameters(**values)

    # Dropout on recurrent weights needs the fused unroll. Where that is not used, other dropout takes its place.
    if asked.preset == AUTO and hyper.recurrent_keep_prob != 1 and not hyper.unrolls_fused:
        not_fused: Dict[str, Any] = {
            name: presets.NOT_FUSED[name] for name in presets.NOT_FUSED if set_by[name] != USER
        }
        hyper = replace(hyper, **not_fused)
    _check(hyper, set_by, asked.preset)
    return Settled(hyper, set_by)


def _values_of(name: Optional[str], n_characters: int, begins_with_model: bool) -> Dict[str, Any]:
    """Return what a preset sets."""
    if name is None:
        return {}
    if name == AUTO and begins_with_model:
        return presets.auto_from_model(n_characters)
    return presets.preset(name, n_characters)


def _check(hyper: Hyperparameters, set_by: Mapping[str, str], preset_name: Optional[str]) -> None:
    """Raise ValueError as :meth:`Hyperparameters.check` does. A contradiction names the values that a preset sets."""
    try:
        hyper.check()
    except Contradiction as error:
        of_preset = [name for name in error.names if set_by.get(name) == PRESET]
        if not of_preset:
            raise
        told = ", ".join(f"{name} {getattr(hyper, name)}" for name in of_preset)
        raise ValueError(f"{error}; the preset {preset_name} sets {told}")


def _checked_job(planned: Planned, folder: StrPath, n_processes: int, **others: Any) -> Job:
    """Return the job of a run, after checking what its text and its processes allow."""
    record, text, _ = planned
    hyper = record.hyperparameters
    _check_processes(hyper.batch_size, n_processes, resumes=others.get("resumes", False))
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
        n_files=text.n_files,
        **planned.others,
        **others,
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


def _resumed_run(
    text: Optional[Text], overrides: Mapping[str, Any], folder: StrPath, threads: int
) -> Planned:
    """Return the run in a folder with some hyperparameters changed. Raise ValueError if it cannot have them."""
    subject = f"the run in {folder}"
    record = read_run(folder)
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
    # Runs of version 3.2 and before did not record their threads.
    threads_of_run = hyper.threads or threads
    if "threads" not in overrides:
        threads_of_run = min(threads_of_run, threads)
    hyper = replace(hyper, threads=threads_of_run)
    others = dict(threads_so_far=old.threads, is_list=lines.is_list(own_text.text))
    return Planned(replace(record, hyperparameters=hyper), own_text, others)


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
        is_enough_for_auto = steps_of_auto(n_characters) > 0
        if n_characters < LEAST_CHARACTERS:
            advice = "; the preset auto trains on it all the same" if is_enough_for_auto else ""
            raise ValueError(
                f"the text has {words.plural(n_characters, 'character')}; at least about {LEAST_CHARACTERS:,} "
                f"are needed to learn from{advice}"
            )
        window = f"{hyper.batch_size} x {hyper.num_steps}"
        advice = "reduce one of them"
        if is_enough_for_auto:
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
