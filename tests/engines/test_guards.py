"""What guards keep a text from: copies, repetitions, and words that are none."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TEXT, copying
from pages.small_pages import random_network

from charrnn.checkpoints.record import CheckpointError
from charrnn.commands import sample as sampling
from charrnn.engines.directions import Direction
from charrnn.engines.opening import open_model
from charrnn.text import features, lexicon
from charrnn.text.corpus import Text
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


@pytest.mark.parametrize("times", [20, 2])
def test_what_the_training_text_repeats_may_come_as_often(model, times):
    """And no oftener: it has "the mat" once in 52 characters, and the text would have it in 13."""
    training = TEXT[: 52 * times]
    model = replace(model, train_text=Text("repeated", training))
    cycle = "the mat, and "

    def allow(text):
        return {**dict.fromkeys(model.vocabulary.chars, 1), cycle[len(text) % len(cycle)]: 1e9}

    assert model.write("the ", 516, seed=1, allow=allow) == cycle * 40
    guarded = model.write("the ", 516, seed=1, allow=allow, no_repeat=6)
    most = 1 + times * len(guarded) // len(training)
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


def test_a_word_is_known_that_the_text_has_with_an_s_only():
    """Otherwise it could end with what is a copy only: "beekeeper'r" was written."""
    assert lexicon.forms_of("the cat's, Anna’s, don't") == {
        "the",
        "cat's",
        "cat",
        "Anna’s",
        "Anna",
        "don't",
    }


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
    with pytest.raises(ValueError, match="no_copy=20 and no_repeat=14: for other numbers"):
        open_model(exported).write("the ", 5, no_copy=19)
    alone = replace(open_model(exported), run=None, hashes=None)
    with pytest.raises(ValueError, match="no training text with it"):
        alone.write("the ", 5, no_copy=20)


# Hashes in place of the text

ALL = dict(no_copy=20, no_repeat=14, known_words=True)
DIARY = (ROOT / "tests" / "data" / "voices" / "diary.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def of_diary():
    """A network of random weights, for a diary, with the words of a language that are in it."""
    network = random_network(sorted(set(DIARY)), 9, 1)
    words = sorted(lexicon.forms_of(DIARY[:2_000]) | {"wheelhouse", "thermometer"})
    return replace(network, train_text=Text("diary", DIARY), words=lexicon.pack(words))


@pytest.fixture(scope="module")
def of_file(of_diary, tmp_path_factory):
    """The same from a file, without the text."""
    path = tmp_path_factory.mktemp("file") / "diary.npz"
    of_diary.save(path)
    return open_model(path)


@pytest.mark.parametrize("guards", [ALL, {"no_repeat": 14}])
def test_the_file_of_a_run_writes_with_its_guards_when_the_text_is_gone(
    model, trained, tmp_path, guards
):
    run = shutil.copytree(str(trained), str(tmp_path / "run"))
    copy = replace(open_model(run), words=model.words)
    copy.save(tmp_path / "mine.npz", "float32")
    how = dict(length=300, n=3, seed=1, temperature=0.1, **guards)
    expected = copy.write("the ", **how)
    shutil.rmtree(run)
    assert open_model(tmp_path / "mine.npz").write("the ", **how) == expected


@pytest.mark.parametrize("guards", [ALL, {"no_copy": 20}, {"no_repeat": 14}, {"known_words": True}])
def test_a_file_that_would_copy_writes_as_the_model_does_with_the_text(of_diary, of_file, guards):
    allow = copying(DIARY)
    for seed in (1, 2, 3):
        expected = of_diary.write(DIARY[:2], 400, seed=seed, allow=allow, **guards)
        assert of_file.write(DIARY[:2], 400, seed=seed, allow=allow, **guards) == expected
        assert of_file.write(DIARY[:2], 400, seed=seed, allow=allow) != expected
        if "no_copy" in guards:
            assert not set(windows(expected[19:], 20)) & set(windows(DIARY, 20))
            assert set(windows(expected, 19)) & set(windows(DIARY, 19))


def test_a_file_lets_come_as_often_what_the_text_repeats(model, exported):
    how = dict(length=300, seed=1, allow=copying(TEXT), no_repeat=14)
    expected = model.write("the ", **how)
    assert expected.count("the mat, and the hat") > 1
    assert open_model(exported).write("the ", **how) == expected


def test_a_file_has_neither_the_text_nor_its_words(of_diary, of_file):
    content = Path(of_file.name).read_bytes()
    of_language = set(lexicon.unpack(of_diary.words))
    own = {word for word in lexicon.forms_of(DIARY) - of_language if len(word) > 4}
    assert len(own) > 100
    assert not [word for word in own if word.encode() in content and word != "about"]


def test_the_hashes_of_the_longest_text_are_about_a_megabyte():
    random = np.random.RandomState(1)
    words = ["".join(random.choice(list("abcdefgh"), size)) for size in random.randint(1, 9, 9_000)]
    text = " ".join(random.choice(words, 60_000))[:299_999]
    network = random_network(sorted(set(text)), 5, 1)
    given = replace(network, train_text=Text("long", text))
    _, hashes = given.carried_for_guards()
    assert 900_000 < len(hashes) < 1_300_000
    longer = replace(network, train_text=Text("longer", text + "a"))
    assert longer.carried_for_guards() == (None, None)


def test_a_file_is_saved_again_with_what_it_has(of_file, tmp_path):
    of_file.save(tmp_path / "again.npz", "int8")
    again = open_model(tmp_path / "again.npz")
    assert (again.words, again.hashes) == (of_file.words, of_file.hashes)


def test_the_model_of_a_language_writes_known_words_without_a_text(of_diary):
    alone = replace(of_diary, train_text=None)
    known = set(lexicon.unpack(alone.words))
    text = alone.write("I ", 300, seed=1, known_words=True)
    *whole, _ = re.findall("[A-Za-z]+", text)
    assert {word[0].lower() + word[1:] for word in whole} <= {
        word[0].lower() + word[1:] for word in known
    }


def digits(*numbers):
    """Return numbers in base 128, of one or two digits."""
    content = b""
    for number in numbers:
        content += bytes([number]) if number < 128 else bytes([number % 128 + 128, number // 128])
    return content


# 300 characters; two windows of 20, one near, one that is repeated 3 times, no words
GOOD = [300, 20, 2, 7, 5, 12, 1, 9, 14, 1, 4, 1, 3, 0, 0]


@pytest.mark.parametrize(
    "hashes",
    [
        b"",
        b"\xff" * 99,
        digits(*GOOD) + b"\x80",
        digits(*GOOD, 0),
        digits(*GOOD[:-1]),
        digits(0, *GOOD[1:]),
        digits(300, 0, *GOOD[2:]),
        digits(300, 20, 3, *GOOD[3:]),
        digits(300, 20, 2, 7, 0, *GOOD[5:]),
        digits(*GOOD[:-4], 2, 3, 3, 0, 0),
        digits(*GOOD[:-3]) + b"\xff\xff\xff\x7f" + digits(0, 0),
        digits(300, 20, 2, 7) + b"\xff\xff\xff\xff\x7f" + digits(*GOOD[5:]),
        b"\x01" * 4_000_001,
    ],
)
def test_damaged_hashes_are_refused(of_file, hashes):
    good = replace(of_file, hashes=digits(*GOOD))
    assert len(good.write("I ", 5, no_copy=20, no_repeat=14)) == 7
    with pytest.raises(CheckpointError, match="its hashes of a text are damaged"):
        replace(of_file, hashes=hashes).write("I ", 5, no_copy=20)


@pytest.mark.parametrize(
    "words",
    [
        b"\xff\xff",
        lexicon.pack(["the"])[:-5],
        lexicon.pack(["the"])[:20],
        lexicon.pack(["a" * 50_000_000]),
    ],
)
def test_damaged_words_are_refused(of_file, words):
    with pytest.raises(CheckpointError, match="its list of words is damaged"):
        replace(of_file, words=words).write("I ", 5, known_words=True)


def test_words_may_be_as_they_are(of_file):
    plain = "\n".join(lexicon.unpack(of_file.words)).encode()
    expected = of_file.write("I ", 60, seed=1, known_words=True)
    assert replace(of_file, words=plain).write("I ", 60, seed=1, known_words=True) == expected


LINES = "position in the line"


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
        (LINES, -0.5, "a ", True),
        (LINES, -0.5, "a.", False),
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
