"""What text can be written and measured with: a checkpoint, or a model that was exported."""
from charrnn import checkpoints
from charrnn.data import Vocabulary, split
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.system import console
from charrnn.text import corpus


def open_model(path, vocabulary=None, *, best=False):
    """Open a checkpoint or an exported model.

    Args:
        path: a run folder, a checkpoint, or a ``.npz`` file that ``charrnn-export`` wrote.
        vocabulary: a Vocabulary, for a checkpoint of the notebook's own.
        best: of a run folder, take the checkpoint with the lowest validation loss.

    Returns:
        A checkpoints.Checkpoint or a NumpyLSTM. Both have ``name``, ``vocabulary`` and ``skipped``.

    Raises:
        CheckpointError: it is missing or damaged, or best is asked of a file.
    """
    if str(path).endswith(".npz") and not str(path).endswith(".progress.npz"):
        if best:
            raise checkpoints.CheckpointError("--best is for the folder of a run, not for {}".format(path))
        return NumpyLSTM(path)
    return checkpoints.open_checkpoint(path, vocabulary, best=best)


def run_of(model):
    """Return the Run that a model comes from, or None."""
    return model.run if isinstance(model, NumpyLSTM) else checkpoints.run_of(model.prefix)


def training_text(run, name=None, encoding="utf-8"):
    """Read the text that a model was trained on.

    Args:
        run: the Run that the model comes from, or None.
        name: a path or a known name; None for the text that the run names.
        encoding: of a path that is named.

    Returns:
        (training, held_out, sha256): its two parts, and the SHA-256 of its bytes.

    Raises:
        ValueError: it cannot be had, or is another text by now.
    """
    if name is not None:
        found = corpus.read(name, encoding)
    elif run:
        found = corpus.read(run.text_name, run.text_encoding)
        if found.sha256 != run.text_sha256:
            raise ValueError("{} is not the text that the model was trained on any more".format(run.text_name))
    else:
        raise ValueError("the model does not name its training text: name it with --train-text")
    return (*split(found.text, run.hyperparameters.get("val_fraction", 0) if run else 0), found.sha256)


def add_arguments(parser):
    """Add the arguments by which every script that uses a model names it, but for its path."""
    parser.add_argument("--best", action="store_true",
                        help="of a folder, take the checkpoint with the lowest validation loss")
    parser.add_argument("--vocab-from", metavar="TEXT", default=None,
                        help="for a checkpoint of the notebook's own, which does not know its vocabulary: the text "
                             "that it was trained on, a path or a known name")
    parser.add_argument("--encoding", metavar="NAME", default="utf-8",
                        help="encoding of texts given by their path (default: utf-8)")


def open_named(path, args):
    """Open the model that a script's arguments name, and say what was passed over on the way."""
    vocabulary = None
    if args.vocab_from is not None:
        vocabulary = Vocabulary.from_text(corpus.read(args.vocab_from, args.encoding).text)
    model = open_model(path, vocabulary, best=args.best)
    console.say_skipped(model.skipped)
    return model
