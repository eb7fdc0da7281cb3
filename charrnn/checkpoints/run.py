"""The folder of a run that this process trains: its lock, record, text, history and checkpoints.

:mod:`charrnn.checkpoints.record` says which files it has.
"""

import contextlib
import io
import math
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, List, Optional, Sequence

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact, verify
from charrnn.checkpoints.record import CheckpointError, NoCheckpointError, RunRecord, names_with
from charrnn.checkpoints.summaries import Summaries
from charrnn.checkpoints.weights import Weights, packed
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


def read_history(folder: StrPath) -> Dict[str, np.ndarray]:
    """Return the columns of a run's ``history.csv``: float arrays by their names, NaN where nothing was measured.

    A row that was not written to its end, for example because of a crash, or has something else, is left out.
    """
    rows = []
    for line in (Path(folder) / record.HISTORY_FILE).read_bytes().splitlines()[1:]:
        with contextlib.suppress(ValueError):
            row = [float(cell or "nan") for cell in line.split(b",")]
            if len(row) == len(COLUMNS) and not any(
                abs(number) > record.LARGEST_LOSS for number in row
            ):
                rows.append(row)
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
    """The folder of a run while this process trains it. Nothing else writes there.

    Attributes:
        record: the RunRecord, with the name of the best checkpoint that is saved.
        folder: its path.
        session: the tf.Session that holds the variables of the network.
        saved: the Progress of the newest checkpoint, or that of a run without one.
        skipped: a line for each checkpoint that :meth:`begin` could not use.
        restored: the RunRecord of the checkpoint that it has restored, or None.
    """

    def __init__(self, run: RunRecord, folder: StrPath, session: Any) -> None:
        """Prepare to save the variables of a session's graph. The folder is not used before :meth:`begin`."""
        from charrnn.system.tensorflow import tf

        self.record = run
        self.folder = folder
        self.session = session
        self.skipped: List[str] = []
        self.restored: Optional[RunRecord] = None
        # of the folder, from begin() on; only one of several processes has it
        self._lock: Optional[IO[str]] = None
        self._history: str = ""
        self._summaries: Optional[Summaries] = None
        self._summarized_from = -1  # the step from which on there are summaries; -1 for none
        with session.graph.as_default():
            self._saver = tf.train.Saver(max_to_keep=0)
            self._norm = tf.global_norm(tf.global_variables())

    def close(self) -> None:
        """Close the summaries, and then give up the lock."""
        for opened in (self._summaries, self._lock):
            if opened:
                opened.close()

    def begin(
        self, text: str, fresh: Progress, resumes: bool = False, summaries: bool = True
    ) -> Progress:
        """Reserve the folder, and begin a new run, or restore the newest intact checkpoint, if there is one yet.

        No other process trains in the folder until :meth:`close`.

        Args:
            text: the text of the run.
            fresh: the progress of a new run.
            resumes: whether the folder may hold a run.
            summaries: whether to write TensorBoard's event files.

        Returns:
            The progress.

        Raises:
            CheckpointError: the folder holds another run, another process trains in it, or it cannot be restored.
            OSError: it cannot be written.
        """
        self._lock = reserve(self.folder)
        if not resumes:
            # again: another process may have trained in it since the run was planned
            record.check_unused(self.folder)
        remove_leftovers(self.folder)
        path = Path(self.folder) / record.TEXT_FILE
        content = text.encode("utf-8", "surrogatepass")
        # a resumed run may have a full disk
        if not (path.is_file() and path.read_bytes() == content):
            files.write_atomically(path, content)
        self.saved = self._restored(fresh) if resumes else fresh
        # that of another model is written with its weights
        if not self.saved.step and not self.record.init_from:
            record.write_run(self.folder, self.record)
        self._history = self.saved.history
        self._write_history()
        self._summarized_from = self.saved.step if summaries else -1
        return self.saved

    def _restored(self, fresh: Progress) -> Progress:
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
            self._saver.restore(self.session, newest.prefix)
        except Exception as error:  # of any kind, if another program has made the file
            raise CheckpointError(
                f"the checkpoint {newest.prefix} cannot be read: {errors.reason(error)}"
            )
        best = self.name(progress.best_step) if progress.best_step else None
        try:
            if best:
                verify(str(Path(self.folder) / best))
        except CheckpointError:
            self.skipped.append(
                f"the best checkpoint {best} is damaged: the next evaluation counts as the best"
            )
            best = None
            progress = replace(progress, best_step=0, best_loss=float("inf"))
        self.record = replace(self.record, best=best)
        self.saved = progress
        self.tidy()
        return progress

    def name(self, step: int) -> str:
        """Return the notebook's name for the checkpoint of a step."""
        return f"i{step}_l{self.record.hyperparameters.lstm_size}.ckpt"

    @property
    def has_checkpoint(self) -> bool:
        """Whether a checkpoint is saved. A run from another model's weights begins with one of step 0."""
        return bool(self._lock and (self.saved.step or self.record.init_from))

    def has_finite_weights(self) -> bool:
        """Return whether all variables are finite, and small enough to be used."""
        return math.isfinite(self.session.run(self._norm))

    def _check_place(self) -> None:
        """Raise OSError if the folder is no longer that of this run."""
        if not (self._lock and files.is_held(self._lock)):
            raise OSError(
                f"cannot save to {self.folder}: since training began, the folder was moved or removed"
            )

    def add(self, step: int, epoch: int, **measured: float) -> None:
        """Add a row to the history and the summaries. If it cannot be written now, the next save writes it.

        Args:
            step, epoch: after which it was measured.
            measured: some of COLUMNS. The bits are added.
        """
        if not measured or not self._lock:
            return
        for name, bits in (("loss", "bits_per_character"), ("val_loss", "val_bits_per_character")):
            if name in measured:
                measured[bits] = measured[name] / math.log(2)
        row = dict(measured, step=step, epoch=epoch)
        line = _line(str(row.get(name, "")) for name in COLUMNS)
        with contextlib.suppress(OSError):
            self._check_place()
            self._history += line
            if self._summarized_from >= 0:
                self._summaries = self._summaries or Summaries(self.folder, self._summarized_from)
                self._summaries.add(step, dict(measured, epoch=epoch))
            with open(str(Path(self.folder) / record.HISTORY_FILE), "a", encoding="utf-8") as file:
                file.write(line)

    def _write_history(self) -> None:
        files.write_atomically(
            Path(self.folder) / record.HISTORY_FILE, (_line(COLUMNS) + self._history).encode()
        )

    def save(self, progress: Progress, weights: Weights, warn: Callable[[str], None]) -> str:
        """Save a checkpoint, list it, and remove the oldest ones. The best one is that of the best evaluation.

        Args:
            progress: the Progress without the history.
            weights: the weights to write with, by the names of their variables.
            warn: called with a line if the history or the summaries cannot be written. The checkpoint has the history
                too.

        Returns:
            The prefix of the checkpoint.

        Raises:
            OSError: the checkpoint cannot be written, and none of its files remain; or it is saved, and what comes
                after it failed, which the next save does. Earlier checkpoints are unchanged.
        """
        from charrnn.system.tensorflow import tf

        folder = Path(self.folder)
        name = self.name(progress.step)
        best = name if progress.best_step == progress.step > 0 else self.record.best
        run = replace(self.record, best=best, test_loss=None)
        self._check_place()
        try:
            self._write_history()  # the whole, in case the file was lost or changed
            if self._summaries:
                self._summaries.flush()
        except OSError as error:
            warn(f"the reports cannot be written: {errors.reason(error)}")
        progress = replace(progress, history=self._history)
        try:
            remove_leftovers(folder)
            # in another folder first: if the save is killed, the run folder has only whole checkpoints
            *written, last = _write_stage(
                self.session, self._saver, folder / record.STAGE, name, progress, run, weights
            )
            for path in written:
                os.replace(str(path), str(folder / path.name))
            # so that there is no record without its files after a loss of power
            files.flush(folder)
            # from now on, the checkpoint can be used
            os.replace(str(last), str(folder / last.name))
        except (tf.errors.OpError, ValueError, OSError) as error:
            with contextlib.suppress(OSError):
                remove_leftovers(folder)
                _remove_files(folder, name)
            raise OSError(
                f"the checkpoint {folder / name} could not be saved: {errors.reason(error)}"
            )
        self.record = run
        self.saved = progress
        files.flush(folder)
        self.tidy()
        return str(folder / name)

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
        self._check_place()
        folder = Path(self.folder)
        remove_leftovers(folder)
        names = names_with(folder, ".json")
        # Checkpoints of later steps are damaged, because training has resumed from an earlier one. They are neither
        # counted nor removed.
        trained = [name for name in names if record.step_of(name) <= self.saved.step]
        too_many = trained[: -self.record.hyperparameters.max_to_keep]
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


def reserve(folder: StrPath) -> IO[str]:
    """Reserve a run folder for the training of this process. The folder is made if necessary.

    Returns:
        The lock, a file to be closed, that no other process can have.

    Raises:
        CheckpointError: another process trains in the folder.
        OSError: it cannot be written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        files.flush(Path(folder).parent)  # so that the folder is there after a loss of power
        return files.lock(Path(folder) / record.LOCK_FILE)
    except BlockingIOError:
        raise CheckpointError(f"another process is training in {folder}")
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be written: {errors.reason(error)}")


def _write_stage(
    session, saver, stage: Path, name: str, progress: Progress, run: RunRecord, weights: Weights
) -> List[Path]:
    """Write and flush the files of a checkpoint in a new folder, and return their paths, the record last."""
    stage.mkdir()
    about = record.record_of(run)
    (stage / f"{name}.npz").write_bytes(packed(weights, about))
    # not the file: a ZipFile that cannot write reports a second error when it is deleted
    content = io.BytesIO()
    np.savez(
        content,
        **{**asdict(progress), "history": np.frombuffer(progress.history.encode(), np.uint8)},
    )
    (stage / f"{name}.progress.npz").write_bytes(content.getvalue())
    # TensorFlow's own way to write the graph would make the run folder again, if it was renamed in the meantime
    saver.save(session, str(stage / name), write_meta_graph=False, write_state=False)
    with session.graph.as_default():
        (stage / f"{name}.meta").write_bytes(saver.export_meta_graph().SerializeToString())
    written = sorted(stage.iterdir())
    for path in written:
        files.flush(path)
    sizes = {
        path.name[len(name) :]: [path.stat().st_size, files.sha256(path.read_bytes())]
        for path in written
    }
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
    lines = [
        f'model_checkpoint_path: "{newest}"',
        *(f'all_model_checkpoint_paths: "{name}"' for name in names),
    ]
    files.write_atomically(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


def _remove_files(folder: Path, name: str) -> None:
    """Remove the files of a checkpoint except its record."""
    for path in sorted(folder.glob(f"{name}.*")):
        if path.name[len(name) :] in record.SUFFIXES and path.is_file():
            path.unlink()


def read_progress(prefix: str) -> Progress:
    """Read the progress that was saved with a verified checkpoint.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with np.load(prefix + ".progress.npz") as arrays:
            values = {
                name: array.item() if array.ndim == 0 else array for name, array in arrays.items()
            }
        return Progress(**{**values, "history": values["history"].tobytes().decode()})
    except Exception as error:  # of any kind, if another program has made the file
        raise CheckpointError(
            f"{prefix} cannot be used to resume: its progress cannot be read "
            f"({errors.reason(error)})"
        )


def _line(values: Iterable[str]) -> str:
    return ",".join(values) + "\n"
