"""Texts that are made more like a model's own text than like the model that it began with."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import CHARS
from pages.small_pages import random_network

from charrnn import open_model, train_model
from charrnn.checkpoints.record import RunRecord
from charrnn.commands import sample
from charrnn.hyperparameters import Hyperparameters

# characters of the model that it began with: d and the comma are unknown to it, and it knows a Z more
CHARS_OF_START = "\n .Zacehmnost"
TEXT = "the cat, 3 hats and a dot"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("contrast")


@pytest.fixture(scope="module")
def start(folder):
    """The model that the other one began with."""
    path = folder / "start.npz"
    random_network(CHARS_OF_START, 7, 1, gain=0.8, seed=5).save(path)
    return open_model(path)


@pytest.fixture(scope="module")
def model(folder, start):
    """A model whose run began with another one, as an exported file."""
    own = random_network(CHARS + "3", 6, 2, gain=0.8, seed=6)
    hyper = Hyperparameters(lstm_size=6, num_layers=2, seed=1)
    run = RunRecord(
        hyper, own.vocabulary, "mine", "f00", init_from=start.name, init_from_sha256=start.sha256
    )
    path = folder / "mine.npz"
    replace(own, run=run).save(path)
    return open_model(path)


def reference(model, start, text, strength):
    """Return the probabilities after a text with a contrast, in float64, character by character."""
    own = np.log(np.float64(model.next(text)))
    known = "".join(char for char in text if char in CHARS_OF_START)
    of_start = np.zeros(len(CHARS_OF_START)) - np.log(len(CHARS_OF_START))
    if known:
        of_start = np.log(np.float64(start.next(known)))
    logits = np.full(len(own), -np.inf)
    for place, char in enumerate(model.vocabulary.chars):
        if own[place] < own.max() + np.log(0.02):
            continue
        difference = 0.0
        if char.isalpha() and char in CHARS_OF_START:
            difference = own[place] - of_start[start.vocabulary.vocab_to_int[char]]
        logits[place] = own[place] + strength * np.clip(difference, -2, 2)
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.mark.parametrize("strength", [0.3, 1, 2.5])
@pytest.mark.parametrize("end", range(1, len(TEXT), 3))
def test_probabilities_equal_a_reference(model, start, strength, end):
    text = TEXT[:end].lstrip(",d") or "t"
    chances = model.next(text, contrast=strength)
    np.testing.assert_allclose(
        chances, reference(model, start, text, strength), rtol=2e-4, atol=1e-6
    )


def test_where_the_other_model_knows_nothing_of_a_text_all_its_characters_are_as_likely(
    model, start
):
    chances = model.next(",d", contrast=1)
    np.testing.assert_allclose(
        chances, reference(model, start, ",d", strength=1), rtol=2e-4, atol=1e-6
    )


def test_large_logits_have_probabilities_too(model):
    """What is added to all logits changes none."""
    weights = dict(model.weights)
    weights["softmax/Variable_1"] = weights["softmax/Variable_1"] + np.float32(100)
    shifted = replace(model, weights=weights)
    np.testing.assert_allclose(
        shifted.next("the ", contrast=1), model.next("the ", contrast=1), rtol=1e-3
    )


@pytest.mark.parametrize("strength", [-1, -0.4])
def test_below_0_it_leads_to_the_other_model(model, start, strength):
    """Characters that the other model lacks keep their own probability before all are made to add up to 1."""
    text = "the cat, 3 h"
    own = np.log(np.float64(model.next(text)))
    of_start = np.log(np.float64(start.next("the cat  h")))
    logits = own.copy()
    for place, char in enumerate(model.vocabulary.chars):
        if char in CHARS_OF_START:
            id_of_start = start.vocabulary.vocab_to_int[char]
            logits[place] += strength * (own[place] - of_start[id_of_start])
    powers = np.exp(logits)
    expected = powers / powers.sum()
    np.testing.assert_allclose(model.next(text, contrast=strength), expected, rtol=2e-4, atol=1e-6)


def test_a_text_is_drawn_with_the_probabilities_of_next(model):
    """Also after characters that the other model does not know, which are the only ones allowed at some places."""

    def allow(text):
        return "3,d" if len(text) % 5 == 0 else None

    text = model.write("the ", 60, temperature=0, contrast=0.8, allow=allow)
    for end in range(4, len(text)):
        if end % 5:
            chances = model.next(text[:end], contrast=0.8)
            assert text[end] == model.vocabulary.chars[chances.argmax()]


def test_without_contrast_the_text_is_the_same(model):
    plain = model.write("the ", 80, seed=3, plain=True)
    assert model.write("the ", 80, seed=3, plain=True, contrast=0) == plain
    assert model.write("the ", 80, seed=3, contrast=0.8) != model.write("the ", 80, seed=3)


def test_many_texts_are_those_that_are_written_one_by_one(model):
    together = model.write("the ", 40, n=3, seed=8, contrast=0.7)
    alone = [model.write("the ", 40, seed=seed, contrast=0.7) for seed in (8, 9, 10)]
    assert together == alone
    assert len(set(together)) == 3


def test_two_texts_that_are_drawn_in_turns_do_not_disturb_each_other(model):
    """They share the engine of the other model."""
    streams = [model.stream("the ", 30, seed=seed, contrast=0.7) for seed in (2, 3)]
    texts = ["".join(pieces) for pieces in zip(*zip(*streams))]
    expected = [model.write("the ", 30, seed=seed, contrast=0.7) for seed in (2, 3)]
    assert texts == expected


def test_a_stream_is_the_text(model):
    expected = model.write("the ", 40, seed=2, contrast=0.7)
    assert "".join(model.stream("the ", 40, seed=2, contrast=0.7)) == expected


def test_what_is_not_allowed_is_not_drawn(model):
    """Of what is allowed, something is always plausible."""
    text = model.write("the ", 40, seed=2, contrast=1.5, allow=lambda text: "3,d")
    assert set(text[4:]) <= set("3,d")


def test_the_command_writes_the_same(model, capsys):
    flags = "--prime the --length 30 --seed 4 --contrast 0.6".split()
    assert sample.main([model.name, *flags]) == 0
    assert capsys.readouterr().out == model.write("the", 30, seed=4, contrast=0.6) + "\n"
    assert sample.main([model.name, *flags, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["contrast"] == 0.6


def test_lines_too(model):
    lines = model.write_lines(4, 12, seed=1, contrast=0.9)
    assert lines != model.write_lines(4, 12, seed=1)


def test_a_model_that_began_with_none_has_no_contrast(start):
    with pytest.raises(ValueError, match="contrast is for a model that began with another one"):
        start.write("the ", 5, contrast=0.5)


@pytest.mark.parametrize("strength", [-1.1, np.inf, np.nan, "much"])
def test_a_strength_out_of_range_is_refused(model, strength):
    with pytest.raises(ValueError, match="contrast must be a number, at least -1"):
        model.write("the ", 5, contrast=strength)


def test_without_the_other_model_it_is_said_which_it_was(model, start, folder):
    (folder / "start.npz").rename(folder / "elsewhere.npz")
    try:
        with pytest.raises(ValueError, match=f"put it there again .SHA-256 {start.sha256}"):
            open_model(model.name).write("the ", 5, contrast=0.5)
    finally:
        (folder / "elsewhere.npz").rename(folder / "start.npz")


def test_a_run_keeps_the_model_that_it_began_with(tmp_path, start):
    """In its folder, which can be moved, whatever becomes of the file."""
    first = tmp_path / "first.npz"
    start.save(first, "int8")
    run = train_model(
        "a hat and the cat.\n" * 60,
        tmp_path / "run",
        init_from=first,
        batch_size=3,
        num_steps=20,
        epochs=2,
        sample_length=0,
        summaries=False,
        quiet=True,
    )
    expected = run.model.write("the ", 40, seed=2, contrast=0.7)
    first.unlink()
    (tmp_path / "run").rename(tmp_path / "moved")
    moved = open_model(tmp_path / "moved")
    assert moved.write("the ", 40, seed=2, contrast=0.7) == expected
    assert expected != moved.write("the ", 40, seed=2)
    assert open_model(tmp_path / "moved" / "start.npz").lstm_size == 7
