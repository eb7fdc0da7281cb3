"""Save a checkpoint with the progress of its run, and read the progress back."""
import contextlib
import errno
import io
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import List, Sequence

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.record import STAGE, CheckpointError, RunRecord, listed_names, names_with
from charrnn.checkpoints.weights import Weights, arrays_of, packed
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


def save(session, saver, folder: StrPath, lstm_size: int, progress: Progress, run: RunRecord,
         weights: Weights) -> str:
    """Save a checkpoint, which :func:`finish_save` then lists.

    The files are written to a stage and flushed, then moved into the folder. The folder is flushed before the record is
    moved, which comes last.

    Args:
        session: the tf.Session that holds the weights.
        saver: its Saver, created with ``max_to_keep=0``, because this function removes old checkpoints itself.
        folder: the run folder.
        lstm_size: L.
        progress: the Progress of the run.
        run: the RunRecord, with the name of its best checkpoint.
        weights: the weights to write with, by the names of their variables.

    Returns:
        The prefix of the checkpoint.

    Raises:
        OSError: the checkpoint cannot be written. Earlier checkpoints are unchanged, and none of its files remain.
    """
    from charrnn.system.tensorflow import tf

    prefix = record.checkpoint_prefix(folder, progress.step, lstm_size)
    folder = Path(folder)
    try:
        _remove_stage(folder)
        *written, last = _write_stage(session, saver, folder / STAGE, Path(prefix).name, progress, run, weights)
        for path in written:
            os.replace(str(path), str(folder / path.name))
        files.flush(folder)  # so that there is no record without its files after a loss of power
        os.replace(str(last), str(folder / last.name))
    except (tf.errors.OpError, ValueError, OSError) as error:
        with contextlib.suppress(OSError):
            remove_leftovers(folder)
        in_the_way = getattr(error, "filename2", None)  # of os.replace
        raise OSError(f"the checkpoint {prefix} could not be saved: " + (f"{in_the_way}: " if in_the_way else "") +
                      console.reason(error))
    files.flush(folder)
    return prefix


def finish_save(folder: StrPath, step: int, run: RunRecord, max_to_keep: int) -> None:
    """List a checkpoint that was saved, write ``run.json``, and remove the oldest checkpoints.

    Args:
        folder: the run folder.
        step: the step of the checkpoint.
        run: the RunRecord that was saved with it.
        max_to_keep: number of checkpoints to keep, not counting the best one.

    Raises:
        OSError: something cannot be written or removed. Calling the function again completes it.
    """
    folder = Path(folder)
    _remove_stage(folder)
    names = names_with(folder, ".json")
    # Checkpoints of later steps are damaged, because training has resumed from an earlier one. They are neither counted
    # nor removed.
    trained = [name for name in names if record.step_of(name) <= step]
    if not trained:
        raise FileNotFoundError(errno.ENOENT, "its checkpoints are gone", str(folder))
    old = [name for name in trained[:-max_to_keep] if name != run.best]
    _write_list(folder, trained[-1], [name for name in names if name not in old])
    record.write_run(folder, run)
    _remove(folder, old)


def _write_stage(session, saver, stage: Path, name: str, progress: Progress, run: RunRecord,
                 weights: Weights) -> List[Path]:
    """Write and flush the files of a checkpoint in a new folder, and return their paths, the record last."""
    stage.mkdir()
    about = record.record_of(run)
    (stage / f"{name}.npz").write_bytes(packed(weights, about))
    content = io.BytesIO()  # not the file: a ZipFile that cannot write reports a second error when it is deleted
    np.savez(content, **{**asdict(progress), "history": np.frombuffer(progress.history.encode(), np.uint8)})
    (stage / f"{name}.progress.npz").write_bytes(content.getvalue())
    saver.save(session, str(stage / name), write_state=False)
    written = sorted(stage.iterdir(), reverse=True)  # the progress first, see remove_leftovers()
    for path in written:
        files.flush(path)
    sizes = {path.name[len(name):]: [path.stat().st_size, record.sha256(path.read_bytes())] for path in written}
    path = stage / f"{name}.json"
    files.write_atomically(path, record.signed({"name": name, "files": sizes, "run": about}))
    return [*written, path]


def remove_leftovers(folder: StrPath) -> None:
    """Remove the files that an interrupted save has left in a run folder. The caller must have reserved it.

    Their step is later than that of every checkpoint that has a record or is in TensorFlow's list.
    """
    folder = Path(folder)
    _remove_stage(folder)
    for path in folder.glob(files.TEMPORARY):
        path.unlink()
    newest = max(map(record.step_of, names_with(folder, ".json", listed_names(folder))), default=-1)
    for path in folder.glob("*.ckpt.progress.npz"):  # it is moved first, and no other program writes such a file
        name = path.name[:-len(".progress.npz")]
        if record.step_of(name) > newest:
            _remove_files(folder, name)


def _remove_stage(folder: Path) -> None:
    if os.path.lexists(str(folder / STAGE)):
        shutil.rmtree(str(folder / STAGE))


def _write_list(folder: Path, newest: str, names: Sequence[str]) -> None:
    """Write TensorFlow's list of checkpoints, and the one that ``tf.train.latest_checkpoint`` returns."""
    lines = [f'model_checkpoint_path: "{newest}"', *(f'all_model_checkpoint_paths: "{name}"' for name in names)]
    files.write_atomically(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


def _remove(folder: Path, names: Sequence[str]) -> None:
    """Remove checkpoints. Their records are removed last, so that the next save completes an interrupted removal."""
    for name in names:
        _remove_files(folder, name)
    if names:
        files.flush(folder)  # so that no file is left without its record after a loss of power
    for name in names:
        (folder / f"{name}.json").unlink()


def _remove_files(folder: Path, name: str) -> None:
    """Remove the files of a checkpoint except its record."""
    for path in sorted(folder.glob(f"{name}.*")):
        if path.name[len(name):] in record.SUFFIXES and path.is_file():
            path.unlink()


def read_progress(prefix: str) -> Progress:
    """Read the progress that was saved with a verified checkpoint.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        arrays = arrays_of(Path(prefix + ".progress.npz").read_bytes())
        history = arrays.pop("history").tobytes().decode()
        if any(array.dtype.kind not in "iuf" for array in arrays.values()):
            raise ValueError("it has something other than numbers")
        return Progress(**{name: array.item() if array.ndim == 0 else array for name, array in arrays.items()},
                        history=history)
    except Exception as error:  # of any kind, if another program has made the file
        raise CheckpointError(f"{prefix} cannot be used to resume: its progress cannot be read "
                              f"({console.reason(error)})")
