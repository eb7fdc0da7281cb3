"""Where else a number is high: in all of a known work, or in the passage."""

import re
from unittest import mock

import numpy as np
import pytest
from conftest import CHARS

from charrnn.inspection import places, units
from charrnn.text import corpus
from charrnn.text.corpus import KnownText, Text
from pages.browser import in_browser
from pages.small_pages import data_of, export_random, random_network

WORK = "".join(np.random.RandomState(1).choice(list(CHARS), 2500))
# with letters that the network does not know
AFTER = "the licence. " * 20
NETWORK = random_network(CHARS, gain=0.5)
UNIT = units.Unit(2, 3, "2/c")


@pytest.fixture
def export(target, monkeypatch):
    """A function that exports a page with one discovery, with a text of some name."""
    known = KnownText("known.txt", sha256="", addresses=(), after_the_work=len(AFTER))
    monkeypatch.setitem(corpus.KNOWN_TEXTS, "known", known)
    monkeypatch.setattr(places, "APART", 100)
    discovery = (units.Tracking(UNIT, "end of a word", 0.9), 0.1)

    def exported(name, **how):
        with mock.patch.object(units.Measured, "discoveries", return_value=[discovery]):
            export_random(NETWORK, target, text=Text(name, WORK + AFTER), **how)
        return data_of(target)

    return exported


def test_of_a_known_text_the_places_are_those_of_all_of_the_work(export):
    """And of nothing that stands after it."""
    data = export("known")
    assert data["work"] == {"name": "known", "letters": len(WORK)}
    [discovery] = data["discoveries"]
    engine = NETWORK.engine()
    states, _ = engine.activations(engine.vocabulary.encode(WORK), engine.zero_state())
    values = states[:, UNIT.part, UNIT.column]
    found = []
    for place in discovery["places"]:
        shown = f"{place['before']}{place['char']}{place['after']}"
        found.append(WORK.index(shown) + len(place["before"]))
        assert place["share"] == pytest.approx(found[-1] / len(WORK), abs=1e-4)
    assert len(found) == 5
    assert values[found[0]] == pytest.approx(values.max(), abs=0.01)
    assert list(values[found]) == sorted(values[found], reverse=True)


@pytest.mark.parametrize("name, how", [("mine.txt", {}), ("known", {"shows_text": False})])
def test_a_page_has_no_place_of_a_text_of_ones_own_or_that_is_not_to_be_shown(export, name, how):
    data = export(name, **how)
    assert data["work"] is None
    assert "places" not in data["discoveries"][0]


class TestInTheBrowser:
    pytestmark = in_browser

    def test_the_places_of_the_work_are_shown_to_who_asks(self, export, target, open_page):
        [discovery] = export("known")["discoveries"]
        view = open_page(target).ready()
        view["where"].click()
        lines = view["places"].text.splitlines()
        assert f"in all {len(WORK):,} letters of known" in view["places-said"].text
        assert len(lines) == 5
        for line, place in zip(lines, discovery["places"]):
            assert line.startswith(f"{100 * place['share']:.1f}%: ")
            assert re.sub(r"\s+", " ", place["after"]).strip() in line

    def test_of_what_is_no_discovery_those_of_the_passage_are(self, export, target, open_page):
        export("known")
        view = open_page(target).ready()
        view.js("void watch('1/h/2')")
        view["where"].click()
        assert "in a passage of the training text" in view["places-said"].text
        assert view["places"].text.startswith("letter ")
