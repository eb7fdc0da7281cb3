"""Find models: the known ones, the folders of runs, free ones for new runs, and verified checkpoints in them.

The first run without a name goes to ``checkpoints``, as in the notebook, the next ones to ``checkpoints/2``,
``checkpoints/3`` and so on.
"""

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from charrnn.checkpoints import record
from charrnn.checkpoints.record import (
    FROM_NOTEBOOK,
    HISTORY_FILE,
    LOCK_FILE,
    STAGE,
    TEXT_FILE,
    WORDS_FILE,
    CheckpointError,
    NoCheckpointError,
    RunRecord,
    is_of_notebook,
    is_run,
)
from charrnn.data import StrPath
from charrnn.system import errors, files, words
from charrnn.text.corpus import RUN_FILE

# the folder of the first run without a name
FIRST = "checkpoints"
# after the name of a checkpoint, which another program may end with its step: model.ckpt-90
_SUFFIX_OF_CHECKPOINT = re.compile(
    r"(?P<name>\.ckpt(?:-\d+)?)\.(index|meta|json|data-\d+-of-\d+|progress\.npz|npz)$"
)
MODELS = Path(__file__).resolve().parents[1] / "models"


class KnownModel(NamedTuple):
    """A model that comes with charrnn, as ``models/models.json`` describes it.

    Attributes:
        name: its name, which is also that of its file.
        language: the language that it writes, in English.
        read: what it was trained on.
        characters: characters of that text.
        steps: updates of its training.
        loss: nats per character on the end of that text, which was held out.
        trigrams: the groups of three letters that are most frequent in its language, see :mod:`charrnn.text.trigrams`.
        memorised: with fewer nats per character on a text, it has read that text many times; None if it has read each
            text only once or twice.
    """

    name: str
    language: str
    read: str
    characters: int
    steps: int
    loss: float
    trigrams: Tuple[str, ...] = ()
    memorised: Optional[float] = None


def _known_models() -> Dict[str, KnownModel]:
    """Return the known models by their names: those of the table that are there."""
    known = {}
    for row in json.loads((MODELS / "models.json").read_text(encoding="utf-8")):
        if file_of(row["name"]).exists():
            values = {name: row[name] for name in KnownModel._fields if name in row}
            values["trigrams"] = tuple(row["trigrams"].split("|"))
            known[row["name"]] = KnownModel(**values)
    return known


class VerifiedCheckpoint(NamedTuple):
    """A checkpoint whose files are intact.

    Attributes:
        prefix: path of its files without their last suffixes, as used by a Saver.
        run: its RunRecord; None for a checkpoint written by the notebook.
        skipped: a line for each newer checkpoint that was skipped because it is damaged or incomplete.
    """

    prefix: str
    run: Optional[RunRecord]
    skipped: Tuple[str, ...] = ()


def file_of(name: StrPath) -> Path:
    """Return the file of a known model."""
    return MODELS / f"{name}.npz"


# the models that come with charrnn
KNOWN_MODELS = _known_models()
# the one that is used where none is named, and there is no run
DEFAULT_MODEL = "anna"


def known_model(name: StrPath) -> Optional[Path]:
    """Return the file of a known model; None for any other name, and if there is a file or folder with that name."""
    if str(name) not in KNOWN_MODELS or Path(name).exists():
        return None
    return file_of(name)


def is_model_file(path: StrPath) -> bool:
    """Return whether a path can be a model in one file: it is not a folder, and ends in .npz, not .progress.npz."""
    name = str(path)
    if not name.endswith(".npz") or name.endswith(".progress.npz"):
        return False
    return not Path(path).is_dir()


def list_checkpoints(folder: StrPath) -> List[str]:
    """List the prefixes of a folder's checkpoints, the newest last, without verifying them.

    In a run folder, these are the checkpoints that have a record or are in TensorFlow's list, sorted by step. In a
    folder written by the notebook, these are the checkpoints in TensorFlow's list or, if the list is missing or
    damaged, the checkpoints that have an index.

    Raises:
        CheckpointError: there is no such folder.
        NoCheckpointError: the folder has no checkpoint.
        OSError: the folder cannot be read.
    """
    folder = Path(folder)
    if not folder.exists():
        beside = [str(path) for path in folder.parent.glob("*")]
        raise CheckpointError(
            f"there is no file or folder {folder}: train a model first, or use a known one "
            f"({', '.join(KNOWN_MODELS)}){words.did_you_mean(str(folder), [*KNOWN_MODELS, *beside])}"
        )
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder} is not a model: name a run folder or an exported .npz file"
        )

    # Only the names in TensorFlow's list are used, because the folder may have been moved since the list was written.
    listed = _listed_names(folder)
    if is_run(folder):
        # The list adds those that have lost their record. Interrupted saves are not in it.
        names = record.names_with(folder, ".json", listed)
    else:
        names = listed or record.names_with(folder, ".index")
    if not names:
        runs = words.listed(str(path.parent) for path in sorted(folder.glob(f"*/{RUN_FILE}")))
        advice = ""
        if runs:
            advice = f", but there are the runs {runs}"
        elif not is_run(folder):
            advice = ": name a run folder or an exported .npz file"
        raise NoCheckpointError(f"there is no checkpoint in {folder}{advice}")
    return [str(folder / name) for name in names]


def _listed_names(folder: Path) -> List[str]:
    """Return the names in TensorFlow's list of checkpoints; [] if it is missing or damaged."""
    try:
        lines = (folder / "checkpoint").read_bytes().decode("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    names = []
    for line in lines:
        # The name alone: the folder may have been moved since the notebook listed whole paths.
        match = re.fullmatch(r'all_model_checkpoint_paths: "(?:.*[/\\])?([^/\\]+)"', line)
        if match:
            names.append(match.group(1))
    return names


def verify(prefix: str, suffix: str = "") -> Optional[RunRecord]:
    """Verify a checkpoint against its record, and return its run.

    A checkpoint written by the notebook has no record and no run: only the presence of its files is checked.

    Args:
        prefix: the prefix of the checkpoint.
        suffix: verify the file with this suffix only; "" for all files.

    Raises:
        CheckpointError: a file of the checkpoint is missing, cannot be read or has changed, or the record is
            missing or damaged.
    """
    if not is_run(Path(prefix).parent):
        for needed in record.SAVED_VARIABLES:
            if not Path(prefix + needed).exists():
                raise CheckpointError(f"{prefix}{needed} is missing")
        return None

    name = Path(prefix).name
    try:
        run, recorded = record.read_checkpoint_record(prefix)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{prefix} is damaged: its record {name}.json: {errors.reason(error)}"
        )
    to_verify = [suffix] if suffix else list(recorded)
    for of_file in to_verify:
        _, sha256 = recorded[of_file]
        try:
            content = Path(prefix + of_file).read_bytes()
        except OSError as error:
            raise CheckpointError(
                f"{prefix} is damaged: {name}{of_file} cannot be read ({errors.reason(error)})"
            )
        if files.sha256(content) != sha256:
            raise CheckpointError(
                f"{prefix} is damaged: {name}{of_file} has changed since it was saved"
            )
    return run


def newest_intact(folder: StrPath, suffix: str = "") -> VerifiedCheckpoint:
    """Find the newest intact checkpoint of a folder.

    Args:
        folder: the folder.
        suffix: as for :func:`verify`.

    Raises:
        CheckpointError: there is no such folder, or none of its checkpoints is intact.
        NoCheckpointError: the folder has no checkpoint.
    """
    skipped: List[str] = []
    for prefix in reversed(list_checkpoints(folder)):
        try:
            return VerifiedCheckpoint(prefix, verify(prefix, suffix), tuple(skipped))
        except CheckpointError as error:
            skipped.append(str(error))
    raise CheckpointError(f"there is no intact checkpoint in {folder}: {words.listed(skipped)}")


def find(path: StrPath, *, best: bool = False, suffix: str = "") -> VerifiedCheckpoint:
    """Find and verify the checkpoint that a path refers to.

    Args:
        path: a run folder, for its newest intact checkpoint; the prefix of a checkpoint, or one of its files.
        best: find the checkpoint of a run folder with the lowest validation loss.
        suffix: as for :func:`verify`.

    Raises:
        CheckpointError: the checkpoint is missing or damaged, or the run has no best checkpoint.
    """
    if best:
        name = record.read_run(path).best
        if not name:
            raise CheckpointError(
                f"the run in {path} has no best checkpoint: it was trained without "
                "val_fraction, or has not been evaluated yet"
            )
        prefix = str(Path(path) / name)
        return VerifiedCheckpoint(prefix, verify(prefix, suffix))

    prefix = re.sub(_SUFFIX_OF_CHECKPOINT, r"\g<name>", str(path))
    is_checkpoint = Path(prefix + ".index").exists() or Path(prefix + ".json").exists()
    if Path(path).is_dir() or not is_checkpoint:
        return newest_intact(path, suffix)
    return VerifiedCheckpoint(prefix, verify(prefix, suffix))


def run_folder(named: Optional[StrPath], resume: bool) -> StrPath:
    """Return the folder of a run: the one that is named, or else the newest to resume, or the next one for a new run.

    Args:
        named: the folder that is named, or None.
        resume: whether to resume a run.

    Raises:
        CheckpointError: the path that is named is a file, one that TensorFlow cannot write to, or, for a new run, the
            folder of another one.
    """
    if named is not None:
        _check_named(named)
        if not resume:
            check_unused(named)
        return named
    if resume:
        for folder in _folders():
            if is_run(folder):
                return str(folder)
        return FIRST

    newest = _folders()[0]
    with contextlib.suppress(CheckpointError):
        check_unused(newest)
        return str(newest)
    number = 2 if newest == Path(FIRST) else int(newest.name) + 1
    return str(Path(FIRST) / str(number))


def check_unused(folder: StrPath) -> None:
    """Check that a folder holds no run yet, of this package or of the notebook, and no file that a run would replace.

    What a run left that was killed before its first save does not count.

    Raises:
        CheckpointError: it holds one.
    """
    folder = Path(folder)
    if _has_only_begun(folder):
        return

    advice = ""
    if is_run(folder):
        advice = "continue it with resume=True, or --resume"
    elif is_of_notebook(folder):
        advice = FROM_NOTEBOOK
    if advice:
        raise CheckpointError(
            f"{folder} holds another run: {advice}; or name another checkpoint_dir"
        )

    for name in (TEXT_FILE, HISTORY_FILE, WORDS_FILE, STAGE):
        if os.path.lexists(str(folder / name)):
            raise CheckpointError(
                f"{folder} has a {name}, which a new run would replace: move it away, "
                "or name another checkpoint_dir"
            )


def _has_only_begun(folder: Path) -> bool:
    """Return whether a run has begun in a folder, and was killed before its first save."""
    if is_run(folder) or (folder / "checkpoint").exists():
        return False
    if not (folder / LOCK_FILE).is_file():
        return False
    # The first save of a run that starts from a model is of step 0.
    for path in folder.glob("*.ckpt.*"):
        if not path.name.startswith("i0_"):
            return False
    history = folder / HISTORY_FILE
    return not history.exists() or len(history.read_bytes().splitlines()) < 2


def _check_named(folder: StrPath) -> None:
    """Raise CheckpointError if a path cannot be that of a run folder."""
    name = str(folder)
    if not name:
        raise CheckpointError("the path of the run folder is empty")
    signs_of_patterns = "*?[" if os.sep == "\\" else "*?[\\"
    refused = set(name) & set(signs_of_patterns)
    if refused:
        raise CheckpointError(
            f"{name!r} cannot be the path of a run folder: TensorFlow does not support "
            f"{' or '.join(sorted(refused))} in paths"
        )
    if Path(folder).is_file():
        raise CheckpointError(f"{name} is a file: checkpoint_dir must be the name of a folder")


def newest_with_checkpoint() -> Optional[str]:
    """Return the newest folder without a name that has a checkpoint, of this package or the notebook, or None."""
    for folder in _folders():
        if (folder / "checkpoint").exists() or any(folder.glob("*.ckpt.json")):
            return str(folder)
    return None


def is_numbered(folder: StrPath) -> bool:
    """Return whether a folder is ``checkpoints/2`` or a later one, to which runs without a name go after the first."""
    path = Path(folder)
    is_number = re.fullmatch(r"[2-9]|[1-9]\d{1,8}", path.name) is not None
    return is_number and path.parent == Path(FIRST)


def _folders() -> List[Path]:
    """Return ``checkpoints`` and the numbered folders in it, the newest first."""
    numbers = []
    for path in Path(FIRST).glob("*"):
        if is_numbered(path):
            numbers.append(int(path.name))
    numbered = [Path(FIRST) / str(number) for number in sorted(numbers, reverse=True)]
    return [*numbered, Path(FIRST)]
