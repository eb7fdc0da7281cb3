"""Draw the losses of a run next to recorded ones, and print their means of each epoch as a table.

    python benchmarks/curve.py checkpoints/anna anna.log recorded-losses.csv --output docs/images/anna-curve.png

The run folder has the loss of every 50th step in history.csv, the log is what charrnn-train printed, with the mean of
each epoch. The recorded losses are a CSV file with the columns step, epoch and loss, a row for each step. Needs
matplotlib.
"""
import argparse
import csv
import re
import statistics
from pathlib import Path


def read_steps(path):
    """Return rows (step, epoch, loss) of a CSV file, without those that have no loss."""
    with open(path, newline="", encoding="utf-8") as file:
        return [(int(row["step"]), int(row["epoch"]), float(row["loss"])) for row in csv.DictReader(file)
                if row["loss"]]


def recorded_means(steps):
    """Return the mean loss of each epoch, from the losses of all steps."""
    epochs = sorted({epoch for _, epoch, _ in steps})
    return {each: statistics.mean(loss for _, epoch, loss in steps if epoch == each) for each in epochs}


def printed_means(log):
    """Return the mean loss of each epoch that charrnn-train printed; of an epoch that was printed twice, the last."""
    found = re.findall(r"^epoch (\d+)/\d+  mean loss (\d+\.\d+)$", log, re.MULTILINE)
    return {int(epoch): float(loss) for epoch, loss in found}


def print_table(recorded, ours):
    """Print both means of each epoch, and their difference."""
    print("| epoch | recorded | this package | difference |\n|---|---|---|---|")
    for epoch in recorded:
        found = [f"{ours[epoch]:.4f}", f"{ours[epoch] - recorded[epoch]:+.4f}"] if epoch in ours else ["", ""]
        print(f"| {epoch} | {recorded[epoch]:.4f} | {' | '.join(found)} |")


def draw(recorded_steps, our_steps, recorded, ours, path):
    """Draw the losses of steps and epochs, and the differences of the epochs below them."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    per_epoch = sum(epoch == recorded_steps[0][1] for _, epoch, _ in recorded_steps)
    figure, (top, below) = pyplot.subplots(2, 1, figsize=(8, 5.5), sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    for steps, means, colour, marker, name in [(recorded_steps[4::10], recorded, "#b5651d", "s", "recorded"),
                                               (our_steps, ours, "#1f5fa8", "o", "this package")]:
        top.plot([step / per_epoch for step, _, _ in steps], [loss for _, _, loss in steps], color=colour, alpha=0.35,
                 linewidth=0.8)
        top.plot([epoch - 0.5 for epoch in means], list(means.values()), color=colour, marker=marker, markersize=4,
                 linestyle="", label=f"{name}: mean of each epoch")
    top.set_ylim(1, 3.5)
    top.set_ylabel("nats per character")
    top.legend(frameon=False)
    both = [epoch for epoch in ours if epoch in recorded]
    below.plot([epoch - 0.5 for epoch in both], [ours[epoch] - recorded[epoch] for epoch in both], color="#1f5fa8",
               marker="o", markersize=4)
    below.axhline(0, color="black", linewidth=0.6)
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
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("log", metavar="LOG", help="what charrnn-train printed")
    parser.add_argument("recorded", metavar="RECORDED", help="CSV file with the recorded losses")
    parser.add_argument("--output", metavar="FILE", help="PNG file to draw")
    options = parser.parse_args(argv)
    recorded_steps = read_steps(options.recorded)
    recorded = recorded_means(recorded_steps)
    ours = printed_means(Path(options.log).read_text(encoding="utf-8"))
    print_table(recorded, ours)
    if options.output:
        draw(recorded_steps, read_steps(str(Path(options.run) / "history.csv")), recorded, ours, options.output)


if __name__ == "__main__":
    main()
