"""The training script, and the function behind it: flags, texts, folders, presets, dry runs and help."""

import itertools
import re
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


@pytest.mark.parametrize("arguments", [["anna"], []])
def test_a_known_text_that_cannot_be_found_is_not_replaced(
    tmp_path, capsys, monkeypatch, arguments
):
    """Neither where it is named nor where it is the default."""
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert train.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("charrnn-train: error: ")
    assert "'anna'" in err
    assert list(tmp_path.iterdir()) == []


def times_of(folder):
    """When each file in a folder was changed."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_new_run_in_a_folder_in_which_another_process_trains_is_refused(
    text_file, tmp_path, capsys
):
    """Nothing in it is changed."""
    folder = tmp_path / "run"
    folder.mkdir()
    with closing(files.lock(folder / ".lock")):
        assert train_small(text_file, folder) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "another process is training in" in err
    assert list(times_of(folder)) == [".lock"]


def test_a_run_that_another_process_trains_cannot_be_resumed(run_copy, capsys):
    """Nothing in its folder is changed."""
    before = times_of(run_copy)
    with closing(files.lock(run_copy / ".lock")):
        assert resume(run_copy) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "another process is training in" in err
    assert times_of(run_copy) == before


def test_a_dry_run_prints_an_estimate_and_writes_nothing(text_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    # of the plan, then of each step; the first one, which makes the kernels, is no measure
    times = itertools.accumulate([0.0, 0, 5000, 0, 3000, 0, 3000, 0, 3000, 0, 3000])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    assert train_small(text_file, "run", "--dry-run", "--val-fraction", "0.3", "--cell", "gru") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert sorted(tmp_path.rglob("*")) == before

    assert "windows  30 of 2 x 12 per epoch, 8 characters left over" in out.splitlines()
    memory = re.search(r"^memory   ([0-9,]+) MB$", out, re.MULTILINE).group(1)
    assert 50 < int(memory.replace(",", "")) < 100_000
    assert "\ntime     3000.0000 s/batch, 1 day, 1:00:00 for all steps, " in out


def test_flags_override_a_preset(text_file, tmp_path, monkeypatch, capsys):
    """The seed, which neither has, is made up, printed and recorded. Several texts are joined."""
    folder = tmp_path / "run"
    configs = []
    usual = tf.Session

    def session(config):
        configs.append(config)
        return usual(config=config)

    monkeypatch.setattr(tf, "Session", session)

    texts = [str(text_file), str(text_file), "--separator", r"\n~~"]
    hyperparameters = "--preset exercise --epochs 1 --lstm-size 6"
    flags = f"{hyperparameters} --sample-length 0 --threads 3 --no-summaries"
    assert train.main([*texts, *flags.split(), "--checkpoint-dir", str(folder)]) == 0
    assert configs[0].inter_op_parallelism_threads == 3
    assert not (folder / "summaries").exists()
    assert (folder / "text.txt").read_text() == f"{TEXT}\n~~{TEXT}"

    hyper = record.read_run(folder).hyperparameters
    names = ["batch_size", "num_steps", "lstm_size", "learning_rate", "epochs", "keep_prob"]
    assert [getattr(hyper, name) for name in names] == [10, 50, 6, 0.01, 1, 0.5]
    assert 0 <= hyper.seed < 2**31
    assert f"seed {hyper.seed}\n" in capsys.readouterr().out


SMALL_RUN = dict(
    batch_size=2, num_steps=130, lstm_size=5, num_layers=1, epochs=1, seed=3, summaries=False
)


def test_the_function_takes_a_text_and_returns_the_model(tmp_path, capsys):
    run = train_model(TEXT, tmp_path / "run", sample_length=0, **SMALL_RUN)
    assert run.model.run.hyperparameters.num_steps == 130
    assert run.losses.shape == (4,)
    assert run.losses[0] == pytest.approx(np.log(14), abs=0.2)
    assert run.stopped_by is None
    assert run.best is None
    assert "step 4/4" in capsys.readouterr().out

    longer = train_model(
        None, tmp_path / "run", resume=True, quiet=True, epochs=3, sample_length=0, summaries=False
    )
    assert longer.losses.shape == (8,)
    assert capsys.readouterr() == ("", "")


def test_the_test_loss_is_kept_until_the_run_goes_on(tmp_path, monkeypatch):
    """In run.json; the next save removes it."""
    run = train_model(
        TEXT, tmp_path / "run", sample_length=0, test_fraction=0.2, quiet=True, **SMALL_RUN
    )
    assert run.test_loss > 0
    assert run.test_loss == record.read_run(run.folder).test_loss
    resumed = train_model(None, run.folder, resume=True, sample_length=0, quiet=True)
    assert resumed.test_loss == run.test_loss

    monkeypatch.setattr("charrnn.train.StopRequests", lambda: StopAfter(1))
    stopped = train_model(None, run.folder, resume=True, sample_length=0, quiet=True, epochs=2)
    assert stopped.test_loss is None


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
    assert out == ""
    assert "mine" in lines[0], err
    assert "mine too" in lines[1], err
    # from Python 3.13 on
    assert lines[2:] in ([], ["  warnings.warn('mine too'); tf.Session().close()"])
