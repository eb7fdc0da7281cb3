"""docs/anna.html, the page of the shipped model: `make page-of-anna` would write it again."""

import json
import os
import re

import numpy as np
import pytest
from conftest import ROOT
from pages import data_of, export_random, random_network

from charrnn.engines.model_file import open_model
from charrnn.inspection import webpage
from charrnn.inspection.stored import network_data, store

PAGE = ROOT / "docs" / "anna.html"
ADVICE = "docs/anna.html is out of date: run make page-of-anna"


@pytest.fixture(scope="module")
def content():
    return PAGE.read_text(encoding="utf-8")


def test_it_is_small_and_has_the_sources_of_today(content):
    network = json.loads(re.search(r'id="weights">(.*?)</script>', content, re.DOTALL).group(1))
    assert PAGE.stat().st_size < 5e6
    # a comparison by assert would print all of it
    if webpage.render(data_of(PAGE), network) != content:
        pytest.fail(ADVICE)


def test_it_has_the_weights_of_the_shipped_model(content):
    model = open_model("anna")
    if (
        f'id="weights">{webpage.to_json(network_data(model, store(model, "int8")))}</script>'
        not in content
    ):
        pytest.fail(ADVICE)


def test_it_has_what_the_views_need_today(tmp_path):
    export_random(random_network("\n .abc"), tmp_path / "page.html")
    assert list(data_of(PAGE)) == list(data_of(tmp_path / "page.html")), ADVICE


@pytest.mark.slow
def test_it_shows_the_units_and_the_loss_that_are_measured_today(tmp_path):
    """Numbers may differ in their last digits, because processors add in different orders."""
    if not os.environ.get("CHARRNN_DATA") and not (ROOT / "data" / "anna.txt").exists():
        pytest.skip("anna.txt is neither in data/ nor in CHARRNN_DATA")
    webpage.export_page(open_model("anna"), tmp_path / "page.html", weights="int8")
    assert_close(data_of(PAGE), data_of(tmp_path / "page.html"))


def assert_close(shipped, today):
    """Compare two values of JSON; numbers, also those within strings, may differ by 1%."""
    if isinstance(shipped, dict):
        assert list(shipped) == list(today), ADVICE
        shipped = list(shipped.values())
        today = list(today.values())
    if isinstance(shipped, list):
        assert len(shipped) == len(today), ADVICE
        for before, after in zip(shipped, today):
            assert_close(before, after)
    elif isinstance(shipped, str):
        number = r"\d+\.\d+"
        assert re.split(number, shipped) == re.split(number, today), ADVICE
        np.testing.assert_allclose(
            *[[float(each) for each in re.findall(number, text)] for text in (shipped, today)],
            rtol=0.01,
        )
    elif isinstance(shipped, (int, float)) and not isinstance(shipped, bool):
        # of values from -127 to 127, and of shares and correlations
        most = 2 if isinstance(shipped, int) else 0.01
        np.testing.assert_allclose(shipped, today, rtol=0.01, atol=most, err_msg=ADVICE)
    else:
        assert shipped == today, ADVICE
