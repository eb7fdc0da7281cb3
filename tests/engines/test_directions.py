"""Directions of the memory: how well they are found, and texts that are written while they are held."""

import io
import json
import re
import sys

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn import open_model
from charrnn.checkpoints.record import RunRecord
from charrnn.checkpoints.writing import Writing
from charrnn.commands import sample as sampling
from charrnn.data import Vocabulary
from charrnn.engines.directions import Direction
from charrnn.engines.graph_engine import GraphEngine
from charrnn.engines.sampler import Sampler
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import Hyperparameters
from charrnn.text import features
from charrnn.text.corpus import Text, read

SPACES = "after a space or line end"
VOWELS = "after a vowel"
# Random letters, in which nobody sees the end of a word coming.
TEXT = "".join(np.random.RandomState(1).choice(list("acdehmnost    "), 17_000))
FITTED = 8000


@pytest.fixture(scope="module")
def model():
    """A model without a run, which has directions all the same."""
    made = random_network(CHARS, 17, 2, gain=0.7, seed=7)
    # Directions are held between words, so it writes spaces.
    made.weights["softmax/Variable_1"][CHARS.index(" ")] += 1
    made.train_text = Text("text.txt", TEXT)
    return made


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The same model and its text as files."""
    folder = tmp_path_factory.mktemp("directions")
    model.save(folder / "mine.npz", with_text=False)
    text = folder / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    return folder / "mine.npz", text


class Reference:
    """The network in float64, character by character, and its directions by least squares."""

    def __init__(self, model):
        self.model = model
        self.kernels = [np.float64(kernel) for kernel in model.kernels]
        self.biases = [np.float64(bias) for bias in model.biases]
        self.cs, self.hs = np.zeros((2, 2, model.lstm_size))
        memories = []
        for index in model.vocabulary.encode(TEXT[: 2 * FITTED]):
            self.step(index)
            memories.append(np.concatenate(self.cs))
        self.memories = np.array(memories)
        self.cs, self.hs = np.zeros((2, 2, model.lstm_size))

    def step(self, index, hold=None):
        """Read a character; ``hold`` moves the memories before the top layer shows its own."""
        below = np.eye(len(self.model.vocabulary))[index]
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases)):
            gates = np.concatenate([below, self.hs[layer]]) @ kernel + bias
            i, j, f, o = np.split(gates, 4)
            sigmoids = [1 / (1 + np.exp(-gate)) for gate in (i, f, o)]
            self.cs[layer] = self.cs[layer] * sigmoids[1] + sigmoids[0] * np.tanh(j)
            if hold and layer == 1:
                self.cs = hold(np.concatenate(self.cs)).reshape(2, -1)
            self.hs[layer] = sigmoids[2] * np.tanh(self.cs[layer])
            below = self.hs[layer]
        logits = below @ self.model.softmax_kernel + self.model.softmax_bias
        return logits - np.log(np.exp(logits).sum())

    def probe(self, name):
        """Return a probe, the difference of the means, and the means of what it reads outside and inside."""
        values = features.BY_NAME[name].values(TEXT[: 2 * FITTED])[:FITTED].astype(float)
        fitted = self.memories[:FITTED]
        # Ridge regression is least squares with a row more for each number.
        size = fitted.shape[1]
        rows = np.concatenate([fitted - fitted.mean(0), np.sqrt(300) * np.eye(size)])
        targets = np.concatenate([values - values.mean(), np.zeros(size)])
        probe = np.linalg.lstsq(rows, targets, rcond=None)[0]
        inside = fitted[values > values.mean()]
        outside = fitted[values <= values.mean()]
        return (
            probe,
            inside.mean(0) - outside.mean(0),
            outside.mean(0) @ probe,
            inside.mean(0) @ probe,
        )

    def log_probabilities(self, prime, drawn, steer):
        """Return those of the drawn characters, while directions are held between the words after the prime."""
        probes = [self.probe(name) for name in steer]

        def hold(memories):
            missing = []
            for (probe, _, outside, inside), strength in zip(probes, steer.values()):
                missing.append(outside + strength * (inside - outside) - memories @ probe)
            gain = [[probe @ move for _, move, _, _ in probes] for probe, _, _, _ in probes]
            factors = np.linalg.solve(gain, missing)
            return memories + sum(factor * move for factor, (_, move, _, _) in zip(factors, probes))

        self.cs, self.hs = np.zeros((2, 2, self.model.lstm_size))
        for index in self.model.vocabulary.encode(prime):
            logarithms = self.step(index)
        expected = []
        for index in self.model.vocabulary.encode(drawn):
            expected.append(logarithms[index])
            between_words = not self.model.vocabulary.chars[index].isalpha()
            logarithms = self.step(index, hold if between_words else None)
        return expected


@pytest.fixture(scope="module")
def reference(model):
    return Reference(model)


def engines_of(model):
    graph = GraphEngine(model.vocabulary, model.lstm_size, model.num_layers)
    graph.load(model.weights)
    return model.engine(), graph


@pytest.mark.parametrize(
    "steer", [{SPACES: 0}, {SPACES: 1}, {VOWELS: -0.5}, {SPACES: 1.5}, {SPACES: 0.3, VOWELS: 1.2}]
)
def test_both_engines_hold_a_direction_as_the_reference_does(model, reference, steer):
    for engine in engines_of(model):
        sampler = Sampler(engine, 3, steering=model.steered(steer))
        for sample in sampler.write("the ", 40, Writing(top_n=99), seed=4):
            expected = reference.log_probabilities("the ", sample.text, steer)
            np.testing.assert_allclose(sample.log_probabilities, expected, atol=2e-4)


def test_a_probe_is_tested_on_text_that_it_was_not_fitted_on(model, reference):
    probe, *_ = reference.probe(VOWELS)
    values = features.BY_NAME[VOWELS].values(TEXT[: 2 * FITTED])[FITTED:]
    expected = np.corrcoef(reference.memories[FITTED:] @ probe, values)[0, 1]
    assert model.directions()[VOWELS].correlation == pytest.approx(expected, abs=1e-5)


def test_what_a_probe_reads_badly_has_no_direction(model):
    assert "end of a word" in features.occurring_in(TEXT)
    directions = model.directions()
    assert "end of a word" not in directions
    correlations = [direction.correlation for direction in directions.values()]
    assert correlations == sorted(correlations, reverse=True)
    assert correlations[-1] >= 0.7


def test_without_a_direction_the_text_is_the_same(model):
    free = model.write("the ", 80, seed=3)
    assert model.write("the ", 80, seed=3, steer={}) == free
    assert model.write("the ", 80, seed=3, steer={VOWELS: 1.5}) != free


def test_many_texts_are_those_that_are_written_one_by_one(model):
    steer = {SPACES: 0.7}
    together = model.write("the ", 40, n=3, seed=8, steer=steer)
    assert together == [model.write("the ", 40, seed=seed, steer=steer) for seed in (8, 9, 10)]
    assert len(set(together)) == 3


def test_a_stream_is_the_text(model):
    expected = model.write("the ", 40, seed=2, steer={VOWELS: 1.5})
    assert "".join(model.stream("the ", 40, seed=2, steer={VOWELS: 1.5})) == expected


def test_lines_are_written_with_it(model):
    free = model.write_lines(4, 12, seed=1)
    assert model.write_lines(4, 12, seed=1, steer={VOWELS: 1.5}) != free


def test_what_is_not_allowed_is_not_drawn(model):
    text = model.write("the ", 40, seed=2, steer={VOWELS: 1.5}, allow=lambda text: "cd")
    assert set(text[4:]) <= set("cd")


def test_a_property_without_a_direction_is_refused_and_the_others_are_listed(model):
    with pytest.raises(
        ValueError, match=f"has no direction for 'end of a word': it has .*{VOWELS}"
    ):
        model.write("the ", 5, steer={"end of a word": 1})
    with pytest.raises(ValueError, match="has no direction"):
        model.stream("the ", 5, steer={"end of a word": 1})


def test_properties_with_one_direction_are_not_held_together():
    """After words of one letter, the distance since the last space is 0 or 1."""
    words_of_a_letter = random_network(CHARS, 17, 2, gain=0.7, seed=7)
    words_of_a_letter.train_text = Text("text.txt", " ".join(TEXT.replace(" ", "")))
    distance = "distance since the last space"
    assert words_of_a_letter.write("the ", 5, steer={distance: 1})
    with pytest.raises(ValueError, match=f"{distance} and {SPACES} cannot be held together"):
        words_of_a_letter.write("the ", 5, steer={distance: 1, SPACES: 1})


@pytest.mark.parametrize("strength", [np.inf, np.nan, "much"])
def test_a_strength_that_is_no_number_is_refused(model, strength):
    with pytest.raises(ValueError, match=f"steer must be a dict of numbers, not .'{VOWELS}'"):
        model.write("the ", 5, steer={VOWELS: strength})


def test_without_its_text_a_model_says_how_to_give_it(exported):
    path, _ = exported
    with pytest.raises(
        ValueError, match="no training text with it: name the text with --train-text"
    ):
        open_model(path).write("the ", 5, steer={VOWELS: 1})


def test_the_training_text_is_found_by_the_run():
    text = read("names").text
    chars = "".join(sorted(set(text)))
    named = random_network(chars, 17, 1, gain=0.7, seed=7)
    run = RunRecord(Hyperparameters(lstm_size=17, num_layers=1), named.vocabulary, "names", "f00")
    with_run = Model("names.npz", named.vocabulary, named.weights, run=run)
    expected = named.directions(text)
    assert with_run.directions().keys() == expected.keys()
    assert expected


@pytest.fixture
def script(exported, capsys):
    """A function that runs charrnn-sample with the model, its text, and flags, and returns what it prints."""

    def run(*flags):
        path, text = exported
        command = [str(path), "--train-text", str(text), "--seed=4", *flags]
        assert sampling.main(command) == 0
        return capsys.readouterr().out

    return run


def test_the_command_writes_the_same(script, model):
    steer = {VOWELS: 1.5, SPACES: 0.2}
    flags = [f"--steer={VOWELS}=1.5", "--steer", f"{SPACES}=0.2", "--prime=the", "--length=30"]
    assert script(*flags) == model.write("the", 30, seed=4, steer=steer) + "\n"
    assert json.loads(script(*flags, "--json"))["steer"] == steer


def test_the_command_continues_what_is_typed_with_it(script, model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("the\n"))
    written = model.write("the", 30, seed=4, steer={VOWELS: 1.5})
    printed = script(f"--steer={VOWELS}=1.5", "--interactive", "--length=30")
    assert printed == f"{written}\n[seed 4]\n\n"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--steer=end of a word=1", f"has no direction for 'end of a word': it has {SPACES}, "),
        (f"--steer={VOWELS}=inf", "steer must be a dict of numbers"),
    ],
)
def test_what_the_command_refuses(exported, capsys, flag, said):
    path, text = exported
    assert sampling.main([str(path), "--train-text", str(text), flag]) == 2
    assert re.search(said, capsys.readouterr().err)


def test_the_command_says_how_to_give_the_text(exported, capsys):
    path, _ = exported
    assert sampling.main([str(path), f"--steer={VOWELS}=1"]) == 2
    assert "no training text with it: name the text with --train-text" in capsys.readouterr().err


def test_anna_tells_at_one_end_and_speaks_at_the_other(anna):
    """Four words of each end, chosen in other texts."""
    network = open_model("anna")
    network.train_text = Text("anna", anna[:8_000])
    told = re.compile(r"\b(he|his|had|was)\b", re.IGNORECASE)
    spoken = re.compile(r"\b(I|you|said|don't)\b", re.IGNORECASE)
    told_texts, spoken_texts = (
        "".join(
            network.write(
                "The ", 100, n=4, seed=5, temperature=0.5, steer={"inside quotation marks": end}
            )
        )
        for end in (-0.5, 1.5)
    )
    assert len(told.findall(told_texts)) > 3 * len(told.findall(spoken_texts))
    assert len(spoken.findall(spoken_texts)) > 3 * len(spoken.findall(told_texts))


def test_a_short_text_is_refused(model):
    with pytest.raises(
        ValueError, match="a text of at least 4,000 characters, and this one has 3,999"
    ):
        random_network(CHARS, 4, 1).directions(TEXT[:3999])


def test_characters_that_the_model_does_not_know_are_left_out(model):
    other = Model("other.npz", model.vocabulary, model.weights)
    other.train_text = Text("other.txt", "\u00e9" + TEXT[:5] + "\u00e9" + TEXT[5:])
    expected = model.write("the ", 20, seed=1, steer={VOWELS: 1.5})
    assert other.write("the ", 20, seed=1, steer={VOWELS: 1.5}) == expected


def test_cells_without_a_memory_say_so():
    weights = {
        "rnn/multi_rnn_cell/cell_0/gru_cell/gates/kernel": np.zeros((9, 8), np.float32),
        "softmax/Variable": np.zeros((4, 5), np.float32),
        "softmax/Variable_1": np.zeros(5, np.float32),
    }
    gru = Model("mine", Vocabulary("abcde"), weights)
    with pytest.raises(ValueError, match="memory c of lstm cells, and the cells of mine are gru"):
        gru.write("a", 5, steer={VOWELS: 1})


LINE = "position in the line"


@pytest.mark.parametrize(
    ("held", "strength", "beginning", "may_follow"),
    [
        (features.QUOTATION, 1.5, "a", False),
        (features.QUOTATION, 1.5, "a.", False),
        (features.QUOTATION, 1.5, "a ", True),
        (features.QUOTATION, 1.5, '"a', True),
        (features.QUOTATION, 1.5, '"a" a.', False),
        (features.QUOTATION, 1.5, '"a.\n\na.', False),
        (features.QUOTATION, 0.4, "a ", False),
        (features.QUOTATION, 0.4, '"a.', True),
        (LINE, -0.5, "a ", True),
        (LINE, -0.5, "a.", False),
    ],
)
def test_while_a_direction_is_held_a_quotation_mark_closes_what_is_open(
    held, strength, beginning, may_follow
):
    """And it opens, unless quotation is held outside."""
    network = random_network('\n ".a', 6, 1)
    network.train_text = Text("held", "a. " * 2000)
    made = Direction(np.ones(6), np.ones(6), outside=0.0, inside=1.0, correlation=0.9)
    network.directions().update({held: made})
    text = network.write(beginning, 1, steer={held: strength}, allow=lambda _: {'"': 1e9, "a": 1})
    assert (text[-1] == '"') == may_follow


def test_without_a_direction_quotation_marks_are_free():
    network = random_network('\n ".a', 6, 1)
    assert network.write("a.", 1, allow=lambda _: {'"': 1e9, "a": 1}) == 'a."'
