"""The progress of a run: what a checkpoint has to go on from, and what is reported of it: history.csv, summaries."""

import contextlib
import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional

import numpy as np

from charrnn.checkpoints.record import HISTORY_FILE, LARGEST_MEASURED, CheckpointError
from charrnn.data import StrPath
from charrnn.system import errors, files

# The losses are in nats per character. The norm is that before clipping.
COLUMNS = (
    "step",
    "epoch",
    "loss",
    "bits_per_character",
    "val_loss",
    "val_bits_per_character",
    "learning_rate",
    "gradient_norm",
    "characters_per_second",
)

# the folder of the summaries in a run folder
FOLDER = "summaries"


@dataclass(frozen=True)
class Best:
    """The evaluation of a run that has the lowest loss on the held-out text.

    Attributes:
        step: number of updates done before it; 0 if there was no evaluation.
        loss: its validation loss, in nats per character.
        evaluations_since: number of evaluations since then.
    """

    step: int = 0
    loss: float = math.inf
    evaluations_since: int = 0

    def after(self, step: int, loss: float) -> "Best":
        """Return the best evaluation when the loss of a later step is known too.

        >>> Best().after(15, 2.0).after(30, 2.5)
        Best(step=15, loss=2.0, evaluations_since=1)
        """
        if loss < self.loss:
            return Best(step, loss)
        return replace(self, evaluations_since=self.evaluations_since + 1)


@dataclass(frozen=True, eq=False)
class Progress:
    """The progress of a run.

    Attributes:
        step: number of updates done. It determines the epoch and the place in the text.
        lstm_state: float32 [num_layers, 2, N, L], c and h of each layer after that step; [num_layers, 1, N, L] for
            cells whose state is h alone.
        epoch_losses: float32 array, the losses of the steps done in the current epoch.
        best: the best evaluation.
        history: the lines of ``history.csv`` so far, without its header.
    """

    step: int
    lstm_state: np.ndarray
    epoch_losses: np.ndarray
    best: Best = Best()
    history: str = ""


def packed_progress(progress: Progress) -> bytes:
    """Return the content of the file that :func:`read_progress` reads."""
    # In memory first: a ZipFile that cannot write its file reports a second error when it is deleted.
    content = io.BytesIO()
    np.savez(
        content,
        step=progress.step,
        lstm_state=progress.lstm_state,
        epoch_losses=progress.epoch_losses,
        best_step=progress.best.step,
        best_loss=progress.best.loss,
        evals_since_best=progress.best.evaluations_since,
        history=np.frombuffer(progress.history.encode(), np.uint8),
    )
    return content.getvalue()


def read_progress(prefix: str) -> Progress:
    """Read the progress that was saved with a verified checkpoint.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with np.load(prefix + ".progress.npz") as arrays:
            best = Best(
                step=arrays["best_step"].item(),
                loss=arrays["best_loss"].item(),
                evaluations_since=arrays["evals_since_best"].item(),
            )
            return Progress(
                step=arrays["step"].item(),
                lstm_state=arrays["lstm_state"],
                epoch_losses=arrays["epoch_losses"],
                best=best,
                history=arrays["history"].tobytes().decode(),
            )
    # Of any kind, if another program has made the file.
    except Exception as error:
        raise CheckpointError(
            f"{prefix} cannot be used to resume: its progress cannot be read "
            f"({errors.reason(error)})"
        )


def row(step: int, epoch: int, measured: Dict[str, float]) -> str:
    """Return a row, with its line end.

    Args:
        step, epoch: after which it was measured.
        measured: the values of some of COLUMNS.
    """
    values = dict(measured, step=step, epoch=epoch)
    return _line(str(values.get(name, "")) for name in COLUMNS)


def with_bits(measured: Dict[str, float]) -> Dict[str, float]:
    """Return what was measured, and each loss in bits too."""
    in_bits = {}
    for name, bits in (("loss", "bits_per_character"), ("val_loss", "val_bits_per_character")):
        if name in measured:
            in_bits[bits] = measured[name] / math.log(2)
    return {**measured, **in_bits}


def write_history(folder: StrPath, rows: str) -> None:
    """Write the history of a run as a whole. Raise OSError if it cannot be written."""
    content = _line(COLUMNS) + rows
    files.write_atomically(Path(folder) / HISTORY_FILE, content.encode())


def _line(values: Iterable[str]) -> str:
    return ",".join(values) + "\n"


def read_history(folder: StrPath) -> Dict[str, np.ndarray]:
    """Return the columns of a run's ``history.csv``: float arrays by their names, NaN where nothing was measured.

    A row that was not written to its end, for example because of a crash, or has something else, is left out.
    """
    lines = (Path(folder) / HISTORY_FILE).read_bytes().splitlines()
    after_the_header = lines[1:]
    rows = []
    for line in after_the_header:
        with contextlib.suppress(ValueError):
            row = [float(cell or "nan") for cell in line.split(b",")]
            is_too_large = any(abs(number) > LARGEST_MEASURED for number in row)
            if len(row) == len(COLUMNS) and not is_too_large:
                rows.append(row)
    return {name: np.array([row[column] for row in rows]) for column, name in enumerate(COLUMNS)}


class Summaries:
    """An event file, to be closed."""

    def __init__(self, folder: StrPath, step: int) -> None:
        """Open a file in a run folder, for what is measured after a step."""
        from charrnn.system.tensorflow import tf

        path = Path(folder) / FOLDER
        path.mkdir(exist_ok=True)
        self._writer = tf.summary.FileWriter(str(path))
        # Why TensorFlow's writer failed. It then writes nothing more.
        self._failure: Optional[str] = None
        # TensorBoard then drops what an earlier process wrote about later steps, even if it saved no checkpoint.
        self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)

    def add(self, step: int, measured: Dict[str, float]) -> None:
        """Write what was measured after a step."""
        from charrnn.system.tensorflow import tf

        values = [
            tf.Summary.Value(tag=name, simple_value=value) for name, value in measured.items()
        ]
        self._call(self._writer.add_summary, tf.Summary(value=values), step)

    def flush(self) -> None:
        """Write what TensorFlow has kept. Raise OSError, once, if the summaries cannot be written any more."""
        self._call(self._writer.flush)
        if self._failure:
            failure = self._failure
            self._failure = None
            raise OSError(f"summaries for TensorBoard are no longer written: {failure}")

    def close(self) -> None:
        """Close the event file."""
        self._call(self._writer.close)

    def _call(self, method: Callable[..., None], *arguments: object) -> None:
        """Call a method of TensorFlow's writer, and keep its failure, for example on a full disk."""
        try:
            method(*arguments)
        except RuntimeError as error:
            self._failure = str(error)
