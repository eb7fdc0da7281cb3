"""Texts of which each sentence is the best of several."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn import open_model
from charrnn.checkpoints.record import RunRecord
from charrnn.commands import sample
from charrnn.hyperparameters import Hyperparameters

ENDS = ".!?\n"
SHORTEST = 12
LONGEST = 160
# not as the run would write, which began with a model
HOW = dict(plain=True, top_n=12, temperature=1.2)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A model that another one began with, which knows no comma."""
    path = tmp_path_factory.mktemp("start") / "start.npz"
    random_network(CHARS.replace(",", ""), 7, 1, gain=0.8, seed=5).save(path)
    return open_model(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory, start):
    own = random_network(CHARS, 6, 2, gain=0.8, seed=6)
    hyper = Hyperparameters(lstm_size=6, num_layers=2, seed=1)
    run = RunRecord(
        hyper, own.vocabulary, "mine", "f00", init_from=start.name, init_from_sha256=start.sha256
    )
    path = tmp_path_factory.mktemp("model") / "mine.npz"
    replace(own, run=run).save(path)
    return open_model(path)


def sentence_of(drawn):
    """Return a drawn text up to the end of its first sentence, and whether it has one."""
    for place, char in enumerate(drawn, 1):
        if place >= SHORTEST and char in ENDS:
            return drawn[:place], True
    return drawn, False


def expected_by(model, text, sentence):
    """Return the logarithms of the probabilities of a sentence after a text, added up."""
    return -np.float64(model.surprisal(text + sentence)[-len(sentence) :]).sum()


def written_by_reference(model, prime, length, seed, best_of, contrast):
    """Write a text by drawing each sentence on its own, with the seeds that its first characters would have."""
    rng = np.random.RandomState(seed)
    text = prime
    while len(text) < len(prime) + length:
        begin = rng.get_state()
        ranked = []
        for number in rng.random_sample(best_of):
            seed_of_sentence = int(2**32 * number)
            drawn = model.write(text, LONGEST, seed=seed_of_sentence, contrast=contrast, **HOW)
            sentence, is_whole = sentence_of(drawn[len(text) :])
            nats = expected_by(model, text, sentence)
            ranked.append((is_whole, nats / len(sentence), sentence))
        best = max(ranked)[-1]
        rng.set_state(begin)
        rng.random_sample(len(best))
        text += best
    return text[: len(prime) + length]


@pytest.mark.parametrize("contrast", [0, 0.5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_sentence_is_the_one_that_is_expected_most(model, seed, contrast):
    written = model.write("the ", 150, seed=seed, best_of=4, contrast=contrast, **HOW)
    assert written == written_by_reference(model, "the ", 150, seed, 4, contrast)
    assert written != model.write("the ", 150, seed=seed, contrast=contrast, **HOW)


def test_it_is_more_expected_than_a_text_that_is_drawn_once(model):
    means = {}
    for best_of in (1, 8):
        texts = model.write("the ", 200, n=4, seed=3, best_of=best_of, **HOW)
        means[best_of] = np.mean([model.surprisal(text).mean() for text in texts])
    assert means[8] < means[1] - 0.05


def test_all_faces_write_the_same(model, capsys):
    """A shorter text, one that is streamed, and one of several."""
    how = dict(plain=True, best_of=3)
    text = model.write("the ", 150, seed=4, **how)
    assert text == "".join(model.stream("the ", 150, seed=4, **how))
    assert text.startswith(model.write("the ", 90, seed=4, **how))
    assert text == model.write("the ", 150, n=3, seed=2, **how)[2]
    flags = ["--plain", "--prime", "the ", "--length", "150", "--seed", "4", "--best-of", "3"]
    assert sample.main([model.name, *flags]) == 0
    assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("length", [5, 50])
def test_a_text_goes_on_from_where_it_was_cut(model, length):
    """Also inside of a sentence, and with a contrast, whose other network goes on too."""
    how = dict(best_of=3, contrast=0.5, temperature=1.2)
    writing = model.writing_with(how, plain=True)
    with model.sampler(writing) as sampler:
        (first,) = sampler.write("the ", length, writing, seed=1)
        (second,) = sampler.write("", 60, writing, seed=2, after_last=True)
    text = "the " + first.text
    assert text + second.text == model.write(text, 60, seed=2, plain=True, **how)
    nats = model.surprisal(text + second.text)[-60:]
    np.testing.assert_allclose(second.log_probabilities, -np.float64(nats), rtol=1e-4)


def test_one_sentence_is_drawn_as_ever(model):
    assert model.write("the ", 80, seed=4, best_of=1, **HOW) == model.write(
        "the ", 80, seed=4, **HOW
    )


def test_a_text_ends_where_it_is_told_to(model):
    text = model.write("the ", 400, seed=1, best_of=3, **HOW)
    stop = text[101:104]
    ended = model.write("the ", 400, seed=1, best_of=3, stop=stop, **HOW)
    assert ended == text[: text.index(stop) + 3]


@pytest.mark.parametrize("length", [4, 5, 30, 31, 77])
def test_a_text_ends_where_nothing_is_allowed(model, length):
    def allow(text):
        return CHARS if len(text) < length else ""

    assert len(model.write("the ", 400, seed=1, best_of=3, allow=allow)) == length


@pytest.mark.parametrize("best_of", [0, 13, 1.5])
def test_a_wrong_number_is_refused(model, best_of):
    with pytest.raises(ValueError, match="best_of must be"):
        model.write("the ", 10, best_of=best_of)
