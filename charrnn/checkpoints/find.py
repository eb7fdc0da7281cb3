"""Find, verify and open the checkpoints of a run folder."""
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Tuple

from charrnn.checkpoints.record import (
    FORMAT_VERSION,
    RUN_FILE,
    CheckpointError,
    NoCheckpointError,
    check_name,
    file_sha256,
    fingerprint,
    read_run,
    step_of,
)
from charrnn.checkpoints.weights import network_sizes
from charrnn.data import Vocabulary


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that a network can be built for.

    Attributes:
        prefix: path of its files without their last suffixes, as a Saver takes it.
        vocabulary: a Vocabulary of C characters.
        lstm_size: L, from the shapes of its variables.
        num_layers: from the names of its variables.
        cell: kind of cell, from the names of its variables.
        skipped: what was passed over on the way to it, a line for each newer checkpoint that is not whole.
    """

    prefix: str
    vocabulary: Vocabulary
    lstm_size: int
    num_layers: int
    cell: str = "lstm"
    skipped: Tuple[str, ...] = ()

    @property
    def name(self):
        """What to call it: its prefix."""
        return self.prefix


def list_checkpoints(folder):
    """Return the prefixes of a folder's checkpoints, the newest last, whether they are whole or not.

    In a run's folder they are those that have a record or are in TensorFlow's list, by their steps; in the notebook's,
    those that TensorFlow's list names, or where that is missing or damaged, those that are there.

    Raises:
        CheckpointError: the folder is missing; NoCheckpointError, which is one: it has no checkpoint.
    """
    check_name(folder)
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError("there is no file or folder {}: train first (charrnn-train)".format(folder))
    suffix = ".json" if (folder / RUN_FILE).exists() else ".index"
    found = [path.name[:-len(suffix)] for path in folder.glob("*.ckpt" + suffix)]
    names = sorted((name for name in found if step_of(name) is not None), key=step_of)
    if suffix == ".json":
        # also those whose record was lost; a save that was cut short is not in the list
        names = sorted({*names, *(name for name in _names_in_list(folder) if step_of(name) is not None)}, key=step_of)
    else:
        # only the names count: a folder that was moved may still list the place where it was written
        names = _names_in_list(folder) or names
    if not names:
        raise NoCheckpointError("there is no checkpoint in {}".format(folder))
    return [str(folder / name) for name in names]


def _names_in_list(folder):
    try:
        content = (folder / "checkpoint").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return re.findall(r'^all_model_checkpoint_paths: "(?:.*[/\\])?(.+)"$', content, re.MULTILINE)


def verify(prefix):
    """Raise CheckpointError where a checkpoint of a run is not what was saved: a file cut, changed or gone.

    TensorFlow 1.15's reader can crash on damaged files, so this must be asked before. A checkpoint of the
    notebook's own has no record to be held to; there it is only seen whether its index is there.

    Args:
        prefix: the checkpoint's prefix.
    """
    folder, name = Path(prefix).parent, Path(prefix).name
    if not (folder / RUN_FILE).exists():
        if not Path(prefix + ".index").exists():
            raise CheckpointError("{} is gone".format(prefix))
        return
    try:
        record = json.loads(Path(prefix + ".json").read_bytes().decode("utf-8"))
        recorded = {str(file): (entry["bytes"], entry["sha256"]) for file, entry in record["files"].items()}
        complete = record["format"] == FORMAT_VERSION and {
            name + suffix for suffix in (".index", ".data-00000-of-00001", ".progress.npz")} <= set(recorded)
        fixed = record["run_sha256"]
    except OSError as error:
        raise CheckpointError("{} is not whole: its record {}.json cannot be read ({})".format(
            prefix, name, error.strerror or error))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError("{} is not whole: its record {}.json is damaged ({}: {})".format(
            prefix, name, type(error).__name__, error))
    if not complete:
        raise CheckpointError("{} is not whole: its record {}.json is damaged".format(prefix, name))
    if fixed != fingerprint(read_run(folder)):
        raise CheckpointError("{} does not belong to the vocabulary, text and sizes in {}".format(
            prefix, folder / RUN_FILE))
    for file, (size, sha256) in recorded.items():
        path = folder / file
        if not re.fullmatch(re.escape(name) + r"\.[\w.-]{1,50}", file):
            raise CheckpointError("{} is not whole: its record {}.json is damaged".format(prefix, name))
        if not path.is_file():
            raise CheckpointError("{} is not whole: {} is gone".format(prefix, file))
        if path.stat().st_size != size or file_sha256(path) != sha256:
            raise CheckpointError("{} is not whole: {} is not as it was saved".format(prefix, file))


def is_intact(folder, name):
    """Return whether a folder has a checkpoint of a name, and it is whole."""
    try:
        verify(str(Path(folder) / name))
    except CheckpointError:
        return False
    return True


def newest_intact(folder):
    """Find a folder's newest checkpoint that is whole.

    Returns:
        (prefix, skipped): its prefix, and a line for each newer one that is not whole.

    Raises:
        CheckpointError: the folder is missing, or has checkpoints but none whole; NoCheckpointError, which is
            one: it has no checkpoint.
    """
    skipped = []
    for prefix in reversed(list_checkpoints(folder)):
        try:
            verify(prefix)
            return prefix, skipped
        except CheckpointError as error:
            skipped.append(str(error))
    raise CheckpointError("there is no whole checkpoint in {}: {}".format(folder, "; ".join(skipped)))


def open_checkpoint(path, vocabulary=None, *, best=False):
    """Find a checkpoint and learn what is needed to build its network.

    Args:
        path: a run folder (its newest whole checkpoint is meant), a checkpoint's prefix, or one of its files.
        vocabulary: a Vocabulary; None for that of the folder's ``run.json``.
        best: of a run folder, take the checkpoint with the lowest validation loss.

    Returns:
        A Checkpoint.

    Raises:
        CheckpointError: it is missing or damaged, is not a charrnn or notebook checkpoint, has no vocabulary, or
            one of another size; or there is no best one.
    """
    prefix, skipped = re.sub(r"(\.ckpt)\.(index|meta|json|data-\d+-of-\d+|progress\.npz)$", r"\1", str(path)), []
    check_name(prefix)
    if best:
        name = read_run(path).best
        if not name:
            raise CheckpointError("the run in {} has no best checkpoint: it was not validated (--val-fraction), or "
                                  "not yet".format(path))
        prefix = str(Path(path) / name)
        verify(prefix)
    elif Path(prefix + ".index").exists() or Path(prefix + ".json").exists():
        verify(prefix)
    else:  # then it is a folder, or nothing
        prefix, skipped = newest_intact(path)
    num_classes, lstm_size, num_layers, cell = network_sizes(prefix)
    if vocabulary is None:
        run = run_of(prefix)
        if run is None:
            raise CheckpointError("{} has no {} beside it to tell its vocabulary: name its training text "
                                  "(--vocab-from)".format(prefix, RUN_FILE))
        vocabulary = run.vocabulary
    if len(vocabulary) != num_classes:
        raise CheckpointError("{} was trained on {} distinct characters, but the vocabulary given has {}".format(
            prefix, num_classes, len(vocabulary)))
    return Checkpoint(prefix, vocabulary, lstm_size, num_layers, cell, tuple(skipped))


def run_of(prefix):
    """Return the Run that a checkpoint belongs to; None for one of the notebook's own.

    Raises:
        CheckpointError: its ``run.json`` is damaged.
    """
    folder = Path(prefix).parent
    return read_run(folder) if (folder / RUN_FILE).exists() else None


# transition
Checkpoint._replace = replace
