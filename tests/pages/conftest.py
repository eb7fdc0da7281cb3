"""What the tests of both pages share: a browser."""

import hashlib
import re

import pytest


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    from pages.browser import started  # not above, because selenium may be missing

    with started(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="session")
def with_names(tmp_path_factory):
    """A function that copies a page, with its module as an ordinary script: tests reach what its names stand for.

    The script itself is the same, which the policy of the page checks.
    """
    folder = tmp_path_factory.mktemp("with-names")

    def copied(path):
        content = path.read_bytes()
        copy = folder / hashlib.sha256(content).hexdigest() / path.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(re.sub(b'<script type="module"( async)?>', b"<script>", content))
        return copy

    return copied


@pytest.fixture(scope="session")
def open_page(chromium, with_names):
    """A function that opens a page, given as a path or as an address, in the browser, and returns its View."""
    from pages.browser import View

    def opened(page, *, view=View, **how):
        address = page if isinstance(page, str) else with_names(page).as_uri()
        return view(chromium, address, **how)

    return opened
