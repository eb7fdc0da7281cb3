"""Kill training processes at random moments, resume them, and compare the results.

``python tests/checkpoints/kill_training.py --kills 100`` trains a small network again and again. Each process is
killed with SIGKILL, about half of them while they save a checkpoint, and the next process resumes the run. A run
that completes must equal an uninterrupted run bit for bit. The kills are divided among the sets of options in VARIANTS.
The last lines are a summary of each and of all, and the exit status is 1 if anything differs.
"""
import argparse
import contextlib
import csv
import json
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

TEXT = "the cat sat on the mat, and the hat sat on the cat.\n" * 10
# With dropout, evaluations between checkpoints, and a best checkpoint that is seldom the newest.
FLAGS = ["--batch-size", "2", "--num-steps", "3", "--lstm-size", "5", "--num-layers", "2", "--keep-prob", "0.5",
         "--learning-rate", "0.03", "--val-fraction", "0.1", "--eval-every-n", "7", "--epochs", "2", "--seed", "7",
         "--save-every-n", "10", "--max-to-keep", "2", "--print-every-n", "5", "--sample-length", "0"]
# Options in addition to FLAGS, by name. A text of several files is named by "TEXTS".
VARIANTS = {
    "defaults": [],
    "averages, schedule": ["--average-decay", "0.9", "--schedule", "cosine", "--warmup-steps", "30"],
    "early stop, one kept": ["--early-stop", "6", "--max-to-keep", "1"],
    "gru": ["--cell", "gru", "--keep-prob", "1", "--optimizer", "rmsprop", "--max-to-keep", "1"],
    "notebook's graph": ["--no-fused", "--keep-prob", "1", "--schedule", "linear"],
    "several files": ["TEXTS", "--separator", "\\n--\\n", "--test-fraction", "0.05", "--average-decay", "0.8"],
}
PATIENCE = 900  # seconds to wait for a process, on a machine that does other things as well


def main(argv=None):
    """Kill, resume and compare; return the exit status, 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="number of processes to kill (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments (default: 0)")
    parser.add_argument("--folder", help="folder for the runs (default: a temporary folder)")
    args = parser.parse_args(argv)
    with contextlib.ExitStack() as stack:
        folder = args.folder or stack.enter_context(tempfile.TemporaryDirectory())
        killers = []
        for number, (name, flags) in enumerate(VARIANTS.items()):
            kills = args.kills // len(VARIANTS) + (number < args.kills % len(VARIANTS))
            if kills:
                killer = Killer(Path(folder).resolve() / str(number), random.Random(args.seed + number), flags)
                killer.run(kills)
                for line in killer.differences:
                    print(line)
                print(f"{name}: {killer.summary()}", flush=True)
                killers.append(killer)
    print(summary_of(killers))
    return 1 if any(killer.differences for killer in killers) else 0


def summary_of(killers):
    """Return the counts of all killers in one line."""
    whole = Killer(Path(), random.Random(0))
    for name in ("kills", "while_saving", "skipped", "resumes", "compared", "differences"):
        for killer in killers:
            setattr(whole, name, getattr(whole, name) + getattr(killer, name))
    return whole.summary()


class Killer:
    """Starts, kills and compares training runs, and counts the outcomes."""

    def __init__(self, folder, rng, flags=()):
        """Prepare to work in a folder.

        Args:
            folder: the folder for the runs.
            rng: a random.Random for the moments.
            flags: flags for charrnn-train in addition to FLAGS.
        """
        self._folder, self._rng, self._flags = folder, rng, [*FLAGS, *(flag for flag in flags if flag != "TEXTS")]
        self._texts = [str(folder / name) for name in (["one.txt", "two.txt"] if "TEXTS" in flags else ["text.txt"])]
        self.kills = self.while_saving = self.skipped = self.resumes = self.compared = 0
        self.differences = []

    def run(self, kills):
        """Train once without interruptions, then with them until that many processes were killed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._texts:
            Path(path).write_text(TEXT[:len(TEXT) // len(self._texts)], encoding="utf-8")
        uninterrupted = self._folder / "uninterrupted"
        if not self._completes(uninterrupted, self._start(uninterrupted)):
            return
        expected, number = outcome(uninterrupted), 0
        while self.kills < kills or not number:
            number += 1
            folder = self._folder / f"run{number}"
            if self._interrupted_run(folder, kills):
                self.compared += 1
                self.differences += [f"{folder.name}: {line}" for line in differences(expected, outcome(folder))]
            shutil.rmtree(str(folder), ignore_errors=True)

    def _interrupted_run(self, folder, kills):
        """Train a run with interruptions while kills are left; return whether it completes."""
        process = self._start(folder)
        while self.kills < kills:
            if not self._kill(folder, process):
                break
            self._check(folder)
            process = self._start(folder)
        return self._completes(folder, process)

    def _start(self, folder):
        """Start or resume training in a folder; return the process."""
        begun = (folder / "run.json").exists()
        self.resumes += begun
        command = [sys.executable, "-m", "charrnn.train", *(["--resume"] if begun else [
            *self._texts, *self._flags]), "--checkpoint-dir", str(folder)]
        with open(str(self._output(folder)), "wb") as output:
            return subprocess.Popen(command, cwd=str(self._folder), stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT)

    @staticmethod
    def _output(folder):
        """Return the path of the file that receives the output of the processes."""
        return folder.with_name(folder.name + ".output")

    def _kill(self, folder, process):
        """Kill a process at a random moment; return False if it ended before."""
        rng = self._rng
        planned = self._wait(process, lambda: b"\nfolder " in self._output(folder).read_bytes())
        time.sleep(rng.uniform(0, 1.2))
        if rng.random() < 0.5:
            planned = planned and self._wait(process, (folder / ".saving").exists)
            time.sleep(rng.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return False
        if not planned:
            self.differences.append(f"{folder.name}: killed before it trained")
        self.kills += 1
        self.while_saving += (folder / ".saving").exists()
        self._count_skipped(folder)
        return True

    @staticmethod
    def _wait(process, condition):
        """Wait for a condition; return False if the process ends or PATIENCE is over before it holds."""
        until = time.time() + PATIENCE
        while process.poll() is None and time.time() < until:
            if condition():
                return True
            time.sleep(0.0005)
        return condition()

    def _completes(self, folder, process):
        """Wait for a process to end; return whether its exit status is 0."""
        try:
            status = process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = f"none after {PATIENCE} s, then {process.wait()}"
        self._count_skipped(folder)
        if status:
            output = self._output(folder).read_text(encoding="utf-8")[-2000:]
            self.differences.append(f"{folder.name}: exit status {status}: {output}")
        return status == 0

    def _count_skipped(self, folder):
        self.skipped += b"\nskipped  " in b"\n" + self._output(folder).read_bytes()

    def _check(self, folder):
        """Check that the newest and the best checkpoint can be opened after a kill."""
        from charrnn import checkpoints
        try:
            checkpoints.newest_intact(folder)
        except checkpoints.NoCheckpointError:
            return  # killed before the first one
        except checkpoints.CheckpointError as error:
            self.differences.append(f"{folder.name}: after a kill: {error}")
            return
        for best in (False, True):
            if best and not checkpoints.read_run(folder).best:
                continue
            try:
                checkpoints.read_weights(checkpoints.open_checkpoint(folder, best=best).prefix)
            except checkpoints.CheckpointError as error:
                self.differences.append(f"{folder.name}: after a kill, {'best' if best else 'newest'}: {error}")

    def summary(self):
        """Return the counts in one line."""
        return (f"{self.kills} kills, {self.while_saving} of them while .saving existed; {self.resumes} resumes, "
                f"{self.skipped} of them skipped a damaged checkpoint; {self.compared} runs compared, "
                f"{len(self.differences)} differences")


def outcome(folder):
    """Return what a run folder holds as a dict of comparable values: checkpoint, progress, history, stray files."""
    from charrnn import checkpoints
    from charrnn.system.tensorflow import tf
    prefix, _ = checkpoints.newest_intact(folder)
    names = {path.name for path in Path(folder).iterdir()}
    found = {"newest": Path(prefix).name,
             "best": json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))["best"],
             "stray files": sorted(name for name in names if name.endswith(".tmp") or name == ".saving" or (
                 ".ckpt." in name and name.split(".ckpt.")[0] + ".ckpt.json" not in names))}
    reader = tf.train.NewCheckpointReader(prefix)
    for name in reader.get_variable_to_shape_map():
        found["variable " + name] = _exactly(reader.get_tensor(name))
    with np.load(prefix + ".progress.npz") as arrays:
        for name in arrays.files:
            found["progress " + name] = _exactly(arrays[name])
    with open(os.path.join(str(folder), "history.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    speed = rows[0].index("characters_per_second")
    found["history"] = [row[:speed] + row[speed + 1:] for row in rows]
    return found


def _exactly(array):
    return str(array.dtype), array.shape, array.tobytes()


def differences(expected, found):
    """Return a line for each name whose values differ between two outcomes."""
    lines = []
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            shown = f": {found.get(name)} instead of {expected.get(name)}"
            lines.append(f"{name} differs{'' if name.startswith(('variable', 'progress', 'history')) else shown}")
    return lines


if __name__ == "__main__":
    from charrnn.system.tensorflow import quiet_tensorflow
    quiet_tensorflow()
    sys.exit(main())
