"""Comparing runs: ``charrnn-runs``."""

import argparse
import itertools
import json
import math
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import FIRST
from charrnn.checkpoints.progress import read_history
from charrnn.checkpoints.record import RunRecord, names_with
from charrnn.commands import arguments
from charrnn.data import StrPath
from charrnn.system import errors, terminal
from charrnn.system.commands_to_type import command, flags_of, quoted

TABLE_HEAD = (
    "run",
    "text",
    "start",
    "network",
    "batch",
    "precision",
    "seed",
    "steps",
    "loss",
    "best",
    "bits",
    "test",
    "char/s",
    "saved",
)
# the losses in the table
LOSSES = ("loss", "best", "best_bits", "test")
# A run, as summary() returns it.
Run = Dict[str, Any]


def find_runs(folder: StrPath) -> Iterator[Path]:
    """Yield the run folders at and below a folder, sorted by path."""
    for path, subfolders, _ in os.walk(str(folder)):
        # os.walk then goes into these, in this order.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if record.is_run(path):
            yield Path(path)


def summary(folder: StrPath) -> Run:
    """Return what a run is and how far it is, as a dict of JSON types; None where something is not known.

    The losses are in nats per character. ``loss`` is the last that was printed: that of one step, with dropout.
    ``best`` is the lowest validation loss, and ``test`` the loss on the test text. These two are also there in bits. A
    run has ``ended`` if it has done its last step, or has stopped early.

    Raises:
        CheckpointError: it is no run, or its record is damaged.
    """
    run = record.read_run(folder)
    hyper = run.hyperparameters
    step, saved = _newest_checkpoint(Path(folder))
    training, held_out, test = run.divide(run.text())
    total = run.total_steps(len(training))

    history = read_history(folder)
    measured = {name: values[~np.isnan(values)].tolist() for name, values in history.items()}
    losses = measured["loss"]
    val_losses = measured["val_loss"]
    best = min(val_losses, default=None)
    evaluations_since_best = 0
    if val_losses:
        evaluations_since_best = len(val_losses) - 1 - val_losses.index(best)
    stopped_early = 0 < hyper.early_stop <= evaluations_since_best

    loss = None
    speed = None
    if losses:
        loss = losses[-1]
        speed = float(np.median(measured["characters_per_second"]))

    return {
        "run": str(folder),
        "text": run.text_name,
        "text_sha256": run.shuffled_sha256 or run.text_sha256,
        "lengths": {"training": len(training), "held_out": len(held_out), "test": len(test)},
        "hyperparameters": asdict(hyper),
        "init_from": run.init_from,
        "init_from_sha256": run.init_from_sha256,
        "step": step,
        "steps": total,
        "ended": step >= total or stopped_early,
        "loss": loss,
        "best": best,
        "best_bits": _in_bits(best),
        "test": run.test_loss,
        "test_bits": _in_bits(run.test_loss),
        "characters_per_second": speed,
        "saved": saved,
    }


def _newest_checkpoint(folder: Path) -> Tuple[int, Optional[str]]:
    """Return the step of the newest checkpoint of a run, and when it was saved; 0 and None if there is none."""
    names = names_with(folder, ".json")
    if not names:
        return 0, None
    saved = time.localtime(os.path.getmtime(str(folder / f"{names[-1]}.json")))
    return record.step_of(names[-1]), time.strftime("%Y-%m-%d %H:%M", saved)


def _in_bits(nats: Optional[float]) -> Optional[float]:
    return None if nats is None else nats / math.log(2)


def _cells_of_run(row: Run) -> List[str]:
    """Return the row of a run in the table, for TABLE_HEAD."""
    hyper = row["hyperparameters"]
    losses = ["-" if row[name] is None else f"{row[name]:.4f}" for name in LOSSES]
    speed = "-"
    if row["characters_per_second"] is not None:
        speed = f"{row['characters_per_second']:,.0f}"
    return [
        row["run"],
        row["text"][-30:],
        (row["init_from"] or "-")[-30:],
        f"{hyper['num_layers']} x {hyper['lstm_size']} {hyper['cell']}",
        f"{hyper['batch_size']} x {hyper['num_steps']}",
        hyper["precision"],
        str(hyper["seed"]),
        f"{row['step']:,} of {row['steps']:,}",
        *losses,
        speed,
        row["saved"] or "-",
    ]


def command_like(run: RunRecord) -> str:
    """Return what to type to train a run on the same text with the same hyperparameters, from its beginning."""
    flags = flags_of(replace(run.hyperparameters, threads=None))
    if run.init_from is not None:
        flags = f"--init-from {quoted(run.init_from)} {flags}"
    return command("train", flags, text=quoted(run.text_name))


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-runs``."""
    parser = arguments.Parser(
        prog="charrnn-runs",
        usage="%(prog)s [-h] [options] [FOLDER ...]",
        description="Compare runs: how far each is, its last loss, its lowest validation loss in nats and bits, its "
        "test loss and its speed. Of the runs on a text, the best comes first. Of a single run, the "
        "command that trains one like it is printed too.",
    )
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="*",
        default=[FIRST],
        help=f"folders of runs, or folders with such folders in them (default: {FIRST})",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON, with all hyperparameters and the lengths of the parts of the text",
    )
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-runs``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    rows = compare_runs(args.folders)
    if not rows:
        raise ValueError(f"there is no run in {', '.join(args.folders)}")
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    _print_table([TABLE_HEAD, *map(_cells_of_run, rows)])
    if len(rows) == 1:
        run = record.read_run(rows[0]["run"])
        _print_line(f"To train a run like it: {command_like(run)}")


def compare_runs(folders: Union[StrPath, Sequence[StrPath]] = FIRST) -> List[Run]:
    """Compare runs, as ``charrnn-runs --json`` does.

    Args:
        folders: a folder of a run, or one with such folders in it; or several.

    Returns:
        A dict of JSON types for each run, as :func:`summary` returns it, those on one text sorted by their lowest
        validation loss. A run that cannot be read is left out, and named on standard error.
    """
    if isinstance(folders, (str, Path)):
        folders = [folders]
    return _sorted(_read([str(folder) for folder in folders]))


def _read(folders: List[str]) -> List[Run]:
    """Return the runs in some folders, each once. Name what has none, and what cannot be read."""
    runs_in = {folder: list(find_runs(folder)) for folder in folders}
    # Where no folder has any, the error names them all.
    if any(runs_in.values()):
        empty = [folder for folder, runs in runs_in.items() if not runs]
        terminal.print_skipped(f"there is no run in {folder}" for folder in empty)

    rows = []
    for run in dict.fromkeys(itertools.chain(*runs_in.values())):
        try:
            rows.append(summary(run))
        except (ValueError, OSError) as error:
            terminal.print_skipped([f"{run}: {errors.described(error)}"])
    return rows


def _sorted(rows: List[Run]) -> List[Run]:
    """Sort runs by their texts, and those of a text by their losses, the best first."""
    # A text may have several names: one of them stands for it.
    name_of_text = {row["text_sha256"]: row["text"] for row in rows}

    def key(row: Run) -> Tuple[str, str, float, float]:
        best = math.inf if row["best"] is None else row["best"]
        loss = math.inf if row["loss"] is None else row["loss"]
        return name_of_text[row["text_sha256"]], row["text_sha256"], best, loss

    return sorted(rows, key=key)


def _print_table(table: List[Any]) -> None:
    columns = zip(*table)
    widths = [max(map(len, column)) for column in columns]
    for cells in table:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths)]
        _print_line("  ".join(padded).rstrip())


def _print_line(line: str) -> None:
    terminal.write(line.replace("\n", "\\n") + "\n", sys.stdout)
