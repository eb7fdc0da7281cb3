"""What guards keep a text from: copies, repetitions, and words that are none."""

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import TEXT

from charrnn.commands import sample as sampling
from charrnn.engines.opening import open_model
from charrnn.text import lexicon
from charrnn.text.windows import Windows

LENGTH = 300
WARM = dict(length=LENGTH, temperature=2.0, top_n=14)
WORDS = ["a", "at", "hot", "moth", "Sam", "the", "those"]


@pytest.fixture(scope="module")
def model(trained):
    """A model of the small text, with words of a language."""
    opened = open_model(trained)
    return replace(opened, words=lexicon.pack(WORDS))


def windows(text, length):
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def training_of(model):
    return model.training_text().training


@pytest.mark.parametrize("length", [3, 4, 5])
def test_no_window_of_the_training_text_is_written(model, length):
    """But all shorter ones may be."""
    training = training_of(model)
    texts = model.write("the ", n=5, seed=1, no_copy=length, **dict(WARM, temperature=0.8))
    for text in texts:
        # from the first window that ends in a drawn character on
        drawn = text[5 - length :]
        assert not set(windows(drawn, length)) & set(windows(training, length))
    shorter = set(windows("".join(texts), length - 1))
    assert shorter & set(windows(training, length - 1))


@pytest.mark.parametrize("length", [3, 4])
def test_no_window_is_written_twice_that_the_training_text_has_once(model, length):
    for text in model.write("the ", n=5, seed=1, no_repeat=length, **WARM):
        written = windows(text, length)
        repeated = {window for window in written if written.count(window) > 1}
        assert all(TEXT.count(window) > 1 for window in repeated)
        shorter = windows(text, length - 1)
        again = {window for window in shorter if shorter.count(window) > 1}
        assert any(window not in TEXT for window in again)


def test_what_the_training_text_repeats_may_come_as_often(model):
    """And no oftener: it has "the mat" once in 52 characters, and the text would have it in 13."""
    cycle = "the mat, and "

    def allow(text):
        return {**dict.fromkeys(model.vocabulary.chars, 1), cycle[len(text) % len(cycle)]: 1e9}

    assert model.write("the ", 516, seed=1, allow=allow) == cycle * 40
    guarded = model.write("the ", 516, seed=1, allow=allow, no_repeat=6)
    most = 1 + TEXT.count("the mat") * len(guarded) // len(TEXT)
    assert most - 3 < guarded.count("the mat") <= most


@pytest.mark.parametrize("guards", [{}, {"no_copy": 9}, {"no_copy": 9, "no_repeat": 8}])
def test_words_are_of_the_text_or_the_language(model, guards):
    texts = model.write("the ", n=2, seed=1, known_words=True, **guards, **WARM)
    known = {*WORDS, *"the cat sat on mat and hat".split()}
    for text in texts:
        # the last word may be cut
        *whole, _ = re.split(r"[^a-zA-Z]+", text)
        assert set(whole) <= {*known, ""}
        assert set(whole) & {"at", "hot", "moth", "those", "a"}
        assert len(text) == 4 + LENGTH


@pytest.mark.parametrize(
    "text, char, is_allowed",
    [
        ("", "h", True),
        ("t", "h", True),
        ("the", " ", True),
        ("tho", " ", False),
        ("tho", "s", True),
        ("the", "m", False),
        ("", "S", True),
        ("so, ", "S", True),
        ("so, ", "T", False),
        ("so. ", "T", True),
        ("so.\n'", "T", True),
        ("so. T", "h", True),
        ("so. The", " ", True),
        ("so, S", "a", True),
        ("so, s", "a", False),
        ("th", "E", False),
        ("so. ", "4", True),
        ("so. 4", "2", True),
        ("so. 42", " ", True),
        ("so. 42", "t", False),
        ("'the", "'", True),
        ("'tho", "'", False),
        ("don'", "t", True),
        ("don", "'", True),
        ("don", " ", False),
        ("at the", "-", True),
        ("é", "é", False),
    ],
)
def test_how_a_text_may_go_on_in_a_word(text, char, is_allowed):
    known = lexicon.Lexicon([*WORDS, "don't", "so"])
    part = lexicon.part_of(text)
    assert known.allows(part, lexicon.begins_sentence(text, part), char) == is_allowed


def test_frequent_words_have_the_case_that_they_have_mostly():
    text = "The Haus of Anna, the Haus of anna; the Anna 4th. Rare " * 9 + "rarely"
    assert lexicon.frequent_words(text, 99) == ["Haus", "Rare", "anna", "of", "the"]
    assert lexicon.frequent_words(text, 1) == ["the"]
    assert lexicon.unpack(lexicon.pack(["é", "the"])) == ["é", "the"]


def test_guards_give_way_to_what_is_allowed(model):
    """So they neither end a text nor hang it."""
    options = dict(no_copy=3, no_repeat=3, known_words=True)
    assert model.write("the ", 30, allow=lambda text: "t", **options) == "the " + 30 * "t"
    spelled = model.write("the ", 30, allow=lambda text: TEXT[len(text)], **options)
    assert spelled == TEXT[:34]
    assert model.write("the ", 30, allow=lambda text: "", **options) == "the "


def test_a_text_with_guards_ends_after_a_string(model):
    text = model.write("the ", 300, seed=1, stop="at", no_repeat=6)
    assert text.endswith("at")
    assert text.count("at") == 1


def test_a_stream_and_the_command_write_the_same(model, trained, capsys):
    expected = model.write("the ", 60, seed=3, no_copy=6, no_repeat=5)
    assert "".join(model.stream("the ", 60, seed=3, no_copy=6, no_repeat=5)) == expected
    flags = "--length 60 --seed 3 --no-copy 6 --no-repeat 5"
    assert sampling.main([str(trained), "--prime=the ", *flags.split()]) == 0
    assert capsys.readouterr().out == expected + "\n"


def test_several_texts_have_guards_of_their_own(model):
    options = dict(no_copy=7, no_repeat=5, known_words=True)
    together = model.write("the ", 80, n=3, seed=5, **options)
    assert together == [model.write("the ", 80, seed=seed, **options) for seed in (5, 6, 7)]


def test_a_text_that_is_continued_is_guarded_as_one(model):
    """A word, a copy and a repetition may begin before the place where it goes on."""
    writing = model.writing_with(dict(no_copy=4, no_repeat=4, known_words=True, temperature=2.0))
    with model.sampler(writing) as sampler:
        for seed in range(20):
            text = "th"
            sampler.write(text, 3, writing, seed)
            text += sampler.samples[0].text
            for _ in range(8):
                sampler.write("", 3, writing, seed, after_last=True)
                text += sampler.samples[0].text
            assert not set(windows(text, 4)) & set(windows(training_of(model), 4))
            *whole, _ = re.split(r"[^a-zA-Z]+", text)
            assert set(whole) <= {*WORDS, *"the cat sat on mat and hat".split(), ""}


def test_a_word_ends_at_an_underscore():
    assert lexicon.forms_of("the _char-a-banc_ of_ _Anna_'s") >= {"banc", "Anna", "of"}
    assert lexicon.frequent_words("_banc_ banc " * 5, 9) == ["banc"]


def test_what_a_text_has_very_often_is_counted_as_often():
    times = 65_536
    counts = Windows.of("a" * (times + 2), 3)
    assert counts.following("aa", ["a"], np.array([97], np.uint32)).tolist() == [65_535]


def test_a_saved_model_keeps_its_words(model, tmp_path):
    model.save(tmp_path / "mine.npz")
    saved = replace(open_model(tmp_path / "mine.npz"), run=model.run)
    expected = model.write("the ", 60, seed=3, known_words=True)
    assert saved.write("the ", 60, seed=3, known_words=True) == expected


def test_what_is_not_at_hand_is_said(exported, trained, tmp_path):
    with pytest.raises(
        ValueError, match=r"known_words needs the words of a language, and .* has none"
    ):
        open_model(trained).write("the ", 5, known_words=True)
    alone = replace(open_model(exported), run=None)
    with pytest.raises(ValueError, match="no training text with it"):
        alone.write("the ", 5, no_copy=20)
