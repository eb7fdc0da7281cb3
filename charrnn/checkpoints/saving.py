"""Save a checkpoint and the progress of its run, and restore the progress."""
import contextlib
import io
import json
import os
import shutil
import zipfile
import zlib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from charrnn.checkpoints.find import list_checkpoints
from charrnn.checkpoints.record import (
    FORMAT_VERSION,
    RUN_FILE,
    STAGE,
    CheckpointError,
    checkpoint_prefix,
    file_sha256,
    fingerprint,
    read_run,
    step_of,
    write_run,
)
from charrnn.checkpoints.weights import reason
from charrnn.system import files


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        step: updates done; epoch and place in the text follow from it.
        lstm_state: float32 [num_layers, 2, N, L], c and h of each layer after that step; of cells that have h
            alone [num_layers, 1, N, L].
        epoch_losses: float32 array, the losses of the steps done in the current epoch.
        best_step: step of the best evaluation, 0 where there was none.
        best_loss: its validation loss, in nats per character.
        evals_since_best: evaluations since then.
    """

    step: int
    lstm_state: np.ndarray
    epoch_losses: np.ndarray
    best_step: int = 0
    best_loss: float = float("inf")
    evals_since_best: int = 0


def save(session, saver, folder, lstm_size, progress, run, max_to_keep=100):
    """Save a checkpoint: aside, flushed, then moved into place, its record last; then forget the oldest.

    Args:
        session: the tf.Session that holds the weights.
        saver: its Saver, made with ``max_to_keep=0``, for what is kept is decided here.
        folder: the run folder.
        lstm_size: L.
        progress: a Progress.
        run: the Run, with the best checkpoint that it has then; it is written down where that is this one.
        max_to_keep: checkpoints to keep, besides the best.

    Returns:
        The checkpoint's prefix.

    Raises:
        OSError: it could not be written; earlier checkpoints are untouched, and nothing of it is left behind.
    """
    import tensorflow.compat.v1 as tf

    prefix = checkpoint_prefix(folder, progress.step, lstm_size)
    name, folder = Path(prefix).name, Path(folder)
    stage, moved = folder / STAGE, []
    try:
        remove_leftovers(folder)
        stage.mkdir()
        content = io.BytesIO()  # for a ZipFile that cannot write to the disk complains once more when it goes
        arrays = asdict(progress)
        arrays["worse"] = arrays.pop("evals_since_best")
        np.savez(content, **arrays)
        (stage / (name + ".progress.npz")).write_bytes(content.getvalue())
        saver.save(session, str(stage / name), write_state=False)
        written = sorted(path.name for path in stage.iterdir())
        for each in written:
            files.flush(stage / each)
        record = {"format": FORMAT_VERSION, "step": progress.step, "run_sha256": fingerprint(run),
                  "files": {each: {"bytes": (stage / each).stat().st_size, "sha256": file_sha256(stage / each)}
                            for each in written}}
        files.write_atomically(stage / (name + ".json"), (json.dumps(record, indent=2) + "\n").encode())
        for each in [*written, name + ".json"]:
            os.replace(str(stage / each), str(folder / each))
            moved.append(folder / each)
        files.flush(folder)
    except (tf.errors.OpError, ValueError, OSError) as error:
        for path in moved:
            with contextlib.suppress(OSError):
                path.unlink()
        raise OSError("the checkpoint {} could not be saved: {}".format(
            prefix, getattr(error, "strerror", None) or reason(error)))
    finally:
        with contextlib.suppress(OSError):
            remove_leftovers(folder)
    with contextlib.suppress(OSError):  # saved it is; the next save makes good what could not be done here
        _write_list(folder)
        if read_run(folder).best != run.best:
            write_run(folder, run)  # before the best so far is forgotten
        _forget(folder, progress.step, max_to_keep, run.best)
    return prefix


def remove_leftovers(folder):
    """Remove what a save that was cut short has left in a run folder. Only for the holder of its lock."""
    if (Path(folder) / STAGE).is_dir():
        shutil.rmtree(str(Path(folder) / STAGE))
    for name in (RUN_FILE, "checkpoint"):
        files.remove_leftovers(Path(folder) / name)


def _write_list(folder):
    """Write TensorFlow's list of the checkpoints, which the notebook's own way of restoring reads."""
    names = _recorded(folder)
    lines = ['model_checkpoint_path: "{}"'.format(names[-1])]
    lines += ['all_model_checkpoint_paths: "{}"'.format(name) for name in names]
    files.write_atomically(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


def _recorded(folder):
    """Return the names of the checkpoints that have a record."""
    return [Path(prefix).name for prefix in list_checkpoints(folder) if Path(prefix + ".json").exists()]


def _forget(folder, step, max_to_keep, best):
    """Remove all checkpoints but the newest and the best; the record last, so that a cut is made good later.

    Those of later steps than the one just saved are broken, for training has gone back behind them: they stand for
    nothing, and are not counted.
    """
    names = _recorded(folder)
    forgotten = [name for name in names if step_of(name) <= step][:-max_to_keep]
    forgotten = [name for name in forgotten if name != best]
    for name in forgotten:
        for path in sorted(folder.glob(name + ".*"), key=lambda path: path.suffix == ".json"):
            path.unlink()
    if forgotten:
        _write_list(folder)


def read_progress(prefix, state_shape):
    """Read the progress that stands beside a checkpoint.

    Args:
        prefix: the checkpoint's prefix.
        state_shape: expected shape of the LSTM state.

    Returns:
        A Progress.

    Raises:
        CheckpointError: it is missing, damaged or of another shape.
    """
    path = prefix + ".progress.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            progress = Progress(int(arrays["step"]), arrays["lstm_state"], arrays["epoch_losses"],
                                int(arrays["best_step"]), float(arrays["best_loss"]), int(arrays["worse"]))
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError("{} cannot be resumed from: its progress cannot be read ({})".format(prefix, error))
    if Path(prefix).name.split("_")[0] != "i{}".format(progress.step):
        raise CheckpointError("{} cannot be resumed from: its progress is that of step {}".format(
            prefix, progress.step))
    if progress.lstm_state.shape != tuple(state_shape):
        raise CheckpointError("{} cannot be resumed from: its LSTM state has shape {}, not {}".format(
            prefix, progress.lstm_state.shape, tuple(state_shape)))
    return progress


# transition
Progress._replace = replace
Progress._fields = (*(field.name for field in fields(Progress)),)[:-1] + ("worse",)
Progress.worse = property(lambda self: self.evals_since_best)
