"""Training from the command line: ``charrnn-train``."""

import argparse
import os
import sys
from typing import Optional, Sequence, Union

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import check_is_text, is_model_file
from charrnn.checkpoints.record import RunRecord
from charrnn.commands import arguments
from charrnn.commands.named_models import add_vocabulary_arguments, check_encoding, open_at
from charrnn.commands.settings_flags import add_settings, given_settings
from charrnn.engines.opening import open_model, open_named_start
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import AUTO, GROUPS, NOT_RESUMABLE, Hyperparameters
from charrnn.system import errors, machine, terminal
from charrnn.system.commands_to_type import flag
from charrnn.system.interrupts import StopRequests
from charrnn.system.tensorflow import graphs, require_tensorflow
from charrnn.text import corpus
from charrnn.train import train_job
from charrnn.training.distributed import Processes, connect_processes
from charrnn.training.job import Job, plan_job
from charrnn.training.minutes import step_ends
from charrnn.training.presets import PRESETS
from charrnn.training.start import NONE
from charrnn.training.transfer import network_of

# what --init-from can be besides a model
WORDS = (AUTO, NONE)
# Pairs of flags of which only one may be given.
NOT_COMBINED = (
    ("dry_run", "resume"),
    ("like", "resume"),
    ("like", "preset"),
)


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-train``."""
    parser = arguments.Parser(
        in_processes=True,
        prog="charrnn-train",
        usage="%(prog)s [-h] [options] [TEXT ...]",
        description="Train a character-wise LSTM on a text. The defaults are the notebook's recipe.",
    )
    parser.add_argument(
        "--preset",
        choices=sorted([*PRESETS, AUTO]),
        help="set of hyperparameters to start from; auto chooses them by the length of the text. "
        "Other flags override it (default: notebook)",
    )
    parser.add_argument(
        "--like",
        metavar="RUN",
        help="take all hyperparameters of another run except --threads, and the model that it began with, named by its "
        "folder, a copy of its run.json or a model of it, but not its text. Other flags override them",
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=float,
        help="choose the sizes and the epochs so that a new run "
        "ends after N minutes on this machine. The preset and the precision are auto. Other flags stay",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the plan, try a few steps to estimate memory and time, and write nothing",
    )

    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    groups["text"].add_argument(
        "text",
        metavar="TEXT",
        nargs="*",
        help="a text file, perhaps compressed with gzip; a folder, for all text "
        "files in it; - for standard input; or one of the known texts "
        f"{', '.join(corpus.KNOWN_NAMES)}. Several are joined into one text (default: anna)",
    )
    groups["text"].add_argument(
        "--separator",
        metavar="STRING",
        help="string between several files, \\n for a line end (default: one line end)",
    )
    groups["text"].add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of files without a byte order mark; in a folder, of those that are not UTF-8 (default: utf-8)",
    )
    groups["network"].add_argument(
        "--init-from",
        metavar="MODEL",
        help="take the initial weights and the sizes from a checkpoint, a run "
        "folder, an exported .npz file or a known model. Characters that it does not know get new weights. auto "
        "chooses a known model if one suits the text, none begins with random weights (default: auto with the preset "
        "auto, otherwise none; a model with such a name is ./none)",
    )
    add_vocabulary_arguments(groups["network"])

    reports = groups["checkpoints and reports"]
    reports.add_argument(
        "--checkpoint-dir",
        metavar="DIR",
        help="folder of the run (default: checkpoints; if that "
        "holds another run, checkpoints/2 and so on)",
    )
    reports.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in DIR, by default the newest of "
        "checkpoints, checkpoints/2 and so on, with its text and hyperparameters. Flags change these, "
        f"except {', '.join(map(flag, NOT_RESUMABLE))}",
    )

    add_settings(Hyperparameters, groups)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run ``charrnn-train``. Return its exit status: 0, 2 for bad input, or 128 + the signal that stopped it."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    require_tensorflow()
    processes = connect_processes()
    # Eager mode stays off from the plan, which may measure models, to the end of the run.
    with processes.watched(args.checkpoint_dir), graphs():
        job = processes.from_first(_job, args, processes.size, processes.threads())
        if args.dry_run:
            dry_run(job, processes)
            return 0
        _, stopped_by = train_job(job, processes)
    return 128 + stopped_by if stopped_by else 0


def _job(args: argparse.Namespace, n_processes: int, threads: int) -> Job:
    """Return the job that the arguments describe."""
    _check(args)
    like = None if args.like is None else _run_at(args.like)
    init_from = _init_from(args, like)
    text = None
    if args.text or not args.resume:
        for name in args.text:
            check_is_text(name)
        separator = "\n" if args.separator is None else arguments.with_line_ends(args.separator)
        text = corpus.read(args.text or ["anna"], args.encoding or "utf-8", separator=separator)
        terminal.print_skipped(text.skipped)

    if args.like is not None and not args.text:
        terminal.print_note(
            "charrnn-train: the text is anna, because --like takes no text from a run"
        )
    job = plan_job(
        text,
        given_settings(Hyperparameters, args),
        args.checkpoint_dir,
        resume=args.resume,
        preset=args.preset,
        like=like.hyperparameters if like else None,
        n_minutes=args.minutes,
        init_from=init_from,
        n_processes=n_processes,
        threads=threads,
    )
    if args.decay is not None and job.hyperparameters.schedule != "exponential":
        raise ValueError(
            f"--decay has no effect with --schedule {job.hyperparameters.schedule}: it is for exponential"
        )
    return job


def _check(args: argparse.Namespace) -> None:
    """Raise ValueError for arguments that cannot be combined, or have no effect."""
    arguments.check_needs(args, vocab_from=["init_from"], vocab_order=["init_from"])
    if args.init_from in WORDS and (args.vocab_from or args.vocab_order):
        raise ValueError(f"--init-from {args.init_from} names no model, so it has no vocabulary")
    check_encoding(args, args.vocab_from, *args.text)
    for name, other in NOT_COMBINED:
        if getattr(args, name) and getattr(args, other):
            raise ValueError(f"{flag(name)} cannot be combined with {flag(other)}")

    if args.resume:
        for name in args.text:
            if not corpus.is_known(name) and record.is_run(name):
                raise ValueError(f"{name} is the folder of a run: name it with --checkpoint-dir")

    is_one_text = len(args.text) < 2 and not any(map(os.path.isdir, args.text))
    if args.separator is not None and is_one_text:
        raise ValueError("--separator has no effect, because it stands between several texts")


def _init_from(args: argparse.Namespace, like: Optional[RunRecord]) -> Union[Model, str, None]:
    """Return what a run begins with, as :func:`plan_job` takes it: by default that of the run that it is to be like."""
    if args.init_from is None and like:
        return _model_of(like, args)
    if args.init_from is None or args.init_from in WORDS:
        return args.init_from
    return open_at(args.init_from, args)


def _model_of(like: RunRecord, args: argparse.Namespace) -> Union[Model, str]:
    """Return the model that another run began with; NONE if it had none, or if the arguments give other sizes."""
    name = like.init_from
    if name is None:
        return NONE
    try:
        model = open_named_start(like)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{args.like} began with {name}, which cannot be opened: {errors.described(error)}. Name "
            "another model with --init-from, or none"
        )

    for size, value in network_of(model).items():
        if getattr(args, size) not in (None, value):
            terminal.print_note(
                f"charrnn-train: the run begins anew, because {name} has {size} {value}"
            )
            return NONE
    if like.init_from_sha256 not in (None, model.sha256):
        terminal.print_note(
            f"charrnn-train: {name} is another model now than the one that {args.like} began with"
        )
    return model


def _run_at(path: str) -> RunRecord:
    """Return the record of the run in a folder, or in a copy of its run.json."""
    try:
        if os.path.isdir(path):
            return record.read_run(path)
        if is_model_file(path):
            return _run_of(open_model(path))
        return record.from_json(record.read_signed(path))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--like needs a run folder, its run.json or a model of a run, and {path} is none of these: "
            f"{errors.reason(error)}"
        )


def _run_of(model: Model) -> RunRecord:
    """Return the run that a model comes from."""
    if model.run is None:
        raise ValueError("the model does not say how it was trained")
    return model.run


def dry_run(job: Job, processes: Processes) -> None:
    """Print the plan, and an estimate of memory and time from a few steps. Nothing is written."""
    # not above, because these imports take time
    from charrnn.training.display import Display
    from charrnn.training.graph import TrainingGraph

    model = TrainingGraph(
        num_classes=len(job.record.vocabulary),
        hyper=job.hyperparameters,
        processes=processes,
        threads=job.threads,
        in_order=job.in_order,
    )

    is_first = processes.rank == 0
    display = Display(job, model.n_parameters, StopRequests(), quiet=not is_first)
    display.plan()
    display.before_trial()
    times = np.diff(step_ends(model, job.hyperparameters))
    display.trial(float(np.median(times)), machine.peak_memory())


if __name__ == "__main__":
    sys.exit(main())
