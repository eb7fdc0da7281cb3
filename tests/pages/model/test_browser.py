"""The page in a real browser: Debian's chromium, driven by selenium. Skipped where they are not installed."""

import contextlib
import functools
import http.server
import itertools
import json
import re
import shutil
import threading
from unittest import mock

import numpy as np
import pytest
from conftest import CHARS, ROOT, TEXT
from pages import HOSTILE, data_of, export_random, random_network, with_names

from charrnn.engines.decoding import Settings, softmax
from charrnn.engines.model_file import open_model
from charrnn.engines.sampler import Sampler
from charrnn.engines.surprisal import surprisal
from charrnn.inspection import clamped, features, units, webpage
from charrnn.inspection.stored import store, stored_model

selenium = pytest.importorskip(
    "selenium", reason="selenium is not installed: pip install -e '.[test]'"
)
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 200  # seconds, for a machine that does other things as well

pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="there is no Chromium with its driver: apt-get install chromium chromium-driver",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@contextlib.contextmanager
def started(profile):
    """Start a browser."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with started(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def engine(exported):
    """The NumPy engine with the weights of the small page."""
    model = open_model(exported)
    return stored_model(model, store(model, "float16")).engine()


def told(*texts):
    """In place of clamped.compare, for words of a network that has learned none."""
    counts = [[clamped.counted(each)[word] for word in "th"] for each in texts]
    return {"words": [["t"], ["h"]], "counts": counts, "texts": len(texts[0])}


@pytest.fixture(scope="module")
def small_page(exported, tmp_path_factory):
    """The page of a network that is too small to discover much: what it tracks at all counts, and what it then says."""
    path = tmp_path_factory.mktemp("page") / "small.html"

    def discoveries(measured, _):
        claimed = [
            each
            for each, *_ in measured.best(1, least=0.05)
            if features.BY_NAME[each.feature].claim or abs(each.correlation) < 0.5
        ]
        return [*{each.unit: (each, 0.12) for each in claimed}.values()][:3]

    first = iter([True])  # of the others no word tells
    with mock.patch.object(units.Measured, "discoveries", discoveries), mock.patch.object(
        clamped, "compare", lambda *texts: told(*texts) if next(first, False) else None
    ):
        webpage.export_page(open_model(exported), path)
    return path


class View:
    """A page that is open in the browser, with what the tests do to it."""

    def __init__(
        self, driver, address, fragment="", width=1000, height=900, still=True, touch=False
    ):
        self.driver = driver
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {
                "features": [
                    {
                        "name": "prefers-reduced-motion",
                        "value": "reduce" if still else "no-preference",
                    }
                ]
            },
        )
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch},
        )
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        driver.get("about:blank")
        driver.get_log("browser"), driver.get_log("performance")
        driver.get(
            f"{address if isinstance(address, str) else with_names(address).as_uri()}{fragment}"
        )

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def js(self, expression, *args):
        return self.driver.execute_script(f"return {expression}", *args)

    def wait(self, expression):
        WebDriverWait(self.driver, PATIENCE, 0.02).until(lambda _: self.js(expression), expression)

    def wait_for(self, name, text):
        """Wait until an element shows a text."""
        self.wait(f"byId('{name}').textContent.includes({json.dumps(text)})")

    def ready(self):
        """Wait until the page has written its first text, and read its passage."""
        self.wait("written.take && !written.running")
        self.wait(
            "!watched.told || pair.sides.every(({ text }) => text.seen.length >= text.length)"
        )
        self.wait("reading.known === reading.ids.length")
        return self

    def set(self, name, value):
        """Set a field or a slider as a person would."""
        self.js(
            "(arguments[0].value = arguments[1], arguments[0].dispatchEvent(new Event('input', {bubbles: true})),"
            "arguments[0].dispatchEvent(new Event('change', {bubbles: true})))",
            self[name],
            value,
        )

    def click(self, name):
        """Click an element where it is, without scrolling to it first."""
        self.js(f"byId('{name}').click()")

    def tap(self, element):
        """Tap an element, given as JavaScript, with a finger."""
        x, y = self.js(
            f"(({{ left, top, width, height }}) => [left + width / 2, top + height / 2])(({element})"
            ".getBoundingClientRect())"
        )
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            self.driver.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )

    def drag(self, *positions, touch=False):
        """Take the handle where it is, and move it to positions between its ends, -1 and 1, without letting go."""
        x, y, width = self.js(
            "(({ left, top, width, height }) => [left + width / 2, top + height / 2, width - 36])("
            "byId('hold').getBoundingClientRect())"
        )
        kinds = ["touchStart", "touchMove"] if touch else ["mousePressed", "mouseMoved"]
        for number, position in enumerate([self.js("Number(byId('hold').value)"), *positions]):
            self.point(kinds[number > 0], x + position * width / 2, y)

    def point(self, kind, x=0, y=0):
        """Send an event of the mouse, whose button is down, or of a finger."""
        if kind.startswith("touch"):
            points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            self.driver.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )
        else:
            self.driver.execute_cdp_cmd(
                "Input.dispatchMouseEvent",
                {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1},
            )

    def held(self):
        """Wait until the one text is written, and return it."""
        self.wait(
            "one.text?.seen.length >= one.text?.length && String(one.ids) === String(one.text.ids)"
        )
        return self.shown("one")

    def written(self):
        return self.js("textOf(written.take.ids)")

    def shown(self, name="opening"):
        """Return the text of a paper as it is on the page."""
        return self.js(f"document.querySelector('#{name} [aria-hidden]').textContent")

    def write(self, prime, length, speed="Infinity"):
        """Type a beginning and press Enter, and wait for the end."""
        self.set("length", length), self.set("speed", speed)
        self.js("(byId('prime').value = '', byId('prime').focus())")
        self.driver.execute_cdp_cmd("Input.insertText", {"text": prime})  # send_keys has no emoji
        self["prime"].send_keys(Keys.ENTER)
        self.wait_for("write-status", f"Wrote {length:,} char")

    def read(self, text):
        """Have a text read that was pasted, and wait for the end."""
        self.set("source", text)
        self.click("read-it")
        self.wait("yours.known === yours.ids.length")

    def alphas(self, paper, start=0):
        """Return how strongly the characters of a paper are coloured, negative for the lower end of a unit."""
        found = self.js(
            f"{paper}.cells.slice({start}).filter(Boolean).map((cell) => cell.style.backgroundColor)"
        )
        return [
            float(re.search(r"[\d.]+(?=\)$)", each).group()) * (-1 if "low" in each else 1)
            for each in found
        ]

    def assert_nothing_wrong(self):
        """Check that the console has no message and that no request left the page."""
        assert self.driver.get_log("browser") == []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                assert message["params"]["request"]["url"].split(":")[0] in (
                    "file",
                    "data",
                    "blob",
                    "about",
                ), message


@pytest.fixture
def view(chromium, small_page):
    opened = View(chromium, small_page).ready()
    yield opened
    opened.assert_nothing_wrong()


def page_of(tmp_path, chars, **options):
    export_random(random_network(chars, **options), tmp_path / "page.html")
    return tmp_path / "page.html"


def held_text(model, prime, seed, settings, plan, length):
    """Return what is written with units held, in float64. `plan` has the unit and the value from each place on."""
    size = model.lstm_size
    random = np.random.RandomState(seed)
    state = np.zeros((model.num_layers, 2, size))
    ids = list(model.vocabulary.encode(prime))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def step(index, held):
        inputs = np.eye(len(model.vocabulary))[index]
        for layer, (kernel, bias) in enumerate(zip(model.kernels, model.biases)):
            i, j, f, o = np.split(
                np.concatenate([inputs, state[layer, 1]]) @ kernel.astype(np.float64) + bias, 4
            )
            state[layer, 0] = sigmoid(f) * state[layer, 0] + sigmoid(i) * np.tanh(j)
            state[layer, 1] = sigmoid(o) * np.tanh(state[layer, 0])
            for (_, part, unit), value in [each for each in held if each[0][0] == layer + 1]:
                state[layer, 1, unit - 1] = value if part == "h" else sigmoid(o)[unit - 1] * value
                if part == "c":
                    state[layer, 0, unit - 1] = np.arctanh(value)
            inputs = state[layer, 1]
        return inputs @ model.softmax_kernel + model.softmax_bias

    for index in ids:
        logits = step(index, [])
    for place in range(length):
        powers = np.exp((logits - logits.max()) / settings.temperature)
        powers[powers < np.sort(powers)[-settings.top_n]] = 0
        sums = np.cumsum(powers)
        ids.append(int(np.argmax(sums > random.random_sample() * sums[-1])))
        logits = step(ids[-1], [held for start, *held in plan if start <= place][-1:])
    return model.vocabulary.decode(ids)


def whole(text, prime):
    """Return a text without the word that its end may cut."""
    return prime + re.sub(r"\w*$", "", text[len(prime) :])


def words_of(text, prime):
    """Return the words after a beginning, each with its number; the last one may be cut."""
    return list(enumerate(features.words(text[len(prime) :] + "x")))[:-1]


def changed(text, before, prime):
    """Return the words of a text that are not those of another one in their place."""
    others = dict(words_of(before, prime))
    return [(number, word) for number, word in words_of(text, prime) if others.get(number) != word]


def marked(view):
    """Return the words of the one text that are marked as changed, each with its number among its words."""
    return [
        tuple(each)
        for each in view.js(
            "wordsOf(textOf(one.ids.slice(one.text.start))).flatMap((word, number) => cellsOf(one.paper, one.ids, "
            "one.text.start, word).every((cell) => cell.matches('.changed')) ? [[number, word[0]]] : [])"
        )
    ]


def test_it_opens_on_its_first_discovery_and_goes_on_to_the_next(view, small_page):
    data = data_of(small_page)
    claims = []
    for found in data["discoveries"]:
        assert view.js("watched.unit") == found["unit"]
        claims.append(view["claim"].text)
        claim = features.BY_NAME[found["feature"]].claim
        verb = (
            claim
            if abs(found["correlation"]) >= 0.5
            else f"has an idea of this: {found['feature']}"
        )
        low, high = (found["told"] or {"words": [[""], [""]]})["words"][
            :: 1 if found["correlation"] > 0 else -1
        ]
        assert claims[-1] == (
            f"Move one of its 20 numbers and it says {high[0]} instead of {low[0]}."
            if found["told"]
            else f"One of the 20 numbers in this network {verb}."
        )
        assert view["low"].is_displayed() == bool(found["told"])
        ends = found["ends"] if found["correlation"] > 0 else found["ends"][::-1]
        assert [view["left"].text, view["right"].text] == list(ends)
        assert f"{found['untrained']:.2f}" in view["evidence"].text
        view["another"].click()
    assert view["claim"].text == claims[0] and len(set(claims)) == len(claims) > 1


def test_where_nothing_was_found_it_opens_on_surprise(chromium, tmp_path):
    with mock.patch.object(units.Measured, "discoveries", lambda *_: []):
        page = page_of(tmp_path, " .ab")
    view = View(chromium, page).ready()
    assert "surprises it" in view["claim"].text and not view["handle"].is_displayed()
    assert not view["another"].is_displayed() and not view["free-said"].is_displayed()
    assert "bits" in view.js("byId('opening').innerHTML")


def test_the_first_text_comes_at_once_and_its_rest_to_read_along(chromium, small_page):
    """Nothing moves by itself for who prefers less motion: it is all there."""
    view = View(chromium, small_page, still=False)
    view.wait("written.take?.seen.length >= AT_ONCE && written.running")
    view.wait("written.take.seen.length > AT_ONCE + 20")
    view.click("another")
    assert view.js("written.running") and view.shown().startswith(
        data_of(small_page)["opening"]["prime"]
    )
    still = View(chromium, small_page).ready()
    assert still.js("[written.take.seen.length, cellShown.timer]") == [600, 0]
    view.assert_nothing_wrong()


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
    chromium, small_page, exported, width, height, touch
):
    """By mouse and by finger: while it moves and when it was let go, all in sight, the words that change marked."""
    view = View(chromium, small_page, width=width, height=height, touch=touch).ready()
    model = stored_model(open_model(exported), store(open_model(exported), "float16"))
    opening = data_of(small_page)["opening"]
    handle = "JSON.stringify(byId('hold').getBoundingClientRect())"
    layer, part, number = view.js("watched.unit").split("/")

    def expected(position):
        plan = [(0, (int(layer), part, int(number)), view.js(f"valueAt({position})"))]
        return whole(
            held_text(model, opening["prime"], opening["seed"], Settings(0.5, 5), plan, 200),
            opening["prime"],
        )

    free = view.written()
    place = view.js(handle)
    view.drag(-1, touch=touch)
    view.wait("written.take.held === -1")
    first = view.held()
    assert first == expected(-1) and not view["low"].is_displayed() and view.js(handle) == place
    assert (
        marked(view) == changed(first, free[: len(first)], opening["prime"])
        or first == free[: len(first)]
    )
    view.point("touchEnd" if touch else "mouseReleased")
    view.drag(0, 0.5, 1, touch=touch)  # the words are marked that the whole move changed
    view.wait("written.take.held === 1")
    second = view.held()
    assert second == expected(1) and marked(view) == changed(second, first, opening["prime"]) != []
    box, hold = view.js("[byId('one'), byId('hold')].map((each) => each.getBoundingClientRect())")
    last = view.js("one.paper.cells.at(-1).getBoundingClientRect()")
    assert (
        0 <= box["top"] < last["bottom"] <= box["bottom"] <= hold["top"] < hold["bottom"] <= height
    )
    # the way back is in sight as well
    assert 0 <= view.js("byId('release').getBoundingClientRect().top") < box["top"]
    view.point("touchEnd" if touch else "mouseReleased")
    assert (
        view.held() == second
        and "held" in view["colour-said"].text
        and "handle=1" in view.js("location.hash")
    )
    assert view.js("layOut().querySelectorAll('.picture-columns > div').length") == 1
    view.click("release")
    assert (
        view["low"].is_displayed()
        and not view["one"].is_displayed()
        and "two ends" in view["colour-said"].text
    )
    view.assert_nothing_wrong()


def test_the_handle_is_moved_by_the_keyboard_and_a_link_holds_the_number_too(
    view, chromium, small_page
):
    """Also to the end where it already is. Another number is held by nobody, another seed by the same handle."""
    view.js("void (byId('hold').value = 1)")
    view["hold"].send_keys(Keys.END)
    assert view.js("written.take.held") == 1 and all(
        end in view.js("byId('hold').ariaValueText") for end in view.js("watched.ends")
    )
    view["hold"].send_keys(Keys.ARROW_LEFT)
    text = view.held()
    assert (
        view.js("written.take.held") == 0.95
        and f"{view.js('valueAt(0.95)'):+.2f}" in view["hold-said"].text
    )
    other = View(chromium, small_page, view.js("location.hash")).ready()
    assert other.held() == text and other.js("Number(byId('hold').value)") == 0.95
    other.set("seed", 99), other.write(other.js("textOf(written.take.prime)"), 30)
    assert other.held() != text and other.js("written.take.held") == 0.95
    other.click("another")
    assert other.js("written.take.held") is None and not other["one"].is_displayed()


def test_the_handle_is_the_number_while_nobody_holds_it(view):
    at = view.js("positionIn(written.take.seen.at(-1).activations)")
    assert view.js("Number(byId('hold').value)") == pytest.approx(at, abs=0.026)
    # no word tells of this one: the text that is free has its place
    view.click("another"), view.set("hold", 0.4)
    assert (
        view["one"].is_displayed()
        and not view["opening"].is_displayed()
        and view["release"].text == "Let go"
    )
    view.click("release")
    assert view["opening"].is_displayed() and not view["one"].is_displayed()


def test_a_held_text_is_that_of_a_reference_in_float64(view, exported):
    """Held from the first character on, held elsewhere in the middle of it, and as the link writes it again."""
    model = open_model(exported)
    model = stored_model(model, store(model, "float16"))
    for unit, value in [("2/c/3", 0.9), ("1/h/2", -0.7)]:
        view.js(
            "location.hash = arguments[0]",
            f"#prime=the+cat&seed=5&length=120&temperature=1&unit={unit}"
            f"&hold={unit}:{value}&then=50~1~5~1~~_80~1~5~1~{unit}:0.1~",
        )
        view.wait("written.take.seed === 5 && !written.running")
        layer, part, number = unit.split("/")
        held = (int(layer), part, int(number))
        none = (9, "h", 1)
        plan = [(0, held, value), (50, none, 0), (80, held, 0.1)]
        assert view.written() == held_text(model, "the cat", 5, Settings(top_n=5), plan, 120)
        view.set("seed", 1), view.write("the", 5)


def test_a_beginning_is_continued_as_charrnn_sample_does(view, engine):
    """The same seed and settings, and the weights of the page: the same text."""
    view.set("temperature", 0.8), view.set("top-n", 4), view.set("top-p", 0.9), view.set("seed", 5)
    view.write("the cat", 80)
    (expected,), _ = Sampler(engine).write("the cat", 80, Settings(0.8, 4, 0.9), seed=5)
    assert view.written() == view.shown() == view.shown("guessing") == "the cat" + expected.text
    assert view.js("document.querySelector('#opening .unseen').textContent") == view.written()


def test_text_streams_and_can_be_stopped_and_continued(view):
    view.set("length", 5000), view.set("speed", 150)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("written.take.seen.length > 10")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped after")
    stopped = view.written()
    view.driver.find_element(By.CLASS_NAME, "go-on").click()
    view.wait_for("write-status", "Wrote 240 characters")
    assert view.written().startswith(stopped) and len(view.written()) == len(stopped) + 240


def test_a_text_keeps_the_settings_that_change_while_it_is_written(view, chromium, small_page):
    """The link writes it again, with each change at its place; another version keeps its own."""
    view.set("length", 10000), view.set("speed", 150)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("written.take.seen.length > 10")
    view.set("top-n", 1)
    assert view["top-n-value"].get_attribute("textContent") == "1"
    # the likeliest end in a loop
    view.wait("/(.{1,30})\\1{3}$/s.test(textOf(written.take.ids.slice(-200)))")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped after")
    text = view.written()
    fragment = view.js("location.hash")
    view.set("temperature", 1.9), view.set("seed", 77)
    view["link"].click()
    assert view.js("location.hash") == fragment and "seed=77" not in fragment
    other = View(chromium, small_page, fragment).ready()
    assert other.written() == text and other.js("settings().topN") == 1


def test_a_beginning_can_be_changed_while_another_is_read_or_written(view):
    """The text is the last beginning's, with nothing from the others, however often one clicks."""
    view.set("length", 40), view.set("speed", "Infinity")
    view.js(
        "[...Array(60).keys()].forEach((each) => { byId('prime').value = 'the '.repeat(each + 1); startWriting();"
        "byId('another').click(); byId('earlier').click(); })"
    )
    view.js("(byId('prime').value = 'the hat'.repeat(2000), startWriting())")
    view.wait("written.take === takes.at(-1) && !written.running")
    assert (
        re.fullmatch("(the hat){2000}.{40}", view.written(), re.DOTALL)
        and view.shown() == view.written()
    )
    assert view["write-status"].text.startswith("Wrote 40 characters")


def test_unknown_characters_of_a_beginning_are_named(view):
    view.write("THE\u00e9!", 20)
    assert view["prime-unknown"].text.endswith("\u00e9 became e, ! was left out.")
    view["prime"].clear()
    view["prime"].send_keys("!", Keys.ENTER)
    assert (
        "at least one character" in view["prime-unknown"].text and view["write-status"].text == ""
    )
    view.js("(byId('prime').value = 'a'.repeat(1e6), startWriting())")
    assert (
        view.js("takes.at(-1).prime.length") == 20000
        and "Only the first 20,000" in view["prime-unknown"].text
    )
    view["prime"].send_keys(Keys.ESCAPE)


def test_each_character_is_coloured_by_its_probability_its_surprise_and_the_units(view, engine):
    view.write("the cat", 60)
    ids = engine.vocabulary.encode(view.written())
    nats = surprisal(engine, ids)[6:]
    np.testing.assert_allclose(view.alphas("written.papers[1]", 7), np.exp(-nats), atol=0.002)
    found, _ = engine.activations(ids, engine.zero_state())
    found[:, [0, 2]] = np.tanh(found[:, [0, 2]])
    for unit, part in [("2/h/4", 3), ("1/c/4", 0)]:
        view.set("unit", unit)
        least, most = np.array(view.js("watched.limits")) / 127
        expected = np.clip(2 * (found[7:, part, 3] - least) / (most - least) - 1, -1, 1)
        np.testing.assert_allclose(
            view.alphas("written.papers[0]", 7), expected, atol=0.02 / (most - least)
        )
    view.read(TEXT[:200])
    bits = surprisal(engine, engine.vocabulary.encode(TEXT[:200])) / np.log(2)
    np.testing.assert_allclose(view.alphas("yours.paper", 1), np.minimum(bits / 8, 1), atol=0.002)


def test_another_character_is_gone_on_from_and_versions_are_kept(view, engine):
    """The text is what charrnn-sample writes after the text up to that character; by the keyboard alone."""
    view.set("seed", 3), view.set("temperature", 1)
    view.write("the ", 30)
    first = view.written()
    for key in (Keys.HOME, *[Keys.ARROW_RIGHT] * 6, Keys.TAB):
        view["guessing"].send_keys(key)
    assert view.js("written.papers[1].at") == 6
    assert view.js("document.activeElement === byId('guesses-list').querySelector('button')")
    assert "Probability" in view["spoken"].get_attribute("textContent")
    chosen = view.js(
        "written.take.seen[2].guesses.find((id, at) => at % 2 === 0 && id !== written.take.ids[6])"
    )
    rows = view["guesses-list"].find_elements(By.TAG_NAME, "button")
    next(
        each for each in rows if each.text.split()[0] == view.js(f"glyph(chars[{chosen}])")
    ).send_keys(Keys.ENTER)
    view.wait("takes.length === 3 && !written.running")
    beginning = first[:6] + view.js(f"chars[{chosen}]")
    (expected,), _ = Sampler(engine).write(beginning, 29, Settings(top_n=5), seed=3)
    second = view.written()
    fragment = view.js("location.hash")
    assert second == view.shown("guessing") == beginning + expected.text
    assert view.js(
        "[...document.querySelectorAll('#guessing .chosen')].map(({ place }) => place)"
    ) == [6]
    assert view["version"].text == "Version 3 of 3"
    view["earlier"].click()
    assert view.shown() == first and view.js("location.hash") != fragment
    view.driver.back()
    view.wait("written.take === takes[2]")
    view.driver.refresh()
    view.ready()
    assert view.written() == second and view["version"].text == "Version 3 of 3"  # from their links
    view["earlier"].click()
    view.wait("!written.running")
    assert view.written() == first


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
        ("hold=1/c/1:1", "hold", [30, 9]),
        ("handle=x", "handle", [30, 9]),
        ("then=5~x_~~", "then", [30, 9]),
        ("then=3~0.6~5~1~~length", "then", [30, 9]),
    ],
)
def test_a_link_with_a_wrong_field_writes_all_the_same_and_says_so(view, wrong, field, expected):
    """The rest of it counts. Nothing later throws."""
    name = wrong.split("=")[0]
    others = [
        each
        for each in ("prime=a+cat", "length=30", "seed=9")
        if each.split("=")[0] + "=" not in wrong
    ]
    view.js("location.hash = arguments[0]", "#" + "&".join([wrong, *others]))
    view.wait("takes.length === 2 && (!written.running || written.take.seen.length > 50)")
    assert view.js("[written.take.length, written.take.seed]") == expected
    assert field in view["link-note"].text and view.written().startswith(
        "a cat" if name != "prime" else "the"
    )
    assert "NaN" not in view.js("document.body.innerText")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait("!written.running")
    view.click("another")


def test_from_disk_only_the_settings_are_copied_and_it_is_said(chromium, small_page):
    with served(with_names(small_page).parent) as site:
        for address, copied, told in [
            (small_page, "location.hash", "This page is a file"),
            (f"{site}/{small_page.name}", "location.href", "writes this very text again"),
        ]:
            view = View(chromium, address).ready()
            view.js(
                "void (document.execCommand = () => Boolean(window.copied = document.activeElement.value))"
            )
            view["link"].click()
            assert view.js("copied") == view.js(copied) and "prime=" in view.js("copied")
            assert told in view["link-note"].text
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
    view.js("(written.take.ids.push(...Array(300).fill(0)), byId('picture').click())")
    view.js("setTimeout(() => { throw 'late'; })")
    view.wait("window.saved?.length === 2")  # not all that was written is on the page yet
    view.js(
        "(pair.sides[0].paper.sheet.append(...Array.from({ length: 400 }, () => make('div', 'block', make('span', "
        "'cell', 'a')))), byId('picture').click())"
    )
    view.wait("window.saved?.length >= 5")
    assert {"written-1.png", "written-2.png", "written-3.png", "written.png"} <= set(
        view.js("saved")
    )
    assert (
        not view["failure"].is_displayed()
        and "late" in view.driver.get_log("browser")[0]["message"]
    )
    colours = view.js(
        "((canvas) => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, "
        "canvas.height).data.buffer)).size)(drawPictures(layOut())[0])"
    )
    assert colours > 50  # the paper, the ink and its edges, and the tints of words


def test_a_text_of_ones_own_is_read_and_another_may_follow_at_any_time(chromium, tmp_path):
    view = View(chromium, page_of(tmp_path, CHARS, lstm_size=150)).ready()
    view.set("source", TEXT * 20)
    view.click("read-it")
    assert re.fullmatch(r"Reading: [\d,]+ of 20,000 characters\.", view["read-status"].text)
    assert "Only the first 20,000 characters are read." in view["read-note"].text
    view.read("the cat sat")
    assert view["read-status"].text.startswith("Read 11 characters, ")
    view.set("source", "!")
    view.click("read-it")
    assert (
        "characters that the network knows" in view["read-note"].text
        and view["read-status"].text == ""
    )
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
    view["yours"].send_keys(Keys.END)
    # no room below it
    view.js("scrollBy(0, yours.paper.cells[13].getBoundingClientRect().bottom - innerHeight + 9)")
    view["yours"].send_keys(Keys.END)
    assert view.js(
        "byId('guesses').getBoundingClientRect().bottom < yours.paper.cells[13].getBoundingClientRect().top"
    )
    assert view["guesses"].is_displayed() and view["guesses-before"].text == "he cat sat on"
    guesses = [each.text.split() for each in view["guesses-list"].find_elements(By.TAG_NAME, "li")]
    expected = view.js(
        "[...yours.seen[13].guesses].map((each, at) => at % 2 ? percent(each) : glyph(chars[each]))"
    )
    assert sum(guesses, []) == expected and len(guesses) == 8
    # this text cannot go on from there
    assert not view["guesses-list"].find_elements(By.TAG_NAME, "button")


def test_the_cell_has_the_numbers_of_the_network(view, engine):
    view.read(TEXT[:160])
    view.set("unit", "2/h/3")
    view.js(
        "ask('trace', {key: 'yours', from: 99, to: 104, layer: 2, unit: 3}, (found) => {window.found = found})"
    )
    view.wait("window.found")
    input_gate, fresh, forget, output, memory, given = np.array(view.js("found.values")).T
    expected, _ = engine.activations(engine.vocabulary.encode(TEXT[:160]), engine.zero_state())
    np.testing.assert_allclose(memory, expected[99:104, 2, 2], atol=1e-3)
    np.testing.assert_allclose(given, expected[99:104, 3, 2], atol=1e-3)
    np.testing.assert_allclose(
        memory[1:], (forget * np.roll(memory, 1) + input_gate * fresh)[1:], rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(given, output * np.tanh(memory), atol=1e-5)
    view.js("goTo(yours, 100)")
    view["cell-on"].click()
    assert view.js("reading.at") == 101 and view["cell-character"].text == view.js(
        "visible(chars[reading.ids[101]])"
    )
    view["cell-back"].click()
    bar = "Number(byId('gate-forget').querySelector('.fill').style.transform.slice(7, -1))"
    view.wait(f"reading.at === 100 && Math.abs({bar} - {forget[1]}) < 6e-4")  # when it rests
    assert f"= {memory[1]:+.2f};".replace("-", "\u2212") in view["cell-sum"].text
    view.click("cell-play")
    view.wait("reading.at > 102")
    view.click("cell-play")
    assert view.js("cellShown.timer") == 0


def test_the_strip_shows_all_units_and_chooses_one(view):
    """By click, by key; a pixel has the colour of the value in the limits of the unit."""
    view.read(TEXT[:160])
    view.wait("strip.drawn === strip.to")
    assert (
        view.js("[strip.rows.length, new Set(strip.rows).size]")
        == [view.js("unitNames.length")] * 2
    )
    for key, row in [(Keys.HOME, 0), (Keys.ARROW_DOWN, 1), (Keys.END, -1), (Keys.ARROW_UP, -2)]:
        view["strip"].send_keys(key)
        assert view.js("watched.unit") == view.js(f"strip.rows.at({row})")
        assert view.js("watched.unit") in view["strip"].get_attribute("aria-valuetext")
    view.js("byId('strip').scrollTop = 0")
    view.js(
        "byId('strip-canvas').dispatchEvent(((box) => new MouseEvent('click', {bubbles: true, "
        "clientX: box.left + box.width * 70.5 / 160, clientY: box.top + strip.tops[3] + 5}))("
        "byId('strip-canvas').getBoundingClientRect()))"
    )
    assert view.js("[watched.unit, reading.at]") == [view.js("strip.rows[3]"), 70]
    pixel = view.js(
        "[...byId('strip-canvas').getContext('2d').getImageData(reading.at, strip.tops[3], 1, 1).data]"
    )
    assert pixel[3] == pytest.approx(
        255 * abs(view.js("positionIn(reading.seen[70].activations)")), abs=3
    )
    unit = view.js("watched.unit")
    view.set("unit", "9/c/1")
    # and it is said
    assert view.js("watched.unit") == unit and "no \u201c9/c/1\u201d" in view["unit-note"].text


SCRIPTS = {
    "Arabic": "\u0627\u0644\u0633\u0644\u0627\u0645 \u0639\u0644\u064a\u0643\u0645",
    "Hebrew": "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "Hindi": "\u0928\u092e\u0938\u094d\u0924\u0947 \u0939\u093f\u0928\u094d\u0926\u0940",
    "emoji": "\U0001f469\u200d\U0001f680\U0001f1eb\U0001f1f7",
    "accents": "e\u0301a\u0308",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_shown_as_a_browser_shows_it(chromium, tmp_path, script):
    """Letters join, marks stand on their letters, and what runs from right to left does: as wide as plain text."""
    text = SCRIPTS[script]
    view = View(chromium, page_of(tmp_path, "".join(sorted(set(text + " \n"))))).ready()
    view.read(f"{text}\n\n{text}")
    assert view.shown("yours") == f"{text}\n\n{text}"
    view.js(
        "document.querySelector('#yours .block').insertAdjacentElement('afterend', "
        "Object.assign(make('div', 'block', make('span', '', arguments[0])), {id: 'plain'}))",
        text,
    )
    span = (
        "((nodes) => { const range = new Range(); range.setStartBefore(nodes[0]); range.setEndAfter(nodes.at(-1));"
        "const { left, width } = range.getBoundingClientRect(); return [left, width]; })"
    )
    plain = view.js(span + "([byId('plain').firstChild])")
    cells = view.js(span + f"(yours.paper.cells.slice(0, {len(text)}))")
    np.testing.assert_allclose(cells, plain, atol=1.5)
    view["yours"].send_keys(Keys.HOME, Keys.ARROW_LEFT)
    isTurned = view.js(
        f"yours.paper.cells[0].offsetLeft > yours.paper.cells[{len(text) - 1}].offsetLeft"
    )
    assert isTurned == (script in ("Arabic", "Hebrew")) and view.js("yours.paper.at") == isTurned
    view.write(text, 1)
    # of a picture: drawn at once
    assert text in view.js("piecesOf(layOut()).pieces.map((piece) => piece.text)")
    view.assert_nothing_wrong()


def test_a_text_is_never_cut_inside_a_character(chromium, tmp_path):
    view = View(chromium, page_of(tmp_path, "\na\U0001f600")).ready()
    view.set("source", "a" * 19999 + "\U0001f600" * 2)
    view.js("(yours.read = (ids) => { window.seen = ids; }, showProgress = () => {}, readYours())")
    assert view.js("[seen.length, chars[seen.at(-1)]]") == [20000, "\U0001f600"]
    assert view["read-note"].text == "Only the first 20,000 characters are read."


@pytest.mark.parametrize(
    "width, size", [(320, 100), (360, 100), (360, 200), (768, 200), (1280, 100), (1920, 200)]
)
def test_nothing_is_wider_than_the_window_and_nothing_covers_another(
    chromium, small_page, width, size
):
    view = View(chromium, small_page, width=width).ready()
    view.js(f"document.documentElement.style.fontSize = '{size}%'")
    view.read(TEXT[:300])
    assert view.js("document.documentElement.scrollWidth") <= width
    covered = view.js("""((all) => all.map((each) => each.getBoundingClientRect()).filter((a, at, boxes) => {
        const b = boxes[at + 1];
        return b && !all[at].contains(all[at + 1]) && a.bottom > b.top + 1 && a.top < b.bottom - 1
          && a.right > b.left + 1 && a.left < b.right - 1;
      }))([...document.querySelectorAll("main :is(button, input, .paper, p, svg, h2)")].filter((each) =>
        each.checkVisibility() && !each.matches(".unseen")))""")
    assert covered == []
    view.assert_nothing_wrong()


@pytest.mark.parametrize("width, height", [(360, 640), (768, 1024), (1280, 720), (1920, 1080)])
def test_the_claim_both_beginnings_and_the_handle_are_in_sight_at_first(chromium, width, height):
    view = View(
        chromium, ROOT / "docs" / "anna.html", width=width, height=height, touch=width < 500
    ).ready()
    claim, head, handle = view.js(
        "['claim', 'low-head', 'hold'].map((id) => byId(id).getBoundingClientRect().bottom)"
    )
    lines = [
        view.js(f"pair.sides[{side}].paper.cells[60].getBoundingClientRect().bottom")
        for side in (0, 1)
    ]
    assert claim < head < lines[0] < handle <= height and max(lines) <= height


def test_two_texts_are_those_of_a_reference_and_their_words_are_counted(
    view, chromium, small_page, exported
):
    """Held at its two ends: by NumPy, and in float64. A link opens the same two, and the picture is of both."""
    [found, *_], opening = (data_of(small_page)[name] for name in ("discoveries", "opening"))
    model = stored_model(open_model(exported), store(open_model(exported), "float16"))
    settings = Settings(0.5, 5)
    part, unit = view.js("watched.unit").rsplit("/", 1)
    unit = units.Unit(("1/c", "1/h", "2/c", "2/h").index(part), int(unit) - 1, part)
    prime = opening["prime"]
    ends = [
        clamped.write(model, prime, settings, unit, value)
        for value in view.js("[valueAt(-1), valueAt(1)]")
    ]
    texts = [whole(prime + texts[opening["seed"] - 1][:200], prime) for texts in ends]
    assert (
        [view.shown(side) for side in ("low", "high")]
        == texts
        == [
            whole(
                held_text(
                    model,
                    prime,
                    opening["seed"],
                    settings,
                    [(0, (int(part[0]), part[2], unit.column + 1), value)],
                    200,
                ),
                prime,
            )
            for value in view.js("[valueAt(-1), valueAt(1)]")
        ]
    )
    assert found["told"] == told(ends[0], clamped.write(model, prime, settings), ends[1])
    for side, text in zip(("low", "high"), texts):
        counted = clamped.counted([text[len(prime) :]])
        times = [sum(counted[word.lower()] for word in words) for words in found["told"]["words"]]
        shown = view.js(
            f"[...byId('{side}-head').querySelectorAll('span b')].map((each) => Number(each.textContent))"
        )
        assert shown == (times if side == "low" else times[::-1])
        assert (
            view.js(f"document.querySelectorAll('#{side} .telling').length") > 0 or sum(times) == 0
        )
    for count in sum(found["told"]["counts"], []):
        assert f" {count} time" in view["evidence"].text
    assert view.js("layOut().querySelectorAll('.picture-columns > div').length") == 2
    other = View(chromium, small_page, view.js("location.hash")).ready()
    assert [other.shown(side) for side in ("low", "high")] == texts


@pytest.mark.parametrize("width, height", [(1280, 720), (390, 844)])
def test_the_two_texts_fit_their_boxes_and_end_with_whole_words(chromium, width, height):
    """Those of the shipped page, of which no box can be scrolled."""
    view = View(chromium, ROOT / "docs" / "anna.html", width=width, height=height).ready()
    for side in ("low", "high"):
        assert view.js(f"byId('{side}').scrollHeight - byId('{side}').clientHeight") == 0
        assert len(view.shown(side)) > 180 and not view.shown(side)[-1].isalpha()


def test_how_far_back_it_remembers_is_a_curve_with_its_numbers(view, small_page):
    bits = dict(zip(*data_of(small_page)["memory"].values()))
    assert list(bits) == [1, 2, 5, 10, 20, 50, 100, 200]
    texts = view.js(
        "[...byId('memory-drawing').querySelectorAll('text')].map(({ textContent }) => textContent)"
    )
    assert texts == sum(
        ([f"{value:.2f}", str(count)] for count, value in bits.items()),
        ["letters that it has read"],
    )
    heights = view.js(
        "[...byId('memory-drawing').querySelectorAll('circle')].map(({ cy }) => cy.baseVal.value)"
    )
    expected = np.array([*bits.values()]) / max(bits.values())
    np.testing.assert_allclose(np.subtract(150, heights) / 120, expected, atol=1e-4)
    most = next(
        count for count, value in bits.items() if bits[1] - value >= 0.9 * (bits[1] - bits[200])
    )
    assert f"{bits[1]:.2f} bits, after 200 letters {bits[200]:.2f}" in view["memory-said"].text
    assert f"90% of what memory gives lies in the last {most} letter" in view["memory-said"].text


def test_a_screen_reader_reads_texts_as_text_and_every_control_has_a_name(view):
    view.js("void hold(1)")
    view.held()
    assert view.js("document.querySelectorAll('[role=application]').length") == 0
    assert view.js(
        "[...document.querySelectorAll('.paper')].every((each) => each.querySelector('[aria-hidden] .cell') "
        "? each.querySelector('p.unseen').textContent.length > 20 : each.id === 'yours')"
    )
    unnamed = view.js(
        "[...document.querySelectorAll('button, input, select, textarea, [tabindex=\"0\"]')].filter("
        "(each) => !(each.textContent.trim() || each.getAttribute('aria-label')"
        "|| (each.labels && each.labels.length))).map((each) => each.outerHTML)"
    )
    assert unnamed == []
    headings = view.js(
        "[...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => tagName[1]).join('')"
    )
    assert headings == "122222222"


def test_as_it_is_written_the_page_starts_and_the_handle_holds_its_number(chromium, small_page):
    """Its script is a module, of which no test reaches the inside."""
    chromium.get(small_page.as_uri())
    wait = WebDriverWait(chromium, PATIENCE)
    told = "return document.getElementById('one').textContent"
    wait.until(
        lambda _: chromium.execute_script("return !document.querySelector('main').className")
    )
    chromium.find_element(By.ID, "hold").send_keys(Keys.HOME)
    wait.until(lambda _: len(chromium.execute_script(told)) > 400)  # once for a screen reader
    assert not chromium.find_element(By.ID, "failure").is_displayed()


@contextlib.contextmanager
def served(folder, policy=None):
    """Serve a folder, with a policy in a header, and give the address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self):
            if policy:
                self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_it_runs_where_what_browsers_have_since_2024_is_missing(chromium, small_page):
    found = chromium.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "delete Map.groupBy; delete Object.groupBy; delete ArrayBuffer.prototype.transfer;"
        },
    )
    assert View(chromium, small_page).ready().js("[strip.rows.length, typeof Map.groupBy]") == [
        20,
        "undefined",
    ]
    chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", found)


def test_by_touch_another_letter_is_gone_on_from(chromium, small_page):
    view = View(chromium, small_page, width=360, height=740, touch=True).ready()
    controls = "[...document.querySelectorAll('main :is(button, input:not([type=radio]), textarea, select)')]"
    assert (
        view.js(
            f"{controls}.filter((each) => each.checkVisibility() && each.offsetHeight < 44).length"
        )
        == 0
    )
    view.js("written.papers[1].cells[30].scrollIntoView({ block: 'end' })")
    view.tap("written.papers[1].cells[30]")
    view.wait("!byId('guesses').hidden")
    assert (
        min(
            view.js(
                "[...document.querySelectorAll('#guesses button')].map((row) => row.offsetHeight)"
            )
        )
        >= 44
    )
    line, box = view.js(
        "[written.papers[1].cells[30], byId('guesses')].map((each) => each.getBoundingClientRect())"
    )
    assert line["bottom"] <= box["top"] < box["bottom"] <= 740  # both are in sight
    view.tap(
        "[...document.querySelectorAll('#guesses button')].findLast((row) => !row.querySelector('.framed'))"
    )
    view.wait(
        "takes.length === 2 && !written.running && written.take.seen[30 - written.take.prime.length].isChosen"
    )
    assert view.js("document.activeElement.id") == "guessing"
    View(chromium, small_page)


def test_why_a_letter_was_expected_is_what_leaving_out_letters_or_words_before_it_changes(
    chromium, tmp_path
):
    """By how many bits each of the 50 letters, or the words among 200, moved the guess: the shades, against NumPy.

    The scale is logarithmic, from a hundredth of a bit to four bits.
    """
    model = random_network(CHARS, lstm_size=9)
    engine = stored_model(model, store(model, "float16")).engine()
    view = View(chromium, page_of(tmp_path, CHARS, lstm_size=9)).ready()
    view.read(TEXT[:260])
    ids = engine.vocabulary.encode(TEXT[:260])

    def bits(before):
        return np.log2(softmax(engine.read(before, engine.zero_state())[0])[0, ids[240]])

    letters = [(place, place + 1) for place in range(190, 240)]
    words = [
        (40 + word.start(), 40 + word.end()) for word in re.finditer(r"\w+\s?|\W", TEXT[40:240])
    ]
    view.js("yours.paper.moveTo(240)")
    for pieces in (letters, words):
        first = pieces[0][0]
        view.wait(f"yours.paper.shaded.length === {240 - first}")
        shades = view.js("yours.paper.shaded.map((cell) => cell.style.boxShadow)")
        found = [
            float(re.search(r"/ ([\d.]+)", each).group(1)) * (-1 if "against" in each else 1)
            for each in shades
        ]
        for start, end in pieces:
            moved = bits(ids[:240]) - bits(np.delete(ids[:240], range(start, end)))
            expected = np.sign(moved) * np.clip(
                np.log(max(abs(moved), 1e-9) / 0.01) / np.log(400), 0, 1
            )
            np.testing.assert_allclose(found[start - first : end - first], expected, atol=0.1)
        assert np.ptp(found) > 0.5
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
    assert (
        view.js(
            "(getSelection().selectAllChildren(byId('yours-figure')), String(getSelection()))"
        ).count("cat")
        == 1
    )


def test_all_of_a_long_text_is_coloured_and_none_of_it_is_printed_as_a_strip(view):
    view.read(TEXT * 19)
    view["yours"].send_keys(Keys.END)
    assert view.js("yours.paper.at") == 19 * len(TEXT) - 1
    coloured = view.js(
        "yours.paper.cells.filter(({ style }) => style.backgroundColor.includes('bits')).length"
    )
    assert coloured == 19 * len(TEXT)
    view.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    view.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 700, "height": 300, "deviceScaleFactor": 1, "mobile": False},
    )
    assert not view["strip"].is_displayed()
    for position in ("null", "1"):  # no text is cut, or lies over another
        view.js(f"void hold({position})")
        papers = view.js(
            "[...document.querySelectorAll('.side .paper, h2, #evidence')].filter((each) => "
            "each.checkVisibility({ visibilityProperty: true })).map((each) => "
            "[each.getBoundingClientRect(), each.scrollHeight])"
        )
        assert all(height <= box["height"] + 1 for box, height in papers if height)
        for above, below in itertools.combinations([box for box, _ in papers], 2):
            assert min(above["bottom"], below["bottom"]) <= max(above["top"], below["top"]) + 1 or (
                min(above["right"], below["right"]) <= max(above["left"], below["left"]) + 1
            )
    view.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize(
    "policy, outcome",
    [
        ("script-src 'none'", "has not started"),
        ("style-src 'none'; script-src 'none'", "has not started"),
        ("script-src 'unsafe-inline'; worker-src 'none'", "does not work here"),
        ("script-src 'unsafe-inline' blob:; worker-src blob:", "does not work here"),
        (None, ""),
    ],
)
def test_what_a_policy_of_the_site_forbids_is_said(chromium, small_page, policy, outcome):
    """Also where only WebAssembly is forbidden."""
    with served(with_names(small_page).parent, policy) as site:
        view = View(chromium, f"{site}/{small_page.name}")
        if outcome:
            WebDriverWait(chromium, PATIENCE).until(lambda _: outcome in view["failure"].text)
        else:
            assert len(view.ready().written()) > 600
    chromium.get_log("browser"), chromium.get_log("performance")


def test_a_hostile_vocabulary_is_text(chromium, tmp_path):
    view = View(chromium, page_of(tmp_path, HOSTILE)).ready()
    scripts = view.js("document.scripts.length")
    _ = view.set("top-n", len(HOSTILE))
    view.write("</script><script>alert(1)</script>", 80)
    view.js("written.papers[1].moveTo(40)")
    view.read("</script><script>alert(1)</script>" + view.shown())
    view.click("picture")
    assert view.js("document.scripts.length") == scripts
    assert view.shown("yours").startswith(
        "</script><script>alert(1)</script>"
    ) and "\u202e" not in view.shown("yours")
    view.assert_nothing_wrong()


def test_a_frame_without_an_origin_shows_the_page_and_promises_nothing(
    chromium, small_page, tmp_path
):
    """As a notebook's server shows it: sandboxed, without storage, clipboard and downloads."""
    outside = tmp_path / "outside.html"
    outside.write_text(
        '<body><iframe sandbox="allow-scripts" width=900 height=800 '
        f'src="{with_names(small_page).as_uri()}"></iframe>'
    )
    view = View(chromium, outside)
    chromium.switch_to.frame(0)
    view.ready()
    view.set("length", 30), view["prime"].send_keys(Keys.ENTER)
    view.wait("takes.length === 2 && !written.running")
    view["picture"].click()
    assert "may not save files" in view["link-note"].text
    view.wait("byId('pictures').firstChild.naturalWidth > 0")
    view["copy"].click()
    chromium.switch_to.default_content()
    assert [each for each in chromium.get_log("browser") if each["level"] == "SEVERE"] == []
