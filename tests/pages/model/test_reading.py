"""What the page shows while it reads: surprise, guesses and their reasons, the cell and the strip of all units."""

import itertools
import re

import numpy as np
import pytest
from conftest import CHARS, TEXT

from charrnn.engines.decoding import softmax
from charrnn.pages.stored import store, stored_model
from pages.browser import By, Keys, in_browser, signed_alpha
from pages.small_pages import random_network

pytestmark = in_browser


def test_a_text_of_ones_own_is_read_and_another_may_follow_at_any_time(open_random):
    view = open_random(CHARS, lstm_size=40)
    view.set("source", TEXT * 20)
    # In one expression, so that it is not read through in between.
    status = view.js("(byId('read-it').click(), byId('read-status').textContent)")
    assert re.fullmatch(r"Reading: [\d,]+ of 20,000 characters\.", status)
    assert "Only the first 20,000 characters are read." in view["read-note"].text

    view.read("the cat sat")
    assert view["read-status"].text.startswith("Read 11 characters, ")
    view.set("source", "!")
    view.click("read-it")
    assert view["read-note"].text == "The network knows none of these characters."
    assert view["read-status"].text == ""
    view.read("t")
    assert view["read-status"].text == "Read 1 character."


def test_the_caret_moves_and_says_what_was_expected(view):
    view.read("the cat\nsat on")
    for key, place in [
        (Keys.HOME, 0),
        (Keys.ARROW_RIGHT, 1),
        (Keys.ARROW_DOWN, 13),
        (Keys.ARROW_LEFT, 12),
        (Keys.ARROW_UP, 0),
        (Keys.END, 13),
        (Keys.ARROW_LEFT, 12),
        (Keys.HOME, 0),
        (Keys.ARROW_LEFT, 0),
    ]:
        view["yours"].send_keys(key)
        assert view.js("yours.paper.at") == place
    assert view["spoken"].get_attribute("textContent") == "t. This was the beginning."

    # Where there is no room below the character, the guesses stand above it.
    view["yours"].send_keys(Keys.END)
    view.js("scrollBy(0, yours.paper.cells[13].getBoundingClientRect().bottom - innerHeight + 9)")
    view["yours"].send_keys(Keys.END)
    top = view.js("yours.paper.cells[13].getBoundingClientRect().top")
    assert view.box("guesses")["bottom"] < top
    assert view["guesses"].is_displayed()
    assert view["guesses-before"].text == "he cat sat on"

    guesses = " ".join(row.text for row in view["guesses-list"].find_elements(By.TAG_NAME, "li"))
    expected = view.js(
        "[...yours.seen[13].guesses].map((each, at) => at % 2 ? percent(each) : glyph(chars[each]))"
    )
    assert guesses.split() == expected
    # Of 8 guesses, the character and its share.
    assert len(expected) == 16
    # This text cannot go on from there.
    assert not view["guesses-list"].find_elements(By.TAG_NAME, "button")


def test_the_cell_has_the_numbers_of_the_network(view, engine):
    view.read(TEXT[:160])
    view.set("unit", "2/h/3")
    view.js(
        "ask('trace', {key: 'yours', from: 99, to: 104, layer: 2, unit: 3}, (found) => {window.found = found})"
    )
    view.wait("window.found")
    input_gate, fresh, forget, output, memory, let_out = np.array(view.js("found.values")).T

    ids = engine.vocabulary.encode(TEXT[:160])
    expected, _ = engine.activations(ids, engine.zero_state())
    np.testing.assert_allclose(memory, expected[99:104, 2, 2], atol=1e-3)
    np.testing.assert_allclose(let_out, expected[99:104, 3, 2], atol=1e-3)
    kept_and_new = forget[1:] * memory[:-1] + input_gate[1:] * fresh[1:]
    np.testing.assert_allclose(memory[1:], kept_and_new, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(let_out, output * np.tanh(memory), atol=1e-5)

    view.js("goTo(yours, 100)")
    view["cell-on"].click()
    assert view.js("state.reading.at") == 101
    assert view["cell-character"].text == view.js("visible(chars[state.reading.ids[101]])")
    view["cell-back"].click()
    bar = "Number(byId('gate-forget').querySelector('.fill').style.transform.slice(7, -1))"
    view.wait(f"state.reading.at === 100 && Math.abs({bar} - {forget[1]}) < 6e-4")  # when it rests
    drawn = f"= {memory[1]:+.2f}, drawn as tanh({memory[1]:+.2f}) = {np.tanh(memory[1]):+.2f}"
    assert drawn.replace("-", "\u2212") in view["cell-sum"].text
    number = f"tanh {np.tanh(memory[1]):+.2f}".replace("-", "\u2212")
    assert view.js("inDrawing('#tank-memory .number').textContent") == number

    view.click("cell-play")
    view.wait("state.reading.at > 102")
    view.click("cell-play")
    assert not view.js("state.isPlaying")


def test_the_strip_shows_all_units_and_chooses_one(view):
    """By click, by key; a pixel has the colour of the value in the limits of the unit."""
    view.read(TEXT[:160])
    view.wait("strip.drawn === strip.to")
    num_units = view.js("unitNames.length")
    assert view.js("strip.rows.length") == num_units
    assert view.js("new Set(strip.rows).size") == num_units

    for key, row in [(Keys.HOME, 0), (Keys.ARROW_DOWN, 1), (Keys.END, -1), (Keys.ARROW_UP, -2)]:
        view["strip"].send_keys(key)
        unit = view.js("state.watched.unit")
        assert unit == view.js(f"strip.rows.at({row})")
        assert unit in view["strip"].get_attribute("aria-valuetext")

    view.js("byId('strip').scrollTop = 0")
    view.js(
        "byId('strip-canvas').dispatchEvent(((box) => new MouseEvent('click', {bubbles: true, "
        "clientX: box.left + box.width * 70.5 / 160, clientY: box.top + strip.tops[3] + 5}))("
        "byId('strip-canvas').getBoundingClientRect()))"
    )
    unit = view.js("state.watched.unit")
    assert unit == view.js("strip.rows[3]")
    assert view.js("state.reading.at") == 70
    *_, opacity = view.js(
        "[...byId('strip-canvas').getContext('2d').getImageData(state.reading.at, strip.tops[3], 1, 1).data]"
    )
    position = view.js("positionIn(state.reading.seen[70].activations)")
    assert opacity == pytest.approx(255 * abs(position), abs=3)

    # A unit that there is not is named, and nothing changes.
    view.set("unit", "9/c/1")
    assert view.js("state.watched.unit") == unit
    assert "no \u201c9/c/1\u201d" in view["unit-note"].text


LETTERS_LEFT_OUT = [(place, place + 1) for place in range(190, 240)]
WORDS_LEFT_OUT = [
    (40 + word.start(), 40 + word.end()) for word in re.finditer(r"\w+\s?|\W", TEXT[40:240])
]


def test_why_a_letter_was_expected_is_what_leaving_out_letters_or_words_before_it_changes(
    open_random,
):
    """By how many bits each of the 50 letters, or the words among 200, moved the guess: the shades, against NumPy.

    The scale is logarithmic, from a hundredth of a bit to four bits.
    """
    model = random_network(CHARS, lstm_size=9)
    engine = stored_model(model, store(model, "float16")).engine()
    ids = engine.vocabulary.encode(TEXT[:260])
    letters = ids[:240]

    def bits_after(read):
        logits, _ = engine.read(read, engine.zero_state())
        [probabilities] = softmax(logits)
        return np.log2(probabilities[ids[240]])

    bits_after_all = bits_after(letters)
    view = open_random(CHARS, lstm_size=9)
    view.read(TEXT[:260])
    view.js("yours.paper.moveTo(240)")
    for pieces in (LETTERS_LEFT_OUT, WORDS_LEFT_OUT):
        first, _ = pieces[0]
        view.wait(f"yours.paper.shaded.length === {240 - first}")
        shades = [
            signed_alpha(shade, negative="against")
            for shade in view.js("yours.paper.shaded.map((cell) => cell.style.boxShadow)")
        ]
        for start, end in pieces:
            moved = bits_after_all - bits_after(np.delete(letters, range(start, end)))
            strength = np.log(max(abs(moved), 1e-9) / 0.01) / np.log(400)
            expected = np.sign(moved) * np.clip(strength, 0, 1)
            np.testing.assert_allclose(shades[start - first : end - first], expected, atol=0.1)
        assert np.ptp(shades) > 0.5
        view.click("by-words")

    view["yours"].send_keys(Keys.ESCAPE)
    assert view.js("yours.paper.shaded.length") == 0


def test_what_is_copied_by_hand_is_the_text_once(view):
    text = "the cat\n\nsat on\nthe mat"
    view.read(text)
    first, last = (f"yours.paper.cells[{place}].firstChild" for place in (4, 14))
    selected = view.js(
        f"(getSelection().setBaseAndExtent({first}, 0, {last}, 1), String(getSelection()))"
    )
    assert selected == text[4:15].replace("\n\n", "\n")  # each paragraph on a line of its own
    all_of_it = view.js(
        "(getSelection().selectAllChildren(byId('yours-figure')), String(getSelection()))"
    )
    assert all_of_it.count("cat") == 1


def lie_apart(first, second):
    """Return whether two boxes lie beside or below each other, but for a pixel."""
    is_below = min(first["bottom"], second["bottom"]) <= max(first["top"], second["top"]) + 1
    is_beside = min(first["right"], second["right"]) <= max(first["left"], second["left"]) + 1
    return is_below or is_beside


def test_all_of_a_long_text_is_coloured_and_none_of_it_is_printed_as_a_strip(view):
    view.read(TEXT * 19)
    view["yours"].send_keys(Keys.END)
    assert view.js("yours.paper.at") == 19 * len(TEXT) - 1
    coloured = view.js(
        "yours.paper.cells.filter(({ style }) => style.backgroundColor.includes('bits')).length"
    )
    assert coloured == 19 * len(TEXT)

    view.command("Emulation.setEmulatedMedia", media="print")
    view.resize(700, 300)
    assert not view["strip"].is_displayed()
    for position in ("null", "1"):  # no text is cut, or lies over another
        view.js(f"void hold({position})")
        papers = view.js(
            "[...document.querySelectorAll('.side .paper, h2, #evidence')].filter((each) => "
            "each.checkVisibility({ visibilityProperty: true })).map((each) => "
            "[each.getBoundingClientRect(), each.scrollHeight])"
        )
        for box, height in papers:
            assert not height or height <= box["height"] + 1
        for first, second in itertools.combinations([box for box, _ in papers], 2):
            assert lie_apart(first, second)
    view.command("Emulation.setEmulatedMedia", media="")
