"""The summaries of a run for TensorBoard."""

from pathlib import Path
from typing import Callable, Dict, Optional

from charrnn.data import StrPath

# the folder of the summaries in a run folder
FOLDER = "summaries"


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
