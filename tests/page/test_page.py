"""The page as a file: what is in it, that nothing can break out of it, and what rounding does."""
import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from conftest import CHARS, TEXT, make_network
from pages import HOSTILE, data_of, export_random, random_network

from charrnn.checkpoints import open_checkpoint
from charrnn.commands import export
from charrnn.engines.exported import read_npz
from charrnn.inspection import page
from charrnn.inspection.stored import WEIGHTS, store, stored_model
from charrnn.text.corpus import Text


class Scripts(HTMLParser):
    """Collects the scripts and styles of a page as a browser sees them, and what its elements refer to."""

    def __init__(self, content):
        super().__init__()
        self.found, self.references, self.tags, self._inside = [], [], [], None
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "action", "style")
                            or name.startswith("on")]
        if tag in ("script", "style"):
            self._inside = (tag, dict(attrs).get("type"))
            self.found.append([*self._inside, ""])

    def handle_data(self, data):
        if self._inside:
            self.found[-1][2] += data

    def handle_endtag(self, tag):
        self._inside = None


@pytest.fixture(scope="module")
def exported_page(exported, tmp_path_factory):
    """The page of the small trained run, its path and what was reported of it."""
    path = tmp_path_factory.mktemp("page") / "small.html"
    return path, page.export_page(read_npz(exported), path)


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    export_random(random_network(HOSTILE), path)
    return path


def policy_of(content):
    return re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content).group(1)


@pytest.mark.parametrize("which", ["exported_page", "hostile_page"])
def test_the_policy_has_the_hash_of_each_script_and_style(which, request):
    made = request.getfixturevalue(which)
    content = (made[0] if isinstance(made, tuple) else made).read_text(encoding="utf-8")
    policy = policy_of(content)
    for tag, kind, source in Scripts(content).found:
        if kind is None:
            digest = base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode()
            assert f"'sha256-{digest}'" in re.search(f"{tag}-src ([^;]*)", policy).group(1)


def test_the_policy_allows_no_network_and_no_eval(exported_page):
    policy = policy_of(exported_page[0].read_text(encoding="utf-8"))
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
    assert "connect-src" not in policy  # what is not named is none


def test_the_page_refers_to_nothing_outside(exported_page):
    content = exported_page[0].read_text(encoding="utf-8")
    assert Scripts(content).references == ["data:,"]  # an empty icon, so that none is asked for
    assert "http:" not in content and "https:" not in content


def test_a_hostile_vocabulary_stays_data(exported_page, hostile_page):
    ordinary, hostile = [Scripts(path.read_text(encoding="utf-8")) for path in (exported_page[0], hostile_page)]
    assert ordinary.tags == hostile.tags
    assert [tuple(each[:2]) for each in ordinary.found] == [tuple(each[:2]) for each in hostile.found]
    data = data_of(hostile_page)
    assert "".join(map(chr, data["vocabulary"])) == HOSTILE


def test_a_hostile_name_of_the_text_stays_data(exported, tmp_path):
    model = read_npz(exported)
    name = "</script><script>{{data}}\ud800.txt"
    run = page.replace(model.run, text_name=name)
    page.export_page(page.replace(model, run=run), tmp_path / "page.html", text=Text(name, TEXT, "", "utf-8"))
    content = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert Scripts(content).tags.count("script") == page._source("page.html").count("<script")
    assert data_of(tmp_path / "page.html")["title"] == f"Inside {name.split('/')[-1]}"


def test_a_path_of_the_text_is_not_published(exported_page, exported):
    assert str(exported.parent) not in exported_page[0].read_text(encoding="utf-8")
    assert data_of(exported_page[0])["title"] == "Inside small.txt"


def test_a_checkpoint_makes_the_page_of_its_exported_model(exported_page, trained, tmp_path):
    page.export_page(open_checkpoint(trained), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == exported_page[0].read_bytes()


def test_units_are_measured_on_the_training_text(exported_page):
    path, report = exported_page
    data = data_of(path)
    assert data["measured"] == "the first 1,040 characters of the training text"
    assert [each["feature"] for each in data["units"] if each["excerpt"]][0] == report.units[0].feature
    for each in data["units"]:
        if each["excerpt"]:
            assert len(each["excerpt"]["text"]) == len(each["excerpt"]["values"]) and each["excerpt"]["text"] in TEXT
            assert max(map(abs, each["excerpt"]["values"])) <= 127


def test_without_the_training_text_the_network_writes_one(hostile_page):
    assert data_of(hostile_page)["measured"] == "1,500 characters that the network wrote"


def test_why_the_network_writes_the_text_is_said(exported, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page, "training_text", fail_to_read)
    monkeypatch.setattr(page, "WRITTEN", 1500)
    assert export.main([str(exported), str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().err == ("the page uses a text that the network wrote, because the training text cannot "
                                       "be read: it is gone\n")


def fail_to_read(_run):
    raise ValueError("it is gone")


def test_characters_that_the_network_does_not_know_are_left_out_of_a_text(exported, tmp_path):
    report = page.export_page(read_npz(exported), tmp_path / "page.html",
                              text=Text("x", TEXT + "UNKNOWN" * 9, "", "utf-8"))
    assert "U" not in data_of(tmp_path / "page.html")["passage"]
    assert report.note == "left out of the text, because the model does not know them: 'U', 'N', 'K', 'O', 'W'"


def test_nearest_characters_are_those_of_the_package(hostile_page, exported_page):
    nearest = data_of(exported_page[0])["nearest"]
    assert nearest["\u00e9"] == "e" and nearest["T"] == "t" and "!" not in nearest and "e" not in nearest


@pytest.mark.parametrize("weights, tolerance", [("float16", 2 ** -11), ("int8", 1 / 254)])
def test_rounding_is_as_close_as_the_type_allows(weights, tolerance):
    model = random_network(CHARS)
    rounded = stored_model(model, store(model, weights))
    for before, after in zip([*model.kernels, model.softmax_kernel], [*rounded.kernels, rounded.softmax_kernel]):
        assert np.abs(after - before).max() <= tolerance * np.abs(before).max() * 1.01
        assert after.shape == before.shape and after.dtype == np.float32
    for before, after in zip([*model.biases, model.softmax_bias], [*rounded.biases, rounded.softmax_bias]):
        np.testing.assert_array_equal(before, after)


def test_the_loss_of_both_weights_is_reported(exported_page):
    report = exported_page[1]
    assert report.page_loss == pytest.approx(report.loss, abs=0.01)
    facts = dict(data_of(exported_page[0])["facts"])
    assert f"{report.loss:.4f}" in facts["Loss"] and f"{report.page_loss:.4f}" in facts["Weights"]
    assert report.size == exported_page[0].stat().st_size


@pytest.mark.slow
def test_int8_is_smaller(exported, tmp_path):
    model = random_network(CHARS, 40)
    sizes = [export_random(model, tmp_path / "page.html", weights=weights).size for weights in WEIGHTS]
    assert sizes[1] < sizes[0]


def test_weights_that_float16_cannot_hold_are_refused(tmp_path):
    model = random_network(CHARS, gain=1e5)
    with pytest.raises(ValueError, match="--weights int8"):
        page.export_page(model, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_another_type_of_weights_is_refused(tmp_path):
    with pytest.raises(ValueError, match="float16 or int8, not 'int4'"):
        page.export_page(random_network(CHARS), tmp_path / "page.html", weights="int4")


def test_other_cells_are_refused(tmp_path):
    with pytest.raises(ValueError, match="only models of lstm cells"):
        page.export_page(make_network(tmp_path, CHARS, 4, 1, cell="gru"), tmp_path / "page.html")


def test_sources_of_the_page_are_valid_in_any_place():
    """No source may end the element that it is put into."""
    for path in page.SOURCES.iterdir():
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".html":
            assert "</" not in source and "<!--" not in source, path.name
