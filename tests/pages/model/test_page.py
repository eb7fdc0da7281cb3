"""The page as a file: what is in it, and that nothing can break out of it."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from conftest import CHARS, TEXT, make_network

from charrnn.engines.opening import open_model
from charrnn.pages import webpage
from charrnn.text.corpus import Text
from pages.small_pages import (
    HOSTILE,
    content_of,
    data_of,
    entry_of,
    export_random,
    fact_of,
    random_network,
)

CLOSING = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def report_and_page(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "small.html"
    return webpage.export_page(open_model(trained), path), path


@pytest.fixture(scope="module")
def exported_page(report_and_page):
    """The page of the small trained run."""
    _, path = report_and_page
    return path


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    export_random(random_network(HOSTILE), path, text=Text("x", f"{CLOSING}\n" * 40))
    return path


def elements(path):
    """Return (tag, attributes, source) of each script and style of a page, as a browser sees them."""
    return re.findall(r"<(script|style)(.*?)>(.*?)</\1>", content_of(path), re.DOTALL)


@pytest.fixture(scope="module")
def policy(hostile_page):
    """What the page allows: a dict from the name of a directive to its values."""
    found = re.search(
        r'http-equiv="Content-Security-Policy" content="([^"]*)"', content_of(hostile_page)
    )
    directives = [directive.split() for directive in found.group(1).split(";")]
    return {name: values for name, *values in directives}


def test_the_policy_allows_nothing_that_it_does_not_name(policy):
    assert policy["default-src"] == ["'none'"]
    assert "connect-src" not in policy


def test_the_policy_allows_no_address_and_nothing_unsafe_but_the_kernel(policy):
    values = [value for values in policy.values() for value in values]
    assert not [value for value in values if "http" in value]
    assert [value for value in values if "unsafe" in value] == ["'wasm-unsafe-eval'"]


def test_the_policy_allows_the_scripts_and_styles_of_the_page(policy, hostile_page):
    allowed = set()
    for tag, attributes, source in elements(hostile_page):
        # What is no program is not run.
        if "application/json" in attributes or "text/plain" in attributes:
            continue
        digest = hashlib.sha256(source.encode("utf-8")).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy[f"{tag}-src"]
        allowed.add(tag)
    assert allowed == {"style", "script"}


def test_a_tab_that_is_typed_is_read_as_a_space(exported_page):
    assert entry_of(exported_page, "nearest")["\t"] == " "


def test_the_page_refers_to_nothing_outside(exported_page):
    content = content_of(exported_page)
    references = re.findall(r'\s(?:src|href|action|style|on\w+)="(.*?)"', content)
    assert references == ["data:,"]  # an empty icon, so that none is asked for
    assert "http:" not in content
    assert "https:" not in content


def test_the_page_says_what_it_is_where_a_link_to_it_is_shown(exported_page):
    content = content_of(exported_page)
    assert 'property="og:title" content="' in content
    assert 'name="description" content="A machine that ' in content


def test_a_hostile_vocabulary_and_a_hostile_text_stay_data(exported_page, hostile_page):
    ordinary = elements(exported_page)
    hostile = elements(hostile_page)
    assert len(ordinary) == len(hostile)
    changed = [attributes for _, attributes, _ in set(hostile) - set(ordinary)]
    assert sorted(changed) == [
        ' type="application/json" id="data"',
        ' type="application/json" id="reader"',
        ' type="application/json" id="sliders"',
        ' type="application/json" id="weights"',
    ]

    hostile_data = data_of(hostile_page)
    assert "".join(map(chr, hostile_data["vocabulary"])) == HOSTILE
    assert "</script><script>alert(1)" in hostile_data["passage"]


def test_a_hostile_name_of_the_text_stays_data(model, exported_page, target):
    name = "</script><script>{{data}}\ud800.txt"
    named = replace(model, run=replace(model.run, text_name=name))
    webpage.export_page(named, target, text=Text(name, TEXT))
    tags = [(tag, attributes) for tag, attributes, _ in elements(target)]
    assert tags == [(tag, attributes) for tag, attributes, _ in elements(exported_page)]
    assert entry_of(target, "name") == "script><script>{{data}}\ud800"
    assert "<script>{{" not in content_of(target)


def test_the_name_of_the_text_is_published_but_no_path(exported_page, exported):
    assert str(exported.parent) not in content_of(exported_page)
    assert entry_of(exported_page, "title") == "A machine that learned to write from small"


def test_a_link_to_a_page_stays_a_link(exported_page, model, tmp_path):
    (tmp_path / "link.html").symlink_to("page.html")
    webpage.export_page(model, tmp_path / "link.html", text=Text("small.txt", TEXT))
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_bytes() == exported_page.read_bytes()


def assert_refused(write, path, link):
    """Check that nothing is written in place of a file, by its own name or by a link."""
    link.symlink_to(path)
    for target in (path, link):
        with pytest.raises(ValueError, match=r"it must end in|belongs to a run"):
            write(target)


def test_no_file_of_a_run_becomes_a_page_or_a_model(trained, tmp_path):
    model = open_model(trained)
    before = {path: path.read_bytes() for path in trained.iterdir() if path.is_file()}
    for number, path in enumerate(before):
        assert_refused(
            lambda target: webpage.export_page(model, target), path, tmp_path / f"{number}.html"
        )
        assert_refused(model.save, path, tmp_path / f"{number}.npz")
    assert {path: path.read_bytes() for path in before} == before


def test_units_are_measured_on_the_training_text(exported_page):
    data = data_of(exported_page)
    assert data["measured"] == "all 1,040 characters of the training text"
    assert data["source"] == "the training text"
    assert data["passage"] in TEXT


def test_the_limits_of_units_are_in_order(exported_page):
    tracked = entry_of(exported_page, "tracked")
    # 2 layers of 5 units, each with a memory and an output
    assert len(tracked["least"]) == len(tracked["most"]) == 20
    for least, most in zip(tracked["least"], tracked["most"]):
        assert -127 <= least <= most <= 127


def test_the_page_of_learning_is_linked_where_it_is_beside_the_page(exported_page, model, target):
    assert '<a href="learn.html">' not in content_of(exported_page)
    target.with_name("learn.html").write_text("", encoding="utf-8")
    webpage.export_page(model, target, text=Text("small.txt", TEXT))
    assert '<a href="learn.html">' in content_of(target)


def test_the_loss_is_reported(report_and_page):
    report, path = report_and_page
    assert f"{report.loss:.4f}" in fact_of(path, "Loss")


def test_weights_that_float16_cannot_hold_are_refused(target):
    with pytest.raises(ValueError, match="use int8"):
        webpage.export_page(random_network(CHARS, gain=1e5), target)
    assert not target.exists()


def test_other_cells_are_refused(tmp_path, target):
    with pytest.raises(ValueError, match="only a model of lstm cells"):
        webpage.export_page(make_network(tmp_path, CHARS, 4, 1, cell="gru"), target)
    assert not target.exists()
