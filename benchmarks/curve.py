"""Draw the losses of runs next to recorded ones, and print their means of each epoch as a table.

    charrnn-train anna --seed 1 --checkpoint-dir checkpoints/anna | tee float32.log
    python benchmarks/curve.py recorded-losses.csv float32.log bfloat16.log --output docs/images/anna-curve.png

The recorded losses are a CSV file with the columns step, epoch and loss, a row for each step. A log is what
charrnn-train printed: the loss of every 50th step, and the mean of each epoch. Its file name names the run in the
picture. Needs matplotlib.
"""
import argparse
import csv
import itertools
import re
import statistics
from pathlib import Path

COLOURS = ["#1f5fa8", "#2e8b57", "#8e44ad"]  # of the runs, in turn


def read_recorded(path):
    """Return the losses of the steps, as pairs (step, loss), and the mean of each epoch, from a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(int(row["step"]), int(row["epoch"]), float(row["loss"])) for row in csv.DictReader(file)]
    means = {epoch: statistics.mean(loss for _, other, loss in rows if other == epoch)
             for epoch in sorted({epoch for _, epoch, _ in rows})}
    return [(step, loss) for step, _, loss in rows], means


def read_log(path):
    """Return the same from a log. If a run was resumed, the last line for a step or an epoch counts."""
    log = Path(path).read_text(encoding="utf-8")
    steps = re.findall(r"^epoch \d+/\d+  step ([\d,]+)/.*?  loss (\d+\.\d+)", log, re.MULTILINE)
    means = re.findall(r"^epoch (\d+)/\d+  mean loss (\d+\.\d+)$", log, re.MULTILINE)
    losses = {int(step.replace(",", "")): float(loss) for step, loss in steps}
    return sorted(losses.items()), {int(epoch): float(loss) for epoch, loss in means}


def print_table(recorded, runs):
    """Print the means of each epoch; an epoch that a run does not have is empty."""
    print(f"| epoch | recorded | {' | '.join(runs)} |\n{'|---' * (len(runs) + 2)}|")
    for epoch, loss in recorded.items():
        ours = [f"{means[epoch]:.4f}" if epoch in means else "" for _, means in runs.values()]
        print(f"| {epoch} | {loss:.4f} | {' | '.join(ours)} |")


def draw(recorded_steps, recorded, runs, path):
    """Draw the losses of steps and epochs, and below them how far the epochs of each run are from the recorded."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    per_epoch = recorded_steps[-1][0] / len(recorded)
    figure, (top, below) = pyplot.subplots(2, 1, figsize=(8, 5.5), sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    curves = [("recorded", "#b5651d", (recorded_steps[4::10], recorded))]
    curves += [(name, colour, run) for (name, run), colour in zip(runs.items(), itertools.cycle(COLOURS))]
    for name, colour, (steps, means) in curves:
        top.plot([step / per_epoch for step, _ in steps], [loss for _, loss in steps], color=colour, alpha=0.35,
                 linewidth=0.8)
        top.plot([epoch - 0.5 for epoch in means], list(means.values()), color=colour, marker=".", linestyle="",
                 label=f"{name}, mean of each epoch")
        both = [epoch for epoch in means if epoch in recorded]
        below.plot([epoch - 0.5 for epoch in both], [means[epoch] - recorded[epoch] for epoch in both], color=colour,
                   marker=".")
    top.set_ylim(1, 3.5)
    top.set_ylabel("nats per character")
    top.legend(frameon=False)
    below.set_xlabel("epoch")
    below.set_ylabel("difference")
    below.set_xticks(range(0, len(recorded) + 1, 2))
    for axis in (top, below):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main(argv=None):
    """Print the table and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recorded", metavar="RECORDED", help="CSV file with the recorded losses")
    parser.add_argument("logs", metavar="LOG", nargs="+", help="what charrnn-train printed in a run")
    parser.add_argument("--output", metavar="FILE", help="PNG file to draw")
    options = parser.parse_args(argv)
    recorded_steps, recorded = read_recorded(options.recorded)
    runs = {Path(log).stem: read_log(log) for log in options.logs}
    print_table(recorded, runs)
    if options.output:
        draw(recorded_steps, recorded, runs, options.output)


if __name__ == "__main__":
    main()
