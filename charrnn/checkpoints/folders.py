"""Where a model is if no path is given: the models that come with charrnn, and the folders of runs without a name.

The first run without a name goes to ``checkpoints``, as in the notebook, the next ones to
``checkpoints/2``, ``checkpoints/3`` and so on.
"""
import os
import re
from pathlib import Path
from typing import List, Optional

from charrnn.checkpoints.record import CheckpointError, check_unused, is_run
from charrnn.data import StrPath

KNOWN_MODELS = ("anna", "tiny-shakespeare")
MODELS = Path(__file__).resolve().parents[1] / "models"
FIRST = "checkpoints"


def known_model(name: StrPath) -> Optional[Path]:
    """Return the file of a known model; None for any other name, and if there is a file or folder with that name."""
    if str(name) not in KNOWN_MODELS or Path(name).exists():
        return None
    return MODELS / f"{name}.npz"


def run_folder(named: Optional[StrPath], resume: bool) -> StrPath:
    """Return the folder of a run: the one that is named, or else the newest to resume, or the next one for a new run.

    Raises:
        CheckpointError: the path that is named is a file, or one that TensorFlow cannot write to.
    """
    if named is not None:
        _check_name(str(named))
        if Path(named).is_file():
            raise CheckpointError(f"{named} is a file: checkpoint_dir must be the name of a folder")
        return named
    folders = _folders()
    if resume:
        return next((str(folder) for folder in folders if is_run(folder)), FIRST)
    newest = folders[0]
    try:
        check_unused(newest)
        return str(newest)
    except CheckpointError:
        return str(Path(FIRST) / str(2 if newest == Path(FIRST) else int(newest.name) + 1))


def _check_name(path: str) -> None:
    r"""Check that TensorFlow can write to the path of a run folder.

    Raises:
        CheckpointError: the path is empty, not UTF-8, or it contains ``*``, ``?``, ``[`` or, except on Windows, ``\``,
            which TensorFlow interprets as patterns.
    """
    if not path:
        raise CheckpointError("the path of the run folder is empty")
    refused = set(path) & set("*?[" if os.sep == "\\" else "*?[\\")
    if refused:
        raise CheckpointError(f"{path!r} cannot be the path of a run folder: TensorFlow does not support "
                              f"{' or '.join(sorted(refused))} in paths")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise CheckpointError(f"{path!r} cannot be the path of a run folder: TensorFlow needs a path in UTF-8")


def newest_with_checkpoint() -> Optional[str]:
    """Return the newest folder without a name that has a checkpoint, of this package or the notebook, or None."""
    return next((str(folder) for folder in _folders()
                 if (folder / "checkpoint").exists() or any(folder.glob("*.ckpt.json"))), None)


def _folders() -> List[Path]:
    """Return ``checkpoints`` and the numbered folders in it, the newest first."""
    numbers = [int(path.name) for path in Path(FIRST).glob("*") if re.fullmatch(r"[2-9]|[1-9]\d{1,8}", path.name)]
    return [*(Path(FIRST) / str(number) for number in sorted(numbers, reverse=True)), Path(FIRST)]
