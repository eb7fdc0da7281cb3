"""Reports of a run: history.csv, and TensorBoard's scalars and samples."""
import csv
import errno
import io
import os
import re
from pathlib import Path
from typing import Any, Iterable, List, NamedTuple, Optional

from charrnn.data import StrPath
from charrnn.system import console, files

HISTORY_FILE = "history.csv"
SUMMARY_FOLDER = "summaries"


class Row(NamedTuple):
    """A line of the history. What was not measured at its step is None.

    Attributes:
        step: number of steps done.
        epoch: counted from 1.
        loss: of that step, in nats per character.
        bits_per_character: the same in bits.
        val_loss: on the held-out text, in nats per character.
        val_bits_per_character: the same in bits.
        learning_rate: of that step.
        gradient_norm: of that step, before clipping.
        characters_per_second: training speed since the line before.
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured at its step."""
        return self == Row(self.step, self.epoch)


class Reports:
    """The history of a run and, on request, its summaries for TensorBoard.

    Attributes:
        n_rows: number of rows in the history.
    """

    def __init__(self, folder: StrPath, step: int, summaries: bool = True) -> None:
        """Open the reports of a run folder after a step, and drop what they have of later steps.

        Args:
            folder: the run folder.
            step: number of steps done, 0 for a new run.
            summaries: whether to write TensorBoard's event files too.

        Raises:
            OSError: they cannot be written.
        """
        self._path = Path(folder) / HISTORY_FILE
        files.check_regular(self._path)
        files.remove_leftovers(self._path)
        lines = [_line(Row._fields)] + _lines_until(self._path, step)
        self.n_rows = len(lines) - 1
        try:
            files.write_atomically(self._path, "".join(lines).encode())
        except OSError as error:
            raise OSError(f"the folder {folder} cannot be written: {console.reason(error)}")
        self._writer = None
        if summaries:
            from charrnn.system.tensorflow import tf
            self._writer = tf.summary.FileWriter(str(Path(folder) / SUMMARY_FOLDER))
            if step:  # TensorBoard drops what an earlier process wrote of later steps
                self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)

    def add(self, row: Row) -> None:
        """Write a row. Raise OSError if that fails; then no part of the row is written."""
        line = _line(["" if value is None else repr(value) for value in row]).encode()
        with open(str(self._path), "ab", buffering=0) as file:
            end = file.tell()
            written = file.write(line)
            if written < len(line):
                file.truncate(end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.n_rows += 1
        if self._writer:
            from charrnn.system.tensorflow import tf
            self._writer.add_summary(tf.Summary(value=[
                tf.Summary.Value(tag=name, simple_value=value)
                for name, value in row._asdict().items() if name != "step" and value is not None]), row.step)

    def add_sample(self, text: str, step: int) -> None:
        """Write a text that the network generated."""
        if self._writer:
            from charrnn.system.tensorflow import tf
            metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text"))
            # indented, so that TensorBoard shows it verbatim and not as Markdown
            shown = "".join("    " + line for line in text.splitlines(True)).encode("utf-8", "backslashreplace")
            self._writer.add_summary(tf.Summary(value=[tf.Summary.Value(
                tag="sample", metadata=metadata, tensor=tf.make_tensor_proto(shown))]), step)

    def flush(self) -> None:
        """Flush the history to the disk, and write buffered summaries to their file."""
        files.flush(self._path)
        if self._writer:
            self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer:
            self._writer.close()


def _line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _lines_until(path: Path, step: int) -> List[str]:
    """Return the complete lines of an earlier history up to a step, without its header."""
    try:
        lines = files.read(path).decode("ascii", "replace").splitlines(True)[1:]
    except FileNotFoundError:
        return []
    kept = []
    for line in lines:
        first = line.split(",")[0]
        complete = line.endswith("\n") and line.count(",") == len(Row._fields) - 1 and "\ufffd" not in line
        if complete and re.fullmatch("[0-9]{1,18}", first) and int(first) <= step:
            kept.append(line)
    return kept
