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
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import FIRST
from charrnn.checkpoints.record import names_with
from charrnn.checkpoints.run import read_history
from charrnn.commands import arguments
from charrnn.data import StrPath, count_windows, split
from charrnn.system import errors, files, terminal, words

COLUMNS = (
    "run",
    "text",
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
LOSSES = ("loss", "best", "best_bits", "test", "test_bits")
SHOWN_LOSSES = LOSSES[:4]  # those of COLUMNS
Row = Dict[str, Any]  # of a run, from summary(), or of a mean, from means()


def find_runs(folder: StrPath) -> Iterator[Path]:
    """Yield the run folders at and below a folder, sorted by path."""
    for place, folders, _ in os.walk(str(folder)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if record.is_run(place):
            yield Path(place)


def summary(folder: StrPath) -> Row:
    """Return what a run is and how far it is, as a dict of JSON types; None where something is not known.

    The losses are in nats per character: the last that was printed, which is that of one batch, with dropout; the
    lowest validation loss; and that on the test text. The latter two are there in bits too. A run has ended if it has
    done its last step, or has stopped early.

    Raises:
        CheckpointError: it is no run, or its record is damaged.
    """
    run = record.read_run(folder)
    hyper = run.hyperparameters
    step, saved = _newest_checkpoint(Path(folder))
    total = _total_steps(run)

    history = read_history(folder)
    measured = {name: values[~np.isnan(values)].tolist() for name, values in history.items()}
    losses = measured["loss"]
    val_losses = measured["val_loss"]
    best = min(val_losses, default=None)
    since_best = len(val_losses) - 1 - val_losses.index(best) if val_losses else 0
    speed = float(np.median(measured["characters_per_second"])) if losses else None

    return {
        "run": str(folder),
        "text": run.text_name,
        "text_sha256": run.shuffled_sha256 or run.text_sha256,
        "hyperparameters": asdict(hyper),
        "init_from": run.init_from,
        "step": step,
        "steps": total,
        "ended": step == total or 0 < hyper.early_stop <= since_best,
        "loss": losses[-1] if losses else None,
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


def _total_steps(run: record.RunRecord) -> int:
    hyper = run.hyperparameters
    training, _, _ = split(record.read_text(run), hyper.val_fraction, hyper.test_fraction)
    return hyper.epochs * count_windows(len(training), hyper.batch_size, hyper.num_steps)


def _in_bits(nats: Optional[float]) -> Optional[float]:
    return None if nats is None else nats / math.log(2)


def means(rows: List[Row]) -> List[Row]:
    """Return the means of the runs that differ in nothing but the seed, as :func:`summary` returns a run.

    Only runs that have ended count. Instead of a folder and its steps, a mean has the folders and seeds of these, the
    seeds of the others, and the setting: the hyperparameters in which it differs from other means of the same text.
    """
    groups: Dict[str, Dict[int, Row]] = {}  # by all but the seed, then by the seed
    for row in rows:
        seed = row["hyperparameters"]["seed"]
        without_seed = {**row["hyperparameters"], "seed": None}
        settings = json.dumps([row["text_sha256"], row["init_from"], without_seed], sort_keys=True)
        group = groups.setdefault(settings, {})
        if (
            row["ended"] or seed not in group
        ):  # of two runs with one seed, one that has ended counts
            group[seed] = row

    found = []
    for group in groups.values():
        if sum(row["ended"] for row in group.values()) > 1:
            found.append(_mean(group))
    for mean in found:
        same_text = [other for other in found if other["text_sha256"] == mean["text_sha256"]]
        mean["setting"] = _setting(mean, same_text)
    return found


def _setting(mean: Row, others: List[Row]) -> str:
    """Return in words the hyperparameters in which a mean differs from any of the others."""
    own = _hyperparameters(mean)
    differing = []
    for name, value in own.items():
        if any(_hyperparameters(other)[name] != value for other in others):
            differing.append(f"{name} {value}")
    return words.listed(differing)


def _hyperparameters(row: Row) -> Dict[str, Any]:
    return {**row["hyperparameters"], "init_from": row["init_from"]}


def _mean(group: Dict[int, Row]) -> Row:
    """Return the mean of runs by their seeds."""
    ended = {seed: row for seed, row in group.items() if row["ended"]}
    rows = list(ended.values())
    mean = {
        "seeds": list(ended),
        "seeds_not_ended": [seed for seed in group if seed not in ended],
        "runs": [row["run"] for row in rows],
        "text": rows[0]["text"],
        "text_sha256": rows[0]["text_sha256"],
        "hyperparameters": {**rows[0]["hyperparameters"], "seed": None},
        "init_from": rows[0]["init_from"],
    }
    for name in LOSSES:
        values = [row[name] for row in rows]
        is_known = None not in values
        mean[name] = statistics.mean(values) if is_known else None
        mean[f"{name}_deviation"] = statistics.stdev(values) if is_known else None
    return mean


def _is_mean(row: Row) -> bool:
    return "seeds" in row


def _seeds(mean: Row) -> str:
    count = len(mean["seeds"])
    others = len(mean["seeds_not_ended"])
    return f"{count} of {count + others} seeds" if others else f"{count} seeds"


def _cells(row: Row) -> List[str]:
    """Return a row of the table, for COLUMNS."""
    hyper = row["hyperparameters"]
    if _is_mean(row):
        name = ", ".join(filter(None, ["mean", row["setting"]]))
        seed = _seeds(row)
        steps = "-"
    else:
        name = row["run"]
        seed = str(hyper["seed"])
        steps = f"{row['step']:,} of {row['steps']:,}"
    speed = row.get("characters_per_second")
    return [
        name,
        row["text"][-30:],
        f"{hyper['num_layers']} x {hyper['lstm_size']} {hyper['cell']}",
        f"{hyper['batch_size']} x {hyper['num_steps']}",
        hyper["precision"],
        seed,
        steps,
        *[_loss_cell(row, loss) for loss in SHOWN_LOSSES],
        "-" if speed is None else f"{speed:,.0f}",
        row.get("saved") or "-",
    ]


def _loss_cell(row: Row, name: str) -> str:
    if row[name] is None:
        return "-"
    if _is_mean(row):
        return f"{row[name]:.4f}±{row[name + '_deviation']:.4f}"
    return f"{row[name]:.4f}"


def _points(row: Row, name: str, over: str) -> Dict[float, Tuple[float, float]]:
    """Return by step what a run measured: its place on the horizontal axis, and the value of a column of history.csv.

    The place is the step or the hours of training.
    """
    history = read_history(row["run"])
    steps = history["step"]
    places = steps
    if over == "time" and row["loss"] is not None:
        speed = history["characters_per_second"]
        speed = np.where(np.isnan(speed), np.nanmedian(speed), speed)
        hyper = row["hyperparameters"]
        characters = np.diff(steps, prepend=0) * hyper["batch_size"] * hyper["num_steps"]
        places = np.cumsum(characters / speed) / 3600
    values = history[name]
    return {
        step: (place, value)
        for step, place, value in zip(steps, places, values)
        if not np.isnan(value)
    }


def _curve(rows: List[Row], name: str, over: str) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what some runs measured at the steps that all of them have.

    These are arrays [steps]: their mean place on the horizontal axis, and the mean and the standard deviation of a
    column of the history.
    """
    curves = [_points(row, name, over) for row in rows]
    common_steps = sorted(set(curves[0]).intersection(*curves[1:]))
    shape = (len(rows), len(common_steps))
    places = np.array([[curve[step][0] for step in common_steps] for curve in curves]).reshape(
        shape
    )
    values = np.array([[curve[step][1] for step in common_steps] for curve in curves]).reshape(
        shape
    )
    deviations = values.std(axis=0, ddof=1 if len(rows) > 1 else 0)
    return places.mean(axis=0), values.mean(axis=0), deviations


def _lines(rows: List[Row]) -> List[Tuple[str, List[Row]]]:
    """Return the lines of a picture, with their labels: the runs of each mean, and each other run."""
    lines = []
    in_a_mean = set()
    for mean in means(rows):
        label = ", ".join(
            filter(None, [mean["text"][-30:], mean["setting"], f"mean of {_seeds(mean)}"])
        )
        lines.append((label, [row for row in rows if row["run"] in mean["runs"]]))
        in_a_mean.update(mean["runs"])
    for row in rows:
        if row["run"] not in in_a_mean:
            lines.append((row["run"], [row]))
    return lines


def plot(rows: List[Row], path: str, over: str) -> None:
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
    for number, (label, drawn) in enumerate(_lines(rows)):
        color = f"C{number % 10}"
        _draw(axes, _curve(drawn, "loss", over), "-", color, label, len(drawn))
        _draw(
            axes, _curve(drawn, "val_loss", over), "--", color, f"{label}, validation", len(drawn)
        )
    axes.set(xlabel="hours" if over == "time" else "steps", ylabel="loss, nats per character")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:] or "png", bbox_inches="tight")
    files.write_atomically(files.target_of(path), content.getvalue())


def _draw(
    axes: Any, curve: Tuple[np.ndarray, ...], style: str, color: str, label: str, n_runs: int
) -> None:
    x, losses, deviations = curve
    if len(x):
        marker = "o" if len(x) == 1 else ""
        axes.plot(x, losses, style, color=color, marker=marker, label=label)
    if n_runs > 1:
        axes.fill_between(x, losses - deviations, losses + deviations, color=color, alpha=0.2)


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-runs``."""
    parser = arguments.Parser(
        prog="charrnn-runs",
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
        "--json", action="store_true", help="print JSON, with all hyperparameters and the means"
    )
    either.add_argument(
        "--plot", metavar="FILE", help="draw the losses in an SVG or PNG file; needs Matplotlib"
    )
    parser.add_argument(
        "--over",
        choices=("steps", "time"),
        help="with --plot: what is on the horizontal axis (default: steps)",
    )
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-runs``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    arguments.check_needs(args, over=["plot"])
    rows = _sorted(_read(args.folders or [FIRST]))
    if not rows:
        raise ValueError(f"there is no run in {', '.join(args.folders)}")
    if args.plot is not None:
        plot(rows, args.plot, args.over)
        terminal.write(f"wrote {args.plot}\n", sys.stdout)
    elif args.json:
        print(json.dumps([*rows, *means(rows)], indent=1))
    else:
        _print_table([COLUMNS, *map(_cells, rows), *map(_cells, means(rows))])


def _read(places: List[str]) -> List[Row]:
    """Return the runs in some folders, each once. Name what has none, and what cannot be read."""
    found = {place: list(find_runs(place)) for place in places}
    if any(found.values()):
        terminal.print_skipped(
            f"there is no run in {place}" for place, runs in found.items() if not runs
        )
    rows = []
    for folder in dict.fromkeys(itertools.chain(*found.values())):
        try:
            rows.append(summary(folder))
        except (ValueError, OSError) as error:
            terminal.print_skipped([f"{folder}: {errors.described(error)}"])
    return rows


def _sorted(rows: List[Row]) -> List[Row]:
    """Sort runs by their texts, and those of a text by their losses, the best first."""
    name_of_text = {
        row["text_sha256"]: row["text"] for row in rows
    }  # one for each text, which may have several

    def key(row):
        best = math.inf if row["best"] is None else row["best"]
        loss = math.inf if row["loss"] is None else row["loss"]
        return name_of_text[row["text_sha256"]], row["text_sha256"], best, loss

    return sorted(rows, key=key)


def _print_table(table: List[Any]) -> None:
    widths = [max(map(len, column)) for column in zip(*table)]
    for cells in table:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths)]
        line = "  ".join(padded).rstrip()
        terminal.write(line.replace("\n", "\\n") + "\n", sys.stdout)
