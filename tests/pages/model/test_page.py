"""The page as a file: what is in it, that nothing can break out of it, and what rounding does."""

import base64
import functools
import hashlib
import re
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from conftest import CHARS, TEXT, interrupted_at, make_network
from pages import HOSTILE, data_of, export_random, random_network

from charrnn.commands import export
from charrnn.engines.model_file import open_model
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.inspection import clamped, features, units, webpage
from charrnn.inspection.stored import store, stored_model
from charrnn.text.corpus import Text


def elements(content):
    """Return (tag, attributes, source) of each script and style of a page, as a browser sees them."""
    return re.findall(r"<(script|style)(.*?)>(.*?)</\1>", content, re.DOTALL)


@pytest.fixture(scope="module")
def exported_page(trained, tmp_path_factory):
    """The page of the small trained run, its path and what was reported of it."""
    path = tmp_path_factory.mktemp("page") / "small.html"
    return path, webpage.export_page(open_model(trained), path)


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    export_random(
        random_network(HOSTILE), path, text=Text("x", "</script><script>alert(1)</script>\n" * 40)
    )
    return path


def test_the_policy_allows_the_scripts_and_styles_of_the_page_and_nothing_else(hostile_page):
    content = hostile_page.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content).group(1)
    assert policy.startswith("default-src 'none';") and "http" not in policy
    assert re.findall(r"[\w-]*unsafe[\w-]*", policy) == ["wasm-unsafe-eval"]  # for the kernel
    assert "connect-src" not in policy  # what is not named is none
    for tag, attributes, source in elements(content):
        if "type=" not in attributes:
            digest = base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode()
            assert f"'sha256-{digest}'" in re.search(f"{tag}-src ([^;]*)", policy).group(1)


def test_the_page_refers_to_nothing_outside(exported_page):
    content = exported_page[0].read_text(encoding="utf-8")
    references = re.findall(r'\s(?:src|href|action|style|on\w+)="(.*?)"', content)
    assert references == ["data:,"]  # an empty icon, so that none is asked for
    assert (
        'property="og:title" content="' in content
        and 'name="description" content="A machine that ' in content
    )
    assert "http:" not in content and "https:" not in content


def test_a_hostile_vocabulary_and_a_hostile_text_stay_data(exported_page, hostile_page):
    ordinary, hostile = [
        elements(path.read_text(encoding="utf-8")) for path in (exported_page[0], hostile_page)
    ]
    changed = [after[1] for before, after in zip(ordinary, hostile) if before != after]
    assert len(ordinary) == len(hostile)
    assert changed == [
        ' type="application/json" id="data"',
        ' type="application/json" id="weights"',
    ]
    assert "".join(map(chr, data_of(hostile_page)["vocabulary"])) == HOSTILE
    assert "</script><script>alert(1)" in data_of(hostile_page)["passage"]


def test_a_hostile_name_of_the_text_stays_data(exported, exported_page, tmp_path):
    model = open_model(exported)
    name = "</script><script>{{data}}\ud800.txt"
    model = replace(model, run=replace(model.run, text_name=name))
    webpage.export_page(model, tmp_path / "page.html", text=Text(name, TEXT))
    pages = [
        elements(path.read_text(encoding="utf-8"))
        for path in (exported_page[0], tmp_path / "page.html")
    ]
    assert [each[:2] for each in pages[0]] == [each[:2] for each in pages[1]]
    assert data_of(tmp_path / "page.html")["name"] == "script><script>{{data}}\ud800"
    assert "<script>{{" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_name_of_the_text_is_published_but_no_path(exported_page, exported):
    assert str(exported.parent) not in exported_page[0].read_text(encoding="utf-8")
    assert data_of(exported_page[0])["title"] == "A machine that learned to write from small"


@pytest.mark.parametrize(
    "text_name, title",
    [
        ("home/my texts/", "my texts"),
        ("home/one.txt, two.txt, anna", "one, two, Anna Karenina"),
        ("home/war, and peace.txt", "war, and peace"),
        ("\u202e" + "A" * 5000, "A" * 60 + "\u2026"),
    ],
)
def test_the_texts_of_a_run_give_the_page_its_name(exported, tmp_path, text_name, title):
    """A folder also if it was given with a slash at its end, as a shell completes it; of several files each one."""
    model = open_model(exported)
    model = replace(model, run=replace(model.run, text_name=text_name))
    webpage.export_page(model, tmp_path / "page.html", text=Text("other", TEXT))
    assert data_of(tmp_path / "page.html")["name"] == title


def test_a_link_to_a_page_stays_a_link(exported_page, exported, tmp_path):
    (tmp_path / "link.html").symlink_to("page.html")
    webpage.export_page(open_model(exported), tmp_path / "link.html", text=Text("small.txt", TEXT))
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_bytes() == exported_page[0].read_bytes()


def test_no_file_of_a_run_becomes_a_page_or_a_model(trained, tmp_path):
    model = open_model(trained)
    before = {path: path.read_bytes() for path in trained.iterdir() if path.is_file()}
    for number, path in enumerate(before):
        for ending, write in (
            (".html", functools.partial(webpage.export_page, model)),
            (".npz", model.save),
        ):
            link = tmp_path / f"{number}{ending}"
            link.symlink_to(path)
            for target in (path, link):
                with pytest.raises(ValueError, match="it must end in|belongs to a run"):
                    write(target)
    assert {path: path.read_bytes() for path in before} == before


def test_units_are_measured_on_the_training_text(exported_page):
    data = data_of(exported_page[0])
    assert data["measured"] == "all 1,040 characters of the training text"
    assert data["source"] == "the training text" and data["passage"] in TEXT
    assert all(
        -127 <= least <= most <= 127
        for least, most in zip(data["tracked"]["least"], data["tracked"]["most"])
    )


@pytest.mark.parametrize(
    "text, expected",
    [
        (f"{'A' * 72}\n{'b' * 69}\n\nc\n" + f"{'d' * 70}\n" * 9, 46),
        (f"{'a' * 70}\n{'b' * 20}\n" * 9, None),
        ("ab\n" * 30, None),
        ("\n", None),
    ],
    ids=["prose", "code", "names", "nothing"],
)
def test_a_text_that_was_broken_into_lines_is_known_by_their_lengths(text, expected):
    assert webpage._long_line(text) == expected


def test_words_that_tell_texts_apart_are_chosen_in_half_of_them_and_counted_in_the_other():
    """The first two stand for each other: both follow "and". A word that the end cuts does not count."""
    # nine times in each half: three standard deviations
    low = ["He ran home and he slept. he sle"] * 18
    high = ["I ran away and I sat. I'll sat, I s"] * 9 + ["so I'm sat x"] * 9
    assert clamped.compare(low, ["he I I"] * 18, high) == {
        "words": [["he", "home", "slept"], ["I", "sat", "away"]],
        "counts": [[45, 0], [9, 9], [0, 18]],
        "texts": 9,
    }
    assert clamped.compare(low, low, low) is None
    assert (
        clamped.compare(["he."] * 9 + ["x."] * 9, ["he he."] * 18, ["I."] * 9 + ["he I."] * 9)
        is None
    )


@pytest.mark.parametrize(
    "text, clear, ends",
    [
        ('"No," he said. "Why?" ' * 40, 0.9, ["narration", "speech"]),
        ('"No," he said. "Why?" ' * 40, 0.4, ["low", "high"]),
        ('open("a", "b") ' * 40, 0.9, ["outside quotes", "in quotes"]),
    ],
    ids=["speech", "not clear", "a program"],
)
def test_the_ends_of_a_number_have_names_that_are_true(text, clear, ends):
    found = units.Tracking(units.Unit(0, 0, "1/c"), features.QUOTATION, clear)
    assert list(webpage._discovery(found, 0.1, None, 20, text)["ends"]) == ends


def test_the_strongest_discovery_that_changes_words_comes_first(tmp_path):
    model = random_network('\n "abc')
    names = ["inside a name", "end of a word", "line end next"]
    found = [
        (units.Tracking(units.Unit(0, place, "1/c"), name, correlation), 0.1)
        for place, (name, correlation) in enumerate(zip(names, [0.95, -0.9, 0.6]))
    ]
    told = iter(
        [None, *[{"words": [["a"], ["b"]], "counts": [[9, 1], [5, 5], [1, 9]], "texts": 16}] * 2]
    )
    with mock.patch.object(units.Measured, "discoveries", return_value=found), mock.patch.object(
        clamped, "compare", lambda *_: next(told)
    ):
        export_random(model, tmp_path / "page.html", text=Text("x", '"abc" abc abc\n' * 90))
    data = data_of(tmp_path / "page.html")
    assert [each["feature"] for each in data["discoveries"]] == [
        "end of a word",
        "line end next",
        "inside a name",
    ]


def test_the_page_of_learning_is_linked_where_it_is_beside_the_page(exported, tmp_path):
    for expected in (False, True):
        webpage.export_page(open_model(exported), tmp_path / "page.html")
        assert (
            '<a href="learn.html">' in (tmp_path / "page.html").read_text(encoding="utf-8")
        ) is expected
        (tmp_path / "learn.html").write_text("", encoding="utf-8")


def test_the_passage_is_the_one_in_the_first_half_in_which_most_happens(tmp_path):
    """For what was discovered first. It begins with a paragraph, and ends with a word."""
    parts = ["abc " * 450, '"abc" ' * 130 + "abc abc " * 60, "abc " * 400, '"abc" abc ' * 70]
    model = random_network('\n "abc')
    found = units.Tracking(units.Unit(0, 0, "1/c"), features.QUOTATION, 0.9)
    with mock.patch.object(units.Measured, "discoveries", return_value=[(found, 0.1)]):
        export_random(model, tmp_path / "page.html", text=Text("x", "\n\n".join(parts)))
    passage = data_of(tmp_path / "page.html")["passage"]
    assert parts[1].startswith(passage) and 990 < len(passage) < 1000 and passage.endswith("abc")


def test_without_the_training_text_the_network_writes_one_and_it_is_said(
    exported, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(webpage, "training_text", mock.Mock(side_effect=ValueError("it is gone")))
    monkeypatch.setattr(webpage, "WRITTEN", 1500)
    assert export.main([str(exported), str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().err == (
        "the page uses a text that the network wrote, because the training text cannot "
        "be read: it is gone\n"
    )
    assert data_of(tmp_path / "page.html")["measured"] == "1,500 characters that the network wrote"
    assert data_of(tmp_path / "page.html")["source"] == "a text that the network wrote"


def test_ctrl_c_while_the_network_writes_a_text_ends_the_export(
    exported, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(webpage, "training_text", mock.Mock(side_effect=ValueError("it is gone")))
    monkeypatch.setattr(NumpyLSTM, "generate", interrupted_at(NumpyLSTM.generate, 3))
    assert export.main([str(exported), str(tmp_path / "page.html")]) == 130
    assert capsys.readouterr() == ("", "charrnn-export: interrupted\n") and not list(
        tmp_path.iterdir()
    )


def test_characters_that_the_network_does_not_know_are_left_out_of_a_text(exported, tmp_path):
    report = webpage.export_page(
        open_model(exported), tmp_path / "page.html", text=Text("x", TEXT + "UNKNOWN" * 9)
    )
    assert "U" not in data_of(tmp_path / "page.html")["passage"]
    assert (
        report.note
        == "left out of the text, because the model does not know them: 'U', 'N', 'K', 'O', 'W'"
    )


def test_a_text_of_unknown_characters_alone_is_refused(exported, tmp_path):
    with pytest.raises(ValueError, match="at least 2 characters that the model knows, not 0"):
        webpage.export_page(open_model(exported), tmp_path / "page.html", text=Text("x", "UNKNOWN"))


@pytest.mark.parametrize("weights, tolerance", [("float16", 2**-11), ("int8", 1 / 254)])
def test_rounding_is_as_close_as_the_type_allows(weights, tolerance):
    model = random_network(CHARS)
    rounded = stored_model(model, store(model, weights))
    for before, after in zip(
        [*model.kernels, model.softmax_kernel], [*rounded.kernels, rounded.softmax_kernel]
    ):
        assert np.abs(after - before).max() <= tolerance * np.abs(before).max() * 1.01
        assert after.shape == before.shape and after.dtype == np.float32
    for before, after in zip(
        [*model.biases, model.softmax_bias], [*rounded.biases, rounded.softmax_bias]
    ):
        np.testing.assert_array_equal(before, after)


def test_the_loss_is_reported(exported_page):
    assert f"{exported_page[1].loss:.4f}" in dict(data_of(exported_page[0])["facts"])["Loss"]


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("anna", "", ["The ", "Dear "]),
        ("my.txt", "at Hat\nDad \nDad sat\nat\nI:", ["The ", "Dad ", "at "]),
        ("chat", "[2] at\n[2] Dad", ["The ", "[2] "]),
        (None, "", ["The "]),
    ],
)
def test_beginnings_suit_the_text_and_the_vocabulary(name, text, expected):
    """Those of a known text, without what the model cannot write, or what begins most lines."""
    model = random_network("\n 2DT[]adehrt")
    run = name and mock.Mock(text_name=name, beginning=None)
    assert webpage._beginnings(mock.Mock(run=run, vocabulary=model.vocabulary), text) == expected


def test_what_a_page_cannot_hold_is_refused(tmp_path):
    gru = make_network(tmp_path, CHARS, 4, 1, cell="gru")
    for model, message in [
        (random_network(CHARS, gain=1e5), "use int8"),
        (gru, "only a model of lstm cells"),
    ]:
        with pytest.raises(ValueError, match=message):
            webpage.export_page(model, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
