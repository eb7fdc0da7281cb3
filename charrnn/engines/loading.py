"""Opening a model: a checkpoint or an exported model, the engine that runs it, and its training text."""
import argparse
import importlib.util
import math
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Union

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import Checkpoint, CheckpointError, Run
from charrnn.data import StrPath, Vocabulary, split
from charrnn.engines import Engine
from charrnn.engines.exported import ExportedModel, from_checkpoint, is_exported, read_npz, weights_of
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.system import console
from charrnn.text import corpus

DEFAULT_FOLDER = "checkpoints"
SHIPPED_MODEL = "checkpoints/anna.npz"
MODEL_HELP = ("a checkpoint, a run folder for its newest checkpoint, or an exported .npz file (default: "
              f"{DEFAULT_FOLDER}, or {SHIPPED_MODEL} if there is no run yet)")

# Pairs: the largest number of texts at once, and how many characters, in all texts together, the graph needs to be
# faster than NumPy.
# Measured by benchmarks/bench.py generation; docs/speed.md has the figures.
GRAPH_PAYS = ((1, math.inf), (3, 36_000), (math.inf, 15_000))

Model = Union[Checkpoint, ExportedModel]


def open_model(path: StrPath, vocabulary: Optional[Vocabulary] = None, *, best: bool = False) -> Model:
    """Open a checkpoint or an exported model.

    Args:
        path: a run folder, a checkpoint, or a ``.npz`` file that ``charrnn-export`` wrote.
        vocabulary: the characters of a checkpoint of the notebook, which does not record them.
        best: take the checkpoint of a run folder that has the lowest validation loss.

    Raises:
        CheckpointError: the model is missing or damaged, ``best`` is given for a file, or ``vocabulary`` differs
            from the one that the model records.
    """
    if Path(path).is_file() and not is_exported(path) and ".ckpt" not in Path(path).name:
        models = find_models()
        raise CheckpointError(f"{path} is not a model" + (
            f"; models here: {console.listed(models)}" if models else ": name a run folder or an exported .npz file"))
    if not is_exported(path):
        return checkpoints.open_checkpoint(path, vocabulary, best=best)
    if best:
        raise CheckpointError(f"--best needs the folder of a run, and {path} is no folder")
    model = read_npz(path)
    checkpoints.check_same_vocabulary(model.name, model.vocabulary, vocabulary)
    return model


def read_weights(model: Model) -> Dict[str, np.ndarray]:
    """Return the weights of a model by the names of the trainable variables."""
    return weights_of(model) if isinstance(model, ExportedModel) else model.weights


def load_engine(model: Model, texts: int = 1, characters: int = 0) -> Engine:
    """Make the engine that runs a model. This is the only place that chooses between engines.

    Args:
        model: from :func:`open_model`.
        texts: texts that are written or read at once.
        characters: how many characters that will be, in all texts together; 0 if not known.

    Raises:
        CheckpointError: the checkpoint has the weights of another network.
    """
    if isinstance(model, ExportedModel):
        return NumpyLSTM(model)
    if model.cell == "lstm" and not _pays_to_build_a_graph(texts, characters):
        return NumpyLSTM(from_checkpoint(model))
    from charrnn.engines.graph import GraphEngine
    engine = GraphEngine(model.vocabulary, model.lstm_size, model.num_layers, model.cell)
    try:
        engine.load(model.weights)
    except ValueError as error:
        raise CheckpointError(f"the checkpoint {model.prefix} cannot be used: {error}")
    return engine


def _pays_to_build_a_graph(texts: int, characters: int) -> bool:
    """Return whether the graph saves more time than TensorFlow's import and the building of the graph take."""
    least = next(value for limit, value in GRAPH_PAYS if texts <= limit)
    return characters >= least and importlib.util.find_spec("tensorflow") is not None


def find_models() -> List[str]:
    """Return the run folders and exported models in this folder and in ``checkpoints``."""
    found = {str(path.parent) for pattern in ("run.json", "*/run.json") for path in Path(DEFAULT_FOLDER).glob(pattern)}
    found |= {str(path) for folder in (".", DEFAULT_FOLDER) for path in Path(folder).glob("*.npz")}
    return sorted(found)


def is_model(path: StrPath) -> bool:
    """Tell by its name and its files whether a path is a model."""
    path = Path(path)
    return is_exported(path) or path.name.endswith(".ckpt") or checkpoints.is_run(path)


def default_model() -> str:
    """Return the model to use if none is named: the run in ``checkpoints``, or else the model of the checkout."""
    folder = Path(DEFAULT_FOLDER)
    if (folder / checkpoints.RUN_FILE).exists() or (folder / "checkpoint").exists() or not Path(
            SHIPPED_MODEL).exists():
        return DEFAULT_FOLDER
    console.print_note(f"using {SHIPPED_MODEL}, because there is no run in {DEFAULT_FOLDER} yet")
    return SHIPPED_MODEL


class TrainingText(NamedTuple):
    """The parts of a text that a model was trained on, and the SHA-256 of its bytes."""

    training: str
    held_out: str
    test: str
    sha256: str


def training_text(run: Optional[Run], name: Optional[str] = None, encoding: str = "utf-8",
                  flag: str = "--train-text") -> TrainingText:
    """Read the text that a model was trained on, and divide it as for the training.

    Args:
        run: the run that the model comes from, if known.
        name: a path or a known name; None for the text that the run names.
        encoding: encoding of a text given by its path.
        flag: the flag that names the text, for messages.

    Raises:
        ValueError: the text cannot be read, or has changed since the training.
    """
    if name is not None:
        found = corpus.read(name, encoding)
    elif run:
        if corpus.STANDARD_INPUT in (run.text_name, *(run.text_parts or {"names": ()})["names"]):
            raise ValueError(f"the model was trained on standard input: name its text with {flag}")
        found = read_text_of(run)
    else:
        raise ValueError(f"the model does not record its training text: name it with {flag}")
    return divide(found, run)


def divide(text: corpus.Text, run: Optional[Run]) -> TrainingText:
    """Divide a training text as a run does. Nothing is held out without a run, or of another text than the run's."""
    fractions = [run.hyperparameters.get(name, 0) if run and text.sha256 == run.text_sha256 else 0
                 for name in ("val_fraction", "test_fraction")]
    return TrainingText(*split(text.text, *fractions), text.sha256)


def read_text_of(run: Run) -> corpus.Text:
    """Read the text that a run names.

    Raises:
        ValueError: the text cannot be read, or has changed since the training.
    """
    return corpus.read_again(run.text_name, run.text_encoding, run.text_sha256, run.text_parts, run.text_sizes)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument("--best", action="store_true",
                        help="of a folder, use the checkpoint with the lowest validation loss")
    parser.add_argument("--vocab-from", metavar="TEXT", default=None,
                        help="the text that a checkpoint of the notebook was trained on, a path or a known name: "
                             "its characters are the vocabulary, which such a checkpoint does not record")
    parser.add_argument("--encoding", metavar="NAME", default="utf-8",
                        help="encoding of texts given by their path (default: utf-8)")


def vocabulary_from(args: argparse.Namespace) -> Optional[Vocabulary]:
    """Return the vocabulary of the text that ``--vocab-from`` names, or None."""
    if args.vocab_from is None:
        return None
    return Vocabulary.from_text(corpus.read(args.vocab_from, args.encoding or "utf-8").text)


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path as the options of a script say, and report the checkpoints that were skipped.

    A path of None stands for :func:`default_model`.
    """
    model = open_model(default_model() if path is None else path, vocabulary_from(args), best=args.best)
    console.print_skipped(model.skipped)
    return model
