"""Save a checkpoint with the progress of its run, and read the progress back."""
import contextlib
import errno
import io
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import numpy as np

from charrnn.checkpoints.find import list_checkpoints
from charrnn.checkpoints.record import (
    LOCK_FILE,
    RUN_FILE,
    STAGE,
    TEXT_FILE,
    CheckpointError,
    Run,
    check_unused,
    checkpoint_prefix,
    file_sha256,
    record_of,
    signed,
    step_of,
    write_run,
)
from charrnn.checkpoints.weights import Weights, packed
from charrnn.data import StrPath
from charrnn.system import console, files


@dataclass(frozen=True, eq=False)
class Progress:
    """The progress of a run.

    Attributes:
        step: number of updates done. It determines the epoch and the place in the text.
        lstm_state: float32 [num_layers, 2, N, L], c and h of each layer after that step; [num_layers, 1, N, L] for
            cells whose state is h alone.
        epoch_losses: float32 array, the losses of the steps done in the current epoch.
        best_step: step of the evaluation with the lowest loss; 0 if there was no evaluation.
        best_loss: its validation loss, in nats per character.
        evals_since_best: number of evaluations since then.
        history: the lines of ``history.csv`` so far, without its header.
    """

    step: int
    lstm_state: np.ndarray
    epoch_losses: np.ndarray
    best_step: int = 0
    best_loss: float = float("inf")
    evals_since_best: int = 0
    history: str = ""


class NotListedError(OSError):
    """A checkpoint is saved, but the list or ``run.json`` was not written, or an old checkpoint was not removed."""


def save(session, saver, folder: StrPath, lstm_size: int, progress: Progress, run: Run, weights: Weights,
         max_to_keep: int = 100) -> str:
    """Save a checkpoint, then remove the oldest ones.

    The files are written to a stage and flushed, then moved into the folder, the record last. The folder is flushed
    before the record is moved, and before anything is removed.

    Args:
        session: the tf.Session that holds the weights.
        saver: its Saver, created with ``max_to_keep=0``, because this function removes old checkpoints itself.
        folder: the run folder.
        lstm_size: L.
        progress: the Progress of the run.
        run: the Run, with the name of its best checkpoint.
        weights: the weights to write with, by the names of their variables.
        max_to_keep: number of checkpoints to keep, not counting the best one.

    Returns:
        The prefix of the checkpoint.

    Raises:
        NotListedError: the checkpoint is saved, but ``run.json`` or TensorFlow's list cannot be written, or an old
            checkpoint cannot be removed. The next save tries again.
        OSError: the checkpoint cannot be written. Earlier checkpoints are unchanged, and none of its files remain.
    """
    from charrnn.system.tensorflow import tf

    prefix = checkpoint_prefix(folder, progress.step, lstm_size)
    folder = Path(folder)
    moved: List[Path] = []
    try:
        remove_leftovers(folder)
        *written, record = _write_stage(
            session, saver, folder / STAGE, Path(prefix).name, progress, run, weights)
        for paths in (written, [record]):
            for path in paths:
                os.replace(str(path), str(folder / path.name))
                moved.append(folder / path.name)
            files.flush(folder)  # so that there is no record without its files after a loss of power
    except (tf.errors.OpError, ValueError, OSError) as error:
        for path in moved:
            with contextlib.suppress(OSError):
                path.unlink()
        raise OSError(f"the checkpoint {prefix} could not be saved: {console.reason(error)}")
    finally:
        with contextlib.suppress(OSError):
            remove_leftovers(folder)
    try:
        complete(folder, progress.step, run, max_to_keep)
    except OSError as error:
        raise NotListedError(f"the checkpoint {prefix} is saved, but the files of the folder that name it could not be "
                             f"updated: {console.reason(error)}")
    return prefix


def complete(folder: StrPath, step: int, run: Run, max_to_keep: int) -> None:
    """Do what follows when a checkpoint is in its folder: list it, and remove the oldest ones.

    Args:
        folder: the run folder.
        step: the step of the checkpoint.
        run, max_to_keep: as for :func:`save`.

    Raises:
        OSError: something cannot be written or removed. To call the function again completes it.
    """
    old = _old_names(Path(folder), step, max_to_keep, run.best)
    _write_list(Path(folder), without=old)
    write_run(folder, run)
    _remove(Path(folder), old)


def _write_stage(session, saver, stage: Path, name: str, progress: Progress, run: Run,
                 weights: Weights) -> List[Path]:
    """Write and flush the files of a checkpoint in a new folder, and return their paths, the record last."""
    stage.mkdir()
    record = record_of(run)
    (stage / f"{name}.npz").write_bytes(packed(weights, record))
    content = io.BytesIO()  # because a ZipFile that fails to write to the disk reports a second error when deleted
    np.savez_compressed(content, **asdict(progress))
    (stage / f"{name}.progress.npz").write_bytes(content.getvalue())
    saver.save(session, str(stage / name), write_state=False)
    written = sorted(stage.iterdir())
    for path in written:
        files.flush(path)
    sizes = {path.name[len(name):]: [path.stat().st_size, file_sha256(path)] for path in written}
    path = stage / f"{name}.json"
    files.write_atomically(path, signed({"name": name, "files": sizes, "run": record}))
    return [*written, path]


@contextlib.contextmanager
def reserved(folder: StrPath, resume: bool) -> Iterator[None]:
    """Make a run folder and hold its lock within a block, so that no other process trains in it.

    Args:
        folder: the folder.
        resume: whether it may hold a run.

    Raises:
        CheckpointError: it holds another run, or another process trains in it.
        OSError: it cannot be written.
    """
    if not resume:
        check_unused(folder)
    lock = Path(folder) / LOCK_FILE
    try:
        files.make_folder(lock.parent)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(files.locked(lock))
            except BlockingIOError:
                raise CheckpointError(f"another process is training in {folder}")
            if not resume:
                check_unused(folder)  # another process may have started a run in the meantime
            yield
    except OSError as error:
        if error.filename in (str(lock), str(lock.parent)):
            raise OSError(f"the folder {folder} cannot be written: {console.reason(error)}")
        raise


def remove_leftovers(folder: StrPath) -> None:
    """Remove the files that an interrupted save has left in a run folder. The caller must hold its lock."""
    stage = Path(folder) / STAGE
    if stage.is_symlink() or stage.exists() and not stage.is_dir():
        raise OSError(errno.EEXIST, "it is in the place of a folder for incomplete checkpoints: remove it", str(stage))
    if stage.exists():
        shutil.rmtree(str(stage))
    for name in (RUN_FILE, TEXT_FILE, "history.csv", "checkpoint"):
        files.remove_leftovers(Path(folder) / name)


def _write_list(folder: Path, without: Sequence[str]) -> None:
    """Write TensorFlow's list of checkpoints, which the notebook uses to restore."""
    names = [name for name in _recorded(folder) if name not in without]
    lines = [f'model_checkpoint_path: "{names[-1]}"', *(f'all_model_checkpoint_paths: "{name}"' for name in names)]
    files.write_atomically(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


def _recorded(folder: Path) -> List[str]:
    """Return the names of the checkpoints that have a record."""
    return [Path(prefix).name for prefix in list_checkpoints(folder) if Path(prefix + ".json").exists()]


def _old_names(folder: Path, step: int, max_to_keep: int, best: Optional[str]) -> List[str]:
    """Return the names of the checkpoints to remove: all but the newest ``max_to_keep`` and the best.

    Checkpoints of later steps are damaged, because training has resumed from an earlier one. They are neither
    counted nor removed.
    """
    names = [name for name in _recorded(folder) if (step_of(name) or 0) <= step]
    return [name for name in names[:-max_to_keep] if name != best]


def _remove(folder: Path, names: Sequence[str]) -> None:
    """Remove checkpoints, the record of each last, so that the next save completes an interrupted removal."""
    for name in names:
        for path in folder.glob(f"{name}.*"):
            if re.fullmatch(r"\.(index|meta|data-\d{5}-of-\d{5}|(progress\.)?npz)", path.name[len(name):]):
                path.unlink()
    if names:
        files.flush(folder)  # so that no file is left without its record after a loss of power
    for name in names:
        (folder / f"{name}.json").unlink()


def read_progress(prefix: str, state_shape: Sequence[int]) -> Progress:
    """Read the progress that was saved with a verified checkpoint.

    Args:
        prefix: the prefix of the checkpoint.
        state_shape: expected shape of the LSTM state.

    Raises:
        CheckpointError: it is not the progress of such a checkpoint, or its LSTM state has another shape.
    """
    like = asdict(Progress(step_of(Path(prefix).name) or 0, np.zeros(state_shape, np.float32), np.zeros(0, np.float32)))
    try:
        with np.load(prefix + ".progress.npz", allow_pickle=False) as arrays:
            values = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
        progress = Progress(**values)
    except Exception as error:  # of many kinds, where somebody has made such a file with another program
        raise CheckpointError(f"{prefix} cannot be used to resume: its progress cannot be read "
                              f"({console.reason(error)})")
    if progress.step != like["step"] or any(type(value) is not type(like[name]) or getattr(
            value, "dtype", None) != getattr(like[name], "dtype", None) for name, value in values.items()):
        raise CheckpointError(f"{prefix} cannot be used to resume: its progress is not that of step {like['step']}")
    if progress.lstm_state.shape != tuple(state_shape):
        raise CheckpointError(f"{prefix} cannot be used to resume: its LSTM state has shape "
                              f"{progress.lstm_state.shape}, not {tuple(state_shape)}")
    return progress
