"""A run that ends after some minutes: what is chosen, what stays, and what is refused."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from conftest import TEXT, set_clock

from charrnn.commands import train
from charrnn.engines.opening import open_model
from charrnn.hyperparameters import Hyperparameters
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training import job, minutes
from charrnn.training.job import plan_job
from charrnn.training.presets import preset

LONG = Text("a long text", "The cat sat on the mat " * 26_087)  # 600,001 characters
SHORT = Text("a short text", TEXT * 10)
STEP = 2.9e-5  # seconds for a character at 224 units


@pytest.fixture
def timed(monkeypatch):
    """A machine on which a step takes longer with more units, and planning no time. The list has the timed networks."""
    networks = []

    def time_network(hyper, num_classes, threads, in_order):
        networks.append(hyper)
        return minutes.Timing(2.0, seconds_of_character(hyper))

    set_machine(monkeypatch, clock=lambda: 0.0)
    monkeypatch.setattr(minutes, "time_network", time_network)
    return networks


def set_machine(monkeypatch, clock):
    """Let the clock be that of a machine, on which bfloat16 is not faster."""
    set_clock(monkeypatch, clock)
    monkeypatch.setattr(job, "faster_precision", lambda threads, fused: ("float32", 1.0))


def planned(n_minutes, text=LONG, model=None, sample_length=200, **hyperparameters):
    """Return the job of a run that is to take some minutes."""
    values = dict(sample_length=sample_length, **hyperparameters)
    return plan_job(text, values, "run", n_minutes=n_minutes, init_from=model or "none")


def seconds_of_character(hyper):
    return STEP * (hyper.lstm_size / 224) ** 1.6


def seconds_of(job):
    """Return what the steps of a job take on that machine."""
    hyper = job.hyperparameters
    characters = job.total_steps * hyper.batch_size * hyper.num_steps
    return seconds_of_character(hyper) * characters


class Machine:
    """A machine on which it takes 9 seconds to build a network, and some to train it, while its clock goes on."""

    def __init__(self):
        self.now = 0.0
        self.networks = []

    def build(self, num_classes, hyper, processes, threads, in_order):
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
        return 0.02 + seconds_of_character(hyper) * hyper.batch_size * hyper.num_steps


@pytest.mark.parametrize("n_minutes", [2, 3])
def test_the_time_that_planning_and_timing_take_counts(monkeypatch, n_minutes):
    """The steps that are measured are those of a network with the rows that are trained."""
    machine = Machine()
    set_machine(monkeypatch, clock=lambda: machine.now)
    monkeypatch.setattr("charrnn.training.graph.TrainingGraph", machine.build)
    monkeypatch.setattr(minutes, "step_ends", machine.step_ends)
    run = planned(n_minutes)
    assert len(machine.networks) > 1
    assert machine.now > 9 * len(machine.networks)
    hyper = run.hyperparameters
    end = machine.now + 9 + run.total_steps * machine.step(hyper)
    assert 0.8 * 60 * n_minutes < end < 60 * n_minutes
    assert {network.batch_size for network in machine.networks} == {hyper.batch_size}


@pytest.mark.parametrize("n_minutes", [1, 2, 10, 30])
def test_the_run_ends_in_time(timed, n_minutes):
    """Evaluations, checkpoints and the start take up to a seventh."""
    job = planned(n_minutes)
    assert 0.8 * 60 * n_minutes < seconds_of(job) < 60 * n_minutes - 5
    hyper = job.hyperparameters
    time = "1 minute" if n_minutes == 1 else f"{n_minutes} minutes"
    assert job.time_in_words == f"{time}: 2 layers of {hyper.lstm_size}, {hyper.epochs} epochs"


def test_more_time_gives_more_units_and_more_epochs(timed):
    hypers = [planned(n_minutes).hyperparameters for n_minutes in (1, 3, 10, 30, 90)]
    for name, change in (("lstm_size", 1), ("epochs", 1), ("learning_rate", -1), ("keep_prob", -1)):
        values = [change * getattr(hyper, name) for hyper in hypers]
        assert values == sorted(values), name
        assert values[0] < values[-1], name
    assert hypers[0].recurrent_keep_prob == 1
    assert hypers[-1].recurrent_keep_prob < 1


def test_the_size_of_quick_is_chosen_from_4_epochs_on(timed):
    hyper = planned(1.3).hyperparameters
    assert (hyper.lstm_size, hyper.epochs) == (224, 4)


def test_a_network_of_the_size_of_auto_has_as_many_epochs_as_there_is_time_for(timed):
    text = Text("a shorter text", LONG.text[:300_000])
    auto = preset("auto", 300_000)
    job = planned(4, text, lstm_size=auto["lstm_size"])
    assert job.hyperparameters.epochs < auto["epochs"]
    assert 0.8 * 240 < seconds_of(job) < 240 - 5


@pytest.fixture
def wish(timed):
    """What there is to choose from for the long text in 2 minutes."""
    auto = replace(
        planned(2).hyperparameters, **preset("auto", len(LONG.text)), precision="float32"
    )
    return minutes.Wish(auto, (540_001, 60_000, 0), (), 2)


def test_the_sizes_and_epochs_of_quick_are_trained_as_in_quick(wish):
    """Only the warm-up is shorter, as the text is so short."""
    hyper = wish.hyperparameters(224, 5)
    warmup_steps = wish.steps(hyper) // 6
    assert warmup_steps < 300
    of_quick = {**preset("quick", 1), "warmup_steps": warmup_steps}
    del of_quick["save_every_n"]
    assert {name: getattr(hyper, name) for name in of_quick} == of_quick


@pytest.mark.parametrize("epochs, num_steps", [(19, 64), (20, 80)])
def test_few_epochs_have_shorter_windows(wish, epochs, num_steps):
    assert wish.hyperparameters(224, epochs).num_steps == num_steps


def test_the_dropout_of_a_shorter_text_grows_to_that_of_auto(timed):
    text = Text("a shorter text", LONG.text[:300_000])
    auto = preset("auto", 300_000)
    few, more, all_of_auto = (planned(n_minutes, text).hyperparameters for n_minutes in (1, 4, 12))
    assert few.recurrent_keep_prob == 1
    assert 1 > more.recurrent_keep_prob > all_of_auto.recurrent_keep_prob
    assert few.keep_prob > more.keep_prob > all_of_auto.keep_prob
    assert all_of_auto == replace(all_of_auto, **{**auto, "early_stop": 0})


@pytest.mark.parametrize("length, n_minutes", [(300_000, 4), (len(LONG.text), 60)])
def test_a_network_that_cannot_have_it_has_no_dropout_on_recurrent_weights(
    timed, length, n_minutes
):
    text = Text("a text", LONG.text[:length])
    assert planned(n_minutes, text, cell="gru").hyperparameters.recurrent_keep_prob == 1


def test_a_network_is_timed_to_choose_the_size_and_that_of_the_size(timed, monkeypatch):
    """In the precision that auto chooses."""
    monkeypatch.setattr(job, "faster_precision", lambda threads, fused: ("float32", 0.9))
    assert planned(2).speedup == 0.9
    assert [hyper.lstm_size for hyper in timed] == [128, 272]
    assert {hyper.precision for hyper in timed} == {"float32"}


@pytest.mark.parametrize(
    "fixed",
    [
        dict(lstm_size=100, num_layers=1, batch_size=7, early_stop=4, precision="float32"),
        dict(num_steps=31, learning_rate=0.001, keep_prob=0.71, save_every_n=330, val_fraction=0.3),
    ],
)
def test_what_is_given_stays(timed, fixed):
    job = planned(2, **fixed)
    for hyper in (job.hyperparameters, *timed):
        assert {name: getattr(hyper, name) for name in fixed} == fixed
    # so small a network learns what it can in less
    if "lstm_size" not in fixed:
        assert seconds_of(job) > 0.6 * 120


def test_the_sizes_of_a_model_stay(timed):
    assert planned(4, model=open_model("anna")).hyperparameters.lstm_size == 512
    assert len(timed) == 1


def test_evaluations_and_samples_are_counted(timed):
    def epochs(**options):
        return planned(10, lstm_size=256, **options).hyperparameters.epochs

    plain = epochs()
    often_evaluated = epochs(eval_every_n=20)
    often_saved = epochs(save_every_n=20)
    assert plain > 1.5 * often_evaluated
    assert often_evaluated > often_saved
    assert plain > 1.2 * epochs(sample_length=90_000)


def test_more_than_the_text_can_use(timed):
    """The values of auto, without an early stop; a long text can use more epochs."""
    job = planned(20, SHORT)
    of_auto = {**preset("auto", len(SHORT.text)), "early_stop": 0}
    assert job.hyperparameters == replace(job.hyperparameters, **of_auto)
    said = r"20 minutes, more than the text can use \(about 0\.\d\): 2 layers of 128, 106 epochs"
    assert re.fullmatch(said, job.time_in_words)
    hyper = planned(1000).hyperparameters
    assert (hyper.lstm_size, hyper.epochs, hyper.recurrent_keep_prob) == (448, 93, 0.6)


def test_the_time_that_is_named_is_that_of_the_steps_and_up_to_a_seventh_more(timed):
    job = planned(1000)
    [about] = re.findall(r"\(about (.*)\)", job.time_in_words)
    of_steps = seconds_of(job) / 60
    assert of_steps < float(about) < 1.17 * of_steps


def least_of(caught):
    """Return the least time that an error names, its last word."""
    *_, least = str(caught.value).split()
    return float(least)


def test_too_short_a_time_names_the_least(timed):
    message = "minutes 0.2 is too short to .*: it takes at least "
    with pytest.raises(ValueError, match=message) as caught:
        planned(0.2)
    least = least_of(caught)
    assert planned(least).total_steps >= 500
    # but for 10% in which it may be slower, and rounding
    with pytest.raises(ValueError, match="too short"):
        planned(least / 1.1 - 0.1)


@pytest.mark.parametrize(
    "slower, text, options",
    [
        (60, LONG, {}),
        (9, LONG, dict(sample_length=30_000)),
        (9, SHORT, {}),
        (3, LONG, dict(save_every_n=100)),
    ],
)
def test_the_least_time_that_is_named_is_enough(timed, monkeypatch, slower, text, options):
    """On any machine, with the checkpoints of that time, and if it is a little slower then."""
    factors = [slower, 1.099 * slower]

    def time_network(hyper, num_classes, threads, in_order):
        return minutes.Timing(2.0, factors.pop(0) * seconds_of_character(hyper))

    monkeypatch.setattr(minutes, "time_network", time_network)
    with pytest.raises(ValueError, match="it takes at least ") as caught:
        planned(0.1, text, **options)
    assert planned(least_of(caught), text, lstm_size=128, **options).total_steps > 0
    assert factors == []


@pytest.mark.parametrize("n_minutes, is_named", [(0.4, False), (1, True)])
def test_the_time_that_a_text_can_use_is_named_only_if_it_is_less(timed, n_minutes, is_named):
    """Both are rounded, and 0.4 minutes are not more than about 0.4."""
    about = re.search(r"about (0\.\d)", planned(n_minutes, SHORT).time_in_words)
    assert (about is not None) == is_named


@pytest.mark.parametrize(
    "held_out, test, evaluated",
    [(0, 0, 0), (500, 0, 4 * 16_500), (0, 700, 16_700), (500, 700, 4 * 16_500 + 16_700)],
)
def test_evaluations_and_the_test_take_half_the_time_of_training(held_out, test, evaluated):
    """Each reads 16,000 characters in addition. There is an evaluation at each of two checkpoints, and two between."""
    hyper = Hyperparameters(
        batch_size=10, num_steps=10, epochs=1, save_every_n=10, eval_every_n=10, sample_length=0
    )
    wish = minutes.Wish(hyper, (2_010, held_out, test), (), 2)
    of_training = minutes.Wish(hyper, (2_010, 0, 0), (), 2)
    timing = minutes.Timing(0.0, 1.0)
    seconds = wish.seconds(hyper, timing) - of_training.seconds(hyper, timing)
    assert seconds == pytest.approx(evaluated / 2)


def test_what_cannot_be_combined_in_python():
    with pytest.raises(ValueError, match="minutes cannot be combined with several processes"):
        plan_job(SHORT, {}, "run", n_minutes=2, n_processes=2)
    with pytest.raises(ValueError, match="minutes cannot be combined with like"):
        plan_job(SHORT, {}, "run", n_minutes=2, like=Hyperparameters())
    with pytest.raises(ValueError, match="minutes cannot be combined with epochs"):
        train_model(TEXT, minutes=2, epochs=3)


def test_a_dry_run_times_a_network_and_says_what_was_chosen(text_file, monkeypatch, capsys):
    """The network is built and timed on this machine."""
    monkeypatch.setattr(minutes, "SECONDS_TO_TIME", 0)
    sizes = "--lstm-size 16 --num-layers 1 --threads 1"
    flags = f"--minutes 60 --preset auto {sizes} --dry-run"
    assert train.main([str(text_file), *flags.split()]) == 0
    line = r"\ntime     60 minutes, more than .*: 1 layer of 16, 244 epochs\n"
    assert re.search(line, capsys.readouterr().out)
