"""The plan of a training run. It is checked before anything is written, and is the same in all processes."""

import time
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

import numpy as np

from charrnn.checkpoints import record, text_of_run
from charrnn.checkpoints.find import run_folder
from charrnn.checkpoints.record import IMMUTABLE, CheckpointError, RunRecord
from charrnn.data import StrPath, Vocabulary, count_windows, split
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import fresh_seed
from charrnn.hyperparameters import AUTO, NAMES, Hyperparameters
from charrnn.system.tensorflow import is_version_1, session_config, thread_count
from charrnn.text import corpus, lists
from charrnn.text.corpus import Text
from charrnn.training import minutes, transfer
from charrnn.training.options import Options
from charrnn.training.presets import NOT_FUSED, preset, steps_of_auto

LEAST_SPEEDUP = 1.1  # of products in bfloat16, from which on the precision auto takes it


@dataclass(frozen=True, eq=False)
class Job:
    """The plan of a training run.

    Attributes:
        record: the record of the run.
        folder: its folder.
        text: its text.
        options: the Options.
        init_from: the model that the initial weights come from; None for random ones, or to resume.
        training, held_out, test: int arrays, the ids to train on, to evaluate on, and to evaluate on once at the end.
        seed_given: whether the seed was given, and not chosen at random just now.
        threads: the threads that each process uses.
        speedup: how many times as fast as in float32 this machine multiplies in bfloat16; None unless it was measured.
        time_in_words: what was chosen for a given time; "" if none was given.
    """

    record: RunRecord
    folder: StrPath
    text: str
    options: Options
    threads: int
    init_from: Optional[Model]
    training: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    seed_given: bool = True
    speedup: Optional[float] = None
    time_in_words: str = ""

    @property
    def is_list(self) -> bool:
        """Whether the text is plainly a list."""
        return lists.is_list(self.text)

    @property
    def of_lines(self) -> bool:
        """Whether the text is taken for a list: plainly it is one, or its lines are shuffled."""
        return self.hyperparameters.shuffle == "lines" or self.is_list

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of the record."""
        return self.record.hyperparameters

    @property
    def n_windows(self) -> int:
        """K, windows in an epoch."""
        hyper = self.hyperparameters
        return count_windows(len(self.training), hyper.batch_size, hyper.num_steps)

    @property
    def total_steps(self) -> int:
        """Steps of all epochs."""
        return self.n_windows * self.hyperparameters.epochs


def plan_job(
    text: Optional[Text],
    given: Dict[str, Any],
    folder: Optional[StrPath],
    options: Options,
    init_from: Optional[Model] = None,
    n_processes: int = 1,
) -> Job:
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
    started = time.perf_counter()
    fixed = [*given]
    options.check()
    if options.minutes is not None:
        options, given = _for_minutes(options, given, n_processes)
    threads = options.threads or thread_count()
    folder = run_folder(folder, options.resume)
    old = record.read_run(folder) if options.resume else None
    hyper = _hyperparameters(text, given, old, options, init_from)
    speedup = None
    seed_given = hyper.seed is not None
    if hyper.batch_size % n_processes:
        raise ValueError(
            f"batch_size {hyper.batch_size} cannot be divided by {n_processes} processes: choose a "
            f"multiple of {n_processes}"
        )
    if old:
        run, text = _resumed_run(old, hyper, text)
    elif text is None:
        raise ValueError("there is no text to train on")
    else:
        if hyper.precision == AUTO:
            precision, speedup = faster_precision(threads, hyper.unrolls_fused)
            hyper = replace(hyper, precision=precision)
        run, text = _new_run(text, hyper, init_from)
    hyper = run.hyperparameters
    if hyper.precision == "bfloat16" and is_version_1():
        raise ValueError(
            "precision bfloat16 needs TensorFlow 2, on Python 3.10 to 3.13; TensorFlow 1.15 trains in "
            "float32"
        )
    # small, since the ids of a long text take most of the memory
    dtype = np.min_scalar_type(len(run.vocabulary) - 1)
    parts = split(run.vocabulary.encode(text.text, dtype), hyper.val_fraction, hyper.test_fraction)
    _check_sizes(hyper, *parts)
    time_in_words = ""
    if options.minutes is not None:
        fixed += transfer.network_of(init_from) if init_from else ()
        choice = minutes.Choice(
            hyper, tuple(map(len, parts)), tuple(fixed), options.minutes, options.sample_length
        )
        hyper, time_in_words = minutes.fitted(
            choice,
            lambda timed: minutes.time_network(len(run.vocabulary), timed, threads, seed_given),
            started,
        )
        run = replace(run, hyperparameters=hyper)
    return Job(
        run,
        folder,
        text.text,
        options,
        threads,
        init_from,
        *parts,
        seed_given=seed_given,
        speedup=speedup,
        time_in_words=time_in_words,
    )


def _for_minutes(
    options: Options, given: Dict[str, Any], n_processes: int
) -> Tuple[Options, Dict[str, Any]]:
    """Return the options and values of a run that takes some minutes. Raise ValueError if they contradict that."""
    others = {
        "resume": options.resume,
        "epochs": "epochs" in given,
        "several processes": n_processes > 1,
        f"the preset {options.preset}": options.preset not in (None, AUTO),
    }
    if any(others.values()):
        raise ValueError(f"minutes cannot be combined with {next(filter(others.get, others))}")
    return replace(options, preset=AUTO), {"precision": AUTO, "early_stop": 0, **given}


def faster_precision(threads: int, fused: bool) -> Tuple[str, Optional[float]]:
    """Return the precision that is faster on this machine, and how many times as fast bfloat16 multiplies.

    With TensorFlow 1.15, nothing is measured, and the second is None.

    Args:
        threads: the threads to measure with.
        fused: whether the network is unrolled fused.
    """
    if is_version_1():
        return "float32", None
    from charrnn.fused.passes import bfloat16_speedup  # not above, because it imports TensorFlow

    config = session_config(threads, fused)
    config.use_per_session_threads = True  # so that training can have others
    speedup = bfloat16_speedup(config)
    return "bfloat16" if speedup >= LEAST_SPEEDUP else "float32", speedup


def _hyperparameters(
    text: Optional[Text],
    given: Dict[str, Any],
    old: Optional[RunRecord],
    options: Options,
    init_from: Optional[Model],
) -> Hyperparameters:
    """Return the hyperparameters of the run to resume or of a preset, changed by those that are given."""
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise ValueError(
            f"there is no hyperparameter {', '.join(unknown)}: there are {', '.join(NAMES)}"
        )
    if old:
        for name, value in (("init_from", init_from), ("preset", options.preset)):
            if value is not None:
                raise ValueError(f"{name} is for a new run and cannot be combined with resume")
        values = vars(old.hyperparameters)
    else:
        values = preset(options.preset, len(text.text) if text else 0) if options.preset else {}
        network = transfer.network_of(init_from) if init_from else {}
        # auto takes the sizes of the model; those of another preset stay, and are refused if they differ
        values = {**values, **network} if options.preset == AUTO else {**network, **values}
        if options.preset == AUTO and text and lists.is_list(text.text):
            values = {**values, "shuffle": "lines"}
        changed = Hyperparameters(**{**values, **given})
        if (
            options.preset == AUTO
            and changed.recurrent_keep_prob != 1
            and not changed.unrolls_fused
        ):
            values = {**values, **NOT_FUSED}
    hyper = Hyperparameters(**{**values, **given})
    try:
        hyper.check(recorded=set(values) - set(given) if old else ())
    except ValueError as error:
        raise ValueError(
            f"{error} (with preset {options.preset})" if options.preset else str(error)
        )
    return hyper


def _new_run(
    text: Text, hyper: Hyperparameters, init_from: Optional[Model]
) -> Tuple[RunRecord, Text]:
    """Return a new run, and its text in its order. Raise ValueError if it cannot start from that model."""
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2**31))
    sha256 = corpus.text_sha256(text.text)
    shuffled_sha256 = None
    if hyper.shuffle == "lines":
        text = replace(text, text=lists.shuffled(text.text))
        shuffled_sha256 = corpus.text_sha256(text.text)
    run = RunRecord(
        hyper,
        Vocabulary.from_text(text.text),
        text.name,
        sha256,
        shuffled_sha256=shuffled_sha256,
        beginning=lists.beginning_of(text.text),
    )
    if not init_from:
        return run, text
    for name, value in transfer.network_of(init_from).items():
        if value != getattr(hyper, name):
            raise ValueError(
                f"{init_from.name} has {name} {value}: a run with {name} {getattr(hyper, name)} cannot "
                "start from it"
            )
    vocabulary = transfer.joined_vocabulary(init_from, text.text)
    return replace(run, vocabulary=vocabulary, init_from=init_from.name), text


def _resumed_run(
    run: RunRecord, hyper: Hyperparameters, text: Optional[Text]
) -> Tuple[RunRecord, Text]:
    """Return a run with new hyperparameters, and its text. Raise CheckpointError if it cannot have them."""
    old = run.hyperparameters
    if run.unknown:
        raise CheckpointError(
            f"the run in {run.folder} has hyperparameters that this version of charrnn does not "
            f"know: {', '.join(map(repr, run.unknown))}"
        )
    if hyper.precision == AUTO:
        hyper = replace(hyper, precision=old.precision)
    content = text_of_run.text_of(run, text.text) if text else record.read_text(run)
    if text and content is None:
        raise CheckpointError(
            f"the run in {run.folder} was trained on another text than {text.name}; without a text, "
            "a resumed run uses the one in that folder"
        )
    for name in IMMUTABLE:
        if getattr(old, name) != getattr(hyper, name):
            raise CheckpointError(
                f"the run in {run.folder} has {name} {getattr(old, name)}, which cannot be changed "
                f"to {getattr(hyper, name)}: leave it out, or train another run"
            )
    return replace(run, hyperparameters=hyper), Text(
        run.text_name, content or "", text.skipped if text else ()
    )


def _check_sizes(
    hyper: Hyperparameters, training: np.ndarray, held_out: np.ndarray, test: np.ndarray
) -> None:
    """Raise ValueError if the text is too short for a run."""
    if len(training) and training.min() == training.max():
        raise ValueError(
            f"the text to train on has only one {'distinct ' * (len(training) > 1)}character: there is "
            "nothing to learn"
        )
    n_characters = len(training) + len(held_out) + len(test)
    if not count_windows(len(training), hyper.batch_size, hyper.num_steps):
        raise ValueError(
            f"the text to train on has {len(training):,} characters, too few for one window of {hyper.batch_size} x "
            f"{hyper.num_steps} (batch_size x num_steps, {hyper.batch_size * hyper.num_steps:,} characters): "
            f"reduce one of them{', or take the preset auto' * bool(steps_of_auto(n_characters))}"
        )
    for name, part in (("val_fraction", held_out), ("test_fraction", test)):
        fraction = getattr(hyper, name)
        if fraction and len(part) < 2:
            raise ValueError(
                f"{name} {fraction} holds out {len(part)} of the text's {n_characters:,} "
                "characters, but at least 2 are needed"
            )
