"""A run of version 1.0.0 in tests/data: it is read, and continued as that version would have continued it.

It was made with ``charrnn-train TEXT --batch-size 2 --num-steps 3 --lstm-size 5 --save-every-n 100 --seed 7
--sample-length 0 --no-summaries --max-to-keep 1 --val-fraction 0.1 --average-decay 0.9 --epochs 1``. The model
``run-1.0-continued.npz`` is that of the same command with two epochs.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from conftest import ROOT, resume

from charrnn import open_model
from charrnn.checkpoints import record
from charrnn.system.tensorflow import tf

DATA = ROOT / "tests" / "data"


def test_it_continues_as_it_would_have(tmp_path):
    folder = shutil.copytree(str(DATA / "run-1.0"), str(tmp_path / "run"))
    assert record.read_run(folder).tensorflow is None
    assert resume(folder, "--epochs", "2", "--no-summaries") == 0
    weights = open_model(folder).weights
    expected = open_model(DATA / "run-1.0-continued.npz").weights
    for name, value in expected.items():
        np.testing.assert_allclose(weights[name], value, atol=1e-5, err_msg=name)
    assert record.read_run(folder).tensorflow == tf.__version__


def test_a_value_that_is_now_out_of_range_is_resumed_but_not_given(tmp_path, planned, capsys):
    folder = Path(shutil.copytree(str(DATA / "run-1.0"), str(tmp_path / "run")))
    run = record.read_run(folder)
    hyper = replace(run.hyperparameters, grad_clip=1e-5)
    record.write_run(folder, replace(run, hyperparameters=hyper))
    assert resume(folder, "--grad-clip", "1e-5") == 2
    assert "grad_clip must be" in capsys.readouterr().err
    assert resume(folder, "--epochs", "2") == 0
    assert [job.hyperparameters.grad_clip for job in planned] == [1e-5]
