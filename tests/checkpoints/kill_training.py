"""Kill training processes at random moments, resume them, and compare the results.

``python tests/checkpoints/kill_training.py --kills 100`` trains a small network again and again. Each process is
killed with SIGKILL, about half of them while they save a checkpoint, and the next process resumes the run. A run
that completes must equal an uninterrupted run bit for bit. The kills are divided among the sets of options in VARIANTS.
The last lines are a summary of each and of all, and the exit status is 1 if anything differs.
"""
import argparse
import collections
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = str(Path(__file__).resolve().parents[2])  # this checkout, whatever is installed
TEXT = "the cat sat on the mat, and the hat sat on the cat.\n" * 10
# With dropout, evaluations between checkpoints, and a best checkpoint that is seldom the newest.
FLAGS = ["--batch-size", "2", "--num-steps", "3", "--lstm-size", "5", "--num-layers", "2", "--keep-prob", "0.5",
         "--learning-rate", "0.03", "--val-fraction", "0.1", "--eval-every-n", "7", "--epochs", "2", "--seed", "7",
         "--save-every-n", "10", "--max-to-keep", "2", "--print-every-n", "5", "--sample-length", "0"]
# Arguments in addition to text.txt and FLAGS, by name.
VARIANTS = {
    "defaults": [],
    "averages, schedule": ["--average-decay", "0.9", "--schedule", "cosine", "--warmup-steps", "30"],
    "early stop, one kept": ["--early-stop", "6", "--max-to-keep", "1"],
    "gru": ["--cell", "gru", "--keep-prob", "1", "--optimizer", "rmsprop", "--max-to-keep", "1"],
    "notebook's graph": ["--no-fused", "--keep-prob", "1", "--schedule", "linear"],
    "several files": ["text.txt", "--separator", "\n--\n", "--test-fraction", "0.05", "--average-decay", "0.8"],
}


def main(argv=None):
    """Kill, resume and compare; return the exit status, 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="number of processes to kill (default: 100)")
    args = parser.parse_args(argv)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, flags) in enumerate(VARIANTS.items()):
            killer = Killer(Path(folder).resolve() / str(number), random.Random(number), flags)
            killer.run(args.kills // len(VARIANTS) + (number < args.kills % len(VARIANTS)))
            print(*killer.differences, f"{name}: {summary(killer.counts)}", sep="\n", flush=True)
            counts += killer.counts
    print(summary(counts))
    return 1 if counts["differences"] else 0


def summary(counts):
    """Return the counts of a Killer in one line."""
    return ("{kills} kills, {while_saving} of them while .saving existed; {resumes} resumes; {compared} runs compared, "
            "{differences} differences").format_map(counts)


class Killer:
    """Starts, kills and compares training runs.

    Attributes:
        counts: how often what has happened.
        differences: what was not as it should be, in words.
    """

    def __init__(self, folder, rng, flags=()):
        """Prepare to work in a folder at the moments of a random.Random, with more arguments for charrnn-train."""
        self._folder, self._rng, self._flags = folder, rng, [*FLAGS, *flags]
        self._output = folder / "output"  # of the last process
        self.counts, self.differences = collections.Counter(), []

    def run(self, kills):
        """Train once without interruptions, then with them until that many processes were killed."""
        self._folder.mkdir(parents=True)
        (self._folder / "text.txt").write_text(TEXT, encoding="utf-8")
        whole, number = self._folder / "uninterrupted", 0
        if kills and self._completes(whole, self._start(whole)):
            while self.counts["kills"] < kills:
                number += 1
                self._interrupted_run(self._folder / f"run{number}", kills, outcome(whole))
        self.counts["differences"] = len(self.differences)

    def _interrupted_run(self, folder, kills, expected):
        """Train a run with interruptions while kills are left, and compare the outcome."""
        process = self._start(folder)
        while self.counts["kills"] < kills and self._kill(folder, process):
            self._note(folder, problems_of(folder))
            process = self._start(folder)
        if self._completes(folder, process):
            self.counts["compared"] += 1
            self._note(folder, differences(expected, outcome(folder)))
        shutil.rmtree(str(folder), ignore_errors=True)

    def _note(self, folder, lines):
        self.differences += [f"{folder.name}: {line}" for line in lines]

    def _start(self, folder):
        """Start or resume training in a folder; return the process."""
        begun = (folder / "run.json").exists()
        self.counts["resumes"] += begun
        arguments = ["--resume"] if begun else ["text.txt", *self._flags]
        with open(str(self._output), "wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "charrnn.train", *arguments, "--checkpoint-dir", str(folder)],
                cwd=str(self._folder), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": ROOT})

    def _kill(self, folder, process):
        """Kill a process at a random moment; return False if it ended before."""
        _wait(process, lambda: b"\nfolder " in self._output.read_bytes())
        time.sleep(self._rng.uniform(0, 1.2))
        if self._rng.random() < 0.5:
            _wait(process, (folder / ".saving").exists)
            time.sleep(self._rng.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return False
        self.counts.update(kills=1, while_saving=int((folder / ".saving").exists()))
        return True

    def _completes(self, folder, process):
        """Wait for a process to end; return whether its exit status is 0."""
        status = process.wait()
        if status:
            self._note(folder, [f"exit status {status}: {self._output.read_text(encoding='utf-8')[-2000:]}"])
        return status == 0


def _wait(process, condition):
    """Wait until a condition holds or a process ends."""
    while process.poll() is None and not condition():
        time.sleep(0.0005)


def problems_of(folder):
    """Return a line if the newest or the best checkpoint of a run cannot be opened."""
    from charrnn import checkpoints
    from charrnn.engines.model import open_model
    try:
        found = checkpoints.newest_intact(folder)
        models = [open_model(folder), *([open_model(folder, best=True)] if found.run.best else [])]
    except checkpoints.NoCheckpointError:
        return []  # killed before the first one
    except checkpoints.CheckpointError as error:
        return [str(error)]
    return [line for model in models for line in model.skipped]


def outcome(folder):
    """Return what a run folder holds as a dict of comparable values: checkpoint, progress, history, stray files."""
    from charrnn import checkpoints
    from charrnn.system.tensorflow import tf
    prefix = checkpoints.newest_intact(folder).prefix
    names, run = {path.name for path in folder.iterdir()}, checkpoints.read_run(folder)
    with open(str(folder / "history.csv"), encoding="utf-8", newline="") as file:
        found = {"history": [row[:-1] for row in csv.reader(file)]}  # without the speed
    found.update(newest=Path(prefix).name, best=run.best, text=checkpoints.read_text(run), stray=sorted(
        name for name in names if name.endswith(".tmp") or name == ".saving" or (
            ".ckpt." in name and name.split(".ckpt.")[0] + ".ckpt.json" not in names)))
    reader = tf.train.NewCheckpointReader(prefix)
    found.update({f"variable {name}": reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})
    for suffix, kind in ((".npz", "weights"), (".progress.npz", "progress")):
        with np.load(prefix + suffix) as arrays:
            found.update({f"{kind} {name}": arrays[name] for name in set(arrays.files) - {"history", "about"}})
    return {name: (str(value.dtype), value.shape, value.tobytes()) if hasattr(value, "dtype") else value
            for name, value in found.items()}


def differences(expected, found):
    """Return a line for each name whose values differ between two outcomes."""
    return [f"{name} differs: {str(found.get(name))[:200]} instead of {str(expected.get(name))[:200]}"
            for name in sorted(set(expected) | set(found)) if expected.get(name) != found.get(name)]


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    from charrnn.system.tensorflow import quiet_tensorflow
    quiet_tensorflow()
    sys.exit(main())
