"""Files as text: compression, byte order marks, files that are not text, and texts of several files."""
import gzip
import io
import os
import sys
from pathlib import Path

import pytest
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoints, train
from charrnn.text import corpus, documents


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("naïve\r\ncafé".encode(encoding))
    assert documents.read_document(tmp_path / "a.txt")[1] == "naïve\ncafé"


def test_gzip_is_decompressed_and_is_the_same_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\r\ntwo"))
    plain, compressed = corpus.read(tmp_path / "a.txt"), corpus.read(tmp_path / "a.txt.gz")
    assert (compressed.text, compressed.sha256) == (plain.text, plain.sha256) == ("one\ntwo", plain.sha256)


@pytest.mark.parametrize("content, message", [
    (b"%PDF-1.7 ...", "is a PDF: extract its text first"), (b"\x89PNG\r\n", "is a PNG image"),
    (b"PK\x03\x04xx", "is a zip archive"), (b"text\x00with nulls", "is a binary file, not text"),
    ("plain text, many letters".encode("utf-16-le"), "--encoding utf-16-le"),
    ("plain text, many letters".encode("utf-16-be"), "--encoding utf-16-be"),
    (gzip.compress(b"text")[:-6], "is a damaged gzip file"), (gzip.compress(b""), "is empty"),
    (b"caf\xe9", "is not utf-8 text")],
    # named, because gzip stores the time of day, and all test processes must give a test the same name
    ids=["pdf", "png", "zip", "binary", "utf-16-le", "utf-16-be", "damaged gzip", "empty gzip", "latin-1"])
def test_a_file_that_is_not_text_is_named_for_what_it_is(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        corpus.read(tmp_path / "a.txt")


def test_an_explicit_encoding_reads_utf_16_without_a_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes("déjà vu".encode("utf-16-le"))
    assert corpus.read(tmp_path / "a.txt", "utf-16-le").text == "déjà vu"


@pytest.mark.parametrize("name, message", [
    ("https://example.org/book.txt", "download it first"),
    ("ana", "did you mean the known text anna"), ("nothing-like-it.txt", "the known texts are anna")])
def test_a_name_that_is_no_file_says_what_to_do(name, message):
    with pytest.raises(ValueError, match=message):
        corpus.read(name)


def test_several_files_are_joined_with_the_separator(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name.upper())
    text = corpus.read([tmp_path / "b.txt", tmp_path / "a.txt"], separator="--")
    assert (text.text, text.parts["separator"]) == ("B--A", "--")
    assert list(text.parts["files"]) == [str(tmp_path / "b.txt"), str(tmp_path / "a.txt")]


def test_a_folder_stands_for_its_text_files_in_order(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, content in [("b.txt", b"two"), ("a.txt", b"one"), ("sub/c.md", b"three"), (".hidden", b"no"),
                          ("cover.png", b"\x89PNG\r\n")]:
        (tmp_path / name).write_bytes(content)
    text = corpus.read(tmp_path)
    assert text.text == "one\ntwo\nthree"
    assert text.skipped == (f"{tmp_path / 'cover.png'} is a PNG image",)


def test_a_file_that_is_found_twice_is_skipped_in_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "cover.png").write_bytes(b"\x89PNG\r\n")
    text = corpus.read([tmp_path, tmp_path])
    assert text.text == "one\none" and text.skipped == (f"{tmp_path / 'cover.png'} is a PNG image",)


def test_a_folder_that_cannot_be_read_is_skipped(tmp_path, monkeypatch):
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    scandir = os.scandir

    def scan(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", scan)
    text = corpus.read(tmp_path)
    assert text.text == "open"
    assert text.skipped == (f"cannot read the folder {str(tmp_path / 'closed')!r}: Permission denied",)


def test_a_folder_without_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no text file in [^()]*$"):
        corpus.read(tmp_path)
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(ValueError, match=r"there is no text file in [^()]* \(([^;]* is a PNG image(; )?){3}\)"):
        corpus.read(tmp_path)


def test_the_whole_file_system_is_not_a_folder_of_texts():
    with pytest.raises(ValueError, match="/ is the root of the file system"):
        corpus.read("/")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_byte_order_mark_alone_is_an_empty_text(tmp_path, mark):
    (tmp_path / "text").write_bytes(mark)
    with pytest.raises(ValueError, match="the text .* is empty"):
        corpus.read(tmp_path / "text")


def test_a_text_that_was_moved_is_missing(tmp_path):
    with pytest.raises(ValueError, match="the training text 'gone.txt', which the model names, is missing: name its"):
        corpus.read_again("gone.txt", "utf-8", "f00")


@pytest.mark.parametrize("names", [
    ["./a.txt", "b.txt"], ["b.txt", ".//a.txt"], ["sub", "./sub/c.txt", "a.txt"], [".", "../a.txt"],
    ["a.txt", "sub", "a.txt"]])
def test_names_written_in_another_way_are_read_again_in_their_order(tmp_path, monkeypatch, names):
    (tmp_path / "here" / "sub").mkdir(parents=True)
    for place in ("a.txt", "here/a.txt", "here/b.txt", "here/sub/c.txt"):
        (tmp_path / place).write_text(place)
    monkeypatch.chdir(tmp_path / "here")
    text = corpus.read(names)
    again = corpus.read_again(text.name, text.encoding, text.sha256, text.parts, text.sizes)
    assert (again.text, again.parts) == (text.text, text.parts)


def test_an_older_run_of_files_named_in_another_way_is_read_again(tmp_path, monkeypatch):
    """It did not record their order."""
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    monkeypatch.chdir(tmp_path)
    text = corpus.read(["./b.txt", "a.txt"])
    old = {key: value for key, value in text.parts.items() if key != "order"}
    assert corpus.read_again(text.name, text.encoding, text.sha256, old, text.sizes).text == "b\na"


@pytest.fixture
def stdin(monkeypatch):
    def give(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    return give


def test_standard_input_is_utf_8_with_universal_newlines(stdin):
    stdin(b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n")
    assert corpus.read("-").text == "caf\u00e9\nb\nc\n"


def test_standard_input_that_is_not_utf_8_is_refused(stdin):
    stdin(b"caf\xe9")
    with pytest.raises(ValueError, match="standard input is not utf-8 text"):
        corpus.read("-")


def test_empty_standard_input_is_refused(stdin):
    stdin(b"")
    with pytest.raises(ValueError, match="standard input is empty"):
        corpus.read("-")


def again(text, **changes):
    """Return the arguments that read a text again."""
    given = {"name": text.name, "encoding": text.encoding, "sha256": text.sha256, "parts": text.parts,
             "sizes": text.sizes}
    return {**given, **changes}


def test_reading_again_names_what_changed(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(name)
    before = corpus.read(tmp_path)
    assert before.sizes == {str(tmp_path / f"{name}.txt"): 1 for name in "abc"}
    (tmp_path / "d.txt").write_text("a new file is no change")
    assert corpus.read_again(**again(before)) == before
    (tmp_path / "a.txt").unlink()
    (tmp_path / "b.txt").write_text("other")
    (tmp_path / "c.txt").write_text("d")
    with pytest.raises(ValueError) as raised:
        corpus.read_again(**again(before))
    assert str(raised.value).endswith(f": {tmp_path / 'a.txt'} is missing, {tmp_path / 'b.txt'} has another size, "
                                      f"{tmp_path / 'c.txt'} is different")


def test_files_and_folders_are_read_again_in_the_order_of_their_names(tmp_path):
    (tmp_path / "folder" / "in").mkdir(parents=True)
    for name in ("one", "folder/in/two", "folder/three", "four"):
        (tmp_path / name).write_text(name)
    before = corpus.read([tmp_path / "one", tmp_path / "folder", tmp_path / "four", tmp_path / "one"], separator="+")
    assert before.text == "one+folder/in/two+folder/three+four+one"
    assert corpus.read_again(**again(before)) == before
    with pytest.raises(ValueError, match="are the same, but together they are not the text"):
        corpus.read_again(**again(before, parts={**before.parts, "separator": "-"}))


@pytest.fixture
def opened(monkeypatch):
    """The paths that were opened."""
    paths = []

    def read_bytes(path):
        paths.append(str(path))
        return b"abc"
    monkeypatch.setattr(corpus.data, "read_bytes", read_bytes)
    return paths


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("sizes", [None, {}, {"text": 5}], ids=["old", "none", "of a file"])
@pytest.mark.parametrize("several", [False, True])
def test_a_model_cannot_have_a_device_or_a_pipe_opened(tmp_path, monkeypatch, opened, several, sizes):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("/dev/zero", "link")
    (tmp_path / "folder").mkdir()
    for name in ["pipe", "link", "folder", "/dev/zero", "/dev/null"]:
        parts = {"names": [name], "separator": "", "files": {name: "f00"}} if several else None
        with pytest.raises(ValueError, match=f"{name}, which the model names as its text, is not a regular file"):
            corpus.read_again(name, "utf-8", "f00", parts, sizes and {name: 5})
    assert not opened


def test_a_file_of_another_size_than_recorded_is_not_opened(tmp_path, opened):
    (tmp_path / "text").write_text("abcd")
    name = str(tmp_path / "text")
    for size in (0, 3, 5):
        with pytest.raises(ValueError, match="has changed since the model was trained on it"):
            corpus.read_again(name, "utf-8", "f00", None, {name: size})
    assert not opened


def test_without_a_recorded_size_a_file_of_any_size_is_not_opened(tmp_path, monkeypatch, opened):
    """Old models do not record it. The files of /proc and /sys that never end have the size 0."""
    (tmp_path / "text").write_bytes(b"")
    for largest, message in [(4, "has changed"), (-1, "has 0 bytes, so it is not opened")]:
        monkeypatch.setattr(corpus, "LARGEST_UNRECORDED", largest)
        with pytest.raises(ValueError, match=message):
            corpus.read_again(str(tmp_path / "text"), "utf-8", "f00")
    assert not opened


def test_files_are_not_joined_beyond_the_memory(tmp_path, monkeypatch):
    (tmp_path / "text").write_text("abcd")
    name = str(tmp_path / "text")
    before = corpus.read([name, name])
    monkeypatch.setattr(corpus.machine, "total_memory", lambda: 11)
    assert corpus.read_again(**again(before)) == before
    with pytest.raises(ValueError, match="larger than the memory"):
        corpus.read_again(**again(before, parts={**before.parts, "order": 3 * [name]}))
    old = {key: value for key, value in before.parts.items() if key != "order"}  # as older versions recorded it
    with pytest.raises(ValueError, match="larger than the memory"):
        corpus.read_again(**again(before, parts={**old, "names": 3 * [name]}))


def test_a_folder_that_a_model_names_is_not_searched(tmp_path, monkeypatch):
    (tmp_path / "text").write_text("abcd")
    before = corpus.read([tmp_path / "text", tmp_path])
    monkeypatch.setattr(documents, "find_documents", lambda folder, skipped: pytest.fail("searched"))
    assert corpus.read_again(**again(before)).text == before.text
    old = {key: value for key, value in before.parts.items() if key != "order"}  # as older versions recorded it
    assert corpus.read_again(**again(before, parts=old)).text == before.text
    with pytest.raises(ValueError, match="not the text"):
        corpus.read_again(**again(before, parts={**old, "names": ["/"]}))


@pytest.mark.slow
def test_a_run_of_several_files_is_resumed_from_its_record(tmp_path, capsys):
    names = [tmp_path / "one.txt", tmp_path / "two.txt.gz"]
    names[0].write_text(TEXT)
    names[1].write_bytes(gzip.compress(TEXT.upper().encode()))
    flags = ["--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    assert train.main([*map(str, names), *SMALL_FLAGS, *flags, "--separator", "\\n\\n"]) == 0
    assert checkpoints.read_run(tmp_path / "run").text_parts["separator"] == "\n\n"
    assert train.main(["--resume", *flags]) == 0
    names[0].write_text("changed")
    capsys.readouterr()
    assert train.main(["--resume", *flags]) == 2
    assert f"has changed since the model was trained on it: {names[0]} has another size" in capsys.readouterr().err
