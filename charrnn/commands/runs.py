"""Comparing runs: ``charrnn-runs``."""
import argparse
import itertools
import json
import math
import os
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import FIRST
from charrnn.checkpoints.record import names_with
from charrnn.checkpoints.run import read_history
from charrnn.commands import arguments
from charrnn.data import StrPath, count_windows, split
from charrnn.system import errors, terminal

COLUMNS = ("run", "text", "network", "batch", "precision", "seed", "steps", "loss", "best", "bits", "test", "char/s",
           "saved")


def find_runs(folder: StrPath) -> Iterator[Path]:
    """Yield the run folders at and below a folder, sorted by path."""
    for place, folders, _ in os.walk(str(folder)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if record.is_run(place):
            yield Path(place)


def summary(folder: StrPath) -> Dict[str, Any]:
    """Return what a run is and how far it is, as a dict of JSON types; None where something is not known.

    The losses are in nats per character: the last that was printed, which is that of one batch, with dropout; the
    lowest validation loss; and that on the test text. The latter two are there in bits too.

    Raises:
        CheckpointError: it is no run, or its record is damaged.
    """
    run, history = record.read_run(folder), read_history(folder, lambda line: terminal.print_skipped([line]))
    hyper = run.hyperparameters
    measured = {name: values[~np.isnan(values)].tolist() for name, values in history.items()}
    names = names_with(Path(folder), ".json")
    saved = os.path.getmtime(str(Path(folder) / f"{names[-1]}.json")) if names else None
    training, _, _ = split(record.read_text(run), hyper.val_fraction, hyper.test_fraction)
    total = hyper.epochs * count_windows(len(training), hyper.batch_size, hyper.num_steps)
    best = min(measured["val_loss"], default=None)
    return {"run": str(folder), "text": run.text_name, "text_sha256": run.shuffled_sha256 or run.text_sha256,
            "hyperparameters": asdict(hyper), "init_from": run.init_from,
            "step": record.step_of(names[-1]) if names else 0, "steps": total,
            "loss": measured["loss"][-1] if measured["loss"] else None,
            "best": best, "best_bits": best and best / math.log(2),
            "test": run.test_loss, "test_bits": run.test_loss and run.test_loss / math.log(2),
            "characters_per_second": float(np.median(measured["characters_per_second"])) if measured["loss"] else None,
            "saved": saved and time.strftime("%Y-%m-%d %H:%M", time.localtime(saved))}


def _cells(row: Dict[str, Any]) -> List[str]:
    """Return a row of the table, for COLUMNS."""
    hyper = row["hyperparameters"]
    loss, best, bits, test, speed = (f"{row[name]:{kind}}" if row[name] is not None else "-" for name, kind in (
        ("loss", ".4f"), ("best", ".4f"), ("best_bits", ".4f"), ("test", ".4f"), ("characters_per_second", ",.0f")))
    return [row["run"], row["text"][-30:], f"{hyper['num_layers']} x {hyper['lstm_size']} {hyper['cell']}",
            f"{hyper['batch_size']} x {hyper['num_steps']}", hyper["precision"], str(hyper["seed"]),
            f"{row['step']:,} of {row['steps']:,}", loss, best, bits, test, speed, row["saved"] or "-"]


def _means(rows: List[Dict[str, Any]]) -> Iterator[List[str]]:
    """Yield a row of the table for the runs that differ in nothing but the seed: mean and standard deviation."""
    groups: Dict[str, Dict[int, Dict[str, Any]]] = {}  # by all but the seed, then by the seed
    for row in rows:
        hyper = {**row["hyperparameters"], "seed": None}
        settings = [row["text_sha256"], row["init_from"], hyper, hyper["early_stop"] or row["step"]]
        groups.setdefault(json.dumps(settings, sort_keys=True), {})[row["hyperparameters"]["seed"]] = row
    for same in (list(group.values()) for group in groups.values() if len(group) > 1):
        columns = [[row[name] for row in same] for name in ("loss", "best", "best_bits", "test")]
        yield ["mean", *_cells(same[0])[1:5], f"{len(same)} seeds", "-", *(
            "-" if None in values else f"{statistics.mean(values):.4f}±{statistics.stdev(values):.4f}"
            for values in columns), "-", "-"]


def plot(rows: List[Dict[str, Any]], path: str, over: str) -> None:
    """Draw the losses of runs over steps, or over hours of training, in a picture.

    Raises:
        ValueError: Matplotlib is not installed, or does not know the ending of the path.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("--plot needs Matplotlib: pip install matplotlib")
    if all(row["loss"] is None and row["best"] is None for row in rows):
        raise ValueError("--plot has nothing to draw, because nothing was measured yet")
    figure = Figure(figsize=(9, 5))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for number, row in enumerate(rows):
        history, hyper = read_history(row["run"]), row["hyperparameters"]
        x = history["step"]
        if over == "time" and row["loss"] is not None:
            speed = history["characters_per_second"]
            speed = np.where(np.isnan(speed), np.nanmedian(speed), speed)
            x = np.cumsum(np.diff(x, prepend=0) * hyper["batch_size"] * hyper["num_steps"] / speed) / 3600
        for name, style in (("loss", "-"), ("val_loss", "--")):
            known = ~np.isnan(history[name])
            if known.any():
                axes.plot(x[known], history[name][known], style, color=f"C{number % 10}",
                          label=row["run"] + (", validation" if name == "val_loss" else ""))
    axes.set(xlabel="hours" if over == "time" else "steps", ylabel="loss, nats per character")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    try:
        figure.savefig(path, format=Path(path).suffix[1:] or "png")  # without it, Matplotlib would add an ending
    except OSError as error:
        raise OSError(error.errno, error.strerror, path or "--plot")


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-runs``."""
    parser = arguments.Parser(prog="charrnn-runs", description="Compare runs: how far each is, its last loss, its "
                            "lowest validation loss in nats and bits, its test loss and its speed. Of the runs on a "
                            "text, the best comes first. Runs that differ only in the seed also have a mean.")
    parser.add_argument("folders", metavar="FOLDER", nargs="*", default=[FIRST],
                        help=f"folders of runs, or folders with such folders in them (default: {FIRST})")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true", help="print JSON, with all hyperparameters")
    either.add_argument("--plot", metavar="FILE", help="draw the losses in an SVG or PNG file; needs Matplotlib")
    parser.add_argument("--over", choices=("steps", "time"),
                        help="with --plot: what is on the horizontal axis (default: steps)")
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-runs``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    if args.over and args.plot is None:
        raise ValueError("--over needs --plot")
    rows, places = [], {place: list(find_runs(place)) for place in args.folders or [FIRST]}
    if any(places.values()):
        terminal.print_skipped(f"there is no run in {place}" for place, runs in places.items() if not runs)
    for folder in dict.fromkeys(itertools.chain(*places.values())):
        try:
            rows.append(summary(folder))
        except (ValueError, OSError) as error:
            terminal.print_skipped([f"{folder}: {errors.described(error)}"])
    if not rows:
        raise ValueError(f"there is no run in {', '.join(args.folders)}")
    names = {row["text_sha256"]: row["text"] for row in rows}  # one for each text, which may have several
    rows.sort(key=lambda row: [names[row["text_sha256"]], row["text_sha256"], *(
        math.inf if row[name] is None else row[name] for name in ("best", "loss"))])
    if args.plot is not None:
        plot(rows, args.plot, args.over)
        terminal.write(f"wrote {args.plot}\n", sys.stdout)
    elif args.json:
        print(json.dumps(rows, indent=1))
    else:
        table = [COLUMNS, *map(_cells, rows), *_means(rows)]
        widths = [max(map(len, column)) for column in zip(*table)]
        for cells in table:
            line = "  ".join(map(str.ljust, cells, widths)).rstrip()
            terminal.write(line.replace("\n", "\\n") + "\n", sys.stdout)
