"""The training script, and the function behind it: flags, texts, folders, presets, dry runs and help."""

import itertools
import re
import shutil
import time
from contextlib import closing

import numpy as np
import pytest
from conftest import TEXT, StopAfter, resume, run_python, train_small

from charrnn.checkpoints import record
from charrnn.commands import train
from charrnn.system import files
from charrnn.system.tensorflow import tf
from charrnn.train import train_model


def test_a_known_text_that_cannot_be_found_is_not_replaced(tmp_path, capsys, monkeypatch):
    """Neither where it is named nor where it is the default."""
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    for arguments in (["anna"], []):
        assert train.main(arguments) == 2
        out, err = capsys.readouterr()
        assert (
            out == ""
            and err.count("\n") == 1
            and err.startswith("charrnn-train: error: ")
            and "'anna'" in err
        )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_another_process_trains_is_refused(text_file, trained, tmp_path, capsys):
    """Nothing in it is changed, by a new run or by a resumed one."""
    shutil.copytree(str(trained), str(tmp_path / "run"))
    (tmp_path / "new").mkdir()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}
    with closing(files.lock(tmp_path / "run" / ".lock")), closing(
        files.lock(tmp_path / "new" / ".lock")
    ):
        for status in (resume(tmp_path / "run"), train_small(text_file, tmp_path / "new")):
            assert status == 2
        out, err = capsys.readouterr()
        assert (
            out == "" and err.count("\n") == 2 and err.count("another process is training in") == 2
        )
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()} == before
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".lock"]


def test_a_dry_run_prints_an_estimate_and_writes_nothing(text_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    # of the plan, then of each step; the first one, which makes the kernels, is no measure
    times = itertools.accumulate([0.0, 0, 5000, 0, 800, 0, 800, 0, 800, 0, 800])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    assert train_small(text_file, "run", "--dry-run", "--val-fraction", "0.3", "--cell", "gru") == 0
    out, err = capsys.readouterr()
    assert err == "" and sorted(tmp_path.rglob("*")) == before
    assert "windows  121 of 2 x 3 per epoch, 2 characters left over" in out.splitlines()
    memory = re.search(r"^memory   ([0-9,]+) MB$", out, re.MULTILINE).group(1)
    assert 50 < int(memory.replace(",", "")) < 100_000
    assert "\ntime     800.0000 s/batch, 1 day, 2:53:20 for all steps, " in out


def test_flags_override_a_preset(text_file, tmp_path, monkeypatch, capsys):
    """The seed, which neither has, is made up, printed and recorded. Several texts are joined."""
    sessions = []
    usual = tf.Session
    monkeypatch.setattr(
        tf, "Session", lambda **options: sessions.append(options) or usual(**options)
    )
    assert (
        train.main(
            [
                str(text_file),
                str(text_file),
                "--separator",
                "~~",
                "--preset",
                "exercise",
                "--epochs",
                "1",
                "--lstm-size",
                "6",
                "--checkpoint-dir",
                str(tmp_path / "run"),
                "--sample-length",
                "0",
                "--threads",
                "3",
                "--no-summaries",
            ]
        )
        == 0
    )
    assert (
        sessions[0]["config"].inter_op_parallelism_threads == 3
        and not (tmp_path / "run" / "summaries").exists()
    )
    assert (tmp_path / "run" / "text.txt").read_text() == f"{TEXT}~~{TEXT}"
    hyper = record.read_run(tmp_path / "run").hyperparameters
    names = ["batch_size", "num_steps", "lstm_size", "learning_rate", "epochs", "keep_prob"]
    assert [getattr(hyper, name) for name in names] == [10, 50, 6, 0.01, 1, 0.5]
    assert 0 <= hyper.seed < 2**31 and f"seed {hyper.seed}\n" in capsys.readouterr().out


SMALL_RUN = dict(
    batch_size=2, num_steps=130, lstm_size=5, num_layers=1, epochs=1, seed=3, summaries=False
)


def test_the_function_takes_a_text_and_returns_the_model(tmp_path, capsys):
    trained = train_model(TEXT, tmp_path / "run", sample_length=0, **SMALL_RUN)
    assert trained.model.run.hyperparameters.num_steps == 130 and trained.losses.shape == (4,)
    assert (
        trained.losses[0] == pytest.approx(np.log(14), abs=0.2)
        and trained.stopped_by is trained.best is None
    )
    assert "step 4/4" in capsys.readouterr().out
    longer = train_model(
        None, tmp_path / "run", resume=True, quiet=True, epochs=3, sample_length=0, summaries=False
    )
    assert longer.losses.shape == (8,) and capsys.readouterr() == ("", "")


def test_the_test_loss_is_kept_until_the_run_goes_on(tmp_path, monkeypatch):
    """In run.json; the next save removes it."""
    run = train_model(
        TEXT, tmp_path / "run", sample_length=0, test_fraction=0.2, quiet=True, **SMALL_RUN
    )
    assert run.test_loss == record.read_run(run.folder).test_loss > 0
    assert (
        train_model(None, run.folder, resume=True, sample_length=0, quiet=True).test_loss
        == run.test_loss
    )
    monkeypatch.setattr("charrnn.train.StopRequests", lambda: StopAfter(1))
    assert (
        train_model(None, run.folder, resume=True, sample_length=0, quiet=True, epochs=2).test_loss
        is None
    )


def test_importing_does_not_import_tensorflow():
    """A name that needs it does, silently. Standard error works afterwards, and signals are left to the program."""
    code = (
        "import os, signal, sys; before = signal.getsignal(signal.SIGINT); "
        "import charrnn, charrnn.train, charrnn.sample; assert 'tensorflow' not in sys.modules; "
        "charrnn.CharRNN; assert 'tensorflow' in sys.modules and signal.getsignal(signal.SIGINT) is before; "
        "print('mine', file=sys.stderr, flush=True); os.write(2, b'too\\n')"
    )
    assert run_python("-c", code) == (0, "", "mine\ntoo\n")


def test_the_users_own_warnings_are_shown():
    code = (
        "from charrnn.system import terminal; terminal.quiet_tensorflow(); import warnings, charrnn\n"
        "charrnn.CharRNN(3); import tensorflow.compat.v1 as tf; tf.logging.warning('mine')\n"
        "warnings.warn('mine too'); tf.Session().close()"
    )
    _, out, err = run_python("-c", code)
    lines = err.strip().split("\n")
    assert out == "" and "mine" in lines[0] and "mine too" in lines[1], err
    # from Python 3.13 on
    assert lines[2:] in ([], ["  warnings.warn('mine too'); tf.Session().close()"])
