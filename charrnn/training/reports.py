"""Reports of a run: history.csv, and TensorBoard's scalars."""
from pathlib import Path
from typing import Callable, Iterable, NamedTuple, Optional

from charrnn.checkpoints.record import HISTORY_FILE
from charrnn.data import StrPath
from charrnn.system import files

SUMMARY_FOLDER = "summaries"


class Row(NamedTuple):
    """A line of the history. A value that was not measured at this step is None.

    Attributes:
        step: number of steps done.
        epoch: counted from 1.
        loss: of that step, in nats per character.
        bits_per_character: the same in bits.
        val_loss: on the held-out text, in nats per character.
        val_bits_per_character: the same in bits.
        learning_rate: of that step.
        gradient_norm: of that step, before clipping.
        characters_per_second: training speed of that step.
    """

    step: int
    epoch: int
    loss: Optional[float] = None
    bits_per_character: Optional[float] = None
    val_loss: Optional[float] = None
    val_bits_per_character: Optional[float] = None
    learning_rate: Optional[float] = None
    gradient_norm: Optional[float] = None
    characters_per_second: Optional[float] = None


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
        if summaries:
            from charrnn.system.tensorflow import tf
            files.make_folder(Path(folder) / SUMMARY_FOLDER)
            self._writer = tf.summary.FileWriter(str(Path(folder) / SUMMARY_FOLDER))
            if step:  # tells TensorBoard to drop what an earlier process wrote about later steps
                self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)

    def _write_all(self) -> None:
        files.write_atomically(self._path, (_line(Row._fields) + self.history).encode())

    def add(self, row: Row) -> None:
        """Write a row. If this raises an OSError, the next flush writes it."""
        line = _line(["" if value is None else repr(value) for value in row])
        self.history += line
        self._check()
        if self._writer:
            from charrnn.system.tensorflow import tf
            self._writer.add_summary(tf.Summary(value=[
                tf.Summary.Value(tag=name, simple_value=value)
                for name, value in row._asdict().items() if name != "step" and value is not None]), row.step)
        with open(str(self._path), "a", encoding="utf-8") as file:
            file.write(line)

    def flush(self) -> None:
        """Write the whole history again, in case its file was lost or changed, and flush the summaries."""
        self._write_all()
        if self._writer:
            self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer:
            self._writer.close()


def _line(values: Iterable[str]) -> str:
    return ",".join(values) + "\n"
