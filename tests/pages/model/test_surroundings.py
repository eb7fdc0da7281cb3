"""The page wherever it is opened: in any window, script and frame, with a screen reader, under the policy of a site."""

import numpy as np
import pytest
from conftest import ROOT, TEXT

from pages.browser import Keys, in_browser, served, waiting
from pages.small_pages import HOSTILE

pytestmark = in_browser

SCRIPTS = {
    "Arabic": "\u0627\u0644\u0633\u0644\u0627\u0645 \u0639\u0644\u064a\u0643\u0645",
    "Hebrew": "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "Hindi": "\u0928\u092e\u0938\u094d\u0924\u0947 \u0939\u093f\u0928\u094d\u0926\u0940",
    "emoji": "\U0001f469\u200d\U0001f680\U0001f1eb\U0001f1f7",
    "accents": "e\u0301a\u0308",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_shown_as_a_browser_shows_it(open_random, script):
    """Letters join, marks stand on their letters, and what runs from right to left does: as wide as plain text."""
    text = SCRIPTS[script]
    view = open_random("".join(sorted(set(text + " \n"))))
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
    last = len(text) - 1
    is_turned = view.js(f"yours.paper.cells[0].offsetLeft > yours.paper.cells[{last}].offsetLeft")
    assert is_turned == (script in ("Arabic", "Hebrew"))
    assert view.js("yours.paper.at") == is_turned

    # A picture of it is drawn at once.
    view.write(text, 1)
    assert text in view.js("piecesOf(layOut()).pieces.map((piece) => piece.text)")
    view.assert_nothing_wrong()


def test_a_text_is_never_cut_inside_a_character(open_random):
    view = open_random("\na\U0001f600")
    view.set("source", "a" * 19999 + "\U0001f600" * 2)
    view.js("(yours.read = (ids) => { window.seen = ids; }, readYours())")
    assert view.js("[seen.length, chars[seen.at(-1)]]") == [20000, "\U0001f600"]
    assert view["read-note"].text == "Only the first 20,000 characters are read."


@pytest.mark.parametrize(
    "width, size", [(320, 100), (360, 100), (360, 200), (768, 200), (1280, 100), (1920, 200)]
)
def test_nothing_is_wider_than_the_window_and_nothing_covers_another(
    open_page, small_page, width, size
):
    view = open_page(small_page, width=width).ready()
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
def test_what_a_policy_of_the_site_forbids_is_said(
    open_page, with_names, small_page, policy, outcome
):
    """Also where only WebAssembly is forbidden."""
    with served(with_names(small_page).parent, policy) as site:
        view = open_page(f"{site}/{small_page.name}")
        if outcome:
            waiting(view.driver).until(lambda _: outcome in view["failure"].text)
        else:
            assert len(view.ready().written()) > 600


@pytest.fixture
def without_webassembly(chromium):
    """The browser as in Lockdown Mode."""
    script = chromium.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete globalThis.WebAssembly;"}
    )
    yield
    chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("page", ["anna.html", "learn.html"])
def test_without_webassembly_a_page_says_what_is_missing_and_promises_nothing(
    without_webassembly, open_page, page
):
    view = open_page(ROOT / "docs" / page)
    view.wait("byId('failure').textContent.includes('WebAssembly, and this browser has none')")
    assert view["failure"].is_displayed()
    assert "Save the file" not in view["failure"].text

    claim = view.js("document.querySelector('h1').innerText")
    assert view.js("document.querySelector('main').innerText") == claim


def test_what_fails_first_is_what_is_said(view):
    view.js("(fail('the first'), fail('the second'))")
    assert "the first" in view["failure"].text


def test_a_hostile_vocabulary_is_text(open_random):
    closing = "</script><script>alert(1)</script>"
    view = open_random(HOSTILE)
    scripts = view.js("document.scripts.length")
    view.set("top-n", len(HOSTILE))
    view.write(closing, 80)
    view.js("guessing.moveTo(40)")
    view.read(closing + view.shown())
    view.click("picture")
    assert view.js("document.scripts.length") == scripts
    shown = view.shown("yours")
    assert shown.startswith(closing)
    assert "\u202e" not in shown
    view.assert_nothing_wrong()


def test_a_frame_without_an_origin_shows_the_page_and_promises_nothing(
    open_page, with_names, small_page, tmp_path
):
    """As a notebook's server shows it: sandboxed, without storage, clipboard and downloads."""
    # What a link names is there at once; the rest of the usual text is written to read along.
    address = with_names(small_page).as_uri() + "#prime=the&length=20"
    outside = tmp_path / "outside.html"
    outside.write_text(
        f'<body><iframe sandbox="allow-scripts" width=900 height=800 src="{address}"></iframe>'
    )
    view = open_page(outside)
    view.driver.switch_to.frame(0)
    view.ready()
    view.set("length", 30)
    view["prime"].send_keys(Keys.ENTER)
    view.wait("state.takes.length === 2 && !state.isRunning")
    view["picture"].click()
    assert "may not save files" in view["link-note"].text
    view.wait("byId('pictures').firstChild.naturalWidth > 0")
    view["copy"].click()
    view.driver.switch_to.default_content()
    severe = [entry for entry in view.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


DRAWN_AGAIN = """((observer) => {
    const shown = () => [document.body.innerHTML, lastJob, byId("hold").value, byId("prime").value];
    const before = shown();
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    change();
    return [String(shown()) === String(before), observer.takeRecords().length];
})(new MutationObserver(() => {}))"""


def test_drawing_the_page_again_changes_nothing(view):
    """No text is put in the place of the same one, and the worker is asked nothing."""
    view.read(TEXT[:160])
    view.set("hold", 0.5)
    view.held()
    view.wait("strip.drawn === strip.to")
    assert view.js(DRAWN_AGAIN) == [True, 0]
