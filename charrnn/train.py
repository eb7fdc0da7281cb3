"""Train a network: :func:`train`, and the script ``charrnn-train``, or ``python -m charrnn.train``."""
import argparse
import contextlib
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Callable, Optional, Sequence, Tuple

import numpy as np

from charrnn import checkpoints
from charrnn.checkpoints import IMMUTABLE, CheckpointError, Run
from charrnn.commands.train_arguments import PAGE_FILE, make_parser
from charrnn.data import StrPath, Vocabulary, check_text, split
from charrnn.engines import loading
from charrnn.engines.loading import Model
from charrnn.engines.sampler import CHARACTER_BYTES, check_text_memory, fresh_seed
from charrnn.inspection.page import export_page
from charrnn.system import console, machine
from charrnn.system.tensorflow import CONTRIB_CELLS, contrib_cell, require_tensorflow
from charrnn.text import corpus
from charrnn.training import transfer
from charrnn.training.distributed import Processes, read_same_text, start_processes
from charrnn.training.hyperparameters import (
    AUTO,
    NAMES,
    Hyperparameters,
    check_memory,
    flag,
    preset,
)

MOST_THREADS = 1000  # with tens of thousands, TensorFlow ends the process
PAGE_CHARACTERS = 10000  # fewer than charrnn-export reads, so that a page costs little of the time of training


def train(text: corpus.Text, hyperparameters: Hyperparameters = Hyperparameters(),
          checkpoint_dir: StrPath = "checkpoints", *, resume: bool = False, sample_length: int = 200,
          threads: Optional[int] = None, summaries: bool = True, init_from: Optional[Model] = None,
          dry_run: bool = False, processes: Optional[Processes] = None,
          after_best: Optional[Callable[[str], str]] = None) -> Optional[signal.Signals]:
    """Train a network on a text, and save checkpoints. This resets the default graph.

    On Ctrl-C, SIGTERM, SIGHUP or a closed standard output, the current step is finished, a checkpoint is saved, and
    training ends. A second signal ends it at once.

    Args:
        text: the training text.
        hyperparameters: the hyperparameters; a seed of None is replaced by a new one, which the run records.
        checkpoint_dir: the run folder.
        resume: continue the run in that folder. It must have the same text and the same values of IMMUTABLE.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use, 1 to MOST_THREADS; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        init_from: a checkpoint to take the initial weights from. It must have the same cell and sizes; the text
            may have other characters.
        dry_run: print the plan and an estimate of memory and time from a few steps, and write nothing.
        processes: the processes that train together, from ``start_processes()``; None for this one alone. Only
            the first one uses checkpoint_dir and init_from.
        after_best: called in the first process with the prefix of each checkpoint that is the best so far, or, if
            no text is held out for validation, of each checkpoint. It returns the path of what it has written. Its
            OSErrors and ValueErrors become warnings.

    Returns:
        The signal that ended the training early, or None.

    Raises:
        ValueError: the hyperparameters are out of range, the text is too short, the folder holds another run or
            one that is being trained, or it has no run to resume. Nothing is written then. Also if the loss
            becomes infinite or NaN during training.
        OSError: the folder cannot be written.

    Source: notebook, "training".
    """
    from charrnn.training.trainer import Trainer
    processes = processes or Processes()

    def planned() -> Tuple[Run, Optional[transfer.Transfer]]:
        hyperparameters.check()
        if hyperparameters.cell in CONTRIB_CELLS:
            contrib_cell(hyperparameters.cell)  # raises ValueError where TensorFlow does not have it
        if threads is not None and not 1 <= threads <= MOST_THREADS:
            raise ValueError(f"--threads must be from 1 to {MOST_THREADS}, not {threads}")
        if sample_length < 0:
            raise ValueError(f"--sample-length must be at least 0, not {sample_length}")
        check_text_memory(1, CHARACTER_BYTES * sample_length, "--sample-length")
        processes.rows(hyperparameters.batch_size)  # raises ValueError if they cannot share the batch
        if resume:
            return _resumed_run(checkpoint_dir, text, hyperparameters), None
        return _new_run(text, hyperparameters, init_from)

    def split_text() -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        least = np.min_scalar_type(len(run.vocabulary) - 1)  # of a long text, the ids take most of the memory
        parts = split(run.vocabulary.encode(text.text, least), hyper.val_fraction, hyper.test_fraction)
        _check_sizes(run, hyper, *parts)
        return parts

    with contextlib.ExitStack() as stack:
        run, moved = processes.from_first(planned)
        hyper = Hyperparameters(**run.hyperparameters)
        training, held_out, test = processes.everywhere(split_text)
        processes.from_first(lambda: _note_other_run(checkpoint_dir) if dry_run else stack.enter_context(
            checkpoints.reserved(checkpoint_dir, resume)))
        trainer = stack.enter_context(contextlib.closing(Trainer(
            run, hyper, training, held_out, checkpoint_dir, test=test, sample_length=sample_length,
            threads=threads, summaries=summaries, transfer=moved, processes=processes, after_best=after_best)))
        stopped_by = None
        if dry_run:
            trainer.try_out()
        else:
            trainer.start(resume)
            stopped_by = trainer.run()
    return stopped_by


def _note_other_run(folder: StrPath) -> None:
    """Print why a dry run would be refused as a real one, if its folder holds a run."""
    try:
        checkpoints.check_unused(folder)
    except CheckpointError as error:
        console.print_note(f"charrnn-train: without --dry-run, this command would be refused: {error}")


def _new_run(text: corpus.Text, hyper: Hyperparameters,
             init_from: Optional[Model]) -> Tuple[Run, Optional[transfer.Transfer]]:
    """Return the record of a new run, and where its initial weights come from."""
    if hyper.seed is None:
        hyper = replace(hyper, seed=fresh_seed(below=2 ** 31))
    moved = transfer.plan(init_from, text.text, hyper) if init_from else None
    vocabulary = moved.vocabulary if moved else Vocabulary.from_text(text.text)
    return Run(asdict(hyper), vocabulary, text.name, text.sha256, text.encoding,
               init_from=moved.checkpoint.name if moved else None, text_parts=text.parts,
               text_sizes=text.sizes), moved


def _resumed_run(folder: StrPath, text: corpus.Text, hyper: Hyperparameters) -> Run:
    """Return the record of the run in a folder with new settings. Raise CheckpointError if it cannot have them."""
    old, hyperparameters = checkpoints.read_run(folder), asdict(hyper)
    recorded = {**asdict(Hyperparameters()), **old.hyperparameters}  # an older version has not recorded all of them
    for what, before, now in [("SHA-256", old.text_sha256, text.sha256),
                              ("encoding", old.text_encoding, text.encoding)]:
        if before != now:
            raise CheckpointError(f"the run in {folder} was trained on {old.text_name} with the {what} {before}, "
                                  f"but {text.name} has {now}; without a TEXT, --resume reads the files of the run")
    for name in IMMUTABLE:
        if recorded[name] != hyperparameters[name]:
            raise CheckpointError(f"the run in {folder} has {flag(name)} {recorded[name]}, which "
                                  f"--resume cannot change to {hyperparameters[name]}")
    return replace(old, hyperparameters=hyperparameters, text_name=text.name, text_parts=text.parts,
                   text_sizes=text.sizes)


def _check_sizes(run: Run, hyper: Hyperparameters, training: np.ndarray, held_out: np.ndarray,
                 test: np.ndarray) -> None:
    """Raise ValueError if the text is too short or the memory too small for a run."""
    n_distinct = 1 + int(training.min() < training.max()) if len(training) else 0  # np.unique would sort a copy
    check_text(len(training), n_distinct, hyper.batch_size, hyper.num_steps)
    n_characters = len(training) + len(held_out) + len(test)
    for name, part in (("val_fraction", held_out), ("test_fraction", test)):
        fraction = getattr(hyper, name)
        if fraction and len(part) < 2:
            raise ValueError(f"{flag(name)} {fraction} holds out {len(part)} of the text's {n_characters:,} "
                             "characters, but at least 2 are needed")
    check_memory(len(run.vocabulary), hyper, machine.total_memory())


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run ``charrnn-train``. Return its exit status: 0, 2 for bad input, or 128 + the signal that stopped it."""
    return console.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    require_tensorflow()
    processes = start_processes()
    with processes.watched(args.checkpoint_dir):
        run, init_from = processes.from_first(lambda: _models(args))
        text = read_same_text(processes, lambda: _read_text(args, run))
        hyperparameters = processes.from_first(lambda: _hyperparameters(args, run, init_from, len(text.text)))
        if processes.rank == 0:
            console.print_skipped(text.skipped)
        stopped_by = train(text, hyperparameters, args.checkpoint_dir, resume=args.resume,
                           sample_length=args.sample_length, threads=args.threads, summaries=args.summaries,
                           init_from=init_from, dry_run=args.dry_run, processes=processes,
                           after_best=_page_writer(text) if args.page else None)
    return 128 + stopped_by if stopped_by else 0


def _models(args: argparse.Namespace) -> Tuple[Optional[Run], Optional[Model]]:
    """Return the run to resume, and the model to start from."""
    if args.vocab_from is not None and args.init_from is None:
        raise ValueError("--vocab-from needs --init-from")
    run = _run_to_resume(args) if args.resume else None
    init_from = None
    if args.init_from is not None:
        init_from = loading.open_model(args.init_from, loading.vocabulary_from(args))
    return run, init_from


def _hyperparameters(args: argparse.Namespace, run: Optional[Run], init_from: Optional[Model],
                     n_characters: int) -> Hyperparameters:
    """Return the hyperparameters of the run to resume or of a preset, changed by the flags that are given."""
    network = transfer.network_of(init_from) if init_from else {}
    if run:
        values = run.hyperparameters
    elif args.preset == AUTO:
        values = {**preset(AUTO, n_characters), **network}
    else:
        values = {**network, **preset(args.preset or "notebook", n_characters)}
    given = {name: getattr(args, name) for name in NAMES if getattr(args, name) is not None}
    hyperparameters = Hyperparameters(**{**values, **given})
    try:
        hyperparameters.check()
    except ValueError as error:
        of_preset = [f"{flag(name)} {value}" for name, value in values.items()
                     if args.preset and name not in given and flag(name) in str(error)]
        if of_preset:
            raise ValueError(f"{error} (--preset {args.preset} sets {' and '.join(of_preset)})")
        raise
    if args.page and hyperparameters.cell != "lstm":
        raise ValueError(f"--page is for --cell lstm only, not {hyperparameters.cell}")
    return hyperparameters


def _page_writer(text: corpus.Text) -> Callable[[str], str]:
    """Return a function that writes a checkpoint as a web page next to it, and returns the path of the page."""
    def write_page(prefix: str) -> str:
        path = Path(prefix).parent / PAGE_FILE
        export_page(checkpoints.open_checkpoint(prefix), path, text=text, characters=PAGE_CHARACTERS)
        return str(path)
    return write_page


def _read_text(args: argparse.Namespace, run: Optional[Run]) -> corpus.Text:
    """Read the text that the arguments name, or else the text of the run that is resumed."""
    parts = (run.text_parts if run else None) or {}
    encoding = (run.text_encoding if run else "utf-8") if args.encoding is None else args.encoding
    separator = parts.get("separator", "\n") if args.separator is None else (
        args.separator.replace("\\n", "\n").replace("\\t", "\t"))
    if run and not args.text:
        return loading.read_text_of(replace(
            run, text_encoding=encoding, text_parts={**parts, "separator": separator} if parts else None))
    return corpus.read(args.text or ["anna"], encoding, separator=separator)


def _run_to_resume(args: argparse.Namespace) -> Run:
    """Return the run that the arguments name. Raise ValueError if it cannot be resumed with them."""
    for name in ("preset", "init_from", "dry_run"):
        if getattr(args, name):
            raise ValueError(f"{flag(name)} is for a new run and cannot be combined with --resume")
    for name in args.text:
        if checkpoints.is_run(name):
            raise ValueError(f"{name} is the folder of a run: name it with --checkpoint-dir")
    run = checkpoints.read_run(args.checkpoint_dir)
    unknown = sorted(set(run.hyperparameters) - set(NAMES))
    if unknown:
        raise CheckpointError(f"the run in {args.checkpoint_dir} has hyperparameters that this version of charrnn "
                              f"does not know: {', '.join(map(repr, unknown))}")
    return run


if __name__ == "__main__":
    sys.exit(main())
