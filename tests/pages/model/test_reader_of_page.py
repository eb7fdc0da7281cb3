"""The reader of a page of a model, which chooses among sentences."""

from dataclasses import replace

import pytest
from conftest import TEXT

from charrnn.checkpoints.record import RunRecord
from charrnn.hyperparameters import Hyperparameters
from charrnn.text import lexicon
from charrnn.text.corpus import Text
from pages.browser import in_browser
from pages.small_pages import content_of, entry_of, export_random, random_network

pytestmark = in_browser

WORDS = ["a", "at", "hot", "moth", "the", "those"]
WRITING = {"temperature": 0.9, "top_p": 0.95, "best_of": 3}


@pytest.fixture
def of_run():
    """A network of a run, with its text and the words of a language."""
    network = random_network("\n ,.acdehmnost", 6, 2, gain=0.8, seed=6)
    hyper = Hyperparameters(lstm_size=6, num_layers=2, seed=1)
    run = RunRecord(hyper, network.vocabulary, "mine.txt", "f00", writing=WRITING)
    return replace(network, words=lexicon.pack(WORDS), train_text=Text("small", TEXT), run=run)


def test_what_a_reader_asks_for_is_written_as_the_run_writes(of_run, open_page, target):
    """No setting is touched. The page opens with texts that were measured, which are written otherwise."""
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


def test_a_page_has_a_short_text_unless_that_is_left_out(of_run, target):
    piece = "the mat, and the hat"
    assert piece in TEXT
    export_random(of_run, target)
    assert piece in content_of(target)
    export_random(of_run, target, shows_text=False)
    assert piece not in content_of(target)


@pytest.mark.parametrize(
    "link, best_of",
    [
        # of version 4.0, which had a contrast, and of 5.0, with guards
        ("then=3~0.6~5~1~~~0.5", [1, 1]),
        ("then=3~0.6~5~1~~~0.5~20~14~1~4", [1, 4]),
        ("best-of=4&contrast=0.5&no-copy=20&no-repeat=14&known-words=1", [4]),
    ],
)
def test_links_of_earlier_pages_open(small_page, open_page, link, best_of):
    view = open_page(small_page, fragment=f"#prime=the&length=9&{link}").ready()
    assert view.js("state.take.plan.map((entry) => entry.best_of)") == best_of
    assert not view["link-note"].is_displayed()


def test_where_a_page_cannot_keep_up_it_draws_fewer_sentences(of_run, open_page, target):
    """Each character takes so long that a link to it says so, and writes the same again."""
    export_random(of_run, target, weights="float16")
    slow = content_of(target).replace("const LEAST_SPEED = 60;", "const LEAST_SPEED = 1e9;")
    target.write_text(slow, "utf-8")
    view = open_page(target).ready()
    view.set("best-of", 12)
    view.write("the ", 60)
    written = view.written()
    assert view.js("state.take.plan.map((entry) => entry.best_of)") == [12, 4]

    view["link"].click()
    other = open_page(target, fragment=view.js("location.hash")).ready()
    assert other.written() == written
