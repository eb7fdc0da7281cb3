"""What the commands need of a model: the arguments that name it, and its training text."""
import argparse
from pathlib import Path
from typing import NamedTuple, Optional

from charrnn import checkpoints
from charrnn.checkpoints import KNOWN_MODELS, RunRecord
from charrnn.data import StrPath, Vocabulary, split
from charrnn.engines.opened_model import Model, is_model_file, open_model
from charrnn.system import console
from charrnn.text import corpus

MODEL_HELP = (f"a known model ({', '.join(KNOWN_MODELS)}), a run folder for its newest checkpoint, a checkpoint, or an "
              f"exported .npz file (default: the newest run trained without --checkpoint-dir, or {KNOWN_MODELS[0]})")

def is_model(path: StrPath) -> bool:
    """Return whether a path is a model, by its name and its files."""
    path = Path(path)
    return is_model_file(path) or path.name.endswith(".ckpt") or checkpoints.is_run(path)


def read_text(name: str, encoding: str) -> corpus.Text:
    """Read a text that an argument names, and report the files of a folder that are skipped."""
    text = corpus.read(name, encoding)
    console.print_skipped(text.skipped)
    return text


class TrainingText(NamedTuple):
    """The parts of a text that a model was trained on, and the SHA-256 of the whole."""

    training: str
    held_out: str
    test: str
    sha256: str


def training_text(run: Optional[RunRecord], name: Optional[str] = None, encoding: str = "utf-8",
                  flag: str = "--train-text") -> TrainingText:
    """Read the text that a model was trained on, and divide it as the training did.

    Args:
        run: the run that the model comes from, if known.
        name: a path or a known name; None for the text in the run folder, or the known text that the run names.
        encoding: encoding of a text given by its path.
        flag: the flag that names the text, for messages.

    Raises:
        ValueError: the text cannot be read.
    """
    if name is not None:
        return divide(read_text(name, encoding), run)
    if run and run.folder:
        return divide(corpus.Text(run.text_name, checkpoints.read_text(run)), run)
    if run and run.text_name in corpus.KNOWN_TEXTS:
        return divide(corpus.read(run.text_name), run)
    raise ValueError(f"the model has no training text with it: name the text with {flag}")


def divide(text: corpus.Text, run: Optional[RunRecord]) -> TrainingText:
    """Divide a training text as a run does. Nothing is held out if there is no run or if its text is another one."""
    sha256 = checkpoints.text_sha256(text.text)
    fractions = [run.hyperparameters.get(name, 0) if run and sha256 == run.text_sha256 else 0
                 for name in ("val_fraction", "test_fraction")]
    return TrainingText(*split(text.text, *fractions), sha256)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument("--best", action="store_true",
                        help="in a run folder, use the checkpoint with the lowest validation loss")
    parser.add_argument("--vocab-from", metavar="TEXT", default=None,
                        help="the text (a path or a known name) that a checkpoint of the notebook was trained on; "
                             "such a checkpoint does not record its vocabulary")
    parser.add_argument("--encoding", metavar="NAME", default="utf-8",
                        help="encoding of texts given by their path (default: utf-8)")


def vocabulary_from(args: argparse.Namespace) -> Optional[Vocabulary]:
    """Return the vocabulary of the text that ``--vocab-from`` names, or None."""
    if args.vocab_from is None:
        return None
    return Vocabulary.from_text(read_text(args.vocab_from, args.encoding).text)


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path with the options of a script, and report the checkpoints that were skipped.

    None stands for the newest run without a name that has a checkpoint, or else the first known model. A line says
    which one it is.
    """
    run = checkpoints.newest_with_checkpoint() if path is None else None
    place = (run or KNOWN_MODELS[0]) if path is None else path
    model = open_model(place, vocabulary_from(args), best=args.best)
    console.print_skipped(model.skipped)
    if run:
        console.print_note(
            f"using {model.name}, of the newest run; name {KNOWN_MODELS[0]} for the model that comes with charrnn")
    elif path is None:
        console.print_note(f"using {model.name}, a model that comes with charrnn; name a run folder for another")
    return model
