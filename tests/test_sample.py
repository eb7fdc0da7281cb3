"""Drawing characters, and the script that does."""
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import TEXT, graph_probabilities, interrupted_at, make_network, process_environment

from charrnn import sample as sampling
from charrnn.checkpoints import open_checkpoint
from charrnn.data import Vocabulary
from charrnn.engines import graph
from charrnn.engines.decoding import Settings
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import CHUNK, Sampler, default_prime
from charrnn.export import export_npz
from charrnn.sample import pick_top_n, sample
from charrnn.text.novelty import Reference

CHARS = "\n ,.acdehmnost"  # the vocabulary of the trained run


@pytest.fixture
def without_run_file(trained, tmp_path):
    """A copy of the run as the notebook would have left it: checkpoints, and nothing that explains them."""
    folder = tmp_path / "bare"
    shutil.copytree(str(trained), str(folder))
    (folder / "run.json").unlink()
    return folder


def test_pick_top_n_draws_only_from_the_top():
    preds = np.array([[0.1, 0.3, 0.05, 0.35, 0.2]], np.float32)
    random = np.random.RandomState(0)
    drawn = [pick_top_n(preds, 5, top_n=2, rng=random) for _ in range(2000)]
    assert set(drawn) == {1, 3}
    assert np.mean(np.array(drawn) == 3) == pytest.approx(0.35 / 0.65, abs=0.04)
    assert {pick_top_n(preds, 5, top_n=5) for _ in range(500)} == {0, 1, 2, 3, 4}
    assert pick_top_n(preds, 5, top_n=1) == 3


def test_pick_top_n_leaves_its_argument_alone():
    preds = np.array([[0.5, 0.3, 0.2]], np.float32)
    pick_top_n(preds, 3, top_n=1)
    assert preds.tolist() == np.array([[0.5, 0.3, 0.2]], np.float32).tolist()


@pytest.mark.parametrize("top_n", [0, -1])
def test_pick_top_n_refuses_nothing_to_draw_from(top_n):
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
    """The same characters from the same NumPy seed, 300 of them."""
    prefix = str(trained / "i173_l5.ckpt")
    notebook.scope.update(vocab_to_int={char: index for index, char in enumerate(CHARS)},
                          int_to_vocab=dict(enumerate(CHARS)))
    np.random.seed(8)
    expected = notebook.sample(prefix, 300, 5, len(CHARS), prime="the ")
    np.random.seed(8)
    text = sample(prefix, 300, 5, len(CHARS), prime="the ")
    assert text == expected
    assert len(text) == len("the ") + 301 and text.startswith("the ")


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A checkpoint with large weights, so that its distributions differ from place to place."""
    return make_network(tmp_path_factory.mktemp("untrained"), CHARS, 7, 3, gain=1.2)


@pytest.fixture(scope="module")
def engines(untrained, tmp_path_factory):
    """A function that returns a sampler of that network in each engine, for so many texts."""
    path, made = tmp_path_factory.mktemp("engines") / "m.npz", {}
    export_npz(untrained, path)

    def give(count=1):
        if count not in made:
            made[count] = [Sampler(untrained, count, nucleus=True), Sampler(NumpyLSTM(path), count)]
        return made[count]

    yield give
    for samplers in made.values():
        for sampler in samplers:
            sampler.close()


def generate(sampler, prime, length, **options):
    return ["".join(pieces) for pieces in zip(*sampler.generate(prime, length, **options))]


@pytest.mark.parametrize("top_n", [pytest.param(1, marks=pytest.mark.slow), 5, 99])
def test_the_loop_in_the_graph_writes_the_characters_of_the_loop_outside(untrained, top_n):
    """Across chunks, for one text and for several, each from a seed of its own."""
    length = CHUNK + 30
    expected = []
    for seed in (4, 5):
        np.random.seed(seed)
        expected.append(sample(untrained.prefix, length - 1, prime="the cat", top_n=top_n,
                               vocabulary=untrained.vocabulary)[len("the cat"):])
    for count in (1, 2):
        sampler = Sampler(untrained, count)
        rngs = [np.random.RandomState(seed) for seed in (4, 5)[:count]]
        assert generate(sampler, "the cat", length, top_n=top_n, rngs=rngs) == expected[:count]
        sampler.close()


@pytest.mark.parametrize("settings", [
    Settings(), Settings(top_n=1), Settings(0.5, 14), Settings(1.8, 3), Settings(1.0, 14, 0.7), Settings(0.7, 6, 0.9),
    Settings(1.5, 99, 0.4)])
def test_both_engines_write_the_text_that_the_settings_say(untrained, engines, settings):
    """Drawn by hand from the graph's probabilities for the text so far, as it is documented."""
    texts, length = [], 130
    for count in (1, 3):
        for sampler in engines(count):
            rngs = [np.random.RandomState(seed) for seed in (4, 5, 6)[:count]]
            texts.append(generate(sampler, "the cat", length, top_n=settings.top_n, top_p=settings.top_p,
                                  temperature=settings.temperature, rngs=rngs))
    assert texts[0] == texts[1] and texts[2] == texts[3] and texts[0][0] == texts[2][0]
    assert [len(text) for text in texts[2]] == [length] * 3
    ids = np.stack([untrained.vocabulary.encode("the cat" + text) for text in texts[2]])
    probabilities = graph_probabilities(untrained, ids[:, :-1], 50)[:, len("the cat") - 1:]  # [B, T, C]
    for row, seed in enumerate((4, 5, 6)):
        uniforms = np.random.RandomState(seed).random_sample(length)
        for p, uniform, char in zip(probabilities[row].astype(np.float64), uniforms, texts[2][row]):
            p = p ** (1 / settings.temperature)
            order = np.argsort(-p)[:settings.top_n]
            shares = np.cumsum(p[order]) / p[order].sum()
            order = order[:1 + np.sum(shares < settings.top_p)] if settings.top_p < 1 else order
            kept = np.where(np.isin(np.arange(len(p)), order), p, 0)
            edges = np.cumsum(kept) / kept.sum()
            assert char == CHARS[np.searchsorted(edges, uniform, side="right")]


@pytest.mark.parametrize("settings", [Settings(), Settings(0.5, 3, 0.9)])
@pytest.mark.parametrize("count", [1, 3])
def test_log_probabilities_are_the_networks_own(untrained, engines, count, settings):
    """Before temperature and cuts, for each character of each text."""
    for sampler in engines(count):
        rngs = [np.random.RandomState(seed) for seed in range(count)]
        pieces = list(sampler.generate_scored("the ", 120, settings, rngs))
        texts = ["".join(row) for row in zip(*[texts for texts, _ in pieces])]
        found = np.concatenate([each for _, each in pieces])  # [T, B]
        ids = np.stack([untrained.vocabulary.encode("the " + text) for text in texts])
        expected = np.log(graph_probabilities(untrained, ids[:, :-1], 50)[:, 3:])
        assert found.shape == (120, count)
        assert found.T == pytest.approx(np.take_along_axis(expected, ids[:, 4:, np.newaxis], 2)[..., 0], abs=1e-5)


def test_top_p_needs_a_graph_that_was_built_for_it(untrained):
    sampler = Sampler(untrained)
    with pytest.raises(ValueError, match="nucleus"):
        generate(sampler, "the", 3, top_p=0.5)
    sampler.close()


def test_the_prime_is_read_in_parts(untrained, monkeypatch):
    """A prime longer than one part leads to the same text, and the state is carried from part to part."""
    prime = "the cat sat on the mat"
    sampler = Sampler(untrained)
    whole = generate(sampler, prime, 40, rngs=[np.random.RandomState(1)])
    monkeypatch.setattr(graph, "PRIME_CHUNK", 5)
    assert generate(sampler, prime, 40, rngs=[np.random.RandomState(1)]) == whole
    sampler.close()


def test_going_on_after_what_was_drawn(untrained):
    """Continuing after a prime equals feeding the prime and the text that was drawn so far."""
    sampler = Sampler(untrained)
    whole, = generate(sampler, "the ", 40, top_n=1)
    assert generate(sampler, "the " + whole[:15], 25, top_n=1) == [whole[15:]]
    assert generate(sampler, "the ", 0) == []
    sampler.close()


def test_a_checkpoint_without_run_file(without_run_file):
    with pytest.raises(ValueError, match="--vocab-from"):
        sample(without_run_file, 3, prime="the")
    assert sample(without_run_file, 3, prime="the", vocabulary=Vocabulary(CHARS)).startswith("the")


@pytest.mark.parametrize("arguments, message", [
    ({"prime": ""}, "prime is empty"),
    ({"prime": "the Queen é"}, "never saw: 'Q', 'u', 'é'"),
    ({"n_samples": -1}, "n_samples"),
    ({"top_n": 0}, "top_n"),
    ({"lstm_size": 6}, "lstm_size is 6, but .* has 5"),
    ({"vocab_size": 83}, "vocab_size is 83, but .* has 14")])
def test_sample_refuses(trained, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(trained, **dict({"n_samples": 3, "prime": "the"}, **arguments))


def test_script(trained, exported, capsys):
    texts = []
    for model in (trained, exported):
        assert sampling.main([str(model), "--prime", "the ", "--length", "30", "--seed", "3"]) == 0
        out, err = capsys.readouterr()
        assert err == "" and out.startswith("the ") and len(out) == 4 + 30 + 1
        texts.append(out)
    assert texts[0] == texts[1]
    np.random.seed(3)
    assert sample(trained, 29, prime="the ") + "\n" == texts[0]


def test_several_samples(exported, capsys):
    """Each is the text of its own seed, and a line stands between them."""
    arguments = [str(exported), "--prime", "the ", "--length", "30"]
    alone = []
    for seed in ("3", "4", "5"):
        assert sampling.main([*arguments, "--seed", seed]) == 0
        alone.append(capsys.readouterr().out)
    assert sampling.main([*arguments, "--seed", "3", "--num-samples", "3"]) == 0
    assert capsys.readouterr().out == ("-" * 70 + "\n").join(alone)


def script(capsys, model, *arguments, status=0):
    """Run the script; return what it writes and what it says."""
    assert sampling.main([str(model), *arguments]) == status
    return capsys.readouterr()


def test_greedy_and_top_n_of_the_script(exported, capsys):
    """The most probable character leaves nothing to the seed."""
    texts = {script(capsys, exported, "--prime", "the ", *options) for options in (
        ["--seed", "1", "--top-n", "1"], ["--seed", "2", "--top-n", "1"], ["--greedy"])}
    (out, err), = texts
    assert len(out) == 4 + 1000 + 1 and err == ""


@pytest.mark.parametrize("options, settings", [
    (["--temperature", "0.5"], Settings(0.5)), (["--top-n", "3"], Settings(top_n=3)),
    (["--top-p", "0.8"], Settings(1, 14, 0.8)), (["--top-p", "0.8", "--top-n", "4"], Settings(1, 4, 0.8)),
    (["--temperature", "2", "--top-n", "9", "--top-p", "0.9"], Settings(2, 9, 0.9)), (["--greedy"], Settings(top_n=1))])
def test_settings_of_the_script(exported, capsys, options, settings):
    seed = [] if "--greedy" in options else ["--seed", "5"]
    out, _ = script(capsys, exported, "--prime", "on ", "--length", "80", *seed, *options)
    sampler = Sampler(NumpyLSTM(exported))
    expected, = generate(sampler, "on ", 80, rngs=[np.random.RandomState(5)], **settings._asdict())
    assert out == "on " + expected + "\n"


def test_a_seed_that_was_chosen_is_said_and_gives_the_same_text_again(exported, capsys):
    outs = set()
    for _ in range(3):
        out, err = script(capsys, exported, "--length", "60")
        seed = re.fullmatch(r"seed (\d+)\n", err).group(1)
        assert script(capsys, exported, "--length", "60", "--seed", seed) == (out, "")
        outs.add(seed)
    assert len(outs) == 3


def test_it_ends_after_a_string(exported, capsys):
    """Wherever that comes in the text: also across the end of what is drawn at once, of which all is shown before."""
    arguments = ["--prime", "the ", "--length", "170", "--seed", "8", "--top-n", "14"]
    text = script(capsys, exported, *arguments)[0][4:-1]
    tried = 0
    for start in [0, 1, 30, 47, 48, 49, 50, 51, 97, 99, 100, 149, 165]:
        for width in (1, 2, 4, 5):
            stop = text[start:start + width]
            end = text.index(stop) + width
            out, err = script(capsys, exported, *arguments, "--stop", stop)
            assert (out, err) == ("the " + text[:end] + "\n", "")
            tried += (end - width) // CHUNK != (end - 1) // CHUNK
    assert tried >= 5
    assert script(capsys, exported, *arguments, "--stop", "hat hat hat cat")[0] == "the " + text + "\n"


def test_each_of_several_samples_ends_for_itself(exported, capsys):
    arguments = ["--prime", "the ", "--length", "120", "--stop", "at"]
    alone = [script(capsys, exported, *arguments, "--seed", seed)[0] for seed in ("3", "4", "5")]
    assert len(set(map(len, alone))) > 1
    out, _ = script(capsys, exported, *arguments, "--seed", "3", "--num-samples", "3")
    assert out == ("-" * 70 + "\n").join(alone)


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_it_ends_after_lines(exported, capsys, lines):
    arguments = ["--prime", "the ", "--length", "400", "--seed", "2", "--top-n", "14"]
    text = script(capsys, exported, *arguments)[0]
    assert text.count("\n") > 4
    out, _ = script(capsys, exported, *arguments, "--lines", str(lines))
    assert out == "".join(text.splitlines(True)[:lines]) + "\n"
    both, _ = script(capsys, exported, *arguments, "--lines", str(lines), "--stop", text[4:6])
    assert both == text[:6] + "\n"


def test_output_goes_to_a_file(exported, tmp_path, capsys):
    arguments = ["--length", "60", "--seed", "2"]
    expected, _ = script(capsys, exported, *arguments)
    path = tmp_path / "out.txt"
    path.write_text("old and longer than what will be there" * 9, encoding="utf-8")
    assert script(capsys, exported, *arguments, "--output", str(path)) == ("", "")
    assert path.read_bytes() == expected.encode()


def test_json_has_all(untrained, exported, tmp_path, capsys):
    """Texts, seeds, settings and log-probabilities, which are the network's own, and what was copied."""
    (tmp_path / "train.txt").write_text(TEXT, encoding="utf-8")
    arguments = ["--prime", "the ", "--length", "70", "--seed", "2", "--num-samples", "3", "--stop", "e",
                 "--top-p", "0.9"]
    out, err = script(capsys, exported, *arguments, "--json", "--novelty", "--train-text", str(tmp_path / "train.txt"))
    found = json.loads(out, parse_constant=pytest.fail)
    samples = found.pop("samples")
    assert err == ""
    assert found == {"model": str(exported), "prime": "the ", "temperature": 1.0, "top_n": 14, "top_p": 0.9}
    plain, _ = script(capsys, exported, *arguments)
    assert [each["text"] for each in samples] == plain[:-1].split("\n" + "-" * 70 + "\n")
    model = NumpyLSTM(exported)
    for seed, each in enumerate(samples, 2):
        assert sorted(each) == ["log_probabilities", "novelty", "seed", "text"] and each["seed"] == seed
        assert each["novelty"] == Reference(TEXT).novelty(each["text"][len("the "):])._asdict()
        ids = model.vocabulary.encode(each["text"])[np.newaxis]
        nats, _ = model.surprises(ids[:, :-1], ids[:, 1:], model.zero_state())
        assert each["log_probabilities"] == pytest.approx(-nats[0, 3:], abs=1e-5)
    path = tmp_path / "out.json"
    assert script(capsys, exported, "--greedy", "--length", "5", "--json", "--output", str(path)) == ("", "")
    assert len(json.loads(path.read_text(encoding="utf-8"))["samples"][0]["log_probabilities"]) == 5


def test_primes_from_a_pipe_and_from_a_file(exported, tmp_path, monkeypatch, capsys):
    arguments = ["--length", "40", "--seed", "2"]
    expected = script(capsys, exported, *arguments, "--prime", "the\nhat sat ")
    content = b"\xef\xbb\xbfthe\r\nhat sat "
    (tmp_path / "prime").write_bytes(content[3:])
    assert script(capsys, exported, *arguments, "--prime-file", str(tmp_path / "prime")) == expected
    for option in ("--prime", "--prime-file"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
        assert script(capsys, exported, *arguments, option, "-") == expected


def test_unknown_characters_of_the_prime(exported, capsys):
    arguments = ["--length", "40", "--seed", "2"]
    for how, prime in (("skip", "th "), ("nearest", "the ")):
        expected, _ = script(capsys, exported, *arguments, "--prime", prime)
        out, err = script(capsys, exported, *arguments, "--prime", "th\u00e9 ", "--unknown", how)
        assert out == expected and err.count("\n") == 1 and "'\u00e9'" in err


@pytest.mark.parametrize("options", [[], ["--json"], ["--num-samples", "3"], ["--output", "FILE"]])
def test_ctrl_c_writes_what_was_made(exported, tmp_path, monkeypatch, capsys, options):
    options = [str(tmp_path / "out") if each == "FILE" else each for each in options]
    arguments = ["--prime", "the ", "--seed", "2", *options, "--length"]
    expected, _ = script(capsys, exported, *arguments, str(2 * CHUNK))
    if "--output" in options:
        expected = (tmp_path / "out").read_text(encoding="utf-8")
    monkeypatch.setattr(NumpyLSTM, "draw", interrupted_at(NumpyLSTM.draw, 3))
    out, err = script(capsys, exported, *arguments, "1000", status=130)
    assert err == "charrnn-sample: interrupted\n"
    assert (out or (tmp_path / "out").read_text(encoding="utf-8")) == expected


def test_ctrl_c_stops_the_graph_too(trained, monkeypatch, capsys):
    monkeypatch.setattr(graph.Generator, "draw", interrupted_at(graph.Generator.draw, 3))
    out, err = script(capsys, trained, "--prime", "the ", "--seed", "2", status=130)
    assert len(out) == 4 + 2 * CHUNK + 1 and err == "charrnn-sample: interrupted\n"


# ---- what was copied --------------------------------------------------------------------------------------

def test_novelty_is_a_line_after_each_text(exported, capsys):
    """Of what was drawn, without the prime, against the text that the model names."""
    arguments = ["--prime", "the ", "--length", "90", "--seed", "2", "--num-samples", "2"]
    texts = script(capsys, exported, *arguments)[0][:-1].split("\n" + "-" * 70 + "\n")
    out, err = script(capsys, exported, *arguments, "--novelty")
    assert err == "" and [line for line in out.splitlines() if line.startswith("novelty: ")] == [
        "novelty: the longest run that stands in the training text has {} characters ({!r}, at character {:,} there); "
        "{:.1%} of the 20-character windows stand there".format(
            found.longest, text[found.start:found.start + found.longest], found.place, found.share)
        for text, found in ((text[4:], Reference(TEXT).novelty(text[4:])) for text in texts)]
    assert script(capsys, exported, *arguments[:-2], "--novelty")[0].startswith(texts[0] + "\nnovelty: the longest ")


def test_texts_that_copy_too_much_are_refused_and_others_drawn(exported, tmp_path, capsys):
    arguments = ["--prime", "m", "--length", "60", "--top-n", "14"]
    texts = [script(capsys, exported, *arguments, "--seed", str(seed))[0] for seed in range(2, 6)]
    (tmp_path / "train.txt").write_text(texts[0] + "#" + texts[1] + "#" + texts[2][:30], encoding="utf-8")
    limit = ["--max-copy", "20", "--train-text", str(tmp_path / "train.txt")]
    out, err = script(capsys, exported, *arguments, "--seed", "2", *limit)
    assert out == texts[3]
    assert err.splitlines() == ["refused: with seed {} a run of {} characters stands in the training text".format(*each)
                                for each in ((2, 60), (3, 60), (4, 29))]
    assert script(capsys, exported, *arguments, "--seed", "5", *limit) == (texts[3], "")


def test_it_gives_up_where_all_copy_too_much(exported, tmp_path, capsys):
    (tmp_path / "out").write_text("what stood there before", encoding="utf-8")
    out, err = script(capsys, exported, "--prime", "the ", "--length", "9", "--seed", "2", "--max-copy", "1",
                      "--output", str(tmp_path / "out"), status=2)
    *refused, last = err.splitlines()
    assert out == "" and len(refused) == sampling.TRIES and all(line.startswith("refused: ") for line in refused)
    assert last.startswith("charrnn-sample: error: each of 20 tries copied more than 1 characters")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "what stood there before"


def test_seeds_do_not_run_out(exported, capsys):
    """Tries after the last seed there is end in a line that says so, or go on from the first."""
    out, err = script(capsys, exported, "--prime", "the ", "--length", "9", "--seed", "4294967295", "--max-copy", "1",
                      status=2)
    assert out == "" and "2**32 - 1" not in err


@pytest.mark.parametrize("variables", [
    {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}])
def test_a_process_writes_utf_8_whatever_the_locale(tmp_path, variables):
    characters = "\u20ac\xe9"[::-1]
    export_npz(make_network(tmp_path, characters, 3, 1), tmp_path / "m.npz")
    done = subprocess.run([sys.executable, "-m", "charrnn.sample", "m.npz", "--length", "60", "--seed", "1"],
                          cwd=str(tmp_path), env=process_environment(**variables), capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert set(done.stdout.decode("utf-8")) == set(characters + "\n")


def test_default_prime():
    assert default_prime(Vocabulary(" Teh")) == "The "
    assert default_prime(Vocabulary("01")) == "0"


def test_script_takes_the_vocabulary_from_a_text(without_run_file, text_file, capsys):
    assert sampling.main([str(without_run_file), "--vocab-from", str(text_file), "--length", "5"]) == 0
    assert len(capsys.readouterr().out) == 1 + 5 + 1


@pytest.mark.parametrize("arguments, message", [
    (["--prime", ""], "prime is empty"),
    (["--prime", "Zoë"], "'Z' (line 1, column 1), 'ë' (line 1, column 3)"),
    (["--length", "0"], "--length must be at least 1"),
    (["--length", "many"], "--length"),
    (["--top-n", "0"], "must be at least 1"),
    (["--temperature", "0"], "temperature must be"), (["--temperature", "-1"], "temperature must be"),
    (["--temperature", "nan"], "temperature must be"), (["--temperature", "inf"], "temperature must be"),
    (["--temperature", "warm"], "--temperature"), (["--top-p", "0"], "top_p must be"),
    (["--top-p", "1.1"], "top_p must be"), (["--top-p", "nan"], "top_p must be"),
    (["--lines", "0"], "--lines must be at least 1"), (["--max-copy", "0"], "--max-copy must be at least 1"),
    (["--stop", ""], "--stop needs at least one character"), (["--unknown", "guess"], "guess"),
    (["--greedy", "--temperature", "1"], "contradict"), (["--greedy", "--top-n", "1"], "contradict"),
    (["--greedy", "--top-p", "1"], "contradict"), (["--greedy", "--seed", "0"], "contradict"),
    (["--prime", "the", "--prime-file", "x"], "contradict"), (["--prime", "", "--prime-file", "x"], "contradict"),
    (["--interactive", "--json"], "contradict"), (["--interactive", "--output", "x"], "contradict"),
    (["--interactive", "--num-samples", "2"], "contradict"), (["--interactive", "--novelty"], "contradict"),
    (["--interactive", "--max-copy", "9"], "contradict"), (["--interactive", "--prime", "the"], "contradict"),
    (["--interactive", "--prime-file", "x"], "contradict"), (["--interactive", "--stop", "x"], "contradict"),
    (["--interactive", "--lines", "1"], "contradict"), (["--prime-file", "missing.txt"], "missing.txt"),
    (["--novelty", "--train-text", "missing.txt"], "missing.txt"),
    (["--output", "nowhere/x", "--seed", "1"], "nowhere/x"),
    (["--best"], "no best checkpoint"),
    (["--seed", "-1"], "--seed"),
    (["--seed", "4294967296"], "--seed"),
    (["--seed", "4294967295", "--num-samples", "2"], "--seed"),
    (["--num-samples", "0"], "--num-samples"),
    (["--vocab-from", "missing.txt"], "missing.txt"),
    (["--colour"], "unrecognized arguments")])
def test_script_refuses_in_one_line(trained, capsys, arguments, message):
    assert sampling.main([str(trained), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-sample: error: ")
    assert message in err


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "flipped"])
def test_script_refuses_damaged_checkpoints(trained, tmp_path, capsys, suffix, damage):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    path = tmp_path / "run" / ("i173_l5.ckpt" + suffix)
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage != "missing":
        half = bytes(content[:len(content) // 2])
        content[::50] = bytes(byte ^ 0x55 for byte in content[::50])  # in every tensor of this small network
        path.write_bytes({"empty": b"", "half": half, "flipped": bytes(content)}[damage])
    skipped = r"i173_l5\.ckpt is not whole: .*i173_l5\.ckpt{}.+".format(re.escape(suffix))
    out, err = script(capsys, tmp_path / "run", "--prime", "the ", "--length", "3", "--seed", "1")
    assert re.fullmatch("skipped: .*" + skipped + "\n", err), err
    assert out == script(capsys, trained / "i100_l5.ckpt", "--prime", "the ", "--length", "3", "--seed", "1").out
    out, err = script(capsys, tmp_path / "run" / "i173_l5.ckpt", "--length", "3", status=2)
    assert out == "" and re.fullmatch("charrnn-sample: error: .*" + skipped + "\n", err)


def test_no_checkpoint_that_is_whole(trained, tmp_path, capsys):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    for path in (tmp_path / "run").glob("*.data-*"):
        path.write_bytes(b"")
    out, err = script(capsys, tmp_path / "run", "--length", "3", status=2)
    assert out == "" and err.count("\n") == 1 and "i100_l5.ckpt" in err and "i173_l5.ckpt" in err


def test_a_process_is_quiet_and_ends_with_its_reader(trained, exported):
    for model in (trained, exported):
        command = [sys.executable, "-m", "charrnn.sample", str(model), "--prime", "the ", "--seed", "1", "--length"]
        done = subprocess.run([*command, "20"], capture_output=True, timeout=120, env=process_environment())
        assert (done.returncode, done.stderr) == (0, b"")
        assert len(done.stdout) == 25
        with subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=process_environment()) as process:
            assert process.stdout.read(10).startswith(b"the ")
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(120) == 141


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
@pytest.mark.parametrize("options", [["--prime", "-"], ["--interactive"], ["--json"]])
def test_a_process_without_input_or_output(exported, closed, options):
    """It ends in a line at most, and in no traceback."""
    command = 'exec "$0" -m charrnn.sample "$@" ' + closed
    done = subprocess.run(["sh", "-c", command, sys.executable, str(exported), "--seed", "1", "--length", "9",
                           *options], input=b"the ", capture_output=True, timeout=120, env=process_environment())
    assert done.returncode in (0, 2) and done.stderr.count(b"\n") <= 1, done.stderr


PRIME_OF_A_MILLION = """
import sys
import numpy as np
from charrnn import sample
from charrnn.system import console
sample.main([sys.argv[1], "--prime-file", "small", "--length", "5", "--seed", "1", "--output", "out"])
before = console.peak_memory()
assert sample.main([sys.argv[1], "--prime-file", "large", "--length", "5", "--seed", "1", "--output", "out"]) == 0
print(before, "->", console.peak_memory())
"""


@pytest.mark.slow
def test_a_prime_of_a_million_characters(exported, tmp_path):
    """It takes a few times the memory of its text, and all of it is read."""
    text = (TEXT * 1000)[:1000000]
    (tmp_path / "large").write_text(text, encoding="utf-8")
    (tmp_path / "small").write_text(text[:10], encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", PRIME_OF_A_MILLION, str(exported)], cwd=str(tmp_path), timeout=290,
                          env=process_environment(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    before, after = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) MB", done.stdout.decode())]
    assert after - before < 60
    out = (tmp_path / "out").read_text(encoding="utf-8")
    assert out.startswith(text) and len(out) == 1000000 + 5 + 1


def test_restoring_another_network_is_refused(trained, tmp_path):
    from charrnn.model import CharRNN
    CharRNN(len(CHARS), lstm_size=4)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        other = tf.train.Saver().save(session, str(tmp_path / "i1_l4.ckpt"))
    sampler = Sampler(open_checkpoint(trained))
    with pytest.raises(ValueError, match="is of another network"):
        sampler.restore(other)
    sampler.close()
