"""The face in Python: open_model and its verbs, train_model and its run, and what they say."""

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT, interrupted_at, make_network, overfitting_text, run_python

import charrnn
from charrnn import open_model, train_model
from charrnn.checkpoints import find, record
from charrnn.checkpoints.run import reserve
from charrnn.commands import sample, train
from charrnn.data import Vocabulary, split
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import CHUNK
from charrnn.system import files
from charrnn.text.corpus import Text
from charrnn.training.job import plan_job
from charrnn.training.options import Options

SMALL = dict(
    batch_size=2,
    num_steps=30,
    lstm_size=5,
    num_layers=1,
    epochs=1,
    seed=7,
    sample_length=0,
    summaries=False,
)


@pytest.fixture(scope="module")
def model(exported):
    return open_model(exported)


def test_several_texts_are_a_list(model):
    """Each ends for itself."""
    texts = model.write("the ", 200, n=3, top_p=0.9, stop="at", seed=5)
    assert texts == [
        model.write("the ", 200, top_p=0.9, stop="at", seed=seed) for seed in (5, 6, 7)
    ]
    # so not all in the same call of the engine
    assert max(map(len, texts)) - min(map(len, texts)) > CHUNK
    assert model.write("the ", 40, n=1, seed=5) == [model.write("the ", 40, seed=5)]
    assert model.write(length=0) == "the "


def test_no_more_texts_are_drawn_than_are_asked_for(model, monkeypatch):
    rows = []
    usual = NumpyLSTM.draw
    monkeypatch.setattr(
        NumpyLSTM,
        "draw",
        lambda engine, logits, *rest: rows.append(len(logits)) or usual(engine, logits, *rest),
    )
    for n in (None, 1, 3):
        model.write("the ", 40, n=n)
    assert rows == [1, 1, 3]


def test_a_stream_is_the_text_of_write(model):
    pieces = list(model.stream("the ", 120, temperature=0.6, seed=2, stop="e "))
    assert pieces[0] == "the " and set(map(len, pieces[1:])) == {1}
    assert "".join(pieces) == model.write("the ", 120, temperature=0.6, seed=2, stop="e ")
    assert pieces[-2:] == ["e", " "] and len(pieces) < 121
    for stop in (" " + pieces[1], "e " + pieces[1]):  # which begin in the prime
        assert (
            "".join(model.stream("the ", 120, temperature=0.6, seed=2, stop=stop))
            == "the " + pieces[1]
        )
    assert "".join(model.stream(length=70, top_n=3, seed=5)) == model.write(
        length=70, top_n=3, seed=5
    )
    with pytest.raises(ValueError, match="length must be"):  # before anything is drawn
        model.stream("the ", -1)


def test_eight_threads_write_at_once(model):
    """As in a server."""
    texts = {}

    def options(seed):
        return dict(seed=seed, allow=lambda text: set(CHARS) - {"acdehmno"[seed]})

    def write(seed):
        texts[seed] = "".join(model.stream("th\u00e9 ", 60, unknown="nearest", **options(seed)))

    threads = [threading.Thread(target=write, args=[seed]) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(texts.values())) == 8
    assert texts == {seed: model.write("the ", 60, **options(seed)) for seed in range(8)}


def test_next_is_what_surprisal_is_made_of(model):
    text = TEXT[:30]
    chances = model.next(text[:-1])
    assert chances.dtype == np.float32 and chances.shape == (len(model.vocabulary),)
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    chance = chances[model.vocabulary.vocab_to_int[text[-1]]]
    assert -np.log(chance) == pytest.approx(model.surprisal(text)[-1], abs=1e-5)
    with pytest.raises(ValueError, match="'X'"):
        model.next("X")


def test_unknown_characters_of_a_prime_are_replaced_or_left_out(model):
    for given, how, prime in (
        ("thé ", "nearest", "the "),
        ("th\u20ace ", "skip", "the "),
        ("the ", "skip", "the "),
    ):
        assert model.write(given, 40, seed=2, unknown=how) == model.write(prime, 40, seed=2)
        assert list(model.stream(given, 5, seed=2, unknown=how)) == list(
            model.stream(prime, 5, seed=2)
        )
        np.testing.assert_array_equal(model.next(given, unknown=how), model.next(prime))
    for call in (model.write, model.stream, model.next):
        with pytest.raises(ValueError, match="unknown must be error, skip or nearest, not 'near'"):
            call("the ", unknown="near")
        with pytest.raises(ValueError, match="the model knows no character of the prime"):
            call("\u20ac", unknown="skip")


# Which characters may come next


@pytest.fixture(scope="module", params=["lstm", "gru"])
def any_model(request, exported, tmp_path_factory):
    return (
        open_model(exported)
        if request.param == "lstm"
        else make_network(tmp_path_factory.mktemp("gru"), CHARS, 3, 2, "gru")
    )


def test_the_most_probable_of_the_allowed_characters_is_taken(any_model):
    """The others are left out before the temperature and top_n."""
    allowed = "hot"
    for options in (dict(top_n=1), dict(temperature=0), dict(top_p=1e-9)):
        text = any_model.write("the ", 12, seed=3, allow=lambda text: allowed, **options)
        for place in range(4, len(text)):
            chances = any_model.next(text[:place])
            assert text[place] == max(
                allowed, key=lambda char: chances[any_model.vocabulary.vocab_to_int[char]]
            )
        assert len(text) == 16


def test_allowed_characters_keep_their_shares(exported):
    model = open_model(exported)
    drawn = []
    chances = model.next("the ")
    kept = {char: chances[model.vocabulary.vocab_to_int[char]] for char in "hot"}
    texts = model.write("the ", 1, n=3000, seed=1, allow=lambda text: set("hot\u20ac"))
    for char, chance in kept.items():
        drawn.append(sum(text.endswith(char) for text in texts))
        assert drawn[-1] / 3000 == pytest.approx(chance / sum(kept.values()), abs=0.04)
    assert sum(drawn) == 3000


def test_each_text_has_its_own_characters_and_ends_where_none_may_come(any_model):
    seen = set()

    def allow(text):
        seen.add(text)
        return "" if text.count("a") == 3 else None if len(text) % 2 else set("at\u20ac")

    texts = any_model.write("the ", 400, n=4, seed=5, top_n=14, allow=allow)
    for seed, text in zip(range(5, 9), texts):
        assert "".join(any_model.stream("the ", 400, seed=seed, top_n=14, allow=allow)) == text
        assert text.count("a") == 3 and text.endswith("a") and set(text[4::2]) <= set("at")
        assert {text[:end] for end in range(4, len(text) + 1)} <= seen
    assert len({len(text) for text in texts}) > 1 and all(text.startswith("the ") for text in seen)
    assert any_model.write("the ", 9, allow=lambda text: "\u20ac") == "the "
    assert list(any_model.stream("the ", 9, allow=lambda text: set())) == ["the "]


def test_what_allows_everything_changes_nothing(model):
    for allow in (lambda text: None, lambda text: set(CHARS)):
        for options in (dict(n=3, seed=2), dict(seed=2, stop="t")):
            assert model.write("the ", 120, allow=allow, **options) == model.write(
                "the ", 120, **options
            )


def test_many_texts_are_written_in_the_graph_unless_they_are_restricted(model, monkeypatch):
    """Where eager mode is off."""
    with monkeypatch.context() as patch:
        patch.setattr(NumpyLSTM, "draw", None)
        assert len(model.write("the ", 300, n=64, seed=1)) == 64
    monkeypatch.setattr("charrnn.engines.graph_engine.GraphEngine.draw", None)
    assert (
        len(
            model.write("the ", 300, n=64, seed=1, allow=lambda text: "at" if len(text) < 6 else "")
        )
        == 64
    )


EXAMPLES = re.findall(
    "^```py\n(.*?)^```\n(?:\n```\n(.*?)^```)?",
    (ROOT / "docs" / "python.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def test_the_page_shows_what_is_written(capsys):
    scope = {}
    texts = [(code, text) for code, text in EXAMPLES if text]
    for code, text in texts:
        exec(code, scope)
        assert capsys.readouterr().out == text
    assert len(texts) == 2


@pytest.mark.parametrize("library", ["torch", "keras"])
def test_a_network_of_another_library_is_the_same(library):
    (code,) = [code for code, _ in EXAMPLES if f"import {library}" in code]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install {library}")
    status, out, err = run_python("-c", code, variables={"TF_CPP_MIN_LOG_LEVEL": "3"}.items())
    assert status == 0 and 0 < float(out.split("The largest difference: ")[1]) < 1e-5, err


# Types

PROGRAM = """
from charrnn import open_model, train_model
model = open_model("anna")
text = model.write("Anna ", 20, seed=1)
texts = model.write("Anna ", 20, n=2)
print(text.upper(), texts[0].upper(), list(model.stream("Anna ", 5)))
model.wrte("Anna ")
print(texts.upper())
print(train_model("my.txt", epochs=1).best)
"""


def test_a_program_is_checked(tmp_path):
    """By mypy, which finds its two mistakes and no others; and each name that is public has a type."""
    pytest.importorskip("mypy", reason="it needs mypy: pip install mypy")
    names = "".join(f"reveal_type(charrnn.{name})\n" for name in charrnn.__all__)
    (tmp_path / "program.py").write_text(f"{PROGRAM}import charrnn\n{names}")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "program.py"],
        cwd=str(tmp_path),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, MYPYPATH=str(ROOT)),
    )
    assert re.findall(
        r"program.py:(\d+): error: (.*?)  \[", done.stdout.replace("List", "list")
    ) == [
        ("7", '"Model" has no attribute "wrte"; maybe "write"?'),
        ("8", '"list[str]" has no attribute "upper"'),
    ]
    revealed = re.findall("Revealed type is (.*)", done.stdout)
    assert len(revealed) == len(charrnn.__all__) and "Any" not in map(
        lambda each: each.strip('"'), revealed
    )


QUIET = """
import logging, os, sys, charrnn
logger, level = logging.getLogger("tensorflow"), os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
run = charrnn.train_model("the cat sat on the mat.\\n" * 99, sys.argv[1], batch_size=2, num_steps=30, lstm_size=5,
                          epochs=1, val_fraction=0.1, sample_length=9)
assert logger.filters == [] and "TF_CPP_MIN_LOG_LEVEL" not in os.environ
logger.warning("mine is deprecated")
"""


def test_the_first_training_is_quiet_and_leaves_logging_as_it_was(tmp_path):
    status, _, err = run_python("-c", QUIET, tmp_path / "run")
    assert status == 0 and err.count("\n") == 1 and "mine is deprecated" in err, err


# Writes two texts with a network of gru cells, and uses all else that needs a graph.
QUIET_MODEL = """
import logging, os, sys, charrnn
logger, level = logging.getLogger("tensorflow"), os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
model = charrnn.open_model(sys.argv[1], sys.argv[2])
for seed in (1, 2):
    model.write("the ", 9, seed=seed)
model.surprisal("the cat")
model.activations("the cat")
assert logger.filters == []
assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
"""


def test_a_model_that_needs_tensorflow_is_quiet_and_leaves_logging_as_it_was(tmp_path):
    path = make_network(tmp_path, CHARS, 3, 2, "gru").name
    status, _, err = run_python("-c", QUIET_MODEL, path, CHARS)
    assert status == 0, err
    assert err == ""


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(length=-1), "length must be"),
        (dict(length=2.5), "length must be"),
        (dict(length=True), "length must be"),
        (dict(n=0), "n must be"),
        (dict(prime=""), "prime is empty"),
        (dict(prime="X"), "'X'"),
        (dict(top_n=0), "top_n must"),
        (dict(temperature=-1), "temperature must"),
        (dict(top_p=2), "top_p must"),
        (dict(seed=-1), "seed must"),
        (dict(seed=2**32), "seed must be an integer, from 0 to 4294967295, not 4294967296"),
        (dict(n=2**63), "n must be an integer, from 1 to 100000"),
        (dict(n=True), "n must"),
        (dict(temperature="hot"), "temperature must be a number"),
        (dict(top_n=2.5), "top_n must be an integer"),
    ],
)
def test_bad_arguments_of_write(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.write(**options)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int32, np.uint64])
def test_numbers_of_numpy_are_arguments_of_write(model, kind):
    assert model.write("the ", kind(120), n=kind(2), seed=kind(3)) == model.write(
        "the ", 120, n=2, seed=3
    )


def test_ctrl_c_is_not_swallowed(model, monkeypatch):
    monkeypatch.setattr(NumpyLSTM, "draw", interrupted_at(None, 1))
    with pytest.raises(KeyboardInterrupt):
        model.write("the ", 10)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("python")
    text = overfitting_text(folder / "text")
    return train_model(
        text,
        folder / "run",
        quiet=True,
        **{
            **SMALL,
            "val_fraction": 0.25,
            "test_fraction": 0.1,
            "eval_every_n": 5,
            "print_every_n": 2,
            "epochs": 3,
            "learning_rate": 0.1,
            "keep_prob": 1,
        },
    )


def test_a_run_has_its_models_losses_and_history(run):
    assert len(run.losses) == 33 and run.losses.dtype == np.float32
    assert run.history["step"][-1] == 33 and len(run.history["val_loss"]) == len(
        run.history["step"]
    )
    assert np.isnan(run.history["val_loss"]).any() and np.isnan(run.history["loss"]).any()
    best = run.history["step"][np.nanargmin(run.history["val_loss"])]
    assert (
        best < 33
        and run.best.name.endswith(f"i{int(best)}_l5.ckpt")
        and run.model.name.endswith("i33_l5.ckpt")
    )
    assert run.stopped_by is None


def test_the_losses_of_a_run_are_those_of_its_best_model(run):
    """On the texts that are held out. Those of the newest model are others."""
    _, held_out, test = split(Path(run.folder, "text.txt").read_text(), 0.25, 0.1)
    found = [np.nanmin(run.history["val_loss"]), run.test_loss]
    best, newest = (
        [model.surprisal(text).mean() for text in (held_out, test)]
        for model in (run.best, run.model)
    )
    assert found == pytest.approx(best, abs=1e-4) and abs(best[0] - best[1]) > 0.01 < abs(
        newest[1] - best[1]
    )
    np.testing.assert_allclose(
        run.history["val_bits_per_character"], run.history["val_loss"] / np.log(2)
    )


def test_a_repr_is_a_line(run):
    for each in (
        run,
        run.model,
        run.model.vocabulary,
        Vocabulary.from_text("".join(map(chr, range(500)))),
    ):
        assert "\n" not in repr(each) and len(repr(each)) < 200
    assert len({run, run.model, run.model}) == 2  # they can be keys of a dict
    assert "33 steps" in repr(run) and "1 layer of 5 lstm units" in repr(run.model)


def test_messages_speak_python(run):
    with pytest.raises(
        ValueError,
        match="continue it with resume=True, or --resume; or name another checkpoint_dir$",
    ):
        train_model(TEXT, run.folder, quiet=True, **SMALL)


@pytest.mark.parametrize(
    "text",
    ["ab" * 1000 + "\n", "".join(map(chr, range(256))) + "\ud800" * 2000],
    ids=["word", "257 characters, with null and surrogate"],
)
def test_a_text_itself(tmp_path, text):
    run = train_model(
        text, tmp_path / "run", quiet=True, **{**SMALL, "learning_rate": 0.05, "epochs": 3}
    )
    assert run.model.surprisal(text[-90:]).mean() < 0.9 * np.log(len(set(text)))


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
        *((dict(threads=threads), ValueError, "threads") for threads in ("2", True, 0)),
        (dict(preset="fast"), ValueError, "preset"),
        (
            dict(lstm_sise=5),
            ValueError,
            "there is no hyperparameter lstm_sise: there are batch_size, ",
        ),
        (dict(lstm_size="5"), ValueError, "lstm_size"),
        (dict(lstm_size=0), ValueError, "lstm_size must be an integer, at least 1, not 0"),
        (dict(batch_size=5000), ValueError, r"\(batch_size x num_steps, [0-9,]+ characters\)"),
        (dict(checkpoint_dir=5), TypeError, "int"),
        (dict(checkpoint_dir=b"run"), TypeError, "bytes|type"),
    ],
)
def test_arguments_are_checked_before_anything_is_written(tmp_path, options, error, message):
    with pytest.raises(error, match=message) as caught:
        train_model(
            **{**SMALL, "text": TEXT, "quiet": True, "checkpoint_dir": tmp_path / "run", **options}
        )
    assert (
        "--" not in str(caught.value)
        and "\n" not in str(caught.value)
        and not (tmp_path / "run").exists()
    )


def test_numbers_of_numpy_are_numbers():
    """Which the record can hold."""
    given = dict(batch_size=np.int64(2), keep_prob=np.float32(0.5), fused=np.bool_(True))
    job = plan_job(Text("a text", TEXT), given, "run", Options(threads=np.int64(1)))
    assert json.dumps(record.record_of(job.record)) and type(job.threads) is int


class Tee:
    """Writes to two places, and has no other methods than it must."""

    def __init__(self):
        self.written = io.StringIO()
        self.write = self.written.write
        self.flush = self.written.flush


def test_substitutes_for_streams(tmp_path, monkeypatch):
    """One after the other, from the first line of a run to its last."""
    tee = Tee()
    closed = io.StringIO()
    closed.close()
    streams = {0: None, 6: closed, 12: tee}

    def replace_streams(training, step, *measured):
        for name in ("stdout", "stderr") if step in streams else ():
            monkeypatch.setattr(sys, name, streams[step])

    replace_streams(None, 0)
    monkeypatch.setattr("charrnn.train.Training.check_step", replace_streams)
    run = train_model(TEXT, tmp_path / "run", print_every_n=1, **SMALL)
    assert (tmp_path / "run" / "i17_l5.ckpt.json").exists() and len(run.losses) == 17
    assert (
        "step 11/" not in tee.written.getvalue()
        and "finished after step 17" in tee.written.getvalue()
    )


# One's own text, with the command


@pytest.mark.parametrize(
    "times, flags, note",
    [
        (20, [], "40 steps are few to learn from; the preset auto makes 1,840"),
        (20, ["--preset", "auto"], ""),
        (1, ["--preset", "auto", "--epochs", "1"], ""),
        (1, ["--batch-size", "5", "--num-steps", "15"], ""),
    ],
)  # for which auto makes no more
def test_few_steps_are_said(plan_only, tmp_path, capsys, times, flags, note):
    (tmp_path / "text").write_text(TEXT * times)
    assert train.main([str(tmp_path / "text"), "--dry-run", *flags]) == 0
    assert re.findall("note     (.*few to learn from.*)", capsys.readouterr().out) == [note] * bool(
        note
    )


def test_new_lines_need_a_text(exported):
    with pytest.raises(ValueError, match="no training text with it: name the text with new=PATH"):
        replace(open_model(exported), run=None).write_lines(4, new=True)


def test_a_prime_and_the_end_can_have_line_ends(exported, capsys):
    assert (
        sample.main(
            [
                str(exported),
                "--prime",
                "the\\n",
                "--stop",
                "\\n",
                "--length",
                "300",
                "--seed",
                "1",
                "--top-n",
                "14",
            ]
        )
        == 0
    )
    expected = open_model(exported).write("the\n", 300, stop="\n", seed=1, top_n=14)
    assert (
        capsys.readouterr().out == expected + "\n"
        and expected.endswith("\n")
        and len(expected) < 300
    )


def test_a_run_can_be_like_another(trained, text_file, tmp_path, planned):
    text_file.with_name("copy.json").write_bytes((trained / "run.json").read_bytes())
    for like in (trained, text_file.with_name("copy.json")):
        assert (
            train.main(
                [
                    str(text_file),
                    "--like",
                    str(like),
                    "--num-steps",
                    "100",
                    "--checkpoint-dir",
                    str(tmp_path / "run"),
                ]
            )
            == 0
        )
    expected = replace(record.read_run(trained).hyperparameters, num_steps=100)
    assert [job.hyperparameters for job in planned] == [expected] * 2


def test_a_run_takes_the_folder_after_one_that_was_killed_when_it_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find.run_folder(None, False) == "checkpoints"
    reserve("checkpoints").close()
    (tmp_path / "checkpoints" / "text.txt").write_text("its text")
    assert find.run_folder(None, False) == "checkpoints/2"


def test_a_folder_is_looked_at_again_under_its_lock(tmp_path, monkeypatch):
    """Another process trained in it between the look and the lock."""
    usual = files.lock

    def late(path):
        (tmp_path / "run" / "run.json").write_text("{}")
        return usual(path)

    monkeypatch.setattr(files, "lock", late)
    with pytest.raises(record.CheckpointError, match="holds another run"):
        train_model(TEXT, tmp_path / "run", quiet=True, **SMALL)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", "run.json"]
