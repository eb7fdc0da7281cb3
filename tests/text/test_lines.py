"""Lists: by which rule they are recognised, and how they are shuffled."""

import contextlib
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from conftest import ROOT
from list_texts import GERMAN, LISTS, NAMES, OTHERS, PROSE, RECIPES

from charrnn.text import corpus
from charrnn.text.lines import is_list, items_of, shuffled


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


@pytest.mark.parametrize("length, expected", [(100, True), (101, False)])
def test_a_list_has_lines_of_100_characters_at_most(length, expected):
    lines = [f"Title {number} of a song" for number in range(300)]
    lines[7] = "T" * length
    assert is_list("\n".join(lines)) == expected


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
