"""The guards of a page of a model, which its reader can switch."""

import re
from dataclasses import replace

import pytest
from conftest import TEXT

from charrnn.checkpoints.record import RunRecord
from charrnn.hyperparameters import Hyperparameters
from charrnn.text import lexicon
from charrnn.text.corpus import Text
from pages.browser import in_browser
from pages.small_pages import content_of, entry_of, export_random, random_network, script_of

pytestmark = in_browser

WORDS = ["a", "at", "hot", "moth", "the", "those"]
GUARDS = {"no-copy": 20, "no-repeat": 14, "known-words": 1}


@pytest.fixture
def guarded():
    """A network with what all guards need."""
    network = random_network("\n ,.acdehmnost", 6, 2, gain=0.8, seed=6)
    return replace(network, words=lexicon.pack(WORDS), train_text=Text("small", TEXT))


def test_guards_are_switched_on_and_a_link_has_them(guarded, open_page, target):
    export_random(guarded, target, weights="float16")
    assert entry_of(target, "guards") == {"no_copy": 20, "no_repeat": 14, "known_words": 1}
    view = open_page(target).ready()
    for name in ("temperature", "top-p"):
        view.set(name, 0.9)
    view.set("top-n", 14)
    view.write("the ", 60)
    free = view.written()
    seed = int(view["seed"].get_attribute("value"))
    how = {"temperature": 0.9, "top_n": 14, "top_p": 0.9, "seed": seed}
    assert free == guarded.write("the ", 60, **how)

    for name, value in GUARDS.items():
        view.set(name, value)
    view.write("the ", 60)
    written = view.written()
    on = {"no_copy": 20, "no_repeat": 14, "known_words": True}
    assert written == guarded.write("the ", 60, **on, **how) != free
    *whole, _ = re.findall("[a-z]+", written)
    assert set(whole) <= {*WORDS, *lexicon.forms_of(TEXT)}

    view["link"].click()
    other = open_page(target, fragment=view.js("location.hash")).ready()
    assert other.written() == written
    other.assert_nothing_wrong()


def test_what_a_reader_asks_for_is_written_as_the_run_writes(guarded, open_page, target):
    """No setting is touched. The page opens with texts that were measured, which are written otherwise."""
    writing = {
        "temperature": 0.9,
        "top_p": 0.95,
        "no_copy": 20,
        "no_repeat": 14,
        "known_words": True,
        "best_of": 3,
    }
    hyper = Hyperparameters(lstm_size=6, num_layers=2, seed=1)
    run = RunRecord(hyper, guarded.vocabulary, "mine.txt", "f00", writing=writing)
    of_run = replace(guarded, run=run)
    export_random(of_run, target, weights="float16")
    assert entry_of(target, "opening")["settings"]["best_of"] == 1
    view = open_page(target).ready()
    view.write("the ", 60)
    seed = int(view["seed"].get_attribute("value"))
    written = view.written()
    assert written == of_run.write("the ", 60, seed=seed)
    assert written != of_run.write("the ", 60, seed=seed, best_of=1)

    view["link"].click()
    link = view.js("location.hash")
    assert "best-of=3" in link
    other = open_page(target, fragment=link).ready()
    assert other.written() == written
    other.assert_nothing_wrong()


def test_a_page_has_hashes_in_place_of_its_text_and_offers_what_it_has(guarded, open_page, target):
    export_random(guarded, target, shows_text=False)
    assert "the mat, and the hat" not in content_of(target)
    assert len(script_of(content_of(target), "hashes")) > 100

    export_random(replace(guarded, train_text=None, words=None), target)
    view = open_page(target).ready()
    assert view.js("Object.values(data.guards).join()") == "0,0,0"
    assert view.js("document.querySelectorAll('.of-guards:not([hidden])').length") == 0
