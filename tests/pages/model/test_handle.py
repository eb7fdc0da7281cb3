"""The handle, which holds a direction of the memory while the network writes."""

import pytest

from charrnn.checkpoints.writing import Writing
from pages.browser import Keys, in_browser
from pages.model.reference import NAME, Hold, changed_words, held_text, whole
from pages.small_pages import entry_of

pytestmark = in_browser


def marked(view):
    """Return the words of the one text that are marked as changed, each with its number among its words."""
    words = view.js(
        "wordsOf(textOf(one.ids.slice(one.text.start))).flatMap((word, number) => cellsOf(one.paper, one.ids, "
        "one.text.start, word).every((cell) => cell.matches('.changed')) ? [[number, word[0]]] : [])"
    )
    return [(number, word) for number, word in words]


def assert_all_in_sight(view, height):
    """Check that the one text, the handle below it and the way back above it are in the window."""
    box = view.box("one")
    hold = view.box("hold")
    last = view.js("one.paper.cells.at(-1).getBoundingClientRect()")
    assert 0 <= view.box("release")["top"] < box["top"]
    assert box["top"] < last["bottom"] <= box["bottom"] <= hold["top"]
    assert hold["top"] < hold["bottom"] <= height


@pytest.mark.parametrize(
    "width, height, touch",
    [
        (360, 640, True),
        (390, 844, True),
        (768, 1024, False),
        (1280, 720, False),
        (1920, 1080, False),
    ],
)
def test_the_handle_rewrites_one_text_in_place(
    open_page, small_page, rounded, direction, width, height, touch
):
    """By mouse and by finger: while it moves and when it was let go, all in sight, the words that change marked."""
    view = open_page(small_page, width=width, height=height, touch=touch).ready()
    opening = entry_of(small_page, "opening")
    prime = opening["prime"]

    def expected(position):
        holds = [Hold(0, view.js(f"valueAt({position})"))]
        seed = opening["seed"]
        text = held_text(rounded, direction, prime, seed, Writing(0.5, 5), holds, length=200)
        return whole(text, prime)

    free = view.written()
    place = view.box("hold")
    view.drag(-1, touch=touch)
    view.wait("state.take.held === -1")
    first = view.held()
    assert first == expected(-1)
    assert not view["low"].is_displayed()
    assert view.box("hold") == place
    assert marked(view) == changed_words(first, free[: len(first)], prime)

    # Of one move, the words are marked that the whole of it changed.
    view.let_go(touch)
    view.drag(0, 0.5, 1, touch=touch)
    view.wait("state.take.held === 1")
    second = view.held()
    assert second == expected(1)
    assert marked(view) == changed_words(second, first, prime)
    assert marked(view)
    assert_all_in_sight(view, height)

    view.let_go(touch)
    assert view.held() == second
    assert "Held at" in view["hold-said"].text
    assert "handle=1" in view.js("location.hash")
    assert view.js("layOut().querySelectorAll('.picture-columns > div').length") == 1

    view.click("release")
    assert view["low"].is_displayed()
    assert not view["one"].is_displayed()
    assert "elsewhere" in view["colour-said"].text
    view.assert_nothing_wrong()


def test_the_handle_is_moved_by_the_keyboard_and_a_link_holds_the_direction_too(
    view, open_page, small_page
):
    """Also to the end where it already is. Another number is held by nobody, another seed by the same handle."""
    view.js("void (byId('hold').value = 1)")
    view["hold"].send_keys(Keys.END)
    assert view.js("state.take.held") == 1
    value_text = view.js("byId('hold').ariaValueText")
    assert value_text == f"held at the right end, {view.js('state.watched.ends[1]')}"

    view["hold"].send_keys(Keys.ARROW_LEFT)
    text = view.held()
    assert view.js("state.take.held") == 0.95
    assert view["hold-said"].text.startswith("Held at 98% of the way to")

    other = open_page(small_page, fragment=view.js("location.hash")).ready()
    assert other.held() == text
    assert other.js("Number(byId('hold').value)") == 0.95
    other.set("seed", 99)
    other.write(other.js("textOf(state.take.prime)"), 30)
    assert other.held() != text
    assert other.js("state.take.held") == 0.95
    other.click("another")
    assert other.js("state.take.held") is None
    assert not other["one"].is_displayed()


def test_the_handle_is_in_the_middle_while_nobody_holds_it(view):
    assert view.js("Number(byId('hold').value)") == 0
    view.write("the cat", 50)
    assert view.js("Number(byId('hold').value)") == 0


@pytest.mark.parametrize("held", [None, 0.5])
def test_a_swipe_that_begins_on_the_handle_scrolls_and_holds_nothing(open_page, small_page, held):
    """What was before comes back."""
    view = open_page(small_page, width=390, height=844, touch=True).ready()
    if held is not None:
        view.set("hold", held)
        view.held()
    value = view.js("byId('hold').value")
    box = view.box("hold")
    x = box["left"] + 0.25 * box["width"]
    y = box["top"] + box["height"] / 2
    view.point("touchStart", x, y)
    for step in range(1, 9):
        view.point("touchMove", x, y - 25 * step)
    view.point("touchEnd")
    view.wait("scrollY > 0")
    assert view.js("[state.take.held, byId('hold').value]") == [held, value]


def test_a_held_text_is_that_of_a_reference_in_float64(view, rounded, direction):
    """Held from the first character on, held elsewhere in the middle of it, and as the link writes it again."""
    view.js(
        "location.hash = arguments[0]",
        "#prime=the+cat&seed=5&length=120&temperature=1"
        f"&hold={NAME}:0.9&then=50~1~5~1~~_80~1~5~1~{NAME}:0.1~",
    )
    view.wait("state.take.seed === 5 && !state.isRunning")
    holds = [Hold(0, 0.9), Hold(50, None), Hold(80, 0.1)]
    settings = Writing(top_n=5)
    expected = held_text(rounded, direction, "the cat", 5, settings, holds, length=120)
    assert view.written() == expected
