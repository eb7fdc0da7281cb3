"""What several commands have: the flags that name a model and its vocabulary, and those of hyperparameters."""
import argparse
import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Dict, Optional

from charrnn.checkpoints import folders, record
from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.data import StrPath, Vocabulary
from charrnn.engines.opened_model import Model, doubt_order, is_model_file, open_model
from charrnn.system import console
from charrnn.text import corpus
from charrnn.training.hyperparameters import Hyperparameters, kind_of, range_in_words

MODEL_HELP = (f"a known model ({', '.join(KNOWN_MODELS)}), a run folder for its newest checkpoint, a checkpoint, or an "
              f"exported .npz file (default: the newest run trained without --checkpoint-dir, or {KNOWN_MODELS[0]})")


def flag(name: str) -> str:
    """Return the flag of a parameter.

    >>> flag("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def add_hyperparameters(groups: Dict[str, argparse._ArgumentGroup]) -> None:
    """Add the flag of each hyperparameter to an argument parser. A flag that is not given has the value None.

    Args:
        groups: dict from each name in GROUPS to an argument group of the parser.
    """
    for field in dataclasses.fields(Hyperparameters):
        kind, choices, group = kind_of(field), field.metadata["choices"], groups[field.metadata["group"]]
        if kind is bool:
            group.add_argument(flag("no_" + field.name), dest=field.name, action="store_const", const=False,
                               help=field.metadata["help"])
            continue
        notes = [] if choices else [range_in_words(field)]
        notes.append(f"default: {'a new one' if field.default is None else field.default}")
        group.add_argument(flag(field.name), type=kind, choices=choices,
                           metavar=None if choices else {int: "N", float: "X"}[kind],
                           help=f"{field.metadata['help']} ({'; '.join(notes)})")


def is_model(path: StrPath) -> bool:
    """Return whether a path is a model, by its name and its files."""
    path = Path(path)
    return is_model_file(path) or re.search(r"\.ckpt(-\d+)?$", path.name) is not None or record.is_run(path)


def read_text(name: str, encoding: Optional[str] = None) -> corpus.Text:
    """Read a text that an argument names, and report the files of a folder that are skipped."""
    text = corpus.read(name, encoding or "utf-8")
    console.print_skipped(text.skipped)
    return text


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument("--best", action="store_true",
                        help="in a run folder, use the checkpoint with the lowest validation loss")
    add_vocabulary_arguments(parser)
    parser.add_argument("--encoding", metavar="NAME", help="encoding of texts given by their path (default: utf-8)")


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
        order = json.loads(Path(path).read_bytes())  # in UTF-8, UTF-16 or UTF-32, perhaps with a byte order mark
        return Vocabulary(order if isinstance(order, list) else ())
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is not a JSON list of distinct characters in the order of their ids")


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path with the options of a script, and report the checkpoints that were skipped.

    None stands for the newest run without a name that has a checkpoint, or else the first known model. A line says
    which one it is.
    """
    run = folders.newest_with_checkpoint() if path is None else None
    place = (run or KNOWN_MODELS[0]) if path is None else path
    model = open_given(place, args, args.best)
    if run:
        console.print_note(
            f"using {model.name}, of the newest run without --checkpoint-dir; name {KNOWN_MODELS[0]} for the model "
            "that comes with charrnn")
    elif path is None:
        console.print_note(f"using {model.name}, a model that comes with charrnn; name a run folder for another")
    return model
