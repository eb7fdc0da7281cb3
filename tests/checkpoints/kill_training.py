"""Kill real training processes at random moments, resume each, and compare what they come to.

``python tests/kill_training.py --kills 100`` trains a small network again and again: each process is killed with
SIGKILL, half of them while a checkpoint is being saved, and the next one resumes. A run that comes to its end must
equal, bit for bit, a run that was left alone. One line at the end says what was done; the exit status is 1 where
anything differed.
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
# Dropout is on, evaluations fall beside the checkpoints, and the best one is seldom the newest.
FLAGS = ["--batch-size", "2", "--num-steps", "3", "--lstm-size", "5", "--num-layers", "2", "--keep-prob", "0.5",
         "--learning-rate", "0.03", "--val-fraction", "0.1", "--eval-every-n", "7", "--epochs", "2", "--seed", "7",
         "--save-every-n", "10", "--max-to-keep", "2", "--print-every-n", "5", "--sample-length", "0"]
PATIENCE = 120  # seconds without what a process should do


def main(argv=None):
    """Kill and compare; return the exit status: 0, or 1 where something differed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="processes to kill (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments to kill at (default: 0)")
    parser.add_argument("--folder", help="where the runs are kept (default: a temporary folder, removed afterwards)")
    args = parser.parse_args(argv)
    with contextlib.ExitStack() as stack:
        folder = args.folder or stack.enter_context(tempfile.TemporaryDirectory())
        killer = Killer(Path(folder).resolve(), random.Random(args.seed))
        killer.run(args.kills)
    for line in killer.differences:
        print(line)
    print(killer.summary())
    return 1 if killer.differences else 0


class Killer:
    """Runs, kills and compares, and counts what came of it."""

    def __init__(self, folder, rng, flags=()):
        """Take a folder to work in, a random.Random, and flags of the training besides FLAGS."""
        self._folder, self._rng, self._flags = folder, rng, [*FLAGS, *flags]
        self.kills = self.while_saving = self.skipped = self.resumes = self.compared = 0
        self.differences = []

    def run(self, kills):
        """Train once without and then with interruptions, until there were that many kills and the last run is done."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "text.txt").write_text(TEXT, encoding="utf-8")
        alone = self._folder / "alone"
        if not self._ends(alone, self._start(alone)):
            return
        expected, number = outcome(alone), 0
        while self.kills < kills or not number:
            number += 1
            folder = self._folder / "run{}".format(number)
            if self._interrupted_run(folder, kills):
                self.compared += 1
                self.differences += ["{}: {}".format(folder.name, line)
                                     for line in differences(expected, outcome(folder))]
            shutil.rmtree(str(folder), ignore_errors=True)

    def _interrupted_run(self, folder, kills):
        """Do a run, killing on the way while kills are left; return whether it came to its end."""
        process = self._start(folder)
        while self.kills < kills:
            if not self._kill(folder, process):
                break
            self._look_into(folder)
            process = self._start(folder)
        return self._ends(folder, process)

    def _start(self, folder):
        """Start training in a folder, or go on there; return the process."""
        begun = (folder / "run.json").exists()
        self.resumes += begun
        command = [sys.executable, "-m", "charrnn.train", *(["--resume"] if begun else [
            str(self._folder / "text.txt"), *self._flags]), "--checkpoint-dir", str(folder)]
        with open(str(self._output(folder)), "wb") as output:
            return subprocess.Popen(command, cwd=str(self._folder), stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT)

    @staticmethod
    def _output(folder):
        """Return the path of the file that takes what a process says."""
        return folder.with_name(folder.name + ".output")

    def _kill(self, folder, process):
        """Kill a process at a random moment; return False where it ended before."""
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
            self.differences.append("{}: killed before it trained".format(folder.name))
        self.kills += 1
        self.while_saving += (folder / ".saving").exists()
        self._count_skipped(folder)
        return True

    @staticmethod
    def _wait(process, there):
        """Wait until something is there; return False where the process ends or dawdles before."""
        until = time.time() + PATIENCE
        while process.poll() is None and time.time() < until:
            if there():
                return True
            time.sleep(0.0005)
        return there()

    def _ends(self, folder, process):
        """Wait for a process to end well; return whether it did."""
        try:
            status = process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = "none after {} s, kill: {}".format(PATIENCE, process.wait())
        self._count_skipped(folder)
        if status:
            self.differences.append("{}: exit status {}: {}".format(
                folder.name, status, self._output(folder).read_text(encoding="utf-8")[-2000:]))
        return status == 0

    def _count_skipped(self, folder):
        self.skipped += b"\nskipped  " in b"\n" + self._output(folder).read_bytes()

    def _look_into(self, folder):
        """Note where what a kill has left in a folder cannot be opened."""
        from charrnn import checkpoints
        try:
            checkpoints.newest_intact(folder)
        except checkpoints.NoCheckpointError:
            return  # killed before the first one
        except checkpoints.CheckpointError as error:
            self.differences.append("{}: after a kill: {}".format(folder.name, error))
            return
        for best in (False, True):
            if best and not checkpoints.read_run(folder).best:
                continue
            try:
                checkpoints.read_weights(checkpoints.open_checkpoint(folder, best=best).prefix)
            except checkpoints.CheckpointError as error:
                self.differences.append("{}: after a kill{}: {}".format(
                    folder.name, ", of the best" if best else "", error))

    def summary(self):
        """Return what was done, in one line."""
        return ("{} kills, {} of them while .saving existed; {} resumes, {} of them skipped a broken checkpoint; "
                "{} runs compared, {} differences".format(self.kills, self.while_saving, self.resumes, self.skipped,
                                                          self.compared, len(self.differences)))


def outcome(folder):
    """Return what a run has come to: a dict from a name to something that can be compared, arrays as bytes."""
    import tensorflow.compat.v1 as tf

    from charrnn import checkpoints
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
    """Return a line for each name under which two outcomes differ."""
    lines = []
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            shown = "" if name.startswith(("variable", "progress", "history")) else ": {} instead of {}".format(
                found.get(name), expected.get(name))
            lines.append(name + " differs" + shown)
    return lines


if __name__ == "__main__":
    from charrnn.system import console
    console.quiet_tensorflow()
    sys.exit(main())
