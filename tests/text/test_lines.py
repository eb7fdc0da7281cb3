"""Lists: by which rule they are recognised, how they are shuffled, and how a text begins."""

import contextlib
import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, with_output
from list_texts import CHAT, GERMAN, LISTS, NAMES, OTHERS, PROSE, RECIPES

from charrnn import open_model, train_model
from charrnn.commands import sample
from charrnn.engines.sampler import default_prime
from charrnn.text import corpus
from charrnn.text.lines import is_list, items_of, shuffled
from charrnn.training.job import plan_job


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_recognised(name):
    assert is_list(LISTS[name])


@pytest.mark.parametrize("name", LISTS)
def test_a_shuffled_list_is_a_list(name):
    assert is_list(shuffled(LISTS[name]))


@pytest.mark.parametrize("name", OTHERS)
def test_prose_verse_dialogue_and_code_are_no_lists(name):
    assert not is_list(OTHERS[name])


@pytest.mark.parametrize(
    "text, expected",
    [(RECIPES, True), (PROSE, False), (GERMAN, False)],
    ids=["recipes", "prose", "German prose"],
)
def test_the_order_of_lines_does_not_matter(text, expected):
    """Also not that of lines of about the same length, as recipes have, but broken prose is no list."""
    lines = text.splitlines(keepends=True)
    orders = [np.random.RandomState(seed).permutation(lines) for seed in range(50)]
    assert {is_list("".join(order)) for order in orders} == {expected}


@pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)
def test_the_page_of_learning_has_the_same_rule():
    program = (
        f"const {{ isList }} = require('{ROOT}/tests/pages/shared/load.js')('isList');"
        "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map(isList)))"
    )
    thrice = [3 * text for text in OTHERS.values()]
    texts = [*LISTS.values(), *OTHERS.values(), *thrice, RECIPES, GERMAN]
    output = subprocess.check_output(["node", "-e", program], input=json.dumps(texts).encode())
    assert json.loads(output.decode()) == list(map(is_list, texts))


@pytest.mark.parametrize("without_blank_lines", [False, True])
def test_anna_is_no_list(anna, without_blank_lines):
    text = re.sub("\n+", "\n", anna) if without_blank_lines else anna
    assert not is_list(text)


def test_the_other_known_texts_are_no_lists():
    texts = [corpus.read("python").text]
    with contextlib.suppress(ValueError):  # it is not on this machine
        texts.append(corpus.read("tiny-shakespeare").text)
    assert not any(map(is_list, texts))


# How lines are shuffled


# 60 lines with blank lines after every second one, without the last four characters, "\n \n" and a line end.
# "\u2028" and "\x0b" end a line elsewhere, but not here.
LINES = "".join(f"{number}\u2028\x0b{number}\n" + "\n \n" * (number % 2) for number in range(60))
LINES = LINES[:-4]


def test_lines_are_shuffled_with_the_blank_lines_after_them():
    assert sorted(items_of(shuffled(LINES))) == sorted(items_of(LINES + "\n"))


def test_only_a_line_feed_ends_a_line():
    assert len(items_of(shuffled(LINES))) == 60


def test_shuffled_lines_have_another_order():
    assert items_of(shuffled(LINES)) != items_of(LINES + "\n")


def test_a_text_without_a_line_end_gets_one():
    assert shuffled("b") == "b\n"


def test_blank_lines_before_the_first_line_are_kept():
    assert sorted(shuffled("\n\na")) == ["\n", "\n", "\n", "a"]


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_order_is_the_same_in_every_version(end):
    """Otherwise the text of a run would not be known."""
    assert shuffled("0\n1\n2\n3\n4\n5\n6\n7" + end) == "4\n6\n3\n0\n2\n5\n1\n7\n"


# The names that come with the package


def test_the_names_have_no_repeats():
    names = NAMES.splitlines()
    assert len(names) == len(set(names)) > 1900


def test_the_names_are_sorted():
    names = NAMES.splitlines()
    assert names == sorted(names)


def test_the_names_have_no_more_characters_than_anna():
    assert len(set(NAMES)) <= 83


# How a text begins


@pytest.mark.parametrize(
    "text, prime",
    [
        (RECIPES.replace("Apfelkuchen", "Gem\u00fcseauflauf"), "Gem\u00fcseauflauf "),
        (CHAT, "Anna: "),
        (GERMAN, "Er "),
        (GERMAN + "The End", "Er "),
        ("The cat. A cat.\n" * 50 + GERMAN, "The "),
        ("\u4e00\u7684The, \n" * 90, "The "),
        # ingredients
        ("200 g Mehl\n1/2 l Milch\n3 Eier, frisch\nBacken und essen\n" * 9, "\n"),
        # CSV
        ("00M,Thigpen,Bay Springs,MS\n00R,Livingston,Polk County,TX\n" * 9, "\n"),
        # a page of a manual
        (".B foo\n.I bar baz\nRun it twice\n" * 9, "\n"),
        # a script whose vowels are signs behind a letter
        ("\u0928\u0940\u0932\u093e \u0939\u0948\n" * 60, "\u0928\u0940\u0932\u093e "),
    ],
)
def test_a_text_begins_with_the_most_frequent_first_word(text, prime):
    """Of a paragraph, a line, or a sentence in prose."""
    sizes = dict(batch_size=2, num_steps=30)
    record = plan_job(corpus.Text("text", text), sizes, "run").record
    assert default_prime(record.vocabulary, record.beginning) == prime


# The lines that go on within a paragraph begin with "and".
VERSES = "The sea\nand sand\nand foam\n\n" * 4 + "Gulls cry\nand fly\n\n" * 3


@pytest.mark.parametrize(
    "init_from, prime", [(None, "The "), ("anna", "Gulls ")], ids=["anew", "with a model"]
)
def test_a_run_that_began_with_a_model_does_not_begin_with_the(init_from, prime):
    """Its texts begin as the paragraphs of its own text do."""
    sizes = dict(batch_size=2, num_steps=30)
    model = init_from and open_model(init_from)
    record = plan_job(corpus.Text("text", VERSES), sizes, "run", init_from=model).record
    assert default_prime(record.vocabulary, record.beginning) == prime


@pytest.fixture(scope="module")
def run_and_output(tmp_path_factory):
    """A run on CHAT, and what it printed."""
    return with_output(
        train_model,
        CHAT,
        tmp_path_factory.mktemp("chatting") / "run",
        lstm_size=5,
        num_layers=1,
        batch_size=2,
        num_steps=300,
        epochs=1,
        sample_length=30,
        summaries=False,
    )


@pytest.fixture
def chatting(run_and_output):
    """That run."""
    run, _ = run_and_output
    return run


def test_samples_of_a_run_begin_as_its_text_does(run_and_output):
    _, out = run_and_output
    assert f"\n{'-' * 70}\nAnna: " in out


def test_an_exported_model_begins_as_its_text_does(chatting, tmp_path):
    """The training text is not needed any more."""
    chatting.model.save(tmp_path / "m.npz")
    assert open_model(tmp_path / "m.npz").write(length=9).startswith("Anna: ")


def test_the_command_begins_as_the_text_does(chatting, tmp_path, capsys):
    chatting.model.save(tmp_path / "m.npz")
    assert sample.main([str(tmp_path / "m.npz"), "--length", "9"]) == 0
    assert capsys.readouterr().out.startswith("Anna: ")


def test_a_run_of_version_3_0_records_no_beginning(chatting):
    model = chatting.model
    older = replace(model, run=replace(model.run, beginning=None))
    assert older.write(length=9).startswith(default_prime(older.vocabulary))


@pytest.mark.parametrize("length, expected", [(100, True), (101, False)])
def test_a_list_has_lines_of_100_characters_at_most(length, expected):
    lines = [f"Title {number} of a song" for number in range(300)]
    lines[7] = "T" * length
    assert is_list("\n".join(lines)) == expected
