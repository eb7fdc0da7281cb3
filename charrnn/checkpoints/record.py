"""The run folder: what a run is, how it is recorded, and the names and errors that belong to it.

A run folder holds one training run::

    text.txt                        the text of the run, in UTF-8
    run.json                        what the run is: hyperparameters, vocabulary, name and SHA-256 of the text
    history.csv                     what was measured
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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from charrnn.data import StrPath, Vocabulary
from charrnn.hyperparameters import NAMES, Hyperparameters
from charrnn.system import errors, files, words
from charrnn.text.corpus import RUN_FILE
from charrnn.version import __version__

# Hyperparameters that a resumed run cannot change: its weights, its state or its place in the text depend on them.
IMMUTABLE = (
    "batch_size",
    "num_steps",
    "lstm_size",
    "num_layers",
    "seed",
    "cell",
    "optimizer",
    "average_decay",
    "val_fraction",
    "test_fraction",
    "shuffle",
)
TEXT_FILE = "text.txt"
HISTORY_FILE = "history.csv"
STAGE = ".saving"
LARGEST_LOSS = 1e38  # losses are measured in float32
LOCK_FILE = ".lock"
# how to start from the weights of the notebook, in Python and in a command
FROM_NOTEBOOK = (
    "init_from=open_model(path, sorted(set(text)))",
    "--init-from and --vocab-from TEXT",
)
# of the files that a record lists
SUFFIXES = (".data-00000-of-00001", ".index", ".meta", ".npz", ".progress.npz")


class CheckpointError(errors.AdvisedError):
    """A checkpoint or run folder is missing, damaged, or not the requested one."""


class NoCheckpointError(CheckpointError):
    """A run folder has no checkpoint yet."""


@dataclass(frozen=True)
class RunRecord:
    """What a run is.

    Attributes:
        hyperparameters: the Hyperparameters, as last started or resumed. One newer than the run has its default.
        vocabulary: the Vocabulary.
        text_name: the known name or path of the training text.
        text_sha256: hexadecimal SHA-256 of the characters of the text in UTF-8, as it was given.
        best: name of the checkpoint with the lowest validation loss, if there is one.
        init_from: the model that the initial weights were taken from, if there was one.
        test_loss: the loss on the test text in nats per character, if the run has ended and has such a text.
        folder: the run folder that it was read from, which has the text; None for a model outside of one.
        shuffled_sha256: the SHA-256 of the text in that folder, if its lines were shuffled.
        beginning: what a text of this model begins with by default; None for what suits the vocabulary.
        unknown: names of hyperparameters that only a newer version has. Such a run cannot be resumed.
    """

    hyperparameters: Hyperparameters
    vocabulary: Vocabulary
    text_name: str
    text_sha256: str
    best: Optional[str] = None
    init_from: Optional[str] = None
    test_loss: Optional[float] = None
    folder: Optional[str] = field(default=None, compare=False)
    shuffled_sha256: Optional[str] = None
    beginning: Optional[str] = None
    unknown: Tuple[str, ...] = field(default=(), compare=False)


def step_of(name: str) -> int:
    """Return the step in the name of a checkpoint, or -1 for any other name."""
    match = re.fullmatch(r"i(\d{1,18})_l\d+\.ckpt", name)
    return int(match.group(1)) if match else -1


def names_with(folder: Path, suffix: str, others: Sequence[str] = ()) -> List[str]:
    """Return the names of the checkpoints that have a file with a suffix, and of others, sorted by step."""
    saved = {
        name[: -len(suffix)] for name in os.listdir(str(folder)) if name.endswith(f".ckpt{suffix}")
    }
    return sorted((name for name in saved.union(others) if step_of(name) >= 0), key=step_of)


def listed_names(folder: Path) -> List[str]:
    """Return the names in TensorFlow's list of checkpoints; [] if it is missing or damaged."""
    try:
        lines = (folder / "checkpoint").read_bytes().decode("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    start = 'all_model_checkpoint_paths: "'
    paths = [
        line[len(start) : -1] for line in lines if line.startswith(start) and line.endswith('"')
    ]
    names = [re.split(r"[/\\]", path)[-1] for path in paths]
    return [name for name in names if name]


def is_run(folder: StrPath) -> bool:
    """Return whether a folder is a run folder of this package."""
    return (Path(folder) / RUN_FILE).exists() or any(Path(folder).glob("*.ckpt.json"))


def check_unused(folder: StrPath) -> None:
    """Check that a folder holds no run yet, of this package or of the notebook, and no file that a run would replace.

    Raises:
        CheckpointError: it holds one.
    """
    folder = Path(folder)
    in_the_way = [
        name for name in (TEXT_FILE, HISTORY_FILE, STAGE) if os.path.lexists(str(folder / name))
    ]
    fact = f"{folder} holds another run"
    in_python = ""
    in_command = ""
    if is_run(folder):
        in_python = "continue it with resume=True"
        in_command = f"continue it with {words.resume_command(folder)}"
    elif _is_of_notebook(folder):
        in_python, in_command = (f"start from its weights with {how}" for how in FROM_NOTEBOOK)
    elif in_the_way:
        fact = f"{folder} has a {in_the_way[0]}, which a new run would replace"
        in_python = in_command = "move it away"
    else:
        return
    raise CheckpointError(
        fact,
        f"{in_python}, or name another checkpoint_dir",
        f"{in_command}, or name another folder with --checkpoint-dir",
    )


def _is_of_notebook(folder: Path) -> bool:
    """Return whether a folder has checkpoints but no run of this package, as the notebook leaves them."""
    return not is_run(folder) and ((folder / "checkpoint").exists() or any(folder.glob("*.ckpt.*")))


def record_of(run: RunRecord) -> Dict[str, Any]:
    """Return a run as a dict of JSON types."""
    return {
        "charrnn": __version__,
        "hyperparameters": asdict(run.hyperparameters),
        "vocabulary": "".join(run.vocabulary.chars),
        "text": {
            "name": run.text_name,
            "sha256": run.text_sha256,
            "shuffled_sha256": run.shuffled_sha256,
        },
        "best": run.best,
        "init_from": run.init_from,
        "test_loss": run.test_loss,
        "beginning": run.beginning,
    }


def run_from_record(record: Dict[str, Any], folder: Optional[StrPath] = None) -> RunRecord:
    """Convert the result of :func:`record_of`, also of another version, to a RunRecord.

    This is the only check of a record, which may be another person's.

    Raises:
        ValueError: it is not the record of a run.
    """
    with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):
        text, best, init_from = (record[name] for name in ("text", "best", "init_from"))
        recorded = record["hyperparameters"]
        test_loss = record.get("test_loss")
        shuffled = text.get("shuffled_sha256")
        beginning = record.get("beginning")
        hyper = Hyperparameters(**{name: recorded[name] for name in NAMES if name in recorded})
        hyper.check(recorded=NAMES)
        if (
            all(
                isinstance(name, str)
                for name in (record["vocabulary"], text["name"], text["sha256"])
            )
            and all(
                name is None or isinstance(name, str) for name in (init_from, shuffled, beginning)
            )
            and (
                test_loss is None
                or type(test_loss) in (int, float)
                and abs(test_loss) <= LARGEST_LOSS
            )
            and (best is None or step_of(best) >= 0)
        ):
            return RunRecord(
                hyper,
                Vocabulary(record["vocabulary"]),
                text["name"],
                text["sha256"],
                best,
                init_from,
                test_loss,
                None if folder is None else str(folder),
                shuffled,
                beginning,
                tuple(sorted(set(recorded) - set(NAMES))),
            )
    raise ValueError("it does not describe a run")


def read_record(prefix: str) -> Tuple[RunRecord, Dict[str, Any]]:
    """Read the record of a checkpoint.

    Returns:
        (run, files): the run, and a dict from the suffix of each file of the checkpoint to its size and SHA-256.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or it is the record of another checkpoint.
    """
    path = Path(prefix + ".json")
    record = read_signed(path)
    if record.get("name") != path.stem:
        raise ValueError("it is the record of another checkpoint")
    return run_from_record(record["run"], path.parent), record["files"]


def signed(content: Dict[str, Any]) -> bytes:
    """Return a JSON object as the content of a file, with its own SHA-256."""
    return (
        json.dumps({**content, "sha256": _digest(content)}, indent=2, ensure_ascii=False) + "\n"
    ).encode("utf-8", "surrogatepass")


def read_signed(path: StrPath) -> Dict[str, Any]:
    """Read a file that :func:`signed` made.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    content = parsed(Path(path).read_bytes())
    if content.pop("sha256", None) != _digest(content):
        raise ValueError("it has changed since it was written")
    return content


def parsed(content: bytes) -> Dict[str, Any]:
    """Parse the content of a file as a JSON object.

    Raises:
        ValueError: it is not a JSON object.
    """
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(content.decode("utf-8", "surrogatepass"))
        if isinstance(value, dict):
            return value
    raise ValueError("it is damaged")


def _digest(content: Dict[str, Any]) -> str:
    return files.sha256(json.dumps(content, sort_keys=True).encode())


def write_run(folder: StrPath, run: RunRecord) -> None:
    """Write ``run.json`` in an existing run folder.

    Raises:
        OSError: it cannot be written.
    """
    files.write_atomically(Path(folder) / RUN_FILE, signed(record_of(run)))


def read_run(folder: StrPath) -> RunRecord:
    """Read what a run is: from ``run.json``, or if that is lost from the newest valid record of a checkpoint.

    Raises:
        CheckpointError: there is neither.
    """
    path = Path(folder) / RUN_FILE
    advice = []
    try:
        return run_from_record(read_signed(path), folder)
    except OSError as error:
        problem = f"there is no run in {folder}: {errors.described(error)}"
        if _is_of_notebook(Path(folder)):
            problem = f"{folder} has checkpoints but no {RUN_FILE}, like a folder of the notebook"
            advice = [f"start a run from its weights with {how}" for how in FROM_NOTEBOOK]
    except ValueError as error:
        problem = f"{path} cannot be used: {error}"
    for path in sorted(
        Path(folder).glob("*.ckpt.json"), key=lambda path: step_of(path.stem), reverse=True
    ):
        with contextlib.suppress(OSError, ValueError):
            return read_record(str(path)[: -len(".json")])[0]
    raise CheckpointError(problem, *advice)


def read_text(run: RunRecord) -> str:
    """Read the text of a run from its folder.

    Raises:
        CheckpointError: it is missing or has changed.
    """
    path = Path(run.folder or "") / TEXT_FILE
    try:
        content = path.read_bytes()
        if files.sha256(content) == (run.shuffled_sha256 or run.text_sha256):
            return content.decode("utf-8", "surrogatepass")
        problem = "has changed"
    except OSError as error:
        problem = f"cannot be read ({errors.reason(error)})"
    raise CheckpointError(
        f"the text of the run, {path}, {problem}: name the text that it was trained on, "
        f"{run.text_name}"
    )
