"""Comparing runs: ``charrnn-runs``."""

import argparse
import contextlib
import csv
import io
import itertools
import json
import math
import os
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import FIRST
from charrnn.checkpoints.progress import read_history
from charrnn.checkpoints.record import names_with
from charrnn.checkpoints.weights import read_packed
from charrnn.commands import arguments
from charrnn.data import StrPath
from charrnn.system import errors, terminal, words
from charrnn.text.corpus import RUN_FILE

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
# The losses of a run. The last one, the test loss in bits, is in the JSON only.
LOSSES = ("loss", "best", "best_bits", "test", "test_bits")
SHOWN_LOSSES = LOSSES[:4]
# what CSV has of a run, and of its hyperparameters
IN_CSV = ("run", "text", "init_from", "step", "steps", *LOSSES, "characters_per_second", "saved")
SETTINGS_IN_CSV = (
    "num_layers",
    "lstm_size",
    "cell",
    "batch_size",
    "num_steps",
    "learning_rate",
    "keep_prob",
    "precision",
    "seed",
)
# A run, as summary() returns it, or a mean, as means() does.
RunOrMean = Dict[str, Any]


def find_runs(folder: StrPath) -> Iterator[Path]:
    """Yield the run folders at and below a folder, sorted by path."""
    for path, subfolders, _ in os.walk(str(folder)):
        # os.walk then goes into these, in this order.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if record.is_run(path):
            yield Path(path)


def summary(folder: StrPath) -> RunOrMean:
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


def details(folder: StrPath) -> Dict[str, Any]:
    """Return what is in the JSON only: the number of weights and biases of a run, and the versions.

    These are the versions of charrnn and of TensorFlow with which it was last started. What is not known is None.
    """
    parameters = None
    names = names_with(Path(folder), ".npz")
    if names:
        with contextlib.suppress(OSError, ValueError):
            weights, *_ = read_packed(Path(folder) / f"{names[-1]}.npz")
            parameters = sum(values.size for values in weights.values())

    about: Dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        about = record.read_signed(Path(folder) / RUN_FILE)
    versions = {name: about.get(name) for name in ("charrnn", "tensorflow")}
    return {"parameters": parameters, "versions": versions}


def _in_bits(nats: Optional[float]) -> Optional[float]:
    return None if nats is None else nats / math.log(2)


def means(rows: List[RunOrMean]) -> List[RunOrMean]:
    """Return the mean of each group of runs that differ in seed and threads alone, if at least two of them have ended.

    A mean has the text, the hyperparameters and the losses that :func:`summary` returns of a run, and the standard
    deviations of the losses. It also has the folders and seeds of its runs, which are those that have ended; the seeds
    of the others; and the setting: the hyperparameters in which it differs from other means of the same text.
    """
    # The runs of each group by their seeds. The key of a group is all else that leads to a result, as a string.
    groups: Dict[str, Dict[int, RunOrMean]] = {}
    for row in rows:
        seed = row["hyperparameters"]["seed"]
        start = [row["init_from"], row["init_from_sha256"]]
        key = json.dumps([row["text_sha256"], start, _shared(row)], sort_keys=True)
        group = groups.setdefault(key, {})

        # Of two runs with one seed, one that has ended counts.
        if row["ended"] or seed not in group:
            group[seed] = row

    every_mean = []
    for group in groups.values():
        ended_count = sum(row["ended"] for row in group.values())
        if ended_count > 1:
            every_mean.append(_mean(group))

    for mean in every_mean:
        same_text = [other for other in every_mean if other["text_sha256"] == mean["text_sha256"]]
        mean["setting"] = _setting(mean, same_text)
    return every_mean


def _setting(mean: RunOrMean, others: List[RunOrMean]) -> str:
    """Return in words the hyperparameters in which a mean differs from any of the others."""
    differing = []
    for name, value in _with_init_from(mean).items():
        if any(_with_init_from(other)[name] != value for other in others):
            differing.append(f"{name} {value}")
    return words.listed(differing)


def _with_init_from(row: RunOrMean) -> Dict[str, Any]:
    """Return the hyperparameters, and the model that a run began from as one of them."""
    return {**row["hyperparameters"], "init_from": row["init_from"]}


def _shared(row: RunOrMean) -> Dict[str, Any]:
    """Return the hyperparameters that the runs of a mean share: all but the seed, and the threads of their machines."""
    return {**row["hyperparameters"], "seed": None, "threads": None}


def _mean(group: Dict[int, RunOrMean]) -> RunOrMean:
    """Return the mean of those runs of a group that have ended. The keys of the group are the seeds."""
    rows = [row for row in group.values() if row["ended"]]
    first = rows[0]
    mean = {
        "seeds": [seed for seed, row in group.items() if row["ended"]],
        "seeds_not_ended": [seed for seed, row in group.items() if not row["ended"]],
        "runs": [row["run"] for row in rows],
        "text": first["text"],
        "text_sha256": first["text_sha256"],
        "hyperparameters": _shared(first),
        "init_from": first["init_from"],
        "init_from_sha256": first["init_from_sha256"],
    }
    for name in LOSSES:
        losses = [row[name] for row in rows]
        mean[name] = None
        mean[f"{name}_deviation"] = None
        if None not in losses:
            mean[name] = statistics.mean(losses)
            mean[f"{name}_deviation"] = statistics.stdev(losses)
    return mean


def _seeds_in_words(mean: RunOrMean) -> str:
    ended = len(mean["seeds"])
    others = len(mean["seeds_not_ended"])
    return f"{ended} of {ended + others} seeds" if others else f"{ended} seeds"


def _cells_of_run(row: RunOrMean) -> List[str]:
    """Return the row of a run in the table, for TABLE_HEAD."""
    losses = ["-" if row[name] is None else f"{row[name]:.4f}" for name in SHOWN_LOSSES]
    speed = "-"
    if row["characters_per_second"] is not None:
        speed = f"{row['characters_per_second']:,.0f}"
    seed = str(row["hyperparameters"]["seed"])
    steps = f"{row['step']:,} of {row['steps']:,}"
    return [row["run"], *_cells_of_setting(row), seed, steps, *losses, speed, row["saved"] or "-"]


def _cells_of_mean(mean: RunOrMean) -> List[str]:
    """Return the row of a mean in the table, for TABLE_HEAD."""
    name = f"mean, {mean['setting']}" if mean["setting"] else "mean"
    losses = []
    for loss in SHOWN_LOSSES:
        cell = "-"
        if mean[loss] is not None:
            cell = f"{mean[loss]:.4f}±{mean[loss + '_deviation']:.4f}"
        losses.append(cell)
    return [name, *_cells_of_setting(mean), _seeds_in_words(mean), "-", *losses, "-", "-"]


def _cells_of_setting(row: RunOrMean) -> List[str]:
    """Return what the row of a run and that of a mean have alike: the columns from text to precision."""
    hyper = row["hyperparameters"]
    return [
        row["text"][-30:],
        (row["init_from"] or "-")[-30:],
        f"{hyper['num_layers']} x {hyper['lstm_size']} {hyper['cell']}",
        f"{hyper['batch_size']} x {hyper['num_steps']}",
        hyper["precision"],
    ]


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-runs``."""
    parser = arguments.Parser(
        prog="charrnn-runs",
        usage="%(prog)s [-h] [options] [FOLDER ...]",
        description="Compare runs: how far each is, its last loss, its lowest validation loss in nats and bits, its "
        "test loss and its speed. Of the runs on a text, the best comes first. Runs that differ only in "
        "the seed also have a mean.",
    )
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="*",
        default=[FIRST],
        help=f"folders of runs, or folders with such folders in them (default: {FIRST})",
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--json",
        action="store_true",
        help="print JSON, with all hyperparameters, the number of parameters, the lengths of the parts of the "
        "text, the versions and the means",
    )
    either.add_argument(
        "--csv",
        action="store_true",
        help="print the runs as CSV, with all digits and without the means",
    )
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-runs``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    rows = _sorted(_read(args.folders))
    if not rows:
        raise ValueError(f"there is no run in {', '.join(args.folders)}")
    if args.json:
        print(json.dumps(_with_means(rows), indent=1))
    elif args.csv:
        _print_csv(rows)
    else:
        _print_table([TABLE_HEAD, *map(_cells_of_run, rows), *map(_cells_of_mean, means(rows))])


def compare_runs(folders: Union[StrPath, Sequence[StrPath]] = FIRST) -> List[RunOrMean]:
    """Compare runs, as ``charrnn-runs --json`` does.

    Args:
        folders: a folder of a run, or one with such folders in it; or several.

    Returns:
        A dict of JSON types for each run, those on one text sorted by their lowest validation loss, and for each mean
        of runs that differ only in the seed. A run that cannot be read is left out, and named on standard error.
    """
    if isinstance(folders, (str, Path)):
        folders = [folders]
    return _with_means(_sorted(_read([str(folder) for folder in folders])))


def _with_means(rows: List[RunOrMean]) -> List[RunOrMean]:
    """Return runs with their details, and the means."""
    detailed = [{**row, **details(row["run"])} for row in rows]
    return [*detailed, *means(rows)]


def _read(folders: List[str]) -> List[RunOrMean]:
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


def _sorted(rows: List[RunOrMean]) -> List[RunOrMean]:
    """Sort runs by their texts, and those of a text by their losses, the best first."""
    # A text may have several names: one of them stands for it.
    name_of_text = {row["text_sha256"]: row["text"] for row in rows}

    def key(row: RunOrMean) -> Tuple[str, str, float, float]:
        best = math.inf if row["best"] is None else row["best"]
        loss = math.inf if row["loss"] is None else row["loss"]
        return name_of_text[row["text_sha256"]], row["text_sha256"], best, loss

    return sorted(rows, key=key)


def _print_csv(rows: List[RunOrMean]) -> None:
    """Print runs as CSV: what they are trained with, and what they measured. What is not known is empty."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([*IN_CSV, *SETTINGS_IN_CSV])
    for row in rows:
        settings = [row["hyperparameters"][name] for name in SETTINGS_IN_CSV]
        writer.writerow([*(row[name] for name in IN_CSV), *settings])
    terminal.write(lines.getvalue(), sys.stdout)


def _print_table(table: List[Any]) -> None:
    columns = zip(*table)
    widths = [max(map(len, column)) for column in columns]
    for cells in table:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths)]
        line = "  ".join(padded).rstrip()
        terminal.write(line.replace("\n", "\\n") + "\n", sys.stdout)
