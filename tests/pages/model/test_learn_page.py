"""docs/learn.html in a real browser, with what it saves read by charrnn. No test depends on how fast it learns."""

import io
import json
import re
import time
from urllib.parse import parse_qs

import numpy as np
import pytest
from conftest import CHARS, ROOT
from pages import random_network
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait
from test_browser import PATIENCE, View, chromium, pytestmark  # noqa: F401

from charrnn.checkpoints.weights import packed
from charrnn.engines.model_file import open_model
from charrnn.inspection.learning import learning_page

PAGE = ROOT / "docs" / "learn.html"
PATTERN = "".join(f"{number} goats, ({number} more) " for number in range(100, 250))
# its last tenth has characters that stand nowhere else
UNEXPECTED = PATTERN + "xy" * (len(PATTERN) // 18)
SHOWN = "document.getElementById('sample').textContent"


class Learning(View):
    def start(self, text=None, least=10):
        """Learn some steps, from a text or the one that is chosen, and pause. Return what is said where it cannot."""
        if text is not None:
            self.js("void takeText(arguments[0])", text)
        self.click("start")
        self.wait(f"progress.updates >= {least} || !byId('note').hidden")
        return self.pause()

    def pause(self):
        """Pause where it learns, and wait until the last look shows the network as it is."""
        if self.js("run.isRunning"):
            self.click("start")
            # the worker answers in turn: after this, its last report is there, and no look is under way
            self.js(
                "void (window.isPaused = false, ask('save', { isBest: true }, () => { window.isPaused = true; }))"
            )
            self.wait("window.isPaused && run.nextLook < Infinity")
            self.js("look()")
            self.wait(
                "timeline.looks.at(-1)?.updates === progress.updates && run.nextLook < Infinity"
            )
        return self.js("byId('note').textContent")

    def looks(self, name):
        return self.js(f"timeline.looks.map((look) => look.{name})")

    def scrub(self, place):
        """Move the slider to the step of a look, and return what was written there."""
        self.set("time", self.looks("updates")[place])
        return self.js(SHOWN)

    def answer(self, accepts):
        """Answer the question whether what was learned may be lost."""
        question = WebDriverWait(self.driver, PATIENCE).until(
            expected_conditions.alert_is_present()
        )
        said = question.text
        question.accept() if accepts else question.dismiss()
        return said

    def ask_by(self, action):
        """Do something that raises a question, without waiting for its answer."""
        self.js(f"void setTimeout(() => {action})")

    def saved(self, name, folder):
        """Click a button that saves a file, and return its path."""
        before = set(folder.iterdir())
        self.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
        )
        self.click(name)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            new = [
                path for path in set(folder.iterdir()) - before if path.suffix in (".npz", ".png")
            ]
            if new:
                return new[0]
            time.sleep(0.05)
        raise AssertionError("nothing was saved")

    def upload(self, path, content):
        path.write_bytes(content)
        self["file"].send_keys(str(path))


def bits(model, text):
    return model.surprisal(text) / np.log(2)


@pytest.fixture
def learning(chromium):  # noqa: F811
    def opened(fragment="", **size):
        view = Learning(chromium, PAGE, fragment, **size)
        view.wait("byId('failure').hidden")
        return view

    yield opened
    chromium.execute_script("progress.saved = Infinity")  # no question holds up the next test


def test_the_shipped_page_is_current_and_small():
    content = PAGE.read_bytes()
    assert len(content) < 150_000 and b"http:" not in content and b"https:" not in content
    if content.decode() != learning_page():  # a comparison by assert would print all of it
        pytest.fail("docs/learn.html is out of date: run make page-of-learning")


@pytest.mark.parametrize(
    "width, height, touch",
    [
        (360, 740, True),
        (390, 844, True),
        (768, 1024, False),
        (1280, 720, False),
        (1920, 1080, False),
    ],
)
def test_what_it_writes_stands_below_start_and_the_controls_come_last(
    learning, width, height, touch
):
    view = learning("#units=64", width=width, height=height, touch=touch)
    view.start(least=3)
    names = ("start", "sample", "time", "curve", "legend", "rate", "layers")
    top, bottom, left, right = (
        {name: view.js(f"byId('{name}').getBoundingClientRect().{side}") for name in names}
        for side in ("top", "bottom", "left", "right")
    )
    assert bottom["start"] <= top["sample"] < bottom["start"] + 60 and bottom["time"] < height
    assert top["curve"] > bottom["time"] or left["curve"] > right["sample"]
    assert min(top["rate"], top["layers"]) > max(bottom["time"], bottom["legend"])
    assert top["legend"] >= bottom["curve"]  # no label lies on a curve
    assert view.js("document.documentElement.scrollWidth") <= width
    assert view.js("getComputedStyle(document.querySelector('.by-mouse')).display") == (
        "none" if touch else "inline"
    )


def test_it_learns_the_rhyme_writes_and_asks_for_nothing(learning):
    view = learning("#units=64&rate=-2")
    assert view.js("chosen.source.label") == "a rhyme with a rule"
    view.click("start")
    # better than the counts of pairs
    view.wait("timeline.looks?.at(-1)?.held < network?.bigrams")
    assert not view.pause()
    held = view.looks("held")
    read = view.looks("read")
    assert (
        abs(held[0] - view.js("Math.log2(chars.length)")) < 0.7
        and max(held[-1], read[-1]) < 0.5 * held[0]
    )
    assert view.js(
        "document.querySelectorAll('#tracked button').length === Object.keys(tracking.since).length"
    )
    assert f"text that it reads {read[-1]:.2f}" in view["curve"].get_attribute("aria-label")
    view.assert_nothing_wrong()


def test_one_moves_through_time_over_the_same_sentence(learning):
    """The beginning and the dice are the same, and what is shown stays while it goes on learning."""
    view = learning("#units=64&rate=-2")
    view.click("start")
    view.wait("timeline.looks?.length >= 3")
    assert view.js(SHOWN) == view.looks("text")[-1] or view.js(
        "timeline.moment === timeline.looks.at(-1)"
    )
    first = view.scrub(0)
    assert first == view.looks("text")[0] and view["when"].text.startswith("after 0 of ")
    known = len(view.looks("text"))
    view.wait(f"timeline.looks.length > {known}")
    assert view.js(SHOWN) == first and view["time"].get_attribute("value") == "0"
    view.pause()
    texts = view.looks("text")
    assert view["said"].text.startswith(f"Step {view.looks('updates')[-1]}, ")
    assert len(set(texts)) > 2 and {text[:12] for text in texts} == {'"Who has my '}
    assert view.scrub(-1) == texts[-1]
    view.js("void look()")
    view.wait("run.nextLook < Infinity")
    assert view.looks("text") == texts  # nothing but the weights changes it
    view.click("start")
    view.wait(f"timeline.looks.length > {len(texts)}")
    view.pause()
    assert view.js(SHOWN) == view.looks("text")[-1] != texts[-1]  # it follows again


def test_what_another_text_gave_is_not_shown_as_that_of_the_one_that_is_chosen(learning):
    view = learning("#units=64")
    visible = (
        "['sample', 'time', 'when', 'held-now', 'held-line', 'ticks'].map((id) => "
        "getComputedStyle(byId(id)).visibility === 'visible')"
    )
    assert view.js(visible) == [False] * 6
    view.start(least=1)
    assert view.js(visible) == [True] * 6
    view.js("void byId('texts').children[1].click()")
    assert view.js(visible) == [False] * 6 and not view["time"].is_enabled()


def test_the_axis_follows_the_values(learning):
    view = learning("#units=64")
    view.start(least=1)

    def shown(looks, lines):
        """Return the curves' points and the ticks, read in the same turn: the page may draw its own at any time."""
        return view.js(
            "(showCurves(arguments[0], arguments[1], null, arguments[0].at(-1)), ["
            "['read', 'held'].map((name) => byId(`${name}-line`).getAttribute('points')).join(' '),"
            "[...byId('ticks').children].map(({ textContent }) => textContent)])",
            looks,
            lines,
        )

    looks = [{"updates": 0, "held": 3.6}, {"updates": 40, "read": 9, "held": 7.7}]
    points, ticks = shown(looks, {"blind": 3.5, "pairs": 1.5})
    places = [float(number) for number in re.findall(r"[\d.-]+", points)]
    assert len(places) == 6 and all(0 <= place <= 1 for place in places)
    assert len({*places[1::2]}) == 3  # no two losses at the same height
    assert ticks == ["0", "5 bits", "0", "10", "20", "30", "40 steps"]
    ticks = shown([{"updates": 25000, "held": 3}], {"blind": 2.5, "pairs": 2})[1]
    assert ticks == ["0", "1", "2", "3 bits", "0", "10,000", "20,000 steps"]


def test_the_slider_stands_above_the_step_that_is_shown_and_the_losses_are_those_of_it(learning):
    """Wherever it is clicked: the middle of its thumb, which is where the mouse is, and the line in the curves."""
    view = learning("#units=64&rate=-2", width=1280, height=720)
    view.start(least=60)
    steps = view.looks("updates")
    view.js(
        "void addEventListener('input', ({ target }) => { window.clicked = Number(target.value); }, true)"
    )
    for place in (0, len(steps) // 2, len(steps) - 1):
        slider, line = view.js(
            "[byId('time'), byId('moment')].map((each) => each.getBoundingClientRect())"
        )
        curve = view.js("byId('curve').firstElementChild.getBoundingClientRect()")
        x = curve["left"] + curve["width"] * steps[place] / steps[-1]
        view.point("mousePressed", x, slider["top"] + slider["height"] / 2)
        view.point("mouseReleased", x, slider["top"] + slider["height"] / 2)
        line = view.js("byId('moment').getBoundingClientRect()")
        assert (
            abs(line["left"] + line["width"] / 2 - x) < 1.5 and slider["bottom"] <= line["top"] + 12
        )
        assert abs(view.js("clicked") - steps[place]) <= 1.5 * steps[-1] / curve["width"] + 0.5
        assert (
            view.js("Number(byId('time').value)") == steps[place]
            and view.js("timeline.moment.updates") == steps[place]
        )
        look = view.js("timeline.moment")
        assert [view[f"{name}-now"].text for name in ("read", "held")] == [
            f"{look[name]:.2f} bits" if look[name] is not None else "" for name in ("read", "held")
        ]


def test_a_link_has_the_settings_and_not_the_text(learning):
    view = learning("#text=a+program&units=64&seed=7")
    view.set("rate", -1.5), view.set("temperature", 1.1), view.set("layers", 2)
    view.click("link")
    view.wait_for("saved", "settings now")
    link = view.js("location.hash")
    assert parse_qs(link[1:]) == {
        "layers": ["2"],
        "units": ["64"],
        "rate": ["-1.5"],
        "temperature": ["1.1"],
        "seed": ["7"],
        "text": ["a program"],
    }
    again = learning(link)
    again.click("link")
    assert again.js("location.hash") == link and "A small farm" in again.js("byId('text').value")
    again.js("void takeText(arguments[0])", PATTERN)
    again.click("link")
    again.wait_for("saved", "without the text")
    assert "text" not in parse_qs(again.js("location.hash")[1:])


def test_the_best_step_is_marked_and_saved(learning, tmp_path):
    """The last tenth is never learned: the more is learned, the less its characters are expected."""
    view = learning("#units=64&rate=-2")
    view.js("void takeText(arguments[0])", UNEXPECTED)
    view.click("start")
    view.wait("timeline.looks?.at(-1)?.held > timeline.best?.held + 1.5")
    assert not view.pause()
    best, held = view.js("[timeline.best.updates, timeline.looks.map(({held}) => held)]")
    assert view["best-said"].text == f"step {best:,}" and view["overfits"].is_displayed()
    assert view["kept"].text == f"What is saved is its best step, {best}."
    passage, edge = view.js("[textOf(network.passage), network.heldFrom]")
    for name, loss in (("best", min(held)), ("newest", held[-1])):
        (tmp_path / name).mkdir()
        path = view.saved("save", tmp_path / name)
        view.click("newest")
        assert path.name == "your-text.npz"
        assert abs(bits(open_model(path), passage)[max(0, edge - 1) :].mean() - loss) < 1e-3
    assert "charrnn-sample your-text.npz" in view.driver.find_element("tag name", "pre").text


def test_a_picture_of_what_was_learned_is_saved(learning, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    view = learning("#units=64&text=a+program")
    view.start(least=3)
    path = view.saved("picture", tmp_path)
    picture = np.asarray(image.open(io.BytesIO(path.read_bytes())).convert("L"))
    assert path.name == "a-program.png" and picture.shape[1] == 1984 and picture.std() > 10
    assert picture[:, -40:].std() == 0  # no column is cut


def test_charrnn_goes_on_with_a_file_and_the_page_too(learning, tmp_path):
    """It writes the same text from the same seed, and the page goes on where it was."""
    view = learning("#layers=2&units=64&rate=-2&seed=6&temperature=0.9")
    view.start(PATTERN, least=40)
    view.click("newest")
    model = open_model(view.saved("save", tmp_path))
    text = view.looks("text")[-1]
    first = view.js("textOf(network.beginning)")
    written = model.write(first, 220, temperature=0.9, top_n=len(model.vocabulary), seed=6)
    assert (model.num_layers, model.lstm_size) == (2, 64) and written.startswith(text)
    # less the word that its end cuts
    assert re.fullmatch(r"[a-z]*", written[len(text) :]) and not text[-1].isalpha()
    trained, passage, edge = (
        view.looks("held")[-1],
        *view.js("[textOf(network.passage), network.heldFrom]"),
    )
    assert abs(bits(model, passage)[edge - 1 :].mean() - trained) < 1e-3
    again = learning("#units=256")
    again.js("void takeText(arguments[0])", PATTERN)
    again.upload(tmp_path / "Learned.NPZ", (tmp_path / "your-text.npz").read_bytes())
    again.wait_for("said", "Learned.NPZ goes on with this text. It has 2 layers of 64 units.")
    assert [again.js(f"byId('{name}').value") for name in ("layers", "units")] == ["2", "64"]
    again.start(least=30)
    held = again.looks("held")
    assert again.js("byId('rate').value") == "-3.5"
    # its first steps spoil nothing
    assert abs(held[0] - trained) < 1e-3 and max(held) < trained + 0.01
    again.set("units", 128)  # another network, which knows nothing
    assert again.js("[chosen.file, byId('rate').value]") == [None, "-2.5"]


def test_a_unit_is_found_and_held(learning):
    view = learning("#units=64&rate=-2&text=names")
    view.click("start")
    # in one expression, since the next look can find other units
    view.wait(
        "(button => { button?.click(); return button; })(document.querySelector('#tracked button')) !== null"
    )
    view.pause()
    assert view.js("Object.values(tracking.since).every(({updates}) => updates > 0)")
    view.wait("heldPaper.cells.length > 150")
    free = view.shown("held")
    view.set("hold", 1)
    view.wait(f"document.querySelector('#held [aria-hidden]').textContent !== {json.dumps(free)}")
    assert set(view.alphas("heldPaper", start=view.js("network.beginning.length"))) == {1.0}
    low, high = view.js("watched.ends")[:: view.js("Math.sign(watched.correlation)")]
    assert [view["left"].text, view["right"].text] == [low, high]
    view.click("release")
    view.wait(f"document.querySelector('#held [aria-hidden]').textContent === {json.dumps(free)}")
    view.js("void (document.querySelector('#tracked button').focus(), look())")
    view.wait("run.nextLook < Infinity")
    assert view.js("document.activeElement.matches('#tracked button')")
    view.js("void (progress.saved = Infinity)")
    view.click("again")
    view.wait("timeline.looks?.length && progress.updates")
    assert not view["handle"].is_displayed()
    view.assert_nothing_wrong()


@pytest.mark.parametrize(
    "text, said",
    [
        ("a" * 2000, "one character only"),
        ("a short text", "1,000 to 2,000,000 characters. This one has 12"),
        ("", "This one has 0."),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 16000))) * 2, ""),
    ],
    ids=["one character", "short", "none", "Chinese"],
)
def test_texts_that_are_unusual(learning, text, said):
    view = learning("#units=64")
    note = view.start(text, least=1)
    assert said in note and bool(said) == bool(note)
    if not said:
        view.wait_for("text-note", "Left out: 14,000 characters (88% of the text)")


def test_it_says_which_part_of_the_text_is_shown(learning):
    view = learning("#units=64")
    view.start(PATTERN, least=1)
    held_out = len(PATTERN) // 10
    assert view["passage-said"].text == (
        "This is the end of the text. What is underlined it has practised; the last "
        f"{held_out} characters it has never seen."
    )
    long = "A line of a long text goes on and on.\n" * 500
    view.start(long, least=1)
    assert view["passage-said"].text == (
        f"It never learns the last tenth of the text, {len(long) // 10:,} characters. "
        "These are the first 1,500 of them."
    )


def test_own_text_is_taken_as_it_is_typed_or_at_start(learning):
    view = learning("#text=your+own+text&units=64")
    assert view["text"].is_displayed()
    assert view.js("document.querySelector('#texts [aria-pressed=true]').value") == "your own text"
    # tells of input, not of change, as long as the field is not left
    view["text"].send_keys("some words of mine ")
    assert view.js("chosen.source.text") == "some words of mine "
    # as on a phone that tells of nothing
    view.js("void (byId('text').value = arguments[0])", PATTERN)
    assert not view.start(least=1)
    assert view.js("textOf(network.passage.slice(-9))") == PATTERN[-9:]


def test_what_was_learned_is_not_lost_without_a_question(learning, tmp_path):
    view = learning("#units=64")
    view.start(PATTERN, least=60)
    steps = view.js("progress.updates")
    change = "(byId('units').value = 128, byId('units').dispatchEvent(new Event('change')))"
    for action in (
        "byId('again').click()",
        "byId('texts').firstChild.click()",
        change,
        "takeText('another text')",
    ):
        view.ask_by(action)
        assert f"in {steps} steps is not saved" in view.answer(accepts=False)
        assert view.js("[progress.updates, chosen.source.text, byId('text').value]") == [
            steps,
            PATTERN,
            PATTERN,
        ]
        assert view["units"].get_attribute("value") == "64"
    leaves = "!dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert view.js(leaves)
    view.saved("save", tmp_path)
    assert not view.js(leaves)
    view.js("void byId('texts').firstChild.click()")  # what is saved is lost without a question
    assert view.js("chosen.source.label") == "a rhyme with a rule"


def test_a_question_that_is_accepted_begins_anew(learning):
    view = learning("#units=64")
    view.start(PATTERN, least=60)
    view.ask_by("byId('again').click()")
    view.answer(accepts=True)
    view.wait("timeline.looks?.[0]?.updates === 0 && seed === 2")


def test_a_divergence_goes_back_to_the_best_step(learning):
    view = learning("#units=64&rate=-2")
    view.js("void takeText(arguments[0])", PATTERN)
    view.click("start")
    view.wait("timeline.looks?.at(-1)?.held < 3.6")
    view.set("rate", 0)
    view.wait_for(
        "note",
        "It diverged: at this rate, each step leads further away. It is back at its best step",
    )
    back = int(re.search(r"best step, (\d+)", view["note"].text).group(1))
    view.wait("run.nextLook < Infinity && timeline.moment?.text")
    assert not view.js("run.isRunning") and max(view.looks("updates")) == back == view.js(
        "timeline.best.updates"
    )
    assert view.looks("held")[-1] == min(view.looks("held")) < 3.6
    view.set("rate", -3)
    view.click("start")
    view.wait(f"progress.updates > {back}")


def test_files_that_are_none_are_refused_in_words(learning, tmp_path):
    view = learning("#units=64")
    lacking = packed(random_network(CHARS, lstm_size=6).weights, {"vocabulary": CHARS[:-1]})
    for name, content, said in (
        ("diary.txt", "дневник".encode("cp1251"), "diary.txt cannot be read as UTF-8 text"),
        ("windows.txt", PATTERN.encode("utf-16"), "Perhaps it is UTF-16"),
        ("bad.npz", b"PK" * 500, "bad.npz: The file is damaged"),
        (
            "less.NPZ",
            lacking,
            "less.NPZ: The file has an odd number of units, or another number of characters",
        ),
    ):
        view.upload(tmp_path / name, content)
        view.wait_for("note", said)
    assert view.js("chosen.source.label") == "a rhyme with a rule"
    view.upload(tmp_path / "nothing.txt", b"")
    view.wait_for("text-note", "nothing.txt, 0 characters")
    view.upload(tmp_path / "Ein Märchen.txt", PATTERN.encode())
    view.wait_for("text-note", "Ein Märchen.txt, ")
    assert view.js("fileName(chosen.source)") == "Ein-Märchen"


def test_many_clicks_do_no_harm_and_later_errors_are_not_those_of_the_page(learning):
    view = learning("#units=64")
    for _ in range(50):
        view.click("start"), view.click("again")
    view.wait("timeline.looks?.length > 2 && run.isRunning")
    view.assert_nothing_wrong()
    view.js("void setTimeout(() => { throw new Error('of an extension'); })")
    view.wait("new Promise((resolve) => { setTimeout(() => resolve(true), 50); })")
    assert not view["failure"].is_displayed()


def test_the_keys_move_through_time(learning):
    view = learning("#units=64")
    view.click("start")
    view.wait("timeline.looks?.length >= 3")
    view.pause()
    for key, place in [
        (Keys.HOME, 0),
        (Keys.ARROW_RIGHT, 1),
        (Keys.ARROW_UP, 2),
        (Keys.ARROW_LEFT, 1),
        (Keys.END, -1),
    ]:
        view["time"].send_keys(key)
        assert view.js(SHOWN) == view.looks("text")[place]


def test_of_each_property_of_the_text_it_is_said_how_far_it_is(learning):
    """Also when none is found yet."""
    view = learning("#units=64")
    view.start(least=1)
    lines = [each.text for each in view["tracked"].find_elements("tag name", "li")]
    untrained = view.js("network.untrained")
    assert [line.split(":")[0] for line in lines] == [each["name"] for each in untrained] and len(
        lines
    ) == 5
    for line, before in zip(lines, untrained):
        assert re.search(r": since step \d|: not yet\. The best correlation is \d\.\d\d, ", line)
        assert (
            "not yet" not in line
            or f"was {abs(before['correlation']):.2f} before it learned" in line
        )
