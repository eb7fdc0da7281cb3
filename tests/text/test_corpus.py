"""Texts: the known ones, files, compressed or with another encoding, folders and standard input."""

import gzip
import hashlib
import io
import shutil
import sys

import pytest

from charrnn.text import corpus

CONTENT = b"known text\r\n" * 9


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A known text that only a file: address provides, and a working folder without data/. Returns its file."""
    source = tmp_path / "public" / "text"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    monkeypatch.setitem(
        corpus.KNOWN_TEXTS,
        "known",
        corpus.KnownText(
            "known.txt",
            hashlib.sha256(CONTENT).hexdigest(),
            ("http://example.invalid/known", source.as_uri()),
        ),
    )
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return source


def test_a_known_text_is_downloaded_to_data(known, tmp_path):
    assert corpus.read("known") == corpus.Text("known", "known text\n" * 9)
    assert (tmp_path / "data" / "known.txt").read_bytes() == CONTENT


def test_a_known_text_goes_before_a_folder_with_its_name(known, tmp_path):
    """Such as that of a run, named for its text."""
    (tmp_path / "known").mkdir()
    assert corpus.read("known").text == "known text\n" * 9


def test_a_text_in_the_folder_of_the_environment_is_not_downloaded(known, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "known.txt").write_bytes(CONTENT)
    monkeypatch.setenv("CHARRNN_DATA", str(tmp_path / "elsewhere"))
    assert corpus.find("known") == tmp_path / "elsewhere" / "known.txt"
    assert not (tmp_path / "data").exists()


def test_another_file_with_the_name_of_a_known_text_is_refused_and_kept(known, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "known.txt").write_bytes(b"mine")
    with pytest.raises(ValueError, match="data/known.txt is not the known text 'known'"):
        corpus.find("known")
    assert (tmp_path / "data" / "known.txt").read_bytes() == b"mine"


def test_a_download_of_unexpected_content_leaves_no_file(known, tmp_path):
    known.write_bytes(b"something else")
    with pytest.raises(ValueError, match="unexpected content at file:"):
        corpus.find("known")
    assert not (tmp_path / "data").exists()


def test_the_error_names_where_it_looked_and_texts_that_need_no_network(known):
    """They suit whatever reads a text: training, evaluating, or the notebook."""
    known.unlink()
    message = "or take a text that needs no network, names or python$"
    with pytest.raises(ValueError, match=message) as error:
        corpus.find("known")
    for part in [
        "data/known.txt",
        "CHARRNN_DATA",
        "no network in tests",
        "http://example.invalid/known",
    ]:
        assert part in str(error.value)


def test_names_are_in_the_package_and_go_before_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").write_text("mine")
    assert corpus.is_known("names") and corpus.read("names").text.startswith("Aare\nAaron\n")
    assert corpus.find("names").read_text() == corpus.read("names").text  # as the notebooks read it


def test_python_source_is_complete_and_sorted():
    text = corpus.read("python")
    places = [
        text.text.index(line)
        for line in [
            "Record of phased-in incompatible language changes",
            "Abstract Base Classes (ABCs) according to PEP 3119",
            "class TarFile",
        ]
    ]  # in __future__.py, abc.py and tarfile.py
    assert places == sorted(places)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("naïve\r\ncafé".encode(encoding))
    assert corpus.read_document(tmp_path / "a.txt") == "naïve\ncafé"


@pytest.mark.parametrize("times", [1, 10_000])
def test_gzip_is_decompressed_and_is_the_same_text(tmp_path, times):
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo" * times)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\r\ntwo" * times))
    plain = corpus.read(tmp_path / "a.txt")
    compressed = corpus.read(tmp_path / "a.txt.gz")
    assert compressed.text == plain.text == "one\ntwo" * times


@pytest.mark.parametrize(
    "content, message",
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "is not a text file"),
        (b"text\x00with nulls", "is not a text file"),
        ("plain text, many letters".encode("utf-16-le"), "encoding utf-16-le"),
        ("plain text, many letters".encode("utf-16-be"), "encoding utf-16-le"),
        (gzip.compress(b"text")[:-6], "is a damaged gzip file"),
        (gzip.compress(b""), "is empty"),
        (b"caf\xe9", "is not utf-8 text"),
    ],
    # named, because gzip stores the time of day, and all test processes must give a test the same name
    ids=["png", "binary", "utf-16-le", "utf-16-be", "damaged gzip", "empty gzip", "latin-1"],
)
def test_a_file_that_is_not_text_is_named_for_what_it_is(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        corpus.read(tmp_path / "a.txt")


def test_several_files_are_joined_with_the_separator(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name.upper())
    assert corpus.read([tmp_path / "b.txt", tmp_path / "a.txt"], separator="--").text == "B--A"


def test_a_folder_stands_for_its_text_files_in_order(tmp_path):
    for name in ("sub", ".git"):
        (tmp_path / name).mkdir()
    for name, content in [
        ("b.txt", b"two"),
        ("a.txt", b"one"),
        ("sub/c.md", b"three"),
        (".hidden", b"no"),
        (".git/d.txt", b"no"),
        ("cover.png", b"\x89PNG\0"),
    ]:
        (tmp_path / name).write_bytes(content)
    text = corpus.read(tmp_path)
    assert text.text == "one\ntwo\nthree"
    (skipped,) = text.skipped
    assert skipped.startswith(f"{tmp_path / 'cover.png'} is not a text file")


def test_a_file_in_another_encoding_is_left_out_of_a_folder_unless_it_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("one " * 20)
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    text = corpus.read(tmp_path)
    assert text.text == "one " * 20 and "b.txt is not utf-8 text" in text.skipped[0]
    (tmp_path / "b.txt").write_bytes(b"caf\xe9" * 20)
    (tmp_path / "a.txt").write_text("na\u00efve", encoding="utf-8")
    assert corpus.read(tmp_path, "latin-1").text == "na\u00efve\n" + "caf\u00e9" * 20


def test_the_folder_of_a_run_is_left_out_of_a_folder_of_texts(trained, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    shutil.copytree(str(trained), str(tmp_path / "checkpoints" / "run"))
    assert corpus.read(tmp_path) == corpus.Text(str(tmp_path), "one")


def test_standard_input_is_utf_8_with_universal_newlines(monkeypatch):
    for content, message in [
        (b"caf\xe9", "is not utf-8 text"),
        (b"", "is empty"),
        (b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n", None),
    ]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
        if message:
            with pytest.raises(ValueError, match=f"standard input {message}"):
                corpus.read("-")
    assert corpus.read("-").text == "caf\u00e9\nb\nc\n"
