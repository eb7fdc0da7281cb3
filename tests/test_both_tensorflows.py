"""TensorFlow 1.15 and 2 give the same results, and each uses what the other has written.

The environments are .venv and .venv-tf2, as make names them.
"""

import itertools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SMALL_FLAGS, TEXT, history_of, process_environment, weights_of

PYTHONS = [str(ROOT / name / "bin" / "python") for name in (".venv", ".venv-tf2")]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(Path(python).exists() for python in PYTHONS),
        reason="there are not two environments with different TensorFlows here: make venv, make TENSORFLOW=2 venv",
    ),
]
# 346 steps with dropout; the checkpoint after step 100 is in the middle of the first epoch
FLAGS = [*SMALL_FLAGS, "--epochs", "2", "--print-every-n", "1", "--val-fraction", "0.1"]


def call(python, *arguments):
    """Run Python with the arguments, and return what it prints."""
    done = subprocess.run(
        [python, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        env=process_environment(),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def train(python, folder, *flags):
    call(python, "-m", "charrnn", "train", "--checkpoint-dir", folder, *flags)
    return folder


def assert_equal_runs(one, two):
    """Check the weights, the optimizer's slots and the losses of two runs; rounding differs between versions."""
    ours = weights_of(one)
    theirs = weights_of(two)
    assert set(ours) == set(theirs)
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=0, atol=1e-5, err_msg=name)
    losses = [[float(row["loss"]) for row in history_of(folder)] for folder in (one, two)]
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of the same run on each TensorFlow, by its Python. Not to be changed."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "small.txt").write_text(TEXT, encoding="utf-8")
    return {
        python: train(python, folder / f"run{number}", folder / "small.txt", *FLAGS)
        for number, python in enumerate(PYTHONS)
    }


def test_a_seed_gives_the_same_run(runs):
    assert_equal_runs(*runs.values())


def test_a_run_is_resumed_by_the_other(runs, tmp_path):
    for number, (first, second) in enumerate(itertools.permutations(runs, 2)):
        folder = Path(shutil.copytree(str(runs[first]), str(tmp_path / str(number))))
        for path in folder.glob("i*"):
            if not path.name.startswith("i100_"):
                path.unlink()
        train(second, folder, "--resume", "--sample-length", "0")
        assert_equal_runs(folder, runs[first])


def test_a_checkpoint_writes_the_same_text(runs):
    """In NumPy, and in the graph, which writes many texts."""
    for flags in (["--length", "300"], ["--length", "300", "--num-samples", "64"]):
        texts = [
            call(python, "-m", "charrnn", "sample", runs[PYTHONS[0]], "--seed", "3", *flags)
            for python in PYTHONS
        ]
        assert len(set(texts)) == 1 and len(texts[0]) > 300
