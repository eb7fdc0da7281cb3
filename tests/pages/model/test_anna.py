"""docs/anna.html in windows of several sizes: opened once in each, for tests that leave it as it is."""

import pytest
from conftest import ROOT

from pages.browser import in_browser

pytestmark = in_browser

SMALLEST = (360, 640)
SIZES = [(390, 844), (768, 1024), (1280, 720), (1920, 1080), SMALLEST]


@pytest.fixture(scope="module", params=SIZES)
def size(request):
    """The width and the height of the window."""
    return request.param


@pytest.fixture(scope="module")
def shipped(open_page, size):
    """The page of the shipped model in a window of this size."""
    width, height = size
    page = ROOT / "docs" / "anna.html"
    opened = open_page(page, width=width, height=height, touch=width < 500).ready()
    yield opened
    opened.assert_nothing_wrong()


def test_the_claim_both_beginnings_and_the_handle_are_in_sight_at_first(shipped, size):
    _, height = size
    claim = shipped.box("claim")
    head = shipped.box("low-head")
    handle = shipped.box("hold")
    lines = shipped.js("sides.map(({ paper }) => paper.cells[60].getBoundingClientRect().bottom)")
    assert claim["bottom"] < head["bottom"] < lines[0] < handle["bottom"] <= height
    assert max(lines) <= height


@pytest.mark.parametrize("size", SIZES[: SIZES.index(SMALLEST)], indirect=True)
def test_the_two_texts_fit_their_boxes_and_end_with_whole_words(shipped):
    """No box can be scrolled. In the smallest window it can, so that the handle is in sight."""
    for side in ("low", "high"):
        assert shipped.js(f"byId('{side}').scrollHeight - byId('{side}').clientHeight") == 0
        text = shipped.shown(side)
        assert len(text) > 180
        assert not text[-1].isalpha()


def test_it_opens_with_telling_and_talking(shipped):
    assert shipped["claim"].text == "Slide from telling to talking."
    assert "30 of 32" in shipped["hold-said"].text
    assert "One number alone" in shipped["alone"].text


def test_both_texts_and_the_handle_are_seen_together_at_200_percent(open_page):
    """That is half of 1280 x 720."""
    view = open_page(ROOT / "docs" / "anna.html", width=640, height=360).ready()
    assert view.box("hold")["bottom"] - view.box("low-head")["top"] <= 360
    assert view.box("hold")["bottom"] - view.box("high-head")["top"] <= 360


def test_no_words_run_together_in_a_picture(shipped):
    """Line ends that are spaces on the page are spaces in its picture."""
    assert shipped.js("layOut().querySelector('.soft')") is not None
    words = set(shipped.js("layOut().textContent").split())

    # A word with a colour of its own may be a piece without the quotation mark before it.
    pieces = shipped.js("piecesOf(layOut()).pieces.map(({ text }) => text)")
    pictured = " ".join(pieces).split()
    glued = [part for part in pictured if not any(part in word for word in words)]
    assert glued == []


def test_a_text_goes_on_in_the_line_in_whose_middle_it_begins(shipped):
    """The network ends a line soon after a short beginning, as if that stood in the middle of one."""
    first_line_ends = (
        "[...sides.map(({ paper }) => paper), opening, guessing].map(({ cells }) => "
        "cells.find(({ textContent }) => textContent === '\\n'))"
    )
    assert max(shipped.js(f"{first_line_ends}.map(({{ place }}) => place)")) < 45
    spaces = shipped.js(f"{first_line_ends}.map((cell) => getComputedStyle(cell).whiteSpace)")
    assert spaces == ["normal"] * 4


def test_a_short_line_that_is_read_stays_on_its_own(shipped):
    shipped.read("Dear Anna,\nI do not know you.")
    assert shipped.js("yours.paper.cells[10].className") == "cell line-end"
