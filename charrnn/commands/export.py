"""Exporting checkpoints to other formats: ``charrnn-export``, or ``python -m charrnn.commands.export``."""
import argparse
import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import List, Optional

import numpy as np

from charrnn.data import StrPath
from charrnn.engines import Engine, loading
from charrnn.engines.decoding import softmax
from charrnn.engines.model import Model, open_model, write_npz
from charrnn.inspection.stored import WEIGHTS
from charrnn.inspection.webpage import export_page
from charrnn.system import console, files
from charrnn.text import corpus

CHECKED = 1000  # characters on which an exported model is compared with the checkpoint
# Far above the effect of rounding (1e-5 or less, unless the weights are very large), far below that of a fault.
TOLERANCE = 1e-3


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
        raise ValueError(f"{folder} exists: give the name of a new folder")
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


def _probabilities(engine: Engine, ids: np.ndarray) -> np.ndarray:
    """Return the probabilities [T, C] of the character after each of a text [T]. Close the engine."""
    with contextlib.closing(engine):
        state, found = engine.zero_state(), []
        for index in ids:
            logits, state = engine.read([index], state)
            found.append(softmax(logits)[0])
    return np.array(found)


def _saved_model_probabilities(folder: StrPath, ids: np.ndarray, lstm_size: int) -> np.ndarray:
    """Return the same probabilities of a SavedModel."""
    from charrnn.system.tensorflow import tf
    with tf.Graph().as_default(), tf.Session() as session:
        signature = tf.saved_model.load(session, ["serve"], str(folder)).signature_def["serving_default"]
        places = {name: info.name for name, info in signature.inputs.items()}
        parts = signature.inputs["state"].tensor_shape.dim[0].size
        return session.run(signature.outputs["probabilities"].name, {
            places["ids"]: [ids], places["state"]: np.zeros((parts, 1, lstm_size), np.float32)})[0]


def _parser() -> console.Parser:
    parser = console.Parser(
        prog="charrnn-export",
        description="Write a model as a file that needs no TensorFlow (.npz), as a web page that shows what the "
                    "network sees (.html), or as a SavedModel.",
        epilog="examples:\n"
               "  charrnn-export checkpoints/small small.npz\n"
               "  charrnn-export checkpoints/anna.npz anna.html\n"
               "  charrnn-export checkpoints/small served --format saved-model")
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
    args.format = args.format or ("html" if args.target.lower().endswith(".html") else "npz")
    if not args.target:
        raise ValueError("the name of the file to write is empty")
    if args.format == "html":
        _write_page(args)
        return
    found = loading.open_named(args.checkpoint, args)
    ids = np.random.RandomState(0).randint(len(found.vocabulary), size=CHECKED)
    if args.format == "npz":
        write_npz(found, _target(args, found))
        exported = _probabilities(loading.load_engine(open_model(args.target)), ids)
    else:
        export_saved_model(found, args.target)
        exported = _saved_model_probabilities(args.target, ids, found.lstm_size)
    difference = float(np.abs(exported - _probabilities(loading.load_engine(found), ids)).max())
    if not difference < TOLERANCE:
        raise ValueError(f"{args.target} gives probabilities that differ from those of {found.name} by up to "
                         f"{difference:.1e}: do not use it")
    equal = f"within {difference:.0e}" if difference else "exactly"
    network = (f"{console.plural(found.num_layers, 'layer')} of {console.plural(found.lstm_size, 'unit')}, "
               f"{console.plural(len(found.vocabulary), 'character')}")
    console.write(f"wrote {args.target}: {network}; its probabilities are those of {found.name} {equal} over "
                  f"{CHECKED:,} characters\n", sys.stdout)


def _target(args: argparse.Namespace, model: Model) -> str:
    """Return the file to write. Raise ValueError if the model was read from it."""
    target = files.target_of(args.target)
    if os.path.realpath(target) in (os.path.realpath(model.name), os.path.realpath(model.name + ".npz")):
        raise ValueError(f"{args.target} is the model itself: give the name of another file")
    return target


def _write_page(args: argparse.Namespace) -> None:
    """Write a page, and print what its weights lose and the best units."""
    text = None if args.train_text is None else corpus.read(args.train_text, args.encoding)
    model = loading.open_named(args.checkpoint, args)
    page = export_page(model, _target(args, model), weights=args.weights, text=text)
    if page.note:
        console.print_note(page.note)
    loss = f"the loss on {page.loss_name} is {page.page_loss:.4f} nats per character"
    console.write(f"wrote {args.target}: {page.size / 1e6:.1f} MB, {page.weights} weights; {loss}, and {page.loss:.4f} "
                  "with the weights of the model\n", sys.stdout)
    for unit in page.units:
        print(f"  {unit.unit!s:<10} {unit.feature:<40} {unit.correlation:+.2f}")


if __name__ == "__main__":
    sys.exit(main())
