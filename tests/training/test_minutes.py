"""A run that ends after some minutes: what is chosen, what stays, and what is refused."""

import re
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
from conftest import TEXT

from charrnn.commands import train
from charrnn.engines.model_file import open_model
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training import job, minutes
from charrnn.training.job import plan_job
from charrnn.training.options import Options
from charrnn.training.presets import preset

LONG = Text("a long text", "the cat sat on the mat\n" * 26_087)  # 600,001 characters
SHORT = Text("a short text", TEXT * 10)
STEP = 2.9e-5  # seconds for a character at 224 units


@pytest.fixture
def timed(monkeypatch):
    """A machine on which a step takes longer with more units, and planning no time. The list has the timed networks."""
    networks = []
    for module in (job, minutes):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    monkeypatch.setattr(
        minutes,
        "time_network",
        lambda num_classes, hyper, threads, in_order: (
            networks.append(hyper) or minutes.Timing(2.0, STEP * (hyper.lstm_size / 224) ** 1.6)
        ),
    )
    return networks


def planned(n_minutes, text=LONG, model=None, sample_length=200, **given):
    """Return the job of a run that is to take some minutes."""
    return plan_job(
        text, given, "run", Options(minutes=n_minutes, sample_length=sample_length), model
    )


def seconds_of(job):
    """Return what the steps of a job take on that machine."""
    hyper = job.hyperparameters
    return (
        STEP * (hyper.lstm_size / 224) ** 1.6 * job.total_steps * hyper.batch_size * hyper.num_steps
    )


class Machine:
    """A machine on which it takes 9 seconds to build a network, and some to train it, while its clock goes on."""

    def __init__(self):
        self.now = 0.0
        self.networks = []

    def build(self, num_classes, hyper, *args):
        """Take the place of TrainingGraph."""
        self.now += 9
        self.networks.append(hyper)
        return SimpleNamespace(config=SimpleNamespace())

    def step_ends(self, model, hyper, seconds=0):
        """Take the place of minutes.step_ends."""
        ends = [self.now + number * self.step(hyper) for number in range(1, 6)]
        self.now = ends[-1]
        return ends

    def step(self, hyper):
        """Return the seconds that a step takes: some for each character, and some more."""
        return 0.02 + STEP * (hyper.lstm_size / 224) ** 1.6 * hyper.batch_size * hyper.num_steps


@pytest.mark.parametrize("n_minutes", [1, 2])
def test_the_time_that_planning_and_timing_take_counts(monkeypatch, n_minutes):
    """The steps that are measured are those of a network with the rows that are trained."""
    machine = Machine()
    for module in (job, minutes):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: machine.now))
    monkeypatch.setattr("charrnn.training.graph.TrainingGraph", machine.build)
    monkeypatch.setattr(minutes, "step_ends", machine.step_ends)
    found = planned(n_minutes)
    after = machine.now + 9 + found.total_steps * machine.step(found.hyperparameters)
    assert (
        machine.now > 9 * len(machine.networks) > 9
        and 0.8 * 60 * n_minutes < after < 60 * n_minutes
    )
    assert {hyper.batch_size for hyper in machine.networks} == {found.hyperparameters.batch_size}


@pytest.mark.parametrize("n_minutes", [1, 2, 10, 30])
def test_the_run_ends_in_time(timed, n_minutes):
    """Evaluations, checkpoints and the start take up to a seventh."""
    job = planned(n_minutes)
    assert 0.8 * 60 * n_minutes < seconds_of(job) < 60 * n_minutes - 5
    hyper = job.hyperparameters
    assert job.time_in_words == (
        f"{n_minutes} minute{'s' * (n_minutes > 1)}: 2 layers of {hyper.lstm_size}, "
        f"{hyper.epochs} epochs"
    )


def test_more_time_gives_more_units_and_more_epochs(timed):
    jobs = [planned(each).hyperparameters for each in (1, 3, 10, 30, 90)]
    for name, change in (("lstm_size", 1), ("epochs", 1), ("learning_rate", -1), ("keep_prob", -1)):
        values = [change * getattr(hyper, name) for hyper in jobs]
        assert values == sorted(values) and values[0] < values[-1], name
    assert jobs[0].recurrent_keep_prob == 1 > jobs[-1].recurrent_keep_prob


def test_the_sizes_and_epochs_of_quick_are_trained_as_in_quick(timed):
    """But for a shorter warm-up in so short a text."""
    hyper = replace(
        planned(2).hyperparameters, **preset("auto", len(LONG.text)), precision="float32"
    )
    choice = minutes.Choice(hyper, (540_001, 60_000, 0), (), 2, 200)
    found = choice.hyperparameters(224, 5)
    assert (
        asdict(found)
        == {
            **asdict(found),
            **preset("quick", 1),
            "warmup_steps": choice.steps(found) // 6,
            "save_every_n": found.save_every_n,
        }
        and found.warmup_steps < 300
    )
    assert [choice.hyperparameters(224, epochs).num_steps for epochs in (19, 20)] == [64, 100]


def test_the_dropout_of_a_shorter_text_grows_to_that_of_auto(timed):
    """It has no dropout on recurrent weights where the network cannot have it."""
    text = Text("a shorter text", LONG.text[:300_000])
    auto = preset("auto", 300_000)
    few, more, all_of_auto = (planned(each, text).hyperparameters for each in (1, 4, 8))
    assert few.recurrent_keep_prob == 1 > more.recurrent_keep_prob > all_of_auto.recurrent_keep_prob
    assert few.keep_prob > more.keep_prob > all_of_auto.keep_prob
    assert all_of_auto == replace(all_of_auto, **{**auto, "early_stop": 0})
    for other, n_minutes in ((text, 4), (LONG, 60)):
        assert planned(n_minutes, other, cell="gru").hyperparameters.recurrent_keep_prob == 1


def test_networks_that_would_take_too_long_are_not_timed(timed, monkeypatch):
    """The others are, in the precision that auto chooses."""
    monkeypatch.setattr(
        "charrnn.training.job.faster_precision", lambda threads, fused: ("float32", 0.9)
    )
    assert planned(2).speedup == 0.9
    assert [(hyper.lstm_size, hyper.precision) for hyper in timed] == [
        (128, "float32"),
        (256, "float32"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        dict(lstm_size=100, num_layers=1, batch_size=7, early_stop=4, precision="float32"),
        dict(num_steps=31, learning_rate=0.001, keep_prob=0.71, save_every_n=330, val_fraction=0.3),
    ],
)
def test_what_is_given_stays(timed, given):
    job = planned(2, **given)
    for hyper in (job.hyperparameters, *timed):
        assert {name: getattr(hyper, name) for name in given} == given
    assert job.hyperparameters.lstm_size == 100 or seconds_of(job) > 0.6 * 120


def test_the_sizes_of_a_model_stay(timed):
    assert planned(4, model=open_model("anna")).hyperparameters.lstm_size == 512 and len(timed) == 1


def test_evaluations_and_samples_are_counted(timed):
    plain, often, saved, sampled = (
        planned(10, lstm_size=256, **given).hyperparameters.epochs
        for given in ({}, dict(eval_every_n=20), dict(save_every_n=20), dict(sample_length=90_000))
    )
    assert plain > 1.5 * often > 1.5 * saved and plain > 1.2 * sampled


def test_more_than_the_text_can_use(timed):
    """The values of auto, without an early stop; a long text can use more epochs."""
    job = planned(20, SHORT)
    assert job.hyperparameters == replace(
        job.hyperparameters, **{**preset("auto", len(SHORT.text)), "early_stop": 0}
    )
    said = r"20 minutes, more than the text can use \(about 0\.\d\): 2 layers of 128, 100 epochs"
    assert re.fullmatch(said, job.time_in_words)
    hyper = planned(1000).hyperparameters
    assert (hyper.lstm_size, hyper.epochs, hyper.recurrent_keep_prob) == (512, 60, 0.6)


def test_too_short_a_time_names_the_least(timed):
    with pytest.raises(
        ValueError, match="minutes 0.2 is too short to .*: it takes at least "
    ) as caught:
        planned(0.2)
    least = float(str(caught.value).split()[-1])
    assert planned(least).total_steps >= 500
    # but for 10% in which it may be slower, and rounding
    with pytest.raises(ValueError, match="too short"):
        planned(least / 1.1 - 0.1)


@pytest.mark.parametrize(
    "slower, text, given",
    [
        (60, LONG, {}),
        (9, LONG, dict(sample_length=30_000)),
        (9, SHORT, {}),
        (3, LONG, dict(save_every_n=100)),
    ],
)
def test_the_least_time_that_is_named_is_enough(timed, monkeypatch, slower, text, given):
    """On any machine, with the checkpoints of that time, and if it is a little slower then."""
    measured = [slower, 1.099 * slower]
    monkeypatch.setattr(
        minutes,
        "time_network",
        lambda num_classes, hyper, threads, in_order: minutes.Timing(
            2.0, measured.pop(0) * STEP * (hyper.lstm_size / 224) ** 1.6
        ),
    )
    with pytest.raises(ValueError, match="it takes at least ") as caught:
        planned(0.1, text, **given)
    assert (
        planned(float(str(caught.value).split()[-1]), text, lstm_size=128, **given).total_steps
        and not measured
    )


@pytest.mark.parametrize("n_minutes", [0.4, 0.5, 1])
def test_a_time_is_not_more_than_itself(timed, n_minutes):
    about = re.search(r"about (0\.\d)", planned(n_minutes, SHORT).time_in_words)
    assert float(about.group(1)) < n_minutes if about else n_minutes < 1


def test_what_cannot_be_combined_in_python():
    with pytest.raises(ValueError, match="minutes cannot be combined with several processes"):
        plan_job(SHORT, {}, "run", Options(minutes=2), n_processes=2)
    with pytest.raises(ValueError, match="minutes cannot be combined with epochs"):
        train_model(TEXT, minutes=2, epochs=3)


def test_a_dry_run_times_a_network_and_says_what_was_chosen(text_file, capsys):
    """On this machine."""
    assert (
        train.main(
            [str(text_file), "--minutes", "5", "--preset", "auto", "--lstm-size", "16", "--dry-run"]
        )
        == 0
    )
    assert re.search(
        r"\ntime     5 minutes, more than .*: 2 layers of 16, 100 epochs\n", capsys.readouterr().out
    )
