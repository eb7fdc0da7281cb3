"""The plan of a training run. It is checked before anything is written, and is the same in all processes."""
import contextlib
from dataclasses import asdict, dataclass, replace
from typing import Optional, Tuple

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints.record import IMMUTABLE, CheckpointError, RunRecord
from charrnn.data import StrPath, Vocabulary, count_windows, split
from charrnn.engines.cells import check_available
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import fresh_seed
from charrnn.system import machine
from charrnn.system.tensorflow import require_bfloat16
from charrnn.text.corpus import Text
from charrnn.training import transfer
from charrnn.training.hyperparameters import AUTO, NAMES, Hyperparameters, check_memory
from charrnn.training.transfer import Transfer

MOST_THREADS = 1000  # with tens of thousands, TensorFlow ends the process
LEAST_SPEEDUP = 1.1  # of products in bfloat16, from which on the precision auto takes it


@dataclass(frozen=True)
class Options:
    """The options of a run that are not hyperparameters.

    Attributes:
        resume: whether to continue the run in the folder.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use, 1 to MOST_THREADS; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: whether to print nothing.
    """

    resume: bool = False
    sample_length: int = 200
    threads: Optional[int] = None
    summaries: bool = True
    quiet: bool = False


@dataclass(frozen=True, eq=False)
class Job:
    """The plan of a training run.

    Attributes:
        run: the record of the run.
        hyperparameters: its hyperparameters.
        folder: its folder.
        text: its text.
        options: the Options.
        transfer: the model that the initial weights come from; None for random ones, or to resume.
        training, held_out, test: int arrays, the ids to train on, to evaluate on, and to evaluate on once at the end.
        seed_given: whether the seed was given, and not chosen at random just now.
        speedup: how many times as fast as in float32 this machine multiplies in bfloat16; None unless it was measured.
    """

    run: RunRecord
    hyperparameters: Hyperparameters
    folder: StrPath
    text: str
    options: Options
    transfer: Optional[Transfer]
    training: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    seed_given: bool = True
    speedup: Optional[float] = None

    @property
    def n_windows(self) -> int:
        """K, windows in an epoch."""
        return count_windows(len(self.training), self.hyperparameters.batch_size, self.hyperparameters.num_steps)

    @property
    def total_steps(self) -> int:
        """Steps of all epochs."""
        return self.n_windows * self.hyperparameters.epochs


def plan_job(text: Optional[Text], hyperparameters: Hyperparameters, folder: StrPath, options: Options,
             init_from: Optional[Model] = None, n_processes: int = 1) -> Job:
    """Plan a run, and check that it can be done. Nothing is written.

    Args:
        text: the training text; None to resume a run with its own text.
        hyperparameters: the hyperparameters. A new run without a seed gets one.
        folder: the run folder.
        options: the Options.
        init_from: a model to take the initial weights from. It must have the same cell and sizes; the text may have
            other characters.
        n_processes: the number of processes that share a batch.

    Raises:
        ValueError: something is out of range, the text is too short, or the folder has no such run.
    """
    _check(hyperparameters, options, n_processes)
    transferred, speedup = None, None
    if options.resume:
        if init_from:
            raise ValueError("init_from is for a new run and cannot be combined with resume")
        run = _resumed_run(folder, hyperparameters, text)
        text = text or Text(run.text_name, checkpoints.read_text(run))
    elif text is None:
        raise ValueError("there is no text to train on")
    else:
        if hyperparameters.precision == AUTO:
            hyperparameters, speedup = _with_faster_precision(hyperparameters, options)
        run, transferred = _new_run(text, hyperparameters, init_from)
    hyper = Hyperparameters(**run.hyperparameters)
    if hyper.precision == "bfloat16":
        require_bfloat16()
    dtype = np.min_scalar_type(len(run.vocabulary) - 1)  # small, since the ids of a long text take most of the memory
    parts = split(run.vocabulary.encode(text.text, dtype), hyper.val_fraction, hyper.test_fraction)
    _check_sizes(run, hyper, *parts)
    return Job(run, hyper, folder, text.text, options, transferred, *parts,
               seed_given=hyperparameters.seed is not None, speedup=speedup)


def _check(hyper: Hyperparameters, options: Options, n_processes: int) -> None:
    """Raise ValueError if a number is out of range, or if TensorFlow does not have the cell."""
    hyper.check()
    check_available(hyper.cell)
    if options.threads is not None and not 1 <= options.threads <= MOST_THREADS:
        raise ValueError(f"threads must be from 1 to {MOST_THREADS}, not {options.threads}")
    if options.sample_length < 0:
        raise ValueError(f"sample_length must be at least 0, not {options.sample_length}")
    if hyper.batch_size % n_processes:
        raise ValueError(f"batch_size {hyper.batch_size} cannot be divided by {n_processes} processes: choose a "
                         f"multiple of {n_processes}")


def _with_faster_precision(hyper: Hyperparameters, options: Options) -> Tuple[Hyperparameters, Optional[float]]:
    """Return the hyperparameters with the precision that is faster on this machine, and the speedup that was measured.

    With TensorFlow 1.15, nothing is measured.
    """
    speedup = None
    with contextlib.suppress(ValueError):
        require_bfloat16()
        from charrnn.fused.product import bfloat16_speedup  # not above, because it imports TensorFlow
        from charrnn.fused.session import session_config
        config = session_config(options.threads, hyper.unrolls_fused)
        config.use_per_session_threads = True  # so that training can have others
        speedup = bfloat16_speedup(config)
    return replace(hyper, precision="bfloat16" if (speedup or 0) >= LEAST_SPEEDUP else "float32"), speedup


def _new_run(text: Text, hyper: Hyperparameters, init_from: Optional[Model]) -> Tuple[RunRecord, Optional[Transfer]]:
    """Return a new run, and the Transfer of its initial weights."""
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2 ** 31))
    transferred = transfer.plan(init_from, text.text, hyper) if init_from else None
    vocabulary = transferred.vocabulary if transferred else Vocabulary.from_text(text.text)
    return RunRecord(asdict(hyper), vocabulary, text.name, checkpoints.text_sha256(text.text),
               init_from=transferred.model.name if transferred else None), transferred


def _resumed_run(folder: StrPath, hyper: Hyperparameters, text: Optional[Text]) -> RunRecord:
    """Return the run in a folder with new hyperparameters. Raise CheckpointError if it cannot have them."""
    run = checkpoints.read_run(folder)
    old = Hyperparameters(**run.hyperparameters)  # with the default for one that is newer than the run
    if hyper.precision == AUTO:
        hyper = replace(hyper, precision=old.precision)
    if text and checkpoints.text_sha256(text.text) != run.text_sha256:
        raise CheckpointError(f"the run in {folder} was trained on another text than {text.name}; without a text, "
                              "a resumed run uses the one in that folder")
    for name in IMMUTABLE:
        if getattr(old, name) != getattr(hyper, name):
            raise CheckpointError(f"the run in {folder} has {name} {getattr(old, name)}, which "
                                  f"cannot be changed to {getattr(hyper, name)}")
    return replace(run, hyperparameters=asdict(hyper))


def run_to_resume(folder: StrPath) -> RunRecord:
    """Return the run in a folder. Raise CheckpointError if there is none, or one of a newer version."""
    run = checkpoints.read_run(folder)
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
    if not count_windows(len(training), hyper.batch_size, hyper.num_steps):
        raise ValueError(
            f"the text to train on has {len(training):,} characters, too few for one window of {hyper.batch_size} x "
            f"{hyper.num_steps} (batch_size x num_steps, {hyper.batch_size * hyper.num_steps:,} characters): "
            "reduce one of them")
    n_characters = len(training) + len(held_out) + len(test)
    for name, part in (("val_fraction", held_out), ("test_fraction", test)):
        fraction = getattr(hyper, name)
        if fraction and len(part) < 2:
            raise ValueError(f"{name} {fraction} holds out {len(part)} of the text's {n_characters:,} "
                             "characters, but at least 2 are needed")
    check_memory(len(run.vocabulary), hyper, machine.total_memory())
