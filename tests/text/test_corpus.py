"""Texts: the known ones, files, compressed or with another encoding, folders and standard input."""

import gzip
import hashlib
import io
import re
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
    known_text = corpus.KnownText(
        filename="known.txt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        addresses=("http://example.invalid/known", source.as_uri()),
    )
    monkeypatch.setitem(corpus.KNOWN_TEXTS, "known", known_text)
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return source


def test_a_known_text_is_downloaded(known):
    assert corpus.read("known") == corpus.Text("known", "known text\n" * 9)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_download_is_kept_in_data(known, tmp_path, is_there):
    if is_there:
        (tmp_path / "data").mkdir()
    corpus.read("known")
    assert (tmp_path / "data" / "known.txt").read_bytes() == CONTENT


def test_a_known_text_goes_before_a_folder_with_its_name(known, tmp_path):
    """Such a folder may be that of a run, named for its text."""
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
    with pytest.raises(ValueError, match=r"data/known.txt is not the known text 'known'"):
        corpus.find("known")
    assert (tmp_path / "data" / "known.txt").read_bytes() == b"mine"


def test_a_download_of_unexpected_content_leaves_no_file(known, tmp_path):
    known.write_bytes(b"something else")
    with pytest.raises(ValueError, match="unexpected content at file:"):
        corpus.find("known")
    assert not (tmp_path / "data").exists()


@pytest.fixture
def missing(known):
    """The error for a known text that is nowhere and cannot be downloaded."""
    known.unlink()
    with pytest.raises(ValueError) as error:
        corpus.find("known")
    return error.value


@pytest.mark.parametrize(
    "part",
    [
        "data/known.txt",
        "CHARRNN_DATA",
        "no network in tests",
        "http://example.invalid/known",
        "or take a text that needs no network, names or python",
    ],
)
def test_the_error_names_where_it_looked_and_texts_that_need_no_network(missing, part):
    assert part in str(missing)


def test_names_are_in_the_package_and_go_before_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").write_text("mine")
    assert corpus.read("names").text.startswith("Aare\nAaron\n")


def test_names_are_a_known_text():
    assert corpus.is_known("names")


def test_the_notebooks_read_the_same_names():
    assert corpus.find("names").read_text() == corpus.read("names").text


def test_python_source_is_complete_and_sorted():
    """These are lines of __future__.py, abc.py and tarfile.py."""
    lines = [
        "Record of phased-in incompatible language changes",
        "Abstract Base Classes (ABCs) according to PEP 3119",
        "class TarFile",
    ]
    source = corpus.read("python").text
    places = [source.index(line) for line in lines]
    assert places == sorted(places)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("naïve\r\ncafé".encode(encoding))
    assert corpus.read_file(tmp_path / "a.txt") == "naïve\ncafé"


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
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", r"is not a text file \(it begins with 'PNG'\): save it as"),
        (
            b"PK\x03\x04\x14\0\x06\0",
            r"is not a text file \(it begins with 'PK'\): save it as plain",
        ),
        (b"%PDF-1.7\n%\xe2\xe3\0", "begins with '%PDF'"),
        ("plain text, many letters".encode("utf-16-le"), "begins with 'pl'.*, in UTF-8$"),
        (gzip.compress(b"text")[:-6], "is a damaged gzip file"),
        (gzip.compress(b""), "is empty"),
        (b"caf\xe9", "is not utf-8 text .* encoding='cp1252' of load_text"),
    ],
    # named, because gzip stores the time of day, and all test processes must give a test the same name
    ids=[
        "png",
        "zip",
        "pdf",
        "utf-16-le",
        "damaged gzip",
        "empty gzip",
        "latin-1",
    ],
)
def test_a_file_that_is_not_text_is_named_for_what_it_is(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        corpus.read(tmp_path / "a.txt")


def test_utf_16_without_a_mark_is_read_if_that_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes("naïve\n".encode("utf-16-le"))
    assert corpus.read(tmp_path / "a.txt", "utf-16-le").text == "naïve\n"


def test_a_folder_without_a_text_says_of_three_files_why(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(b"\x89PNG\0")
    with pytest.raises(ValueError, match="there is no text file in") as caught:
        corpus.read(tmp_path)
    assert re.findall(r"(\w)\.png is not a text file", str(caught.value)) == ["a", "b", "c"]


def test_several_files_are_joined_with_a_line_end(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name.upper())
    assert corpus.read([tmp_path / "b.txt", tmp_path / "a.txt"]).text == "B\nA"


@pytest.fixture
def folder(tmp_path):
    """A folder of three texts, a picture, and hidden files."""
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "b.txt").write_text("two")
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "sub" / "c.md").write_text("three")
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / ".git" / "d.txt").write_text("no")
    (tmp_path / "cover.png").write_bytes(b"\x89PNG\0")
    return tmp_path


def test_a_folder_stands_for_its_text_files_in_order(folder):
    assert corpus.read(folder).text == "one\ntwo\nthree"


def test_a_text_knows_of_how_many_files_it_is(folder):
    assert corpus.read([folder, folder / "a.txt"]).n_files == 4


def test_a_file_of_a_folder_that_is_not_text_is_named(folder):
    [skipped] = corpus.read(folder).skipped
    assert skipped.startswith(f"{folder / 'cover.png'} is not a text file")


def test_of_links_to_a_file_of_a_folder_only_the_first_is_read(folder):
    """As Debian's fortunes have one beside each file. The held-out end might be a copy of what is trained on."""
    (folder / "a.u8").symlink_to("a.txt")
    (folder / "sub" / "d").symlink_to("../b.txt")
    assert corpus.read(folder).text == "one\ntwo\nthree"


def test_a_broken_link_in_a_folder_is_no_text(folder):
    (folder / "gone.txt").symlink_to("nowhere.txt")
    assert corpus.read(folder).text == "one\ntwo\nthree"


def test_a_file_that_is_named_twice_is_read_twice(folder):
    assert corpus.read([folder / "a.txt", folder / "a.txt"]).text == "one\none"


def test_a_link_to_a_folder_is_not_followed(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "text").write_text("four")
    (folder / "linked").symlink_to(elsewhere)
    assert corpus.read(folder).text == "one\ntwo\nthree"


def test_a_link_to_a_file_elsewhere_is_read(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "text"
    elsewhere.write_text("four")
    (folder / "z").symlink_to(elsewhere)
    assert corpus.read(folder).text == "one\ntwo\nthree\nfour"


@pytest.fixture
def mixed(tmp_path):
    """A folder of a text in UTF-8 and one in Latin-1."""
    (tmp_path / "a.txt").write_text("na\u00efve", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9" * 20)
    return tmp_path


def test_a_file_in_another_encoding_is_left_out_of_a_folder(mixed):
    text = corpus.read(mixed)
    assert text.text == "na\u00efve"
    assert "b.txt is not utf-8 text" in text.skipped[0]


def test_a_file_in_another_encoding_is_read_if_that_is_named(mixed):
    assert corpus.read(mixed, "latin-1").text == "na\u00efve\n" + "caf\u00e9" * 20


def test_the_folder_of_a_run_is_left_out_of_a_folder_of_texts(trained, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    shutil.copytree(str(trained), str(tmp_path / "checkpoints" / "run"))
    assert corpus.read(tmp_path) == corpus.Text(str(tmp_path), "one")


def standard_input(content):
    """Return what sys.stdin is. Its encoding is not used."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="ascii")


def test_standard_input_is_utf_8_with_universal_newlines(monkeypatch):
    monkeypatch.setattr(sys, "stdin", standard_input(b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n"))
    assert corpus.read("-") == corpus.Text("standard input", "caf\u00e9\nb\nc\n")


@pytest.mark.parametrize("content, message", [(b"caf\xe9", "is not utf-8 text"), (b"", "is empty")])
def test_standard_input_that_is_no_text_is_refused(monkeypatch, content, message):
    monkeypatch.setattr(sys, "stdin", standard_input(content))
    with pytest.raises(ValueError, match=f"standard input {message}"):
        corpus.read("-")


def test_the_licence_begins_where_the_novel_ends(anna):
    n_after = corpus.KNOWN_TEXTS["anna"].after_the_work
    assert anna[-n_after:].startswith("*** END OF THIS PROJECT GUTENBERG EBOOK")
