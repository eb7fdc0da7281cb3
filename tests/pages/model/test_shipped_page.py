"""docs/anna.html, the page of the shipped model: `make page-of-anna` would write it again."""

import json
import re

import numpy as np
import pytest
from conftest import ROOT, known_text

from charrnn.engines.opening import open_model
from charrnn.pages import webpage
from charrnn.pages.assembly import to_json
from charrnn.pages.page_data import PageData
from charrnn.pages.stored import network_data, store
from charrnn.version import __version__
from pages.small_pages import (
    UNREAD,
    content_of,
    data_of,
    export_random,
    fact_of,
    random_network,
    script_of,
)

PAGE = ROOT / "docs" / "anna.html"
ADVICE = "docs/anna.html is out of date: run make page-of-anna"
NUMBER = r"\d+\.\d+"


@pytest.fixture(scope="module")
def content():
    return content_of(PAGE)


def test_it_is_small():
    assert PAGE.stat().st_size < 5e6


def test_it_has_the_sources_of_today(content):
    network = json.loads(script_of(content, "weights"))
    # a comparison by assert would print all of it
    if webpage.render(PageData(**data_of(PAGE)), network, UNREAD) != content:
        pytest.fail(ADVICE)


def test_it_is_of_this_version():
    assert fact_of(PAGE, "Made by") == f"charrnn {__version__}", ADVICE


def test_it_has_the_weights_of_the_shipped_model(content):
    model = open_model("anna")
    network = network_data(model, store(model, "int8"))
    if script_of(content, "weights") != to_json(network):
        pytest.fail(ADVICE)


def test_it_has_what_the_views_need_today(target):
    export_random(random_network("\n .abc"), target)
    assert list(data_of(PAGE)) == list(data_of(target)), ADVICE


@pytest.mark.slow
def test_it_shows_the_units_and_the_loss_that_are_measured_today(target):
    """Numbers may differ in their last digits, because processors add in different orders."""
    known_text("anna")
    # a page links to the one on which a network learns, if that is beside it
    (target.parent / "learn.html").touch()
    webpage.export_page(open_model("anna"), target, weights="int8")
    assert_close(data_of(PAGE), data_of(target))


def assert_close(shipped, today):
    """Compare two values of JSON; numbers, also those within strings, may differ by 1%."""
    if isinstance(shipped, dict):
        assert list(shipped) == list(today), ADVICE
        assert_close(list(shipped.values()), list(today.values()))
    elif isinstance(shipped, list):
        assert len(shipped) == len(today), ADVICE
        for shipped_item, item_today in zip(shipped, today):
            assert_close(shipped_item, item_today)
    elif isinstance(shipped, str):
        assert re.split(NUMBER, shipped) == re.split(NUMBER, today), ADVICE
        numbers = [float(number) for number in re.findall(NUMBER, shipped)]
        numbers_today = [float(number) for number in re.findall(NUMBER, today)]
        np.testing.assert_allclose(numbers, numbers_today, rtol=0.01)
    elif isinstance(shipped, bool) or shipped is None:
        assert shipped == today, ADVICE
    else:
        # integers are values from -127 to 127, other numbers are shares and correlations
        most = 2 if isinstance(shipped, int) else 0.01
        np.testing.assert_allclose(shipped, today, rtol=0.01, atol=most, err_msg=ADVICE)
