"""Measure charrnn beside what it is compared with, in one run: training, generation, start-up, memory, growth.

``make bench`` runs all of it (about half an hour). Each variant lives in a process of its own and they take
turns, so that a machine whose speed drifts drifts for all of them; what is reported are medians, with the least
and the greatest, and ratios of medians. Nothing else may run on the machine meanwhile. With ``--torch-python
PYTHON``, PyTorch's nn.LSTM is measured as well, by an interpreter that has torch; with ``--numpy-python PYTHON``,
generation in NumPy by a newer one as well. ``--json FILE`` writes the figures, ``--plot FILE`` draws how the speed
grows (needs matplotlib).
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


TICKS = (1000, 2000, 5000, 10000, 20000, 50000, 100000)  # characters a second, in the plot


class Worker:
    """A variant's process. Its figures: seconds a step of each turn, and at the end its peak of memory."""

    def __init__(self, variant, sizes, python=sys.executable):
        self.variant, self.sizes, self.turns = variant, sizes, []
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [python, WORKER, variant, json.dumps(sizes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if variant == "pytorch" else None, universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)))
        self._answer()
        self.start_up = time.perf_counter() - started  # from nothing to the end of the first step

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("bench: the variant {} ended early".format(self.variant))
        return json.loads(line)

    def turn(self, steps):
        self._process.stdin.write("{}\n".format(steps))
        self._process.stdin.flush()
        self.turns.append(self._answer()["seconds"])

    def end(self):
        self._process.stdin.close()
        self.megabytes = self._answer()["megabytes"]
        self._process.wait()


def measure(variants, rounds, seconds):
    """Let variants take turns.

    Args:
        variants: list of (name, variant, sizes), and of (name, variant, sizes, interpreter) for another one.
        rounds: turns of each.
        seconds: about how long a turn takes.

    Returns:
        A dict from name to a dict of figures.
    """
    workers = {name: Worker(*rest) for name, *rest in variants}
    counts = {}
    for name, worker in workers.items():
        worker.turn(3)  # to warm up, and to learn how many steps make a turn
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


def training(sizes, options):
    variants = [("notebook", "notebook", sizes), ("fused", "fused", sizes), ("floor", "floor", sizes)]
    if options.torch_python:
        variants.append(("pytorch", "pytorch", sizes, options.torch_python))
    return measure(variants, options.rounds, options.seconds)


def generation(options):
    sizes = {key: RECIPE[key] for key in ("L", "layers", "C")}
    engines = [("in graph", "in_graph", sys.executable), ("in numpy", "in_numpy", sys.executable)]
    if options.numpy_python:
        engines.append(("in newer numpy", "in_numpy", options.numpy_python))
    variants = [("one by one", "one_by_one", dict(sizes, B=1))] + [
        ("{}, {} stream{}".format(engine, b, "s" * (b > 1)), variant, dict(sizes, B=b), python)
        for engine, variant, python in engines for b in (1, 8, 64)]
    return measure(variants, options.rounds, options.seconds)


def start_up(options):
    """Figures of processes from nothing to the end of their first step, one after the other."""
    times = {name: [] for name in ("notebook", "fused")}
    for _ in range(5):
        for name, found in times.items():
            worker = Worker(name, SMALL)
            worker.end()
            found.append(worker.start_up)
    return {name: {"seconds": statistics.median(found), "least": min(found), "greatest": max(found)}
            for name, found in times.items()}


def growth(options):
    """Figures of the fused graph when one size changes and the others are the recipe's."""
    cores = len(os.sched_getaffinity(0))
    changes = [("L", 128), ("L", 256), ("L", 512), ("L", 1024), ("N", 25), ("N", 50), ("N", 200),
               ("M", 25), ("M", 50), ("M", 200)] + [("threads", n) for n in range(1, cores + 1)]
    figures = {}
    for letter, value in changes:
        name = "{} = {}".format(letter, value)
        variants = [(name, "fused", dict(RECIPE, **{letter: value}))]
        figures.update(measure(variants, max(3, options.rounds // 3), options.seconds))
    return figures


def characters(figure):
    """Return characters a second."""
    sizes = figure["sizes"]
    return sizes.get("B", sizes.get("N", 0) * sizes.get("M", 0)) / figure["seconds"]


def table(title, figures, against):
    """Print figures, with the ratio of each baseline's median to theirs."""
    print("\n{}\n\n| | s/step | least | greatest | characters/s | start-up s | peak MB |{}".format(
        title, "".join(" against {} |".format(name) for name in against)))
    print("|---|---|---|---|---|---|---|" + "---|" * len(against))
    for name, figure in figures.items():
        print("| {} | {:.5f} | {:.5f} | {:.5f} | {:,.0f} | {:.2f} | {:,.0f} |".format(
            name, figure["seconds"], figure["least"], figure["greatest"], characters(figure),
            figure["start_up"], figure["megabytes"]), end="")
        for other in against:
            print(" {:.2f} |".format(characters(figure) / characters(figures[other])), end="")
        print(flush=True)


def machine():
    """Describe the machine: processor, cores allowed, versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n")
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    return {"processor": processor, "cores": len(os.sched_getaffinity(0)), "system": platform.platform(),
            "python": platform.python_version(), "load": os.getloadavg()[0]}


def plot(figures, path):
    """Draw characters a second against L, N, M and the threads."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    _, axes = pyplot.subplots(1, 4, figsize=(12, 3), sharey=True)
    titles = {"L": "units in a layer, L", "N": "sequences, N", "M": "steps, M", "threads": "threads"}
    for axis, letter in zip(axes, titles):
        points = {figure["sizes"].get(letter, RECIPE.get(letter)): characters(figure)
                  for name, figure in figures.items() if name.startswith(letter + " ")}
        if letter in RECIPE:  # the recipe itself belongs to each curve
            points[RECIPE[letter]] = characters(figures["L = 512"])
        axis.plot(*zip(*sorted(points.items())), marker="o", color="#1f5fa8")
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(sorted(points))
        axis.set_xticklabels(map(str, sorted(points)))
        axis.set_yticks(TICKS)
        axis.set_yticklabels(["{:,}".format(tick) for tick in TICKS])
        axis.minorticks_off()
        axis.set_xlabel(titles[letter])
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("characters/s in training")
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=110)


def parse(argv):
    parts = ("recipe", "small", "generation", "startup", "growth")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of {} (default: all)".format(", ".join(parts)))
    parser.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has torch")
    parser.add_argument("--numpy-python", metavar="PYTHON", help="a newer interpreter that has NumPy")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="turns of each variant (default: 9)")
    parser.add_argument("--seconds", type=float, default=4, metavar="X", help="length of a turn (default: 4)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--plot", metavar="FILE", help="draw the growth there")
    options = parser.parse_args(argv)
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error("no such part: {}".format(", ".join(sorted(unknown))))
    options.parts = options.parts or list(parts)
    return options


def main(argv=None):
    """Measure what was asked for, and print it; return the exit status."""
    options = parse(argv)
    figures = {"machine": machine()}
    print(", ".join("{} {}".format(*item) for item in figures["machine"].items()))
    others = ["notebook", "floor"] + ["pytorch"] * bool(options.torch_python)
    for part in options.parts:
        if part in ("recipe", "small"):
            sizes = {"recipe": RECIPE, "small": SMALL}[part]
            figures[part] = training(sizes, options)
            table("training, " + ", ".join("{} = {}".format(*item) for item in sizes.items()),
                  figures[part], others)
        elif part == "generation":
            figures[part] = generation(options)
            table("generation, L = 512, two layers (a step draws one character of each stream)",
                  figures[part], ["one by one"])
        elif part == "startup":
            figures[part] = start_up(options)
            print("\nstart-up to the end of the first step, s: " + "; ".join(
                "{} {:.2f} ({:.2f} to {:.2f})".format(name, *map(found.get, ("seconds", "least", "greatest")))
                for name, found in figures[part].items()), flush=True)
        else:
            figures[part] = growth(options)
            table("fused training when one size of the recipe changes", figures[part], ["L = 512"])
            if options.plot:
                plot(figures[part], options.plot)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
