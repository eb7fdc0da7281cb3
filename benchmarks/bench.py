"""Compare the speed of charrnn with other programs: training, generation, start-up, memory, and growth with size.

``make bench`` measures everything in about half an hour. Nothing else may run on the machine at that time. Each
variant runs in its own process, and they take turns, so a machine that becomes slower or faster affects all of them
alike. The report has medians, the least and the greatest time, and ratios of medians.

With --torch-python PYTHON, PyTorch's nn.LSTM is measured too, by an interpreter that has torch. With --numpy-python
PYTHON, generation in NumPy is measured by a newer interpreter too. --json FILE writes the figures. --plot FILE draws
the growth and needs matplotlib.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKER = str(ROOT / "benchmarks" / "worker.py")
RECIPE = {"N": 100, "M": 100, "L": 512, "layers": 2, "C": 83}
SMALL = {"N": 50, "M": 50, "L": 128, "layers": 2, "C": 83}
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
# The growth: one size is changed, the others are the recipe's.
CHANGES = {"L": (128, 256, 512, 1024), "N": (25, 50, 200), "M": (25, 50, 200), "threads": range(1, CORES + 1)}
TITLES = {"L": "units in a layer, L", "N": "sequences, N", "M": "steps, M", "threads": "threads"}
TICKS = (1000, 2000, 5000, 10000, 20000, 50000, 100000)  # characters per second, in the plot


class Worker:
    """The process of a variant.

    Attributes:
        sizes: the sizes of its network.
        turns: seconds of a step, one for each turn.
        start_up: seconds from the start of the process to the end of its first step.
        megabytes: its peak of memory, known after ``end``.
    """

    def __init__(self, variant, sizes, python=sys.executable):
        self._variant, self.sizes, self.turns = variant, sizes, []
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [python, WORKER, variant, json.dumps(sizes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if variant == "pytorch" else None, universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)))
        self._answer()
        self.start_up = time.perf_counter() - started

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the process of the variant {self._variant} has ended early")
        return json.loads(line)

    def turn(self, steps):
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        self.turns.append(self._answer()["seconds"])

    def end(self):
        self._process.stdin.close()
        self.megabytes = self._answer()["megabytes"]
        self._process.wait()


def measure(variants, rounds, seconds):
    """Measure variants, which take turns.

    Args:
        variants: a list of (name, variant, sizes), with a fourth item for another interpreter than this one.
        rounds: turns of each variant.
        seconds: approximate length of a turn.

    Returns:
        A dict from name to a dict of figures.
    """
    workers = {name: Worker(*rest) for name, *rest in variants}
    counts = {}
    for name, worker in workers.items():
        worker.turn(3)  # to warm up, and to find out how many steps make a turn
        counts[name] = max(1, round(seconds / worker.turns.pop()))
    for _ in range(rounds):
        for name, worker in workers.items():
            worker.turn(counts[name])
    for worker in workers.values():
        worker.end()
    return {name: {
        "sizes": worker.sizes, "seconds": statistics.median(worker.turns), "least": min(worker.turns),
        "greatest": max(worker.turns), "turns": rounds, "steps_a_turn": counts[name],
        "start_up": worker.start_up, "megabytes": worker.megabytes} for name, worker in workers.items()}


def training(name, sizes, options):
    """Measure and print the training of a network."""
    variants = [(variant, variant, sizes) for variant in ("notebook", "fused", "floor")]
    if options.torch_python:
        variants.append(("pytorch", "pytorch", sizes, options.torch_python))
    figures = measure(variants, options.rounds, options.seconds)
    print_table(f"training, {name}: " + ", ".join(f"{letter} = {size}" for letter, size in sizes.items()), figures,
                [variant for variant in figures if variant != "fused"])
    return figures


def generation(options):
    """Measure and print generation with the recipe's network."""
    sizes = {key: RECIPE[key] for key in ("L", "layers", "C")}
    engines = [("in graph", "in_graph", sys.executable), ("in numpy", "in_numpy", sys.executable)]
    if options.numpy_python:
        engines.append(("in newer numpy", "in_numpy", options.numpy_python))
    variants = [("one by one", "one_by_one", dict(sizes, B=1))] + [
        (f"{engine}, {b} text{'s' * (b > 1)}", variant, dict(sizes, B=b), python)
        for engine, variant, python in engines for b in (1, 8, 64)]
    figures = measure(variants, options.rounds, options.seconds)
    print_table("generation, L = 512, two layers (a step draws one character of each text)", figures, ["one by one"])
    return figures


def start_up(options):
    """Measure and print the time from the start of a process to the end of its first training step."""
    times = {"notebook": [], "fused": []}
    for _ in range(5):
        for name, found in times.items():
            worker = Worker(name, SMALL)
            worker.end()
            found.append(worker.start_up)
    figures = {name: {"seconds": statistics.median(found), "least": min(found), "greatest": max(found)}
               for name, found in times.items()}
    print("\nstart-up to the end of the first step, s: " + "; ".join(
        f"{name} {found['seconds']:.2f} ({found['least']:.2f} to {found['greatest']:.2f})"
        for name, found in figures.items()), flush=True)
    return figures


def growth(options):
    """Measure and print the training with the fused graph when one size of the recipe changes."""
    print("\nfused training when one size of the recipe changes, characters/s")
    figures = {}
    for letter, values in CHANGES.items():
        for value in values:
            name = f"{letter} = {value}"
            variants = [(name, "fused", dict(RECIPE, **{letter: value}))]
            figures.update(measure(variants, max(3, options.rounds // 3), options.seconds))
            print(f"{name}: {characters(figures[name]):,.0f}", flush=True)
    if options.plot:
        plot(figures, options.plot)
    return figures


def characters(figure):
    """Return characters per second."""
    sizes = figure["sizes"]
    return sizes.get("B", sizes.get("N", 0) * sizes.get("M", 0)) / figure["seconds"]


def print_table(title, figures, baselines):
    """Print figures, with the ratio of their speed to that of each baseline."""
    print(f"\n{title}\n\n| | s/step | least | greatest | characters/s | start-up s | peak MB |"
          + "".join(f" against {name} |" for name in baselines))
    print("|---|---|---|---|---|---|---|" + "---|" * len(baselines))
    for name, figure in figures.items():
        times = " | ".join(f"{figure[key]:.5f}" for key in ("seconds", "least", "greatest"))
        ratios = "".join(f" {characters(figure) / characters(figures[other]):.2f} |" for other in baselines)
        print(f"| {name} | {times} | {characters(figure):,.0f} | {figure['start_up']:.2f} | "
              f"{figure['megabytes']:,.0f} |{ratios}", flush=True)


def machine():
    """Return the processor, the number of cores, the versions and the load of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n")
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    return {"processor": processor, "cores": CORES, "system": platform.platform(),
            "python": platform.python_version(), "load": os.getloadavg()[0]}


def plot(figures, path):
    """Draw characters per second against each size of CHANGES."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    _, axes = pyplot.subplots(1, len(CHANGES), figsize=(12, 3), sharey=True)
    for axis, letter in zip(axes, CHANGES):
        points = {value: characters(figures[f"{letter} = {value}"]) for value in CHANGES[letter]}
        if letter in RECIPE:  # the recipe itself belongs to each curve
            points[RECIPE[letter]] = characters(figures[f"L = {RECIPE['L']}"])
        axis.plot(*zip(*sorted(points.items())), marker="o", color="#1f5fa8")
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(sorted(points))
        axis.set_xticklabels(map(str, sorted(points)))
        axis.set_yticks(TICKS)
        axis.set_yticklabels([f"{tick:,}" for tick in TICKS])
        axis.minorticks_off()
        axis.set_xlabel(TITLES[letter])
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("characters/s in training")
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=110)


PARTS = {
    "recipe": lambda options: training("the recipe", RECIPE, options),
    "small": lambda options: training("a small network", SMALL, options),
    "generation": generation, "startup": start_up, "growth": growth,
}


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has torch")
    parser.add_argument("--numpy-python", metavar="PYTHON", help="a newer interpreter that has NumPy")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="turns of each variant (default: 9)")
    parser.add_argument("--seconds", type=float, default=4, metavar="X", help="length of a turn (default: 4)")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw the growth to this file")
    options = parser.parse_args(argv)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def main(argv=None):
    """Measure and print the chosen parts; return the exit status."""
    options = parse(argv)
    figures = {"machine": machine()}
    print(", ".join(f"{name} {value}" for name, value in figures["machine"].items()))
    for part in options.parts or PARTS:
        figures[part] = PARTS[part](options)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
