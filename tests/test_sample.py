"""The notebook's pick_top_n and sample, and the script charrnn-sample."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    CHARS,
    NEWEST,
    TEXT,
    copy_without_records,
    make_network,
    process_environment,
    run_python,
)
from pages.small_pages import random_network

from charrnn.checkpoints.writing import Writing
from charrnn.commands import sample as sampling
from charrnn.data import Vocabulary
from charrnn.engines.opening import open_model
from charrnn.engines.reader import Reader
from charrnn.engines.sampler import Sampler
from charrnn.engines.surprisal import surprisal
from charrnn.sample import pick_top_n, sample
from charrnn.text import lexicon, novelty
from charrnn.text.corpus import Text

SEPARATOR = "\n" + "-" * 70 + "\n"  # between texts that the script writes


def flags_of(options):
    """Return flags such as ``["--top-n", "3"]`` for a dict such as ``{"top_n": 3}``."""
    flags = []
    for name, value in options.items():
        flags += [f"--{name.replace('_', '-')}", str(value)]
    return flags


@pytest.fixture
def script(capsys):
    """A function that runs the script and returns what it prints on standard output and standard error."""

    def run(model, *flags, status=0, **options):
        capsys.readouterr()
        arguments = [str(model), *flags, *flags_of(options)]
        assert sampling.main(arguments) == status
        return capsys.readouterr()

    return run


# The notebook's functions


@pytest.mark.parametrize("vocab_size, top_n", [(9, 1), (9, 2), (9, 5), (9, 9), (1, 5)])
def test_draws_equal_the_notebooks(notebook, vocab_size, top_n):
    preds = np.random.RandomState(1).dirichlet(np.ones(vocab_size), 1).astype(np.float32)

    np.random.seed(4)
    expected = [notebook.pick_top_n(preds.copy(), vocab_size, top_n) for _ in range(50)]
    np.random.seed(4)
    assert [pick_top_n(preds, vocab_size, top_n) for _ in range(50)] == expected


def test_text_equals_the_notebooks(notebook, trained):
    """The same 300 characters from the same NumPy seed."""
    prefix = str(trained / NEWEST)
    notebook.scope.update(
        vocab_to_int={char: index for index, char in enumerate(CHARS)},
        int_to_vocab=dict(enumerate(CHARS)),
    )

    np.random.seed(8)
    expected = notebook.sample(prefix, 300, 5, len(CHARS), prime="the ")
    np.random.seed(8)
    text = sample(prefix, 300, 5, len(CHARS), prime="the ")
    assert text == expected
    assert text.startswith("the ")
    assert len(text) == len("the ") + 301


def test_a_character_is_drawn_even_if_none_is_fed_back(exported):
    assert len(sample(exported, 0, prime="the ")) == len("the ") + 1


@pytest.mark.parametrize(
    "chars, prime",
    [
        (" Teh", "The "),
        (CHARS, "the "),
        ("\n\u3042\u306e\u4e00", "\u306e"),
        ("\n \u0430\u0438", "\u0438 "),
    ],
)
def test_the_default_prime_suits_the_model(tmp_path, script, chars, prime):
    random_network(sorted(chars)).save(tmp_path / "m.npz")
    assert script(tmp_path / "m.npz", length=9).out.startswith(prime)


def test_a_text_has_1000_characters_if_nothing_else_is_asked_for(exported, script):
    out = script(exported, prime="the ", seed=1).out
    assert len(out) == len("the ") + 1000 + len("\n")


def test_the_default_prime_of_sample_suits_the_model(tmp_path):
    random_network("\n \u0430\u0438").save(tmp_path / "m.npz")
    assert sample(tmp_path / "m.npz", 9, top_n=3).startswith("\u0438 ")


def test_a_checkpoint_of_the_notebook_needs_its_vocabulary(bare, script):
    with pytest.raises(ValueError, match=r"its vocabulary: give vocabulary=sorted\(set\(text\)\)"):
        sample(bare, 3, 5, len(CHARS), prime="the")
    assert "with --vocab-from TEXT" in script(bare, status=2).err


def test_a_checkpoint_of_the_notebook_is_sampled_with_a_vocabulary(bare, trained):
    """The notebook's list will do."""
    vocabulary = sorted(set(TEXT))
    np.random.seed(8)
    text = sample(bare, 30, 5, len(CHARS), prime="the", vocabulary=vocabulary)
    np.random.seed(8)

    assert text == sample(trained, 30, prime="the")


def test_the_notebooks_folder_is_the_newest_run_if_none_is_named(
    trained, tmp_path, monkeypatch, capsys
):
    """No known model takes its place."""
    monkeypatch.chdir(tmp_path)
    copy_without_records(trained, tmp_path / "checkpoints")
    assert sampling.main(["--length", "5"]) == 2
    assert f"checkpoints/{NEWEST} does not record its vocabulary" in capsys.readouterr().err


def test_the_script_takes_the_vocabulary_from_a_text(bare, text_file, script):
    out = script(bare, vocab_from=text_file, length=5).out
    assert len(out) == len("the ") + 5 + len("\n")


def test_the_text_next_to_a_checkpoint_of_the_notebook_gives_the_vocabulary(bare, trained, script):
    shutil.copy(str(trained / "text.txt"), str(bare))
    assert sample(bare, 3, prime="the").startswith("the")
    assert script(bare, length=5).out.startswith("the ")


def test_the_text_next_to_a_checkpoint_of_the_notebook_must_be_utf_8(bare, script):
    (bare / "text.txt").write_bytes(b"caf\xe9")
    assert "text.txt is not utf-8 text" in script(bare, status=2).err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"prime": ""}, "prime is empty"),
        ({"prime": "the Queen \u00e9"}, "'Q'.*'u'.*'\u00e9'"),
        ({"n_samples": -1}, "n_samples"),
        ({"top_n": 0}, "top_n"),
        ({"lstm_size": 6}, "lstm_size is 6, but .* has 5"),
        ({"vocab_size": 83}, "vocab_size is 83, but .* has 14"),
        ({"vocabulary": Vocabulary("ab")}, "vocabulary of 2 differs from it: leave it out"),
    ],
)
def test_bad_arguments_of_sample_are_an_error_in_the_words_of_python(trained, arguments, message):
    good = {"n_samples": 3, "prime": "the"}
    with pytest.raises(ValueError, match=message) as caught:
        sample(trained, **{**good, **arguments})
    assert "--" not in str(caught.value)


@pytest.fixture
def of_version_1():
    """A run of version 1.0, which has running averages."""
    return Path(__file__).with_name("data") / "run-1.0"


@pytest.fixture
def in_float16(trained, tmp_path):
    open_model(trained).save(tmp_path / "m.npz", dtype="float16")
    return tmp_path / "m.npz"


@pytest.mark.parametrize("name", ["of_version_1", "in_float16"])
def test_it_takes_the_weights_that_open_model_gives(request, name):
    path = request.getfixturevalue(name)
    np.random.seed(8)
    assert sample(path, 99, prime="the ") == open_model(path).write("the ", 100, seed=8)


def test_sample_names_what_writes_with_other_cells(tmp_path):
    make_network(tmp_path, CHARS, 3, 1, "gru").save(tmp_path / "m.npz")
    message = r"needs the notebook's cells.*: use open_model\(.*m.npz.\).write\(...\)"
    with pytest.raises(ValueError, match=message):
        sample(tmp_path / "m.npz", 9)


# The texts of the script


@pytest.mark.parametrize("name", ["trained", "exported"])
def test_the_script_writes_the_text_of_the_notebooks_loop(request, trained, script, name):
    np.random.seed(3)
    expected = sample(trained, 29, prime="the ")
    out, err = script(request.getfixturevalue(name), prime="the ", length=30, seed=3)

    assert out == expected + "\n"
    assert err == ""
    assert len(expected) == len("the ") + 30


@pytest.mark.parametrize(
    "options, settings",
    [
        (dict(temperature=0.5), Writing(temperature=0.5)),
        (dict(top_n=3), Writing(top_n=3)),
        (dict(top_p=0.8), Writing(top_n=14, top_p=0.8)),
        (dict(temperature=0), Writing(top_n=1)),
    ],
)
def test_flags_choose_the_settings(exported, script, options, settings):
    sampler = Sampler(open_model(exported).engine())
    (expected,) = sampler.write("on ", 80, settings, 5)
    out, err = script(exported, prime="on ", length=80, seed=5, **options)

    assert out == "on " + expected.text + "\n"
    assert err == ""


def test_a_prime_and_the_end_can_have_line_ends(exported, script):
    options = dict(length=300, seed=1, top_n=14)
    expected = open_model(exported).write("the\n", stop="\n", **options)
    assert script(exported, prime="the\\n", stop="\\n", **options).out == expected + "\n"
    assert expected.endswith("\n")
    assert len(expected) < 300


def test_a_new_seed_is_printed_and_gives_the_same_text_again(exported, script):
    first, err = script(exported, length=60)
    seed = re.fullmatch(r"seed (\d+)\n", err).group(1)
    assert script(exported, length=60, seed=seed) == (first, "")


def test_a_new_seed_gives_another_text(exported, script):
    assert script(exported, length=60).out != script(exported, length=60).out


# JSON and novelty


OPTIONS = dict(prime="the ", length=70, seed=2, num_samples=3, stop="e", top_p=0.9)


@pytest.fixture
def in_json(exported, script):
    """What the script writes with OPTIONS in JSON."""
    out, err = script(exported, "--json", **OPTIONS)
    assert err == ""
    return json.loads(out, parse_constant=pytest.fail)


def test_json_has_the_settings(exported, in_json):
    del in_json["samples"]
    assert in_json == {
        "model": str(exported),
        "prime": "the ",
        "temperature": 1.0,
        "top_n": 14,
        "top_p": 0.9,
        "steer": {},
        "best_of": 1,
    }


def test_json_has_the_texts_and_their_seeds(exported, script, in_json):
    out = script(exported, **OPTIONS).out
    samples = in_json["samples"]
    assert [sample["text"] for sample in samples] == out[:-1].split(SEPARATOR)
    assert [sample["seed"] for sample in samples] == [2, 3, 4]


def test_json_has_the_log_probabilities_that_the_engine_measures(exported, in_json):
    engine = open_model(exported).engine()
    for written in in_json["samples"]:
        assert sorted(written) == ["log_probabilities", "seed", "text"]
        nats = surprisal(engine, engine.vocabulary.encode(written["text"]))
        of_drawn = -nats[len("the ") - 1 :]
        assert written["log_probabilities"] == pytest.approx(of_drawn, abs=1e-5)


NOVELTY = dict(prime="the ", length=90, seed=2)


def test_novelty_is_a_line_after_the_text(trained, script):
    """Without the prime, compared with the text in the folder of the run."""
    text = script(trained, **NOVELTY).out[:-1]
    expected = novelty.compare(text[len("the ") :], TEXT)
    out = script(trained, "--novelty", **NOVELTY).out

    assert out.startswith(f"{text}\nnovelty: ")
    assert f" {expected.longest} char" in out
    assert f"{expected.share:.1%}" in out


def test_each_text_has_its_novelty(trained, script):
    out = script(trained, "--novelty", num_samples=2, **NOVELTY).out
    assert len(re.findall("^novelty: ", out, re.MULTILINE)) == 2


def test_json_has_the_novelty(trained, script):
    text = script(trained, **NOVELTY).out[:-1]
    (sample,) = json.loads(script(trained, "--novelty", "--json", **NOVELTY).out)["samples"]
    copied = sample["novelty"]
    assert (
        text[copied["start"] :][: copied["longest"]] == TEXT[copied["place"] :][: copied["longest"]]
    )
    assert copied["longest"] == novelty.compare(text[len("the ") :], TEXT).longest


def test_the_words_of_all_texts_are_told(trained, script):
    """In JSON those of each. A word at the end of a text may be cut off, and does not count."""
    texts = script(trained, num_samples=2, **NOVELTY).out.split(SEPARATOR)
    written = [re.sub(r"\w*\n?$", "", text[len("the ") :]) for text in texts]
    reader = Reader(open_model(trained).training_text().training)
    unknown = [reader.unknown_words(text) for text in written]
    assert all(unknown)

    *_, line = script(trained, "--novelty", num_samples=2, **NOVELTY).out.splitlines()
    count = sum(map(len, unknown))
    named = ", ".join(unknown[0] + unknown[1])
    assert line.startswith(f"words: {count} unknown (")
    assert named.startswith(line.rpartition("(")[-1].rstrip(")"))
    as_json = json.loads(script(trained, "--novelty", "--json", num_samples=2, **NOVELTY).out)
    words = [sample["words"] for sample in as_json["samples"]]
    assert words == [{"own": 0, "own_in_training": 0, "unknown": each} for each in unknown]


def test_own_words_are_told_of_a_model_with_the_words_of_its_language(exported, script, tmp_path):
    """In a line with those of the training text, and in JSON."""
    packed = open_model(exported)
    packed.train_text = Text("text", f"{TEXT} e a")
    packed.words = lexicon.pack(["the"])
    packed.save(tmp_path / "m.npz")
    out = script(tmp_path / "m.npz", "--novelty", "--json", **NOVELTY).out
    (sample,) = json.loads(out)["samples"]
    reader = Reader(f"{TEXT} e a", ["the"])
    text = re.sub(r"\w*$", "", sample["text"][len("the ") :])
    assert sample["words"]["own"] == reader.share_of_own(text) > 0
    assert sample["words"]["own_in_training"] == reader.own_in_training > 0
    line = script(tmp_path / "m.npz", "--novelty", **NOVELTY).out.splitlines()[-1]
    expected = f"{reader.share_of_own(text):.1%} are the training text's own ({reader.own_in_training:.1%} there)"
    assert line.startswith(f"words: {expected}, ")


def test_novelty_is_compared_with_a_text_that_is_named(trained, tmp_path, script):
    (tmp_path / "text").write_text(f"{TEXT}caf\u00e9", encoding="utf-8")
    expected = script(trained, "--novelty", **NOVELTY)
    named = dict(train_text=tmp_path / "text")
    assert script(trained, "--novelty", **named, **NOVELTY) == expected


def test_a_text_does_nothing_to_the_terminal_and_is_piped_as_it_is(tmp_path, script, monkeypatch):
    random_network("\n\x1b2J[\x9b").save(tmp_path / "m.npz")
    options = dict(length=70, seed=3, top_n=6, prime="\x1b[2J")
    piped = script(tmp_path / "m.npz", **options).out
    assert "\x1b[2J" in piped
    assert "\x9b" in piped

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = piped.replace("\x1b", "^[").replace("\x9b", "\\x9b")
    assert script(tmp_path / "m.npz", **options).out == shown


# Ctrl-C, bad arguments and damage


@pytest.mark.parametrize("flags, options", [([], {}), (["--json"], {}), ([], {"num_samples": 3})])
def test_ctrl_c_writes_what_was_made(exported, interrupt_text, script, flags, options):
    options = dict(options, prime="the ", seed=2)
    expected = script(exported, *flags, length=100, **options).out
    interrupt_text(101)
    interrupted = script(exported, *flags, length=1000, status=130, **options)

    assert interrupted == (expected, "charrnn-sample: interrupted\n")


def test_ctrl_c_writes_the_lines_that_were_drawn(exported, interrupt_text, script):
    """All five texts at once, and none of them to its end."""
    interrupt_text(51)
    out, err = script(exported, lines=5, length=500, seed=2, status=130)
    assert len(out.splitlines()) == 5
    assert err == "charrnn-sample: interrupted\n"


# As a process


@contextlib.contextmanager
def process_of(model, stdout, folder=None, variables=(), **options):
    """Start the script as a process."""
    with subprocess.Popen(
        [sys.executable, "-m", "charrnn", "sample", str(model), *flags_of(options)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=process_environment(**dict(variables)),
    ) as process:
        yield process


MODELS = ["exported", pytest.param("trained", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", MODELS)
def test_a_process_is_quiet(request, name):
    flags = flags_of(dict(prime="the ", seed=1, length=20))
    model = request.getfixturevalue(name)
    status, out, err = run_python("-m", "charrnn", "sample", model, *flags)

    assert status == 0
    assert err == ""
    assert len(out) == len("the ") + 20 + len("\n")


@pytest.mark.parametrize("name", MODELS)
def test_a_process_ends_with_its_reader(request, name):
    model = request.getfixturevalue(name)
    options = dict(prime="the ", seed=1, length=100_000)
    with process_of(model, subprocess.PIPE, **options) as process:
        assert process.stdout.read(10).startswith(b"the ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_file_gets_utf_8_in_any_locale_and_after_ctrl_c_what_was_written(tmp_path):
    characters = "\xe9\u20ac"
    random_network(characters).save(tmp_path / "m.npz")
    out = tmp_path / "out.txt"
    variables = dict(PYTHONIOENCODING="ascii", LC_ALL="C")
    options = dict(variables=variables, folder=str(tmp_path), length=100_000_000, seed=1)
    with open(out, "wb") as file, process_of("m.npz", file, **options) as process:
        while out.stat().st_size < 1000:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"charrnn-sample: interrupted\n"
        assert process.wait() == 130

    text = out.read_text(encoding="utf-8")
    assert set(text) == set(characters + "\n")
