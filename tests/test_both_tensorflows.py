"""TensorFlow 1.15 and 2 give the same results, and each uses what the other has written.

The environments are .venv and .venv-tf2, as make names them.
"""

import itertools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import OLDER, ROOT, SMALL_FLAGS, TEXT, history_of, process_environment, weights_of

PYTHONS = [str(ROOT / name / "bin" / "python") for name in (".venv", ".venv-tf2")]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(Path(python).exists() for python in PYTHONS),
        reason="there are not two environments with different TensorFlows: make venv with TENSORFLOW=1 and with 2",
    ),
]
# 78 steps with dropout; the checkpoint after step 25 is in the middle of the first epoch
FLAGS = [*SMALL_FLAGS, "--epochs", "2", "--print-every-n", "1", "--val-fraction", "0.1"]


def call(command):
    """Run ``charrnn`` by a Python and the arguments that follow it, and return what it prints."""
    python, *arguments = command
    done = subprocess.run(
        [python, "-m", "charrnn", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        env=process_environment(),
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def train(python, folder, *flags):
    call([python, "train", "--checkpoint-dir", folder, *flags])
    return folder


def assert_equal_runs(folder, expected):
    """Check the weights, the optimizer's slots and the losses of two runs; rounding differs between versions."""
    ours = weights_of(folder)
    theirs = weights_of(expected)
    assert set(ours) == set(theirs)
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(losses_of(folder), losses_of(expected), rtol=0, atol=1e-5)


def losses_of(folder):
    """Return the losses of all steps."""
    return [float(row["loss"]) for row in history_of(folder)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of the same run on each TensorFlow, by its Python. Not to be changed."""
    folder = tmp_path_factory.mktemp("both")
    text = folder / "small.txt"
    text.write_text(TEXT, encoding="utf-8")
    return {
        python: train(python, folder / f"run{number}", text, *FLAGS)
        for number, python in enumerate(PYTHONS)
    }


def test_a_seed_gives_the_same_run(runs):
    assert_equal_runs(*runs.values())


@pytest.mark.parametrize("trained_by, resumed_by", list(itertools.permutations(PYTHONS, 2)))
def test_a_run_is_resumed_by_the_other(runs, tmp_path, trained_by, resumed_by):
    expected = runs[trained_by]
    folder = Path(shutil.copytree(str(expected), str(tmp_path / "run")))
    for path in folder.glob("i*"):
        if not path.name.startswith(OLDER):
            path.unlink()

    train(resumed_by, folder, "--resume")
    assert_equal_runs(folder, expected)


@pytest.mark.parametrize("number", [1, 64])
def test_a_checkpoint_writes_the_same_texts(runs, number):
    """One text, and many."""
    first_python, second_python = PYTHONS
    sample = ["sample", runs[first_python], "--seed", 3, "--length", 300, "--num-samples", number]
    first = call([first_python, *sample])
    assert first == call([second_python, *sample])
    assert len(first) > 300
