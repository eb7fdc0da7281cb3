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
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import List, NamedTuple, Optional

import numpy as np

import charrnn
from charrnn import files
from charrnn.data import Vocabulary
from charrnn.hyperparameters import FIXED

FORMAT_VERSION = 1
RUN_FILE = "run.json"
STAGE = ".saving"
LOCK_FILE = ".lock"
# What a kind of cell is called in the names of its variables.
CELL_SCOPES = {"lstm": "basic_lstm_cell", "gru": "gru_cell", "rnn": "basic_rnn_cell",
               "layer-norm-lstm": "layer_norm_basic_lstm_cell", "nas": "nas_cell"}
AVERAGE = "/ExponentialMovingAverage"  # how the name of a variable's running average ends


class CheckpointError(ValueError):
    """A checkpoint or run folder that is missing, damaged or not the one that was asked for."""


class NoCheckpointError(CheckpointError):
    """A run folder in which no checkpoint was saved yet."""


class Run(NamedTuple):
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


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        step: updates done; epoch and place in the text follow from it.
        lstm_state: float32 [num_layers, 2, N, L], c and h of each layer after that step; of cells that have h
            alone [num_layers, 1, N, L].
        epoch_losses: float32 array, the losses of the steps done in the current epoch.
        best_step: step of the best evaluation, 0 where there was none.
        best_loss: its validation loss, in nats per character.
        worse: evaluations since then.
    """

    step: int
    lstm_state: np.ndarray
    epoch_losses: np.ndarray
    best_step: int = 0
    best_loss: float = float("inf")
    worse: int = 0


class Checkpoint(NamedTuple):
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
    skipped: List[str] = []

    @property
    def name(self):
        """What to call it: its prefix."""
        return self.prefix


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
        "charrnn": charrnn.__version__,
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
        if not (run.best is None or isinstance(run.best, str) and _step_of(run.best)):
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
        return run_from_record(record)
    except ValueError as error:
        raise CheckpointError("{} cannot be used: {}".format(path, error))


def _step_of(name):
    """Return the step in a checkpoint's name; None for another name."""
    found = re.fullmatch(r"i(\d{1,18})_l\d+\.ckpt", name)
    return found and int(found.group(1))


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
    names = sorted((name for name in found if _step_of(name) is not None), key=_step_of)
    if suffix == ".json":
        # also those whose record was lost; a save that was cut short is not in the list
        names = sorted({*names, *(name for name in _names_in_list(folder) if _step_of(name) is not None)}, key=_step_of)
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


def check_whole(prefix):
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
    if fixed != _fixed_sha256(read_run(folder)):
        raise CheckpointError("{} does not belong to the vocabulary, text and sizes in {}".format(
            prefix, folder / RUN_FILE))
    for file, (size, sha256) in recorded.items():
        path = folder / file
        if not re.fullmatch(re.escape(name) + r"\.[\w.-]{1,50}", file):
            raise CheckpointError("{} is not whole: its record {}.json is damaged".format(prefix, name))
        if not path.is_file():
            raise CheckpointError("{} is not whole: {} is gone".format(prefix, file))
        if path.stat().st_size != size or _sha256(path) != sha256:
            raise CheckpointError("{} is not whole: {} is not as it was saved".format(prefix, file))


def is_whole(folder, name):
    """Return whether a folder has a checkpoint of a name, and it is whole."""
    try:
        check_whole(str(Path(folder) / name))
    except CheckpointError:
        return False
    return True


def _sha256(path):
    digest = hashlib.sha256()
    with open(str(path), "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def _fixed_sha256(run):
    """Return the SHA-256 of what the weights and the place in the text hang on."""
    fixed = ["".join(run.vocabulary.chars), run.text_sha256, run.text_encoding,
             {name: run.hyperparameters.get(name) for name in FIXED}]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def newest_whole(folder):
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
            check_whole(prefix)
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
        check_whole(prefix)
    elif Path(prefix + ".index").exists() or Path(prefix + ".json").exists():
        check_whole(prefix)
    else:  # then it is a folder, or nothing
        prefix, skipped = newest_whole(path)
    num_classes, lstm_size, num_layers, cell = _network_sizes(prefix)
    if vocabulary is None:
        run = run_of(prefix)
        if run is None:
            raise CheckpointError("{} has no {} beside it to tell its vocabulary: name its training text "
                                  "(--vocab-from)".format(prefix, RUN_FILE))
        vocabulary = run.vocabulary
    if len(vocabulary) != num_classes:
        raise CheckpointError("{} was trained on {} distinct characters, but the vocabulary given has {}".format(
            prefix, num_classes, len(vocabulary)))
    return Checkpoint(prefix, vocabulary, lstm_size, num_layers, cell, skipped)


def run_of(prefix):
    """Return the Run that a checkpoint belongs to; None for one of the notebook's own.

    Raises:
        CheckpointError: its ``run.json`` is damaged.
    """
    folder = Path(prefix).parent
    return read_run(folder) if (folder / RUN_FILE).exists() else None


def _network_sizes(prefix):
    """Return C, L, the number of layers and the kind of cell, read off a checkpoint's variables."""
    import tensorflow.compat.v1 as tf

    try:
        shapes = tf.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
    except tf.errors.OpError as error:
        raise CheckpointError("the checkpoint {} cannot be read: {}".format(prefix, _reason(error)))
    try:
        lstm_size, num_classes = shapes["softmax/Variable"]
    except (KeyError, ValueError):
        raise CheckpointError("{} is not a checkpoint of this network: it has no matrix softmax/Variable".format(
            prefix))
    layers = {re.match(r"rnn/multi_rnn_cell/cell_(\d+)/([^/]+)/", name) for name in shapes} - {None}
    scopes = {found.group(2) for found in layers}
    num_layers = len({found.group(1) for found in layers})
    cells = [cell for cell, scope in CELL_SCOPES.items() if scopes == {scope}]
    if not cells:
        raise CheckpointError("{} is not a checkpoint of this network: it has no LSTM layer".format(prefix))
    for layer in range(num_layers if cells == ["lstm"] else 0):
        kernel = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel".format(layer)
        expected = [(num_classes if layer == 0 else lstm_size) + lstm_size, 4 * lstm_size]
        if shapes.get(kernel) != expected:
            raise CheckpointError("{} is not a checkpoint of this network: {} has shape {}, not {}".format(
                prefix, kernel, shapes.get(kernel), expected))
    return num_classes, lstm_size, num_layers, cells[0]


def read_weights(prefix):
    """Read a checkpoint's weights; where it has running averages of them, those.

    Args:
        prefix: the prefix of a checkpoint that was opened.

    Returns:
        A dict from the name of a trainable variable to its values.

    Raises:
        CheckpointError: it is damaged.
    """
    import tensorflow.compat.v1 as tf

    try:
        reader = tf.train.NewCheckpointReader(prefix)
        there = reader.get_variable_to_shape_map()
        names = [name for name in there if re.match("rnn/|softmax/", name)
                 and not re.search(r"/(Adam|Adam_1|RMSProp|RMSProp_1|ExponentialMovingAverage)$", name)]
        return {name: reader.get_tensor(name + AVERAGE if name + AVERAGE in there else name) for name in names}
    except tf.errors.OpError as error:
        raise CheckpointError("the checkpoint {} cannot be read: {}".format(prefix, _reason(error)))


def load_weights(session, prefix):
    """Give the trainable variables of a session's graph the weights of a checkpoint.

    Raises:
        CheckpointError: it is damaged, or of another network.
    """
    import tensorflow.compat.v1 as tf

    weights = read_weights(prefix)
    with session.graph.as_default():
        for variable in tf.trainable_variables():
            try:
                variable.load(weights[variable.op.name], session)
            except KeyError:
                raise CheckpointError("{} is of another network: it has no {}".format(prefix, variable.op.name))
            except ValueError as error:
                raise CheckpointError("{} is of another network: {}: {}".format(prefix, variable.op.name, error))


def save(session, saver, folder, lstm_size, progress, run, max_to_keep=100):
    """Save a checkpoint: aside, flushed, then moved into place, its record last; then forget the oldest.

    Args:
        session: the tf.Session that holds the weights.
        saver: its Saver, made with ``max_to_keep=0``, for what is kept is decided here.
        folder: the run folder.
        lstm_size: L.
        progress: a Progress.
        run: the Run, with the best checkpoint that it has then; it is written down where that is this one.
        max_to_keep: checkpoints to keep, besides the best.

    Returns:
        The checkpoint's prefix.

    Raises:
        OSError: it could not be written; earlier checkpoints are untouched, and nothing of it is left behind.
    """
    import tensorflow.compat.v1 as tf

    prefix = checkpoint_prefix(folder, progress.step, lstm_size)
    name, folder = Path(prefix).name, Path(folder)
    stage, moved = folder / STAGE, []
    try:
        remove_leftovers(folder)
        stage.mkdir()
        content = io.BytesIO()  # for a ZipFile that cannot write to the disk complains once more when it goes
        np.savez(content, **progress._asdict())
        (stage / (name + ".progress.npz")).write_bytes(content.getvalue())
        saver.save(session, str(stage / name), write_state=False)
        written = sorted(path.name for path in stage.iterdir())
        for each in written:
            files.flush(stage / each)
        record = {"format": FORMAT_VERSION, "step": progress.step, "run_sha256": _fixed_sha256(run),
                  "files": {each: {"bytes": (stage / each).stat().st_size, "sha256": _sha256(stage / each)}
                            for each in written}}
        files.write_whole(stage / (name + ".json"), (json.dumps(record, indent=2) + "\n").encode())
        for each in [*written, name + ".json"]:
            os.replace(str(stage / each), str(folder / each))
            moved.append(folder / each)
        files.flush(folder)
    except (tf.errors.OpError, ValueError, OSError) as error:
        for path in moved:
            with contextlib.suppress(OSError):
                path.unlink()
        raise OSError("the checkpoint {} could not be saved: {}".format(
            prefix, getattr(error, "strerror", None) or _reason(error)))
    finally:
        with contextlib.suppress(OSError):
            remove_leftovers(folder)
    with contextlib.suppress(OSError):  # saved it is; the next save makes good what could not be done here
        _write_list(folder)
        if read_run(folder).best != run.best:
            write_run(folder, run)  # before the best so far is forgotten
        _forget(folder, progress.step, max_to_keep, run.best)
    return prefix


def remove_leftovers(folder):
    """Remove what a save that was cut short has left in a run folder. Only for the holder of its lock."""
    if (Path(folder) / STAGE).is_dir():
        shutil.rmtree(str(Path(folder) / STAGE))
    for name in (RUN_FILE, "checkpoint"):
        files.remove_leftovers(Path(folder) / name)


def _write_list(folder):
    """Write TensorFlow's list of the checkpoints, which the notebook's own way of restoring reads."""
    names = _recorded(folder)
    lines = ['model_checkpoint_path: "{}"'.format(names[-1])]
    lines += ['all_model_checkpoint_paths: "{}"'.format(name) for name in names]
    files.write_whole(folder / "checkpoint", ("\n".join(lines) + "\n").encode())


def _recorded(folder):
    """Return the names of the checkpoints that have a record."""
    return [Path(prefix).name for prefix in list_checkpoints(folder) if Path(prefix + ".json").exists()]


def _forget(folder, step, max_to_keep, best):
    """Remove all checkpoints but the newest and the best; the record last, so that a cut is made good later.

    Those of later steps than the one just saved are broken, for training has gone back behind them: they stand for
    nothing, and are not counted.
    """
    names = _recorded(folder)
    forgotten = [name for name in names if _step_of(name) <= step][:-max_to_keep]
    forgotten = [name for name in forgotten if name != best]
    for name in forgotten:
        for path in sorted(folder.glob(name + ".*"), key=lambda path: path.suffix == ".json"):
            path.unlink()
    if forgotten:
        _write_list(folder)


def read_progress(prefix, state_shape):
    """Read the progress that stands beside a checkpoint.

    Args:
        prefix: the checkpoint's prefix.
        state_shape: expected shape of the LSTM state.

    Returns:
        A Progress.

    Raises:
        CheckpointError: it is missing, damaged or of another shape.
    """
    path = prefix + ".progress.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            progress = Progress(int(arrays["step"]), arrays["lstm_state"], arrays["epoch_losses"],
                                int(arrays["best_step"]), float(arrays["best_loss"]), int(arrays["worse"]))
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
