"""Find, verify and open the checkpoints of a run folder."""
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints.record import (
    FORMAT_VERSION,
    RUN_FILE,
    CheckpointError,
    NoCheckpointError,
    Run,
    check_name,
    file_sha256,
    find_run,
    fingerprint,
    is_run,
    read_run,
    step_of,
)
from charrnn.checkpoints.weights import network_sizes, read_weights
from charrnn.data import StrPath, Vocabulary
from charrnn.system import console, files

ATTEMPTS = 20  # to open a checkpoint of a run whose checkpoints change in the meantime


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, and what is needed to build its network. Its files are not needed any more.

    Attributes:
        prefix: path of its files without their last suffixes, as used by a Saver.
        vocabulary: a Vocabulary of C characters.
        lstm_size: L, from the shapes of its variables.
        num_layers: number of layers, from the names of its variables.
        cell: kind of cell, from the names of its variables.
        skipped: a line for each newer checkpoint that was skipped because it is damaged or incomplete.
        run: the Run, None for a checkpoint written by the notebook.
        weights: its weights by the names of the trainable variables, or their running averages if it has them.
    """

    prefix: str
    vocabulary: Vocabulary
    lstm_size: int
    num_layers: int
    cell: str = "lstm"
    skipped: Tuple[str, ...] = ()
    run: Optional[Run] = None
    weights: Dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name for display: the prefix."""
        return self.prefix


def list_checkpoints(folder: StrPath) -> List[str]:
    """List the prefixes of a folder's checkpoints, the newest last, without verifying them.

    In a run folder, these are the checkpoints that have a record or are in TensorFlow's list, sorted by step. In a
    folder written by the notebook, these are the checkpoints in TensorFlow's list or, if the list is missing or
    damaged, the checkpoints that have an index.

    Raises:
        CheckpointError: there is no such folder.
        NoCheckpointError: the folder has no checkpoint.
    """
    check_name(folder)
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is neither a run folder nor a checkpoint" if folder.exists() else
                              f"there is no file or folder {folder}: train a model first with charrnn-train")
    # Only the names in TensorFlow's list are used: the folder may have been moved since the list was written.
    listed = _listed_names(folder)
    with_run = is_run(folder)
    suffix = ".json" if with_run else ".index"
    try:
        found = {name[:-len(suffix)] for name in os.listdir(str(folder)) if name.endswith(f".ckpt{suffix}")}
    except OSError as error:
        raise CheckpointError(f"the folder {folder} cannot be read: {console.reason(error)}")
    if with_run:
        found.update(listed)  # those whose record is lost; interrupted saves are not in the list
    names = sorted((name for name in found if step_of(name) is not None), key=lambda name: step_of(name) or 0)
    if not with_run and listed:
        names = listed
    if not names:
        raise NoCheckpointError(f"there is no checkpoint in {folder}")
    return [str(folder / name) for name in names]


def _listed_names(folder: Path) -> List[str]:
    """Return the names in TensorFlow's list of checkpoints; [] if it is missing or damaged."""
    try:
        content = files.read(folder / "checkpoint").decode("utf-8")
    except (OSError, ValueError):
        return []
    return re.findall(r'^all_model_checkpoint_paths: "(?:.*[/\\])?(.+)"$', content, re.MULTILINE)


def verify(prefix: str) -> None:
    """Verify a checkpoint against its record.

    TensorFlow 1.15 can crash when it reads damaged files, so a checkpoint must be verified before it is read. A
    checkpoint written by the notebook has no record: only the presence of its index is checked.

    Raises:
        CheckpointError: a file of the checkpoint is missing, cannot be read or has changed, or the record is
            missing or damaged.
    """
    folder = Path(prefix).parent
    if not is_run(folder):
        if not Path(prefix + ".index").exists():
            raise CheckpointError(f"{prefix}.index is missing")
        return
    run_sha256, recorded = _read_record(prefix)
    if run_sha256 != fingerprint(read_run(folder)):
        raise CheckpointError(f"{prefix} does not match the vocabulary, text and hyperparameters in "
                              f"{folder / RUN_FILE}")
    for name, (size, sha256) in recorded.items():
        path = folder / name
        try:
            if not path.is_file():
                raise CheckpointError(f"{prefix} is incomplete: {name} is missing")
            if path.stat().st_size != size or file_sha256(path) != sha256:
                raise CheckpointError(f"{prefix} is damaged: {name} has changed since it was saved")
        except OSError as error:
            raise CheckpointError(f"{prefix} is damaged: {name} cannot be read ({console.reason(error)})")


def _read_record(prefix: str) -> Tuple[str, Dict[str, Tuple[int, str]]]:
    """Read the record of a checkpoint.

    Returns:
        (run_sha256, recorded): the fingerprint of its run, and the size and SHA-256 of each file by name.
    """
    path, name = Path(prefix + ".json"), Path(prefix).name
    try:
        record = json.loads(files.read(path).decode("utf-8"))
        recorded = {str(file): (entry["bytes"], entry["sha256"]) for file, entry in record["files"].items()}
        is_valid = record["format"] == FORMAT_VERSION
        run_sha256 = record["run_sha256"]
    except OSError as error:
        raise CheckpointError(f"{prefix} is incomplete: its record {path.name} cannot be read "
                              f"({console.reason(error)})")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{prefix} is damaged: its record {path.name} is invalid "
                              f"({type(error).__name__}: {error})")
    required = {name + suffix for suffix in (".index", ".data-00000-of-00001", ".progress.npz")}
    allowed = re.escape(name) + r"\.[\w.-]{1,50}"
    if not is_valid or not required <= set(recorded) or not all(re.fullmatch(allowed, file) for file in recorded):
        raise CheckpointError(f"{prefix} is damaged: its record {path.name} is invalid")
    return run_sha256, recorded


def is_intact(folder: StrPath, name: str) -> bool:
    """Return whether a folder has an intact checkpoint with this name."""
    try:
        verify(str(Path(folder) / name))
    except CheckpointError:
        return False
    return True


def newest_intact(folder: StrPath) -> Tuple[str, List[str]]:
    """Find the newest intact checkpoint of a folder.

    Returns:
        (prefix, skipped): its prefix, and a line for each newer checkpoint that is damaged or incomplete, and for a
            damaged ``run.json``.

    Raises:
        CheckpointError: there is no such folder, or none of its checkpoints is intact.
        NoCheckpointError: the folder has no checkpoint.
    """
    prefixes = list_checkpoints(folder)
    skipped = _lines_about_run_file(folder)
    for prefix in reversed(prefixes):
        try:
            verify(prefix)
            return prefix, skipped
        except CheckpointError as error:
            skipped.append(str(error))
    raise CheckpointError(f"there is no intact checkpoint in {folder}: {'; '.join(skipped)}")


def _lines_about_run_file(folder: StrPath) -> List[str]:
    """Return a line about ``run.json`` if a copy of it is used, or none."""
    line = find_run(folder)[1] if is_run(folder) else None
    return [line] if line else []


def open_checkpoint(path: StrPath, vocabulary: Optional[Vocabulary] = None, *, best: bool = False) -> Checkpoint:
    """Find and verify a checkpoint, and read it.

    A run that is being trained may remove the checkpoint in the meantime. Then another one is opened.

    Args:
        path: a run folder, to open its newest intact checkpoint; the prefix of a checkpoint, or one of its files.
        vocabulary: the vocabulary of a checkpoint of the notebook, which does not record it.
        best: open the checkpoint of a run folder with the lowest validation loss.

    Raises:
        CheckpointError: the checkpoint is missing, damaged or of another kind of network, its vocabulary is
            missing, has another size or differs from the given one, or the run has no best checkpoint.
    """
    for _ in range(ATTEMPTS):
        before = _checkpoint_files(path)
        try:
            found = _open(path, vocabulary, best)
            if not found.skipped or _checkpoint_files(path) == before:
                return found
        except CheckpointError:
            if _checkpoint_files(path) == before:
                raise
    return _open(path, vocabulary, best)


def _checkpoint_files(folder: StrPath) -> FrozenSet[str]:
    """Return the names of the checkpoint files in a folder; none if it is not a folder."""
    try:
        return frozenset(name for name in os.listdir(str(folder)) if ".ckpt." in name)
    except OSError:
        return frozenset()


def _open(path: StrPath, vocabulary: Optional[Vocabulary], best: bool) -> Checkpoint:
    """Open a checkpoint as its files are now."""
    prefix, skipped = _resolve(path, best)
    num_classes, lstm_size, num_layers, cell = network_sizes(prefix)
    run = run_of(prefix)
    if run is not None:
        check_same_vocabulary(prefix, run.vocabulary, vocabulary)
        vocabulary = run.vocabulary
    if vocabulary is None:
        raise CheckpointError(f"{prefix} has no {RUN_FILE} next to it to read the vocabulary from: name the training "
                              "text with --vocab-from")
    if len(vocabulary) != num_classes:
        raise CheckpointError(f"{prefix} was trained on {num_classes} distinct characters, but the given "
                              f"vocabulary has {len(vocabulary)}")
    return Checkpoint(prefix, vocabulary, lstm_size, num_layers, cell, tuple(skipped), run, read_weights(prefix))


def check_same_vocabulary(name: str, recorded: Vocabulary, given: Optional[Vocabulary]) -> None:
    """Check that a vocabulary given for a model, if any, is the one that the model records.

    Raises:
        CheckpointError: it is another one.
    """
    if given is not None and given != recorded:
        raise CheckpointError(f"{name} records its vocabulary of {len(recorded)} characters, and the given vocabulary "
                              f"of {len(given)} differs from it: leave --vocab-from out")


def _resolve(path: StrPath, best: bool) -> Tuple[str, List[str]]:
    """Return the prefix of the verified checkpoint that a path refers to, and a line for each skipped one."""
    prefix = re.sub(r"(\.ckpt)\.(index|meta|json|data-\d+-of-\d+|progress\.npz)$", r"\1", str(path))
    check_name(prefix)
    if best:
        if Path(path).exists() and not Path(path).is_dir() or step_of(Path(prefix).name) is not None:
            raise CheckpointError(f"--best needs the folder of a run, and {path} is no folder")
        name = read_run(path).best
        if not name:
            raise CheckpointError(f"the run in {path} has no best checkpoint: it was trained without "
                                  "--val-fraction, or has not been evaluated yet")
        prefix = str(Path(path) / name)
    elif Path(path).is_dir() or not Path(prefix + ".index").exists() and not Path(prefix + ".json").exists():
        return newest_intact(path)
    verify(prefix)
    return prefix, _lines_about_run_file(Path(prefix).parent)


def run_of(prefix: str) -> Optional[Run]:
    """Return the Run of a checkpoint, or None for a checkpoint written by the notebook.

    Raises:
        CheckpointError: its ``run.json`` is damaged.
    """
    folder = Path(prefix).parent
    return read_run(folder) if is_run(folder) else None
