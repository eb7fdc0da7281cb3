"""The texts of a page: which are taken, and what is taken from them."""

import contextlib
from dataclasses import replace
from unittest import mock

import pytest
from conftest import TEXT

from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.commands import export
from charrnn.inspection import units
from charrnn.pages import page_texts, webpage
from charrnn.text import features
from charrnn.text.corpus import Text
from pages.small_pages import content_of, data_of, entry_of, export_random, random_network

# what a model of a language has read
READ = KNOWN_MODELS["polish"].read


@pytest.fixture
def text_is_gone(monkeypatch):
    """The training text of a run cannot be read, and the network writes a short one in place of it."""
    monkeypatch.setattr(
        page_texts, "training_text", mock.Mock(side_effect=ValueError("it is gone"))
    )
    monkeypatch.setattr(page_texts, "WRITTEN", 1500)


def test_without_the_training_text_the_network_writes_one_and_it_is_said(
    text_is_gone, exported, target, capsys
):
    assert export.main([str(exported), str(target)]) == 0
    note = "\nthe page uses a text that the network wrote, because the training text cannot be read: it is gone\n"
    assert note in capsys.readouterr().err
    data = data_of(target)
    assert data["measured"] == "1,500 characters that the network wrote"
    assert data["source"] == "a text that the network wrote"


def test_the_network_writes_several_texts_with_hardly_a_character_left_out(model):
    """So that signs are as frequent as in what it learned: the five most probable characters have few among them."""
    texts = model.write(None, 800, n=3, seed=0, top_p=0.98)
    with contextlib.closing(model.engine()) as engine:
        assert page_texts.written_text(engine, model, 2400) == "\n\n".join(texts)[:2400]


def test_ctrl_c_while_the_network_writes_a_text_ends_the_export(
    text_is_gone, exported, target, interrupt_text, capsys
):
    interrupt_text(3)
    assert export.main([str(exported), str(target)]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\ncharrnn-export: interrupted\n")
    assert not list(target.parent.iterdir())


def test_characters_that_the_network_does_not_know_are_left_out_of_a_text(model, target):
    report = webpage.export_page(model, target, text=Text("x", TEXT + "UNKNOWN" * 9))
    assert "U" not in entry_of(target, "passage")
    assert report.note == (
        "left out of the text, because the model does not know them: 'U', 'N', 'K', 'O', 'W'"
    )


def test_a_text_of_unknown_characters_alone_is_refused(model, target):
    with pytest.raises(ValueError, match="at least 2 characters that the model knows, not 0"):
        webpage.export_page(model, target, text=Text("x", "UNKNOWN"))


def test_the_passage_is_the_one_in_the_first_half_in_which_most_happens(target):
    """For what was discovered first. It begins with a paragraph, and ends with a word."""
    most_happens = '"abc" ' * 130 + "abc abc " * 60
    parts = ["abc " * 450, most_happens, "abc " * 400, '"abc" abc ' * 70]
    discovery = units.Tracking(units.Unit(0, 0, "1/c"), features.QUOTATION, 0.9)
    with mock.patch.object(units.Measured, "discoveries", return_value=[(discovery, 0.1)]):
        text = Text("x", "\n\n".join(parts))
        export_random(random_network('\n "abc'), target, text=text)

    passage = entry_of(target, "passage")
    assert most_happens.startswith(passage)
    assert 990 < len(passage) < 1000
    assert passage.endswith("abc")


def test_the_loss_is_measured_on_the_middle_of_the_text(model, monkeypatch):
    """A book may end with notes or a licence. The units are measured on its beginning."""
    monkeypatch.setattr(units, "CHARACTERS", 300)
    with contextlib.closing(model.engine()) as engine:
        texts = page_texts.choose_texts(engine, model, Text("x", "the " + TEXT[:1000]))
    assert texts.loss == ("the " + TEXT[:1000])[352:652]


def test_of_several_features_the_passage_has_each():
    """The one that varies least varies there as much as it can."""
    parts = ['"abc" ' * 90, "Abc Dab " * 90, '"abc" say Abc ' * 60, "abc " * 900]
    text = "\n\n".join(parts)
    passage = page_texts.choose_passage(text, [features.QUOTATION, "inside a name"])
    assert passage.startswith('"abc" say Abc ')


@pytest.mark.parametrize(
    "text, expected",
    [
        (f"{'A' * 72}\n{'b' * 69}\n\nc\n" + f"{'d' * 70}\n" * 9, 46),
        (f"{'a' * 70}\n{'b' * 20}\n" * 9, None),
        ("ab\n" * 30, None),
        ("\n", None),
    ],
    ids=["prose", "code", "names", "nothing"],
)
def test_a_text_that_was_broken_into_lines_is_known_by_their_lengths(text, expected):
    assert page_texts.least_full_line(text) == expected


@pytest.mark.parametrize(
    "text_name, text, expected",
    [
        ("anna", "", ["The ", "Dear "]),
        ("my.txt", "at Hat\nDad sat\nDad\nIda: at\nDad ate", ["The ", "Dad ", "at "]),
        ("chat", "2 at\n2 Dad\n3 hats", ["The ", "\n"]),
        (None, "", ["The "]),
    ],
)
def test_beginnings_suit_the_text_and_the_vocabulary(text_name, text, expected):
    """Those of a known text, without what the model cannot write, or what begins most lines. The model has no I."""
    run = mock.Mock(text_name=text_name, beginning=None) if text_name else None
    model = replace(random_network("\n 2DT[]adehrt"), run=run)
    assert page_texts.choose_beginnings(model, text) == expected


@pytest.mark.parametrize("beginning, opening", [(None, "at "), ("Dad ", "Dad ")])
def test_a_page_opens_with_a_beginning_of_its_text(target, beginning, opening):
    """The default "The " is for any text; one that the model has comes from its own."""
    model = random_network("\n DTadehst")
    model.beginning = beginning
    export_random(model, target, text=Text("x", "at the hat\n" * 40 + "Dad sat\n" * 9))
    assert entry_of(target, "opening")["prime"] == opening


@pytest.mark.parametrize(
    "text_name, title",
    [
        ("home/my texts/", "my texts"),
        ("home/one.txt, two.txt, anna", "one, two, Anna Karenina"),
        ("home/war, and peace.txt", "war, and peace"),
        ("\u202e" + "A" * 5000, "A" * 60 + "\u2026"),
        ("german", "90 novels of 1840 to 1920 (German)"),
    ],
)
def test_a_text_has_a_title_for_readers(text_name, title):
    """A folder also if it was given with a slash at its end, as a shell completes it; of several files each one."""
    assert page_texts.title_of(text_name) == title


@pytest.mark.parametrize(
    "of_run, title, sentence",
    [
        (
            dict(text_name="polish"),
            f"A machine that learned to write Polish from {READ}",
            f"learned to write Polish by reading {READ},",
        ),
        (
            dict(text_name="mine.txt", init_from="polish"),
            f"A machine that learned to write Polish from {READ}, and then from mine",
            f"learned to write Polish from {READ}, and then from <cite><bdi>mine</bdi></cite>,",
        ),
    ],
    ids=["of a language", "begun with it"],
)
def test_the_page_of_a_model_of_a_language_says_which(model, target, of_run, title, sentence):
    export_random(replace(model, run=replace(model.run, **of_run)), target, text=Text("x", TEXT))
    assert entry_of(target, "title") == title
    assert f"<title>{title}</title>" in content_of(target)
    assert f"computer program that {sentence}" in content_of(target)
