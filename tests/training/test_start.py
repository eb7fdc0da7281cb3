"""What a new run begins with: the model that is chosen, what the plan says of it, and what the run keeps of it."""

import hashlib
import json
import lzma
import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    CHARS,
    ROOT,
    assert_same_run,
    known_text,
    needs_tensorflow_2,
    resume,
    run_python,
    train_small,
    with_output,
)

from charrnn import open_model, train_model
from charrnn.checkpoints import record
from charrnn.checkpoints.find import KNOWN_MODELS, KnownModel
from charrnn.checkpoints.record import RunRecord
from charrnn.commands import inspect, runs, sample, train
from charrnn.data import Vocabulary
from charrnn.engines.surprisal import surprisal
from charrnn.engines.trained_model import Model, lstm_weights
from charrnn.hyperparameters import Hyperparameters
from charrnn.pages import page_texts, webpage
from charrnn.system import files
from charrnn.text import lexicon
from charrnn.text.baselines import ngram_nats
from charrnn.text.corpus import Text
from charrnn.text.trigrams import most_common
from charrnn.training import presets, start
from charrnn.training.job import plan_job
from charrnn.training.presets import auto_from_model

# what a whole character costs in a model that gives all of 13 the same probability
LETTERS = CHARS.replace("\n", "")
NATS = f"{np.log(len(LETTERS)):.2f}"
# A text in which pairs of characters tell nothing.
RANDOM = "".join(np.random.RandomState(4).choice(list(LETTERS), 1_500))


def guessing(chars, text=None, lstm_size=4):
    """Return a model that gives all its characters the same probability. If a text is given, it is that of its run."""
    kernel = np.zeros((len(chars) + lstm_size, 4 * lstm_size), np.float32)
    softmax = np.zeros((lstm_size, len(chars)), np.float32)
    run = None
    if text is not None:
        hyper = Hyperparameters(lstm_size=lstm_size, num_layers=1)
        run = RunRecord(hyper, Vocabulary(chars), "a text", files.text_sha256(text))
    return Model("", Vocabulary(chars), lstm_weights([kernel], softmax), run=run)


def set_models(monkeypatch, folder):
    """Let the known models be those of a folder."""
    monkeypatch.setattr("charrnn.checkpoints.find.MODELS", folder)


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A function that puts models in the place of anna and tiny-shakespeare. No text is nearer to one of them."""
    folder = tmp_path / "models"
    folder.mkdir()
    set_models(monkeypatch, folder)
    table = {name: model._replace(trigrams=()) for name, model in KNOWN_MODELS.items()}
    monkeypatch.setattr(start, "KNOWN_MODELS", table)

    def place(anna, shakespeare=None):
        anna.save(folder / "anna.npz")
        if shakespeare:
            shakespeare.save(folder / "tiny-shakespeare.npz")
        return folder

    return place


def started(text=RANDOM, init_from=None, preset="auto", **hyperparameters):
    """Return the job of a run on a text."""
    return plan_job(
        Text("a text", text),
        hyperparameters,
        "run",
        preset=preset,
        init_from=init_from,
    )


def model_of(planned):
    """Return the name of the model that a run begins with, or None."""
    return planned.start.model and planned.start.model.name


# The choice


def test_a_run_begins_with_the_model_that_predicts_its_text_best(known):
    known(guessing(LETTERS + "ABCDEFGHIJ"), guessing(LETTERS))
    assert model_of(started()) == "tiny-shakespeare"


@pytest.fixture
def many(known, monkeypatch):
    """There are five known models. The text is in the language of the last three. The names of those that are opened.

    The lower the number of a model, the better it predicts the text.
    """
    near = tuple(most_common(RANDOM, 50))
    table = {}
    folder = known(guessing(LETTERS))
    for number in range(5):
        name = f"model-{number}"
        trigrams = near if number >= 2 else ("xyz",)
        table[name] = KnownModel(name, "English", "a text", 9, 9, 1.0, trigrams)
        others = "".join(map(chr, range(300, 300 + 5 * number)))
        guessing(LETTERS + others).save(folder / f"{name}.npz")
    monkeypatch.setattr(start, "KNOWN_MODELS", table)

    opened = []
    usual = start.open_known

    def opening(name):
        opened.append(name)
        return usual(name)

    monkeypatch.setattr(start, "open_known", opening)
    return opened


def test_only_models_whose_languages_are_near_are_opened_each_once(many):
    assert model_of(started()) == "model-2"
    assert sorted(many) == ["model-2", "model-3", "model-4"]


def test_letters_decide_because_digits_are_learned_within_a_few_steps(known):
    known(guessing("0123456789"), guessing(LETTERS))
    digits = np.random.RandomState(6).choice(list("0123456789"), (len(RANDOM), 4))
    text = "".join(char + "".join(four) for char, four in zip(RANDOM, digits))
    assert model_of(started(text)) == "tiny-shakespeare"


def test_a_model_may_be_somewhat_worse_than_pairs_of_characters(known):
    """A run from it will be better than they."""
    known(guessing(LETTERS + "ABCDE"))
    planned = started()
    nats, pairs = map(float, re.findall(r"\d\.\d\d", planned.start.reason))
    assert nats > pairs
    assert model_of(planned) == "anna"


def test_pairs_of_characters_predict_each_half_of_a_text_by_the_other(known):
    known(guessing(LETTERS))
    planned = started("ac" * 300 + "acea" * 500)
    halves = np.array_split(planned.training, 2)
    nats = np.mean([ngram_nats(*pair, 3, order=1) for pair in (halves, halves[::-1])])
    assert planned.start.reason.endswith(f"pairs of characters with {nats:.2f}")


def test_a_text_that_pairs_of_characters_predict_much_better_begins_anew(known):
    known(guessing("ab" + "".join(map(chr, range(300, 998)))))
    planned = started("ab" * 1_500)
    assert model_of(planned) is None
    assert planned.start.reason.startswith(
        "because anna predicts the letters of this text with 6.55 nats"
    )
    assert planned.start.is_unlike


def test_letters_that_a_model_lacks_do_not_look_easy(known):
    """An unknown letter is one of the characters of the text and the model, all of them as probable."""
    unknown = "t"
    known(guessing(LETTERS.replace(unknown, "")))
    planned = started()
    letters = [char for char in RANDOM[: len(planned.training)] if char.isalpha()]
    share = letters.count(unknown) / len(letters)
    nats = share * np.log(len(LETTERS)) + (1 - share) * np.log(len(LETTERS) - 1)
    assert f"with {nats:.2f} nats" in planned.start.reason
    assert f"{nats:.2f}" != f"{np.log(len(LETTERS) - 1):.2f}"


@pytest.mark.parametrize("lacks, share", [("acd", "70%"), ("ac", None)])
def test_a_model_that_lacks_many_letters_of_a_text_is_not_taken(known, lacks, share):
    """Such as one of Latin letters for Greek manual pages, whose commands are in Latin letters."""
    text = "".join(char for char in RANDOM if char in "acdehmnost") * 3
    known(guessing("".join(char for char in LETTERS if char not in lacks)))
    planned = started(text)
    if share:
        assert (
            planned.start.reason == f"because anna knows only {share} of the letters of this text"
        )
        assert planned.start.is_unlike
    else:
        assert model_of(planned) == "anna"


EASY = "".join(np.random.RandomState(5).choice(list("aet"), 1_500))


@pytest.mark.parametrize(
    "text, reader, other",
    [
        (RANDOM, guessing(LETTERS, RANDOM), guessing(LETTERS + "A")),
        (EASY, guessing("aet"), guessing("aetno")),
    ],
    ids=["by its SHA-256", "by its nats"],
)
def test_a_model_does_not_begin_a_text_that_it_has_read(known, text, reader, other):
    """The other model begins it, if it is there."""
    known(reader, other)
    planned = started(text)
    assert model_of(planned) == "tiny-shakespeare"
    assert "(anna has read this text, or one like it)" in planned.start.reason


def test_a_text_that_all_have_read_begins_anew(known):
    known(guessing(LETTERS, RANDOM))
    assert started().start.reason == "because anna has read this text, or one like it"


def test_what_is_held_out_is_not_read(known):
    """A model is not chosen by the validation text, nor by the test text."""
    known(guessing(LETTERS))
    other = "xyz" * 500
    planned = started(RANDOM + other, val_fraction=0.3, test_fraction=0.2)
    assert f"with {NATS} nats" in planned.start.reason


def test_only_the_beginning_is_read(known):
    known(guessing(LETTERS))
    text = "".join(np.random.RandomState(4).choice(list(LETTERS), 10_000))
    assert f"with {NATS} nats" in started(text + "xyz" * 2_000).start.reason


def test_a_list_is_read_in_the_order_of_the_run(known):
    """Its lines are sorted here, so that each half would say nothing of the pairs of the other."""
    known(guessing(LETTERS))
    first, second, third, fourth = LETTERS[:4]
    text = f"{first}{second}\n" * 500 + f"{third}{fourth}\n" * 500
    assert model_of(started(text, shuffle="none")) == "anna"
    assert model_of(started(text, shuffle="lines")) is None


@pytest.mark.parametrize(
    "text, reason",
    [
        ("a cat. " * 43_000, "the text has 300,000 characters or more"),
        (RANDOM[:200], "there are fewer than 200 characters to train on"),
    ],
    ids=["long", "short"],
)
def test_some_texts_begin_anew_without_a_look(text, reason):
    planned = started(text, batch_size=2, num_steps=10)
    assert planned.start.reason == f"because {reason}"


@pytest.mark.parametrize("name", ["anna", "tiny-shakespeare"])
def test_the_known_texts_begin_anew(name):
    assert model_of(started(known_text(name))) is None


@pytest.mark.parametrize("name", ["anna", pytest.param("tiny-shakespeare", marks=pytest.mark.slow)])
def test_the_beginning_of_a_known_text_begins_with_the_model_of_its_language(name):
    planned = started(known_text(name)[:4_000])
    assert model_of(planned) == "english"
    assert f"({name} has read this text" in planned.start.reason


# A page of a diary in each language of a known model. They were written for this test.
DIARIES = sorted((ROOT / "tests" / "data" / "diaries").glob("*.txt"))


@pytest.mark.parametrize("diary", DIARIES, ids=lambda path: path.stem)
def test_a_text_begins_with_a_model_of_its_language(diary):
    text = diary.read_text(encoding="utf-8")
    name = model_of(started(text, batch_size=2, num_steps=10))
    assert KNOWN_MODELS[name].language.lower() == diary.stem


def test_there_is_a_diary_in_each_language_of_a_model():
    languages = {model.language.lower() for model in KNOWN_MODELS.values()}
    assert {path.stem for path in DIARIES} == languages


# What the user sets


@pytest.fixture
def one_model(known):
    """There is one known model, of one layer of 4 units, which suits the text."""
    return known(guessing(LETTERS))


def test_where_there_is_no_known_model_a_run_begins_anew(known):
    assert started().start.reason == "because there is no known model"


@pytest.mark.parametrize("sizes", [dict(lstm_size=5), dict(num_layers=3), dict(cell="gru")])
def test_sizes_that_no_model_has_begin_anew(one_model, sizes):
    planned = started(**sizes)
    assert model_of(planned) is None
    [(name, value)] = sizes.items()
    assert planned.start.reason == f"because no known model has {name} {value}"
    assert getattr(planned.hyperparameters, name) == value


def test_sizes_that_a_model_has_stay(one_model):
    assert model_of(started(lstm_size=4, num_layers=1)) == "anna"


def test_other_values_stay(one_model):
    hyper = started(epochs=3, learning_rate=0.01, keep_prob=0.9).hyperparameters
    assert (hyper.epochs, hyper.learning_rate, hyper.keep_prob) == (3, 0.01, 0.9)


@pytest.mark.parametrize(
    "preset, init_from, begins_with",
    [
        ("auto", None, "anna"),
        ("auto", "auto", "anna"),
        ("auto", "none", None),
        (None, None, None),
        ("quick", None, None),
        ("quick", "none", None),
    ],
)
def test_only_the_preset_auto_begins_with_a_model_unasked(
    one_model, preset, init_from, begins_with
):
    window = dict(batch_size=2, num_steps=50)
    assert model_of(started(init_from=init_from, preset=preset, **window)) == begins_with


def test_another_preset_begins_with_a_model_of_its_sizes_only(known):
    """The run keeps the values of the preset."""
    known(guessing(LETTERS))
    assert started(init_from="auto", preset="best", batch_size=2).start.reason == (
        "because no known model has lstm_size 512, num_layers 2, cell lstm"
    )
    fitting = dict(lstm_size=4, num_layers=1, batch_size=2)
    planned = started(init_from="auto", preset="best", **fitting)
    assert model_of(planned) == "anna"
    assert planned.hyperparameters.learning_rate == presets.preset("best", 1)["learning_rate"]


def test_a_model_with_the_name_of_a_word_is_a_path(one_model, tmp_path, monkeypatch, planned):
    monkeypatch.chdir(tmp_path)
    guessing(LETTERS, lstm_size=6).save(tmp_path / "other.npz")
    (tmp_path / "text").write_text(RANDOM)
    (tmp_path / "none").mkdir()
    assert train.main(["text", "--preset", "auto", "--init-from", "./none"]) == 2
    (tmp_path / "none").rmdir()
    assert train.main(["text", "--preset", "auto", "--init-from", "none"]) == 0
    assert train.main(["text", "--preset", "auto", "--init-from", "./other.npz"]) == 0
    assert [model_of(job) for job in planned] == [None, "./other.npz"]


# The values


@pytest.mark.parametrize(
    "n_characters, epochs",
    [(1_000, 20), (7_000, 10), (15_000, 11), (25_000, 9), (40_000, 7), (10**6, 4)],
)
def test_a_run_from_a_model_has_few_epochs_but_enough_of_them_and_enough_steps(
    n_characters, epochs
):
    values = auto_from_model(n_characters)
    assert values["epochs"] == epochs
    assert values["learning_rate"] == 0.002


@pytest.mark.parametrize("n_characters", [2_000, 50_000_000])
def test_the_values_are_in_range_for_a_text_of_any_length(n_characters):
    """They are also those of a model that is named, for texts for which none is chosen."""
    Hyperparameters(**auto_from_model(n_characters)).check()


def test_a_run_from_a_model_is_trained_with_the_values_of_a_start(one_model):
    hyper = started().hyperparameters
    values = {**auto_from_model(len(RANDOM)), "lstm_size": 4, "num_layers": 1}
    assert hyper == replace(hyper, **values)


def test_a_model_that_is_named_brings_its_sizes_and_these_values_too(one_model):
    """It does with a text of any length."""
    hyper = started(RANDOM * 220, open_model("anna")).hyperparameters
    assert (hyper.lstm_size, hyper.num_layers) == (4, 1)
    assert (hyper.epochs, hyper.learning_rate) == (4, 0.002)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with the known model, for runs that several tests look at."""
    folder = tmp_path_factory.mktemp("models")
    guessing(LETTERS).save(folder / "anna.npz")
    return folder


@pytest.fixture(scope="module")
def run_in_python(models, tmp_path_factory):
    """A run of the preset auto on a short text, and what it printed."""
    folder = tmp_path_factory.mktemp("python") / "run"
    text = RANDOM[:999] + "\n"
    with pytest.MonkeyPatch.context() as patch:
        set_models(patch, models)
        return with_output(train_model, text, folder, preset="auto", sample_length=0, seed=1)


def test_a_run_keeps_two_checkpoints_at_most(run_in_python):
    """The newest, and the best."""
    run, _ = run_in_python
    assert run.model.run.init_from == "anna"
    assert 1 <= len(list(run.folder.glob("*.ckpt.json"))) <= 2


# The plan


def plan_of(capsys, text, *flags):
    """Return the lines of the plan of a run, by their names."""
    assert train.main([str(text), "--dry-run", "--preset", "auto", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:8].strip(): line[9:] for line in lines}


def test_the_plan_says_which_model_and_why(one_model, tmp_path, plan_only, capsys):
    (tmp_path / "text").write_text(RANDOM)
    start = plan_of(capsys, tmp_path / "text")["start"]
    assert re.fullmatch(
        rf"anna, which predicts the letters of this text with {NATS} nats, pairs of characters with \d\.\d\d; "
        "init_from none begins anew",
        start,
    )


def test_the_plan_says_why_it_begins_anew(one_model, tmp_path, plan_only, capsys):
    (tmp_path / "text").write_text(RANDOM)
    plan = plan_of(capsys, tmp_path / "text", "--lstm-size", "9")
    assert plan["start"] == "anew, because no known model has lstm_size 9"


@pytest.mark.parametrize("flags, row", [([], "start"), (["--init-from", "none"], "note")])
def test_of_a_run_that_the_user_begins_anew_the_plan_says_only_that_counts_are_better(
    one_model, tmp_path, plan_only, capsys, flags, row
):
    (tmp_path / "text").write_text(RANDOM)
    assert {"start", "note"}.intersection(plan_of(capsys, tmp_path / "text", *flags)) == {row}


# What is kept of it

BEGUN = (
    "--init-from anna --batch-size 4 --num-steps 50 --epochs 1 --sample-length 0 --seed 3 "
    "--no-summaries --checkpoint-dir"
).split()


@pytest.fixture(scope="module")
def first_begun(models, tmp_path_factory):
    """The folder of a run that began with the known model."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "text").write_text(RANDOM)
    with pytest.MonkeyPatch.context() as patch:
        set_models(patch, models)
        assert train.main([str(folder / "text"), *BEGUN, str(folder / "run")]) == 0
    return folder / "run"


def test_a_run_that_is_killed_before_its_first_save_begins_again_by_the_same_command(
    first_begun, one_model, tmp_path, monkeypatch
):
    """At any moment of the save: what is left of the first one is replaced, and nobody is asked to move it away."""
    text = tmp_path / "text"
    text.write_text(RANDOM)
    folder = tmp_path / "run"
    left = []
    usual = os.replace

    def replace_later(source, target):
        if not record.is_run(folder):
            left.append(tmp_path / f"left{len(left)}")
            shutil.copytree(str(folder), str(left[-1]))
        usual(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_later)
        assert train.main([str(text), *BEGUN, str(folder)]) == 0

    *others, last = left
    assert len(others) > 5
    monkeypatch.chdir(tmp_path)
    for state in others:
        planned = plan_job(Text("a text", RANDOM), {}, state, preset="auto")
        assert planned.folder == state
        # Without a name, too.
        shutil.copytree(str(state), "checkpoints")
        assert plan_job(Text("a text", RANDOM), {}, None, preset="auto").folder == "checkpoints"
        shutil.rmtree("checkpoints")
    names = {path.name for path in last.iterdir()}
    assert {".saving", "text.txt", "i0_l4.ckpt.index"} < names
    assert train.main([str(text), *BEGUN, str(last)]) == 0
    assert_same_run(last, first_begun)


@pytest.fixture
def begun(first_begun, one_model, tmp_path):
    """A copy of first_begun, next to the text that it was trained on."""
    (tmp_path / "text").write_text(RANDOM)
    return Path(shutil.copytree(str(first_begun), str(tmp_path / "run")))


def test_the_record_and_an_exported_model_have_the_name_and_the_sha256_of_the_model(
    one_model, begun, tmp_path
):
    open_model(begun).save(tmp_path / "exported.npz")
    sha256 = hashlib.sha256((one_model / "anna.npz").read_bytes()).hexdigest()
    for run in (record.read_run(begun), open_model(tmp_path / "exported.npz").run):
        assert (run.init_from, run.init_from_sha256) == ("anna", sha256)


def test_a_resumed_run_needs_the_model_no_more(one_model, begun):
    (one_model / "anna.npz").unlink()
    assert resume(begun, "--epochs", "2") == 0
    assert record.read_run(begun).init_from == "anna"


def test_charrnn_runs_names_the_model(begun, capsys):
    assert runs.main([str(begun)]) == 0
    head, row, _ = (re.split("  +", line) for line in capsys.readouterr().out.splitlines())
    assert row[head.index("start")] == "anna"

    assert runs.main(["--json", str(begun)]) == 0
    (of_run,) = json.loads(capsys.readouterr().out)
    assert of_run["init_from_sha256"] == record.read_run(begun).init_from_sha256


def test_the_line_of_charrnn_runs_begins_with_the_model(begun, planned, capsys):
    assert runs.main([str(begun)]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    _, typed = line.split(": ", 1)
    _, *arguments = shlex.split(typed)
    assert train.main(arguments) == 0
    (job,) = planned
    run = record.read_run(begun)
    of_machine = replace(job.hyperparameters, threads=run.hyperparameters.threads)
    assert replace(job.record, hyperparameters=of_machine) == replace(run, best=None)


def test_charrnn_inspect_names_the_model(begun, capsys):
    assert inspect.main([str(begun)]) == 0
    assert capsys.readouterr().out.endswith(" began with the model anna\n")

    assert inspect.main([str(begun), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["init_from"] == "anna"


def test_the_page_of_a_run_names_the_model_that_it_began_with(begun, tmp_path):
    webpage.export_page(open_model(begun), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<dt>Began with</dt><dd>the model anna</dd>" in page
    texts = [
        "<cite><bdi>Anna Karenina</bdi></cite>, and then from <cite><bdi>text</bdi></cite>",
        "<title>A machine that learned to write from Anna Karenina, and then from text</title>",
    ]
    for named in texts:
        assert named in page, named


@pytest.mark.parametrize(
    "init_from, title",
    [
        ("german", "90 novels of 1840 to 1920 (German)"),
        ("/home/gwen/mine", "the text of the model mine"),
    ],
)
def test_the_text_of_another_model_is_named_without_its_folder(init_from, title):
    assert page_texts.title_of_start(init_from) == title


# Novelty


@pytest.fixture(scope="module")
def of_another(trained, tmp_path_factory):
    """The folder of a run that began with the small run, and has another text. Not to be changed."""
    folder = tmp_path_factory.mktemp("later")
    (folder / "other").write_text("a cat and a hat\n" * 60)
    assert train_small(folder / "other", folder / "run", "--init-from", str(trained)) == 0
    return folder / "run"


def test_the_end_of_a_run_from_a_model_names_both_checkpoints(trained, tmp_path, capsys):
    """By what they are, as commands that can be copied. Without a held-out text there is one."""
    text = tmp_path / "other"
    text.write_text("a cat and a hat\n" * 60)
    flags = ["--init-from", str(trained), "--val-fraction", "0.2"]
    assert train_small(text, tmp_path / "run", *flags) == 0
    out = capsys.readouterr().out
    closest = re.search("Closest to your text: charrnn-sample (.*)", out).group(1)
    lowest = re.search("Lowest loss on its held-out end: charrnn-sample (.*)", out).group(1)
    assert closest == str(tmp_path / "run")
    assert lowest == f"{tmp_path / 'run'} --best"
    alone = f"without the rest of the folder: charrnn-export {tmp_path / 'run'} mine.npz\n"
    assert alone in out

    assert train_small(text, tmp_path / "whole", "--init-from", str(trained)) == 0
    assert f"To write text: charrnn-sample {tmp_path / 'whole'}\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_on_a_diary_writes_in_its_words_with_the_command_that_its_end_proposes(
    tmp_path, capsys
):
    """At least half as many of its own words as the diary has, hardly an unknown one, and nothing is copied."""
    path = ROOT / "tests" / "data" / "voices" / "diary.txt"
    flags = "--preset auto --seed 1 --sample-length 0 --no-summaries --checkpoint-dir"
    assert train.main([str(path), *flags.split(), str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    proposed = re.search("Closest to your text: charrnn-sample (.*)", out).group(1)
    flags = "--length 900 --num-samples 3 --seed 1 --json --novelty"
    assert sample.main(shlex.split(f"{proposed} {flags}")) == 0
    samples = json.loads(capsys.readouterr().out)["samples"]

    words = [one["words"] for one in samples]
    assert np.mean([each["own"] for each in words]) >= words[0]["own_in_training"] / 2
    assert sum(len(each["unknown"]) for each in words) <= 10
    assert [one["novelty"]["share"] for one in samples] == [0, 0, 0]


def test_of_a_list_the_end_of_a_run_from_a_model_proposes_lines(trained, tmp_path, capsys):
    """What a text is written with was counted for texts only."""
    names = tmp_path / "names"
    names.write_text("a cat\nand\na hat\n" * 80)
    flags = ["--init-from", str(trained), "--val-fraction", "0.2", "--shuffle", "lines"]
    assert train_small(names, tmp_path / "run", *flags) == 0
    closest = f"Closest to your text: charrnn-sample {tmp_path / 'run'} --lines 20\n"
    assert closest in capsys.readouterr().out


def test_in_python_the_end_of_a_run_from_a_model_proposes_calls(run_in_python):
    run, out = run_in_python
    opened = f"open_model({str(run.folder)!r}"
    assert f"Closest to your text: {opened}).write()\n" in out
    assert f"Lowest loss on its held-out end: {opened}, best=True).write()\n" in out


OWN = "% are the training text's own ("


def test_words_are_compared_with_the_list_of_its_language(of_another, tmp_path, capsys):
    """Which the model that a run began with has with it, and the folder keeps."""
    run = shutil.copytree(str(of_another), str(tmp_path / "run"))
    assert OWN not in novelty_of(run, capsys).out
    (Path(run) / "words.xz").write_bytes(lexicon.pack(["cat", "the"]))
    assert OWN in novelty_of(run, capsys).out


def test_a_run_that_keeps_no_words_has_those_of_the_known_model_of_that_name(
    begun, one_model, capsys
):
    """As runs of 4.0 do, whatever model it is now."""
    known = one_model / "anna.npz"
    replace(open_model(known), words=lexicon.pack(["cat", "the"])).save(known)
    assert OWN in novelty_of(begun, capsys).out


def novelty_of(folder, capsys, *flags):
    capsys.readouterr()
    arguments = "--novelty --length 40 --seed 1 --prime a"
    assert sample.main([str(folder), *arguments.split(), *flags]) == 0
    return capsys.readouterr()


# The shipped models


def test_tiny_shakespeare_says_what_version_can_read_it():
    """Its run has weight decay, which version 3.1 was the first to have."""
    with np.load(str(ROOT / "charrnn" / "models" / "tiny-shakespeare.npz")) as arrays:
        about = json.loads(arrays["about"].tobytes().decode())
    assert about["hyperparameters"]["weight_decay"] > 0
    assert about["charrnn"] == "3.1.0"


@needs_tensorflow_2
@pytest.mark.thorough
def test_a_command_that_measures_models_says_nothing_of_tensorflow(tmp_path):
    (tmp_path / "text").write_text(RANDOM)
    flags = ["--preset", "auto", "--dry-run", "--checkpoint-dir", tmp_path / "run"]
    assert run_python("-m", "charrnn", "train", tmp_path / "text", *flags)[::2] == (0, "")


def measured_run(text, folder):
    """Train as the figures of docs/log.md were measured."""
    return train_model(
        text, folder, preset="auto", seed=1, quiet=True, sample_length=0, summaries=False
    )


@pytest.mark.slow
def test_12000_characters_reach_the_loss_that_was_measured(anna, tmp_path):
    """Of anna.txt, from english, which has not read it. The last checkpoint pays for the words of the text."""
    run = measured_run(anna[:12_000], tmp_path / "run")
    assert run.model.run.init_from == "english"
    losses = run.history["val_loss"]
    losses = losses[~np.isnan(losses)]
    assert losses.min() == pytest.approx(1.2, abs=0.03)
    assert losses.min() < losses[-1] < losses.min() + 0.2
    assert len(list((tmp_path / "run").glob("*.ckpt.json"))) <= 2


@pytest.mark.slow
def test_5000_characters_of_german_reach_the_loss_that_was_measured(tmp_path):
    """Of a novel that the model of German has not read, and anew 2.57; on the 20,000 characters that follow."""
    path = Path(os.environ.get("CHARRNN_DATA", "")) / "novels" / "german-novel-1.txt.xz"
    if not path.is_file():
        pytest.skip("german-novel-1.txt.xz is not in the folder novels of CHARRNN_DATA")
    with lzma.open(str(path), "rt", encoding="utf-8") as file:
        novel = file.read(25_000)
    run = measured_run(Text("novel", novel[:5_000]), tmp_path / "run")
    assert run.model.run.init_from == "german"
    model = open_model(tmp_path / "run", best=True)
    following = "".join(char for char in novel[5_000:] if char in model.vocabulary.vocab_to_int)
    nats = surprisal(model.engine(), model.vocabulary.encode(following), rows=32)
    assert nats.mean() == pytest.approx(1.29, abs=0.03)
