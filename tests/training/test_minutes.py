"""A run that ends after some minutes: what is chosen, what stays, and what is refused."""
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from conftest import TEXT

from charrnn.checkpoints import record
from charrnn.commands import train
from charrnn.data import Vocabulary
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training import job as job_module
from charrnn.training import minutes
from charrnn.training.hyperparameters import Hyperparameters
from charrnn.training.job import Options, plan_job
from charrnn.training.presets import preset

LONG = Text("a long text", "the cat sat on the mat\n" * 26_087)  # 600,001 characters
SHORT = Text("a short text", TEXT * 10)
STEP = 2.9e-5  # seconds for a character at 224 units


@pytest.fixture
def timed(monkeypatch):
    """A machine on which a step takes longer with more units. The list has the networks that were timed."""
    networks = []

    def time_network(num_classes, hyper, threads, in_order):
        networks.append(hyper)
        return minutes.Timing(2.0, STEP * (hyper.lstm_size / 224) ** 1.6)

    monkeypatch.setattr(minutes, "time_network", time_network)
    return networks


def planned(text, n_minutes, **given):
    """Return the job of a run that is to take some minutes."""
    return plan_job(text, given, "run", Options(minutes=n_minutes))


def seconds_of(job):
    """Return what the steps of a job take on that machine."""
    hyper = job.hyperparameters
    return STEP * (hyper.lstm_size / 224) ** 1.6 * job.total_steps * hyper.batch_size * hyper.num_steps


@pytest.mark.parametrize("n_minutes", [2, 10, 30])
def test_the_run_ends_in_time(timed, n_minutes):
    """Evaluations, checkpoints and the start take up to a seventh."""
    job = planned(LONG, n_minutes)
    assert 0.8 * 60 * n_minutes < seconds_of(job) < 60 * n_minutes - 5
    hyper = job.hyperparameters
    assert job.time == f"{n_minutes} minutes: 2 layers of {hyper.lstm_size}, {hyper.epochs} epochs"
    assert hyper.schedule == "linear" and hyper.early_stop == 0 and hyper.val_fraction == 0.1
    assert job.run.hyperparameters == vars(hyper)


def test_more_time_gives_more_units_and_more_epochs(timed):
    jobs = [planned(LONG, each).hyperparameters for each in (1, 3, 10, 30, 90)]
    for name, change in (("lstm_size", 1), ("epochs", 1), ("learning_rate", -1), ("keep_prob", -1)):
        values = [change * getattr(hyper, name) for hyper in jobs]
        assert values == sorted(values) and values[0] < values[-1], name
    assert jobs[0].recurrent_keep_prob == 1 > jobs[-1].recurrent_keep_prob


def test_networks_that_would_take_too_long_are_not_timed(timed, monkeypatch):
    """The others are, in the precision that auto chooses."""
    monkeypatch.setattr(job_module, "_with_faster_precision",
                        lambda hyper, options: (replace(hyper, precision="float32"), 0.9))
    assert planned(LONG, 2).speedup == 0.9
    assert [(hyper.lstm_size, hyper.precision) for hyper in timed] == [(128, "float32"), (256, "float32")]


@pytest.mark.parametrize("given", [
    dict(lstm_size=100), dict(num_layers=1, batch_size=7), dict(keep_prob=0.71, save_every_n=330, val_fraction=0.3),
    dict(early_stop=4, precision="float32", num_steps=31, learning_rate=0.001)])
def test_what_is_given_stays(timed, given):
    job = planned(LONG, 2, **given)
    assert {name: getattr(job.hyperparameters, name) for name in given} == given
    assert all(getattr(hyper, name) == value for hyper in timed for name, value in given.items())
    assert job.hyperparameters.lstm_size == 100 or seconds_of(job) > 0.7 * 120


def test_the_sizes_of_a_model_stay(timed):
    model = SimpleNamespace(name="a model", vocabulary=Vocabulary("abc"), lstm_size=240, num_layers=3, cell="lstm")
    job = plan_job(LONG, {}, "run", Options(minutes=2), model)
    assert (job.hyperparameters.lstm_size, job.hyperparameters.num_layers) == (240, 3) and len(timed) == 1


def test_evaluations_and_samples_are_counted(timed):
    plain, often, long = (planned(LONG, 10, lstm_size=256, **given) for given in (
        {}, dict(eval_every_n=20), dict(save_every_n=20)))
    assert plain.total_steps > 1.5 * often.total_steps > 1.5 * long.total_steps
    sampled = plan_job(LONG, dict(lstm_size=256), "run", Options(minutes=10, sample_length=90_000))
    assert plain.total_steps > 1.2 * sampled.total_steps


def test_more_than_the_text_can_use(timed):
    """The values of auto, without an early stop; a long text can use more epochs."""
    job = planned(SHORT, 20, precision="float32", seed=3)
    expected = Hyperparameters(**{**preset("auto", len(SHORT.text)), "early_stop": 0, "seed": 3})
    assert job.hyperparameters == expected
    assert re.fullmatch(r"20 minutes are more than the text can use, about 0\.\d: 2 layers of 128, 40 epochs", job.time)
    hyper = planned(LONG, 1000).hyperparameters
    assert (hyper.lstm_size, hyper.epochs, hyper.recurrent_keep_prob) == (512, 60, 0.6)


def test_too_short_a_time_names_the_least(timed):
    with pytest.raises(ValueError, match="minutes 0.3 is too short to learn from this text on this machine: it takes "
                                         r"at least \d\.\d") as caught:
        planned(LONG, 0.3)
    least = float(str(caught.value).split()[-1])
    assert planned(LONG, least).total_steps >= 500
    with pytest.raises(ValueError):
        planned(LONG, least - 0.1)


@pytest.mark.parametrize("flags, message", [
    (["--resume"], "minutes cannot be combined with resume"),
    (["--like", "other"], "--minutes cannot be combined with --like"),
    (["--epochs", "3"], "minutes cannot be combined with epochs"),
    (["--preset", "quick"], "minutes cannot be combined with the preset quick"),
    (["--minutes", "0"], "minutes must be a number above 0, not 0.0"),
    (["--minutes", "nan"], "minutes must be a number above 0, not nan")])
def test_what_cannot_be_combined(text_file, tmp_path, capsys, flags, message):
    assert train.main([str(text_file), "--checkpoint-dir", str(tmp_path / "run"), "--minutes", "2", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == f"charrnn-train: error: {message}\n" and not (tmp_path / "run").exists()


def test_several_processes_are_refused():
    with pytest.raises(ValueError, match="minutes cannot be combined with several processes"):
        plan_job(SHORT, {}, "run", Options(minutes=2), n_processes=2)


def test_a_dry_run_says_what_was_chosen(text_file, tmp_path, timed, capsys):
    assert train.main([str(text_file), "--minutes", "2", "--preset", "auto", "--dry-run"]) == 0
    assert "\ntime     2 minutes are more than the text can use, about 0." in capsys.readouterr().out


def test_a_network_is_timed_and_the_run_is_done(tmp_path, capsys):
    """On this machine, from Python."""
    run = train_model(TEXT, tmp_path / "run", minutes=5, sample_length=0, summaries=False, seed=3, lstm_size=16)
    assert re.search("time     5 minutes are more than .*: 2 layers of 16, 40 epochs\n", capsys.readouterr().out)
    hyper = record.read_run(tmp_path / "run").hyperparameters
    assert hyper["lstm_size"] == 16 and hyper["epochs"] == 40 and hyper["precision"] != "auto"
    assert len(run.losses) == 40 * (936 // (8 * 50)) and run.losses[-5:].mean() < run.losses[0]
