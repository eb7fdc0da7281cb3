"""docs/learn.html in a real browser, with what it saves read by charrnn."""
import base64
import json
import re
from urllib.parse import parse_qs

import numpy as np
import pytest
from conftest import ROOT
from test_browser import View, chromium, pytestmark  # noqa: F401

from charrnn.engines.opened_model import open_model
from charrnn.inspection.learning import learning_page

PAGE = ROOT / "docs" / "learn.html"
PATTERN = "".join(f"{number} goats, ({number} more) " for number in range(100, 250))


class Learning(View):
    def start(self, text=None, least=10):
        """Learn for some steps, from a text or the one that is chosen, and pause."""
        if text is not None:
            self.js("void choose('mine', arguments[0])", text)
        self.click("start")
        self.wait(f"state.points?.at(-1)?.updates >= {least} && document.querySelector('#samples li')"
                  " || !find('note').hidden")
        if self.js("state.isRunning"):
            self.click("start")
        return self.js("find('note').textContent")

    def losses(self):
        return self.js("state.points.map(({loss}) => loss)")

    def saved(self, path):
        """Write what the page saves to a file, and return the model."""
        self.js("void ask('save', {}, ({bytes}) => { state.saved = btoa(Array.from(new Uint8Array(bytes), (byte) => "
                "String.fromCharCode(byte)).join('')); })")
        self.wait("state.saved")
        path.write_bytes(base64.b64decode(self.js("state.saved")))
        return open_model(path)


@pytest.fixture
def learning(chromium):  # noqa: F811
    def opened(fragment="", **size):
        view = Learning(chromium, PAGE, fragment, **size)
        view.wait("document.querySelector('main').hidden === false")
        return view
    return opened


def test_the_shipped_page_is_current_and_small():
    content = PAGE.read_text(encoding="utf-8")
    assert len(content) < 140_000 and "http:" not in content and "https:" not in content
    if content != learning_page():  # a comparison by assert would print all of it
        pytest.fail("docs/learn.html is out of date: run make page-of-learning")


def test_it_learns_writes_and_asks_for_nothing(learning):
    view = learning("#text=a+program&units=64", width=360, height=740)
    assert not view.start(least=60)
    losses = view.losses()
    assert losses[-1] < 0.8 * losses[0] and abs(losses[0] - view.js("Math.log(chars.length)")) < 0.5
    view.wait("document.querySelectorAll('#samples li').length >= 2 && state.heldOut.length >= 2")
    assert view.js("state.heldOut.at(-1).loss < state.heldOut[0].loss - 0.5")
    # in one expression, since it goes on learning
    assert view.js("document.querySelectorAll('#tracked button').length === Object.keys(state.began).length")
    assert view.js("document.documentElement.scrollWidth <= 360")
    tops = view.js("Array.from(find('curve').querySelectorAll('text'), (text) => text.getBoundingClientRect().top)")
    assert len(tops) == 4 and min(np.diff(sorted(tops))) > 16  # no label covers another
    view.click("once")
    view.wait("state.points.at(-1).updates - state.points.at(-2).updates === 1")  # what the pause cut was told before
    view.assert_nothing_wrong()


def test_a_link_has_the_settings_and_not_the_text(learning):
    view = learning("#text=a+program&units=64&seed=7")
    view.set("rate", -1.5), view.set("temperature", 1.1), view.set("layers", 2)
    view.click("link")
    link = view.js("location.hash")
    assert parse_qs(link[1:]) == {"layers": ["2"], "units": ["64"], "rate": ["-1.5"], "temperature": ["1.1"],
                                  "seed": ["7"], "text": ["a program"]}
    again = learning(link)
    again.click("link")
    assert again.js("location.hash") == link and "A small farm" in again.js("find('text').value")
    again.js("void choose('mine', arguments[0])", PATTERN)
    again.click("link")
    assert "text" not in parse_qs(again.js("location.hash")[1:])


def test_the_last_tenth_is_never_learned(learning):
    """It has characters that stand nowhere else, so the more is learned, the less they are expected."""
    view = learning("#units=64&rate=-2")
    view.start(PATTERN + "xy" * (len(PATTERN) // 18), least=50)
    view.wait("state.heldOut.length >= 2 && state.nextLook < Infinity")  # after it was paused
    before, after = view.js("[state.heldOut[0].loss, state.heldOut.at(-1).loss]")
    assert after > before + 1 and view.losses()[-1] < before - 1


def test_charrnn_goes_on_with_a_file_and_the_page_too(learning, tmp_path):
    """It writes the same text from the same seed, and the page goes on where it was."""
    view = learning("#layers=2&units=64&rate=-2")
    view.start(PATTERN, least=40)
    view.set("temperature", 0.9)
    view.js("void draft('hold', 6, free, ({ids}) => { state.drafted = textOf(ids); })")
    view.wait("state.drafted")
    model = view.saved(tmp_path / "learned.npz")
    first = view.js("textOf([0])")
    written = model.write(first, 220, temperature=0.9, top_n=len(model.vocabulary), seed=6)
    assert (model.num_layers, model.lstm_size) == (2, 64) and written == view.js("state.drafted")
    view.wait("state.nextLook < Infinity")  # it has looked at the network as it was saved
    trained, passage = view.js("[state.heldOut.at(-1).loss, textOf(state.network.passage)]")
    edge = view.js("state.network.heldFrom")
    assert abs(model.surprisal(passage)[edge - 1:].mean() - trained) < 1e-3
    view["file"].send_keys(str(tmp_path / "learned.npz"))
    view.wait_for("said", "Adam begins anew")
    view.start(least=1)
    assert abs(view.js("state.heldOut[0].loss") - trained) < 1e-3 and trained < 2


def test_a_unit_is_found_and_held(learning):
    view = learning("#units=64&rate=-2&text=names")
    view.start(least=80)
    # in one expression, since the next look can find other units
    view.wait("(button => { button?.click(); return button; })(document.querySelector('#tracked button')) !== null")
    assert view.js("Object.values(state.began).every(({updates}) => updates > 0)")
    view.wait("papers.held.cells.length > 200")
    free = view.shown("held")
    view.set("hold", 1)
    view.wait(f"document.querySelector('#held [aria-hidden]').textContent !== {json.dumps(free)}")
    assert set(view.alphas("papers.held", start=1)) == {1.0}
    low, high = view.js("watched.ends")[::view.js("Math.sign(watched.correlation)")]
    assert [view["left"].text, view["right"].text] == [low, high]
    view.click("release")
    view.wait(f"document.querySelector('#held [aria-hidden]').textContent === {json.dumps(free)}")
    view.js("void (document.querySelector('#tracked button').focus(), look())")
    view.wait("state.nextLook < Infinity")
    assert view.js("document.activeElement.matches('#tracked button')")
    view.click("again")
    view.wait("state.seen.length && state.points.length")
    assert not view["handle"].is_displayed()
    view.assert_nothing_wrong()


@pytest.mark.parametrize("text, said", [
    ("a" * 2000, "one character only"), ("a short text", "1,000 to 2,000,000 characters. This one has 12"),
    ("".join(map(chr, range(0x4e00, 0x4e00 + 16000))) * 2, "")], ids=["one character", "short", "Chinese"])
def test_texts_that_are_unusual(learning, text, said):
    view = learning("#units=64")
    note = view.start(text, least=1)
    assert said in note and bool(said) == bool(note)
    if not said:
        view.wait_for("text-note", "Left out: 14,000 characters (88% of the text)")


def test_a_divergence_goes_back_to_the_last_good_weights(learning):
    """First to those of the beginning, as no loss was as low again; then the rate is moved while it learns."""
    view = learning("#units=64&rate=-0.7")
    view.js("void choose('mine', arguments[0])", PATTERN)
    for step in range(3):
        view.click("once")
        view.wait_for("said", f"Step {step + 1},")
    view.set("rate", 0)
    view.click("start")
    view.wait_for("note", "It diverged: at this rate, each step leads further away. It is back at step 0.")
    assert view.losses() == []
    view.set("rate", -2)
    view.click("start")
    view.wait("state.points.at(-1)?.updates >= 20 && state.points.at(-1).loss < 2.5")
    view.set("rate", 0)
    view.wait_for("note", "It diverged")
    back = int(re.search(r"back at step (\d+)", view["note"].text).group(1))
    view.wait("state.heldOut.at(-1).updates >= state.points.at(-1).updates && state.nextLook < Infinity")
    assert back > 15 and view.js("state.heldOut.at(-1).loss < Math.log(chars.length)")
    view.click("once")
    view.wait(f"state.points.at(-1).updates === {back + 1}")


def test_many_clicks_and_damaged_files_do_no_harm(learning, tmp_path):
    view = learning("#units=64")
    for _ in range(50):
        view.click("start"), view.click("again")
    view.wait("state.points?.length > 2 && state.isRunning")
    (tmp_path / "diary.txt").write_bytes("дневник".encode("cp1251"))
    view["file"].send_keys(str(tmp_path / "diary.txt"))
    view.wait_for("note", "diary.txt cannot be read as UTF-8 text.")
    (tmp_path / "bad.npz").write_bytes(b"PK" * 500)
    view["file"].send_keys(str(tmp_path / "bad.npz"))
    view.wait_for("said", "bad.npz")
    assert "damaged" in view.start()
    view.assert_nothing_wrong()
