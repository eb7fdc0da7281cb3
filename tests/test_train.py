"""The training script, and the function behind it: flags, texts, folders, presets, dry runs and help."""

import re
import shutil
from contextlib import closing

import numpy as np
import pytest
from conftest import (
    TEXT,
    StopAfter,
    resume,
    run_python,
    times_of,
    train_small,
    with_output,
)

from charrnn.checkpoints import record
from charrnn.commands import train
from charrnn.system import files
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training.job import plan_job


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
    assert [path.name for path in folder.iterdir()] == [".lock"]


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


def test_a_dry_run_prints_the_plan_and_writes_nothing(text_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert train_small(text_file, "run", "--dry-run", "--val-fraction", "0.3", "--cell", "gru") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert sorted(tmp_path.rglob("*")) == before

    assert "windows  30 of 2 x 12 per epoch, without the last 8 characters" in out.splitlines()
    assert "\nmemory   about " in out


def test_the_memory_of_a_large_network_is_told(text_file, capsys):
    """Of 13 numbers for each output of a unit in a window, and 5 for each parameter. The recipe took 610 MB (1.15)."""
    assert train.main([str(text_file), "--dry-run", "--batch-size", "10", "--num-steps", "20"]) == 0
    out = capsys.readouterr().out
    n_parameters = int(re.search(r"([\d,]+) parameters", out).group(1).replace(",", ""))
    megabytes = 4 * (13 * 10 * 20 * 2 * 512 + 5 * n_parameters) / 1e6
    assert f"\nmemory   about {megabytes:,.0f} MB, and 300 to 700 MB of TensorFlow\n" in out


@pytest.fixture
def job(text_file, tmp_path, planned):
    """What is planned for two texts with a preset and other flags."""
    texts = [str(text_file), str(text_file)]
    flags = "--preset exercise --epochs 1 --lstm-size 6 --threads 3 --no-summaries"
    assert train.main([*texts, *flags.split(), "--checkpoint-dir", str(tmp_path / "run")]) == 0
    (job,) = planned
    return job


def test_flags_override_a_preset(job):
    names = ["batch_size", "num_steps", "lstm_size", "learning_rate", "epochs", "keep_prob"]
    values = [getattr(job.hyperparameters, name) for name in names]
    assert values == [10, 50, 6, 0.01, 1, 0.5]


def test_a_run_without_a_seed_gets_one_that_it_could_be_given():
    values = dict(batch_size=2, num_steps=9)
    planned = [plan_job(Text("a", TEXT), values, "run") for _ in range(30)]
    seeds = {job.hyperparameters.seed for job in planned}
    assert len(seeds) == 30
    assert max(seeds) < 2**31


def test_a_plan_has_the_threads_that_it_will_use():
    values = dict(batch_size=2, num_steps=9)
    job = plan_job(Text("a", TEXT), values, "run", threads=5)
    assert job.record.hyperparameters.threads == 5


def test_several_texts_are_joined(job):
    assert job.text == f"{TEXT}\n{TEXT}"


def test_the_threads_and_reports_are_in_the_plan(job):
    assert job.threads == 3
    assert not job.hyperparameters.summaries


SMALL_RUN = dict(
    batch_size=2,
    num_steps=130,
    lstm_size=5,
    num_layers=1,
    epochs=1,
    seed=3,
    sample_length=0,
    summaries=False,
    threads=1,
)


@pytest.fixture(scope="module")
def run_and_output(tmp_path_factory):
    """A run of three steps with a test text, and what it prints."""
    folder = tmp_path_factory.mktemp("function") / "run"
    return with_output(train_model, TEXT, folder, test_fraction=0.2, **SMALL_RUN)


@pytest.fixture
def run(run_and_output):
    """That run. Not to be changed."""
    run, _ = run_and_output
    return run


@pytest.fixture
def resumed(run, tmp_path):
    """A function that resumes a copy of the run with other arguments, and returns the run."""
    folder = shutil.copytree(str(run.folder), str(tmp_path / "run"))
    options = dict(resume=True, quiet=True, sample_length=0, summaries=False, threads=1)
    return lambda **more: train_model(None, folder, **options, **more)


def test_the_function_takes_a_text_and_returns_the_model(run):
    assert run.model.run.hyperparameters.num_steps == 130
    assert run.losses.shape == (3,)
    assert run.losses[0] == pytest.approx(np.log(14), abs=0.2)
    assert run.stopped_by is None
    assert run.best is None


def test_the_function_prints_its_steps(run_and_output):
    _, printed = run_and_output
    assert "step 3/3" in printed


def test_without_summaries_there_are_none(run):
    assert not (run.folder / "summaries").exists()


def test_the_function_goes_on_with_a_run_and_prints_nothing_if_it_is_quiet(resumed, capsys):
    assert resumed(epochs=3).losses.shape == (6,)
    assert capsys.readouterr() == ("", "")


def test_the_test_loss_is_in_the_record(run):
    assert run.test_loss > 0
    assert run.test_loss == record.read_run(run.folder).test_loss


def test_the_test_loss_is_kept_until_the_run_goes_on(run, resumed, monkeypatch):
    """The next save removes it."""
    assert resumed().test_loss == run.test_loss
    monkeypatch.setattr("charrnn.train.StopRequests", lambda: StopAfter(1))
    assert resumed(epochs=2).test_loss is None


# The process of a program


PROGRAM = """
import os, signal, sys, warnings
before = signal.getsignal(signal.SIGINT)
import charrnn, charrnn.train, charrnn.sample
print("tensorflow" in sys.modules)
charrnn.CharRNN
print("tensorflow" in sys.modules)
print(signal.getsignal(signal.SIGINT) is before)
print("mine", file=sys.stderr, flush=True)
os.write(2, b"too\\n")

charrnn.quiet_tensorflow()
charrnn.CharRNN(3)
import tensorflow.compat.v1 as tf
tf.logging.warning("of the log")
warnings.warn("of the program")
tf.Session().close()
"""


@pytest.fixture(scope="module")
def said():
    """What that program prints, and the lines on its standard error. It suppresses the messages of a session itself."""
    status, out, err = run_python("-c", PROGRAM, variables={"TF_CPP_MIN_LOG_LEVEL": "3"}.items())
    assert status == 0, err
    return out.splitlines(), err.splitlines()


def test_a_name_that_needs_tensorflow_imports_it_and_the_package_does_not(said):
    (before, after, _), _ = said
    assert before == "False"
    assert after == "True"


def test_an_import_leaves_signals_to_the_program(said):
    (_, _, is_as_before), _ = said
    assert is_as_before == "True"


def test_an_import_says_nothing_and_standard_error_works_after_it(said):
    _, err = said
    assert err[:2] == ["mine", "too"]


def test_the_users_own_warnings_are_shown(said):
    _, err = said
    assert "of the log" in err[2]
    assert "of the program" in err[3]
    # From Python 3.13 on, a warning shows its line.
    assert err[4:] in ([], ['  warnings.warn("of the program")'])
