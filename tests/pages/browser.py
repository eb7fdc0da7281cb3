"""A page in a real browser: Debian's chromium, driven by selenium. Skipped where they are not installed."""

import contextlib
import functools
import http.server
import json
import re
import shutil
import threading
import time

import pytest

selenium = pytest.importorskip(
    "selenium", reason="selenium is not installed: pip install -e '.[test]'"
)
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support import expected_conditions  # noqa: E402
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

# What each module of tests in the browser sets as its pytestmark.
in_browser = [
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
    # It ends within 20 ms after shutdown, in place of half a second.
    serve = functools.partial(server.serve_forever, poll_interval=0.02)
    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def waiting(driver):
    """Return what waits for something in the browser, and looks every 20 ms."""
    return WebDriverWait(driver, PATIENCE, poll_frequency=0.02)


class View:
    """A page that is open in the browser, with what the tests do to it."""

    def __init__(
        self, driver, address, *, fragment="", width=1000, height=900, still=True, touch=False
    ):
        self.driver = driver
        motion = "reduce" if still else "no-preference"
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-reduced-motion", "value": motion}],
        )
        self.resize(width, height, touch)
        self.command("Emulation.setTouchEmulationEnabled", enabled=touch)
        driver.get("about:blank")
        self.forget_logs()
        driver.get(f"{address}{fragment}")

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def command(self, name, **parameters):
        """Send a command of the protocol of Chrome's developer tools."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def resize(self, width, height, touch=False):
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )

    def forget_logs(self):
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def js(self, expression, *args):
        return self.driver.execute_script(f"return {expression}", *args)

    def wait(self, expression):
        waiting(self.driver).until(lambda _: self.js(expression), expression)

    def wait_for(self, name, text):
        """Wait until an element shows a text."""
        self.wait(f"byId('{name}').textContent.includes({json.dumps(text)})")

    def question(self):
        """Wait until the page asks a question, and return it."""
        is_asked = expected_conditions.alert_is_present()
        return waiting(self.driver).until(is_asked)

    def box(self, name):
        """Return where an element is: a dict of left, top, right, bottom, width and height."""
        return self.js(f"byId('{name}').getBoundingClientRect()")

    def ready(self):
        """Open what is folded, and wait until the page has written its first text, and read its passage."""
        self.js("(byId('all-of-it').open = true)")
        self.wait("state.take && !state.isRunning")
        self.wait(
            "!state.watched.told || sides.every(({ text }) => text.seen.length >= text.length)"
        )
        self.wait("state.reading.known === state.reading.ids.length")
        # What is known is shown with the next frame.
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )
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
        self.point("touchStart", x, y)
        self.point("touchEnd")

    def drag(self, *positions, touch=False):
        """Take the handle where it is, and move it to positions between its ends, -1 and 1, without letting go."""
        x, y, width = self.js(
            "(({ left, top, width, height }) => [left + width / 2, top + height / 2, width - 36])("
            "byId('hold').getBoundingClientRect())"
        )
        start = self.js("Number(byId('hold').value)")
        self.point("touchStart" if touch else "mousePressed", x + start * width / 2, y)
        for position in positions:
            self.point("touchMove" if touch else "mouseMoved", x + position * width / 2, y)

    def let_go(self, touch=False):
        self.point("touchEnd" if touch else "mouseReleased")

    def point(self, kind, x=0, y=0):
        """Send an event of the mouse, whose button is down, or of a finger."""
        if kind == "touchEnd":
            self.command("Input.dispatchTouchEvent", type=kind, touchPoints=[])
        elif kind.startswith("touch"):
            self.command("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        else:
            self.command(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                buttons=1,
                clickCount=1,
            )

    def held(self):
        """Wait until the one text is written, and return it."""
        self.wait(
            "one.text?.seen.length >= one.text?.length && String(one.ids) === String(one.text.ids)"
        )
        return self.shown("one")

    def written(self):
        return self.js("textOf(state.take.ids)")

    def shown(self, name="opening"):
        """Return the text of a paper as it is on the page."""
        return self.js(f"document.querySelector('#{name} [aria-hidden]').textContent")

    def write(self, prime, length, speed="Infinity"):
        """Type a beginning and press Enter, and wait for the end."""
        self.set("length", length)
        self.set("speed", speed)
        self.js("(byId('prime').value = '', byId('prime').focus())")
        self.command("Input.insertText", text=prime)  # send_keys has no emoji
        self["prime"].send_keys(Keys.ENTER)
        self.wait_for("write-status", f"Wrote {length:,} char")

    def read(self, text):
        """Have a text read that was pasted, and wait for the end."""
        self.set("source", text)
        self.click("read-it")
        self.wait("yours.known === yours.ids.length")

    def alphas(self, paper, start=0):
        """Return how strongly the characters of a paper are coloured, negative for the lower end of a unit."""
        colours = self.js(
            f"{paper}.cells.slice({start}).filter(Boolean).map((cell) => cell.style.backgroundColor)"
        )
        return [signed_alpha(colour, negative="low") for colour in colours]

    def saved(self, name, folder):
        """Click a button that saves a file, and return its path."""
        before = set(folder.iterdir())
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.click(name)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for path in set(folder.iterdir()) - before:
                if path.suffix in (".npz", ".png", ".html"):
                    return path
            time.sleep(0.05)
        raise AssertionError("nothing was saved")

    def assert_nothing_wrong(self):
        """Check that the console has no message and that no request left the page."""
        assert self.driver.get_log("browser") == []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                scheme, _ = message["params"]["request"]["url"].split(":", 1)
                assert scheme in ("file", "data", "blob", "about"), message


def signed_alpha(colour, negative):
    """Return how opaque a colour of CSS is, as its last number says, negative where a word is in it."""
    alpha = float(re.search(r"/ ([\d.]+)", colour).group(1))
    return -alpha if negative in colour else alpha
