"""Files as text: compression, byte order marks, files that are not text, and texts of several files."""
import gzip
import io
import shutil
import sys

import pytest

from charrnn.text import corpus


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("naïve\r\ncafé".encode(encoding))
    assert corpus.read_document(tmp_path / "a.txt") == "naïve\ncafé"


@pytest.mark.parametrize("times", [1, 10_000])
def test_gzip_is_decompressed_and_is_the_same_text(tmp_path, times):
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo" * times)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\r\ntwo" * times))
    plain, compressed = corpus.read(tmp_path / "a.txt"), corpus.read(tmp_path / "a.txt.gz")
    assert compressed.text == plain.text == "one\ntwo" * times


@pytest.mark.parametrize("content, message", [
    (b"\x89PNG\r\n\x1a\n\0\0\0\r", "is not a text file"), (b"text\x00with nulls", "is not a text file"),
    ("plain text, many letters".encode("utf-16-le"), "encoding utf-16-le"),
    ("plain text, many letters".encode("utf-16-be"), "encoding utf-16-le"),
    (gzip.compress(b"text")[:-6], "is a damaged gzip file"), (gzip.compress(b""), "is empty"),
    (b"caf\xe9", "is not utf-8 text")],
    # named, because gzip stores the time of day, and all test processes must give a test the same name
    ids=["png", "binary", "utf-16-le", "utf-16-be", "damaged gzip", "empty gzip", "latin-1"])
def test_a_file_that_is_not_text_is_named_for_what_it_is(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        corpus.read(tmp_path / "a.txt")


@pytest.mark.parametrize("name, message", [
    ("https://example.org/book.txt", "there is no such file"), ("nothing-like-it.txt", "the known texts are anna")])
def test_a_name_that_is_no_file_says_what_to_do(name, message):
    with pytest.raises(ValueError, match=message):
        corpus.read(name)


def test_several_files_are_joined_with_the_separator(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name.upper())
    assert corpus.read([tmp_path / "b.txt", tmp_path / "a.txt"], separator="--").text == "B--A"


def test_a_folder_stands_for_its_text_files_in_order(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, content in [("b.txt", b"two"), ("a.txt", b"one"), ("sub/c.md", b"three"), (".hidden", b"no"),
                          ("cover.png", b"\x89PNG\0")]:
        (tmp_path / name).write_bytes(content)
    text = corpus.read(tmp_path)
    assert text.text == "one\ntwo\nthree"
    (skipped,) = text.skipped
    assert skipped.startswith(f"{tmp_path / 'cover.png'} is not a text file")


def test_a_file_in_another_encoding_is_left_out_of_a_folder_and_to_be_converted(tmp_path):
    """Its encoding cannot be named, because the other files have another one. If it is large, the folder is refused."""
    (tmp_path / "a.txt").write_text("one " * 20)
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    text = corpus.read(tmp_path)
    assert text.text == "one " * 20 and "b.txt is not utf-8 text: convert it, " in text.skipped[0]
    (tmp_path / "b.txt").write_bytes(b"caf\xe9" * 20)
    with pytest.raises(ValueError, match="b.txt: convert them, name the encoding if all files have it, or "):
        corpus.read(tmp_path)


def test_the_folder_of_a_run_is_left_out_of_a_folder_of_texts(trained, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    shutil.copytree(str(trained), str(tmp_path / "checkpoints" / "run"))
    assert corpus.read(tmp_path) == corpus.Text(str(tmp_path), "one")


def test_a_folder_without_text_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\0")
    with pytest.raises(ValueError, match="there is no text file in .* is not a text file"):
        corpus.read(tmp_path)


@pytest.mark.parametrize("write", [
    lambda path: path.write_bytes(b"a" * 1001), lambda path: path.write_bytes(gzip.compress(b"a" * 10 ** 6))])
def test_a_text_that_is_large_for_the_memory_is_refused(tmp_path, monkeypatch, write):
    """Also one that grows when it is decompressed, of which no more is decompressed than the limit."""
    read, usual = [], gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: read.append(size) or usual(self, size))
    monkeypatch.setattr(corpus, "LARGEST", 1000)
    write(tmp_path / "text")
    with pytest.raises(ValueError, match="text is too large: the limit is .* MB, a sixteenth of this machine's memory"):
        corpus.read(tmp_path / "text")
    assert set(read) <= {1001}
    (tmp_path / "text").write_bytes(gzip.compress(b"a" * 1000))
    assert corpus.read(tmp_path / "text").text == "a" * 1000


@pytest.fixture
def stdin(monkeypatch):
    def give(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    return give


def test_standard_input_is_utf_8_with_universal_newlines(stdin):
    stdin(b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n")
    assert corpus.read("-").text == "caf\u00e9\nb\nc\n"
    for content, message in [(b"caf\xe9", "is not utf-8 text"), (b"", "is empty")]:
        stdin(content)
        with pytest.raises(ValueError, match=f"standard input {message}"):
            corpus.read("-")
