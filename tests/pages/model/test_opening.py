"""What the page shows when it opens: its claim, two texts, and the evidence."""

import itertools
import json
from unittest import mock

import pytest
from conftest import CHARS, ROOT

from charrnn.checkpoints.writing import Writing
from charrnn.inspection import differences, units
from charrnn.pages import webpage
from charrnn.pages.page_data import PageData
from charrnn.text import features
from pages.browser import By, Keys, in_browser, waiting
from pages.model.reference import ENDS, Hold, held_text, texts_at, whole
from pages.small_pages import UNREAD, content_of, data_of, entry_of, script_of

pytestmark = in_browser

ANNA = ROOT / "docs" / "anna.html"


def claim_of(discovery):
    """Return the sentence with which the small page tells of a discovery."""
    if discovery["told"]:
        return "Slide, and it says h instead of t."
    verb = f"has an idea of this: {discovery['feature']}"
    if abs(discovery["correlation"]) >= 0.7:
        verb = features.BY_NAME[discovery["feature"]].claim
    return f"One of the 20 numbers in this network {verb}."


def test_it_opens_on_its_first_discovery_and_goes_on_to_the_next(view, small_page):
    claims = []
    for discovery in entry_of(small_page, "discoveries"):
        assert view.js("state.watched.unit") == discovery["unit"]
        claims.append(view["claim"].text)
        assert claims[-1] == claim_of(discovery)
        assert view["low"].is_displayed() == bool(discovery["told"])

        assert view["handle"].is_displayed() == bool(discovery["told"])

        if discovery["told"]:
            assert [view["left"].text, view["right"].text] == ["“t”", "“h”"]
            assert "Its ends differ like this in 29 of 32 texts" in view["hold-said"].text
        else:
            assert discovery["feature"] in view["strip-name"].get_attribute("textContent")
            assert f"{discovery['untrained']:.2f}" in view["evidence"].text
        view["another"].click()

    assert view["claim"].text == claims[0]
    assert len(set(claims)) == len(claims) > 1


def test_a_page_without_a_direction_says_why_and_shows_a_passage(open_random):
    """Its number has no handle. A link that holds it, of an earlier page, says what it cannot do."""
    found = (units.Tracking(units.Unit(2, 3, "2/c"), "end of a word", 0.9), 0.1)
    with mock.patch.object(units.Measured, "discoveries", return_value=[found]):
        view = open_random(CHARS)
    assert "a text of at least 4,000 characters, and this one has" in view["no-direction"].text
    assert view["followed"].is_displayed()
    assert "sees the end of a word coming" in view["claim"].text
    assert not view["handle"].is_displayed()

    view.js("location.hash = '#prime=the&unit=2/c/4&handle=0.5&hold=2/c/4:0.5'")
    view.wait("state.takes.length === 2")
    assert "cannot follow: hold, handle" in view["link-note"].text
    assert not view["one"].is_displayed()
    assert view.js("state.take.plan[0].direction") is None


def test_where_nothing_was_found_it_opens_on_surprise(open_random):
    with mock.patch.object(units.Measured, "discoveries", return_value=[]):
        view = open_random(" .ab")
    assert "surprises it" in view["claim"].text
    for name in ("handle", "another", "free-said"):
        assert not view[name].is_displayed(), name
    assert "bits" in view.js("byId('opening').innerHTML")


def test_the_first_text_comes_at_once_and_its_rest_to_read_along(open_page, small_page):
    view = open_page(small_page, still=False)
    view.wait("state.take?.seen.length >= AT_ONCE && state.isRunning")
    view.wait("state.take.seen.length > AT_ONCE + 20")
    view.click("another")
    assert view.js("state.isRunning")
    assert view.shown().startswith(entry_of(small_page, "opening")["prime"])


def test_another_number_can_be_asked_for_while_texts_are_written(open_page, small_page):
    """Also one of which nothing is told. The heads of the texts stay those of the number that wrote them."""
    view = open_page(small_page, still=False)
    view.wait("state.take?.seen.length >= AT_ONCE && state.isRunning")
    heads = view.js("sides.map(({ head }) => head.textContent.length)")
    view.click("another")
    view.wait("state.take.seen.length > AT_ONCE + 20")
    assert min(heads) > 0
    view.assert_nothing_wrong()


def test_nothing_moves_by_itself_for_who_prefers_less_motion(view):
    """It is all there."""
    assert view.js("[state.take.seen.length, state.isPlaying]") == [600, False]


@pytest.fixture
def opening(small_page):
    return entry_of(small_page, "opening")


def test_two_texts_are_those_of_a_reference_and_their_words_are_counted(
    view, open_page, small_page, opening, rounded, direction
):
    """Held at its two ends: by NumPy, and in float64. A link opens the same two, and the picture is of both."""
    prime = opening["prime"]
    seed = opening["seed"]
    settings = Writing(0.5, 5)

    shown = [view.shown("low"), view.shown("high")]
    for text, strength in zip(shown, ENDS):
        [of_numpy] = texts_at(rounded, direction, strength, prime, settings, [seed])
        assert text == whole(prime + of_numpy, prime)
        holds = [Hold(0, strength)]
        in_float64 = held_text(rounded, direction, prime, seed, settings, holds, length=200)
        assert text == whole(in_float64, prime)

    discovery, *_ = entry_of(small_page, "discoveries")
    difference = discovery["told"]
    evidence = view["evidence"].text
    for count in itertools.chain(*difference["counts"]):
        assert f" {count} time" in evidence

    # They are counted in the texts that are shown, too.
    for side, text in zip(("low", "high"), shown):
        counts = differences.counted([text[len(prime) :]])
        times = [counts[word] for [word] in difference["words"]]
        shown_times = view.js(
            f"[...document.querySelectorAll('#{side}-head span b')].map((each) => Number(each.textContent))"
        )
        assert shown_times == (times if side == "low" else times[::-1])
        telling = view.js(f"document.querySelectorAll('#{side} .telling').length")
        assert (telling > 0) == (sum(times) > 0)

    assert view.js("layOut().querySelectorAll('.picture-columns > div').length") == 2
    other = open_page(small_page, fragment=view.js("location.hash")).ready()
    assert [other.shown("low"), other.shown("high")] == shown


def test_ones_own_beginning_is_in_sight_on_a_low_screen(open_page, small_page):
    view = open_page(small_page, width=1280, height=720).ready()
    assert view.box("start")["bottom"] <= 720


@pytest.mark.parametrize("width, height", [(390, 844), (1280, 720)])
def test_the_counts_of_the_one_text_are_in_sight_beside_the_button(
    open_page, small_page, width, height
):
    view = open_page(small_page, width=width, height=height).ready()
    for position in (-1, 0.15, 1):
        view.set("hold", position)
        view.wait(f"state.take.held === {position} && byId('one-head').children.length === 3")
        view.held()
        # all at once, because the page may draw again
        *boxes, button, text = view.js(
            "[...byId('one-head').children, byId('release'), byId('one')]"
            ".map((part) => part.getBoundingClientRect())"
        )
        for box in boxes:
            assert box["right"] <= button["left"]
            assert box["bottom"] <= text["top"]


@pytest.mark.parametrize("width, height", [(360, 640), (768, 1024), (1280, 720)])
def test_ones_own_beginning_stands_below_the_handle(open_page, small_page, width, height):
    view = open_page(small_page, width=width, height=height).ready()
    assert 0 < view.box("prime")["top"] - view.box("hold")["bottom"] < 120


def test_a_number_that_no_text_tells_of_is_seen_in_a_passage(view, small_page):
    """The network reads it, and the number has no handle."""
    view.click("another")
    assert view["followed"].is_displayed()
    assert not view["opening"].is_displayed()
    assert view.shown("followed") == entry_of(small_page, "passage")
    assert "only reads" in view["does"].text
    assert "did not write this" in view["free-said"].text

    position = view.js("positionIn(passage.seen[40].activations)")
    alphas = view.alphas("followed")
    assert alphas[40] == pytest.approx(position, abs=0.001)
    assert not view["handle"].is_displayed()


def test_a_text_that_one_asks_for_stands_in_place_of_a_passage(view):
    view.click("another")
    view.write("the cat", 30)
    assert view["opening"].is_displayed()
    assert "writes" in view["does"].text
    # Of another number there is a passage again.
    view.set(
        "unit",
        view.js(
            "unitNames.find((name) => name !== state.watched.unit && name !== data.discoveries[0].unit)"
        ),
    )
    assert view["followed"].is_displayed()


@pytest.fixture
def page_of_lines(small_page, target):
    """The small page, with a first discovery of which line ends tell."""
    content = content_of(small_page)
    data = data_of(small_page)
    told = {
        "words": None,
        "counts": [[1], [20], [60]],
        "texts": 16,
        "sign": "\n",
        "seen": {"the ": 12},
    }
    data["discoveries"][0].update(told=told)
    network = json.loads(script_of(content, "weights"))
    target.write_text(
        webpage.render(PageData(**data), network, UNREAD),
        encoding="utf-8",
    )
    return target


def test_line_ends_that_tell_a_number_are_seen_and_counted(open_page, page_of_lines):
    """Also in the picture."""
    daring = "#prime=the&seed=3&temperature=2&top-n=14"
    view = open_page(page_of_lines, fragment=daring).ready()
    line_ends = [view.shown(side).count("\n") for side in ("low", "high")]
    assert min(line_ends) > 0
    for side, count in zip(("low", "high"), line_ends):
        assert view[f"{side}-head"].text.endswith(f"line ends: {count}")
        assert len(view.driver.find_elements(By.CSS_SELECTOR, f"#{side} .telling")) == count
    sign = "getComputedStyle(document.querySelector('#opening .line-end'), '::before').content"
    assert "\u21b5" in view.js(sign)
    assert "line ends 20 times" in view["evidence"].text
    assert "12 after" in view["evidence"].text

    pictured = view.js("piecesOf(layOut()).pieces.map(({ text }) => text).join('')")
    assert pictured.count("\u21b5") == sum(line_ends)


@pytest.fixture
def page_of_two(small_page, target):
    """The small page, with a second direction, which has another seed."""
    content = content_of(small_page)
    data = data_of(small_page)
    first, *of_units = data["discoveries"]
    second = {**first, "unit": "inside a name", "feature": "inside a name", "seed": 29}
    data["discoveries"] = [first, second, *of_units]
    [direction] = data["directions"]
    turned = [-number for number in direction["move"]]
    data["directions"].append({**direction, "name": "inside a name", "move": turned})
    network = json.loads(script_of(content, "weights"))
    target.write_text(
        webpage.render(PageData(**data), network, UNREAD),
        encoding="utf-8",
    )
    return target


def test_another_number_is_shown_with_the_seed_that_shows_it(open_page, page_of_two):
    """The way back leads to the first one, with its own."""
    view = open_page(page_of_two).ready()
    seed = view.js("state.take.seed")
    texts = [view.shown("low"), view.shown("high")]
    view.click("another")
    assert view.js("[state.take.seed, state.watched.unit === data.discoveries[1].unit]") == [
        29,
        True,
    ]
    assert view.ready().shown("low") != texts[0]

    view.driver.back()
    view.wait("state.watched.unit === data.discoveries[0].unit")
    view.ready()
    assert view.js("state.take.seed") == seed
    assert [view.shown("low"), view.shown("high")] == texts


def test_a_number_that_brings_its_own_text_leaves_the_other_text_held(open_page, page_of_two):
    """The way back leads to it."""
    view = open_page(page_of_two).ready()
    view.set("hold", 1)
    held = view.held()
    view.click("another")
    assert view.js("state.take.held") is None
    assert not view["one"].is_displayed()

    view.driver.back()
    view.wait("state.take === state.takes[0]")
    assert view.js("[state.take.held, byId('hold').value]") == [1, "1"]
    assert view["one"].is_displayed()
    assert view.held() == held


def test_a_number_of_the_strip_is_shown_with_its_seed_too(open_page, page_of_two):
    """Also after a number of which nothing is known."""
    view = open_page(page_of_two).ready()
    view.set("unit", view.js("unitNames.find((name) => discoveryOf(name) === undefined)"))
    view.set("unit", view.js("data.discoveries[1].unit"))
    assert view.js("state.take.seed") == 29


@pytest.mark.parametrize("fragment", ["#seed=123", "#prime=the+cat"])
def test_a_seed_or_a_beginning_of_a_link_stays(open_page, page_of_two, fragment):
    view = open_page(page_of_two, fragment=fragment).ready()
    seed = view.js("state.take.seed")
    view.click("another")
    assert view.js("[state.take.seed, state.watched.unit === data.discoveries[1].unit]") == [
        seed,
        True,
    ]


def test_a_link_to_another_number_with_the_seed_of_the_first_is_followed(open_page, page_of_two):
    seed = entry_of(page_of_two, "opening")["seed"]
    _, second, *_ = entry_of(page_of_two, "discoveries")
    fragment = f"#seed={seed}&unit={second['unit']}"
    view = open_page(page_of_two, fragment=fragment).ready()
    assert view.js("[state.take.seed, state.watched.unit]") == [seed, second["unit"]]


@pytest.mark.parametrize("name, value", [("seed", "123"), ("prime", "the cat")])
def test_a_seed_or_a_beginning_of_the_readers_own_stays(open_page, page_of_two, name, value):
    view = open_page(page_of_two).ready()
    view.set(name, value)
    view.click("start")
    seed = view.js("state.take.seed")
    view.click("another")
    assert view.js("[state.take.seed, state.watched.unit === data.discoveries[1].unit]") == [
        seed,
        True,
    ]


def test_the_shipped_page_shows_of_each_discovery_what_is_said(open_page):
    """Where words or line ends tell of it: in the two texts that the browser writes."""
    view = open_page(ANNA).ready()
    told = [discovery for discovery in data_of(ANNA)["discoveries"] if discovery["told"]]
    start = len(entry_of(ANNA, "opening")["prime"])
    for discovery in told:
        assert view.js("state.watched.unit") == discovery["unit"]
        low, high = view.shown("low")[start:], view.shown("high")[start:]
        assert differences.Difference(**discovery["told"]).margin(low, high) >= 1
        view.click("another")
        view.ready()


@pytest.fixture
def watched_handle(chromium):
    """The browser notes wherever the handle is in the document, from the first frame on."""
    source = """
      window.handleTops = new Set();
      function look() {
        const handle = document.getElementById("hold");
        if (handle?.checkVisibility()) {
          handleTops.add(handle.getBoundingClientRect().top + scrollY);
        }
        requestAnimationFrame(look);
      }
      requestAnimationFrame(look);"""
    script = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    yield
    chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("width, height", [(390, 844), (1280, 720)])
def test_the_handle_stays_where_it_is_while_texts_are_written(
    watched_handle, open_page, small_page, width, height
):
    """From before the page starts, through a text of one's own."""
    view = open_page(small_page, still=False, width=width, height=height).ready()
    assert view.js("[state.take.held, byId('hold').value]") == [None, "0"]
    view.set("seed", 77)
    view.write("the cat", 80)
    view.wait("sides.every(({ text }) => text.seen.length >= text.length)")
    assert len(view.js("[...handleTops]")) == 1


def test_the_texts_of_the_opening_are_in_the_document(chromium, open_page, small_page):
    """Without JavaScript too."""
    first, *_ = entry_of(small_page, "discoveries")
    prime = entry_of(small_page, "opening")["prime"]
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get(small_page.as_uri())
        shown = [chromium.find_element(By.ID, side).text.split() for side in ("low", "high")]
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert shown == [(prime + text).split() for text in first["texts"]]

    view = open_page(small_page).ready()
    assert [view.shown("low"), view.shown("high")] == [prime + text for text in first["texts"]]


def test_as_it_is_written_the_page_starts_and_the_handle_holds_its_direction(chromium, small_page):
    """Its script is a module, of which no test reaches the inside."""
    chromium.get(small_page.as_uri())
    wait = waiting(chromium)
    has_started = "return !document.querySelector('main').className"
    wait.until(lambda _: chromium.execute_script(has_started))

    chromium.find_element(By.ID, "hold").send_keys(Keys.HOME)
    text_held = "return document.getElementById('one').textContent"
    wait.until(lambda _: len(chromium.execute_script(text_held)) > 300)  # once for a screen reader
    assert not chromium.find_element(By.ID, "failure").is_displayed()


@pytest.fixture
def older_browser(chromium):
    """The browser without what browsers have since 2024."""
    script = chromium.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "delete Map.groupBy; delete Object.groupBy; delete ArrayBuffer.prototype.transfer;"
        },
    )
    yield
    chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_it_runs_where_what_browsers_have_since_2024_is_missing(
    older_browser, open_page, small_page
):
    view = open_page(small_page).ready()
    assert view.js("typeof Map.groupBy") == "undefined"
    assert view.js("strip.rows.length") == 20
