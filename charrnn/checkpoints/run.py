"""The folder of a run that this process trains: its lock, record, text, history and checkpoints.

:mod:`charrnn.checkpoints.record` says which files it has.
"""

import contextlib
import itertools
import math
import os
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, Callable, List, Optional, Sequence

from charrnn.checkpoints.find import check_unused, newest_intact, verify
from charrnn.checkpoints.progress import (
    Best,
    Progress,
    Summaries,
    packed_progress,
    read_progress,
    row,
    with_bits,
    write_history,
)
from charrnn.checkpoints.record import (
    HISTORY_FILE,
    LOCK_FILE,
    STAGE,
    SUFFIXES,
    TEXT_FILE,
    CheckpointError,
    NoCheckpointError,
    RunRecord,
    as_json,
    names_with,
    step_of,
    write_checkpoint_record,
    write_run,
    write_text,
)
from charrnn.checkpoints.weights import Weights, packed
from charrnn.data import StrPath
from charrnn.system import errors, files
from charrnn.text.corpus import RUN_FILE


class RunFolder:
    """The folder of a run while this process trains it. Nothing else writes there.

    Of several processes, only the first one calls :meth:`begin` and saves. In the others, ``add`` does nothing.

    Attributes:
        record: the RunRecord, with the name of the best checkpoint that is saved.
        folder: its path.
        session: the tf.Session that holds the variables of the network.
        saved_progress: the Progress of the newest checkpoint, or that of a run without one.
        has_checkpoint: whether the first process has restored or saved one. A run from another model's weights begins
            with one of step 0.
        skipped: a line for each checkpoint that :meth:`begin` could not use.
    """

    def __init__(self, record: RunRecord, folder: StrPath, session: Any) -> None:
        """Prepare to save the variables of a session's graph. The folder is not used before :meth:`begin`."""
        from charrnn.system.tensorflow import tf

        self.record = replace(record, tensorflow=tf.__version__)
        self.folder = folder
        self.session = session
        self.has_checkpoint = False
        self.skipped: List[str] = []
        # The lock of the folder, from begin() on.
        self._lock: Optional[IO[str]] = None
        self._history = ""
        self._summaries: Optional[Summaries] = None
        # The step from which on there are summaries; -1 for none.
        self._summarized_from = -1
        with session.graph.as_default():
            self._saver = tf.train.Saver(max_to_keep=0)
            # Not finite if a variable is not, or if it is so large that its square is not.
            self._norm_of_variables = tf.global_norm(tf.global_variables())

    def close(self) -> None:
        """Close the summaries, and then give up the lock."""
        if self._summaries:
            self._summaries.close()
        if self._lock:
            files.unlock(self._lock)

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
            # The plan has checked this, but another process may have trained in the folder since.
            check_unused(self.folder)
        self._check_files()
        remove_leftovers(self.folder)
        write_text(self.folder, text)

        self.saved_progress = fresh
        if resumes:
            self._restore()
        # A run with a checkpoint has been restored, which has written run.json. A run that starts from a model writes
        # it in its first save, right after this.
        if not self.has_checkpoint and not self.record.init_from:
            write_run(self.folder, self.record)

        self._history = self.saved_progress.history
        write_history(self.folder, self._history)
        if summaries:
            self._summarized_from = self.saved_progress.step
        return self.saved_progress

    def _check_files(self) -> None:
        """Raise CheckpointError for a folder where a file is to be written, before anything is."""
        for name in (TEXT_FILE, RUN_FILE, HISTORY_FILE):
            path = Path(self.folder) / name
            if path.is_dir():
                raise CheckpointError(
                    f"{path} is a folder, where the run needs a file: move it away"
                )

    def _restore(self) -> None:
        """Restore the newest intact checkpoint if there is one, list it, and write ``run.json``."""
        try:
            newest = newest_intact(self.folder)
        except NoCheckpointError:
            # The initial weights of a run from another model are lost.
            if self.record.init_from:
                raise
            return

        self.skipped += newest.skipped
        progress = read_progress(newest.prefix)
        try:
            self._saver.restore(self.session, newest.prefix)
        # Of any kind, if another program has made the file.
        except Exception as error:
            raise CheckpointError(
                f"the checkpoint {newest.prefix} cannot be read: {errors.reason(error)}"
            )

        best = None
        if progress.best.step:
            best = self.name(progress.best.step)
            try:
                verify(str(Path(self.folder) / best))
            except CheckpointError:
                self.skipped.append(
                    f"the best checkpoint {best} is damaged: the next evaluation counts as the best"
                )
                best = None
                # evaluations_since stays: a run that has ended early stays ended.
                progress = replace(progress, best=replace(progress.best, step=0, loss=math.inf))

        self.record = replace(self.record, best=best)
        self.saved_progress = progress
        self.has_checkpoint = True
        self.tidy()

    def name(self, step: int) -> str:
        """Return the notebook's name for the checkpoint of a step."""
        return f"i{step}_l{self.record.hyperparameters.lstm_size}.ckpt"

    def has_usable_variables(self) -> bool:
        """Return whether the weights and the optimizer's slots are finite, and small enough to be used."""
        return math.isfinite(self.session.run(self._norm_of_variables))

    @property
    def was_moved(self) -> bool:
        """Whether the folder was moved, removed or replaced, so that its path is no longer that of this run."""
        return self._lock is None or not files.is_in_place(self._lock)

    def _check_place(self) -> None:
        if self.was_moved:
            raise OSError(
                f"cannot save to {self.folder}: since training began, the folder was moved or removed"
            )

    def add(self, step: int, epoch: int, **measured: float) -> None:
        """Add a row to the history and the summaries. If it cannot be written now, the next save writes it.

        Args:
            step, epoch: after which it was measured.
            measured: some of COLUMNS. The bits are added.
        """
        if not self._lock:
            return

        measured = with_bits(measured)
        line = row(step, epoch, measured)
        self._history += line
        if self.was_moved:
            return
        with contextlib.suppress(OSError):
            if self._summarized_from >= 0:
                self._summaries = self._summaries or Summaries(self.folder, self._summarized_from)
                self._summaries.add(step, dict(measured, epoch=epoch))
            with open(str(Path(self.folder) / HISTORY_FILE), "a", encoding="utf-8") as file:
                file.write(line)

    def save(self, progress: Progress, weights: Weights, warn: Callable[[str], None]) -> str:
        """Save a checkpoint, list it, and remove the oldest ones.

        If this is the step of the best evaluation, the record names this checkpoint as the best. If the disk is full,
        the oldest checkpoint that is neither the best nor the newest is given up, and the save is tried once more. What
        was the best until now counts as one of them if this checkpoint is better.

        Args:
            progress: the Progress without the history.
            weights: the weights to write with, by the names of their variables.
            warn: called with a line if a checkpoint was given up, or if the history or the summaries cannot be written.
                The checkpoint has the history too.

        Returns:
            The prefix of the checkpoint.

        Raises:
            OSError: the checkpoint cannot be written, and none of its files remain; or it is there, as
                ``saved_progress`` says, but :meth:`tidy` failed, which the next save calls too. Earlier checkpoints are
                unchanged, except the one that was given up.
        """
        name = self.name(progress.step)
        is_best = progress.step == progress.best.step
        self._with_space(partial(self._save, progress, weights, warn), is_best, warn)
        self._with_space(self.tidy, is_best, warn)
        return str(Path(self.folder) / name)

    def _with_space(
        self, write: Callable[[], None], is_best: bool, warn: Callable[[str], None]
    ) -> None:
        """Call a function that writes. If the disk is full, give up the oldest checkpoint, and call it once more."""
        try:
            write()
            return
        except OSError as error:
            name = None
            if files.is_full(error):
                name = self._give_up_oldest(is_best)
            if name is None:
                raise
        warn(f"{name} is removed, because the disk is full")
        write()

    def _save(self, progress: Progress, weights: Weights, warn: Callable[[str], None]) -> None:
        """Save a checkpoint, but do not list it."""
        from charrnn.system.tensorflow import tf

        folder = Path(self.folder)
        name = self.name(progress.step)
        best = self.record.best
        if progress.step == progress.best.step > 0:
            best = name
        record = replace(self.record, best=best, test_loss=None)

        self._check_place()
        self._write_reports(warn)
        progress = replace(progress, history=self._history)

        try:
            remove_leftovers(folder)
            # In another folder first: if the save is killed, the run folder has only whole checkpoints.
            *paths, record_path = self._write_stage(progress, record, weights)
            for path in paths:
                os.replace(str(path), str(folder / path.name))
            # The record comes last, also in a loss of power: with it, the checkpoint can be used.
            files.flush(folder)
            os.replace(str(record_path), str(folder / record_path.name))
        except (tf.errors.OpError, ValueError, OSError) as error:
            # All checkpoints that can be used are of earlier steps, so none has this name.
            with contextlib.suppress(OSError):
                remove_leftovers(folder)
                _remove_files(folder, name)
            advice = "; free some space" if files.is_full(error) else ""
            raise OSError(
                f"the checkpoint {folder / name} could not be saved: {errors.reason(error)}{advice}"
            )

        self.record = record
        self.saved_progress = progress
        self.has_checkpoint = True
        files.flush(folder)

    def _write_stage(self, progress: Progress, record: RunRecord, weights: Weights) -> List[Path]:
        """Write and flush the files of a checkpoint in the stage, and return their paths, the record last."""
        stage = Path(self.folder) / STAGE
        name = self.name(progress.step)
        run = as_json(record)

        stage.mkdir()
        (stage / f"{name}.npz").write_bytes(packed(weights, run))
        (stage / f"{name}.progress.npz").write_bytes(packed_progress(progress))
        # TensorFlow's own way to write the graph would make the run folder again, if it was renamed in the meantime.
        self._saver.save(self.session, str(stage / name), write_meta_graph=False, write_state=False)
        with self.session.graph.as_default():
            meta_graph = self._saver.export_meta_graph()
        (stage / f"{name}.meta").write_bytes(meta_graph.SerializeToString())

        paths = sorted(stage.iterdir())
        recorded = {}
        for path in paths:
            files.flush(path)
            suffix = path.name[len(name) :]
            recorded[suffix] = [path.stat().st_size, files.sha256(path.read_bytes())]

        record_path = stage / f"{name}.json"
        write_checkpoint_record(record_path, name, recorded, record)
        return [*paths, record_path]

    def _give_up_oldest(self, is_best: bool) -> Optional[str]:
        """Remove the oldest checkpoint that is neither the best nor the newest. Return its name, or None.

        Args:
            is_best: whether the checkpoint for which there is no space is the best, so that the best so far may go.
        """
        best = self.record.best
        *older, _ = self._trained() or [""]
        spare = [name for name in older if name != best]
        if is_best:
            spare = older
        if not spare or self.was_moved:
            return None

        oldest = spare[0]
        folder = Path(self.folder)
        # The list cannot go first, as in tidy(), because it may have no space. The next save writes it.
        _remove_files(folder, oldest)
        files.flush(folder)
        (folder / f"{oldest}.json").unlink()
        if oldest == best:
            self.record = replace(self.record, best=None)
            self.saved_progress = replace(self.saved_progress, best=Best())
            with contextlib.suppress(OSError):
                write_run(folder, self.record)
        return oldest

    def _trained(self) -> List[str]:
        """Return the names of the checkpoints up to the one that was saved or restored last, the newest last.

        Those of later steps are damaged, because training has resumed from an earlier one.
        """
        names = names_with(Path(self.folder), ".json")
        return [name for name in names if step_of(name) <= self.saved_progress.step]

    def save_elsewhere(self, step: int, weights: Weights) -> Optional[Path]:
        """Write the network as a model file into the working folder, or the folder for temporary files.

        Args:
            step: the step that it has done.
            weights: the weights to write with, by the names of their variables.

        Returns:
            The path of the file, which no other had; None if it can be written into neither.
        """
        content = packed(weights, as_json(self.record))
        stem = self.name(step).replace(".ckpt", "")
        for place in ("", tempfile.gettempdir()):
            numbers = itertools.count(2)
            path = Path(place, f"{stem}.npz")
            while os.path.lexists(str(path)):
                path = Path(place, f"{stem}-{next(numbers)}.npz")
            with contextlib.suppress(OSError):
                files.write_atomically(path, content)
                return path
        return None

    def _write_reports(self, warn: Callable[[str], None]) -> None:
        """Write the whole history, because its file may lack rows or be lost, and flush the summaries."""
        try:
            write_history(self.folder, self._history)
            if self._summaries:
                self._summaries.flush()
        except OSError as error:
            warn(f"the reports cannot be written: {errors.reason(error)}")

    def add_test_loss(self, loss: float) -> None:
        """Write the loss on the test text to ``run.json``. The next save removes it."""
        self._check_place()
        self.record = replace(self.record, test_loss=loss)
        write_run(self.folder, self.record)

    def tidy(self) -> None:
        """List the checkpoint that was saved or restored, write ``run.json``, and remove the oldest checkpoints.

        Raises:
            OSError: something cannot be written or removed. Calling the method again completes it.
        """
        self._check_place()
        folder = Path(self.folder)
        remove_leftovers(folder)
        names = names_with(folder, ".json")

        # Damaged checkpoints of later steps are neither counted nor removed.
        trained = self._trained()
        newest = trained[-1]
        too_many = trained[: -self.record.hyperparameters.max_to_keep]
        old = [name for name in too_many if name != self.record.best]

        # What is removed goes from the list and from run.json first, then from the disk. Its records go last, also in a
        # loss of power: by them, the next save completes an interrupted removal.
        _write_list(folder, newest, [name for name in names if name not in old])
        write_run(folder, self.record)
        for name in old:
            _remove_files(folder, name)
        if old:
            files.flush(folder)
        for name in old:
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
        # The folder is then there after a loss of power too.
        files.flush(Path(folder).parent)
        return files.lock(Path(folder) / LOCK_FILE)
    except BlockingIOError:
        raise CheckpointError(f"another process is training in {folder}")
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be written: {errors.reason(error)}")


def remove_leftovers(folder: StrPath) -> None:
    """Remove what an interrupted save has left in a run folder: its stage, and files with temporary names.

    Files that it has moved already have no record, so they are not used. The next save of their step replaces them.
    """
    folder = Path(folder)
    if os.path.lexists(str(folder / STAGE)):
        shutil.rmtree(str(folder / STAGE))
    for path in folder.glob(files.TEMPORARY):
        path.unlink()


def _write_list(folder: Path, newest: str, names: Sequence[str]) -> None:
    """Write TensorFlow's list of checkpoints, and the one that ``tf.train.latest_checkpoint`` returns."""
    lines = [f'model_checkpoint_path: "{newest}"\n']
    lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
    files.write_atomically(folder / "checkpoint", "".join(lines).encode())


def _remove_files(folder: Path, name: str) -> None:
    """Remove the files of a checkpoint except its record."""
    for path in sorted(folder.glob(f"{name}.*")):
        if path.name[len(name) :] in SUFFIXES and path.is_file():
            path.unlink()
