"""The run folder: what stands beside the weights, and how a run is found, saved and resumed.

A run folder holds one training run::

    run.json                        hyperparameters, vocabulary, the text's name and SHA-256, the best checkpoint
    i{step}_l{lstm_size}.ckpt.*     weights and the optimizer's slots, as the notebook's Saver writes them
    i{step}_l{lstm_size}.ckpt.progress.npz   step, LSTM state, the epoch's losses, the evaluations so far
    i{step}_l{lstm_size}.ckpt.json  sizes and SHA-256 of those files: with it, the checkpoint is whole
    checkpoint                      TensorFlow's list of the checkpoints, with paths relative to the folder

A checkpoint is written into the folder ``.saving`` and moved from there, its record last; what a record does not
confirm is not used. ``.lock`` is held by the process that trains. All paths are relative, so a folder that is
moved or renamed still works. A folder written by the notebook has no ``run.json``, no records and no progress: it
can be sampled from when its vocabulary is given.
"""
import hashlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

from charrnn.data import Vocabulary
from charrnn.system import files
from charrnn.version import __version__

# What a resumed run may not change, for its weights, its state or its place in the text hang on it.
IMMUTABLE = ("batch_size", "num_steps", "lstm_size", "num_layers", "seed", "cell", "optimizer", "average_decay",
             "val_fraction")
FORMAT_VERSION = 1
RUN_FILE = "run.json"
STAGE = ".saving"
LOCK_FILE = ".lock"


class CheckpointError(ValueError):
    """A checkpoint or run folder that is missing, damaged or not the one that was asked for."""


class NoCheckpointError(CheckpointError):
    """A run folder in which no checkpoint was saved yet."""


@dataclass(frozen=True)
class Run:
    """What a run was started with.

    Attributes:
        hyperparameters: dict from name to number, str, bool or None.
        vocabulary: a Vocabulary.
        text_name: the known name or path of the training text.
        text_sha256: hexadecimal SHA-256 of its bytes.
        text_encoding: the encoding of those bytes.
        best: name of the checkpoint with the lowest validation loss, where there is one.
        init_from: the checkpoint whose weights it was started from, where there was one.
    """

    hyperparameters: dict
    vocabulary: Vocabulary
    text_name: str
    text_sha256: str
    text_encoding: str
    best: Optional[str] = None
    init_from: Optional[str] = None


def checkpoint_prefix(folder, step, lstm_size):
    """Return the notebook's name for a checkpoint: ``folder/i{step}_l{lstm_size}.ckpt``, a str."""
    return str(Path(folder) / "i{}_l{}.ckpt".format(step, lstm_size))


def check_name(path):
    r"""Raise CheckpointError where TensorFlow could not handle a path: it takes some characters for patterns.

    Args:
        path: of a run folder or a checkpoint.
    """
    refused = set(str(path)) & (set("*?[") | (set() if os.sep == "\\" else {"\\"}))
    try:
        str(path).encode("utf-8")
    except UnicodeError:
        refused.add("bytes that are not UTF-8")
    if refused:
        raise CheckpointError("{!r} cannot be the name of a checkpoint or its folder: TensorFlow does not take {} "
                              "literally".format(str(path), " or ".join(sorted(refused))))


def check_unused(folder):
    """Raise CheckpointError where a folder already holds a run, this package's or the notebook's."""
    check_name(folder)
    folder = Path(folder)
    if (folder / RUN_FILE).exists() or (folder / "checkpoint").exists() or any(folder.glob("*.ckpt.*")):
        raise CheckpointError(
            "{} holds another run: go on with that one (--resume), or name another folder "
            "(--checkpoint-dir)".format(folder))


def record_of(run):
    """Return the content of ``run.json``: a dict that JSON can hold."""
    return {
        "format": FORMAT_VERSION,
        "charrnn": __version__,
        "hyperparameters": run.hyperparameters,
        "vocabulary": "".join(run.vocabulary.chars),
        "text": {"name": run.text_name, "sha256": run.text_sha256, "encoding": run.text_encoding},
        "best": run.best,
        "init_from": run.init_from,
    }


def run_from_record(record):
    """Return the Run of what :func:`record_of` made.

    Raises:
        ValueError: it is something else, or a newer charrnn wrote it.
    """
    try:
        if record["format"] != FORMAT_VERSION:
            raise ValueError("it has format {!r}, and this charrnn reads format {}".format(
                record["format"], FORMAT_VERSION))
        run = Run(dict(record["hyperparameters"]), Vocabulary(record["vocabulary"]), str(record["text"]["name"]),
                  str(record["text"]["sha256"]), str(record["text"]["encoding"]), record["best"],
                  record["init_from"])
        for name, value in run.hyperparameters.items():
            if not (value is None or type(value) in (int, float, bool, str)):
                raise ValueError("{} is {!r}".format(name, value))
        if not (run.best is None or isinstance(run.best, str) and step_of(run.best)):
            raise ValueError("best is {!r}".format(run.best))
        if not (run.init_from is None or isinstance(run.init_from, str)):
            raise ValueError("init_from is {!r}".format(run.init_from))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("{}: {}".format(type(error).__name__, error))
    return run


def write_run(folder, run):
    """Write ``run.json``, making the folder if need be.

    Raises:
        OSError: the folder cannot be made or written.
    """
    content = (json.dumps(record_of(run), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        files.write_atomically(Path(folder) / RUN_FILE, content)
    except OSError as error:
        raise OSError("the folder {} cannot be written: {}".format(folder, error.strerror or error))


def read_run(folder):
    """Read ``run.json``.

    Returns:
        A Run.

    Raises:
        CheckpointError: the folder has none, it is damaged, or a newer charrnn wrote it.
    """
    path = Path(folder) / RUN_FILE
    try:
        record = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except OSError as error:
        raise CheckpointError("there is no run in {}: cannot read {} ({})".format(
            folder, path, error.strerror or error))
    except (ValueError, RecursionError) as error:
        raise CheckpointError("{} is damaged: {}".format(path, error))
    try:
        return run_from_record(record)
    except ValueError as error:
        raise CheckpointError("{} cannot be used: {}".format(path, error))


def step_of(name):
    """Return the step in a checkpoint's name; None for another name."""
    found = re.fullmatch(r"i(\d{1,18})_l\d+\.ckpt", name)
    return found and int(found.group(1))


def file_sha256(path):
    digest = hashlib.sha256()
    with open(str(path), "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def fingerprint(run):
    """Return the SHA-256 of what the weights and the place in the text hang on."""
    fixed = ["".join(run.vocabulary.chars), run.text_sha256, run.text_encoding,
             {name: run.hyperparameters.get(name) for name in IMMUTABLE}]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


# transition
Run._replace = replace
