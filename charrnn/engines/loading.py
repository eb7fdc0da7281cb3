"""What the commands need of a model: the arguments that name it, and its training text."""
import argparse
import contextlib
import json
import math
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

from charrnn.checkpoints import folders, record
from charrnn.checkpoints.folders import KNOWN_MODELS
from charrnn.checkpoints.record import TEXT_FILE, RunRecord
from charrnn.data import StrPath, Vocabulary, load_text, split
from charrnn.engines.opened_model import Model, is_model_file, open_model
from charrnn.engines.surprisal import surprisal
from charrnn.system import console, files
from charrnn.text import corpus, lists

MODEL_HELP = (f"a known model ({', '.join(KNOWN_MODELS)}), a run folder for its newest checkpoint, a checkpoint, or an "
              f"exported .npz file (default: the newest run trained without --checkpoint-dir, or {KNOWN_MODELS[0]})")

ORDER_LOOK = 1000  # characters of a text that show whether a vocabulary has the order of the ids


def is_model(path: StrPath) -> bool:
    """Return whether a path is a model, by its name and its files."""
    path = Path(path)
    return is_model_file(path) or path.name.endswith(".ckpt") or record.is_run(path)


def read_text(name: str, encoding: Optional[str] = None) -> corpus.Text:
    """Read a text that an argument names, and report the files of a folder that are skipped."""
    text = corpus.read(name, encoding or "utf-8")
    console.print_skipped(text.skipped)
    return text


class TrainingText(NamedTuple):
    """The parts of a text that a model was trained on, and the SHA-256 of the whole."""

    training: str
    held_out: str
    test: str
    sha256: str


def training_text(run: Optional[RunRecord], name: Optional[str] = None, encoding: Optional[str] = None,
                  flag: str = "--train-text") -> TrainingText:
    """Read the text that a model was trained on, and divide it as the training did.

    Args:
        run: the run that the model comes from, if known.
        name: a path or a known name; None for the text in the run folder, or the known text that the run names.
        encoding: encoding of a text given by its path; None for UTF-8.
        flag: the flag that names the text, for messages.

    Raises:
        ValueError: the text cannot be read.
    """
    if name is not None:
        return divide(read_text(name, encoding), run)
    if run and run.folder:
        return divide(corpus.Text(run.text_name, record.read_text(run)), run)
    if run and run.text_name in (*corpus.KNOWN_TEXTS, corpus.NAMES):
        return divide(corpus.read(run.text_name), run)
    raise ValueError(f"the model has no training text with it: name the text with {flag}")


def divide(text: corpus.Text, run: Optional[RunRecord]) -> TrainingText:
    """Divide a training text as a run does. Nothing is held out if there is no run or if its text is another one."""
    own = lists.text_of(run, text.text) if run else None
    if run and own is not None:
        fractions = [run.hyperparameters.get(name, 0) for name in ("val_fraction", "test_fraction")]
        return TrainingText(*split(own, *fractions), run.text_sha256)
    return TrainingText(text.text, "", "", record.text_sha256(text.text))


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument("--best", action="store_true",
                        help="in a run folder, use the checkpoint with the lowest validation loss")
    add_vocabulary_arguments(parser)
    parser.add_argument("--encoding", metavar="NAME",
                        help="encoding of texts given by their path (default: utf-8)")


def add_vocabulary_arguments(group: Any) -> None:
    """Add the options that give the vocabulary of a checkpoint of the notebook; :func:`open_given` reads them."""
    either = group.add_mutually_exclusive_group()
    either.add_argument("--vocab-from", metavar="TEXT",
                        help="the text (a path or a known name) that a checkpoint of the notebook was trained on; such "
                             "a checkpoint does not record its vocabulary")
    either.add_argument("--vocab-order", metavar="FILE",
                        help="for a checkpoint of the notebook whose characters are not sorted: a JSON file with the "
                             "list of its characters in the order of their ids")


def open_given(path: StrPath, args: argparse.Namespace, best: bool = False) -> Model:
    """Open a model with the vocabulary that the arguments give, and report what is wrong with it."""
    text = None if args.vocab_from is None else read_text(args.vocab_from, args.encoding).text
    given = read_order(args.vocab_order) if args.vocab_order else Vocabulary.from_text(text) if text else None
    model = open_model(path, given, best=best)
    console.print_skipped(model.skipped)
    if args.vocab_order is None:
        doubt_order(model, text)
    return model


def read_order(path: StrPath) -> Vocabulary:
    """Read a vocabulary from a file: a JSON list of its characters in the order of their ids."""
    try:
        found = json.loads(files.read(path))  # in UTF-8, UTF-16 or UTF-32, perhaps with a byte order mark
        return Vocabulary(found if isinstance(found, list) else ())
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is not a JSON list of distinct characters in the order of their ids")


def doubt_order(model: Model, text: Optional[str] = None) -> None:
    """Print a note if a model of the notebook predicts its text worse than guessing, in the order that was assumed.

    Args:
        model: the model.
        text: the text that the vocabulary was taken from; None for the one next to the checkpoint.
    """
    beside = Path(model.name).with_name(TEXT_FILE)
    if model.run or text is None and (is_model_file(model.name) or not beside.is_file()):
        return
    ids = model.vocabulary.encode((load_text(beside) if text is None else text)[:ORDER_LOOK])
    guess = math.log(len(model.vocabulary))
    if len(ids) > 1:
        with contextlib.closing(model.engine()) as engine:
            nats = float(np.mean(surprisal(engine, ids)))
        if nats > guess + 0.1:  # a network that was not trained guesses
            console.print_note(
                f"{model.name} predicts its text worse than guessing ({nats:.2f} nats, ln C is {guess:.1f}): its "
                "characters may be in another order. Give that order with --vocab-order FILE, a JSON list, or in "
                "Python with vocabulary=")


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path with the options of a script, and report the checkpoints that were skipped.

    None stands for the newest run without a name that has a checkpoint, or else the first known model. A line says
    which one it is.
    """
    values = vars(args)  # a command that has a part takes a TEXT without one
    if args.encoding and values.get("part", "") is not None and not any(
            values.get(name) for name in ("vocab_from", "train_text", "text")):
        raise ValueError("--encoding has no effect, because no text is named")
    run = folders.newest_with_checkpoint() if path is None else None
    place = (run or KNOWN_MODELS[0]) if path is None else path
    model = open_given(place, args, args.best)
    if run:
        console.print_note(
            f"using {model.name}, of the newest run; name {KNOWN_MODELS[0]} for the model that comes with charrnn")
    elif path is None:
        console.print_note(f"using {model.name}, a model that comes with charrnn; name a run folder for another")
    return model
