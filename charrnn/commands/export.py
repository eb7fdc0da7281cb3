"""Exporting checkpoints to other formats: ``charrnn-export``."""

import argparse
import itertools
import os
import sys
from pathlib import Path
from typing import List, Optional

from charrnn.checkpoints.find import known_model
from charrnn.checkpoints.weights import DTYPES
from charrnn.checkpoints.writing import START_WRITING
from charrnn.commands import arguments
from charrnn.commands.named_models import (
    MODEL_HELP,
    add_model_arguments,
    is_model,
    open_named,
    read_named,
)
from charrnn.engines.trained_model import Model
from charrnn.pages.stored import WEIGHTS
from charrnn.pages.webpage import export_page
from charrnn.pages.yours import LEAST, MOST, export_learning_page
from charrnn.system import terminal
from charrnn.text import corpus
from charrnn.training.presets import table_from_model

# the types of the weights in each format
STORED = {
    "npz": DTYPES,
    "html": WEIGHTS,
}


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-export``."""
    parser = arguments.Parser(
        prog="charrnn-export",
        usage="%(prog)s [-h] [options] [MODEL] FILE",
        description="Write a model as a file that needs no TensorFlow (.npz), or as a web page that shows what its "
        "units track (.html).",
    )
    parser.add_argument(
        "places",
        metavar="[MODEL] FILE",
        nargs="*",
        help=f"MODEL is {MODEL_HELP}. FILE is the .npz or .html file to write",
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--weights",
        choices=sorted({*itertools.chain(*STORED.values())}),
        help="type of the stored weights: float32 (default), float16 or int8 in a .npz file, float16 or int8 in a page "
        "(default: float16). float16 takes half the space of float32, int8 a quarter",
    )
    parser.add_argument(
        "--train-text",
        metavar="TEXT",
        default=None,
        help="the training text, on which a page measures what units track (default: that which the model names)",
    )
    parser.add_argument(
        "--title",
        metavar="TITLE",
        help="what a page calls the training text (default: the name of its file)",
    )
    parser.add_argument(
        "--no-text",
        action="store_true",
        help="leave the training text out of the file. A short one is in it otherwise, for the reader of "
        "--best-of. The network may have learned pieces of it by heart all the same",
    )
    either.add_argument(
        "--learn",
        action="store_true",
        help="write a page on which the network learns a text of its reader's, in a browser, and then writes. Its "
        "weights are int8",
    )
    add_model_arguments(parser)
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-export``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    if not 1 <= len(args.places) <= 2:
        raise ValueError("give the FILE to write, and before it a MODEL (default: the newest run)")
    model_name = args.places[0] if len(args.places) == 2 else None
    target = args.places[-1]
    if model_name is None and _is_there(target):
        raise ValueError(f"{target} is a model: give both the MODEL and the FILE to write")
    format_ = _format(target)
    if args.weights not in (None, *STORED[format_]):
        raise ValueError(
            f"--weights {args.weights} is not for the format {format_}: choose {' or '.join(STORED[format_])}"
        )
    text_name = args.vocab_from if args.train_text is None else args.train_text
    text = None
    if text_name is not None and format_ == "html":
        text = read_named(text_name, args)
    model = open_named(model_name, args)

    if args.learn:
        _write_learning_page(args, model, target)
        return
    if format_ == "html":
        _write_page(args, model, target, text)
        return
    model.save(target, args.weights or "float32", with_text=not args.no_text)
    terminal.write(f"wrote {target} with the weights of {model.name}\n", sys.stdout)
    if not args.no_text:
        _tell_of_text(model)


def _is_there(place: str) -> bool:
    """Return whether a place is that of a model."""
    if known_model(place):
        return True
    return os.path.exists(place) and is_model(place)


def _format(target: str) -> str:
    """Return the format of a file, by the ending of its name."""
    format_ = Path(target).suffix.lower()[1:]
    if format_ not in STORED:
        raise ValueError(f"{target} names no format: FILE must end in .npz or .html")
    return format_


def _write_page(
    args: argparse.Namespace, model: Model, target: str, text: Optional[corpus.Text]
) -> None:
    """Write a page, and print its loss and the best units."""
    terminal.print_note(
        "making the page takes a few minutes if the network has 512 units in a layer"
    )
    page = export_page(
        model,
        target,
        weights=args.weights or "float16",
        text=text,
        title=args.title,
        shows_text=not args.no_text,
        progress=terminal.bar,
    )
    if page.note:
        terminal.print_note(page.note)
    terminal.write(
        f"wrote {target}: {page.size / 1e6:.1f} MB; the loss on {page.loss_name} is {page.loss:.4f} "
        "nats per character\n",
        sys.stdout,
    )
    if not args.no_text:
        _tell_of_text(model)
    if page.units:
        print("the units that best track a property, and how far (1 or -1: always):")
    for unit in page.units:
        print(f"  {unit.unit!s:<10} {unit.feature:<40} {unit.correlation:+.2f}")


def _tell_of_text(model: Model) -> None:
    """Say that a file has the training text with it, if it has."""
    if model.carried_text() is not None:
        terminal.print_note("the training text is in the file: --no-text leaves it out")


def _write_learning_page(args: argparse.Namespace, model: Model, target: str) -> None:
    """Write a page that learns a text, and print its size."""
    size = export_learning_page(
        model,
        target,
        rule=table_from_model(LEAST, MOST),
        writing=START_WRITING,
        title=args.title,
    )
    terminal.write(
        f"wrote {target}: {size / 1e6:.1f} MB; open it in a browser, and paste a text\n", sys.stdout
    )
