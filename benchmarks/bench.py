"""Compare the speed of charrnn with other programs, and with what the machine allows.

The parts are training at four sizes, a whole short run, generation, the commands, start-up, and growth with size.
Training is compared with its matrix products alone, generation of one text with the reading of the weights that each
character needs.

``make bench`` measures everything in up to an hour. Nothing else may run on the machine at that time. Each
variant runs in its own process, and they take turns, so a machine that becomes slower or faster affects all of them
alike. The report has medians, the least and the greatest time, and ratios of medians.

With --tensorflow-python PYTHON, training and start-up are measured with the TensorFlow of another interpreter too. With
--torch-python PYTHON, PyTorch's nn.LSTM is measured by an interpreter that has torch. Where TensorFlow 2 trains faster
in bfloat16, all training is measured in it too, PyTorch's with all numbers in bfloat16 and with autocast to it. With
--numpy-python PYTHON, generation in NumPy is measured by a newer interpreter too. --json FILE writes the figures.
--plot FILE draws the growth and needs matplotlib.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKER = str(ROOT / "benchmarks" / "worker.py")
RECIPE = {"N": 100, "M": 100, "L": 512, "layers": 2, "C": 83}
SMALL = {"N": 50, "M": 50, "L": 128, "layers": 2, "C": 83}
LARGE = dict(RECIPE, C=16_327)
# what a run on a text of some 6,000 characters has, which begins with a model of its language, and such a text
SHORT = dict(RECIPE, N=8, M=50)
SHORT_TEXT = ROOT / "tests" / "data" / "voices" / "diary.txt"
# what is measured of training; "floor" is the matrix products alone
KINDS = ("fused", "notebook", "floor")
# texts at once, in generation
TEXTS = (1, 2, 8, 64)
# characters that a measured command writes
COMMAND_LENGTH = 20000
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
# The growth: one size is changed, the others are the recipe's.
CHANGES = {
    "L": (128, 256, 512, 1024),
    "N": (25, 50, 200),
    "M": (25, 50, 200),
    "threads": range(1, CORES + 1),
}
TITLES = {"L": "units in a layer, L", "N": "sequences, N", "M": "steps, M", "threads": "threads"}
BFLOAT16_PAYS = """
from charrnn.system.machine import thread_count
from charrnn.training.job import faster_precision
raise SystemExit(faster_precision(thread_count(), fused=True)[0] != "bfloat16")
"""
# characters per second, in the plot
TICKS = (1000, 2000, 5000, 10000, 20000, 50000, 100000)


class Worker:
    """The process of a variant.

    Attributes:
        sizes: the sizes of its network.
        turns: seconds of a step, one for each turn.
        start_up: seconds from the start of the process to the end of its first step.
        imported: its peak of memory in MB after its imports.
        megabytes: its peak of memory, known after ``end``.
    """

    def __init__(self, variant, sizes, python=sys.executable):
        self._variant = variant
        self.sizes = sizes
        self.turns = []
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [python, WORKER, variant, json.dumps(sizes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if variant == "pytorch" else None,
            universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
        )
        self.imported = self._answer()["imported"]
        self.start_up = time.perf_counter() - started

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the process of the variant {self._variant} has ended early")
        return json.loads(line)

    def turn(self, steps):
        with contextlib.suppress(BrokenPipeError):  # the process has ended, which _answer says
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
        # A first turn warms up, and shows how many steps make a turn.
        worker.turn(3)
        counts[name] = max(1, round(seconds / worker.turns.pop()))

    for _ in range(rounds):
        for name, worker in workers.items():
            worker.turn(counts[name])
    for worker in workers.values():
        worker.end()
    return {
        name: {
            "sizes": worker.sizes,
            "seconds": statistics.median(worker.turns),
            "least": min(worker.turns),
            "greatest": max(worker.turns),
            "turns": rounds,
            "steps_a_turn": counts[name],
            "start_up": worker.start_up,
            "imported": worker.imported,
            "megabytes": worker.megabytes,
        }
        for name, worker in workers.items()
    }


def training(name, sizes, options, large=False):
    """Measure and print the training of a network, in float32, and in bfloat16 where the TensorFlow can.

    With `large`, where all variants together would need more than 24 GB, only the fused graph is measured with another
    TensorFlow and in bfloat16, and PyTorch only in float32.
    """
    low = dict(sizes, precision="bfloat16")
    few = KINDS[:1] if large else KINDS
    variants = [(kind, kind, sizes, sys.executable) for kind in KINDS]
    if bfloat16_pays(sys.executable):
        variants += [(f"{kind}, bfloat16", kind, low, sys.executable) for kind in few]
    other = options.tensorflow_python
    if other:
        variants += [(f"{kind}, other TensorFlow", kind, sizes, other) for kind in few]
    if other and bfloat16_pays(other):
        variants += [(f"{kind}, bfloat16, other TensorFlow", kind, low, other) for kind in few]

    low_pays = any(", bfloat16" in name for name, *_ in variants)
    torch = options.torch_python
    if torch:
        variants.append(("pytorch", "pytorch", sizes, torch))
    if torch and low_pays and not large:
        for precision in ("bfloat16", "autocast"):
            in_precision = dict(sizes, precision=precision)
            variants.append((f"pytorch, {precision}", "pytorch", in_precision, torch))

    figures = measure(variants, options.rounds, options.seconds)
    letters = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
    others = [variant for variant in figures if variant.startswith("pytorch")]
    print_table(f"training, {name}: {letters}", figures, ["notebook", *others])
    shares = ", ".join(_shares_of_the_floor(figures))
    print(f"\nShares of the floor, the products alone in the same program and precision: {shares}")
    if low_pays:
        gains = ", ".join(_gains_of_bfloat16(figures))
        print(f"\nSpeed against the same graph and program in float32: {gains}")
    sys.stdout.flush()
    return figures


def _shares_of_the_floor(figures):
    for variant, figure in figures.items():
        kind, *_ = variant.split(",")
        floor = figures.get(variant.replace(kind, "floor"))
        if kind in ("fused", "notebook") and floor:
            yield f"{variant} {floor['seconds'] / figure['seconds']:.2f}"


def _gains_of_bfloat16(figures):
    for variant, figure in figures.items():
        if ", bfloat16" in variant:
            single = figures[variant.replace(", bfloat16", "")]
            yield f"{variant} {single['seconds'] / figure['seconds']:.2f}"


def bfloat16_pays(python):
    """Return whether ``--precision auto`` takes bfloat16 with the TensorFlow of an interpreter on this machine."""
    done = subprocess.run(
        [python, "-c", BFLOAT16_PAYS],
        stderr=subprocess.DEVNULL,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )
    return done.returncode == 0


def generation(options):
    """Measure and print generation with the recipe's network."""
    sizes = {key: RECIPE[key] for key in ("L", "layers", "C")}
    pythons = {"numpy": sys.executable}
    if options.numpy_python:
        pythons["newer numpy"] = options.numpy_python

    variants = []
    limits = []
    for name, python in pythons.items():
        limits.append(f"limit in {name}")
        variants.append((limits[-1], "limit", dict(sizes, B=1), python))
    variants.append(("one by one", "one_by_one", dict(sizes, B=1)))
    for name, python in pythons.items():
        for texts in TEXTS:
            variants.append((_of(f"in {name}", texts), "in_numpy", dict(sizes, B=texts), python))

    figures = measure(variants, options.rounds, options.seconds)
    print_table(
        "generation, L = 512, two layers (a step draws one character of each text)",
        figures,
        ["one by one"],
    )
    most = max(characters(figures[name]) for name in limits)
    shares = []
    for name, figure in figures.items():
        if figure["sizes"]["B"] == 1 and name not in limits:
            shares.append(f"{name} {characters(figure) / most:.2f}")
    print(
        f"\nOne text has a limit of {most:,.0f} characters/s, the speed of the product of all weights with a vector. "
        f"Shares of it: {', '.join(shares)}",
        flush=True,
    )
    return figures


def _of(engine, texts):
    noun = "text" if texts == 1 else "texts"
    return f"{engine}, {texts} {noun}".lstrip(", ")


def commands(options):
    """Measure and print the time of ``charrnn-sample`` to its first characters, its speed, and samples in training."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        Worker("models", dict(RECIPE, folder=folder)).end()
        models = {"checkpoint": ["i1_l1.ckpt", "--vocab-from", "text"], "npz": ["model.npz"]}
        runs = [(name, sys.executable, arguments) for name, arguments in models.items()]
        if options.numpy_python:  # which may have no TensorFlow, as this checkpoint needs it
            runs.append(("npz in newer numpy", options.numpy_python, models["npz"]))
        print("\ncharrnn-sample, one text")
        for name, python, arguments in runs:
            firsts = []
            rates = []
            for _ in range(options.rounds):
                first, rate = _first_and_rate(folder, python, arguments)
                firsts.append(first)
                rates.append(rate)
            first = statistics.median(firsts)
            rate = statistics.median(rates)
            figures[name] = {
                "first": first,
                "least": min(firsts),
                "greatest": max(firsts),
                "characters_per_second": rate,
            }
            print(
                f"{name}: {first:.2f} s to the first characters ({min(firsts):.2f} to {max(firsts):.2f}), then "
                f"{rate:,.0f} characters/s",
                flush=True,
            )
    variant = ("sample", "training_sample", RECIPE)
    sample = measure([variant], options.rounds, options.seconds)["sample"]
    print(
        f"a sample of 200 characters during training: {sample['seconds']:.3f} s ({sample['least']:.3f} to "
        f"{sample['greatest']:.3f})",
        flush=True,
    )
    return {**figures, "sample": sample}


def _first_and_rate(folder, python, arguments):
    """Return the seconds that ``charrnn-sample`` takes to its first characters, and characters/s after them."""
    command = [python, "-m", "charrnn", "sample", *arguments]
    command += ["--seed", "1", "--length", str(COMMAND_LENGTH)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )
    os.read(process.stdout.fileno(), 1 << 16)
    first = time.perf_counter()
    rest = len(process.stdout.read())
    ended = time.perf_counter()
    if process.wait():
        raise SystemExit("bench: charrnn-sample has ended with an error")
    return first - started, rest / (ended - first)


def short_run(options):
    """Measure and print the seconds of ``charrnn-train`` on a short text, from the model of its language."""
    pythons = {"": sys.executable}
    if options.tensorflow_python:
        pythons[", other TensorFlow"] = options.tensorflow_python
    variants = {}
    for name, python in pythons.items():
        variants[f"float32{name}"] = (python, "float32")
        if bfloat16_pays(python):
            variants[f"bfloat16{name}"] = (python, "bfloat16")

    times = {name: [] for name in variants}
    for _ in range(min(options.rounds, 5)):
        for name, (python, precision) in variants.items():
            times[name].append(_seconds_of_run(python, precision))
    return print_times(f"a run on {SHORT_TEXT.name}, s", times)


def _seconds_of_run(python, precision):
    """Return the seconds of a run on the short text."""
    flags = ["--preset", "auto", "--precision", precision, "--no-summaries"]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(
            [python, "-m", "charrnn", "train", str(SHORT_TEXT), *flags],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            check=True,
        )
        return time.perf_counter() - started


def start_up(options):
    """Measure and print the time from the start of a process to the end of its first training step."""
    variants = {}
    for variant in ("notebook", "fused"):
        variants[variant] = (variant, sys.executable)
        if options.tensorflow_python:
            variants[f"{variant}, other TensorFlow"] = (variant, options.tensorflow_python)

    times = {name: [] for name in variants}
    for _ in range(5):
        for name, (variant, python) in variants.items():
            worker = Worker(variant, SMALL, python)
            worker.end()
            times[name].append(worker.start_up)

    return print_times("start-up to the end of the first step, s", times)


def print_times(title, times):
    """Print the medians of times with the least and the greatest, and return them, all by name."""
    figures = {}
    lines = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        figures[name] = {"seconds": median, "least": min(seconds), "greatest": max(seconds)}
        lines.append(f"{name} {median:.2f} ({min(seconds):.2f} to {max(seconds):.2f})")
    print(f"\n{title}: {'; '.join(lines)}", flush=True)
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
    heads = ["", "s/step", "least", "greatest", "characters/s", "start-up s", "peak MB"]
    heads += ["after imports", *[f"against {name}" for name in baselines]]
    print(f"\n{title}\n\n| {' | '.join(heads)} |")
    print(f"|{'---|' * len(heads)}")
    for name, figure in figures.items():
        times = " | ".join(f"{figure[key]:.5f}" for key in ("seconds", "least", "greatest"))
        ratios = "".join(
            f" {characters(figure) / characters(figures[other]):.2f} |" for other in baselines
        )
        print(
            f"| {name} | {times} | {characters(figure):,.0f} | {figure['start_up']:.2f} | "
            f"{figure['megabytes']:,.0f} | {figure['imported']:,.0f} |{ratios}",
            flush=True,
        )


def machine():
    """Return the processor, the number of cores, the versions and the load of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n")
        [name, *_] = [line for line in lines if line.startswith("model name")]
        _, processor = name.split(": ")
    except (OSError, ValueError):
        processor = platform.processor()
    return {
        "processor": processor,
        "cores": CORES,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


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
    "short": lambda options: training("a short run", SHORT, options),
    "run": short_run,
    "vocabulary": lambda options: training("a large vocabulary", LARGE, options, large=True),
    "generation": generation,
    "commands": commands,
    "startup": start_up,
    "growth": growth,
}


def parse(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument(
        "--tensorflow-python", metavar="PYTHON", help="an interpreter that has another TensorFlow"
    )
    parser.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has torch")
    parser.add_argument(
        "--numpy-python", metavar="PYTHON", help="a newer interpreter that has NumPy"
    )
    parser.add_argument(
        "--rounds", type=int, default=9, metavar="N", help="turns of each variant (default: 9)"
    )
    parser.add_argument(
        "--seconds", type=float, default=4, metavar="X", help="length of a turn (default: 4)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw the growth to this file")
    options = parser.parse_args(argv)
    for name in ("tensorflow_python", "torch_python", "numpy_python", "json", "plot"):
        if getattr(options, name):  # the commands are measured in another folder
            setattr(options, name, os.path.abspath(getattr(options, name)))
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
