"""Training from the command line: ``charrnn-train``."""

import argparse
import sys
from typing import Optional, Sequence

from charrnn.checkpoints import record
from charrnn.commands import arguments
from charrnn.commands.named_models import add_vocabulary_argument, open_at
from charrnn.commands.settings_flags import add_settings, given_settings
from charrnn.hyperparameters import AUTO, GROUPS, NOT_RESUMABLE, Hyperparameters
from charrnn.system import terminal
from charrnn.system.commands_to_type import flag
from charrnn.system.interrupts import StopRequests
from charrnn.system.tensorflow import graphs, require_tensorflow
from charrnn.text import corpus
from charrnn.train import train_job
from charrnn.training.distributed import Processes, connect_processes
from charrnn.training.job import Job, plan_job
from charrnn.training.presets import PRESETS
from charrnn.training.start import NONE

# what --init-from can be besides a model
WORDS = (AUTO, NONE)


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
        "--dry-run",
        action="store_true",
        help="print the plan and about how much memory the run takes, and write nothing",
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
    add_vocabulary_argument(groups["network"])

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
        _, stopped_by, _ = train_job(job, processes)
    return 128 + stopped_by if stopped_by else 0


def _job(args: argparse.Namespace, n_processes: int, threads: int) -> Job:
    """Return the job that the arguments describe."""
    _check(args)
    init_from = args.init_from
    if init_from is not None and init_from not in WORDS:
        init_from = open_at(init_from, args)
    text = None
    if args.text or not args.resume:
        text = corpus.read(args.text or ["anna"], args.encoding or "utf-8")
        terminal.print_skipped(text.skipped)

    job = plan_job(
        text,
        given_settings(Hyperparameters, args),
        args.checkpoint_dir,
        resume=args.resume,
        preset=args.preset,
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
    arguments.check_needs(args, vocab_from=["init_from"])
    if args.init_from in WORDS and args.vocab_from:
        raise ValueError(f"--init-from {args.init_from} names no model, so it has no vocabulary")
    if args.dry_run and args.resume:
        raise ValueError("--dry-run cannot be combined with --resume")

    if args.resume:
        for name in args.text:
            if not corpus.is_known(name) and record.is_run(name):
                raise ValueError(f"{name} is the folder of a run: name it with --checkpoint-dir")


def dry_run(job: Job, processes: Processes) -> None:
    """Print the plan, and about how much memory the run takes. Nothing is written."""
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
    display.memory()


if __name__ == "__main__":
    sys.exit(main())
