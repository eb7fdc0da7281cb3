"""The notebook's pick_top_n and sample, and the script charrnn-sample."""
import dataclasses
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import CHARS, TEXT, copy_without_records, interrupted_at, make_network, process_environment, texts_of

import charrnn
from charrnn import sample as sampling
from charrnn.data import Vocabulary
from charrnn.engines.decoding import Settings
from charrnn.engines.graph import GraphEngine
from charrnn.engines.loading import load_engine, open_model
from charrnn.engines.model import write_npz
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import CHUNK
from charrnn.engines.surprisal import surprisal
from charrnn.sample import pick_top_n, sample
from charrnn.text.novelty import Reference


@pytest.fixture
def without_run_file(trained, tmp_path):
    """A copy of the run as the notebook would have left it, without run.json."""
    return copy_without_records(trained, tmp_path / "bare")


@pytest.fixture
def script(capsys):
    """A function that runs the script and returns what it prints on standard output and standard error."""
    def run(model, *arguments, status=0):
        capsys.readouterr()
        assert sampling.main([str(model), *map(str, arguments)]) == status
        return capsys.readouterr()
    return run


# ---- the notebook's functions -----------------------------------------------------------------------------

def test_pick_top_n_draws_only_from_the_top():
    preds = np.array([[0.1, 0.3, 0.05, 0.35, 0.2]], np.float32)
    random = np.random.RandomState(0)
    drawn = [pick_top_n(preds, 5, top_n=2, rng=random) for _ in range(2000)]
    assert set(drawn) == {1, 3}
    assert np.mean(np.array(drawn) == 3) == pytest.approx(0.35 / 0.65, abs=0.04)
    assert {pick_top_n(preds, 5, top_n=5) for _ in range(500)} == {0, 1, 2, 3, 4}
    assert pick_top_n(preds, 5, top_n=1) == 3


def test_pick_top_n_does_not_change_its_argument():
    preds = np.array([[0.5, 0.3, 0.2]], np.float32)
    pick_top_n(preds, 3, top_n=1)
    assert preds.tolist() == np.array([[0.5, 0.3, 0.2]], np.float32).tolist()


@pytest.mark.parametrize("top_n", [0, -1])
def test_pick_top_n_needs_a_character_to_draw_from(top_n):
    with pytest.raises(ValueError, match="top_n must be at least 1"):
        pick_top_n(np.ones(3) / 3, 3, top_n)


def test_draws_equal_the_notebooks(notebook):
    random = np.random.RandomState(1)
    for top_n in (1, 2, 5, 9):
        preds = random.dirichlet(np.ones(9), 1).astype(np.float32)
        np.random.seed(4)
        expected = [notebook.pick_top_n(preds.copy(), 9, top_n) for _ in range(50)]
        np.random.seed(4)
        assert [pick_top_n(preds, 9, top_n) for _ in range(50)] == expected


def test_text_equals_the_notebooks(notebook, trained):
    """The same 300 characters from the same NumPy seed."""
    prefix = str(trained / "i173_l5.ckpt")
    notebook.scope.update(vocab_to_int={char: index for index, char in enumerate(CHARS)},
                          int_to_vocab=dict(enumerate(CHARS)))
    np.random.seed(8)
    expected = notebook.sample(prefix, 300, 5, len(CHARS), prime="the ")
    np.random.seed(8)
    text = sample(prefix, 300, 5, len(CHARS), prime="the ")
    assert text == expected
    assert len(text) == len("the ") + 301 and text.startswith("the ")


def test_a_checkpoint_without_run_file(without_run_file):
    with pytest.raises(ValueError, match="--vocab-from"):
        sample(without_run_file, 3, prime="the")
    assert sample(without_run_file, 3, prime="the", vocabulary=Vocabulary(CHARS)).startswith("the")


@pytest.mark.parametrize("arguments, message", [
    ({"prime": ""}, "prime is empty"),
    ({"prime": "the Queen \u00e9"}, "'Q'.*'u'.*'\u00e9'"),
    ({"n_samples": -1}, "n_samples"),
    ({"top_n": 0}, "top_n"),
    ({"lstm_size": 6}, "lstm_size is 6, but .* has 5"),
    ({"vocab_size": 83}, "vocab_size is 83, but .* has 14")])
def test_bad_arguments_of_sample_are_an_error(trained, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(trained, **dict({"n_samples": 3, "prime": "the"}, **arguments))


def test_the_package_has_the_functions(trained):
    """charrnn.sample is the module, and calling it calls its function."""
    assert charrnn.pick_top_n is pick_top_n and charrnn.sample is sampling
    np.random.seed(3)
    expected = sample(trained, 5, prime="the ")
    np.random.seed(3)
    assert charrnn.sample(trained, n_samples=5, prime="the ") == expected


@pytest.mark.parametrize("code", [
    "import charrnn; charrnn.sample.main, charrnn.sample.__call__, charrnn.pick_top_n",
    "from charrnn import sample, pick_top_n; sample.main, sample.__call__"])
def test_the_functions_can_be_imported_from_the_package(code):
    assert subprocess.run([sys.executable, "-c", code], env=process_environment(), timeout=600).returncode == 0


# ---- the texts of the script ------------------------------------------------------------------------------

def test_both_engines_write_the_text_of_the_notebooks_loop(trained, exported, script):
    texts = {script(model, "--prime", "the ", "--length", "30", "--seed", "3") for model in (trained, exported)}
    (out, err), = texts
    np.random.seed(3)
    assert err == "" and out == sample(trained, 29, prime="the ") + "\n" and len(out) == 4 + 30 + 1


@pytest.mark.parametrize("options, settings", [
    (["--temperature", "0.5"], Settings(0.5)), (["--top-n", "3"], Settings(top_n=3)),
    (["--top-p", "0.8"], Settings(1, 14, 0.8)), (["--top-p", "0.8", "--top-n", "4"], Settings(1, 4, 0.8)),
    (["--temperature", "2", "--top-n", "9", "--top-p", "0.9"], Settings(2, 9, 0.9)),
    (["--greedy"], Settings(top_n=1)), ([], Settings())])
def test_flags_choose_the_settings(exported, script, options, settings):
    seed = [] if "--greedy" in options else ["--seed", "5"]
    expected, = texts_of(load_engine(open_model(exported)), "on ", 80, settings, seed=5)
    assert script(exported, "--prime", "on ", "--length", "80", *seed, *options) == ("on " + expected + "\n", "")


def test_a_new_seed_is_printed_and_gives_the_same_text_again(exported, script):
    seeds = set()
    for _ in range(3):
        out, err = script(exported, "--length", "60")
        seed = re.fullmatch(r"seed (\d+)\n", err).group(1)
        assert script(exported, "--length", "60", "--seed", seed) == (out, "")
        seeds.add(seed)
    assert len(seeds) == 3


def test_several_texts_have_the_next_seeds_and_a_line_between_them(exported, script):
    arguments = [exported, "--prime", "the ", "--length", "30", "--seed"]
    alone = [script(*arguments, seed).out for seed in (3, 4, 5)]
    assert script(*arguments, 3, "--num-samples", "3") == (("-" * 70 + "\n").join(alone), "")


def test_the_seed_0_follows_the_last(exported, script):
    two = script(exported, "--length", "30", "--seed", 2 ** 32 - 1, "--num-samples", "2").out
    assert two.split("-" * 70 + "\n")[1] == script(exported, "--length", "30", "--seed", 0).out


def test_a_stop_that_the_model_never_writes_is_noted(exported, script):
    assert script(exported, "--length", "5", "--seed", "1", "--stop", "the#\\n").err == (
        "--stop never ends a text: the model does not know '#', '\\\\'\n")


def test_a_text_ends_after_a_string_or_lines(exported, script):
    arguments = [exported, "--prime", "the ", "--length", "400", "--seed", "2", "--top-n", "14"]
    text = script(*arguments).out
    assert script(*arguments, "--lines", "2").out == "".join(text.splitlines(True)[:2]) + "\n"
    assert script(*arguments, "--stop", text[60:64]).out == text[:text.index(text[60:64], 4) + 4] + "\n"


def test_a_file_with_the_name_of_a_known_text_is_a_prime(exported, tmp_path, script, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anna").write_text("the cat")
    assert script(exported, "--prime-file", "anna", "--length", "5", "--seed", "1").out.startswith("the cat")


def test_the_prime_comes_from_a_file_or_standard_input(exported, tmp_path, script, monkeypatch):
    arguments = [exported, "--length", "40", "--seed", "2"]
    expected = script(*arguments, "--prime", "the\nhat sat ")
    (tmp_path / "prime").write_bytes(b"the\r\nhat sat ")
    assert script(*arguments, "--prime-file", tmp_path / "prime") == expected
    content = io.BytesIO(b"\xef\xbb\xbfthe\r\nhat sat ")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content, encoding="ascii"))
    assert script(*arguments, "--prime-file", "-") == expected


def test_a_dash_is_a_prime_like_any_other(exported, script):
    """Only --prime-file reads standard input."""
    assert "'-' (line 1, column 1)" in script(exported, "--prime", "-", status=2).err


def test_unknown_characters_of_the_prime(exported, script):
    arguments = [exported, "--length", "40", "--seed", "2", "--prime"]
    for how, prime in (("skip", "th "), ("nearest", "the ")):
        expected = script(*arguments, prime).out
        out, err = script(*arguments, "th\u00e9 ", "--unknown", how)
        assert out == expected and err.count("\n") == 1 and "'\u00e9'" in err


def test_the_vocabulary_of_a_notebooks_checkpoint_comes_from_a_text(without_run_file, text_file, script):
    assert len(script(without_run_file, "--vocab-from", text_file, "--length", "5").out) == len("the ") + 5 + 1


# ---- the output of the script -----------------------------------------------------------------------------

def test_output_goes_to_a_file(exported, tmp_path, script):
    arguments = [exported, "--length", "60", "--seed", "2"]
    expected = script(*arguments).out
    path = tmp_path / "out.txt"
    path.write_text("an older and longer text" * 9, encoding="utf-8")
    assert script(*arguments, "--output", path) == ("", "")
    assert path.read_bytes() == expected.encode()


def test_json_has_texts_seeds_settings_and_log_probabilities(exported, script):
    """The log-probabilities are those that the engine measures for the text."""
    arguments = [exported, "--prime", "the ", "--length", "70", "--seed", "2", "--num-samples", "3", "--stop", "e",
                 "--top-p", "0.9"]
    out, err = script(*arguments, "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    samples = found.pop("samples")
    assert err == ""
    assert found == {"model": str(exported), "prime": "the ", "temperature": 1.0, "top_n": 14, "top_p": 0.9}
    assert [each["text"] for each in samples] == script(*arguments).out[:-1].split("\n" + "-" * 70 + "\n")
    engine = load_engine(open_model(exported))
    for seed, each in enumerate(samples, 2):
        assert sorted(each) == ["log_probabilities", "seed", "text"] and each["seed"] == seed
        nats = surprisal(engine, engine.vocabulary.encode(each["text"]))
        assert each["log_probabilities"] == pytest.approx(-nats[3:], abs=1e-5)


def test_json_of_one_text_in_a_file(exported, tmp_path, script):
    path = tmp_path / "out.json"
    assert script(exported, "--greedy", "--length", "5", "--json", "--output", path) == ("", "")
    assert len(json.loads(path.read_text(encoding="utf-8"))["samples"][0]["log_probabilities"]) == 5


def test_novelty_is_a_line_after_the_texts(exported, script):
    """For each of them, without the prime, compared with the text that the model names."""
    arguments = [exported, "--prime", "the ", "--length", "90", "--seed", "2"]
    text = script(*arguments).out[:-1]
    found = Reference(TEXT).novelty(text[4:])
    copied = text[4:][found.start:found.start + found.longest]
    line = (f"novelty: the longest run copied from the training text has {found.longest} characters ({copied!r}, at "
            f"character {found.place:,}); {found.share:.1%} of the 20-character windows are copied\n")
    assert script(*arguments, "--novelty") == (text + "\n" + line, "")
    out = script(*arguments, "--novelty", "--num-samples", "2").out
    assert len(re.findall("^novelty: ", out, re.MULTILINE)) == 2 and line in out


def test_json_has_the_novelty(exported, tmp_path, script):
    (tmp_path / "train.txt").write_text(TEXT[:300], encoding="utf-8")
    each, = json.loads(script(exported, "--prime", "the ", "--length", "50", "--seed", "2", "--json", "--novelty",
                              "--train-text", tmp_path / "train.txt").out)["samples"]
    assert each["novelty"] == dataclasses.asdict(Reference(TEXT[:300]).novelty(each["text"][4:]))


@pytest.mark.parametrize("options", [[], ["--json"], ["--num-samples", "3"], ["--output", "FILE"]])
def test_ctrl_c_writes_what_was_made(exported, tmp_path, monkeypatch, script, options):
    options = [tmp_path / "out" if each == "FILE" else each for each in options]
    arguments = [exported, "--prime", "the ", "--seed", "2", *options, "--length"]
    expected = script(*arguments, 2 * CHUNK).out or (tmp_path / "out").read_text(encoding="utf-8")
    monkeypatch.setattr(NumpyLSTM, "draw", interrupted_at(NumpyLSTM.draw, 3))
    out, err = script(*arguments, "1000", status=130)
    written = f"; {tmp_path / 'out'} has the text so far" if "--output" in options else ""
    assert err == f"charrnn-sample: interrupted{written}\n"
    assert (out or (tmp_path / "out").read_text(encoding="utf-8")) == expected


def test_ctrl_c_stops_the_graph_too(trained, monkeypatch, script):
    monkeypatch.setattr(GraphEngine, "draw", interrupted_at(GraphEngine.draw, 3))
    out, err = script(trained, "--prime", "the ", "--seed", "2", "--num-samples", "4", "--length", "5000", status=130)
    texts = out.split("-" * 70 + "\n")
    assert [len(text) for text in texts] == [4 + 2 * CHUNK + 1] * 4 and err == "charrnn-sample: interrupted\n"


# ---- errors -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, message", [
    (["--prime", ""], "prime is empty"),
    (["--prime", "Zo\u00eb"], "'Z' (line 1, column 1), '\u00eb' (line 1, column 3)"),
    (["--prime-file", "missing.txt"], "missing.txt"), (["--prime-file", ""], "cannot read the text ''"),
    (["--unknown", "guess"], "guess"),
    (["--length", "0"], "--length must be at least 1, not 0"),
    (["--lines", "0"], "--lines must be at least 1, not 0"),
    (["--num-samples", "0"], "--num-samples must be at least 1, not 0"),
    (["--stop", ""], "--stop needs at least one character"),
    (["--temperature", "0"], "--temperature must be"),
    (["--temperature", "warm"], "--temperature"),
    (["--top-n", "0"], "--top-n must be at least 1"),
    (["--top-p", "1.1"], "--top-p must be"),
    (["--seed", "-1"], "--seed"),
    (["--seed", "4294967296"], "--seed"),
    (["--novelty", "--train-text", "missing.txt"], "missing.txt"),
    (["--output", "nowhere/x", "--seed", "1"], "nowhere/x: there is no folder "),
    (["--output", ""], "the name of the file to write is empty"),
    (["--output", "x", "--length", "1" + 15 * "0", "--seed", "1"], "reduce --num-samples or --length"),
    (["--output", "/dev/null"], "/dev/null: it is a device or socket, not a file"),
    (["--num-samples", "10000000000", "--seed", "1"], "reduce --num-samples or --length"),
    (["--best"], "no best checkpoint"),
    (["--vocab-from", "missing.txt"], "missing.txt"),
    (["--max-copy", "9"], "unrecognized arguments")])
def test_bad_arguments_are_one_line(trained, script, arguments, message):
    out, err = script(trained, *arguments, status=2)
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-sample: error: ") and message in err


@pytest.mark.parametrize("arguments", [
    ["--greedy", "--temperature", "1"], ["--greedy", "--top-n", "1"], ["--greedy", "--top-p", "1"],
    ["--prime", "", "--prime-file", "x"], ["--interactive", "--json"],
    ["--interactive", "--output", "x"], ["--interactive", "--num-samples", "2"], ["--interactive", "--novelty"],
    ["--interactive", "--prime", "the"], ["--interactive", "--prime-file", "x"], ["--interactive", "--stop", "x"],
    ["--interactive", "--lines", "1"]])
def test_flags_that_cannot_be_combined(trained, script, arguments):
    out, err = script(trained, *arguments, status=2)
    names = [each for each in arguments if each.startswith("--")]
    assert (out, err) == ("", f"charrnn-sample: error: {names[0]} and {names[1]} cannot be combined\n")


def test_flags_with_their_default_can_be_combined(trained, exported, monkeypatch, script):
    monkeypatch.setattr(sys, "stdin", io.StringIO("/quit\n"))
    assert script(exported, "--interactive", "--num-samples", "1") == ("", "")


@pytest.mark.parametrize("suffix, damage", [(".index", "missing"), (".data-00000-of-00001", "flipped")] + [
    pytest.param(suffix, damage, marks=pytest.mark.slow) for suffix in (".index", ".data-00000-of-00001")
    for damage in ("missing", "empty", "half", "flipped") if (suffix == ".index") is not (damage == "missing")])
def test_a_damaged_checkpoint_is_skipped_or_an_error(trained, tmp_path, script, suffix, damage):
    """Skipped for the folder of the run, which has another one, and an error where it is named."""
    shutil.copytree(str(trained), str(tmp_path / "run"))
    path = tmp_path / "run" / ("i173_l5.ckpt" + suffix)
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage != "missing":
        half = bytes(content[:len(content) // 2])
        content[::50] = bytes(byte ^ 0x55 for byte in content[::50])  # in every tensor of this small network
        path.write_bytes({"empty": b"", "half": half, "flipped": bytes(content)}[damage])
    out, err = script(tmp_path / "run", "--prime", "the ", "--length", "3", "--seed", "1")
    assert re.fullmatch(r"skipped: .*i173_l5\.ckpt .*\n", err), err
    assert out == script(trained / "i100_l5.ckpt", "--prime", "the ", "--length", "3", "--seed", "1").out
    out, err = script(tmp_path / "run" / "i173_l5.ckpt", "--length", "3", status=2)
    assert out == "" and re.fullmatch(r"charrnn-sample: error: .*i173_l5\.ckpt .*\n", err)


def test_a_run_with_damaged_checkpoints_only_is_an_error(trained, tmp_path, script):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    for path in (tmp_path / "run").glob("*.data-*"):
        path.write_bytes(b"")
    out, err = script(tmp_path / "run", "--length", "3", status=2)
    assert out == "" and err.count("\n") == 1 and "i100_l5.ckpt" in err and "i173_l5.ckpt" in err


# ---- as a process -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", ["exported", pytest.param("trained", marks=pytest.mark.slow)])
def test_a_process_is_quiet_and_ends_with_its_reader(request, model):
    command = [sys.executable, "-m", "charrnn.sample", str(request.getfixturevalue(model)), "--prime", "the ",
               "--seed", "1", "--length"]
    done = subprocess.run([*command, "20"], capture_output=True, timeout=600, env=process_environment())
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) == 25
    with subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=process_environment()) as process:
        assert process.stdout.read(10).startswith(b"the ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(120) == 141


@pytest.mark.parametrize("variables", [
    {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
    pytest.param({"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}, marks=pytest.mark.slow)])
def test_a_process_writes_utf_8_in_any_locale(tmp_path, variables):
    characters = "\xe9\u20ac"
    write_npz(make_network(tmp_path, characters, 3, 1), tmp_path / "m.npz")
    done = subprocess.run([sys.executable, "-m", "charrnn.sample", "m.npz", "--length", "60", "--seed", "1"],
                          cwd=str(tmp_path), env=process_environment(**variables), capture_output=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, b"")
    assert set(done.stdout.decode("utf-8")) == set(characters + "\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
@pytest.mark.parametrize("options", [
    ["--prime-file", "-"], ["--interactive"], pytest.param(["--json"], marks=pytest.mark.slow)])
def test_a_process_without_standard_input_or_output(exported, closed, options):
    """It prints at most a line on standard error, and no traceback."""
    command = 'exec "$0" -m charrnn.sample "$@" ' + closed
    done = subprocess.run(["sh", "-c", command, sys.executable, str(exported), "--seed", "1", "--length", "9",
                           *options], input=b"the ", capture_output=True, timeout=600, env=process_environment())
    assert done.returncode in (0, 2) and done.stderr.count(b"\n") <= 1, done.stderr


PRIME_OF_A_MILLION = """
import sys
from charrnn import sample
from charrnn.system import machine
sample.main([sys.argv[1], "--prime-file", "small", "--length", "5", "--seed", "1", "--output", "out"])
before = machine.peak_memory()
assert sample.main([sys.argv[1], "--prime-file", "large", "--length", "5", "--seed", "1", "--output", "out"]) == 0
print(before, "->", machine.peak_memory())
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_prime_of_a_million_characters(exported, tmp_path):
    """It takes a few times the memory of its text, and all of it is read."""
    text = (TEXT * 1000)[:1000000]
    (tmp_path / "large").write_text(text, encoding="utf-8")
    (tmp_path / "small").write_text(text[:10], encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", PRIME_OF_A_MILLION, str(exported)], cwd=str(tmp_path), timeout=880,
                          env=process_environment(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    before, after = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) MB", done.stdout.decode())]
    assert after - before < 60
    out = (tmp_path / "out").read_text(encoding="utf-8")
    assert out.startswith(text) and len(out) == 1000000 + 5 + 1


@pytest.fixture
def controlling(tmp_path):
    """An exported model whose vocabulary has characters that control a terminal."""
    write_npz(make_network(tmp_path, "\n\x1b2J[\x9b", 3, 1), tmp_path / "controlling.npz")
    return str(tmp_path / "controlling.npz")


@pytest.mark.parametrize("options", [[], ["--num-samples", "2"], ["--interactive"]], ids=lambda options: str(options))
def test_a_text_does_nothing_to_the_terminal_and_is_piped_as_it_is(controlling, capsys, monkeypatch, options):
    argv = [controlling, "--length", "70", "--seed", "3", "--top-n", "6", *options]
    argv += [] if options == ["--interactive"] else ["--prime", "\x1b[2J"]

    def text():
        monkeypatch.setattr("sys.stdin", io.StringIO("\x1b[2J\n"))
        assert sampling.main(argv) == 0
        return capsys.readouterr().out
    piped = text()
    assert "\x1b[2J" in piped and "\x9b" in piped
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert text() == piped.replace("\x1b", "^[").replace("\x9b", "\\x9b")
