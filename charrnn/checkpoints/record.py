"""The run folder: what a run is, how it is recorded, and the names and errors that belong to it.

A run folder holds one training run::

    text.txt                        the text of the run, in UTF-8
    run.json                        what the run is: hyperparameters, vocabulary, name and SHA-256 of the text
    history.csv                     what was measured
    words.xz                        the frequent words of its language, if it began with a model that has them
    i{step}_l{lstm_size}.ckpt.*     weights and the optimizer's slots, as the notebook's Saver writes them
    i{step}_l{lstm_size}.ckpt.npz   the weights to write with, a model of its own
    i{step}_l{lstm_size}.ckpt.progress.npz   step, LSTM state, losses of the epoch, evaluations, history
    i{step}_l{lstm_size}.ckpt.json  record of the checkpoint: what run.json has, sizes and SHA-256 of its files
    checkpoint                      TensorFlow's list of the checkpoints, with relative paths

A checkpoint is written to the folder ``.saving`` and then moved, its record last. A checkpoint without a valid
record is not used. Each record has its own SHA-256. If ``run.json`` is lost, the newest record serves in its place. The
training process holds the lock ``.lock``. All paths are relative, so a run folder can be moved and renamed. A folder
written by the notebook has no records. Its checkpoints can be used if the vocabulary is given.
"""

import contextlib
import json
import os
import re
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from charrnn.checkpoints.writing import recorded_writing
from charrnn.data import Characters, StrPath, Vocabulary, count_windows, split
from charrnn.hyperparameters import NAMES, Hyperparameters
from charrnn.system import errors, files
from charrnn.text import corpus, lines
from charrnn.text.corpus import RUN_FILE
from charrnn.version import __version__

TEXT_FILE = "text.txt"
HISTORY_FILE = "history.csv"
WORDS_FILE = "words.xz"
# Version 4.0 and 5.0 kept the model that a run began with, which has the words.
START_FILE = "start.npz"
STAGE = ".saving"
LOCK_FILE = ".lock"
# what a run measures is float32
LARGEST_MEASURED = 1e38
# bytes of the largest file outside of its folder that is read because a record names it
LARGEST_NAMED = 1 << 30
FROM_NOTEBOOK = (
    "start a run from its weights with init_from=open_model(path, sorted(set(text))), or --init-from and "
    "--vocab-from TEXT"
)
# The suffixes of the files that hold the variables, and of all files that a record lists.
SAVED_VARIABLES = (".data-00000-of-00001", ".index")
SUFFIXES = (*SAVED_VARIABLES, ".meta", ".npz", ".progress.npz")


class CheckpointError(ValueError):
    """A checkpoint or run folder is missing, damaged, or not the requested one."""


class NoCheckpointError(CheckpointError):
    """A run folder has no checkpoint yet."""


@dataclass(frozen=True)
class RunRecord:
    """What a run is.

    Attributes:
        hyperparameters: the Hyperparameters, as last started or resumed. One that the run's version lacked has its
            default.
        vocabulary: the Vocabulary.
        text_name: the known name or path of the training text.
        text_sha256: hexadecimal SHA-256 of the characters of the text in UTF-8, as it was given.
        best: name of the checkpoint with the lowest validation loss, if there is one.
        init_from: the name of the model that the initial weights were taken from, if there was one.
        init_from_sha256: hexadecimal SHA-256 of the ``.npz`` file of that model, if it is known.
        test_loss: the loss on the test text in nats per character, if the run has ended and has such a text.
        folder: the run folder that it was read from, which has the text; None for a model outside of one.
        shuffled_sha256: the SHA-256 of the text in that folder, if its lines were shuffled.
        beginning: what a text of this model begins with by default; None for what suits the vocabulary.
        writing: what its texts are written with by default, fields of :class:`charrnn.checkpoints.writing.Writing` in
            place of the notebook's; None if the run does not say.
        tensorflow: the version of TensorFlow with which the run was last started or resumed, if known.
        unknown: names of hyperparameters that only a newer version has. Such a run cannot be resumed.
    """

    hyperparameters: Hyperparameters
    vocabulary: Vocabulary
    text_name: str
    text_sha256: str
    best: Optional[str] = None
    init_from: Optional[str] = None
    init_from_sha256: Optional[str] = None
    test_loss: Optional[float] = None
    folder: Optional[str] = field(default=None, compare=False)
    shuffled_sha256: Optional[str] = None
    beginning: Optional[str] = None
    writing: Optional[Dict[str, Any]] = None
    tensorflow: Optional[str] = field(default=None, compare=False)
    unknown: Tuple[str, ...] = field(default=(), compare=False)

    def text(self) -> str:
        """Read the text of the run from its folder, or if it is lost there, the one that the run names.

        That is a known text, or a file that :func:`check_named` allows, and its SHA-256 is that of the record.

        Raises:
            CheckpointError: it is missing or has changed.
        """
        path = Path(self.folder or "") / TEXT_FILE
        sha256 = self.shuffled_sha256 or self.text_sha256
        try:
            content = files.read_regular(path)
            if files.sha256(content) == sha256:
                return content.decode("utf-8", "surrogatepass")
            problem = "has changed"
        except OSError as error:
            problem = f"cannot be read ({errors.reason(error)})"

        # The name may be that of several files, or of none.
        with contextlib.suppress(OSError, ValueError):
            named = self.in_order(self._named_text())
            if named is not None:
                return named
        raise CheckpointError(
            f"the text of the run, {path}, {problem}: name the text that it was trained on, "
            f"{self.text_name}"
        )

    def _named_text(self) -> str:
        """Read the text that the run names, whatever it is."""
        if corpus.is_known(self.text_name):
            return corpus.read(self.text_name).text
        check_named(self.text_name)
        return corpus.read_file(self.text_name, largest=LARGEST_NAMED)

    def in_order(self, text: str) -> Optional[str]:
        """Return the text of the run in the order of the run, or None if this is another text.

        If the run has shuffled its lines, they may be in either order.
        """
        sha256 = files.text_sha256(text)
        if sha256 == (self.shuffled_sha256 or self.text_sha256):
            return text
        if sha256 == self.text_sha256:
            return lines.shuffled(text)
        return None

    def divide(self, text: Characters) -> Tuple[Characters, Characters, Characters]:
        """Divide the text, or its ids, into what the run trains on, what it holds out, and its test text."""
        hyper = self.hyperparameters
        return split(text, hyper.val_fraction, hyper.test_fraction)

    def n_windows(self, n_training: int) -> int:
        """Return K, the windows in an epoch, for the length of the text that the run trains on."""
        hyper = self.hyperparameters
        return count_windows(n_training, hyper.batch_size, hyper.num_steps)

    def total_steps(self, n_training: int) -> int:
        """Return the steps of all epochs, for the length of the text that the run trains on."""
        return self.n_windows(n_training) * self.hyperparameters.epochs


def check_named(path: StrPath) -> None:
    """Check that a file may be read because a record names it, which may be another person's.

    A link, a pipe or a device is not opened: it may lead anywhere, or have no end. What is read is used only if it has
    the SHA-256 that the record says.

    Raises:
        OSError: it is not there.
        ValueError: it is no regular file, or too large.
    """
    status = os.lstat(str(path))
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no regular file")
    # Files of the system that have no end have the size 0.
    if not 0 < status.st_size <= LARGEST_NAMED:
        raise ValueError(f"{path} is empty, or larger than {LARGEST_NAMED:,} bytes")


def step_of(name: str) -> int:
    """Return the step in the name of a checkpoint, or -1 for any other name."""
    match = re.fullmatch(r"i(\d{1,18})_l\d+\.ckpt", name)
    return int(match.group(1)) if match else -1


def names_with(folder: Path, suffix: str, others: Sequence[str] = ()) -> List[str]:
    """Return the names of the checkpoints that have a file with a suffix, and of others, sorted by step."""
    names = set(others)
    for file_name in os.listdir(str(folder)):
        if file_name.endswith(f".ckpt{suffix}"):
            names.add(file_name[: -len(suffix)])
    return sorted((name for name in names if step_of(name) >= 0), key=step_of)


def is_run(folder: StrPath) -> bool:
    """Return whether a folder is a run folder of this package."""
    return (Path(folder) / RUN_FILE).exists() or any(Path(folder).glob("*.ckpt.json"))


def is_of_notebook(folder: Path) -> bool:
    """Return whether a folder has checkpoints but no run of this package, as the notebook leaves them."""
    return not is_run(folder) and ((folder / "checkpoint").exists() or any(folder.glob("*.ckpt.*")))


def as_json(record: RunRecord) -> Dict[str, Any]:
    """Return a record as a dict of JSON types."""
    return {
        "charrnn": __version__,
        "tensorflow": record.tensorflow,
        "hyperparameters": asdict(record.hyperparameters),
        "vocabulary": "".join(record.vocabulary.chars),
        "text": {
            "name": record.text_name,
            "sha256": record.text_sha256,
            "shuffled_sha256": record.shuffled_sha256,
        },
        "best": record.best,
        "init_from": record.init_from,
        "init_from_sha256": record.init_from_sha256,
        "test_loss": record.test_loss,
        "beginning": record.beginning,
        "writing": record.writing,
    }


def from_json(content: Dict[str, Any], folder: Optional[StrPath] = None) -> RunRecord:
    """Convert the result of :func:`as_json`, also of another version, to a RunRecord.

    This is the only check of a record, which may be another person's.

    Raises:
        ValueError: it is not the record of a run.
    """
    try:
        return _checked_record(content, folder)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("it does not describe a run")


def _checked_record(content: Dict[str, Any], folder: Optional[StrPath]) -> RunRecord:
    """Return the RunRecord. Raise an error of any kind if the content is not that of a record."""
    settings = content["hyperparameters"]
    hyper = Hyperparameters(**{name: settings[name] for name in NAMES if name in settings})
    hyper.check(names_of_run=NAMES)

    text = content["text"]
    folder_name = None
    if folder is not None:
        folder_name = str(folder)
    record = RunRecord(
        hyperparameters=hyper,
        vocabulary=Vocabulary(content["vocabulary"]),
        text_name=text["name"],
        text_sha256=text["sha256"],
        best=content["best"],
        init_from=content["init_from"],
        init_from_sha256=content.get("init_from_sha256"),
        test_loss=content.get("test_loss"),
        folder=folder_name,
        shuffled_sha256=text.get("shuffled_sha256"),
        beginning=content.get("beginning"),
        writing=recorded_writing(content.get("writing")),
        tensorflow=content.get("tensorflow"),
        unknown=tuple(sorted(set(settings) - set(NAMES))),
    )

    for value in (content["vocabulary"], record.text_name, record.text_sha256):
        if not isinstance(value, str):
            raise TypeError(value)
    for value in (
        record.init_from,
        record.init_from_sha256,
        record.shuffled_sha256,
        record.beginning,
        record.tensorflow,
    ):
        if value is not None and not isinstance(value, str):
            raise TypeError(value)

    loss = record.test_loss
    if loss is not None:
        if type(loss) not in (int, float):
            raise TypeError(loss)
        # NaN is refused too.
        if not abs(loss) <= LARGEST_MEASURED:
            raise ValueError(loss)
    if record.best is not None and step_of(record.best) < 0:
        raise ValueError(record.best)
    return record


def write_checkpoint_record(
    path: Path, name: str, recorded: Dict[str, Any], record: RunRecord
) -> None:
    """Write the record of a checkpoint.

    Args:
        path: its file.
        name: the name of the checkpoint.
        recorded: as :func:`read_checkpoint_record` returns the files.
        record: what the run is.
    """
    content = {"name": name, "files": recorded, "run": as_json(record)}
    files.write_atomically(path, signed(content))


def read_checkpoint_record(prefix: str) -> Tuple[RunRecord, Dict[str, Any]]:
    """Read the record of a checkpoint.

    Returns:
        (record, files): what the run is, and a dict from the suffix of each file of the checkpoint to its size and its
        SHA-256.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or it is the record of another checkpoint.
    """
    checkpoint = Path(prefix)
    content = read_signed(f"{prefix}.json")
    if content.get("name") != checkpoint.name:
        raise ValueError("it is the record of another checkpoint")
    recorded = content.get("files")
    if not isinstance(recorded, dict) or set(recorded) != set(SUFFIXES):
        raise ValueError("it does not list the files of its checkpoint")
    for of_file in recorded.values():
        if not isinstance(of_file, list) or len(of_file) != 2:
            raise ValueError("it does not list the sizes and SHA-256 of its files")
    return from_json(content.get("run", {}), checkpoint.parent), recorded


def signed(content: Dict[str, Any]) -> bytes:
    """Return a JSON object as the content of a file, with its own SHA-256."""
    whole = {**content, "sha256": _digest(content)}
    lines = json.dumps(whole, indent=2, ensure_ascii=False)
    return f"{lines}\n".encode("utf-8", "surrogatepass")


def read_signed(path: StrPath) -> Dict[str, Any]:
    """Read a file that :func:`signed` made.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    content = parsed(Path(path).read_bytes())
    sha256 = content.pop("sha256", None)
    if sha256 != _digest(content):
        raise ValueError("it has changed since it was written")
    return content


def parsed(content: bytes) -> Dict[str, Any]:
    """Parse the content of a file as a JSON object.

    Raises:
        ValueError: it is not a JSON object.
    """
    try:
        value = json.loads(content.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise ValueError("it is damaged")
    if not isinstance(value, dict):
        raise ValueError("it is damaged")
    return value


def _digest(content: Dict[str, Any]) -> str:
    return files.sha256(json.dumps(content, sort_keys=True).encode())


def write_run(folder: StrPath, record: RunRecord) -> None:
    """Write ``run.json`` in an existing run folder.

    Raises:
        OSError: it cannot be written.
    """
    files.write_atomically(Path(folder) / RUN_FILE, signed(as_json(record)))


def write_text(folder: StrPath, text: str) -> None:
    """Write the text of a run, unless the folder has it already: a resumed run may have a full disk."""
    if not has_text(folder, text):
        content = text.encode("utf-8", "surrogatepass")
        files.write_atomically(Path(folder) / TEXT_FILE, content)


def has_text(folder: StrPath, text: str) -> bool:
    """Return whether a text is that in a run folder."""
    path = Path(folder) / TEXT_FILE
    return path.is_file() and path.read_bytes() == text.encode("utf-8", "surrogatepass")


def read_run(folder: StrPath) -> RunRecord:
    """Read what a run is: from ``run.json``, or if that is lost from the newest valid record of a checkpoint.

    Raises:
        CheckpointError: there is neither.
    """
    path = Path(folder) / RUN_FILE
    try:
        return from_json(read_signed(path), folder)
    except OSError as error:
        problem = f"there is no run in {folder}: {errors.described(error)}"
        if is_of_notebook(Path(folder)):
            problem = f"{folder} has checkpoints but no {RUN_FILE}, like a folder of the notebook: {FROM_NOTEBOOK}"
    except ValueError as error:
        problem = f"{path} cannot be used: {error}"

    # The newest of the others that can be read serves in its place.
    prefixes = [path.with_suffix("") for path in Path(folder).glob("*.ckpt.json")]
    prefixes.sort(key=lambda prefix: step_of(prefix.name), reverse=True)
    for prefix in prefixes:
        with contextlib.suppress(OSError, ValueError):
            record, _ = read_checkpoint_record(str(prefix))
            return record
    raise CheckpointError(problem)
