"""Compare training on one process with training on two, which MPI connects: speed, bytes sent, and results.

``python benchmarks/distributed.py`` measures everything in about a quarter of an hour on two cores, with nothing else
running. The tables are those of docs/distributed.md. The processes that are compared take turns, as in bench.py. The
bytes and the tables for several machines are calculated from the size of the gradients and the time of one process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import CORES, RECIPE, ROOT, SMALL, WORKER, characters, machine

SIZES = {"recipe": RECIPE, "small": SMALL}
MACHINES = (4, 16, 64)
GIGABITS = (1, 10, 100)
ALONE = "one process, two threads"
ONE_CORE = "one process, one core"
TWO = "two processes, one core each"
STEPS = 200  # after which results are compared


class Group:
    """Processes that train together, each on some cores."""

    def __init__(self, sizes, cores, python=sys.executable):
        self.turns = []
        self._size = len(cores)
        self._folder = tempfile.TemporaryDirectory()
        orders = [str(Path(self._folder.name) / str(rank)) for rank in range(self._size)]
        for path in orders:
            os.mkfifo(path)
        launcher = (
            [str(Path(python).with_name("mpiexec")), "-n", str(self._size)]
            if self._size > 1
            else []
        )
        self._process = subprocess.Popen(
            [
                *launcher,
                python,
                WORKER,
                "processes",
                json.dumps(dict(sizes, cores=[sorted(each) for each in cores], orders=orders)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
        )
        self._answers()
        self._orders = [open(path, "w", encoding="ascii") for path in orders]

    def _answers(self):
        text = ""  # mpiexec may join the lines of processes
        while text.count("}") < self._size:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("distributed: a process has ended early")
            text += line
        return [json.loads(part + "}") for part in text.split("}")[:-1]]

    def turn(self, steps):
        """Let the processes do some steps. Note the seconds of a step."""
        for file in self._orders:
            file.write(f"{steps}\n")
            file.flush()
        self.turns.append(max(answer["seconds"] for answer in self._answers()))

    def end(self):
        for file in self._orders:
            file.close()
        self._process.communicate()
        self._folder.cleanup()


def speed(name, options):
    """Measure and print the step time on one process and two."""
    sizes = dict(SIZES[name], precision=options.precision)
    groups = {
        ALONE: Group(sizes, [{0, 1}]),
        ONE_CORE: Group(sizes, [{0}]),
        TWO: Group(sizes, [{0}, {1}]),
        "one process, one core, half of the rows": Group(dict(sizes, N=sizes["N"] // 2), [{0}]),
    }
    counts = {}
    for each, group in groups.items():
        group.turn(3)  # to warm up, and to find out how many steps make a turn
        counts[each] = max(1, round(options.seconds / group.turns.pop()))
    for _ in range(options.rounds):
        for each, group in groups.items():
            group.turn(counts[each])
    for group in groups.values():
        group.end()
    figures = {
        each: {
            "sizes": sizes,
            "seconds": statistics.median(group.turns),
            "least": min(group.turns),
            "greatest": max(group.turns),
        }
        for each, group in groups.items()
    }
    print_speed(sizes, figures)
    print_expected(sizes, figures[ALONE]["seconds"])
    return figures


def print_speed(sizes, figures):
    """Print the measured table. Efficiency compares with one process on one core."""
    seconds = {name: figure["seconds"] for name, figure in figures.items()}
    print(
        f"\n| {title(sizes)} | s/step | characters/s | against two threads | efficiency |\n|---|---|---|---|---|"
    )
    for name, figure in figures.items():
        time = f"{figure['seconds']:.4f} ({figure['least']:.4f} to {figure['greatest']:.4f})"
        if "half" in name:
            print(f"| {name} | {time} | | | |")
            continue
        share = f"{seconds[ONE_CORE] / (2 if name != ONE_CORE else 1) / seconds[name]:.0%}"
        print(
            f"| {name} | {time} | {characters(figure):,.0f} | {seconds[ALONE] / seconds[name]:.2f} | {share} |"
        )
    print(
        f"\neach of two processes sends {bytes_sent(gradient_bytes(sizes), 2):,.0f} bytes a step",
        flush=True,
    )


def title(sizes):
    return ", ".join(f"{letter} = {sizes[letter]}" for letter in "NML")


def gradient_bytes(sizes):
    """Return the bytes of the gradients of all weights in float32.

    >>> gradient_bytes(RECIPE)
    13449548
    """
    units = sizes["L"]
    chars = sizes["C"]
    layers = sum(
        ((units if layer else chars) + units + 1) * 4 * units for layer in range(sizes["layers"])
    )
    return 4 * (layers + (units + 1) * chars)


def bytes_sent(n_bytes, n):
    """Return the bytes that each of n machines sends to average n_bytes in a ring."""
    return 2 * (n - 1) / n * n_bytes


def expected(seconds, n_bytes, n, gigabits):
    """Return the efficiency on n machines if the batch grows with them, and if it stays.

    Args:
        seconds: time of a step on one machine.
        n_bytes: bytes of the gradients.
        n: number of machines.
        gigabits: bandwidth of the network in Gbit/s.
    """
    exchange = bytes_sent(n_bytes, n) * 8 / (gigabits * 1e9)
    return seconds / (seconds + exchange), seconds / n / (seconds / n + exchange)


def print_expected(sizes, seconds):
    """Print the calculated table."""
    rows = [f"{n} | {name}" for n in MACHINES for name in ("grows", "stays")]
    print(
        f"\ncalculated from {seconds:.4f} s a step on one machine\n\n| machines | batch |"
        + "".join(f" {gigabits} Gbit/s |" for gigabits in GIGABITS)
        + "\n|---|---|"
        + "---|" * len(GIGABITS)
    )
    for number, row in enumerate(rows):
        shares = [
            expected(seconds, gradient_bytes(sizes), MACHINES[number // 2], gigabits)[number % 2]
            for gigabits in GIGABITS
        ]
        print(f"| {row} |" + "".join(f" {share:.0%} |" for share in shares), flush=True)


def equality(name, options):
    """Train on one process and on two with dropout, and print the greatest difference of the weights."""
    from charrnn.engines.opening import open_model
    from charrnn.text import corpus

    sizes = SIZES[name]
    text = corpus.read(["anna"]).text[: sizes["N"] * sizes["M"] * STEPS // 2]  # two epochs
    weights = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_text(text, encoding="utf-8")
        for size in (1, 2):
            run = Path(folder) / f"run{size}"
            launch = [str(Path(sys.executable).with_name("mpiexec")), "-n", "2"] if size > 1 else []
            subprocess.run(
                [
                    *launch,
                    sys.executable,
                    "-m",
                    "charrnn",
                    "train",
                    str(path),
                    "--batch-size",
                    str(sizes["N"]),
                    "--num-steps",
                    str(sizes["M"]),
                    "--lstm-size",
                    str(sizes["L"]),
                    "--seed",
                    "1",
                    "--epochs",
                    "2",
                    "--sample-length",
                    "0",
                    "--no-summaries",
                    "--checkpoint-dir",
                    str(run),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                env=dict(os.environ, PYTHONPATH=str(ROOT)),
            )
            weights.append(open_model(run).weights)
    one, two = weights
    figures = {variable: float(abs(one[variable] - two[variable]).max()) for variable in one}
    print(
        f"\n{title(sizes)}: after {STEPS} steps, the weights of one process and of two differ by at most "
        f"{max(figures.values()):.1e}",
        flush=True,
    )
    return figures


PARTS = {"speed": speed, "equality": equality}


def parse(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument(
        "--size", choices=sorted(SIZES), help="measure this size only (default: both)"
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type of the operands of matrix products, in the part speed (default: float32)",
    )
    parser.add_argument(
        "--rounds", type=int, default=7, metavar="N", help="turns of each variant (default: 7)"
    )
    parser.add_argument(
        "--seconds", type=float, default=5, metavar="X", help="length of a turn (default: 5)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    options = parser.parse_args(argv)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if CORES < 2:
        parser.error("two cores are needed")
    return options


def main(argv=None):
    """Measure and print the chosen parts; return the exit status."""
    options = parse(argv)
    figures = {"machine": machine()}
    print(", ".join(f"{name} {value}" for name, value in figures["machine"].items()))
    for part in options.parts or PARTS:
        figures[part] = {
            name: PARTS[part](name, options) for name in ([options.size] if options.size else SIZES)
        }
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
