"""The run folder: the record of a run, and the names and errors that belong to it.

A run folder holds one training run::

    run.json                        hyperparameters, vocabulary, name and SHA-256 of the text, the best checkpoint
    i{step}_l{lstm_size}.ckpt.*     weights and the optimizer's slots, as the notebook's Saver writes them
    i{step}_l{lstm_size}.ckpt.progress.npz   step, LSTM state, losses of the epoch, evaluations so far
    i{step}_l{lstm_size}.ckpt.json  record of the checkpoint: sizes and SHA-256 of its files, a copy of run.json
    checkpoint                      TensorFlow's list of the checkpoints, with relative paths

A checkpoint is written to the folder ``.saving`` and then moved, its record last. A checkpoint without a valid
record is not used. The training process holds the lock ``.lock``. All paths are relative, so a run folder can be
moved and renamed. A folder written by the notebook has no ``run.json``, no records and no progress. Its
checkpoints can be used for sampling if the vocabulary is given.
"""
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from charrnn.data import StrPath, Vocabulary
from charrnn.system import console, files
from charrnn.version import __version__

# Hyperparameters that a resumed run cannot change: its weights, its state or its place in the text depend on them.
IMMUTABLE = ("batch_size", "num_steps", "lstm_size", "num_layers", "seed", "cell", "optimizer", "average_decay",
             "val_fraction", "test_fraction")
FORMAT_VERSION = 1
RUN_FILE = "run.json"
STAGE = ".saving"
LOCK_FILE = ".lock"


class CheckpointError(ValueError):
    """A checkpoint or run folder is missing, damaged, or not the requested one."""


class NoCheckpointError(CheckpointError):
    """A run folder has no checkpoint yet."""


@dataclass(frozen=True)
class Run:
    """The settings of a run, as last started or resumed, and its best checkpoint.

    Attributes:
        hyperparameters: dict from name to number, str, bool or None.
        vocabulary: the Vocabulary.
        text_name: the known name or path of the training text.
        text_sha256: hexadecimal SHA-256 of the bytes of the text.
        text_encoding: the encoding of these bytes.
        best: name of the checkpoint with the lowest validation loss, if there is one.
        init_from: the checkpoint that the initial weights were taken from, if there was one.
        text_parts: how a text of several files is made, see :class:`charrnn.text.corpus.Text`.
        text_sizes: the bytes of its files; None if an older version wrote the run.
    """

    hyperparameters: Dict[str, Any]
    vocabulary: Vocabulary
    text_name: str
    text_sha256: str
    text_encoding: str
    best: Optional[str] = None
    init_from: Optional[str] = None
    text_parts: Optional[Dict[str, Any]] = None
    text_sizes: Optional[Dict[str, int]] = None


def checkpoint_prefix(folder: StrPath, step: int, lstm_size: int) -> str:
    """Return the notebook's name for a checkpoint: ``folder/i{step}_l{lstm_size}.ckpt``."""
    return str(Path(folder) / f"i{step}_l{lstm_size}.ckpt")


def step_of(name: str) -> Optional[int]:
    """Return the step in the name of a checkpoint, or None for any other name."""
    found = re.fullmatch(r"i(\d{1,18})_l\d+\.ckpt", name)
    return int(found.group(1)) if found else None


def check_name(path: StrPath) -> None:
    r"""Check that TensorFlow can use the path of a run folder or checkpoint.

    Raises:
        CheckpointError: the path is empty, or it contains ``*``, ``?``, ``[`` or, except on Windows, ``\``, which
            TensorFlow interprets as patterns, or bytes that are not UTF-8.
    """
    if not str(path):
        raise CheckpointError("the path of a checkpoint or run folder is empty")
    refused = set(str(path)) & set("*?[" if os.sep == "\\" else "*?[\\")
    try:
        str(path).encode("utf-8")
    except UnicodeError:
        refused.add("bytes that are not UTF-8")
    if refused:
        raise CheckpointError(f"{str(path)!r} cannot be the path of a checkpoint or run folder: TensorFlow does "
                              f"not support {' or '.join(sorted(refused))} in paths")


def check_unused(folder: StrPath) -> None:
    """Check that a folder holds no run yet, neither of this package nor of the notebook.

    Raises:
        CheckpointError: it holds one.
    """
    check_name(folder)
    folder = Path(folder)
    if (folder / RUN_FILE).exists() or (folder / "checkpoint").exists() or any(folder.glob("*.ckpt.*")):
        if is_run(folder):
            how = f"continue it with {console.resume_command(folder)}"
        else:
            how = "start from its weights with --init-from and --vocab-from"
        raise CheckpointError(f"{folder} holds another run: {how}, or name another folder with --checkpoint-dir")


def record_of(run: Run) -> Dict[str, Any]:
    """Return the content of ``run.json`` as a dict of JSON types."""
    return {
        "format": FORMAT_VERSION,
        "charrnn": __version__,
        "hyperparameters": run.hyperparameters,
        "vocabulary": "".join(run.vocabulary.chars),
        "text": {"name": run.text_name, "sha256": run.text_sha256, "encoding": run.text_encoding,
                 **({"parts": run.text_parts} if run.text_parts else {}),
                 **({"sizes": run.text_sizes} if run.text_sizes is not None else {})},
        "best": run.best,
        "init_from": run.init_from,
    }


def run_from_record(record: Dict[str, Any]) -> Run:
    """Convert the content of ``run.json``, as returned by :func:`record_of`, to a Run.

    Raises:
        ValueError: an entry is missing or invalid, or a newer version of charrnn wrote the record.
    """
    try:
        if record["format"] != FORMAT_VERSION:
            raise ValueError(f"it has format {record['format']!r}, but this version of charrnn reads format "
                             f"{FORMAT_VERSION}")
        text = record["text"]
        run = Run(dict(record["hyperparameters"]), Vocabulary(record["vocabulary"]), str(text["name"]),
                  str(text["sha256"]), str(text["encoding"]), record["best"], record["init_from"],
                  _checked_parts(text.get("parts")), _checked_sizes(text.get("sizes")))
    except KeyError as error:
        raise ValueError(f"it has no entry {error}")
    except TypeError as error:
        raise ValueError(f"an entry has the wrong type ({error})")
    for name, value in run.hyperparameters.items():
        if not (value is None or type(value) in (bool, str) or type(value) in (int, float)
                and abs(value) <= sys.float_info.max):
            raise ValueError(f"its {name} is {str(value)[:50]}")
    _check_fractions(run.hyperparameters.get("val_fraction", 0), run.hyperparameters.get("test_fraction", 0))
    if any("\0" in name for name in [run.text_name, *(run.text_parts or {"files": ()})["files"]]):
        raise ValueError("the name of its text has a null character")
    if not (run.best is None or isinstance(run.best, str) and step_of(run.best)):
        raise ValueError(f"its best is {run.best!r}")
    if not (run.init_from is None or isinstance(run.init_from, str)):
        raise ValueError(f"its init_from is {run.init_from!r}")
    return run


def _check_fractions(*fractions: Any) -> None:
    """Check the shares of a text that are held out."""
    if not all(type(each) in (int, float) and 0 <= each < 1 for each in fractions) or sum(fractions) >= 1:
        raise ValueError(f"the fractions of its text that are held out are {' and '.join(map(str, fractions))}")


def _checked_parts(parts: Any) -> Optional[Dict[str, Any]]:
    """Return the parts of a text, after a check of their types."""
    if parts is None:
        return None
    names, files_of_text, order = parts["names"], parts["files"], parts.get("order", [])
    if not (isinstance(names, list) and names and isinstance(files_of_text, dict) and isinstance(order, list) and all(
            isinstance(each, str) for each in [parts["separator"], *names, *files_of_text, *files_of_text.values()])
            and all(isinstance(each, str) and each in files_of_text for each in order)):
        raise ValueError("the parts of its text are invalid")
    return {"names": names, "separator": parts["separator"], "files": files_of_text,
            **({"order": order} if order else {})}


def _checked_sizes(sizes: Any) -> Optional[Dict[str, int]]:
    """Return the sizes of the files of a text, after a check of their types."""
    if sizes is not None and not (isinstance(sizes, dict) and all(type(size) is int for size in sizes.values())):
        raise ValueError("the sizes of its text are invalid")
    return sizes


def write_run(folder: StrPath, run: Run) -> None:
    """Write ``run.json`` if it does not have this content, and create the run folder if necessary.

    Raises:
        OSError: the folder cannot be created or written.
    """
    content = (json.dumps(record_of(run), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
    path = Path(folder) / RUN_FILE
    try:
        if path.is_file() and files.read(path) == content:
            return
    except OSError:
        pass  # it is written anew
    try:
        files.make_folder(folder)
        files.write_atomically(path, content)
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be written: {console.reason(error)}")


def is_run(folder: StrPath) -> bool:
    """Return whether a folder is that of a run, even if its ``run.json`` is lost."""
    return (Path(folder) / RUN_FILE).exists() or _copied_run(folder) is not None


def read_run(folder: StrPath) -> Run:
    """Read ``run.json``, or its copy in the newest record of a checkpoint if it is missing or damaged.

    Raises:
        CheckpointError: there is neither, or a newer version of charrnn wrote them.
    """
    return find_run(folder)[0]


def find_run(folder: StrPath) -> Tuple[Run, Optional[str]]:
    """Read a run as :func:`read_run` does. Return it, and a line about ``run.json`` if its copy was read instead."""
    try:
        return _read_run_file(folder), None
    except CheckpointError:
        copied = _copied_run(folder)
        if copied is None:
            raise
        path = Path(folder) / RUN_FILE
        return copied[1], (f"{path} {'is damaged' if path.exists() else 'is missing'}, so its copy in {copied[0]} is "
                           "used")


def _copied_run(folder: StrPath) -> Optional[Tuple[str, Run]]:
    """Return the newest valid copy of ``run.json`` in a folder, with the name of the record that has it."""
    records = {path: step_of(path.name[:-len(".json")]) for path in Path(folder).glob("*.ckpt.json")}
    for path in sorted(records, key=lambda path: records[path] or 0, reverse=True):
        try:
            record = json.loads(files.read(path).decode("utf-8"))
            run = run_from_record(record["run"])
            if records[path] and fingerprint(run) == record["run_sha256"]:
                return path.name, run
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            continue
    return None


def _read_run_file(folder: StrPath) -> Run:
    """Read ``run.json``. Raise CheckpointError if that is not possible."""
    path = Path(folder) / RUN_FILE
    try:
        record = json.loads(files.read(path).decode("utf-8", "surrogatepass"))
    except FileNotFoundError:
        if (Path(folder) / "checkpoint").exists() or any(Path(folder).glob("*.ckpt.index")):
            raise CheckpointError(f"{folder} has checkpoints but no {RUN_FILE}, like a folder of the notebook: start "
                                  f"a run from its weights with --init-from {folder} --vocab-from TEXT")
        raise CheckpointError(f"there is no run in {folder}: {path} does not exist")
    except OSError as error:
        raise CheckpointError(f"there is no run in {folder}: cannot read {path} ({console.reason(error)})")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error}")
    try:
        return run_from_record(record)
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be used: {error}")


def file_sha256(path: StrPath) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(str(path), "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def fingerprint(run: Run) -> str:
    """Return the SHA-256 of what weights and progress depend on: vocabulary, text, IMMUTABLE hyperparameters."""
    hyperparameters = {name: run.hyperparameters.get(name) for name in IMMUTABLE}
    if not hyperparameters["test_fraction"]:  # as in the records of versions that did not have it
        del hyperparameters["test_fraction"]
    fixed = ["".join(run.vocabulary.chars), run.text_sha256, run.text_encoding, hyperparameters]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()
