"""The page in a real browser: Debian's chromium, driven by selenium. Skipped where they are not installed."""
import json
import re
import shutil

import numpy as np
import pytest
from conftest import TEXT
from pages import HOSTILE, data_of, export_random, random_network

from charrnn.engines.decoding import Settings
from charrnn.engines.opened_model import open_model
from charrnn.engines.sampler import Sampler, default_prime, write
from charrnn.engines.surprisal import surprisal
from charrnn.inspection import webpage
from charrnn.inspection.stored import store, stored_model

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 600  # seconds, for a machine that does other things as well

pytestmark = [pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def engine(exported):
    """The NumPy engine with the weights of the small page."""
    model = open_model(exported)
    return stored_model(model, store(model, "float16")).engine()


@pytest.fixture(scope="module")
def small_page(exported, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "small.html"
    webpage.export_page(open_model(exported), path)
    return path


class View:
    """A page that is open in the browser, with what the tests do to it."""

    def __init__(self, driver, path, fragment="", width=1000, height=900, still=True):
        self.driver = driver
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}]})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        driver.get("about:blank")
        driver.get_log("browser"), driver.get_log("performance")
        driver.get(f"{path.as_uri()}{fragment}")
        self.wait("document.body.dataset.loaded")

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def js(self, expression, *args):
        return self.driver.execute_script(f"return {expression}", *args)

    def wait(self, expression):
        WebDriverWait(self.driver, PATIENCE, 0.02).until(lambda _: self.js(expression), expression)

    def wait_for(self, name, text):
        """Wait until an element shows a text."""
        self.wait(f"find('{name}').textContent.includes({json.dumps(text)})")

    def text_read(self):
        return self.js("reading.ids.map((id) => chars[id]).join('')")

    def open(self, name):
        """Choose a view, and wait until it is shown."""
        self[f"tab-{name}"].click()
        self.wait(f"document.body.dataset.view === '{name}'")

    def set(self, name, value):
        """Set a field or a slider as a person would."""
        self.js("(arguments[0].value = arguments[1], arguments[0].dispatchEvent(new Event('input', {bubbles: true})),"
                "arguments[0].dispatchEvent(new Event('change', {bubbles: true})))", self[name], value)

    def written(self):
        return self.js("textOf(written.take?.ids || [])")

    def write(self, prime, length, speed="Infinity"):
        """Type a beginning and press Enter, and wait for the end."""
        self.set("length", length)
        Select(self["speed"]).select_by_value(speed)
        self["prime"].clear()
        self["prime"].send_keys(prime, Keys.ENTER)
        self.wait_for("write-status", "Wrote")

    def read(self, text):
        """Have a text read in the view Read and wait for the end."""
        self.open("read")
        self["editor"].find_element(By.TAG_NAME, "summary").click()
        self.set("source", text)
        self["read-it"].click()
        self.finish_reading()
        self.wait("reading.cells[0]")

    def finish_reading(self):
        self.wait("reading.ids.length > 0 && reading.known === reading.ids.length && strip.drawn === strip.to")

    def assert_nothing_wrong(self):
        """Check that the console has no message and that no request left the page."""
        assert self.driver.get_log("browser") == []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                assert message["params"]["request"]["url"].split(":")[0] in ("file", "data", "blob", "about"), message


@pytest.fixture
def view(chromium, small_page):
    opened = View(chromium, small_page)
    yield opened
    opened.assert_nothing_wrong()


def test_a_beginning_is_continued_as_charrnn_sample_does(view, engine):
    """The same seed and settings, and the weights of the page: the same text."""
    view.set("temperature", 0.8), view.set("top-n", 4), view.set("top-p", 0.9), view.set("seed", 5)
    view.write("the cat", 80)
    (expected,), _ = write(Sampler(engine), "the cat", 80, Settings(0.8, 4, 0.9), seed=5)
    assert view.written() == view["written"].get_attribute("textContent") == "the cat" + expected.text


def test_the_defaults_are_those_of_charrnn_sample(view, engine):
    assert view.js("[settings(), find('prime').value]") == [{"temperature": 1, "topN": 5, "topP": 1, "speed": 100},
                                                            default_prime(engine.vocabulary)]


def test_text_streams_and_can_be_stopped_and_continued(view):
    view.set("length", 5000)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("written.take.seen.length > 10")
    view["stop"].click()
    view.wait_for("write-status", "Stopped after")
    stopped = view.written()
    view.set("length", 30)
    view["more"].click()
    view.wait_for("write-status", "Wrote 30 characters")
    continued = view.written()
    assert continued.startswith(stopped) and len(continued) == len(stopped) + 30


def test_a_beginning_can_be_changed_while_another_is_read_or_written(view):
    """The text is the last beginning's, with nothing from the others."""
    view.set("length", 10000), view.set("speed", "Infinity")
    view.js("(find('prime').value = 'the '.repeat(20000), startWriting(),"
            "find('prime').value = 'a cat ', startWriting())")
    view.wait("written.take.seen.length > 10")
    view.js("(find('length').value = 40, find('prime').value = 'the hat'.repeat(3000), startWriting())")
    view.wait_for("write-status", "Wrote 40 characters")
    assert re.fullmatch("(the hat){3000}.{40}", view.written(), re.DOTALL)


def test_settings_can_change_while_it_writes_and_escape_stops(view):
    view.set("length", 10000)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("written.take.seen.length > 10")
    view.set("top-n", 1)
    assert view["top-n-value"].text == "1" and view["expected"].text.split()[1::2] == ["100%"] + ["out"] * 7
    view.wait("/(.{1,30})\\1{3}$/s.test(textOf(written.take.ids.slice(-200)))")  # the likeliest end in a loop
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped after")


def test_unknown_characters_of_a_beginning_are_named(view):
    view.write("THE\u00e9!", 20)
    assert view["prime-unknown"].text.endswith("\u00e9 became e, ! was left out.")
    view["prime"].clear()
    view["prime"].send_keys("!", Keys.ENTER)
    assert "at least one character" in view["prime-unknown"].text


def test_the_page_writes_two_sentences_by_itself(chromium, tmp_path):
    """Unless the visitor prefers less motion."""
    export_random(random_network(" .ab"), tmp_path / "page.html")
    view = View(chromium, tmp_path / "page.html", still=False)
    view.wait("takes.length === 1 && !written.running")
    text = view.written()
    assert text.count(". ") == 2 and text.endswith(". ") and view.js("location.hash") == "#write"
    still = View(chromium, tmp_path / "page.html")
    still.wait_for("write-status", "Nothing is written yet: choose Write.")
    assert still.written() == "" and not still["copy"].is_enabled()
    still.assert_nothing_wrong()


def test_a_beginning_and_a_mood_can_be_chosen(view):
    view.set("length", 30)
    view["beginnings"].find_element(By.TAG_NAME, "button").click()
    view.wait_for("write-status", "Wrote")
    assert len(view.written()) == len(view["prime"].get_property("value")) + 30
    for mood, expected in [("quiet", [0.5, 5]), ("wild", [1.1, 14]), ("normal", [1, 5])]:
        view.driver.find_element(By.CSS_SELECTOR, f"[value={mood}]").click()
        assert view.js("[settings().temperature, settings().topN]") == expected
    view.set("temperature", 0.7)
    assert view.driver.find_elements(By.CSS_SELECTOR, "[name=mood]:checked") == []


def test_each_character_is_coloured_as_it_is_written(view, engine):
    """By the surprise of the engine, and by its units."""
    view.write("the cat", 60)
    ids = engine.vocabulary.encode(view.written())
    bits = surprisal(engine, ids)[6:] / np.log(2)
    np.testing.assert_allclose(view.js("written.take.seen.map((each) => each.surprise)"), bits, atol=1e-3)
    background = "written.cells.map((cell) => cell.style.background)"
    alphas = [float(re.search(r"[\d.]+(?=\)$)", each).group()) for each in view.js(background)]
    np.testing.assert_allclose(alphas, np.minimum(bits / 8, 1), atol=0.002)
    view.open("read")
    view.js("chooseColour('2/h/4')")
    view.open("write")
    Select(view["written-colour"]).select_by_visible_text("Output of cell 4 in layer 2 (2/h/4)")
    expected, _ = engine.activations(ids, engine.zero_state())
    found = [float(re.search(r"[\d.]+(?=\)$)", each).group()) * (-1 if "low" in each else 1)
             for each in view.js(background)]
    np.testing.assert_allclose(found, expected[7:, 3, 3], atol=0.005)
    legends = view["view-write"].find_elements(By.CLASS_NAME, "legend")
    assert [(each.is_displayed(), each.text[:1]) for each in legends] == [(False, ""), (True, "\u2212")]


def test_another_character_is_gone_on_from_and_versions_are_kept(view, engine):
    """The text is what charrnn-sample writes after the text up to that character; by the keyboard alone."""
    view.set("seed", 3)
    view.write("the ", 30)
    first = view.written()
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.TAB):
        view["written"].send_keys(key)
    assert view["expected-title"].text == "What else it could have been" and view.js("written.at") == 2
    assert view.js("document.activeElement === find('expected').querySelector('button')")
    assert "probability" in view["written-spoken"].get_attribute("textContent")
    chosen = view.js("written.take.seen[2].guesses.find(({id}) => id !== written.take.ids[6]).id")
    rows = view["expected"].find_elements(By.TAG_NAME, "button")
    next(each for each in rows if each.text.split()[0] == view.js(f"glyph(chars[{chosen}])")).send_keys(Keys.ENTER)
    view.wait("takes.length === 2 && !written.running")
    beginning = first[:6] + view.js(f"chars[{chosen}]")
    (expected,), _ = write(Sampler(engine), beginning, 30, Settings(top_n=5), seed=3)
    second = view.written()
    assert second == view["written"].get_attribute("textContent") == beginning + expected.text
    assert view.js("written.cells.findIndex((cell) => cell.matches('.chosen'))") == 2
    assert view["version"].text == "Version 2 of 2"
    view["earlier"].click()
    assert view["written"].get_attribute("textContent") == first and not view["earlier"].is_enabled()
    view["later"].click()
    assert view["written"].get_attribute("textContent") == second
    view["more"].click()
    view.wait("written.take.ids.length === 7 + 30 + 30 && !written.running")
    assert view.written().startswith(second)


def test_a_link_writes_the_same_text_with_the_same_settings(view, chromium, small_page):
    view.set("temperature", 0.8), view.set("seed", 9)
    view.write("the hat", 25)
    Select(view["written-colour"]).select_by_index(1)
    text, fragment, colour = view.written(), view.js("location.hash"), view["written-colour"].get_property("value")
    view.assert_nothing_wrong()
    other = View(chromium, small_page, fragment, still=False)
    other.wait("takes.length === 1 && !written.running")
    assert [other.written(), *other.js("[location.hash, settings().temperature]")] == [text, fragment, 0.8]
    other.driver.refresh()
    other.wait("takes.length === 1 && !written.running")
    assert [other.written(), other["written-colour"].get_property("value")] == [text, colour]
    other.js("location.hash = '#write?prime=a+cat&length=7&seed=x&temperature=y&colour=%3Cb%3E&top-p=99'")
    other.wait("takes.length === 2 && !written.running")
    assert other.js("[settings(), find('written-colour').value]") == [
        {"temperature": 1, "topN": 5, "topP": 1, "speed": 100}, "surprise"]
    assert other.written().startswith("a cat") and len(other.written()) == 12
    other.driver.back()
    other.wait("location.hash === arguments[0]".replace("arguments[0]", json.dumps(fragment)))
    other.wait("written.take === takes[0]")
    assert other.written() == text and other.js("takes.length") == 2


def test_a_link_waits_where_less_motion_is_preferred(chromium, small_page):
    view = View(chromium, small_page, "#write?prime=the+hat&seed=9")
    view.wait_for("write-status", "Nothing is written yet")
    view["prime"].send_keys("s")
    view.open("about")
    view.open("write")
    assert view["prime"].get_property("value") == "the hats" and view["seed"].get_property("value") == "9"


def test_the_text_is_saved_as_a_picture(view):
    view.write("the cat", 80)
    view.js("void (HTMLAnchorElement.prototype.click = function () { window.saved = [this.download, this.href]; })")
    view["picture"].click()
    view.wait("window.saved")
    assert view.js("saved[0]") == "written.png" and view.js("saved[1]").startswith("blob:")
    colours = view.js("((canvas) => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, "
                      "canvas.height).data.buffer)).size)(drawPicture())")
    assert colours > 50  # the paper, the ink and its edges, and a tint for each surprise


def test_views_are_in_the_history(view):
    for name in ("read", "about", "write"):
        view.open(name)
    view.driver.back()
    view.wait("!find('view-about').hidden")
    view.driver.back()
    view.wait("!find('view-read').hidden && location.hash.startsWith('#read')")
    view.driver.forward()
    view.wait("!find('view-about').hidden")


def test_the_text_that_is_read_is_kept_when_the_page_is_loaded_again(view):
    view.read("the cat sat")
    view.open("about")
    view.driver.refresh()
    view.wait("document.body.dataset.loaded")
    view.open("read")
    view.finish_reading()
    assert view.text_read() == "the cat sat"


def test_what_is_empty_or_out_of_range_is_not_written_with(view):
    """The browser says what is wrong."""
    for name, wrong, right in [("seed", "", "1"), ("seed", "1.5", "1"), ("length", "0", "5"), ("length", "10001", "5")]:
        view.set(name, wrong)
        view["start"].click()
        assert view.js("[document.activeElement.id, takes.length]") == [name, 0]
        assert view[name].get_property("validationMessage")
        view.set(name, right)
    view["prime"].send_keys(Keys.CONTROL + "a", Keys.DELETE)
    view.wait_for("expected-lead", "The beginning is empty")
    assert not any(each.is_enabled() for each in view["expected"].find_elements(By.TAG_NAME, "button"))


def test_a_long_beginning_shows_how_far_it_was_read(view):
    view.set("speed", "Infinity"), view.set("length", 5)
    view.js("(find('prime').value = 'the cat '.repeat(30000), startWriting())")
    view.wait_for("write-status", "of 240,000 characters.")
    view["prime"].send_keys(Keys.ESCAPE)
    view.wait_for("write-status", "Stopped before the first character.")


def test_the_bars_are_beside_the_text_and_above_the_settings(chromium, small_page):
    view = View(chromium, small_page, width=1280)
    text, bars, exact = [view.js(f"find('{name}').getBoundingClientRect()") for name in ("written", "expected", "seed")]
    assert bars["left"] > text["right"] and bars["top"] < text["bottom"] and exact["top"] > bars["bottom"]
    narrow = View(chromium, small_page, width=360, height=740)
    assert narrow.js("find('written').getBoundingClientRect().bottom") < 500
    narrow.assert_nothing_wrong()


def test_a_text_is_read_with_the_surprise_of_the_engine(view, engine):
    text = TEXT[:300]
    view.read(text)
    expected = surprisal(engine, engine.vocabulary.encode(text)) / np.log(2)
    np.testing.assert_allclose(view.js("[...reading.surprises].slice(1)"), expected, atol=1e-3)
    assert view["read-status"].text == f"300 characters, {expected.mean():.2f} bits of surprise on average."


def test_the_passage_is_read_and_then_what_is_typed(view, small_page):
    view.open("read")
    view.finish_reading()
    assert view.text_read() == data_of(small_page)["passage"]
    view.read("the hat\r\n")
    assert view.text_read() == "the hat\n" and not view["source"].is_displayed()


def test_unknown_characters_of_a_text_are_replaced_and_named(view):
    view.read("The caf\u00e9 \u2603 cat")
    assert view.text_read() == "the cae  cat"
    assert view["read-note"].text.endswith(" f was left out, \u00e9 became e, \u2603 was left out.")
    view.js("readText('!')")
    view.wait_for("read-status", "0 characters: paste a text")
    assert not view["card"].is_displayed()


def test_a_long_text_is_read_in_pieces(view, engine):
    """As much of it as the page takes. It is there at once, and the page never waits long."""
    view.js("(window.longest = 0, new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) {"
            "longest = Math.max(longest, duration); } }).observe({type: 'longtask'}))")
    text = (TEXT * 400)[:100000]
    view.open("read")
    assert view.js("(readText(arguments[0]), find('read-status').textContent)", text + TEXT) == (
        "Reading: 0 of 100,000 characters.")
    assert view["read-note"].text == "Only the first 100,000 characters are read."
    assert view["text"].get_attribute("textContent") == text
    view.finish_reading()
    expected = surprisal(engine, engine.vocabulary.encode(text), rows=50) / np.log(2)
    assert view["read-status"].text == f"100,000 characters, {expected.mean():.2f} bits of surprise on average."
    assert view["text"].get_attribute("textContent") == text and view.js("longest < 3000")  # also on a busy machine
    view["guesses"].click()
    for key, place in [(Keys.END, 99999), (Keys.HOME, 0), (Keys.ARROW_DOWN, 50)]:
        view["text"].send_keys(key)
        assert view.js("reading.at") == place
        cell, paper = [view.js(f"{each}.getBoundingClientRect().bottom") for each in (
            f"reading.cells[{place}]", "find('text')")]
        assert cell <= paper + 1


def test_choosing_a_character_shows_its_card(view):
    """Unusual units only when the state is no longer that of the beginning."""
    view.read(TEXT[:160])
    assert view.js("reading.at") == 100
    view.js("reading.cells[4]").click()
    assert view["card-title"].text.endswith("c") and "memory begins empty" in view["card-cold"].text
    view.js("reading.cells[120]").click()
    assert view["card-surprise"].text.startswith(f"Surprise: {view.js('reading.surprises[120]'):.1f} bits (prob")
    assert len(view["card-guesses"].text.split()) == 2 * 5
    named = re.findall(r"\d+/[ch]/\d+", view["card-units"].text)
    assert len({re.sub("/[ch]/", "/", name) for name in named}) == len(named) == 5  # of c and h of one cell only one


def test_guesses_stand_under_each_character(view):
    view.read("the cat")
    contents = "reading.cells.map((cell) => getComputedStyle(cell, '::after').content)"
    assert set(view.js(contents)) == {"none"}
    view["guesses"].click()
    for place, content in enumerate(view.js(contents)):
        expected = view.js(f"seenAt({place}).guesses.map(({{ id, share }}) => `${{glyph(chars[id])}} ${{"
                           "Math.round(100 * share)}`)")
        assert re.split(r"\\a |\n", content.strip('"')) == expected and len(expected) == 5


def test_any_unit_colours_the_text(view, engine):
    """By its value, or the tanh of a memory, from its lowest to its highest in the text."""
    view.read(TEXT[:80])
    expected, _ = engine.activations(engine.vocabulary.encode(TEXT[:80]), engine.zero_state())
    for part, values, words in [("h", expected[:, 3, 3], "Output of"), ("c", np.tanh(expected[:, 2, 3]), "Memory")]:
        view.set("unit", f"2/{part}/4")
        colours = view.js("reading.cells.map((cell) => cell.style.background)")
        found = [float(re.search(r"[\d.]+(?=\)$)", each).group()) * (-1 if "low" in each else 1) for each in colours]
        np.testing.assert_allclose(found, 2 * (values - values.min()) / np.ptp(values) - 1, atol=0.02 / np.ptp(values))
        assert [float(view[name].text.replace("\u2212", "-")) for name in ("least", "most")] == [
            pytest.approx(values.min(), abs=0.011), pytest.approx(values.max(), abs=0.011)]
        assert view["read-lead"].text.startswith(f"{words} cell 4 in layer 2 (2/{part}/4)")
        assert view.js("location.hash") == f"#read/2/{part}/4"
    view.set("unit", "9/c/1")
    assert view["unit"].get_property("value") == view.js("colour") == "2/c/4"


def test_a_unit_of_the_card_and_one_of_the_gallery_colour_the_text(view, small_page):
    view.read(TEXT[:80])
    button = view.driver.find_element(By.CSS_SELECTOR, "#card-units button")
    name = button.text.split()[1]
    button.click()
    assert view.js("colour") == name
    view.open("units")
    titles = [each.text.lower() for each in view.driver.find_elements(By.CSS_SELECTOR, "#gallery .box h2")]
    expected = list(dict.fromkeys(each["feature"] for each in data_of(small_page)["units"] if each["feature"]))
    assert titles == expected and titles
    button = view.driver.find_element(By.CSS_SELECTOR, "#gallery button")
    name = button.text.split()[0]
    button.click()
    view.wait("document.body.dataset.view === 'read'")
    assert view["colour"].get_property("value") == view.js("colour") == name


def test_the_written_text_can_be_copied_and_looked_into(view):
    view.write("the", 40)
    view["copy"].click()
    view.wait_for("write-status", "Copied.")
    view["look"].click()
    view.finish_reading()
    assert view["view-read"].is_displayed() and view.text_read() == view.written()


def test_the_system_says_whether_the_page_is_dark(view):
    background = "getComputedStyle(document.body).backgroundColor"
    before = view.js(background)
    view.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark"}]})
    assert view.js(background) != before


def test_arrow_keys_move_in_the_text(view):
    view.read("the cat\nsat on")
    for key, place in [(Keys.HOME, 0), (Keys.ARROW_RIGHT, 1), (Keys.ARROW_DOWN, 13), (Keys.ARROW_LEFT, 12),
                       (Keys.ARROW_UP, 0), (Keys.END, 13), (Keys.ARROW_LEFT, 12), (Keys.HOME, 0), (Keys.ARROW_LEFT, 0)]:
        view["text"].send_keys(key)
        assert view.js("reading.at") == place
    assert view["spoken"].get_attribute("textContent").startswith("t. The first character has no")


def test_every_control_has_a_name(view):
    unnamed = view.js("[...document.querySelectorAll('button, input, select, textarea, [tabindex=\"0\"]')].filter("
                      "(each) => !(each.textContent.trim() || each.getAttribute('aria-label')"
                      "|| (each.labels && each.labels.length))).map((each) => each.outerHTML)")
    assert unnamed == []


def test_the_address_names_a_view_and_a_unit(chromium, small_page):
    view = View(chromium, small_page, "#read/2/c/3")
    view.finish_reading()
    assert view["view-read"].is_displayed() and view.js("colour") == "2/c/3"
    view.js("location.hash = '#units'")
    view.wait("!find('view-units').hidden")
    for strange in ("#nothing", "#read/9/c/1"):
        view = View(chromium, small_page, strange)
        assert view.js("colour") == view.js("data.discoveries[0]")
    for strange in ("#read/1/ch/1", "#read/__proto__", "#%22%3E", "#%"):
        view.js("showAddressed(arguments[0])", strange)
        assert view.js("colour") == view.js("data.discoveries[0]")
    view.assert_nothing_wrong()


@pytest.mark.parametrize("width", [360, 1000, 1600])
def test_nothing_is_wider_than_the_window(chromium, small_page, width):
    view = View(chromium, small_page, width=width)
    for name in ("write", "read", "units", "about"):
        view.open(name)
        assert view.js("document.documentElement.scrollWidth") <= width, name
    view.assert_nothing_wrong()


@pytest.mark.parametrize("width", [360, 1000])
def test_choosing_a_colour_or_a_character_moves_nothing(chromium, small_page, width):
    view = View(chromium, small_page, width=width)
    view.read(TEXT[:200])
    layout = "['text', 'read-status'].map((id) => find(id).getBoundingClientRect().top)"
    before = view.js(layout)
    for action in ["chooseColour('1/h/9')", "chooseColour('1/h/1')", "chooseColour('surprise')", "showPlace(7)",
                   "find('guesses').click()"]:
        view.js(action)
        assert view.js(layout) == before, action


def test_on_a_phone_the_text_and_its_card_are_in_sight_together(chromium, small_page):
    view = View(chromium, small_page, "#read", width=360, height=740)
    view.finish_reading()
    view.js("find('text').scrollIntoView()")
    text, bars = [view.js(f"find('{name}').getBoundingClientRect()") for name in ("text", "card-guesses")]
    assert text["height"] >= 300 and bars["bottom"] <= 740


def test_read_opens_on_the_first_discovery_and_goes_on_to_the_next(view, small_page):
    data = data_of(small_page)
    view.open("read")
    view.finish_reading()
    names = []
    for _ in data["discoveries"]:
        names.append(view.js("colour"))
        found = view.js("tracked(colour)")
        claim = "Nobody told it" if abs(found["correlation"]) >= 0.5 else "It may have learned something"
        assert view["read-title"].text == f"{claim} about {found['about']}."
        assert found["name"] in view["read-lead"].text
        view["next"].click()
    assert names == data["discoveries"] and len(names) > 1 and view.js("colour") == names[0]
    view.js("(data.tracked.best[0] = -1, chooseColour('1/c/1'))")
    assert "Nobody" not in view["read-title"].text and "tracks none" in view["read-lead"].text


def test_the_strip_shows_all_units_and_chooses_one(view):
    """By click, by key; a pixel has the colour of the value in the range of the unit."""
    view.read(TEXT[:160])
    assert view.js("[strip.rows.length, new Set(strip.rows).size]") == [view.js("unitNames.length")] * 2
    for key, row in [(Keys.HOME, 0), (Keys.ARROW_DOWN, 1), (Keys.END, -1), (Keys.ARROW_UP, -2)]:
        view["strip"].send_keys(key)
        assert view.js("colour") == view.js(f"strip.rows.at({row})")
        assert view.js("colour") in view["strip"].get_attribute("aria-valuetext")
    view.js("find('strip').scrollTop = 0")
    view.js("find('strip-canvas').dispatchEvent(((box) => new MouseEvent('click', {bubbles: true, "
            "clientX: box.left + box.width * 70.5 / 160, clientY: box.top + strip.tops[3] + 5}))("
            "find('strip-canvas').getBoundingClientRect()))")
    assert view.js("[colour, reading.at]") == [view.js("strip.rows[3]"), 70]
    pixel = view.js("[...find('strip-canvas').getContext('2d').getImageData(reading.at, strip.tops[3], 1, 1).data]")
    value = view.js("((offset) => scaled(seenAt(reading.at).activations[offset], usual[offset].limits))("
                    "unitOffsets.get(colour))")
    assert pixel[3] == pytest.approx(255 * min(1, abs(value)), abs=2)


def test_a_unit_can_be_held_while_it_writes(view, engine):
    """The other text is that of charrnn-sample with the same seed."""
    view.read(TEXT[:160])
    view.js("chooseColour('2/c/3')")
    view.set("hold-value", 0.9), view.set("hold-prime", "the cat"), view.set("hold-seed", 5)
    view["hold-write"].click()
    view.wait("/differ after|are the same/.test(find('hold-status').textContent)")
    (expected,), _ = write(Sampler(engine), "the cat", 300, Settings(top_n=5), seed=5)
    held, free = [view[name].get_attribute("textContent") for name in ("hold-held", "hold-free")]
    assert free == "the cat" + expected.text[:300] and held.startswith("the cat") and len(held) == len(free)
    assert held != free
    view.set("hold-prime", "!")
    view["hold-write"].click()
    assert "characters that the network knows" in view["hold-status"].text


def test_units_that_track_the_same_are_held_together(view):
    """One that tracks it with the other sign gets the opposite value."""
    view.read(TEXT[:160])
    view.js("chooseColour(namedUnits[0].unit)")
    assert view["hold-group"].is_displayed() == (view.js("heldUnits().length") > 1)
    view.js("(([{ feature, correlation }]) => "
            "namedUnits.push({ unit: '1/h/2', feature, correlation: -correlation }))(namedUnits)")
    view.js("chooseColour(namedUnits[0].unit)")
    assert view["hold-group"].is_displayed() and "1/h/2" in view["hold-others"].text
    assert view.js("heldUnits().map(({ sign }) => sign)")[-1] == -view.js("heldUnits()[0].sign")
    view.set("hold-value", 0.9), view.set("hold-prime", "the cat")
    texts = set()
    for _ in range(2):  # alone, then together
        view.js("find('hold-held').replaceChildren()")
        view["hold-write"].click()
        view.wait("find('hold-held').textContent")
        texts.add(view["hold-held"].get_attribute("textContent"))
        view["hold-group"].click()
    assert len(texts) == 2


def test_one_step_has_the_numbers_of_the_cell(view, engine):
    view.read(TEXT[:160])
    view.js("chooseColour('2/h/3')")
    values = []
    for place in range(100, 104):
        view.js("(window.answer = null, ask('cell', {place: arguments[0], layer: 2, unit: 3}, (found) => {"
                "window.answer = found; }))", place)
        view.wait("answer")
        values.append(view.js("[answer.before, ...answer.values]"))
    before, input_gate, fresh, forget, output, memory, given = np.array(values).T
    expected, _ = engine.activations(engine.vocabulary.encode(TEXT[:160]), engine.zero_state())
    np.testing.assert_allclose(memory, expected[100:104, 2, 2], atol=1e-3)
    np.testing.assert_allclose(given, expected[100:104, 3, 2], atol=1e-3)
    np.testing.assert_allclose(before[1:], memory[:-1], atol=1e-9)
    np.testing.assert_allclose(memory, forget * before + input_gate * fresh, atol=1e-9)
    np.testing.assert_allclose(given, output * np.tanh(memory), atol=1e-9)
    view["step"].find_element(By.ID, "step-on").click()
    assert view.js("reading.at") == 101 and view["step-character"].text == view.js("glyph(chars[reading.ids[101]])")
    view["step-on"].send_keys(Keys.ARROW_LEFT)
    assert view.js("reading.at") == 100
    view.wait_for("step-sum", f"= {memory[0]:+.2f}.".replace("-", "\u2212"))
    assert view["step-cell"].text == "Cell 3 in layer 2"
    one_hot = view.js("[...find('step-one-hot').getContext('2d').getImageData(0, 0, chars.length, 1).data]")[3::4]
    assert [place for place, value in enumerate(one_hot) if value] == [view.js("reading.ids[100]")]


def test_headings_skip_no_level(view):
    for name in ("read", "units", "about"):
        view.open(name)
        levels = view.js("[...document.querySelectorAll('h1, h2, h3, h4')].filter((each) => each.checkVisibility())"
                         ".map((each) => Number(each.tagName[1]))")
        assert levels[0] == 1 and all(after <= before + 1 for before, after in zip(levels, levels[1:])), name


def test_in_a_short_window_the_card_covers_nothing(chromium, small_page):
    view = View(chromium, small_page, "#read", width=640, height=400)
    view.finish_reading()
    assert view.js("find('card').getBoundingClientRect().top > find('text').getBoundingClientRect().bottom")


def test_a_hostile_vocabulary_is_text(chromium, tmp_path):
    export_random(random_network(HOSTILE), tmp_path / "hostile.html")
    view = View(chromium, tmp_path / "hostile.html")
    scripts = view.js("document.scripts.length")
    view.set("top-n", len(HOSTILE))
    view.write("</script><script>alert(1)</script>", 80)
    view["look"].click()
    view.finish_reading()
    view["guesses"].click()
    view.set("hold-prime", "</script><script>alert(1)</script>")
    view.js("(chooseColour('1/c/1'), compare())")
    view.wait("find('hold-free').textContent.length > 100")
    view.open("units")
    assert view.js("document.scripts.length") == scripts
    assert view.js("reading.text.startsWith('</script><script>alert(1)</script>')")
    view.assert_nothing_wrong()


def test_a_frame_without_an_origin_shows_the_page(chromium, small_page, tmp_path):
    """As a notebook's server shows it: sandboxed, without storage and clipboard."""
    outside = tmp_path / "outside.html"
    outside.write_text('<body data-loaded="true"><iframe sandbox="allow-scripts" width=900 height=800 '
                       f'src="{small_page.as_uri()}"></iframe>')
    view = View(chromium, outside)
    chromium.switch_to.frame(0)
    view.wait("document.body.dataset.loaded")
    view["tab-read"].click()
    view.wait("document.body.dataset.view == 'read'")
    view["tab-write"].click()
    view.wait("document.body.dataset.view == 'write'")
    view["prime"].send_keys(Keys.ENTER)
    view.wait("written.take.seen.length > 20")
    view["copy"].click()
    chromium.switch_to.default_content()
    assert [each for each in chromium.get_log("browser") if each["level"] == "SEVERE"] == []
