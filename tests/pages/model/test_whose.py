"""The slider from the network that another one began with to more of its own text."""

from dataclasses import replace

import pytest
from conftest import CHARS

from charrnn.checkpoints.record import RunRecord
from charrnn.hyperparameters import Hyperparameters
from pages.browser import in_browser
from pages.small_pages import content_of, entry_of, export_random, fact_of, random_network

HYPER = Hyperparameters(lstm_size=6, num_layers=2, seed=1)


@pytest.fixture
def begun():
    """A network whose run began with another one, which lacks a letter."""
    start = random_network(CHARS.replace("d", ""), 7, 1, gain=0.8, seed=5)
    own = random_network(CHARS, 6, 2, gain=0.8, seed=6)
    run = RunRecord(HYPER, own.vocabulary, "mine.txt", "f00", init_from="anna")
    return replace(own, run=run, open_start=lambda: start)


@in_browser
def test_the_slider_leads_from_the_first_network_to_more_of_the_own_text(begun, open_page, target):
    export_random(begun, target, weights="float16")
    view = open_page(target).ready()
    assert view["whose-start"].text == "Anna Karenina"
    assert view["whose-own"].text == "mine"
    # One character to choose from: what int8 makes of the first network changes no text.
    view.set("top-n", 1)
    view.write("the ", 20)

    texts = {}
    for strength in (0, -1, -0.5, 0.6):
        view.set("contrast", strength)
        view.wait("!written.running && written.take.seen.length >= written.take.length")
        texts[strength] = view.written()
        assert texts[strength] == begun.write("the ", 20, top_n=1, contrast=strength)
    assert len(set(texts.values())) > 2

    view["link"].click()
    link = view.js("location.hash")
    other = open_page(target, fragment=link).ready()
    assert other.written() == texts[0.6]
    assert other.js("settings().contrast") == 0.6
    view.assert_nothing_wrong()


@in_browser
def test_a_network_that_began_with_none_has_no_slider(view, open_page, small_page):
    assert not view["whose"].is_displayed()
    other = open_page(small_page, fragment="#prime=the&contrast=0.5").ready()
    assert "cannot follow: contrast" in other["link-note"].text


def test_a_page_of_two_networks_has_them_in_int8(begun, target):
    export_random(begun, target)
    assert entry_of(target, "has_start")
    assert content_of(target).count('"kernel_0":{"type":"int8"') == 2
    assert fact_of(target, "Weights") == "int8"


def test_where_the_first_network_is_lost_the_page_has_its_own(begun, target):
    def open_start():
        raise ValueError("put the model again where it was")

    export_random(replace(begun, open_start=open_start), target)
    assert not entry_of(target, "has_start")
    assert content_of(target).count('"kernel_0":{"type":"float16"') == 1
