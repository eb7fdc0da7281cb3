"""The face in Python: open_model and its verbs, train_model and its run, and what they say."""

import importlib.util
import inspect
import io
import json
import os
import re
import runpy
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    CHARS,
    ROOT,
    TEXT,
    called_after_steps,
    known_text,
    make_network,
    overfitting_text,
    run_python,
)

import charrnn
from charrnn import open_model, train_model
from charrnn.checkpoints import record, writing
from charrnn.data import Vocabulary, split
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.trained_model import Model
from charrnn.text import corpus
from charrnn.training.job import plan_job

SMALL = dict(
    batch_size=2,
    num_steps=30,
    lstm_size=5,
    num_layers=1,
    epochs=1,
    seed=7,
    sample_length=0,
    summaries=False,
    threads=1,
)


@pytest.fixture(scope="module")
def model(exported):
    return open_model(exported)


def test_several_texts_are_a_list(model):
    """Each text ends for itself."""
    options = dict(top_p=0.9, stop="at")
    texts = model.write("the ", 200, n=3, seed=5, **options)
    assert texts == [model.write("the ", 200, seed=seed, **options) for seed in (5, 6, 7)]
    # so they do not end in the same call of the engine
    lengths = [len(text) for text in texts]
    assert max(lengths) > min(lengths)


def test_a_list_may_have_one_text(model):
    assert model.write("the ", 40, n=1, seed=5) == [model.write("the ", 40, seed=5)]


def test_a_text_without_a_length_is_the_prime(model):
    assert model.write(length=0) == "the "


STREAM = dict(prime="the ", length=120, temperature=0.6, top_n=6, seed=2)


def test_a_stream_is_the_text_of_write(model):
    """The prime, then single characters."""
    prime, *characters = model.stream(stop="e ", **STREAM)
    assert prime == "the "
    assert set(map(len, characters)) == {1}
    assert prime + "".join(characters) == model.write(stop="e ", **STREAM)
    assert characters[-2:] == ["e", " "]
    assert len(characters) < 120


@pytest.mark.parametrize("before", [" ", "e "])
def test_the_end_of_a_stream_may_begin_in_the_prime(model, before):
    _, first, *_ = model.stream(**STREAM)
    assert list(model.stream(stop=before + first, **STREAM)) == ["the ", first]


def test_a_stream_checks_its_arguments_before_anything_is_drawn(model):
    with pytest.raises(ValueError, match="length must be"):
        model.stream("the ", -1)


def test_eight_threads_write_at_once(model):
    texts = {}

    def options_of(seed):
        left_out = "acdehmno"[seed]
        return dict(seed=seed, allow=lambda text: set(CHARS) - {left_out})

    def write(seed):
        pieces = model.stream("th\u00e9 ", 60, unknown="nearest", **options_of(seed))
        texts[seed] = "".join(pieces)

    threads = [threading.Thread(target=write, args=[seed]) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {seed: model.write("the ", 60, **options_of(seed)) for seed in range(8)}
    assert len(set(texts.values())) == 8


def chance_of(model, text, char):
    """Return the probability that a model gives a character after a text."""
    return model.next(text)[model.vocabulary.vocab_to_int[char]]


def test_next_is_what_surprisal_is_made_of(model):
    text = TEXT[:30]
    chance = chance_of(model, text[:-1], text[-1])
    assert -np.log(chance) == pytest.approx(model.surprisal(text)[-1], abs=1e-5)


def test_next_is_a_distribution(model):
    chances = model.next("the cat")
    assert chances.dtype == np.float32
    assert chances.shape == (len(model.vocabulary),)
    assert chances.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "typed, unknown, prime",
    [("thé ", "nearest", "the "), ("th\u20ace ", "skip", "the "), ("the ", "skip", "the ")],
)
def test_unknown_characters_of_a_prime_are_replaced_or_left_out(model, typed, unknown, prime):
    assert model.write(typed, 40, seed=2, unknown=unknown) == model.write(prime, 40, seed=2)
    pieces = list(model.stream(typed, 5, seed=2, unknown=unknown))
    assert pieces == list(model.stream(prime, 5, seed=2))
    np.testing.assert_array_equal(model.next(typed, unknown=unknown), model.next(prime))


@pytest.mark.parametrize("name", ["write", "stream", "next"])
def test_another_way_with_unknown_characters_is_refused(model, name):
    message = "unknown must be error, skip or nearest, not 'near'"
    with pytest.raises(ValueError, match=message):
        getattr(model, name)("the ", unknown="near")


@pytest.mark.parametrize("name", ["write", "stream", "next"])
def test_a_prime_of_which_nothing_is_left_is_refused(model, name):
    with pytest.raises(ValueError, match="the model knows no character of the prime"):
        getattr(model, name)("\u20ac", unknown="skip")


@pytest.mark.parametrize("name", ["write", "stream", "next"])
def test_the_error_for_an_unknown_character_names_the_parameter(model, name):
    with pytest.raises(ValueError, match=r"'X'.*; unknown skip .*, unknown nearest "):
        getattr(model, name)("the X")


def test_next_lays_out_the_weights_once(exported, monkeypatch):
    """As it is called for each character that a program writes."""
    model = open_model(exported)
    expected = model.next("the cat")
    monkeypatch.setattr(NumpyLSTM, "__init__", None)
    np.testing.assert_array_equal(model.next("the cat"), expected)


# Which characters may come next


@pytest.fixture(scope="module")
def models(model, tmp_path_factory):
    """Models by their cells. The lstm runs in NumPy, the gru in a graph."""
    folder = tmp_path_factory.mktemp("gru")
    return {"lstm": model, "gru": make_network(folder, CHARS, 3, 2, "gru")}


@pytest.mark.parametrize(
    "cell, options",
    [
        ("lstm", dict(top_n=1)),
        ("lstm", dict(temperature=0)),
        ("lstm", dict(top_p=1e-9)),
        ("gru", dict(top_n=1)),
    ],
)
def test_the_most_probable_of_the_allowed_characters_is_taken(models, cell, options):
    """The others are left out before the temperature and top_n."""
    model = models[cell]
    text = model.write("the ", 12, seed=3, allow=lambda text: "hot", **options)
    assert len(text) == 16
    ids = model.vocabulary.vocab_to_int
    for place in range(4, len(text)):
        chances = model.next(text[:place])
        assert text[place] == max("hot", key=lambda char: chances[ids[char]])


def test_allowed_characters_keep_their_shares(model):
    chances = {char: chance_of(model, "the ", char) for char in "hot"}
    texts = model.write("the ", 1, n=3000, seed=1, allow=lambda text: set("hot\u20ac"))
    drawn = [text[-1] for text in texts]

    assert set(drawn) == set("hot")
    for char, chance in chances.items():
        expected = chance / sum(chances.values())
        assert drawn.count(char) / 3000 == pytest.approx(expected, abs=0.04)


def test_factors_multiply_the_chances(model):
    """Those of the network. A character without a factor has 0."""
    factors = {"h": 3, "o": 0.5, "t": 1, "\u20ac": 9}
    weights = {char: factors[char] * chance_of(model, "the ", char) for char in "hot"}
    texts = model.write("the ", 1, n=3000, seed=1, allow=lambda text: factors)
    drawn = [text[-1] for text in texts]

    assert set(drawn) == set("hot")
    for char, weight in weights.items():
        expected = weight / sum(weights.values())
        assert drawn.count(char) / 3000 == pytest.approx(expected, abs=0.04)


def test_factors_come_before_the_temperature_and_top_n(model):
    chances = model.next("the ")
    rarest = model.vocabulary.chars[chances.argmin()]
    factors = dict.fromkeys(CHARS, 1)
    factors[rarest] = 2 * float(chances.max() / chances.min())
    for options in (dict(top_n=1), dict(temperature=0)):
        assert model.write("the ", 1, allow=lambda text: factors, **options) == "the " + rarest


def test_factors_of_one_change_nothing(model):
    ones = dict.fromkeys(CHARS, 1)
    text = model.write("the ", 120, n=3, seed=2, allow=lambda text: ones)
    assert text == model.write("the ", 120, n=3, seed=2)


def test_a_text_ends_where_all_factors_are_0(model):
    factors = {"a": 0, "t": 0.0, "\u20ac": 1}
    assert model.write("the ", 9, allow=lambda text: factors) == "the "


@pytest.mark.parametrize("factor", [-1, -1e-9, np.inf, np.nan, np.float32(-2)])
def test_negative_and_infinite_factors_are_an_error(model, factor):
    with pytest.raises(ValueError, match=r"^allow must return finite factors of at least 0, not "):
        model.write("the ", 9, allow=lambda text: {"a": factor})


@pytest.mark.parametrize("method", ["write", "stream"])
def test_allow_must_be_a_function(model, method):
    with pytest.raises(ValueError, match=r"^allow must be a function .*, not 'abc'$"):
        getattr(model, method)("the ", 9, allow="abc")


def test_two_models_write_one_text(models):
    """The probabilities of the second are factors for those of the first, and the other way round."""

    def factors_of(other):
        return lambda text: dict(zip(other.vocabulary, other.next(text[-100:], unknown="skip")))

    lstm = models["lstm"]
    gru = models["gru"]
    text = lstm.write("the ", 20, temperature=0, allow=factors_of(gru))
    assert text == gru.write("the ", 20, temperature=0, allow=factors_of(lstm))


def at_up_to_three(text):
    """Allow an "a" or a "t" at every other place, and end a text after the third a."""
    if text.count("a") == 3:
        return ""
    if len(text) % 2:
        return None
    return set("at\u20ac")


def test_each_text_has_its_own_characters_and_ends_where_none_may_come(model):
    texts = model.write("the ", 400, n=4, seed=5, top_n=14, allow=at_up_to_three)
    for text in texts:
        assert text.count("a") == 3
        assert text.endswith("a")
        assert set(text[4::2]) <= set("at")
    assert len({len(text) for text in texts}) > 1


@pytest.mark.parametrize("cell, n", [("lstm", 4), ("gru", 2)])
def test_a_restricted_stream_is_the_restricted_text_of_write(models, cell, n):
    model = models[cell]
    options = dict(length=400, top_n=14, allow=at_up_to_three)
    texts = model.write("the ", n=n, seed=5, **options)
    for seed, text in enumerate(texts, 5):
        assert "".join(model.stream("the ", seed=seed, **options)) == text


def test_each_text_so_far_is_asked_about_with_its_beginning(model):
    asked = set()

    def allow(text):
        asked.add(text)
        return at_up_to_three(text)

    for text in model.write("the ", 400, n=4, seed=5, top_n=14, allow=allow):
        assert {text[:end] for end in range(4, len(text) + 1)} <= asked
    assert all(text.startswith("the ") for text in asked)


@pytest.mark.parametrize("allowed", ["\u20ac", "", set()])
def test_a_text_ends_where_the_model_knows_no_allowed_character(model, allowed):
    assert model.write("the ", 9, allow=lambda text: allowed) == "the "
    assert list(model.stream("the ", 9, allow=lambda text: allowed)) == ["the "]


@pytest.mark.parametrize("allowed", [None, set(CHARS)])
@pytest.mark.parametrize("options", [dict(n=3, seed=2), dict(seed=2, stop="t")])
def test_what_allows_everything_changes_nothing(model, allowed, options):
    text = model.write("the ", 120, allow=lambda text: allowed, **options)
    assert text == model.write("the ", 120, **options)


EXAMPLES = re.findall(
    "^```py\n(.*?)^```\n(?:\n```\n(.*?)^```)?",
    (ROOT / "docs" / "python.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


WITHOUT_E, TWO_MODELS = [(code, text) for code, text in EXAMPLES if text]


@pytest.mark.parametrize("code, text", [WITHOUT_E, TWO_MODELS], ids=["without e", "two models"])
def test_the_page_shows_what_is_printed(code, text, capsys):
    exec(code, {})
    assert capsys.readouterr().out == text


@pytest.mark.slow
def test_the_sonnet_is_the_one_that_its_program_shows(capsys):
    known_text("tiny-shakespeare")
    program = runpy.run_path(str(ROOT / "docs" / "programs" / "sonnet.py"))
    _, poem = program["__doc__"].split("::\n\n")
    assert capsys.readouterr().out == textwrap.dedent(poem)


@pytest.mark.parametrize("library", ["torch", "keras"])
def test_a_network_of_another_library_is_the_same(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install {library}")
    program = str(ROOT / "docs" / "programs" / f"to_{library.replace('torch', 'pytorch')}.py")
    status, out, err = run_python(program, variables={"TF_CPP_MIN_LOG_LEVEL": "3"}.items())

    assert status == 0, err
    _, difference = out.split("The largest difference: ")
    assert 0 < float(difference) < 1e-5


# Types

PROGRAM = """
from charrnn import open_model, train_model
model = open_model("anna")
text = model.write("Anna ", 20, seed=1)
texts = model.write("Anna ", 20, n=2)
print(text.upper(), texts[0].upper(), list(model.stream("Anna ", 5)))
model.wrte("Anna ")
model.write("Anna ", temperatur=1)
print(texts.upper())
print(train_model("my.txt", epochs=1).best)
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What mypy says of a program, and of the type of each name that is public."""
    pytest.importorskip("mypy", reason="it needs mypy: pip install mypy")
    folder = tmp_path_factory.mktemp("checked")
    names = "".join(f"reveal_type(charrnn.{name})\n" for name in charrnn.__all__)
    (folder / "program.py").write_text(f"{PROGRAM}import charrnn\n{names}")
    # with the cache that make lint fills
    settings = ["--config-file", str(ROOT / "pyproject.toml")]
    settings += ["--cache-dir", str(ROOT / ".mypy_cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, "program.py"],
        cwd=str(folder),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, MYPYPATH=str(ROOT)),
    )
    return done.stdout.replace("List", "list")


def test_help_names_all_that_tells_how_to_write():
    for name in writing.KEYWORDS:
        assert re.search(rf"\b{name}\b[\w, ]*:", Model.write.__doc__), name


def test_editors_know_all_that_tells_how_to_write():
    """The one place where the names stand again."""
    of_how = re.search(r"class How.*?\n\n\n", inspect.getsource(writing), re.DOTALL).group()
    assert re.findall(r"^        (\w+): ", of_how, re.MULTILINE) == list(writing.KEYWORDS)


def test_mypy_finds_the_mistakes_of_a_program(checked):
    errors = dict(re.findall(r"program.py:(\d+): error: (.*?)  \[", checked))
    assert errors.keys() == {"7", "8", "9"}
    assert errors["7"] == '"Model" has no attribute "wrte"; maybe "write"?'
    assert errors["9"] == '"list[str]" has no attribute "upper"'


def test_each_public_name_has_a_type(checked):
    revealed = re.findall('Revealed type is "?(.*?)"?$', checked, re.MULTILINE)
    assert len(revealed) == len(charrnn.__all__)
    assert "Any" not in revealed


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(length=-1), "length must be"),
        (dict(length=2.5), "length must be"),
        (dict(length=True), "length must be"),
        (dict(n=0), "n must be"),
        (dict(prime=""), "prime is empty"),
        (dict(top_n=0), "top_n must"),
        (dict(temperature=-1), "temperature must"),
        (dict(top_p=2), "top_p must"),
        (dict(seed=-1), "seed must"),
        (dict(seed=2**32), "seed must be an integer, from 0 to 4294967295, not 4294967296"),
        (dict(n=2**63), "n must be an integer, from 1 to 100000"),
        (dict(n=True), "n must"),
        (dict(temperature="hot"), "temperature must be a number"),
        (dict(temprature=1), "there is no argument temprature; did you mean temperature?"),
        (dict(top_n=2.5), "top_n must be an integer"),
        (dict(best_of=0), "best_of must be an integer, at least 1 and at most 16"),
        (dict(best_of=17), "best_of must be"),
        (dict(best_of=1.5), "best_of must be"),
        (dict(no_copy=20), "there is no argument no_copy since version 6.0: use best_of"),
        (dict(known_words=False), "use best_of"),
    ],
)
def test_bad_arguments_of_write(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.write(**options)


def test_a_number_in_place_of_the_prime_is_told(model):
    with pytest.raises(TypeError, match="length="):
        model.write(400)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int32, np.uint64])
def test_numbers_of_numpy_are_arguments_of_write(model, kind):
    expected = model.write("the ", 120, n=2, seed=3)
    assert model.write("the ", kind(120), n=kind(2), seed=kind(3)) == expected


def test_ctrl_c_is_not_swallowed(model, interrupt_text):
    interrupt_text(1)
    with pytest.raises(KeyboardInterrupt):
        model.write("the ", 10)


# Training


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 33 steps whose validation loss is lowest before the end."""
    folder = tmp_path_factory.mktemp("python")
    options = dict(
        SMALL,
        val_fraction=0.25,
        test_fraction=0.1,
        eval_every_n=5,
        print_every_n=2,
        epochs=3,
        learning_rate=0.1,
        keep_prob=1,
    )
    text = overfitting_text(folder / "text")
    return train_model(text, folder / "run", quiet=True, **options)


def test_a_run_has_its_losses_and_its_history(run):
    assert run.losses.shape == (33,)
    assert run.losses.dtype == np.float32
    history = run.history
    assert history["step"][-1] == 33
    assert len(history["val_loss"]) == len(history["step"])
    # in some steps, only one of the two was measured
    assert np.isnan(history["val_loss"]).any()
    assert np.isnan(history["loss"]).any()
    bits = history["val_loss"] / np.log(2)
    np.testing.assert_allclose(history["val_bits_per_character"], bits)


def test_a_run_has_its_newest_and_its_best_model(run):
    place = np.nanargmin(run.history["val_loss"])
    step = int(run.history["step"][place])
    assert step < 33
    assert run.best.name.endswith(f"i{step}_l5.ckpt")
    assert run.model.name.endswith("i33_l5.ckpt")
    assert run.stopped_by is None


def test_the_losses_of_a_run_are_those_of_its_best_model(run):
    """On the texts that are held out. Those of the newest model are others."""
    text = Path(run.folder, "text.txt").read_text()
    _, held_out, test = split(text, 0.25, 0.1)
    val_loss = np.nanmin(run.history["val_loss"])

    assert val_loss == pytest.approx(run.best.surprisal(held_out).mean(), abs=1e-4)
    assert run.test_loss == pytest.approx(run.best.surprisal(test).mean(), abs=1e-4)
    assert abs(val_loss - run.test_loss) > 0.01
    assert abs(run.model.surprisal(test).mean() - run.test_loss) > 0.01


def test_a_repr_is_a_line(run):
    large = Vocabulary("".join(map(chr, range(500))))
    for described in (run, run.model, run.model.vocabulary, large):
        assert "\n" not in repr(described)
        assert len(repr(described)) < 200
    assert "33 steps" in repr(run)
    assert "1 layer of 5 lstm units" in repr(run.model)


def test_runs_and_models_can_be_keys_of_a_dict(run):
    assert len({run, run.model, run.model}) == 2


def test_a_text_itself_is_trained_on_whatever_its_characters(tmp_path):
    # null and a surrogate are among them
    text = "".join(map(chr, range(256))) + "\ud800" * 2000
    options = dict(SMALL, learning_rate=0.05, epochs=3)
    run = train_model(text, tmp_path / "run", quiet=True, **options)
    guess = np.log(len(set(text)))
    assert run.model.surprisal(text[-90:]).mean() < 0.9 * guess


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(text=b"the cat\n"), ValueError, "not bytes"),
        (dict(text=5), ValueError, "not int"),
        (dict(text="the cat"), ValueError, "cannot read the text 'the cat': there is no such file"),
        (dict(text=""), ValueError, "''"),
        (dict(text="a\0"), ValueError, "null|no such file"),
        (dict(sample_length=2.5), ValueError, "sample_length"),
        (dict(sample_length=None), ValueError, "sample_length"),
        (dict(threads="2"), ValueError, "threads"),
        (dict(threads=True), ValueError, "threads"),
        (dict(threads=0), ValueError, "threads"),
        (dict(preset="qick"), ValueError, "preset .* did you mean quick"),
        (
            dict(lstm_sise=5),
            ValueError,
            "there is no hyperparameter lstm_sise: there are batch_size, .*did you mean lstm_size",
        ),
        (dict(lstm_size="5"), ValueError, "lstm_size"),
        (dict(lstm_size=0), ValueError, "lstm_size must be an integer, at least 1, not 0"),
        (dict(batch_size=5000), ValueError, "are needed to learn from"),
        (dict(checkpoint_dir=5), TypeError, "int"),
        (dict(checkpoint_dir=b"run"), TypeError, "bytes|type"),
    ],
)
def test_arguments_are_checked_before_anything_is_written(tmp_path, options, error, message):
    good = dict(SMALL, text=TEXT, quiet=True, checkpoint_dir=tmp_path / "run")
    with pytest.raises(error, match=message) as caught:
        train_model(**{**good, **options})
    line = str(caught.value)
    assert "--" not in line
    assert "\n" not in line
    assert not (tmp_path / "run").exists()


def test_the_record_holds_hyperparameters_that_are_numbers_of_numpy():
    values = dict(
        batch_size=np.int64(2),
        keep_prob=np.float32(0.5),
        fused=np.bool_(True),
        threads=np.int64(1),
    )
    job = plan_job(corpus.Text("a text", TEXT), values, "run")
    assert json.dumps(record.as_json(job.record))
    assert type(job.threads) is int


class Tee:
    """Writes to two places, and has no other methods than it must."""

    def __init__(self):
        self.written = io.StringIO()
        self.write = self.written.write
        self.flush = self.written.flush


def test_a_run_goes_on_with_whatever_stands_for_the_standard_streams(tmp_path, monkeypatch):
    """None, a stream that is closed, and an object that has two methods take each other's place during the run."""
    tee = Tee()
    closed = io.StringIO()
    closed.close()
    streams = {0: None, 6: closed, 12: tee}

    def replace_streams(step):
        if step in streams:
            monkeypatch.setattr(sys, "stdout", streams[step])
            monkeypatch.setattr(sys, "stderr", streams[step])

    replace_streams(0)
    with called_after_steps(replace_streams):
        run = train_model(TEXT, tmp_path / "run", print_every_n=1, **SMALL)
    assert (tmp_path / "run" / "i17_l5.ckpt.json").exists()
    assert len(run.losses) == 17
    printed = tee.written.getvalue()
    assert "step 11/" not in printed
    assert "finished after step 17" in printed
