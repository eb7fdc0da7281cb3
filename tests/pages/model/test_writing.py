"""What the page writes, links to and saves."""

import re

import numpy as np
import pytest
from conftest import TEXT

from charrnn.checkpoints.writing import Writing
from charrnn.engines.sampler import Sampler
from charrnn.engines.surprisal import surprisal
from pages.browser import By, Keys, in_browser, served

pytestmark = in_browser


def continued(engine, prime, length, settings, seed):
    """Return a beginning and what charrnn-sample writes after it."""
    [sample] = Sampler(engine).write(prime, length, settings, seed=seed)
    return prime + sample.text


def test_a_beginning_is_continued_as_charrnn_sample_does(view, engine):
    """The same seed and settings, and the weights of the page: the same text."""
    view.set("temperature", 0.8)
    view.set("top-n", 4)
    view.set("top-p", 0.9)
    view.set("seed", 5)
    view.write("the cat", 80)
    expected = continued(engine, "the cat", 80, Writing(0.8, 4, 0.9), seed=5)
    assert view.written() == expected
    assert view.shown() == expected
    assert view.shown("guessing") == expected
    assert view.js("document.querySelector('#opening .unseen').textContent") == expected


def test_text_streams_and_can_be_stopped_and_continued(view):
    view.set("length", 5000)
    view.set("speed", 150)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("state.take.seen.length > 10")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped after")
    stopped = view.written()

    view.driver.find_element(By.CLASS_NAME, "go-on").click()
    view.wait_for("write-status", "Wrote 240 characters")
    text = view.written()
    assert text.startswith(stopped)
    assert len(text) == len(stopped) + 240


def test_a_text_keeps_the_settings_that_change_while_it_is_written(view, open_page, small_page):
    """The link writes it again, with each change at its place; another version keeps its own."""
    view.set("length", 10000)
    view.set("speed", 150)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("state.take.seen.length > 10")
    view.set("top-n", 1)
    assert view["top-n-value"].get_attribute("textContent") == "1"
    # The likeliest characters end in a loop.
    view.wait("/(.{1,30})\\1{3}$/s.test(textOf(state.take.ids.slice(-200)))")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped after")

    text = view.written()
    fragment = view.js("location.hash")
    view.set("temperature", 1.9)
    view.set("seed", 77)
    view["link"].click()
    assert view.js("location.hash") == fragment
    assert "seed=77" not in fragment

    other = open_page(small_page, fragment=fragment).ready()
    assert other.written() == text
    assert other.js("settings().top_n") == 1


def test_a_beginning_can_be_changed_while_another_is_read_or_written(view):
    """The text is the last beginning's, with nothing from the others, however often one clicks."""
    view.set("length", 40)
    view.set("speed", "Infinity")
    view.js(
        "[...Array(60).keys()].forEach((each) => { byId('prime').value = 'the '.repeat(each + 1); startWriting();"
        "byId('another').click(); })"
    )
    view.js("(byId('prime').value = 'the hat'.repeat(500), startWriting())")
    view.wait("state.take === state.takes.at(-1) && !state.isRunning")
    assert re.fullmatch("(the hat){500}.{40}", view.written(), re.DOTALL)
    assert view.shown() == view.written()
    assert view["write-status"].text.startswith("Wrote 40 characters")


def test_unknown_characters_of_a_beginning_are_named(view):
    view.write("THE\u00e9!", 20)
    assert view["prime-unknown"].text.endswith("\u00e9 became e, ! was left out.")

    view["prime"].clear()
    view["prime"].send_keys("!", Keys.ENTER)
    assert view["prime-unknown"].text == "The network knows none of these characters."
    assert view["write-status"].text == ""

    view.js("(byId('prime').value = 'a'.repeat(1e6), startWriting())")
    assert view.js("state.takes.at(-1).prime.length") == 20000
    assert "Only the first 20,000" in view["prime-unknown"].text
    view["prime"].send_keys(Keys.ESCAPE)


def test_each_character_is_coloured_by_its_probability_its_surprise_and_the_units(view, engine):
    view.write("the cat", 60)
    ids = engine.vocabulary.encode(view.written())
    nats = surprisal(engine, ids)[6:]
    np.testing.assert_allclose(view.alphas("guessing", 7), np.exp(-nats), atol=0.002)

    activations, _ = engine.activations(ids, engine.zero_state())  # [T, S, L]
    activations[:, [0, 2]] = np.tanh(activations[:, [0, 2]])
    for unit, part in [("2/h/4", 3), ("1/c/4", 0)]:
        view.set("unit", unit)
        least, most = np.array(view.js("state.watched.limits")) / 127
        position = 2 * (activations[7:, part, 3] - least) / (most - least) - 1
        alphas = view.alphas("opening", 7)
        np.testing.assert_allclose(alphas, np.clip(position, -1, 1), atol=0.02 / (most - least))

    view.read(TEXT[:200])
    bits = surprisal(engine, engine.vocabulary.encode(TEXT[:200])) / np.log(2)
    np.testing.assert_allclose(view.alphas("yours.paper", 1), np.minimum(bits / 8, 1), atol=0.002)


def test_another_character_is_gone_on_from_and_versions_are_kept(view, engine):
    """The text is what charrnn-sample writes after the text up to that character; by the keyboard alone."""
    view.set("seed", 3)
    view.set("temperature", 1)
    view.write("the ", 30)
    first = view.written()
    for key in (Keys.HOME, *[Keys.ARROW_RIGHT] * 6, Keys.TAB):
        view["guessing"].send_keys(key)
    assert view.js("guessing.at") == 6
    assert view.js("document.activeElement === byId('guesses-list').querySelector('button')")
    assert "Probability" in view["spoken"].get_attribute("textContent")

    chosen = view.js(
        "state.take.seen[2].guesses.find((id, at) => at % 2 === 0 && id !== state.take.ids[6])"
    )
    glyph = view.js(f"glyph(chars[{chosen}])")
    rows = view["guesses-list"].find_elements(By.TAG_NAME, "button")
    row = next(row for row in rows if row.text.split()[0] == glyph)
    row.send_keys(Keys.ENTER)
    view.wait("state.takes.length === 3 && !state.isRunning")
    beginning = first[:6] + view.js(f"chars[{chosen}]")
    second = continued(engine, beginning, 29, Writing(top_n=5), seed=3)
    assert view.written() == second
    assert view.shown("guessing") == second
    places = "[...document.querySelectorAll('#guessing .chosen')].map(({ place }) => place)"
    assert view.js(places) == [6]

    fragment = view.js("location.hash")
    view.driver.back()
    view.wait("state.take === state.takes[1]")
    assert view.shown() == first
    assert view.js("location.hash") != fragment
    view.driver.forward()
    view.wait("state.take === state.takes[2]")

    # When the page is loaded again, the texts come from their links.
    view.driver.refresh()
    view.ready()
    assert view.written() == second
    view.driver.back()
    view.wait("state.take === state.takes[1] && !state.isRunning")
    assert view.written() == first


def test_by_touch_another_letter_is_gone_on_from(open_page, small_page):
    view = open_page(small_page, width=360, height=740, touch=True).ready()
    view.set("speed", "Infinity")
    controls = "[...document.querySelectorAll('main :is(button, input:not([type=radio]), textarea, select)')]"
    small = f"{controls}.filter((each) => each.checkVisibility() && each.offsetHeight < 44).length"
    assert view.js(small) == 0

    view.js("guessing.cells[30].scrollIntoView({ block: 'end' })")
    view.tap("guessing.cells[30]")
    view.wait("!byId('guesses').hidden")
    heights = view.js(
        "[...document.querySelectorAll('#guesses button')].map((row) => row.offsetHeight)"
    )
    assert min(heights) >= 44
    line = view.js("guessing.cells[30].getBoundingClientRect()")
    box = view.box("guesses")
    assert line["bottom"] <= box["top"] < box["bottom"] <= 740  # both are in sight

    view.tap(
        "[...document.querySelectorAll('#guesses button')].findLast((row) => !row.querySelector('.framed'))"
    )
    view.wait(
        "state.takes.length === 2 && !state.isRunning && state.take.seen[30 - state.take.prime.length].isChosen"
    )
    assert view.js("document.activeElement.id") == "guessing"


@pytest.mark.parametrize(
    "wrong, field, expected",
    [
        ("length=20000", "length", [10000, 9]),
        ("length=0", "length", [1, 9]),
        ("seed=-5", "seed", [30, 0]),
        ("seed=5e20", "seed", [30, 2**32 - 1]),
        ("temperature=y", "temperature", [30, 9]),
        ("top-n=99", "top-n", [30, 9]),
        ("prime=", "prime", [30, 9]),
        ("prime=!", "prime", [30, 9]),
        ("unit=%3Cb%3E", "unit", [30, 9]),
        ("hold=9/c/1:0.5", "hold", [30, 9]),
        ("hold=1/c/1:0.5", "hold", [30, 9]),
        ("handle=x", "handle", [30, 9]),
        ("then=5~x_~~", "then", [30, 9]),
        ("then=3~0.6~5~1~~length", "then", [30, 9]),
    ],
)
def test_a_link_with_a_wrong_field_writes_all_the_same_and_says_so(view, wrong, field, expected):
    """The rest of it counts. Nothing later throws."""
    name, _ = wrong.split("=")
    right = {"prime": "prime=a+cat", "length": "length=30", "seed": "seed=9"}
    right.pop(name, None)
    view.js("location.hash = arguments[0]", "#" + "&".join([wrong, *right.values()]))
    view.wait("state.takes.length === 2 && (!state.isRunning || state.take.seen.length > 50)")
    assert view.js("[state.take.length, state.take.seed]") == expected
    assert field in view["link-note"].text
    assert view.written().startswith("the" if name == "prime" else "a cat")
    assert "NaN" not in view.js("document.body.innerText")

    view["prime"].send_keys(Keys.ESCAPE)
    view.wait("!state.isRunning")
    view.click("another")


def test_from_disk_only_the_settings_are_copied_and_it_is_said(open_page, with_names, small_page):
    with served(with_names(small_page).parent) as site:
        for page, copied, note in [
            (small_page, "location.hash", "This page is a file"),
            (f"{site}/{small_page.name}", "location.href", "writes this very text again"),
        ]:
            view = open_page(page).ready()
            view.js(
                "void (document.execCommand = () => Boolean(window.copied = document.activeElement.value))"
            )
            view["link"].click()
            assert view.js("copied") == view.js(copied)
            assert "prime=" in view.js("copied")
            assert note in view["link-note"].text
    view.js("void (document.execCommand = () => false)")
    view["copy"].click()
    assert "does not let this page copy" in view["write-status"].text


def test_the_whole_text_is_saved_as_pictures(view):
    """A long one as several."""
    view.js(
        "void (HTMLAnchorElement.prototype.click = function () { (window.saved ||= []).push(this.download); })"
    )
    view.write("the cat", 80)
    view["picture"].click()
    view.wait("window.saved?.length === 1")

    # Not all that was written is on the page yet.
    view.js("(state.take.ids.push(...Array(300).fill(0)), byId('picture').click())")
    view.js("setTimeout(() => { throw 'late'; })")
    view.wait("window.saved?.length === 2")
    view.js(
        "(sides[0].paper.sheet.append(...Array.from({ length: 400 }, () => make('div', 'block', make('span', "
        "'cell', 'a')))), byId('picture').click())"
    )
    # The browser makes the pictures side by side, so they come in any order.
    view.wait("[1, 2, 3].every((number) => window.saved.includes(`written-${number}.png`))")
    assert "written.png" in view.js("saved")

    # An error that comes later is not one of the page.
    assert not view["failure"].is_displayed()
    [message, *_] = view.driver.get_log("browser")
    assert "late" in message["message"]

    # The paper, the ink and its edges, and the tints of words.
    colours = view.js(
        "((canvas) => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, "
        "canvas.height).data.buffer)).size)(drawPictures(layOut())[0])"
    )
    assert colours > 50
