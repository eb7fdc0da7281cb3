"""Draw the losses of runs in float32 and bfloat16, a panel for each set of runs, and print where each ended.

    python benchmarks/precisions.py --runs quick runs/quick-* --runs best runs/best-* --output precisions.png

A panel shows the validation losses of its runs, or, if nothing was held out, means of 20 training losses. Needs
matplotlib.
"""
import argparse
import csv
import statistics
from pathlib import Path

from charrnn import checkpoints

COLOURS = {"float32": "#1f5fa8", "bfloat16": "#b5651d"}


def read_curve(folder):
    """Return the steps and the losses of a run."""
    with open(Path(folder) / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    validated = [(int(row["step"]), float(row["val_loss"])) for row in rows if row["val_loss"]]
    if validated:
        return zip(*validated)
    steps, losses = zip(*[(int(row["step"]), float(row["loss"])) for row in rows if row["loss"]])
    starts = range(0, len(steps) - 19, 20)
    return [steps[start + 19] for start in starts], [statistics.mean(losses[start:start + 20]) for start in starts]


def draw(sets, path):
    """Draw a panel for each set of runs, a list of (title, [(precision, steps, losses), ...])."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(1, len(sets), figsize=(4 * len(sets), 3.6), squeeze=False)
    for panel, (title, runs) in zip(panels[0], sets):
        for precision, steps, losses in runs:
            first = precision not in [line.get_label() for line in panel.get_lines()]
            panel.plot(steps, losses, color=COLOURS[precision], linewidth=1, label=precision if first else None,
                       linestyle="-" if precision == "float32" else "--")
        end = min(min(losses) for _, _, losses in runs)
        panel.set_ylim(end - 0.02, end + 0.8)
        panel.set_title(title)
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("nats per character")
    panels[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main(argv=None):
    """Print the ends of the runs, and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", metavar=("TITLE", "RUN"), nargs="+", action="append", required=True,
                        help="title of a panel, and run folders")
    parser.add_argument("--output", metavar="FILE", help="PNG file to draw")
    options = parser.parse_args(argv)
    sets = []
    for title, *folders in options.runs:
        runs = [(checkpoints.read_run(folder).hyperparameters["precision"], *read_curve(folder)) for folder in folders]
        sets.append((title, runs))
        for folder, (precision, steps, losses) in zip(folders, runs):
            print(f"{title}: {folder}, {precision}: {losses[-1]:.4f} at step {steps[-1]:,}, least {min(losses):.4f}")
    if options.output:
        draw(sets, options.output)


if __name__ == "__main__":
    main()
