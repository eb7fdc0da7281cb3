"""Training from the command line: ``charrnn-train``."""
import argparse
import contextlib
import itertools
import os
import statistics
import sys
import time
from typing import Any, Dict, Optional, Sequence

from charrnn import checkpoints
from charrnn.checkpoints import CheckpointError
from charrnn.checkpoints.record import IMMUTABLE
from charrnn.data import StrPath, get_batches
from charrnn.engines import loading
from charrnn.engines.opened_model import Model
from charrnn.system import console, machine
from charrnn.system.tensorflow import require_tensorflow
from charrnn.text import corpus
from charrnn.train import train_job
from charrnn.training import transfer
from charrnn.training.distributed import Processes, start_processes
from charrnn.training.hyperparameters import AUTO, GROUPS, NAMES, PRESETS, Hyperparameters, add_arguments, flag, preset
from charrnn.training.job import Job, Options, plan_job, run_to_resume

DRY_RUN_STEPS = 5


def make_parser() -> console.Parser:
    """Return the parser of ``charrnn-train``."""
    parser = console.Parser(
        prog="charrnn-train",
        description="Train a character-wise LSTM on a text. The defaults are the notebook's recipe.")
    parser.add_argument("--preset", choices=sorted([*PRESETS, AUTO]),
                        help="set of hyperparameters to start from; auto chooses them by the length of the text. "
                        "Other flags override it (default: notebook)")
    parser.add_argument("--dry-run", action="store_true",
                        help="print the plan, try a few steps to estimate memory and time, and write nothing")
    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    groups["text"].add_argument(
        "text", metavar="TEXT", nargs="*", help="a text file, perhaps compressed with gzip; a folder, for all text "
        "files in it; - for standard input; or one of the known texts "
        f"{', '.join([*corpus.KNOWN_TEXTS, corpus.PYTHON])}. Several are joined into one text (default: anna)")
    groups["text"].add_argument(
        "--separator", metavar="STRING", default="\n", help="string between several files (default: one line end)")
    groups["text"].add_argument(
        "--encoding", metavar="NAME", default="utf-8",
        help="encoding of files without a byte order mark (default: utf-8)")
    groups["network"].add_argument(
        "--init-from", metavar="MODEL", help="take the initial weights and the sizes from a checkpoint, a run "
        "folder, an exported .npz file or a known model. Characters that it does not know get new weights")
    loading.add_vocabulary_arguments(groups["network"])
    groups["speed"].add_argument(
        "--threads", metavar="N", type=int, help="threads to use (default: one for each core of the process)")
    reports = groups["checkpoints and reports"]
    reports.add_argument("--checkpoint-dir", metavar="DIR",
                         help="folder of the run (default: checkpoints; if that holds another run, checkpoints/2 and "
                         "so on)")
    reports.add_argument("--resume", action="store_true",
                         help="continue the run in DIR, by default the newest of checkpoints, checkpoints/2 "
                         "and so on, with its text and hyperparameters. Flags change these, except "
                         f"{', '.join(map(flag, IMMUTABLE))}")
    reports.add_argument("--sample-length", metavar="N", type=int, default=200,
                         help="characters to sample at each checkpoint; 0 for none (default: 200)")
    reports.add_argument("--no-summaries", dest="summaries", action="store_false",
                         help="do not write event files for TensorBoard")
    add_arguments(groups)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run ``charrnn-train``. Return its exit status: 0, 2 for bad input, or 128 + the signal that stopped it."""
    return console.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    require_tensorflow()
    processes = start_processes()
    with processes.watched(args.checkpoint_dir):
        job = processes.from_first(lambda: _job(args, processes.size))
        if args.dry_run:
            dry_run(job, processes)
            return 0
        _, stopped_by = train_job(job, processes)
    return 128 + stopped_by if stopped_by else 0


def _job(args: argparse.Namespace, n_processes: int) -> Job:
    """Return the job that the arguments describe."""
    for name in ("vocab_from", "vocab_order"):
        if getattr(args, name) is not None and args.init_from is None:
            raise ValueError(f"{flag(name)} needs --init-from")
    folder = checkpoints.run_folder(args.checkpoint_dir, args.resume)
    values, init_from, text = None, None, None
    if args.resume:
        values = _hyperparameters_to_resume(args, folder)
    if args.init_from is not None:
        init_from = loading.open_given(args.init_from, args)
    if corpus.STANDARD_INPUT in args.text and "HOROVOD_RANK" in os.environ:
        raise ValueError("horovodrun does not pass on standard input: write the text to a file, and name this file")
    if args.text or not args.resume:
        text = corpus.read(args.text or ["anna"], args.encoding, separator=args.separator)
        console.print_skipped(text.skipped)
    hyperparameters = _hyperparameters(args, values, init_from, len(text.text) if text else 0)
    options = Options(args.resume, args.sample_length, args.threads, args.summaries)
    return plan_job(text, hyperparameters, folder, options, init_from, n_processes)


def _hyperparameters_to_resume(args: argparse.Namespace, folder: StrPath) -> Dict[str, Any]:
    """Return the hyperparameters of the run that the arguments name. Raise ValueError if it cannot be resumed."""
    for name in ("preset", "dry_run"):
        if getattr(args, name):
            raise ValueError(f"{flag(name)} is for a new run and cannot be combined with --resume")
    for name in args.text:
        if not corpus.is_known(name) and checkpoints.is_run(name):
            raise ValueError(f"{name} is the folder of a run: name it with --checkpoint-dir")
    return run_to_resume(folder).hyperparameters


def _hyperparameters(args: argparse.Namespace, values: Optional[Dict[str, Any]], init_from: Optional[Model],
                     n_characters: int) -> Hyperparameters:
    """Return the hyperparameters of the run to resume or of a preset, changed by the flags that are given."""
    if values is None:
        network = transfer.network_of(init_from) if init_from else {}
        values = preset(args.preset or "notebook", n_characters)
        # auto takes the sizes of the model; those of another preset stay, and plan_job refuses them if they differ
        values = {**values, **network} if args.preset == AUTO else {**network, **values}
    given = {name: getattr(args, name) for name in NAMES if getattr(args, name) is not None}
    hyperparameters = Hyperparameters(**{**values, **given})
    try:
        hyperparameters.check()
    except ValueError as error:
        raise ValueError(f"{error} (with --preset {args.preset})" if args.preset else str(error))
    return hyperparameters


def dry_run(job: Job, processes: Processes) -> None:
    """Print the plan, and an estimate of memory and time from a few steps. Nothing is written."""
    from charrnn.training.trainer import Trainer
    if processes.rank == 0:
        try:
            checkpoints.check_unused(job.folder)
        except CheckpointError as error:
            console.print_note(f"charrnn-train: without --dry-run, this command would be refused: {error}")
    with contextlib.closing(Trainer(job, processes)) as trainer:
        trainer.display.plan()
        times, hyper, rows, state = [], job.hyperparameters, trainer.rows, trainer.network.zero_state
        windows = itertools.cycle(get_batches(job.training, hyper.batch_size, hyper.num_steps))
        for step, (x, y) in enumerate(itertools.islice(windows, DRY_RUN_STEPS)):
            started = time.perf_counter()
            _, _, state = trainer.network.step(x[rows], y[rows], state, trainer.learning_rate(step), step)
            times.append(time.perf_counter() - started)
        trainer.display.trial(statistics.median(times), machine.peak_memory())


if __name__ == "__main__":
    sys.exit(main())
