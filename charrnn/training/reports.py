"""Reports of a run: history.csv, and TensorBoard's scalars."""
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional

import numpy as np

from charrnn.checkpoints.record import HISTORY_FILE
from charrnn.data import StrPath
from charrnn.system import files

SUMMARY_FOLDER = "summaries"
# The losses are in nats per character. The norm is that before clipping.
COLUMNS = ("step", "epoch", "loss", "bits_per_character", "val_loss", "val_bits_per_character", "learning_rate",
           "gradient_norm", "characters_per_second")


def read_history(folder: StrPath) -> Dict[str, np.ndarray]:
    """Return the columns of a run's ``history.csv``: float arrays by their names, NaN where nothing was measured.

    A row that was not written to its end, for example because of a crash, is left out.
    """
    lines = [line.split(",") for line in (Path(folder) / HISTORY_FILE).read_bytes().decode().splitlines()]
    rows = [line for line in lines[1:] if len(line) == len(COLUMNS)]
    return {name: np.array([float(row[column] or "nan") for row in rows]) for column, name in enumerate(COLUMNS)}


class Reports:
    """The history of a run and, on request, its summaries for TensorBoard.

    Attributes:
        history: the lines of ``history.csv`` without its header.
    """

    def __init__(self, folder: StrPath, step: int, history: str = "", summaries: bool = True,
                 check: Callable[[], None] = lambda: None) -> None:
        """Write the history so far to a run folder.

        Args:
            folder: the run folder.
            step: number of steps done, 0 for a new run.
            history: its lines so far.
            summaries: whether to write TensorBoard's event files too.
            check: called before a row is written. It may raise an OSError to prevent that.

        Raises:
            OSError: they cannot be written.
        """
        self._path, self.history, self._check = Path(folder) / HISTORY_FILE, history, check
        self._write_all()
        self._writer = None
        self._failure: Optional[str] = None  # of TensorFlow's writer, which then writes nothing more
        if summaries:
            from charrnn.system.tensorflow import tf
            files.make_folder(Path(folder) / SUMMARY_FOLDER)
            self._writer = tf.summary.FileWriter(str(Path(folder) / SUMMARY_FOLDER))
            # tells TensorBoard to drop what an earlier process wrote about later steps, even if it saved no checkpoint
            self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)

    def _write_all(self) -> None:
        files.write_atomically(self._path, (_line(COLUMNS) + self.history).encode())

    def add(self, step: int, **measured: float) -> None:
        """Write a row, with the values of some COLUMNS. If this raises an OSError, the next flush writes it."""
        row = dict(measured, step=step)
        line = _line(str(row.get(name, "")) for name in COLUMNS)
        self.history += line
        self._check()
        if self._writer:
            from charrnn.system.tensorflow import tf
            self._call(self._writer.add_summary, tf.Summary(value=[
                tf.Summary.Value(tag=name, simple_value=value) for name, value in measured.items()]), step)
        with open(str(self._path), "a", encoding="utf-8") as file:
            file.write(line)

    def flush(self) -> None:
        """Write the whole history again, in case its file was lost or changed, and flush the summaries."""
        self._write_all()
        if self._writer:
            self._call(self._writer.flush)
        if self._failure:
            self._writer, failure, self._failure = None, self._failure, None
            raise OSError(f"summaries for TensorBoard are no longer written: {failure}")

    def close(self) -> None:
        """Close the event file."""
        if self._writer:
            self._call(self._writer.close)

    def _call(self, method: Callable[..., None], *arguments: object) -> None:
        """Call a method of TensorFlow's writer, and keep its failure, for example on a full disk."""
        try:
            method(*arguments)
        except RuntimeError as error:
            self._failure = str(error)


def _line(values: Iterable[str]) -> str:
    return ",".join(values) + "\n"
