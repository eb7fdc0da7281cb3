"""How good the reader finds a sentence, and texts of which each sentence is the best of several."""

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT
from pages.small_pages import random_network

from charrnn import train_model
from charrnn.checkpoints.writing import Writing
from charrnn.commands import sample as sampling
from charrnn.engines.reader import Reader
from charrnn.engines.sampler import Sampler
from charrnn.text import pieces
from charrnn.text.corpus import Text

VOICES = ROOT / "tests" / "data" / "voices"
COPIED = "The cat's hat and a mat, and the hat sat on the other mat."
# Of the same length as a window that counts as a repetition.
PHRASE = "abcdefghijklmn"
CHINESE = "\u5929\u5730\u7384\u9ec4\u5b87" * 9


def faults(reader, before, sentence):
    return -reader.rank(before, sentence, -1.0, True).minus_faults


# Faults


@pytest.mark.parametrize(
    "before, sentence, copies",
    [
        ("", COPIED[:19], 0),
        ("", COPIED[:20], 1),
        ("so: ", COPIED[5:30] + "!", 6),
        (COPIED[:19], COPIED[19:21], 2),
        (COPIED[:30], " so", 0),
        ("", COPIED[:10] + "." + COPIED[10:20], 0),
    ],
)
def test_each_20_characters_of_the_training_text_are_a_fault(before, sentence, copies):
    """Those that end in the sentence. Without that text, there is none. Words of a list are no fault."""
    assert faults(Reader(COPIED, of_lines=True), before, sentence) == copies
    assert faults(Reader(), before, sentence) == 0


@pytest.mark.parametrize(
    "before, sentence, repetitions",
    [
        (PHRASE, f" {PHRASE[:13]}", 0),
        (PHRASE, f" {PHRASE}", 1),
        (f"{PHRASE}op", f" {PHRASE}op", 3),
        (f"{PHRASE}op {PHRASE[:13]}", "nop", 3),
        ("", f"{PHRASE} {PHRASE}", 1),
        ("", f"{PHRASE} {PHRASE}-{PHRASE}", 2),
        (f"{PHRASE} {PHRASE}", "- so", 0),
    ],
)
def test_each_14_characters_that_a_text_has_had_are_a_fault(before, sentence, repetitions):
    assert faults(Reader(), before, sentence) == repetitions


def with_phrase(times, length, first):
    """Return a text that has the phrase some times, and otherwise characters from one on, each once."""
    others = iter(map(chr, range(first, first + length)))
    text = "".join(PHRASE + next(others) for _ in range(times))
    return text + "".join(next(others) for _ in range(length - len(text)))


@pytest.mark.parametrize(
    "in_training, had, length, repetitions",
    [
        (4, 1, 200, 0),
        (4, 2, 200, 0),
        (4, 3, 200, 1),
        (4, 1, 199, 0),
        (4, 2, 199, 1),
        (2, 1, 199, 1),
        (2, 1, 200, 0),
        (1, 1, 800, 1),
        (0, 1, 800, 1),
    ],
)
def test_what_the_training_text_repeats_may_come_as_often(in_training, had, length, repetitions):
    """As a stretch of it that is as long has it: here it has 400 characters."""
    reader = Reader(with_phrase(in_training, 400, 0x4E00), of_lines=True)
    before = with_phrase(had, length - len(PHRASE), 0x5E00)
    assert faults(reader, before, PHRASE) == repetitions


@pytest.mark.parametrize(
    "before, sentence, unknown",
    [
        ("", "The water, and ANNA.", 0),
        ("", "The watr, and Ana.", 2),
        ("The wat", "er.", 0),
        ("The wat", "ch is.", 1),
        ("The watch", " is.", 0),
        ("", "Anna's water’s 'cat' mats' hat's'", 1),
        ("", "The 3 water 12th", 1),
    ],
)
def test_a_word_that_neither_text_nor_language_has_is_three_faults(before, sentence, unknown):
    assert faults(Reader(COPIED, ["water", "is", "Anna"]), before, sentence) == 3 * unknown


@pytest.mark.parametrize(
    "training, words, of_lines, unknown",
    [
        (COPIED, None, False, 1),
        (COPIED, ["water"], True, 0),
        ("for (i = 0; i < n; i++) { cat(x[i]); }", ["water"], False, 0),
        (CHINESE, ["water"], False, 0),
        ("", ["the", "water"], False, 1),
        ("", None, False, 0),
    ],
    ids=["text", "lines", "program", "no spaces", "only a language", "neither"],
)
def test_which_readers_know_words(training, words, of_lines, unknown):
    """Those of a text in words. Without a training text, words of the language are known."""
    assert faults(Reader(training, words, of_lines), "", "The wter.") == 3 * unknown


# What else counts

OWN = "Gwen keeps leeks in the shed"
OF_LANGUAGE = ["in", "the", "keeps", "shed"]


@pytest.mark.parametrize(
    "before, sentence, own",
    [
        ("", "in the shed", 0),
        ("", "Gwen keeps the shed in the shed, the shed", 1 / 9),
        ("", "Gwen in the", 1 / 3),
        ("", "Gwen, leeks", 1 / 3),
        ("Gwen's leeks ", "in the shed the", 1 / 3),
        ("Gwen's leeks " + " " * 499, "in the shed the", 0),
    ],
)
def test_each_share_of_own_words_that_is_lacking_makes_a_sentence_less_expected(
    before, sentence, own
):
    """Of a third of the words, as the training text has them, at the end of the text with the sentence."""
    rank = Reader(OWN, OF_LANGUAGE).rank(before, sentence, -1.5, True)
    assert rank.expected == pytest.approx(-1.5 - 10 * (1 / 3 - own))
    assert Reader(OWN).rank(before, sentence, -1.5, True).expected == -1.5


def test_an_end_goes_before_faults_and_these_before_what_is_expected():
    reader = Reader(OWN, OF_LANGUAGE)
    cases = [
        ("Gwen", -0.1, False),
        ("Gwn lks", -0.1, True),
        ("Gwn", -9.0, True),
        ("Gwen", -9.0, True),
        ("in", -0.1, True),
        ("Gwen", -0.1, True),
    ]
    ranks = [reader.rank("", *case) for case in cases]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


# Sentences

ENDS = ".!?\n"
SHORTEST = 12
LONGEST = 160
ROUNDS = 4
HOW = dict(top_n=12, temperature=1.2)


@pytest.fixture(scope="module")
def model():
    """A model that knows its training text, and mostly writes no words of it."""
    made = random_network(CHARS, 6, 2, gain=0.8, seed=6)
    made.train_text = Text("text", TEXT)
    return made


@pytest.fixture(scope="module")
def without_text():
    return random_network(CHARS, 6, 2, gain=0.8, seed=6)


def sentence_of(drawn):
    """Return a drawn text up to the end of its first sentence, and whether it has one."""
    for place, char in enumerate(drawn, 1):
        if place >= SHORTEST and char in ENDS:
            return drawn[:place], True
    return drawn, False


def written_by_reference(model, reader, prime, length, seed, best_of):
    """Write a text by drawing each sentence on its own. The reader's ranks are those of the tests above."""
    rng = np.random.RandomState(seed)
    text = prime
    while len(text) < len(prime) + length:
        seeds = np.random.RandomState(int(2**32 * rng.random_sample()))
        ranked = []
        for _ in range(ROUNDS):
            sentences = []
            for number in seeds.random_sample(best_of):
                drawn = model.write(text, LONGEST, seed=int(2**32 * number), **HOW)
                sentences.append(sentence_of(drawn[len(text) :]))
            # When all but one of four have ended, the others are cut.
            lengths = sorted(len(sentence) for sentence, _ in sentences)
            most = lengths[best_of - 1 - best_of // 4]
            for sentence, is_whole in sentences:
                is_whole = is_whole and len(sentence) <= most
                sentence = sentence[:most]
                nats = np.float64(model.surprisal(text + sentence)[-len(sentence) :])
                ranked.append((reader.rank(text, sentence, -nats.mean(), is_whole), sentence))
            (best_rank, best) = max(ranked)
            if best_rank.minus_faults == 0:
                break
        rng.random_sample(len(best) - 1)
        text += best
    return text[: len(prime) + length]


@pytest.mark.parametrize("best_of", [2, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_each_sentence_is_the_one_of_the_highest_rank(model, without_text, seed, best_of, capsys):
    """Without a training text, faults are rare, so that the first round mostly decides. This is said once."""
    of_text = model.write("the ", 130, seed=seed, best_of=best_of, **HOW)
    assert of_text == written_by_reference(model, Reader(TEXT), "the ", 130, seed, best_of)
    assert capsys.readouterr().err == ""
    expected = written_by_reference(without_text, Reader(), "the ", 130, seed, best_of)
    made = random_network(CHARS, 6, 2, gain=0.8, seed=6)
    for _ in range(2):
        assert made.write("the ", 130, seed=seed, best_of=best_of, **HOW) == expected
    note = "sentences are chosen without the training text: the model has no training text with it"
    assert capsys.readouterr().err.count(note) == 1
    assert len({of_text, expected, made.write("the ", 130, seed=seed, **HOW)}) == 3


def test_all_faces_write_the_same(model, tmp_path, capsys):
    """A shorter text, one that is streamed, one of several, and one of a file on the command line."""
    text = model.write("the ", 150, seed=4, best_of=3)
    assert text == model.write("the ", 150, seed=4, best_of=3)
    assert text == "".join(model.stream("the ", 150, seed=4, best_of=3))
    for length in (0, 1, 40, 90):
        assert model.write("the ", length, seed=4, best_of=3) == text[: len("the ") + length]
    others = [model.write("the ", 150, seed=seed, best_of=3) for seed in (2, 3)]
    assert model.write("the ", 150, n=3, seed=2, best_of=3) == [*others, text]
    model.save(tmp_path / "mine.npz")
    flags = ["--prime", "the ", "--length", "150", "--seed", "4", "--best-of", "3"]
    assert sampling.main([str(tmp_path / "mine.npz"), *flags]) == 0
    assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("length", [5, 50])
def test_a_text_goes_on_from_where_it_was_cut(model, length):
    """Also inside of a sentence, and of a word."""
    writing = model.writing_with(dict(best_of=3, temperature=1.2))
    with model.sampler(writing) as sampler:
        (first,) = sampler.write("the ", length, writing, seed=1)
        (second,) = sampler.write("", 60, writing, seed=2, after_last=True)
    text = "the " + first.text
    assert text + second.text == model.write(text, 60, seed=2, best_of=3, temperature=1.2)
    nats = model.surprisal(text + second.text)[-60:]
    np.testing.assert_allclose(second.log_probabilities, -np.float64(nats), rtol=1e-4)


@pytest.mark.parametrize(
    "how, same",
    [
        (dict(best_of=1), {}),
        (dict(best_of=4, temperature=0), dict(temperature=0)),
        (dict(best_of=4, top_n=1), dict(top_n=1)),
        (dict(best_of=4, stop="e"), dict(best_of=4, stop="e", allow=lambda text: CHARS)),
    ],
)
def test_what_writes_the_same(model, how, same):
    """One sentence is drawn as ever, and so is what is most probable."""
    assert model.write("the ", 80, seed=4, **how) == model.write("the ", 80, seed=4, **same)


def test_a_sampler_without_a_reader_draws_plainly_or_has_one_without_a_text(engines):
    engine = engines[1]
    of_a_text = dict(reader=lambda: Reader(TEXT))
    plain, of_one, of_three, of_none = (
        Sampler(engine, **reader).write("the ", 80, Writing(top_n=9, best_of=best_of), 3)[0].text
        for reader, best_of in [({}, 1), (of_a_text, 1), ({}, 3), (dict(reader=Reader), 3)]
    )
    assert plain == of_one != of_three == of_none


def test_a_text_ends_where_it_is_told_to(model):
    text = model.write("the ", 400, seed=1, best_of=3, **HOW)
    stop = text[101:104]
    ended = model.write("the ", 400, seed=1, best_of=3, stop=stop, **HOW)
    assert ended.count(stop) == 1
    assert ended.endswith(stop)


@pytest.mark.parametrize("length", [4, 5, 30, 31, 77])
def test_a_text_ends_where_nothing_is_allowed(model, length):
    def allow(text):
        return "hat." if len(text) < length else ""

    text = model.write("the ", 400, seed=1, best_of=3, allow=allow)
    assert len(text) == length
    assert set(text[4:]) <= set("hat.")


# Networks that copy

COPYING = dict(
    batch_size=8, num_steps=25, lstm_size=48, num_layers=1, keep_prob=1.0, learning_rate=0.01
)


@pytest.mark.parametrize("name", ["diary", "recipes", "chat"])
def test_of_a_network_that_copies_nearly_nothing_is_copied(name, tmp_path):
    """Without the rule against copies, 1 to 7% of the windows are, and with it, none was."""
    text = (VOICES / f"{name}.txt").read_text(encoding="utf-8")[:1500]
    run = train_model(
        Text(name, text),
        tmp_path / "run",
        epochs=60,
        seed=1,
        sample_length=0,
        summaries=False,
        quiet=True,
        **COPYING,
    )
    how = dict(temperature=0.8, top_p=0.92, best_of=12)
    copied = pieces.Windows(text, 20)
    are_copied = []
    for written in run.model.write(length=200, n=10, seed=1, **how):
        are_copied += copied.are_in(written)
    assert np.mean(are_copied) <= 0.003
    assert len(are_copied) > 1800
