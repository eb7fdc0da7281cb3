"""Reading texts, and finding and downloading the known ones."""
import hashlib

import pytest

from charrnn.text import corpus

CONTENT = b"known text\r\n" * 9


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A known text that only a file: address provides, and a working folder without data/. Returns its file."""
    source = tmp_path / "public" / "text"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    monkeypatch.setitem(corpus.KNOWN_TEXTS, "known", corpus.KnownText(
        "known.txt", hashlib.sha256(CONTENT).hexdigest(), ("http://example.invalid/known", source.as_uri())))
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return source


def test_a_known_text_is_downloaded_to_data(known, tmp_path):
    text = corpus.read("known")
    assert text == corpus.Text("known", "known text\n" * 9)
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


def test_the_error_names_all_places_where_a_text_was_looked_for(known):
    known.unlink()
    with pytest.raises(ValueError) as error:
        corpus.find("known")
    for part in ["data/known.txt", "CHARRNN_DATA", "no network in tests", "http://example.invalid/known"]:
        assert part in str(error.value)


def test_python_source_is_complete_and_sorted():
    text = corpus.read("python")
    places = [text.text.index(line) for line in [
        "Record of phased-in incompatible language changes", "Abstract Base Classes (ABCs) according to PEP 3119",
        "class TarFile"]]  # in __future__.py, abc.py and tarfile.py
    assert places == sorted(places)
