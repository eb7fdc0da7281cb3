"""The run folder: what stands beside the weights, and how a run is found, saved and resumed.

A run folder holds one training run::

    run.json                        hyperparameters, vocabulary, the text's name and SHA-256
    i{step}_l{lstm_size}.ckpt.*     weights and Adam's slots, as the notebook's Saver writes them
    i{step}_l{lstm_size}.ckpt.progress.npz   step, LSTM state and the epoch's losses so far
    checkpoint                      TensorFlow's list of the checkpoints, with paths relative to the folder

All paths are relative, so a folder that is moved or renamed still works. A folder written by the notebook
has no ``run.json`` and no progress: it can be sampled from when its vocabulary is given.
"""
import io
import json
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

import charrnn
from charrnn import files
from charrnn.data import Vocabulary

FORMAT_VERSION = 1
RUN_FILE = "run.json"


class CheckpointError(ValueError):
    """A checkpoint or run folder that is missing, damaged or not the one that was asked for."""


class NoCheckpointError(CheckpointError):
    """A run folder in which no checkpoint was saved yet."""


class Run(NamedTuple):
    """What a run was started with.

    Attributes:
        hyperparameters: dict from name to number, bool or None.
        vocabulary: a Vocabulary.
        text_name: the known name or path of the training text.
        text_sha256: hexadecimal SHA-256 of its bytes.
        text_encoding: the encoding of those bytes.
    """

    hyperparameters: dict
    vocabulary: Vocabulary
    text_name: str
    text_sha256: str
    text_encoding: str


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        step: updates done; epoch and place in the text follow from it.
        lstm_state: float32 [num_layers, 2, N, L], c and h of each layer after that step.
        epoch_losses: float32 array, the losses of the steps done in the current epoch.
    """

    step: int
    lstm_state: np.ndarray
    epoch_losses: np.ndarray


class Checkpoint(NamedTuple):
    """A checkpoint that a network can be built for.

    Attributes:
        prefix: path of its files without their last suffixes, as a Saver takes it.
        vocabulary: a Vocabulary of C characters.
        lstm_size: L, from the shapes of its variables.
        num_layers: from the names of its variables.
    """

    prefix: str
    vocabulary: Vocabulary
    lstm_size: int
    num_layers: int


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


def write_run(folder, run):
    """Write ``run.json``, making the folder if need be.

    Raises:
        OSError: the folder cannot be made or written.
    """
    record = {
        "format": FORMAT_VERSION,
        "charrnn": charrnn.__version__,
        "hyperparameters": run.hyperparameters,
        "vocabulary": "".join(run.vocabulary.chars),
        "text": {"name": run.text_name, "sha256": run.text_sha256, "encoding": run.text_encoding},
    }
    content = (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        files.write_whole(Path(folder) / RUN_FILE, content)
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
        if record["format"] != FORMAT_VERSION:
            raise ValueError("it has format {!r}, and this charrnn reads format {}".format(
                record["format"], FORMAT_VERSION))
        run = Run(dict(record["hyperparameters"]), Vocabulary(record["vocabulary"]), str(record["text"]["name"]),
                  str(record["text"]["sha256"]), str(record["text"]["encoding"]))
        for name, value in run.hyperparameters.items():
            if not (value is None or type(value) in (int, float, bool)):
                raise ValueError("{} is {!r}".format(name, value))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError("{} cannot be used: {}: {}".format(path, type(error).__name__, error))
    return run


def list_checkpoints(folder):
    """Return the prefixes of a folder's checkpoints, the newest last.

    They are those that TensorFlow's list names; where that list is missing or damaged, those that are there, by
    their steps.

    Raises:
        CheckpointError: the folder is missing; NoCheckpointError, which is one: it has no checkpoint.
    """
    check_name(folder)
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError("there is no file or folder {}: train first (charrnn-train)".format(folder))
    by_step = {}
    for path in folder.glob("*.ckpt.index"):
        numbers = re.fullmatch(r"i(\d+)_l\d+\.ckpt\.index", path.name)
        if numbers:
            by_step[path.name[:-len(".index")]] = int(numbers.group(1))
    try:
        listed = re.findall(r'^all_model_checkpoint_paths: "(?:.*[/\\])?(.+)"$',
                            (folder / "checkpoint").read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        listed = []
    # only the names count: a folder that was moved may still list the place where it was written
    names = listed or sorted(by_step, key=by_step.get)
    if not names:
        raise NoCheckpointError("there is no checkpoint in {}".format(folder))
    return [str(folder / name) for name in names]


def latest_checkpoint(folder):
    """Return the prefix of a folder's newest checkpoint.

    Raises:
        CheckpointError: the folder is missing, or has no checkpoint, or its newest one is gone.
    """
    *others, newest = list_checkpoints(folder)
    if not Path(newest + ".index").exists():
        there = [prefix for prefix in others if Path(prefix + ".index").exists()]
        raise CheckpointError("{}, the newest checkpoint of {}, is gone; {}".format(
            newest, folder, "there is still " + there[-1] if there else "there is no other"))
    return newest


def open_checkpoint(path, vocabulary=None):
    """Find a checkpoint and learn what is needed to build its network.

    Args:
        path: a run folder (its newest checkpoint is meant), a checkpoint's prefix, or one of its files.
        vocabulary: a Vocabulary; None for that of the folder's ``run.json``.

    Returns:
        A Checkpoint.

    Raises:
        CheckpointError: it is missing or damaged, is not a charrnn or notebook checkpoint, has no vocabulary, or
            one of another size.
    """
    prefix = re.sub(r"(\.ckpt)\.(index|meta|data-\d+-of-\d+|progress\.npz)$", r"\1", str(path))
    if not Path(prefix + ".index").exists():  # then it is a folder, or nothing
        prefix = latest_checkpoint(path)
    num_classes, lstm_size, num_layers = _network_sizes(prefix)
    if vocabulary is None:
        folder = Path(prefix).parent
        if not (folder / RUN_FILE).exists():
            raise CheckpointError("{} has no {} beside it to tell its vocabulary: name its training text "
                                  "(--vocab-from)".format(prefix, RUN_FILE))
        vocabulary = read_run(folder).vocabulary
    if len(vocabulary) != num_classes:
        raise CheckpointError("{} was trained on {} distinct characters, but the vocabulary given has {}".format(
            prefix, num_classes, len(vocabulary)))
    return Checkpoint(prefix, vocabulary, lstm_size, num_layers)


def _network_sizes(prefix):
    """Return C, L and the number of layers, read off the names and shapes of a checkpoint's variables."""
    import tensorflow.compat.v1 as tf

    check_name(prefix)
    try:
        shapes = tf.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
    except tf.errors.OpError as error:
        raise CheckpointError("the checkpoint {} cannot be read: {}".format(prefix, _reason(error)))
    try:
        lstm_size, num_classes = shapes["softmax/Variable"]
    except (KeyError, ValueError):
        raise CheckpointError("{} is not a checkpoint of this network: it has no matrix softmax/Variable".format(
            prefix))
    kernel = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel"
    num_layers = sum(bool(re.fullmatch(kernel.format(r"\d+"), name)) for name in shapes)
    for layer in range(num_layers):
        expected = [(num_classes if layer == 0 else lstm_size) + lstm_size, 4 * lstm_size]
        if shapes.get(kernel.format(layer)) != expected:
            raise CheckpointError("{} is not a checkpoint of this network: {} has shape {}, not {}".format(
                prefix, kernel.format(layer), shapes.get(kernel.format(layer)), expected))
    if not num_layers:
        raise CheckpointError("{} is not a checkpoint of this network: it has no LSTM layer".format(prefix))
    return num_classes, lstm_size, num_layers


def save(session, saver, folder, lstm_size, progress):
    """Save a checkpoint: first the progress, then the weights, then the name that announces them.

    Args:
        session: the tf.Session that holds the weights.
        saver: its Saver, made with ``save_relative_paths=True``.
        folder: the run folder.
        lstm_size: L.
        progress: a Progress.

    Returns:
        The checkpoint's prefix.

    Raises:
        OSError: it could not be written; earlier checkpoints are untouched.
    """
    import tensorflow.compat.v1 as tf

    prefix = checkpoint_prefix(folder, progress.step, lstm_size)
    buffer = io.BytesIO()
    np.savez(buffer, **progress._asdict())
    files.write_whole(prefix + ".progress.npz", buffer.getvalue())
    try:
        saver.save(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise OSError("the checkpoint {} could not be saved: {}".format(prefix, _reason(error)))
    _forget_progress(folder)
    return prefix


def _forget_progress(folder):
    """Remove the progress of those checkpoints that the Saver has removed (its max_to_keep)."""
    for path in Path(folder).glob("i*_l*.ckpt.progress.npz"):
        if not Path(str(path)[:-len(".progress.npz")] + ".index").exists():
            path.unlink()


def read_progress(prefix, state_shape):
    """Read the progress that stands beside a checkpoint.

    Args:
        prefix: the checkpoint's prefix.
        state_shape: expected shape of the LSTM state, (num_layers, 2, N, L).

    Returns:
        A Progress.

    Raises:
        CheckpointError: it is missing, damaged or of another shape.
    """
    path = prefix + ".progress.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            progress = Progress(int(arrays["step"]), arrays["lstm_state"], arrays["epoch_losses"])
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError("{} cannot be resumed from: its progress cannot be read ({})".format(prefix, error))
    if Path(prefix).name.split("_")[0] != "i{}".format(progress.step):
        raise CheckpointError("{} cannot be resumed from: its progress is that of step {}".format(
            prefix, progress.step))
    if progress.lstm_state.shape != tuple(state_shape):
        raise CheckpointError("{} cannot be resumed from: its LSTM state has shape {}, not {}".format(
            prefix, progress.lstm_state.shape, tuple(state_shape)))
    return progress


def restore(session, saver, prefix):
    """Restore variables from a checkpoint.

    Args:
        session: a tf.Session.
        saver: a Saver of the variables wanted.
        prefix: the checkpoint's prefix.

    Raises:
        CheckpointError: it is missing or damaged, or has other variables or shapes.
    """
    import tensorflow.compat.v1 as tf

    try:
        saver.restore(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise CheckpointError("the checkpoint {} cannot be restored: {}".format(prefix, _reason(error)))


def _reason(error):
    """Return the line of a TensorFlow error that says what is wrong, without its advice and traces."""
    message = getattr(error, "message", str(error))
    return message.split("Original error:")[-1].strip().split("\n")[0]
