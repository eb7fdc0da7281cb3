"""The notebook's pick_top_n and sample, and the script charrnn-sample."""

import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    CHARS,
    TEXT,
    copy_without_records,
    interrupted_at,
    make_network,
    process_environment,
    run_python,
)

from charrnn.commands import sample as sampling
from charrnn.data import Vocabulary
from charrnn.engines.decoding import Settings
from charrnn.engines.model_file import open_model
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import CHUNK, Sampler
from charrnn.engines.surprisal import surprisal
from charrnn.sample import pick_top_n, sample
from charrnn.text import novelty


@pytest.fixture
def script(capsys):
    """A function that runs the script and returns what it prints on standard output and standard error."""

    def run(model, *arguments, status=0):
        capsys.readouterr()
        assert sampling.main([str(model), *map(str, arguments)]) == status
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
    prefix = str(trained / "i173_l5.ckpt")
    notebook.scope.update(
        vocab_to_int={char: index for index, char in enumerate(CHARS)},
        int_to_vocab=dict(enumerate(CHARS)),
    )
    np.random.seed(8)
    expected = notebook.sample(prefix, 300, 5, len(CHARS), prime="the ")
    np.random.seed(8)
    text = sample(prefix, 300, 5, len(CHARS), prime="the ")
    assert text == expected
    assert len(text) == len("the ") + 301 and text.startswith("the ")


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
    make_network(tmp_path, sorted(chars), 3, 1).save(tmp_path / "m.npz")
    assert sample(tmp_path / "m.npz", 9, top_n=3).startswith(prime)
    assert script(tmp_path / "m.npz", "--length", "9").out.startswith(prime)


@pytest.fixture
def bare(trained, tmp_path):
    """The small run as the notebook would have left it."""
    return copy_without_records(trained, tmp_path / "bare")


def test_a_checkpoint_of_the_notebook_needs_its_vocabulary(bare, trained, text_file, script):
    """In Python, the notebook's list will do."""
    with pytest.raises(ValueError, match=r"its vocabulary: give vocabulary=sorted\(set\(text\)\)"):
        sample(bare, 3, 5, len(CHARS), prime="the")
    text = text_file.read_text()
    for vocabulary in (sorted(set(text)), Vocabulary.from_text(text)):
        np.random.seed(8)
        written = sample(bare, 30, 5, len(CHARS), prime="the", vocabulary=vocabulary)
        np.random.seed(8)
        assert written == sample(trained, 30, prime="the")
    assert "with --vocab-from TEXT" in script(bare, status=2).err
    assert len(script(bare, "--vocab-from", text_file, "--length", "5").out) == len("the ") + 5 + 1


def test_the_text_next_to_a_checkpoint_of_the_notebook_gives_the_vocabulary(bare, trained, script):
    shutil.copy(str(trained / "text.txt"), str(bare))
    assert sample(bare, 3, prime="the").startswith("the") and script(
        bare, "--length", "5"
    ).out.startswith("the ")
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
    with pytest.raises(ValueError, match=message) as caught:
        sample(trained, **dict({"n_samples": 3, "prime": "the"}, **arguments))
    assert "--" not in str(caught.value)


def test_it_takes_the_weights_that_open_model_gives(trained, tmp_path):
    """Those of a file in float16, and running averages."""
    open_model(trained).save(tmp_path / "m.npz", dtype="float16")
    for model in (Path(__file__).with_name("data") / "run-1.0", tmp_path / "m.npz"):
        np.random.seed(8)
        assert sample(model, 99, prime="the ") == open_model(model).write("the ", 100, seed=8)


def test_sample_names_what_writes_with_other_cells(tmp_path):
    make_network(tmp_path, CHARS, 3, 1, "gru").save(tmp_path / "m.npz")
    with pytest.raises(
        ValueError,
        match="needs the notebook's cells.*: use open_model\\(.*m.npz.\\).write\\(...\\)",
    ):
        sample(tmp_path / "m.npz", 9)


# The texts of the script


def test_the_script_writes_the_text_of_the_notebooks_loop(trained, exported, script):
    texts = {
        script(model, "--prime", "the ", "--length", "30", "--seed", "3")
        for model in (trained, exported)
    }
    ((out, err),) = texts
    np.random.seed(3)
    assert err == "" and out == sample(trained, 29, prime="the ") + "\n" and len(out) == 4 + 30 + 1


@pytest.mark.parametrize(
    "options, settings",
    [
        (["--temperature", "0.5"], Settings(0.5)),
        (["--top-n", "3"], Settings(top_n=3)),
        (["--top-p", "0.8"], Settings(1, 14, 0.8)),
        (["--temperature", "0"], Settings(top_n=1)),
    ],
)
def test_flags_choose_the_settings(exported, script, options, settings):
    (expected,), _ = Sampler(open_model(exported).engine()).write("on ", 80, settings, 5)
    found = script(exported, "--prime", "on ", "--length", "80", "--seed", "5", *options)
    assert found == ("on " + expected.text + "\n", "")


def test_a_new_seed_is_printed_and_gives_the_same_text_again(exported, script):
    (first, err), (second, _) = (script(exported, "--length", "60") for _ in range(2))
    seed = re.fullmatch(r"seed (\d+)\n", err).group(1)
    assert script(exported, "--length", "60", "--seed", seed) == (first, "") and first != second


# JSON and novelty


def test_json_has_texts_seeds_settings_and_log_probabilities(exported, script):
    """The log-probabilities are those that the engine measures for the text."""
    arguments = [
        exported,
        "--prime",
        "the ",
        "--length",
        "70",
        "--seed",
        "2",
        "--num-samples",
        "3",
        "--stop",
        "e",
        "--top-p",
        "0.9",
    ]
    out, err = script(*arguments, "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    samples = found.pop("samples")
    assert err == ""
    assert found == {
        "model": str(exported),
        "prime": "the ",
        "temperature": 1.0,
        "top_n": 14,
        "top_p": 0.9,
    }
    assert [each["text"] for each in samples] == script(*arguments).out[:-1].split(
        "\n" + "-" * 70 + "\n"
    )
    engine = open_model(exported).engine()
    for seed, each in enumerate(samples, 2):
        assert sorted(each) == ["log_probabilities", "seed", "text"] and each["seed"] == seed
        nats = surprisal(engine, engine.vocabulary.encode(each["text"]))
        assert each["log_probabilities"] == pytest.approx(-nats[3:], abs=1e-5)


def test_novelty_is_a_line_after_the_texts(trained, tmp_path, script):
    """For each of them, without the prime, compared with the text in the folder of the run, or one that is named."""
    arguments = [trained, "--prime", "the ", "--length", "90", "--seed", "2"]
    text = script(*arguments).out[:-1]
    found = novelty.compare(text[4:], TEXT)
    out = script(*arguments, "--novelty").out
    assert (
        out.startswith(f"{text}\nnovelty: ")
        and f" {found.longest} char" in out
        and f"{found.share:.1%}" in out
    )
    assert (
        len(
            re.findall(
                "^novelty: ",
                script(*arguments, "--novelty", "--num-samples", "2").out,
                re.MULTILINE,
            )
        )
        == 2
    )
    assert json.loads(script(*arguments, "--novelty", "--json").out)["samples"][0][
        "novelty"
    ] == asdict(found)
    (tmp_path / "text").write_bytes((TEXT + "caf\u00e9").encode("latin-1"))
    assert (
        script(
            *arguments, "--novelty", "--train-text", tmp_path / "text", "--encoding", "latin-1"
        ).out
        == out
    )


def test_a_text_does_nothing_to_the_terminal_and_is_piped_as_it_is(tmp_path, script, monkeypatch):
    make_network(tmp_path, "\n\x1b2J[\x9b", 3, 1).save(tmp_path / "m.npz")
    arguments = [
        tmp_path / "m.npz",
        "--length",
        "70",
        "--seed",
        "3",
        "--top-n",
        "6",
        "--prime",
        "\x1b[2J",
    ]
    piped = script(*arguments).out
    assert "\x1b[2J" in piped and "\x9b" in piped
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert script(*arguments).out == piped.replace("\x1b", "^[").replace("\x9b", "\\x9b")


# Ctrl-C, bad arguments and damage


@pytest.mark.parametrize("options", [[], ["--json"], ["--num-samples", "3"]])
def test_ctrl_c_writes_what_was_made(exported, monkeypatch, script, options):
    arguments = [exported, "--prime", "the ", "--seed", "2", *options, "--length"]
    expected = script(*arguments, 2 * CHUNK).out
    monkeypatch.setattr(NumpyLSTM, "generate", interrupted_at(NumpyLSTM.generate, 3))
    assert script(*arguments, "1000", status=130) == (expected, "charrnn-sample: interrupted\n")


# As a process


@pytest.mark.parametrize("model", ["exported", pytest.param("trained", marks=pytest.mark.slow)])
def test_a_process_is_quiet_and_ends_with_its_reader(request, model):
    command = [
        "-m",
        "charrnn",
        "sample",
        str(request.getfixturevalue(model)),
        "--prime",
        "the ",
        "--seed",
        "1",
        "--length",
    ]
    status, out, err = run_python(*command, "20")
    assert (status, err, len(out)) == (0, "", 25)
    with subprocess.Popen(
        [sys.executable, *command, "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process_environment(),
    ) as process:
        assert process.stdout.read(10).startswith(b"the ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_file_gets_utf_8_in_any_locale_and_after_ctrl_c_what_was_written(tmp_path):
    characters = "\xe9\u20ac"
    make_network(tmp_path, characters, 3, 1).save(tmp_path / "m.npz")
    environment = process_environment(PYTHONIOENCODING="ascii", LC_ALL="C")
    with open(tmp_path / "out.txt", "wb") as file, subprocess.Popen(
        [
            sys.executable,
            "-m",
            "charrnn",
            "sample",
            "m.npz",
            "--length",
            "100000000",
            "--seed",
            "1",
        ],
        stdout=file,
        stderr=subprocess.PIPE,
        cwd=str(tmp_path),
        env=environment,
    ) as process:
        while (tmp_path / "out.txt").stat().st_size < 1000:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"charrnn-sample: interrupted\n"
        assert process.wait() == 130
    text = (tmp_path / "out.txt").read_text(encoding="utf-8")
    # the prime of one character, and a line end
    assert set(text) == set(characters + "\n") and len(text) % CHUNK == 2
