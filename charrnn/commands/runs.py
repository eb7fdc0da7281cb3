"""Comparing runs: ``charrnn-runs``."""
import argparse
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
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import FIRST
from charrnn.checkpoints.record import names_with
from charrnn.checkpoints.run import read_history
from charrnn.commands import arguments
from charrnn.data import StrPath, count_windows, split
from charrnn.system import errors, files, terminal, words

COLUMNS = ("run", "text", "network", "batch", "precision", "seed", "steps", "loss", "best", "bits", "test", "char/s",
           "saved")
LOSSES = ("loss", "best", "best_bits", "test", "test_bits")


def find_runs(folder: StrPath) -> Iterator[Path]:
    """Yield the run folders at and below a folder, sorted by path."""
    for place, folders, _ in os.walk(str(folder)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if record.is_run(place):
            yield Path(place)


def summary(folder: StrPath) -> Dict[str, Any]:
    """Return what a run is and how far it is, as a dict of JSON types; None where something is not known.

    The losses are in nats per character: the last that was printed, which is that of one batch, with dropout; the
    lowest validation loss; and that on the test text. The latter two are there in bits too. A run has ended if it has
    done its last step, or has stopped early.

    Raises:
        CheckpointError: it is no run, or its record is damaged.
    """
    run, history = record.read_run(folder), read_history(folder)
    hyper = run.hyperparameters
    measured = {name: values[~np.isnan(values)].tolist() for name, values in history.items()}
    names = names_with(Path(folder), ".json")
    saved = os.path.getmtime(str(Path(folder) / f"{names[-1]}.json")) if names else None
    training, _, _ = split(record.read_text(run), hyper.val_fraction, hyper.test_fraction)
    total = hyper.epochs * count_windows(len(training), hyper.batch_size, hyper.num_steps)
    best, step = min(measured["val_loss"], default=None), record.step_of(names[-1]) if names else 0
    since_best = len(measured["val_loss"]) - measured["val_loss"].index(best) - 1 if measured["val_loss"] else 0
    return {"run": str(folder), "text": run.text_name, "text_sha256": run.shuffled_sha256 or run.text_sha256,
            "hyperparameters": asdict(hyper), "init_from": run.init_from, "step": step, "steps": total,
            "ended": step == total or 0 < hyper.early_stop <= since_best,
            "loss": measured["loss"][-1] if measured["loss"] else None,
            "best": best, "best_bits": best and best / math.log(2),
            "test": run.test_loss, "test_bits": run.test_loss and run.test_loss / math.log(2),
            "characters_per_second": float(np.median(measured["characters_per_second"])) if measured["loss"] else None,
            "saved": saved and time.strftime("%Y-%m-%d %H:%M", time.localtime(saved))}


def means(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return the means of the runs that differ in nothing but the seed, as :func:`summary` returns a run.

    Only runs that have ended count. Instead of a folder and its steps, a mean has the folders and seeds of these, the
    seeds of the others, and the setting: the hyperparameters in which it differs from other means of the same text.
    """
    groups: Dict[str, Dict[int, Dict[str, Any]]] = {}  # by all but the seed, then by the seed
    for row in rows:
        hyper, seed = {**row["hyperparameters"], "seed": None}, row["hyperparameters"]["seed"]
        settings = json.dumps([row["text_sha256"], row["init_from"], hyper], sort_keys=True)
        group = groups.setdefault(settings, {})
        if row["ended"] or seed not in group:  # of two runs with one seed, one that has ended counts
            group[seed] = row
    found = [_mean(group) for group in groups.values() if sum(row["ended"] for row in group.values()) > 1]
    for mean in found:
        settings_of_text = [{**other["hyperparameters"], "init_from": other["init_from"]} for other in found
                            if other["text_sha256"] == mean["text_sha256"]]
        own = {**mean["hyperparameters"], "init_from": mean["init_from"]}
        mean["setting"] = words.listed(f"{name} {value}" for name, value in own.items()
                                       if any(other[name] != value for other in settings_of_text))
    return found


def _mean(group: Dict[int, Dict[str, Any]]) -> Dict[str, Any]:
    """Return the mean of runs by their seeds."""
    ended = {seed: row for seed, row in group.items() if row["ended"]}
    first, *_ = ended.values()
    mean = {"seeds": list(ended), "seeds_not_ended": [seed for seed in group if seed not in ended],
            "runs": [row["run"] for row in ended.values()], "text": first["text"], "text_sha256": first["text_sha256"],
            "hyperparameters": {**first["hyperparameters"], "seed": None}, "init_from": first["init_from"]}
    for name in LOSSES:
        values = [row[name] for row in ended.values()]
        mean[name], mean[f"{name}_deviation"] = (None, None) if None in values else (
            statistics.mean(values), statistics.stdev(values))
    return mean


def _seeds(mean: Dict[str, Any]) -> str:
    count, others = len(mean["seeds"]), len(mean["seeds_not_ended"])
    return f"{count} of {count + others} seeds" if others else f"{count} seeds"


def _cells(row: Dict[str, Any]) -> List[str]:
    """Return a row of the table, for COLUMNS."""
    hyper, speed, is_mean = row["hyperparameters"], row.get("characters_per_second"), "seeds" in row
    losses = ["-" if row[name] is None else f"{row[name]:.4f}" + (
        f"±{row[name + '_deviation']:.4f}" if is_mean else "") for name in LOSSES[:4]]
    return [", ".join(filter(None, ["mean", row["setting"]])) if is_mean else row["run"], row["text"][-30:],
            f"{hyper['num_layers']} x {hyper['lstm_size']} {hyper['cell']}",
            f"{hyper['batch_size']} x {hyper['num_steps']}", hyper["precision"],
            _seeds(row) if is_mean else str(hyper["seed"]),
            "-" if is_mean else f"{row['step']:,} of {row['steps']:,}", *losses,
            "-" if speed is None else f"{speed:,.0f}", row.get("saved") or "-"]


def _curve(rows: List[Dict[str, Any]], name: str, over: str) -> np.ndarray:
    """Return what some runs measured at the steps that all of them have, [3, steps].

    These are their mean steps or hours, and the mean and the standard deviation of a column of the history.
    """
    curves = []
    for row in rows:
        history, hyper = read_history(row["run"]), row["hyperparameters"]
        x = history["step"]
        if over == "time" and row["loss"] is not None:
            speed = history["characters_per_second"]
            speed = np.where(np.isnan(speed), np.nanmedian(speed), speed)
            x = np.cumsum(np.diff(x, prepend=0) * hyper["batch_size"] * hyper["num_steps"] / speed) / 3600
        known = ~np.isnan(history[name])
        curves.append(dict(zip(history["step"][known], zip(x[known], history[name][known]))))
    steps = sorted(set(curves[0]).intersection(*curves[1:]))
    points = np.array([[curve[step] for step in steps] for curve in curves]).reshape(len(rows), len(steps), 2)
    return np.array([*points.mean(axis=0).T, points[:, :, 1].std(axis=0, ddof=int(len(rows) > 1))])


def plot(rows: List[Dict[str, Any]], path: str, over: str) -> None:
    """Draw the losses of runs over steps, or over hours of training, in a picture.

    Runs that differ only in the seed and have ended are drawn as their mean, with a band of a standard deviation.

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
    drawn = [(", ".join(filter(None, [mean["text"][-30:], mean["setting"], f"mean of {_seeds(mean)}"])),
              [row for row in rows if row["run"] in mean["runs"]]) for mean in means(rows)]
    drawn += [(row["run"], [row]) for row in rows if not any(row in some for _, some in drawn)]
    for number, (label, some) in enumerate(drawn):
        for name, style in (("loss", "-"), ("val_loss", "--")):
            x, losses, deviation = _curve(some, name, over)
            if len(x):
                axes.plot(x, losses, style, color=f"C{number % 10}", marker="o" if len(x) == 1 else "",
                          label=label + (", validation" if name == "val_loss" else ""))
            if len(some) > 1:
                axes.fill_between(x, losses - deviation, losses + deviation, color=f"C{number % 10}", alpha=0.2)
    axes.set(xlabel="hours" if over == "time" else "steps", ylabel="loss, nats per character")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:] or "png", bbox_inches="tight")
    files.write_atomically(files.target_of(path), content.getvalue())


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-runs``."""
    parser = arguments.Parser(prog="charrnn-runs", description="Compare runs: how far each is, its last loss, its "
                            "lowest validation loss in nats and bits, its test loss and its speed. Of the runs on a "
                            "text, the best comes first. Runs that differ only in the seed also have a mean.")
    parser.add_argument("folders", metavar="FOLDER", nargs="*", default=[FIRST],
                        help=f"folders of runs, or folders with such folders in them (default: {FIRST})")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true", help="print JSON, with all hyperparameters and the means")
    either.add_argument("--plot", metavar="FILE", help="draw the losses in an SVG or PNG file; needs Matplotlib")
    parser.add_argument("--over", choices=("steps", "time"),
                        help="with --plot: what is on the horizontal axis (default: steps)")
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-runs``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    arguments.check_needs(args, over=["plot"])
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
        print(json.dumps([*rows, *means(rows)], indent=1))
    else:
        table = [COLUMNS, *map(_cells, rows), *map(_cells, means(rows))]
        widths = [max(map(len, column)) for column in zip(*table)]
        for cells in table:
            line = "  ".join(map(str.ljust, cells, widths)).rstrip()
            terminal.write(line.replace("\n", "\\n") + "\n", sys.stdout)
