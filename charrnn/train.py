"""Training: ``charrnn-train``, or ``python -m charrnn.train``."""
import argparse
import contextlib
import math
import os
import sys
from pathlib import Path

import numpy as np

from charrnn import checkpoints
from charrnn.data import Vocabulary, split
from charrnn.system import console, files
from charrnn.text import corpus
from charrnn.training import transfer
from charrnn.training.hyperparameters import (
    CELLS,
    IMMUTABLE,
    OPTIMIZERS,
    PRESETS,
    SCHEDULES,
    Hyperparameters,
    check_memory,
    check_text,
)


def train(text, hyperparameters=Hyperparameters(), checkpoint_dir="checkpoints", *, resume=False,
          sample_length=200, threads=None, summaries=True, init_from=None, dry_run=False):
    """Train a network on a text, and save checkpoints. It resets the default graph.

    Ctrl-C, SIGTERM, SIGHUP or a reader of the output that went away finishes the step at hand, saves a checkpoint
    and ends; a second signal ends at once.

    Args:
        text: a corpus.Text.
        hyperparameters: a Hyperparameters.
        checkpoint_dir: the run folder.
        resume: go on with the run in that folder; it must be of the same text, and agree in IMMUTABLE.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: how many to use, at least 1; None for as many as the process may have cores.
        summaries: whether to write TensorBoard's event files beside history.csv.
        init_from: a Checkpoint of the same cell and sizes to start from; the text may have other characters.
        dry_run: print the plan, try a few steps for an estimate of memory and time, and write nothing.

    Returns:
        The signal that ended the training early, a signal.Signals, or None.

    Raises:
        ValueError: the hyperparameters are out of range, the text is too short, the folder holds another
            run or one that lives, or there is none to resume; nothing was written then. Later, a loss that is
            not finite.
        OSError: the folder cannot be written.

    Source: notebook, "training".
    """
    from charrnn.training.trainer import Trainer  # needs TensorFlow and tqdm
    hyper = hyperparameters
    hyper.check()
    if threads is not None and threads < 1:
        raise ValueError("threads must be at least 1, not {}".format(threads))
    if sample_length < 0:
        raise ValueError("sample_length must be at least 0, not {}".format(sample_length))
    if hyper.seed is None and not resume:
        # written down with the rest, so that a resumed run draws what it would have drawn
        hyper = hyper._replace(seed=int(np.random.RandomState().randint(2 ** 31)))
    moved = _transfer(init_from, text, hyper) if init_from and not resume else None
    old = checkpoints.read_run(checkpoint_dir) if resume else None
    vocabulary = old.vocabulary if old else moved.vocabulary if moved else Vocabulary.from_text(text.text)
    run = checkpoints.Run(hyper._asdict(), vocabulary, text.name, text.sha256, text.encoding,
                         old.best if old else None,
                         old.init_from if old else init_from.prefix if init_from else None)
    if old:
        _check_same_run(old, run, checkpoint_dir)
    training, held_out = split(vocabulary.encode(text.text), hyper.val_fraction)
    check_text(len(training), len(np.unique(training)), hyper.batch_size, hyper.num_steps)
    if hyper.val_fraction and len(held_out) < 2:
        raise ValueError("val_fraction {} holds out {} of the text's {:,} characters: at least 2 are needed".format(
            hyper.val_fraction, len(held_out), len(text.text)))
    check_memory(len(vocabulary), hyper, _memory())
    with _held(checkpoint_dir, resume, dry_run):
        trainer = Trainer(run, hyper, training, held_out, checkpoint_dir, sample_length=sample_length,
                          threads=threads, summaries=summaries, transfer=moved)
        with contextlib.closing(trainer):
            if dry_run:
                return trainer.try_out()
            trainer.start(resume)
            return trainer.run_all()


@contextlib.contextmanager
def _held(folder, resume, dry_run):
    """Make a run folder and hold its lock, so that no other process trains there."""
    if not resume:
        checkpoints.check_unused(folder)
    if dry_run:
        yield
        return
    lock = Path(folder) / checkpoints.LOCK_FILE
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(files.locked(lock))
            except BlockingIOError:
                raise checkpoints.CheckpointError("{} is being trained in by another process".format(folder))
            if not resume:
                checkpoints.check_unused(folder)  # what another process has begun in the meantime
            yield
    except OSError as error:
        if error.filename == str(lock) or error.filename == str(lock.parent):
            raise OSError("the folder {} cannot be written: {}".format(folder, error.strerror))
        raise


def _memory():
    """Return the bytes of memory that this machine has; no bound where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return math.inf


def _transfer(found, text, hyperparameters):
    """Return the Transfer from a Checkpoint; ValueError where it is of another network than is wanted."""
    for name in ("lstm_size", "num_layers", "cell"):
        if getattr(found, name) != getattr(hyperparameters, name):
            raise ValueError("{} has {} {}, and {} cannot be started from it".format(
                found.prefix, name, getattr(found, name), getattr(hyperparameters, name)))
    return transfer.plan(found, text.text)


def _check_same_run(old, new, folder):
    """Raise CheckpointError where a run cannot be gone on with under new settings."""
    for what, before, now in [("a text with SHA-256", old.text_sha256, new.text_sha256),
                              ("the encoding", old.text_encoding, new.text_encoding)]:
        if before != now:
            raise checkpoints.CheckpointError("the run in {} was trained on {}, with {} {}, but {} has {}".format(
                folder, old.text_name, what, before, new.text_name, now))
    for name in IMMUTABLE:
        before, now = old.hyperparameters.get(name), new.hyperparameters[name]
        if before != now:
            raise checkpoints.CheckpointError(
                "the run in {} has {} {}, which --resume cannot change to {}".format(folder, name, before, now))


def _add_hyperparameter(group, name, meaning, choices=None):
    """Add the flag of a hyperparameter, which is left out of the arguments' values unless it is given."""
    default = getattr(Hyperparameters(), name)
    kind = int if default is None else type(default)
    group.add_argument("--" + name.replace("_", "-"), type=kind, choices=choices,
                       metavar=None if choices else {int: "N", float: "X"}[kind], help="{} (default: {})".format(
                           meaning, "another one each time" if default is None else default))


def _parser():
    add = _add_hyperparameter
    parser = console.Parser(
        prog="charrnn-train", formatter_class=argparse.RawDescriptionHelpFormatter, argument_default=None,
        description="Train a character-wise LSTM on a text. The defaults are the notebook's recipe.",
        epilog="examples:\n"
               "  charrnn-train anna --epochs 1 --lstm-size 128 --checkpoint-dir checkpoints/small\n"
               "  charrnn-train --resume --checkpoint-dir checkpoints/small --epochs 3\n"
               "  charrnn-train tiny-shakespeare --preset quick --checkpoint-dir checkpoints/quick")
    parser.add_argument("--preset", choices=sorted(PRESETS), help="hyperparameters to begin with; flags given "
                        "besides count (default: notebook)")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, with parameters, steps and an estimate "
                        "of memory and time from a few steps, and write nothing")
    group = parser.add_argument_group("text")
    group.add_argument("text", metavar="TEXT", nargs="?",
                       help="a path, or a known text: {}, {} (default: anna)".format(
                           ", ".join(corpus.KNOWN_TEXTS), corpus.PYTHON))
    group.add_argument("--encoding", metavar="NAME", help="encoding of a text given by its path (default: utf-8)")
    add(group, "val_fraction", "share of the text, its end, to hold out for validation, from 0 to below 1")
    group = parser.add_argument_group("network")
    add(group, "lstm_size", "units in a layer")
    add(group, "num_layers", "layers of cells")
    add(group, "cell", "kind of cell", CELLS)
    group.add_argument("--init-from", metavar="CHECKPOINT", help="start from the weights of another model, of this "
                       "network or the one that it has; characters that it does not know get new rows")
    group = parser.add_argument_group("optimisation")
    add(group, "batch_size", "sequences in a batch")
    add(group, "num_steps", "characters in a window, through which the gradients reach back")
    add(group, "optimizer", "what applies the gradients", OPTIMIZERS)
    add(group, "learning_rate", "the optimizer's step size")
    add(group, "schedule", "how the learning rate falls: not, by --decay at each epoch, or to 0 at the end", SCHEDULES)
    add(group, "decay", "factor of the exponential schedule from one epoch to the next, above 0, at most 1")
    add(group, "warmup_steps", "steps over which the learning rate rises to its full size first")
    add(group, "keep_prob", "probability of keeping a unit in dropout on a layer's output, above 0, at most 1")
    add(group, "input_keep_prob", "the same for dropout on a layer's input")
    add(group, "grad_clip", "largest global norm of the gradients")
    add(group, "average_decay", "decay of running averages of the weights, which evaluation and sampling use then; "
                                "0 for none")
    add(group, "epochs", "passes over the text")
    add(group, "early_stop", "evaluations without improvement after which training ends, 0 for never")
    add(group, "seed", "seed of the weights and of dropout, 0 to 2147483647")
    group = parser.add_argument_group("speed")
    group.add_argument("--no-fused", dest="fused", action="store_const", const=False,
                       help="unroll with dynamic_rnn, as the notebook does: the same numbers, later")
    group.add_argument("--threads", metavar="N", type=int,
                       help="threads to use (default: as many as the process may have cores)")
    group = parser.add_argument_group("checkpoints and reports")
    group.add_argument("--checkpoint-dir", metavar="DIR", default="checkpoints",
                       help="the run's folder (default: checkpoints)")
    group.add_argument("--resume", action="store_true",
                       help="go on with the run in that folder, with its text and hyperparameters; all but {} "
                            "may be changed then".format(", ".join(
                                "--" + name.replace("_", "-") for name in IMMUTABLE)))
    add(group, "save_every_n", "steps from one checkpoint to the next")
    add(group, "max_to_keep", "checkpoints to keep, besides the best")
    add(group, "eval_every_n", "steps from one evaluation on the text held out to the next, besides those at each "
                               "checkpoint; 0 for those alone")
    add(group, "print_every_n", "steps from one line to the next")
    group.add_argument("--sample-length", metavar="N", type=int, default=200,
                       help="characters to sample at each checkpoint, 0 for none (default: 200)")
    group.add_argument("--no-summaries", dest="summaries", action="store_false",
                       help="write no event files for TensorBoard")
    return parser


def main(argv=None):
    """Run ``charrnn-train``; return its exit status: 0, 2 for bad input, 128 + the signal that stopped it."""
    return console.run(_main, _parser(), argv)


def _main(args):
    chosen = {name: getattr(args, name) for name in Hyperparameters._fields
              if getattr(args, name) is not None}
    name, encoding, init_from = "anna", "utf-8", None
    if args.resume:
        for flag in ("preset", "init_from", "dry_run"):
            if getattr(args, flag):
                raise ValueError("--{} is for a new run, not to --resume one".format(flag.replace("_", "-")))
        run = checkpoints.read_run(args.checkpoint_dir)
        name, encoding = run.text_name, run.text_encoding
        unknown = set(run.hyperparameters) - set(Hyperparameters._fields)
        if unknown:
            raise checkpoints.CheckpointError("the run in {} has hyperparameters that this charrnn does not know: "
                                             "{}".format(args.checkpoint_dir, ", ".join(map(repr, sorted(unknown)))))
        chosen = dict(run.hyperparameters, **chosen)
    elif args.preset:
        chosen = dict(PRESETS[args.preset], **chosen)
    if args.init_from is not None:
        init_from = checkpoints.open_checkpoint(args.init_from)
        for field in ("lstm_size", "num_layers", "cell"):
            chosen.setdefault(field, getattr(init_from, field))
    hyperparameters = Hyperparameters(**chosen)
    hyperparameters.check()
    text = corpus.read(name if args.text is None else args.text,
                       encoding if args.encoding is None else args.encoding)
    stopped_by = train(text, hyperparameters, args.checkpoint_dir, resume=args.resume,
                       sample_length=args.sample_length, threads=args.threads, summaries=args.summaries,
                       init_from=init_from, dry_run=args.dry_run)
    return 128 + stopped_by if stopped_by else 0


if __name__ == "__main__":
    sys.exit(main())
