"""What a run leaves for those who watch it: history.csv, and TensorBoard's scalars and samples."""
import csv
import errno
import io
import os
import re
from pathlib import Path
from typing import NamedTuple

from charrnn.system import files

HISTORY_FILE = "history.csv"
SUMMARY_FOLDER = "summaries"


class Row(NamedTuple):
    """A line of the history; what was not measured at its step is None.

    Attributes:
        step: steps done.
        epoch: from 1.
        loss: of that step, in nats per character.
        bits_per_character: the same in bits.
        val_loss: on the text held out, in nats per character.
        val_bits_per_character: the same in bits.
        learning_rate: of that step.
        gradient_norm: of that step, before clipping.
        characters_per_second: in training, since the line before.
    """

    step: int
    epoch: int
    loss: float = None
    bits_per_character: float = None
    val_loss: float = None
    val_bits_per_character: float = None
    learning_rate: float = None
    gradient_norm: float = None
    characters_per_second: float = None


class Reports:
    """The history of a run, and, unless they are not wanted, its summaries."""

    def __init__(self, folder, step, summaries=True):
        """Go on with the reports of a run folder after a step: what they say of later ones is dropped.

        Args:
            folder: the run folder.
            step: steps done; 0 for a new run.
            summaries: whether to write TensorBoard's event files too.

        Raises:
            OSError: they cannot be written.
        """
        self._path = Path(folder) / HISTORY_FILE
        files.remove_leftovers(self._path)
        lines = [_line(Row._fields)] + _lines_until(self._path, step)
        files.write_atomically(self._path, "".join(lines).encode())
        self._writer = None
        if summaries:
            import tensorflow.compat.v1 as tf
            self._writer = tf.summary.FileWriter(str(Path(folder) / SUMMARY_FOLDER))
            if step:  # TensorBoard drops what an earlier process wrote of later steps
                self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)

    def add(self, row):
        """Write a Row down; OSError where it cannot be, and then nothing of it is."""
        line = _line(["" if value is None else repr(value) for value in row]).encode()
        with open(str(self._path), "ab", buffering=0) as file:
            end = file.tell()
            written = file.write(line)
            if written < len(line):
                file.truncate(end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._writer:
            import tensorflow.compat.v1 as tf
            self._writer.add_summary(tf.Summary(value=[
                tf.Summary.Value(tag=name, simple_value=value)
                for name, value in row._asdict().items() if name != "step" and value is not None]), row.step)

    def add_sample(self, text, step):
        """Write down a text that the network made."""
        if self._writer:
            import tensorflow.compat.v1 as tf
            metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text"))
            # indented, so that it is shown as it is and not as Markdown
            shown = "".join("    " + line for line in text.splitlines(True)).encode("utf-8", "backslashreplace")
            self._writer.add_summary(tf.Summary(value=[tf.Summary.Value(
                tag="sample", metadata=metadata, tensor=tf.make_tensor_proto(shown))]), step)

    def flush(self):
        """Have all of it on the disk's way."""
        if self._writer:
            self._writer.flush()

    def close(self):
        """End the event file."""
        if self._writer:
            self._writer.close()


def _line(values):
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _lines_until(path, step):
    """Return the whole lines of an earlier history up to a step, without its head."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(True)[1:]
    except (OSError, ValueError):
        return []
    kept = []
    for line in lines:
        first = line.split(",")[0]
        whole = line.endswith("\n") and line.count(",") == len(Row._fields) - 1 and re.fullmatch("[0-9]{1,18}", first)
        if whole and int(first) <= step:
            kept.append(line)
    return kept
