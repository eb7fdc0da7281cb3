"""Exporting checkpoints to other formats: ``charrnn-export``, or ``python -m charrnn.commands.export``."""
import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import List, Optional

from charrnn.data import StrPath
from charrnn.engines import loading
from charrnn.engines.model import Model, write_npz
from charrnn.inspection.stored import WEIGHTS
from charrnn.inspection.webpage import export_page
from charrnn.system import console, files
from charrnn.text import corpus


def export_saved_model(model: Model, folder: StrPath) -> None:
    """Write a SavedModel, whose signature ``serving_default`` takes ids and a state.

    The inputs are ``ids``, int32 [B, M], and ``state``, float32 [S, B, L], see :class:`charrnn.engines.Engine`.
    The outputs are ``probabilities``, float32 [B, M, C], of the character after each, and ``state``.
    ``vocabulary.txt`` among its assets has the characters in id order.

    Args:
        model: a model of any kind of cell.
        folder: the folder to create.

    Raises:
        ValueError: the folder exists.
        OSError: the folder cannot be written.
    """
    from charrnn.engines.graph import build_forward, load_weights
    from charrnn.system.tensorflow import tf
    if Path(folder).exists():
        raise ValueError(f"{Path(folder)} exists: give the name of a new folder")
    temporary = Path(f"{Path(folder)}.{os.getpid()}.tmp")  # also if the name ends in a slash
    try:
        with tf.Graph().as_default(), tf.Session() as session:
            forward = build_forward(len(model.vocabulary), model.lstm_size, model.num_layers, model.cell)
            load_weights(session, tf.trainable_variables(), model.weights)
            tf.saved_model.simple_save(session, str(temporary), {"ids": forward.ids, "state": forward.state},
                                       {"probabilities": forward.probabilities, "state": forward.final_state})
        characters = "".join(model.vocabulary.chars).encode("utf-8", "surrogatepass")
        (temporary / "assets").mkdir(exist_ok=True)
        files.write_atomically(temporary / "assets" / "vocabulary.txt", characters)
        os.replace(str(temporary), str(folder))
    except (tf.errors.OpError, OSError) as error:
        raise OSError(f"{folder} cannot be written: {console.reason(error)}")
    finally:
        shutil.rmtree(str(temporary), ignore_errors=True)


def _parser() -> console.Parser:
    parser = console.Parser(
        prog="charrnn-export",
        description="Write a model as a file that needs no TensorFlow (.npz), as a web page that shows what the "
                    "network sees (.html), or as a SavedModel.")
    parser.add_argument("checkpoint", metavar="MODEL",
                        help="a checkpoint, a run folder for its newest one, or for a page also an exported .npz file")
    parser.add_argument("target", metavar="FILE",
                        help="the .npz or .html file to write, or the folder of a SavedModel")
    parser.add_argument("--format", choices=["npz", "html", "saved-model"], default=None,
                        help="what to write (default: html if FILE ends in .html, else npz)")
    parser.add_argument("--weights", choices=WEIGHTS, default=WEIGHTS[0],
                        help=f"how a page stores the weights: int8 takes half the space (default: {WEIGHTS[0]})")
    parser.add_argument("--train-text", metavar="TEXT", default=None,
                        help="the text on which a page measures what units track (default: the training text that "
                             "the model names)")
    loading.add_model_arguments(parser)
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-export``; return its exit status."""
    return console.run_main(_main, _parser(), argv)


def _main(args: argparse.Namespace) -> None:
    kind = args.format or ("html" if args.target.lower().endswith(".html") else "npz")
    if kind == "html":
        _write_page(args)
        return
    model = loading.open_named(args.checkpoint, args)
    if kind == "npz":
        write_npz(model, _target(args, model))
    else:
        export_saved_model(model, args.target)
    console.write(f"wrote {args.target} with the weights of {model.name}\n", sys.stdout)


def _target(args: argparse.Namespace, model: Model) -> str:
    """Return the file to write. Raise ValueError if the model was read from it."""
    target = files.target_of(args.target)
    if os.path.realpath(target) in (os.path.realpath(model.name), os.path.realpath(model.name + ".npz")):
        raise ValueError(f"{args.target} is the model itself: give the name of another file")
    return target


def _write_page(args: argparse.Namespace) -> None:
    """Write a page, and print its loss and the best units."""
    text = None if args.train_text is None else corpus.read(args.train_text, args.encoding)
    model = loading.open_named(args.checkpoint, args)
    page = export_page(model, _target(args, model), weights=args.weights, text=text, progress=console.bar)
    if page.note:
        console.print_note(page.note)
    console.write(f"wrote {args.target}: {page.size / 1e6:.1f} MB; the loss on {page.loss_name} is {page.loss:.4f} "
                  "nats per character\n", sys.stdout)
    for unit in page.units:
        print(f"  {unit.unit!s:<10} {unit.feature:<40} {unit.correlation:+.2f}")


if __name__ == "__main__":
    sys.exit(main())
