"""How a command opens what its arguments name: a model, its vocabulary, and texts."""

import argparse
import contextlib
import json
import re
from pathlib import Path
from typing import Any, Optional

from charrnn.checkpoints import record
from charrnn.checkpoints.find import DEFAULT_MODEL, is_model_file, newest_with_checkpoint
from charrnn.data import StrPath, Vocabulary
from charrnn.engines.opening import open_model
from charrnn.engines.trained_model import Model
from charrnn.system import terminal
from charrnn.text import corpus

MODEL_HELP = (
    "a known model (anna, tiny-shakespeare, or a language such as german: charrnn-sample --list tells them), a run "
    "folder for its newest checkpoint, a checkpoint, or an exported .npz file (default: the newest run trained without "
    f"--checkpoint-dir, or {DEFAULT_MODEL})"
)


def is_model(path: StrPath) -> bool:
    """Return whether a path is a model, by its name and its files."""
    if is_model_file(path) or record.is_run(path) or record.is_of_notebook(Path(path)):
        return True
    return re.search(r"\.ckpt(-\d+)?$", Path(path).name) is not None


def read_named(name: str, args: argparse.Namespace) -> corpus.Text:
    """Return a text that an argument names, and report the files of a folder that are skipped.

    A text that two arguments name is read once: standard input has no more, and a report is enough.
    """
    texts = vars(args).setdefault("texts", {})
    if name not in texts:
        texts[name] = corpus.read(name)
        terminal.print_skipped(texts[name].skipped)
    return texts[name]


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument(
        "--best",
        action="store_true",
        help="in a run folder, use the checkpoint with the lowest validation loss",
    )
    add_vocabulary_argument(parser)


def add_vocabulary_argument(group: Any) -> None:
    """Add the option that gives the vocabulary of a checkpoint of the notebook; :func:`open_at` reads it."""
    group.add_argument(
        "--vocab-from",
        metavar="TEXT",
        help="the text (a path or a known name) that a checkpoint of the notebook was trained on, which does not "
        "record its vocabulary; or, if its characters are not sorted, a .json file with the list of them in the order "
        "of their ids",
    )


def open_at(path: StrPath, args: argparse.Namespace, best: bool = False) -> Model:
    """Open the model at a path, with the vocabulary that the arguments give, and report what is wrong with it."""
    vocabulary = None
    text_name = text_of_vocabulary(args)
    if text_name is not None:
        vocabulary = Vocabulary.from_text(read_named(text_name, args).text)
    elif args.vocab_from is not None:
        vocabulary = read_order(args.vocab_from)

    model = open_model(path, vocabulary, best=best)
    terminal.print_skipped(model.skipped)
    return model


def text_of_vocabulary(args: argparse.Namespace) -> Optional[str]:
    """Return the text that ``--vocab-from`` names; None if it names none, or has the order of the characters."""
    name = args.vocab_from
    if name is None or name.endswith(".json"):
        return None
    return str(name)


def read_order(path: StrPath) -> Vocabulary:
    """Read a vocabulary from a file: a JSON list of its characters in the order of their ids."""
    # A Vocabulary refuses what is no character, or is repeated.
    with contextlib.suppress(ValueError, RecursionError):
        # in UTF-8, UTF-16 or UTF-32, perhaps with a byte order mark
        characters = json.loads(Path(path).read_bytes())
        if isinstance(characters, list):
            return Vocabulary(characters)
    raise ValueError(f"{path} is not a JSON list of distinct characters in the order of their ids")


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path with the options of a script, and report the checkpoints that were skipped.

    None stands for the newest run without a name that has a checkpoint, or else the first known model. Its training
    text is what --train-text names, else --vocab-from, else what its run has.
    """
    if path is not None:
        model = open_at(path, args, args.best)
    else:
        model = _open_usual(args)

    text_name = vars(args).get("train_text") or text_of_vocabulary(args)
    if text_name is not None:
        model.train_text = read_named(text_name, args)
    return model


def _open_usual(args: argparse.Namespace) -> Model:
    """Open the newest run without a name, or else the first known model, and say which one it is."""
    run = newest_with_checkpoint()
    if run:
        model = open_at(run, args, args.best)
        terminal.print_note(
            f"using {model.name}, of the newest run without --checkpoint-dir; name {DEFAULT_MODEL} for the model "
            "that comes with charrnn"
        )
    else:
        model = open_at(DEFAULT_MODEL, args, args.best)
        terminal.print_note(
            f"using {model.name}, a model that comes with charrnn; name a run folder for another"
        )
    return model
