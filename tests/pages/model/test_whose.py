"""The slider from the network that another one began with to more of its own text."""

from pages.browser import in_browser
from pages.small_pages import export_random

pytestmark = in_browser


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
        view.wait("!state.isRunning && state.take.seen.length >= state.take.length")
        texts[strength] = view.written()
        assert texts[strength] == begun.write("the ", 20, top_n=1, contrast=strength)
        said = view["whose-said"].text
        assert ("the handle at the top changes" in said) == (strength < 0)
    assert len(set(texts.values())) > 2

    view["link"].click()
    link = view.js("location.hash")
    other = open_page(target, fragment=link).ready()
    assert other.written() == texts[0.6]
    assert other.js("settings().contrast") == 0.6
    view.assert_nothing_wrong()


def test_a_network_that_began_with_none_has_no_slider(view, open_page, small_page):
    assert not view["whose"].is_displayed()
    other = open_page(small_page, fragment="#prime=the&contrast=0.5").ready()
    assert "cannot follow: contrast" in other["link-note"].text
