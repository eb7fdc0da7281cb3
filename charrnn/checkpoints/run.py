"""The folder of a run that this process trains: its lock, record, text, reports and checkpoints.

:mod:`charrnn.checkpoints.record` says which files it has.
"""
import contextlib
import errno
import io
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

import numpy as np

from charrnn.checkpoints import folders, record
from charrnn.checkpoints.find import is_intact, newest_intact
from charrnn.checkpoints.record import CheckpointError, NoCheckpointError, RunRecord, names_with
from charrnn.checkpoints.weights import Weights, packed
from charrnn.data import StrPath
from charrnn.system import errors, files, words

SUMMARY_FOLDER = "summaries"
# The losses are in nats per character. The norm is that before clipping.
COLUMNS = ("step", "epoch", "loss", "bits_per_character", "val_loss", "val_bits_per_character", "learning_rate",
           "gradient_norm", "characters_per_second")


def read_history(folder: StrPath, warn: Callable[[str], None] = lambda line: None) -> Dict[str, np.ndarray]:
    """Return the columns of a run's ``history.csv``: float arrays by their names, NaN where nothing was measured.

    A row that was not written to its end, for example because of a crash, or has something else, is left out. ``warn``
    is then called with a line that names the file and where such rows are.
    """
    path, rows, others = Path(folder) / record.HISTORY_FILE, [], []  # type: Path, List[List[float]], List[int]
    for number, line in enumerate(path.read_bytes().splitlines()[1:], 2):
        row: List[float] = []
        with contextlib.suppress(ValueError):
            row = [float(cell or "nan") for cell in line.split(b",")]
        if len(row) == len(COLUMNS) and not any(abs(number) > record.LARGEST_LOSS for number in row):
            rows.append(row)
        else:
            others.append(number)
    if others:
        warn(f"{path}: not {len(COLUMNS)} numbers in line {words.listed(map(str, others))}")
    return {name: np.array([row[column] for row in rows]) for column, name in enumerate(COLUMNS)}


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


class Run:
    """A run folder while this process trains in it. Nothing else writes there.

    Attributes:
        folder: its path.
        record: the RunRecord, with the name of the best checkpoint that is saved.
        saved: the Progress of the newest checkpoint, or that of a run without one.
        skipped: a line for each checkpoint that :meth:`begin` could not use.
        restored: the RunRecord of the checkpoint that it has restored, or None.
    """

    def __init__(self, run: RunRecord, folder: StrPath, resumes: bool) -> None:
        """Reserve the folder. No other process trains in it until :meth:`close`.

        Raises:
            CheckpointError: the folder holds another run, or another process trains in it.
            OSError: it cannot be written.
        """
        self.folder, self._lock = folder, folders.reserve(folder, resumes)
        self.record, self.skipped, self._resumes = run, [], resumes  # type: RunRecord, List[str], bool
        self.restored, self._reports = None, None  # type: Optional[RunRecord], Optional[Reports]

    def close(self) -> None:
        """Close the reports, and then give up the lock."""
        if self._reports:
            self._reports.close()
        self._lock.close()

    def begin(self, text: str, fresh: Progress, session: Any, saver: Any, summaries: bool = True) -> Progress:
        """Begin a new run, or restore the newest intact checkpoint, if there is one yet.

        Args:
            text: the text of the run.
            fresh: the progress of a new run.
            session: the tf.Session that holds the variables.
            saver: its tf.train.Saver, created with ``max_to_keep=0``.
            summaries: whether to write TensorBoard's event files.

        Returns:
            The progress.
        """
        remove_leftovers(self.folder)
        record.write_text(self.folder, text, not self._resumes)
        self.saved = self._restored(fresh, session, saver) if self._resumes else fresh
        if not self.saved.step and not self.record.init_from:  # that of another model is written with its weights
            record.write_run(self.folder, self.record)
        self._reports = Reports(self.folder, self.saved.step, self.saved.history, summaries)
        return self.saved

    def _restored(self, fresh: Progress, session: Any, saver: Any) -> Progress:
        try:
            newest = newest_intact(self.folder)
        except NoCheckpointError:
            if self.record.init_from:
                raise  # the initial weights are lost
            return fresh
        self.skipped += newest.skipped
        self.restored = newest.run
        progress = read_progress(newest.prefix)
        try:
            saver.restore(session, newest.prefix)
        except Exception as error:  # of any kind, if another program has made the file
            raise CheckpointError(f"the checkpoint {newest.prefix} cannot be read: {errors.reason(error)}")
        best = self.name(progress.best_step) if progress.best_step else None
        if best and not is_intact(self.folder, best):
            self.skipped.append(f"the best checkpoint {best} is damaged: the next evaluation counts as the best")
            best, progress = None, replace(progress, best_step=0, best_loss=float("inf"))
        self.record, self.saved = replace(self.record, best=best), progress
        self.tidy()
        return progress

    def name(self, step: int) -> str:
        """Return the notebook's name for the checkpoint of a step."""
        return f"i{step}_l{self.record.hyperparameters['lstm_size']}.ckpt"

    def add(self, step: int, **measured: float) -> None:
        """Add a row to the reports. If it cannot be written now, the next save writes it."""
        if self._reports and files.is_held(self._lock):
            with contextlib.suppress(OSError):
                self._reports.add(step, **measured)

    def save(self, progress: Progress, session: Any, saver: Any, weights: Weights, warn: Callable[[str], None]) -> str:
        """Save a checkpoint, which :meth:`tidy` then lists. The best one is that of the best evaluation.

        Args:
            progress: the Progress without the history.
            session, saver: as for :meth:`begin`.
            weights: the weights to write with, by the names of their variables.
            warn: called with a line if the reports cannot be written. The checkpoint has the history too.

        Returns:
            The prefix of the checkpoint.

        Raises:
            OSError: the checkpoint cannot be written. Earlier checkpoints are unchanged, and none of its files remain.
        """
        from charrnn.system.tensorflow import tf
        folder, name = Path(self.folder), self.name(progress.step)
        best = name if progress.best_step == progress.step > 0 else self.record.best
        run = replace(self.record, best=best, test_loss=None)
        self._check_place()
        if self._reports:
            try:
                self._reports.flush()
            except OSError as error:
                warn(f"the reports cannot be written: {errors.reason(error)}")
            progress = replace(progress, history=self._reports.history)
        try:
            remove_leftovers(folder)
            # in another folder first: if the save is killed, the run folder has only whole checkpoints
            *written, last = _write_stage(session, saver, folder / record.STAGE, name, progress, run, weights)
            for path in written:
                os.replace(str(path), str(folder / path.name))
            files.flush(folder)  # so that there is no record without its files after a loss of power
            os.replace(str(last), str(folder / last.name))  # from now on, the checkpoint can be used
        except (tf.errors.OpError, ValueError, OSError) as error:
            with contextlib.suppress(OSError):
                remove_leftovers(folder)
                _remove_files(folder, name)
            in_the_way = getattr(error, "filename2", None)  # of os.replace
            raise OSError(f"the checkpoint {folder / name} could not be saved: " +
                          (f"{in_the_way}: " if in_the_way else "") + errors.reason(error))
        files.flush(folder)
        self.record, self.saved = run, progress
        return str(folder / name)

    def _check_place(self) -> None:
        """Raise OSError if another run may be at the place of the folder."""
        if not files.is_held(self._lock):
            raise OSError(f"cannot save to {self.folder}: since training began, the folder was moved or removed")

    def add_test_loss(self, loss: float) -> None:
        """Write the loss on the test text to ``run.json``. The next save removes it."""
        self._check_place()
        self.record = replace(self.record, test_loss=loss)
        record.write_run(self.folder, self.record)

    def tidy(self) -> None:
        """List the checkpoint that was saved or restored, write ``run.json``, and remove the oldest checkpoints.

        Raises:
            OSError: something cannot be written or removed. Calling the method again completes it.
        """
        folder = Path(self.folder)
        self._check_place()
        remove_leftovers(folder)
        names = names_with(folder, ".json")
        # Checkpoints of later steps are damaged, because training has resumed from an earlier one. They are neither
        # counted nor removed.
        trained = [name for name in names if record.step_of(name) <= self.saved.step]
        if not trained:
            raise FileNotFoundError(errno.ENOENT, "its checkpoints are gone", str(folder))
        too_many = trained[:-self.record.hyperparameters["max_to_keep"]]
        old = [name for name in too_many if name != self.record.best]
        # the list and the run no longer name what is then removed
        _write_list(folder, trained[-1], [name for name in names if name not in old])
        record.write_run(folder, self.record)
        for name in old:
            _remove_files(folder, name)
        if old:
            files.flush(folder)  # so that no file is left without its record after a loss of power
        for name in old:  # the records last, so that the next save completes an interrupted removal
            (folder / f"{name}.json").unlink()


def _write_stage(session, saver, stage: Path, name: str, progress: Progress, run: RunRecord,
                 weights: Weights) -> List[Path]:
    """Write and flush the files of a checkpoint in a new folder, and return their paths, the record last."""
    stage.mkdir()
    about = record.record_of(run)
    (stage / f"{name}.npz").write_bytes(packed(weights, about))
    content = io.BytesIO()  # not the file: a ZipFile that cannot write reports a second error when it is deleted
    np.savez(content, **{**asdict(progress), "history": np.frombuffer(progress.history.encode(), np.uint8)})
    (stage / f"{name}.progress.npz").write_bytes(content.getvalue())
    # TensorFlow's own way to write the graph would make the run folder again, if it was renamed in the meantime
    saver.save(session, str(stage / name), write_meta_graph=False, write_state=False)
    with session.graph.as_default():
        (stage / f"{name}.meta").write_bytes(saver.export_meta_graph().SerializeToString())
    written = sorted(stage.iterdir())
    for path in written:
        files.flush(path)
    sizes = {path.name[len(name):]: [path.stat().st_size, record.sha256(path.read_bytes())] for path in written}
    path = stage / f"{name}.json"
    files.write_atomically(path, record.signed({"name": name, "files": sizes, "run": about}))
    return [*written, path]


def remove_leftovers(folder: StrPath) -> None:
    """Remove what an interrupted save has left in a run folder: its stage, and files with temporary names.

    Files that it has moved already have no record, so they are not used. The next save of their step replaces them.
    """
    folder = Path(folder)
    if os.path.lexists(str(folder / record.STAGE)):
        shutil.rmtree(str(folder / record.STAGE))
    for path in folder.glob(files.TEMPORARY):
        path.unlink()


def _write_list(folder: Path, newest: str, names: Sequence[str]) -> None:
    """Write TensorFlow's list of checkpoints, and the one that ``tf.train.latest_checkpoint`` returns."""
    lines = [f'model_checkpoint_path: "{newest}"', *(f'all_model_checkpoint_paths: "{name}"' for name in names)]
    files.write_atomically(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


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
        with np.load(prefix + ".progress.npz") as arrays:
            values = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
        return Progress(**{**values, "history": values["history"].tobytes().decode()})
    except Exception as error:  # of any kind, if another program has made the file
        raise CheckpointError(f"{prefix} cannot be used to resume: its progress cannot be read "
                              f"({errors.reason(error)})")


class Reports:
    """The history of a run and, on request, its summaries for TensorBoard.

    Attributes:
        history: the lines of ``history.csv`` without its header.
    """

    def __init__(self, folder: StrPath, step: int, history: str = "", summaries: bool = True) -> None:
        """Write the history so far to a run folder."""
        self._path, self.history = Path(folder) / record.HISTORY_FILE, history
        self._write_all()
        self._writer = None
        self._failure: Optional[str] = None  # of TensorFlow's writer, which then writes nothing more
        if summaries:
            from charrnn.system.tensorflow import tf
            (Path(folder) / SUMMARY_FOLDER).mkdir(exist_ok=True)
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
